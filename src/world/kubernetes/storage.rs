//! Reads claims, volumes and classes: the storage behind a mount of a pod.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{CLASS, Claim};
use super::class::{self, Made, shared};
use super::inline::{Inline, inline};
use super::object::Object;
use super::selector::node_terms;
use crate::backend::Fences;
use crate::finding::{At, codes};
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::{Missing, PersistentVolume, Source, Volume, Want};

/// All storage objects of the files, by name.
pub(super) struct Storage<'d> {
    claims: BTreeMap<(&'d str, &'d str), &'d Object<'d>>,
    /// The volumes that are reserved for a claim, by that claim.
    kept: BTreeMap<(&'d str, &'d str), &'d Object<'d>>,
    /// All volumes, by name.
    volumes: BTreeMap<&'d str, &'d Object<'d>>,
    classes: BTreeMap<&'d str, &'d Object<'d>>,
    /// The volumes that are reserved for no claim, by class: their number, and those that are left,
    /// the first one last.
    free: BTreeMap<&'d str, (usize, Vec<&'d Object<'d>>)>,
    /// The claims that got one of them.
    given: BTreeMap<(String, String), &'d Object<'d>>,
    /// The claims that were reported as missing from the files.
    missed: BTreeSet<(String, String)>,
    /// The claims that pods name, as `namespace/name`.
    pub asked: BTreeSet<String>,
}

/// The storage behind a claim.
pub(super) struct Bound {
    pub source: Source,
    /// The claim; `None` for a volume in the pod.
    pub volume: Option<Volume>,
    /// The node labels that the volume requires.
    pub wants: Vec<Want>,
    /// ReadWriteOnce on storage that is not on one node.
    pub one_node: Option<At>,
    /// ReadWriteMany.
    pub many: Option<At>,
    /// ReadOnlyMany alone: nobody means to write there.
    pub reads: bool,
}

impl Bound {
    /// Makes the storage that is the same on every node.
    pub(super) fn of(source: Source) -> Self {
        Self { source, volume: None, wants: Vec::new(), one_node: None, many: None, reads: false }
    }
}

