//! The kinds of change that leave data behind.

use super::home::Home;

/// What changes. Each kind is the first part of a name under `moved`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A target that the spec no longer names.
    Target,
    /// The name of the service.
    Service,
    /// The namespace on Kubernetes.
    Namespace,
    /// Members that are gone.
    Members,
    /// A data directory that is gone or has another name.
    Data,
    /// The driver of a volume.
    Backend,
    /// The storage class of a claim.
    Class,
    /// The directory on the node.
    Host,
    /// The labels of the nodes.
    Pin,
    /// The access mode of the claims of local volumes.
    Access,
}

impl Kind {
    /// Returns the word in the name of a change.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Service => "service",
            Self::Namespace => "namespace",
            Self::Members => "members",
            Self::Data => "data",
            Self::Backend => "backend",
            Self::Class => "class",
            Self::Host => "host",
            Self::Pin => "pin",
            Self::Access => "access",
        }
    }
}

/// The home of a member in the older files, and the home in the new ones, if it has one.
pub(super) struct Pair<'h> {
    pub(super) old: &'h Home,
    pub(super) new: Option<&'h Home>,
}
