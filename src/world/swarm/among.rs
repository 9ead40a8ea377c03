//! Compares services: finds the resources for which they compete.

use std::collections::{BTreeMap, BTreeSet};

use super::identity::Id;
use super::machine;
use super::network::Ingress;
use super::service::Service;
use crate::finding::{At, Level, codes};
use crate::world::found::Found;
use crate::world::{Kind, Want, Workload};

/// The highest number of services with one port, or of one family, that are compared with one
/// another.
const COMPARED: usize = 128;

/// Compares the services of each file, and all services that share nodes.
pub fn check(stacks: &[Vec<Service>], found: &mut Found) {
    let [machines, stacks]: [Vec<&Vec<Service>>; 2] =
        [true, false].map(|local| stacks.iter().filter(|s| s.iter().any(is_local) == local).collect());
    for services in machines {
        machine::bound(services, found);
        ids(services, found);
    }
    for stack in &stacks {
        ingress(stack, found);
        ids(stack, found);
        together(stack, found);
        at_once(stack, found);
        hidden(stack, found);
    }
    host_ports(stacks.into_iter().flatten().map(|service| &service.workload), found);
}

/// Returns whether docker compose runs a service.
fn is_local(service: &Service) -> bool {
    service.workload.kind == Kind::Local
}

/// Reports a port that is published twice. Swarm publishes a port once, either through the routing
/// mesh or on nodes.
fn ingress(stack: &[Service], found: &mut Found) {
    let mut all: Vec<Ingress> = stack.iter().flat_map(|s| s.ingress.clone()).collect();
    let meshed = all.len();
    for service in stack {
        let workload = &service.workload;
        all.extend(workload.ports.iter().map(|p| Ingress {
            first: p.number,
            last: p.number,
            protocol: p.protocol.clone(),
            address: None,
            service: workload.name.clone(),
            at: p.at.clone(),
        }));
    }
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|i| (&all[*i].protocol, all[*i].first, *i));
    let mut before: Option<usize> = None;
    for i in order {
        let new = &all[i];
        if let Some(j) = before
            && let old = &all[j]
            && old.protocol == new.protocol
            && new.first <= old.last
            && old.service != new.service
            && (i < meshed || j < meshed)
        {
            found.violation(
                codes::REFUSED,
                format!(
                    "{} and {} publish port {}: Swarm refuses the second",
                    old.service, new.service, new.first
                ),
                vec![new.at.clone(), old.at.clone()],
                "publish one of them under another number",
            );
        }
        let further = |j: usize| all[j].protocol != new.protocol || all[j].last < new.last;
        if before.is_none_or(further) {
            before = Some(i);
        }
    }
}

/// Reports an id or hostname that two members of one family have.
fn ids(stack: &[Service], found: &mut Found) {
    let mut all: BTreeMap<(&str, &str, &str, &str), Vec<&Id>> = BTreeMap::new();
    for service in stack {
        let Workload { family, image, software, .. } = &service.workload;
        let stateful = software.is_some();
        // On the node's network, the hostname of another member has no effect, because it is not a
        // name of a network.
        for id in service.ids.iter().filter(|id| id.key != "hostname" || stateful) {
            all.entry((family, image, &id.key, &id.value)).or_default().push(id);
        }
    }
    for ((_, _, key, value), ids) in all {
        let [one, .., other] = &ids[..] else { continue };
        if one.member == other.member {
            continue;
        }
        let mut at: Vec<At> = Vec::new();
        for id in ids.iter().take(COMPARED) {
            if at.last() != Some(&id.at) {
                at.push(id.at.clone());
            }
        }
        let (level, fix) = match (key, at.len()) {
            ("hostname", 1) => (Level::Note, "hostname: \"{{.Service.Name}}-{{.Task.Slot}}\"".to_owned()),
            ("hostname", _) => (Level::Note, "write another hostname into each".to_owned()),
            (_, 1) => (Level::Violation, "write a service for each member, each with its own".to_owned()),
            _ => (Level::Violation, format!("write another {key} into each")),
        };
        let more = if ids.len() > 2 { format!(" ({} in all)", ids.len()) } else { String::new() };
        let message = format!("{} and {}{more} have one {key}: `{value}`", one.member, other.member);
        found.finding((codes::ID_REPEATED, level), message, at, fix);
    }
}

