//! Reads the template of a pod: on which nodes it can run, what it uses of its node, how it stops.

use super::object::Object;
use super::selector::{labels, node_labels, node_terms, selector};
use crate::finding::{At, codes};
use crate::images::{Container, Images, Looked, NoStart, Resembles, Software};
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::lock::{self, Lock};
use crate::world::{Apart, Port, Selector, Toleration, Want, Whom};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The facts of a template that hold for each of its pods.
pub(super) struct Pod<'d> {
    pub labels: BTreeMap<String, String>,
    pub spec: Value<'d>,
    /// The containers that run as long as the pod, including init containers that restart.
    pub containers: Vec<Value<'d>>,
    /// The container with the data, or the first one.
    pub main: Option<Value<'d>>,
    pub software: Option<Arc<Software>>,
    /// The software that an image may be by its name alone, if no container has a known software.
    pub resembles: Option<(Resembles, At)>,
    /// What keeps the programs of the containers from starting, for those with such a fault.
    pub no_start: Vec<(Value<'d>, Vec<NoStart>)>,
    /// The containers with known software that keeps data.
    pub servers: Vec<(Value<'d>, Arc<Software>)>,
    pub wants: Vec<Want>,
    pub apart: Vec<Apart>,
    pub tolerates: Vec<Toleration>,
    pub placed_by: Option<At>,
    pub ports: Vec<Port>,
    pub node_network: Option<At>,
    pub grace: u32,
    pub grace_at: Option<At>,
    pub lock: Option<(String, At)>,
}

/// The node labels whose value is different on each node.
const HOSTNAMES: [&str; 2] = ["kubernetes.io/hostname", "beta.kubernetes.io/hostname"];

/// The node labels of zones and regions. A pod that is kept off a zone is also kept off its nodes.
const ZONES: [&str; 4] = [
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
];

/// Reads the template `metadata` and `spec` of `object`.
pub(super) fn read<'d>(
    object: &Object<'d>,
    metadata: Option<Value<'d>>,
    spec: Value<'d>,
    images: &Images,
    found: &mut Found,
) -> Pod<'d> {
    let labels = labels(object, metadata.and_then(|m| m.get("labels")), found);
    let list = |key: &str| spec.get(key).map(Value::items).unwrap_or_default();
    let stays = |c: &Value<'_>| c.get("restartPolicy").is_some_and(|r| r.is("Always"));
    let own = list("containers");
    let (sidecars, inits): (Vec<_>, Vec<_>) = list("initContainers").into_iter().partition(stays);
    let containers: Vec<Value<'d>> = own.iter().copied().chain(sidecars).collect();
    let mut all: Vec<(Value<'d>, Looked)> =
        containers.iter().copied().chain(inits).map(|c| (c, looked_up(c, &object.name, images))).collect();
    let stay = &all[..containers.len()];
    let servers: Vec<(Value<'d>, Arc<Software>)> =
        stay.iter().filter_map(|(c, looked)| Some((*c, looked.software.clone()?))).collect();
    let known = servers.first().cloned();
    let like = |(c, looked): &(Value<'d>, Looked)| {
        Some((looked.resembles.clone()?, object.at(c.get("image").unwrap_or(*c))))
    };
    let resembles = if known.is_none() { stay.iter().find_map(like) } else { None };
    all.retain(|(_, looked)| !looked.no_start.is_empty());
    let main = known.as_ref().map(|(c, _)| *c).or_else(|| own.first().copied());
    let scheduled = by_scheduler(object, spec, found);
    let other = spec.given("schedulerName").filter(|s| !s.is("default-scheduler"));
    let grace = spec.given("terminationGracePeriodSeconds");
    let (ports, node_network) = ports(object, spec, &containers, found);
    Pod {
        wants: wants(object, spec, found),
        apart: if scheduled { apart(object, spec, found) } else { Vec::new() },
        tolerates: list("tolerations").into_iter().map(|t| toleration(object, t)).collect(),
        placed_by: spec.given("nodeName").or(other).map(|by| object.at(by)),
        ports,
        node_network,
        grace: grace.and_then(Value::number).and_then(|n| u32::try_from(n).ok()).unwrap_or(30),
        grace_at: grace.map(|g| object.at(g)),
        lock: main.and_then(|c| lock(object, c, found)),
        resembles,
        no_start: all.into_iter().map(|(c, looked)| (c, looked.no_start)).collect(),
        software: known.map(|(_, s)| s),
        servers,
        labels,
        spec,
        containers,
        main,
    }
}

/// Returns the command line of a container, as far as the file contains it.
pub(super) fn command(container: Value<'_>) -> Vec<&str> {
    let list = |key| container.get(key).map(Value::items).unwrap_or_default();
    list("command").into_iter().chain(list("args")).filter_map(Value::as_str).collect()
}

/// Looks a container up in the table of images.
fn looked_up(container: Value<'_>, owner: &str, images: &Images) -> Looked {
    let Some(image) = container.get("image").and_then(Value::as_str) else { return Looked::default() };
    let list = |key: &str| container.get(key).map(Value::items).unwrap_or_default();
    let text = |value: Value<'_>, key: &str| value.get(key).and_then(Value::text);
    let env = list("env")
        .into_iter()
        .filter_map(|e| Some((e.get("name")?.as_str()?, e.get("value").and_then(Value::as_str))));
    let port = |p: Value<'_>| text(p, "containerPort")?.parse().ok();
    let mounts = list("volumeMounts");
    // The entrypoint of the image runs, and the file gives all variables.
    let whole = list("envFrom").is_empty() && list("command").is_empty();
    images.look(&Container {
        whole,
        image,
        command: command(container),
        env: env.collect(),
        more_env: !list("envFrom").is_empty(),
        ports: list("ports").into_iter().filter_map(port).collect(),
        targets: mounts.iter().filter_map(|m| m.get("mountPath")?.as_str()).collect(),
        names: container.get("name").and_then(Value::as_str).into_iter().chain([owner]).collect(),
    })
}

/// Reports a pod that bypasses the scheduler: nothing checks its anti-affinity or its ports.
fn by_scheduler<'d>(object: &Object<'d>, spec: Value<'d>, found: &mut Found) -> bool {
    if let Some(other) = spec.given("schedulerName").filter(|s| !s.is("default-scheduler")) {
        let what = "another scheduler: treated as if it followed the rules of the scheduler of Kubernetes";
        found.unread(object.at(other), what.to_owned());
    }
    let Some(node) = spec.given("nodeName") else { return true };
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    if let Some(rule) = spec.at(&["affinity", "podAntiAffinity", required]) {
        found.violation(
            codes::IGNORED,
            "`nodeName` bypasses the scheduler, so nothing checks this anti-affinity".to_owned(),
            vec![object.at(node), object.at(rule)],
            format!("nodeSelector: {{kubernetes.io/hostname: {}}}", node.as_str().unwrap_or("NODE")),
        );
    }
    false
}

