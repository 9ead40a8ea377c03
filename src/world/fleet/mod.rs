//! Reads fleet units: what fleet reads (`[X-Fleet]`), what systemd runs (`[Service]`), and the
//! `docker run` in it.
//!
//! Each unit is a workload with one member; a template counts as many as it has instances. A
//! template does not tell which instances run: unless files say so, 1, 2 and 3 represent all of
//! them.

mod container;
mod containers;
mod disk;
mod docker;
mod ephemeral;
mod exec;
mod generated;
pub mod grammar;
mod idle;
mod ignored;
mod keys;
mod kills;
mod look;
mod machine;
mod names;
mod never;
mod pods;
mod quadlet;
mod refers;
mod refused;
mod rules;
mod script;
mod service;
mod shell;
mod starts;
mod stop;
mod together;
mod unit;
mod waits;
mod word;
mod written;

use std::collections::{BTreeMap, BTreeSet};

use self::containers::Named;
use self::disk::Disk;
use self::service::{Main, Step};
use self::stop::Victim;
pub use self::stop::{own_end, written};
use self::together::{Instance, Set};
use self::word::Word;
use super::found::Found;
use super::{Apart, File, Kind, Member, Mount, Source, Want, Whom, Workload, World, accepts};
use crate::finding::{At, codes};
use crate::images::Images;
use crate::text::glob::Glob;

/// Reads units and their drop-ins. A unit that fleet refuses is a finding, and not a workload.
pub fn read(files: &[File<'_>], images: &Images) -> World {
    let mut found = Found::default();
    for file in files.iter().filter(|file| accepts::is_marked(file)) {
        found.pages.insert(file.path.into(), accepts::Page::of_unit(file));
    }
    let units = unit::all(files, &mut found);
    for unit in units.iter().filter(|unit| !unit.local) {
        ignored::check(unit, &mut found);
    }
    let set = Set::new(&units, &mut found);
    set.report_unmatched_globs(&mut found);
    set.report_unsatisfiable(&mut found);
    let count = set.instances.len();
    let (mut workloads, mut kills) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut said: BTreeSet<&str> = BTreeSet::new();
    let mut steps: Vec<Vec<Step>> = Vec::with_capacity(count);
    for instance in &set.instances {
        // The instances of a template share their errors.
        let mut again = Found::default();
        let first = said.insert(&instance.unit.name);
        let found = if first { &mut found } else { &mut again };
        let mut all = service::steps(instance.unit, instance.parts(), found);
        if instance.unit.is_made() {
            all.extend(generated::steps(instance.unit, instance.parts(), found));
        }
        steps.push(all);
    }
    let named = Named::new(&steps);
    said.clear();
    let mut helpers = Vec::new();
    for (instance, steps) in set.instances.iter().zip(&steps) {
        let mut again = Found::default();
        let first = said.insert(&instance.unit.name);
        let found = if first { &mut found } else { &mut again };
        let mut reader = Reader { instance, steps, named: &named, images, found };
        let (workload, victims) = reader.workload(&mut helpers);
        workloads.push(workload);
        kills.push(victims);
    }
    disks(&set, &units, &mut workloads);
    order(&set, &mut workloads);
    missed(&set, &workloads, &mut found);
    follow(&set, &mut workloads);
    kills::judge(&set, &mut workloads, kills, &mut found);
    pods::share(&set, &mut workloads);
    starts::ports(&set, &workloads, &mut found);
    starts::names(&set, &workloads, &mut found);
    starts::required(&set, &mut found);
    refers::judge(files, &set, &steps, &mut found);
    idle::files(files, &set, &mut found);
    workloads.extend(helpers);
    found.world(workloads)
}

/// Reads what one unit runs.
struct Reader<'r> {
    instance: &'r Instance<'r>,
    steps: &'r [Step],
    named: &'r Named<'r>,
    images: &'r Images,
    found: &'r mut Found,
}

