//! Compiles specs to files and certificates.
//!
//! [`compile`] returns everything at once. [`compile_each`] hands over one batch of services at a time
//! and forgets it, so memory does not grow with thousands of specs:
//!
//! | step | file |
//! |---|---|
//! | read each spec once, keep a summary | `index`, `summary` |
//! | group services that can compete for one resource | `batch` |
//! | compile each batch, in parallel | `pipeline` |
//! | compare the certificate with the search | `cross_check` |

mod batch;
mod cross_check;
mod index;
mod notes;
mod pipeline;
mod summary;

use std::collections::BTreeSet;

use crate::certificate::Certificates;
use crate::diag::{self, Diagnostic, Severity};
use crate::emit::{Printer, Tree};
use crate::explore::Memo;
use crate::input::{Files, Input, Specs};
use crate::model::Model;
use crate::options::Options;
use crate::spec::layers::Layers;
use pipeline::Pipeline;
pub use pipeline::{Batch, Output, Sink};

/// The result of [`compile`].
#[derive(Debug)]
pub struct Compiled {
    /// The files to write; `None` if there are errors.
    pub tree: Option<Tree>,
    /// The texts that the places of `diagnostics` point into, the inputs first.
    pub sources: Vec<Input>,
    /// The paths of all files that were read or are missing: specs, their bases, the files that they
    /// name, `berthc.toml`. Templates are not included.
    pub read: BTreeSet<String>,
    /// The errors and warnings, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
    /// The notes, sorted by place.
    pub notes: Vec<Diagnostic>,
    /// The services that could be read; some may have errors.
    pub model: Model,
    /// The certificates of the services. A service with errors has none.
    pub certificates: Certificates,
}

/// The result of [`compile_each`] besides its outputs.
pub struct Report<'a> {
    /// The paths of all files that were read or are missing, as in [`Compiled::read`].
    pub read: BTreeSet<String>,
    /// The errors and warnings, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
    /// The notes, sorted by place.
    pub notes: Vec<Diagnostic>,
    /// The names of all services, also of those with errors if the name is known.
    pub services: BTreeSet<String>,
    layers: Layers<'a>,
}

impl Report<'_> {
    /// Returns all source texts by number. Only those that the places of `diagnostics` point into are
    /// read again; the others are empty.
    pub fn sources(&self, diagnostics: &[Diagnostic]) -> Vec<Input> {
        let places = diagnostics.iter().flat_map(|d| d.related.iter().map(|r| r.0).chain([d.place]));
        let wanted: BTreeSet<usize> = places.map(|place| place.source).collect();
        self.layers.inputs(|source| wanted.contains(&source))
    }
}

/// Compiles all `inputs` at once and keeps everything in memory.
///
/// ```
/// use berthc::{Files, Input, Options, compile};
///
/// /// The specs below name no files.
/// struct NoFiles;
///
/// impl Files for NoFiles {
///     fn read(&self, path: &str) -> Result<Vec<u8>, String> {
///         Err(format!("{path} does not exist"))
///     }
/// }
///
/// let text = r#"
/// service: cache
/// image: docker.io/library/redis:7.4.1
/// members: { count: 1 }
/// exclusive:
///   data: { data: { mount: /data, volume: { backend: aws-ebs, size: 10Gi } } }
///   ports: { client: 6379 }
/// targets: { kubernetes: { version: "1.34", namespace: db } }
/// "#;
/// let spec = Input { path: "cache.yaml".to_owned(), text: text.to_owned() };
/// let compiled = compile(&[spec], &NoFiles, &Options::default());
///
/// assert!(compiled.diagnostics.is_empty());
/// let tree = compiled.tree.unwrap();
/// assert!(tree["cache/kubernetes/statefulset.yaml"].contains("kind: StatefulSet"));
/// ```
pub fn compile(inputs: &[Input], files: &dyn Files, options: &Options) -> Compiled {
    let (report, outputs) = compile_each(&inputs, files, options, &pipeline::Whole);
    let Report { read, diagnostics, notes, layers, .. } = report;
    let sources = layers.inputs(|_| true);
    let mut models = Vec::new();
    let (mut tree, mut certificates) = (Tree::new(), Certificates::default());
    for output in outputs {
        models.push(output.model);
        tree.extend(output.tree);
        certificates.extend(output.certificates);
    }
    let (model, failed) = (Model::joined(models), diag::failed(&diagnostics));
    Compiled { tree: (!failed).then_some(tree), sources, read, diagnostics, notes, model, certificates }
}

/// Compiles `specs` batch by batch. Of each batch only the value that `sink` returns is kept; these
/// values come in the order of the services. Of each spec about one kilobyte stays in memory.
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
    let pipeline = Pipeline { index: &index, options, printer, memo, faults: &diagnostics };
    let (kept, found) = pipeline.all(sink);
    diagnostics.extend(found);
    let (services, read) = index.known();
    let of_note = |d: &Diagnostic| d.severity == Severity::Note;
    let (notes, diagnostics) = diag::merge_duplicates(diagnostics).into_iter().partition(of_note);
    (Report { read, diagnostics, notes, services, layers }, kept)
}
