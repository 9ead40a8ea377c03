//! Changes that the API server refuses (kubernetes
//! `pkg/apis/{apps,core,storage,discovery}/validation`).

use std::collections::{BTreeMap, BTreeSet};

use super::file::Change;
use crate::route;
use crate::text::yaml::{Document, Value, documents};

/// Immutable fields by kind of object.
const IMMUTABLE: &[(&str, &[&[&str]])] = &[
    (
        "StatefulSet",
        &[&["spec", "serviceName"], &["spec", "podManagementPolicy"], &["spec", "volumeClaimTemplates"]],
    ),
    (
        "PersistentVolume",
        &[&["spec", "local"], &["spec", "csi"], &["spec", "nodeAffinity"], &["spec", "volumeMode"]],
    ),
    ("StorageClass", &[&["provisioner"], &["parameters"], &["reclaimPolicy"], &["volumeBindingMode"]]),
    ("EndpointSlice", &[&["addressType"]]),
];

/// Kinds whose selector of pods is immutable.
const SELECTORS: [&str; 2] = ["StatefulSet", "DaemonSet"];

pub(super) fn judge(change: &mut Change<'_>, before: &str, after: &str) {
    let folder = change.path.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned());
    let (before, after) = (documents(before).0, documents(after).0);
    let old: BTreeMap<Key, &Document> = before.iter().filter_map(|d| Some((key(d)?, d))).collect();
    for new in &after {
        let Some((old, key)) = key(new).and_then(|key| Some((*old.get(&key)?, key))) else { continue };
        let object = Object { old, new, key, folder: folder.clone() };
        let kind = object.key.0.as_str();
        if SELECTORS.contains(&kind) && object.changed(&["spec", "selector"]) {
            object.refused(change, &["spec", "selector"], object.replaced());
            continue;
        }
        if kind == "ConfigMap" && old.at(&["immutable"]).is_some_and(|v| v.is("true")) {
            for field in ["data", "binaryData", "immutable"].into_iter().filter(|f| object.changed(&[f])) {
                object.refused(change, &[field], "give it another name".into());
            }
        }
        // The cluster keeps an address that it assigned if the new text names none.
        let address = ["spec", "clusterIP"];
        if kind == "Service" && new.at(&address).is_some() && object.changed(&address) {
            object.refused(change, &address, object.made_again());
        }
        let fields = IMMUTABLE.iter().filter(|(k, _)| *k == kind).flat_map(|(_, fields)| *fields);
        for field in fields.filter(|f| object.changed(f)) {
            match (kind, *field) {
                ("StatefulSet", ["spec", "volumeClaimTemplates"]) | ("PersistentVolume", _)
                    if change.moves => {}
                ("StatefulSet", ["spec", "volumeClaimTemplates"]) => claims(change, &object),
                ("StatefulSet", _) => object.refused(change, field, object.orphaned("")),
                ("PersistentVolume", _) => object.refused(change, field, volume(&object)),
                _ => object.refused(change, field, object.made_again()),
            }
        }
    }
}

/// Kind, namespace and name.
type Key = (String, String, String);

fn key(document: &Document) -> Option<Key> {
    let text = |way: &[&str]| document.at(way).and_then(|v| v.text());
    let namespace = text(&["metadata", "namespace"]).unwrap_or_default();
    Some((text(&["kind"])?, namespace, text(&["metadata", "name"])?))
}

/// One object before and after.
struct Object<'d> {
    old: &'d Document,
    new: &'d Document,
    key: Key,
    /// The path of the file.
    folder: String,
}

