//! How Swarm tells a history.

use super::Narrator;
use crate::explore::facts::{Breach, BreachKind};
use crate::explore::scenario::Scenario;
use crate::explore::search::{Action, Step};
use crate::explore::state::State;
use crate::explore::story::{self, Sentence};
use crate::finding::At;
use crate::hazard::Hazard;
use crate::target::SWARM_OLD_TASK_TIMEOUT;
use crate::world::{Kind, Order, Source};

/// The narrator.
pub struct Swarm;

impl Narrator for Swarm {
    fn tell<'w>(&self, scenario: &Scenario<'w>, step: &Step, before: &State) -> Option<Sentence<'w>> {
        let actor = &scenario.actors[usize::from(step.actor)];
        let (workload, name) = (actor.workload, &actor.member.name);
        let node = story::node(scenario, step);
        let order =
            if before.struck & Action::Rollback.bit() != 0 { &workload.rollback } else { &workload.update };
        let constraint = scenario.want(actor);
        let reported = match step.action {
            Action::Update => ("a new description is deployed".to_owned(), Some(&workload.at)),
            Action::Rollback => ("the deploy is rolled back".to_owned(), Some(&workload.at)),
            Action::Create
                if order.order == Order::StartFirst && before.of(step.actor).any(|c| !c.retired) =>
            {
                ("start-first: Swarm starts the new task beside the old one".to_owned(), order.at.as_ref())
            }
            Action::Create => {
                (format!("Swarm makes a new task of {name} at once: nothing runs that is still wanted"), None)
            }
            Action::Replace if order.order == Order::StopFirst => (
                "stop-first: Swarm asks the old task to stop, and the new one waits".to_owned(),
                order.at.as_ref(),
            ),
            Action::Replace => ("the old task is told to stop".to_owned(), None),
            Action::Timeout => (
                format!(
                    "after {SWARM_OLD_TASK_TIMEOUT} s Swarm waits no longer; the old task was told 2 to 3 s late, and has {} s to stop",
                    workload.grace
                ),
                workload.grace_at.as_ref().or(Some(&workload.at)),
            ),
            Action::Place => (format!("the scheduler gives it {node}"), constraint),
            Action::Start => (format!("its container starts on {node}"), None),
            Action::Refuse => (format!("{node} refuses it, and it is tried elsewhere"), None),
            Action::Tell => (
                format!("the agent of {node} asks the old container of {name} to stop; it takes its time"),
                None,
            ),
            Action::End => (format!("the container of {name} on {node} ends"), None),
            Action::Notice if workload.kind == Kind::Global => (
                format!("after three missed heartbeats {node} counts as down; no task is wanted there"),
                None,
            ),
            Action::Notice => (
                format!(
                    "after three missed heartbeats {node} counts as down; its tasks are wanted elsewhere"
                ),
                None,
            ),
            Action::Remove => (format!("{name} is scaled to 0, or its stack removed"), None),
            Action::Deploy => (format!("{name} is deployed again before its container has ended"), None),
            Action::Unlabel => (
                format!(
                    "a label is taken from {node}: its task is rejected at once, and runs until it has stopped"
                ),
                constraint,
            ),
            Action::MoveLabel => (format!("the label is moved away from {node}"), constraint),
            Action::FlipLabel => (format!("the label of {node} takes the other value"), constraint),
            Action::Label => (format!("the label of {node} is set again"), constraint),
            Action::KillAgent => (format!("dockerd on {node} is killed; its containers run on"), None),
            Action::AgentBack => (format!("dockerd on {node} starts again, and kills what was left"), None),
            Action::Drain => (format!("{node} is drained"), None),
            Action::Undrain => (format!("{node} is active again"), None),
            Action::ManagerRestart => {
                ("the manager restarts, and forgets what was waited for".to_owned(), None)
            }
            Action::Force => {
                (format!("docker node rm --force {node}: its containers never hear of it"), None)
            }
            Action::PowerOff => (format!("{node} is switched off: its tasks are wanted elsewhere"), None),
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
                after.copies().any(|c| c.runs() && c.actor == breach.other && c.node != start.node)
            });
        if scenario.facts.hazard == Hazard::Neighbour
            || scenario.actors.len() > 1 && breach.kind == BreachKind::Two && !scenario.facts.excluded
        {
            let at = mount.map_or(&workload.at, |m| &m.at);
            return (at, "give each a path or volume of its own".to_owned());
        }
        if workload.update.order == Order::StartFirst && matches!(scenario.facts.hazard, Hazard::Update) {
            let at = workload.update.at.as_ref().unwrap_or(&workload.at);
            return (at, "order: stop-first".to_owned());
        }
        if workload.rollback.order == Order::StartFirst && came(Action::Rollback) {
            let at = workload.rollback.at.as_ref().unwrap_or(&workload.at);
            return (at, "order: stop-first".to_owned());
        }
        let volume = matches!(mount.map(|m| &m.source), Some(Source::Volume { .. }));
        if came(Action::LoseVolume) || came(Action::Unmount) {
            let at = mount.map_or(&workload.at, |m| &m.at);
            return (
                at,
                "type: bind, with a directory inside the mount as source: Swarm makes none that is missing"
                    .to_owned(),
            );
        }
        if moved && !scenario.facts.actors[usize::from(breach.actor)].pinned {
            let pin = format!(
                "deploy.placement.constraints: [\"node.labels.{} == {}\"], on one node only",
                workload.family,
                actor.member.ordinal.unwrap_or(1)
            );
            let more = if volume { ", or a volume whose driver refuses a second node" } else { "" };
            return (&workload.at, format!("{pin}{more}"));
        }
        if moved {
            let at = mount.map_or(&workload.at, |m| &m.at);
            return (
                at,
                format!("a source that carries the member's own name ({name}), so that no other node has it"),
            );
        }
        if workload.node_network.is_some() {
            return (&workload.at, "an entrypoint that holds flock on its data directory: on the node's network a published port binds nothing".to_owned());
        }
        (
            &workload.at,
            "publish a port with `mode: host`: Docker keeps it until the old container has ended".to_owned(),
        )
    }

    fn unstick<'w>(&self, scenario: &Scenario<'w>, _way: &[(Step, State)]) -> (&'w At, String) {
        let workload = scenario.actors[0].workload;
        let first = workload.update.order == Order::StartFirst;
        let at = workload.update.at.as_ref().filter(|_| first).unwrap_or(&workload.at);
        (at, "order: stop-first".to_owned())
    }
}
