//! Finds units that never start: a dead container keeps the name, another unit has the port, or a
//! required unit does not exist.

use std::collections::{BTreeMap, BTreeSet};

use super::docker::Docker;
use super::names::Name;
use super::service::{Main, Step};
use super::stop::written;
use super::together::{Instance, Set};
use super::unit::Unit;
use crate::finding::{At, Level, codes};
use crate::text::duration;
use crate::world::found::Found;
use crate::world::{Kind, Workload};

/// The maximum number of units with one port that are compared with each other.
const COMPARED: usize = 64;
/// The prefixes of units of the system.
pub const SYSTEM: [&str; 12] = [
    "docker",
    "early-docker",
    "containerd",
    "network",
    "etcd",
    "fleet",
    "flanneld",
    "systemd-",
    "dbus",
    "local-fs",
    "remote-fs",
    "basic",
];

/// Reports a container that nothing removes after it has ended. Docker keeps its name, and refuses a
/// second container with that name (docker `docs/reference/run`; measured: exit code 125).
pub fn name_kept(unit: &Unit, workload: &Workload, steps: &[Step], main: &Main<'_>, found: &mut Found) {
    let Some(name) = main.run.last("name").filter(|_| !main.run.is("rm") && !main.run.is("replace")) else {
        return;
    };
    let before = |step: &&Step| step.before() || step.key == "ExecStart";
    let removes = |step: &Step| match &step.docker {
        Some(Docker::Remove { names, .. }) => names.iter().any(|n| n.text == name.text || !n.known),
        Some(Docker::Start { names, .. }) => names.iter().any(|n| n.text == name.text),
        Some(Docker::Other) => step.words().any(|word| word.text == "prune"),
        _ => false,
    };
    if steps.iter().filter(before).any(removes) {
        return;
    }
    // After a power cut the first start is refused. The commands after the end then run as they do after
    // any other end (systemd.service(5), `ExecStopPost=`), and free the name for the next start.
    if steps.iter().filter(|step| step.key == "ExecStopPost").any(removes) {
        if !restarts(unit) {
            let message = format!(
                "{} needs two starts after a power cut: the dead container keeps the name `{}` until the first one has failed",
                template(workload),
                name.text
            );
            let fix = format!("ExecStartPre=-{} rm {}", workload.client, written(workload, &name.text));
            found.note(codes::STUCK, message, vec![main.step.at(name, "--name")], fix);
        }
        return;
    }
    let message = format!(
        "{} starts once: after a stop, a crash or a power cut the dead container keeps the name `{}`, and each further start is refused",
        template(workload),
        name.text
    );
    let fix = format!("ExecStartPre=-{} rm {}", workload.client, written(workload, &name.text));
    found.violation(codes::STUCK, message, vec![main.step.at(name, "--name")], fix);
}

/// The seconds that are too few to download an image.
const DOWNLOAD: u32 = 10;

/// Reports a start that downloads its image and has a few seconds for it: `ExecStartPre=` is part of the start
/// (systemd.service(5), `TimeoutStartSec=`).
pub fn pulls(unit: &Unit, steps: &[Step], workload: &Workload, found: &mut Found) {
    let Some(line) = unit.last(&["TimeoutStartSec", "TimeoutSec"]) else { return };
    let Some(seconds) = duration::systemd(&line.setting.value).filter(|s| (1..=DOWNLOAD).contains(s)) else {
        return;
    };
    let pull = |step: &&Step| step.before() && step.words().nth(1).is_some_and(|word| word.text == "pull");
    if let Some(step) = steps.iter().find(pull) {
        let message = format!(
            "{} never starts where its image is not yet: the download has {seconds} s, and is begun again",
            workload.name
        );
        let places = vec![unit.at(line), step.place()];
        found.violation(codes::NEVER, message, places, "TimeoutStartSec=0");
    }
}

/// Returns whether systemd tries a failed start again.
fn restarts(unit: &Unit) -> bool {
    unit.last(&["Restart"])
        .is_some_and(|line| ["always", "on-failure"].contains(&line.setting.value.as_str()))
}

