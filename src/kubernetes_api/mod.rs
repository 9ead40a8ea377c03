//! The types of the Kubernetes API, and the fields that its server drops.
//!
//! `types.txt` has the types of Kubernetes 1.37, one per line, from the OpenAPI document of the
//! API server (the strict schemas of kubernetes-validate 1.37.0): `s` is text, `i` a whole number,
//! `b` a boolean, `n` a number, `~` text or a number, `*` anything, `[T]` a list, `{T}` a map.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// The fields of a type, each with the name of its own type.
pub type Fields = FxHashMap<&'static str, &'static str>;

/// The types by name.
pub static TYPES: LazyLock<FxHashMap<&str, Fields>> = LazyLock::new(|| {
    let lines = include_str!("types.txt").lines().filter_map(|line| line.split_once(": "));
    lines
        .map(|(name, fields)| (name, fields.split(' ').filter_map(|f| f.split_once('=')).collect()))
        .collect()
});

/// The fields of feature gates that are off by default in 1.37: the type, the field and the gate. The API
/// server drops such a field even under strict validation, without a warning (tried on 1.37.2; the gates
/// are in kubernetes `pkg/features/kube_features.go`).
const OFF: [(&str, &str, &str); 7] = [
    ("EmptyDirVolumeSource", "mode", "EmptyDirVolumeMode"),
    ("GRPCAction", "mode", "GRPCContainerProbeTLS"),
    ("HTTPGetAction", "protocol", "H2CContainerProbe"),
    ("Lifecycle", "stopSignal", "ContainerStopSignals"),
    ("PodSpec", "evictionResponders", "EvictionRequestAPI"),
    ("PodSpec", "schedulingGroup", "GenericWorkload"),
    ("VolumeMount", "bindMountOptions", "VolumeBindMountOptions"),
];

/// Returns the feature gate that is off by default and without which the server drops `field` of the type
/// `of`.
#[must_use]
pub fn gate(of: &str, field: &str) -> Option<&'static str> {
    OFF.iter().find(|(name, key, _)| (*name, *key) == (of, field)).map(|(_, _, gate)| *gate)
}

/// Returns the type of the items of a list.
#[must_use]
pub fn item(of: &str) -> Option<&str> {
    of.strip_prefix('[')?.strip_suffix(']')
}

/// Returns the type of the values of a map with any keys.
#[must_use]
pub fn entry(of: &str) -> Option<&str> {
    of.strip_prefix('{')?.strip_suffix('}')
}
