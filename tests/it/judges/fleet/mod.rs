//! A small simulator of fleet, written from its source and from runs of the real fleet: what fleet
//! parses, rejects, accepts and silently ignores, and where it places units. It does not use
//! berthc: [`judge`] is a second opinion on every unit that berthc emits.
//!
//! Paths and lines are those of coreos/fleet 45224983 (v1.0.0+15). fleet iterates over a Go map, so
//! the unit that loses is random (engine/reconciler.go:168,195); this simulator uses the order of
//! names.

mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use text::{
    UnitFile, can_match, expand, glob, is_template, listed, matches, may_share, parse, split_name,
    split_quoted, submitted_as, template_of, validate_name,
};

/// The releases that berthc emits for. 1.0.0 brought Global with Conflicts, and globs split at blanks.
#[derive(Clone, Copy, PartialEq)]
pub enum Version {
    V0_13,
    V1_0,
}

// ------------------------------------------------------------------------------------------ units

/// A unit by its name; the instances of a template share its file.
#[derive(Clone)]
pub struct Unit {
    name: String,
    version: Version,
    file: Rc<UnitFile>,
}

pub type Units = BTreeMap<String, Unit>;
type Names = BTreeSet<String>;
pub type Metadata = BTreeMap<String, String>;

const KEYS: &str = "MachineID X-ConditionMachineID X-ConditionMachineBootID MachineOf \
    X-ConditionMachineOf MachineMetadata X-ConditionMachineMetadata Conflicts X-Conflicts Replaces \
    Global";

impl Unit {
    fn named(&self, name: &str) -> Unit {
        let mut unit = self.clone();
        unit.name = name.to_owned();
        unit
    }

    /// Returns the unit; for a template its instance 1.
    fn sample(&self) -> Unit {
        let at = if is_template(&self.name) { "@1" } else { "@" };
        self.named(&self.name.replacen('@', at, 1))
    }

    /// The content of `[X-Fleet]`; section and keys are case-sensitive (job/job.go:41-74).
    fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        let options = self.file.options.iter();
        let ours = options.filter(|option| option[0] == "X-Fleet");
        ours.map(|[_, key, value]| (key.as_str(), value.as_str()))
    }

    fn values(&self, keys: &str) -> Vec<String> {
        let of = |key| self.options().filter(move |option| option.0 == key);
        let lines = keys.split(' ').flat_map(of).map(|option| option.1);
        let values = lines.flat_map(split_quoted);
        values.map(|value| expand(&value, &self.name)).collect()
    }

    /// Returns the globs. Only conflicts are split at blanks, and only since 1.0.0
    /// (job/job.go:221-231, 343-350).
    fn conflicts(&self) -> Vec<String> {
        let lines = self.values("X-Conflicts Conflicts");
        if self.version == Version::V0_13 {
            return lines;
        }
        let words = lines.iter().flat_map(|line| line.split_whitespace());
        words.map(String::from).collect()
    }

    fn replaces(&self) -> Vec<String> {
        self.values("Replaces")
    }

    fn peers(&self) -> Vec<String> {
        self.values("X-ConditionMachineOf MachineOf")
    }

    /// Returns the machine ids. The first one counts (job/job.go:255-282).
    fn machine_ids(&self) -> Vec<String> {
        self.values("MachineID X-ConditionMachineID X-ConditionMachineBootID")
    }

    fn metadata(&self) -> Vec<String> {
        self.values("X-ConditionMachineMetadata MachineMetadata")
    }

    /// Returns the required metadata: one of the values of each key, for all keys
    /// (job/job.go:287-313).
    fn demands(&self) -> BTreeMap<String, Names> {
        let mut demands = BTreeMap::<_, Names>::new();
        for (key, value) in self.metadata().iter().filter_map(|text| pair(text)) {
            demands.entry(key.into()).or_default().insert(value.into());
        }
        demands
    }

    /// Returns whether the unit is global. The last value counts (job/job.go:113-125, 336-339).
    fn is_global(&self) -> bool {
        let last = self.values("Global").pop().unwrap_or_default();
        listed("true yes 1 on t", &last.to_lowercase())
    }

    /// Returns whether two units conflict. A glob of one side is enough; a unit never conflicts
    /// with itself (agent/state.go:57-70).
    fn conflicts_with(&self, other: &Unit) -> bool {
        let hits = |a: &Unit, b: &Unit| a.conflicts().iter().any(|glob| matches(glob, &b.name));
        self.name != other.name && (hits(self, other) || hits(other, self))
    }

    /// machine/machine.go:28-47; the ID in full or its first 8 characters (machine/state.go:38-40).
    fn suits(&self, machine: &str, metadata: &Metadata) -> bool {
        let is = |id: &String| id == machine || machine.get(..8) == Some(id);
        let has = |(key, any): (String, Names)| metadata.get(&key).is_some_and(|v| any.contains(v));
        self.machine_ids().first().is_none_or(is) && self.demands().into_iter().all(has)
    }
}

