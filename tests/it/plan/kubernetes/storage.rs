//! Tests the place of data, and the specs that are rejected.

use serde_json::json;

use super::{compile, entry, list, map, node, pinned, volume};

fn on(backend: &str, more: &str) -> super::Spec {
    let data = format!(
        "{{ data: {{ data: {{ mount: /data, volume: {{ backend: {backend}, size: 10Gi{more} }} }} }}, ports: {{ http: 80 }} }}"
    );
    volume().set("exclusive", data)
}

#[test]
fn data_on_a_node_stays_there() {
    let out = node().out();
    let volumes = &out.pod()["volumes"];
    assert_eq!(entry(volumes, "data")["hostPath"], json!({ "path": "/mnt/d1/db", "type": "Directory" }));
    assert!(out.of("StorageClass").is_empty() && out.of("PersistentVolume").is_empty());
}

#[test]
fn network_volumes_are_for_one_pod() {
    for (version, mode) in
        [("1.25", "ReadWriteOnce"), ("1.26", "ReadWriteOnce"), ("1.27", "ReadWriteOncePod")]
    {
        let out = volume().kubernetes(version, "").out();
        let set = out.one("StatefulSet");
        assert_eq!(set["spec"]["volumeClaimTemplates"][0]["spec"]["accessModes"], json!([mode]));
        let retention = &set["spec"]["persistentVolumeClaimRetentionPolicy"];
        let kept = json!({ "whenDeleted": "Retain", "whenScaled": "Retain" });
        assert_eq!(retention, &if mode == "ReadWriteOnce" { json!(null) } else { kept }, "{version}");
    }
    let set = pinned().out();
    assert_eq!(
        set.one("StatefulSet")["spec"]["volumeClaimTemplates"][0]["spec"]["accessModes"],
        json!(["ReadWriteOnce"])
    );
}

#[test]
fn local_volumes_have_the_access_mode_of_the_spec() {
    let with = |version: &str| pinned().kubernetes(version, ", access: ReadWriteOncePod");
    let out = with("1.27").out();
    let modes = json!(["ReadWriteOncePod"]);
    assert_eq!(out.one("StatefulSet")["spec"]["volumeClaimTemplates"][0]["spec"]["accessModes"], modes);
    assert!(out.of("PersistentVolume").iter().all(|v| v["spec"]["accessModes"] == modes));
    assert_eq!(with("1.26").faults()[0].0, "version-too-old");
    for other in [volume(), node()] {
        let faults = other.kubernetes("1.34", ", access: ReadWriteOnce").faults();
        assert_eq!(faults[0].0, "data-shape", "{faults:?}");
    }
}

