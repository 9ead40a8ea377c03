//! Builds the tree of each spec from its layers. From bottom to top: the `targets` of the project,
//! the chain of `base` files, the spec, an environment, and `--set`. Each value keeps the text and
//! line where it was written.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use blake3::Hasher;

use super::bases::{Base, Bases};
use super::load::load;
use super::merge::merge;
use super::node::{Key, Kind, Node};
use super::project::Project;
use super::set::{Override, assignment};
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::images::Images;
use crate::input::{Digest, Files, Input, Specs, Texts, beside, feed};
use crate::options::Options;
use crate::text::nearest::nearest;
use crate::threads::{self, locked};

/// The longest chain of bases below one spec.
const MAX_BASES: usize = 8;

/// The path of the text of all `--set` options. Its lines are the options in order.
const SET: &str = "--set";

/// The service name of an override that applies to every service.
const EVERY: &str = "*";

/// A spec with all its layers merged.
#[derive(Debug)]
pub struct Layered {
    /// The merged tree, without `base`.
    pub root: Node,
    /// The numbers of its texts, its own first.
    pub layers: Vec<usize>,
    /// The texts.
    pub texts: Texts,
    /// The place of the first key of its own text.
    pub start: Place,
    /// The digest of its text and its bases.
    pub digest: Hasher,
}

/// The result of reading one spec.
#[derive(Debug)]
pub struct Loaded {
    /// The spec; or the likely name of a spec that could not be read.
    pub spec: Result<Layered, Option<String>>,
    /// The paths of the other files that were read, or could not be read.
    pub read: BTreeSet<String>,
    /// The errors.
    pub faults: Vec<Diagnostic>,
}

/// All texts of a compile and their order as layers. It keeps no spec in memory.
pub struct Layers<'a> {
    specs: &'a dyn Specs,
    files: &'a dyn Files,
    /// The texts from the options, `berthc.toml` and `--set`. Their numbers follow those of the
    /// specs.
    laid: Vec<Arc<Input>>,
    /// The `targets` of the project, the lowest layer of each spec.
    under: Option<Node>,
    /// The overrides from the environment and from `--set`.
    over: Vec<Override>,
    /// For each spec, the indices of its overrides, in order.
    chosen: BTreeMap<usize, Vec<usize>>,
    bases: Mutex<Bases>,
    /// The images of the project, before the built-in ones.
    images: Cow<'static, Images>,
    /// The digest of each spec, as it was last read.
    read: Mutex<Vec<Digest>>,
}

/// The service and revision of a spec before overrides, or the likely name of a spec that could not
/// be read.
type Called = Result<(Option<String>, Option<String>), Option<String>>;

impl<'a> Layers<'a> {
    /// Makes the layers of `specs` with the overrides from `options`.
    pub fn new(
        specs: &'a dyn Specs,
        files: &'a dyn Files,
        options: &Options,
        out: &mut Vec<Diagnostic>,
    ) -> Self {
        let (laid, chosen) = (Vec::new(), BTreeMap::new());
        let read = Mutex::new(vec![Digest::default(); specs.count()]);
        let (bases, over) = (Mutex::default(), Vec::new());
        let images = Images::with(&[]);
        let mut all = Self { specs, files, laid, under: None, over, chosen, bases, images, read };
        all.options(options, out);
        if !all.over.is_empty() {
            let each = (0..specs.count()).collect();
            let called = threads::each(options.threads, each, |index| all.called(index), &|_| {});
            all.choose(&called, out);
        }
        all
    }

    /// Returns the number of specs.
    pub fn count(&self) -> usize {
        self.specs.count()
    }

    /// Returns the numbers of the texts from the options.
    fn laid(&self) -> Range<usize> {
        self.count()..self.count() + self.laid.len()
    }

    /// Returns the paths of the specs and of the files from the options.
    pub fn paths(&self) -> BTreeSet<String> {
        let own = (0..self.count()).map(|index| self.specs.path(index));
        let laid = self.laid.iter().map(|input| input.path.as_str()).filter(|path| *path != SET);
        own.map(|path| beside("", &path)).chain(laid.map(|path| beside("", path))).collect()
    }

