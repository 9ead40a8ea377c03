//! Finds placement rules that have no effect, are only preferences, or contradict each other.

use std::collections::BTreeMap;

use super::peers::Peers;
use super::rolling::part;
use super::selector::{selector, words};
use super::starts::{only_node, spreads_itself};
use super::workload::{Read, flow};
use crate::finding::{At, codes};
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::{Apart, Kind, Order, Selector, Source, Term, Whom};

/// Checks the rules of every workload.
pub(super) fn judge(peers: &Peers<'_, '_>, found: &mut Found) {
    let of_kind = |kind| peers.reads.iter().filter(move |r| r.workload.kind == kind);
    let sets: BTreeMap<_, _> = of_kind(Kind::StatefulSet)
        .map(|r| ((r.workload.scope.as_str(), r.object.name.as_str()), r))
        .collect();
    of_kind(Kind::Pod).for_each(|pod| member_of_others(pod, &sets, found));
    for (i, read) in peers.reads.iter().enumerate() {
        let mut dead = false;
        for apart in &read.workload.apart {
            dead |= dead_rule(read, i, apart, peers, found);
        }
        if !dead {
            together(read, found);
        }
        dead_spread(read, peers, found);
        alone(read, peers, found);
        owners(read, i, peers, found);
        stuck(read, found);
    }
}

fn selects(whom: &Whom, read: &Read<'_>) -> bool {
    let Whom::Pods { selector, namespaces, .. } = whom else { return false };
    selector.selects(&read.pod.labels) && namespaces.as_ref().is_none_or(|n| n.contains(&read.workload.scope))
}

/// Reports a required anti-affinity that selects no pod in the files. If it is similar to the labels of
/// the workload, it was meant for them. Otherwise its pods may be in other files.
fn dead_rule(read: &Read<'_>, i: usize, apart: &Apart, peers: &Peers<'_, '_>, found: &mut Found) -> bool {
    let Whom::Pods { selector, namespaces, .. } = &apart.whom else { return false };
    if selects(&apart.whom, read) || peers.selected(selector, namespaces.as_deref()).any(|other| other != i) {
        return false;
    }
    if peers.tired() {
        return false;
    }
    let meant = is_meant(selector, read);
    let labels = read.object.near(&["spec", "template", "metadata", "labels"]);
    if meant {
        found.violation(
            codes::MATCHES_NOTHING,
            format!(
                "the required anti-affinity of {} selects `{}`, which its own pods do not have: it has no effect",
                read.workload.name,
                words(selector)
            ),
            vec![apart.at.clone(), labels],
            format!("labelSelector: {{matchLabels: {}}}", flow(&read.pod)),
        );
    } else if read.stateful() {
        found.note(
            codes::MATCHES_NOTHING,
            format!(
                "the required anti-affinity of {} selects `{}`, which no pod in these files has",
                read.workload.name,
                words(selector)
            ),
            vec![apart.at.clone()],
            "add the files with the pods that it selects".to_owned(),
        );
    }
    meant
}

/// The labels that controllers set. Files do not contain them.
const SET_LATER: [&str; 5] = [
    "apps.kubernetes.io/pod-index",
    "controller-revision-hash",
    "pod-template-generation",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
];

/// Returns whether a selector is similar to the labels of `read`, so that it was meant for them.
pub(super) fn is_meant(selector: &Selector, read: &Read<'_>) -> bool {
    let own = || read.pod.labels.values().chain([&read.object.name, &read.workload.family]);
    let values = |term: &Term| match term {
        Term::In(key, _) if SET_LATER.contains(&key.as_str()) => false,
        Term::In(_, values) => {
            values.is_empty() || values.iter().any(|v| own().any(|o| o == v || slip(o, v)))
        }
        _ => true,
    };
    selector.terms.iter().all(values)
}

