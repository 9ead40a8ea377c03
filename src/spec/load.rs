//! Reads a text, YAML or TOML, into the tree of a document, and rejects what no spec may contain.

use super::node::{Kind, MAX_BYTES, Node, fault};
use super::{toml, yaml};
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::input::STDIN;
use crate::value::is_forbidden;

/// Reads `text` as TOML if `path` ends in `.toml`, or if it is standard input and looks like TOML;
/// otherwise as YAML.
///
/// # Errors
/// A diagnostic with its place, if the text is not one well-formed document within the limits
/// above, or contains a character that no target can represent.
pub fn load(source: usize, path: &str, text: &str) -> Result<Node, Box<Diagnostic>> {
    if text.len() > MAX_BYTES {
        return Err(fault(
            Code::TooLarge,
            Place::new(source, 0, 0),
            format!("the spec has {} bytes, but berthc reads at most {MAX_BYTES}", text.len()),
        ));
    }
    if let Some((at, c)) = text.char_indices().find(|(_, c)| is_forbidden(*c)) {
        let place = Place::new(source, at, at + c.len_utf8());
        return Err(fault(
            Code::CharacterForbidden,
            place,
            format!("a spec must not contain the character U+{:04X}", c as u32),
        ));
    }
    let as_toml = path.ends_with(".toml") || path == STDIN && is_toml(text);
    let node = if as_toml { toml::load(source, text)? } else { yaml::load(source, text)? };
    strings(&node)?;
    Ok(node)
}

/// Whether the first line with content is a table or an assignment of TOML.
fn is_toml(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    let key = |key: &str| key.trim_end().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    first.is_some_and(|line| line.starts_with('[') || line.split_once('=').is_some_and(|(name, _)| key(name)))
}

/// Checks the strings for forbidden characters as well, because an escape can produce one.
fn strings(root: &Node) -> Result<(), Box<Diagnostic>> {
    let mut open = vec![root];
    let check = |s: &str, place| match s.chars().find(|c| is_forbidden(*c)) {
        Some(c) => Err(fault(
            Code::CharacterForbidden,
            place,
            format!("a spec must not contain the character U+{:04X}", c as u32),
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
    Ok(Node { place, kind: yaml::plain(text, place)? })
}

/// Returns the block of the spec `text` that `line` adds to, and what it adds there, in the format of the
/// spec: of `targets: { swarm: { pin: db } }` only `pin: db`, where the spec has `targets.swarm`.
pub fn addition(path: &str, text: &str, line: &str) -> (Vec<String>, String) {
    let (mut block, mut rest) = (Vec::new(), line);
    if let (Ok(root), Ok(whole)) = (load(0, path, text), yaml::load(0, line)) {
        let (mut spec, mut added, mut end) = (&root, &whole, line);
        while let Kind::Map(entries) = &added.kind
            && let [(key, inner)] = entries.as_slice()
            && let Some(own) = spec.get(&key.name).filter(|own| matches!(own.kind, Kind::Map(_)))
            && let Kind::Map(inner_entries) = &inner.kind
            && let Some((first, _)) = inner_entries.first()
            && let Some(cut) = end.trim_end().strip_suffix('}')
        {
            block.push(key.name.clone());
            (spec, added, end) = (own, inner, cut);
            rest = end.get(first.place.start..).unwrap_or_default().trim_end();
        }
    }
    let rest = if path.ends_with(".toml") { as_toml(rest) } else { rest.to_owned() };
    (block, rest)
}

/// Converts a line of YAML to TOML if it is one map, or one entry of a list of maps. Returns any
/// other line unchanged.
fn as_toml(line: &str) -> String {
    let Ok(root) = yaml::load(0, line) else { return line.to_owned() };
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
