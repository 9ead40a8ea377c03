//! Layers: what alone still keeps two containers apart, where a second way could be had.
//!
//! No table says which rules belong together. One mechanism is taken out of the facts, and the
//! scenario is searched again: where that breaks what held, it stood alone. A second one is named
//! only where the search says that it would have held in its place, and stops no update.

use std::collections::BTreeSet;

use crate::backend::Fences;
use crate::finding::{At, Finding, Level, codes};
use crate::hazard::Hazard;
use crate::target::Target;
use crate::world::{Kind, Order, Source, Workload};

use super::facts::{Actor, Facts, Pairs};
use super::scenario::Scenario;
use super::search::Found;
use super::state::ACTORS;
use super::story;

/// A mechanism, as far as facts know of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// A port of the node.
    Port,
    /// The container's name.
    Name,
    /// A lock that the process holds.
    Lock,
    /// Anti-affinity, or `Conflicts`.
    Apart,
    /// Labels of which a node carries one value.
    Labels,
    /// ReadWriteOncePod.
    OnePod,
    /// Attaching to one node at a time.
    Attach,
    /// A cluster volume's reservation.
    Reserved,
    /// The order of an update.
    Order,
    /// A start that stops what is left of its own.
    Cleans,
    /// A pin.
    Pin,
    /// The object of a StatefulSet's pod, once in the API.
    Object,
}

/// All of them.
const ALL: [Layer; 12] = [
    Layer::Port,
    Layer::Name,
    Layer::Lock,
    Layer::Apart,
    Layer::Labels,
    Layer::OnePod,
    Layer::Attach,
    Layer::Reserved,
    Layer::Order,
    Layer::Cleans,
    Layer::Pin,
    Layer::Object,
];

/// Action a search comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Every state was looked at, and nothing breaks.
    holds: bool,
    /// Whatever happens, all can settle.
    goes_on: bool,
}

impl Outcome {
    /// Of what was found.
    pub fn of(found: &Found) -> Self {
        let holds = found.complete && found.breaches.is_empty();
        Self { holds, goes_on: found.stuck.is_none() }
    }
}

/// One that stands alone under a hazard.
#[derive(Debug)]
struct Lone {
    layer: Layer,
    /// Action could stand beside it.
    second: Layer,
    hazard: Hazard,
    at: At,
    /// The line of the second.
    fix: String,
}

/// Action stands alone in one workload, and its like.
#[derive(Debug)]
pub struct Alone<'w> {
    workload: &'w Workload,
    lone: Vec<Lone>,
    /// Action a violation asks for anyway.
    asked: BTreeSet<Layer>,
}

impl<'w> Alone<'w> {
    /// Nothing yet.
    pub fn new(workload: &'w Workload) -> Self {
        Self { workload, lone: Vec::new(), asked: BTreeSet::new() }
    }

    /// Looks at one scenario; `search` searches facts.
    pub fn look(&mut self, scenario: &Scenario<'_>, search: &mut dyn FnMut(&Facts) -> Outcome) {
        let facts = &scenario.facts;
        let sound = search(facts);
        for second in ALL {
            let Some(fix) = offer(scenario, second) else { continue };
            let give = |facts: &Facts| changed(facts, |f| second.give(f));
            // Action stops an update is no help.
            if !give(facts).map(|f| search(&f)).is_some_and(|o| o.holds && o.goes_on) {
                continue;
            }
            if !sound.holds {
                self.asked.insert(second);
                continue;
            }
            for layer in ALL.into_iter().filter(|l| l.misses(second)) {
                let Some(without) = changed(facts, |f| layer.take(f)) else { continue };
                if !search(&without).holds && give(&without).is_some_and(|f| search(&f).holds) {
                    let (at, hazard) = (place(scenario, layer), facts.hazard);
                    self.lone.push(Lone { layer, second, hazard, at, fix: fix.clone() });
                }
            }
        }
    }

