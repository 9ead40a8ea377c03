//! The files of podman's Quadlet by name (podman-systemd.unit(5)).

use crate::text::unit;
use crate::world::File;

/// The ending of the name of such a file.
pub const CONTAINER: &str = ".container";
/// Others of the generator: those that start no container themselves.
const QUIET: [&str; 6] = [".volume", ".network", ".image", ".build", ".pod", ".artifact"];

/// Returns the last part of a path.
pub fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a file of this name is one of Quadlet's that starts no container.
pub fn is_quiet(file: &str) -> bool {
    QUIET.iter().any(|kind| file.ends_with(kind))
}

/// Returns the name of the service that is made of a file.
pub fn service(file: &str) -> Option<String> {
    file.strip_suffix(CONTAINER).map(|stem| format!("{stem}.service"))
}

/// Returns whether the generator reads a section of a file: `[Volume]` of a `.volume`.
pub fn is_section_of(section: &str, file: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, kind)| section.to_ascii_lowercase() == kind)
        && section.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Returns the name of the service that is made of any file of Quadlet: `After=` may name the file
/// (`translateUnitDependencies`).
pub fn any_service(file: &str) -> Option<String> {
    let (stem, kind) = file.rsplit_once('.').filter(|_| !file.contains('/'))?;
    match kind {
        "container" | "kube" => Some(format!("{stem}.service")),
        _ => is_quiet(file).then(|| format!("{stem}-{kind}.service")),
    }
}

/// Returns the volumes that a value of `Volume=` or `Mount=` names by their own files.
pub fn volumes(value: &str) -> impl Iterator<Item = &str> {
    value.split([':', ',', '=']).filter_map(|part| part.strip_suffix(".volume"))
}

/// Returns the file of the pod that a value of `Pod=` names.
pub fn is_pod(file: &str) -> bool {
    file.ends_with(".pod")
}

/// The keys of `[Pod]` that hold for each container of the pod (podman-pod-create(1): its containers
/// share its volumes and its hostname).
pub const OF_POD: [&str; 2] = ["HostName", "Volume"];

/// The section that has the settings of the volume `stem` in the lines of a unit.
pub fn section(stem: &str) -> String {
    format!("Volume {stem}")
}

/// Returns the last value of a key of a file.
pub fn value(file: &File<'_>, section: &str, key: &str) -> Option<String> {
    let (settings, _) = unit::read(file.text);
    settings.into_iter().rfind(|s| s.section == section && s.key == key).map(|s| s.value)
}

/// Returns the name of the volume or network that a file makes, after the key of a container that mounts or joins it.
pub fn made(file: &File<'_>) -> Option<(&'static str, String)> {
    let (stem, kind) = base(file.path).rsplit_once('.')?;
    let (key, own) = match kind {
        "volume" => ("Volume", "VolumeName"),
        "network" => ("Network", "NetworkName"),
        _ => return None,
    };
    Some((key, value(file, key, own).unwrap_or_else(|| format!("systemd-{stem}"))))
}