impl<'r> Reader<'r> {
    /// Returns the unit with its first container, and the containers that its start ends. The other
    /// containers with data are added to `helpers`.
    fn workload(&mut self, helpers: &mut Vec<Workload>) -> (Workload, Vec<(Victim, At)>) {
        let (unit, steps) = (self.instance.unit, self.steps);
        let bare = bare(self.instance);
        let mut workload = bare.clone();
        let main = service::main(steps, self.found);
        refused::judge(unit, self.found);
        if let Some(main) = &main {
            self.fill(&mut workload, main);
            let software = workload.software.clone();
            self.ends(&mut workload, main);
            workload.outlives = stop::outlives(unit, steps, main, &workload, self.found);
            // systemd-docker makes the process of the container the main process of the unit.
            let wrapped = main.step.words().next().is_some_and(|word| word.base() == "systemd-docker");
            workload.clientless = wrapped || main.detached.is_some() && stop::remains(unit, steps, main);
            workload.by_machine =
                software.as_ref().is_none_or(|s| s.quorum) && machine::is_identity(unit, main.step);
            // systemd of old refuses a command without the path of its program.
            let client = |word: &Word| match word.text.starts_with('/') {
                true => word.text.clone(),
                false => format!("/usr/bin/{}", word.base()),
            };
            workload.client = main.step.words().next().map_or(workload.client, client);
            workload.follows = self.instance.peers().next().map(|(name, _)| name);
            stop::grace(unit, steps, main, &mut workload, software.as_deref(), self.found);
            starts::name_kept(unit, &workload, steps, main, self.found);
            starts::again(unit, &workload, main, self.found);
            starts::pulls(unit, steps, &workload, self.found);
            stop::not_attached(unit, steps, main, &workload, self.found);
            idle::stops(steps, main, self.found);
            waits::mounts(unit, &workload, self.found);
            waits::healthy(unit, software.as_deref(), self.found);
            refused::start(unit, steps, main, &workload, self.found);
            refused::removed(steps, main, &workload, self.found);
        }
        for other in containers::others(steps, main.as_ref(), self.found) {
            let mut helper = bare.clone();
            self.fill(&mut helper, &other.main);
            self.helper(&mut helper, &workload, &other);
            helpers.extend(helper.members.iter().any(|m| !m.mounts.is_empty()).then_some(helper));
        }
        let own = workload.members.first().and_then(|m| m.container.as_ref()).map(|(name, _)| name.as_str());
        let mut kills = stop::kills(steps, own, self.found);
        // Podman's `--replace` ends any container with the same name.
        let replaces =
            main.filter(|main| main.run.is("replace")).and_then(|m| Some((m, m.run.last("name")?)));
        kills.extend(replaces.map(|(m, name)| (Victim::Name(name.text.clone()), m.step.at(name, "--name"))));
        (workload, kills)
    }

    fn fill(&mut self, workload: &mut Workload, main: &Main<'_>) {
        let disk = Disk::read(self.instance.unit, self.steps);
        if let Some((name, at)) = &disk.guard {
            let what =
                format!("{name} must be active: treated as if it mounts the disks of all directories here");
            self.found.unread(at.clone(), what);
        }
        container::fill(workload, (self.steps, &disk, self.named), main, self.images, self.found);
    }

    /// Records a unit that runs to its end (systemd.service(5), `Type=oneshot`): a command in the foreground,
    /// and no server that is known. A timer starts it again beside what starts after it.
    fn ends(&mut self, workload: &mut Workload, main: &Main<'_>) {
        let unit = self.instance.unit;
        let once = unit.last(&["Type"]).is_some_and(|line| line.setting.value == "oneshot");
        workload.ends = once && main.detached.is_none() && workload.software.is_none();
        let data = workload.members.iter().any(|m| !m.mounts.is_empty());
        if unit.local && data && !unit.lines.iter().any(|l| l.setting.section == "Install") && !unit.is_made()
        {
            let what =
                format!("{} has no [X-Fleet] and no [Install]: treated as a unit of one machine", unit.name);
            self.found.unread(unit.begin(), what);
        }
    }

    /// Names another container of a unit after its image, and records when it runs.
    fn helper(&mut self, helper: &mut Workload, first: &Workload, other: &containers::Other<'_>) {
        let (unit, steps) = (self.instance.unit, self.steps);
        let name = other.main.run.last("name").map_or(&other.main.run.image, |name| name);
        helper.family = format!("{} of {}", name.text, first.family);
        helper.at = other.main.step.place();
        helper.runs_in_turn = other.runs_in_turn;
        let held = |w: &Workload| -> Vec<Source> {
            w.members.iter().flat_map(|m| &m.mounts).map(|m| m.source.clone()).collect()
        };
        let (ours, theirs) = (held(first), held(helper));
        helper.sidecar = other.runs_in_turn || theirs.iter().all(|source| ours.contains(source));
        if !other.runs_in_turn {
            helper.outlives = stop::outlives(unit, steps, &other.main, helper, self.found);
        }
        if let [member] = helper.members.as_mut_slice() {
            member.name = format!("{} of {}", name.text, self.instance.name);
        }
        let before = other.main.step.key == "ExecStartPre" || other.main.step.key == "ExecCondition";
        if before && other.runs_in_turn {
            self.over_old(first, helper, other);
        }
    }

