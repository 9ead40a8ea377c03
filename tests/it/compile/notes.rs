//! Notes: what compiles, and could be better.

use std::collections::BTreeMap;

use berthc::diag::{Diagnostic, note_codes};
use berthc::{Input, Options, Severity};

use crate::harness::{Memory, berthc, berthc_in, files, root, stderr, stdout};

const GOOD: &str = "service: db\nimage: r.io/db:1\nuser: \"1000:1000\"\nresources: { cpu: \"1\", memory: 1Gi }\n\
    members: { count: 3, pin: db }\n\
    exclusive: { data: { data: { mount: /data, host: \"/mnt/d1/db-{{ member.id }}\", size: 1Gi } }, ports: { client: 5000 } }\n\
    targets: { kubernetes: { version: \"1.34\", namespace: db }, fleet: { version: \"1.0.0\" }, swarm: { engine: \"20.10\", network: n } }\n";

fn notes(spec: &str, templates: &[(&str, String)]) -> Vec<Diagnostic> {
    let templates: BTreeMap<_, _> =
        templates.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
    let inputs = [Input { path: "db.yaml".into(), text: spec.into() }];
    let options = Options { templates, ..Options::default() };
    let compiled = berthc::compile(&inputs, &Memory::default(), &options);
    assert_eq!(compiled.diagnostics, [], "{spec}");
    assert!(compiled.notes.iter().all(|d| d.severity == Severity::Note && note_codes().any(|c| c == d.code)));
    compiled.notes
}

fn codes(spec: &str) -> Vec<String> {
    notes(spec, &[]).into_iter().map(|d| d.code.into_owned()).collect()
}

#[test]
fn a_floating_image_is_a_note() {
    assert_eq!(codes(GOOD), Vec::<String>::new());
    let digest = "0".repeat(64);
    for (image, floats) in [
        ("nats", true),
        ("nats:latest", true),
        ("r.io:5000/nats", true),
        ("r.io:5000/nats:stable", true),
        ("nats:2.10", false),
        (&format!("nats:latest@sha256:{digest}"), false),
        (&format!("nats@sha256:{digest}"), false),
    ] {
        let wanted: &[&str] = if floats { &["image-floats"] } else { &[] };
        assert_eq!(codes(&GOOD.replace("r.io/db:1", image)), wanted, "{image}");
    }
}

#[test]
fn a_container_without_user_or_resources_is_a_note() {
    assert_eq!(codes(&GOOD.replace("user: \"1000:1000\"\n", "")), ["no-user"]);
    assert_eq!(codes(&GOOD.replace("resources: { cpu: \"1\", memory: 1Gi }\n", "")), ["no-resources"]);
    assert_eq!(codes(&GOOD.replace("1000:1000", "0:0")), Vec::<String>::new());
    let helper = format!("{GOOD}helpers: {{ exporter: {{ image: exporter }} }}\n");
    let found = notes(&helper, &[]);
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|d| helper[d.place.start..].starts_with("image: exporter")));
}

#[test]
fn a_stop_that_is_too_short_for_its_software_is_a_note_at_the_grace() {
    let short = GOOD
        .replace("r.io/db:1", "clickhouse/clickhouse-server:24.8")
        .replace("/data,", "/var/lib/clickhouse,");
    let found = notes(&short, &[]);
    assert_eq!(found.iter().map(|d| &*d.code).collect::<Vec<_>>(), ["grace-short"]);
    assert_eq!(codes(&format!("{short}stop: {{ grace: 50s }}\n")), Vec::<String>::new());
    let written = format!("{short}stop: {{ grace: 31s }}\n");
    assert!(written[notes(&written, &[])[0].place.start..].starts_with("grace: 31s"));
}

