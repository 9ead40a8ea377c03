//! Duties on Docker Swarm.

use super::docker::{docker_volumes, printable, zones};
use super::section::{FirstStart, Section, Words, chain, labels, members, revision, then};
use crate::model::{Members, Model, Service, Swarm, Workload};
use crate::plan::swarm;
use crate::target::Target;

/// A service, its revisions, and its target.
#[derive(Clone, Copy)]
struct Subject<'a> {
    group: &'a [&'a Service],
    service: &'a Service,
    w: &'a Workload,
    swarm: &'a Swarm,
    words: Words<'a>,
}

/// Returns the duties of the services of one name.
pub fn duties(model: &Model, group: &[&Service], service: &Service, w: &Workload) -> Section {
    let mut section = Section::new("Swarm");
    let Some(s) = &service.targets.swarm else { return section };
    let words = Words { model, service, target: Target::Swarm };
    let subject = Subject { group, service, w, swarm: s, words };
    if let Some(network) = s.network.as_ref().filter(|_| !w.node_network) {
        section.add(
            "The network, once.",
            vec![format!("docker network create -d overlay --attachable {network}")],
        );
    }
    for secret in &w.secrets {
        let version = secret.version.as_ref().map_or_else(String::new, |v| format!("-{v}"));
        section.add(
            format!("The secret {}, once.", secret.name),
            vec![format!("docker secret create {}-{}{version} FILE", secret.object, secret.key)],
        );
    }
    subject.volumes(&mut section);
    subject.nodes(&mut section);
    subject.update(&mut section);
    if w.per_node() && service.revision.is_some() {
        subject.next_revision(&mut section);
    }
    section.add(
        "To go back, deploy the old file. `docker service rollback` returns only to the previous description: after a second deploy of the same file, or a scale to 0, this is the current one.",
        vec![],
    );
    daemon_stops(service, w, s, &mut section);
    if w.health.ready.is_some() {
        section.add("Swarm does not run `health.ready`: a running member may not serve yet.", vec![]);
    }
    if let Some(lock) = s.lock_of(w).filter(|_| !w.node_network) {
        section.add(format!("Port {lock} of every node that runs a member is open to its network: it is the lock of the node."), vec![]);
    }
    section.add(
        "Never do this, because the old and the new container would run together.",
        vec!["# never: docker node rm --force   of a node that may still run; docker stack rm and deploy again before the containers are gone; a second deploy of a file before the update of the first is complete".into()],
    );
    section
}

fn here(all: Vec<String>) -> Option<String> {
    let all = chain(all);
    (!all.is_empty()).then(|| format!("{all}   # on its node"))
}

