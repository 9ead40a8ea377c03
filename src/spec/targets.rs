//! The block `targets`, as written.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::allowed::{
    DOCKER, ENGINE, FLEET, LABEL_KEY, LABEL_VALUE, NAME, NAMESPACE, NO_OVERLAY, keys, kubernetes,
};
use super::clients::ClientSpec;
use super::parts::{Pin, UnitOption};

/// The orchestrators to emit files for.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TargetsSpec {
    /// Settings for Kubernetes.
    pub kubernetes: Option<KubernetesSpec>,
    /// Settings for CoreOS fleet.
    pub fleet: Option<FleetSpec>,
    /// Settings for Docker Swarm.
    pub swarm: Option<SwarmSpec>,
}

/// Additional settings in the notation of the orchestrator.
pub type Raw = serde_json::Map<String, serde_json::Value>;

/// Settings for Kubernetes.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KubernetesSpec {
    /// The oldest Kubernetes version that must accept the files, "1.25" to "1.37".
    ///
    /// - Kubernetes: no field. It decides which fields berthc may use.
    #[schemars(pattern(kubernetes()), extend("examples" = ["1.34"]))]
    pub version: Option<String>,
    /// The namespace of all objects.
    ///
    /// - Kubernetes: `metadata.namespace` of all objects. berthc does not emit the Namespace itself.
    #[schemars(pattern(NAMESPACE), length(max = 63), extend("examples" = ["databases"]))]
    pub namespace: Option<String>,
    /// The access mode of the volumes for directories of pinned members. With ReadWriteOncePod (from
    /// 1.27 on), the kubelet refuses a second pod also after a forced deletion.
    ///
    /// - Kubernetes: `accessModes` of local volumes and their claims.
    #[schemars(extend("default" = "ReadWriteOnce"), extend("examples" = ["ReadWriteOncePod"]))]
    pub access: Option<Access>,
    /// Fields to add to the pod spec.
    ///
    /// - Kubernetes: fields of `spec.template.spec`, merged with those of berthc. A field that berthc sets
    ///   is an error.
    #[schemars(extend("examples" = [{ "priorityClassName": "databases" }]))]
    pub pod: Option<Raw>,
    /// Fields to add to the container of the member.
    ///
    /// - Kubernetes: fields of the container of the member. A field that berthc sets is an error.
    #[schemars(extend("examples" = [{ "workingDir": "/srv" }]))]
    pub container: Option<Raw>,
    /// Fields to add to the spec of the client Service.
    ///
    /// - Kubernetes: fields of the spec of the Service `SERVICE-client`.
    #[schemars(extend("examples" = [{ "sessionAffinity": "ClientIP" }]))]
    pub service: Option<Raw>,
    /// Annotations of single objects, with any text as value.
    pub annotations: Option<AnnotationsSpec>,
    /// Whether a NetworkPolicy keeps others away from the ports. Members let in one another, the services
    /// under `clients`, and for the ports for clients also the others there.
    ///
    /// - Kubernetes: a NetworkPolicy with `ingress`, if the service has ports. It needs a network plugin
    ///   that enforces policies. What comes from the node of a pod, such as the probes of its kubelet, always
    ///   gets in. Members on the network of their node have none: for them its effect is undefined.
    #[schemars(extend("default" = true, "examples" = [false]))]
    pub network_policy: Option<bool>,
    /// Who connects to the ports for clients. Without this list these are all pods of the namespace, or
    /// everyone if the client Service is of the type LoadBalancer or NodePort. A service by its name, in any
    /// namespace, also connects to the ports for peers.
    ///
    /// - Kubernetes: `from` of the NetworkPolicy.
    #[schemars(extend("examples" = [["shop", { "namespace": "monitoring", "pods": { "app": "prometheus" } }]]))]
    pub clients: Option<Vec<ClientSpec>>,
    /// The service account of the pods, which then get its token. Without it they get no token.
    ///
    /// - Kubernetes: `serviceAccountName`, and `automountServiceAccountToken: true`. berthc emits neither the
    ///   ServiceAccount nor its rights.
    #[schemars(pattern(NAMESPACE), length(max = 63), extend("examples" = ["prometheus"]))]
    pub service_account: Option<String>,
}

