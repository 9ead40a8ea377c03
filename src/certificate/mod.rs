//! The certificate: for every resource under every hazard, what keeps two containers apart.
//!
//! What it claims is read back from the emitted text; the plan is not asked. A table of each target
//! says which mechanisms *ought* to hold a cell ([`Expect`]), and [`crate::mechanism`] which ones the
//! text *carries*; a cell of which the text carries none is a gap.

pub mod duties;
mod expected;
pub mod fleet;
pub mod kubernetes;
pub mod page;
pub mod swarm;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::backend::Fences;
use crate::diag::{Diagnostic, Severity};
use crate::emit::{Page, Tree};
use crate::gap::Gap;
pub use crate::hazard::{Hazard, Resource};
use crate::images::Images;
use crate::mechanism::{Carried, Folders, Mechanism};
use crate::model::{Model, Service, Workload};
use crate::route;
use crate::target::Target;
use crate::world::{File, Worlds};

/// One way in which a hazard strikes, and what keeps it off: any of these does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Where or how: `on the node itself`.
    pub how: &'static str,
    /// What ought to keep it off; none where nothing can.
    pub any: Vec<&'static Mechanism>,
    /// Whether the cell names them; what all else rests on goes without saying while it is there.
    pub named: bool,
}

/// The second container is on the node of the first.
pub const HERE: &str = "two on one node";
/// What made the first is deleted, and at once made again.
pub const AGAIN: &str = "deleted and made again";
/// The second container is on another node.
pub const ELSEWHERE: &str = "two on two nodes";
/// The disk is not mounted, or there is no data yet.
pub const EMPTY: &str = "a start without its data";
/// The data is that of another member.
pub const OTHER: &str = "a start on another's data";
/// Another service has the same path, number or name.
pub const SAME: &str = "another service with the same";

/// `how` is kept off by any of `any`.
pub fn way(how: &'static str, any: impl IntoIterator<Item = &'static Mechanism>) -> Way {
    Way { how, any: any.into_iter().collect(), named: true }
}

/// What the other ways of a cell rest on: without any of `any` they hold nothing.
pub fn rests_on(how: &'static str, any: impl IntoIterator<Item = &'static Mechanism>) -> Way {
    Way { named: false, ..way(how, any) }
}

/// What ought to hold one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// All of these ways are kept off; what the text lacks is a note, and a way that nothing keeps
    /// off is a gap.
    Held(Vec<Way>),
    /// It cannot happen, for this reason.
    Never(&'static str),
    /// Whatever holds the data (or the right to write) of the member holds it, for it cannot
    /// start without.
    AsData,
}

/// What a spec asks of one target, as far as the matrix depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// The spec.
    pub service: &'a Service,
    /// Its members.
    pub workload: &'a Workload,
    /// One per node.
    pub per_node: bool,
    /// Held to nodes on this target.
    pub pinned: bool,
    /// Whether a label or metadata says where a member runs.
    pub placed: bool,
    /// Where its data is; what is on the node holds what is on the network beside it.
    pub data: Where,
    /// Whether a volume stands beside data on the node.
    pub beside: bool,
    /// On the node's network.
    pub node_network: bool,
    /// The process locks its directory.
    pub guard: bool,
    /// Several revisions of it, or one that says which it is.
    pub revisions: bool,
    /// Whether whatever is named after the first directory is common to all revisions that share
    /// any directory.
    pub one_first: bool,
    /// Whether every revision takes the lock, on the same directory.
    pub one_lock: bool,
}

/// Where data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// There is none.
    Nowhere,
    /// On the node.
    Host,
    /// On the network; whether attaching fences on this target.
    Network(Fences),
}

impl<'a> Shape<'a> {
    /// The shape of `service` on `target`; `None` for external ones.
    pub fn new(model: &'a Model, service: &'a Service, target: Target) -> Option<Self> {
        let workload = service.workload()?;
        let targets = &service.targets;
        let (own_pin, added) = match target {
            Target::Kubernetes => (false, false),
            Target::Fleet => targets.fleet.as_ref().map_or((false, false), |f| {
                (f.pin.is_some(), f.unit.iter().any(|section| section.name == "X-Fleet"))
            }),
            Target::Swarm => targets
                .swarm
                .as_ref()
                .map_or((false, false), |s| (s.pin.is_some(), crate::plan::swarm::constrains(&s.service))),
        };
        let pinned = workload.pin().is_some() || own_pin;
        let on_host = workload.data.iter().any(|d| d.host().is_some());
        let data = match service.fences(target) {
            _ if on_host => Where::Host,
            None => Where::Nowhere,
            Some(fences) => Where::Network(fences),
        };
        let zoned = workload.volumes().any(|(_, v)| !v.zones.is_empty());
        Some(Self {
            service,
            workload,
            per_node: workload.per_node(),
            pinned,
            placed: pinned || zoned || added,
            data,
            beside: on_host && workload.volumes().next().is_some(),
            node_network: workload.node_network,
            guard: workload.guard,
            revisions: service.revision.is_some(),
            one_first: model.other_first(service).is_none(),
            one_lock: model.one_lock(service),
        })
    }
}

