//! Tests that every reference between objects leads to an object that exists, and only there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Out, Spec, compile, list, map, node, pinned, volume};

fn in_namespace(spec: Spec, namespace: &str) -> Spec {
    let settings = format!("{{ kubernetes: {{ version: \"1.34\", namespace: {namespace} }} }}");
    spec.set("targets", settings)
}

/// Returns services of every kind whose names begin in the same way, in two namespaces.
fn all() -> Vec<Spec> {
    let es = node()
        .set("service", "es")
        .set("members", "{ per: node, on: { es: \"true\" }, dedicated: true }")
        .set("labels", "{ team: search }")
        .set("apart_from", "[kafka, zoo]");
    let zoo = pinned()
        .set("service", "zoo")
        .set("members", "{ count: 3, first: 1, pin: zoo }")
        .set("apart_from", "[es]");
    let volumes = "{ data: { a: { mount: /a, volume: { backend: aws-ebs, size: 1Gi, zones: [x, y] } }, \
                   b: { mount: /b, volume: { backend: ceph-rbd, class: ceph, size: 1Gi } } }, ports: { http: 80 } }";
    let kafka = volume()
        .set("service", "kafka")
        .set("exclusive", volumes)
        .set("files", "{ /etc/a/x.conf: { content: one }, /etc/b/x.conf: { content: two } }")
        .set("secrets", "{ key: { ref: kafka/key }, other: { ref: kafka/other } }")
        .set("tmpfs", "{ /dev/shm: 64Mi, /scratch: 1Mi }")
        .set(
            "helpers",
            "{ exporter: { image: \"e:1\", args: [\"{{ secret('key').path }}\"], ports: { metrics: 81 } } }",
        )
        .set("apart_from", "[es]");
    let tool = volume()
        .set("service", "kafka-es")
        .set("exclusive", "{ writer: true }")
        .set("members", "{ count: 1 }");
    let agent = node()
        .set("service", "agent")
        .set("exclusive", "{ ports: { http: 99 } }")
        .set("members", "{ per: node, on: { agent: \"true\" } }");
    vec![
        in_namespace(es.clone().set("revision", "v1"), "search"),
        in_namespace(es.set("revision", "v2"), "search"),
        in_namespace(zoo, "search"),
        in_namespace(kafka, "streams"),
        in_namespace(tool, "streams"),
        in_namespace(agent, "streams"),
        in_namespace(
            volume().set("service", "a").set("exclusive", "{ writer: true }").set("members", "{ count: 1 }"),
            "search",
        ),
    ]
}

/// The namespace and labels of the pods of a workload.
struct Pods<'o> {
    name: &'o str,
    service: String,
    namespace: &'o Value,
    labels: std::collections::BTreeMap<String, String>,
    object: &'o Value,
}

fn pods(out: &Out) -> Vec<Pods<'_>> {
    let sets = out.of("DaemonSet").into_iter().chain(out.of("StatefulSet"));
    sets.map(|object| {
        let labels = map(&object["spec"]["template"]["metadata"]["labels"]);
        Pods {
            name: object["metadata"]["name"].as_str().unwrap(),
            service: labels["app.kubernetes.io/name"].clone(),
            namespace: &object["metadata"]["namespace"],
            labels,
            object,
        }
    })
    .collect()
}

