//! Tests changes that leave data behind: each is an error with the steps of each target, until the
//! move is recorded.

use std::collections::BTreeSet;
use std::fs;

use berthc::spec::allowed::MOVES;
use berthc::{Compiled, Input, Options, Severity, change};

use crate::harness::{Memory, berthc_in, files, golden, stderr, stdout};

const VOLUME: &str = "service: kv\nimage: kv:1\nmembers: { count: 3 }\nexclusive:\n  data:\n    \
    js: { mount: /data, volume: { backend: aws-ebs, size: 10Gi, class: gp3 } }\n\
    targets: { kubernetes: { version: \"1.34\", namespace: app } }\n";

const PINNED: &str = "service: db\nimage: db:1\nmembers: { count: 3, pin: db }\nexclusive:\n  data:\n    \
    data: { mount: /data, host: \"/mnt/d1/db-{{ member.id }}\", size: 1Gi }\n  ports: { client: 5000 }\n\
    targets:\n  kubernetes: { version: \"1.34\", namespace: app }\n  fleet: { version: \"1.0.0\" }\n  \
    swarm: { engine: \"20.10\", network: net }\n";

const PER_NODE: &str = "service: es\nrevision: v1\nimage: es:1\nmembers: { per: node, on: { es: \"true\" } }\n\
    exclusive: { data: { data: { mount: /data, host: /mnt/d1/es } }, ports: { http: 9200 } }\n\
    targets: { fleet: { version: \"1.0.0\" }, kubernetes: { version: \"1.34\", namespace: app } }\n";

/// Compiles without the search, which does not concern changes.
fn compile(specs: &[&str]) -> Compiled {
    let input = |(i, text): (usize, &&str)| Input { path: format!("s{i}.yaml"), text: (*text).into() };
    let inputs: Vec<Input> = specs.iter().enumerate().map(input).collect();
    let options = Options { skip_search: true, ..Options::default() };
    let compiled = berthc::compile(&inputs, &Memory::default(), &options);
    assert!(compiled.tree.is_some(), "{:#?}", compiled.diagnostics);
    compiled
}

/// Returns the severity, the message and the help texts of each `data-left` between two specs.
fn between(old: &str, new: &str, accepted: &[&str]) -> Vec<(Severity, String, Vec<String>)> {
    let (old, new) = (compile(&[old]), compile(&[new]));
    let accepted: BTreeSet<String> = accepted.iter().map(|a| (*a).to_owned()).collect();
    let found = change::judge(&new.model, &old.tree.unwrap(), new.tree.as_ref().unwrap(), &accepted);
    let left = found.into_iter().filter(|d| d.code == "data-left");
    left.map(|d| (d.severity, d.message, d.fixes.into_iter().map(|f| f.text).collect())).collect()
}

/// Returns the name of the change in the help texts.
fn name(helps: &[String]) -> &str {
    let mut names = helps.iter().filter_map(|help| help.split("--accept-change ").nth(1));
    names.next().unwrap_or_else(|| panic!("{helps:?}")).split(' ').next().unwrap()
}

#[test]
fn each_change_that_leaves_data_behind_is_an_error_with_its_name() {
    let mut kinds = BTreeSet::new();
    for (spec, from, to, wanted, targets) in [
        (VOLUME, "js:", "store:", "kv/data/js", 1),
        (VOLUME, "gp3", "gp4", "kv/class/gp3", 1),
        (VOLUME, "aws-ebs", "gce-pd", "kv/backend/aws-ebs", 1),
        (VOLUME, ", class: gp3", "", "kv/class/gp3", 1),
        (VOLUME, "namespace: app", "namespace: other", "kv/namespace/app", 1),
        (VOLUME, "count: 3", "count: 1", "kv/members/1-2", 1),
        (VOLUME, "count: 3", "count: 3, first: 2", "kv/members/0-1", 1),
        (PINNED, "count: 3", "count: 2", "db/members/2", 3),
        (PINNED, "count: 3", "count: 3, first: 1", "db/members/0", 3),
        (PINNED, "pin: db", "pin: disk", "db/pin/db", 3),
        (PINNED, "/mnt/d1/db-", "/mnt/d2/db-", "db/host/mnt/d1/db-*", 3),
        (PINNED, "  fleet: { version: \"1.0.0\" }\n", "", "db/target/fleet", 1),
        (PINNED, "namespace: app", "namespace: other", "db/namespace/app", 1),
        (PINNED, "namespace: app", "namespace: app, access: ReadWriteOncePod", "db/access/ReadWriteOnce", 1),
        (PER_NODE, "/mnt/d1/es", "/mnt/d2/es", "es/host/mnt/d1/es", 2),
        (PER_NODE, "es: \"true\"", "search: \"true\"", "es/pin/es", 2),
    ] {
        let new = spec.replace(from, to);
        assert_ne!(new, spec);
        let found = between(spec, &new, &[]);
        let [(severity, message, helps)] = found.as_slice() else { panic!("{wanted}: {found:#?}") };
        assert_eq!((*severity, name(helps)), (Severity::Error, wanted), "{message}");
        // The access mode has the lines of both ways.
        let lines = if wanted.contains("/access/") { 2 } else { 0 };
        assert_eq!(helps.len(), targets + 1 + lines, "one help for each target: {helps:#?}");
        kinds.insert(wanted.split('/').nth(1).unwrap().to_owned());
        // Only the name of the change accepts it.
        let accepted = between(spec, &new, &[wanted]);
        assert_eq!(accepted[0].0, Severity::Warning, "{wanted}");
        assert_eq!(accepted[0].2[..], helps[..targets], "an accepted change still has its steps");
        assert_eq!(between(spec, &new, &["kv/data/other", "db/data/x"])[0].0, Severity::Error);
        let key = wanted.split_once('/').unwrap().1;
        let moved = format!("{new}moved: {{ \"{key}\": \"copied by hand\" }}\n");
        assert_eq!(between(spec, &moved, &[])[0].0, Severity::Warning, "{wanted}");
        // The entry may stay there, because it contains the old value.
        assert_eq!(between(&new, &moved, &[]), []);
    }
    // A renamed service is tested separately, because it needs the folders of OUT.
    kinds.insert("service".into());
    assert_eq!(kinds, MOVES.map(str::to_owned).into());
}

