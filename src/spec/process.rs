//! What runs in a container, and how it starts, stops and is updated, as written.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::allowed::{
    BYTES, CPU, DURATION, ENV, IMAGE, KEY, MODE, PATH, SECRET, SIGNALS, USER, above_zero, keys, ports,
};
use super::parts::Value;
use super::ports::PortSpec;
use super::words_of::Word;

/// A file in the container: its text, or the path to read the text from.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FileSpec {
    /// The text of the file.
    ///
    /// - Kubernetes: a key of an immutable ConfigMap, mounted with `subPath`. A changed text gives the
    ///   ConfigMap another name, so the pods are updated.
    /// - fleet: the unit writes the file below `/run/berth` before the start, and mounts it read-only.
    /// - Swarm: a config of the stack. A changed text gives the config another name, so the tasks are
    ///   updated.
    #[schemars(extend("examples" = ["[mysqld]\ngtid_mode = ON\n"]))]
    pub content: Option<String>,
    /// The path of the file with the text, relative to the spec.
    ///
    /// - Every target: the same as `content`, with the text of that file.
    #[schemars(pattern("^[^/]"), extend("examples" = ["files/my.cnf"]))]
    pub from: Option<String>,
    /// Whether the text is rendered like a value: `{% for m in members %}`, `{{ ports.client }}`,
    /// `{{ secret('x').path }}`. Without it, the member gets the text as it is written. A line with
    /// only a statement leaves no line, and `{% raw %}…{% endraw %}` keeps its text. A file cannot
    /// hold a secret itself, only its path.
    ///
    /// Every member of a `count` may have a text of its own.
    ///
    /// - Kubernetes: the ConfigMap has a key for each member, and `subPathExpr` chooses it by the name of
    ///   the pod. `{{ member.node }}` is an error, and so is `{{ member.address }}` of a `per: node`
    ///   service, because all nodes share the ConfigMap.
    /// - fleet: each unit writes its own text. `{{ member.node }}` is filled in on the machine.
    /// - Swarm: each member has a config of its own. `{{ member.node }}` is filled in by `template_driver:
    ///   golang`.
    #[schemars(extend("default" = false), extend("examples" = [true]))]
    pub template: Option<bool>,
    /// Octal permissions; the default is "0444".
    ///
    /// - Kubernetes: `mode` of the item in the ConfigMap volume.
    /// - fleet: `chmod` after the file is written.
    /// - Swarm: `mode` of the config. The file belongs to `user`, otherwise to root.
    #[schemars(pattern(MODE), extend("default" = "0444", "examples" = ["0755"]))]
    pub mode: Option<String>,
}

/// A reference to an existing secret.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SecretSpec {
    /// The secret, as `NAME/KEY`: the key KEY of the Kubernetes Secret NAME, the Swarm secret
    /// `NAME-KEY`, and the file `/etc/berth/secrets/NAME/KEY` on fleet machines.
    ///
    /// - Kubernetes: the key KEY of the Secret NAME. As a file, it is part of a projected volume; as a
    ///   variable, it is a `secretKeyRef`.
    /// - fleet: the file `/etc/berth/secrets/NAME/KEY` of the machine, mounted read-only. The unit does not
    ///   start while the file is missing or empty.
    /// - Swarm: the external secret `NAME-KEY`.
    #[schemars(pattern(SECRET), extend("examples" = ["orders-db/password"]))]
    pub r#ref: Option<String>,
    /// The version of the Swarm secret, whose name is then `NAME-KEY-VERSION`.
    ///
    /// - Kubernetes and fleet: nothing.
    /// - Swarm: the secret is `NAME-KEY-VERSION`, because a secret of Swarm never changes.
    #[schemars(pattern(KEY), extend("examples" = ["2"]))]
    pub version: Option<String>,
    /// The path of the file in the container; the default is `/run/secrets/NAME`. It may lie in a data
    /// directory, where some programs expect it: an empty file of this name then stays in the data.
    ///
    /// - Kubernetes: a mount with `subPath`. A changed Secret reaches it only in a new pod.
    /// - fleet: the target of the mount.
    /// - Swarm: the `target` of the secret.
    #[schemars(pattern(PATH), extend("examples" = ["/var/lib/rabbitmq/.erlang.cookie"]))]
    pub path: Option<String>,
    /// Octal permissions of the file. Without `mode` and `owner`, berthc chooses the narrowest
    /// permissions with which the user can read the file. With one of them, the file has exactly this
    /// owner and these permissions, and the default is "0400".
    ///
    /// - Kubernetes: `mode` of the file, if root owns it and the pod has no `fsGroup`. Otherwise an init
    ///   container copies the secret into a memory volume as the owner, because the kubelet gives the
    ///   files of a Secret to root, and an `fsGroup` may always read them. The image needs `install`.
    /// - fleet: `install -m` copies the file below `/run/berth-secrets` before the start.
    /// - Swarm: `mode` of the secret.
    #[schemars(pattern(MODE), extend("examples" = ["0400"]))]
    pub mode: Option<String>,
    /// The owner of the file, as the numbers `uid:gid` or `uid`; the default is `user`, otherwise root.
    ///
    /// - Kubernetes: the user of the init container that copies the secret, see `mode`.
    /// - fleet: `install -o -g`, see `mode`.
    /// - Swarm: `uid` and `gid` of the secret.
    #[schemars(pattern(USER), extend("examples" = ["999:999"]))]
    pub owner: Option<String>,
}

