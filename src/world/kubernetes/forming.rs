//! Finds clusters of pods that never form.

use std::collections::BTreeMap;

use super::peers::Peers;
use super::pod::command;
use super::workload::Read;
use crate::finding::codes;
use crate::images::By;
use crate::text::yaml::Value;
use crate::world::forming::{Server, faults};
use crate::world::found::Found;
use crate::world::seeds;

/// Checks the servers of each namespace.
pub(super) fn judge(peers: &Peers<'_, '_>, found: &mut Found) {
    let last = peers.reads.iter().enumerate().filter(|(i, _)| peers.is_last(*i)).map(|(_, read)| read);
    let all: Vec<(&Read<'_>, Server)> = last.filter_map(|read| Some((read, server(read)?))).collect();
    let mut members: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for (read, server) in all.iter().filter(|(_, server)| server.votes()) {
        let of = members.entry((&read.workload.scope, &server.software)).or_default();
        // A number of nodes is not known.
        *of = if read.workload.kind.per_node() { u32::MAX } else { of.saturating_add(server.count) };
    }
    for (read, server) in &all {
        let known = members.get(&(read.workload.scope.as_str(), server.software.as_str()));
        let Some(members) = known.filter(|n| **n < u32::MAX && !read.workload.kind.per_node()) else {
            continue;
        };
        for fault in faults(server, *members) {
            let at = fault.key.and_then(|key| place(read, &key));
            let at = at.or_else(|| read.pod.main?.get("image")).map(|value| read.object.at(value));
            let message = format!("{} {}", read.workload.name, fault.what);
            let at = at.unwrap_or_else(|| read.workload.at.clone());
            found.finding((codes::NEVER, fault.level), message, vec![at], fault.fix);
        }
    }
}

fn list<'d>(value: Value<'d>, key: &str) -> Vec<Value<'d>> {
    value.get(key).map(Value::items).unwrap_or_default()
}

/// Returns the server in a pod.
fn server(read: &Read<'_>) -> Option<Server> {
    let (software, main) = (read.pod.software.as_ref()?, read.pod.main?);
    if read.replicas == 0 || read.workload.kind.once() {
        return None;
    }
    let text = |value: Value<'_>, key: &str| value.get(key).and_then(Value::text);
    let mut settings: Vec<(String, String)> = Vec::new();
    for variable in list(main, "env") {
        let value = text(variable, "value");
        settings.extend(text(variable, "name").map(|name| (name, value.unwrap_or_else(|| "$".to_owned()))));
    }
    let words = command(main);
    settings.extend(seeds::options(&words).into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())));
    let hooks = main.get("lifecycle").map(|l| l.scalars().filter_map(Value::as_str).collect::<Vec<_>>());
    let values = settings.iter().map(|(_, value)| value.as_str());
    let all = words.iter().copied().chain(values).chain(hooks.unwrap_or_default());
    let words = all.collect::<Vec<_>>().join(" ");
    // A file may have the settings: of an object, of another container, or of the image's own start.
    let own = ["configMap", "secret", "projected", "emptyDir", "hostPath", "downwardAPI"];
    let named: Vec<String> = list(main, "volumeMounts").into_iter().filter_map(|m| text(m, "name")).collect();
    let volumes = list(read.pod.spec, "volumes").into_iter();
    let mounted = volumes.filter(|v| text(*v, "name").is_some_and(|name| named.contains(&name)));
    let files = mounted.into_iter().any(|v| own.iter().any(|kind| v.given(kind).is_some()));
    let script = command(main).first().is_some_and(|w| !w.starts_with('-')) && words.contains(['\n', ';']);
    let more = files
        || software.by != By::Image
        || script
        || !list(main, "envFrom").is_empty()
        || list(read.pod.spec, "initContainers").len() + read.pod.containers.len() > 1;
    Some(Server {
        software: software.name.clone(),
        image: text(main, "image").unwrap_or_default(),
        count: read.replicas,
        settings,
        words,
        more,
        durable: read.persists(),
    })
}

/// Returns the place of a setting.
fn place<'d>(read: &Read<'d>, key: &str) -> Option<Value<'d>> {
    let main = read.pod.main?;
    let list = |name: &str| main.get(name).map(Value::items).unwrap_or_default();
    let variable = list("env").into_iter().find(|e| e.get("name").is_some_and(|name| name.is(key)));
    let words = || list("command").into_iter().chain(list("args"));
    variable
        .and_then(|e| e.get("value"))
        .or_else(|| words().find(|w| w.as_str().is_some_and(|text| text.contains(key))))
}
