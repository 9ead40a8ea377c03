//! Malformed and contradictory specs: `tests/bad/CODE[.variant].{yaml,toml}`, or a folder with that
//! name for errors across specs. Each must be rejected with its code, at its place.

use std::collections::BTreeSet;
use std::path::PathBuf;

use berthc::Severity;
use berthc::code::Code;

use crate::harness::{self, berthc, golden, root};

fn cases() -> Vec<(String, PathBuf)> {
    let mut all: Vec<_> = std::fs::read_dir(root().join("tests/bad"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| (p.file_name().unwrap().to_string_lossy().replace(".yaml", ""), p))
        .collect();
    all.sort();
    all
}

/// Returns `CODE` of `CODE.variant`. Gaps have the name `gap.TARGET-FIELD`.
fn code(name: &str) -> &str {
    name.split('.').next().unwrap()
}

#[test]
fn every_bad_spec_is_refused_with_its_code() {
    for (name, path) in cases() {
        let relative = path.strip_prefix(root()).unwrap();
        let out = tempfile::tempdir().unwrap();
        let run = berthc(&["compile".as_ref(), relative.as_os_str(), "-o".as_ref(), out.path().as_os_str()]);
        let text = harness::stderr(&run);
        assert_eq!(run.status.code(), Some(1), "{name}: {text}");
        assert_eq!(harness::walk(out.path()), Vec::<PathBuf>::new(), "{name} wrote something");
        if code(&name) != "gap" {
            let wanted = format!("[{}]", code(&name));
            assert!(text.contains(&wanted), "{name} lacks {wanted}:\n{text}");
        }
        golden("errors", &name, &text);
    }
}

/// A line to write has no placeholder, because berthc would refuse it.
#[test]
fn lines_to_write_have_no_placeholders() {
    for path in harness::walk(&root().join("golden/errors")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for help in text.lines().filter(|line| line.starts_with("help: ")) {
            let blank = ["…", "...", "LABEL", "my-"].into_iter().find(|blank| help.contains(blank));
            assert_eq!(blank, None, "{}: {help}", path.display());
        }
    }
}

/// A pin is told once, with all gaps that it closes and the gap that it opens.
#[test]
fn one_cause_is_one_error() {
    let text = std::fs::read_to_string(root().join("tests/bad/gap.swarm-data-partition.yaml")).unwrap();
    let (_, found) = harness::compile(&[("db.yaml", &text)]);
    let pins: Vec<_> =
        found.iter().filter(|d| d.fixes.iter().any(|fix| fix.line.contains("pin: db"))).collect();
    assert_eq!(pins.len(), 1, "{found:#?}");
    let also =
        "fleet/data/reboot fleet/data/update swarm/data/partition swarm/data/reboot swarm/data/revisions";
    assert_eq!((&*pins[0].code, pins[0].also.join(" ").as_str()), ("fleet/data/partition", also));
    assert!(pins[0].why.iter().any(|why| why == "with pins, the gap fleet/data/relabel opens"));
}

/// A help names the block that the spec has, and never lowers what stands there.
#[test]
fn a_help_says_under_which_block_it_goes() {
    let text = std::fs::read_to_string(root().join("golden/errors/gap.swarm-data-partition.snap")).unwrap();
    assert!(
        text.contains("help: pin each member to one node on Swarm, under `targets.swarm`:   pin: db\n"),
        "{text}"
    );
    assert!(!text.contains("targets: {"), "{text}");
}

/// Errors that follow from a line and that its words tell: a lock needs `command`, and what members of
/// nodes have for paths is not what numbered members need.
const BRINGS: [(&str, &str); 4] = [
    ("gap.swarm-data-relabel", "guard-shape"),
    ("members-shape.neither", "member-field"),
    ("id-per-node", "host-without-id"),
    ("id-per-node", "missing"),
];

/// The blocks of a spec that a line of a help adds to. Other lines stand deeper.
const BLOCKS: [&str; 9] =
    ["targets", "members", "exclusive", "health", "stop", "update", "user", "image", "labels"];

/// Pastes each line of each help into its spec: that leads to no error that was not told before.
#[test]
fn a_help_that_is_pasted_leads_to_no_further_error() {
    let key = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    let (mut wrong, mut pasted) = (Vec::new(), 0);
    for (name, path) in cases().into_iter().filter(|(_, path)| path.extension().is_some_and(|e| e == "yaml"))
    {
        let text = std::fs::read_to_string(&path).unwrap();
        let (_, found) = harness::compile(&[("db.yaml", &text)]);
        let told: BTreeSet<&str> =
            found.iter().flat_map(|d| d.also.iter().map(String::as_str).chain([&*d.code])).collect();
        for fix in found.iter().flat_map(|d| &d.fixes) {
            let block = key(&fix.line);
            // A list of lines to choose from, and a key to rename, are no lines to add.
            if !BLOCKS.contains(&&*block) || fix.line.contains("   ") || fix.text == "did you mean" {
                continue;
            }
            pasted += 1;
            let replaced = fix.text.contains("in place of");
            let kept = text.lines().filter(|line| !replaced || key(line) != block);
            let kept: String = kept.map(|line| format!("{line}\n")).collect();
            let files = harness::Memory([("bad.yaml".to_owned(), kept.into_bytes())].into());
            let line = format!("base: bad.yaml\n{}\n", fix.line);
            let inputs = [berthc::Input { path: "db.yaml".into(), text: line }];
            let after = berthc::compile(&inputs, &files, &berthc::Options::default()).diagnostics;
            let new = after.iter().filter(|d| d.severity == Severity::Error).map(|d| &*d.code);
            let says = |code: &&str| {
                fix.text.contains(code) || found.iter().flat_map(|d| &d.why).any(|why| why.contains(code))
            };
            let new =
                new.filter(|code| !told.contains(code) && !says(code) && !BRINGS.contains(&(&name, code)));
            wrong.extend(new.map(|code| format!("{name}: {}: {} -> {code}", fix.text, fix.line)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(pasted > 20, "only {pasted} lines were pasted");
}

/// Codes that need more than a file. Other tests cover them.
const BY_HAND: [Code; 18] = [
    Code::TooLarge,
    Code::FileTooLarge,
    Code::Template,
    Code::OutputBreaks,
    // In `overlays.rs`, `change` and `check.rs`.
    Code::SetShape,
    Code::SetNowhere,
    Code::ApplyRefused,
    Code::VolumeShrinks,
    Code::DataLeft,
    Code::LeftBehind,
    Code::RevisionLeftOut,
    // In `pipeline.rs`.
    Code::SpecUnread,
    // Warnings and notes, in `compile/notes.rs`.
    Code::FileNotRendered,
    Code::ArgumentLoops,
    Code::ImageFloats,
    Code::NoResources,
    Code::NoUser,
    Code::LayerLost,
];

#[test]
fn every_code_has_a_bad_spec() {
    let shown: BTreeSet<String> = cases().iter().map(|(name, _)| code(name).to_owned()).collect();
    let missing: Vec<&str> = Code::ALL
        .iter()
        .filter(|c| !BY_HAND.contains(c))
        .map(|c| c.as_str())
        .filter(|c| !shown.contains(*c))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|c| c.as_str()).collect();
    assert_eq!(codes.len(), Code::ALL.len(), "two codes of one name");
    for code in Code::ALL {
        let name = code.as_str();
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{name}");
        assert!(!code.explanation().trim().is_empty(), "{name}");
    }
}

fn codes(specs: &[(&str, &str)]) -> Vec<String> {
    harness::compile(specs).1.into_iter().map(|d| d.code.into_owned()).collect()
}

#[test]
fn a_spec_that_is_too_large_is_refused() {
    let long = format!("service: db\n# {}\n", "x".repeat(5 << 20));
    assert_eq!(codes(&[("db.yaml", &long)]), ["too-large"]);
    let many = format!("service: db\nargs: [{}]\n", "a,".repeat(300_000));
    assert_eq!(codes(&[("db.yaml", &many)]), ["too-large"]);
    let many = format!("service = \"db\"\nargs = [{}]\n", "1,".repeat(300_000));
    assert_eq!(codes(&[("db.toml", &many)]), ["too-large"]);
}

#[test]
fn a_file_that_is_too_large_for_a_config_is_refused() {
    let text = format!(
        "service: db\nimage: db:1\nmembers: {{ count: 1 }}\nfiles: {{ /etc/x: {{ content: \"{}\" }} }}\n\
         targets: {{ kubernetes: {{ version: \"1.34\", namespace: db }} }}\n",
        "x".repeat(600 << 10)
    );
    assert_eq!(codes(&[("db.yaml", &text)]), ["file-too-large"]);
}

#[test]
fn errors_with_one_fix_are_merged() {
    let text = "service: db\nimage: db:1\nmembers: { count: 1 }\n\
                env: { A: \"{{ service ~ 1 }}\", B: \"{{ service ~ 2 }}\", C: \"{{ service ~ 3 }}\" }\n\
                targets: { kubernetes: { version: \"1.34\", namespace: db } }\n";
    let (_, found) = harness::compile(&[("db.yaml", text)]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].related.len(), 2);
}

/// The same spec in both languages has the same errors, with the same messages.
#[test]
fn yaml_and_toml_have_the_same_errors() {
    let yaml = std::fs::read_to_string(root().join("tests/bad/wrong-type.both.yaml")).unwrap();
    let toml = std::fs::read_to_string(root().join("tests/bad/wrong-type.both.toml")).unwrap();
    let said = |path: &str, text: &str| {
        let (_, found) = harness::compile(&[(path, text)]);
        found.into_iter().map(|d| (d.code, d.message)).collect::<Vec<_>>()
    };
    let (yaml, toml) = (said("db.yaml", &yaml), said("db.toml", &toml));
    assert!(yaml.len() >= 8, "{yaml:#?}");
    assert_eq!(yaml, toml);
}

/// A custom template that causes an update that never finishes: the port keeps the new task away,
/// and the old task stays until the new one runs.
#[test]
fn output_that_custom_templates_break_is_refused() {
    let (name, text) = berthc::emit::templates().find(|t| t.0 == "swarm/stack.yml.j2").unwrap();
    let broken = text.replace("order: {{ s.deploy.update.order }}", "order: start-first");
    assert_ne!(broken, text);
    let mut options = berthc::Options::default();
    options.templates.insert(name.to_owned(), broken);
    let spec = "service: db\nimage: db:1\nmembers: { count: 2, pin: db }\nstop: { grace: 30s }\n\
                exclusive:\n  data: { data: { mount: /data, host: \"/mnt/d1/db-{{ member.id }}\" } }\n  \
                ports: { main: 5432 }\ntargets: { swarm: { engine: \"20.10\", network: db } }\n";
    let (_, found) = harness::compile_with(&[("db.yaml", spec)], &options);
    let breaks = found.iter().find(|d| d.code == "output-breaks").unwrap_or_else(|| panic!("{found:#?}"));
    assert!(breaks.message.ends_with("(update-stuck)"), "{}", breaks.message);
    assert!(breaks.why[0].contains("a new description of db-0 is deployed"), "{}", breaks.why[0]);
}
