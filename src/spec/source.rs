//! Source texts, and the tree of a spec: finds the place of a route such as
//! `exclusive.data.store.host`.

use std::borrow::Cow;
use std::sync::Arc;

use blake3::Hasher;

use crate::diag::Place;
use crate::spec::node::{Kind, Node};
use crate::text::path::shortest;

/// A text and its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path, as messages show it. A path that ends in `.toml` is TOML, all others are YAML.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// The specs of a compile. The compile keeps few texts in memory and reads others again; a spec
/// that changed in between is an error. Several threads read at once.
pub trait Specs: Sync {
    /// Returns the number of specs.
    fn count(&self) -> usize;

    /// Returns the path of spec number `index`, as messages show it. A path that ends in `.toml` is
    /// TOML, all others are YAML.
    fn path(&self, index: usize) -> Cow<'_, str>;

    /// Returns the whole text of spec number `index`.
    ///
    /// # Errors
    /// A message for the user.
    fn text(&self, index: usize) -> Result<Cow<'_, str>, String>;
}

impl<T: AsRef<[Input]> + Sync> Specs for T {
    fn count(&self) -> usize {
        self.as_ref().len()
    }

    fn path(&self, index: usize) -> Cow<'_, str> {
        self.as_ref()[index].path.as_str().into()
    }

    fn text(&self, index: usize) -> Result<Cow<'_, str>, String> {
        Ok(self.as_ref()[index].text.as_str().into())
    }
}

/// The source texts of one spec, each with its number.
#[derive(Debug, Clone, Default)]
pub struct Texts(Vec<(usize, Arc<Input>)>);

impl Texts {
    /// Adds text number `index`.
    pub fn add(&mut self, index: usize, text: Arc<Input>) {
        self.0.push((index, text));
    }

    /// Returns the total size in bytes.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(_, text)| text.text.len()).sum()
    }

    /// Returns text number `index`.
    pub fn get(&self, index: usize) -> Option<&Input> {
        self.0.iter().find(|(i, _)| *i == index).map(|(_, text)| &**text)
    }
}

/// A BLAKE3 digest of the inputs.
pub type Digest = [u8; blake3::OUT_LEN];

/// Adds a list of texts to `digest`. The length of the list and of each text come first, so that
/// different lists never produce the same bytes.
pub fn feed<T: AsRef<[u8]>>(digest: &mut Hasher, list: &[T]) {
    let count = |n: usize| (n as u64).to_le_bytes();
    digest.update(&count(list.len()));
    for text in list {
        let text = text.as_ref();
        digest.update(&count(text.len())).update(text);
    }
}

/// Reads the files that specs name: a `base`, and the text behind `files: { …: { from } }`. The
/// library itself reads no files. Several threads read at once.
pub trait Files: Sync {
    /// Returns the bytes of the file at `path`. The path is in its shortest form: a `..` removes
    /// the component before it, even if that component is a link.
    ///
    /// # Errors
    /// A message for the user.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// Resolves `path` relative to the folder of the file `spec`, in its shortest form.
pub fn beside(spec: &str, path: &str) -> String {
    let folder = spec.rfind('/').map_or("", |slash| &spec[..=slash]);
    shortest(&format!("{folder}{path}"))
}

/// A path through the keys of a spec. It is a list, because a key may contain dots.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route(Vec<String>);

impl Route {
    /// Returns the route with one more key.
    #[must_use]
    pub fn at(&self, key: impl ToString) -> Self {
        let mut steps = self.0.clone();
        steps.push(key.to_string());
        Self(steps)
    }

    /// Returns the keys in order. The index of a list is also a key.
    pub fn steps(&self) -> &[String] {
        &self.0
    }
}

impl<S: ToString> FromIterator<S> for Route {
    fn from_iter<I: IntoIterator<Item = S>>(steps: I) -> Self {
        Self(steps.into_iter().map(|s| s.to_string()).collect())
    }
}

/// Makes a route from its keys: `route!["exclusive", "data", name]`.
#[macro_export]
macro_rules! route {
    ($($step:expr),* $(,)?) => { [$(($step).to_string()),*].into_iter().collect::<$crate::spec::source::Route>() };
}

/// One spec: its origin and its tree.
#[derive(Debug)]
pub struct Source {
    /// The number of its own text.
    pub index: usize,
    /// The numbers of all its texts: its own, its bases and its overrides.
    pub layers: Vec<usize>,
    /// The first key of its own text.
    pub start: Place,
    /// The path, as messages show it.
    pub path: String,
    /// The tree; `None` if the text could not be read.
    pub root: Option<Node>,
    /// Invalid list items that were removed: the route of the list, and the index in the text.
    /// Routes count the remaining items.
    pub gone: Vec<(Vec<String>, usize)>,
}

impl Source {
    /// Returns the place of the value at `route`: of a scalar its own place, of a collection the
    /// place of its key. If the text lacks it, returns the place of the nearest parent.
    pub fn place(&self, route: &Route) -> Place {
        self.find(route, false)
    }

    /// Returns the place of the last key of `route`.
    pub fn key(&self, route: &Route) -> Place {
        self.find(route, true)
    }

    /// Returns the steps of `route` with the list indices of the text.
    fn way(&self, route: &Route) -> Vec<String> {
        let mut way: Vec<String> = Vec::with_capacity(route.steps().len());
        for step in route.steps() {
            let step = match step.parse() {
                Ok(index) if self.gone.iter().any(|(w, _)| *w == way) => {
                    in_text(&self.gone, &way, index).to_string()
                }
                _ => step.clone(),
            };
            way.push(step);
        }
        way
    }

    fn find(&self, route: &Route, key: bool) -> Place {
        let mut best = self.start;
        let Some(mut node) = self.root.as_ref() else { return best };
        let way = self.way(route);
        for step in &way {
            let next = match &node.kind {
                Kind::Map(entries) => entries.iter().find(|(k, _)| k.name == *step),
                Kind::Seq(items) => {
                    let Some(item) = step.parse::<usize>().ok().and_then(|i| items.get(i)) else {
                        return best;
                    };
                    best = item.short_place();
                    node = item;
                    continue;
                }
                _ => None,
            };
            let Some((found, value)) = next else { return best };
            best = if key || value.is_collection() { found.place } else { value.place };
            node = value;
        }
        best
    }

    /// Returns whether the text has a value at `route`.
    pub fn has(&self, route: &Route) -> bool {
        self.node(route).is_some()
    }

    /// Returns the value at `route`, as it was read.
    pub fn node(&self, route: &Route) -> Option<&Node> {
        self.way(route).iter().try_fold(self.root.as_ref()?, |node, step| match &node.kind {
            Kind::Map(entries) => entries.iter().find(|(k, _)| k.name == *step).map(|e| &e.1),
            Kind::Seq(items) => step.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => None,
        })
    }
}

/// Converts an index that ignores the removed items `gone` of the list at `way` into the index in
/// the text.
pub fn in_text(gone: &[(Vec<String>, usize)], way: &[String], index: usize) -> usize {
    let mut at: Vec<usize> = gone.iter().filter(|(w, _)| w == way).map(|(_, i)| *i).collect();
    at.sort_unstable();
    at.into_iter().fold(index, |index, gone| if gone <= index { index + 1 } else { index })
}

/// Returns line and column of a byte of `text`, both from 1. Columns count characters.
pub fn line_column(text: &str, byte: usize) -> (usize, usize) {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    let before = &text[..byte];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}
