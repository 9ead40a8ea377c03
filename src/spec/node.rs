//! The tree of a YAML or TOML document, each node with its place.

use crate::code::Code;
use crate::diag::{Diagnostic, Place};

/// The deepest nesting.
pub const MAX_DEPTH: usize = 64;
/// The highest number of nodes in one document.
pub const MAX_NODES: usize = 200_000;
/// The size of the largest document, in bytes.
pub const MAX_BYTES: usize = 4 << 20;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The place, from the first byte to the end of the last child.
    pub place: Place,
    /// The kind of value.
    pub kind: Kind,
}

/// The kinds of value that both YAML's core schema and TOML have.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, `~` or no value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// Text.
    Str(String),
    /// A list.
    Seq(Vec<Node>),
    /// A map without duplicate keys, in the order of the text.
    Map(Vec<(Key, Node)>),
}

/// A key with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The key as text.
    pub name: String,
    /// The place.
    pub place: Place,
}

impl Node {
    /// Returns whether it is a list or a map.
    pub fn is_collection(&self) -> bool {
        matches!(self.kind, Kind::Seq(_) | Kind::Map(_))
    }

    /// Returns the place of a scalar, or of the first scalar inside a collection.
    pub fn short_place(&self) -> Place {
        match &self.kind {
            Kind::Map(entries) => entries.first().map_or(self.place, |(k, _)| k.place),
            Kind::Seq(items) => items.first().map_or(self.place, Node::short_place),
            _ => self.place,
        }
    }

    /// Moves every place to text number `source`, `by` bytes further.
    #[must_use]
    pub fn moved(mut self, source: usize, by: usize) -> Self {
        let to = |p: Place| Place { source, start: p.start + by, end: p.end + by };
        self.place = to(self.place);
        match &mut self.kind {
            Kind::Map(entries) => {
                for (key, value) in entries {
                    key.place = to(key.place);
                    let null = Self { place: value.place, kind: Kind::Null };
                    *value = std::mem::replace(value, null).moved(source, by);
                }
            }
            Kind::Seq(items) => {
                *items = std::mem::take(items).into_iter().map(|item| item.moved(source, by)).collect();
            }
            _ => {}
        }
        self
    }

    /// Returns the value of `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|(k, _)| k.name == key).map(|e| &e.1)
    }

    /// Returns the text, if this is one.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Str(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the child `step` for a change.
    fn child_mut(&mut self, step: &str) -> Option<&mut Node> {
        match &mut self.kind {
            Kind::Map(entries) => entries.iter_mut().find(|(k, _)| k.name == step).map(|e| &mut e.1),
            Kind::Seq(items) => step.parse::<usize>().ok().and_then(|i| items.get_mut(i)),
            _ => None,
        }
    }

    /// Returns whether `route` leads to an item of a list.
    pub fn holds_item(&self, route: &[String]) -> bool {
        let Some((_, way)) = route.split_last() else { return false };
        let list = way.iter().try_fold(self, |node, step| match &node.kind {
            Kind::Map(entries) => entries.iter().find(|(k, _)| k.name == *step).map(|e| &e.1),
            Kind::Seq(items) => step.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => None,
        });
        list.is_some_and(|node| matches!(node.kind, Kind::Seq(_)))
    }

    /// Removes the entry at `route`. Returns false if there is none.
    pub fn remove(&mut self, route: &[String]) -> bool {
        let Some((last, way)) = route.split_last() else { return false };
        let mut node = self;
        for step in way {
            let Some(next) = node.child_mut(step) else { return false };
            node = next;
        }
        match &mut node.kind {
            Kind::Map(entries) => {
                let before = entries.len();
                entries.retain(|(k, _)| k.name != *last);
                entries.len() < before
            }
            Kind::Seq(items) => match last.parse::<usize>() {
                Ok(i) if i < items.len() => {
                    items.remove(i);
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }
}

pub(super) fn fault(code: Code, place: Place, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code, place, message))
}
