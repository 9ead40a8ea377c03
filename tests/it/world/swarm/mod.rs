//! Tests how stack files are read.

use berthc::images::Images;
use std::collections::BTreeMap;

use berthc::backend::Fences;
use berthc::finding::{Finding, Level};
use berthc::world::{File, Kind, Member, Missing, Order, Source, Workload, World, swarm};

use crate::harness::{root, walk};

pub mod emitted;
mod findings;
mod fuzz;
mod reading;

fn read(text: &str) -> World {
    swarm::read(&[File { path: "stack.yml", text }], Images::builtin(), berthc::world::Runner::Swarm)
}

/// Reads one service `a`, with more text at the top of the file.
fn service(body: &str, beside: &str) -> (Workload, World) {
    let mut text = "version: \"3.8\"\nservices:\n  a:\n    image: example/a:1\n".to_owned();
    for line in body.lines() {
        text.push_str(&format!("    {line}\n"));
    }
    let world = read(&format!("{text}{beside}"));
    assert_eq!(world.workloads.len(), 1, "{world:?}");
    (world.workloads[0].clone(), world)
}

/// Returns the code, level and line of each finding.
/// Returns the findings. What is external is not among the files.
fn told(world: &World) -> Vec<(String, Level, usize)> {
    let all = world.findings.iter().filter(|f| f.code != "not-among-files");
    all.map(|f| (f.code.to_string(), f.level, f.at[0].line)).collect()
}

fn only<'w>(world: &'w World, code: &str) -> &'w Finding {
    let all: Vec<_> = world.findings.iter().filter(|f| f.code == code).collect();
    assert_eq!(all.len(), 1, "{code}: {:?}", world.findings);
    all[0]
}

fn silent(world: &World) {
    assert!(world.findings.is_empty() && world.unread.is_empty(), "{:?} {:?}", world.findings, world.unread);
}

fn host(path: &str, missing: Missing) -> Source {
    Source::host(path.to_owned(), missing)
}

fn share(name: &str, fences: Fences, missing: Missing) -> Source {
    Source::Volume { name: name.to_owned(), fences, one_pod: None, reserved: None, missing }
}

fn sources(member: &Member) -> BTreeMap<&str, &Source> {
    member.mounts.iter().map(|m| (m.target.as_str(), &m.source)).collect()
}
