//! The mechanisms of CoreOS fleet.

use super::declared::Strength::{Construction, Fence, Order, Scheduler};
use super::declared::{Effect, Mechanism, Removable};
use super::own::{Own, every, first_apart, first_mount, first_port, first_want, lock, one};
use crate::finding::At;
use crate::world::{Apart, Inspect, Kind, Missing, Source, Whom};

/// `unit-name`
pub static UNIT_NAME: Mechanism = Mechanism {
    id: "unit-name",
    strength: Construction,
    what: "one unit has the member's name: fleet gives it one machine, systemd one queue of jobs",
    assumes: "no machine is cut off, and no unit is moved without waiting for its end",
    source: "fleet registry/job.go (the target is created once); systemd",
    found: unit_name,
};
/// `node-bound`
pub static NODE_BOUND: Mechanism = Mechanism {
    id: "node-bound",
    strength: Construction,
    what: "the directory belongs to the machine: a container there uses it, a container on another machine cannot",
    assumes: "the directory is on a disk of this machine only",
    source: "docker bind mounts",
    found: |own| own.directories_of_node_identity(),
};
/// `one-label`
pub static ONE_LABEL: Mechanism = Mechanism {
    id: "one-label",
    strength: Construction,
    what: "a machine has one value of the revision's metadata, so two revisions never require the same machine",
    assumes: "",
    source: "fleet machine/machine.go, HasMetadata",
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
    found: ids,
};
/// `volume-name`
pub static VOLUME: Mechanism = Mechanism {
    id: "volume-name",
    strength: Construction,
    what: "the volume of each member contains its name, so no two members can name the same volume",
    assumes: "all specs for these machines are compiled together",
    source: "docker volumes",
    found: volume,
};
/// `pin`
pub static PIN: Mechanism = Mechanism {
    id: "pin",
    strength: Construction,
    what: "the member runs only on the machine with its number; without it the unit is not scheduled",
    assumes: "one machine for each value, and no value moves while its member runs",
    source: "fleet engine/scheduler.go, agent/state.go; seen: not scheduled when its machine is lost",
    found: pin,
};
/// `unique`
pub static UNIQUE: Mechanism = Mechanism {
    id: "unique",
    strength: Construction,
    what: "berthc rejects two specs that use it on machines that may be the same",
    assumes: "all specs for these machines are compiled together",
    source: "berthc neighbour",
    found: |own| own.directories(),
};
/// `name`
pub static NAME: Mechanism = Mechanism {
    id: "name",
    strength: Fence,
    what: "the container is named after the first data directory or volume: the daemon refuses a second one while the first lives, also after its client was killed; the next unit tries again",
    assumes: "one docker daemon on the machine",
    source: "docker; seen: refused (rc 125) after the client was killed, started once the first had gone",
    found: name,
};
/// `lock`
pub static LOCK: Mechanism = Mechanism {
    id: "lock",
    strength: Fence,
    what: "the process itself holds flock on its data directory until it ends",
    assumes: "no network file system; sh and flock in the image, an sh that keeps variables with dots in their names; the process keeps the inherited descriptor",
    source: "flock(2); seen: the lock inside excludes the one outside, same inode",
    found: |own| own.locked(),
};
/// `attach`
pub static ATTACH: Mechanism = Mechanism {
    id: "attach",
    strength: Fence,
    what: "the storage attaches the volume to one machine",
    assumes: "the plugin does not preempt; for a backend that fences only while connected, the old machine still reaches the storage",
    source: "the volume plugin of the backend; not measured",
    found: attach,
};
/// `path-missing`
pub static PATH_MISSING: Mechanism = Mechanism {
    id: "path-missing",
    strength: Fence,
    what: "a missing directory keeps the container from starting, and the unit tries again; nothing creates it",
    assumes: "the directory is inside the mount, and none is left below the empty mountpoint",
    source: "docker --mount; seen: refused, where -v made the directory",
    found: |own| own.directories_refused(),
};
/// `mounted`
pub static MOUNTED: Mechanism = Mechanism {
    id: "mounted",
    strength: Order,
    what: "systemd mounts the disk of the directory before the unit starts",
    assumes: "the disk is in /etc/fstab or has a mount unit",
    source: "systemd.unit(5), RequiresMountsFor: noauto mounts too; seen on 252 and 257",
    found: mounted,
};
/// `volume-missing`
pub static VOLUME_MISSING: Mechanism = Mechanism {
    id: "volume-missing",
    strength: Fence,
    what: "a volume that does not exist with its driver keeps the container from starting, and the unit tries again",
    assumes: "",
    source: "docker volume inspect in ExecStartPre; systemd tries a failed one again",
    found: volume_missing,
};
/// `publish`
pub static PUBLISH: Mechanism = Mechanism {
    id: "publish",
    strength: Fence,
    what: "docker binds the published port of the machine, and refuses a second container with that port",
    assumes: "",
    source: "docker port allocator",
    found: publish,
};
/// `bind`
pub static BIND: Mechanism = Mechanism {
    id: "bind",
    strength: Fence,
    what: "the kernel allows one listener for a port of the machine's network",
    assumes: "the program binds exactly this port, not a range",
    source: "bind(2)",
    found: |own| own.node_network(),
};
/// `conflicts`
pub static CONFLICTS: Mechanism = Mechanism {
    id: "conflicts",
    strength: Scheduler,
    what: "fleet places no two units of the service on one machine",
    assumes: "fleet checks which units should run, not which still run: the next unit starts 8 ms after the stop is requested",
    source: "fleet agent/state.go, HasConflict",
    found: conflicts,
};
/// `global`
pub static GLOBAL: Mechanism = Mechanism {
    id: "global",
    strength: Scheduler,
    what: "one unit of the name on a machine",
    assumes: "",
    source: "fleet agent/reconcile.go",
    found: global,
};
/// `own-stop`
pub static CLEANS: Mechanism = Mechanism {
    id: "own-stop",
    strength: Order,
    what: "the start first stops a leftover container of its unit, and waits for its end",
    assumes: "the label of the container names its unit",
    source: "docker ps --filter label, docker stop in ExecStartPre; systemd waits for each before ExecStart",
    found: stops_leftovers,
};

