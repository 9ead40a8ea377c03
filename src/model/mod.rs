//! A valid service. Only [`check`] can build a [`Model`]; it knows no target's decisions, only
//! what the spec's blocks mean and which of them contradict each other.

pub mod backend;
pub mod check;
pub mod names;
pub mod units;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diag::Place;
use crate::hazard::Resource;
use crate::spec::source::{Digest, Route, Source};
use crate::spec::{Raw, Scheme, Tool};
use crate::target::Target;
use crate::value;
use backend::{Backend, Fences};
use units::Version;

/// Services that are looked at together: a batch of them, and those that they name.
#[derive(Debug, Clone, Default)]
pub struct Model {
    all: BTreeMap<usize, Arc<Service>>,
    by_name: BTreeMap<String, Vec<usize>>,
    names: Arc<Names>,
}

/// What is known of services that are not in the model.
#[derive(Debug, Default)]
pub struct Names {
    /// Names of services whose own specs are at fault.
    pub broken: BTreeSet<String>,
    /// What names that nothing has were most likely meant to be.
    pub near: BTreeMap<String, String>,
}

impl Model {
    /// Of `services`, whose indices say their order.
    pub fn new(services: impl IntoIterator<Item = Arc<Service>>, names: Arc<Names>) -> Self {
        let all: BTreeMap<usize, Arc<Service>> =
            services.into_iter().map(|service| (service.index, service)).collect();
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, service) in &all {
            by_name.entry(service.name.clone()).or_default().push(*index);
        }
        Self { all, by_name, names }
    }

    /// The services of all of `models`.
    pub fn joined(models: impl IntoIterator<Item = Self>) -> Self {
        let (mut all, mut known) = (Vec::new(), Arc::default());
        for Self { all: services, names, .. } in models {
            all.extend(services.into_values());
            known = names;
        }
        Self::new(all, known)
    }

    /// The services in order of name and revision.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.all.values().map(|service| &**service)
    }

    /// The service with this index.
    pub fn service(&self, index: usize) -> &Service {
        &self.all[&index]
    }

    /// The services with these indices, which are in order, grouped by name: one, or several
    /// revisions of one.
    pub fn groups(&self, batch: &[usize]) -> impl Iterator<Item = Vec<&Service>> {
        let one_name = |a: &usize, b: &usize| self.service(*a).name == self.service(*b).name;
        batch.chunk_by(one_name).map(|at| at.iter().map(|i| self.service(*i)).collect())
    }

    /// The indices of all services.
    pub fn all(&self) -> Vec<usize> {
        self.all.keys().copied().collect()
    }

    /// Whether `name` is a service whose own spec is at fault, so that others cannot be blamed
    /// for what they say about it.
    pub fn is_broken(&self, name: &str) -> bool {
        self.names.broken.contains(name)
    }

    /// What `name`, which nothing has, was most likely meant to be.
    pub fn near(&self, name: &str) -> Option<&str> {
        self.names.near.get(name).map(String::as_str)
    }

    /// The specs of the service `name`: one, or several revisions.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Service> {
        self.by_name.get(name).into_iter().flatten().map(|i| self.service(*i))
    }

    /// The other revisions of `service`.
    pub fn revisions<'a>(&'a self, service: &'a Service) -> impl Iterator<Item = &'a Service> {
        self.named(&service.name).filter(|s| s.index != service.index)
    }

    /// Whether every revision of `service` takes the lock, on one and the same directory.
    pub fn one_lock(&self, service: &Service) -> bool {
        let lock = |s: &Service| s.workload().is_some_and(|w| w.guard);
        let first = |s: &'_ Service| s.workload().and_then(Workload::first_host).map(ToOwned::to_owned);
        lock(service) && self.revisions(service).all(|o| lock(o) && first(o) == first(service))
    }

    /// Another revision that shares a directory with `service`, but not the first one.
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

    /// The service `name`; of several revisions the first.
    pub fn find(&self, name: &str) -> Option<&Service> {
        self.named(name).next()
    }
}

/// One spec, valid.
#[derive(Debug)]
pub struct Service {
    /// Its index among the services of the compile, in order of name and revision.
    pub index: usize,
    /// Its text, for places.
    pub source: Arc<Source>,
    /// Of all that it is made from but for the options: its text, its bases, and the files that they
    /// name.
    pub digest: Digest,
    /// File name of the spec, without folders.
    pub file: String,
    /// A DNS label of at most 52 characters.
    pub name: String,
    /// Only on `per: node` services.
    pub revision: Option<String>,
    /// A workload, or names for one outside.
    pub body: Body,
    /// Which orchestrators, with their settings.
    pub targets: Targets,
    /// Waivers, in order.
    pub accept: Vec<Accept>,
    /// Further labels.
    pub labels: Vec<(String, String)>,
}

