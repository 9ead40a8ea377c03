//! The orchestrators of a service, with their settings.

use super::port::{self, Socket};
use super::workload::{Pin, Workload};
use crate::spec::Raw;
use crate::target::Target;
use crate::text::units::Version;

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

impl Targets {
    /// Returns whether there is a target.
    pub fn any(&self) -> bool {
        Target::ALL.into_iter().any(|target| self.has(target))
    }

    /// Returns whether the spec names `target`.
    pub fn has(&self, target: Target) -> bool {
        match target {
            Target::Kubernetes => self.kubernetes.is_some(),
            Target::Fleet => self.fleet.is_some(),
            Target::Swarm => self.swarm.is_some(),
        }
    }

    /// Returns the pin for `target` only.
    pub fn pin(&self, target: Target) -> Option<&Pin> {
        match target {
            Target::Kubernetes => None,
            Target::Fleet => self.fleet.as_ref()?.pin.as_ref(),
            Target::Swarm => self.swarm.as_ref()?.pin.as_ref(),
        }
    }
}

/// Settings for Kubernetes.
#[derive(Debug, Clone)]
pub struct Kubernetes {
    /// The version, 1.25 to 1.37.
    pub version: Version,
    /// The namespace, a DNS label.
    pub namespace: String,
    /// Whether the volumes for directories of pinned members are ReadWriteOncePod.
    pub one_pod: bool,
    /// Fields to add to the pod.
    pub pod: Raw,
    /// Fields to add to the container.
    pub container: Raw,
    /// Fields to add to the client Service.
    pub service: Raw,
    /// Annotations of single objects.
    pub annotations: Annotations,
    /// Whether a NetworkPolicy keeps others away from the ports.
    pub network_policy: bool,
    /// Who connects to the ports for clients; `None` is the namespace.
    pub clients: Option<Vec<Client>>,
    /// The service account whose token the pods get.
    pub service_account: Option<String>,
}

/// Who connects to the ports of a service on Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    /// The pods of a service of berthc, in any namespace.
    Service(String),
    /// Other pods.
    Pods {
        /// Their namespace, if it is not that of the service.
        namespace: Option<String>,
        /// Their labels; empty for all pods.
        labels: Vec<(String, String)>,
    },
    /// A block of addresses.
    Block(String),
}

/// Annotations of single objects of Kubernetes: key and text, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Annotations {
    /// The annotations of the StatefulSet or the DaemonSet.
    pub workload: Vec<(String, String)>,
    /// The annotations of the pods, which replace those of the workload of all targets.
    pub pod: Vec<(String, String)>,
    /// The annotations of the client Service.
    pub service: Vec<(String, String)>,
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
    /// The oldest version of the docker engine on the nodes, 20.10 or 23 to 29.
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

impl Swarm {
    /// The first engine with cluster volumes.
    pub const CLUSTER_VOLUMES: Version = Version::new(23, 0);
    /// The first engine with an interval of health checks for the start (API 1.44).
    pub const START_INTERVAL: Version = Version::new(25, 0);
    /// The first engine with `default-stop-timeout` in daemon.json; 28.5.2 does not start with it.
    pub const STOP_TIMEOUT: Version = Version::new(29, 0);

    /// Returns the lock of a member's node: a port that no two tasks on one node can publish. The
    /// scheduler and docker's port allocator count it until the old task has stopped (swarmkit
    /// `manager/scheduler/nodeinfo.go`).
    pub fn lock_of(&self, workload: &Workload) -> Option<Socket> {
        self.lock.map(Socket::tcp).or_else(|| port::lock(&workload.ports).map(|port| port.socket))
    }

    /// Returns the line of a spec that turns on cluster volumes, with a newer engine if that of the
    /// spec has none.
    pub fn with_cluster_volumes(&self) -> String {
        let engine = match self.engine < Self::CLUSTER_VOLUMES {
            true => format!("engine: \"{}\", ", Self::CLUSTER_VOLUMES),
            false => String::new(),
        };
        format!("targets: {{ swarm: {{ {engine}volume: csi }} }}")
    }
}

impl Kubernetes {
    /// The first version with ReadWriteOncePod on by default (KEP-2485, beta). With it, the
    /// scheduler and the kubelet let only one pod in the cluster use the claim.
    pub const ONE_POD: Version = Version::new(1, 27);
}
