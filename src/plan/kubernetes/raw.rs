//! Applies the additions of a spec in the notation of Kubernetes: maps are merged, lists are
//! appended, and decisions of berthc stay. No addition may give access to the member's data,
//! because berthc guarantees who holds it. Other keys are passed on unchanged if the API has them.

use serde_json::Value;

use super::fields::{self, Fields};
use super::gated;
use super::naming;
use super::objects::{Container, ContainerMore, Mount, Pod, PodMore, ServiceMore, ServiceObject};
use super::storage::Stored;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Kubernetes, Service, Workload};
use crate::plan::context::Context;
use crate::route;
use crate::spec::Raw;
use crate::spec::source::Route;
use crate::text::path;

/// The keys of a pod that only berthc sets, emitted or not. With `nodeName` or another scheduler,
/// nothing would check anti-affinity. Members are known by their names and networks. The API
/// accepts no ephemeral containers in a template (kubernetes `pkg/apis/core/validation`,
/// `ValidatePodTemplateSpec`).
const POD: [&str; 14] = [
    "activeDeadlineSeconds",
    "automountServiceAccountToken",
    "containers",
    "enableServiceLinks",
    "ephemeralContainers",
    "hostNetwork",
    "hostname",
    "hostnameOverride",
    "nodeName",
    "restartPolicy",
    "schedulerName",
    "setHostnameAsFQDN",
    "subdomain",
    "terminationGracePeriodSeconds",
];

/// The keys of the member's container that only berthc sets, emitted or not.
const CONTAINER: [&str; 5] = ["args", "command", "image", "imagePullPolicy", "name"];

/// The keys of the client Service that only berthc sets, emitted or not.
const SERVICE: [&str; 2] = ["publishNotReadyAddresses", "selector"];

/// The field of the spec to use in place of a key.
const INSTEAD: [(&str, &str); 10] = [
    ("args", "args"),
    ("command", "command"),
    ("hostNetwork", "exclusive.address"),
    ("image", "image"),
    ("livenessProbe", "health.live"),
    ("preStop", "stop.before"),
    ("readinessProbe", "health.ready"),
    ("runAsUser", "user"),
    ("startupProbe", "health.start"),
    ("terminationGracePeriodSeconds", "stop.grace"),
];

/// A map of additions. Each method removes the keys that it has handled.
struct Cut<'s> {
    service: &'s Service,
    route: Route,
    raw: Raw,
}

impl<'s> Cut<'s> {
    fn new(service: &'s Service, route: Route, raw: &Raw) -> Self {
        Self { service, route, raw: raw.clone() }
    }

    /// Returns the path of `key` in the spec.
    fn path(&self, key: &str) -> String {
        self.route.at(key).steps().join(".")
    }

    fn overwrites(&self, context: &mut Context<'_>, route: &Route, what: &str) {
        let mut d = Diagnostic::error(
            Code::HatchOverwrites,
            self.service.key(route),
            format!("`{what}` would overwrite a decision of berthc"),
        );
        let last = route.steps().last().map(String::as_str);
        if let Some((_, field)) = INSTEAD.iter().find(|(key, _)| Some(*key) == last) {
            d = d.advice(format!("use `{field}` of the spec"));
        }
        context.fault(d);
    }

    fn refuse(&self, context: &mut Context<'_>, route: &Route, message: String, why: &str) {
        let place = self.service.place(route);
        context.fault(Diagnostic::error(Code::HatchOverwrites, place, message).why(why));
    }

    fn shape(&self, context: &mut Context<'_>, key: &str, wanted: &str) {
        let place = self.service.key(&self.route.at(key));
        let message = format!("`{}` must be {wanted}", self.path(key));
        context.fault(Diagnostic::error(Code::WrongType, place, message));
    }

    /// Removes the map at `key` and returns it.
    fn below(&mut self, context: &mut Context<'_>, key: &str) -> Self {
        let raw = match self.raw.remove(key) {
            None => Raw::new(),
            Some(Value::Object(map)) => map,
            Some(_) => {
                self.shape(context, key, "a map");
                Raw::new()
            }
        };
        Self { service: self.service, route: self.route.at(key), raw }
    }

