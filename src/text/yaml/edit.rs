//! Changes single values in the text of a YAML file. Everything else stays as it is: comments, order,
//! layout. What an alias stands for is never changed.

use std::ops::Range;

use granit_parser::{Event, Parser};

use super::load::MAX_DEPTH;

/// A value, and where it is in the text.
struct Node {
    /// From its first character to behind its last one.
    span: Range<usize>,
    kind: Kind,
}

enum Kind {
    Scalar,
    Alias,
    List(Vec<Node>),
    /// The keys, each with its place.
    Map(Vec<(String, Range<usize>, Node)>),
}

/// A text that is changed.
#[derive(Debug, Clone)]
pub struct Text(String);

/// The place of a value: a line of its document, and its path as [`super::Value::field`] prints it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    /// A line of the object, from 1.
    pub line: usize,
    /// The path of the object or the value; empty for the whole document.
    pub field: &'p str,
}

impl Text {
    /// Takes a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the changed text.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Returns whether there is a value at `place`, below `more`.
    pub fn has(&self, place: Place<'_>, more: &[&str]) -> bool {
        self.root(place.line).is_some_and(|root| {
            let (node, rest) = walk(&root, place.field);
            rest.is_empty() && deepest(node, more).1 == more.len()
        })
    }

    /// Returns whether the value at `place` is a list.
    pub fn is_list(&self, place: Place<'_>, more: &[&str]) -> bool {
        self.root(place.line).is_some_and(|root| {
            let (node, rest) = walk(&root, place.field);
            let (node, depth) = deepest(node, more);
            rest.is_empty() && depth == more.len() && matches!(node.kind, Kind::List(_))
        })
    }

    /// Returns the scalar at `more` below `place`, as it is written.
    pub fn scalar(&self, place: Place<'_>, more: &[&str]) -> Option<&str> {
        let root = self.root(place.line)?;
        let (node, rest) = walk(&root, place.field);
        let (node, depth) = deepest(node, more);
        let scalar = rest.is_empty() && depth == more.len() && matches!(node.kind, Kind::Scalar);
        scalar.then(|| self.0[node.span.clone()].trim())
    }

    /// Writes `value`, which is YAML on one line, at `more` below `place`. Missing maps on the way are
    /// added. Returns `None` if the text is not what that needs.
    #[must_use]
    pub fn set(&self, place: Place<'_>, more: &[&str], value: &str) -> Option<Self> {
        let root = self.root(place.line)?;
        let (node, rest) = walk(&root, place.field);
        let more: Vec<&str> = if rest.is_empty() { more.to_vec() } else { return None };
        let (node, depth) = deepest(node, &more);
        let Some((first, below)) = more.get(depth..)?.split_first() else {
            return match node.kind {
                Kind::Alias => None,
                _ => Some(self.replaced(node, value)),
            };
        };
        let nested = below.iter().rev().fold(value.to_owned(), |value, key| format!("{{{key}: {value}}}"));
        match &node.kind {
            Kind::Map(entries) => self.entry(node, entries, &format!("{first}: {nested}")),
            Kind::Scalar if matches!(self.0[node.span.clone()].trim(), "" | "~" | "null") => {
                Some(self.replaced(node, &format!("{{{first}: {nested}}}")))
            }
            _ => None,
        }
    }

    /// Adds `item`, which is YAML on one line, to the list at `more` below `place`.
    #[must_use]
    pub fn add(&self, place: Place<'_>, more: &[&str], item: &str) -> Option<Self> {
        if !self.has(place, more) {
            return self.set(place, more, &format!("[{item}]"));
        }
        let root = self.root(place.line)?;
        let (node, _) = deepest(walk(&root, place.field).0, more);
        let Kind::List(items) = &node.kind else { return None };
        match items.last() {
            None => Some(self.replaced(node, &format!("[{item}]"))),
            Some(last) if self.0[node.span.start..].starts_with('[') => {
                Some(self.spliced(last.span.end..last.span.end, &format!(", {item}")))
            }
            Some(last) => {
                let first = items.first()?.span.start;
                let dash = self.0[..first].rfind('-')?;
                let column = dash - self.0[..dash].rfind('\n').map_or(0, |at| at + 1);
                Some(self.line_after(last.span.end, &format!("{}- {item}", " ".repeat(column))))
            }
        }
    }

