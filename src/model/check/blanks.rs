//! Placeholders that a spec still has, from a starter or from an example.

use super::checker::Checker;
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::spec::node::{Kind, Node};

/// The text of a blank.
const BLANK: &str = "…";
/// Words of examples that are no value of a service.
const WORDS: [&str; 2] = ["LABEL", "my-client"];
/// The texts of files are those of other programs.
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
            find(value, &key.name, &mut found);
        }
    }
    let Some((first, rest)) = found.split_first() else { return false };
    let ways: Vec<&str> = found.iter().map(|(_, way, _)| way.as_str()).collect();
    let blank = found.iter().any(|(_, _, blank)| *blank);
    let message = match ways.len() {
        1 => format!("`{}` is a placeholder", first.1),
        n => format!("{n} values are placeholders: {}", ways.join(", ")),
    };
    let mut d =
        Diagnostic::error(Code::Placeholder, first.0, message).label("write the value of your service");
    for (place, _, _) in rest {
        d = d.related(*place, "and here");
    }
    if blank {
        d = d.why("the rest of the spec is not checked before the blanks are filled in");
    }
    checker.push(d);
    blank
}

/// Finds the placeholders in `node` at `way`, in the order of the text, and whether each is a blank. The tree is not deeper than
/// [`crate::spec::node::MAX_DEPTH`].
fn find(node: &Node, way: &str, found: &mut Vec<(Place, String, bool)>) {
    match &node.kind {
        Kind::Str(text) if is_blank(text) => {
            found.push((node.place, way.to_owned(), text.trim() == BLANK));
        }
        Kind::Seq(items) => {
            items.iter().enumerate().for_each(|(at, item)| find(item, &format!("{way}.{at}"), found));
        }
        Kind::Map(entries) => {
            entries.iter().for_each(|(key, value)| find(value, &format!("{way}.{}", key.name), found));
        }
        _ => {}
    }
}
