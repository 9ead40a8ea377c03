//! What a compile is asked for besides its specs.

use std::collections::{BTreeMap, BTreeSet};

use crate::spec::source::Input;
use crate::target::Target;

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

impl Options {
    /// Tells all of it that a result depends on, list by list; see [`Batch::hash_inputs`].
    pub fn hash_inputs(&self, tell: &mut dyn FnMut(&[&[u8]])) {
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
    pub fn wants(&self, path: &str) -> bool {
        let folder = path.split('/').nth(1).unwrap_or_default();
        let target = Target::ALL.into_iter().find(|t| t.name() == folder);
        target.is_none_or(|t| self.targets.is_empty() || self.targets.contains(&t))
    }
}
