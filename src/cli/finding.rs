//! A finding with its places in lines and columns: what SARIF and GitHub are told.

use berthc::diag::{Diagnostic, Place};
use berthc::spec::source::line_column;
use berthc::{Input, Severity};

use super::report;

/// One thing that was found, wherever it comes from.
#[derive(Debug, Clone)]
pub struct Finding {
    /// A code of the catalogue, or the name of a gap.
    pub code: String,
    /// How grave it is.
    pub severity: Severity,
    /// What was found, in one line.
    pub message: String,
    /// Why it matters, and the ways out; one line each.
    pub more: Vec<String>,
    /// Where, the main place first. Empty when it is of no file.
    pub spots: Vec<Spot>,
    /// What happens, step by step; empty when there is nothing to tell.
    pub steps: Vec<Step>,
}

/// A stretch of a file.
#[derive(Debug, Clone)]
pub struct Spot {
    /// The path as it was given.
    pub path: String,
    /// Line and column where it begins, from 1, in characters.
    pub start: (usize, usize),
    /// Line and column after its end.
    pub end: (usize, usize),
    /// What stands there; may be empty.
    pub text: String,
}

/// One step of what happens.
#[derive(Debug, Clone)]
pub struct Step {
    /// What happens.
    pub text: String,
    /// The line that lets it happen, if one does.
    pub spot: Option<Spot>,
}

/// `diagnostics` as findings; `sources` are the texts that their places point into.
pub fn of(sources: &[Input], diagnostics: &[Diagnostic]) -> Vec<Finding> {
    diagnostics.iter().map(|d| one(sources, d)).collect()
}

fn one(sources: &[Input], d: &Diagnostic) -> Finding {
    let spot = |place: &Place, text: &str| {
        let input = sources.get(place.source)?;
        let at = |byte| line_column(&input.text, byte);
        let (start, end, text) = (at(place.start), at(place.end), text.to_owned());
        Some(Spot { path: input.path.clone(), start, end, text })
    };
    let related = d.related.iter().filter_map(|(place, text)| spot(place, text));
    let fixes = d.fixes.iter().map(|m| match report::line(sources, d, &m.line) {
        line if line.is_empty() => m.text.clone(),
        line => format!("{}: {line}", m.text),
    });
    Finding {
        code: d.code.to_string(),
        severity: d.severity,
        message: d.message.clone(),
        more: d.why.iter().cloned().chain(fixes).collect(),
        spots: spot(&d.place, &d.label).into_iter().chain(related).collect(),
        steps: Vec::new(),
    }
}
