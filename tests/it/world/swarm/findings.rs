//! Tests the findings about stack files that need no search.

use super::*;

const V: Level = Level::Violation;
const N: Level = Level::Note;

/// Returns the codes for one service, with more text at the top of the file. What is external is not among
/// the files.
fn codes(body: &str, beside: &str) -> Vec<(String, Level)> {
    let all = service(body, beside).1.findings.into_iter().filter(|f| f.code != "not-among-files");
    all.map(|f| (f.code.to_string(), f.level)).collect()
}

fn one(code: &str, level: Level) -> Vec<(String, Level)> {
    vec![(code.to_owned(), level)]
}

#[test]
fn references_to_missing_objects_are_reported() {
    for body in ["volumes: [\"data:/d\"]", "networks: [net]", "configs: [conf]", "secrets: [{ source: s }]"] {
        assert_eq!(codes(body, ""), one("file-refused", V), "{body}");
    }
    for (body, beside) in [
        ("volumes: [\"data:/d\"]", "volumes: { data: }"),
        ("networks: [net]", "networks: { net: }"),
        ("networks: { default: { aliases: [x] } }", ""),
        ("configs: [conf]", "configs: { conf: { external: true } }"),
        ("secrets: [{ source: s }]", "secrets: { s: { external: true } }"),
    ] {
        assert_eq!(codes(body, beside), [], "{body}");
    }
    assert!(service("networks: [host]", "").0.node_network.is_some());
    assert_eq!(codes("volumes: [\"data-{{.Task.Slot}}:/d\"]", "volumes: { data: }"), one("file-refused", V));
}

#[test]
fn constraints_that_match_nothing_are_reported() {
    let constraint =
        |text: &str| codes(&format!("deploy: {{ placement: {{ constraints: [{text:?}] }} }}"), "");
    assert_eq!(constraint("node.label.db == 1"), one("rule-matches-nothing", V));
    assert_eq!(constraint("node.labels. == 1"), one("rule-matches-nothing", V));
    assert_eq!(constraint("node.role == master"), one("rule-matches-nothing", V));
    assert_eq!(constraint("node.role = manager"), one("file-refused", V));
    assert_eq!(constraint("node.labels.a/b == 1"), one("file-refused", V));
    assert_eq!(constraint("node.labels.db =="), one("file-refused", V));
    assert_eq!(constraint("node.role != master"), []);
    assert_eq!(constraint("NODE.LABELS.db == 1"), []);
}

#[test]
fn modes_that_exclude_each_other_are_reported() {
    let world = service("deploy:\n  mode: global\n  replicas: 6", "").1;
    assert_eq!(told(&world), [("file-refused".to_owned(), V, 7)]);
    assert_eq!(only(&world, "file-refused").at.len(), 2);
    assert_eq!(codes("deploy: { mode: single }", ""), one("file-refused", V));
    assert_eq!(codes("deploy: { update_config: { order: stop_first } }", ""), one("file-refused", V));
}

#[test]
fn templates_that_swarm_refuses_are_reported() {
    assert_eq!(codes("hostname: \"{{.Task.Number}}\"", ""), one("file-refused", V));
    assert_eq!(codes("hostname: \"{{.Task.Slot\"", ""), one("file-refused", V));
    assert_eq!(codes("hostname: \"{{.Node.Hostname}}\"", ""), []);
    let (_, world) = service("hostname: \"{{join .X}}\"", "");
    assert_eq!((world.unread.len(), world.findings.len()), (1, 0));
    // A command is not expanded.
    assert_eq!(codes("command: [\"{{.Nothing}}\"]", ""), []);
}

#[test]
fn options_with_the_slot_need_a_name_with_the_slot() {
    let opts = "{ type: nfs, o: addr=h, device: \":/e/{{.Task.Slot}}\" }";
    let of = |name: &str, replicas: u32| {
        codes(
            &format!("volumes: [\"data:/d\"]\ndeploy: {{ replicas: {replicas} }}"),
            &format!("volumes: {{ data: {{ {name} driver_opts: {opts} }} }}\n"),
        )
    };
    assert_eq!(of("", 3), one("rule-ignored", V));
    assert_eq!(of("", 1), []);
    assert_eq!(of("name: \"data-{{.Task.Slot}}\",", 3), []);
}

