//! Reads YAML from any source into documents. Every value keeps its line.
//!
//! Anchors, aliases and merge keys are expanded. Tags are ignored. If a key is repeated, the last
//! value counts, as in kubectl. Parts that cannot be read are skipped and reported. Time and memory
//! are linear in the text, plus [`MAX_COPIES`] for aliases.

mod document;
pub mod edit;
mod load;

pub use document::{Document, Fault, Value};
pub use load::{MAX_COPIES, MAX_DEPTH};

/// Returns the documents of `text` and what was skipped.
pub fn documents(text: &str) -> (Vec<Document>, Vec<String>) {
    let (read, faults) = read(text);
    (read, faults.into_iter().map(|f| f.message).collect())
}

/// Returns the documents of `text`, what was skipped, and where.
pub fn read(text: &str) -> (Vec<Document>, Vec<Fault>) {
    let (mut read, mut faults, mut copies) = (Vec::new(), Vec::new(), 0);
    for (before, part) in split(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        if part.lines().any(is_content) {
            load::load(part, before, &mut copies, &mut read, &mut faults);
        }
    }
    (read, faults)
}

/// A comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment<'t> {
    /// Its line, from 1.
    pub line: usize,
    /// The column of its `#`, in bytes from 0.
    pub column: usize,
    /// Its text after the `#`.
    pub text: &'t str,
}

/// Returns the comments of `text` that contain `word`. A `#` inside a scalar starts no comment.
/// After an error, the result is empty.
pub fn comments<'t>(text: &'t str, word: &str) -> Vec<Comment<'t>> {
    let mut found = Vec::new();
    for (before, part) in split(text) {
        let scalars = if part.contains(word) { load::scalars(part) } else { continue };
        let mut start = 0;
        for (number, line) in part.split_inclusive('\n').enumerate() {
            let outside = |at: usize| {
                let next = scalars.partition_point(|s| s.start <= at);
                next.checked_sub(1).is_none_or(|i| scalars[i].end <= at)
            };
            let opens = |at: usize| at == 0 || line[..at].ends_with([' ', '\t']);
            let column =
                line.match_indices('#').map(|(at, _)| at).find(|at| opens(*at) && outside(start + at));
            if let Some(column) = column.filter(|at| line[*at..].contains(word)) {
                found.push(Comment {
                    line: before + number + 1,
                    column,
                    text: line[column + 1..].trim_end(),
                });
            }
            start += line.len();
        }
    }
    found
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
