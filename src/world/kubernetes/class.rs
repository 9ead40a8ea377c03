//! Reads StorageClasses: where the volume of a claim is.

use super::claim::Claim;
use super::drivers::fences;
use super::inline::{nfs, share};
use super::object::Object;
use crate::backend::Fences;
use crate::text::yaml::Value;
use crate::world::{Missing, Source};

/// The provisioners that create a directory on a node without binding the volume to that node. On
/// another node the container runtime creates an empty directory (minikube
/// `pkg/storage/storage_provisioner.go`, a hostPath volume without a node affinity).
const LOOSE: [&str; 3] = ["k8s.io/minikube-hostpath", "docker.io/hostpath", "kubernetes.io/host-path"];

/// The parameters with the directory of the share that a claim gets.
const PATTERNS: [&str; 3] = ["subDir", "pathPattern", "subPathPattern"];

/// The storage that a class creates for a claim.
pub(super) enum Made {
    /// A separate volume, and how well it excludes a second node.
    Own(Fences),
    /// Nothing: the volume is created by hand.
    ByHand,
    /// Storage that other claims or nodes can also have.
    Source(Source),
}

/// Returns the storage that `class` creates for `claim`.
pub(super) fn make(class: Option<&Object<'_>>, claim: &Claim<'_>) -> Made {
    let text = |way: &[&str]| class.and_then(|c| c.root.at(way)).and_then(Value::as_str);
    let Some(driver) = text(&["provisioner"]) else { return Made::Own(Fences::WhileConnected) };
    if driver == "kubernetes.io/no-provisioner" {
        return Made::ByHand;
    }
    if LOOSE.contains(&driver) {
        let path = format!("directory of claim {}/{}", claim.namespace, claim.name);
        return Made::Source(Source::host(path, Missing::Created));
    }
    if let Some(name) =
        class.and_then(|c| c.root.given("parameters")).and_then(|p| directory(driver, p, claim))
    {
        let (one_pod, reserved, missing) = (None, None, Missing::Refused);
        return Made::Source(Source::Volume { name, fences: Fences::Never, one_pod, reserved, missing });
    }
    if shared(driver, class) {
        return Made::Own(Fences::WhileConnected);
    }
    Made::Own(fences(driver))
}

/// Returns whether the class attaches a disk to several nodes at once (Azure's `maxShares`).
pub(super) fn shared(driver: &str, class: Option<&Object<'_>>) -> bool {
    let shares = class.and_then(|c| c.root.at(&["parameters", "maxShares"]));
    driver.ends_with("disk.csi.azure.com") && shares.is_some_and(|s| !s.is("1"))
}

/// Returns the directory that a claim gets, if a parameter of the class sets it. Claims with the same
/// directory write to it together: csi-driver-nfs `subDir`, nfs-subdir-external-provisioner
/// `pathPattern`, aws-efs-csi-driver `subPathPattern` with `ensureUniqueDirectory: "false"`.
fn directory(driver: &str, parameters: Value<'_>, claim: &Claim<'_>) -> Option<String> {
    let text = |key: &str| parameters.get(key).and_then(Value::as_str);
    let (key, pattern) = PATTERNS.iter().find_map(|key| Some((*key, text(key)?)))?;
    if key == "subPathPattern" && text("ensureUniqueDirectory") != Some("false") {
        return None;
    }
    let path = resolve(pattern, claim);
    if let (Some(server), Some(share)) = (text("server"), text("share")) {
        return Some(nfs(server, &format!("{share}/{path}")));
    }
    let base = share(driver, parameters).or_else(|| text("fileSystemId").map(ToOwned::to_owned));
    Some(format!("{driver} {} {path}", base.unwrap_or_default()))
}

/// Replaces the variables in a pattern: `${pvc.metadata.name}`, `${.PVC.namespace}`,
/// `{{ .PVC.Name }}`, `${.PVC.annotations.KEY}`. An unknown variable is treated as different for
/// each claim.
fn resolve(pattern: &str, claim: &Claim<'_>) -> String {
    let mut path = String::new();
    let mut rest = pattern;
    while let Some(start) = rest.find("${").or_else(|| rest.find("{{")) {
        let end = rest[start..].find('}').map_or(rest.len(), |end| start + end);
        path.push_str(&rest[..start]);
        path.push_str(&variable(rest[start + 2..end].trim().trim_start_matches('.'), claim));
        rest = rest[end..].trim_start_matches('}');
    }
    path.push_str(rest);
    path
}

fn variable(name: &str, claim: &Claim<'_>) -> String {
    let lower = name.to_lowercase().replace(".metadata.", ".");
    let map = |map: &str| {
        let key = name.splitn(3, '.').nth(2).unwrap_or_default();
        let value = claim.metadata.and_then(|m| m.at(&[map, key])).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    match lower.as_str() {
        "pvc.namespace" => claim.namespace.clone(),
        "pvc.name" => claim.name.clone(),
        name if name.starts_with("pvc.labels.") => map("labels"),
        name if name.starts_with("pvc.annotations.") => map("annotations"),
        _ => format!("{}-{}", claim.namespace, claim.name),
    }
}
