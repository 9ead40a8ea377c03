//! A document: its values, each with its line and its path.

use std::borrow::Cow;
use std::sync::Arc;

use super::comments::Comment;

/// One document of a file.
#[derive(Debug, Clone)]
pub struct Document {
    /// The nodes; each parent comes before its children, the root first.
    pub(super) nodes: Vec<Node>,
}

/// What a text says.
#[derive(Debug, Default)]
pub struct Parsed<'t> {
    /// The documents.
    pub documents: Vec<Document>,
    /// What was skipped or ignored, and where.
    pub faults: Vec<Fault>,
    /// The comments with the wanted word. A `#` inside a scalar starts no comment, and nothing after an
    /// error is one.
    pub comments: Vec<Comment<'t>>,
}

/// A value in a document.
#[derive(Debug, Clone, Copy)]
pub struct Value<'d> {
    document: &'d Document,
    index: usize,
}

/// A part of a file that was skipped or ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The reason, one sentence without a period.
    pub message: String,
    /// Whether the whole document was skipped.
    pub fatal: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) parent: usize,
    pub(super) step: Step,
    pub(super) line: usize,
    pub(super) depth: usize,
    /// The index of the first node after all its descendants.
    pub(super) end: usize,
    pub(super) kind: Kind,
}

/// The step from the parent to a node.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Root,
    Key(Arc<str>),
    Item(usize),
    /// A removed node: merged elsewhere, or replaced by a later value of the same key.
    Gone,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Null,
    Scalar(Arc<str>, Style),
    Seq,
    Map,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes or tag.
    Plain,
    /// Quoted or tagged, so certainly text.
    Quoted,
    /// As a literal block, whose text begins in this line of the file.
    Block(usize),
}

/// Reads `text` as a whole number by the rules of go-yaml (`resolve.go`), which docker and kubectl
/// use: `2`, `2.0`, `2e0`, `0x2`, `0b10`, `0o2`, `1_0` for ten and `010` for eight. Tried with
/// `docker stack config` 28.2.2.
pub fn whole(text: &str) -> Option<i64> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-._".contains(c)) {
        return None;
    }
    let plain = if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) };
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let bases = [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8), ("0", 8)];
    let based = bases.iter().find_map(|(mark, base)| Some((digits.strip_prefix(mark)?, *base)));
    let number = match based.filter(|(rest, _)| rest.starts_with(|c: char| c.is_ascii_hexdigit())) {
        Some((rest, base)) => i64::from_str_radix(rest, base).ok(),
        None if digits.starts_with(|c: char| c.is_ascii_digit()) => digits.parse().ok(),
        None => None,
    };
    // Go's ParseFloat also reads words, which YAML's pattern of a number does not let through.
    let float = || {
        let pattern = digits.bytes().all(|b| b.is_ascii_digit() || b"eE.+-".contains(&b));
        let float: f64 = digits.parse().ok().filter(|_| pattern)?;
        // Above this limit, a float does not represent every whole number.
        (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
    };
    number.or_else(float).map(|number| sign * number)
}

impl Document {
    /// Returns the root value.
    pub fn root(&self) -> Value<'_> {
        Value { document: self, index: 0 }
    }

    /// Returns the value at a path of keys, if it exists.
    pub fn at(&self, way: &[&str]) -> Option<Value<'_>> {
        self.root().at(way)
    }

    /// Returns all scalars in order.
    pub fn scalars(&self) -> impl Iterator<Item = Value<'_>> {
        let values = (0..self.nodes.len()).map(|index| Value { document: self, index });
        values.filter(|v| matches!(v.node().kind, Kind::Scalar(..)))
    }
}

