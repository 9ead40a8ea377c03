//! Checks that berthc's reader and this simulator agree on a unit: the same verdict, the same
//! rules.

use berthc::images::Images;
use std::collections::BTreeMap;

use berthc::text::glob;
use berthc::world::fleet;
use berthc::world::{File, Whom, World};

use super::*;
use crate::harness::Random;

const KEYS: [&str; 15] = [
    "Conflicts",
    "X-Conflicts",
    "Conflicts",
    "MachineMetadata",
    "MachineMetadata",
    "X-ConditionMachineMetadata",
    "MachineOf",
    "X-ConditionMachineOf",
    "MachineID",
    "X-ConditionMachineBootID",
    "Global",
    "Replaces",
    "Conflict",
    "conflicts",
    "[X-fleet]\nConflicts",
];

const VALUES: [&str; 34] = [
    "db@*.service",
    "db*.service",
    "%p@*.service",
    "%n",
    "db@1",
    "db@[",
    "db@[1-3].service",
    "db@[^1].service web.service",
    "web.*",
    "\"db@1.service\" \"web.service\"",
    "\"web.service\"",
    "w?b.service \\\n  x.service",
    "web\\.service",
    "web.service",
    "db@1.service",
    "db@%i.service",
    "db-log@%i.service",
    "slot=%i",
    "slot=1",
    "slot=2",
    "\"slot=1\" \"disk=ssd\"",
    "slot=1 disk=ssd",
    "a=b=c",
    "slot=",
    "slot=1 # one",
    "host=%H",
    "true",
    "YES",
    "0",
    "ture",
    "",
    "0123456789abcdef",
    "*",
    "\"",
];

fn wants(world: &World, name: &str) -> BTreeMap<String, Names> {
    let workload = world.workloads.iter().find(|w| w.name == name).unwrap();
    // The rules of the units that it follows come after its own rules.
    let own = workload.wants.iter().chain(workload.members.iter().flat_map(|m| &m.wants));
    own.filter(|w| w.key != "MachineID")
        .map(|w| (w.key.clone(), w.values.iter().cloned().collect()))
        .collect()
}

#[test]
fn reader_and_simulator_agree_on_every_unit() {
    let mut random = Random(0xF1EE_7F1E_E7F1_EE77);
    let (mut refused, mut stuck, mut free) = (0, 0, 0);
    for _ in 0..4000 {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for name in ["db@1.service", "db@2.service", "db-log@1.service", "web.service"] {
            let lines: String = (0..random.below(4))
                .map(|_| format!("{}={}\n", random.pick(&KEYS), random.pick(&VALUES)))
                .collect();
            texts.insert(name.into(), format!("[Service]\nExecStart=/bin/true\n[X-Fleet]\n{lines}"));
        }
        let files: Vec<File> = texts.iter().map(|(path, text)| File { path, text }).collect();
        let world = fleet::read(&files, Images::builtin());
        let mut set = Units::new();
        for (name, text) in &texts {
            let found = world.findings.iter().find(|f| f.code == "file-refused" && *f.at[0].file == **name);
            let error = found.map(|f| f.message.replace(&format!("fleet refuses {name}: "), ""));
            match accept(name, text, Version::V1_0) {
                Err(expected) => {
                    assert_eq!(error, Some(expected), "{text}");
                    refused += 1;
                }
                Ok(unit) => {
                    assert_eq!(error, None, "{text}");
                    set.insert(name.clone(), unit);
                }
            }
        }
        assert_eq!(world.workloads.len(), set.len());
        for (name, unit) in &set {
            let workload = world.workloads.iter().find(|w| w.name == *name).unwrap();
            assert_eq!(workload.kind.per_node(), unit.is_global(), "{:?}", texts[name]);
            let ids: Vec<&String> =
                workload.wants.iter().filter(|w| w.key == "MachineID").flat_map(|w| &w.values).collect();
            assert_eq!(ids, unit.machine_ids().iter().take(1).collect::<Vec<_>>());
            if unit.peers().is_empty() {
                assert_eq!(wants(&world, name), unit.demands(), "{:?}", texts[name]);
                let globs = |globs: Vec<String>| -> Names {
                    globs.into_iter().filter(|g| text::glob(g).is_some()).collect()
                };
                let own = workload.apart.iter().map(|a| match &a.whom {
                    Whom::Units(glob) => glob.clone(),
                    Whom::Pods { .. } => panic!("{a:?}"),
                });
                assert_eq!(globs(own.collect()), globs(unit.conflicts()), "{:?}", texts[name]);
            }
            // A unit that follows a missing unit is listed and not judged.
            let crew = crew(unit, &set);
            let there = crew.values().flat_map(Unit::peers).all(|peer| crew.contains_key(&peer));
            let never = world.findings.iter().filter(|f| f.code == "update-stuck").any(|f| {
                f.message.ends_with(&format!("fleet never runs {name}"))
                    || f.message.starts_with(&format!("{name} waits"))
            });
            let plain = |u: &Unit| {
                let literal = u.demands().values().flatten().any(|value| value.contains('%'));
                !literal && u.machine_ids().is_empty() && !follows(u, u, &set)
            };
            if there && !never && !set.values().any(Unit::is_global) && crew.values().all(plain) {
                assert!(can_run(unit, &crew, &set), "{name} of {texts:#?}");
                free += 1;
            }
            if never {
                assert!(!can_run(unit, &crew, &set), "{texts:#?}");
                stuck += 1;
            }
        }
    }
    assert!(refused > 1000 && stuck > 50 && free > 1000, "{refused} {stuck} {free}");
}

/// Returns whether a unit follows itself through other units. fleet then runs none of them.
fn follows(unit: &Unit, whom: &Unit, set: &Units) -> bool {
    let peers = unit.peers().into_iter().filter_map(|peer| find(set, &peer));
    peers.into_iter().any(|peer| crew(&peer, set).contains_key(&whom.name))
}

#[test]
fn reader_and_simulator_agree_on_globs() {
    let mut random = Random(0x6100_B5EE_D610_0B5E);
    let pieces = [
        "a", "b", "@", "1", ".service", "*", "?", "[ab]", "[^a]", "[1-3]", "\\", "[", "]", "-", "\\-", "x2d",
    ];
    let names = ["a", "b", "@", "1", "2", ".service", "-", "\\x2d"];
    let mut hits = 0;
    for _ in 0..50_000 {
        let mut join =
            |all: &[&str], n: usize| (0..random.below(n)).map(|_| random.pick(all)).collect::<String>();
        let (pattern, name) = (join(&pieces, 6), join(&names, 5));
        assert_eq!(glob::matches(&pattern, &name), matches(&pattern, &name), "{pattern} {name}");
        hits += usize::from(matches(&pattern, &name));
    }
    assert!(hits > 500, "{hits}");
}