#[test]
fn a_storage_class_is_emitted_unless_the_spec_names_one() {
    let out =
        on("aws-ebs", ", type: gp3, zones: [a], options: { iops: \"3000\", csi.storage.k8s.io/fstype: xfs }")
            .out();
    let class = out.one("StorageClass");
    assert_eq!(class["metadata"]["name"], "data.db.ns");
    assert_eq!(class["metadata"]["namespace"], json!(null));
    assert_eq!(class["provisioner"], "ebs.csi.aws.com");
    let parameters = map(&class["parameters"]);
    assert_eq!(parameters["type"], "gp3");
    assert_eq!(parameters["iops"], "3000");
    assert_eq!(parameters["csi.storage.k8s.io/fstype"], "xfs");
    assert_eq!((&class["reclaimPolicy"], &class["allowVolumeExpansion"]), (&json!("Retain"), &json!(true)));
    let zones =
        json!([{ "matchLabelExpressions": [{ "key": "topology.ebs.csi.aws.com/zone", "values": ["a"] }] }]);
    assert_eq!(class["allowedTopologies"], zones);
    assert!(
        out.pod()["affinity"]["nodeAffinity"].is_null() && out.pod()["topologySpreadConstraints"].is_null()
    );

    let out = on("\"csi:disk.example.com\"", ", class: fast, zones: [a]").out();
    assert!(out.of("StorageClass").is_empty());
    assert_eq!(out.one("StatefulSet")["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"], "fast");
    // Nothing else keeps the member in the zone of its volume.
    let term = &out.pod()["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    assert_eq!(term["nodeSelectorTerms"][0]["matchExpressions"][0]["values"], json!(["a"]));
}

#[test]
fn members_are_spread_over_several_zones() {
    for (version, taints) in [("1.25", json!(null)), ("1.26", json!("Honor"))] {
        let out = on("gce-pd", ", zones: [b, c]").kubernetes(version, "").out();
        let spread = list(&out.pod()["topologySpreadConstraints"]);
        assert_eq!(spread.len(), 1);
        assert_eq!(
            (&spread[0]["maxSkew"], &spread[0]["whenUnsatisfiable"]),
            (&json!(1), &json!("DoNotSchedule"))
        );
        assert_eq!(spread[0]["topologyKey"], "topology.kubernetes.io/zone");
        assert_eq!(spread[0]["nodeTaintsPolicy"], taints);
        let node = &out.pod()["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        let zones = json!({ "key": "topology.kubernetes.io/zone", "operator": "In", "values": ["b", "c"] });
        assert_eq!(node["nodeSelectorTerms"], json!([{ "matchExpressions": [zones] }]));
    }
}

#[test]
fn volumes_are_mounted_at_the_directory_that_rex_ray_uses() {
    let sub_path = |spec: super::Spec| spec.out().container()["volumeMounts"][0]["subPath"].clone();
    assert_eq!(sub_path(on("aws-ebs", "")), "data");
    assert_eq!(sub_path(on("ceph-rbd", ", class: c")), "data");
    for root in [
        on("azure-disk", ""),
        on("nfs", ", class: c"),
        on("\"csi:x.example.com\"", ", class: c"),
        pinned(),
        node(),
    ] {
        assert_eq!(sub_path(root), json!(null));
    }
}

#[test]
fn unsupported_storage_is_refused() {
    let refused = |spec: super::Spec| spec.faults().into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    for gone in ["flocker", "scaleio", "storageos", "iscsi"] {
        let faults = on(gone, "").faults();
        assert_eq!(faults, [("volume-gone".to_owned(), gone.to_owned())], "{gone}");
    }
    for nameless in ["ceph-rbd", "nfs", "\"csi:x.example.com\""] {
        assert_eq!(refused(on(nameless, "")), ["class-missing"], "{nameless}");
        assert!(on(nameless, ", class: c").faults().is_empty());
    }
    // A second share of a disk would let a second node attach.
    let shares = on("azure-disk", ", options: { maxShares: \"2\" }");
    assert_eq!(shares.faults(), [("hatch-overwrites".to_owned(), "maxShares".to_owned())]);
}

#[test]
fn a_pin_needs_data_on_the_node() {
    let volumes = on("aws-ebs", "").set("members", "{ count: 2, pin: db }");
    assert_eq!(volumes.faults(), [("pin-not-here".to_owned(), "pin".to_owned())]);
    let nothing = volumes.clone().set("exclusive", "{ ports: { http: 80 } }");
    assert_eq!(nothing.faults(), [("pin-not-here".to_owned(), "pin".to_owned())]);
    // The template of a single member can name its node.
    for spec in [volumes, nothing] {
        let out = spec.set("members", "{ count: 1, first: 4, pin: db }").out();
        assert_eq!(out.pod()["nodeSelector"], json!({ "db": "4" }));
    }
    assert!(pinned().out().pod()["nodeSelector"].is_null());
    // A directory of the node keeps the member there, and the volume follows.
    let both = r#"{ data: { a: { mount: /a, host: "/mnt/d/{{ member.id }}", size: 1Gi },
      b: { mount: /b, volume: { backend: aws-ebs, size: 1Gi } } } }"#;
    let out = pinned().set("exclusive", both.replace('\n', " ")).out();
    assert_eq!(out.of("PersistentVolume").len(), 3);
    assert_eq!(list(&out.one("StatefulSet")["spec"]["volumeClaimTemplates"]).len(), 2);
}

#[test]
fn two_members_never_have_one_directory() {
    let data = r#"{ data: { data: { mount: /data, host: "/mnt/d/{% if member.id > 1 %}x{% else %}{{ member.id }}{% endif %}", size: 1Gi } } }"#;
    let faults = pinned().set("exclusive", data).set("members", "{ count: 4, pin: db }").faults();
    assert!(faults.iter().any(|(code, _)| code == "host-without-id"), "{faults:?}");
}

#[test]
fn only_network_volumes_get_a_group() {
    let group = |spec: super::Spec| compile(&[spec]).pod()["securityContext"]["fsGroup"].clone();
    let user = |spec: super::Spec| spec.set("user", "\"1000:0\"");
    assert_eq!(group(user(volume())), 0);
    assert_eq!(group(volume().set("user", "\"1000\"")), 1000);
    // The kubelet would change every file of a local volume.
    assert_eq!(group(user(pinned())), json!(null));
    assert_eq!(group(user(node())), json!(null));
    assert_eq!(group(volume()), json!(null));
    assert_eq!(group(volume().set("user", "\"0:0\"")), json!(null));
    let out = user(volume()).out();
    assert_eq!(out.pod()["securityContext"]["fsGroupChangePolicy"], "OnRootMismatch");
}