    /// One note of all that stands alone.
    pub fn note(&self, target: Target) -> Option<Finding> {
        let lone: Vec<&Lone> = self.lone.iter().filter(|l| !self.asked.contains(&l.second)).collect();
        let first = lone.first()?;
        let (mut at, mut said) = (Vec::new(), Vec::new());
        for layer in ALL {
            let of: Vec<&&Lone> = lone.iter().filter(|l| l.layer == layer).collect();
            let Some(one) = of.first() else { continue };
            let hazards: BTreeSet<Hazard> = of.iter().map(|l| l.hazard).collect();
            let hazards: Vec<&str> = hazards.into_iter().map(Hazard::name).collect();
            said.push(format!("{} ({})", layer.words(target), hazards.join(", ")));
            at.push(one.at.clone());
        }
        at.push(self.workload.at.clone());
        let mut seen = BTreeSet::new();
        at.retain(|at| seen.insert(at.clone()));
        let message = format!(
            "nothing but {} keeps two containers of {} apart: {} could stand beside it",
            said.join(" and "),
            self.workload.name,
            first.second.other(target)
        );
        let finding = Finding::new(codes::SINGLE, Level::Note, message, at, first.fix.clone());
        Some(Finding { subject: self.workload.name.clone(), ..finding })
    }
}

/// Facts with a change, if it changes anything.
fn changed(facts: &Facts, change: impl Fn(&mut Facts)) -> Option<Facts> {
    let mut after = facts.clone();
    change(&mut after);
    (after != *facts).then_some(after)
}

const NONE: Pairs = [[false; ACTORS]; ACTORS];

/// It holds between all of so many.
fn all(actors: usize) -> Pairs {
    let mut all = NONE;
    all.iter_mut().take(actors).for_each(|row| row[..actors].fill(true));
    all
}

impl Layer {
    /// Whether whoever has this alone misses `second`. That a StatefulSet makes one pod of a name
    /// nobody doubts, except where others may mount its volume.
    fn misses(self, second: Self) -> bool {
        self != second && (self != Self::Object || second == Self::OnePod)
    }

    /// Takes it out.
    fn take(self, facts: &mut Facts) {
        let mounts = |facts: &mut Facts, change: &dyn Fn(&mut super::facts::Mount)| {
            facts.actors.iter_mut().flat_map(|a| &mut a.mounts).for_each(change);
        };
        let actors =
            |facts: &mut Facts, change: &dyn Fn(&mut Actor)| facts.actors.iter_mut().for_each(change);
        match self {
            Self::Port => (facts.port, facts.bound) = (NONE, NONE),
            Self::Name => facts.name = NONE,
            Self::Lock => facts.lock = NONE,
            Self::Apart => facts.apart = NONE,
            Self::Labels => facts.excluded = false,
            Self::OnePod => mounts(facts, &|m| m.one_pod = false),
            Self::Attach => mounts(facts, &|m| m.fences = Fences::Never),
            Self::Reserved => mounts(facts, &|m| m.reserved = false),
            Self::Order => actors(facts, &|a| (a.order, a.back) = (Order::StartFirst, Order::StartFirst)),
            Self::Cleans => actors(facts, &|a| a.cleans = false),
            Self::Pin => actors(facts, &|a| a.pinned = false),
            Self::Object => actors(facts, &|a| {
                if a.kind == Kind::StatefulSet {
                    a.kind = Kind::Replicas;
                }
            }),
        }
    }

    /// Puts it in.
    fn give(self, facts: &mut Facts) {
        let all = all(facts.actors.len());
        match self {
            Self::Port => (facts.port, facts.bound) = (all, all),
            Self::Name => facts.name = all,
            Self::Apart => facts.apart = all,
            Self::Labels => {
                facts.excluded = true;
                facts.actors.iter_mut().for_each(|a| a.labelled = true);
            }
            Self::OnePod => {
                let mounts = facts.actors.iter_mut().flat_map(|a| &mut a.mounts);
                mounts
                    .filter(|m| matches!(m.place, super::facts::Place::Volume(_)))
                    .for_each(|m| m.one_pod = true);
            }
            _ => {}
        }
    }

