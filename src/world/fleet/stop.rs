//! Reads how the container of a unit stops: what keeps running, the grace period, and what a start
//! kills.

use super::docker::{Docker, Run};
use super::names::Name;
use super::quadlet::CONTAINER;
use super::service::{Main, Step};
use super::unit::Unit;
use super::word::Word;
use crate::finding::{At, Level, codes};
use crate::images::Software;
use crate::text::duration;
use crate::world::found::Found;
use crate::world::{Mount, Source, Workload};

/// The default of systemd's `DefaultTimeoutStopSec` in seconds. `docker stop` has its own default.
const TIMEOUT: u32 = 90;
const STOP: u32 = 10;

/// The containers that a command of the start ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Victim {
    /// The container with this name.
    Name(String),
    /// Every container with this text in its name.
    Part(String),
    /// Every container with this label.
    Label(String, String),
    /// Every container, or every container of an image.
    All,
}

impl Victim {
    /// Returns whether the command also stops the container `container`, whichever unit created it.
    pub fn has_name(&self, container: &str) -> bool {
        match self {
            Self::Name(name) => name == container,
            Self::Part(part) => container.contains(part.as_str()),
            Self::Label(..) => false,
            Self::All => true,
        }
    }
}

/// Returns the containers that the commands before the start and after the end kill. systemd also
/// runs the latter after the client was killed. `own` is the name of the unit's container.
pub fn kills(steps: &[Step], own: Option<&str>, found: &mut Found) -> Vec<(Victim, At)> {
    let mut kills = Vec::new();
    for step in steps.iter().filter(|step| step.before() || step.key == "ExecStopPost") {
        let (verb, names) = match &step.docker {
            Some(Docker::Stop { names, .. }) => ("docker stop", names),
            Some(Docker::Kill { names, .. }) => ("docker kill", names),
            Some(Docker::Remove { force: true, names }) => ("docker rm -f", names),
            _ => continue,
        };
        for name in names {
            if !name.known && !lists(name) && own != Some(&name.text) {
                let what =
                    format!("the containers that `{verb} {}` ends are known only on the machine", name.text);
                found.unread(step.at(name, verb), what);
            }
            kills.extend(victims(name).into_iter().map(|victim| (victim, step.at(name, verb))));
        }
    }
    kills
}

/// Returns `text` as the file of the unit contains it: in a template the instance is `%i`.
pub fn written(workload: &Workload, text: &str) -> String {
    let template = workload.at.file.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with('@'));
    let instance = Name::of(&workload.name).instance.filter(|i| template && !i.is_empty());
    // In a path the instance stands by itself: `/mnt/d1/zk-1`.
    let alone = |(at, i): &(usize, &str)| {
        let bound = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
        !text.contains('/')
            || bound(text[..*at].chars().next_back()) && bound(text[at + i.len()..].chars().next())
    };
    let found = instance.and_then(|i| text.rmatch_indices(i).find(alone).map(|(at, _)| (at, i.len())));
    match found {
        Some((at, length)) => format!("{}%i{}", &text[..at], &text[at + length..]),
        None => text.to_owned(),
    }
}

/// Returns the lines that stop only the leftover containers of the unit itself.
pub fn own_end(workload: &Workload) -> String {
    let (client, name) = (&workload.client, own_name(workload));
    let program = if client.ends_with("podman") { "podman" } else { "docker" };
    format!(
        "{program} run --label unit=%n, and before it  \
         ExecStartPre=/bin/sh -c 'c=$$({client} ps -q --filter label=unit=%n); test -z \"$$c\" || {client} stop -t 60 $$c'  \
         ExecStartPre=-{client} rm {name}"
    )
}

/// Returns the name of its container as the file of the unit has it.
fn own_name(workload: &Workload) -> String {
    let container = workload.members.first().and_then(|m| m.container.as_ref());
    container.map_or_else(|| "NAME".to_owned(), |(name, _)| written(workload, name))
}

/// Returns whether a word is the output of `docker ps`.
fn lists(name: &Word) -> bool {
    ["docker ps", "docker container ls", "podman ps", "podman container ls"]
        .iter()
        .any(|l| name.text.contains(l))
}

