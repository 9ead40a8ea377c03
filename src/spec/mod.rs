//! The spec as written: one type per block, with every field optional. `check` in [`crate::model`]
//! reports what is missing or wrong. [`crate::schema`] is made from these types: the doc comments are
//! its descriptions, the attributes its rules.

pub mod allowed;
mod bases;
pub mod de;
mod health;
pub mod layers;
pub mod load;
mod merge;
pub mod node;
mod parts;
pub mod project;
mod set;
pub mod source;
mod targets;
mod toml;
pub mod words;
mod words_of;
mod yaml;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::text::names::MAX_SERVICE;
use allowed::{
    ADDRESS, BYTES, CPU, DURATION, ENV, GAP, IMAGE, KEY, LABEL, LABEL_KEY, LABEL_VALUE, MAX_FIRST,
    MAX_MEMBERS, MODE, MOVE, NAME, PATH, REASON, REVISION, SECRET, SIGNALS, ULIMITS, USER, above_zero,
    addresses, backends, keys, map, ports, short_keys,
};
pub use health::{CheckSpec, HealthSpec, Scheme, Tool};
pub use parts::{Id, IdSpace, Limit, Pin, PinTable, UnitOption, Value};
pub use targets::{
    Access, AnnotationsSpec, FleetSpec, KubernetesSpec, Raw, SwarmSpec, SwarmVolume, TargetsSpec,
};
pub use words_of::{EachSpec, Word};

/// One stateful service: what it needs, independent of the orchestrator.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "berthc spec")]
pub struct Spec {
    /// A file with default values for this spec, as a path relative to this file. Maps are merged,
    /// other values are replaced, and `null` removes a value.
    #[schemars(length(min = 1), extend("examples" = ["../common/base.yaml"]))]
    pub base: Option<String>,
    /// The name of the service. Its members are named `SERVICE-ID`. The name is a DNS label:
    /// lower-case letters, digits and dashes, a letter first.
    #[schemars(pattern(LABEL), length(max = MAX_SERVICE), extend("examples" = ["orders-db"]))]
    pub service: Option<String>,
    /// The revision of a `per: node` service. Members of two revisions never share a node.
    #[schemars(pattern(REVISION), length(max = 20), extend("examples" = ["1"]))]
    pub revision: Option<String>,
    /// The image of every member, with a tag or digest. Omit it only for `external`.
    #[schemars(pattern(IMAGE), extend("examples" = ["docker.io/library/postgres:16.4"]))]
    pub image: Option<String>,
    /// The command that replaces the entrypoint of the image. An item may make one word for each
    /// member, as in `args`, but not the first.
    #[schemars(length(min = 1), extend("examples" = [["docker-entrypoint.sh", "postgres"]]))]
    pub command: Option<Vec<Word>>,
    /// The arguments of the entrypoint. An item is a text, which makes one argument, or
    /// `{ each: members, arg: "--join={{ it.address }}" }`, which makes one for each member.
    #[schemars(length(min = 1), extend("examples" = [
        ["--max-connections", "200"],
        ["serve", { "each": "members", "arg": "--join={{ it.address }}:{{ ports.peer }}" }],
    ]))]
    pub args: Option<Vec<Word>>,
    /// The environment variables.
    #[schemars(transform = keys(ENV), extend("examples" = [{ "NODE_NAME": "{{ member.name }}" }]))]
    pub env: Option<IndexMap<String, Value>>,
    /// Files to mount into the container, by absolute path.
    #[schemars(transform = keys(PATH), extend("examples" = [{ "/etc/my.cnf": { "from": "files/my.cnf" } }]))]
    pub files: Option<IndexMap<String, FileSpec>>,
    /// References to secrets. In a value, `secret('NAME').path` is the path of a file with the
    /// secret, and `secret('NAME')` alone makes an environment variable.
    #[schemars(transform = keys(KEY), extend("examples" = [{ "password": { "ref": "orders-db/password" } }]))]
    pub secrets: Option<IndexMap<String, SecretSpec>>,
    /// The user of the process, as the numbers `uid:gid` or `uid`.
    #[schemars(pattern(USER), extend("examples" = ["1000:1000", "999"]))]
    pub user: Option<String>,
    /// CPU and memory of each member. They are both the request and the limit.
    pub resources: Option<ResourcesSpec>,
    /// Limits of the process, such as `nofile`.
    #[schemars(extend("propertyNames" = { "enum": ULIMITS }, "examples" = [{ "nofile": 65536 }]))]
    pub ulimits: Option<IndexMap<String, Limit>>,
    /// Memory file systems (tmpfs): path and size.
    #[schemars(transform = map(PATH, BYTES), extend("examples" = [{ "/tmp": "64Mi" }]))]
    pub tmpfs: Option<IndexMap<String, String>>,
    /// Labels for everything that berthc emits.
    #[schemars(transform = map(LABEL_KEY, LABEL_VALUE))]
    pub labels: Option<IndexMap<String, String>>,
    /// Annotations of the members, with any text as value. An expression in it stays as it is written.
    /// On Kubernetes they are annotations of the pods, on Swarm labels of the service
    /// (`deploy.labels`), on fleet labels of the container (`--label`). Keys that berthc, docker or
    /// Kubernetes itself writes are refused. What a controller makes of an annotation, such as a
    /// sidecar that it injects, is not part of the certificate.
    #[schemars(transform = keys(LABEL_KEY), extend("examples" = [{ "prometheus.io/port": "9187" }]))]
    pub annotations: Option<IndexMap<String, String>>,
    /// How many members there are, and on which nodes. Omit it only for `external`.
    pub members: Option<MembersSpec>,
    /// The resources that at most one running container may hold at any time.
    pub exclusive: Option<ExclusiveSpec>,
    /// How a member stops.
    pub stop: Option<StopSpec>,
    /// The health checks of a member.
    pub health: Option<HealthSpec>,
    /// How members are updated. They are updated one after the other.
    pub update: Option<UpdateSpec>,
    /// Settings for the very first start. berthc emits them only with `--bootstrap`.
    pub bootstrap: Option<BootstrapSpec>,
    /// Sidecar containers of each member, such as exporters and agents. They hold no data.
    #[schemars(transform = short_keys)]
    pub helpers: Option<IndexMap<String, HelperSpec>>,
    /// Services that never share a node with this one. Each of them must also name this service.
    #[schemars(extend("uniqueItems" = true, "examples" = [["kafka"]]))]
    pub apart_from: Option<Vec<String>>,
    /// A service that already runs elsewhere. berthc emits only names for its clients.
    pub external: Option<ExternalSpec>,
    /// The gaps that you accept, each with a reason.
    #[schemars(extend("examples" = [[{ "gap": "swarm/data/partition", "because": "the disks are fenced by hand" }]]))]
    pub accept: Option<Vec<AcceptSpec>>,
    /// Changes that leave data behind, and how the data was moved. The key is the name of the
    /// change as berthc prints it; it may stay here.
    #[schemars(transform = map(MOVE, REASON), extend("examples" = [{ "data/js": "copied while all members were stopped" }]))]
    pub moved: Option<IndexMap<String, String>>,
    /// The orchestrators to emit files for.
    #[schemars(extend("examples" = [{ "kubernetes": { "version": "1.34", "namespace": "databases" } }]))]
    pub targets: Option<TargetsSpec>,
}

