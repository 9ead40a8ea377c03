//! Bases, the project, environments and `--set`: one merge, and each error in the right file.

use std::fs;
use std::path::Path;

use berthc::{Input, Options, Severity};

use crate::harness::{self, Memory, berthc_in, files, stderr, stdout, walk};

/// Compiles `specs` next to the files `others`. Returns the diagnostics as `code file:line:column`.
fn found(specs: &[(&str, &str)], others: &[(&str, &str)], options: &Options) -> Vec<String> {
    let (compiled, _) = run(specs, others, options);
    let place = |d: &berthc::Diagnostic| match compiled.sources.get(d.place.source) {
        Some(s) => {
            let (line, column) = berthc::spec::source::line_column(&s.text, d.place.start);
            format!("{} {}:{line}:{column}", d.code, s.path)
        }
        None => d.code.to_string(),
    };
    compiled.diagnostics.iter().map(place).collect()
}

fn run(specs: &[(&str, &str)], others: &[(&str, &str)], options: &Options) -> (berthc::Compiled, String) {
    let input = |(path, text): &(&str, &str)| Input { path: (*path).into(), text: (*text).into() };
    let inputs: Vec<Input> = specs.iter().map(input).collect();
    let memory = Memory(others.iter().map(|(p, t)| ((*p).into(), t.as_bytes().to_vec())).collect());
    let compiled = berthc::compile(&inputs, &memory, options);
    let tree = compiled.tree.iter().flatten().map(|(path, text)| format!("//// {path}\n{text}")).collect();
    (compiled, tree)
}

fn set(all: &[&str]) -> Options {
    Options { set: all.iter().map(|s| (*s).to_owned()).collect(), ..Options::default() }
}

fn project(text: &str) -> Options {
    let project = Some(Input { path: "berthc.toml".into(), text: text.into() });
    Options { project, ..Options::default() }
}

const DB: &str = "service: db\nimage: db:1\nmembers: { count: 1 }\n\
                  targets: { kubernetes: { version: \"1.34\", namespace: db } }\n";
const KV: &str = "service: kv\nimage: kv:1\nmembers: { count: 1 }\n\
                  targets: { kubernetes: { version: \"1.34\", namespace: db } }\n";

/// A team's policy stands in one base: not every service has each gap. A waiver of the spec itself must
/// have a gap.
#[test]
fn a_waiver_in_a_base_may_be_unused() {
    let accept = "accept: [{ gap: kubernetes/ulimits, because: \"our nodes set them\" }]\n";
    let codes = |spec: &str, base: &str| {
        let (compiled, _) = run(&[("db.yaml", spec)], &[("common.yaml", base)], &Options::default());
        compiled.diagnostics.into_iter().map(|d| d.code.into_owned()).collect::<Vec<_>>()
    };
    let based = format!("{DB}base: common.yaml\n");
    assert_eq!(codes(&based, accept), Vec::<String>::new());
    assert_eq!(codes(&format!("{based}ulimits: {{ nofile: 100 }}\n"), accept), Vec::<String>::new());
    assert_eq!(codes(&format!("{based}{accept}"), "user: \"1:1\"\n"), ["accept-unused"]);
}

#[test]
fn a_spec_with_bases_equals_the_spec_written_out() {
    let spec = "service: db\nbase: common.toml\nimage: db:1\nuser: ~\nargs: [c]\n\
                env: { B: two, C: three }\ntargets: { kubernetes: { namespace: db } }\n";
    let toml = "base = \"bottom.yaml\"\nuser = \"1:1\"\nargs = [\"a\", \"b\"]\n\
                env = { A = \"one\", B = \"one\" }\nmembers = { count = 3 }\n";
    let yaml =
        "members: { count: 1 }\nstop: { grace: 77s }\ntargets: { kubernetes: { version: \"1.30\" } }\n";
    let flat = "service: db\nimage: db:1\nargs: [c]\nenv: { A: one, B: two, C: three }\n\
                members: { count: 3 }\nstop: { grace: 77s }\n\
                targets: { kubernetes: { version: \"1.30\", namespace: db } }\n";
    let others = [("common.toml", toml), ("bottom.yaml", yaml)];
    let (layered, text) = run(&[("db.yaml", spec)], &others, &Options::default());
    assert!(layered.tree.is_some(), "{:#?}", layered.diagnostics);
    assert_eq!(text, run(&[("db.yaml", flat)], &[], &Options::default()).1);
    assert_eq!(layered.read.iter().collect::<Vec<_>>(), ["bottom.yaml", "common.toml", "db.yaml"]);
}

