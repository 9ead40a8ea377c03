//! The table for CoreOS fleet: the mechanisms that must protect each resource under each hazard.

use super::{
    ELSEWHERE, EMPTY, Expect, HERE, Hazard, OTHER, Resource, SAME, Shape, Way, Where, rests_on, way,
};
use crate::backend::Fences;
use crate::mechanism::Mechanism;
use crate::mechanism::fleet::{
    ATTACH, BIND, CONFLICTS, GLOBAL, IDS, LOCK, MOUNTED, NAME, NODE_BOUND, ONE_LABEL, PATH, PATH_MISSING,
    PIN, PUBLISH, UNIQUE, UNIT_NAME, VOLUME, VOLUME_MISSING,
};
use crate::text::units::Version;

/// Returns what must protect a cell.
pub fn expect(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    // A container that cannot get its data, or the right to write, does not start, so it holds nothing
    // else. This does not cover containers of another service.
    let first = shape.data != Where::Nowhere || shape.workload.writer && resource != Resource::Writer;
    match resource {
        Resource::Data if hazard == Hazard::Relabel && shape.data != Where::Host && !shape.placed => {
            Expect::Never("no metadata places it")
        }
        Resource::Data => Expect::Held(data(shape, hazard)),
        Resource::Port => port(shape, hazard),
        _ if first && hazard != Hazard::Neighbour => Expect::AsData,
        Resource::Address if shape.workload.ports.is_empty() => {
            Expect::Never("it claims no port of its machine's address")
        }
        Resource::Address => port(shape, hazard),
        Resource::Writer | Resource::Hostname | Resource::Id => bare(shape, resource, hazard),
    }
}

fn port(shape: &Shape<'_>, hazard: Hazard) -> Expect {
    match hazard {
        Hazard::Partition | Hazard::Move => Expect::Never("it belongs to its machine"),
        _ if shape.node_network => Expect::Held(vec![way(HERE, [&BIND])]),
        _ => Expect::Held(vec![way(HERE, [&PUBLISH])]),
    }
}

