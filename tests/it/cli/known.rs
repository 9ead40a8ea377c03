//! The fingerprints of earlier runs change only how long `check` takes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::harness::{files, root, stderr, stdout, walk};

/// The number of services from which runs keep fingerprints.
const OUTSIDE: usize = 100;

const DB: &str = "base: ../base/db.yaml\nservice: db\nimage: db:1\n\
                  env: { CACHE: \"{{ peers('cache') | join(',') }}\" }\n\
                  files: { /etc/db.cnf: { from: ../base/db.cnf } }\nbootstrap: { for: all, env: { FIRST: \"1\" } }\n";
const BASE: &str = "members: { count: 3, pin: db }\n\
                    exclusive: { data: { data: { mount: /data, host: \"/mnt/d1/db-{{ member.id }}\", size: 1Gi } } }\n";
const CACHE: &str =
    "service: cache\nimage: cache:1\nmembers: { count: 2 }\nexclusive: { ports: { cache: 6379 } }\n";
/// A Swarm service that waits for the names of another.
fn waits(name: &str, other: &str) -> String {
    let port = 5000 + u32::from(name.as_bytes()[0]);
    format!(
        "service: {name}\nimage: {name}:1\nmembers: {{ count: 1 }}\nfiles: {{ /etc/own: {{ content: x }} }}\n\
         env: {{ OTHER: \"{{{{ peers('{other}') | join(',') }}}}\" }}\n\
         exclusive: {{ ports: {{ s: {port} }} }}\nhealth: {{ tool: curl, live: {{ http: /x, port: s }} }}\n\
         targets: {{ swarm: {{ engine: \"25.0\", network: net }} }}\n\
         accept: [{{ gap: swarm/health.live, because: x }}]\n"
    )
}

/// A service that mounts something that no field of a spec names.
fn raw(name: &str, port: u16) -> String {
    format!(
        "service: {name}\nimage: {name}:1\nmembers: {{ count: 2 }}\nexclusive: {{ ports: {{ s: {port} }} }}\n\
         targets: {{ kubernetes: {{ version: \"1.34\", namespace: db,\n  \
         pod: {{ volumes: [{{ name: theirs, persistentVolumeClaim: {{ claimName: shared }} }}] }},\n  \
         container: {{ volumeMounts: [{{ name: theirs, mountPath: /theirs }}] }} }} }}\n\
         accept: [{{ gap: kubernetes/data/move, because: x }}, {{ gap: kubernetes/data/relabel, because: x }}]\n"
    )
}

const PROJECT: &str = "specs = [\"specs\"]\nout = \"out\"\n\
                       targets.kubernetes = { version = \"1.34\", namespace = \"db\" }\n\
                       env.prod.set.db = { image = \"db:2\" }\n";

/// Makes a project of many services, compiled, with fingerprints.
fn project(dir: &Path) {
    files(
        dir,
        &[
            ("berthc.toml", PROJECT),
            ("specs/db.yaml", DB),
            ("specs/cache.yaml", CACHE),
            ("base/db.yaml", BASE),
            ("base/db.cnf", "a = 1\n"),
            ("specs/a.yaml", &waits("a", "b")),
            ("specs/b.yaml", &waits("b", "c")),
            ("specs/c.yaml", &waits("c", "a")),
        ],
    );
    for n in 0..OUTSIDE {
        let spec =
            format!("service: out-{n}\nexternal: {{ address: o{n}.example.com, ports: {{ sql: 5432 }} }}\n");
        files(dir, &[(&format!("specs/out-{n}.yaml"), &spec)]);
    }
    let run = run(dir, "cache", &["compile"]);
    assert!(run.status.success(), "{}", stderr(&run));
}

/// Runs with the cache folder `cache`, relative to the project.
fn run(dir: &Path, cache: &str, args: &[&str]) -> Output {
    let mut berthc = Command::new(env!("CARGO_BIN_EXE_berthc"));
    berthc.args(args).env("BERTHC_CACHE", cache).env("NO_COLOR", "1").current_dir(dir).output().unwrap()
}

/// Returns the result of a check, and the number of services with a matching fingerprint.
fn check(dir: &Path, cache: &str, more: &[&str]) -> (Option<i32>, serde_json::Value, u64) {
    let run = run(dir, cache, &[&["check", "--format", "json"], more].concat());
    let mut said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let known = said["known"].take().as_u64().unwrap();
    (run.status.code(), said, known)
}

/// Checks with and without fingerprints; both must report the same. Returns how many services
/// matched.
fn same(dir: &Path, more: &[&str]) -> (Option<i32>, u64) {
    let (code, said, known) = check(dir, "cache", more);
    let (other, fresh, none) = check(dir, "", more);
    assert_eq!((code, &said, none), (other, &fresh, 0), "{more:?}");
    (code, known)
}

fn write(path: impl AsRef<Path>, change: impl Fn(String) -> String) {
    let text = fs::read_to_string(&path).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed, "{}", path.as_ref().display());
    fs::write(path, changed).unwrap();
}

