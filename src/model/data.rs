//! The data of a member: directories of a node, and volumes of the network.

use super::program::Template;
use crate::backend::Backend;
use crate::spec::source::Route;

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

impl Data {
    /// Returns the host path as written, if the data is on the node.
    pub fn host(&self) -> Option<&Template> {
        match &self.at {
            DataAt::Host { path, .. } => Some(path),
            DataAt::Volume(_) => None,
        }
    }
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

    /// Returns whether a plugin of docker mounts it on fleet and Swarm, and not docker itself.
    pub fn by_plugin(&self) -> bool {
        self.backend.plugin.is_some_and(|p| p.driver != "local")
    }
}
