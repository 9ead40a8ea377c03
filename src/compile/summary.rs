//! What is kept of a service while others are worked on, so that memory does not grow with whole
//! specs: enough to say whom it may meet.

use serde_json::Value;

use crate::model::check::{Placement, ancestors};
use crate::model::{Service, Workload};
use crate::plan::context::key;
use crate::plan::names;
use crate::plan::swarm::AwaitsNames;
use crate::spec::source::Digest;

/// A service, without what only its own files are made of.
#[derive(Debug)]
pub struct Summary {
    /// Index of its spec.
    pub spec: usize,
    /// Its name.
    pub name: String,
    /// Its revision.
    pub revision: Option<String>,
    /// Stands for all that it is made from, see [`Service::digest`].
    pub digest: Digest,
    /// The services that its values name.
    pub peers: Vec<String>,
    /// Whether it waits for names on Swarm.
    pub waits: Option<AwaitsNames>,
    /// The id space of its numbered members.
    pub space: Option<String>,
    /// Where it runs; nowhere, if it is external.
    pub placement: Option<Placement>,
    /// Keys of the names and host directories that it takes.
    pub claimed: Vec<u64>,
    /// Keys of the directories around these, the root included.
    pub ancestors: Vec<u64>,
    /// Every text in its raw additions.
    pub raw: Vec<String>,
}

impl Summary {
    /// That of `service`, whose spec has the index `spec`.
    pub fn of(service: &Service, spec: usize) -> Self {
        let mut summary = Self {
            spec,
            name: service.name.clone(),
            revision: service.revision.clone(),
            digest: service.digest,
            peers: Vec::new(),
            waits: AwaitsNames::of(service),
            space: None,
            placement: None,
            claimed: vec![named(&service.name)],
            ancestors: Vec::new(),
            raw: raw(service),
        };
        names(service, |key| summary.claimed.push(key));
        if let Some(w) = service.workload() {
            summary.workload(service, w);
        }
        for keys in [&mut summary.claimed, &mut summary.ancestors] {
            keys.sort_unstable();
            keys.dedup();
            keys.shrink_to_fit();
        }
        summary
    }

    /// The services that it names.
    pub fn sees(&self) -> impl Iterator<Item = &str> {
        let apart_from = self.placement.iter().flat_map(|placement| &placement.apart_from);
        self.peers.iter().chain(apart_from).map(String::as_str)
    }

    fn workload(&mut self, service: &Service, w: &Workload) {
        self.peers = w.peers.iter().map(|(name, _)| name.clone()).collect();
        self.peers.sort();
        self.peers.dedup();
        self.space = w.id.clone().filter(|_| !w.per_node());
        self.placement = Some(Placement::of(service, w));
        for (path, ..) in service.host_paths(w) {
            self.claimed.push(directory(&path));
            self.ancestors.extend(ancestors(&path).chain([""]).map(directory));
        }
    }
}

/// The key of a service's name.
pub fn named(name: &str) -> u64 {
    key(("service", name))
}

/// The key of a directory of the node, without a slash at its end; the root is empty.
pub fn directory(path: &str) -> u64 {
    key(("directory", path))
}

/// Every text in the raw additions of a service.
fn raw(service: &Service) -> Vec<String> {
    let targets = &service.targets;
    let mut open: Vec<&Value> = Vec::new();
    if let Some(k) = &targets.kubernetes {
        open.extend([&k.pod, &k.container, &k.service].into_iter().flat_map(|raw| raw.values()));
    }
    open.extend(targets.swarm.iter().flat_map(|s| s.service.values()));
    let options = targets.fleet.iter().flat_map(|f| &f.unit).flat_map(|section| &section.options);
    let mut all: Vec<String> = options.flat_map(|(_, values)| values).cloned().collect();
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => all.push(text.clone()),
            Value::Array(items) => open.extend(items),
            Value::Object(map) => {
                all.extend(map.keys().cloned());
                open.extend(map.values());
            }
            _ => {}
        }
    }
    all
}
