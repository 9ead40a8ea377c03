//! The spec as written: one type per block, everything optional, nothing judged. `check` in
//! [`crate::model`] says what is missing or wrong. The doc comments become those of [`crate::schema`].

pub mod de;
pub mod layers;
mod merge;
pub mod node;
mod parts;
pub mod project;
pub mod source;
mod toml;
mod yaml;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

pub use parts::{Id, IdSpace, Limit, Pin, PinTable};

/// A value that may hold expressions: `{{ member.id }}`, `{{ ports.client }}`,
/// `{{ peers('other') | join(',') }}`, `{{ secret('x').path }}`.
pub type Value = String;

/// One stateful service: what it needs, never how one orchestrator gives it.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "berthc spec")]
pub struct Spec {
    /// A file whose fields hold where this one says nothing: a path relative to this file. Maps
    /// merge, all else is replaced, `null` takes away.
    pub base: Option<String>,
    /// Name of the service; its members are `service-id`. A DNS label: letters, digits and
    /// dashes, a letter first.
    #[schemars(regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub service: Option<String>,
    /// Generation of a `per: node` service. Two revisions never share a node.
    pub revision: Option<String>,
    /// Image of every member, by tag or digest. Left out only for `external`.
    pub image: Option<String>,
    /// What runs in place of the image's entrypoint.
    pub command: Option<Vec<Value>>,
    /// Arguments of the entrypoint.
    pub args: Option<Vec<Value>>,
    /// Environment variables.
    pub env: Option<IndexMap<String, Value>>,
    /// Files that are carried into the container, by absolute path.
    pub files: Option<IndexMap<String, FileSpec>>,
    /// Secrets, by reference only: `secret('NAME').path` is a file, `secret('NAME')` a variable.
    pub secrets: Option<IndexMap<String, SecretSpec>>,
    /// Numbers `uid:gid` or `uid` that the process runs as.
    pub user: Option<String>,
    /// What every member is given, no less and no more.
    pub resources: Option<ResourcesSpec>,
    /// Limits of the process, such as `nofile`.
    pub ulimits: Option<IndexMap<String, Limit>>,
    /// Memory file systems: path to size.
    pub tmpfs: Option<IndexMap<String, String>>,
    /// Labels on everything that is made.
    pub labels: Option<IndexMap<String, String>>,
    /// Who the members are. Left out only for `external`.
    pub members: Option<MembersSpec>,
    /// What only one running container may hold at any instant.
    pub exclusive: Option<ExclusiveSpec>,
    /// How a member is stopped.
    pub stop: Option<StopSpec>,
    /// How a member's state is asked.
    pub health: Option<HealthSpec>,
    /// How members are updated, one after the other.
    pub update: Option<UpdateSpec>,
    /// What only the very first start needs; emitted with `--bootstrap` only.
    pub bootstrap: Option<BootstrapSpec>,
    /// Exporters and agents beside each member; they never hold data.
    pub helpers: Option<IndexMap<String, HelperSpec>>,
    /// Services that never share a node with this one; they must name this one too.
    pub apart_from: Option<Vec<String>>,
    /// A service that runs outside: no workload, only names for its clients.
    pub external: Option<ExternalSpec>,
    /// Gaps that are taken knowingly, each with its reason.
    pub accept: Option<Vec<AcceptSpec>>,
    /// The orchestrators to emit for.
    pub targets: Option<TargetsSpec>,
}

/// A file in the container: its text, or where to read it.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FileSpec {
    /// The text itself, carried as it stands.
    pub content: Option<String>,
    /// A path relative to the spec.
    pub from: Option<String>,
    /// Octal permissions, "0444" unless given.
    pub mode: Option<String>,
}

/// A secret that exists already.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SecretSpec {
    /// `NAME/KEY`: a key of a Kubernetes Secret, the Swarm secret `NAME-KEY`, the file
    /// `/etc/berth/secrets/NAME/KEY` on fleet machines.
    pub r#ref: Option<String>,
    /// Generation of the Swarm secret: `NAME-KEY-VERSION`.
    pub version: Option<String>,
}

/// Guaranteed and limited alike.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResourcesSpec {
    /// Cores, as "2", "0.5" or "500m".
    pub cpu: Option<String>,
    /// Bytes, as "8Gi" or "512Mi".
    pub memory: Option<String>,
}