#[test]
fn ports_without_effect_are_reported() {
    let dnsrr = |port: &str| codes(&format!("ports: [{port}]\ndeploy: {{ endpoint_mode: dnsrr }}"), "");
    assert_eq!(dnsrr("\"80:80\""), one("file-refused", V));
    assert_eq!(dnsrr("{ target: 80 }"), one("file-refused", V));
    assert_eq!(dnsrr("{ target: 80, published: 80, mode: host }"), []);
    assert_eq!(codes("ports: [\"127.0.0.1:80:80\"]", ""), one("rule-ignored", N));
    assert_eq!(codes("ports: [\"80:80\", \"70-90:70-90\"]", ""), one("file-refused", V));
    assert_eq!(codes("ports: [\"80:80\", \"80:80/udp\"]", ""), []);
    assert_eq!(codes("ports: [\"70000:80\"]", ""), one("file-refused", V));
    assert_eq!(codes("ports: [{ target: 80, published: \"80-81\" }]", ""), one("file-refused", N));
}

#[test]
fn ports_that_two_services_publish_are_reported() {
    let two = |a: &str, b: &str| {
        told(&read(&format!("services:\n  a: {{ image: x, {a} }}\n  b: {{ image: y, {b} }}\n")))
            .into_iter()
            .map(|(code, level, _)| (code, level))
            .collect::<Vec<_>>()
    };
    let mesh = "ports: [\"80:80\"]";
    let host = |deploy: &str| {
        format!("ports: [{{ target: 80, published: 80, mode: host }}], deploy: {{ {deploy} }}")
    };
    let on = |constraint: &str| format!("placement: {{ constraints: [\"{constraint}\"] }}");
    assert_eq!(two(mesh, mesh), one("file-refused", V));
    assert_eq!(two(mesh, &host("")), one("file-refused", V));
    assert_eq!(two(mesh, "ports: [\"81:80\"]"), []);
    // Two services that may run on two nodes keep each other away with the port. This is a rule and
    // no fault.
    assert_eq!(two(&host(""), &host("")), []);
    assert_eq!(two(&host("mode: global"), &host("")), one("update-stuck", V));
    let v = |n| format!("mode: global, {}", on(&format!("node.labels.v == {n}")));
    assert_eq!(two(&host(&v(1)), &host(&v(2))), []);
    assert_eq!(two(&host(&v(1)), &host(&v(1))), one("update-stuck", V));
    let h = on("node.hostname == h1");
    assert_eq!(two(&host(&h), &host(&h)), one("update-stuck", V));
    assert_eq!(two(&host(&h), &host(&on("node.hostname == h2"))), []);
}

#[test]
fn keys_that_the_stack_command_drops_are_reported() {
    let data = "volumes: [\"/srv/d:/d\"]";
    let port = "ports: [{ target: 1, published: 1, mode: host }]";
    assert_eq!(codes(&format!("container_name: x\n{data}"), ""), one("rule-ignored", N));
    assert_eq!(codes(&format!("container_name: x\n{data}\n{port}"), ""), one("rule-ignored", N));
    assert_eq!(codes("container_name: x\ndepends_on: [b]\nexpose: [80]\nbuild: .", ""), []);
    assert_eq!(codes("network_mode: host", ""), one("rule-ignored", N));
    assert_eq!(codes("network_mode: bridge", ""), []);
    assert_eq!(codes("privileged: true", ""), one("rule-ignored", N));
    assert_eq!(codes("oom_score_adj: -500", ""), one("rule-ignored", N));
    assert_eq!(codes("restart: \"no\"", ""), one("rule-ignored", N));
    assert_eq!(codes("restart: always", ""), []);
    let mount = |kind: &str, path: &str| {
        let (source, of) = if kind == "volume" { ("d", "volumes: { d: }\n") } else { ("/srv/d", "") };
        let mount =
            format!("{{ type: {kind}, source: {source}, target: /d, volume: {{ subpath: {path} }} }}");
        codes(&format!("volumes: [{mount}]"), of)
    };
    assert_eq!(mount("volume", "x"), one("rule-ignored", N));
    assert_eq!((mount("volume", "\"\""), mount("bind", "x")), (vec![], vec![]));
    assert_eq!(codes("networks: { default: { ipv4_address: 10.0.0.5 } }", ""), one("rule-ignored", N));
}

