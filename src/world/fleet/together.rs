//! Relations between units: which `Conflicts` match which units (`agent/state.go`), and which unit
//! follows which.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{self, Name};
use super::rules::Rule;
use super::unit::Unit;
use crate::finding::{At, codes};
use crate::text::glob::Glob;
use crate::world::found::Found;

/// A unit under one name. An instance of a template has the text of the template.
pub struct Instance<'u> {
    /// The file.
    pub unit: &'u Unit,
    /// The whole name.
    pub name: String,
    globs: Vec<(Glob, &'u Rule)>,
}

impl<'u> Instance<'u> {
    /// Makes an instance of a unit.
    pub fn new(unit: &'u Unit, name: String) -> Self {
        let globs = unit.rules.globs(Name::of(&name));
        Self { unit, name, globs }
    }

    /// Returns the parts of its name.
    pub fn parts(&self) -> Name<'_> {
        Name::of(&self.name)
    }

    fn hits(&self, other: &str) -> Option<&'u Rule> {
        self.globs.iter().find(|(glob, _)| glob.matches(other)).map(|(_, rule)| *rule)
    }

    /// Returns its globs, as fleet expands them.
    pub fn patterns(&self) -> Vec<String> {
        self.globs.iter().map(|(_, rule)| self.parts().expand(&rule.text)).collect()
    }

    /// Returns whether one of its own globs matches a unit with this name.
    pub fn keeps_off(&self, other: &str) -> bool {
        self.hits(other).is_some()
    }

    /// Returns the rule that keeps two units off one machine. A rule of either side is enough; a
    /// glob never applies to the unit itself.
    pub fn conflict(&self, other: &Instance<'u>) -> Option<&'u Rule> {
        if self.name == other.name {
            return None;
        }
        self.hits(&other.name).or_else(|| other.hits(&self.name))
    }

    /// Returns the units that it follows, with the rule.
    pub fn peers(&self) -> impl Iterator<Item = (String, &'u Rule)> {
        self.unit.rules.peers.iter().map(|rule| (self.parts().expand(&rule.text), rule))
    }
}

/// The highest number of units that one unit follows, directly or not.
const CREW: usize = 16;

/// All units of the files.
pub struct Set<'u> {
    units: BTreeMap<&'u str, &'u Unit>,
    /// The units that may run, in the order of the files.
    pub instances: Vec<Instance<'u>>,
    /// Their names.
    names: BTreeSet<String>,
}

impl<'u> Set<'u> {
    /// Makes the set. The instances of a template are those with a file of their own, otherwise
    /// those of the units that it follows; otherwise 1, 2 and 3 represent all of them.
    pub fn new(all: &'u [Unit], found: &mut Found) -> Self {
        let units: BTreeMap<&str, &Unit> = all.iter().map(|unit| (unit.name.as_str(), unit)).collect();
        let mut concrete: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for name in all.iter().map(Unit::name).filter(|name| !name.is_template()) {
            if let Some(instance) = name.instance {
                concrete.entry((name.prefix, name.suffix)).or_default().push(instance);
            }
        }
        let mut instances = Vec::new();
        for unit in all {
            let name = unit.name();
            if !name.is_template() {
                instances.push(Instance::new(unit, unit.name.clone()));
                continue;
            }
            if concrete.contains_key(&(name.prefix, name.suffix)) {
                found.unread(
                    unit.begin(),
                    "further instances of the template: only those with files are searched",
                );
                continue;
            }
            let followed = unit.rules.peers.iter().find_map(|rule| {
                let peer = Name::of(&rule.text);
                concrete.get(&(peer.prefix, peer.suffix)).filter(|_| peer.instance == Some("%i"))
            });
            let any = vec!["1", "2", "3"];
            if followed.is_none() {
                let what = format!(
                    "the files do not say which instances of {} run: 1, 2 and 3 represent all of them",
                    unit.name
                );
                found.unread(unit.begin(), what);
            }
            let own = followed.unwrap_or(&any).iter().map(|i| Instance::new(unit, name.instantiated(i)));
            instances.extend(own);
        }
        let names = instances.iter().map(|i| i.name.clone()).collect();
        Self { units, instances, names }
    }

