//! Searches what a small cluster can do with files that were read back, and shows how two
//! containers come to hold one resource.
//!
//! It uses neither plan nor certificate. The rules of each orchestrator are in one file. They move
//! members over two or three nodes, and each event happens at most once. A search is complete
//! within these bounds (the small-scope hypothesis), and says so if it was not.

pub mod ease;
pub mod facts;
pub mod redundancy;
pub mod rules;
pub mod scenario;
pub mod search;
pub mod state;
pub mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::finding::{Finding, FindingId};
use crate::hazard::{Hazard, Resource};
use crate::images::Software;
use crate::target::Target;
use crate::threads::locked;
use crate::world::{Kind, Member, Workload, World};

use facts::Facts;
use scenario::Scenario;

/// The bounds of a search.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The number of nodes in a scenario, 2 or 3.
    pub nodes: usize,
    /// Whether someone may force a deletion.
    pub force: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { nodes: 2, force: false }
    }
}

/// The result of searching the files of one orchestrator.
#[derive(Debug, Default, Serialize)]
pub struct Explored {
    /// The findings, in the order of the workloads.
    pub findings: Vec<Finding>,
    /// The number of scenarios.
    pub scenarios: usize,
    /// The number of states in them. Scenarios that differ only in names count once.
    pub states: usize,
    /// The number of steps between these states.
    pub steps: usize,
    /// Whether the search visited every state within the bounds.
    pub complete: bool,
}

/// Searches everything that can happen to the members of `world`.
pub fn explore(target: Target, world: &World, bounds: Bounds) -> Explored {
    watched(target, world, bounds, &Memo::default(), &mut |_, _| {})
}

/// The results of earlier searches. Scenarios that differ only in names are searched once, also
/// when several threads ask for them.
#[derive(Debug, Default)]
pub struct Memo {
    found: Mutex<FxHashMap<Facts, Arc<search::Found>>>,
    violations: bool,
}

impl Memo {
    /// Makes a memo for a search of violations only, without the notes about single mechanisms.
    pub fn of_violations() -> Self {
        Self { violations: true, ..Self::default() }
    }

    /// Returns the result of searching `facts`.
    fn search(&self, facts: &Facts, explored: &mut Explored) -> Arc<search::Found> {
        let known = || locked(&self.found);
        if let Some(found) = known().get(facts) {
            return Arc::clone(found);
        }
        let found = Arc::new(search::search(rules::of(facts), facts));
        explored.states += found.states;
        explored.steps += found.steps;
        Arc::clone(known().entry(facts.clone()).or_insert(found))
    }
}

/// Searches like [`explore`], with the results of earlier searches. `accepted` tells which findings
/// are waived, so that a waived finding does not hide another one of the same kind. `tell` gets,
/// before each pairing, the number of pairings searched so far and their total.
pub fn watched(
    target: Target,
    world: &World,
    bounds: Bounds,
    memo: &Memo,
    tell: &mut dyn FnMut(usize, usize),
) -> Explored {
    let mut explored = Explored { complete: true, ..Explored::default() };
    // Members of one workload that differ only in what the search does not look at say the same.
    let mut reported: BTreeSet<(FindingId, String)> = BTreeSet::new();
    let mut alone: BTreeMap<(&str, &str, &str), redundancy::Alone<'_>> = BTreeMap::new();
    let pairings = pairings(world);
    for (done, members) in pairings.iter().enumerate() {
        tell(done, pairings.len());
        for hazard in hazards(members, bounds) {
            let mut scenario = Scenario::new(target, hazard, bounds.nodes, members);
            let disks = if memo.violations { None } else { scenario.on_boot_disk() };
            let rolling = scenario.facts.rolling.is_some();
            if rolling && memo.violations {
                continue;
            }
            explored.scenarios += 1;
            let found = memo.search(&scenario.facts, &mut explored);
            explored.complete &= found.complete;
            // A member that runs on the data of another at the same time also does so one after the
            // other.
            let at_once = |b: &facts::Breach| {
                b.kind == facts::BreachKind::Two && (memo.violations || ease::locked(&scenario, b).is_none())
            };
            let both = found.breaches.values().any(|(b, _)| at_once(b));
            let breaches =
                found.breaches.values().filter(|(b, _)| !both || b.kind != facts::BreachKind::Other);
            // Other breaches of the members of a quorum are found when each member is searched
            // alone.
            let breaches = breaches.filter(|(b, _)| !rolling || b.kind == facts::BreachKind::Quorum);
            let tell = |(breach, trace): &(facts::Breach, search::Trace)| {
                let finding = story::breach(&scenario, breach, trace);
                if memo.violations { finding } else { ease::eased(&scenario, breach, trace, finding) }
            };
            let mut findings: Vec<Finding> = breaches.map(tell).collect();
            findings
                .extend(disks.and_then(|facts| lost_disk(&scenario, &facts, &found, memo, &mut explored)));
            // A state that is stuck after a forced deletion is not reported: the person who forced
            // it must clean up, and a container that the orchestrator no longer knows correctly
            // keeps its port and its name.
            if let (1, Some(trace)) = (members.len(), &found.stuck)
                && hazard != Hazard::Force
                && (scenario.facts.actors.iter().any(facts::Actor::claims)
                    || target == Target::Swarm && hazard == Hazard::Update)
            {
                let stuck = story::stuck(&scenario, trace);
                findings.push(if memo.violations { stuck } else { ease::stuck(&scenario, trace, stuck) });
            }
            let (workload, _) = members[0];
            // If the two conflict without any strike, the hazard does not matter.
            let unstruck = |(_, trace): &(_, search::Trace)| !trace.iter().any(|(s, _)| s.action.strikes());
            let met = members.len() > 1 && found.breaches.values().any(unstruck);
            // Forced deletions are left out here: the person who forces one is responsible for it.
            if hazard != Hazard::Force && !memo.violations && !rolling && !scenario.facts.composed() {
                // Services of two stacks are not alike because of their names.
                let stack = if target == Target::Swarm { &*workload.at.file } else { "" };
                let own = (workload.scope.as_str(), workload.family.as_str(), stack);
                let alone = alone.entry(own).or_insert_with(|| redundancy::Alone::new(workload));
                alone.look(&scenario, &mut |facts| {
                    redundancy::Outcome::of(&memo.search(facts, &mut explored))
                });
            }
            findings.retain(|f| reported.insert((f.code, f.message.clone())));
            explored.findings.extend(findings);
            if met {
                break;
            }
        }
    }
    explored.findings.extend(alone.values().filter_map(|alone| alone.note(target)));
    explored
}

