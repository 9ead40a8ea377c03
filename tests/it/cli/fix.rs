//! Tests `berthc verify --fix` and `--diff`.

use crate::harness::{berthc_in, stderr, stdout};

/// A stack without a pin, with a comment and a layout of its own.
const STACK: &str = "# The books.\nservices:\n  books:   # one of them\n    image: example/books:1\n    volumes: [books:/srv]\n    ports: [{target: 80, published: 80, mode: host}]\nvolumes: {books: {}}\n";
const PIN: &str = "    deploy: {placement: {constraints: [\"node.labels.books == 1\"]}}\n";

#[test]
fn a_fix_keeps_comments_and_a_diff_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stack.yml");
    let text = STACK;
    std::fs::write(&file, text).unwrap();

    let shown = berthc_in(dir.path(), &["verify", "stack.yml", "--fix", "--diff"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    assert_eq!(shown.status.code(), Some(1), "the file is as it was: {}", stderr(&shown));
    let added = stdout(&shown).lines().filter(|l| l.starts_with('+') && !l.starts_with("+++")).count();
    assert!(stdout(&shown).contains(&format!("+{PIN}")) && added == 1, "{}", stdout(&shown));

    let fixed = berthc_in(dir.path(), &["verify", "stack.yml", "--fix"]);
    let new = std::fs::read_to_string(&file).unwrap();
    assert_eq!(new, text.replace("volumes: {books: {}}\n", &format!("{PIN}volumes: {{books: {{}}}}\n")));
    assert!(stderr(&fixed).contains("fixed 1 finding in 1 file"), "{}", stderr(&fixed));

    let again = berthc_in(dir.path(), &["verify", "stack.yml", "--fix"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), new);
    assert!(stderr(&again).contains("fixed 0 findings"), "{}", stderr(&again));
}

#[test]
fn a_diff_needs_fix() {
    let out = berthc_in(&std::env::temp_dir(), &["verify", "x.yml", "--diff"]);
    assert_eq!(out.status.code(), Some(2));
}
