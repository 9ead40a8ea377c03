//! A scenario: one or two members of the files, the facts for the rules, and the names for the
//! story.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use crate::backend::Fences;
use crate::finding::At;
use crate::hazard::Hazard;
use crate::images::Life;
use crate::target::{SWARM_LONGEST_GRACE, Target};
use crate::text::glob;
use crate::text::path::within;
use crate::world::data_mounts;
use crate::world::path::on_own_disk;
use crate::world::{Kind, Member, Missing, Mount, Source, Want, Whom, Workload};

use super::facts::{self, Facts, Pairs, Place};
use super::state::{ACTORS, NODES, PLACES};

/// A member with its files.
#[derive(Debug, Clone)]
pub struct Actor<'w> {
    /// The workload.
    pub workload: &'w Workload,
    /// The member.
    pub member: &'w Member,
    /// Its mounts, in the order of [`facts::Actor::mounts`].
    pub mounts: Vec<&'w Mount>,
}

/// One or two members, searched together.
#[derive(Debug, Clone)]
pub struct Scenario<'w> {
    /// The facts for the rules.
    pub facts: Facts,
    /// One or two actors.
    pub actors: Vec<Actor<'w>>,
}

impl<'w> Scenario<'w> {
    /// Makes a scenario of these members, at most two.
    pub fn new(target: Target, hazard: Hazard, nodes: usize, members: &[(&'w Workload, &'w Member)]) -> Self {
        let mut places: [Vec<&str>; 2] = [Vec::new(), Vec::new()];
        let mut actors: Vec<Actor<'w>> = Vec::new();
        let mut actor_facts: Vec<facts::Actor> = Vec::new();
        for (workload, member) in members.iter().take(ACTORS) {
            let (mut mounts, mut held) = (Vec::new(), Vec::new());
            for mount in chosen(member, members) {
                let Some((host, name)) = key(mount) else { continue };
                let names = &mut places[usize::from(host)];
                let index = names.iter().position(|n| *n == name).unwrap_or(names.len());
                if index == PLACES {
                    continue;
                }
                if index == names.len() {
                    names.push(name);
                }
                let index = index as u8;
                mounts.push(mount);
                held.push(fact(mount, if host { Place::Directory(index) } else { Place::Volume(index) }));
            }
            let owner = actors
                .iter()
                .position(|a| share_data_on_purpose(a.workload, workload))
                .unwrap_or(actors.len());
            actor_facts.push(facts::Actor {
                kind: workload.kind,
                owner: owner as u8,
                pinned: pinned(workload, member),
                labelled: wants(workload, member).any(|w| !w.not && !w.one_node && w.is_set_by_hand()),
                order: workload.update.order,
                back: workload.rollback.order,
                slow: workload.grace > SWARM_LONGEST_GRACE,
                restarts: workload.restarts,
                max_per_node: workload.max_per_node.as_ref().map(|m| m.0),
                kills: workload.kills.is_some(),
                stops_leftovers: workload.stops_leftovers.is_some(),
                outlives: workload.outlives.is_some(),
                clientless: workload.clientless,
                single: workload.single,
                forgets_scaled: workload.forgets.scaled.is_some(),
                forgets_deleted: workload.forgets.deleted.is_some(),
                named: workload.kind == Kind::StatefulSet || member.hostname.is_some(),
                mounts: held,
            });
            actors.push(Actor { workload, member, mounts });
        }
        // Directories of a node say nothing of another node's.
        let alone = |a: &facts::Actor| {
            a.kind.per_node() && a.mounts.iter().all(|m| matches!(m.place, Place::Directory(_)))
        };
        let local = actor_facts.iter().all(|a| a.kind == Kind::Local || alone(a));
        let between = |holds: &dyn Fn(&Actor<'w>, &Actor<'w>) -> bool| -> Pairs {
            let mut between = [[false; ACTORS]; ACTORS];
            for (a, row) in actors.iter().zip(&mut between) {
                for (b, cell) in actors.iter().zip(row) {
                    *cell = holds(a, b);
                }
            }
            between
        };
        let facts = Facts {
            target,
            hazard,
            nodes: if local { 1 } else { nodes.clamp(1, NODES) },
            port: between(&|a, b| ports_meet(a, b, |p| p.scheduled)),
            bound: between(&|a, b| ports_meet(a, b, |p| p.bound)),
            name: between(&|a, b| match (&a.member.container, &b.member.container) {
                (Some((a, _)), Some((b, _))) => a == b,
                _ => false,
            }),
            lock: between(&|a, b| lock(a).is_some_and(|key| lock(b) == Some(key))),
            apart: between(&|a, b| keeps_off(a, b) || keeps_off(b, a)),
            same: between(&|a, b| std::ptr::eq(a.workload, b.workload)),
            excluded: matches!(actors.as_slice(), [a, b] if excluded(a, b)),
            rolling: rolling(hazard, &actors),
            actors: actor_facts,
        };
        Self { facts, actors }
    }

