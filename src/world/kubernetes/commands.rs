//! Finds containers whose commands end at once, and ports that the node itself has.

use super::peers::Peers;
use super::pod::command;
use super::workload::Read;
use crate::finding::{Level, codes};
use crate::images::{By, Images};
use crate::text::yaml::Value;
use crate::world::ends;
use crate::world::found::Found;
use crate::world::{At, Kind};

/// The ports of each node (kubernetes.io, "Ports and Protocols").
const NODE: [(u16, &str, &str); 3] =
    [(22, "tcp", "sshd"), (10250, "tcp", "the kubelet"), (10256, "tcp", "kube-proxy")];

/// Checks each workload.
pub(super) fn judge(peers: &Peers<'_, '_>, images: &Images, found: &mut Found) {
    for read in peers.reads.iter().filter(|r| r.replicas > 0) {
        for container in &read.pod.containers {
            words(read, *container, images, found);
        }
        for port in &read.workload.ports {
            let only = port.number..=port.number;
            let Some((number, who)) = ends::of_node(only, &port.protocol, &NODE) else { continue };
            let message =
                format!("{} never starts where {who} has port {number} of the node", read.workload.name);
            found.note(codes::STUCK, message, vec![port.at.clone()], "hostPort: another number");
        }
    }
}

fn words(read: &Read<'_>, container: Value<'_>, images: &Images, found: &mut Found) {
    let words = command(container);
    let at = |text: &str| -> At {
        let mut all = ["args", "command"].into_iter().filter_map(|key| container.given(key));
        let own = all.clone().flat_map(Value::items).find(|w| w.as_str().is_some_and(|t| t.contains(text)));
        read.object.at(own.or_else(|| all.next_back()).unwrap_or(container))
    };
    let name = &read.workload.name;
    let flag = |key: &str| container.get(key).and_then(Value::flag) == Some(true);
    let over = container.given("command").is_some();
    if read.workload.kind != Kind::Job
        && let Some(why) = ends::at_once(&words, flag("tty") || flag("stdin"))
    {
        let level = if over { Level::Violation } else { Level::Note };
        let message = format!("{name} never stays up: {why}");
        let fix = "command: the server itself; or kind: Job, for a task that ends";
        found.finding((codes::NEVER, level), message, vec![at("")], fix);
    }
    let Some(image) = container.get("image").and_then(Value::as_str) else { return };
    if over && let Some(shell) = ends::no_shell(&words, image, images) {
        let message = format!("{name} never starts: the image has no {shell}");
        let fix = "command: the server itself, or an image with a shell";
        found.violation(codes::NEVER, message, vec![at(shell)], fix);
    }
    let user = container.at(&["securityContext", "runAsUser"]);
    let user = user.or_else(|| read.pod.spec.at(&["securityContext", "runAsUser"]));
    let root = user.is_none_or(|u| u.number() == Some(0));
    if over
        && root
        && let Some((program, uid)) = ends::not_root(&words).zip(images.root_until(image))
    {
        let message = format!(
            "{name} never starts: the command replaces the entrypoint of the image, so {program} starts as root, which it refuses"
        );
        let uid = uid.split(':').next().filter(|u| !u.is_empty()).unwrap_or("UID").to_owned();
        let fix = format!("args: in place of command:, or securityContext: {{runAsUser: {uid}}}");
        found.violation(codes::NEVER, message, vec![at(program)], fix);
    }
    let known = read.pod.servers.iter().any(|(c, s)| c.is_at(container) && s.by == By::Image);
    let mounts = container.get("volumeMounts").map(Value::items).unwrap_or_default();
    let targets: Vec<&str> = mounts.iter().filter_map(|m| m.get("mountPath")?.as_str()).collect();
    if known
        && images.has(image)
        && let Some((option, path)) = ends::absent(&words, image, &targets)
    {
        let message = format!("{name} never starts: {option} names {path}, where nothing is mounted");
        let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
        let fix = format!(
            "volumeMounts: [{{name: files, mountPath: {folder}, readOnly: true}}], with a volume of its Secret or ConfigMap"
        );
        found.violation(codes::NEVER, message, vec![at(path)], fix);
    }
}
