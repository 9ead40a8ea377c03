//! Finds services whose commands end at once, whose lists of members name nobody, and ports that each node
//! has itself.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::{command, mounted, program_texts, settings};
use super::network::Ingress;
use super::page::{Page, external};
use crate::finding::{Level, codes};
use crate::images::By;
use crate::text::nearest::nearest;
use crate::text::yaml::Value;
use crate::world::forming::{Server, apart, faults};
use crate::world::{Mount, Source, Workload, ends, seeds};

/// The ports of each node of a swarm (docker, "Open protocols and ports between the hosts").
const NODE: [(u16, &str, &str); 5] = [
    (22, "tcp", "sshd"),
    (2377, "tcp", "dockerd"),
    (7946, "tcp", "dockerd"),
    (7946, "udp", "dockerd"),
    (4789, "udp", "the overlay network"),
];

/// Checks the command and the ports of a service.
pub fn check(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload, ingress: &[Ingress]) {
    let name = &workload.name;
    let all = command(service);
    let words: Vec<&str> = all.iter().map(String::as_str).collect();
    let given = |key: &str| service.get(key).filter(|v| !v.is_null());
    let place = given("command").or(given("entrypoint")).unwrap_or(*service);
    let open = ["tty", "stdin_open"].iter().any(|key| given(key).is_some_and(|v| Page::truth(&v)));
    if let Some(why) = ends::at_once(&words, open) {
        let level = if given("entrypoint").is_some() { Level::Violation } else { Level::Note };
        let fix = "command: the server itself";
        page.found((codes::NEVER, level), &[&place], format!("{name} never stays up: {why}"), fix);
    }
    let image = given("image").and_then(|i| Page::quiet(&i)).unwrap_or_default();
    if given("entrypoint").is_some()
        && let Some(shell) = ends::no_shell(&words, &image, page.images)
    {
        let message = format!("{name} never starts: the image has no {shell}");
        let fix = "entrypoint: the server itself, or an image with a shell";
        page.found((codes::NEVER, Level::Violation), &[&place], message, fix);
    }
    if given("entrypoint").is_some()
        && given("user").is_none()
        && let Some((program, _)) = ends::not_root(&words).zip(page.images.root_until(&image))
    {
        let message = format!(
            "{name} never starts: the entrypoint replaces that of the image, so {program} starts as root, which it refuses"
        );
        let fix = "command: in place of entrypoint:, or user: of the image";
        page.found((codes::NEVER, Level::Violation), &[&place], message, fix);
    }
    let known = workload.software.as_ref().is_some_and(|s| s.by == By::Image) && page.images.has(&image);
    let targets = mounted(service);
    let mut targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    targets.push("/run/secrets");
    if known && let Some((option, path)) = ends::absent(&words, &image, &targets) {
        let message = format!("{name} never starts: {option} names {path}, where nothing is mounted");
        let fix = format!("configs: [{{ source: NAME, target: {path} }}]");
        page.found((codes::NEVER, Level::Violation), &[&place], message, fix);
    }
    let own = workload.ports.iter().map(|p| (p.number, p.number, p.protocol.as_str(), &p.at));
    let mesh = ingress.iter().map(|i| (i.first, i.last, i.protocol.as_str(), &i.at));
    for (first, last, protocol, at) in own.chain(mesh) {
        let of_node = if page.machine { &NODE[..1] } else { &NODE[..] };
        if let Some((number, who)) = ends::of_node(first..=last, protocol, of_node) {
            let message = format!("{name} takes port {number}, which {who} of each node has");
            page.note(codes::STUCK, message, at.clone(), "published: another number");
        }
    }
}

/// The names that resolve on the networks of the stacks.
#[derive(Default)]
pub struct Names {
    whole: BTreeSet<String>,
    /// The beginnings of names with a template or a variable: `zk-{{.Task.Slot}}`.
    open: BTreeSet<String>,
}

