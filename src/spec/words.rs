//! Keys of Kubernetes and Compose that users try in a spec, and the fields of a spec that replace
//! them.

use super::node::{Kind, Node};

/// A key of Kubernetes or Compose, and the field of a spec that replaces it.
const WORDS: [(&str, &str); 38] = [
    ("affinity", "`members.pin`, `members.on` and `apart_from`; more under `targets.kubernetes.pod`"),
    ("annotations", "`annotations` at the top level, or under `targets.kubernetes.annotations`"),
    ("configs", "`files`"),
    ("constraints", "`members.pin`, or `members.on` of a service with `per: node`"),
    ("containers", "`helpers` for containers beside the member"),
    ("depends_on", "nothing: members start in any order and wait for each other"),
    ("deploy", "`members`, `resources` and `update`"),
    ("emptyDir", "`tmpfs`, or `targets.kubernetes.pod.volumes`"),
    ("entrypoint", "`command`"),
    ("environment", "`env`"),
    ("exec", "`run` in `health.ready` and `health.live`"),
    ("healthcheck", "`health`"),
    ("hostNetwork", "`exclusive.address: node`"),
    ("hostPath", "`host` of a directory under `exclusive.data`"),
    ("httpGet", "`http` and `port` in `health.ready` and `health.live`"),
    ("imagePullSecrets", "`targets.kubernetes.pod.imagePullSecrets`"),
    ("initContainers", "`targets.kubernetes.pod.initContainers`, without the data"),
    ("lifecycle", "`stop.before`"),
    ("limits", "`resources.cpu` and `resources.memory`, which are limit and request"),
    ("livenessProbe", "`health.live`"),
    ("namespace", "`targets.kubernetes.namespace`"),
    ("networks", "`targets.swarm.network`"),
    ("nodeSelector", "`members.pin`, or `members.on` of a service with `per: node`"),
    ("placement", "`members.pin`, or `members.on` of a service with `per: node`"),
    ("preStop", "`stop.before`"),
    ("readinessProbe", "`health.ready`"),
    ("replicas", "`members.count`"),
    ("requests", "`resources.cpu` and `resources.memory`, which are limit and request"),
    ("restart", "nothing: a member that ends is always started again"),
    ("securityContext", "`user`; more under `targets.kubernetes.container.securityContext`"),
    ("sidecar", "`helpers`"),
    ("sidecars", "`helpers`"),
    ("startupProbe", "`health.start`"),
    ("stop_grace_period", "`stop.grace`"),
    ("storageClassName", "`class` of a `volume` under `exclusive.data`"),
    ("tcpSocket", "`tcp` in `health.ready` and `health.live`"),
    ("terminationGracePeriodSeconds", "`stop.grace`"),
    ("tolerations", "`targets.kubernetes.pod.tolerations`"),
];

/// Keys that are unknown only at the top level of a spec.
const TOP: [(&str, &str); 4] = [
    ("data", "`exclusive.data`"),
    ("ports", "`exclusive.ports`"),
    ("volumeMounts", "`mount` of a directory under `exclusive.data`"),
    ("volumes", "`exclusive.data` for data; others under `targets.kubernetes.pod.volumes`"),
];

/// Returns the field of a spec that replaces `key`. `top` says whether `key` is at the top level.
pub(super) fn here(key: &str, top: bool) -> Option<&'static str> {
    let all = WORDS.iter().chain(TOP.iter().filter(|_| top));
    all.into_iter().find(|(word, _)| *word == key).map(|(_, here)| *here)
}

/// Returns the kind of the document `root`, if it belongs to another program.
pub fn foreign(root: &Node) -> Option<&'static str> {
    let Kind::Map(_) = &root.kind else { return None };
    let has = |key: &str| root.get(key).is_some();
    if has("service") {
        None
    } else if has("apiVersion") && has("kind") {
        Some("a manifest of Kubernetes")
    } else if root.get("services").is_some_and(|s| matches!(s.kind, Kind::Map(_))) {
        Some("a compose or stack file")
    } else {
        None
    }
}
