//! A valid service. Only [`check`] builds a [`Model`]. It holds what the blocks of a spec mean, and
//! no decision of any target.

pub mod backend;
pub mod check;
pub mod names;
pub mod units;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diag::Place;
use crate::hazard::Resource;
use crate::input::Digest;
use crate::spec::source::{Route, Source};
use crate::spec::{Raw, Scheme, Tool};
use crate::target::Target;
use crate::value;
use backend::{Backend, Fences};
use units::Version;

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
    pub fn ports(&self) -> &[(String, u16)] {
        match &self.body {
            Body::Workload(w) => &w.ports,
            Body::External(e) => &e.ports,
        }
    }

    /// Returns whether the spec names `target`.
    pub fn has(&self, target: Target) -> bool {
        match target {
            Target::Kubernetes => self.targets.kubernetes.is_some(),
            Target::Fleet => self.targets.fleet.is_some(),
            Target::Swarm => self.targets.swarm.is_some(),
        }
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
    pub ports: Vec<(String, u16)>,
}

/// A value that may hold expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The text as written.
    pub text: String,
    /// The place in the spec.
    pub route: Route,
}

/// A container: the member itself, or a helper.
#[derive(Debug, Clone)]
pub struct Program {
    /// The image reference.
    pub image: String,
    /// The command that replaces the entrypoint.
    pub command: Vec<Template>,
    /// The arguments.
    pub args: Vec<Template>,
    /// The environment, in order.
    pub env: Vec<(String, Template)>,
    /// The user id and the group id.
    pub user: Option<User>,
    /// The CPU and memory.
    pub resources: Resources,
}

/// A user, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: Option<u32>,
}

/// CPU and memory, as request and limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// Thousandths of a core.
    pub cpu: Option<u64>,
    /// Bytes.
    pub memory: Option<u64>,
}

/// A service that berthc deploys.
#[derive(Debug)]
pub struct Workload {
    /// The container of the member.
    pub program: Program,
    /// The files that are mounted into the container.
    pub files: Vec<File>,
    /// The secrets by name.
    pub secrets: Vec<Secret>,
    /// The ulimits: name, soft limit, hard limit.
    pub ulimits: Vec<(String, u64, u64)>,
    /// The tmpfs mounts: path, bytes.
    pub tmpfs: Vec<(String, u64)>,
    /// The members.
    pub members: Members,
    /// The data directories, in order. `guard` locks the first one.
    pub data: Vec<Data>,
    /// The ports, in order.
    pub ports: Vec<(String, u16)>,
    /// The name of the id space, if members have exclusive ids.
    pub id: Option<String>,
    /// Whether each member has its own hostname.
    pub hostname: bool,
    /// Whether members use the network of the node.
    pub node_network: bool,
    /// Whether only one container may write, for a service without data.
    pub writer: bool,
    /// Whether the process locks its first data directory.
    pub guard: bool,
    /// How a member stops.
    pub stop: Stop,
    /// The health checks.
    pub health: Health,
    /// How members are updated.
    pub update: Update,
    /// The settings for the first start only.
    pub bootstrap: Bootstrap,
    /// The sidecar containers of each member.
    pub helpers: Vec<Helper>,
    /// The services that never share a node with this one.
    pub apart_from: Vec<String>,
    /// Whether a value lists the members of the service itself.
    pub lists_members: bool,
    /// The services that values name in `peers(…)`, each with the route of the value.
    pub peers: Vec<(String, Route)>,
}

/// How many members there are, and on which nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// One member on each matching node.
    PerNode {
        /// The labels that a node must have.
        on: Vec<(String, String)>,
        /// The nodes with their addresses; may be empty.
        known: Vec<(String, String)>,
        /// Whether these nodes run nothing else.
        dedicated: bool,
    },
    /// `count` members with ids from `first`.
    Counted {
        /// The number of members, 1 to 1000.
        count: u32,
        /// The id of the first member.
        first: u32,
        /// The label that pins each member to a node, on all targets.
        pin: Option<Pin>,
    },
}

