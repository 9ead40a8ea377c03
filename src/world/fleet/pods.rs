//! The pods of Quadlet: whose their volumes are (podman-pod-create(1)).

use std::collections::{BTreeMap, BTreeSet};

use super::together::Set;
use crate::world::{Mount, Workload};

/// Tells the container of a pod that has its data in a volume of the pod from those that only see the
/// volume: a software that keeps its data there has it, otherwise the first known one, otherwise the first
/// container.
pub fn share(set: &Set<'_>, workloads: &mut [Workload]) {
    let mut pods: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (i, instance) in set.instances.iter().enumerate() {
        if let Some(line) = instance.unit.pod() {
            pods.entry(&line.setting.value).or_default().push((i, line.setting.line));
        }
    }
    for of in pods.into_values() {
        let known = of.iter().position(|(i, _)| workloads[*i].software.is_some()).unwrap_or(0);
        let keeps = |w: &Workload, target: &str| w.software.as_ref().is_some_and(|s| s.keeps(target));
        let shared = |i: usize, line: usize| {
            let mounts = workloads[i].members.iter().flat_map(|m| &m.mounts);
            mounts.filter(move |m| m.at.line == line).map(|m| m.target.clone())
        };
        // Each target, and whether a container keeps its data there.
        let all: BTreeSet<String> = of.iter().flat_map(|(i, line)| shared(*i, *line)).collect();
        let kept: BTreeSet<&String> =
            all.iter().filter(|target| of.iter().any(|(i, _)| keeps(&workloads[*i], target))).collect();
        let of_others: Vec<BTreeSet<String>> = (0..of.len())
            .map(|n| {
                let (own, line) = of[n];
                let theirs = |target: &String| match kept.contains(target) {
                    true => !keeps(&workloads[own], target),
                    false => n != known,
                };
                shared(own, line).filter(theirs).collect()
            })
            .collect();
        for ((i, line), targets) in of.iter().zip(of_others) {
            for member in &mut workloads[*i].members {
                let all = std::mem::take(&mut member.mounts);
                let seen = |m: &Mount| m.at.line == *line && targets.contains(&m.target);
                let (seen, own) = all.into_iter().partition(seen);
                member.mounts = own;
                member.looked_at.extend::<Vec<_>>(seen);
            }
        }
    }
}
