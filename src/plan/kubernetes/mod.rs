//! Plans the Kubernetes objects: DaemonSets, StatefulSets and the objects that they need.

mod container;
mod fields;
mod files;
mod gaps;
mod gated;
mod labels;
mod limits;
pub(super) mod naming;
mod network;
mod objects;
mod pod;
mod policy;
mod raw;
mod secrets;
mod storage;
mod values;
mod workload;

use serde::Serialize;

use crate::emit::Page;
use crate::model::{Body, Kubernetes, Service, Workload};
use crate::plan::context::{Accepted, Context};
use crate::route;
use crate::target::Target;
pub use labels::REVISION;
pub use labels::query;
pub use limits::{clashes, names};
use objects::{All, Kustomization, One};
pub use policy::applies as has_policy;
use workload::Set;
pub use workload::by_hand;

/// The files of one service, in the order in which they are applied.
struct Folder {
    service: String,
    origin: Vec<String>,
    pages: Vec<Page>,
    listed: Vec<String>,
}

impl Folder {
    fn page<T: Serialize>(&mut self, file: String, template: &'static str, plan: &T) {
        self.pages.push(Page::new(format!("{}/kubernetes/{file}", self.service), template, plan));
        self.listed.push(file);
    }

    /// Adds a file with one object of one spec.
    fn one<T: Serialize>(&mut self, file: String, template: &'static str, service: &Service, one: T) {
        self.page(
            file,
            template,
            &One {
                origin: vec![service.file.clone()],
                accepted: Accepted::of(service, Target::Kubernetes),
                one,
            },
        );
    }

    /// Adds a file with objects of all specs, if there are any.
    fn all<T: Serialize>(&mut self, file: &str, template: &'static str, all: Vec<T>) {
        if !all.is_empty() {
            self.page(file.to_owned(), template, &All { origin: self.origin.clone(), all });
        }
    }
}

/// Plans the group of `context` and returns the files to render.
pub fn pages(context: &mut Context<'_>) -> Vec<Page> {
    let group = context.group;
    let Some(first) = group.first() else { return Vec::new() };
    let Some(settings) = &first.targets.kubernetes else { return Vec::new() };
    limits::check(context, group);
    let origin = group.iter().map(|s| s.file.clone()).collect();
    let mut folder = Folder { service: first.name.clone(), origin, pages: Vec::new(), listed: Vec::new() };
    match &first.body {
        Body::External(external) => {
            no_pod(context, first, settings);
            let outside = network::outside(context, first, external, settings);
            folder.all("service.yaml", "kubernetes/service.yaml.j2", outside.services);
            folder.all("endpointslice.yaml", "kubernetes/endpointslice.yaml.j2", outside.slices);
        }
        Body::Workload(w) => workloads(context, &mut folder, w, settings),
    }
    let resources = std::mem::take(&mut folder.listed);
    let kustomization =
        One { origin: folder.origin.clone(), accepted: Vec::new(), one: Kustomization { resources } };
    folder.page("kustomization.yaml".to_owned(), "kubernetes/kustomization.yaml.j2", &kustomization);
    folder.pages
}

/// Plans the objects that all revisions share, and then a workload for each revision.
fn workloads(context: &mut Context<'_>, folder: &mut Folder, shared: &Workload, settings: &Kubernetes) {
    let group = context.group;
    let (mut classes, mut persistent, mut sets) = (Vec::new(), Vec::new(), Vec::new());
    for service in group {
        let (Some(w), Some(k)) = (service.workload(), &service.targets.kubernetes) else { continue };
        let planned = workload::plan(context, service, w, k);
        policy::shut_out(context, service, w, k);
        if let Some(config) = planned.config {
            folder.one(named("configmap", service), "kubernetes/configmap.yaml.j2", service, config);
        }
        classes.extend(planned.classes);
        persistent.extend(planned.persistent);
        sets.push((*service, planned.set));
    }
    folder.all("storageclass.yaml", "kubernetes/storageclass.yaml.j2", classes);
    folder.all("persistentvolumes.yaml", "kubernetes/persistentvolumes.yaml.j2", persistent);
    let services = network::services(context, group, shared, settings);
    folder.all("service.yaml", "kubernetes/service.yaml.j2", services);
    let policy = policy::plan(group, shared, settings).into_iter().collect();
    folder.all("networkpolicy.yaml", "kubernetes/networkpolicy.yaml.j2", policy);
    for (service, set) in sets {
        match set {
            Set::Stateful(set) => {
                let budget = network::budget(service, settings);
                let file = "poddisruptionbudget.yaml".to_owned();
                folder.one(file, "kubernetes/poddisruptionbudget.yaml.j2", service, budget);
                folder.one(named("statefulset", service), "kubernetes/statefulset.yaml.j2", service, set);
            }
            Set::Daemon(set) => {
                folder.one(named("daemonset", service), "kubernetes/daemonset.yaml.j2", service, set);
            }
        }
    }
}

fn named(kind: &str, service: &Service) -> String {
    match &service.revision {
        Some(revision) => format!("{kind}-{revision}.yaml"),
        None => format!("{kind}.yaml"),
    }
}

/// Reports pod settings of an external service, which has no pod.
fn no_pod(context: &mut Context<'_>, service: &Service, settings: &Kubernetes) {
    let (root, notes) = (route!["targets", "kubernetes"], &settings.annotations);
    let at = |field: &str| root.at("annotations").at(field);
    for (field, route, absent) in [
        ("pod", root.at("pod"), settings.pod.is_empty()),
        ("container", root.at("container"), settings.container.is_empty()),
        ("pod", at("pod"), notes.pod.is_empty()),
        ("workload", at("workload"), notes.workload.is_empty()),
        ("service account", root.at("service_account"), settings.service_account.is_none()),
        ("client", root.at("clients"), settings.clients.is_none()),
        ("NetworkPolicy", root.at("network_policy"), settings.network_policy),
    ] {
        if !absent {
            let place = service.key(&route);
            let message = format!("an external service has no {field}, so nothing can be added to it");
            context.fault(crate::diag::Diagnostic::error(crate::code::Code::ExternalShape, place, message));
        }
    }
}