/// Returns the names of the workloads in all namespaces whose pods a selector matches.
fn selected<'o>(all: &'o [Pods<'_>], selector: &Value) -> BTreeSet<&'o str> {
    let selector = map(selector);
    assert!(!selector.is_empty());
    // Other charts also set the common label.
    assert_eq!(selector["app.kubernetes.io/managed-by"], "berthc");
    let hit = |p: &&Pods<'_>| selector.iter().all(|(key, value)| p.labels.get(key) == Some(value));
    all.iter().filter(hit).map(|p| p.name).collect()
}

fn of_service<'o>(all: &'o [Pods<'_>], service: &str) -> BTreeSet<&'o str> {
    all.iter().filter(|p| p.service == service).map(|p| p.name).collect()
}

#[test]
fn selectors_match_only_the_pods_of_their_service() {
    let out = compile(&all());
    let all = pods(&out);
    assert_eq!(all.len(), 7);
    for p in &all {
        let own = selected(&all, &p.object["spec"]["selector"]["matchLabels"]);
        assert_eq!(own, BTreeSet::from([p.name]), "a workload selects its own pods and no others");
        for spread in list(&p.object["spec"]["template"]["spec"]["topologySpreadConstraints"]) {
            assert_eq!(selected(&all, &spread["labelSelector"]["matchLabels"]), of_service(&all, &p.service));
        }
    }
    let mut services = 0;
    for service in out.of("Service") {
        let name = service["metadata"]["labels"]["app.kubernetes.io/name"].as_str().unwrap();
        assert_eq!(selected(&all, &service["spec"]["selector"]), of_service(&all, name));
        for port in list(&service["spec"]["ports"]) {
            for p in all.iter().filter(|p| p.service == name) {
                let containers = list(&p.object["spec"]["template"]["spec"]["containers"]);
                let ports = containers.iter().flat_map(|c| list(&c["ports"]));
                let hit: Vec<&Value> = ports.filter(|c| c["name"] == port["targetPort"]).collect();
                assert_eq!(hit.len(), 1, "{port}");
                assert_eq!(hit[0]["containerPort"], port["port"]);
            }
        }
        services += 1;
    }
    assert_eq!(services, 10);
    let budgets = out.of("PodDisruptionBudget");
    assert_eq!(budgets.len(), 4);
    for budget in budgets {
        let name = budget["metadata"]["name"].as_str().unwrap();
        assert_eq!(selected(&all, &budget["spec"]["selector"]["matchLabels"]), BTreeSet::from([name]));
        assert_eq!(budget["spec"]["maxUnavailable"], 1);
    }
}

#[test]
fn anti_affinity_names_all_revisions_and_apart_from() {
    let out = compile(&all());
    let all = pods(&out);
    let apart = [("es", ["kafka", "zoo"].as_slice()), ("zoo", &["es"]), ("kafka", &["es"])];
    for p in &all {
        let terms = list(
            &p.object["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"],
        );
        let others = apart.iter().find(|(name, _)| *name == p.service).map_or(&[][..], |(_, others)| others);
        let expected: Vec<BTreeSet<&str>> =
            [p.service.as_str()].iter().chain(others).map(|name| of_service(&all, name)).collect();
        let found: Vec<BTreeSet<&str>> =
            terms.iter().map(|t| selected(&all, &t["labelSelector"]["matchLabels"])).collect();
        assert_eq!(found, expected, "{}", p.name);
        for (i, term) in terms.iter().enumerate() {
            assert_eq!(term["topologyKey"], "kubernetes.io/hostname");
            // Claims and names belong to one namespace; the resources of a node are shared by all
            // namespaces.
            let everywhere = term["namespaceSelector"].is_object();
            assert_eq!(everywhere, i > 0 || ["es", "zoo"].contains(&p.service.as_str()), "{}", p.name);
        }
    }
}

#[test]
fn every_volume_exists_and_is_mounted() {
    let out = compile(&all());
    for p in pods(&out) {
        let spec = &p.object["spec"]["template"]["spec"];
        let claims = list(&p.object["spec"]["volumeClaimTemplates"]).iter().map(|c| &c["metadata"]["name"]);
        let volumes = list(&spec["volumes"]).iter().map(|v| &v["name"]);
        let mut there: Vec<&str> = claims.chain(volumes).map(|n| n.as_str().unwrap()).collect();
        there.sort_unstable();
        let names: BTreeSet<&str> = there.iter().copied().collect();
        assert_eq!(names.len(), there.len(), "two volumes of one name");
        let mounts = list(&spec["containers"]).iter().flat_map(|c| list(&c["volumeMounts"]));
        let used: BTreeSet<&str> = mounts.map(|m| m["name"].as_str().unwrap()).collect();
        assert_eq!(used, names, "{}", p.name);
        for volume in list(&spec["volumes"]).iter().filter(|v| v["configMap"].is_object()) {
            let config = out.named("ConfigMap", volume["configMap"]["name"].as_str().unwrap());
            assert_eq!(
                (&config["metadata"]["namespace"], &config["immutable"]),
                (p.namespace, &Value::Bool(true))
            );
            let keys: BTreeSet<&str> =
                list(&volume["configMap"]["items"]).iter().map(|i| i["key"].as_str().unwrap()).collect();
            assert_eq!(keys, config["data"].as_object().unwrap().keys().map(String::as_str).collect());
        }
        if p.object["kind"] == "StatefulSet" {
            let headless = out.named("Service", p.object["spec"]["serviceName"].as_str().unwrap());
            assert_eq!(
                (&headless["spec"]["clusterIP"], &headless["metadata"]["namespace"]),
                (&"None".into(), p.namespace)
            );
        }
    }
}

#[test]
fn local_volumes_are_reserved_for_the_claims_of_their_set() {
    let out = compile(&all());
    let mut reserved = BTreeSet::new();
    for volume in out.of("PersistentVolume") {
        let spec = &volume["spec"];
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let term = &spec["nodeAffinity"]["required"]["nodeSelectorTerms"];
        assert_eq!(list(term).len(), 1);
        let node = &term[0]["matchExpressions"][0];
        assert_eq!((&node["key"], &node["operator"]), (&"zoo".into(), &"In".into()));
        reserved.insert((
            text(&spec["claimRef"]["namespace"]),
            text(&spec["claimRef"]["name"]),
            text(&spec["storageClassName"]),
            text(&spec["capacity"]["storage"]),
            text(&node["values"][0]),
            text(&spec["local"]["path"]),
        ));
    }
    let set = out.named("StatefulSet", "zoo");
    let (spec, claim) = (&set["spec"], &set["spec"]["volumeClaimTemplates"][0]);
    let start = spec["ordinals"]["start"].as_u64().unwrap_or_default();
    let made: BTreeSet<_> = (start..start + spec["replicas"].as_u64().unwrap())
        .map(|ordinal| {
            (
                set["metadata"]["namespace"].as_str().unwrap().to_owned(),
                format!("{}-zoo-{ordinal}", claim["metadata"]["name"].as_str().unwrap()),
                claim["spec"]["storageClassName"].as_str().unwrap().to_owned(),
                claim["spec"]["resources"]["requests"]["storage"].as_str().unwrap().to_owned(),
                ordinal.to_string(),
                format!("/mnt/d1/db-{ordinal}"),
            )
        })
        .collect();
    assert_eq!(reserved, made);
    let class = out.named("StorageClass", claim["spec"]["storageClassName"].as_str().unwrap());
    assert_eq!(class["provisioner"], "kubernetes.io/no-provisioner");
    assert_eq!(class["volumeBindingMode"], "WaitForFirstConsumer");
}

#[test]
fn kustomizations_list_every_file() {
    let out = compile(&all());
    for (path, documents) in out.0.iter().filter(|(path, _)| path.ends_with("kustomization.yaml")) {
        let folder = path.trim_end_matches("kustomization.yaml");
        let files: BTreeSet<&str> = out
            .0
            .keys()
            .filter_map(|p| p.strip_prefix(folder))
            .filter(|p| *p != "kustomization.yaml")
            .collect();
        let listed: Vec<&str> =
            list(&documents[0]["resources"]).iter().map(|r| r.as_str().unwrap()).collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), files);
        assert_eq!(listed.len(), files.len());
    }
}

