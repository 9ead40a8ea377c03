//! A serde deserializer for trees from YAML and TOML. After an error it removes the invalid entry
//! from the tree and reads the rest again, so that one run reports all errors.

use std::borrow::Cow;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};

use super::node::{Key, Kind, Node};
use super::words;
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::input::Texts;
use crate::spec::source::in_text;
use crate::text::nearest::nearest;

/// The number of errors in one document after which reading stops. Each error costs a pass over the
/// tree, and more errors do not help the user.
const MAX_FAULTS: usize = 100;

/// The entries that were removed from a tree because of errors.
#[derive(Debug, Default)]
pub struct Removed {
    /// The keys, at any depth.
    pub keys: Vec<String>,
    /// The items of lists: the route to the list, and the index in the text.
    pub items: Vec<(Vec<String>, usize)>,
}

/// Reads a `T`, which messages call `what`. `texts` are the texts that places refer to. Adds every
/// error to `faults` and returns the value without the invalid entries; `None` if nothing could be
/// read.
pub fn read<T: DeserializeOwned>(
    what: &str,
    texts: &Texts,
    root: &Node,
    faults: &mut Vec<Diagnostic>,
) -> (Option<T>, Removed) {
    let mut removed = Removed::default();
    let mut root = Cow::Borrowed(root);
    for _ in 0..MAX_FAULTS {
        match T::deserialize(Reader(&root)) {
            Ok(value) => return (Some(value), removed),
            Err(error) => {
                let mut route = error.route.clone();
                route.reverse();
                faults.push(error.diagnostic(what, texts, root.place, &route));
                let item = root.holds_item(&route);
                if !root.to_mut().remove(&route) {
                    break;
                }
                let last = route.pop().unwrap_or_default();
                match last.parse() {
                    Ok(index) if item => {
                        let index = in_text(&removed.items, &route, index);
                        removed.items.push((route, index));
                    }
                    _ => removed.keys.push(last),
                }
            }
        }
    }
    (None, removed)
}

/// An error as serde reports it. The route starts at the innermost key.
#[derive(Debug)]
struct Error {
    what: What,
    place: Option<Place>,
    route: Vec<String>,
}

#[derive(Debug)]
enum What {
    Unknown { key: String, known: &'static [&'static str] },
    Type { found: Found, expected: String },
    Value(String),
}

/// The value that stands where another type was expected.
#[derive(Debug)]
struct Found {
    words: String,
    kind: FoundKind,
}

#[derive(Debug, Clone, Copy)]
enum FoundKind {
    Nothing,
    /// A number or a boolean, which quotes would turn into text.
    Plain,
    Other,
}

impl Error {
    fn at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    fn below(mut self, step: impl ToString) -> Self {
        self.route.push(step.to_string());
        self
    }

    fn diagnostic(self, what: &str, texts: &Texts, root: Place, route: &[String]) -> Diagnostic {
        let place = self.place.unwrap_or(root);
        match self.what {
            What::Unknown { key, known } => {
                let holder = match route.split_last() {
                    Some((_, [])) | None => what.to_owned(),
                    Some((_, way)) => format!("`{}`", way.join(".")),
                };
                let d = Diagnostic::error(Code::UnknownKey, place, format!("{holder} has no key `{key}`"));
                if let Some(here) = words::here(&key, route.len() == 1) {
                    return d.advice(format!("a spec has instead: {here}"));
                }
                match nearest(&key, known) {
                    Some(near) => d.fix("did you mean", format!("{near}:")),
                    None => d.advice(format!("the keys are: {}", known.join(", "))),
                }
            }
            What::Type { found, expected } => {
                let what = match route.last() {
                    Some(last) if last.parse::<usize>().is_err() => format!("`{last}`"),
                    _ => "this entry".to_owned(),
                };
                let message = match found.kind {
                    FoundKind::Nothing => format!("{what} has no value"),
                    _ => format!("{what} must be {expected}, not {}", found.words),
                };
                let d = Diagnostic::error(Code::WrongType, place, message);
                // The text as the user wrote it: 1.50, not 1.5.
                let text = texts.get(place.source).map_or("", |s| &s.text);
                let written = text.get(place.start..place.end).unwrap_or_default();
                match (found.kind, expected.starts_with("text"), route.last()) {
                    (FoundKind::Plain, true, Some(key)) if key.parse::<usize>().is_err() => {
                        d.fix("quote it", format!("{key}: \"{written}\""))
                    }
                    (FoundKind::Plain, true, _) => d.fix("quote it", format!("\"{written}\"")),
                    _ => d,
                }
            }
            What::Value(message) => Diagnostic::error(Code::BadValue, place, message),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.what)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self { what: What::Value(message.to_string()), place: None, route: Vec::new() }
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        let what = What::Unknown { key: key.to_owned(), known };
        Self { what, place: None, route: Vec::new() }
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        let mut message = format!("`{found}` is not one of {}", known.join(", "));
        if let Some(near) = nearest(found, known) {
            message = format!("{message}: did you mean `{near}`?");
        }
        Self::custom(message)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let (words, kind) = match found {
            Unexpected::Bool(b) => (format!("the boolean `{b}`"), FoundKind::Plain),
            Unexpected::Signed(i) => (format!("the number `{i}`"), FoundKind::Plain),
            Unexpected::Unsigned(i) => (format!("the number `{i}`"), FoundKind::Plain),
            Unexpected::Float(x) => (format!("the number `{x}`"), FoundKind::Plain),
            Unexpected::Str(s) => (format!("the text `{}`", short(s)), FoundKind::Other),
            Unexpected::Unit | Unexpected::Option => ("nothing".to_owned(), FoundKind::Nothing),
            Unexpected::Seq => ("a list".to_owned(), FoundKind::Other),
            Unexpected::Map => ("a map".to_owned(), FoundKind::Other),
            other => (other.to_string(), FoundKind::Other),
        };
        let expected = match expected.to_string() {
            s if s == "a string" => "text".to_owned(),
            s if s.starts_with("struct ") || s == "a map" => "a map".to_owned(),
            s if s == "a sequence" => "a list".to_owned(),
            s if s == "a boolean" => "true or false".to_owned(),
            s if s.starts_with(['u', 'i']) && s[1..].parse::<u8>().is_ok() => "a whole number".to_owned(),
            s => s,
        };
        Self { what: What::Type { found: Found { words, kind }, expected }, place: None, route: Vec::new() }
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        match (&found, expected.to_string()) {
            (Unexpected::Signed(i), s) if s == "u16" => {
                Self::custom(format!("`{i}` is not between 0 and 65535"))
            }
            (Unexpected::Signed(i), s) if s == "u32" || s == "u64" => {
                Self::custom(format!("`{i}` is not a whole number of this size"))
            }
            (_, s) => Self::custom(format!("{found} is not {s}")),
        }
    }
}