    /// Returns every text by its number, the specs first. Texts that are not `wanted` are empty,
    /// and so are texts that have changed since, because no place refers to the new text.
    pub fn inputs(&self, wanted: impl Fn(usize) -> bool) -> Vec<Input> {
        let text = |index, same: Digest, read: &dyn Fn() -> Option<String>| {
            let text = Some(index).filter(|index| wanted(*index)).and_then(|_| read());
            text.filter(|text| *blake3::hash(text.as_bytes()).as_bytes() == same).unwrap_or_default()
        };
        let mut all = Vec::new();
        for (index, same) in locked(&self.read).iter().enumerate() {
            let read = || self.specs.text(index).ok().map(|text| text.into_owned());
            all.push(Input { path: self.specs.path(index).into_owned(), text: text(index, *same, &read) });
        }
        all.extend(self.laid.iter().map(|input| Input::clone(input)));
        for (path, (_, same)) in &self.bases().met {
            let read = || self.files.read(path).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            all.push(Input { path: path.clone(), text: text(all.len(), *same, &read) });
        }
        all
    }

    /// Numbers the bases in the order of their paths, also in `faults`, so that the numbers do not
    /// depend on which base was read first.
    pub fn renumber(&self, faults: &mut [Diagnostic]) {
        let (first, mut bases) = (self.laid().end, self.bases());
        let new: BTreeMap<usize, usize> = bases.met.values().map(|(old, _)| *old).zip(first..).collect();
        bases.met.values_mut().zip(first..).for_each(|(met, new)| met.0 = new);
        bases.kept.clear();
        for d in faults {
            let places = d.related.iter_mut().map(|(place, _)| place).chain([&mut d.place]);
            places.for_each(|p| p.source = new.get(&p.source).copied().unwrap_or(p.source));
        }
    }

    /// Reads spec number `index` and merges its layers.
    pub fn load(&self, index: usize) -> Loaded {
        let mut loader = Loader { all: self, read: BTreeSet::new(), out: Vec::new() };
        let mut spec = loader.spec(index);
        let Loader { read, out: faults, .. } = loader;
        if let Ok(layered) = &mut spec {
            for chosen in self.chosen.get(&index).into_iter().flatten() {
                let Override { tree, place, .. } = &self.over[*chosen];
                layered.layers.push(place.source);
                merge(&mut layered.root, tree.clone());
            }
            defaults(layered, self.under.as_ref());
            for (text, source) in self.laid.iter().zip(self.laid()) {
                layered.texts.add(source, text.clone());
            }
        }
        Loaded { spec, read, faults }
    }

    /// Returns whether text number `source` is a base.
    pub fn is_base(&self, source: usize) -> bool {
        source >= self.laid().end
    }

    /// Returns the table of images.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// Returns the reader of the files that specs name.
    pub fn files(&self) -> &dyn Files {
        self.files
    }

