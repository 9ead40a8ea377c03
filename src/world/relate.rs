//! Relates the workloads of a World after all files are read.

use std::collections::{BTreeMap, BTreeSet};

use super::data_mounts::ROOTS;
use super::mount::{Mount, Source};
use super::placement::Want;
use super::unread::{Unread, UnreadKind};
use super::workload::{Kind, Workload, World};
use crate::backend::Fences;
use crate::finding::At;

/// Relates the workloads of `world` to one another. A reader fills a World from one file at a time;
/// after this step, the mounts and labels also reflect all other files. Each part needs the one
/// before it:
///
/// 1. [`promote_to_data`]: a directory that one container holds as data is data in every container that mounts
///    it.
/// 2. [`share`]: a network share that many workloads name in the same way is shared on purpose and
///    is nobody's data.
/// 3. [`nested`]: directories inside the remaining data are listed.
/// 4. [`mark_shared_labels`]: labels that several members require in the same way select a class of
///    nodes.
pub fn relate_all(world: &mut World) {
    promote_to_data(world);
    share(world);
    nested(world);
    mark_shared_labels(world);
}

/// Turns a directory that any member holds as its data into data of every container that can write
/// to it, wherever the container mounts it.
fn promote_to_data(world: &mut World) {
    let members = world.workloads.iter().flat_map(|w| &w.members);
    let data: BTreeSet<String> =
        members.flat_map(|m| m.mounts.iter().filter_map(host)).map(ToOwned::to_owned).collect();
    for member in world.workloads.iter_mut().flat_map(|w| &mut w.members) {
        let others = std::mem::take(&mut member.others);
        let (held, rest): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|m| host(m).is_some_and(|path| data.contains(path)));
        member.mounts.extend(held);
        member.others = rest;
    }
}

/// Returns the directory of a server that is mounted: `nfs SERVER:/PATH`.
fn share_of(mount: &Mount) -> Option<&str> {
    match &mount.source {
        Source::Volume { name, .. } if name.contains(":/") => Some(name),
        _ => None,
    }
}

/// Returns the directory of the node that is mounted.
fn host(mount: &Mount) -> Option<&str> {
    match &mount.source {
        Source::Host { path, .. } if path.starts_with('/') => Some(path),
        _ => None,
    }
}

/// Removes from `world` what containers share on purpose, and lists it: a share that every node may
/// mount and that all pods, tasks or instances of one description name in the same way, without a
/// software that is known to keep data.
fn share(world: &mut World) {
    let stateful = |w: &Workload| w.software.is_some();
    // For each share, the descriptions that name it, and the number of their members.
    let mut named: BTreeMap<&str, BTreeMap<(&str, &str, &str), usize>> = BTreeMap::new();
    let mut kept: BTreeSet<&str> = BTreeSet::new();
    for workload in &world.workloads {
        let names: Vec<&str> =
            workload.members.iter().flat_map(|m| m.mounts.iter().filter_map(|m| shared(&m.source))).collect();
        if stateful(workload) {
            kept.extend(names);
            continue;
        }
        // Of a block device two writers need a file system for clusters, which no manifest shows.
        let all = workload.members.iter().flat_map(|m| &m.mounts);
        kept.extend(all.filter(|m| m.target.starts_with("/dev/")).filter_map(|m| shared(&m.source)));
        // Each instance of a unit template on fleet is a separate file.
        let description = match workload.kind {
            Kind::Unit => workload.family.as_str(),
            Kind::StatefulSet | Kind::Pod => continue,
            // Only the pods of an Indexed job know which part of the work is theirs.
            Kind::Job if workload.members.iter().any(|m| m.ordinal.is_none()) => continue,
            Kind::DaemonSet | Kind::Replicas | Kind::Job => workload.name.as_str(),
            Kind::Local | Kind::GlobalUnit | Kind::Replicated | Kind::Global => workload.name.as_str(),
        };
        let more = if workload.kind.per_node() { 2 } else { 1 };
        for name in names {
            let of = named.entry(name).or_default();
            *of.entry((description, workload.scope.as_str(), workload.image.as_str())).or_default() += more;
        }
    }
    let free: BTreeSet<String> = named
        .iter()
        .filter(|(name, by)| !kept.contains(*name) && by.values().any(|count| *count > 1))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    let mut reported = BTreeSet::new();
    for workload in &mut world.workloads {
        let name = &workload.name;
        for member in &mut workload.members {
            member.mounts.retain(|mount| {
                let Some(share) = shared(&mount.source).filter(|share| free.contains(*share)) else {
                    return true;
                };
                if reported.insert(share.to_owned()) {
                    let what = format!("all of {name} name one share, {share}: treated as shared on purpose");
                    world.unread.push(Unread::assumed(mount.at.clone(), what));
                }
                false
            });
        }
    }
}

