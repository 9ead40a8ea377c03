//! The parts of a World: workloads, their members, and what each member mounts, requires and uses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::accepts::Page;
use super::mount::{Mount, Source};
use super::placement::{Apart, Want};
use super::unread::Unread;
use crate::finding::{At, Finding};
use crate::images::{Floats, Resembles, Software};
use crate::world::pod_security::Forbidden;

/// The content of the files of one orchestrator.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// The workloads, in the order of the files.
    pub workloads: Vec<Workload>,
    /// The PersistentVolumes that name their storage (Kubernetes), in the order of the files.
    pub volumes: Vec<PersistentVolume>,
    /// What the Pod Security levels forbid of the pods of each file (Kubernetes).
    pub forbidden: Vec<(Arc<str>, Forbidden)>,
    /// The parts that no reader understands, and their effect.
    pub unread: Vec<Unread>,
    /// The files of which a whole document could not be read.
    pub lost: Vec<String>,
    /// The findings that need no search.
    pub findings: Vec<Finding>,
    /// The acceptances of each file that has one, by path.
    pub pages: BTreeMap<Arc<str>, Page>,
}

/// The kinds of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Kubernetes: one pod on each matching node, without a number.
    DaemonSet,
    /// Kubernetes: numbered pods, where each name exists once in the API.
    StatefulSet,
    /// Kubernetes: a Deployment, ReplicaSet, ReplicationController or similar: pods without
    /// numbers.
    Replicas,
    /// Kubernetes: a Pod without a controller, created once.
    Pod,
    /// Kubernetes: the pods of a Job or CronJob, which end by themselves.
    Job,
    /// fleet: a unit, on one machine.
    Unit,
    /// A container of one machine: a unit of systemd without fleet, or a service of docker compose.
    Local,
    /// fleet: `Global=true`, on each matching machine.
    GlobalUnit,
    /// Swarm: tasks in slots, which may move between nodes.
    Replicated,
    /// Swarm: a service with `mode: global`, one task on each matching node.
    Global,
}

impl Kind {
    /// Returns whether there is one container on each matching node, so that the node is the
    /// identity.
    pub fn per_node(self) -> bool {
        match self {
            Self::DaemonSet | Self::GlobalUnit | Self::Global => true,
            Self::StatefulSet | Self::Replicas | Self::Pod | Self::Job => false,
            Self::Unit | Self::Local | Self::Replicated => false,
        }
    }

    /// Returns whether its pods are made once, and nothing makes them again.
    pub fn once(self) -> bool {
        match self {
            Self::Pod | Self::Job => true,
            Self::DaemonSet | Self::StatefulSet | Self::Replicas => false,
            Self::Unit | Self::Local | Self::GlobalUnit | Self::Replicated | Self::Global => false,
        }
    }
}

