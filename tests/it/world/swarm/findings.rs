//! What one look at a stack file tells.

use super::*;

const V: Level = Level::Violation;
const N: Level = Level::Note;

/// The codes of one service with what stands beside it.
fn codes(body: &str, beside: &str) -> Vec<(String, Level)> {
    service(body, beside).1.findings.into_iter().map(|f| (f.code, f.level)).collect()
}

fn one(code: &str, level: Level) -> Vec<(String, Level)> {
    vec![(code.to_owned(), level)]
}

#[test]
fn references_that_lead_nowhere() {
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
fn constraints_that_match_nothing() {
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
fn modes_that_exclude_each_other() {
    let world = service("deploy:\n  mode: global\n  replicas: 6", "").1;
    assert_eq!(told(&world), [("file-refused".to_owned(), V, 7)]);
    assert_eq!(only(&world, "file-refused").at.len(), 2);
    assert_eq!(codes("deploy: { mode: single }", ""), one("file-refused", V));
    assert_eq!(codes("deploy: { update_config: { order: stop_first } }", ""), one("file-refused", V));
}

#[test]
fn templates_that_swarm_refuses() {
    assert_eq!(codes("hostname: \"{{.Task.Number}}\"", ""), one("file-refused", V));
    assert_eq!(codes("hostname: \"{{.Task.Slot\"", ""), one("file-refused", V));
    assert_eq!(codes("hostname: \"{{.Node.Hostname}}\"", ""), []);
    let (_, world) = service("hostname: \"{{join .X}}\"", "");
    assert_eq!((world.unread.len(), world.findings.len()), (1, 0));
    // Nobody expands a command.
    assert_eq!(codes("command: [\"{{.Nothing}}\"]", ""), []);
}

#[test]
fn options_of_a_slot_under_one_name() {
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
fn ports() {
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
fn ports_of_two_services() {
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
    // Two that may go to two nodes keep each other apart: that is a rule, not a fault.
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
fn what_the_stack_command_reads_past() {
    let data = "volumes: [\"/srv/d:/d\"]";
    let port = "ports: [{ target: 1, published: 1, mode: host }]";
    assert_eq!(codes(&format!("container_name: x\n{data}"), ""), one("rule-ignored", V));
    assert_eq!(codes(&format!("container_name: x\n{data}\n{port}"), ""), one("rule-ignored", N));
    assert_eq!(codes("container_name: x\ndepends_on: [b]\nexpose: [80]\nbuild: .", ""), []);
    assert_eq!(codes("network_mode: host", ""), one("rule-ignored", N));
    assert_eq!(codes("network_mode: bridge", ""), []);
    assert_eq!(codes("privileged: true", ""), one("rule-ignored", N));
    assert_eq!(codes("restart: \"no\"", ""), one("rule-ignored", N));
    assert_eq!(codes("restart: always", ""), []);
    assert_eq!(codes("networks: { default: { ipv4_address: 10.0.0.5 } }", ""), one("rule-ignored", V));
}

#[test]
fn what_the_stack_command_refuses() {
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
    // The same key in many services is one thing to say.
    let world = read("services:\n  a: { image: x, profiles: [p] }\n  b: { image: x, profiles: [p] }\n");
    assert_eq!(only(&world, "file-refused").at.len(), 2);
}

const DATABASE: &str = "services:\n  db1: &db\n    image: docker.io/library/zookeeper:3.9\n    volumes: [\"/srv/z:/data\", \"/srv/l:/datalog\"]\n";

#[test]
fn habits_of_databases() {
    let db = |rest: &str| {
        let world = read(&format!("{}{rest}", DATABASE.replace(" &db", "")));
        world.findings.into_iter().map(|f| (f.code, f.level)).collect::<Vec<_>>()
    };
    assert_eq!(db("    stop_grace_period: 30s\n"), []);
    assert_eq!(db(""), one("grace-short", N));
    assert_eq!(db("    stop_grace_period: 10s\n"), one("grace-short", N));
    let calm = "    stop_grace_period: 30s\n";
    assert_eq!(
        db(&format!(
            "{calm}    ports: [{{ target: 1, published: 1, mode: host }}]\n    deploy: {{ restart_policy: {{ max_attempts: 3 }} }}\n"
        )),
        one("update-stuck", N)
    );
    assert_eq!(
        db(&format!("{calm}    environment: {{ ETCD_INITIAL_CLUSTER_STATE: new }}\n")),
        one("bootstrap-kept", N)
    );
    assert_eq!(
        db(&format!(
            "{calm}    deploy: {{ replicas: 3, placement: {{ preferences: [{{ spread: node.labels.rack }}] }} }}\n"
        )),
        one("rule-soft", N)
    );
    let world = read("services: { db: { image: postgres, stop_grace_period: 1m } }");
    assert_eq!(only(&world, "data-ephemeral").level, N);
    assert_eq!(world.workloads[0].members[0].mounts[0].source, Source::Ephemeral);
    // A router of the same image keeps nothing.
    let world = read("services: { db: { image: mongo, command: mongos --configdb x } }");
    silent(&world);
}

#[test]
fn ids_that_two_members_have() {
    // Nothing else is told of them: each has a node of its own.
    let two = |first: &str, second: &str| {
        let service = |n: u32, env: &str| {
            let own =
                format!("    deploy: {{ placement: {{ constraints: [\"node.labels.zoo == {n}\"] }} }}\n");
            let own = if env.contains("deploy") { "" } else { &own };
            format!(
                "  zoo{n}:\n    image: zookeeper\n    stop_grace_period: 30s\n    volumes: [\"/srv/z{n}:/data\"]\n    {env}\n{own}"
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
    // What serves no data may be called as it likes.
    silent(&read("services: { web: { image: nginx, hostname: web, deploy: { replicas: 3 } } }"));
}

#[test]
fn members_of_a_quorum_that_may_share_a_node() {
    let both = |first: &str, second: &str| {
        let service = |n: u32, more: &str| {
            format!(
                "  zoo{n}:\n    image: zookeeper\n    stop_grace_period: 30s\n    volumes: [\"/srv/z{n}:/data\"]\n{more}"
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
fn a_generic_resource_is_listed_and_no_lock() {
    let world = read(
        "services: { db: { image: example/db, deploy: { resources: { reservations: { generic_resources: [{ discrete_resource_spec: { kind: disk, value: 1 } }] } } } } }",
    );
    assert!(world.unread[0].what.contains("`disk`"), "{:?}", world.unread);
    assert!(world.workloads[0].ports.is_empty());
}

#[test]
fn services_without_data_are_left_alone() {
    let world = read(
        "version: \"3.8\"\nx-common: { labels: { a: b } }\nservices:\n  web:\n    image: nginx:${TAG:-1}\n    ports: [\"80:80\", \"443:443\"]\n    command: [nginx, -g, \"daemon off;\"]\n    environment: [MODE=x]\n    depends_on: [api]\n    volumes: [\"./nginx.conf:/etc/nginx/nginx.conf\"]\n    deploy: { replicas: 4, update_config: { order: start-first } }\n  api:\n    image: example/api\n    container_name: api\n    restart: unless-stopped\n    networks: [back]\nnetworks: { back: }\n",
    );
    silent(&world);
    assert!(world.workloads.iter().all(|w| w.members.iter().all(|m| m.mounts.is_empty())));
}
