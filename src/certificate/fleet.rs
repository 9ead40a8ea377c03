//! What holds what on CoreOS fleet.

use super::Layer::{Construction, Fence, Scheduler};
use super::{Carrier, Expect, Found, HERE, Hazard, Mechanism, Resource, Shape, Where, both, way};
use crate::emit::Tree;
use crate::model::backend::Fences;
use crate::model::units::Version;
use crate::model::{Data, DataAt};
use crate::route;
use crate::target::Gap;
use crate::target::docker::GUARD;
use crate::value;
use crate::world::unit::{self, Setting};

static UNIT_NAME: Mechanism = Mechanism {
    word: "unit-name",
    layer: Construction,
    what: "one unit of a member's name: fleet gives it one machine, systemd one queue of jobs",
    assumes: "no machine is cut off, and no unit is moved without waiting for its end",
    source: "fleet registry/job.go (the target is created once); systemd",
};
static NODE_BOUND: Mechanism = Mechanism {
    word: "node-bound",
    layer: Construction,
    what: "the directory belongs to the machine: whoever runs there has it, whoever runs elsewhere has not",
    assumes: "it lies on a disk of this machine alone",
    source: "docker bind mounts",
};
static ONE_LABEL: Mechanism = Mechanism {
    word: "one-label",
    layer: Construction,
    what: "a machine has one value of the revision's metadata, so two revisions never want the same machine",
    assumes: "",
    source: "fleet machine/machine.go, HasMetadata",
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
    what: "only the machine that carries the member's number; without it the unit is not scheduled",
    assumes: "one machine for each value, and none moved under a running member",
    source: "fleet engine/scheduler.go, agent/state.go; seen: not scheduled when its machine is lost",
};
static UNIQUE: Mechanism = Mechanism {
    word: "unique",
    layer: Construction,
    what: "berthc refuses two specs that name it on machines that may be the same",
    assumes: "all specs for these machines are compiled together",
    source: "berthc neighbour",
};
static NAME: Mechanism = Mechanism {
    word: "name",
    layer: Fence,
    what: "the container is named after the first data directory or volume: the daemon refuses a second one for as long as the first lives, also after its client was killed; the next waits and tries again",
    assumes: "one docker daemon on the machine",
    source: "docker; seen: refused (rc 125) after the client was killed, started once the first had gone",
};
static LOCK: Mechanism = Mechanism {
    word: "lock",
    layer: Fence,
    what: "the process itself holds flock on its data directory for as long as it lives",
    assumes: "a local disk; sh and flock in the image, an sh that keeps variables with dots if there are any; the process keeps the inherited descriptor",
    source: "flock(2); seen: the lock inside excludes the one outside, same inode",
};
static ATTACH: Mechanism = Mechanism {
    word: "attach",
    layer: Fence,
    what: "the storage attaches the volume to one machine",
    assumes: "the plugin does not preempt; for a backend that fences only while connected, the old machine still reaches the storage",
    source: "the volume plugin of the backend; not measured",
};
static PATH_MISSING: Mechanism = Mechanism {
    word: "path-missing",
    layer: Fence,
    what: "a directory that is not there keeps the container from starting, and the unit tries again; nothing makes it",
    assumes: "it lies inside the mount, and none is left under the bare mountpoint",
    source: "docker --mount; seen: refused, where -v made the directory",
};
static VOLUME_MISSING: Mechanism = Mechanism {
    word: "volume-missing",
    layer: Fence,
    what: "a volume that does not exist with its driver keeps the container from starting, and the unit tries again",
    assumes: "",
    source: "docker volume inspect in ExecStartPre; systemd tries a failed one again",
};
static PUBLISH: Mechanism = Mechanism {
    word: "publish",
    layer: Fence,
    what: "docker binds the published port of the machine, and refuses a second container that wants it",
    assumes: "",
    source: "docker port allocator",
};
static BIND: Mechanism = Mechanism {
    word: "bind",
    layer: Fence,
    what: "the kernel: one listener for a port of the machine's network",
    assumes: "the program binds exactly this port, and no range",
    source: "bind(2)",
};
static CONFLICTS: Mechanism = Mechanism {
    word: "conflicts",
    layer: Scheduler,
    what: "fleet places no two of them on one machine",
    assumes: "it judges what is wanted, not what still runs: the next unit starts 8 ms after a stop is asked",
    source: "fleet agent/state.go, HasConflict",
};
static GLOBAL: Mechanism = Mechanism {
    word: "global",
    layer: Scheduler,
    what: "one unit of the name on a machine",
    assumes: "",
    source: "fleet agent/reconcile.go",
};

fn held(any: Vec<&'static Mechanism>) -> Expect {
    Expect::Held(vec![way(HERE, any)])
}

