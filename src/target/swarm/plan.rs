//! Every decision about a stack file, for `docker stack deploy` of engine 20.10 and newer.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::carried::{self, Carried, Grant, OnDisk};
use super::hatch;
use super::member::Maker;
use super::storage::{self, Mount, Volume};
use super::subject::Subject;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::route;
use crate::target::{Accepted, Context, Target};
use crate::value::Text;

/// Version of the file format. The clients of 20.10 know 3.0 to 3.9 and take a file without a
/// version for version 1; nothing newer than 3.8 is used.
const VERSION: &str = "3.8";
/// Longest name of a service with the stack's before it (swarmkit `manager/controlapi/common.go`).
const MAX_NAME: usize = 63;
/// Seconds during which a task that fails stops an update; docker's own five are over before
/// anything was tried.
const MONITOR: u32 = 30;
/// Seconds between two starts of a task that is refused.
const RESTART_DELAY: u32 = 10;

/// What is made of one spec.
pub struct Plan {
    /// Stack files.
    pub stacks: Vec<Stack>,
    /// Files that they name.
    pub files: Vec<OnDisk>,
}

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

/// Plans the stack files of one spec.
pub fn plan(context: &mut Context<'_>, subject: Subject<'_>) -> Plan {
    network(context, subject);
    lock(context, subject);
    writer(context, subject);
    labels(context, subject);
    storage::check(context, subject);
    let configs = carried::configs(context, subject);
    let added = hatch::read(context, subject);
    let shared = subject.ids().len() > 1 || context.group.len() > 1;
    let mut stacks = Vec::new();
    for (index, id) in subject.ids().into_iter().enumerate() {
        let maker = Maker::new(subject, id, index == 0);
        let mut member = maker.member(context, &configs);
        hatch::apply(&added, &mut member);
        let mut services = vec![member];
        services.extend(subject.workload.helpers.iter().map(|h| maker.helper(context, h)));
        let networks: BTreeSet<String> = services.iter().flat_map(|s| s.networks.clone()).collect();
        stacks.push(Stack {
            origin: subject.service.file.clone(),
            accepted: Accepted::of(subject.service, Target::Swarm),
            file: format!("{}.yml", subject.name(id)),
            name: subject.service.name.clone(),
            shared,
            version: VERSION,
            networks: networks.into_iter().collect(),
            volumes: storage::volumes(subject, id),
            configs: configs.iter().map(|c| c.carried.clone()).collect(),
            secrets: carried::secrets(subject),
            services,
        });
    }
    too_long(context, subject, &stacks);
    carried::check_secrets(context, subject);
    Plan { stacks, files: configs.into_iter().map(|c| c.on_disk).collect() }
}

/// Members that are not on the node's network need an overlay's name.
fn network(context: &mut Context<'_>, subject: Subject<'_>) {
    if subject.workload.node_network || subject.swarm.network.is_some() {
        return;
    }
    let place = subject.service.key(&route!["targets", "swarm"]);
    context.fault(
        Diagnostic::error(Code::NetworkMissing, place, "nothing says on which network the members meet")
            .mend("name an overlay network that exists", "targets: { swarm: { network: my-network } }")
            .mend("or use the node's own", "exclusive: { address: node }"),
    );
}

