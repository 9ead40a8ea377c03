//! Plans containers: the member, and its helpers.

use super::objects::{Container, ContainerMore, ContainerPort, Mount, Probe, RunAs};
use super::values::{Rendered, Words};
use crate::model::{
    Check, Health, Helper, Port, Probe as Asked, Program, Protocol, Resources, Service, Socket, User,
    Workload,
};
use crate::plan::context::Context;
use crate::plan::docker;
use crate::spec::Scheme;
use crate::text::units;
use crate::value::{Run, Text};

/// The parts of a container besides its program.
struct Parts {
    name: String,
    ports: Vec<ContainerPort>,
    mounts: Vec<Mount>,
    /// The run-time part that the mounts use.
    runs: Option<Run>,
}

/// Plans the container of the member. `named` says whether a mount uses the name of the member. Raw
/// additions are applied later.
pub fn member(
    context: &mut Context<'_>,
    words: &Words<'_>,
    service: &Service,
    w: &Workload,
    rendered: Rendered,
    mounts: Vec<Mount>,
    named: bool,
) -> Container {
    let ports = ports(&w.ports, w.node_network);
    let parts = Parts { name: service.name.clone(), ports, mounts, runs: named.then_some(Run::Name) };
    let mut container = container(words, &w.program, rendered, parts);
    if w.guard
        && let Some(data) = w.data.first()
    {
        let guard = ["/bin/sh", "-c", docker::GUARD, &data.mount];
        let args = std::mem::take(&mut container.args);
        let command = std::mem::replace(&mut container.command, guard.map(Text::literal).to_vec());
        container.args = command.into_iter().chain(args).collect();
    }
    container.probes = probes(context, words, &w.health);
    if let Some((run, _)) = &w.stop.before {
        container.before_stop = words.literals(context, run, "a preStop hook");
    }
    container
}

/// Plans the container of a helper.
pub fn helper(
    words: &Words<'_>,
    w: &Workload,
    helper: &Helper,
    rendered: Rendered,
    mounts: Vec<Mount>,
) -> Container {
    let Helper { name, program, ports: own } = helper;
    let parts = Parts { name: name.clone(), ports: ports(own, w.node_network), mounts, runs: None };
    container(words, program, rendered, parts)
}

fn container(words: &Words<'_>, program: &Program, rendered: Rendered, parts: Parts) -> Container {
    let Program { image, command: _, args: _, env: _, user, resources } = program;
    let env = words.variables(&rendered, parts.runs);
    Container {
        name: parts.name,
        image: image.clone(),
        pull: "IfNotPresent",
        command: rendered.command,
        args: rendered.args,
        env,
        ports: parts.ports,
        resources: quantities(resources),
        probes: Vec::new(),
        before_stop: Vec::new(),
        user: user.map(run_as),
        drop: user.iter().filter(|u| u.uid > 0).map(|_| "ALL").collect(),
        mounts: parts.mounts,
        more: ContainerMore::default(),
    }
}

/// Plans the init container `name`, which runs `command` as `user` in the image of `program`.
pub fn copy(
    name: String,
    program: &Program,
    user: User,
    command: Vec<String>,
    mounts: Vec<Mount>,
) -> Container {
    Container {
        name,
        image: program.image.clone(),
        pull: "IfNotPresent",
        command: command.into_iter().map(Text::literal).collect(),
        args: Vec::new(),
        env: Vec::new(),
        ports: Vec::new(),
        resources: quantities(&program.resources),
        probes: Vec::new(),
        before_stop: Vec::new(),
        user: Some(run_as(user)),
        drop: if user.uid > 0 { vec!["ALL"] } else { Vec::new() },
        mounts,
        more: ContainerMore::default(),
    }
}

/// On the node's network, a port of the container is a port of the node. It is written out as
/// `hostPort`, so that the scheduler and the kubelet reserve it (kubernetes
/// `pkg/scheduler/framework/plugins/nodeports`).
fn ports(ports: &[Port], node_network: bool) -> Vec<ContainerPort> {
    let port = |Port { name, socket: Socket { number, protocol }, users: _ }: &Port| ContainerPort {
        name: name.clone(),
        number: *number,
        host: node_network.then_some(*number),
        protocol: protocol_of(*protocol),
    };
    ports.iter().map(port).collect()
}

/// Returns the name of a protocol in Kubernetes.
pub fn protocol_of(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
    }
}

fn quantities(resources: &Resources) -> Vec<(&'static str, String)> {
    let Resources { cpu, memory } = resources;
    let cpu = cpu.map(|milli| ("cpu", units::kubernetes_cpu(milli)));
    let memory = memory.map(|bytes| ("memory", units::kubernetes_bytes(bytes)));
    cpu.into_iter().chain(memory).collect()
}

fn run_as(user: User) -> RunAs {
    let User { uid, gid } = user;
    RunAs { uid, gid, bare: uid > 0 }
}

fn probes(context: &mut Context<'_>, words: &Words<'_>, health: &Health) -> Vec<(&'static str, Probe)> {
    let Health { tool: _, ready, live, start } = health;
    let mut probes = Vec::new();
    if let (Some(live), Some(start)) = (live, start) {
        let start =
            Probe { failures: start.div_ceil(live.every.max(1)).max(1), ..probe(context, words, live) };
        probes.push(("startupProbe", start));
    }
    if let Some(ready) = ready {
        probes.push(("readinessProbe", probe(context, words, ready)));
    }
    if let Some(live) = live {
        probes.push(("livenessProbe", probe(context, words, live)));
    }
    probes
}

fn probe(context: &mut Context<'_>, words: &Words<'_>, check: &Check) -> Probe {
    let Check { probe, run, every, timeout, failures, route: _ } = check;
    let mut made = Probe {
        http: None,
        tcp: None,
        exec: Vec::new(),
        every: *every,
        timeout: *timeout,
        failures: *failures,
    };
    match probe {
        Some(Asked::Http { path, port, scheme }) => {
            let scheme = matches!(scheme, Scheme::Https).then_some("HTTPS");
            made.http = Some((path.clone(), port.clone(), scheme));
        }
        Some(Asked::Tcp { port }) => made.tcp = Some(port.clone()),
        None => made.exec = words.literals(context, run, "a probe"),
    }
    made
}
