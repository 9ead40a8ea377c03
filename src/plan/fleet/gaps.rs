//! Reports what fleet cannot protect or express. This table shows what protects the rest, by
//! hazard:
//!
//! | hazard | data on the machine | data on volumes | no data |
//! |---|---|---|---|
//! | colocate | directories of their own (the id is in the path), bound ports; Conflicts | volumes of their own, bound ports; Conflicts | bound ports; Conflicts |
//! | update | one unit name is one queue of systemd; the container's name until it is gone | the same; elsewhere the attached volume or a pin; **else nothing** | the same; elsewhere only a pin |
//! | revisions | one machine has one value of `SERVICE-revision`; the container's name, if the first directory is the same; Conflicts (1.0.0) | one unit name | one unit name |
//! | relabel | elsewhere the directory is missing; here the container's name, **if all revisions have the first directory in common** | the attached volume; **nothing where attaching does not exclude** | **nothing across machines** |
//! | partition | the directory, the pin | the attached volume, or a pin; **else nothing** | a pin; **else nothing** |
//! | reboot | as partition; `RequiresMountsFor`, `--mount` | as partition | as partition |
//! | move | `--mount` refuses a directory that is missing | `docker volume inspect` first; **nothing where a plugin mounts, after a crash of dockerd** (moby `plugin/manager.go`) | none |
//! | neighbour | the container's name, bound ports, and the check of the specs | the volume's name | bound ports |
//!
//! fleet stops no unit on a machine that it has lost (`agent/reconcile.go` ends its pass if etcd
//! does not answer). It starts the unit elsewhere when the key of the machine expires (30 s). On
//! every other move it starts the new unit without waiting for the old one (`systemd/manager.go`
//! stops without waiting).

use super::naming::pin;
use super::schedule;
use crate::backend::Fences;
use crate::gap::{Gap, GapId};
use crate::hazard::{Hazard, Resource};
use crate::model::{Data, DataAt, Members, Service, Workload};
use crate::plan::context::Context;
use crate::route;
use crate::spec::source::Route;
use crate::target::Target;

/// The cases in which fleet starts a unit on another machine while the old container keeps running:
/// hazard, when, and why.
const MOVES: [(Hazard, &str, &str); 3] = [
    (
        Hazard::Partition,
        "while a machine is unreachable",
        "its units keep running, and fleet starts them elsewhere after 30 s",
    ),
    (
        Hazard::Reboot,
        "while a machine shuts down",
        "fleetd tells its units to stop and exits; fleet starts them elsewhere without waiting until they have stopped",
    ),
    (
        Hazard::Update,
        "during an update",
        "`destroy` returns before the container has stopped, and the next start may be on another machine",
    ),
];
const MOVED: &str = "when the metadata moves to another machine, fleet starts the member there and does not wait until the old one has stopped";

fn gap_id(resource: Resource, hazard: Hazard) -> GapId {
    GapId::cell(Target::Fleet, resource, hazard)
}

/// Reports the gaps of `service`.
pub fn judge(context: &mut Context<'_>, service: &Service, w: &Workload) {
    let mut gaps = Vec::new();
    gaps.extend(dedicated(service, w));
    gaps.extend(volumes(service, w));
    gaps.extend(crash(service, w));
    gaps.extend(without_data(service, w));
    gaps.extend(revisions(context, service));
    gaps.extend(apart(context, service, w));
    gaps.extend(live(service, w));
    gaps.into_iter().for_each(|gap| context.gap(service, gap));
}

fn dedicated(service: &Service, w: &Workload) -> Option<Gap> {
    let Members::PerNode { dedicated: true, .. } = w.members else { return None };
    Some(Gap::new(
        GapId::field(Target::Fleet, "members.dedicated"),
        service.key(&route!["members", "dedicated"]),
        "fleet cannot keep other units away from a machine",
        "Conflicts=* would also match every global unit of the machine, and one of the two would never run",
    ))
}

fn stop_line(service: &Service, w: &Workload) -> String {
    format!("fleetctl stop {}", super::names::unit(service, None, Some(w.ids().start)))
}

/// Returns whether metadata decides where a member of `w` runs.
fn placed(service: &Service, w: &Workload) -> bool {
    let added = service.targets.fleet.iter().flat_map(|f| &f.unit).any(|s| s.name == "X-Fleet");
    pin(service, w).is_some() || added || w.volumes().any(|(_, v)| !v.zones.is_empty())
}

/// Returns the gaps of volumes that a second machine can attach while the first one still uses
/// them.
fn volumes(service: &Service, w: &Workload) -> Vec<Gap> {
    // With a host directory there is no gap: another machine does not have it, and docker checks it
    // before it mounts a volume.
    let on_host = w.data.iter().any(|d| matches!(d.at, DataAt::Host { .. }));
    let Some(fences) = service.fences(Target::Fleet).filter(|_| !on_host) else { return Vec::new() };
    let weakest =
        |(_, v): &(&Data, &crate::model::Volume)| v.backend.plugin.is_some_and(|p| p.fences == fences);
    let Some((data, driver)) =
        w.volumes().find(weakest).and_then(|(d, v)| Some((d, v.backend.plugin?.driver)))
    else {
        return Vec::new();
    };
    let place = service.place(&data.route.at("volume").at("backend"));
    let pinned = pin(service, w).is_some();
    let opens =
        (fences == Fences::Never && !placed(service, w)).then(|| gap_id(Resource::Data, Hazard::Relabel));
    let floats = |(hazard, when, why): &(Hazard, &str, &str)| {
        let message = format!("two containers may write to one volume of {driver} {when}");
        Gap::new(gap_id(Resource::Data, *hazard), place, message, *why).pin(&service.name, opens.clone())
    };
    let mut gaps: Vec<Gap> = match (fences, pinned) {
        (Fences::Always, _) | (_, true) => Vec::new(),
        // Without a partition, the old machine still holds the volume.
        (Fences::WhileConnected, false) => MOVES.iter().take(1).map(floats).collect(),
        (Fences::Never, false) => MOVES.iter().map(floats).collect(),
    };
    if fences == Fences::Never && placed(service, w) {
        let message = format!(
            "two containers may write to one volume of {driver} while metadata moves, because the volume has no lock"
        );
        let gap = Gap::new(gap_id(Resource::Data, Hazard::Relabel), place, message, MOVED);
        gaps.push(
            gap.fix("stop a member before you move its metadata, and accept the gap", stop_line(service, w)),
        );
    }
    gaps
}