impl Subject<'_> {
    fn volumes(&self, section: &mut Section) {
        let Self { service, w, swarm: s, .. } = self;
        if s.csi {
            let text = "The cluster volumes, once. Add what the driver also needs: parameters as --opt KEY=VALUE, secrets of Swarm as --secret KEY=SECRET.";
            section.add(text, cluster_volumes(service, w));
            section.add(
                "Swarm frees a cluster volume 24 h after its node is lost: power the node off before.",
                vec![],
            );
            // Seen on 28.5.2 and 29, also when only the node or its dockerd was gone; manager/scheduler/volumes.go.
            let name =
                w.ids().next().map_or_else(|| service.full_name(), |id| format!("{}-{id}", service.name));
            section.add(
                "If a task stays in Preparing after an update, or after its node or dockerd was gone, Swarm has taken the volume from under it: remove its service and deploy it again. It has no container then.",
                vec![format!("docker service rm {}", self.task(&name)), self.deploy(&name).swap_remove(0)],
            );
            section.add(
                "After a crash of dockerd (not after a stop), drain its node and restart the machine: what a driver mounts may not reach the containers, which then start on an empty folder of the node.",
                vec![],
            );
            if w.volumes().any(|(_, v)| v.backend.directory().is_some()) {
                section.add(
                    "A cluster volume is mounted at its root; Kubernetes and the docker plugin keep the data in its folder `data`. Move it before a member changes its orchestrator.",
                    vec![],
                );
            }
        } else {
            let volumes = |id| {
                let all = swarm::volumes(service, Some(id)).into_iter();
                all.map(|v| {
                    let options =
                        v.options.iter().filter_map(|(k, t)| Some((k.clone(), t.as_literal()?.to_owned())));
                    (v.name, options.collect())
                })
                .collect()
            };
            docker_volumes(w, section, volumes);
        }
    }

    fn nodes(&self, section: &mut Section) {
        let Self { service, w, swarm: s, .. } = self;
        let pin = w.pin().or(s.pin.as_ref());
        let label = |pairs: &str, node: &str| {
            let pairs: Vec<String> = pairs.split(' ').map(|p| format!("--label-add {p}")).collect();
            format!("docker node update {} {node}", pairs.join(" "))
        };
        match &w.members {
            Members::PerNode { on, .. } => {
                let mut on = on.clone();
                on.extend(revision(self.group, service));
                section.add("Each node that runs a member.", vec![label(&labels(&on), "NODE")]);
            }
            Members::Counted { .. } => {
                if let Some(pin) = pin {
                    let commands = w
                        .ids()
                        .map(|id| label(&format!("{}={id}", pin.label), &format!("NODE-{id}")))
                        .collect();
                    section.add("One node for each value, and no value on two nodes.", commands);
                }
            }
        }
        zones(w, section, |zone| label(&format!("zone={zone}"), "NODE"));
    }

    /// The name of a member's service within the stack.
    fn task(&self, name: &str) -> String {
        format!("{}_{name}", self.service.name)
    }

    fn container(&self, name: &str) -> String {
        format!("docker ps -q --filter label=com.docker.swarm.service.name={}", self.task(name))
    }

    fn exec(&self, name: &str) -> String {
        format!("docker exec \"$({})\"", self.container(name))
    }

    fn deploy(&self, name: &str) -> Vec<String> {
        vec![
            format!("docker stack deploy -c swarm/{name}.yml {}", self.service.name),
            format!(
                "docker service ps --filter desired-state=running {}   # until the new one is running",
                self.task(name)
            ),
        ]
    }

    /// Adds the first deploy. A cluster of several members forms only when all of them run, so the gate
    /// comes after the last one. A service of one file has the same commands for an update.
    fn first(&self, section: &mut Section) {
        let Self { group, service, w, words, .. } = *self;
        let name = |own: &Service, id: Option<u32>| {
            id.map_or_else(|| own.full_name(), |id| format!("{}-{id}", own.name))
        };
        let all = group.iter().flat_map(|own| members(w).into_iter().map(|id| name(own, id)));
        let deploy: Vec<String> = all.map(|name| self.deploy(&name).swap_remove(0)).collect();
        let first = name(service, w.ids().next());
        let restarts = match w.one_founder() {
            true => format!("deploy {first} again"),
            false => "deploy again, as for an update".to_owned(),
        };
        let again = if w.one_founder() { self.deploy(&first) } else { Vec::new() };
        FirstStart { words, w, deploy, exec: self.exec(&first), again, restarts }.add(section);
        // A first start has nothing to pause for, so only the last command counts.
        let gate = |id: u32| {
            let own = name(service, Some(id));
            here(self.words.gate(w, &self.exec(&own), Some(id)).pop().into_iter().collect())
        };
        let gates: Vec<String> = w.ids().filter_map(gate).collect();
        if w.update.healthy.is_some() && !gates.is_empty() {
            section.add("When all members run, the commands that an update waits for.", gates);
        }
    }

    fn update(&self, section: &mut Section) {
        let w = self.w;
        let apart = !w.per_node() || !w.bootstrap.is_empty();
        if apart {
            self.first(section);
        }
        section.add(
            format!(
                "{}, one file after the other, never with --prune; when the member runs: {}.",
                if apart { "Update" } else { "Deploy and update" },
                then(w)
            ),
            vec![],
        );
        for own in self.group {
            for id in members(w) {
                let name = id.map_or_else(|| own.full_name(), |id| format!("{}-{id}", own.name));
                let mut all = self.deploy(&name);
                if id.is_some() {
                    all.extend(here(self.words.gate(w, &self.exec(&name), id)));
                }
                section.add(format!("{name}."), all);
            }
        }
    }

    fn next_revision(&self, section: &mut Section) {
        let Self { service, w, .. } = self;
        let label = service.revision_label();
        let last = self.group.last().copied().unwrap_or(service);
        let mut all = vec![
            format!("docker node update --label-rm {label} NODE"),
            format!(
                "{}   # on the node; prints nothing when it is gone",
                self.container(&service.full_name())
            ),
            format!("docker node update --label-add {label}=NEXT NODE"),
        ];
        let gate = Words { service: last, ..self.words }.gate(
            last.workload().unwrap_or(w),
            &self.exec(&last.full_name()),
            None,
        );
        all.extend(here(gate));
        section.add(
            format!("Move from one revision to the next node by node; when the member runs: {}.", then(w)),
            all,
        );
    }
}

