//! What is asked of a service again and again: its pin, its lock, where its members may run.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Members, Pin, Service, Swarm, Workload};

/// A service that runs on Swarm.
#[derive(Clone, Copy)]
pub struct SwarmService<'a> {
    /// Its spec.
    pub service: &'a Service,
    /// What it runs.
    pub workload: &'a Workload,
    /// Its settings for Swarm.
    pub swarm: &'a Swarm,
    /// Who waits for its names as it waits for theirs, see [`super::dns_cycles::DnsCycles::circle`];
    /// known only of what is planned.
    pub cycle: Option<&'a [String]>,
}

impl<'a> SwarmService<'a> {
    /// `None` for external services and for those that are not compiled for Swarm.
    pub fn of(service: &'a Service) -> Option<Self> {
        let swarm = service.targets.swarm.as_ref()?;
        service.workload().map(|workload| Self { service, workload, swarm, cycle: None })
    }

    /// What holds each member to one node.
    pub fn pin(&self) -> Option<&'a Pin> {
        self.workload.pin().or(self.swarm.pin.as_ref())
    }

    /// The port that no two tasks of one node can publish: the scheduler and docker's port
    /// allocator count it until the old task has stopped (swarmkit
    /// `manager/scheduler/nodeinfo.go`).
    pub fn lock(&self) -> Option<u16> {
        self.swarm.lock.or_else(|| self.workload.ports.first().map(|(_, port)| *port))
    }

    /// Ports published on the node: on an overlay network only the lock, as each further one
    /// would expose the member; on the node's network all, as they are taken there anyway. The lock
    /// stands first.
    pub fn published(&self) -> Vec<u16> {
        let mut all: Vec<u16> = self.lock().into_iter().collect();
        for (_, port) in self.workload.ports.iter().filter(|_| self.workload.node_network) {
            if !all.contains(port) {
                all.push(*port);
            }
        }
        all
    }

    /// `service-id`, or `service-revision` for one per node.
    pub fn name(&self, id: Option<u32>) -> String {
        match id {
            Some(id) => format!("{}-{id}", self.service.name),
            None => self.service.full_name(),
        }
    }

    /// The members to make: one for each id, or one that Swarm makes on every node.
    pub fn ids(&self) -> Vec<Option<u32>> {
        match self.workload.members {
            Members::PerNode { .. } => vec![None],
            Members::Counted { .. } => self.workload.ids().map(Some).collect(),
        }
    }

    /// Node labels that decide where member `id` may run, each with its value.
    pub fn demands(&self, id: Option<u32>) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        if let Members::PerNode { on, .. } = &self.workload.members {
            all.extend(on.iter().cloned());
            if let Some(revision) = &self.service.revision {
                all.push((self.revision_label(), revision.clone()));
            }
        }
        if let Some(id) = id {
            all.extend(self.pin().map(|pin| (pin.label.clone(), id.to_string())));
            let index = (id - self.workload.ids().start) as usize;
            for (_, volume) in self.workload.volumes() {
                let zone = volume.zone(index).map(|zone| ("zone".to_owned(), zone.to_owned()));
                all.extend(zone.filter(|z| !all.contains(z)));
            }
        }
        all
    }

    /// The label that tells the nodes of one revision from those of another.
    pub fn revision_label(&self) -> String {
        format!("{}-revision", self.service.name)
    }

    /// Every value that a node of some member may have, by label; values of constraints know no
    /// case (swarmkit `manager/constraint/constraint.go`).
    fn nodes(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (label, value) in self.ids().into_iter().flat_map(|id| self.demands(id)) {
            all.entry(label).or_default().insert(value.to_ascii_lowercase());
        }
        all
    }

    /// Whether no node can carry a member of both: some label has other values for each.
    pub fn disjoint(&self, other: &SwarmService<'_>) -> bool {
        let theirs = other.nodes();
        self.nodes()
            .iter()
            .any(|(label, mine)| theirs.get(label).is_some_and(|values| mine.is_disjoint(values)))
    }

    /// Whether a check would keep members from finding each other.
    pub fn hides_names(&self) -> bool {
        self.cycle.is_some()
    }

    /// Whether the operator's own check stands among the raw additions.
    pub fn own_check(&self) -> bool {
        self.swarm.service.contains_key("healthcheck")
    }
}
