//! Reads YAML from any source into documents. Every value keeps its line.
//!
//! Anchors, aliases and merge keys are expanded. Tags are ignored. If a key is repeated, the last
//! value counts, as in kubectl. Parts that cannot be read are skipped and reported. Time and memory
//! are linear in the text, plus [`MAX_COPIES`] for aliases.

mod comments;
mod document;
pub mod edit;
mod load;

pub use comments::Comment;
pub use document::{Document, Fault, Parsed, Value};
pub use load::{MAX_COPIES, MAX_DEPTH};

/// Returns the documents of `text` and what was skipped.
pub fn documents(text: &str) -> (Vec<Document>, Vec<String>) {
    let (read, faults) = read(text);
    (read, faults.into_iter().map(|f| f.message).collect())
}

/// Returns the documents of `text`, what was skipped, and where.
pub fn read(text: &str) -> (Vec<Document>, Vec<Fault>) {
    let Parsed { documents, faults, .. } = parse(text, None);
    (documents, faults)
}

/// Reads `text`, with the comments that contain `word`.
pub fn parse<'t>(text: &'t str, word: Option<&str>) -> Parsed<'t> {
    let (mut parsed, mut copies) = (Parsed::default(), 0);
    for (before, part) in split(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        if !part.lines().any(is_content) {
            continue;
        }
        let word = word.filter(|word| part.contains(word));
        let mut scalars = word.map(|_| Vec::new());
        load::load(part, before, &mut copies, &mut parsed, scalars.as_mut());
        if let (Some(word), Some(scalars)) = (word, scalars) {
            comments::add(part, (before, word), &scalars, &mut parsed.comments);
        }
    }
    parsed
}

/// Returns whether a line is content: not empty, no comment, no document marker, no directive.
fn is_content(line: &str) -> bool {
    let line = line.strip_prefix("---").unwrap_or(line);
    !line.trim().is_empty() && !line.trim_start().starts_with('#') && !line.starts_with('%')
}

/// Splits `text` at the lines `---`, each part with its number of preceding lines. An error in one
/// part leaves the others intact.
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
