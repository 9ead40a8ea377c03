//! The certificate: for every resource under every hazard, the mechanisms that keep two containers
//! apart.
//!
//! It is made from the emitted text, not from the plan. A *cell* is one resource under one hazard. A
//! table for each target has the mechanisms that must protect each cell ([`Expect`]), and
//! [`crate::mechanism`] finds the mechanisms that the text carries. A cell without any is a gap.

mod cell;
pub mod duties;
mod expect;
mod expected;
pub mod fleet;
pub mod kubernetes;
pub mod page;
pub mod swarm;

use std::collections::{BTreeMap, BTreeSet};

pub use cell::{Cell, Part, Verdict};
pub use expect::{AGAIN, ELSEWHERE, EMPTY, Expect, HERE, OTHER, SAME, Shape, Way, Where, rests_on, way};

use crate::diag::{Diagnostic, Severity};
use crate::emit::{Page, Tree};
use crate::gap::{Gap, GapId};
pub use crate::hazard::{Hazard, Resource};
use crate::images::Images;
use crate::mechanism::{Carried, Folders, Mechanism};
use crate::model::{Model, Service};
use crate::route;
use crate::target::Target;
use crate::world::pod_security::Forbidden;
use crate::world::{File, Known, Worlds};

/// The certificates of one compile.
#[derive(Debug, Default)]
pub struct Certificates {
    /// The certificates by index of the service in the model. A service with errors has none.
    parts: BTreeMap<usize, Vec<Part>>,
    /// What the Pod Security levels forbid of the pods of each service, by its name.
    forbidden: BTreeMap<String, Forbidden>,
}

/// Reads `tree` back and checks it as [`certify`] does.
pub fn certify_tree<'d>(
    model: &Model,
    batch: &[usize],
    tree: &Tree,
    faults: impl IntoIterator<Item = &'d Diagnostic>,
) -> Certificates {
    let files: Vec<File<'_>> = tree.iter().map(|(path, text)| File { path, text }).collect();
    certify(model, batch, &Worlds::read(&files, Known::of_stacks(Images::builtin()), &mut |_| {}), faults)
}

/// Checks every cell of every service of `batch` without errors against the files of the service.
pub fn certify<'d>(
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
    let mut forbidden: BTreeMap<String, Forbidden> = BTreeMap::new();
    for (file, own) in worlds.read.iter().flat_map(|read| &read.world.forbidden) {
        let folder = file.split('/').next().unwrap_or_default();
        forbidden.entry(folder.to_owned()).or_default().extend(own);
    }
    Certificates { parts, forbidden }
}

impl Certificates {
    /// Returns whether every gap of `service` is known.
    pub fn has(&self, service: &Service) -> bool {
        self.parts.contains_key(&service.index)
    }

    /// Returns the parts of the service with this index in the model.
    pub fn parts(&self, index: usize) -> &[Part] {
        self.parts.get(&index).map_or(&[], Vec::as_slice)
    }

    /// Returns the gaps of the cells with an open way that the plan does not report itself, each with
    /// the index of its service.
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

    /// Adds the certificates of other services.
    pub fn extend(&mut self, others: Self) {
        self.parts.extend(others.parts);
        self.forbidden.extend(others.forbidden);
    }

    /// Returns one page for each service name.
    pub fn pages(&self, model: &Model, batch: &[usize], gaps: &[(usize, Gap)]) -> Vec<Page> {
        let by_service = by_service(gaps);
        let page = |group: Vec<&Service>| {
            let parts: Vec<_> =
                group.iter().flat_map(|s| self.parts(s.index).iter().map(move |p| (*s, p))).collect();
            let own = group.iter().map(|s| (*s, by_service.get(&s.index)));
            let own: Vec<_> =
                own.flat_map(|(s, gaps)| gaps.into_iter().flatten().map(move |g| (s, *g))).collect();
            let forbidden = group.first().and_then(|s| self.forbidden.get(&s.name));
            let security = forbidden.map(Forbidden::level);
            page::page(model, &group, &parts, &own, security.as_ref())
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

/// Makes the gap of a cell with an open way: what it leaves open, and which mechanisms the files have
/// lost. Returns `None` for a gap that the plan reports itself, and for a cell without an open way.
fn gap(shape: &Shape<'_>, target: Target, cell: &Cell, foreseen: &[&Gap]) -> Option<Gap> {
    let (resource, hazard) = (cell.resource, cell.hazard);
    let id = GapId::cell(target, resource, hazard);
    let Verdict::Gap { open, lost, .. } = &cell.verdict else { return None };
    if foreseen.iter().any(|g| g.id == id) {
        return None;
    }
    let (texts, resource) = (target.texts(), resource.name());
    let message = format!(
        "nothing in the emitted {texts} protects the {resource} when {}: {}",
        hazard.what(),
        open.join(", ")
    );
    let lost: Vec<String> = lost.iter().map(|m| format!("`{}` ({})", m.id, m.what)).collect();
    let why = match lost.as_slice() {
        [] => format!("{target} has no mechanism for this"),
        lost => format!("a template or a raw addition took away {}", lost.join(", and ")),
    };
    let place = shape.service.key(&route!["exclusive"]);
    Some(Gap::new(id, place, message, why).fix("use berthc's own templates, or put the rule back", ""))
}

type Expectation = fn(&Shape<'_>, Resource, Hazard) -> Expect;

/// Checks each cell of one service on one target against the files of that target.
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
