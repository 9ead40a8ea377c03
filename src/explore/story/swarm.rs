//! Tells the stories of Swarm.

use super::Narrator;
use crate::backend::Fences;
use crate::explore::facts::{Breach, BreachKind, Place};
use crate::explore::scenario::{Actor, Scenario};
use crate::explore::search::{Action, Step};
use crate::explore::state::{Data, State};
use crate::explore::story::{self, Sentence};
use crate::finding::At;
use crate::hazard::Hazard;
use crate::target::SWARM_OLD_TASK_TIMEOUT;
use crate::world::{Kind, Missing, Order, Source};

/// The narrator of Swarm.
pub struct Swarm;

impl Narrator for Swarm {
    fn tell<'w>(&self, scenario: &Scenario<'w>, step: &Step, before: &State) -> Option<Sentence<'w>> {
        let actor = &scenario.actors[usize::from(step.actor)];
        let (workload, name) = (actor.workload, &actor.member.name);
        let node = story::node(scenario, step);
        let constraint = scenario.want(actor);
        let reported = match step.action {
            Action::Update => (format!("a new description of {name} is deployed"), Some(&workload.at)),
            Action::Rollback if scenario.facts.hazard == Hazard::Revisions => (
                format!("{name} is deployed once more, or rolled back, before its old container has ended"),
                Some(&workload.at),
            ),
            Action::Rollback => (format!("the deploy of {name} is rolled back"), Some(&workload.at)),
            Action::Create | Action::Replace | Action::Timeout => hand_over(scenario, step, before),
            Action::Place => (format!("the scheduler places {name} on {node}"), constraint),
            Action::Start => {
                let too = if has_empty(scenario, step, before) {
                    ", where somebody made the directory too: Swarm rejects a task whose directory is missing"
                } else {
                    ""
                };
                (format!("the container of {name} starts on {node}{too}"), None)
            }
            Action::Refuse => (format!("{node} rejects {name}, and Swarm tries another node"), None),
            Action::Tell => (
                format!("the agent of {node} tells the old container of {name} to stop; it still runs"),
                None,
            ),
            Action::End => (format!("the container of {name} on {node} ends"), None),
            Action::Notice if workload.kind == Kind::Global => (
                format!("after three missed heartbeats {node} is declared down; no task is wanted there"),
                None,
            ),
            Action::Notice => (
                format!(
                    "after three missed heartbeats {node} is declared down; its tasks are wanted elsewhere"
                ),
                None,
            ),
            Action::Remove => (format!("{name} is scaled to 0, or its stack is removed"), None),
            Action::Deploy => (format!("{name} is deployed again before its container has ended"), None),
            Action::Unlabel => (
                format!(
                    "a label is taken from {node}: the task of {name} is rejected at once, and runs until it has stopped"
                ),
                constraint,
            ),
            Action::MoveLabel => (format!("the label moves away from {node}"), constraint),
            Action::FlipLabel => (format!("the label of {node} changes to the other value"), constraint),
            Action::Label => (format!("the label of {node} is set again"), constraint),
            Action::KillAgent => (format!("dockerd on {node} is killed; its containers keep running"), None),
            Action::AgentBack => {
                (format!("dockerd on {node} starts again and kills the leftover containers"), None)
            }
            Action::Drain => (format!("{node} is drained"), None),
            Action::Undrain => (format!("{node} is active again"), None),
            Action::ManagerRestart => ("the manager restarts and no longer waits".to_owned(), None),
            Action::Force => {
                (format!("docker node rm --force {node}: its containers are never told to stop"), None)
            }
            Action::PowerOff => (format!("{node} is switched off: its tasks are wanted elsewhere"), None),
            Action::Crash => (format!("the process of {name} ends by itself"), None),
            Action::Release => return None,
            _ => (story::common(scenario, step)?, None),
        };
        Some(reported)
    }

    fn fix<'w>(&self, scenario: &Scenario<'w>, breach: &Breach, trace: &[(Step, State)]) -> (&'w At, String) {
        let actor = &scenario.actors[usize::from(breach.actor)];
        let (workload, name) = (actor.workload, &actor.member.name);
        let mount = breach.mount.and_then(|m| actor.mounts.get(usize::from(m))).copied();
        let came = |action| trace.iter().any(|(s, _)| s.action == action);
        let moved = breach.kind != BreachKind::Two
            || trace.last().is_some_and(|(start, after)| {
                after.containers().any(|c| c.runs() && c.actor == breach.other && c.node != start.node)
            });
        let at_mount = mount.map_or(&workload.at, |m| &m.at);
        if workload.members.len() > 1 {
            let words = "one service for each member, each with a directory or volume and a label of its own; or `mode: global`, a task and a volume on each node";
            return (at_mount, words.to_owned());
        }
        let pinned = scenario.facts.actors[usize::from(breach.actor)].pinned;
        let neighbour =
            scenario.facts.hazard == Hazard::Neighbour && (breach.kind != BreachKind::Empty || pinned);
        if neighbour
            || scenario.actors.len() > 1 && breach.kind == BreachKind::Two && !scenario.facts.excluded
        {
            let read = mount.map(|m| match &m.source {
                Source::Host { path, .. } if path.starts_with('/') => format!("\"{path}:{}:ro\"", m.target),
                _ => "`:ro` at the mount".to_owned(),
            });
            return (at_mount, scenario.apart("give each its own path or volume", read));
        }
        let volume = matches!(mount.map(|m| &m.source), Some(Source::Volume { .. }));
        if let Some(Source::Volume { name, missing, .. }) =
            mount.map(|m| &m.source).filter(|_| came(Action::LoseVolume))
        {
            return (at_mount, by_hand(name, *missing));
        }
        if came(Action::LoseVolume) || came(Action::Unmount) {
            let words = "type: bind, with a directory inside the mount as source: Swarm does not create a missing one";
            return (at_mount, words.to_owned());
        }
        if workload.kind == Kind::Global && volume && breach.kind == BreachKind::Two {
            let words = "a volume or directory of each node, instead of a share; or `mode: replicated` with one replica and a label of one node";
            return (at_mount, words.to_owned());
        }
        // Every node reaches it: a port of the node keeps two apart on one node only.
        let everywhere =
            matches!(mount.map(|m| &m.source), Some(Source::Volume { fences: Fences::Never, .. }));
        if (moved || everywhere) && !pinned {
            let more = if volume { ", or a volume whose driver refuses a second node" } else { "" };
            return (&workload.at, format!("{}{more}", pin(actor)));
        }
        let update = scenario.facts.hazard == Hazard::Update;
        if workload.update.order == Order::StartFirst && update && !came(Action::Rollback) {
            let at = workload.update.at.as_ref().unwrap_or(&workload.at);
            return (at, "order: stop-first".to_owned());
        }
        if workload.rollback.order == Order::StartFirst && came(Action::Rollback) {
            let at = workload.rollback.at.as_ref().unwrap_or(&workload.at);
            return (at, "order: stop-first".to_owned());
        }
        if moved {
            return (at_mount, follow(name, volume));
        }
        if workload.node_network.is_some() {
            return (&workload.at, "an entrypoint that holds flock on its data directory: on the node's network a published port binds nothing".to_owned());
        }
        let port = workload.free_port.filter(|_| workload.ports.is_empty());
        let such =
            port.map(|(port, free)| format!(", such as {{ target: {port}, published: {free}, mode: host }}"));
        let such = such.unwrap_or_default();
        let fix = format!(
            "publish a port with `mode: host`{such}: docker reserves it until the old container has ended"
        );
        (&workload.at, fix)
    }

    fn unstick<'w>(&self, scenario: &Scenario<'w>, _way: &[(Step, State)]) -> (&'w At, String) {
        let workload = scenario.actors[0].workload;
        let first = workload.update.order == Order::StartFirst;
        let at = workload.update.at.as_ref().filter(|_| first).unwrap_or(&workload.at);
        (at, "order: stop-first".to_owned())
    }
}

