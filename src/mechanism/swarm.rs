//! The mechanisms of Docker Swarm.

use super::declared::Strength::{Construction, Fence, Order as Orders, Scheduler};
use super::declared::{Effect, Mechanism, Removable};
use super::expected::Network;
use super::own::{Own, first_mount, first_port, first_want, is_share_of, lock, one, order};
use crate::backend::Fences;
use crate::finding::At;
use crate::target::SWARM_LONGEST_GRACE;
use crate::world::{Kind, Missing, Mount, Order, Port, Source};

/// `service-name`
pub static SERVICE: Mechanism = Mechanism {
    id: "service-name",
    strength: Construction,
    what: "each member is a separate service with one replica: a new deploy changes it and never creates a second",
    assumes: "one stack name for all files",
    source: "swarmkit manager/controlapi/service.go, names are unique",
    found: service,
};
/// `node-bound`
pub static NODE_BOUND: Mechanism = Mechanism {
    id: "node-bound",
    strength: Construction,
    what: "the directory belongs to the node: a container there uses it, a container on another node cannot",
    assumes: "the directory is on a disk of this node only",
    source: "docker bind mounts",
    found: |own| own.directories_of_node_identity(),
};
/// `one-label`
pub static ONE_LABEL: Mechanism = Mechanism {
    id: "one-label",
    strength: Construction,
    what: "a node has one value of the revision's label, so two revisions never require the same node",
    assumes: "",
    source: "swarmkit manager/constraint/constraint.go",
    found: revision,
};
/// `path`
pub static PATH: Mechanism = Mechanism {
    id: "path",
    strength: Construction,
    what: "the path of each member's directory contains its id, so no two members can name the same directory",
    assumes: "no directory is a link to, or a copy of, another member's",
    source: "docker bind mounts",
    found: |own| own.directories_of_numbered_member(),
};
/// `ids`
pub static IDS: Mechanism = Mechanism {
    id: "ids",
    strength: Construction,
    what: "berthc rejects two specs of one id space that share an id",
    assumes: "all specs of the id space are compiled together",
    source: "berthc id-clash",
    found: service,
};
/// `volume-name`
pub static VOLUME: Mechanism = Mechanism {
    id: "volume-name",
    strength: Construction,
    what: "the volume of each member contains its name, so no two members can name the same volume",
    assumes: "all specs for this swarm are compiled together",
    source: "docker volumes",
    found: volume,
};
/// `pin`
pub static PIN: Mechanism = Mechanism {
    id: "pin",
    strength: Construction,
    what: "the member runs only on the node with its number; without it the task stays pending",
    assumes: "one node for each value, and no label moves while its member runs",
    source: "swarmkit manager/scheduler/filter.go; seen: pending while its node is cut off",
    found: pin,
};
/// `unique`
pub static UNIQUE: Mechanism = Mechanism {
    id: "unique",
    strength: Construction,
    what: "berthc rejects two specs that use it on nodes that may be the same",
    assumes: "all specs for these nodes are compiled together",
    source: "berthc neighbour",
    found: |own| own.directories(),
};
/// `port`
pub static PORT: Mechanism = Mechanism {
    id: "port",
    strength: Fence,
    what: "a port of the node in host mode: until the first container has stopped, the scheduler and the allocator of docker refuse a second one of any service",
    assumes: "",
    source: "swarmkit manager/scheduler/nodeinfo.go; seen: 0 s overlap at update, relabel, scale to 0 and back, heal, manager restart",
    found: port,
};
/// `lock`
pub static LOCK: Mechanism = Mechanism {
    id: "lock",
    strength: Fence,
    what: "the process itself holds flock on its data directory until it ends",
    assumes: "no network file system; sh and flock in the image, an sh that keeps variables with dots in their names; the process keeps the inherited descriptor",
    source: "flock(2); seen: 0 s overlap at a relabel on the node's network",
    found: |own| own.locked(),
};
/// `bind`
pub static BIND: Mechanism = Mechanism {
    id: "bind",
    strength: Fence,
    what: "the kernel allows one listener for a port of the node's network",
    assumes: "the program binds exactly this port, not a range",
    source: "bind(2)",
    found: |own| own.node_network(),
};
/// `path-missing`
pub static PATH_MISSING: Mechanism = Mechanism {
    id: "path-missing",
    strength: Fence,
    what: "a missing directory keeps the task from starting; nothing creates it",
    assumes: "the directory is inside the mount, and none is left below the empty mountpoint",
    source: "docker bind mounts; seen: rejected, tried again, started once it was there",
    found: |own| own.directories_refused(),
};
/// `attach`
pub static ATTACH: Mechanism = Mechanism {
    id: "attach",
    strength: Fence,
    what: "the storage attaches the volume to one node",
    assumes: "the plugin does not preempt; for a backend that fences only while connected, the old node still reaches the storage",
    source: "the volume plugin of the backend; not measured",
    found: attach,
};
/// `cluster-volume`
pub static CLUSTER: Mechanism = Mechanism {
    id: "cluster-volume",
    strength: Fence,
    what: "a cluster volume with scope single and sharing none stays reserved while its task may run, also on a lost node",
    assumes: "the volume exists, and a lost node is powered off within 24 h",
    source: "swarmkit manager/scheduler/volumes.go; seen by unit test",
    found: cluster,
};
/// `share-missing`
pub static SHARE_MISSING: Mechanism = Mechanism {
    id: "share-missing",
    strength: Fence,
    what: "the member's directory on the share must exist: NFS does not mount a missing one",
    assumes: "",
    source: "docker's local driver mounts the device as it is written; mount.nfs(8)",
    found: share_missing,
};
/// `token`
pub static TOKEN: Mechanism = Mechanism {
    id: "token",
    strength: Scheduler,
    what: "a host-mode port on the node's network: the scheduler places no second container while the first runs, but no socket is bound",
    assumes: "no label is removed while its task runs",
    source: "swarmkit manager/scheduler/nodeinfo.go; seen: 31 s overlap at a relabel",
    found: token,
};
/// `global`
pub static GLOBAL: Mechanism = Mechanism {
    id: "global",
    strength: Scheduler,
    what: "one task of the service on a node",
    assumes: "",
    source: "swarmkit manager/orchestrator/global",
    found: global,
};
/// `stop-first`
pub static STOP_FIRST: Mechanism = Mechanism {
    id: "stop-first",
    strength: Orders,
    what: "the new task starts when the old one has stopped, or after 60 s; its grace is 55 s at most",
    assumes: "no manager restarts and no other deploy comes before the old task has ended, and nobody scales to 0 and back",
    source: "swarmkit manager/orchestrator/restart/restart.go, update/updater.go; seen: overlap of 42 s with a grace of 100 s, of 0.3 s with 58 s, none with 57 s",
    found: stop_first,
};