/// The containers of one description.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The name in the tools of the orchestrator: `statefulset/zookeeper`, `zookeeper@1.service`,
    /// `zookeeper-1`.
    pub name: String,
    /// The namespace on Kubernetes; empty on other targets.
    pub scope: String,
    /// The kind.
    pub kind: Kind,
    /// The place of its first line.
    pub at: At,
    /// The place of its kind: `kind`, `deploy.mode`, `X-Fleet Global`; otherwise its first line.
    pub kind_at: At,
    /// The number of members in the file, which may be higher than the number that is read.
    pub count: u32,
    /// The place of `count`; `None` for the default of the orchestrator.
    pub count_at: Option<At>,
    /// The name that its revisions share: the value of `app.kubernetes.io/name` or `app`, the
    /// prefix of the unit, or the label of the service; otherwise its own name.
    pub family: String,
    /// The image without registry and tag: `elasticsearch`; empty if unknown.
    pub image: String,
    /// How the version of the image is open, with its line.
    pub floats: Option<(Floats, At)>,
    /// The software that it runs, if that is known and keeps data.
    pub software: Option<Arc<Software>>,
    /// The software that its image may be by its name alone, and its place.
    pub resembles: Option<(Resembles, At)>,
    /// The labels of its containers (pods), for selectors.
    pub labels: BTreeMap<String, String>,
    /// The members, in order. If the node is the identity, there is exactly one, which stands for
    /// the member of each node. A workload with `replicas: 0` has none.
    pub members: Vec<Member>,
    /// Whether a spec says that at most one container may be each member, although it has no data.
    /// A reader never sets this.
    pub single: bool,
    /// The labels that a node must have for every member.
    pub wants: Vec<Want>,
    /// The rules that keep it off nodes with other containers.
    pub apart: Vec<Apart>,
    /// The taints that it tolerates (Kubernetes).
    pub tolerates: Vec<Toleration>,
    /// The place that replaces Kubernetes' default scheduler: the name of a node, or another
    /// scheduler.
    pub placed_by: Option<At>,
    /// The highest number of its containers on one node, as the scheduler counts them (Swarm's
    /// `max_replicas_per_node`).
    pub max_per_node: Option<(u32, At)>,
    /// The ports of the node that it uses.
    pub ports: Vec<Port>,
    /// Whether it uses the network of the node, and the place that says so.
    pub node_network: Option<At>,
    /// How a new description replaces the old one.
    pub update: Update,
    /// The same for a rollback, which has its own setting on Swarm.
    pub rollback: Update,
    /// A new container follows one that ended. Without it (Swarm's `condition: none`) only a new
    /// description brings one.
    pub restarts: bool,
    /// The grace period in seconds.
    pub grace: u32,
    /// The place of the grace period; `None` for the default of the orchestrator.
    pub grace_at: Option<At>,
    /// The file or directory in the container on which the process holds `flock` as long as it
    /// lives.
    pub lock: Option<(String, At)>,
    /// The line of its start that kills any container with its name, also that of another unit (fleet).
    pub kills: Option<At>,
    /// The place that lets its start end any container with the name of its own container (fleet).
    pub ends_name: Option<At>,
    /// The line of its start that stops its own leftover containers, and no others, and waits until
    /// they have ended: by label (fleet).
    pub stops_leftovers: Option<At>,
    /// The line that lets the container run on after the orchestrator has stopped its unit: `docker
    /// run -d`, `KillMode=none`, `--restart=always` (fleet).
    pub outlives: Option<At>,
    /// Whether no client of docker can be killed while its container runs on: systemd watches the processes
    /// of the container, or none (fleet).
    pub clientless: bool,
    /// Whether its members have the names of their machines, so that any of them may take over the data of
    /// another (fleet).
    pub by_machine: bool,
    /// The docker or podman that runs its container (fleet).
    pub client: String,
    /// The unit on whose machine it runs: `MachineOf` (fleet).
    pub follows: Option<String>,
    /// The line of a claim that serves pods on many nodes (ReadWriteMany on Kubernetes).
    pub shared_claim: Option<At>,
    /// The line of the autoscaler that may set a higher number of containers than its own file.
    pub scaler: Option<At>,
    /// When its claims are deleted with its pods (Kubernetes' `persistentVolumeClaimRetentionPolicy`).
    pub forgets: Forgets,
    /// How a controller updates its members, if they keep a quorum (Kubernetes).
    pub rolling: Option<Rolling>,
    /// The profiles that start it, where it does not always start (docker compose).
    pub profiles: Vec<String>,
    /// Whether it runs next to another container of its unit and uses only the resources of that
    /// container (fleet).
    pub sidecar: bool,
    /// Whether it runs before or after the first container of its unit, never at the same time
    /// (fleet).
    pub runs_in_turn: bool,
    /// The port of its software, and a number for it that no service of the files publishes (Swarm).
    pub free_port: Option<(u16, u16)>,
    /// Whether it runs to its end, and holds nothing afterwards: `Type=oneshot` (fleet).
    pub ends: bool,
    /// The units after whose start, or end if they run to their end, it starts (fleet).
    pub starts_after: BTreeSet<String>,
    /// The mount points of disks that units of the files mount (fleet).
    pub disks: Vec<String>,
    /// Paths whose disks are mounted before it starts: systemd's `RequiresMountsFor` (fleet).
    pub mounted: Vec<(String, At)>,
    /// The volumes without which it does not start: `docker volume inspect` before the start
    /// (fleet).
    pub inspects: Vec<Inspect>,
}

