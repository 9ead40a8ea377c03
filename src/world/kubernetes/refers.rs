//! Finds what pods refer to and the files do not contain: it may exist, and nobody has checked that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::object::Object;
use super::peers::Peers;
use super::seeds;
use super::workload::Read;
use crate::finding::codes;
use crate::text::nearest::nearest;
use crate::text::yaml::{Document, Value};
use crate::world::Kind;
use crate::world::found::Found;

/// The objects that every cluster has.
const ALWAYS: [(&str, &str); 6] = [
    ("ConfigMap", "kube-root-ca.crt"),
    ("ConfigMap", "openshift-service-ca.crt"),
    ("ServiceAccount", "default"),
    ("StorageClass", ""),
    ("StorageClass", "default"),
    ("StorageClass", "standard"),
];
/// The kinds whose controllers make ConfigMaps or Secrets, and where their names are; otherwise it is the
/// name of the object itself.
const MAKERS: [(&str, &[&str]); 4] = [
    ("SealedSecret", &["spec", "template", "metadata", "name"]),
    ("ExternalSecret", &["spec", "target", "name"]),
    ("Certificate", &["spec", "secretName"]),
    ("Bundle", &["metadata", "name"]),
];

/// The objects by kind and name.
struct Known<'d> {
    objects: BTreeMap<(&'d str, &'d str), Vec<&'d Object<'d>>>,
    /// The names of ConfigMaps and Secrets that other objects make.
    made: BTreeSet<&'d str>,
    /// The beginnings of the names of claims that StatefulSets make: `data-db-`.
    claims: BTreeSet<String>,
}

/// A reference of a pod.
struct Ref<'d> {
    kind: &'static str,
    /// The name.
    name: Value<'d>,
    /// The key of it that must exist.
    key: Option<Value<'d>>,
}

/// Checks the references of each workload.
pub(super) fn judge<'d>(
    documents: &'d [(Arc<str>, Vec<Document>)],
    objects: &'d [Object<'d>],
    peers: &Peers<'_, 'd>,
    found: &mut Found,
) {
    let known = Known::new(documents, objects, peers);
    // What another finding tells already.
    let told: BTreeSet<(Arc<str>, usize)> = found
        .findings
        .iter()
        .filter(|f| f.code == codes::MATCHES_NOTHING)
        .flat_map(|f| f.at.iter().map(|at| (at.file.clone(), at.line)))
        .collect();
    for read in peers.reads.iter().filter(|r| r.replicas > 0) {
        // What a live object refers to exists.
        if read.object.root.at(&["metadata", "uid"]).is_some() {
            continue;
        }
        let mut things = Vec::new();
        for Ref { kind, name, key } in references(read, &known) {
            let Some(text) = name.as_str().filter(|t| !t.contains(['{', '$', '<'])) else { continue };
            let at = read.object.at(name);
            if !known.has(kind, text, &read.workload.scope) {
                if !told.contains(&(at.file.clone(), at.line)) {
                    things.push((format!("{kind} {text}"), at));
                }
            } else if let Some(key) = key {
                known.lacks(read, (kind, text), key, found);
            }
        }
        let scope = read.workload.scope.as_str();
        for (value, seeds) in seeds::lists(read) {
            // Names in capitals stand for others.
            for host in seeds.hosts.iter().filter(|h| !h.contains(|c: char| c.is_uppercase() || c == '_')) {
                // Of two labels the second may be a namespace.
                let Some((pod, service, namespace)) = seeds::parts(host, scope) else { continue };
                let either = pod.is_some_and(|first| known.has("Service", first, service));
                if !either && !known.has("Service", service, namespace) {
                    things.push((format!("Service {service}"), read.object.at(value)));
                }
            }
        }
        let fix = "berthc verify with the files of these too; where they exist, kubectl get shows them";
        found.outside(&read.workload.name, things, fix);
    }
}

