//! Applies the namespace of a kustomization to the files of its folder, and lists its other changes.

use std::collections::{BTreeMap, BTreeSet};

use super::object::Object;
use crate::text::yaml::Value;
use crate::world::found::Found;

/// The fields that change nothing that berthc reads.
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

/// The fields that rename or label all objects alike, including selectors. They change only names.
const ALIKE: [&str; 8] =
    ["commonLabels", "configurations", "crds", "labels", "namePrefix", "nameSuffix", "openapi", "validators"];

/// The fields that change objects, and the subfield with their files.
const PATCHES: [&str; 3] = ["patches", "patchesJson6902", "patchesStrategicMerge"];

/// The maximum depth of kustomizations.
const LAYERS: usize = 16;

/// The kinds without a namespace.
const CLUSTER: [&str; 2] = ["PersistentVolume", "StorageClass"];

/// Applies the namespaces of all kustomizations, the outermost last, and removes the kustomizations.
pub(super) fn apply(objects: &mut Vec<Object<'_>>, found: &mut Found) {
    let (kustomizations, mut rest): (Vec<_>, Vec<_>) =
        std::mem::take(objects).into_iter().partition(|o| o.kind == "Kustomization");
    let mut over: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut patches: BTreeSet<String> = BTreeSet::new();
    for (i, k) in kustomizations.iter().enumerate() {
        list(k, found);
        for patch in PATCHES.iter().flat_map(|key| k.root.get(key).map(Value::items).unwrap_or_default()) {
            let path = patch.get("path").unwrap_or(patch);
            patches.extend(path.as_str().map(|path| join(folder(&k.file), path)));
        }
        for key in ["resources", "bases"] {
            for resource in k.root.get(key).map(Value::texts).unwrap_or_default() {
                over.entry(join(folder(&k.file), &resource)).or_default().push(i);
            }
        }
    }
    // A patch is a part of an object, not an object.
    rest.retain(|object| !patches.contains(&*object.file));
    for object in rest.iter_mut().filter(|o| !CLUSTER.contains(&o.kind)) {
        let mut path = object.file.to_string();
        // From the inside out: the kustomization with the file, then the one with that folder. The loop
        // ends at a cycle.
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

/// Returns the first kustomization that includes `path` or one of its folders.
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
        // Labels that do not go to selectors and templates have no effect.
        let label = key == "labels"
            && !value.items().iter().any(|l| {
                ["includeSelectors", "includeTemplates"]
                    .iter()
                    .any(|k| l.get(k).and_then(Value::flag) == Some(true))
            });
        let empty = value.is_null() || value.is_list() && value.items().is_empty();
        if HARMLESS.contains(&key) || label || empty {
            continue;
        }
        let at = kustomization.at(value);
        if ALIKE.contains(&key) {
            found.unread(
                at,
                format!("`{key}` of a kustomization is not applied: the search uses the names and labels in the files"),
            );
            continue;
        }
        let dir = match folder(&kustomization.file) {
            "" => ".",
            dir => dir,
        };
        let what = format!("`{key}` of a kustomization changes what runs, and is not applied");
        found.not_searched(at, what, format!("kubectl kustomize {dir} | berthc verify -"));
    }
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns `path` relative to `folder`, without `.` and `..`.
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
