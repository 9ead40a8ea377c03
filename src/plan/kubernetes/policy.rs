//! Plans the NetworkPolicy of a service: who may connect to which ports of its members.
//!
//! A pod that a policy selects takes only what some policy lets in, and what comes from its own node, such
//! as the probes of the kubelet (kubernetes `staging/src/k8s.io/api/networking/v1/types.go`, `Ingress`).
//! What a policy means for pods on the network of their node is undefined (Kubernetes, "NetworkPolicy and
//! hostNetwork pods"), so their services have none.

use serde_json::Value;

use super::container::protocol_of;
use super::labels;
use super::network::has_clients;
use super::objects::{Ingress, IngressPeer, Labels, Meta, NetworkPolicy};
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Client, Kubernetes, Members, Port, Service, Users, Workload};
use crate::plan::context::Context;
use crate::spec::source::Route;
use crate::target::Target;

/// The label that the API server gives to each namespace: its name.
const NAMESPACE: &str = "kubernetes.io/metadata.name";

/// Number and protocol of a port.
type Open = (u64, String);

/// Returns whether a policy keeps others away from the members.
pub fn applies(w: &Workload, k: &Kubernetes) -> bool {
    k.network_policy && !w.node_network && !(w.ports.is_empty() && added(k).is_empty())
}

/// Plans the policy of the services `group`, which are revisions of one service.
pub fn plan(group: &[&Service], w: &Workload, k: &Kubernetes) -> Option<NetworkPolicy> {
    let first = group.first().filter(|_| applies(w, k))?;
    let helpers = group.iter().filter_map(|s| s.workload()).flat_map(|w| &w.helpers);
    let mut open: Vec<Open> = opened(&w.ports, |users| users == Users::Clients);
    for port in helpers.flat_map(|h| opened(&h.ports, |_| true)).chain(added(k)) {
        if !open.contains(&port) {
            open.push(port);
        }
    }
    let mut all = opened(&w.ports, |users| users == Users::Peers);
    all.splice(0..0, open.iter().cloned());
    let own = IngressPeer { pods: Some(labels::members(&first.name)), ..IngressPeer::default() };
    let named = k.clients.iter().flatten().filter_map(|client| match client {
        Client::Service(name) => Some(IngressPeer {
            everywhere: true,
            pods: Some(labels::members(name)),
            ..IngressPeer::default()
        }),
        Client::Pods { .. } | Client::Block(_) => None,
    });
    let inside = Ingress { members: true, from: std::iter::once(own).chain(named).collect(), ports: all };
    let clients = clients(k).map(|from| Ingress { members: false, from, ports: open });
    let rules = [Some(inside), clients].into_iter().flatten().filter(|rule| !rule.ports.is_empty());
    let meta = Meta::new(first.name.clone(), Some(k.namespace.clone()), labels::shared(group));
    Some(NetworkPolicy { meta, selector: labels::members(&first.name), rules: rules.collect() })
}

fn opened(ports: &[Port], for_whom: impl Fn(Users) -> bool) -> Vec<Open> {
    let port = |p: &Port| (u64::from(p.socket.number), protocol_of(p.socket.protocol).to_owned());
    ports.iter().filter(|p| for_whom(p.users)).map(port).collect()
}

/// Returns the ports that the spec adds to the container of the member.
fn added(k: &Kubernetes) -> Vec<Open> {
    let ports = k.container.get("ports").and_then(Value::as_array).into_iter().flatten();
    let port = |port: &Value| {
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
        Some((port.get("containerPort")?.as_u64()?, protocol.to_owned()))
    };
    ports.filter_map(port).collect()
}

