//! Reads the identity of a member: hostnames, and ids in its environment or command line.

use super::page::Page;
use super::short;
use super::template::Slot;
use crate::finding::{At, Level, codes};
use crate::images::{Container, Images, Looked};
use crate::text::yaml::Value;
use crate::world::Member;

/// The variables that give known images their own id.
#[rustfmt::skip]
const IDS: [&str; 13] = [
    "ZOO_MY_ID", "ZOO_SERVER_ID", "ZOOKEEPER_SERVER_ID", "KAFKA_BROKER_ID", "KAFKA_CFG_BROKER_ID",
    "KAFKA_NODE_ID", "KAFKA_CFG_NODE_ID", "node.name", "ETCD_NAME", "MYSQL_SERVER_ID", "RABBITMQ_NODENAME",
    "MARIADB_GALERA_NODE_NAME", "SERVER_ID",
];
/// The arguments that do the same.
const FLAGS: [&str; 4] = ["--server-id", "--server_id", "--broker-id", "-Enode.name"];
/// Settings of the very first start, and the value that makes them so; empty: any.
const FIRST: [(&str, &str); 9] = [
    ("cluster.initial_master_nodes", ""),
    ("-Ecluster.initial_master_nodes", ""),
    ("ETCD_INITIAL_CLUSTER_STATE", "new"),
    ("--initial-cluster-state", "new"),
    ("--wsrep-new-cluster", ""),
    ("WSREP_CLUSTER_ADDRESS", "gcomm://"),
    ("--wsrep-cluster-address", "gcomm://"),
    ("--wsrep_cluster_address", "gcomm://"),
    ("MARIADB_GALERA_CLUSTER_BOOTSTRAP", "yes"),
];
/// An id that a member gets.
#[derive(Debug, Clone)]
pub struct Id {
    /// The variable, the argument, or `hostname`.
    pub key: String,
    /// The value.
    pub value: String,
    /// The member.
    pub member: String,
    /// The place.
    pub at: At,
}

/// Returns the hostname of the tasks of one slot.
pub fn hostname(page: &mut Page<'_, '_>, service: &Value<'_>, slot: &Slot<'_>) -> Option<(String, At)> {
    let value = service.get("hostname")?;
    let text = page.text(&value)?;
    let expanded = slot.expand(&text);
    let text = page.expanded(&value, expanded).text;
    Some((text, page.at(&value)))
}

/// Returns the ids that `member` gets, including its hostname.
pub fn ids(page: &mut Page<'_, '_>, service: &Value<'_>, slot: &Slot<'_>, member: &Member) -> Vec<Id> {
    let id =
        |key: &str, value: String, at: At| Id { key: key.to_owned(), value, member: member.name.clone(), at };
    let mut ids = Vec::new();
    for (key, text, value) in settings(service) {
        let Some(text) = text else { continue };
        let expanded = slot.expand(&text);
        // Swarm expands variables, but not arguments.
        let variable = !key.starts_with('-');
        let text = if variable { page.expanded(&value, expanded).text } else { text };
        if (IDS.contains(&key.as_str()) || FLAGS.contains(&key.as_str())) && !text.is_empty() {
            ids.push(id(&key, text, page.at(&value)));
        }
    }
    if let Some((name, at)) = &member.hostname {
        ids.push(id("hostname", name.clone(), at.clone()));
    }
    ids
}

/// Reports settings that create a cluster and stay in the file.
pub fn bootstrap(page: &mut Page<'_, '_>, service: &Value<'_>) {
    for (key, text, value) in settings(service) {
        let text = text.unwrap_or_default();
        if FIRST.iter().any(|(k, wanted)| *k == key && (wanted.is_empty() || *wanted == text)) {
            page.found(
                (codes::BOOTSTRAP, Level::Note),
                &[&value],
                format!(
                    "`{key}` is for the very first start: with it, a member that lost its data creates a new cluster"
                ),
                "remove it once the cluster runs",
            );
        }
    }
}

/// Returns the words of its entrypoint and its command.
pub fn command(service: &Value<'_>) -> Vec<String> {
    let line = |key: &str| service.get(key).map(|v| words(&v)).unwrap_or_default();
    line("entrypoint").into_iter().chain(line("command")).map(|(word, _)| word).collect()
}