/// Returns the duties that give a member its grace period when its dockerd stops. Otherwise dockerd
/// gives each container 10 s: measured on engines 20.10, 28.5 and 29; moby issue 36955.
fn daemon_stops(service: &Service, w: &Workload, s: &Swarm, section: &mut Section) {
    const GIVEN: u32 = 10;
    let grace = w.stop.grace;
    if grace <= GIVEN {
        return;
    }
    section.add(
        format!("Before a dockerd stops (a reboot, an upgrade, systemctl stop docker): it gives each container {GIVEN} s, not the {grace} s of the file. Drain the node and wait until nothing runs there; make it active afterwards."),
        vec![
            "docker node update --availability drain NODE".into(),
            format!("docker ps -q --filter label=com.docker.stack.namespace={}   # on the node; prints nothing when all have gone", service.name),
            "docker node update --availability active NODE   # when its dockerd is back".into(),
        ],
    );
    if s.engine >= Swarm::STOP_TIMEOUT {
        section.add(
            format!("For a dockerd that stops without a drain: `\"default-stop-timeout\": {grace}` in daemon.json of each node. It applies to all containers there, so use the longest grace period of all services."),
            vec![],
        );
    }
}

/// Returns the commands that create the volumes where their members may run. Parameters of
/// Kubernetes' own provisioner mean nothing to the driver. Nodes report their plugins with the tag: without
/// it Swarm accepts the volume and never attaches it (manager/csi/manager.go; seen on 28.5.2).
fn cluster_volumes(service: &Service, w: &Workload) -> Vec<String> {
    let mut commands = Vec::new();
    for (i, id) in w.ids().enumerate() {
        for (own, (_, volume)) in swarm::volumes(service, Some(id)).into_iter().zip(w.volumes()) {
            let backend = &volume.backend;
            let kind = backend.kind.zip(volume.kind.as_deref());
            let fixed = backend.parameters.iter().copied();
            let further = volume.options.iter().map(|(k, v)| (k.as_str(), v.as_str()));
            let told: String = kind
                .into_iter()
                .chain(fixed)
                .chain(further)
                .filter(|(key, _)| !key.starts_with("csi.storage.k8s.io/"))
                .map(|(key, value)| format!(" --opt {}", printable(&format!("{key}={value}"))))
                .collect();
            let zone = backend.zone.zip(volume.zone(i));
            let zone = zone.map_or_else(String::new, |(key, zone)| {
                format!(" --topology-required {}", printable(&format!("{key}={zone}")))
            });
            commands.push(format!(
                "docker volume create -d {}:latest --type mount --scope single --sharing none --required-bytes {}{zone}{told} {}",
                volume.csi.as_deref().unwrap_or("DRIVER"),
                volume.size,
                own.name
            ));
        }
    }
    commands
}
