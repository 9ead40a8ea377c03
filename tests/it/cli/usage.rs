//! Tests of the command line as a user sees it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::harness::{berthc, stderr, stdout, walk};

const SPEC: &str = "service: db\nimage: db:1\nmembers: { count: 1 }\n\
                    targets: { kubernetes: { version: \"1.34\", namespace: db } }\n";

#[test]
fn compile_writes_only_changed_files_and_each_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (spec, out) = (dir.path().join("db.yaml"), dir.path().join("out"));
    fs::write(&spec, SPEC).unwrap();
    let args = ["compile".as_ref(), spec.as_os_str(), "-o".as_ref(), out.as_os_str()];
    let first = berthc(&args);
    assert!(first.status.success(), "{}", stderr(&first));
    assert_eq!(stdout(&first), "");
    let files = walk(&out);
    assert!(files.len() >= 4);
    for file in &files {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o7777, 0o644, "{}", file.display());
        assert!(!file.file_name().unwrap().to_string_lossy().starts_with('.'));
    }
    let stamp = |f: &std::path::Path| fs::metadata(f).unwrap().modified().unwrap();
    let before: Vec<_> = files.iter().map(|f| stamp(f)).collect();
    let again = berthc(&args);
    assert!(stderr(&again).contains("wrote 0 files"), "{}", stderr(&again));
    assert_eq!(before, files.iter().map(|f| stamp(f)).collect::<Vec<_>>());

    fs::write(&spec, SPEC.replace("db:1", "db:2")).unwrap();
    let changed = berthc(&args);
    assert!(stderr(&changed).contains("wrote 1 file below"), "{}", stderr(&changed));
}

#[test]
fn an_error_leaves_the_output_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let (spec, out) = (dir.path().join("db.yaml"), dir.path().join("out"));
    fs::write(&spec, SPEC).unwrap();
    let args = ["compile".as_ref(), spec.as_os_str(), "-o".as_ref(), out.as_os_str()];
    assert!(berthc(&args).status.success());
    let read = || walk(&out).iter().map(|f| fs::read(f).unwrap()).collect::<Vec<_>>();
    let before = read();
    fs::write(&spec, SPEC.replace("count: 1", "count: 0").replace("db:1", "db:2")).unwrap();
    assert_eq!(berthc(&args).status.code(), Some(1));
    assert_eq!(read(), before);
    // A file where a folder must be: berthc does not change the other files either.
    fs::write(&spec, SPEC.replace("db:1", "db:2").replace("count: 1", "count: 2")).unwrap();
    let in_the_way = out.join("db/kubernetes/service.yaml");
    fs::remove_file(&in_the_way).unwrap();
    fs::create_dir(&in_the_way).unwrap();
    let before = walk(&out).iter().map(|f| fs::read(f).unwrap()).collect::<Vec<_>>();
    let run = berthc(&args);
    assert_eq!(run.status.code(), Some(2), "{}", stderr(&run));
    assert!(stderr(&run).contains("service.yaml is a folder"), "{}", stderr(&run));
    assert_eq!(walk(&out).iter().map(|f| fs::read(f).unwrap()).collect::<Vec<_>>(), before);
}

#[test]
fn files_that_no_spec_needs_any_more_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (spec, out) = (dir.path().join("db.yaml"), dir.path().join("out"));
    let text = SPEC.replace("targets: {", "targets: { fleet: { version: \"1.0.0\" },");
    let counted = |n: u32| text.replace("count: 1", &format!("count: {n}"));
    let args = ["compile".as_ref(), spec.as_os_str(), "-o".as_ref(), out.as_os_str()];
    fs::write(&spec, counted(3)).unwrap();
    assert!(berthc(&args).status.success());
    let (own, unit) = (out.join("db/fleet/notes.service"), out.join("db/fleet/db@2.service"));
    fs::write(&own, "# mine\n").unwrap();
    fs::write(&spec, counted(2)).unwrap();
    let run = berthc(&[&args[..], &["--target".as_ref(), "kubernetes".as_ref()]].concat());
    assert!(run.status.success() && unit.exists(), "another target's folder was touched");
    let run = berthc(&args);
    assert!(
        stderr(&run).contains("removed 1 file that no spec needs any more: db/fleet/db@2.service"),
        "{}",
        stderr(&run)
    );
    assert!(!unit.exists() && own.exists());
    fs::write(&spec, SPEC).unwrap();
    assert!(berthc(&args).status.success());
    assert_eq!(walk(&out.join("db/fleet")), [own]);
}

