//! Reads YAML text into a [`Node`], from the events of granit-parser under the core schema. It
//! rejects anchors, aliases, tags, merge keys and several documents.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use super::node::{Key, Kind, MAX_DEPTH, MAX_NODES, Node, fault};
use crate::code::Code;
use crate::diag::{Diagnostic, Place};

const ALIAS: &str = "aliases are not supported: write the value out";

type Loaded<T> = Result<T, Box<Diagnostic>>;

/// A collection that is not yet closed.
enum Open {
    Seq(Place, Vec<Node>),
    Map { at: Place, entries: Vec<(Key, Node)>, seen: BTreeMap<String, Place>, key: Option<Key> },
}

struct Loader<'t> {
    source: usize,
    text: &'t str,
    stack: Vec<Open>,
    nodes: usize,
    root: Option<Node>,
}

/// Reads `text`, which is one document.
///
/// # Errors
/// The first error of the text, with its place.
pub fn load(source: usize, text: &str) -> Loaded<Node> {
    let mut loader = Loader { source, text, stack: Vec::new(), nodes: 0, root: None };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|e| {
            let at = e.marker().byte_offset().unwrap_or(0).min(text.len());
            let place = Place::new(source, at, at);
            if e.info().contains("unknown anchor") {
                return fault(Code::YamlFeature, place, ALIAS);
            }
            fault(Code::Syntax, place, format!("not YAML: {}", e.info()))
        })?;
        loader.event(event, &span)?;
    }
    loader.root.ok_or_else(|| fault(Code::Empty, Place::new(source, 0, 0), "the spec is empty"))
}

impl Loader<'_> {
    fn place(&self, span: &Span) -> Place {
        let clamp = |b: Option<usize>| b.unwrap_or(0).min(self.text.len());
        Place::new(self.source, clamp(span.start.byte_offset()), clamp(span.end.byte_offset()))
    }

    fn event(&mut self, event: Event<'_>, span: &Span) -> Loaded<()> {
        let at = self.place(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.bare(anchor, tag.is_some(), at)?;
                let kind = if style == ScalarStyle::Plain {
                    plain(&text, at)?
                } else {
                    Kind::Str(text.into_owned())
                };
                self.done(Node { place: at, kind })
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.bare(anchor, tag.is_some(), at)?;
                self.open(Open::Seq(at, Vec::new()), at)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.bare(anchor, tag.is_some(), at)?;
                let (entries, seen) = (Vec::new(), BTreeMap::new());
                self.open(Open::Map { at, entries, seen, key: None }, at)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.stack.pop() {
                Some(Open::Seq(start, mut items)) => {
                    items.shrink_to_fit();
                    let end = items.last().map_or(start.end, |n| n.place.end);
                    self.done(Node { place: Place { end, ..start }, kind: Kind::Seq(items) })
                }
                Some(Open::Map { at: start, mut entries, .. }) => {
                    // Trees stay in memory as long as a diagnostic may refer to them.
                    entries.shrink_to_fit();
                    let end = entries.last().map_or(start.end, |(_, n)| n.place.end);
                    self.done(Node { place: Place { end, ..start }, kind: Kind::Map(entries) })
                }
                None => Ok(()),
            },
            Event::Alias(_) | Event::UnresolvedAlias(_) => Err(fault(Code::YamlFeature, at, ALIAS)),
            _ => Ok(()),
        }
    }

    fn bare(&self, anchor: usize, tagged: bool, at: Place) -> Loaded<()> {
        if anchor > 0 {
            return Err(fault(Code::YamlFeature, at, "anchors are not supported: write the value out"));
        }
        if tagged {
            return Err(fault(
                Code::YamlFeature,
                at,
                "tags are not supported: quote the value if it is text",
            ));
        }
        Ok(())
    }

    fn open(&mut self, open: Open, at: Place) -> Loaded<()> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(fault(Code::TooDeep, at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.stack.push(open);
        Ok(())
    }

    fn done(&mut self, node: Node) -> Loaded<()> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(fault(Code::TooLarge, node.place, format!("more than {MAX_NODES} values")));
        }
        match self.stack.last_mut() {
            None if self.root.is_some() => Err(fault(
                Code::Documents,
                node.place,
                "a spec has only one document; a second one starts here",
            )),
            None => {
                self.root = Some(node);
                Ok(())
            }
            Some(Open::Seq(_, items)) => {
                items.push(node);
                Ok(())
            }
            Some(Open::Map { entries, seen, key, .. }) => {
                if let Some(key) = key.take() {
                    entries.push((key, node));
                    return Ok(());
                }
                let name = match node.kind {
                    Kind::Str(name) => name,
                    Kind::Seq(_) | Kind::Map(_) => {
                        return Err(fault(Code::Syntax, node.place, "a key must be plain text"));
                    }
                    _ => self.text[node.place.start..node.place.end].to_owned(),
                };
                if name == "<<" {
                    return Err(fault(Code::YamlFeature, node.place, "merge keys are not supported"));
                }
                if let Some(first) = seen.insert(name.clone(), node.place) {
                    let twice = Diagnostic::error(
                        Code::DuplicateKey,
                        node.place,
                        format!("the key `{name}` appears twice"),
                    );
                    return Err(Box::new(twice.related(first, "first here")));
                }
                *key = Some(Key { name, place: node.place });
                Ok(())
            }
        }
    }
}

/// Reads a plain scalar by YAML 1.2's core schema. A number with a leading zero is an error, because
/// YAML 1.1 reads it as octal.
pub fn plain(text: &str, at: Place) -> Loaded<Kind> {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
        "true" => Kind::Bool(true),
        "false" => Kind::Bool(false),
        _ => match number(text, at)? {
            Some(kind) => kind,
            None => Kind::Str(text.to_owned()),
        },
    })
}

fn number(text: &str, at: Place) -> Loaded<Option<Kind>> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if is_digits(digits) {
        if digits.len() > 1 && digits.starts_with('0') {
            return Err(fault(
                Code::LeadingZero,
                at,
                format!(
                    "some readers of YAML take `{text}` as octal, others as decimal: quote it, or remove the zero"
                ),
            ));
        }
        return text
            .parse()
            .map(|i| Some(Kind::Int(i)))
            .map_err(|_| fault(Code::NumberRange, at, format!("`{text}` is too large")));
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(rest) = text.strip_prefix(prefix)
            && let Ok(i) = i64::from_str_radix(rest, radix)
            && !rest.starts_with(['+', '-'])
        {
            return Ok(Some(Kind::Int(i)));
        }
    }
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e)),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_float = (is_digits(whole) || whole.is_empty() && !fraction.is_empty())
        && (fraction.is_empty() || is_digits(fraction))
        && exponent.is_none_or(|e| is_digits(e.strip_prefix(['+', '-']).unwrap_or(e)));
    Ok(is_float.then(|| text.parse().ok().map(Kind::Float)).flatten())
}
