//! Tells the stories of Kubernetes.

use super::Narrator;
use crate::backend::Fences;
use crate::explore::facts::{Breach, BreachKind};
use crate::explore::scenario::Scenario;
use crate::explore::search::{Action, Step};
use crate::explore::state::State;
use crate::explore::story::{self, Sentence};
use crate::finding::{At, Event, Finding, Level, codes};
use crate::hazard::Hazard;
use crate::world::{Kind, Order, Source};

/// The narrator of Kubernetes.
pub struct Kubernetes;

/// Returns the fix that gives each pod of a workload its own volume.
fn own_volume(kind: Kind) -> &'static str {
    match kind {
        Kind::StatefulSet => "volumeClaimTemplates: a claim for each member, instead of one for all",
        Kind::DaemonSet => {
            "subPathExpr: $(NODE), with env NODE from spec.nodeName: a directory for each node"
        }
        Kind::Job => "parallelism: 1, or ephemeral.volumeClaimTemplate: a volume for each pod",
        Kind::Pod => "name, instead of generateName: one pod at a time",
        _ => {
            "kind: StatefulSet with serviceName, and volumeClaimTemplates in place of the volume: each replica its own"
        }
    }
}

/// Makes the finding for an update that stops so many members that the quorum is lost; `steps` lead
/// to it.
pub fn quorum(scenario: &Scenario<'_>, steps: Vec<Event>) -> Finding {
    let workload = scenario.actors[0].workload;
    let name = &workload.name;
    let at_once = workload.rolling.as_ref().filter(|_| scenario.facts.rolling.is_none_or(|r| !r.many));
    let mut story = Vec::new();
    let (line, why, fix) = match at_once.and_then(|r| Some((r, r.parallel.as_ref()?))) {
        Some((rolling, line)) => {
            let (words, at) = match &rolling.pause {
                Some((seconds, at)) => (
                    format!(
                        "the members of {name} are ready for less than {seconds} s, or not ready: none is available yet"
                    ),
                    Some(at),
                ),
                None => (format!("the members of {name} run, and are not ready yet"), None),
            };
            story.push(Event { words, at: at.cloned() });
            let why = "since Kubernetes 1.37 a Parallel set deletes all old pods that are not available at once, whatever maxUnavailable says";
            (line.clone(), why, "updateStrategy: { type: OnDelete }, and delete one pod at a time")
        }
        None => {
            let at = workload.rolling.as_ref().map_or(&workload.at, |r| &r.most.1);
            (
                at.clone(),
                "since Kubernetes 1.37 the controller stops as many members at once as maxUnavailable says",
                "maxUnavailable: 1",
            )
        }
    };
    story.extend(steps);
    story.push(Event { words: "now the members that are left are no majority".to_owned(), at: None });
    let message =
        format!("an update may stop several members of {name} at once, and the quorum is lost: {why}");
    let finding = Finding::new(codes::UPDATE_TOGETHER, Level::Note, message, vec![line], fix.to_owned());
    Finding { story, subject: name.clone(), ..finding }
}

