//! Findings: what a reader or the search found in files.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::hazard::{CellId, UnknownId};

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct At {
    /// The path, as the caller gave it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// The field in the notation of the file: `spec.updateStrategy.type`, `X-Fleet Conflicts`.
    pub field: String,
}

impl At {
    /// Returns file and line as one text.
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Two containers can hold one resource, or a rule in the file does not work.
    Violation,
    /// Nothing breaks yet, but a protection is missing or a setting is risky.
    Note,
}

/// One step of a story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// What happens, in the terms of the orchestrator.
    pub words: String,
    /// The line that permits it; `None` for events that no file controls, such as a power failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
}

/// The code of a finding, as acceptances write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingId {
    /// A hazard that gives a resource two holders, as the search found: `TARGET/RESOURCE/HAZARD`.
    Cell(CellId),
    /// One of [`codes`]: a fault of a file or of an update that is not about one resource.
    Code(&'static str),
}

impl FindingId {
    /// Returns the code with one name for the identity of a member, as [`CellId::normalized`].
    #[must_use]
    pub fn normalized(self) -> Self {
        match self {
            Self::Cell(cell) => Self::Cell(cell.normalized()),
            code @ Self::Code(_) => code,
        }
    }
}

impl From<CellId> for FindingId {
    fn from(cell: CellId) -> Self {
        Self::Cell(cell)
    }
}

impl From<&'static str> for FindingId {
    /// Takes one of [`codes`].
    fn from(code: &'static str) -> Self {
        Self::Code(code)
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cell(cell) => cell.fmt(f),
            Self::Code(code) => f.write_str(code),
        }
    }
}

impl FromStr for FindingId {
    type Err = UnknownId;

    fn from_str(text: &str) -> Result<Self, UnknownId> {
        match codes::ALL.into_iter().find(|code| *code == text) {
            Some(code) => Ok(Self::Code(code)),
            None => text.parse().map(Self::Cell),
        }
    }
}

impl Serialize for FindingId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PartialEq<&str> for FindingId {
    /// Compares with the code as it is printed.
    fn eq(&self, other: &&str) -> bool {
        other.parse() == Ok(*self)
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The code.
    pub code: FindingId,
    /// The severity.
    pub level: Level,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The lines that cause it. The line to change comes first.
    pub at: Vec<At>,
    /// The shortest sequence of events that leads to it; empty if the file alone shows it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub story: Vec<Event>,
    /// The line to write.
    pub fix: String,
    /// The other violations with the same cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also_by: Vec<Way>,
    /// The other places with the same fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<Alike>,
    /// The name of the member or object that the finding is about; empty if the message does not
    /// need it.
    #[serde(skip)]
    pub subject: String,
    /// The key of its cause; findings of one cause have one key and one fix.
    #[serde(skip)]
    pub cause: Option<String>,
}

/// Another violation with the same cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Way {
    /// The code of this violation.
    pub code: FindingId,
    /// What is wrong, in one sentence.
    pub message: String,
}

/// Another place with the same fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alike {
    /// What is wrong there.
    pub message: String,
    /// The line to change.
    pub at: At,
    /// The line to write.
    pub fix: String,
}

impl Finding {
    /// Makes a finding that needs no search.
    pub fn new(code: impl Into<FindingId>, level: Level, message: String, at: Vec<At>, fix: String) -> Self {
        let (code, subject) = (code.into(), String::new());
        let (story, also_by, alike) = (Vec::new(), Vec::new(), Vec::new());
        Self { code, level, message, at, story, fix, also_by, alike, subject, cause: None }
    }

    /// Returns the code of the finding and those of the other violations with the same cause.
    pub fn codes(&self) -> impl Iterator<Item = FindingId> {
        std::iter::once(self.code).chain(self.also_by.iter().map(|way| way.code))
    }
}

