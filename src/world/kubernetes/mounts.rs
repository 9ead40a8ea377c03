//! Reads the volumes of a pod, as its containers mount them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::claim::Claim;
use super::inline::{Inline, goes_with_pod, inline, kind as kind_of};
use super::lives::{Lives, life};
use super::object::Object;
use super::pod::{Pod, command};
use super::storage::{Bound, Storage};
use crate::finding::At;
use crate::images::{Images, Life, Software};
use crate::text::path::shortest;
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::path;
use crate::world::{Kind, Member, Missing, Mount, Source, data_mounts};

/// The claims whose access mode admits more than one pod.
#[derive(Default)]
pub(super) struct Modes {
    /// The claim that every pod of a node can mount.
    pub one_node: Vec<(At, String)>,
    /// The claim that pods of several nodes can mount.
    pub many: Option<(At, String)>,
    /// The claims that the members use, once for each member.
    pub uses: Vec<String>,
}

/// The mounts of a template.
pub(super) struct Mounts<'d> {
    object: &'d Object<'d>,
    kind: Kind,
    software: Option<Arc<Software>>,
    images: &'d Images,
    volumes: BTreeMap<&'d str, Value<'d>>,
    templates: BTreeMap<&'d str, Value<'d>>,
    /// The writable mounts, each with its container, those of the serving container first.
    mounts: Vec<(Value<'d>, Value<'d>)>,
}