/// Returns whether a task starts on a directory that a person made on its node, and that holds nothing.
fn has_empty(scenario: &Scenario<'_>, step: &Step, before: &State) -> bool {
    let mounts = &scenario.facts.actors[usize::from(step.actor)].mounts;
    scenario.actors.len() == 1
        && mounts.iter().filter(|m| m.missing == Missing::Refused).any(|m| match m.place {
            Place::Directory(d) => {
                let all = &before.directories[usize::from(d)];
                all.get(usize::from(step.node)) == Some(&Data::Empty)
                    && all.iter().any(|data| matches!(data, Data::Of(_)))
            }
            Place::Volume(_) => false,
        })
}

/// Tells how a new task takes the place of an old one.
fn hand_over<'w>(scenario: &Scenario<'w>, step: &Step, before: &State) -> Sentence<'w> {
    let actor = &scenario.actors[usize::from(step.actor)];
    let (workload, name) = (actor.workload, &actor.member.name);
    let order =
        if before.struck & Action::Rollback.bit() != 0 { &workload.rollback } else { &workload.update };
    match (step.action, order.order) {
        (Action::Create, Order::StartFirst) if before.of(step.actor).any(|c| !c.retired) => (
            format!("start-first: Swarm starts the new task of {name} next to the old one"),
            order.at.as_ref(),
        ),
        (Action::Create, _) => (
            format!("Swarm creates a new task of {name} at once: no task with desired state RUNNING is left"),
            None,
        ),
        (Action::Replace, Order::StopFirst)
            if before.of(step.actor).any(|c| c.waits && c.version == step.version) =>
        {
            (
                format!(
                    "Swarm replaces the task of {name} that waits; the next one waits only for that task, which never ran"
                ),
                order.at.as_ref(),
            )
        }
        (Action::Replace, Order::StopFirst) => (
            format!("stop-first: Swarm tells the old task of {name} to stop, and the new one waits"),
            order.at.as_ref(),
        ),
        (Action::Replace, _) => (format!("the old task of {name} is told to stop"), None),
        _ => (
            format!(
                "after {SWARM_OLD_TASK_TIMEOUT} s Swarm waits no longer; the old task got its signal 2 to 3 s late, and has {} s to stop",
                workload.grace
            ),
            workload.grace_at.as_ref().or(Some(&workload.at)),
        ),
    }
}