/// Returns the ways for members without data. Only their placement protects them: a name on one
/// machine, a pin on two.
fn bare(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    let pinned = || way(ELSEWHERE, shape.pinned.then_some(&PIN as &'static Mechanism));
    Expect::Held(match hazard {
        Hazard::Colocate => return Expect::Never("each member has its own"),
        Hazard::Move => return Expect::Never("there is no data to miss"),
        Hazard::Relabel if !shape.placed => return Expect::Never("no metadata places it"),
        Hazard::Relabel => vec![way(HERE, [&NAME]), way(ELSEWHERE, [])],
        Hazard::Partition => vec![pinned()],
        Hazard::Update | Hazard::Reboot | Hazard::Force => vec![way(HERE, [&NAME]), pinned()],
        Hazard::Neighbour if resource == Resource::Id => vec![way(SAME, [&IDS])],
        Hazard::Neighbour => vec![way(SAME, [&UNIT_NAME])],
        Hazard::Revisions => vec![way(HERE, [&UNIT_NAME, &NAME])],
    })
}

fn data(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    match shape.data {
        Where::Network(fences) => on_volumes(shape, fences, hazard),
        _ if shape.per_node => {
            let mut ways = on_each_machine(shape, hazard);
            // Any other unit can move between machines.
            if !matches!(hazard, Hazard::Neighbour | Hazard::Force) {
                ways.push(rests_on(ELSEWHERE, [&GLOBAL]));
            }
            ways
        }
        _ => {
            let mut ways = on_pinned_machines(shape, hazard);
            // The ways to two holders of a volume that the directory next to it does not prevent.
            if shape.beside && matches!(hazard, Hazard::Colocate | Hazard::Move | Hazard::Neighbour) {
                ways.extend(on_volumes(shape, Fences::Never, hazard));
            }
            ways
        }
    }
}

/// Makes the way of a second container on the same machine. `first` and the lock prevent it.
fn here(shape: &Shape<'_>, hazard: Hazard, first: &[&'static Mechanism]) -> Way {
    let together = !matches!(hazard, Hazard::Revisions | Hazard::Relabel) || shape.one_lock;
    let lock = (shape.guard && together).then_some(&LOCK as &'static Mechanism);
    way(HERE, first.iter().copied().chain(lock))
}

fn on_each_machine(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let keeps_globals_apart =
        shape.service.targets.fleet.as_ref().is_some_and(|f| f.version >= Version::new(1, 0));
    // Containers are named after the first directory.
    let name: &[&'static Mechanism] = if shape.one_first { &[&NAME] } else { &[] };
    match hazard {
        Hazard::Colocate => vec![here(&[&GLOBAL, &NAME])],
        Hazard::Revisions if keeps_globals_apart => {
            vec![here(&[&[&ONE_LABEL as &'static Mechanism, &CONFLICTS], name].concat())]
        }
        Hazard::Revisions => vec![here(&[&[&ONE_LABEL as &'static Mechanism], name].concat())],
        Hazard::Relabel => vec![here(name)],
        Hazard::Update | Hazard::Force => vec![here(&[&NAME])],
        Hazard::Partition => vec![way(ELSEWHERE, [&NODE_BOUND])],
        Hazard::Reboot => {
            vec![here(&[&NAME]), way(EMPTY, [&PATH_MISSING, &MOUNTED]), rests_on(EMPTY, [&PATH_MISSING])]
        }
        Hazard::Move => vec![way(OTHER, [&NODE_BOUND]), way(EMPTY, [&PATH_MISSING])],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE])],
    }
}

/// Returns the way to a second container on another machine, where fleet does not schedule it and
/// its directory is missing. People create directories wherever a member can run, so the missing
/// directory counts only together with the pin.
fn not_elsewhere() -> [Way; 3] {
    [way(ELSEWHERE, [&PIN, &PATH]), way(ELSEWHERE, [&PIN, &PATH_MISSING]), rests_on(ELSEWHERE, [&PIN])]
}

fn on_pinned_machines(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let [id, there, pin] = not_elsewhere();
    match hazard {
        Hazard::Colocate if shape.workload.count() > 1 => vec![here(&[&PATH, &CONFLICTS])],
        Hazard::Colocate => vec![here(&[&PATH])],
        Hazard::Update => vec![here(&[&NAME]), pin],
        Hazard::Force => vec![here(&[&NAME])],
        Hazard::Revisions => vec![here(&[&UNIT_NAME, &NAME])],
        Hazard::Relabel => {
            vec![here(&[&NAME]), way(ELSEWHERE, [&PATH]), way(ELSEWHERE, [&PATH_MISSING]), pin]
        }
        Hazard::Partition => vec![id, there, pin],
        // A path without a mount unit, such as one that a script mounts, has no order.
        Hazard::Reboot => vec![
            here(&[&NAME]),
            id,
            there,
            pin,
            way(EMPTY, [&PATH_MISSING, &MOUNTED]),
            rests_on(EMPTY, [&PATH_MISSING]),
        ],
        Hazard::Move => vec![way(OTHER, [&PATH]), way(EMPTY, [&PATH_MISSING]), pin],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE])],
    }
}

fn on_volumes(shape: &Shape<'_>, fences: Fences, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let elsewhere = |pin: bool, attach: bool| {
        let pin = (shape.pinned && pin).then_some(&PIN as &'static Mechanism);
        way(ELSEWHERE, pin.into_iter().chain(attach.then_some(&ATTACH as &'static Mechanism)))
    };
    let (connected, always) = (fences != Fences::Never, fences == Fences::Always);
    match hazard {
        // `Conflicts` concerns one machine. A volume can be mounted on all.
        Hazard::Colocate if shape.workload.count() > 1 => {
            vec![here(&[&VOLUME, &CONFLICTS]), rests_on(OTHER, [&VOLUME])]
        }
        Hazard::Colocate => vec![here(&[&VOLUME])],
        Hazard::Revisions => vec![here(&[&UNIT_NAME, &NAME])],
        // Attaching excludes other machines. On one machine a volume serves every container.
        Hazard::Relabel => vec![here(&[&NAME]), elsewhere(false, connected)],
        Hazard::Partition => vec![elsewhere(true, always)],
        Hazard::Update | Hazard::Reboot => vec![here(&[&NAME]), elsewhere(true, connected)],
        Hazard::Force => vec![here(&[&NAME]), elsewhere(true, always)],
        Hazard::Move => {
            // After a crash of dockerd nothing keeps a member from the empty mountpoint of a plugin.
            let crash = shape.workload.volumes().any(|(_, v)| v.by_plugin()).then(|| way(EMPTY, []));
            [way(OTHER, [&VOLUME]), way(EMPTY, [&VOLUME_MISSING])].into_iter().chain(crash).collect()
        }
        Hazard::Neighbour => vec![way(SAME, [&VOLUME])],
    }
}
