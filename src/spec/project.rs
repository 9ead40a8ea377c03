//! `berthc.toml`: the settings that all specs of a project share.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;

use super::load::load;
use super::node::{Kind, Node};
use super::{Spec, TargetsSpec, de};
use crate::code::Code;
use crate::diag::{Diagnostic, note_codes};
use crate::finding::Accept;
use crate::images::Image;
use crate::input::{Input, Texts};

/// The file name.
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
    image: Option<Vec<Image>>,
    ignore: Option<Vec<String>>,
    verify: Option<VerifyFile>,
}

/// The table `verify` as written.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct VerifyFile {
    accept: Vec<Accept>,
    quiet: Vec<String>,
}

/// The table `env.NAME` as written.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct EnvFile {
    out: Option<String>,
    set: Option<IndexMap<String, Spec>>,
}

/// A project. Paths are relative to its file, and every field is optional.
#[derive(Debug, Clone)]
pub struct Project {
    /// The patterns of the specs: `specs/*.yaml`, or a folder.
    pub specs: Vec<String>,
    /// The folder for the output.
    pub out: Option<String>,
    /// The folder with custom templates.
    pub templates: Option<String>,
    /// The environments by name, each with its own folder for the output.
    pub envs: IndexMap<String, Option<String>>,
    /// The project's own images. They have precedence over the built-in ones.
    pub images: Vec<Image>,
    /// The codes of the notes that a compile leaves out.
    pub ignore: Vec<String>,
    /// The findings of `verify` that the project accepts, by object.
    pub accepts: Vec<Accept>,
    /// The kinds of Kubernetes that start no pods with data: `GROUP`, or `GROUP/KIND`.
    pub quiet: Vec<String>,
    /// The tree, for the layers below and above the specs.
    root: Node,
}

impl Project {
    /// Reads a `berthc.toml`, which is text number `source`.
    ///
    /// ```
    /// use berthc::{Input, Project};
    ///
    /// let text = "specs = [\"specs/*.yaml\"]\nout = \"deploy\"\n".to_owned();
    /// let project = Project::read(&Input { path: "berthc.toml".to_owned(), text }, 0).unwrap();
    /// assert_eq!(project.out.as_deref(), Some("deploy"));
    /// ```
    ///
    /// # Errors
    /// Every error, with its place.
    pub fn read(input: &Input, source: usize) -> Result<Self, Vec<Diagnostic>> {
        let root = match load(source, FILE, &input.text) {
            Ok(root) => root,
            // An empty file is valid: it marks the folder of the project.
            Err(fault) if fault.code == Code::Empty.as_str() => {
                Node { place: fault.place, kind: Kind::Map(Vec::new()) }
            }
            Err(fault) => return Err(vec![*fault]),
        };
        let (mut faults, mut texts) = (Vec::new(), Texts::default());
        texts.add(source, Arc::new(input.clone()));
        let (file, _) = de::read::<File>(FILE, &texts, &root, &mut faults);
        let list = root.get("verify").and_then(|verify| verify.get("accept"));
        let entries = file.iter().flat_map(|f| &f.verify).flat_map(|v| &v.accept);
        if let Some(list) = list.filter(|_| entries.into_iter().any(|a| a.because.trim().is_empty())) {
            let d = Diagnostic::error(Code::AcceptShape, list.place, "an acceptance has no reason");
            faults.push(d.fix("say why", "because = \"the volumes are made by hand\""));
        }
        for (i, code) in file.iter().flat_map(|f| &f.ignore).flatten().enumerate() {
            if !note_codes().any(|known| known == code) {
                let list = root.get("ignore").map(|list| (&list.kind, list.place));
                let at = match list {
                    Some((Kind::Seq(items), place)) => items.get(i).map_or(place, |item| item.place),
                    _ => root.place,
                };
                let d = Diagnostic::error(Code::BadValue, at, format!("no note has the code `{code}`"));
                faults.push(d.fix("one of", note_codes().collect::<Vec<_>>().join(", ")));
            }
        }
        let File { specs, out, templates, targets: _, env, image, ignore, verify } = match file {
            Some(file) if faults.is_empty() => file,
            _ => return Err(faults),
        };
        let envs = env.unwrap_or_default().into_iter().map(|(name, EnvFile { out, set: _ })| (name, out));
        let (specs, images) = (specs.unwrap_or_default(), image.unwrap_or_default());
        let VerifyFile { accept: accepts, quiet } = verify.unwrap_or_default();
        let ignore = ignore.unwrap_or_default();
        Ok(Self { specs, out, templates, envs: envs.collect(), images, ignore, accepts, quiet, root })
    }

    /// Returns `targets`, the layer below every spec.
    pub(super) fn targets(&self) -> Option<&Node> {
        self.root.get("targets")
    }

    /// Returns `env.NAME.set`, the overrides by service.
    pub(super) fn set(&self, env: &str) -> Option<&Node> {
        self.root.get("env")?.get(env)?.get("set")
    }
}
