//! What berthc has to say about a spec: plain data, rendered elsewhere.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::code::Code;

/// A stretch of one source text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// Index of the source among the inputs of this compile.
    pub source: usize,
    /// First byte.
    pub start: usize,
    /// First byte after.
    pub end: usize,
}

impl Place {
    /// Of a fault that stands in no source.
    pub const NOWHERE: Self = Self { source: usize::MAX, start: 0, end: 0 };

    /// The place `start..end` of source number `source`.
    pub fn new(source: usize, start: usize, end: usize) -> Self {
        Self { source, start, end: end.max(start) }
    }
}

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is written.
    Error,
    /// Files are written; something deserves a look.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One way out: what to do, and the line to write if there is one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fix {
    /// What to do, in words.
    pub text: String,
    /// The line to write, as it would stand in a YAML spec; empty when words are all.
    pub line: String,
}

/// One fault or gap, with its places and its fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How grave it is.
    pub severity: Severity,
    /// A code of the catalogue, or the name of a gap.
    pub code: Cow<'static, str>,
    /// What is wrong, in one line.
    pub message: String,
    /// Where, and what stands there.
    pub place: Place,
    /// Text under the place; may be empty.
    pub label: String,
    /// Further places that belong to it.
    pub related: Vec<(Place, String)>,
    /// Why it matters.
    pub why: Vec<String>,
    /// Ways out, best first.
    pub fixes: Vec<Fix>,
}

/// Whether an error is among `all`.
pub fn failed(all: &[Diagnostic]) -> bool {
    all.iter().any(|d| d.severity == Severity::Error)
}

impl Diagnostic {
    /// An error of the catalogue.
    pub fn error(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Cow::Borrowed(code.as_str()), place, message)
    }

    /// A warning of the catalogue.
    pub fn warning(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Cow::Borrowed(code.as_str()), place, message)
    }

    /// A gap: something that a target cannot hold or express; `name` is its code.
    pub fn gap(name: String, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Cow::Owned(name), place, message)
    }

    fn new(severity: Severity, code: Cow<'static, str>, place: Place, message: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            message: message.into(),
            place,
            label: String::new(),
            related: Vec::new(),
            why: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// Puts `text` under the place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Adds a second place with its text.
    #[must_use]
    pub fn related(mut self, place: Place, text: impl Into<String>) -> Self {
        self.related.push((place, text.into()));
        self
    }

    /// Says why it matters.
    #[must_use]
    pub fn why(mut self, text: impl Into<String>) -> Self {
        self.why.push(text.into());
        self
    }

    /// Offers a way out with the line to write.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>, line: impl Into<String>) -> Self {
        self.fixes.push(Fix { text: text.into(), line: line.into() });
        self
    }

    /// Offers a way out in words.
    #[must_use]
    pub fn advice(self, text: impl Into<String>) -> Self {
        self.fix(text, "")
    }
}

/// Puts diagnostics in order of their places, drops repeats, and gathers those of one cause
/// (same code, message and fixes in one source) under the first of them.
pub fn settle(mut all: Vec<Diagnostic>) -> Vec<Diagnostic> {
    all.sort_by(|a, b| {
        (a.place, &a.code, &a.message, &a.related).cmp(&(b.place, &b.code, &b.message, &b.related))
    });
    all.dedup();
    let mut kept: Vec<Diagnostic> = Vec::with_capacity(all.len());
    let mut first: std::collections::BTreeMap<_, usize> = std::collections::BTreeMap::new();
    for d in all {
        let cause = (d.place.source, d.severity, d.code.clone(), d.message.clone(), d.fixes.clone());
        match first.get(&cause) {
            Some(&at) => {
                let label = if d.label.is_empty() { "and here".to_owned() } else { d.label };
                if d.place != kept[at].place && !kept[at].related.iter().any(|r| r.0 == d.place) {
                    kept[at].related.push((d.place, label));
                }
            }
            None => {
                first.insert(cause, kept.len());
                kept.push(d);
            }
        }
    }
    kept
}
