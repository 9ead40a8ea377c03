//! Checks Services: which pods they select, and whether the members of a StatefulSet find each other
//! by name.

use std::collections::{BTreeMap, BTreeSet};

use super::object::Object;
use super::peers::Peers;
use super::probes::needs_quorum;
use super::rules::is_meant;
use super::selector::{plain, words};
use super::workload::{Read, flow};
use crate::finding::{At, Level, codes};
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::{Kind, Selector};

/// A Service that selects pods.
struct Service<'d> {
    object: &'d Object<'d>,
    selector: Option<(Selector, Value<'d>)>,
    headless: bool,
    /// Whether it also publishes members that are not ready.
    publishes: bool,
}

/// The maximum number of workloads of a namespace that a selector is compared with.
const COMPARED: usize = 200;

/// Checks all Services, and for each StatefulSet the Service that it names.
pub(super) fn judge<'d>(objects: &'d [Object<'d>], peers: &Peers<'_, 'd>, found: &mut Found) {
    let mut services: BTreeMap<(&str, &str), Service<'d>> = BTreeMap::new();
    let mut lost = BTreeSet::new();
    for object in objects.iter().filter(|o| o.kind == "Service") {
        let service = read(object, found);
        if selects_nothing(&service, peers, found) {
            lost.insert((object.namespace.as_str(), object.name.as_str()));
        }
        leads(&service, peers, found);
        node_ports(object, found);
        services.insert((object.namespace.as_str(), object.name.as_str()), service);
    }
    let maps = Maps::new(objects);
    for read in peers.reads.iter().filter(|r| r.workload.kind == Kind::StatefulSet) {
        let named = read.object.root.at(&["spec", "serviceName"]).and_then(Value::as_str).unwrap_or_default();
        if !lost.contains(&(read.workload.scope.as_str(), named)) {
            governing(read, &services, &maps, found);
        }
    }
}

fn read<'d>(object: &'d Object<'d>, found: &mut Found) -> Service<'d> {
    let spec = |key: &str| object.root.at(&["spec", key]).filter(|v| !v.is_null());
    let named = spec("type").is_some_and(|t| t.is("ExternalName"));
    let map = spec("selector").filter(|s| !named && !s.entries().is_empty());
    let unready = ["metadata", "annotations", "service.alpha.kubernetes.io/tolerate-unready-endpoints"];
    let yes = |v: Option<Value<'_>>| v.and_then(Value::flag) == Some(true);
    Service {
        object,
        selector: map.map(|map| (plain(object, map, found), map)),
        headless: spec("clusterIP").is_some_and(|ip| ip.is("None")),
        publishes: yes(spec("publishNotReadyAddresses")) || yes(object.root.at(&unready)),
    }
}

/// Reports ports that the API refuses: each is one of the range that is set aside for Services (Kubernetes
/// `docs/reference/command-line-tools-reference/kube-apiserver`, `--service-node-port-range`).
fn node_ports(object: &Object<'_>, found: &mut Found) {
    for port in object.root.at(&["spec", "ports"]).map(Value::items).unwrap_or_default() {
        let Some(value) = port.get("nodePort") else { continue };
        if let Some(number) = value.number().filter(|n| *n != 0 && !(30000..=32767).contains(n)) {
            let message = format!(
                "the API refuses the Service {}: nodePort {number} is not in 30000-32767, unless the API server has another range",
                object.name
            );
            found.violation(codes::REFUSED, message, vec![object.at(value)], "a nodePort of 30000 to 32767");
        }
    }
}