impl Service {
    /// The place of a route.
    pub fn place(&self, route: &Route) -> Place {
        self.source.place(route)
    }

    /// The place of a route's last key.
    pub fn key(&self, route: &Route) -> Place {
        self.source.key(route)
    }

    /// `service` or `service-revision`.
    pub fn full_name(&self) -> String {
        match &self.revision {
            Some(revision) => format!("{}-{revision}", self.name),
            None => self.name.clone(),
        }
    }

    /// The workload, unless the service is external.
    pub fn workload(&self) -> Option<&Workload> {
        match &self.body {
            Body::Workload(w) => Some(w),
            Body::External(_) => None,
        }
    }

    /// The host directories of its members, each with the member's id, if it has one, and the route
    /// of the field.
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

    /// Ports by name, inside or outside.
    pub fn ports(&self) -> &[(String, u16)] {
        match &self.body {
            Body::Workload(w) => &w.ports,
            Body::External(e) => &e.ports,
        }
    }

    /// Whether it is compiled for `target`.
    pub fn has(&self, target: Target) -> bool {
        match target {
            Target::Kubernetes => self.targets.kubernetes.is_some(),
            Target::Fleet => self.targets.fleet.is_some(),
            Target::Swarm => self.targets.swarm.is_some(),
        }
    }
}

/// What a service is.
#[derive(Debug)]
pub enum Body {
    /// Members that run.
    Workload(Box<Workload>),
    /// Names for what runs elsewhere.
    External(External),
}

/// A service that runs outside.
#[derive(Debug)]
pub struct External {
    /// A DNS name or an IP address; may be absent when members are listed.
    pub address: Option<String>,
    /// Its members.
    pub at: Vec<(u32, String)>,
    /// Its ports.
    pub ports: Vec<(String, u16)>,
}

/// A value with its route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// As written.
    pub text: String,
    /// Where.
    pub route: Route,
}

/// What runs as a container: the member itself, or a helper.
#[derive(Debug, Clone)]
pub struct Program {
    /// Image reference.
    pub image: String,
    /// In place of the entrypoint.
    pub command: Vec<Template>,
    /// Arguments.
    pub args: Vec<Template>,
    /// Environment, in order.
    pub env: Vec<(String, Template)>,
    /// `uid` and `gid`.
    pub user: Option<User>,
    /// What it is given.
    pub resources: Resources,
}

/// Numbers of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: Option<u32>,
}

/// Guaranteed and limited alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// Thousandths of a core.
    pub cpu: Option<u64>,
    /// Bytes.
    pub memory: Option<u64>,
}

/// Everything about the members of one service.
#[derive(Debug)]
pub struct Workload {
    /// The member's own container.
    pub program: Program,
    /// Files carried in.
    pub files: Vec<File>,
    /// Secrets by name.
    pub secrets: Vec<Secret>,
    /// Limits of the process: name, soft, hard.
    pub ulimits: Vec<(String, u64, u64)>,
    /// Memory file systems: path, bytes.
    pub tmpfs: Vec<(String, u64)>,
    /// Who they are.
    pub members: Members,
    /// Data directories, in order; the first is the one that is locked.
    pub data: Vec<Data>,
    /// Ports, in order.
    pub ports: Vec<(String, u16)>,
    /// The name of the id space, if ids matter.
    pub id: Option<String>,
    /// Whether members have their own hostname.
    pub hostname: bool,
    /// Whether members use the node's network.
    pub node_network: bool,
    /// Whether only one container may write though there is no data.
    pub writer: bool,
    /// Whether the process locks its first data directory.
    pub guard: bool,
    /// How a member is stopped.
    pub stop: Stop,
    /// How its state is asked.
    pub health: Health,
    /// How members are updated.
    pub update: Update,
    /// What only the first start needs.
    pub bootstrap: Bootstrap,
    /// Programs beside each member.
    pub helpers: Vec<Helper>,
    /// Services that never share a node with this one.
    pub apart_from: Vec<String>,
    /// Whether a value lists the service's own members.
    pub lists_members: bool,
    /// The services whose `peers(…)` placement in values, each with the value's route.
    pub peers: Vec<(String, Route)>,
}

/// Who the members are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// One on each node.
    PerNode {
        /// Labels of the nodes.
        on: Vec<(String, String)>,
        /// Nodes with their addresses; may be empty.
        known: Vec<(String, String)>,
        /// Whether nothing else may run there.
        dedicated: bool,
    },
    /// `count` members with ids from `first`.
    Counted {
        /// How many, 1 to 1000.
        count: u32,
        /// Id of the first.
        first: u32,
        /// The label that holds each to a node, on all targets.
        pin: Option<Pin>,
    },
}

