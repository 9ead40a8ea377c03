//! What the reader gathers.

use std::collections::BTreeSet;

use crate::finding::{At, Finding, Level};
use crate::world::{Unread, World};

/// Findings and what is not understood, each once: the instances of a template share their text.
#[derive(Debug, Default)]
pub struct Found {
    /// In the order they were made.
    pub findings: Vec<Finding>,
    /// In the order they were met.
    pub unread: Vec<Unread>,
    said: BTreeSet<(String, At)>,
}

impl Found {
    /// Something that breaks the promise.
    pub fn violation(&mut self, code: &str, at: Vec<At>, message: String, fix: impl Into<String>) {
        self.finding(Level::Violation, code, at, message, fix.into());
    }

    /// Something that does not yet.
    pub fn note(&mut self, code: &str, at: Vec<At>, message: String, fix: impl Into<String>) {
        self.finding(Level::Note, code, at, message, fix.into());
    }

    fn finding(&mut self, level: Level, code: &str, at: Vec<At>, message: String, fix: String) {
        let first = at.first().cloned();
        if first.is_none_or(|at| self.said.insert((format!("{code} {message}"), at))) {
            self.findings.push(Finding { code: code.into(), level, message, at, story: Vec::new(), fix });
        }
    }

    /// Something that is not understood.
    pub fn unread(&mut self, at: At, what: impl Into<String>) {
        self.add(Unread::assumed(at, what));
    }

    /// Something that may hold data and is not searched; `fix` says how it can be.
    pub fn not_searched(&mut self, at: At, what: impl Into<String>, fix: impl Into<String>) {
        self.add(Unread::not_searched(at, what, fix));
    }

    fn add(&mut self, unread: Unread) {
        if self.said.insert((unread.what.clone(), unread.at.clone())) {
            self.unread.push(unread);
        }
    }

    /// Hands all over.
    pub fn into(self, world: &mut World) {
        world.findings.extend(self.findings);
        world.unread.extend(self.unread);
    }
}
