//! Finds lists of members whose names no pod of the files has.

use std::collections::{BTreeMap, BTreeSet};

use super::object::Object;
use super::peers::Peers;
use super::pod::command;
use super::workload::Read;
use crate::finding::{Level, codes};
use crate::text::yaml::Value;
use crate::world::Kind;
use crate::world::found::Found;
use crate::world::seeds;

/// The names of a namespace.
struct Names<'r, 'd> {
    services: BTreeSet<(&'r str, &'r str)>,
    /// The sets by the Service that gives their pods names.
    sets: BTreeMap<(&'r str, &'r str), Vec<&'r Read<'d>>>,
    /// The Services whose pods may have names of other kinds: `hostname` and `subdomain`.
    others: BTreeSet<&'r str>,
}

/// Checks each workload.
pub(super) fn judge<'r>(objects: &'r [Object<'r>], peers: &Peers<'r, 'r>, found: &mut Found) {
    let services = objects.iter().filter(|o| o.kind == "Service");
    let services = services.map(|o| (o.namespace.as_str(), o.name.as_str())).collect();
    let mut names = Names { services, sets: BTreeMap::new(), others: BTreeSet::new() };
    for read in peers.reads {
        let governs = read.object.root.at(&["spec", "serviceName"]).and_then(Value::as_str);
        if let Some(service) = governs.filter(|_| read.workload.kind == Kind::StatefulSet) {
            names.sets.entry((&read.workload.scope, service)).or_default().push(read);
        }
        names.others.extend(read.pod.spec.get("subdomain").and_then(Value::as_str));
    }
    for read in peers.reads.iter().filter(|r| r.replicas > 0) {
        for (value, seeds) in lists(read) {
            names.check(read, value, &seeds.hosts, found);
            if let Some((item, form)) = seeds.refused_by(&read.workload.image) {
                let message =
                    format!("{} never starts: `{item}` has not the form {form}", read.workload.name);
                found.violation(
                    codes::NEVER,
                    message,
                    vec![read.object.at(value)],
                    format!("{form}, for each member"),
                );
            }
        }
    }
}

/// Returns the lists of members in the variables and commands of a workload.
pub(super) fn lists<'d>(read: &Read<'d>) -> Vec<(Value<'d>, seeds::Seeds)> {
    let mut all = Vec::new();
    for container in &read.pod.containers {
        for variable in container.get("env").map(Value::items).unwrap_or_default() {
            let Some(value) = variable.given("value") else { continue };
            let name = variable.get("name").and_then(Value::as_str).unwrap_or_default();
            all.extend(seeds::read(name, value.as_str().unwrap_or_default()).map(|s| (value, s)));
        }
        for key in ["command", "args"] {
            let Some(list) = container.given(key) else { continue };
            for (name, text) in seeds::options(&command(*container)) {
                let Some(seeds) = seeds::read(name, text) else { continue };
                let own = list.items().into_iter().find(|w| w.as_str().is_some_and(|t| t.contains(text)));
                all.extend(own.map(|at| (at, seeds)));
            }
        }
    }
    all
}

/// Returns the parts of a name in the cluster: the pod, the Service and the namespace (kubernetes.io, "DNS
/// for Services and Pods"). `None` for a name of elsewhere.
pub(super) fn parts<'h>(host: &'h str, scope: &'h str) -> Option<(Option<&'h str>, &'h str, &'h str)> {
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    match labels.as_slice() {
        [service] => Some((None, service, scope)),
        [service, namespace, "svc", ..] => Some((None, service, namespace)),
        [pod, service, namespace, "svc", ..] => Some((Some(pod), service, namespace)),
        [pod, service] => Some((Some(pod), service, scope)),
        _ => None,
    }
}

impl Names<'_, '_> {
    fn check(&self, read: &Read<'_>, value: Value<'_>, hosts: &[String], found: &mut Found) {
        let scope = read.workload.scope.as_str();
        let mut absent: Vec<(&str, &Read<'_>)> = Vec::new();
        for host in hosts {
            let Some((Some(pod), service, namespace)) = parts(host, scope) else { continue };
            // `SERVICE.NAMESPACE`, or a Service with pods that are not of a set.
            if !self.services.contains(&(namespace, service)) || self.others.contains(service) {
                continue;
            }
            let Some(sets) = self.sets.get(&(namespace, service)) else { continue };
            let has = |set: &&Read<'_>| {
                let start = set.object.root.at(&["spec", "ordinals", "start"]).and_then(Value::number);
                let number = pod
                    .strip_prefix(set.object.name.as_str())
                    .and_then(|n| n.strip_prefix('-')?.parse::<i64>().ok());
                let first = start.unwrap_or(0);
                number.is_some_and(|n| n >= first && n < first + i64::from(set.replicas))
            };
            if let Some(set) = sets.first().filter(|_| !sets.iter().any(has)) {
                absent.push((host, set));
            }
        }
        let Some((_, set)) = absent.first() else { return };
        let level = if absent.len() == hosts.len() { Level::Violation } else { Level::Note };
        let list: Vec<&str> = absent.iter().map(|(host, _)| *host).take(8).collect();
        let message = format!(
            "{} looks for {}, and {} with {} replicas has no such member",
            read.workload.name,
            list.join(", "),
            set.workload.name,
            set.replicas
        );
        let at = vec![read.object.at(value), set.object.near(&["spec", "replicas"])];
        let fix = "the names of the members that exist: NAME-0, NAME-1, … as `replicas` has them";
        found.finding((codes::MATCHES_NOTHING, level), message, at, fix);
    }
}
