//! Checks annotations: text that no orchestrator interprets, under keys that nobody else writes.

use indexmap::IndexMap;

use super::checker::Checker;
use crate::code::Code;
use crate::route;
use crate::spec::source::Route;
use crate::text::names;

/// The most bytes of all keys and texts (apimachinery `pkg/api/validation/objectmeta.go`,
/// `TotalAnnotationSizeLimitB`).
const MAX_TOTAL: usize = 256 << 10;

/// The starts of keys that other programs write, and which program. The API server refuses a seccomp
/// annotation that differs from the field (kubernetes `pkg/apis/core/validation`,
/// `validateSeccompAnnotationsAndFieldsMatch`), and the kubelet does not run a pod with
/// `kubernetes.io/config.mirror` (`pkg/kubelet/types/pod_update.go`). A DaemonSet cannot be decoded
/// with a text in the generation of its template (`pkg/apis/apps/v1/conversion.go`).
const RESERVED: [(&str, &str); 7] = [
    ("berth", "berthc"),
    ("com.docker.", "docker"),
    ("container.seccomp.security.alpha.kubernetes.io/", "berthc, as the field `seccompProfile`"),
    ("deprecated.daemonset.template.generation", "Kubernetes"),
    ("kubectl.kubernetes.io/last-applied-configuration", "kubectl"),
    ("kubernetes.io/config.", "the kubelet"),
    ("seccomp.security.alpha.kubernetes.io/", "berthc, as the field `seccompProfile`"),
];

/// Checks the annotations at `route`.
pub(super) fn annotations(
    checker: &mut Checker<'_>,
    route: &Route,
    spec: Option<IndexMap<String, String>>,
) -> Vec<(String, String)> {
    let all: Vec<(String, String)> = spec.unwrap_or_default().into_iter().collect();
    for (key, _) in &all {
        let at = route.at(key);
        checker.named_key(Code::BadLabel, &at, &format!("the annotation `{key}`"), key, names::label_key);
        if let Some((_, writer)) = RESERVED.iter().find(|(start, _)| key.starts_with(start)) {
            let message = format!("the annotation `{key}` is written by {writer}");
            checker.fault_key(Code::BadLabel, &at, message);
        }
    }
    let bytes: usize = all.iter().map(|(key, text)| key.len() + text.len()).sum();
    if bytes > MAX_TOTAL {
        let message = format!("the annotations have {bytes} bytes, but at most {MAX_TOTAL} are allowed");
        checker.fault_key(Code::BadLabel, route, message);
    }
    all
}

/// Checks the annotations of all targets. On fleet and Swarm they become labels, so no label may
/// have the same key.
pub(super) fn of_members(
    checker: &mut Checker<'_>,
    spec: Option<IndexMap<String, String>>,
) -> Vec<(String, String)> {
    let root = route!["annotations"];
    let all = annotations(checker, &root, spec);
    for (key, _) in &all {
        let label = route!["labels", key];
        if checker.source.has(&label) {
            let other = checker.source.key(&label);
            let message = format!("`{key}` is both a label and an annotation");
            let fault = checker.fault_key(Code::BadLabel, &root.at(key), message);
            fault.related.push((other, "the label".into()));
            fault
                .why
                .push("on fleet and Swarm an annotation is a label, and one of them would be lost".into());
        }
    }
    all
}
