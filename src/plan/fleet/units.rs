//! Plans the units: one for each member, or one global unit for each revision, and one for each
//! helper. Every decision about them is made here and in the modules below.

use serde::Serialize;

use super::maker::Maker;
use super::raw::{self, Additions};
use super::schedule::{self, Schedule};
use super::shell::{self, Lines};
use super::storage::{self, Storage};
use super::{container, names};
use crate::finding::codes;
use crate::gap::GapId;
use crate::hazard::{Hazard, Resource};
use crate::model::{Helper, Program, Secret, Service, Stop, Workload};
use crate::plan::context::Accepted;
use crate::target::Target;

/// The seconds that a stop may take beyond the grace period before systemd kills the docker client.
const MARGIN: u32 = 30;
/// The grace period of a helper in seconds, which is docker's default.
const HELPER_GRACE: u32 = 10;

/// A command of a unit.
#[derive(Debug, Serialize)]
pub struct Command {
    /// Whether the command may fail.
    pub ignore: bool,
    /// The words, on physical lines.
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

/// The fields that both kinds of units have.
#[derive(Debug, Serialize)]
pub struct Unit {
    /// The name with its suffix.
    pub name: String,
    /// The file name of the spec.
    pub origin: String,
    /// The waivers of the spec.
    pub accepted: Vec<Accepted>,
    /// The description for humans.
    pub description: String,
    /// The seconds that each stop command may take, and that remain for the processes after them.
    pub stop_timeout: u32,
    /// The first command: stops a container that an earlier run of the unit left behind.
    pub leftover: Command,
    /// The commands that check what must exist. A failed one is tried again because of
    /// `Restart=always`; a failed Assert or Condition is not.
    pub prepare: Vec<Command>,
    /// The command that removes a dead container of the same name.
    pub remove: Command,
    /// The command that runs the container in the foreground.
    pub start: Command,
    /// The stop commands, in order. systemd skips them if the docker client has died.
    pub stop: Vec<Command>,
    /// The same stop commands after the stop, where systemd never skips them.
    pub clear: Command,
    /// The machines on which it may run.
    #[serde(flatten)]
    pub schedule: Schedule,
    /// The options to add to `[Service]`.
    pub service_options: Vec<raw::Entry>,
}

/// The unit of a member.
#[derive(Debug, Serialize)]
pub struct Member {
    /// The common fields.
    #[serde(flatten)]
    pub unit: Unit,
    /// The host directories whose disks must be mounted first.
    pub mounts: Vec<String>,
    /// The units of helpers, which this unit wants. After a member restarts by itself, systemd
    /// starts a bound unit again only if the member wants it.
    pub helpers: Vec<String>,
    /// The options to add to `[Unit]`.
    pub unit_options: Vec<raw::Entry>,
}

/// The unit of a helper.
#[derive(Debug, Serialize)]
pub struct Beside {
    /// The common fields.
    #[serde(flatten)]
    pub unit: Unit,
    /// The unit of its member.
    pub member: String,
}

/// Plans the unit of the member.
pub fn member(maker: &mut Maker<'_, '_>, w: &Workload) -> Member {
    let name = names::unit(maker.service, None, maker.id);
    let storage = storage::plan(maker, w);
    let mut schedule = schedule::plan(maker.context, maker.service, w, maker.id, storage.zone.as_deref());
    let Additions { unit, service, metadata } =
        raw::plan(maker.service, &schedule.metadata, maker.context.faults);
    schedule.metadata.extend(metadata);
    let start = container::member(maker, w, &name, &storage);
    let prepare = prepare(maker, w, &storage);
    let helpers = w.helpers.iter().map(|h| names::unit(maker.service, Some(&h.name), maker.id)).collect();
    let stop = stop(maker, &w.stop, &name);
    Member {
        unit: Unit {
            description: description(maker),
            prepare,
            stop,
            service_options: service,
            ..common(maker, name, &storage.container, w.stop.grace, start, schedule)
        },
        mounts: storage.binds.into_iter().map(|b| b.source).collect(),
        helpers,
        unit_options: unit,
    }
}

/// Plans the unit of `helper`, which starts and stops with the unit of its member.
pub fn helper(maker: &mut Maker<'_, '_>, w: &Workload, helper: &Helper) -> Beside {
    let name = names::unit(maker.service, Some(&helper.name), maker.id);
    let of_member = schedule::plan(maker.context, maker.service, w, maker.id, None);
    let schedule = if w.per_node() {
        // The helper needs no conflicts of its own, because it is bound to its member's unit.
        Schedule { conflicts: Vec::new(), ..of_member }
    } else {
        Schedule::default()
    };
    let start = container::helper(maker, w, helper, &name);
    let container = names::helper_container(maker.service, &helper.name, maker.id);
    let stop = vec![Command::must(shell::stop(&name, HELPER_GRACE))];
    let used = container::secrets_of(helper, w);
    Beside {
        unit: Unit {
            description: format!("{} of {}", helper.name, description(maker)),
            prepare: used
                .into_iter()
                .flat_map(|s| secret(maker, s, &helper.program, Some(&helper.name)))
                .collect(),
            stop,
            ..common(maker, name, &container, HELPER_GRACE, start, schedule)
        },
        member: names::unit(maker.service, None, maker.id),
    }
}

fn description(maker: &Maker<'_, '_>) -> String {
    let revision = maker.service.revision.iter().map(|r| format!(" {r}"));
    revision.fold(names::member(maker.service, maker.id), |name, r| name + &r)
}

/// Returns the waivers of a service. With a volume of a plugin, the gap that it accepts is the crash of dockerd,
/// which `verify` names `engine-crash`: a missing check of the volume stays a finding.
fn accepted(service: &Service) -> Vec<Accepted> {
    let plugin = service.workload().is_some_and(|w| w.volumes().any(|(_, volume)| volume.by_plugin()));
    let crash = GapId::cell(Target::Fleet, Resource::Data, Hazard::Move).to_string();
    let mut all = Accepted::of(service, Target::Fleet);
    for accepted in all.iter_mut().filter(|accepted| plugin && accepted.gap == crash) {
        codes::ENGINE_CRASH.clone_into(&mut accepted.gap);
    }
    all
}

fn common(
    maker: &Maker<'_, '_>,
    name: String,
    container: &str,
    grace: u32,
    start: Lines,
    schedule: Schedule,
) -> Unit {
    Unit {
        origin: maker.service.file.clone(),
        accepted: accepted(maker.service),
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

/// Returns the commands before the container: checks of what must exist, and the files for the
/// container.
fn prepare(maker: &mut Maker<'_, '_>, w: &Workload, storage: &Storage) -> Vec<Command> {
    let secrets = w.secrets.iter().flat_map(|s| secret(maker, s, &w.program, None));
    let volumes = storage.volumes.iter().map(|v| shell::volume(&v.name, v.driver));
    let mut all: Vec<Command> = secrets.chain(volumes.map(Command::must)).collect();
    for file in &w.files {
        let Some(text) = maker.file_text(file) else { continue };
        let path = maker.file(&file.path);
        all.extend(shell::write(&text, file.mode, &path).into_iter().map(Command::must));
    }
    all
}

/// Returns the commands that check the file of a secret, and copy it if the spec gives its permissions.
fn secret(maker: &Maker<'_, '_>, secret: &Secret, program: &Program, helper: Option<&str>) -> Vec<Command> {
    let mut all = vec![Command::must(shell::exists(&shell::secret_file(secret)))];
    if secret.exact() {
        let copy = shell::install(secret, program.user, &maker.secret(secret, helper));
        all.extend(copy.map(Command::must));
    }
    all
}

/// Returns the stop commands: first the spec's own command within its part of the grace period,
/// then docker stop.
fn stop(maker: &mut Maker<'_, '_>, stop: &Stop, unit: &str) -> Vec<Command> {
    let Stop { before, signal: _, grace } = stop;
    let mut all = Vec::new();
    let mut left = *grace;
    if let Some((run, within)) = before {
        let words = maker.words(run);
        let place = run.first().map(|t| maker.service.key(&t.route)).unwrap_or_default();
        maker.check_line_length(&words, place);
        all.push(Command::may(shell::before(unit, *within, words)));
        left = left.saturating_sub(*within);
    }
    all.push(Command::must(shell::stop(unit, left)));
    all
}