/// Returns the note about a node that boots without the disk of a directory, where no file shows that the
/// directory has a disk of its own. `whole` are the facts with such a disk, and `found` is the result without.
fn lost_disk(
    scenario: &Scenario<'_>,
    whole: &Facts,
    found: &search::Found,
    memo: &Memo,
    explored: &mut Explored,
) -> Option<Finding> {
    let empty = (facts::BreachKind::Empty, Resource::Data);
    let boots = matches!(scenario.facts.hazard, Hazard::Reboot | Hazard::Move);
    if !boots || scenario.actors.len() > 1 || found.breaches.contains_key(&empty) {
        return None;
    }
    let found = memo.search(whole, explored);
    let (breach, trace) = found.breaches.get(&empty)?;
    let unmounts = trace.iter().any(|(step, _)| step.action == search::Action::Unmount);
    unmounts.then(|| ease::of_a_disk(story::breach(scenario, breach, trace)))
}

/// Returns the members to search together: each member that differs from the others by more than
/// its name; and each pair of members that name one directory or volume, or that belong to a quorum
/// that a controller updates.
pub fn pairings(world: &World) -> Vec<Vec<(&Workload, &Member)>> {
    let own = world.workloads.iter().filter(|w| !w.sidecar && !w.ends);
    let alone = own.flat_map(|w| classes(w).into_iter().map(move |m| vec![(w, m)]));
    let rolled = world.workloads.iter().filter(|w| w.rolling.is_some()).filter_map(|w| match &*w.members {
        [.., a, b] => Some(vec![(w, a), (w, b)]),
        _ => None,
    });
    alone.chain(pairs(world)).chain(rolled).collect()
}

/// Returns whether two members name one directory or volume.
fn meet(a: &Member, b: &Member) -> bool {
    let keys: BTreeSet<_> = a.mounts.iter().filter_map(scenario::key).collect();
    b.mounts.iter().filter_map(scenario::key).any(|key| keys.contains(&key))
}

/// Returns the hazards that apply to these members.
pub fn hazards(members: &[(&Workload, &Member)], bounds: Bounds) -> Vec<Hazard> {
    // fleet does not move a unit that systemd runs without fleet.
    let local = members.iter().all(|(w, _)| w.kind == Kind::Local);
    let mut all = match members {
        [(a, own), (b, other)] if std::ptr::eq(*a, *b) && a.rolling.is_some() && !meet(own, other) => {
            return vec![Hazard::Update];
        }
        [(a, _), (b, _)] => {
            let base = if std::ptr::eq(*a, *b) {
                Hazard::Colocate
            } else if a.family == b.family && a.scope == b.scope {
                if a.kind.per_node() { Hazard::Revisions } else { Hazard::Colocate }
            } else {
                Hazard::Neighbour
            };
            let rolled = std::ptr::eq(*a, *b) && a.rolling.is_some();
            [base, Hazard::Relabel].into_iter().chain(rolled.then_some(Hazard::Update)).collect()
        }
        _ if local => vec![Hazard::Update, Hazard::Reboot],
        _ => vec![
            Hazard::Update,
            Hazard::Revisions,
            Hazard::Relabel,
            Hazard::Partition,
            Hazard::Reboot,
            Hazard::Move,
        ],
    };
    if bounds.force {
        all.push(Hazard::Force);
    }
    all
}

