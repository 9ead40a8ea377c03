//! Mounts: the directories and volumes of a container.

use crate::backend::Fences;
use crate::finding::At;

/// A mount in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The path in the container; empty if unknown.
    pub target: String,
    /// The source.
    pub source: Source,
    /// The claim or the named volume by which it is mounted.
    pub volume: Option<Volume>,
    /// The place of the source in the file.
    pub at: At,
}

/// A claim of Kubernetes, or a volume of docker that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// The name in its orchestrator: `data-db-1`.
    pub name: String,
    /// The storage class that a claim names.
    pub class: Option<(String, At)>,
    /// The provisioner of its class, or docker's driver.
    pub driver: Option<(String, At)>,
    /// Whether its class lets several nodes attach it at once (Azure's `maxShares`).
    pub shared: bool,
    /// Whether the file says that it already exists (Swarm's `external`).
    pub exists: bool,
}

/// The source of a mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A directory of the node where the container runs: hostPath, a local volume, a bind mount, or
    /// a volume of docker's own driver without a device.
    Host {
        /// The path, or `volume NAME`.
        path: String,
        /// What happens if it does not exist.
        missing: Missing,
        /// The place that makes the claim of a local volume ReadWriteOncePod.
        one_pod: Option<At>,
    },
    /// A storage that is the same from every node: a claim, the volume of a plugin, or a share.
    Volume {
        /// The name, unique in the cluster: `claim NAMESPACE/NAME`, the name of the plugin's
        /// volume, or the share.
        name: String,
        /// Whether attaching it excludes another node.
        fences: Fences,
        /// The place that makes it ReadWriteOncePod.
        one_pod: Option<At>,
        /// The place that makes it a Swarm cluster volume with scope single and sharing none, which
        /// is reserved while its task may run.
        reserved: Option<At>,
        /// What happens if it does not exist.
        missing: Missing,
    },
    /// A storage that is deleted with the container: emptyDir, an anonymous volume, or the layer of
    /// the container.
    Ephemeral,
}

impl Source {
    /// Makes a directory of the node.
    pub fn host(path: String, missing: Missing) -> Self {
        Self::Host { path, missing, one_pod: None }
    }
}

/// What happens if a directory or volume does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The container does not start, and the orchestrator tries again.
    Refused,
    /// An empty one is created.
    Created,
    /// An empty one is created on a node that never had it. On a node that had it, it is kept,
    /// because the start waits for its mount.
    Elsewhere,
    /// The container does not start. After a crash of the engine, however, an empty folder of the node may
    /// stand in its place.
    Crashed,
}
