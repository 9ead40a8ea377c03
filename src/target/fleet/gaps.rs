//! What fleet cannot hold or express. What holds otherwise, by hazard:
//!
//! | hazard | data on the machine | data on volumes | no data |
//! |---|---|---|---|
//! | colocate | directories of their own (the id is in the path), bound ports; Conflicts | volumes of their own, bound ports; Conflicts | bound ports; Conflicts |
//! | update | one unit name is one queue of systemd; the container's name until it is gone | the same; elsewhere the attached volume | the same; elsewhere only a pin |
//! | revisions | one machine has one value of `SERVICE-revision`; the container's name, if the first directory is the same; Conflicts (1.0.0) | none | the container's name |
//! | relabel | elsewhere the directory is missing; here the container's name | the attached volume; **nothing where attaching does not exclude** | **nothing across machines** |
//! | partition | the directory, the pin | the attached volume, or a pin; **else nothing** | a pin; **else nothing** |
//! | reboot | as partition; `RequiresMountsFor`, `--mount` | as partition | as partition |
//! | move | `--mount` refuses a directory that is missing | `docker volume inspect` first | none |
//! | neighbour | the container's name, bound ports, and the check of the specs | the volume's name | bound ports |
//!
//! fleet stops no unit on a machine that it lost (`agent/reconcile.go` ends its pass when etcd
//! does not answer), starts it elsewhere when its key expires (30 s), and on every other move
//! starts the new one without waiting for the old (`systemd/manager.go` stops with no wait).

use super::naming::pin;
use super::{schedule, storage};
use crate::model::backend::Fences;
use crate::model::{Data, DataAt, Members, Service, Workload};
use crate::route;
use crate::source::Route;
use crate::target::{Context, Gap};

const CUT_OFF: &str = "a machine that is cut off runs its units on; fleet starts them elsewhere after 30 s, and after a stop or reboot without waiting for its end";
const MOVED: &str = "when the pin's metadata moves to another machine, fleet starts the member there and only asks the old one to stop";

/// Reports the gaps of `service`.
pub fn judge(context: &mut Context<'_>, service: &Service, w: &Workload) {
    let mut gaps = Vec::new();
    gaps.extend(dedicated(service, w));
    gaps.extend(volumes(service, w));
    gaps.extend(without_data(service, w));
    gaps.extend(revisions(context, service, w));
    gaps.extend(apart(context, service, w));
    gaps.into_iter().for_each(|gap| context.gap(service, gap));
}

fn dedicated(service: &Service, w: &Workload) -> Option<Gap> {
    let Members::PerNode { dedicated: true, .. } = w.members else { return None };
    Some(Gap::new(
        "fleet/members.dedicated",
        service.key(&route!["members", "dedicated"]),
        "fleet cannot keep other units off a machine",
        "Conflicts=* would also meet every global unit of the machine, and one of the two never runs",
    ))
}

/// The line that holds the members to machines on fleet alone.
fn pin_line(service: &Service) -> String {
    format!("targets: {{ fleet: {{ pin: {} }} }}", service.name)
}

fn stop_line(service: &Service, w: &Workload) -> String {
    format!("fleetctl stop {}", super::names::unit(service, None, Some(w.ids().start)))
}

