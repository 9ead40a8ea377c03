//! Verifies files from any source: reads them, searches them, and applies the waivers in them.

mod accept;
mod fold;
mod line;
pub mod mend;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::change;
use crate::explore::{self, Bounds, Memo};
pub use crate::finding::Accept;
use crate::finding::{Finding, Level};
use crate::images::Images;
use crate::target::Target;
use crate::world::{File, Known, Member, Read, Unread, UnreadKind, Workload, World, Worlds};
use accept::Accepts;

/// The result of a search over all files.
#[derive(Debug, Default, Serialize)]
pub struct Verified {
    /// The findings that nothing accepts: violations first, then notes, each in the order of the
    /// files.
    pub findings: Vec<Finding>,
    /// The findings that a comment in their file or the project accepts.
    pub accepted: Vec<Accepted>,
    /// The acceptances of the project that accept nothing, although their objects are among the
    /// files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stale: Vec<Accept>,
    /// The parts of the files that no reader understands. Parts that were not searched come first.
    pub unread: Vec<Unread>,
    /// The files with a document that could not be read. Such a document may contain anything.
    pub lost: Vec<String>,
    /// The ignored files, which belong to no orchestrator.
    pub passed: Vec<String>,
    /// The workloads of unknown software that mount nothing: they are taken for ones without data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bare: Vec<String>,
    /// The bounds and the size of the search, by orchestrator.
    pub searched: Vec<Searched>,
}

/// A directory of a node (`true`) or a volume, by its name on one orchestrator. Workloads with the
/// same claim may conflict.
pub type Claim = (Target, bool, String);

/// The settings of a project.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'s> {
    /// The images, and the kinds that start no pods with data.
    pub known: Known<'s>,
    /// The acceptances, by object.
    pub accepts: &'s [Accept],
    /// The bounds of the search.
    pub bounds: Bounds,
    /// The older files, to tell what the change does; none without a change.
    pub against: &'s [File<'s>],
}

/// An accepted finding.
#[derive(Debug, Serialize)]
pub struct Accepted {
    /// The finding.
    pub finding: Finding,
    /// The reason.
    pub because: String,
}

/// The bounds and the size of one search.
#[derive(Debug, Serialize)]
pub struct Searched {
    /// The orchestrator.
    pub target: &'static str,
    /// The number of its files.
    pub files: usize,
    /// The number of workloads.
    pub workloads: usize,
    /// The highest number of nodes.
    pub nodes: usize,
    /// The number of scenarios with one or two members.
    pub scenarios: usize,
    /// The number of states.
    pub states: usize,
    /// Whether the search visited every state within the bounds.
    pub complete: bool,
}

/// The result of a search, the most serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The search found a violation.
    Violated,
    /// A document could not be read. It may contain anything.
    Lost,
    /// Something that may hold data was not searched, or the search reached its limit.
    NotSearched,
    /// Everything that may hold data was searched, without a violation.
    Holds,
}

impl Verified {
    /// Returns the result.
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

    /// Returns whether every violation is accepted.
    pub fn holds(&self) -> bool {
        !self.findings.iter().any(|f| f.level == Level::Violation)
    }
}

/// The progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The number of files of one orchestrator that are about to be read.
    Reading(usize),
    /// The number of searched members, alone or in pairs, and their total.
    Searching(usize, usize),
}

/// Reads `files`, all of which may run in one cluster, and searches what can happen. Files of no
/// orchestrator are ignored.
///
/// ```
/// use berthc::explore::Bounds;
/// use berthc::verify::{Outcome, verify};
/// use berthc::world::File;
///
/// let text = "services:\n  db: { image: \"postgres:16\", volumes: [\"/srv/db:/var/lib/postgresql/data\"] }\n";
/// let verified = verify(&[File { path: "stack.yml", text }], Bounds::default());
///
/// // Nothing pins the member to the node that has its data.
/// assert_eq!(verified.outcome(), Outcome::Violated);
/// assert!(verified.findings[0].message.contains("while its data is elsewhere"));
/// ```
pub fn verify(files: &[File<'_>], bounds: Bounds) -> Verified {
    let known = Known::from(Images::builtin());
    watched(files, Settings { known, accepts: &[], bounds, against: &[] }, &mut |_| {})
}

/// Searches `worlds` for violations only. The caller knows more than the files: `single` returns
/// whether at most one container may be each member of a workload without data, and `memo` holds
/// the results of earlier searches.
pub fn violations(mut worlds: Worlds<'_>, memo: &Memo, single: &dyn Fn(&Workload) -> bool) -> Verified {
    for workload in worlds.read.iter_mut().flat_map(|read| &mut read.world.workloads) {
        workload.single = single(workload);
    }
    search(worlds, &[], (Bounds::default(), memo), Vec::new(), &mut |_| {})
}

/// Verifies like [`verify`], with the settings of a project. Reports the progress to `tell`.
pub fn watched(files: &[File<'_>], settings: Settings<'_>, tell: &mut dyn FnMut(Progress)) -> Verified {
    let Settings { known, accepts, bounds, against } = settings;
    let worlds = Worlds::read(files, known, &mut |files| tell(Progress::Reading(files)));
    let old = Worlds::read(against, known, &mut |_| {});
    let changes = change::files(&old, &worlds);
    let mut verified = search(worlds, accepts, (bounds, &Memo::default()), changes, tell);
    verified.lost.extend(old.read.into_iter().flat_map(|read| read.world.lost));
    verified.findings = fold::fold(verified.findings);
    verified
}

/// Returns the claims of all workloads, sorted and without duplicates.
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

/// Returns whether nothing in the files says that a workload has data.
fn bare(workload: &Workload) -> bool {
    let mounts = |m: &Member| !m.mounts.is_empty() || !m.others.is_empty() || !m.looked_at.is_empty();
    let known = workload.software.is_some() || workload.resembles.is_some();
    !workload.image.is_empty() && !known && !workload.members.iter().any(mounts)
}

fn search(
    mut worlds: Worlds<'_>,
    accepts: &[Accept],
    (bounds, memo): (Bounds, &Memo),
    changes: Vec<Finding>,
    tell: &mut dyn FnMut(Progress),
) -> Verified {
    let accepts = Accepts::take(&mut worlds, accepts);
    let mut all = Vec::new();
    let mut verified = Verified { passed: worlds.passed, ..Verified::default() };
    for Read { target, files, mut world } in worlds.read {
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
        verified.bare.extend(world.workloads.iter().filter(|w| bare(w)).map(|w| w.name.clone()));
        verified.unread.append(&mut world.unread);
        verified.lost.append(&mut world.lost);
        all.extend(explored.findings.into_iter().chain(world.findings));
    }
    let mut used = BTreeSet::new();
    for finding in all.into_iter().chain(changes) {
        match accepts.reason(&finding).map(|(because, by)| (because.to_owned(), by)) {
            Some((because, by)) => {
                used.extend(by);
                verified.accepted.push(Accepted { finding, because });
            }
            None => verified.findings.push(finding),
        }
    }
    verified.stale = accepts.stale(&used);
    verified.findings.sort_by_key(|f| f.level);
    verified.unread.sort_by_key(|u| u.kind);
    verified
}
