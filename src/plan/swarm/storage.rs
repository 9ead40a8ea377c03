//! Plans the storage on Swarm: host directories, volumes of docker plugins, NFS through docker's
//! own driver, and cluster volumes.

use serde::Serialize;

use super::service::SwarmService;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{Data, DataAt, Volume as Wanted};
use crate::plan::context::Context;
use crate::plan::docker;
use crate::plan::docker::NFS;
use crate::route;
use crate::spec::source::Route;
use crate::text::names;
use crate::text::quote;
use crate::text::units::docker_bytes;
use crate::value::{self, Text};

/// The longest volume name that the storage of every plugin accepts.
const MAX_NAME: usize = 63;

/// A mount of a container.
#[derive(Debug, Clone, Serialize)]
pub struct Mount {
    /// The type: `bind`, `volume`, `cluster` or `tmpfs`.
    pub kind: &'static str,
    /// The path on the node, or the name of a volume.
    pub source: Option<String>,
    /// The absolute path in the container.
    pub target: String,
    /// Whether docker must leave an empty volume empty, and not fill it from the image.
    pub nocopy: bool,
    /// The size of a tmpfs in bytes.
    pub size: Option<u64>,
}

/// A volume at the top level of a stack file.
#[derive(Debug, Serialize)]
pub struct Volume {
    /// The key that the services of the file use.
    pub key: String,
    /// The name in docker.
    pub name: String,
    /// The docker volume driver; `None` for a cluster volume, which must exist. Other volumes are
    /// never `external`: a node that lacks such a volume would create it, local and empty.
    pub driver: Option<&'static str>,
    /// The options of the driver. Swarm expands their values.
    pub options: Vec<(String, Text)>,
    /// The size of a cluster volume, with a unit, for the command that creates it.
    pub bytes: Option<String>,
}

/// Plans the mounts of member `id`, data first.
pub fn mounts(subject: SwarmService<'_>, id: Option<u32>) -> Vec<Mount> {
    let blank = |kind, source, target: &str| Mount {
        kind,
        source,
        target: target.to_owned(),
        nocopy: kind == "volume",
        size: None,
    };
    let mut all = Vec::new();
    for data in &subject.workload.data {
        let Data { name, mount, at, route: _ } = data;
        all.push(match at {
            DataAt::Host { path, size: _ } => {
                let source = match id {
                    Some(id) => value::host_path(&path.text, &subject.service.name, id),
                    None => Some(path.text.clone()),
                };
                blank("bind", source, mount)
            }
            DataAt::Volume(_) if subject.swarm.csi => blank("cluster", Some(name.clone()), mount),
            DataAt::Volume(_) => blank("volume", Some(name.clone()), mount),
        });
    }
    for (path, size) in &subject.workload.tmpfs {
        all.push(Mount { size: Some(*size), ..blank("tmpfs", None, path) });
    }
    all
}

/// Returns the name of the volume of `data` of member `id`.
fn name(subject: SwarmService<'_>, data: &Data, id: Option<u32>) -> String {
    format!("{}-{}", data.name, subject.name(id))
}

/// Returns the places of the volumes of member `id`: the name, or for NFS the server and the
/// directory. The mount options do not matter.
pub fn places(subject: SwarmService<'_>, id: Option<u32>) -> Vec<String> {
    let place = |(data, wanted): (&Data, &Wanted)| {
        let name = name(subject, data, id);
        match wanted.backend.plugin {
            Some(plugin) if plugin.driver == "local" && !subject.swarm.csi => {
                let options = docker::volume_options(&name, wanted);
                let device = options.iter().find(|(key, _)| key == "device").map_or("", |(_, d)| d);
                format!("{}{device}", option(wanted, "server").unwrap_or_default())
            }
            _ => name,
        }
    };
    subject.workload.volumes().map(place).collect()
}

