//! Measures the built program on large repositories, and prints a Markdown table. Usually nothing
//! has changed since the output folder was compiled, so the run writes nothing. "anew" means that
//! there is no output folder, "afresh" that there are no fingerprints of an earlier compile.
//!
//! Instructions come from `valgrind --tool=callgrind` and do not depend on the load of the machine.
//! Seconds of CPU and the peak of memory come from GNU `time`. If a tool is not installed, its columns
//! are empty.
//!
//! `cargo bench --bench scale` runs all but the largest folder, `-- all` runs all, and
//! `-- "check 3x"` runs only the lines whose name contains that.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark reads, writes and fails loudly"
)]

mod monorepo;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

const BERTHC: &str = env!("CARGO_BIN_EXE_berthc");
/// The number of specs above which valgrind takes too long.
const COUNTED: usize = 1_000;

/// One line: a command on a folder with a number of specs and members.
struct Case {
    name: String,
    args: &'static [&'static str],
    specs: usize,
    members: usize,
}

/// The suffix of the name of a case without fingerprints.
const AFRESH: &str = "afresh";
/// The folder for the output of a case named "anew".
const NEW: &str = "new";
/// The folder for the fingerprints of the other cases.
const CACHE: &str = "cache";

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let all = wanted.iter().any(|w| w == "all");
    let wants = |name: &str| wanted.iter().all(|w| w == "all" || name.contains(w.as_str()));
    println!("| run | specs | members | files | instructions | time | CPU | peak memory |");
    println!("|---|---|---|---|---|---|---|---|");
    for case in cases(all).iter().filter(|c| wants(&format!("{} {}x{}", c.name, c.specs, c.members))) {
        run(case);
    }
}

fn cases(all: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name: &str, args, specs, members| {
        cases.push(Case { name: name.to_owned(), args, specs, members });
    };
    case("start", &["--version"], 0, 0);
    for (specs, members) in [(1, 3), (3, 3), (3, 30), (3, 300), (100, 3), (1_000, 3)] {
        case("compile", &["compile", "specs", "-o", "deploy"], specs, members);
        case("check", &["check", "specs", "-o", "deploy"], specs, members);
    }
    for specs in [100, 1_000] {
        case("compile anew", &["compile", "specs", "-o", NEW], specs, 3);
        case("check afresh", &["check", "specs", "-o", "deploy"], specs, 3);
        case("check anew", &["check", "specs", "-o", NEW], specs, 3);
    }
    for (specs, members) in [(1, 3), (3, 3), (3, 30), (3, 300), (60, 3)] {
        case("verify", &["verify", "deploy"], specs, members);
    }
    case("verify --nodes 3", &["verify", "deploy", "--nodes", "3"], 3, 3);
    if all {
        case("compile", &["compile", "specs", "-o", "deploy"], 10_000, 3);
        case("check", &["check", "specs", "-o", "deploy"], 10_000, 3);
        case("compile anew", &["compile", "specs", "-o", NEW], 10_000, 3);
        case("check afresh", &["check", "specs", "-o", "deploy"], 10_000, 3);
        case("check anew", &["check", "specs", "-o", NEW], 10_000, 3);
        case("verify", &["verify", "deploy"], 10_000, 3);
    }
    cases
}

fn run(case: &Case) {
    let folder = tempfile::tempdir().unwrap();
    let files = if case.specs > 0 { prepare(folder.path(), case) } else { 0 };
    let cache = if case.name.ends_with(AFRESH) { "" } else { CACHE };
    let [time, cpu, memory] = timed(folder.path(), case.args, cache).unwrap_or_default();
    let counted = if case.specs <= COUNTED { counted(folder.path(), case.args, cache) } else { None };
    let counted = counted.unwrap_or_default();
    println!(
        "| {} | {} | {} | {files} | {counted} | {time} | {cpu} | {memory} |",
        case.name, case.specs, case.members
    );
}

/// Writes the specs, compiles them, and returns how many files the command will read.
fn prepare(folder: &Path, case: &Case) -> usize {
    fs::create_dir(folder.join("specs")).unwrap();
    for input in monorepo::specs(case.specs, case.members) {
        fs::write(folder.join(&input.path), &input.text).unwrap();
    }
    let done = Command::new(BERTHC)
        .args(["compile", "specs", "-o", "deploy", "--format", "json"])
        .current_dir(folder)
        .env("BERTHC_CACHE", CACHE)
        .output()
        .unwrap();
    let said: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!(done.status.success(), "the specs have errors: {:#}", said["diagnostics"][0]);
    said["written"].as_array().unwrap().len()
}

/// Deletes the output of an earlier run.
fn forget(folder: &Path) {
    let new = folder.join(NEW);
    if new.exists() {
        fs::remove_dir_all(new).unwrap();
    }
}

/// Returns whether a run ended as expected: a check without an output folder finds drift.
fn went(args: &[&str], done: ExitStatus) -> bool {
    done.code() == Some(i32::from(args[0] == "check" && args.contains(&NEW)))
}

/// Returns the seconds, the seconds of CPU and the peak of memory; none if the command fails.
fn timed(folder: &Path, args: &[&str], cache: &str) -> Option<[String; 3]> {
    let mut time = Command::new("/usr/bin/time");
    time.args(["-f", "%e %U %S %M", "-o", "time", BERTHC]).args(args);
    time.current_dir(folder).env("BERTHC_CACHE", cache).stdout(Stdio::null()).stderr(Stdio::null());
    forget(folder);
    let done = time.status().ok()?;
    assert!(went(args, done), "berthc {args:?}: {done}");
    let text = fs::read_to_string(folder.join("time")).unwrap();
    // GNU time says first that a command failed.
    let text = text.lines().last().unwrap();
    let numbers: Vec<f64> = text.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let [elapsed, user, system, memory] = numbers[..] else { return None };
    Some([
        format!("{elapsed:.2} s"),
        format!("{:.2} s", user + system),
        format!("{:.1} MiB", memory / 1024.0),
    ])
}

/// Returns the number of instructions in millions.
fn counted(folder: &Path, args: &[&str], cache: &str) -> Option<String> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=callgrind", BERTHC]).args(args);
    valgrind.current_dir(folder).env("BERTHC_CACHE", cache).stdout(Stdio::null()).stderr(Stdio::null());
    forget(folder);
    let done = valgrind.status().ok()?;
    assert!(went(args, done), "valgrind berthc {args:?}: {done}");
    let text = fs::read_to_string(folder.join("callgrind")).unwrap();
    let total =
        text.lines().find_map(|l| l.strip_prefix("totals: ").or(l.strip_prefix("summary: "))).unwrap();
    let count: f64 = total.split_whitespace().next().unwrap().parse().unwrap();
    Some(format!("{:.1} M", count / 1e6))
}
