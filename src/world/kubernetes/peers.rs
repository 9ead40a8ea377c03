//! Whom a selector selects among the workloads of the files.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::workload::Read;
use crate::world::{Selector, Term};

/// Most comparisons of a selector with a workload's labels.
const STEPS: usize = 2_000_000;

/// The workloads, to be asked for by labels.
pub(super) struct Peers<'r, 'd> {
    pub reads: &'r [Read<'d>],
    by_label: BTreeMap<(&'r str, &'r str), Vec<usize>>,
    steps: Cell<usize>,
}

impl<'r, 'd> Peers<'r, 'd> {
    pub(super) fn new(reads: &'r [Read<'d>]) -> Self {
        let mut by_label: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (i, read) in reads.iter().enumerate() {
            for (key, value) in &read.pod.labels {
                by_label.entry((key.as_str(), value.as_str())).or_default().push(i);
            }
        }
        Self { reads, by_label, steps: Cell::new(0) }
    }

    /// Whether the bound was hit, so that some questions found nobody.
    pub(super) fn tired(&self) -> bool {
        self.steps.get() > STEPS
    }

    /// Those whose pods `selector` selects in `namespaces` (`None`: in all), in order.
    pub(super) fn selected<'s>(
        &'s self,
        selector: &'s Selector,
        namespaces: Option<&'s [String]>,
    ) -> impl Iterator<Item = usize> + 's {
        let exact = selector.terms.iter().find_map(|term| match term {
            Term::In(key, values) => Some((key, values)),
            _ => None,
        });
        let candidates: Vec<usize> = match exact {
            Some((key, values)) => {
                let of = values.iter().filter_map(|v| self.by_label.get(&(key.as_str(), v.as_str())));
                let mut all: Vec<usize> = of.flatten().copied().collect();
                all.sort_unstable();
                all.dedup();
                all
            }
            None => (0..self.reads.len()).collect(),
        };
        candidates.into_iter().take_while(|_| !self.tired()).filter(move |i| {
            self.steps.set(self.steps.get() + 1);
            let read = &self.reads[*i];
            let there = namespaces.is_none_or(|all| all.contains(&read.workload.scope));
            there && selector.selects(&read.pod.labels)
        })
    }
}