impl<'d> Storage<'d> {
    pub(super) fn new(objects: &'d [Object<'d>]) -> Self {
        let mut storage = Self {
            claims: BTreeMap::new(),
            kept: BTreeMap::new(),
            volumes: BTreeMap::new(),
            classes: BTreeMap::new(),
            free: BTreeMap::new(),
            given: BTreeMap::new(),
            missed: BTreeSet::new(),
            asked: BTreeSet::new(),
        };
        for object in objects {
            match object.kind {
                "PersistentVolumeClaim" => {
                    storage.claims.insert((&object.namespace, &object.name), object);
                }
                "StorageClass" => {
                    storage.classes.insert(&object.name, object);
                }
                "PersistentVolume" => {
                    storage.volumes.insert(&object.name, object);
                    let text = |way: &[&str]| object.root.at(way).and_then(Value::as_str);
                    match text(&["spec", "claimRef", "name"]) {
                        Some(claim) => {
                            let namespace = text(&["spec", "claimRef", "namespace"]).unwrap_or("default");
                            storage.kept.insert((namespace, claim), object);
                        }
                        None => {
                            let class = text(&["spec", "storageClassName"]).or_else(|| text(&CLASS));
                            let free = storage.free.entry(class.unwrap_or_default()).or_default();
                            free.0 += 1;
                            free.1.push(object);
                        }
                    }
                }
                _ => {}
            }
        }
        for (_, free) in storage.free.values_mut() {
            free.reverse();
        }
        storage
    }

    /// Returns the storage of the claim `name`, which a pod names at `at`.
    pub(super) fn claim(&self, namespace: &str, name: &str, at: At) -> Claim<'d> {
        let object = self.claims.get(&(namespace, name)).copied();
        Claim {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            spec: object.and_then(|o| Some((o, o.root.get("spec")?))),
            metadata: object.and_then(|o| o.root.get("metadata")),
            at,
            template: false,
            made: false,
        }
    }

    /// Returns the volume of `claim`, as far as the files contain it.
    pub(super) fn bind(&mut self, claim: &Claim<'d>, found: &mut Found) -> Bound {
        self.asked.insert(format!("{}/{}", claim.namespace, claim.name));
        let class = claim.class().and_then(|c| self.classes.get(c)).copied();
        let volume = Some(named(claim, class));
        let bound = match self.volume(claim, found) {
            Some(volume) => self.of_volume(claim, volume, found),
            None => self.of_class(claim, class, found),
        };
        Bound { volume, ..bound }
    }

    /// Returns the storage that the class of `claim` creates.
    fn of_class(&mut self, claim: &Claim<'d>, class: Option<&Object<'d>>, found: &mut Found) -> Bound {
        match class::make(class, claim) {
            Made::Own(fences) => self.dynamic(claim, fences, claim.made, found),
            Made::ByHand => self.dynamic(claim, Fences::WhileConnected, false, found),
            Made::Source(source) => {
                let bound = self.dynamic(claim, Fences::Never, claim.made, found);
                // ReadWriteOncePod keeps other pods off a claim, not off a directory, and only CSI
                // has it.
                Bound { source, one_node: None, ..bound }
            }
        }
    }

    /// Returns the volume that `claim` gets: the one that is reserved for it or that it names, otherwise
    /// one of its class.
    fn volume(&mut self, claim: &Claim<'d>, found: &mut Found) -> Option<&'d Object<'d>> {
        let key = (claim.namespace.as_str(), claim.name.as_str());
        let text = |key| claim.spec.and_then(|(_, s)| s.get(key)).and_then(Value::as_str);
        if let Some(volume) = self.kept.get(&key) {
            return Some(volume);
        }
        if let Some(volume) = text("volumeName").and_then(|n| self.volumes.get(n)) {
            return Some(volume);
        }
        let given = (claim.namespace.clone(), claim.name.clone());
        if let Some(volume) = self.given.get(&given) {
            return Some(volume);
        }
        claim.spec?;
        let (several, free) = self.free.get_mut(claim.class().unwrap_or_default())?;
        let volume = free.pop()?;
        self.given.insert(given, volume);
        if *several > 1 {
            let what = format!(
                "which volume the claim {} gets is not fixed: assigned in the order of the files, here {}",
                claim.name, volume.name
            );
            found.unread(claim.at.clone(), what);
        }
        Some(volume)
    }

    fn of_volume(&mut self, claim: &Claim<'d>, volume: &'d Object<'d>, found: &mut Found) -> Bound {
        let spec = volume.root.get("spec").unwrap_or(volume.root);
        if let Some(local) = spec.given("local").filter(|_| spec.at(&["nodeAffinity", "required"]).is_none())
            && self.missed.insert((String::new(), volume.name.clone()))
        {
            found.violation(
                codes::REFUSED,
                format!("the API refuses the local volume {}: it has no node", volume.name),
                vec![volume.at(local)],
                "nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [NODE] }] }] } }".to_owned(),
            );
        }
        let wants = match spec.at(&["nodeAffinity", "required"]) {
            Some(required) => node_terms(volume, required, found),
            None => Vec::new(),
        };
        match inline(spec) {
            Inline::Host(path, missing) => {
                // The kubelet refuses a second pod a local volume, but not a hostPath volume
                // (measured with the kubelet's code of 1.37.2).
                let one_pod = spec.given("local").and_then(|_| claim.mode("ReadWriteOncePod"));
                Bound { wants, ..Bound::of(Source::Host { path, missing, one_pod }) }
            }
            Inline::Share(name, fences) => {
                let mut bound = self.dynamic(claim, fences, false, found);
                if let Source::Volume { name: own, .. } = &mut bound.source {
                    *own = name;
                }
                Bound { wants, ..bound }
            }
            Inline::NoData | Inline::Unknown => {
                found.unread(volume.here(), "a volume of an unknown kind: treated as no fence".to_owned());
                Bound { wants, ..self.dynamic(claim, Fences::Never, false, found) }
            }
        }
    }

    fn dynamic(&mut self, claim: &Claim<'d>, fences: Fences, made: bool, found: &mut Found) -> Bound {
        if claim.spec.is_none()
            && !claim.template
            && self.missed.insert((claim.namespace.clone(), claim.name.clone()))
        {
            let what = format!(
                "the claim {} is not in the files: treated as ReadWriteOnce with an unknown driver",
                claim.name
            );
            found.unread(claim.at.clone(), what);
        }
        let many = claim.mode("ReadWriteMany");
        let fences = if many.is_some() { Fences::Never } else { fences };
        let source = Source::Volume {
            name: format!("claim {}/{}", claim.namespace, claim.name),
            fences,
            one_pod: claim.mode("ReadWriteOncePod"),
            reserved: None,
            missing: if made { Missing::Created } else { Missing::Refused },
        };
        let one_node = claim.mode("ReadWriteOnce").filter(|_| many.is_none());
        let list =
            claim.spec.and_then(|(_, s)| s.given("accessModes")).map(|m| m.texts()).unwrap_or_default();
        let read_only = claim.mode("ReadOnlyMany").filter(|_| list.len() == 1);
        let reads = read_only.is_some();
        if let Some(at) = read_only {
            // kubernetes.io, "Persistent Volumes": an access mode is no write protection.
            let what = format!("the claim {} is ReadOnlyMany: treated as if no pod wrote there", claim.name);
            found.unread(at, what);
        }
        Bound { one_node, many, reads, ..Bound::of(source) }
    }
}

