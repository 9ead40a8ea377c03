//! The explorer: searches what a small cluster may do with files read back, and tells how two
//! containers come to hold one thing.
//!
//! It believes neither plan nor certificate. Each orchestrator's rules stand in one file; they
//! move members over two or three nodes, with each event that may strike at most once. A search is
//! complete within these bounds (the small-scope argument), and says so where it was not.

pub mod facts;
pub mod fleet;
pub mod kubernetes;
pub mod layers;
pub mod scene;
pub mod search;
pub mod state;
pub mod story;
pub mod swarm;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::finding::{Finding, Hazard};
use crate::plan::Target;
use crate::threads::locked;
use crate::world::{Member, Workload, World};

use facts::Facts;
use scene::Scene;
use search::{Next, Rules, Step, What};
use state::{Data, Link, NOWHERE, Phase, State};

/// How far to search.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Nodes of a scene, 2 or 3.
    pub nodes: usize,
    /// Whether someone may delete by force.
    pub force: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { nodes: 2, force: false }
    }
}

/// What a search of one orchestrator's files found.
#[derive(Debug, Default, Serialize)]
pub struct Explored {
    /// In the order of the workloads.
    pub findings: Vec<Finding>,
    /// How many scenes were searched.
    pub scenes: usize,
    /// How many states those have that names alone do not tell apart.
    pub states: usize,
    /// How many steps between them.
    pub steps: usize,
    /// Whether every state within the bounds was looked at.
    pub complete: bool,
}

/// The rules of a target.
pub fn rules(target: Target) -> &'static dyn Rules {
    match target {
        Target::Kubernetes => &kubernetes::Kubernetes,
        Target::Fleet => &fleet::Fleet,
        Target::Swarm => &swarm::Swarm,
    }
}

/// Searches all that may happen to the members of `world`.
pub fn explore(target: Target, world: &World, bounds: Bounds) -> Explored {
    watched(target, world, bounds, &Memo::default(), &|_| false, &mut |_, _| {})
}

/// What was searched before. Scenes that only names tell apart are searched once, also when several
/// ask side by side.
#[derive(Debug, Default)]
pub struct Memo {
    found: Mutex<FxHashMap<Facts, Arc<search::Found>>>,
    violations: bool,
}

impl Memo {
    /// For who looks for violations only, not for layers that stand alone.
    pub fn of_violations() -> Self {
        Self { violations: true, ..Self::default() }
    }

    /// What a search of `facts` finds.
    fn search(&self, facts: &Facts, explored: &mut Explored) -> Arc<search::Found> {
        let known = || locked(&self.found);
        if let Some(found) = known().get(facts) {
            return Arc::clone(found);
        }
        let found = Arc::new(search::search(rules(facts.target), facts));
        explored.states += found.states;
        explored.steps += found.steps;
        Arc::clone(known().entry(facts.clone()).or_insert(found))
    }
}

/// As [`explore`], with what was searched before; `accepted` says what someone takes, so that it
/// hides nothing of the same kind that nobody took; `tell` hears before each cast how many were
/// searched, and of how many.
pub fn watched(
    target: Target,
    world: &World,
    bounds: Bounds,
    memo: &Memo,
    accepted: &dyn Fn(&Finding) -> bool,
    tell: &mut dyn FnMut(usize, usize),
) -> Explored {
    let mut explored = Explored { complete: true, ..Explored::default() };
    // A fault that all members of a family share is told once.
    let mut told: BTreeSet<(String, Option<facts::How>, &str, &str, bool)> = BTreeSet::new();
    let mut alone: BTreeMap<(&str, &str), layers::Alone<'_>> = BTreeMap::new();
    let casts = casts(world);
    for (done, members) in casts.iter().enumerate() {
        tell(done, casts.len());
        for hazard in hazards(members, bounds) {
            let scene = Scene::new(target, hazard, bounds.nodes, members);
            explored.scenes += 1;
            let found = memo.search(&scene.facts, &mut explored);
            explored.complete &= found.complete;
            // Who stands on another's data beside it also comes to it afterwards.
            let both = found.breaches.keys().any(|(how, _)| *how == facts::How::Two);
            let breaches = found.breaches.values().filter(|(b, _)| !both || b.how != facts::How::Other);
            let mut findings: Vec<(Option<facts::How>, Finding)> = breaches
                .map(|(breach, way)| (Some(breach.how), story::breach(&scene, breach, way)))
                .collect();
            // What someone forced, someone has to mend: a container that was taken out of the books
            // keeps its port and its name, as it should.
            if let (1, Some(way)) = (members.len(), &found.stuck)
                && hazard != Hazard::Force
                && scene.facts.actors.iter().any(facts::Actor::claims)
            {
                findings.push((None, story::stuck(&scene, way)));
            }
            let (workload, _) = members[0];
            // What two do at once by themselves needs no hazard.
            let unstruck = |(_, way): &(_, search::Way)| !way.iter().any(|(s, _)| s.what.strikes());
            let met = members.len() > 1 && found.breaches.values().any(unstruck);
            // What someone forces is his own to answer for.
            if hazard != Hazard::Force && !memo.violations {
                let own = (workload.scope.as_str(), workload.family.as_str());
                let alone = alone.entry(own).or_insert_with(|| layers::Alone::new(workload));
                alone.look(&scene, &mut |facts| layers::Outcome::of(&memo.search(facts, &mut explored)));
            }
            let new = |(how, f): &(Option<facts::How>, Finding)| {
                told.insert((f.code.clone(), *how, &workload.scope, &workload.family, accepted(f)))
            };
            findings.retain(new);
            explored.findings.extend(findings.into_iter().map(|(_, finding)| finding));
            if met {
                break;
            }
        }
    }
    explored.findings.extend(alone.values().filter_map(|alone| alone.note(target)));
    explored
}

