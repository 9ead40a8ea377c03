//! Plans Services: the names of members, the entry for clients, and external services.

use std::net::IpAddr;

use super::container::protocol_of;
use super::objects::{DisruptionBudget, EndpointSlice, Meta, ServiceMore, ServiceObject, ServicePort};
use super::{labels, naming, raw};
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{External, Kubernetes, Port, Service, Users, Workload};
use crate::plan::context::Context;
use crate::route;
use crate::spec::source::Route;
use crate::text::names;

/// Returns the ports of a Service that `for_whom` accepts.
fn ports(ports: &[Port], inside: bool, for_whom: impl Fn(Users) -> bool) -> Vec<ServicePort> {
    let port = |Port { name, socket, users: _ }: &Port| ServicePort {
        name: name.clone(),
        number: socket.number,
        target: inside.then(|| name.clone()),
        protocol: protocol_of(socket.protocol),
    };
    ports.iter().filter(|p| for_whom(p.users)).map(port).collect()
}

/// Returns whether the service has a Service for clients.
pub fn has_clients(w: &Workload) -> bool {
    w.ports.iter().any(|port| port.users == Users::Clients)
}

fn plain(meta: Meta) -> ServiceObject {
    ServiceObject {
        meta,
        external: None,
        headless: false,
        not_ready: false,
        selector: Vec::new(),
        ports: Vec::new(),
        more: ServiceMore::default(),
    }
}

/// Plans the Services of `group`: one with the names of the members, also before they are ready,
/// because a quorum must meet to become ready, and one for clients. A StatefulSet needs the first
/// one even without ports.
pub fn services(
    context: &mut Context<'_>,
    group: &[&Service],
    w: &Workload,
    k: &Kubernetes,
) -> Vec<ServiceObject> {
    let Some(first) = group.first() else { return Vec::new() };
    let mut all = Vec::new();
    if !w.per_node() || w.ports.iter().any(|port| port.users != Users::Node) {
        all.push(ServiceObject {
            headless: true,
            not_ready: true,
            selector: labels::members(&first.name),
            ports: ports(&w.ports, true, |users| users != Users::Node),
            ..plain(meta(group, &first.name, k))
        });
    }
    if has_clients(w) {
        let mut client = ServiceObject {
            selector: labels::members(&first.name),
            ports: ports(&w.ports, true, |users| users == Users::Clients),
            ..plain(meta(group, &naming::client(&first.name), k))
        };
        raw::service(context, first, k, &mut client);
        all.push(client);
    } else if !k.service.is_empty() || !k.annotations.service.is_empty() {
        let root = route!["targets", "kubernetes"];
        let annotated = root.at("annotations").at("service");
        let place = first.key(&if k.service.is_empty() { annotated } else { root.at("service") });
        let message = "the service has no ports for clients, so it has no client Service to add to";
        context.fault(
            Diagnostic::error(Code::Missing, place, message)
                .fix("name one", "exclusive: { ports: { http: 8080 } }"),
        );
    }
    all
}

fn meta(group: &[&Service], name: &str, k: &Kubernetes) -> Meta {
    Meta::new(name.to_owned(), Some(k.namespace.clone()), labels::shared(group))
}

/// Plans the disruption budget: one member may be evicted at a time, so drains proceed and the
/// others keep a quorum. Drains ignore the pods of a DaemonSet, so these have no budget.
pub fn budget(service: &Service, k: &Kubernetes) -> DisruptionBudget {
    DisruptionBudget {
        meta: meta(&[service], &service.name, k),
        max_unavailable: 1,
        selector: labels::members(&service.name),
    }
}

/// The objects of an external service.
#[derive(Default)]
pub struct Outside {
    /// The Services, which have no selector.
    pub services: Vec<ServiceObject>,
    /// The addresses of the Services.
    pub slices: Vec<EndpointSlice>,
}

/// Plans the names of an external service: its own name, and one for each member.
pub fn outside(context: &mut Context<'_>, service: &Service, external: &External, k: &Kubernetes) -> Outside {
    let External { address, at, ports: _ } = external;
    let mut made = Outside::default();
    let mut group = Vec::new();
    let own = route!["external", "address"];
    match address {
        Some(address) => name(context, &mut made, service, external, k, (&service.name, address, &own)),
        None => {
            // Members with IP addresses are endpoints of the service's own name.
            for (id, address) in at {
                let route = route!["external", "at", id];
                let ip = address.parse().ok().filter(|ip| reachable(context, service, &route, *ip));
                group.extend(ip.map(|ip: IpAddr| (ip, Some(format!("{}-{id}", service.name)))));
            }
        }
    }
    if !group.is_empty() {
        headless(&mut made, service, external, k, (&service.name, &group));
    }
    for (id, at) in named_members(external) {
        let member = format!("{}-{id}", service.name);
        name(context, &mut made, service, external, k, (&member, at, &route!["external", "at", id]));
    }
    if let Some(first) = made.services.iter_mut().find(|s| s.meta.name == service.name) {
        raw::service(context, service, k, first);
    }
    made
}

/// Returns the members that have a Service of their own: all of them if the service has an address,
/// otherwise those whose address is not an IP address.
pub fn named_members(external: &External) -> impl Iterator<Item = (u32, &str)> {
    let own = external.address.is_none();
    let all = external.at.iter().map(|(id, at)| (*id, at.as_str()));
    all.filter(move |(_, at)| !own || names::ip(at).is_none())
}

/// Plans one name for one address.
fn name(
    context: &mut Context<'_>,
    made: &mut Outside,
    service: &Service,
    external: &External,
    k: &Kubernetes,
    (name, address, route): (&str, &str, &Route),
) {
    match names::ip(address) {
        Some(ip) if reachable(context, service, route, ip) => {
            headless(made, service, external, k, (name, &[(ip, None)]));
        }
        Some(_) => {}
        None => made.services.push(ServiceObject {
            external: Some(address.to_ascii_lowercase()),
            ports: ports(&external.ports, false, |_| true),
            ..plain(meta(&[service], name, k))
        }),
    }
}

fn headless(
    made: &mut Outside,
    service: &Service,
    external: &External,
    k: &Kubernetes,
    (name, members): (&str, &[(IpAddr, Option<String>)]),
) {
    let meta = meta(&[service], name, k);
    made.services.push(ServiceObject {
        headless: true,
        ports: ports(&external.ports, false, |_| true),
        ..plain(meta.clone())
    });
    for (family, suffix) in [("IPv4", "ipv4"), ("IPv6", "ipv6")] {
        let of_family = members.iter().filter(|(ip, _)| ip.is_ipv4() == (family == "IPv4"));
        let endpoints: Vec<_> = of_family.map(|(ip, host)| (ip.to_string(), host.clone())).collect();
        if !endpoints.is_empty() {
            let labels = labels::of_slice(&meta);
            let meta = Meta { name: format!("{name}-{suffix}"), labels, ..meta.clone() };
            made.slices.push(EndpointSlice {
                meta,
                family,
                endpoints,
                ports: ports(&external.ports, false, |_| true),
            });
        }
    }
}

/// Reports an address that means the pod's own node, which the API refuses (kubernetes
/// `pkg/apis/core/validation`, `ValidateEndpointIP`).
fn reachable(context: &mut Context<'_>, service: &Service, route: &Route, ip: IpAddr) -> bool {
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let bad = ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || link_local;
    if bad {
        let message =
            format!("{ip} means a different machine on every node, so Kubernetes refuses it as an endpoint");
        context.fault(Diagnostic::error(Code::BadAddress, service.place(route), message));
    }
    !bad
}
