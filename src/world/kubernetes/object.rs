//! Turns manifests into objects: splits lists, reports old API groups, sets namespaces.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::quiet;
use crate::finding::{At, codes};
use crate::text::yaml::{Document, Fault, Parsed, Value};
use crate::world::found::Found;
use crate::world::{File, Page, accepts};

/// An object of the API.
#[derive(Clone)]
pub(super) struct Object<'d> {
    pub file: Arc<str>,
    pub root: Value<'d>,
    /// `apps/v1`.
    pub api: &'d str,
    pub kind: &'d str,
    pub name: String,
    /// The namespace; `default` if none is given.
    pub namespace: String,
}

impl<'d> Object<'d> {
    /// Returns the place of a value in the object.
    pub fn at(&self, value: Value<'d>) -> At {
        At { file: self.file.clone(), line: value.line(), field: value.field() }
    }

    /// Returns the place of the object: its name, or its kind if it has no name.
    pub fn here(&self) -> At {
        let name = self.root.at(&["metadata", "name"]).or_else(|| self.root.get("kind"));
        self.at(name.unwrap_or(self.root))
    }

    /// Returns the place of the field `way`, or of the nearest parent that exists.
    pub fn near(&self, way: &[&str]) -> At {
        let mut value = self.root;
        for key in way {
            match value.given(key) {
                Some(next) => value = next,
                None => break,
            }
        }
        if value.is_at(self.root) { self.here() } else { self.at(value) }
    }

    /// Returns kind and name, such as `statefulset/zookeeper`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }
}

/// The groups and versions of the kinds that are read, and the first version of Kubernetes without
/// them (the API's deprecation guide). Kinds that are not part of Kubernetes come last.
const SERVED: &[(&str, &[&str], Option<&str>)] = &[
    ("v1", &["Pod", "Service", "ReplicationController", "PersistentVolume", "PersistentVolumeClaim"], None),
    ("v1", &["ConfigMap", "Secret", "ServiceAccount"], None),
    ("apps/v1", &["DaemonSet", "StatefulSet", "Deployment", "ReplicaSet"], None),
    ("apps/v1beta2", &["DaemonSet", "StatefulSet", "Deployment", "ReplicaSet"], Some("1.16")),
    ("apps/v1beta1", &["StatefulSet", "Deployment"], Some("1.16")),
    ("extensions/v1beta1", &["DaemonSet", "Deployment", "ReplicaSet"], Some("1.16")),
    ("policy/v1", &["PodDisruptionBudget"], None),
    ("policy/v1beta1", &["PodDisruptionBudget"], Some("1.25")),
    ("storage.k8s.io/v1", &["StorageClass"], None),
    ("storage.k8s.io/v1beta1", &["StorageClass"], Some("1.22")),
    ("batch/v1", &["Job", "CronJob"], None),
    ("batch/v1beta1", &["CronJob"], Some("1.25")),
    ("autoscaling/v2", &["HorizontalPodAutoscaler"], None),
    ("autoscaling/v1", &["HorizontalPodAutoscaler"], None),
    ("autoscaling/v2beta2", &["HorizontalPodAutoscaler"], Some("1.26")),
    ("autoscaling/v2beta1", &["HorizontalPodAutoscaler"], Some("1.25")),
    ("keda.sh/v1alpha1", &["ScaledJob", "ScaledObject"], None),
    ("argoproj.io/v1alpha1", &["Rollout"], None),
    ("apps.openshift.io/v1", &["DeploymentConfig"], None),
    ("v1", &["DeploymentConfig"], None),
    ("apps.kruise.io/v1alpha1", &["CloneSet", "DaemonSet", "StatefulSet"], None),
    ("apps.kruise.io/v1beta1", &["DaemonSet", "StatefulSet"], None),
    ("serving.knative.dev/v1", &["Service"], None),
];

/// The name of the Service of Knative, which creates pods, as `kubectl` has it.
pub(super) const KSVC: &str = "Ksvc";