    /// Takes directories whose name does not say that they are on a disk of their own, and of which no file
    /// says so, as part of the boot disk. Returns the facts without this, if they differ.
    pub fn on_boot_disk(&mut self) -> Option<Facts> {
        let mut facts = self.facts.clone();
        for (own, actor) in facts.actors.iter_mut().zip(&self.actors) {
            let disks = &actor.workload.disks;
            let shown = |path: &str| on_own_disk(path) || disks.iter().any(|disk| within(path, disk));
            for (fact, mount) in own.mounts.iter_mut().zip(&actor.mounts) {
                // A boot empties some directories, whatever disk they are on.
                let emptied = data_mounts::life(&mount.source) == Life::Boot;
                let boot = matches!(&mount.source, Source::Host { path, .. } if !shown(path)) && !emptied;
                fact.rooted |= boot && fact.missing == Missing::Created;
            }
        }
        (facts != self.facts).then(|| std::mem::replace(&mut self.facts, facts))
    }

    /// Returns the line of the first label that places an actor.
    pub fn want(&self, actor: &Actor<'w>) -> Option<&'w At> {
        wants(actor.workload, actor.member).next().map(|w| &w.at)
    }

    /// Returns what keeps two workloads off one place: `own` if both run the same software or image, which
    /// cannot share it; else `read`, the mount as one that only reads has it.
    pub fn apart(&self, own: &str, read: Option<String>) -> String {
        let same = |[a, b]: &[Actor<'_>; 2]| {
            let software = |w: &Workload| w.software.as_ref().map(|s| s.name.clone());
            let known = software(a.workload).is_some();
            known && software(a.workload) == software(b.workload) || a.workload.image == b.workload.image
        };
        let two: Option<[Actor<'_>; 2]> = self.actors.clone().try_into().ok();
        match read.filter(|_| two.is_some_and(|two| !same(&two))) {
            Some(read) => format!("{read}, for the one that only reads; if both write on purpose, accept it"),
            None => own.to_owned(),
        }
    }

    /// Returns the labels with a value that the actors require and several nodes may carry, each with
    /// the index of its actor.
    pub fn carried(&self) -> impl Iterator<Item = (usize, &'w Want)> {
        let labels = |(i, a): (usize, &Actor<'w>)| wants(a.workload, a.member).map(move |w| (i, w));
        let all = self.actors.iter().enumerate().flat_map(labels);
        all.filter(|(_, w)| !w.not && !w.one_node && !w.values.is_empty() && w.is_set_by_hand())
    }
}

/// Returns the source of a mount, and whether it belongs to the node.
pub fn key(mount: &Mount) -> Option<(bool, &str)> {
    match &mount.source {
        Source::Host { path, .. } => Some((true, path)),
        Source::Volume { name, .. } => Some((false, name)),
        Source::Ephemeral => None,
    }
}

/// Returns what distinguishes a member from the others of its workload, except names.
pub fn kind_key(member: &Member) -> String {
    let mounts: Vec<_> = member.mounts.iter().map(|m| fact(m, Place::Volume(0))).collect();
    let kinds: Vec<_> = member.mounts.iter().map(|m| key(m).map(|k| k.0)).collect();
    let wants: Vec<_> =
        member.wants.iter().map(|w| (w.key.as_str(), w.not, w.one_node, w.shared, w.values.len())).collect();
    format!("{mounts:?}{kinds:?}{wants:?}{} {}", member.container.is_some(), member.hostname.is_some())
}

/// Returns the facts of a mount.
fn fact(mount: &Mount, place: Place) -> facts::Mount {
    let none = facts::Mount {
        place,
        missing: Missing::Refused,
        fences: Fences::Never,
        one_pod: false,
        reserved: false,
        rooted: false,
    };
    match &mount.source {
        Source::Host { path, missing, one_pod } => {
            let missing = if *missing == Missing::Elsewhere { Missing::Created } else { *missing };
            facts::Mount { missing, one_pod: one_pod.is_some(), rooted: stays(path, mount), ..none }
        }
        Source::Volume { fences, one_pod, reserved, missing, .. } => facts::Mount {
            missing: *missing,
            fences: *fences,
            one_pod: one_pod.is_some(),
            reserved: reserved.is_some(),
            ..none
        },
        Source::Ephemeral => none,
    }
}

/// Returns whether a directory is there as long as its node is.
fn stays(path: &str, mount: &Mount) -> bool {
    path.starts_with("volume ") || matches!(mount.source, Source::Host { missing: Missing::Elsewhere, .. })
}

/// Returns the mounts that matter, up to the maximum of the search: first those that several members
/// name, then one of each kind.
fn chosen<'w>(member: &'w Member, all: &[(&'w Workload, &'w Member)]) -> Vec<&'w Mount> {
    let keys = |m: &'w Member| -> BTreeSet<_> { m.mounts.iter().filter_map(key).collect() };
    let others: Vec<BTreeSet<_>> =
        if all.len() > 1 { all.iter().map(|(_, m)| keys(m)).collect() } else { Vec::new() };
    let shared = |mount: &Mount| {
        !others.is_empty() && key(mount).is_some_and(|key| others.iter().all(|keys| keys.contains(&key)))
    };
    let (mut mounts, rest): (Vec<&Mount>, Vec<&Mount>) = member.mounts.iter().partition(|m| shared(m));
    let place = |m: &Mount| Place::Volume(u8::from(key(m).is_some_and(|k| k.0)));
    let mut seen = FxHashSet::default();
    mounts.extend(rest.into_iter().filter(|m| seen.insert(fact(m, place(m)))));
    mounts
}

fn wants<'w>(workload: &'w Workload, member: &'w Member) -> impl Iterator<Item = &'w Want> {
    workload.wants.iter().chain(&member.wants)
}

/// Returns whether exactly one node matches the placement rules of a member: by the name of the
/// node, or by a label that only this member requires. With two values of the label, each may have
/// its own node.
fn pinned(workload: &Workload, member: &Member) -> bool {
    let alone = workload.members.len() == 1 && !workload.kind.per_node();
    wants(workload, member).any(|w| w.one_node && w.pins())
        || member.wants.iter().any(Want::pins)
        || alone && workload.wants.iter().any(Want::pins)
}

/// Returns whether one takes over the data of the other on purpose.
fn share_data_on_purpose(a: &Workload, b: &Workload) -> bool {
    let revisions = a.kind.per_node() && b.kind.per_node() && a.family == b.family && a.scope == b.scope;
    let machines = a.by_machine && b.by_machine && a.family == b.family;
    revisions || machines || a.kind == Kind::Replicas && std::ptr::eq(a, b)
}

/// Returns how an update goes through two members of one quorum.
fn rolling(hazard: Hazard, actors: &[Actor<'_>]) -> Option<facts::Rolling> {
    let [a, b] = actors else { return None };
    let of = a.workload.rolling.as_ref();
    of.filter(|_| hazard == Hazard::Update && std::ptr::eq(a.workload, b.workload)).map(|r| facts::Rolling {
        parallel: r.parallel.is_some(),
        many: r.most.0 >= r.members - r.members / 2,
    })
}

/// Returns whether both require different values of one label, so that no node matches both.
fn excluded(a: &Actor<'_>, b: &Actor<'_>) -> bool {
    wants(a.workload, a.member).filter(|w| !w.not && !w.values.is_empty()).any(|own| {
        wants(b.workload, b.member)
            .filter(|w| !w.not && !w.values.is_empty())
            .any(|theirs| own.key == theirs.key && !own.values.iter().any(|v| theirs.values.contains(v)))
    })
}

fn ports_meet(a: &Actor<'_>, b: &Actor<'_>, which: impl Fn(&crate::world::Port) -> bool) -> bool {
    a.workload.ports.iter().filter(|p| which(p)).any(|p| {
        b.workload.ports.iter().any(|q| which(q) && q.number == p.number && q.protocol == p.protocol)
    })
}

/// Returns what the actor locks: a mount, and the file in it (empty for the mount itself). A file
/// deeper inside may belong to another mount.
fn lock<'w>(actor: &Actor<'w>) -> Option<((bool, &'w str), &'w str)> {
    let (path, _) = actor.workload.lock.as_ref()?;
    let (directory, file) = path.rsplit_once('/')?;
    let at = |target: &str| {
        let mut mounts = actor.member.mounts.iter();
        mounts.find(|m| m.target.trim_end_matches('/') == target).and_then(key)
    };
    at(path).map(|place| (place, "")).or_else(|| Some((at(directory)?, file)))
}

/// Returns whether a rule of `a` keeps it off nodes with `b`.
fn keeps_off(a: &Actor<'_>, b: &Actor<'_>) -> bool {
    a.workload.apart.iter().any(|rule| match &rule.whom {
        Whom::Pods { selector, namespaces, .. } => {
            namespaces.as_ref().is_none_or(|n| n.contains(&b.workload.scope))
                && selector.selects(&b.workload.labels)
        }
        // A unit is never kept off itself, nor are its containers.
        Whom::Units(glob) => a.workload.name != b.workload.name && glob::matches(glob, &b.workload.name),
    })
}
