//! Finds the comments of a text.

use std::ops::Range;

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

/// Adds the comments of `part` that contain the word. Lines precede the part, and `scalars` are the byte
/// ranges in which no comment begins.
pub(super) fn add<'t>(
    part: &'t str,
    (before, word): (usize, &str),
    scalars: &[Range<usize>],
    comments: &mut Vec<Comment<'t>>,
) {
    let mut start = 0;
    for (number, line) in part.split_inclusive('\n').enumerate() {
        let outside = |at: usize| {
            let next = scalars.partition_point(|s| s.start <= at);
            next.checked_sub(1).is_none_or(|i| scalars[i].end <= at)
        };
        let opens = |at: usize| at == 0 || line[..at].ends_with([' ', '\t']);
        let marked = line.contains(word).then(|| line.match_indices('#').map(|(at, _)| at));
        let column = marked.and_then(|mut at| at.find(|at| opens(*at) && outside(start + at)));
        if let Some(column) = column.filter(|at| line[*at..].contains(word)) {
            let text = line[column + 1..].trim_end();
            comments.push(Comment { line: before + number + 1, column, text });
        }
        start += line.len();
    }
}