/// A file in the container: its text, or the path to read the text from.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FileSpec {
    /// The text of the file.
    pub content: Option<String>,
    /// The path of the file with the text, relative to the spec.
    #[schemars(pattern("^[^/]"), extend("examples" = ["files/my.cnf"]))]
    pub from: Option<String>,
    /// Whether the text is rendered like a value: `{% for m in members %}`, `{{ ports.client }}`,
    /// `{{ secret('x').path }}`. Without it, the member gets the text as it is written. A line with
    /// only a statement leaves no line, and `{% raw %}…{% endraw %}` keeps its text. A file cannot
    /// hold a secret itself, only its path.
    ///
    /// Every member of a `count` may have a text of its own: on Kubernetes the ConfigMap has a key
    /// for each member, and `subPathExpr` chooses it; on Swarm each member has a config of its own;
    /// on fleet each unit writes its own file. `{{ member.node }}` is known only when the container
    /// runs: fleet and Swarm fill it in, and on Kubernetes it is an error, because all nodes share
    /// the ConfigMap. The same holds for `{{ member.address }}` of a `per: node` service.
    #[schemars(extend("default" = false))]
    pub template: Option<bool>,
    /// Octal permissions; the default is "0444".
    #[schemars(pattern(MODE), extend("default" = "0444", "examples" = ["0755"]))]
    pub mode: Option<String>,
}

