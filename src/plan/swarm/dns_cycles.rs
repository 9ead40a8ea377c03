//! Checks that would keep members from finding each other: on an overlay network Swarm publishes
//! the name of a task only once its check passes, so members that wait for each other's names
//! wait for ever.

use std::collections::{BTreeMap, BTreeSet};

use super::service::SwarmService;
use crate::model::Service;

/// The services of one compile whose members wait for each other.
pub struct DnsCycles {
    /// By name, each with the services of its circle, without itself.
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
    /// `None` for a service whose members have names at once.
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
    /// Finds them among `all`.
    pub fn of(all: &[&AwaitsNames]) -> Self {
        // Whoever has written a check for Swarm says that it passes without the others: these
        // wait for nobody there. Whether they may write one is asked as if they had not.
        let without: Vec<&AwaitsNames> = all.iter().copied().filter(|n| !n.own_check).collect();
        let mut cycles = self::cycles(all);
        for node in &without {
            cycles.remove(&node.name);
        }
        cycles.extend(self::cycles(&without));
        Self { cycles }
    }

    /// The other services that wait for the names of the service `name` as it waits for theirs; empty
    /// when its own members wait for each other, `None` when nobody waits.
    pub fn cycle(&self, name: &str) -> Option<&[String]> {
        self.cycles.get(name).map(Vec::as_slice)
    }
}

/// Every service from which a way of names leads back to it, with the others of its circle.
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

/// The strongly connected components of a graph (Kosaraju), each edge looked at twice.
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

/// Appends what is reached from `start` and was not seen, each after all that it leads to.
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
