//! What a spec expects of its own files.

use std::ops::Range;

use crate::target::Target;

/// What a spec expects of its own files on one orchestrator: all that tells its own rule from that of
/// anyone.
#[derive(Debug)]
pub struct Expected {
    /// The orchestrator.
    pub target: Target,
    /// The name of the service, and of the folder of its files.
    pub service: String,
    /// The members; one that stands for each node's, where the node is the identity.
    pub members: Vec<Member>,
    /// The numbers of the members.
    pub ids: Range<u32>,
    /// The data directories and volumes.
    pub data: Vec<Data>,
    /// The label whose value on a node is the number of its member.
    pub pin: Option<String>,
    /// The label whose value on a node is the revision of its member, and that value.
    pub revision: Option<(String, String)>,
    /// The label that pods of two revisions differ in (Kubernetes).
    pub revision_label: &'static str,
    /// The ports.
    pub ports: Vec<u16>,
    /// The port by which a member holds its node (Swarm).
    pub lock_port: Option<u16>,
    /// The members use the network of their node.
    pub node_network: bool,
    /// The namespace (Kubernetes).
    pub namespace: String,
    /// The glob of the units of all members (fleet).
    pub siblings: String,
}

/// One member as a spec expects it.
#[derive(Debug)]
pub struct Member {
    /// Its number.
    pub id: Option<u32>,
    /// The name of its workload in a [`crate::world::World`].
    pub workload: String,
    /// The name of its container (fleet).
    pub container: String,
    /// The directories of `data` on the node, in that order; `None` for volumes.
    pub paths: Vec<Option<String>>,
}

/// A data directory or volume as a spec expects it.
#[derive(Debug)]
pub struct Data {
    /// Its name.
    pub name: String,
    /// Where the container sees it.
    pub mount: String,
    /// What it is if it lies on the network; `None` for a directory of the node.
    pub network: Option<Network>,
}

/// A volume on the network as a spec expects it.
#[derive(Debug)]
pub struct Network {
    /// The storage class, if the spec names one.
    pub class: Option<String>,
    /// What makes it: the CSI driver on Kubernetes, else docker's volume driver.
    pub driver: Option<String>,
    /// It is a cluster volume (Swarm).
    pub cluster: bool,
}
