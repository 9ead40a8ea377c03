//! Tells the stories of fleet.

use super::Narrator;
use crate::explore::facts::{Breach, BreachKind};
use crate::explore::scenario::Scenario;
use crate::explore::search::{Action, Step};
use crate::explore::state::State;
use crate::explore::story::{self, Sentence};
use crate::finding::At;
use crate::hazard::Hazard;
use crate::images::Life;
use crate::world::fleet::{own_end, written};
use crate::world::{Kind, Missing, Mount, Source, Workload, data_mounts};

/// The narrator of fleet.
pub struct Fleet;

impl Narrator for Fleet {
    fn tell<'w>(&self, scenario: &Scenario<'w>, step: &Step, before: &State) -> Option<Sentence<'w>> {
        let actor = &scenario.actors[usize::from(step.actor)];
        let (workload, name) = (actor.workload, &actor.member.name);
        let node = story::node(scenario, step);
        let wanted = scenario.want(actor);
        let stopping = before.containers().any(|c| c.runs() && c.retired);
        if workload.kind == Kind::Local
            && let Some(told) = local(scenario, step)
        {
            return told;
        }
        let reported = match step.action {
            Action::Update => {
                (format!("{name} is destroyed and started with new content"), Some(&workload.at))
            }
            Action::Rollback => (format!("{name} is replaced by its old content"), Some(&workload.at)),
            Action::Create if workload.sidecar => {
                (format!("the unit starts {name} beside its first container"), Some(&workload.at))
            }
            Action::Create if stopping => (
                format!("fleet places {name} on {node}: it considers what is wanted, not what still runs"),
                wanted.or(Some(&workload.at)),
            ),
            Action::Create => (format!("fleet places {name} on {node}"), wanted.or(Some(&workload.at))),
            Action::Replace => (format!("the old {name} is told to stop; nothing waits for it"), None),
            Action::Start => (format!("systemd starts the container of {name} on {node}"), None),
            Action::Tell => {
                (format!("the agent of {node} tells {name} to stop; its container still runs"), None)
            }
            Action::End => (format!("the container of {name} on {node} ends"), None),
            Action::Notice => (format!("after 30 s {node} is considered lost: its units move at once"), None),
            Action::Remove => (format!("{name} is stopped or destroyed"), None),
            Action::Deploy => (format!("{name} is started again before its container has ended"), None),
            Action::Unlabel => (format!("the metadata is removed from {node}: its units move"), wanted),
            Action::MoveLabel => (format!("the metadata moves away from {node}: the unit follows"), wanted),
            Action::FlipLabel => (format!("the metadata of {node} changes to the other value"), wanted),
            Action::Label => (format!("the metadata of {node} is set again"), wanted),
            Action::KillAgent => (
                format!(
                    "fleetd on {node} stops, as in a reboot: it tells its units to stop and does not wait"
                ),
                None,
            ),
            Action::AgentBack => (format!("fleetd on {node} is back"), None),
            Action::Crash => (
                format!("the docker client of {name} is killed; its container keeps running"),
                Some(&workload.at),
            ),
            _ => (story::common(scenario, step)?, None),
        };
        Some(reported)
    }

    fn fix<'w>(&self, scenario: &Scenario<'w>, breach: &Breach, trace: &[(Step, State)]) -> (&'w At, String) {
        let actor = &scenario.actors[usize::from(breach.actor)];
        let workload = actor.workload;
        let mount = breach.mount.and_then(|m| actor.mounts.get(usize::from(m))).copied();
        let at_mount = mount.map_or(&workload.at, |m| &m.at);
        let elsewhere = trace.last().is_some_and(|(start, after)| {
            after.containers().any(|c| c.runs() && c.actor == breach.other && c.node != start.node)
        });
        let made = trace.iter().any(|(s, _)| matches!(s.action, Action::Unmount | Action::LoseVolume));
        let pinned = scenario.facts.actors[usize::from(breach.actor)].pinned;
        if breach.kind == BreachKind::Empty && (made || pinned || workload.kind == Kind::Local) {
            return (at_mount, written(workload, &refusing(workload, mount)));
        }
        let neighbour =
            scenario.facts.hazard == Hazard::Neighbour && (breach.kind != BreachKind::Empty || pinned);
        if neighbour || workload.kind == Kind::Local && scenario.actors.len() > 1 {
            let read = mount.map(|m| format!("{}:{}:ro", story::plain(m), m.target));
            return (at_mount, scenario.apart("a directory or volume of its own", read));
        }
        if let Some(mount) = mount.filter(|_| breach.kind == BreachKind::Other && pinned) {
            let own = format!("{}-%i:{}: a directory for each instance", story::plain(mount), mount.target);
            return (at_mount, own);
        }
        if breach.kind != BreachKind::Two || elsewhere {
            let volume = matches!(mount.map(|m| &m.source), Some(Source::Volume { .. }));
            let more = if volume { ", or a volume whose driver refuses a second machine" } else { "" };
            // In a unit that is not an instance of a template, `%i` is empty.
            let pin = match workload.name.contains('@') {
                true => "%i, on one machine for each number",
                false => "1, on one machine only",
            };
            let pin = format!("MachineMetadata={}={pin}{more}", workload.family);
            // fleet places a unit with `MachineOf` by that unit alone.
            let fix = match &workload.follows {
                Some(unit) => format!("in {}, which it follows: {pin}", written(workload, unit)),
                None => pin,
            };
            return (&workload.at, fix);
        }
        let name = "docker run --name, made from the data directory and the same in every unit that uses it: the daemon refuses a second one";
        let at = actor.member.container.as_ref().map_or(&workload.at, |c| &c.1);
        (at, name.to_owned())
    }

    fn unstick<'w>(&self, scenario: &Scenario<'w>, trace: &[(Step, State)]) -> (&'w At, String) {
        let left = trace.iter().any(|(s, _)| s.action == Action::Crash);
        let actor = &scenario.actors[0];
        let fix = match left {
            true => own_end(actor.workload),
            false => "a machine that carries what the unit wants".to_owned(),
        };
        (&actor.workload.at, fix)
    }
}

