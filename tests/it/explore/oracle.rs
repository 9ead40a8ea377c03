//! Compares the search with an independent model checker (stateright) on the same worlds: the same
//! states, the same shortest traces, and the same verdict on states that can never settle.

use std::collections::BTreeMap;

use berthc::explore::facts::{BreachKind, Facts};
use berthc::explore::scenario::Scenario;
use berthc::explore::search::{Next, search};
use berthc::explore::state::State;
use berthc::explore::{hazards, pairings, rules};
use berthc::hazard::Resource;
use stateright::{Checker, Model, Property};

use super::kubernetes::rolled;
use super::*;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Moment {
    Fine(State),
    Broken(BreachKind, Resource),
}

struct Oracle(Facts);

impl Oracle {
    fn next(&self, state: &State) -> Next {
        let mut next = Next::default();
        rules::of(&self.0).next(&self.0, state, &mut next);
        next
    }
}

impl Model for Oracle {
    type State = Moment;
    type Action = usize;

    fn init_states(&self) -> Vec<Moment> {
        vec![Moment::Fine(self.0.canonical(self.0.start()))]
    }

    fn actions(&self, moment: &Moment, actions: &mut Vec<usize>) {
        if let Moment::Fine(state) = moment {
            actions.extend(0..self.next(state).steps.len());
        }
    }

    fn next_state(&self, moment: &Moment, action: usize) -> Option<Moment> {
        let Moment::Fine(state) = moment else { return None };
        let (_, after, breach) = self.next(state).steps.swap_remove(action);
        Some(match breach {
            Some(breach) => Moment::Broken(breach.kind, breach.resource),
            None => Moment::Fine(self.0.canonical(after)),
        })
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("two", |_, m| !matches!(m, Moment::Broken(BreachKind::Two, _))),
            Property::always("empty", |_, m| !matches!(m, Moment::Broken(BreachKind::Empty, _))),
            Property::always("other", |_, m| !matches!(m, Moment::Broken(BreachKind::Other, _))),
            Property::always("quorum", |_, m| !matches!(m, Moment::Broken(BreachKind::Quorum, _))),
            // This property never becomes true, so the model checker visits every state.
            Property::sometimes("end of the world", |_, _| false),
        ]
    }
}

/// Returns whether no settled state is reachable from some state. Repeats until nothing changes.
fn stuck(facts: &Facts) -> bool {
    let oracle = Oracle(facts.clone());
    let start = facts.canonical(facts.start());
    let mut after: BTreeMap<State, Vec<State>> = BTreeMap::new();
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        if after.contains_key(&state) {
            continue;
        }
        let mut own = Vec::new();
        for (step, next, _) in oracle.next(&state).steps {
            let next = facts.canonical(next);
            open.push(next);
            if !step.action.strikes() {
                own.push(next);
            }
        }
        after.insert(state, own);
    }
    let rules = rules::of(facts);
    let mut good: BTreeMap<State, bool> = after.keys().map(|s| (*s, rules.settled(facts, s))).collect();
    loop {
        let more: Vec<State> = after
            .iter()
            .filter(|(s, own)| !good[*s] && own.iter().any(|n| good[n]))
            .map(|(s, _)| *s)
            .collect();
        if more.is_empty() {
            return good.values().any(|g| !g);
        }
        good.extend(more.into_iter().map(|s| (s, true)));
    }
}

/// Compares one scenario. Returns whether it has a breach.
fn compare(facts: &Facts) -> bool {
    let found = search(rules::of(facts), facts);
    assert!(found.complete, "{facts:?}");
    let checker = Oracle(facts.clone()).checker().spawn_bfs().join();
    let broken = found.breaches.len();
    assert_eq!(checker.unique_state_count(), found.states + broken, "{facts:?}");
    for (name, kind) in [
        ("two", BreachKind::Two),
        ("empty", BreachKind::Empty),
        ("other", BreachKind::Other),
        ("quorum", BreachKind::Quorum),
    ] {
        let shortest =
            found.breaches.iter().filter(|(k, _)| k.0 == kind).map(|(_, (_, trace))| trace.len()).min();
        let theirs = checker.discovery(name).map(|path| path.into_actions().len());
        assert_eq!(theirs, shortest, "{name} {facts:?}");
    }
    if broken == 0 {
        assert_eq!(stuck(facts), found.stuck.is_some(), "{facts:?}");
    }
    broken > 0
}

/// Compares every scenario of these workloads. Returns the number of scenarios, and of those with a
/// breach.
pub fn compare_all(target: Target, workloads: Vec<Workload>, nodes: usize) -> (usize, usize) {
    let world = World { workloads, ..World::default() };
    let (mut all, mut broken) = (0, 0);
    for members in pairings(&world) {
        for hazard in hazards(&members, Bounds { nodes, force: true }) {
            all += 1;
            broken += usize::from(compare(&Scenario::new(target, hazard, nodes, &members).facts));
        }
    }
    (all, broken)
}

/// Returns workloads with every combination of rules that a member may have.
fn many(target: Target) -> Vec<Workload> {
    let kinds: &[Kind] = match target {
        Target::Kubernetes => &[Kind::DaemonSet, Kind::StatefulSet, Kind::Replicas],
        Target::Fleet => &[Kind::Unit, Kind::GlobalUnit],
        Target::Swarm => &[Kind::Replicated, Kind::Global],
    };
    let mut all = Vec::new();
    for kind in kinds {
        for bits in 0..32_u8 {
            let on = |bit: u8| bits & 1 << bit != 0;
            let missing = if on(0) { Missing::Refused } else { Missing::Created };
            let order = if on(3) { Order::StopFirst } else { Order::StartFirst };
            let mut w = workload(*kind, vec![host("/mnt/d1/db-1", missing)]);
            w.wants = on(1).then(|| want("db", "1")).into_iter().collect();
            w.ports = on(2).then(|| port(5432, target != Target::Kubernetes)).into_iter().collect();
            w.update = Update { order, at: None };
            w.rollback = w.update.clone();
            w.grace = if on(4) { 30 } else { 100 };
            w.members[0].container = on(2).then(|| ("db".to_owned(), at("--name")));
            w.stops_leftovers = on(4).then(|| at("ExecStartPre"));
            all.push(w);
        }
    }
    all
}

#[test]
fn the_search_agrees_with_a_model_checker() {
    for target in Target::ALL {
        let (mut all, mut broken) = (0, 0);
        for w in many(target).into_iter().step_by(3) {
            let (a, b) = compare_all(target, vec![w], 2);
            (all, broken) = (all + a, broken + b);
        }
        assert!(all > 100 && broken > 20 && all - broken > 20, "{target:?}: {all} scenarios, {broken} break");
    }
}

#[test]
fn the_model_checker_agrees_on_three_nodes_and_on_pairs() {
    let pair = |mut w: Workload| {
        let mut other = w.clone();
        other.members[0].name = "db-2".into();
        w.family = "cache".into();
        vec![w, other]
    };
    for target in Target::ALL {
        let picked: Vec<Workload> = many(target).into_iter().step_by(11).collect();
        for w in picked {
            compare_all(target, vec![w.clone()], 3);
            compare_all(target, pair(w), 2);
        }
    }
}

#[test]
fn the_model_checker_agrees_on_members_of_a_quorum() {
    for parallel in [false, true] {
        for most in [1, 2] {
            let (all, broken) = compare_all(Target::Kubernetes, vec![rolled(3, most, parallel)], 2);
            // With force, even one member has a breach.
            let lost = usize::from(parallel || most > 1);
            assert_eq!(broken, 1 + lost, "{parallel} {most}: {broken} of {all}");
        }
    }
}
