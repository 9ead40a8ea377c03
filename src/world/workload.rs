//! What a World is made of: workloads, their members, and what each member mounts, wants and takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::unread::Unread;
use crate::backend::Fences;
use crate::finding::{At, Finding};
use crate::images::Software;

/// One file to read.
#[derive(Debug, Clone, Copy)]
pub struct File<'f> {
    /// As places name it; its ending tells units from YAML.
    pub path: &'f str,
    /// Its whole text.
    pub text: &'f str,
}

/// What the files of one orchestrator say.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// In the order of the files.
    pub workloads: Vec<Workload>,
    /// Kubernetes: the PersistentVolumes that name their storage, in the order of the files.
    pub volumes: Vec<PersistentVolume>,
    /// What no reader understands, and what that may hide.
    pub unread: Vec<Unread>,
    /// Files of which a whole document could not be read.
    pub lost: Vec<String>,
    /// What one look at the files tells.
    pub findings: Vec<Finding>,
}

/// How an orchestrator makes containers of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Kubernetes: one pod on each matching node, of no number.
    DaemonSet,
    /// Kubernetes: numbered pods, each name once in the API.
    StatefulSet,
    /// Kubernetes: a Deployment, ReplicaSet or ReplicationController: pods of no number.
    Replicas,
    /// Kubernetes: a bare Pod, made once.
    Pod,
    /// fleet: a unit, on one machine.
    Unit,
    /// fleet: `Global=true`, on each matching machine.
    GlobalUnit,
    /// Swarm: tasks in slots, which do not stick to nodes.
    Replicated,
    /// Swarm: `mode: global`, one task on each matching node.
    Global,
}

impl Kind {
    /// Whether there is one container on each matching node, and the node is the identity.
    pub fn per_node(self) -> bool {
        matches!(self, Self::DaemonSet | Self::GlobalUnit | Self::Global)
    }
}

/// Containers of one description.
#[derive(Debug, Clone)]
pub struct Workload {
    /// As the orchestrator's own tools name it: `statefulset/zookeeper`, `zookeeper@1.service`,
    /// `zookeeper-1`.
    pub name: String,
    /// The namespace on Kubernetes; empty elsewhere.
    pub scope: String,
    /// How containers are made of it.
    pub kind: Kind,
    /// Where it begins.
    pub at: At,
    /// Where its kind stands: `kind`, `deploy.mode`, `X-Fleet Global`; else where it begins.
    pub kind_at: At,
    /// How many members the file asks for, which may be more than are read.
    pub count: u32,
    /// Where `count` stands; `None` for the orchestrator's default.
    pub count_at: Option<At>,
    /// What it is called among its like, to tell revisions from neighbours: the value of
    /// `app.kubernetes.io/name` or `app`, the unit's prefix, the service's label; else its name.
    pub family: String,
    /// The image, without its registry and tag: `elasticsearch`; empty when it is unknown.
    pub image: String,
    /// The software that serves in it, if that is known and keeps data.
    pub software: Option<Arc<Software>>,
    /// The labels of its containers (pods), for selectors.
    pub labels: BTreeMap<String, String>,
    /// Its members in order; exactly one, which stands for each node's, where the node is the
    /// identity. A workload of no members (`replicas: 0`) has none.
    pub members: Vec<Member>,
    /// Someone says that at most one container may be each member, though it has no data. No
    /// reader finds that in files.
    pub single: bool,
    /// What a node must carry for every member.
    pub wants: Vec<Want>,
    /// Next to what the scheduler places none of it.
    pub apart: Vec<Apart>,
    /// Taints of a node that it tolerates (Kubernetes).
    pub tolerates: Vec<Toleration>,
    /// What places it in place of Kubernetes' default scheduler: a node's name, another scheduler.
    pub placed_by: Option<At>,
    /// Most containers of it on one node, as the scheduler counts them (Swarm's
    /// `max_replicas_per_node`).
    pub most: Option<(u32, At)>,
    /// Ports of the node that it takes.
    pub ports: Vec<Port>,
    /// It runs on the node's own network.
    pub node_network: Option<At>,
    /// How a new description replaces the old one.
    pub update: Update,
    /// The same for a rollback, where the orchestrator has its own setting for that (Swarm).
    pub rollback: Update,
    /// A new container follows one that ended. Without it (Swarm's `condition: none`) only a new
    /// description brings one.
    pub restarts: bool,
    /// Seconds that a container has to stop before it is killed.
    pub grace: u32,
    /// Where `grace` stands; `None` for the orchestrator's default.
    pub grace_at: Option<At>,
    /// The process holds `flock` on this file or directory of the container as long as it lives.
    pub lock: Option<(String, At)>,
    /// Its start kills whatever container has its name, also another's (fleet).
    pub kills: Option<At>,
    /// Its start ends the container that has its own container's name, whosever that is (fleet).
    pub ends_name: Option<At>,
    /// Its start first stops what is left of its own, and nothing else's, and waits for the end:
    /// by label (fleet).
    pub cleans: Option<At>,
    /// The container outlives what the orchestrator stops: `docker run -d`, `KillMode=none`,
    /// `--restart=always` (fleet).
    pub outlives: Option<At>,
    /// A claim of it says that it serves pods of many nodes (Kubernetes' ReadWriteMany).
    pub many: Option<At>,
    /// How a controller updates its members, if they keep a quorum (Kubernetes).
    pub rolling: Option<Rolling>,
    /// Paths whose disks are mounted before it starts: systemd's `RequiresMountsFor` (fleet).
    pub mounted: Vec<(String, At)>,
    /// Volumes without which it does not start: `docker volume inspect` before the start (fleet).
    pub inspects: Vec<Inspect>,
}