/// Returns the gap of volumes that a plugin of docker mounts. A plugin that has outlived its dockerd is started
/// again, and at the same time the folder through which its mounts reach the machine is unmounted (moby
/// `plugin/manager.go`, HandleExitEvent). Seen on docker 20.10.24 under systemd 252, for each of four volumes.
fn crash(service: &Service, w: &Workload) -> Option<Gap> {
    let (data, _) = w.volumes().find(|(_, volume)| volume.by_plugin())?;
    let place = service.place(&data.route.at("volume").at("backend"));
    let message = format!(
        "after a crash of dockerd a member may start on an empty folder of its machine in place of {}",
        data.name
    );
    let why = "dockerd and systemd start plugin and member again, and what the plugin mounts may not reach the machine then";
    Some(
        Gap::new(gap_id(Resource::Data, Hazard::Move), place, message, why)
            .fix("restart a machine whose dockerd has crashed, and accept the gap", ""),
    )
}

/// Returns the gaps of members without a resource on a machine or a storage.
fn without_data(service: &Service, w: &Workload) -> Vec<Gap> {
    if w.per_node() || !w.data.is_empty() {
        return Vec::new();
    }
    let pinned = pin(service, w).is_some();
    let at = |field: &str| route!["exclusive", field];
    let claimed: Vec<(Resource, Route)> = match (w.writer, pinned) {
        // A writer without a pin is already an error.
        (true, false) => Vec::new(),
        (true, true) => vec![(Resource::Writer, at("writer"))],
        (false, _) => {
            let all = [(Resource::Id, w.id.is_some()), (Resource::Hostname, w.hostname)];
            all.into_iter().filter(|c| c.1).map(|c| (c.0, at(c.0.name()))).collect()
        }
    };
    let mut gaps = Vec::new();
    for (resource, route) in claimed {
        let place = service.key(&route);
        for (hazard, when, why) in MOVES.iter().filter(|_| !pinned) {
            let message = format!("two containers may have the same {} {when}", resource.name());
            let gap = Gap::new(gap_id(resource, *hazard), place, message, *why);
            let opens = (!placed(service, w)).then(|| gap_id(resource, Hazard::Relabel));
            gaps.push(gap.pin(&service.name, opens));
        }
        if placed(service, w) {
            let message =
                format!("two containers may have the same {} while metadata moves", resource.name());
            let gap = Gap::new(gap_id(resource, Hazard::Relabel), place, message, MOVED);
            gaps.push(gap.fix(
                "stop a member before you move its metadata, and accept the gap",
                stop_line(service, w),
            ));
        }
    }
    gaps
}

/// Returns the gap of revisions that share a directory other than the first one, which gives the
/// container its name.
fn revisions(context: &Context<'_>, service: &Service) -> Option<Gap> {
    let other = context.model.other_first(service)?;
    let revision = other.revision.as_deref().unwrap_or_default();
    Some(
        Gap::new(
            gap_id(Resource::Data, Hazard::Relabel),
            service.key(&route!["exclusive", "data"]),
            format!("this revision and {revision} share a directory, but their first directories differ"),
            "the name of a container comes from its first directory, and only this name makes the next revision wait until the last one has stopped",
        )
        .fix(
            "put the same directory first in both",
            format!("host: {}", other.workload().and_then(Workload::first_host).unwrap_or_default()),
        ),
    )
}

fn apart(context: &Context<'_>, service: &Service, w: &Workload) -> Option<Gap> {
    let (i, name) = *schedule::not_apart(context, service, w).first()?;
    Some(
        Gap::new(
            GapId::field(Target::Fleet, "apart_from"),
            service.place(&route!["apart_from", i]),
            format!("fleet 0.13 cannot keep {} and {name} apart", service.name),
            "one of them is a global unit, and this version ignores conflicts when it starts global units",
        )
        .fix("require fleet 1.0.0, which can", "targets: { fleet: { version: \"1.0.0\" } }"),
    )
}

/// Returns the gap of `live`: docker runs the check, and nothing acts on its result. A container
/// has no restart policy for its health (docker `daemon/health.go` sets a status and sends an
/// event), and systemd sees only that the process ends.
fn live(service: &Service, w: &Workload) -> Option<Gap> {
    let live = w.health.live.as_ref()?;
    Some(Gap::new(
        GapId::field(Target::Fleet, "health.live"),
        service.key(&live.route),
        "fleet does not restart a member that fails this check",
        if super::container::has_shell(w) {
            "docker marks its container as unhealthy, and nothing restarts it; an alert must call a person"
        } else {
            "docker runs the check with the shell of the image, and the spec does not show that the image has a shell, so the check is left out"
        },
    ))
}