/// Who is searched together: each member that more than its name tells from others, and members
/// that name one directory or volume, two at a time.
pub fn casts(world: &World) -> Vec<Vec<(&Workload, &Member)>> {
    let alone = world.workloads.iter().flat_map(|w| classes(w).into_iter().map(move |m| vec![(w, m)]));
    alone.chain(pairs(world)).collect()
}

/// What may strike these members.
pub fn hazards(members: &[(&Workload, &Member)], bounds: Bounds) -> Vec<Hazard> {
    let mut all = match members {
        [(a, _), (b, _)] => {
            let base = if std::ptr::eq(*a, *b) {
                Hazard::Colocate
            } else if a.family == b.family && a.scope == b.scope {
                if a.kind.per_node() { Hazard::Revisions } else { Hazard::Colocate }
            } else {
                Hazard::Neighbour
            };
            vec![base, Hazard::Relabel]
        }
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

/// Of members that only names tell apart, the first.
fn classes(workload: &Workload) -> Vec<&Member> {
    let mut seen = BTreeSet::new();
    workload.members.iter().filter(|m| seen.insert(scene::class(m))).collect()
}

/// Members that name the same directory or volume, two at a time. Of many that do, each with the
/// next one and the first with the last: what holds of those holds of all that are alike.
fn pairs(world: &World) -> Vec<Vec<(&Workload, &Member)>> {
    let mut by_key: BTreeMap<(bool, &str), Vec<(usize, usize)>> = BTreeMap::new();
    for (w, workload) in world.workloads.iter().enumerate() {
        for (m, member) in workload.members.iter().enumerate() {
            for key in member.mounts.iter().filter_map(scene::key) {
                let holders = by_key.entry(key).or_default();
                if holders.last() != Some(&(w, m)) {
                    holders.push((w, m));
                    // On each of two nodes it stands for another.
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
    // Members of one workload that clash do so alike.
    let mut inside = BTreeSet::new();
    let apart = |(a, b): &((usize, usize), (usize, usize))| a.0 != b.0 || inside.insert(a.0);
    chosen.into_iter().filter(apart).map(|(a, b)| vec![member(a), member(b)]).collect()
}

/// Most strikes in one history.
const STRIKES: u32 = 3;

/// Whether one more may come: each once.
fn may_strike(state: &State, what: What) -> bool {
    state.struck & what.bit() == 0 && state.struck.count_ones() < STRIKES
}

/// Whether nothing is broken any more.
fn calm(facts: &Facts, state: &State) -> bool {
    let first = facts.start();
    let node = |n: usize| state.nodes[n] == first.nodes[n];
    let deployed = state.desired[..facts.actors.len()].iter().all(|d| d.deployed);
    (0..facts.nodes).all(node) && deployed && !state.volumes.contains(&Data::Absent)
}

/// Whether each member runs, of the wanted version, and nothing else does.
fn runs_as_wanted(facts: &Facts, state: &State) -> bool {
    (0..facts.actors.len() as u8).all(|a| {
        let version = state.desired[usize::from(a)].version;
        let all = state.of(a).count();
        let good = |c: &&state::Copy| {
            c.phase == Phase::Running && !c.retired && !c.forgotten && c.version == version
        };
        let wanted = match facts.actors[usize::from(a)].kind.per_node() {
            true => (0..facts.nodes).filter(|n| state.nodes[*n].fits & 1 << a != 0).count(),
            false => 1,
        };
        state.of(a).filter(good).count() == wanted && all == wanted
    })
}

/// One heal, and the state after it.
fn heals(facts: &Facts, state: &State) -> Vec<(Step, State)> {
    let mut heals = Vec::new();
    let first = facts.start();
    for n in 0..facts.nodes {
        let node = state.nodes[n];
        let mut add = |what, change: &dyn Fn(&mut State)| {
            let mut after = *state;
            change(&mut after);
            heals.push((Step { what, actor: 0, node: n as u8, version: 0 }, after));
        };
        let up = |s: &mut State| (s.nodes[n].link, s.nodes[n].noticed) = (Link::Up, false);
        match node.link {
            Link::Up => {}
            Link::Cut => add(What::Heal, &up),
            Link::Deaf => add(What::AgentBack, &up),
            Link::Off => add(What::PowerOn, &up),
        }
        if !node.mounted {
            add(What::Mount, &|s| s.nodes[n].mounted = true);
        }
        if node.drained {
            add(What::Undrain, &|s| s.nodes[n].drained = false);
        }
    }
    let fits = |s: &State, n: usize| s.nodes[n].fits;
    if let Some(n) = (0..facts.nodes).find(|n| fits(state, *n) != fits(&first, *n)) {
        let mut after = *state;
        for n in 0..facts.nodes {
            after.nodes[n].fits = fits(&first, n);
        }
        heals.push((Step { what: What::Label, actor: 0, node: n as u8, version: 0 }, after));
    }
    for a in 0..facts.actors.len() {
        if !state.desired[a].deployed {
            let mut after = *state;
            after.desired[a].deployed = true;
            let version = after.desired[a].version;
            heals.push((Step { what: What::Deploy, actor: a as u8, node: NOWHERE, version }, after));
        }
    }
    if state.volumes.contains(&Data::Absent) {
        let mut after = *state;
        let owner = facts.actors.first().map_or(0, |a| a.owner);
        for volume in after.volumes.iter_mut().filter(|v| **v == Data::Absent) {
            *volume = Data::Of(owner);
        }
        heals.push((Step { what: What::Mount, actor: 0, node: NOWHERE, version: 0 }, after));
    }
    heals
}

/// The ways in which labels may change, with the node where they do.
fn relabel(facts: &Facts, state: &State, what: What) -> Vec<(u8, State)> {
    let mut ways = Vec::new();
    let labelled = |a: usize| facts.actors[a].labelled;
    for n in 0..facts.nodes {
        let fits = state.nodes[n].fits;
        for a in (0..facts.actors.len()).filter(|a| labelled(*a) && fits & 1 << a != 0) {
            let mut after = *state;
            match what {
                What::Unlabel => {
                    after.nodes[n].fits &= !(1 << a);
                    ways.push((n as u8, after));
                }
                What::MoveLabel if facts.actors[a].pinned => {
                    for m in (0..facts.nodes).filter(|m| *m != n) {
                        let mut after = *state;
                        after.nodes[n].fits &= !(1 << a);
                        let others = if facts.excluded { 0 } else { after.nodes[m].fits };
                        after.nodes[m].fits = others | 1 << a;
                        ways.push((n as u8, after));
                    }
                }
                What::FlipLabel if facts.excluded && !facts.actors[a].pinned => {
                    after.nodes[n].fits ^= 0b11;
                    ways.push((n as u8, after));
                }
                _ => {}
            }
        }
    }
    ways
}

/// A node is cut off, its agent killed, or it is switched off: each node in turn.
fn unlink(facts: &Facts, struck: &State, next: &mut Next, what: What) {
    let link = match what {
        What::Cut => Link::Cut,
        What::KillAgent => Link::Deaf,
        _ => Link::Off,
    };
    for n in (0..facts.nodes as u8).filter(|n| struck.nodes[usize::from(*n)].link == Link::Up) {
        let mut after = *struck;
        after.nodes[usize::from(n)].link = link;
        if link == Link::Off {
            after.drop_if(|c| c.node == n && c.runs());
        }
        next.add(Step { what, actor: 0, node: n, version: 0 }, after);
    }
}

/// A node that is off comes back without its disk.
fn unmount(facts: &Facts, struck: &State, next: &mut Next) {
    for n in (0..facts.nodes as u8).filter(|n| struck.nodes[usize::from(*n)].link == Link::Off) {
        let mut after = *struck;
        let node = &mut after.nodes[usize::from(n)];
        (node.link, node.noticed, node.mounted) = (Link::Up, false, false);
        next.add(Step { what: What::Unmount, actor: 0, node: n, version: 0 }, after);
    }
}

/// A volume is gone while nobody runs on it: deleted, or looked for where it is not.
fn lose(facts: &Facts, struck: &State, next: &mut Next) {
    if struck.copies().any(state::Copy::runs) {
        return;
    }
    for mount in facts.actors.iter().flat_map(|a| &a.mounts) {
        if let facts::Place::Volume(v) = mount.place
            && let v = usize::from(v)
            && matches!(struck.volumes[v], Data::Of(_))
        {
            let mut after = *struck;
            after.volumes[v] = Data::Absent;
            next.add(Step { what: What::LoseVolume, actor: 0, node: NOWHERE, version: 0 }, after);
        }
    }
}