/// Parses `key=value`. fleet silently drops anything else (job/job.go:297-303).
fn pair(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once('=')?;
    (!key.is_empty() && !value.is_empty() && !value.contains('=')).then_some((key, value))
}

// --------------------------------------------------------------------------------------- verdicts

/// Returns the answer of fleet to `fleetctl submit`: the unit, or its error.
pub fn accept(name: &str, text: &str, version: Version) -> Result<Unit, String> {
    let (name, file) = (name.to_owned(), Rc::new(parse(text)?));
    validate_name(&name)?;
    if file.options.is_empty() {
        return Err("unit does not exist and options field empty".into());
    }
    let unit = Unit { name, version, file };
    validate_pairs(&unit.named("")).map(|()| unit)
}

/// api/units.go:225-281, on unexpanded text: it builds a job without a name (234).
fn validate_pairs(unit: &Unit) -> Result<(), String> {
    let (peers, conflicts, replaces) = (unit.peers(), unit.conflicts(), unit.replaces());
    for peer in &peers {
        for (what, globs) in [("conflict", &conflicts), ("replace", &replaces)] {
            if let Some(glob) = globs.iter().find(|glob| matches(glob, peer)) {
                let hit = format!("peer {peer:?} matches {what} {glob:?}");
                return Err(format!("unresolvable requirements: {hit}"));
            }
        }
    }
    let machine = !unit.machine_ids().is_empty();
    let (peers, global) = (!peers.is_empty(), unit.is_global());
    let (conflicts, replaces) = (!conflicts.is_empty(), !replaces.is_empty());
    let (key, other) = match unit.version {
        _ if machine && peers => ("MachineID", "Peers"),
        _ if machine && conflicts => ("MachineID", "Conflicts"),
        _ if machine && global => ("MachineID", "Global"),
        _ if machine && replaces => ("MachineID", "Replaces"),
        _ if global && peers => ("Global", "Peers"),
        _ if global && replaces => ("Global", "Replaces"),
        Version::V0_13 if global && conflicts => ("Global", "Conflicts"),
        _ if conflicts && replaces => ("Conflicts", "Replaces"),
        _ => return Ok(()),
    };
    Err(format!("{key} cannot be used with {other}"))
}

/// fleetctl warns of unknown keys; fleetd never looks (fleetctl/fleetctl.go:672-675).
pub fn warnings(unit: &Unit) -> Vec<String> {
    let keys: BTreeSet<_> = unit.options().map(|option| option.0).collect();
    let unknown = keys.into_iter().filter(|key| !listed(KEYS, key));
    let warning = |key| format!("unrecognized requirement in [X-Fleet] section: {key:?}");
    unknown.map(warning).collect()
}

