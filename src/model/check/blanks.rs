//! Placeholders that a spec still has, from a starter or from an example.

use std::fmt::Display;

use super::checker::Checker;
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::spec::node::{Kind, Node};

/// The text of a blank.
const BLANK: &str = "…";
/// Words that examples use in place of a value.
const WORDS: [&str; 2] = ["LABEL", "my-client"];
/// The block whose texts belong to other programs, so `…` may be part of them.
const FILES: &str = "files";

/// Returns whether `text` stands for a value to be written.
pub fn is_blank(text: &str) -> bool {
    let text = text.trim();
    text == BLANK || WORDS.contains(&text)
}

/// Reports all placeholders of the spec as one error. Returns whether one of them is a blank: the rest
/// of the spec is not checked then, because every field with a blank would be an error of its own.
pub(super) fn any(checker: &mut Checker<'_>) -> bool {
    let mut found = Vec::new();
    if let Some(Kind::Map(fields)) = checker.source.root.as_ref().map(|root| &root.kind) {
        for (key, value) in fields.iter().filter(|(key, _)| key.name != FILES) {
            below(value, &key.name, &mut found);
        }
    }
    let Some((first, rest)) = found.split_first() else { return false };
    let message = match rest {
        [] => format!("`{}` is a placeholder", first.route),
        _ => {
            let routes: Vec<&str> = found.iter().map(|p| p.route.as_str()).collect();
            format!("{} values are placeholders: {}", found.len(), routes.join(", "))
        }
    };
    let mut d =
        Diagnostic::error(Code::Placeholder, first.place, message).label("write the value of your service");
    for placeholder in rest {
        d = d.related(placeholder.place, "and here");
    }
    let blank = found.iter().any(|p| p.text == BLANK);
    if blank {
        d = d.why("the rest of the spec is not checked before the blanks are filled in");
    }
    checker.push(d);
    blank
}

struct Placeholder<'n> {
    place: Place,
    route: String,
    text: &'n str,
}

/// Finds the placeholders in `node`, in the order of the text, with their routes below it. The tree is not
/// deeper than [`crate::spec::node::MAX_DEPTH`].
fn find<'n>(node: &'n Node, found: &mut Vec<Placeholder<'n>>) {
    match &node.kind {
        Kind::Str(text) if is_blank(text) => {
            found.push(Placeholder { place: node.place, route: String::new(), text: text.trim() });
        }
        Kind::Seq(items) => items.iter().enumerate().for_each(|(at, item)| below(item, &at, found)),
        Kind::Map(entries) => entries.iter().for_each(|(key, value)| below(value, &key.name, found)),
        _ => {}
    }
}

/// Finds the placeholders in the value of `step`. Few specs have one, so routes are made last.
fn below<'n>(node: &'n Node, step: &dyn Display, found: &mut Vec<Placeholder<'n>>) {
    let before = found.len();
    find(node, found);
    for placeholder in found.iter_mut().skip(before) {
        let dot = if placeholder.route.is_empty() { "" } else { "." };
        placeholder.route = format!("{step}{dot}{}", placeholder.route);
    }
}