/// Reads each policy back against the labels of the emitted pods: it selects the members of its service and
/// no others, lets each member in to each port but those for the node, and clients only to theirs.
#[test]
fn a_policy_selects_its_members_and_lets_in_who_is_named() {
    let mut specs = all();
    let ports = "{ data: { a: { mount: /a, volume: { backend: aws-ebs, size: 1Gi } } }, ports: { http: 80, \
                 raft: { port: 82, for: peers }, gossip: { port: 82, protocol: udp, for: peers }, \
                 debug: { port: 83, for: node } } }";
    let clients = "clients: [kafka-es, { namespace: monitoring, pods: { app: prom } }, { cidr: 10.0.0.0/8 }]";
    let targets = format!("{{ kubernetes: {{ version: \"1.34\", namespace: search, {clients} }} }}");
    specs.push(volume().set("service", "named").set("exclusive", ports).set("targets", targets));
    let out = compile(&specs);
    let all = pods(&out);
    let policies = out.of("NetworkPolicy");
    // Those on the network of their node and those without ports have none.
    let names: Vec<&str> = policies.iter().map(|p| p["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["agent", "kafka", "named", "zoo"]);
    for policy in policies {
        let name = policy["metadata"]["name"].as_str().unwrap();
        let spec = &policy["spec"];
        assert_eq!(spec["policyTypes"], serde_json::json!(["Ingress"]));
        let selector = &spec["podSelector"]["matchLabels"];
        assert_eq!(selected(&all, selector), of_service(&all, name));
        let (inside, clients) = (&spec["ingress"][0], &spec["ingress"][1]);
        assert_eq!(&inside["from"][0]["podSelector"]["matchLabels"], selector, "{policy}");
        assert!(inside["from"][0]["namespaceSelector"].is_null());
        let open = |rule: &Value| -> BTreeSet<(u64, String)> {
            let all = list(&rule["ports"]).iter();
            all.map(|p| (p["port"].as_u64().unwrap(), p["protocol"].as_str().unwrap().to_owned())).collect()
        };
        let mut declared = BTreeSet::new();
        for p in all.iter().filter(|p| p.service == name) {
            for port in list(&p.object["spec"]["template"]["spec"]["containers"])
                .iter()
                .flat_map(|c| list(&c["ports"]))
            {
                let number = port["containerPort"].as_u64().unwrap();
                declared.insert((number, port["protocol"].as_str().unwrap().to_owned()));
            }
        }
        declared.retain(|(number, _)| *number != 83);
        assert_eq!(open(inside), declared, "{policy}");
        declared.retain(|(number, _)| *number != 82);
        assert_eq!(open(clients), declared, "{policy}");
        if name == "named" {
            let other = &inside["from"][1];
            assert_eq!(other["namespaceSelector"], serde_json::json!({}));
            assert_eq!(selected(&all, &other["podSelector"]["matchLabels"]), of_service(&all, "kafka-es"));
            let prom = serde_json::json!({
                "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "monitoring" } },
                "podSelector": { "matchLabels": { "app": "prom" } },
            });
            assert_eq!(clients["from"], serde_json::json!([prom, { "ipBlock": { "cidr": "10.0.0.0/8" } }]));
        } else {
            assert_eq!(clients["from"], serde_json::json!([{ "podSelector": {} }]));
        }
    }
}

#[test]
fn a_policy_is_left_out_on_request_and_open_for_a_service_that_leads_out() {
    let with = |more: &str| volume().kubernetes("1.34", more).out();
    assert!(with(", network_policy: false").of("NetworkPolicy").is_empty());
    let open = with(", service: { type: LoadBalancer }");
    assert!(open.one("NetworkPolicy")["spec"]["ingress"][1]["from"].is_null());
    let nobody = with(", clients: []");
    assert_eq!(list(&nobody.one("NetworkPolicy")["spec"]["ingress"]).len(), 1);
}
