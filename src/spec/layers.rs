//! From texts to the trees of specs. A spec is laid over its `base`, that over its own, and all
//! over the targets of the project; an environment and `--set` are laid over it. One merge does
//! all of this, so each value still knows the text and the line where it was written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::merge::merge;
use super::node::{Key, Kind, Node, load, scalar};
use super::project::Project;
use crate::Options;
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::source::{Files, Input, beside};
use crate::threads;

/// Longest chain of bases below one spec.
const MAX_BASES: usize = 8;

/// How the text of all `--set` is named; its lines are the options in order.
const SET: &str = "--set";

/// Stands for every service in an override.
const EVERY: &str = "*";

/// One spec with all that lies under and over it.
#[derive(Debug)]
pub struct Layered {
    /// The merged tree, without `base`.
    pub root: Node,
    /// Indices of its texts, its own first.
    pub layers: Vec<usize>,
    /// The first key of its own text.
    pub start: Place,
}

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// Every text that a place can point into, the given specs first.
    pub sources: Vec<Input>,
    /// One for each given spec; or, for one that could not be read, its likely name.
    pub specs: Vec<Result<Layered, Option<String>>>,
    /// Paths of all that was read or should have been.
    pub read: BTreeSet<String>,
    /// Which of the texts the options brought: `berthc.toml` and `--set`.
    pub laid: Range<usize>,
}

/// Part of a spec that is laid over those of one service.
struct Override {
    /// `None` where there is only one service.
    service: Option<String>,
    tree: Node,
    /// Where the service stands, or the path.
    place: Place,
    /// An override from `berthc.toml` may be of a service that is not compiled today.
    may_miss: bool,
}

struct Loader<'a> {
    files: &'a dyn Files,
    sources: Vec<Input>,
    /// Bases by path; `None` for one with faults.
    bases: BTreeMap<String, Option<Base>>,
    read: BTreeSet<String>,
    out: &'a mut Vec<Diagnostic>,
}

#[derive(Clone)]
struct Base {
    source: usize,
    root: Node,
}

/// Loads `inputs` and lays over each what `options` and its own `base` say.
pub fn layered(
    inputs: Vec<Input>,
    files: &dyn Files,
    options: &Options,
    out: &mut Vec<Diagnostic>,
) -> Loaded {
    let read = inputs.iter().map(|i| beside("", &i.path)).collect();
    let alone = |(index, Input { path, text }): (usize, &Input)| load(index, path, text);
    let roots = threads::each(options.threads, inputs.iter().enumerate().collect(), alone, &|_| {});
    let given = inputs.len();
    let mut loader = Loader { files, sources: inputs, bases: BTreeMap::new(), read, out };
    let (under, over) = loader.options(options);
    let laid = given..loader.sources.len();
    let mut specs: Vec<_> =
        roots.into_iter().enumerate().map(|(index, root)| loader.spec(index, root)).collect();
    loader.overrides(&mut specs, over);
    for spec in specs.iter_mut().flatten() {
        defaults(spec, under.as_ref());
    }
    let Loader { sources, read, .. } = loader;
    Loaded { sources, specs, read, laid }
}

