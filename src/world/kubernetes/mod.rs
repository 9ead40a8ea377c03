//! Kubernetes manifests, whoever wrote them.
//!
//! What a field means, and what holds when it is missing, is the API's own reference. Names are
//! unique in a namespace, which is `default` where neither the manifest nor a kustomization gives one.

mod budgets;
mod kustomize;
mod lints;
mod members;
mod mounts;
mod object;
mod peers;
mod pod;
mod quiet;
mod rules;
mod selector;
mod storage;
mod workload;

use super::{At, File, Unread, World};
use crate::finding::{Finding, Level};
use crate::images::Images;

/// What the manifests say.
pub fn read(files: &[File<'_>], images: &Images) -> World {
    let mut found = Found::default();
    let documents = object::documents(files, &mut found);
    let objects = object::objects(&documents, &mut found);
    let reads = workload::workloads(&objects, images, &mut found);
    let peers = peers::Peers::new(&reads);
    rules::judge(&peers, &mut found);
    budgets::judge(&objects, &peers, &mut found);
    lints::judge(&objects, &peers, &mut found);
    if peers.tired() {
        let what = "more workloads than are compared with each other: some rules are not judged";
        let first = objects.first().map(object::Object::here);
        found.unread.extend(first.map(|at| Unread::assumed(at, what)));
    }
    let Found { unread, lost, findings } = found;
    World { workloads: reads.into_iter().map(|r| r.workload).collect(), unread, lost, findings }
}

/// What is said besides the workloads.
#[derive(Default)]
struct Found {
    unread: Vec<Unread>,
    lost: Vec<String>,
    findings: Vec<Finding>,
}

impl Found {
    fn unread(&mut self, at: At, what: String) {
        self.unread.push(Unread::assumed(at, what));
    }

    fn not_searched(&mut self, at: At, what: String, fix: impl Into<String>) {
        self.unread.push(Unread::not_searched(at, what, fix));
    }

    fn violation(&mut self, code: &str, message: String, at: Vec<At>, fix: String) {
        self.finding(Level::Violation, code, message, at, fix);
    }

    fn note(&mut self, code: &str, message: String, at: Vec<At>, fix: String) {
        self.finding(Level::Note, code, message, at, fix);
    }

    fn finding(&mut self, level: Level, code: &str, message: String, at: Vec<At>, fix: String) {
        self.findings.push(Finding { code: code.to_owned(), level, message, at, story: Vec::new(), fix });
    }
}