#[test]
fn target_limits_the_output() {
    let out = tempfile::tempdir().unwrap();
    let run = berthc(&[
        "compile".as_ref(),
        "specs".as_ref(),
        "-o".as_ref(),
        out.path().as_os_str(),
        "--target".as_ref(),
        "fleet".as_ref(),
    ]);
    assert!(run.status.success(), "{}", stderr(&run));
    let files = walk(out.path());
    assert!(!files.is_empty());
    let wanted =
        |f: &std::path::Path| f.parent().unwrap().ends_with("fleet") || f.ends_with("certificate.md");
    assert!(files.iter().all(|f| wanted(f)));
}

#[test]
fn bootstrap_is_emitted_only_on_request() {
    let out = tempfile::tempdir().unwrap();
    let spec = "specs/etcd.toml";
    let args = ["compile".as_ref(), spec.as_ref(), "-o".as_ref(), out.path().as_os_str()];
    assert!(berthc(&args).status.success());
    let all =
        |dir: &std::path::Path| walk(dir).iter().map(|f| fs::read_to_string(f).unwrap()).collect::<String>();
    let without = all(out.path());
    let more: [&std::ffi::OsStr; 2] = ["--bootstrap".as_ref(), "etcd".as_ref()];
    assert!(berthc(&[&args[..], &more[..]].concat()).status.success());
    let with = all(out.path());
    let wrong: [&std::ffi::OsStr; 2] = ["--bootstrap".as_ref(), "etdc".as_ref()];
    assert_eq!(berthc(&[&args[..], &wrong[..]].concat()).status.code(), Some(2));
    let first = |text: &str| text.matches("ETCD_INITIAL_CLUSTER_STATE").count();
    assert!(first(&with) > 0 && with != without);
}

#[test]
fn json_has_the_same_diagnostics_as_text() {
    let dir = tempfile::tempdir().unwrap();
    let spec = dir.path().join("db.toml");
    fs::write(&spec, "service = \"db\"\nimage = \"db:1\"\nport = 1\n").unwrap();
    let run = berthc(&[
        "compile".as_ref(),
        spec.as_os_str(),
        "-o".as_ref(),
        dir.path().as_os_str(),
        "--format".as_ref(),
        "json".as_ref(),
    ]);
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(stderr(&run), "");
    let said: serde_json::Value = serde_json::from_str(&stdout(&run)).unwrap();
    let found = said["diagnostics"].as_array().unwrap();
    let unknown = found.iter().find(|d| d["code"] == "unknown-key").unwrap();
    assert_eq!(unknown["at"]["line"], 3);
    assert_eq!(unknown["at"]["column"], 1);
    assert_eq!(unknown["severity"], "error");
    let missing = found.iter().find(|d| d["message"].as_str().unwrap().contains("`members`")).unwrap();
    assert_eq!(missing["fixes"][0]["line"], "members = { count = 3 }", "TOML is answered in TOML");
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [
        vec!["compile"],
        vec!["frobnicate"],
        vec!["compile", "nowhere.yaml", "-o", "/tmp/x"],
        vec!["compile", "src", "-o", "/tmp/x"],
    ] {
        let run = berthc(&args);
        assert_eq!(run.status.code(), Some(2), "{args:?}: {}", stderr(&run));
    }
}