/// Reports a server that systemd does not start again after its container ended (systemd.service(5),
/// `Restart=`): by default never, with `on-failure` not after code 0, with which docker's client ends if the
/// container does.
pub fn again(unit: &Unit, workload: &Workload, main: &Main<'_>, found: &mut Found) {
    // A key in the wrong section is told by itself.
    if unit.of("Container").any(|(setting, _)| setting.key == "Restart") {
        return;
    }
    let value = |key| unit.last(&[key]).map(|line| line.setting.value.as_str());
    let jvm = workload.software.as_ref().is_some_and(|s| s.jvm);
    let when = match value("Restart").unwrap_or("no") {
        "no" | "" => "one that ended",
        // Podman writes it into the units that it generates.
        "on-failure" if !jvm && !workload.client.ends_with("podman") => "one that ended with code 0",
        "on-success" => "one that failed",
        "on-abnormal" | "on-abort" | "on-watchdog" => "one that ended with an exit code",
        _ => return,
    };
    let data = workload.members.iter().any(|m| !m.mounts.is_empty());
    let serves = workload.software.is_some() || data && !workload.ports.is_empty();
    // The daemon starts it again, or it is a task that ends.
    let daemon = main.run.last("restart").is_some_and(|word| word.text != "no");
    if !serves || daemon || main.detached.is_some() || value("Type") == Some("oneshot") {
        return;
    }
    let line = unit.last(&["Restart"]);
    let at = line.map_or_else(|| main.step.place(), |line| unit.at(line));
    let why = line.map_or("without `Restart=`".to_owned(), |l| format!("with `Restart={}`", l.setting.value));
    let message =
        format!("{} never comes back: {why} systemd starts no container after {when}", workload.name);
    found.note(codes::STUCK, message, vec![at], "Restart=always");
}

/// Returns the name of its unit as the file has it.
fn template(workload: &Workload) -> &str {
    let file = workload.at.file.rsplit('/').next().unwrap_or_default();
    if file.contains('@') { file } else { &workload.name }
}

/// Reports a port of the machine that two units use, if nothing keeps them off one machine. The runtime
/// refuses the second unit, and fleet does not move a unit that fails (fleet `engine/reconciler.go`
/// compares only the desired states).
pub fn ports(set: &Set<'_>, workloads: &[Workload], found: &mut Found) {
    let mut takers: BTreeMap<(u16, &str), Vec<(usize, &At)>> = BTreeMap::new();
    for (i, workload) in workloads.iter().enumerate() {
        for port in workload.ports.iter().filter(|p| p.bound) {
            let takers = takers.entry((port.number, port.protocol.as_str())).or_default();
            if takers.len() < COMPARED {
                takers.push((i, &port.at));
            }
        }
    }
    let mut said: BTreeMap<(&str, &str), ()> = BTreeMap::new();
    for ((number, _), takers) in takers {
        for (n, (second, at)) in takers.iter().enumerate() {
            for (first, theirs) in &takers[..n] {
                let (one, two) = (&set.instances[*first], &set.instances[*second]);
                // Two units that follow other units are kept apart by the rules of those.
                let follow = [one, two].iter().all(|i| !i.unit.rules.peers.is_empty());
                let same = one.name == two.name || follow || one.conflict(two).is_some();
                if same || !side_by_side(set, (&workloads[*first], one), (&workloads[*second], two)) {
                    continue;
                }
                let (a, b) = (one.unit.name.as_str(), two.unit.name.as_str());
                // One pair of instances of a template represents all.
                if said.insert((a, b), ()).is_some() {
                    continue;
                }
                let message = format!(
                    "{} never starts where {} runs: both take port {number} of the machine, and nothing keeps them apart",
                    two.name, one.name
                );
                let fleet = workloads[*second].kind != Kind::Local;
                let fix = match (fleet, Name::of(b)) {
                    (true, name) if a == b => format!("Conflicts={}@*{}", name.prefix, name.suffix),
                    (true, _) => format!("Conflicts={}", a.replace("@.", "@*.")),
                    (false, _) => "another port of the machine for one of them".to_owned(),
                };
                let places =
                    if *at == *theirs { vec![(*at).clone()] } else { vec![(*at).clone(), (*theirs).clone()] };
                found.violation(codes::STUCK, message, places, fix);
            }
        }
    }
}