impl Names {
    /// Returns the names of the services of all files, because several stacks may share a network: their own,
    /// hostnames and aliases (docker, "Networking overview").
    pub fn new<'d>(roots: impl Iterator<Item = Value<'d>>) -> Self {
        let mut names = Self::default();
        for (name, service) in roots.flat_map(|r| r.get("services").map(|s| s.entries()).unwrap_or_default())
        {
            names.add(name);
            for key in ["hostname", "container_name"] {
                service.get(key).and_then(|v| Page::quiet(&v)).iter().for_each(|text| names.add(text));
            }
            for (_, network) in service.get("networks").map(|n| n.entries()).unwrap_or_default() {
                let aliases = network.get("aliases").map(|a| a.texts()).unwrap_or_default();
                aliases.iter().for_each(|alias| names.add(alias));
            }
            for key in ["extra_hosts", "links", "external_links"] {
                let Some(list) = service.get(key) else { continue };
                list.entries().iter().for_each(|(key, _)| names.add(key));
                let texts = list.texts();
                texts.iter().flat_map(|t| t.split([':', '='])).for_each(|part| names.add(part));
            }
        }
        names
    }

    fn add(&mut self, name: &str) {
        match name.find("{{").or_else(|| name.find("${")) {
            Some(end) => self.open.insert(name[..end].to_owned()),
            None => self.whole.insert(name.to_owned()),
        };
    }

    /// Returns whether a host may have one of the names. In other stacks it is `STACK_NAME`.
    fn has(&self, host: &str) -> bool {
        let host = host.strip_prefix("tasks.").unwrap_or(host);
        let scoped = || host.match_indices('_').any(|(at, _)| self.whole.contains(&host[at + 1..]));
        let open =
            || (0..=host.len()).any(|end| host.get(..end).is_some_and(|start| self.open.contains(start)));
        self.whole.contains(host) || scoped() || open()
    }
}

