//! What holds what on Docker Swarm.

use std::collections::BTreeSet;

use super::Layer::{Construction, Fence, Order, Scheduler};
use super::{
    Carrier, ELSEWHERE, EMPTY, Expect, Found, HERE, Hazard, Mechanism, OTHER, Resource, SAME, Shape, Texts,
    Way, Where, both, rests_on, way,
};
use crate::backend::Fences;
use crate::model::{Data, DataAt};
use crate::plan::docker::GUARD;
use crate::target::SWARM_LONGEST_GRACE;
use crate::text::yaml::Value;
use crate::value;

static SERVICE: Mechanism = Mechanism {
    word: "service-name",
    layer: Construction,
    what: "each member is a service of its own with one replica: a new deploy changes it, and never makes a second",
    assumes: "one stack name for all files",
    source: "swarmkit manager/controlapi/service.go, names are unique",
};
static NODE_BOUND: Mechanism = Mechanism {
    word: "node-bound",
    layer: Construction,
    what: "the directory belongs to the node: whoever runs there has it, whoever runs elsewhere has not",
    assumes: "it lies on a disk of this node alone",
    source: "docker bind mounts",
};
static ONE_LABEL: Mechanism = Mechanism {
    word: "one-label",
    layer: Construction,
    what: "a node has one value of the revision's label, so two revisions never want the same node",
    assumes: "",
    source: "swarmkit manager/constraint/constraint.go",
};
static PATH: Mechanism = Mechanism {
    word: "path",
    layer: Construction,
    what: "each member's directory carries its id: no two can name the same one",
    assumes: "nobody links or copies one to another",
    source: "docker bind mounts",
};
static IDS: Mechanism = Mechanism {
    word: "ids",
    layer: Construction,
    what: "berthc refuses two specs of one id space that have an id in common",
    assumes: "all specs of the id space are compiled together",
    source: "berthc id-clash",
};
static VOLUME: Mechanism = Mechanism {
    word: "volume-name",
    layer: Construction,
    what: "each member's volume carries its name: no two can name the same one",
    assumes: "all specs for this swarm are compiled together",
    source: "docker volumes",
};
static PIN: Mechanism = Mechanism {
    word: "pin",
    layer: Construction,
    what: "only the node that carries the member's number; elsewhere the task stays pending",
    assumes: "one node for each value, and no label moved under a running member",
    source: "swarmkit manager/scheduler/filter.go; seen: pending while its node is cut off",
};
static UNIQUE: Mechanism = Mechanism {
    word: "unique",
    layer: Construction,
    what: "berthc refuses two specs that name it on nodes that may be the same",
    assumes: "all specs for these nodes are compiled together",
    source: "berthc neighbour",
};
static PORT: Mechanism = Mechanism {
    word: "port",
    layer: Fence,
    what: "a port of the node in host mode: scheduler and docker's own allocator refuse a second container until the first has stopped, of any service",
    assumes: "",
    source: "swarmkit manager/scheduler/nodeinfo.go; seen: 0 s overlap at update, relabel, scale to 0 and back, heal, manager restart",
};
static LOCK: Mechanism = Mechanism {
    word: "lock",
    layer: Fence,
    what: "the process itself holds flock on its data directory for as long as it lives",
    assumes: "no network file system; sh and flock in the image, an sh that keeps variables with dots if there are any; the process keeps the inherited descriptor",
    source: "flock(2); seen: 0 s overlap at a relabel on the node's network",
};
static BIND: Mechanism = Mechanism {
    word: "bind",
    layer: Fence,
    what: "the kernel: one listener for a port of the node's network",
    assumes: "the program binds exactly this port, and no range",
    source: "bind(2)",
};
static PATH_MISSING: Mechanism = Mechanism {
    word: "path-missing",
    layer: Fence,
    what: "a directory that is not there keeps the task from starting; nothing makes it",
    assumes: "it lies inside the mount, and none is left under the bare mountpoint",
    source: "docker bind mounts; seen: rejected, tried again, started once it was there",
};
static ATTACH: Mechanism = Mechanism {
    word: "attach",
    layer: Fence,
    what: "the storage attaches the volume to one node",
    assumes: "the plugin does not preempt; for a backend that fences only while connected, the old node still reaches the storage",
    source: "the volume plugin of the backend; not measured",
};
static CLUSTER: Mechanism = Mechanism {
    word: "cluster-volume",
    layer: Fence,
    what: "a cluster volume with scope single and sharing none stays reserved while its task may run, also on a node that is lost",
    assumes: "it exists, and its node is powered off within 24 h",
    source: "swarmkit manager/scheduler/volumes.go; seen by unit test",
};
static SHARE_MISSING: Mechanism = Mechanism {
    word: "share-missing",
    layer: Fence,
    what: "the member's directory on the share must exist: NFS mounts none that is missing",
    assumes: "",
    source: "docker's local driver mounts the device as it is written; mount.nfs(8)",
};
static TOKEN: Mechanism = Mechanism {
    word: "token",
    layer: Scheduler,
    what: "a host-mode port on the node's network: the scheduler places no second container while the first runs; nothing is bound",
    assumes: "no label is taken from under a running task",
    source: "swarmkit manager/scheduler/nodeinfo.go; seen: 31 s overlap at a relabel",
};
static GLOBAL: Mechanism = Mechanism {
    word: "global",
    layer: Scheduler,
    what: "one task of the service on a node",
    assumes: "",
    source: "swarmkit manager/orchestrator/global",
};
static STOP_FIRST: Mechanism = Mechanism {
    word: "stop-first",
    layer: Order,
    what: "the new task starts when the old one has stopped, or after 60 s; its grace is 55 s at most",
    assumes: "no manager restarts meanwhile, and nobody scales to 0 and back",
    source: "swarmkit manager/orchestrator/restart/restart.go; seen: overlap of 42 s with a grace of 100 s, of 0.3 s with 58 s, none with 57 s",
};

