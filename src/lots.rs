//! Which services are planned, printed and searched together: those that may meet. Lots know
//! nothing of each other, so that they can be worked on side by side, and forgotten one by one.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::model::names::MAX_SERVICE;
use crate::model::{Model, Service};

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

    /// The smaller number stands for both.
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

/// The services of `model` by their index, each lot and all lots in order. In one lot are revisions,
/// services that keep apart, that claim one directory, and one whose raw additions speak of
/// another's directory or name.
pub fn of(model: &Model) -> Vec<Vec<usize>> {
    let services: Vec<&Service> = model.services().collect();
    let mut union = Union::new(services.len());
    let mut paths: BTreeMap<String, usize> = BTreeMap::new();
    let mut names: FxHashMap<&str, usize> = FxHashMap::default();
    for (i, service) in services.iter().enumerate() {
        union.join(*names.entry(&service.name).or_insert(i), i);
        let claimed = service.workload().into_iter().flat_map(|w| service.host_paths(w));
        for (path, ..) in claimed {
            union.join(*paths.entry(path).or_insert(i), i);
        }
    }
    for (i, service) in services.iter().enumerate() {
        for other in service.workload().iter().flat_map(|w| &w.apart_from) {
            names.get(other.as_str()).into_iter().for_each(|o| union.join(*o, i));
        }
        for text in raw(service) {
            for path in text.split([':', ',', '=', ' ']).filter(|p| p.starts_with('/')) {
                let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
                ends.filter_map(|end| paths.get(&path[..end])).for_each(|o| union.join(*o, i));
                let below = format!("{}/", path.trim_end_matches('/'));
                let inside = paths.range(below.clone()..).take_while(|(p, _)| p.starts_with(&below));
                inside.for_each(|(_, o)| union.join(*o, i));
            }
            for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
                parts(word).filter_map(|part| names.get(part)).for_each(|o| union.join(*o, i));
            }
        }
    }
    union.sets()
}

/// Whether raw additions of a service may take what no field of a spec names.
pub fn is_raw(service: &Service) -> bool {
    !raw(service).is_empty()
}

/// Every text in the raw additions of a service.
fn raw(service: &Service) -> Vec<&str> {
    let targets = &service.targets;
    let mut open: Vec<&Value> = Vec::new();
    if let Some(k) = &targets.kubernetes {
        open.extend([&k.pod, &k.container, &k.service].into_iter().flat_map(|raw| raw.values()));
    }
    open.extend(targets.swarm.iter().flat_map(|s| s.service.values()));
    let options = targets.fleet.iter().flat_map(|f| &f.unit).flat_map(|section| &section.options);
    let mut all: Vec<&str> = options.flat_map(|(_, values)| values).map(String::as_str).collect();
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => all.push(text),
            Value::Array(items) => open.extend(items),
            Value::Object(map) => {
                all.extend(map.keys().map(String::as_str));
                open.extend(map.values());
            }
            _ => {}
        }
    }
    all
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