/// The deepest path that is examined.
const DEEP: usize = 64;

/// Lists directories inside a directory or share of another workload, if either is data. The files do
/// not show whether both write there: a provisioner of volumes has all of them.
fn nested(world: &mut World) {
    // Each directory with its place, and whether it is data. The root ends without a slash.
    let mounts = |w: &Workload| -> Vec<(String, At, bool)> {
        let data = w.members.iter().flat_map(|m| &m.mounts).map(|m| (m, true));
        let others = w.members.iter().flat_map(|m| &m.others).map(|m| (m, false));
        let path = |m| host(m).or_else(|| share_of(m)).map(|path| path.trim_end_matches('/').to_owned());
        data.chain(others).filter_map(|(m, data)| Some((path(m)?, m.at.clone(), data))).collect()
    };
    let mut of: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for (i, workload) in world.workloads.iter().enumerate() {
        for (path, _, data) in mounts(workload) {
            let first = of.entry(path).or_insert((i, data));
            if data && !first.1 {
                *first = (i, data);
            }
        }
    }
    let mut reported = BTreeSet::new();
    for (i, workload) in world.workloads.iter().enumerate() {
        for (path, at, data) in mounts(workload) {
            let above = path.rmatch_indices('/').take(DEEP).map(|(end, _)| &path[..end]);
            let meets = |(other, theirs): &(usize, bool)| *other != i && (data || *theirs);
            let other = above.filter_map(|a| Some((a, *of.get(a)?))).find(|(_, other)| meets(other));
            if let Some((above, (other, _))) = other
                && !ROOTS.contains(&path.as_str())
                && reported.insert(path.clone())
            {
                let above = if above.is_empty() || above.ends_with(':') {
                    format!("{above}/")
                } else {
                    above.to_owned()
                };
                let name = &world.workloads[other].name;
                let what = format!("{path} lies in {above}, which {name} mounts");
                world.unread.push(Unread { kind: UnreadKind::Nested, ..Unread::assumed(at, what) });
            }
        }
    }
}

/// Returns the name of a storage that every node may mount at once. Of a flexVolume nothing is known.
fn shared(source: &Source) -> Option<&str> {
    match source {
        Source::Volume { name, fences: Fences::Never, one_pod: None, reserved: None, .. } => {
            Some(name.as_str()).filter(|name| !name.starts_with("flexVolume "))
        }
        _ => None,
    }
}

/// Marks constraints that several members of the same workload family share. Such a constraint
/// selects a class of nodes and pins no member to one node.
fn mark_shared_labels(world: &mut World) {
    let key = |w: &Workload, want: &Want| {
        (w.scope.clone(), w.family.clone(), w.image.clone(), want.key.clone(), want.values.clone())
    };
    let mut wanted: BTreeMap<_, usize> = BTreeMap::new();
    for workload in &world.workloads {
        for member in &workload.members {
            // Each of its volumes may require the same label.
            let own: BTreeSet<_> = workload
                .wants
                .iter()
                .chain(&member.wants)
                .filter(|w| !w.not)
                .map(|want| key(workload, want))
                .collect();
            for want in own {
                *wanted.entry(want).or_default() += 1;
            }
        }
    }
    // Where the members of a family name several values with numbers, each value is one node.
    let mut numbered: BTreeMap<_, usize> = BTreeMap::new();
    let ends = |values: &[String]| {
        let [value] = values else { return false };
        value.ends_with(|c: char| c.is_ascii_digit())
    };
    for (scope, family, image, label, _) in wanted.keys().filter(|key| ends(&key.4)) {
        let of = (scope.clone(), family.clone(), image.clone(), label.clone());
        *numbered.entry(of).or_default() += 1;
    }
    wanted.retain(|(scope, family, image, label, values), members| {
        let of = (scope.clone(), family.clone(), image.clone(), label.clone());
        let nodes = ends(values) && numbered.get(&of).is_some_and(|values| *values > 1);
        *members > 1 && !nodes
    });
    for workload in &mut world.workloads {
        let of = |want: &Want, w: &Workload| wanted.contains_key(&key(w, want));
        let all: Vec<bool> = workload.wants.iter().map(|want| of(want, workload)).collect();
        let own: Vec<Vec<bool>> = workload
            .members
            .iter()
            .map(|m| m.wants.iter().map(|want| of(want, workload)).collect())
            .collect();
        workload.wants.iter_mut().zip(all).for_each(|(want, many)| want.shared = many);
        for (member, many) in workload.members.iter_mut().zip(own) {
            member.wants.iter_mut().zip(many).for_each(|(want, many)| want.shared = many);
        }
    }
}
