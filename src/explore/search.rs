//! Breadth-first search of a scenario. Finds the shortest trace to each breach, and states from
//! which no update can finish.

use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;

use indexmap::IndexMap;
use rustc_hash::FxHasher;

use crate::hazard::Resource;

use super::facts::{Breach, BreachKind, Facts};
use super::state::{self, State};

/// The highest number of states in one scenario. A search that reaches it is not complete.
pub const MOST: usize = 60_000;

/// The kind of a step. A strike happens at most once; a heal reverses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Action {
    // The orchestrator and its agents.
    /// The orchestrator creates one more container.
    Create,
    /// The orchestrator gives a container a node.
    Place,
    /// The container starts.
    Start,
    /// The controller counts a running container as available.
    Available,
    /// Something refuses the start. The container is tried elsewhere.
    Refuse,
    /// The orchestrator decides to replace an old container because of a new description.
    Replace,
    /// The agent learns that it must stop the container.
    Tell,
    /// The container has ended.
    End,
    /// The orchestrator stops waiting, because the time is over.
    Timeout,
    /// The orchestrator stops waiting, because the old container has ended.
    Release,
    /// The orchestrator gives up a node that does not answer.
    Notice,
    // Strikes.
    /// A new description is deployed.
    Update,
    /// The old description is deployed again.
    Rollback,
    /// The workload is scaled to zero, or removed.
    Remove,
    /// Another revision is deployed next to it, or it is deleted and created again at once.
    Again,
    /// A node loses the label, pin or metadata.
    Unlabel,
    /// The label moves to another node.
    MoveLabel,
    /// The label changes to the value that the other actor requires.
    FlipLabel,
    /// The node becomes unreachable.
    Cut,
    /// The agent is killed.
    KillAgent,
    /// The node is switched off, or reboots.
    PowerOff,
    /// The node comes back without its disk.
    Unmount,
    /// The node is drained.
    Drain,
    /// The manager or controller restarts.
    ManagerRestart,
    /// The process ends by itself.
    Crash,
    /// The volume does not exist.
    LoseVolume,
    /// Someone forces a deletion.
    Force,
    // Heals.
    /// The workload is deployed again.
    Deploy,
    /// The label is set again.
    Label,
    /// The node is reachable again.
    Heal,
    /// The agent is back.
    AgentBack,
    /// The node is on again.
    PowerOn,
    /// The disk is mounted again.
    Mount,
    /// The node accepts containers again.
    Undrain,
}

impl Action {
    /// Returns whether it is a strike.
    pub fn strikes(self) -> bool {
        self >= Self::Update && self < Self::Deploy
    }

    /// Returns its bit in [`State::struck`].
    pub fn bit(self) -> u32 {
        1 << (self as u8 - Self::Update as u8)
    }
}

/// A step of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Step {
    /// The kind of step.
    pub action: Action,
    /// The actor; 0 if the step concerns no actor.
    pub actor: u8,
    /// The node; [`super::state::NOWHERE`] if the step concerns no node.
    pub node: u8,
    /// The version of the description that the step concerns.
    pub version: u8,
}

impl Step {
    /// Makes a step.
    pub fn new(action: Action, actor: u8, node: u8, version: u8) -> Self {
        Self { action, actor, node, version }
    }

    /// Makes a step of one container.
    pub fn of(action: Action, container: &state::Container) -> Self {
        Self::new(action, container.actor, container.node, container.version)
    }
}

/// The steps that are possible in a state.
#[derive(Debug, Default)]
pub struct Next {
    /// Each step with the state after it, and the breach that it causes.
    pub steps: Vec<(Step, State, Option<Breach>)>,
    /// Whether there was no room for a container, so that the search is no longer complete.
    pub full: bool,
}

impl Next {
    /// Adds a step.
    pub fn add(&mut self, step: Step, state: State) {
        self.steps.push((step, state, None));
    }
}

/// The rules of one orchestrator.
pub trait Rules: Sync {
    /// Adds every step that is possible in `state` to `next`.
    fn next(&self, facts: &Facts, state: &State, next: &mut Next);
    /// Returns whether nothing is broken, everything that is wanted runs, and nothing else does.
    fn settled(&self, facts: &Facts, state: &State) -> bool;
}

