//! Knows whether a volume driver excludes a second node.

use crate::backend::{BACKENDS, Fences};

/// The provisioners that were part of Kubernetes, and the drivers that replace them.
const IN_TREE: [(&str, &str); 4] = [
    ("kubernetes.io/aws-ebs", "ebs.csi.aws.com"),
    ("kubernetes.io/gce-pd", "pd.csi.storage.gke.io"),
    ("kubernetes.io/azure-disk", "disk.csi.azure.com"),
    ("kubernetes.io/rbd", "rbd.csi.ceph.com"),
];

/// The provisioners that use a directory or disk of one node, and bind the volume to that node.
const ONE_NODE: [&str; 6] = [
    "rancher.io/local-path",
    "openebs.io/local",
    "local.csi.openebs.io",
    "topolvm.io",
    "topolvm.cybozu.com",
    "lvm.csi.metal-stack.io",
];

/// The drivers of shares: every node can mount them, whatever the access mode is.
const SHARES: [&str; 8] =
    ["nfs", "efs.csi", "file.csi", "filestore", "cephfs", "smb.csi", "glusterfs", "lustre"];

/// Returns whether attaching through `driver` excludes a second node. With an unknown driver, the
/// attach/detach controller detaches the volume from a node that does not answer for 6 minutes.
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
