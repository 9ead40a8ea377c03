//! Groups services into batches: the connected components of "can compete for one resource".
//! Batches are independent, so they compile in parallel and are dropped one by one.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::summary::{Summary, directory, named};
use crate::model::check::{on_ids, on_nodes};
use crate::target::Target;
use crate::text::names::{MAX_PATH, MAX_SERVICE};

/// Disjoint sets of numbers (union-find).
pub struct Union(Vec<usize>);

impl Union {
    /// Makes `count` sets of one number each.
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

    /// Joins the sets of `a` and `b`. The smaller root represents both.
    pub fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }

    /// Returns the sets and their numbers in ascending order.
    pub fn sets(mut self) -> Vec<Vec<usize>> {
        let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for i in 0..self.0.len() {
            sets.entry(self.root(i)).or_default().push(i);
        }
        sets.into_values().collect()
    }
}

/// Returns the batches as indices into `all`, in ascending order. One batch holds the revisions of
/// a service, services that name each other in `apart_from`, services that can share a name, directory,
/// port or id, and services whose raw additions mention the directory or name of another.
pub fn of(all: &[Summary]) -> Vec<Vec<usize>> {
    let mut union = Union::new(all.len());
    // The services that claim each name and directory, by key.
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
    // Two services meet in nested directories if they can run on one node.
    let ancestors = placements.iter().flat_map(|(_, summary, _)| &summary.ancestors).copied();
    let outer: BTreeSet<u64> = ancestors.filter(|key| claimant(*key).is_some()).collect();
    let directories = placements.iter().flat_map(|(i, summary, placement)| {
        let own = summary.claimed.iter().chain(&summary.ancestors).filter(|key| outer.contains(key));
        own.flat_map(|key| Target::ALL.map(|target| (target, *key, *placement, *i)))
    });
    on_nodes(directories, |_, _, a, b| union.join(*a, *b));
    // The services whose raw additions mention a directory, by its key.
    let mut mentioned: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
    for (i, summary) in all.iter().enumerate() {
        let mut meet = |key| claimant(key).into_iter().for_each(|other| union.join(other, i));
        let apart_from = summary.placement.iter().flat_map(|placement| &placement.apart_from);
        apart_from.for_each(|name| meet(named(name)));
        for text in &summary.raw {
            for path in text.split([':', ',', '=', ' ']).filter(|p| p.starts_with('/')) {
                let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
                // A directory was checked with an id of one digit; longer ids make it longer.
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
            // These services are in one batch now, so one of them stands for all.
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

/// Returns each sequence of dash-separated parts that can be the name of a service. The names of
/// volumes and claims contain the name of their service.
fn parts(word: &str) -> impl Iterator<Item = &str> {
    let starts = std::iter::once(0).chain(word.match_indices('-').map(|(at, _)| at + 1));
    starts.map(|from| &word[from..]).filter(|rest| !rest.starts_with('-')).flat_map(|rest| {
        let ends = rest.match_indices('-').map(|(at, _)| at).chain([rest.len()]);
        ends.take_while(|end| *end <= MAX_SERVICE).map(|end| &rest[..end])
    })
}
