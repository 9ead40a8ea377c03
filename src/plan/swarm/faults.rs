//! Reports errors that only Swarm has: what no stack file can do.

use super::service::SwarmService;
use super::stack::Stack;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::plan::context::Context;
use crate::route;

/// The longest name of a service, with the name of the stack before it (swarmkit
/// `manager/controlapi/common.go`).
const MAX_NAME: usize = 63;

/// Reports the errors that do not need the stack files.
pub fn report(context: &mut Context<'_>, subject: SwarmService<'_>) {
    network(context, subject);
    lock(context, subject);
    writer(context, subject);
    labels(context, subject);
}

/// Reports members on an overlay network without its name.
fn network(context: &mut Context<'_>, subject: SwarmService<'_>) {
    if subject.workload.node_network || subject.swarm.network.is_some() {
        return;
    }
    let place = subject.service.key(&route!["targets", "swarm"]);
    context.fault(
        Diagnostic::error(Code::NetworkMissing, place, "the network of the members is not set")
            .fix(
                "name an existing overlay network",
                format!("targets: {{ swarm: {{ network: {} }} }}", subject.service.name),
            )
            .fix(
                "or use the network of the node, which opens swarm/data/relabel without `guard: lock`",
                "exclusive: { address: node }",
            ),
    );
}

/// Reports members with data or a writer but without a port on the node. `max_replicas_per_node`
/// and `stop-first` do not count a task that is still stopping; a port does.
fn lock(context: &mut Context<'_>, subject: SwarmService<'_>) {
    let w = subject.workload;
    match subject.lock() {
        None if !w.data.is_empty() || w.writer => {
            let place = subject.service.key(&route!["exclusive"]);
            context.fault(
                Diagnostic::error(
                    Code::LockMissing,
                    place,
                    "without a port, a second task may start on a Swarm node while the first one stops",
                )
                .why("Swarm counts a stopping task as gone; only a port of the node stays reserved")
                .fix("name a port on which the member listens", "exclusive: { ports: { client: 5000 } }")
                .fix("or name any port that is free on the nodes", "targets: { swarm: { lock: 5000 } }"),
            );
        }
        Some(lock) if w.node_network => {
            let taken = w.helpers.iter().flat_map(|h| h.ports.iter().map(move |p| (h, p)));
            for (helper, port) in taken.filter(|(_, port)| port.socket == lock) {
                let route = route!["helpers", helper.name, "ports", port.name];
                let place = subject.service.place(&route!["targets", "swarm", "lock"]);
                context.fault(
                    Diagnostic::error(
                        Code::PortTwice,
                        subject.service.place(&route),
                        format!("the member already uses port {lock} of the node as its lock on Swarm"),
                    )
                    .related(place, "the lock"),
                );
            }
        }
        _ => {}
    }
}

/// Reports a writer without data and without a pin: Swarm starts it elsewhere while its node is
/// unreachable.
fn writer(context: &mut Context<'_>, subject: SwarmService<'_>) {
    if !subject.workload.writer || !subject.workload.data.is_empty() || subject.pin().is_some() {
        return;
    }
    let place = subject.service.key(&route!["exclusive", "writer"]);
    context.fault(
        Diagnostic::error(
            Code::WriterFloats,
            place,
            "the writer has no pin, and nothing on Swarm prevents a second one",
        )
        .why("an unreachable node keeps running its container, and Swarm starts another one elsewhere")
        .fix(
            "pin it to one node on Swarm, and accept swarm/writer/relabel",
            format!("targets: {{ swarm: {{ pin: {} }} }}", subject.service.name),
        ),
    );
}

/// Reports labels that Swarm does not accept: keys of constraints have no slash (swarmkit
/// `manager/constraint/constraint.go`), and docker overwrites labels of its own.
fn labels(context: &mut Context<'_>, subject: SwarmService<'_>) {
    let service = subject.service;
    let mut faults = Vec::new();
    let mut slash = |route, label: &str| {
        if label.contains('/') {
            let message =
                format!("Swarm cannot use the label `{label}` for placement, because it contains a slash");
            faults.push(
                Diagnostic::error(Code::BadLabel, service.key(&route), message)
                    .fix("remove the prefix", label.rsplit('/').next().unwrap_or_default()),
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
        let message = format!("the label `{label}` is reserved for docker");
        faults.push(Diagnostic::error(Code::BadLabel, service.key(&route!["labels", label]), message));
    }
    faults.into_iter().for_each(|f| context.fault(f));
}

/// Reports a name `STACK_SERVICE` that is longer than a DNS label, for the longest name only.
pub fn too_long(context: &mut Context<'_>, subject: SwarmService<'_>, stacks: &[Stack]) {
    let all = stacks.iter().flat_map(|s| s.services.iter().map(move |t| format!("{}_{}", s.name, t.name)));
    let Some(longest) = all.max_by_key(String::len).filter(|n| n.len() > MAX_NAME) else { return };
    // This name contains the name of the service twice.
    let fits = subject.service.name.len().saturating_sub((longest.len() - MAX_NAME).div_ceil(2));
    context.fault(
        Diagnostic::error(
            Code::NameTooLong,
            subject.service.place(&route!["service"]),
            format!("the name `{longest}` of a service on Swarm would have {} characters", longest.len()),
        )
        .why(format!("Swarm allows {MAX_NAME}, and the name starts with the name of the stack"))
        .advice(format!("use a service name of at most {fits} characters")),
    );
}
