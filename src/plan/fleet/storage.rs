//! Plans the storage of a member: its mounts, what must exist before the start, and the container
//! name that excludes a second holder.

use super::maker::Maker;
use super::names;
use super::naming::pin;
use crate::backend::Plugin;
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::model::{self, Data, DataAt, Service, Template, Workload};
use crate::route;

/// A directory of the machine.
#[derive(Debug)]
pub struct Bind {
    /// The path on the machine.
    pub source: String,
    /// The path in the container.
    pub target: String,
    /// The place in the spec.
    pub place: Place,
}

/// A docker volume.
#[derive(Debug)]
pub struct Volume {
    /// The name.
    pub name: String,
    /// The plugin.
    pub driver: &'static str,
    /// The path in the container.
    pub target: String,
    /// The place in the spec.
    pub place: Place,
}

/// The storage of one member.
#[derive(Debug)]
pub struct Storage {
    /// The name of the container. It is made from the first data directory, so that docker refuses
    /// a second holder of it on one machine, whichever unit starts it.
    pub container: String,
    /// The host directories.
    pub binds: Vec<Bind>,
    /// The volumes.
    pub volumes: Vec<Volume>,
    /// The zone of the volumes, if they have one.
    pub zone: Option<String>,
}

/// Plans the storage of the maker's member.
pub fn plan(maker: &mut Maker<'_, '_>, w: &Workload) -> Storage {
    let member = names::member(maker.service, maker.id);
    let mut storage =
        Storage { container: member.clone(), binds: Vec::new(), volumes: Vec::new(), zone: None };
    for (i, data) in w.data.iter().enumerate() {
        let Data { name: _, mount, at, route } = data;
        let (target, place) = (mount.clone(), maker.service.key(route));
        let fence = match at {
            DataAt::Host { path, size: _ } => {
                let source = host(maker, path);
                let fence = names::of_path(&source);
                storage.binds.push(Bind { source, target, place });
                fence
            }
            DataAt::Volume(volume) => {
                let name = names::volume(data, &member);
                // A volume without a plugin is reported once, not for each member.
                if let Some(Plugin { driver, .. }) = volume.backend.plugin {
                    storage.volumes.push(Volume { name: name.clone(), driver, target, place });
                }
                let first = w.ids().start;
                let index = maker.id.map_or(0, |id| id.saturating_sub(first)) as usize;
                storage.zone = storage.zone.or_else(|| volume.zone(index).map(ToOwned::to_owned));
                name
            }
        };
        if i == 0 {
            storage.container = fence;
        }
    }
    storage
}

/// Renders a host directory, which must not depend on run time.
fn host(maker: &mut Maker<'_, '_>, path: &Template) -> String {
    let text = maker.text(path);
    let wrong = match text.as_literal() {
        Some(literal) => crate::text::names::path(literal).filter(|_| !literal.is_empty()),
        None => Some("contains a value that is known only when the container runs".into()),
    };
    if let Some(wrong) = wrong {
        let place = maker.service.place(&path.route);
        let message = format!("the path `{}` {wrong}", path.text);
        maker.context.fault(Diagnostic::error(Code::BadPath, place, message));
    }
    text.as_literal().unwrap_or_default().to_owned()
}

/// Reports what no unit can do with these volumes.
pub fn faults(service: &Service, w: &Workload) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let mut zones: Option<(&[String], &Data)> = None;
    let pinned = pin(service, w).is_some();
    for (data, volume) in w.volumes() {
        let at = data.route.at("volume");
        let backend = &volume.backend;
        if backend.plugin.is_none() {
            all.push(no_plugin(service, data, volume));
        }
        let docker = service.targets.fleet.as_ref().map(|f| f.docker);
        if let (Some(removed_in), Some(docker)) = (backend.plugin_until, docker)
            && docker >= removed_in
        {
            let message = format!("docker {docker} cannot load the plugin of {}", backend.name);
            all.push(
                Diagnostic::error(Code::VolumeGone, service.place(&at.at("backend")), message)
                    .related(service.place(&route!["targets", "fleet", "docker"]), "this version")
                    .why(format!("docker {removed_in} removed this kind of plugin")),
            );
        }
        all.extend(too_long(service, data, volume, w));
        if backend.zone.is_some() && backend.plugin.is_some() && volume.zones.is_empty() && !pinned {
            all.push(no_zones(service, data, volume));
        }
        match zones {
            Some((first, other)) if !volume.zones.is_empty() && volume.zones != first => all.push(
                Diagnostic::error(
                    Code::ZoneUnknown,
                    service.key(&at.at("zones")),
                    format!(
                        "the volumes `{}` and `{}` of one member are in different zones",
                        other.name, data.name
                    ),
                )
                .related(service.key(&other.route.at("volume").at("zones")), "the zones of the other volume")
                .why("a machine is in one zone, so it can attach only one of them"),
            ),
            None if !volume.zones.is_empty() => zones = Some((&volume.zones, data)),
            _ => {}
        }
    }
    all
}

fn no_plugin(service: &Service, data: &Data, volume: &model::Volume) -> Diagnostic {
    let place = service.place(&data.route.at("volume").at("backend"));
    let message = format!("there is no docker volume plugin for {} on fleet", volume.backend_name);
    let line = format!(
        "host: \"/mnt/d1/{}-{{{{ member.id }}}}\"   members: {{ pin: {} }}",
        service.name, service.name
    );
    Diagnostic::error(Code::VolumeNoPlugin, place, message)
        .why("fleet runs `docker run` and has no volumes of its own")
        .advice("remove `fleet` from `targets`")
        .fix("or keep the data on the node", line)
}

/// Reports a disk name that is too long. The plugin names disks after volumes, and a disk of Google
/// has at most 63 characters.
fn too_long(service: &Service, data: &Data, volume: &model::Volume, w: &Workload) -> Option<Diagnostic> {
    let last = w.ids().last()?;
    let name = names::volume(data, &names::member(service, Some(last)));
    let gce = volume.backend.plugin.is_some_and(|p| p.driver == "rexray/gcepd");
    (gce && name.len() > 63).then(|| {
        let message =
            format!("the disk name `{name}` has {} characters, but at most 63 are allowed", name.len());
        Diagnostic::error(Code::NameTooLong, service.key(&data.route), message)
            .advice("use a shorter name for the data")
    })
}

fn no_zones(service: &Service, data: &Data, volume: &model::Volume) -> Diagnostic {
    Diagnostic::error(
        Code::ZoneUnknown,
        service.key(&data.route.at("volume")),
        format!("a volume of {} is in one zone, but the spec does not say in which", volume.backend_name),
    )
    .why("fleet could start the member on a machine that cannot attach it")
    .fix("give the zone of each member, in order, under `zones` of the volume", "")
}
