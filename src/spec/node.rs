//! The tree of a YAML or TOML document, each node with its place.

use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::value::is_forbidden;

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

/// Reads `text` as TOML if `path` ends in `.toml`, otherwise as YAML.
///
/// # Errors
/// A diagnostic with its place, if the text is not one well-formed document within the limits
/// above, or contains a character that no target can represent.
pub fn load(source: usize, path: &str, text: &str) -> Result<Node, Box<Diagnostic>> {
    if text.len() > MAX_BYTES {
        return Err(fault(
            Code::TooLarge,
            Place::new(source, 0, 0),
            format!("the spec has {} bytes, berthc reads at most {MAX_BYTES}", text.len()),
        ));
    }
    if let Some((at, c)) = text.char_indices().find(|(_, c)| is_forbidden(*c)) {
        let place = Place::new(source, at, at + c.len_utf8());
        return Err(fault(
            Code::CharacterForbidden,
            place,
            format!("the character U+{:04X} cannot stand in a spec", c as u32),
        ));
    }
    let node = if path.ends_with(".toml") {
        super::toml::load(source, text)?
    } else {
        super::yaml::load(source, text)?
    };
    strings(&node)?;
    Ok(node)
}

/// Checks the strings for forbidden characters as well, because an escape can produce one.
fn strings(root: &Node) -> Result<(), Box<Diagnostic>> {
    let mut open = vec![root];
    let check = |s: &str, place| match s.chars().find(|c| is_forbidden(*c)) {
        Some(c) => Err(fault(
            Code::CharacterForbidden,
            place,
            format!("the character U+{:04X} cannot stand in a spec", c as u32),
        )),
        None => Ok(()),
    };
    while let Some(node) = open.pop() {
        match &node.kind {
            Kind::Str(s) => check(s, node.place)?,
            Kind::Seq(items) => open.extend(items),
            Kind::Map(entries) => {
                for (key, value) in entries {
                    check(&key.name, key.place)?;
                    open.push(value);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Reads a scalar as YAML reads it without quotes: `16`, `true`, `null`, or text.
///
/// # Errors
/// The number does not fit, or has leading zeros.
pub fn scalar(text: &str, place: Place) -> Result<Node, Box<Diagnostic>> {
    Ok(Node { place, kind: super::yaml::plain(text, place)? })
}

/// Converts a line of YAML to TOML if it is one map, or one entry of a list of maps. Returns any
/// other line unchanged.
pub fn as_toml(line: &str) -> String {
    let Ok(root) = super::yaml::load(0, line) else { return line.to_owned() };
    match &root.kind {
        Kind::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{} = {}", toml_key(&key.name), toml(value)))
                .collect();
            entries.join(", ")
        }
        Kind::Seq(items) => items.iter().map(toml).collect::<Vec<_>>().join(", "),
        _ => line.to_owned(),
    }
}

fn toml_key(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if bare { key.to_owned() } else { format!("{key:?}") }
}

fn toml(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "\"\"".into(),
        Kind::Bool(b) => b.to_string(),
        Kind::Int(i) => i.to_string(),
        Kind::Float(f) => f.to_string(),
        Kind::Str(s) => format!("{s:?}"),
        Kind::Seq(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Kind::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{} = {}", toml_key(&key.name), toml(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

pub(super) fn fault(code: Code, place: Place, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(code, place, message))
}
