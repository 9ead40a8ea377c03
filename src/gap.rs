//! Gaps: what a target cannot protect or express for one service.

use std::fmt;
use std::str::FromStr;

use crate::diag::Place;
use crate::hazard::{CellId, Hazard, Resource, UnknownId};
use crate::target::Target;

/// The name of a gap, as waivers write it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GapId {
    /// A hazard that the target does not protect against: `TARGET/RESOURCE/HAZARD`.
    Cell(CellId),
    /// A field that the target cannot express: `TARGET/FIELD.PATH`.
    Field {
        /// The orchestrator.
        target: Target,
        /// The route of the field in the spec, its steps joined by dots.
        path: String,
    },
}

impl GapId {
    /// Makes the id of a hazard that `target` does not protect against.
    pub fn cell(target: Target, resource: Resource, hazard: Hazard) -> Self {
        Self::Cell(CellId { target, resource, hazard })
    }

    /// Makes the id of a field that `target` cannot express.
    pub fn field(target: Target, path: impl Into<String>) -> Self {
        Self::Field { target, path: path.into() }
    }

    /// Returns the orchestrator.
    pub fn target(&self) -> Target {
        match self {
            Self::Cell(cell) => cell.target,
            Self::Field { target, .. } => *target,
        }
    }
}

impl fmt::Display for GapId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cell(cell) => cell.fmt(f),
            Self::Field { target, path } => write!(f, "{}/{path}", target.name()),
        }
    }
}

impl FromStr for GapId {
    type Err = UnknownId;

    /// Parses a name. A name that is no cell is a field. The plan of its target checks whether the
    /// spec has that field.
    fn from_str(text: &str) -> Result<Self, UnknownId> {
        if let Ok(cell) = text.parse() {
            return Ok(Self::Cell(cell));
        }
        let field = text.split_once('/').and_then(|(target, path)| Some((Target::named(target)?, path)));
        field.map(|(target, path)| Self::field(target, path)).ok_or_else(|| UnknownId(text.to_owned()))
    }
}

/// A resource that a target cannot protect, or a field that it cannot express, for one service.
#[derive(Debug, Clone)]
pub struct Gap {
    /// The name.
    pub id: GapId,
    /// The place in the spec that asks for it.
    pub place: Place,
    /// What happens, in one line.
    pub message: String,
    /// Why.
    pub why: String,
    /// The fixes other than a waiver: text and line.
    pub fixes: Vec<(String, String)>,
    /// Whether a pin of the members closes it.
    pub pin: bool,
    /// The gaps that a way out opens: the way, and the gap.
    pub opens: Vec<(&'static str, GapId)>,
}

impl Gap {
    /// Makes a gap without fixes: it needs a waiver.
    pub fn new(id: GapId, place: Place, message: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            id,
            place,
            message: message.into(),
            why: why.into(),
            fixes: Vec::new(),
            pin: false,
            opens: Vec::new(),
        }
    }

    /// Adds a pin to `label` on its target as a way out, which opens another gap.
    #[must_use]
    pub fn pin(mut self, label: &str, opens: Option<GapId>) -> Self {
        let target = self.id.target();
        let line = format!("targets: {{ {}: {{ pin: {label} }} }}", target.name());
        self.pin = true;
        self.opens.extend(opens.map(|id| ("pins", id)));
        self.fix(format!("pin each member to one node on {target}"), line)
    }

    /// Adds a fix.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>, line: impl Into<String>) -> Self {
        self.fixes.push((text.into(), line.into()));
        self
    }
}
