//! Finds the workloads that a selector selects.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::workload::Read;
use crate::world::{Selector, Term};

/// The maximum number of comparisons of a selector with a workload's labels. Real files stay far below
/// it, because a selector is compared only with workloads that have its rarest label.
const STEPS: usize = 2_000_000;

/// The workloads, with an index by label.
pub(super) struct Peers<'r, 'd> {
    pub reads: &'r [Read<'d>],
    by_label: BTreeMap<(&'r str, &'r str), Vec<usize>>,
    by_scope: BTreeMap<&'r str, Vec<usize>>,
    /// The last version of each object.
    last: Vec<bool>,
    steps: Cell<usize>,
}

impl<'r, 'd> Peers<'r, 'd> {
    pub(super) fn new(reads: &'r [Read<'d>]) -> Self {
        let mut by_label: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        let mut by_scope: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (i, read) in reads.iter().enumerate() {
            by_scope.entry(read.workload.scope.as_str()).or_default().push(i);
            for (key, value) in &read.pod.labels {
                by_label.entry((key.as_str(), value.as_str())).or_default().push(i);
            }
        }
        let mut names = BTreeSet::new();
        let new = |r: &Read<'_>| names.insert((r.workload.scope.clone(), r.workload.name.clone()));
        let mut last: Vec<bool> = reads.iter().rev().map(new).collect();
        last.reverse();
        Self { reads, by_label, by_scope, last, steps: Cell::new(0) }
    }

    /// Returns whether the files contain no later version of the same object.
    pub(super) fn is_last(&self, index: usize) -> bool {
        self.last[index]
    }

    /// Returns whether the maximum was reached. After that no workload is found, so a selector that
    /// finds none must not be reported.
    pub(super) fn tired(&self) -> bool {
        self.steps.get() > STEPS
    }

    /// Returns the workloads whose pods `selector` selects in `namespaces` (`None`: in all), in order.
    pub(super) fn selected<'s>(
        &'s self,
        selector: &'s Selector,
        namespaces: Option<&'s [String]>,
    ) -> impl Iterator<Item = usize> + 's {
        let candidates = self.candidates(selector, namespaces);
        candidates.into_iter().take_while(|_| !self.tired()).filter(move |i| {
            self.steps.set(self.steps.get() + 1);
            let read = &self.reads[*i];
            let there = namespaces.is_none_or(|all| all.contains(&read.workload.scope));
            there && selector.selects(&read.pod.labels)
        })
    }

    /// Returns the workloads of the condition with the fewest matches.
    fn candidates<'s>(&'s self, selector: &'s Selector, namespaces: Option<&'s [String]>) -> Vec<usize> {
        if self.tired() {
            return Vec::new();
        }
        let labelled = selector.terms.iter().filter_map(|term| match term {
            Term::In(key, values) => Some(
                values
                    .iter()
                    .filter_map(|v| self.by_label.get(&(key.as_str(), v.as_str())))
                    .collect::<Vec<_>>(),
            ),
            _ => None,
        });
        let scoped = namespaces
            .map(|all| all.iter().filter_map(|n| self.by_scope.get(n.as_str())).collect::<Vec<_>>());
        let lists = labelled.chain(scoped);
        let Some(narrowest) = lists.min_by_key(|lists| lists.iter().map(|l| l.len()).sum::<usize>()) else {
            return (0..self.reads.len()).collect();
        };
        let mut all: Vec<usize> = narrowest.into_iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
