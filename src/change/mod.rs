//! Changes that cannot simply be applied: compares the files in the output folder with the new
//! ones. It reads both as text and knows nothing of the running cluster. A change that the
//! orchestrator refuses is therefore a warning, and a volume that shrinks is an error.

mod fleet;
mod kubernetes;
mod swarm;

use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::emit::Tree;
use crate::model::{Model, Service, units};
use crate::route;

/// Checks the files of `old` whose text differs in `new`. `old` need not contain files that are
/// equal, and must not contain new ones.
pub fn judge(model: &Model, old: &Tree, new: &Tree) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    for (path, before) in old {
        let Some(after) = new.get(path).filter(|after| *after != before) else { continue };
        let mut steps = path.splitn(3, '/');
        let (Some(name), Some(target), Some(file)) = (steps.next(), steps.next(), steps.next()) else {
            continue;
        };
        let Some(service) = model.find(name) else { continue };
        let mut change = Change { model, service, path, out: &mut out };
        match target {
            "kubernetes" => kubernetes::judge(&mut change, before, after),
            "fleet" => fleet::judge(&mut change, file, before, after),
            "swarm" if file.contains('/') => {}
            "swarm" => swarm::judge(&mut change, before, after),
            _ => {}
        }
    }
    swarm::contents(model, old, new, &mut out);
    crate::diag::settle(out)
}

/// One file that changes.
struct Change<'a> {
    model: &'a Model,
    service: &'a Service,
    path: &'a str,
    out: &'a mut Vec<Diagnostic>,
}

impl Change<'_> {
    /// Reports a change that the orchestrator does not apply, with the steps to apply it.
    fn refused(&mut self, place: Place, message: String, why: &str, steps: String) {
        let why = format!("{} holds the older state; {why}", self.path);
        let d = Diagnostic::warning(Code::ApplyRefused, place, message).why(why);
        self.out.push(d.advice(format!("if it is deployed: {steps}")));
    }

    /// Returns whether the data directory `name` shrinks, and reports it.
    fn shrinks(&mut self, name: &str, before: &str, after: &str) -> bool {
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
                .why(format!("{} holds the larger one, and no storage cuts off what is written", self.path))
                .advice("write the old size; or give the data a new name, and move it")
                .advice(format!(
                    "if nothing of it was ever deployed: take {} away and compile again",
                    self.path
                )),
        );
        true
    }

    /// Returns the service that the file belongs to: the one with the same revision, else the
    /// first.
    fn revision(&self, is: impl Fn(&Service) -> bool) -> &Service {
        self.model.revisions(self.service).find(|s| is(s)).unwrap_or(self.service)
    }
}
