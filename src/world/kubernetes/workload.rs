//! Turns controllers and single pods into workloads.

use std::collections::{BTreeMap, BTreeSet};

use super::ephemeral::{self, Lost};
use super::members::{ALL, Template, members};
use super::mounts::{Modes, Mounts};
use super::object::{KSVC, Object};
use super::pod::{self, Pod};
use super::quiet;
use super::reserved;
use super::rolling::{part, rolling};
use super::scale::{Scalers, parallel};
use super::selector::{labels, plain, selector, words};
use super::storage::Storage;
use crate::finding::{At, codes};
use crate::images::{self, Images};
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::{Forgets, Kind, Order, Selector, Source, Update, Workload};

/// A workload, with the facts that the checks need.
pub(super) struct Read<'d> {
    pub object: &'d Object<'d>,
    pub workload: Workload,
    pub pod: Pod<'d>,
    pub selector: Option<Selector>,
    /// The number of pods that the file asks for. There may be fewer members.
    pub replicas: u32,
    /// The claims that all pods of a node can mount, and only one pod of the files uses.
    pub one_node: Vec<(At, String)>,
    /// A claim that pods of several nodes can mount.
    pub many: Option<(At, String)>,
    /// The claims that its members use, once for each member.
    pub uses: Vec<String>,
    /// The data that is deleted with its pod.
    pub lost: Option<Lost>,
}

impl Read<'_> {
    /// Returns whether it has data that outlives a pod, or software that keeps data.
    pub fn stateful(&self) -> bool {
        self.pod.software.is_some() || self.persists()
    }

    /// Returns the readiness check of its main container.
    pub fn readiness(&self) -> Option<Value<'_>> {
        self.pod.main?.given("readinessProbe")
    }

    /// Returns whether a member has data that outlives its pod.
    pub fn persists(&self) -> bool {
        let mounts = self.workload.members.iter().flat_map(|m| &m.mounts);
        mounts.into_iter().any(|m| !matches!(m.source, Source::Ephemeral))
    }
}

/// Returns the workloads of `objects`, in order.
pub(super) fn workloads<'d>(
    objects: &'d [Object<'d>],
    images: &'d Images,
    found: &mut Found,
) -> Vec<Read<'d>> {
    let mut storage = Storage::new(objects);
    let scalers = Scalers::new(objects);
    let there: BTreeSet<(&str, &str, &str)> =
        objects.iter().map(|o| (o.kind, o.name.as_str(), o.namespace.as_str())).collect();
    let mut left = ALL;
    let mut reads = Vec::new();
    for object in objects {
        let kind = match object.kind {
            "DaemonSet" => Kind::DaemonSet,
            "StatefulSet" => Kind::StatefulSet,
            "Deployment" | "ReplicaSet" | "ReplicationController" => Kind::Replicas,
            // Not part of Kubernetes. Their controllers also create pods without a number.
            "CloneSet" | "DeploymentConfig" | "Rollout" | KSVC => Kind::Replicas,
            "Pod" => Kind::Pod,
            "Job" | "CronJob" | "ScaledJob" => Kind::Job,
            _ => continue,
        };
        let owner = owner(object);
        if owner.is_some_and(|(kind, name)| there.contains(&(kind, name, &object.namespace))) {
            continue;
        }
        let Some(read) = workload(object, kind, (images, &scalers), (&mut storage, &mut left), found) else {
            continue;
        };
        if let Some((kind, name)) = owner
            && read.persists()
        {
            let owner = format!("{}/{name}", kind.to_lowercase());
            let what = format!("{} is created by {owner}, which is not among the files", object.title());
            found.not_searched(object.here(), what, quiet::how("", "", &object.namespace, ""));
        }
        reads.push(read);
    }
    shared(&mut reads);
    let whole = reads.iter().all(|r| r.replicas as usize <= r.workload.members.len());
    reserved::judge(objects, (storage.asked, whole), found);
    reads
}

/// Removes the claims that several pods use from the list of those that should have one pod:
/// ReadWriteOncePod would keep the other pods from ever starting. Of two versions of an object the
/// later one counts.
fn shared(reads: &mut [Read<'_>]) {
    let mut last: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (i, read) in reads.iter().enumerate() {
        last.insert((&read.workload.scope, &read.workload.name), i);
    }
    let mut users: BTreeMap<String, usize> = BTreeMap::new();
    for name in last.values().flat_map(|i| &reads[*i].uses) {
        *users.entry(name.clone()).or_default() += 1;
    }
    let alone = |(_, claim): &(At, String)| users.get(claim).is_none_or(|n| *n < 2);
    for read in reads {
        read.one_node.retain(alone);
        if !read.many.as_ref().is_some_and(alone) {
            read.workload.shared_claim = None;
        }
    }
}

/// Returns kind and name of the controller that created an object, as `kubectl get -o yaml` prints it.
fn owner<'d>(object: &Object<'d>) -> Option<(&'d str, &'d str)> {
    let owners = object.root.at(&["metadata", "ownerReferences"]).map(Value::items).unwrap_or_default();
    let own = owners.into_iter().find(|o| o.get("controller").and_then(Value::flag) == Some(true))?;
    own.get("kind").and_then(Value::as_str).zip(own.get("name").and_then(Value::as_str))
}

/// Returns the template of the pods of `object`.
pub(super) fn template<'d>(object: &Object<'d>) -> Option<Value<'d>> {
    match object.kind {
        "Pod" => Some(object.root),
        "CronJob" => object.root.at(&["spec", "jobTemplate", "spec", "template"]),
        "ScaledJob" => object.root.at(&["spec", "jobTargetRef", "template"]),
        _ => object.root.at(&["spec", "template"]),
    }
}

