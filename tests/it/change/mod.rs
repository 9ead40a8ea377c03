//! Tests changes that the orchestrator refuses, from the old and the new text.

mod left;

use std::collections::BTreeMap;

use berthc::{Compiled, Input, Options, Severity, Tree, change};

use crate::harness::{self, Memory, berthc_in, files, stderr};

fn compile(specs: &[&str]) -> Compiled {
    let input = |(i, text): (usize, &&str)| Input { path: format!("s{i}.yaml"), text: (*text).into() };
    let inputs: Vec<Input> = specs.iter().enumerate().map(input).collect();
    let compiled = berthc::compile(&inputs, &Memory::default(), &Options::default());
    assert!(compiled.tree.is_some(), "{:#?}", compiled.diagnostics);
    compiled
}

/// Returns the diagnostics of the change from `old` to `new`: code, message and help.
fn judged(old: &Tree, new: &Compiled) -> Vec<(String, String, String)> {
    let found = change::judge(&new.model, old, new.tree.as_ref().unwrap(), &Default::default());
    for d in &found {
        let error = ["volume-shrinks", "data-left"].contains(&d.code.as_ref());
        let wanted = if error { Severity::Error } else { Severity::Warning };
        assert_eq!(d.severity, wanted);
        assert!(new.sources[d.place.source].text.len() >= d.place.end && d.place.end > 0);
    }
    found.into_iter().map(|d| (d.code.into_owned(), d.message, d.fixes[0].text.clone())).collect()
}

/// Returns the diagnostics of the change from one spec to another.
fn between(old: &str, new: &str) -> Vec<(String, String, String)> {
    judged(&compile(&[old]).tree.unwrap(), &compile(&[new]))
}

const VOLUME: &str = "service: db\nimage: db:1\nmembers: { count: 3, first: 1 }\n\
    exclusive:\n  data:\n    data: { mount: /data, volume: { backend: ceph-rbd, size: 20Gi, class: ssd } }\n\
    targets: { kubernetes: { version: \"1.34\", namespace: apps } }\n";

#[test]
fn the_steps_for_a_larger_claim_patch_it() {
    let found = between(VOLUME, &VOLUME.replace("20Gi", "30Gi"));
    let [(code, message, help)] = found.as_slice() else { panic!("{found:#?}") };
    assert_eq!(code, "apply-refused");
    assert_eq!(message, "kubectl apply will refuse the new spec.volumeClaimTemplates of statefulset/db");
    let steps = [
        "kubectl -n apps delete statefulset/db --cascade=orphan",
        "kubectl -n apps wait --for=delete statefulset/db",
        "for i in $(seq 1 3); do kubectl -n apps patch pvc data-db-$i -p '{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"30Gi\"}}}}'; done",
        "kubectl apply -k db/kubernetes",
    ];
    let mut rest = help.as_str();
    for step in steps {
        rest = rest.split_once(step).unwrap_or_else(|| panic!("{step} is not in {help}")).1;
    }
    // A new class moves no data, because a claim keeps its class. This is `data-left`.
    let found = between(VOLUME, &VOLUME.replace("ssd", "hdd"));
    assert!(found.len() == 1 && found[0].0 == "data-left", "{found:#?}");
}

#[test]
fn a_smaller_volume_is_an_error() {
    for (old, new) in [("20Gi", "10Gi"), ("20Gi", "20G"), ("1Ti", "1000Gi")] {
        let found = between(&VOLUME.replace("20Gi", old), &VOLUME.replace("20Gi", new));
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].0, "volume-shrinks");
        assert_eq!(found[0].1, format!("data of db shrinks from {old} to {new}"));
    }
    // One size for the API server (apimachinery `pkg/api/equality/semantic.go`).
    let same = between(&VOLUME.replace("20Gi", "1Ti"), &VOLUME.replace("20Gi", "1024Gi"));
    assert!(same.is_empty(), "{same:#?}");
    let swarm = std::fs::read_to_string(harness::root().join("specs/kafka.yaml")).unwrap();
    let other = std::fs::read_to_string(harness::root().join("specs/elasticsearch-data.v1.yaml")).unwrap();
    assert!(swarm.contains("200Gi"));
    let only = |tree: Tree| -> Tree { tree.into_iter().filter(|(p, _)| p.contains("/swarm/")).collect() };
    let specs = kafka(&swarm, &other);
    let old = only(compile(&texts(&specs)).tree.unwrap());
    let smaller = kafka(&swarm.replace("200Gi", "100Gi"), &other);
    let found = judged(&old, &compile(&texts(&smaller)));
    assert_eq!(found[0].1, "data of kafka shrinks from 200 to 100", "{found:#?}");
    let larger = kafka(&swarm.replace("200Gi", "300Gi"), &other);
    let found = judged(&old, &compile(&texts(&larger)));
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(found[0].1, "docker will keep the old options of the volume data-kafka-0");
}

