//! berthc compiles one spec of a stateful service to Kubernetes, fleet and Docker Swarm files.
//!
//! # Steps
//!
//! ```text
//! spec text -> Spec -> Model -> Plan -> Tree -> World -> Certificate
//!           parse    check    plan    emit    read     certify
//! ```
//!
//! 1. [`spec`] reads YAML or TOML into one tree and one [`spec::Spec`], each field with its place.
//! 2. [`model`] says whether it is a valid service: every fault at once, with the line to write.
//! 3. [`target`] decides everything, one plan for each orchestrator: names, labels, order, waits.
//! 4. [`emit`] prints plans through `templates/`; it decides nothing.
//! 5. [`world`] reads the emitted text back; it knows nothing of any plan.
//! 6. [`certificate`] says of that text what holds every resource under every hazard; what
//!    nothing holds is a gap, which the spec must waive with a reason.
//!
//! Beside that way, [`change`] says which of the changes to an older tree cannot simply be applied.
//!
//! The library reads no file, no clock and no environment: what a spec reads comes through
//! [`source::Files`], and the result is a [`emit::Tree`] of paths and texts. [`Compiled::read`]
//! names every file behind it, for `cargo::rerun-if-changed` and its like.

pub mod certificate;
pub mod change;
pub mod code;
pub mod diag;
pub mod emit;
pub mod explain;
pub mod explore;
pub mod finding;
pub mod model;
pub mod quote;
pub mod source;
pub mod spec;
pub mod target;
pub mod value;
pub mod verify;
pub mod world;

use std::collections::{BTreeMap, BTreeSet};

pub use diag::{Diagnostic, Severity};
pub use emit::Tree;
pub use source::{Files, Input};
pub use spec::project::Project;
pub use target::Target;

/// What a compile is asked for besides its specs.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Emit only for these; empty means all that the specs name. Waivers are judged over all
    /// targets of a spec, whatever stands here.
    pub targets: BTreeSet<Target>,
    /// Services whose `bootstrap.env` is emitted: their very first start.
    pub bootstrap: BTreeSet<String>,
    /// Templates that stand in for berthc's own, by name (`kubernetes/statefulset.yaml.j2`).
    pub templates: BTreeMap<String, String>,
    /// `berthc.toml`: what the project says for all of its specs. Its `specs`, `out` and
    /// `templates` are for whoever reads and writes files; see [`Project`].
    pub project: Option<Input>,
    /// The environment of the project whose overrides are laid over the specs.
    pub env: Option<String>,
    /// Overrides `[SERVICE:]PATH=VALUE`, one line each, laid over all else in this order.
    pub set: Vec<String>,
    /// The inputs are not all specs of the project: an environment may speak of others.
    pub partial: bool,
}

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
    pub model: model::Model,
    /// What holds what; services with faults have none.
    pub certificates: certificate::Certificates,
}

/// Compiles `inputs`. The tree is there unless an error is among the diagnostics, which come in
/// the order of their places.
pub fn compile(inputs: &[Input], files: &dyn Files, options: &Options) -> Compiled {
    let mut diagnostics = Vec::new();
    let mut loaded = spec::layers::layered(inputs, files, options, &mut diagnostics);
    let model = model::check::check(&mut loaded, files, &mut diagnostics);
    let target::Plans { pages, mut gaps } = target::plan(&model, options, &mut diagnostics);
    let sound = !diagnostics.iter().any(|d| d.severity == Severity::Error);
    let mut printing = Vec::new();
    let mut tree = emit::emit(&pages, options, &mut printing);
    // What a faulty spec prints is nobody's business.
    diagnostics.extend(printing.into_iter().filter(|_| sound));
    let certificates = certificate::certify(&model, &tree, &diagnostics);
    gaps.extend(certificates.gaps(&model, &gaps));
    target::waivers(&model, &gaps, |s| certificates.has(s), &mut diagnostics);
    tree.extend(emit::emit(&certificates.pages(&model, &gaps), options, &mut diagnostics));
    tree.retain(|path, _| options.wants(path));
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let diagnostics = diag::settle(diagnostics);
    let spec::layers::Loaded { sources, read, .. } = loaded;
    Compiled { tree: (!failed).then_some(tree), sources, read, diagnostics, model, certificates }
}

impl Options {
    /// Whether `SERVICE/TARGET/…` is of a target that was asked for; all else is wanted always.
    fn wants(&self, path: &str) -> bool {
        let folder = path.split('/').nth(1).unwrap_or_default();
        let target = Target::ALL.into_iter().find(|t| t.name() == folder);
        target.is_none_or(|t| self.targets.is_empty() || self.targets.contains(&t))
    }
}
