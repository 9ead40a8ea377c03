//! Tests `targets.swarm.service`: accepted and rejected fields.

use super::{PER_NODE, PINNED, codes, service};

fn with(base: &str, hatch: &str) -> String {
    base.replace("engine: \"20.10\"", &format!("engine: \"20.10\", service: {hatch}"))
}

#[test]
fn additions_are_merged_with_the_decisions() {
    let hatch = "{ cap_add: [SYS_NICE], sysctls: { net.core.somaxconn: \"1024\" }, init: true, \
                 extra_hosts: [\"a:10.0.0.1\"], logging: { driver: json-file, options: { max-size: 10m, \"a$b\": \"c$d\" } }, \
                 labels: { own: \"$x\" }, networks: [other], \
                 deploy: { labels: { \"traefik.enable\": \"true\" }, placement: { preferences: [{ spread: node.labels.rack }], \
                 constraints: [node.role == worker] }, resources: { reservations: { generic_resources: \
                 [{ discrete_resource_spec: { kind: disk, value: 1 } }] } } } }";
    let spec = format!("{}labels: {{ team: db }}\nresources: {{ cpu: \"1\" }}\n", with(PINNED, hatch));
    let member = service(&spec, "db-1");
    assert_eq!(member["cap_add"], serde_json::json!(["SYS_NICE"]));
    assert_eq!(member["init"], true);
    assert_eq!(member["logging"]["options"], serde_json::json!({ "max-size": "10m", "a$b": "c$d" }));
    assert_eq!(member["labels"], serde_json::json!({ "team": "db", "own": "$x" }));
    assert_eq!(member["networks"], serde_json::json!(["net", "other"]));
    let deploy = &member["deploy"];
    assert_eq!(deploy["labels"], serde_json::json!({ "traefik.enable": "true" }));
    let constraints = serde_json::json!(["node.labels.db == 1", "node.role == worker"]);
    assert_eq!(deploy["placement"]["constraints"], constraints);
    assert_eq!(deploy["placement"]["preferences"], serde_json::json!([{ "spread": "node.labels.rack" }]));
    assert_eq!(deploy["resources"]["limits"], serde_json::json!({ "cpus": "1" }));
    let generic = &deploy["resources"]["reservations"]["generic_resources"][0]["discrete_resource_spec"];
    assert_eq!(generic, &serde_json::json!({ "kind": "disk", "value": 1 }));
    let stack = super::stack(&super::tree(&[&spec]), "db/swarm/db-1.yml");
    assert_eq!(stack["networks"]["other"], serde_json::json!({ "external": true, "name": "other" }));
}

#[test]
fn additions_that_overwrite_a_decision_are_refused() {
    for hatch in [
        "{ image: x }",
        "{ environment: { A: b } }",
        "{ ports: [80] }",
        "{ volumes: [] }",
        "{ hostname: x }",
        "{ labels: { team: x } }",
        "{ labels: { com.docker.stack.image: x } }",
        "{ networks: [net] }",
        "{ networks: [host] }",
        "{ deploy: { labels: { note: x } } }",
        "{ deploy: { replicas: 2 } }",
        "{ deploy: { mode: global } }",
        "{ deploy: { endpoint_mode: vip } }",
        "{ deploy: { update_config: { order: start-first } } }",
        "{ deploy: { restart_policy: { max_attempts: 3 } } }",
        "{ deploy: { placement: { max_replicas_per_node: 1 } } }",
        "{ deploy: { resources: { limits: { cpus: \"1\" } } } }",
        "{ deploy: { resources: { reservations: { memory: 1g } } } }",
    ] {
        let spec = format!("{}labels: {{ team: db }}\nannotations: {{ note: a }}\n", with(PINNED, hatch));
        assert_eq!(codes(&[&spec]), ["hatch-overwrites".to_owned()].into(), "{hatch}");
    }
    let live = with(PINNED, "{ healthcheck: { test: [CMD, x] } }");
    assert!(codes(&[&live]).is_empty());
    let both = format!("{live}health: {{ live: {{ run: [y] }}, start: 60s }}\n");
    assert_eq!(codes(&[&both]), ["hatch-overwrites".to_owned()].into());
    assert!(codes(&[&with(PER_NODE, "{ networks: [other] }")]).contains("hatch-overwrites"));
}