/// Returns the parts that fleet accepts, and then ignores or cannot satisfy.
pub fn traps(unit: &Unit) -> Vec<String> {
    let (raw, sample, mut traps) = (unit.named(""), unit.sample(), Vec::new());
    let sections = unit.file.options.iter().map(|option| &option[0]);
    let sections: Names = sections.cloned().collect();
    let late_ids = raw.machine_ids().into_iter().skip(1).collect();
    for (what, values) in [
        ("text", vec![unit.file.skipped.clone()]),
        ("section", sections.into_iter().collect()),
        ("name", vec![unit.name.clone()]),
        ("MachineMetadata value", raw.metadata()),
        ("Conflicts pattern", raw.conflicts()),
        ("Global value", raw.values("Global")),
        ("MachineID value", late_ids),
        ("Replaces", raw.replaces()),
    ] {
        for value in values {
            let why = trap(what, &expand(&value, &sample.name), unit.is_global());
            traps.extend(why.iter().map(|why| format!("{what} {value:?} {why}")));
        }
    }
    traps
}

fn trap(what: &str, value: &str, global: bool) -> &'static [&'static str] {
    let escapes = value.replace("\\\\", "").contains('\\');
    match what {
        "text" if !value.is_empty() => &["before the first section is silently ignored"],
        "section" if value == "X-Fleet" => &[],
        "section" if value.trim().eq_ignore_ascii_case("X-Fleet") => &["is silently ignored"],
        "name" if submitted_as(value) != value => &["gets .service (unit/unit.go:151-166)"],
        "name" if global && is_template(value) => &["blocks once submitted (engine/state.go:93-107)"],
        "MachineMetadata value" if pair(value).is_none() => &["is silently ignored (job.go:294-303)"],
        "MachineMetadata value" if value.contains([' ', '\t', '\n', '"', '%']) => &["is literal"],
        "Conflicts pattern" if glob(value).is_none() => &[NO_NAME, "is malformed: never matches"],
        "Conflicts pattern" if !can_match(value) => &[NO_NAME],
        "Conflicts pattern" if escapes => &["has a \\ that escapes, and is no part of a name"],
        "Global value" if !listed(BOOLEANS, &value.to_lowercase()) => &["means false"],
        "MachineID value" => &["is silently ignored: the first wins (job.go:255-282)"],
        "Replaces" => &["excludes nothing: it moves the other unit (engine/scheduler.go:65-99)"],
        _ => &[],
    }
}

const NO_NAME: &str = "cannot match a full unit name (no suffix?)";
const BOOLEANS: &str = "true yes 1 on t false no 0 off f";

// ------------------------------------------------------------------------------------- scheduling

/// The machines by id, the submitted units, the started units, and their machines.
#[derive(Default)]
pub struct Cluster {
    pub machines: BTreeMap<String, Metadata>,
    pub units: Units,
    pub launched: Names,
    pub placed: BTreeMap<String, String>,
}

impl Cluster {
    pub fn submit(&mut self, unit: Unit) {
        self.units.insert(unit.name.clone(), unit);
    }

    /// Starts a submitted unit or an instance of it, never a template (api/units.go:142-147).
    pub fn start(&mut self, name: &str) -> Result<(), String> {
        let name = submitted_as(name);
        if is_template(&name) {
            return Err(format!("cannot activate template {name:?}"));
        }
        let unit = find(&self.units, &name).ok_or(format!("unable to find {name:?}"))?;
        self.submit(unit);
        self.launched.insert(name);
        Ok(())
    }

    /// Runs the engine until nothing changes. A unit that cannot be placed stays inactive; a unit
    /// whose machine is gone is placed again (engine/reconciler.go:92-98).
    pub fn settle(&mut self) {
        while self.pass() {}
    }

    fn pass(&mut self) -> bool {
        let before = self.placed.clone();
        for (name, machine) in &before {
            let agents = self.agents();
            let units = agents.get(machine);
            if !units.is_some_and(|units| self.able(name, machine, units)) {
                self.placed.remove(name);
            }
        }
        for name in self.launched.clone() {
            let idle = !self.units[&name].is_global() && !self.placed.contains_key(&name);
            if let Some(machine) = self.decide(&name).filter(|_| idle) {
                self.placed.insert(name, machine);
            }
        }
        before != self.placed
    }