impl Loader<'_> {
    fn fault(&mut self, code: Code, place: Place, message: impl Into<String>) -> &mut Diagnostic {
        self.out.push(Diagnostic::error(code, place, message));
        let last = self.out.len() - 1;
        &mut self.out[last]
    }

    /// A text of its own for diagnostics.
    fn source(&mut self, path: &str, text: String) -> usize {
        self.sources.push(Input { path: path.to_owned(), text });
        self.sources.len() - 1
    }

    /// What lies under each spec's `targets`, and what lies over specs.
    fn options(&mut self, options: &Options) -> (Option<Node>, Vec<Override>) {
        let (mut under, mut over) = (None, Vec::new());
        let mut project = None;
        if let Some(input) = &options.project {
            self.read.insert(beside("", &input.path));
            let source = self.source(&input.path, input.text.clone());
            match Project::read(&self.sources, source) {
                Ok(read) => project = Some(read),
                Err(faults) => {
                    self.out.extend(faults);
                    return (None, Vec::new());
                }
            }
        }
        if let Some(project) = &project {
            under = project.targets().cloned();
            let set = options.env.as_deref().and_then(|env| project.set(env));
            if let Some(Node { kind: Kind::Map(services), .. }) = set {
                for (key, tree) in services {
                    let service = Some(key.name.clone());
                    let (tree, place, may_miss) = (tree.clone(), key.place, options.partial);
                    over.push(Override { service, tree, place, may_miss });
                }
            }
        }
        if let Some(env) = &options.env {
            let known = project.map(|p| p.envs.into_keys().collect::<Vec<_>>()).unwrap_or_default();
            if !known.contains(env) {
                let d =
                    self.fault(Code::SetNowhere, Place::NOWHERE, format!("there is no environment `{env}`"));
                *d = match known.as_slice() {
                    [] => d.clone().mend("write into berthc.toml", format!("[env.{env}]")),
                    known => d.clone().advice(format!("there are {}", known.join(", "))),
                };
            }
        }
        if !options.set.is_empty() {
            let source = self.source(SET, options.set.join("\n"));
            let mut start = 0;
            for text in &options.set {
                match assignment(text, source, start) {
                    Ok(one) => over.push(one),
                    Err(fault) => self.out.push(*fault),
                }
                start += text.len() + 1;
            }
        }
        (under, over)
    }

    /// One spec, as it was read, over its bases.
    fn spec(&mut self, index: usize, root: Result<Node, Box<Diagnostic>>) -> Result<Layered, Option<String>> {
        let path = self.sources[index].path.clone();
        let stem = std::path::Path::new(&path).file_stem().map(|s| s.to_string_lossy().into_owned());
        let mut top = root.map_err(|fault| {
            self.out.push(*fault);
            // Its name cannot be known; the file's is the best guess.
            stem.clone()
        })?;
        let start = match &top.kind {
            Kind::Map(entries) => entries.first().map_or(top.place, |(key, _)| key.place),
            _ => Place::new(index, 0, 0),
        };
        let name = top.get("service").and_then(Node::text).map(ToOwned::to_owned);
        let mut layers = vec![index];
        let mut chain: Vec<Node> = Vec::new();
        let mut seen = BTreeSet::from([beside("", &path)]);
        let mut file = path;
        while let Some((base, place)) = take_base(&mut top) {
            let next = self.base(&file, &base, place, &seen).ok_or_else(|| name.clone().or(stem.clone()))?;
            if chain.len() == MAX_BASES {
                self.fault(Code::TooDeep, place, format!("more than {MAX_BASES} bases, one over the other"));
                return Err(name.or(stem));
            }
            file = self.sources[next.source].path.clone();
            seen.insert(file.clone());
            layers.push(next.source);
            chain.push(std::mem::replace(&mut top, next.root));
        }
        while let Some(over) = chain.pop() {
            merge(&mut top, over);
        }
        Ok(Layered { root: top, layers, start })
    }

    /// The base that `file` names at `place`; `None` when there is a fault, which is told.
    fn base(&mut self, file: &str, base: &str, place: Place, seen: &BTreeSet<String>) -> Option<Base> {
        if base.is_empty() || base.starts_with('/') {
            self.fault(Code::BadPath, place, "`base` is a path relative to the file that names it");
            return None;
        }
        let path = beside(file, base);
        if seen.contains(&path) {
            self.fault(Code::BaseCycle, place, format!("{path} lies under itself"));
            return None;
        }
        if let Some(known) = self.bases.get(&path) {
            return known.clone();
        }
        self.read.insert(path.clone());
        let text = self.files.read(file, base);
        let text = text.and_then(|t| String::from_utf8(t).map_err(|_| "it is not UTF-8 text".into()));
        let loaded = match text {
            Ok(text) => {
                let source = self.source(&path, text);
                let loaded = load(source, &path, &self.sources[source].text);
                loaded.map(|root| Base { source, root }).map_err(|fault| self.out.push(*fault)).ok()
            }
            Err(why) => {
                self.fault(Code::BaseMissing, place, format!("cannot read `{base}`: {why}"));
                // Each spec that names it is told.
                return None;
            }
        };
        self.bases.insert(path, loaded.clone());
        loaded
    }

    /// Lays each override over the specs of its service.
    fn overrides(&mut self, specs: &mut [Result<Layered, Option<String>>], over: Vec<Override>) {
        if over.is_empty() {
            return;
        }
        let mut broken = BTreeSet::new();
        let mut names: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let mut services = BTreeSet::new();
        for (i, spec) in specs.iter().enumerate() {
            let root = match spec {
                Ok(layered) => &layered.root,
                Err(name) => {
                    broken.extend(name.clone());
                    continue;
                }
            };
            names.entry(EVERY.into()).or_default().insert(i);
            let Some(name) = root.get("service").and_then(Node::text) else { continue };
            services.insert(name.to_owned());
            names.entry(name.to_owned()).or_default().insert(i);
            if let Some(revision) = root.get("revision").and_then(Node::text) {
                names.entry(format!("{name}-{revision}")).or_default().insert(i);
            }
        }
        for Override { service, tree, place, may_miss } in over {
            if tree.get("base").is_some() {
                self.fault(Code::SetShape, place, "`base` is read before anything is laid over a spec");
                continue;
            }
            let wanted = match service {
                Some(name) => name,
                // With one service there is nothing to choose; a spec without a name is told that.
                None if services.len() <= 1 => EVERY.into(),
                None => {
                    let first = services.first().cloned().unwrap_or_default();
                    let path = &self.sources[place.source].text[place.start..place.end];
                    let line = format!("--set {first}:{path}");
                    let message = format!("which of the {} services is meant?", services.len());
                    let d = self.fault(Code::SetNowhere, place, message);
                    *d = d.clone().mend("name it, or * for all of them", line);
                    continue;
                }
            };
            let Some(found) = names.get(&wanted) else {
                if !may_miss && broken.is_empty() {
                    let known: Vec<&str> = services.iter().map(String::as_str).collect();
                    let d = Diagnostic::error(
                        Code::SetNowhere,
                        place,
                        format!("no spec is the service `{wanted}`"),
                    );
                    self.out.push(match super::de::nearest(&wanted, known.iter()) {
                        Some(near) => d.mend("did you mean", near),
                        None => d,
                    });
                }
                continue;
            };
            for index in found {
                if let Ok(layered) = &mut specs[*index] {
                    layered.layers.push(place.source);
                    merge(&mut layered.root, tree.clone());
                }
            }
        }
    }
}