/// All mechanisms.
pub const ALL: [&Mechanism; 18] = [
    &SERVICE,
    &NODE_BOUND,
    &ONE_LABEL,
    &PATH,
    &IDS,
    &VOLUME,
    &PIN,
    &UNIQUE,
    &PORT,
    &LOCK,
    &BIND,
    &PATH_MISSING,
    &ATTACH,
    &CLUSTER,
    &SHARE_MISSING,
    &TOKEN,
    &GLOBAL,
    &STOP_FIRST,
];

/// The mechanisms that a search can remove, in the order of a message.
pub const REMOVABLE: [Removable; 7] = [
    Removable::new(&PORT, Effect::Ports, "its port in host mode", "a port in host mode", first_port),
    Removable::new(&LOCK, Effect::Lock, "the lock that its process holds", "", lock),
    Removable::new(
        &ONE_LABEL,
        Effect::OneLabel,
        "the labels of the nodes",
        "a label of which a node has one value",
        first_want,
    ),
    Removable::new(&ATTACH, Effect::Attach, "the attaching of its volume", "", first_mount),
    Removable::new(&CLUSTER, Effect::Reserved, "the reservation of its volume", "", first_mount),
    Removable::new(&STOP_FIRST, Effect::Order, "the order of its updates", "", order),
    Removable::new(&PIN, Effect::Pin, "its pin", "", first_want),
];

