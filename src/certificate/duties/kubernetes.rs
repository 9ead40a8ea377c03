//! Duties on Kubernetes.

use super::section::{FirstStart, Section, Words, chain, labels, revision, then};
use crate::model::{Kubernetes, Members, Model, Service, Workload};
use crate::plan::kubernetes::{by_hand, has_policy, query};
use crate::target::Target;
use crate::world::pod_security::{Level, Security};

/// A service, its revisions, and where they run.
#[derive(Clone, Copy)]
struct Subject<'a> {
    group: &'a [&'a Service],
    service: &'a Service,
    w: &'a Workload,
    namespace: &'a str,
    words: Words<'a>,
    security: Option<&'a Security>,
}

/// The highest number of reasons that the page lists.
const MAX_REASONS: usize = 6;

/// Returns the duties of the services of one name.
pub fn duties(
    model: &Model,
    group: &[&Service],
    service: &Service,
    w: &Workload,
    security: Option<&Security>,
) -> Section {
    let mut section = Section::new("Kubernetes");
    let Some(k) = &service.targets.kubernetes else { return section };
    let words = Words { model, service, target: Target::Kubernetes };
    let subject = Subject { group, service, w, namespace: &k.namespace, words, security };
    subject.namespace(&mut section);
    subject.secrets(&mut section);
    subject.nodes(&mut section);
    subject.policy(k, &mut section);
    if let Some(account) = &k.service_account {
        let create = format!("kubectl -n {} create serviceaccount {account}", k.namespace);
        section.add("The service account, once, and the rights that the program needs.", vec![create]);
    }
    let apply = vec!["kubectl apply -k kubernetes".to_owned()];
    if w.bootstrap.is_empty() {
        section.add("Deploy and update.", apply);
    } else {
        subject.first_start(apply.clone()).add(&mut section);
        section.add("Update.", apply);
    }
    if by_hand(w) {
        subject.update(&mut section);
    }
    if w.per_node() && service.revision.is_some() {
        subject.next_revision(&mut section);
    }
    subject.never(&mut section);
    section
}

/// Returns which Pod Security level the pods pass, and why it is not higher.
fn passes(level: Level, because: &[String]) -> String {
    let higher = match level {
        Level::Privileged => "baseline",
        Level::Baseline => "restricted",
        Level::Restricted => return "Once. The pods pass the Pod Security level restricted.".into(),
    };
    let mut reasons = because.iter().take(MAX_REASONS).cloned().collect::<Vec<_>>().join("; ");
    let left = because.len().saturating_sub(MAX_REASONS);
    if left > 0 {
        reasons.push_str(&format!("; and {left} more"));
    }
    format!("Once. The pods pass the Pod Security level {}, not {higher}: {reasons}.", level.name())
}

