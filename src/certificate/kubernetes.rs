//! What holds what on Kubernetes.

use super::Layer::{Construction, Fence, Order, Scheduler};
use super::{
    AGAIN, Carrier, ELSEWHERE, EMPTY, Expect, Found, HERE, Hazard, Mechanism, OTHER, Resource, SAME, Shape,
    Texts, Way, Where, rests_on, way,
};
use crate::backend::Fences;
use crate::model::{Data, DataAt};
use crate::plan::docker::GUARD;
use crate::plan::kubernetes::REVISION;
use crate::text::units::Version;
use crate::text::yaml::{Document, Value};
use crate::value;

static POD_NAME: Mechanism = Mechanism {
    word: "pod-name",
    layer: Construction,
    what: "one object of a member's name in the API: no successor is made before it is gone, for ever if need be",
    assumes: "nobody deletes a pod by force or the Node object of a node that runs; the namespace stays the same",
    source: "kubernetes pkg/controller/statefulset/stateful_set_control.go; seen: 0 overlaps in partition, re-apply, scale to 0 and back, two controllers",
};
static NODE_BOUND: Mechanism = Mechanism {
    word: "node-bound",
    layer: Construction,
    what: "the directory belongs to the node: whoever runs there has it, whoever runs elsewhere has not",
    assumes: "it lies on a disk of this node alone",
    source: "kubernetes api core/v1 HostPathVolumeSource",
};
static REVISION_LABEL: Mechanism = Mechanism {
    word: "one-label",
    layer: Construction,
    what: "a node has one value of the revision's label, so two revisions never want the same node",
    assumes: "",
    source: "kubernetes pkg/controller/daemon/daemon_controller.go, nodeShouldRunDaemonPod",
};
static PATH: Mechanism = Mechanism {
    word: "path",
    layer: Construction,
    what: "each member's directory carries its id: no two can name the same one",
    assumes: "nobody links or copies one to another",
    source: "kubernetes api core/v1 LocalVolumeSource",
};
static PIN: Mechanism = Mechanism {
    word: "pin",
    layer: Construction,
    what: "only the node that carries the member's number; elsewhere it stays unplaced",
    assumes: "one node for each value",
    source: "kubernetes pkg/scheduler/framework/plugins/volumebinding, nodeaffinity; seen: pending until its node is back",
};
static CLAIM: Mechanism = Mechanism {
    word: "claim",
    layer: Construction,
    what: "the claim belongs to the member's name and is kept: the same name always finds the same volume",
    assumes: "nobody deletes the claim, and no pod of others names it",
    source: "kubernetes pkg/controller/statefulset/stateful_set_utils.go, getPersistentVolumeClaims",
};
static RESERVED: Mechanism = Mechanism {
    word: "reserved",
    layer: Construction,
    what: "the volume is kept for the claim of the member's name: the same name finds the same volume, and no other claim binds it",
    assumes: "no pod of others names the claim",
    source: "kubernetes pkg/controller/volume/persistentvolume, claimRef; seen: each member on its own node",
};
static BY_HAND: Mechanism = Mechanism {
    word: "by-hand",
    layer: Fence,
    what: "nothing makes a volume of this class: a member whose volume is missing waits",
    assumes: "",
    source: "kubernetes kubernetes.io/no-provisioner",
};
static UNIQUE: Mechanism = Mechanism {
    word: "unique",
    layer: Construction,
    what: "berthc refuses two specs that name it on nodes that may be the same",
    assumes: "all specs for these nodes are compiled together",
    source: "berthc neighbour",
};
static RWOP: Mechanism = Mechanism {
    word: "one-pod",
    layer: Fence,
    what: "ReadWriteOncePod: the scheduler refuses the volume to a second pod, and the kubelet for as long as the first has it mounted, also by force",
    assumes: "a CSI driver with csi-attacher 3.3 or newer",
    source: "KEP-2485; kubernetes pkg/scheduler/framework/plugins/volumerestrictions, pkg/volume/util/operationexecutor",
};
static ATTACH: Mechanism = Mechanism {
    word: "attach",
    layer: Fence,
    what: "the storage attaches the volume to one node, also while another is cut off",
    assumes: "the class uses the backend's own driver, without multi-attach",
    source: "the CSI driver of the backend",
};
static PORTS: Mechanism = Mechanism {
    word: "ports",
    layer: Fence,
    what: "declared host ports: scheduler and kubelet refuse a second pod until the first has stopped",
    assumes: "nobody deletes a pod by force",
    source: "kubernetes pkg/scheduler/framework/plugins/nodeports; seen: 0 overlaps in 72 label flips",
};
static BIND: Mechanism = Mechanism {
    word: "bind",
    layer: Fence,
    what: "the kernel: one listener for a port of the node's network",
    assumes: "the program binds exactly this port, and no range",
    source: "bind(2)",
};
static IDS: Mechanism = Mechanism {
    word: "ids",
    layer: Construction,
    what: "berthc refuses two specs of one id space that have an id in common",
    assumes: "all specs of the id space are compiled together, and the StatefulSet is not scaled by hand",
    source: "berthc id-clash",
};
static LOCK: Mechanism = Mechanism {
    word: "lock",
    layer: Fence,
    what: "the process itself holds flock on its data directory for as long as it lives",
    assumes: "no network file system; sh and flock in the image; the process keeps the inherited descriptor",
    source: "flock(2); seen: 0 s overlap where a port token had fallen",
};
static PATH_MISSING: Mechanism = Mechanism {
    word: "path-missing",
    layer: Fence,
    what: "a directory that is not there keeps the member from starting; nothing makes it",
    assumes: "it lies inside the mount, and none is left under the bare mountpoint",
    source: "kubernetes pkg/volume/hostpath/host_path.go, pkg/volume/local/local.go",
};
static AFFINITY: Mechanism = Mechanism {
    word: "affinity",
    layer: Scheduler,
    what: "required anti-affinity against its own kind on the node; a terminating pod still counts",
    assumes: "the default scheduler places every pod; nodes carry kubernetes.io/hostname",
    source: "kubernetes pkg/scheduler/framework/plugins/interpodaffinity/filtering.go; seen: 0 overlaps in 72 label flips, 48 double controllers",
};
static DAEMONSET: Mechanism = Mechanism {
    word: "daemonset",
    layer: Scheduler,
    what: "one pod of the set on a node; a terminating one still counts",
    assumes: "one controller is active",
    source: "kubernetes pkg/controller/daemon/daemon_controller.go, podsShouldBeOnNode",
};
static TAINT: Mechanism = Mechanism {
    word: "taint",
    layer: Scheduler,
    what: "only pods that tolerate the taint of the node are placed there",
    assumes: "the node is tainted",
    source: "kubernetes pkg/scheduler/framework/plugins/tainttoleration",
};
static GONE_FIRST: Mechanism = Mechanism {
    word: "gone-first",
    layer: Order,
    what: "the next pod is made when the object of the one before is gone",
    assumes: "nobody deletes a pod by force",
    source: "kubernetes pkg/controller/daemon/update.go, pkg/controller/statefulset; seen: gaps of 324 ms and more",
};

