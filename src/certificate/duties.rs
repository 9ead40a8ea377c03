//! What remains for people: every duty with its command.

use serde::Serialize;

use crate::model::{DataAt, Members, Service, Workload};
use crate::target::kubernetes::query;
use crate::value;

/// Duties of one kind.
#[derive(Debug, Serialize)]
pub struct Section {
    /// Heading.
    pub title: String,
    /// What to do and when.
    pub items: Vec<Item>,
}

/// One duty.
#[derive(Debug, Serialize)]
pub struct Item {
    /// In words.
    pub text: String,
    /// Commands, one a line; may be empty.
    pub commands: Vec<String>,
}

impl Section {
    fn new(title: &str) -> Self {
        Self { title: title.to_owned(), items: Vec::new() }
    }

    fn add(&mut self, text: impl Into<String>, commands: Vec<String>) {
        self.items.push(Item { text: text.into(), commands });
    }
}

/// The duties of the services of one name.
pub fn sections(group: &[&Service]) -> Vec<Section> {
    let Some(service) = group.first() else { return Vec::new() };
    let Some(w) = service.workload() else { return Vec::new() };
    let mut all = vec![everywhere(service, w)];
    if service.targets.kubernetes.is_some() {
        all.push(kubernetes(group, service, w));
    }
    if service.targets.fleet.is_some() {
        all.push(fleet(group, service, w));
    }
    if service.targets.swarm.is_some() {
        all.push(swarm(group, service, w));
    }
    all.retain(|s| !s.items.is_empty());
    all
}

/// Owner of a host directory as `install` takes it.
fn owner(w: &Workload) -> String {
    match w.program.user {
        Some(user) => format!("-o {} -g {} ", user.uid, user.gid.unwrap_or(user.uid)),
        None => String::new(),
    }
}

fn everywhere(service: &Service, w: &Workload) -> Section {
    let mut section = Section::new("On the machines");
    for data in &w.data {
        let DataAt::Host { path, .. } = &data.at else { continue };
        let owner = owner(w);
        let make = |path: &str| format!("install -d {owner}-m 0700 {path}");
        if w.per_node() {
            let mount = path.text.rsplit_once('/').map_or("/", |(m, _)| m);
            section.add(
                format!("On each node, once, with the disk mounted below {mount}. Making the directory is the permission to start there; nothing else ever makes it."),
                vec![format!("findmnt --target {mount}"), make(&path.text)],
            );
        } else {
            let paths: Vec<(u32, String)> = w
                .ids()
                .filter_map(|id| Some((id, value::host_path(&path.text, &service.name, id)?)))
                .collect();
            let label = w.pin().map_or("", |p| p.label.as_str());
            let commands = paths
                .iter()
                .map(|(id, path)| format!("{}   # on the node with {label}={id}", make(path)))
                .collect();
            section.add(
                "Once, on each member's node only, with the disk mounted. Making the directory is the permission to start there; nothing else ever makes it.",
                commands,
            );
        }
        section.add(
            "Leave no directory of that name under the unmounted mountpoint; make the bare mountpoint immutable while the disk is not mounted.",
            vec!["chattr +i MOUNTPOINT".into()],
        );
    }
    section
}

fn labels(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")
}

fn revision(group: &[&Service], service: &Service) -> Option<(String, String)> {
    let first = group.first()?.revision.clone()?;
    Some((format!("{}-revision", service.name), first))
}