/// A pin: member n runs on the one node whose label has the value n.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The node label or fleet metadata.
    pub label: String,
    /// The addresses of the nodes by member id; empty if not given.
    pub at: BTreeMap<u32, String>,
}

impl Workload {
    /// Returns the ids in order; empty for `per: node`.
    pub fn ids(&self) -> std::ops::Range<u32> {
        match self.members {
            Members::PerNode { .. } => 0..0,
            Members::Counted { count, first, .. } => first..first + count,
        }
    }

    /// Returns the number of members; 0 for `per: node`, where it depends on the nodes.
    pub fn count(&self) -> u32 {
        let ids = self.ids();
        ids.end - ids.start
    }

    /// Returns whether there is one member per node.
    pub fn per_node(&self) -> bool {
        matches!(self.members, Members::PerNode { .. })
    }

    /// Returns whether the nodes of the members run nothing else.
    pub fn dedicated(&self) -> bool {
        matches!(self.members, Members::PerNode { dedicated: true, .. })
    }

    /// Returns the pin for all targets.
    pub fn pin(&self) -> Option<&Pin> {
        match &self.members {
            Members::Counted { pin, .. } => pin.as_ref(),
            Members::PerNode { .. } => None,
        }
    }

    /// Returns how well the volumes on `target` exclude a second node when they are attached. The
    /// weakest volume decides: docker and the kubelet mount one volume after the other, so a volume
    /// without a lock is mounted twice before another volume refuses. `None` without volumes, or
    /// where a plugin is missing (the check of the spec reports that).
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

    /// Returns the first host directory, as the spec writes it.
    pub fn first_host(&self) -> Option<&str> {
        self.data.iter().find_map(|d| d.host()).map(|t| t.text.as_str())
    }

    /// Returns the data directories that are volumes.
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
    /// The name.
    pub name: String,
    /// The path in the container.
    pub mount: String,
    /// The place of the data.
    pub at: DataAt,
    /// The route `exclusive.data.NAME`.
    pub route: Route,
}

/// The place of data.
#[derive(Debug, Clone)]
pub enum DataAt {
    /// A directory of the node.
    Host {
        /// The path; it contains `member.id` on pinned services.
        path: Template,
        /// The size in bytes, if given.
        size: Option<u64>,
    },
    /// A network volume.
    Volume(Box<Volume>),
}

/// A network volume, one for each member.
#[derive(Debug, Clone)]
pub struct Volume {
    /// The row in the table of backends.
    pub backend: Backend,
    /// The CSI driver: of `csi:NAME`, otherwise of the backend.
    pub csi: Option<String>,
    /// The name of the backend in the spec.
    pub backend_name: String,
    /// The size in bytes.
    pub size: u64,
    /// The size as written, for Kubernetes.
    pub size_text: String,
    /// The name of an existing StorageClass.
    pub class: Option<String>,
    /// The disk type.
    pub kind: Option<String>,
    /// The zones. Member i lives in zone i mod n.
    pub zones: Vec<String>,
    /// Additional parameters.
    pub options: Vec<(String, String)>,
}

impl Volume {
    /// Returns the zone of member number `index`, counted from 0.
    pub fn zone(&self, index: usize) -> Option<&str> {
        (!self.zones.is_empty()).then(|| self.zones[index % self.zones.len()].as_str())
    }
}

/// A file that is mounted into the container.
#[derive(Debug, Clone)]
pub struct File {
    /// The absolute path in the container.
    pub path: String,
    /// The text.
    pub content: String,
    /// The permissions.
    pub mode: u32,
    /// The route `files.PATH`.
    pub route: Route,
}

/// A reference to a secret.
#[derive(Debug, Clone)]
pub struct Secret {
    /// The name in values: `secret('NAME')`.
    pub name: String,
    /// The part of the reference before the slash.
    pub object: String,
    /// The part after it.
    pub key: String,
    /// The version of the secret on Swarm.
    pub version: Option<String>,
}

