//! Tests the fleet target: an independent reader with the rules of systemd reads the units, the
//! simulator judges them by fleet's rules, and a real shell runs their scripts.

mod limits;
mod reader;
mod rules;
mod scripts;

use std::collections::BTreeMap;

use berthc::{Diagnostic, Options};

use crate::harness;
use crate::judges::fleet::{Version, judge};

/// The units by name.
pub type Units = BTreeMap<String, String>;

/// Returns a counted service with the fields of `more`; `DATA` is replaced by a pinned directory.
pub fn counted(more: &str) -> String {
    let base = "service: db\nimage: r.io/db:1\ntargets: { fleet: { version: \"1.0.0\" } }\n";
    format!("{base}{more}\n")
        .replace("DATA", "data: { data: { mount: /data, host: \"/mnt/d1/db-{{ member.id }}\" } }")
}

/// Returns a `per: node` service.
pub fn per_node(more: &str) -> String {
    counted(&format!("revision: v1\nmembers: {{ per: node, on: {{ db: \"true\" }} }}\n{more}"))
}

/// Returns the units of `specs`, and the diagnostics.
pub fn compile_all(specs: &[&str]) -> (Units, Vec<Diagnostic>) {
    compile_with(specs, &Options::default())
}

/// Returns the same as [`compile_all`], with options.
pub fn compile_with(specs: &[&str], options: &Options) -> (Units, Vec<Diagnostic>) {
    let names: Vec<String> = (0..specs.len()).map(|i| format!("s{i}.yaml")).collect();
    let inputs: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(specs.iter().copied()).collect();
    let (tree, said) = harness::compile_with(&inputs, options);
    let units = tree.unwrap_or_default().into_iter().filter_map(|(path, text)| {
        path.contains("/fleet/").then(|| (path.rsplit('/').next().unwrap().to_owned(), text))
    });
    (units.collect(), said)
}

/// Returns the units of valid specs.
pub fn units(specs: &[&str]) -> Units {
    let (units, said) = compile_all(specs);
    assert!(!units.is_empty(), "{said:#?}");
    assert_eq!(judge(&units, Version::V1_0), [""; 0]);
    units
}

/// Returns the codes of the diagnostics.
pub fn codes(specs: &[&str]) -> Vec<String> {
    compile_all(specs).1.into_iter().flat_map(|d| [d.code.into_owned()].into_iter().chain(d.also)).collect()
}

#[test]
fn the_simulator_accepts_every_emitted_unit_and_ignores_no_line() {
    let all: Vec<(String, String)> = harness::walk(&harness::root().join("specs"))
        .into_iter()
        .map(|p| (p.to_string_lossy().into_owned(), std::fs::read_to_string(&p).unwrap()))
        .collect();
    let specs: Vec<(&str, &str)> = all.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let (tree, said) = harness::compile(&specs);
    let tree = tree.unwrap_or_else(|| panic!("{said:#?}"));
    let units: Units = tree
        .into_iter()
        .filter(|(path, _)| path.contains("/fleet/"))
        .map(|(path, text)| (path.rsplit('/').next().unwrap().to_owned(), text))
        .collect();
    assert_eq!(units.len(), 30);
    assert_eq!(judge(&units, Version::V1_0), [""; 0]);
    for text in units.values() {
        assert!(text.ends_with('\n') && !text.contains("\n\n\n") && !text.contains(" \n"), "{text}");
    }
}
