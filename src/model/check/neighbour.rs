//! Finds two services that claim the same path or port of a node, on nodes that may be the same.
//!
//! Only the given specs are compared, and the emitted files do not depend on it. Claims are looked
//! up by path or port, so the work grows with the number of claims, not with pairs of services.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Helper, Members, Model, Port, Service, Socket, Workload, lock};
use crate::route;
use crate::spec::source::Route;
use crate::target::Target;

/// The facts that decide which other services a service may meet on a node, and at which port.
#[derive(Debug)]
pub struct Placement {
    /// The name of the service.
    name: String,
    /// Whether it is compiled for each of the targets.
    has: [bool; Target::ALL.len()],
    /// The services that it keeps apart from.
    pub apart_from: Vec<String>,
    /// The ids of its members.
    pub ids: Range<u32>,
    /// The ports of the node that it uses.
    pub ports: Vec<(Target, Socket)>,
    nodes: Nodes,
}

/// The labels that the node of a member must have.
#[derive(Debug)]
enum Nodes {
    /// These labels.
    On(Vec<(String, String)>),
    /// The label of the pin on each of the targets. Its value is the id.
    Pinned([Option<String>; Target::ALL.len()]),
}

impl Placement {
    /// Makes the placement of `service`.
    pub fn of(service: &Service, w: &Workload) -> Self {
        let nodes = match &w.members {
            Members::PerNode { on, .. } => Nodes::On(on.clone()),
            Members::Counted { pin, .. } => {
                let own = |target| service.targets.pin(target);
                let label = |target| pin.as_ref().or(own(target)).map(|pin| pin.label.clone());
                Nodes::Pinned(Target::ALL.map(label))
            }
        };
        let (name, apart_from) = (service.name.clone(), w.apart_from.clone());
        let ports = host_ports(service, w).into_iter().map(|(target, port, _)| (target, port)).collect();
        Self { name, has: Target::ALL.map(|t| service.has(t)), apart_from, ids: w.ids(), ports, nodes }
    }

    fn has(&self, target: Target) -> bool {
        self.has[target as usize]
    }

    fn apart(&self, other: &Self) -> bool {
        self.apart_from.contains(&other.name) && other.apart_from.contains(&self.name)
    }
}

/// A path or port of a node that a service claims.
struct Claim<'m, T> {
    placement: &'m Placement,
    /// The member, if it is pinned.
    id: Option<u32>,
    /// The directory; empty if the claim is a port.
    path: String,
    /// The owner of the claim.
    of: T,
}

/// A service of the model, and the place of a claim in its spec.
type Told<'m> = (&'m Service, At<'m>);

