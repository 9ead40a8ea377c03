//! Checks README and CONTRIBUTING: the spec compiles, the output that they show is the real output, and
//! the files that they name exist.

use std::collections::BTreeSet;

use berthc::Target;

use crate::harness::{berthc, root, stderr};

/// Returns the fenced blocks, each with the word after its fence.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(word)) => open = Some((word.to_owned(), String::new())),
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some((_, block)), None) => {
                block.push_str(line);
                block.push('\n');
            }
            (None, None) => {}
        }
    }
    found
}

#[test]
fn the_examples_of_the_readme_are_current() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks = blocks(&text);
    let out = tempfile::tempdir().unwrap();
    let run = berthc(&["compile".as_ref(), "specs".as_ref(), "-o".as_ref(), out.path().as_os_str()]);
    assert!(run.status.success(), "{}", stderr(&run));
    let mut shown = 0;
    for (word, block) in &blocks {
        // ```yaml specs/zookeeper.yaml, or an emitted file: the lines must appear there in this
        // order.
        let Some((_, path)) = word.split_once(' ') else { continue };
        let file = if path.starts_with("specs/") || path.starts_with("golden/") {
            root().join(path)
        } else if let Some(emitted) = path.strip_prefix("deploy/") {
            out.path().join(emitted)
        } else {
            continue;
        };
        let whole = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{path}: {e}"));
        let mut rest = whole.lines();
        for line in block.lines().filter(|l| !l.trim().is_empty() && l.trim() != "…") {
            assert!(rest.any(|l| l == line), "{path} has no line, or not in this order:\n{line}");
        }
        shown += 1;
    }
    assert!(shown >= 4, "one spec and three outputs are shown, not {shown}");
}

#[test]
fn the_spec_of_the_readme_compiles_when_it_is_copied() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, spec) = blocks(&text).into_iter().find(|(word, _)| word == "yaml specs/zookeeper.yaml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("zookeeper.yaml"), folder.path().join("deploy"));
    std::fs::write(&path, spec).unwrap();
    let run = berthc(&["compile".as_ref(), path.as_os_str(), "-o".as_ref(), out.as_os_str()]);
    assert!(run.status.success(), "{}", stderr(&run));
    for target in Target::ALL {
        assert!(out.join("zookeeper").join(target.name()).is_dir(), "no files for {target}");
    }
}

#[test]
fn ci_runs_the_first_two_commands_of_the_readme() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    let commands: Vec<String> = blocks(&text)
        .into_iter()
        .filter(|(word, _)| word == "sh")
        .flat_map(|(_, block)| block.lines().map(ToOwned::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(commands[0], "cargo run -- compile specs -o deploy");
    assert_eq!(commands[1], "cargo test");
}

/// The folders of the project whose paths the pages name.
const FOLDERS: [&str; 8] = ["src/", "templates", "tests/", "specs/", "docs/", "golden/", "examples/", ".ci/"];

/// Returns the paths between backticks, one for each orchestrator where a path has `TARGET`.
fn paths(text: &str) -> BTreeSet<String> {
    let words = text.split('`').skip(1).step_by(2).flat_map(str::split_whitespace);
    let mut found = BTreeSet::new();
    for word in words.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder))) {
        found.extend(Target::ALL.map(|target| word.replace("TARGET", target.name())));
    }
    found
}

#[test]
fn the_files_that_the_documentation_names_exist() {
    for page in ["README.md", "CONTRIBUTING.md"] {
        let text = std::fs::read_to_string(root().join(page)).unwrap();
        let prose: String = text.split("```").step_by(2).collect();
        let named = paths(&prose);
        assert!(named.len() > 10, "{page} names only {named:?}");
        for path in named {
            let real = path.strip_suffix("/CODE.yaml").unwrap_or(&path);
            assert!(root().join(real).exists(), "{page} names {path}, which does not exist");
        }
    }
}

#[test]
fn the_readme_explains_every_module() {
    let text = std::fs::read_to_string(root().join("README.md")).unwrap();
    for entry in std::fs::read_dir(root().join("src")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(text.contains(&format!("`src/{name}`")), "README.md does not explain src/{name}");
    }
}
