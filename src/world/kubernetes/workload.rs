//! Controllers and bare pods to workloads.

use super::ephemeral::{self, Lost};
use super::members::{ALL, Template, members};
use super::mounts::{Modes, Mounts};
use super::object::Object;
use super::pod::{self, Pod};
use super::rolling::rolling;
use super::selector::{labels, plain, selector, words};
use super::storage::Storage;
use crate::finding::{At, codes};
use crate::images::{self, Images};
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::{Kind, Order, Selector, Source, Update, Workload};

/// A workload, and what rules are judged by.
pub(super) struct Read<'d> {
    pub object: &'d Object<'d>,
    pub workload: Workload,
    pub pod: Pod<'d>,
    pub selector: Option<Selector>,
    /// As many as the file asks for, more perhaps than there are members.
    pub replicas: u32,
    /// Claims that serve every pod of a node.
    pub one_node: Vec<At>,
    /// Data that goes with its pod.
    pub lost: Option<Lost>,
}

impl Read<'_> {
    /// Whether it has data that outlives a pod, or software that is there for data.
    pub fn stateful(&self) -> bool {
        self.pod.software.is_some() || self.persists()
    }

    /// Whether a member has data that outlives its pod.
    pub fn persists(&self) -> bool {
        let mounts = self.workload.members.iter().flat_map(|m| &m.mounts);
        mounts.into_iter().any(|m| !matches!(m.source, Source::Ephemeral))
    }
}

/// The workloads of `objects`, in their order.
pub(super) fn workloads<'d>(objects: &'d [Object<'d>], images: &Images, found: &mut Found) -> Vec<Read<'d>> {
    let mut storage = Storage::new(objects);
    let mut left = ALL;
    let mut reads = Vec::new();
    for object in objects {
        let kind = match object.kind {
            "DaemonSet" => Kind::DaemonSet,
            "StatefulSet" => Kind::StatefulSet,
            "Deployment" | "ReplicaSet" | "ReplicationController" => Kind::Replicas,
            "Pod" => Kind::Pod,
            "Job" | "CronJob" => {
                job(object, images, found);
                continue;
            }
            _ => continue,
        };
        reads.extend(workload(object, kind, images, (&mut storage, &mut left), found));
    }
    reads
}

/// Pods that end are not searched; those that open data are listed.
fn job(object: &Object<'_>, images: &Images, found: &mut Found) {
    let template = object.root.at(&["spec", "jobTemplate"]).unwrap_or(object.root);
    let Some(template) = template.at(&["spec", "template"]) else { return };
    let Some(spec) = template.given("spec") else { return };
    let volumes = spec.get("volumes").map(Value::items).unwrap_or_default();
    if let Some(claim) = volumes.into_iter().find_map(|v| v.given("persistentVolumeClaim")) {
        let what = format!("{} mounts a claim: its pods are not searched", object.title());
        return found.unread(object.at(claim), what);
    }
    // What else is not understood of it, nobody searches.
    let pod = pod::read(object, template.get("metadata"), spec, images, &mut Found::default());
    if let Some((kind, volume)) = Mounts::new(object, &pod, Kind::Pod).data() {
        let what = format!("{} can write to a volume of {kind}: its pods are not searched", object.title());
        found.unread(object.at(volume), what);
    }
}

fn workload<'d>(
    object: &'d Object<'d>,
    kind: Kind,
    images: &Images,
    (storage, left): (&mut Storage<'d>, &mut usize),
    found: &mut Found,
) -> Option<Read<'d>> {
    let bare = kind == Kind::Pod;
    let holder = if bare { Some(object.root) } else { object.root.at(&["spec", "template"]) };
    let Some(spec) = holder.and_then(|h| h.given("spec")) else {
        found.unread(object.here(), format!("{} has no pod: taken for nothing", object.title()));
        return None;
    };
    let mut pod = pod::read(object, holder.and_then(|h| h.get("metadata")), spec, images, found);
    let selector = if bare { None } else { own_selector(object, &pod, found) };
    let replicas =
        if matches!(kind, Kind::StatefulSet | Kind::Replicas) { replicas(object, found) } else { 1 };
    let mounts = Mounts::new(object, &pod, kind);
    mounts.doubt(found);
    let template = Template { object, kind, replicas, pod: &pod, mounts: &mounts };
    let lost = ephemeral::lost(object, kind, &pod, &mounts);
    let (members, Modes { one_node, many }) = members(&template, lost.as_ref(), (storage, left), found);
    let update = update(object, found);
    let rolling = rolling(object, kind, &pod, replicas, &update);
    let image = pod.main.and_then(|c| c.get("image")).and_then(Value::as_str).unwrap_or_default();
    let own = labels(object, object.root.at(&["metadata", "labels"]), &mut Found::default());
    let named = |key: &str| pod.labels.get(key).or_else(|| own.get(key));
    let family = named("app.kubernetes.io/name").or_else(|| named("app")).unwrap_or(&object.name).clone();
    let kind_at = object.near(&["kind"]);
    let count_at = object.root.at(&["spec", "replicas"]).filter(|r| !r.is_null());
    let workload = Workload {
        scope: object.namespace.clone(),
        kind_at,
        count: replicas,
        count_at: count_at.filter(|_| kind != Kind::DaemonSet).map(|r| object.at(r)),
        family,
        image: images::name(image).to_owned(),
        software: pod.software.clone(),
        labels: pod.labels.clone(),
        members,
        wants: std::mem::take(&mut pod.wants),
        apart: std::mem::take(&mut pod.apart),
        tolerates: std::mem::take(&mut pod.tolerates),
        placed_by: pod.placed_by.take(),
        ports: std::mem::take(&mut pod.ports),
        node_network: pod.node_network.take(),
        rollback: update.clone(),
        update,
        grace: pod.grace,
        grace_at: pod.grace_at.clone(),
        lock: pod.lock.take(),
        many,
        rolling,
        ..Workload::new(object.title(), kind, object.here())
    };
    Some(Read { object, workload, pod, selector, replicas, one_node, lost })
}