/// CPU and memory, as both request and limit.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResourcesSpec {
    /// The number of cores, such as "2", "0.5" or "500m".
    ///
    /// - Kubernetes: `requests.cpu` and `limits.cpu`.
    /// - fleet: `--cpus`.
    /// - Swarm: `reservations.cpus` and `limits.cpus`.
    #[schemars(pattern(CPU), extend("examples" = ["2", "500m"]))]
    pub cpu: Option<String>,
    /// The memory, such as "8Gi" or "512Mi".
    ///
    /// - Kubernetes: `requests.memory` and `limits.memory`.
    /// - fleet: `--memory`, and the same as `--memory-swap`, so no swap is used.
    /// - Swarm: `reservations.memory` and `limits.memory`.
    #[schemars(pattern(BYTES), extend("examples" = ["8Gi"]))]
    pub memory: Option<String>,
}

/// A sidecar container of each member, without data.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HelperSpec {
    /// The image.
    ///
    /// - Kubernetes: one more container of the pod.
    /// - fleet: the unit `SERVICE-HELPER@ID.service`, bound to the unit of the member and on its machine.
    /// - Swarm: one more service in the file of the member. It runs on the node of its member only if a
    ///   label fixes that node.
    #[schemars(pattern(IMAGE), extend("examples" = ["prom/mysqld-exporter:v0.15.1"]))]
    pub image: Option<String>,
    /// The command that replaces the entrypoint of the image.
    ///
    /// - Kubernetes: `command`.
    /// - fleet: the first word is `--entrypoint`, the others follow the image.
    /// - Swarm: `entrypoint`.
    #[schemars(length(min = 1), extend("examples" = [["/bin/exporter"]]))]
    pub command: Option<Vec<Word>>,
    /// The arguments.
    ///
    /// - Kubernetes: `args`.
    /// - fleet: the words after the image.
    /// - Swarm: `command`.
    #[schemars(length(min = 1), extend("examples" = [["--port={{ ports.client }}"]]))]
    pub args: Option<Vec<Word>>,
    /// The environment variables.
    ///
    /// - Every target: the same as `env` of the member. The helper gets only the secrets that it names.
    #[schemars(transform = keys(ENV), extend("examples" = [{ "TARGET": "localhost:{{ ports.client }}" }]))]
    pub env: Option<IndexMap<String, Value>>,
    /// The ports, by name. A number alone is a TCP port.
    #[schemars(transform = ports, extend("examples" = [{ "metrics": 9104 }]))]
    pub ports: Option<IndexMap<String, PortSpec>>,
    /// CPU and memory, as both request and limit.
    pub resources: Option<ResourcesSpec>,
    /// The user, as the numbers `uid:gid` or `uid`.
    ///
    /// - Every target: the same as `user` of the member.
    #[schemars(pattern(USER), extend("examples" = ["65534:65534"]))]
    pub user: Option<String>,
}