    /// Returns the machine with the fewest units among those that can run the unit; ties by id
    /// (engine/scheduler.go:101-124).
    fn decide(&self, name: &str) -> Option<String> {
        let able = |(id, units): &(String, Names)| self.able(name, id, units);
        let able = self.agents().into_iter().filter(able);
        able.min_by_key(|(_, units)| units.len()).map(|(id, _)| id)
    }

    /// Returns the units that the engine counts on each machine: first those placed there, then the
    /// globals.
    fn agents(&self) -> BTreeMap<String, Names> {
        let placed = |machine: &String| {
            let here = self.placed.iter().filter(|(_, id)| *id == machine);
            let names = here.map(|(name, _)| name.clone()).collect();
            (machine.clone(), self.with_admitted(names, machine))
        };
        self.machines.keys().map(placed).collect()
    }

    /// Adds, in the order of their names, the units that are placed there or global, launched or
    /// not, and that have no conflict (engine/state.go:93-107, agent/reconcile.go:152-170).
    fn with_admitted(&self, mut units: Names, machine: &str) -> Names {
        for (name, unit) in &self.units {
            let placed = self.placed.get(name).is_some_and(|id| id == machine);
            let global = unit.is_global() && unit.suits(machine, &self.machines[machine]);
            if (placed || global) && self.admits(unit, &units) {
                units.insert(name.clone());
            }
        }
        units
    }

    /// 0.13 knew no conflicts of global units.
    fn admits(&self, unit: &Unit, units: &Names) -> bool {
        unit.version == Version::V0_13 || !self.conflict(unit, units)
    }

    fn conflict(&self, unit: &Unit, units: &Names) -> bool {
        let hit = |other: &String| unit.conflicts_with(&self.units[other]);
        units.iter().any(hit)
    }

    /// Returns whether the machine matches, each unit of MachineOf is there
    /// (agent/state.go:150-157), nothing conflicts.
    fn able(&self, name: &str, machine: &str, units: &Names) -> bool {
        let unit = &self.units[name];
        let suits = unit.suits(machine, &self.machines[machine]);
        suits && unit.peers().iter().all(|peer| units.contains(peer)) && !self.conflict(unit, units)
    }

    /// Returns the machine and name of each running unit. The agent does not start a unit with a
    /// conflict. A unit that is only submitted blocks others but does not run.
    pub fn running(&self) -> Vec<(String, String)> {
        let mut running = Vec::new();
        for machine in self.machines.keys() {
            let units = self.with_admitted(Names::new(), machine).into_iter();
            let launched = units.filter(|name| self.launched.contains(name));
            running.extend(launched.map(|name| (machine.clone(), name)));
        }
        running
    }
}

/// Returns the unit, or the instance of its template, but never a template.
fn find(units: &Units, name: &str) -> Option<Unit> {
    let file = units.get(name).or_else(|| units.get(&template_of(name)?));
    (!is_template(name)).then(|| Some(file?.named(name)))?
}

// -------------------------------------------------------------------------------------- judgement

/// Returns all faults of a set of unit files under fleet's rules. Each line begins with the name of
/// the file. A template is judged by its instance 1.
pub fn judge(units: &BTreeMap<String, String>, version: Version) -> Vec<String> {
    let (mut findings, mut set) = (Vec::new(), Units::new());
    for (name, text) in units {
        match accept(name, text, version) {
            Err(error) => findings.push(format!("{name}: rejected: {error}")),
            Ok(unit) => drop(set.insert(name.clone(), unit)),
        }
    }
    for (name, unit) in &set {
        let known = [warnings(unit), traps(unit), idle_conflicts(unit, &set)].concat();
        let faults = known.into_iter().chain(obstacles(&unit.sample(), &set));
        findings.extend(faults.map(|fault| format!("{name}: {fault}")));
    }
    findings
}

