//! Reads the storage that a PersistentVolume, or a volume in a pod without a claim, names.

use super::drivers::fences;
use crate::backend::Fences;
use crate::text::path::shortest;
use crate::text::yaml::Value;
use crate::world::Missing;

/// The storage that a volume names.
pub(super) enum Inline {
    /// A directory of the node.
    Host(String, Missing),
    /// Storage that is the same from several nodes.
    Share(String, Fences),
    /// Nothing that two pods can both write.
    NoData,
    /// An unknown kind, which may be a share.
    Unknown,
}

/// The kinds of volume that two pods can never both write.
const NO_DATA: [&str; 8] =
    ["configMap", "secret", "projected", "downwardAPI", "emptyDir", "ephemeral", "image", "gitRepo"];

/// The drivers that give a pod secrets or an image, read only (their documentation).
const READ_ONLY_DRIVERS: [&str; 7] = [
    "secrets-store.csi.k8s.io",
    "csi.cert-manager.io",
    "spiffe.csi.cert-manager.io",
    "csi.spiffe.io",
    "shared-resource.openshift.io",
    "container-image.csi.k8s.io",
    "csi-image.warm-metal.tech",
];

/// The kinds of volume from before CSI: field, the subfield with the name, and the CSI driver that
/// replaces it.
const DISKS: [(&str, &[&str], &str); 16] = [
    ("awsElasticBlockStore", &["volumeID"], "ebs.csi.aws.com"),
    ("gcePersistentDisk", &["pdName"], "pd.csi.storage.gke.io"),
    ("azureDisk", &["diskURI"], "disk.csi.azure.com"),
    ("rbd", &["pool", "image"], "rbd.csi.ceph.com"),
    ("cinder", &["volumeID"], "cinder.csi.openstack.org"),
    ("vsphereVolume", &["volumePath"], "csi.vsphere.vmware.com"),
    ("fc", &["targetWWNs", "wwids", "lun"], "fc"),
    ("glusterfs", &["endpoints", "path"], "glusterfs"),
    ("azureFile", &["shareName"], "file.csi.azure.com"),
    ("portworxVolume", &["volumeID"], "pxd.portworx.com"),
    ("quobyte", &["registry", "volume"], "csi.quobyte.com"),
    ("storageos", &["volumeNamespace", "volumeName"], "csi.storageos.com"),
    ("scaleIO", &["system", "volumeName"], "csi-vxflexos.dellemc.com"),
    ("flocker", &["datasetName", "datasetUUID"], "flocker"),
    ("photonPersistentDisk", &["pdID"], "photon"),
    // Nothing keeps a second initiator away.
    ("iscsi", &["targetPortal", "iqn", "lun"], ISCSI),
];

const ISCSI: &str = "iscsi";

/// Returns the kind of a volume, and its settings.
pub(super) fn kind(volume: Value<'_>) -> Option<(&str, Value<'_>)> {
    volume.entries().into_iter().find(|(key, value)| *key != "name" && !value.is_null())
}

/// Returns whether a volume of this kind holds no data, or ends with its pod.
pub(super) fn goes_with_pod(kind: &str) -> bool {
    NO_DATA.contains(&kind)
}

