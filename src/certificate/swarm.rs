//! The table for Docker Swarm: the mechanisms that must protect each resource under each hazard.

use std::collections::BTreeSet;

use super::{
    ELSEWHERE, EMPTY, Expect, HERE, Hazard, OTHER, Resource, SAME, Shape, Way, Where, rests_on, way,
};
use crate::backend::Fences;
use crate::mechanism::Mechanism;
use crate::mechanism::swarm::{
    ATTACH, BIND, CLUSTER, GLOBAL, IDS, LOCK, NODE_BOUND, ONE_LABEL, PATH, PATH_MISSING, PIN, PORT, SERVICE,
    SHARE_MISSING, STOP_FIRST, TOKEN, UNIQUE, VOLUME,
};
use crate::target::SWARM_LONGEST_GRACE;

/// Returns what must protect a cell.
pub fn expect(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    // A container that cannot get its data, or the right to write, does not start, so it holds nothing
    // else. This does not cover containers of another service.
    let first = shape.data != Where::Nowhere || shape.workload.writer && resource != Resource::Writer;
    match resource {
        Resource::Data => Expect::Held(data(shape, hazard)),
        Resource::Port => port(shape, hazard),
        _ if first && hazard != Hazard::Neighbour => Expect::AsData,
        Resource::Address if shape.workload.ports.is_empty() => {
            Expect::Never("it claims no port of its node's address")
        }
        Resource::Address => port(shape, hazard),
        Resource::Writer | Resource::Hostname | Resource::Id => bare(shape, resource, hazard),
    }
}