/// Looks the containers of a service up in the table of images.
pub fn known(name: &str, service: &Value<'_>, images: &Images) -> Looked {
    let all = command(service);
    let env = service.get("environment").map(|e| Page::pairs(&e)).unwrap_or_default();
    let items = |key: &str| service.get(key).map(|v| v.items()).unwrap_or_default();
    let ports = items("ports").into_iter().chain(items("expose")).filter_map(|p| target(&p));
    let targets = mounted(service);
    let own = service.get("container_name").and_then(|n| Page::quiet(&n));
    let Some(image) = service.get("image").and_then(|i| Page::quiet(&i)) else {
        return Looked::default();
    };
    let absent = |key: &str| service.get(key).is_none_or(|v| v.is_null());
    let container = Container {
        image: &image,
        whole: absent("env_file") && absent("entrypoint"),
        command: all.iter().map(String::as_str).collect(),
        env: env.iter().map(|(name, value, _)| (name.as_str(), value.as_deref())).collect(),
        more_env: service.get("env_file").is_some(),
        ports: ports.collect(),
        targets: targets.iter().map(String::as_str).collect(),
        names: own.as_deref().into_iter().chain([name]).collect(),
    };
    images.look(&container)
}

/// Returns the port of the container in an item of `ports` or `expose`, in either form.
pub fn target(port: &Value<'_>) -> Option<u16> {
    match port.get("target") {
        Some(target) => Page::quiet(&target)?.parse().ok(),
        None => Page::quiet(port)?.split('/').next()?.rsplit(':').next()?.parse().ok(),
    }
}

/// Returns the paths in the container of the volumes, configs and secrets of a service. In the short form of a
/// volume the second part is the path, if there is one; a config lies at `/NAME`, a secret in `/run/secrets`
/// (docker `docs/reference/compose-file/services`).
pub fn mounted(service: &Value<'_>) -> Vec<String> {
    let items = |key: &str| service.get(key).map(|v| v.items()).unwrap_or_default();
    let path = |(v, root): (Value<'_>, &str)| {
        let long = |key| v.get(key).and_then(|target| Page::quiet(&target));
        if let Some(text) = Page::quiet(&v).filter(|_| root.is_empty()) {
            let mut parts = text.split(':');
            let first = parts.next().unwrap_or_default();
            return Some(parts.next().unwrap_or(first).to_owned());
        }
        let name = long("target").or_else(|| long("source")).or_else(|| Page::quiet(&v))?;
        Some(if name.starts_with('/') || root.is_empty() { name } else { format!("{root}/{name}") })
    };
    let roots = [("volumes", ""), ("configs", "/"), ("secrets", "/run/secrets")];
    let all = roots.into_iter().flat_map(|(key, root)| items(key).into_iter().map(move |v| (v, root)));
    all.filter_map(path).map(|path| path.replacen("//", "/", 1)).collect()
}

/// Returns all texts for its program: those of its environment, its command and its entrypoint.
pub fn program_texts(service: &Value<'_>) -> String {
    let variables = service.get("environment").map(|e| Page::pairs(&e)).unwrap_or_default();
    let texts = variables.into_iter().filter_map(|(_, text, _)| text);
    let all: Vec<String> = texts.chain(command(service)).collect();
    all.join(" ")
}

/// Returns the environment, and the options of the command in the form `--key=value` or `--key
/// value`.
pub fn settings<'d>(service: &Value<'d>) -> Vec<(String, Option<String>, Value<'d>)> {
    let mut settings = service.get("environment").map(|e| Page::pairs(&e)).unwrap_or_default();
    let words = service.get("command").map(|c| words(&c)).unwrap_or_default();
    for (i, (word, value)) in words.iter().enumerate().filter(|(_, (w, _))| w.starts_with('-')) {
        let next = words.get(i + 1).map(|(w, _)| w).filter(|w| !w.starts_with('-'));
        match word.split_once('=') {
            Some((key, text)) => settings.push((key.to_owned(), Some(text.to_owned()), *value)),
            None => settings.push((word.clone(), next.cloned(), *value)),
        }
    }
    settings
}

/// Returns the words of a command in either form, each with its place.
fn words<'d>(value: &Value<'d>) -> Vec<(String, Value<'d>)> {
    match Page::quiet(value) {
        Some(line) => short::words(&line).unwrap_or_default().into_iter().map(|w| (w, *value)).collect(),
        None => value.items().into_iter().filter_map(|item| Some((Page::quiet(&item)?, item))).collect(),
    }
}
