//! Makes every decision, one plan for each orchestrator: names, labels, order, waits. Each target
//! is a folder of the same shape: its `mod.rs` says which template prints which part of the plan to
//! which path.

pub mod context;
pub mod docker;
pub mod fleet;
pub mod kubernetes;
pub mod scope;
pub mod swarm;

use std::collections::{BTreeMap, BTreeSet};

use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::emit::Page;
use crate::gap::{Gap, GapId};
use crate::hazard::{CellId, Hazard};
use crate::model::{Accept, Model, Service, Template};
use crate::options::Options;
use crate::route;
use crate::target::Target;
use context::Context;
use scope::{For, Values};
use swarm::DnsCycles;

/// Returns the command of `template` for an operator, for member `id` of `service` on `target`.
/// Returns `None` if the value has an error, which the target reports.
pub fn spoken(
    target: Target,
    model: &Model,
    service: &Service,
    template: &Template,
    id: Option<u32>,
) -> Option<String> {
    let (mut faults, mut gaps, options) = (Vec::new(), Vec::new(), Options::default());
    let context = Context { model, group: &[], options: &options, faults: &mut faults, gaps: &mut gaps };
    let whom = id.map_or(For::Any, For::Member);
    let rendered = match target {
        Target::Kubernetes => {
            Values::new(&kubernetes::naming::Names, service).render(&context, template, whom)
        }
        Target::Fleet => Values::new(&fleet::naming::Addresses, service).render(&context, template, whom),
        Target::Swarm => Values::new(&swarm::naming::Names, service).render(&context, template, whom),
    };
    rendered.ok()?.as_literal().map(ToOwned::to_owned)
}

/// The plans of one batch.
#[derive(Debug, Default)]
pub struct Plans {
    /// The files to print.
    pub pages: Vec<Page>,
    /// The gaps that the targets report, each with the index of its service.
    pub gaps: Vec<(usize, Gap)>,
}

/// Passes the [`key`](context::key) of every name that `service` uses on its targets to `see`. Two services
/// without a common key cannot have a name clash.
pub fn names(service: &Service, mut see: impl FnMut(u64)) {
    for target in Target::ALL {
        match target {
            Target::Kubernetes => kubernetes::names(service, &mut see),
            Target::Fleet => fleet::names(service, &mut see),
            Target::Swarm => swarm::names(service, &mut see),
        }
    }
}

/// Reports names that two services of `batch` use.
pub fn clashes(model: &Model, batch: &[usize], faults: &mut Vec<Diagnostic>) {
    for target in Target::ALL {
        match target {
            Target::Kubernetes => kubernetes::clashes(model, batch, faults),
            Target::Fleet => fleet::clashes(model, batch, faults),
            Target::Swarm => swarm::clashes(model, batch, faults),
        }
    }
}

/// Plans the services of `batch` for every target that they name.
pub fn plan(
    model: &Model,
    batch: &[usize],
    hidden: &DnsCycles,
    options: &Options,
    faults: &mut Vec<Diagnostic>,
) -> Plans {
    let mut plans = Plans::default();
    for group in model.groups(batch) {
        for target in Target::ALL {
            let group: Vec<&Service> = group.iter().copied().filter(|s| s.has(target)).collect();
            if group.is_empty() {
                continue;
            }
            let mut gaps = Vec::new();
            let mut context = Context { model, group: &group, options, faults, gaps: &mut gaps };
            plans.pages.extend(match target {
                Target::Kubernetes => kubernetes::pages(&mut context),
                Target::Fleet => fleet::pages(&mut context),
                Target::Swarm => swarm::pages(&mut context, hidden),
            });
            plans.gaps.extend(gaps.into_iter().map(|(i, gap)| (group[i].index, gap)));
        }
    }
    twice(&plans.pages, model, faults);
    plans
}