impl Object<'_> {
    fn changed(&self, field: &[&str]) -> bool {
        match (self.old.at(field), self.new.at(field)) {
            (Some(old), Some(new)) => !old.same(new),
            (old, new) => old.is_some() != new.is_some(),
        }
    }

    fn refused(&self, change: &mut Change<'_>, field: &[&str], steps: String) {
        let place = match field {
            [.., "volumeClaimTemplates"] => route!["exclusive", "data"],
            _ => route!["targets", "kubernetes"],
        };
        let place = change.revision(|s| s.full_name() == self.key.2).key(&place);
        let message =
            format!("kubectl apply will refuse the new {} of {}", field.join("."), self.reference());
        change.refused(place, message, "the API server never changes this field", steps);
    }

    /// Returns `kubectl`, with the namespace of the object if it has one.
    fn kubectl(&self) -> String {
        match self.key.1.as_str() {
            "" => "kubectl".into(),
            namespace => format!("kubectl -n {namespace}"),
        }
    }

    /// Returns `kind/name`.
    fn reference(&self) -> String {
        format!("{}/{}", self.key.0.to_lowercase(), self.key.2)
    }

    /// Returns the steps that recreate the object while its pods keep running, with `between`
    /// before it is created again.
    fn orphaned(&self, between: &str) -> String {
        let (kubectl, reference) = (self.kubectl(), self.reference());
        format!(
            "while no pod is stopping, and without a drain in between: {kubectl} delete {reference} --cascade=orphan; {kubectl} wait --for=delete {reference}; {between}{}",
            self.apply()
        )
    }

    /// Returns the steps that delete the object with its pods first: the new selector would not
    /// find them.
    fn replaced(&self) -> String {
        let (kubectl, reference) = (self.kubectl(), self.reference());
        format!(
            "{kubectl} delete {reference} --cascade=foreground, which waits for every pod; then {}",
            self.apply()
        )
    }

    /// Returns the steps that end every pod before the set is created again. A set adopts running
    /// pods, and can never update those that mount other claims (kubernetes/kubernetes#141876).
    fn stopped(&self) -> String {
        let (kubectl, reference) = (self.kubectl(), self.reference());
        format!(
            "{kubectl} scale {reference} --replicas=0; wait until all of its pods have ended; {kubectl} delete {reference}; {}",
            self.apply()
        )
    }

    fn made_again(&self) -> String {
        format!("{} delete {}; {}", self.kubectl(), self.reference(), self.apply())
    }

    fn apply(&self) -> String {
        format!("kubectl apply -k {}", self.folder)
    }
}

/// Reports existing claims, which keep the old values of their template until someone patches them.
fn claims(change: &mut Change<'_>, object: &Object<'_>) {
    let templates = |document: &'_ Document| -> Vec<(String, Option<String>)> {
        let way = ["spec", "volumeClaimTemplates"];
        let items = document.at(&way).map(|v| v.items()).unwrap_or_default();
        let text = |v: &Value<'_>, way: &[&str]| v.at(way).and_then(|v| v.text());
        let of = |v: &Value<'_>| {
            Some((text(v, &["metadata", "name"])?, text(v, &["spec", "resources", "requests", "storage"])))
        };
        items.iter().filter_map(of).collect()
    };
    let (old, new) = (templates(object.old), templates(object.new));
    let names = |all: &[(String, Option<String>)]| -> BTreeSet<String> {
        all.iter().map(|(name, _)| name.clone()).collect()
    };
    if names(&old) != names(&new) {
        return object.refused(change, &["spec", "volumeClaimTemplates"], object.stopped());
    }
    let mut patches = String::new();
    let mut shrunk = false;
    for (name, after) in &new {
        let before = old.iter().find(|(n, _)| n == name).and_then(|(_, size)| size.as_ref());
        let (Some(before), Some(after)) = (before, after) else { continue };
        if change.shrinks(name, before, after) {
            shrunk = true;
        } else if before != after {
            patches.push_str(&patch(object, name, after));
        }
    }
    if !shrunk {
        object.refused(change, &["spec", "volumeClaimTemplates"], object.orphaned(&patches));
    }
}

/// Returns the command that sets the new size on each claim of the template `name`.
fn patch(object: &Object<'_>, name: &str, size: &str) -> String {
    let number = |way: &[&str]| object.old.at(way).and_then(|v| v.text()).and_then(|t| t.parse::<u64>().ok());
    let first = number(&["spec", "ordinals", "start"]).unwrap_or_default();
    let last = first.saturating_add(number(&["spec", "replicas"]).unwrap_or(1).saturating_sub(1));
    let request = format!(r#"{{"spec":{{"resources":{{"requests":{{"storage":"{size}"}}}}}}}}"#);
    format!(
        "for i in $(seq {first} {last}); do {} patch pvc {name}-{}-$i -p '{request}'; done; ",
        object.kubectl(),
        object.key.2
    )
}

/// Returns the steps to replace a volume. A claim is bound to it, and a pod uses the claim.
fn volume(object: &Object<'_>) -> String {
    let claim = |key: &str| object.old.at(&["spec", "claimRef", key]).and_then(|v| v.text());
    let (Some(namespace), Some(name)) = (claim("namespace"), claim("name")) else {
        return object.made_again();
    };
    format!(
        "stop the member, then kubectl -n {namespace} delete pvc/{name}; {}   # the data stays where it is: move it by hand",
        object.made_again()
    )
}
