//! What holds what on CoreOS fleet.

use super::Layer::{Construction, Fence, Order, Scheduler};
use super::{
    Carrier, ELSEWHERE, EMPTY, Expect, Found, HERE, Hazard, Mechanism, OTHER, Resource, SAME, Shape, Way,
    Where, both, rests_on, way,
};
use crate::backend::Fences;
use crate::emit::Tree;
use crate::model::{Data, DataAt};
use crate::plan::docker::GUARD;
use crate::text::unit::{self, Setting};
use crate::text::units::Version;
use crate::value;

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
    assumes: "all specs for these machines are compiled together",
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
    assumes: "no network file system; sh and flock in the image, an sh that keeps variables with dots if there are any; the process keeps the inherited descriptor",
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
static MOUNTED: Mechanism = Mechanism {
    word: "mounted",
    layer: Order,
    what: "systemd mounts the disk of the directory before the unit starts",
    assumes: "the disk is in /etc/fstab or has a mount unit, without noauto",
    source: "systemd.unit(5), RequiresMountsFor",
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

/// What ought to hold a cell.
pub fn expect(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    // Without its data, or as a second writer, a container cannot claim the rest. Of another
    // service that says nothing.
    let first = shape.data != Where::Nowhere || shape.workload.writer && resource != Resource::Writer;
    match resource {
        Resource::Data if hazard == Hazard::Relabel && shape.data != Where::Host && !shape.placed => {
            Expect::Never("no metadata places it")
        }
        Resource::Data => Expect::Held(data(shape, hazard)),
        Resource::Port => port(shape, hazard),
        _ if first && hazard != Hazard::Neighbour => Expect::AsData,
        Resource::Address if shape.workload.ports.is_empty() => {
            Expect::Never("it claims no port of its machine's address")
        }
        Resource::Address => port(shape, hazard),
        Resource::Writer | Resource::Hostname | Resource::Id => bare(shape, resource, hazard),
    }
}

fn port(shape: &Shape<'_>, hazard: Hazard) -> Expect {
    match hazard {
        Hazard::Partition | Hazard::Move => Expect::Never("it belongs to its machine"),
        _ if shape.node_network => Expect::Held(vec![way(HERE, [&BIND])]),
        _ => Expect::Held(vec![way(HERE, [&PUBLISH])]),
    }
}

/// Members without data: only their place keeps them single. A name holds on one machine, a pin
/// on two.
fn bare(shape: &Shape<'_>, resource: Resource, hazard: Hazard) -> Expect {
    let pinned = || way(ELSEWHERE, shape.pinned.then_some(&PIN as &'static Mechanism));
    Expect::Held(match hazard {
        Hazard::Colocate => return Expect::Never("each member has its own"),
        Hazard::Move => return Expect::Never("there is no data to miss"),
        Hazard::Relabel if !shape.placed => return Expect::Never("no metadata places it"),
        Hazard::Relabel => vec![way(HERE, [&NAME]), way(ELSEWHERE, [])],
        Hazard::Partition => vec![pinned()],
        Hazard::Update | Hazard::Reboot | Hazard::Force => vec![way(HERE, [&NAME]), pinned()],
        Hazard::Neighbour if resource == Resource::Id => vec![way(SAME, [&IDS])],
        Hazard::Neighbour => vec![way(SAME, [&UNIT_NAME])],
        Hazard::Revisions => vec![way(HERE, [&UNIT_NAME, &NAME])],
    })
}

fn data(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    match shape.data {
        Where::Network(fences) => on_volumes(shape, fences, hazard),
        _ if shape.per_node => {
            let mut ways = on_each_machine(shape, hazard);
            // Any other unit is one that may move.
            if !matches!(hazard, Hazard::Neighbour | Hazard::Force) {
                ways.push(rests_on(ELSEWHERE, [&GLOBAL]));
            }
            ways
        }
        _ => {
            let mut ways = on_pinned_machines(shape, hazard);
            // What the directory does not hold of a volume beside it.
            if shape.beside && matches!(hazard, Hazard::Colocate | Hazard::Move | Hazard::Neighbour) {
                ways.extend(on_volumes(shape, Fences::Never, hazard));
            }
            ways
        }
    }
}

/// A second container on the same machine: `first`, and the lock.
fn here(shape: &Shape<'_>, hazard: Hazard, first: &[&'static Mechanism]) -> Way {
    let together = !matches!(hazard, Hazard::Revisions | Hazard::Relabel) || shape.one_lock;
    let lock = (shape.guard && together).then_some(&LOCK as &'static Mechanism);
    way(HERE, first.iter().copied().chain(lock))
}

fn on_each_machine(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let keeps_globals_apart =
        shape.service.targets.fleet.as_ref().is_some_and(|f| f.version >= Version::new(1, 0));
    // Containers are named after the first directory.
    let name: &[&'static Mechanism] = if shape.one_first { &[&NAME] } else { &[] };
    match hazard {
        Hazard::Colocate => vec![here(&[&GLOBAL, &NAME])],
        Hazard::Revisions if keeps_globals_apart => {
            vec![here(&[&[&ONE_LABEL as &'static Mechanism, &CONFLICTS], name].concat())]
        }
        Hazard::Revisions => vec![here(&[&[&ONE_LABEL as &'static Mechanism], name].concat())],
        Hazard::Relabel => vec![here(name)],
        Hazard::Update | Hazard::Force => vec![here(&[&NAME])],
        Hazard::Partition => vec![way(ELSEWHERE, [&NODE_BOUND])],
        Hazard::Reboot => {
            vec![here(&[&NAME]), way(EMPTY, [&PATH_MISSING, &MOUNTED]), rests_on(EMPTY, [&PATH_MISSING])]
        }
        Hazard::Move => vec![way(OTHER, [&NODE_BOUND]), way(EMPTY, [&PATH_MISSING])],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE])],
    }
}

/// On another machine: not scheduled there; and if it were, the directory should not be there. But
/// directories are made by hand wherever a member may run, so that counts beside the pin only.
fn not_elsewhere() -> [Way; 3] {
    [way(ELSEWHERE, [&PIN, &PATH]), way(ELSEWHERE, [&PIN, &PATH_MISSING]), rests_on(ELSEWHERE, [&PIN])]
}

fn on_pinned_machines(shape: &Shape<'_>, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let [id, there, pin] = not_elsewhere();
    match hazard {
        Hazard::Colocate if shape.workload.count() > 1 => vec![here(&[&PATH, &CONFLICTS])],
        Hazard::Colocate => vec![here(&[&PATH])],
        Hazard::Update => vec![here(&[&NAME]), pin],
        Hazard::Force => vec![here(&[&NAME])],
        Hazard::Revisions => vec![here(&[&UNIT_NAME, &NAME])],
        Hazard::Relabel => {
            vec![here(&[&NAME]), way(ELSEWHERE, [&PATH]), way(ELSEWHERE, [&PATH_MISSING]), pin]
        }
        Hazard::Partition => vec![id, there, pin],
        // Mounts that are noauto wait for nobody.
        Hazard::Reboot => vec![
            here(&[&NAME]),
            id,
            there,
            pin,
            way(EMPTY, [&PATH_MISSING, &MOUNTED]),
            rests_on(EMPTY, [&PATH_MISSING]),
        ],
        Hazard::Move => vec![way(OTHER, [&PATH]), way(EMPTY, [&PATH_MISSING]), pin],
        Hazard::Neighbour => vec![way(SAME, [&UNIQUE])],
    }
}

fn on_volumes(shape: &Shape<'_>, fences: Fences, hazard: Hazard) -> Vec<Way> {
    let here = |first: &[&'static Mechanism]| here(shape, hazard, first);
    let elsewhere = |pin: bool, attach: bool| {
        let pin = (shape.pinned && pin).then_some(&PIN as &'static Mechanism);
        way(ELSEWHERE, pin.into_iter().chain(attach.then_some(&ATTACH as &'static Mechanism)))
    };
    let (connected, always) = (fences != Fences::Never, fences == Fences::Always);
    match hazard {
        // Conflicts looks at one machine, and a volume is everywhere.
        Hazard::Colocate if shape.workload.count() > 1 => {
            vec![here(&[&VOLUME, &CONFLICTS]), rests_on(OTHER, [&VOLUME])]
        }
        Hazard::Colocate => vec![here(&[&VOLUME])],
        Hazard::Revisions => vec![here(&[&UNIT_NAME, &NAME])],
        // Attaching keeps off machines: on one machine a volume serves every container.
        Hazard::Relabel => vec![here(&[&NAME]), elsewhere(false, connected)],
        Hazard::Partition => vec![elsewhere(true, always)],
        Hazard::Update | Hazard::Reboot => vec![here(&[&NAME]), elsewhere(true, connected)],
        Hazard::Force => vec![here(&[&NAME]), elsewhere(true, always)],
        Hazard::Move => vec![way(OTHER, [&VOLUME]), way(EMPTY, [&VOLUME_MISSING])],
        Hazard::Neighbour => vec![way(SAME, [&VOLUME])],
    }
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

/// Whether an option of `docker run` leaves the container to itself.
fn detaches(option: &str) -> bool {
    let short = option.strip_prefix('-').filter(|o| o.chars().all(|c| c.is_ascii_lowercase()));
    short.is_some_and(|o| o.contains('d')) || option == "--detach" || option == "--detach=true"
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
        self.mounted(settings);
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
        let own = match &s.revision {
            Some(_) => format!("{}.*.service", s.name),
            None => format!("{}@*.service", s.name),
        };
        let ours: Vec<&Setting> = settings.iter().filter(|s| s.section == "X-Fleet").collect();
        // Of one key twice either value will do, so neither holds anything.
        let key = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        let metadata = |s: &&&Setting| s.key.ends_with("MachineMetadata");
        let alone = |pair: &str| {
            ours.iter().filter(metadata).filter(|s| key(s.value.trim_matches('"')) == key(pair)).count() == 1
        };
        // The last one counts.
        if let Some(global) = ours.iter().rfind(|s| s.key == "Global").filter(|s| s.value == "true") {
            self.carry(&GLOBAL, global, "");
        }
        for setting in &ours {
            match setting.key.as_str() {
                "MachineMetadata" if !alone(&setting.value) => {}
                "MachineMetadata" if Some(&setting.value) == wanted.as_ref() => self.carry(&PIN, setting, ""),
                "MachineMetadata" if Some(&setting.value) == revision.as_ref() => {
                    self.carry(&ONE_LABEL, setting, "");
                }
                "Conflicts" if setting.value == own => self.carry(&CONFLICTS, setting, ""),
                _ => {}
            }
        }
        if let Some(first) = settings.iter().find(|s| s.section == "Unit").filter(|_| unit.contains('@')) {
            self.carry(&UNIT_NAME, first, "");
            self.carry(&IDS, first, "");
        }
    }

    /// `RequiresMountsFor` of every directory.
    fn mounted(&mut self, settings: &[Setting]) {
        let paths: Vec<Option<String>> =
            self.shape.workload.data.iter().filter_map(|d| self.host(d)).collect();
        let mounts = |path: &str| {
            let of = |s: &&Setting| s.section == "Unit" && s.key == "RequiresMountsFor";
            settings.iter().filter(of).find(|s| s.value.split_whitespace().any(|p| p == path))
        };
        let all: Option<Vec<&Setting>> = paths.iter().map(|p| mounts(p.as_deref()?)).collect();
        for setting in all.unwrap_or_default() {
            self.carry(&MOUNTED, setting, "");
        }
    }

    /// `docker run …`.
    fn run(&mut self, start: &Setting, words: &[String], unit: &str) {
        let w = self.shape.workload;
        let (options, command) = match words.iter().position(|word| *word == w.program.image) {
            Some(image) => (&words[..image], &words[image + 1..]),
            None => (words, &[][..]),
        };
        let has = |option: &str, value: &str| options.windows(2).any(|p| p[0] == option && p[1] == value);
        let container = self.container();
        // What fleet and systemd say of a unit is not said of a container that outlives it.
        if options.iter().any(|o| detaches(o)) {
            for mechanism in [&UNIT_NAME, &ONE_LABEL, &CONFLICTS, &GLOBAL] {
                self.found.remove(mechanism.word);
            }
        }
        // Without its label nobody would stop what outlived its client, and the next would wait
        // for ever.
        let labelled = ["%n", unit].iter().any(|u| has("--label", &format!("berth.unit={u}")));
        if labelled && has("--name", &container) && !self.ends(&container) {
            let name = format!("--name {container}");
            self.carry(&NAME, start, if self.id.is_some() { "--name" } else { &name });
        }
        if has("--net", "host") {
            self.carry(&BIND, start, "--net host");
        }
        if !w.ports.is_empty() && w.ports.iter().all(|(_, p)| has("-p", &format!("{p}:{p}"))) {
            self.carry(&PUBLISH, start, "-p");
        }
        let first = self.mounts(start, options);
        let mount = w.data.first().map_or("", |d| d.mount.as_str());
        let script =
            has("--entrypoint", "/bin/sh") && command.get(..3).is_some_and(|c| c == ["-c", GUARD, mount]);
        if first && script {
            self.carry(&LOCK, start, "--entrypoint");
        }
    }

    /// Whether the unit ends whoever has the name, instead of waiting for it.
    fn ends(&self, container: &str) -> bool {
        let pre = self.settings.iter().filter(|s| s.section == "Service" && s.key == "ExecStartPre");
        pre.filter_map(|s| unit::words(&s.value)).any(|words| {
            let named = words
                .iter()
                .any(|w| w.split(|c: char| c.is_whitespace() || c == '\'').any(|w| w == container));
            let said = words.join(" ");
            let force = said.contains(" rm ") && (said.contains(" -f") || said.contains(" --force"));
            named && (force || said.contains(" kill ") || said.contains(" stop "))
        })
    }

    /// What the container must be called: its first directory with dots, or its first volume.
    fn container(&self) -> String {
        let s = self.shape.service;
        match self.shape.workload.data.first() {
            Some(data) => match self.host(data) {
                Some(path) => crate::plan::fleet::container_of(&path.unwrap_or_default()),
                None => format!("{}-{}-{}", data.name, s.name, self.id.unwrap_or_default()),
            },
            None => self.id.map_or_else(|| s.name.clone(), |id| format!("{}-{id}", s.name)),
        }
    }

    /// The directory of `data` on the machine; `Some(None)` when it has faults.
    fn host(&self, data: &Data) -> Option<Option<String>> {
        let path = &data.host()?.text;
        Some(match self.id {
            Some(id) => value::host_path(path, &self.shape.service.name, id),
            None => Some(path.clone()),
        })
    }

    /// Whether the first directory is mounted, whatever else is.
    fn mounts(&mut self, start: &Setting, options: &[String]) -> bool {
        let mounts: Vec<(&str, &str)> = options
            .windows(2)
            .filter(|p| ["--mount", "-v", "--volume"].contains(&p[0].as_str()))
            .map(|p| (p[0].as_str(), p[1].as_str()))
            .collect();
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
        let first = self.shape.workload.data.first();
        first.and_then(|d| self.mount(d, &mounts)).is_some_and(|held| !held.is_empty())
    }

    fn mount(&self, data: &Data, mounts: &[(&str, &str)]) -> Option<Vec<&'static Mechanism>> {
        let name = &self.shape.service.name;
        let own = match &data.at {
            DataAt::Host { .. } => self.host(data)??,
            DataAt::Volume(_) => format!("{}-{name}-{}", data.name, self.id?),
        };
        let place: &'static Mechanism = if self.id.is_some() { &PATH } else { &NODE_BOUND };
        let on_host = data.host().is_some();
        let target = format!("target={}", data.mount);
        let mount = mounts.iter().find(|(option, m)| match *option {
            "--mount" => m.split(',').any(|o| o == target),
            _ => m.split(':').nth(1) == Some(&data.mount),
        })?;
        let (option, mount) = *mount;
        if option != "--mount" {
            // A directory that is missing is made, empty.
            let held = on_host && mount.split(':').next() == Some(&own);
            return Some(if held { vec![place, &UNIQUE] } else { Vec::new() });
        }
        let has = |option: &str| mount.split(',').any(|o| o == option);
        let named = has(&format!("source={own}"));
        let held: [(bool, &'static Mechanism); 3] = match &data.at {
            DataAt::Host { .. } => {
                let bind = has("type=bind");
                [(bind && named, place), (bind && named, &UNIQUE), (bind, &PATH_MISSING)]
            }
            DataAt::Volume(volume) => {
                let own = named && has("type=volume");
                let driver = volume.backend.plugin.map_or("", |p| p.driver);
                let attach = own && has(&format!("volume-driver={driver}"));
                [(own, &VOLUME), (attach, &ATTACH), (false, &ATTACH)]
            }
        };
        Some(held.into_iter().filter(|(yes, _)| *yes).map(|(_, m)| m).collect())
    }

    /// `docker volume inspect` of every volume before the start, and of its driver: docker makes a
    /// volume that is missing, and takes one of its own for that of a plugin.
    fn inspected(&mut self, volumes: &[&Data]) {
        let name = &self.shape.service.name;
        let id = self.id.unwrap_or_default();
        let settings = self.settings;
        let pre = || settings.iter().filter(|s| s.section == "Service" && s.key == "ExecStartPre");
        let inspects = |data: &&Data| {
            let DataAt::Volume(volume) = &data.at else { return None };
            let (name, driver) = (format!("{}-{name}-{id}", data.name), volume.backend.plugin?.driver);
            pre().find(|s| {
                let words = unit::words(&s.value).unwrap_or_default();
                !s.value.starts_with('-')
                    && words.iter().any(|w| w.contains("docker volume inspect") && w.contains("exit"))
                    && words.contains(&name)
                    // Docker's own driver makes directories as well: there the script names NFS.
                    && words.iter().any(|w| w == driver || driver == "local" && w.contains("\"local nfs\""))
            })
        };
        let all: Option<Vec<&Setting>> = volumes.iter().map(inspects).collect();
        if let Some(first) = all.and_then(|a| a.into_iter().next()) {
            self.carry(&VOLUME_MISSING, first, "docker volume inspect");
        }
    }
}