/// A starter with a value in each of its blanks.
fn filled(starter: &str) -> String {
    let values = [
        ("image: ", "registry.example.com/orders:1.0"),
        ("mount: ", "/var/lib/orders"),
        ("run: [", "orders-ping"),
        ("zones: [", "eu-central-1a"),
        ("because: ", "the volumes are made by hand"),
        ("network: ", "orders-net"),
        ("domain: ", "db.example.com"),
        ("address: ", "10.0.0.7"),
        ("1: ", "10.0.0.31"),
        ("2: ", "10.0.0.32"),
        ("3: ", "10.0.0.33"),
    ];
    let text = values.iter().fold(starter.to_owned(), |text, (before, value)| {
        text.replace(&format!("{before}\"…\""), &format!("{before}\"{value}\""))
    });
    let blank = text.lines().find(|l| !l.starts_with('#') && l.contains('…'));
    assert_eq!(blank, None, "a blank of no value");
    text
}

#[test]
fn starters_compile_when_they_are_filled_in() {
    for kind in ["node", "pinned", "volume", "writer", "external"] {
        let dir = tempfile::tempdir().unwrap();
        let spec = dir.path().join("orders.yaml");
        let made = berthc(&[
            "init".as_ref(),
            kind.as_ref(),
            "--service".as_ref(),
            "orders".as_ref(),
            "-o".as_ref(),
            spec.as_os_str(),
        ]);
        assert!(made.status.success(), "{}", stderr(&made));
        let out = dir.path().join("out");
        let compile = ["compile".as_ref(), spec.as_os_str(), "-o".as_ref(), out.as_os_str()];
        let run = berthc(&compile);
        let blank = fs::read_to_string(&spec).unwrap();
        let said = stderr(&run);
        assert_eq!(run.status.code(), Some(1), "{kind} compiles before it is filled in");
        assert!(said.matches("error[").count() == 1 && said.contains("error[placeholder]"), "{kind}: {said}");
        fs::write(&spec, filled(&blank)).unwrap();
        let run = berthc(&compile);
        assert!(run.status.success(), "{kind}: {}", stderr(&run));
        assert!(out.join("orders/kubernetes/kustomization.yaml").exists());
        let again = berthc(&["init".as_ref(), kind.as_ref(), "-o".as_ref(), spec.as_os_str()]);
        assert_eq!(again.status.code(), Some(2), "init overwrote a file");
    }
}

#[test]
fn templates_can_be_overridden_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let (spec, out, templates) = (dir.path().join("db.yaml"), dir.path().join("out"), dir.path().join("t"));
    fs::write(&spec, SPEC).unwrap();
    fs::create_dir_all(templates.join("kubernetes")).unwrap();
    let own = crate::harness::root().join("templates/kubernetes/kustomization.yaml.j2");
    let own = fs::read_to_string(own).unwrap();
    fs::write(templates.join("kubernetes/kustomization.yaml.j2"), format!("# ours\n{own}")).unwrap();
    let args = [
        "compile".as_ref(),
        spec.as_os_str(),
        "-o".as_ref(),
        out.as_os_str(),
        "--templates".as_ref(),
        templates.as_os_str(),
    ];
    let run = berthc(&args);
    assert!(run.status.success(), "{}", stderr(&run));
    let text = fs::read_to_string(out.join("db/kubernetes/kustomization.yaml")).unwrap();
    assert!(text.starts_with("# ours\n"));

    fs::write(templates.join("kubernetes/kustomization.yaml.j2"), "a: {{ nothing }}\n").unwrap();
    let run = berthc(&args);
    assert_eq!(run.status.code(), Some(1));
    assert!(stderr(&run).contains("kustomization.yaml.j2, line 1 fails"), "{}", stderr(&run));

    fs::write(templates.join("kubernetes/kustomization.yaml.j2"), "a: [unclosed\n").unwrap();
    let run = berthc(&args);
    assert!(stderr(&run).contains("cannot read back"), "{}", stderr(&run));

    fs::remove_file(templates.join("kubernetes/kustomization.yaml.j2")).unwrap();
    fs::write(templates.join("kubernetes/kustomisation.yaml.j2"), "").unwrap();
    let run = berthc(&args);
    assert!(stderr(&run).contains("no template `kubernetes/kustomisation.yaml.j2`"), "{}", stderr(&run));
}

