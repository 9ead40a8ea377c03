//! The values that a spec expects in its own files.

use std::ops::Range;

use crate::target::Target;

/// The values that a spec expects in its own files on one orchestrator. They distinguish its own rules
/// from those of other services.
#[derive(Debug)]
pub struct Expected {
    /// The orchestrator.
    pub target: Target,
    /// The name of the service, and of the folder of its files.
    pub service: String,
    /// The members. If the node is the identity, there is one that represents the member of each node.
    pub members: Vec<Member>,
    /// The numbers of the members.
    pub ids: Range<u32>,
    /// The data directories and volumes.
    pub data: Vec<Data>,
    /// The label whose value on a node is the number of its member.
    pub pin: Option<String>,
    /// The label whose value on a node is the revision of its member, and that value.
    pub revision: Option<(String, String)>,
    /// The label whose value differs between the pods of two revisions (Kubernetes).
    pub revision_label: &'static str,
    /// The ports: number and protocol.
    pub ports: Vec<(u16, &'static str)>,
    /// The port that locks the node of a member (Swarm).
    pub lock_port: Option<(u16, &'static str)>,
    /// Whether the members use the network of their node.
    pub node_network: bool,
    /// The namespace (Kubernetes).
    pub namespace: String,
    /// The glob of the units of all members (fleet).
    pub siblings: String,
}

/// A member as a spec expects it.
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
    /// The path in the container.
    pub mount: String,
    /// The volume, if the data is on the network; `None` for a directory of the node.
    pub network: Option<Network>,
    /// Whether its claim must be ReadWriteOncePod (Kubernetes).
    pub one_pod: bool,
}

/// A volume on the network as a spec expects it.
#[derive(Debug)]
pub struct Network {
    /// The storage class, if the spec names one.
    pub class: Option<String>,
    /// The driver that creates it: the CSI driver on Kubernetes, otherwise docker's volume driver.
    pub driver: Option<String>,
    /// Whether it is a cluster volume (Swarm).
    pub cluster: bool,
}
