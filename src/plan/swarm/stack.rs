//! A stack file, for `docker stack deploy` of engine 20.10 and newer, as the template prints it.

use serde::Serialize;
use serde_json::{Map, Value};

use super::carried::{Carried, Grant};
use super::storage::{Mount, Volume};
use crate::plan::context::Accepted;
use crate::value::Text;

/// Seconds during which a task that fails stops an update; docker's own five are over before
/// anything was tried.
const MONITOR: u32 = 30;
/// Seconds between two starts of a task that is refused.
const RESTART_DELAY: u32 = 10;

/// One stack file.
#[derive(Debug, Serialize)]
pub struct Stack {
    /// File of the spec.
    pub origin: String,
    /// What its waivers accept.
    pub accepted: Vec<Accepted>,
    /// Its own name, `zookeeper-1.yml`.
    pub file: String,
    /// Name of the stack; every file of a service is deployed into the same.
    pub name: String,
    /// Whether other files belong to the stack.
    pub shared: bool,
    /// Version of the format.
    pub version: &'static str,
    /// The member, then its helpers.
    pub services: Vec<Service>,
    /// Networks by name; all of them exist.
    pub networks: Vec<String>,
    /// Volumes.
    pub volumes: Vec<Volume>,
    /// Configs made from files.
    pub configs: Vec<Carried>,
    /// Secrets that exist: key and name.
    pub secrets: Vec<Carried>,
}

/// One service of a stack.
#[derive(Debug, Serialize)]
pub struct Service {
    /// Its name, by which others reach it.
    pub name: String,
    /// Image reference.
    pub image: String,
    /// `uid:gid`.
    pub user: Option<String>,
    /// Hostname in the container; none on the node's network.
    pub hostname: Option<String>,
    /// In place of the image's entrypoint.
    pub entrypoint: Vec<String>,
    /// Arguments.
    pub command: Vec<String>,
    /// Variables; Swarm expands their values.
    pub environment: Vec<Variable>,
    /// Networks by name.
    pub networks: Vec<String>,
    /// Ports of the node, the lock first; `target` and `published` are one number.
    pub ports: Vec<u16>,
    /// Whether the first port is the lock.
    pub lock: bool,
    /// Mounts.
    pub mounts: Vec<Mount>,
    /// Configs.
    pub configs: Vec<Grant>,
    /// Secrets.
    pub secrets: Vec<Grant>,
    /// Name, soft, hard.
    pub ulimits: Vec<(String, u64, u64)>,
    /// In place of the image's signal.
    pub stop_signal: Option<String>,
    /// Seconds.
    pub stop_grace_period: Option<u32>,
    /// The check; the image's own is switched off, as it would hide the name of a member that
    /// is not well and restart it.
    pub healthcheck: Healthcheck,
    /// Labels of the container: a change restarts it, as it does everywhere.
    pub labels: Vec<(String, String)>,
    /// Raw additions beside all this.
    pub added: Map<String, Value>,
    /// How Swarm runs it.
    pub deploy: Deploy,
}

/// A variable.
#[derive(Debug, Serialize)]
pub struct Variable {
    /// Name.
    pub name: String,
    /// Value.
    pub value: Text,
}

/// What tells Swarm that a task is beyond hope. Swarm has no readiness: `health.ready` is not
/// emitted, since Swarm would kill what is merely not ready.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Healthcheck {
    /// None, not even the image's.
    Disabled {
        /// Whether the spec asks for one that would hide the name.
        hides: bool,
    },
    /// From `health.live`.
    Live {
        /// `CMD` and words, or `CMD-SHELL` and a line.
        test: Vec<String>,
        /// Seconds between two.
        interval: u32,
        /// Seconds until one failed.
        timeout: u32,
        /// How many in a row count.
        retries: u32,
        /// Seconds in which a failure does not count.
        start_period: Option<u32>,
    },
    /// The operator's own, among the raw additions.
    Own,
}

/// How Swarm runs a service.
#[derive(Debug, Serialize)]
pub struct Deploy {
    /// `replicated` or `global`.
    pub mode: &'static str,
    /// One; slots have no memory of nodes, so members are services of their own.
    pub replicas: Option<u32>,
    /// `dnsrr`: a virtual address is no member's own, and none exists on the node's network.
    pub endpoint_mode: &'static str,
    /// Labels of the service, which restart nothing.
    pub labels: Map<String, Value>,
    /// Constraints.
    pub constraints: Vec<String>,
    /// Raw.
    pub preferences: Vec<Value>,
    /// For updates and for rollbacks alike.
    pub update: Update,
    /// What follows when a task ends.
    pub restart: Restart,
    /// Limits and reservations alike, if given.
    pub resources: Resources,
}

/// `update_config` and `rollback_config`.
#[derive(Debug, Serialize)]
pub struct Update {
    /// One task at a time.
    pub parallelism: u32,
    /// Seconds after each.
    pub delay: u32,
    /// `stop-first`: `start-first` waits forever for a port that the old task holds.
    pub order: &'static str,
    /// `pause`: a failed member must not be followed by the next.
    pub failure_action: &'static str,
    /// Seconds.
    pub monitor: u32,
}

/// `restart_policy`, without a limit of attempts: what the lock refuses is tried again until the
/// old task has gone.
#[derive(Debug, Serialize)]
pub struct Restart {
    /// `any`.
    pub condition: &'static str,
    /// Seconds.
    pub delay: u32,
}

/// Resources as docker writes them.
#[derive(Debug, Default, Serialize)]
pub struct Resources {
    /// Cores.
    pub cpus: Option<String>,
    /// Bytes with a unit.
    pub memory: Option<String>,
    /// Raw generic resources.
    pub generic: Vec<Value>,
}

impl Deploy {
    /// As everything here is run.
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
