//! Checks disruption budgets: which pods they protect, and whether they ever allow an eviction.

use std::collections::BTreeMap;

use super::object::Object;
use super::peers::Peers;
use super::rolling::part;
use super::selector::{selector, words};
use super::workload::{Read, flow};
use crate::finding::codes;
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::{Kind, Selector, Term};

/// The highest number of workloads that a budget without pods is compared with.
const COMPARED: usize = 1000;
/// The smallest quorum that can lose a member.
const QUORUM: u32 = 3;

/// Checks the budgets, and reports workloads without one.
pub(super) fn judge(objects: &[Object<'_>], peers: &Peers<'_, '_>, found: &mut Found) {
    let mut budget_of: BTreeMap<usize, &Object<'_>> = BTreeMap::new();
    for object in objects.iter().filter(|o| o.kind == "PodDisruptionBudget") {
        for i in budget(object, peers, found) {
            let Some(first) = budget_of.insert(i, object) else { continue };
            if first.name != object.name {
                let message = format!(
                    "two budgets select the pods of {}: the API evicts none of them",
                    peers.reads[i].workload.name
                );
                let fix = "in each budget the labels of its own set, or only one budget for these pods";
                found.violation(codes::STUCK, message, vec![object.here(), first.here()], fix);
            }
        }
    }
    for (i, read) in peers.reads.iter().enumerate() {
        let quorum = read.pod.software.as_ref().is_some_and(|s| s.quorum);
        // Members with data of their own are often copies of each other.
        let copies = read.workload.kind == Kind::StatefulSet && read.persists();
        let votes = (quorum || copies) && read.replicas >= QUORUM;
        let counted = matches!(read.workload.kind, Kind::StatefulSet | Kind::Replicas);
        if votes && counted && !peers.tired() && !budget_of.contains_key(&i) {
            let message = format!(
                "no disruption budget keeps a drain from taking several members of {}",
                read.workload.name
            );
            // A budget in another namespace has no effect.
            let scope = match read.workload.scope.as_str() {
                "default" => String::new(),
                scope => format!(", namespace: {scope}"),
            };
            let fix = format!(
                "{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{name: {}{scope}}}, spec: {{maxUnavailable: 1, selector: {{matchLabels: {}}}}}}}",
                read.object.name,
                flow(&read.pod)
            );
            found.note(codes::NO_BUDGET, message, vec![read.workload.at.clone()], fix);
        }
    }
}

/// Returns the workloads whose pods a budget selects.
fn budget(object: &Object<'_>, peers: &Peers<'_, '_>, found: &mut Found) -> Vec<usize> {
    let given = |key: &str| object.root.at(&["spec", key]).filter(|v| !v.is_null());
    let (least, most) = (given("minAvailable"), given("maxUnavailable"));
    if let (Some(least), Some(most)) = (least, most) {
        let message = "the API refuses a budget with both minAvailable and maxUnavailable".to_owned();
        let at = vec![object.at(least), object.at(most)];
        found.violation(codes::REFUSED, message, at, "maxUnavailable: 1".to_owned());
    }
    let Some(value) = given("selector") else { return Vec::new() };
    let of = selector(object, value, found);
    if of.terms.is_empty() && object.api == "policy/v1beta1" {
        return Vec::new();
    }
    let scope = [object.namespace.clone()];
    let all: Vec<usize> = peers.selected(&of, Some(&scope)).collect();
    if peers.tired() {
        return Vec::new();
    }
    if all.is_empty() {
        let mut of_namespace = peers.reads.iter().filter(|r| r.workload.scope == object.namespace).peekable();
        // If the workloads of its namespace are in other files, nothing is known of them.
        if of_namespace.peek().is_none() {
            return all;
        }
        if of_namespace.take(COMPARED).any(|read| meant(object, &of, read)) {
            let message = format!(
                "the budget {} selects `{}`, which no pod in these files has",
                object.name,
                words(&of)
            );
            found.violation(
                codes::MATCHES_NOTHING,
                message,
                vec![object.at(value)],
                "selector: the labels of the pods to protect".to_owned(),
            );
        } else {
            let what = format!(
                "the budget {} selects `{}`: treated as one for pods that are not among the files",
                object.name,
                words(&of)
            );
            found.unread(object.at(value), what);
        }
        return all;
    }
    for read in all.iter().map(|i| &peers.reads[*i]).filter(|r| r.workload.kind == Kind::DaemonSet) {
        let message = format!(
            "the budget {} selects the pods of {}, which no drain evicts",
            object.name, read.workload.name
        );
        let at = vec![object.at(value), read.workload.at.clone()];
        found.note(codes::BUDGET_IDLE, message, at, "no budget for a DaemonSet".to_owned());
    }
    // Only one of two versions of an object runs.
    let own: Vec<&Read<'_>> = all
        .iter()
        .filter(|i| peers.is_last(**i))
        .map(|i| &peers.reads[*i])
        .filter(|r| !matches!(r.workload.kind, Kind::DaemonSet | Kind::Job))
        .collect();
    let counted = || own.iter();
    let pods = counted().fold(0_u32, |n, r| n.saturating_add(r.replicas));
    let count = |v: Value<'_>| -> Option<u32> { v.as_str().and_then(|t| part(t, pods, true)) };
    let none =
        most.filter(|m| count(*m) == Some(0)).or(least.filter(|l| count(*l).is_some_and(|n| n >= pods)));
    if let Some(none) = none.filter(|_| pods > 0) {
        let message = format!(
            "the budget {} never allows the eviction of any of its {pods} pods: no drain ends",
            object.name
        );
        found.violation(codes::STUCK, message, vec![object.at(none)], "maxUnavailable: 1".to_owned());
    } else if let [read] = own.as_slice() {
        let goes = most.and_then(count).or_else(|| Some(pods.saturating_sub(least.and_then(count)?)));
        majority(object, read, most.or(least).zip(goes), found);
    }
    all
}

/// Returns whether a budget that selects nothing is for the pods of `read`: it stands beside them in a file,
/// has their name, or differs from them in two letters.
fn meant(object: &Object<'_>, of: &Selector, read: &Read<'_>) -> bool {
    let slip = |term: &Term| match term {
        Term::In(key, values) => values.iter().any(|value| {
            let own = read.pod.labels.get(key);
            own.is_some_and(|own| own.len() > 3 && strsim::damerau_levenshtein(own, value) <= 2)
                || read.pod.labels.values().any(|own| own == value)
        }),
        _ => true,
    };
    object.here().file == read.workload.at.file
        || object.name == read.object.name
        || of.terms.iter().any(slip)
}

/// Reports a budget that allows the eviction of so many members at once that the rest is no majority.
fn majority(object: &Object<'_>, read: &Read<'_>, goes: Option<(Value<'_>, u32)>, found: &mut Found) {
    let votes = read.pod.software.as_ref().is_some_and(|s| s.quorum) && read.replicas >= QUORUM;
    let holds = read.workload.kind == Kind::StatefulSet && read.persists() && read.replicas > 1;
    let most = if votes { (read.replicas - 1) / 2 } else { read.replicas.saturating_sub(1) };
    let Some((value, goes)) = goes.filter(|(_, goes)| (votes || holds) && *goes > most) else { return };
    let message = format!(
        "the budget {} allows the eviction of {goes} of the {} members of {} at once: the rest is {}",
        object.name,
        read.replicas,
        read.workload.name,
        if votes { "no majority" } else { "none" }
    );
    let at = vec![object.at(value), read.workload.at.clone()];
    found.note(codes::BUDGET_IDLE, message, at, "maxUnavailable: 1, and no minAvailable");
}
