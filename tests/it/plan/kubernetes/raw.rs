//! Tests additions in the notation of Kubernetes.

use std::collections::BTreeMap;

use berthc::kubernetes_api::{self as api, GATES, Gated};
use serde_json::json;

use super::{Spec, entry, node, pinned, volume};

fn add(spec: Spec, more: &str) -> Spec {
    spec.kubernetes("1.34", &format!(", {more}"))
}

#[test]
fn maps_merge_and_lists_append() {
    let pod = "pod: { priorityClassName: high, nodeSelector: { disk: ssd }, tolerations: [{ key: spot, operator: Exists }], \
        volumes: [{ name: extra, emptyDir: {} }], initContainers: [{ name: chown, image: \"b:1\" }], \
        securityContext: { supplementalGroups: [7] }, topologySpreadConstraints: [{ maxSkew: 1, topologyKey: rack, whenUnsatisfiable: ScheduleAnyway }], \
        affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: x, operator: Exists }] } }] }, podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } } }";
    let container = "container: { env: [{ name: X, value: \"$(BERTH_NODE)\" }], ports: [{ name: debug, containerPort: 5005 }], \
        volumeMounts: [{ name: extra, mountPath: /again }], securityContext: { readOnlyRootFilesystem: true, capabilities: { add: [IPC_LOCK] } }, \
        lifecycle: { postStart: { exec: { command: [\"true\"] } } }, resources: { limits: { hugepages-2Mi: 1Gi }, claims: [{ name: gpu }] }, tty: true }";
    let spec = node()
        .set("user", "\"1000\"")
        .set("resources", "{ cpu: \"1\", memory: 1Gi }")
        .set("stop", "{ grace: 30s, before: { run: [a], within: 1s } }");
    let out = add(
        spec,
        &format!(
            "{pod}, {container}, service: {{ sessionAffinity: ClientIP, ports: [{{ name: x, port: 99 }}] }}"
        ),
    )
    .out();
    let pod = out.pod();
    assert_eq!(pod["priorityClassName"], "high");
    assert_eq!(pod["nodeSelector"], json!({ "db": "true", "disk": "ssd" }));
    assert_eq!(pod["tolerations"], json!([{ "key": "spot", "operator": "Exists" }]));
    assert_eq!(entry(&pod["volumes"], "extra")["emptyDir"], json!({}));
    assert_eq!(entry(&pod["volumes"], "data")["hostPath"]["type"], "Directory");
    assert_eq!(pod["initContainers"][0]["name"], "chown");
    assert_eq!(pod["securityContext"]["supplementalGroups"], json!([7]));
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(pod["topologySpreadConstraints"][0]["topologyKey"], "rack");
    assert!(pod["affinity"]["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"].is_array());
    assert!(pod["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"].is_array());
    assert!(pod["affinity"]["podAntiAffinity"].is_object());
    let container = out.container();
    assert_eq!(entry(&container["env"], "X")["value"], "$(BERTH_NODE)");
    assert_eq!(entry(&container["ports"], "debug")["containerPort"], 5005);
    assert_eq!(container["volumeMounts"][1]["mountPath"], "/again");
    let security = &container["securityContext"];
    assert_eq!((&security["readOnlyRootFilesystem"], &security["runAsUser"]), (&json!(true), &json!(1000)));
    assert_eq!(security["capabilities"], json!({ "drop": ["ALL"], "add": ["IPC_LOCK"] }));
    assert!(container["lifecycle"]["postStart"].is_object() && container["lifecycle"]["preStop"].is_object());
    assert_eq!(
        container["resources"]["limits"],
        json!({ "cpu": "1", "memory": "1Gi", "hugepages-2Mi": "1Gi" })
    );
    assert_eq!(container["resources"]["requests"], json!({ "cpu": "1", "memory": "1Gi" }));
    assert_eq!(container["resources"]["claims"][0]["name"], "gpu");
    assert_eq!(container["tty"], true);
    let client = out.named("Service", "db-client");
    assert_eq!(
        (&client["spec"]["sessionAffinity"], &client["spec"]["ports"][1]["port"]),
        (&json!("ClientIP"), &json!(99))
    );
    assert!(out.named("Service", "db")["spec"]["sessionAffinity"].is_null());
}

