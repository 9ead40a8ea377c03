//! What remains for people: every duty with its command.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::Serialize;

use crate::model::{DataAt, Members, Model, Service, Swarm, Template, Volume, Workload};
use crate::plan::docker::{NFS, shell_quote, shell_word, volume_options};
use crate::plan::kubernetes::{by_hand, query};
use crate::plan::{fleet, spoken, swarm};
use crate::target::Target;
use crate::text::quote;
use crate::text::units::Version;
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

    /// A command of several lines stands on several lines: joined it would be another one.
    fn add(&mut self, text: impl Into<String>, commands: Vec<String>) {
        let lines = commands.iter().flat_map(|c| c.split('\n')).map(ToOwned::to_owned).collect();
        self.items.push(Item { text: text.into(), commands: lines });
    }
}

/// `text` as one word of a shell, of characters that a page can show.
fn word(text: &str) -> String {
    let odd = |c: char| quote::escaped(c) && c != '\n' && c != '\t';
    if !text.chars().any(odd) {
        return shell_quote(text);
    }
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '%' => out.push_str("%%"),
            c if odd(c) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(out, "\\{byte:03o}");
                }
            }
            c => out.push(c),
        }
    }
    format!("\"$(printf {})\"", shell_quote(&out))
}

/// What a person runs in members on one target.
#[derive(Clone, Copy)]
struct Words<'a> {
    model: &'a Model,
    service: &'a Service,
    target: Target,
}

impl Words<'_> {
    /// `exec` of `template` in member `id`.
    fn run(&self, exec: &str, template: &Template, id: Option<u32>) -> Option<String> {
        let text = spoken(self.target, self.model, self.service, template, id)?;
        Some(format!("{exec} sh -c {}", word(&text)))
    }

    /// The pause after a member, then the gate in it.
    fn gate(&self, w: &Workload, exec: &str, id: Option<u32>) -> Vec<String> {
        let pause = (w.update.pause > 0).then(|| format!("sleep {}", w.update.pause));
        let gate = w.update.healthy.as_ref().and_then(|t| self.run(exec, t, id));
        pause.into_iter().chain(gate).collect()
    }
}

/// Each only when the one before did not fail.
fn chain(commands: Vec<String>) -> String {
    commands.join(" &&\n")
}

/// What follows a pause and a gate, in words.
fn then(w: &Workload) -> String {
    let pause = match w.update.pause {
        0 => String::new(),
        seconds => format!("wait {seconds} s, then "),
    };
    match w.update.healthy {
        Some(_) => format!("{pause}go on only when the last command succeeds"),
        None => format!("{pause}go on"),
    }
}

fn members(w: &Workload) -> Vec<Option<u32>> {
    if w.per_node() { vec![None] } else { w.ids().map(Some).collect() }
}