    /// Takes out the entry `key` of the map at `place`.
    #[must_use]
    pub fn without(&self, place: Place<'_>, key: &str) -> Option<Self> {
        let root = self.root(place.line)?;
        let (node, rest) = walk(&root, place.field);
        let Kind::Map(entries) = &node.kind else { return None };
        let at = entries.iter().position(|(name, ..)| name == key).filter(|_| rest.is_empty())?;
        let (_, name, value) = &entries[at];
        let next = entries.get(at + 1).map(|(_, name, _)| name.start);
        let before = at.checked_sub(1).map(|i| entries[i].2.span.end);
        if self.0[node.span.start..].starts_with('{') {
            let range = match (next, before) {
                (Some(next), _) => name.start..next,
                (None, Some(before)) => before..value.span.end,
                (None, None) => name.start..value.span.end,
            };
            return Some(self.spliced(range, ""));
        }
        let line = self.0[..name.start].rfind('\n').map_or(0, |at| at + 1);
        let end = self.end_of_line(value.span.end.max(name.end));
        let whole = self.0[line..name.start].trim().is_empty() && (next.is_some() || before.is_some());
        match next.filter(|_| !whole) {
            Some(next) => Some(self.spliced(name.start..next, "")),
            None => whole.then(|| self.spliced(line..(end + 1).min(self.0.len()), "")),
        }
    }

    /// Adds a document behind the last one.
    #[must_use]
    pub fn document(&self, text: &str) -> Self {
        let end = if self.0.ends_with('\n') { "" } else { "\n" };
        Self(format!("{}{end}---\n{text}\n", self.0))
    }

    fn spliced(&self, range: Range<usize>, with: &str) -> Self {
        Self(format!("{}{with}{}", &self.0[..range.start], &self.0[range.end..]))
    }

    fn replaced(&self, node: &Node, value: &str) -> Self {
        // A block below its key moves up to the key; the place of an empty value is that of its key's end.
        let before = self.0[..node.span.start].trim_end_matches([' ', '\n', '\r']);
        if node.span.is_empty() && self.0[node.span.start..].starts_with(':') {
            return self.spliced(node.span.start + 1..node.span.start + 1, &format!(" {value}"));
        }
        let start = if before.ends_with(':') { before.len() } else { node.span.start };
        let space = if before.ends_with(':') { " " } else { "" };
        self.spliced(start..node.span.end.max(start), &format!("{space}{value}"))
    }

    fn end_of_line(&self, at: usize) -> usize {
        self.0[at..].find('\n').map_or(self.0.len(), |end| at + end)
    }

    fn line_after(&self, at: usize, line: &str) -> Self {
        let end = self.end_of_line(at);
        self.spliced(end..end, &format!("\n{line}"))
    }

    fn entry(&self, node: &Node, entries: &[(String, Range<usize>, Node)], entry: &str) -> Option<Self> {
        let (Some((_, first, _)), Some((_, _, last))) = (entries.first(), entries.last()) else {
            return Some(self.spliced(node.span.clone(), &format!("{{{entry}}}")));
        };
        if self.0[node.span.start..].starts_with('{') {
            return Some(self.spliced(last.span.end..last.span.end, &format!(", {entry}")));
        }
        let column = first.start - self.0[..first.start].rfind('\n').map_or(0, |at| at + 1);
        Some(self.line_after(last.span.end, &format!("{}{entry}", " ".repeat(column))))
    }

