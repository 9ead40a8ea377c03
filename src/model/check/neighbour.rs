//! Two services that claim one path or one port of a node, on nodes that may be the same.
//!
//! Judged over the specs given; it changes no byte that is emitted. Claims are looked up by
//! what is claimed, so the work grows with the claims, not with pairs of services.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Members, Model, Pin, Service, Workload};
use crate::route;
use crate::source::Route;
use crate::target::Target;

/// One thing of a node that a service claims.
struct Claim<'m> {
    service: &'m Service,
    workload: &'m Workload,
    /// The member, for pinned ones.
    id: Option<u32>,
    /// The directory, for claims of one.
    path: String,
    at: At<'m>,
}

/// Where a claim stands in the spec.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum At<'m> {
    Directory(&'m Route),
    Port(&'m str),
    /// Of a helper.
    PortOf(&'m str, &'m str),
    Lock,
}

impl At<'_> {
    fn route(self) -> Route {
        match self {
            Self::Directory(route) => route.clone(),
            Self::Port(name) => route!["exclusive", "ports", name],
            Self::PortOf(helper, name) => route!["helpers", helper, "ports", name],
            Self::Lock => route!["targets", "swarm", "lock"],
        }
    }
}

/// Reports each pair of services that meets, once per claim.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let workloads = || model.services().filter_map(|service| Some((service, service.workload()?)));
    let mut paths: Vec<Claim<'_>> = workloads().flat_map(|(s, w)| host_paths(s, w)).collect();
    paths.sort_by(|a, b| a.path.cmp(&b.path));
    let on = |path: &str| {
        let from = paths.partition_point(|claim| claim.path.as_str() < path);
        let length = paths[from..].partition_point(|claim| claim.path == path);
        &paths[from..from + length]
    };
    let mut told = BTreeSet::new();
    for claims in paths.chunk_by(|a, b| a.path == b.path) {
        // A directory inside a claimed one belongs to both.
        let outer = ancestors(&claims[0].path).flat_map(on);
        let all: Vec<&Claim<'_>> = outer.chain(claims).collect();
        for target in Target::ALL {
            pairs(&all, target, |a, b| {
                // Once for all members of two services.
                if told.insert((a.service.index, a.at, b.service.index, b.at)) {
                    on_path(a, b, out);
                }
            });
        }
    }
    let mut ports: Vec<(Target, u16, Claim<'_>)> = Vec::new();
    for (service, workload) in workloads() {
        for target in Target::ALL.into_iter().filter(|t| service.has(*t)) {
            let claim = |at| Claim { service, workload, id: None, path: String::new(), at };
            let own = host_ports(service, workload, target).into_iter();
            ports.extend(own.map(|(port, at)| (target, port, claim(at))));
        }
    }
    ports.sort_by_key(|(target, port, _)| (*target, *port));
    let mut told = BTreeSet::new();
    for claims in ports.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (target, port, _) = claims[0];
        let all: Vec<&Claim<'_>> = claims.iter().map(|(.., claim)| claim).collect();
        pairs(&all, target, |a, b| {
            if told.insert((&a.service.name, &b.service.name, port)) {
                out.push(
                    Diagnostic::error(
                        Code::Neighbour,
                        b.service.place(&b.at.route()),
                        format!(
                            "{} and {} both claim port {port} of a node on {target}",
                            a.service.name, b.service.name
                        ),
                    )
                    .related(a.service.place(&a.at.route()), format!("claimed by {}", a.service.name))
                    .why("on a node that both may use, the second one never starts")
                    .mend("keep them apart, in both specs", format!("apart_from: [{}]", a.service.name))
                    .advice("or give one of them another port, or nodes of its own"),
                );
            }
        });
    }
}

/// Calls `meet` for each claim with the first earlier one of another service that may stand on
/// its node and is not kept apart, if there is one. Earlier claims are found by the labels that
/// they demand, so that a thousand services on nodes of their own cost a thousand look-ups.
fn pairs<'m>(claims: &[&Claim<'m>], target: Target, mut meet: impl FnMut(&Claim<'m>, &Claim<'m>)) {
    // Claims by the keys they demand, then by the values.
    let mut seen: BTreeMap<Vec<&str>, BTreeMap<Demands<'_>, Vec<usize>>> = BTreeMap::new();
    for (i, b) in claims.iter().enumerate().filter(|(_, c)| c.service.has(target)) {
        let mut own = demands(b, target);
        own.sort();
        let keys: Vec<&str> = own.iter().map(|(k, _)| *k).collect();
        let clash =
            // What keeps services apart may be waived or lifted; their data lies where it lies.
            |a: &Claim<'_>| {
                let excused = b.path.is_empty() && apart(a, b);
                a.service.name != b.service.name && !excused && may_meet(a, b, target)
            };
        let at = |found: &Vec<usize>| found.iter().copied().find(|a| clash(claims[*a]));
        let first = seen.iter().find_map(|(theirs, values)| {
            if *theirs == keys && own.iter().all(|(_, v)| v.is_some()) {
                // Equal keys with other values never meet: only the equal and the open ones do.
                let open = values.iter().filter(|(d, _)| d.iter().any(|(_, v)| v.is_none()));
                return values.get(&own).and_then(at).or_else(|| open.into_iter().find_map(|(_, f)| at(f)));
            }
            values.values().find_map(at)
        });
        if let Some(a) = first {
            meet(claims[a], b);
        }
        seen.entry(keys).or_default().entry(own).or_default().push(i);
    }
}

