//! Finds single mechanisms: only one keeps two containers apart, although a second one is available.
//!
//! No table says which rules belong together. One mechanism is removed from the facts, and the
//! scenario is searched again: if the scenario is no longer safe, the mechanism is single. A second
//! mechanism is suggested only if the search shows that it would protect instead, and that updates
//! still finish.

use std::collections::BTreeSet;

use crate::backend::Fences;
use crate::finding::{At, Finding, Level, codes};
use crate::hazard::Hazard;
use crate::mechanism::{self, Effect, Id, Removable, Subject};
use crate::target::Target;
use crate::world::{Kind, Order, Source, Workload};

use super::facts::{Actor, Facts, Pairs};
use super::scenario::Scenario;
use super::search::Found;
use super::state::ACTORS;
use super::story;

/// The outcome of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Whether every state was visited, and nothing breaks.
    holds: bool,
    /// Whether every state can settle.
    goes_on: bool,
}

impl Outcome {
    /// Makes the outcome of a search.
    pub fn of(found: &Found) -> Self {
        let holds = found.complete && found.breaches.is_empty();
        Self { holds, goes_on: found.stuck.is_none() }
    }
}

/// A mechanism that is the only one under a hazard.
#[derive(Debug)]
struct Lone {
    removable: &'static Removable,
    /// The mechanism that could be added.
    second: &'static Removable,
    hazard: Hazard,
    at: At,
    /// The line of the mechanism to add.
    fix: String,
}

/// The single mechanisms of a workload, and of similar workloads.
#[derive(Debug)]
pub struct Alone<'w> {
    workload: &'w Workload,
    lone: Vec<Lone>,
    /// The mechanisms that the fix of a violation adds.
    asked: BTreeSet<Id>,
}

impl<'w> Alone<'w> {
    /// Makes an empty result.
    pub fn new(workload: &'w Workload) -> Self {
        Self { workload, lone: Vec::new(), asked: BTreeSet::new() }
    }

    /// Examines one scenario. `search` searches facts.
    pub fn look(&mut self, scenario: &Scenario<'_>, search: &mut dyn FnMut(&Facts) -> Outcome) {
        let facts = &scenario.facts;
        let sound = search(facts);
        let all = mechanism::removable(facts.target);
        for second in all {
            let Some(fix) = offer(scenario, second.effect) else { continue };
            let with_second = |facts: &Facts| changed(facts, |f| give(second.effect, f));
            // A mechanism that blocks an update is not suggested.
            if !with_second(facts).map(|f| search(&f)).is_some_and(|o| o.holds && o.goes_on) {
                continue;
            }
            if !sound.holds {
                self.asked.insert(second.mechanism.id);
                continue;
            }
            for removable in all.iter().filter(|removable| misses(removable.effect, second.effect)) {
                let Some(without) = changed(facts, |f| take(removable.effect, f)) else { continue };
                if !search(&without).holds && with_second(&without).is_some_and(|f| search(&f).holds) {
                    let (at, hazard) = (place(scenario, removable), facts.hazard);
                    self.lone.push(Lone { removable, second, hazard, at, fix: fix.clone() });
                }
            }
        }
    }

    /// Returns one note about all single mechanisms.
    pub fn note(&self, target: Target) -> Option<Finding> {
        let lone: Vec<&Lone> =
            self.lone.iter().filter(|l| !self.asked.contains(l.second.mechanism.id)).collect();
        let first = lone.first()?;
        let (mut at, mut only) = (Vec::new(), Vec::new());
        for removable in mechanism::removable(target) {
            let of: Vec<&&Lone> = lone.iter().filter(|l| l.removable.effect == removable.effect).collect();
            let Some(one) = of.first() else { continue };
            let hazards: BTreeSet<Hazard> = of.iter().map(|l| l.hazard).collect();
            let hazards: Vec<&str> = hazards.into_iter().map(Hazard::name).collect();
            only.push(format!("{} ({})", removable.own, hazards.join(", ")));
            at.push(one.at.clone());
        }
        at.push(self.workload.at.clone());
        let mut seen = BTreeSet::new();
        at.retain(|at| seen.insert(at.clone()));
        let message = format!(
            "only {} keeps two containers of {} apart: add {} as a second mechanism",
            only.join(" and "),
            self.workload.name,
            first.second.other
        );
        let finding = Finding::new(codes::SINGLE, Level::Note, message, at, first.fix.clone());
        Some(Finding { subject: self.workload.name.clone(), ..finding })
    }
}

/// Returns the facts with a change, if it changes anything.
fn changed(facts: &Facts, change: impl Fn(&mut Facts)) -> Option<Facts> {
    let mut after = facts.clone();
    change(&mut after);
    (after != *facts).then_some(after)
}

const NONE: Pairs = [[false; ACTORS]; ACTORS];

/// Returns a relation that holds between all actors.
fn all(actors: usize) -> Pairs {
    let mut all = NONE;
    all.iter_mut().take(actors).for_each(|row| row[..actors].fill(true));
    all
}

/// Returns whether a workload with only the mechanism `first` should also have `second`. The name of a pod of a
/// StatefulSet is enough, unless other pods can mount its volume.
fn misses(first: Effect, second: Effect) -> bool {
    first != second && (first != Effect::PodName || second == Effect::OnePod)
}