fn short(s: &str) -> String {
    let mut out: String = s.chars().take(40).collect();
    if out.len() < s.len() {
        out.push('…');
    }
    out.replace('\n', "⏎")
}

type Read<T> = Result<T, Error>;

#[derive(Clone, Copy)]
struct Reader<'n>(&'n Node);

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        let read = match &self.0.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(b) => visitor.visit_bool(*b),
            Kind::Int(i) => visitor.visit_i64(*i),
            Kind::Float(f) => visitor.visit_f64(*f),
            Kind::Str(s) => visitor.visit_str(s),
            Kind::Seq(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Kind::Map(entries) => visitor.visit_map(Entries { rest: entries.iter(), open: None }),
        };
        read.map_err(|e| e.at(self.0.short_place()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Read<V::Value> {
        match self.0.kind {
            // An empty `key:` is a mistake, not a way to leave a field out.
            Kind::Null => Err(Error::invalid_type(Unexpected::Unit, &"a value").at(self.0.place)),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        match self.0.kind {
            // Serde would read a list as the fields of a struct in their order.
            Kind::Seq(_) => Err(Error::invalid_type(Unexpected::Seq, &visitor).at(self.0.place)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Read<V::Value> {
        visitor.visit_newtype_struct(self).map_err(|e| e.at(self.0.place))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Read<V::Value> {
        match &self.0.kind {
            Kind::Str(s) => visitor
                .visit_enum(IntoDeserializer::<Error>::into_deserializer(s.as_str()))
                .map_err(|e| e.at(self.0.place)),
            _ => Err(Error::invalid_type(unexpected(self.0), &"a string").at(self.0.short_place())),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

fn unexpected(node: &Node) -> Unexpected<'_> {
    match &node.kind {
        Kind::Null => Unexpected::Unit,
        Kind::Bool(b) => Unexpected::Bool(*b),
        Kind::Int(i) => Unexpected::Signed(*i),
        Kind::Float(f) => Unexpected::Float(*f),
        Kind::Str(s) => Unexpected::Str(s),
        Kind::Seq(_) => Unexpected::Seq,
        Kind::Map(_) => Unexpected::Map,
    }
}

struct Items<'n>(std::iter::Enumerate<std::slice::Iter<'n, Node>>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        let Some((i, node)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Reader(node)).map(Some).map_err(|e| e.at(node.short_place()).below(i))
    }
}

struct Entries<'n> {
    rest: std::slice::Iter<'n, (Key, Node)>,
    open: Option<&'n (Key, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        let Some(entry) = self.rest.next() else { return Ok(None) };
        self.open = Some(entry);
        let key: StrDeserializer<'_, Error> = entry.0.name.as_str().into_deserializer();
        seed.deserialize(key).map(Some).map_err(|e| e.at(entry.0.place).below(&entry.0.name))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Read<T::Value> {
        let Some((key, node)) = self.open.take() else {
            return Err(Error::custom("a value without a key"));
        };
        seed.deserialize(Reader(node)).map_err(|e| {
            // The error for a whole collection of the wrong type points at its key.
            let place = if node.is_collection() { key.place } else { node.place };
            e.at(place).below(&key.name)
        })
    }
}

/// Reads the rest of a map, which a visitor has received, as a `T`.
///
/// # Errors
/// An error of `T`.
pub fn rest_of_map<'de, A: MapAccess<'de>, T: de::Deserialize<'de>>(map: A) -> Result<T, A::Error> {
    T::deserialize(MapAccessDeserializer::new(map))
}
