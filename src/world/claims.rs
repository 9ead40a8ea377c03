//! What of a node a container can have for itself: its data. Sockets, devices, parts of the system,
//! logs and settings are shared by many, or looked at, and nobody's alone.

use std::collections::{BTreeMap, BTreeSet};

use super::images::{self, Software};
use super::{At, Kind, Source, Unread, Workload, World};
use crate::model::backend::Fences;

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
    let system = !volume && SYSTEM.iter().any(|root| below(path, root));
    // Shared memory is the node's, but each name in it one process's.
    let settings = target != "/dev/shm" && SETTINGS.iter().any(|root| below(target, root));
    !system && !settings
}

/// Whether `image`, as a file names it, is an agent that has no data of its own.
pub fn is_agent(image: &str) -> bool {
    let name = images::name(image);
    AGENTS.iter().any(|agent| name == *agent || name.rsplit('/').next() == Some(agent))
}

fn below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Takes out of `world` what containers share on purpose: a share that every node may mount, which
/// all pods, tasks or instances of one description name alike, and no software that is known to
/// keep data. Lists it.
pub fn share(world: &mut World) {
    let stateful = |w: &Workload| images::software(&w.image, &[]).is_some();
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
                    world.unread.push(Unread { at: mount.at.clone(), what });
                }
                false
            });
        }
    }
}

/// Deepest path that is looked into.
const DEEP: usize = 64;

/// Lists directories that lie in another workload's. Whether both write there cannot be seen: who
/// makes volumes for others has all of them.
pub fn nested(world: &mut World) {
    let mounts = |w: &'_ Workload| -> Vec<(String, At)> {
        let all = w.members.iter().flat_map(|m| &m.mounts);
        let host = all.filter_map(|m| match &m.source {
            Source::Host { path, .. } if path.starts_with('/') => Some((path.clone(), m.at.clone())),
            _ => None,
        });
        host.collect()
    };
    let mut of: BTreeMap<String, usize> = BTreeMap::new();
    for (i, workload) in world.workloads.iter().enumerate() {
        for (path, _) in mounts(workload) {
            of.entry(path).or_insert(i);
        }
    }
    let mut said = BTreeSet::new();
    for (i, workload) in world.workloads.iter().enumerate() {
        for (path, at) in mounts(workload) {
            let above = path.rmatch_indices('/').take(DEEP).map(|(end, _)| &path[..end]);
            let other = above.filter(|a| !a.is_empty()).find_map(|a| Some((a, *of.get(a)?)));
            if let Some((above, other)) = other.filter(|(_, other)| *other != i)
                && said.insert(path.clone())
            {
                let name = &world.workloads[other].name;
                let what =
                    format!("{path} lies in {above}, which {name} mounts: taken for another directory");
                world.unread.push(Unread { at, what });
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
