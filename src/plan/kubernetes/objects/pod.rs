//! Pod templates, as plain data.

use serde::Serialize;

use super::meta::Labels;
use super::more::{ContainerMore, PodMore};
use crate::value::Text;

/// A pod template.
#[derive(Debug, Serialize)]
pub struct Pod {
    /// The labels.
    pub labels: Labels,
    /// The annotations: keys and texts.
    pub annotations: Labels,
    /// The labels that its node must have.
    pub node_selector: Labels,
    /// The tolerations.
    pub tolerations: Vec<Toleration>,
    /// The zones of its node.
    pub zones: Option<Expression>,
    /// The pods that never run on its node.
    pub apart: Vec<Apart>,
    /// The topology spread constraints.
    pub spread: Vec<Spread>,
    /// The DNS policy, if the pod uses the node's network.
    pub host_network: Option<&'static str>,
    /// Whether each Service becomes variables. It is false, because they would collide with those
    /// of the programs.
    pub service_links: bool,
    /// Whether the pod gets an API token.
    pub token: bool,
    /// The service account of the token.
    pub account: Option<String>,
    /// The grace period in seconds.
    pub grace: u32,
    /// The group of the volumes, with its change policy.
    pub fs_group: Option<(u32, &'static str)>,
    /// The seccomp profile.
    pub seccomp: &'static str,
    /// The init containers that copy secrets.
    pub init_containers: Vec<Container>,
    /// The containers: the member, then its helpers.
    pub containers: Vec<Container>,
    /// The volumes, except claims.
    pub volumes: Vec<Volume>,
    /// The fields that the spec adds.
    pub more: PodMore,
}

/// A toleration of a taint.
#[derive(Debug, Serialize)]
pub struct Toleration {
    /// The key of the taint.
    pub key: &'static str,
    /// The operator.
    pub operator: &'static str,
    /// The value of the taint.
    pub value: String,
    /// The effect of the taint.
    pub effect: &'static str,
}

/// A label that must have one of several values.
#[derive(Debug, Serialize)]
pub struct Expression {
    /// The label.
    pub key: String,
    /// The operator, `In`.
    pub operator: &'static str,
    /// The values.
    pub of: Vec<String>,
}

impl Expression {
    /// Makes the expression "`key` is one of `of`".
    pub fn one_of(key: &str, of: Vec<String>) -> Self {
        Self { key: key.to_owned(), operator: "In", of }
    }
}

/// A required anti-affinity term. It also counts terminating pods (kubernetes
/// `pkg/scheduler/framework/plugins/interpodaffinity`).
#[derive(Debug, Serialize)]
pub struct Apart {
    /// The label of the domain that holds at most one of the pods.
    pub topology: &'static str,
    /// Whether it counts the pods of all namespaces.
    pub everywhere: bool,
    /// The selector of the pods.
    pub labels: Labels,
}

/// A topology spread constraint. It does not count terminating pods, so it never excludes a second
/// holder.
#[derive(Debug, Serialize)]
pub struct Spread {
    /// The highest difference between the number of pods in two domains.
    pub skew: u32,
    /// The label of the domains.
    pub topology: &'static str,
    /// What happens to a pod that does not fit.
    pub unsatisfiable: &'static str,
    /// Whether tainted nodes count as domains (KEP-3094); `None` for versions without it.
    pub taints: Option<&'static str>,
    /// The selector of the pods.
    pub labels: Labels,
}

/// A container.
#[derive(Debug, Serialize)]
pub struct Container {
    /// The name.
    pub name: String,
    /// The image.
    pub image: String,
    /// The image pull policy.
    pub pull: &'static str,
    /// The command that replaces the entrypoint.
    pub command: Vec<Text>,
    /// The arguments.
    pub args: Vec<Text>,
    /// The environment.
    pub env: Vec<Variable>,
    /// The ports.
    pub ports: Vec<ContainerPort>,
    /// The requests and limits, as resource and quantity. They are equal, so the pod is Guaranteed.
    pub resources: Vec<(&'static str, String)>,
    /// The probes by their field names.
    pub probes: Vec<(&'static str, Probe)>,
    /// The command before the stop signal.
    pub before_stop: Vec<String>,
    /// The user.
    pub user: Option<RunAs>,
    /// The capabilities to drop.
    pub drop: Vec<&'static str>,
    /// The mounts.
    pub mounts: Vec<Mount>,
    /// The fields that the spec adds.
    pub more: ContainerMore,
}

/// A port of a container.
#[derive(Debug, Serialize)]
pub struct ContainerPort {
    /// The name, unique in the pod.
    pub name: String,
    /// The number.
    pub number: u16,
    /// The port of the node, if the container uses it.
    pub host: Option<u16>,
    /// The protocol, `TCP`.
    pub protocol: &'static str,
}

/// The user of a container. Only a user other than root can run without privileges, because
/// entrypoints that start as root change owners and users.
#[derive(Debug, Serialize)]
pub struct RunAs {
    /// The user id.
    pub uid: u32,
    /// The group id.
    pub gid: Option<u32>,
    /// Whether the user is not root, so that the container runs without privileges.
    pub bare: bool,
}

/// A probe: one of `http`, `tcp` and `exec`.
#[derive(Debug, Serialize)]
pub struct Probe {
    /// The path, the name of the port and, unless it is HTTP, the scheme.
    pub http: Option<(String, String, Option<&'static str>)>,
    /// The name of the port.
    pub tcp: Option<String>,
    /// The command. Kubernetes expands nothing in it.
    pub exec: Vec<String>,
    /// The seconds between two probes.
    pub every: u32,
    /// The seconds until a probe counts as failed.
    pub timeout: u32,
    /// The number of consecutive failures that count.
    pub failures: u32,
}

/// A mount of a volume in a container.
#[derive(Debug, Clone, Serialize)]
pub struct Mount {
    /// The name of the volume.
    pub volume: String,
    /// The path in the container.
    pub path: String,
    /// The directory or file of the volume to mount, if not all of it.
    pub sub_path: Option<String>,
    /// The same with variables of the container, which the kubelet expands (`subPathExpr`, kubernetes
    /// `pkg/kubelet/kubelet_pods.go`, `makeMounts`).
    pub sub_path_expr: Option<String>,
    /// Whether the mount is read-only.
    pub read_only: bool,
}

impl Mount {
    /// Makes a writable mount of all of `volume` at `path`.
    pub fn at(volume: &str, path: &str) -> Self {
        Self {
            volume: volume.to_owned(),
            path: path.to_owned(),
            sub_path: None,
            sub_path_expr: None,
            read_only: false,
        }
    }
}

/// A volume of a pod, of one of the four kinds.
#[derive(Debug, Default, Serialize)]
pub struct Volume {
    /// The name.
    pub name: String,
    /// A directory of the node.
    pub host: Option<HostPath>,
    /// Files from keys of Secrets.
    pub secrets: Option<Secrets>,
    /// Files from a ConfigMap.
    pub config: Option<ConfigVolume>,
    /// A tmpfs of this size.
    pub memory: Option<String>,
}

impl Volume {
    /// Makes a volume whose kind is not set yet.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

/// A directory of the node.
#[derive(Debug, Serialize)]
pub struct HostPath {
    /// The path.
    pub path: String,
    /// The type: what must exist at the path.
    pub kind: &'static str,
}

/// A projected volume of secrets.
#[derive(Debug, Serialize)]
pub struct Secrets {
    /// The permissions of its files.
    pub mode: u32,
    /// The Secrets.
    pub sources: Vec<SecretSource>,
}

/// Keys of one Secret.
#[derive(Debug, Serialize)]
pub struct SecretSource {
    /// The name of the Secret.
    pub object: String,
    /// The files.
    pub files: Vec<SecretFile>,
}

/// A key of a Secret as a file.
#[derive(Debug, Serialize)]
pub struct SecretFile {
    /// The key.
    pub key: String,
    /// The name of the file.
    pub path: String,
    /// The permissions, if they differ from those of the volume.
    pub mode: Option<u32>,
}

/// A volume with the files of a ConfigMap.
#[derive(Debug, Serialize)]
pub struct ConfigVolume {
    /// The name of the ConfigMap.
    pub name: String,
    /// The key and the permissions of each file.
    pub files: Vec<(String, u32)>,
}

/// An environment variable: a value, a field, or a key of a Secret.
#[derive(Debug, Default, Serialize)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The value, in which `$(…)` names earlier variables.
    pub value: Text,
    /// The field of the pod.
    pub field: Option<&'static str>,
    /// The key of a Secret.
    pub secret: Option<SecretKey>,
}

/// A key of a Secret.
#[derive(Debug, Serialize)]
pub struct SecretKey {
    /// The name of the Secret.
    pub object: String,
    /// The key.
    pub key: String,
}