/// What ought to hold a cell.
pub fn expect(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    let has_data = shape.data != Where::Nowhere;
    match resource {
        Resource::Data => Expect::Held(data(shape, hazard)),
        Resource::Writer => bare(shape, resource, hazard),
        // What holds the data says nothing of another service's members; and where the storage
        // takes the data from a forced pod, its container runs on under its name and id (seen).
        Resource::Id if has_data && !matches!(hazard, Hazard::Neighbour | Hazard::Force) => Expect::AsData,
        Resource::Hostname | Resource::Id => bare(shape, resource, hazard),
        Resource::Port if !shape.node_network => Expect::Never("the pod has an address of its own"),
        Resource::Address if shape.workload.ports.is_empty() => {
            Expect::Never("it claims no port of its node's address")
        }
        Resource::Port | Resource::Address => port(hazard),
    }
}

fn port(hazard: Hazard) -> Expect {
    let held: Vec<&'static Mechanism> = match hazard {
        Hazard::Partition | Hazard::Move => return Expect::Never("it belongs to its node"),
        // A forced pod is forgotten by scheduler and kubelet, not by the kernel.
        Hazard::Force => vec![&BIND],
        Hazard::Colocate | Hazard::Revisions | Hazard::Relabel => vec![&PORTS, &BIND, &AFFINITY],
        Hazard::Update | Hazard::Reboot | Hazard::Neighbour => vec![&PORTS, &BIND],
    };
    Expect::Held(vec![way(HERE, held)])
}