/// The selector of a controller, which must select its own pods.
fn own_selector<'d>(object: &Object<'d>, pod: &Pod<'d>, found: &mut Found) -> Option<Selector> {
    let given = object.root.at(&["spec", "selector"]).filter(|s| !s.is_null());
    let old = object.api != "apps/v1";
    let Some(given) = given else {
        if old {
            // Defaulted from the template's labels.
            let terms = pod.labels.iter().map(|(k, v)| crate::world::Term::In(k.clone(), vec![v.clone()]));
            return Some(Selector { terms: terms.collect() });
        }
        found.violation(
            codes::REFUSED,
            format!("the API refuses {}: it has no selector", object.title()),
            vec![object.near(&["spec"])],
            format!("selector: {{matchLabels: {}}}", flow(pod)),
        );
        return None;
    };
    let selector = match object.kind {
        "ReplicationController" => plain(object, given, found),
        _ => selector(object, given, found),
    };
    if !selector.selects(&pod.labels) || selector.terms.is_empty() {
        found.violation(
            codes::REFUSED,
            format!("the API refuses {}: its selector does not match its own pods", object.title()),
            vec![object.at(given), object.near(&["spec", "template", "metadata", "labels"])],
            format!("labels of the template that match {}", words(&selector)),
        );
    }
    Some(selector)
}

/// The pod's labels as a line of YAML.
pub(super) fn flow(pod: &Pod<'_>) -> String {
    let labels: Vec<String> = pod.labels.iter().map(|(k, v)| format!("{k}: {v}")).collect();
    format!("{{{}}}", labels.join(", "))
}

fn replicas(object: &Object<'_>, found: &mut Found) -> u32 {
    let Some(value) = object.root.at(&["spec", "replicas"]).filter(|r| !r.is_null()) else { return 1 };
    value.number().and_then(|n| u32::try_from(n).ok()).unwrap_or_else(|| {
        found.unread(object.at(value), "a number of replicas that is none: taken for 1".to_owned());
        1
    })
}

fn update<'d>(object: &Object<'d>, found: &mut Found) -> Update {
    let set = ["spec", "updateStrategy"];
    let way = if object.kind == "Deployment" { ["spec", "strategy"] } else { set };
    let strategy = object.root.at(&way).filter(|s| !s.is_null());
    let named = strategy.and_then(|s| s.given("type"));
    let at = |value: Option<Value<'d>>| value.map(|v| object.at(v));
    let update = |order, value| Update { order, at: at(value) };
    match (object.kind, named.and_then(Value::as_str)) {
        ("Pod" | "ReplicaSet" | "ReplicationController", _) => update(Order::ByHand, None),
        ("Deployment", Some("Recreate")) => update(Order::StopFirst, named),
        // Without surge the new pod still starts while the old one terminates.
        ("Deployment", _) => {
            let surge = strategy.and_then(|s| s.at(&["rollingUpdate", "maxSurge"]));
            update(Order::StartFirst, surge.or(named))
        }
        (_, Some("OnDelete")) => update(Order::ByHand, named),
        ("DaemonSet", None) if object.api.starts_with("extensions/") => update(Order::ByHand, None),
        ("StatefulSet", None) if object.api == "apps/v1beta1" => update(Order::ByHand, None),
        ("DaemonSet", _) => {
            let rolling = |key| strategy.and_then(|s| s.at(&["rollingUpdate", key])).filter(|v| !v.is_null());
            let none = |v: Option<Value<'_>>| v.is_some_and(|v| v.is("0") || v.is("0%"));
            let (surge, unavailable) = (rolling("maxSurge"), rolling("maxUnavailable"));
            let surges = surge.is_some() && !none(surge);
            if surges != none(unavailable) {
                let at = surge.or(unavailable).map(|v| object.at(v)).into_iter().collect();
                let message = "the API refuses this: exactly one of maxSurge and maxUnavailable is not 0";
                found.violation(codes::REFUSED, message.to_owned(), at, "maxSurge: 0".to_owned());
            }
            update(if surges { Order::StartFirst } else { Order::StopFirst }, surge.or(named))
        }
        _ => update(Order::StopFirst, named),
    }
}
