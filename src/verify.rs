//! Files of anyone, read back and searched: what they break, and what stands accepted in them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::explore::{self, Bounds};
use crate::finding::{Finding, Level};
use crate::target::Target;
use crate::world::{self, File, Unread};

/// What a search over all files found.
#[derive(Debug, Default, Serialize)]
pub struct Verified {
    /// What nothing accepts: violations first, then notes, each in the order of the files.
    pub findings: Vec<Finding>,
    /// What a comment in its file accepts.
    pub accepted: Vec<Accepted>,
    /// What no reader understands.
    pub unread: Vec<Unread>,
    /// How far the search went, by orchestrator.
    pub searched: Vec<Searched>,
}

/// A finding that someone has accepted.
#[derive(Debug, Serialize)]
pub struct Accepted {
    /// It.
    pub finding: Finding,
    /// Why.
    pub because: String,
}

/// The bounds and the size of one search.
#[derive(Debug, Serialize)]
pub struct Searched {
    /// Of which orchestrator.
    pub target: &'static str,
    /// How many files say something to it.
    pub files: usize,
    /// How many workloads they hold.
    pub workloads: usize,
    /// Most nodes at once.
    pub nodes: usize,
    /// How many scenes of one or two members.
    pub scenes: usize,
    /// How many states those have.
    pub states: usize,
    /// Whether every state within the bounds was looked at.
    pub complete: bool,
}

impl Verified {
    /// Whether nothing breaks.
    pub fn holds(&self) -> bool {
        !self.findings.iter().any(|f| f.level == Level::Violation)
    }
}

/// The orchestrator that a file is for; `None` when it is for none.
pub fn target(file: &File<'_>) -> Option<Target> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    const UNITS: [&str; 7] = [".service", ".timer", ".socket", ".mount", ".path", ".target", ".device"];
    let dropin = name.ends_with(".conf") && file.path.contains(".service.d/");
    if dropin || UNITS.iter().any(|u| name.ends_with(u)) {
        return Some(Target::Fleet);
    }
    if ![".yml", ".yaml", ".json"].iter().any(|e| name.ends_with(e)) {
        return None;
    }
    let starts = |keys: &[&str]| {
        file.text.lines().any(|l| {
            let l = l.trim_start_matches(['{', '-', ' ', '\t', '"', '\'', '\u{feff}']);
            keys.iter().any(|k| {
                l.strip_prefix(k).is_some_and(|r| r.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
            })
        })
    };
    let top = |key: &str| {
        file.text
            .lines()
            .any(|l| l.trim_start_matches(['{', '"', '\u{feff}']).starts_with(key) && !l.starts_with(' '))
    };
    if starts(&["apiVersion"]) && starts(&["kind"]) {
        Some(Target::Kubernetes)
    } else {
        top("services").then_some(Target::Swarm)
    }
}

/// Reads `files`, all of which may run beside each other, and searches what may happen.
/// Files of no orchestrator are passed over.
pub fn verify(files: &[File<'_>], bounds: Bounds) -> Verified {
    let mut verified = Verified::default();
    let waivers: BTreeMap<&str, Vec<(String, String)>> =
        files.iter().map(|f| (f.path, waivers(f.text))).filter(|w| !w.1.is_empty()).collect();
    for wanted in Target::ALL {
        let own: Vec<File<'_>> = files.iter().filter(|f| target(f) == Some(wanted)).copied().collect();
        if own.is_empty() {
            continue;
        }
        let mut world = world::read(wanted, &own);
        let explored = explore::explore(wanted, &world, bounds);
        verified.searched.push(Searched {
            target: wanted.name(),
            files: own.len(),
            workloads: world.workloads.len(),
            nodes: bounds.nodes,
            scenes: explored.scenes,
            states: explored.states,
            complete: explored.complete,
        });
        verified.unread.append(&mut world.unread);
        for finding in explored.findings.into_iter().chain(world.findings) {
            let because = finding.at.iter().filter_map(|at| waivers.get(&*at.file)).flatten();
            match because.into_iter().find(|w| kin(&w.0) == kin(&finding.code)) {
                Some((_, because)) => {
                    verified.accepted.push(Accepted { finding, because: because.clone() });
                }
                None => verified.findings.push(finding),
            }
        }
    }
    verified.findings.sort_by_key(|f| f.level);
    verified
}

/// A code without its resource where that is only another name for who the member is: what files
/// of a member without data call its hostname, its spec may call its right to write.
fn kin(code: &str) -> String {
    let who = ["writer", "hostname", "id"];
    let parts: Vec<&str> = code.split('/').map(|p| if who.contains(&p) { "id" } else { p }).collect();
    parts.join("/")
}

/// The codes that comments accept: `# berthc: accept CODE because REASON`.
fn waivers(text: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (_, rest) = line.split_once("# berthc: accept ")?;
        let (code, because) = rest.split_once(" because ")?;
        let because = because.trim().trim_matches('"').to_owned();
        (!because.is_empty()).then(|| (code.trim().to_owned(), because))
    };
    text.lines().filter_map(line).collect()
}
