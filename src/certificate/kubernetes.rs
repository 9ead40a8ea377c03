//! What holds what on Kubernetes.

use super::Layer::{Construction, Fence, Order, Scheduler};
use super::{Carrier, Expect, Found, Hazard, Mechanism, Resource, Shape, Where};
use crate::emit::Tree;
use crate::model::DataAt;
use crate::model::backend::Fences;
use crate::model::units::Version;
use crate::route;
use crate::target::Gap;
use crate::target::docker::GUARD;
use crate::value;
use crate::world::yaml::{Document, Value, documents};

static POD_NAME: Mechanism = Mechanism {
    word: "pod-name",
    layer: Construction,
    what: "one object of a member's name in the API: no successor is made before it is gone, for ever if need be",
    assumes: "nobody deletes a pod by force or the Node object of a node that runs",
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
    assumes: "nobody deletes the claim",
    source: "kubernetes pkg/controller/statefulset/stateful_set_utils.go, getPersistentVolumeClaims",
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
    what: "ReadWriteOncePod: scheduler and kubelet refuse the volume to a second pod",
    assumes: "a CSI driver with csi-attacher 3.3 or newer",
    source: "KEP-2485; kubernetes pkg/scheduler/framework/plugins/volumerestrictions",
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
    assumes: "",
    source: "kubernetes pkg/scheduler/framework/plugins/nodeports; seen: 0 overlaps in 72 label flips",
};
static LOCK: Mechanism = Mechanism {
    word: "lock",
    layer: Fence,
    what: "the process itself holds flock on its data directory for as long as it lives",
    assumes: "a local disk; sh and flock in the image; the process keeps the inherited descriptor",
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
        Resource::Writer => writer(hazard),
        Resource::Hostname if hazard == Hazard::Force && has_data => Expect::AsData,
        Resource::Hostname if hazard == Hazard::Force => Expect::Held(vec![]),
        Resource::Hostname => Expect::Held(vec![&POD_NAME]),
        Resource::Id if has_data => Expect::AsData,
        Resource::Id if hazard == Hazard::Force => Expect::Held(vec![]),
        Resource::Id => Expect::Held(vec![&POD_NAME]),
        Resource::Port if !shape.node_network => Expect::Never("the pod has an address of its own"),
        Resource::Port | Resource::Address => match hazard {
            Hazard::Partition | Hazard::Move => Expect::Never("it belongs to its node"),
            Hazard::Colocate | Hazard::Revisions | Hazard::Relabel => Expect::Held(vec![&PORTS, &AFFINITY]),
            _ => Expect::Held(vec![&PORTS]),
        },
    }
}

fn writer(hazard: Hazard) -> Expect {
    match hazard {
        Hazard::Colocate => Expect::Never("there is one member"),
        Hazard::Move => Expect::Never("it has no data to lose"),
        Hazard::Force => Expect::Held(vec![]),
        Hazard::Update => Expect::Held(vec![&POD_NAME, &GONE_FIRST]),
        _ => Expect::Held(vec![&POD_NAME]),
    }
}

