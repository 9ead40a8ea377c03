//! What the program does not read, does not replace, and does not share with another run.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::{CWD, FileType, Mode};

use crate::harness::{berthc_in, files, stderr};

const SPEC: &str = "service: db\nimage: db:1\nmembers: { count: 1 }\n\
                    targets: { kubernetes: { version: \"1.34\", namespace: db } }\n";

fn fifo(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
}

/// Runs a compile of `db.yaml` in `dir` with more arguments. Returns the exit code and the messages.
fn compile(dir: &Path, more: &[&str]) -> (Option<i32>, String) {
    let run = berthc_in(dir, &[&["compile", "db.yaml", "-o", "out"], more].concat());
    (run.status.code(), stderr(&run))
}

/// A test that hangs here would have waited for a writer.
#[test]
fn a_pipe_is_refused_where_a_file_must_be() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    files(dir, &[("db.yaml", SPEC)]);
    for (pipe, more) in
        [("out/db/kubernetes/service.yaml", &[][..]), ("t/kubernetes/service.yaml.j2", &["--templates", "t"])]
    {
        fifo(&dir.join(pipe));
        let (code, said) = compile(dir, more);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("is no regular file"), "{said}");
        let check = berthc_in(dir, &[&["check", "db.yaml", "-o", "out"], more].concat());
        assert_eq!(check.status.code(), Some(2), "{}", stderr(&check));
        fs::remove_file(dir.join(pipe)).unwrap();
    }
    fifo(&dir.join("pipe"));
    files(dir, &[("db.yaml", &format!("base: pipe\n{SPEC}"))]);
    let (code, said) = compile(dir, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("pipe is no regular file"), "{said}");
    files(dir, &[("db.yaml", &format!("{SPEC}files: {{ /etc/db.conf: {{ from: pipe }} }}\n"))]);
    let (code, said) = compile(dir, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("pipe is no regular file"), "{said}");
}

#[test]
fn a_file_without_the_header_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    files(dir, &[("db.yaml", SPEC), ("out/db/kubernetes/service.yaml", "# mine\n")]);
    let (code, said) = compile(dir, &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("service.yaml lacks berthc's header"), "{said}");
    assert_eq!(fs::read_to_string(dir.join("out/db/kubernetes/service.yaml")).unwrap(), "# mine\n");
    assert!(!dir.join("out/db/certificate.md").exists(), "a part was written");
    fs::remove_file(dir.join("out/db/kubernetes/service.yaml")).unwrap();
    assert_eq!(compile(dir, &[]).0, Some(0));
}

#[test]
fn config_files_of_swarm_and_temporary_files_are_cleaned() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let bare = "service: db\nimage: db:1\nmembers: { count: 1 }\ntargets: { swarm: { engine: \"28.5\", network: n } }\n";
    let with = format!("{bare}files: {{ /etc/db.conf: {{ content: \"a=1\" }} }}\n");
    files(dir, &[("db.yaml", &with)]);
    let (code, said) = compile(dir, &[]);
    assert_eq!(code, Some(0), "{said}");
    let text = dir.join("out/db/swarm/files/etc-db.conf");
    assert_eq!(fs::read_to_string(&text).unwrap(), "a=1");
    files(dir, &[("db.yaml", &with.replace("a=1", "a=2"))]);
    assert_eq!(compile(dir, &[]).0, Some(0), "its text changes");
    assert_eq!(fs::read_to_string(&text).unwrap(), "a=2");
    let killed = dir.join("out/db/swarm/.berthc-Ab3dE6");
    files(
        dir,
        &[
            ("db.yaml", bare),
            ("out/db/swarm/.berthc-Ab3dE6", "half a fi"),
            ("out/db/swarm/notes.txt", "mine"),
        ],
    );
    let check = berthc_in(dir, &["check", "db.yaml", "-o", "out"]);
    assert_eq!(check.status.code(), Some(1), "{}", stderr(&check));
    let (code, said) = compile(dir, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!text.exists() && !killed.exists(), "{said}");
    assert!(dir.join("out/db/swarm/notes.txt").exists());
}