/// What ought to hold a cell.
pub fn expect(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    // Without its data, or as a second writer, a container cannot claim the rest.
    let first = shape.data != Where::Nowhere || shape.workload.writer && resource != Resource::Writer;
    let unplaced = !shape.pinned && shape.workload.volumes().all(|(_, v)| v.zones.is_empty());
    match resource {
        Resource::Data if hazard == Hazard::Relabel && shape.data != Where::Host && unplaced => {
            Expect::Never("no metadata places it")
        }
        Resource::Data => held(data(shape, hazard)),
        Resource::Port => port(shape, hazard),
        _ if first => Expect::AsData,
        Resource::Address => port(shape, hazard),
        Resource::Writer | Resource::Hostname | Resource::Id => bare(shape, hazard),
    }
}

fn port(shape: &Shape<'_>, hazard: Hazard) -> Expect {
    match hazard {
        Hazard::Partition | Hazard::Move => Expect::Never("it belongs to its machine"),
        _ if shape.node_network => held(vec![&BIND]),
        _ => held(vec![&PUBLISH]),
    }
}

/// Members without data: only their place keeps them single.
fn bare(shape: &Shape<'_>, hazard: Hazard) -> Expect {
    held(match hazard {
        Hazard::Colocate => return Expect::Never("each member has its own"),
        Hazard::Move => return Expect::Never("there is no data to miss"),
        Hazard::Relabel if !shape.pinned => return Expect::Never("no metadata places it"),
        Hazard::Relabel => vec![],
        Hazard::Partition | Hazard::Reboot if shape.pinned => vec![&PIN],
        Hazard::Partition | Hazard::Reboot => vec![],
        // Without a pin the next one may start on another machine.
        Hazard::Update if !shape.pinned => vec![],
        Hazard::Update | Hazard::Force => vec![&NAME],
        Hazard::Revisions | Hazard::Neighbour => vec![&UNIT_NAME, &NAME],
    })
}

