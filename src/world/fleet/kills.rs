//! Finds starts that end containers: what an earlier run of the unit left, or the container of another unit.

use std::collections::{BTreeMap, BTreeSet};

use super::stop::{Victim, own_end};
use super::together::Set;
use crate::finding::{At, Level, codes};
use crate::world::found::Found;
use crate::world::{Want, Workload};

/// Reports starts that stop their own leftover containers, and starts that may kill the container
/// of another unit.
pub fn judge(set: &Set<'_>, workloads: &mut [Workload], kills: Vec<Vec<(Victim, At)>>, found: &mut Found) {
    let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut labels: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    let mut all = Vec::new();
    for (i, workload) in workloads.iter().enumerate().filter(|(_, w)| !w.image.is_empty()) {
        all.push(i);
        if let Some((name, _)) = workload.members.first().and_then(|m| m.container.as_ref()) {
            names.entry(name.clone()).or_default().push(i);
        }
        for (key, value) in &workload.labels {
            labels.entry((key.clone(), value.clone())).or_default().push(i);
        }
    }
    let mut said = BTreeSet::new();
    for (i, victims) in kills.into_iter().enumerate() {
        for (victim, at) in victims {
            let parts: Vec<usize>;
            let (hit, whom) = match &victim {
                Victim::Name(name) => (names.get(name), format!("the container `{name}`")),
                Victim::Part(part) => {
                    let all = names.iter().filter(|(name, _)| name.contains(part));
                    parts = all.flat_map(|(_, of)| of.iter().copied()).collect();
                    (Some(&parts), format!("containers with `{part}` in their names"))
                }
                Victim::Label(key, value) => (
                    labels.get(&(key.clone(), value.clone())),
                    format!("containers with the label `{key}={value}`"),
                ),
                Victim::All => (Some(&all), "containers that it does not name".to_owned()),
            };
            if hit.is_some_and(|hit| hit.contains(&i)) {
                workloads[i].stops_leftovers.get_or_insert_with(|| at.clone());
            }
            // A command after the end of the unit starts nothing.
            if at.field.starts_with("Service ExecStopPost") {
                continue;
            }
            let own = workloads[i].members.first().and_then(|m| m.container.as_ref());
            if own.is_some_and(|(name, _)| victim.has_name(name)) {
                workloads[i].ends_name.get_or_insert_with(|| at.clone());
            }
            let mut others = hit.into_iter().flatten().copied().filter(|hit| *hit != i).peekable();
            if others.peek().is_none() {
                continue;
            }
            workloads[i].kills.get_or_insert_with(|| at.clone());
            let Some(other) = others.find(|other| may_meet(&workloads[i], &workloads[*other])) else {
                continue;
            };
            let (own, theirs) = (&set.instances[i].unit.name, &set.instances[other].unit.name);
            let whose =
                if own == theirs { "another instance's".to_owned() } else { format!("that of {theirs}") };
            let message = format!("the start of {own} ends {whom}, which may be {whose}");
            let fix = own_end(&workloads[i]);
            // Of a server without data only the requests are lost.
            let data = workloads[other].members.iter().any(|m| !m.mounts.is_empty());
            let level = if data { Level::Violation } else { Level::Note };
            if said.insert(at.clone()) {
                found.finding((codes::KILLS, level), message, vec![at], fix);
            }
        }
    }
}

/// Returns whether one machine may match both: it has one value of a key.
fn may_meet(a: &Workload, b: &Workload) -> bool {
    let wants = |w: &Workload| -> Vec<Want> {
        w.wants.iter().chain(w.members.iter().flat_map(|m| &m.wants)).cloned().collect()
    };
    let theirs = wants(b);
    wants(a).iter().all(|own| {
        let mut same = theirs.iter().filter(|their| their.key == own.key);
        same.all(|their| their.values.iter().any(|value| own.values.contains(value)))
    })
}
