//! Finds pods whose own settings keep their programs from starting.

use std::collections::{BTreeMap, BTreeSet};

use super::object::Object;
use super::peers::Peers;
use super::pod::command;
use super::workload::Read;
use crate::finding::{Level, codes};
use crate::images::{By, Images};
use crate::text::path::within;
use crate::text::yaml::Value;
use crate::world::Kind;
use crate::world::found::Found;
use crate::world::lock::is_shell;
use crate::world::never::{Never, Part, may_be_old, tell};

/// The maximum number of Services of a namespace whose variables a pod is compared with.
const COMPARED: usize = 200;

/// Checks each pod, and the content of each Secret.
pub(super) fn judge(objects: &[Object<'_>], peers: &Peers<'_, '_>, images: &Images, found: &mut Found) {
    let mut services: BTreeMap<&str, Vec<&Object<'_>>> = BTreeMap::new();
    for object in objects {
        match object.kind {
            "Service" if has_address(object) => {
                services.entry(object.namespace.as_str()).or_default().push(object);
            }
            "Secret" => encoded(object, found),
            _ => {}
        }
    }
    for read in peers.reads.iter().filter(|r| r.replicas > 0) {
        let containers = read.pod.spec.list("containers");
        for container in read.pod.spec.list("initContainers").into_iter().chain(containers) {
            variables(read, container, found);
            settings(read, container, found);
            files(read, container, images, found);
            root(read, container, images, found);
            linked(read, container, (&services, images), found);
        }
        if read.workload.kind != Kind::Job {
            listeners(read, found);
        }
    }
}

/// Returns whether pods get variables with the address of a Service: it has one, and a port (kubernetes
/// `pkg/kubelet/kubelet_pods.go`, `getServiceEnvVarMap`).
fn has_address(object: &Object<'_>) -> bool {
    let spec = |key: &str| object.root.at(&["spec", key]).filter(|v| !v.is_null());
    let none = spec("clusterIP").is_some_and(|ip| ip.is("None"));
    let named = spec("type").is_some_and(|t| t.is("ExternalName"));
    !none && !named && spec("ports").is_some_and(|ports| !ports.items().is_empty())
}

/// Returns the names in `$(NAME)` of a text; `$$(NAME)` is no reference (kubernetes
/// `third_party/forked/golang/expansion/expand.go`). Names in lower case may be commands of a shell.
fn references(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("$(").filter_map(move |(at, _)| {
        let dollars = text[..at].bytes().rev().take_while(|b| *b == b'$').count();
        let (name, _) = text[at + 2..].split_once(')').filter(|_| dollars % 2 == 0)?;
        let upper = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
        (name.len() > 1 && upper).then_some(name)
    })
}

/// Reports `$(NAME)` of a variable that the container does not define, or defines further down: the
/// process gets the text itself (kubernetes `pkg/kubelet/kubelet_pods.go`, `makeEnvironmentVariables`).
fn variables(read: &Read<'_>, container: Value<'_>, found: &mut Found) {
    if !container.list("envFrom").is_empty() {
        return;
    }
    let env = container.list("env");
    let all: BTreeSet<&str> = env.iter().filter_map(|e| e.text_at("name")).collect();
    // The variables of Services exist where a Service does.
    let service = |name: &str| name.contains("_SERVICE_") || name.contains("_PORT");
    let mut above = BTreeSet::new();
    let mut missing: Vec<(&str, Value<'_>)> = Vec::new();
    for variable in &env {
        if let Some(value) = variable.given("value") {
            let names = value.as_str().into_iter().flat_map(references);
            missing.extend(names.filter(|name| !above.contains(name)).map(|name| (name, value)));
        }
        above.extend(variable.text_at("name"));
    }
    if !command(container).first().is_some_and(|program| is_shell(program)) {
        for word in container.list("command").into_iter().chain(container.list("args")) {
            let script = word.as_str().is_some_and(|text| text.contains(['\n', ';', '|']));
            let names = word.as_str().into_iter().filter(|_| !script).flat_map(references);
            missing.extend(names.filter(|name| !all.contains(name)).map(|name| (name, word)));
        }
    }
    for (name, value) in missing.into_iter().filter(|(name, _)| !service(name)) {
        let own = container.text_at("name").unwrap_or_default();
        let title = &read.workload.name;
        let (why, fix) = match all.contains(name) {
            true => (
                "it is defined below, and only variables above count".to_owned(),
                format!("the entry of {name} above the entry that uses it"),
            ),
            false => {
                (format!("the container defines no {name}"), format!("env: [{{name: {name}, value: …}}]"))
            }
        };
        let message = format!("{own} of {title} gets the text `$({name})` instead of a value: {why}");
        found.violation(codes::NEVER, message, vec![read.object.at(value)], fix);
    }
}

/// Reports settings with which the program of a known image ends.
fn settings(read: &Read<'_>, container: Value<'_>, found: &mut Found) {
    let Some((_, faults)) = read.pod.no_start.iter().find(|(own, _)| own.is_at(container)) else { return };
    // A live object has started before.
    let live = read.object.root.at(&["metadata", "uid"]).or_else(|| read.object.root.get("status")).is_some();
    let old = live || may_be_old(&read.workload);
    let image = container.get("image").unwrap_or(container);
    for fault in faults {
        let set = |name: &str| match name.split_once('=') {
            Some((name, value)) => format!("env: [{{name: {name}, value: {value}}}]"),
            None => format!(
                "env: [{{name: {name}, valueFrom: {{secretKeyRef: {{name: {}, key: {name}}}}}}}]",
                read.object.name
            ),
        };
        let Never { level, message, fix, part } = tell(&read.workload.name, fault, old, set);
        let words = || container.list("args").into_iter().chain(container.list("command"));
        let place = match part {
            Part::Image => None,
            Part::Option(option) => words().find(|w| w.as_str().is_some_and(|t| t.contains(&option))),
            Part::Mount(target) => {
                container.list("volumeMounts").into_iter().find(|m| m.text_at("mountPath") == Some(&target))
            }
        };
        found.finding((codes::NEVER, level), message, vec![read.object.at(place.unwrap_or(image))], fix);
    }
}

/// Reports a variable with the path of a password or another secret, if nothing is mounted there.
fn files(read: &Read<'_>, container: Value<'_>, images: &Images, found: &mut Found) {
    const SECRETS: [&str; 6] = ["COOKIE", "KEY", "PASS", "SECRET", "TOKEN", "USER"];
    let known = read.pod.servers.iter().any(|(c, s)| c.is_at(container) && s.by == By::Image);
    let known = known && container.text_at("image").is_some_and(|image| images.has(image));
    let mounted: Vec<&str> =
        container.list("volumeMounts").iter().filter_map(|m| m.text_at("mountPath")).collect();
    for variable in container.list("env") {
        let (Some(name), Some(path)) = (variable.text_at("name"), variable.text_at("value")) else {
            continue;
        };
        let secret = name.strip_suffix("_FILE").is_some_and(|n| SECRETS.iter().any(|s| n.contains(s)));
        let plain = path.starts_with('/') && !path.contains(|c: char| c.is_whitespace() || "$,:".contains(c));
        if !known || !secret || !plain || mounted.iter().any(|target| within(path, target)) {
            continue;
        }
        let message =
            format!("{} never starts: {name} names {path}, where nothing is mounted", read.workload.name);
        let fix = format!(
            "volumeMounts: [{{name: secrets, mountPath: {}, readOnly: true}}], with a volume of the Secret",
            path.rsplit_once('/').map_or("/", |(directory, _)| directory)
        );
        let place = variable.get("value").unwrap_or(variable);
        found.violation(codes::NEVER, message, vec![read.object.at(place)], fix);
    }
}

/// Reports `runAsNonRoot` for a container that starts as root: the kubelet refuses it (kubernetes
/// `pkg/kubelet/kuberuntime/security_context_others.go`, `verifyRunAsNonRoot`).
fn root(read: &Read<'_>, container: Value<'_>, images: &Images, found: &mut Found) {
    let field = |key: &str| {
        let own = container.get("securityContext").and_then(|s| s.given(key));
        own.or_else(|| read.pod.spec.get("securityContext").and_then(|s| s.given(key)))
    };
    let Some(asked) = field("runAsNonRoot").filter(|v| v.flag() == Some(true)) else { return };
    let user = field("runAsUser");
    let uid = container.text_at("image").and_then(|image| images.root_until(image));
    let (why, uid) = match (user, uid) {
        (Some(user), uid) if user.number() == Some(0) => {
            ("runAsUser is 0".to_owned(), uid.unwrap_or_default())
        }
        (None, Some(uid)) => {
            (format!("the user of {} is root", container.text_at("image").unwrap_or_default()), uid)
        }
        _ => return,
    };
    let (uid, group) = uid.split_once(':').unwrap_or((&uid, &uid));
    let fix = match uid.is_empty() {
        true => "runAsUser: UID".to_owned(),
        false => format!("runAsUser: {uid}, and for the volumes fsGroup: {group}"),
    };
    let message = format!(
        "{} never starts: with runAsNonRoot the kubelet refuses it, because {why}",
        read.workload.name
    );
    let places = [Some(asked), user].into_iter().flatten().map(|v| read.object.at(v)).collect();
    found.violation(codes::NEVER, message, places, fix);
}

/// Reports a Service whose name gives the pod a variable with which the image ends: `KAFKA_PORT` by a
/// Service `kafka`.
fn linked(
    read: &Read<'_>,
    container: Value<'_>,
    (services, images): (&BTreeMap<&str, Vec<&Object<'_>>>, &Images),
    found: &mut Found,
) {
    let off = read.pod.spec.given("enableServiceLinks").and_then(Value::flag) == Some(false);
    // A command replaces the script of the image that reads the variable.
    let off = off || container.given("command").is_some();
    let Some(image) = container.text_at("image").filter(|_| !off) else { return };
    let own: Vec<&str> = container.list("env").iter().filter_map(|e| e.text_at("name")).collect();
    for service in services.get(read.workload.scope.as_str()).into_iter().flatten().take(COMPARED) {
        let variable = format!("{}_PORT", service.name.to_uppercase().replace('-', "_"));
        if images.forbids(image, &variable) && !own.contains(&variable.as_str()) {
            let message = format!(
                "{} never starts: the Service {} sets the variable {variable} in its pods, and the image ends where it is set",
                read.workload.name, service.name
            );
            let places = vec![read.object.near(&["spec", "template", "spec"]), service.here()];
            found.violation(codes::NEVER, message, places, "enableServiceLinks: false");
        }
    }
}

/// Reports two containers of a pod that name one port: they have one address, so the second one cannot
/// listen. Only software that is known to listen counts.
fn listeners(read: &Read<'_>, found: &mut Found) {
    let known = |c: Value<'_>| read.pod.servers.iter().any(|(own, _)| own.is_at(c));
    let mut taken: BTreeMap<(String, String), (Value<'_>, Value<'_>)> = BTreeMap::new();
    for container in read.pod.spec.list("containers") {
        for port in container.list("ports") {
            let of = |key: &str| port.given(key).and_then(Value::text);
            let Some(number) = of("containerPort") else { continue };
            let Some((first, at)) = taken.insert(
                (number.clone(), of("protocol").unwrap_or_else(|| "TCP".to_owned())),
                (container, port),
            ) else {
                continue;
            };
            let servers = [first, container].into_iter().filter(|c| known(*c)).count();
            if servers == 0 || first.is_at(container) {
                continue;
            }
            let level = if servers == 2 { Level::Violation } else { Level::Note };
            let [one, other] = [first, container].map(|c| c.text_at("name").unwrap_or_default());
            let message = format!(
                "{one} and {other} of {} both listen on port {number}, and a pod has one address: one of them never starts",
                read.workload.name
            );
            let places = vec![read.object.at(port), read.object.at(at)];
            found.finding(
                (codes::NEVER, level),
                message,
                places,
                "containerPort: another one, also in its settings",
            );
        }
    }
}

/// Reports `data` of a Secret that is no base64: the API refuses it (kubernetes `core/v1`, `Secret.data` is
/// a map of byte arrays). A placeholder that another program replaces is left out.
fn encoded(object: &Object<'_>, found: &mut Found) {
    for (key, value) in object.root.get("data").map(Value::entries).unwrap_or_default() {
        let Some(text) = value.text() else { continue };
        let filled = ["{{", "${", "$(", "<%", "<path:", "ref+"].iter().any(|mark| text.contains(mark));
        // A sentence in such brackets asks the reader to fill it in.
        let asks = text.starts_with('<') && text.contains(' ');
        if filled || asks || text.starts_with('$') || base64(&text) {
            continue;
        }
        let message = format!("the API refuses {}: `{key}` of `data` is no base64", object.title());
        let fix = format!("stringData: {{{key}: TEXT}}, instead of the entry in `data`");
        found.violation(codes::REFUSED, message, vec![object.at(value)], fix);
    }
}

/// Returns whether Go's decoder takes a text: its line breaks do not count.
fn base64(text: &str) -> bool {
    let text: Vec<u8> = text.bytes().filter(|b| !b"\r\n".contains(b)).collect();
    let padding = text.iter().rev().take_while(|b| **b == b'=').count();
    let digit = |b: &u8| b.is_ascii_alphanumeric() || *b == b'+' || *b == b'/';
    text.len().is_multiple_of(4) && padding <= 2 && text[..text.len() - padding].iter().all(digit)
}