/// Returns the diagnostics of kafka, compiled with the specs that it names.
fn kafka(kafka: &str, data: &str) -> Vec<String> {
    let read = |name: &str| std::fs::read_to_string(harness::root().join("specs").join(name)).unwrap();
    vec![kafka.into(), data.into(), read("elasticsearch-data.v2.yaml"), read("elasticsearch-master.yaml")]
}

fn texts(specs: &[String]) -> Vec<&str> {
    specs.iter().map(String::as_str).collect()
}

#[test]
fn allowed_changes_are_not_reported() {
    for (from, to) in [
        ("db:1", "db:2"),
        ("count: 3", "count: 5"),
        ("image:", "stop: { grace: 9s }\nupdate: { pause: 5s }\nlabels: { a: b }\nimage:"),
    ] {
        assert_eq!(between(VOLUME, &VOLUME.replace(from, to)), [], "{from} to {to}");
    }
    let compiled = compile(&[VOLUME]);
    assert_eq!(judged(&BTreeMap::new(), &compiled), []);
    assert_eq!(judged(&compiled.tree.clone().unwrap(), &compiled), []);
    // Quotes and comments do not matter.
    let quoted =
        |text: &String| text.replace("\"20Gi\"", "20Gi # twenty").replace(": Retain", ": \"Retain\"");
    let tree = compiled.tree.clone().unwrap();
    let old: Tree = tree.iter().map(|(p, t)| (p.clone(), quoted(t))).collect();
    assert_ne!(old, tree);
    assert_eq!(judged(&old, &compiled), []);
}

/// Returns an older state of one file: its text with `to` in place of `from`.
fn older(compiled: &Compiled, path: &str, from: &str, to: &str) -> Tree {
    let text = &compiled.tree.as_ref().unwrap()[path];
    assert!(text.contains(from), "{path} has no {from}:\n{text}");
    [(path.to_owned(), text.replacen(from, to, 1))].into()
}

#[test]
fn changes_of_immutable_fields_are_reported() {
    let pinned = "service: pin\nimage: db:1\nmembers: { count: 1, pin: { label: n, at: { 0: 10.0.0.1 } } }\n\
        files: { /etc/x: { content: \"a b\" } }\n\
        exclusive: { data: { d: { mount: /data, host: \"/mnt/d1/p-{{ member.id }}\", size: 1Gi } } }\n\
        targets: { kubernetes: { version: \"1.34\", namespace: apps } }\n";
    let node = "service: node\nimage: db:1\nmembers: { per: node, on: { n: \"true\" } }\n\
        targets: { kubernetes: { version: \"1.34\", namespace: apps } }\n";
    let external = "service: ext\nexternal: { address: 10.0.0.7, ports: { sql: 5432 } }\n\
        targets: { kubernetes: { version: \"1.34\", namespace: apps } }\n";
    let new = compile(&[VOLUME, pinned, node, external]);
    for (path, from, to, message, help) in [
        (
            "db/kubernetes/statefulset.yaml",
            "serviceName: db",
            "serviceName: other",
            "spec.serviceName of statefulset/db",
            "--cascade=orphan",
        ),
        (
            "db/kubernetes/statefulset.yaml",
            "Parallel",
            "OrderedReady",
            "spec.podManagementPolicy of statefulset/db",
            "--cascade=orphan",
        ),
        (
            "db/kubernetes/statefulset.yaml",
            "matchLabels:",
            "matchLabels:\n      x: y",
            "spec.selector of statefulset/db",
            "--cascade=foreground",
        ),
        (
            "db/kubernetes/service.yaml",
            "clusterIP: None",
            "clusterIP: 10.0.0.9",
            "spec.clusterIP of service/db",
            "delete service/db",
        ),
        (
            "node/kubernetes/daemonset.yaml",
            "matchLabels:",
            "matchLabels:\n      x: y",
            "spec.selector of daemonset/node",
            "--cascade=foreground",
        ),
        (
            "pin/kubernetes/persistentvolumes.yaml",
            "/mnt/d1/p-0",
            "/mnt/d2/p-0",
            "spec.local of persistentvolume/d-pin-0.apps",
            "kubectl -n apps delete pvc/d-pin-0",
        ),
        (
            "pin/kubernetes/persistentvolumes.yaml",
            "- \"0\"",
            "- \"9\"",
            "spec.nodeAffinity of persistentvolume/d-pin-0.apps",
            "delete pvc/d-pin-0",
        ),
        (
            "pin/kubernetes/storageclass.yaml",
            "WaitForFirstConsumer",
            "Immediate",
            "volumeBindingMode of storageclass/d.pin.apps",
            "kubectl delete storageclass/",
        ),
        ("pin/kubernetes/configmap.yaml", "a b", "a c", "data of configmap/", "another name"),
        (
            "ext/kubernetes/endpointslice.yaml",
            "IPv4",
            "IPv6",
            "addressType of endpointslice/",
            "delete endpointslice/",
        ),
    ] {
        if !new.tree.as_ref().unwrap().contains_key(path) {
            panic!("no {path} among {:?}", new.tree.as_ref().unwrap().keys());
        }
        let found = judged(&older(&new, path, from, to), &new);
        assert_eq!(found.len(), 1, "{path}: {found:#?}");
        assert!(found[0].1.contains(&format!("refuse the new {message}")), "{path}: {found:#?}");
        assert!(found[0].2.contains(help), "{path}: {found:#?}");
    }
}

