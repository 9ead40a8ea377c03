//! Diagnostics about a spec, as plain data. The command line renders them.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::code::Code;
use crate::finding::codes;

/// A range of bytes in one source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// The index of the source text.
    pub source: usize,
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Place {
    /// The place of a diagnostic that belongs to no source text.
    pub const NOWHERE: Self = Self { source: usize::MAX, start: 0, end: 0 };

    /// Makes the place `start..end` in source number `source`.
    pub fn new(source: usize, start: usize, end: usize) -> Self {
        Self { source, start, end: end.max(start) }
    }
}

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// berthc writes no files.
    Error,
    /// berthc writes the files; the user should look at this.
    Warning,
    /// berthc writes the files; they could be better.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// A way to fix a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fix {
    /// What to do, in words. With "in place of", the line replaces a block; else it adds to it.
    pub text: String,
    /// The line to write in the spec (YAML); empty if there is none.
    pub line: String,
}

/// One error, warning or gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The severity.
    pub severity: Severity,
    /// The code from the catalogue, or the name of a gap.
    pub code: Cow<'static, str>,
    /// What is wrong, in one line.
    pub message: String,
    /// The place in the source text.
    pub place: Place,
    /// The label under the place; may be empty.
    pub label: String,
    /// Related places, each with its label.
    pub related: Vec<(Place, String)>,
    /// The names of the other gaps of the same cause.
    pub also: Vec<String>,
    /// Why it matters.
    pub why: Vec<String>,
    /// The fixes, best first.
    pub fixes: Vec<Fix>,
}

/// Returns the codes that a note can have.
pub fn note_codes() -> impl Iterator<Item = &'static str> {
    Code::NOTES.iter().map(|code| code.as_str()).chain(codes::ALL)
}

/// Returns whether `all` contains an error.
pub fn failed(all: &[Diagnostic]) -> bool {
    all.iter().any(|d| d.severity == Severity::Error)
}

impl Diagnostic {
    /// Makes an error.
    pub fn error(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, Cow::Borrowed(code.as_str()), place, message)
    }

    /// Makes a warning.
    pub fn warning(code: Code, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, Cow::Borrowed(code.as_str()), place, message)
    }

    /// Makes a note. `code` is a code of the catalogue or of a finding.
    pub fn note(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, Cow::Borrowed(code), place, message)
    }

    /// Makes an error for a gap: something that a target cannot protect or express. `name` is its
    /// code.
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
            also: Vec::new(),
            why: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// Sets the label under the place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Adds a related place with its label.
    #[must_use]
    pub fn related(mut self, place: Place, text: impl Into<String>) -> Self {
        self.related.push((place, text.into()));
        self
    }

    /// Adds a reason.
    #[must_use]
    pub fn why(mut self, text: impl Into<String>) -> Self {
        self.why.push(text.into());
        self
    }

    /// Adds a fix with the line to write.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>, line: impl Into<String>) -> Self {
        self.fixes.push(Fix { text: text.into(), line: line.into() });
        self
    }

    /// Adds a fix in words only.
    #[must_use]
    pub fn advice(self, text: impl Into<String>) -> Self {
        self.fix(text, "")
    }
}

/// Sorts diagnostics by place, removes duplicates, and merges those with the same code, message and
/// fixes in one source into the first of them.
pub fn merge_duplicates(mut all: Vec<Diagnostic>) -> Vec<Diagnostic> {
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
