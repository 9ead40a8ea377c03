//! The emitted objects, as plain data. They contain every decision; the templates under
//! `templates/kubernetes/` only lay them out.

mod meta;
mod more;
mod pod;

use serde::Serialize;

use crate::plan::context::Accepted;
pub use meta::{Labels, Meta, Origin};
pub use more::{ContainerMore, PodMore, ServiceMore};
pub use pod::{
    Apart, ConfigVolume, Container, ContainerPort, Expression, HostPath, Mount, Pod, Probe, RunAs,
    SecretFile, SecretKey, SecretSource, Secrets, Spread, Toleration, Variable, Volume,
};

/// Several objects in one file.
#[derive(Debug, Serialize)]
pub struct All<T> {
    /// The names of the specs.
    pub origin: Origin,
    /// The objects, in order.
    pub all: Vec<T>,
}

/// One object in one file.
#[derive(Debug, Serialize)]
pub struct One<T> {
    /// The names of the specs.
    pub origin: Origin,
    /// The waivers of the spec.
    pub accepted: Vec<Accepted>,
    /// The object.
    pub one: T,
}

/// A StatefulSet, for counted members. The pod `service-id` exists at most once: its successor is
/// created after the object is gone, also in a partition (kubernetes `pkg/controller/statefulset`).
#[derive(Debug, Serialize)]
pub struct StatefulSet {
    /// The name, at most 52 characters, because the name and a hash form one label.
    pub meta: Meta,
    /// The name of the headless Service for the names of the members.
    pub service: String,
    /// The number of members.
    pub replicas: u32,
    /// The first id, unless it is 0 (KEP-3335).
    pub start: Option<u32>,
    /// The pod management policy: whether members start one by one.
    pub management: &'static str,
    /// The update strategy.
    pub update: Update,
    /// The seconds that a pod must be ready before the next one is updated.
    pub min_ready: u32,
    /// The retention policy of claims (KEP-1847); `None` for versions without it.
    pub retention: Option<&'static str>,
    /// The selector of its pods.
    pub selector: Labels,
    /// The pod template.
    pub pod: Pod,
    /// The claim templates.
    pub claims: Vec<Claim>,
}

/// A DaemonSet, for one member on each node. It creates no pod on a node that has a pod of the same
/// DaemonSet, also while that pod terminates (kubernetes `pkg/controller/daemon`). Anti-affinity
/// keeps all other pods of the service away.
#[derive(Debug, Serialize)]
pub struct DaemonSet {
    /// The name, at most 57 characters, because pod names add more.
    pub meta: Meta,
    /// The update strategy.
    pub update: Update,
    /// The seconds that a pod must be ready before the next one is updated.
    pub min_ready: u32,
    /// The selector of its pods.
    pub selector: Labels,
    /// The pod template.
    pub pod: Pod,
}