#[test]
fn files_that_the_stack_command_refuses_are_reported() {
    for body in
        ["extends: { service: b }", "profiles: [x]", "mem_limit: 1g", "depends_on: { b: { condition: c } }"]
    {
        assert_eq!(codes(body, ""), one("file-refused", N), "{body}");
    }
    assert_eq!(codes("stop_grace_period: 30", ""), one("file-refused", N));
    assert_eq!(codes("deploy: { order: x }", ""), one("file-refused", N));
    let versions = |v: &str| told(&read(&format!("version: {v}\nservices: {{ a: {{ image: b }} }}"))).len();
    for (version, refused) in
        [("\"2.4\"", 1), ("\"3\"", 0), ("\"3.8\"", 0), ("\"3.99\"", 1), ("\"2\"", 1), ("\"1\"", 1)]
    {
        assert_eq!(versions(version), refused, "{version}");
    }
    let world = read("name: x\nservices: { a: { image: b } }\n");
    assert_eq!(told(&world), [("file-refused".to_owned(), N, 1)]);
    // The same key in many services is one finding.
    let world = read("services:\n  a: { image: x, profiles: [p] }\n  b: { image: x, profiles: [p] }\n");
    assert_eq!(only(&world, "file-refused").at.len(), 2);
}

const DATABASE: &str = "services:\n  db1: &db\n    image: docker.io/library/zookeeper:3.9\n    volumes: [\"/srv/z:/data\", \"/srv/l:/datalog\"]\n";

#[test]
fn risky_settings_of_databases_are_notes() {
    let db = |rest: &str| {
        let world = read(&format!("{}{rest}", DATABASE.replace(" &db", "")));
        world.findings.into_iter().map(|f| (f.code.to_string(), f.level)).collect::<Vec<_>>()
    };
    assert_eq!(db("    stop_grace_period: 30s\n"), []);
    assert_eq!(db(""), one("grace-short", N));
    assert_eq!(db("    stop_grace_period: 10s\n"), one("grace-short", N));
    let calm = "    stop_grace_period: 30s\n";
    assert_eq!(
        db(&format!(
            "{calm}    ports: [{{ target: 1, published: 1, mode: host }}]\n    deploy: {{ restart_policy: {{ max_attempts: 3 }} }}\n"
        )),
        one("update-stuck", V)
    );
    assert_eq!(
        db(&format!("{calm}    environment: {{ ETCD_INITIAL_CLUSTER_STATE: new }}\n")),
        one("bootstrap-kept", N)
    );
    assert_eq!(
        db(&format!(
            "{calm}    environment: {{ ZOO_SERVERS: \"server.1=db1:2888:3888;2181 server.2=db1:2888:3888;2181 server.3=db1:2888:3888;2181\" }}\n    deploy: {{ replicas: 3, placement: {{ preferences: [{{ spread: node.labels.rack }}] }} }}\n"
        )),
        one("rule-soft", N)
    );
    let world = read("services: { db: { image: postgres, stop_grace_period: 1m } }");
    assert_eq!(only(&world, "data-ephemeral").level, V);
    assert_eq!(world.workloads[0].members[0].mounts[0].source, Source::Ephemeral);
    // A router of the same image keeps no data.
    let world = read("services: { db: { image: mongo, command: mongos --configdb x } }");
    silent(&world);
}

#[test]
fn restart_policies_that_give_up_are_reported() {
    let policy = |policy: &str, more: &str| {
        let text = format!("{more}\ndeploy: {{ restart_policy: {{ {policy} }} }}");
        codes(&text, "volumes: { dd: }\n")
    };
    let data = "ports: [80]\nvolumes: [\"dd:/d\"]";
    for bad in ["condition: none", "max_attempts: 3", "max_attempts: 0x3"] {
        assert_eq!(policy(bad, data), one("update-stuck", V), "{bad}");
    }
    // After a shutdown of the node it holds only if the node is back before it counts as down.
    assert_eq!(policy("condition: on-failure", data), one("update-stuck", N));
    // The delay of 5 s leaves room for 24 attempts.
    assert_eq!(policy("max_attempts: 25, window: 120s", data), []);
    for good in ["condition: any", "condition: any, max_attempts: 0, window: 5s", "delay: 5s"] {
        assert_eq!(policy(good, data), [], "{good}");
    }
    // With a window, only attempts within it count, so the task may still recover. A task that is
    // refused its directory or port does not recover.
    let window = "max_attempts: 3, window: 120s";
    assert_eq!(policy(window, data), one("update-stuck", N));
    assert_eq!(policy(window, "ports: [80]\nvolumes: [\"/srv/d:/d\"]"), one("update-stuck", V));
    // A job that ends, once with data and once without.
    assert_eq!(policy("condition: none", "volumes: [\"dd:/d\"]"), one("update-stuck", N));
    assert_eq!(policy("condition: none", ""), []);
    assert_eq!(policy("condition: on-failure", "ports: [80]"), one("update-stuck", N));
    let plain = |restart: &str| codes(&format!("restart: {restart}\n{data}"), "volumes: { dd: }\n");
    assert_eq!(plain("on-failure:3"), one("update-stuck", V));
    assert_eq!(plain("unless-stopped"), []);
    // The service has no successor that could hold a resource.
    let world = read("services: { a: { image: b, deploy: { restart_policy: { condition: none } } } }");
    assert!(!world.workloads[0].restarts);
}

