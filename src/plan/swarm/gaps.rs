//! Reports what Swarm cannot protect or express. This table shows what protects each hazard
//! (sources are in swarmkit unless noted):
//!
//! | hazard | on one node | on two nodes |
//! |---|---|---|
//! | colocate | the lock: a port in host mode, or one task of a global service; the member's id or name in the path or volume | - |
//! | update | the lock, counted until the old task has stopped (`manager/scheduler/nodeinfo.go`) | a pin, or a volume that a connected node keeps to itself; `stop-first` alone waits 60 s and no more (`manager/orchestrator/restart/restart.go`), and the node signals 2 s late |
//! | revisions | the revision's label has one value; all generations use the same lock | a pin, or a volume that a connected node keeps to itself; a second deploy before the old task has ended makes `stop-first` forget that task (`manager/orchestrator/update/updater.go`) |
//! | relabel | on an overlay docker's port allocator still has the lock; on the node's network nothing is bound and the task counts as rejected (`manager/orchestrator/constraintenforcer`): only `guard: lock` | the replacement does not wait: a directory with the id in its path, or a volume that a connected node keeps to itself. A cluster volume's reservation falls with the rejection |
//! | partition, reboot | after the node reconnects, the lock; a restarted dockerd first kills the containers of its last run | a pin: no other node is eligible; a volume that always fences; a cluster volume stays reserved (24 h: then the node counts as orphaned) |
//! | move | a missing directory refuses the task | a missing volume is made, empty, by docker or its plugin; NFS mounts a directory that must exist; a cluster volume must exist, but after a crash of dockerd the mounts of its driver may not reach the node (moby `daemon/pkg/plugin/manager.go`) |
//! | neighbour | the lock | paths and volumes carry names |
//! | force | a duty | a duty |
//!
//! With a grace period above 55 s Swarm may start the new task first, but the lock still holds.
//! Whatever protects a member's data protects its whole berth, so hostname, id and writer are
//! checked only for members without data.

use super::raw;
use super::service::SwarmService;
use crate::backend::Fences;
use crate::diag::Place;
use crate::gap::{Gap, GapId};
use crate::hazard::{Hazard, Resource};
use crate::model::Members;
use crate::plan::context::Context;
use crate::route;
use crate::spec::source::Route;
use crate::target::{SWARM_LONGEST_GRACE, SWARM_OLD_TASK_TIMEOUT, Target};

/// The cases in which Swarm loses track of a running container: hazard, when, and what follows.
const LOST: [(Hazard, &str, &str); 2] = [
    (
        Hazard::Partition,
        "while a node is unreachable",
        "Swarm starts the member elsewhere 19 s after it loses a node, while the old container keeps running",
    ),
    (
        Hazard::Reboot,
        "while a node's dockerd is down",
        "containers keep running after dockerd is killed; Swarm considers the node lost and starts the member elsewhere",
    ),
];
/// The case in which `stop-first` forgets the task that still stops: when, and what follows.
const TWICE: (&str, &str) = (
    "when a deploy or a rollback comes before the old container of the last deploy has ended",
    "Swarm then waits only for the task of the last deploy, which never started; the oldest container still stops",
);
/// How an operator moves a label without two containers.
const MOVE: &str =
    "to move a member, scale it to 0, wait until its container is gone, move the label, and scale it to 1";

fn gap_id(resource: Resource, hazard: Hazard) -> GapId {
    GapId::cell(Target::Swarm, resource, hazard)
}

/// Reports every gap of `subject`.
pub fn judge(context: &mut Context<'_>, subject: SwarmService<'_>) {
    let mut gaps = Vec::new();
    if subject.workload.data.is_empty() {
        bare(subject, &mut gaps);
    } else {
        data(context, subject, &mut gaps);
    }
    gaps.extend(fields(subject));
    gaps.extend(apart(context, subject));
    for gap in gaps {
        context.gap(subject.service, gap);
    }
}

/// Returns how well the data excludes a second node. Another node does not have a host directory of
/// this one, and a task needs all its mounts. Of several volumes the weakest decides. `None` if a
/// plugin is missing, which is reported elsewhere.
fn reach(subject: SwarmService<'_>) -> Option<Fences> {
    let w = subject.workload;
    if w.data.iter().any(|d| d.host().is_some()) {
        return Some(Fences::Always);
    }
    subject.service.fences(Target::Swarm)
}