/// How a member stops.
#[derive(Debug, Clone)]
pub struct Stop {
    /// The command before the stop signal, and its time limit in seconds.
    pub before: Option<(Vec<Template>, u32)>,
    /// The signal, if it is not the one of the image.
    pub signal: Option<String>,
    /// The seconds from the start of the stop to the kill.
    pub grace: u32,
}

/// The health checks of a member.
#[derive(Debug, Clone, Default)]
pub struct Health {
    /// The tool in the image that can probe a port.
    pub tool: Option<Tool>,
    /// The check whether the member accepts work.
    pub ready: Option<Check>,
    /// The check whether the member must be restarted.
    pub live: Option<Check>,
    /// The seconds that a start may take.
    pub start: Option<u32>,
}

/// A health check.
#[derive(Debug, Clone)]
pub struct Check {
    /// How to probe a port; `None` if only the command decides.
    pub probe: Option<Probe>,
    /// The command. Beside a probe, only docker uses it.
    pub run: Vec<Template>,
    /// The seconds between two checks.
    pub every: u32,
    /// The seconds until a check counts as failed.
    pub timeout: u32,
    /// The number of consecutive failures that count.
    pub failures: u32,
    /// The route `health.ready` or `health.live`.
    pub route: Route,
}

/// How to probe a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// A GET that must answer 2xx or 3xx.
    Http {
        /// The path and query.
        path: String,
        /// The name of the port.
        port: String,
        /// `http` or `https`.
        scheme: Scheme,
    },
    /// A TCP connection.
    Tcp {
        /// The name of the port.
        port: String,
    },
}

/// How members are updated.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// The seconds to wait after each member.
    pub pause: u32,
    /// The command that must succeed before the next member is updated.
    pub healthy: Option<Template>,
}

/// The settings for the first start only.
#[derive(Debug, Clone, Default)]
pub struct Bootstrap {
    /// The environment of the first start.
    pub env: Vec<(String, Template)>,
    /// The command that an operator runs once.
    pub once: Option<Template>,
}

/// A sidecar container of each member.
#[derive(Debug, Clone)]
pub struct Helper {
    /// The name.
    pub name: String,
    /// The container.
    pub program: Program,
    /// The ports.
    pub ports: Vec<(String, u16)>,
}

/// A waiver.
#[derive(Debug, Clone)]
pub struct Accept {
    /// The name of the gap.
    pub gap: String,
    /// The reason.
    pub because: String,
    /// The route `accept.N`.
    pub route: Route,
}

/// The orchestrators, with their settings.
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
    /// The version, 1.25 to 1.37.
    pub version: Version,
    /// The namespace, a DNS label.
    pub namespace: String,
    /// Fields to add to the pod.
    pub pod: Raw,
    /// Fields to add to the container.
    pub container: Raw,
    /// Fields to add to the client Service.
    pub service: Raw,
}

/// Settings for fleet.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The version, 0.13.0 or 1.0.0.
    pub version: Version,
    /// The domain of the members: their address is `member.domain`.
    pub domain: Option<String>,
    /// The pin for fleet only.
    pub pin: Option<Pin>,
    /// The docker version on the machines.
    pub docker: Version,
    /// Options to add to the unit, by section.
    pub unit: Vec<UnitSection>,
}

/// Options to add to one section of a unit: each key with its values.
#[derive(Debug, Clone)]
pub struct UnitSection {
    /// The name, without brackets.
    pub name: String,
    /// The options, in order.
    pub options: Vec<(String, Vec<String>)>,
}

/// Settings for Swarm.
#[derive(Debug, Clone)]
pub struct Swarm {
    /// The version of the docker engine, 20.10 or newer.
    pub engine: Version,
    /// The overlay network.
    pub network: Option<String>,
    /// The pin for Swarm only.
    pub pin: Option<Pin>,
    /// The host port that locks the node.
    pub lock: Option<u16>,
    /// Whether to use cluster volumes instead of plugin volumes.
    pub csi: bool,
    /// Fields to add to the service.
    pub service: Raw,
}

impl Workload {
    /// Returns whether the workload has `resource`, which only one running container may hold.
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
