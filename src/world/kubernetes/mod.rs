//! Kubernetes manifests, whoever wrote them.
//!
//! What a field means, and what holds when it is missing, is the API's own reference. Names are
//! unique in a namespace, which is `default` where neither the manifest nor a kustomization gives one.

mod budgets;
mod claim;
mod class;
mod drivers;
mod ephemeral;
mod fields;
mod inline;
mod kustomize;
mod lints;
mod lives;
mod members;
mod mounts;
mod object;
mod peers;
mod pod;
mod probes;
mod quiet;
mod reserved;
mod rolling;
mod rules;
mod scale;
mod selector;
mod services;
mod starts;
mod storage;
mod workload;

use super::found::Found;
use super::{File, World};
use crate::images::Images;

/// What the manifests say.
pub fn read(files: &[File<'_>], images: &Images) -> World {
    let mut found = Found::default();
    let documents = object::documents(files, &mut found);
    let mut objects = object::objects(&documents, &mut found);
    kustomize::apply(&mut objects, &mut found);
    object::twice(&objects, &mut found);
    fields::judge(&objects, &mut found);
    let reads = workload::workloads(&objects, images, &mut found);
    let peers = peers::Peers::new(&reads);
    rules::judge(&peers, &mut found);
    starts::judge(&peers, &mut found);
    budgets::judge(&objects, &peers, &mut found);
    services::judge(&objects, &peers, &mut found);
    probes::judge(&peers, &mut found);
    lints::judge(&objects, &peers, &mut found);
    if peers.tired() {
        let what = "more workloads than are compared with each other: some rules are not judged";
        let first = objects.first().map(object::Object::here);
        first.into_iter().for_each(|at| found.unread(at, what));
    }
    let volumes = storage::volumes(&objects);
    World { volumes, ..found.world(reads.into_iter().map(|r| r.workload).collect()) }
}