/// Who the members are: `per: node`, or `count`.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MembersSpec {
    /// `node`: one member on each node that carries the labels of `on`.
    pub per: Option<Per>,
    /// Node labels, fleet metadata: where `per: node` members run.
    pub on: Option<IndexMap<String, String>>,
    /// Nodes and their addresses, when members must be listed.
    pub known: Option<IndexMap<String, String>>,
    /// Nothing else may run on the nodes of `on`.
    pub dedicated: Option<bool>,
    /// How many members.
    #[schemars(range(min = 1, max = 1000))]
    pub count: Option<u32>,
    /// Id of the first member, 0 unless given.
    pub first: Option<u32>,
    /// Member n runs on the one node whose label (or fleet metadata) is n.
    pub pin: Option<Pin>,
}

/// What members are made per.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// One member on each matching node.
    Node,
}

/// What only one running container may hold.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExclusiveSpec {
    /// Data directories, by name.
    pub data: Option<IndexMap<String, DataSpec>>,
    /// TCP ports, by name. The first is the lock of the node on Swarm.
    pub ports: Option<IndexMap<String, u16>>,
    /// A unique id per member; a name makes an id space that several services share.
    pub id: Option<IdSpace>,
    /// The member's name as hostname.
    pub hostname: Option<bool>,
    /// `node`: members use the node's own network.
    pub address: Option<Address>,
    /// Only one container writes, though the service holds no data of its own.
    pub writer: Option<bool>,
    /// `lock`: the process holds a lock on its first data directory; needs `command`, and `sh`
    /// and `flock` in the image.
    pub guard: Option<Guard>,
}

/// The only address that can be exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Address {
    /// The node's own.
    Node,
}

/// The only guard there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Guard {
    /// `flock` on the data directory, held by the process itself.
    Lock,
}

/// A data directory: `host` on the node, or `volume` on the network.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataSpec {
    /// Where the container sees it.
    pub mount: Option<String>,
    /// Directory of the node, inside the mounted disk; nothing ever creates it.
    pub host: Option<Value>,
    /// Its size; Kubernetes wants one for pinned members.
    pub size: Option<String>,
    /// A volume that moves with the member.
    pub volume: Option<VolumeSpec>,
}

/// A network volume of each member.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VolumeSpec {
    /// aws-ebs, gce-pd, azure-disk, ceph-rbd, iscsi, scaleio, storageos, flocker, nfs or csi:NAME.
    pub backend: Option<String>,
    /// Size, as "100Gi".
    pub size: Option<String>,
    /// An existing StorageClass; without it one is made.
    pub class: Option<String>,
    /// Kind of disk, in the backend's words.
    pub r#type: Option<String>,
    /// Zones; member i lives in zone i mod n.
    pub zones: Option<Vec<String>>,
    /// Further parameters, in the backend's words.
    pub options: Option<IndexMap<String, String>>,
}

/// How a member is stopped.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StopSpec {
    /// What runs in the container first; its time is part of `grace`.
    pub before: Option<BeforeSpec>,
    /// Signal in place of the image's, as "SIGINT".
    pub signal: Option<String>,
    /// From the first word to the kill, as "30s".
    pub grace: Option<String>,
}

/// A command before the stop signal.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BeforeSpec {
    /// The command and its arguments.
    pub run: Option<Vec<Value>>,
    /// The part of the grace that it may use.
    pub within: Option<String>,
}

/// How a member's state is asked. A check written straight here is `ready`.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthSpec {
    /// What the image has to run a check inside the container.
    pub tool: Option<Tool>,
    /// May the member be given work?
    pub ready: Option<CheckSpec>,
    /// Is it beyond hope, so that a restart is due? Never derived from `ready`.
    pub live: Option<CheckSpec>,
    /// How long a start may take before `live` counts, as "120s".
    pub start: Option<String>,
    /// As in a check.
    pub http: Option<String>,
    /// As in a check.
    pub port: Option<String>,
    /// As in a check.
    pub scheme: Option<Scheme>,
    /// As in a check.
    pub tcp: Option<String>,
    /// As in a check.
    pub run: Option<Vec<Value>>,
    /// As in a check.
    pub every: Option<String>,
    /// As in a check.
    pub timeout: Option<String>,
    /// As in a check.
    pub failures: Option<u32>,
}

/// What can ask a port from inside the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// bash with /dev/tcp.
    Bash,
    /// netcat with -z.
    Nc,
    /// curl.
    Curl,
    /// wget.
    Wget,
}

/// How http is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS; certificates are not verified.
    Https,
}

