//! The volume backends: what each storage can do, on which target, and since which version.
//!
//! A storage *fences* if it refuses to attach a volume to a second node by itself, even when the
//! first node has lost contact with the orchestrator (see the REX-Ray and CSI drivers named in each
//! row).

use crate::text::names;
use crate::text::units::Version;

/// Whether attaching a volume to one node excludes a second node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fences {
    /// The storage itself excludes a second node, whatever the orchestrator knows.
    Always,
    /// The storage excludes a second node while the first one still reaches the storage.
    WhileConnected,
    /// The storage does not exclude a second node.
    Never,
}

/// A docker volume plugin that serves the backend on fleet and Swarm.
#[derive(Debug, Clone, Copy)]
pub struct Plugin {
    /// The name of the driver.
    pub driver: &'static str,
    /// The option for the size in GiB, if there is one.
    pub size: Option<&'static str>,
    /// The option for the disk type.
    pub kind: Option<&'static str>,
    /// Whether attaching through this plugin excludes a second node.
    pub fences: Fences,
}

/// One row of the table of backends.
#[derive(Debug, Clone, Copy)]
pub struct Backend {
    /// The name in a spec.
    pub name: &'static str,
    /// The CSI driver on Kubernetes; `None` if there is none any more.
    pub csi: Option<&'static str>,
    /// The StorageClass parameter for the disk type.
    pub kind: Option<&'static str>,
    /// The StorageClass parameters that are always set.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Whether a StorageClass needs facts about the cluster that a spec does not have (cluster id,
    /// secrets).
    pub needs_class: bool,
    /// The topology key of the volume's zone; `None` if a volume has no zone.
    pub zone: Option<&'static str>,
    /// Whether attaching through CSI excludes a second node.
    pub fences: Fences,
    /// The docker plugin; `None` if there is none.
    pub plugin: Option<Plugin>,
    /// Why Kubernetes 1.25 to 1.37 cannot use it.
    pub gone: Option<&'static str>,
    /// The first docker engine that no longer loads the plugin.
    pub plugin_until: Option<Version>,
}

impl Backend {
    /// Returns the directory inside a volume that the docker plugin mounts (REX-Ray's
    /// `linux.volume.rootPath`). CSI mounts the root of the volume, where a new ext4 file system
    /// has its `lost+found`.
    pub fn directory(&self) -> Option<String> {
        let rexray = self.plugin.is_some_and(|p| p.driver.starts_with("rexray/"));
        rexray.then(|| "data".to_owned())
    }
}

const NONE: Backend = Backend {
    name: "",
    csi: None,
    kind: None,
    parameters: &[],
    needs_class: false,
    zone: None,
    fences: Fences::Never,
    plugin: None,
    gone: None,
    plugin_until: None,
};

const fn rexray(driver: &'static str, kind: Option<&'static str>, fences: Fences) -> Option<Plugin> {
    Some(Plugin { driver, size: Some("size"), kind, fences })
}

/// The table of backends.
pub const BACKENDS: [Backend; 9] = [
    Backend {
        name: "aws-ebs",
        csi: Some("ebs.csi.aws.com"),
        kind: Some("type"),
        parameters: &[("csi.storage.k8s.io/fstype", "ext4")],
        zone: Some("topology.ebs.csi.aws.com/zone"),
        fences: Fences::Always,
        plugin: rexray("rexray/ebs", Some("volumetype"), Fences::Always),
        ..NONE
    },
    Backend {
        name: "gce-pd",
        csi: Some("pd.csi.storage.gke.io"),
        kind: Some("type"),
        parameters: &[("csi.storage.k8s.io/fstype", "ext4")],
        zone: Some("topology.gke.io/zone"),
        fences: Fences::Always,
        plugin: rexray("rexray/gcepd", Some("volumetype"), Fences::Always),
        ..NONE
    },
    Backend {
        name: "azure-disk",
        csi: Some("disk.csi.azure.com"),
        kind: Some("skuName"),
        // With more than one share, a second node could attach the volume.
        parameters: &[("maxShares", "1")],
        zone: Some("topology.disk.csi.azure.com/zone"),
        fences: Fences::Always,
        ..NONE
    },
    Backend {
        name: "ceph-rbd",
        csi: Some("rbd.csi.ceph.com"),
        needs_class: true,
        // ceph-csi refuses to map an image that has a watcher. A client that loses contact with
        // Ceph loses its watcher after 30 s.
        fences: Fences::WhileConnected,
        plugin: rexray("rexray/rbd", None, Fences::Never),
        ..NONE
    },
    Backend {
        name: "iscsi",
        gone: Some("iscsi has no dynamic claims: log in on the host and write `host:`"),
        ..NONE
    },
    Backend {
        name: "scaleio",
        plugin: rexray("rexray/scaleio", Some("storagepool"), Fences::Always),
        gone: Some("the in-tree ScaleIO volume is gone: write `csi:csi-vxflexos.dellemc.com`"),
        ..NONE
    },
    Backend {
        name: "storageos",
        plugin: Some(Plugin {
            driver: "storageos",
            size: Some("size"),
            kind: None,
            fences: Fences::WhileConnected,
        }),
        gone: Some("the in-tree StorageOS volume was removed, and its CSI driver is no longer maintained"),
        ..NONE
    },
    Backend {
        name: "flocker",
        plugin: Some(Plugin {
            driver: "flocker",
            size: Some("size"),
            kind: Some("profile"),
            fences: Fences::WhileConnected,
        }),
        gone: Some("flocker was removed in Kubernetes 1.25"),
        plugin_until: Some(Version::new(23, 0)),
        ..NONE
    },
    Backend {
        name: "nfs",
        csi: Some("nfs.csi.k8s.io"),
        needs_class: true,
        fences: Fences::Never,
        // Docker's own driver mounts NFS. It has no sizes and excludes no other node.
        plugin: Some(Plugin { driver: "local", size: None, kind: None, fences: Fences::Never }),
        ..NONE
    },
];

/// Returns the backend `name`. `csi:DRIVER` is any other CSI driver, which needs `class`.
pub fn find(name: &str) -> Option<Backend> {
    if let Some(driver) = name.strip_prefix("csi:") {
        return names::dns(driver).then_some(Backend { needs_class: true, csi: Some(""), ..NONE });
    }
    BACKENDS.iter().find(|b| b.name == name).copied()
}
