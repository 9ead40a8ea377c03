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
mod sh;

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
    let t = std::time::Instant::now();
    let cluster = cluster::Cluster::start(Path::new(DIR), 4, &probe);
    println!("up in {:?}", t.elapsed());
    println!("{}", cluster.docker(1, &["node", "ls"]));
    println!("{}", cluster.docker(2, &["plugin", "ls"]));
    if std::env::args().any(|a| a == "--hold") {
        std::thread::sleep(std::time::Duration::from_secs(3600));
    }
    ExitCode::SUCCESS
}
