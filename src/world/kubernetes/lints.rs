//! Finds bad habits: data that does not last, ids by hand, too short a grace period.

use std::collections::BTreeMap;

use super::ephemeral::Lost;
use super::object::Object;
use super::peers::Peers;
use super::pod::command;
use super::workload::Read;
use crate::finding::{At, Level, codes};
use crate::images::{By, Why};
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::{Kind, Mount, Order, Source};

/// Checks each workload.
pub(super) fn judge(objects: &[Object<'_>], peers: &Peers<'_, '_>, found: &mut Found) {
    for read in peers.reads.iter().filter(|r| r.workload.kind != Kind::Job) {
        ephemeral(read, found);
        inside(read, found);
        wiped(read, found);
        at_once(read, found);
        once(read, found);
        one_node(read, found);
        grace(read, found);
        size(read, found);
        bootstrap(read, found);
    }
    for read in peers.reads.iter().filter(|r| r.object.kind == "CronJob") {
        overlap(read, found);
    }
    ids(peers, found);
    offsets(peers, found);
    for object in objects.iter().filter(|o| o.kind == "ConfigMap") {
        files(object, found);
    }
}

/// Reports a CronJob that starts a run while the last one still writes: `Allow` is the default of
/// `concurrencyPolicy`, and `Replace` waits for no end (kubernetes `pkg/controller/cronjob`).
fn overlap(read: &Read<'_>, found: &mut Found) {
    let policy = read.object.root.at(&["spec", "concurrencyPolicy"]).filter(|p| !p.is_null());
    let durable = |m: &&Mount| !matches!(m.source, Source::Ephemeral);
    let mount = read.workload.members.iter().flat_map(|m| &m.mounts).find(durable);
    let Some(mount) = mount.filter(|_| policy.is_none_or(|p| !p.is("Forbid"))) else { return };
    let message = format!(
        "two runs of {} write to {} at once, if one takes longer than its schedule",
        read.workload.name,
        mount.volume.as_ref().map_or("one volume", |v| &v.name)
    );
    let at = vec![
        policy.map_or_else(|| read.object.near(&["spec", "schedule"]), |p| read.object.at(p)),
        mount.at.clone(),
    ];
    found.note("kubernetes/data/colocate", message, at, "concurrencyPolicy: Forbid");
}

/// Reports an init container that empties a volume which outlives the pod: it runs before each start.
fn wiped(read: &Read<'_>, found: &mut Found) {
    let durable = |m: &&Mount| m.source != Source::Ephemeral;
    let mounts = read.workload.members.iter().flat_map(|m| &m.mounts);
    let targets: Vec<&Mount> = mounts.filter(durable).collect();
    for container in read.pod.spec.get("initContainers").map(Value::items).unwrap_or_default() {
        let names = |mount: &Value<'_>| Some((mount.get("name")?.text()?, mount.get("mountPath")?.text()?));
        let own = container.get("volumeMounts").map(Value::items).unwrap_or_default();
        let text = command(container).join(" ");
        let hit = own.iter().filter_map(names).find(|(_, target)| wipes(&text, target));
        // The volume is data of a member, mounted here or in the server.
        let data = hit.and_then(|(volume, target)| {
            let servers = read
                .pod
                .containers
                .iter()
                .flat_map(|c| c.get("volumeMounts").map(Value::items).unwrap_or_default());
            let mut shown =
                servers.filter_map(|m| names(&m)).filter(|(name, _)| *name == volume).map(|(_, t)| t);
            shown.any(|t| targets.iter().any(|m| m.target == t)).then_some(target)
        });
        if let Some(target) = data {
            let message =
                format!("each start of {} deletes its data: rm of all in {target}", read.workload.name);
            let at = container.given("args").or_else(|| container.given("command")).unwrap_or(container);
            found.violation(
                codes::EPHEMERAL,
                message,
                vec![read.object.at(at)],
                "no rm of the data in an init container",
            );
        }
    }
}

/// Returns whether a command deletes the directory `target`, or all in it.
fn wipes(text: &str, target: &str) -> bool {
    let target = target.trim_end_matches('/');
    let all = [target.to_owned(), format!("{target}/"), format!("{target}/*"), format!("{target}/{{*,.*}}")];
    text.split([';', '&', '|', '\n']).any(|part| {
        let mut words = part.split_whitespace().map(|w| w.trim_matches(['"', '\'']));
        words.any(|w| w == "rm" || w.ends_with("/rm"))
            && part.split_whitespace().any(|w| w.starts_with('-') && w.contains(['r', 'R']))
            && words.any(|w| all.iter().any(|a| a == w))
    })
}

/// Reports two servers of one pod that keep their data at one place of one volume.
fn inside(read: &Read<'_>, found: &mut Found) {
    let mut holders: BTreeMap<(&str, String), (Value<'_>, Value<'_>, bool)> = BTreeMap::new();
    for (container, software) in &read.pod.servers {
        let mounts = container.get("volumeMounts").map(Value::items).unwrap_or_default();
        let text = |mount: Value<'_>, key: &str| mount.given(key).and_then(Value::text).unwrap_or_default();
        for mount in mounts {
            let Some(volume) = mount.get("name").and_then(Value::as_str) else { continue };
            let reads = mount.given("readOnly").and_then(Value::flag) == Some(true);
            if reads || !software.keeps(&text(mount, "mountPath")) {
                continue;
            }
            let place = (volume, format!("{}{}", text(mount, "subPath"), text(mount, "subPathExpr")));
            // What only looks like a server may be a backup beside it.
            let certain = matches!(software.by, By::Image | By::Name);
            let Some((first, at, sure)) = holders.get(&place) else {
                holders.insert(place, (*container, mount, certain));
                continue;
            };
            let name = |c: Value<'_>| c.get("name").and_then(Value::text).unwrap_or_default();
            if first.is_at(*container) {
                continue;
            }
            let own = name(*container);
            let message = format!(
                "{} and {own} of one pod of {} hold the volume {volume} at once",
                name(*first),
                read.workload.name
            );
            let places = vec![read.object.at(mount), read.object.at(*at)];
            let (level, fix) = match certain && *sure {
                true => (Level::Violation, format!("subPath: {own}")),
                false => (Level::Note, format!("subPath: {own}, if it is a server with data of its own")),
            };
            found.finding(("kubernetes/data/colocate", level), message, places, fix);
        }
    }
}

/// Reports a set whose update stops several members with data at once. The search has the updates of a
/// StatefulSet that keeps a quorum.
fn at_once(read: &Read<'_>, found: &mut Found) {
    let workload = &read.workload;
    let software = read.pod.software.as_ref();
    let votes = software.is_some_and(|s| s.quorum && !s.cache);
    let holds = votes || software.map_or_else(|| read.persists(), |s| !s.cache);
    let several = workload.kind == Kind::DaemonSet || workload.kind == Kind::StatefulSet && read.replicas > 1;
    let rolls = workload.update.order == Order::StopFirst && workload.rolling.is_none();
    let most = read.object.root.at(&["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]);
    let Some(most) = most.filter(|m| holds && several && rolls && !m.is_null()) else { return };
    let text = most.text().unwrap_or_default();
    // A percentage refers to the number of nodes, which no file contains.
    if ["0", "1", "0%", "1%"].contains(&text.as_str()) {
        return;
    }
    let end = if votes { ", and the quorum is lost" } else { ", and what they hold is away" };
    let message = format!("an update may stop {text} members of {} at once{end}", workload.name);
    found.note(codes::UPDATE_TOGETHER, message, vec![read.object.at(most)], "maxUnavailable: 1");
}

/// Reports a server in a pod that nothing starts again (kubernetes.io, "Pod Lifecycle", `restartPolicy`).
fn once(read: &Read<'_>, found: &mut Found) {
    let jvm = read.pod.software.as_ref().is_some_and(|s| s.jvm);
    let policy = read.pod.spec.given("restartPolicy");
    let ends = |p: &Value<'_>| p.is("Never") || p.is("OnFailure") && !jvm;
    let listens = |c: &Value<'_>| c.given("ports").is_some();
    let serves = read.pod.software.is_some() || read.persists() && read.pod.containers.iter().any(listens);
    let Some(policy) = policy.filter(|p| ends(p) && serves && read.workload.kind == Kind::Pod) else {
        return;
    };
    let when = if policy.is("Never") { "that ended" } else { "that ended with code 0" };
    let message = format!(
        "{} never comes back: with `restartPolicy: {}` the kubelet starts no container {when}",
        read.workload.name,
        policy.as_str().unwrap_or_default()
    );
    found.note(codes::STUCK, message, vec![read.object.at(policy)], "restartPolicy: Always");
}

/// Returns whether the software usually runs without lasting data.
fn cache(read: &Read<'_>) -> bool {
    read.pod.software.as_ref().is_some_and(|s| s.cache) && read.workload.kind != Kind::StatefulSet
}

/// Reports data of `read` that is deleted with its pod.
fn ephemeral(read: &Read<'_>, found: &mut Found) {
    let Some((Lost { loss, at }, software)) = read.lost.as_ref().zip(read.pod.software.as_ref()) else {
        return;
    };
    let (name, kind) = (&read.workload.name, read.workload.kind);
    // This is often intended, but not of the members of a cluster, which come back under their names.
    let named = kind == Kind::StatefulSet && read.replicas > 1 && software.quorum;
    let meant = software.cache && loss.bare && !named;
    if read.replicas == 0 {
        return;
    }
    let claim = |targets: &[String]| {
        // Next to the old pod of an update the new one would wait for the claim, or share it.
        let what = match kind {
            Kind::StatefulSet => "a claim template",
            Kind::Replicas => "kind: StatefulSet, with a claim template",
            _ => "a claim",
        };
        match (&loss.why, kind) {
            (Why::Over { volume, .. }, _) => format!("mountPath: {volume}"),
            (Why::Hostname, Kind::Replicas) if read.replicas == 1 => {
                format!("hostname: {}", read.object.name)
            }
            (Why::Hostname, _) => "kind: StatefulSet, whose pods keep their names".to_owned(),
            _ => format!("{what} that is mounted at {}", targets.join(" and another at ")),
        }
    };
    let (message, fix) = (loss.says(name), loss.fix(claim));
    if meant || loss.premise.is_some() || software.copy {
        found.note(codes::EPHEMERAL, message, vec![at.clone()], fix);
    } else {
        found.violation(codes::EPHEMERAL, message, vec![at.clone()], fix);
    }
}

fn one_node(read: &Read<'_>, found: &mut Found) {
    // The new pod of such an update would wait forever for the claim of the old one.
    if read.workload.update.order == Order::StartFirst {
        return;
    }
    for (at, _) in &read.one_node {
        let message = format!(
            "ReadWriteOnce lets several pods of one node mount the volume of {} at once",
            read.workload.name
        );
        found.note(codes::ONE_NODE, message, vec![at.clone()], "accessModes: [ReadWriteOncePod]");
    }
}

fn grace(read: &Read<'_>, found: &mut Found) {
    if read.pod.grace == 0 && read.persists() {
        let message = format!("{} has data, and its pods are killed at once", read.workload.name);
        let at = read.pod.grace_at.clone().into_iter().collect();
        let known = read.pod.software.is_some() && !cache(read);
        let level = if known { Level::Violation } else { Level::Note };
        return found.finding((codes::GRACE, level), message, at, "terminationGracePeriodSeconds: 60");
    }
    let Some(software) = read.pod.software.as_ref().filter(|_| !cache(read)) else { return };
    let fix = format!("terminationGracePeriodSeconds: {}", software.grace.max(60));
    let (message, at) = match &read.pod.grace_at {
        Some(_) if read.pod.grace >= software.grace => return,
        Some(at) => (
            format!(
                "{} may need {} s to stop, and {} gives it {} s",
                software.name, software.grace, read.workload.name, read.pod.grace
            ),
            at.clone(),
        ),
        None => (
            format!(
                "{} does not say how long {} may take to stop: it is killed after 30 s",
                read.workload.name, software.name
            ),
            read.workload.at.clone(),
        ),
    };
    found.note(codes::GRACE, message, vec![at], fix);
}

/// The options and variables with the number of members.
const SIZES: [&str; 5] = ["servers", "cluster-size", "ensemble-size", "zk-replicas", "zoo-replicas"];

/// Reports a number of members that is also in the command.
fn size(read: &Read<'_>, found: &mut Found) {
    let Some(main) = read.pod.main.filter(|_| read.workload.kind == Kind::StatefulSet && read.replicas > 1)
    else {
        return;
    };
    let is = |name: &str, number: &str| {
        let name = name.trim_start_matches('-').to_lowercase().replace('_', "-");
        SIZES.contains(&name.as_str()) && number.parse() == Ok(read.replicas)
    };
    let word = |v: &Value<'_>| {
        let words = v.as_str().unwrap_or_default().split_whitespace();
        words.filter_map(|w| w.split_once('=')).any(|(name, number)| is(name, number))
    };
    let list = |key| main.get(key).map(Value::items).unwrap_or_default();
    let given = |e: &Value<'_>| {
        let text = |key| e.get(key).and_then(Value::as_str).unwrap_or_default();
        is(text("name"), text("value"))
    };
    let word = list("command").into_iter().chain(list("args")).find(word);
    if let Some(value) = word.or_else(|| list("env").into_iter().find(given)) {
        let message = format!(
            "the number of members of {} is repeated here: it must equal `replicas`",
            read.workload.name
        );
        let at = vec![read.object.at(value), read.object.near(&["spec", "replicas"])];
        found.note(codes::ID_BY_HAND, message, at, "change both in one commit".to_owned());
    }
}

/// The variables with the id of a member.
const IDS: [&str; 12] = [
    "ZOO_MY_ID",
    "ZOOKEEPER_SERVER_ID",
    "ZOO_SERVER_ID",
    "MYID",
    "MY_ID",
    "KAFKA_BROKER_ID",
    "KAFKA_NODE_ID",
    "KAFKA_CFG_NODE_ID",
    "KAFKA_CFG_BROKER_ID",
    "ETCD_NAME",
    "node.name",
    "MYSQL_SERVER_ID",
];

/// Reports a literal id in a workload of several pods, or in two workloads of one family.
fn ids(peers: &Peers<'_, '_>, found: &mut Found) {
    let mut seen: BTreeMap<(&str, &str, &str, &str), (&str, At)> = BTreeMap::new();
    for read in peers.reads.iter().filter(|r| r.replicas > 0) {
        for (name, value, at) in
            env(read).filter(|(name, value, _)| IDS.contains(name) && !value.contains("$("))
        {
            let key = (read.workload.scope.as_str(), read.workload.family.as_str(), name, value);
            let fix = "an id that is made from the pod's name or index".to_owned();
            if read.replicas > 1 || read.workload.kind.per_node() {
                let message = format!("every pod of {} has the id {name}={value}", read.workload.name);
                found.violation(codes::ID_REPEATED, message, vec![at], fix);
            } else if let Some((other, first)) =
                seen.get(&key).filter(|(other, _)| *other != read.workload.name)
            {
                let message = format!("{} and {other} have the same id, {name}={value}", read.workload.name);
                found.violation(codes::ID_REPEATED, message, vec![at, first.clone()], fix);
            } else {
                seen.insert(key, (&read.workload.name, at));
            }
        }
    }
}

/// Returns the literal variables of all containers, including init containers.
fn env<'r>(read: &'r Read<'_>) -> impl Iterator<Item = (&'r str, &'r str, At)> {
    let init = read.pod.spec.get("initContainers").map(Value::items).unwrap_or_default();
    let containers: Vec<Value<'r>> = read.pod.containers.iter().copied().chain(init).collect();
    let all = containers.into_iter().flat_map(|c| c.get("env").map(Value::items).unwrap_or_default());
    all.filter_map(|e| {
        let value = e.get("value")?;
        Some((e.get("name")?.as_str()?, value.as_str()?, read.object.at(value)))
    })
}