/// Reports a selector that selects no pod, although it looks similar to labels in these files, or a workload
/// names its Service, or has its name in one file with it. Returns whether it does.
fn selects_nothing(service: &Service<'_>, peers: &Peers<'_, '_>, found: &mut Found) -> bool {
    let Some((selector, at)) = &service.selector else { return false };
    let scope = [service.object.namespace.clone()];
    if peers.selected(selector, Some(&scope)).next().is_some() || peers.tired() {
        return false;
    }
    let name = service.object.name.as_str();
    let belongs = |r: &&Read<'_>| {
        let governs = r.object.root.at(&["spec", "serviceName"]).is_some_and(|n| n.is(name));
        governs || r.object.name == name && r.object.file == service.object.file
    };
    let near = peers.reads.iter().filter(|r| r.workload.scope == service.object.namespace).take(COMPARED);
    let meant = near.clone().find(|r| is_meant(selector, r)).or_else(|| near.clone().find(belongs));
    let message =
        format!("the Service {name} selects `{}`, which no pod in these files has", words(selector));
    let Some(meant) = meant else {
        // Its pods may be in other files.
        if near.clone().next().is_some() {
            let things = vec![(format!("the pods with {}", words(selector)), service.object.at(*at))];
            let fix = "berthc verify with the files of these pods; or the labels of the pods that it is for";
            found.outside(&format!("the Service {name}"), things, fix);
        }
        return false;
    };
    let labels = meant.object.near(&["spec", "template", "metadata", "labels"]);
    let fix = format!("selector: {}", flow(&meant.pod));
    found.violation(codes::MATCHES_NOTHING, message, vec![service.object.at(*at), labels], fix);
    true
}

/// Reports a port of a Service that none of its pods has: it answers nobody (kubernetes
/// `pkg/controlplane/.../endpointslice`, `FindPort`: a name without a port of the pod gives no endpoint).
fn leads(service: &Service<'_>, peers: &Peers<'_, '_>, found: &mut Found) {
    let Some((selector, _)) = service.selector.as_ref().filter(|_| !service.headless) else { return };
    let scope = [service.object.namespace.clone()];
    let reads: Vec<&Read<'_>> =
        peers.selected(selector, Some(&scope)).take(COMPARED).map(|i| &peers.reads[i]).collect();
    if reads.is_empty() || peers.tired() {
        return;
    }
    let own = reads.iter().flat_map(|r| &r.pod.containers);
    let own = own.flat_map(|c| c.get("ports").map(Value::items).unwrap_or_default());
    let own: Vec<(Option<&str>, Option<&str>)> = own
        .map(|p| (p.get("name").and_then(Value::as_str), p.get("containerPort").and_then(Value::as_str)))
        .collect();
    for port in service.object.root.at(&["spec", "ports"]).map(Value::items).unwrap_or_default() {
        let Some(value) = port.given("targetPort").or_else(|| port.given("port")) else { continue };
        let Some(text) = value.as_str().filter(|t| !t.contains(['{', '$'])) else { continue };
        let number = text.parse::<u16>().ok();
        let there = own.iter().any(|(name, n)| match number {
            Some(_) => *n == Some(text),
            None => *name == Some(text),
        });
        // A number also works where no port is listed: the settings of the program may have it.
        let open = number.is_some_and(|n| {
            let known = reads.iter().any(|r| r.pod.software.as_ref().is_some_and(|s| s.port == Some(n)));
            let named =
                |r: &&Read<'_>| r.pod.spec.scalars().any(|v| v.as_str().is_some_and(|t| t.contains(text)));
            own.is_empty() || known || reads.iter().any(named)
        });
        if there || open {
            continue;
        }
        let message = format!(
            "the Service {} leads to the port `{text}`, which no container of {} has: nobody answers there",
            service.object.name, reads[0].workload.name
        );
        let have = own.iter().find_map(|(name, n)| name.or(*n)).unwrap_or("NUMBER");
        let at = vec![service.object.at(value), reads[0].workload.at.clone()];
        return found.note(codes::MATCHES_NOTHING, message, at, format!("targetPort: {have}"));
    }
}