impl Workload {
    /// A workload of one member and no rules; of its update the old container stops first.
    pub fn new(name: String, kind: Kind, at: At) -> Self {
        let update = Update { order: Order::StopFirst, at: None };
        Self {
            family: name.clone(),
            name,
            scope: String::new(),
            kind,
            kind_at: at.clone(),
            at,
            count: 1,
            count_at: None,
            image: String::new(),
            software: None,
            labels: BTreeMap::new(),
            members: Vec::new(),
            single: false,
            wants: Vec::new(),
            apart: Vec::new(),
            tolerates: Vec::new(),
            placed_by: None,
            most: None,
            ports: Vec::new(),
            node_network: None,
            rollback: update.clone(),
            update,
            restarts: true,
            grace: 0,
            grace_at: None,
            lock: None,
            kills: None,
            ends_name: None,
            cleans: None,
            outlives: None,
            many: None,
            rolling: None,
            mounted: Vec::new(),
            inspects: Vec::new(),
        }
    }
}

/// The way a StatefulSet updates members that keep a quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rolling {
    /// The number of members.
    pub members: u32,
    /// The most members that the controller stops at once (`maxUnavailable`), and where.
    pub most: (u32, At),
    /// The line that asks for `Parallel`. Since 1.37 the controller then deletes all old pods that
    /// are not available at once, whatever `most` says.
    pub parallel: Option<At>,
    /// The seconds for which a ready pod is not yet available (`minReadySeconds`), and where.
    pub pause: Option<(u32, At)>,
}

/// A `docker volume inspect` that must succeed before the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspect {
    /// The words of its line: the volume, and the driver where the line asks for one.
    pub words: Vec<String>,
    /// Where.
    pub at: At,
}

/// A taint of nodes that pods are placed on all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toleration {
    /// The key of the taint; empty for every key.
    pub key: String,
    /// The value of the taint; empty for every value.
    pub value: String,
    /// The effect of the taint; empty for every effect.
    pub effect: String,
    /// Where.
    pub at: At,
}

/// A volume that exists before any claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersistentVolume {
    /// What it stands for.
    pub source: Source,
    /// Where the source is named.
    pub at: At,
    /// What a node must carry to have it.
    pub wants: Vec<Want>,
    /// Its class; empty for none.
    pub class: String,
    /// The claim that it is kept for, `NAMESPACE/NAME`, and where (`claimRef`).
    pub claim: Option<(String, At)>,
}

/// One identity: what at most one running container may be.
#[derive(Debug, Clone, Default)]
pub struct Member {
    /// `zookeeper-1`; for `per_node` kinds the workload's name.
    pub name: String,
    /// Its number, where it has one.
    pub ordinal: Option<u32>,
    /// What the node must carry for this member alone: its pin, its volume's node.
    pub wants: Vec<Want>,
    /// Its directories and volumes, the ones it can write to.
    pub mounts: Vec<Mount>,
    /// What it can write to as well, and is no data as far as its own file tells.
    pub others: Vec<Mount>,
    /// What an agent mounts, which looks at what others have and keeps nothing of its own.
    pub looked_at: Vec<Mount>,
    /// The name that one docker daemon gives to one container only (fleet's `--name`).
    pub container: Option<(String, At)>,
    /// A hostname that the file gives it; a StatefulSet's pods have their names.
    pub hostname: Option<(String, At)>,
}

/// A directory or volume in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Path in the container; empty when it is unknown.
    pub target: String,
    /// What is mounted.
    pub source: Source,
    /// The claim or the named volume by which it is mounted.
    pub volume: Option<Volume>,
    /// Where the source is named.
    pub at: At,
}