#[test]
fn a_mechanism_that_a_template_takes_away_is_a_note() {
    let own: BTreeMap<&str, &str> = berthc::emit::templates().collect();
    let unit = own["fleet/member.service.j2"];
    let unit =
        unit.lines().filter(|line| !line.starts_with("Conflicts=")).map(|line| format!("{line}\n")).collect();
    let found = notes(GOOD, &[("fleet/member.service.j2", unit)]);
    assert_eq!(found.iter().map(|d| &*d.code).collect::<Vec<_>>(), ["layer-lost"], "{found:?}");
    assert!(found[0].message.contains("fleet"), "{}", found[0].message);

    let pod = own["kubernetes/pod.yaml.j2"];
    let (before, rest) = pod.split_once("        podAntiAffinity:\n").unwrap();
    let (_, after) = rest.split_once("{% endfor %}\n{% endfor %}\n").unwrap();
    let soft = "        podAntiAffinity:\n          preferredDuringSchedulingIgnoredDuringExecution:\n{% for term in pod.apart %}\n            - weight: 100\n              podAffinityTerm:\n                topologyKey: {{ term.topology }}\n                labelSelector:\n                  matchLabels:\n{% for key, value in term.labels %}\n                    {{ key }}: {{ value }}\n{% endfor %}\n{% endfor %}\n";
    let found = notes(GOOD, &[("kubernetes/pod.yaml.j2", format!("{before}{soft}{after}"))]);
    assert!(found.iter().any(|d| d.code == "layer-lost" && d.message.contains("Kubernetes")), "{found:?}");
}

/// What the API server refuses is no note: it is an error.
#[test]
fn an_object_that_the_api_refuses_is_an_error() {
    let (name, own) = berthc::emit::templates().find(|t| t.0 == "kubernetes/pod.yaml.j2").unwrap();
    let (before, after) = own.split_once("podAntiAffinity:\n          required").unwrap();
    let text = format!("{before}podAntiAffinity:\n          preferred{after}");
    let options = Options { templates: [(name.to_owned(), text)].into(), ..Options::default() };
    let inputs = [Input { path: "db.yaml".into(), text: GOOD.into() }];
    let compiled = berthc::compile(&inputs, &Memory::default(), &options);
    assert!(compiled.tree.is_none());
    assert!(compiled.diagnostics.iter().any(|d| d.code == "output-breaks"));
}

#[test]
fn our_own_specs_and_examples_have_no_warning_and_no_note() {
    let out = tempfile::tempdir().unwrap();
    for folder in ["specs", "examples/bazel/specs", "examples/build-rs/specs"] {
        let out = out.path().join(folder);
        let run = berthc(&["compile".as_ref(), folder.as_ref(), "-o".as_ref(), out.as_os_str()]);
        let said = stderr(&run);
        assert!(run.status.success() && !said.contains("note[") && !said.contains("warning["), "{said}");
    }
    let out = out.path().join("build");
    let run =
        berthc_in(&root().join("examples/build"), &["compile".as_ref(), "-o".as_ref(), out.as_os_str()]);
    let said = stderr(&run);
    assert!(run.status.success() && !said.contains("note[") && !said.contains("warning["), "{said}");
}

