//! Finds checks that would keep members from finding each other. On an overlay network, Swarm
//! publishes the name of a task only after its check has passed, so members that wait for each
//! other's names wait forever.

use std::collections::{BTreeMap, BTreeSet};

use super::service::SwarmService;
use crate::model::Service;

/// The services of one compile whose members wait for each other.
pub struct DnsCycles {
    /// The services by name, each with the other services of its cycle.
    cycles: BTreeMap<String, Vec<String>>,
}

/// A service with `health.live` on an overlay network.
#[derive(Debug)]
pub struct AwaitsNames {
    name: String,
    own_check: bool,
    /// Whether its members name each other.
    members: bool,
    /// The services that it names.
    peers: BTreeSet<String>,
}

impl AwaitsNames {
    /// Makes the node of `service`; `None` if its members have names at once.
    pub fn of(service: &Service) -> Option<Self> {
        let subject = SwarmService::of(service)?;
        let w = subject.workload;
        if w.per_node() || w.node_network || w.health.live.is_none() {
            return None;
        }
        let peers: BTreeSet<String> = w.peers.iter().map(|(name, _)| name.clone()).collect();
        let members = w.count() > 1 && (w.lists_members || peers.contains(&service.name));
        Some(Self { name: service.name.clone(), own_check: subject.own_check(), members, peers })
    }
}

impl DnsCycles {
    /// Finds the cycles among `all`.
    pub fn of(all: &[&AwaitsNames]) -> Self {
        // A check that the user wrote for Swarm is assumed to pass without the others, so its
        // service waits for nobody. Whether a service may have such a check is decided as if it had
        // none.
        let without: Vec<&AwaitsNames> = all.iter().copied().filter(|n| !n.own_check).collect();
        let mut cycles = self::cycles(all);
        for node in &without {
            cycles.remove(&node.name);
        }
        cycles.extend(self::cycles(&without));
        Self { cycles }
    }

    /// Returns the other services in the cycle of the service `name`. The list is empty if its own
    /// members wait for each other. `None` if there is no cycle.
    pub fn cycle(&self, name: &str) -> Option<&[String]> {
        self.cycles.get(name).map(Vec::as_slice)
    }
}

/// Returns every service on a cycle, with the other services of the cycle.
fn cycles(nodes: &[&AwaitsNames]) -> BTreeMap<String, Vec<String>> {
    let at: BTreeMap<&str, usize> = nodes.iter().enumerate().map(|(i, n)| (n.name.as_str(), i)).collect();
    let to: Vec<Vec<usize>> =
        nodes.iter().map(|n| n.peers.iter().filter_map(|p| at.get(p.as_str()).copied()).collect()).collect();
    let mut all = BTreeMap::new();
    for cycle in components(&to) {
        for &i in cycle.iter().filter(|i| cycle.len() > 1 || nodes[**i].members) {
            let others = cycle.iter().filter(|j| **j != i).map(|j| nodes[*j].name.clone());
            let mut others: Vec<String> = others.filter(|_| !nodes[i].members).collect();
            others.sort();
            all.insert(nodes[i].name.clone(), others);
        }
    }
    all
}

/// Returns the strongly connected components of a graph (Kosaraju's algorithm).
fn components(to: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut from = vec![Vec::new(); to.len()];
    for (i, next) in to.iter().enumerate() {
        next.iter().for_each(|j| from[*j].push(i));
    }
    let mut seen = vec![false; to.len()];
    let mut order = Vec::new();
    for start in 0..to.len() {
        walk(to, start, &mut seen, &mut order);
    }
    let mut seen = vec![false; to.len()];
    let mut all = Vec::new();
    for start in order.into_iter().rev() {
        let mut component = Vec::new();
        walk(&from, start, &mut seen, &mut component);
        all.push(component);
    }
    all
}

/// Appends the nodes that are reachable from `start` and were not seen, in post-order.
fn walk(to: &[Vec<usize>], start: usize, seen: &mut [bool], out: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[start], true) {
        return;
    }
    let mut open = vec![(start, 0)];
    while let Some((node, next)) = open.last_mut() {
        match to[*node].get(*next) {
            Some(&other) => {
                *next += 1;
                if !std::mem::replace(&mut seen[other], true) {
                    open.push((other, 0));
                }
            }
            None => {
                out.push(*node);
                open.pop();
            }
        }
    }
}