/// Members without data: the object's name is all they have.
fn bare(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    let pinned = shape.pinned && shape.workload.count() == 1;
    let pin = pinned.then_some(&PIN);
    Expect::Held(match (hazard, resource) {
        (Hazard::Colocate, Resource::Writer) => return Expect::Never("there is one member"),
        (Hazard::Move, Resource::Writer) => return Expect::Never("it has no data to lose"),
        (Hazard::Force, _) => vec![way(HERE, [])],
        (Hazard::Neighbour, Resource::Id) => vec![way(SAME, [&IDS])],
        (Hazard::Partition, _) => {
            vec![way(ELSEWHERE, [&POD_NAME as &'static Mechanism].into_iter().chain(pin))]
        }
        _ => vec![way(HERE, [&POD_NAME])],
    })
}

fn data(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    match (shape.data, shape.per_node) {
        (Where::Host, true) => on_each_node(shape, hazard),
        (Where::Host, false) => {
            let mut ways = on_pinned_nodes(shape, hazard);
            // What the directory does not hold of a volume beside it.
            if shape.beside && matches!(hazard, Hazard::Colocate | Hazard::Move | Hazard::Neighbour) {
                ways.extend(on_volumes(shape, hazard));
            }
            ways
        }
        _ => on_volumes(shape, hazard),
    }
}

/// A second container on the same node: `first`, and what fences there whatever made it.
fn here(shape: &Shape<'_>, hazard: Hazard, first: &[&'static Mechanism]) -> Way {
    let mut any = first.to_vec();
    let together = !matches!(hazard, Hazard::Revisions | Hazard::Relabel) || shape.one_lock;
    if shape.guard && together {
        any.push(&LOCK);
    }
    // A forced pod is forgotten by scheduler and kubelet.
    if shape.node_network && !shape.workload.ports.is_empty() && hazard != Hazard::Force {
        any.push(&PORTS);
    }
    way(HERE, any)
}

fn on_each_node(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    match hazard {
        Hazard::Colocate => vec![here(&[&DAEMONSET, &AFFINITY])],
        Hazard::Update => vec![here(&[&AFFINITY, &GONE_FIRST])],
        // A set that is made again does not count the pods of the one before, whatever its label.
        Hazard::Revisions if shape.revisions => {
            vec![here(&[&REVISION_LABEL, &AFFINITY]), Way { how: AGAIN, ..here(&[&AFFINITY]) }]
        }
        // A set waits for its own pod; of another revision's it knows nothing.
        Hazard::Relabel if !shape.revisions => vec![here(&[&DAEMONSET, &AFFINITY])],
        Hazard::Revisions | Hazard::Relabel => vec![here(&[&AFFINITY])],
        Hazard::Partition => vec![way(ELSEWHERE, [&NODE_BOUND])],
        Hazard::Reboot => vec![here(&[&DAEMONSET, &AFFINITY]), way(EMPTY, [&PATH_MISSING])],
        // A pod that is evicted is replaced: what keeps the next one off is that of a reboot.
        Hazard::Move => vec![
            way(OTHER, [&NODE_BOUND]),
            way(EMPTY, [&PATH_MISSING]),
            Way { named: false, ..here(&[&DAEMONSET, &AFFINITY]) },
        ],
        Hazard::Neighbour if shape.workload.dedicated() => vec![way(SAME, [&UNIQUE, &TAINT])],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE])],
        Hazard::Force => vec![here(&[])],
    }
}

