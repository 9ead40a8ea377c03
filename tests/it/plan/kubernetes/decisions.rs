//! Tests the decisions for pods and workloads, each with a spec that needs the decision and a spec
//! that does not.

use std::collections::BTreeSet;

use berthc::Options;
use serde_json::{Value, json};

use super::{Spec, compile_as, entry, list, map, node, options, pinned, volume};

/// Returns the emitted variables of the member: each with a value or with its source.
fn env(spec: &Spec) -> Value {
    spec.out().container()["env"].clone()
}

fn field(path: &str) -> Value {
    json!({ "fieldRef": { "fieldPath": path } })
}

#[test]
fn pods_are_updated_one_by_one_or_by_hand() {
    let strategy = |spec: &Spec, kind: &str| spec.out().one(kind)["spec"]["updateStrategy"].clone();
    let by_hand = json!({ "type": "OnDelete" });
    let rolling = json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } });
    // A single member has no quorum to lose. From 1.37 on, several members would be deleted at
    // once.
    for version in ["1.34", "1.37"] {
        let one = volume().set("members", "{ count: 1 }").set("update", "{ pause: 7s }");
        let one = one.kubernetes(version, "");
        assert_eq!(strategy(&one, "StatefulSet"), rolling);
        assert_eq!(one.out().one("StatefulSet")["spec"]["minReadySeconds"], 7);
        let several = volume().set("update", "{ pause: 7s }").kubernetes(version, "");
        assert_eq!(strategy(&several, "StatefulSet"), by_hand);
        assert_eq!(several.out().one("StatefulSet")["spec"]["minReadySeconds"], json!(null));
    }
    let rolling = json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 } });
    assert_eq!(strategy(&node(), "DaemonSet"), rolling);
    for (spec, kind) in [(volume(), "StatefulSet"), (node(), "DaemonSet")] {
        let gated = spec.set("update", "{ pause: 7s, healthy: \"a green\" }");
        assert_eq!(strategy(&gated, kind), by_hand);
    }
    let set = volume().out();
    assert_eq!(set.one("StatefulSet")["spec"]["podManagementPolicy"], "Parallel");
    assert_eq!(set.one("StatefulSet")["spec"]["minReadySeconds"], json!(null));
    assert_eq!(node().out().of("PodDisruptionBudget").len(), 0);
}

#[test]
fn no_field_is_newer_than_the_version() {
    let first = volume().set("members", "{ count: 2, first: 5 }");
    assert_eq!(
        first.clone().kubernetes("1.26", "").faults(),
        [("version-too-old".to_owned(), "5".to_owned())]
    );
    let out = first.kubernetes("1.27", "").out();
    assert_eq!(out.one("StatefulSet")["spec"]["ordinals"], json!({ "start": 5 }));
    assert!(volume().out().one("StatefulSet")["spec"]["ordinals"].is_null());

    let arg = volume().set("args", "[\"-{{ member.id }}\"]").kubernetes("1.27", "");
    assert_eq!(arg.faults(), [("version-too-old".to_owned(), "\"-{{ member.id }}\"".to_owned())]);
    let id = volume().set("env", "{ A: x, ID: \"{{ member.id }}\" }").set("args", "[\"-{{ member.id }}\"]");
    assert_eq!(id.clone().kubernetes("1.27", "").faults()[0].0, "version-too-old");
    let env = env(&id.kubernetes("1.28", ""));
    let index = field("metadata.labels['apps.kubernetes.io/pod-index']");
    assert_eq!((&entry(&env, "ID")["valueFrom"], &entry(&env, "BERTH_ID")["valueFrom"]), (&index, &index));
    let name = volume().set("env", "{ NAME: \"{{ member.name }}\" }").kubernetes("1.25", "");
    assert_eq!(entry(&self::env(&name), "NAME")["valueFrom"], field("metadata.name"));
}