/// Returns the containers that a word names: one container, or those that `docker ps` finds.
fn victims(name: &Word) -> Vec<Victim> {
    if name.known {
        return vec![Victim::Name(name.text.clone())];
    }
    if !lists(name) {
        // The text is the same for every unit with the same name.
        return vec![Victim::Name(name.text.clone())];
    }
    let words = || name.text.split([' ', '(', ')', '"', '\'']);
    let filters: Vec<&str> = words()
        .zip(words().skip(1))
        .filter_map(|(option, value)| match option {
            "-f" | "--filter" => Some(value),
            option => option.strip_prefix("--filter=").or_else(|| option.strip_prefix("-f=")),
        })
        .chain(words().next_back().and_then(|last| last.strip_prefix("--filter=")))
        .collect();
    let of = |key: &'static str| filters.iter().filter_map(move |f| f.strip_prefix(key));
    // A container needs all of several labels, but only one of several names.
    if let Some(label) = of("label=").next() {
        let (key, value) = label.split_once('=').unwrap_or((label, ""));
        return vec![Victim::Label(key.to_owned(), value.to_owned())];
    }
    let named: Vec<Victim> = of("name=").map(pattern).collect();
    if named.is_empty() { vec![Victim::All] } else { named }
}

/// Returns the containers that docker's filter by name matches: its regular expression matches
/// anywhere in a name, unless it is anchored.
fn pattern(text: &str) -> Victim {
    let plain = text.trim_matches(['^', '$', '/']);
    if plain.contains(['*', '+', '?', '[', '|', '\\']) {
        Victim::All
    } else if text.starts_with('^') && text.ends_with('$') {
        Victim::Name(plain.to_owned())
    } else {
        Victim::Part(plain.to_owned())
    }
}

/// Returns whether the unit stays active without a main process until a command of its stop ends the
/// container (systemd.service(5), `RemainAfterExit=`).
pub fn remains(unit: &Unit, steps: &[Step], main: &Main<'_>) -> bool {
    let yes = |line: &super::unit::Line| ["yes", "true", "on", "1"].contains(&line.setting.value.as_str());
    unit.last(&["RemainAfterExit"]).is_some_and(yes) && ended_by(steps, "ExecStop", main.run)
}

/// Returns whether the unit ends a container that it has detached: at its stop, or after its main process.
fn ends_detached(unit: &Unit, steps: &[Step], main: &Main<'_>, by: &Step) -> bool {
    remains(unit, steps, main) || by.before() && ended_by(steps, "ExecStopPost", main.run)
}

/// Returns whether a stop may be of the container of `run`: it names it, or what it names is known only on the
/// machine.
fn may_end(stop: &Step, run: &Run) -> bool {
    let own = run.last("name");
    match &stop.docker {
        Some(Docker::Stop { names, .. } | Docker::Kill { names, .. } | Docker::Remove { names, .. }) => {
            let hits =
                |name: &Word| !name.known || own.is_some_and(|own| !own.known || own.text == name.text);
            names.is_empty() || names.iter().any(hits)
        }
        _ => true,
    }
}

/// Returns whether a line `key` ends the container of `run`.
fn ended_by(steps: &[Step], key: &str, run: &Run) -> bool {
    let Some(own) = run.last("name") else { return false };
    steps.iter().filter(|step| step.key == key && step.ends()).any(|step| {
        let names = match &step.docker {
            Some(Docker::Stop { names, .. } | Docker::Kill { names, .. } | Docker::Remove { names, .. }) => {
                names
            }
            _ => return false,
        };
        names.iter().any(|name| name.text == own.text)
    })
}

/// Reports a `docker start` in the place of `docker run` that returns at once: systemd then takes the unit for
/// ended, runs `ExecStop`, and starts it again (systemd.service(5), `Type=simple`).
pub fn not_attached(unit: &Unit, steps: &[Step], main: &Main<'_>, workload: &Workload, found: &mut Found) {
    let typed = |kind: &str| unit.last(&["Type"]).is_some_and(|line| line.setting.value == kind);
    let Some(own) = main.run.last("name").filter(|_| main.detached.is_none() && !main.run.is("rm")) else {
        return;
    };
    let starts = |step: &&Step| match &step.docker {
        Some(Docker::Start { attach: false, names }) => names.iter().any(|name| name.text == own.text),
        _ => false,
    };
    let waits = |step: &Step| {
        let mut words = step.words().map(|word| word.text.as_str());
        step.key == "ExecStart" && words.any(|word| ["wait", "logs", "attach"].contains(&word))
    };
    let once = typed("oneshot") || typed("forking") || remains(unit, steps, main) || steps.iter().any(waits);
    if let Some(step) = steps.iter().filter(|s| s.key == "ExecStart").find(starts).filter(|_| !once) {
        let message = format!(
            "{} ends at once where its container is still there: `docker start` does not wait for it",
            workload.name
        );
        let fix = format!("run in the foreground: docker start -a {}", own_name(workload));
        found.violation(codes::OUTLIVES, message, vec![step.place()], fix);
    }
}

