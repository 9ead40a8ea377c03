//! Reads `[X-Fleet]` (`job/job.go`), and finds what fleet refuses (`api/units.go`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::grammar::{Parsed, values};
use super::names::Name;
use crate::finding::At;
use crate::text::glob::Glob;

/// The section. Its name and its keys are case-sensitive.
pub const SECTION: &str = "X-Fleet";
/// The keys that fleet reads, the newer name of each first.
pub const KEYS: [&str; 11] = [
    "Conflicts",
    "MachineMetadata",
    "MachineOf",
    "MachineID",
    "Global",
    "Replaces",
    "X-Conflicts",
    "X-ConditionMachineMetadata",
    "X-ConditionMachineOf",
    "X-ConditionMachineID",
    "X-ConditionMachineBootID",
];
/// The values of `Global` that mean true, in any case.
const TRUE: [&str; 5] = ["true", "yes", "1", "on", "t"];
/// The values that are meant as false.
const FALSE: [&str; 5] = ["false", "no", "0", "off", "f"];

/// A value of a key, as it is written.
#[derive(Debug, Clone)]
pub struct Rule {
    /// The text, with specifiers not expanded.
    pub text: String,
    /// The line of its key.
    pub at: At,
}

impl Rule {
    /// Returns the key and value of `key=value`. fleet drops anything else silently.
    pub fn pair(&self, name: Name<'_>) -> Option<(String, String)> {
        let text = name.expand(&self.text);
        let (key, value) = text.split_once('=')?;
        let good = !key.is_empty() && !value.is_empty() && !value.contains('=');
        good.then(|| (key.to_owned(), value.to_owned()))
    }
}

/// The rules of one unit file, in fleet's order.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The globs of `Conflicts`.
    pub conflicts: Vec<Rule>,
    /// The metadata, as `key=value`: any value of one key, and all keys.
    pub metadata: Vec<Rule>,
    /// The units that must be on the machine.
    pub peers: Vec<Rule>,
    /// The ids of machines; the first one wins.
    pub ids: Vec<Rule>,
    /// The globs of `Replaces`.
    pub replaces: Vec<Rule>,
    /// The values of `Global`; the last one wins.
    pub global: Vec<Rule>,
    /// The keys that fleet does not know.
    pub unknown: Vec<Rule>,
}

impl Rules {
    /// Reads the rules of a unit file.
    pub fn read(parsed: &Parsed, file: &Arc<str>) -> Self {
        let of = |keys: &[&str]| -> Vec<Rule> {
            let lines = keys
                .iter()
                .flat_map(|key| parsed.options.iter().filter(move |o| o.section == SECTION && o.key == *key));
            let rules = lines.flat_map(|option| {
                let field = format!("{SECTION} {}", option.key);
                let at = At { file: file.clone(), line: option.line, field };
                values(&option.value).into_iter().map(move |text| Rule { text, at: at.clone() })
            });
            rules.collect()
        };
        // Only these are split at blanks (since 1.0.0).
        let conflicts = of(&["X-Conflicts", "Conflicts"]).into_iter().flat_map(|rule| {
            let words: Vec<String> = rule.text.split_whitespace().map(ToOwned::to_owned).collect();
            words.into_iter().map(move |text| Rule { text, at: rule.at.clone() })
        });
        let own = parsed.options.iter().filter(|o| o.section == SECTION && !KEYS.contains(&o.key.as_str()));
        let unknown = own.map(|o| Rule {
            text: o.key.clone(),
            at: At { file: file.clone(), line: o.line, field: format!("{SECTION} {}", o.key) },
        });
        Self {
            conflicts: conflicts.collect(),
            metadata: of(&["X-ConditionMachineMetadata", "MachineMetadata"]),
            peers: of(&["X-ConditionMachineOf", "MachineOf"]),
            ids: of(&["MachineID", "X-ConditionMachineID", "X-ConditionMachineBootID"]),
            replaces: of(&["Replaces"]),
            global: of(&["Global"]),
            unknown: unknown.collect(),
        }
    }

    /// Returns the place that makes it run on every machine, if there is one.
    pub fn is_global(&self) -> Option<&At> {
        let last = self.global.last()?;
        TRUE.contains(&last.text.to_lowercase().as_str()).then_some(&last.at)
    }

    /// Returns the well-formed globs of an instance.
    pub fn globs(&self, name: Name<'_>) -> Vec<(Glob, &Rule)> {
        let parse = |rule: &'_ Rule| Glob::parse(&name.expand(&rule.text));
        self.conflicts.iter().filter_map(|rule| Some((parse(rule)?, rule))).collect()
    }

    /// Returns the allowed values of each key of the metadata.
    pub fn demands(&self, name: Name<'_>) -> BTreeMap<String, BTreeSet<String>> {
        let mut demands = BTreeMap::<_, BTreeSet<String>>::new();
        for (key, value) in self.metadata.iter().filter_map(|rule| rule.pair(name)) {
            demands.entry(key).or_default().insert(value);
        }
        demands
    }

    /// Returns the error of fleet for rules that contradict one another. fleet checks them before
    /// it expands specifiers.
    pub fn refused(&self) -> Option<(String, &At)> {
        let parse = |rules: &'_ [Rule]| -> Vec<Option<Glob>> {
            let any = !self.peers.is_empty();
            rules.iter().filter(|_| any).map(|rule| Glob::parse(&rule.text)).collect()
        };
        let all = [("conflict", &self.conflicts), ("replace", &self.replaces)];
        let all = all.map(|(what, rules)| (what, rules, parse(rules)));
        for peer in &self.peers {
            for (what, rules, globs) in &all {
                let hits = |glob: &Option<Glob>| glob.as_ref().is_some_and(|g| g.matches(&peer.text));
                if let Some(rule) = globs.iter().position(hits).and_then(|at| rules.get(at)) {
                    let hit = format!("peer {:?} matches {what} {:?}", peer.text, rule.text);
                    return Some((format!("unresolvable requirements: {hit}"), &rule.at));
                }
            }
        }
        let first = |rules: &'_ [Rule]| rules.first().map(|rule| rule.at.clone());
        let (id, peers, conflicts) = (first(&self.ids), first(&self.peers), first(&self.conflicts));
        let (global, replaces) = (self.is_global().cloned(), first(&self.replaces));
        let pairs = [
            ("MachineID", &id, "Peers", &peers, &self.peers),
            ("MachineID", &id, "Conflicts", &conflicts, &self.conflicts),
            ("MachineID", &id, "Global", &global, &self.global),
            ("MachineID", &id, "Replaces", &replaces, &self.replaces),
            ("Global", &global, "Peers", &peers, &self.peers),
            ("Global", &global, "Replaces", &replaces, &self.replaces),
            ("Conflicts", &conflicts, "Replaces", &replaces, &self.replaces),
        ];
        let (key, _, other, _, rules) =
            pairs.into_iter().find(|(_, a, _, b, _)| a.is_some() && b.is_some())?;
        Some((format!("{key} cannot be used with {other}"), &rules.last()?.at))
    }
}

impl Rule {
    /// Returns whether the value of `Global` clearly means true or false.
    pub fn is_truth(&self) -> bool {
        let text = self.text.to_lowercase();
        TRUE.contains(&text.as_str()) || FALSE.contains(&text.as_str())
    }
}
