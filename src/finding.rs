//! What a reader or the search found in files: a message, its places, and its story.

use std::sync::Arc;

use serde::Serialize;

/// A place in a file that was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct At {
    /// Path as it was given.
    pub file: Arc<str>,
    /// From 1.
    pub line: usize,
    /// The field in the file's own words: `spec.updateStrategy.type`, `X-Fleet Conflicts`.
    pub field: String,
}

/// Whether a finding breaks the promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Two containers can hold one thing, or a rule in the file does not do what it says.
    Violation,
    /// Nothing breaks yet: one of several layers is missing, or a habit that costs.
    Note,
}

/// One step of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// In the orchestrator's own words.
    pub words: String,
    /// What in the files permits it; `None` for what happens to a cluster whatever they say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `TARGET/RESOURCE/HAZARD`, or one of [`codes`].
    pub code: String,
    /// How bad.
    pub level: Level,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where: the line to change first, others that belong to it after.
    pub at: Vec<At>,
    /// How it comes about, shortest first; empty where one look at the file tells.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub story: Vec<Event>,
    /// The line to write.
    pub fix: String,
}

/// Findings that one look at the files tells, without a search.
pub mod codes {
    /// An exclusivity rule that matches none of those it is meant for: a dead anti-affinity
    /// selector, a `Conflicts` glob that names only the unit itself, a budget without pods.
    pub const MATCHES_NOTHING: &str = "rule-matches-nothing";
    /// A rule that the orchestrator reads past without a word: a misspelt key, a dropped field.
    pub const IGNORED: &str = "rule-ignored";
    /// Two controllers whose selectors take each other's pods.
    pub const OVERLAP: &str = "selectors-overlap";
    /// A rule that the scheduler may break: preferred anti-affinity, topology spread.
    pub const SOFT: &str = "rule-soft";
    /// The orchestrator refuses the file, or a part of it.
    pub const REFUSED: &str = "file-refused";
    /// An update or drain that can never finish.
    pub const STUCK: &str = "update-stuck";
    /// One layer alone keeps two containers apart, where a second could be had.
    pub const SINGLE: &str = "layer-single";
    /// A disruption budget that does nothing for the pods it selects.
    pub const BUDGET_IDLE: &str = "budget-idle";
    /// Members that keep a quorum, and no disruption budget.
    pub const NO_BUDGET: &str = "budget-missing";
    /// Several members may share a node, so that one lost node takes several.
    pub const TOGETHER: &str = "members-together";
    /// A volume that serves every pod of a node (ReadWriteOnce), where one pod is meant.
    pub const ONE_NODE: &str = "volume-one-node";
    /// Data of a stateful service that goes with its container.
    pub const EPHEMERAL: &str = "data-ephemeral";
    /// A start that kills whatever container has the name.
    pub const KILLS: &str = "start-kills";
    /// A container that outlives its unit: detached, or never stopped.
    pub const OUTLIVES: &str = "container-outlives";
    /// Less time to stop than the software needs.
    pub const GRACE: &str = "grace-short";
    /// Two members with one explicit id or name.
    pub const ID_REPEATED: &str = "id-repeated";
    /// An id that is right only for the number of members that stands elsewhere in the files.
    pub const ID_BY_HAND: &str = "id-by-hand";
    /// Settings of the very first start that stay for ever.
    pub const BOOTSTRAP: &str = "bootstrap-kept";

    /// All of them.
    pub const ALL: [&str; 18] = [
        MATCHES_NOTHING,
        IGNORED,
        OVERLAP,
        SOFT,
        REFUSED,
        STUCK,
        SINGLE,
        BUDGET_IDLE,
        NO_BUDGET,
        TOGETHER,
        ONE_NODE,
        EPHEMERAL,
        KILLS,
        OUTLIVES,
        GRACE,
        ID_REPEATED,
        ID_BY_HAND,
        BOOTSTRAP,
    ];
}