fn on_pinned_nodes(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let mut ways = match hazard {
        Hazard::Colocate => vec![here(&[&PATH, &AFFINITY])],
        Hazard::Update | Hazard::Revisions => vec![here(&[&POD_NAME])],
        Hazard::Relabel => vec![
            here(&[&POD_NAME]),
            way(ELSEWHERE, [&POD_NAME, &PATH]),
            way(ELSEWHERE, [&POD_NAME, &PATH_MISSING]),
            // Two labels that change places.
            rests_on(OTHER, [&PATH]),
        ],
        Hazard::Partition => vec![way(ELSEWHERE, [&POD_NAME, &PIN])],
        Hazard::Reboot => vec![here(&[&POD_NAME]), way(EMPTY, [&PATH_MISSING])],
        // The claim leads the member to its volume, the volume to a directory that no other
        // member has, and a node without it refuses.
        Hazard::Move => vec![
            way(OTHER, [&RESERVED]),
            way(OTHER, [&PATH]),
            way(EMPTY, [&PATH_MISSING]),
            way(EMPTY, [&BY_HAND]),
        ],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE]), way(SAME, [&RESERVED])],
        Hazard::Force => vec![here(&[])],
    };
    // A directory of one node is the member's only where the member is that node's.
    if !matches!(hazard, Hazard::Colocate | Hazard::Neighbour | Hazard::Force) {
        ways.push(rests_on(ELSEWHERE, [&PIN]));
    }
    ways
}

fn on_volumes(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    // Below 1.27 ReadWriteOncePod is behind a gate.
    let one_pod = shape.service.targets.kubernetes.as_ref().is_some_and(|k| k.version >= Version::new(1, 27));
    let one_pod: &[&'static Mechanism] = if one_pod { &[&RWOP] } else { &[] };
    let attach: &[&'static Mechanism] =
        if shape.data == Where::Network(Fences::Always) { &[&ATTACH] } else { &[] };
    let here = |first: &[&'static Mechanism]| here(shape, hazard, &[first, one_pod].concat());
    let elsewhere = |first: &[&'static Mechanism]| way(ELSEWHERE, [first, attach].concat());
    match hazard {
        Hazard::Colocate => vec![here(&[&CLAIM, &AFFINITY])],
        Hazard::Update | Hazard::Revisions | Hazard::Relabel => vec![here(&[&POD_NAME])],
        Hazard::Partition => vec![elsewhere(&[&[&POD_NAME], one_pod].concat())],
        Hazard::Reboot => {
            vec![here(&[&POD_NAME]), elsewhere(&[&[&POD_NAME], one_pod].concat()), way(EMPTY, [&CLAIM])]
        }
        Hazard::Move => vec![way(OTHER, [&CLAIM])],
        Hazard::Neighbour => vec![way(SAME, [&[&CLAIM], one_pod].concat())],
        // The object of the old pod is gone: on its node the kubelet still has the volume mounted,
        // elsewhere only the storage knows.
        Hazard::Force => vec![here(&[]), elsewhere(&[])],
    }
}

/// The documents of one service, and what was found in them.
struct Reader<'t> {
    shape: &'t Shape<'t>,
    found: Found,
}

/// A document and the path of its file below the service's folder.
type Read<'d> = (&'d str, &'d Document);

/// A value and the path of its file.
type At<'d> = (&'d str, Value<'d>);

/// What the text carries.
pub fn found(shape: &Shape<'_>, texts: &Texts<'_>) -> Found {
    let folder = format!("{}/kubernetes/", shape.service.name);
    let all: Vec<Read<'_>> = texts
        .below(&folder)
        .filter_map(|(path, all)| {
            let short = path.strip_prefix(&shape.service.name)?.trim_start_matches('/');
            Some(all.iter().map(move |d| (short, d)))
        })
        .flatten()
        .collect();
    let mut reader = Reader { shape, found: Found::new() };
    for (file, document) in &all {
        let name = document.at(&["metadata", "name"]).and_then(|n| n.text()).unwrap_or_default();
        let own = match kind(document).as_str() {
            "StatefulSet" => name == shape.service.name,
            "DaemonSet" => name == shape.service.full_name(),
            _ => false,
        };
        if own {
            reader.workload(file, document, &all);
        }
    }
    reader.found
}

fn kind(document: &Document) -> String {
    document.at(&["kind"]).and_then(|k| k.text()).unwrap_or_default()
}

fn items<'d>(value: &Value<'d>, way: &[&str]) -> Vec<Value<'d>> {
    value.at(way).map(|v| v.items()).unwrap_or_default()
}

/// The StorageClass `name`.
fn class<'d>(all: &[Read<'d>], name: &str) -> Option<Read<'d>> {
    let named = |d: &Document| d.at(&["metadata", "name"]).is_some_and(|n| n.is(name));
    all.iter().find(|(_, d)| kind(d) == "StorageClass" && named(d)).copied()
}

