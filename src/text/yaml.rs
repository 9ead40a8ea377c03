//! YAML as other people write it: documents with the lines of their values.
//!
//! Anchors, aliases and merge keys are written out, tags are read past, of a key that stands
//! twice the last counts, as for kubectl. What cannot be read is left out, and said. Time and
//! memory are linear in the text, plus [`MAX_COPIES`] for what aliases write out.

mod load;

use std::sync::Arc;

/// Most values that the aliases of one file may write out.
pub const MAX_COPIES: usize = 200_000;
/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 128;

/// One document of a file.
#[derive(Debug, Clone)]
pub struct Document {
    /// Each node before those below it, these in their order; the first is the root.
    nodes: Vec<Node>,
}

/// A value in a document, with the way to it.
#[derive(Debug, Clone, Copy)]
pub struct Value<'d> {
    document: &'d Document,
    index: usize,
}

/// Something in a file that was left out, or read past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    /// In one sentence, without a stop.
    pub message: String,
    /// The whole document was left out.
    pub fatal: bool,
}

#[derive(Debug, Clone)]
struct Node {
    parent: usize,
    step: Step,
    line: usize,
    depth: usize,
    /// The first node behind all that are below this one.
    end: usize,
    kind: Kind,
}

/// From a node's parent to the node.
#[derive(Debug, Clone)]
enum Step {
    Root,
    Key(Arc<str>),
    Item(usize),
    /// What stands no more: merged, or overruled by a later one.
    Gone,
}

#[derive(Debug, Clone)]
enum Kind {
    Null,
    /// A scalar, and whether it stands without quotes.
    Scalar(Arc<str>, bool),
    Seq,
    Map,
}

/// The documents of `text`; what cannot be read is left out, and said.
pub fn documents(text: &str) -> (Vec<Document>, Vec<String>) {
    let (read, faults) = read(text);
    (read, faults.into_iter().map(|f| f.message).collect())
}

/// As [`documents`], and where it is that something was left out.
pub fn read(text: &str) -> (Vec<Document>, Vec<Fault>) {
    let (mut read, mut faults, mut copies) = (Vec::new(), Vec::new(), 0);
    for (before, part) in split(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        if part.lines().any(is_content) {
            load::load(part, before, &mut copies, &mut read, &mut faults);
        }
    }
    (read, faults)
}

/// Whether a line is neither empty, comment, mark nor directive.
fn is_content(line: &str) -> bool {
    let line = line.strip_prefix("---").unwrap_or(line);
    !line.trim().is_empty() && !line.trim_start().starts_with('#') && !line.starts_with('%')
}

/// Parts that begin with a line `---`, each with the number of lines before it: a fault in one
/// leaves the others whole.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut at, mut before) = (0, 0, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let rest = line.strip_prefix("---");
        if rest.is_some_and(|r| r.is_empty() || r.starts_with(char::is_whitespace)) {
            parts.push((before, &text[start..at]));
            (start, before) = (at, number);
        }
        at += line.len();
    }
    parts.push((before, &text[start..]));
    parts
}

impl Document {
    /// Its root.
    pub fn root(&self) -> Value<'_> {
        Value { document: self, index: 0 }
    }

    /// The value at a way of keys; `None` when it is not there.
    pub fn at(&self, way: &[&str]) -> Option<Value<'_>> {
        self.root().at(way)
    }

    /// Every scalar, in order.
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

    /// The value at a way of keys below this one.
    pub fn at(self, way: &[&str]) -> Option<Value<'d>> {
        way.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The value of one key.
    pub fn get(self, key: &str) -> Option<Value<'d>> {
        self.children().find(|child| matches!(&child.node().step, Step::Key(k) if **k == *key))
    }

    /// The value of one key, unless it is null.
    pub fn given(self, key: &str) -> Option<Value<'d>> {
        self.get(key).filter(|v| !v.is_null())
    }

    /// The entries of a list; none when it is no list.
    pub fn items(self) -> Vec<Value<'d>> {
        if self.is_list() { self.children().collect() } else { Vec::new() }
    }

    /// The entries of a map; none when it is no map.
    pub fn entries(self) -> Vec<(&'d str, Value<'d>)> {
        let key = |child: Value<'d>| match &child.node().step {
            Step::Key(key) => Some((&**key, child)),
            _ => None,
        };
        self.children().filter_map(key).collect()
    }

    /// Its text, when it is a scalar: `5` and `"5"` alike.
    pub fn text(self) -> Option<String> {
        self.as_str().map(str::to_owned)
    }

    /// As [`Self::text`], as it stands in the document.
    pub fn as_str(self) -> Option<&'d str> {
        match &self.node().kind {
            Kind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// Whether it is the scalar `text`.
    pub fn is(self, text: &str) -> bool {
        self.as_str() == Some(text)
    }

    /// Whether both say the same: maps in any order, scalars by their text.
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

    /// A boolean as YAML 1.1 has it, which the orchestrators still read.
    pub fn flag(self) -> Option<bool> {
        match self.as_str()? {
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(true),
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(false),
            _ => None,
        }
    }

    /// A whole number that stands without quotes.
    pub fn number(self) -> Option<i64> {
        match &self.node().kind {
            Kind::Scalar(text, true) => text.parse().ok(),
            _ => None,
        }
    }

    /// Whether it is a scalar in quotes, a block, or tagged: text, whatever it looks like.
    pub fn is_quoted(self) -> bool {
        matches!(self.node().kind, Kind::Scalar(_, false))
    }

    /// Whether it is null: nothing, `~` or `null`.
    pub fn is_null(self) -> bool {
        matches!(self.node().kind, Kind::Null)
    }

    /// Whether it is a map.
    pub fn is_map(self) -> bool {
        matches!(self.node().kind, Kind::Map)
    }

    /// Whether it is a list.
    pub fn is_list(self) -> bool {
        matches!(self.node().kind, Kind::Seq)
    }

    /// The texts of a list of scalars.
    pub fn texts(self) -> Vec<String> {
        self.items().into_iter().filter_map(Value::text).collect()
    }

    /// The way to it: `spec.template.spec.volumes[0].hostPath.type`.
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

    /// Its line in the file, from 1; for a map or list, that of its first entry.
    pub fn line(self) -> usize {
        self.node().line
    }
}