fn data(shape: &Shape<'_>, hazard: Hazard) -> Vec<&'static Mechanism> {
    let mut held = match (shape.data, shape.per_node) {
        (Where::Host, true) => on_each_node(shape, hazard),
        (Where::Host, false) => on_pinned_nodes(hazard),
        _ => on_volumes(shape, hazard),
    };
    // Both fence on one node, whatever made the second container.
    let same_node = !matches!(hazard, Hazard::Partition | Hazard::Move);
    if shape.guard && same_node && shape.data == Where::Host {
        held.push(&LOCK);
    }
    if shape.node_network && same_node && hazard != Hazard::Neighbour && hazard != Hazard::Force {
        held.push(&PORTS);
    }
    held
}

fn on_each_node(shape: &Shape<'_>, hazard: Hazard) -> Vec<&'static Mechanism> {
    match hazard {
        Hazard::Colocate => vec![&DAEMONSET, &AFFINITY],
        Hazard::Update => vec![&GONE_FIRST, &AFFINITY],
        Hazard::Revisions if shape.revisions => vec![&REVISION_LABEL, &AFFINITY],
        Hazard::Revisions | Hazard::Relabel => vec![&AFFINITY],
        Hazard::Partition | Hazard::Move => vec![&NODE_BOUND],
        Hazard::Reboot => vec![&PATH_MISSING, &AFFINITY],
        Hazard::Neighbour if shape.workload.dedicated() => vec![&UNIQUE, &TAINT],
        Hazard::Neighbour => vec![&UNIQUE],
        Hazard::Force => vec![],
    }
}

fn on_pinned_nodes(hazard: Hazard) -> Vec<&'static Mechanism> {
    match hazard {
        Hazard::Colocate => vec![&PATH, &AFFINITY],
        Hazard::Update => vec![&POD_NAME, &GONE_FIRST],
        Hazard::Revisions => vec![&POD_NAME],
        Hazard::Relabel => vec![&POD_NAME, &PATH],
        Hazard::Partition => vec![&POD_NAME, &PIN],
        Hazard::Reboot => vec![&POD_NAME, &PATH_MISSING],
        Hazard::Move => vec![&CLAIM, &PATH, &PATH_MISSING],
        Hazard::Neighbour => vec![&UNIQUE, &CLAIM],
        Hazard::Force => vec![],
    }
}

fn on_volumes(shape: &Shape<'_>, hazard: Hazard) -> Vec<&'static Mechanism> {
    // Below 1.27 ReadWriteOncePod is behind a gate.
    let one_pod = shape.service.targets.kubernetes.as_ref().is_some_and(|k| k.version >= Version::new(1, 27));
    let attach = shape.data == Where::Network(Fences::Always);
    let mut held: Vec<&'static Mechanism> = match hazard {
        Hazard::Colocate => vec![&CLAIM, &AFFINITY],
        Hazard::Update => vec![&POD_NAME, &GONE_FIRST],
        Hazard::Revisions | Hazard::Relabel | Hazard::Partition => vec![&POD_NAME],
        Hazard::Reboot => vec![&POD_NAME, &CLAIM],
        Hazard::Move | Hazard::Neighbour => vec![&CLAIM],
        Hazard::Force => vec![],
    };
    if one_pod && !matches!(hazard, Hazard::Move | Hazard::Force) {
        held.push(&RWOP);
    }
    if attach && matches!(hazard, Hazard::Partition | Hazard::Reboot | Hazard::Force) {
        held.push(&ATTACH);
    }
    held
}

/// What happens where nothing holds: only a template that lost a rule leads here.
pub fn story(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Gap {
    let place = shape.service.key(&route!["exclusive"]);
    let message = format!(
        "nothing in the emitted manifests keeps two pods from one {} ({})",
        resource.name(),
        hazard.name()
    );
    Gap::new("", place, message, "the templates have lost every rule that held it")
        .mend("use berthc's own templates, or put the rule back", "")
}

/// The documents of one service, and what was found in them.
struct Reader<'t> {
    shape: &'t Shape<'t>,
    files: Vec<(String, Vec<Document>)>,
    found: Found,
}

/// What the text carries.
pub fn found(shape: &Shape<'_>, tree: &Tree) -> Found {
    let folder = format!("{}/kubernetes/", shape.service.name);
    let files = tree
        .range(folder.clone()..)
        .take_while(|(path, _)| path.starts_with(&folder))
        .filter_map(|(path, text)| {
            let short = path.strip_prefix(&shape.service.name)?.trim_start_matches('/').to_owned();
            Some((short, documents(text).0))
        })
        .collect();
    let mut reader = Reader { shape, files, found: Found::new() };
    reader.read();
    reader.found
}

impl Reader<'_> {
    fn read(&mut self) {
        let files = std::mem::take(&mut self.files);
        for (file, documents) in &files {
            for document in documents {
                let kind = document.at(&["kind"]).and_then(|k| k.text()).unwrap_or_default();
                let name = document.at(&["metadata", "name"]).and_then(|n| n.text()).unwrap_or_default();
                let own = match kind.as_str() {
                    "StatefulSet" => name == self.shape.service.name,
                    "DaemonSet" => name == self.shape.service.full_name(),
                    _ => false,
                };
                if own {
                    self.workload(file, document, &kind);
                }
            }
        }
        self.volumes(&files);
    }

    fn carry(&mut self, mechanism: &'static Mechanism, file: &str, value: &Value<'_>) {
        let carrier = Carrier { file: file.to_owned(), field: value.field().to_owned(), line: value.line() };
        let carriers = self.found.entry(mechanism.word).or_default();
        if !carriers.contains(&carrier) {
            carriers.push(carrier);
        }
    }

    fn workload(&mut self, file: &str, document: &Document, kind: &str) {
        let stateful = kind == "StatefulSet";
        if let Some(value) = document.at(&["kind"]) {
            self.carry(if stateful { &POD_NAME } else { &DAEMONSET }, file, &value);
        }
        if let Some(strategy) = document.at(&["spec", "updateStrategy"]) {
            let on_delete = strategy.get("type").filter(|t| t.is("OnDelete"));
            let surge = strategy.at(&["rollingUpdate", "maxSurge"]).filter(|s| s.is("0") || s.is("0%"));
            let rolling = strategy.get("type").filter(|_| stateful);
            if let Some(value) = on_delete.or(surge).or(rolling) {
                self.carry(&GONE_FIRST, file, &value);
            }
        }
        let Some(pod) = document.at(&["spec", "template"]) else { return };
        self.placement(file, &pod);
        let containers = pod.at(&["spec", "containers"]).map(|c| c.items()).unwrap_or_default();
        if let Some(main) = containers.first() {
            self.container(file, main);
        }
        self.host_paths(file, &pod);
        self.claims(file, document);
    }

    fn placement(&mut self, file: &str, pod: &Value<'_>) {
        let labels = pod.at(&["metadata", "labels"]);
        let terms = ["spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
        for term in pod.at(&terms).map(|t| t.items()).unwrap_or_default() {
            let on_node = term.get("topologyKey").is_some_and(|k| k.is("kubernetes.io/hostname"));
            let wanted = term.at(&["labelSelector", "matchLabels"]).map(|l| l.entries()).unwrap_or_default();
            let only_labels = term.at(&["labelSelector", "matchExpressions"]).is_none();
            let own = wanted.iter().all(|(key, value)| {
                let mine = labels.as_ref().and_then(|l| l.get(key)).and_then(|v| v.text());
                mine.is_some() && mine == value.text()
            });
            if on_node && own && only_labels && !wanted.is_empty() {
                self.carry(&AFFINITY, file, &term);
            }
        }
        let revision = format!("{}-revision", self.shape.service.name);
        if let Some(label) = pod.at(&["spec", "nodeSelector", &revision])
            && label.text() == self.shape.service.revision
        {
            self.carry(&REVISION_LABEL, file, &label);
        }
        if let Some(pin) = self.shape.workload.pin()
            && let Some(label) = pod.at(&["spec", "nodeSelector", &pin.label])
        {
            self.carry(&PIN, file, &label);
        }
        for toleration in pod.at(&["spec", "tolerations"]).map(|t| t.items()).unwrap_or_default() {
            if toleration.get("value").is_some_and(|v| v.is(&self.shape.service.name)) {
                self.carry(&TAINT, file, &toleration);
            }
        }
    }

    fn container(&mut self, file: &str, main: &Value<'_>) {
        let ports = main.get("ports").map(|p| p.items()).unwrap_or_default();
        let held =
            |port: u16| ports.iter().find_map(|p| p.get("hostPort").filter(|h| h.is(&port.to_string())));
        let all: Option<Vec<Value<'_>>> = self.shape.workload.ports.iter().map(|(_, p)| held(*p)).collect();
        if let Some(first) = all.filter(|_| self.shape.node_network).and_then(|a| a.into_iter().next()) {
            self.carry(&PORTS, file, &first);
        }
        let command = main.get("command").map(|c| c.texts()).unwrap_or_default();
        let mount = self.shape.workload.data.first().map(|d| d.mount.as_str());
        if command.get(2).is_some_and(|s| s == GUARD)
            && command.get(3).map(String::as_str) == mount
            && let Some(value) = main.get("command")
        {
            self.carry(&LOCK, file, &value);
        }
    }

    /// Cell A: every data directory is a hostPath of its own path.
    fn host_paths(&mut self, file: &str, pod: &Value<'_>) {
        let volumes = pod.at(&["spec", "volumes"]).map(|v| v.items()).unwrap_or_default();
        let data: Vec<_> = self.shape.workload.data.iter().filter_map(|d| d.host()).collect();
        let paths: Option<Vec<Value<'_>>> = data
            .iter()
            .map(|host| {
                volumes.iter().find_map(|v| {
                    v.get("hostPath").filter(|h| h.get("path").is_some_and(|p| p.is(&host.text)))
                })
            })
            .collect();
        let Some(paths) = paths.filter(|p| !p.is_empty()) else { return };
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
    }

    /// Cells B and C: a claim template for each data directory, and what becomes of the claims.
    fn claims(&mut self, file: &str, document: &Document) {
        let templates = document.at(&["spec", "volumeClaimTemplates"]).map(|t| t.items()).unwrap_or_default();
        let own: Option<Vec<&Value<'_>>> = self
            .shape
            .workload
            .data
            .iter()
            .map(|d| templates.iter().find(|t| t.at(&["metadata", "name"]).is_some_and(|n| n.is(&d.name))))
            .collect();
        let Some(own) = own.filter(|o| !o.is_empty()) else { return };
        let policy = document.at(&["spec", "persistentVolumeClaimRetentionPolicy"]);
        let kept = policy.as_ref().is_none_or(|p| p.entries().iter().all(|(_, v)| v.is("Retain")));
        for template in &own {
            if let Some(name) = template.at(&["metadata", "name"]).filter(|_| kept) {
                self.carry(&CLAIM, file, &name);
            }
        }
        let one_pod = |t: &&Value<'_>| {
            t.at(&["spec", "accessModes"]).is_some_and(|m| m.texts() == ["ReadWriteOncePod"])
        };
        if own.iter().all(one_pod)
            && let Some(modes) = own.first().and_then(|t| t.at(&["spec", "accessModes"]))
        {
            self.carry(&RWOP, file, &modes);
        }
        let classes: Option<Vec<Value<'_>>> =
            own.iter().map(|t| t.at(&["spec", "storageClassName"])).collect();
        let given = self.shape.workload.volumes().all(|(_, v)| v.class.is_some());
        if let Some(first) = classes.filter(|_| given).and_then(|c| c.into_iter().next()) {
            self.carry(&ATTACH, file, &first);
        }
    }

    /// PersistentVolumes and StorageClasses.
    fn volumes(&mut self, files: &[(String, Vec<Document>)]) {
        let all = |wanted: &str| {
            let mut found: Vec<(&str, &Document)> = Vec::new();
            for (file, documents) in files {
                let of_kind = |d: &&Document| d.at(&["kind"]).is_some_and(|k| k.is(wanted));
                found.extend(documents.iter().filter(of_kind).map(|d| (file.as_str(), d)));
            }
            found
        };
        let own: Vec<(String, String)> = self
            .shape
            .workload
            .volumes()
            .filter(|(_, v)| v.class.is_none())
            .filter_map(|(d, v)| Some((d.name.clone(), v.csi.clone()?)))
            .collect();
        for (file, class) in all("StorageClass") {
            let name = class.at(&["metadata", "name"]).and_then(|n| n.text()).unwrap_or_default();
            if let Some(value) = class.at(&["provisioner"])
                && own.iter().any(|(data, driver)| name.starts_with(&format!("{data}.")) && value.is(driver))
            {
                self.carry(&ATTACH, file, &value);
            }
        }
        self.local_volumes(&all("PersistentVolume"));
    }

    /// Cell B: every member has a volume of its own path, bound to its claim and its node.
    fn local_volumes(&mut self, volumes: &[(&str, &Document)]) {
        let w = self.shape.workload;
        let Some(pin) = w.pin() else { return };
        let mut held: [Vec<(String, Value<'_>)>; 4] = Default::default();
        let mut wanted = 0;
        for data in &w.data {
            let DataAt::Host { path, .. } = &data.at else { continue };
            for id in w.ids() {
                wanted += 1;
                let Some(path) = value::host_path(&path.text, &self.shape.service.name, id) else { continue };
                let local = |d: &Document| d.at(&["spec", "local", "path"]).filter(|p| p.is(&path)).is_some();
                let Some((file, volume)) = volumes.iter().find(|(_, d)| local(d)) else { continue };
                let claim = format!("{}-{}-{id}", data.name, self.shape.service.name);
                let terms = ["spec", "nodeAffinity", "required", "nodeSelectorTerms"];
                let pinned = volume.at(&terms).filter(|t| {
                    let terms = t.items();
                    !terms.is_empty() && terms.iter().all(|term| node_is(term, &pin.label, &id.to_string()))
                });
                let carried = [
                    volume.at(&["spec", "local", "path"]),
                    volume.at(&["spec", "local"]),
                    pinned,
                    volume.at(&["spec", "claimRef", "name"]).filter(|n| n.is(&claim)),
                ];
                for (slot, value) in held.iter_mut().zip(carried) {
                    slot.extend(value.map(|v| ((*file).to_owned(), v)));
                }
            }
        }
        let mechanisms: [&'static Mechanism; 4] = [&PATH, &PATH_MISSING, &PIN, &CLAIM];
        for (mechanism, carriers) in mechanisms.into_iter().zip(held) {
            // The claim is carried by the claim template as well; here it must be bound, too.
            if carriers.len() < wanted {
                self.found.remove(mechanism.word);
                continue;
            }
            for (file, value) in carriers {
                self.carry(mechanism, &file, &value);
                if mechanism.word == PATH.word {
                    self.carry(&UNIQUE, &file, &value);
                }
            }
        }
    }
}

/// Whether a node selector term demands `label` to be `value`, and one value only.
fn node_is(term: &Value<'_>, label: &str, value: &str) -> bool {
    term.get("matchExpressions").map(|e| e.items()).unwrap_or_default().iter().any(|e| {
        e.get("key").is_some_and(|k| k.is(label))
            && e.get("operator").is_some_and(|o| o.is("In"))
            && e.get("values").is_some_and(|v| v.texts() == [value])
    })
}