    /// Reports a start that runs another container on the data of the first one, if no earlier
    /// command ends a leftover of the first one: docker keeps a container running when its client
    /// is killed.
    fn over_old(&mut self, first: &Workload, helper: &Workload, other: &containers::Other<'_>) {
        let mounts = |w: &'_ Workload| w.members.first().map(|m| m.mounts.clone()).unwrap_or_default();
        let theirs = mounts(first);
        let both = mounts(helper).into_iter().find_map(|own| {
            let (_, name) = place(&own)?;
            let other = theirs.iter().find(|m| place(m).is_some_and(|(_, n)| n == name))?;
            Some((own.at.clone(), name.to_owned(), other.at.clone()))
        });
        let Some((own, name, theirs)) = both else { return };
        let earlier = self.steps.iter().position(|step| std::ptr::eq(step, other.main.step)).unwrap_or(0);
        let container =
            first.members.first().and_then(|m| m.container.as_ref()).map(|(name, _)| name.as_str());
        let ended = stop::kills(&self.steps[..earlier], container, &mut Found::default());
        let hits = |victim: &Victim| match victim {
            Victim::Label(key, value) => first.labels.get(key) == Some(value),
            victim => container.is_some_and(|name| victim.has_name(name)),
        };
        if ended.iter().any(|(victim, _)| hits(victim)) {
            return;
        }
        let message = format!(
            "the start of {} runs another container on {name}, where its old one may still run: docker does not end that with its client",
            first.name
        );
        self.found.violation("fleet/data/update", message, vec![own, theirs], own_end(first));
    }
}

/// Returns the source of a mount, and whether it belongs to the machine.
fn place(mount: &Mount) -> Option<(bool, &str)> {
    match &mount.source {
        Source::Host { path, .. } => Some((true, path)),
        Source::Volume { name, .. } => Some((false, name)),
        Source::Ephemeral => None,
    }
}

/// Returns the unit without its containers.
fn bare(instance: &Instance<'_>) -> Workload {
    let (unit, name) = (instance.unit, instance.parts());
    let global = unit.rules.is_global();
    let kind = match global {
        Some(_) => Kind::GlobalUnit,
        None if unit.local => Kind::Local,
        None => Kind::Unit,
    };
    let begin = unit.begin();
    let mut workload = Workload {
        kind_at: global.unwrap_or(&begin).clone(),
        family: name.family().to_owned(),
        mounted: unit.mounted(),
        ..Workload::new(instance.name.clone(), kind, begin)
    };
    let mut member = Member { name: name.member(), ..Member::default() };
    if workload.kind.per_node() {
        member.name.clone_from(&workload.name);
    }
    member.ordinal = name.instance.and_then(|text| text.parse().ok());
    (workload.wants, member.wants) = wants(instance);
    workload.apart = unit
        .rules
        .conflicts
        .iter()
        .map(|rule| (name.expand(&rule.text), rule))
        // A malformed glob matches nothing.
        .filter(|(glob, _)| Glob::parse(glob).is_some())
        .map(|(glob, rule)| Apart { whom: Whom::Units(glob), at: rule.at.clone() })
        .collect();
    workload.members.push(member);
    workload
}

/// Records the order in which systemd starts the units of one machine (systemd.unit(5), `After=`). A unit with
/// a timer among the files starts again at any time.
fn order(set: &Set<'_>, workloads: &mut [Workload]) {
    let names = |own: &Instance<'_>, key: &str| -> Vec<String> {
        own.unit.wants(&[key]).into_iter().map(|(name, _)| own.parts().expand(&name)).collect()
    };
    let mut before: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for own in &set.instances {
        names(own, "Before").into_iter().for_each(|n| before.entry(n).or_default().push(own.name.clone()));
    }
    for (own, workload) in set.instances.iter().zip(workloads) {
        let earlier = before.remove(&own.name).unwrap_or_default();
        let timer =
            |name: &str| name.rsplit_once('.').is_some_and(|(stem, _)| set.knows(&format!("{stem}.timer")));
        workload.starts_after =
            names(own, "After").into_iter().chain(earlier).filter(|name| !timer(name)).collect();
    }
}

/// Adds the disks that units of type mount among the files mount, and those that the unit names.
fn disks(set: &Set<'_>, units: &[unit::Unit], workloads: &mut [Workload]) {
    let all: Vec<String> = units.iter().filter_map(|unit| disk::mounted(&unit.name)).collect();
    for (own, workload) in set.instances.iter().zip(workloads) {
        let named = own.unit.wants(&["Requires", "BindsTo", "Requisite", "Wants"]);
        workload.disks.extend(named.into_iter().filter_map(|(name, _)| disk::mounted(&name)));
        workload.disks.extend_from_slice(&all);
    }
}

/// The keys of metadata whose values name one machine.
const OF_MACHINE: [&str; 6] = ["fqdn", "host", "hostname", "ip", "private_ip", "public_ip"];