#[test]
fn additions_that_overwrite_a_decision_are_refused() {
    let refused = [
        ("pod: { nodeName: n }", "nodeName"),
        ("pod: { schedulerName: mine }", "schedulerName"),
        ("pod: { hostNetwork: false }", "hostNetwork"),
        ("pod: { dnsPolicy: Default }", "dnsPolicy"),
        ("pod: { hostname: x }", "hostname"),
        ("pod: { containers: [] }", "containers"),
        ("pod: { ephemeralContainers: [] }", "ephemeralContainers"),
        ("pod: { terminationGracePeriodSeconds: 1 }", "terminationGracePeriodSeconds"),
        ("pod: { nodeSelector: { db: \"no\" } }", "db"),
        ("pod: { affinity: { podAntiAffinity: {} } }", "podAntiAffinity"),
        ("pod: { securityContext: { seccompProfile: {} } }", "seccompProfile"),
        ("pod: { volumes: [{ name: a }, { name: data }] }", "data"),
        ("pod: { initContainers: [{ name: db }] }", "db"),
        ("container: { image: \"x:1\" }", "image"),
        ("container: { command: [x] }", "command"),
        ("container: { env: [{ name: OURS }] }", "OURS"),
        ("container: { env: [{ name: BERTH_X }] }", "BERTH_X"),
        ("container: { ports: [{ containerPort: 80 }] }", "80"),
        ("container: { ports: [{ name: http }] }", "http"),
        ("container: { volumeMounts: [{ name: other, mountPath: /data }] }", "/data"),
        ("container: { volumeMounts: [{ name: other, mountPath: /data/ }] }", "/data/"),
        ("container: { volumeMounts: [{ name: other, mountPath: //x/../data/. }] }", "//x/../data/."),
        ("container: { resources: { limits: { cpu: \"9\" } } }", "cpu"),
        ("container: { securityContext: { runAsUser: 0 } }", "runAsUser"),
        ("container: { securityContext: { privileged: true } }", "privileged"),
        ("container: { securityContext: { capabilities: { drop: [] } } }", "drop"),
        ("container: { readinessProbe: {} }", "readinessProbe"),
        ("service: { selector: {} }", "selector"),
        ("service: { publishNotReadyAddresses: true }", "publishNotReadyAddresses"),
        ("service: { ports: [{ name: http }] }", "http"),
    ];
    let spec = node()
        .set("user", "\"1000\"")
        .set("env", "{ OURS: x }")
        .set("health", "{ tcp: http }")
        .set("resources", "{ cpu: \"1\" }");
    for (more, what) in refused {
        let faults = add(spec.clone(), more).faults();
        assert_eq!(faults.len(), 1, "{more}: {faults:?}");
        assert_eq!(faults[0].0, "hatch-overwrites", "{more}");
        // The place is the key, or the value of an entry of a list.
        assert!(more.contains(&faults[0].1), "{more}: {faults:?}");
        assert!(
            faults[0].1 == what || ["name", "mountPath", "containerPort"].contains(&faults[0].1.as_str()),
            "{more}: {faults:?}"
        );
    }
    let zones =
        "{ data: { data: { mount: /data, volume: { backend: aws-ebs, size: 1Gi, zones: [a, b] } } } }";
    let affinity =
        "pod: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: {} } } }";
    assert_eq!(add(volume().set("exclusive", zones), affinity).faults()[0].0, "hatch-overwrites");
    assert!(add(volume(), affinity).faults().is_empty());
}

#[test]
fn additions_that_reach_the_data_are_refused() {
    let refused = |spec: &Spec, more: &str, what: &str| {
        let wanted = [("hatch-overwrites".to_owned(), what.to_owned())];
        assert_eq!(add(spec.clone(), more).faults(), wanted, "{more}");
    };
    let passes = |spec: &Spec, more: &str| assert_eq!(add(spec.clone(), more).faults(), [], "{more}");
    for spec in [volume(), pinned(), node()] {
        for mounts in [
            "volumeMounts: [{ name: x, mountPath: /x }, { name: data, mountPath: /d }]",
            "volumeDevices: [{ name: data, devicePath: /dev/x }]",
        ] {
            refused(
                &spec,
                &format!(
                    "pod: {{ initContainers: [{{ name: i, image: x, restartPolicy: Always, {mounts} }}] }}"
                ),
                "data",
            );
            refused(
                &spec,
                &format!(
                    "pod: {{ initContainers: [{{ name: a, image: x }}, {{ name: i, image: x, {mounts} }}] }}"
                ),
                "data",
            );
            refused(&spec, &format!("container: {{ {mounts} }}"), "data");
        }
        let own = "pod: { volumes: [{ name: x, emptyDir: {} }], initContainers: [{ name: i, image: x, restartPolicy: Always, volumeMounts: [{ name: x, mountPath: /data }] }] }, \
            container: { volumeMounts: [{ name: x, mountPath: /data-2 }] }";
        passes(&spec, own);
    }
    // The same data under another volume name.
    let host = |path: &str| format!("pod: {{ volumes: [{{ name: x, hostPath: {{ path: {path} }} }}] }}");
    for path in ["/mnt/d1/db", "/mnt/d1/db/", "/mnt//d1/./db", "/mnt/d1", "/", "/mnt/d1/db/inside"] {
        refused(&node(), &host(path), path);
    }
    refused(&pinned(), &host("/mnt/d1/db-2"), "/mnt/d1/db-2");
    for path in ["/mnt/d1/db-2", "/mnt/d2", "/mnt/d1/d"] {
        passes(&node(), &host(path));
    }
    passes(&pinned(), &host("/mnt/d1/db-3"));
    let claim = |name: &str| {
        format!("pod: {{ volumes: [{{ name: x, persistentVolumeClaim: {{ claimName: {name} }} }}] }}")
    };
    for spec in [volume(), pinned()] {
        refused(&spec, &claim("data-db-0"), "data-db-0");
        refused(&spec, &claim("data-db-17"), "data-db-17");
        passes(&spec, &claim("data-db"));
        passes(&spec, &claim("other-db-0"));
    }
    passes(&node(), &claim("data-db-0"));
    // The claim of another service is also refused, if it is in the same namespace.
    let other = volume().set("service", "other");
    let of = |more: &str| super::faults(&[add(volume(), more), other.clone()]);
    assert_eq!(of(&claim("data-other-1")), [("hatch-overwrites".to_owned(), "data-other-1".to_owned())]);
    let elsewhere = other.clone().set("targets", "{ kubernetes: { version: \"1.34\", namespace: far } }");
    assert_eq!(super::faults(&[add(volume(), &claim("data-other-1")), elsewhere]), []);
}