/// Returns the documents of each file, and lists the parts that cannot be read.
pub(super) fn documents(files: &[File<'_>], found: &mut Found) -> Vec<(Arc<str>, Vec<Document>)> {
    let mut all = Vec::with_capacity(files.len());
    for file in files {
        let path: Arc<str> = file.path.into();
        let parsed = accepts::parse(file);
        if accepts::is_marked(file) {
            found.pages.insert(path.clone(), Page::of_manifest(file, &parsed));
        }
        let Parsed { documents, faults, .. } = parsed;
        let template = if file.text.contains("{{") { file.text.lines().position(is_template) } else { None };
        let broken = faults.iter().any(|f| f.fatal);
        if broken {
            found.lost.push(file.path.to_owned());
        }
        // One message is enough for a Helm template.
        for Fault { line, message, fatal } in faults.into_iter().filter(|f| !f.fatal || template.is_none()) {
            let at = At { file: path.clone(), line, field: String::new() };
            let more = if fatal { ": the document is left out" } else { "" };
            found.malformed(at, format!("{message}{more}"));
        }
        if let Some(line) = template {
            let at = At { file: path.clone(), line: line + 1, field: String::new() };
            let what = "a Helm template: read what `helm template` makes of it";
            if broken {
                found.malformed(at, what)
            } else {
                found.unread(at, what)
            };
        }
        all.push((path, documents));
    }
    all
}

/// Returns whether a line is part of a Helm template. A manifest may contain templates of other tools.
fn is_template(line: &str) -> bool {
    line.split("{{").skip(1).any(|rest| {
        let inside = rest.split("}}").next().unwrap_or(rest);
        [".Values", ".Release", ".Chart", "include ", "template ", "toYaml"]
            .iter()
            .any(|w| inside.contains(w))
    })
}

/// Returns the objects of the documents, in order.
pub(super) fn objects<'d>(
    all: &'d [(Arc<str>, Vec<Document>)],
    quiet: &[String],
    found: &mut Found,
) -> Vec<Object<'d>> {
    let mut objects = Vec::new();
    for (file, documents) in all {
        for document in documents {
            taken_apart(file, document.root(), (None, None), (0, quiet), found, &mut objects);
        }
    }
    objects
}

/// The maximum depth of lists in lists.
const DEEP: usize = 8;

/// Adds `root`, or the items of a list, which may be lists again. An item of a typed list may omit
/// version and kind: `kubectl` reads the items of a PodList as Pods.
fn taken_apart<'d>(
    file: &Arc<str>,
    root: Value<'d>,
    of_list: (Option<&'d str>, Option<&'d str>),
    (depth, quiet): (usize, &[String]),
    found: &mut Found,
    objects: &mut Vec<Object<'d>>,
) {
    let text = |key: &str| root.get(key).and_then(Value::as_str);
    let listed = text("kind").and_then(|k| k.strip_suffix("List"));
    let Some((kind, items)) = listed.zip(root.get("items").filter(|i| i.is_list())) else {
        return object(file, root, of_list, quiet, found, objects);
    };
    if depth == DEEP {
        let at = At { file: file.clone(), line: root.line(), field: root.field() };
        return found.not_searched(at, "lists are nested too deeply".to_owned(), "one list of all");
    }
    let own = (text("apiVersion"), Some(kind).filter(|k| !k.is_empty()));
    for item in items.items() {
        taken_apart(file, item, own, (depth + 1, quiet), found, objects);
    }
}