#[test]
fn changes_of_swarm_modes_and_configs_are_reported() {
    let spec = "service: web\nimage: db:1\nmembers: { count: 1, pin: web }\nfiles: { /etc/x: { content: \"a b\" } }\n\
        exclusive: { ports: { sql: 5000 }, data: { d: { mount: /d, host: \"/mnt/d1/w-{{ member.id }}\" } } }\n\
        targets: { swarm: { engine: \"20.10\", network: net } }\n";
    let new = compile(&[spec]);
    let tree = new.tree.as_ref().unwrap();
    let stack = "web/swarm/web-0.yml";
    let found = judged(&older(&new, stack, "mode: replicated", "mode: global"), &new);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].2.contains("docker service rm web_web-0"), "{found:#?}");
    // New content gets a new name, so nothing is refused.
    assert_eq!(between(&spec.replace("a b", "a c"), spec), []);
    // A manual change of the content without the name is reported.
    let config = tree.keys().find(|p| p.starts_with("web/swarm/") && !p.ends_with(".yml")).unwrap();
    let found = judged(&older(&new, config, "a b", "a c"), &new);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].1.contains("the new content of web-x-"), "{found:#?}");
}

#[test]
fn changes_of_global_units_are_reported() {
    let spec = "service: es\nrevision: v1\nimage: db:1\nmembers: { per: node, on: { es: \"true\" } }\n\
                targets: { fleet: { version: \"1.0.0\" } }\n";
    let found = between(spec, &spec.replace("db:1", "db:2"));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].1.contains("keep the old es.v1.service") && found[0].2.contains("another `revision`"));
    let new = compile(&[spec]);
    assert_eq!(judged(&older(&new, "es/fleet/es.v1.service", "[Unit]", "# seen\n[Unit]"), &new), []);
    let counted = "service: es\nimage: db:1\nmembers: { count: 1, pin: es }\ntargets: { fleet: { version: \"1.0.0\" } }\n";
    assert_eq!(between(counted, &counted.replace("db:1", "db:2")), [], "fleetctl --replace does one member");
}

#[test]
fn the_program_reports_a_change_until_out_has_the_new_state() {
    let dir = tempfile::tempdir().unwrap();
    let compile = ["compile", "db.yaml", "-o", "out"];
    let check = ["check", "db.yaml", "-o", "out"];
    files(dir.path(), &[("db.yaml", VOLUME)]);
    assert!(berthc_in(dir.path(), &compile).status.success());
    files(dir.path(), &[("db.yaml", &VOLUME.replace("20Gi", "30Gi"))]);
    let run = berthc_in(dir.path(), &check);
    assert_eq!(run.status.code(), Some(1));
    assert!(stderr(&run).contains("warning[apply-refused]"), "{}", stderr(&run));
    let run = berthc_in(dir.path(), &compile);
    assert!(run.status.success(), "{}", stderr(&run));
    harness::golden("errors", "apply-refused", &stderr(&run));
    assert!(!stderr(&berthc_in(dir.path(), &compile)).contains("warning"));

    files(dir.path(), &[("db.yaml", VOLUME)]);
    assert_eq!(berthc_in(dir.path(), &check).status.code(), Some(2));
    let run = berthc_in(dir.path(), &compile);
    assert_eq!(run.status.code(), Some(1));
    harness::golden("errors", "volume-shrinks", &stderr(&run));
    let kept = std::fs::read_to_string(dir.path().join("out/db/kubernetes/statefulset.yaml")).unwrap();
    assert!(kept.contains("30Gi"), "an error wrote something");
}