impl Workload {
    /// Makes a workload with one member and without rules. An update stops its old container first.
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
            floats: None,
            software: None,
            resembles: None,
            labels: BTreeMap::new(),
            members: Vec::new(),
            single: false,
            wants: Vec::new(),
            apart: Vec::new(),
            tolerates: Vec::new(),
            placed_by: None,
            max_per_node: None,
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
            stops_leftovers: None,
            outlives: None,
            clientless: false,
            by_machine: false,
            client: "/usr/bin/docker".to_owned(),
            follows: None,
            shared_claim: None,
            scaler: None,
            forgets: Forgets::default(),
            rolling: None,
            profiles: Vec::new(),
            sidecar: false,
            runs_in_turn: false,
            free_port: None,
            ends: false,
            starts_after: BTreeSet::new(),
            disks: Vec::new(),
            mounted: Vec::new(),
            inspects: Vec::new(),
        }
    }
}

/// When claims are deleted with the pods that they were made for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgets {
    /// When the set is scaled down.
    pub scaled: Option<At>,
    /// When the set is deleted.
    pub deleted: Option<At>,
}

/// The way a StatefulSet updates members that keep a quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rolling {
    /// The number of members.
    pub members: u32,
    /// The maximum number of members that the controller stops at once (`maxUnavailable`), and
    /// where.
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
    /// The place.
    pub at: At,
}

/// A taint of nodes on which the pods may still be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toleration {
    /// The key of the taint; empty for every key.
    pub key: String,
    /// The value of the taint; empty for every value.
    pub value: String,
    /// The effect of the taint; empty for every effect.
    pub effect: String,
    /// The place.
    pub at: At,
}

/// A volume that exists before any claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersistentVolume {
    /// The storage.
    pub source: Source,
    /// The place of the source in the file.
    pub at: At,
    /// The labels that a node must have to use it.
    pub wants: Vec<Want>,
    /// The class; empty if it has none.
    pub class: String,
    /// The class; empty if it has none.
    pub claim: Option<(String, At)>,
}

/// An identity that at most one running container may have.
#[derive(Debug, Clone, Default)]
pub struct Member {
    /// The name, such as `zookeeper-1`; for `per_node` kinds, the name of the workload.
    pub name: String,
    /// The number, if it has one.
    pub ordinal: Option<u32>,
    /// The labels that a node must have for this member only: its pin, or the node of its volume.
    pub wants: Vec<Want>,
    /// The directories and volumes with data that it can write to.
    pub mounts: Vec<Mount>,
    /// The other directories and volumes that it can write to, which are not data as far as its own
    /// file shows.
    pub others: Vec<Mount>,
    /// The mounts of an agent, which reads what other containers have and keeps no data of its own.
    pub looked_at: Vec<Mount>,
    /// The name that one docker daemon gives to only one container (`--name` on fleet).
    pub container: Option<(String, At)>,
    /// The hostname that the file sets. Pods of a StatefulSet have their names.
    pub hostname: Option<(String, At)>,
}

/// A port of the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The number, 1 to 65535.
    pub number: u16,
    /// The protocol: `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// Whether the scheduler knows of it and places no second one (hostPort, `mode: host`).
    pub scheduled: bool,
    /// Whether the runtime binds it before the process starts and refuses a second container (a
    /// published port outside the node's network).
    pub bound: bool,
    /// Whether the file itself gives the port; otherwise the API fills it in (a container port of a
    /// pod on the node's network).
    pub declared: bool,
    /// The place.
    pub at: At,
}

/// The order of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// The order.
    pub order: Order,
    /// The place; `None` for the default of the orchestrator.
    pub at: Option<At>,
}

/// What comes first in an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// The old container stops, then the new one starts (as far as the orchestrator waits).
    StopFirst,
    /// The new container starts next to the old one (Swarm's `start-first`, maxSurge,
    /// RollingUpdate).
    StartFirst,
    /// The old one is told to stop, and the new one starts without waiting for its end (a Deployment
    /// with `maxSurge: 0`).
    DownFirst,
    /// Somebody deletes the old one (OnDelete).
    ByHand,
}
