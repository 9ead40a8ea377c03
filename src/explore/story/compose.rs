//! Tells the stories of docker compose, on one machine.

use super::Narrator;
use crate::explore::facts::{Breach, BreachKind};
use crate::explore::scenario::Scenario;
use crate::explore::search::{Action, Step};
use crate::explore::state::State;
use crate::explore::story::{self, Sentence, plain};
use crate::finding::At;
use crate::world::{Mount, Source};

/// The narrator of docker compose.
pub struct Compose;

impl Narrator for Compose {
    fn tell<'w>(&self, scenario: &Scenario<'w>, step: &Step, _before: &State) -> Option<Sentence<'w>> {
        let actor = &scenario.actors[usize::from(step.actor)];
        let (workload, name) = (actor.workload, &actor.member.name);
        let place = Some(&workload.at);
        Some(match step.action {
            Action::Update => (format!("{name} is changed: `up` makes its container again"), place),
            Action::Rollback => (format!("the old {name} is put back"), place),
            Action::Create => (format!("docker compose is to run {name}"), place),
            Action::Replace => (format!("docker compose stops the old {name}"), None),
            Action::Start => (format!("the container of {name} starts"), None),
            Action::Tell => (format!("{name} is asked to stop; its container takes its time"), None),
            Action::End => (format!("the container of {name} ends"), None),
            Action::Remove => (format!("{name} is taken down"), None),
            Action::Deploy => (format!("{name} is brought up again"), None),
            _ => (story::common(scenario, step)?, None),
        })
    }

    fn fix<'w>(
        &self,
        scenario: &Scenario<'w>,
        breach: &Breach,
        _trace: &[(Step, State)],
    ) -> (&'w At, String) {
        let actor = &scenario.actors[usize::from(breach.actor)];
        let mount = breach.mount.and_then(|m| actor.mounts.get(usize::from(m))).copied();
        let at = mount.map_or(&actor.workload.at, |m| &m.at);
        let fix = match (breach.kind, scenario.actors.len(), mount) {
            (BreachKind::Empty, _, Some(Mount { source: Source::Host { path, .. }, target, .. })) => format!(
                "{{ type: bind, source: {path}, target: {target}, bind: {{ create_host_path: false }} }}: docker then makes no missing directory"
            ),
            (_, 1, _) => "one service for each member, each with a volume of its own".to_owned(),
            _ if actor.workload.members.len() > 1 => {
                "one service for each member, each with a volume of its own".to_owned()
            }
            _ => {
                let read = mount.map(|m| format!("\"{}:{}:ro\"", plain(m), m.target));
                scenario.apart("give each its own path or volume", read)
            }
        };
        (at, fix)
    }

    fn unstick<'w>(&self, scenario: &Scenario<'w>, _way: &[(Step, State)]) -> (&'w At, String) {
        (&scenario.actors[0].workload.at, "another name or port for one of them".to_owned())
    }
}