/// The prefix of node labels in a constraint.
const LABELS: &str = "node.labels.";

/// Finds a service with one task.
fn service(own: &Own<'_>) -> Vec<At> {
    let single = own.workload.kind == Kind::Replicated && own.workload.count == 1;
    one(own.workload.count_at.as_ref().filter(|_| single))
}

fn global(own: &Own<'_>) -> Vec<At> {
    one(Some(&own.workload.kind_at).filter(|_| own.workload.kind == Kind::Global))
}

/// Finds an update and a rollback that stop the old task first, within the time that Swarm waits.
fn stop_first(own: &Own<'_>) -> Vec<At> {
    let w = own.workload;
    let stops = [&w.update, &w.rollback].iter().all(|u| u.order == Order::StopFirst);
    one(w.update.at.as_ref().filter(|_| stops && w.grace <= SWARM_LONGEST_GRACE))
}

fn pin(own: &Own<'_>) -> Vec<At> {
    own.pinned(LABELS)
}

fn revision(own: &Own<'_>) -> Vec<At> {
    own.revision(LABELS)
}

/// Finds the port that locks the node, if `holds` accepts it.
fn lock_port(own: &Own<'_>, holds: impl Fn(&Port) -> bool) -> Vec<At> {
    let mut all = own.workload.ports.iter().filter(|p| p.scheduled && holds(p));
    one(all.find(|p| Some((p.number, p.protocol.as_str())) == own.expected.lock_port).map(|p| &p.at))
}

/// Finds a lock port that docker binds.
fn port(own: &Own<'_>) -> Vec<At> {
    lock_port(own, |p| p.bound)
}

/// Finds a lock port that only the scheduler knows.
fn token(own: &Own<'_>) -> Vec<At> {
    lock_port(own, |p| !p.bound)
}

/// Returns whether the mount is the member's own volume. The device identifies a share; the name of
/// its volume is local to the node.
fn is_own(mount: &Mount, network: &Network, name: &str) -> bool {
    if is_share(network) {
        return is_share_of(&mount.source, name);
    }
    mount.volume.as_ref().is_some_and(|v| v.name == name)
}

/// Returns whether docker's `local` driver mounts it.
fn is_share(network: &Network) -> bool {
    !network.cluster && network.driver.as_deref() == Some("local")
}

/// Finds volumes with the name of the member.
fn volume(own: &Own<'_>) -> Vec<At> {
    own.on_network(|mount, network, name| Some(&mount.at).filter(|_| is_own(mount, network, name)))
}

/// Finds volumes with the name of the member that a plugin or Swarm attaches to one node.
fn attach(own: &Own<'_>) -> Vec<At> {
    own.on_network(|mount, network, name| {
        let volume = mount.volume.as_ref().filter(|_| is_own(mount, network, name))?;
        if !network.cluster {
            let (driver, at) = volume.driver.as_ref()?;
            return (Some(driver) == network.driver.as_ref() && !is_share(network)).then_some(at);
        }
        // With two cluster volumes, a task may start with neither of them.
        let Source::Volume { fences, reserved, .. } = &mount.source else { return None };
        let waits = reserved.is_some() || own.workload.kind == Kind::Global;
        (volume.exists && *fences != Fences::Never && waits).then_some(&mount.at)
    })
}

/// Finds cluster volumes with the name of the member that are reserved while its task may run.
fn cluster(own: &Own<'_>) -> Vec<At> {
    own.on_network(|mount, network, name| {
        let Source::Volume { reserved, .. } = &mount.source else { return None };
        let exists = mount.volume.as_ref().is_some_and(|v| v.exists);
        reserved.as_ref().filter(|_| exists && is_own(mount, network, name))
    })
}

/// Finds shares of the member's own directory.
fn share_missing(own: &Own<'_>) -> Vec<At> {
    own.on_network(|mount, network, name| {
        let refused = matches!(mount.source, Source::Volume { missing: Missing::Refused, .. });
        Some(&mount.at).filter(|_| refused && is_share(network) && is_own(mount, network, name))
    })
}