#[test]
fn more_tasks_than_ports_allow_are_reported() {
    let of = |replicas: u32, more: &str, on: &str, order: &str| {
        let ports = if more.is_empty() { "ports: [{ target: 1, published: 1, mode: host }]" } else { "" };
        codes(
            &format!(
                "{ports}\ndeploy: {{ replicas: {replicas}, update_config: {{ order: {order} }}, placement: {{ {more} constraints: [\"{on}\"] }} }}"
            ),
            "",
        )
    };
    let (host, label, limit) = ("node.hostname == h", "node.labels.h == 1", "max_replicas_per_node: 2,");
    assert_eq!(of(2, "", host, "stop-first"), one("update-stuck", V));
    assert_eq!(of(3, limit, host, "stop-first"), one("update-stuck", V));
    assert_eq!(of(2, limit, host, "start-first"), one("update-stuck", V));
    assert_eq!(of(2, limit, host, "stop-first"), []);
    assert_eq!(of(3, limit, label, "start-first"), []);
    assert_eq!(of(1, "", host, "stop-first"), []);
}

#[test]
fn checks_that_kill_or_hide_members_are_reported() {
    let quorum = |check: &str, servers: &str| {
        let service = |n: u32| {
            format!(
                "  zoo{n}:\n    image: zookeeper:3.9\n    stop_grace_period: 30s\n    ports: [{{ target: 1, published: 1, mode: host }}]\n    environment: {{ ZOO_SERVERS: \"{servers}\" }}\n    volumes: [\"/srv/z{n}:/data\", \"/srv/l{n}:/datalog\"]\n{check}"
            )
        };
        let world = read(&format!("services:\n{}{}", service(1), service(2)));
        world.findings.into_iter().map(|f| f.code.to_string()).collect::<Vec<_>>()
    };
    let check = "    healthcheck: { test: [CMD, a], start_period: 5m }\n";
    assert_eq!(quorum(check, "zoo1:2888 zoo2:2888"), ["check-hides-names"]);
    assert_eq!(quorum(check, "zoo10:2888"), ["rule-matches-nothing"; 2]);
    assert_eq!(quorum("", "zoo1:2888 zoo2:2888"), [""; 0]);
    for off in ["{ disable: true }", "{ test: [NONE] }", "{ test: NONE }", "{ interval: 1m }"] {
        assert_eq!(quorum(&format!("    healthcheck: {off}\n"), "zoo1 zoo2"), [""; 0], "{off}");
    }
    let kills = |check: &str| {
        let text = format!(
            "image: postgres:16\nenvironment: {{ POSTGRES_PASSWORD: secret }}\nstop_grace_period: 55s\nvolumes: [\"/srv/d:/var/lib/postgresql/data\"]\nhealthcheck: {{ test: [CMD, a], {check} }}"
        );
        let world = read(&format!("services:\n  a:\n    {}\n", text.replace('\n', "\n    ")));
        world.findings.len()
    };
    assert_eq!(kills("interval: 10s, retries: 5"), 1);
    assert_eq!(kills("interval: 10s, retries: 5, start_period: 2m"), 0);
    assert_eq!(kills("retries: 9"), 0);
}

#[test]
fn configs_with_a_fixed_name_are_reported() {
    let of = |name: &str| codes("", &format!("configs: {{ {name}, file: ./a }} }}\n"));
    for bad in ["nginx: { x-a: b", "nginx_conf: { name: web-nginx", "acceded: { name: ab"] {
        assert_eq!(of(bad), one("config-fixed", N), "{bad}");
    }
    for good in
        ["nginx_v3: { x-a: b", "a: { name: \"a-${HASH}\"", "a: { name: nginx.3f29ab01", "a: { external: true"]
    {
        assert_eq!(of(good), [], "{good}");
    }
}

