//! Reads `[Service]`: which commands a unit runs, and which of them starts its container.

use std::sync::Arc;

use super::docker::{self, Docker, Run};
use super::exec::Environment;
use super::names::Name;
use super::shell;
use super::unit::Unit;
use super::word::{Command, Word};
use crate::finding::At;
use crate::world::found::Found;

/// Engines other than docker, whose options berthc does not know.
const ENGINES: [&str; 7] = ["rkt", "podman", "nerdctl", "ctr", "runc", "lxc-start", "systemd-nspawn"];

/// A command of an Exec line.
#[derive(Debug)]
pub struct Step {
    /// The key, such as `ExecStart`.
    pub key: String,
    /// The file.
    pub file: Arc<str>,
    /// The line as it is written.
    pub raw: String,
    /// Whether systemd ignores its failure.
    pub ignored: bool,
    /// The words.
    pub command: Command,
    /// The docker command, if it is one.
    pub docker: Option<Docker>,
}

impl Step {
    /// Returns the place of a word, which belongs to `field`.
    pub fn at(&self, word: &Word, field: &str) -> At {
        let space = if field.is_empty() { "" } else { " " };
        At { file: self.file.clone(), line: word.line, field: format!("Service {}{space}{field}", self.key) }
    }

    /// Returns the place of its program.
    pub fn place(&self) -> At {
        let line = self.command.words.first().map_or(1, |word| word.line);
        At { file: self.file.clone(), line, field: format!("Service {}", self.key) }
    }

    /// Returns the words.
    pub fn words(&self) -> impl Iterator<Item = &Word> {
        self.command.words.iter()
    }

    /// Returns the program of the line, as it is written.
    fn program(&self) -> &str {
        let first = self.raw.split_whitespace().next().unwrap_or_default();
        first.trim_start_matches(['-', '@', ':', '+', '!', '|'])
    }

    /// Returns whether it runs before the start.
    pub fn before(&self) -> bool {
        self.key == "ExecStartPre"
    }
}

/// Returns all commands of a unit, for one name.
pub fn steps(unit: &Unit, name: Name<'_>, found: &mut Found) -> Vec<Step> {
    let environment = Environment::read(name, unit.service().map(|line| &line.setting));
    let mut steps: Vec<Step> = Vec::new();
    for line in unit.service() {
        let (key, value) = (&line.setting.key, &line.setting.value);
        if !["ExecStartPre", "ExecStart", "ExecStop", "ExecStopPost"].contains(&key.as_str()) {
            continue;
        }
        if value.is_empty() {
            // An empty line clears the earlier ones.
            steps.retain(|step| step.key != *key);
            continue;
        }
        let at = unit.at(line);
        let ran = shell::run(&environment, &line.setting);
        if let Some(what) = ran.unread {
            found.unread(at.clone(), format!("{what}; what else stands there is left out"));
        }
        for command in ran.commands {
            let docker = docker::is_docker(&command).then(|| docker::read(&command));
            let docker = docker.and_then(|read| {
                read.map_err(|what| found.unread(at.clone(), format!("{what}; it is left out"))).ok()
            });
            let ignored = value.chars().take_while(|c| "-@:+!|".contains(*c)).any(|c| c == '-');
            let (key, file, raw) = (key.clone(), line.file.clone(), value.clone());
            steps.push(Step { key, file, raw, ignored, command, docker });
        }
    }
    steps
}

/// The container of a unit.
#[derive(Debug, Clone, Copy)]
pub struct Main<'s> {
    /// The command that creates it.
    pub step: &'s Step,
    /// The docker command.
    pub run: &'s Run,
    /// The command that starts it without staying attached.
    pub detached: Option<&'s Step>,
}

/// Returns the command that creates the container of the unit.
pub fn main<'s>(steps: &'s [Step], found: &mut Found) -> Option<Main<'s>> {
    let starts = || steps.iter().filter(|step| step.key == "ExecStart");
    let runs = steps.iter().filter_map(|step| match &step.docker {
        Some(Docker::Run(run)) => Some((step, run)),
        _ => None,
    });
    let of = |(step, run): (&'s Step, &'s Run)| {
        let detached = run.is("detach").then_some(step);
        Main { step, run, detached }
    };
    let own = runs.clone().find(|(step, _)| step.key == "ExecStart").map(of);
    let main = own.or_else(|| started(steps)).or_else(|| {
        let mut before = runs.clone().filter(|(step, run)| step.before() && run.is("detach"));
        before.next().map(of)
    });
    for (step, run) in runs {
        let writes = run.all("volume").chain(run.all("mount")).any(|word| !is_read_only(&word.text));
        let is_main = main.is_some_and(|main| std::ptr::eq(main.run, run));
        if !is_main && writes && !step.key.starts_with("ExecStop") {
            found.unread(step.place(), "a second container of the unit: what it mounts is left out");
        }
    }
    if main.is_some() {
        return main;
    }
    for step in starts() {
        let program = step.command.words.first().map_or("", |word| word.base());
        let what = match (&step.docker, ENGINES.contains(&program)) {
            (Some(Docker::Start { .. }), _) => {
                "`docker start` of a container that is made elsewhere: what it holds is left out".to_owned()
            }
            (_, true) => {
                let what = format!("a container of {program}: what it holds is left out");
                found.not_searched(step.place(), what, "docker run, or a description that is read");
                break;
            }
            // A docker command that is not understood is already listed.
            (None, _) if docker::is_docker(&step.command) => continue,
            _ => {
                format!("it runs `{}`, and no container of docker: what it holds is left out", step.program())
            }
        };
        found.unread(step.place(), what);
        break;
    }
    None
}

/// Returns a `docker start` of a container that the unit created before.
fn started(steps: &[Step]) -> Option<Main<'_>> {
    steps.iter().find_map(|start| {
        let Some(Docker::Start { attach, names }) = &start.docker else { return None };
        let made = steps.iter().find_map(|step| match &step.docker {
            Some(Docker::Create(run) | Docker::Run(run)) => {
                let name = run.last("name")?;
                names.iter().any(|n| n.text == name.text).then_some((step, run))
            }
            _ => None,
        });
        let (step, run) = made?;
        Some(Main { step, run, detached: (!attach).then_some(start) })
    })
}

/// Returns whether the options of a mount keep the container from writing.
pub fn is_read_only(mount: &str) -> bool {
    let fields: Vec<String> = docker::fields(mount).iter().map(|f| f.to_ascii_lowercase()).collect();
    let targets = ["target=", "dst=", "destination="];
    if fields.iter().any(|f| targets.iter().any(|target| f.starts_with(target))) {
        let read_only = ["readonly", "ro", "readonly=true", "ro=true", "readonly=1", "ro=1"];
        return fields.iter().any(|f| read_only.contains(&f.as_str()));
    }
    mount.split(':').nth(2).is_some_and(|options| options.split(',').any(|o| o == "ro"))
}
