//! Texts, and the tree of a spec: from a route (`exclusive.data.store.host`) to a place.

use std::borrow::Cow;
use std::sync::Arc;

use blake3::Hasher;

use crate::diag::Place;
use crate::spec::node::{Kind, Node};
use crate::text::path::shortest;

/// One text with the path it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// As it shall stand in messages; `.toml` means TOML, all else YAML.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// The specs of a compile. It keeps few of their texts, and asks again for those it has let go:
/// one that has changed meanwhile is a fault. Several may be read at a time.
pub trait Specs: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// The path of the spec with this index, as it shall stand in messages; `.toml` means TOML, all
    /// else YAML.
    fn path(&self, index: usize) -> Cow<'_, str>;

    /// Its whole text.
    ///
    /// # Errors
    /// What the reader of the message should know.
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

/// The texts that the places of one spec point into, each with its index among the sources.
#[derive(Debug, Clone, Default)]
pub struct Texts(Vec<(usize, Arc<Input>)>);

impl Texts {
    /// Adds the text number `index`.
    pub fn add(&mut self, index: usize, text: Arc<Input>) {
        self.0.push((index, text));
    }

    /// How many bytes they are together.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(_, text)| text.text.len()).sum()
    }

    /// The text number `index`.
    pub fn get(&self, index: usize) -> Option<&Input> {
        self.0.iter().find(|(i, _)| *i == index).map(|(_, text)| &**text)
    }
}

/// Stands for texts: two that differ have two digests.
pub type Digest = [u8; blake3::OUT_LEN];

/// Adds a list of texts to a digest in the making: with a count before the list and before each
/// text, so that no two run together.
pub fn feed<T: AsRef<[u8]>>(digest: &mut Hasher, list: &[T]) {
    let count = |n: usize| (n as u64).to_le_bytes();
    digest.update(&count(list.len()));
    for text in list {
        let text = text.as_ref();
        digest.update(&count(text.len())).update(text);
    }
}

/// Reads what specs name: a `base`, and the text behind `files: { …: { from } }`. The library
/// does no input itself. Several specs may be read at a time.
pub trait Files: Sync {
    /// The bytes at `path`: that of the spec or base with what it names, in its shortest form. A `..`
    /// goes up in the path as it is written, whichever folders are links.
    ///
    /// # Errors
    /// What the reader of the message should know.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;
}

/// The path of `path`, which is relative to the folder of the file `spec`, in its shortest form.
pub fn beside(spec: &str, path: &str) -> String {
    let folder = spec.rfind('/').map_or("", |slash| &spec[..=slash]);
    shortest(&format!("{folder}{path}"))
}

/// A way through the keys of a spec. Keys may hold dots, so it is a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route(Vec<String>);

impl Route {
    /// The route one key further.
    #[must_use]
    pub fn at(&self, key: impl ToString) -> Self {
        let mut steps = self.0.clone();
        steps.push(key.to_string());
        Self(steps)
    }

    /// The keys in order; an index of a list is a key too.
    pub fn steps(&self) -> &[String] {
        &self.0
    }
}

impl<S: ToString> FromIterator<S> for Route {
    fn from_iter<I: IntoIterator<Item = S>>(steps: I) -> Self {
        Self(steps.into_iter().map(|s| s.to_string()).collect())
    }
}

/// A route from its keys: `route!["exclusive", "data", name]`.
#[macro_export]
macro_rules! route {
    ($($step:expr),* $(,)?) => { [$(($step).to_string()),*].into_iter().collect::<$crate::spec::source::Route>() };
}

/// One spec: where it came from and its tree.
#[derive(Debug)]
pub struct Source {
    /// Index of its own text among the sources.
    pub index: usize,
    /// Those of all its texts: its own, its bases, and what else was laid over or under it.
    pub layers: Vec<usize>,
    /// The first key of its own text.
    pub start: Place,
    /// Path as given, for messages.
    pub path: String,
    /// The tree; `None` when the text could not be read at all.
    pub root: Option<Node>,
    /// Items of lists that were taken out as faulty: the way to the list, and their indices in
    /// the text. Routes count what is left.
    pub gone: Vec<(Vec<String>, usize)>,
}

impl Source {
    /// The value at `route`, or the nearest thing above it that the text holds: a scalar's
    /// own place, a collection's key. Never fails.
    pub fn place(&self, route: &Route) -> Place {
        self.find(route, false)
    }

    /// As [`Self::place`], but the last key's own place.
    pub fn key(&self, route: &Route) -> Place {
        self.find(route, true)
    }

    /// The steps of `route` as the text counts them.
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

    /// Whether the text has something at `route`.
    pub fn has(&self, route: &Route) -> bool {
        self.node(route).is_some()
    }

    /// The value at `route`, as it was read.
    pub fn node(&self, route: &Route) -> Option<&Node> {
        self.way(route).iter().try_fold(self.root.as_ref()?, |node, step| match &node.kind {
            Kind::Map(entries) => entries.iter().find(|(k, _)| k.name == *step).map(|e| &e.1),
            Kind::Seq(items) => step.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => None,
        })
    }
}

/// The index in the text of what is item `index` of the list at `way` when the items `gone` are
/// left out.
pub fn in_text(gone: &[(Vec<String>, usize)], way: &[String], index: usize) -> usize {
    let mut at: Vec<usize> = gone.iter().filter(|(w, _)| w == way).map(|(_, i)| *i).collect();
    at.sort_unstable();
    at.into_iter().fold(index, |index, gone| if gone <= index { index + 1 } else { index })
}

/// Line and column (both from 1, columns in characters) of a byte of `text`.
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
