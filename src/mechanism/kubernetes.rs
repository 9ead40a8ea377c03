//! The mechanisms of Kubernetes.

use super::declared::Strength::{Construction, Fence, Order as Orders, Scheduler};
use super::declared::{Effect, Mechanism, Removable};
use super::expected::{Data, Expected, Member};
use super::own::{
    Own, directory, every, first_apart, first_mount, first_port, first_want, is_wanted, lock, one, order,
};
use crate::finding::At;
use crate::world::{Apart, Kind, Missing, Order, PersistentVolume, Source, Term, Toleration, Whom};

/// `pod-name`
pub static POD_NAME: Mechanism = Mechanism {
    id: "pod-name",
    strength: Construction,
    what: "the API holds one object of a member's name: no successor is created while it exists, even if that is forever",
    assumes: "nobody force-deletes a pod, or deletes the Node object of a running node; the namespace stays the same",
    source: "kubernetes pkg/controller/statefulset/stateful_set_control.go; seen: 0 overlaps in partition, re-apply, scale to 0 and back, two controllers",
    found: stateful_set,
};
/// `node-bound`
pub static NODE_BOUND: Mechanism = Mechanism {
    id: "node-bound",
    strength: Construction,
    what: "the directory belongs to the node: a container there uses it, a container on another node cannot",
    assumes: "the directory is on a disk of this node only",
    source: "kubernetes api core/v1 HostPathVolumeSource",
    found: |own| own.directories_of_node_identity(),
};
/// `one-label`
pub static REVISION_LABEL: Mechanism = Mechanism {
    id: "one-label",
    strength: Construction,
    what: "a node has one value of the revision's label, so two revisions never require the same node",
    assumes: "",
    source: "kubernetes pkg/controller/daemon/daemon_controller.go, nodeShouldRunDaemonPod",
    found: revision,
};
/// `path`
pub static PATH: Mechanism = Mechanism {
    id: "path",
    strength: Construction,
    what: "the path of each member's directory contains its id, so no two members can name the same directory",
    assumes: "no directory is a link to, or a copy of, another member's",
    source: "kubernetes api core/v1 LocalVolumeSource",
    found: paths,
};
/// `pin`
pub static PIN: Mechanism = Mechanism {
    id: "pin",
    strength: Construction,
    what: "the member runs only on the node with its number; without it the pod stays pending",
    assumes: "one node for each value",
    source: "kubernetes pkg/scheduler/framework/plugins/volumebinding, nodeaffinity; seen: pending until its node is back",
    found: pin,
};
/// `claim`
pub static CLAIM: Mechanism = Mechanism {
    id: "claim",
    strength: Construction,
    what: "the claim belongs to the member's name and is kept, so the same name always gets the same volume",
    assumes: "nobody deletes the claim, and no other pod names it",
    source: "kubernetes pkg/controller/statefulset/stateful_set_utils.go, getPersistentVolumeClaims",
    found: claims,
};
/// `reserved`
pub static RESERVED: Mechanism = Mechanism {
    id: "reserved",
    strength: Construction,
    what: "the volume is reserved for the claim of the member's name: the same name gets the same volume, and no other claim binds it",
    assumes: "no other pod names the claim",
    source: "kubernetes pkg/controller/volume/persistentvolume, claimRef; seen: each member on its own node",
    found: reserved,
};
/// `by-hand`
pub static BY_HAND: Mechanism = Mechanism {
    id: "by-hand",
    strength: Fence,
    what: "nothing creates a volume of this class: a member whose volume is missing waits",
    assumes: "",
    source: "kubernetes kubernetes.io/no-provisioner",
    found: by_hand,
};
/// `unique`
pub static UNIQUE: Mechanism = Mechanism {
    id: "unique",
    strength: Construction,
    what: "berthc rejects two specs that use it on nodes that may be the same",
    assumes: "all specs for these nodes are compiled together",
    source: "berthc neighbour",
    found: unique,
};
/// `one-pod`
pub static RWOP: Mechanism = Mechanism {
    id: "one-pod",
    strength: Fence,
    what: "ReadWriteOncePod: the scheduler refuses the volume to a second pod; the kubelet refuses it while the first pod has it mounted, even after a forced deletion",
    assumes: "the volume is local, or of a CSI driver with csi-attacher 3.3 or newer; no kubelet starts again between a forced deletion and the end of the old container",
    source: "KEP-2485; kubernetes pkg/scheduler/framework/plugins/volumerestrictions, pkg/volume/util/operationexecutor; seen: 0 overlaps in 6 forced deletions on local volumes, by the kubelet of 1.37.2",
    found: one_pod,
};
/// `attach`
pub static ATTACH: Mechanism = Mechanism {
    id: "attach",
    strength: Fence,
    what: "the storage attaches the volume to one node, also while another node is cut off",
    assumes: "the class uses the backend's own driver, without multi-attach",
    source: "the CSI driver of the backend",
    found: attach,
};
/// `ports`
pub static PORTS: Mechanism = Mechanism {
    id: "ports",
    strength: Fence,
    what: "declared host ports: scheduler and kubelet refuse a second pod until the first has stopped",
    assumes: "nobody force-deletes a pod",
    source: "kubernetes pkg/scheduler/framework/plugins/nodeports; seen: 0 overlaps in 72 label flips",
    found: ports,
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
/// `ids`
pub static IDS: Mechanism = Mechanism {
    id: "ids",
    strength: Construction,
    what: "berthc rejects two specs of one id space that share an id",
    assumes: "all specs of the id space are compiled together, and the StatefulSet is not scaled by hand",
    source: "berthc id-clash",
    found: ids,
};
/// `lock`
pub static LOCK: Mechanism = Mechanism {
    id: "lock",
    strength: Fence,
    what: "the process itself holds flock on its data directory until it ends",
    assumes: "no network file system; sh and flock in the image; the process keeps the inherited descriptor",
    source: "flock(2); seen: 0 s overlap where a port token had fallen",
    found: |own| own.locked(),
};
/// `path-missing`
pub static PATH_MISSING: Mechanism = Mechanism {
    id: "path-missing",
    strength: Fence,
    what: "a missing directory keeps the member from starting; nothing creates it",
    assumes: "the directory is inside the mount, and none is left below the empty mountpoint",
    source: "kubernetes pkg/volume/hostpath/host_path.go, pkg/volume/local/local.go",
    found: missing,
};
/// `affinity`
pub static AFFINITY: Mechanism = Mechanism {
    id: "affinity",
    strength: Scheduler,
    what: "required anti-affinity against the pods of the service on the node; a terminating pod still counts",
    assumes: "the default scheduler places every pod; nodes carry kubernetes.io/hostname",
    source: "kubernetes pkg/scheduler/framework/plugins/interpodaffinity/filtering.go; seen: 0 overlaps in 72 label flips, 48 double controllers",
    found: affinity,
};
/// `daemonset`
pub static DAEMONSET: Mechanism = Mechanism {
    id: "daemonset",
    strength: Scheduler,
    what: "one pod of the DaemonSet on a node; a terminating pod still counts",
    assumes: "one controller is active",
    source: "kubernetes pkg/controller/daemon/daemon_controller.go, podsShouldBeOnNode",
    found: daemon_set,
};
/// `taint`
pub static TAINT: Mechanism = Mechanism {
    id: "taint",
    strength: Scheduler,
    what: "only pods that tolerate the taint of the node are placed there",
    assumes: "the node is tainted",
    source: "kubernetes pkg/scheduler/framework/plugins/tainttoleration",
    found: taint,
};
/// `gone-first`
pub static GONE_FIRST: Mechanism = Mechanism {
    id: "gone-first",
    strength: Orders,
    what: "the next pod is created when the object of the previous one is deleted",
    assumes: "nobody force-deletes a pod",
    source: "kubernetes pkg/controller/daemon/update.go, pkg/controller/statefulset; seen: gaps of 324 ms and more",
    found: gone_first,
};

/// All mechanisms.
pub const ALL: [&Mechanism; 20] = [
    &POD_NAME,
    &NODE_BOUND,
    &REVISION_LABEL,
    &PATH,
    &PIN,
    &CLAIM,
    &RESERVED,
    &BY_HAND,
    &UNIQUE,
    &RWOP,
    &ATTACH,
    &PORTS,
    &BIND,
    &IDS,
    &LOCK,
    &PATH_MISSING,
    &AFFINITY,
    &DAEMONSET,
    &TAINT,
    &GONE_FIRST,
];

/// The mechanisms that a search can remove, in the order of a message.
pub const REMOVABLE: [Removable; 9] = [
    Removable::new(&PORTS, Effect::Ports, "its host ports", "a host port", first_port),
    Removable::new(&LOCK, Effect::Lock, "the lock that its process holds", "", lock),
    Removable::new(
        &AFFINITY,
        Effect::Apart,
        "its required anti-affinity",
        "required anti-affinity",
        first_apart,
    ),
    Removable::new(
        &REVISION_LABEL,
        Effect::OneLabel,
        "the labels of the nodes",
        "a label of which a node has one value",
        first_want,
    ),
    Removable::new(&RWOP, Effect::OnePod, "ReadWriteOncePod", "ReadWriteOncePod", first_mount),
    Removable::new(&ATTACH, Effect::Attach, "the attaching of its volume", "", first_mount),
    Removable::new(&GONE_FIRST, Effect::Order, "the order of its updates", "", order),
    Removable::new(&PIN, Effect::Pin, "its pin", "", first_want),
    Removable::new(&POD_NAME, Effect::PodName, "the name of its pod", "", |of| {
        of.workload.shared_claim.as_ref()
    }),
];

/// Finds a StatefulSet.
fn stateful_set(own: &Own<'_>) -> Vec<At> {
    one(Some(&own.workload.kind_at).filter(|_| own.workload.kind == Kind::StatefulSet))
}

/// Finds a DaemonSet without surge. With a surge it replaces a pod that terminates, or is not ready, at
/// once.
fn daemon_set(own: &Own<'_>) -> Vec<At> {
    let w = own.workload;
    let counts = w.kind == Kind::DaemonSet && w.update.order != Order::StartFirst;
    one(Some(&w.kind_at).filter(|_| counts))
}

/// Finds a DaemonSet whose update deletes a pod before it creates the next one, or leaves that to a
/// person.
fn gone_first(own: &Own<'_>) -> Vec<At> {
    let w = own.workload;
    let waits = w.kind == Kind::DaemonSet && w.update.order != Order::StartFirst;
    one(w.update.at.as_ref().filter(|_| waits))
}

/// Finds members with exactly the numbers of the spec.
fn ids(own: &Own<'_>) -> Vec<At> {
    let ids = &own.expected.ids;
    let same = own.read.ordinal == Some(ids.start) && own.workload.count == ids.end - ids.start;
    one(own.workload.count_at.as_ref().filter(|_| same && own.workload.kind == Kind::StatefulSet))
}

fn revision(own: &Own<'_>) -> Vec<At> {
    own.revision("")
}

/// Finds a required anti-affinity that keeps every pod of the service off a node with another one. It
/// must match the pods of every revision, also of the next one.
fn affinity(own: &Own<'_>) -> Vec<At> {
    // A pod that is placed by hand bypasses its anti-affinity.
    if own.workload.placed_by.is_some() {
        return Vec::new();
    }
    let sets = own.folder.workloads.iter().filter(|w| matches!(w.kind, Kind::DaemonSet | Kind::StatefulSet));
    let on_host = own.expected.data.iter().any(|data| data.network.is_none());
    let holds = |apart: &&Apart| {
        let Whom::Pods { selector, namespaces, topology } = &apart.whom else { return false };
        let lasting = |t: &Term| matches!(t, Term::In(key, _) if key != own.expected.revision_label);
        // A directory of the node may be claimed from any namespace.
        let wide = match namespaces {
            None => true,
            Some(named) => !on_host && named.contains(&own.workload.scope),
        };
        *topology == "kubernetes.io/hostname"
            && wide
            && !selector.terms.is_empty()
            && selector.terms.iter().all(lasting)
            && sets.clone().all(|w| selector.selects(&w.labels))
    };
    own.workload.apart.iter().filter(holds).map(|apart| apart.at.clone()).collect()
}

/// Finds a toleration of the taint of the service's own nodes.
fn taint(own: &Own<'_>) -> Vec<At> {
    let is_own =
        |t: &&Toleration| t.key == "dedicated" && t.value == own.expected.service && t.effect == "NoSchedule";
    let found = own.workload.tolerates.iter().find(is_own);
    one(found.filter(|_| own.workload.placed_by.is_none()).map(|t| &t.at))
}

/// Finds the host ports in the file. A port that the API fills in is not in the file.
fn ports(own: &Own<'_>) -> Vec<At> {
    if own.expected.node_network { own.ports(|p| p.scheduled && p.declared) } else { Vec::new() }
}

/// Finds directories without which the pod does not start.
fn missing(own: &Own<'_>) -> Vec<At> {
    if own.member.id.is_some() {
        return volumes(own, |volume, _| {
            let refused = directory(&volume.source).is_some_and(|(_, m)| m == Missing::Refused);
            refused.then(|| volume.at.clone())
        });
    }
    own.on_host(|mount, path| directory(&mount.source) == Some((path, Missing::Refused)))
}

/// Finds directories that no other service can name.
fn unique(own: &Own<'_>) -> Vec<At> {
    if own.member.id.is_some() { paths(own) } else { own.directories() }
}

/// Returns whether the pod mounts the claim of every claim template of the spec.
fn mounts_claims(own: &Own<'_>) -> bool {
    let is_own = |data: &Data| {
        let name = own.mount(data).and_then(|m| m.volume.as_ref()).map(|v| v.name.as_str());
        name.is_some() && name == own.volume_name(data).as_deref()
    };
    !own.expected.data.is_empty() && own.expected.data.iter().all(is_own)
}

/// Returns the places that `holds` finds in the PersistentVolumes of all directories of all members.
/// Returns none if one has no place.
fn volumes(own: &Own<'_>, holds: impl Fn(&PersistentVolume, &Wanted<'_>) -> Option<At>) -> Vec<At> {
    if !mounts_claims(own) {
        return Vec::new();
    }
    let directories = || own.host_data().map(|(data, _)| data);
    let class = |data: &Data| {
        let class = own.mount(data).and_then(|m| m.volume.as_ref()).and_then(|v| v.class.as_ref());
        class.map_or("", |(name, _)| name.as_str())
    };
    let classes: Vec<&str> = directories().map(class).collect();
    let of = |member: &Member| -> Vec<Option<At>> {
        let Expected { service, namespace, data, .. } = own.expected;
        let paths = data.iter().zip(&member.paths).filter(|(data, _)| data.network.is_none());
        let each = paths.zip(&classes).map(|((data, path), class)| {
            let id = member.id?;
            let claim = format!("{namespace}/{}-{service}-{id}", data.name);
            let kept = own.folder.kept.get(claim.as_str()).filter(|volume| volume.class == *class);
            let local = || own.folder.local.get(path.as_deref()?);
            let wanted = Wanted { id, path: path.as_deref(), claim: &claim, class };
            holds(kept.or_else(local)?, &wanted)
        });
        each.collect()
    };
    every(own.expected.members.iter().flat_map(of))
}