    /// Returns the document that `line` belongs to.
    fn root(&self, line: usize) -> Option<Node> {
        let starts: Vec<usize> =
            std::iter::once(0).chain(self.0.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let at = *starts.get(line.checked_sub(1)?)?;
        let mut reader = Reader { text: &self.0, events: Parser::new_from_str(&self.0), depth: 0 };
        let mut last = None;
        while let Some((event, span)) = reader.next()? {
            let node = reader.node(event, span)?;
            let behind = node.span.start > at && last.is_some();
            if behind {
                break;
            }
            last = Some(node);
        }
        last
    }
}

/// Reads the events of a parser into nodes.
struct Reader<'t> {
    text: &'t str,
    events: Parser<'t, granit_parser::StrInput<'t>>,
    /// The number of lists and maps around the next event.
    depth: usize,
}

impl<'t> Reader<'t> {
    /// Returns the next event, `Some(None)` at the end, and `None` after an error.
    #[expect(clippy::option_option, reason = "the end is no error")]
    fn next(&mut self) -> Option<Option<(Event<'t>, Range<usize>)>> {
        loop {
            match self.events.next() {
                None => return Some(None),
                Some(Ok((
                    event @ (Event::Scalar(..)
                    | Event::Alias(_)
                    | Event::SequenceStart(..)
                    | Event::SequenceEnd
                    | Event::MappingStart(..)
                    | Event::MappingEnd),
                    span,
                ))) => return Some(Some((event, span.byte_range()?))),
                Some(Ok(_)) => {}
                Some(Err(_)) => return None,
            }
        }
    }

    /// Reads a value, which is no deeper than a manifest may be: the stack is limited.
    fn node(&mut self, event: Event<'t>, span: Range<usize>) -> Option<Node> {
        if self.depth > MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let node = self.value(event, span);
        self.depth -= 1;
        node
    }

    fn value(&mut self, event: Event<'t>, span: Range<usize>) -> Option<Node> {
        let start = span.start;
        let kind = match event {
            Event::Scalar(..) => Kind::Scalar,
            Event::Alias(_) => Kind::Alias,
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                let end = loop {
                    match self.next()?? {
                        (Event::SequenceEnd, span) => break span.end,
                        (event, span) => items.push(self.node(event, span)?),
                    }
                };
                let last = items.last().map(|n: &Node| n.span.end);
                // A block begins with the dash of its first item.
                let first = items.first().map_or(start, |n: &Node| n.span.start);
                let first = self.text.get(..first)?.rfind('-').unwrap_or(first);
                return Some(Node {
                    span: self.collection(start, first, last, end),
                    kind: Kind::List(items),
                });
            }
            Event::MappingStart(..) => {
                let mut entries: Vec<(String, Range<usize>, Node)> = Vec::new();
                let end = loop {
                    let (event, span) = self.next()??;
                    let key = match event {
                        Event::MappingEnd => break span.end,
                        Event::Scalar(ref key, ..) => key.to_string(),
                        _ => return None,
                    };
                    let (event, of) = self.next()??;
                    entries.push((key, span, self.node(event, of)?));
                };
                let last = entries.last().map(|(_, _, n)| n.span.end);
                let first = entries.first().map_or(start, |(_, key, _)| key.start);
                return Some(Node {
                    span: self.collection(start, first, last, end),
                    kind: Kind::Map(entries),
                });
            }
            _ => return None,
        };
        let end = span.start + self.text.get(span)?.trim_end().len();
        Some(Node { span: start..end, kind })
    }

    /// Returns the span of a list or map: brackets with all inside, or a block to the end of its last value.
    fn collection(&self, start: usize, first: usize, last: Option<usize>, end: usize) -> Range<usize> {
        match self.text.get(start..start + 1) {
            Some("{" | "[") => start..end,
            _ => first.min(start)..last.unwrap_or(start),
        }
    }
}

