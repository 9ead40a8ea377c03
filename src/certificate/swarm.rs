//! What holds what on Docker Swarm.

use super::Layer::{Construction, Fence, Order, Scheduler};
use super::{Carrier, Expect, Found, HERE, Hazard, Mechanism, Resource, Shape, Where, both, way};
use crate::emit::Tree;
use crate::model::backend::Fences;
use crate::model::{Data, DataAt};
use crate::route;
use crate::target::Gap;
use crate::target::docker::GUARD;
use crate::value;
use crate::world::yaml::{Value, documents};

/// Seconds that `stop-first` waits for the old task
/// (swarmkit `manager/orchestrator/restart/restart.go`).
const WAITS: u32 = 60;

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
static VOLUME: Mechanism = Mechanism {
    word: "volume-name",
    layer: Construction,
    what: "each member's volume carries its name: no two can name the same one",
    assumes: "",
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
    assumes: "a local disk; sh and flock in the image, an sh that keeps variables with dots if there are any; the process keeps the inherited descriptor",
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
    what: "the new task starts when the old one has stopped, or after 60 s",
    assumes: "the old one stops within 60 s; no manager restarts meanwhile",
    source: "swarmkit manager/orchestrator/restart/restart.go; seen: 42 s overlap with a grace of 100 s",
};

fn held(any: Vec<&'static Mechanism>) -> Expect {
    Expect::Held(vec![way(HERE, any)])
}

/// What ought to hold a cell.
pub fn expect(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    // Without its data, or as a second writer, a container cannot claim the rest.
    let first = shape.data != Where::Nowhere || shape.workload.writer && resource != Resource::Writer;
    match resource {
        Resource::Data => held(data(shape, hazard)),
        Resource::Port => port(shape, hazard),
        _ if first => Expect::AsData,
        Resource::Address => port(shape, hazard),
        Resource::Writer | Resource::Hostname | Resource::Id => bare(shape, hazard),
    }
}

