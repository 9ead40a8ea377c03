//! The findings of the readers, and the parts that they do not understand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::accepts::Page;
use super::unread::Unread;
use super::workload::{Workload, World};
use crate::finding::{At, Finding, FindingId, Level, codes};

/// Collects findings and parts that are not understood, each once: the instances of a template, and
/// the services of one YAML anchor, share their text.
#[derive(Debug, Default)]
pub struct Found {
    /// The findings, in the order in which they are made.
    pub findings: Vec<Finding>,
    /// The parts that are not understood, in the order in which they are met.
    pub unread: Vec<Unread>,
    /// The files of which a whole document could not be read.
    pub lost: Vec<String>,
    /// The acceptances of each file that has one, by path.
    pub pages: BTreeMap<Arc<str>, Page>,
    reported: BTreeSet<(String, At)>,
}

impl Found {
    /// Adds a violation. The line to change comes first in `at`.
    pub fn violation(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        at: Vec<At>,
        fix: impl Into<String>,
    ) {
        self.finding((code, Level::Violation), message, at, fix);
    }

    /// Adds a violation of which the search may find the same: both have one cause and one fix.
    pub fn caused(
        &mut self,
        workload: &Workload,
        code: &'static str,
        message: String,
        at: Vec<At>,
        fix: impl Into<String>,
    ) {
        let before = self.findings.len();
        self.violation(code, message, at, fix);
        for finding in self.findings.iter_mut().skip(before) {
            finding.cause = Some(workload.at.place());
        }
    }

    /// Adds a finding that breaks nothing yet.
    pub fn note(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        at: Vec<At>,
        fix: impl Into<String>,
    ) {
        self.finding((code, Level::Note), message, at, fix);
    }

    /// Adds a finding, unless there is one with the same text at the same first place.
    pub fn finding(
        &mut self,
        (code, level): (&'static str, Level),
        message: impl Into<String>,
        at: Vec<At>,
        fix: impl Into<String>,
    ) {
        let (message, first) = (message.into(), at.first().cloned());
        if first.is_none_or(|at| self.reported.insert((format!("{code} {message}"), at))) {
            // `TARGET/RESOURCE/HAZARD` is a cell, as it is where the search finds it.
            let code = code.parse().unwrap_or(FindingId::Code(code));
            self.findings.push(Finding::new(code, level, message, at, fix.into()));
        }
    }

    /// Adds one note about all `things` that `name` refers to and that the files do not contain.
    pub fn outside(&mut self, name: &str, things: Vec<(String, At)>, fix: &str) {
        const SHOWN: usize = 12;
        let mut all: BTreeMap<String, At> = BTreeMap::new();
        for (thing, at) in things {
            all.entry(thing).or_insert(at);
        }
        let (names, mut at): (Vec<&str>, Vec<At>) =
            all.iter().map(|(n, at)| (n.as_str(), at.clone())).unzip();
        at.sort();
        let Some(count) = Some(names.len()).filter(|n| *n > 0) else { return };
        let more = match count.saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let what = if count == 1 { "a thing that is".to_owned() } else { format!("{count} things that are") };
        let list = names.into_iter().take(SHOWN).collect::<Vec<_>>().join(", ");
        let message = format!("{name} refers to {what} not among these files: {list}{more}");
        let before = self.findings.len();
        self.note(codes::OUTSIDE, message, at, fix);
        for finding in self.findings.iter_mut().skip(before) {
            name.clone_into(&mut finding.subject);
        }
    }

    /// Adds a part that is not understood, with the assumption that replaces it.
    pub fn unread(&mut self, at: At, what: impl Into<String>) {
        self.list(Unread::assumed(at, what));
    }

    /// Lists a part of the text that is left out.
    pub fn malformed(&mut self, at: At, what: impl Into<String>) {
        self.list(Unread::malformed(at, what));
    }

    /// Adds a part that may hold data and is not searched. `fix` says how to search it.
    pub fn not_searched(&mut self, at: At, what: impl Into<String>, fix: impl Into<String>) {
        self.list(Unread::not_searched(at, what, fix));
    }

    /// Makes a World of `workloads` and everything that was found.
    pub fn world(self, workloads: Vec<Workload>) -> World {
        let Self { findings, unread, lost, pages, reported: _ } = self;
        World { workloads, unread, lost, findings, pages, ..World::default() }
    }

    fn list(&mut self, unread: Unread) {
        if self.reported.insert((unread.what.clone(), unread.at.clone())) {
            self.unread.push(unread);
        }
    }
}
