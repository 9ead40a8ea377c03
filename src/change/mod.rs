//! Compares the files in the output folder with the new files, and reports changes that cannot
//! simply be applied. It reads both as text and does not know the running cluster. A change that
//! the orchestrator refuses is therefore a warning. A volume that shrinks, and a change that leaves
//! data behind, is an error.

mod file;
mod files;
mod fleet;
mod home;
mod kind;
mod kubernetes;
mod left;
mod objects;
mod steps;
mod swarm;

use std::collections::BTreeSet;

use crate::diag::Diagnostic;
use crate::emit::Tree;
use crate::model::Model;
use crate::target::Target;
use file::Change;
pub use files::files;
pub use left::Renamed;

/// Compares the older files `old` of the services of `model` with the `new` ones. Changes in
/// `accepted` (`SERVICE/NAME`) may leave data behind.
pub fn judge(model: &Model, old: &Tree, new: &Tree, accepted: &BTreeSet<String>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    let moved = left::judge(model, (old, new), accepted, &mut out);
    for (path, before) in old {
        let Some(after) = new.get(path).filter(|after| *after != before) else { continue };
        let mut steps = path.splitn(3, '/');
        let (Some(name), Some(target), Some(file)) = (steps.next(), steps.next(), steps.next()) else {
            continue;
        };
        let Some(service) = model.find(name) else { continue };
        let target = Target::ALL.into_iter().find(|t| t.name() == target);
        let moves = target.is_some_and(|target| moved.contains(&(name.to_owned(), target)));
        let mut change = Change { model, service, path, moves, out: &mut out };
        match target {
            Some(Target::Kubernetes) => kubernetes::judge(&mut change, before, after),
            Some(Target::Fleet) => fleet::judge(&mut change, file, before, after),
            // The folders of a stack hold the contents of its configs.
            Some(Target::Swarm) if file.contains('/') => {}
            Some(Target::Swarm) => swarm::judge(&mut change, before, after),
            None => {}
        }
    }
    swarm::contents(model, old, new, &mut out);
    crate::diag::merge_duplicates(out)
}

/// Reports a service that had another name when the files `old` were written. `None` if it had no
/// data.
pub fn renamed(service: &Renamed<'_>, old: &Tree, accepted: &BTreeSet<String>) -> Option<Diagnostic> {
    left::renamed(service, old, accepted)
}