/// Reports an offset of ids that is correct only for the present number of members of another set.
fn offsets(peers: &Peers<'_, '_>, found: &mut Found) {
    let mut sets: BTreeMap<(&str, &str), Vec<&Read<'_>>> = BTreeMap::new();
    for read in peers.reads.iter().filter(|r| r.workload.kind == Kind::StatefulSet) {
        sets.entry((&read.workload.scope, &read.workload.family)).or_default().push(read);
    }
    for sets in sets.values() {
        // In a large family the offset can belong to any set.
        for read in sets.iter().take(100) {
            let offset = env(read).find(|(name, _, _)| name.to_uppercase().ends_with("OFFSET"));
            let Some((name, value, at)) = offset else { continue };
            let Ok(number) = value.parse::<u32>() else { continue };
            let other = sets.iter().take(100).find(|other| {
                let fits = other.replicas == number || other.replicas.saturating_add(1) == number;
                other.object.name != read.object.name && other.replicas > 0 && fits
            });
            if let Some(other) = other {
                let message = format!(
                    "{name}={value} of {} is correct only for the {} replicas of {}: with one more, two members have the same id",
                    read.workload.name, other.replicas, other.workload.name
                );
                let at = vec![at, other.object.near(&["spec", "replicas"])];
                let fix = "an offset that leaves room, or one set for all members".to_owned();
                found.note(codes::ID_BY_HAND, message, at, fix);
            }
        }
    }
}

