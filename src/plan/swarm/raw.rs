//! Reads `targets.swarm.service`: raw additions to the service of a member. An addition is an error
//! if it changes a decision of berthc or if `docker stack deploy` would drop it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::constraint::{Constraint, is_word, label};
use super::service::SwarmService;
use super::stack::Service;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::Swarm;
use crate::plan::context::Context;
use crate::route;
use crate::spec::Raw;
use crate::spec::source::Route;

/// The type of value that a key takes.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Bool,
    Text,
    List,
    Map,
    /// A list or a map.
    Several,
    /// A text or a list.
    Words,
}

/// The keys that are always passed on: `docker stack deploy` of 20.10 converts each of them.
const FREE: [(&str, Kind); 15] = [
    ("cap_add", Kind::List),
    ("cap_drop", Kind::List),
    ("credential_spec", Kind::Map),
    ("dns", Kind::Words),
    ("dns_search", Kind::Words),
    ("extra_hosts", Kind::Several),
    ("healthcheck", Kind::Map),
    ("init", Kind::Bool),
    ("isolation", Kind::Text),
    ("logging", Kind::Map),
    ("read_only", Kind::Bool),
    ("stdin_open", Kind::Bool),
    ("sysctls", Kind::Several),
    ("tty", Kind::Bool),
    ("working_dir", Kind::Text),
];

/// The keys that a field of the spec decides.
const DECIDED: [(&str, &str); 15] = [
    ("image", "image"),
    ("entrypoint", "command"),
    ("command", "args"),
    ("environment", "env"),
    ("env_file", "env"),
    ("user", "user"),
    ("hostname", "exclusive.hostname"),
    ("ports", "exclusive.ports"),
    ("volumes", "exclusive.data"),
    ("tmpfs", "tmpfs"),
    ("configs", "files"),
    ("secrets", "secrets"),
    ("ulimits", "ulimits"),
    ("stop_grace_period", "stop.grace"),
    ("stop_signal", "stop.signal"),
];

/// The keys that `docker stack deploy` drops (docker/cli `cli/compose/types/types.go`). It drops
/// `oom_score_adj` silently, although format 3.13 has it (measured on 28.5.2 and 29).
const DROPPED: [&str; 22] = [
    "build",
    "cgroup_parent",
    "cgroupns_mode",
    "container_name",
    "depends_on",
    "devices",
    "domainname",
    "expose",
    "external_links",
    "ipc",
    "links",
    "mac_address",
    "network_mode",
    "oom_score_adj",
    "pid",
    "privileged",
    "profiles",
    "pull_policy",
    "restart",
    "security_opt",
    "shm_size",
    "userns_mode",
];

/// The keys of a health check.
const CHECK: [&str; 7] =
    ["test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"];

/// The additions that are allowed.
#[derive(Default)]
pub struct Added {
    top: Map<String, Value>,
    labels: Vec<(String, String)>,
    networks: Vec<String>,
    deploy_labels: Map<String, Value>,
    constraints: Vec<String>,
    preferences: Vec<Value>,
    generic: Vec<Value>,
}

/// Adds `added` to `service`.
pub fn apply(added: &Added, service: &mut Service) {
    service.added.extend(added.top.clone());
    service.labels.extend(added.labels.iter().cloned());
    service.networks.extend(added.networks.iter().cloned());
    service.deploy.labels.extend(added.deploy_labels.clone());
    service.deploy.constraints.extend(added.constraints.iter().cloned());
    service.deploy.preferences.extend(added.preferences.iter().cloned());
    service.deploy.resources.generic.extend(added.generic.iter().cloned());
}

/// Returns whether raw constraints decide where members run.
pub fn constrains(raw: &Raw) -> bool {
    let placement = raw.get("deploy").and_then(|d| d.get("placement"));
    placement.and_then(|p| p.get("constraints")).is_some()
}

/// Returns the additional networks of the members, valid or not.
pub fn networks(subject: SwarmService<'_>) -> BTreeSet<String> {
    let all = subject.swarm.service.get("networks").and_then(Value::as_array).into_iter().flatten();
    let own = subject.swarm.network.as_deref();
    all.filter_map(Value::as_str).filter(|n| Some(*n) != own).map(str::to_owned).collect()
}