/// Reports lists of members and servers with names that no service of the files has.
pub fn seek(page: &mut Page<'_, '_>, services: &[(&str, Value<'_>)], names: &Names) {
    for (name, service) in services {
        let image = service.get("image").and_then(|i| Page::quiet(&i)).unwrap_or_default();
        for (key, value, at) in settings(service) {
            let Some(seeds) = value.and_then(|value| seeds::read(&key, &value)) else { continue };
            if let Some((item, form)) = seeds.refused_by(&image) {
                let message = format!("{name} never starts: `{item}` of {key} has not the form {form}");
                page.found(
                    (codes::NEVER, Level::Violation),
                    &[&at],
                    message,
                    format!("{form}, for each member"),
                );
            }
            // A name with a dot may be one of a DNS server outside.
            let local = |h: &&String| !h.trim_start_matches("tasks.").contains('.');
            let absent: Vec<&str> = seeds
                .hosts
                .iter()
                .filter(local)
                .map(String::as_str)
                .filter(|h| !names.has(h))
                .take(8)
                .collect();
            let Some(first) = absent.first() else { continue };
            let level = match absent.len() == seeds.hosts.len() && closed(page, service) {
                true => Level::Violation,
                false => Level::Note,
            };
            let message = format!(
                "{name} looks for {} in {key}, and no service of the files has that name",
                absent.join(", ")
            );
            let own: Vec<&str> = services.iter().map(|(own, _)| *own).filter(|own| own != name).collect();
            let fix = match nearest(first, &own) {
                Some(near) => format!("{key}: {near}, the name of a service"),
                None => format!("{key}: the names of services of the stack"),
            };
            page.found((codes::MATCHES_NOTHING, level), &[&at], message, fix);
        }
    }
}

/// Reports clusters that never form: the servers of one stack, as `workloads` has them.
pub fn form(page: &mut Page<'_, '_>, services: &[(&str, Value<'_>)], workloads: &[&Workload]) {
    let own: BTreeMap<&str, &Workload> = workloads.iter().map(|w| (w.name.as_str(), *w)).collect();
    let mut all: Vec<(Value<'_>, &Workload, Server)> = services
        .iter()
        .filter_map(|(name, service)| own.get(name).and_then(|w| Some((*service, *w, server(service, w)?))))
        .collect();
    let mut members: BTreeMap<String, u32> = BTreeMap::new();
    for (_, workload, server) in all.iter().filter(|(.., server)| server.votes()) {
        let of = members.entry(server.software.clone()).or_default();
        *of = if workload.kind.per_node() { u32::MAX } else { of.saturating_add(server.count) };
    }
    // A name with a number is one of several members.
    let mut alike: BTreeMap<(String, String), u32> = BTreeMap::new();
    let of = |w: &Workload| (w.family.clone(), w.image.clone());
    for (_, workload, server) in all.iter().filter(|(_, w, _)| w.family != w.name) {
        *alike.entry(of(workload)).or_default() += server.count;
    }
    for (_, workload, server) in all.iter_mut().filter(|(_, w, _)| w.family != w.name) {
        server.alike = alike.get(&of(workload)).copied().unwrap_or_default();
    }
    for (service, workload, server) in &all {
        let known = members.get(&server.software).filter(|n| **n < u32::MAX && !workload.kind.per_node());
        for fault in known.map(|members| faults(server, *members)).unwrap_or_default() {
            let of = |key: &String| settings(service).into_iter().find(|(own, ..)| own == key);
            let at = fault.key.as_ref().and_then(of).map(|(.., value)| value);
            let at = at.or_else(|| service.get("image")).unwrap_or(*service);
            // Another stack may have more of the members.
            let level = if fault.alone || closed(page, service) { fault.level } else { Level::Note };
            let message = format!("{} {}", workload.name, fault.what);
            page.found((fault.code, level), &[&at], message, fault.fix);
        }
    }
}

/// Returns the server of a service.
fn server(service: &Value<'_>, workload: &Workload) -> Option<Server> {
    let software = workload.software.as_ref()?;
    let given = |key: &str| service.get(key).filter(|v| !v.is_null());
    let settings = settings(service).into_iter().map(|(k, v, _)| (k, v.unwrap_or_else(|| "$".to_owned())));
    let texts = given("volumes").map(|v| v.items()).unwrap_or_default();
    let file = |v: &Value<'_>| {
        let text = Page::quiet(v).unwrap_or_default();
        text.split(':').any(|part| part.rsplit('/').next().is_some_and(|name| name.contains('.')))
    };
    let durable = |m: &Mount| m.source != Source::Ephemeral;
    Some(Server {
        software: software.name.clone(),
        image: given("image").and_then(|i| Page::quiet(&i)).unwrap_or_default(),
        count: u32::try_from(workload.members.len()).unwrap_or(u32::MAX),
        settings: settings.collect(),
        words: program_texts(service),
        more: software.by != By::Image
            || ["configs", "env_file", "entrypoint"].iter().any(|key| given(key).is_some())
            // A password has no extension.
            || given("secrets").is_some_and(|s| s.scalars().any(|v| v.as_str().is_some_and(|t| t.contains('.'))))
            || texts.iter().any(|v| {
                file(v) || v.get("target").and_then(|t| Page::quiet(&t)).is_some_and(|t| t.contains('.'))
            }),
        durable: workload.members.iter().flat_map(|m| &m.mounts).any(durable),
        alike: 1,
        apart: apart(&workload.members),
        scripted: software.by != By::Image || given("env_file").is_some() || given("entrypoint").is_some(),
        // The name of a service leads to all of its tasks.
        one_name: true,
    })
    .filter(|server| server.count > 0)
}

/// Returns whether nothing outside of the stack is on the networks of a service.
fn closed(page: &Page<'_, '_>, service: &Value<'_>) -> bool {
    let value = service.get("networks");
    let items = value.map(|v| v.texts()).unwrap_or_default();
    let keys = value.map(|v| v.entries()).unwrap_or_default();
    let all: Vec<String> = items.into_iter().chain(keys.into_iter().map(|(key, _)| key.to_owned())).collect();
    let all = if all.is_empty() { vec!["default".to_owned()] } else { all };
    service.get("network_mode").is_none()
        && all.iter().all(|key| {
            page.defined("networks", key).is_none_or(|d| {
                external(&d, key).is_none()
                    && d.get("name").is_none()
                    && !d.get("attachable").is_some_and(|a| Page::truth(&a))
            })
        })
}
