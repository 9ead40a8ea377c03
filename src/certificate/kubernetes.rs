//! The table for Kubernetes: the mechanisms that must protect each resource under each hazard.

use super::{
    AGAIN, ELSEWHERE, EMPTY, Expect, HERE, Hazard, OTHER, Resource, SAME, Shape, Way, Where, rests_on, way,
};
use crate::backend::Fences;
use crate::mechanism::Mechanism;
use crate::mechanism::kubernetes::{
    AFFINITY, ATTACH, BIND, BY_HAND, CLAIM, DAEMONSET, GONE_FIRST, IDS, LOCK, NODE_BOUND, PATH, PATH_MISSING,
    PIN, POD_NAME, PORTS, RESERVED, REVISION_LABEL, RWOP, TAINT, UNIQUE,
};
use crate::model::Kubernetes;

/// Returns what must protect a cell.
pub fn expect(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    let has_data = shape.data != Where::Nowhere;
    match resource {
        Resource::Data => Expect::Held(data(shape, hazard)),
        Resource::Writer => bare(shape, resource, hazard),
        // The mechanisms of the data do not cover the members of another service. If the storage
        // takes the data from a force-deleted pod, its container keeps running with its name and id
        // (measured).
        Resource::Id if has_data && !matches!(hazard, Hazard::Neighbour | Hazard::Force) => Expect::AsData,
        Resource::Hostname | Resource::Id => bare(shape, resource, hazard),
        Resource::Port if !shape.node_network => Expect::Never("the pod has an address of its own"),
        Resource::Address if shape.workload.ports.is_empty() => {
            Expect::Never("it claims no port of its node's address")
        }
        Resource::Port | Resource::Address => port(hazard),
    }
}

fn port(hazard: Hazard) -> Expect {
    let held: Vec<&'static Mechanism> = match hazard {
        Hazard::Partition | Hazard::Move => return Expect::Never("it belongs to its node"),
        // Scheduler and kubelet forget a force-deleted pod, the kernel does not.
        Hazard::Force => vec![&BIND],
        Hazard::Colocate | Hazard::Revisions | Hazard::Relabel => vec![&PORTS, &BIND, &AFFINITY],
        Hazard::Update | Hazard::Reboot | Hazard::Neighbour => vec![&PORTS, &BIND],
    };
    Expect::Held(vec![way(HERE, held)])
}

/// Returns the ways for members without data. Only the name of the object protects them.
fn bare(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    let pinned = shape.pinned && shape.workload.count() == 1;
    let pin = pinned.then_some(&PIN);
    Expect::Held(match (hazard, resource) {
        (Hazard::Colocate, Resource::Writer) => return Expect::Never("there is one member"),
        (Hazard::Move, Resource::Writer) => return Expect::Never("it has no data to lose"),
        (Hazard::Force, _) => vec![way(HERE, [])],
        (Hazard::Neighbour, Resource::Id) => vec![way(SAME, [&IDS])],
        (Hazard::Partition, _) => {
            vec![way(ELSEWHERE, [&POD_NAME as &'static Mechanism].into_iter().chain(pin))]
        }
        _ => vec![way(HERE, [&POD_NAME])],
    })
}

fn data(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    match (shape.data, shape.per_node) {
        (Where::Host, true) => on_each_node(shape, hazard),
        (Where::Host, false) => {
            let mut ways = on_pinned_nodes(shape, hazard);
            // The ways to two holders of a volume that the directory next to it does not prevent.
            if shape.beside && matches!(hazard, Hazard::Colocate | Hazard::Move | Hazard::Neighbour) {
                ways.extend(on_volumes(shape, hazard));
            }
            ways
        }
        _ => on_volumes(shape, hazard),
    }
}

/// Makes the way of a second container on the same node. `first` prevents it, and the fences of the node
/// do, whatever created the container.
fn here(shape: &Shape<'_>, hazard: Hazard, first: &[&'static Mechanism]) -> Way {
    let mut any = first.to_vec();
    let together = !matches!(hazard, Hazard::Revisions | Hazard::Relabel) || shape.one_lock;
    if shape.guard && together {
        any.push(&LOCK);
    }
    // Scheduler and kubelet forget a force-deleted pod.
    if shape.node_network && !shape.workload.ports.is_empty() && hazard != Hazard::Force {
        any.push(&PORTS);
    }
    way(HERE, any)
}

fn on_each_node(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    match hazard {
        Hazard::Colocate => vec![here(&[&DAEMONSET, &AFFINITY])],
        Hazard::Update => vec![here(&[&AFFINITY, &GONE_FIRST])],
        // A controller that is created again does not count the pods of the old one, even with the same
        // labels.
        Hazard::Revisions if shape.revisions => {
            vec![here(&[&REVISION_LABEL, &AFFINITY]), Way { how: AGAIN, ..here(&[&AFFINITY]) }]
        }
        // A StatefulSet waits for its own pod. It does not know the pods of another revision.
        Hazard::Relabel if !shape.revisions => vec![here(&[&DAEMONSET, &AFFINITY])],
        Hazard::Revisions | Hazard::Relabel => vec![here(&[&AFFINITY])],
        Hazard::Partition => vec![way(ELSEWHERE, [&NODE_BOUND])],
        Hazard::Reboot => vec![here(&[&DAEMONSET, &AFFINITY]), way(EMPTY, [&PATH_MISSING])],
        // An evicted pod is replaced, as after a reboot.
        Hazard::Move => vec![
            way(OTHER, [&NODE_BOUND]),
            way(EMPTY, [&PATH_MISSING]),
            Way { named: false, ..here(&[&DAEMONSET, &AFFINITY]) },
        ],
        Hazard::Neighbour if shape.workload.dedicated() => vec![way(SAME, [&UNIQUE, &TAINT])],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE])],
        Hazard::Force => vec![here(&[])],
    }
}

