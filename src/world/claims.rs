//! What of a node a container can have for itself: its data. Sockets, devices, parts of the system,
//! logs and settings are shared by many, or looked at, and nobody's alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{At, Kind, Mount, Source, Unread, UnreadKind, Workload, World};
use crate::images::{self, Software};
use crate::model::backend::Fences;
use crate::text::path::within;

/// Directories of the node itself, with all below.
const SYSTEM: [&str; 22] = [
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/var/run",
    "/var/log",
    "/etc",
    "/lib",
    "/lib64",
    "/usr",
    "/bin",
    "/sbin",
    "/boot",
    "/opt/bin",
    "/opt/cni",
    "/var/lib/calico",
    "/var/lib/cilium",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/kubelet",
    "/var/lib/systemd",
];

/// Directories that hold what many have; below them it may be one's own.
const ROOTS: [&str; 7] = ["/", "/var", "/var/lib", "/opt", "/tmp", "/home", "/root"];

/// Places in a container where settings, logs and sockets are.
const SETTINGS: [&str; 12] = [
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/var/run",
    "/var/log",
    "/etc",
    "/lib/modules",
    "/var/lib/docker",
    "/docker-entrypoint-initdb.d",
    "/usr/share/nginx",
    "/usr/local/etc",
];

/// Endings of single files.
const FILES: [&str; 32] = [
    "acl",
    "cert",
    "cfg",
    "cnf",
    "conf",
    "config",
    "crt",
    "env",
    "hcl",
    "ini",
    "jks",
    "js",
    "json",
    "key",
    "lock",
    "log",
    "lua",
    "pem",
    "pid",
    "properties",
    "py",
    "rules",
    "sh",
    "sock",
    "socket",
    "sql",
    "tmpl",
    "toml",
    "txt",
    "xml",
    "yaml",
    "yml",
];

/// Agents that run on every node and look at what others have. What they keep there themselves, a
/// position in a log, is worth nothing without the node.
const AGENTS: [&str; 26] = [
    "auditbeat",
    "blackbox-exporter",
    "cadvisor",
    "calico/node",
    "cilium/cilium",
    "datadog/agent",
    "falco",
    "filebeat",
    "flannel",
    "fluent-bit",
    "fluentd",
    "fluentd-kubernetes-daemonset",
    "grafana/agent",
    "heartbeat",
    "journalbeat",
    "kube-proxy",
    "logspout",
    "metricbeat",
    "netdata",
    "node-exporter",
    "node-problem-detector",
    "packetbeat",
    "portainer/agent",
    "promtail",
    "telegraf",
    "timberio/vector",
];

/// Whether the directory `path` of a node, mounted at `target` by `software`, is data that one
/// container must have for itself. Of a named volume the path is empty. Where a known software
/// keeps its data there is data, wherever the node has it.
pub fn is_data(path: &str, target: &str, software: Option<&Software>) -> bool {
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let last = path.rsplit('/').next().unwrap_or_default();
    let file = |(stem, ending): (&str, &str)| !stem.is_empty() && FILES.contains(&ending);
    if ROOTS.contains(&path) || last.rsplit_once('.').is_some_and(file) {
        return false;
    }
    if software.is_some_and(|s| s.keeps(target)) {
        return true;
    }
    // Docker's own volumes by their path.
    let volume = path.strip_prefix("/var/lib/docker/volumes/").is_some_and(|name| !name.is_empty());
    let system = !volume && SYSTEM.iter().any(|root| within(path, root));
    // Shared memory is the node's, but each name in it one process's.
    let settings = target != "/dev/shm" && SETTINGS.iter().any(|root| within(target, root));
    !system && !settings
}

/// Whether `image`, as a file names it, is an agent that has no data of its own.
pub fn is_agent(image: &str) -> bool {
    let name = images::name(image);
    AGENTS.iter().any(|agent| name == *agent || name.rsplit('/').next() == Some(agent))
}

/// A directory that any member holds as its data is data to whoever can write to it, wherever a
/// container mounts it.
pub fn held(world: &mut World) {
    let members = world.workloads.iter().flat_map(|w| &w.members);
    let data: BTreeSet<String> =
        members.flat_map(|m| m.mounts.iter().filter_map(host)).map(ToOwned::to_owned).collect();
    for member in world.workloads.iter_mut().flat_map(|w| &mut w.members) {
        let others = std::mem::take(&mut member.others);
        let (held, rest): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|m| host(m).is_some_and(|path| data.contains(path)));
        member.mounts.extend(held);
        member.others = rest;
    }
}

