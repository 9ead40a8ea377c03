//! Compiles specs, service by service or all at once.

mod batch;
mod cross_check;
mod index;
mod pipeline;
mod summary;

use std::collections::BTreeSet;

use crate::certificate::Certificates;
use crate::diag::{self, Diagnostic};
use crate::emit::{Printer, Tree};
use crate::explore::Memo;
use crate::model::Model;
use crate::options::Options;
use crate::spec::layers::Layers;
use crate::spec::source::{Files, Input, Specs};
pub use pipeline::{Batch, Output, Sink};

/// All that one compile found out.
#[derive(Debug)]
pub struct Compiled {
    /// What to write; `None` when an error is among the diagnostics.
    pub tree: Option<Tree>,
    /// Every text that the places of diagnostics point into; the inputs come first.
    pub sources: Vec<Input>,
    /// Paths of every file that was read or should have been, `templates` apart: specs, their
    /// bases, the files they name, `berthc.toml`.
    pub read: BTreeSet<String>,
    /// In the order of their places.
    pub diagnostics: Vec<Diagnostic>,
    /// The services, valid or nearly.
    pub model: Model,
    /// What holds what; services with faults have none.
    pub certificates: Certificates,
}

/// What a compile found out besides its parts.
pub struct Report<'a> {
    /// Paths of every file that was read or should have been, as in [`Compiled::read`].
    pub read: BTreeSet<String>,
    /// In the order of their places.
    pub diagnostics: Vec<Diagnostic>,
    /// The names of the services; those with faults too, as far as their names are known.
    pub services: BTreeSet<String>,
    layers: Layers<'a>,
}

impl Report<'_> {
    /// Every text that the places of `diagnostics` point into, by its number. All else is not read
    /// again, and its text is empty.
    pub fn sources(&self, diagnostics: &[Diagnostic]) -> Vec<Input> {
        let places = diagnostics.iter().flat_map(|d| d.related.iter().map(|r| r.0).chain([d.place]));
        let wanted: BTreeSet<usize> = places.map(|place| place.source).collect();
        self.layers.inputs(|source| wanted.contains(&source))
    }
}

/// Compiles `inputs`. The tree is there unless an error is among the diagnostics, which come in
/// the order of their places.
pub fn compile(inputs: &[Input], files: &dyn Files, options: &Options) -> Compiled {
    let (rest, parts) = compile_each(&inputs, files, options, &pipeline::Whole);
    let Report { read, diagnostics, layers, .. } = rest;
    let sources = layers.inputs(|_| true);
    let mut models = Vec::new();
    let (mut tree, mut certificates) = (Tree::new(), Certificates::default());
    for part in parts {
        models.push(part.model);
        tree.extend(part.tree);
        certificates.extend(part.certificates);
    }
    let (model, failed) = (Model::joined(models), diag::failed(&diagnostics));
    Compiled { tree: (!failed).then_some(tree), sources, read, diagnostics, model, certificates }
}

/// Compiles `specs` part by part, so that nothing of a part has to be kept but what `each` makes
/// of it; that comes in the order of the services. Of each spec that is not worked on, no more is
/// kept than whom it may meet: about a kilobyte, and what its names and directories are for each
/// member.
pub fn compile_each<'a, S: Sink>(
    specs: &'a dyn Specs,
    files: &'a dyn Files,
    options: &Options,
    sink: &S,
) -> (Report<'a>, Vec<S::T>) {
    let mut diagnostics = Vec::new();
    let layers = Layers::new(specs, files, options, &mut diagnostics);
    let index = index::Index::of(&layers, options.threads, &mut diagnostics);
    let printer = Printer::new(options, &mut diagnostics);
    let memo = Memo::of_violations();
    let work = pipeline::Pipeline { index: &index, options, printer, memo, faults: &diagnostics };
    let (kept, found) = work.all(sink);
    diagnostics.extend(found);
    let (services, read) = index.known();
    let diagnostics = diag::settle(diagnostics);
    (Report { read, diagnostics, services, layers }, kept)
}
