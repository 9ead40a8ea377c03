//! The resources of a berth and the hazards that can give one of them two holders.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::target::Target;

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

    /// Returns the resource with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|resource| resource.name() == name)
    }

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

    /// Returns the hazard with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hazard| hazard.name() == name)
    }

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

/// The id of one cell of the matrix: `TARGET/RESOURCE/HAZARD`.
///
/// ```
/// use berthc::Target;
/// use berthc::hazard::{CellId, Hazard, Resource};
///
/// let cell = CellId { target: Target::Swarm, resource: Resource::Data, hazard: Hazard::Move };
/// assert_eq!(cell.to_string(), "swarm/data/move");
/// assert_eq!("swarm/data/move".parse(), Ok(cell));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId {
    /// The orchestrator.
    pub target: Target,
    /// The resource that may get two holders.
    pub resource: Resource,
    /// The event that gives it two.
    pub hazard: Hazard,
}

impl CellId {
    /// Returns the id with one name for the identity of a member. For a member without data, files
    /// show a hostname where its spec may say the right to write.
    #[must_use]
    pub fn normalized(self) -> Self {
        let resource = match self.resource {
            Resource::Writer | Resource::Hostname | Resource::Id => Resource::Id,
            other => other,
        };
        Self { resource, ..self }
    }
}

impl fmt::Display for CellId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.target.name(), self.resource.name(), self.hazard.name())
    }
}

/// A text that is no id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownId(pub String);

impl fmt::Display for UnknownId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no id", self.0)
    }
}

impl std::error::Error for UnknownId {}

impl FromStr for CellId {
    type Err = UnknownId;

    fn from_str(text: &str) -> Result<Self, UnknownId> {
        let cell = || {
            let (target, rest) = text.split_once('/')?;
            let (resource, hazard) = rest.split_once('/')?;
            Some(Self {
                target: Target::named(target)?,
                resource: Resource::named(resource)?,
                hazard: Hazard::named(hazard)?,
            })
        };
        cell().ok_or_else(|| UnknownId(text.to_owned()))
    }
}
