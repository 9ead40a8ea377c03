//! Reads TOML text into a [`Node`].

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Key, Kind, MAX_DEPTH, MAX_NODES, Node, fault};
use crate::code::Code;
use crate::diag::{Diagnostic, Place};

type Loaded<T> = Result<T, Box<Diagnostic>>;

/// Reads `text`.
///
/// # Errors
/// The first error of the text, with its place.
pub fn load(source: usize, text: &str) -> Loaded<Node> {
    let table = DeTable::parse(text).map_err(|e| {
        let span = e.span().unwrap_or(0..0);
        let place = Place::new(source, span.start.min(text.len()), span.end.min(text.len()));
        let code = if e.message().contains("duplicate key") { Code::DuplicateKey } else { Code::Syntax };
        fault(code, place, format!("not TOML: {}", e.message()))
    })?;
    if table.get_ref().is_empty() {
        return Err(fault(Code::Empty, Place::new(source, 0, 0), "the spec is empty"));
    }
    let mut left = MAX_NODES;
    let span = table.span();
    let place = Place::new(source, span.start, span.end);
    Ok(Node { place, kind: map(source, table.get_ref(), 1, &mut left, place)? })
}

fn map(source: usize, table: &DeTable<'_>, depth: usize, left: &mut usize, at: Place) -> Loaded<Kind> {
    if depth > MAX_DEPTH {
        return Err(fault(Code::TooDeep, at, format!("nested deeper than {MAX_DEPTH} levels")));
    }
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        let span = key.span();
        let key = Key { name: key.get_ref().to_string(), place: Place::new(source, span.start, span.end) };
        entries.push((key, node(source, value, depth, left)?));
    }
    // The parser sorts tables by key; this restores the order of the file.
    entries.sort_by_key(|(key, _)| key.place);
    Ok(Kind::Map(entries))
}

fn node(source: usize, value: &Spanned<DeValue<'_>>, depth: usize, left: &mut usize) -> Loaded<Node> {
    let span = value.span();
    let place = Place::new(source, span.start, span.end);
    *left = left
        .checked_sub(1)
        .ok_or_else(|| fault(Code::TooLarge, place, format!("more than {MAX_NODES} values")))?;
    let kind = match value.get_ref() {
        DeValue::String(s) => Kind::Str(s.to_string()),
        DeValue::Integer(i) => i64::from_str_radix(&i.as_str().replace('_', ""), i.radix())
            .map(Kind::Int)
            .map_err(|_| fault(Code::NumberRange, place, format!("`{}` is too large", i.as_str())))?,
        DeValue::Float(f) => f
            .as_str()
            .replace('_', "")
            .parse()
            .map(Kind::Float)
            .map_err(|_| fault(Code::NumberRange, place, format!("`{}` is not a number", f.as_str())))?,
        DeValue::Boolean(b) => Kind::Bool(*b),
        DeValue::Datetime(d) => Kind::Str(d.to_string()),
        DeValue::Array(items) => {
            if depth >= MAX_DEPTH {
                return Err(fault(Code::TooDeep, place, format!("nested deeper than {MAX_DEPTH} levels")));
            }
            Kind::Seq(items.iter().map(|v| node(source, v, depth + 1, left)).collect::<Loaded<_>>()?)
        }
        DeValue::Table(table) => map(source, table, depth + 1, left, place)?,
    };
    Ok(Node { place, kind })
}