#[test]
fn a_note_is_one_line_and_changes_no_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let spec =
        GOOD.replace("user: \"1000:1000\"\n", "").replace("resources: { cpu: \"1\", memory: 1Gi }\n", "");
    files(dir.path(), &[("db.yaml", &spec)]);
    let run = |args: &[&str]| {
        let base = ["compile", "db.yaml", "-o", "out"];
        berthc_in(dir.path(), &[&base, args].concat())
    };
    let plain = run(&[]);
    let lines: Vec<String> = stderr(&plain).lines().map(ToOwned::to_owned).collect();
    assert_eq!(plain.status.code(), Some(0));
    assert!(lines[0].starts_with("note[no-resources] db.yaml:2: db has no `resources`"), "{lines:?}");
    assert!(lines[1].starts_with("note[no-user] db.yaml:2: "), "{lines:?}");
    let long = stderr(&run(&["--verbose"]));
    assert!(long.contains("--> db.yaml:2:1") && long.contains("user: \"1000:1000\""), "{long}");
    assert_eq!(stderr(&run(&["--ignore", "no-user"])).matches("note[").count(), 1);
    assert_eq!(stderr(&run(&["--quiet"])), "");
    assert_eq!(run(&["--ignore", "no-usr"]).status.code(), Some(2));
    assert!(stdout(&run(&["--format", "json"])).contains("\"severity\": \"note\""));
    assert!(stdout(&run(&["--format", "sarif"])).contains("\"level\": \"note\""));
    assert!(stdout(&run(&["--format", "github"])).contains("::notice "));
    // The files are as they were: `check` says the same notes, and that nothing differs.
    let check = berthc_in(dir.path(), &["check", "db.yaml", "-o", "out"]);
    assert_eq!((check.status.code(), stderr(&check).matches("note[").count()), (Some(0), 2));

    files(dir.path(), &[("berthc.toml", "ignore = [\"no-user\", \"no-resources\"]\n")]);
    assert_eq!(stderr(&run(&[])).matches("note[").count(), 0);
    files(dir.path(), &[("berthc.toml", "ignore = [\"no-usr\"]\n")]);
    let wrong = run(&[]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr(&wrong).contains("no note has the code `no-usr`"), "{}", stderr(&wrong));
}

/// What is no error, and what the program most probably does not want.
#[test]
fn a_file_that_is_not_rendered_and_a_loop_in_an_argument_are_warnings() {
    let warned = |more: &str| {
        let good = GOOD.replace("version: \"1.0.0\"", "version: \"1.0.0\", domain: db.example.com");
        let spec = format!("{good}{more}\n");
        let (tree, found) = crate::harness::compile(&[("db.yaml", &spec)]);
        assert!(tree.is_some(), "{found:?}");
        found.into_iter().map(|d| d.code.into_owned()).collect::<Vec<_>>()
    };
    let join = "{% for m in members %}--join={{ m.address }} {% endfor %}";
    assert_eq!(warned(&format!("args: [serve, \"{join}\"]")), ["argument-loops"]);
    let each = "{ each: members, arg: \"--join={{ it.address }} {{ it.name }}\" }";
    assert_eq!(warned(&format!("args: [serve, {each}]")), Vec::<String>::new());
    assert_eq!(warned(&format!("command: [sh, -c, \"serve {join}\"]")), Vec::<String>::new());
    let joined = "{% for m in members %}{{ m.address }}{% if not loop.last %},{% endif %}{% endfor %}";
    assert_eq!(warned(&format!("args: [\"--join={joined}\"]")), Vec::<String>::new());
    let file = |content: &str| format!("files: {{ /etc/db.conf: {{ content: '{content}' }} }}");
    assert_eq!(warned(&file("id = {{ member.id }}")), ["file-not-rendered"]);
    let rendered = file("id = {{ member.id }}").replace("content", "template: true, content");
    assert_eq!(warned(&rendered), Vec::<String>::new());
    assert_eq!(warned(&file("x {{ $labels.instance }} {{ .Value }}")), Vec::<String>::new());
}

/// The line to write keeps the word and the list of the loop.
#[test]
fn a_loop_in_an_argument_is_told_the_item_to_write() {
    for (text, line) in [
        (
            "{% for m in members %}--join={{ m.address }} {% endfor %}",
            "{ each: members, arg: \"--join={{ it.address }}\" }",
        ),
        (
            "{% for m in members %}x {{ m.id }} {% endfor %}",
            "{ each: members, arg: \"--join={{ it.address }}\" }",
        ),
    ] {
        let good = GOOD.replace("version: \"1.0.0\"", "version: \"1.0.0\", domain: db.example.com");
        let (_, found) =
            crate::harness::compile(&[("db.yaml", &format!("{good}args: [serve, \"{text}\"]\n"))]);
        assert_eq!(found[0].fixes[0].line, line);
        let (tree, found) =
            crate::harness::compile(&[("db.yaml", &format!("{good}args: [serve, {line}]\n"))]);
        assert!(tree.is_some() && found.is_empty(), "{found:?}");
    }
}