#[test]
fn fields_that_the_api_lacks_are_refused() {
    let fault = |version: &str, more: &str| volume().kubernetes(version, &format!(", {more}")).faults();
    for (more, key) in [
        ("pod: { foo: 1 }", "foo"),
        ("pod: { priorityclassname: x }", "priorityclassname"),
        ("pod: { tty: true }", "tty"),
        ("pod: { initContainers: [{ name: i, image: x, restartpolicy: Always }] }", "restartpolicy"),
        ("container: { restartpolicy: Always }", "restartpolicy"),
        ("container: { priorityClassName: x }", "priorityClassName"),
        ("service: { sessionaffinity: ClientIP }", "sessionaffinity"),
    ] {
        assert_eq!(fault("1.34", more), [("unknown-key".to_owned(), key.to_owned())], "{more}");
    }
    for (more, key, before, since) in [
        ("pod: { schedulingGates: [] }", "schedulingGates", "1.26", "1.27"),
        ("pod: { resources: {} }", "resources", "1.33", "1.34"),
        ("container: { resizePolicy: [] }", "resizePolicy", "1.32", "1.33"),
        (
            "pod: { initContainers: [{ name: i, image: x, restartPolicy: Always }] }",
            "restartPolicy",
            "1.28",
            "1.29",
        ),
        ("pod: { hostUsers: false }", "hostUsers", "1.32", "1.33"),
        ("container: { restartPolicyRules: [{ action: Restart }] }", "restartPolicyRules", "1.34", "1.35"),
        (
            "container: { env: [{ name: A, valueFrom: { fileKeyRef: { key: a } } }] }",
            "fileKeyRef",
            "1.34",
            "1.35",
        ),
        ("service: { trafficDistribution: PreferClose }", "trafficDistribution", "1.30", "1.31"),
    ] {
        assert_eq!(fault(before, more), [("version-too-old".to_owned(), key.to_owned())], "{more}");
        assert_eq!(fault(since, more), [], "{more}");
    }
}

#[test]
fn fields_that_the_server_drops_are_refused() {
    let fault = |more: &str| volume().kubernetes("1.37", &format!(", {more}")).faults();
    for (more, key) in [
        ("pod: { schedulingGroup: { podGroupName: g } }", "schedulingGroup"),
        ("pod: { volumes: [{ name: x, emptyDir: { mode: 448 } }] }", "mode"),
        ("pod: { initContainers: [{ name: i, image: x, lifecycle: { stopSignal: SIGINT } }] }", "stopSignal"),
        ("container: { lifecycle: { stopSignal: SIGINT } }", "stopSignal"),
        (
            "pod: { volumes: [{ name: x, configMap: { name: c, items: [{ key: k, path: p, user: 1 }] } }] }",
            "user",
        ),
        ("container: { lifecycle: { postStart: { httpGet: { port: 1, protocol: h2c } } } }", "protocol"),
    ] {
        assert_eq!(fault(more), [("unknown-key".to_owned(), key.to_owned())], "{more}");
    }
    assert_eq!(fault("pod: { volumes: [{ name: x, emptyDir: { sizeLimit: 1Gi } }] }"), []);
}

