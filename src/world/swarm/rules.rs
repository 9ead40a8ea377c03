//! Finds keys that the stack command refuses or ignores (docker/cli `cli/compose/types`,
//! `cli/compose/schema`).

use std::collections::BTreeMap;

use super::page::Page;
use crate::finding::{Level, codes};
use crate::text::yaml::Value;
use crate::world::Workload;

/// The keys at the top of a file. `x-…` is allowed there and in services.
const TOP: [&str; 6] = ["version", "services", "networks", "volumes", "secrets", "configs"];

/// The keys of a service that the stack command knows, including those that it ignores.
#[rustfmt::skip]
const SERVICE: [&str; 54] = [
    "build", "cap_add", "cap_drop", "cgroup_parent", "cgroupns_mode", "command", "configs", "container_name",
    "credential_spec", "depends_on", "deploy", "devices", "dns", "dns_search", "domainname", "entrypoint",
    "env_file", "environment", "expose", "external_links", "extra_hosts", "group_add", "healthcheck",
    "hostname", "image", "init", "ipc", "isolation", "labels", "links", "logging", "mac_address",
    "network_mode", "networks", "oom_score_adj", "pid", "ports", "privileged", "read_only", "restart",
    "secrets", "security_opt", "shm_size", "stdin_open", "stop_grace_period", "stop_signal", "sysctls",
    "tmpfs", "tty", "ulimits", "user", "userns_mode", "volumes",
    "working_dir",
];

/// The keys of `deploy`.
#[rustfmt::skip]
const DEPLOY: [&str; 9] = [
    "mode", "endpoint_mode", "replicas", "labels", "rollback_config", "update_config", "resources",
    "restart_policy", "placement",
];

/// The newest schema is 3.14.
const NEWEST: u32 = 14;

/// Reports what the stack command says about the file as a whole.
pub fn file(page: &mut Page<'_, '_>) {
    if !page.machine {
        version(page);
    }
    let root = page.root;
    let mut strange: BTreeMap<String, Vec<Value<'_>>> = BTreeMap::new();
    let mut keep = |key: String, value| strange.entry(key).or_default().push(value);
    unknown(&root).into_iter().for_each(|(key, value)| keep(key, value));
    for (_, service) in root.get("services").map(|s| s.entries()).unwrap_or_default() {
        let depends = service.get("depends_on").filter(|d| !d.entries().is_empty());
        depends.into_iter().for_each(|d| keep("depends_on as a map".to_owned(), d));
    }
    let level = if is_stack(&root) { Level::Violation } else { Level::Note };
    for (key, values) in strange {
        if let "extends" | "include" | "volumes_from" = key.as_str() {
            for value in &values {
                let what = format!("the content of `{key}` is in another place: it may mount data");
                page.not_searched(value, what, "docker compose config | berthc verify -");
            }
        }
        if page.machine {
            continue;
        }
        let values: Vec<&Value<'_>> = values.iter().collect();
        let message = format!("docker stack deploy refuses a file with `{key}`");
        // Newer clients know the key, and no harm comes from a name.
        let level = if key == "name" { Level::Note } else { level };
        page.found((codes::REFUSED, level), &values, message, fix(&key));
    }
}

/// Returns whether a file is meant for a swarm: it says what only `docker stack deploy` does (docker
/// `docs/reference/compose-file/deploy`; `docker compose` ignores these).
fn is_stack(root: &Value<'_>) -> bool {
    const OF_SWARM: [&str; 4] = ["placement", "update_config", "rollback_config", "endpoint_mode"];
    let services = root.get("services").map(|s| s.entries()).unwrap_or_default();
    services.iter().any(|(_, service)| {
        let deploy = service.get("deploy");
        let ports = service.get("ports").map(|p| p.items()).unwrap_or_default();
        OF_SWARM.iter().any(|key| deploy.as_ref().is_some_and(|d| d.get(key).is_some()))
            || ports.iter().any(|port| port.get("mode").is_some_and(|mode| mode.is("host")))
    })
}