/// Returns the first of the members that differ only in names.
fn classes(workload: &Workload) -> Vec<&Member> {
    let mut seen = BTreeSet::new();
    workload.members.iter().filter(|m| seen.insert(scenario::kind_key(m))).collect()
}

/// Returns pairs of members that name the same directory or volume. If many do, each is paired with
/// the next one, and the first with the last: what is true for these pairs is true for all similar
/// members.
fn pairs(world: &World) -> Vec<Vec<(&Workload, &Member)>> {
    let mut by_key: BTreeMap<(bool, &str), Vec<(usize, usize)>> = BTreeMap::new();
    for (w, workload) in world.workloads.iter().enumerate() {
        for (m, member) in workload.members.iter().enumerate() {
            for key in member.mounts.iter().filter_map(scenario::key) {
                let holders = by_key.entry(key).or_default();
                if holders.last() != Some(&(w, m)) {
                    holders.push((w, m));
                    // One member stands for two, on each of two nodes.
                    if workload.kind.per_node() && !key.0 {
                        holders.push((w, m));
                    }
                }
            }
        }
    }
    const FEW: usize = 4;
    let mut chosen: BTreeSet<((usize, usize), (usize, usize))> = BTreeSet::new();
    for holders in by_key.values() {
        for (i, a) in holders.iter().enumerate() {
            let reach = if holders.len() <= FEW { holders.len() } else { i + 2 };
            chosen.extend(holders[..reach.min(holders.len())].iter().skip(i + 1).map(|b| (*a, *b)));
        }
        if let (Some(first), Some(last)) = (holders.first(), holders.last())
            && holders.len() > FEW
        {
            chosen.insert((*first, *last));
        }
    }
    let member = |(w, m): (usize, usize)| (&world.workloads[w], &world.workloads[w].members[m]);
    // Members of one workload all conflict in the same way, so one pair is enough.
    let mut inside = BTreeSet::new();
    // Two versions of one object never run beside each other: names are unique in a namespace.
    let twins = |a: &Workload, b: &Workload| !a.scope.is_empty() && a.scope == b.scope && a.name == b.name;
    // What a unit runs in turn is never there at once.
    let in_turn = |a: &Workload, b: &Workload| (a.runs_in_turn || b.runs_in_turn) && a.name == b.name;
    let apart = |(a, b): &((usize, usize), (usize, usize))| {
        if own_directories(member(*a), member(*b)) {
            return false;
        }
        if a.0 == b.0 {
            return inside.insert(a.0);
        }
        let (a, b) = (&world.workloads[a.0], &world.workloads[b.0]);
        let ended = |a: &Workload, b: &Workload| a.ends && b.starts_after.contains(&a.name);
        !twins(a, b) && !in_turn(a, b) && !ended(a, b) && !ended(b, a)
    };
    chosen.into_iter().filter(apart).map(|(a, b)| vec![member(a), member(b)]).collect()
}

/// Returns whether the software of both gives each a directory of its own inside what they share: one with
/// the name of the host, and both have names of their own.
fn own_directories((a, one): (&Workload, &Member), (b, other): (&Workload, &Member)) -> bool {
    let host = |w: &Workload, m: &Member| match (&m.hostname, w.kind) {
        (Some((name, _)), _) => Some(name.clone()).filter(|name| !name.contains(['{', '$', '%'])),
        (None, Kind::StatefulSet) => Some(m.name.clone()),
        _ => None,
    };
    let named = |w: &Workload| w.software.as_ref().filter(|s| s.by_hostname()).cloned();
    let (Some(ours), Some(theirs)) = (named(a), named(b)) else { return false };
    let keys = |m: &Member| m.mounts.iter().filter_map(scenario::key).map(|k| k.1.to_owned()).collect();
    let (all, others): (BTreeSet<String>, BTreeSet<String>) = (keys(one), keys(other));
    let inside = |m: &Member, s: &Software| {
        let shared = m.mounts.iter().filter(|m| {
            scenario::key(m).is_some_and(|(_, name)| all.contains(name) && others.contains(name))
        });
        shared.clone().next().is_some() && shared.into_iter().all(|m| s.keeps(&m.target))
    };
    host(a, one).is_some_and(|name| host(b, other).is_some_and(|theirs| theirs != name))
        && inside(one, &ours)
        && inside(other, &theirs)
}
