//! The tree of one spec: finds the place of a route such as `exclusive.data.store.host`.

use super::node::{Kind, Node};
use crate::diag::Place;

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