impl Narrator for Kubernetes {
    fn tell<'w>(&self, scenario: &Scenario<'w>, step: &Step, before: &State) -> Option<Sentence<'w>> {
        let actor = &scenario.actors[usize::from(step.actor)];
        let (workload, name) = (actor.workload, &actor.member.name);
        let node = story::node(scenario, step);
        let wanted = scenario.want(actor);
        let update = workload.update.at.as_ref();
        let terminating = before.of(step.actor).any(|c| c.retired);
        let reported = match step.action {
            Action::Update => ("a new template is applied".to_owned(), Some(&workload.at)),
            Action::Rollback => ("the old template is applied again".to_owned(), Some(&workload.at)),
            Action::Again => (
                format!(
                    "{} is deleted and applied again at once, while its pods still terminate",
                    workload.name
                ),
                Some(&workload.at),
            ),
            Action::Create
                if workload.update.order == Order::StartFirst
                    && before.of(step.actor).any(|c| !c.retired) =>
            {
                (
                    "the surge: a new pod is created next to the old one".to_owned(),
                    update.or(Some(&workload.at)),
                )
            }
            Action::Create if terminating && workload.kind == Kind::Replicas => (
                format!(
                    "a ReplicaSet does not count terminating pods: it creates another pod of {}",
                    workload.name
                ),
                Some(&workload.at),
            ),
            Action::Create => (format!("{} creates a pod", workload.name), Some(&workload.at)),
            Action::Replace if workload.update.order == Order::ByHand => {
                ("someone deletes the old pod, so that the new template takes effect".to_owned(), update)
            }
            Action::Replace if scenario.facts.rolling.is_some() => {
                (format!("the controller deletes the old pod of {name}"), update)
            }
            Action::Replace => ("the old pod is deleted".to_owned(), update),
            Action::Available => (format!("{name} is available"), None),
            Action::Place => (format!("the scheduler places it on {node}"), wanted),
            Action::Start => (format!("its container starts on {node}"), None),
            Action::Refuse => (format!("it cannot start on {node}; someone deletes the pod"), None),
            Action::Tell => {
                (format!("the kubelet of {node} tells the container to stop; it still runs"), None)
            }
            Action::End if scenario.facts.actors[usize::from(step.actor)].forgets() => {
                let forgets = workload.forgets.scaled.as_ref().or(workload.forgets.deleted.as_ref());
                let words =
                    format!("the container of {name} on {node} ends, and its pod is gone, with its claim");
                (words, forgets)
            }
            Action::End => (format!("the container of {name} on {node} ends, and its pod is gone"), None),
            Action::Notice => {
                (format!("{node} is unreachable for 300 s: its pods are marked Terminating"), None)
            }
            Action::Remove => (format!("{} is scaled to 0", workload.name), None),
            Action::Deploy => (format!("{} is scaled up again", workload.name), None),
            Action::Unlabel => (format!("the label is removed from {node}"), wanted),
            Action::MoveLabel => (format!("the label moves away from {node}"), wanted),
            Action::FlipLabel => (format!("the label of {node} changes to the other value"), wanted),
            Action::Label => (format!("the label of {node} is set again"), wanted),
            Action::KillAgent => (format!("the kubelet of {node} dies; its containers keep running"), None),
            Action::AgentBack => (format!("the kubelet of {node} is back"), None),
            Action::Drain => (format!("{node} is drained: its pods are evicted"), None),
            Action::Undrain => (format!("{node} is uncordoned"), None),
            Action::Crash => (format!("the pod of {name} is deleted or evicted"), None),
            Action::Force => (
                format!(
                    "kubectl delete pod --force: the object of {name} is gone, but its container keeps running"
                ),
                None,
            ),
            _ => (story::common(scenario, step)?, None),
        };
        Some(reported)
    }

    fn fix<'w>(&self, scenario: &Scenario<'w>, breach: &Breach, trace: &[(Step, State)]) -> (&'w At, String) {
        let actor = &scenario.actors[usize::from(breach.actor)];
        let workload = actor.workload;
        let mount = breach.mount.and_then(|m| actor.mounts.get(usize::from(m))).copied();
        let came = |action| trace.iter().any(|(s, _)| s.action == action);
        let at_mount = mount.map_or(&workload.at, |m| &m.at);
        let update = workload.update.at.as_ref().unwrap_or(&workload.at);
        let volume = matches!(mount.map(|m| &m.source), Some(Source::Volume { .. }));
        if breach.kind == BreachKind::Empty && volume {
            let scaled = workload.forgets.scaled.as_ref().filter(|_| !came(Action::Again));
            if let Some(at) = scaled {
                return (at, "whenScaled: Retain".to_owned());
            }
            if let Some(at) = &workload.forgets.deleted {
                return (at, "whenDeleted: Retain".to_owned());
            }
        }
        // A class that creates directories binds them to no node.
        let loose =
            matches!(mount.map(|m| &m.source), Some(Source::Host { path, .. }) if !path.starts_with('/'));
        if loose && breach.kind != BreachKind::Two {
            let words = "storageClassName of a class that ties its volumes to a node, or reaches all nodes";
            return (at_mount, words.to_owned());
        }
        if came(Action::Unmount) {
            return (
                at_mount,
                "type: Directory, with a path inside the mount: nothing creates it while the disk is not mounted"
                    .to_owned(),
            );
        }
        if scenario.facts.hazard == Hazard::Neighbour && breach.kind != BreachKind::Empty {
            let read = mount.map(|_| "readOnly: true in volumeMounts".to_owned());
            return (at_mount, scenario.apart("a path or claim of its own", read));
        }
        if scenario.actors.len() > 1 && std::ptr::eq(workload, scenario.actors[0].workload) {
            return (&workload.at, own_volume(workload.kind).to_owned());
        }
        if breach.kind != BreachKind::Two {
            let set = match workload.kind {
                Kind::StatefulSet => "a claim per member (volumeClaimTemplates)",
                _ => "kind: StatefulSet with a claim per member (volumeClaimTemplates)",
            };
            let words = format!(
                "{set}, or a local volume with nodeAffinity: hostPath stays behind when the pod moves"
            );
            return (at_mount, words);
        }
        let claim = matches!(mount.map(|m| &m.source), Some(Source::Volume { name, .. }) if name.starts_with("claim "));
        let fenced = matches!(
            mount.map(|m| &m.source),
            Some(Source::Volume { fences, name, .. }) if *fences != Fences::Never && name.starts_with("claim ")
        );
        match workload.kind {
            // The update is what brings the second pod on its own.
            Kind::Replicas
                if workload.update.order == Order::StartFirst && fenced && workload.members.len() == 1 =>
            {
                (&workload.at, "strategy: {type: Recreate}".to_owned())
            }
            Kind::Replicas if claim => {
                (&workload.at, "kind: StatefulSet with serviceName, and updateStrategy in place of strategy: it makes no second pod of one name; and accessModes: [ReadWriteOncePod]".to_owned())
            }
            Kind::Replicas | Kind::Pod | Kind::Job => {
                (&workload.at, "kind: StatefulSet with serviceName, and updateStrategy in place of strategy: it makes no second pod of one name".to_owned())
            }
            _ if workload.update.order == Order::StartFirst => {
                (update, "rollingUpdate: {maxSurge: 0, maxUnavailable: 1}".to_owned())
            }
            _ => (
                &workload.at,
                "required podAntiAffinity on kubernetes.io/hostname against its own label, which terminating pods still have".to_owned(),
            ),
        }
    }

    fn unstick<'w>(&self, scenario: &Scenario<'w>, _way: &[(Step, State)]) -> (&'w At, String) {
        let workload = scenario.actors[0].workload;
        let at = workload.update.at.as_ref().unwrap_or(&workload.at);
        let fix = match workload.kind {
            Kind::Replicas => "strategy: {type: Recreate}",
            _ => "rollingUpdate: {maxSurge: 0, maxUnavailable: 1}",
        };
        (at, fix.to_owned())
    }
}
