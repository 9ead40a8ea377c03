//! Finds settings that a server refuses: an id that is no number, and a command that it does not answer.

use super::peers::Peers;
use super::pod::command;
use super::workload::Read;
use crate::finding::codes;
use crate::images::By;
use crate::text::yaml::Value;
use crate::world::found::Found;

/// The variables whose value is a number: Kafka, "Broker Configs" (`broker.id`, `node.id`); ZooKeeper
/// Administrator's Guide (`myid`).
const NUMBERS: [&str; 7] = [
    "KAFKA_BROKER_ID",
    "KAFKA_CFG_BROKER_ID",
    "KAFKA_CFG_NODE_ID",
    "KAFKA_NODE_ID",
    "ZOOKEEPER_SERVER_ID",
    "ZOO_MY_ID",
    "ZOO_SERVER_ID",
];

/// Checks each server of a known image.
pub(super) fn judge(peers: &Peers<'_, '_>, found: &mut Found) {
    for read in peers.reads.iter().filter(|r| r.replicas > 0) {
        for (container, software) in read.pod.servers.iter().filter(|(_, s)| s.by == By::Image) {
            number(read, *container, found);
            if software.name == "zookeeper" {
                unanswered(read, *container, found);
            }
        }
    }
}

/// Reports an id that is the name of the pod: the server ends at what is no number.
fn number(read: &Read<'_>, container: Value<'_>, found: &mut Found) {
    // A command of its own may take the number out of the name.
    if container.given("command").is_some() || container.given("args").is_some() {
        return;
    }
    let env = container.list("env");
    let is_name = |variable: &Value<'_>| {
        variable.at(&["valueFrom", "fieldRef", "fieldPath"]).is_some_and(|path| path.is("metadata.name"))
    };
    for variable in &env {
        let Some(name) = variable.text_at("name").filter(|name| NUMBERS.contains(name)) else { continue };
        let other = variable.text_at("value").and_then(|v| v.strip_prefix("$(")?.strip_suffix(')'));
        let named = env.iter().filter(|e| other.is_some() && e.text_at("name") == other).any(is_name);
        if !is_name(variable) && !named {
            continue;
        }
        let message =
            format!("{} never starts: {name} is the name of its pod, and no number", read.workload.name);
        let fix = format!("command: one that sets {name} to the number at the end of the name");
        found.violation(codes::NEVER, message, vec![read.object.at(*variable)], fix);
    }
}

/// Reports a check that waits for the answer to `ruok`: since 3.5 ZooKeeper answers only the commands in
/// `4lw.commands.whitelist`, by default `srvr` (ZooKeeper Administrator's Guide, "The Four Letter Words").
fn unanswered(read: &Read<'_>, container: Value<'_>, found: &mut Found) {
    let tag = container.text_at("image").and_then(|i| i.rsplit_once(':')).map_or("", |(_, tag)| tag);
    let old = ["3.3", "3.4", "5.0", "5.1", "5.2", "5.3"].iter().any(|version| tag.starts_with(version))
        || tag.starts_with(['4', '2', '1']);
    let listed = |text: &str| text.to_lowercase().contains("4lw");
    let told = command(container).into_iter().any(listed)
        || container.list("env").iter().any(|e| e.scalars().any(|v| v.as_str().is_some_and(listed)));
    let settings = container
        .list("volumeMounts")
        .iter()
        .filter_map(|m| m.text_at("mountPath"))
        .any(|target| target.contains("conf") || target.starts_with("/etc"));
    let more = !container.list("envFrom").is_empty() || container.given("command").is_some();
    if old || told || settings || more {
        return;
    }
    for key in ["readinessProbe", "livenessProbe"] {
        let Some(probe) = container.given(key) else { continue };
        let words = probe.at(&["exec", "command"]).map(Value::texts).unwrap_or_default().join(" ");
        if !words.contains("ruok") || !words.contains("imok") {
            continue;
        }
        let message = format!(
            "the {key} of {} never passes: since 3.5 ZooKeeper answers no ruok unless its settings list it",
            read.workload.name
        );
        let fix = "ask for srvr, or list ruok: ZOO_4LW_COMMANDS_WHITELIST, or 4lw.commands.whitelist in the configuration";
        found.violation(codes::NEVER, message, vec![read.object.at(probe)], fix);
    }
}