#[test]
fn errors_point_to_the_file_that_has_the_value() {
    let spec = "service: db\nbase: common.yaml\nmembers: { count: 0 }\nimage: db:1\nstop: null\nuser: null\n";
    let base = "user: \"1:1\"\nmembers:\n  first: -1\nresources: { cpus: \"2\" }\nenv:\n  A: 1\n";
    let mut found = found(&[("db.yaml", spec)], &[("common.yaml", base)], &Options::default());
    found.sort();
    assert_eq!(
        found,
        [
            "bad-value common.yaml:3:10",
            "bad-value db.yaml:3:19",
            "no-targets db.yaml:1:1",
            "unknown-key common.yaml:4:14",
            // A null that removes nothing is a mistake; here `user` is removed.
            "wrong-type common.yaml:6:6",
            "wrong-type db.yaml:5:7",
        ]
    );
}

#[test]
fn an_empty_key_removes_nothing() {
    let spec = format!("{DB}base: common.yaml\nuser:\n");
    let found = found(&[("db.yaml", &spec)], &[("common.yaml", "user: \"1:1\"\n")], &Options::default());
    assert_eq!(found, ["wrong-type db.yaml:6:5"]);
}

#[test]
fn long_or_cyclic_chains_of_bases_are_refused() {
    let spec = format!("{DB}base: b0.yaml\n");
    let texts: Vec<(String, String)> =
        (0..9).map(|i| (format!("b{i}.yaml"), format!("base: b{}.yaml\n", i + 1))).collect();
    let mut others: Vec<(&str, &str)> = texts.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    others.push(("b9.yaml", "user: \"1:1\"\n"));
    assert_eq!(found(&[("db.yaml", &spec)], &others, &Options::default()), ["too-deep b7.yaml:1:7"]);
    others[7].1 = "user: \"1:1\"\n";
    assert_eq!(found(&[("db.yaml", &spec)], &others, &Options::default()), [""; 0]);
    others[7].1 = "base: ./x/../b3.yaml\n";
    assert_eq!(found(&[("db.yaml", &spec)], &others, &Options::default()), ["base-cycle b7.yaml:1:7"]);
    others[7].1 = "base: /b3.yaml\n";
    assert_eq!(found(&[("db.yaml", &spec)], &others, &Options::default()), ["bad-path b7.yaml:1:7"]);
    others[7].1 = "base: 3\n";
    assert_eq!(found(&[("db.yaml", &spec)], &others, &Options::default()), ["wrong-type b7.yaml:1:7"]);
    others[7].1 = "base: [\n";
    assert_eq!(found(&[("db.yaml", &spec)], &others, &Options::default()), ["syntax b7.yaml:1:7"]);
    let other = format!("{KV}base: b0.yaml\n");
    let twice = found(&[("db.yaml", &spec), ("kv.yaml", &other)], &others, &Options::default());
    assert_eq!(twice, ["syntax b7.yaml:1:7"], "a fault of a shared base is told once");
}

