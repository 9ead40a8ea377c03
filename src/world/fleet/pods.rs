//! The pods of Quadlet: whose their volumes are (podman-pod-create(1)).

use std::collections::BTreeMap;

use super::together::Set;
use crate::world::Workload;

/// Tells the container of a pod that has its data in a volume of the pod from those that only see the
/// volume: a known software has it, otherwise the first container.
pub fn share(set: &Set<'_>, workloads: &mut [Workload]) {
    let mut pods: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (i, instance) in set.instances.iter().enumerate() {
        if let Some(line) = instance.unit.pod() {
            pods.entry(&line.setting.value).or_default().push((i, line.setting.line));
        }
    }
    for of in pods.into_values() {
        let known = of.iter().any(|(i, _)| workloads[*i].software.is_some());
        for (n, (i, line)) in of.iter().enumerate() {
            if workloads[*i].software.is_some() || !known && n == 0 {
                continue;
            }
            for member in &mut workloads[*i].members {
                let all = std::mem::take(&mut member.mounts);
                let (seen, own) = all.into_iter().partition(|m| m.at.line == *line);
                member.mounts = own;
                member.looked_at.extend::<Vec<_>>(seen);
            }
        }
    }
}