/// Removes a mechanism from the facts.
fn take(effect: Effect, facts: &mut Facts) {
    let mounts = |facts: &mut Facts, change: &dyn Fn(&mut super::facts::Mount)| {
        facts.actors.iter_mut().flat_map(|a| &mut a.mounts).for_each(change);
    };
    let actors = |facts: &mut Facts, change: &dyn Fn(&mut Actor)| facts.actors.iter_mut().for_each(change);
    match effect {
        Effect::Ports => (facts.port, facts.bound) = (NONE, NONE),
        Effect::Name => facts.name = NONE,
        Effect::Lock => facts.lock = NONE,
        Effect::Apart => facts.apart = NONE,
        Effect::OneLabel => facts.excluded = false,
        Effect::OnePod => mounts(facts, &|m| m.one_pod = false),
        Effect::Attach => mounts(facts, &|m| m.fences = Fences::Never),
        Effect::Reserved => mounts(facts, &|m| m.reserved = false),
        Effect::Order => {
            actors(facts, &|a| (a.order, a.back) = (Order::StartFirst, Order::StartFirst));
        }
        Effect::OwnStop => actors(facts, &|a| a.stops_leftovers = false),
        Effect::Pin => actors(facts, &|a| a.pinned = false),
        Effect::PodName => actors(facts, &|a| {
            if a.kind == Kind::StatefulSet {
                a.kind = Kind::Replicas;
            }
        }),
    }
}

/// Adds a mechanism to the facts.
fn give(effect: Effect, facts: &mut Facts) {
    let all = all(facts.actors.len());
    match effect {
        Effect::Ports => (facts.port, facts.bound) = (all, all),
        Effect::Name => facts.name = all,
        Effect::Apart => facts.apart = all,
        Effect::OneLabel => {
            facts.excluded = true;
            facts.actors.iter_mut().for_each(|a| a.labelled = true);
        }
        Effect::OnePod => {
            let mounts = facts.actors.iter_mut().flat_map(|a| &mut a.mounts);
            mounts
                .filter(|m| matches!(m.place, super::facts::Place::Volume(_)))
                .for_each(|m| m.one_pod = true);
        }
        // `offer` suggests none of these.
        Effect::Lock | Effect::Attach | Effect::Reserved | Effect::Order => {}
        Effect::OwnStop | Effect::Pin | Effect::PodName => {}
    }
}

/// Returns the line of a mechanism that the scenario lacks, if every workload of the orchestrator
/// can have it. A lock needs an image with flock, and a fencing volume needs a backend that fences.
fn offer(scenario: &Scenario<'_>, effect: Effect) -> Option<String> {
    let (facts, actors) = (&scenario.facts, &scenario.actors);
    let (workload, all) = (actors[0].workload, all(actors.len()));
    let revisions = facts.hazard == Hazard::Revisions && actors.len() > 1;
    let on_node = || {
        let mounts = actors.iter().flat_map(|a| &a.mounts);
        mounts.into_iter().any(|m| matches!(m.source, Source::Host { .. }))
    };
    match (effect, facts.target) {
        (Effect::Apart, Target::Kubernetes) if facts.apart != all && on_node() => {
            let own =
                ["app.kubernetes.io/name", "app"].into_iter().find_map(|k| workload.labels.get_key_value(k));
            let (key, value) = own.or_else(|| workload.labels.iter().next())?;
            Some(format!(
                "podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: kubernetes.io/hostname, \
                 namespaceSelector: {{}}, labelSelector: {{matchLabels: {{{key}: {value}}}}}}}]}}"
            ))
        }
        // The reader reports ReadWriteOnce.
        (Effect::OnePod, Target::Kubernetes) if workload.shared_claim.is_some() => {
            Some("accessModes: [ReadWriteOncePod]".to_owned())
        }
        (Effect::Name, Target::Fleet) if facts.name != all => {
            let name = actors[0].mounts.first().map(|m| story::named(m).replace("volume ", ""))?;
            let name = name.trim_matches('/').replace('/', ".");
            Some(format!("docker run --name {name}, in every unit that has the same data"))
        }
        (Effect::Ports, Target::Swarm) if facts.port != all => {
            Some("ports: [{ target: PORT, published: PORT, mode: host }]".to_owned())
        }
        (Effect::OneLabel, target) if revisions && !facts.excluded => Some(match target {
            Target::Kubernetes => {
                format!("nodeSelector: {{{}-revision: v1}}, and v2 in the other", workload.family)
            }
            Target::Fleet => format!("MachineMetadata={}-revision=v1, and v2 in the other", workload.family),
            Target::Swarm => format!(
                "deploy.placement.constraints: [\"node.labels.{}-revision == v1\"], and v2 in the other",
                workload.family
            ),
        }),
        (Effect::Ports | Effect::Name | Effect::Apart | Effect::OneLabel | Effect::OnePod, _)
        | (Effect::Lock | Effect::Attach | Effect::Reserved | Effect::Order, _)
        | (Effect::OwnStop | Effect::Pin | Effect::PodName, _) => None,
    }
}

/// Returns the line of a mechanism.
fn place(scenario: &Scenario<'_>, removable: &Removable) -> At {
    let of = |actor: &super::scenario::Actor<'_>| {
        let subject = Subject { workload: actor.workload, member: actor.member, mounts: &actor.mounts };
        (removable.place)(&subject).cloned()
    };
    scenario.actors.iter().find_map(of).unwrap_or_else(|| scenario.actors[0].workload.at.clone())
}