/// A PersistentVolume for a directory of a member, as a spec expects it.
struct Wanted<'w> {
    id: u32,
    path: Option<&'w str>,
    claim: &'w str,
    class: &'w str,
}

/// Finds local volumes, each with its member's own path.
fn paths(own: &Own<'_>) -> Vec<At> {
    volumes(own, |volume, wanted| {
        let (path, missing) = directory(&volume.source)?;
        (Some(path) == wanted.path && missing == Missing::Refused).then(|| volume.at.clone())
    })
}

/// Finds volumes that are reserved for the claim of their member.
fn reserved(own: &Own<'_>) -> Vec<At> {
    volumes(own, |volume, wanted| {
        let (claim, at) = volume.claim.as_ref()?;
        (claim == wanted.claim && volume.class == wanted.class).then(|| at.clone())
    })
}

/// Finds the constraint on the number of the member, in the pod or in the volume of every member.
fn pin(own: &Own<'_>) -> Vec<At> {
    let Some(label) = &own.expected.pin else { return Vec::new() };
    let mut all = volumes(own, |volume, wanted| {
        let id = wanted.id.to_string();
        volume.wants.iter().find(|w| is_wanted(w, label, &id)).map(|w| w.at.clone())
    });
    // Pods of one template have one node selector.
    if own.expected.members.len() == 1 {
        all.extend(own.pinned(""));
    }
    all
}