/// Volumes that a second machine can attach while the first one still has them.
fn volumes(service: &Service, w: &Workload) -> Option<Gap> {
    let fences = storage::fences(w)?;
    let weakest =
        |(_, v): &(&Data, &crate::model::Volume)| v.backend.plugin.is_none_or(|p| p.fences == fences);
    let (data, volume) = w.volumes().find(weakest)?;
    // Without a plugin there is nothing to judge: that is an error of its own.
    let driver = volume.backend.plugin?.driver;
    let place = service.place(&data.route.at("volume").at("backend"));
    let pinned = pin(service, w).is_some();
    let on_host = w.data.iter().any(|d| matches!(d.at, DataAt::Host { .. }));
    match (fences, pinned) {
        (Fences::Always, _) | (Fences::WhileConnected, true) => None,
        (Fences::WhileConnected | Fences::Never, false) => Some(
            Gap::new(
                "fleet/data/partition",
                place,
                format!("two containers may write one volume of {driver} while a machine is cut off"),
                CUT_OFF,
            )
            .mend("hold each member to one machine on fleet", pin_line(service)),
        ),
        (Fences::Never, true) if on_host => None,
        (Fences::Never, true) => Some(
            Gap::new(
                "fleet/data/relabel",
                place,
                format!(
                    "two containers may write one volume of {driver} while a pin moves: it takes no lock"
                ),
                MOVED,
            )
            .mend("stop a member before its pin moves, and accept", stop_line(service, w)),
        ),
    }
}

/// Members that hold nothing of a machine and nothing of a storage.
fn without_data(service: &Service, w: &Workload) -> Vec<Gap> {
    if w.per_node() || !w.data.is_empty() {
        return Vec::new();
    }
    let pinned = pin(service, w).is_some();
    let at = |field: &str| route!["exclusive", field];
    let claimed: Vec<(&str, Route)> = match (w.writer, pinned) {
        // A floating writer is an error already.
        (true, false) => Vec::new(),
        (true, true) => vec![("writer", at("writer"))],
        (false, _) => {
            let all = [("id", w.id.is_some()), ("hostname", w.hostname)];
            all.into_iter().filter(|c| c.1).map(|c| (c.0, at(c.0))).collect()
        }
    };
    let gap = |(resource, route): (&str, Route)| {
        let place = service.key(&route);
        if pinned {
            let message = format!("two containers may have one {resource} while a pin moves");
            return Gap::new(format!("fleet/{resource}/relabel"), place, message, MOVED)
                .mend("stop a member before its pin moves, and accept", stop_line(service, w));
        }
        let message = format!("two containers may have one {resource} while a machine is cut off");
        Gap::new(format!("fleet/{resource}/partition"), place, message, CUT_OFF)
            .mend("hold each member to one machine on fleet", pin_line(service))
    };
    claimed.into_iter().map(gap).collect()
}

/// Revisions that share a directory, but not the first one, of which the container is named.
fn revisions(context: &Context<'_>, service: &Service, w: &Workload) -> Option<Gap> {
    let hosts = |w: &Workload| -> Vec<String> {
        w.data.iter().filter_map(|d| d.host()).map(|t| t.text.clone()).collect()
    };
    let own = hosts(w);
    let meets = |other: &&Service| {
        let theirs = other.workload().map(hosts).unwrap_or_default();
        theirs.first() != own.first() && own.iter().any(|path| theirs.contains(path))
    };
    let other = context.group.iter().take_while(|s| !std::ptr::eq(**s, service)).copied().find(meets)?;
    let revision = other.revision.as_deref().unwrap_or_default();
    Some(
        Gap::new(
            "fleet/data/revisions",
            service.key(&route!["exclusive", "data"]),
            format!("this revision and {revision} share a directory, but not the first one"),
            "a container is named after its first directory, and only that name keeps the next revision waiting until the last one has stopped",
        )
        .mend("begin with the same directory in both", format!("host: {}", hosts(other.workload()?).first()?)),
    )
}

fn apart(context: &Context<'_>, service: &Service, w: &Workload) -> Option<Gap> {
    let (i, name) = *schedule::not_apart(context, service, w).first()?;
    Some(
        Gap::new(
            "fleet/apart_from",
            service.place(&route!["apart_from", i]),
            format!("fleet 0.13 cannot keep {} and {name} off one machine", service.name),
            "one of them is a global unit, which this version starts beside whatever runs",
        )
        .mend("fleet 1.0.0 can", "targets: { fleet: { version: \"1.0.0\" } }"),
    )
}
