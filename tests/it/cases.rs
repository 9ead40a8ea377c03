//! Runs the cases of `tests/cases`: files as people write them, and what the program must report.
//! The README there explains how to write a case.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use fancy_regex::Regex;
use serde::Deserialize;

use crate::harness::{berthc_in, root, stderr, stdout};

/// `expect.toml` of a case; see `tests/cases/README.md`.
#[derive(Debug, Deserialize)]
struct Expect {
    kind: Kind,
    exit: Option<i32>,
    must: Vec<String>,
    never: Vec<String>,
    right: String,
    source: Option<String>,
}

/// The command of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Verify,
    Compile,
}

/// Returns the folders of the cases, in order.
fn folders() -> Vec<PathBuf> {
    let all = std::fs::read_dir(root().join("tests/cases")).unwrap().map(|e| e.unwrap().path());
    let mut all: Vec<PathBuf> = all.filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

/// Returns why a case fails; `None` if it passes.
fn wrong(folder: &Path) -> Option<String> {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(folder.join("expect.toml"))
        .unwrap_or_else(|e| panic!("{name}/expect.toml: {e}"));
    let expect: Expect = toml::from_str(&text).unwrap_or_else(|e| panic!("{name}/expect.toml: {e}"));
    assert!(
        expect.exit.is_some() || !expect.must.is_empty() || !expect.never.is_empty(),
        "{name} asks for nothing"
    );
    let files = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.filter(|f| f != "expect.toml").collect();
    files.sort();
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_string_lossy().into_owned();
    let args: Vec<String> = match expect.kind {
        Kind::Verify => std::iter::once("verify".to_owned()).chain(files).collect(),
        Kind::Compile => {
            ["compile".to_owned()].into_iter().chain(files).chain(["-o".to_owned(), out]).collect()
        }
    };
    let run = berthc_in(folder, &args);
    let said = stdout(&run) + &stderr(&run);
    let finds = |pattern: &String, flags: &str| {
        let regex = Regex::new(&format!("{flags}{pattern}")).unwrap_or_else(|e| panic!("{name}: {e}"));
        regex.is_match(&said).unwrap()
    };
    let exit = expect.exit.filter(|exit| run.status.code() != Some(*exit));
    let exit = exit.map(|exit| format!("exit {:?}, not {exit}", run.status.code()));
    let lacks = expect.must.iter().filter(|p| !finds(p, "")).map(|p| format!("lacks /{p}/"));
    let has = expect.never.iter().filter(|p| finds(p, "(?m)")).map(|p| format!("has /{p}/"));
    let faults: Vec<String> = exit.into_iter().chain(lacks).chain(has).collect();
    let source = expect.source.unwrap_or_default();
    (!faults.is_empty())
        .then(|| format!("{name}: {}\n  right: {} ({source})\n{said}", faults.join("; "), expect.right))
}

#[test]
fn verify_reports_what_each_case_expects() {
    let folders = folders();
    assert!(folders.len() >= 150, "{}", folders.len());
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get().min(8));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(folder) = folders.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fault = wrong(folder);
                    all.lock().unwrap().extend(fault);
                }
            });
        }
    });
    let all = all.into_inner().unwrap();
    assert!(all.is_empty(), "{} of {} cases are wrong\n\n{}", all.len(), folders.len(), all.join("\n"));
}
