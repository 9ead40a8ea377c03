//! Options of a compile.

use std::collections::{BTreeMap, BTreeSet};

use crate::input::Input;
use crate::target::Target;

/// Options of a compile, besides its specs.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The targets to emit; empty means all targets that the specs name. Waivers are always checked
    /// against all targets of a spec.
    pub targets: BTreeSet<Target>,
    /// The services that start for the first time: their `bootstrap.env` is emitted.
    pub bootstrap: BTreeSet<String>,
    /// Custom templates by name (`kubernetes/statefulset.yaml.j2`). They replace berthc's own.
    pub templates: BTreeMap<String, String>,
    /// The text of `berthc.toml`: settings for all specs of the project. The library ignores its
    /// `specs`, `out` and `templates`, which concern the caller; see `berthc::Project`.
    pub project: Option<Input>,
    /// The environment in `berthc.toml` whose overrides apply to the specs.
    pub env: Option<String>,
    /// Overrides `[SERVICE:]PATH=VALUE`. They apply after everything else, in this order.
    pub set: Vec<String>,
    /// Whether the inputs are only some specs of the project. The environment may then name
    /// services that are missing.
    pub partial: bool,
    /// Whether to skip the search of the emitted files, because the caller has searched the same
    /// bytes before.
    pub skip_search: bool,
    /// The number of threads; 0 means 1. It does not change the result.
    pub threads: usize,
}

impl Options {
    /// Passes every option that determines the output to `add`; see `Batch::hash_inputs`.
    pub fn hash_inputs(&self, add: &mut dyn FnMut(&[&[u8]])) {
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
            add(&list.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
        }
    }

    /// Returns whether the file at `SERVICE/TARGET/…` belongs to a requested target. Other paths
    /// always do.
    pub fn wants(&self, path: &str) -> bool {
        let folder = path.split('/').nth(1).unwrap_or_default();
        let target = Target::ALL.into_iter().find(|t| t.name() == folder);
        target.is_none_or(|t| self.targets.is_empty() || self.targets.contains(&t))
    }
}
