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
//! 3. [`plan`] decides everything, one plan for each orchestrator: names, labels, order, waits.
//! 4. [`emit`] prints plans through `templates/`; it decides nothing.
//! 5. [`world`] reads the emitted text back; it knows nothing of any plan.
//! 6. [`certificate`] says of that text what holds every resource under every hazard; what
//!    nothing holds is a gap, which the spec must waive with a reason.
//! 7. [`explore`] searches what a small cluster may do with that text; what breaks and no gap
//!    names is one more gap ([`prove`]). [`verify`] does the same for files of anyone.
//!
//! Beside that way, [`change`] says which of the changes to an older tree cannot simply be applied.
//!
//! Specs are read one by one, and an outline of each is kept (`survey`, `outline`): it says which of
//! them may meet. For each lot of these (`lots`) its specs are read again, and steps 2 to 7 are
//! walked (`parts`), several lots side by side.
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
mod lots;
pub mod model;
mod outline;
mod parts;
mod path;
pub mod plan;
pub mod prove;
pub mod quote;
pub mod schema;
pub mod source;
pub mod spec;
mod survey;
pub mod threads;
pub mod value;
pub mod verify;
pub mod world;

use std::collections::{BTreeMap, BTreeSet};

pub use diag::{Diagnostic, Severity};
pub use emit::Tree;
pub use parts::{Each, Lot, Part};
pub use plan::Target;
pub use source::{Files, Input, Specs};
pub use spec::project::Project;

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
    /// Leave out the search of what was emitted: for who has searched the same bytes before.
    pub skip_search: bool,
    /// Services to work on side by side; 0 is as 1. It changes no result.
    pub threads: usize,
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

/// What a compile found out besides its parts.
pub struct Rest<'a> {
    /// Paths of every file that was read or should have been, as in [`Compiled::read`].
    pub read: BTreeSet<String>,
    /// In the order of their places.
    pub diagnostics: Vec<Diagnostic>,
    /// The names of the services; those with faults too, as far as their names are known.
    pub services: BTreeSet<String>,
    layers: spec::layers::Layers<'a>,
}

impl Rest<'_> {
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
    let (rest, parts) = compile_each(&inputs, files, options, &parts::Whole);
    let Rest { read, diagnostics, layers, .. } = rest;
    let sources = layers.inputs(|_| true);
    let mut models = Vec::new();
    let (mut tree, mut certificates) = (Tree::new(), certificate::Certificates::default());
    for part in parts {
        models.push(part.model);
        tree.extend(part.tree);
        certificates.extend(part.certificates);
    }
    let (model, failed) = (model::Model::joined(models), diag::failed(&diagnostics));
    Compiled { tree: (!failed).then_some(tree), sources, read, diagnostics, model, certificates }
}

/// Compiles `specs` part by part, so that nothing of a part has to be kept but what `each` makes
/// of it; that comes in the order of the services. Of each spec that is not worked on, no more is
/// kept than whom it may meet: about a kilobyte, and what its names and directories are for each
/// member.
pub fn compile_each<'a, E: Each>(
    specs: &'a dyn Specs,
    files: &'a dyn Files,
    options: &Options,
    each: &E,
) -> (Rest<'a>, Vec<E::Kept>) {
    let mut diagnostics = Vec::new();
    let layers = spec::layers::Layers::new(specs, files, options, &mut diagnostics);
    let survey = survey::Survey::of(&layers, options.threads, &mut diagnostics);
    let printer = emit::Printer::new(options, &mut diagnostics);
    let memo = explore::Memo::of_violations();
    let work = parts::Work { survey: &survey, options, printer, memo, faults: &diagnostics };
    let (kept, found) = work.all(each);
    diagnostics.extend(found);
    let (services, read) = survey.known();
    let diagnostics = diag::settle(diagnostics);
    (Rest { read, diagnostics, services, layers }, kept)
}

impl Options {
    /// Tells all of it that a result depends on, list by list; see [`Lot::lists`].
    pub fn lists(&self, tell: &mut dyn FnMut(&[&[u8]])) {
        let Self { targets, bootstrap, templates, project, env, set, partial: _, skip_search: _, threads: _ } =
            self;
        let project = project.iter().flat_map(|p| [&*p.path, &*p.text]);
        let lists: [Vec<&str>; 6] = [
            targets.iter().map(|t| t.name()).collect(),
            bootstrap.iter().map(String::as_str).collect(),
            templates.iter().flat_map(|(name, text)| [&**name, &**text]).collect(),
            project.collect(),
            env.iter().map(String::as_str).collect(),
            set.iter().map(String::as_str).collect(),
        ];
        for list in lists {
            tell(&list.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
        }
    }

    /// Whether `SERVICE/TARGET/…` is of a target that was asked for; all else is wanted always.
    fn wants(&self, path: &str) -> bool {
        let folder = path.split('/').nth(1).unwrap_or_default();
        let target = Target::ALL.into_iter().find(|t| t.name() == folder);
        target.is_none_or(|t| self.targets.is_empty() || self.targets.contains(&t))
    }
}
