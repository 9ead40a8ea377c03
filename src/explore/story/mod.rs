//! Stories: the results of a search, in the terms of the orchestrator.

mod compose;
mod fleet;
mod kubernetes;
mod swarm;
mod words;

use crate::explore::facts::{Breach, BreachKind, Place};
use crate::explore::scenario::Scenario;
use crate::explore::search::{Action, Step};
use crate::explore::state::State;
use crate::finding::{Event, Finding, Level, codes};
use crate::hazard::{CellId, Hazard};
use crate::target::Target;
use crate::world::Want;
pub use words::{Narrator, Sentence, common, host, named, node, plain};

/// Makes the finding for a breach: two containers hold one resource, or one starts without its own
/// data.
pub fn breach(scenario: &Scenario<'_>, breach: &Breach, trace: &[(Step, State)]) -> Finding {
    if breach.kind == BreachKind::Quorum {
        return kubernetes::quorum(scenario, events(scenario, trace));
    }
    let hazard = hazard(scenario, breach);
    let cell = CellId { target: scenario.facts.target, resource: breach.resource, hazard };
    let own = &scenario.actors[usize::from(breach.actor)];
    let theirs = &scenario.actors[usize::from(breach.other)];
    let mount = breach.mount.and_then(|m| own.mounts.get(usize::from(m))).copied();
    let facts = &scenario.facts.actors[usize::from(breach.actor)];
    let place = breach.mount.and_then(|m| facts.mounts.get(usize::from(m))).map(|m| m.place);
    let thing = mount.map_or_else(|| format!("a resource of {}", own.member.name), named);
    let (name, other) = (&own.member.name, &theirs.member.name);
    let message = match breach.kind {
        BreachKind::Two if name == other => format!("two containers of {name} hold {thing} at once"),
        BreachKind::Two => format!("{name} and {other} hold {thing} at once"),
        BreachKind::Empty if facts.forgets() && matches!(place, Some(Place::Volume(_))) => {
            format!("{name} starts on an empty {thing}: its data was deleted")
        }
        BreachKind::Empty => format!("{name} starts on an empty {thing}, while its data is elsewhere"),
        BreachKind::Other if name == other => format!("{name} starts on another's data in {thing}"),
        BreachKind::Other => format!("{name} starts on the data of {other} in {thing}"),
        BreachKind::Quorum => format!("{name} and {other} stop at once"),
    };
    let mut story = events(scenario, trace);
    let end = match (breach.kind, place) {
        (BreachKind::Two, Some(Place::Directory(_))) => {
            format!("now two containers on one {} write to {thing}", host(scenario))
        }
        (BreachKind::Two, Some(Place::Volume(_))) => format!("now two containers write to {thing}"),
        (BreachKind::Two, None) => format!("now two containers are {name}"),
        (BreachKind::Empty, _) => format!("now {name} runs without its data"),
        (BreachKind::Other, _) => format!("now {name} runs on data that is not its own"),
        (BreachKind::Quorum, _) => "now the quorum is lost".to_owned(),
    };
    story.push(Event { words: end, at: mount.map(|m| m.at.clone()) });
    let (line, fix) = narrator(scenario).fix(scenario, breach, trace);
    let mut at = vec![line.clone()];
    at.extend(mount.map(|m| m.at.clone()).filter(|a| a != line));
    // The line that asks for more than one container.
    at.extend(own.workload.scaler.clone().filter(|_| scenario.actors.len() > 1));
    if !std::ptr::eq(own.workload, theirs.workload) {
        at.push(theirs.workload.at.clone());
    }
    // One resource with several holders is one cause; otherwise one workload is.
    let cause = match std::ptr::eq(own.workload, theirs.workload) {
        true => own.workload.at.place(),
        false => thing,
    };
    let finding = Finding::new(cell, Level::Violation, message, at, fix);
    Finding { story, subject: name.clone(), cause: Some(cause), ..finding }
}

/// Returns the hazard of a trace. If two members use one directory one after the other, the second has
/// moved to a place without its own data. The same holds for a member whose claims were deleted.
fn hazard(scenario: &Scenario<'_>, breach: &Breach) -> Hazard {
    let actor = &scenario.facts.actors[usize::from(breach.actor)];
    match (scenario.facts.hazard, breach.kind) {
        (_, BreachKind::Empty) if actor.forgets() => Hazard::Move,
        (Hazard::Colocate, BreachKind::Empty | BreachKind::Other) => Hazard::Move,
        (hazard, _) => hazard,
    }
}

/// Makes the finding for a state from which no update can finish.
pub fn stuck(scenario: &Scenario<'_>, trace: &[(Step, State)]) -> Finding {
    let actor = &scenario.actors[0];
    let name = &actor.member.name;
    let mut story = events(scenario, trace);
    let words = format!("even when everything heals, {name} does not reach its desired state again");
    story.push(Event { words, at: None });
    let (line, fix) = narrator(scenario).unstick(scenario, trace);
    let message = format!("{name} can reach a state from which no update finishes");
    let finding = Finding::new(codes::STUCK, Level::Violation, message, vec![line.clone()], fix);
    let cause = Some(actor.workload.at.place());
    Finding { story, subject: name.clone(), cause, ..finding }
}

/// Returns the steps that a reader must know.
fn events(scenario: &Scenario<'_>, trace: &[(Step, State)]) -> Vec<Event> {
    let mut before = scenario.facts.start();
    let mut events = Vec::new();
    let mut premise = premise(scenario, trace);
    for (step, after) in trace {
        if let Some((mut words, at)) = narrator(scenario).tell(scenario, step, &before) {
            let second =
                premise.as_ref().is_some_and(|(want, first)| at == Some(&want.at) && step.node != *first);
            if let Some((want, _)) = premise.take_if(|_| second) {
                let label = format!("{} = {}", want.key, want.values.join(" or "));
                words.push_str(&format!(" ({} has {label} too)", node(scenario, step)));
            }
            events.push(Event { words, at: at.cloned() });
        }
        before = *after;
    }
    events
}

/// Returns the label that a story takes for one of several nodes, and the node where it begins. A story
/// that sets a label itself takes nothing.
fn premise<'w>(scenario: &Scenario<'w>, trace: &[(Step, State)]) -> Option<(&'w Want, u8)> {
    let sets = [Action::Label, Action::MoveLabel, Action::FlipLabel];
    let set = trace.iter().any(|(step, _)| sets.contains(&step.action));
    let start = scenario.facts.start();
    let started = trace.iter().find(|(step, _)| step.action == Action::Start).map(|(step, _)| step.node);
    let first = start.containers().next().map(|container| container.node).or(started)?;
    let loose =
        |index: usize| scenario.facts.actors.get(index).is_some_and(|a| !a.pinned && !a.kind.per_node());
    scenario.carried().find(|(index, _)| !set && loose(*index)).map(|(_, want)| (want, first))
}

/// Returns the narrator of a scenario.
pub fn narrator(scenario: &Scenario<'_>) -> &'static dyn Narrator {
    match scenario.facts.target {
        Target::Swarm if scenario.facts.composed() => &compose::Compose,
        Target::Kubernetes => &kubernetes::Kubernetes,
        Target::Fleet => &fleet::Fleet,
        Target::Swarm => &swarm::Swarm,
    }
}