/// A reference to an existing secret.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SecretSpec {
    /// The secret, as `NAME/KEY`: the key KEY of the Kubernetes Secret NAME, the Swarm secret
    /// `NAME-KEY`, and the file `/etc/berth/secrets/NAME/KEY` on fleet machines.
    #[schemars(pattern(SECRET), extend("examples" = ["orders-db/password"]))]
    pub r#ref: Option<String>,
    /// The version of the Swarm secret, whose name is then `NAME-KEY-VERSION`.
    #[schemars(pattern(KEY), extend("examples" = ["2"]))]
    pub version: Option<String>,
}

/// CPU and memory, as both request and limit.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResourcesSpec {
    /// The number of cores, such as "2", "0.5" or "500m".
    #[schemars(pattern(CPU), extend("examples" = ["2", "500m"]))]
    pub cpu: Option<String>,
    /// The memory, such as "8Gi" or "512Mi".
    #[schemars(pattern(BYTES), extend("examples" = ["8Gi"]))]
    pub memory: Option<String>,
}

/// The members: either `per: node`, or a `count`.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MembersSpec {
    /// `node`: one member on each node that has the labels of `on`.
    pub per: Option<Per>,
    /// The node labels (on fleet: metadata) that select the nodes of a `per: node` service.
    #[schemars(transform = map(LABEL_KEY, LABEL_VALUE), extend("examples" = [{ "orders-db": "true" }]))]
    pub on: Option<IndexMap<String, String>>,
    /// The nodes and their addresses. Needed when a value lists the members.
    #[schemars(transform = map(NAME, ADDRESS), extend("examples" = [{ "node-a": "10.0.0.21" }]))]
    pub known: Option<IndexMap<String, String>>,
    /// Whether the nodes of `on` run nothing else.
    #[schemars(extend("default" = false))]
    pub dedicated: Option<bool>,
    /// The number of members.
    #[schemars(range(min = 1, max = MAX_MEMBERS), extend("examples" = [3]))]
    pub count: Option<u32>,
    /// The id of the first member; the default is 0.
    #[schemars(range(max = MAX_FIRST), extend("default" = 0))]
    pub first: Option<u32>,
    /// A node label (on fleet: metadata) that pins each member to a node: member n runs on the one
    /// node where the label has the value n.
    pub pin: Option<Pin>,
}

/// The unit that has one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// One member on each matching node.
    Node,
}

/// The resources that at most one running container may hold at any time.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExclusiveSpec {
    /// The data directories, by name.
    #[schemars(transform = short_keys)]
    pub data: Option<IndexMap<String, DataSpec>>,
    /// TCP ports, by name. On Swarm, the first port locks the node.
    #[schemars(transform = ports, extend("examples" = [{ "client": 5432 }]))]
    pub ports: Option<IndexMap<String, u16>>,
    /// Each member has a unique id. `true` makes ids unique in this service; a name makes them
    /// unique across all services with the same name here.
    #[schemars(extend("default" = false, "examples" = [true, "mysql-servers"]))]
    pub id: Option<IdSpace>,
    /// Whether the hostname of a member is its name.
    #[schemars(extend("default" = false))]
    pub hostname: Option<bool>,
    /// `node`: members use the network of the node.
    pub address: Option<Address>,
    /// Whether only one container may write, for a service without data of its own.
    #[schemars(extend("default" = false))]
    pub writer: Option<bool>,
    /// `lock`: the process holds a lock on its first data directory. This needs `command`, and `sh`
    /// and `flock` in the image.
    pub guard: Option<Guard>,
}

/// The kinds of exclusive address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Address {
    /// The address of the node.
    Node,
}

/// The kinds of guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Guard {
    /// `flock` on the data directory. The process itself holds the lock.
    Lock,
}

/// A data directory: `host` on the node, or `volume` on the network.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataSpec {
    /// The path in the container.
    #[schemars(pattern(PATH), extend("examples" = ["/var/lib/postgresql/data"]))]
    pub mount: Option<String>,
    /// The directory on the node, inside a mounted disk. Nothing creates it automatically.
    #[schemars(extend("examples" = ["/mnt/d1/orders-db-{{ member.id }}"]))]
    pub host: Option<Value>,
    /// The size. Kubernetes needs it for pinned members.
    #[schemars(pattern(BYTES), extend("examples" = ["20Gi"]))]
    pub size: Option<String>,
    /// A network volume that moves with the member.
    pub volume: Option<VolumeSpec>,
}

