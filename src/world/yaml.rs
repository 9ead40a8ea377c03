//! YAML documents with the lines of their values.

use std::collections::BTreeMap;

use crate::source::line_column;
use crate::spec::node::{self, Kind, Node};

/// One document of a file.
#[derive(Debug, Clone)]
pub struct Document {
    root: Node,
    /// Lines before it in its file.
    before: usize,
    text: String,
}

/// A value in a document, with the way to it.
#[derive(Debug, Clone)]
pub struct Value<'d> {
    document: &'d Document,
    node: &'d Node,
    field: String,
}

/// The documents of `text`; what cannot be read is left out, and said.
pub fn documents(text: &str) -> (Vec<Document>, Vec<String>) {
    let (mut read, mut failed) = (Vec::new(), Vec::new());
    for (before, part) in split(text) {
        if part.lines().any(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#')) {
            match node::load(0, "document.yaml", part) {
                Ok(root) => read.push(Document { root, before, text: part.to_owned() }),
                Err(fault) => failed.push(fault.message),
            }
        }
    }
    (read, failed)
}

/// Parts between lines that are `---`, each with the number of lines before it.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut at, mut before) = (0, 0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_end() == "---" {
            parts.push((before, &text[start..at]));
            start = at + line.len();
            before = number + 1;
        }
        at += line.len();
    }
    parts.push((before, &text[start..]));
    parts
}

impl Document {
    /// Its root.
    pub fn root(&self) -> Value<'_> {
        Value { document: self, node: &self.root, field: String::new() }
    }

    /// The value at a way of keys; `None` when it is not there.
    pub fn at(&self, way: &[&str]) -> Option<Value<'_>> {
        self.root().at(way)
    }
}

impl<'d> Value<'d> {
    /// The value at a way of keys below this one.
    pub fn at(&self, way: &[&str]) -> Option<Value<'d>> {
        way.iter().try_fold(self.clone(), |value, key| value.get(key))
    }

    /// The value of one key.
    pub fn get(&self, key: &str) -> Option<Value<'d>> {
        let Kind::Map(entries) = &self.node.kind else { return None };
        let (_, node) = entries.iter().find(|(k, _)| k.name == key)?;
        let field = if self.field.is_empty() { key.to_owned() } else { format!("{}.{key}", self.field) };
        Some(Value { document: self.document, node, field })
    }

    /// The entries of a list; none when it is no list.
    pub fn items(&self) -> Vec<Value<'d>> {
        let Kind::Seq(items) = &self.node.kind else { return Vec::new() };
        items
            .iter()
            .enumerate()
            .map(|(i, node)| Value { document: self.document, node, field: format!("{}[{i}]", self.field) })
            .collect()
    }

    /// The entries of a map; none when it is no map.
    pub fn entries(&self) -> Vec<(&'d str, Value<'d>)> {
        let Kind::Map(entries) = &self.node.kind else { return Vec::new() };
        entries.iter().filter_map(|(key, _)| Some((key.name.as_str(), self.get(&key.name)?))).collect()
    }

    /// Its text, when it is a scalar: `5` and `"5"` alike.
    pub fn text(&self) -> Option<String> {
        match &self.node.kind {
            Kind::Str(s) => Some(s.clone()),
            Kind::Int(i) => Some(i.to_string()),
            Kind::Bool(b) => Some(b.to_string()),
            Kind::Float(f) => Some(f.to_string()),
            _ => None,
        }
    }

    /// Whether it is the scalar `text`.
    pub fn is(&self, text: &str) -> bool {
        self.text().as_deref() == Some(text)
    }

    /// Whether both say the same: maps in any order, scalars by their text.
    pub fn same(&self, other: &Value<'_>) -> bool {
        match (&self.node.kind, &other.node.kind) {
            (Kind::Map(a), Kind::Map(b)) => {
                let sorted = |value: &Value<'_>| -> BTreeMap<String, usize> {
                    value.entries().iter().enumerate().map(|(i, (key, _))| ((*key).to_owned(), i)).collect()
                };
                let (own, theirs) = (self.entries(), other.entries());
                a.len() == b.len()
                    && sorted(self)
                        .into_iter()
                        .zip(sorted(other))
                        .all(|((a, i), (b, j))| a == b && own[i].1.same(&theirs[j].1))
            }
            (Kind::Seq(_), Kind::Seq(_)) => {
                let (own, theirs) = (self.items(), other.items());
                own.len() == theirs.len() && own.iter().zip(&theirs).all(|(a, b)| a.same(b))
            }
            (Kind::Null, Kind::Null) => true,
            _ => self.text().is_some() && self.text() == other.text(),
        }
    }

    /// The texts of a list of scalars.
    pub fn texts(&self) -> Vec<String> {
        self.items().iter().filter_map(Value::text).collect()
    }

    /// The way to it: `spec.template.spec.volumes[0].hostPath.type`.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Its line in the file, from 1.
    pub fn line(&self) -> usize {
        self.document.before + line_column(&self.document.text, self.node.short_place().start).0
    }
}
