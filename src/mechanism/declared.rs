//! The type of a mechanism.

use std::collections::BTreeMap;

use serde::Serialize;

use super::own::{Own, Subject};
use crate::finding::At;

/// How strong a mechanism is. The stronger come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Two containers cannot even name the same resource.
    Construction = 1,
    /// The resource itself refuses a second container.
    Fence,
    /// The orchestrator does not place a second container.
    Scheduler,
    /// The orchestrator waits for the first container to end.
    Order,
    /// A person must prevent it.
    Duty,
}

/// The name of a mechanism, short and unique within its orchestrator: `pod-name`.
pub type Id = &'static str;

/// The mechanisms that files carry, each with the fields that carry it.
pub type Carried = BTreeMap<Id, Vec<At>>;

/// One way of keeping two containers apart.
#[derive(Debug, Serialize)]
pub struct Mechanism {
    /// Its name.
    #[serde(rename = "word")]
    pub id: Id,
    /// How strong it is.
    #[serde(rename = "layer")]
    pub strength: Strength,
    /// What it does, in one line.
    pub what: &'static str,
    /// What it assumes; empty for nothing.
    pub assumes: &'static str,
    /// Where that is documented or was measured: a file of the orchestrator, or the experiment.
    pub source: &'static str,
    /// Returns the fields that carry it for one member; none where the files lack it.
    #[serde(skip)]
    pub found: fn(&Own<'_>) -> Vec<At>,
}

impl PartialEq for Mechanism {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Mechanism {}

/// Returns the words of mechanisms with their numbers: `1 path, 3 affinity`.
pub fn numbered(by: &[&Mechanism]) -> String {
    let mut words = String::new();
    for mechanism in by {
        words.push_str(if words.is_empty() { "" } else { ", " });
        words.push(char::from(b'0' + mechanism.strength as u8));
        words.push(' ');
        words.push_str(mechanism.id);
    }
    words
}

/// What the search loses when it removes a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A port that a node gives out once.
    Ports,
    /// The name of a container, which docker gives out once on a node.
    Name,
    /// The lock that the process holds.
    Lock,
    /// A rule that keeps two workloads on different nodes.
    Apart,
    /// A label of which a node has one value.
    OneLabel,
    /// A volume that one pod in the cluster may use.
    OnePod,
    /// A volume that attaches to one node.
    Attach,
    /// A volume that the orchestrator reserves.
    Reserved,
    /// The order of an update: the old container ends first.
    Order,
    /// A unit that stops its old container before it starts.
    OwnStop,
    /// The label of the only node that may run the member.
    Pin,
    /// The name of a pod, which exists once in the API.
    PodName,
}

/// A mechanism that the search can remove from any files, with the words for it.
#[derive(Debug)]
pub struct Removable {
    /// The mechanism.
    pub mechanism: &'static Mechanism,
    /// What the search loses without it.
    pub effect: Effect,
    /// The words for a workload with the mechanism: `its host ports`.
    pub own: &'static str,
    /// The words for a workload that could have it: `required anti-affinity`; empty if not every
    /// workload can.
    pub other: &'static str,
    /// Finds its field.
    pub place: Place,
}

/// Finds the field of a mechanism.
type Place = for<'w> fn(&Subject<'_, 'w>) -> Option<&'w At>;

impl Removable {
    /// Declares a mechanism that the search can remove.
    pub(super) const fn new(
        mechanism: &'static Mechanism,
        effect: Effect,
        own: &'static str,
        other: &'static str,
        place: Place,
    ) -> Self {
        Self { mechanism, effect, own, other, place }
    }
}