/// Reads the additions and reports those that are not allowed.
pub fn read(context: &mut Context<'_>, subject: SwarmService<'_>) -> Added {
    let mut reader = Reader { subject, added: Added::default(), faults: Vec::new() };
    let root = route!["targets", "swarm", "service"];
    for (key, value) in &subject.swarm.service {
        reader.top(&root.at(key), key, value);
    }
    reader.faults.into_iter().for_each(|fault| context.fault(fault));
    reader.added
}

struct Reader<'a> {
    subject: SwarmService<'a>,
    added: Added,
    faults: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn fault(&mut self, code: Code, route: &Route, message: impl Into<String>) {
        let place = self.subject.service.key(route);
        self.faults.push(Diagnostic::error(code, place, message));
    }

    fn overwrites(&mut self, route: &Route, message: impl Into<String>) {
        self.fault(Code::HatchOverwrites, route, message);
    }

    fn top(&mut self, route: &Route, key: &str, value: &Value) {
        if let Some((_, kind)) = FREE.iter().find(|(free, _)| *free == key) {
            if self.fits(route, key, value, *kind) && self.free(route, key, value) {
                self.added.top.insert(key.to_owned(), value.clone());
            }
        } else if let Some((_, field)) = DECIDED.iter().find(|(decided, _)| *decided == key) {
            self.overwrites(route, format!("`{key}` comes from `{field}` of the spec"));
        } else if DROPPED.contains(&key) || key.starts_with("x-") {
            self.fault(Code::UnknownKey, route, format!("`docker stack deploy` ignores `{key}`"));
        } else {
            match key {
                "labels" => self.labels(route, value),
                "networks" => self.networks(route, value),
                "deploy" => self.deploy(route, value),
                _ => self.fault(Code::UnknownKey, route, format!("`docker stack deploy` refuses `{key}`")),
            }
        }
    }

    fn fits(&mut self, route: &Route, key: &str, value: &Value, kind: Kind) -> bool {
        let (good, what) = match kind {
            Kind::Bool => (value.is_boolean(), "true or false"),
            Kind::Text => (value.is_string(), "a text"),
            Kind::List => (value.is_array(), "a list"),
            Kind::Map => (value.is_object(), "a map"),
            Kind::Several => (value.is_array() || value.is_object(), "a list or a map"),
            Kind::Words => (value.is_array() || value.is_string(), "a text or a list"),
        };
        if !good {
            self.fault(Code::WrongType, route, format!("`{key}` must be {what}"));
        }
        good
    }

    /// Handles the keys that are passed on under conditions.
    fn free(&mut self, route: &Route, key: &str, value: &Value) -> bool {
        let w = self.subject.workload;
        match (key, value) {
            ("healthcheck", _) if w.health.live.is_some() && !self.subject.hides_names() => {
                self.overwrites(route, "the health check comes from `health.live`");
                false
            }
            ("healthcheck", Value::Object(check)) => self.check(route, check),
            ("sysctls", Value::Object(all)) if w.node_network => {
                let Some(key) = all.keys().find(|k| k.starts_with("net.")) else { return true };
                let message = format!("with `{key}` on the node's network, a task never starts");
                self.fault(Code::BadValue, &route.at(key), message);
                false
            }
            _ => true,
        }
    }

    /// Returns whether the engine has every key of a health check.
    fn check(&mut self, route: &Route, check: &Map<String, Value>) -> bool {
        let since = Swarm::START_INTERVAL;
        if let Some(key) = check.keys().find(|k| !CHECK.contains(&k.as_str())) {
            self.fault(Code::UnknownKey, &route.at(key), format!("a health check has no `{key}`"));
            return false;
        }
        let new = check.contains_key("start_interval") && self.subject.swarm.engine < since;
        if new {
            let service = self.subject.service;
            let place = service.key(&route.at("start_interval"));
            let message = format!("`start_interval` needs engine {since} or newer on every node");
            let fault = Diagnostic::error(Code::VersionTooOld, place, message)
                .related(service.place(&route!["targets", "swarm", "engine"]), "older")
                .fix("if all nodes have it", format!("engine: \"{since}\""));
            self.faults.push(fault);
        }
        !new
    }

    fn labels(&mut self, route: &Route, value: &Value) {
        let Some(all) = self.texts(route, "labels", value) else { return };
        for (key, value) in all {
            if key.starts_with("com.docker.") || self.subject.service.labels.iter().any(|(k, _)| *k == key) {
                self.overwrites(&route.at(&key), format!("the label `{key}` is already set"));
            } else {
                self.added.labels.push((key, value));
            }
        }
    }

    /// Reads a map of texts.
    fn texts(&mut self, route: &Route, key: &str, value: &Value) -> Option<Vec<(String, String)>> {
        let text = |(k, v): (&String, &Value)| v.as_str().map(|v| (k.clone(), v.to_owned()));
        let all = value.as_object().and_then(|map| map.iter().map(text).collect());
        if all.is_none() {
            self.fault(Code::WrongType, route, format!("`{key}` must be a map of texts"));
        }
        all
    }

    fn networks(&mut self, route: &Route, value: &Value) {
        let names =
            value.as_array().and_then(|all| all.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        let Some(names) = names else {
            self.fault(Code::WrongType, route, "`networks` must be a list of existing overlay networks");
            return;
        };
        if self.subject.workload.node_network {
            self.overwrites(route, "Swarm rejects a service that uses the node's network and another one");
            return;
        }
        for (i, name) in names.into_iter().enumerate() {
            let wrong = crate::text::names::label_value(name);
            let taken = self.subject.swarm.network.as_deref() == Some(name)
                || self.added.networks.iter().any(|n| n == name)
                || ["host", "bridge", "none"].contains(&name);
            if let Some(wrong) = wrong {
                self.fault(Code::BadName, &route.at(i), format!("the network `{name}` {wrong}"));
            } else if taken {
                self.overwrites(&route.at(i), format!("the network `{name}` cannot be added"));
            } else {
                self.added.networks.push(name.to_owned());
            }
        }
    }

    fn deploy(&mut self, route: &Route, value: &Value) {
        for (key, value) in self.map(route, "deploy", value) {
            let at = route.at(&key);
            match key.as_str() {
                "labels" => {
                    let all = self.texts(&at, "labels", &value).unwrap_or_default();
                    for (key, value) in all {
                        if key.starts_with("com.docker.") {
                            self.overwrites(&at.at(&key), format!("the label `{key}` is reserved for docker"));
                        } else if self.subject.workload.annotations.iter().any(|(own, _)| *own == key) {
                            self.overwrites(&at.at(&key), format!("`annotations` already sets `{key}`"));
                        } else {
                            self.added.deploy_labels.insert(key, value.into());
                        }
                    }
                }
                "placement" => self.placement(&at, &value),
                "resources" => self.resources(&at, &value),
                "restart_policy" => self.overwrites(
                    &at,
                    "the lock rejects a new task until the old one is gone, so Swarm must try again without limit",
                ),
                "update_config" | "rollback_config" => {
                    self.overwrites(&at, "berthc decides the order of updates; use `update.pause` for the pause");
                }
                "mode" | "replicas" | "endpoint_mode" => {
                    self.overwrites(&at, "each member is a service of its own, with one task");
                }
                _ => {
                    self.fault(Code::UnknownKey, &at, format!("`docker stack deploy` refuses `deploy.{key}`"))
                }
            }
        }
    }

    fn map(&mut self, route: &Route, key: &str, value: &Value) -> Map<String, Value> {
        let map = value.as_object().cloned();
        if map.is_none() {
            self.fault(Code::WrongType, route, format!("`{key}` must be a map"));
        }
        map.unwrap_or_default()
    }

    fn list(&mut self, route: &Route, key: &str, value: &Value) -> Vec<Value> {
        let list = value.as_array().cloned();
        if list.is_none() {
            self.fault(Code::WrongType, route, format!("`{key}` must be a list"));
        }
        list.unwrap_or_default()
    }

    fn placement(&mut self, route: &Route, value: &Value) {
        for (key, value) in self.map(route, "placement", value) {
            let at = route.at(&key);
            match key.as_str() {
                "preferences" => {
                    self.added.preferences = self.shaped(
                        &at,
                        &key,
                        &value,
                        is_preference,
                        "a preference must be `spread: node.labels.KEY` or `spread: engine.labels.KEY`",
                    );
                }
                "constraints" => {
                    for (i, constraint) in self.list(&at, &key, &value).iter().enumerate() {
                        self.constraint(&at.at(i), constraint);
                    }
                }
                "max_replicas_per_node" => self.overwrites(
                    &at,
                    "it does not count a task that is still stopping; berthc uses the published port as the lock",
                ),
                _ => self.fault(Code::UnknownKey, &at, format!("placement has no `{key}`")),
            }
        }
    }

    fn constraint(&mut self, route: &Route, value: &Value) {
        let Some((text, constraint)) = value.as_str().and_then(|t| Some((t, Constraint::of(t)?))) else {
            self.fault(Code::BadValue, route, format!("no node can match the constraint {value}"));
            return;
        };
        let subject = self.subject;
        for (label, value) in subject.ids().into_iter().flat_map(|id| subject.demands(id)) {
            let own = format!("node.labels.{label} == {value}");
            if Constraint::of(&own).is_some_and(|own| own.contradicts(&constraint)) {
                self.overwrites(
                    route,
                    format!("a member already has the constraint `{own}`, and no node can match both"),
                );
                return;
            }
        }
        let raw = |c: &&String| Constraint::of(c).is_some_and(|c| c.contradicts(&constraint));
        match self.added.constraints.iter().find(raw) {
            Some(other) => {
                let message = format!("no node can match both `{text}` and `{other}`");
                self.fault(Code::BadValue, route, message);
            }
            None => self.added.constraints.push(text.to_owned()),
        }
    }

    /// Reads a list whose elements must satisfy `good`.
    fn shaped(
        &mut self,
        route: &Route,
        key: &str,
        value: &Value,
        good: fn(&Value) -> bool,
        what: &str,
    ) -> Vec<Value> {
        let all = self.list(route, key, value);
        for (i, _) in all.iter().enumerate().filter(|(_, v)| !good(v)) {
            self.fault(Code::BadValue, &route.at(i), what);
        }
        all
    }

    /// Reads generic resources; CPU and memory come from the spec.
    fn resources(&mut self, route: &Route, value: &Value) {
        for (key, value) in self.map(route, "resources", value) {
            let at = route.at(&key);
            let inner = if key == "reservations" { self.map(&at, &key, &value) } else { Map::new() };
            match inner.get("generic_resources") {
                Some(generic) if inner.len() == 1 => {
                    self.added.generic = self.shaped(
                        &at.at("generic_resources"),
                        "generic_resources",
                        generic,
                        is_generic,
                        "a generic resource must be `discrete_resource_spec: { kind: NAME, value: NUMBER }`",
                    );
                }
                _ => self.overwrites(&at, "CPU and memory come from `resources` of the spec"),
            }
        }
    }
}

/// Returns the value of `key` if it is the only key of the map.
fn only<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    value.as_object().filter(|map| map.len() == 1)?.get(key)
}

/// Returns whether the scheduler uses the preference. It ignores any other (swarmkit
/// `manager/scheduler/nodeset.go`).
fn is_preference(value: &Value) -> bool {
    only(value, "spread").and_then(Value::as_str).and_then(label).is_some_and(|key| !key.is_empty())
}

fn is_generic(value: &Value) -> bool {
    let Some(spec) = only(value, "discrete_resource_spec").and_then(Value::as_object) else { return false };
    let kind = spec.get("kind").and_then(Value::as_str).is_some_and(is_word);
    let number = spec.get("value").and_then(Value::as_i64).is_some_and(|n| n > 0);
    kind && number && spec.len() == 2
}
