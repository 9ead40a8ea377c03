//! berthc compiles one spec of a stateful service to Kubernetes, fleet and Docker Swarm files.
//!
//! # Steps
//!
//! ```text
//! spec text -> Spec -> Model -> Plan -> Tree
//!           parse    check    plan    emit
//! ```
//!
//! 1. [`spec`] reads YAML or TOML into one tree and one [`spec::Spec`], each field with its place.
//! 2. [`model`] says whether it is a valid service: every fault at once, with the line to write.
//! 3. [`target`] decides everything, one plan for each orchestrator: names, labels, order, waits.
//! 4. [`emit`] prints plans through `templates/`; it decides nothing.
//!
//! The library reads no file, no clock and no environment: what a spec reads comes through
//! [`model::Files`], and the result is a [`emit::Tree`] of paths and texts.

pub mod code;
pub mod diag;
pub mod emit;
pub mod model;
pub mod quote;
pub mod source;
pub mod spec;
pub mod target;
pub mod value;

use std::collections::{BTreeMap, BTreeSet};

pub use diag::{Diagnostic, Severity};
pub use emit::Tree;
pub use model::Files;
pub use model::check::Input;
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
}

/// Compiles `inputs`. The tree is there unless an error is among the diagnostics, which come in
/// the order of their places.
pub fn compile(inputs: &[Input], files: &dyn Files, options: &Options) -> (Option<Tree>, Vec<Diagnostic>) {
    let (model, mut diagnostics) = model::check::check(inputs, files);
    let plans = target::plan(&model, options, &mut diagnostics);
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let tree = if failed { None } else { emit::emit(&plans, options, &mut diagnostics) };
    (tree, diag::settle(diagnostics))
}
