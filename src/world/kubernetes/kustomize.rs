//! What a kustomization in the folder changes: the namespace is applied, the rest is listed.

use std::collections::{BTreeMap, BTreeSet};

use super::object::Object;
use crate::text::yaml::Value;
use crate::world::found::Found;

/// Fields that change nothing that is read here.
const HARMLESS: [&str; 13] = [
    "apiVersion",
    "kind",
    "metadata",
    "namespace",
    "resources",
    "bases",
    "images",
    "commonAnnotations",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "sortOptions",
    "buildMetadata",
];

/// Most kustomizations, one over the other.
const LAYERS: usize = 16;

/// Kinds without a namespace.
const CLUSTER: [&str; 2] = ["PersistentVolume", "StorageClass"];

/// Applies the namespaces of all kustomizations, the outermost last, and takes these out.
pub(super) fn apply(objects: &mut Vec<Object<'_>>, found: &mut Found) {
    let (kustomizations, mut rest): (Vec<_>, Vec<_>) =
        std::mem::take(objects).into_iter().partition(|o| o.kind == "Kustomization");
    let mut over: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, k) in kustomizations.iter().enumerate() {
        list(k, found);
        for key in ["resources", "bases"] {
            for resource in k.root.get(key).map(Value::texts).unwrap_or_default() {
                over.entry(join(folder(&k.file), &resource)).or_default().push(i);
            }
        }
    }
    for object in rest.iter_mut().filter(|o| !CLUSTER.contains(&o.kind)) {
        let mut path = object.file.to_string();
        // From the file outwards: who takes it in, who takes that one's folder in. Circles end.
        let mut asked = BTreeSet::new();
        while let Some(i) = above(&over, &path, &asked).filter(|_| asked.len() < LAYERS) {
            asked.insert(i);
            let k = &kustomizations[i];
            if let Some(namespace) = k.root.get("namespace").and_then(Value::as_str) {
                namespace.clone_into(&mut object.namespace);
            }
            path = k.file.to_string();
        }
    }
    *objects = rest;
}

/// The first kustomization that takes in `path` or a folder of it.
fn above(over: &BTreeMap<String, Vec<usize>>, path: &str, asked: &BTreeSet<usize>) -> Option<usize> {
    let mut at = path;
    loop {
        let free = over.get(at).and_then(|all| all.iter().find(|i| !asked.contains(i)));
        if let Some(i) = free {
            return Some(*i);
        }
        at = at.rsplit_once('/')?.0;
    }
}

fn list(kustomization: &Object<'_>, found: &mut Found) {
    for (key, value) in kustomization.root.entries() {
        // Labels without selectors and templates are nobody's business.
        let label = key == "labels"
            && !value.items().iter().any(|l| {
                ["includeSelectors", "includeTemplates"]
                    .iter()
                    .any(|k| l.get(k).and_then(Value::flag) == Some(true))
            });
        if !HARMLESS.contains(&key) && !label && !value.is_null() {
            let what = format!("`{key}` of a kustomization: read what `kubectl kustomize` makes of it");
            found.unread(kustomization.at(value), what);
        }
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` as seen from `folder`, without `.` and `..`.
fn join(folder: &str, path: &str) -> String {
    let mut steps: Vec<&str> = folder.split('/').collect();
    if folder.is_empty() {
        steps.clear();
    }
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." if steps.last().is_some_and(|s| *s != "..") => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}