    /// Returns the file of a name: its own, or that of its template.
    fn unit_of(&self, name: &str) -> Option<&'u Unit> {
        let parts = Name::of(name);
        let template = || parts.instance.map(|_| parts.instantiated(""));
        let unit = self.units.get(name).or_else(|| self.units.get(template()?.as_str()));
        unit.filter(|_| !parts.is_template()).copied()
    }

    /// Returns whether a unit of this name is among the files, or its template.
    pub fn knows(&self, name: &str) -> bool {
        self.unit_of(name).is_some()
    }

    /// Returns the names of the files.
    pub fn names(&self) -> impl Iterator<Item = &'u str> {
        self.units.keys().copied()
    }

    fn find(&self, name: &str) -> Option<Instance<'u>> {
        Some(Instance::new(self.unit_of(name)?, name.to_owned()))
    }

    /// Returns the units that `of` follows, directly or not, and that therefore share its machine.
    /// At most [`CREW`].
    pub fn co_located(&self, of: &Instance<'u>) -> Vec<Instance<'u>> {
        let mut co_located: Vec<Instance<'u>> = Vec::new();
        let mut seen = BTreeSet::from([of.name.clone()]);
        let mut open: Vec<String> = of.peers().map(|(name, _)| name).collect();
        while let Some(name) = open.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            if let Some(peer) = self.find(&name) {
                open.extend(peer.peers().map(|(name, _)| name));
                co_located.push(peer);
                if co_located.len() == CREW {
                    break;
                }
            }
        }
        co_located
    }

    /// Reports rules of `MachineOf` that can never be satisfied.
    pub fn report_unsatisfiable(&self, found: &mut Found) {
        for own in &self.instances {
            self.report_peers(own, found);
            let Some((_, follows)) = own.peers().next() else { continue };
            let co_located = self.co_located(own);
            if co_located.len() == CREW {
                found.unread(
                    follows.at.clone(),
                    format!("it follows {CREW} units or more: no others are looked at"),
                );
            }
            for (i, peer) in co_located.iter().enumerate() {
                for other in co_located.iter().skip(i + 1).chain([own]) {
                    let Some(rule) = other.conflict(peer) else { continue };
                    let message = format!(
                        "`{}` keeps {} off {}, which must share its machine: fleet never runs {}",
                        rule.text, other.unit.name, peer.unit.name, own.unit.name
                    );
                    let fix = narrower(rule, other.unit, peer.unit);
                    found.violation(codes::STUCK, message, vec![rule.at.clone(), follows.at.clone()], fix);
                }
            }
            report_different_machines(own, &co_located, &follows.at, found);
        }
    }

    /// Reports a unit that follows itself, or a unit that is not among the files.
    fn report_peers(&self, own: &Instance<'u>, found: &mut Found) {
        for (name, rule) in own.peers() {
            if name == own.name {
                let message = format!("{} waits for itself: fleet never runs it", own.unit.name);
                let fix = format!("remove the line MachineOf={}", rule.text);
                found.violation(codes::STUCK, message, vec![rule.at.clone()], fix);
            } else if self.unit_of(&name).is_none() {
                let what = format!("{} is not among the files: where it may run is not known", rule.text);
                found.unread(rule.at.clone(), what);
            }
        }
    }

    /// Reports globs that match no unit for which they are meant.
    pub fn report_unmatched_globs(&self, found: &mut Found) {
        if self.units.values().all(|unit| unit.rules.conflicts.is_empty()) {
            return;
        }
        let shapes: BTreeSet<String> = self.units.values().flat_map(|unit| unit.name().siblings()).collect();
        let mut siblings = Siblings::default();
        for shape in shapes.iter().filter_map(|shape| Glob::parse(shape)) {
            siblings.0.entry(shape.start()).or_default().push(shape);
        }
        let families: BTreeSet<&str> = self.units.values().map(|unit| unit.name().family()).collect();
        let mut of: BTreeMap<&str, Vec<&Instance<'_>>> = BTreeMap::new();
        for instance in &self.instances {
            of.entry(&instance.unit.name).or_default().push(instance);
        }
        for unit in self.units.values() {
            let own = of.remove(unit.name.as_str()).unwrap_or_default();
            let verdicts: Vec<(&Rule, Option<Fault>)> = unit
                .rules
                .conflicts
                .iter()
                .map(|rule| (rule, self.fault_of(&own, rule, &siblings)))
                .collect();
            let held = verdicts
                .iter()
                .any(|(rule, fault)| fault.is_none() && family(rule, unit) == unit.name().family());
            for (rule, fault) in verdicts {
                let Some(fault) = fault else { continue };
                let of = family(rule, unit);
                // A glob for units that do not exist yet is not an error.
                if fault == Fault::Nobody && held && of == unit.name().family() {
                    continue;
                }
                fault.report(unit, rule, families.contains(of.as_str()), found);
            }
        }
    }

    /// Returns the rule that keeps other units of the same service away.
    pub fn own_conflict(&self, own: &Instance<'u>) -> Option<&'u Rule> {
        let of = |rule: &&Rule| family(rule, own.unit) == own.unit.name().family();
        own.globs.iter().find(|(glob, rule)| of(rule) && self.hits(glob, &own.name)).map(|(_, rule)| *rule)
    }

    /// Returns whether a glob matches an instance other than `own`.
    fn hits(&self, glob: &Glob, own: &str) -> bool {
        let start = glob.start();
        let near = self.names.range(start.clone()..).take_while(|name| name.starts_with(&start));
        near.into_iter().any(|name| name != own && glob.matches(name))
    }

    fn fault_of(&self, own: &[&Instance<'_>], rule: &Rule, siblings: &Siblings) -> Option<Fault> {
        let mut fault = Fault::Nobody;
        for instance in own {
            let text = instance.parts().expand(&rule.text);
            let Some(glob) = Glob::parse(&text) else { return Some(Fault::Malformed) };
            if !names::possible(&glob) {
                return Some(Fault::NoName);
            }
            if self.hits(&glob, &instance.name) {
                return None;
            }
            if glob.only().as_ref() == Some(&instance.name) {
                fault = Fault::Itself;
            } else if siblings.meet(&glob) {
                return None;
            }
        }
        (!own.is_empty()).then_some(fault)
    }
}

/// Reports units that must share a machine with `own`, and require another value of its metadata.
fn report_different_machines(own: &Instance<'_>, co_located: &[Instance<'_>], at: &At, found: &mut Found) {
    let mut demands = own.unit.rules.demands(own.parts());
    for peer in co_located {
        for (key, values) in peer.unit.rules.demands(peer.parts()) {
            let both = demands.entry(key.clone()).or_insert_with(|| values.clone());
            both.retain(|value| values.contains(value));
            if both.is_empty() {
                let message = format!(
                    "{} and {} want different machines by `{key}`: fleet never runs {}",
                    own.unit.name, peer.unit.name, own.unit.name
                );
                let value = values.iter().next().map_or("", String::as_str);
                let fix = format!("MachineMetadata={key}={value}");
                found.violation(codes::STUCK, message, vec![at.clone()], fix);
                break;
            }
        }
    }
}