/// Tells a step of a unit that systemd runs without fleet. Returns `Some(None)` if the step needs no
/// mention, and `None` if the words for fleet also fit.
fn local<'w>(scenario: &Scenario<'w>, step: &Step) -> Option<Option<Sentence<'w>>> {
    let actor = &scenario.actors[usize::from(step.actor)];
    let (workload, name) = (actor.workload, &actor.member.name);
    let words = match step.action {
        Action::Update => (format!("{name} is changed and restarted"), Some(&workload.at)),
        Action::Rollback => (format!("the old {name} is put back and restarted"), Some(&workload.at)),
        Action::Create if workload.sidecar => {
            (format!("the unit starts {name} beside its first container"), Some(&workload.at))
        }
        Action::Create => (format!("systemd is to run {name}"), Some(&workload.at)),
        Action::Replace => (format!("systemd stops the old {name}"), None),
        Action::Start => (format!("systemd starts the container of {name}"), None),
        Action::Tell => (format!("systemd asks {name} to stop; its container takes its time"), None),
        Action::End => (format!("the container of {name} ends"), None),
        Action::Remove => (format!("{name} is stopped"), None),
        Action::Deploy => (format!("{name} is started again"), None),
        Action::Notice => return Some(None),
        _ => return None,
    };
    Some(Some(words))
}

/// Returns the mount that refuses a missing directory.
fn refusing(workload: &Workload, mount: Option<&Mount>) -> String {
    if let Some(Mount { source: Source::Volume { missing: Missing::Crashed, .. }, .. }) = mount {
        return "restart a machine whose dockerd has crashed; then accept it with that reason".to_owned();
    }
    let hidden = |target: &str| {
        let volume = workload.software.as_ref().and_then(|s| s.hides(target));
        volume.unwrap_or(target).to_owned()
    };
    match mount {
        Some(Mount { source, target, .. }) if data_mounts::life(source) == Life::Boot => format!(
            "--mount type=bind,source=/mnt/DISK/NAME,target={}: a boot empties the present directory",
            hidden(target)
        ),
        Some(Mount { source: Source::Host { path, .. }, at, .. }) if at.field.ends_with("--mount") => {
            format!("no line that makes {path}: where its disk is away the container then does not start")
        }
        Some(Mount { source: Source::Host { path, .. }, target, .. }) if path.starts_with('/') => {
            let target = hidden(target);
            format!("--mount type=bind,source={path},target={target}: -v makes what is missing")
        }
        Some(Mount { target, .. }) => {
            let target = hidden(target);
            format!(
                "--mount type=bind,source=/mnt/DISK/NAME,target={target}: a volume is made where it is missing"
            )
        }
        None => "--mount type=bind: -v makes what is missing".to_owned(),
    }
}