#[test]
fn gaps_need_a_waiver_and_waivers_need_a_gap() {
    let limits = volume().set("ulimits", "{ nofile: 65536 }");
    assert_eq!(limits.faults(), [("kubernetes/ulimits".to_owned(), "ulimits".to_owned())]);
    let waived = |spec: Spec, gap: &str| spec.set("accept", format!("[{{ gap: {gap}, because: why }}]"));
    assert!(waived(limits, "kubernetes/ulimits").faults().is_empty());
    assert_eq!(waived(volume(), "kubernetes/ulimits").faults()[0].0, "accept-unused");
    for version in ["1.25", "1.33", "1.37"] {
        let signal = volume().set("stop", "{ signal: SIGINT, grace: 30s }").kubernetes(version, "");
        assert_eq!(signal.faults(), [("kubernetes/stop.signal".to_owned(), "SIGINT".to_owned())]);
        let out = waived(signal, "kubernetes/stop.signal").out();
        assert!(out.container()["lifecycle"].is_null(), "dropped in silence by the API server");
    }
    assert_eq!(waived(volume(), "kubernetes/stop.signal").faults()[0].0, "accept-unused");
}

#[test]
fn members_know_their_address() {
    let own = |spec: Spec| {
        let spec = spec.set("env", "{ A: \"{{ member.address }}\", B: \"{{ member }}:{{ ports.http }}\" }");
        let env = env(&spec);
        (entry(&env, "A").clone(), entry(&env, "B")["value"].clone())
    };
    let (a, b) = own(volume());
    assert_eq!(a["value"], "$(BERTH_NAME).db.ns.svc");
    assert_eq!(b, "$(BERTH_NAME).db.ns.svc:80");
    let network = "{ ports: { http: 80 }, address: node }";
    let (a, _) = own(volume().set("exclusive", network));
    assert_eq!(a["value"], "$(BERTH_NAME).db.ns.svc", "nobody knows the nodes");
    let table = pinned().set("members", "{ count: 1, pin: { label: db, at: { 0: 10.0.0.1 } } }");
    let (a, _) = own(table.clone());
    assert_eq!(a["value"], "$(BERTH_NAME).db.ns.svc", "the table is for others: pods have their own");
    let data = r#"{ data: { d: { mount: /d, host: "/m/{{ member.id }}", size: 1Gi } }, ports: { http: 80 }, address: node }"#;
    let (a, b) = own(table.clone().set("exclusive", data));
    assert_eq!((&a["valueFrom"], b), (&field("status.hostIP"), json!("$(BERTH_ADDRESS):80")));
    let (a, _) = own(node());
    assert_eq!(a["valueFrom"], field("status.hostIP"));
    let (a, _) = own(node().set("exclusive", "{ ports: { http: 80 } }"));
    assert_eq!(a["valueFrom"], field("status.podIP"));

    let peers =
        |spec: Spec| env(&spec.set("env", "{ P: \"{{ members | join(',') }}\" }"))[0]["value"].clone();
    assert_eq!(peers(table.clone().set("exclusive", data)), "10.0.0.1");
    assert_eq!(peers(table), "db-0.db.ns.svc");
}

