//! A finding with lines and columns, for SARIF and GitHub annotations.

use berthc::diag::{Diagnostic, Place};
use berthc::spec::source::line_column;
use berthc::{Input, Severity};

use super::report;

/// A diagnostic, a finding of the search, or a file that differs.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The code, or the name of a gap.
    pub code: String,
    /// The severity.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// The reasons and the fixes, one line each.
    pub more: Vec<String>,
    /// The places, the main one first; empty if it belongs to no file.
    pub spots: Vec<Spot>,
    /// The story, step by step; may be empty.
    pub steps: Vec<Step>,
}

/// A range in a file.
#[derive(Debug, Clone)]
pub struct Spot {
    /// The path, as the caller gave it.
    pub path: String,
    /// The line and column of its start, from 1; columns count characters.
    pub start: (usize, usize),
    /// The line and column after its end.
    pub end: (usize, usize),
    /// The label; may be empty.
    pub text: String,
}

/// One step of a story.
#[derive(Debug, Clone)]
pub struct Step {
    /// What happens.
    pub text: String,
    /// The line that lets it happen, if one does.
    pub spot: Option<Spot>,
}

/// Converts `diagnostics` to findings; `sources` are the texts that their places point into.
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
    let fixes = d.fixes.iter().map(|fix| match report::written(sources, d, fix) {
        (text, line) if line.is_empty() => text,
        (text, line) => format!("{text}: {line}"),
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
