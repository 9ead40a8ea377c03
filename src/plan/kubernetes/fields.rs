//! The fields of a pod, a container and a Service in Kubernetes 1.25 to 1.37 (OpenAPI schemas of
//! the API, classes `PodSpec`, `Container` and `ServiceSpec`). The API server refuses any other
//! field, or drops it silently.
//!
//! Fields that are off by default in every version are left out (`gated.rs`); so is `workloadRef` of a pod,
//! which only 1.35 has.

use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::kubernetes_api as api;
use crate::model::Service;
use crate::plan::context::Context;
use crate::route;
use crate::spec::Raw;
use crate::spec::source::Route;
use crate::text::nearest::nearest;
use crate::text::units::Version;

/// The fields of one class.
pub struct Fields {
    /// The name of the class in messages.
    what: &'static str,
    /// The fields that every version has.
    always: &'static [&'static str],
    /// The newer fields, each with the first version that has it.
    since: &'static [(&'static str, Version)],
}

/// The fields of a pod.
pub const POD: Fields = Fields {
    what: "a pod",
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
        "hostUsers",
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
    since: &[
        ("hostnameOverride", Version::new(1, 34)),
        ("resourceClaims", Version::new(1, 26)),
        ("resources", Version::new(1, 32)),
        ("schedulingGates", Version::new(1, 26)),
    ],
};

/// The fields of a container.
pub const CONTAINER: Fields = Fields {
    what: "a container",
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
    since: &[
        ("resizePolicy", Version::new(1, 27)),
        ("restartPolicy", Version::new(1, 28)),
        ("restartPolicyRules", Version::new(1, 34)),
    ],
};

/// The fields of a Service.
pub const SERVICE: Fields = Fields {
    what: "a Service",
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
    since: &[("trafficDistribution", Version::new(1, 30))],
};

impl Fields {
    /// Reports the fields in `raw`, at the route `at`, that the class or `version` does not have.
    pub fn check(
        &self,
        context: &mut Context<'_>,
        service: &Service,
        at: &Route,
        raw: &Raw,
        version: Version,
    ) {
        let gated = |key: &str| api::gate("PodSpec", key).is_some();
        for key in raw.keys().filter(|key| !self.always.contains(&key.as_str()) && !gated(key)) {
            let since = self.since.iter().find(|(name, _)| name == key).map(|(_, since)| *since);
            if since.is_none_or(|since| version < since) {
                let place = service.key(&at.at(key));
                context.fault(match since {
                    Some(since) => self.too_new(key, since, version, service, place),
                    None => self.unknown(key, place),
                });
            }
        }
    }

    fn too_new(
        &self,
        key: &str,
        since: Version,
        version: Version,
        service: &Service,
        place: Place,
    ) -> Diagnostic {
        let message = format!("{} of Kubernetes {version} has no `{key}`", self.what);
        Diagnostic::error(Code::VersionTooOld, place, message)
            .related(service.place(&route!["targets", "kubernetes", "version"]), "required here")
            .why(format!("Kubernetes has it since {since}"))
            .fix("require a newer version", format!("version: \"{since}\""))
    }

    fn unknown(&self, key: &str, place: Place) -> Diagnostic {
        let message = format!("{} on Kubernetes has no `{key}`", self.what);
        let d = Diagnostic::error(Code::UnknownKey, place, message);
        let known = self.always.iter().chain(self.since.iter().map(|(name, _)| name));
        match nearest(key, known) {
            Some(near) => d.fix("did you mean", format!("{near}:")),
            None => d.why("the API server would refuse it, or drop it silently"),
        }
    }
}
