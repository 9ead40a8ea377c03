//! Checks a spec and turns it into a valid service. It collects every error. A block that cannot be
//! understood makes the service unusable; the other blocks are still checked.

mod annotations;
mod blanks;
mod bootstrap;
mod checker;
mod clients;
mod cross;
mod exclusive;
mod health;
mod image;
mod members;
mod neighbour;
mod notes;
mod process;
mod service;
mod targets;
mod values;
mod whole;
mod words;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use blanks::is_blank;
use checker::Checker;
pub use checker::value_fault;
pub use cross::on_ids;
pub use neighbour::{Placement, ancestors, on_nodes};

use super::{Model, Service};
use crate::code::Code;
use crate::diag::{Diagnostic, Place, failed};
use crate::spec::Spec;
use crate::spec::de;
use crate::spec::layers::{Layered, Layers, Loaded};
use crate::spec::source::Source;
use crate::spec::words::foreign;

/// The result of checking one spec.
#[derive(Debug)]
pub struct Checked {
    /// The service, as far as the spec could be understood. It may be emitted only if there are no
    /// errors.
    pub service: Option<Service>,
    /// The name of the service if it has errors, as far as it is known.
    pub invalid: Option<String>,
    /// The paths of the other files that were read, or could not be read.
    pub read: BTreeSet<String>,
    /// The errors.
    pub faults: Vec<Diagnostic>,
    /// The total size of its texts in bytes, including the files that it names.
    pub bytes: usize,
}

/// Reads spec number `index` and checks it without the others.
pub fn alone(index: usize, layers: &Layers<'_>) -> Checked {
    let Loaded { spec, read, mut faults } = layers.load(index);
    let Layered { root, layers: from, texts, start, digest } = match spec {
        Ok(layered) => layered,
        Err(invalid) => return Checked { service: None, invalid, read, faults, bytes: 0 },
    };
    if let Some(what) = foreign(&root) {
        let place = Place::new(root.place.source, root.place.start, root.place.start);
        let d = Diagnostic::error(Code::NotASpec, place, format!("this is {what}, not a spec"));
        faults.push(d.advice("`berthc verify` reads it; `berthc init` prints a spec to start from"));
        return Checked { service: None, invalid: None, read, faults, bytes: 0 };
    }
    let (spec, removed) = de::read::<Spec>("a spec", &texts, &root, &mut faults);
    let path = texts.get(index).map_or_else(String::new, |own| own.path.clone());
    let gone = removed.items;
    let source = Arc::new(Source { index, layers: from, start, path, root: Some(root), gone });
    let (files, images) = (layers.files(), layers.images());
    let (removed, uses) = (removed.keys, Vec::new());
    let mut checker = Checker { source, texts, files, images, read, digest, removed, uses, out: faults };
    let name = spec.as_ref().and_then(|s| s.service.clone());
    let blank = blanks::any(&mut checker);
    let mut service = spec.filter(|_| !blank).and_then(|spec| service::service(&mut checker, spec));
    let invalid = name.filter(|_| service.is_none() || failed(&checker.out));
    // An unresolved name in a value does not make the service invalid for other specs, so this runs
    // after `invalid` is set.
    service.iter_mut().for_each(|s| values::values(&mut checker, s));
    let files = service.iter().filter_map(Service::workload).flat_map(|w| &w.files);
    let bytes = files.map(|file| file.content.text.len()).sum::<usize>() + checker.texts.bytes();
    Checked { service, invalid, read: checker.read, faults: checker.out, bytes }
}

/// Checks the services `batch` of `model` against one another and against the services that they
/// name.
pub fn together(model: &Model, batch: &[usize], out: &mut Vec<Diagnostic>) {
    cross::check(model, batch, out);
    neighbour::check(model, batch, out);
}