/// Returns whether one word is the other with a typing error. Words that differ in the last letter or
/// in a number are names of siblings.
fn slip(a: &str, b: &str) -> bool {
    let letters = |s: &str| s.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let ends = |s: &str| (s.chars().next(), s.chars().next_back());
    let label = |s: &str| (5..=63).contains(&s.len());
    label(a) && label(b) && letters(a) != letters(b) && ends(a) == ends(b) && strsim::osa_distance(a, b) == 1
}

/// Reports members that can share a node, or that only a preference keeps apart.
fn together(read: &Read<'_>, found: &mut Found) {
    let counted = matches!(read.workload.kind, Kind::StatefulSet | Kind::Replicas);
    let data = read.persists() || read.pod.software.as_ref().is_some_and(|s| s.quorum);
    let apart = read.workload.apart.iter().any(|apart| selects(&apart.whom, read));
    if !counted || !data || read.replicas < 2 || apart || pinned_apart(read) {
        return;
    }
    let name = &read.workload.name;
    if let Some(port) = read.workload.ports.first() {
        // The port of a pod on the node's network keeps a second one away as well.
        if only_node(read).is_none() {
            let message =
                format!("only the host port {} keeps two members of {name} off one node", port.number);
            found.note(codes::SINGLE, message, vec![port.at.clone()], anti_affinity(read));
        }
        return;
    }
    if let Some(want) = only_node(read) {
        // On one node nothing can keep them apart.
        let (what, fix) = match read.workload.wants.contains(want) {
            true => ("all members", "a label that several nodes carry, instead of one node"),
            false => {
                ("the volumes of all members", "nodeAffinity of each PersistentVolume: a node of its own")
            }
        };
        let message = format!("{what} of {name} can run only on the node {}", want.values[0]);
        found.note(codes::TOGETHER, message, vec![want.at.clone(), read.workload.at.clone()], fix);
        return;
    }
    let fix = anti_affinity(read);
    match soft(read) {
        Some((what, at)) => {
            let message = format!("only {what} keeps the members of {name} on different nodes");
            found.note(codes::SOFT, message, vec![at], fix);
        }
        None => {
            let message = format!("two members of {name} can run on one node");
            found.note(codes::TOGETHER, message, vec![read.workload.at.clone()], fix);
        }
    }
}

/// Returns the rule that keeps two pods of a workload off one node.
fn anti_affinity(read: &Read<'_>) -> String {
    format!(
        "podAntiAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: \
         [{{topologyKey: kubernetes.io/hostname, labelSelector: {{matchLabels: {}}}}}]}}",
        flow(&read.pod)
    )
}

/// Returns whether all members require different values of one node label.
fn pinned_apart(read: &Read<'_>) -> bool {
    let members = &read.workload.members;
    // Nothing is known of members above the maximum that is read.
    let Some(first) = members.first() else { return true };
    first.wants.iter().any(|want| {
        let mut values: Vec<&String> = members
            .iter()
            .filter_map(|m| m.wants.iter().find(|w| w.key == want.key && !w.not && w.values.len() == 1))
            .map(|w| &w.values[0])
            .collect();
        values.sort_unstable();
        values.dedup();
        values.len() == members.len()
    })
}

/// Returns a rule that the scheduler can break, or that does not hold while pods terminate.
fn soft(read: &Read<'_>) -> Option<(&'static str, At)> {
    let spec = read.pod.spec;
    let node = |t: Value<'_>| t.get("topologyKey").is_some_and(|k| k.is("kubernetes.io/hostname"));
    let own = |t: Value<'_>| spreads_itself(read, t);
    let preferred = ["affinity", "podAntiAffinity", "preferredDuringSchedulingIgnoredDuringExecution"];
    let terms = spec.at(&preferred).map(Value::items).unwrap_or_default();
    let term = terms.into_iter().filter_map(|t| t.get("podAffinityTerm")).find(|t| node(*t) && own(*t));
    if let Some(term) = term {
        return Some(("an anti-affinity that is only preferred", read.object.at(term)));
    }
    let spread = spec.get("topologySpreadConstraints").map(Value::items).unwrap_or_default();
    let spread = spread.into_iter().find(|t| node(*t) && own(*t))?;
    let what = match spread.get("whenUnsatisfiable").is_some_and(|w| w.is("ScheduleAnyway")) {
        true => "a topology spread that is only preferred (ScheduleAnyway)",
        false => "a topology spread, which does not count pods that still terminate,",
    };
    Some((what, read.object.at(spread)))
}