fn wants<'d>(object: &Object<'d>, spec: Value<'d>, found: &mut Found) -> Vec<Want> {
    let mut wants = match spec.given("nodeSelector") {
        Some(map) => node_labels(object, map, found),
        None => Vec::new(),
    };
    let required = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
    if let Some(required) = spec.at(&required) {
        wants.extend(node_terms(object, required, found));
    }
    if let Some(node) = spec.given("nodeName") {
        wants.push(Want {
            key: "metadata.name".to_owned(),
            values: node.text().into_iter().collect(),
            not: false,
            one_node: true,
            shared: false,
            at: object.at(node),
        });
    }
    wants
}

fn apart<'d>(object: &Object<'d>, spec: Value<'d>, found: &mut Found) -> Vec<Apart> {
    let required = ["affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
    let terms = spec.at(&required).map(Value::items).unwrap_or_default();
    terms.into_iter().filter_map(|term| rule(object, term, found)).collect()
}

fn toleration<'d>(object: &Object<'d>, value: Value<'d>) -> Toleration {
    let text = |key| value.given(key).and_then(Value::text).unwrap_or_default();
    Toleration { key: text("key"), value: text("value"), effect: text("effect"), at: object.at(value) }
}

/// Reads one term of a required anti-affinity. A term with a condition that berthc does not read is
/// listed and ignored.
fn rule<'d>(object: &Object<'d>, term: Value<'d>, found: &mut Found) -> Option<Apart> {
    let key = term.get("topologyKey").and_then(Value::as_str).unwrap_or_default();
    let Some(topology) = HOSTNAMES.into_iter().chain(ZONES).find(|known| *known == key) else {
        let what = format!("an anti-affinity over `{key}`, which a node may lack: treated as no rule");
        found.unread(object.at(term), what);
        return None;
    };
    for key in ["matchLabelKeys", "mismatchLabelKeys"] {
        if let Some(keys) = term.given(key) {
            found.unread(
                object.at(keys),
                format!("`{key}` of an anti-affinity: the term is treated as no rule"),
            );
            return None;
        }
    }
    let of = term.given("labelSelector").map(|s| selector(object, s, found));
    // A missing selector matches nothing, an empty selector everything.
    let of = of.unwrap_or(Selector { terms: vec![crate::world::Term::In(String::new(), Vec::new())] });
    let listed = term.given("namespaces").map(Value::texts).unwrap_or_default();
    let namespaces = match term.given("namespaceSelector") {
        Some(all) if all.entries().is_empty() => None,
        Some(some) => {
            let what = "a `namespaceSelector`: labels of namespaces are not read, treated as if it matched no namespace";
            found.unread(object.at(some), what.to_owned());
            Some(listed)
        }
        None if listed.is_empty() => Some(vec![object.namespace.clone()]),
        None => Some(listed),
    };
    Some(Apart { whom: Whom::Pods { selector: of, namespaces, topology }, at: object.at(term) })
}

