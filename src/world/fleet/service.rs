//! Reads `[Service]`: which commands a unit runs, and which of them starts its container.

use std::sync::Arc;

use super::docker::{self, Docker, Run};
use super::exec::Environment;
use super::names::Name;
use super::quadlet;
use super::shell;
use super::unit::Unit;
use super::word::{Command, Word};
use crate::finding::At;
use crate::world::found::Found;

/// The engines whose options berthc does not know.
const ENGINES: [&str; 8] =
    ["rkt", "nerdctl", "ctr", "runc", "crun", "lxc-start", "systemd-nspawn", "machinectl"];
/// The programs that start nothing with data.
#[rustfmt::skip]
const HARMLESS: [&str; 52] = [
    "[", "basename", "cat", "cd", "chmod", "chown", "cp", "curl", "cut", "date", "dd", "echo", "etcdctl", "exit",
    "false", "fleetctl", "grep", "head", "hostname", "hostnamectl", "install", "ip", "iptables", "journalctl",
    "kill", "ln", "logger", "mkdir", "modprobe", "mount", "mountpoint", "mv", "printf", "pwd", "rm", "sed",
    "set", "sleep", "sysctl", "systemctl", "tail", "tee", "test", "touch", "tr", "trap", "true", "umount",
    "update-engine", "wait", "wget", "wipefs",
];

/// The lines that run something (systemd.service(5)).
const EXEC: [&str; 7] =
    ["ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"];

/// A command of an Exec line.
#[derive(Debug)]
pub struct Step {
    /// The key, such as `ExecStart`.
    pub key: String,
    /// The file.
    pub file: Arc<str>,
    /// The line as it is written; empty for what podman's generator makes.
    pub raw: Arc<str>,
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
        let field = match self.file.ends_with(quadlet::CONTAINER) && self.raw.is_empty() {
            true => format!("Container{space}{}", field.trim_start_matches('-')),
            false => format!("Service {}{space}{field}", self.key),
        };
        At { file: self.file.clone(), line: word.line, field }
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

    /// Whether the container that it runs is left to itself: detached, and not watched by systemd. Podman
    /// can tell systemd of its monitor, which lives as long as the container (podman-run(1)).
    pub fn is_left(&self, run: &Run) -> bool {
        let conmon = run.last("sdnotify").is_some_and(|word| word.text == "conmon");
        run.is("detach") && !conmon && run.last("conmon-pidfile").is_none()
    }

    /// Whether it ends a container.
    pub fn ends(&self) -> bool {
        matches!(
            self.docker,
            Some(Docker::Stop { .. } | Docker::Kill { .. } | Docker::Remove { force: true, .. })
        )
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
    if let Some(line) = unit.last(&["EnvironmentFile"]).filter(|_| unit.last(&["Environment"]).is_some()) {
        // A file wins over `Environment=` (systemd.exec(5)).
        let what = "EnvironmentFile= may override Environment=: treated as if it did not";
        found.unread(unit.at(line), what);
    }
    for line in unit.service() {
        let (key, value) = (&line.setting.key, &line.setting.value);
        if !EXEC.contains(&key.as_str()) {
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
            let what = format!("{what}; the rest of the line is ignored");
            match key.starts_with("ExecStart") {
                true => found.not_searched(at.clone(), what, "the command itself in the line"),
                false => found.unread(at.clone(), what),
            }
        }
        let raw: Arc<str> = value.as_str().into();
        for command in ran.commands {
            let docker = docker::is_docker(&command).then(|| docker::read(&command));
            let docker = docker.and_then(|read| {
                let left = |what| {
                    let what = format!("{what}; it is left out");
                    found.not_searched(at.clone(), what, "docker run [OPTIONS] IMAGE [COMMAND]");
                };
                read.map_err(left).ok()
            });
            let ignored = value.chars().take_while(|c| "-@:+!|".contains(*c)).any(|c| c == '-');
            let (key, file, raw) = (key.clone(), line.file.clone(), raw.clone());
            steps.push(Step { key, file, raw, ignored, command, docker });
        }
    }
    steps.shrink_to_fit();
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
        Some(Docker::Run(run)) => Some((step, run.as_ref())),
        _ => None,
    });
    let of = |(step, run): (&'s Step, &'s Run)| {
        let detached = step.is_left(run).then_some(step);
        Main { step, run, detached }
    };
    let own = runs.clone().find(|(step, run)| step.key == "ExecStart" && !run.is_idle()).map(of);
    let main = own.or_else(|| started(steps)).or_else(|| {
        let before =
            |(step, run): &(&Step, &Run)| step.before() && (run.is("detach") || step.command.background);
        runs.clone().find(before).map(of)
    });
    if main.is_some() {
        return main;
    }
    if let Some((step, what, fix)) =
        starts().find_map(|step| Some((step, elsewhere(step)?.0, elsewhere(step)?.1)))
    {
        found.not_searched(step.place(), what, fix);
    }
    None
}

/// Returns what `step` starts if its definition is elsewhere or unknown, and how to search it; `None` if
/// it holds no data.
fn elsewhere(step: &Step) -> Option<(String, &'static str)> {
    let words: Vec<&str> = step.words().map(|word| word.text.as_str()).collect();
    let (first, rest) = words.split_first()?;
    let program = first.rsplit('/').next().unwrap_or(first);
    let has = |word: &str| rest.contains(&word);
    const COMPOSE: &str = "docker stack config -c COMPOSE.yml | berthc verify -";
    const RUN: &str = "docker run in ExecStart, or the files that say what it runs";
    let of = |what: String, fix| Some((format!("{what}: what it holds is not searched"), fix));
    match &step.docker {
        Some(Docker::Start { .. }) => {
            return of("`docker start` of a container that is made elsewhere".to_owned(), RUN);
        }
        Some(Docker::Other) if has("compose") || has("stack") && has("deploy") => {
            return of(format!("`{}` starts what a compose file says", words.join(" ")), COMPOSE);
        }
        Some(Docker::Other) if has("service") && has("create") || has("kube") => {
            return of(format!("`{}`", words.join(" ")), "a stack file, manifest or unit of what it starts");
        }
        Some(_) => return None,
        // Docker commands that berthc does not understand are already listed.
        None if docker::is_docker(&step.command) => return None,
        None => {}
    }
    match program {
        "docker-compose" | "podman-compose" => {
            of(format!("`{}` starts what a compose file says", words.join(" ")), COMPOSE)
        }
        _ if ENGINES.contains(&program) => of(format!("a container of {program}"), RUN),
        _ if HARMLESS.contains(&program) || program.starts_with("mkfs") => None,
        _ => of(format!("it runs `{first}`, and no container that is read"), RUN),
    }
}

/// Returns the `docker start` of a container that the unit created before.
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
