//! Finds clusters of pods that never form.

use std::collections::{BTreeMap, BTreeSet};

use super::object::Object;
use super::peers::Peers;
use super::pod::command;
use super::selector::plain;
use super::workload::Read;
use crate::images::By;
use crate::text::yaml::Value;
use crate::world::forming::{Server, apart, faults};
use crate::world::found::Found;
use crate::world::seeds;

/// Checks the servers of each namespace.
pub(super) fn judge(objects: &[Object<'_>], peers: &Peers<'_, '_>, found: &mut Found) {
    let named = by_one_name(objects, peers);
    let last = peers.reads.iter().enumerate().filter(|(i, _)| peers.is_last(*i));
    let all: Vec<(&Read<'_>, Server)> =
        last.filter_map(|(i, read)| Some((read, server(read, named.contains(&i))?))).collect();
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
            found.finding((fault.code, fault.level), message, vec![at], fault.fix);
        }
    }
}

/// Returns the workloads whose pods stand behind the address of one Service.
fn by_one_name(objects: &[Object<'_>], peers: &Peers<'_, '_>) -> BTreeSet<usize> {
    let mut named = BTreeSet::new();
    for service in objects.iter().filter(|o| o.kind == "Service") {
        let spec = |key: &str| service.root.at(&["spec", key]).filter(|v| !v.is_null());
        let headless = spec("clusterIP").is_some_and(|ip| ip.is("None"));
        let Some(value) = spec("selector").filter(|_| !headless) else { continue };
        let of = plain(service, value, &mut Found::default());
        if of.terms.is_empty() {
            continue;
        }
        named.extend(peers.selected(&of, Some(std::slice::from_ref(&service.namespace))));
    }
    named
}

/// Returns the server in a pod. `one_name` says that a Service has one address for all pods.
fn server(read: &Read<'_>, one_name: bool) -> Option<Server> {
    let (software, main) = (read.pod.software.as_ref()?, read.pod.main?);
    if read.replicas == 0 || read.workload.kind.once() {
        return None;
    }
    let text = |value: Value<'_>, key: &str| value.get(key).and_then(Value::text);
    let mut settings: Vec<(String, String)> = Vec::new();
    for variable in main.list("env") {
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
    let named: Vec<String> = main.list("volumeMounts").into_iter().filter_map(|m| text(m, "name")).collect();
    let volumes = read.pod.spec.list("volumes").into_iter();
    let mounted = volumes.filter(|v| text(*v, "name").is_some_and(|name| named.contains(&name)));
    let files = mounted.into_iter().any(|v| own.iter().any(|kind| v.given(kind).is_some()));
    let script = command(main).first().is_some_and(|w| !w.starts_with('-')) && words.contains(['\n', ';']);
    let scripted = software.by != By::Image
        || script
        || !main.list("envFrom").is_empty()
        || read.pod.spec.list("initContainers").len() + read.pod.containers.len() > 1;
    Some(Server {
        software: software.name.clone(),
        image: text(main, "image").unwrap_or_default(),
        count: read.replicas,
        settings,
        words,
        more: files || scripted,
        durable: read.persists(),
        alike: 1,
        apart: apart(&read.workload.members),
        scripted,
        one_name,
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
