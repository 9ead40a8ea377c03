//! The reference of the spec: docs/spec.md is what the source makes, and every field is complete.

use std::collections::BTreeSet;

use berthc::explain::reference::{Field, blocks};
use berthc::explain::{spec_page, word, words};

use crate::harness::{berthc, root};

#[test]
fn the_page_is_current() {
    let path = root().join("docs/spec.md");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, spec_page()).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap() == spec_page(),
        "run: cargo run -- schema --markdown > docs/spec.md"
    );
    let run = berthc(&["schema", "--markdown"]);
    assert_eq!(String::from_utf8(run.stdout).unwrap(), spec_page());
}

fn fields() -> impl Iterator<Item = &'static Field> {
    blocks().iter().flat_map(|block| &block.fields)
}

/// A field holds a value, or it holds a block whose fields do.
#[test]
fn every_field_has_an_example_and_says_what_it_becomes_on_each_target() {
    let mut wrong = Vec::new();
    for field in fields().filter(|field| field.block.is_none()) {
        let told: String = field.becomes.iter().map(|(targets, _)| targets.as_str()).collect();
        let targets: &[&str] =
            match field.path.strip_prefix("targets.").and_then(|path| path.split('.').next()) {
                Some("kubernetes") => &["Kubernetes"],
                Some("fleet") => &["fleet"],
                Some("swarm") => &["Swarm"],
                _ => &["Kubernetes", "fleet", "Swarm"],
            };
        if told != "Every target" && !targets.iter().all(|target| told.contains(target)) {
            wrong.push(format!("{} says only {told:?}", field.path));
        }
        if field.example.is_none() {
            wrong.push(format!("{} has no example", field.path));
        }
    }
    for field in fields() {
        if field.text.is_empty() || field.kind.contains("any value") {
            wrong.push(format!("{} has no text or no type: {}", field.path, field.kind));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_link_of_the_page_has_one_heading() {
    let page = spec_page();
    let anchor = |title: &str| -> String {
        let kept = title.chars().filter(|c| c.is_ascii_alphanumeric() || "-_ ".contains(*c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    let mut headings = BTreeSet::new();
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            assert!(headings.insert(anchor(title)), "{title} stands twice");
        }
    }
    for link in page.split("](#").skip(1) {
        let link = link.split(')').next().unwrap();
        assert!(headings.contains(link), "{link} has no heading");
    }
}

#[test]
fn every_listed_word_is_explained() {
    let run = berthc(&["explain"]);
    let shown = String::from_utf8(run.stdout).unwrap();
    assert_eq!(run.status.code(), Some(0));
    for (kind, names) in words() {
        assert!(!names.is_empty() && shown.contains(kind), "{kind}");
        for name in names {
            assert!(word(&name).is_some(), "{kind}: {name}");
            assert!(shown.split_whitespace().any(|word| word == name), "{name} is not listed");
        }
    }
    for name in ["healthy", "secrets.password.ref", "files.PATH.mode", "exclusive.data", "join", "one-pod"] {
        assert!(word(name).is_some(), "{name}");
    }
    assert_eq!(word("nothing.at.all"), None);
}
