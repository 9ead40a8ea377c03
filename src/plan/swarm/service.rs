//! A service on Swarm, with its pin, its lock and the nodes of its members.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::Code;
use crate::model::check::value_fault;
use crate::model::{Members, Pin, Service, Socket, Swarm, Workload};
use crate::plan::context::Context;
use crate::spec::source::Route;
use crate::value::{Fault, Run, Text};

/// A service that runs on Swarm.
#[derive(Clone, Copy)]
pub struct SwarmService<'a> {
    /// The spec.
    pub service: &'a Service,
    /// The workload.
    pub workload: &'a Workload,
    /// The settings for Swarm.
    pub swarm: &'a Swarm,
    /// The other services that wait for its names while it waits for theirs, see
    /// [`super::dns_cycles::DnsCycles::cycle`]. It is set only for the services being planned.
    pub cycle: Option<&'a [String]>,
}

impl<'a> SwarmService<'a> {
    /// Makes the Swarm service of `service`; `None` for external services and for services without
    /// Swarm among their targets.
    pub fn of(service: &'a Service) -> Option<Self> {
        let swarm = service.targets.swarm.as_ref()?;
        service.workload().map(|workload| Self { service, workload, swarm, cycle: None })
    }

    /// Returns the pin of the members on Swarm.
    pub fn pin(&self) -> Option<&'a Pin> {
        self.workload.pin().or(self.swarm.pin.as_ref())
    }

    /// Returns the port that locks the node of a member.
    pub fn lock(&self) -> Option<Socket> {
        self.swarm.lock_of(self.workload)
    }

    /// Returns the ports published on the node, the lock first. On an overlay network this is only
    /// the lock, because each further port would expose the member. On the node's network it is all
    /// ports, because the member uses them there anyway.
    pub fn published(&self) -> Vec<Socket> {
        let mut all: Vec<Socket> = self.lock().into_iter().collect();
        for port in self.workload.ports.iter().filter(|_| self.workload.node_network) {
            if !all.contains(&port.socket) {
                all.push(port.socket);
            }
        }
        all
    }

    /// Returns the service name: `service-id`, or `service-revision` for `per: node`.
    pub fn name(&self, id: Option<u32>) -> String {
        match id {
            Some(id) => format!("{}-{id}", self.service.name),
            None => self.service.full_name(),
        }
    }

    /// Returns the members to plan: one for each id, or one that Swarm runs on every node.
    pub fn ids(&self) -> Vec<Option<u32>> {
        match self.workload.members {
            Members::PerNode { .. } => vec![None],
            Members::Counted { .. } => self.workload.ids().map(Some).collect(),
        }
    }

    /// Returns the node labels that member `id` requires, each with its value.
    pub fn demands(&self, id: Option<u32>) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        if let Members::PerNode { on, .. } = &self.workload.members {
            all.extend(on.iter().cloned());
            if let Some(revision) = &self.service.revision {
                all.push((self.service.revision_label(), revision.clone()));
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

    /// Returns, for each label, every value that the node of some member may have. Swarm compares
    /// values without case (swarmkit `manager/constraint/constraint.go`).
    fn nodes(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (label, value) in self.ids().into_iter().flat_map(|id| self.demands(id)) {
            all.entry(label).or_default().insert(value.to_ascii_lowercase());
        }
        all
    }

    /// Returns whether no node can run members of both services, because they require different
    /// values of one label.
    pub fn disjoint(&self, other: &SwarmService<'_>) -> bool {
        let theirs = other.nodes();
        self.nodes()
            .iter()
            .any(|(label, mine)| theirs.get(label).is_some_and(|values| mine.is_disjoint(values)))
    }

    /// Returns whether a check would keep members from finding each other.
    pub fn hides_names(&self) -> bool {
        self.cycle.is_some()
    }

    /// Returns whether the raw additions contain a health check.
    pub fn own_check(&self) -> bool {
        self.swarm.service.contains_key("healthcheck")
    }

    /// Reports a value with the address of a member that has none.
    pub fn no_address(&self, context: &mut Context<'_>, value: &Text, route: &Route) {
        if value.runs().any(|run| run == Run::Address) && !self.workload.node_network {
            let message = "on an overlay network, a task of a global service has no name of its own";
            let fault = Fault::new(Code::AddressUnknown, message)
                .fix("use the node's network", "exclusive: { address: node }");
            context.fault(value_fault(fault, self.service.place(route)));
        }
    }
}
