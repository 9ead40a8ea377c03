//! Fields that the API server never changes (kubernetes `pkg/apis/{apps,core,storage,discovery}/validation`),
//! and the steps by which an object gets a new value of such a field.

use std::collections::BTreeSet;

use crate::text::units;
use crate::text::yaml::Value;

/// The claim templates of a StatefulSet.
pub(super) const CLAIMS: &[&str] = &["spec", "volumeClaimTemplates"];

/// The selector of the pods of a controller.
const SELECTOR: &[&str] = &["spec", "selector"];

/// Immutable fields by kind of object.
const IMMUTABLE: &[(&str, &[&[&str]])] = &[
    ("StatefulSet", &[&["spec", "serviceName"], &["spec", "podManagementPolicy"], CLAIMS]),
    (
        "PersistentVolume",
        &[&["spec", "local"], &["spec", "csi"], &["spec", "nodeAffinity"], &["spec", "volumeMode"]],
    ),
    (
        "PersistentVolumeClaim",
        &[&["spec", "accessModes"], &["spec", "storageClassName"], &["spec", "volumeName"]],
    ),
    ("StorageClass", &[&["provisioner"], &["parameters"], &["reclaimPolicy"], &["volumeBindingMode"]]),
    ("EndpointSlice", &[&["addressType"]]),
];

/// Kinds whose selector of pods is immutable.
const SELECTORS: [&str; 4] = ["StatefulSet", "DaemonSet", "Deployment", "ReplicaSet"];

/// Fields that the cluster fills in or keeps if the new text leaves them out.
const KEPT: [&[&str]; 3] = [&["spec", "clusterIP"], &["spec", "storageClassName"], &["spec", "volumeName"]];

/// The values of fields that are left out (kubernetes `pkg/apis/{apps,core,storage}/v1/defaults.go`).
const DEFAULTS: [(&str, &str); 4] = [
    ("podManagementPolicy", "OrderedReady"),
    ("reclaimPolicy", "Delete"),
    ("volumeBindingMode", "Immediate"),
    ("volumeMode", "Filesystem"),
];

/// Fields of a claim template that the API server fills in.
const FILLED: [&str; 4] = ["apiVersion", "kind", "status", "creationTimestamp"];

/// Kind, namespace and name.
pub(super) type Key = (String, String, String);

/// Returns the key of an object; `None` if it has no kind or no name.
pub(super) fn key(object: Value<'_>) -> Option<Key> {
    let text = |way: &[&str]| object.at(way).and_then(Value::text);
    let namespace = text(&["metadata", "namespace"]).unwrap_or_default();
    Some((text(&["kind"])?, namespace, text(&["metadata", "name"])?))
}

/// One object before and after.
pub(super) struct Object<'d> {
    pub(super) old: Value<'d>,
    pub(super) new: Value<'d>,
    pub(super) key: Key,
    /// The command that applies the new text.
    pub(super) apply: String,
}