const ALL: u64 = OUTSIDE as u64 + 5;

#[test]
fn the_cache_changes_no_result() {
    type Change = fn(&Path);
    // The change, the arguments, the exit code, and the number of services that still match.
    let changes: &[(&str, Change, &[&str], i32, u64)] = &[
        ("nothing", |_| (), &[], 0, ALL),
        ("everything is asked for", |_| (), &["--verify"], 0, 0),
        (
            "an output",
            |d| write(d.join("out/db/kubernetes/statefulset.yaml"), |t| t + "# x\n"),
            &[],
            1,
            ALL - 1,
        ),
        (
            "an output is gone",
            |d| fs::remove_file(d.join("out/out-7/kubernetes/service.yaml")).unwrap(),
            &[],
            1,
            ALL - 1,
        ),
        (
            "an output has no header",
            |d| write(d.join("out/out-7/kubernetes/service.yaml"), |t| format!("x\n{t}")),
            &[],
            1,
            ALL - 1,
        ),
        (
            "one too many",
            |d| {
                let from = d.join("out/db/kubernetes/statefulset.yaml");
                fs::copy(from, d.join("out/db/kubernetes/statefulset-2.yaml")).map(drop).unwrap();
            },
            &[],
            1,
            ALL - 1,
        ),
        (
            "one of another name",
            |d| {
                let unit = d.join("out/db/kubernetes/statefulset.yaml");
                fs::rename(&unit, unit.with_file_name("statefulsets.yaml")).unwrap();
            },
            &[],
            1,
            ALL - 1,
        ),
        ("a text", |d| write(d.join("out/a/swarm/files/etc-own"), |t| t + "y"), &[], 1, ALL - 1),
        ("a text too many", |d| fs::write(d.join("out/a/swarm/files/x"), "x").unwrap(), &[], 1, ALL - 1),
        ("a file of others", |d| fs::write(d.join("out/db/notes.txt"), "mine\n").unwrap(), &[], 0, ALL),
        (
            "a link in its place",
            |d| {
                let unit = d.join("out/db/kubernetes/statefulset.yaml");
                fs::rename(&unit, d.join("elsewhere")).unwrap();
                std::os::unix::fs::symlink(d.join("elsewhere"), unit).unwrap();
            },
            &[],
            0,
            ALL - 1,
        ),
        ("a comment in a spec", |d| write(d.join("specs/db.yaml"), |t| t + "# x\n"), &[], 0, ALL - 1),
        ("a spec", |d| write(d.join("specs/db.yaml"), |t| t.replace("db:1", "db:3")), &[], 1, ALL - 1),
        ("a spec is gone", |d| fs::remove_file(d.join("specs/out-3.yaml")).unwrap(), &[], 1, ALL - 1),
        (
            "a service that another names",
            |d| write(d.join("specs/cache.yaml"), |t| t.replace("count: 2", "count: 3")),
            &[],
            1,
            ALL - 2,
        ),
        (
            "the file of a spec",
            |d| fs::rename(d.join("specs/cache.yaml"), d.join("specs/cache.yml")).unwrap(),
            &[],
            1,
            ALL - 2,
        ),
        (
            "a circle that grows",
            |d| files(d, &[("specs/c.yaml", &waits("c", "d")), ("specs/d.yaml", &waits("d", "a"))]),
            &[],
            1,
            ALL - 3,
        ),
        ("the first start", |_| (), &["--bootstrap", "db"], 1, 0),
        ("raw additions", |d| files(d, &[("specs/raw.yaml", &raw("raw", 7001))]), &[], 1, ALL),
        (
            "raw additions that meet",
            |d| files(d, &[("specs/raw.yaml", &raw("raw", 7001)), ("specs/sly.yaml", &raw("sly", 7002))]),
            &[],
            2,
            0,
        ),
        ("a base", |d| write(d.join("base/db.yaml"), |t| t.replace("1Gi", "2Gi")), &[], 1, ALL - 1),
        (
            "a file that a spec names",
            |d| write(d.join("base/db.cnf"), |t| t.replace('1', "2")),
            &[],
            1,
            ALL - 1,
        ),
        ("the project", |d| write(d.join("berthc.toml"), |t| t.replace("1.34", "1.33")), &[], 1, 0),
        ("another environment", |_| (), &["--env", "prod"], 1, 0),
        ("a value", |_| (), &["--set", "db:image=db:9"], 1, 0),
        ("a target", |_| (), &["--target", "kubernetes"], 0, 0),
        (
            "a new service in the way",
            |d| {
                let spec =
                    "service: cache-client\nexternal: { address: c.example.com, ports: { sql: 5432 } }\n";
                fs::write(d.join("specs/cache-client.yaml"), spec).unwrap();
            },
            &[],
            2,
            0,
        ),
        (
            "templates",
            |d| {
                let name = "kubernetes/service.yaml.j2";
                let text = fs::read_to_string(root().join("templates").join(name)).unwrap();
                files(d, &[(&format!("own/{name}"), &text)]);
            },
            &["--templates", "own"],
            0,
            0,
        ),
        ("a fault", |d| write(d.join("specs/out-7.yaml"), |t| t.replace("5432", "0")), &[], 2, 0),
        ("garbage is remembered", |d| fs::write(d.join("cache/compiled"), [7; 100]).unwrap(), &[], 0, 0),
        (
            "half is remembered",
            |d| {
                let file = d.join("cache/compiled");
                let half = fs::read(&file).unwrap()[..OUTSIDE / 2 * 32 + 5].to_vec();
                fs::write(file, half).unwrap();
            },
            &[],
            0,
            OUTSIDE as u64 / 2,
        ),
        ("nothing is remembered", |d| fs::remove_dir_all(d.join("cache")).unwrap(), &[], 0, 0),
        (
            "nothing can be remembered",
            |d| {
                fs::remove_dir_all(d.join("cache")).unwrap();
                fs::write(d.join("cache"), "").unwrap();
            },
            &[],
            0,
            0,
        ),
    ];
    let whole = tempfile::tempdir().unwrap();
    project(whole.path());
    for (what, change, args, code, known) in changes {
        let dir = tempfile::tempdir().unwrap();
        for from in walk(whole.path()) {
            let to = dir.path().join(from.strip_prefix(whole.path()).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
        change(dir.path());
        assert_eq!(same(dir.path(), args), (Some(*code), *known), "{what}");
        // A second run with the new fingerprints gives the same answer.
        assert_eq!(same(dir.path(), args).0, Some(*code), "{what}, again");
    }
}

/// The spec does not show what raw additions meet, and neither do the files of two separate
/// compiles.
#[test]
fn services_with_raw_additions_are_not_cached() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    project(root);
    files(root, &[("raw.yaml", &raw("raw", 7001)), ("sly.yaml", &raw("sly", 7002))]);
    for spec in ["raw.yaml", "sly.yaml"] {
        let alone = run(root, "cache", &["compile", "specs", spec]);
        assert!(alone.status.success(), "{}", stderr(&alone));
    }
    assert_eq!(same(root, &["specs", "raw.yaml"]), (Some(0), ALL));
    assert_eq!(same(root, &["specs", "sly.yaml"]), (Some(0), ALL));
    assert_eq!(same(root, &["specs", "raw.yaml", "sly.yaml"]).0, Some(2));
}

/// `check` keeps fingerprints as `compile` does, but only of runs without errors and with many
/// specs.
#[test]
fn a_run_uses_the_cache_of_earlier_runs() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    project(root);
    fs::remove_dir_all(root.join("cache")).unwrap();
    let known = |args: &[&str]| check(root, "cache", args).2;
    assert_eq!((known(&[]), known(&[]), known(&["--verify"])), (0, ALL, 0));
    // A run with one environment keeps the fingerprints of another, and a run that finds drift
    // keeps fingerprints too.
    assert_eq!((known(&["--env", "prod"]), known(&["--env", "prod"]), known(&[])), (0, ALL - 1, ALL));
    // A run with few specs neither reads nor writes fingerprints.
    let before = fs::read(root.join("cache/compiled")).unwrap();
    assert_eq!(known(&["specs/db.yaml", "specs/cache.yaml", "--set", "db:image=db:9"]), 0);
    assert_eq!(fs::read(root.join("cache/compiled")).unwrap(), before);
    // A build from other sources may compile to something else.
    let other = root.join("other");
    fs::copy(env!("CARGO_BIN_EXE_berthc"), &other).unwrap();
    let (mut program, build) = (fs::read(&other).unwrap(), env!("BERTHC_BUILD").as_bytes());
    let at = program.windows(build.len()).position(|bytes| bytes == build).unwrap();
    program[at] ^= 1;
    fs::write(&other, program).unwrap();
    let mut berthc = Command::new(&other);
    let said = berthc.args(["check"]).env("BERTHC_CACHE", "cache").current_dir(root).output().unwrap();
    assert!(said.status.success() && !stderr(&said).contains("earlier"), "{}", stderr(&said));
    fs::remove_file(&other).unwrap();
    // Without a cache folder, nothing is written.
    let paths = walk(root);
    fs::remove_dir_all(root.join("cache")).unwrap();
    let paths: Vec<_> = paths.into_iter().filter(|p| !p.starts_with(root.join("cache"))).collect();
    let (status, said) = (run(root, "", &["check"]), walk(root));
    assert!(status.status.success() && stdout(&status).is_empty());
    assert_eq!(said, paths);
    let told = stderr(&run(root, "cache", &["check"])) + &stderr(&run(root, "cache", &["check"]));
    assert!(told.contains(&format!("up to date; {ALL} services unchanged since an earlier run")), "{told}");
}
