//! How fleet tells a history.

use super::Narrator;
use crate::explore::facts::{Breach, How};
use crate::explore::scenario::Scene;
use crate::explore::search::{Step, What};
use crate::explore::state::State;
use crate::explore::story::{self, Told};
use crate::finding::At;
use crate::hazard::Hazard;
use crate::world::Source;

/// The narrator.
pub struct Fleet;

impl Narrator for Fleet {
    fn tell<'w>(&self, scene: &Scene<'w>, step: &Step, before: &State) -> Option<Told<'w>> {
        let actor = &scene.actors[usize::from(step.actor)];
        let (workload, name) = (actor.workload, &actor.member.name);
        let node = story::node(scene, step);
        let wanted = scene.want(actor);
        let stopping = before.copies().any(|c| c.runs() && c.retired);
        let told = match step.what {
            What::Update => (format!("{name} is destroyed and started with new content"), Some(&workload.at)),
            What::Rollback => (format!("{name} is replaced by its old content"), Some(&workload.at)),
            What::Create if stopping => (
                format!("fleet places {name} on {node}: it judges what is wanted, not what still runs"),
                wanted.or(Some(&workload.at)),
            ),
            What::Create => (format!("fleet places {name} on {node}"), wanted.or(Some(&workload.at))),
            What::Replace => ("the old unit is to stop; nothing waits for that".to_owned(), None),
            What::Start => (format!("systemd starts its container on {node}"), None),
            What::Tell => {
                (format!("the agent of {node} asks {name} to stop; its container takes its time"), None)
            }
            What::End => (format!("the container of {name} on {node} ends"), None),
            What::Notice => (format!("after 30 s {node} counts as gone: its units move at once"), None),
            What::Remove => (format!("{name} is stopped or destroyed"), None),
            What::Deploy => (format!("{name} is started again before its container has ended"), None),
            What::Unlabel => (format!("the metadata is taken from {node}: its units move"), wanted),
            What::MoveLabel => (format!("the metadata is moved away from {node}: the unit follows"), wanted),
            What::FlipLabel => (format!("the metadata of {node} takes the other value"), wanted),
            What::Label => (format!("the metadata of {node} is set again"), wanted),
            What::KillAgent => (
                format!(
                    "fleetd on {node} stops, as in a reboot: it asks its units to stop, and waits for none"
                ),
                None,
            ),
            What::AgentBack => (format!("fleetd on {node} is back"), None),
            What::Crash => {
                (format!("the docker client of {name} is killed; its container runs on"), Some(&workload.at))
            }
            _ => (story::common(scene, step)?, None),
        };
        Some(told)
    }

    fn mend<'w>(&self, scene: &Scene<'w>, breach: &Breach, way: &[(Step, State)]) -> (&'w At, String) {
        let actor = &scene.actors[usize::from(breach.actor)];
        let workload = actor.workload;
        let mount = breach.mount.and_then(|m| actor.mounts.get(usize::from(m))).copied();
        let at_mount = mount.map_or(&workload.at, |m| &m.at);
        let elsewhere = way.last().is_some_and(|(start, after)| {
            after.copies().any(|c| c.runs() && c.actor == breach.other && c.node != start.node)
        });
        let made = way.iter().any(|(s, _)| matches!(s.what, What::Unmount | What::LoseVolume));
        if breach.how == How::Empty && made {
            let words = "--mount type=bind,source=DIR,target=DIR inside the mount: -v makes what is missing";
            return (at_mount, words.to_owned());
        }
        if scene.facts.hazard == Hazard::Neighbour {
            return (at_mount, "a directory or volume of its own".to_owned());
        }
        if breach.how != How::Two || elsewhere {
            let volume = matches!(mount.map(|m| &m.source), Some(Source::Volume { .. }));
            let more = if volume { ", or a volume whose driver refuses a second machine" } else { "" };
            // In a unit that is no instance `%i` is empty.
            let pin = match workload.name.contains('@') {
                true => "%i, on one machine for each number",
                false => "1, on one machine only",
            };
            return (&workload.at, format!("MachineMetadata={}={pin}{more}", workload.family));
        }
        let name = "docker run --name, after the data directory and the same in every unit that uses it: the daemon refuses a second one";
        let at = actor.member.container.as_ref().map_or(&workload.at, |c| &c.1);
        (at, name.to_owned())
    }

    fn unstick<'w>(&self, scene: &Scene<'w>, way: &[(Step, State)]) -> (&'w At, String) {
        let left = way.iter().any(|(s, _)| s.what == What::Crash);
        let mend = match left {
            true => {
                "ExecStartPre that stops what is left of its own, by a label: docker stop $(docker ps -q --filter label=…)"
            }
            false => "a machine that carries what the unit wants",
        };
        (&scene.actors[0].workload.at, mend.to_owned())
    }
}
