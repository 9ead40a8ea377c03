//! Tests the storage of data on the network: plugins, NFS, cluster volumes.

use super::{VOLUME, codes, said, stack, texts, tree};

#[test]
fn volumes_of_plugins_have_driver_and_options() {
    let ebs = "aws-ebs, type: gp3, zones: [a, b], options: { iops: \"3000\" }";
    let spec = VOLUME.replace("BACKEND", ebs).replace("10Gi", "1500M").replace("count: 1", "count: 2");
    let spec = format!("{spec}accept: [{{ gap: swarm/data/move, because: x }}]\n");
    let stack = stack(&tree(&[&spec]), "db/swarm/db-1.yml");
    let options = serde_json::json!({ "size": "2", "volumetype": "gp3", "iops": "3000" });
    let volume = serde_json::json!({ "name": "data-db-1", "driver": "rexray/ebs", "driver_opts": options });
    assert_eq!(stack["volumes"]["data"], volume);
    let mount = serde_json::json!({ "type": "volume", "source": "data", "target": "/data", "volume": { "nocopy": true } });
    assert_eq!(stack["services"]["db-1"]["volumes"][0], mount);
    let constraints = &stack["services"]["db-1"]["deploy"]["placement"]["constraints"];
    assert_eq!(texts(constraints), ["node.labels.zone == b"]);
    let has = |backend: &str, code: &str| codes(&[&VOLUME.replace("BACKEND", backend)]).contains(code);
    assert!(has("aws-ebs", "zone-unknown") && !has("ceph-rbd", "zone-unknown"));
    assert!(has("azure-disk, zones: [a]", "volume-no-plugin"));
    assert!(has("iscsi", "volume-no-plugin"));
    assert!(has("\"csi:disk.example.com\"", "volume-no-plugin"));
    assert!(has("ceph-rbd, type: fast", "bad-value"));
    assert!(has("aws-ebs, zones: [a], options: { size: \"3\" }", "hatch-overwrites"));
    let old = VOLUME.replace("BACKEND", "flocker");
    assert!(!codes(&[&old]).contains("volume-gone"));
    assert!(codes(&[&old.replace("20.10", "23.0")]).contains("volume-gone"));
}

#[test]
fn nfs_mounts_an_existing_directory() {
    let spec =
        VOLUME.replace("BACKEND", "nfs, options: { server: 10.0.0.9, share: /export/, o: nfsvers=4.1 }");
    let spec = spec.replace("network: net", "network: net, pin: db");
    let spec = format!("{spec}accept: [{{ gap: swarm/data/relabel, because: x }}]\n");
    let volume = stack(&tree(&[&spec]), "db/swarm/db-0.yml")["volumes"]["data"].clone();
    assert!(volume["name"].as_str().unwrap().starts_with("data-db-0-"));
    let options = serde_json::json!({
        "type": "nfs", "o": "addr=10.0.0.9,rw,nfsvers=4.1", "device": ":/export/data-db-0"
    });
    assert_eq!((&volume["driver"], &volume["driver_opts"]), (&"local".into(), &options));
    let has = |options: &str, code: &str| {
        codes(&[&spec.replace("{ server: 10.0.0.9, share: /export/, o: nfsvers=4.1 }", options)])
            .contains(code)
    };
    assert!(has("{ server: 10.0.0.9 }", "volume-no-plugin"));
    assert!(has("{ server: \"a,b\", share: /x }", "volume-no-plugin"));
    assert!(has("{ server: nas, share: /x, mountPermissions: \"0\" }", "bad-value"));
}

#[test]
fn a_help_never_lowers_the_engine() {
    for backend in ["ceph-rbd", "azure-disk, zones: [a]"] {
        for (engine, line) in [
            ("20.10", "targets: { swarm: { engine: \"23.0\", volume: csi } }"),
            ("29.0", "targets: { swarm: { volume: csi } }"),
        ] {
            let spec = VOLUME.replace("BACKEND", backend).replace("20.10", engine);
            let lines: Vec<String> =
                said(&[&spec]).into_iter().flat_map(|d| d.fixes).map(|f| f.line).collect();
            assert!(lines.iter().any(|l| l == line), "{backend} {engine}: {lines:?}");
        }
    }
}

#[test]
fn what_the_engine_lacks_is_refused_with_the_first_that_has_it() {
    let csi = VOLUME.replace("BACKEND", "ceph-rbd").replace("network: net", "network: net, volume: csi");
    let check = super::PINNED.replace(
        "network: net",
        "network: net, service: { healthcheck: { test: [CMD, x], start_interval: 1s } }",
    );
    for (spec, first) in [(csi, "23.0"), (check, "25.0")] {
        let old = said(&[&spec]).into_iter().find(|d| d.code == "version-too-old").unwrap();
        assert_eq!(old.fixes[0].line, format!("engine: \"{first}\""));
        assert!(!codes(&[&spec.replace("20.10", first)]).contains("version-too-old"));
    }
    let stack = stack(
        &tree(&[&super::PINNED.replace(
            "\"20.10\", network: net",
            "\"25.0\", network: net, service: { healthcheck: { test: [CMD, x], start_interval: 1s } }",
        )]),
        "db/swarm/db-1.yml",
    );
    assert_eq!(stack["version"], "3.12");
}

#[test]
fn cluster_volumes_are_external_and_only_one_is_allowed() {
    let spec = VOLUME.replace("BACKEND", "aws-ebs, zones: [a]");
    let spec = spec.replace("\"20.10\"", "\"26.1\", volume: csi");
    let spec = format!(
        "{spec}accept: [{{ gap: swarm/data/move, because: x }}, {{ gap: swarm/data/relabel, because: zones stay }}]\n"
    );
    let stack = stack(&tree(&[&spec]), "db/swarm/db-0.yml");
    assert_eq!(stack["volumes"]["data"], serde_json::json!({ "external": true, "name": "data-db-0" }));
    let mount = serde_json::json!({ "type": "cluster", "source": "data", "target": "/data" });
    assert_eq!(stack["services"]["db-0"]["volumes"][0], mount);
    assert!(codes(&[&spec.replace("aws-ebs, zones: [a]", "scaleio")]).contains("volume-no-plugin"));
    let two = spec.replace(
        "exclusive:\n  data: { ",
        "exclusive:\n  data: { log: { mount: /log, volume: { backend: aws-ebs, size: 1Gi, zones: [a] } }, ",
    );
    assert_eq!(codes(&[&two]), ["cluster-volumes".to_owned()].into());
    let torn = two.replace("size: 1Gi, zones: [a]", "size: 1Gi, zones: [b]").replace(", volume: csi", "");
    assert!(codes(&[&torn]).contains("zone-unknown"));
}
