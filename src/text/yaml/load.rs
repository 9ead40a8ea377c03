//! Turns events of granit-parser into nodes, parents first.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::document::{Document, Fault, Kind, Node, Parsed, Step, Style};

/// Maximum number of values that the aliases of one file may expand to.
pub const MAX_COPIES: usize = 200_000;
/// Maximum nesting depth.
pub const MAX_DEPTH: usize = 128;

/// A list or map that is not closed yet.
struct Open {
    index: usize,
    /// In a map: the key whose value comes next.
    key: Option<Key>,
    /// In a map: the values by key.
    keys: BTreeMap<Arc<str>, usize>,
    /// In a map: the values of its merge keys (`<<`).
    merges: Vec<usize>,
    /// In a list: the number of items so far.
    items: usize,
}

struct Key {
    name: Arc<str>,
    line: usize,
    /// An unquoted `<<`.
    merges: bool,
}

struct Loader<'l> {
    /// The number of lines before the part.
    before: usize,
    nodes: Vec<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, usize>,
    copies: &'l mut usize,
    faults: &'l mut Vec<Fault>,
}

/// The line of the file, and why the document cannot be read.
type Stop = (usize, String);

/// Reads the documents of one part of a file; `before` lines precede it. Adds the byte ranges of its
/// scalars to `scalars`; what follows an error counts as one scalar.
pub(super) fn load(
    text: &str,
    before: usize,
    copies: &mut usize,
    parsed: &mut Parsed<'_>,
    mut scalars: Option<&mut Vec<Range<usize>>>,
) {
    let (nodes, open, anchors) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut loader = Loader { before, nodes, open, anchors, copies, faults: &mut parsed.faults };
    for event in Parser::new_from_str(text) {
        let done = match event {
            Ok((Event::DocumentEnd, _)) => {
                loader.anchors.clear();
                let nodes = std::mem::take(&mut loader.nodes);
                parsed.documents.extend((!nodes.is_empty()).then_some(Document { nodes }));
                Ok(())
            }
            Ok((event, span)) => {
                if let (Some(scalars), Event::Scalar(..)) = (&mut scalars, &event) {
                    scalars.extend(span.byte_range());
                }
                loader.event(event, &span).map_err(|stop| (stop, span.start.byte_offset()))
            }
            Err(e) => {
                let stop = (before + e.marker().line(), format!("not YAML: {}", e.info()));
                Err((stop, e.marker().byte_offset()))
            }
        };
        if let Err(((line, message), at)) = done {
            loader.faults.push(Fault { line, message, fatal: true });
            scalars.into_iter().for_each(|all| all.push(at.unwrap_or_default()..text.len()));
            return;
        }
    }
}

