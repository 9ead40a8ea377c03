//! Reads a service of a stack file as a workload.

use std::collections::BTreeMap;

use super::identity::{self, Id};
use super::mode::{self, Mode};
use super::network::{self, Ingress};
use super::page::Page;
use super::storage::Mounts;
use super::template::Slot;
use super::{commands, ephemeral, never, placement, refers, rules, short, starts};
use crate::finding::{At, Level, codes};
use crate::images::{self, Looked, Software};
use crate::target::SWARM_LONGEST_GRACE;
use crate::text::duration;
use crate::text::nearest::nearest;
use crate::text::yaml::Value;
use crate::world::lock::{self, Lock};
use crate::world::{Kind, Member, Mount, Order, Source, Update, Workload};

/// The seconds before docker kills a container that does not stop.
const GRACE: u32 = 10;
/// The highest number of members of one service that are read.
const MEMBERS: u64 = 64;
/// The highest number of mounts that are read of one service, for all its members together.
const MOUNTS: usize = 4096;

/// The facts of a service that are compared with others.
pub struct Service {
    /// The service as a workload.
    pub workload: Workload,
    /// The ports in the swarm.
    pub ingress: Vec<Ingress>,
    /// The ids and hostnames of its members.
    pub ids: Vec<Id>,
    /// The check of a quorum member on a network of Swarm, and the texts for its program.
    pub check: Option<(At, String)>,
    /// Whether it starts only if somebody asks for its profile (docker compose).
    pub chosen: bool,
}

/// Reads the service `name`; `None` if it is not a workload.
pub fn read<'d>(page: &mut Page<'d, '_>, name: &str, service: &Value<'d>) -> Option<Service> {
    let deploy = service.get("deploy");
    let mode = mode::mode(page, name, service, deploy.as_ref())?;
    let image = service.get("image").and_then(|i| Page::quiet(&i)).unwrap_or_default();
    let network = network::read(page, service, name);
    let Looked { software, resembles, no_start } = identity::known(name, service, page.images);
    let mounts = Mounts::read(page, service, software.clone(), &mode);
    let (grace, grace_at) = grace(page, service);
    let kind = match mode.global {
        _ if page.machine => Kind::Local,
        true => Kind::Global,
        false => Kind::Replicated,
    };
    let of = |key: &str| deploy.as_ref().and_then(|d| d.get(key)).map(|v| page.at(&v));
    let (kind_at, count_at) = (of("mode"), of("replicas"));
    let at = page.at(service);
    let mut workload = Workload {
        kind_at: kind_at.unwrap_or_else(|| at.clone()),
        count: u32::try_from(mode.replicas).unwrap_or(u32::MAX),
        count_at: count_at.filter(|_| !mode.global),
        family: family(name),
        image: images::name(&image).to_owned(),
        floats: images::floats(&image).zip(service.get("image").map(|i| page.at(&i))),
        software: software.clone(),
        resembles: resembles.zip(service.get("image").map(|i| page.at(&i))),
        labels: labels(service.get("labels")),
        wants: placement::wants(page, deploy.as_ref()),
        max_per_node: most(page, deploy.as_ref()),
        ports: network.ports,
        node_network: network.host,
        update: order(page, deploy.as_ref(), "update_config"),
        rollback: order(page, deploy.as_ref(), "rollback_config"),
        restarts: page.machine || starts::again(service),
        clientless: page.machine,
        profiles: service.get("profiles").map(|p| p.texts()).unwrap_or_default(),
        grace,
        grace_at,
        lock: lock(page, service),
        ..Workload::new(name.to_owned(), kind, at)
    };
    let port = software.as_ref().and_then(|s| s.port).filter(|_| workload.kind == Kind::Replicated);
    workload.free_port = port.map(|port| (port, page.free_port(port)));
    references(page, service);
    refers::check(page, name, service);
    generic(page, deploy.as_ref());
    let ids = members(page, name, service, &mode, &mounts, &mut workload);
    if let Some(software) = &software {
        let kept = !ephemeral::judge(page, service, software, &mut workload);
        habits(page, service, &workload, kept, software);
    } else {
        at_once(page, service, &workload);
        killed(page, service, &workload);
    }
    let votes = software.as_ref().is_some_and(|s| s.quorum) && workload.node_network.is_none();
    let check = service.get("healthcheck").filter(|c| votes && !page.machine && starts::enabled(c));
    let check = check.map(|value| (page.at(&value), identity::program_texts(service)));
    starts::check(page, service, &workload, software.as_deref());
    never::check(page, service, &workload, &no_start);
    commands::check(page, service, &workload, &network.ingress);
    rules::dropped(page, service, &workload, software.is_some());
    let chosen = service.get("profiles").is_some();
    Some(Service { workload, ingress: network.ingress, ids, check, chosen })
}

