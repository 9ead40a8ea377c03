//! Checks across several specs, and of values against the blocks of their spec.

use std::collections::BTreeMap;
use std::ops::Range;

use super::values::unknown_name;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Kubernetes, Members, Model, Service, Workload};
use crate::route;
use crate::spec::source::Route;

/// Checks the services `batch` of `model` against one another and against the services that they
/// name.
pub fn check(model: &Model, batch: &[usize], out: &mut Vec<Diagnostic>) {
    for group in model.groups(batch) {
        revisions(&group, out);
    }
    let workloads = || batch.iter().map(|i| model.service(*i)).filter_map(|s| Some((s, s.workload()?)));
    for (service, w) in workloads() {
        peers(model, service, w, out);
        apart(model, service, w, out);
    }
    ids(workloads(), out);
}

/// Checks that the services that values name exist.
fn peers(model: &Model, service: &Service, w: &Workload, out: &mut Vec<Diagnostic>) {
    let unknown = |name: &str| model.find(name).is_none() && !model.is_broken(name);
    for (name, route) in w.peers.iter().filter(|(name, _)| unknown(name)) {
        let line = format!("compile its spec together with {}", service.file);
        let (code, place) = (Code::PeerUnknown, service.place(route));
        out.push(unknown_name(code, place, "service", name, model.near(name), line));
    }
}

fn apart(model: &Model, service: &Service, w: &Workload, out: &mut Vec<Diagnostic>) {
    for (i, other) in w.apart_from.iter().enumerate() {
        let place = service.place(&route!["apart_from", i]);
        let Some(found) = model.find(other) else {
            if !model.is_broken(other) {
                let d = Diagnostic::error(Code::ApartUnknown, place, format!("no service `{other}`"));
                out.push(match model.near(other) {
                    Some(near) => d.fix("did you mean", near),
                    None => d.advice(format!("compile its spec together with {}", service.file)),
                });
            }
            continue;
        };
        if found.workload().is_none() {
            let d = Diagnostic::error(
                Code::ApartUnknown,
                place,
                format!("`{other}` is external, so it runs on no node"),
            );
            out.push(d.related(found.key(&route!["external"]), "external here"));
            continue;
        }
        let back = found.workload().is_some_and(|o| o.apart_from.contains(&service.name));
        if !back && !model.is_broken(other) {
            let theirs = found.key(&route!["service"]);
            out.push(
                Diagnostic::error(
                    Code::ApartOneSided,
                    place,
                    format!("`{other}` does not name `{}` in its `apart_from`", service.name),
                )
                .related(theirs, "its spec")
                .why("on Swarm both stacks must change, and a reader of either spec must see the rule")
                .fix(format!("add to {}", found.file), format!("apart_from: [{}]", service.name)),
            );
        }
    }
}

/// Checks that the revisions of one service agree on what they share: its name, its nodes and its
/// client Service.
fn revisions(group: &[&Service], out: &mut Vec<Diagnostic>) {
    let Some((first, rest)) = group.split_first() else { return };
    for (i, service) in rest.iter().enumerate() {
        let same = group[..=i].iter().find(|s| s.revision == service.revision);
        if let Some(same) = same {
            let what = match &service.revision {
                Some(revision) => format!("two specs describe revision `{revision}` of `{}`", service.name),
                None => format!("two specs describe the service `{}`", service.name),
            };
            let route = if service.revision.is_some() { route!["revision"] } else { route!["service"] };
            out.push(
                Diagnostic::error(Code::ServiceTwice, service.place(&route), what)
                    .related(same.place(&route), "the other spec"),
            );
            continue;
        }
        let differ = |route: Route, what: &str| {
            Diagnostic::error(
                Code::RevisionsDiffer,
                service.key(&route),
                format!("the revisions of `{}` differ in {what}", service.name),
            )
            .related(first.key(&route), "the other revision")
        };
        if service.revision.is_none() || first.revision.is_none() {
            out.push(differ(route!["revision"], "`revision`: only one of them has it"));
            continue;
        }
        let (Some(a), Some(b)) = (first.workload(), service.workload()) else {
            out.push(differ(route!["external"], "`external`: only one of them has it"));
            continue;
        };
        if let (
            Members::PerNode { on: x, known: p, dedicated: d },
            Members::PerNode { on: y, known: q, dedicated: e },
        ) = (&a.members, &b.members)
            && (x, p, d) != (y, q, e)
        {
            out.push(differ(route!["members"], "their nodes"));
        }
        if a.ports != b.ports {
            out.push(differ(route!["exclusive", "ports"], "their ports"));
        }
        if a.node_network != b.node_network {
            out.push(differ(route!["exclusive", "address"], "their network"));
        }
        let apart = |w: &Workload| w.apart_from.iter().cloned().collect::<std::collections::BTreeSet<_>>();
        if apart(a) != apart(b) {
            out.push(differ(route!["apart_from"], "`apart_from`"));
        }
        let (s, t) = (&first.targets, &service.targets);
        let shared = |k: &Kubernetes| {
            let policy = (k.network_policy, k.clients.clone());
            (k.version, k.namespace.clone(), k.service.clone(), k.annotations.service.clone(), policy)
        };
        if s.kubernetes.as_ref().map(shared) != t.kubernetes.as_ref().map(shared) {
            out.push(differ(route!["targets", "kubernetes"], "their settings for Kubernetes"));
        }
        for (target, differs) in [
            ("fleet", s.fleet.is_some() != t.fleet.is_some()),
            ("swarm", s.swarm.is_some() != t.swarm.is_some()),
        ] {
            if differs {
                out.push(differ(route!["targets", target], "their targets"));
            }
        }
    }
}

/// Checks that services of one id space have no id in common.
fn ids<'m>(workloads: impl Iterator<Item = (&'m Service, &'m Workload)>, out: &mut Vec<Diagnostic>) {
    let numbered = workloads.filter(|(_, w)| !w.per_node());
    let claims = numbered.filter_map(|(service, w)| Some((w.id.as_deref()?, w.ids(), service)));
    on_ids(claims, |space, (ids, other), (own, service)| {
        out.push(
            Diagnostic::error(
                Code::IdClash,
                service.place(&route!["exclusive", "id"]),
                format!("{1} and {2} both have the id {0} of `{space}`", own.start, other.name, service.name),
            )
            .related(other.place(&route!["exclusive", "id"]), format!("ids {} to {}", ids.start, ids.end - 1))
            .fix(format!("number the members of {} from", service.name), format!("first: {}", ids.end)),
        );
    });
}

/// Calls `meet` for each claim whose ids overlap with an earlier claim in the same id space, where
/// earlier means a lower first id. `meet` gets the earlier claim with the highest id, and the
/// claim. `claims` come in the order of the services.
pub fn on_ids<'s, T>(
    claims: impl Iterator<Item = (&'s str, Range<u32>, T)>,
    mut meet: impl FnMut(&str, &(Range<u32>, T), &(Range<u32>, T)),
) {
    let mut spaces: BTreeMap<&str, Vec<(Range<u32>, T)>> = BTreeMap::new();
    for (space, ids, of) in claims {
        spaces.entry(space).or_default().push((ids, of));
    }
    for (space, mut all) in spaces {
        all.sort_by_key(|(ids, _)| (ids.start, ids.end));
        let Some((mut furthest, rest)) = all.split_first() else { continue };
        for own in rest {
            if own.0.start < furthest.0.end {
                meet(space, furthest, own);
            }
            if own.0.end > furthest.0.end {
                furthest = own;
            }
        }
    }
}
