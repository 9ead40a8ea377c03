//! The fields of a pod, a container and a Service in Kubernetes 1.25 to 1.37 (OpenAPI schemas of
//! the API, classes `PodSpec`, `Container` and `ServiceSpec`). The API server refuses any other
//! field, or drops it silently.
//!
//! `gated.rs` judges the fields behind feature gates. `workloadRef` of a pod is left out: only 1.35 has it.

use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::kubernetes_api as api;
use crate::model::Service;
use crate::plan::context::Context;
use crate::spec::Raw;
use crate::spec::source::Route;
use crate::text::nearest::nearest;

/// The fields of one class.
pub struct Fields {
    /// The name of the class in messages.
    what: &'static str,
    /// The same in the API.
    of: &'static str,
    /// The fields that every version has.
    always: &'static [&'static str],
}

/// The fields of a pod.
pub const POD: Fields = Fields {
    what: "a pod",
    of: "PodSpec",
    always: &[
        "activeDeadlineSeconds",
        "affinity",
        "automountServiceAccountToken",
        "containers",
        "dnsConfig",
        "dnsPolicy",
        "enableServiceLinks",
        "ephemeralContainers",
        "hostAliases",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostname",
        "imagePullSecrets",
        "initContainers",
        "nodeName",
        "nodeSelector",
        "os",
        "overhead",
        "preemptionPolicy",
        "priority",
        "priorityClassName",
        "readinessGates",
        "restartPolicy",
        "runtimeClassName",
        "schedulerName",
        "securityContext",
        "serviceAccount",
        "serviceAccountName",
        "setHostnameAsFQDN",
        "shareProcessNamespace",
        "subdomain",
        "terminationGracePeriodSeconds",
        "tolerations",
        "topologySpreadConstraints",
        "volumes",
    ],
};

/// The fields of a container.
pub const CONTAINER: Fields = Fields {
    what: "a container",
    of: "Container",
    always: &[
        "args",
        "command",
        "env",
        "envFrom",
        "image",
        "imagePullPolicy",
        "lifecycle",
        "livenessProbe",
        "name",
        "ports",
        "readinessProbe",
        "resources",
        "securityContext",
        "startupProbe",
        "stdin",
        "stdinOnce",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "tty",
        "volumeDevices",
        "volumeMounts",
        "workingDir",
    ],
};

/// The fields of a Service.
pub const SERVICE: Fields = Fields {
    what: "a Service",
    of: "ServiceSpec",
    always: &[
        "allocateLoadBalancerNodePorts",
        "clusterIP",
        "clusterIPs",
        "externalIPs",
        "externalName",
        "externalTrafficPolicy",
        "healthCheckNodePort",
        "internalTrafficPolicy",
        "ipFamilies",
        "ipFamilyPolicy",
        "loadBalancerClass",
        "loadBalancerIP",
        "loadBalancerSourceRanges",
        "ports",
        "publishNotReadyAddresses",
        "selector",
        "sessionAffinity",
        "sessionAffinityConfig",
        "type",
    ],
};

impl Fields {
    /// Reports the fields in `raw`, at the route `at`, that the class does not have in any version.
    pub fn check(&self, context: &mut Context<'_>, service: &Service, at: &Route, raw: &Raw) {
        let known = |key: &str| self.always.contains(&key) || api::gate(self.of, key).is_some();
        for key in raw.keys().filter(|key| !known(key)) {
            context.fault(self.unknown(key, service.key(&at.at(key))));
        }
    }

    fn unknown(&self, key: &str, place: Place) -> Diagnostic {
        let message = format!("{} on Kubernetes has no `{key}`", self.what);
        let d = Diagnostic::error(Code::UnknownKey, place, message);
        let gated = api::GATES.iter().filter(|g| g.of == self.of && g.on.is_some()).map(|g| &g.field);
        match nearest(key, self.always.iter().chain(gated)) {
            Some(near) => d.fix("did you mean", format!("{near}:")),
            None => d.why("the API server would refuse it, or drop it silently"),
        }
    }
}