fn workload<'d>(
    object: &'d Object<'d>,
    kind: Kind,
    (images, scalers): (&'d Images, &Scalers<'d>),
    (storage, left): (&mut Storage<'d>, &mut usize),
    found: &mut Found,
) -> Option<Read<'d>> {
    let holder = template(object);
    let Some(spec) = holder.and_then(|h| h.given("spec")) else {
        // A Rollout can use the template of a Deployment, which is searched by itself.
        if object.root.at(&["spec", "workloadRef"]).is_none() {
            found.unread(object.here(), format!("{} has no pod: ignored", object.title()));
        }
        return None;
    };
    let mut pod = pod::read(object, holder.and_then(|h| h.get("metadata")), spec, images, found);
    let selector = if kind.once() || object.kind == KSVC { None } else { own_selector(object, &pod, found) };
    let (replicas, scaler) = match kind {
        Kind::StatefulSet | Kind::Replicas if object.kind != KSVC => scalers.replicas(object, found),
        Kind::Replicas => (most_of_knative(holder), None),
        Kind::Pod | Kind::Job => (parallel(object, found), None),
        _ => (1, None),
    };
    let mounts = Mounts::new(object, &pod, kind, images);
    mounts.doubt(found);
    let template = Template { object, kind, replicas, pod: &pod, mounts: &mounts };
    let lost = ephemeral::lost(object, kind, &pod, &mounts);
    let (members, Modes { one_node, many, uses }) = members(&template, lost.as_ref(), (storage, left), found);
    let update = update(object, replicas, found);
    let rolling = rolling(object, kind, &pod, replicas, &update);
    let image_at = pod.main.and_then(|c| c.get("image"));
    let image = image_at.and_then(Value::as_str).unwrap_or_default();
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
        floats: images::floats(image).zip(image_at.map(|at| object.at(at))),
        software: pod.software.clone(),
        resembles: pod.resembles.clone(),
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
        shared_claim: many.as_ref().map(|(at, _)| at.clone()),
        rolling,
        scaler,
        forgets: forgets(object),
        ..Workload::new(object.title(), kind, object.here())
    };
    Some(Read { object, workload, pod, selector, replicas, one_node, many, uses, lost })
}

/// Reads the selector of a controller, which must select its own pods.
fn own_selector<'d>(object: &Object<'d>, pod: &Pod<'d>, found: &mut Found) -> Option<Selector> {
    let given = object.root.at(&["spec", "selector"]).filter(|s| !s.is_null());
    let old = object.api != "apps/v1";
    let Some(given) = given else {
        if old {
            // The default is the labels of the template.
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

/// Returns the labels of the pod as a line of YAML.
pub(super) fn flow(pod: &Pod<'_>) -> String {
    let labels: Vec<String> = pod.labels.iter().map(|(k, v)| format!("{k}: {v}")).collect();
    format!("{{{}}}", labels.join(", "))
}

/// Reads when the claims of a set are deleted.
fn forgets(object: &Object<'_>) -> Forgets {
    let policy = object.root.at(&["spec", "persistentVolumeClaimRetentionPolicy"]);
    let at = |key| Some(object.at(policy?.given(key).filter(|v| v.is("Delete"))?));
    Forgets { scaled: at("whenScaled"), deleted: at("whenDeleted") }
}

/// Returns the limit of Knative, which scales without one unless an annotation gives one
/// (knative.dev, "Configuring scale bounds").
fn most_of_knative(template: Option<Value<'_>>) -> u32 {
    let annotations = template.and_then(|t| t.at(&["metadata", "annotations"]));
    let most = |key| annotations.and_then(|a| a.get(key)).and_then(Value::as_str);
    let most = most("autoscaling.knative.dev/max-scale").or_else(|| most("autoscaling.knative.dev/maxScale"));
    match most.and_then(|m| m.parse().ok()) {
        None | Some(0) => 2,
        Some(most) => most,
    }
}

fn update<'d>(object: &Object<'d>, replicas: u32, found: &mut Found) -> Update {
    let strategy = ["Deployment", "DeploymentConfig", "Rollout"].contains(&object.kind);
    let way = ["spec", if strategy { "strategy" } else { "updateStrategy" }];
    let strategy = object.root.at(&way).filter(|s| !s.is_null());
    let named = strategy.and_then(|s| s.given("type"));
    let at = |value: Option<Value<'d>>| value.map(|v| object.at(v));
    let update = |order, value| Update { order, at: at(value) };
    let given = |way: &[&str]| strategy.and_then(|s| s.at(way)).filter(|v| !v.is_null());
    match (object.kind, named.and_then(Value::as_str)) {
        ("Pod" | "ReplicaSet" | "ReplicationController" | "Job" | "CronJob" | "ScaledJob", _) => {
            update(Order::ByHand, None)
        }
        // The deployer of OpenShift also waits for the end of the old pods
        // (oc `pkg/cli/deployer/strategy/recreate`).
        ("Deployment" | "DeploymentConfig", Some("Recreate")) => update(Order::StopFirst, named),
        ("Deployment" | "DeploymentConfig" | "Rollout" | "CloneSet" | KSVC, _) => {
            // A CloneSet has no surge by default (openkruise.io, "CloneSet").
            let way: &[&str] = match object.kind {
                "DeploymentConfig" => &["rollingParams", "maxSurge"],
                "Rollout" => &["canary", "maxSurge"],
                "CloneSet" => &["maxSurge"],
                _ => &["rollingUpdate", "maxSurge"],
            };
            let (surge, usual) = (given(way), if object.kind == "CloneSet" { "0" } else { "25%" });
            let none = part(surge.and_then(Value::as_str).unwrap_or(usual), replicas, true) == Some(0);
            update(if none { Order::DownFirst } else { Order::StartFirst }, surge.or(named))
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