/// All mechanisms.
pub const ALL: [&Mechanism; 19] = [
    &UNIT_NAME,
    &NODE_BOUND,
    &ONE_LABEL,
    &PATH,
    &IDS,
    &VOLUME,
    &PIN,
    &UNIQUE,
    &NAME,
    &LOCK,
    &ATTACH,
    &PATH_MISSING,
    &MOUNTED,
    &VOLUME_MISSING,
    &PUBLISH,
    &BIND,
    &CONFLICTS,
    &GLOBAL,
    &CLEANS,
];

/// The mechanisms that a search can remove, in the order of a message.
pub const REMOVABLE: [Removable; 8] = [
    Removable::new(&PUBLISH, Effect::Ports, "its published ports", "a published port", first_port),
    Removable::new(&NAME, Effect::Name, "its container's name", "a container's name after its data", |of| {
        of.member.container.as_ref().map(|(_, at)| at)
    }),
    Removable::new(&LOCK, Effect::Lock, "the lock that its process holds", "", lock),
    Removable::new(&CONFLICTS, Effect::Apart, "its Conflicts", "its Conflicts", first_apart),
    Removable::new(
        &ONE_LABEL,
        Effect::OneLabel,
        "the labels of the nodes",
        "a label of which a node has one value",
        first_want,
    ),
    Removable::new(&ATTACH, Effect::Attach, "the attaching of its volume", "", first_mount),
    Removable::new(&CLEANS, Effect::OwnStop, "its own stop before a start", "", |of| {
        of.workload.stops_leftovers.as_ref()
    }),
    Removable::new(&PIN, Effect::Pin, "its pin", "", first_want),
];

/// Returns `places` if the container ends with its unit. Otherwise the rules of fleet and systemd, which
/// concern the unit, do not hold for the container.
fn of_unit(own: &Own<'_>, places: Vec<At>) -> Vec<At> {
    if own.workload.outlives.is_none() { places } else { Vec::new() }
}