impl Subject<'_> {
    fn namespace(&self, section: &mut Section) {
        let ns = self.namespace;
        let create = format!("kubectl create namespace {ns}");
        let Some(Security { level, because }) = self.security else {
            section.add("Once.", vec![create]);
            return;
        };
        let level_name = level.name();
        let enforce = format!("kubectl label namespace {ns} pod-security.kubernetes.io/enforce={level_name}");
        section.add(passes(*level, because), vec![create, enforce]);
    }

    fn policy(&self, k: &Kubernetes, section: &mut Section) {
        let text = if has_policy(self.w, k) {
            "The NetworkPolicy keeps others away from the ports only if the network plugin of the cluster enforces it. It may stop programs outside the cluster, and pods on the network of their node: list their addresses under clients in the spec."
        } else if self.w.node_network && !self.w.ports.is_empty() {
            "There is no NetworkPolicy: what it means for members on the network of their node is undefined, and most network plugins take them for the node. Close their ports with the firewall of the node."
        } else {
            return;
        };
        section.add(text, vec![]);
    }

    fn secrets(&self, section: &mut Section) {
        let ns = self.namespace;
        let mut objects: Vec<(&str, Vec<&str>)> = Vec::new();
        for secret in &self.w.secrets {
            match objects.iter_mut().find(|(object, _)| *object == secret.object) {
                Some((_, keys)) if keys.contains(&secret.key.as_str()) => {}
                Some((_, keys)) => keys.push(&secret.key),
                None => objects.push((&secret.object, vec![&secret.key])),
            }
        }
        for (object, keys) in objects {
            let files: String = keys.iter().map(|key| format!(" --from-file={key}")).collect();
            section.add(
                format!("The secret {object}, once, from files with these names."),
                vec![format!("kubectl -n {ns} create secret generic {object}{files}")],
            );
        }
    }

    fn nodes(&self, section: &mut Section) {
        let Self { service, w, .. } = self;
        match &w.members {
            Members::PerNode { on, dedicated, .. } => {
                let mut on = on.clone();
                on.extend(revision(self.group, service));
                let mut commands = Vec::new();
                if *dedicated {
                    commands.push(format!("kubectl taint node NODE dedicated={}:NoSchedule", service.name));
                }
                commands.push(format!("kubectl label node NODE {}", labels(&on)));
                section.add("Each node that runs a member.", commands);
            }
            Members::Counted { pin: Some(pin), .. } => {
                let commands =
                    w.ids().map(|id| format!("kubectl label node NODE-{id} {}={id}", pin.label)).collect();
                section.add("One node for each value, and no value on two nodes.", commands);
            }
            Members::Counted { .. } => {}
        }
        // kubelet_pods.go, HandlePodCleanups: a pod that is not admitted again gets the shortest
        // grace period.
        if w.per_node() || w.pin().is_some() {
            section.add(
                "Do not restart the kubelet on a node that has lost this label while its member still runs: the kubelet would kill the member after 2 s and ignore its grace period.",
                vec![],
            );
        }
    }

    /// Selects the pod of one node.
    fn selector(&self) -> String {
        format!("-l {} --field-selector spec.nodeName=NODE", query(&self.service.name))
    }

    /// The pod of one node, found by a command.
    fn on_node(&self) -> String {
        format!("\"$(kubectl -n {} get pod {} -o name)\"", self.namespace, self.selector())
    }

    fn exec(&self, pod: &str) -> String {
        format!("kubectl -n {} exec {pod} -c {} --", self.namespace, self.service.name)
    }

    /// The old pod is gone; the next one may not exist yet.
    fn settled(&self, service: &Service, w: &Workload) -> Vec<String> {
        let (ns, selector) = (self.namespace, self.selector());
        let mut commands = vec![
            format!(
                "until p=$(kubectl -n {ns} get pod {selector} -o name) && test -n \"$p\"; do sleep 1; done"
            ),
            format!("kubectl -n {ns} wait --for=condition=Ready \"$p\" --timeout=30m"),
        ];
        commands.extend(Words { service, ..self.words }.gate(w, &self.exec("\"$p\""), None));
        commands
    }

    fn first_start(&self, apply: Vec<String>) -> FirstStart<'_> {
        let Self { service, w, words, .. } = *self;
        let first = w.ids().next();
        let pod = first.map_or_else(|| self.on_node(), |id| format!("{}-{id}", service.name));
        let (mut again, mut restarts) = (apply.clone(), "apply again, which restarts the members".to_owned());
        if by_hand(w) {
            restarts =
                "apply again and restart all members one after the other, as after an update".to_owned();
        }
        if let Some(id) = first.filter(|_| by_hand(w) && w.one_founder()) {
            again.push(chain(self.restart(id)));
            restarts = format!("apply again and restart {pod}");
        }
        FirstStart { words, w, deploy: apply, exec: self.exec(&pod), again, restarts }
    }

    /// Restarts the pod of member `id` with the newest template.
    fn restart(&self, id: u32) -> Vec<String> {
        let Self { service, w, namespace: ns, .. } = self;
        let pod = format!("{}-{id}", service.name);
        let mut all = vec![
            format!("kubectl -n {ns} delete pod {pod}"),
            format!("until kubectl -n {ns} get pod {pod} -o name; do sleep 1; done"),
            format!("kubectl -n {ns} wait --for=condition=Ready pod/{pod} --timeout=30m"),
        ];
        all.extend(self.words.gate(w, &self.exec(&pod), Some(id)));
        all
    }

    fn update(&self, section: &mut Section) {
        let Self { service, w, namespace: ns, .. } = self;
        section.add(
            format!("Nothing restarts by itself after an update. One pod after the other: {}.", then(w)),
            vec![],
        );
        if w.per_node() {
            let delete = format!("kubectl -n {ns} delete pod {}", self.selector());
            let all = std::iter::once(delete).chain(self.settled(service, w)).collect();
            section.add("On each node.", vec![chain(all)]);
        }
        for id in w.ids() {
            section.add(format!("{}-{id}.", service.name), vec![chain(self.restart(id))]);
        }
        if !w.per_node() {
            let pods = format!("kubectl -n {ns} get pods -l {}", query(&service.name));
            section.add(
                "If the new template is broken: apply the old files, and delete in the same way only the pods that have the new one. The list shows the template of each pod by its hash.",
                vec![format!("{pods} -L controller-revision-hash")],
            );
        }
    }

    fn next_revision(&self, section: &mut Section) {
        let Self { service, w, namespace: ns, .. } = self;
        let label = service.revision_label();
        let mut all = vec![
            format!("kubectl label node NODE {label}-"),
            format!("kubectl -n {ns} wait --for=delete pod {} --timeout=30m", self.selector()),
            format!("kubectl label node NODE {label}=NEXT"),
        ];
        // The gate of the next revision, which is the last one.
        let last = self.group.last().copied().unwrap_or(service);
        all.extend(self.settled(last, last.workload().unwrap_or(w)));
        section.add(
            format!("Move from one revision to the next node by node. After a timeout stop, and never force it. After each node {}.", then(w)),
            vec![chain(all)],
        );
    }

    fn never(&self, section: &mut Section) {
        let workload = if self.w.per_node() { "daemonset" } else { "statefulset" };
        let delete = self.group.iter().map(|s| {
            format!(
                "kubectl -n {} delete {workload} {} --cascade=foreground   # the only way to delete it",
                self.namespace,
                s.full_name()
            )
        });
        let never =
            "# never: kubectl delete pod --force; kubectl delete node NODE   of a node that may still run"
                .to_owned();
        section.add(
            "Never do this, because the old and the new container would run together: force a deletion, delete the Node object of a running node, or delete a workload and apply it again before its pods are gone.",
            std::iter::once(never).chain(delete).collect(),
        );
    }
}
