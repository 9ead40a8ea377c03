//! Seeded faults: each rule is removed from the emitted files, alone and together with the other
//! rules of its cell. Without all of them, the search must find a story. Without one of several,
//! the search or the certificate must note it.

use std::collections::BTreeMap;

use berthc::Target;
use berthc::certificate::{Verdict, certify_tree};
use serde::Deserialize;

use super::agreement::{contradicted, gaps};
use super::*;

/// A table of faults: `tests/it/verify/TARGET.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    /// The spec, by its name in `specs.toml`.
    of: String,
    edits: Vec<Edit>,
    /// The codes of every violation.
    #[serde(default)]
    breaks: BTreeSet<String>,
    /// The codes of every note.
    #[serde(default)]
    notes: BTreeSet<String>,
    /// The reason why neither the search nor the certificate reports it.
    silent: Option<String>,
    /// The cell that breaks although the certificate calls it protected, and the reason.
    disputed: Option<Disputed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disputed {
    codes: BTreeSet<String>,
    because: String,
}

/// A part of a file, and the replacement.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    from: String,
    to: String,
    /// The end of the paths of the changed files.
    #[serde(default)]
    only: String,
}

fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let path = root().join("tests/it/verify").join(name);
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Returns the compiled specs by name. A spec with a revision is compiled together with the next
/// revision.
fn sources() -> BTreeMap<String, Compiled> {
    let specs: BTreeMap<String, String> = read("specs.toml");
    let compile = |text: String| {
        let mut inputs = vec![Input { path: "db.yaml".into(), text }];
        if inputs[0].text.contains("revision: v1") {
            let text = inputs[0].text.replace("revision: v1", "revision: v2");
            inputs.push(Input { path: "db.v2.yaml".into(), text });
        }
        berthc::compile(&inputs, &crate::harness::Memory::default(), &Options::default())
    };
    specs.into_iter().map(|(name, text)| (name, compile(text))).collect()
}

/// Returns the files of `target` with the edits of `mutant`. Each edit must change a file.
fn mutate(mutant: &Mutant, target: Target, tree: &Tree) -> Tree {
    let folder = format!("/{}/", target.name());
    let mut tree: Tree =
        tree.iter().filter(|(p, _)| p.contains(&folder)).map(|(p, t)| (p.clone(), t.clone())).collect();
    for Edit { from, to, only } in &mutant.edits {
        let mut found = false;
        for (_, text) in tree.iter_mut().filter(|(path, _)| path.ends_with(only.as_str())) {
            found |= text.contains(from);
            *text = text.replace(from, to);
        }
        assert!(found, "{}: no file of {} has\n{from}", mutant.name, target.name());
    }
    tree
}

/// Returns the verdict of a cell in short: held, with the lost mechanisms; open; or not applicable.
fn standing(verdict: &Verdict) -> (bool, usize) {
    match verdict {
        Verdict::Held { lost, .. } => (true, lost.len()),
        Verdict::Gap { lost, .. } => (false, lost.len()),
        _ => (true, 0),
    }
}

/// Returns what is wrong with a story: no steps, a place that does not exist, no last sentence.
fn faults(finding: &Finding, tree: &Tree) -> Vec<String> {
    let places = finding.at.iter().chain(finding.story.iter().filter_map(|e| e.at.as_ref()));
    let lines = |file: &str| tree.get(file).map_or(0, |text| text.lines().count());
    let mut wrong: Vec<String> = places
        .filter(|at| at.line == 0 || at.line > lines(&at.file))
        .map(|at| format!("no line {}:{}", at.file, at.line))
        .collect();
    let searched = matches!(finding.code, FindingId::Cell(_));
    if searched && finding.story.len() < 2 || finding.story.iter().any(|e| e.words.trim().is_empty()) {
        wrong.push("no story".into());
    }
    if finding.fix.trim().is_empty() || finding.at.is_empty() {
        wrong.push("nothing to fix".into());
    }
    wrong.into_iter().map(|w| format!("{w}\n{}", told(finding))).collect()
}

fn judge(target: Target, least: usize) {
    let table: Table = read(&format!("{}.toml", target.name()));
    let sources = sources();
    let mut wrong = Vec::new();
    for mutant in &table.mutant {
        let source = &sources[&mutant.of];
        let whole =
            source.tree.as_ref().unwrap_or_else(|| panic!("{}: {:#?}", mutant.of, source.diagnostics));
        let tree = mutate(mutant, target, whole);
        let mut found = verified(&tree, "", 2, false);
        // The files leave Secrets, classes and networks to others.
        found.findings.retain(|finding| finding.code != FindingId::Code(berthc::finding::codes::OUTSIDE));
        let name = &mutant.name;
        let (breaks, notes) = (codes(&found.findings, Level::Violation), codes(&found.findings, Level::Note));
        if breaks != mutant.breaks {
            let stories: Vec<String> = found.findings.iter().map(told).collect();
            wrong.push(format!("{name}: breaks {breaks:?}, not {:?}\n{}", mutant.breaks, stories.concat()));
        }
        if notes != mutant.notes {
            wrong.push(format!("{name}: notes {notes:?}, not {:?}", mutant.notes));
        }
        for finding in &found.findings {
            wrong.extend(faults(finding, &tree).into_iter().map(|w| format!("{name}: {w}")));
        }
        // The certificate of the same files calls no broken cell protected, and reports the removed
        // mechanism.
        let certificates = certify_tree(&source.model, &source.model.all(), &tree, []);
        let services = source.model.services().count();
        let parts = |all: &berthc::certificate::Certificates| -> Vec<berthc::certificate::Part> {
            (0..services).flat_map(|i| all.parts(i).to_vec()).filter(|p| p.target == target).collect()
        };
        let (before, after) = (parts(&source.certificates), parts(&certificates));
        // It is enough if one of two revisions calls it a gap, because then no file is written.
        let said: BTreeSet<String> = after.iter().flat_map(|p| gaps(p, &breaks)).collect();
        let disputed: BTreeSet<String> =
            after.iter().flat_map(|p| contradicted(p, &breaks)).filter(|code| !said.contains(code)).collect();
        let listed = mutant.disputed.as_ref().map(|d| d.codes.clone()).unwrap_or_default();
        if disputed != listed || mutant.disputed.as_ref().is_some_and(|d| d.because.is_empty()) {
            wrong.push(format!("{name}: disputed {disputed:?}, not {listed:?}"));
        }
        let cells = |all: &[berthc::certificate::Part]| -> Vec<(bool, usize)> {
            all.iter().flat_map(|p| &p.cells).map(|c| standing(&c.verdict)).collect()
        };
        let missed =
            !found.findings.is_empty() || !found.unread.is_empty() || cells(&before) != cells(&after);
        if missed == mutant.silent.is_some() {
            wrong.push(format!("{name}: missed by verify or certificate: {missed}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(table.mutant.len() >= least, "{} faults", table.mutant.len());
}

#[test]
fn faults_in_manifests_are_found() {
    judge(Target::Kubernetes, 20);
}

#[test]
fn faults_in_units_are_found() {
    judge(Target::Fleet, 20);
}

#[test]
fn faults_in_stack_files_are_found() {
    judge(Target::Swarm, 20);
}

#[test]
fn the_unchanged_files_have_no_findings() {
    for (name, source) in sources() {
        let tree = source.tree.as_ref().unwrap_or_else(|| panic!("{name}: {:#?}", source.diagnostics));
        let found = verified(tree, "", 3, false);
        whole(&found);
        assert!(found.holds(), "{name}: {:#?}", found.findings);
    }
}
