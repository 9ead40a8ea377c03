//! The mechanisms that must protect a cell, and the facts of a spec that decide on them.

use crate::backend::Fences;
use crate::mechanism::Mechanism;
use crate::model::{Model, Service, Workload};
use crate::target::Target;

/// One way in which a hazard brings a second container, and the mechanisms that each prevent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Where or how: `on the node itself`.
    pub how: &'static str,
    /// The mechanisms that prevent it, each alone; none if nothing can.
    pub any: Vec<&'static Mechanism>,
    /// Whether the cell names them. A precondition of all other mechanisms is named only if it is
    /// missing.
    pub named: bool,
}

/// The second container is on the node of the first.
pub const HERE: &str = "two on one node";
/// The controller of the first container is deleted and created again at once.
pub const AGAIN: &str = "deleted and made again";
/// The second container is on another node.
pub const ELSEWHERE: &str = "two on two nodes";
/// The disk is not mounted, or holds no data yet.
pub const EMPTY: &str = "a start without its data";
/// The data belongs to another member.
pub const OTHER: &str = "a start on another's data";
/// Another service has the same path, number or name.
pub const SAME: &str = "another service with the same";

/// Makes a way that each mechanism of `any` prevents.
pub fn way(how: &'static str, any: impl IntoIterator<Item = &'static Mechanism>) -> Way {
    Way { how, any: any.into_iter().collect(), named: true }
}

/// Makes a precondition of a cell: without a mechanism of `any`, the other mechanisms protect nothing.
pub fn rests_on(how: &'static str, any: impl IntoIterator<Item = &'static Mechanism>) -> Way {
    Way { named: false, ..way(how, any) }
}

/// What must protect one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// Each of these ways must be prevented. A way that the text prevents with fewer mechanisms is
    /// a note, a way that it does not prevent is a gap.
    Held(Vec<Way>),
    /// The hazard cannot happen, for this reason.
    Never(&'static str),
    /// Whatever protects the data (or the right to write) of the member also protects this resource,
    /// because the member cannot start without its data.
    AsData,
}

/// The facts of a spec on one target that the table depends on.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// The spec.
    pub service: &'a Service,
    /// Its members.
    pub workload: &'a Workload,
    /// Whether there is one member on each node.
    pub per_node: bool,
    /// Whether its members are pinned to nodes on this target.
    pub pinned: bool,
    /// Whether a label or metadata decides where a member runs.
    pub placed: bool,
    /// Where its data is. If some of it is on the node, this decides also for volumes on the network.
    pub data: Where,
    /// Whether it has a volume on the network in addition to data on the node.
    pub beside: bool,
    /// Whether it uses the network of the node.
    pub node_network: bool,
    /// Whether the process locks its directory.
    pub guard: bool,
    /// Whether there are several revisions, or one with a name.
    pub revisions: bool,
    /// Whether all revisions that share a directory also share the first one, after which names and
    /// locks are made.
    pub one_first: bool,
    /// Whether every revision takes the lock, on the same directory.
    pub one_lock: bool,
}

/// Where data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// No data.
    Nowhere,
    /// On the node.
    Host,
    /// On the network, with how well attaching excludes a second node on this target.
    Network(Fences),
}

impl<'a> Shape<'a> {
    /// Returns the facts of `service` on `target`; `None` for an external service.
    pub fn new(model: &'a Model, service: &'a Service, target: Target) -> Option<Self> {
        let workload = service.workload()?;
        let targets = &service.targets;
        let (own_pin, added) = match target {
            Target::Kubernetes => (false, false),
            Target::Fleet => targets.fleet.as_ref().map_or((false, false), |f| {
                (f.pin.is_some(), f.unit.iter().any(|section| section.name == "X-Fleet"))
            }),
            Target::Swarm => targets
                .swarm
                .as_ref()
                .map_or((false, false), |s| (s.pin.is_some(), crate::plan::swarm::constrains(&s.service))),
        };
        let pinned = workload.pin().is_some() || own_pin;
        let on_host = workload.data.iter().any(|d| d.host().is_some());
        let data = match service.fences(target) {
            _ if on_host => Where::Host,
            None => Where::Nowhere,
            Some(fences) => Where::Network(fences),
        };
        let zoned = workload.volumes().any(|(_, v)| !v.zones.is_empty());
        Some(Self {
            service,
            workload,
            per_node: workload.per_node(),
            pinned,
            placed: pinned || zoned || added,
            data,
            beside: on_host && workload.volumes().next().is_some(),
            node_network: workload.node_network,
            guard: workload.guard,
            revisions: service.revision.is_some(),
            one_first: model.other_first(service).is_none(),
            one_lock: model.one_lock(service),
        })
    }
}
