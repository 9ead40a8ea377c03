//! The size of files: one concept each, which a reader can take in at once.

use crate::harness::{root, walk};

/// The most lines of one file of `src`.
const MOST: usize = 450;

#[test]
fn no_file_is_too_long() {
    let sources = walk(&root().join("src")).into_iter().filter(|p| p.extension().is_some_and(|e| e == "rs"));
    let long: Vec<String> = sources
        .map(|path| (std::fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > MOST)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}
