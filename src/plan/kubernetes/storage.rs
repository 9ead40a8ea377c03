//! Plans the storage of data: host directories, local PersistentVolumes, network volumes.

use std::collections::BTreeSet;

use super::objects::{Claim, Expression, HostPath, Meta, Mount, PersistentVolume, StorageClass, Volume};
use super::values::Words;
use super::{labels, naming};
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::model::{Data, DataAt, Kubernetes, Pin, Service, Template, Workload};
use crate::plan::context::Context;
use crate::route;
use crate::text::units;
use crate::value;

/// The storage of one workload.
#[derive(Default)]
pub struct Stored {
    /// The volumes of the pod.
    pub volumes: Vec<Volume>,
    /// The mounts of the member.
    pub mounts: Vec<Mount>,
    /// The claim templates.
    pub claims: Vec<Claim>,
    /// The StorageClasses of the claims.
    pub classes: Vec<StorageClass>,
    /// The local PersistentVolumes.
    pub persistent: Vec<PersistentVolume>,
}

/// Plans the storage of `w`.
pub fn plan(
    context: &mut Context<'_>,
    words: &Words<'_>,
    service: &Service,
    w: &Workload,
    k: &Kubernetes,
) -> Stored {
    let mut stored = Stored::default();
    for data in &w.data {
        let Data { name, mount, at, route: _ } = data;
        let mut mount = Mount::at(name, mount);
        match at {
            DataAt::Host { path, .. } if w.per_node() => {
                let path = words.literal(context, path, "a path of the node");
                stored.volumes.push(host_volume(name, path));
            }
            DataAt::Host { path, size } => {
                local(context, &mut stored, service, w, k, data, (path, size.unwrap_or_default()));
            }
            DataAt::Volume(volume) => {
                mount.sub_path = volume.backend.directory();
                network(context, &mut stored, service, k, data, volume);
            }
        }
        stored.mounts.push(mount);
    }
    let access = route!["targets", "kubernetes", "access"];
    if service.source.has(&access) && stored.persistent.is_empty() {
        let message = "`access` is the mode of volumes for directories of pinned members, and there is none";
        let d = Diagnostic::error(Code::DataShape, service.key(&access), message);
        context.fault(d.advice("remove it: a network volume is ReadWriteOncePod from Kubernetes 1.27 on"));
    }
    stored
}

fn class_name(data: &Data, service: &Service, k: &Kubernetes) -> String {
    format!("{}.{}.{}", data.name, service.name, k.namespace)
}

/// Makes the name and labels of a cluster-scoped object.
fn meta(service: &Service, name: String) -> Meta {
    Meta::new(name, None, labels::of(service))
}

/// Plans a local volume for each member on the node of its pin, reserved for the claim that the
/// StatefulSet makes.
fn local(
    context: &mut Context<'_>,
    stored: &mut Stored,
    service: &Service,
    w: &Workload,
    k: &Kubernetes,
    data: &Data,
    (path, size): (&Template, u64),
) {
    let class = class_name(data, service, k);
    let capacity = units::kubernetes_bytes(size);
    let access = if k.one_pod { "ReadWriteOncePod" } else { "ReadWriteOnce" };
    let mut seen = BTreeSet::new();
    for id in w.ids() {
        let (Some(Pin { label, .. }), Some(path)) =
            (w.pin(), value::host_path(&path.text, &service.name, id))
        else {
            continue;
        };
        if !seen.insert(path.clone()) {
            same_path(context, service, data, &path);
            break;
        }
        let claim = naming::claim(&data.name, &service.name, id);
        stored.persistent.push(PersistentVolume {
            meta: meta(service, format!("{claim}.{}", k.namespace)),
            access,
            capacity: capacity.clone(),
            reclaim: "Retain",
            class: class.clone(),
            mode: "Filesystem",
            path,
            claim,
            namespace: k.namespace.clone(),
            node: Expression::one_of(label, vec![id.to_string()]),
        });
    }
    stored.claims.push(Claim {
        name: data.name.clone(),
        access,
        class: class.clone(),
        backend: None,
        size: capacity,
    });
    stored.classes.push(StorageClass {
        meta: meta(service, class),
        provisioner: "kubernetes.io/no-provisioner".to_owned(),
        parameters: Vec::new(),
        reclaim: "Retain",
        binding: "WaitForFirstConsumer",
        expansion: false,
        zones: None,
    });
}

