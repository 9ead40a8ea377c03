//! The objects that are emitted, as plain data: every decision is in them, and the templates
//! under `templates/kubernetes/` only lay them out.

mod more;
mod pod;

use serde::Serialize;

use crate::plan::context::Accepted;
pub use more::{ContainerMore, PodMore, ServiceMore};
pub use pod::{
    Apart, ConfigVolume, Container, ContainerPort, Expression, HostPath, Mount, Pod, Probe, RunAs, SecretKey,
    SecretSource, Secrets, Spread, Toleration, Variable, Volume,
};

/// Labels or a selector, in the order in which they are printed.
pub type Labels = Vec<(String, String)>;

/// Names of the specs behind a file, for its first line.
pub type Origin = Vec<String>;

/// An object's name and labels.
#[derive(Debug, Clone, Serialize)]
pub struct Meta {
    /// Its name.
    pub name: String,
    /// None for objects of the cluster.
    pub namespace: Option<String>,
    /// Its labels.
    pub labels: Labels,
}

/// Several objects in one file.
#[derive(Debug, Serialize)]
pub struct All<T> {
    /// See [`Origin`].
    pub origin: Origin,
    /// In order.
    pub all: Vec<T>,
}

/// One object in one file.
#[derive(Debug, Serialize)]
pub struct One<T> {
    /// See [`Origin`].
    pub origin: Origin,
    /// What the spec's waivers accept.
    pub accepted: Vec<Accepted>,
    /// The object.
    pub one: T,
}

/// Counted members: the pod `service-id` exists at most once, and its successor is made when the
/// object has gone, also in a partition (kubernetes `pkg/controller/statefulset`).
#[derive(Debug, Serialize)]
pub struct StatefulSet {
    /// At most 52 characters: the name and a hash are one label.
    pub meta: Meta,
    /// The headless Service behind the members' names.
    pub service: String,
    /// How many members.
    pub replicas: u32,
    /// The first id, unless it is 0 (KEP-3335).
    pub start: Option<u32>,
    /// Whether members wait for one another at the first start.
    pub management: &'static str,
    /// How a changed template reaches the members.
    pub update: Update,
    /// Seconds for which a pod must be ready before the next follows.
    pub min_ready: u32,
    /// What becomes of claims (KEP-1847); none below the version that has it.
    pub retention: Option<&'static str>,
    /// Selects its pods.
    pub selector: Labels,
    /// Its pods.
    pub pod: Pod,
    /// Its claim templates.
    pub claims: Vec<Claim>,
}

/// One member on each node: nothing is created beside a pod of the same DaemonSet that is there
/// or terminating (kubernetes `pkg/controller/daemon`); all others its anti-affinity keeps off.
#[derive(Debug, Serialize)]
pub struct DaemonSet {
    /// At most 57 characters: pods are named by it and five more.
    pub meta: Meta,
    /// How a changed template reaches the members.
    pub update: Update,
    /// Seconds for which a pod must be ready before the next follows.
    pub min_ready: u32,
    /// Selects its pods.
    pub selector: Labels,
    /// Its pods.
    pub pod: Pod,
}

/// An update strategy.
#[derive(Debug, Serialize)]
pub struct Update {
    /// `RollingUpdate` or `OnDelete`.
    pub kind: &'static str,
    /// Its settings.
    pub rolling: Vec<(&'static str, u32)>,
    /// The gate that a person or a script asks between two members.
    pub gate: Option<String>,
}

/// A ConfigMap that never changes: its name carries a hash of what it holds.
#[derive(Debug, Serialize)]
pub struct ConfigMap {
    /// Its name.
    pub meta: Meta,
    /// Whether it can be changed.
    pub immutable: bool,
    /// Key and text.
    pub files: Vec<(String, String)>,
}

/// A claim template.
#[derive(Debug, Serialize)]
pub struct Claim {
    /// Its name, the volume's.
    pub name: String,
    /// Access mode.
    pub access: &'static str,
    /// StorageClass.
    pub class: String,
    /// Quantity.
    pub size: String,
}

/// A StorageClass.
#[derive(Debug, Serialize)]
pub struct StorageClass {
    /// Its name.
    pub meta: Meta,
    /// Who makes volumes.
    pub provisioner: String,
    /// In the provisioner's words.
    pub parameters: Vec<(String, String)>,
    /// What becomes of a volume without its claim.
    pub reclaim: &'static str,
    /// When a volume is made and bound.
    pub binding: &'static str,
    /// Whether volumes may grow.
    pub expansion: bool,
    /// Where volumes may be made.
    pub zones: Option<Expression>,
}

/// A local PersistentVolume, reserved for one claim.
#[derive(Debug, Serialize)]
pub struct PersistentVolume {
    /// Its name.
    pub meta: Meta,
    /// Access mode.
    pub access: &'static str,
    /// Quantity.
    pub capacity: String,
    /// What becomes of it without its claim.
    pub reclaim: &'static str,
    /// StorageClass.
    pub class: String,
    /// `Filesystem`.
    pub mode: &'static str,
    /// The directory of the node.
    pub path: String,
    /// The claim that may have it.
    pub claim: String,
    /// The claim's namespace.
    pub namespace: String,
    /// Its node.
    pub node: Expression,
}

/// A Service.
#[derive(Debug, Serialize)]
pub struct ServiceObject {
    /// Its name.
    pub meta: Meta,
    /// A DNS name outside.
    pub external: Option<String>,
    /// No address of its own: names of its members.
    pub headless: bool,
    /// Whether names of members that are not ready are published.
    pub not_ready: bool,
    /// Selects the members; empty for what is outside.
    pub selector: Labels,
    /// Name and number.
    pub ports: Vec<ServicePort>,
    /// What the spec adds.
    pub more: ServiceMore,
}

/// A port of a Service.
#[derive(Debug, Serialize)]
pub struct ServicePort {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u16,
    /// The container's port, by name; none for what is outside.
    pub target: Option<String>,
    /// `TCP`.
    pub protocol: &'static str,
}

/// Addresses behind a Service without a selector.
#[derive(Debug, Serialize)]
pub struct EndpointSlice {
    /// Its name; its labels say whose it is.
    pub meta: Meta,
    /// `IPv4` or `IPv6`.
    pub family: &'static str,
    /// Address and host name.
    pub endpoints: Vec<(String, Option<String>)>,
    /// Name and number.
    pub ports: Vec<ServicePort>,
}

/// How many members may be evicted at once.
#[derive(Debug, Serialize)]
pub struct DisruptionBudget {
    /// Its name.
    pub meta: Meta,
    /// As many.
    pub max_unavailable: u32,
    /// Selects the members.
    pub selector: Labels,
}

/// The list of all files.
#[derive(Debug, Serialize)]
pub struct Kustomization {
    /// File names in order.
    pub resources: Vec<String>,
}