/// Annotations of single objects of Kubernetes.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AnnotationsSpec {
    /// Annotations of the StatefulSet or the DaemonSet. A change restarts nothing.
    ///
    /// - Kubernetes: `metadata.annotations` of the StatefulSet or DaemonSet.
    #[schemars(transform = keys(LABEL_KEY), extend("examples" = [{ "argocd.argoproj.io/sync-wave": "1" }]))]
    pub workload: Option<IndexMap<String, String>>,
    /// Annotations of the pods, besides those in `annotations`. They replace those with the same key.
    ///
    /// - Kubernetes: `spec.template.metadata.annotations`.
    #[schemars(transform = keys(LABEL_KEY), extend("examples" = [{ "sidecar.istio.io/inject": "false" }]))]
    pub pod: Option<IndexMap<String, String>>,
    /// Annotations of the client Service, or of the Service of an external service.
    ///
    /// - Kubernetes: `metadata.annotations` of the Service `SERVICE-client`.
    #[schemars(transform = keys(LABEL_KEY), extend("examples" = [{ "external-dns.alpha.kubernetes.io/hostname": "db.example.com" }]))]
    pub service: Option<IndexMap<String, String>>,
}

/// The access modes of a local volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Access {
    /// Pods of one node may use it.
    ReadWriteOnce,
    /// One pod may use it.
    ReadWriteOncePod,
}

/// Settings for fleet.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FleetSpec {
    /// The fleet version, "1.0.0" or "0.13.0".
    ///
    /// - fleet: no line. It decides what a unit may hold.
    #[schemars(pattern(FLEET), extend("examples" = ["1.0.0"]))]
    pub version: Option<String>,
    /// The DNS domain of the members. Each member is reached at `MEMBER.DOMAIN`, which the
    /// operator's DNS must resolve.
    ///
    /// - fleet: the end of the addresses of members in values.
    #[schemars(pattern(NAME), extend("examples" = ["fleet.example.com"]))]
    pub domain: Option<String>,
    /// The `pin` of the members for fleet only.
    ///
    /// - fleet: the same as `pin` in `members`.
    #[schemars(extend("examples" = ["orders-db"]))]
    pub pin: Option<Pin>,
    /// The docker version on the machines; the default is "17.09".
    ///
    /// - fleet: no line. It decides which options of `docker run` berthc may use.
    #[schemars(pattern(DOCKER), extend("default" = "17.09"), extend("examples" = ["20.10"]))]
    pub docker: Option<String>,
    /// Options to add to the unit, by section.
    ///
    /// - fleet: options of the sections `[Unit]`, `[Service]` and `[X-Fleet]`. A few are allowed; the error
    ///   for another names them.
    #[schemars(extend("examples" = [{ "Service": { "LimitNOFILE": "65536" } }]))]
    pub unit: Option<IndexMap<String, IndexMap<String, UnitOption>>>,
}

/// Settings for Docker Swarm.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SwarmSpec {
    /// The oldest version of the docker engine on the nodes, "20.10" or "23" to "29".
    ///
    /// - Swarm: `version` of the stack file. It decides which fields berthc may use.
    #[schemars(pattern(ENGINE), extend("examples" = ["29.0"]))]
    pub engine: Option<String>,
    /// The name of an existing attachable overlay network.
    ///
    /// - Swarm: the external network of the services.
    #[schemars(pattern(LABEL_VALUE), length(max = 63), extend("not" = { "enum": NO_OVERLAY }), extend("examples" = ["databases"]))]
    pub network: Option<String>,
    /// The `pin` of the members for Swarm only.
    ///
    /// - Swarm: the same as `pin` in `members`.
    #[schemars(extend("examples" = ["orders-db"]))]
    pub pin: Option<Pin>,
    /// The host port that locks the node, instead of the first port in `ports`.
    ///
    /// - Swarm: the first entry of `ports`.
    #[schemars(range(min = 1), extend("examples" = [5432]))]
    pub lock: Option<u16>,
    /// `csi`: use cluster volumes instead of plugin volumes (engine 23 and newer).
    ///
    /// - Swarm: external cluster volumes, and the command that makes each.
    #[schemars(extend("examples" = ["csi"]))]
    pub volume: Option<SwarmVolume>,
    /// Fields to add to the service.
    ///
    /// - Swarm: keys of the service of each member. A key that berthc sets is an error.
    #[schemars(extend("examples" = [{ "init": true }]))]
    pub service: Option<Raw>,
}

/// The kinds of network volume on Swarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SwarmVolume {
    /// A CSI cluster volume with scope single and sharing none.
    Csi,
}