/// Adds the members of a service to its workload. Returns their ids and hostnames.
fn members<'d>(
    page: &mut Page<'d, '_>,
    name: &str,
    service: &Value<'d>,
    mode: &Mode,
    mounts: &Mounts<'d>,
    workload: &mut Workload,
) -> Vec<Id> {
    let fits = (MOUNTS / mounts.len().max(1)).max(1) as u64;
    let read = mode.replicas.min(MEMBERS).min(fits);
    if read < mode.replicas {
        let value = service.at(&["deploy", "replicas"]);
        page.unread(
            value.as_ref().unwrap_or(service),
            format!("of {} replicas the first {read} are read", mode.replicas),
        );
    }
    let mut ids = Vec::new();
    let service_labels = labels(service.at(&["deploy", "labels"]));
    let scoped = format!("{}_{name}", page.stack);
    let container = service.get("container_name").filter(|_| page.machine);
    let container = container.and_then(|c| Some((page.text(&c)?, page.at(&c))));
    for number in 1..=read {
        let number = u32::try_from(number).ok();
        let slot =
            Slot { service: &scoped, labels: &service_labels, number: number.filter(|_| !mode.global) };
        let one = mode.replicas == 1;
        let ordinal = if one { trailing(name) } else { number };
        let [data, others, looked_at] = mounts.of(page, &slot);
        let member = Member {
            name: if one { name.to_owned() } else { format!("{name}.{}", number.unwrap_or_default()) },
            ordinal: ordinal.filter(|_| !mode.global),
            wants: Vec::new(),
            mounts: data,
            others,
            looked_at,
            container: container.clone(),
            hostname: identity::hostname(page, service, &slot),
        };
        ids.extend(identity::ids(page, service, &slot, &member));
        workload.members.push(member);
    }
    ids
}

/// Returns the labels below a key.
fn labels(value: Option<Value<'_>>) -> BTreeMap<String, String> {
    let pairs = value.map(|v| Page::pairs(&v)).unwrap_or_default();
    pairs.into_iter().map(|(k, v, _)| (k, v.unwrap_or_default())).collect()
}

/// Returns `max_replicas_per_node`, where 0 means no limit.
fn most(page: &mut Page<'_, '_>, deploy: Option<&Value<'_>>) -> Option<(u32, At)> {
    let value = deploy?.at(&["placement", "max_replicas_per_node"])?;
    let most = page.number(&value, "treated as no limit").filter(|n| *n > 0)?;
    Some((u32::try_from(most).unwrap_or(u32::MAX), page.at(&value)))
}

fn order(page: &mut Page<'_, '_>, deploy: Option<&Value<'_>>, block: &str) -> Update {
    let default = Update { order: Order::StopFirst, at: None };
    let Some(value) = deploy.and_then(|d| d.at(&[block, "order"])) else { return default };
    let order = match page.text(&value).unwrap_or_default().as_str() {
        "stop-first" => Order::StopFirst,
        "start-first" => Order::StartFirst,
        other => {
            page.found(
                (codes::REFUSED, Level::Violation),
                &[&value],
                format!("docker knows no order `{other}`"),
                "order: stop-first",
            );
            return default;
        }
    };
    Update { order, at: Some(page.at(&value)) }
}

fn grace(page: &mut Page<'_, '_>, service: &Value<'_>) -> (u32, Option<At>) {
    let Some(value) = service.get("stop_grace_period") else { return (GRACE, None) };
    let text = Page::quiet(&value).unwrap_or_default();
    match duration::go(&text) {
        Some(grace) => (grace, Some(page.at(&value))),
        None => {
            if text.contains("${") {
                page.unread(&value, format!("the time `{text}`: treated as {GRACE} s"));
            } else {
                page.found(
                    (codes::REFUSED, Level::Note),
                    &[&value],
                    format!("docker reads no time in `{text}`"),
                    "stop_grace_period: 30s",
                );
            }
            (GRACE, None)
        }
    }
}

/// Returns what the process locks before it serves, and holds as long as it lives.
fn lock(page: &mut Page<'_, '_>, service: &Value<'_>) -> Option<(String, At)> {
    let of = |key: &str| service.get(key).filter(|v| !v.is_null());
    let (entrypoint, command) = (of("entrypoint"), of("command"));
    let words: Vec<String> = entrypoint.iter().chain(&command).flat_map(words).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let value = entrypoint.or(command)?;
    match lock::read(&words) {
        Lock::None => None,
        Lock::Held(file) => Some((file, page.at(&value))),
        Lock::Unknown => {
            page.unread(&value, lock::UNKNOWN);
            None
        }
    }
}

/// Returns the words of a command, written as a line or as a list.
fn words(value: &Value<'_>) -> Vec<String> {
    match Page::quiet(value) {
        Some(line) => short::words(&line).unwrap_or_default(),
        None => value.items().iter().filter_map(Page::quiet).collect(),
    }
}

/// Lists generic resources. They lock a node only if its daemon counts them.
fn generic(page: &mut Page<'_, '_>, deploy: Option<&Value<'_>>) {
    let way = ["resources", "reservations", "generic_resources"];
    for resource in deploy.and_then(|d| d.at(&way)).map(|r| r.items()).unwrap_or_default() {
        let kind = resource.at(&["discrete_resource_spec", "kind"]).and_then(|k| Page::quiet(&k));
        let what = format!(
            "the generic resource `{}`: its number on a node is a setting of the daemon, so it is treated as no lock",
            kind.unwrap_or_default()
        );
        page.unread(&resource, what);
    }
}