#[test]
fn help_has_examples_and_exit_codes() {
    let run = berthc(&["--help"]);
    crate::harness::golden("errors", "help", &stdout(&run));
    let run = berthc(&["compile", "--help"]);
    crate::harness::golden("errors", "help-compile", &stdout(&run));
    let run = berthc(&["check", "--help"]);
    crate::harness::golden("errors", "help-check", &stdout(&run));
    let run = berthc(&["init", "--help"]);
    crate::harness::golden("errors", "help-init", &stdout(&run));
}

#[test]
fn the_schema_in_golden_is_current() {
    let run = berthc(&["schema"]);
    let shipped = fs::read_to_string(crate::harness::root().join("golden/spec.schema.json")).unwrap();
    assert_eq!(
        stdout(&run),
        shipped,
        "golden/spec.schema.json is stale: berthc schema > golden/spec.schema.json"
    );
    let schema: serde_json::Value = serde_json::from_str(&stdout(&run)).unwrap();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(schema["additionalProperties"], false);
    for field in ["service", "members", "exclusive", "targets"] {
        assert!(schema["properties"][field]["description"].is_string(), "{field}");
    }
}

#[test]
fn explain_prints_certificates_and_pages() {
    let run = berthc(&["explain", "specs/zookeeper.yaml", "--target", "fleet"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let text = stdout(&run);
    assert!(text.starts_with("zookeeper on fleet 1.0.0\n"), "{text}");
    assert!(text.contains("data      colocate   1 path, 3 conflicts\n"), "{text}");
    // The line of the file that contains the text.
    let line =
        text.lines().find(|l| l.contains("fleet/zookeeper@1.service:") && l.ends_with("Conflicts")).unwrap();
    let number: usize = line.split(':').nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let out = tempfile::tempdir().unwrap();
    assert!(
        berthc(&["compile".as_ref(), "specs/zookeeper.yaml".as_ref(), "-o".as_ref(), out.path().as_os_str()])
            .status
            .success()
    );
    let unit = fs::read_to_string(out.path().join("zookeeper/fleet/zookeeper@1.service")).unwrap();
    assert_eq!(unit.lines().nth(number - 1), Some("Conflicts=zookeeper@*.service"));

    let run = berthc(&["explain", "specs/zookeeper.yaml", "--format", "json"]);
    let said: serde_json::Value = serde_json::from_str(&stdout(&run)).unwrap();
    assert_eq!(said["certificates"].as_array().unwrap().len(), 3);
    let cells = said["certificates"][0]["cells"].as_array().unwrap();
    assert_eq!(cells[0]["resource"], "data");
    assert_eq!(cells[0]["verdict"]["held"]["by"][0]["word"], "path");

    let run = berthc(&["explain", "swarm/data/partition"]);
    assert!(run.status.success() && stdout(&run).contains("Source:"));
    let run = berthc(&["explain", "swarm/data/partitoin"]);
    assert_eq!(run.status.code(), Some(2));
    let run = berthc(&["explain", "tests/bad/member-moves.yaml"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(stderr(&run).contains("[member-moves]"));
}

/// A spec from a pipe can be read only once, whatever its length and its overrides.
#[test]
fn a_spec_can_come_from_a_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let spec = "service: db\nimage: db:1\nmembers: { count: 1 }\n\
                targets: { kubernetes: { version: \"1.34\", namespace: db } }\n";
    let long = format!("{spec}# {}\n", "-".repeat(300_000));
    let faulty = format!("{spec}imag: x\n# {}\n", "-".repeat(300_000));
    for (text, more, code, words) in [
        (&long, "--set=image=db:2", 0, "wrote"),
        (&long, "--target=kubernetes", 0, "wrote"),
        (&faulty, "--set=image=db:2", 1, "--> /dev/stdin:5:1\n  |\n5 | imag: x"),
    ] {
        let mut run = Command::new(env!("CARGO_BIN_EXE_berthc"))
            .args(["compile", "/dev/stdin", "-o", "out", more])
            .current_dir(dir.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        run.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let run = run.wait_with_output().unwrap();
        let said = String::from_utf8(run.stderr.clone()).unwrap();
        assert_eq!(run.status.code(), Some(code), "{more}: {said}");
        assert!(said.contains(words), "{more}: {said}");
    }
}