/// Returns the claim as a volume that is mounted by its name.
fn named<'d>(claim: &Claim<'d>, class: Option<&Object<'d>>) -> Volume {
    let own = claim.spec.and_then(|(object, s)| Some((object, s.get("storageClassName")?)));
    let driver = class.and_then(|c| Some((c, c.root.get("provisioner")?)));
    let text = |(object, value): (&Object<'d>, Value<'d>)| Some((value.text()?, object.at(value)));
    Volume {
        name: claim.name.clone(),
        class: own.and_then(text),
        driver: driver.and_then(text),
        shared: driver.and_then(|(_, d)| d.as_str()).is_some_and(|driver| shared(driver, class)),
        exists: false,
    }
}

/// Returns the PersistentVolumes that name their storage, in order.
pub(super) fn volumes(objects: &[Object<'_>]) -> Vec<PersistentVolume> {
    let read = |object: &Object<'_>| {
        let spec = object.root.get("spec")?;
        let text = |way: &[&str]| spec.at(way).and_then(Value::text);
        let source = match inline(spec) {
            Inline::NoData | Inline::Unknown => return None,
            Inline::Host(path, missing) => Source::host(path, missing),
            Inline::Share(name, fences) => {
                let missing = Missing::Refused;
                Source::Volume { name, fences, one_pod: None, reserved: None, missing }
            }
        };
        let claim = spec.at(&["claimRef", "name"]).and_then(|name| {
            let namespace = text(&["claimRef", "namespace"]).unwrap_or_else(|| "default".to_owned());
            Some((format!("{namespace}/{}", name.as_str()?), object.at(name)))
        });
        let path = ["local", "hostPath"].into_iter().find_map(|kind| spec.at(&[kind, "path"]));
        let required = spec.at(&["nodeAffinity", "required"]);
        Some(PersistentVolume {
            source,
            at: object.at(path.unwrap_or(spec)),
            // The reader of the mount reports the parts that it does not understand.
            wants: required.map(|r| node_terms(object, r, &mut Found::default())).unwrap_or_default(),
            class: text(&["storageClassName"]).unwrap_or_default(),
            claim,
        })
    };
    objects.iter().filter(|o| o.kind == "PersistentVolume").filter_map(read).collect()
}
