//! Finds units that systemd refuses to load, and units whose start it never counts as done.

use super::docker::Docker;
use super::service::{Main, Step};
use super::unit::{Line, Unit};
use crate::finding::{At, Level, codes};
use crate::world::found::Found;
use crate::world::{Kind, Mount, Source, Workload};

/// The sections of a service that systemd reads. It ignores all others, but for those that begin with `X-`
/// (systemd.unit(5)).
const SECTIONS: [&str; 3] = ["Unit", "Service", "Install"];

/// The letters after `%` that no version of systemd expands (systemd.unit(5), "Specifiers"). It refuses a
/// line with one, and so with a digit (`src/shared/specifier.c`, `POSSIBLE_SPECIFIERS`; measured with 252).
const UNKNOWN: &str = "eFkKOQxXzZ0123456789";

/// The signs of a shell, which systemd gives to the program as words (systemd.service(5), "COMMAND LINES").
const SHELL: [&str; 8] = ["|", "||", "&&", "&", ">", ">>", "<", "2>&1"];

/// Reports what keeps systemd from running a unit at all (systemd `src/core/service.c`, `service_verify`, and
/// `src/core/load-fragment.c`, `config_parse_exec`; measured with 252).
pub fn judge(unit: &Unit, found: &mut Found) {
    if !unit.file.ends_with(".service") {
        return;
    }
    let section = |line: &&Line| {
        let name = line.setting.section.as_str();
        !SECTIONS.contains(&name) && !name.starts_with("X-") && !name.starts_with("x-")
    };
    let strange = unit.lines.iter().find(section);
    let of = |key: &str| {
        let mut all: Vec<&Line> = Vec::new();
        for line in unit.service().filter(|line| line.setting.key == key) {
            if line.setting.value.is_empty() { all.clear() } else { all.push(line) }
        }
        all
    };
    let value = |key: &str| unit.last(&[key]).map(|line| line.setting.value.as_str()).unwrap_or_default();
    let (starts, once) = (of("ExecStart"), value("Type") == "oneshot");
    let stays = ["yes", "true", "on", "1"].contains(&value("RemainAfterExit"));
    let ends = ["SuccessAction", "FailureAction"].iter().any(|key| !value(key).is_empty());
    let mut refuses = |why: String, at: At, fix: &str| {
        found.violation(codes::NEVER, format!("systemd refuses {}: {why}", unit.name), vec![at], fix);
    };
    let stops = stays && !of("ExecStop").is_empty();
    if starts.is_empty() && !ends && !stops {
        let at = strange.map_or_else(|| unit.begin(), |line| unit.at(line));
        let (why, fix) = match strange {
            Some(line) if line.setting.section.is_empty() => (
                "its lines stand above the first section, so it has no ExecStart".to_owned(),
                "[Service] above the line",
            ),
            Some(line) => (
                format!("it ignores the section `{}`, so it has no ExecStart", line.setting.section),
                "[Service], the head of the section",
            ),
            None => ("it has no ExecStart".to_owned(), "ExecStart= with the command of the service"),
        };
        refuses(why, at, fix);
    }
    if let [_, .., last] = starts.as_slice()
        && !once
    {
        let why = "it has several ExecStart, which only Type=oneshot may have".to_owned();
        refuses(why, unit.at(last), "ExecStartPre= for all commands but the server");
    }
    if once && ["always", "on-success"].contains(&value("Restart")) {
        let line = unit.last(&["Restart"]).map_or_else(|| unit.begin(), |line| unit.at(line));
        let why = format!("Type=oneshot may not have Restart={}", value("Restart"));
        refuses(why, line, "Type=simple in [Service]; or Restart=on-failure");
    }
    for line in unit.service().filter(|line| line.setting.key.starts_with("Exec")) {
        let program = line.setting.value.split_whitespace().next().unwrap_or_default();
        let plain = program.trim_start_matches(['-', '@', ':', '+', '!', '|']);
        // Of a command that may fail, systemd leaves out the line.
        if program[..program.len() - plain.len()].contains('-') {
            continue;
        }
        let named = !plain.contains(['"', '\'']) && !plain.is_empty() && !plain.starts_with('/');
        // Before 239, systemd looked for no program by its name.
        let old = !unit.local && line.setting.key == "ExecStart";
        if named && (plain.contains('/') || plain.starts_with('$') || old) {
            let why = format!("`{plain}` is not the absolute path of a program");
            refuses(why, unit.at(line), "the absolute path of the program, such as /usr/bin/docker");
        } else if let Some(specifier) = unknown(&line.setting.value).filter(|_| unit.local) {
            let why = format!("it knows no specifier `{specifier}`");
            refuses(why, unit.at(line), "%%, for a percent sign in a command");
        }
    }
}