    /// Removes the list at `key` and returns it, to be appended to a list of berthc. Reports the
    /// fields of its entries for which `ours` is true.
    fn list(
        &mut self,
        context: &mut Context<'_>,
        key: &str,
        ours: impl Fn(&str, &Value) -> bool,
    ) -> Vec<Value> {
        let items = match self.raw.remove(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.shape(context, key, "a list");
                Vec::new()
            }
        };
        for (i, item) in items.iter().enumerate() {
            let Value::Object(entry) = item else {
                self.shape(context, key, "a list of maps");
                break;
            };
            for field in entry.iter().filter(|(field, value)| ours(field, value)).map(|(field, _)| field) {
                let route = self.route.at(key).at(i).at(field);
                self.overwrites(context, &route, &route.steps().join("."));
            }
        }
        items
    }

    /// Returns the remaining additions. Reports those that `decided` names.
    fn rest<'d>(mut self, context: &mut Context<'_>, decided: impl IntoIterator<Item = &'d str>) -> Raw {
        for key in decided {
            if self.raw.remove(key).is_some() {
                self.overwrites(context, &self.route.at(key), &self.path(key));
            }
        }
        self.raw
    }

    /// Returns the remaining additions. Also reports those that the class of the API does not have.
    fn rest_of<'d>(
        self,
        context: &mut Context<'_>,
        fields: &Fields,
        decided: impl IntoIterator<Item = &'d str>,
    ) -> Raw {
        let (service, route) = (self.service, self.route.clone());
        let rest = self.rest(context, decided);
        fields.check(context, service, &route, &rest);
        rest
    }
}

/// The ways to the data of one spec, which no addition may use.
struct Kept<'a> {
    /// The volumes of the pod.
    volumes: Vec<&'a str>,
    /// The directories of nodes.
    paths: Vec<&'a str>,
}

impl<'a> Kept<'a> {
    fn new(w: &'a Workload, pod: &'a Pod, stored: &'a Stored) -> Self {
        let on_nodes = pod.volumes.iter().filter_map(|v| v.host.as_ref()).map(|host| &host.path);
        let local = stored.persistent.iter().map(|volume| &volume.path);
        Self {
            volumes: w.data.iter().map(|d| d.name.as_str()).collect(),
            paths: on_nodes.chain(local).map(String::as_str).collect(),
        }
    }

    /// Reports a mount of data into the container `entry`, at the route `at`.
    fn mounts(&self, cut: &Cut<'_>, context: &mut Context<'_>, at: &Route, entry: &Raw, why: (&str, &str)) {
        for key in ["volumeMounts", "volumeDevices"] {
            let mounts = entry.get(key).and_then(Value::as_array).into_iter().flatten();
            for (i, mount) in mounts.enumerate() {
                let name = mount.get("name").and_then(Value::as_str);
                if let Some(name) = name.filter(|name| self.volumes.contains(name)) {
                    let message = format!("`{name}` is the data of the member{}", why.0);
                    cut.refuse(context, &at.at(key).at(i).at("name"), message, why.1);
                }
            }
        }
    }

    /// Reports volumes that lead to the data under another name.
    fn volumes(&self, cut: &Cut<'_>, context: &mut Context<'_>, volumes: &[Value]) {
        for (i, volume) in volumes.iter().enumerate() {
            let text = |kind: &str, field: &str| volume.get(kind)?.get(field)?.as_str();
            let at = cut.route.at("volumes").at(i);
            if let Some(path) = text("hostPath", "path").map(absolute)
                && let Some(kept) = self.paths.iter().find(|kept| holds(&path, kept) || holds(kept, &path))
            {
                let message = format!(
                    "the directory `{path}` of the node gives access to `{kept}`, the data of the member"
                );
                cut.refuse(context, &at.at("hostPath").at("path"), message, SECOND);
            }
            if let Some(claim) = text("persistentVolumeClaim", "claimName")
                && is_claim(context, cut.service, claim)
            {
                let message = format!("the claim `{claim}` belongs to the data of a member");
                cut.refuse(context, &at.at("persistentVolumeClaim").at("claimName"), message, SECOND);
            }
        }
    }
}

/// Why the data must not have a second volume.
const SECOND: &str =
    "a second mount could write without the lock of the member, and the certificate says that nothing does";