#[test]
fn changes_that_keep_the_data_are_no_error_and_waivers_accept_no_change() {
    for (spec, from, to) in [
        (VOLUME, "kv:1", "kv:2"),
        (VOLUME, "count: 3", "count: 5"),
        (VOLUME, "10Gi", "20Gi"),
        (PINNED, "client: 5000", "client: 5001"),
        // The directory of each node stays the same.
        (PINNED, "    data: {", "    store: {"),
        (PER_NODE, "revision: v1", "revision: v2"),
    ] {
        let new = spec.replace(from, to);
        assert_ne!(new, spec);
        assert_eq!(between(spec, &new, &[]), [], "{from} to {to}");
    }
}

/// kubernetes/kubernetes#141876: a set that adopts pods can never update those that mount other claims.
#[test]
fn pods_end_before_a_set_with_other_claims_is_created() {
    for (spec, from, to) in [(VOLUME, "js:", "store:"), (VOLUME, "namespace: app", "namespace: b")] {
        let help = between(spec, &spec.replace(from, to), &[])[0].2[0].clone();
        assert!(!help.contains("orphan"), "{help}");
        let mut rest = help.as_str();
        for step in
            ["scale statefulset/kv --replicas=0", "wait --for=delete pod/kv-$i", "delete statefulset/kv;"]
        {
            rest = rest.split_once(step).unwrap_or_else(|| panic!("{step} is not in {help}")).1;
        }
        for step in ["\"Retain\"", "delete pvc/js-kv-$i", "\"claimRef\"", "apply -k kv/kubernetes"] {
            rest = rest.split_once(step).unwrap_or_else(|| panic!("{step} is not in {help}")).1;
        }
    }
    // The claim template has another name, but the directory stays: no data is left behind, and the
    // steps still delete the pods.
    let (old, new) = (compile(&[PINNED]), compile(&[&PINNED.replace("    data: {", "    store: {")]));
    let found = change::judge(&new.model, &old.tree.unwrap(), new.tree.as_ref().unwrap(), &BTreeSet::new());
    let refused: Vec<_> = found.iter().filter(|d| d.code == "apply-refused").collect();
    assert!(refused.len() == 1 && !refused[0].fixes[0].text.contains("orphan"), "{found:#?}");
}

/// The steps of removed members have this order: leave the cluster, remove the container, remove
/// the data.
#[test]
fn the_steps_of_removed_members_are_in_order() {
    let helps = between(PINNED, &PINNED.replace("count: 3", "count: 2"), &[])[0].2.clone();
    for (help, steps) in helps.iter().zip([
        ["leave the cluster", "apply -k db/kubernetes", "delete pvc/data-db-2"],
        ["leave the cluster", "fleetctl destroy db@2.service", "remove their data"],
        ["leave the cluster", "docker service rm db_db-2", "remove their data"],
    ]) {
        let mut rest = help.as_str();
        for step in steps {
            rest = rest.split_once(step).unwrap_or_else(|| panic!("{step} is not in {help}")).1;
        }
    }
}

/// OUT may have files of the new name: those of another service that is gone.
#[test]
fn a_rename_to_the_name_of_another_service_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let other = VOLUME.replace("service: kv", "service: store").replace("kv:1", "store:1");
    files(
        root,
        &[
            ("berthc.toml", "specs = [\"*.yaml\"]\nout = \"out\"\n"),
            ("kv.yaml", VOLUME),
            ("store.yaml", &other),
        ],
    );
    assert!(berthc_in(root, &["compile"]).status.success());
    fs::remove_file(root.join("store.yaml")).unwrap();
    files(root, &[("kv.yaml", &other)]);
    let run = berthc_in(root, &["compile"]);
    assert!(
        run.status.code() == Some(1) && stderr(&run).contains("store had the name kv before"),
        "{}",
        stderr(&run)
    );
    let run = berthc_in(root, &["compile", "--accept-change", "store/service/kv"]);
    let said = stderr(&run);
    assert!(run.status.success() && said.contains("store had the name kv before"), "{said}");
    assert!(!said.contains("not judged"), "an accepted rename is judged: {said}");
    // The state of the accepted change is the older state now.
    let said = stderr(&berthc_in(root, &["compile"]));
    assert!(!said.contains("data-left") && !said.contains("not judged"), "{said}");
}