/// The fence of one node against a second container on it.
fn on_node(shape: &Shape<'_>) -> &'static Mechanism {
    if shape.node_network { &TOKEN } else { &PORT }
}

fn port(shape: &Shape<'_>, hazard: Hazard) -> Expect {
    match hazard {
        Hazard::Partition | Hazard::Move => Expect::Never("it belongs to its node"),
        _ if shape.node_network => held(vec![&BIND, &TOKEN]),
        _ => held(vec![&PORT]),
    }
}

/// Members without data: only their place keeps them single.
fn bare(shape: &Shape<'_>, hazard: Hazard) -> Expect {
    let waits = shape.workload.stop.grace <= WAITS;
    held(match hazard {
        Hazard::Colocate => return Expect::Never("each member has its own"),
        Hazard::Move => return Expect::Never("there is no data to miss"),
        Hazard::Relabel if !shape.pinned => return Expect::Never("no label places it"),
        Hazard::Relabel | Hazard::Force => vec![],
        Hazard::Partition | Hazard::Reboot if shape.pinned => vec![&PIN],
        Hazard::Partition | Hazard::Reboot => vec![],
        Hazard::Revisions | Hazard::Neighbour => vec![&SERVICE],
        Hazard::Update => {
            let order = waits.then_some(&STOP_FIRST);
            let fence = shape.pinned.then(|| on_node(shape));
            order.into_iter().chain(fence).collect()
        }
    })
}

fn data(shape: &Shape<'_>, hazard: Hazard) -> Vec<&'static Mechanism> {
    let mut held = match shape.data {
        Where::Network(fences) => on_volumes(shape, fences, hazard),
        _ if shape.per_node => on_each_node(shape, hazard),
        _ => on_pinned_nodes(shape, hazard),
    };
    let elsewhere = matches!(hazard, Hazard::Partition | Hazard::Move | Hazard::Neighbour);
    // A neighbour may take no lock.
    if shape.guard && shape.data == Where::Host && !elsewhere {
        held.push(&LOCK);
    }
    // On the node's network the token falls at a relabel.
    let falls = shape.node_network && hazard == Hazard::Relabel;
    if shape.data == Where::Host && !elsewhere && !falls && hazard != Hazard::Force {
        held.push(on_node(shape));
    }
    held
}

fn on_each_node(shape: &Shape<'_>, hazard: Hazard) -> Vec<&'static Mechanism> {
    match hazard {
        Hazard::Colocate => vec![&GLOBAL],
        Hazard::Update if shape.workload.stop.grace <= WAITS => vec![&STOP_FIRST],
        Hazard::Revisions if shape.revisions => vec![&ONE_LABEL],
        Hazard::Update | Hazard::Revisions | Hazard::Relabel | Hazard::Force => vec![],
        Hazard::Partition => vec![&NODE_BOUND],
        Hazard::Reboot => vec![&PATH_MISSING],
        Hazard::Move => vec![&NODE_BOUND, &PATH_MISSING],
        Hazard::Neighbour => vec![&UNIQUE],
    }
}

fn on_pinned_nodes(shape: &Shape<'_>, hazard: Hazard) -> Vec<&'static Mechanism> {
    match hazard {
        Hazard::Colocate => vec![&PATH],
        Hazard::Update if shape.workload.stop.grace <= WAITS => vec![&STOP_FIRST],
        Hazard::Revisions => vec![&SERVICE],
        Hazard::Update | Hazard::Relabel | Hazard::Force => vec![],
        Hazard::Partition => vec![&PIN],
        Hazard::Reboot => vec![&PIN, &PATH_MISSING],
        Hazard::Move => vec![&PATH, &PATH_MISSING],
        Hazard::Neighbour => vec![&UNIQUE],
    }
}

fn on_volumes(shape: &Shape<'_>, fences: Fences, hazard: Hazard) -> Vec<&'static Mechanism> {
    let csi = shape.service.targets.swarm.as_ref().is_some_and(|s| s.csi);
    let mut held: Vec<&'static Mechanism> = Vec::new();
    let mut also = |yes: bool, mechanism: &'static Mechanism| held.extend(yes.then_some(mechanism));
    match hazard {
        Hazard::Colocate => {
            also(true, &VOLUME);
            also(true, &PORT);
        }
        Hazard::Update => {
            also(shape.workload.stop.grace <= WAITS, &STOP_FIRST);
            also(shape.pinned, &PORT);
            also(fences != Fences::Never, &ATTACH);
            also(csi, &CLUSTER);
        }
        Hazard::Revisions => {
            also(true, &SERVICE);
            also(fences != Fences::Never, &ATTACH);
        }
        // An evicted task counts as rejected, which frees a cluster volume's reservation.
        Hazard::Relabel => also(fences != Fences::Never, &ATTACH),
        Hazard::Partition => {
            also(shape.pinned, &PIN);
            also(fences == Fences::Always, &ATTACH);
            also(csi, &CLUSTER);
        }
        // The node is up, and so is its storage: only its dockerd is gone.
        Hazard::Reboot => {
            also(shape.pinned, &PIN);
            also(fences != Fences::Never, &ATTACH);
            also(csi, &CLUSTER);
        }
        Hazard::Move => {
            let local =
                shape.workload.volumes().all(|(_, v)| v.backend.plugin.is_some_and(|p| p.driver == "local"));
            also(csi, &CLUSTER);
            also(local && !csi, &VOLUME);
        }
        Hazard::Neighbour => also(true, &VOLUME),
        Hazard::Force => also(fences == Fences::Always, &ATTACH),
    }
    held
}

/// What happens where nothing holds, when no gap of the plan says it.
pub fn story(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Gap {
    let place = shape.service.key(&route!["exclusive"]);
    let message = format!(
        "nothing in the emitted stack files keeps two tasks from one {} ({})",
        resource.name(),
        hazard.name()
    );
    Gap::new("", place, message, "the templates have lost every rule that held it")
        .mend("use berthc's own templates, or put the rule back", "")
}

/// What the text carries: of each mechanism only what every member's service carries.
pub fn found(shape: &Shape<'_>, tree: &Tree) -> Found {
    let name = &shape.service.name;
    let services: Vec<(String, Option<u32>)> = if shape.per_node {
        vec![(shape.service.full_name(), None)]
    } else {
        shape.workload.ids().map(|id| (format!("{name}-{id}"), Some(id))).collect()
    };
    let mut all: Option<Found> = None;
    for (service, id) in services {
        let file = format!("swarm/{service}.yml");
        let text = tree.get(&format!("{name}/{file}")).map_or("", String::as_str);
        let mut own = Found::new();
        let (documents, _) = documents(text);
        if let Some(document) = documents.first()
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
                }
            }
        }
        let order = |block: &str| service.at(&["deploy", block, "order"]).filter(|o| o.is("stop-first"));
        if let (Some(update), Some(_)) = (order("update_config"), order("rollback_config")) {
            self.carry(&STOP_FIRST, &update);
        }
        self.placement(service);
        self.ports(service);
        self.lock(service);
        self.mounts(service, root);
    }

    fn placement(&mut self, service: &Value<'_>) {
        let s = self.shape.service;
        let pin = self.shape.workload.pin().or(s.targets.swarm.as_ref().and_then(|s| s.pin.as_ref()));
        let constraints =
            service.at(&["deploy", "placement", "constraints"]).map(|c| c.items()).unwrap_or_default();
        for constraint in constraints {
            let text = constraint.text().unwrap_or_default();
            let Some((key, value)) = text.split_once("==") else { continue };
            let (key, value) = (key.trim().trim_start_matches("node.labels."), value.trim());
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
        if let Some(port) = ports.iter().find(|port| taken(port)) {
            self.carry(if on_host { &TOKEN } else { &PORT }, port);
        }
        if let Some(networks) = service.get("networks").filter(|_| on_host) {
            self.carry(&BIND, &networks);
        }
    }

    fn lock(&mut self, service: &Value<'_>) {
        let entrypoint = service.get("entrypoint").map(|e| e.texts()).unwrap_or_default();
        let mount = self.shape.workload.data.first().map(|d| d.mount.as_str());
        let script = entrypoint.get(2).is_some_and(|s| s.replace("$$", "$") == GUARD);
        if script
            && entrypoint.get(3).map(String::as_str) == mount
            && let Some(value) = service.get("entrypoint")
        {
            self.carry(&LOCK, &value);
        }
    }

    fn mounts(&mut self, service: &Value<'_>, root: &Value<'_>) {
        let mounts = service.get("volumes").map(|v| v.items()).unwrap_or_default();
        let data = &self.shape.workload.data;
        let own: Option<Vec<(&Data, &Value<'_>)>> = data
            .iter()
            .map(|d| Some((d, mounts.iter().find(|m| m.get("target").is_some_and(|t| t.is(&d.mount)))?)))
            .collect();
        let Some(own) = own else { return };
        // A mechanism counts when every directory of its kind has it; a task needs all kinds.
        let (host, network): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|(d, _)| matches!(d.at, DataAt::Host { .. }));
        for kind in [host, network] {
            let carried: Vec<Vec<(&'static Mechanism, Value<'_>)>> = kind
                .into_iter()
                .map(|(data, mount)| match &data.at {
                    DataAt::Host { path, .. } => self.bind(&path.text, mount),
                    DataAt::Volume(_) => self.volume(data, mount, root),
                })
                .collect();
            for (mechanism, value) in carried.first().cloned().unwrap_or_default() {
                if carried.iter().all(|c| c.iter().any(|(m, _)| m.word == mechanism.word)) {
                    self.carry(mechanism, &value);
                }
            }
        }
    }

    fn bind<'v>(&self, path: &str, mount: &Value<'v>) -> Vec<(&'static Mechanism, Value<'v>)> {
        let wanted = match self.id {
            Some(id) => value::host_path(path, &self.shape.service.name, id),
            None => Some(path.to_owned()),
        };
        let source = mount.get("source").filter(|s| s.text() == wanted);
        let kind = mount.get("type").filter(|t| t.is("bind"));
        let (Some(source), Some(kind)) = (source, kind) else { return Vec::new() };
        let place = if self.id.is_some() { &PATH } else { &NODE_BOUND };
        vec![(place, source.clone()), (&UNIQUE, source), (&PATH_MISSING, kind)]
    }

    fn volume<'v>(
        &self,
        data: &Data,
        mount: &Value<'v>,
        root: &Value<'v>,
    ) -> Vec<(&'static Mechanism, Value<'v>)> {
        let (DataAt::Volume(volume), Some(id)) = (&data.at, self.id) else { return Vec::new() };
        let key = mount.get("source").and_then(|s| s.text()).unwrap_or_default();
        let Some(definition) = root.at(&["volumes", &key]) else { return Vec::new() };
        let wanted = format!("{}-{}-{id}", data.name, self.shape.service.name);
        // An NFS volume is what its device says; its name is only the node's handle of it.
        let ends = |d: &Value<'_>| d.text().is_some_and(|d| d.ends_with(&format!("/{wanted}")));
        let device = || definition.at(&["driver_opts", "device"]).filter(|d| ends(d));
        let Some(name) = definition.get("name").filter(|n| n.is(&wanted)).or_else(device) else {
            return Vec::new();
        };
        let mut held = vec![(&VOLUME as &'static Mechanism, name)];
        let external = definition.get("external").is_some_and(|e| e.is("true"));
        if let Some(kind) = mount.get("type").filter(|t| t.is("cluster") && external) {
            held.push((&CLUSTER, kind.clone()));
            held.push((&ATTACH, kind));
        }
        let driver = volume.backend.plugin.map(|p| p.driver);
        if let Some(value) = definition.get("driver").filter(|d| d.text().as_deref() == driver) {
            held.push((&ATTACH, value));
        }
        held
    }
}
