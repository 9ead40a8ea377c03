//! Reads Kubernetes manifests from any source.
//!
//! Meaning and default of a field come from the reference of the Kubernetes API. Names are unique in a
//! namespace. It is `default` if neither the manifest nor a kustomization sets it.

mod budgets;
mod claim;
mod class;
mod commands;
mod drivers;
mod ephemeral;
mod fields;
mod forming;
mod inline;
mod kustomize;
mod lints;
mod lives;
mod members;
mod mounts;
mod never;
mod object;
mod owner;
mod peers;
mod pod;
mod probes;
mod quantity;
mod quiet;
mod refers;
mod refusals;
mod reserved;
mod rolling;
mod rules;
mod scale;
mod seeds;
mod selector;
mod services;
mod starts;
mod storage;
mod workload;

use super::found::Found;
use super::pod_security::Forbidden;
use super::{File, World};
use crate::images::Images;

/// Reads the manifests. `quiet` are further kinds that start no pods with data.
pub fn read(files: &[File<'_>], images: &Images, quiet: &[String]) -> World {
    let mut found = Found::default();
    let documents = object::documents(files, &mut found);
    let mut objects = object::objects(&documents, quiet, &mut found);
    kustomize::apply(files, &mut objects, &mut found);
    object::twice(&objects, &mut found);
    fields::judge(&objects, &mut found);
    let reads = workload::workloads(&objects, images, &mut found);
    let peers = peers::Peers::new(&reads);
    rules::judge(&peers, &mut found);
    starts::judge(&peers, &mut found);
    budgets::judge(&objects, &peers, &mut found);
    services::judge(&objects, &peers, &mut found);
    probes::judge(&peers, images, &mut found);
    never::judge(&objects, &peers, images, &mut found);
    commands::judge(&peers, images, &mut found);
    seeds::judge(&objects, &peers, &mut found);
    quantity::judge(&objects, &peers, &mut found);
    owner::judge(&peers, images, &mut found);
    refusals::judge(&peers, &mut found);
    forming::judge(&objects, &peers, &mut found);
    lints::judge(&objects, &peers, &mut found);
    refers::judge(&documents, &objects, &peers, &mut found);
    if peers.tired() {
        let what = "too many workloads to compare all with each other: some rules were not checked";
        let first = objects.first().map(object::Object::here);
        first.into_iter().for_each(|at| found.unread(at, what));
    }
    let volumes = storage::volumes(&objects);
    let templates = objects.iter().filter_map(|o| Some((o.file.clone(), workload::template(o)?)));
    let forbidden = templates.map(|(file, template)| (file, Forbidden::of(template))).collect();
    World { volumes, forbidden, ..found.world(reads.into_iter().map(|r| r.workload).collect()) }
}