/// Returns the first specifier that systemd does not know.
fn unknown(text: &str) -> Option<String> {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '%'
            && let Some(letter) = chars.next().filter(|letter| UNKNOWN.contains(*letter))
        {
            return Some(format!("%{letter}"));
        }
    }
    None
}

/// Reports signs of a shell in a docker command that systemd runs itself, and a type that docker's client
/// never satisfies (systemd.service(5), `Type=`): it does not tell systemd that the container is ready, and
/// without `-d` it does not end while the container runs.
pub fn start(unit: &Unit, steps: &[Step], main: &Main<'_>, workload: &Workload, found: &mut Found) {
    let Main { step, run, .. } = *main;
    let name = &workload.name;
    let first = step.raw.split_whitespace().next().and_then(|w| w.rsplit('/').next()).unwrap_or_default();
    let own = first.trim_start_matches(['-', '@', ':', '+', '!']) == "docker" || first == "podman";
    if own && let Some(sign) = run.args.iter().find(|word| SHELL.contains(&word.text.as_str())) {
        let message =
            format!("{name} gets `{}` as an argument of its container: systemd runs no shell", sign.text);
        let fix = format!("ExecStart=/bin/sh -c 'exec {first} run …'");
        found.violation(codes::NEVER, message, vec![step.at(sign, "command")], fix);
    }
    if let Some(word) = run.old.first() {
        let all: Vec<String> = run.old.iter().map(|word| format!("`{}`", word.text)).collect();
        let message = format!("{name} never starts: docker reads {} as single letters", all.join(", "));
        let at = run.old.iter().map(|word| step.at(word, "option")).collect();
        found.violation(codes::NEVER, message, at, format!("-{}, with two dashes", word.text));
    }
    let Some(line) = unit.last(&["Type"]) else { return };
    let tells = steps.iter().any(|s| s.raw.contains("NOTIFY_SOCKET") || s.raw.contains("systemd-notify"));
    let endless = unit
        .last(&["TimeoutStartSec", "TimeoutSec"])
        .is_some_and(|line| ["0", "infinity"].contains(&line.setting.value.as_str()));
    let detached = main.detached.is_some() || run.is("detach");
    let why = match line.setting.value.as_str() {
        "notify" | "notify-reload" if own && first == "docker" && !tells => {
            "docker's client never tells systemd that it is ready"
        }
        "forking" if own && !detached => "docker's client does not end while its container runs",
        _ => return,
    };
    let end = if endless { "its start never ends" } else { "its start times out, and it is stopped" };
    let message = format!("{name} never counts as started: {why}, so {end}");
    found.violation(codes::NEVER, message, vec![unit.at(line)], "Type=simple");
}

/// Reports a command that removes the volume of the container, or all that no container uses (docker
/// `docs/reference/commandline/volume_prune`: before 23.0 also those with a name).
pub fn removed(steps: &[Step], main: &Main<'_>, workload: &Workload, found: &mut Found) {
    let volumes: Vec<&str> = workload.members.iter().flat_map(|m| &m.mounts).filter_map(volume).collect();
    if volumes.is_empty() {
        return;
    }
    let gone = main.run.is("rm") || steps.iter().any(|s| matches!(s.docker, Some(Docker::Remove { .. })));
    for step in steps {
        let words: Vec<&str> = step.words().map(|word| word.text.as_str()).collect();
        let has = |word: &str| words.contains(&word);
        let rm = has("volume") && (has("rm") || has("remove"));
        let own = volumes.iter().find(|name| rm && has(name));
        let prune = has("prune") && (has("volume") || has("system") && has("--volumes"));
        let (what, fix) = match own {
            Some(name) => (format!("removes the volume {name}"), "no command that removes the volume"),
            None if prune && gone => (
                format!(
                    "removes each volume without a container, {} among them before docker 23",
                    volumes[0]
                ),
                "no command that removes volumes",
            ),
            None => continue,
        };
        // Docker keeps a volume that a container has, also one that has ended.
        let all = has("-a") || has("--all") || workload.kind != Kind::Local;
        let certain = gone && (own.is_some() || all);
        let level = if certain { Level::Violation } else { Level::Note };
        let message = format!("{} of {} {what}: the data is lost", step.key, workload.name);
        found.finding((codes::EPHEMERAL, level), message, vec![step.place()], fix);
    }
}

/// Returns the name of docker's own volume in a mount.
fn volume(mount: &Mount) -> Option<&str> {
    match &mount.source {
        Source::Host { path, .. } => path.strip_prefix("volume "),
        _ => None,
    }
}