fn data(shape: &Shape<'_>, hazard: Hazard) -> Vec<&'static Mechanism> {
    let mut held = match shape.data {
        Where::Network(fences) => on_volumes(shape, fences, hazard),
        _ if shape.per_node => on_each_machine(shape, hazard),
        _ => on_pinned_machines(shape, hazard),
    };
    let elsewhere = matches!(hazard, Hazard::Partition | Hazard::Move | Hazard::Neighbour);
    if shape.guard && shape.data == Where::Host && !elsewhere {
        held.push(&LOCK);
    }
    held
}

fn on_each_machine(shape: &Shape<'_>, hazard: Hazard) -> Vec<&'static Mechanism> {
    let keeps_globals_apart =
        shape.service.targets.fleet.as_ref().is_some_and(|f| f.version >= Version::new(1, 0));
    match hazard {
        Hazard::Colocate => vec![&GLOBAL, &NAME],
        Hazard::Revisions if keeps_globals_apart => vec![&ONE_LABEL, &NAME, &CONFLICTS],
        Hazard::Revisions => vec![&ONE_LABEL, &NAME],
        Hazard::Update | Hazard::Relabel | Hazard::Force => vec![&NAME],
        Hazard::Partition => vec![&NODE_BOUND],
        Hazard::Reboot => vec![&NAME, &PATH_MISSING],
        Hazard::Move => vec![&NODE_BOUND, &PATH_MISSING],
        Hazard::Neighbour => vec![&UNIQUE],
    }
}

fn on_pinned_machines(shape: &Shape<'_>, hazard: Hazard) -> Vec<&'static Mechanism> {
    match hazard {
        Hazard::Colocate if shape.workload.count() > 1 => vec![&PATH, &CONFLICTS],
        Hazard::Colocate => vec![&PATH],
        Hazard::Update | Hazard::Force => vec![&NAME],
        Hazard::Revisions => vec![&UNIT_NAME, &NAME],
        Hazard::Relabel => vec![&PATH, &NAME],
        Hazard::Partition => vec![&PIN],
        Hazard::Reboot => vec![&PIN, &NAME, &PATH_MISSING],
        Hazard::Move => vec![&PATH, &PATH_MISSING],
        Hazard::Neighbour => vec![&UNIQUE],
    }
}

fn on_volumes(shape: &Shape<'_>, fences: Fences, hazard: Hazard) -> Vec<&'static Mechanism> {
    let mut held: Vec<&'static Mechanism> = Vec::new();
    let mut also = |yes: bool, mechanism: &'static Mechanism| held.extend(yes.then_some(mechanism));
    match hazard {
        Hazard::Colocate => {
            also(true, &VOLUME);
            also(shape.workload.count() > 1, &CONFLICTS);
        }
        Hazard::Update => {
            also(shape.pinned, &NAME);
            also(fences != Fences::Never, &ATTACH);
        }
        Hazard::Revisions => {
            also(true, &UNIT_NAME);
            also(fences != Fences::Never, &ATTACH);
        }
        Hazard::Relabel => also(fences != Fences::Never, &ATTACH),
        Hazard::Partition => {
            also(shape.pinned, &PIN);
            also(fences == Fences::Always, &ATTACH);
        }
        Hazard::Reboot => {
            also(shape.pinned, &PIN);
            also(fences != Fences::Never, &ATTACH);
        }
        Hazard::Move => also(true, &VOLUME_MISSING),
        Hazard::Neighbour => also(true, &VOLUME),
        Hazard::Force => also(fences == Fences::Always, &ATTACH),
    }
    held
}

/// What happens where nothing holds, when no gap of the plan says it.
pub fn story(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Gap {
    let place = shape.service.key(&route!["exclusive"]);
    let message = format!(
        "nothing in the emitted units keeps two containers from one {} ({})",
        resource.name(),
        hazard.name()
    );
    Gap::new("", place, message, "the templates have lost every rule that held it")
        .mend("use berthc's own templates, or put the rule back", "")
}

/// What the text carries: of each mechanism only what every member's unit carries.
pub fn found(shape: &Shape<'_>, tree: &Tree) -> Found {
    let name = &shape.service.name;
    let units: Vec<(String, Option<u32>)> = match &shape.service.revision {
        Some(revision) => vec![(format!("{name}.{revision}.service"), None)],
        None => shape.workload.ids().map(|id| (format!("{name}@{id}.service"), Some(id))).collect(),
    };
    let mut all: Option<Found> = None;
    for (unit, id) in units {
        let file = format!("fleet/{unit}");
        let text = tree.get(&format!("{name}/{file}")).map_or("", String::as_str);
        let (settings, _) = unit::read(text);
        let mut reader = Reader { shape, id, file, settings: &settings, found: Found::new() };
        reader.read(&unit);
        all = Some(match all {
            None => reader.found,
            Some(before) => both(before, reader.found),
        });
    }
    all.unwrap_or_default()
}

struct Reader<'r> {
    shape: &'r Shape<'r>,
    id: Option<u32>,
    file: String,
    settings: &'r [Setting],
    found: Found,
}

impl Reader<'_> {
    fn carry(&mut self, mechanism: &'static Mechanism, setting: &Setting, field: &str) {
        let field = if field.is_empty() { setting.key.clone() } else { format!("{} {field}", setting.key) };
        let carrier = Carrier { file: self.file.clone(), field, line: setting.line };
        let carriers = self.found.entry(mechanism.word).or_default();
        if !carriers.contains(&carrier) {
            carriers.push(carrier);
        }
    }

    fn read(&mut self, unit: &str) {
        let settings = self.settings;
        self.schedule(settings, unit);
        let starts = settings.iter().filter(|s| s.section == "Service" && s.key == "ExecStart");
        for start in starts {
            let words = unit::words(&start.value).unwrap_or_default();
            let Some(run) = words.iter().position(|w| w == "run") else { continue };
            self.run(start, &words[run + 1..], unit);
        }
    }

    /// `[X-Fleet]`.
    fn schedule(&mut self, settings: &[Setting], unit: &str) {
        let s = self.shape.service;
        let pin = self.shape.workload.pin().or(s.targets.fleet.as_ref().and_then(|f| f.pin.as_ref()));
        let wanted = pin.zip(self.id).map(|(p, id)| format!("{}={id}", p.label));
        let revision = s.revision.as_ref().map(|r| format!("{}-revision={r}", s.name));
        let own: Vec<String> = match &s.revision {
            Some(_) => vec![format!("{}.*.service", s.name)],
            None => vec![format!("{}@*.service", s.name)],
        };
        let mut other = Vec::new();
        for setting in settings.iter().filter(|s| s.section == "X-Fleet") {
            match setting.key.as_str() {
                "Global" if setting.value == "true" => self.carry(&GLOBAL, setting, ""),
                "MachineMetadata" if Some(&setting.value) == wanted.as_ref() => self.carry(&PIN, setting, ""),
                "MachineMetadata" if Some(&setting.value) == revision.as_ref() => {
                    self.carry(&ONE_LABEL, setting, "");
                }
                "Conflicts" if own.contains(&setting.value) => self.carry(&CONFLICTS, setting, ""),
                _ => other.push(setting),
            }
        }
        if let Some(first) = settings.iter().find(|s| s.section == "Unit").filter(|_| unit.contains('@')) {
            self.carry(&UNIT_NAME, first, "");
        }
    }

    /// `docker run …`.
    fn run(&mut self, start: &Setting, words: &[String], _unit: &str) {
        let w = self.shape.workload;
        let after = |option: &str| words.windows(2).find(|p| p[0] == option).map(|p| p[1].as_str());
        let labelled = words.windows(2).any(|p| p[0] == "--label" && p[1].starts_with("berth.unit="));
        if labelled && let Some(name) = after("--name").filter(|n| *n == self.container()) {
            let name = format!("--name {name}");
            self.carry(&NAME, start, if self.id.is_some() { "--name" } else { &name });
        }
        if after("--net") == Some("host") {
            self.carry(&BIND, start, "--net host");
        }
        let published =
            |port: u16| words.windows(2).any(|p| p[0] == "-p" && p[1] == format!("{port}:{port}"));
        if !w.ports.is_empty() && w.ports.iter().all(|(_, p)| published(*p)) {
            self.carry(&PUBLISH, start, "-p");
        }
        let mount = w.data.first().map(|d| d.mount.as_str());
        let script = words.iter().position(|word| word == GUARD);
        if after("--entrypoint") == Some("/bin/sh")
            && script.is_some_and(|i| words.get(i + 1).map(String::as_str) == mount)
        {
            self.carry(&LOCK, start, "--entrypoint");
        }
        self.mounts(start, words);
    }

    /// What the container must be called: its first directory with dots, or its first volume.
    fn container(&self) -> String {
        let s = self.shape.service;
        match self.shape.workload.data.first() {
            Some(Data { at: DataAt::Host { path, .. }, .. }) => {
                let path = match self.id {
                    Some(id) => value::host_path(&path.text, &s.name, id).unwrap_or_default(),
                    None => path.text.clone(),
                };
                crate::target::fleet::container_of(&path)
            }
            Some(data) => format!("{}-{}-{}", data.name, s.name, self.id.unwrap_or_default()),
            None => self.id.map_or_else(|| s.name.clone(), |id| format!("{}-{id}", s.name)),
        }
    }

    fn mounts(&mut self, start: &Setting, words: &[String]) {
        let mounts: Vec<&str> =
            words.windows(2).filter(|p| p[0] == "--mount").map(|p| p[1].as_str()).collect();
        // A mechanism counts when every directory of its kind has it; a container needs all kinds.
        let (host, network): (Vec<&Data>, Vec<&Data>) =
            self.shape.workload.data.iter().partition(|d| matches!(d.at, DataAt::Host { .. }));
        for kind in [&host, &network] {
            let own: Vec<Vec<&'static Mechanism>> =
                kind.iter().map(|d| self.mount(d, &mounts).unwrap_or_default()).collect();
            for mechanism in own.first().cloned().unwrap_or_default() {
                if own.iter().all(|o| o.contains(&mechanism)) {
                    self.carry(mechanism, start, "--mount");
                }
            }
        }
        if self.found.contains_key(VOLUME.word) {
            self.inspected(&network);
        }
    }

    fn mount(&self, data: &Data, mounts: &[&str]) -> Option<Vec<&'static Mechanism>> {
        let name = &self.shape.service.name;
        let target = format!("target={}", data.mount);
        let mount = mounts.iter().find(|m| m.split(',').any(|o| o == target))?;
        let has = |option: String| mount.split(',').any(|o| o == option);
        match &data.at {
            DataAt::Host { path, .. } => {
                let path = match self.id {
                    Some(id) => value::host_path(&path.text, name, id)?,
                    None => path.text.clone(),
                };
                let bound = has("type=bind".into()) && has(format!("source={path}"));
                let place: &'static Mechanism = if self.id.is_some() { &PATH } else { &NODE_BOUND };
                bound.then(|| vec![place, &UNIQUE, &PATH_MISSING])
            }
            DataAt::Volume(volume) => {
                let source = format!("source={}-{name}-{}", data.name, self.id?);
                let driver = volume.backend.plugin?.driver;
                let mut held: Vec<&'static Mechanism> = Vec::new();
                held.extend(has(source).then_some(&VOLUME as &'static Mechanism));
                held.extend(has(format!("volume-driver={driver}")).then_some(&ATTACH as &'static Mechanism));
                Some(held)
            }
        }
    }

    /// `docker volume inspect` of every volume before the start.
    fn inspected(&mut self, volumes: &[&Data]) {
        let name = &self.shape.service.name;
        let id = self.id.unwrap_or_default();
        let settings = self.settings;
        let pre = || settings.iter().filter(|s| s.section == "Service" && s.key == "ExecStartPre");
        let inspects = |volume: &str| {
            pre().find(|s| {
                let words = unit::words(&s.value).unwrap_or_default();
                !s.value.starts_with('-')
                    && words.iter().any(|w| w.contains("docker volume inspect"))
                    && words.iter().any(|w| w == volume)
            })
        };
        let all: Option<Vec<&Setting>> =
            volumes.iter().map(|d| inspects(&format!("{}-{name}-{id}", d.name))).collect();
        if let Some(first) = all.and_then(|a| a.into_iter().next()) {
            self.carry(&VOLUME_MISSING, first, "docker volume inspect");
        }
    }
}
