//! What a person does when a node is lost for good: what starts again by itself, each step in order, and
//! what never to do.

use super::section::{Section, labels};
use crate::model::{Fleet, Kubernetes, Members, Pin, Service, Swarm, Workload};
use crate::text::units::Version;

/// The first version with the taint of a node that is off on by default (KEP-2268, beta).
const OFF_TAINT: Version = Version::new(1, 26);

/// A service on one target, and the pin that holds there.
struct Lost<'a> {
    service: &'a Service,
    w: &'a Workload,
    pin: Option<&'a Pin>,
    /// The number of the last step.
    step: u32,
    section: Section,
}

impl<'a> Lost<'a> {
    fn new(title: &str, service: &'a Service, w: &'a Workload, pin: Option<&'a Pin>) -> Self {
        Self { service, w, pin, step: 0, section: Section::new(title) }
    }

    /// Adds the next step.
    fn step(&mut self, text: &str, commands: Vec<String>) {
        self.step += 1;
        self.section.add(format!("{}. {text}", self.step), commands);
    }

    /// Returns whether a member runs only on nodes with a label that an operator sets.
    fn placed(&self) -> bool {
        self.w.per_node() || self.pin.is_some()
    }

    /// Returns whether the node had data that is lost with it.
    fn had_data(&self) -> bool {
        self.w.data.iter().any(|d| d.host().is_some())
    }

    /// Adds the first step: a node that is only out of reach still runs its containers.
    fn power_off(&mut self, node: &str) {
        let text = format!(
            "Cut the power of the {node}, and make sure that it stays off: if it is only out of reach, its containers still run."
        );
        self.step(&text, vec![]);
    }

    /// Adds the step for data that is lost.
    fn data(&mut self) {
        if !self.had_data() {
            return;
        }
        let many = self.w.per_node() || self.w.count() > 1;
        let text = match many {
            true => {
                "The data of the member is lost. Remove the lost member from its cluster as the software asks: the next one with its name starts empty, and gets its data from the others or from a backup."
            }
            false => "The data of the member is lost. Have a backup ready: the next one starts empty.",
        };
        self.step(text, vec![]);
        self.step(
            "Make the directories on the new one, as under \"On the machines\". Restore a backup into them before the member starts, if it needs one.",
            vec![],
        );
    }

    /// Adds the step for addresses in the spec.
    fn addresses(&mut self) {
        let field = match &self.w.members {
            Members::PerNode { known, .. } if !known.is_empty() => "members.known",
            Members::Counted { .. } if self.pin.is_some_and(|pin| !pin.at.is_empty()) => "pin.at",
            _ => return,
        };
        let text = format!(
            "If the new one has another address or name: write it under {field} of the spec, compile, and update all members."
        );
        self.step(&text, vec![]);
    }

    /// Returns the labels that the node of a member has: those of a `per: node` service or the pin.
    fn pairs(&self) -> String {
        match &self.w.members {
            Members::PerNode { on, .. } => {
                let revision = self.service.revision.clone().map(|r| (self.service.revision_label(), r));
                labels(&on.iter().cloned().chain(revision).collect::<Vec<_>>())
            }
            Members::Counted { .. } => self.pin.map_or_else(String::new, |pin| format!("{}=ID", pin.label)),
        }
    }

    fn finish(mut self, never: &str) -> Section {
        if self.had_data() {
            let text = "If only a disk is lost: stop the member, mount the new disk, and begin at the step about its data.";
            self.section.add(text, vec![]);
        }
        self.section.add("Never do this while the old one may still run.", vec![format!("# never: {never}")]);
        self.section
    }
}

