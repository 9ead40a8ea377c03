//! What ought to hold a cell, and what of a spec decides that.

use crate::backend::Fences;
use crate::mechanism::Mechanism;
use crate::model::{Model, Service, Workload};
use crate::target::Target;

/// One way in which a hazard strikes, and what keeps it off: any of these does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Where or how: `on the node itself`.
    pub how: &'static str,
    /// What ought to keep it off; none where nothing can.
    pub any: Vec<&'static Mechanism>,
    /// Whether the cell names them; what all else rests on goes without saying while it is there.
    pub named: bool,
}

/// The second container is on the node of the first.
pub const HERE: &str = "two on one node";
/// What made the first is deleted, and at once made again.
pub const AGAIN: &str = "deleted and made again";
/// The second container is on another node.
pub const ELSEWHERE: &str = "two on two nodes";
/// The disk is not mounted, or there is no data yet.
pub const EMPTY: &str = "a start without its data";
/// The data is that of another member.
pub const OTHER: &str = "a start on another's data";
/// Another service has the same path, number or name.
pub const SAME: &str = "another service with the same";

/// `how` is kept off by any of `any`.
pub fn way(how: &'static str, any: impl IntoIterator<Item = &'static Mechanism>) -> Way {
    Way { how, any: any.into_iter().collect(), named: true }
}

/// What the other ways of a cell rest on: without any of `any` they hold nothing.
pub fn rests_on(how: &'static str, any: impl IntoIterator<Item = &'static Mechanism>) -> Way {
    Way { named: false, ..way(how, any) }
}

/// What ought to hold one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// All of these ways are kept off; what the text lacks is a note, and a way that nothing keeps
    /// off is a gap.
    Held(Vec<Way>),
    /// It cannot happen, for this reason.
    Never(&'static str),
    /// Whatever holds the data (or the right to write) of the member holds it, for it cannot
    /// start without.
    AsData,
}

/// What a spec asks of one target, as far as the matrix depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// The spec.
    pub service: &'a Service,
    /// Its members.
    pub workload: &'a Workload,
    /// One per node.
    pub per_node: bool,
    /// Held to nodes on this target.
    pub pinned: bool,
    /// Whether a label or metadata says where a member runs.
    pub placed: bool,
    /// Where its data is; what is on the node holds what is on the network beside it.
    pub data: Where,
    /// Whether a volume stands beside data on the node.
    pub beside: bool,
    /// On the node's network.
    pub node_network: bool,
    /// The process locks its directory.
    pub guard: bool,
    /// Several revisions of it, or one that says which it is.
    pub revisions: bool,
    /// Whether whatever is named after the first directory is common to all revisions that share
    /// any directory.
    pub one_first: bool,
    /// Whether every revision takes the lock, on the same directory.
    pub one_lock: bool,
}

/// Where data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// There is none.
    Nowhere,
    /// On the node.
    Host,
    /// On the network; whether attaching fences on this target.
    Network(Fences),
}

impl<'a> Shape<'a> {
    /// The shape of `service` on `target`; `None` for external ones.
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