    fn bases(&self) -> MutexGuard<'_, Bases> {
        locked(&self.bases)
    }

    /// Adds a text from the options and returns its number.
    fn lay(&mut self, path: &str, text: String) -> usize {
        self.laid.push(Arc::new(Input { path: path.to_owned(), text }));
        self.laid().end - 1
    }

    /// Reads the layers from the options: the `targets` of the project, and the overrides.
    fn options(&mut self, options: &Options, out: &mut Vec<Diagnostic>) {
        let mut project = None;
        if let Some(input) = &options.project {
            let source = self.lay(&input.path, input.text.clone());
            match Project::read(input, source) {
                Ok(read) => project = Some(read),
                Err(faults) => return out.extend(faults),
            }
        }
        if let Some(project) = &project {
            self.under = project.targets().cloned();
            self.images = Images::with(&project.images);
            let set = options.env.as_deref().and_then(|env| project.set(env));
            if let Some(Node { kind: Kind::Map(services), .. }) = set {
                for (key, tree) in services {
                    let service = Some(key.name.clone());
                    let (tree, place, may_miss) = (tree.clone(), key.place, options.partial);
                    self.over.push(Override { service, tree, place, may_miss });
                }
            }
        }
        if let Some(env) = &options.env {
            let known = project.map(|p| p.envs.into_keys().collect::<Vec<_>>()).unwrap_or_default();
            if !known.contains(env) {
                let message = format!("there is no environment `{env}`");
                let d = Diagnostic::error(Code::SetNowhere, Place::NOWHERE, message);
                out.push(match known.as_slice() {
                    [] => d.fix("add to berthc.toml", format!("[env.{env}]")),
                    known => d.advice(format!("the environments are {}", known.join(", "))),
                });
            }
        }
        if !options.set.is_empty() {
            let source = self.lay(SET, options.set.join("\n"));
            let mut start = 0;
            for text in &options.set {
                match assignment(text, source, start) {
                    Ok(one) => self.over.push(one),
                    Err(fault) => out.push(*fault),
                }
                start += text.len() + 1;
            }
        }
    }

    /// Returns the name of spec number `index`. Its errors are reported when it is loaded.
    fn called(&self, index: usize) -> Called {
        let mut loader = Loader { all: self, read: BTreeSet::new(), out: Vec::new() };
        let Layered { root, .. } = loader.spec(index)?;
        let text = |key| root.get(key).and_then(Node::text).map(ToOwned::to_owned);
        Ok((text("service"), text("revision")))
    }

    /// Finds the specs that each override applies to.
    fn choose(&mut self, called: &[Called], out: &mut Vec<Diagnostic>) {
        let mut broken = false;
        let mut names: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let mut services = BTreeSet::new();
        for (i, called) in called.iter().enumerate() {
            let (name, revision) = match called {
                Ok(called) => called,
                Err(name) => {
                    broken |= name.is_some();
                    continue;
                }
            };
            names.entry(EVERY.into()).or_default().insert(i);
            let Some(name) = name else { continue };
            services.insert(name.as_str());
            names.entry(name.clone()).or_default().insert(i);
            if let Some(revision) = revision {
                names.entry(format!("{name}-{revision}")).or_default().insert(i);
            }
        }
        for (at, Override { service, tree, place, may_miss }) in self.over.iter().enumerate() {
            if tree.get("base").is_some() {
                let message = "an override cannot change `base`, which is read before overrides apply";
                out.push(Diagnostic::error(Code::SetShape, *place, message));
                continue;
            }
            let wanted = match service {
                Some(name) => name,
                // With one service the override needs no name. A spec without a name gets its own
                // error later.
                None if services.len() <= 1 => EVERY,
                None => {
                    let first = services.first().copied().unwrap_or_default();
                    let text = self.laid.get(place.source - self.count()).map_or("", |set| &set.text);
                    let path = text.get(place.start..place.end).unwrap_or_default();
                    let message =
                        format!("there are {} services, and the override names none of them", services.len());
                    let d = Diagnostic::error(Code::SetNowhere, *place, message);
                    out.push(d.fix("name a service, or * for all of them", format!("--set {first}:{path}")));
                    continue;
                }
            };
            let Some(found) = names.get(wanted) else {
                if !may_miss && !broken {
                    let message = format!("no spec describes the service `{wanted}`");
                    let d = Diagnostic::error(Code::SetNowhere, *place, message);
                    out.push(match nearest(wanted, services.iter()) {
                        Some(near) => d.fix("did you mean", near),
                        None => d,
                    });
                }
                continue;
            };
            for index in found {
                self.chosen.entry(*index).or_default().push(at);
            }
        }
    }
}

/// Reads one spec.
struct Loader<'a> {
    all: &'a Layers<'a>,
    read: BTreeSet<String>,
    out: Vec<Diagnostic>,
}