fn on_pinned_nodes(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let one_pod = shape.service.targets.kubernetes.as_ref().is_some_and(|k| k.one_pod);
    let one_pod: &[&'static Mechanism] = if one_pod { &[&RWOP] } else { &[] };
    let mut ways = match hazard {
        Hazard::Colocate => vec![here(&[&PATH, &AFFINITY])],
        Hazard::Update | Hazard::Revisions => vec![here(&[&POD_NAME])],
        Hazard::Relabel => vec![
            here(&[&POD_NAME]),
            way(ELSEWHERE, [&POD_NAME, &PATH]),
            way(ELSEWHERE, [&POD_NAME, &PATH_MISSING]),
            // Two labels swap their nodes.
            rests_on(OTHER, [&PATH]),
        ],
        Hazard::Partition => vec![way(ELSEWHERE, [&POD_NAME, &PIN])],
        Hazard::Reboot => vec![here(&[&POD_NAME]), way(EMPTY, [&PATH_MISSING])],
        // The claim leads the member to its volume, and the volume to a directory that no other member
        // has. A node without that directory refuses the pod.
        Hazard::Move => vec![
            way(OTHER, [&RESERVED]),
            way(OTHER, [&PATH]),
            way(EMPTY, [&PATH_MISSING]),
            way(EMPTY, [&BY_HAND]),
        ],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE]), way(SAME, [&[&RESERVED], one_pod].concat())],
        Hazard::Force => vec![here(one_pod)],
    };
    // A directory of a node belongs to the member only if the member is bound to the node.
    if !matches!(hazard, Hazard::Colocate | Hazard::Neighbour | Hazard::Force) {
        ways.push(rests_on(ELSEWHERE, [&PIN]));
    }
    ways
}

fn on_volumes(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    // Before 1.27 ReadWriteOncePod needs a feature gate.
    let one_pod = shape.service.targets.kubernetes.as_ref().is_some_and(|k| k.version >= Kubernetes::ONE_POD);
    let one_pod: &[&'static Mechanism] = if one_pod { &[&RWOP] } else { &[] };
    let attach: &[&'static Mechanism] =
        if shape.data == Where::Network(Fences::Always) { &[&ATTACH] } else { &[] };
    let here = |first: &[&'static Mechanism]| here(shape, hazard, &[first, one_pod].concat());
    let elsewhere = |first: &[&'static Mechanism]| way(ELSEWHERE, [first, attach].concat());
    match hazard {
        Hazard::Colocate => vec![here(&[&CLAIM, &AFFINITY])],
        Hazard::Update | Hazard::Revisions | Hazard::Relabel => vec![here(&[&POD_NAME])],
        Hazard::Partition => vec![elsewhere(&[&[&POD_NAME], one_pod].concat())],
        Hazard::Reboot => {
            vec![here(&[&POD_NAME]), elsewhere(&[&[&POD_NAME], one_pod].concat()), way(EMPTY, [&CLAIM])]
        }
        Hazard::Move => vec![way(OTHER, [&CLAIM])],
        Hazard::Neighbour => vec![way(SAME, [&[&CLAIM], one_pod].concat())],
        // The object of the old pod is deleted. On its node the kubelet still has the volume
        // mounted; for other nodes only the storage knows.
        Hazard::Force => vec![here(&[]), elsewhere(&[])],
    }
}
