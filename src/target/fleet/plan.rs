//! Units: one for each member, or one global unit for each revision, and one for each helper
//! beside it. Every decision about them is made here and in the modules named below.

use serde::Serialize;

use super::hatch::{self, Additions};
use super::naming::Addresses;
use super::schedule::{self, Schedule};
use super::shell::{self, Lines};
use super::storage::{self, Storage};
use super::{container, names};
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::emit::exec_word;
use crate::model::{Helper, Service, Stop, Template, Workload};
use crate::target::scope::{For, Values};
use crate::target::{Accepted, Context, Target};
use crate::value::{Part, Text};

/// Most bytes of a physical line: fleet refuses 2048 (go-systemd `unit/deserialize.go`), and
/// systemd before 233 reads 2046 and the newline.
const MAX_LINE: usize = 2046;
/// The longest text before the first word of a line.
const KEY: usize = "ExecStartPre=-".len();
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
    pub service_options: Vec<hatch::Entry>,
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
    pub unit_options: Vec<hatch::Entry>,
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

/// Makes the units of one member, with the place to report to.
pub struct Maker<'a, 'c> {
    /// Where faults go.
    pub context: &'a mut Context<'c>,
    /// Whose units.
    pub service: &'c Service,
    /// The member; `None` for `per: node`.
    pub id: Option<u32>,
    values: Values<'c, Addresses>,
}

impl<'a, 'c> Maker<'a, 'c> {
    /// For member `id` of `service`.
    pub fn new(context: &'a mut Context<'c>, service: &'c Service, id: Option<u32>) -> Self {
        Self { context, service, id, values: Values::new(&Addresses, service) }
    }

    fn whom(&self) -> For {
        self.id.map_or(For::Any, For::Member)
    }

    /// A value that may hold secrets.
    pub fn secret_text(&mut self, template: &Template) -> Text {
        let text = self.values.text(self.context, template, self.whom());
        if let Some(c) = text.0.iter().find_map(|p| if let Part::Literal(t) = p { odd(t) } else { None }) {
            let place = self.service.place(&template.route);
            self.context.fault(no_character(place, c));
        }
        text
    }

    /// A value that stands where every user of the machine can read it.
    pub fn text(&mut self, template: &Template) -> Text {
        let mut text = self.secret_text(template);
        if text.secrets().next().is_some() {
            let name = text.secrets().next().unwrap_or_default();
            let message =
                "on fleet a secret can be a file or a variable: here all users of the machine would see it";
            let place = self.service.place(&template.route);
            self.context.fault(
                Diagnostic::error(Code::RuntimeNotHere, place, message)
                    .why("arguments of `docker run` stand in the list of processes")
                    .mend(
                        "let the program read the secret's file",
                        format!("{{{{ secret('{name}').path }}}}"),
                    ),
            );
            text.0.retain(|part| !matches!(part, Part::Secret(_)));
        }
        text
    }

    /// Several values.
    pub fn words(&mut self, templates: &[Template]) -> Vec<Text> {
        templates.iter().map(|t| self.text(t)).collect()
    }

    /// The environment, with that of the very first start where it was asked for.
    pub fn with_bootstrap(
        &self,
        env: &[(String, Template)],
        first: &[(String, Template)],
    ) -> Vec<(String, Template)> {
        let mut all = env.to_vec();
        if self.context.options.bootstrap.contains(&self.service.name) {
            for (name, template) in first {
                match all.iter_mut().find(|(n, _)| n == name) {
                    Some(entry) => entry.1 = template.clone(),
                    None => all.push((name.clone(), template.clone())),
                }
            }
        }
        all
    }

    /// Where a file of the container lies on the machine: below the unit's own directory, so
    /// that a unit that waits for its turn does not change the files of the one that runs.
    pub fn file(&self, path: &str) -> String {
        format!("/run/berth/{}{path}", names::stem(self.service, None, self.id))
    }

    /// Reports a line that fleet would refuse.
    pub fn fits(&mut self, words: &[Text], place: Place) {
        let width: usize = words.iter().filter_map(exec_word).map(|w| w.len() + 1).sum();
        if KEY + width + " \\".len() <= MAX_LINE {
            return;
        }
        let start: String =
            words.iter().flat_map(|w| w.marked().chars().collect::<Vec<_>>()).take(40).collect();
        let start = start.replace(|c: char| c.is_control() || crate::value::is_mark(c), " ");
        self.context.fault(
            Diagnostic::error(
                Code::LineTooLong,
                place,
                format!("the line `{start}…` of the unit is too long"),
            )
            .why(format!("fleet takes lines of less than 2048 bytes; this one leaves no room in {MAX_LINE}"))
            .mend("carry a long text in a file", "files: { /etc/my.conf: { content: … } }"),
        );
    }

    /// The member's unit.
    pub fn member(&mut self, w: &Workload) -> Member {
        let name = names::unit(self.service, None, self.id);
        let storage = storage::plan(self, w);
        let mut schedule = schedule::plan(self.context, self.service, w, self.id, storage.zone.as_deref());
        let Additions { unit, service, metadata } =
            hatch::plan(self.service, &schedule.metadata, self.context.faults);
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

/// A character that systemd takes for no text (`src/basic/utf8.c`): it would drop the line.
fn odd(text: &str) -> Option<char> {
    text.chars().find(|c| matches!(*c as u32, 0xFDD0..=0xFDEF) || *c as u32 & 0xFFFE == 0xFFFE)
}

fn no_character(place: Place, c: char) -> Diagnostic {
    let message = format!("systemd refuses lines with the character U+{:04X}", c as u32);
    Diagnostic::error(Code::CharacterForbidden, place, message).why("the unit would run without that line")
}