/// Codes of findings that do not need a search.
pub mod codes {
    /// An exclusivity rule that matches nothing: an anti-affinity selector without pods, a
    /// `Conflicts` glob that matches only its own unit, a budget without pods.
    pub const MATCHES_NOTHING: &str = "rule-matches-nothing";
    /// A rule that the orchestrator ignores without a message: a misspelt key, a dropped field.
    pub const IGNORED: &str = "rule-ignored";
    /// Two controllers that select each other's pods.
    pub const OVERLAP: &str = "selectors-overlap";
    /// A rule that the scheduler may ignore: preferred anti-affinity, topology spread.
    pub const SOFT: &str = "rule-soft";
    /// A file that the orchestrator rejects, whole or in part.
    pub const REFUSED: &str = "file-refused";
    /// An update or drain that never finishes.
    pub const STUCK: &str = "update-stuck";
    /// A program whose own settings keep it from starting.
    pub const NEVER: &str = "never-starts";
    /// A single mechanism keeps two containers apart where a second one is available.
    pub const SINGLE: &str = "layer-single";
    /// A disruption budget that does not protect the pods it selects.
    pub const BUDGET_IDLE: &str = "budget-idle";
    /// Quorum members without a disruption budget.
    pub const NO_BUDGET: &str = "budget-missing";
    /// Several members may share a node, so one lost node takes several of them.
    pub const TOGETHER: &str = "members-together";
    /// An update that may stop several members of a quorum at once.
    pub const UPDATE_TOGETHER: &str = "update-together";
    /// A ReadWriteOnce volume for a single pod: all pods of its node can mount it.
    pub const ONE_NODE: &str = "volume-one-node";
    /// Data of a stateful service that is deleted with its container.
    pub const EPHEMERAL: &str = "data-ephemeral";
    /// A start that kills any container with its name.
    pub const KILLS: &str = "start-kills";
    /// A container that keeps running after its unit stopped: detached, or never stopped.
    pub const OUTLIVES: &str = "container-outlives";
    /// A grace period that is shorter than the software needs.
    pub const GRACE: &str = "grace-short";
    /// Two members with the same explicit id or name.
    pub const ID_REPEATED: &str = "id-repeated";
    /// An id that is correct only for one number of members, which another file sets.
    pub const ID_BY_HAND: &str = "id-by-hand";
    /// Settings for the first start that stay in the file.
    pub const BOOTSTRAP: &str = "bootstrap-kept";
    /// A check that ends a server while it is still busy with its first start or a recovery.
    pub const CHECK_KILLS: &str = "check-kills";
    /// A check that needs the other members, although nobody can resolve a member's name before its
    /// check passes.
    pub const CHECK_HIDES: &str = "check-hides-names";
    /// A tag without a version, of software whose data depends on its version.
    pub const TAG_FLOATS: &str = "tag-floats";
    /// A config whose content can change while its name cannot.
    pub const CONFIG_FIXED: &str = "config-fixed";
    /// A change that leaves data behind: a member does not use the place of its old data any more.
    pub const CHANGE_DATA: &str = "change-data";
    /// A change that the orchestrator does not apply: an immutable field.
    pub const CHANGE_REFUSED: &str = "change-refused";
    /// A workload that no file has any more, and that nothing stops.
    pub const CHANGE_RUNNING: &str = "change-running";
    /// Things that a workload refers to and that the files do not contain.
    pub const OUTSIDE: &str = "not-among-files";

    /// A volume of a plugin that may be an empty folder after a crash of the engine.
    pub const ENGINE_CRASH: &str = "engine-crash";

    /// The rule of code scanning for a part that was not searched. It is no finding.
    pub const NOT_SEARCHED: &str = "not-searched";

    /// All codes.
    pub const ALL: [&str; 29] = [
        MATCHES_NOTHING,
        IGNORED,
        OVERLAP,
        SOFT,
        REFUSED,
        STUCK,
        NEVER,
        SINGLE,
        BUDGET_IDLE,
        NO_BUDGET,
        TOGETHER,
        UPDATE_TOGETHER,
        ONE_NODE,
        EPHEMERAL,
        KILLS,
        OUTLIVES,
        GRACE,
        ID_REPEATED,
        ID_BY_HAND,
        BOOTSTRAP,
        CHECK_KILLS,
        CHECK_HIDES,
        TAG_FLOATS,
        CONFIG_FIXED,
        CHANGE_DATA,
        CHANGE_REFUSED,
        CHANGE_RUNNING,
        OUTSIDE,
        ENGINE_CRASH,
    ];
}

/// An acceptance of `berthc.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The code of the finding.
    pub code: String,
    /// The object: `statefulset/db`, `NAMESPACE/statefulset/db`, a service of a stack, or a unit.
    pub object: String,
    /// The end of the path of its file; `None` for any file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The reason.
    pub because: String,
}