impl Object<'_> {
    /// Returns the immutable fields that change.
    pub(super) fn refused(&self) -> Vec<&'static [&'static str]> {
        let kind = self.key.0.as_str();
        if SELECTORS.contains(&kind) && self.changed(SELECTOR) {
            return vec![SELECTOR];
        }
        let mut all: Vec<&'static [&'static str]> = Vec::new();
        let fixed = ["ConfigMap", "Secret"].contains(&kind)
            && self.old.get("immutable").is_some_and(|v| v.is("true"));
        if fixed {
            all.extend([&["data"] as &[_], &["binaryData"], &["immutable"]]);
        }
        if kind == "Service" {
            all.push(&["spec", "clusterIP"]);
        }
        all.extend(IMMUTABLE.iter().filter(|(k, _)| *k == kind).flat_map(|(_, fields)| *fields));
        all.retain(|field| self.changed(field));
        all
    }

    fn changed(&self, field: &[&str]) -> bool {
        let last = field.last().copied().unwrap_or_default();
        match (self.old.at(field), self.new.at(field)) {
            (Some(old), Some(new)) => !same(old, new),
            (None, None) => false,
            // The address of a Service without one is not `None`.
            (_, new) if KEPT.contains(&field) => new.is_some() && last == "clusterIP",
            (Some(one), None) | (None, Some(one)) => !filled(last, one),
        }
    }

    /// Returns the steps that give the object the new value of an immutable field.
    pub(super) fn steps(&self, field: &[&str]) -> String {
        match (self.key.0.as_str(), field) {
            ("ConfigMap" | "Secret", _) => "give it another name".into(),
            (_, ["spec", "selector"]) => self.replaced(),
            ("StatefulSet", ["spec", "volumeClaimTemplates"]) if self.renames() => self.stopped(),
            ("StatefulSet", ["spec", "volumeClaimTemplates"]) => self.orphaned(&self.patches()),
            ("StatefulSet", _) => self.orphaned(""),
            ("PersistentVolume", _) => self.volume(),
            _ => self.made_again(),
        }
    }

    /// Returns `kubectl`, with the namespace of the object if it has one.
    fn kubectl(&self) -> String {
        match self.key.1.as_str() {
            "" => "kubectl".into(),
            namespace => format!("kubectl -n {namespace}"),
        }
    }

    /// Returns `kind/name`.
    pub(super) fn reference(&self) -> String {
        format!("{}/{}", self.key.0.to_lowercase(), self.key.2)
    }

    /// Returns the steps that recreate the object while its pods keep running, with `between`
    /// before it is created again.
    fn orphaned(&self, between: &str) -> String {
        let (kubectl, reference) = (self.kubectl(), self.reference());
        format!(
            "while no pod is stopping, and without a drain in between: {kubectl} delete {reference} --cascade=orphan; {kubectl} wait --for=delete {reference}; {between}{}",
            self.apply
        )
    }

    /// Returns the steps that delete the object with its pods first: the new selector would not
    /// find them.
    fn replaced(&self) -> String {
        let (kubectl, reference) = (self.kubectl(), self.reference());
        format!(
            "{kubectl} delete {reference} --cascade=foreground, which waits for every pod; then {}",
            self.apply
        )
    }

    /// Returns the steps that end every pod before the set is created again. A set adopts running
    /// pods, and can never update those that mount other claims (kubernetes/kubernetes#141876).
    fn stopped(&self) -> String {
        let (kubectl, reference) = (self.kubectl(), self.reference());
        format!(
            "{kubectl} scale {reference} --replicas=0; wait until all of its pods have ended; {kubectl} delete {reference}; {}",
            self.apply
        )
    }

    fn made_again(&self) -> String {
        format!("{} delete {}; {}", self.kubectl(), self.reference(), self.apply)
    }

    /// Returns the steps to replace a volume. A claim is bound to it, and a pod uses the claim.
    fn volume(&self) -> String {
        let claim = |key: &str| self.old.at(&["spec", "claimRef", key]).and_then(Value::text);
        let (Some(namespace), Some(name)) = (claim("namespace"), claim("name")) else {
            return self.made_again();
        };
        format!(
            "stop the member, then kubectl -n {namespace} delete pvc/{name}; {}   # the data stays where it is: move it by hand",
            self.made_again()
        )
    }

    /// Returns the name of each claim template, with its size before and after. A template that is only
    /// on one side has one size.
    fn sizes(&self) -> Vec<(String, Option<String>, Option<String>)> {
        let of = |object: Value<'_>| -> Vec<(String, Option<String>)> {
            let text = |v: Value<'_>, way: &[&str]| v.at(way).and_then(Value::text);
            let of = |v: Value<'_>| {
                let size = text(v, &["spec", "resources", "requests", "storage"]);
                Some((text(v, &["metadata", "name"])?, size))
            };
            object.at(CLAIMS).map(Value::items).unwrap_or_default().into_iter().filter_map(of).collect()
        };
        let old = of(self.old);
        let before = |name: &str| old.iter().find(|(n, _)| n == name).and_then(|(_, size)| size.clone());
        of(self.new).into_iter().map(|(name, after)| (name.clone(), before(&name), after)).collect()
    }

    /// Whether a claim template has another name.
    pub(super) fn renames(&self) -> bool {
        let names = |object: Value<'_>| -> BTreeSet<String> {
            let items = object.at(CLAIMS).map(Value::items).unwrap_or_default();
            items.into_iter().filter_map(|v| v.at(&["metadata", "name"])?.text()).collect()
        };
        names(self.old) != names(self.new)
    }

    /// Returns the claim templates that become smaller: name, old size, new size.
    pub(super) fn shrunk(&self) -> Vec<(String, String, String)> {
        let bytes = |text: &str| units::bytes(text).unwrap_or_default();
        let all = self.sizes().into_iter().filter_map(|(name, old, new)| Some((name, old?, new?)));
        all.filter(|(_, old, new)| bytes(new) < bytes(old)).collect()
    }

    /// Returns the commands that set the new size on each claim: existing claims keep the old values of
    /// their template until someone patches them.
    fn patches(&self) -> String {
        let number =
            |way: &[&str]| self.old.at(way).and_then(Value::text).and_then(|t| t.parse::<u64>().ok());
        let first = number(&["spec", "ordinals", "start"]).unwrap_or_default();
        let last = first.saturating_add(number(&["spec", "replicas"]).unwrap_or(1).saturating_sub(1));
        let mut all = String::new();
        for (name, old, new) in self.sizes() {
            let (Some(old), Some(size)) = (old, new) else { continue };
            if old != size {
                let request = format!(r#"{{"spec":{{"resources":{{"requests":{{"storage":"{size}"}}}}}}}}"#);
                all.push_str(&format!(
                    "for i in $(seq {first} {last}); do {} patch pvc {name}-{}-$i -p '{request}'; done; ",
                    self.kubectl(),
                    self.key.2
                ));
            }
        }
        all
    }
}

/// Whether the API server gives a field that is left out this value.
fn filled(key: &str, value: Value<'_>) -> bool {
    value.is_null() || FILLED.contains(&key) || DEFAULTS.iter().any(|(k, v)| *k == key && value.is(v))
}

/// Whether both are one value to the API server: fields that it fills in do not count, and `1Gi` is
/// `1024Mi`.
fn same(a: Value<'_>, b: Value<'_>) -> bool {
    if a.is_map() && b.is_map() {
        let all = |one: Value<'_>, other: Value<'_>, both: bool| {
            one.entries().into_iter().all(|(key, value)| match other.get(key) {
                Some(_) if FILLED.contains(&key) => true,
                Some(there) => !both || same(value, there),
                None => filled(key, value),
            })
        };
        return all(a, b, true) && all(b, a, false);
    }
    if a.is_list() && b.is_list() {
        let (a, b) = (a.items(), b.items());
        return a.len() == b.len() && a.into_iter().zip(b).all(|(a, b)| same(a, b));
    }
    let bytes = |v: Value<'_>| v.as_str().and_then(units::bytes);
    a.same(b) || bytes(a).is_some() && bytes(a) == bytes(b)
}
