//! Changes that cannot simply be applied: compares the files in the output folder with the new
//! ones. It reads both as text and knows nothing of the running cluster. A change that the
//! orchestrator refuses is therefore a warning, and a volume that shrinks is an error.

mod file;
mod fleet;
mod kubernetes;
mod swarm;

use crate::diag::Diagnostic;
use crate::emit::Tree;
use crate::model::Model;
use crate::target::Target;
use file::Change;

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
        match Target::ALL.into_iter().find(|t| t.name() == target) {
            Some(Target::Kubernetes) => kubernetes::judge(&mut change, before, after),
            Some(Target::Fleet) => fleet::judge(&mut change, file, before, after),
            // The folders of a stack hold the contents of its configs.
            Some(Target::Swarm) if file.contains('/') => {}
            Some(Target::Swarm) => swarm::judge(&mut change, before, after),
            None => {}
        }
    }
    swarm::contents(model, old, new, &mut out);
    crate::diag::settle(out)
}
