//! Plans pod templates.

use super::objects::{Apart, Expression, Labels, Pod, PodMore, Spread, Toleration};
use super::values::{Rendered, Words};
use super::{container, files, labels, raw, secrets, storage};
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Helper, Kubernetes, Members, Pin, Service, Volume, Workload};
use crate::plan::context::Context;
use crate::route;
use crate::target::Target;
use crate::text::units::Version;

const HOSTNAME: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// The first version in which a spread constraint can ignore tainted nodes (KEP-3094, beta).
const SPREAD_TAINTS: Version = Version::new(1, 26);

/// A pod template and the objects that it needs.
pub struct Made {
    /// The template.
    pub pod: Pod,
    /// The data volumes.
    pub stored: storage::Stored,
    /// The ConfigMap with the files.
    pub config: Option<super::objects::ConfigMap>,
}

/// Plans the pods of `w`.
pub fn plan(context: &mut Context<'_>, service: &Service, w: &Workload, k: &Kubernetes) -> Made {
    let words = Words::new(service, w, k);
    let (rendered, helpers) = programs(context, &words, service, w);
    let mut stored = storage::plan(context, &words, service, w, k);
    let texts = files::render(context, &words, service, w);
    let written: Vec<&str> = texts.iter().flat_map(files::Rendered::texts).collect();
    let mut secrets = secrets::wanted(w, &rendered, &helpers, &written);
    let fs_group = fs_group(w, secrets.by_group());
    secrets.fs_group = fs_group.is_some();
    let mut carried = files::plan(context, service, w, k, &texts, &secrets);

    let mut mounts = std::mem::take(&mut stored.mounts);
    mounts.append(&mut carried.mounts);
    let mut containers =
        vec![container::member(context, &words, service, w, rendered, mounts, carried.named)];
    for ((helper, rendered), mounts) in helpers.into_iter().zip(carried.helpers) {
        containers.push(container::helper(&words, w, helper, rendered, mounts));
    }
    let mut volumes = std::mem::take(&mut stored.volumes);
    volumes.append(&mut carried.volumes);
    let mut pod = Pod {
        labels: labels::of(service),
        annotations: annotations(w, k),
        node_selector: node_selector(context, service, w),
        tolerations: tolerations(service, w).into_iter().collect(),
        zones: zones(w),
        apart: apart(context, service, w),
        spread: spread(service, w, k).into_iter().collect(),
        host_network: w.node_network.then_some("ClusterFirstWithHostNet"),
        service_links: false,
        token: k.service_account.is_some(),
        account: k.service_account.clone(),
        grace: w.stop.grace,
        fs_group: fs_group.map(|group| (group, "OnRootMismatch")),
        seccomp: "RuntimeDefault",
        init_containers: carried.copies,
        containers,
        volumes,
        more: PodMore::default(),
    };
    raw::pod(context, service, k, w, &mut pod, &stored);
    Made { pod, stored, config: carried.config }
}

/// Returns the annotations of the pods. Those of this target replace those of all targets.
fn annotations(w: &Workload, k: &Kubernetes) -> Labels {
    let own = &k.annotations.pod;
    let others = w.annotations.iter().filter(|(key, _)| !own.iter().any(|(k, _)| k == key));
    others.chain(own).cloned().collect()
}