#[test]
fn repeated_ids_are_reported() {
    // The services have no other findings, because each one has its own node.
    let two = |first: &str, second: &str| {
        let service = |n: u32, env: &str| {
            let own =
                format!("    deploy: {{ placement: {{ constraints: [\"node.labels.zoo == {n}\"] }} }}\n");
            let own = if env.contains("deploy") { "" } else { &own };
            format!(
                "  zoo{n}:\n    image: own/zookeeper\n    stop_grace_period: 30s\n    volumes: [\"/srv/z{n}:/data\"]\n    {env}\n{own}"
            )
        };
        read(&format!("services:\n{}{}", service(1, first), service(2, second)))
    };
    let id = |n: u32| format!("environment: {{ ZOO_MY_ID: {n} }}");
    silent(&two(&id(1), &id(2)));
    let world = two(&id(1), &id(1));
    let finding = only(&world, "id-repeated");
    assert_eq!((finding.level, finding.at.len()), (V, 2));
    assert_eq!(
        only(&two("command: [mysqld, --server-id=1]", "command: mysqld --server-id 1"), "id-repeated").level,
        V
    );
    assert_eq!(only(&two("hostname: z", "hostname: z"), "id-repeated").level, N);
    let world = two(&format!("{}\n    deploy: {{ replicas: 3 }}", id(1)), &id(2));
    assert_eq!(world.findings.iter().filter(|f| f.code == "id-repeated").count(), 1);
    let slots = "environment: { ZOO_MY_ID: \"{{.Task.Slot}}\" }\n    deploy: { replicas: 3, placement: { max_replicas_per_node: 1 } }";
    silent(&two(slots, &id(9)));
    // A service without data may have any hostname.
    silent(&read("services: { web: { image: nginx, hostname: web, deploy: { replicas: 3 } } }"));
}

#[test]
fn quorum_members_that_may_share_a_node_are_a_note() {
    let both = |first: &str, second: &str| {
        let service = |n: u32, more: &str| {
            format!(
                "  zoo{n}:\n    image: own/zookeeper\n    stop_grace_period: 30s\n    volumes: [\"/srv/z{n}:/data\"]\n{more}"
            )
        };
        read(&format!("services:\n{}{}", service(1, first), service(2, second)))
    };
    let on =
        |constraint: &str| format!("    deploy: {{ placement: {{ constraints: [\"{constraint}\"] }} }}\n");
    let manager = on("node.role == manager");
    let finding = both(&manager, &manager);
    assert_eq!(
        (only(&finding, "members-together").level, only(&finding, "members-together").at.len()),
        (N, 2)
    );
    assert_eq!(only(&both("", ""), "members-together").level, N);
    silent(&both(&on("node.labels.zoo == 1"), &on("node.labels.zoo == 2")));
    silent(&both(&on("node.labels.zoo1 == yes"), &on("node.labels.zoo2 == yes")));
    let port = "    ports: [{ target: 2181, published: 2181, mode: host }]\n";
    silent(&both(&format!("{manager}{port}"), &format!("{manager}{port}")));
    let other = port.replace("published: 2181", "published: 2182");
    assert_eq!(only(&both(port, &other), "members-together").level, N);
    let tasks = read(&format!(
        "{}    stop_grace_period: 30s\n    deploy: {{ replicas: 3 }}\n",
        DATABASE.replace(" &db", "")
    ));
    assert_eq!(only(&tasks, "members-together").level, N);
}

#[test]
fn a_generic_resource_is_listed_and_is_no_lock() {
    let world = read(
        "services: { db: { image: example/db, deploy: { resources: { reservations: { generic_resources: [{ discrete_resource_spec: { kind: disk, value: 1 } }] } } } } }",
    );
    assert!(world.unread[0].what.contains("`disk`"), "{:?}", world.unread);
    assert!(world.workloads[0].ports.is_empty());
}

#[test]
fn services_without_data_have_no_findings() {
    let world = read(
        "version: \"3.8\"\nx-common: { labels: { a: b } }\nservices:\n  web:\n    image: nginx:${TAG:-1}\n    ports: [\"80:80\", \"443:443\"]\n    command: [nginx, -g, \"daemon off;\"]\n    environment: [MODE=x]\n    depends_on: [api]\n    volumes: [\"./nginx.conf:/etc/nginx/nginx.conf\"]\n    deploy: { replicas: 4, update_config: { order: start-first } }\n  api:\n    image: example/api\n    container_name: api\n    restart: unless-stopped\n    networks: [back]\nnetworks: { back: }\n",
    );
    silent(&world);
    assert!(world.workloads.iter().all(|w| w.members.iter().all(|m| m.mounts.is_empty())));
}