impl Reader<'_> {
    fn carry(&mut self, mechanism: &'static Mechanism, file: &str, value: &Value<'_>) {
        let carrier = Carrier { file: file.to_owned(), field: value.field().to_owned(), line: value.line() };
        let carriers = self.found.entry(mechanism.word).or_default();
        if !carriers.contains(&carrier) {
            carriers.push(carrier);
        }
    }

    fn workload(&mut self, file: &str, document: &Document, all: &[Read<'_>]) {
        let stateful = kind(document) == "StatefulSet";
        // With a surge a set replaces a pod that terminates, or is not ready, at once.
        let surge = document.at(&["spec", "updateStrategy", "rollingUpdate", "maxSurge"]);
        let surges = !stateful && surge.is_some_and(|s| !s.is("0") && !s.is("0%"));
        if let Some(value) = document.at(&["kind"]).filter(|_| !surges) {
            self.carry(if stateful { &POD_NAME } else { &DAEMONSET }, file, &value);
        }
        if stateful {
            self.ids(file, document);
        } else if let Some(strategy) = document.at(&["spec", "updateStrategy"]) {
            let on_delete = strategy.get("type").filter(|t| t.is("OnDelete"));
            let surge = strategy.at(&["rollingUpdate", "maxSurge"]).filter(|s| s.is("0") || s.is("0%"));
            if let Some(value) = on_delete.or(surge) {
                self.carry(&GONE_FIRST, file, &value);
            }
        }
        let Some(pod) = document.at(&["spec", "template"]) else { return };
        self.placement(file, &pod, all);
        let containers = items(&pod, &["spec", "containers"]);
        let is_main = |c: &&Value<'_>| c.get("name").is_some_and(|n| n.is(&self.shape.service.name));
        let Some(main) = containers.iter().find(is_main) else { return };
        self.ports(file, &pod, main);
        let held =
            if stateful { self.claims(file, document, main, all) } else { self.host_paths(file, &pod, main) };
        if held {
            self.lock(file, main);
        }
    }

    /// The members have the ids of the spec, and no others.
    fn ids(&mut self, file: &str, document: &Document) {
        let ids = self.shape.workload.ids();
        let start = document.at(&["spec", "ordinals", "start"]);
        let first = start.as_ref().map_or(ids.start == 0, |s| s.is(&ids.start.to_string()));
        let count = self.shape.workload.count().to_string();
        if let Some(replicas) = document.at(&["spec", "replicas"]).filter(|r| first && r.is(&count)) {
            self.carry(&IDS, file, &replicas);
        }
    }

    fn placement(&mut self, file: &str, pod: &Value<'_>, all: &[Read<'_>]) {
        let bound = pod.at(&["spec", "nodeName"]).is_some();
        let other = pod.at(&["spec", "schedulerName"]).is_some_and(|s| !s.is("default-scheduler"));
        // Who places a pod by hand asks neither anti-affinity nor taints.
        let scheduled = !bound && !other;
        let terms = ["spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
        for term in items(pod, &terms) {
            if scheduled && self.keeps_apart(&term, all) {
                self.carry(&AFFINITY, file, &term);
            }
        }
        let revision = format!("{}-revision", self.shape.service.name);
        if let Some(label) = pod.at(&["spec", "nodeSelector", &revision])
            && label.text() == self.shape.service.revision
        {
            self.carry(&REVISION_LABEL, file, &label);
        }
        let ids = self.shape.workload.ids();
        if let Some(pin) = self.shape.workload.pin().filter(|_| ids.len() == 1)
            && let Some(label) = pod.at(&["spec", "nodeSelector", &pin.label])
            && label.is(&ids.start.to_string())
        {
            self.carry(&PIN, file, &label);
        }
        for toleration in items(pod, &["spec", "tolerations"]) {
            let is = |key: &str, text: &str| toleration.get(key).is_some_and(|v| v.is(text));
            if scheduled
                && is("key", "dedicated")
                && is("value", &self.shape.service.name)
                && is("effect", "NoSchedule")
            {
                self.carry(&TAINT, file, &toleration);
            }
        }
    }

    /// Whether the term keeps every pod of the service off a node that has one, of whatever
    /// revision: each revision's labels must match it, and those of the next, too.
    fn keeps_apart(&self, term: &Value<'_>, all: &[Read<'_>]) -> bool {
        let known = ["topologyKey", "labelSelector", "namespaceSelector"];
        let only = |value: &Value<'_>, keys: &[&str]| value.entries().iter().all(|(k, _)| keys.contains(k));
        let Some(selector) = term.get("labelSelector") else { return false };
        let wanted = selector.get("matchLabels").map(|l| l.entries()).unwrap_or_default();
        let sets = all.iter().filter(|(_, d)| ["DaemonSet", "StatefulSet"].contains(&kind(d).as_str()));
        let matched = sets.map(|(_, d)| d.at(&["spec", "template", "metadata", "labels"])).all(|labels| {
            wanted.iter().all(|(key, value)| {
                let mine = labels.as_ref().and_then(|l| l.get(key)).and_then(|v| v.text());
                mine.is_some() && mine == value.text()
            })
        });
        // A node's directory may be claimed from any namespace.
        let everywhere = term.get("namespaceSelector");
        let wide = match &everywhere {
            Some(selector) => selector.entries().is_empty(),
            None => self.shape.data != Where::Host,
        };
        term.get("topologyKey").is_some_and(|k| k.is("kubernetes.io/hostname"))
            && only(term, &known)
            && only(&selector, &["matchLabels"])
            && !wanted.is_empty()
            && wanted.iter().all(|(key, _)| *key != REVISION)
            && matched
            && wide
    }

    fn ports(&mut self, file: &str, pod: &Value<'_>, main: &Value<'_>) {
        if let Some(network) = pod.at(&["spec", "hostNetwork"]).filter(|n| n.is("true")) {
            self.carry(&BIND, file, &network);
        }
        let ports = items(main, &["ports"]);
        let held = |port: u16| {
            // Port and address make the key: an address of one's own is no common port.
            let any = ports.iter().filter(|p| p.get("hostIP").is_none());
            any.filter_map(|p| p.get("hostPort")).find(|h| h.is(&port.to_string()))
        };
        let all: Option<Vec<Value<'_>>> = self.shape.workload.ports.iter().map(|(_, p)| held(*p)).collect();
        if let Some(first) = all.filter(|_| self.shape.node_network).and_then(|a| a.into_iter().next()) {
            self.carry(&PORTS, file, &first);
        }
    }

    fn lock(&mut self, file: &str, main: &Value<'_>) {
        let Some(value) = main.get("command") else { return };
        let mount = self.shape.workload.data.first().map_or("", |d| d.mount.as_str());
        if value.texts().get(..4).is_some_and(|c| c == ["/bin/sh", "-c", GUARD, mount]) {
            self.carry(&LOCK, file, &value);
        }
    }

    /// Cell A: every data directory is a hostPath of its own path, and is mounted.
    fn host_paths(&mut self, file: &str, pod: &Value<'_>, main: &Value<'_>) -> bool {
        let volumes = items(pod, &["spec", "volumes"]);
        let path = |data: &Data| {
            let mount = mount(main, data)?;
            let bare = mount.get("subPath").is_none() && mount.get("subPathExpr").is_none();
            let name = mount.get("name").filter(|_| bare)?.text()?;
            let volume = volumes.iter().find(|v| v.get("name").is_some_and(|n| n.is(&name)))?;
            volume
                .get("hostPath")
                .filter(|h| h.get("path").is_some_and(|p| data.host().is_some_and(|host| p.is(&host.text))))
        };
        let paths: Option<Vec<Value<'_>>> = self.shape.workload.data.iter().map(path).collect();
        let Some(paths) = paths.filter(|p| !p.is_empty()) else { return false };
        let refuse = paths.iter().all(|p| p.get("type").is_some_and(|t| t.is("Directory")));
        for path in &paths {
            if let Some(value) = path.get("path") {
                self.carry(&NODE_BOUND, file, &value);
                self.carry(&UNIQUE, file, &value);
            }
            if let Some(value) = path.get("type").filter(|_| refuse) {
                self.carry(&PATH_MISSING, file, &value);
            }
        }
        true
    }

    /// Cells B and C: a claim template for each data directory, mounted; and what becomes of the
    /// claims.
    fn claims(&mut self, file: &str, document: &Document, main: &Value<'_>, all: &[Read<'_>]) -> bool {
        let templates = items(&document.root(), &["spec", "volumeClaimTemplates"]);
        let template = |data: &Data| {
            mount(main, data)?.get("name").filter(|n| n.is(&data.name))?;
            templates.iter().find(|t| t.at(&["metadata", "name"]).is_some_and(|n| n.is(&data.name)))
        };
        let data = &self.shape.workload.data;
        let own: Option<Vec<&Value<'_>>> = data.iter().map(template).collect();
        let Some(own) = own.filter(|o| !o.is_empty()) else { return false };
        let policy = document.at(&["spec", "persistentVolumeClaimRetentionPolicy"]);
        let kept = policy.as_ref().is_none_or(|p| p.entries().iter().all(|(_, v)| v.is("Retain")));
        let network = || data.iter().zip(&own).filter(|(d, _)| d.host().is_none());
        let modes = network().map(|(_, t)| t.at(&["spec", "accessModes"]));
        let modes: Option<Vec<Value<'_>>> =
            modes.map(|m| m.filter(|m| m.texts() == ["ReadWriteOncePod"])).collect();
        let attached: Option<Vec<At<'_>>> = network().map(|(d, t)| attached(d, file, t, all)).collect();
        for modes in modes.unwrap_or_default() {
            self.carry(&RWOP, file, &modes);
        }
        for (file, value) in attached.unwrap_or_default() {
            self.carry(&ATTACH, file, &value);
        }
        self.local_volumes(&own, all);
        for template in own.iter().filter(|_| kept) {
            if let Some(name) = template.at(&["metadata", "name"]) {
                self.carry(&CLAIM, file, &name);
            }
        }
        true
    }

    /// Cell B: every member has a volume of its own path, bound to its claim and its node.
    fn local_volumes(&mut self, templates: &[&Value<'_>], all: &[Read<'_>]) {
        let w = self.shape.workload;
        let (Some(pin), Some(k)) = (w.pin(), &self.shape.service.targets.kubernetes) else { return };
        let volumes: Vec<Read<'_>> =
            all.iter().filter(|(_, d)| kind(d) == "PersistentVolume").copied().collect();
        let mut held: [Vec<At<'_>>; 5] = Default::default();
        let mut wanted = 0;
        for (data, template) in w.data.iter().zip(templates) {
            let DataAt::Host { path, .. } = &data.at else { continue };
            let storage = template.at(&["spec", "storageClassName"]).and_then(|c| c.text());
            // Any other class might make a volume, empty, where one is missing.
            let by_hand = storage.as_ref().and_then(|c| class(all, c)).and_then(|(file, c)| {
                let provisioner = c.at(&["provisioner"])?;
                provisioner.is("kubernetes.io/no-provisioner").then_some((file, provisioner))
            });
            for id in w.ids() {
                wanted += 1;
                let own_path = value::host_path(&path.text, &self.shape.service.name, id);
                let claim = format!("{}-{}-{id}", data.name, self.shape.service.name);
                let claimed = |d| claimed(d, &claim, &k.namespace, storage.as_deref());
                let by_claim = volumes.iter().find(|(_, d)| claimed(d).is_some());
                let by_path = || volumes.iter().find(|(_, d)| local(d, own_path.as_deref()).is_some());
                let Some((file, volume)) = by_claim.or_else(by_path) else { continue };
                let terms = ["spec", "nodeAffinity", "required", "nodeSelectorTerms"];
                let pinned = volume.at(&terms).filter(|t| {
                    let terms = t.items();
                    !terms.is_empty() && terms.iter().all(|term| node_is(term, &pin.label, &id.to_string()))
                });
                let carried = [
                    local(volume, own_path.as_deref()),
                    volume.at(&["spec", "local"]),
                    pinned,
                    claimed(volume),
                ];
                for (slot, value) in held.iter_mut().zip(carried) {
                    slot.extend(value.map(|v| (*file, v)));
                }
                held[4].extend(by_hand);
            }
        }
        let mechanisms: [&'static Mechanism; 5] = [&PATH, &PATH_MISSING, &PIN, &RESERVED, &BY_HAND];
        for (mechanism, carriers) in mechanisms.into_iter().zip(&held) {
            for (file, value) in carriers.iter().filter(|_| carriers.len() == wanted) {
                self.carry(mechanism, file, value);
                if mechanism.word == PATH.word {
                    self.carry(&UNIQUE, file, value);
                }
            }
        }
    }
}

/// The directory of a PersistentVolume, if it is `path`.
fn local<'d>(volume: &'d Document, path: Option<&str>) -> Option<Value<'d>> {
    volume.at(&["spec", "local", "path"]).filter(|p| p.text().as_deref() == path)
}