fn kubernetes(group: &[&Service], service: &Service, w: &Workload) -> Section {
    let mut section = Section::new("Kubernetes");
    let Some(k) = &service.targets.kubernetes else { return section };
    let ns = &k.namespace;
    let host = w.per_node() && w.data.iter().any(|d| d.host().is_some());
    let level = if host || w.node_network {
        "privileged"
    } else if w.program.user.is_some_and(|u| u.uid > 0)
        && w.helpers.iter().all(|h| h.program.user.is_some_and(|u| u.uid > 0))
    {
        "restricted"
    } else {
        "baseline"
    };
    section.add(
        format!("Once. The pods pass the Pod Security level {level}."),
        vec![
            format!("kubectl create namespace {ns}"),
            format!("kubectl label namespace {ns} pod-security.kubernetes.io/enforce={level}"),
        ],
    );
    for secret in &w.secrets {
        section.add(
            format!("The secret {}, once.", secret.name),
            vec![format!(
                "kubectl -n {ns} create secret generic {} --from-file={}",
                secret.object, secret.key
            )],
        );
    }
    match &w.members {
        Members::PerNode { on, dedicated, .. } => {
            let mut on = on.clone();
            on.extend(revision(group, service));
            let mut commands = Vec::new();
            if *dedicated {
                commands.push(format!("kubectl taint node NODE dedicated={}:NoSchedule", service.name));
            }
            commands.push(format!("kubectl label node NODE {}", labels(&on)));
            section.add("Each node that shall have a member.", commands);
        }
        Members::Counted { pin: Some(pin), .. } => {
            let commands =
                w.ids().map(|id| format!("kubectl label node NODE-{id} {}={id}", pin.label)).collect();
            section.add("One node for each value, and no value on two nodes.", commands);
        }
        Members::Counted { .. } => {}
    }
    let gate = w.update.healthy.is_some();
    section.add("Deploy and update.", vec!["kubectl apply -k kubernetes".into()]);
    if gate {
        let selector = query(&service.name);
        section.add(
            "Nothing restarts by itself after an update: delete one pod, wait until its successor is ready and the gate holds in it, then the next.",
            vec![
                format!("kubectl -n {ns} delete pod POD"),
                format!("kubectl -n {ns} wait --for=condition=Ready pod -l {selector} --timeout=30m"),
                format!("kubectl -n {ns} exec POD -c {} -- sh -c \"$GATE\"   # update.healthy of the spec", service.name),
            ],
        );
    }
    if w.per_node() && service.revision.is_some() {
        let label = format!("{}-revision", service.name);
        section.add(
            "From one revision to the next, node by node; on a timeout stop, never force.",
            vec![
                format!("kubectl label node NODE {label}-"),
                format!("kubectl -n {ns} wait --for=delete pod -l {} --field-selector spec.nodeName=NODE --timeout=30m", query(&service.name)),
                format!("kubectl label node NODE {label}=NEXT"),
            ],
        );
    }
    let workload = if w.per_node() { "daemonset" } else { "statefulset" };
    section.add(
        "Never, for old and new would run together: a forced delete, a deleted Node that still runs, a deleted workload that is applied again before its pods are gone.",
        vec![
            "# never: kubectl delete pod --force; kubectl delete node NODE   of a node that may still run".into(),
            format!("kubectl -n {ns} delete {workload} NAME --cascade=foreground   # the only way to delete it"),
        ],
    );
    once(service, w, &mut section, &format!("kubectl -n {ns} exec POD -c {} -- sh -c", service.name));
    section
}

fn once(service: &Service, w: &Workload, section: &mut Section, exec: &str) {
    if !w.bootstrap.env.is_empty() {
        section.add(
            "The very first start only; compile without it right afterwards.",
            vec![format!("berthc compile SPECS -o OUT --bootstrap {}", service.name)],
        );
    }
    if let Some(once) = &w.bootstrap.once {
        section.add(
            "Once, after the first start, in one member.",
            vec![format!("{exec} {}", crate::target::docker::shell_quote(&once.text))],
        );
    }
}

fn fleet(group: &[&Service], service: &Service, w: &Workload) -> Section {
    let mut section = Section::new("fleet");
    let Some(f) = &service.targets.fleet else { return section };
    for secret in &w.secrets {
        section.add(
            format!("The secret {}, on each machine that may run a member.", secret.name),
            vec![format!(
                "install -D {}-m 0400 FILE /etc/berth/secrets/{}/{}",
                owner(w),
                secret.object,
                secret.key
            )],
        );
    }
    docker_volumes(service, w, &mut section);
    let pin = w.pin().or(f.pin.as_ref());
    let metadata =
        |pairs: String| format!("metadata={pairs}   # /etc/fleet/fleet.conf, before fleetd starts");
    match &w.members {
        Members::PerNode { on, .. } => {
            let mut on = on.clone();
            on.extend(revision(group, service));
            section
                .add("Each machine that shall have a member.", vec![metadata(labels(&on).replace(' ', ","))]);
        }
        Members::Counted { .. } => {
            if let Some(pin) = pin {
                let commands = w.ids().map(|id| metadata(format!("{}={id}", pin.label))).collect();
                section.add("One machine for each value, and no value on two machines.", commands);
            }
        }
    }
    zones(w, &mut section, |zone| metadata(format!("zone={zone}")));
    if let Some(domain) = &f.domain {
        section.add(
            format!("DNS: each member's name below {domain} leads to the machine that runs it."),
            vec![],
        );
    }
    let units: Vec<String> = if w.per_node() {
        group
            .iter()
            .filter_map(|s| s.revision.as_ref())
            .map(|r| format!("{}.{r}.service", service.name))
            .collect()
    } else {
        w.ids().map(|id| format!("{}@{id}.service", service.name)).collect()
    };
    let listed: Vec<String> = units.iter().map(|u| format!("fleet/{u}")).collect();
    section.add("Deploy.", vec![format!("fleetctl start {}", listed.join(" "))]);
    if w.per_node() {
        section.add(
            "Update by a new revision, machine by machine: take the metadata away, wait on the machine until its container is gone, give it the next value. A changed unit of one name restarts every machine at once.",
            vec![format!("docker ps -q --filter label=berth.unit={}   # prints nothing when it is gone", units.first().map_or("", String::as_str))],
        );
    } else {
        section.add(
            "Update, one member after the other: destroy, wait on its machine until its container is gone, start.",
            vec![
                format!("fleetctl destroy {}", units.first().map_or("", String::as_str)),
                format!("docker ps -q --filter label=berth.unit={}   # prints nothing when it is gone", units.first().map_or("", String::as_str)),
                format!("fleetctl start {}", listed.first().map_or("", String::as_str)),
            ],
        );
    }
    section.add(
        "Never, for old and new would run together.",
        vec!["# never: docker rm -f; docker run --restart; a destroy with a start elsewhere before the container is gone".into()],
    );
    once(service, w, &mut section, "docker exec CONTAINER sh -c");
    section
}