/// Returns the place of the first volume, and its name with the member in words.
fn volume(subject: SwarmService<'_>) -> Option<(Place, String)> {
    let (data, volume) = subject.workload.volumes().next()?;
    let place = subject.service.place(&data.route.at("volume").at("backend"));
    let id = subject.ids().into_iter().next().flatten();
    Some((place, format!("{}-{} ({})", data.name, subject.name(id), volume.backend_name)))
}

/// Adds a pin as a fix, for members without one.
fn pinned(subject: SwarmService<'_>, gap: Gap) -> Gap {
    match subject.pin() {
        Some(_) => gap,
        None => gap.pin(&subject.service.name, None),
    }
}

/// Adds cluster volumes as a fix, if all volumes have a CSI driver and their fencing is `enough`.
fn cluster(subject: SwarmService<'_>, gap: Gap, enough: fn(Fences) -> bool) -> Gap {
    let serves = subject.workload.volumes().all(|(_, v)| v.csi.is_some() && enough(v.backend.fences));
    if !serves || subject.swarm.csi {
        return gap;
    }
    let or = if gap.fixes.is_empty() { "" } else { "or " };
    let relabel = gap_id(Resource::Data, Hazard::Relabel);
    let mut gap = gap;
    gap.opens.extend((placed(subject) && gap.id != relabel).then_some(("cluster volumes", relabel)));
    // The others have this gap already.
    let shares = subject.workload.volumes().all(|(_, v)| !v.by_plugin());
    gap.opens.extend(shares.then(|| ("cluster volumes", gap_id(Resource::Data, Hazard::Move))));
    gap.fix(
        format!("{or}let Swarm manage the volume (engine 23 and newer)"),
        subject.swarm.with_cluster_volumes(),
    )
}

/// Returns whether a label decides where a member runs.
fn placed(subject: SwarmService<'_>) -> bool {
    let zoned = subject.workload.volumes().any(|(_, v)| !v.zones.is_empty());
    subject.pin().is_some() || zoned || raw::constrains(&subject.swarm.service)
}

/// Reports the gaps of members with data.
fn data(context: &Context<'_>, subject: SwarmService<'_>, gaps: &mut Vec<Gap>) {
    let (w, swarm) = (subject.workload, subject.swarm);
    let floats = subject.pin().is_none() && !w.per_node();
    if let (Some((place, name)), Some(reach)) = (volume(subject), reach(subject)) {
        if reach != Fences::Always && floats && !swarm.csi {
            for (hazard, when, why) in LOST {
                let message = format!("two containers may write to {name} {when}");
                let gap = Gap::new(gap_id(Resource::Data, hazard), place, message, why);
                gaps.push(cluster(subject, pinned(subject, gap), |_| true));
            }
        }
        if reach == Fences::Never && floats && !swarm.csi {
            let message = format!("two containers may write to {name} {}", TWICE.0);
            let gap = Gap::new(gap_id(Resource::Data, Hazard::Revisions), place, message, TWICE.1);
            gaps.push(cluster(subject, pinned(subject, gap), |_| true));
        }
        if reach == Fences::Never && floats && !swarm.csi && w.stop.grace > SWARM_LONGEST_GRACE {
            let why = format!(
                "stop-first waits {SWARM_OLD_TASK_TIMEOUT} s for the old task, which gets its signal 2 to 3 s late and has {} s; the new task may be on another node",
                w.stop.grace
            );
            let gap = Gap::new(
                gap_id(Resource::Data, Hazard::Update),
                place,
                format!("an update may run two containers that write to {name}"),
                why,
            );
            gaps.push(cluster(subject, pinned(subject, gap), |_| true));
        }
        gaps.extend(empty(subject, place, &name));
    }
    gaps.extend(relabel(context, subject));
}