/// The labels that a node must carry, each with its value where it is fixed.
type Demands<'m> = Vec<(&'m str, Option<String>)>;

fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(i, _)| &path[..i]).filter(|p| !p.is_empty())
}

/// Host directories with the ids in them.
fn host_paths<'m>(service: &'m Service, w: &'m Workload) -> Vec<Claim<'m>> {
    let claim = |(path, id, route)| Claim { service, workload: w, id, path, at: At::Directory(route) };
    service.host_paths(w).into_iter().map(claim).collect()
}

/// Ports that a service takes of the node itself on `target`.
fn host_ports<'m>(service: &Service, w: &'m Workload, target: Target) -> Vec<(u16, At<'m>)> {
    let all = || w.ports.iter().map(|(name, port)| (*port, At::Port(name)));
    let helpers = || {
        w.helpers.iter().flat_map(|h| h.ports.iter().map(|(name, port)| (*port, At::PortOf(&h.name, name))))
    };
    match target {
        // `-p` publishes every port of a unit.
        Target::Fleet => all().chain(helpers()).collect(),
        Target::Swarm if !w.node_network => match service.targets.swarm.as_ref().and_then(|s| s.lock) {
            Some(lock) => vec![(lock, At::Lock)],
            None => all().take(1).collect(),
        },
        _ if w.node_network => all().chain(helpers()).collect(),
        _ => Vec::new(),
    }
}

fn on_path(a: &Claim<'_>, b: &Claim<'_>, out: &mut Vec<Diagnostic>) {
    let message = if a.path == b.path {
        format!("{} and {} both claim {} of a node", a.service.name, b.service.name, a.path)
    } else {
        format!("{} claims {}, which lies in {} of {}", b.service.name, b.path, a.path, a.service.name)
    };
    out.push(
        Diagnostic::error(Code::Neighbour, b.service.place(&b.at.route()), message)
            .related(a.service.place(&a.at.route()), format!("claimed by {}", a.service.name))
            .why("on a node that both may use, two programs write one directory")
            .advice("give each service a directory of its own"),
    );
}

fn apart(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    a.workload.apart_from.contains(&b.service.name) && b.workload.apart_from.contains(&a.service.name)
}

/// The labels a member's node must carry, as far as they are fixed.
fn demands<'m>(c: &Claim<'m>, target: Target) -> Demands<'m> {
    // Swarm compares values without case (swarmkit `manager/constraint/constraint.go`).
    let as_read = |v: &String| if target == Target::Swarm { v.to_ascii_lowercase() } else { v.clone() };
    match &c.workload.members {
        Members::PerNode { on, .. } => on.iter().map(|(k, v)| (k.as_str(), Some(as_read(v)))).collect(),
        Members::Counted { pin, .. } => {
            let targets = &c.service.targets;
            let own: Option<&Pin> = match target {
                Target::Fleet => targets.fleet.as_ref().and_then(|f| f.pin.as_ref()),
                Target::Swarm => targets.swarm.as_ref().and_then(|s| s.pin.as_ref()),
                Target::Kubernetes => None,
            };
            let pin = pin.as_ref().or(own);
            pin.map(|p| (p.label.as_str(), c.id.map(|id| id.to_string()))).into_iter().collect()
        }
    }
}

/// Whether one node may carry what both demand: a label has one value on a node.
fn may_meet(a: &Claim<'_>, b: &Claim<'_>, target: Target) -> bool {
    let theirs = demands(b, target);
    demands(a, target).iter().all(|(key, value)| {
        theirs.iter().filter(|(k, _)| k == key).all(|(_, other)| match (value, other) {
            (Some(x), Some(y)) => x == y,
            (Some(x), None) => ids_hold(b, x),
            (None, Some(y)) => ids_hold(a, y),
            (None, None) => {
                let (x, y) = (a.workload.ids(), b.workload.ids());
                x.start < y.end && y.start < x.end
            }
        })
    })
}

/// Whether `value` is the id of a member of `c`.
fn ids_hold(c: &Claim<'_>, value: &str) -> bool {
    value.parse::<u32>().is_ok_and(|id| c.workload.ids().contains(&id))
}