/// Reports a start that ends the container that still runs, with SIGKILL.
fn killed(steps: &[Step], main: &Main<'_>, workload: &Workload, found: &mut Found) {
    let Some(own) = main.run.last("name") else { return };
    let kills = |step: &&Step| match &step.docker {
        Some(Docker::Kill { signal: None, names } | Docker::Remove { force: true, names }) => {
            names.iter().any(|name| name.text == own.text)
        }
        _ => false,
    };
    let data = workload.members.iter().any(|m| !m.mounts.is_empty());
    if let Some(step) = steps.iter().filter(|step| step.before()).find(kills).filter(|_| data) {
        let message = format!("each start of {} ends its running container with SIGKILL", workload.name);
        let fix = format!("{} stop -t 60 {} in place of it", workload.client, own_name(workload));
        found.note(codes::GRACE, message, vec![step.place()], fix);
    }
}

/// Returns the place that lets the container keep running when its unit stops.
pub fn outlives(
    unit: &Unit,
    steps: &[Step],
    main: &Main<'_>,
    workload: &Workload,
    found: &mut Found,
) -> Option<At> {
    let Main { step, run, detached } = *main;
    let mut all: Vec<(At, String, String)> = Vec::new();
    // systemd refuses other restarts of such a unit, and waits for the end of its command.
    let oneshot = unit.last(&["Type"]).is_some_and(|line| line.setting.value == "oneshot");
    let simple = if oneshot { "Type=simple in [Service], and " } else { "" };
    let name = own_name(workload);
    if let Some(by) = detached.filter(|by| !ends_detached(unit, steps, main, by)) {
        let option = run.last("detach").filter(|_| matches!(by.docker, Some(Docker::Run(_))));
        let at = option.map_or_else(|| by.place(), |word| by.at(word, "--detach"));
        let what = "the container is detached: systemd stops and watches the client only".to_owned();
        // `--rm` also removes what the container keeps in itself.
        let inside = workload.members.iter().flat_map(|m| &m.mounts).any(|m| m.source == Source::Ephemeral);
        let fix = match inside {
            true => format!("{simple}run in the foreground: docker start -a {name}"),
            false => format!(
                "{simple}run in the foreground: docker run --rm --name {name}, or docker start -a {name}"
            ),
        };
        all.push((at, what, fix));
        killed(steps, main, workload, found);
    }
    if let Some(word) = run.last("restart").filter(|w| w.text == "always" || w.text.starts_with("unless-")) {
        let whom = if unit.local { "after its unit was stopped" } else { "where fleet has no unit of it" };
        let what = format!("docker restarts the container by itself (--restart={}), also {whom}", word.text);
        all.push((
            step.at(word, "--restart"),
            what,
            format!("{simple}Restart=always in [Service], and no --restart"),
        ));
    }
    let stops = steps.iter().any(|step| step.key.starts_with("ExecStop") && step.ends());
    let none = unit.last(&["KillMode"]).filter(|line| line.setting.value == "none");
    if let Some(line) = none.filter(|_| stops && all.is_empty()) {
        let what = "KillMode=none: if ExecStop does not end the container in time, it keeps running, and its unit counts as stopped";
        let fix = "KillMode=mixed: ExecStop ends the container, and systemd the client".to_owned();
        found.note(codes::OUTLIVES, what.to_owned(), vec![unit.at(line)], fix);
    }
    if let Some(line) = none.filter(|_| !stops) {
        let what = "KillMode=none and no ExecStop: nothing stops the container".to_owned();
        let seconds = workload.software.as_ref().map_or(60, |s| s.grace.max(60));
        let fix = format!("KillMode=mixed and ExecStop={} stop -t {seconds} {name}", workload.client);
        all.push((unit.at(line), what, fix));
    }
    let first = all.first().map(|(at, ..)| at.clone());
    for (at, message, fix) in all {
        found.violation(codes::OUTLIVES, message, vec![at], fix);
    }
    first
}

