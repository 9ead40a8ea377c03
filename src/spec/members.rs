//! The blocks `members` and `exclusive`, as written.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::allowed::{
    ADDRESS, BYTES, LABEL_KEY, LABEL_VALUE, MAX_FIRST, MAX_MEMBERS, NAME, PATH, backends, map, ports,
    short_keys,
};
use super::parts::{IdSpace, Pin, Value};
use super::ports::PortSpec;

/// The members: either `per: node`, or a `count`.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MembersSpec {
    /// `node`: one member on each node that has the labels of `on`.
    ///
    /// - Kubernetes: a DaemonSet instead of a StatefulSet.
    /// - fleet: a unit with `Global=true`.
    /// - Swarm: a service with `mode: global`.
    #[schemars(extend("examples" = ["node"]))]
    pub per: Option<Per>,
    /// The node labels (on fleet: metadata) that select the nodes of a `per: node` service.
    ///
    /// - Kubernetes: `nodeSelector`.
    /// - fleet: `MachineMetadata`.
    /// - Swarm: constraints on `node.labels`.
    #[schemars(transform = map(LABEL_KEY, LABEL_VALUE), extend("examples" = [{ "orders-db": "true" }]))]
    pub on: Option<IndexMap<String, String>>,
    /// The nodes and their addresses. Needed when a value lists the members.
    ///
    /// - Every target: nothing of its own. `members` and `peers(…)` list these addresses.
    #[schemars(transform = map(NAME, ADDRESS), extend("examples" = [{ "node-a": "10.0.0.21" }]))]
    pub known: Option<IndexMap<String, String>>,
    /// Whether the nodes of `on` run nothing else.
    ///
    /// - Kubernetes: a toleration of the taint `dedicated=SERVICE:NoSchedule`.
    /// - fleet and Swarm: nothing. These are the gaps `fleet/members.dedicated` and
    ///   `swarm/members.dedicated`.
    #[schemars(extend("default" = false), extend("examples" = [true]))]
    pub dedicated: Option<bool>,
    /// The number of members.
    ///
    /// - Kubernetes: `replicas` of the StatefulSet.
    /// - fleet: a unit for each member.
    /// - Swarm: a stack file for each member.
    #[schemars(range(min = 1, max = MAX_MEMBERS), extend("examples" = [3]))]
    pub count: Option<u32>,
    /// The id of the first member; the default is 0.
    ///
    /// - Kubernetes: `ordinals.start`, from 1.27 on.
    /// - fleet: the number in the name of the first unit.
    /// - Swarm: the number in the name of the first file.
    #[schemars(range(max = MAX_FIRST), extend("default" = 0), extend("examples" = [1]))]
    pub first: Option<u32>,
    /// A node label (on fleet: metadata) that pins each member to a node: member n runs on the one
    /// node where the label has the value n.
    ///
    /// - Kubernetes: the `nodeAffinity` of the local volumes, so the members need a `host` directory. A
    ///   single member without one gets a `nodeSelector`.
    /// - fleet: `MachineMetadata=LABEL=ID`.
    /// - Swarm: the constraint `node.labels.LABEL == ID`.
    #[schemars(extend("examples" = ["orders-db", { "label": "orders-db", "at": { "0": "10.0.0.31" } }]))]
    pub pin: Option<Pin>,
}

/// The unit that has one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// One member on each matching node.
    Node,
}

/// The resources that at most one running container may hold at any time.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExclusiveSpec {
    /// The data directories, by name.
    #[schemars(transform = short_keys)]
    pub data: Option<IndexMap<String, DataSpec>>,
    /// The ports, by name. A number alone is a TCP port for clients.
    #[schemars(transform = ports, extend("examples" = [
        { "client": 5432 },
        { "gossip": { "port": 8301, "protocol": "udp", "for": "peers" } },
    ]))]
    pub ports: Option<IndexMap<String, PortSpec>>,
    /// Each member has a unique id. `true` makes ids unique in this service; a name makes them
    /// unique across all services with the same name here.
    ///
    /// - Kubernetes: the ordinal in the name of the pod.
    /// - fleet: the number in the name of the unit.
    /// - Swarm: the number in the name of the service.
    #[schemars(extend("default" = false, "examples" = [true, "mysql-servers"]))]
    pub id: Option<IdSpace>,
    /// Whether the hostname of a member is its name.
    ///
    /// - Kubernetes: the name of the pod.
    /// - fleet and Swarm: the hostname of the container, which is set also without this field. It makes the
    ///   hostname a resource of the certificate.
    #[schemars(extend("default" = false), extend("examples" = [true]))]
    pub hostname: Option<bool>,
    /// `node`: members use the network of the node.
    ///
    /// - Kubernetes: `hostNetwork: true` and `hostPort`.
    /// - fleet: `--net host`.
    /// - Swarm: the network `host`. The ports are also published, as locks of the node.
    #[schemars(extend("examples" = ["node"]))]
    pub address: Option<Address>,
    /// Whether only one container may write, for a service without data of its own.
    ///
    /// - Every target: no line of its own. The certificate has a row for the right to write.
    #[schemars(extend("default" = false), extend("examples" = [true]))]
    pub writer: Option<bool>,
    /// `lock`: the process holds a lock on its first data directory. This needs `command`, and `sh`
    /// and `flock` in the image.
    ///
    /// - Every target: `/bin/sh -c` with `flock` on the first data directory, which then becomes the
    ///   command.
    #[schemars(extend("examples" = ["lock"]))]
    pub guard: Option<Guard>,
}