/// Checks the Service that gives the members of a StatefulSet their names.
fn governing(
    read: &Read<'_>,
    services: &BTreeMap<(&str, &str), Service<'_>>,
    maps: &Maps<'_>,
    found: &mut Found,
) {
    let Some(value) = read.object.root.at(&["spec", "serviceName"]).filter(|v| !v.is_null()) else { return };
    let Some(named) = value.as_str().filter(|n| !n.is_empty()) else { return };
    let scope = read.workload.scope.as_str();
    let at = read.object.at(value);
    let name = &read.workload.name;
    // If nothing uses a member's name, it need not resolve.
    let called = maps.calls(read, named);
    let level = if called { Level::Violation } else { Level::Note };
    let votes = read.pod.software.as_ref().is_some_and(|s| s.quorum) && read.replicas > 1;
    let own = |s: &Service<'_>| s.selector.as_ref().is_some_and(|(of, _)| of.selects(&read.pod.labels));
    let Some(service) = services.get(&(scope, named)) else {
        let mut others = services.iter().filter(|(key, s)| key.0 == scope && own(s)).map(|(_, s)| s);
        let Some(other) = others.clone().find(|s| s.headless).or_else(|| others.next()) else { return };
        if called || votes {
            let message = format!(
                "{name} names the Service {}, which is not among the files, where {} selects its pods: the names of its members do not resolve",
                named, other.object.name
            );
            let fix = if other.headless {
                format!("serviceName: {}", other.object.name)
            } else {
                headless(named, read)
            };
            found.finding((codes::MATCHES_NOTHING, level), message, vec![at, other.object.here()], fix);
        }
        return;
    };
    if !own(service) {
        let Some((of, map)) = &service.selector else { return };
        let message =
            format!("the Service {named} of {name} selects `{}`, which its pods do not have", words(of));
        let fix = format!("selector: {}", flow(&read.pod));
        found.finding((codes::MATCHES_NOTHING, level), message, vec![service.object.at(*map), at], fix);
    } else if !service.headless {
        if called || votes || read.replicas > 1 {
            // kubernetes.io, "DNS for Services and Pods": only a headless Service has names of pods.
            let message = format!(
                "the Service {named} of {name} has an address: the names of its members do not resolve"
            );
            let fix = headless(named, read);
            found.finding((codes::IGNORED, level), message, vec![service.object.near(&["spec"]), at], fix);
        }
    } else if let Some(ready) = needs_quorum(read).filter(|_| !service.publishes && read.replicas > 1) {
        let message = format!(
            "the Service {named} hides members of {name} that are not ready, and they get ready only once they find each other"
        );
        let spec: At = service.object.near(&["spec"]);
        found.violation(
            codes::STUCK,
            message,
            vec![spec, ready],
            "publishNotReadyAddresses: true".to_owned(),
        );
    }
}

/// Returns the line for a Service that gives members their names.
fn headless(name: &str, read: &Read<'_>) -> String {
    format!(
        "kind: Service, metadata: {{name: {name}}}, spec: {{clusterIP: None, publishNotReadyAddresses: true, selector: {}}}",
        flow(&read.pod)
    )
}

/// The texts of ConfigMaps, by namespace.
struct Maps<'d> {
    texts: BTreeMap<&'d str, Vec<&'d str>>,
}

impl<'d> Maps<'d> {
    fn new(objects: &'d [Object<'d>]) -> Self {
        let mut texts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for object in objects.iter().filter(|o| o.kind == "ConfigMap") {
            let data = object.root.get("data").map(Value::entries).unwrap_or_default();
            texts
                .entry(object.namespace.as_str())
                .or_default()
                .extend(data.into_iter().take(COMPARED).filter_map(|(_, v)| v.as_str()));
        }
        Self { texts }
    }

    /// Returns whether the pod, or a ConfigMap in its namespace, contains the name of a member in
    /// `service`: `db-0.SERVICE`, `$(POD).SERVICE`.
    fn calls(&self, read: &Read<'_>, service: &str) -> bool {
        let name = format!(".{service}");
        let called = |text: &str| {
            text.match_indices(&name).any(|(at, _)| {
                let after = text[at + name.len()..].chars().next();
                at > 0 && after.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
            })
        };
        let own = read.pod.spec.scalars().any(|v| v.as_str().is_some_and(called));
        let maps = self.texts.get(read.workload.scope.as_str());
        own || maps.is_some_and(|all| all.iter().take(COMPARED).any(|text| called(text)))
    }
}
