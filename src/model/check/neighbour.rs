//! Two services that claim one path or one port of a node, on nodes that may be the same.
//!
//! Judged over the specs given; it changes no byte that is emitted. Claims are looked up by
//! what is claimed, so the work grows with the claims, not with pairs of services.

use std::collections::BTreeMap;

use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Members, Model, Pin, Service, Workload};
use crate::route;
use crate::source::Route;
use crate::target::Target;
use crate::value;

/// One thing of a node that a service claims.
struct Claim<'m> {
    service: &'m Service,
    workload: &'m Workload,
    /// The member, for pinned ones.
    id: Option<u32>,
    route: Route,
}

/// Reports each pair of services that meets, once per claim.
pub fn check(model: &Model, out: &mut Vec<Diagnostic>) {
    let mut paths: BTreeMap<String, Vec<Claim<'_>>> = BTreeMap::new();
    let mut ports: BTreeMap<(Target, u16), Vec<Claim<'_>>> = BTreeMap::new();
    for service in model.services() {
        let Some(w) = service.workload() else { continue };
        for (path, claim) in host_paths(service, w) {
            paths.entry(path).or_default().push(claim);
        }
        for target in Target::ALL.into_iter().filter(|t| service.has(*t)) {
            for (port, route) in host_ports(service, w, target) {
                ports.entry((target, port)).or_default().push(Claim {
                    service,
                    workload: w,
                    id: None,
                    route,
                });
            }
        }
    }
    for (path, claims) in &paths {
        pairs(claims, |a, b| meet_on_path(a, b, path, path, out));
        // A directory inside a claimed one belongs to both.
        for outer in ancestors(path) {
            for (inner, above) in
                claims.iter().flat_map(|c| paths.get(outer).into_iter().flatten().map(move |o| (c, o)))
            {
                meet_on_path(above, inner, outer, path, out);
            }
        }
    }
    let mut told = std::collections::BTreeSet::new();
    for ((target, port), claims) in &ports {
        pairs(claims, |a, b| {
            let key = (a.service.name.clone(), b.service.name.clone(), *port);
            if a.service.name != b.service.name
                && !apart(a, b)
                && may_meet(a, b, Some(*target))
                && told.insert(key)
            {
                out.push(
                    Diagnostic::error(
                        Code::Neighbour,
                        b.service.place(&b.route),
                        format!(
                            "{} and {} both claim port {port} of a node on {target}",
                            a.service.name, b.service.name
                        ),
                    )
                    .related(a.service.place(&a.route), format!("claimed by {}", a.service.name))
                    .why("on a node that both may use, the second one never starts")
                    .mend("keep them apart, in both specs", format!("apart_from: [{}]", a.service.name))
                    .advice("or give one of them another port, or nodes of its own"),
                );
            }
        });
    }
}

/// Calls `meet` for claims of different services; beyond a few of one claim only neighbours in
/// order are looked at, so that a thousand services of one port stay a thousand pairs.
fn pairs<'c, 'm>(claims: &'c [Claim<'m>], mut meet: impl FnMut(&'c Claim<'m>, &'c Claim<'m>)) {
    const ALL: usize = 16;
    for (i, b) in claims.iter().enumerate() {
        for a in &claims[i.saturating_sub(ALL)..i] {
            meet(a, b);
        }
    }
}

fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(i, _)| &path[..i]).filter(|p| !p.is_empty())
}

/// Host directories with the ids in them.
fn host_paths<'m>(service: &'m Service, w: &'m Workload) -> Vec<(String, Claim<'m>)> {
    let mut all = Vec::new();
    for data in &w.data {
        let Some(host) = data.host() else { continue };
        let claim = |id| Claim { service, workload: w, id, route: host.route.clone() };
        if w.per_node() {
            all.push((host.text.clone(), claim(None)));
            continue;
        }
        for id in w.ids() {
            if let Some(path) = value::host_path(&host.text, &service.name, id) {
                all.push((path, claim(Some(id))));
            }
        }
    }
    all
}

/// Ports that a service takes of the node itself on `target`.
fn host_ports(service: &Service, w: &Workload, target: Target) -> Vec<(u16, Route)> {
    let all = || w.ports.iter().map(|(name, port)| (*port, route!["exclusive", "ports", name]));
    let helpers = || {
        w.helpers.iter().flat_map(|h| {
            h.ports.iter().map(move |(name, port)| (*port, route!["helpers", h.name, "ports", name]))
        })
    };
    match target {
        // `-p` publishes every port of a unit.
        Target::Fleet => all().chain(helpers()).collect(),
        Target::Swarm if !w.node_network => match service.targets.swarm.as_ref().and_then(|s| s.lock) {
            Some(lock) => vec![(lock, route!["targets", "swarm", "lock"])],
            None => all().take(1).collect(),
        },
        _ if w.node_network => all().chain(helpers()).collect(),
        _ => Vec::new(),
    }
}

fn meet_on_path(a: &Claim<'_>, b: &Claim<'_>, outer: &str, inner: &str, out: &mut Vec<Diagnostic>) {
    if a.service.name == b.service.name {
        return;
    }
    let target =
        Target::ALL.into_iter().find(|t| a.service.has(*t) && b.service.has(*t) && may_meet(a, b, Some(*t)));
    if target.is_none() || apart(a, b) {
        return;
    }
    let message = if outer == inner {
        format!("{} and {} both claim {outer} of a node", a.service.name, b.service.name)
    } else {
        format!("{} claims {inner}, which lies in {outer} of {}", b.service.name, a.service.name)
    };
    out.push(
        Diagnostic::error(Code::Neighbour, b.service.place(&b.route), message)
            .related(a.service.place(&a.route), format!("claimed by {}", a.service.name))
            .why("on a node that both may use, two programs write one directory")
            .advice("give each service a directory of its own"),
    );
}

fn apart(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    a.workload.apart_from.contains(&b.service.name) && b.workload.apart_from.contains(&a.service.name)
}

/// The labels a member's node must carry, as far as they are fixed.
fn demands<'m>(c: &Claim<'m>, target: Option<Target>) -> Vec<(&'m str, Option<String>)> {
    match &c.workload.members {
        Members::PerNode { on, .. } => on.iter().map(|(k, v)| (k.as_str(), Some(v.clone()))).collect(),
        Members::Counted { pin, .. } => {
            let own: Option<&Pin> = match target {
                Some(Target::Fleet) => c.service.targets.fleet.as_ref().and_then(|f| f.pin.as_ref()),
                Some(Target::Swarm) => c.service.targets.swarm.as_ref().and_then(|s| s.pin.as_ref()),
                _ => None,
            };
            pin.as_ref()
                .or(own)
                .map(|p| (p.label.as_str(), c.id.map(|id| id.to_string())))
                .into_iter()
                .collect()
        }
    }
}

/// Whether one node may carry what both demand: a label has one value on a node.
fn may_meet(a: &Claim<'_>, b: &Claim<'_>, target: Option<Target>) -> bool {
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