/// One cell of the matrix.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// The resource.
    pub resource: Resource,
    /// The hazard.
    pub hazard: Hazard,
    /// What holds it.
    pub verdict: Verdict,
}

/// What holds a cell.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every way is kept off.
    Held {
        /// By these, strongest first.
        by: Vec<&'static Mechanism>,
        /// These ought to as well, and the text lacks them.
        lost: Vec<&'static Mechanism>,
    },
    /// As the data of the member.
    AsData,
    /// It cannot happen.
    Never(&'static str),
    /// Nothing but a person.
    Duty,
    /// One way at least is open.
    Gap {
        /// The ways that nothing keeps off.
        open: Vec<&'static str>,
        /// What keeps the others off.
        by: Vec<&'static Mechanism>,
        /// What ought to be there, and is not.
        lost: Vec<&'static Mechanism>,
    },
}

/// The certificate of one service on one target.
#[derive(Debug, Clone)]
pub struct Part {
    /// The target.
    pub target: Target,
    /// `Kubernetes 1.34`.
    pub title: String,
    /// Its cells, by resource and hazard; only resources that the spec claims.
    pub cells: Vec<Cell>,
    /// Where the text carries each mechanism that some cell names.
    pub carriers: Carried,
}

/// The certificates of one compile.
#[derive(Debug, Default)]
pub struct Certificates {
    /// By the index of the service in the model; services with faults have none.
    parts: BTreeMap<usize, Vec<Part>>,
}

/// Reads `tree` back, as [`judge`].
pub fn certify<'d>(
    model: &Model,
    batch: &[usize],
    tree: &Tree,
    faults: impl IntoIterator<Item = &'d Diagnostic>,
) -> Certificates {
    let files: Vec<File<'_>> = tree.iter().map(|(path, text)| File { path, text }).collect();
    judge(model, batch, &Worlds::read(&files, Images::builtin(), &mut |_| {}), faults)
}

/// Judges every cell of every service of `batch` whose spec has no error, by what its files say.
pub fn judge<'d>(
    model: &Model,
    batch: &[usize],
    worlds: &Worlds<'_>,
    faults: impl IntoIterator<Item = &'d Diagnostic>,
) -> Certificates {
    let errors = faults.into_iter().filter(|d| d.severity == Severity::Error);
    let faulty: BTreeSet<usize> = errors.map(|d| d.place.source).collect();
    let folders: BTreeMap<Target, Folders<'_>> =
        worlds.read.iter().map(|r| (r.target, Folders::of(&r.world))).collect();
    let mut parts = BTreeMap::new();
    for index in batch {
        let service = model.service(*index);
        if service.source.layers.iter().any(|text| faulty.contains(text)) {
            continue;
        }
        let own = Target::ALL.into_iter().filter(|t| service.has(*t));
        parts.insert(*index, own.filter_map(|t| part(model, t, service, folders.get(&t))).collect());
    }
    Certificates { parts }
}

impl Certificates {
    /// Whether every gap of `service` is known.
    pub fn has(&self, service: &Service) -> bool {
        self.parts.contains_key(&service.index)
    }

    /// The parts of the service with this index in the model.
    pub fn parts(&self, index: usize) -> &[Part] {
        self.parts.get(&index).map_or(&[], Vec::as_slice)
    }

    /// Cells that nothing holds, each with the index of its service, and told in the words of the
    /// plan's own gap where it foresaw it.
    pub fn gaps(&self, model: &Model, foreseen: &[(usize, Gap)]) -> Vec<(usize, Gap)> {
        let by_service = by_service(foreseen);
        let mut gaps = Vec::new();
        for (index, parts) in &self.parts {
            let service = model.service(*index);
            let foreseen = by_service.get(index).map_or(&[][..], Vec::as_slice);
            for part in parts {
                let Some(shape) = Shape::new(model, service, part.target) else { continue };
                let open = part.cells.iter().filter(|c| matches!(c.verdict, Verdict::Gap { .. }));
                gaps.extend(
                    open.filter_map(|cell| Some((*index, gap(&shape, part.target, cell, foreseen)?))),
                );
            }
        }
        gaps
    }

    /// Adds those of other services.
    pub fn extend(&mut self, others: Self) {
        self.parts.extend(others.parts);
    }