/// An update strategy.
#[derive(Debug, Serialize)]
pub struct Update {
    /// The type, `RollingUpdate` or `OnDelete`.
    pub kind: &'static str,
    /// The settings of a rolling update.
    pub rolling: Vec<(&'static str, u32)>,
    /// The command that an operator or a script runs between two members.
    pub gate: Option<String>,
}

/// A ConfigMap that never changes: its name contains a hash of its content.
#[derive(Debug, Serialize)]
pub struct ConfigMap {
    /// The name and labels.
    pub meta: Meta,
    /// Whether the API server refuses changes.
    pub immutable: bool,
    /// The keys and texts.
    pub files: Vec<(String, String)>,
}

/// A claim template.
#[derive(Debug, Serialize)]
pub struct Claim {
    /// The name, which is that of the volume.
    pub name: String,
    /// The access mode.
    pub access: &'static str,
    /// The StorageClass.
    pub class: String,
    /// The backend of a StorageClass that berthc does not emit. No field of Kubernetes names it.
    pub backend: Option<String>,
    /// The size, as a quantity.
    pub size: String,
}

/// A StorageClass.
#[derive(Debug, Serialize)]
pub struct StorageClass {
    /// The name and labels.
    pub meta: Meta,
    /// The provisioner.
    pub provisioner: String,
    /// The parameters, in the notation of the provisioner.
    pub parameters: Vec<(String, String)>,
    /// The reclaim policy: what happens to a volume whose claim is gone.
    pub reclaim: &'static str,
    /// The volume binding mode.
    pub binding: &'static str,
    /// Whether volumes may grow.
    pub expansion: bool,
    /// The zones in which volumes may be created.
    pub zones: Option<Expression>,
}

/// A local PersistentVolume, reserved for one claim.
#[derive(Debug, Serialize)]
pub struct PersistentVolume {
    /// The name and labels.
    pub meta: Meta,
    /// The access mode.
    pub access: &'static str,
    /// The capacity, as a quantity.
    pub capacity: String,
    /// The reclaim policy.
    pub reclaim: &'static str,
    /// The StorageClass.
    pub class: String,
    /// The volume mode, `Filesystem`.
    pub mode: &'static str,
    /// The directory of the node.
    pub path: String,
    /// The claim that may bind to it.
    pub claim: String,
    /// The namespace of the claim.
    pub namespace: String,
    /// The node.
    pub node: Expression,
}

/// A Service.
#[derive(Debug, Serialize)]
pub struct ServiceObject {
    /// The name and labels.
    pub meta: Meta,
    /// The DNS name of an external service.
    pub external: Option<String>,
    /// Whether it has no address of its own, only the names of its members.
    pub headless: bool,
    /// Whether it publishes the names of members that are not ready.
    pub not_ready: bool,
    /// The selector of the members; empty for an external service.
    pub selector: Labels,
    /// The ports.
    pub ports: Vec<ServicePort>,
    /// The fields that the spec adds.
    pub more: ServiceMore,
}

/// A port of a Service.
#[derive(Debug, Serialize)]
pub struct ServicePort {
    /// The name.
    pub name: String,
    /// The number.
    pub number: u16,
    /// The name of the container port; `None` for an external service.
    pub target: Option<String>,
    /// The protocol, `TCP`.
    pub protocol: &'static str,
}

/// The addresses of a Service without a selector.
#[derive(Debug, Serialize)]
pub struct EndpointSlice {
    /// The name and the labels, which name the Service.
    pub meta: Meta,
    /// The address family, `IPv4` or `IPv6`.
    pub family: &'static str,
    /// The address and hostname of each endpoint.
    pub endpoints: Vec<(String, Option<String>)>,
    /// The ports.
    pub ports: Vec<ServicePort>,
}

/// A PodDisruptionBudget.
#[derive(Debug, Serialize)]
pub struct DisruptionBudget {
    /// The name and labels.
    pub meta: Meta,
    /// The number of members that may be evicted at once.
    pub max_unavailable: u32,
    /// The selector of the members.
    pub selector: Labels,
}

/// A NetworkPolicy.
#[derive(Debug, Serialize)]
pub struct NetworkPolicy {
    /// The name and labels.
    pub meta: Meta,
    /// The selector of the members.
    pub selector: Labels,
    /// Who may connect; without a rule, nobody.
    pub rules: Vec<Ingress>,
}

/// A rule of a NetworkPolicy.
#[derive(Debug, Serialize)]
pub struct Ingress {
    /// Whether it is for members, or for clients.
    pub members: bool,
    /// Who may connect; empty for everyone.
    pub from: Vec<IngressPeer>,
    /// Number and protocol of each port.
    pub ports: Vec<(u64, String)>,
}

/// Pods or addresses that may connect.
#[derive(Debug, Default, Serialize)]
pub struct IngressPeer {
    /// A block of addresses.
    pub cidr: Option<String>,
    /// Whether the pods may be in any namespace.
    pub everywhere: bool,
    /// The selector of other namespaces.
    pub namespace: Option<Labels>,
    /// The selector of pods; empty for all of the namespace.
    pub pods: Option<Labels>,
}

/// The kustomization, which lists all files.
#[derive(Debug, Serialize)]
pub struct Kustomization {
    /// The file names, in order.
    pub resources: Vec<String>,
}