fn ports<'d>(
    object: &Object<'d>,
    spec: Value<'d>,
    containers: &[Value<'d>],
    found: &mut Found,
) -> (Vec<Port>, Option<At>) {
    let network = spec.given("hostNetwork").filter(|n| n.flag() == Some(true));
    let mut ports: Vec<Port> = Vec::new();
    for port in containers.iter().flat_map(|c| c.get("ports").map(Value::items).unwrap_or_default()) {
        // On the node's network, the API copies `containerPort` to `hostPort` and back.
        let own = port.given("containerPort").filter(|_| network.is_some());
        let given = port.given("hostPort");
        let Some(value) = given.or(own) else { continue };
        let number = value.number().and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0);
        let Some(number) = number else { continue };
        if let Some(ip) = port.given("hostIP").filter(|ip| !["0.0.0.0", ""].iter().any(|any| ip.is(any))) {
            found.unread(object.at(ip), "a `hostIP`: treated as if no container had the port".to_owned());
            continue;
        }
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP").to_lowercase();
        if !ports.iter().any(|p| p.number == number && p.protocol == protocol) && ports.len() < 1000 {
            let (declared, at) = (given.is_some(), object.at(value));
            ports.push(Port { number, protocol, scheduled: true, bound: false, declared, at });
        }
    }
    (ports, network.map(|n| object.at(n)))
}

/// Returns what the process locks before it serves, until it ends.
fn lock<'d>(object: &Object<'d>, container: Value<'d>, found: &mut Found) -> Option<(String, At)> {
    let of = container.given("command").or_else(|| container.given("args"))?;
    match lock::read(&command(container)) {
        Lock::None => None,
        Lock::Held(file) => Some((file, object.at(of))),
        Lock::Unknown => {
            found.unread(object.at(of), lock::UNKNOWN.to_owned());
            None
        }
    }
}