/// The duties of the services of one name.
pub fn sections(model: &Model, group: &[&Service]) -> Vec<Section> {
    let Some(service) = group.first() else { return Vec::new() };
    let Some(w) = service.workload() else { return Vec::new() };
    let mut all = vec![everywhere(service, w)];
    if service.targets.kubernetes.is_some() {
        all.push(kubernetes(model, group, service, w));
    }
    if service.targets.fleet.is_some() {
        all.push(fleet(model, group, service, w));
    }
    if service.targets.swarm.is_some() {
        all.push(swarm(model, group, service, w));
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
        // Without its own mountpoint the path would be made on the root disk.
        let make = |path: &str| {
            let mount = path.rsplit_once('/').map_or("", |(mount, _)| mount);
            let mount = if mount.is_empty() { "MOUNTPOINT" } else { mount };
            format!("findmnt --mountpoint {mount} && install -d {owner}-m 0700 {path}")
        };
        let ways = "The first command fails unless a disk is mounted right there; put the mountpoint where it is another. Making the directory is the permission to start there; nothing else ever makes it.";
        if w.per_node() {
            section.add(format!("On each node, once. {ways}"), vec![make(&path.text)]);
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
            section.add(format!("Once, on each member's node only. {ways}"), commands);
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

fn kubernetes(model: &Model, group: &[&Service], service: &Service, w: &Workload) -> Section {
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
    let mut objects: Vec<(&str, Vec<&str>)> = Vec::new();
    for secret in &w.secrets {
        match objects.iter_mut().find(|(object, _)| *object == secret.object) {
            Some((_, keys)) if keys.contains(&secret.key.as_str()) => {}
            Some((_, keys)) => keys.push(&secret.key),
            None => objects.push((&secret.object, vec![&secret.key])),
        }
    }
    for (object, keys) in objects {
        let files: String = keys.iter().map(|key| format!(" --from-file={key}")).collect();
        section.add(
            format!("The secret {object}, once, of files of these names."),
            vec![format!("kubectl -n {ns} create secret generic {object}{files}")],
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
    // kubelet_pods.go, HandlePodCleanups: what is not admitted again gets the least grace there is.
    if w.per_node() || w.pin().is_some() {
        section.add(
            "While such a label is off a node whose member still runs, start no kubelet again there: it would end the member after 2 s, whatever its grace.",
            vec![],
        );
    }
    section.add("Deploy and update.", vec!["kubectl apply -k kubernetes".into()]);
    let words = Words { model, service, target: Target::Kubernetes };
    let on_node = format!("-l {} --field-selector spec.nodeName=NODE", query(&service.name));
    let exec = |pod: &str| format!("kubectl -n {ns} exec {pod} -c {} --", service.name);
    let found = format!("\"$(kubectl -n {ns} get pod {on_node} -o name)\"");
    // The pod of before is gone; the next may not be there yet.
    let settled = |service: &Service, w: &Workload| {
        let wait = vec![
            format!(
                "until p=$(kubectl -n {ns} get pod {on_node} -o name) && test -n \"$p\"; do sleep 1; done"
            ),
            format!("kubectl -n {ns} wait --for=condition=Ready \"$p\" --timeout=30m"),
        ];
        wait.into_iter().chain(Words { service, ..words }.gate(w, &exec("\"$p\""), None)).collect::<Vec<_>>()
    };
    if by_hand(w) {
        section.add(
            format!("Nothing restarts by itself after an update. One pod after the other: {}.", then(w)),
            vec![],
        );
        if w.per_node() {
            let delete = format!("kubectl -n {ns} delete pod {on_node}");
            let all = std::iter::once(delete).chain(settled(service, w)).collect();
            section.add("On each node.", vec![chain(all)]);
        }
        for id in w.ids() {
            let pod = format!("{}-{id}", service.name);
            let mut all = vec![
                format!("kubectl -n {ns} delete pod {pod}"),
                format!("until kubectl -n {ns} get pod {pod} -o name; do sleep 1; done"),
                format!("kubectl -n {ns} wait --for=condition=Ready pod/{pod} --timeout=30m"),
            ];
            all.extend(words.gate(w, &exec(&pod), Some(id)));
            section.add(format!("{pod}."), vec![chain(all)]);
        }
        if !w.per_node() {
            let pods = format!("kubectl -n {ns} get pods -l {}", query(&service.name));
            section.add(
                "If the new template is broken: apply the old files, and delete in the same way only the pods that have the new one. The list shows the template of each pod by its hash.",
                vec![format!("{pods} -L controller-revision-hash")],
            );
        }
    }
    if w.per_node() && service.revision.is_some() {
        let label = format!("{}-revision", service.name);
        let mut all = vec![
            format!("kubectl label node NODE {label}-"),
            format!("kubectl -n {ns} wait --for=delete pod {on_node} --timeout=30m"),
            format!("kubectl label node NODE {label}=NEXT"),
        ];
        // The gate of the revision that comes: the last one's.
        let last = group.last().copied().unwrap_or(service);
        all.extend(settled(last, last.workload().unwrap_or(w)));
        section.add(
            format!("From one revision to the next, node by node; on a timeout stop, never force. After each node {}.", then(w)),
            vec![chain(all)],
        );
    }
    let workload = if w.per_node() { "daemonset" } else { "statefulset" };
    let delete = group.iter().map(|s| {
        format!(
            "kubectl -n {ns} delete {workload} {} --cascade=foreground   # the only way to delete it",
            s.full_name()
        )
    });
    let never =
        "# never: kubectl delete pod --force; kubectl delete node NODE   of a node that may still run"
            .to_owned();
    section.add(
        "Never, for old and new would run together: a forced delete, a deleted Node that still runs, a deleted workload that is applied again before its pods are gone.",
        std::iter::once(never).chain(delete).collect(),
    );
    let first = w.ids().next().map_or(found, |id| format!("{}-{id}", service.name));
    once(words, w, &mut section, &exec(&first));
    section
}

fn once(words: Words<'_>, w: &Workload, section: &mut Section, exec: &str) {
    if !w.bootstrap.env.is_empty() {
        section.add(
            "The very first start only; compile without it right afterwards.",
            vec![format!("berthc compile SPECS -o OUT --bootstrap {}", words.service.name)],
        );
    }
    let first = w.ids().next();
    if let Some(run) = w.bootstrap.once.as_ref().and_then(|t| words.run(exec, t, first)) {
        let member = first.map_or("one member".to_owned(), |id| format!("{}-{id}", words.service.name));
        section.add(format!("Once, after the first start, in {member}."), vec![run]);
    }
}

/// The secrets' files, each for all who read it. Only docker, as root, enters their directory.
fn secret_files(w: &Workload, section: &mut Section) {
    let mut seen = BTreeSet::new();
    for secret in &w.secrets {
        if !seen.insert((&secret.object, &secret.key)) {
            continue;
        }
        let reads = |s: &&crate::model::Secret| (&s.object, &s.key) == (&secret.object, &secret.key);
        let helpers =
            w.helpers.iter().filter(|h| fleet::secrets_of(h, w).iter().any(reads)).map(|h| &h.program);
        let uids: BTreeSet<Option<u32>> =
            std::iter::once(&w.program).chain(helpers).map(|p| p.user.map(|u| u.uid)).collect();
        let folder = format!("/etc/berth/secrets/{}", secret.object);
        let (how, why) = match w.program.user {
            Some(_) if uids.len() == 1 => (format!("{}-m 0400", owner(w)), ""),
            Some(_) => (
                "-m 0444".to_owned(),
                " Member and helper read it as different users; the directory lets root alone in.",
            ),
            None => ("-m 0444".to_owned(), " Nothing says who reads it; the directory lets root alone in."),
        };
        section.add(
            format!("The secret {}, on each machine that may run a member.{why}", secret.name),
            vec![format!("install -d -m 0700 {folder} && install {how} FILE {folder}/{}", secret.key)],
        );
    }
}

fn fleet(model: &Model, group: &[&Service], service: &Service, w: &Workload) -> Section {
    let mut section = Section::new("fleet");
    let Some(f) = &service.targets.fleet else { return section };
    secret_files(w, &mut section);
    let volumes = |id| {
        let member = fleet::member_name(service, Some(id));
        let own = |(data, volume): (_, &Volume)| {
            let name = fleet::volume_name(data, &member);
            let options = volume_options(&name, volume);
            (name, options)
        };
        w.volumes().map(own).collect::<Vec<_>>()
    };
    docker_volumes(w, &mut section, volumes);
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
    let words = Words { model, service, target: Target::Fleet };
    // A member's unit, then its helpers'.
    let units = |service: &Service, id: Option<u32>| -> Vec<String> {
        let helpers = service.workload().into_iter().flat_map(|w| &w.helpers);
        let helpers = helpers.map(|h| fleet::unit_name(service, Some(&h.name), id));
        std::iter::once(fleet::unit_name(service, None, id)).chain(helpers).collect()
    };
    let files = |units: &[String]| units.iter().map(|u| format!(" fleet/{u}")).collect::<String>();
    let exec = |unit: &str| format!("docker exec \"$(docker ps -q --filter label=berth.unit={unit})\"");
    let gone = |unit: &str| {
        format!(
            "docker ps -q --filter label=berth.unit={unit}   # on its machine; prints nothing when it is gone"
        )
    };
    let here = |all: Vec<String>| {
        let all = chain(all);
        (!all.is_empty()).then(|| format!("{all}   # on its machine"))
    };
    if w.per_node() {
        let all: Vec<String> = group.iter().flat_map(|s| units(s, None)).collect();
        section.add("Deploy.", vec![format!("fleetctl start{}", files(&all))]);
        section.add(
            format!("Update by a new revision, machine by machine: take the metadata away, wait on the machine until the container is gone, give it the next value, wait until it runs; {}. A changed unit of one name restarts every machine at once.", then(w)),
            vec![],
        );
        for own in group {
            let unit = fleet::unit_name(own, None, None);
            let gate = own
                .workload()
                .map_or_else(Vec::new, |w| Words { service: own, ..words }.gate(w, &exec(&unit), None));
            let all = std::iter::once(gone(&unit)).chain(here(gate)).collect();
            section.add(format!("{unit}: away from it, and when it has come."), all);
        }
    } else {
        let all: Vec<String> = members(w).into_iter().flat_map(|id| units(service, id)).collect();
        section.add("Deploy.", vec![format!("fleetctl start{}", files(&all))]);
        section.add(
            format!("Update, one member after the other: destroy, wait on its machine until its container is gone, start, wait until it runs; {}.", then(w)),
            vec![],
        );
        for id in members(w) {
            let own = units(service, id);
            let unit = fleet::unit_name(service, None, id);
            let mut all = vec![
                format!("fleetctl destroy {}", own.join(" ")),
                gone(&unit),
                format!("fleetctl start{}", files(&own)),
            ];
            all.extend(here(words.gate(w, &exec(&unit), id)));
            section.add(format!("{}.", fleet::member_name(service, id)), all);
        }
    }
    section.add(
        "Never, for old and new would run together.",
        vec!["# never: docker rm -f; docker run --restart; a destroy with a start elsewhere before the container is gone".into()],
    );
    once(words, w, &mut section, &exec(&fleet::unit_name(service, None, w.ids().next())));
    section
}

/// `volumes` are those of one member: names and options.
fn docker_volumes(
    w: &Workload,
    section: &mut Section,
    volumes: impl Fn(u32) -> Vec<(String, Vec<(String, String)>)>,
) {
    let (mut commands, mut local, mut exports) = (Vec::new(), Vec::new(), Vec::new());
    for (i, id) in w.ids().enumerate() {
        for ((name, options), (_, volume)) in volumes(id).into_iter().zip(w.volumes()) {
            let Some(plugin) = volume.backend.plugin else { continue };
            let nfs = plugin.driver == "local";
            let zone = volume.zone(i).map_or_else(String::new, |z| format!("   # in {z}"));
            let told: String =
                options.iter().map(|(k, v)| format!(" --opt {}", printable(&format!("{k}={v}")))).collect();
            let create = format!("docker volume create -d {}{told} {name}{zone}", plugin.driver);
            if nfs { &mut local } else { &mut commands }.push(create);
            let device = options.iter().find(|(k, _)| nfs && k == "device");
            if let Some((_, device)) = device {
                let path = printable(device.trim_start_matches(':'));
                exports.push(format!("install -d {}-m 0700 {path}", owner(w)));
            }
        }
    }
    if !commands.is_empty() {
        section.add("The volumes, once, before the first start; none is to be made by a start.", commands);
    }
    if !local.is_empty() {
        let [server, share, _] = NFS;
        section.add(
            format!("The directories, once, on the NFS server that `{server}` and `{share}` of the volume's options name: a volume whose directory is missing is not mounted."),
            exports,
        );
        section.add("The volumes, once, on each machine that may run the member.", local);
    }
}

/// A word of a shell, quoted only where it must be.
fn printable(text: &str) -> String {
    let bare = shell_word(text);
    if bare == text { bare } else { word(text) }
}

fn zones(w: &Workload, section: &mut Section, command: impl Fn(&str) -> String) {
    let zones: std::collections::BTreeSet<&str> =
        w.volumes().flat_map(|(_, v)| v.zones.iter().map(String::as_str)).collect();
    if !zones.is_empty() {
        section.add("Every machine names its zone.", zones.into_iter().map(command).collect());
    }
}

fn swarm(model: &Model, group: &[&Service], service: &Service, w: &Workload) -> Section {
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
        let text = "The cluster volumes, once. What the driver needs beyond this is its own: parameters as --opt KEY=VALUE, secrets of Swarm as --secret KEY=SECRET.";
        section.add(text, cluster_volumes(service, w));
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
        let volumes = |id| {
            let all = swarm::volumes(service, Some(id)).into_iter();
            all.map(|v| {
                let options =
                    v.options.iter().filter_map(|(k, t)| Some((k.clone(), t.as_literal()?.to_owned())));
                (v.name, options.collect())
            })
            .collect()
        };
        docker_volumes(w, &mut section, volumes);
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
    let words = Words { model, service, target: Target::Swarm };
    // The name of a member's service within the stack.
    let task = |name: &str| format!("{}_{name}", service.name);
    let container =
        |name: &str| format!("docker ps -q --filter label=com.docker.swarm.service.name={}", task(name));
    let exec = |name: &str| format!("docker exec \"$({})\"", container(name));
    let deploy = |name: &str| {
        vec![
            format!("docker stack deploy -c swarm/{name}.yml {}", service.name),
            format!(
                "docker service ps --filter desired-state=running {}   # until the new one is running",
                task(name)
            ),
        ]
    };
    let here = |all: Vec<String>| {
        let all = chain(all);
        (!all.is_empty()).then(|| format!("{all}   # on its node"))
    };
    section.add(
        format!(
            "Deploy and update, one file after the other, never with --prune; when the member runs: {}.",
            then(w)
        ),
        vec![],
    );
    for own in group {
        for id in members(w) {
            let name = id.map_or_else(|| own.full_name(), |id| format!("{}-{id}", own.name));
            let mut all = deploy(&name);
            if id.is_some() {
                all.extend(here(words.gate(w, &exec(&name), id)));
            }
            section.add(format!("{name}."), all);
        }
    }
    if w.per_node() && service.revision.is_some() {
        let label = format!("{}-revision", service.name);
        let last = group.last().copied().unwrap_or(service);
        let mut all = vec![
            format!("docker node update --label-rm {label} NODE"),
            format!("{}   # on the node; prints nothing when it is gone", container(&service.full_name())),
            format!("docker node update --label-add {label}=NEXT NODE"),
        ];
        let gate = Words { service: last, ..words }.gate(
            last.workload().unwrap_or(w),
            &exec(&last.full_name()),
            None,
        );
        all.extend(here(gate));
        section.add(
            format!("From one revision to the next, node by node; when the member runs: {}.", then(w)),
            all,
        );
    }
    section.add(
        "To go back, deploy the old file. `docker service rollback` goes back to the description that was accepted last: after a second deploy of the same file, or a scale to 0, that is the same one.",
        vec![],
    );
    daemon_stops(service, w, s, &mut section);
    if w.health.ready.is_some() {
        section.add("Swarm does not ask `health.ready`: a member that runs may not serve yet.", vec![]);
    }
    if let Some(lock) = s.lock.or_else(|| w.ports.first().map(|p| p.1)).filter(|_| !w.node_network) {
        section.add(format!("Port {lock} of every node that runs a member is open to its network: it is the lock of the node."), vec![]);
    }
    section.add(
        "Never, for old and new would run together.",
        vec!["# never: docker node rm --force   of a node that may still run; docker stack rm and deploy again before the containers are gone".into()],
    );
    let first = w.ids().next().map_or_else(|| service.full_name(), |id| format!("{}-{id}", service.name));
    once(words, w, &mut section, &exec(&first));
    section
}

/// What gives a member its grace when its dockerd stops, which otherwise gives each container 10 s:
/// measured on engines 20.10, 28.5 and 29; moby issue 36955.
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
    if s.engine >= Version::new(29, 0) {
        section.add(
            format!("For a dockerd that stops all the same: `\"default-stop-timeout\": {grace}` in daemon.json of each node. It holds for all containers there, so take the longest grace of all services."),
            vec![],
        );
    }
}

/// What makes them where their members may run. Parameters of Kubernetes' own provisioner are
/// none of the driver's.
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
                "docker volume create -d {} --type mount --scope single --sharing none --required-bytes {}{zone}{told} {}",
                volume.csi.as_deref().unwrap_or("DRIVER"),
                volume.size,
                own.name
            ));
        }
    }
    commands
}
