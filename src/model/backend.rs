//! The volume backends: one table of what each storage can do, where, and since when.
//!
//! *Fences* means that attaching excludes a second node by the storage itself, also one that is
//! cut off from the orchestrator (see the REX-Ray and CSI drivers named in each row).

use super::units::Version;

/// Whether attaching a volume excludes a second node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fences {
    /// By the storage itself, whatever the orchestrator believes.
    Always,
    /// As long as the old node still reaches the storage.
    WhileConnected,
    /// Not at all.
    Never,
}

/// A docker volume plugin that serves the backend on fleet and Swarm.
#[derive(Debug, Clone, Copy)]
pub struct Plugin {
    /// Driver name.
    pub driver: &'static str,
    /// Option that takes the size in GiB, if there is one.
    pub size: Option<&'static str>,
    /// Option that takes the kind of disk.
    pub kind: Option<&'static str>,
    /// Whether attaching through this plugin fences.
    pub fences: Fences,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Backend {
    /// As a spec names it.
    pub name: &'static str,
    /// CSI driver on Kubernetes; `None` where there is none any more.
    pub csi: Option<&'static str>,
    /// Parameter of the StorageClass that takes the kind of disk.
    pub kind: Option<&'static str>,
    /// Parameters that are always written out.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Whether a StorageClass cannot be made without knowing more (cluster id, secrets).
    pub needs_class: bool,
    /// Key of the zone a volume lives in; `None` when it is not bound to one.
    pub zone: Option<&'static str>,
    /// Whether attaching through CSI fences.
    pub fences: Fences,
    /// Docker plugin; `None` where there is none.
    pub plugin: Option<Plugin>,
    /// Why Kubernetes 1.25 to 1.37 cannot have it.
    pub gone: Option<&'static str>,
    /// First docker engine that cannot load the plugin any more.
    pub plugin_until: Option<Version>,
}

impl Backend {
    /// The directory of a volume that its docker plugin hands out: REX-Ray's `linux.volume.rootPath`.
    /// CSI hands out the whole, where a new ext4 has its `lost+found`.
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

/// The table.
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
        // More shares than one would let a second node attach.
        parameters: &[("maxShares", "1")],
        zone: Some("topology.disk.csi.azure.com/zone"),
        fences: Fences::Always,
        ..NONE
    },
    Backend {
        name: "ceph-rbd",
        csi: Some("rbd.csi.ceph.com"),
        needs_class: true,
        // ceph-csi refuses to map an image that has a watcher; a client cut off from Ceph loses
        // its watcher after 30 s.
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
        gone: Some("the in-tree StorageOS volume was removed, and no CSI driver of it is alive"),
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
        // Docker's own driver mounts NFS; it has no sizes and excludes nobody.
        plugin: Some(Plugin { driver: "local", size: None, kind: None, fences: Fences::Never }),
        ..NONE
    },
];

/// The row that `name` names. `csi:DRIVER` is any other CSI driver, which needs `class`.
pub fn find(name: &str) -> Option<Backend> {
    if let Some(driver) = name.strip_prefix("csi:") {
        return super::names::dns(driver).then_some(Backend { needs_class: true, csi: Some(""), ..NONE });
    }
    BACKENDS.iter().find(|b| b.name == name).copied()
}