fn object<'d>(
    file: &Arc<str>,
    root: Value<'d>,
    of_list: (Option<&'d str>, Option<&'d str>),
    quiet: &[String],
    found: &mut Found,
    objects: &mut Vec<Object<'d>>,
) {
    let text = |way: &[&str]| root.at(way).and_then(Value::as_str);
    let (api, kind) = (text(&["apiVersion"]).or(of_list.0), text(&["kind"]).or(of_list.1));
    let (Some(api), Some(kind)) = (api, kind) else {
        let at = At { file: file.clone(), line: root.line(), field: root.field() };
        if !file.rsplit('/').next().is_some_and(|f| f.starts_with("kustomization.")) {
            let fix = "add them, or leave the file out";
            return found.not_searched(at, "no `apiVersion` and `kind`: no manifest".to_owned(), fix);
        }
        let (name, namespace) = (String::new(), String::new());
        return objects.push(Object {
            file: file.clone(),
            root,
            api: "",
            kind: "Kustomization",
            name,
            namespace,
        });
    };
    let kind = if kind == "Service" && api.starts_with("serving.knative.dev/") { KSVC } else { kind };
    let name = match (text(&["metadata", "name"]), text(&["metadata", "generateName"])) {
        (None, Some(start)) => format!("{start}*"),
        (name, _) => name.unwrap_or_default().to_owned(),
    };
    let namespace = text(&["metadata", "namespace"]).unwrap_or("default").to_owned();
    let mut object = Object { file: file.clone(), root, api, kind, name, namespace };
    let served = if kind == KSVC { "Service" } else { kind };
    let row = SERVED.iter().find(|(a, kinds, _)| *a == api && kinds.contains(&served));
    let group = api.split_once('/').map_or("", |(g, _)| g);
    match row {
        Some((_, _, Some(dropped))) => {
            let newest = SERVED.iter().find(|(_, kinds, d)| kinds.contains(&kind) && d.is_none());
            let newest = newest.map_or("", |(a, _, _)| a);
            found.violation(
                codes::REFUSED,
                format!("Kubernetes {dropped} dropped `{api}` for a {kind}: newer clusters refuse it"),
                vec![object.near(&["apiVersion"])],
                format!("apiVersion: {newest}{}", selector_too(&object, newest)),
            );
        }
        Some(_) => {}
        None if group.starts_with("kustomize.config.k8s.io") => {}
        None => {
            let own = SERVED.iter().find(|(a, kinds, d)| {
                let of = a.split_once('/').map_or("", |(g, _)| g);
                let near = of == group || ["", "apps", "extensions", "policy", "batch"].contains(&group);
                kinds.contains(&kind) && d.is_none() && near
            });
            if let Some((right, _, _)) = own {
                found.violation(
                    codes::REFUSED,
                    format!("no version of Kubernetes has a {kind} in `{api}`"),
                    vec![object.near(&["apiVersion"])],
                    format!("apiVersion: {right}"),
                );
                // With the version that the fix names, it runs.
                object.api = right;
                return objects.push(object);
            }
            let own = || quiet.iter().any(|q| *q == group || q.split_once('/') == Some((group, kind)));
            if !quiet::is_quiet(group, kind) && !own() {
                let what = format!("a {kind} of `{api}`: what its controller makes of it may hold data");
                let fix = quiet::how(group, kind, &object.namespace, &object.name);
                found.not_searched(object.here(), what, fix);
            }
            return;
        }
    }
    objects.push(object);
}

/// Returns the selector that `apps/v1` requires and older versions take from the template
/// (kubernetes.io, "Deprecated API Migration Guide", v1.16).
fn selector_too(object: &Object<'_>, newest: &str) -> String {
    if newest != "apps/v1" || object.root.at(&["spec", "selector"]).is_some_and(|s| !s.is_null()) {
        return String::new();
    }
    let labels = object.root.at(&["spec", "template", "metadata", "labels"]);
    let all = labels.map(Value::entries).unwrap_or_default();
    let all: Vec<String> =
        all.iter().filter_map(|(key, value)| Some(format!("{key}: {}", value.as_str()?))).collect();
    format!(", and in spec  selector: {{matchLabels: {{{}}}}}", all.join(", "))
}

/// Reports objects with the same name: the last one applied replaces the other.
pub(super) fn twice(objects: &[Object<'_>], found: &mut Found) {
    let mut seen: BTreeMap<(&str, &str, &str), &Object<'_>> = BTreeMap::new();
    for object in objects.iter().filter(|o| o.kind != "Kustomization" && !o.name.is_empty()) {
        if let Some(first) = seen.insert((object.kind, &object.namespace, &object.name), object) {
            let at = first.here();
            let what = format!(
                "{} appears twice, also in {} line {}: the last one applied replaces the other, both are read",
                object.title(),
                at.file,
                at.line
            );
            found.unread(object.here(), what);
        }
    }
}
