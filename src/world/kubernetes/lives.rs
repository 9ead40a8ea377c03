//! Finds how long the data lives that a container of a pod writes.

use crate::finding::At;
use crate::images::Life;

/// A mount of the container with the data.
pub(super) struct Lives {
    pub target: String,
    pub life: Life,
    /// Whether it can be meant for data.
    pub data: bool,
    /// The line of the volume.
    pub at: At,
}

/// Returns how long a volume of `kind` lives, if it can hold data.
pub(super) fn life(kind: &str) -> Option<Life> {
    match kind {
        "configMap" | "secret" | "projected" | "downwardAPI" | "image" | "gitRepo" => None,
        "emptyDir" | "ephemeral" | "csi" => Some(Life::Container),
        _ => Some(Life::Durable),
    }
}
