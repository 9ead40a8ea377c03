//! The end-to-end suite: real orchestrators run what berthc emits, and a probe in place of the
//! database tells what it held and when.
//!
//! `cargo test --test e2e -- swarm` as root, on a machine with dockerd. See `docs/e2e.md`.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests read, write and fail loudly"
)]

mod cluster;
mod judge;
mod sh;
mod swarm;
mod trace;
mod variant;

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Marks the suite in its own namespaces.
const INNER: &str = "BERTHC_E2E_INNER";
/// Where the suite mounts its disk, in its own namespace only.
const DIR: &str = "/tmp/berthc-e2e";

fn main() -> ExitCode {
    if std::env::var_os(INNER).is_none() {
        let _ = std::fs::create_dir_all(DIR);
        // Whatever ends the suite ends everything in its namespaces.
        let e = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"])
            .args(["--propagation", "private"])
            .arg(std::env::current_exe().unwrap())
            .args(std::env::args_os().skip(1))
            .env(INNER, "1")
            .exec();
        panic!("unshare: {e}");
    }
    sh::run(&format!("mount -t tmpfs -o size=4g e2e {DIR}"));
    let probe = Path::new(DIR).join("probe");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/probe.rs");
    sh::run(&format!("rustc --edition 2024 -O -C target-feature=+crt-static -C strip=symbols {source} -o {}", probe.display()));
    let args: Vec<String> = std::env::args().skip(1).collect();
    let core = args.iter().any(|a| a == "--core");
    let only: Vec<String> = args.iter().filter_map(|a| a.strip_prefix("--only=")).map(str::to_owned).collect();
    let (good, table) = swarm::run(Path::new(DIR), &probe, core, args.iter().any(|a| a == "--loud"), &only);
    println!("{table}");
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
