//! Compares a member of a spec with its files, and finds the lines that carry a mechanism.

use std::collections::BTreeMap;

use super::expected::{Data, Expected, Member, Network};
use crate::finding::At;
use crate::world::{self, Missing, Mount, PersistentVolume, Source, Workload};

/// The workloads and volumes in the folder of one service.
#[derive(Debug, Default)]
pub(super) struct Folder<'w> {
    pub(super) workloads: Vec<&'w Workload>,
    /// The volumes that are reserved for a claim, by that claim.
    pub(super) kept: BTreeMap<&'w str, &'w PersistentVolume>,
    /// The volumes on a node, by directory.
    pub(super) local: BTreeMap<&'w str, &'w PersistentVolume>,
}

/// A member as its spec expects it, and as its files describe it.
#[derive(Debug)]
pub struct Own<'a> {
    pub(super) expected: &'a Expected,
    pub(super) folder: &'a Folder<'a>,
    pub(super) member: &'a Member,
    pub(super) workload: &'a Workload,
    pub(super) read: &'a world::Member,
}

/// The part of a workload that the search looks at.
#[derive(Debug)]
pub struct Subject<'s, 'w> {
    /// The workload.
    pub workload: &'w Workload,
    /// One of its members.
    pub member: &'w world::Member,
    /// The mounts of the member that the search distinguishes.
    pub mounts: &'s [&'w Mount],
}

/// Returns all places, or none if one is missing.
pub(super) fn every(places: impl Iterator<Item = Option<At>>) -> Vec<At> {
    places.collect::<Option<Vec<At>>>().unwrap_or_default()
}

/// Returns the place, if there is one.
pub(super) fn one(place: Option<&At>) -> Vec<At> {
    place.into_iter().cloned().collect()
}

/// Returns the directory of the node that is mounted, and what happens when it is missing.
pub(super) fn directory(source: &Source) -> Option<(&str, Missing)> {
    match source {
        Source::Host { path, missing, .. } if path.starts_with('/') => Some((path, *missing)),
        _ => None,
    }
}

/// Returns whether a share is the directory `name`. The name of its volume is local to the node.
pub(super) fn is_share_of(source: &Source, name: &str) -> bool {
    matches!(source, Source::Volume { name: share, .. } if share.ends_with(&format!("/{name}")))
}