/// A claim of Kubernetes, or a volume of docker that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name, as its orchestrator knows it: `data-db-1`.
    pub name: String,
    /// The storage class that a claim names.
    pub class: Option<(String, At)>,
    /// What makes it: the provisioner of its class, docker's driver.
    pub driver: Option<(String, At)>,
    /// Its class lets several nodes attach it at once (Azure's `maxShares`).
    pub shared: bool,
    /// The file says that it is there already (Swarm's `external`).
    pub exists: bool,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A directory of the node where the container runs: hostPath, a local volume, a bind mount,
    /// a volume of docker's own driver without a device.
    Host {
        /// Its path, or `volume NAME`.
        path: String,
        /// When it is not there.
        missing: Missing,
    },
    /// Storage that is the same from every node: a claim, a plugin's volume, a share.
    Volume {
        /// Unique in the cluster: `claim NAMESPACE/NAME`, the plugin's volume name, the share.
        name: String,
        /// Whether attaching keeps another node off.
        fences: Fences,
        /// ReadWriteOncePod, and where.
        one_pod: Option<At>,
        /// A Swarm cluster volume with scope single and sharing none: reserved while its task may run.
        reserved: Option<At>,
        /// When it is not there.
        missing: Missing,
    },
    /// It goes with the container: emptyDir, an anonymous volume, the container's own layer.
    Ephemeral,
}

/// What happens when a directory or volume is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The container does not start, and is tried again.
    Refused,
    /// An empty one is made.
    Created,
}

/// A condition on a node's labels (Kubernetes, Swarm) or a machine's metadata (fleet).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// `zookeeper`, `kubernetes.io/hostname`, `node.role`.
    pub key: String,
    /// What it may be; empty: anything, as long as the key is there.
    pub values: Vec<String>,
    /// It must be none of them instead.
    pub not: bool,
    /// No two nodes have one value: a hostname, a node's or machine's id.
    pub one_node: bool,
    /// Several members of one kind want the same, so that many nodes carry it.
    pub shared: bool,
    /// Where.
    pub at: At,
}

/// A rule that keeps it off nodes where certain others are wanted or run.
#[derive(Debug, Clone)]
pub struct Apart {
    /// Whom it keeps off.
    pub whom: Whom,
    /// Where.
    pub at: At,
}

/// Those that a rule means.
#[derive(Debug, Clone)]
pub enum Whom {
    /// Kubernetes: pods of these labels, in these namespaces.
    Pods {
        /// What their labels must be.
        selector: Selector,
        /// `None`: in every namespace.
        namespaces: Option<Vec<String>>,
        /// The node's label that makes nodes one place: `kubernetes.io/hostname`, a zone's.
        topology: &'static str,
    },
    /// fleet: units whose full name matches this `path.Match` glob, specifiers expanded.
    Units(String),
}

/// A Kubernetes label selector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// All of these must hold; none selects everything.
    pub terms: Vec<Term>,
}

/// One condition of a [`Selector`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// The label is one of these.
    In(String, Vec<String>),
    /// The label is missing or none of these.
    NotIn(String, Vec<String>),
    /// The label is there.
    Exists(String),
    /// It is not.
    Missing(String),
}

impl Selector {
    /// Whether it selects these labels (apimachinery `labels.Selector`).
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.terms.iter().all(|term| match term {
            Term::In(key, values) => labels.get(key).is_some_and(|v| values.contains(v)),
            Term::NotIn(key, values) => labels.get(key).is_none_or(|v| !values.contains(v)),
            Term::Exists(key) => labels.contains_key(key),
            Term::Missing(key) => !labels.contains_key(key),
        })
    }
}

/// A port of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// 1 to 65535.
    pub number: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The scheduler knows of it, and places no second one (hostPort, `mode: host`).
    pub scheduled: bool,
    /// The runtime binds it before the process starts, and refuses a second container (a
    /// published port outside the node's network).
    pub bound: bool,
    /// The file itself gives it; else the API fills it in (a container port of a pod on the node's
    /// network).
    pub declared: bool,
    /// Where.
    pub at: At,
}

/// The order of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// What comes first.
    pub order: Order,
    /// Where it stands; `None` for the orchestrator's default.
    pub at: Option<At>,
}

/// What comes first in an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The old container stops, then the new one starts (as far as the orchestrator waits).
    StopFirst,
    /// The new one starts beside the old one (Swarm's `start-first`, maxSurge, RollingUpdate).
    StartFirst,
    /// Somebody deletes the old one (OnDelete).
    ByHand,
}