/// Returns the keys that the schema of the stack command does not have.
fn unknown<'d>(root: &Value<'d>) -> Vec<(String, Value<'d>)> {
    let free = |key: &str| key.starts_with("x-");
    let top = root.entries().into_iter().filter(|(key, _)| !TOP.contains(key) && !free(key));
    let mut all: Vec<_> = top.map(|(key, value)| (key.to_owned(), value)).collect();
    for (_, service) in root.get("services").map(|s| s.entries()).unwrap_or_default() {
        let known = |key: &str| SERVICE.contains(&key) || free(key);
        let own = service.entries().into_iter().filter(|(key, _)| !known(key));
        all.extend(own.map(|(key, value)| (key.to_owned(), value)));
        let deploy = service.get("deploy").map(|d| d.entries()).unwrap_or_default();
        let deploy = deploy.into_iter().filter(|(key, _)| !DEPLOY.contains(key));
        all.extend(deploy.map(|(key, value)| (format!("deploy.{key}"), value)));
    }
    all
}

fn fix(key: &str) -> &'static str {
    match key {
        "extends" | "include" => "write the service out, or share it by an anchor: `<<: *base`",
        "volume_driver" => "volumes: { data: { driver: rexray/ebs } }",
        "volumes_from" => "name the volume at the top of the file and in both services",
        "cpu_quota" | "cpu_shares" | "cpuset" | "mem_limit" | "memswap_limit" => {
            "deploy: { resources: { limits: { cpus: \"2\", memory: 2g } } }"
        }
        "name" => "leave it out, and name the stack on the command line",
        "depends_on as a map" => "leave it out: Swarm starts services in any order",
        "profiles" => "leave it out, and write a file of its own for these services",
        _ => "leave it out",
    }
}

fn version(page: &mut Page<'_, '_>) {
    let Some(value) = page.root.get("version") else { return };
    let Some(text) = value.text() else { return };
    let minor = match text.split_once('.') {
        None => (text == "3").then_some(0),
        Some((major, minor)) => minor.parse::<u32>().ok().filter(|_| major == "3"),
    };
    if minor.is_none_or(|minor| minor > NEWEST) {
        page.found(
            (codes::REFUSED, Level::Note),
            &[&value],
            format!("docker stack deploy refuses version {text} of the format"),
            "version: \"3.8\"",
        );
    }
    // The client takes "3" for the newest version.
    let minor = minor.filter(|minor| *minor > 0 || text != "3");
    if let Some((key, newer)) = minor.and_then(|minor| newer(&page.root, minor)) {
        page.found(
            (codes::REFUSED, if is_stack(&page.root) { Level::Violation } else { Level::Note }),
            &[&value, &newer],
            format!("docker stack deploy refuses {key} in a file of version {text}"),
            "version: \"3.8\"",
        );
    }
}

/// Returns the first key that came after version 3.`minor` of the format (tried with `docker stack config` of
/// client 28.2.2).
fn newer<'d>(root: &Value<'d>, minor: u32) -> Option<(String, Value<'d>)> {
    const KEYS: [(&[&str], u32); 7] = [
        (&["configs"], 3),
        (&["deploy", "placement", "max_replicas_per_node"], 8),
        (&["deploy", "placement", "preferences"], 3),
        (&["deploy", "rollback_config"], 7),
        (&["deploy", "update_config", "order"], 4),
        (&["healthcheck", "start_period"], 4),
        (&["init"], 7),
    ];
    const LONG: [&str; 2] = ["ports", "volumes"];
    let services = root.get("services").map(|s| s.entries()).unwrap_or_default();
    services.iter().find_map(|(_, service)| {
        let key = KEYS
            .iter()
            .filter(|(_, since)| minor < *since)
            .find_map(|(path, _)| Some((format!("`{}`", path.join(".")), service.at(path)?)));
        key.or_else(|| {
            let long = |key: &&str| {
                let items = service.get(key)?.items();
                let item = items.into_iter().find(|item| !item.entries().is_empty())?;
                Some((format!("the long form of `{key}`"), item))
            };
            LONG.iter().filter(|_| minor < 2).find_map(long)
        })
    })
}