/// Plans the volumes of member `id`.
pub fn volumes(subject: SwarmService<'_>, id: Option<u32>) -> Vec<Volume> {
    let volume = |(data, wanted): (&Data, &Wanted)| {
        let name = name(subject, data, id);
        if subject.swarm.csi {
            let bytes = Some(docker_bytes(wanted.size));
            return Volume { key: data.name.clone(), name, driver: None, options: Vec::new(), bytes };
        }
        let (name, options) = match wanted.backend.plugin {
            Some(plugin) if plugin.driver == "local" => nfs(name, wanted),
            _ => {
                let options = docker::volume_options(&name, wanted);
                (name, options)
            }
        };
        let options = options.into_iter().map(|(k, v)| (k, Text::literal(v))).collect();
        let driver = wanted.backend.plugin.map_or("", |p| p.driver);
        Volume { key: data.name.clone(), name, driver: Some(driver), options, bytes: None }
    };
    subject.workload.volumes().map(volume).collect()
}

fn option<'w>(wanted: &'w Wanted, key: &str) -> Option<&'w str> {
    wanted.options.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
}

/// Returns the name and options of an NFS volume. A node keeps a volume with the options of its
/// first use, so the name contains a hash of the options.
fn nfs(name: String, wanted: &Wanted) -> (String, Vec<(String, String)>) {
    let options = docker::volume_options(&name, wanted);
    let [_, mount, device] = &options[..] else { return (name, options) };
    (format!("{name}-{}", quote::digest(&[&mount.1, &device.1])), options)
}

/// Reports storage that Swarm cannot provide as the spec asks.
pub fn check(context: &mut Context<'_>, subject: SwarmService<'_>) {
    let mut faults = Vec::new();
    let mut before: Option<Route> = None;
    for (data, wanted) in subject.workload.volumes() {
        let at = data.route.at("volume");
        if subject.swarm.csi {
            faults.extend(cluster(subject, wanted, &at));
            if let Some(first) = before.replace(at.clone()) {
                let first = subject.service.key(&first);
                let d = Diagnostic::error(
                    Code::ClusterVolumes,
                    subject.service.key(&at),
                    "Swarm can attach only one cluster volume to a service",
                );
                faults.push(d.related(first, "the first").why(
                    "with two, the scheduler needs only one of them to be available, and a task starts with neither attached",
                ));
            }
        } else {
            faults.extend(plugin(subject, data, wanted, &at));
        }
        faults.extend(zones(subject, wanted, &at));
    }
    if subject.workload.volumes().any(|(_, v)| !v.zones.is_empty()) {
        faults.extend(one_zone(subject));
    }
    faults.into_iter().for_each(|f| context.fault(f));
}

/// Reports a cluster volume without a CSI driver for its storage.
fn cluster(subject: SwarmService<'_>, wanted: &Wanted, at: &Route) -> Option<Diagnostic> {
    if wanted.csi.is_some() {
        return None;
    }
    let message = format!("there is no CSI driver for {}", wanted.backend_name);
    Some(Diagnostic::error(Code::VolumeNoPlugin, subject.service.place(&at.at("backend")), message))
}