impl Loader<'_> {
    fn fault(&mut self, code: Code, place: Place, message: impl Into<String>) {
        self.out.push(Diagnostic::error(code, place, message));
    }

    /// Reads spec number `index` and merges it with its bases.
    fn spec(&mut self, index: usize) -> Result<Layered, Option<String>> {
        let path = self.all.specs.path(index).into_owned();
        let stem = std::path::Path::new(&path).file_stem().map(|s| s.to_string_lossy().into_owned());
        let text = self.all.specs.text(index).map_err(|why| {
            self.fault(Code::SpecUnread, Place::new(index, 0, 0), why);
            stem.clone()
        })?;
        let own = *blake3::hash(text.as_bytes()).as_bytes();
        locked(&self.all.read)[index] = own;
        let mut top = load(index, &path, &text).map_err(|fault| {
            self.out.push(*fault);
            // The name is unknown; the name of the file is the best guess.
            stem.clone()
        })?;
        let start = match &top.kind {
            Kind::Map(entries) => entries.first().map_or(top.place, |(key, _)| key.place),
            _ => Place::new(index, 0, 0),
        };
        let name = top.get("service").and_then(Node::text).map(ToOwned::to_owned);
        let (mut layers, mut texts, mut digest) = (vec![index], Texts::default(), Hasher::new());
        feed(&mut digest, &[path.as_bytes(), &own]);
        texts.add(index, Arc::new(Input { path: path.clone(), text: text.into_owned() }));
        let mut chain: Vec<Node> = Vec::new();
        let mut seen = BTreeSet::from([beside("", &path)]);
        let mut file = path;
        while let Some((base, place)) = take_base(&mut top) {
            let next = self.base(&file, &base, place, &seen).ok_or_else(|| name.clone().or(stem.clone()))?;
            if chain.len() == MAX_BASES {
                self.fault(Code::TooDeep, place, format!("more than {MAX_BASES} bases in a chain"));
                return Err(name.or(stem));
            }
            file = next.text.path.clone();
            seen.insert(file.clone());
            layers.push(next.source);
            texts.add(next.source, next.text.clone());
            feed(&mut digest, &[file.as_bytes(), &next.digest]);
            chain.push(std::mem::replace(&mut top, next.root.clone()));
        }
        while let Some(over) = chain.pop() {
            merge(&mut top, over);
        }
        Ok(Layered { root: top, layers, texts, start, digest })
    }

    /// Reads the base that `file` names at `place`. Reports an error and returns `None` if that
    /// fails.
    fn base(&mut self, file: &str, base: &str, place: Place, seen: &BTreeSet<String>) -> Option<Arc<Base>> {
        if base.is_empty() || base.starts_with('/') {
            self.fault(Code::BadPath, place, "`base` must be a path relative to the file that names it");
            return None;
        }
        let path = beside(file, base);
        if seen.contains(&path) {
            self.fault(Code::BaseCycle, place, format!("{path} is its own base"));
            return None;
        }
        self.read.insert(path.clone());
        let kept = self.all.bases().kept.get(&path).cloned();
        if let Some(kept) = kept {
            return kept.map_err(|fault| self.out.push(*fault)).ok();
        }
        let text = self.all.files.read(&path);
        let text = match text.and_then(|t| String::from_utf8(t).map_err(|_| "it is not UTF-8 text".into())) {
            Ok(text) => text,
            Err(why) => {
                // Each spec that names this base reports the error.
                self.fault(Code::BaseMissing, place, format!("cannot read `{base}`: {why}"));
                return None;
            }
        };
        let (bytes, digest) = (text.len(), *blake3::hash(text.as_bytes()).as_bytes());
        let source = self.all.bases().number(&path, digest, self.all.laid().end);
        let loaded = load(source, &path, &text);
        let text = Arc::new(Input { path: path.clone(), text });
        let base = loaded.map(|root| Arc::new(Base { source, text, digest, root }));
        self.all.bases().keep(path, base.clone(), bytes);
        base.map_err(|fault| self.out.push(*fault)).ok()
    }
}

/// Removes `base` from `root` if it is text. The reader of specs reports any other value.
fn take_base(root: &mut Node) -> Option<(String, Place)> {
    let node = root.get("base")?;
    let taken = (node.text()?.to_owned(), node.place);
    root.remove(&["base".to_owned()]);
    Some(taken)
}

/// Merges `under` below the targets of a spec: all of it if the spec names no targets, otherwise
/// only the fields of the targets that the spec names.
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