impl Own<'_> {
    /// Returns the mount at the place of `data` in the container.
    pub(super) fn mount(&self, data: &Data) -> Option<&Mount> {
        let world::Member { mounts, others, looked_at, .. } = self.read;
        mounts.iter().chain(others).chain(looked_at).find(|m| m.target == data.mount)
    }

    /// Returns the name of the member's own volume of `data`.
    pub(super) fn volume_name(&self, data: &Data) -> Option<String> {
        self.member.id.map(|id| format!("{}-{}-{id}", data.name, self.expected.service))
    }

    /// Returns the data directories on the node with the path of each.
    pub(super) fn host_data(&self) -> impl Iterator<Item = (&Data, Option<&str>)> {
        let all = self.expected.data.iter().zip(&self.member.paths);
        all.filter(|(data, _)| data.network.is_none()).map(|(data, path)| (data, path.as_deref()))
    }

    /// Returns the place that `holds` finds for every directory on the node, each given with its mount
    /// and path; none if one has no place.
    pub(super) fn on_host<'o>(&'o self, holds: impl Fn(&'o Mount, &str) -> bool) -> Vec<At> {
        every(self.host_data().map(|(data, path)| {
            let mount = self.mount(data)?;
            holds(mount, path?).then(|| mount.at.clone())
        }))
    }

    /// Returns the place that `holds` finds for every volume on the network, each given with its mount
    /// and the name of the member's own volume; none if one has no place.
    pub(super) fn on_network<'o>(
        &'o self,
        holds: impl Fn(&'o Mount, &Network, &str) -> Option<&'o At>,
    ) -> Vec<At> {
        let volumes = self.expected.data.iter().filter_map(|d| Some((d, d.network.as_ref()?)));
        every(
            volumes
                .map(|(data, network)| holds(self.mount(data)?, network, &self.volume_name(data)?).cloned()),
        )
    }

    /// Returns the mounts of the directories on the node, if each is mounted from its own path.
    pub(super) fn directories(&self) -> Vec<At> {
        self.on_host(|mount, own| directory(&mount.source).is_some_and(|(path, _)| path == own))
    }

    /// Returns the mounts of the directories, if the node is the identity of the member.
    pub(super) fn directories_of_node_identity(&self) -> Vec<At> {
        if self.member.id.is_none() { self.directories() } else { Vec::new() }
    }

    /// Returns the mounts of the directories, if the member has a number, which is then in its paths.
    pub(super) fn directories_of_numbered_member(&self) -> Vec<At> {
        if self.member.id.is_some() { self.directories() } else { Vec::new() }
    }

    /// Returns the mounts of the directories on the node, if the container does not start without them.
    pub(super) fn directories_refused(&self) -> Vec<At> {
        self.on_host(|mount, _| directory(&mount.source).is_some_and(|(_, m)| m == Missing::Refused))
    }

    /// Returns whether the first data directory or volume is the member's own.
    fn first_is_own(&self) -> bool {
        let Some((data, path)) = self.expected.data.iter().zip(&self.member.paths).next() else {
            return false;
        };
        let Some(mount) = self.mount(data) else { return false };
        let held = path.is_some() && directory(&mount.source).map(|(path, _)| path) == path.as_deref();
        let named = self.volume_name(data).is_some_and(|name| {
            mount.volume.as_ref().is_some_and(|v| v.name == name) || is_share_of(&mount.source, &name)
        });
        held || named
    }

    /// Returns the lock of the process on its first data directory.
    pub(super) fn locked(&self) -> Vec<At> {
        let first = self.expected.data.first().map(|data| data.mount.trim_end_matches('/'));
        let lock = self.workload.lock.as_ref().filter(|(path, _)| Some(path.as_str()) == first);
        one(lock.filter(|_| self.first_is_own()).map(|(_, at)| at))
    }

    /// Returns the line that puts the container on the network of its node.
    pub(super) fn node_network(&self) -> Vec<At> {
        one(self.workload.node_network.as_ref())
    }

    /// Returns the constraint that admits only nodes whose label `key` has this value.
    pub(super) fn wants(&self, key: &str, value: &str) -> Option<&At> {
        let mut all = self.workload.wants.iter().chain(&self.read.wants);
        all.find(|w| is_wanted(w, key, value)).map(|w| &w.at)
    }

    /// Returns the constraint on the number of the member.
    pub(super) fn pinned(&self, prefix: &str) -> Vec<At> {
        let (Some(pin), Some(id)) = (&self.expected.pin, self.member.id) else { return Vec::new() };
        one(self.wants(&format!("{prefix}{pin}"), &id.to_string()))
    }

    /// Returns the constraint on the revision.
    pub(super) fn revision(&self, prefix: &str) -> Vec<At> {
        let Some((label, value)) = &self.expected.revision else { return Vec::new() };
        one(self.wants(&format!("{prefix}{label}"), value))
    }

    /// Returns the place of the first port, if the workload has every port of the spec and `holds`
    /// accepts each.
    pub(super) fn ports(&self, holds: impl Fn(&world::Port) -> bool) -> Vec<At> {
        let of = |(number, protocol): &(u16, &str)| {
            let mut all = self.workload.ports.iter();
            all.find(|p| p.number == *number && p.protocol == *protocol && holds(p)).map(|p| p.at.clone())
        };
        let mut found = every(self.expected.ports.iter().map(of));
        found.truncate(1);
        found
    }
}

/// Returns whether `want` accepts only this value of the label `key`.
pub(super) fn is_wanted(want: &world::Want, key: &str, value: &str) -> bool {
    !want.not && want.key == key && matches!(want.values.as_slice(), [only] if only == value)
}

/// Finds the first label that places a member.
pub(super) fn first_want<'w>(of: &Subject<'_, 'w>) -> Option<&'w At> {
    of.workload.wants.iter().chain(&of.member.wants).next().map(|want| &want.at)
}

/// Finds the first mount.
pub(super) fn first_mount<'w>(of: &Subject<'_, 'w>) -> Option<&'w At> {
    of.mounts.first().map(|mount| &mount.at)
}

/// Finds the first port.
pub(super) fn first_port<'w>(of: &Subject<'_, 'w>) -> Option<&'w At> {
    of.workload.ports.first().map(|port| &port.at)
}

/// Finds the first rule that excludes nodes with certain other containers.
pub(super) fn first_apart<'w>(of: &Subject<'_, 'w>) -> Option<&'w At> {
    of.workload.apart.first().map(|apart| &apart.at)
}

/// Finds the lock.
pub(super) fn lock<'w>(of: &Subject<'_, 'w>) -> Option<&'w At> {
    of.workload.lock.as_ref().map(|(_, at)| at)
}

/// Finds the order of an update.
pub(super) fn order<'w>(of: &Subject<'_, 'w>) -> Option<&'w At> {
    of.workload.update.at.as_ref()
}