#[test]
fn set_overrides_one_service() {
    let both = [("db.yaml", DB), ("kv.yaml", KV)];
    let (compiled, text) = run(&both, &[], &set(&["db:image=reg:5000/db:2 #x", "kv:members.count=2"]));
    assert_eq!(compiled.diagnostics.len(), 1, "{:#?}", compiled.diagnostics);
    assert_eq!(compiled.diagnostics[0].code, "bad-image", "all of the line is the value");
    assert_eq!(text, "");
    let (_, text) =
        run(&both, &[], &set(&["db:image=reg:5000/db:2", "kv:members.count=2", "*:user=\"5:5\""]));
    assert!(text.contains("image: reg:5000/db:2") && text.contains("image: kv:1"), "{text}");
    assert_eq!(text.matches("runAsUser: 5").count(), 2);
    assert_eq!(text.matches("replicas: 2").count(), 1);
    let dotted = set(&["env.\"node.name\"=a = b", "args=[-v, \"x y\"]", "labels.'a.b/c'=d"]);
    let (_, text) = run(&both[..1], &[], &dotted);
    for wanted in ["name: node.name", "value: \"a = b\"", "\"x y\"", "a.b/c: d"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let base = [("common.yaml", "user: \"1:1\"\n")];
    let spec = format!("{DB}base: common.yaml\n");
    let (_, text) = run(&[("db.yaml", &spec)], &base, &set(&["user=null"]));
    assert!(text.contains("kind: StatefulSet") && !text.contains("runAsUser"), "{text}");
}

#[test]
fn errors_of_set_point_to_its_line() {
    let both = [("db.yaml", DB), ("kv.yaml", KV)];
    let cases: [(&[&str], &str); 14] = [
        (&["db:user=5:5", "db:imgae=x"], "unknown-key --set:2:4"),
        (&["db:members.cuont=1"], "unknown-key --set:1:12"),
        (&["db:members.count=x"], "wrong-type --set:1:18"),
        (&["db:user=1"], "wrong-type --set:1:9"),
        (&["db:user=01"], "leading-zero --set:1:9"),
        (&["db:stop=null"], "wrong-type --set:1:9"),
        (&["db:members.count=0"], "bad-value --set:1:18"),
        (&["user=5:5"], "set-nowhere --set:1:1"),
        (&["bd:user=5:5"], "set-nowhere --set:1:1"),
        (&["db:base=x.yaml"], "set-shape --set:1:1"),
        (&["db:user="], "set-shape --set:1:1"),
        (&["db:user"], "set-shape --set:1:1"),
        (&["db:args=[a"], "set-shape --set:1:1"),
        (&["db:.user=5:5"], "set-shape --set:1:1"),
    ];
    for (all, wanted) in cases {
        assert_eq!(found(&both, &[], &set(all)), [wanted], "{all:?}");
    }
    for wrong in ["", "=", ":", ":a=b", "a..b=c", "a.=c", "\"=c", "a\nb=c", "x:y:z=1", "db:a=\"\\"] {
        let codes = found(&both, &[], &set(&[wrong]));
        assert!(codes.len() == 1 && codes[0].starts_with("set-"), "{wrong:?}: {codes:?}");
    }
    let deep = format!("db:{}=1", vec!["a"; 5000].join("."));
    assert_eq!(found(&both, &[], &set(&[&deep])), ["set-shape --set:1:1"]);
}

#[test]
fn set_names_one_revision_or_all() {
    let text = |r: &str| {
        format!(
            "service: es\nrevision: {r}\nimage: es:1\nmembers: {{ per: node, on: {{ es: \"true\" }} }}\n\
             targets: {{ kubernetes: {{ version: \"1.34\", namespace: db }} }}\n"
        )
    };
    let (v1, v2) = (text("v1"), text("v2"));
    let specs = [("es.v1.yaml", v1.as_str()), ("es.v2.yaml", v2.as_str())];
    let images = |all: &[&str]| {
        let (compiled, text) = run(&specs, &[], &set(all));
        assert!(compiled.tree.is_some(), "{:#?}", compiled.diagnostics);
        (text.matches("image: es:1").count(), text.matches("image: es:2").count())
    };
    assert_eq!(images(&["es:image=es:2"]), (0, 2));
    assert_eq!(images(&["es-v2:image=es:2"]), (1, 1));
    assert_eq!(images(&["image=es:2"]), (0, 2));
}

#[test]
fn berthc_toml_supplies_targets_and_their_fields() {
    let toml = "[targets]\nkubernetes = { version = \"1.30\", namespace = \"common\" }\nfleet = { version = \"1.0.0\" }\n";
    let bare = "service: db\nimage: db:1\nmembers: { count: 1 }\n";
    let (compiled, text) = run(&[("db.yaml", bare)], &[], &project(toml));
    assert!(compiled.tree.is_some(), "{:#?}", compiled.diagnostics);
    assert!(text.contains("//// db/fleet/") && text.contains("namespace: common"), "{text}");
    assert!(compiled.read.contains("berthc.toml"));
    let named = format!("{bare}targets: {{ kubernetes: {{ namespace: own }} }}\n");
    let (_, text) = run(&[("db.yaml", &named)], &[], &project(toml));
    assert!(!text.contains("//// db/fleet/") && text.contains("namespace: own"), "{text}");
    assert!(text.contains("Kubernetes 1.30"), "{text}");
    // An error in a default is reported in berthc.toml.
    let old = toml.replace("1.30", "1.3");
    assert_eq!(found(&[("db.yaml", &named)], &[], &project(&old)), ["version-unknown berthc.toml:2:26"]);
}

#[test]
fn errors_of_berthc_toml_have_a_place() {
    let toml =
        "spec = [\"a\"]\nout = 3\n[env.prod.set.db]\nimgae = \"x\"\n[targets.swarm]\nengin = \"20.10\"\n";
    let mut codes = found(&[("db.yaml", DB)], &[], &project(toml));
    codes.sort();
    let wanted = [
        "unknown-key berthc.toml:1:1",
        "unknown-key berthc.toml:4:1",
        "unknown-key berthc.toml:6:1",
        "wrong-type berthc.toml:2:7",
    ];
    assert_eq!(codes, wanted);
    assert_eq!(found(&[("db.yaml", DB)], &[], &project("a = [")), ["syntax berthc.toml:1:6"]);
    assert_eq!(found(&[("db.yaml", DB)], &[], &project("")), [""; 0]);
}

#[test]
fn environments_override_by_service() {
    let toml = "[env.prod.set.db]\nimage = \"db:9\"\nmembers.count = 3\n[env.prod.set.kv]\nimage = \"kv:9\"\n\
                [env.dev]\n";
    let of = |env: &str, partial: bool| Options { env: Some(env.into()), partial, ..project(toml) };
    let both = [("db.yaml", DB), ("kv.yaml", KV)];
    let (_, text) = run(&both, &[], &of("prod", false));
    assert!(text.contains("image: db:9") && text.contains("replicas: 3") && text.contains("image: kv:9"));
    let (_, text) = run(&both, &[], &Options { set: vec!["db:image=db:10".into()], ..of("prod", false) });
    assert!(text.contains("image: db:10"), "--set lies over the environment");
    assert!(run(&both, &[], &of("dev", false)).1.contains("image: db:1\n"));
    assert!(run(&both, &[], &project(toml)).1.contains("image: db:1\n"));
    assert_eq!(found(&both[..1], &[], &of("prod", false)), ["set-nowhere berthc.toml:4:15"]);
    assert_eq!(found(&both[..1], &[], &of("prod", true)), [""; 0]);
    assert_eq!(found(&both, &[], &of("prdo", false)), ["set-nowhere"]);
    let faulty = toml.replace("\"db:9\"", "\"db 9\"");
    let options = Options { env: Some("prod".into()), ..project(&faulty) };
    assert_eq!(found(&both, &[], &options), ["bad-image berthc.toml:2:9"]);
}

#[test]
fn a_path_is_relative_to_the_file_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    files(
        dir.path(),
        &[
            ("specs/db.yaml", &format!("{DB}base: ../common/base.yaml\n")),
            ("common/base.yaml", "files: { /etc/db.conf: { from: db.conf } }\n"),
            ("common/db.conf", "from the base's folder\n"),
        ],
    );
    let run = berthc_in(dir.path(), &["compile", "specs", "-o", "out", "--depfile", "out.d"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let text = fs::read_to_string(dir.path().join("out/db/kubernetes/configmap.yaml")).unwrap();
    assert!(text.contains("from the base's folder"));
    let rule = fs::read_to_string(dir.path().join("out.d")).unwrap();
    let all = "out: \\\n  common/base.yaml \\\n  common/db.conf \\\n  specs \\\n  specs/db.yaml\n\n\
               common/base.yaml:\n\ncommon/db.conf:\n\nspecs:\n\nspecs/db.yaml:\n";
    assert_eq!(rule, all);
}

/// Makes a project with two services and two environments.
fn whole(dir: &Path) {
    let toml = "specs = [\"specs/**/*.yaml\"]\nout = \"deploy\"\ntemplates = \"t\"\n\
                [targets]\nkubernetes = { version = \"1.34\", namespace = \"db\" }\n\
                [env.prod]\nout = \"deploy/prod\"\nset.db.image = \"db:9\"\n[env.dev]\n";
    files(
        dir,
        &[
            ("berthc.toml", toml),
            ("specs/db.yaml", "service: db\nimage: db:1\nmembers: { count: 1 }\n"),
            ("specs/more/kv.yaml", "service: kv\nimage: kv:1\nmembers: { count: 1 }\n"),
            ("t/kubernetes/header.yaml.j2", "# Generated by berthc from here.\n"),
            ("sub/x", ""),
        ],
    );
}

#[test]
fn berthc_toml_is_found_from_below_and_the_command_line_overrides_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    whole(root);
    let image = |path: &str| {
        let text = fs::read_to_string(root.join(path).join("db/kubernetes/statefulset.yaml")).unwrap();
        assert!(text.starts_with("# Generated by berthc from here.\n"));
        text.lines().find(|l| l.contains("image:")).unwrap().trim().to_owned()
    };
    let run = berthc_in(&root.join("sub"), &["compile"]);
    assert_eq!(run.status.code(), Some(2), "outside of a repository only this folder counts");
    assert!(stderr(&run).contains("no specs"), "{}", stderr(&run));
    fs::create_dir(root.join(".git")).unwrap();
    for (args, out, wanted) in [
        (vec!["compile"], "deploy", "image: db:1"),
        (vec!["compile", "--env", "prod"], "deploy/prod", "image: db:9"),
        (vec!["compile", "--env", "dev"], "deploy", "image: db:1"),
        (vec!["compile", "--env", "prod", "-o", "own"], "sub/own", "image: db:9"),
        (vec!["compile", "--env", "prod", "--set", "db:image=db:10"], "deploy/prod", "image: db:10"),
    ] {
        let run = berthc_in(&root.join("sub"), &args);
        assert!(run.status.success(), "{args:?}: {}", stderr(&run));
        assert_eq!(image(out), wanted, "{args:?}");
        assert!(root.join(out).join("kv").exists());
    }
    assert!(berthc_in(root, &["check", "--env", "prod"]).status.code() == Some(1));
    let run = berthc_in(&root.join("sub"), &["compile", "../specs/more/kv.yaml", "-o", "one"]);
    assert!(run.status.success(), "{}", stderr(&run));
    assert!(root.join("sub/one/kv").exists() && !root.join("sub/one/db").exists());
    let run = berthc_in(&root.join("sub"), &["explain", "../specs/db.yaml", "--env", "prod"]);
    assert!(run.status.success() && stdout(&run).contains("Kubernetes 1.34"), "{}", stderr(&run));
    let run = berthc_in(root, &["compile", "."]);
    assert!(stderr(&run).contains("contains no specs"), "berthc.toml is no spec: {}", stderr(&run));
}

#[test]
fn an_invalid_berthc_toml_stops_every_command() {
    let dir = tempfile::tempdir().unwrap();
    files(dir.path(), &[("berthc.toml", "spec = [\"a\"]\n"), ("db.yaml", DB)]);
    for (args, code) in [
        (vec!["compile"], 1),
        (vec!["compile", "db.yaml", "-o", "out"], 1),
        (vec!["check", "db.yaml", "-o", "out"], 2),
        (vec!["explain", "db.yaml"], 1),
    ] {
        let run = berthc_in(dir.path(), &args);
        assert_eq!(run.status.code(), Some(code), "{args:?}");
        let text = stderr(&run);
        assert!(text.contains("berthc.toml has no key `spec`") && text.contains("specs = "), "{text}");
    }
    assert_eq!(walk(dir.path()).len(), 2);
    files(dir.path(), &[("berthc.toml", "specs = [\"no/*.yaml\"]\nout = \"out\"\n")]);
    let run = berthc_in(dir.path(), &["compile"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(stderr(&run).contains("no/*.yaml"), "{}", stderr(&run));
}

#[test]
fn large_layers_merge() {
    let many: String = (0..90_000).map(|i| format!("  K{i}: a\n")).collect();
    let spec = format!("{DB}base: common.yaml\nenv:\n{many}");
    let loaded = harness::compile_with(&[("db.yaml", "service: db\n")], &Options::default());
    assert!(loaded.1.iter().any(|d| d.severity == Severity::Error));
    let mut out = Vec::new();
    let memory = Memory([("common.yaml".to_owned(), format!("env:\n{many}").into_bytes())].into());
    let inputs = [Input { path: "db.yaml".into(), text: spec }];
    let inputs = inputs.as_slice();
    let layers = berthc::spec::layers::Layers::new(&inputs, &memory, &Options::default(), &mut out);
    out.extend(layers.load(0).faults);
    assert!(out.is_empty(), "{out:?}");
}

/// The written path of a base determines its file, independent of the spec that names it and of the
/// order. Messages and depfiles show the path that was read.
#[test]
fn links_do_not_change_the_path_of_a_base() {
    let dir = tempfile::tempdir().unwrap();
    let common = |image: &str| {
        format!("image: {image}\nmembers: {{ count: 1 }}\n{}", &DB[DB.find("targets").unwrap()..])
    };
    files(
        dir.path(),
        &[
            ("real/common.yaml", &common("real:1")),
            ("real/sub/a.yaml", "service: a\nbase: ../common.yaml\n"),
            ("specs/common.yaml", &common("specs:1")),
            ("specs/b.yaml", "service: b\nbase: common.yaml\n"),
        ],
    );
    std::os::unix::fs::symlink("../real/sub", dir.path().join("specs/link")).unwrap();
    for order in [["specs/link/a.yaml", "specs/b.yaml"], ["specs/b.yaml", "specs/link/a.yaml"]] {
        let run = berthc_in(dir.path(), &["compile", order[0], order[1], "-o", "out", "--depfile", "t.d"]);
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
        for service in ["a", "b"] {
            let set = std::fs::read_to_string(
                dir.path().join(format!("out/{service}/kubernetes/statefulset.yaml")),
            );
            assert!(set.unwrap().contains("image: specs:1"), "{service}");
        }
        let rule = std::fs::read_to_string(dir.path().join("t.d")).unwrap();
        assert!(rule.contains("specs/common.yaml") && !rule.contains("real/"), "{rule}");
    }
}
