//! Finds names that are too long, or that two services of one namespace would share.
//!
//! A service name has at most 52 characters, a revision 20, a data directory or helper 30, and an
//! id seven digits. With these limits all other names fit (a StatefulSet name with a hash into a
//! label of 63, pods and Services into 63, claims, classes and volumes into 253), except the name
//! of a DaemonSet.

use super::{naming, network};
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Body, Data, Model, Port, Service, Workload};
use crate::plan::context::{Context, key};
use crate::route;
use crate::spec::source::Route;
use crate::target::Target;

/// The longest name of a DaemonSet. The API server cuts the prefix of its pod names at 58
/// characters, the last of which is a dash (kubernetes
/// `staging/src/k8s.io/apiserver/pkg/storage/names`).
const MAX_DAEMON_SET: usize = 57;

/// Checks the names of `group`, the specs of one service.
pub fn check(context: &mut Context<'_>, group: &[&Service]) {
    for service in group {
        if let Some(w) = service.workload() {
            if w.per_node() {
                daemon_set(context, service);
            }
            containers(context, service, w);
        }
    }
}

/// The kinds of names that must be unique in a namespace.
#[derive(Hash)]
enum Kind {
    Service,
    DaemonSet,
    Claims,
}

/// Calls `see` with a hash of each name that `service` uses in its namespace.
pub fn names(service: &Service, mut see: impl FnMut(u64)) {
    let Some(settings) = &service.targets.kubernetes else { return };
    let mut take = |kind, name: &str| see(key((Target::Kubernetes, &settings.namespace, kind, name)));
    take(Kind::Service, &service.name);
    derived(service).iter().for_each(|name| take(Kind::Service, name));
    match service.workload() {
        Some(w) if w.per_node() => take(Kind::DaemonSet, &service.full_name()),
        Some(w) => w.data.iter().for_each(|data| take(Kind::Claims, &claim_stem(data, service))),
        None => {}
    }
}

/// Reports names that two services in `batch` use in one namespace.
pub fn clashes(model: &Model, batch: &[usize], faults: &mut Vec<Diagnostic>) {
    for group in model.groups(batch) {
        let group: Vec<&Service> = group.into_iter().filter(|s| s.has(Target::Kubernetes)).collect();
        let Some(first) = group.first() else { continue };
        derived_services(model, first, faults);
        for service in group {
            match service.workload() {
                Some(w) if w.per_node() => daemon_sets(model, service, faults),
                Some(w) => claims(model, service, w, faults),
                None => {}
            }
        }
    }
}

/// Returns the specs of the service `name` in the namespace of `service`.
fn namesakes<'m>(model: &'m Model, service: &Service, name: &'m str) -> impl Iterator<Item = &'m Service> {
    let namespace = |s: &Service| s.targets.kubernetes.as_ref().map(|k| k.namespace.clone());
    let wanted = namespace(service);
    model.named(name).filter(move |s| wanted.is_some() && namespace(s) == wanted)
}

/// Returns every split of `joined` at a dash into two names.
fn splits(joined: &str) -> impl Iterator<Item = (&str, &str)> {
    joined.match_indices('-').map(|(i, _)| (&joined[..i], &joined[i + 1..]))
}

fn clash((service, route): (&Service, &Route), other: (&Service, &Route), what: &str) -> Diagnostic {
    Diagnostic::error(Code::NameClash, service.key(route), format!("two services would both create {what}"))
        .related(other.0.key(other.1), "the other")
        .advice("give one of them another name or another namespace")
}

/// Returns the names of the additional Services: `x-client` and, for external members, `x-0`.
fn derived(service: &Service) -> Vec<String> {
    match &service.body {
        Body::Workload(w) if !network::has_clients(w) => Vec::new(),
        Body::Workload(_) => vec![naming::client(&service.name)],
        Body::External(e) => {
            network::named_members(e).map(|(id, _)| format!("{}-{id}", service.name)).collect()
        }
    }
}

/// Reports additional Services with the name of another service.
fn derived_services(model: &Model, service: &Service, faults: &mut Vec<Diagnostic>) {
    let route = route!["service"];
    for name in derived(service) {
        if let Some(other) = namesakes(model, service, &name).next() {
            faults.push(clash((other, &route), (service, &route), &format!("the Service {name}")));
        }
    }
}

/// Returns the route of the last part of a DaemonSet's name.
fn last_of_name(service: &Service) -> Route {
    if service.revision.is_some() { route!["revision"] } else { route!["service"] }
}

fn daemon_set(context: &mut Context<'_>, service: &Service) {
    let full = service.full_name();
    if full.len() > MAX_DAEMON_SET {
        let message = format!(
            "the name of the DaemonSet {full} would have {} characters, but at most {MAX_DAEMON_SET} are allowed",
            full.len()
        );
        let place = service.place(&last_of_name(service));
        context.fault(Diagnostic::error(Code::NameTooLong, place, message));
    }
}

/// Reports equal names of DaemonSets: `es` in revision `a-b`, `es-a` in revision `b`, and `es-a-b`
/// all make the name `es-a-b`.
fn daemon_sets(model: &Model, service: &Service, faults: &mut Vec<Diagnostic>) {
    let (full, route) = (service.full_name(), last_of_name(service));
    let names = splits(&full).map(|(name, _)| name).chain([full.as_str()]);
    for name in names.filter(|name| *name < service.name.as_str()) {
        for other in namesakes(model, service, name) {
            if other.full_name() == full && other.workload().is_some_and(Workload::per_node) {
                faults.push(clash((service, &route), (other, &route), &format!("the DaemonSet {full}")));
            }
        }
    }
}

/// Returns the common start of the names of the claims.
fn claim_stem(data: &Data, service: &Service) -> String {
    format!("{}-{}", data.name, service.name)
}

/// Reports equal names of claims: `a-b-c-0` is the claim of data `a` of `b-c`, and of data `a-b` of
/// `c`.
fn claims(model: &Model, service: &Service, w: &Workload, faults: &mut Vec<Diagnostic>) {
    for data in &w.data {
        let claim = naming::claim(&data.name, &service.name, w.ids().start);
        let joined = claim_stem(data, service);
        for (other_data, name) in splits(&joined).filter(|(_, name)| *name < service.name.as_str()) {
            for other in namesakes(model, service, name) {
                let Some(o) = other.workload().filter(|o| !o.per_node()) else { continue };
                let (a, b) = (w.ids(), o.ids());
                let meet = a.start < b.end && b.start < a.end;
                if let Some(theirs) = o.data.iter().find(|d| meet && d.name == other_data) {
                    let what = format!("the same claims, such as {claim}");
                    faults.push(clash((service, &data.route), (other, &theirs.route), &what));
                }
            }
        }
    }
}

/// Checks that the containers of one pod have different names, and that their ports have too.
fn containers(context: &mut Context<'_>, service: &Service, w: &Workload) {
    let mut ports = std::collections::BTreeMap::new();
    for helper in &w.helpers {
        let at = route!["helpers", helper.name];
        if helper.name == service.name {
            context.fault(Diagnostic::error(
                Code::NameClash,
                service.key(&at),
                format!("the container of the member already has the name `{}`", helper.name),
            ));
        }
        for Port { name, .. } in &helper.ports {
            let port = at.at("ports").at(name);
            if let Some(first) = ports.insert(name, port.clone()) {
                let message = format!("two ports of one pod have the name `{name}`");
                context.fault(
                    Diagnostic::error(Code::NameClash, service.key(&port), message)
                        .related(service.key(&first), "the other"),
                );
            }
        }
    }
}
