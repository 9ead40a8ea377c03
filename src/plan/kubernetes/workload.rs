//! Plans a DaemonSet for `per: node` members and a StatefulSet for counted members. Neither uses a
//! Deployment, because a Deployment replaces a pod that still terminates.

use super::objects::{ConfigMap, DaemonSet, Meta, PersistentVolume, StatefulSet, StorageClass, Update};
use super::values::Words;
use super::{gaps, labels, pod};
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Bootstrap, Kubernetes, Members, Service, Workload};
use crate::plan::context::Context;
use crate::route;
use crate::text::units::Version;

/// The first version with `ordinals` on by default (KEP-3335, beta).
const ORDINALS: Version = Version::new(1, 27);
/// The first version with `persistentVolumeClaimRetentionPolicy` on by default (KEP-1847, beta).
const RETENTION: Version = Version::new(1, 27);

/// A workload.
pub enum Set {
    /// The workload of counted members.
    Stateful(Box<StatefulSet>),
    /// The workload of `per: node` members.
    Daemon(Box<DaemonSet>),
}

/// A workload and the objects that it needs.
pub struct Planned {
    /// The workload.
    pub set: Set,
    /// The ConfigMap with the files.
    pub config: Option<ConfigMap>,
    /// The StorageClasses of the claims.
    pub classes: Vec<StorageClass>,
    /// The local PersistentVolumes.
    pub persistent: Vec<PersistentVolume>,
}

/// Returns the fields that this file plans. All other fields are listed under the file that plans
/// them, so that the compiler reports a new field.
fn own(w: &Workload) -> (&Members, &crate::model::Update, &Bootstrap) {
    let Workload {
        // container
        program: _,
        health: _,
        guard: _,
        stop: _,
        helpers: _,
        // files
        files: _,
        secrets: _,
        tmpfs: _,
        // gaps
        ulimits: _,
        // storage
        data: _,
        // network
        ports: _,
        // pod
        node_network: _,
        apart_from: _,
        annotations: _,
        bootstrap,
        // The pod names of a StatefulSet carry the id, the hostname and the right to write.
        id: _,
        hostname: _,
        writer: _,
        members,
        update,
        // Each value records the names that it uses.
        lists_members: _,
        peers: _,
    } = w;
    (members, update, bootstrap)
}

/// Plans the workload of `service`.
pub fn plan(context: &mut Context<'_>, service: &Service, w: &Workload, k: &Kubernetes) -> Planned {
    let (members, update, bootstrap) = own(w);
    gaps::report(context, service, w);
    let words = Words::new(service, w, k);
    if let Some(once) = &bootstrap.once {
        once_in(context, &words, w, once);
    }
    let pod::Made { pod, stored, config } = pod::plan(context, service, w, k);
    let gate = update.healthy.as_ref().map(|t| words.literal(context, t, "`update.healthy`"));
    let meta = Meta {
        name: service.full_name(),
        namespace: Some(k.namespace.clone()),
        labels: labels::of(service),
        annotations: k.annotations.workload.clone(),
    };
    let (by_hand, pause, selector) = (by_hand(w), update.pause, labels::workload(service));
    let set = match *members {
        Members::PerNode { .. } => {
            let update = strategy(by_hand, gate, &[("maxSurge", 0), ("maxUnavailable", 1)]);
            Set::Daemon(Box::new(DaemonSet { meta, update, min_ready: pause, selector, pod }))
        }
        Members::Counted { count, first, pin: _ } => {
            if first > 0 && k.version < ORDINALS {
                first_too_new(context, service, k);
            }
            let keep = k.version >= RETENTION && !stored.claims.is_empty();
            Set::Stateful(Box::new(StatefulSet {
                meta,
                service: service.name.clone(),
                replicas: count,
                start: (first > 0).then_some(first),
                // Members of a quorum become ready together, so they must not wait for one another.
                management: "Parallel",
                update: strategy(by_hand, gate, &[("partition", 0)]),
                // With `OnDelete`, the person who deletes the pods waits for the pause; no
                // controller does.
                min_ready: if by_hand { 0 } else { pause },
                retention: keep.then_some("Retain"),
                selector,
                pod,
                claims: stored.claims,
            }))
        }
    };
    Planned { set, config, classes: stored.classes, persistent: stored.persistent }
}

/// Returns whether a changed template waits until a person deletes the pods, one after the other.
///
/// No controller can run the command of a gate; it would update the next member without it. And
/// since 1.37 no controller updates several members of a `Parallel` set safely: it deletes all old
/// pods that are not available at once, whatever `maxUnavailable` says
/// (`pkg/controller/statefulset/stateful_set_control.go`, gate `MaxUnavailableStatefulSet`). A pod
/// that is ready for less than `minReadySeconds` is not available, so a change within the pause
/// would stop all members. `OrderedReady` does not help: it starts the second member only after the
/// first one is ready, and a single member of a quorum never becomes ready.
pub fn by_hand(w: &Workload) -> bool {
    w.update.healthy.is_some() || !w.per_node() && w.count() > 1
}

/// Returns the update strategy; with `OnDelete` a changed template waits until a person deletes a pod.
fn strategy(by_hand: bool, gate: Option<String>, rolling: &[(&'static str, u32)]) -> Update {
    match by_hand {
        true => Update { kind: "OnDelete", rolling: Vec::new(), gate },
        false => Update { kind: "RollingUpdate", rolling: rolling.to_vec(), gate },
    }
}

/// Checks the command that an operator runs once in the first member. Kubernetes files do not
/// contain it.
fn once_in(context: &mut Context<'_>, words: &Words<'_>, w: &Workload, once: &crate::model::Template) {
    let holder = "`bootstrap.once`";
    if w.per_node() {
        words.literal(context, once, holder);
    } else {
        words.literal_of(context, once, w.ids().start, holder);
    }
}

fn first_too_new(context: &mut Context<'_>, service: &Service, k: &Kubernetes) {
    let place = service.place(&route!["members", "first"]);
    let message = format!("Kubernetes {} can number members only from 0", k.version);
    context.fault(
        Diagnostic::error(Code::VersionTooOld, place, message)
            .related(service.place(&route!["targets", "kubernetes", "version"]), "required here")
            .why(format!("a StatefulSet has `ordinals.start` since {ORDINALS}"))
            .fix("require a newer version", format!("version: \"{ORDINALS}\""))
            .fix("or number the members from 0", "first: 0"),
    );
}