/// Reports each gap without a waiver and each waiver without a gap. `needed` returns whether a waiver of
/// a service must have a gap: all its gaps are known, and no other service shares the waiver.
pub fn waivers(
    model: &Model,
    batch: &[usize],
    gaps: &[(usize, Gap)],
    needed: impl Fn(&Service, Place) -> bool,
    faults: &mut Vec<Diagnostic>,
) {
    let mut by_service: BTreeMap<usize, Vec<&Gap>> = BTreeMap::new();
    for (index, gap) in gaps {
        by_service.entry(*index).or_default().push(gap);
    }
    for service in batch.iter().map(|i| model.service(*i)) {
        let own = by_service.remove(&service.index).unwrap_or_default();
        let all: Vec<&Gap> =
            own.iter().copied().filter(|g| !service.accept.iter().any(|a| a.gap == g.id)).collect();
        let open: BTreeSet<String> = all.iter().map(|gap| gap.id.to_string()).collect();
        let (pins, others): (Vec<&Gap>, Vec<&Gap>) = all.into_iter().partition(|gap| gap.pin);
        faults.extend(others.iter().map(|gap| gap_error(gap, &[])));
        faults.extend(pins.split_first().map(|(first, more)| gap_error(first, more)));
        for accept in service.accept.iter().filter(|a| !own.iter().any(|g| g.id == a.gap)) {
            // A compile of some specs does not know all neighbours.
            let of_neighbour = matches!(accept.gap, GapId::Cell(CellId { hazard: Hazard::Neighbour, .. }));
            let place = service.place(&accept.route.at("gap"));
            if needed(service, place) && !of_neighbour {
                faults.push(unused(accept, place, &open));
            }
        }
    }
}

/// Returns the error for `gap` and those that have the same cause.
fn gap_error(gap: &Gap, more: &[&Gap]) -> Diagnostic {
    let all = || [gap].into_iter().chain(more.iter().copied());
    let ids: Vec<String> = all().map(|gap| gap.id.to_string()).collect();
    let mut d = Diagnostic::gap(gap.id.to_string(), gap.place, &gap.message).why(&gap.why);
    d.also = ids[1..].to_vec();
    d.why.extend(more.iter().map(|gap| format!("also {}: {}: {}", gap.id, gap.message, gap.why)));
    for (text, line) in all().flat_map(|gap| &gap.fixes) {
        if !d.fixes.iter().any(|fix| fix.text == *text && fix.line == *line) {
            d = d.fix(text, line);
        }
    }
    // The pins come first: each closes all gaps of its target.
    d.fixes.sort_by_key(|fix| fix.text.starts_with("or "));
    let opens: BTreeSet<String> =
        all().flat_map(|gap| &gap.opens).map(|(way, id)| format!("with {way}, the gap {id} opens")).collect();
    d.why.extend(opens);
    let or = if d.fixes.is_empty() { "" } else { "or " };
    d.advice(match ids.as_slice() {
        [id] => format!("{or}accept the risk: under `accept`, the gap {id} and your reason `because`"),
        ids => format!(
            "{or}accept the risks: under `accept`, the gaps {}, each with your reason `because`",
            ids.join(", ")
        ),
    })
}

fn unused(accept: &Accept, place: Place, open: &BTreeSet<String>) -> Diagnostic {
    let target = accept.gap.target().name();
    let d =
        Diagnostic::error(Code::AcceptUnused, place, format!("the waiver of `{}` has no effect", accept.gap))
            .why(format!("this spec has no such gap on {target}"));
    let listed: Vec<&str> = open.iter().map(String::as_str).collect();
    if listed.is_empty() {
        d.advice("remove the line; this spec has no open gap")
    } else {
        d.fix("remove the line; the open gaps of this spec are", listed.join(", "))
    }
}

/// Reports two pages with the same path.
fn twice(pages: &[Page], model: &Model, faults: &mut Vec<Diagnostic>) {
    let mut seen = BTreeSet::new();
    for page in pages {
        if !seen.insert(&page.path) {
            let service = page.path.split('/').next().and_then(|name| model.find(name));
            let place = service.map_or_else(Place::default, |s| s.place(&route!["service"]));
            faults.push(Diagnostic::error(
                Code::NameClash,
                place,
                format!("berthc would write the file {} twice", page.path),
            ));
        }
    }
}
