//! Plans `[X-Fleet]`: the machines on which a unit may run (fleet `job/job.go`, `agent/state.go`).

use serde::Serialize;

use super::names;
use super::naming::pin;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Members, Service, Workload};
use crate::plan::context::Context;
use crate::route;
use crate::target::Target;
use crate::text::units::Version;

/// The metadata key with the zone of a machine.
const ZONE: &str = "zone";

/// The options of `[X-Fleet]`. Each value has its own line, because fleet drops a line that it
/// cannot split.
#[derive(Debug, Default, Serialize)]
pub struct Schedule {
    /// Whether one unit runs on each machine.
    pub global: bool,
    /// The required metadata, as `key=value`. A machine must have all keys; the same key twice
    /// would mean either value.
    pub metadata: Vec<String>,
    /// Globs for the units that never share a machine with this one.
    pub conflicts: Vec<String>,
}

/// Returns whether global units may have Conflicts.
fn global_conflicts(version: Version) -> bool {
    version >= Version::new(1, 0)
}

/// Plans the metadata and conflicts of member `id`.
pub fn plan(
    context: &Context<'_>,
    service: &Service,
    w: &Workload,
    id: Option<u32>,
    zone: Option<&str>,
) -> Schedule {
    let version = service.targets.fleet.as_ref().map_or(Version::new(1, 0), |f| f.version);
    let mut metadata = Vec::new();
    match &w.members {
        Members::PerNode { on, known: _, dedicated: _ } => {
            metadata.extend(on.iter().map(|(key, value)| format!("{key}={value}")));
            metadata.extend(service.revision.iter().map(|r| format!("{}={r}", service.revision_label())));
        }
        Members::Counted { .. } => {
            metadata.extend(pin(service, w).zip(id).map(|(pin, id)| format!("{}={id}", pin.label)));
            metadata.extend(zone.map(|zone| format!("{ZONE}={zone}")));
        }
    }
    let mut conflicts = Vec::new();
    if !w.per_node() || global_conflicts(version) {
        conflicts = names::globs(service, w);
        for other in w.apart_from.iter().filter_map(|name| context.model.find(name)) {
            if let Some(theirs) = other.workload().filter(|_| other.has(Target::Fleet)) {
                conflicts.extend(names::globs(other, theirs));
            }
        }
    }
    Schedule { global: w.per_node(), metadata, conflicts }
}

/// Reports a metadata key that appears twice, because fleet would accept either value.
pub fn faults(service: &Service, w: &Workload) -> Vec<Diagnostic> {
    let why = "with two values of one key, fleet accepts either";
    let fault = |route, key: &str, by: &str| {
        let message = format!("berthc already uses the label `{key}` for {by}");
        Diagnostic::error(Code::NameClash, service.place(&route), message)
            .why(why)
            .advice("use another label")
    };
    let mut all = Vec::new();
    match &w.members {
        Members::PerNode { on, .. } => {
            let key = service.revision_label();
            if service.revision.is_some() && on.iter().any(|(k, _)| *k == key) {
                all.push(fault(route!["members", "on", key], &key, "the revision"));
            }
        }
        Members::Counted { pin: own, .. } => {
            let zoned = w.volumes().any(|(_, v)| !v.zones.is_empty());
            if zoned && pin(service, w).is_some_and(|p| p.label == ZONE) {
                let route =
                    if own.is_some() { route!["members", "pin"] } else { route!["targets", "fleet", "pin"] };
                all.push(fault(route, ZONE, "`zones`"));
            }
        }
    }
    all
}

/// Returns the services of `apart_from` that this version of fleet cannot keep apart: 0.13 starts a
/// global unit next to any other unit (`agent/reconcile.go` checks the conflicts of global units
/// since 1.0.0).
pub fn not_apart<'s>(context: &Context<'_>, service: &Service, w: &'s Workload) -> Vec<(usize, &'s str)> {
    let old = |s: &Service| s.targets.fleet.as_ref().is_some_and(|f| !global_conflicts(f.version));
    let theirs = |name: &str| context.model.find(name).and_then(|o| Some((o, o.workload()?)));
    w.apart_from
        .iter()
        .enumerate()
        .filter(|(_, name)| {
            theirs(name).is_some_and(|(other, o)| {
                other.has(Target::Fleet) && (w.per_node() || o.per_node()) && (old(service) || old(other))
            })
        })
        .map(|(i, name)| (i, name.as_str()))
        .collect()
}