/// Why no other container may mount the data.
const BESIDE: (&str, &str) = (
    ", which no other container may mount",
    "an init container runs before or next to the member, without its lock",
);
/// Why the member may not mount its data a second time.
const SECOND_MOUNT: (&str, &str) = (
    ", which is already mounted",
    "a second mount shows the whole volume, even if the member gets only a directory of it",
);

/// Returns the absolute path that the kubelet and the runtime make of `path`: from the root,
/// without `//`, `.` and `..`.
fn absolute(path: &str) -> String {
    path::shortest(&format!("/{path}"))
}

/// Returns whether the directory `outer` equals or contains `path`. Both are in their shortest
/// form.
fn holds(outer: &str, path: &str) -> bool {
    path::within(path, outer.trim_end_matches('/'))
}

/// Returns whether a StatefulSet in the namespace of `service` makes the claim, for a member that
/// it has or may have later.
fn is_claim(context: &Context<'_>, service: &Service, claim: &str) -> bool {
    let namespace = |s: &Service| s.targets.kubernetes.as_ref().map(|k| k.namespace.clone());
    let Some((rest, id)) = claim.rsplit_once('-') else { return false };
    let Ok(id) = id.parse() else { return false };
    let own = namespace(service);
    rest.match_indices('-').filter_map(|(at, _)| context.model.find(&rest[at + 1..])).any(|s| {
        let counted = s.workload().filter(|w| !w.per_node() && namespace(s) == own);
        counted.is_some_and(|w| w.data.iter().any(|d| naming::claim(&d.name, &s.name, id) == claim))
    })
}

fn is_mounted(field: &str, value: &Value, mounts: &[Mount]) -> bool {
    let path = value.as_str().filter(|_| field == "mountPath").map(absolute);
    path.is_some_and(|path| mounts.iter().any(|m| m.path == path))
}

fn is(field: &str, value: &Value, key: &str, mut taken: impl Iterator<Item = impl AsRef<str>>) -> bool {
    field == key && value.as_str().is_some_and(|text| taken.any(|t| t.as_ref() == text))
}

/// Applies the additions of `k` to `pod` and its first container.
pub fn pod(
    context: &mut Context<'_>,
    service: &Service,
    k: &Kubernetes,
    w: &Workload,
    pod: &mut Pod,
    stored: &Stored,
) {
    let kept = Kept::new(w, pod, stored);
    let root = route!["targets", "kubernetes"];
    gated::check(context, (service, k.version), &root.at("pod"), &k.pod, "PodSpec");
    let mut cut = Cut::new(service, root.at("pod"), &k.pod);
    let mut more = PodMore::default();
    let selector = cut.below(context, "nodeSelector");
    more.node_selector = selector.rest(context, pod.node_selector.iter().map(|(key, _)| key.as_str()));
    more.tolerations = cut.list(context, "tolerations", |_, _| false);
    more.spread = cut.list(context, "topologySpreadConstraints", |_, _| false);
    let mut affinity = cut.below(context, "affinity");
    let node = affinity.below(context, "nodeAffinity");
    // Terms are alternatives: one more term would let a member out of its zones.
    let required = pod.zones.as_ref().map(|_| "requiredDuringSchedulingIgnoredDuringExecution");
    more.node_affinity = node.rest(context, required);
    more.affinity = affinity.rest(context, ["podAntiAffinity"]);
    let security = cut.below(context, "securityContext");
    let group = pod.fs_group.map(|_| ["fsGroup", "fsGroupChangePolicy"]);
    more.security = security.rest(context, group.into_iter().flatten().chain(["seccompProfile"]));
    let names = pod.init_containers.iter().chain(&pod.containers);
    let names: Vec<&str> = names.map(|c| c.name.as_str()).collect();
    more.init_containers =
        cut.list(context, "initContainers", |field, value| is(field, value, "name", names.iter()));
    for (i, added) in more.init_containers.iter().enumerate() {
        let Value::Object(added) = added else { continue };
        let at = cut.route.at("initContainers").at(i);
        fields::CONTAINER.check(context, service, &at, added);
        kept.mounts(&cut, context, &at, added, BESIDE);
    }
    let volumes = pod.volumes.iter().map(|v| &v.name).chain(stored.claims.iter().map(|c| &c.name));
    let volumes: Vec<&String> = volumes.collect();
    more.volumes = cut.list(context, "volumes", |field, value| is(field, value, "name", volumes.iter()));
    kept.volumes(&cut, context, &more.volumes);
    let policy = pod.host_network.map(|_| "dnsPolicy");
    let account = pod.account.iter().flat_map(|_| ["serviceAccount", "serviceAccountName"]);
    more.rest = cut.rest_of(context, &fields::POD, POD.into_iter().chain(policy).chain(account));
    let at = root.at("container");
    kept.mounts(&Cut::new(service, at.clone(), &k.container), context, &at, &k.container, SECOND_MOUNT);
    pod.more = more;
    if let Some(member) = pod.containers.first_mut() {
        container(context, service, at, k, member);
    }
}

