//! Tests `berthc verify` and `berthc compile` in a pipe, and the settings of a project for files.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::harness::{berthc_in, files, root, stderr, stdout};

/// Runs the program in `dir` with `input` on its standard input.
fn piped(dir: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_berthc"))
        .args(args)
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Two pods on one directory, as `kubectl get -o yaml` prints a list.
const LIST: &str = "apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: { name: db, namespace: shop }
  spec:
    replicas: 2
    selector: { matchLabels: { app: db } }
    template:
      metadata: { labels: { app: db } }
      spec:
        containers: [{ name: a, image: \"postgres:16\", volumeMounts: [{ name: d, mountPath: /var/lib/postgresql/data }] }]
        volumes: [{ name: d, hostPath: { path: /mnt/db, type: Directory } }]
";
const STACK: &str = "version: \"3.8\"
services:
  db:
    image: postgres:16
    volumes: [{ type: bind, source: /mnt/db, target: /var/lib/postgresql/data }]
    deploy: { replicas: 2 }
";

#[test]
fn verify_reads_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let value: serde_json::Value = serde_yaml::from_str(LIST).unwrap();
    let json = serde_json::to_string_pretty(&value).unwrap();
    let flat = serde_json::to_string(&value).unwrap();
    for (text, code) in [
        (LIST, "kubernetes/data/colocate"),
        (&json, "kubernetes/data/colocate"),
        (&flat, "kubernetes/data/colocate"),
        (STACK, "swarm/data/colocate"),
    ] {
        let run = piped(dir.path(), &["verify", "-", "-"], text);
        assert_eq!(run.status.code(), Some(1), "{text}{}", stderr(&run));
        let said = stderr(&run);
        assert!(
            said.contains(code) && said.contains("--> <stdin>:") && said.contains("in 1 files"),
            "{said}"
        );
    }
    for (format, path) in [("sarif", "%3Cstdin%3E"), ("github", "file=<stdin>")] {
        let run = piped(dir.path(), &["verify", "-", "--format", format], LIST);
        assert_eq!(run.status.code(), Some(1));
        assert!(stdout(&run).contains(path), "{}", stdout(&run));
    }
    files(dir.path(), &[("stack.yml", STACK)]);
    let run = piped(dir.path(), &["verify", "stack.yml", "-"], LIST);
    assert!(stderr(&run).contains("swarm/data/") && stderr(&run).contains("kubernetes/data/"));
}

#[test]
fn empty_or_unknown_standard_input_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (text, what) in
        [("", "standard input is empty"), ("[Service]\n", "must be a file"), ("a: 1\n", "neither a manifest")]
    {
        let run = piped(dir.path(), &["verify", "-"], text);
        assert_eq!(run.status.code(), Some(2), "{text}");
        assert!(stderr(&run).contains(what), "{text}: {}", stderr(&run));
    }
}

#[test]
fn compile_reads_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let yaml = "service: db\nimage: \"db:1\"\n";
    for text in [yaml, "# toml\nservice = \"db\"\nimage = \"db:1\"\n"] {
        let run = piped(dir.path(), &["compile", "-", "-", "-o", "out"], text);
        assert_eq!(run.status.code(), Some(1));
        assert!(stderr(&run).contains("--> <stdin>:"), "{}", stderr(&run));
    }
    let good = std::fs::read_to_string(root().join("specs/zookeeper.yaml")).unwrap();
    let run = piped(dir.path(), &["compile", "-", "-o", "out"], &good);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert!(dir.path().join("out/zookeeper/certificate.md").is_file());
}

#[test]
fn berthc_toml_accepts_findings_by_object() {
    let dir = tempfile::tempdir().unwrap();
    let accept = |code: &str, object: &str| {
        format!("[[verify.accept]]\ncode = \"{code}\"\nobject = \"{object}\"\nbecause = \"a cache\"\n")
    };
    let other = LIST
        .replace("name: db,", "name: other,")
        .replace("app: db", "app: other")
        .replace("/mnt/db", "/mnt/other");
    let verify = |toml: &str| {
        files(dir.path(), &[("berthc.toml", toml), ("a.yaml", LIST), ("b.yaml", &other)]);
        berthc_in(dir.path(), &["verify", "a.yaml", "b.yaml"])
    };
    let codes: std::collections::BTreeSet<String> = {
        let run = berthc_in(dir.path(), &["verify", "a.yaml", "--format", "json"]);
        assert!(!run.status.success());
        let run = {
            verify("");
            berthc_in(dir.path(), &["verify", "a.yaml", "--format", "json"])
        };
        let all: serde_json::Value = serde_json::from_str(&stdout(&run)).unwrap();
        let of = |f: &serde_json::Value| {
            let also = f["also_by"].as_array().cloned().unwrap_or_default();
            let also = also.into_iter().map(|way| way["code"].as_str().unwrap().to_owned());
            also.chain([f["code"].as_str().unwrap().to_owned()]).collect::<Vec<_>>()
        };
        all["findings"].as_array().unwrap().iter().flat_map(of).collect()
    };
    let all = |object: &str| codes.iter().map(|code| accept(code, object)).collect::<String>();
    let run = verify(&all("deployment/db"));
    let said = stderr(&run);
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains("accepted: ") && said.contains("/mnt/other") && !said.contains("stale"), "{said}");
    let run = verify(&(all("deployment/db") + &all("shop/deployment/other")));
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    // One entry is about an existing object, the other about a missing one.
    let gone =
        accept("kubernetes/data/force", "deployment/db") + &accept("kubernetes/data/move", "deployment/gone");
    let said = stderr(&verify(&gone));
    assert_eq!(said.matches("stale: ").count(), 1, "{said}");
    assert!(said.contains("kubernetes/data/force of deployment/db"), "{said}");
    let run = verify(&accept("kubernetes/data/move", "deployment/db").replace("a cache", " "));
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("accept-shape"), "{}", stderr(&run));
}