/// Takes a `base` that is text out of `root`; what else stands there, the reader of specs refuses.
fn take_base(root: &mut Node) -> Option<(String, Place)> {
    let node = root.get("base")?;
    let taken = (node.text()?.to_owned(), node.place);
    root.remove(&["base".to_owned()]);
    Some(taken)
}

/// Lays `under` under the targets of a spec: all of it when the spec names none, else what the
/// targets that it names do not say themselves.
fn defaults(spec: &mut Layered, under: Option<&Node>) {
    let (Some(under), Kind::Map(entries)) = (under, &mut spec.root.kind) else { return };
    spec.layers.push(under.place.source);
    let Some((_, targets)) = entries.iter_mut().find(|(key, _)| key.name == "targets") else {
        let key = Key { name: "targets".into(), place: under.short_place() };
        entries.push((key, under.clone()));
        return;
    };
    let Kind::Map(named) = &mut targets.kind else { return };
    for (key, own) in named {
        if let (Some(below), true) = (under.get(&key.name), own.is_collection()) {
            let mut below = below.clone();
            std::mem::swap(own, &mut below);
            merge(own, below);
        }
    }
}

/// `[SERVICE:]PATH=VALUE`, which begins at byte `start` of the text `source`.
fn assignment(text: &str, source: usize, start: usize) -> Result<Override, Box<Diagnostic>> {
    let whole = Place::new(source, start, start + text.len());
    let wrong = |message: &str| {
        let d = Diagnostic::error(Code::SetShape, whole, message);
        Box::new(d.mend("write", "--set SERVICE:members.count=3"))
    };
    if text.contains(['\n', '\r']) {
        return Err(wrong("an override is one line"));
    }
    let (steps, equals, colon) = path(text).ok_or_else(|| wrong("this is no PATH=VALUE"))?;
    let value = &text[equals + 1..];
    let at = start + equals + 1;
    let mut node = if value.starts_with(['{', '[', '"', '\'']) {
        // A value that cannot be read is shown whole: its own places are of no use to anyone.
        load(source, "value.yaml", value).map_err(|fault| wrong(&fault.message))?.moved(source, at)
    } else if value.is_empty() {
        return Err(wrong("no value stands after `=`; null takes away"));
    } else {
        scalar(value, Place::new(source, at, at + value.len()))?
    };
    for (name, from, until) in steps.into_iter().rev() {
        let place = Place::new(source, start + from, start + until);
        node = Node { place, kind: Kind::Map(vec![(Key { name, place }, node)]) };
    }
    let service = colon.map(|c| text[..c].to_owned());
    let place = match colon {
        Some(colon) => Place::new(source, start, start + colon),
        None => whole,
    };
    Ok(Override { service, tree: node, place, may_miss: false })
}

/// A key of a path, and where it begins and ends.
type Step = (String, usize, usize);

/// The keys before the first `=`, that `=`, and the colon behind the service. Keys that hold dots
/// stand in quotes: `env."node.name"`.
fn path(text: &str) -> Option<(Vec<Step>, usize, Option<usize>)> {
    let (mut steps, mut colon) = (Vec::new(), None);
    let (mut key, mut from, mut quote) = (String::new(), 0, None);
    for (i, c) in text.char_indices() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) if key.is_empty() => quote = Some(c),
            (':', None) if colon.is_none() && steps.is_empty() => {
                colon = Some(i).filter(|_| !key.is_empty());
                colon?;
                key.clear();
                from = i + 1;
            }
            ('.' | '=', None) => {
                if key.is_empty() {
                    return None;
                }
                steps.push((std::mem::take(&mut key), from, i));
                if c == '=' {
                    return Some((steps, i, colon)).filter(|(s, ..)| s.len() < super::node::MAX_DEPTH / 2);
                }
                from = i + 1;
            }
            (c, _) => key.push(c),
        }
    }
    None
}