/// Returns the steps on Kubernetes.
pub fn kubernetes(service: &Service, w: &Workload, k: &Kubernetes) -> Section {
    let mut lost = Lost::new("Kubernetes: a node is lost for good", service, w, w.pin());
    let alone = match w.per_node() {
        true => "Nothing starts elsewhere by itself: the next member needs a node with the labels.",
        false => {
            "Nothing starts elsewhere by itself: a StatefulSet replaces a pod only when its object is gone, and the kubelet of a lost node never says so."
        }
    };
    lost.section.add(alone, vec![]);
    lost.power_off("node");
    // Without the taint, the volumes are detached after six minutes
    // (`pkg/controller/volume/attachdetach`, maxWaitForUnmountDuration).
    if w.volumes().next().is_some() && k.version >= OFF_TAINT {
        lost.step(
            "Say that it is off. Its pods and the attachments of its volumes go at once, and the members start on other nodes with their data.",
            vec!["kubectl taint node NODE node.kubernetes.io/out-of-service=nodeshutdown:NoExecute".into()],
        );
    }
    lost.step(
        "Delete its object. Its pods and its labels go with it.",
        vec!["kubectl delete node NODE".into()],
    );
    lost.data();
    if lost.placed() {
        let label = format!("kubectl label node NEW {}", lost.pairs());
        lost.step("Label the new node. The member starts there.", vec![label]);
    }
    lost.addresses();
    lost.finish("kubectl delete pod --force; kubectl delete node NODE; the taint out-of-service")
}

/// Returns the steps on fleet.
pub fn fleet(service: &Service, w: &Workload, f: &Fleet) -> Section {
    let pin = w.pin().or(f.pin.as_ref());
    let mut lost = Lost::new("fleet: a machine is lost for good", service, w, pin);
    let alone = match lost.placed() {
        true => "Nothing starts elsewhere by itself: the unit waits for a machine with the metadata.",
        // fleet `agent`, the default TTL of a machine.
        false => {
            "fleet starts the member on another machine after 30 s, also if the old one is only out of reach."
        }
    };
    lost.section.add(alone, vec![]);
    lost.power_off("machine");
    lost.data();
    if !w.secrets.is_empty() {
        lost.step("Write the files of the secrets on the new one, as above.", vec![]);
    }
    if lost.placed() {
        let metadata = format!(
            "metadata={}   # /etc/fleet/fleet.conf, before fleetd starts",
            lost.pairs().replace(' ', ",")
        );
        lost.step("Give the new machine the metadata. The member starts there.", vec![metadata]);
    }
    if let Some(domain) = &f.domain {
        lost.step(&format!("Let the name of the member below {domain} resolve to the new machine."), vec![]);
    }
    lost.addresses();
    lost.finish("give its metadata to another machine; fleetctl destroy and start elsewhere")
}

/// Returns the steps on Swarm.
pub fn swarm(service: &Service, w: &Workload, s: &Swarm) -> Section {
    let pin = w.pin().or(s.pin.as_ref());
    let mut lost = Lost::new("Swarm: a node is lost for good", service, w, pin);
    let volumes = s.csi && w.volumes().next().is_some();
    let alone = match (lost.placed(), volumes) {
        (true, _) => "Nothing starts elsewhere by itself: the task waits for a node with the label.",
        // moby `manager/dispatcher`, defaultNodeDownPeriod.
        (false, true) => {
            "Swarm starts the member on another node when its volumes are free: when the old node is removed, or after 24 h."
        }
        // Measured on 20.10.24: down after 14 s, started after 19 s.
        (false, false) => {
            "Swarm starts the member on another node after about 20 s, also if the old one is only out of reach."
        }
    };
    lost.section.add(alone, vec![]);
    lost.power_off("node");
    // moby `manager/controlapi/node.go`, RemoveNode: only a manager, or a node that is up, is refused.
    lost.step(
        "Remove it. Its labels go with it.",
        vec!["docker node demote NODE   # only if it was a manager".into(), "docker node rm NODE".into()],
    );
    lost.data();
    if lost.placed() {
        let pairs = lost.pairs();
        let added: String = pairs.split(' ').map(|pair| format!(" --label-add {pair}")).collect();
        lost.step(
            "Let the new node join, and label it. The member starts there.",
            vec![format!("docker node update{added} NEW")],
        );
    }
    lost.addresses();
    lost.finish("docker node rm --force NODE; its label on another node")
}