#[test]
fn the_program_writes_nothing_until_the_change_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let compile = ["compile", "kv.yaml", "-o", "out"];
    files(root, &[("kv.yaml", VOLUME)]);
    let run = berthc_in(root, &compile);
    assert!(
        stderr(&run).contains("changes not judged for 1 service without files in out"),
        "{}",
        stderr(&run)
    );
    assert!(!stderr(&berthc_in(root, &compile)).contains("judged"), "OUT has its files now");
    let quiet = berthc_in(root, &["compile", "kv.yaml", "-o", "new", "--quiet"]);
    assert_eq!(stderr(&quiet), "");
    fs::rename(root.join("out"), root.join("base")).unwrap();
    fs::rename(root.join("new"), root.join("out")).unwrap();

    files(root, &[("kv.yaml", &VOLUME.replace("js:", "store:"))]);
    let run = berthc_in(root, &compile);
    assert_eq!(run.status.code(), Some(1));
    golden("errors", "data-left", &stderr(&run));
    assert!(
        fs::read_to_string(root.join("out/kv/kubernetes/statefulset.yaml")).unwrap().contains("name: js")
    );
    assert_eq!(berthc_in(root, &["check", "kv.yaml", "-o", "out"]).status.code(), Some(2));
    let run = berthc_in(root, &[&compile[..], &["--accept-change", "kv/data/js"]].concat());
    assert!(run.status.success() && stderr(&run).contains("warning[data-left]"), "{}", stderr(&run));

    // OUT is the new state, and the older state has a revision.
    let check = ["check", "kv.yaml", "-o", "out"];
    assert!(berthc_in(root, &check).status.success());
    let against = |older: &str| berthc_in(root, &[&check[..], &["--against", older]].concat());
    assert_eq!(against("base").status.code(), Some(2), "{}", stderr(&against("base")));
    let git = |args: &[&str]| {
        let run = std::process::Command::new("git").args(args).current_dir(root).output().unwrap();
        assert!(run.status.success(), "{}", stderr(&run));
    };
    git(&["init", "-q"]);
    let author = ["-c", "user.name=a", "-c", "user.email=a@b"];
    git(&["add", "-A"]);
    git(&[&author[..], &["commit", "-qm", "one"]].concat());
    assert!(against("HEAD").status.success(), "{}", stderr(&against("HEAD")));
    files(root, &[("kv.yaml", &VOLUME.replace("js:", "third:"))]);
    let run = berthc_in(root, &[&compile[..], &["--accept-change", "kv/data/store"]].concat());
    assert!(run.status.success(), "{}", stderr(&run));
    let run = against("HEAD");
    assert!(run.status.code() == Some(2) && stderr(&run).contains("kv/data/store"), "{}", stderr(&run));
    for wrong in ["no-such", "--help"] {
        let run = berthc_in(root, &[&check[..], &[&format!("--against={wrong}")]].concat());
        assert_eq!(run.status.code(), Some(2));
        assert!(stderr(&run).contains(&format!("--against {wrong}: ")), "{}", stderr(&run));
    }
}

#[test]
fn a_renamed_service_is_found_by_its_spec_file() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    files(root, &[("kv.yaml", VOLUME)]);
    let compile = ["compile", "kv.yaml", "-o", "out"];
    assert!(berthc_in(root, &compile).status.success());
    files(root, &[("kv.yaml", &VOLUME.replace("service: kv", "service: store"))]);
    let run = berthc_in(root, &compile);
    assert!(run.status.code() == Some(1), "{}", stderr(&run));
    golden("errors", "data-left.service", &stderr(&run));
    let run = berthc_in(root, &[&compile[..], &["--accept-change", "store/service/kv"]].concat());
    assert!(run.status.success(), "{}", stderr(&run));
    // OUT now has both folders. If the specs are complete, the folder without a spec is extra.
    files(root, &[("specs/kv.yaml", &VOLUME.replace("service: kv", "service: store"))]);
    let run = berthc_in(root, &["check", "specs", "-o", "out"]);
    assert_eq!(run.status.code(), Some(1), "{}", stderr(&run));
    assert!(stderr(&run).contains(" extra in out"), "{}", stderr(&run));
    assert!(stdout(&run).contains("--- a/kv/kubernetes/statefulset.yaml\n+++ /dev/null\n"));
    assert!(berthc_in(root, &["check", "specs/kv.yaml", "-o", "out"]).status.success());
}
