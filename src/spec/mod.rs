//! The spec as written: one type per block, with every field optional. `check` in [`crate::model`]
//! reports what is missing or wrong. [`crate::schema`] is made from these types: the doc comments are
//! its descriptions, the attributes its rules.

pub mod allowed;
mod bases;
mod clients;
pub mod de;
mod health;
pub mod layers;
pub mod load;
mod members;
mod merge;
pub mod node;
mod parts;
mod ports;
mod process;
pub mod project;
mod service;
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
    BYTES, ENV, IMAGE, KEY, LABEL, LABEL_KEY, LABEL_VALUE, MOVE, PATH, REASON, REVISION, ULIMITS, USER, keys,
    map, short_keys,
};
pub use clients::{ClientSpec, ClientTable};
pub use health::{CheckSpec, HealthSpec, Scheme, Tool};
pub use members::{Address, DataSpec, ExclusiveSpec, Guard, MembersSpec, Per, VolumeSpec};
pub use parts::{Id, IdSpace, Limit, Pin, PinTable, UnitOption, Value};
pub use ports::{PortSpec, Protocol, Users};
pub use process::{
    BeforeSpec, BootstrapSpec, FileSpec, Founders, HelperSpec, ResourcesSpec, SecretSpec, StopSpec,
    UpdateSpec,
};
pub use service::{AcceptSpec, ExternalSpec};
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
    ///
    /// - Every target: the file is merged into the spec before anything else. The output is that of one
    ///   spec with all fields.
    #[schemars(length(min = 1), extend("examples" = ["../common/base.yaml"]))]
    pub base: Option<String>,
    /// The name of the service. Its members are named `SERVICE-ID`. The name is a DNS label:
    /// lower-case letters, digits and dashes, a letter first.
    ///
    /// - Kubernetes: the name of the StatefulSet or DaemonSet, of the headless Service and of the
    ///   container, and the label `app.kubernetes.io/name`. Clients use the Service `SERVICE-client`.
    /// - fleet: the units `SERVICE@ID.service`, or `SERVICE.service` for `per: node`.
    /// - Swarm: the files `SERVICE-ID.yml`, the service `SERVICE-ID` in each, and the stack in the command
    ///   of their first lines.
    #[schemars(pattern(LABEL), length(max = MAX_SERVICE), extend("examples" = ["orders-db"]))]
    pub service: Option<String>,
    /// The revision of a `per: node` service. Members of two revisions never share a node.
    ///
    /// - Kubernetes: the name of the DaemonSet ends with it, and its pods run only on nodes with the label
    ///   `SERVICE-revision` of this value.
    /// - fleet: the name of the unit ends with it, and `MachineMetadata` asks for `SERVICE-revision` of
    ///   this value.
    /// - Swarm: the name of the service ends with it, and a constraint asks for the node label
    ///   `SERVICE-revision` of this value.
    #[schemars(pattern(REVISION), length(max = 20), extend("examples" = ["1"]))]
    pub revision: Option<String>,
    /// The image of every member, with a tag or digest. Omit it only for `external`.
    ///
    /// - Kubernetes: `image`, with `imagePullPolicy: IfNotPresent`.
    /// - fleet: the image of `docker run`.
    /// - Swarm: `image`.
    #[schemars(pattern(IMAGE), extend("examples" = ["docker.io/library/postgres:16.4"]))]
    pub image: Option<String>,
    /// The command that replaces the entrypoint of the image. An item may make one word for each
    /// member, as in `args`, but not the first.
    ///
    /// - Kubernetes: `command`.
    /// - fleet: the first word is `--entrypoint`, the others follow the image.
    /// - Swarm: `entrypoint`.
    #[schemars(length(min = 1), extend("examples" = [["docker-entrypoint.sh", "postgres"]]))]
    pub command: Option<Vec<Word>>,
    /// The arguments of the entrypoint. An item is a text, which makes one argument, or
    /// `{ each: members, arg: "--join={{ it.address }}" }`, which makes one for each member.
    ///
    /// - Kubernetes: `args`.
    /// - fleet: the words after the image.
    /// - Swarm: `command`.
    #[schemars(length(min = 1), extend("examples" = [
        ["--max-connections", "200"],
        ["serve", { "each": "members", "arg": "--join={{ it.address }}:{{ ports.peer }}" }],
    ]))]
    pub args: Option<Vec<Word>>,
    /// The environment variables.
    ///
    /// - Kubernetes: `env`. Facts of the pod come from `fieldRef`, secrets from `secretKeyRef`.
    /// - fleet: `-e NAME=VALUE`. A value with a secret is read by a shell from the file of the secret, so
    ///   it is in no process list.
    /// - Swarm: `environment`. A variable with a secret itself is the gap `swarm/secrets.NAME`.
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
    ///
    /// - Kubernetes: `runAsUser`, `runAsGroup`, `runAsNonRoot`, no privilege escalation, and no
    ///   capabilities. Network volumes get its group by `fsGroup`.
    /// - fleet: `--user`.
    /// - Swarm: `user`.
    #[schemars(pattern(USER), extend("examples" = ["1000:1000", "999"]))]
    pub user: Option<String>,
    /// CPU and memory of each member. They are both the request and the limit.
    pub resources: Option<ResourcesSpec>,
    /// Limits of the process, such as `nofile`.
    ///
    /// - Kubernetes: nothing: a pod has no ulimits. This is the gap `kubernetes/ulimits`.
    /// - fleet: `--ulimit`.
    /// - Swarm: `ulimits`.
    #[schemars(extend("propertyNames" = { "enum": ULIMITS }, "examples" = [{ "nofile": 65536 }]))]
    pub ulimits: Option<IndexMap<String, Limit>>,
    /// Memory file systems (tmpfs): path and size.
    ///
    /// - Kubernetes: an `emptyDir` with `medium: Memory` and `sizeLimit`.
    /// - fleet: `--mount type=tmpfs`, and `--shm-size` for `/dev/shm`.
    /// - Swarm: a volume of `type: tmpfs` with its size.
    #[schemars(transform = map(PATH, BYTES), extend("examples" = [{ "/tmp": "64Mi" }]))]
    pub tmpfs: Option<IndexMap<String, String>>,
    /// Labels for everything that berthc emits.
    ///
    /// - Kubernetes: labels of all objects and of the pods.
    /// - fleet: `--label` of the container.
    /// - Swarm: `labels` of the container.
    #[schemars(transform = map(LABEL_KEY, LABEL_VALUE), extend("examples" = [{ "team": "storage" }]))]
    pub labels: Option<IndexMap<String, String>>,
    /// Annotations of the members, with any text as value. An expression in it stays as it is written.
    /// Keys that berthc, docker or Kubernetes itself writes are refused. What a controller makes of an
    /// annotation, such as a sidecar that it injects, is not part of the certificate.
    ///
    /// - Kubernetes: annotations of the pods.
    /// - fleet: labels of the container (`--label`).
    /// - Swarm: labels of the service (`deploy.labels`).
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
    ///
    /// - Kubernetes: a `podAntiAffinity` on the node for the pods of that service, in all namespaces.
    /// - fleet: `Conflicts` with its units. Version 0.13 cannot keep a global unit apart: the gap
    ///   `fleet/apart_from`.
    /// - Swarm: nothing of its own. Different values of one node label or a common port keep the two apart,
    ///   otherwise it is the gap `swarm/apart_from`.
    #[schemars(extend("uniqueItems" = true, "examples" = [["kafka"]]))]
    pub apart_from: Option<Vec<String>>,
    /// A service that already runs elsewhere. berthc emits only names for its clients.
    pub external: Option<ExternalSpec>,
    /// The gaps that you accept, each with a reason.
    #[schemars(extend("examples" = [[{ "gap": "swarm/data/partition", "because": "the disks are fenced by hand" }]]))]
    pub accept: Option<Vec<AcceptSpec>>,
    /// Changes that leave data behind, and how the data was moved. The key is the name of the
    /// change as berthc prints it; it may stay here.
    ///
    /// - Every target: nothing. The change that the key names is no error any more.
    #[schemars(transform = map(MOVE, REASON), extend("examples" = [{ "data/js": "copied while all members were stopped" }]))]
    pub moved: Option<IndexMap<String, String>>,
    /// The orchestrators to emit files for.
    #[schemars(extend("examples" = [{ "kubernetes": { "version": "1.34", "namespace": "databases" } }]))]
    pub targets: Option<TargetsSpec>,
}