#[test]
fn a_spec_names_only_files_of_its_repository() {
    let dir = tempfile::tempdir().unwrap();
    let (outside, dir) = (dir.path(), dir.path().join("repository"));
    let from = |path: &str| format!("{SPEC}files: {{ /etc/db.conf: {{ from: {path} }} }}\n");
    files(outside, &[("secret.conf", "x=1"), ("repository/own.conf", "x=2")]);
    files(&dir, &[(".git/HEAD", ""), ("specs/db.yaml", &from("../own.conf"))]);
    symlink("../../secret.conf", dir.join("specs/link.conf")).unwrap();
    let run = |more: &[&str]| {
        let run = berthc_in(&dir, &[&["compile", "specs/db.yaml", "-o", "out"], more].concat());
        (run.status.code(), stderr(&run))
    };
    assert_eq!(run(&[]).0, Some(0));
    for path in ["../../secret.conf", "link.conf"] {
        files(&dir, &[("specs/db.yaml", &from(path))]);
        let (code, said) = run(&[]);
        assert_eq!(code, Some(1), "{path}: {said}");
        assert!(said.contains("outside of the repository; --allow-outside reads it"), "{said}");
        assert_eq!(run(&["--allow-outside"]).0, Some(0), "{path}");
    }
    files(&dir, &[("specs/db.yaml", &format!("base: ../../base.yaml\n{SPEC}"))]);
    files(outside, &[("base.yaml", "user: \"1000\"\n")]);
    assert_eq!(run(&[]).0, Some(1));
    assert_eq!(run(&["--allow-outside"]).0, Some(0));
}

/// The other run is this test: it holds the lock of the folder.
#[test]
fn a_run_waits_for_the_lock_of_its_output_folder() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    files(dir, &[("db.yaml", SPEC)]);
    fs::create_dir(dir.join("out")).unwrap();
    for command in ["compile", "check"] {
        let lock = fs::File::open(dir.join("out")).unwrap();
        lock.lock().unwrap();
        let mut run = Command::new(env!("CARGO_BIN_EXE_berthc"))
            .args([command, "db.yaml", "-o", "out"])
            .current_dir(dir)
            .env("BERTHC_CACHE", "")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = std::io::BufReader::new(run.stderr.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut said, &mut line).unwrap();
        assert!(line.contains("waits for another berthc") && line.contains("uses out"), "{line}");
        assert!(line.contains(&format!("(process {})", std::process::id())), "{line}");
        assert_eq!(fs::read_dir(dir.join("out")).unwrap().count(), usize::from(command == "check"));
        lock.unlock().unwrap();
        std::io::Read::read_to_string(&mut said, &mut line).unwrap();
        assert!(run.wait().unwrap().success(), "{line}");
    }
}

#[test]
fn a_compile_with_errors_leaves_no_folder() {
    let dir = tempfile::tempdir().unwrap();
    files(dir.path(), &[("db.yaml", "service: db\n")]);
    let run = berthc_in(dir.path(), &["compile", "db.yaml", "-o", "a/b"]);
    assert_eq!(run.status.code(), Some(1), "{}", stderr(&run));
    assert!(!dir.path().join("a").exists());
}

#[test]
fn a_cache_that_others_can_write_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let names: Vec<String> = (0..100).map(|n| format!("specs/s{n}.yaml")).collect();
    for (n, name) in names.iter().enumerate() {
        files(dir, &[(name, &SPEC.replace("service: db", &format!("service: s{n}")))]);
    }
    let check = |command: &str| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_berthc"));
        run.args([command, "specs", "-o", "out", "--format", "json"]).current_dir(dir);
        let run = run.env("BERTHC_CACHE", dir.join("cache")).output().unwrap();
        let json: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        (json["known"].as_u64(), stderr(&run))
    };
    check("compile");
    assert_eq!(fs::metadata(dir.join("cache")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(check("check").0, Some(100));
    for open in ["cache", "cache/compiled"] {
        let before = fs::metadata(dir.join(open)).unwrap().permissions();
        fs::set_permissions(dir.join(open), fs::Permissions::from_mode(before.mode() | 0o020)).unwrap();
        let (known, said) = check("check");
        assert_eq!(known, Some(0));
        assert!(said.contains("does not use the cache") && said.contains("chmod go-w"), "{said}");
        fs::set_permissions(dir.join(open), before).unwrap();
    }
    assert_eq!(check("check").0, Some(100));
}

#[test]
fn no_service_has_the_name_of_a_device() {
    let dir = tempfile::tempdir().unwrap();
    for (name, refused) in
        [("con", true), ("lpt9", true), ("com", false), ("com10", false), ("console", false)]
    {
        files(dir.path(), &[("db.yaml", &SPEC.replace("service: db", &format!("service: {name}")))]);
        let (code, said) = compile(dir.path(), &[]);
        assert_eq!(code, Some(i32::from(refused)), "{name}: {said}");
        assert_eq!(said.contains("is a device on Windows"), refused, "{name}: {said}");
        let _ = fs::remove_dir_all(dir.path().join("out"));
    }
}
