//! Disruption budgets: for whom they are, and whether they ever let a pod go.

use std::collections::BTreeMap;

use super::object::Object;
use super::peers::Peers;
use super::rolling::part;
use super::selector::{selector, words};
use super::workload::{Read, flow};
use crate::finding::codes;
use crate::text::yaml::Value;
use crate::world::Kind;
use crate::world::found::Found;

/// Members that may vote: fewer can lose none anyway.
const QUORUM: u32 = 3;

/// Judges the budgets, and says who has none.
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
                let fix = "each budget the labels of its own set; or one budget alone for these pods";
                found.violation(codes::STUCK, message, vec![object.here(), first.here()], fix);
            }
        }
    }
    for (i, read) in peers.reads.iter().enumerate() {
        let votes = read.pod.software.as_ref().is_some_and(|s| s.quorum) && read.replicas >= QUORUM;
        let counted = matches!(read.workload.kind, Kind::StatefulSet | Kind::Replicas);
        if votes && counted && !peers.tired() && !budget_of.contains_key(&i) {
            let message = format!(
                "no disruption budget keeps a drain from taking several members of {}",
                read.workload.name
            );
            // In another namespace it would do nothing.
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

/// Those whose pods a budget selects.
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
        // Of a namespace whose workloads are elsewhere nothing is known.
        if peers.reads.iter().any(|r| r.workload.scope == object.namespace) {
            let message = format!(
                "the budget {} selects `{}`, which no pod in these files has",
                object.name,
                words(&of)
            );
            found.violation(
                codes::MATCHES_NOTHING,
                message,
                vec![object.at(value)],
                "selector: the labels of the pods that it is for".to_owned(),
            );
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
    // Of two versions of one object one runs.
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
        let message =
            format!("the budget {} never lets one of its {pods} pods go: no drain ends", object.name);
        found.violation(codes::STUCK, message, vec![object.at(none)], "maxUnavailable: 1".to_owned());
    } else if let [read] = own.as_slice() {
        let goes = most.and_then(count).or_else(|| Some(pods.saturating_sub(least.and_then(count)?)));
        majority(object, read, most.or(least).zip(goes), found);
    }
    all
}

/// A budget that lets so many members go at once that the others are no majority.
fn majority(object: &Object<'_>, read: &Read<'_>, goes: Option<(Value<'_>, u32)>, found: &mut Found) {
    let votes = read.pod.software.as_ref().is_some_and(|s| s.quorum) && read.replicas >= QUORUM;
    let Some((value, goes)) = goes.filter(|(_, goes)| votes && *goes > (read.replicas - 1) / 2) else {
        return;
    };
    let message = format!(
        "the budget {} lets {goes} of the {} members of {} go at once: the others are no majority",
        object.name, read.replicas, read.workload.name
    );
    let at = vec![object.at(value), read.workload.at.clone()];
    found.note(codes::BUDGET_IDLE, message, at, "maxUnavailable: 1, and no minAvailable");
}