/// Returns the fences that keep a second container off the same node, if `hazard` leaves them intact.
fn on_node(shape: &Shape<'_>, hazard: Hazard) -> Option<&'static Mechanism> {
    let swarm = shape.service.targets.swarm.as_ref();
    let there = !shape.workload.ports.is_empty() || swarm.is_some_and(|s| s.lock.is_some());
    match hazard {
        _ if !there => None,
        Hazard::Force => None,
        // An evicted task counts as rejected, so the scheduler forgets its port. Docker does not, but on
        // the node's network docker binds nothing.
        Hazard::Relabel if shape.node_network => None,
        _ if shape.node_network => Some(&TOKEN),
        _ => Some(&PORT),
    }
}

fn port(shape: &Shape<'_>, hazard: Hazard) -> Expect {
    if !shape.node_network {
        return Expect::Never("the task has an address of its own");
    }
    match hazard {
        Hazard::Move => Expect::Never("it belongs to its node"),
        _ => Expect::Held(vec![way(
            HERE,
            [&BIND as &'static Mechanism].into_iter().chain(on_node(shape, hazard)),
        )]),
    }
}

/// Returns the ways for members without data. Only their placement protects them.
fn bare(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    let waits =
        (shape.workload.stop.grace <= SWARM_LONGEST_GRACE).then_some(&STOP_FIRST as &'static Mechanism);
    let pin = shape.pinned.then_some(&PIN as &'static Mechanism);
    let on_node = on_node(shape, hazard);
    Expect::Held(match hazard {
        Hazard::Colocate => return Expect::Never("each member has its own"),
        Hazard::Move => return Expect::Never("there is no data to miss"),
        Hazard::Relabel if !shape.placed => return Expect::Never("no label places it"),
        Hazard::Relabel => vec![way(HERE, on_node), way(ELSEWHERE, [])],
        Hazard::Force => vec![way(HERE, [])],
        // On heal the new task starts while the old one stops.
        Hazard::Partition => vec![way(ELSEWHERE, pin), way(HERE, on_node)],
        Hazard::Reboot => vec![way(ELSEWHERE, pin)],
        Hazard::Revisions => vec![way(HERE, on_node), way(ELSEWHERE, pin), rests_on(HERE, [&SERVICE])],
        Hazard::Neighbour if resource == Resource::Id => vec![way(SAME, [&IDS])],
        Hazard::Neighbour => vec![way(SAME, [&SERVICE])],
        Hazard::Update => {
            vec![way(HERE, waits.into_iter().chain(on_node)), way(ELSEWHERE, pin.into_iter().chain(waits))]
        }
    })
}

fn data(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    match shape.data {
        Where::Network(fences) => on_volumes(shape, fences, hazard),
        _ if shape.per_node => {
            let mut ways = on_each_node(shape, hazard);
            // Any other service can move between nodes.
            if !matches!(hazard, Hazard::Neighbour | Hazard::Force) {
                ways.push(rests_on(ELSEWHERE, [&GLOBAL]));
            }
            ways
        }
        _ => {
            let mut ways = on_pinned_nodes(shape, hazard);
            // The ways to two holders of a volume that the directory next to it does not prevent.
            if shape.beside && matches!(hazard, Hazard::Colocate | Hazard::Move | Hazard::Neighbour) {
                ways.extend(on_volumes(shape, Fences::Never, hazard));
            }
            ways
        }
    }
}

/// Makes the precondition that a service has one task. Two tasks of one service share all its names.
fn one_task(hazard: Hazard) -> Option<Way> {
    let may = !matches!(hazard, Hazard::Neighbour | Hazard::Force);
    may.then(|| rests_on(HERE, [&SERVICE as &'static Mechanism]))
}

/// Makes the way of a second container on the same node. `first`, the update order, the lock of the node
/// and the lock of the directory prevent it. The update order waits for the task of the last generation
/// only: a third one that comes before the first has ended does not see the first (updater.go; measured).
fn here(shape: &Shape<'_>, hazard: Hazard, first: &[&'static Mechanism]) -> Way {
    let together = !matches!(hazard, Hazard::Revisions | Hazard::Relabel) || shape.one_lock;
    let lock = (shape.guard && together).then_some(&LOCK as &'static Mechanism);
    let waits = hazard == Hazard::Update && shape.workload.stop.grace <= SWARM_LONGEST_GRACE;
    let waits = waits.then_some(&STOP_FIRST as &'static Mechanism);
    let fences = lock.into_iter().chain(on_node(shape, hazard));
    way(HERE, first.iter().copied().chain(fences).chain(waits))
}

fn on_each_node(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    match hazard {
        Hazard::Colocate => vec![here(&[&GLOBAL])],
        // Two revisions, and two deploys of one of them.
        Hazard::Revisions if shape.revisions => vec![here(&[&ONE_LABEL]), here(&[])],
        Hazard::Update | Hazard::Revisions | Hazard::Relabel | Hazard::Force => vec![here(&[])],
        // On heal the new task starts while the old one stops.
        Hazard::Partition => vec![way(ELSEWHERE, [&NODE_BOUND]), here(&[])],
        Hazard::Reboot => vec![here(&[]), way(EMPTY, [&PATH_MISSING])],
        Hazard::Move => vec![way(OTHER, [&NODE_BOUND]), way(EMPTY, [&PATH_MISSING])],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE])],
    }
}

/// Makes the way of a second container on another node. The scheduler does not place it there, and its
/// directory is missing there. People create directories wherever a member can run, so the missing
/// directory counts only together with the pin.
fn not_elsewhere() -> [Way; 3] {
    [way(ELSEWHERE, [&PIN, &PATH]), way(ELSEWHERE, [&PIN, &PATH_MISSING]), rests_on(ELSEWHERE, [&PIN])]
}

fn on_pinned_nodes(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let [id, there, pin] = not_elsewhere();
    let mut ways = match hazard {
        Hazard::Colocate => vec![here(&[&PATH])],
        Hazard::Update | Hazard::Revisions => vec![here(&[]), pin],
        Hazard::Force => vec![here(&[])],
        // A port fences one node. On another node the directory is missing.
        Hazard::Relabel => vec![here(&[]), way(ELSEWHERE, [&PATH]), way(ELSEWHERE, [&PATH_MISSING])],
        Hazard::Partition => vec![id, there, pin, here(&[])],
        Hazard::Reboot => vec![id, there, pin, here(&[]), way(EMPTY, [&PATH_MISSING])],
        Hazard::Move => vec![way(OTHER, [&PATH]), way(EMPTY, [&PATH_MISSING]), pin],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE])],
    };
    ways.extend(one_task(hazard));
    ways
}

fn on_volumes(shape: &Shape<'_>, fences: Fences, hazard: Hazard) -> Vec<Way> {
    let csi = shape.service.targets.swarm.as_ref().is_some_and(|s| s.csi);
    let cluster = csi.then_some(&CLUSTER as &'static Mechanism);
    let pin = shape.pinned.then_some(&PIN as &'static Mechanism);
    let attach = |yes: bool| yes.then_some(&ATTACH as &'static Mechanism);
    let (connected, always) = (fences != Fences::Never, fences == Fences::Always);
    let waits =
        (shape.workload.stop.grace <= SWARM_LONGEST_GRACE).then_some(&STOP_FIRST as &'static Mechanism);
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let reserved: &[&'static Mechanism] = if csi { &[&CLUSTER] } else { &[] };
    let elsewhere = |any: [Option<&'static Mechanism>; 4]| way(ELSEWHERE, any.into_iter().flatten());
    let mut ways = match hazard {
        Hazard::Colocate => vec![here(&[&VOLUME])],
        // Attaching excludes other nodes. On one node a volume serves every container.
        Hazard::Update => vec![here(reserved), elsewhere([pin, attach(connected), cluster, waits])],
        Hazard::Revisions => vec![here(reserved), elsewhere([pin, attach(connected), cluster, None])],
        // An evicted task counts as rejected, which frees a cluster volume's reservation: Swarm
        // attaches it elsewhere and detaches it from under the old task.
        Hazard::Relabel => {
            let stays = connected && !(csi && shape.placed);
            vec![here(&[]), elsewhere([attach(stays), None, None, None])]
        }
        Hazard::Partition => vec![elsewhere([pin, attach(always), cluster, None]), here(reserved)],
        // A plugin can end with its dockerd. The storage then treats the node as gone.
        Hazard::Reboot => vec![elsewhere([pin, attach(always), cluster, None]), here(reserved)],
        Hazard::Move => {
            let local =
                shape.workload.volumes().all(|(_, v)| v.backend.plugin.is_some_and(|p| p.driver == "local"));
            let share = (local && !csi).then_some(&SHARE_MISSING as &'static Mechanism);
            // After a crash of dockerd, what the driver of a cluster volume mounts may not reach the node.
            vec![way(OTHER, [&VOLUME]), way(EMPTY, share)]
        }
        Hazard::Neighbour => vec![way(SAME, [&VOLUME])],
        Hazard::Force => vec![here(&[]), elsewhere([attach(always), None, None, None])],
    };
    ways.extend(one_task(hazard));
    // A volume of the node stays behind when its task moves. With volumes of two kinds, the text carries
    // only the mechanisms of both, which protect neither.
    let kinds: BTreeSet<bool> = shape
        .workload
        .volumes()
        .map(|(_, v)| v.backend.plugin.is_some_and(|p| p.driver == "local"))
        .collect();
    let network: &[&'static Mechanism] = match kinds.first() {
        _ if csi => &[&ATTACH, &CLUSTER],
        Some(true) => &[&SHARE_MISSING],
        _ => &[&ATTACH],
    };
    let moves = matches!(hazard, Hazard::Update | Hazard::Partition | Hazard::Reboot | Hazard::Move);
    if moves && kinds.len() == 1 {
        ways.push(rests_on(ELSEWHERE, network.iter().copied()));
    }
    ways
}
