//! What a target cannot hold or express for one service.

use crate::diag::Place;

/// Something that a target cannot hold or express for one service.
#[derive(Debug, Clone)]
pub struct Gap {
    /// `TARGET/RESOURCE/HAZARD`, or `TARGET/FIELD.PATH`.
    pub name: String,
    /// What the spec asks for.
    pub place: Place,
    /// What happens, in one line.
    pub message: String,
    /// Why.
    pub why: String,
    /// Ways out other than a waiver: text and line.
    pub fixes: Vec<(String, String)>,
}

impl Gap {
    /// Makes a gap whose only way out is a waiver.
    pub fn new(
        name: impl Into<String>,
        place: Place,
        message: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), place, message: message.into(), why: why.into(), fixes: Vec::new() }
    }

    /// Adds a way out.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>, line: impl Into<String>) -> Self {
        self.fixes.push((text.into(), line.into()));
        self
    }
}
