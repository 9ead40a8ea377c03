//! Finds pods that never start: their only node has pods that exclude them.

use std::collections::{BTreeMap, BTreeSet};

use super::peers::Peers;
use super::selector::selector;
use super::workload::Read;
use crate::finding::{At, codes};
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::{Kind, Selector, Source, Want, Whom};

/// The maximum number of workloads of one node or port that are compared with each other.
const COMPARED: usize = 50;

/// Reports pods that wait forever.
pub(super) fn judge(peers: &Peers<'_, '_>, found: &mut Found) {
    let running = || peers.reads.iter().filter(|r| r.workload.kind != Kind::Job);
    for read in running() {
        crowd(read, found);
        one_pod(read, found);
    }
    let mut nodes: BTreeMap<&str, Vec<&Read<'_>>> = BTreeMap::new();
    let mut ports: BTreeMap<(u16, &str), Vec<&Read<'_>>> = BTreeMap::new();
    for read in running() {
        if let Some(want) = only_node(read) {
            nodes.entry(want.values[0].as_str()).or_default().push(read);
        }
        for port in &read.workload.ports {
            ports.entry((port.number, port.protocol.as_str())).or_default().push(read);
        }
    }
    for (node, reads) in &nodes {
        beside(node, reads, found);
    }
    for reads in ports.values() {
        everywhere(reads, found);
    }
}

/// Returns the constraint that admits one node only, of the workload or of each of its members.
pub(super) fn only_node<'r>(read: &'r Read<'_>) -> Option<&'r Want> {
    let one = |want: &&Want| want.one_node && !want.not && want.values.len() == 1;
    if let Some(want) = read.workload.wants.iter().find(one) {
        return Some(want);
    }
    let mut all = read.workload.members.iter().map(|m| m.wants.iter().find(one));
    let first = all.next()??;
    all.all(|want| want.is_some_and(|w| w.values == first.values)).then_some(first)
}

/// Reports several pods on one node if a rule admits only one of them.
fn crowd(read: &Read<'_>, found: &mut Found) {
    let counted = matches!(read.workload.kind, Kind::StatefulSet | Kind::Replicas);
    let Some(want) = only_node(read).filter(|_| counted && read.replicas > 1) else { return };
    let workload = &read.workload;
    let apart =
        workload.apart.iter().find(|a| selects(&a.whom, read)).map(|a| ("its anti-affinity", a.at.clone()));
    let port = || workload.ports.first().map(|p| ("its host port", p.at.clone()));
    let spread = || spread(read).map(|at| ("its topology spread", at));
    let Some((rule, at)) = apart.or_else(port).or_else(spread) else { return };
    let message = format!(
        "{} has {} pods for the node {}, and {rule} admits only one of them: the other pods wait forever",
        workload.name, read.replicas, want.values[0]
    );
    let places = [Some(at), Some(want.at.clone()), workload.scaler.clone()];
    let fix = match read.workload.wants.contains(want) {
        true => "a label that several nodes carry, instead of one node",
        false => "volumes on different nodes: one value of kubernetes.io/hostname for each",
    };
    found.violation(codes::STUCK, message, places.into_iter().flatten().collect(), fix.to_owned());
}

fn selects(whom: &Whom, read: &Read<'_>) -> bool {
    let Whom::Pods { selector, namespaces, .. } = whom else { return false };
    selector.selects(&read.pod.labels) && namespaces.as_ref().is_none_or(|n| n.contains(&read.workload.scope))
}

/// Returns whether a required spread cannot be met by one node: with too few domains the minimum is 0
/// (pkg/scheduler/framework/plugins/podtopologyspread/filtering.go, minMatchNum). With
/// `nodeAffinityPolicy: Ignore` a node that the pod cannot use also counts as 0.
fn spread(read: &Read<'_>) -> Option<At> {
    let all = read.pod.spec.get("topologySpreadConstraints").map(Value::items).unwrap_or_default();
    let number = |rule: &Value<'_>, key| rule.get(key).and_then(Value::number);
    let hard = all.into_iter().find(|rule| {
        let is = |key: &str, value: &str| rule.get(key).is_some_and(|v| v.is(value));
        let few = number(rule, "minDomains").is_some_and(|n| n > 1) || is("nodeAffinityPolicy", "Ignore");
        let skew = number(rule, "maxSkew").unwrap_or(1) < i64::from(read.replicas);
        is("whenUnsatisfiable", "DoNotSchedule") && few && skew && spreads_itself(read, *rule)
    });
    hard.map(|rule| read.object.at(rule))
}

