//! Breadth-first search of a scenario: the shortest way to each breach, and states from which no
//! update can finish.

use std::collections::BTreeMap;
use std::hash::BuildHasherDefault;

use indexmap::IndexMap;
use rustc_hash::FxHasher;

use crate::hazard::Resource;

use super::facts::{Breach, BreachKind, Facts};
use super::state::State;

/// Most states of one scenario; a search that comes here says so.
pub const MOST: usize = 60_000;

/// Action happens in one step. A strike comes at most once; a heal takes one back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Action {
    // The orchestrator and its agents.
    /// It wants one more container.
    Create,
    /// It gives one a node.
    Place,
    /// The container starts.
    Start,
    /// The controller counts a running one as available.
    Available,
    /// Something refuses the start; it is tried elsewhere.
    Refuse,
    /// The old one is to go, for a new description.
    Replace,
    /// The agent hears that it is to stop the container.
    Tell,
    /// The container has ended.
    End,
    /// Nothing is waited for any more: the time is up.
    Timeout,
    /// Action was waited for has ended.
    Release,
    /// A node that does not answer is given up.
    Notice,
    // Strikes.
    /// A new description is deployed.
    Update,
    /// The old description is deployed again.
    Rollback,
    /// Scaled to zero, or taken away.
    Remove,
    /// Another generation is deployed beside it, or it is deleted and at once made again.
    Again,
    /// The label, pin or metadata is taken from a node.
    Unlabel,
    /// The label goes to another node.
    MoveLabel,
    /// The label takes the value that the other wants.
    FlipLabel,
    /// The node is cut off.
    Cut,
    /// The agent is killed.
    KillAgent,
    /// The node is switched off, or rebooted.
    PowerOff,
    /// It comes back without its disk.
    Unmount,
    /// The node is drained.
    Drain,
    /// The manager or controller starts anew.
    ManagerRestart,
    /// The process ends by itself.
    Crash,
    /// The volume is not there.
    LoseVolume,
    /// Someone deletes by force.
    Force,
    // Heals.
    /// Deployed again.
    Deploy,
    /// The label is set again.
    Label,
    /// The node is reached again.
    Heal,
    /// The agent is back.
    AgentBack,
    /// The node is on again.
    PowerOn,
    /// The disk is mounted.
    Mount,
    /// The node takes containers again.
    Undrain,
}

impl Action {
    /// Whether it strikes, or is done to the cluster.
    pub fn strikes(self) -> bool {
        self >= Self::Update && self < Self::Deploy
    }

    /// Its bit in [`State::struck`].
    pub fn bit(self) -> u32 {
        1 << (self as u8 - Self::Update as u8)
    }
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Step {
    /// Action happens.
    pub action: Action,
    /// To whom; 0 where it is nobody's.
    pub actor: u8,
    /// Where; [`super::state::NOWHERE`] where it is nowhere.
    pub node: u8,
    /// Of which version of the description it speaks.
    pub version: u8,
}

/// Action may come next.
#[derive(Debug, Default)]
pub struct Next {
    /// With the state after it, and what it breaks.
    pub steps: Vec<(Step, State, Option<Breach>)>,
    /// A container found no room: the search is no longer complete.
    pub full: bool,
}

impl Next {
    /// One more step.
    pub fn add(&mut self, step: Step, state: State) {
        self.steps.push((step, state, None));
    }
}

/// The rules of one orchestrator.
pub trait Rules: Sync {
    /// All that may come next in `state`.
    fn next(&self, facts: &Facts, state: &State, next: &mut Next);
    /// Whether all is well: nothing is broken, and what is wanted runs, and nothing else.
    fn settled(&self, facts: &Facts, state: &State) -> bool;
}

/// The steps to a state, each with the state after it.
pub type Trace = Vec<(Step, State)>;

/// Action a search found.
#[derive(Debug, Default)]
pub struct Found {
    /// How many states there are.
    pub states: usize,
    /// How many steps between them.
    pub steps: usize,
    /// Whether every one was looked at.
    pub complete: bool,
    /// The first breach of each kind, with the steps that lead to it.
    pub breaches: BTreeMap<(BreachKind, Resource), (Breach, Trace)>,
    /// The steps to a state that cannot settle any more, whatever heals.
    pub stuck: Option<Trace>,
}

type Hashed = BuildHasherDefault<FxHasher>;

/// Searches all that may happen in the scenario of `facts`, or [`MOST`] states of it.
pub fn search(rules: &dyn Rules, facts: &Facts) -> Found {
    let start = facts.canonical(facts.start());
    // State -> where it was reached from.
    let mut seen: IndexMap<State, (u32, Step), Hashed> = IndexMap::default();
    let none = Step { action: Action::Heal, actor: 0, node: 0, version: 0 };
    seen.insert(start, (0, none));
    let mut found = Found { complete: true, ..Found::default() };
    // Steps that nobody does: backwards, to see from where all can settle.
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

/// The first state from which no way leads to a goal.
fn stuck(states: usize, edges: &[(u32, u32)], goals: Vec<u32>) -> Option<usize> {
    // Predecessors, one after another in one list.
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

/// The steps from the start to state `to`.
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

impl Facts {
    /// Of states that only swap nodes which nothing tells apart, one.
    pub fn canonical(&self, state: State) -> State {
        // With one or two nodes the first is the home, and nothing is to be swapped.
        if self.nodes < 3 || self.actors.len() > 1 {
            return state;
        }
        let mut swapped = state;
        swapped.swap(1, 2);
        swapped.min(state)
    }
}
