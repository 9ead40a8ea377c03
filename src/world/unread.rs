//! What no reader understands.

use std::fmt;

use serde::Serialize;

use crate::finding::At;

/// Something in a file that the reader does not understand: listed, never guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Where.
    pub at: At,
    /// What it is, and what is taken for true instead, or why it is not searched.
    pub what: String,
    /// What it means for the answer.
    pub kind: UnreadKind,
    /// What to do, so that it is searched too; empty where there is nothing to do.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fix: String,
}

/// What something that is not understood means for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnreadKind {
    /// It may hold data, and nobody searched it: the exit code says so.
    NotSearched,
    /// A directory that lies in one of another workload, taken for another one.
    Nested,
    /// A part of the text itself is left out: it is not YAML, or a key stands twice.
    Malformed,
    /// Something else is taken for true, and the search is as good as that.
    Assumed,
}

impl fmt::Display for Unread {
    /// What it is, with what is taken for true instead.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if self.kind == UnreadKind::Nested { f.write_str(": taken for another directory") } else { Ok(()) }
    }
}

impl Unread {
    /// A part of the text that is left out.
    pub fn malformed(at: At, what: impl Into<String>) -> Self {
        Self { kind: UnreadKind::Malformed, ..Self::assumed(at, what) }
    }

    /// Something that is taken for something else.
    pub fn assumed(at: At, what: impl Into<String>) -> Self {
        Self { at, what: what.into(), kind: UnreadKind::Assumed, fix: String::new() }
    }

    /// Something that may hold data and is not searched; `fix` says how it can be.
    pub fn not_searched(at: At, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { at, what: what.into(), kind: UnreadKind::NotSearched, fix: fix.into() }
    }
}