/// Reports members of one quorum that may share a node: services that differ only in their names.
fn together(stack: &[Service], found: &mut Found) {
    let mut families: BTreeMap<(&str, &str), Vec<&Workload>> = BTreeMap::new();
    for workload in stack.iter().map(|s| &s.workload) {
        let votes = workload.software.as_ref().is_some_and(|s| s.quorum && !s.cache);
        if votes && workload.kind == Kind::Replicated && workload.members.len() == 1 {
            families.entry((&workload.family, &workload.image)).or_default().push(workload);
        }
    }
    for of in families.values() {
        let few = &of[..of.len().min(COMPARED)];
        let pair = few
            .iter()
            .enumerate()
            .find_map(|(i, one)| Some((one, few[..i].iter().find(|other| may_share(one, other))?)));
        let Some((one, other)) = pair else { continue };
        found.note(
            codes::TOGETHER,
            format!("nothing keeps {} and {} off one node", other.name, one.name),
            vec![one.at.clone(), other.at.clone()],
            format!(
                "deploy.placement.constraints: [\"node.labels.{} == 1\"] # and another number for each of the others",
                one.family
            ),
        );
    }
}

/// The smallest quorum that can lose a member.
const QUORUM: usize = 3;

/// Reports members of one cluster that are services of one file: a deploy updates every service that it
/// changes, and waits for none (docker/cli `cli/command/stack/swarm/deploy_composefile.go`, `deployServices`).
fn at_once(stack: &[Service], found: &mut Found) {
    let mut clusters: BTreeMap<(&str, &str, &str), Vec<&Workload>> = BTreeMap::new();
    for workload in stack.iter().map(|s| &s.workload).filter(|w| w.kind == Kind::Replicated) {
        let Some(software) = workload.software.as_deref().filter(|_| workload.members.len() == 1) else {
            continue;
        };
        let durable = workload.members.iter().flat_map(|m| &m.mounts).next().is_some();
        // Servers that do not vote are members of one cluster if their names say so.
        let family = if software.quorum { "" } else { workload.family.as_str() };
        if durable && (software.quorum || workload.family != workload.name) {
            clusters.entry((&software.name, &workload.image, family)).or_default().push(workload);
        }
    }
    for of in clusters.values().filter(|of| of.len() >= QUORUM) {
        let names: Vec<&str> = of.iter().map(|w| w.name.as_str()).collect();
        // Servers with names of their own are no members of one cluster: the names of members differ in numbers.
        let stem = |name: &str| name.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
        if names.iter().any(|name| stem(name) != stem(names[0])) {
            continue;
        }
        found.note(
            codes::UPDATE_TOGETHER,
            format!("a deploy that changes {} stops all of them at once", names.join(", ")),
            of.iter().take(COMPARED).map(|w| w.at.clone()).collect(),
            "a file for each member, deployed one after the other under one name of a stack, without --prune",
        );
    }
}

