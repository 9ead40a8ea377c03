//! A valid service: its workload, or names for what runs outside.

use std::sync::Arc;

use super::data::{Data, Volume};
use super::port::Port;
use super::targets::Targets;
use super::workload::Workload;
use crate::backend::Fences;
use crate::diag::Place;
use crate::gap::GapId;
use crate::input::Digest;
use crate::spec::source::{Route, Source};
use crate::target::Target;
use crate::value;

/// A valid spec.
#[derive(Debug)]
pub struct Service {
    /// The index among the services of the compile, in order of name and revision.
    pub index: usize,
    /// The tree of the spec, which gives the places for diagnostics.
    pub source: Arc<Source>,
    /// A digest of everything that determines the service, except the options: its text, its bases,
    /// and the files that they name.
    pub digest: Digest,
    /// The file name of the spec, without folders.
    pub file: String,
    /// The name: a DNS label of at most 52 characters.
    pub name: String,
    /// The revision; only on `per: node` services.
    pub revision: Option<String>,
    /// A workload, or an external service.
    pub body: Body,
    /// The orchestrators, with their settings.
    pub targets: Targets,
    /// The waivers, in order.
    pub accept: Vec<Accept>,
    /// The names of the changes whose data was moved.
    pub moved: Vec<String>,
    /// Additional labels.
    pub labels: Vec<(String, String)>,
}

impl Service {
    /// Returns the place of the value at `route`.
    pub fn place(&self, route: &Route) -> Place {
        self.source.place(route)
    }

    /// Returns the place of the last key of `route`.
    pub fn key(&self, route: &Route) -> Place {
        self.source.key(route)
    }

    /// Returns `service` or `service-revision`.
    pub fn full_name(&self) -> String {
        match &self.revision {
            Some(revision) => format!("{}-{revision}", self.name),
            None => self.name.clone(),
        }
    }

    /// Returns the workload, unless the service is external.
    pub fn workload(&self) -> Option<&Workload> {
        match &self.body {
            Body::Workload(w) => Some(w),
            Body::External(_) => None,
        }
    }

    /// Returns the host directories of the members, each with the id of the member (if it has one)
    /// and the route of the field.
    pub fn host_paths<'a>(&self, w: &'a Workload) -> Vec<(String, Option<u32>, &'a Route)> {
        let mut all = Vec::new();
        for host in w.data.iter().filter_map(Data::host) {
            if w.per_node() {
                all.push((host.text.clone(), None, &host.route));
                continue;
            }
            for id in w.ids() {
                let path = value::host_path(&host.text, &self.name, id);
                all.extend(path.map(|path| (path, Some(id), &host.route)));
            }
        }
        all
    }

    /// Returns the ports by name, of a workload or an external service.
    pub fn ports(&self) -> &[Port] {
        match &self.body {
            Body::Workload(w) => &w.ports,
            Body::External(e) => &e.ports,
        }
    }

    /// Returns the label of a node whose value is the revision that may run there.
    pub fn revision_label(&self) -> String {
        format!("{}-revision", self.name)
    }

    /// Returns whether the spec names `target`.
    pub fn has(&self, target: Target) -> bool {
        self.targets.has(target)
    }

    /// Returns how well the volumes on `target` exclude a second node when they are attached. The
    /// weakest volume decides: docker and the kubelet mount one volume after the other, so a volume
    /// without a lock is mounted twice before another volume refuses. `None` without volumes, or
    /// where a plugin is missing (the check of the spec reports that).
    pub fn fences(&self, target: Target) -> Option<Fences> {
        let csi = self.targets.swarm.as_ref().is_some_and(|s| s.csi);
        let of = |v: &Volume| match target {
            Target::Kubernetes => Some(v.backend.fences),
            Target::Swarm if csi => Some(v.backend.fences),
            Target::Fleet | Target::Swarm => v.backend.plugin.map(|p| p.fences),
        };
        let all: Option<Vec<Fences>> = self.workload()?.volumes().map(|(_, v)| of(v)).collect();
        let all = all.filter(|all| !all.is_empty())?;
        [Fences::Never, Fences::WhileConnected].into_iter().find(|f| all.contains(f)).or(Some(Fences::Always))
    }
}

/// The two kinds of service.
#[derive(Debug)]
pub enum Body {
    /// A service that berthc deploys.
    Workload(Box<Workload>),
    /// A service that already runs elsewhere; berthc emits only names for it.
    External(External),
}

/// A service that berthc does not deploy.
#[derive(Debug)]
pub struct External {
    /// A DNS name or an IP address; may be absent when `at` lists the members.
    pub address: Option<String>,
    /// The members: id and address.
    pub at: Vec<(u32, String)>,
    /// The ports by name.
    pub ports: Vec<Port>,
}

/// A waiver.
#[derive(Debug, Clone)]
pub struct Accept {
    /// The name of the gap.
    pub gap: GapId,
    /// The reason.
    pub because: String,
    /// The route `accept.N`.
    pub route: Route,
}