/// Member n runs on the one node whose label is n.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Node label or fleet metadata.
    pub label: String,
    /// Addresses by id; empty when they are not given.
    pub at: BTreeMap<u32, String>,
}

impl Workload {
    /// The ids in order; empty for `per: node`.
    pub fn ids(&self) -> std::ops::Range<u32> {
        match self.members {
            Members::PerNode { .. } => 0..0,
            Members::Counted { count, first, .. } => first..first + count,
        }
    }

    /// How many members; 0 for `per: node`, where nobody knows.
    pub fn count(&self) -> u32 {
        let ids = self.ids();
        ids.end - ids.start
    }

    /// Whether there is one member per node.
    pub fn per_node(&self) -> bool {
        matches!(self.members, Members::PerNode { .. })
    }

    /// Whether nothing else may run on its nodes.
    pub fn dedicated(&self) -> bool {
        matches!(self.members, Members::PerNode { dedicated: true, .. })
    }

    /// The pin that holds on all targets.
    pub fn pin(&self) -> Option<&Pin> {
        match &self.members {
            Members::Counted { pin, .. } => pin.as_ref(),
            Members::PerNode { .. } => None,
        }
    }

    /// How far attaching keeps a second node from the volumes on `target`: the weakest decides,
    /// since docker and the kubelet mount one after the other, and a volume that takes no lock is
    /// mounted twice before another refuses. `None` without volumes, or where a plugin is missing,
    /// which is a fault of its own.
    pub fn fences(&self, service: &Service, target: Target) -> Option<Fences> {
        let csi = service.targets.swarm.as_ref().is_some_and(|s| s.csi);
        let of = |v: &Volume| match target {
            Target::Kubernetes => Some(v.backend.fences),
            Target::Swarm if csi => Some(v.backend.fences),
            Target::Fleet | Target::Swarm => v.backend.plugin.map(|p| p.fences),
        };
        let all: Option<Vec<Fences>> = self.volumes().map(|(_, v)| of(v)).collect();
        let all = all.filter(|all| !all.is_empty())?;
        [Fences::Never, Fences::WhileConnected].into_iter().find(|f| all.contains(f)).or(Some(Fences::Always))
    }

    /// The first directory of the node, as it is written.
    pub fn first_host(&self) -> Option<&str> {
        self.data.iter().find_map(|d| d.host()).map(|t| t.text.as_str())
    }

    /// The volumes among the data.
    pub fn volumes(&self) -> impl Iterator<Item = (&Data, &Volume)> {
        self.data.iter().filter_map(|d| match &d.at {
            DataAt::Volume(v) => Some((d, v.as_ref())),
            DataAt::Host { .. } => None,
        })
    }
}

/// A data directory.
#[derive(Debug, Clone)]
pub struct Data {
    /// Its name.
    pub name: String,
    /// Where the container sees it.
    pub mount: String,
    /// Where it is kept.
    pub at: DataAt,
    /// `exclusive.data.NAME`.
    pub route: Route,
}

/// Where data is kept.
#[derive(Debug, Clone)]
pub enum DataAt {
    /// On the node.
    Host {
        /// The directory; holds `member.id` on pinned services.
        path: Template,
        /// Bytes, if given.
        size: Option<u64>,
    },
    /// On the network.
    Volume(Box<Volume>),
}

/// A network volume of each member.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Its row of the table.
    pub backend: Backend,
    /// The CSI driver of `csi:NAME`, else the backend's.
    pub csi: Option<String>,
    /// As the spec names the backend.
    pub backend_name: String,
    /// Bytes.
    pub size: u64,
    /// As written, for Kubernetes.
    pub size_text: String,
    /// An existing StorageClass.
    pub class: Option<String>,
    /// Kind of disk.
    pub kind: Option<String>,
    /// Zones; member i lives in zone i mod n.
    pub zones: Vec<String>,
    /// Further parameters.
    pub options: Vec<(String, String)>,
}

impl Volume {
    /// The zone of the member with this index from 0.
    pub fn zone(&self, index: usize) -> Option<&str> {
        (!self.zones.is_empty()).then(|| self.zones[index % self.zones.len()].as_str())
    }
}

/// A file carried in.
#[derive(Debug, Clone)]
pub struct File {
    /// Absolute path in the container.
    pub path: String,
    /// Its text.
    pub content: String,
    /// Permissions.
    pub mode: u32,
    /// `files.PATH`.
    pub route: Route,
}