/// Globs for names that may appear in addition to those in the files, by their prefix.
#[derive(Default)]
struct Siblings(BTreeMap<String, Vec<Glob>>);

impl Siblings {
    /// Returns whether `glob` matches one of these names: the prefix of one must be that of the
    /// other, as far as both have one.
    fn meet(&self, glob: &Glob) -> bool {
        let start = glob.start();
        let shorter = start.char_indices().filter_map(|(at, _)| self.0.get(&start[..at]));
        let longer = self.0.range(start.clone()..).take_while(|(own, _)| own.starts_with(&start));
        shorter.chain(longer.map(|(_, shapes)| shapes)).flatten().any(|shape| glob.meets(shape))
    }
}

/// Returns the family of the units that a glob is meant for.
fn family(rule: &Rule, unit: &Unit) -> String {
    let text = unit.name().expand(&rule.text);
    text.split(['@', '.', '*', '?', '[']).next().unwrap_or_default().to_owned()
}

/// Returns a glob for what the owner of `rule` means: other units of its own kind, and no helper.
fn narrower(rule: &Rule, one: &Unit, other: &Unit) -> String {
    let owner = if rule.at.file == one.file { one } else { other };
    let name = owner.name();
    match name.instance {
        Some(_) if family(rule, owner) == name.family() => {
            format!("Conflicts={}@*{}", name.prefix, name.suffix)
        }
        _ => "a glob that does not match the units that must share its machine".to_owned(),
    }
}

/// The reasons why a glob keeps no unit away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Malformed,
    NoName,
    Itself,
    Nobody,
}

impl Fault {
    fn report(self, unit: &Unit, rule: &Rule, known: bool, found: &mut Found) {
        let name = unit.name();
        let text = &rule.text;
        let message = match self {
            Self::Malformed => {
                format!("`{text}` is not a valid glob: it matches nothing, and fleet reports no error")
            }
            Self::NoName if text.contains('%') => {
                format!("`{text}` matches no unit: fleet expands only %n %N %p %i")
            }
            Self::NoName => format!("`{text}` matches no unit: fleet matches whole names, with their suffix"),
            Self::Itself => {
                format!("`{text}` matches only the unit itself, which cannot exclude itself")
            }
            Self::Nobody => format!("`{text}` matches no unit of these files, nor an instance of one"),
        };
        let fix = match (name.instance, known) {
            (_, false) if self == Self::Nobody => "Conflicts=NAME@*.service".to_owned(),
            (Some(_), _) => format!("Conflicts={}@*{}", name.prefix, name.suffix),
            (None, _) => format!(
                "Conflicts={}@*{}, and units {}@1{}",
                name.prefix, name.suffix, name.prefix, name.suffix
            ),
        };
        let at = vec![rule.at.clone()];
        // There is one unit of a name, so a rule against itself takes nothing from a unit without
        // instances.
        let idle = self == Self::Itself && name.instance.is_none();
        let fix = if idle { "leave it out: there is one unit of this name".to_owned() } else { fix };
        if idle || self == Self::Nobody && !known {
            found.note(codes::MATCHES_NOTHING, message, at, fix);
        } else {
            found.violation(codes::MATCHES_NOTHING, message, at, fix);
        }
    }
}
