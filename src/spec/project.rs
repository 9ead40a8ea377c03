//! `berthc.toml`: what a project says once for all of its specs.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;

use super::node::{Kind, Node, load};
use super::{Spec, TargetsSpec, de};
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::spec::source::{Input, Texts};

/// Its name.
pub const FILE: &str = "berthc.toml";

/// The file as written.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    specs: Option<Vec<String>>,
    out: Option<String>,
    templates: Option<String>,
    targets: Option<TargetsSpec>,
    env: Option<IndexMap<String, EnvFile>>,
}

/// `env.NAME` as written.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EnvFile {
    out: Option<String>,
    set: Option<IndexMap<String, Spec>>,
}

/// A project: paths are relative to its file, and every field may be absent.
#[derive(Debug, Clone)]
pub struct Project {
    /// Patterns of the specs: `specs/*.yaml`, or a folder.
    pub specs: Vec<String>,
    /// Folder to write below.
    pub out: Option<String>,
    /// Folder with templates.
    pub templates: Option<String>,
    /// Environments by name, each with its own folder to write below.
    pub envs: IndexMap<String, Option<String>>,
    /// The tree, for what is laid under and over specs.
    root: Node,
}

impl Project {
    /// Reads a `berthc.toml`, whose text is number `source` of the sources.
    ///
    /// # Errors
    /// Every fault, at its place.
    pub fn read(input: &Input, source: usize) -> Result<Self, Vec<Diagnostic>> {
        let root = match load(source, FILE, &input.text) {
            Ok(root) => root,
            // A file that says nothing says where the project is.
            Err(fault) if fault.code == Code::Empty.as_str() => {
                Node { place: fault.place, kind: Kind::Map(Vec::new()) }
            }
            Err(fault) => return Err(vec![*fault]),
        };
        let (mut faults, mut texts) = (Vec::new(), Texts::default());
        texts.add(source, Arc::new(input.clone()));
        let (file, _) = de::read::<File>(FILE, &texts, &root, &mut faults);
        let File { specs, out, templates, targets: _, env } = match file {
            Some(file) if faults.is_empty() => file,
            _ => return Err(faults),
        };
        let envs = env.unwrap_or_default().into_iter().map(|(name, EnvFile { out, set: _ })| (name, out));
        Ok(Self { specs: specs.unwrap_or_default(), out, templates, envs: envs.collect(), root })
    }

    /// `targets`: laid under every spec.
    pub(super) fn targets(&self) -> Option<&Node> {
        self.root.get("targets")
    }

    /// `env.NAME.set`: laid over specs, by service.
    pub(super) fn set(&self, env: &str) -> Option<&Node> {
        self.root.get("env")?.get(env)?.get("set")
    }
}
