//! The sentences of a story that are the same for every orchestrator, and the interface of a
//! narrator.

use crate::explore::facts::Breach;
use crate::explore::scenario::Scenario;
use crate::explore::search::{Action, Step};
use crate::explore::state::{NOWHERE, State};
use crate::finding::At;
use crate::world::{Missing, Mount, Source};

/// A sentence about one step, and the line that permits it.
pub type Sentence<'w> = (String, Option<&'w At>);

/// Names what a mount holds, for a sentence.
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

/// Returns the source of a mount as a file writes it.
pub fn plain(mount: &Mount) -> &str {
    match (&mount.volume, &mount.source) {
        (Some(volume), _) => &volume.name,
        (None, Source::Host { path: name, .. } | Source::Volume { name, .. }) => name,
        (None, Source::Ephemeral) => "",
    }
}

/// Returns the word for a computer of the scenario.
pub fn host(scenario: &Scenario<'_>) -> &'static str {
    if scenario.facts.one_machine() { "machine" } else { scenario.facts.target.host() }
}

/// Names a node, for a sentence.
pub fn node(scenario: &Scenario<'_>, step: &Step) -> String {
    let host = host(scenario);
    match step.node {
        _ if scenario.facts.one_machine() => format!("the {host}"),
        NOWHERE => format!("no {host}"),
        n => format!("{host} {}", (b'A' + n) as char),
    }
}

/// Returns whether a start never creates the volumes, all of which a driver mounts beside dockerd.
fn crashes(scenario: &Scenario<'_>) -> bool {
    let mut mounts = scenario.actors.iter().flat_map(|actor| &actor.mounts).peekable();
    mounts.peek().is_some()
        && mounts
            .all(|m| !matches!(&m.source, Source::Volume { missing, .. } if *missing != Missing::Crashed))
}

/// Returns the sentence of a step that is the same for every orchestrator.
pub fn common(scenario: &Scenario<'_>, step: &Step) -> Option<String> {
    let node = node(scenario, step);
    Some(match step.action {
        Action::Cut => format!("{node} is unreachable; its containers keep running"),
        Action::Heal => format!("{node} is reachable again"),
        Action::PowerOff => format!("{node} is switched off"),
        Action::PowerOn => format!("{node} is on again"),
        Action::Unmount => format!("{node} boots without the disk of the data"),
        Action::Mount => format!("the disk of {node} is mounted"),
        Action::Crash => "its process ends by itself".to_owned(),
        Action::LoseVolume if crashes(scenario) => {
            format!(
                "the dockerd of the {0} crashes and comes back: what the driver of the volume mounts no longer reaches the {0}",
                host(scenario)
            )
        }
        Action::LoseVolume => {
            "the volume no longer exists: it was deleted, or the node looks for it elsewhere".to_owned()
        }
        _ => return None,
    })
}

/// The terms of an orchestrator for the steps of a trace, and the line that prevents it.
pub trait Narrator: Sync {
    /// Describes a step from the state `before`, with the line that permits it. `None` if the step
    /// needs no mention.
    fn tell<'w>(&self, scenario: &Scenario<'w>, step: &Step, before: &State) -> Option<Sentence<'w>>;
    /// Returns the line to change to prevent the breach, and what to write there.
    fn fix<'w>(&self, scenario: &Scenario<'w>, breach: &Breach, trace: &[(Step, State)]) -> (&'w At, String);
    /// Returns the same for a state from which nothing can finish.
    fn unstick<'w>(&self, scenario: &Scenario<'w>, trace: &[(Step, State)]) -> (&'w At, String);
}