impl Loader<'_> {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Stop> {
        let line = self.before + span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.tag(tag.as_deref(), line);
                let plain = style == ScalarStyle::Plain;
                let style = match style {
                    ScalarStyle::Plain if tag.is_none() => Style::Plain,
                    ScalarStyle::Literal => Style::Block(line),
                    _ => Style::Quoted,
                };
                let text: Arc<str> = text.into();
                if self.wants_key() {
                    self.key(text, plain, line);
                    return Ok(());
                }
                let null = style == Style::Plain && ["", "~", "null", "Null", "NULL"].contains(&&*text);
                let kind = if null { Kind::Null } else { Kind::Scalar(text, style) };
                self.push(kind, anchor, line).map(drop)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), line);
                self.start(Kind::Seq, anchor, line)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), line);
                self.start(Kind::Map, anchor, line)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, line),
            _ => Ok(()),
        }
    }

    fn tag(&mut self, tag: Option<&Tag>, line: usize) {
        if let Some(tag) = tag.filter(|t| !t.is_yaml_core_schema()) {
            let message = format!("the tag `{}` is ignored", tag.original());
            self.faults.push(Fault { line, message, fatal: false });
        }
    }

    /// Returns whether the next value is the key of a map.
    fn wants_key(&self) -> bool {
        self.open.last().is_some_and(|o| o.key.is_none() && matches!(self.nodes[o.index].kind, Kind::Map))
    }

    fn key(&mut self, name: Arc<str>, plain: bool, line: usize) {
        let Some(open) = self.open.last_mut() else { return };
        let map = &mut self.nodes[open.index];
        if open.keys.is_empty() && open.merges.is_empty() && !matches!(map.step, Step::Key(_)) {
            map.line = line;
        }
        let merges = plain && &*name == "<<";
        if let Some(first) = open.keys.get(&name).filter(|_| !merges) {
            self.nodes[*first].step = Step::Gone;
            let message = format!("the key `{name}` appears twice: only the last one counts");
            self.faults.push(Fault { line, message, fatal: false });
        }
        open.key = Some(Key { name, line, merges });
    }

    /// Returns the step to the next value, whose index is `index`, and its line: that of its key, else
    /// `own`.
    fn step(&mut self, index: usize, own: usize) -> (Step, usize) {
        let Some(open) = self.open.last_mut() else { return (Step::Root, own) };
        match open.key.take() {
            Some(key) if key.merges => {
                open.merges.push(index);
                (Step::Gone, own)
            }
            Some(Key { name, line, .. }) => {
                open.keys.insert(name.clone(), index);
                (Step::Key(name), line)
            }
            None => {
                open.items += 1;
                (Step::Item(open.items - 1), own)
            }
        }
    }

    fn push(&mut self, kind: Kind, anchor: usize, line: usize) -> Result<usize, Stop> {
        let depth = self.open.len();
        if depth > MAX_DEPTH {
            return Err((line, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        if self.wants_key() {
            return Err((line, "a key must be plain text".to_owned()));
        }
        let index = self.nodes.len();
        let parent = self.open.last().map_or(0, |o| o.index);
        let (step, line) = self.step(index, line);
        self.nodes.push(Node { parent, step, line, depth, end: index + 1, kind });
        if anchor > 0 {
            self.anchors.insert(anchor, index);
        }
        Ok(index)
    }

    fn start(&mut self, kind: Kind, anchor: usize, line: usize) -> Result<(), Stop> {
        let index = self.push(kind, anchor, line)?;
        // The end is set when the node is closed.
        self.nodes[index].end = usize::MAX;
        self.open.push(Open { index, key: None, keys: BTreeMap::new(), merges: Vec::new(), items: 0 });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(Open { index, mut keys, merges, items, .. }) = self.open.pop() else { return Ok(()) };
        if items > 0 && !matches!(self.nodes[index].step, Step::Key(_)) {
            self.nodes[index].line = self.nodes[index + 1].line;
        }
        for merged in merges {
            let sources = match self.nodes[merged].kind {
                Kind::Seq => self.children(merged),
                _ => vec![merged],
            };
            for entry in sources.into_iter().flat_map(|s| self.children(s)).collect::<Vec<_>>() {
                let Step::Key(name) = self.nodes[entry].step.clone() else { continue };
                if !keys.contains_key(&name) {
                    keys.insert(name.clone(), self.nodes.len());
                    self.copy(entry, index, Step::Key(name), self.nodes[entry].line)?;
                }
            }
        }
        self.nodes[index].end = self.nodes.len();
        Ok(())
    }

    /// Returns the children of a closed node.
    fn children(&self, index: usize) -> Vec<usize> {
        let end = self.nodes[index].end;
        let first = Some(index + 1).filter(|i| *i < end);
        std::iter::successors(first, |i| Some(self.nodes[*i].end).filter(|i| *i < end)).collect()
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<(), Stop> {
        let Some(source) = self.anchors.get(&anchor).copied() else {
            return Err((line, "an alias of a key's anchor is not read: write the value out".to_owned()));
        };
        if self.nodes[source].end == usize::MAX {
            return Err((line, "an alias refers to a value that contains the alias".to_owned()));
        }
        if self.wants_key() {
            let Kind::Scalar(name, _) = self.nodes[source].kind.clone() else {
                return Err((line, "a key must be plain text".to_owned()));
            };
            self.key(name, false, line);
            return Ok(());
        }
        let parent = self.open.last().map_or(0, |o| o.index);
        let (step, line) = self.step(self.nodes.len(), self.nodes[source].line);
        self.copy(source, parent, step, line)
    }

    /// Copies `source` to `line` below `parent`, and its descendants with the lines that they have.
    fn copy(&mut self, source: usize, parent: usize, step: Step, line: usize) -> Result<(), Stop> {
        let (from, to) = (source, self.nodes.len());
        let end = self.nodes[source].end;
        *self.copies += end - from;
        if *self.copies > MAX_COPIES {
            return Err((line, format!("the aliases of the file expand to more than {MAX_COPIES} values")));
        }
        let deeper = self.nodes[parent].depth + 1;
        let base = self.nodes[source].depth;
        for i in from..end {
            let mut node = self.nodes[i].clone();
            node.depth = node.depth - base + deeper;
            node.end = node.end - from + to;
            if node.depth > MAX_DEPTH {
                return Err((node.line, format!("nested deeper than {MAX_DEPTH} levels")));
            }
            if i == from {
                (node.parent, node.step, node.line) = (parent, step.clone(), line);
            } else {
                node.parent = node.parent - from + to;
            }
            self.nodes.push(node);
        }
        Ok(())
    }
}
