//! The proof that no two things have one name: volumes, and the names by which tasks are found.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::hatch;
use super::storage;
use super::subject::Subject;
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::model::Model;
use crate::route;

/// Where a name means one thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    /// Volumes, wherever they are.
    Volumes,
    /// The services of one stack.
    Stack(String),
    /// The names on an overlay network.
    Network(String),
}

/// Who has a name.
struct Owner<'m> {
    service: &'m str,
    place: Place,
}

/// Reports names that two specs take, once for each two places.
pub fn clashes(model: &Model, faults: &mut Vec<Diagnostic>) {
    let mut owners: BTreeMap<(Scope, String), Owner<'_>> = BTreeMap::new();
    let mut told = BTreeSet::new();
    for subject in model.services().filter_map(Subject::of) {
        for (scope, name, place) in taken(subject) {
            let own = Owner { service: &subject.service.name, place };
            match owners.entry((scope, name)) {
                Entry::Vacant(free) => {
                    free.insert(own);
                }
                Entry::Occupied(first) => {
                    if told.insert((first.get().place, place)) {
                        let (scope, name) = first.key();
                        faults.push(clash(scope, name, &own, first.get()));
                    }
                }
            }
        }
    }
}

/// The names that `subject` takes; none twice.
fn taken(subject: Subject<'_>) -> Vec<(Scope, String, Place)> {
    let (service, w) = (subject.service, subject.workload);
    let own = subject.swarm.network.iter().filter(|_| !w.node_network);
    let own: Vec<Scope> = own.cloned().map(Scope::Network).collect();
    let raw: Vec<Scope> = hatch::networks(subject).into_iter().map(Scope::Network).collect();
    let stack = || Scope::Stack(service.name.clone());
    let route = if service.revision.is_some() { route!["revision"] } else { route!["service"] };
    let place = service.place(&route);
    let volumes: Vec<Place> = w.volumes().map(|(data, _)| service.key(&data.route)).collect();
    let helpers: Vec<Place> = w.helpers.iter().map(|h| service.key(&route!["helpers", h.name])).collect();
    let mut all = Vec::new();
    for id in subject.ids() {
        let member = subject.name(id);
        for (name, place) in storage::places(subject, id).into_iter().zip(&volumes) {
            all.push((Scope::Volumes, name, *place));
        }
        for (helper, place) in w.helpers.iter().zip(&helpers) {
            for scope in own.iter().cloned().chain([stack()]) {
                all.push((scope, format!("{member}-{}", helper.name), *place));
            }
        }
        for scope in own.iter().chain(&raw).cloned().chain([stack()]) {
            all.push((scope, member.clone(), place));
        }
    }
    all
}

fn clash(scope: &Scope, name: &str, own: &Owner<'_>, first: &Owner<'_>) -> Diagnostic {
    let other = first.service;
    let (message, why) = match scope {
        Scope::Volumes => (
            format!("{other} has a volume `{name}` on Swarm, too"),
            "a volume of one name is one volume: two members would write it",
        ),
        Scope::Stack(stack) => (
            format!("two services of the stack {stack} would be `{name}`"),
            "the second one deployed would replace the first",
        ),
        Scope::Network(network) => (
            format!("{other} has the name `{name}` on the network {network} of Swarm, too"),
            "whoever asks for the name gets the addresses of both",
        ),
    };
    Diagnostic::error(Code::NameClash, own.place, message)
        .related(first.place, "the other")
        .why(why)
        .advice("rename one of them")
}