    /// One page for each service of a name.
    pub fn pages(&self, model: &Model, batch: &[usize], gaps: &[(usize, Gap)]) -> Vec<Page> {
        let by_service = by_service(gaps);
        let page = |group: Vec<&Service>| {
            let parts: Vec<_> =
                group.iter().flat_map(|s| self.parts(s.index).iter().map(move |p| (*s, p))).collect();
            let own = group.iter().map(|s| (*s, by_service.get(&s.index)));
            let own: Vec<_> =
                own.flat_map(|(s, gaps)| gaps.into_iter().flatten().map(move |g| (s, *g))).collect();
            page::page(model, &group, &parts, &own)
        };
        model.groups(batch).filter_map(page).collect()
    }
}

fn by_service(gaps: &[(usize, Gap)]) -> BTreeMap<usize, Vec<&Gap>> {
    let mut all: BTreeMap<usize, Vec<&Gap>> = BTreeMap::new();
    for (index, gap) in gaps {
        all.entry(*index).or_default().push(gap);
    }
    all
}

/// A cell that nothing holds, as a gap: what happens, why, and ways out. `None` where the plan
/// says so itself; where it says so of another hazard, the cause is the same.
fn gap(shape: &Shape<'_>, target: Target, cell: &Cell, foreseen: &[&Gap]) -> Option<Gap> {
    let (resource, hazard) = (cell.resource, cell.hazard);
    let family = format!("{}/{}/", target.name(), resource.name());
    let name = format!("{family}{}", hazard.name());
    if foreseen.iter().any(|g| g.name == name) {
        return None;
    }
    if let Some(like) = foreseen.iter().find(|g| g.name.starts_with(&family)) {
        return Some(Gap { name, ..(*like).clone() });
    }
    let Verdict::Gap { open, .. } = &cell.verdict else { return None };
    let texts = target.texts();
    let message = format!(
        "nothing in the emitted {texts} keeps the {} from this at {}: {}",
        resource.name(),
        hazard.name(),
        open.join(", ")
    );
    let place = shape.service.key(&route!["exclusive"]);
    let gap = Gap::new(name, place, message, "the templates have lost every rule that held it");
    Some(gap.fix("use berthc's own templates, or put the rule back", ""))
}

type Expectation = fn(&Shape<'_>, Resource, Hazard) -> Expect;

/// Judges each cell of one service on one target, by the files of that target.
fn part(model: &Model, target: Target, service: &Service, folders: Option<&Folders<'_>>) -> Option<Part> {
    let shape = Shape::new(model, service, target)?;
    let expect: Expectation = match target {
        Target::Kubernetes => kubernetes::expect,
        Target::Fleet => fleet::expect,
        Target::Swarm => swarm::expect,
    };
    let expected = expected::of(service, shape.workload, target);
    let found = folders.map(|folders| folders.carried(&expected)).unwrap_or_default();
    let mut cells = Vec::new();
    for resource in Resource::ALL.into_iter().filter(|r| shape.workload.claims(*r)) {
        for hazard in Hazard::ALL {
            let verdict = verdict(expect(&shape, resource, hazard), hazard, &found);
            cells.push(Cell { resource, hazard, verdict });
        }
    }
    let title = match target {
        Target::Kubernetes => {
            service.targets.kubernetes.as_ref().map(|k| format!("Kubernetes {}", k.version))
        }
        Target::Fleet => service
            .targets
            .fleet
            .as_ref()
            .map(|f| format!("fleet {}.{}.{}", f.version.major, f.version.minor, f.version.patch)),
        Target::Swarm => service.targets.swarm.as_ref().map(|s| format!("Swarm, engine {}", s.engine)),
    };
    let carriers = expected::relative(&expected, found);
    Some(Part { target, title: title.unwrap_or_default(), cells, carriers })
}

fn verdict(expect: Expect, hazard: Hazard, found: &Carried) -> Verdict {
    match expect {
        Expect::Never(why) => Verdict::Never(why),
        Expect::AsData => Verdict::AsData,
        Expect::Held(ways) => {
            let has = |m: &&'static Mechanism| found.contains_key(m.id);
            let is_open = |w: &Way| !w.any.iter().any(has);
            let mut open: Vec<&str> = Vec::new();
            for way in ways.iter().filter(|w| is_open(w)) {
                if !open.contains(&way.how) {
                    open.push(way.how);
                }
            }
            let mut all: Vec<&'static Mechanism> = Vec::new();
            for m in ways.into_iter().filter(|w| w.named || is_open(w)).flat_map(|w| w.any) {
                if !all.contains(&m) {
                    all.push(m);
                }
            }
            all.sort_by_key(|m| m.strength);
            let (by, lost): (Vec<_>, Vec<_>) = all.into_iter().partition(has);
            match (open.is_empty(), hazard) {
                (true, _) => Verdict::Held { by, lost },
                (false, Hazard::Force) => Verdict::Duty,
                (false, _) => Verdict::Gap { open, by, lost },
            }
        }
    }
}
