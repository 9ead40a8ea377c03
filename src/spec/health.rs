//! The block `health`, as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::allowed::{DURATION, REQUEST, above_zero};
use super::parts::Value;

/// The health checks of a member. The fields of a check, written here directly, mean `ready`.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthSpec {
    /// The tool in the image that can probe a port from inside the container.
    ///
    /// - Kubernetes: nothing: the kubelet probes from outside of the container.
    /// - fleet and Swarm: the program in the command of a check with `tcp` or `http`.
    #[schemars(extend("examples" = ["bash"]))]
    pub tool: Option<Tool>,
    /// The check whether the member accepts work.
    pub ready: Option<CheckSpec>,
    /// The check whether the member must be restarted. It is never derived from `ready`.
    pub live: Option<CheckSpec>,
    /// The time that a start may take before `live` counts, such as "120s".
    ///
    /// - Kubernetes: `startupProbe`: the `live` check, repeated for this time.
    /// - fleet: `--health-start-period`.
    /// - Swarm: `start_period`.
    #[schemars(pattern(DURATION), extend("examples" = ["120s"]))]
    pub start: Option<String>,
    /// The `http` of the `ready` check.
    ///
    /// - Every target: the same as `http` under `ready`.
    #[schemars(pattern(REQUEST), extend("examples" = ["/health"]))]
    pub http: Option<String>,
    /// The `port` of the `ready` check.
    ///
    /// - Every target: the same as `port` under `ready`.
    #[schemars(extend("examples" = ["client"]))]
    pub port: Option<String>,
    /// The `scheme` of the `ready` check.
    ///
    /// - Every target: the same as `scheme` under `ready`.
    #[schemars(extend("default" = "http"), extend("examples" = ["https"]))]
    pub scheme: Option<Scheme>,
    /// The `tcp` of the `ready` check.
    ///
    /// - Every target: the same as `tcp` under `ready`.
    #[schemars(extend("examples" = ["client"]))]
    pub tcp: Option<String>,
    /// The `run` of the `ready` check.
    ///
    /// - Every target: the same as `run` under `ready`.
    #[schemars(length(min = 1), extend("examples" = [["pg_isready"]]))]
    pub run: Option<Vec<Value>>,
    /// The `every` of the `ready` check.
    ///
    /// - Every target: the same as `every` under `ready`.
    #[schemars(pattern(DURATION), transform = above_zero, extend("default" = "10s"), extend("examples" = ["5s"]))]
    pub every: Option<String>,
    /// The `timeout` of the `ready` check.
    ///
    /// - Every target: the same as `timeout` under `ready`.
    #[schemars(pattern(DURATION), transform = above_zero, extend("default" = "3s"), extend("examples" = ["2s"]))]
    pub timeout: Option<String>,
    /// The `failures` of the `ready` check.
    ///
    /// - Every target: the same as `failures` under `ready`.
    #[schemars(range(min = 1), extend("default" = 3), extend("examples" = [6]))]
    pub failures: Option<u32>,
}

/// A tool that can probe a port from inside the container.
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

/// The protocol of an HTTP probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// HTTP without TLS.
    Http,
    /// HTTP over TLS; certificates are not verified.
    Https,
}

/// One check: `http` with `port`, or `tcp`, or `run`.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckSpec {
    /// The path of a GET that must answer 2xx or 3xx.
    ///
    /// - Kubernetes: `httpGet`.
    /// - fleet and Swarm: a command with `tool`.
    #[schemars(pattern(REQUEST), extend("examples" = ["/health"]))]
    pub http: Option<String>,
    /// The name of the port for `http`.
    ///
    /// - Kubernetes: `port` of `httpGet`.
    /// - fleet and Swarm: the port in that command.
    #[schemars(extend("examples" = ["client"]))]
    pub port: Option<String>,
    /// The protocol of `http`; the default is http.
    ///
    /// - Kubernetes: `scheme` of `httpGet`.
    /// - fleet and Swarm: the start of the URL in that command.
    #[schemars(extend("default" = "http"), extend("examples" = ["https"]))]
    pub scheme: Option<Scheme>,
    /// The name of a port that must accept connections.
    ///
    /// - Kubernetes: `tcpSocket`.
    /// - fleet and Swarm: a command with `tool`.
    #[schemars(extend("examples" = ["client"]))]
    pub tcp: Option<String>,
    /// A command that must exit with 0. Next to `http` or `tcp`, only fleet and Swarm run it,
    /// instead of the probe.
    ///
    /// - Kubernetes: `exec`.
    /// - fleet: `--health-cmd`.
    /// - Swarm: `test` of the `healthcheck`.
    #[schemars(length(min = 1), extend("examples" = [["pg_isready"]]))]
    pub run: Option<Vec<Value>>,
    /// The time between two checks; the default is "10s".
    ///
    /// - Kubernetes: `periodSeconds`.
    /// - fleet: `--health-interval`.
    /// - Swarm: `interval`.
    #[schemars(pattern(DURATION), transform = above_zero, extend("default" = "10s"), extend("examples" = ["5s"]))]
    pub every: Option<String>,
    /// The time until a check counts as failed; the default is "3s".
    ///
    /// - Kubernetes: `timeoutSeconds`.
    /// - fleet: `--health-timeout`.
    /// - Swarm: `timeout`.
    #[schemars(pattern(DURATION), transform = above_zero, extend("default" = "3s"), extend("examples" = ["2s"]))]
    pub timeout: Option<String>,
    /// The number of consecutive failures that count; the default is 3.
    ///
    /// - Kubernetes: `failureThreshold`.
    /// - fleet: `--health-retries`.
    /// - Swarm: `retries`.
    #[schemars(range(min = 1), extend("default" = 3), extend("examples" = [6]))]
    pub failures: Option<u32>,
}
