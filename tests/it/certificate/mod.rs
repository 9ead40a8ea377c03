//! Tests the certificate: its gaps when a rule is missing, and that it covers every cell.

mod duties;
mod mutants;
mod shapes;

use std::collections::BTreeMap;

use berthc::certificate::{Certificates, Part, Verdict};
use berthc::model::Model;
use berthc::{Diagnostic, Input, Options, Severity, Target, Tree};

use crate::harness::Memory;

/// Returns the result of one compile of `specs`.
pub fn compiled(specs: &[String], options: &Options) -> berthc::Compiled {
    let input = |(i, text): (usize, &String)| Input { path: format!("s{i}.yaml"), text: text.clone() };
    let inputs: Vec<Input> = specs.iter().enumerate().map(input).collect();
    berthc::compile(&inputs, &Memory::default(), options)
}

/// Returns the codes of the errors, in order.
pub fn errors(all: &[Diagnostic]) -> Vec<String> {
    let errors = all.iter().filter(|d| d.severity == Severity::Error);
    let mut names: Vec<String> = errors.map(|d| d.code.to_string()).collect();
    names.sort();
    names.dedup();
    names
}

/// Returns the part of the first service for `target`.
pub fn part(certificates: &Certificates, target: Target) -> &Part {
    certificates.parts(0).iter().find(|p| p.target == target).unwrap()
}

/// Returns a verdict as text, without the mechanisms that still hold.
pub fn say(verdict: &Verdict) -> String {
    let words = |all: &[&berthc::mechanism::Mechanism]| {
        let mut words: Vec<&str> = all.iter().map(|m| m.id).collect();
        words.sort_unstable();
        words.join(" ")
    };
    match verdict {
        Verdict::Held { lost, .. } if lost.is_empty() => "held".into(),
        Verdict::Held { lost, .. } => format!("lost {}", words(lost)),
        Verdict::Gap { open, lost, .. } => {
            format!("GAP {}: {}", open.join(", "), words(lost))
        }
        Verdict::Duty => "duty".into(),
        Verdict::AsData => "as data".into(),
        Verdict::Never(why) => format!("never: {why}"),
    }
}

/// Returns the cells of `after` that differ from `before`, by their verdict.
pub fn changes(before: &Part, after: &Part) -> Vec<String> {
    let mut found: BTreeMap<(usize, String), Vec<&str>> = BTreeMap::new();
    for (old, new) in before.cells.iter().zip(&after.cells) {
        assert_eq!((old.resource, old.hazard), (new.resource, new.hazard));
        if say(&old.verdict) != say(&new.verdict) {
            let key = (old.resource as usize, say(&new.verdict));
            found.entry(key).or_default().push(old.hazard.name());
        }
    }
    let resource = |i: usize| berthc::certificate::Resource::ALL[i].name();
    found.into_iter().map(|((r, said), at)| format!("{} {}: {said}", resource(r), at.join(" "))).collect()
}

/// Returns the certificate of a changed tree.
pub fn page(model: &Model, certificates: &Certificates, gaps: &[(usize, berthc::gap::Gap)]) -> Tree {
    let mut out = Vec::new();
    let printer = berthc::emit::Printer::new(&Options::default(), &mut out);
    let tree = printer.print(&certificates.pages(model, &model.all(), gaps), &mut out);
    assert!(out.is_empty(), "{out:?}");
    tree
}

/// Tests a stack file without a port of the node, with volumes that fence only while the node is
/// connected.
#[test]
fn a_gap_found_in_the_files_has_a_message_of_its_own() {
    let spec = r#"
service: db
image: db:1
members: { count: 1 }
exclusive:
  data: { data: { mount: /data, volume: { backend: gce-pd, size: 1Gi, zones: [a] } } }
  ports: { http: 5000 }
targets: { swarm: { engine: "20.10", network: net } }
"#;
    let stack = "swarm/stack.yml.j2";
    let text = berthc::emit::templates().find(|(name, _)| *name == stack).unwrap().1;
    let mut options = Options::default();
    options.templates.insert(stack.into(), text.replace("        mode: host", "        mode: ingress"));
    let said = compiled(&[spec.to_owned()], &options).diagnostics;
    let of = |code: &str| said.iter().find(|d| d.code == code).unwrap_or_else(|| panic!("{code}: {said:#?}"));
    let (planned, open) = (of("swarm/data/move"), of("swarm/data/partition"));
    assert!(planned.message.contains("empty volume"), "{planned:#?}");
    assert!(open.message.contains("when a node is cut off") && open.why[0].contains("`port`"), "{open:#?}");
    let unsaid = said.iter().flat_map(|d| &d.why).find(|why| why.trim_end().ends_with(':'));
    assert_eq!(unsaid, None, "a note says what it is of");
}