#[test]
fn berthc_toml_names_kinds_without_pods() {
    let dir = tempfile::tempdir().unwrap();
    let widget = "apiVersion: example.org/v1\nkind: Widget\nmetadata: { name: w }\n";
    for (toml, code) in [
        ("", 3),
        ("[verify]\nquiet = [\"example.org\"]\n", 0),
        ("[verify]\nquiet = [\"example.org/Widget\"]\n", 0),
        ("[verify]\nquiet = [\"example.org/Gadget\", \"other.org\"]\n", 3),
    ] {
        files(dir.path(), &[("berthc.toml", toml), ("w.yaml", widget)]);
        let run = berthc_in(dir.path(), &["verify", "w.yaml"]);
        assert_eq!(run.status.code(), Some(code), "{toml}{}", stderr(&run));
    }
}

#[test]
fn a_folder_is_read_with_its_pods() {
    let dir = tempfile::tempdir().unwrap();
    let container =
        "[Container]\nImage=docker.io/library/nginx:1.29\nPod=web.pod\n[Service]\nRestart=always\n";
    files(dir.path(), &[("q/web.container", container), ("q/web.pod", "[Pod]\n")]);
    let run = berthc_in(dir.path(), &["verify", "q"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    std::fs::remove_file(dir.path().join("q/web.pod")).unwrap();
    let run = berthc_in(dir.path(), &["verify", "q"]);
    assert_ne!(run.status.code(), Some(0), "{}", stderr(&run));
}

#[test]
fn a_change_is_compared_with_a_folder_a_pipe_or_a_revision() {
    let dir = tempfile::tempdir().unwrap();
    let other = LIST.replace("/mnt/db", "/mnt/other");
    files(
        dir.path(),
        &[("deploy/db.yaml", LIST), ("deploy/.hidden.yaml", "no: yaml: at all"), ("old/a.yaml", LIST)],
    );
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(args).current_dir(dir.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        for name in ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"] {
            git.env(name, "x@x");
        }
        assert!(git.output().unwrap().status.success(), "{args:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "first"]);
    files(dir.path(), &[("deploy/db.yaml", &other)]);
    for (old, path) in [
        ("old", "deploy"),
        ("old/a.yaml", "deploy"),
        ("-", "deploy"),
        ("HEAD", "deploy"),
        ("HEAD", "deploy/db.yaml"),
    ] {
        let run = piped(dir.path(), &["verify", path, "--against", old], LIST);
        assert_eq!(run.status.code(), Some(1));
        let said = stderr(&run);
        assert!(said.contains("[change-data]") && said.contains("stays in /mnt/db"), "{old}: {said}");
        let all = format!("{said}{}", stdout(&run));
        assert!(all.contains(&format!("compared with 1 file of {old}")), "{old}: {all}");
    }
    // What is gone shows its old line.
    files(dir.path(), &[("deploy/db.yaml", STACK)]);
    let run = berthc_in(dir.path(), &["verify", "deploy", "--against", "HEAD"]);
    assert!(stderr(&run).contains("--> HEAD:deploy/db.yaml:6"), "{}", stderr(&run));
    // A unit has the name of its file at every revision.
    let unit = "[Service]\nExecStart=/usr/bin/docker run --name db -v /mnt/db:/var/lib/postgresql/data postgres:16\n[X-Fleet]\nMachineMetadata=a=1\n";
    files(dir.path(), &[("db.service", unit)]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "second"]);
    files(dir.path(), &[("db.service", &unit.replace("/mnt/db", "/mnt/other"))]);
    for path in [".", "db.service", "./db.service"] {
        let run = berthc_in(dir.path(), &["verify", path, "--against", "HEAD"]);
        assert!(
            stderr(&run).contains("[change-data]: db.service starts on /mnt/other"),
            "{path}: {}",
            stderr(&run)
        );
    }
    let run = berthc_in(dir.path(), &["verify", "deploy", "--against", "nowhere"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("--against nowhere: "), "{}", stderr(&run));
}