const STATE: &str = "initial-cluster-state";
/// The address of Galera. Without nodes it creates a new cluster.
const NODES: &str = "wsrep_cluster_address";
const MASTERS: &str = "cluster.initial_master_nodes";

/// Reports settings for the first start that stay in a manifest.
fn bootstrap(read: &Read<'_>, found: &mut Found) {
    if let Some((name, _, at)) = env(read).find(|(name, value, _)| kept(name, value)) {
        return first_start(name, &read.workload.name, at, found);
    }
    for container in &read.pod.containers {
        let words: Vec<&str> = command(*container).into_iter().flat_map(str::split_whitespace).collect();
        let pair = |w: &str, next: &str| {
            let word = w.trim_start_matches('-').trim_start_matches('E');
            match word.split_once('=') {
                Some((name, value)) => kept(name, value),
                None => kept(word, next),
            }
        };
        let named = words.iter().enumerate().find(|(i, w)| {
            w.starts_with('-') && pair(w, words.get(i + 1).copied().unwrap_or_default())
                || **w == "--wsrep-new-cluster"
        });
        if let Some((_, word)) = named {
            let of = container
                .given("args")
                .filter(|a| a.items().iter().any(|v| v.as_str().is_some_and(|t| t.contains(word))));
            let at = of.or_else(|| container.given("command")).unwrap_or(*container);
            return first_start(word, &read.workload.name, read.object.at(at), found);
        }
    }
}