/// Reports members of one quorum that each wait for the names of the others: Swarm's DNS publishes
/// the name of a task only after its check has passed, with endpoint_mode vip as well as dnsrr
/// (moby#36737; measured: 25 s of NXDOMAIN with a check that passes after 25 s).
fn hidden(stack: &[Service], found: &mut Found) {
    let mut families: BTreeMap<(&str, &str), Vec<&Service>> = BTreeMap::new();
    for service in stack {
        let Workload { family, image, .. } = &service.workload;
        families.entry((family, image)).or_default().push(service);
    }
    for of in families.values() {
        let several = |s: &Service| s.workload.members.len() > 1;
        let few = &of[..of.len().min(COMPARED)];
        // A service that is found without a check lets the others pass their checks.
        let waits = |s: &&&Service| {
            let Some((_, said)) = &s.check else { return false };
            let mut named = few.iter().filter(|o| names(said, &o.workload.name)).peekable();
            let other = |o: &&&Service| !std::ptr::eq(**o, **s) || several(s);
            let first = named.peek().is_some();
            first && named.clone().any(|o| other(&o)) && named.all(|o| o.check.is_some())
        };
        let all: Vec<&&Service> = few.iter().filter(waits).collect();
        let at: Vec<At> = all.iter().filter_map(|s| Some(s.check.as_ref()?.0.clone())).collect();
        if at.is_empty() {
            continue;
        }
        let members: Vec<&str> = all.iter().map(|s| s.workload.name.as_str()).collect();
        let message = format!(
            "Swarm hides the name of a task until its check passes: if the checks of {} need the other members, none ever resolves",
            members.join(", ")
        );
        let fix = "healthcheck: { disable: true }, or one that passes before the others are found";
        found.note(codes::CHECK_HIDES, message, at, fix);
    }
}

/// Returns whether `text` has `name` as a word of its own, alone or in a host's name.
fn names(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.split(|c| !part(c)).any(|word| word == name)
}

/// Returns whether the scheduler may place two services on one node: they require the same labels,
/// and neither uses a port of the other. Labels with different names count as different nodes.
fn may_share(a: &Workload, b: &Workload) -> bool {
    let wants = |w: &Workload| -> BTreeSet<(String, Vec<String>, bool)> {
        w.wants.iter().map(|w| (w.key.clone(), w.values.clone(), w.not)).collect()
    };
    let port = a
        .ports
        .iter()
        .filter(|p| p.scheduled)
        .any(|p| b.ports.iter().any(|q| q.scheduled && q.number == p.number && q.protocol == p.protocol));
    !port && wants(a) == wants(b)
}

/// Reports a port of the node that two services use on every node that they may have.
fn host_ports<'s>(workloads: impl Iterator<Item = &'s Workload>, found: &mut Found) {
    let mut left: BTreeMap<(u16, &str), &At> = BTreeMap::new();
    let mut takers: BTreeMap<(u16, &str), Vec<(&Workload, &At)>> = BTreeMap::new();
    for workload in workloads.filter(|w| !w.members.is_empty()) {
        for port in workload.ports.iter().filter(|p| p.scheduled) {
            let key = (port.number, port.protocol.as_str());
            let takers = takers.entry(key).or_default();
            if takers.len() < COMPARED {
                takers.push((workload, &port.at));
            } else {
                left.entry(key).or_insert(&port.at);
            }
        }
    }
    for ((number, _), takers) in takers {
        for (i, (one, at)) in takers.iter().enumerate() {
            for (other, theirs) in &takers[..i] {
                // A service in two files is the same service.
                if one.name == other.name || !(crowded(one, other) || crowded(other, one)) {
                    continue;
                }
                found.violation(
                    codes::STUCK,
                    format!(
                        "{} never starts where {} runs: both take port {number} of the node, and neither may run elsewhere",
                        one.name, other.name
                    ),
                    vec![(*at).clone(), (*theirs).clone()],
                    "published: another number for one of them",
                );
            }
        }
    }
    for ((number, _), at) in left {
        let what = format!("more than {COMPARED} services take port {number}: the others are not compared");
        found.unread(at.clone(), what);
    }
}

/// Returns whether `one` meets `other` wherever it may run: `other` is on each of its nodes, or
/// both are on the same node.
fn crowded(one: &Workload, other: &Workload) -> bool {
    let same = |a: &Want, b: &Want| a.key == b.key && a.values == b.values && a.not == b.not;
    let everywhere =
        other.kind == Kind::Global && other.wants.iter().all(|w| one.wants.iter().any(|o| same(w, o)));
    let alone = one.wants.iter().any(|w| w.one_node && other.wants.iter().any(|o| same(w, o)));
    everywhere || alone
}