/// Reports a topology spread whose selector selects no pod, so that it has no effect.
fn dead_spread(read: &Read<'_>, peers: &Peers<'_, '_>, found: &mut Found) {
    for rule in read.pod.spec.get("topologySpreadConstraints").map(Value::items).unwrap_or_default() {
        let Some(given) = rule.given("labelSelector") else { continue };
        let of = selector(read.object, given, &mut Found::default());
        let scope = [read.workload.scope.clone()];
        if of.selects(&read.pod.labels) || peers.selected(&of, Some(&scope)).next().is_some() || peers.tired()
        {
            continue;
        }
        let message = format!(
            "the topology spread of {} selects `{}`, which no pod in these files has: it has no effect",
            read.workload.name,
            words(&of)
        );
        let fix = format!("labelSelector: {{matchLabels: {}}}", flow(&read.pod));
        found.violation(codes::MATCHES_NOTHING, message, vec![read.object.at(given)], fix);
    }
}

/// Reports a required affinity to pods that are not among the files: no node matches it until one runs
/// (kubernetes `pkg/scheduler/framework/plugins/interpodaffinity/filtering.go`, satisfyPodAffinity; a
/// pod that it selects itself is let through).
fn alone(read: &Read<'_>, peers: &Peers<'_, '_>, found: &mut Found) {
    let way = ["affinity", "podAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
    for rule in read.pod.spec.at(&way).map(Value::items).unwrap_or_default() {
        let elsewhere = ["namespaces", "namespaceSelector"].iter().any(|key| rule.given(key).is_some());
        let Some(given) = rule.given("labelSelector").filter(|_| !elsewhere) else { continue };
        let of = selector(read.object, given, &mut Found::default());
        let scope = [read.workload.scope.clone()];
        if of.selects(&read.pod.labels) || peers.selected(&of, Some(&scope)).next().is_some() || peers.tired()
        {
            continue;
        }
        let message = format!(
            "{} waits for a pod with `{}`, which no pod in these files has",
            read.workload.name,
            words(&of)
        );
        let fix = "labelSelector: the labels of the pods to run beside, or their files as well";
        found.note(codes::MATCHES_NOTHING, message, vec![read.object.at(given)], fix);
    }
}

/// Reports controllers that adopt each other's pods.
fn owners(read: &Read<'_>, i: usize, peers: &Peers<'_, '_>, found: &mut Found) {
    let Some(own) = read.selector.as_ref().filter(|s| !s.terms.is_empty()) else { return };
    let scope = [read.workload.scope.clone()];
    let other = peers.selected(own, Some(&scope)).find(|j| {
        let other = &peers.reads[*j];
        let same = other.object.kind == read.object.kind && other.object.name == read.object.name;
        // A ReplicaSet adopts a single pod.
        let pod = other.workload.kind == Kind::Pod && read.workload.kind != Kind::Replicas;
        // Two controllers that select each other are reported once, at the first.
        let told = *j < i && other.selector.as_ref().is_some_and(|s| s.selects(&read.pod.labels));
        *j != i && !same && !pod && !told
    });
    if let Some(other) = other.map(|j| &peers.reads[j]) {
        let of = read.object.near(&["spec", "selector"]);
        found.violation(
            codes::OVERLAP,
            format!(
                "{} also selects the pods of {}: the first of them adopts a pod without an owner",
                read.workload.name, other.workload.name
            ),
            vec![of, other.object.near(&["spec", "selector"])],
            "a different label in each selector and template".to_owned(),
        );
    }
}

/// Reports a single pod with the name of a member of a set. Where the set selects it, the set adopts it, and
/// deletes it if it has no such member; otherwise the set never makes the member, without an event or a
/// condition (tried on 1.37.2).
fn member_of_others(pod: &Read<'_>, sets: &BTreeMap<(&str, &str), &Read<'_>>, found: &mut Found) {
    // A pod that the cluster printed is the member itself.
    if SET_LATER.iter().any(|label| pod.pod.labels.contains_key(*label)) {
        return;
    }
    let Some((name, number)) = pod.object.name.rsplit_once('-') else { return };
    let Some(set) = sets.get(&(pod.workload.scope.as_str(), name)) else { return };
    let Some(ordinal) = number.parse().ok().filter(|n: &u32| n.to_string() == number) else { return };
    let (own, of) = (&pod.object.name, &set.workload.name);
    let there = set.workload.members.iter().any(|m| m.ordinal == Some(ordinal));
    let selected = set.selector.as_ref().is_some_and(|s| s.selects(&pod.pod.labels));
    let (code, message) = match (selected, there) {
        (true, true) => {
            (codes::OVERLAP, format!("{of} takes pod/{own} for its own member, with its image and volumes"))
        }
        (true, false) => {
            (codes::OVERLAP, format!("{of} adopts pod/{own} and deletes it: it has no such member"))
        }
        (false, true) => (
            codes::NEVER,
            format!("{of} never makes its member {own} while pod/{own} has this name, and says nothing"),
        ),
        (false, false) => return,
    };
    found.note(code, message, vec![pod.object.here(), set.object.here()], "metadata: {name: another one}");
}

/// Reports updates that start the new pod first, although the old pod keeps it from starting.
fn stuck(read: &Read<'_>, found: &mut Found) {
    let workload = &read.workload;
    if workload.update.order != Order::StartFirst || read.replicas == 0 {
        return;
    }
    let at = |other: &At| {
        let first = workload.update.at.clone().unwrap_or_else(|| workload.at.clone());
        vec![first, other.clone()]
    };
    let apart = || workload.apart.iter().find(|a| selects(&a.whom, read)).map(|a| &a.at);
    let port = || workload.ports.first().map(|p| &p.at);
    if workload.kind == Kind::DaemonSet {
        if let Some(other) = apart().or_else(port) {
            let message = format!(
                "an update of {} waits forever: the new pod cannot run on the node of the old one",
                workload.name
            );
            let fix = "rollingUpdate: {maxSurge: 0, maxUnavailable: 1}".to_owned();
            found.caused(workload, codes::STUCK, message, at(other), fix);
        }
        return;
    }
    let mounts = workload.members.iter().flat_map(|m| &m.mounts);
    let one_pod = mounts.into_iter().find_map(|m| match &m.source {
        Source::Volume { one_pod, .. } => one_pod.as_ref(),
        _ => None,
    });
    // If there is only one node, the new pod needs the node of the old one.
    let there = || only_node(read).and_then(|_| port().or_else(apart));
    if let Some(other) = one_pod.or_else(there).filter(|_| unavailable(read) == 0) {
        let message = format!(
            "an update of {} waits forever: the new pod needs a resource that the old pod holds",
            workload.name
        );
        let fix = "strategy: {type: Recreate}".to_owned();
        found.caused(workload, codes::STUCK, message, at(other), fix);
    }
}

/// Returns how many pods a Deployment stops before new ones are ready: a quarter, rounded down, unless
/// the file sets it; 1 if both this and the surge would be 0.
fn unavailable(read: &Read<'_>) -> u32 {
    let rolling = |key| read.object.root.at(&["spec", "strategy", "rollingUpdate", key]);
    let of = |value: Option<Value<'_>>, up: bool| {
        part(value.and_then(Value::as_str).unwrap_or("25%"), read.replicas, up)
    };
    let down = of(rolling("maxUnavailable"), false).unwrap_or(0);
    if down == 0 && of(rolling("maxSurge"), true) == Some(0) { 1 } else { down }
}
