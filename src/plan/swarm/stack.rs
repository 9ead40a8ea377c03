//! A stack file, as the template prints it, for `docker stack deploy` of engine 20.10 and newer.

use serde::Serialize;
use serde_json::{Map, Value};

use super::carried::{Carried, Grant};
use super::storage::{Mount, Volume};
use crate::model::Socket;
use crate::plan::context::Accepted;
use crate::value::Text;

/// The seconds during which a failing task stops an update. Docker's default of five ends before
/// the task has tried anything.
const MONITOR: u32 = 30;
/// The seconds between two starts of a task that is rejected.
const RESTART_DELAY: u32 = 10;

/// One stack file.
#[derive(Debug, Serialize)]
pub struct Stack {
    /// The file name of the spec.
    pub origin: String,
    /// The waivers of the spec.
    pub accepted: Vec<Accepted>,
    /// The name of the file, such as `zookeeper-1.yml`.
    pub file: String,
    /// The name of the stack. All files of a service are deployed into the same stack.
    pub name: String,
    /// Whether other files belong to the stack.
    pub shared: bool,
    /// The version of the format.
    pub version: &'static str,
    /// The services: the member, then its helpers.
    pub services: Vec<Service>,
    /// The networks by name. They must exist.
    pub networks: Vec<String>,
    /// The volumes.
    pub volumes: Vec<Volume>,
    /// The configs, made from files.
    pub configs: Vec<Carried>,
    /// The key and name of each secret. They must exist.
    pub secrets: Vec<Carried>,
}

/// A port of the node.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Published {
    /// The number, in the container and on the node.
    pub number: u16,
    /// The protocol.
    pub protocol: &'static str,
}

impl From<Socket> for Published {
    fn from(Socket { number, protocol }: Socket) -> Self {
        Self { number, protocol: protocol.name() }
    }
}

/// One service of a stack.
#[derive(Debug, Serialize)]
pub struct Service {
    /// The name by which others reach it.
    pub name: String,
    /// The image reference.
    pub image: String,
    /// The user, as `uid:gid`.
    pub user: Option<String>,
    /// The hostname in the container; `None` on the node's network.
    pub hostname: Option<String>,
    /// The command that replaces the entrypoint.
    pub entrypoint: Vec<String>,
    /// The arguments.
    pub command: Vec<String>,
    /// The variables. Swarm expands their values.
    pub environment: Vec<Variable>,
    /// The networks by name.
    pub networks: Vec<String>,
    /// The ports of the node, the lock first. `target` and `published` are equal.
    pub ports: Vec<Published>,
    /// Whether the first port is the lock.
    pub lock: bool,
    /// The mounts.
    pub mounts: Vec<Mount>,
    /// The configs.
    pub configs: Vec<Grant>,
    /// The secrets.
    pub secrets: Vec<Grant>,
    /// The ulimits: name, soft limit, hard limit.
    pub ulimits: Vec<(String, u64, u64)>,
    /// The signal, if it is not the one of the image.
    pub stop_signal: Option<String>,
    /// The grace period in seconds.
    pub stop_grace_period: Option<u32>,
    /// The health check. The check of the image is switched off, because it would hide the name of
    /// an unhealthy member and restart it.
    pub healthcheck: Healthcheck,
    /// The labels of the container. A change of them restarts it, as on every target.
    pub labels: Vec<(String, String)>,
    /// The raw additions.
    pub added: Map<String, Value>,
    /// How Swarm runs the service.
    pub deploy: Deploy,
}

/// A variable.
#[derive(Debug, Serialize)]
pub struct Variable {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Text,
}