/// What ought to hold a cell.
pub fn expect(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    // Without its data, or as a second writer, a container cannot claim the rest. Of another
    // service that says nothing.
    let first = shape.data != Where::Nowhere || shape.workload.writer && resource != Resource::Writer;
    match resource {
        Resource::Data => Expect::Held(data(shape, hazard)),
        Resource::Port => port(shape, hazard),
        _ if first && hazard != Hazard::Neighbour => Expect::AsData,
        Resource::Address if shape.workload.ports.is_empty() => {
            Expect::Never("it claims no port of its node's address")
        }
        Resource::Address => port(shape, hazard),
        Resource::Writer | Resource::Hostname | Resource::Id => bare(shape, resource, hazard),
    }
}

/// The fence of one node against a second container on it, if `hazard` leaves it standing.
fn on_node(shape: &Shape<'_>, hazard: Hazard) -> Option<&'static Mechanism> {
    let swarm = shape.service.targets.swarm.as_ref();
    let there = !shape.workload.ports.is_empty() || swarm.is_some_and(|s| s.lock.is_some());
    match hazard {
        _ if !there => None,
        Hazard::Force => None,
        // An evicted task counts as rejected: the scheduler forgets its port. Docker does not, but
        // on the node's network nothing is bound.
        Hazard::Relabel if shape.node_network => None,
        _ if shape.node_network => Some(&TOKEN),
        _ => Some(&PORT),
    }
}

fn port(shape: &Shape<'_>, hazard: Hazard) -> Expect {
    if !shape.node_network {
        return Expect::Never("the task has an address of its own");
    }
    match hazard {
        Hazard::Move => Expect::Never("it belongs to its node"),
        _ => Expect::Held(vec![way(
            HERE,
            [&BIND as &'static Mechanism].into_iter().chain(on_node(shape, hazard)),
        )]),
    }
}

/// Members without data: only their place keeps them single.
fn bare(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    let waits =
        (shape.workload.stop.grace <= SWARM_LONGEST_GRACE).then_some(&STOP_FIRST as &'static Mechanism);
    let pin = shape.pinned.then_some(&PIN as &'static Mechanism);
    let on_node = on_node(shape, hazard);
    Expect::Held(match hazard {
        Hazard::Colocate => return Expect::Never("each member has its own"),
        Hazard::Move => return Expect::Never("there is no data to miss"),
        Hazard::Relabel if !shape.placed => return Expect::Never("no label places it"),
        Hazard::Relabel => vec![way(HERE, on_node), way(ELSEWHERE, [])],
        Hazard::Force => vec![way(HERE, [])],
        // On heal the new task starts while the old one stops.
        Hazard::Partition => vec![way(ELSEWHERE, pin), way(HERE, on_node)],
        Hazard::Reboot => vec![way(ELSEWHERE, pin)],
        Hazard::Revisions => vec![way(HERE, [&SERVICE])],
        Hazard::Neighbour if resource == Resource::Id => vec![way(SAME, [&IDS])],
        Hazard::Neighbour => vec![way(SAME, [&SERVICE])],
        Hazard::Update => {
            vec![way(HERE, waits.into_iter().chain(on_node)), way(ELSEWHERE, pin.into_iter().chain(waits))]
        }
    })
}

fn data(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    match shape.data {
        Where::Network(fences) => on_volumes(shape, fences, hazard),
        _ if shape.per_node => {
            let mut ways = on_each_node(shape, hazard);
            // Any other service is one that may move.
            if !matches!(hazard, Hazard::Neighbour | Hazard::Force) {
                ways.push(rests_on(ELSEWHERE, [&GLOBAL]));
            }
            ways
        }
        _ => {
            let mut ways = on_pinned_nodes(shape, hazard);
            // What the directory does not hold of a volume beside it.
            if shape.beside && matches!(hazard, Hazard::Colocate | Hazard::Move | Hazard::Neighbour) {
                ways.extend(on_volumes(shape, Fences::Never, hazard));
            }
            ways
        }
    }
}

/// A service is one member: with two tasks of it every rule meets itself.
fn one_task(hazard: Hazard) -> Option<Way> {
    let may = !matches!(hazard, Hazard::Neighbour | Hazard::Force);
    may.then(|| rests_on(HERE, [&SERVICE as &'static Mechanism]))
}

/// A second container on the same node: `first`, the order, the lock of the node and that of the
/// directory.
fn here(shape: &Shape<'_>, hazard: Hazard, first: &[&'static Mechanism]) -> Way {
    let together = !matches!(hazard, Hazard::Revisions | Hazard::Relabel) || shape.one_lock;
    let lock = (shape.guard && together).then_some(&LOCK as &'static Mechanism);
    let waits = hazard == Hazard::Update && shape.workload.stop.grace <= SWARM_LONGEST_GRACE;
    let waits = waits.then_some(&STOP_FIRST as &'static Mechanism);
    let fences = lock.into_iter().chain(on_node(shape, hazard));
    way(HERE, first.iter().copied().chain(fences).chain(waits))
}

fn on_each_node(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    match hazard {
        Hazard::Colocate => vec![here(&[&GLOBAL])],
        Hazard::Revisions if shape.revisions => vec![here(&[&ONE_LABEL])],
        Hazard::Update | Hazard::Revisions | Hazard::Relabel | Hazard::Force => vec![here(&[])],
        // On heal the new task starts while the old one stops.
        Hazard::Partition => vec![way(ELSEWHERE, [&NODE_BOUND]), here(&[])],
        Hazard::Reboot => vec![here(&[]), way(EMPTY, [&PATH_MISSING])],
        Hazard::Move => vec![way(OTHER, [&NODE_BOUND]), way(EMPTY, [&PATH_MISSING])],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE])],
    }
}

/// On another node: not placed there; and if it were, the directory should not be there. But
/// directories are made by hand wherever a member may run, so that counts beside the pin only.
fn not_elsewhere() -> [Way; 3] {
    [way(ELSEWHERE, [&PIN, &PATH]), way(ELSEWHERE, [&PIN, &PATH_MISSING]), rests_on(ELSEWHERE, [&PIN])]
}

fn on_pinned_nodes(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let [id, there, pin] = not_elsewhere();
    let mut ways = match hazard {
        Hazard::Colocate => vec![here(&[&PATH])],
        Hazard::Update => vec![here(&[]), pin],
        Hazard::Force => vec![here(&[])],
        Hazard::Revisions => vec![here(&[&SERVICE])],
        // A port is a fence of one node: on the other one there is no directory.
        Hazard::Relabel => vec![here(&[]), way(ELSEWHERE, [&PATH]), way(ELSEWHERE, [&PATH_MISSING])],
        Hazard::Partition => vec![id, there, pin, here(&[])],
        Hazard::Reboot => vec![id, there, pin, here(&[]), way(EMPTY, [&PATH_MISSING])],
        Hazard::Move => vec![way(OTHER, [&PATH]), way(EMPTY, [&PATH_MISSING]), pin],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE])],
    };
    ways.extend(one_task(hazard));
    ways
}

fn on_volumes(shape: &Shape<'_>, fences: Fences, hazard: Hazard) -> Vec<Way> {
    let csi = shape.service.targets.swarm.as_ref().is_some_and(|s| s.csi);
    let cluster = csi.then_some(&CLUSTER as &'static Mechanism);
    let pin = shape.pinned.then_some(&PIN as &'static Mechanism);
    let attach = |yes: bool| yes.then_some(&ATTACH as &'static Mechanism);
    let (connected, always) = (fences != Fences::Never, fences == Fences::Always);
    let waits =
        (shape.workload.stop.grace <= SWARM_LONGEST_GRACE).then_some(&STOP_FIRST as &'static Mechanism);
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let reserved: &[&'static Mechanism] = if csi { &[&CLUSTER] } else { &[] };
    let elsewhere = |any: [Option<&'static Mechanism>; 4]| way(ELSEWHERE, any.into_iter().flatten());
    let mut ways = match hazard {
        Hazard::Colocate => vec![here(&[&VOLUME])],
        // Attaching keeps off nodes: on one node a volume serves every container.
        Hazard::Update => vec![here(reserved), elsewhere([pin, attach(connected), cluster, waits])],
        Hazard::Revisions => vec![here(&[&SERVICE])],
        // An evicted task counts as rejected, which frees a cluster volume's reservation.
        Hazard::Relabel => vec![here(&[]), elsewhere([attach(connected), None, None, None])],
        Hazard::Partition => vec![elsewhere([pin, attach(always), cluster, None]), here(reserved)],
        // A plugin may go with its dockerd, and the storage takes the node for gone.
        Hazard::Reboot => vec![elsewhere([pin, attach(always), cluster, None]), here(reserved)],
        Hazard::Move => {
            let local =
                shape.workload.volumes().all(|(_, v)| v.backend.plugin.is_some_and(|p| p.driver == "local"));
            let share = (local && !csi).then_some(&SHARE_MISSING as &'static Mechanism);
            vec![way(OTHER, [&VOLUME]), way(EMPTY, cluster.into_iter().chain(share))]
        }
        Hazard::Neighbour => vec![way(SAME, [&VOLUME])],
        Hazard::Force => vec![here(&[]), elsewhere([attach(always), None, None, None])],
    };
    ways.extend(one_task(hazard));
    // A volume of the node stays behind when its task moves. Of two kinds the text carries what
    // both have, which says nothing of either.
    let kinds: BTreeSet<bool> = shape
        .workload
        .volumes()
        .map(|(_, v)| v.backend.plugin.is_some_and(|p| p.driver == "local"))
        .collect();
    let network: &[&'static Mechanism] = match kinds.first() {
        _ if csi => &[&ATTACH, &CLUSTER],
        Some(true) => &[&SHARE_MISSING],
        _ => &[&ATTACH],
    };
    let moves = matches!(hazard, Hazard::Update | Hazard::Partition | Hazard::Reboot | Hazard::Move);
    if moves && kinds.len() == 1 {
        ways.push(rests_on(ELSEWHERE, network.iter().copied()));
    }
    ways
}

/// What the text carries: of each mechanism only what every member's service carries.
pub fn found(shape: &Shape<'_>, texts: &Texts<'_>) -> Found {
    let name = &shape.service.name;
    let services: Vec<(String, Option<u32>)> = if shape.per_node {
        vec![(shape.service.full_name(), None)]
    } else {
        shape.workload.ids().map(|id| (format!("{name}-{id}"), Some(id))).collect()
    };
    let mut all: Option<Found> = None;
    for (service, id) in services {
        let file = format!("swarm/{service}.yml");
        let mut own = Found::new();
        if let Some(document) = texts.documents(&format!("{name}/{file}")).first()
            && let Some(value) = document.at(&["services", &service])
        {
            let mut reader = Reader { shape, id, file: &file, found: &mut own };
            reader.service(&value, &document.root());
        }
        all = Some(match all {
            None => own,
            Some(before) => both(before, own),
        });
    }
    all.unwrap_or_default()
}

/// Whether a task takes a port of the node: 0, or none, is one that docker picks.
fn taken(port: &Value<'_>) -> bool {
    let number = |key| port.get(key).and_then(|n| n.text()).and_then(|n| n.parse::<u16>().ok());
    port.get("mode").is_some_and(|m| m.is("host"))
        && ["target", "published"].into_iter().all(|key| number(key).is_some_and(|n| n > 0))
}

/// Which of its cluster volumes a task waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reserves {
    /// A global service asks for none.
    None,
    /// The one that it has.
    One,
    /// Any one of several.
    Any,
}

struct Reader<'r> {
    shape: &'r Shape<'r>,
    id: Option<u32>,
    file: &'r str,
    found: &'r mut Found,
}

impl Reader<'_> {
    fn carry(&mut self, mechanism: &'static Mechanism, value: &Value<'_>) {
        // The service is the file's own.
        let service = self.file.trim_start_matches("swarm/").trim_end_matches(".yml");
        let field = value.field().trim_start_matches(&format!("services.{service}.")).to_owned();
        let carrier = Carrier { file: self.file.to_owned(), field, line: value.line() };
        self.found.entry(mechanism.word).or_default().push(carrier);
    }

    fn service(&mut self, service: &Value<'_>, root: &Value<'_>) {
        let mode = service.at(&["deploy", "mode"]);
        match &mode {
            Some(mode) if mode.is("global") => self.carry(&GLOBAL, mode),
            _ => {
                if let Some(replicas) = service.at(&["deploy", "replicas"]).filter(|r| r.is("1")) {
                    self.carry(&SERVICE, &replicas);
                    self.carry(&IDS, &replicas);
                }
            }
        }
        let order = |block: &str| service.at(&["deploy", block, "order"]).filter(|o| o.is("stop-first"));
        // Docker gives 10 s where the file says nothing.
        let grace = service.get("stop_grace_period").and_then(|g| g.text());
        let seconds = grace.map_or(Some(10), |g| g.strip_suffix('s').and_then(|s| s.parse::<u32>().ok()));
        let waits = seconds.is_some_and(|s| s <= SWARM_LONGEST_GRACE);
        if let (Some(update), Some(_), true) = (order("update_config"), order("rollback_config"), waits) {
            self.carry(&STOP_FIRST, &update);
        }
        self.placement(service);
        self.ports(service);
        let global = mode.is_some_and(|m| m.is("global"));
        if self.mounts(service, root, global) {
            self.lock(service);
        }
    }

    fn placement(&mut self, service: &Value<'_>) {
        let s = self.shape.service;
        let pin = self.shape.workload.pin().or(s.targets.swarm.as_ref().and_then(|s| s.pin.as_ref()));
        let constraints =
            service.at(&["deploy", "placement", "constraints"]).map(|c| c.items()).unwrap_or_default();
        for constraint in constraints {
            let text = constraint.text().unwrap_or_default();
            let Some((key, value)) = text.split_once("==") else { continue };
            // Swarm takes any other key, and matches no node.
            let Some(key) = key.trim().strip_prefix("node.labels.") else { continue };
            let value = value.trim();
            if pin.is_some_and(|p| p.label == key) && self.id.is_some_and(|id| value == id.to_string()) {
                self.carry(&PIN, &constraint);
            }
            if key == format!("{}-revision", s.name) && s.revision.as_deref() == Some(value) {
                self.carry(&ONE_LABEL, &constraint);
            }
        }
    }

    fn ports(&mut self, service: &Value<'_>) {
        let networks = service.get("networks").map(|n| n.texts()).unwrap_or_default();
        let on_host = networks.iter().any(|n| n == "host");
        let ports = service.get("ports").map(|p| p.items()).unwrap_or_default();
        // Members hold their node by one and the same port.
        let own = self.shape.service.targets.swarm.as_ref().and_then(|s| s.lock);
        let lock = own.or_else(|| self.shape.workload.ports.first().map(|p| p.1)).map(|p| p.to_string());
        let is_lock = |p: &&Value<'_>| lock.is_some() && p.get("published").and_then(|p| p.text()) == lock;
        if let Some(port) = ports.iter().filter(|p| taken(p)).find(is_lock) {
            self.carry(if on_host { &TOKEN } else { &PORT }, port);
        }
        if let Some(networks) = service.get("networks").filter(|_| on_host) {
            self.carry(&BIND, &networks);
        }
    }

    fn lock(&mut self, service: &Value<'_>) {
        let entrypoint = service.get("entrypoint").map(|e| e.texts()).unwrap_or_default();
        let mount = self.shape.workload.data.first().map(|d| d.mount.as_str());
        let shell = entrypoint.get(..2).is_some_and(|e| e == ["/bin/sh", "-c"]);
        let script = entrypoint.get(2).is_some_and(|s| s.replace("$$", "$") == GUARD);
        if shell
            && script
            && entrypoint.get(3).map(String::as_str) == mount
            && let Some(value) = service.get("entrypoint")
        {
            self.carry(&LOCK, &value);
        }
    }

    /// Whether the first directory is mounted, whatever else is.
    fn mounts(&mut self, service: &Value<'_>, root: &Value<'_>, global: bool) -> bool {
        let mounts = service.get("volumes").map(|v| v.items()).unwrap_or_default();
        let at = |d: &Data| mounts.iter().find(|m| m.get("target").is_some_and(|t| t.is(&d.mount)));
        // With two of them Swarm starts a task that has neither, and a global service asks for none.
        let clusters = mounts.iter().filter(|m| m.get("type").is_some_and(|t| t.is("cluster"))).count();
        let reserves = match clusters {
            0 | 1 if global => Reserves::None,
            0 | 1 => Reserves::One,
            _ => Reserves::Any,
        };
        let held = |data: &Data| match (at(data), &data.at) {
            (None, _) => Vec::new(),
            (Some(mount), DataAt::Host { path, .. }) => self.bind(&path.text, mount),
            (Some(mount), DataAt::Volume(_)) => self.volume(data, mount, root, reserves),
        };
        // A mechanism counts when every directory of its kind has it; a task needs all kinds.
        let (host, network): (Vec<&Data>, Vec<&Data>) =
            self.shape.workload.data.iter().partition(|d| matches!(d.at, DataAt::Host { .. }));
        let kinds = [host, network].map(|kind| kind.into_iter().map(held).collect::<Vec<_>>());
        let first = self.shape.workload.data.first().is_some_and(|d| !held(d).is_empty());
        for carried in kinds {
            for (mechanism, value) in carried.first().cloned().unwrap_or_default() {
                if carried.iter().all(|c| c.iter().any(|(m, _)| m.word == mechanism.word)) {
                    self.carry(mechanism, &value);
                }
            }
        }
        first
    }

    fn bind<'v>(&self, path: &str, mount: &Value<'v>) -> Vec<(&'static Mechanism, Value<'v>)> {
        let wanted = match self.id {
            Some(id) => value::host_path(path, &self.shape.service.name, id),
            None => Some(path.to_owned()),
        };
        let Some(kind) = mount.get("type").filter(|t| t.is("bind")) else { return Vec::new() };
        let mut held = vec![(&PATH_MISSING as &'static Mechanism, kind)];
        if let Some(source) = mount.get("source").filter(|s| s.text() == wanted) {
            held.push((if self.id.is_some() { &PATH } else { &NODE_BOUND }, source));
            held.push((&UNIQUE, source));
        }
        held
    }

    fn volume<'v>(
        &self,
        data: &Data,
        mount: &Value<'v>,
        root: &Value<'v>,
        reserves: Reserves,
    ) -> Vec<(&'static Mechanism, Value<'v>)> {
        let (DataAt::Volume(volume), Some(id)) = (&data.at, self.id) else { return Vec::new() };
        let key = mount.get("source").and_then(|s| s.text()).unwrap_or_default();
        let Some(definition) = root.at(&["volumes", &key]) else { return Vec::new() };
        let wanted = format!("{}-{}-{id}", data.name, self.shape.service.name);
        // An NFS volume is what its device says; its name is only the node's handle of it.
        let ends = |d: &Value<'_>| d.text().is_some_and(|d| d.ends_with(&format!("/{wanted}")));
        let device = definition.at(&["driver_opts", "device"]);
        let driver = volume.backend.plugin.map(|p| p.driver);
        let shared = driver == Some("local") && mount.get("type").is_some_and(|t| t.is("volume"));
        if shared {
            let device = device.filter(|d| ends(d));
            let mechanisms: [&'static Mechanism; 2] = [&VOLUME, &SHARE_MISSING];
            return device.into_iter().flat_map(|d| mechanisms.map(|m| (m, d))).collect();
        }
        let Some(name) = definition.get("name").filter(|n| n.is(&wanted)) else { return Vec::new() };
        let mut held = vec![(&VOLUME as &'static Mechanism, name)];
        let external = definition.get("external").is_some_and(|e| e.is("true"));
        if let Some(kind) = mount.get("type").filter(|t| t.is("cluster") && external) {
            // Of two, a task may start with neither.
            if reserves != Reserves::Any {
                held.push((&ATTACH, kind));
            }
            held.extend((reserves == Reserves::One).then_some((&CLUSTER as &'static Mechanism, kind)));
        }
        if let Some(value) = definition.get("driver").filter(|d| d.text().as_deref() == driver) {
            held.push((&ATTACH, value));
        }
        held
    }
}