#[test]
fn variables_that_others_use_come_first() {
    let spec =
        volume().set("env", "{ Z: z, A: \"{{ member.node }}/{{ member.name }}\", N: \"{{ member.node }}\" }");
    let env = env(&spec);
    let names: Vec<&str> = list(&env).iter().map(|v| v["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["BERTH_NAME", "BERTH_NODE", "Z", "A", "N"]);
    assert_eq!(entry(&env, "A")["value"], "$(BERTH_NODE)/$(BERTH_NAME)");
    assert_eq!(entry(&env, "N")["valueFrom"], field("spec.nodeName"));
    let helper = "{ h: { image: \"h:1\", args: [\"{{ member.name }}\"] } }";
    let out = spec.without("env").set("helpers", helper).out();
    assert!(out.container()["env"].is_null());
    assert_eq!(out.pod()["containers"][1]["env"][0]["name"], "BERTH_NAME");
}

#[test]
fn nothing_is_expanded_in_probes_and_hooks() {
    for (name, text) in [
        ("health", "{ ready: { run: [a, \"{{ member.name }}\"] } }"),
        ("health", "{ live: { run: [a, \"{{ member.node }}\"] }, start: 60s }"),
        ("stop", "{ grace: 30s, before: { run: [\"{{ member.id }}\"], within: 1s } }"),
        ("update", "{ healthy: \"{{ member.address }}\" }"),
    ] {
        assert_eq!(volume().set(name, text).faults()[0].0, "runtime-not-here", "{text}");
    }
    let out = volume().set("health", "{ ready: { run: [a, \"$(X) $$ {{ ports.http }}\"] } }").out();
    assert_eq!(out.container()["readinessProbe"]["exec"]["command"], json!(["a", "$(X) $$ 80"]));
}

#[test]
fn health_checks_become_probes() {
    let health = "{ ready: { http: /r, port: http, scheme: https, every: 7s, timeout: 2s, failures: 4 }, live: { tcp: http, run: [x], every: 20s }, start: 70s }";
    let out = volume().set("health", health).out();
    let c = out.container();
    let ready = json!({ "httpGet": { "path": "/r", "port": "http", "scheme": "HTTPS" },
        "periodSeconds": 7, "timeoutSeconds": 2, "failureThreshold": 4 });
    assert_eq!(c["readinessProbe"], ready);
    assert_eq!(c["livenessProbe"]["tcpSocket"], json!({ "port": "http" }));
    assert_eq!(c["startupProbe"]["tcpSocket"], json!({ "port": "http" }));
    assert_eq!(
        (&c["startupProbe"]["periodSeconds"], &c["startupProbe"]["failureThreshold"]),
        (&json!(20), &json!(4))
    );
    let only = volume().set("health", "{ tcp: http }").out();
    let c = only.container();
    assert!(c["readinessProbe"].is_object() && c["livenessProbe"].is_null() && c["startupProbe"].is_null());
}

#[test]
fn ports_on_the_nodes_network_are_host_ports() {
    let helper = "{ h: { image: \"h:1\", ports: { m: 81 } } }";
    let out = node().set("helpers", helper).out();
    let pod = out.pod();
    assert_eq!((&pod["hostNetwork"], &pod["dnsPolicy"]), (&json!(true), &json!("ClusterFirstWithHostNet")));
    let ports = list(&pod["containers"]).iter().flat_map(|c| list(&c["ports"]));
    let numbers: Vec<_> = ports.map(|p| (p["containerPort"].as_u64(), p["hostPort"].as_u64())).collect();
    assert_eq!(numbers, [(Some(80), Some(80)), (Some(81), Some(81))]);
    let out = volume().set("helpers", helper).out();
    assert!(out.pod()["hostNetwork"].is_null() && out.container()["ports"][0]["hostPort"].is_null());
}

#[test]
fn containers_of_other_users_than_root_drop_privileges() {
    let security = |user: &str| volume().set("user", user).out().container()["securityContext"].clone();
    let bare = json!({ "runAsUser": 5, "runAsGroup": 6, "runAsNonRoot": true,
        "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } });
    assert_eq!(security("\"5:6\""), bare);
    assert_eq!(security("\"0:0\""), json!({ "runAsUser": 0, "runAsGroup": 0 }));
    let out = volume().set("helpers", "{ h: { image: \"h:1\" } }").set("user", "\"5\"").out();
    assert!(out.pod()["containers"][1]["securityContext"].is_null(), "a helper has its image's user");
    assert!(volume().out().container()["securityContext"].is_null());
    let pod = out.pod();
    assert_eq!(
        (&pod["enableServiceLinks"], &pod["automountServiceAccountToken"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(pod["terminationGracePeriodSeconds"], 30);
    assert_eq!(pod["securityContext"]["seccompProfile"], json!({ "type": "RuntimeDefault" }));
}

#[test]
fn requests_equal_limits() {
    let out =
        volume().set("resources", "{ cpu: \"0.5\", memory: 1024Mi }").set("tmpfs", "{ /t: 1000k }").out();
    let given = json!({ "cpu": "500m", "memory": "1Gi" });
    assert_eq!(out.container()["resources"], json!({ "requests": given, "limits": given }));
    let memory = json!({ "medium": "Memory", "sizeLimit": "1M" });
    assert_eq!(entry(&out.pod()["volumes"], "memory-0")["emptyDir"], memory);
}

#[test]
fn a_guard_locks_the_first_directory() {
    let exclusive = "{ data: { d: { mount: /d, host: /m/d }, e: { mount: /e, host: /m/e } }, guard: lock }";
    let spec = node().set("exclusive", exclusive).set("command", "[\"/a $(x)\", b]").set("args", "[c]");
    let out = spec.out();
    let script = r#"exec 9<"$0" && flock -n 9 && exec "$@""#;
    assert_eq!(out.container()["command"], json!(["/bin/sh", "-c", script, "/d"]));
    assert_eq!(out.container()["args"], json!(["/a $$(x)", "b", "c"]));
}

#[test]
fn secrets_are_files_or_variables() {
    let spec = volume().set("secrets", "{ a: { ref: x/k1 }, b: { ref: y/k2 }, c.d: { ref: x/k3 } }");
    let whole = spec
        .clone()
        .set("env", "{ A: \"{{ secret('a') }}\", U: \"u:{{ secret('c.d') }}@{{ member.name }}\" }");
    let out = whole.out();
    let env = &out.container()["env"];
    let key = |name: &str, key: &str| json!({ "secretKeyRef": { "name": name, "key": key } });
    assert_eq!(entry(env, "A")["valueFrom"], key("x", "k1"));
    assert_eq!(entry(env, "BERTH_SECRET_c_2E_d")["valueFrom"], key("x", "k3"));
    assert_eq!(entry(env, "U")["value"], "u:$(BERTH_SECRET_c_2E_d)@$(BERTH_NAME)");
    // A secret that is used only as a variable is no file. A secret that no value names becomes a
    // file, because the program may know its path.
    let sources =
        |spec: &Spec| entry(&spec.out().pod()["volumes"], "secrets")["projected"]["sources"].clone();
    let b = json!([{ "secret": { "name": "y", "items": [{ "key": "k2", "path": "b" }] } }]);
    assert_eq!(sources(&whole), b);
    let both = whole.clone().set("args", "[\"--all=/run/secrets\"]");
    assert_eq!(list(&sources(&both)).len(), 2);
    assert_eq!(list(&sources(&both)[0]["secret"]["items"]).len(), 2, "of one Secret together");
    let check = whole.set("health", "{ run: [cat, \"{{ secret('a').path }}\"] }");
    assert_eq!(sources(&check)[0]["secret"]["items"][0]["path"], "a");
    let only = spec.set("secrets", "{ a: { ref: x/k1 } }").set("env", "{ A: \"{{ secret('a') }}\" }");
    assert!(only.out().pod()["volumes"].is_null());
}

#[test]
fn secret_files_can_be_read() {
    let secrets = |spec: Spec| spec.set("secrets", "{ a: { ref: x/k } }");
    let mode = |spec: Spec| {
        let volume = entry(&spec.out().pod()["volumes"], "secrets").clone();
        volume["projected"]["defaultMode"].as_u64().unwrap()
    };
    assert_eq!(mode(secrets(volume()).set("user", "\"0\"")), 0o400);
    assert_eq!(mode(secrets(volume()).set("user", "\"7\"")), 0o440);
    assert_eq!(mode(secrets(node()).set("user", "\"7:8\"")), 0o440);
    assert_eq!(secrets(node()).set("user", "\"7:8\"").out().pod()["securityContext"]["fsGroup"], 8);
    assert_eq!(mode(secrets(pinned()).set("user", "\"7\"")), 0o444, "no group for data on the node");
    assert_eq!(mode(secrets(volume())), 0o444, "the image's user is not known");
    let helper = "{ h: { image: \"h:1\", args: [\"{{ secret('a').path }}\"] } }";
    let with = secrets(volume()).set("user", "\"0\"").set("helpers", helper);
    assert_eq!(mode(with.clone()), 0o400, "the helper has a volume of its own");
    let out = with.out();
    let theirs = &entry(&out.pod()["volumes"], "secrets-h")["projected"]["defaultMode"];
    assert_eq!(theirs, 0o444, "the helper's user is not known");
    let read = json!([{ "name": "secrets-h", "mountPath": "/run/secrets", "readOnly": true }]);
    assert_eq!(out.pod()["containers"][1]["volumeMounts"], read);
    let blind = secrets(volume()).set("helpers", "{ h: { image: \"h:1\" } }").out();
    assert!(blind.pod()["containers"][1]["volumeMounts"].is_null());
}

#[test]
fn a_helper_sees_only_the_secrets_that_it_names() {
    let spec = volume().set("secrets", "{ a: { ref: x/k1 }, ab: { ref: y/k2 }, a.b: { ref: x/k3 } }");
    let sees = |text: &str| -> Vec<String> {
        let helper = format!("{{ h: {{ image: \"h:1\", user: \"5\", env: {{ T: \"{text}\" }} }} }}");
        let out = spec.clone().set("helpers", helper).out();
        let items = |name: &str| -> Vec<String> {
            let volume = entry(&out.pod()["volumes"], name);
            let sources = list(&volume["projected"]["sources"]).iter();
            let items = sources.flat_map(|s| list(&s["secret"]["items"]));
            items.map(|i| i["path"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(items("secrets"), ["a", "a.b", "ab"], "the member sees all");
        match &out.pod()["containers"][1]["volumeMounts"] {
            Value::Null => Vec::new(),
            mounts => items(list(mounts)[0]["name"].as_str().unwrap()),
        }
    };
    assert_eq!(sees("{{ secret('a').path }}"), ["a"]);
    assert_eq!(sees("x={{ secret('a.b').path }}."), ["a.b"]);
    assert_eq!(sees("/run/secrets/ab:{{ secret('a').path }}"), ["a", "ab"]);
    assert_eq!(sees("--all=/run/secrets"), ["a", "a.b", "ab"]);
    assert_eq!(sees("--all=/run/secrets/ x"), ["a", "a.b", "ab"]);
    assert_eq!(sees("none"), Vec::<String>::new());
}

#[test]
fn files_that_the_user_cannot_read_are_refused() {
    let file = |mode: &str, user: &str| {
        let files = format!("{{ /a: {{ content: x, mode: \"{mode}\" }} }}");
        volume().set("files", files).set("user", user).faults()
    };
    for (mode, user) in
        [("0600", "\"1000:1000\""), ("0640", "\"1000\""), ("400", "\"1000:0\""), ("0711", "\"1:1\"")]
    {
        assert_eq!(file(mode, user), [("bad-mode".to_owned(), format!("\"{mode}\""))], "{mode} {user}");
    }
    for (mode, user) in
        [("0600", "\"0:5\""), ("0440", "\"1000:0\""), ("0444", "\"1000\""), ("0755", "\"1:1\"")]
    {
        assert_eq!(file(mode, user), [], "{mode} {user}");
    }
    let unsaid = volume().set("files", "{ /a: { content: x, mode: \"0600\" } }");
    assert_eq!(unsaid.faults(), [], "the image's user is not known");
}

#[test]
fn files_are_in_an_immutable_config_map() {
    let name = |files: &str| {
        let out = volume().set("files", files).out();
        let name = out.one("ConfigMap")["metadata"]["name"].as_str().unwrap().to_owned();
        assert!(name.strip_prefix("db-files-").is_some_and(|hash| hash.len() == 10), "{name}");
        name
    };
    let names = [
        "{ /a/x: { content: one } }",
        "{ /a/x: { content: two } }",
        "{ /b/x: { content: one } }",
        "{ /a/x: { content: one, mode: \"0400\" } }",
        "{ /a/x: { content: one }, /b/y: { content: \"\" } }",
    ];
    assert_eq!(names.map(name).into_iter().collect::<BTreeSet<_>>().len(), names.len());
    assert_eq!(name(names[0]), "db-files-029da7e684", "the same on every machine and in every version");
    let out = volume()
        .set("files", "{ /a/x: { content: one }, /b/x: { content: two, mode: \"0755\" }, \"/c/2-x\": { content: three }, \"/d/..@y\": { content: four } }")
        .out();
    let data = json!({ "x": "one", "2-x": "two", "2-2-x": "three", "-..-y": "four" });
    assert_eq!(out.one("ConfigMap")["data"], data);
    let mounts = list(&out.container()["volumeMounts"]);
    let mount = mounts.iter().find(|m| m["mountPath"] == "/b/x").unwrap();
    assert_eq!((&mount["subPath"], &mount["readOnly"]), (&json!("2-x"), &json!(true)));
    let items = list(&entry(&out.pod()["volumes"], "files")["configMap"]["items"]);
    assert_eq!(items[1], json!({ "key": "2-x", "path": "2-x", "mode": 0o755 }));
    let revision = node().set("revision", "v1").set("files", names[0]).out();
    assert!(revision.0.contains_key("db/kubernetes/configmap-v1.yaml"));
}

#[test]
fn bootstrap_is_emitted_only_for_the_first_start() {
    let spec = volume().set("env", "{ STATE: existing, Z: z }").set(
        "bootstrap",
        "{ for: all, env: { STATE: new, MORE: \"{{ member.name }}\" }, once: \"init {{ member.address }}\" }",
    );
    let plain = spec.out().container()["env"].clone();
    assert_eq!(plain, json!([{ "name": "STATE", "value": "existing" }, { "name": "Z", "value": "z" }]));
    let asked = Options { bootstrap: BTreeSet::from(["db".to_owned()]), ..options() };
    let out = compile_as(&[spec], &asked);
    let env = &out.container()["env"];
    assert_eq!(entry(env, "STATE")["value"], "new");
    assert_eq!(entry(env, "MORE")["valueFrom"], field("metadata.name"));
    assert_eq!(list(env).len(), 3);
}

/// All pods have one template, so a script must tell the founder from the others. The test runs it.
#[test]
fn only_the_first_pod_founds_the_cluster() {
    let spec = volume()
        .set("command", "[/bin/sh, -c, 'echo \"$STATE,$MORE,$*\"', sh]")
        .set("args", "[x, --]")
        .set("env", "{ STATE: existing }")
        .set("bootstrap", "{ env: { STATE: new, MORE: \"a 'b' $(c) {{ ports.http }}\" } }");
    assert!(!spec.out().container()["command"].to_string().contains("export"));
    let asked = Options { bootstrap: BTreeSet::from(["db".to_owned()]), ..options() };
    let out = compile_as(&[spec], &asked);
    let container = out.container();
    let env = &container["env"];
    assert_eq!(entry(env, "STATE")["value"], "existing");
    let words = list(&container["command"]).iter().chain(list(&container["args"]));
    let words: Vec<String> = words.map(|w| w.as_str().unwrap().to_owned()).collect();
    let own = &words[3];
    assert_eq!(entry(env, own.trim_matches(|c| "$()".contains(c)))["valueFrom"], field("metadata.name"));
    let run = |pod: &str| {
        let words = words.iter().map(|w| w.replace(own, pod).replace("$$(", "$("));
        let words: Vec<String> = words.collect();
        let out = std::process::Command::new(&words[0])
            .args(&words[1..])
            .env_clear()
            .env("STATE", "existing")
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    assert_eq!(run("db-0"), "new,a 'b' $(c) 80,x --\n");
    assert_eq!(run("db-1"), "existing,,x --\n");
    assert_eq!(run("db-10"), "existing,,x --\n");
}

#[test]
fn node_selectors_have_labels_and_revision() {
    let spec = node().set("members", "{ per: node, on: { db: \"true\", disk: ssd }, dedicated: true }");
    let out = spec.out();
    assert_eq!(out.pod()["nodeSelector"], json!({ "db": "true", "disk": "ssd" }));
    let taint = json!([{ "key": "dedicated", "operator": "Equal", "value": "db", "effect": "NoSchedule" }]);
    assert_eq!(out.pod()["tolerations"], taint);
    let out = spec.set("revision", "v2").out();
    assert_eq!(out.pod()["nodeSelector"]["db-revision"], "v2");
    assert_eq!(out.one("DaemonSet")["metadata"]["name"], "db-v2");
    assert!(node().out().pod()["tolerations"].is_null());
}

#[test]
fn a_headless_service_names_members_and_another_serves_clients() {
    let out = volume().out();
    let headless = &out.named("Service", "db")["spec"];
    assert_eq!(
        (&headless["clusterIP"], &headless["publishNotReadyAddresses"]),
        (&json!("None"), &json!(true))
    );
    let client = &out.named("Service", "db-client")["spec"];
    assert!(client["clusterIP"].is_null() && client["publishNotReadyAddresses"].is_null());
    assert_eq!(
        client["ports"],
        json!([{ "name": "http", "port": 80, "targetPort": "http", "protocol": "TCP" }])
    );
    let silent = volume().set("exclusive", "{ writer: true }").set("members", "{ count: 1 }").out();
    let headless = silent.one("Service");
    assert!(headless["spec"]["ports"].is_null() && headless["spec"]["clusterIP"] == "None");
    let agent = node().set("exclusive", "{ data: { d: { mount: /d, host: /m/d } } }").out();
    assert!(agent.of("Service").is_empty());
}

#[test]
fn external_services_get_names() {
    let outside = |external: &str| {
        let spec = volume().without("image").without("members").without("exclusive");
        spec.set("external", format!("{{ {external}, ports: {{ sql: 5432 }} }}"))
    };
    let out = outside("address: DB.Example.com").out();
    let spec = &out.one("Service")["spec"];
    assert_eq!((&spec["type"], &spec["externalName"]), (&json!("ExternalName"), &json!("db.example.com")));
    assert!(spec["selector"].is_null());

    let out = outside("address: \"2001:DB8::1\"").out();
    assert_eq!(out.one("Service")["spec"]["clusterIP"], "None");
    let slice = out.one("EndpointSlice");
    assert_eq!(
        (&slice["addressType"], &slice["endpoints"]),
        (&json!("IPv6"), &json!([{ "addresses": ["2001:db8::1"] }]))
    );
    assert_eq!(map(&slice["metadata"]["labels"])["kubernetes.io/service-name"], "db");
    assert_eq!(slice["ports"], json!([{ "name": "sql", "port": 5432, "protocol": "TCP" }]));

    let out = outside("at: { 1: 192.0.2.1, 2: \"2001:db8::2\", 3: three.example.com }").out();
    let families: Vec<&Value> = out.of("EndpointSlice").into_iter().map(|s| &s["addressType"]).collect();
    assert_eq!(families, ["IPv4", "IPv6"]);
    let first = &out.named("EndpointSlice", "db-ipv4")["endpoints"];
    assert_eq!(first, &json!([{ "addresses": ["192.0.2.1"], "hostname": "db-1" }]));
    assert_eq!(out.of("Service").len(), 2);
    assert_eq!(out.named("Service", "db-3")["spec"]["externalName"], "three.example.com");

    let out = outside("address: db.example.com, at: { 1: 192.0.2.1 }").out();
    assert_eq!(out.named("Service", "db-1")["spec"]["clusterIP"], "None");
    assert_eq!(
        out.named("EndpointSlice", "db-1-ipv4")["metadata"]["labels"]["kubernetes.io/service-name"],
        "db-1"
    );
    for bad in ["127.0.0.1", "169.254.1.1", "0.0.0.0", "\"::1\"", "\"fe80::1\"", "224.0.0.1"] {
        assert_eq!(outside(&format!("address: {bad}")).faults()[0].0, "bad-address", "{bad}");
        assert_eq!(outside(&format!("at: {{ 1: {bad} }}")).faults()[0].0, "bad-address", "{bad}");
    }
}

/// The kubelet gives the files of a Secret to root, and an `fsGroup` may always read them, so a file of
/// another owner, or in a pod with a group, is a copy.
#[test]
fn a_secret_with_permissions_of_its_own_is_copied_as_its_owner() {
    let cookie = "{ cookie: { ref: x/k, path: /var/lib/q/.cookie, mode: \"0400\" }, other: { ref: x/o } }";
    let out = volume().set("user", "\"7:8\"").set("secrets", cookie).out();
    let init = &out.pod()["initContainers"][0];
    let command = ["install", "-m", "0400", "-g", "8", "/run/berth/secrets/cookie", "/run/berth/copies/"];
    assert_eq!(init["command"], json!(command));
    assert_eq!(init["securityContext"]["runAsUser"], 7);
    assert_eq!(init["securityContext"]["capabilities"]["drop"], json!(["ALL"]));
    let volumes = &out.pod()["volumes"];
    assert_eq!(
        entry(volumes, "secret-copies-0")["emptyDir"],
        json!({ "medium": "Memory", "sizeLimit": "1Mi" })
    );
    let originals = &entry(volumes, "secret-originals-0")["projected"];
    assert_eq!(originals["defaultMode"], 0o444, "the user of the copy reads it");
    let mounts = list(&out.container()["volumeMounts"]);
    let at = |path: &str| mounts.iter().find(|m| m["mountPath"] == path).unwrap().clone();
    let mount = |volume: &str, name: &str, path: &str| json!({ "name": volume, "mountPath": path, "subPath": name, "readOnly": true });
    assert_eq!(at("/var/lib/q/.cookie"), mount("secret-copies-0", "cookie", "/var/lib/q/.cookie"));
    assert_eq!(at("/run/secrets/other"), mount("secrets", "other", "/run/secrets/other"));
    assert!(mounts.iter().all(|m| m["name"] != "secret-originals-0"));
}

#[test]
fn a_secret_of_root_needs_no_copy() {
    let secret = "{ key: { ref: x/k, mode: \"0400\" }, open: { ref: x/o } }";
    let out = pinned().set("secrets", secret).out();
    assert!(out.pod()["initContainers"].is_null());
    let projected = &entry(&out.pod()["volumes"], "secrets")["projected"];
    assert_eq!(projected["defaultMode"], 0o444, "the image's user is not known");
    let items = json!([{ "key": "k", "path": "key", "mode": 0o400 }, { "key": "o", "path": "open" }]);
    assert_eq!(projected["sources"][0]["secret"]["items"], items);
}

#[test]
fn a_helper_gets_a_copy_of_its_own_user() {
    let helper = "{ h: { image: \"h:1\", user: \"9\", args: [\"{{ secret('key').path }}\"] } }";
    let secret = "{ key: { ref: x/k, mode: \"0400\" } }";
    let out = volume().set("user", "\"7\"").set("secrets", secret).set("helpers", helper).out();
    let users: Vec<u64> = list(&out.pod()["initContainers"])
        .iter()
        .map(|c| c["securityContext"]["runAsUser"].as_u64().unwrap())
        .collect();
    assert_eq!(users, [7, 9]);
    let theirs = &list(&out.pod()["containers"])[1]["volumeMounts"];
    assert_eq!(theirs[0]["name"], "secret-copies-1");
    assert_eq!(theirs[0]["mountPath"], "/run/secrets/key");
}

#[test]
fn services_have_the_ports_of_those_who_connect() {
    let ports = "{ web: 80, dns: { port: 53, protocol: udp }, gossip: { port: 8301, protocol: udp, for: peers }, admin: { port: 9, for: node } }";
    let data = "data: { data: { mount: /data, volume: { backend: aws-ebs, size: 10Gi } } }";
    let out = volume().set("exclusive", format!("{{ {data}, ports: {ports} }}")).out();
    let names = |object: &Value| -> Vec<String> {
        let port = |p: &Value| format!("{}/{}", p["name"].as_str().unwrap(), p["protocol"].as_str().unwrap());
        list(object).iter().map(port).collect()
    };
    assert_eq!(names(&out.named("Service", "db-client")["spec"]["ports"]), ["web/TCP", "dns/UDP"]);
    assert_eq!(names(&out.named("Service", "db")["spec"]["ports"]), ["web/TCP", "dns/UDP", "gossip/UDP"]);
    assert_eq!(names(&out.container()["ports"]), ["web/TCP", "dns/UDP", "gossip/UDP", "admin/TCP"]);
}

#[test]
fn only_a_named_service_account_gets_a_token() {
    let pod = |more: &str| volume().kubernetes("1.34", more).out().pod().clone();
    let (plain, named) = (pod(""), pod(", service_account: prometheus"));
    assert_eq!(
        (&plain["automountServiceAccountToken"], &plain["serviceAccountName"]),
        (&json!(false), &json!(null))
    );
    assert_eq!(named["automountServiceAccountToken"], true);
    assert_eq!(named["serviceAccountName"], "prometheus");
    let twice = volume().kubernetes("1.34", ", service_account: a, pod: { serviceAccountName: b }");
    assert_eq!(twice.faults()[0].0, "hatch-overwrites");
}