/// Sets the grace period of the container, and reports it if it is too short.
pub fn grace(
    unit: &Unit,
    steps: &[Step],
    main: &Main<'_>,
    workload: &mut Workload,
    software: Option<&Software>,
    found: &mut Found,
) {
    let line = unit.last(&["TimeoutStopSec", "TimeoutSec"]);
    let read = line.map(|line| duration::systemd(&line.setting.value));
    if let Some((line, None)) = line.zip(read) {
        found.unread(unit.at(line), format!("an unknown time: treated as {TIMEOUT} s"));
    }
    // 0 is no limit either (systemd `src/core/load-fragment.c`, `config_parse_sec_fix_0`).
    let timeout = read.flatten().map_or(TIMEOUT, |time| if time == 0 { u32::MAX } else { time });
    let stop = steps.iter().find(|step| step.key == "ExecStop" && step.ends() && may_end(step, main.run));
    let own = line.map(|line| unit.at(line));
    let (seconds, at) = stop.map_or((None, own.clone()), |step| asked(step, main.run, found));
    // docker keeps to the grace period, even if the client of the stop is killed.
    workload.grace = seconds.unwrap_or(timeout);
    workload.grace_at = at;
    let Some(at) = workload.grace_at.clone() else { return };
    // After ExecStop systemd signals the client of `docker run`, which waits for its container, and
    // waits for the same time again (systemd `src/core/service.c`, stop-sigterm; measured: 8 s,
    // then 16 s).
    if let Some(seconds) = seconds
        && seconds > timeout.saturating_mul(2)
    {
        let places = own.into_iter().chain([at]).collect();
        let message = format!(
            "systemd gives up after twice {timeout} s, but docker may need {seconds} s to stop: the container keeps running after its unit has stopped"
        );
        let fix = format!("TimeoutStopSec={}", seconds.saturating_add(30));
        return found.note(codes::GRACE, message, places, fix);
    }
    let durable = |m: &Mount| m.source != Source::Ephemeral;
    let killed = workload.grace == 0 && workload.members.iter().any(|m| m.mounts.iter().any(durable));
    let known = software.filter(|s| !s.cache && workload.grace < s.grace);
    if killed && known.is_none() {
        let message = format!("{} has data, and is killed at once", workload.name);
        let fix = stop_line(unit, workload);
        return found.note(codes::GRACE, message, vec![at], fix);
    }
    if let Some(software) = known {
        let message = format!(
            "{} may need {} s to stop, and {} gives it {} s",
            software.name, software.grace, workload.name, workload.grace
        );
        let fix = match stop {
            Some(_) => stop_line(unit, workload),
            None => "TimeoutStopSec=90".to_owned(),
        };
        let level = if killed { Level::Violation } else { Level::Note };
        found.finding((codes::GRACE, level), message, vec![at], fix);
    }
}

/// Returns the line that gives the container a minute to stop.
fn stop_line(unit: &Unit, workload: &Workload) -> String {
    if unit.file.ends_with(CONTAINER) {
        return "StopTimeout=60".to_owned();
    }
    format!("ExecStop={} stop -t 60 {}", workload.client, own_name(workload))
}

/// Returns the seconds between a stop and docker's kill, if there is one.
fn asked(step: &Step, run: &Run, found: &mut Found) -> (Option<u32>, Option<At>) {
    match &step.docker {
        Some(Docker::Stop { time: Some(word), .. }) => {
            let at = step.at(word, "docker stop -t");
            let seconds = word.text.parse::<u32>();
            if seconds.is_err() {
                found.unread(
                    at.clone(),
                    format!("`{}` is not a time: treated as docker's {STOP} s", word.text),
                );
            }
            (Some(seconds.unwrap_or(STOP)), Some(at))
        }
        Some(Docker::Stop { time: None, .. }) => {
            let own = run.last("stop-timeout").and_then(|word| word.text.parse().ok());
            (Some(own.unwrap_or(STOP)), Some(step.place()))
        }
        // A signal does not end the container.
        Some(Docker::Kill { signal: Some(signal), .. })
            if !["KILL", "SIGKILL", "9"].contains(&signal.text.as_str()) =>
        {
            (None, Some(step.at(signal, "docker kill -s")))
        }
        _ => (Some(0), Some(step.place())),
    }
}
