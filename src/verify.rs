//! Files of anyone, read back and searched: what they break, and what stands accepted in them.

mod accept;
mod fold;

use serde::Serialize;

use crate::explore::{self, Bounds, Memo};
use crate::finding::{Finding, Level};
use crate::images::Images;
use crate::target::Target;
use crate::world::{File, Read, Unread, UnreadKind, Workload, World, Worlds};
pub use accept::Accept;
use accept::Accepts;

/// What a search over all files found.
#[derive(Debug, Default, Serialize)]
pub struct Verified {
    /// What nothing accepts: violations first, then notes, each in the order of the files.
    pub findings: Vec<Finding>,
    /// What a comment in its file accepts.
    pub accepted: Vec<Accepted>,
    /// What no reader understands: first what is not searched.
    pub unread: Vec<Unread>,
    /// Files of which a whole document could not be read: it may say anything.
    pub lost: Vec<String>,
    /// Files that are for no orchestrator: passed over.
    pub passed: Vec<String>,
    /// How far the search went, by orchestrator.
    pub searched: Vec<Searched>,
}

/// A directory of a node (`true`) or a volume, by its name on one orchestrator. Workloads that
/// claim the same may meet.
pub type Claim = (Target, bool, String);

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
    /// How many scenarios of one or two members.
    pub scenarios: usize,
    /// How many states those have.
    pub states: usize,
    /// Whether every state within the bounds was looked at.
    pub complete: bool,
}

/// What a search comes to, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Something breaks.
    Violated,
    /// A document could not be read: it may say anything.
    Lost,
    /// Something that may hold data was not searched, or the search came to its bound.
    NotSearched,
    /// All that could hold data was searched, and nothing breaks.
    Holds,
}

impl Verified {
    /// What it comes to.
    pub fn outcome(&self) -> Outcome {
        let bound = self.searched.iter().any(|s| !s.complete);
        if !self.holds() {
            Outcome::Violated
        } else if !self.lost.is_empty() {
            Outcome::Lost
        } else if bound || self.unread.iter().any(|u| u.kind == UnreadKind::NotSearched) {
            Outcome::NotSearched
        } else {
            Outcome::Holds
        }
    }

    /// Whether no violation is left that nobody accepts.
    pub fn holds(&self) -> bool {
        !self.findings.iter().any(|f| f.level == Level::Violation)
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many files of one orchestrator are about to be read.
    Reading(usize),
    /// So many members, alone or in pairs, are searched, of so many.
    Searching(usize, usize),
}

/// Reads `files`, all of which may run beside each other, and searches what may happen.
/// Files of no orchestrator are passed over.
pub fn verify(files: &[File<'_>], bounds: Bounds) -> Verified {
    watched(files, Images::builtin(), bounds, &mut |_| {})
}

/// Searches files that were read for their violations alone, for someone who knows more: `single` says
/// of which workloads without data at most one container may be each member, and `memo` what was
/// searched before.
pub fn violations(mut worlds: Worlds<'_>, memo: &Memo, single: &dyn Fn(&Workload) -> bool) -> Verified {
    for workload in worlds.read.iter_mut().flat_map(|read| &mut read.world.workloads) {
        workload.single = single(workload);
    }
    search(worlds, Bounds::default(), memo, &mut |_| {})
}

/// As [`verify`] with another table of images; `tell` hears how far it is, often.
pub fn watched(
    files: &[File<'_>],
    images: &Images,
    bounds: Bounds,
    tell: &mut dyn FnMut(Progress),
) -> Verified {
    let worlds = Worlds::read(files, images, &mut |files| tell(Progress::Reading(files)));
    let mut verified = search(worlds, bounds, &Memo::default(), tell);
    verified.findings = fold::fold(verified.findings);
    verified
}

/// Returns what the workloads claim, in order, none twice.
pub fn claims(worlds: &Worlds<'_>) -> Vec<Claim> {
    let mut all: Vec<Claim> = worlds.read.iter().flat_map(|r| claimed(r.target, &r.world)).collect();
    all.sort();
    all.dedup();
    all
}

fn claimed(target: Target, world: &World) -> impl Iterator<Item = Claim> {
    let mounts = world.workloads.iter().flat_map(|w| &w.members).flat_map(|m| &m.mounts);
    mounts.filter_map(explore::scenario::key).map(move |(host, name)| (target, host, name.to_owned()))
}

fn search(worlds: Worlds<'_>, bounds: Bounds, memo: &Memo, tell: &mut dyn FnMut(Progress)) -> Verified {
    let Worlds { files, targets, read, passed } = worlds;
    let accepts = Accepts::read(&files, &targets, &[]);
    let mut verified = Verified { passed, ..Verified::default() };
    for Read { target, files, mut world } in read {
        let explored = explore::watched(target, &world, bounds, memo, &mut |done, of| {
            tell(Progress::Searching(done, of));
        });
        verified.searched.push(Searched {
            target: target.name(),
            files,
            workloads: world.workloads.len(),
            nodes: bounds.nodes,
            scenarios: explored.scenarios,
            states: explored.states,
            complete: explored.complete,
        });
        verified.unread.append(&mut world.unread);
        verified.lost.append(&mut world.lost);
        for finding in explored.findings.into_iter().chain(world.findings) {
            match accepts.reason(&finding).map(ToOwned::to_owned) {
                Some(because) => verified.accepted.push(Accepted { finding, because }),
                None => verified.findings.push(finding),
            }
        }
    }
    verified.findings.sort_by_key(|f| f.level);
    verified.unread.sort_by_key(|u| u.kind);
    verified
}

/// A code without its resource where that is only another name for who the member is: what files
/// of a member without data call its hostname, its spec may call its right to write.
pub fn kin(code: &str) -> String {
    let who = ["writer", "hostname", "id"];
    let parts: Vec<&str> = code.split('/').map(|p| if who.contains(&p) { "id" } else { p }).collect();
    parts.join("/")
}