fn same_path(context: &mut Context<'_>, service: &Service, data: &Data, path: &str) {
    let place = service.place(&data.route.at("host"));
    context.fault(
        Diagnostic::error(Code::HostWithoutId, place, format!("two members would use the directory {path}"))
            .fix(
                "put the id into the path",
                format!("host: \"/mnt/d1/{}-{{{{ member.id }}}}\"", service.name),
            ),
    );
}

/// Plans a claim template, and a StorageClass unless the spec names one.
fn network(
    context: &mut Context<'_>,
    stored: &mut Stored,
    service: &Service,
    k: &Kubernetes,
    data: &Data,
    volume: &crate::model::Volume,
) {
    let crate::model::Volume {
        backend,
        csi,
        backend_name,
        size: _,
        size_text,
        class,
        kind: _,
        zones,
        options: _,
    } = volume;
    let place = service.place(&data.route.at("volume").at("backend"));
    if let Some(why) = backend.gone {
        context.fault(gone(service, k, backend_name, why, place));
    } else if backend.needs_class && class.is_none() {
        let message = format!(
            "a StorageClass of {backend_name} needs settings of the cluster that berthc does not know"
        );
        context.fault(
            Diagnostic::error(Code::ClassMissing, place, message)
                .advice("name an existing StorageClass under `class`"),
        );
    }
    let own = class_name(data, service, k);
    stored.claims.push(Claim {
        name: data.name.clone(),
        access: if k.version < Kubernetes::ONE_POD { "ReadWriteOnce" } else { "ReadWriteOncePod" },
        class: class.clone().unwrap_or_else(|| own.clone()),
        backend: class.as_ref().map(|_| backend_name.clone()),
        size: size_text.clone(),
    });
    if class.is_none() {
        let zones = backend.zone.filter(|_| !zones.is_empty());
        stored.classes.push(StorageClass {
            meta: meta(service, own),
            provisioner: csi.clone().unwrap_or_default(),
            parameters: parameters(context, service, data, volume),
            reclaim: "Retain",
            binding: "WaitForFirstConsumer",
            expansion: true,
            zones: zones.map(|key| Expression::one_of(key, volume.zones.clone())),
        });
    }
}

fn gone(service: &Service, k: &Kubernetes, backend: &str, why: &str, place: Place) -> Diagnostic {
    let message = format!("Kubernetes {} does not support volumes of {backend}", k.version);
    Diagnostic::error(Code::VolumeGone, place, message)
        .related(service.place(&route!["targets", "kubernetes", "version"]), "required here")
        .why(why)
        .advice("remove `kubernetes` from `targets`, or use another backend")
}

/// The parameter of the table that a spec may replace: the file system of the volume. Attaching
/// excludes a second node only with the other parameters.
const FREE: &str = "csi.storage.k8s.io/fstype";

fn parameters(
    context: &mut Context<'_>,
    service: &Service,
    data: &Data,
    volume: &crate::model::Volume,
) -> Vec<(String, String)> {
    let kind = volume.backend.kind.zip(volume.kind.as_deref());
    let table = kind.into_iter().chain(volume.backend.parameters.iter().copied());
    let mut all: Vec<(String, String)> = table.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    for (key, value) in &volume.options {
        match all.iter_mut().find(|(known, _)| known == key) {
            Some(known) if key == FREE => known.1.clone_from(value),
            Some((_, decided)) => {
                let place = service.key(&data.route.at("volume").at("options").at(key));
                let message = format!("berthc already sets `{key}` to `{decided}`");
                context.fault(Diagnostic::error(Code::HatchOverwrites, place, message));
            }
            None => all.push((key.clone(), value.clone())),
        }
    }
    all
}

/// Makes a volume of a directory on the node. The directory must exist: the kubelet does not
/// create it, so a member whose disk is not mounted waits and does not start on an empty
/// directory.
fn host_volume(name: &str, path: String) -> Volume {
    Volume { host: Some(HostPath { path, kind: "Directory" }), ..Volume::named(name) }
}