    /// In a sentence.
    fn words(self, target: Target) -> &'static str {
        match (self, target) {
            (Self::Port, Target::Kubernetes) => "its host ports",
            (Self::Port, Target::Fleet) => "its published ports",
            (Self::Port, Target::Swarm) => "its port in host mode",
            (Self::Name, _) => "its container's name",
            (Self::Lock, _) => "the lock that its process holds",
            (Self::Apart, Target::Kubernetes) => "its required anti-affinity",
            (Self::Apart, _) => "its Conflicts",
            (Self::Labels, _) => "the labels of the nodes",
            (Self::OnePod, _) => "ReadWriteOncePod",
            (Self::Attach, _) => "the attaching of its volume",
            (Self::Reserved, _) => "the reservation of its volume",
            (Self::Order, _) => "the order of its updates",
            (Self::Cleans, _) => "its own stop before a start",
            (Self::Pin, _) => "its pin",
            (Self::Object, _) => "the name of its pod",
        }
    }

    /// Action could be had, in a sentence.
    fn other(self, target: Target) -> &'static str {
        match (self, target) {
            (Self::Port, _) => "a port in host mode",
            (Self::Name, _) => "a container's name after its data",
            (Self::Apart, Target::Kubernetes) => "required anti-affinity",
            (Self::Labels, _) => "a label of which a node has one value",
            _ => self.words(target),
        }
    }
}

/// The line of a mechanism that the scenario lacks, where its orchestrator has it for everyone: a
/// lock takes an image that has flock, a volume that fences a backend that does.
fn offer(scenario: &Scenario<'_>, layer: Layer) -> Option<String> {
    let (facts, actors) = (&scenario.facts, &scenario.actors);
    let (workload, all) = (actors[0].workload, all(actors.len()));
    let revisions = facts.hazard == Hazard::Revisions && actors.len() > 1;
    let on_node = || {
        let mounts = actors.iter().flat_map(|a| &a.mounts);
        mounts.into_iter().any(|m| matches!(m.source, Source::Host { .. }))
    };
    match (layer, facts.target) {
        (Layer::Apart, Target::Kubernetes) if facts.apart != all && on_node() => {
            let own =
                ["app.kubernetes.io/name", "app"].into_iter().find_map(|k| workload.labels.get_key_value(k));
            let (key, value) = own.or_else(|| workload.labels.iter().next())?;
            Some(format!(
                "podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: kubernetes.io/hostname, \
                 namespaceSelector: {{}}, labelSelector: {{matchLabels: {{{key}: {value}}}}}}}]}}"
            ))
        }
        // Of ReadWriteOnce the reader tells.
        (Layer::OnePod, Target::Kubernetes) if workload.many.is_some() => {
            Some("accessModes: [ReadWriteOncePod]".to_owned())
        }
        (Layer::Name, Target::Fleet) if facts.name != all => {
            let name = actors[0].mounts.first().map(|m| story::named(m).replace("volume ", ""))?;
            let name = name.trim_matches('/').replace('/', ".");
            Some(format!("docker run --name {name}, in every unit that has the same data"))
        }
        (Layer::Port, Target::Swarm) if facts.port != all => {
            Some("ports: [{ target: PORT, published: PORT, mode: host }]".to_owned())
        }
        (Layer::Labels, target) if revisions && !facts.excluded => Some(match target {
            Target::Kubernetes => {
                format!("nodeSelector: {{{}-revision: v1}}, and v2 in the other", workload.family)
            }
            Target::Fleet => format!("MachineMetadata={}-revision=v1, and v2 in the other", workload.family),
            Target::Swarm => format!(
                "deploy.placement.constraints: [\"node.labels.{}-revision == v1\"], and v2 in the other",
                workload.family
            ),
        }),
        _ => None,
    }
}

/// Where a mechanism stands.
fn place(scenario: &Scenario<'_>, layer: Layer) -> At {
    let of = |actor: &super::scenario::Actor<'_>| -> Option<At> {
        let workload = actor.workload;
        match layer {
            Layer::Port => workload.ports.first().map(|p| p.at.clone()),
            Layer::Name => actor.member.container.as_ref().map(|c| c.1.clone()),
            Layer::Lock => workload.lock.as_ref().map(|l| l.1.clone()),
            Layer::Apart => workload.apart.first().map(|a| a.at.clone()),
            Layer::Labels | Layer::Pin => scenario.want(actor).cloned(),
            Layer::OnePod | Layer::Attach | Layer::Reserved => actor.mounts.first().map(|m| m.at.clone()),
            Layer::Order => workload.update.at.clone(),
            Layer::Cleans => workload.cleans.clone(),
            Layer::Object => workload.many.clone(),
        }
    };
    scenario.actors.iter().find_map(of).unwrap_or_else(|| scenario.actors[0].workload.at.clone())
}