/// Finds classes that create no volume, so that each volume exists before its claim.
fn by_hand(own: &Own<'_>) -> Vec<At> {
    if !mounts_claims(own) {
        return Vec::new();
    }
    every(own.host_data().map(|(data, _)| {
        let (driver, at) = own.mount(data)?.volume.as_ref()?.driver.as_ref()?;
        (driver == "kubernetes.io/no-provisioner").then(|| at.clone())
    }))
}

/// Finds claims with the name of the member that outlive its pod.
fn claims(own: &Own<'_>) -> Vec<At> {
    let is_kept = |source: &Source| matches!(source, Source::Volume { missing: Missing::Refused, .. });
    let all = own.on_network(|mount, _, _| Some(&mount.at).filter(|_| is_kept(&mount.source)));
    if mounts_claims(own) { all } else { Vec::new() }
}

/// Finds claims with ReadWriteOncePod: all that the spec wants to have it.
fn one_pod(own: &Own<'_>) -> Vec<At> {
    let wanted = own.expected.data.iter().filter(|data| data.one_pod);
    let all = every(wanted.map(|data| match &own.mount(data)?.source {
        Source::Volume { one_pod, .. } | Source::Host { one_pod, .. } => one_pod.clone(),
        Source::Ephemeral => None,
    }));
    if mounts_claims(own) { all } else { Vec::new() }
}

/// Finds claims with the class of the spec, or with a class whose driver fences.
fn attach(own: &Own<'_>) -> Vec<At> {
    let all = own.on_network(|mount, network, _| {
        let volume = mount.volume.as_ref()?;
        if let Some(given) = &network.class {
            return volume.class.as_ref().filter(|(name, _)| name == given).map(|(_, at)| at);
        }
        let (driver, at) = volume.driver.as_ref()?;
        (Some(driver) == network.driver.as_ref() && !volume.shared).then_some(at)
    });
    if mounts_claims(own) { all } else { Vec::new() }
}
