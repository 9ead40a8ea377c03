//! How Kubernetes tells a history.

use super::Narrator;
use crate::explore::facts::{Breach, How};
use crate::explore::scenario::Scene;
use crate::explore::search::{Step, What};
use crate::explore::state::State;
use crate::explore::story::{self, Told};
use crate::finding::At;
use crate::hazard::Hazard;
use crate::world::{Kind, Order, Source};

/// The narrator.
pub struct Kubernetes;

impl Narrator for Kubernetes {
    fn tell<'w>(&self, scene: &Scene<'w>, step: &Step, before: &State) -> Option<Told<'w>> {
        let actor = &scene.actors[usize::from(step.actor)];
        let (workload, name) = (actor.workload, &actor.member.name);
        let node = story::node(scene, step);
        let wanted = scene.want(actor);
        let update = workload.update.at.as_ref();
        let terminating = before.of(step.actor).any(|c| c.retired);
        let told = match step.what {
            What::Update => ("a new template is applied".to_owned(), Some(&workload.at)),
            What::Rollback => ("the old template is applied again".to_owned(), Some(&workload.at)),
            What::Again => (
                format!(
                    "{} is deleted and at once applied again; its pods terminate meanwhile",
                    workload.name
                ),
                Some(&workload.at),
            ),
            What::Create
                if workload.update.order == Order::StartFirst
                    && before.of(step.actor).any(|c| !c.retired) =>
            {
                ("the surge: a new pod is made beside the old one".to_owned(), update.or(Some(&workload.at)))
            }
            What::Create if terminating && workload.kind == Kind::Replicas => (
                format!(
                    "a ReplicaSet does not count pods that terminate: it makes another one of {}",
                    workload.name
                ),
                Some(&workload.at),
            ),
            What::Create => (format!("{} makes a pod", workload.name), Some(&workload.at)),
            What::Replace if workload.update.order == Order::ByHand => {
                ("someone deletes the old pod, so that the new template takes effect".to_owned(), update)
            }
            What::Replace => ("the old pod is deleted".to_owned(), update),
            What::Place => (format!("the scheduler places it on {node}"), wanted),
            What::Start => (format!("its container starts on {node}"), None),
            What::Refuse => (format!("it cannot start on {node}; someone deletes the pod"), None),
            What::Tell => {
                (format!("the kubelet of {node} asks the container to stop; it takes its time"), None)
            }
            What::End => (format!("the container of {name} on {node} ends, and its pod is gone"), None),
            What::Notice => {
                (format!("{node} is unreachable for 300 s: its pods are marked Terminating"), None)
            }
            What::Remove => (format!("{} is scaled to 0", workload.name), None),
            What::Deploy => (format!("{} is scaled up again", workload.name), None),
            What::Unlabel => (format!("the label is taken from {node}"), wanted),
            What::MoveLabel => (format!("the label is moved away from {node}"), wanted),
            What::FlipLabel => (format!("the label of {node} takes the other value"), wanted),
            What::Label => (format!("the label of {node} is set again"), wanted),
            What::KillAgent => (format!("the kubelet of {node} dies; its containers run on"), None),
            What::AgentBack => (format!("the kubelet of {node} is back"), None),
            What::Drain => (format!("{node} is drained: its pods are evicted"), None),
            What::Undrain => (format!("{node} is uncordoned"), None),
            What::Crash => (format!("the pod of {name} is deleted or evicted"), None),
            What::Force => (
                format!("kubectl delete pod --force: the object of {name} is gone, its container runs on"),
                None,
            ),
            _ => (story::common(scene, step)?, None),
        };
        Some(told)
    }

    fn mend<'w>(&self, scene: &Scene<'w>, breach: &Breach, way: &[(Step, State)]) -> (&'w At, String) {
        let actor = &scene.actors[usize::from(breach.actor)];
        let workload = actor.workload;
        let mount = breach.mount.and_then(|m| actor.mounts.get(usize::from(m))).copied();
        let came = |what| way.iter().any(|(s, _)| s.what == what);
        let at_mount = mount.map_or(&workload.at, |m| &m.at);
        let update = workload.update.at.as_ref().unwrap_or(&workload.at);
        let volume = matches!(mount.map(|m| &m.source), Some(Source::Volume { .. }));
        if came(What::Unmount) {
            return (
                at_mount,
                "type: Directory, with a path inside the mount: nothing makes it when the disk is away"
                    .to_owned(),
            );
        }
        if scene.facts.hazard == Hazard::Neighbour {
            return (at_mount, "a path or claim of its own".to_owned());
        }
        if breach.how != How::Two {
            let words = "a claim per member (volumeClaimTemplates), or a local volume with nodeAffinity: hostPath stays behind when the pod moves";
            return (at_mount, words.to_owned());
        }
        match workload.kind {
            Kind::Replicas if scene.actors.len() > 1 => {
                (&workload.at, "kind: StatefulSet with volumeClaimTemplates: each replica its own volume".to_owned())
            }
            Kind::Replicas if volume => {
                (&workload.at, "kind: StatefulSet, which makes no second pod of one name; and accessModes: [ReadWriteOncePod]".to_owned())
            }
            Kind::Replicas | Kind::Pod => {
                (&workload.at, "kind: StatefulSet, which makes no second pod of one name".to_owned())
            }
            _ if workload.update.order == Order::StartFirst => {
                (update, "rollingUpdate: { maxSurge: 0, maxUnavailable: 1 }".to_owned())
            }
            _ => (
                &workload.at,
                "required podAntiAffinity on kubernetes.io/hostname against its own label, which terminating pods still hold".to_owned(),
            ),
        }
    }

    fn unstick<'w>(&self, scene: &Scene<'w>, _way: &[(Step, State)]) -> (&'w At, String) {
        let workload = scene.actors[0].workload;
        let at = workload.update.at.as_ref().unwrap_or(&workload.at);
        (at, "rollingUpdate: { maxSurge: 0, maxUnavailable: 1 }".to_owned())
    }
}
