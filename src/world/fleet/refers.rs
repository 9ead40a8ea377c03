//! Finds what a unit refers to and the files do not contain: other units, files with variables, networks
//! and containers.

use std::collections::BTreeSet;

use super::docker::Docker;
use super::quadlet;
use super::service::Step;
use super::starts::SYSTEM;
use super::together::Set;
use crate::finding::At;
use crate::world::File;
use crate::world::found::Found;

/// Further prefixes of units that machines have.
const MACHINE: [&str; 16] = [
    "time-sync",
    "nss-",
    "ntp",
    "chrony",
    "sshd",
    "rpc",
    "nfs",
    "podman",
    "crio",
    "cloud-",
    "coreos-",
    "update-engine",
    "firewalld",
    "iptables",
    "nftables",
    "-.",
];
/// The kinds of units that nobody writes by hand, or that systemd always has.
const MADE: [&str; 4] = [".target", ".slice", ".device", ".scope"];
/// The units that the generator of podman makes of its other files.
const GENERATED: [&str; 5] =
    ["-pod.service", "-volume.service", "-network.service", "-image.service", "-build.service"];
/// The files that a machine has.
const FILES: [&str; 4] = ["/etc/environment", "/etc/os-release", "/etc/lsb-release", "/usr/lib/os-release"];
/// The networks that need no name.
const NETWORKS: [&str; 8] =
    ["bridge", "host", "none", "default", "podman", "private", "pasta", "slirp4netns"];

/// Reports them, in one note for each unit.
pub fn judge(files: &[File<'_>], set: &Set<'_>, steps: &[Vec<Step>], found: &mut Found) {
    let mut networks: BTreeSet<&str> = BTreeSet::new();
    let mut containers: BTreeSet<&str> = BTreeSet::new();
    for step in steps.iter().flatten() {
        match &step.docker {
            Some(Docker::Run(run) | Docker::Create(run)) => {
                containers.extend(run.last("name").map(|name| name.text.as_str()));
            }
            Some(Docker::Other) if step.words().any(|w| w.text == "network") => {
                networks.extend(step.words().map(|w| w.text.as_str()));
            }
            _ => {}
        }
    }
    let quadlets: BTreeSet<&str> =
        files.iter().map(|f| quadlet::base(f.path)).filter(|f| quadlet::is_quiet(f)).collect();
    let made: Vec<String> = files
        .iter()
        .filter(|file| file.path.ends_with(".network"))
        .filter_map(|file| Some(quadlet::made(file)?.1))
        .collect();
    networks.extend(made.iter().map(String::as_str));
    let told: BTreeSet<At> = found.findings.iter().filter_map(|f| f.at.first().cloned()).collect();
    let mut said: BTreeSet<&str> = BTreeSet::new();
    for (own, steps) in set.instances.iter().zip(steps) {
        if !said.insert(&own.unit.name) {
            continue;
        }
        let mut things: Vec<(String, At)> = Vec::new();
        for (text, at) in own.unit.wants(&["Requires", "BindsTo", "Requisite", "Wants", "After"]) {
            let name = own.parts().expand(&text);
            let system = SYSTEM.iter().chain(&MACHINE).any(|s| name.starts_with(s));
            let made = MADE.iter().chain(&GENERATED).any(|s| name.ends_with(s));
            if !system && !made && !set.knows(&name) && !name.contains(['%', '$']) && !told.contains(&at) {
                things.push((name, at));
            }
        }
        for line in own.unit.service().filter(|line| line.setting.key == "EnvironmentFile") {
            let path = own.parts().expand(&line.setting.value);
            if path.starts_with('/') && !path.contains(['%', '$']) && !FILES.contains(&path.as_str()) {
                things.push((path, own.unit.at(line)));
            }
        }
        for step in steps.iter().filter(|s| s.key.starts_with("ExecStart") && !s.ignored) {
            let Some(Docker::Run(run) | Docker::Create(run)) = &step.docker else { continue };
            for (option, word) in run.options.iter().filter(|(_, word)| word.known) {
                let text = word.text.as_str();
                let thing = match option.as_str() {
                    "network" | "net" => {
                        let name = text.split([':', ',']).next().unwrap_or_default();
                        match text.strip_prefix("container:") {
                            Some(of) => (!containers.contains(of)).then(|| format!("container {of}")),
                            None => (!name.contains('=')
                                && !NETWORKS.contains(&name)
                                && name != "ns"
                                && !networks.contains(name)
                                && !quadlets.contains(name)
                                && !(name.ends_with(".container")))
                            .then(|| format!("network {name}")),
                        }
                    }
                    "link" | "volumes-from" => {
                        let name = text.split(':').next().unwrap_or_default();
                        (!containers.contains(name)).then(|| format!("container {name}"))
                    }
                    "env-file" => (!FILES.contains(&text)).then(|| text.to_owned()),
                    _ => None,
                };
                things.extend(thing.map(|thing| (thing, step.at(word, &format!("--{option}")))));
            }
        }
        let fix = "berthc verify with their files too, or create them before the unit starts: ExecStartPre=-/usr/bin/docker network create NAME";
        found.outside(&own.unit.name, things, fix);
    }
}
