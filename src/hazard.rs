//! What one running container may hold alone, and what can bring a second one to it.

use serde::Serialize;

/// What a berth is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Resource {
    /// The member's directories or volumes.
    Data,
    /// The right to write, of a service without data.
    Writer,
    /// The member's own hostname.
    Hostname,
    /// The node's address.
    Address,
    /// The member's number.
    Id,
    /// Its ports.
    Port,
}

impl Resource {
    /// All of them, in the order of the rows.
    pub const ALL: [Self; 6] =
        [Self::Data, Self::Writer, Self::Hostname, Self::Address, Self::Id, Self::Port];

    /// As gaps name it.
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

/// What can bring two containers to one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hazard {
    /// Two members land on one node.
    Colocate,
    /// The new container starts before the old one has stopped.
    Update,
    /// Two generations are deployed at once.
    Revisions,
    /// A label, pin or metadata is changed, or lost and set again, under a running member.
    Relabel,
    /// A node is cut off, runs on, is replaced elsewhere, and heals.
    Partition,
    /// A stop, a crash of the agent or a reboot overlaps with the replacement; or a disk is not
    /// mounted.
    Reboot,
    /// An identity comes up where its data is not.
    Move,
    /// Another service takes the same path, port, id or label.
    Neighbour,
    /// Someone forces. Uncovered, it is a duty, never a gap.
    Force,
}

impl Hazard {
    /// All of them, in the order of the columns.
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

    /// As gaps name it.
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

    /// What happens, for the page.
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
