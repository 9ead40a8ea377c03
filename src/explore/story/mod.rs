//! Stories: what a search found, told in the orchestrator's own words.

mod fleet;
mod kubernetes;
mod swarm;

use crate::finding::{At, Event, Finding, Level, codes};
use crate::hazard::Hazard;
use crate::target::Target;
use crate::world::{Mount, Source};

use crate::explore::facts::{Breach, How, Place};
use crate::explore::scenario::Scene;
use crate::explore::search::{Step, What};
use crate::explore::state::{NOWHERE, State};

/// What a rule file says of one step: words, and the line that permits it.
pub type Told<'w> = (String, Option<&'w At>);

/// Two containers hold one thing, or one starts without what is its own.
pub fn breach(scene: &Scene<'_>, breach: &Breach, way: &[(Step, State)]) -> Finding {
    let hazard = hazard(scene, breach);
    let code = format!("{}/{}/{}", scene.facts.target.name(), breach.resource.name(), hazard.name());
    let own = &scene.actors[usize::from(breach.actor)];
    let theirs = &scene.actors[usize::from(breach.other)];
    let mount = breach.mount.and_then(|m| own.mounts.get(usize::from(m))).copied();
    let facts = &scene.facts.actors[usize::from(breach.actor)];
    let place = breach.mount.and_then(|m| facts.mounts.get(usize::from(m))).map(|m| m.place);
    let thing = mount.map_or_else(|| format!("what is {}'s alone", own.member.name), named);
    let (name, other) = (&own.member.name, &theirs.member.name);
    let message = match breach.how {
        How::Two if name == other => format!("two containers of {name} hold {thing} at once"),
        How::Two => format!("{name} and {other} hold {thing} at once"),
        How::Empty => format!("{name} starts on an empty {thing}, while its data is elsewhere"),
        How::Other if name == other => format!("{name} starts on another's data in {thing}"),
        How::Other => format!("{name} starts on the data of {other} in {thing}"),
    };
    let mut story = events(scene, way);
    let end = match (breach.how, place) {
        (How::Two, Some(Place::Directory(_))) => {
            format!("now two containers on one {} write to {thing}", scene.facts.target.host())
        }
        (How::Two, Some(Place::Volume(_))) => format!("now two containers write to {thing}"),
        (How::Two, None) => format!("now two containers are {name}"),
        (How::Empty, _) => format!("now {name} runs without its data"),
        (How::Other, _) => format!("now {name} runs on what is not its own"),
    };
    story.push(Event { words: end, at: mount.map(|m| m.at.clone()) });
    let (line, mend) = narrator(scene.facts.target).mend(scene, breach, way);
    let mut at = vec![line.clone()];
    at.extend(mount.map(|m| m.at.clone()).filter(|a| a != line));
    if !std::ptr::eq(own.workload, theirs.workload) {
        at.push(theirs.workload.at.clone());
    }
    Finding { code, level: Level::Violation, message, at, story, mend }
}

/// What has struck. Of two members on one directory, one after the other, the second has come to
/// where its own data is not.
fn hazard(scene: &Scene<'_>, breach: &Breach) -> Hazard {
    match (scene.facts.hazard, breach.how) {
        (Hazard::Colocate, How::Empty | How::Other) => Hazard::Move,
        (hazard, _) => hazard,
    }
}

/// No update can finish any more.
pub fn stuck(scene: &Scene<'_>, way: &[(Step, State)]) -> Finding {
    let actor = &scene.actors[0];
    let name = &actor.member.name;
    let mut story = events(scene, way);
    let words = format!("nothing that heals brings {name} back to what is wanted");
    story.push(Event { words, at: None });
    let (line, mend) = narrator(scene.facts.target).unstick(scene, way);
    let message = format!("{name} can come to where nothing goes on any more");
    Finding {
        code: codes::STUCK.to_owned(),
        level: Level::Violation,
        message,
        at: vec![line.clone()],
        story,
        mend,
    }
}

/// Every step that a reader has to know of.
fn events(scene: &Scene<'_>, way: &[(Step, State)]) -> Vec<Event> {
    let mut before = scene.facts.start();
    let mut events = Vec::new();
    for (step, after) in way {
        if let Some((words, at)) = narrator(scene.facts.target).tell(scene, step, &before) {
            events.push(Event { words, at: at.cloned() });
        }
        before = *after;
    }
    events
}

/// What a mount holds, for a sentence.
pub fn named(mount: &Mount) -> String {
    match &mount.source {
        Source::Host { path, .. } => path.clone(),
        Source::Volume { name, .. } => match name.contains(' ') {
            true => name.clone(),
            false => format!("volume {name}"),
        },
        Source::Ephemeral => mount.target.clone(),
    }
}

/// A node, for a sentence.
pub fn node(scene: &Scene<'_>, step: &Step) -> String {
    let what = scene.facts.target.host();
    match step.node {
        NOWHERE => format!("no {what}"),
        n => format!("{what} {}", (b'A' + n) as char),
    }
}

/// Words that are the same for every orchestrator.
pub fn common(scene: &Scene<'_>, step: &Step) -> Option<String> {
    let node = node(scene, step);
    Some(match step.what {
        What::Cut => format!("{node} is cut off; what runs on it runs on"),
        What::Heal => format!("{node} is reached again"),
        What::PowerOff => format!("{node} is switched off"),
        What::PowerOn => format!("{node} is on again"),
        What::Unmount => format!("{node} boots without the disk of the data"),
        What::Mount => format!("the disk of {node} is mounted"),
        What::Crash => "its process ends by itself".to_owned(),
        What::LoseVolume => "the volume is not there any more: deleted, or looked for elsewhere".to_owned(),
        _ => return None,
    })
}

/// What an orchestrator calls the steps of a history, and the line that keeps it from coming about.
pub trait Narrator: Sync {
    /// A step from `before` for a reader, and the line that permits it; `None` where the step
    /// goes without saying.
    fn tell<'w>(&self, scene: &Scene<'w>, step: &Step, before: &State) -> Option<Told<'w>>;
    /// The line to change so that the breach cannot come about, and what to write there.
    fn mend<'w>(&self, scene: &Scene<'w>, breach: &Breach, way: &[(Step, State)]) -> (&'w At, String);
    /// The same for a way from which nothing goes on.
    fn unstick<'w>(&self, scene: &Scene<'w>, way: &[(Step, State)]) -> (&'w At, String);
}

/// The narrator of a target.
pub fn narrator(target: Target) -> &'static dyn Narrator {
    match target {
        Target::Kubernetes => &kubernetes::Kubernetes,
        Target::Fleet => &fleet::Fleet,
        Target::Swarm => &swarm::Swarm,
    }
}