impl<'d> Known<'d> {
    fn new(
        documents: &'d [(Arc<str>, Vec<Document>)],
        objects: &'d [Object<'d>],
        peers: &Peers<'_, 'd>,
    ) -> Self {
        let mut all: BTreeMap<(&str, &str), Vec<&Object<'_>>> = BTreeMap::new();
        for object in objects {
            all.entry((object.kind, object.name.as_str())).or_default().push(object);
            // A claim of a class finds a volume of this class without the class itself.
            if object.kind == "PersistentVolume"
                && let Some(class) = object.root.at(&["spec", "storageClassName"]).and_then(Value::as_str)
            {
                all.entry(("StorageClass", class)).or_default().push(object);
            }
        }
        let mut made = BTreeSet::new();
        for root in documents.iter().flat_map(|(_, all)| all.iter().map(Document::root)) {
            let kind = root.get("kind").and_then(Value::as_str).unwrap_or_default();
            if let Some((_, way)) = MAKERS.iter().find(|(maker, _)| *maker == kind) {
                made.extend(root.at(way).and_then(Value::as_str));
                made.extend(root.at(&["metadata", "name"]).and_then(Value::as_str));
            }
            for key in ["configMapGenerator", "secretGenerator"] {
                let all = root.get(key).map(Value::items).unwrap_or_default();
                made.extend(all.into_iter().filter_map(|g| g.get("name")?.as_str()));
            }
        }
        let sets = peers.reads.iter().filter(|r| r.workload.kind == Kind::StatefulSet);
        let claims = sets.flat_map(|r| {
            let names = templates(r).into_iter().filter_map(|t| t.at(&["metadata", "name"])?.as_str());
            names.map(|name| format!("{name}-{}-", r.object.name)).collect::<Vec<_>>()
        });
        Self { objects: all, made, claims: claims.collect() }
    }

    /// Returns whether the files, or every cluster, contain an object. A file without a namespace may be
    /// applied to any.
    fn has(&self, kind: &str, name: &str, scope: &str) -> bool {
        let own = |o: &&Object<'_>| {
            kind == "StorageClass" || o.namespace == scope || [&o.namespace, scope].contains(&"default")
        };
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        ALWAYS.contains(&(kind, name))
            || self.objects.get(&(kind, name)).is_some_and(|all| all.iter().any(own))
            || ["ConfigMap", "Secret"].contains(&kind) && self.made.contains(name)
            || kind == "Secret" && name.starts_with("default-token-")
            || kind == "PersistentVolumeClaim" && self.claims.contains(stem)
    }

    /// Reports a key that a ConfigMap or Secret of the files does not have: the kubelet does not make the
    /// container (kubernetes `pkg/kubelet/kubelet_pods.go`, `makeEnvironmentVariables`), or does not mount
    /// the volume (`pkg/volume/configmap`, `MakePayload`).
    fn lacks(&self, read: &Read<'_>, (kind, name): (&str, &str), key: Value<'_>, found: &mut Found) {
        const PARTS: [&str; 3] = ["data", "stringData", "binaryData"];
        let (Some(text), Some(all)) = (key.as_str(), self.objects.get(&(kind, name))) else { return };
        let entries = |o: &&Object<'d>| {
            PARTS
                .into_iter()
                .flat_map(|p| o.root.get(p).map(Value::entries).unwrap_or_default())
                .map(|(k, _)| k)
                .collect::<Vec<_>>()
        };
        let keys: Vec<&str> = all.iter().flat_map(entries).collect();
        // Somebody else fills an empty one, or one with a type.
        let filled = all.iter().any(|o| o.root.get("type").is_some_and(|t| !t.is("Opaque")));
        let given = keys.iter().any(|k| *k == text || k.contains(['{', '$']));
        let Some(first) = all.first().filter(|_| !given && !filled && !keys.is_empty()) else { return };
        if self.made.contains(name) || text.contains(['{', '$']) {
            return;
        }
        let fix = match (nearest(text, &keys), kind) {
            (Some(near), _) => format!("key: {near}"),
            (None, "Secret") => format!("stringData: {{{text}: TEXT}}, in the Secret {name}"),
            (None, _) => format!("data: {{{text}: TEXT}}, in the {kind} {name}"),
        };
        let message = format!("{} never starts: the {kind} {name} has no key `{text}`", read.workload.name);
        found.violation(codes::NEVER, message, vec![read.object.at(key), first.here()], fix);
    }
}