/// Reports configs and secrets without a definition.
fn references(page: &mut Page<'_, '_>, service: &Value<'_>) {
    for (section, one) in [("configs", "config"), ("secrets", "secret")] {
        for item in service.get(section).map(|s| s.items()).unwrap_or_default() {
            let source = item.get("source").unwrap_or(item);
            let Some(key) = Page::quiet(&source) else { continue };
            if page.defined(section, &key).is_none() && !key.contains("${") {
                let names: Vec<&str> = page
                    .root
                    .get(section)
                    .map(|s| s.entries())
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(k, _)| k)
                    .collect();
                let fix = match nearest(&key, &names) {
                    Some(known) => format!("{section}: [{known}]"),
                    None => format!("{section}: {{ {key}: {{ external: true }} }}"),
                };
                page.found(
                    (codes::REFUSED, Level::Violation),
                    &[&source],
                    format!("the {one} `{key}` is defined nowhere, so docker refuses the service"),
                    fix,
                );
            }
        }
    }
}

/// Returns whether a member has data that outlives its container.
fn holds(workload: &Workload) -> bool {
    let durable = |m: &Mount| m.source != Source::Ephemeral;
    workload.members.iter().any(|member| member.mounts.iter().any(durable))
}

/// Reports a workload with data that is killed at once.
fn killed(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload) {
    if workload.grace == 0 && holds(workload) {
        let value = service.get("stop_grace_period");
        page.found(
            (codes::GRACE, Level::Note),
            &[value.as_ref().unwrap_or(service)],
            format!("{} has data, and is killed at once", workload.name),
            "stop_grace_period: 55s",
        );
    }
}

/// Reports settings that are risky for a known database.
fn habits(
    page: &mut Page<'_, '_>,
    service: &Value<'_>,
    workload: &Workload,
    kept: bool,
    software: &Software,
) {
    let quorum = software.quorum && !software.cache;
    // More than this is too long for stop-first.
    let data = kept || workload.members.iter().flat_map(|m| &m.mounts).any(|m| m.source != Source::Ephemeral);
    if data && workload.grace < software.grace.min(SWARM_LONGEST_GRACE) {
        let value = service.get("stop_grace_period");
        let level = if workload.grace == 0 && !software.cache { Level::Violation } else { Level::Note };
        page.found(
            (codes::GRACE, level),
            &[value.as_ref().unwrap_or(service)],
            format!(
                "{} may need {} s to stop, and {} is killed after {} s",
                software.name, software.grace, workload.name, workload.grace
            ),
            "stop_grace_period: 55s",
        );
    }
    identity::bootstrap(page, service);
    at_once(page, service, workload);
    let several =
        !page.machine && workload.members.len() > 1 && workload.max_per_node.as_ref().is_none_or(|m| m.0 > 1);
    if !several || workload.ports.iter().any(|p| p.scheduled) {
        return;
    }
    let Some(value) = service.at(&["deploy", "placement", "preferences"]) else {
        if quorum {
            page.found(
                (codes::TOGETHER, Level::Note),
                &[service],
                format!("nothing keeps two tasks of {} off one node", workload.name),
                "deploy.placement.max_replicas_per_node: 1",
            );
        }
        return;
    };
    page.found(
        (codes::SOFT, Level::Note),
        &[&value],
        "a preference spreads tasks where it can, and no further",
        "max_replicas_per_node: 1",
    );
}

/// Reports an update that stops several members of a quorum, or with data, at once; 0 means all of them
/// (docker `docs/reference/compose-file/deploy`, `parallelism`).
fn at_once(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload) {
    let software = workload.software.as_ref();
    let votes = software.is_some_and(|s| s.quorum && !s.cache);
    let data = software.map_or_else(|| holds(workload), |s| !s.cache);
    let several = workload.kind == Kind::Global || workload.members.len() > 1;
    if !several || !votes && !data {
        return;
    }
    let end = if votes { "and the quorum is lost" } else { "and what they hold is away" };
    for block in ["update_config", "rollback_config"] {
        let Some(value) = service.at(&["deploy", block, "parallelism"]) else { continue };
        let count = match page.number(&value, "taken for 1") {
            None | Some(1) => continue,
            Some(0) => "all".to_owned(),
            Some(count) => count.to_string(),
        };
        let message = format!("an update may stop {count} members of {} at once, {end}", workload.name);
        page.found((codes::UPDATE_TOGETHER, Level::Note), &[&value], message, "parallelism: 1");
    }
}

/// Returns the name without the number at its end.
fn family(name: &str) -> String {
    let family = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['-', '_', '.']);
    if family.is_empty() { name.to_owned() } else { family.to_owned() }
}

/// Returns the number at the end of a name.
fn trailing(name: &str) -> Option<u32> {
    let start = name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    name[start..].parse().ok()
}
