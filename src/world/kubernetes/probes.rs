//! Finds errors in probes: a port that does not exist, a probe that kills a recovering server, a
//! probe that needs a quorum.

use super::peers::Peers;
use super::pod::command;
use super::workload::Read;
use crate::finding::{At, Level, codes};
use crate::images::{By, Images};
use crate::text::duration;
use crate::text::yaml::Value;
use crate::world::checks;
use crate::world::found::Found;
use crate::world::{Kind, Order};

const PROBES: [&str; 3] = ["startupProbe", "livenessProbe", "readinessProbe"];

/// The time in seconds that a recovery from a crash can take.
const RECOVERY: i64 = 300;

/// Checks the probes of each workload.
pub(super) fn judge(peers: &Peers<'_, '_>, images: &Images, found: &mut Found) {
    for read in peers.reads.iter().filter(|r| !r.workload.kind.once()) {
        for container in &read.pod.containers {
            for probe in PROBES.iter().filter_map(|name| Some((*name, container.given(name)?))) {
                port(read, *container, probe, found);
                passes(read, *container, probe, (images, found));
            }
        }
        kills(read, found);
        ordered(read, found);
        unjoined(read, found);
        before_stop(read, found);
    }
}

/// Reports a probe of a named port that the container does not have. The kubelet cannot resolve it
/// (pkg/probe/util.go, ResolveContainerPort), so the probe always fails.
fn port(read: &Read<'_>, container: Value<'_>, (name, probe): (&str, Value<'_>), found: &mut Found) {
    let given = ["httpGet", "tcpSocket"].iter().find_map(|kind| probe.given(kind)?.given("port"));
    let Some((value, port)) = given.and_then(|v| Some((v, v.as_str()?))) else { return };
    let ports = container.get("ports").map(Value::items).unwrap_or_default();
    let has = |p: &Value<'_>| p.get("name").is_some_and(|n| n.is(port));
    if port.parse::<u16>().is_ok() || ports.iter().any(has) {
        return;
    }
    let end = match name {
        "readinessProbe" => "it never becomes ready",
        _ => "the kubelet kills it again and again",
    };
    let message = format!(
        "the {name} of {} asks for the port `{port}`, which its container does not have: {end}",
        read.workload.name
    );
    let known = ports.iter().find_map(|p| p.get("name").or_else(|| p.get("containerPort"))?.text());
    let fix = known.map_or_else(
        || format!("ports: [{{name: {port}, containerPort: NUMBER}}]"),
        |p| format!("port: {p}"),
    );
    found.violation(codes::STUCK, message, vec![read.object.at(value)], fix);
}

/// Reports a probe that never passes: its image lacks the tool, or nothing listens on the port.
fn passes(
    read: &Read<'_>,
    container: Value<'_>,
    (name, probe): (&str, Value<'_>),
    (images, found): (&Images, &mut Found),
) {
    let image = container.get("image").and_then(Value::text).unwrap_or_default();
    let all = probe.at(&["exec", "command"]).map(Value::texts).unwrap_or_default();
    let words: Vec<&str> = all.iter().map(String::as_str).collect();
    let of = ["httpGet", "tcpSocket"].iter().find_map(|kind| probe.given(kind)?.given("port"));
    let number =
        of.and_then(Value::number).and_then(|n| u16::try_from(n).ok()).or_else(|| checks::asked(&words));
    let declared = container.get("ports").map(Value::items).unwrap_or_default();
    let known = declared.iter().filter_map(|p| p.get("containerPort")?.number());
    let env = container.get("env").map(Value::items).unwrap_or_default();
    let values = env.iter().filter_map(|e| e.get("value")?.text());
    let said: Vec<String> = command(container).into_iter().map(str::to_owned).chain(values).collect();
    let own = read.pod.servers.iter().find(|(c, software)| c.is_at(container) && software.by == By::Image);
    let bare = read.pod.containers.len() == 1 && container.given("envFrom").is_none();
    let deaf = number
        .filter(|n| bare && !known.clone().any(|k| k == i64::from(*n)))
        .filter(|n| own.is_some_and(|(_, software)| checks::deaf(&software.name, *n, &said.join(" "))));
    let why = match (checks::lacking(images, &image, &words), deaf) {
        (Some(tool), _) => format!("its image has no {tool}"),
        (None, Some(port)) => format!("nothing in it listens on port {port}"),
        (None, None) => return,
    };
    let end = if name == "readinessProbe" {
        "it never becomes ready"
    } else {
        "the kubelet kills it again and again"
    };
    let message = format!("the {name} of {} never passes: {why}, and {end}", read.workload.name);
    found.violation(
        codes::STUCK,
        message,
        vec![read.object.at(probe)],
        "a check that the container can pass",
    );
}

/// Reports a liveness probe without a startup probe, for software that does not answer while it
/// recovers: it is killed, and starts its recovery again (kubernetes.io, "Configure Liveness,
/// Readiness and Startup Probes").
fn kills(read: &Read<'_>, found: &mut Found) {
    let Some(main) = read.pod.main.filter(|_| read.pod.software.is_some() && read.persists()) else { return };
    // The startupProbe runs first, and kills as well.
    let first = ["startupProbe", "livenessProbe"].into_iter().find_map(|n| Some((n, main.given(n)?)));
    let Some((name, live)) = first else { return };
    let number = |key, usual| live.get(key).and_then(Value::number).unwrap_or(usual);
    let time = number("initialDelaySeconds", 0)
        .saturating_add(number("periodSeconds", 10).saturating_mul(number("failureThreshold", 3)));
    if time < RECOVERY {
        let message = format!(
            "the {name} of {} kills it {time} s after a start: a recovery that takes longer never ends",
            read.workload.name
        );
        let check =
            ["exec", "httpGet", "tcpSocket", "grpc"].into_iter().find(|kind| live.given(kind).is_some());
        let fix = match name {
            "startupProbe" => "failureThreshold: 360".to_owned(),
            _ => format!(
                "startupProbe: {{{}: as the livenessProbe has it, periodSeconds: 10, failureThreshold: 360}}",
                check.unwrap_or("exec")
            ),
        };
        found.note(codes::CHECK_KILLS, message, vec![read.object.at(live)], fix);
    }
}

/// Returns the readiness probe, if it passes only with a quorum.
pub(super) fn needs_quorum(read: &Read<'_>) -> Option<At> {
    let container = read.pod.main?;
    let probe = container.given("readinessProbe")?;
    let path = probe.at(&["httpGet", "path"]).and_then(Value::as_str);
    let words = probe.at(&["exec", "command"]).map(Value::texts).unwrap_or_default();
    let text = path.map_or_else(|| words.join(" "), ToOwned::to_owned).to_lowercase();
    let has = |all: &[&str]| all.iter().any(|word| text.contains(word));
    let software =
        read.pod.software.as_ref().filter(|s| s.quorum).map(|s| s.name.as_str()).unwrap_or_default();
    let needs = match software {
        // etcd.io, "Monitoring": /health is false without a leader, unless asked about this member only.
        "etcd" => {
            has(&["/health", "/readyz", "endpoint health", "cluster-health"])
                && !has(&["serializable", "livez"])
        }
        // Its HTTP API answers 503 without a master, unless asked about this member only.
        "elasticsearch" | "opensearch" => has(&["_cluster/health"]) && !has(&["local=true"]),
        // cockroachlabs.com, "Cluster API": not ready while it cannot reach a quorum.
        "cockroachdb" => has(&["ready=1"]),
        // docs.nats.io, "Monitoring": /healthz waits for JetStream's leader, unless an option
        // disables that.
        "nats" => {
            let all = command(container);
            has(&["/healthz"])
                && !has(&["js-"])
                && all.iter().any(|w| ["-js", "--js", "--jetstream"].contains(w))
        }
        "" => false,
        _ => has(&["leader", "cluster_state:ok"]),
    };
    (needs || has(&["quorum"])).then(|| read.object.at(probe))
}

/// Reports members that start one after the other, each when the one before is ready.
fn ordered(read: &Read<'_>, found: &mut Found) {
    let policy = read.object.root.at(&["spec", "podManagementPolicy"]).filter(|p| !p.is_null());
    let parallel = policy.is_some_and(|p| p.is("Parallel"));
    if read.workload.kind != Kind::StatefulSet || parallel || read.replicas < 2 {
        return;
    }
    let name = &read.workload.name;
    let at = policy.map_or_else(|| read.workload.at.clone(), |p| read.object.at(p));
    let fix = "podManagementPolicy: Parallel".to_owned();
    if let Some(ready) = needs_quorum(read) {
        let message = format!(
            "{name} starts its members in order (OrderedReady): the first is ready when there is a quorum, and the next is created when the first is ready"
        );
        found.violation(codes::STUCK, message, vec![at, ready], fix);
    } else if read.pod.software.as_ref().is_some_and(|s| s.quorum)
        && read.replicas > 2
        && read.readiness().is_some()
    {
        // kubernetes/kubernetes#67250; kubernetes.io, StatefulSet, "Forced rollback".
        let message = format!(
            "{name} starts its members in order (OrderedReady): a member that a bad template keeps from becoming ready stays, even after the template is restored, until someone deletes it"
        );
        // Parallel would let an update stop several members at once.
        let fix = format!(
            "after you restore the template: kubectl delete pod {}-N, the member that is not ready",
            read.object.name
        );
        found.note(codes::STUCK, message, vec![at], fix);
    }
}

/// Reports a rolling update that does not wait until a member has joined again: without a readiness probe
/// a pod is ready as soon as it runs (kubernetes.io, "Pod Lifecycle": the default state is Success).
fn unjoined(read: &Read<'_>, found: &mut Found) {
    let (workload, Some(main)) = (&read.workload, read.pod.main) else { return };
    let Some(software) = read.pod.software.as_ref().filter(|s| s.quorum && !s.cache) else { return };
    let several = workload.kind == Kind::StatefulSet && read.replicas > 1 || workload.kind.per_node();
    let waits = read.readiness().is_some()
        || main.given("startupProbe").is_some()
        || read.object.root.at(&["spec", "minReadySeconds"]).and_then(Value::number).is_some_and(|n| n > 0);
    if !several || waits || workload.update.order != Order::StopFirst {
        return;
    }
    let message = format!(
        "an update of {} stops the next member before the last one has joined again: no readinessProbe says when it has",
        workload.name
    );
    let port = software.port.map_or("PORT".to_owned(), |port| port.to_string());
    let fix =
        format!("readinessProbe: {{tcpSocket: {{port: {port}}}}}, or a check that the member has joined");
    let at = read.object.at(main.get("name").unwrap_or(main));
    // Each update of such members loses the quorum.
    let level = if software.joins_late && read.replicas > 2 { Level::Violation } else { Level::Note };
    found.finding((codes::UPDATE_TOGETHER, level), message, vec![at], fix);
}

/// Reports a sleep before the stop that uses up the grace period, which begins before the hook
/// (kubernetes.io, "Container Lifecycle Hooks").
fn before_stop(read: &Read<'_>, found: &mut Found) {
    for container in &read.pod.containers {
        let Some(hook) = container.at(&["lifecycle", "preStop"]) else { continue };
        let words = hook.at(&["exec", "command"]).map(Value::texts).unwrap_or_default().join(" ");
        let after = words.split("sleep ").nth(1).and_then(|rest| rest.split([' ', ';', '&']).next());
        let asked = hook.at(&["sleep", "seconds"]).and_then(Value::number);
        let Some(time) = asked.or_else(|| duration::sleep(after?).map(i64::from)) else { continue };
        if time >= i64::from(read.pod.grace) {
            let message = format!(
                "the preStop of {} sleeps {time} s of the {} s that it has to stop: it is killed at once",
                read.workload.name, read.pod.grace
            );
            let fix = format!("terminationGracePeriodSeconds: {}", time.saturating_add(60));
            found.note(codes::GRACE, message, vec![read.object.at(hook)], fix);
        }
    }
}