/// Reports several pods of a claim that admits one pod of the cluster (KEP-2485;
/// pkg/scheduler/framework/plugins/volumerestrictions).
fn one_pod(read: &Read<'_>, found: &mut Found) {
    let workload = &read.workload;
    let counted = matches!(workload.kind, Kind::StatefulSet | Kind::Replicas | Kind::DaemonSet);
    let several = read.replicas > 1 || workload.kind == Kind::DaemonSet;
    if !counted || !several {
        return;
    }
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for member in &workload.members {
        let mut own: BTreeSet<&str> = BTreeSet::new();
        for mount in &member.mounts {
            let Source::Volume { name, one_pod: Some(at), .. } = &mount.source else { continue };
            // `claim NAMESPACE/NAME/BELOW`.
            let claim = name.split('/').nth(1).unwrap_or(name);
            own.insert(claim);
            if seen.contains(claim) || workload.kind == Kind::DaemonSet {
                let message = format!(
                    "{} has several pods, and its claim {claim} admits one pod of the cluster: the other pods wait forever",
                    workload.name
                );
                let places = [Some(mount.at.clone()), Some(at.clone()), workload.scaler.clone()];
                let at = places.into_iter().flatten().collect();
                return found.caused(
                    workload,
                    codes::STUCK,
                    message,
                    at,
                    match workload.kind {
                        Kind::StatefulSet => {
                            "volumeClaimTemplates: a claim for each member, instead of one for all"
                        }
                        Kind::DaemonSet => "a claim that every node may mount, with a directory for each",
                        _ => "kind: StatefulSet with volumeClaimTemplates: each replica its own volume",
                    },
                );
            }
        }
        seen.extend(own);
    }
}

/// Reports workloads with the same only node that exclude each other.
fn beside(node: &str, reads: &[&Read<'_>], found: &mut Found) {
    for (i, read) in reads.iter().take(COMPARED).enumerate() {
        for other in reads.iter().take(i).filter(|o| !twins(o, read)) {
            let (a, b) = (&read.workload, &other.workload);
            let port = a.ports.iter().find_map(|p| {
                let same = b.ports.iter().find(|q| q.number == p.number && q.protocol == p.protocol)?;
                Some((format!("both use its port {}", p.number), p.at.clone(), same.at.clone()))
            });
            let rule = |one: &Read<'_>, of: &Read<'_>| {
                let rule = one.workload.apart.iter().find(|r| selects(&r.whom, of))?;
                Some((
                    "an anti-affinity keeps them apart".to_owned(),
                    rule.at.clone(),
                    of.workload.at.clone(),
                ))
            };
            let Some((why, at, theirs)) = port.or_else(|| rule(read, other)).or_else(|| rule(other, read))
            else {
                continue;
            };
            let message = format!(
                "{} and {} can run only on the node {node}, and {why}: one of them waits forever",
                a.name, b.name
            );
            let fix = "another node, or another port, for one of them".to_owned();
            found.violation(codes::STUCK, message, vec![at, theirs], fix);
        }
    }
}

/// Reports a workload that uses a port on every node where another workload can run.
fn everywhere(reads: &[&Read<'_>], found: &mut Found) {
    for (i, read) in reads.iter().take(COMPARED).enumerate() {
        for (j, daemon) in reads.iter().take(COMPARED).enumerate() {
            let covers = daemon.workload.kind == Kind::DaemonSet
                && daemon.workload.wants.iter().all(|w| {
                    read.workload
                        .wants
                        .iter()
                        .any(|own| own.key == w.key && own.values == w.values && own.not == w.not)
                });
            // If each covers the other, the later one waits.
            let second = read.workload.kind != Kind::DaemonSet || i > j;
            if i == j || !covers || !second || twins(read, daemon) {
                continue;
            }
            let port = read.workload.ports.iter().find_map(|p| {
                let same = daemon
                    .workload
                    .ports
                    .iter()
                    .find(|q| q.number == p.number && q.protocol == p.protocol)?;
                Some((p, same))
            });
            let Some((own, theirs)) = port else { continue };
            let message = format!(
                "{} never starts where {} runs, which is on each of its nodes: both use the host port {}",
                read.workload.name, daemon.workload.name, own.number
            );
            let fix = "hostPort: another number for one of them".to_owned();
            found.violation(codes::STUCK, message, vec![own.at.clone(), theirs.at.clone()], fix);
            break;
        }
    }
}

/// Returns whether both are versions of one object.
pub(super) fn twins(a: &Read<'_>, b: &Read<'_>) -> bool {
    a.workload.name == b.workload.name && a.workload.scope == b.workload.scope
}

/// Returns whether a rule over nodes selects the pods of `read`.
pub(super) fn spreads_itself(read: &Read<'_>, rule: Value<'_>) -> bool {
    // Errors of the selector were reported before.
    let of = rule.given("labelSelector").map(|s| selector(read.object, s, &mut Found::default()));
    of.is_some_and(|s: Selector| s.selects(&read.pod.labels))
}
