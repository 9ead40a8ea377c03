//! A file that changes, and the errors that several orchestrators share.

use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::model::{Model, Service};
use crate::route;
use crate::text::units;

/// A file that changes.
pub(super) struct Change<'a> {
    pub(super) model: &'a Model,
    pub(super) service: &'a Service,
    pub(super) path: &'a str,
    /// Whether the data of the service moves on this target. The steps of that move already
    /// recreate the claims and volumes.
    pub(super) moves: bool,
    pub(super) out: &'a mut Vec<Diagnostic>,
}

impl Change<'_> {
    /// Reports a change that the orchestrator does not apply, with the steps to apply it.
    pub(super) fn refused(&mut self, place: Place, message: String, why: &str, steps: String) {
        let why = format!("{} holds the older state; {why}", self.path);
        let d = Diagnostic::warning(Code::ApplyRefused, place, message).why(why);
        self.out.push(d.advice(format!("if it is deployed: {steps}")));
    }

    /// Returns whether the data directory `name` shrinks, and reports it.
    pub(super) fn shrinks(&mut self, name: &str, before: &str, after: &str) -> bool {
        let bytes = |text: &str| units::bytes(text).unwrap_or_default();
        if bytes(after) >= bytes(before) {
            return false;
        }
        let data = route!["exclusive", "data", name];
        let volume = data.at("volume").at("size");
        let route = if self.service.source.has(&volume) { volume } else { data.at("size") };
        let message = format!("{name} of {} shrinks from {before} to {after}", self.service.name);
        self.out.push(
            Diagnostic::error(Code::VolumeShrinks, self.service.place(&route), message)
                .why(format!("{} has the larger size, and no storage can make a volume smaller", self.path))
                .advice("write the old size; or give the data a new name, and move it")
                .advice(format!("if it was never deployed: delete {} and compile again", self.path)),
        );
        true
    }

    /// Returns the service that the file belongs to: the one with the same revision, else the
    /// first.
    pub(super) fn revision(&self, is: impl Fn(&Service) -> bool) -> &Service {
        self.model.revisions(self.service).find(|s| is(s)).unwrap_or(self.service)
    }
}