/// Follows a path of `field` as far as it goes; returns what is left of it.
fn walk<'n, 'f>(root: &'n Node, field: &'f str) -> (&'n Node, &'f str) {
    let (mut node, mut rest) = (root, field);
    loop {
        let next = match &node.kind {
            Kind::Map(entries) => {
                let path = rest.strip_prefix('.').unwrap_or(rest);
                let ends =
                    |key: &str| path.strip_prefix(key).filter(|r| r.is_empty() || r.starts_with(['.', '[']));
                let found = entries.iter().filter_map(|(key, _, node)| Some((key.len(), node, ends(key)?)));
                // A key may have dots.
                found.max_by_key(|(length, ..)| *length).map(|(_, node, rest)| (node, rest))
            }
            Kind::List(items) => rest
                .strip_prefix('[')
                .and_then(|r| r.split_once(']'))
                .and_then(|(index, rest)| Some((items.get(index.parse::<usize>().ok()?)?, rest))),
            _ => None,
        };
        match next.filter(|_| !rest.is_empty()) {
            Some((below, left)) => (node, rest) = (below, left),
            None => return (node, rest),
        }
    }
}

/// Follows keys as far as they go; returns how many.
fn deepest<'n>(node: &'n Node, keys: &[&str]) -> (&'n Node, usize) {
    let (mut node, mut depth) = (node, 0);
    for key in keys {
        let Kind::Map(entries) = &node.kind else { break };
        let Some((_, _, below)) = entries.iter().find(|(name, ..)| name == key) else { break };
        (node, depth) = (below, depth + 1);
    }
    (node, depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# head\nkind: A   # of a\nspec:\n  one: 1\n  # about two\n  two: {x: 1}\n  list:\n  - a # first\n  - b\n  none:\n---\nkind: B\nspec: {}\n";

    fn set(line: usize, field: &str, more: &[&str], value: &str) -> String {
        Text::new(TEXT)
            .set(Place { line, field }, more, value)
            .map_or_else(|| "none".to_owned(), Text::into_string)
    }

    #[test]
    fn values_change_and_all_else_stays() {
        assert_eq!(set(1, "spec.one", &[], "2"), TEXT.replace("one: 1", "one: 2"));
        assert_eq!(set(1, "spec", &["two", "x"], "2"), TEXT.replace("x: 1", "x: 2"));
        assert_eq!(set(1, "spec.two", &["y", "z"], "2"), TEXT.replace("{x: 1}", "{x: 1, y: {z: 2}}"));
        assert_eq!(set(1, "spec", &["none", "k"], "2"), TEXT.replace("none:\n", "none: {k: 2}\n"));
        assert_eq!(set(1, "spec", &["new"], "2"), TEXT.replace("none:\n", "none:\n  new: 2\n"));
        assert_eq!(
            set(1, "spec.list", &[], "[c]"),
            TEXT.replace("list:\n  - a # first\n  - b\n", "list: [c]\n")
        );
        assert_eq!(set(12, "spec", &["k"], "2"), TEXT.replace("spec: {}", "spec: {k: 2}"));
        assert_eq!(set(12, "kind", &[], "C"), TEXT.replace("kind: B", "kind: C"));
        assert_eq!(set(1, "spec.gone", &[], "2"), "none");
    }

    #[test]
    fn a_deep_text_is_not_changed() {
        let deep = |levels: usize| format!("a: {}1{}\nb: 1\n", "[".repeat(levels), "]".repeat(levels));
        let set = |levels| Text::new(deep(levels)).set(Place { line: 1, field: "b" }, &[], "2");
        assert!(set(20).is_some());
        assert!(set(MAX_DEPTH + 2).is_none());
    }

    #[test]
    fn items_are_added_and_entries_taken_out() {
        let place = Place { line: 1, field: "spec" };
        let added = |more: &[&str]| Text::new(TEXT).add(place, more, "c").unwrap().into_string();
        assert_eq!(added(&["list"]), TEXT.replace("  - b\n", "  - b\n  - c\n"));
        assert_eq!(added(&["more"]), TEXT.replace("none:\n", "none:\n  more: [c]\n"));
        let without = |key: &str| Text::new(TEXT).without(place, key).unwrap().into_string();
        assert_eq!(without("one"), TEXT.replace("  one: 1\n", ""));
        assert_eq!(without("none"), TEXT.replace("  none:\n", ""));
    }
}
