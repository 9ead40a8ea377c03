//! Applies the namespace of a kustomization to the files of its folder, and lists its other changes and
//! the files that it includes and that are not here.

use std::collections::{BTreeMap, BTreeSet};

use super::object::Object;
use crate::text::path::shortest;
use crate::text::quote::shell_word;
use crate::text::yaml::Value;
use crate::world::File;
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
pub(super) fn apply(files: &[File<'_>], objects: &mut Vec<Object<'_>>, found: &mut Found) {
    let (kustomizations, mut rest): (Vec<_>, Vec<_>) =
        std::mem::take(objects).into_iter().partition(|o| o.kind == "Kustomization");
    if kustomizations.is_empty() {
        *objects = rest;
        return;
    }
    let here: BTreeSet<String> = files.iter().map(|f| shortest(f.path)).collect();
    let mut over: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut patches: BTreeSet<String> = BTreeSet::new();
    for (i, k) in kustomizations.iter().enumerate() {
        list(k, found);
        for patch in PATCHES.iter().flat_map(|key| k.root.get(key).map(Value::items).unwrap_or_default()) {
            let path = patch.get("path").unwrap_or(patch);
            patches.extend(path.as_str().map(|path| join(folder(&k.file), path)));
        }
        let lists = ["resources", "bases"].iter().filter_map(|key| k.root.get(key));
        for (at, resource) in lists.flat_map(Value::items).filter_map(|v| Some((v, v.as_str()?))) {
            let path = join(folder(&k.file), resource);
            let inside = format!("{path}/");
            let first = here.range(inside.clone()..).next().is_some_and(|file| file.starts_with(&inside));
            if !first && !here.contains(&path) {
                let what = format!("a kustomization includes {resource}, which is not among the files");
                found.not_searched(k.at(at), what, build(&k.file));
            }
            over.entry(path).or_default().push(i);
        }
    }
    // A patch is a part of an object, not an object.
    rest.retain(|object| !patches.contains(&shortest(&object.file)));
    for object in rest.iter_mut().filter(|o| !CLUSTER.contains(&o.kind)) {
        let mut path = shortest(&object.file);
        // From the inside out: the kustomization with the file, then the one with that folder. The loop
        // ends at a cycle.
        let mut asked = BTreeSet::new();
        while let Some(i) = above(&over, &path, &asked).filter(|_| asked.len() < LAYERS) {
            asked.insert(i);
            let k = &kustomizations[i];
            if let Some(namespace) = k.root.get("namespace").and_then(Value::as_str) {
                namespace.clone_into(&mut object.namespace);
            }
            path = shortest(&k.file);
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
        // The image tells which software runs.
        let image = |i: &Value<'_>| {
            let last = |key: &str| Some(i.get(key)?.as_str()?.rsplit('/').next().unwrap_or_default());
            last("newName").is_some_and(|new| last("name") != Some(new))
        };
        let renames = key == "images" && value.items().iter().any(image);
        let empty = value.is_null() || value.is_list() && value.items().is_empty();
        if HARMLESS.contains(&key) && !renames || label || empty {
            continue;
        }
        let at = kustomization.at(value);
        if ALIKE.contains(&key) || renames {
            found.unread(
                at,
                format!("`{key}` of a kustomization is not applied: the search uses what is in the files"),
            );
            continue;
        }
        let what = format!("`{key}` of a kustomization changes what runs, and is not applied");
        found.not_searched(at, what, build(&kustomization.file));
    }
}

/// Returns the line that verifies what a kustomization gives.
fn build(file: &str) -> String {
    let dir = Some(folder(file)).filter(|dir| !dir.is_empty()).unwrap_or(".");
    format!("kubectl kustomize {} | berthc verify -", shell_word(dir))
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns `path` relative to `folder`, in its shortest form.
fn join(folder: &str, path: &str) -> String {
    if folder.is_empty() { shortest(path) } else { shortest(&format!("{folder}/{path}")) }
}
