//! Whether a volume driver keeps a second node off.

use crate::backend::{BACKENDS, Fences};

/// Provisioners in Kubernetes itself, and the drivers they were moved to.
const IN_TREE: [(&str, &str); 4] = [
    ("kubernetes.io/aws-ebs", "ebs.csi.aws.com"),
    ("kubernetes.io/gce-pd", "pd.csi.storage.gke.io"),
    ("kubernetes.io/azure-disk", "disk.csi.azure.com"),
    ("kubernetes.io/rbd", "rbd.csi.ceph.com"),
];

/// Provisioners that make a directory or a disk of one node, and tie the volume to it.
const ONE_NODE: [&str; 6] = [
    "rancher.io/local-path",
    "openebs.io/local",
    "local.csi.openebs.io",
    "topolvm.io",
    "topolvm.cybozu.com",
    "lvm.csi.metal-stack.io",
];

/// Shares: every node may mount them, whatever the access mode says.
const SHARES: [&str; 8] =
    ["nfs", "efs.csi", "file.csi", "filestore", "cephfs", "smb.csi", "glusterfs", "lustre"];

/// Whether attaching through `driver` keeps another node off. Of a driver that is not known, the
/// attach/detach controller takes the volume from a node that does not answer for 6 minutes.
pub(super) fn fences(driver: &str) -> Fences {
    let driver = IN_TREE.iter().find(|(old, _)| *old == driver).map_or(driver, |(_, new)| new);
    if let Some(row) = BACKENDS.iter().find(|b| b.csi == Some(driver)) {
        return row.fences;
    }
    if ONE_NODE.contains(&driver) {
        return Fences::Always;
    }
    if SHARES.iter().any(|s| driver.contains(s)) { Fences::Never } else { Fences::WhileConnected }
}
