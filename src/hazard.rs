//! The resources of a berth and the hazards that can give one of them two holders.

use serde::Serialize;

/// A resource that at most one running container may hold. All resources of one member together are
/// its *berth*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    /// The directories or volumes of the member.
    Data,
    /// The right to write, for a service without data.
    Writer,
    /// The hostname of the member.
    Hostname,
    /// The address of the node.
    Address,
    /// The id of the member.
    Id,
    /// The ports of the member.
    Port,
}

impl Resource {
    /// All resources, in the order of the rows of a certificate.
    pub const ALL: [Self; 6] =
        [Self::Data, Self::Writer, Self::Hostname, Self::Address, Self::Id, Self::Port];

    /// Returns the name in gaps and findings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Writer => "writer",
            Self::Hostname => "hostname",
            Self::Address => "address",
            Self::Id => "id",
            Self::Port => "port",
        }
    }
}

/// An event that can give one resource two holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hazard {
    /// Two members run on one node.
    Colocate,
    /// A new container starts before the old one has stopped.
    Update,
    /// Two generations are deployed at once.
    Revisions,
    /// A label, pin or metadata changes, or disappears and comes back, under a running member.
    Relabel,
    /// A node loses its network, keeps running, is replaced elsewhere, and comes back.
    Partition,
    /// A stop, an agent crash or a reboot overlaps with the replacement, or a disk is not mounted.
    Reboot,
    /// A member starts where its data is not.
    Move,
    /// Another service uses the same path, port, id or label.
    Neighbour,
    /// Someone forces a deletion. If nothing protects against it, it is a duty of the operator,
    /// never a gap.
    Force,
}

impl Hazard {
    /// All hazards, in the order of the certificate.
    pub const ALL: [Self; 9] = [
        Self::Colocate,
        Self::Update,
        Self::Revisions,
        Self::Relabel,
        Self::Partition,
        Self::Reboot,
        Self::Move,
        Self::Neighbour,
        Self::Force,
    ];

    /// Returns the name in gaps and findings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Colocate => "colocate",
            Self::Update => "update",
            Self::Revisions => "revisions",
            Self::Relabel => "relabel",
            Self::Partition => "partition",
            Self::Reboot => "reboot",
            Self::Move => "move",
            Self::Neighbour => "neighbour",
            Self::Force => "force",
        }
    }

    /// Returns what happens, for the certificate.
    pub fn what(self) -> &'static str {
        match self {
            Self::Colocate => "two members meet on one node",
            Self::Update => "the new container starts before the old one has stopped",
            Self::Revisions => "two generations are deployed at once",
            Self::Relabel => {
                "a label, pin or metadata changes, or is lost and set again, under a running member"
            }
            Self::Partition => "a node is cut off, runs on, is replaced elsewhere, and heals",
            Self::Reboot => {
                "a stop, crash or reboot overlaps with the replacement, or the disk is not mounted"
            }
            Self::Move => "a member comes up where its data is not",
            Self::Neighbour => "another service takes the same path, port, id or name",
            Self::Force => "someone deletes by force",
        }
    }
}