/// The directory of a node that is mounted.
fn host(mount: &Mount) -> Option<&str> {
    match &mount.source {
        Source::Host { path, .. } if path.starts_with('/') => Some(path),
        _ => None,
    }
}

/// Takes out of `world` what containers share on purpose: a share that every node may mount, which
/// all pods, tasks or instances of one description name alike, and no software that is known to
/// keep data. Lists it.
pub fn share(world: &mut World) {
    let stateful = |w: &Workload| w.software.is_some();
    // Who names each share, as far as they are alike: one description, in so many members.
    let mut named: BTreeMap<&str, BTreeMap<(&str, &str, &str), usize>> = BTreeMap::new();
    let mut kept: BTreeSet<&str> = BTreeSet::new();
    for workload in &world.workloads {
        let names: Vec<&str> =
            workload.members.iter().flat_map(|m| m.mounts.iter().filter_map(|m| shared(&m.source))).collect();
        if stateful(workload) {
            kept.extend(names);
            continue;
        }
        // fleet's instances are files of their own.
        let description = match workload.kind {
            Kind::Unit => workload.family.as_str(),
            Kind::StatefulSet | Kind::Pod => continue,
            _ => workload.name.as_str(),
        };
        let more = if workload.kind.per_node() { 2 } else { 1 };
        for name in names {
            let of = named.entry(name).or_default();
            *of.entry((description, workload.scope.as_str(), workload.image.as_str())).or_default() += more;
        }
    }
    let free: BTreeSet<String> = named
        .iter()
        .filter(|(name, by)| !kept.contains(*name) && by.values().any(|count| *count > 1))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let mut said = BTreeSet::new();
    for workload in &mut world.workloads {
        let name = &workload.name;
        for member in &mut workload.members {
            member.mounts.retain(|mount| {
                let Some(share) = shared(&mount.source).filter(|share| free.contains(*share)) else {
                    return true;
                };
                if said.insert(share.to_owned()) {
                    let what = format!("all of {name} name one share, {share}: taken for shared on purpose");
                    world.unread.push(Unread::assumed(mount.at.clone(), what));
                }
                false
            });
        }
    }
}

/// Deepest path that is looked into.
const DEEP: usize = 64;

/// How what [`nested`] lists ends.
pub const APART: &str = ": taken for another directory";

/// Lists directories that lie in another workload's, where either is data. Whether both write there
/// cannot be seen: who makes volumes for others has all of them.
pub fn nested(world: &mut World) {
    // Each directory with where it is named, and whether it is data.
    let mounts = |w: &Workload| -> Vec<(String, At, bool)> {
        let data = w.members.iter().flat_map(|m| &m.mounts).map(|m| (m, true));
        let others = w.members.iter().flat_map(|m| &m.others).map(|m| (m, false));
        let all = data.chain(others).filter_map(|(m, data)| Some((host(m)?.to_owned(), m.at.clone(), data)));
        all.filter(|(path, ..)| !ROOTS.contains(&path.as_str())).collect()
    };
    let mut of: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for (i, workload) in world.workloads.iter().enumerate() {
        for (path, _, data) in mounts(workload) {
            let first = of.entry(path).or_insert((i, data));
            if data && !first.1 {
                *first = (i, data);
            }
        }
    }
    let mut said = BTreeSet::new();
    for (i, workload) in world.workloads.iter().enumerate() {
        for (path, at, data) in mounts(workload) {
            let above = path.rmatch_indices('/').take(DEEP).map(|(end, _)| &path[..end]);
            let meets = |(other, theirs): &(usize, bool)| *other != i && (data || *theirs);
            let other = above.filter_map(|a| Some((a, *of.get(a)?))).find(|(_, other)| meets(other));
            if let Some((above, (other, _))) = other
                && said.insert(path.clone())
            {
                let name = &world.workloads[other].name;
                let what = format!("{path} lies in {above}, which {name} mounts{APART}");
                world.unread.push(Unread { kind: UnreadKind::Nested, ..Unread::assumed(at, what) });
            }
        }
    }
}

/// The name of storage that every node may mount at once.
fn shared(source: &Source) -> Option<&str> {
    match source {
        Source::Volume { name, fences: Fences::Never, one_pod: None, reserved: None, .. } => Some(name),
        _ => None,
    }
}
