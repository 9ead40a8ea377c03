//! The sentences of a story that are the same for every orchestrator, and what each of them adds.

use crate::explore::facts::Breach;
use crate::explore::scenario::Scenario;
use crate::explore::search::{Action, Step};
use crate::explore::state::{NOWHERE, State};
use crate::finding::At;
use crate::world::{Mount, Source};

/// What a narrator says of one step: words, and the line that permits it.
pub type Sentence<'w> = (String, Option<&'w At>);

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
pub fn node(scenario: &Scenario<'_>, step: &Step) -> String {
    let host = scenario.facts.target.host();
    match step.node {
        NOWHERE => format!("no {host}"),
        n => format!("{host} {}", (b'A' + n) as char),
    }
}

/// Words that are the same for every orchestrator.
pub fn common(scenario: &Scenario<'_>, step: &Step) -> Option<String> {
    let node = node(scenario, step);
    Some(match step.action {
        Action::Cut => format!("{node} is cut off; what runs on it runs on"),
        Action::Heal => format!("{node} is reached again"),
        Action::PowerOff => format!("{node} is switched off"),
        Action::PowerOn => format!("{node} is on again"),
        Action::Unmount => format!("{node} boots without the disk of the data"),
        Action::Mount => format!("the disk of {node} is mounted"),
        Action::Crash => "its process ends by itself".to_owned(),
        Action::LoseVolume => "the volume is not there any more: deleted, or looked for elsewhere".to_owned(),
        _ => return None,
    })
}

/// What an orchestrator calls the steps of a history, and the line that keeps it from coming about.
pub trait Narrator: Sync {
    /// A step from `before` for a reader, and the line that permits it; `None` where the step
    /// goes without saying.
    fn tell<'w>(&self, scenario: &Scenario<'w>, step: &Step, before: &State) -> Option<Sentence<'w>>;
    /// The line to change so that the breach cannot come about, and what to write there.
    fn fix<'w>(&self, scenario: &Scenario<'w>, breach: &Breach, trace: &[(Step, State)]) -> (&'w At, String);
    /// The same for a way from which nothing goes on.
    fn unstick<'w>(&self, scenario: &Scenario<'w>, trace: &[(Step, State)]) -> (&'w At, String);
}
