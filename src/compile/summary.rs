//! The summary of a service: enough to tell which other services it can meet. It stays in memory
//! while other batches compile; the spec itself does not.

use serde_json::Value;

use crate::input::Digest;
use crate::model::check::{Placement, ancestors};
use crate::model::{Fleet, Kubernetes, Service, Swarm, Targets, Workload};
use crate::plan::context::key;
use crate::plan::names;
use crate::plan::swarm::AwaitsNames;

/// The names, directories, ports and ids that a service claims, and the services that it names.
#[derive(Debug)]
pub struct Summary {
    /// The index of its spec.
    pub spec: usize,
    /// The name of the service.
    pub name: String,
    /// The revision, if it has one.
    pub revision: Option<String>,
    /// The digest of all its inputs, see [`Service::digest`].
    pub digest: Digest,
    /// The services that its values name with `peers()`.
    pub peers: Vec<String>,
    /// Which names it waits for on Swarm before its check passes.
    pub waits: Option<AwaitsNames>,
    /// The id space of its numbered members.
    pub space: Option<String>,
    /// The nodes and ports of its members; `None` for an external service.
    pub placement: Option<Placement>,
    /// The keys of the names and host directories that it claims.
    pub claimed: Vec<u64>,
    /// The keys of all parent directories of these, the root included.
    pub ancestors: Vec<u64>,
    /// All strings in its raw additions.
    pub raw: Vec<String>,
}

impl Summary {
    /// Makes the summary of `service`, whose spec has the index `spec`.
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

    /// Returns the services that it names in `peers()` or `apart_from`.
    pub fn mentions(&self) -> impl Iterator<Item = &str> {
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

/// Returns the key of a service's name.
pub fn named(name: &str) -> u64 {
    key(("service", name))
}

/// Returns the key of a host directory. `path` has no trailing slash; the root is empty.
pub fn directory(path: &str) -> u64 {
    key(("directory", path))
}

/// Returns all strings in the raw additions of a service. The settings are destructured without
/// `..`: a service that a new raw addition names must be compiled in the same batch.
fn raw(service: &Service) -> Vec<String> {
    let Targets { kubernetes, fleet, swarm } = &service.targets;
    let mut open: Vec<&Value> = Vec::new();
    if let Some(Kubernetes {
        pod,
        container,
        service,
        annotations: _,
        version: _,
        namespace: _,
        one_pod: _,
        network_policy: _,
        clients: _,
        service_account: _,
    }) = kubernetes
    {
        open.extend([pod, container, service].into_iter().flat_map(|raw| raw.values()));
    }
    if let Some(Swarm { service, engine: _, network: _, pin: _, lock: _, csi: _ }) = swarm {
        open.extend(service.values());
    }
    let mut all: Vec<String> = Vec::new();
    if let Some(Fleet { unit, version: _, domain: _, pin: _, docker: _ }) = fleet {
        let options = unit.iter().flat_map(|section| &section.options);
        all.extend(options.flat_map(|(_, values)| values).cloned());
    }
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
