//! The files of podman's Quadlet by name (podman-systemd.unit(5)).

/// The ending of the name of such a file.
pub const CONTAINER: &str = ".container";
/// Others of the generator: those that start no container themselves.
const QUIET: [&str; 5] = [".volume", ".network", ".image", ".build", ".pod"];
/// Whether a file of this name is one of Quadlet's that starts no container.
pub fn is_quiet(file: &str) -> bool {
    QUIET.iter().any(|kind| file.ends_with(kind))
}

/// Returns the name of the service that is made of a file.
pub fn service(file: &str) -> Option<String> {
    file.strip_suffix(CONTAINER).map(|stem| format!("{stem}.service"))
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
