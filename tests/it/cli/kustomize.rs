//! Tests `berthc verify --kustomize` with a small tool, and folders with kustomizations.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::harness::{berthc_in, files, stderr, stdout};

/// What the tool prints: the object of the base, with the claim that a patch gives it.
const RENDERED: &str = "apiVersion: v1
kind: Service
metadata: { name: db, namespace: prod }
spec: { clusterIP: None, selector: { app: db }, ports: [{ port: 5432 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: db, namespace: prod }
spec:
  replicas: 2
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      containers: [{ name: a, image: \"postgres:16\", volumeMounts: [{ name: d, mountPath: /var/lib/postgresql/data }] }]
      volumes: [{ name: d, hostPath: { path: /mnt/db, type: Directory } }]
";
const BASE: &str = "resources: [db.yaml]\n";
const OVER: &str = "resources: [../base]\npatches: [{ path: patch.yaml }]\n";
/// Prints the text, and fails if it could fetch anything or if another program can be found.
const TOOL: &str = "#!/bin/sh
[ \"$2\" = over ] || { echo \"$*: no such folder\" >&2; exit 7; }
command -v git >/dev/null && exit 8
[ \"$HTTPS_PROXY\" = http://127.0.0.1:9 ] && [ \"$http_proxy\" = http://127.0.0.1:9 ] && [ -z \"$USER$KUBECONFIG\" ] || exit 9
while IFS= read -r line; do printf '%s\\n' \"$line\"; done <rendered
";

/// Writes an overlay and its base, and the programs of `bin`.
fn project(dir: &Path, bin: &[(&str, &str)]) {
    let db = RENDERED.split_once("---\n").unwrap().1;
    files(
        dir,
        &[
            ("base/kustomization.yaml", BASE),
            ("base/db.yaml", &db.replace("replicas: 2", "replicas: 1")),
            ("over/kustomization.yaml", OVER),
            (
                "over/patch.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: db }\nspec: { replicas: 2 }\n",
            ),
            ("rendered", RENDERED),
            ("bin/empty", ""),
        ],
    );
    for (name, text) in bin {
        files(dir, &[(&format!("bin/{name}"), text)]);
        fs::set_permissions(dir.join("bin").join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn verify(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berthc"));
    command.arg("verify").args(args).current_dir(dir).env("NO_COLOR", "1");
    command.env("PATH", dir.join("bin")).env("KUBECONFIG", "/some").output().unwrap()
}

#[test]
fn a_kustomization_is_built_by_the_tool_at_hand() {
    for (name, verb) in [("kubectl", "kustomize"), ("kustomize", "build")] {
        let dir = tempfile::tempdir().unwrap();
        let tool = TOOL.replace("[ \"$2\"", &format!("[ \"$1\" = {verb} ] || exit 6; [ \"$2\""));
        project(dir.path(), &[(name, &tool)]);
        let run = verify(dir.path(), &["--kustomize", "over"]);
        assert_eq!(run.status.code(), Some(1), "{}", stderr(&run));
        let said = stderr(&run);
        assert!(said.contains("kubernetes/data/colocate"), "{said}");
        // The place names the object, with the line in it.
        assert!(said.contains("--> over/kustomization.yaml (rendered)/deployment-db.yaml:3"), "{said}");
        assert!(said.contains("3 | metadata: { name: db, namespace: prod }"), "{said}");
        assert!(!said.contains("not searched"), "{said}");
        files(dir.path(), &[("old.yaml", &RENDERED.replace("/mnt/db", "/mnt/old"))]);
        let run = verify(dir.path(), &["--kustomize", "over", "--against", "old.yaml"]);
        let said = stderr(&run);
        assert!(said.contains("starts on /mnt/db, and its data stays in /mnt/old"), "{said}");
        assert!(said.contains("kubectl apply -k over"), "{said}");
        let run = verify(dir.path(), &["--kustomize", "over", "--format", "github"]);
        assert!(stdout(&run).contains("file=over/kustomization.yaml,line=1"), "{}", stdout(&run));
    }
}

#[test]
fn without_the_option_the_line_to_pipe_is_told() {
    let dir = tempfile::tempdir().unwrap();
    project(dir.path(), &[]);
    let run = berthc_in(dir.path(), &["verify", "base", "over"]);
    assert!(stderr(&run).contains("not searched: over/kustomization.yaml:2: `patches`"), "{}", stderr(&run));
    assert!(stderr(&run).contains("kubectl kustomize over | berthc verify -"), "{}", stderr(&run));
    // The base is not among the files, and it may hold anything.
    files(dir.path(), &[("over/kustomization.yaml", "resources: [../base]\n")]);
    let run = berthc_in(dir.path(), &["verify", "./over"]);
    assert_eq!(run.status.code(), Some(3), "{}", stderr(&run));
    assert!(stderr(&run).contains("includes ../base, which is not among the files"), "{}", stderr(&run));
    let run = berthc_in(dir.path(), &["verify", "./over", "base"]);
    assert!(!stderr(&run).contains("not among the files"), "{}", stderr(&run));
}

#[test]
fn nothing_is_fetched() {
    for (kustomization, what) in [
        (
            "resources: [\"https://example.com/db.yaml\"]\n",
            "over/kustomization.yaml:1: https://example.com/db.yaml",
        ),
        ("resources:\n- ../base\n- github.com/a/b//c?ref=v1\n", "over/kustomization.yaml:3: github.com/a/b"),
        ("components: [\"git@example.com:a/b\"]\n", "git@example.com:a/b is not in these files"),
        ("resources: [../base]\npatches: [{ path: \"http://a/b\" }]\n", "http://a/b is not in these files"),
        (
            "configMapGenerator: [{ name: a, files: [\"b=https://a/b\"] }]\n",
            "b=https://a/b is not in these files",
        ),
        ("resources: [../other]\n", "there is no over/../other"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        // A tool that runs would make another error.
        project(dir.path(), &[("kubectl", "#!/bin/sh\nexit 0\n")]);
        files(dir.path(), &[("over/kustomization.yaml", kustomization)]);
        let run = verify(dir.path(), &["--kustomize", "over"]);
        assert_eq!(run.status.code(), Some(2), "{kustomization}{}", stderr(&run));
        assert!(stderr(&run).contains(what), "{kustomization}{}", stderr(&run));
        // So does a kustomization that includes this one.
        files(dir.path(), &[("top/kustomization.yaml", "resources: [../over]\n")]);
        let run = verify(dir.path(), &["--kustomize", "top"]);
        assert!(stderr(&run).contains("over"), "{}", stderr(&run));
        assert_eq!(run.status.code(), Some(2));
    }
    // An address in a text is none of a file.
    let dir = tempfile::tempdir().unwrap();
    project(dir.path(), &[("kubectl", TOOL)]);
    let texts = "commonAnnotations: { a: \"https://a/b\" }\nconfigMapGenerator: [{ name: a, literals: [\"A=http://a\"] }]\npatches:\n- patch: |-\n    - { op: add, path: /a, value: \"http://a\" }\n    - { op: test, path: /a }\n";
    files(dir.path(), &[("over/kustomization.yaml", &format!("resources: [../base]\n{texts}"))]);
    let run = verify(dir.path(), &["--kustomize", "over"]);
    assert_eq!(run.status.code(), Some(1), "{}", stderr(&run));
}

#[test]
fn a_revision_is_not_built() {
    let dir = tempfile::tempdir().unwrap();
    project(dir.path(), &[("kubectl", TOOL)]);
    let run = verify(dir.path(), &["--kustomize", "over", "--against", "HEAD"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("git worktree add ../old HEAD"), "{}", stderr(&run));
}

#[test]
fn a_build_that_fails_says_why() {
    let endless = "#!/bin/sh\na=0123456789abcdef; a=$a$a$a$a; a=$a$a$a$a; a=$a$a$a$a; a=$a$a$a$a; a=$a$a$a$a\nwhile :; do echo $a; done\n";
    for (bin, dir, what) in [
        (&[][..], "over", "neither kubectl nor kustomize is in PATH"),
        (&[("kubectl", TOOL)][..], "bin", "bin has no kustomization.yaml"),
        (&[("kubectl", TOOL)][..], "base", "kustomize base: no such folder"),
        (&[("kubectl", "#!/bin/sh\n")][..], "over", "the kustomization has no objects"),
        (&[("kubectl", endless)][..], "over", "larger than 32 MiB"),
    ] {
        let project_dir = tempfile::tempdir().unwrap();
        project(project_dir.path(), bin);
        let run = verify(project_dir.path(), &["--kustomize", dir]);
        assert_eq!(run.status.code(), Some(2), "{what}: {}", stderr(&run));
        assert!(stderr(&run).contains(what), "{what}: {}", stderr(&run));
    }
}