/// Returns who may connect to the ports for clients; empty for everyone, `None` for nobody.
fn clients(k: &Kubernetes) -> Option<Vec<IngressPeer>> {
    let Some(list) = &k.clients else {
        let everyone = IngressPeer { pods: Some(Labels::new()), ..IngressPeer::default() };
        return Some(if published(k) { Vec::new() } else { vec![everyone] });
    };
    let of = |client: &Client| match client {
        Client::Service(_) => None,
        Client::Block(cidr) => Some(IngressPeer { cidr: Some(cidr.clone()), ..IngressPeer::default() }),
        Client::Pods { namespace, labels } => Some(IngressPeer {
            namespace: namespace.as_ref().map(|name| vec![(NAMESPACE.to_owned(), name.clone())]),
            pods: Some(labels.clone()).filter(|labels| namespace.is_none() || !labels.is_empty()),
            ..IngressPeer::default()
        }),
    };
    let from: Vec<IngressPeer> = list.iter().filter_map(of).collect();
    (!from.is_empty()).then_some(from)
}

/// Returns whether the client Service leads out of the cluster.
fn published(k: &Kubernetes) -> bool {
    matches!(k.service.get("type").and_then(Value::as_str), Some("LoadBalancer" | "NodePort"))
}

/// Reports each service that a value names and whose policy does not let this one in.
pub fn shut_out(context: &mut Context<'_>, service: &Service, w: &Workload, k: &Kubernetes) {
    for (name, route) in &w.peers {
        let Some(other) = context.model.find(name) else { continue };
        let (Some(theirs), Some(settings)) = (other.workload(), &other.targets.kubernetes) else { continue };
        let own = name == &service.name || !service.has(Target::Kubernetes);
        if !own && applies(theirs, settings) && !admits((theirs, settings), service, w, k) {
            context.fault(refusal(other, settings, service, w, route));
        }
    }
}

/// Returns whether the policy of `theirs` lets the pods of `service` in.
fn admits(theirs: (&Workload, &Kubernetes), service: &Service, w: &Workload, k: &Kubernetes) -> bool {
    let (their, settings) = theirs;
    let (same, served) = (settings.namespace == k.namespace, has_clients(their));
    let Some(list) = &settings.clients else {
        return served && (published(settings) || same && !w.node_network);
    };
    list.iter().any(|client| match client {
        Client::Service(name) => *name == service.name && !w.node_network,
        Client::Block(_) => w.node_network,
        Client::Pods { namespace, labels } => {
            let there = namespace.as_ref().map_or(same, |name| *name == k.namespace);
            let own = super::labels::of(service);
            there && served && !w.node_network && labels.iter().all(|pair| own.contains(pair))
        }
    })
}

fn refusal(other: &Service, k: &Kubernetes, service: &Service, w: &Workload, route: &Route) -> Diagnostic {
    let message =
        format!("the NetworkPolicy of `{}` does not let the pods of `{}` in", other.name, service.name);
    let d = Diagnostic::error(Code::ClientShutOut, service.place(route), message)
        .related(other.key(&crate::route!["targets", "kubernetes"]), "its settings");
    let known: Vec<String> = addresses(w).map(|at| format!("{{ cidr: {at}/32 }}")).collect();
    let own = match w.node_network {
        false => service.name.clone(),
        true if known.is_empty() => {
            return d
                .why("its pods use the network of their nodes, so they come from the addresses of the nodes")
                .advice(format!(
                    "add to {}, under `targets.kubernetes`, `clients` with their `cidr`",
                    other.file
                ));
        }
        true => known.join(", "),
    };
    // A list replaces the default.
    match &k.clients {
        Some(_) => d.fix(format!("add to the list `clients` of {}", other.file), own),
        None => d.fix(
            format!("add to {}, under `targets.kubernetes`", other.file),
            format!("clients: [{{ namespace: {} }}, {own}]", k.namespace),
        ),
    }
}

/// Returns the known addresses of the nodes of members, as far as they are of IPv4.
fn addresses(w: &Workload) -> impl Iterator<Item = &str> {
    let (known, pinned) = match &w.members {
        Members::PerNode { known, .. } => (known.as_slice(), None),
        Members::Counted { pin, .. } => (&[][..], pin.as_ref()),
    };
    let pinned = pinned.into_iter().flat_map(|pin| pin.at.values().map(String::as_str));
    let all = known.iter().map(|(_, at)| at.as_str()).chain(pinned);
    all.filter(|at| at.parse::<std::net::Ipv4Addr>().is_ok())
}