/// Returns the globs that match no other unit, and no possible instance or revision of one.
fn idle_conflicts(unit: &Unit, set: &Units) -> Vec<String> {
    let mut globs = unit.sample().conflicts();
    globs.retain(|glob| {
        let named = |other: &String| !is_template(other) && matches(glob, other);
        let shaped = |other: &String| shapes(other).iter().any(|shape| may_share(glob, shape));
        let hit = |other: &String| *other != unit.name && named(other) || shaped(other);
        can_match(glob) && !set.keys().any(hit)
    });
    let idle = |glob: &String| format!("Conflicts pattern {glob:?} hits nothing");
    globs.iter().map(idle).collect()
}

/// `es@1.service` is an instance of `es@*.service`; `es.v1.service` a revision, as is `es.service`.
fn shapes(name: &str) -> Vec<String> {
    let name = name.replace('\\', "\\\\");
    let Some((prefix, instance, suffix)) = split_name(&name) else {
        return Vec::new();
    };
    match (instance, prefix.split_once('.')) {
        (Some(_), _) => vec![format!("{prefix}@?*{suffix}")],
        (None, Some((of, _))) => vec![format!("{of}.?*{suffix}"), format!("{of}{suffix}")],
        (None, None) => Vec::new(),
    }
}

/// Returns the rules that keep a unit away from the unit that it follows, or prevent it from
/// running at all.
fn obstacles(unit: &Unit, set: &Units) -> Vec<String> {
    let (crew, mut found) = (crew(unit, set), Vec::new());
    for peer in unit.peers() {
        match crew.get(&peer) {
            None => found.push(format!("MachineOf {peer:?} is not in the set")),
            Some(peer) if unit.conflicts_with(peer) => {
                found.push(format!("conflicts with {:?}, which it follows", peer.name));
            }
            Some(_) => {}
        }
    }
    if !can_run(unit, &crew, set) {
        found.push("can never be scheduled, whatever the machines".into());
    }
    found
}

/// Returns the unit and all units that it follows, which must be on the same machine.
fn crew(unit: &Unit, set: &Units) -> Units {
    let (mut crew, mut todo) = (Units::new(), vec![unit.clone()]);
    while let Some(unit) = todo.pop() {
        let mut peers = unit.peers();
        peers.retain(|peer| !crew.contains_key(peer));
        todo.extend(peers.iter().filter_map(|peer| find(set, peer)));
        crew.insert(unit.name.clone(), unit);
    }
    crew
}

/// Returns whether some machine can run the unit with only its crew and the global units of the
/// set. Tries a machine for each choice of the required metadata, without other metadata.
fn can_run(unit: &Unit, crew: &Units, set: &Units) -> bool {
    let ids = crew.values().flat_map(|unit| unit.machine_ids().into_iter().next());
    let id = ids.filter(|id| !id.is_empty()).max_by_key(String::len).unwrap_or("any".into());
    let mut choices = BTreeSet::from([Metadata::new()]);
    for (key, values) in crew.values().flat_map(Unit::demands) {
        let with = |choice: &Metadata, value: &String| {
            let pair = [(key.clone(), value.clone())];
            choice.clone().into_iter().chain(pair).collect()
        };
        let all = choices.iter().flat_map(|choice| values.iter().map(move |value| (choice, value)));
        choices = all.map(|(choice, value)| with(choice, value)).collect();
    }
    choices.into_iter().any(|metadata| {
        let mut cluster = Cluster::default();
        cluster.machines.insert(id.clone(), metadata);
        cluster.units.extend(set.clone());
        cluster.units.extend(crew.clone());
        cluster.launched.extend(crew.keys().cloned());
        cluster.settle();
        cluster.running().iter().any(|(_, name)| *name == unit.name)
    })
}

#[cfg(test)]
mod reader;
#[cfg(test)]
mod tests;
