//! Units: one for each member, or one global unit for each revision, and one for each helper
//! beside it. Every decision about them is made here and in the modules named below.

use serde::Serialize;

use super::maker::{Maker, no_character, odd};
use super::raw::{self, Additions};
use super::schedule::{self, Schedule};
use super::shell::{self, Lines};
use super::storage::{self, Storage};
use super::{container, names};
use crate::model::{Helper, Stop, Workload};
use crate::plan::context::Accepted;
use crate::target::Target;

/// Seconds that stopping may take beyond the grace, until systemd gives up on docker.
const MARGIN: u32 = 30;
/// Grace of a helper in seconds: docker's own.
const HELPER_GRACE: u32 = 10;

/// A command of a unit.
#[derive(Debug, Serialize)]
pub struct Command {
    /// Whether it may fail.
    pub ignore: bool,
    /// Its words, on physical lines.
    pub lines: Lines,
}

impl Command {
    fn must(lines: Lines) -> Self {
        Self { ignore: false, lines }
    }

    fn may(lines: Lines) -> Self {
        Self { ignore: true, lines }
    }
}

/// What both kinds of units have.
#[derive(Debug, Serialize)]
pub struct Unit {
    /// Name with its suffix.
    pub name: String,
    /// The spec's file.
    pub origin: String,
    /// What its waivers accept.
    pub accepted: Vec<Accepted>,
    /// For people.
    pub description: String,
    /// Seconds for each command that stops, and for what is left after them.
    pub stop_timeout: u32,
    /// Stops the unit's own leftover, before anything else.
    pub leftover: Command,
    /// What must be there. A failing one is tried again, since `Restart=always` (an Assert or a
    /// Condition is not).
    pub prepare: Vec<Command>,
    /// Takes away a dead container of the name.
    pub remove: Command,
    /// The container, in the foreground.
    pub start: Command,
    /// In order; systemd skips them when the docker client has died.
    pub stop: Vec<Command>,
    /// The same once more: this one is never skipped.
    pub clear: Command,
    /// Where it may run.
    #[serde(flatten)]
    pub schedule: Schedule,
    /// Added to `[Service]`.
    pub service_options: Vec<raw::Entry>,
}

/// A member's unit.
#[derive(Debug, Serialize)]
pub struct Member {
    /// What every unit has.
    #[serde(flatten)]
    pub unit: Unit,
    /// Host directories whose disks are mounted first.
    pub mounts: Vec<String>,
    /// Units of helpers: when a member comes back by itself, systemd starts what is bound to it
    /// again only if the member wants it.
    pub helpers: Vec<String>,
    /// Added to `[Unit]`.
    pub unit_options: Vec<raw::Entry>,
}

/// A helper's unit.
#[derive(Debug, Serialize)]
pub struct Beside {
    /// What every unit has.
    #[serde(flatten)]
    pub unit: Unit,
    /// The unit that it follows.
    pub member: String,
}

impl Maker<'_, '_> {
    /// The member's unit.
    pub fn member(&mut self, w: &Workload) -> Member {
        let name = names::unit(self.service, None, self.id);
        let storage = storage::plan(self, w);
        let mut schedule = schedule::plan(self.context, self.service, w, self.id, storage.zone.as_deref());
        let Additions { unit, service, metadata } =
            raw::plan(self.service, &schedule.metadata, self.context.faults);
        schedule.metadata.extend(metadata);
        let start = container::member(self, w, &name, &storage);
        let prepare = self.prepare(w, &storage);
        let helpers = w.helpers.iter().map(|h| names::unit(self.service, Some(&h.name), self.id)).collect();
        let stop = self.stop(&w.stop, &name);
        Member {
            unit: Unit {
                description: self.description(),
                prepare,
                stop,
                service_options: service,
                ..self.unit(name, &storage.container, w.stop.grace, start, schedule)
            },
            mounts: storage.binds.into_iter().map(|b| b.source).collect(),
            helpers,
            unit_options: unit,
        }
    }

    /// The unit of `helper`, which lives and dies with its member's.
    pub fn helper(&mut self, w: &Workload, helper: &Helper) -> Beside {
        let name = names::unit(self.service, Some(&helper.name), self.id);
        let of_member = schedule::plan(self.context, self.service, w, self.id, None);
        let schedule = if w.per_node() {
            // Its member's conflicts hold it: without the member it is bound to nothing.
            Schedule { conflicts: Vec::new(), ..of_member }
        } else {
            Schedule::default()
        };
        let start = container::helper(self, w, helper, &name);
        let container = names::helper_container(self.service, &helper.name, self.id);
        let stop = vec![Command::must(shell::stop(&name, HELPER_GRACE))];
        let used = container::secrets_of(helper, w);
        Beside {
            unit: Unit {
                description: format!("{} of {}", helper.name, self.description()),
                prepare: used
                    .into_iter()
                    .map(|s| Command::must(shell::exists(&shell::secret_file(s))))
                    .collect(),
                stop,
                ..self.unit(name, &container, HELPER_GRACE, start, schedule)
            },
            member: names::unit(self.service, None, self.id),
        }
    }

    fn description(&self) -> String {
        let revision = self.service.revision.iter().map(|r| format!(" {r}"));
        revision.fold(names::member(self.service, self.id), |name, r| name + &r)
    }

    fn unit(&self, name: String, container: &str, grace: u32, start: Lines, schedule: Schedule) -> Unit {
        Unit {
            origin: self.service.file.clone(),
            accepted: Accepted::of(self.service, Target::Fleet),
            description: String::new(),
            stop_timeout: grace.saturating_add(MARGIN),
            leftover: Command::must(shell::stop(&name, grace)),
            prepare: Vec::new(),
            remove: Command::may(shell::remove(container)),
            start: Command::must(start),
            stop: Vec::new(),
            clear: Command::must(shell::stop(&name, grace)),
            schedule,
            service_options: Vec::new(),
            name,
        }
    }

    /// What must be there before the container, and the files that it is given.
    fn prepare(&mut self, w: &Workload, storage: &Storage) -> Vec<Command> {
        let secrets = w.secrets.iter().map(|s| shell::exists(&shell::secret_file(s)));
        let volumes = storage.volumes.iter().map(|v| shell::volume(&v.name, v.driver));
        let mut all: Vec<Command> = secrets.chain(volumes).map(Command::must).collect();
        for file in &w.files {
            if let Some(c) = odd(&file.content) {
                self.context.fault(no_character(self.service.key(&file.route), c));
            }
            all.extend(shell::write(file, &self.file(&file.path)).into_iter().map(Command::must));
        }
        all
    }

    /// What ends the member: its own words first, within their part of the grace, then docker.
    fn stop(&mut self, stop: &Stop, unit: &str) -> Vec<Command> {
        let Stop { before, signal: _, grace } = stop;
        let mut all = Vec::new();
        let mut left = *grace;
        if let Some((run, within)) = before {
            let words = self.words(run);
            let place = run.first().map(|t| self.service.key(&t.route)).unwrap_or_default();
            self.fits(&words, place);
            all.push(Command::may(shell::before(unit, *within, words)));
            left = left.saturating_sub(*within);
        }
        all.push(Command::must(shell::stop(unit, left)));
        all
    }
}