impl<'d> Value<'d> {
    fn node(self) -> &'d Node {
        &self.document.nodes[self.index]
    }

    fn children(self) -> impl Iterator<Item = Value<'d>> {
        let Value { document, index } = self;
        let end = self.node().end;
        let first = Some(index + 1).filter(|i| *i < end);
        std::iter::successors(first, move |i| Some(document.nodes[*i].end).filter(|i| *i < end))
            .map(move |index| Value { document, index })
            .filter(|child| !matches!(child.node().step, Step::Gone))
    }

    /// Returns the value at a path of keys below this one.
    pub fn at(self, way: &[&str]) -> Option<Value<'d>> {
        way.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Returns the value of one key.
    pub fn get(self, key: &str) -> Option<Value<'d>> {
        self.children().find(|child| matches!(&child.node().step, Step::Key(k) if **k == *key))
    }

    /// Returns the value of one key, unless it is null.
    pub fn given(self, key: &str) -> Option<Value<'d>> {
        self.get(key).filter(|v| !v.is_null())
    }

    /// Returns the items of a list; nothing for other values.
    pub fn items(self) -> Vec<Value<'d>> {
        if self.is_list() { self.children().collect() } else { Vec::new() }
    }

    /// Returns the items of the list under a key; nothing without such a list.
    pub fn list(self, key: &str) -> Vec<Value<'d>> {
        self.get(key).map(Value::items).unwrap_or_default()
    }

    /// Returns the text of the scalar under a key, borrowed from the document.
    pub fn text_at(self, key: &str) -> Option<&'d str> {
        self.get(key).and_then(Value::as_str)
    }

    /// Returns the entries of a map; nothing for other values.
    pub fn entries(self) -> Vec<(&'d str, Value<'d>)> {
        let key = |child: Value<'d>| match &child.node().step {
            Step::Key(key) => Some((&**key, child)),
            _ => None,
        };
        self.children().filter_map(key).collect()
    }

    /// Returns the text of a scalar: the same for `5` and `"5"`.
    pub fn text(self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }

    /// Returns the text of a scalar, borrowed from the document.
    pub fn as_str(self) -> Option<&'d str> {
        match &self.node().kind {
            Kind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// Returns whether it is the scalar `text`.
    pub fn is(self, text: &str) -> bool {
        self.as_str() == Some(text)
    }

    /// Returns whether both are one value of one document.
    pub fn is_at(self, other: Value<'_>) -> bool {
        std::ptr::eq(self.document, other.document) && self.index == other.index
    }

    /// Returns whether both are equal: maps in any order, scalars by their text.
    pub fn same(self, other: Value<'_>) -> bool {
        match (self.is_map(), self.is_list()) {
            (true, _) => {
                let (mut own, mut theirs) = (self.entries(), other.entries());
                own.sort_by_key(|e| e.0);
                theirs.sort_by_key(|e| e.0);
                let pairs = || own.iter().zip(&theirs);
                other.is_map()
                    && own.len() == theirs.len()
                    && pairs().all(|(a, b)| a.0 == b.0 && a.1.same(b.1))
            }
            (_, true) => {
                let (own, theirs) = (self.items(), other.items());
                other.is_list()
                    && own.len() == theirs.len()
                    && own.iter().zip(&theirs).all(|(a, b)| a.same(*b))
            }
            _ => self.as_str() == other.as_str() && self.is_null() == other.is_null(),
        }
    }

    /// Returns a boolean by the rules of YAML 1.1, which the orchestrators still use.
    pub fn flag(self) -> Option<bool> {
        match self.as_str()? {
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
            _ => None,
        }
    }

    /// Returns an unquoted whole number, in any of the forms that YAML has for it.
    pub fn number(self) -> Option<i64> {
        match &self.node().kind {
            Kind::Scalar(text, Style::Plain) => whole(text),
            _ => None,
        }
    }

    /// Returns whether it is text for certain: quoted, a block scalar, or tagged.
    pub fn is_quoted(self) -> bool {
        matches!(self.node().kind, Kind::Scalar(_, style) if style != Style::Plain)
    }

    /// Returns the lines of a text, each with its line in the file.
    pub fn lines(self) -> impl Iterator<Item = (usize, &'d str)> {
        let (first, step) = match self.node().kind {
            Kind::Scalar(_, Style::Block(first)) => (first, 1),
            _ => (self.line(), 0),
        };
        let lines = self.as_str().unwrap_or_default().lines().enumerate();
        lines.map(move |(i, line)| (first + i * step, line))
    }

    /// Returns whether it is null: empty, `~` or `null`.
    pub fn is_null(self) -> bool {
        matches!(self.node().kind, Kind::Null)
    }

    /// Returns whether it is a map.
    pub fn is_map(self) -> bool {
        matches!(self.node().kind, Kind::Map)
    }

    /// Returns whether it is a list.
    pub fn is_list(self) -> bool {
        matches!(self.node().kind, Kind::Seq)
    }

    /// Returns the texts of a list of scalars.
    pub fn texts(self) -> Vec<String> {
        self.items().into_iter().filter_map(Value::text).collect()
    }

    /// Returns the scalars below it, in order.
    pub fn scalars(self) -> impl Iterator<Item = Value<'d>> {
        let values = (self.index..self.node().end).map(move |index| Value { document: self.document, index });
        values.filter(|v| matches!(v.node().kind, Kind::Scalar(..)))
    }

    /// Returns the key that it is the value of.
    pub fn key(self) -> Option<&'d str> {
        match &self.node().step {
            Step::Key(key) => Some(key),
            _ => None,
        }
    }

    /// Returns its path: `spec.template.spec.volumes[0].hostPath.type`.
    pub fn field(self) -> String {
        let mut steps = Vec::new();
        let mut at = self.index;
        while at > 0 {
            let node = &self.document.nodes[at];
            steps.push(&node.step);
            at = node.parent;
        }
        let mut field = String::new();
        for step in steps.iter().rev() {
            match step {
                Step::Key(key) => {
                    field.push_str(if field.is_empty() { "" } else { "." });
                    field.push_str(key);
                }
                Step::Item(i) => field.push_str(&format!("[{i}]")),
                Step::Root | Step::Gone => {}
            }
        }
        field
    }

    /// Returns its line in the file, from 1: that of its key. A map or list without a key, such as an
    /// item of a list, has the line of its first entry.
    pub fn line(self) -> usize {
        self.node().line
    }
}