#[test]
fn additions_that_the_stack_command_drops_are_refused() {
    for hatch in [
        "{ privileged: true }",
        "{ devices: [] }",
        "{ security_opt: [] }",
        "{ shm_size: 1g }",
        "{ oom_score_adj: -500 }",
        "{ restart: always }",
        "{ depends_on: [] }",
        "{ container_name: x }",
        "{ mem_limit: 1g }",
        "{ extends: x }",
        "{ x-own: 1 }",
        "{ cap_ad: [X] }",
        "{ deploy: { x-own: 1 } }",
        "{ healthcheck: { start_intervall: 1s } }",
    ] {
        assert_eq!(codes(&[&with(PINNED, hatch)]), ["unknown-key".to_owned()].into(), "{hatch}");
    }
    for hatch in [
        "{ cap_add: X }",
        "{ init: \"yes\" }",
        "{ deploy: [] }",
        "{ networks: { a: {} } }",
        "{ labels: { a: 1 } }",
    ] {
        assert_eq!(codes(&[&with(PINNED, hatch)]), ["wrong-type".to_owned()].into(), "{hatch}");
    }
    for constraint in
        ["node.label.x == 1", "zone == a", "node.labels.x = 1", "node.labels.x/y == 1", "node.role =="]
    {
        let hatch = format!("{{ deploy: {{ placement: {{ constraints: [\"{constraint}\"] }} }} }}");
        assert_eq!(codes(&[&with(PINNED, &hatch)]), ["bad-value".to_owned()].into(), "{constraint}");
    }
    let sysctl = "{ sysctls: { net.core.somaxconn: \"1\" } }";
    assert!(codes(&[&with(PER_NODE, sysctl)]).contains("bad-value"));
}

#[test]
fn additions_that_the_client_rejects_are_refused() {
    let placement = |what: &str| format!("{{ deploy: {{ placement: {{ preferences: [{what}] }} }} }}");
    let generic = |what: &str| {
        format!("{{ deploy: {{ resources: {{ reservations: {{ generic_resources: [{what}] }} }} }} }}")
    };
    let discrete = |what: &str| generic(&format!("{{ discrete_resource_spec: {what} }}"));
    for hatch in [
        placement("x"),
        placement("{ spread: [node.labels.x] }"),
        placement("{ spread: node.labels.x, binpack: y }"),
        placement("{ spread: node.hostname }"),
        placement("{ spread: node.labels. }"),
        generic("x"),
        generic("{ a: 1 }"),
        discrete("{ kind: gpu }"),
        discrete("{ kind: gpu, value: \"1\" }"),
        discrete("{ kind: gpu, value: 1.5 }"),
        discrete("{ kind: gpu, value: 0 }"),
        discrete("{ kind: gpu, value: 1, more: 1 }"),
    ] {
        assert_eq!(codes(&[&with(PINNED, &hatch)]), ["bad-value".to_owned()].into(), "{hatch}");
    }
    for hatch in [
        placement("{ spread: node.labels.x }, { spread: engine.labels.y.z }"),
        discrete("{ kind: gpu, value: 2 }"),
    ] {
        assert!(codes(&[&with(PINNED, &hatch)]).is_empty(), "{hatch}");
    }
}

#[test]
fn raw_constraints_that_match_no_node_are_refused() {
    let said = |base: &str, constraints: &str| {
        let hatch = format!("{{ deploy: {{ placement: {{ constraints: [{constraints}] }} }} }}");
        codes(&[&with(base, &hatch)])
    };
    let labelled = PER_NODE.replace("db: \"true\"", "db: Fast");
    for (base, constraint) in [
        (PINNED, "node.labels.db==2"),
        (PINNED, "node.labels.db == 3"),
        (PINNED, "node.labels.db != 1"),
        (PINNED, "node.labels.db!=2"),
        (&labelled, "node.labels.db == slow"),
        (&labelled, "node.labels.db  !=  FAST"),
    ] {
        assert_eq!(said(base, constraint), ["hatch-overwrites".to_owned()].into(), "{constraint}");
    }
    for (base, constraint) in [
        (PINNED, "node.labels.db != 3"),
        (PINNED, "node.labels.DB == 3"),
        (PINNED, "engine.labels.db == 3"),
        (&labelled, "node.labels.db==fast"),
        (&labelled, "node.labels.db != slow"),
        (PINNED, "node.labels.rack == a, node.labels.rack == A, node.labels.rack != b"),
        (PINNED, "node.role != manager, node.labels.rack != a, node.labels.rack != b"),
    ] {
        assert!(said(base, constraint).is_empty(), "{constraint}");
    }
    for both in ["node.labels.rack == a, node.labels.rack==b", "node.role == worker, node.role != Worker"] {
        assert_eq!(said(PINNED, both), ["bad-value".to_owned()].into(), "{both}");
    }
}