/// The place of a claim in the spec.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum At<'m> {
    Directory(&'m Route),
    Port(&'m str),
    /// A helper and its port.
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

/// Reports each pair of services in `batch` that claim the same path or port, once per path or
/// port.
pub fn check(model: &Model, batch: &[usize], out: &mut Vec<Diagnostic>) {
    let services = batch.iter().map(|i| model.service(*i));
    let workloads = services.filter_map(|s| s.workload().map(|w| (s, w, Placement::of(s, w))));
    let workloads: Vec<(&Service, &Workload, Placement)> = workloads.collect();
    directories(&workloads, out);
    let claims = workloads.iter().flat_map(|(service, w, placement)| {
        let own = host_ports(service, w).into_iter();
        own.map(move |(target, port, at)| (target, port, placement, (*service, at)))
    });
    let mut told = BTreeSet::new();
    on_nodes(claims, |target, port, (a, at_a), (b, at_b)| {
        if told.insert((&a.name, &b.name, port)) {
            out.push(
                Diagnostic::error(
                    Code::Neighbour,
                    b.place(&at_b.route()),
                    format!("{} and {} both use port {port} of a node on {target}", a.name, b.name),
                )
                .related(a.place(&at_a.route()), format!("used by {}", a.name))
                .why("if both run on one node, the second one never starts")
                .fix("keep them apart, with this line in both specs", format!("apart_from: [{}]", a.name))
                .advice("or give one of them another port or other nodes"),
            );
        }
    });
}

fn directories(workloads: &[(&Service, &Workload, Placement)], out: &mut Vec<Diagnostic>) {
    let mut paths: Vec<Claim<'_, Told<'_>>> = Vec::new();
    for (service, w, placement) in workloads {
        let own = service.host_paths(w).into_iter();
        paths.extend(own.map(|(path, id, route)| {
            let of = (*service, At::Directory(route));
            Claim { placement, id, path, of }
        }));
    }
    paths.sort_by(|a, b| a.path.cmp(&b.path));
    let on = |path: &str| {
        let from = paths.partition_point(|claim| claim.path.as_str() < path);
        let length = paths[from..].partition_point(|claim| claim.path == path);
        &paths[from..from + length]
    };
    let mut told = BTreeSet::new();
    for claims in paths.chunk_by(|a, b| a.path == b.path) {
        // A directory inside a claimed directory belongs to both claims.
        let outer = ancestors(&claims[0].path).flat_map(on);
        let all: Vec<&Claim<'_, _>> = outer.chain(claims).collect();
        for target in Target::ALL {
            pairs(&all, target, |a, b| {
                // One report for all members of two services.
                if told.insert((a.of.0.index, a.of.1, b.of.0.index, b.of.1)) {
                    on_path(a, b, out);
                }
            });
        }
    }
}

/// Calls `meet` for two services that claim the same port (or other key) on nodes that may be the
/// same. `claims` come in the order of the services.
pub fn on_nodes<'m, K: Ord + Copy, T>(
    claims: impl Iterator<Item = (Target, K, &'m Placement, T)>,
    mut meet: impl FnMut(Target, K, &T, &T),
) {
    let claim = |placement, of| Claim { placement, id: None, path: String::new(), of };
    let mut all: Vec<_> =
        claims.map(|(target, thing, placement, of)| (target, thing, claim(placement, of))).collect();
    all.sort_by_key(|(target, thing, _)| (*target, *thing));
    for claims in all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (target, thing, _) = claims[0];
        let all: Vec<&Claim<'_, T>> = claims.iter().map(|(.., claim)| claim).collect();
        pairs(&all, target, |a, b| meet(target, thing, &a.of, &b.of));
    }
}

/// Calls `meet` for each claim and the first earlier claim of another service that may be on the
/// same node and is not kept apart. Earlier claims are indexed by the labels that they require, so
/// a thousand services on separate nodes need only a thousand look-ups.
fn pairs<'m, T>(
    claims: &[&Claim<'m, T>],
    target: Target,
    mut meet: impl FnMut(&Claim<'m, T>, &Claim<'m, T>),
) {
    // Claims by the keys of the required labels, then by their values.
    let mut seen: BTreeMap<Vec<&str>, BTreeMap<Demands<'_>, Vec<usize>>> = BTreeMap::new();
    for (i, b) in claims.iter().enumerate().filter(|(_, c)| c.placement.has(target)) {
        let mut own = demands(b, target);
        own.sort();
        let keys: Vec<&str> = own.iter().map(|(k, _)| *k).collect();
        let clash =
            // Two claims of a directory conflict despite `apart_from`: it can be waived or removed
            // later, and the data stays on the node.
            |a: &Claim<'_, T>| {
                let excused = b.path.is_empty() && a.placement.apart(b.placement);
                a.placement.name != b.placement.name && !excused && may_meet(a, b, target)
            };
        let at = |found: &Vec<usize>| found.iter().copied().find(|a| clash(claims[*a]));
        let first = seen.iter().find_map(|(theirs, values)| {
            if *theirs == keys && own.iter().all(|(_, v)| v.is_some()) {
                // If the keys are equal, two claims can meet only with equal values or where a
                // value is not fixed.
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

/// The labels that a node must have, each with its value if that is fixed.
type Demands<'m> = Vec<(&'m str, Option<String>)>;

/// Returns the directories that contain `path`, the outermost first.
pub fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(i, _)| &path[..i]).filter(|p| !p.is_empty())
}

/// Returns the ports of the node that a service uses, on each of its targets.
fn host_ports<'m>(service: &Service, w: &'m Workload) -> Vec<(Target, Socket, At<'m>)> {
    let mut all = Vec::new();
    for target in Target::ALL.into_iter().filter(|t| service.has(*t)) {
        all.extend(ports_on(service, w, target).into_iter().map(|(port, at)| (target, port, at)));
    }
    all
}

fn ports_on<'m>(service: &Service, w: &'m Workload, target: Target) -> Vec<(Socket, At<'m>)> {
    let own = |port: &'m Port| (port.socket, At::Port(&port.name));
    let all = || w.ports.iter().map(own);
    let helpers = || {
        let of = |h: &'m Helper| h.ports.iter().map(|port| (port.socket, At::PortOf(&h.name, &port.name)));
        w.helpers.iter().flat_map(of)
    };
    match target {
        // `-p` publishes every port of a unit.
        Target::Fleet => all().chain(helpers()).collect(),
        Target::Swarm if !w.node_network => match service.targets.swarm.as_ref().and_then(|s| s.lock) {
            Some(lock) => vec![(Socket::tcp(lock), At::Lock)],
            None => lock(&w.ports).map(own).into_iter().collect(),
        },
        Target::Kubernetes | Target::Swarm if w.node_network => all().chain(helpers()).collect(),
        Target::Kubernetes | Target::Swarm => Vec::new(),
    }
}

