//! Which mounts count as data that only one container may hold. Sockets, devices, parts of the
//! system, logs and settings do not: many containers share or only read them.

use super::{Mount, Source};
use crate::images::{self, Images, Life, Seen, Software};
use crate::text::path::within;

/// Directories that belong to the node itself, with everything below them.
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

/// Directories that many containers use. A directory below them may be data of one container.
pub(super) const ROOTS: [&str; 7] = ["/", "/var", "/var/lib", "/opt", "/tmp", "/home", "/root"];

/// The directories of settings, logs and sockets in a container.
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

/// The extensions of single files that are not data.
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

/// Agents that run on every node and read what other containers have. Their own data there, such as
/// a position in a log, is worthless without the node.
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

/// Directories of a node that its boot empties (tmpfs), or that systemd-tmpfiles cleans.
const TEMPORARY: [&str; 5] = ["/dev/shm", "/run", "/tmp", "/var/run", "/var/tmp"];

/// Returns how long the content of `source` lives.
pub fn life(source: &Source) -> Life {
    match source {
        Source::Ephemeral => Life::Container,
        Source::Host { path, .. } if TEMPORARY.iter().any(|root| within(path, root)) => Life::Boot,
        Source::Host { .. } | Source::Volume { .. } => Life::Durable,
    }
}

/// Returns `mounts` as the table of images needs them. `data` says whether they can be meant for
/// data.
pub fn seen(mounts: &[Mount], data: bool) -> impl Iterator<Item = Seen<'_>> {
    mounts.iter().map(move |m| Seen { target: &m.target, life: life(&m.source), data })
}

/// Returns whether the directory `path` of a node, mounted at `target` by `software`, is data that
/// one container must have for itself. The path of a named volume is empty. A mount at the data
/// path of a known software is data, whatever its path on the node is.
pub fn is_data(path: &str, target: &str, software: Option<&Software>) -> bool {
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let last = path.rsplit('/').next().unwrap_or_default();
    let file = |(stem, ending): (&str, &str)| !stem.is_empty() && FILES.contains(&ending);
    let key = ["keyfile", "key-file", "key_file"].iter().any(|word| last.to_lowercase().ends_with(word));
    if ROOTS.contains(&path) || key || last.rsplit_once('.').is_some_and(file) {
        return false;
    }
    if software.is_some_and(|s| s.keeps(target)) {
        return true;
    }
    // Docker stores its own volumes at this path.
    let volume = path.strip_prefix("/var/lib/docker/volumes/").is_some_and(|name| !name.is_empty());
    let system = !volume && SYSTEM.iter().any(|root| within(path, root));
    // Shared memory belongs to the node, but each name in it belongs to one process.
    let settings = target != "/dev/shm" && SETTINGS.iter().any(|root| within(target, root));
    !system && !settings
}

/// The programs that run the script after them.
const INTERPRETERS: [&str; 10] =
    ["ash", "bash", "dash", "java", "node", "perl", "php", "python", "python3", "sh"];

/// Words in the names of directories of programs.
const PROGRAMS: [&str; 6] = ["bin", "code", "entrypoint", "hook", "script", "tool"];

/// Returns the directory of the program that `command` starts, if its name says that it holds programs. Other
/// directories may hold the program and its data.
pub fn of_programs<'c>(command: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let mut words = command.into_iter().flat_map(str::split_whitespace);
    let mut program = words.next()?;
    if INTERPRETERS.contains(&program.rsplit('/').next().unwrap_or(program)) {
        program = words.find(|word| !word.starts_with('-'))?;
    }
    let (folder, _) = program.rsplit_once('/')?;
    let last = folder.rsplit('/').next().unwrap_or_default();
    PROGRAMS.iter().any(|word| last.contains(word)).then_some(folder)
}

/// Returns whether the mount at `target` is the directory of programs, [`of_programs`]. Of a known software it
/// may be data all the same.
pub fn holds_program(target: &str, programs: Option<&str>, software: Option<&Software>) -> bool {
    programs.is_some_and(|folder| folder == target.trim_end_matches('/'))
        && !software.is_some_and(|s| s.keeps(target))
}

/// Returns what to list about such a directory.
pub fn of_program(path: &str, target: &str) -> String {
    format!(
        "the directory {path}, mounted at {target}, holds the program of the container: treated as no data"
    )
}

/// Returns whether `image`, as a file names it, has no data of its own: an agent, or a web server that
/// shows the files of others.
pub fn only_reads(image: &str, known: &Images) -> bool {
    let name = images::name(image);
    let agent = |agent: &&str| name == *agent || name.rsplit('/').next() == Some(agent);
    AGENTS.iter().any(agent) || known.stateless(image)
}