/// A network volume, one for each member.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VolumeSpec {
    /// The storage backend: aws-ebs, gce-pd, azure-disk, ceph-rbd, iscsi, scaleio, storageos,
    /// flocker, nfs or csi:NAME.
    #[schemars(extend("anyOf" = [{ "enum": backends() }, { "pattern": "^csi:." }]))]
    pub backend: Option<String>,
    /// The size, such as "100Gi".
    #[schemars(pattern(BYTES), extend("examples" = ["100Gi"]))]
    pub size: Option<String>,
    /// The name of an existing StorageClass. Without it, berthc emits one.
    #[schemars(pattern(NAME))]
    pub class: Option<String>,
    /// The disk type, in the notation of the backend.
    pub r#type: Option<String>,
    /// The zones. Member i lives in zone i mod n.
    #[schemars(inner(pattern(LABEL_VALUE)), extend("examples" = [["eu-central-1a", "eu-central-1b"]]))]
    pub zones: Option<Vec<String>>,
    /// Additional parameters, in the notation of the backend.
    pub options: Option<IndexMap<String, String>>,
}

/// How a member stops.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StopSpec {
    /// A command that runs in the container before the stop signal. Its time is part of `grace`.
    pub before: Option<BeforeSpec>,
    /// The stop signal, such as "SIGINT", if it is not the one of the image.
    #[schemars(extend("enum" = SIGNALS))]
    pub signal: Option<String>,
    /// The time from the start of the stop to the kill, such as "30s".
    #[schemars(pattern(DURATION), transform = above_zero, extend("default" = "30s", "examples" = ["120s"]))]
    pub grace: Option<String>,
}

/// A command before the stop signal.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BeforeSpec {
    /// The command and its arguments.
    #[schemars(length(min = 1), extend("examples" = [["my-server", "--drain"]]))]
    pub run: Option<Vec<Value>>,
    /// The part of `grace` that the command may use.
    #[schemars(pattern(DURATION), extend("examples" = ["20s"]))]
    pub within: Option<String>,
}

/// How members are updated.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateSpec {
    /// The time to wait after each member, such as "30s".
    #[schemars(pattern(DURATION), extend("default" = "0s", "examples" = ["30s"]))]
    pub pause: Option<String>,
    /// A shell command that runs in the updated member. The next member is updated once it exits
    /// with 0.
    #[schemars(extend("examples" = ["nodetool status | grep -q UN"]))]
    pub healthy: Option<Value>,
}

/// Settings for the very first start.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BootstrapSpec {
    /// The environment variables of the first start.
    #[schemars(transform = keys(ENV))]
    pub env: Option<IndexMap<String, Value>>,
    /// A shell command that an operator runs once, in one member.
    pub once: Option<Value>,
}

/// A sidecar container of each member, without data.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HelperSpec {
    /// The image.
    #[schemars(pattern(IMAGE))]
    pub image: Option<String>,
    /// The command that replaces the entrypoint of the image.
    #[schemars(length(min = 1))]
    pub command: Option<Vec<Word>>,
    /// The arguments.
    #[schemars(length(min = 1))]
    pub args: Option<Vec<Word>>,
    /// The environment variables.
    #[schemars(transform = keys(ENV))]
    pub env: Option<IndexMap<String, Value>>,
    /// TCP ports, by name.
    #[schemars(transform = ports)]
    pub ports: Option<IndexMap<String, u16>>,
    /// CPU and memory, as both request and limit.
    pub resources: Option<ResourcesSpec>,
    /// The user, as the numbers `uid:gid` or `uid`.
    #[schemars(pattern(USER))]
    pub user: Option<String>,
}

/// A service that already runs elsewhere.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalSpec {
    /// A DNS name or an IP address.
    #[schemars(pattern(ADDRESS), extend("examples" = ["db.example.com", "10.0.0.7"]))]
    pub address: Option<String>,
    /// The addresses of its members by id, if it has several.
    #[schemars(transform = addresses)]
    pub at: Option<IndexMap<Id, String>>,
    /// The ports, by name.
    #[schemars(transform = ports)]
    pub ports: Option<IndexMap<String, u16>>,
}

/// A gap that you accept.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["gap", "because"]))]
pub struct AcceptSpec {
    /// The name of the gap: TARGET/RESOURCE/HAZARD or TARGET/FIELD.PATH.
    #[schemars(pattern(GAP), extend("examples" = ["swarm/data/partition", "swarm/health.live"]))]
    pub gap: Option<String>,
    /// The reason. A waiver without a reason is an error.
    #[schemars(pattern(REASON))]
    pub because: Option<String>,
}
