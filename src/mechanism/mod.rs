//! Declares the mechanisms: what keeps two containers from holding one resource, and the lines of a
//! file that carry it.
//!
//! A *mechanism* is one rule, or one property of an orchestrator, that alone keeps a second container
//! away under some hazards: a label that one node carries, a port that a node gives out once, a lock
//! that a process holds. Each is declared once, in the file of its orchestrator, with the function
//! that finds it in a [`World`].
//!
//! Two independent judges use these declarations. [`crate::certificate`] has a table of the
//! mechanisms that must protect a resource under a hazard. [`crate::explore`] searches what
//! containers may do, and removes single mechanisms to find those that nothing else backs up.

mod declared;
mod expected;
pub mod fleet;
pub mod kubernetes;
mod own;
pub mod swarm;

use std::collections::{BTreeMap, BTreeSet};

pub use declared::{Carried, Effect, Id, Mechanism, Removable, Strength, numbered};
pub use expected::{Data, Expected, Member, Network};
pub use own::{Own, Subject};

use crate::finding::At;
use crate::target::Target;
use crate::world::{Source, Workload, World};
use own::Folder;

/// Returns the mechanisms of an orchestrator.
pub fn all(target: Target) -> &'static [&'static Mechanism] {
    match target {
        Target::Kubernetes => &kubernetes::ALL,
        Target::Fleet => &fleet::ALL,
        Target::Swarm => &swarm::ALL,
    }
}

/// Returns the mechanisms of an orchestrator that a search can remove.
pub fn removable(target: Target) -> &'static [Removable] {
    match target {
        Target::Kubernetes => &kubernetes::REMOVABLE,
        Target::Fleet => &fleet::REMOVABLE,
        Target::Swarm => &swarm::REMOVABLE,
    }
}

/// The workloads and volumes of a [`World`] by the folder of their files. Each service has a folder.
#[derive(Debug, Default)]
pub struct Folders<'w>(BTreeMap<&'w str, Folder<'w>>);

impl<'w> Folders<'w> {
    /// Sorts what `world` holds into folders. If two volumes have the same claim or
    /// path, the first one counts.
    pub fn of(world: &'w World) -> Self {
        let mut folders: BTreeMap<&str, Folder<'w>> = BTreeMap::new();
        let folder = |at: &'w At| at.file.split('/').next().unwrap_or_default();
        for workload in &world.workloads {
            folders.entry(folder(&workload.at)).or_default().workloads.push(workload);
        }
        for volume in &world.volumes {
            let own = folders.entry(folder(&volume.at)).or_default();
            if let Some((claim, _)) = &volume.claim {
                own.kept.entry(claim).or_insert(volume);
            }
            if let Source::Host { path, .. } = &volume.source {
                own.local.entry(path).or_insert(volume);
            }
        }
        Self(folders)
    }

    /// Finds the mechanisms that the files of one service carry: only those that every member has.
    pub fn carried(&self, expected: &Expected) -> Carried {
        let Some(folder) = self.0.get(expected.service.as_str()) else { return Carried::new() };
        let named: BTreeMap<&str, &Workload> =
            folder.workloads.iter().map(|w| (w.name.as_str(), *w)).collect();
        // The members of a StatefulSet have one workload.
        let mut members: Vec<&Member> = expected.members.iter().collect();
        members.dedup_by_key(|member| &member.workload);
        let own: Option<Vec<Own<'_>>> = members
            .into_iter()
            .map(|member| {
                let workload = *named.get(member.workload.as_str())?;
                let read = workload.members.first()?;
                Some(Own { expected, folder, member, workload, read })
            })
            .collect();
        let own = own.unwrap_or_default();
        let mut carried = Carried::new();
        for mechanism in all(expected.target) {
            let found = own.iter().map(|own| Some((mechanism.found)(own)).filter(|found| !found.is_empty()));
            let found: Option<Vec<Vec<At>>> = found.collect();
            let mut fields: Vec<At> = found.into_iter().flatten().flatten().collect();
            let mut seen = BTreeSet::new();
            fields.retain(|at| seen.insert(at.clone()));
            if !fields.is_empty() {
                carried.insert(mechanism.id, fields);
            }
        }
        carried
    }
}