fn container(
    context: &mut Context<'_>,
    service: &Service,
    route: Route,
    k: &Kubernetes,
    container: &mut Container,
) {
    gated::check(context, (service, k.version), &route, &k.container, "Container");
    let mut cut = Cut::new(service, route, &k.container);
    let mut more = ContainerMore::default();
    let variables: Vec<&str> = container.env.iter().map(|v| v.name.as_str()).collect();
    more.env = cut.list(context, "env", |field, value| {
        let berth = field == "name" && value.as_str().is_some_and(|name| name.starts_with("BERTH_"));
        berth || is(field, value, "name", variables.iter())
    });
    more.ports = cut.list(context, "ports", |field, value| {
        let numbers = container.ports.iter().map(|p| u64::from(p.number));
        let number = field == "containerPort" || field == "hostPort";
        number && numbers.into_iter().any(|n| value.as_u64() == Some(n))
            || is(field, value, "name", container.ports.iter().map(|p| &p.name))
    });
    more.mounts =
        cut.list(context, "volumeMounts", |field, value| is_mounted(field, value, &container.mounts));
    let ours = |on: bool, keys: &'static [&'static str]| keys.iter().copied().filter(move |_| on);
    let mut resources = cut.below(context, "resources");
    let given: Vec<&str> = container.resources.iter().map(|(name, _)| *name).collect();
    more.requests = resources.below(context, "requests").rest(context, given.iter().copied());
    more.limits = resources.below(context, "limits").rest(context, given.iter().copied());
    more.resources = resources.rest(context, []);
    let lifecycle = cut.below(context, "lifecycle");
    more.lifecycle = lifecycle.rest(context, ours(!container.before_stop.is_empty(), &["preStop"]));
    let mut security = cut.below(context, "securityContext");
    let bare = container.user.as_ref().is_some_and(|u| u.bare);
    let capabilities = security.below(context, "capabilities");
    more.capabilities = capabilities.rest(context, ours(bare, &["drop"]));
    let user = ours(container.user.is_some(), &["runAsUser", "runAsGroup"]);
    let bare = ours(bare, &["runAsNonRoot", "allowPrivilegeEscalation", "privileged"]);
    more.security = security.rest(context, user.chain(bare));
    let probes = container.probes.iter().map(|(name, _)| *name);
    more.rest = cut.rest_of(context, &fields::CONTAINER, CONTAINER.into_iter().chain(probes));
    container.more = more;
}

/// Applies the additions and annotations of `k` to the client Service.
pub fn service(context: &mut Context<'_>, service: &Service, k: &Kubernetes, object: &mut ServiceObject) {
    let route = route!["targets", "kubernetes", "service"];
    gated::check(context, (service, k.version), &route, &k.service, "ServiceSpec");
    let mut cut = Cut::new(service, route, &k.service);
    let ports = cut.list(context, "ports", |field, value| {
        field == "port" && object.ports.iter().any(|p| value.as_u64() == Some(u64::from(p.number)))
            || is(field, value, "name", object.ports.iter().map(|p| &p.name))
    });
    let external = object.external.as_ref().map(|_| ["type", "externalName"]);
    let headless = object.headless.then_some("clusterIP");
    let decided = SERVICE.into_iter().chain(external.into_iter().flatten()).chain(headless);
    let rest = cut.rest_of(context, &fields::SERVICE, decided);
    object.more = ServiceMore { ports, rest };
    object.meta.annotations = k.annotations.service.clone();
}