/// Reads the source of a PersistentVolume, or of a volume in a pod without a claim.
pub(super) fn inline(volume: Value<'_>) -> Inline {
    let text = |way: &[&str]| volume.at(way).and_then(Value::as_str).unwrap_or_default();
    if volume.given("local").is_some() {
        return Inline::Host(shortest(text(&["local", "path"])), Missing::Refused);
    }
    if volume.given("hostPath").is_some() {
        // Without a type the kubelet checks nothing, and the container runtime creates the
        // directory.
        let missing = match text(&["hostPath", "type"]) {
            "" | "DirectoryOrCreate" | "FileOrCreate" => Missing::Created,
            _ => Missing::Refused,
        };
        return Inline::Host(directory(text(&["hostPath", "path"])), missing);
    }
    if volume.given("nfs").is_some() {
        return Inline::Share(nfs(text(&["nfs", "server"]), text(&["nfs", "path"])), Fences::Never);
    }
    if let Some(cephfs) = volume.given("cephfs") {
        let monitors = cephfs.get("monitors").map(Value::texts).unwrap_or_default().join(",");
        let path = shortest(&format!("/{}", text(&["cephfs", "path"])));
        return Inline::Share(format!("cephfs {monitors} {path}"), Fences::Never);
    }
    if let Some(csi) = volume.given("csi") {
        return of_driver(csi);
    }
    if let Some(flex) = volume.given("flexVolume") {
        let name = format!("flexVolume {} {}", text(&["flexVolume", "driver"]), all(flex.get("options")));
        return Inline::Share(name, Fences::Never);
    }
    let found = DISKS.iter().find_map(|(field, ids, driver)| Some((volume.given(field)?, ids, driver)));
    if let Some((disk, ids, driver)) = found {
        let id = |key: &&str| {
            let value = disk.given(key)?;
            value.text().or_else(|| Some(value.texts().join(",")))
        };
        let name = ids.iter().filter_map(id).collect::<Vec<_>>().join(" ");
        // On AWS the zone may precede the id.
        let name = if *driver == "ebs.csi.aws.com" { last(&name) } else { &name };
        let keeps = if *driver == ISCSI { Fences::Never } else { fences(driver) };
        return Inline::Share(format!("{driver} {name}"), keeps);
    }
    match kind(volume) {
        Some((kind, _)) if !goes_with_pod(kind) => Inline::Unknown,
        _ => Inline::NoData,
    }
}

/// Reads the volume of a CSI driver, of a PersistentVolume or in a pod.
fn of_driver(csi: Value<'_>) -> Inline {
    let text = |key| csi.get(key).and_then(Value::as_str).unwrap_or_default();
    let driver = text("driver");
    if READ_ONLY_DRIVERS.contains(&driver) {
        return Inline::NoData;
    }
    let attributes = csi.given("volumeAttributes");
    if let Some(name) = attributes.and_then(|a| share(driver, a)) {
        return Inline::Share(name, Fences::Never);
    }
    match (text("volumeHandle"), fences(driver)) {
        ("", Fences::Never) => Inline::Share(format!("{driver} {}", all(attributes)), Fences::Never),
        ("", _) => Inline::Unknown,
        (handle, fences) => Inline::Share(format!("{driver} {handle}"), fences),
    }
}

/// Returns the share that the parameters name: `server` and `share` of csi-driver-nfs, `source` of
/// csi-driver-smb.
pub(super) fn share(driver: &str, parameters: Value<'_>) -> Option<String> {
    // The drivers read keys in any case.
    let text = |key: &str| {
        let found = parameters.entries().into_iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        found.and_then(|(_, value)| value.as_str())
    };
    let below = text("subDir").unwrap_or_default();
    if let (Some(server), Some(share)) = (text("server"), text("share")) {
        return Some(nfs(server, &format!("{share}/{below}")));
    }
    let source = text("source").filter(|_| driver.contains("smb"))?;
    let (server, path) = source.trim_start_matches('/').split_once('/').unwrap_or((source, ""));
    Some(format!("smb //{}{}", host(server), shortest(&format!("/{path}/{below}"))))
}

/// Returns the name of a directory of an NFS server.
pub(super) fn nfs(server: &str, path: &str) -> String {
    format!("nfs {}:{}", host(server), shortest(path))
}

/// Returns the canonical spelling of a host: case and a final dot do not count in a DNS name
/// (RFC 4343, RFC 1034 section 3.1).
fn host(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

/// Returns the canonical spelling of a directory of a node: `/var/run` is a link to `/run` (FHS
/// 3.0, 5.13).
fn directory(path: &str) -> String {
    let path = shortest(path);
    match path.strip_prefix("/var/run") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("/run{rest}"),
        _ => path,
    }
}

/// Returns all entries of a map in a fixed order.
fn all(map: Option<Value<'_>>) -> String {
    let mut all: Vec<String> = map
        .map(Value::entries)
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    all.sort();
    all.join(" ")
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