/// How a member stops.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StopSpec {
    /// A command that runs in the container before the stop signal. Its time is part of `grace`.
    pub before: Option<BeforeSpec>,
    /// The stop signal, such as "SIGINT", if it is not the one of the image.
    ///
    /// - Kubernetes: nothing: the pod gets the signal of its image. Another signal is the gap
    ///   `kubernetes/stop.signal`.
    /// - fleet: `--stop-signal`.
    /// - Swarm: `stop_signal`.
    #[schemars(extend("enum" = SIGNALS), extend("examples" = ["SIGINT"]))]
    pub signal: Option<String>,
    /// The time from the start of the stop to the kill, such as "30s".
    ///
    /// - Kubernetes: `terminationGracePeriodSeconds`.
    /// - fleet: `docker stop -t` in `ExecStop`, `--stop-timeout`, and 30 s more in `TimeoutStopSec`.
    /// - Swarm: `stop_grace_period`.
    #[schemars(pattern(DURATION), transform = above_zero, extend("default" = "30s", "examples" = ["120s"]))]
    pub grace: Option<String>,
}

/// A command before the stop signal.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BeforeSpec {
    /// The command and its arguments.
    ///
    /// - Kubernetes: a `preStop` hook.
    /// - fleet: `docker exec` in the first `ExecStop`.
    /// - Swarm: nothing. This is the gap `swarm/stop.before`.
    #[schemars(length(min = 1), extend("examples" = [["my-server", "--drain"]]))]
    pub run: Option<Vec<Value>>,
    /// The part of `grace` that the command may use.
    ///
    /// - Kubernetes: nothing of its own: the hook may use the whole grace period.
    /// - fleet: `timeout` around the command, and less time in the `docker stop` after it.
    /// - Swarm: nothing.
    #[schemars(pattern(DURATION), extend("examples" = ["20s"]))]
    pub within: Option<String>,
}

/// How members are updated.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateSpec {
    /// The time to wait after each member, such as "30s".
    ///
    /// - Kubernetes: `minReadySeconds`. If a person updates the pods one by one, the commands in
    ///   certificate.md wait.
    /// - fleet: a `sleep` in the commands of certificate.md.
    /// - Swarm: `delay` in `update_config` and `rollback_config`, or a `sleep` between the files of the
    ///   members.
    #[schemars(pattern(DURATION), extend("default" = "0s", "examples" = ["30s"]))]
    pub pause: Option<String>,
    /// A shell command that runs in the updated member. The next member is updated once it exits
    /// with 0.
    ///
    /// - Kubernetes: `updateStrategy: OnDelete`, and the command in certificate.md. A person deletes the
    ///   pods one by one, because no controller of Kubernetes runs a command between two pods.
    /// - fleet: the command in certificate.md, between two units.
    /// - Swarm: the command in certificate.md, between the files of two members. For `per: node` it is the
    ///   gap `swarm/update.healthy`.
    #[schemars(extend("examples" = ["nodetool status | grep -q UN"]))]
    pub healthy: Option<Value>,
}

/// Settings for the very first start.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BootstrapSpec {
    /// The environment variables of the first start.
    ///
    /// - Every target: variables besides `env`, only with `--bootstrap SERVICE`. certificate.md tells when
    ///   to compile without it.
    #[schemars(transform = keys(ENV), extend("examples" = [{ "CLUSTER_STATE": "new" }]))]
    pub env: Option<IndexMap<String, Value>>,
    /// Which members get `env`: the first one, which founds a cluster that the others join, or all,
    /// which found it together.
    ///
    /// - Kubernetes: `all` is in the pod template. For the `first` of several, a script of `/bin/sh` before
    ///   `command` gives the variables to the pod with the lowest number, so the spec needs `command`.
    /// - fleet: only the unit of the first member has them, or all units.
    /// - Swarm: only the service of the first member has them, or all services.
    #[schemars(extend("default" = "first", "examples" = ["all"]))]
    pub r#for: Option<Founders>,
    /// A shell command that an operator runs once, in one member.
    ///
    /// - Every target: a command in certificate.md, which a person runs in the first member.
    #[schemars(extend("examples" = ["my-db init --host={{ member.address }}"]))]
    pub once: Option<Value>,
}

/// The members that found a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Founders {
    /// The member with the lowest id.
    #[default]
    First,
    /// All members.
    All,
}
