//! A valid service. Only [`check`] builds a [`Model`]. It holds what the blocks of a spec mean, and
//! no decision of any target.

pub mod check;
mod data;
mod port;
mod program;
mod service;
mod targets;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use data::{Data, DataAt, Volume};
pub use port::{Port, Protocol, Socket, Users, lock};
pub use program::{File, Program, Resources, Secret, Template, User};
pub use service::{Accept, Body, External, Service};
pub use targets::{Annotations, Client, Fleet, Kubernetes, Swarm, Targets, UnitSection};
pub use workload::{Bootstrap, Check, Health, Helper, Members, Pin, Probe, Stop, Update, Workload};

/// The services of a batch, and the services that they name.
#[derive(Debug, Clone, Default)]
pub struct Model {
    all: BTreeMap<usize, Arc<Service>>,
    by_name: BTreeMap<String, Vec<usize>>,
    names: Arc<Names>,
}

/// Facts about services outside the model.
#[derive(Debug, Default)]
pub struct Names {
    /// The names of services whose own specs have errors.
    pub broken: BTreeSet<String>,
    /// For each name that no service has, the most similar name that exists.
    pub near: BTreeMap<String, String>,
}

impl Model {
    /// Makes a model of `services`. Their indices give the order.
    pub fn new(services: impl IntoIterator<Item = Arc<Service>>, names: Arc<Names>) -> Self {
        let all: BTreeMap<usize, Arc<Service>> =
            services.into_iter().map(|service| (service.index, service)).collect();
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, service) in &all {
            by_name.entry(service.name.clone()).or_default().push(*index);
        }
        Self { all, by_name, names }
    }

    /// Makes one model of all services in `models`.
    pub fn joined(models: impl IntoIterator<Item = Self>) -> Self {
        let (mut all, mut known) = (Vec::new(), Arc::default());
        for Self { all: services, names, .. } in models {
            all.extend(services.into_values());
            known = names;
        }
        Self::new(all, known)
    }

    /// Returns the services in order of name and revision.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.all.values().map(|service| &**service)
    }

    /// Returns the service with this index.
    pub fn service(&self, index: usize) -> &Service {
        &self.all[&index]
    }

    /// Groups the services with these indices by name. A group is one service, or its revisions.
    /// `batch` must be sorted.
    pub fn groups(&self, batch: &[usize]) -> impl Iterator<Item = Vec<&Service>> {
        let one_name = |a: &usize, b: &usize| self.service(*a).name == self.service(*b).name;
        batch.chunk_by(one_name).map(|at| at.iter().map(|i| self.service(*i)).collect())
    }

    /// Returns the indices of all services.
    pub fn all(&self) -> Vec<usize> {
        self.all.keys().copied().collect()
    }

    /// Returns whether the spec of the service `name` has errors. Other specs are then not blamed
    /// for what they say about it.
    pub fn is_broken(&self, name: &str) -> bool {
        self.names.broken.contains(name)
    }

    /// Returns the service name that is most similar to `name`, which no service has.
    pub fn near(&self, name: &str) -> Option<&str> {
        self.names.near.get(name).map(String::as_str)
    }

    /// Returns the service `name`: one, or all of its revisions.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Service> {
        self.by_name.get(name).into_iter().flatten().map(|i| self.service(*i))
    }

    /// Returns the other revisions of `service`.
    pub fn revisions<'a>(&'a self, service: &'a Service) -> impl Iterator<Item = &'a Service> {
        self.named(&service.name).filter(|s| s.index != service.index)
    }

    /// Returns whether every revision of `service` takes the lock, on the same directory.
    pub fn one_lock(&self, service: &Service) -> bool {
        let lock = |s: &Service| s.workload().is_some_and(|w| w.guard);
        let first = |s: &'_ Service| s.workload().and_then(Workload::first_host).map(ToOwned::to_owned);
        lock(service) && self.revisions(service).all(|o| lock(o) && first(o) == first(service))
    }

    /// Returns another revision that shares a directory with `service` but has a different first
    /// directory.
    pub fn other_first<'a>(&'a self, service: &'a Service) -> Option<&'a Service> {
        let hosts = |s: &'a Service| -> Vec<&'a str> {
            let data = s.workload().map_or(&[][..], |w| &w.data);
            data.iter().filter_map(|d| d.host()).map(|t| t.text.as_str()).collect()
        };
        let own = hosts(service);
        self.revisions(service).find(|other| {
            let theirs = hosts(other);
            theirs.first() != own.first() && own.iter().any(|path| theirs.contains(path))
        })
    }

    /// Returns the service `name`, or its first revision.
    pub fn find(&self, name: &str) -> Option<&Service> {
        self.named(name).next()
    }
}