/// For whom a PersistentVolume is kept, if it is `claim` of `namespace` and `class`.
fn claimed<'d>(volume: &'d Document, claim: &str, namespace: &str, class: Option<&str>) -> Option<Value<'d>> {
    let own = volume.at(&["spec", "claimRef", "namespace"]).is_some_and(|n| n.is(namespace));
    let same = volume.at(&["spec", "storageClassName"]).and_then(|c| c.text()).as_deref() == class;
    volume.at(&["spec", "claimRef", "name"]).filter(|n| own && same && n.is(claim))
}

/// Where the member's own container sees `data`.
fn mount<'d>(main: &Value<'d>, data: &Data) -> Option<Value<'d>> {
    let all = items(main, &["volumeMounts"]);
    all.into_iter().find(|m| m.get("mountPath").is_some_and(|p| p.is(&data.mount)))
}

/// What says that the volume of `data` is the backend's own, and of one node: its class.
fn attached<'d>(data: &Data, file: &'d str, template: &Value<'d>, all: &[Read<'d>]) -> Option<At<'d>> {
    let DataAt::Volume(volume) = &data.at else { return None };
    let name = template.at(&["spec", "storageClassName"])?;
    if let Some(given) = &volume.class {
        return name.is(given).then_some((file, name));
    }
    let (file, class) = class(all, &name.text()?)?;
    // How it is formatted is the spec's; the rest is there because attaching fences only with it.
    let fencing = volume.backend.parameters.iter().filter(|(key, _)| !key.starts_with("csi.storage.k8s.io/"));
    let whole =
        fencing.into_iter().all(|(key, v)| class.at(&["parameters", key]).is_some_and(|found| found.is(v)));
    let provisioner = class.at(&["provisioner"]).filter(|p| whole && p.text() == volume.csi)?;
    Some((file, provisioner))
}

/// Whether a node selector term demands `label` to be `value`, and one value only.
fn node_is(term: &Value<'_>, label: &str, value: &str) -> bool {
    items(term, &["matchExpressions"]).iter().any(|e| {
        e.get("key").is_some_and(|k| k.is(label))
            && e.get("operator").is_some_and(|o| o.is("In"))
            && e.get("values").is_some_and(|v| v.texts() == [value])
    })
}
