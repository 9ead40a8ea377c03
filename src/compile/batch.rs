//! Which services are planned, printed and searched together: those that may meet. Lots know
//! nothing of each other, so that they can be worked on side by side, and forgotten one by one.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::summary::{Summary, directory, named};
use crate::model::check::{on_ids, on_nodes};
use crate::model::names::{MAX_PATH, MAX_SERVICE};
use crate::target::Target;

/// Sets of numbers that are joined pair by pair.
pub struct Union(Vec<usize>);

impl Union {
    /// Each of `count` numbers alone.
    pub fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    /// The smaller number placements for both.
    pub fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }

    /// The sets in order, each in order.
    pub fn sets(mut self) -> Vec<Vec<usize>> {
        let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for i in 0..self.0.len() {
            sets.entry(self.root(i)).or_default().push(i);
        }
        sets.into_values().collect()
    }
}

/// The services of `all` by their index, each batch and all batches in order. In one batch are revisions,
/// services that keep apart, and all that may have one name, directory, port or id; and one whose
/// raw additions speak of another's directory or name.
pub fn of(all: &[Summary]) -> Vec<Vec<usize>> {
    let mut union = Union::new(all.len());
    // Who takes what, by its key.
    let mut claimants: Vec<(u64, usize)> = Vec::with_capacity(all.iter().map(|o| o.claimed.len()).sum());
    for (i, summary) in all.iter().enumerate() {
        claimants.extend(summary.claimed.iter().map(|key| (*key, i)));
    }
    claimants.sort_unstable();
    claimants.windows(2).filter(|two| two[0].0 == two[1].0).for_each(|two| union.join(two[0].1, two[1].1));
    let claimant = |key| {
        let at = claimants.partition_point(|(k, _)| *k < key);
        claimants.get(at).filter(|(k, _)| *k == key).map(|(_, i)| *i)
    };
    let placements: Vec<_> = all
        .iter()
        .enumerate()
        .filter_map(|(i, summary)| Some((i, summary, summary.placement.as_ref()?)))
        .collect();
    // A directory inside a claimed one belongs to both, on nodes that may be the same.
    let ancestors = placements.iter().flat_map(|(_, summary, _)| &summary.ancestors).copied();
    let outer: BTreeSet<u64> = ancestors.filter(|key| claimant(*key).is_some()).collect();
    let directories = placements.iter().flat_map(|(i, summary, placement)| {
        let own = summary.claimed.iter().chain(&summary.ancestors).filter(|key| outer.contains(key));
        own.flat_map(|key| Target::ALL.map(|target| (target, *key, *placement, *i)))
    });
    on_nodes(directories, |_, _, a, b| union.join(*a, *b));
    // The directories that raw additions speak of.
    let mut mentioned: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
    for (i, summary) in all.iter().enumerate() {
        let mut meet = |key| claimant(key).into_iter().for_each(|other| union.join(other, i));
        let apart_from = summary.placement.iter().flat_map(|placement| &placement.apart_from);
        apart_from.for_each(|name| meet(named(name)));
        for text in &summary.raw {
            for path in text.split([':', ',', '=', ' ']).filter(|p| p.starts_with('/')) {
                let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
                // Ids may make a directory longer than it was when it was judged, with one digit.
                ends.take_while(|end| *end <= 2 * MAX_PATH).for_each(|end| meet(directory(&path[..end])));
                let mentioning = mentioned.entry(directory(path.trim_end_matches('/'))).or_default();
                mentioning.extend(Some(i).filter(|i| mentioning.last() != Some(i)));
            }
            for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
                parts(word).for_each(|part| meet(named(part)));
            }
        }
    }
    for (i, summary) in all.iter().enumerate() {
        for key in &summary.ancestors {
            let Some(mentioning) = mentioned.get_mut(key) else { continue };
            mentioning.iter().for_each(|other| union.join(*other, i));
            // They are in one batch now: one placements for all.
            mentioning.truncate(1);
        }
    }
    let ids = placements
        .iter()
        .filter_map(|(i, summary, placement)| Some((summary.space.as_deref()?, placement.ids.clone(), *i)));
    on_ids(ids, |_, (_, a), (_, b)| union.join(*a, *b));
    let ports = placements
        .iter()
        .flat_map(|(i, _, placement)| placement.ports.iter().map(|(t, p)| (*t, *p, *placement, *i)));
    on_nodes(ports, |_, _, a, b| union.join(*a, *b));
    union.sets()
}

/// Every run of the parts between dashes that is not longer than a service's name may be: names of
/// volumes and claims hold that of their service.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let starts = std::iter::once(0).chain(word.match_indices('-').map(|(at, _)| at + 1));
    starts.map(|from| &word[from..]).filter(|rest| !rest.starts_with('-')).flat_map(|rest| {
        let ends = rest.match_indices('-').map(|(at, _)| at).chain([rest.len()]);
        ends.take_while(|end| *end <= MAX_SERVICE).map(|end| &rest[..end])
    })
}