fn templates<'d>(read: &Read<'d>) -> Vec<Value<'d>> {
    read.object.root.at(&["spec", "volumeClaimTemplates"]).map(Value::items).unwrap_or_default()
}

/// Returns what a workload refers to, except what may be absent.
fn references<'d>(read: &Read<'d>, known: &Known<'d>) -> Vec<Ref<'d>> {
    let spec = read.pod.spec;
    let mut all: Vec<Ref<'d>> = Vec::new();
    let must = |v: &Value<'d>| v.get("optional").and_then(Value::flag) != Some(true);
    let of = |kind, name: Option<Value<'d>>| name.map(|name| Ref { kind, name, key: None });
    for container in spec.list("containers").into_iter().chain(spec.list("initContainers")) {
        for (one, all_of, kind) in
            [("configMapKeyRef", "configMapRef", "ConfigMap"), ("secretKeyRef", "secretRef", "Secret")]
        {
            for source in container.list("env").iter().filter_map(|e| e.at(&["valueFrom", one])).filter(must)
            {
                all.extend(source.given("name").map(|name| Ref { kind, name, key: source.given("key") }));
            }
            let from = container.list("envFrom");
            all.extend(
                from.iter()
                    .filter_map(|e| e.get(all_of))
                    .filter(must)
                    .filter_map(|s| of(kind, s.given("name"))),
            );
        }
    }
    for volume in spec.list("volumes") {
        let projected = volume.get("projected").map(|p| p.list("sources")).unwrap_or_default();
        for source in projected.into_iter().chain([volume]) {
            for (key, kind) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
                let Some(given) = source.given(key).filter(must) else { continue };
                let Some(name) = given.given("secretName").or_else(|| given.given("name")) else { continue };
                all.push(Ref { kind, name, key: None });
                let keys = given.list("items").into_iter().filter_map(|item| item.given("key"));
                all.extend(keys.map(|key| Ref { kind, name, key: Some(key) }));
            }
        }
        if let Some(name) = volume.at(&["persistentVolumeClaim", "claimName"]) {
            all.push(Ref { kind: "PersistentVolumeClaim", name, key: None });
            let objects = name.as_str().and_then(|n| known.objects.get(&("PersistentVolumeClaim", n)));
            let own = objects
                .into_iter()
                .flatten()
                .filter(|o| o.namespace == read.workload.scope && o.file == read.object.file);
            all.extend(own.filter_map(|o| of("StorageClass", o.root.at(&["spec", "storageClassName"]))));
        }
        let class = ["ephemeral", "volumeClaimTemplate", "spec", "storageClassName"];
        all.extend(of("StorageClass", volume.at(&class)));
    }
    let account = spec.given("serviceAccountName").or_else(|| spec.given("serviceAccount"));
    all.extend(of("ServiceAccount", account));
    all.extend(spec.list("imagePullSecrets").iter().filter_map(|s| of("Secret", s.given("name"))));
    let classes = templates(read).into_iter().filter_map(|t| t.at(&["spec", "storageClassName"]));
    all.extend(classes.filter_map(|class| of("StorageClass", Some(class))));
    if read.workload.kind == Kind::StatefulSet {
        let service = read.object.root.at(&["spec", "serviceName"]).filter(|s| !s.is(""));
        all.extend(of("Service", service));
    }
    all.retain(|r| !r.name.is_null());
    all
}
