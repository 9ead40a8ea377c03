//! The check that names are different: volumes, and the names by which tasks are found.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::raw;
use super::service::SwarmService;
use super::storage;
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::model::{Model, Service};
use crate::plan::context::{Origin, key};
use crate::target::Target;

/// The scope in which a name must be unique.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Scope {
    /// All volumes.
    Volumes,
    /// The services of one stack.
    Stack(String),
    /// The names on an overlay network.
    Network(String),
}

/// The owner of a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Owner<'m> {
    /// The index of the service.
    service: usize,
    from: Origin<'m>,
}

/// Calls `see` with a hash of each name that `service` uses on Swarm.
pub fn names(service: &Service, mut see: impl FnMut(u64)) {
    let all = SwarmService::of(service).into_iter().flat_map(taken);
    all.for_each(|(scope, name, _)| see(key((Target::Swarm, scope, name))));
}

/// Reports names that two specs in `batch` use on Swarm, once for each pair of places.
pub fn clashes(model: &Model, batch: &[usize], faults: &mut Vec<Diagnostic>) {
    let mut owners: BTreeMap<(Scope, String), Owner<'_>> = BTreeMap::new();
    let mut told = BTreeSet::new();
    for subject in batch.iter().filter_map(|i| SwarmService::of(model.service(*i))) {
        for (scope, name, from) in taken(subject) {
            let own = Owner { service: subject.service.index, from };
            match owners.entry((scope, name)) {
                Entry::Vacant(free) => {
                    free.insert(own);
                }
                Entry::Occupied(first) => {
                    if told.insert((*first.get(), own)) {
                        let (scope, name) = first.key();
                        let other = model.service(first.get().service);
                        let places = (from.place(subject.service), first.get().from.place(other));
                        faults.push(clash(scope, name, &other.name, places));
                    }
                }
            }
        }
    }
}

/// Returns the names that `subject` uses, without duplicates.
fn taken(subject: SwarmService<'_>) -> Vec<(Scope, String, Origin<'_>)> {
    let (service, w) = (subject.service, subject.workload);
    let own = subject.swarm.network.iter().filter(|_| !w.node_network);
    let own: Vec<Scope> = own.cloned().map(Scope::Network).collect();
    let raw: Vec<Scope> = raw::networks(subject).into_iter().map(Scope::Network).collect();
    let stack = || Scope::Stack(service.name.clone());
    let last = if service.revision.is_some() { Origin::Revision } else { Origin::Service };
    let mut all = Vec::new();
    for id in subject.ids() {
        let member = subject.name(id);
        for (name, (data, _)) in storage::places(subject, id).into_iter().zip(w.volumes()) {
            all.push((Scope::Volumes, name, Origin::Data(&data.route)));
        }
        for helper in &w.helpers {
            for scope in own.iter().cloned().chain([stack()]) {
                all.push((scope, format!("{member}-{}", helper.name), Origin::Helper(&helper.name)));
            }
        }
        for scope in own.iter().chain(&raw).cloned().chain([stack()]) {
            all.push((scope, member.clone(), last));
        }
    }
    all
}

fn clash(scope: &Scope, name: &str, other: &str, (place, first): (Place, Place)) -> Diagnostic {
    let (message, why) = match scope {
        Scope::Volumes => (
            format!("{other} also has a volume `{name}` on Swarm"),
            "the same name is the same volume, so two members would write to it",
        ),
        Scope::Stack(stack) => (
            format!("two services of the stack {stack} would have the name `{name}`"),
            "the second one deployed would replace the first",
        ),
        Scope::Network(network) => (
            format!("{other} also has the name `{name}` on the network {network} of Swarm"),
            "the name would resolve to the addresses of both",
        ),
    };
    Diagnostic::error(Code::NameClash, place, message)
        .related(first, "the other")
        .why(why)
        .advice("rename one of them")
}