/// The steps to a state, each with the state after it.
pub type Trace = Vec<(Step, State)>;

/// The result of a search.
#[derive(Debug, Default)]
pub struct Found {
    /// The number of states.
    pub states: usize,
    /// The number of steps between them.
    pub steps: usize,
    /// Whether every state was visited.
    pub complete: bool,
    /// The first breach of each kind, with the steps that lead to it.
    pub breaches: BTreeMap<(BreachKind, Resource), (Breach, Trace)>,
    /// The steps to a state that can no longer settle, whatever heals.
    pub stuck: Option<Trace>,
}

type Hashed = BuildHasherDefault<FxHasher>;

/// Searches everything that can happen in the scenario of `facts`, up to [`MOST`] states.
pub fn search(rules: &dyn Rules, facts: &Facts) -> Found {
    let start = facts.canonical(facts.start());
    // Each state with the state and step that reached it.
    let mut seen: IndexMap<State, (u32, Step), Hashed> = IndexMap::default();
    let none = Step { action: Action::Heal, actor: 0, node: 0, version: 0 };
    seen.insert(start, (0, none));
    let mut found = Found { complete: true, ..Found::default() };
    // The steps of the orchestrator and the heals, to search backwards for the states that can
    // settle.
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let mut goals: Vec<u32> = Vec::new();
    let mut next = Next::default();
    let mut at = 0;
    while at < seen.len() {
        let Some((state, _)) = seen.get_index(at).map(|(s, w)| (*s, *w)) else { break };
        next.steps.clear();
        rules.next(facts, &state, &mut next);
        if rules.settled(facts, &state) {
            goals.push(at as u32);
        }
        for (step, after, breach) in next.steps.drain(..) {
            found.steps += 1;
            if let Some(breach) = breach {
                found.breaches.entry((breach.kind, breach.resource)).or_insert_with(|| {
                    let mut trace = trace(&seen, at);
                    trace.push((step, after));
                    (breach, trace)
                });
                continue;
            }
            let after = facts.canonical(after);
            let known = seen.len();
            if known >= MOST && !seen.contains_key(&after) {
                found.complete = false;
                continue;
            }
            let entry = seen.entry(after);
            let index = entry.index();
            entry.or_insert((at as u32, step));
            if !step.action.strikes() {
                edges.push((at as u32, index as u32));
            }
        }
        at += 1;
    }
    found.complete &= !next.full;
    found.states = seen.len();
    if found.complete && found.breaches.is_empty() {
        found.stuck = stuck(seen.len(), &edges, goals).map(|i| trace(&seen, i));
    }
    found
}

/// Returns the first state from which no goal is reachable.
fn stuck(states: usize, edges: &[(u32, u32)], goals: Vec<u32>) -> Option<usize> {
    // The predecessors of all states, in one list.
    let mut from = vec![0_u32; states + 1];
    for (_, to) in edges {
        from[*to as usize + 1] += 1;
    }
    for i in 0..states {
        from[i + 1] += from[i];
    }
    let mut filled = from.clone();
    let mut before = vec![0_u32; edges.len()];
    for (source, to) in edges {
        before[filled[*to as usize] as usize] = *source;
        filled[*to as usize] += 1;
    }
    let mut good = vec![false; states];
    let mut open = goals;
    while let Some(state) = open.pop() {
        let state = state as usize;
        if !std::mem::replace(&mut good[state], true) {
            open.extend(&before[from[state] as usize..from[state + 1] as usize]);
        }
    }
    good.iter().position(|g| !g)
}

/// Returns the steps from the start to state `to`.
fn trace(seen: &IndexMap<State, (u32, Step), Hashed>, to: usize) -> Trace {
    let mut trace = Vec::new();
    let mut at = to;
    while at != 0 {
        let Some((state, (from, step))) = seen.get_index(at) else { break };
        trace.push((*step, *state));
        at = *from as usize;
    }
    trace.reverse();
    trace
}