/// Returns the gap of a member that starts without its data. What a plugin mounts reaches the containers
/// through a folder of the node. A dockerd that comes back after a crash starts its plugins again, and may
/// unmount this folder when they run already (moby `daemon/pkg/plugin/manager.go`, `HandleExitEvent`, while
/// `reload` enables the plugin; measured on 20.10.24 and 29).
fn empty(subject: SwarmService<'_>, place: Place, name: &str) -> Option<Gap> {
    let (message, why) = match subject.swarm.csi {
        true => (
            format!(
                "after a crash of dockerd a member may start on an empty folder of its node in place of {name}"
            ),
            "dockerd starts the volume's driver again, and what it mounts may not reach the node then",
        ),
        false if subject.workload.volumes().any(|(_, v)| v.by_plugin()) => (
            format!("a member may start on an empty volume where {name} is missing"),
            "docker and its volume plugins create a volume that does not exist, and after a crash of dockerd what a plugin mounts may not reach the node",
        ),
        false => return None,
    };
    Some(Gap::new(gap_id(Resource::Data, Hazard::Move), place, message, why))
}

/// Returns one gap for both ways in which a changed label leaves the data with two holders.
fn relabel(context: &Context<'_>, subject: SwarmService<'_>) -> Option<Gap> {
    let w = subject.workload;
    let locked = context.model.one_lock(subject.service);
    if w.node_network && !locked {
        let gap = Gap::new(
            gap_id(Resource::Data, Hazard::Relabel),
            subject.service.key(&route!["exclusive", "address"]),
            "a label change under a running member starts a second container on the same data",
            "on the node's network only the scheduler counts a published port, and it no longer counts it once it evicts a task",
        );
        return Some(gap.fix(
            if w.guard {
                "let every revision take the lock, on the same first directory"
            } else {
                "let the process lock its data; this needs `command`, and sh and flock in the image"
            },
            "exclusive: { guard: lock }",
        ));
    }
    let (place, _) = volume(subject)?;
    // Another node has no directory of this member, so a task that mounts one never starts there.
    let on_node = w.data.iter().any(|d| d.host().is_some());
    if subject.swarm.csi && placed(subject) && !on_node {
        let gap = Gap::new(
            gap_id(Resource::Data, Hazard::Relabel),
            place,
            "a label changed under a running member moves its volume to another node, and starts a second container on it",
            "Swarm frees the volume of an evicted task, attaches it to the next node and detaches it from the old one while the old container stops",
        );
        return Some(gap.fix(MOVE, ""));
    }
    if reach(subject)? != Fences::Never {
        return None;
    }
    let gap = Gap::new(
        gap_id(Resource::Data, Hazard::Relabel),
        place,
        "a changed label, or a scale to 0 and back, starts a second container on the same data",
        "it starts on another node at once, while the old one stops, and nothing limits this volume to one node",
    );
    let gap = cluster(subject, gap, |fences| fences != Fences::Never);
    Some(gap.fix(MOVE, ""))
}

/// Reports the gaps of members without data, where only a pin prevents a second container.
fn bare(subject: SwarmService<'_>, gaps: &mut Vec<Gap>) {
    let w = subject.workload;
    if w.per_node() {
        return;
    }
    let pinned = subject.pin().is_some();
    // A writer without a pin is already an error, see `faults`.
    let resources: Vec<(Resource, &str)> = match (w.writer, w.id.is_some(), w.hostname) {
        (true, _, _) => vec![(Resource::Writer, "two containers may write")],
        (_, id, hostname) => [
            (id, (Resource::Id, "two containers may have the same id")),
            (hostname, (Resource::Hostname, "two containers may have the same hostname")),
        ]
        .into_iter()
        .filter_map(|(there, what)| there.then_some(what))
        .collect(),
    };
    for (resource, what) in resources {
        let place = subject.service.key(&route!["exclusive", resource.name()]);
        let gap = |hazard, message, why: &str| {
            Gap::new(gap_id(resource, hazard), place, format!("{what} {message}"), why)
        };
        if pinned || raw::constrains(&subject.swarm.service) {
            gaps.push(
                gap(
                    Hazard::Relabel,
                    "when a label moves to another node",
                    "Swarm starts the replacement there at once, while the old one stops",
                )
                .fix(MOVE, ""),
            );
        }
        let twice = (Hazard::Revisions, TWICE.0, TWICE.1);
        for (hazard, when, why) in LOST.iter().chain([&twice]).filter(|_| !pinned && !w.writer) {
            let opens = (!raw::constrains(&subject.swarm.service)).then(|| gap_id(resource, Hazard::Relabel));
            gaps.push(gap(*hazard, when, why).pin(&subject.service.name, opens));
        }
        let heals =
            "the new task starts at once, while the old one stops, and no port of the node makes it wait";
        let healed = (Hazard::Partition, "when an unreachable node comes back", heals);
        for (hazard, when, why) in [healed, twice].iter().filter(|_| pinned && subject.lock().is_none()) {
            let gap = gap(*hazard, when, why);
            let line = "targets: { swarm: { lock: 5000 } }";
            gaps.push(gap.fix("name any port that is free on the nodes", line));
        }
        if w.stop.grace > SWARM_LONGEST_GRACE && !w.writer && (!pinned || subject.lock().is_none()) {
            gaps.push(
                gap(
                    Hazard::Update,
                    "during an update",
                    "stop-first waits 60 s for the old task, which gets its signal 2 to 3 s late and may take longer",
                )
                .fix("use a shorter grace period", "stop: { grace: 55s }"),
            );
        }
    }
}

