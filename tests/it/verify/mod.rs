//! Tests `verify` on the output of berthc: unchanged files have no findings, and files without one
//! of the rules have. The search and the certificate must agree.

mod accept;
mod against;
mod agreement;
mod clean;
mod found;
mod mends;
mod mutants;
mod scale;

use std::collections::BTreeSet;

use berthc::explore::Bounds;
use berthc::finding::{Finding, FindingId, Level};
use berthc::verify::{Verified, verify};
use berthc::world::File;
use berthc::{Compiled, Input, Options, Tree};

use crate::harness::{root, walk};

/// The files that the specs of this folder name.
struct Disk(&'static str);

impl berthc::Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(root().join(self.0).join(path)).map_err(|e| e.to_string())
    }
}

/// The folders of valid specs.
const FOLDERS: [&str; 2] = ["specs", "tests/specs"];

/// Returns all specs of a folder, compiled together.
fn compiled(folder: &'static str) -> Compiled {
    let input = |path: std::path::PathBuf| Input {
        text: std::fs::read_to_string(&path).unwrap(),
        path: path.file_name().unwrap().to_string_lossy().into_owned(),
    };
    let all = walk(&root().join(folder));
    let specs = all.into_iter().filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "toml"));
    let inputs: Vec<Input> = specs.map(input).collect();
    let compiled = berthc::compile(&inputs, &Disk(folder), &Options::default());
    assert!(compiled.tree.is_some(), "{folder}: {:#?}", compiled.diagnostics);
    compiled
}

/// Returns the findings in the files of `tree` whose path contains `part`.
fn verified(tree: &Tree, part: &str, nodes: usize, force: bool) -> Verified {
    let own = tree.iter().filter(|(path, _)| path.contains(part));
    let files: Vec<File<'_>> = own.map(|(path, text)| File { path, text }).collect();
    verify(&files, Bounds { nodes, force })
}

/// Checks that the search visited every state within its bounds.
fn whole(verified: &Verified) {
    for searched in &verified.searched {
        assert!(searched.complete && searched.workloads > 0, "{searched:?}");
    }
}

/// Returns the codes of findings of one level, sorted. A breach counts as a violation also where the lock of
/// the software, or the hand that it needs, makes it a note.
fn codes(findings: &[Finding], level: Level) -> BTreeSet<String> {
    let of = |f: &Finding| if matches!(f.code, FindingId::Cell(_)) { Level::Violation } else { f.level };
    findings.iter().filter(|f| of(f) == level).flat_map(Finding::codes).map(|code| code.to_string()).collect()
}

/// Returns a finding as a reader sees it, for messages of tests.
fn told(finding: &Finding) -> String {
    let at = |at: &berthc::finding::At| format!("{}:{} {}", at.file, at.line, at.field);
    let mut text = format!("{}: {}\n", finding.code, finding.message);
    for place in &finding.at {
        text.push_str(&format!("  at {}\n", at(place)));
    }
    for (i, event) in finding.story.iter().enumerate() {
        let place = event.at.as_ref().map(|a| format!("  ({})", at(a))).unwrap_or_default();
        text.push_str(&format!("  {}. {}{place}\n", i + 1, event.words));
    }
    text + &format!("  -> {}\n", finding.fix)
}