/// Finds a unit with the member's own name.
fn unit_name(own: &Own<'_>) -> Vec<At> {
    of_unit(own, ids(own))
}

fn ids(own: &Own<'_>) -> Vec<At> {
    one(Some(&own.workload.at).filter(|_| own.member.id.is_some()))
}

fn global(own: &Own<'_>) -> Vec<At> {
    of_unit(own, one(Some(&own.workload.kind_at).filter(|_| own.workload.kind == Kind::GlobalUnit)))
}

fn pin(own: &Own<'_>) -> Vec<At> {
    own.pinned("")
}

fn revision(own: &Own<'_>) -> Vec<At> {
    of_unit(own, own.revision(""))
}

/// Finds `Conflicts` with the units of all members.
fn conflicts(own: &Own<'_>) -> Vec<At> {
    let is_own = |a: &&Apart| matches!(&a.whom, Whom::Units(glob) if *glob == own.expected.siblings);
    of_unit(own, own.workload.apart.iter().filter(is_own).map(|a| a.at.clone()).collect())
}

/// Finds `RequiresMountsFor` for every directory.
fn mounted(own: &Own<'_>) -> Vec<At> {
    let of = |path: Option<&str>| own.workload.mounted.iter().find(|(p, _)| Some(p.as_str()) == path);
    every(own.host_data().map(|(_, path)| of(path).map(|(_, at)| at.clone())))
}

/// Finds the name of the container, which the next start waits for. Without the label of its unit,
/// nothing would stop a container that outlived its client, and the next one would wait forever.
fn name(own: &Own<'_>) -> Vec<At> {
    let w = own.workload;
    let labelled = w.labels.get("berth.unit") == Some(&w.name);
    let waits = w.ends_name.is_none() && w.kills.is_none();
    let container = own.read.container.as_ref().filter(|(name, _)| *name == own.member.container);
    one(container.filter(|_| labelled && waits).map(|(_, at)| at))
}

fn publish(own: &Own<'_>) -> Vec<At> {
    own.ports(|port| port.bound)
}

/// Finds volumes with the name of the member.
fn volume(own: &Own<'_>) -> Vec<At> {
    own.on_network(|mount, _, name| mount.volume.as_ref().filter(|v| v.name == name).map(|_| &mount.at))
}

/// Finds volumes with the name of the member whose driver fences.
fn attach(own: &Own<'_>) -> Vec<At> {
    own.on_network(|mount, network, name| {
        let volume = mount.volume.as_ref().filter(|v| v.name == name)?;
        let (driver, at) = volume.driver.as_ref()?;
        (Some(driver) == network.driver.as_ref()).then_some(at)
    })
}

/// Finds the `docker volume inspect` of every volume and its driver before the start. Without it, docker
/// creates a missing volume, and uses a volume of its own driver in place of one of the plugin.
fn volume_missing(own: &Own<'_>) -> Vec<At> {
    own.on_network(|mount, network, name| {
        let driver = network.driver.as_deref()?;
        mount.volume.as_ref().filter(|v| v.name == name)?;
        let shared = matches!(mount.source, Source::Volume { .. });
        let asks = |i: &&Inspect| {
            let has = |word: &str| i.words.iter().any(|w| w == word);
            // Docker's own driver also creates directories; the reader distinguishes its shares
            // from them.
            has(name) && if driver == "local" { shared } else { has(driver) }
        };
        let refused = match &mount.source {
            Source::Host { missing, .. } | Source::Volume { missing, .. } => {
                matches!(missing, Missing::Refused | Missing::Crashed)
            }
            Source::Ephemeral => false,
        };
        own.workload.inspects.iter().find(asks).filter(|_| refused).map(|i| &i.at)
    })
}

/// Finds a start that first stops the leftover containers of its unit.
fn stops_leftovers(own: &Own<'_>) -> Vec<At> {
    one(own.workload.stops_leftovers.as_ref())
}