/// A secret by reference.
#[derive(Debug, Clone)]
pub struct Secret {
    /// As values name it.
    pub name: String,
    /// Before the slash of its reference.
    pub object: String,
    /// After it.
    pub key: String,
    /// Generation on Swarm.
    pub version: Option<String>,
}

/// How a member is stopped.
#[derive(Debug, Clone)]
pub struct Stop {
    /// Command and seconds of what runs first.
    pub before: Option<(Vec<Template>, u32)>,
    /// Signal in place of the image's.
    pub signal: Option<String>,
    /// Seconds in all.
    pub grace: u32,
}

/// How a member's state is asked.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// What the image has.
    pub tool: Option<Tool>,
    /// May it be given work?
    pub ready: Option<Check>,
    /// Is it beyond hope?
    pub live: Option<Check>,
    /// Seconds that a start may take.
    pub start: Option<u32>,
}

/// One check.
#[derive(Debug, Clone)]
pub struct Check {
    /// How a port is asked; `None` when only the command is.
    pub probe: Option<Probe>,
    /// The command; beside a probe it is for docker only.
    pub run: Vec<Template>,
    /// Seconds between two checks.
    pub every: u32,
    /// Seconds until one failed.
    pub timeout: u32,
    /// How many in a row count.
    pub failures: u32,
    /// `health.ready` or `health.live`.
    pub route: Route,
}

/// How a port is asked.
#[derive(Debug, Clone)]
pub enum Probe {
    /// A GET that answers 2xx or 3xx.
    Http {
        /// Path and query.
        path: String,
        /// Name of the port.
        port: String,
        /// In the clear or not.
        scheme: Scheme,
    },
    /// A connection.
    Tcp {
        /// Name of the port.
        port: String,
    },
}

/// How members are updated.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// Seconds of wait after each member.
    pub pause: u32,
    /// The gate.
    pub healthy: Option<Template>,
}

/// What only the first start needs.
#[derive(Debug, Clone, Default)]
pub struct Bootstrap {
    /// Environment of the first start.
    pub env: Vec<(String, Template)>,
    /// What a person runs once.
    pub once: Option<Template>,
}

/// A program beside each member.
#[derive(Debug, Clone)]
pub struct Helper {
    /// Its name.
    pub name: String,
    /// What runs.
    pub program: Program,
    /// Its ports.
    pub ports: Vec<(String, u16)>,
}

/// A waiver.
#[derive(Debug, Clone)]
pub struct Accept {
    /// The gap's name.
    pub gap: String,
    /// Why it is taken.
    pub because: String,
    /// `accept.N`.
    pub route: Route,
}

/// Which orchestrators, with their settings.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    /// Kubernetes.
    pub kubernetes: Option<Kubernetes>,
    /// fleet.
    pub fleet: Option<Fleet>,
    /// Swarm.
    pub swarm: Option<Swarm>,
}

/// Settings for Kubernetes.
#[derive(Debug, Clone)]
pub struct Kubernetes {
    /// 1.25 to 1.37.
    pub version: Version,
    /// A DNS label.
    pub namespace: String,
    /// Added to the pod.
    pub pod: Raw,
    /// Added to the container.
    pub container: Raw,
    /// Added to the client Service.
    pub service: Raw,
}

/// Settings for fleet.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// 0.13.0 or 1.0.0.
    pub version: Version,
    /// Members are `member.domain`.
    pub domain: Option<String>,
    /// Pins here only.
    pub pin: Option<Pin>,
    /// Of the machines.
    pub docker: Version,
    /// Options added, by section.
    pub unit: Vec<UnitSection>,
}

/// Options added to one section of a unit: each key with its values.
#[derive(Debug, Clone)]
pub struct UnitSection {
    /// Without brackets.
    pub name: String,
    /// In order.
    pub options: Vec<(String, Vec<String>)>,
}

/// Settings for Swarm.
#[derive(Debug, Clone)]
pub struct Swarm {
    /// 20.10 or newer.
    pub engine: Version,
    /// An overlay network.
    pub network: Option<String>,
    /// Pins here only.
    pub pin: Option<Pin>,
    /// The lock of the node.
    pub lock: Option<u16>,
    /// Cluster volumes in place of plugin volumes.
    pub csi: bool,
    /// Added to the service.
    pub service: Raw,
}

impl Workload {
    /// Whether one running container may hold `resource` alone.
    pub fn claims(&self, resource: Resource) -> bool {
        match resource {
            Resource::Data => !self.data.is_empty(),
            Resource::Writer => self.writer,
            Resource::Hostname => self.hostname,
            Resource::Address => self.node_network,
            Resource::Id => self.id.is_some(),
            Resource::Port => !self.ports.is_empty(),
        }
    }
}
