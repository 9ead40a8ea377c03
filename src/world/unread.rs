//! The parts of files that no reader understands.

use std::fmt;

use serde::Serialize;

use crate::finding::At;

/// A part of a file that the reader does not understand. It is listed, never guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// The place.
    pub at: At,
    /// What it is, and what is assumed instead, or why it is not searched.
    pub what: String,
    /// The effect on the result.
    pub kind: UnreadKind,
    /// How to have it searched too; empty if there is no way.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fix: String,
}

/// The effect on the result of a part that is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnreadKind {
    /// It may hold data and was not searched. The exit code shows this.
    NotSearched,
    /// A directory inside a directory of another workload, which is assumed to be separate.
    Nested,
    /// A part of the text is left out, because it is not YAML or a key appears twice.
    Malformed,
    /// Something else is assumed, and the search depends on that.
    Assumed,
}

impl fmt::Display for Unread {
    /// Writes what it is, with the assumption that replaces it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if self.kind == UnreadKind::Nested {
            f.write_str(": treated as a separate directory")
        } else {
            Ok(())
        }
    }
}

impl Unread {
    /// Makes a part for text that is ignored.
    pub fn malformed(at: At, what: impl Into<String>) -> Self {
        Self { kind: UnreadKind::Malformed, ..Self::assumed(at, what) }
    }

    /// Makes a part for which something else is assumed.
    pub fn assumed(at: At, what: impl Into<String>) -> Self {
        Self { at, what: what.into(), kind: UnreadKind::Assumed, fix: String::new() }
    }

    /// Makes a part that may hold data and is not searched. `fix` says how to search it.
    pub fn not_searched(at: At, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { at, what: what.into(), kind: UnreadKind::NotSearched, fix: fix.into() }
    }
}