/// Reports keys of a service that are dropped although they promise a protection.
pub fn dropped(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload, stateful: bool) {
    if page.machine {
        return;
    }
    let data = workload.members.iter().any(|m| !m.mounts.is_empty());
    if data || stateful {
        dropped_of_data(page, service);
    }
    drop(
        page,
        service,
        "privileged",
        Level::Note,
        "Swarm starts no privileged container, so a program that needs one fails",
        "cap_add: [NET_ADMIN]",
    );
    // Format 3.13 has the key, and the command does not convert it: measured on 28.5.2 and 29.
    drop(
        page,
        service,
        "oom_score_adj",
        Level::Note,
        "docker stack deploy loses `oom_score_adj`: the container keeps 0",
        "leave it out, and limit the memory of the other containers on the node",
    );
    if let Some(restart) = service.get("restart").filter(|r| r.is("no") || r.is("false"))
        && service.at(&["deploy", "restart_policy"]).is_none()
    {
        page.found(
            (codes::IGNORED, Level::Note),
            &[&restart],
            format!("Swarm starts {} again whenever it ends: it ignores `restart: no`", workload.name),
            "deploy: { restart_policy: { condition: none } }",
        );
    }
    dropped_of_network(page, service, &workload.name);
}

/// Reports the key if the service has it.
fn drop(page: &mut Page<'_, '_>, service: &Value<'_>, key: &str, level: Level, message: &str, fix: &str) {
    if let Some(value) = service.get(key) {
        page.found((codes::IGNORED, level), &[&value], message, fix);
    }
}

/// Reports dropped keys that protect data.
fn dropped_of_data(page: &mut Page<'_, '_>, service: &Value<'_>) {
    drop(
        page,
        service,
        "container_name",
        Level::Note,
        "Swarm drops the container's name, so docker refuses no second container on a node",
        "leave it out",
    );
    drop(
        page,
        service,
        "depends_on",
        Level::Note,
        "Swarm starts services in any order, whatever they depend on",
        "leave it out, and let the program wait for what it needs",
    );
    drop(
        page,
        service,
        "devices",
        Level::Note,
        "Swarm gives a service no devices",
        "format and mount the disk on the node, and bind a directory of it",
    );
}

/// Returns whether another text of the file has an address too: others look for the service there. Of many
/// addresses the first are sought.
fn is_used(page: &mut Page<'_, '_>, address: &Value<'_>) -> bool {
    const SOUGHT: usize = 64;
    let Some(text) = Page::quiet(address).filter(|_| page.sought < SOUGHT) else { return true };
    page.sought += 1;
    let part = |c: char| c.is_ascii_hexdigit() || c == '.';
    let names = |value: &str| {
        value.split(|c| !part(c)).any(|word| word == text) || value.contains(&format!("[{text}]"))
    };
    let services = page.root.get("services");
    services.is_some_and(|s| s.scalars().any(|v| v.line() != address.line() && v.as_str().is_some_and(names)))
}

/// Reports dropped keys that give a service its network or its addresses.
fn dropped_of_network(page: &mut Page<'_, '_>, service: &Value<'_>, name: &str) {
    if let Some(mode) = service.get("network_mode") {
        let text = Page::quiet(&mode).unwrap_or_default();
        if text == "host" || text.contains(':') {
            page.found(
                (codes::IGNORED, Level::Note),
                &[&mode],
                format!("Swarm drops `network_mode: {text}`, and {name} gets a network of its own"),
                "networks: [host]   and at the top   networks: { host: { external: true, name: host } }",
            );
        }
    }
    for (_, network) in service.get("networks").map(|n| n.entries()).unwrap_or_default() {
        for key in ["ipv4_address", "ipv6_address"] {
            if let Some(address) = network.get(key) {
                let level = if is_used(page, &address) { Level::Violation } else { Level::Note };
                page.found(
                    (codes::IGNORED, level),
                    &[&address],
                    format!("Swarm drops the address of {name} and gives each task another"),
                    "leave it out, and let others use the name of the service",
                );
            }
        }
    }
    drop(page, service, "mac_address", Level::Note, "Swarm drops the hardware address", "leave it out");
}