/// Reports a volume that no docker plugin serves on this engine, or whose options the plugin does
/// not support.
fn plugin(subject: SwarmService<'_>, data: &Data, wanted: &Wanted, at: &Route) -> Vec<Diagnostic> {
    let (service, swarm) = (subject.service, subject.swarm);
    let place = service.place(&at.at("backend"));
    let backend = &wanted.backend_name;
    let csi = |d: Diagnostic| match wanted.csi {
        Some(_) => d.fix("with engine 23 or newer, use its CSI driver", swarm.with_cluster_volumes()),
        None => d,
    };
    let Some(plugin) = wanted.backend.plugin else {
        let message = format!("there is no docker volume plugin for {backend} on Swarm");
        let d = Diagnostic::error(Code::VolumeNoPlugin, place, message);
        let or = if wanted.csi.is_some() { "or " } else { "" };
        let keep = format!("{or}keep the data on the nodes: `host` in place of `volume`, and `members.pin`");
        return vec![csi(d).advice(keep)];
    };
    if let Some(until) = wanted.backend.plugin_until.filter(|until| swarm.engine >= *until) {
        let message = format!("docker {until} and newer cannot load the plugin of {backend}");
        let engine = service.place(&route!["targets", "swarm", "engine"]);
        let d = Diagnostic::error(Code::VolumeGone, place, message);
        return vec![csi(d.related(engine, "the engine"))];
    }
    let mut faults = Vec::new();
    if wanted.kind.is_some() && plugin.kind.is_none() {
        let message = format!("the docker plugin `{}` does not support disk types", plugin.driver);
        faults.push(Diagnostic::error(Code::BadValue, service.place(&at.at("type")), message));
    }
    let decided = [plugin.size, plugin.kind.filter(|_| wanted.kind.is_some())];
    for (key, _) in wanted.options.iter().filter(|(k, _)| decided.contains(&Some(k.as_str()))) {
        faults.push(Diagnostic::error(
            Code::HatchOverwrites,
            service.key(&at.at("options").at(key)),
            format!("`{key}` comes from `size` and `type`"),
        ));
    }
    if plugin.driver == "local" {
        faults.extend(nfs_options(subject, wanted, at));
    }
    let last = subject.workload.ids().last().unwrap_or_default();
    let name = name(subject, data, Some(last));
    if name.len() > MAX_NAME {
        let message = format!(
            "the volume name `{name}` has {} characters, but at most {MAX_NAME} are allowed",
            name.len()
        );
        faults.push(Diagnostic::error(Code::NameTooLong, service.key(at), message));
    }
    faults
}

/// Reports missing NFS options: docker mounts NFS itself and needs the server and directory.
fn nfs_options(subject: SwarmService<'_>, wanted: &Wanted, at: &Route) -> Vec<Diagnostic> {
    let service = subject.service;
    let mut faults = Vec::new();
    let known = |key: &str, good: fn(&str) -> bool| option(wanted, key).is_some_and(good);
    let server = known("server", |s| names::dns(s) || names::ip(s).is_some());
    let share = known("share", |s| s == "/" || names::path(s.trim_end_matches('/')).is_none());
    if !server || !share {
        faults.push(
            Diagnostic::error(
                Code::VolumeNoPlugin,
                service.place(&at.at("backend")),
                "docker mounts NFS itself, so it needs the server and the share",
            )
            .fix("add next to `backend`", "options: { server: 10.0.0.9, share: /export }"),
        );
    }
    for (key, _) in wanted.options.iter().filter(|(k, _)| !NFS.contains(&k.as_str())) {
        let message = format!("docker's NFS volumes have no option `{key}`");
        faults.push(
            Diagnostic::error(Code::BadValue, service.key(&at.at("options").at(key)), message)
                .fix("the options are", NFS.join(", ")),
        );
    }
    faults
}

/// Reports a disk of one zone whose zone the spec does not give: it cannot be attached in another.
fn zones(subject: SwarmService<'_>, wanted: &Wanted, at: &Route) -> Option<Diagnostic> {
    if wanted.backend.zone.is_none() || !wanted.zones.is_empty() {
        return None;
    }
    let place = subject.service.key(at);
    Some(
        Diagnostic::error(
            Code::ZoneUnknown,
            place,
            "the volume is in one zone, but the spec does not say in which",
        )
        .fix(
            "give the zone of each member, in order, under `zones` of the volume; nodes need the label `zone`",
            "",
        ),
    )
}

/// Reports two volumes of one member in different zones, because no node reaches both.
fn one_zone(subject: SwarmService<'_>) -> Option<Diagnostic> {
    let torn = |id: &Option<u32>| {
        subject.demands(*id).iter().filter(|(label, _)| label == "zone").count() > 1
            && subject.pin().is_none_or(|p| p.label != "zone")
    };
    let id = subject.ids().into_iter().find(torn)?;
    let place = subject.service.key(&route!["exclusive", "data"]);
    Some(Diagnostic::error(
        Code::ZoneUnknown,
        place,
        format!("the volumes of {} are in different zones, so no node can attach both", subject.name(id)),
    ))
}