/// Returns the constraint that pins a member to one node, with a label that its constraints do not use
/// yet.
fn pin(actor: &Actor<'_>) -> String {
    let (workload, member) = (actor.workload, actor.member);
    let taken = workload.wants.iter().any(|w| w.key == format!("node.labels.{}", workload.family));
    let (label, value) = match taken {
        true => (&member.name, 1),
        false => (&workload.family, member.ordinal.unwrap_or(1)),
    };
    format!("deploy.placement.constraints: [\"node.labels.{label} == {value}\"] # a label of one node only")
}

/// Returns what keeps the data of a member with it when its label moves.
fn follow(name: &str, volume: bool) -> String {
    // The driver creates the volume on any node to which the task moves, or the volume already exists.
    let duty = format!(
        "docker service scale {name}=0, wait until its container is gone, copy its data to the other node, move the label, scale it up again"
    );
    match volume {
        true => format!(
            "a volume whose driver refuses a second node; otherwise move the label only by hand: {duty}"
        ),
        false => format!(
            "type: bind, source: /srv/{name}: Swarm does not create a missing directory; or, each time a label moves: {duty}"
        ),
    }
}

/// Returns what a person does so that the volume `name` is never empty.
fn by_hand(name: &str, missing: Missing) -> String {
    if missing == Missing::Crashed {
        return "drain a node whose dockerd has crashed, and restart the machine; then accept it with that reason"
            .to_owned();
    }
    let (driver, name) = name.split_once(' ').unwrap_or(("DRIVER", name));
    format!(
        "make the volume by hand, once: docker volume create -d {driver} {name}; then accept it with that reason"
    )
}