/// Reports templates whose instances all give one name to their containers: docker refuses the second one, or a
/// `docker start` takes the first one's.
pub fn names(set: &Set<'_>, workloads: &[Workload], found: &mut Found) {
    let container = |i: usize| workloads[i].members.first().and_then(|m| m.container.as_ref());
    for i in 1..set.instances.len() {
        let (one, two) = (&set.instances[i - 1], &set.instances[i]);
        let Some(((name, _), (other, at))) = container(i - 1).zip(container(i)) else { continue };
        let apart = one.unit.name != two.unit.name
            || name != other
            || one.conflict(two).is_some()
            || !one.unit.rules.peers.is_empty()
            || !side_by_side(set, (&workloads[i - 1], one), (&workloads[i], two));
        // A port of both, and a start that ends the other container, say the same.
        let ports = |i: usize| workloads[i].ports.iter().map(|p| p.number).collect::<BTreeSet<u16>>();
        let told = !ports(i - 1).is_disjoint(&ports(i)) || workloads[i].kills.is_some();
        if !apart && !told {
            let message = format!(
                "{} never starts where {} runs: both call their container `{name}`, and nothing keeps them apart",
                two.name, one.name
            );
            let fix = format!("--name {name}-%i in `docker run`");
            // One instance may be all that a machine has; fleet places any number.
            let level = if one.unit.local { Level::Note } else { Level::Violation };
            found.finding((codes::STUCK, level), message, vec![at.clone()], fix);
        }
    }
}

/// Returns whether one machine can run both: they require the same metadata, or one requires none,
/// or one follows the other. Metadata with different keys counts as different machines.
fn side_by_side(
    set: &Set<'_>,
    (a, one): (&Workload, &Instance<'_>),
    (b, two): (&Workload, &Instance<'_>),
) -> bool {
    if a.kind == Kind::Local || b.kind == Kind::Local {
        return a.kind == b.kind;
    }
    let demands = |i: &Instance<'_>| i.unit.rules.demands(i.parts());
    let (ours, theirs) = (demands(one), demands(two));
    let ids = |i: &Instance<'_>| i.unit.rules.ids.first().map(|id| id.text.clone());
    let crew = set.co_located(one).iter().any(|peer| peer.name == two.name)
        || set.co_located(two).iter().any(|peer| peer.name == one.name);
    let free = ours == theirs || ours.is_empty() || theirs.is_empty();
    crew || free && ids(one) == ids(two)
}

/// Reports required units that do not exist, if another unit has a similar name. systemd does not start
/// a unit whose required unit is missing (systemd.unit(5), `Requires=`), and fleet never places a unit
/// that follows a missing one (fleet `agent/state.go`).
pub fn required(set: &Set<'_>, found: &mut Found) {
    for own in &set.instances {
        let rules = own.unit.wants(&["Requires", "BindsTo", "Requisite"]);
        let peers = own.unit.rules.peers.iter().map(|rule| (rule.text.clone(), rule.at.clone()));
        for (text, at) in rules.into_iter().chain(peers) {
            let name = own.parts().expand(&text);
            let system = SYSTEM.iter().any(|s| name.starts_with(s));
            if system || set.knows(&name) || name.contains('%') {
                continue;
            }
            let mut others = set.names().filter(|known| *known != own.unit.name);
            let Some(meant) = others.find_map(|known| meant(&name, known)) else { continue };
            let key = at.field.split(' ').next_back().unwrap_or_default().to_owned();
            let message = format!(
                "{} never starts: it wants {name}, and no such unit is there; {meant} is",
                own.unit.name
            );
            let parts = Name::of(&meant);
            let fix = match parts.instance.filter(|_| text != name) {
                Some(_) => format!("{key}={}@%i{}", parts.prefix, parts.suffix),
                None => format!("{key}={meant}"),
            };
            found.violation(codes::STUCK, message, vec![at], fix);
        }
    }
}

/// Returns the name that `missing` was meant to be, if it differs from `known` only in punctuation
/// or two letters.
fn meant(missing: &str, known: &str) -> Option<String> {
    let (own, other) = (Name::of(missing), Name::of(known));
    if own.suffix != other.suffix {
        return None;
    }
    let plain = |text: &str| text.replace(['@', '-', '_', '.'], "").to_lowercase();
    let (stem, theirs) = (plain(own.stem), plain(other.stem));
    if other.is_template() {
        let rest = stem.strip_prefix(&plain(other.prefix))?;
        let instance = &own.stem[own.stem.len().checked_sub(rest.len())?..];
        return (!rest.is_empty() && instance == rest && rest.bytes().all(|b| b.is_ascii_digit()))
            .then(|| other.instantiated(instance));
    }
    let letters = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    // `giteadb` is no slip of `gitea`.
    let longer = stem.starts_with(&theirs) || theirs.starts_with(&stem);
    let most = if longer { 1 } else { 2 };
    let slip = letters(&stem) != letters(&theirs) && strsim::damerau_levenshtein(&stem, &theirs) <= most;
    (stem == theirs || slip && stem.len() > 5).then(|| known.to_owned())
}
