//! Pod templates, as plain data.

use serde::Serialize;

use super::Labels;
use super::more::{ContainerMore, PodMore};
use crate::value::Text;

/// A pod template.
#[derive(Debug, Serialize)]
pub struct Pod {
    /// Its labels.
    pub labels: Labels,
    /// Labels of its node.
    pub node_selector: Labels,
    /// Taints that it bears.
    pub tolerations: Vec<Toleration>,
    /// Zones of its node.
    pub zones: Option<Expression>,
    /// Pods that are never on its node.
    pub apart: Vec<Apart>,
    /// How members spread.
    pub spread: Vec<Spread>,
    /// Its DNS policy, if it is on the node's network.
    pub host_network: Option<&'static str>,
    /// Variables for every Service: no, they collide with the programs' own.
    pub service_links: bool,
    /// A token of the API: no.
    pub token: bool,
    /// Seconds from the first word to the kill.
    pub grace: u32,
    /// Group of the volumes, with its policy.
    pub fs_group: Option<(u32, &'static str)>,
    /// Seccomp profile.
    pub seccomp: &'static str,
    /// The member, then its helpers.
    pub containers: Vec<Container>,
    /// Its volumes, but for claims.
    pub volumes: Vec<Volume>,
    /// What the spec adds.
    pub more: PodMore,
}

/// A taint that a pod bears.
#[derive(Debug, Serialize)]
pub struct Toleration {
    /// Key of the taint.
    pub key: &'static str,
    /// How it is compared.
    pub operator: &'static str,
    /// Value of the taint.
    pub value: String,
    /// Effect of the taint.
    pub effect: &'static str,
}

/// A label that has one of some values.
#[derive(Debug, Serialize)]
pub struct Expression {
    /// The label.
    pub key: String,
    /// `In`.
    pub operator: &'static str,
    /// The values.
    pub of: Vec<String>,
}

impl Expression {
    /// `key` is one of `of`.
    pub fn one_of(key: &str, of: Vec<String>) -> Self {
        Self { key: key.to_owned(), operator: "In", of }
    }
}

/// A required anti-affinity term. It counts pods that terminate, too (kubernetes
/// `pkg/scheduler/framework/plugins/interpodaffinity`).
#[derive(Debug, Serialize)]
pub struct Apart {
    /// What may carry only one of them.
    pub topology: &'static str,
    /// Pods of all namespaces, or of its own.
    pub everywhere: bool,
    /// Selects the pods.
    pub labels: Labels,
}

/// A topology spread constraint. It does not count pods that terminate, so it is never a fence.
#[derive(Debug, Serialize)]
pub struct Spread {
    /// How much fuller one domain may be than another.
    pub skew: u32,
    /// Label of the domains.
    pub topology: &'static str,
    /// What happens to a pod that does not fit.
    pub unsatisfiable: &'static str,
    /// Whether tainted nodes count as domains (KEP-3094); none below the version that has it.
    pub taints: Option<&'static str>,
    /// Selects the pods.
    pub labels: Labels,
}

/// A container.
#[derive(Debug, Serialize)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// When the image is pulled.
    pub pull: &'static str,
    /// In place of the image's entrypoint.
    pub command: Vec<Text>,
    /// Arguments.
    pub args: Vec<Text>,
    /// Environment.
    pub env: Vec<Variable>,
    /// Ports.
    pub ports: Vec<ContainerPort>,
    /// Requests and limits, as resource and quantity: equal, so that the pod is Guaranteed.
    pub resources: Vec<(&'static str, String)>,
    /// How it is asked, under the names of the three probes.
    pub probes: Vec<(&'static str, Probe)>,
    /// What runs before the stop signal.
    pub before_stop: Vec<String>,
    /// Who it runs as.
    pub user: Option<RunAs>,
    /// Capabilities that it gives up.
    pub drop: Vec<&'static str>,
    /// What it sees.
    pub mounts: Vec<Mount>,
    /// What the spec adds.
    pub more: ContainerMore,
}

/// A port of a container.
#[derive(Debug, Serialize)]
pub struct ContainerPort {
    /// Its name, unique in the pod.
    pub name: String,
    /// Its number.
    pub number: u16,
    /// The port of the node that it holds.
    pub host: Option<u16>,
    /// `TCP`.
    pub protocol: &'static str,
}

/// A user. Only a user that is not root can do without privileges: entrypoints that start as
/// root change owners and users.
#[derive(Debug, Serialize)]
pub struct RunAs {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: Option<u32>,
    /// Whether it is not root.
    pub bare: bool,
}

/// A probe: one of `http`, `tcp` and `exec`.
#[derive(Debug, Serialize)]
pub struct Probe {
    /// Path, port's name and, unless it is HTTP, the scheme.
    pub http: Option<(String, String, Option<&'static str>)>,
    /// Port's name.
    pub tcp: Option<String>,
    /// A command; nothing in it is expanded.
    pub exec: Vec<String>,
    /// Seconds between two.
    pub every: u32,
    /// Seconds until one failed.
    pub timeout: u32,
    /// Failures in a row that count.
    pub failures: u32,
}

/// What a container sees of a volume.
#[derive(Debug, Clone, Serialize)]
pub struct Mount {
    /// The volume.
    pub volume: String,
    /// Where.
    pub path: String,
    /// A directory or file of the volume in place of the whole.
    pub sub_path: Option<String>,
    /// Whether it cannot be written.
    pub read_only: bool,
}

impl Mount {
    /// The whole of `volume` at `path`, to be written.
    pub fn at(volume: &str, path: &str) -> Self {
        Self { volume: volume.to_owned(), path: path.to_owned(), sub_path: None, read_only: false }
    }
}

/// A volume of a pod: one of the four kinds.
#[derive(Debug, Default, Serialize)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// A directory of the node.
    pub host: Option<HostPath>,
    /// Keys of Secrets as files.
    pub secrets: Option<Secrets>,
    /// Files of a ConfigMap.
    pub config: Option<ConfigVolume>,
    /// Memory of this size.
    pub memory: Option<String>,
}

impl Volume {
    /// A volume of no kind yet.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

/// A directory of the node.
#[derive(Debug, Serialize)]
pub struct HostPath {
    /// Where.
    pub path: String,
    /// What must be there.
    pub kind: &'static str,
}

/// A projected volume.
#[derive(Debug, Serialize)]
pub struct Secrets {
    /// Permissions of its files.
    pub mode: u32,
    /// The Secrets.
    pub sources: Vec<SecretSource>,
}

/// Keys of one Secret.
#[derive(Debug, Serialize)]
pub struct SecretSource {
    /// The Secret.
    pub object: String,
    /// Key and file name.
    pub files: Vec<(String, String)>,
}

/// Files of a ConfigMap.
#[derive(Debug, Serialize)]
pub struct ConfigVolume {
    /// The ConfigMap.
    pub name: String,
    /// Key and permissions.
    pub files: Vec<(String, u32)>,
}

/// One environment variable: `value`, or where it comes from.
#[derive(Debug, Default, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value, in which `$(…)` names earlier variables.
    pub value: Text,
    /// A field of the pod.
    pub field: Option<&'static str>,
    /// A key of a Secret.
    pub secret: Option<SecretKey>,
}

/// A key of a Secret.
#[derive(Debug, Serialize)]
pub struct SecretKey {
    /// The Secret.
    pub object: String,
    /// Its key.
    pub key: String,
}