/// Renders the values of the member's program and of its helpers.
fn programs<'w>(
    context: &mut Context<'_>,
    words: &Words<'_>,
    service: &Service,
    w: &'w Workload,
) -> (Rendered, Vec<(&'w Helper, Rendered)>) {
    let mut first = words.env(context, &w.bootstrap.env);
    if !context.options.bootstrap.contains(&service.name) {
        first.clear();
    }
    let founder = if w.one_founder() { std::mem::take(&mut first) } else { Vec::new() };
    let mut own = words.program(context, &w.program, first);
    if let Some(id) = w.ids().next().filter(|_| !founder.is_empty()) {
        own.found(&format!("{}-{id}", service.name), founder);
    }
    let helpers = w.helpers.iter().map(|h| (h, words.program(context, &h.program, Vec::new())));
    (own, helpers.collect())
}

/// Returns the group that the kubelet gives to volumes, so that a user other than root can use
/// them. A directory of the node keeps the owner that the operator gave it, on every target. The
/// kubelet does not change a hostPath, but it would change every file of a local volume (kubernetes
/// `pkg/volume/local`), and databases refuse directories that a group can write.
fn fs_group(w: &Workload, secrets: bool) -> Option<u32> {
    let user = w.program.user.filter(|u| u.uid > 0)?;
    let on_node = w.data.iter().any(|d| d.host().is_some());
    let wanted = w.volumes().next().is_some() || secrets && (w.per_node() || !on_node);
    wanted.then(|| user.gid.unwrap_or(user.uid))
}

fn node_selector(context: &mut Context<'_>, service: &Service, w: &Workload) -> Labels {
    let local = w.data.iter().any(|d| d.host().is_some());
    match &w.members {
        Members::PerNode { on, known: _, dedicated: _ } => {
            let mut selector = on.clone();
            if let Some(revision) = labels::node_revision(service) {
                if on.iter().any(|(key, _)| *key == revision.0) {
                    let place = service.key(&route!["members", "on", revision.0]);
                    let message =
                        format!("berthc uses the label `{}` for the revision of a node", revision.0);
                    context.fault(Diagnostic::error(Code::NameClash, place, message));
                    return selector;
                }
                selector.push(revision);
            }
            selector
        }
        // A local volume already binds its member to its node.
        Members::Counted { pin: Some(pin), count, first, .. } if !local => {
            if *count > 1 {
                pin_not_here(context, service, pin);
            }
            vec![(pin.label.clone(), first.to_string())]
        }
        Members::Counted { .. } => Vec::new(),
    }
}

/// Reports a pin without local volumes. All pods of a StatefulSet have one template, so only
/// volumes give the scheduler a different node for each.
fn pin_not_here(context: &mut Context<'_>, service: &Service, pin: &Pin) {
    let place = service.key(&route!["members", "pin"]);
    let mut d = Diagnostic::error(
        Code::PinNotHere,
        place,
        "Kubernetes can pin a member to a node only through data on the node (`host`)",
    )
    .why("all pods of a StatefulSet have the same template, and claim templates name no node");
    let elsewhere = Target::ALL.into_iter().filter(|t| *t != Target::Kubernetes);
    for target in elsewhere.filter(|t| service.has(*t)) {
        d = d.fix(
            format!("remove `pin` from `members`, and pin only on {target}"),
            format!("targets: {{ {}: {{ pin: {} }} }}", target.name(), pin.label),
        );
    }
    if d.fixes.is_empty() {
        d = d.advice("remove `pin` from `members`: each member follows its volumes");
    }
    context.fault(d);
}

fn tolerations(service: &Service, w: &Workload) -> Option<Toleration> {
    let dedicated = matches!(w.members, Members::PerNode { dedicated: true, .. });
    dedicated.then(|| Toleration {
        key: "dedicated",
        operator: "Equal",
        value: service.name.clone(),
        effect: "NoSchedule",
    })
}

/// Returns the pods that never share a node with the member: those of its own service in every
/// revision, and those of the services in `apart_from`.
fn apart(context: &Context<'_>, service: &Service, w: &Workload) -> Vec<Apart> {
    // A path or port of the node is the same for all namespaces. Claims and names belong to one
    // namespace: a service with the same name in another namespace shares nothing with this one.
    let of_node = w.node_network || w.data.iter().any(|d| d.host().is_some());
    let own = Apart { topology: HOSTNAME, everywhere: of_node, labels: labels::members(&service.name) };
    let others = w.apart_from.iter().filter(|name| {
        let other = context.model.find(name);
        other.is_some_and(|o| o.has(Target::Kubernetes) && o.workload().is_some())
    });
    let others =
        others.map(|name| Apart { topology: HOSTNAME, everywhere: true, labels: labels::members(name) });
    std::iter::once(own).chain(others).collect()
}

/// Returns the volume whose zones apply to the member.
fn volume_zones(w: &Workload) -> Option<&Volume> {
    w.volumes().map(|(_, volume)| volume).find(|v| !v.zones.is_empty())
}

/// Returns the zones in which members may run, where nothing else sets them. An emitted class with
/// a single zone sets it; an existing class does not. With several zones, the spread constraint
/// must not count zones without volumes.
fn zones(w: &Workload) -> Option<Expression> {
    let volume = volume_zones(w)?;
    let wanted = volume.zones.len() > 1 || volume.class.is_some();
    wanted.then(|| Expression::one_of(ZONE, volume.zones.clone()))
}

fn spread(service: &Service, w: &Workload, k: &Kubernetes) -> Option<Spread> {
    let volume = volume_zones(w)?;
    (volume.zones.len() > 1).then(|| Spread {
        skew: 1,
        topology: ZONE,
        unsatisfiable: "DoNotSchedule",
        // Without this, a zone that is down counts as empty, and no member can restart elsewhere.
        taints: (k.version >= SPREAD_TAINTS).then_some("Honor"),
        labels: labels::members(&service.name),
    })
}