/// What is exclusive to a member on its node needs a port there: `max_replicas_per_node` and
/// `stop-first` do not count a task that is still stopping.
fn lock(context: &mut Context<'_>, subject: Subject<'_>) {
    let w = subject.workload;
    match subject.lock() {
        None if !w.data.is_empty() || w.writer => {
            let place = subject.service.key(&route!["exclusive"]);
            context.fault(
                Diagnostic::error(
                    Code::LockMissing,
                    place,
                    "no port holds a Swarm node while the old task stops",
                )
                .why("Swarm counts a stopping task as gone; only a port of the node stays taken")
                .mend("name a port that the member listens on", "exclusive: { ports: { client: 5000 } }")
                .mend("or any port that is free on the nodes", "targets: { swarm: { lock: 5000 } }"),
            );
        }
        Some(lock) if w.node_network => {
            let taken = w.helpers.iter().flat_map(|h| h.ports.iter().map(move |p| (h, p)));
            for (helper, (name, _)) in taken.filter(|(_, (_, port))| *port == lock) {
                let route = route!["helpers", helper.name, "ports", name];
                let place = subject.service.place(&route!["targets", "swarm", "lock"]);
                context.fault(
                    Diagnostic::error(
                        Code::PortTwice,
                        subject.service.place(&route),
                        format!("port {lock} of the node is the member's lock on Swarm"),
                    )
                    .related(place, "the lock"),
                );
            }
        }
        _ => {}
    }
}

/// A writer without data and without a pin is started elsewhere while its node is cut off.
fn writer(context: &mut Context<'_>, subject: Subject<'_>) {
    if !subject.workload.writer || !subject.workload.data.is_empty() || subject.pin().is_some() {
        return;
    }
    let place = subject.service.key(&route!["exclusive", "writer"]);
    context.fault(
        Diagnostic::error(Code::WriterFloats, place, "nothing keeps a floating writer single on Swarm")
            .why("a node that is cut off runs its container on, and Swarm starts another elsewhere")
            .mend(
                "hold it to one node on Swarm",
                format!("targets: {{ swarm: {{ pin: {} }} }}", subject.service.name),
            ),
    );
}

/// Keys of constraints have no slash (swarmkit `manager/constraint/constraint.go`), and labels
/// of docker's own are overwritten.
fn labels(context: &mut Context<'_>, subject: Subject<'_>) {
    let service = subject.service;
    let mut faults = Vec::new();
    let mut slash = |route, label: &str| {
        if label.contains('/') {
            let message = format!("Swarm cannot place by the label `{label}`: it has a slash");
            faults.push(
                Diagnostic::error(Code::BadLabel, service.key(&route), message)
                    .mend("leave the prefix out", label.rsplit('/').next().unwrap_or_default()),
            );
        }
    };
    if let crate::model::Members::PerNode { on, .. } = &subject.workload.members {
        on.iter().for_each(|(label, _)| slash(route!["members", "on", label], label));
    }
    if let Some(pin) = subject.pin() {
        let own = subject.swarm.pin.is_some();
        let route = if own { route!["targets", "swarm", "pin"] } else { route!["members", "pin"] };
        let label = route.at("label");
        slash(if service.source.has(&label) { label } else { route }, &pin.label);
    }
    for (label, _) in service.labels.iter().filter(|(label, _)| label.starts_with("com.docker.")) {
        let message = format!("the label `{label}` is docker's own");
        faults.push(Diagnostic::error(Code::BadLabel, service.key(&route!["labels", label]), message));
    }
    faults.into_iter().for_each(|f| context.fault(f));
}

/// `STACK_SERVICE` is one DNS label; reported for the longest only.
fn too_long(context: &mut Context<'_>, subject: Subject<'_>, stacks: &[Stack]) {
    let all = stacks.iter().flat_map(|s| s.services.iter().map(move |t| format!("{}_{}", s.name, t.name)));
    let Some(longest) = all.max_by_key(String::len).filter(|n| n.len() > MAX_NAME) else { return };
    // The service's name stands in it twice.
    let fits = subject.service.name.len().saturating_sub((longest.len() - MAX_NAME).div_ceil(2));
    context.fault(
        Diagnostic::error(
            Code::NameTooLong,
            subject.service.place(&route!["service"]),
            format!("on Swarm a service would be `{longest}`: {} characters", longest.len()),
        )
        .why(format!("Swarm takes {MAX_NAME}, and the name of the stack is the first half"))
        .advice(format!("a name of at most {fits} characters fits")),
    );
}
