//! Files of one machine, which `docker compose` runs: it has no second node, moves no container, and
//! ends the old container before it starts the new one (docker/compose `pkg/compose/convergence.go`,
//! `recreateContainer`).

use std::collections::{BTreeMap, BTreeSet};

use super::network::Ingress;
use super::page::external;
use super::service::Service;
use crate::finding::{Level, codes};
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::known::Runner;

/// The keys of a service on which docker compose acts and Swarm does not: the stack command ignores or
/// refuses them (docker/cli `cli/compose/types/types.go`, `cli/compose/schema`; compose-spec `spec.md`).
#[rustfmt::skip]
const COMPOSE: [&str; 52] = [
    "attach", "blkio_config", "build", "cgroup", "container_name", "cpu_count", "cpu_percent", "cpu_period",
    "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpu_shares", "cpus", "cpuset", "depends_on", "develop",
    "device_cgroup_rules", "devices", "extends", "gpus", "ipc", "label_file", "links", "mem_limit",
    "mem_reservation", "mem_swappiness", "memswap_limit", "models", "network_mode", "oom_kill_disable", "pid",
    "pids_limit", "platform", "post_start", "pre_stop", "privileged", "profiles", "provider", "pull_policy",
    "restart", "runtime", "scale", "security_opt", "shm_size", "storage_opt", "use_api_socket", "userns_mode",
    "uts", "volume_driver", "volumes_from", "cgroup_parent", "external_links",
];

/// Templates that only Swarm expands (docker `docs/reference/cli/docker/service/create`).
const TEMPLATES: [&str; 3] = ["{{.Node.", "{{.Service.", "{{.Task."];

/// Returns the line that shows that a file is one of a single machine, with its key; `None` if it is a
/// stack file. Without any sign it is a stack file.
pub fn sign<'d>(path: &str, text: &str, root: &Value<'d>, runner: Runner) -> Option<(Value<'d>, String)> {
    let sign = match runner {
        Runner::Swarm => return None,
        Runner::Compose => return Some((*root, String::new())),
        Runner::Evident => of_compose(root)?,
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let named = ["stack", "swarm"].iter().any(|word| name.to_lowercase().contains(word));
    let expanded = TEMPLATES.iter().any(|template| text.contains(template));
    (!named && !expanded && !of_swarm(root)).then_some(sign)
}

/// Returns the line that says how a file is read.
pub fn told(key: &str) -> String {
    let why = match key {
        "" => "as asked".to_owned(),
        "version" => "Swarm refuses this version".to_owned(),
        key => format!("docker compose acts on `{key}`, Swarm does not, and no key is one of Swarm"),
    };
    format!(
        "{why}: treated as a file of one machine, which docker compose runs; --as swarm reads it as a stack"
    )
}

/// Returns the first key on which only docker compose acts.
fn of_compose<'d>(root: &Value<'d>) -> Option<(Value<'d>, String)> {
    let old = root.get("version").filter(|v| v.text().is_some_and(|text| text.starts_with('2')));
    let old = old.map(|value| (value, "version".to_owned()));
    let top = || {
        let mut keys = ["name", "include"].into_iter();
        keys.find_map(|key| root.get(key).map(|value| (value, key.to_owned())))
    };
    let services = root.get("services").map(|s| s.entries()).unwrap_or_default();
    let own = |(_, service): (&'d str, Value<'d>)| {
        let mut entries = service.entries().into_iter();
        entries.find(|(key, _)| COMPOSE.contains(key)).map(|(key, value)| (value, key.to_owned()))
    };
    old.or_else(top).or_else(|| services.into_iter().find_map(own))
}

/// Returns whether a file has a key on which only Swarm acts. docker compose acts on parts of `deploy` too, but
/// who writes more than limits there means a swarm.
fn of_swarm(root: &Value<'_>) -> bool {
    let entries = |key: &str| root.get(key).map(|s| s.entries()).unwrap_or_default();
    let deployed = |service: &Value<'_>| {
        let deploy = service.get("deploy").map(|d| d.entries()).unwrap_or_default();
        deploy.iter().any(|(key, _)| *key != "resources")
    };
    let long = |service: &Value<'_>, list: &str, key: &str, values: &[&str]| {
        let items = service.get(list).map(|v| v.items()).unwrap_or_default();
        items.iter().any(|item| item.get(key).is_some_and(|value| values.iter().any(|v| value.is(v))))
    };
    let of_service = |service: &Value<'_>| {
        deployed(service)
            || long(service, "ports", "mode", &["host", "ingress"])
            || long(service, "volumes", "type", &["cluster"])
    };
    let given = |section: &str| entries(section).iter().any(|(key, value)| external(value, key).is_some());
    entries("services").iter().any(|(_, service)| of_service(service))
        || entries("networks").iter().any(|(_, n)| n.get("driver").is_some_and(|d| d.is("overlay")))
        || given("configs")
        || given("secrets")
}

/// Records which services end before others start (compose-spec `spec.md`, `service_completed_successfully`).
pub fn order(entries: &[(&str, Value<'_>)], services: &mut [Service]) {
    let mut ended: BTreeSet<String> = BTreeSet::new();
    for service in services.iter_mut() {
        let own = entries.iter().find(|(name, _)| *name == service.workload.name);
        let depends =
            own.and_then(|(_, value)| value.get("depends_on")).map(|d| d.entries()).unwrap_or_default();
        let ends = |v: &Value<'_>| v.get("condition").is_some_and(|c| c.is("service_completed_successfully"));
        let before = depends.into_iter().filter(|(_, v)| ends(v)).map(|(name, _)| name.to_owned());
        service.workload.starts_after.extend(before);
        ended.extend(service.workload.starts_after.iter().cloned());
    }
    for service in services {
        service.workload.ends = ended.contains(&service.workload.name);
    }
}

/// Reports a port that two services of one file bind: docker refuses the second container (moby
/// `libnetwork/portallocator`).
pub fn bound(services: &[Service], found: &mut Found) {
    let mut all: Vec<(&Ingress, bool)> =
        services.iter().flat_map(|s| s.ingress.iter().map(|port| (port, s.chosen))).collect();
    all.sort_by_key(|(port, _)| (&port.protocol, port.first));
    // For each address, the port that reaches furthest; without an address, of all of them.
    let mut before: BTreeMap<(&str, Option<&str>), (&Ingress, bool)> = BTreeMap::new();
    let mut furthest: BTreeMap<&str, (&Ingress, bool)> = BTreeMap::new();
    for (new, chosen) in all {
        let protocol = new.protocol.as_str();
        let own = new.address.as_deref();
        let others = match own {
            None => [furthest.get(protocol), None],
            Some(_) => [before.get(&(protocol, None)), before.get(&(protocol, own))],
        };
        let meets = |(old, _): &&(&Ingress, bool)| new.first <= old.last && old.service != new.service;
        if let Some((old, other)) = others.into_iter().flatten().find(meets) {
            // Who starts a profile chooses among its services.
            let level = if chosen || *other { Level::Note } else { Level::Violation };
            let message = format!(
                "{} never starts where {} runs: both take port {}",
                new.service, old.service, new.first
            );
            let at = vec![new.at.clone(), old.at.clone()];
            found.finding((codes::STUCK, level), message, at, "another port of the machine for one of them");
        }
        for entry in [
            before.entry((protocol, own)).or_insert((new, chosen)),
            furthest.entry(protocol).or_insert((new, chosen)),
        ] {
            if entry.0.last < new.last {
                *entry = (new, chosen);
            }
        }
    }
}