/// The kinds of exclusive address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Address {
    /// The address of the node.
    Node,
}

/// The kinds of guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Guard {
    /// `flock` on the data directory. The process itself holds the lock.
    Lock,
}

/// A data directory: `host` on the node, or `volume` on the network.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataSpec {
    /// The path in the container.
    ///
    /// - Kubernetes: `mountPath`.
    /// - fleet and Swarm: the target of the mount.
    #[schemars(pattern(PATH), extend("examples" = ["/var/lib/postgresql/data"]))]
    pub mount: Option<String>,
    /// The directory on the node, inside a mounted disk. Nothing creates it automatically.
    ///
    /// - Kubernetes: a local PersistentVolume for each member, claimed by its pod, or a `hostPath` for
    ///   `per: node`.
    /// - fleet: `--mount type=bind`. The name of the container is made from the path, so docker refuses a
    ///   second one.
    /// - Swarm: a volume of `type: bind`.
    #[schemars(extend("examples" = ["/mnt/d1/orders-db-{{ member.id }}"]))]
    pub host: Option<Value>,
    /// The size. Kubernetes needs it for pinned members.
    ///
    /// - Kubernetes: the capacity of the local volume and the request of its claim.
    /// - fleet and Swarm: nothing: a directory has the size of its disk.
    #[schemars(pattern(BYTES), extend("examples" = ["20Gi"]))]
    pub size: Option<String>,
    /// A network volume that moves with the member.
    pub volume: Option<VolumeSpec>,
}

/// A network volume, one for each member.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VolumeSpec {
    /// The storage backend: aws-ebs, gce-pd, azure-disk, ceph-rbd, iscsi, scaleio, storageos,
    /// flocker, nfs or csi:NAME.
    ///
    /// - Kubernetes: a `volumeClaimTemplate` with a StorageClass of its driver.
    /// - fleet: a volume of its docker plugin, `--mount type=volume`.
    /// - Swarm: a volume of its docker plugin, or a cluster volume with `targets.swarm.volume: csi`.
    #[schemars(extend("anyOf" = [{ "enum": backends() }, { "pattern": "^csi:." }]), extend("examples" = ["aws-ebs", "csi:rbd.csi.ceph.com"]))]
    pub backend: Option<String>,
    /// The size, such as "100Gi".
    ///
    /// - Kubernetes: the request of the claim.
    /// - fleet: an argument of `docker volume create` in certificate.md.
    /// - Swarm: `driver_opts`, or `--required-bytes` of a cluster volume.
    #[schemars(pattern(BYTES), extend("examples" = ["100Gi"]))]
    pub size: Option<String>,
    /// The name of an existing StorageClass. Without it, berthc emits one.
    ///
    /// - Kubernetes: `storageClassName` of the claim.
    /// - fleet and Swarm: nothing.
    #[schemars(pattern(NAME), extend("examples" = ["fast"]))]
    pub class: Option<String>,
    /// The disk type, in the notation of the backend.
    ///
    /// - Kubernetes: a parameter of the StorageClass.
    /// - fleet and Swarm: an option of the docker volume.
    #[schemars(extend("examples" = ["gp3"]))]
    pub r#type: Option<String>,
    /// The zones. Member i lives in zone i mod n.
    ///
    /// - Kubernetes: the topology of the StorageClass, and a spread over the zones for several of them.
    /// - fleet: `MachineMetadata=zone=ZONE`.
    /// - Swarm: the constraint `node.labels.zone == ZONE`.
    #[schemars(inner(pattern(LABEL_VALUE)), extend("examples" = [["eu-central-1a", "eu-central-1b"]]))]
    pub zones: Option<Vec<String>>,
    /// Additional parameters, in the notation of the backend.
    ///
    /// - Kubernetes: parameters of the StorageClass.
    /// - fleet and Swarm: options of the docker volume.
    #[schemars(extend("examples" = [{ "iops": "6000" }]))]
    pub options: Option<IndexMap<String, String>>,
}