/// The health check that tells Swarm to restart a task. Swarm has no readiness, and it would kill a
/// task that is only not ready, so `health.ready` is not emitted.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Healthcheck {
    /// No check, also not the one of the image.
    Disabled {
        /// Whether the spec has a check that would hide the name.
        hides: bool,
    },
    /// The check `health.live`.
    Live {
        /// The command: `CMD` and words, or `CMD-SHELL` and a line.
        test: Vec<String>,
        /// The seconds between two checks.
        interval: u32,
        /// The seconds until a check counts as failed.
        timeout: u32,
        /// The number of consecutive failures that count.
        retries: u32,
        /// The seconds after the start in which a failure does not count.
        start_period: Option<u32>,
        /// The seconds between two checks in that time.
        start_interval: Option<u32>,
    },
    /// A check among the raw additions.
    Own,
}

/// How Swarm runs a service.
#[derive(Debug, Serialize)]
pub struct Deploy {
    /// The mode, `replicated` or `global`.
    pub mode: &'static str,
    /// The number of replicas, which is one. Each member is a service of its own, because Swarm
    /// does not keep a slot on one node.
    pub replicas: Option<u32>,
    /// The endpoint mode, `dnsrr`: a virtual address belongs to no single member, and does not
    /// exist on the node's network.
    pub endpoint_mode: &'static str,
    /// The labels of the service. A change of them restarts nothing.
    pub labels: Map<String, Value>,
    /// The placement constraints.
    pub constraints: Vec<String>,
    /// The placement preferences, from the raw additions.
    pub preferences: Vec<Value>,
    /// The settings for updates and rollbacks.
    pub update: Update,
    /// What happens when a task ends.
    pub restart: Restart,
    /// The resources, as both limits and reservations, if given.
    pub resources: Resources,
}

/// The `update_config` and the `rollback_config`.
#[derive(Debug, Serialize)]
pub struct Update {
    /// The number of tasks that are updated at once, which is one.
    pub parallelism: u32,
    /// The seconds to wait after each task.
    pub delay: u32,
    /// The order, `stop-first`. With `start-first`, the new task waits forever for the port of the
    /// old one.
    pub order: &'static str,
    /// The action on failure, `pause`: after a failed member, the update must not continue.
    pub failure_action: &'static str,
    /// The monitoring time in seconds.
    pub monitor: u32,
}

/// The `restart_policy`. It has no limit of attempts, so a task that the lock keeps out tries again
/// until the old task is gone.
#[derive(Debug, Serialize)]
pub struct Restart {
    /// The condition, `any`.
    pub condition: &'static str,
    /// The delay in seconds.
    pub delay: u32,
}

/// Resources in docker's notation.
#[derive(Debug, Default, Serialize)]
pub struct Resources {
    /// The number of cores.
    pub cpus: Option<String>,
    /// The bytes, with a unit.
    pub memory: Option<String>,
    /// The generic resources, from the raw additions.
    pub generic: Vec<Value>,
}

impl Stack {
    /// Returns the oldest version of the file format that has every key of `services`. Clients of
    /// 20.10 know 3.0 to 3.9, and read a file without a version as version 1. `start_interval` is
    /// in 3.12, which clients know from 25.0 on (docker/cli `cli/compose/schema/data`).
    pub fn format(services: &[Service]) -> &'static str {
        let newer = |s: &Service| match &s.healthcheck {
            Healthcheck::Live { start_interval, .. } => start_interval.is_some(),
            Healthcheck::Own => s.added.get("healthcheck").is_some_and(|h| h.get("start_interval").is_some()),
            Healthcheck::Disabled { .. } => false,
        };
        if services.iter().any(newer) { "3.12" } else { "3.8" }
    }
}

impl Deploy {
    /// Makes the settings that all services share.
    pub fn new(counted: bool, constraints: Vec<String>, pause: u32, resources: Resources) -> Self {
        Self {
            mode: if counted { "replicated" } else { "global" },
            replicas: counted.then_some(1),
            endpoint_mode: "dnsrr",
            labels: Map::new(),
            constraints,
            preferences: Vec::new(),
            update: Update {
                parallelism: 1,
                delay: pause,
                order: "stop-first",
                failure_action: "pause",
                monitor: MONITOR,
            },
            restart: Restart { condition: "any", delay: RESTART_DELAY },
            resources,
        }
    }
}