/// One check: `http` with `port`, or `tcp`, or `run`.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckSpec {
    /// Path that answers 2xx or 3xx.
    pub http: Option<String>,
    /// Name of the port that http asks.
    pub port: Option<String>,
    /// http unless given.
    pub scheme: Option<Scheme>,
    /// Name of a port that accepts connections.
    pub tcp: Option<String>,
    /// A command that ends with 0; beside http or tcp it is what fleet and Swarm run.
    pub run: Option<Vec<Value>>,
    /// Between two checks, "10s" unless given.
    pub every: Option<String>,
    /// Until a check counts as failed, "3s" unless given.
    pub timeout: Option<String>,
    /// Failures in a row that count, 3 unless given.
    #[schemars(range(min = 1))]
    pub failures: Option<u32>,
}

/// How members are updated.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateSpec {
    /// Wait after each member, as "30s".
    pub pause: Option<String>,
    /// A shell command inside a member that ends with 0 when the next may follow.
    pub healthy: Option<Value>,
}

/// What only the very first start needs.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BootstrapSpec {
    /// Environment variables of the first start.
    pub env: Option<IndexMap<String, Value>>,
    /// A shell command that a person runs once in one member.
    pub once: Option<Value>,
}

/// A program beside each member, without data.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HelperSpec {
    /// Its image.
    pub image: Option<String>,
    /// In place of the image's entrypoint.
    pub command: Option<Vec<Value>>,
    /// Arguments.
    pub args: Option<Vec<Value>>,
    /// Environment variables.
    pub env: Option<IndexMap<String, Value>>,
    /// TCP ports.
    pub ports: Option<IndexMap<String, u16>>,
    /// What it is given.
    pub resources: Option<ResourcesSpec>,
    /// Numbers `uid:gid` or `uid`.
    pub user: Option<String>,
}

/// A service outside.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalSpec {
    /// A DNS name or an IP address.
    pub address: Option<String>,
    /// Its members by id, when it has several.
    pub at: Option<IndexMap<Id, String>>,
    /// Its ports, by name.
    pub ports: Option<IndexMap<String, u16>>,
}

/// A gap taken knowingly.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AcceptSpec {
    /// Its name: TARGET/RESOURCE/HAZARD or TARGET/FIELD.PATH.
    pub gap: Option<String>,
    /// Why it is taken. No reason, no waiver.
    pub because: Option<String>,
}

/// The orchestrators to emit for.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TargetsSpec {
    /// Kubernetes.
    pub kubernetes: Option<KubernetesSpec>,
    /// CoreOS fleet.
    pub fleet: Option<FleetSpec>,
    /// Docker Swarm.
    pub swarm: Option<SwarmSpec>,
}

/// Further settings in an orchestrator's own words.
pub type Raw = serde_json::Map<String, serde_json::Value>;

/// Settings for Kubernetes.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KubernetesSpec {
    /// The oldest version that must take the files, "1.25" to "1.37".
    pub version: Option<String>,
    /// Namespace of everything.
    pub namespace: Option<String>,
    /// Added to the pod spec.
    pub pod: Option<Raw>,
    /// Added to the member's container.
    pub container: Option<Raw>,
    /// Added to the client Service's spec.
    pub service: Option<Raw>,
}

/// Settings for fleet.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FleetSpec {
    /// "1.0.0" or "0.13.0".
    pub version: Option<String>,
    /// Members are `member.domain` in the operator's DNS.
    pub domain: Option<String>,
    /// Pins on fleet only.
    pub pin: Option<Pin>,
    /// Version of docker on the machines, "17.09" unless given.
    pub docker: Option<String>,
    /// Options added to the unit, by section.
    pub unit: Option<IndexMap<String, IndexMap<String, UnitOption>>>,
}

/// One value of a unit option, or several.
pub use parts::UnitOption;

/// Settings for Docker Swarm.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SwarmSpec {
    /// Version of the docker engine, "20.10" or newer.
    pub engine: Option<String>,
    /// An existing attachable overlay network.
    pub network: Option<String>,
    /// Pins on Swarm only.
    pub pin: Option<Pin>,
    /// Host port that is the lock of the node, in place of the first of `ports`.
    pub lock: Option<u16>,
    /// `csi`: cluster volumes in place of plugin volumes (engine 23 and newer).
    pub volume: Option<SwarmVolume>,
    /// Added to the service.
    pub service: Option<Raw>,
}

/// How Swarm gets a network volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SwarmVolume {
    /// A CSI cluster volume with scope single and sharing none.
    Csi,
}