fn on_path(a: &Claim<'_, Told<'_>>, b: &Claim<'_, Told<'_>>, out: &mut Vec<Diagnostic>) {
    let ((one, at_one), (other, at_other)) = (a.of, b.of);
    let message = if a.path == b.path {
        format!("{} and {} both use the directory {} of a node", one.name, other.name, a.path)
    } else {
        format!("{} uses the directory {}, which lies inside {} of {}", other.name, b.path, a.path, one.name)
    };
    out.push(
        Diagnostic::error(Code::Neighbour, other.place(&at_other.route()), message)
            .related(one.place(&at_one.route()), format!("used by {}", one.name))
            .why("if both run on one node, two programs write to one directory")
            .advice("give each service its own directory"),
    );
}

/// Returns the labels that the node of a member must have, with their values where these are fixed.
fn demands<'m, T>(c: &Claim<'m, T>, target: Target) -> Demands<'m> {
    // Swarm ignores case in values (swarmkit `manager/constraint/constraint.go`).
    let as_read = |v: &String| if target == Target::Swarm { v.to_ascii_lowercase() } else { v.clone() };
    match &c.placement.nodes {
        Nodes::On(on) => on.iter().map(|(k, v)| (k.as_str(), Some(as_read(v)))).collect(),
        Nodes::Pinned(labels) => {
            let label = labels[target as usize].as_deref();
            label.map(|label| (label, c.id.map(|id| id.to_string()))).into_iter().collect()
        }
    }
}

/// Returns whether one node can have the labels that both claims require: a label has one value on
/// a node.
fn may_meet<T>(a: &Claim<'_, T>, b: &Claim<'_, T>, target: Target) -> bool {
    let theirs = demands(b, target);
    demands(a, target).iter().all(|(key, value)| {
        theirs.iter().filter(|(k, _)| k == key).all(|(_, other)| match (value, other) {
            (Some(x), Some(y)) => x == y,
            (Some(x), None) => ids_hold(b, x),
            (None, Some(y)) => ids_hold(a, y),
            (None, None) => {
                let (x, y) = (&a.placement.ids, &b.placement.ids);
                x.start < y.end && y.start < x.end
            }
        })
    })
}

/// Returns whether `value` is the id of a member of `c`.
fn ids_hold<T>(c: &Claim<'_, T>, value: &str) -> bool {
    value.parse::<u32>().is_ok_and(|id| c.placement.ids.contains(&id))
}