#[test]
fn other_additions_are_emitted() {
    for more in [
        "container: { readinessProbe: { grpc: { port: 80 } } }",
        "container: { lifecycle: { preStop: { sleep: { seconds: 5 } } } }",
        "pod: { dnsPolicy: Default }",
        "container: { securityContext: { runAsUser: 5 } }",
    ] {
        assert!(add(volume(), more).faults().is_empty(), "{more}");
    }
}

#[test]
fn additions_of_the_wrong_type_are_refused() {
    for more in [
        "pod: { tolerations: { key: x } }",
        "pod: { nodeSelector: [x] }",
        "pod: { volumes: [x] }",
        "container: { env: x }",
        "service: { ports: 1 }",
    ] {
        assert_eq!(add(volume(), more).faults()[0].0, "wrong-type", "{more}");
    }
    let silent = volume().set("exclusive", "{ writer: true }").set("members", "{ count: 1 }");
    assert_eq!(add(silent, "service: { sessionAffinity: ClientIP }").faults()[0].0, "missing");
    let outside = volume()
        .without("image")
        .without("members")
        .without("exclusive")
        .set("external", "{ address: x.example.com, ports: { http: 80 } }");
    assert_eq!(add(outside.clone(), "pod: { priorityClassName: x }").faults()[0].0, "external-shape");
    assert_eq!(add(outside.clone(), "service: { selector: { a: b } }").faults()[0].0, "hatch-overwrites");
    assert_eq!(add(outside, "service: { externalName: y.example.com }").faults()[0].0, "hatch-overwrites");
}

#[test]
fn the_page_has_the_table_of_gated_fields() {
    let mut gates: BTreeMap<&str, Vec<&Gated>> = BTreeMap::new();
    for gated in &GATES {
        gates.entry(gated.gate).or_default().push(gated);
    }
    let minor = |minor: Option<u32>| minor.map_or_else(|| "–".to_owned(), |m| format!("1.{m}"));
    let line = |(gate, all): (&&str, &Vec<&Gated>)| {
        let Gated { since, on, stable, .. } = all[0];
        let fields: Vec<_> = all.iter().map(|g| format!("`{}.{}`", g.of, g.field)).collect();
        let taken = on.map_or_else(|| "refused".to_owned(), |on| format!("from 1.{on}"));
        let [first, on, stable] = [Some(*since), *on, *stable].map(minor);
        format!("| {gate} | {} | {first} | {on} | {stable} | {taken} |", fields.join(", "))
    };
    let page = std::fs::read_to_string(crate::harness::root().join("docs/kubernetes-fields.md")).unwrap();
    let (_, page) = page.split_once("<!-- the table of src/kubernetes_api/gates.rs -->").unwrap();
    let (table, _) = page.split_once("<!-- end of the table -->").unwrap();
    let rows: Vec<&str> = table.lines().filter(|l| l.starts_with("| ")).skip(1).collect();
    assert_eq!(rows, gates.iter().map(line).collect::<Vec<_>>());
}

#[test]
fn gated_fields_are_fields_of_the_api() {
    for Gated { of, field, since, on, stable, .. } in &GATES {
        assert!(api::fields(of).is_some_and(|fields| fields.contains_key(field)), "{of}.{field}");
        assert!(on.is_none_or(|on| *since < on && stable.is_none_or(|s| on <= s)), "{of}.{field}");
    }
}

#[test]
fn annotations_stand_on_their_object() {
    let more = "annotations: { workload: { a: \"1\" }, pod: { b: own }, service: { c: \"3\" } }";
    let spec = volume().set("annotations", "{ b: all, d: \"{{ member.id }}\" }");
    let out = add(spec, more).out();
    let set = out.one("StatefulSet");
    assert_eq!(set["metadata"]["annotations"], json!({ "a": "1" }));
    let pod = &set["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(pod, &json!({ "b": "own", "d": "{{ member.id }}" }));
    assert_eq!(out.named("Service", "db-client")["metadata"]["annotations"], json!({ "c": "3" }));
    assert!(out.named("Service", "db")["metadata"]["annotations"].is_null());
    let out = node().set("annotations", "{ b: all }").out();
    let set = out.one("DaemonSet");
    assert_eq!(set["spec"]["template"]["metadata"]["annotations"], json!({ "b": "all" }));
    assert!(set["metadata"]["annotations"].is_null());
}

#[test]
fn annotations_need_their_object() {
    let without = volume()
        .set("exclusive", "{ data: { data: { mount: /data, volume: { backend: aws-ebs, size: 10Gi } } } }");
    let faults = add(without, "annotations: { service: { a: b } }").faults();
    assert_eq!(faults, [("missing".to_owned(), "service".to_owned())]);
}