impl<'d> Mounts<'d> {
    pub(super) fn new(object: &'d Object<'d>, pod: &Pod<'d>, kind: Kind, images: &'d Images) -> Self {
        let named = |v: &Value<'d>, way: &[&str]| v.at(way).and_then(Value::as_str);
        let list = |value: Option<Value<'d>>| value.map(Value::items).unwrap_or_default();
        let volumes = list(pod.spec.get("volumes"));
        let templates = list(object.root.at(&["spec", "volumeClaimTemplates"]));
        let own = kind == Kind::StatefulSet || object.kind == "CloneSet";
        let templates = if own { templates } else { Vec::new() };
        let init = list(pod.spec.get("initContainers"));
        let volumes: BTreeMap<&str, Value<'d>> =
            volumes.iter().filter_map(|v| Some((named(v, &["name"])?, *v))).collect();
        // A mount, a claim or a volume can be read only.
        let read_only = |v: Value<'_>| v.get("readOnly").and_then(Value::flag) == Some(true);
        let writes = |mount: &Value<'d>| {
            let volume = named(mount, &["name"]).and_then(|name| volumes.get(name));
            !read_only(*mount) && !volume.and_then(|v| kind_of(*v)).is_some_and(|(_, v)| read_only(v))
        };
        let main = pod.main.into_iter().chain(pod.containers.iter().copied());
        let mounts = main.chain(init).flat_map(|c| {
            let all = list(c.get("volumeMounts")).into_iter().chain(list(c.get("volumeDevices")));
            all.filter(writes).map(move |m| (c, m))
        });
        Self {
            object,
            kind,
            software: pod.software.clone(),
            images,
            mounts: mounts.collect(),
            volumes,
            templates: templates
                .iter()
                .filter_map(|t| Some((named(t, &["metadata", "name"])?, *t)))
                .collect(),
        }
    }

    /// Gives `member` its mounts, and the node labels that its volumes require.
    pub(super) fn mount(
        &self,
        member: &mut Member,
        storage: &mut Storage<'d>,
        modes: &mut Modes,
        found: &mut Found,
    ) {
        let (mut seen, mut claims) = (BTreeSet::new(), BTreeSet::new());
        for (container, mount) in &self.mounts {
            let Some(name) = mount.get("name").and_then(Value::as_str) else { continue };
            let target = mount.get("mountPath").or_else(|| mount.get("devicePath")).and_then(Value::text);
            let sub = match self.below(*container, *mount, member) {
                Some(sub) => sub,
                // Each pod has its own directory, which no other pod uses later.
                None => continue,
            };
            let target = target.unwrap_or_default();
            let data = self.is_data(name, &target, *container);
            let looks = self.looks(*container) && !data;
            if !looks && !seen.insert((name, sub.clone(), data)) {
                continue;
            }
            let Some((bound, at)) = self.source(name, member, storage, found) else { continue };
            let Bound { mut source, volume, wants, one_node, many, reads } = bound;
            if reads {
                continue;
            }
            let claim = match &source {
                Source::Volume { name, .. } => name.clone(),
                _ => String::new(),
            };
            // The directories that CNI and CSI share with the node hold no data.
            let passed_on = mount.get("mountPropagation").is_some_and(|p| p.is("Bidirectional"));
            if !sub.is_empty() {
                match &mut source {
                    Source::Host { path: own, .. } => *own = shortest(&format!("{own}/{sub}")),
                    Source::Volume { name: own, .. } => *own = shortest(&format!("{own}/{sub}")),
                    Source::Ephemeral => {}
                }
            }
            let mount = Mount { target, source, volume, at };
            if looks {
                member.looked_at.push(mount);
                continue;
            }
            if !data || passed_on {
                member.others.push(mount);
                continue;
            }
            for want in wants {
                if !member.wants.contains(&want) {
                    member.wants.push(want);
                }
            }
            let one_node = one_node.map(|at| (at, claim.clone()));
            modes.one_node.extend(one_node.filter(|one| !modes.one_node.contains(one)));
            modes.many = modes.many.take().or_else(|| Some((many?, claim.clone())));
            if claims.insert(claim.clone()) {
                modes.uses.push(claim);
            }
            member.mounts.push(mount);
        }
        member.mounts.shrink_to_fit();
    }

    /// Returns whether a volume that `container` mounts at `target` can be data. Only directories of
    /// the node's own system cannot.
    fn is_data(&self, name: &str, target: &str, container: Value<'d>) -> bool {
        let Some(host) = self.volumes.get(name).and_then(|v| v.given("hostPath")) else { return true };
        let text = |value: Value<'d>, key| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let kind = text(host, "type");
        let path = shortest(text(host, "path"));
        !self.looks(container)
            && match kind {
                "BlockDevice" => true,
                "Socket" | "CharDevice" => false,
                _ => {
                    let software = self.software.as_deref();
                    data_mounts::is_data(&path, target, software)
                        && !data_mounts::holds_program(
                            target,
                            data_mounts::of_programs(command(container)),
                            software,
                        )
                }
            }
    }

    /// Returns whether a container only reads the data of other containers.
    fn looks(&self, container: Value<'d>) -> bool {
        let image = container.get("image").and_then(Value::as_str);
        image.is_some_and(|image| data_mounts::only_reads(image, self.images))
    }

    fn source(
        &self,
        name: &str,
        member: &Member,
        storage: &mut Storage<'d>,
        found: &mut Found,
    ) -> Option<(Bound, At)> {
        let object = self.object;
        let claim = if let Some(template) = self.templates.get(name) {
            let named = template.at(&["metadata", "name"]).unwrap_or(*template);
            Claim {
                namespace: object.namespace.clone(),
                name: format!("{name}-{}", member.name),
                spec: template.get("spec").map(|s| (object, s)),
                metadata: template.get("metadata"),
                at: object.at(named),
                template: true,
                made: self.forgets(),
            }
        } else {
            let volume = *self.volumes.get(name)?;
            match volume.given("persistentVolumeClaim").map(|c| c.get("claimName").unwrap_or(c)) {
                Some(claim) => {
                    let named = claim.as_str().unwrap_or_default();
                    storage.claim(&object.namespace, named, object.at(claim))
                }
                None => return self.direct(volume, found),
            }
        };
        Some((storage.bind(&claim, found), claim.at))
    }

    /// Returns the storage of a volume in the pod without a claim.
    fn direct(&self, volume: Value<'d>, found: &mut Found) -> Option<(Bound, At)> {
        let (kind, value) = kind_of(volume)?;
        if goes_with_pod(kind) {
            return None;
        }
        let at = self.object.at(value.get("path").unwrap_or(value));
        match inline(volume) {
            Inline::Host(path, missing) => Some((Bound::of(Source::host(path, missing)), at)),
            Inline::Share(name, fences) => {
                let missing = crate::world::Missing::Refused;
                let source = Source::Volume { name, fences, one_pod: None, reserved: None, missing };
                Some((Bound::of(source), at))
            }
            Inline::NoData => None,
            Inline::Unknown => {
                let driver = value.get("driver").and_then(Value::as_str);
                let of = driver.map(|d| format!(" of {d}")).unwrap_or_default();
                let what = format!("a volume of the kind `{kind}`{of}: whether pods share it is not known");
                found.not_searched(at, what, "a claim, or readOnly: true");
                None
            }
        }
    }

    /// Returns whether claims are deleted with their pods, so that a new pod starts empty.
    fn forgets(&self) -> bool {
        let policy = self.object.root.at(&["spec", "persistentVolumeClaimRetentionPolicy"]);
        policy.is_some_and(|p| p.entries().iter().any(|(_, v)| v.is("Delete")))
    }

    /// Returns the directory below the volume that `mount` uses; `None` if each pod has its own.
    fn below(&self, container: Value<'d>, mount: Value<'d>, member: &Member) -> Option<String> {
        if let Some(path) = mount.given("subPath").and_then(Value::as_str) {
            return Some(shortest(path));
        }
        let Some(expression) = mount.given("subPathExpr").and_then(Value::as_str) else {
            return Some(String::new());
        };
        let mut path = String::new();
        let mut rest = expression;
        while let Some((before, after)) = rest.split_once("$(") {
            let (name, after) = after.split_once(')')?;
            path.push_str(before);
            path.push_str(&self.variable(container, name, member)?);
            rest = after;
        }
        path.push_str(rest);
        Some(shortest(&path))
    }

    /// Returns the value of a variable for `member`: the name of the variable if the value is the same
    /// for all pods of a node, `None` if it differs from pod to pod.
    fn variable(&self, container: Value<'d>, name: &str, member: &Member) -> Option<String> {
        let all = container.get("env").map(Value::items).unwrap_or_default();
        let variable = all.into_iter().rev().find(|e| e.get("name").is_some_and(|n| n.is(name)));
        let field =
            variable.and_then(|v| v.at(&["valueFrom", "fieldRef", "fieldPath"])).and_then(Value::as_str);
        match field {
            Some("metadata.name") if self.kind == Kind::StatefulSet => Some(member.name.clone()),
            Some("metadata.name") if self.kind == Kind::Pod => Some(member.name.clone()),
            Some("metadata.name" | "metadata.uid" | "status.podIP" | "status.podIPs") => None,
            Some("metadata.namespace") => Some(self.object.namespace.clone()),
            Some("metadata.labels['apps.kubernetes.io/pod-index']") => member.ordinal.map(|o| o.to_string()),
            Some(_) => Some(format!("$({name})")),
            None => Some(match variable.and_then(|v| v.get("value")).and_then(Value::as_str) {
                Some(value) => value.to_owned(),
                None => format!("$({name})"),
            }),
        }
    }

    /// Lists directories of the node that are treated as no data, but may be data.
    pub(super) fn doubt(&self, found: &mut Found) {
        let mut seen = BTreeSet::new();
        for (container, mount) in &self.mounts {
            let text = |value: Value<'d>, key| value.get(key).and_then(Value::as_str).unwrap_or_default();
            let (name, target) = (text(*mount, "name"), text(*mount, "mountPath"));
            let Some(host) = self.volumes.get(name).and_then(|v| v.given("hostPath")) else { continue };
            let directory = ["", "Directory", "DirectoryOrCreate"].contains(&text(host, "type"));
            // The serving container is in this list twice.
            if directory
                && !self.looks(*container)
                && seen.insert((name, target))
                && !self.is_data(name, target, *container)
            {
                let path = shortest(text(host, "path"));
                let programs = data_mounts::of_programs(command(*container));
                let program = data_mounts::holds_program(target, programs, self.software.as_deref());
                let what = path::doubt(&path, target);
                let what = what.or_else(|| program.then(|| data_mounts::of_program(&path, target)));
                if let Some(what) = what {
                    found.unread(self.object.at(*mount), what);
                }
            }
        }
    }

    /// Returns what `container` can write to.
    pub(super) fn lives(&self, container: Value<'d>) -> Vec<Lives> {
        let list = |key| container.get(key).map(Value::items).unwrap_or_default();
        let first = Member { ordinal: Some(0), ..Member::default() };
        let writes = |m: &Value<'d>| m.get("readOnly").and_then(Value::flag) != Some(true);
        let mounts = list("volumeMounts").into_iter().chain(list("volumeDevices")).filter(writes);
        let one = |mount: Value<'d>| {
            let target = mount.get("mountPath").or_else(|| mount.get("devicePath"))?.text()?;
            let name = mount.get("name").and_then(Value::as_str).unwrap_or_default();
            let volume = self.volumes.get(name).filter(|_| !self.templates.contains_key(name)).copied();
            let (lives, at) = match volume.map(|v| (v, kind_of(v))) {
                // A claim template, or a volume without a definition.
                None => (Life::Durable, mount),
                // A volume without a kind is an emptyDir.
                Some((volume, None)) => (Life::Container, volume),
                Some((_, Some((_, value)))) if self.below(container, mount, &first).is_none() => {
                    (Life::Container, value)
                }
                Some((_, Some(("hostPath", value)))) => {
                    let path = shortest(value.get("path").and_then(Value::as_str).unwrap_or_default());
                    (data_mounts::life(&Source::host(path, Missing::Created)), value)
                }
                Some((_, Some((kind, value)))) => (life(kind)?, value),
            };
            let data = self.is_data(name, &target, container);
            Some(Lives { target, life: lives, data, at: self.object.at(at) })
        };
        mounts.filter_map(one).collect()
    }
}
