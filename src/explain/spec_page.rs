//! Prints the reference of the spec as a page in Markdown, and single fields of it.

use std::collections::BTreeMap;

use super::reference::{Block, Field, blocks};
use crate::value::words::{FILTERS, NAMES, STATEMENTS, Word};

const TITLE: &str = "\
# The spec

Every field of a spec, with its type, its default, an example, and what berthc makes of it on each
target. A capital word in a path stands for a name that you give. `berthc explain FIELD` prints one
entry. This page is made from the schema: run `berthc schema --markdown > docs/spec.md`.
";
const VALUES: &str = include_str!("values.md");

/// Returns the reference of the spec in Markdown.
pub fn page() -> String {
    let blocks = blocks();
    let mut out = format!("{TITLE}\n## Contents\n\n");
    for block in blocks {
        let title = title(&block.path);
        out.push_str(&format!("- [{title}](#{}): {}\n", anchor(title), first_sentence(&block.text)));
    }
    out.push_str("- [Values](#values): the language of `{{ … }}`, with all names and filters.\n");
    let same = blocks.iter().flat_map(|b| b.also.iter().map(|also| (also.as_str(), b.path.as_str())));
    let same: BTreeMap<&str, &str> = same.collect();
    for block in blocks {
        out.push_str(&section(block, &same));
    }
    out.push_str(&format!("\n## Values\n\n{VALUES}"));
    for (head, words) in
        [("Names", NAMES.as_slice()), ("Statements and operators", &STATEMENTS), ("Filters", &FILTERS)]
    {
        out.push_str(&format!("\n### {head}\n\n| word | what | example | gives |\n|---|---|---|---|\n"));
        out.extend(words.iter().map(row));
    }
    out
}

fn title(path: &str) -> &str {
    if path.is_empty() { "Top level" } else { path }
}

/// Returns the anchor that GitHub gives to a heading.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_ascii_alphanumeric() || "-_ ".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn first_sentence(text: &str) -> String {
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    text[..end].replace('\n', " ")
}

/// Prints a block. `same` has the path of the block with the same fields.
fn section(block: &Block, same: &BTreeMap<&str, &str>) -> String {
    let mut out = format!("\n## {}\n\n{}\n", title(&block.path), block.text);
    if !block.also.is_empty() {
        let also: Vec<String> = block.also.iter().map(|path| format!("`{path}`")).collect();
        out.push_str(&format!("\nThe same fields: {}.\n", also.join(", ")));
    }
    for field in &block.fields {
        let block = field.block.as_deref().map(|path| same.get(path).copied().unwrap_or(path));
        let link = block.map(|path| format!("[{path}](#{})", anchor(path)));
        out.push_str(&format!("\n### {}\n\n{}", field.path, entry(field, link)));
    }
    out
}

/// Returns what there is to say about a field. `block` leads to the block that it holds.
fn entry(field: &Field, block: Option<String>) -> String {
    let mut out = format!("{}\n\n- Type: {}", field.text, field.kind);
    out.extend(block.map(|block| format!("; see {block}")));
    out.push('\n');
    if field.block.is_none() || field.default.is_some() {
        let default = field.default.as_ref().map_or_else(|| "none".to_owned(), |text| format!("`{text}`"));
        out.push_str(&format!("- Default: {default}\n"));
    }
    if let Some(example) = &field.example {
        out.push_str(&format!("- Example: `{example}`\n"));
    }
    for (targets, text) in &field.becomes {
        out.push_str(&format!("- {targets}: {text}\n"));
    }
    out
}

fn row(word: &Word) -> String {
    let Word { name, what, example, gives } = word;
    let cell = |text: &str| text.replace('|', "\\|");
    format!("| `{name}` | {} | `{}` | `{}` |\n", cell(what), cell(example), cell(gives))
}

/// Returns the entries of all fields and blocks with the name or the path `name`.
pub(super) fn fields(name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in blocks() {
        for field in &block.fields {
            if named(&field.path, name) {
                let block = field.block.as_ref().map(|path| format!("`{path}`"));
                found.push(format!("`{}`: {}", field.path, entry(field, block)));
            }
        }
        if !block.path.is_empty() && named(&block.path, name) {
            let fields: Vec<&str> = block.fields.iter().filter_map(|f| f.path.rsplit('.').next()).collect();
            found.push(format!("The fields of `{}`: {}\n", block.path, fields.join(", ")));
        }
    }
    found
}

/// Returns whether `name` is `path` or its end. A capital step of the path is any name.
fn named(path: &str, name: &str) -> bool {
    let (mut steps, mut words) = (path.rsplit('.'), name.rsplit('.'));
    let capital = |step: &str| step.chars().all(|c| c.is_ascii_uppercase());
    loop {
        match (steps.next(), words.next()) {
            (_, None) => return true,
            (Some(step), Some(word)) if step == word || capital(step) && name.contains('.') => {}
            _ => return false,
        }
    }
}

/// Returns the entries of the words of the language with the name `name`.
pub(super) fn values(name: &str) -> Vec<String> {
    let all = NAMES.iter().chain(&STATEMENTS).chain(&FILTERS);
    let found = all.filter(|word| word.name == name || word.name.strip_prefix("member.") == Some(name));
    found
        .map(|Word { name, what, example, gives }| {
            format!("`{name}` in a value: {what}.\n\n- Example: `{example}` gives `{gives}`\n")
        })
        .collect()
}

/// Returns the paths of all fields.
pub(super) fn paths() -> Vec<String> {
    blocks().iter().flat_map(|block| &block.fields).map(|field| field.path.clone()).collect()
}
