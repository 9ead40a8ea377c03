//! The fields of the API that a feature gate turns on, by the history of the gates in kubernetes 1.37.2
//! (`pkg/features/kube_features.go`). While its gate is off, the API server drops a field even under strict
//! validation, without a warning (`pkg/api/pod/util.go`, `dropDisabled…`; tried on 1.37.2).

/// A field behind a feature gate. The stages are minor versions of Kubernetes 1.
#[derive(Debug)]
pub struct Gated {
    /// The type that has the field.
    pub of: &'static str,
    /// The field.
    pub field: &'static str,
    /// The feature gate.
    pub gate: &'static str,
    /// The first version that has the gate.
    pub since: u32,
    /// The first version that has it on by default.
    pub on: Option<u32>,
    /// The first version in which it is stable.
    pub stable: Option<u32>,
}

/// A gate that is off by default in every version up to 1.37.
const fn off(of: &'static str, field: &'static str, gate: &'static str, since: u32) -> Gated {
    Gated { of, field, gate, since, on: None, stable: None }
}

/// A gate that is on by default since a version, and perhaps stable.
const fn on(of: &'static str, field: &'static str, gate: &'static str, stages: (u32, u32, u32)) -> Gated {
    let (since, on, stable) = stages;
    Gated { of, field, gate, since, on: Some(on), stable: if stable == NOT { None } else { Some(stable) } }
}

/// Not stable yet.
const NOT: u32 = 0;

/// The gated fields that a raw addition may have. `docs/kubernetes-fields.md` has this table.
pub const GATES: [Gated; 32] = [
    off("ClusterTrustBundleProjection", "user", "AtomicWriteVolumeUserFields", 37),
    off("ConfigMapVolumeSource", "defaultUser", "AtomicWriteVolumeUserFields", 37),
    on("Container", "resizePolicy", "InPlacePodVerticalScaling", (27, 33, 35)),
    on("Container", "restartPolicy", "SidecarContainers", (28, 29, 33)),
    on("Container", "restartPolicyRules", "ContainerRestartRules", (34, 35, NOT)),
    off("DownwardAPIVolumeFile", "user", "AtomicWriteVolumeUserFields", 37),
    off("DownwardAPIVolumeSource", "defaultUser", "AtomicWriteVolumeUserFields", 37),
    off("EmptyDirVolumeSource", "mode", "EmptyDirVolumeMode", 37),
    on("EnvVarSource", "fileKeyRef", "EnvFiles", (34, 35, NOT)),
    off("GRPCAction", "mode", "GRPCContainerProbeTLS", 37),
    off("HTTPGetAction", "protocol", "H2CContainerProbe", 37),
    off("KeyToPath", "user", "AtomicWriteVolumeUserFields", 37),
    off("Lifecycle", "stopSignal", "ContainerStopSignals", 33),
    on("PersistentVolumeClaimSpec", "volumeAttributesClassName", "VolumeAttributesClass", (29, 34, 34)),
    off("PodCertificateProjection", "user", "AtomicWriteVolumeUserFields", 37),
    on("PodSecurityContext", "seLinuxChangePolicy", "SELinuxChangePolicy", (32, 33, 36)),
    on("PodSecurityContext", "supplementalGroupsPolicy", "SupplementalGroupsPolicy", (31, 33, 35)),
    off("PodSpec", "evictionResponders", "EvictionRequestAPI", 37),
    on("PodSpec", "hostUsers", "UserNamespacesSupport", (25, 33, 36)),
    on("PodSpec", "resourceClaims", "DynamicResourceAllocation", (26, 34, 34)),
    on("PodSpec", "resources", "PodLevelResources", (32, 34, NOT)),
    on("PodSpec", "schedulingGates", "PodSchedulingReadiness", (26, 27, 30)),
    off("PodSpec", "schedulingGroup", "GenericWorkload", 35),
    off("ProjectedVolumeSource", "defaultUser", "AtomicWriteVolumeUserFields", 37),
    off("SecretVolumeSource", "defaultUser", "AtomicWriteVolumeUserFields", 37),
    off("ServiceAccountTokenProjection", "user", "AtomicWriteVolumeUserFields", 37),
    on("ServiceSpec", "trafficDistribution", "ServiceTrafficDistribution", (30, 31, 33)),
    on("Volume", "image", "ImageVolume", (31, 35, 36)),
    off("VolumeMount", "bindMountOptions", "VolumeBindMountOptions", 37),
    on("VolumeMount", "recursiveReadOnly", "RecursiveReadOnlyMounts", (30, 31, 33)),
    on("VolumeProjection", "clusterTrustBundle", "ClusterTrustBundleProjection", (29, 37, 37)),
    on("VolumeProjection", "podCertificate", "PodCertificateRequest", (34, 37, 37)),
];

/// Returns the gate of `field` of the type `of`.
#[must_use]
pub fn gate(of: &str, field: &str) -> Option<&'static Gated> {
    GATES.iter().find(|g| (g.of, g.field) == (of, field))
}

/// Returns the fields of the type `of` that the server drops in every version up to 1.37.
pub fn dropped(of: &str) -> impl Iterator<Item = &'static Gated> {
    GATES.iter().filter(move |gated| gated.of == of && gated.on.is_none())
}
