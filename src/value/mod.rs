//! Values of the spec: text with expressions. Only a small part of minijinja is allowed.
//!
//! Some facts are known only when a container runs: the ordinal of a StatefulSet's pod, the name of
//! a node. Such a fact is a *run-time part*. The value is rendered with a token in its place, so a
//! run-time part may only stand alone: `{{ member.id }}`. An expression that computes with it,
//! compares it or filters it is an error ([`Code::RuntimeArithmetic`]).

mod language;
mod render;
pub mod words;

use std::fmt;

use serde::{Serialize, Serializer};

use crate::code::Code;

pub use language::{Uses, each, is_plain, uses, uses_of_file};
pub use render::{Peer, Peers, SECRETS, Scope, Who, host_path, render, render_file};

/// The most bytes of one file for a container: a Swarm config holds 500 KiB, a ConfigMap 1 MiB in
/// total.
pub const MAX_FILE: usize = 500 << 10;

/// A fact that is known only when a container runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Run {
    /// The id of the member.
    Id,
    /// The name of the member, `service-id`.
    Name,
    /// The name of the node.
    Node,
    /// The address of the member.
    Address,
}

impl Run {
    /// All run-time parts.
    pub const ALL: [Self; 4] = [Self::Id, Self::Name, Self::Node, Self::Address];

    /// Returns the name in a spec.
    pub fn field(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Node => "node",
            Self::Address => "address",
        }
    }
}

/// A part of a rendered value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Literal text.
    Literal(String),
    /// A fact that is known at run time.
    Run(Run),
    /// The content of a secret.
    Secret(String),
}

/// A rendered value. Serialized, its run-time parts and secrets become marks: private characters
/// that no input may contain. Only the filters of [`crate::emit`] print them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub Vec<Part>);

const OPEN: char = '\u{F8F0}';
const CLOSE: char = '\u{F8F1}';
/// Ends each word of a loop that makes several.
const NEXT: char = '\u{F8F2}';

/// Returns whether no spec and no value may contain `c`: NUL, U+007F to U+009F (kustomize drops or
/// refuses some of them, also escaped), and the marks.
pub fn is_forbidden(c: char) -> bool {
    c == '\0' || ('\u{7f}'..='\u{9f}').contains(&c) || is_mark(c)
}

/// Returns whether `c` is a mark. Inputs with marks are refused.
pub fn is_mark(c: char) -> bool {
    c == OPEN || c == CLOSE || c == NEXT
}

/// Returns whether text contains a mark. No mark is ASCII.
pub fn has_mark(text: &str) -> bool {
    !text.is_ascii() && text.contains(is_mark)
}

impl Text {
    /// Makes a value of literal text.
    pub fn literal(text: impl Into<String>) -> Self {
        Self(vec![Part::Literal(text.into())])
    }

    /// Returns the text if it has no run-time part and no secret.
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns the run-time parts.
    pub fn runs(&self) -> impl Iterator<Item = Run> + '_ {
        self.0.iter().filter_map(|p| if let Part::Run(r) = p { Some(*r) } else { None })
    }

    /// Returns the names of the secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &str> + '_ {
        self.0.iter().filter_map(|p| if let Part::Secret(s) = p { Some(s.as_str()) } else { None })
    }

    /// Replaces `run` by `parts`.
    #[must_use]
    pub fn with(&self, run: Run, parts: &[Part]) -> Self {
        let mut out = Vec::new();
        for part in &self.0 {
            match part {
                Part::Run(r) if *r == run => out.extend_from_slice(parts),
                other => out.push(other.clone()),
            }
        }
        Self(out)
    }

    /// Parses text with marks.
    pub fn from_marked(text: &str) -> Self {
        if !has_mark(text) && !text.is_empty() {
            return Self::literal(text);
        }
        let mut parts = Vec::new();
        for (i, piece) in text.split(OPEN).enumerate() {
            let rest = match piece.split_once(CLOSE) {
                Some((mark, rest)) if i > 0 => {
                    parts.push(match Run::ALL.iter().find(|r| r.field() == mark) {
                        Some(run) => Part::Run(*run),
                        None => Part::Secret(mark.trim_start_matches('$').to_owned()),
                    });
                    rest
                }
                _ => piece,
            };
            if !rest.is_empty() {
                parts.push(Part::Literal(rest.to_owned()));
            }
        }
        Self(parts)
    }

    /// Returns the words of a text that [`each`] has made: those before each end of a word.
    pub fn words(&self) -> Vec<Self> {
        let (mut all, mut word) = (Vec::new(), Self::default());
        for part in &self.0 {
            let Part::Literal(text) = part else {
                word.0.push(part.clone());
                continue;
            };
            for (i, piece) in text.split(NEXT).enumerate() {
                if i > 0 {
                    all.push(std::mem::take(&mut word));
                }
                if !piece.is_empty() {
                    word.0.push(Part::Literal(piece.to_owned()));
                }
            }
        }
        all
    }

    /// Returns the text with marks.
    pub fn marked(&self) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.clone(),
                Part::Run(run) => token(*run),
                Part::Secret(name) => secret_token(name),
            })
            .collect()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.marked())
    }
}

fn token(run: Run) -> String {
    format!("{OPEN}{}{CLOSE}", run.field())
}

fn secret_token(name: &str) -> String {
    format!("{OPEN}${name}{CLOSE}")
}

/// The error of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The code.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The line to write, if there is one.
    pub fix: Option<(String, String)>,
}

impl Fault {
    /// Makes an error without a fix.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fix: None }
    }

    /// Adds a fix.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>, line: impl Into<String>) -> Self {
        self.fix = Some((text.into(), line.into()));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