/// Returns the gaps of fields that Swarm cannot express.
fn fields(subject: SwarmService<'_>) -> Vec<Gap> {
    let (service, w) = (subject.service, subject.workload);
    let field = |route: Route, message: &str, why| {
        let id = GapId::field(Target::Swarm, route.steps().join("."));
        Gap::new(id, service.key(&route), message, why)
    };
    let before = w.stop.before.is_some().then(|| {
        field(
            route!["stop", "before"],
            "Swarm cannot run a command before the stop signal",
            "the member gets the signal at once, and the whole grace period to stop",
        )
    });
    let healthy = (w.update.healthy.is_some() && w.per_node() && service.revision.is_none()).then(|| {
        field(
            route!["update", "healthy"],
            "Swarm runs no command between two nodes of a global service",
            "it updates one node after the other and waits only for the pause",
        )
        .fix("use revisions, and move to the next one node by node", "revision: v1")
    });
    let dedicated = matches!(w.members, Members::PerNode { dedicated: true, .. }).then(|| {
        field(
            route!["members", "dedicated"],
            "Swarm cannot keep other services away from a node",
            "it has no taints, so any service whose constraints match may run there",
        )
    });
    let live = subject.cycle.filter(|_| !subject.own_check()).map(|others| {
        let who = match others {
            [] => "the members".to_owned(),
            others => format!("the members and those of {}", others.join(", ")),
        };
        let list = w.program.command.iter().chain(&w.program.args).find(|word| word.each);
        let list = list.map_or_else(String::new, |word| {
            format!(": the members need the names for `{}`", word.route.steps().join("."))
        });
        field(
            route!["health", "live"],
            &format!("this check would keep {who} from finding each other, so berthc does not emit it{list}"),
            "on an overlay network, Swarm publishes the name of a task only after its check has passed",
        )
        .fix(
            "if a check passes without the other members, write it under `targets.swarm.service.healthcheck`",
            "",
        )
        .fix("or remove `live`", "")
    });
    [before, healthy, dedicated, live].into_iter().flatten().collect()
}

/// Returns the gap of `apart_from`. Swarm has no anti-affinity: only different node labels or a
/// common port keep services apart.
fn apart(context: &Context<'_>, subject: SwarmService<'_>) -> Option<Gap> {
    let ports = subject.published();
    let meets = |name: &&String| {
        let other = context.model.find(name).filter(|o| o.has(Target::Swarm)).and_then(SwarmService::of);
        other.is_some_and(|other| {
            !subject.disjoint(&other) && !other.published().iter().any(|port| ports.contains(port))
        })
    };
    let all: Vec<&str> = subject.workload.apart_from.iter().filter(meets).map(String::as_str).collect();
    if all.is_empty() {
        return None;
    }
    let gap = Gap::new(
        GapId::field(Target::Swarm, "apart_from"),
        subject.service.key(&route!["apart_from"]),
        format!("nothing keeps {} away from the nodes of {}", subject.service.name, all.join(" and ")),
        "Swarm has no anti-affinity, no label separates their nodes, and they share no port",
    );
    // All specs must use the same port: that of the first service by name.
    let first = all.iter().copied().chain([subject.service.name.as_str()]).min();
    let lock =
        first.and_then(|name| context.model.find(name)).and_then(SwarmService::of).and_then(|s| s.lock());
    let line = format!("targets: {{ swarm: {{ lock: {} }} }}", lock.map_or(5000, |lock| lock.number));
    Some(
        gap.fix("use the same port of the node in each spec", line)
            .fix("or place them by one label with different values", ""),
    )
}