fn kept(name: &str, value: &str) -> bool {
    let name = name.strip_prefix("ETCD_").map_or(name.to_owned(), |n| n.to_lowercase().replace('_', "-"));
    let value = value.trim_matches(['"', '\'', ' ']);
    name == STATE && value == "new"
        || name.replace('-', "_").eq_ignore_ascii_case(NODES) && value == "gcomm://"
        || name == MASTERS && !value.is_empty() && value != "[]"
        // etcd.io, "Clustering Guide": a discovery URL is for one bootstrap only.
        || name == "discovery" && value.starts_with("http")
}

fn first_start(name: &str, of: &str, at: At, found: &mut Found) {
    let message = format!(
        "`{name}` of {of} is for the very first start: with it, a member that lost its data creates a new cluster"
    );
    found.note(codes::BOOTSTRAP, message, vec![at], "remove it once the cluster runs".to_owned());
}

/// Reports the same settings in the files of a ConfigMap.
fn files(object: &Object<'_>, found: &mut Found) {
    for (_, value) in object.root.get("data").map(Value::entries).unwrap_or_default() {
        let pairs =
            value.lines().filter_map(|(line, text)| Some((line, text.trim().split_once([':', '='])?)));
        for (line, (name, text)) in pairs {
            if kept(name.trim().trim_matches('"'), text.trim()) {
                let at = At { line, ..object.at(value) };
                return first_start(name.trim(), &object.title(), at, found);
            }
        }
    }
}