fn docker_volumes(service: &Service, w: &Workload, section: &mut Section) {
    let mut commands = Vec::new();
    for (data, volume) in w.volumes() {
        let Some(plugin) = volume.backend.plugin else { continue };
        for (i, id) in w.ids().enumerate() {
            let size = plugin
                .size
                .map_or_else(String::new, |s| format!(" --opt {s}={}", volume.size.div_ceil(1 << 30)));
            let zone = volume.zone(i).map_or_else(String::new, |z| format!("   # in {z}"));
            commands.push(format!(
                "docker volume create -d {} --name {}-{}-{id}{size}{zone}",
                plugin.driver, data.name, service.name
            ));
        }
    }
    if !commands.is_empty() {
        section.add("The volumes, once, before the first start; none is ever made by a start.", commands);
    }
}

fn zones(w: &Workload, section: &mut Section, command: impl Fn(&str) -> String) {
    let zones: std::collections::BTreeSet<&str> =
        w.volumes().flat_map(|(_, v)| v.zones.iter().map(String::as_str)).collect();
    if !zones.is_empty() {
        section.add("Every machine names its zone.", zones.into_iter().map(command).collect());
    }
}

fn swarm(group: &[&Service], service: &Service, w: &Workload) -> Section {
    let mut section = Section::new("Swarm");
    let Some(s) = &service.targets.swarm else { return section };
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
    if s.csi {
        let commands = w
            .volumes()
            .flat_map(|(d, v)| w.ids().map(move |id| format!(
                "docker volume create -d {} --type mount --scope single --sharing none --limit-bytes {} --name {}-{}-{id}",
                v.csi.as_deref().unwrap_or("DRIVER"), v.size, d.name, service.name
            )))
            .collect();
        section.add("The cluster volumes, once.", commands);
        section.add(
            "A cluster volume is freed 24 h after its node was lost: power the node off before.",
            vec![],
        );
        if w.volumes().any(|(_, v)| v.backend.directory().is_some()) {
            section.add(
                "A cluster volume is mounted at its root; Kubernetes and the docker plugin keep the data in its folder `data`. Move it before a member changes its orchestrator.",
                vec![],
            );
        }
    } else {
        docker_volumes(service, w, &mut section);
    }
    let pin = w.pin().or(s.pin.as_ref());
    let label = |pairs: &str, node: &str| {
        let pairs: Vec<String> = pairs.split(' ').map(|p| format!("--label-add {p}")).collect();
        format!("docker node update {} {node}", pairs.join(" "))
    };
    match &w.members {
        Members::PerNode { on, .. } => {
            let mut on = on.clone();
            on.extend(revision(group, service));
            section.add("Each node that shall have a member.", vec![label(&labels(&on), "NODE")]);
        }
        Members::Counted { .. } => {
            if let Some(pin) = pin {
                let commands =
                    w.ids().map(|id| label(&format!("{}={id}", pin.label), &format!("NODE-{id}"))).collect();
                section.add("One node for each value, and no value on two nodes.", commands);
            }
        }
    }
    zones(w, &mut section, |zone| label(&format!("zone={zone}"), "NODE"));
    let files: Vec<String> = if w.per_node() {
        group.iter().map(|s| s.full_name()).collect()
    } else {
        w.ids().map(|id| format!("{}-{id}", service.name)).collect()
    };
    let deploy =
        files.iter().map(|f| format!("docker stack deploy -c swarm/{f}.yml {}", service.name)).collect();
    section.add(
        "Deploy and update, one file after the other, each only when the member before serves again; never with --prune.",
        deploy,
    );
    if let Some(lock) = s.lock.or_else(|| w.ports.first().map(|p| p.1)).filter(|_| !w.node_network) {
        section.add(format!("Port {lock} of every node that runs a member is open to its network: it is the lock of the node."), vec![]);
    }
    section.add(
        "Never, for old and new would run together.",
        vec!["# never: docker node rm --force   of a node that may still run; docker stack rm and deploy again before the containers are gone".into()],
    );
    once(service, w, &mut section, "docker exec CONTAINER sh -c");
    section
}