/// Returns the metadata that the machine must have: for every instance, and for this one only.
fn wants(instance: &Instance<'_>) -> (Vec<Want>, Vec<Want>) {
    let (rules, name) = (&instance.unit.rules, instance.parts());
    let (mut all, mut own) = (Vec::new(), Vec::new());
    if let Some(id) = rules.ids.first() {
        let values = vec![name.expand(&id.text)];
        all.push(Want {
            key: "MachineID".into(),
            values,
            not: false,
            one_node: true,
            shared: false,
            at: id.at.clone(),
        });
    }
    // For each key, its first line, and whether the value differs between instances.
    let mut lines: BTreeMap<String, (At, bool)> = BTreeMap::new();
    for rule in &rules.metadata {
        let Some((key, _)) = rule.pair(name) else { continue };
        lines.entry(key).or_insert_with(|| (rule.at.clone(), false)).1 |= rule.text.contains('%');
    }
    for ((key, values), (at, special)) in rules.demands(name).into_iter().zip(lines.into_values()) {
        let list = if special { &mut own } else { &mut all };
        let one_node = OF_MACHINE.contains(&key.to_ascii_lowercase().as_str());
        list.push(Want {
            key,
            values: values.into_iter().collect(),
            not: false,
            one_node,
            shared: false,
            at,
        });
    }
    (all, own)
}

/// The highest number of sets of globs in one family that are compared with one another.
const SETS: usize = 64;

/// Reports a `Conflicts` glob that misses a unit of the same service: one with the same image.
fn missed(set: &Set<'_>, workloads: &[Workload], found: &mut Found) {
    let mut families: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (i, workload) in workloads.iter().enumerate().filter(|(_, w)| !w.image.is_empty()) {
        families.entry((&workload.family, &workload.image)).or_default().push(i);
    }
    for of in families.values() {
        // One instance of each unit, and one unit of each set of globs, represents the others.
        let mut units: Vec<usize> = of.clone();
        units.dedup_by_key(|i| &set.instances[*i].unit.name);
        let mut alike: BTreeMap<Vec<String>, Vec<&Instance<'_>>> = BTreeMap::new();
        for own in units.iter().map(|i| &set.instances[*i]) {
            alike.entry(own.patterns()).or_default().push(own);
        }
        let groups: Vec<&Vec<&Instance<'_>>> = alike.values().take(SETS).collect();
        if let Some(last) = alike.values().nth(SETS) {
            let what = format!("it is one of more than {SETS} sets of globs of one service: not compared");
            found.unread(last[0].unit.begin(), what);
        }
        for ours in &groups {
            for theirs in &groups {
                let free: Vec<_> = theirs.iter().filter(|other| !ours[0].keeps_off(&other.name)).collect();
                let open = ours.iter().filter(|own| !free.is_empty() && !theirs[0].keeps_off(&own.name));
                for own in open {
                    let other = free.iter().find(|other| other.unit.name != own.unit.name);
                    let (Some(rule), Some(other)) = (set.own_conflict(own), other) else { continue };
                    let message =
                        format!("`{}` misses {}, which runs the same image", rule.text, other.unit.name);
                    let fix = format!("Conflicts={}", other.unit.name.replace("@.", "@*."));
                    found.note(
                        codes::MATCHES_NOTHING,
                        message,
                        vec![rule.at.clone(), other.unit.begin()],
                        fix,
                    );
                }
            }
        }
    }
}

/// Applies `MachineOf`: a unit that follows others runs only where they may run, and not next to
/// units that they avoid, as far as both have the same data.
fn follow(set: &Set<'_>, workloads: &mut [Workload]) {
    let crews: Vec<Vec<Instance<'_>>> = set.instances.iter().map(|own| set.co_located(own)).collect();
    let mut holders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let sources = |w: &Workload| -> BTreeSet<String> {
        let all = w.members.iter().flat_map(|m| &m.mounts);
        all.filter_map(|m| match &m.source {
            Source::Host { path: name, .. } | Source::Volume { name, .. } => Some(name.clone()),
            Source::Ephemeral => None,
        })
        .collect()
    };
    for (i, workload) in workloads.iter().enumerate() {
        for source in sources(workload) {
            holders.entry(source).or_default().push(i);
        }
    }
    for (i, crew) in crews.iter().enumerate() {
        for peer in crew {
            let (all, own) = wants(peer);
            if let Some(member) = workloads[i].members.first_mut() {
                member.wants.extend(all.into_iter().chain(own));
            }
        }
        let Some((_, rule)) = set.instances[i].peers().next() else { continue };
        let near: BTreeSet<usize> =
            sources(&workloads[i]).iter().filter_map(|s| holders.get(s)).flatten().copied().collect();
        for j in near.into_iter().filter(|j| *j != i) {
            let (other, theirs) = (&set.instances[j], &crews[j]);
            if crew.iter().any(|a| theirs.iter().chain([other]).any(|b| a.conflict(b).is_some())) {
                let whom = Whom::Units(other.name.replace('\\', "\\\\"));
                workloads[i].apart.push(Apart { whom, at: rule.at.clone() });
            }
        }
    }
}
