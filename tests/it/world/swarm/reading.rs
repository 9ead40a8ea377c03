//! Tests how a service is read.

use super::*;
use berthc::images::Images;

#[test]
fn missing_fields_have_swarms_defaults() {
    let (a, world) = service("", "");
    silent(&world);
    assert_eq!((a.kind, a.members.len(), a.grace), (Kind::Replicated, 1, 10));
    assert_eq!((a.update.order, a.update.at.is_none(), a.grace_at.is_none()), (Order::StopFirst, true, true));
    assert_eq!((a.name.as_str(), a.family.as_str(), a.image.as_str()), ("a", "a", "example/a"));
    assert_eq!((a.at.line, a.node_network.is_none(), a.max_per_node.is_none()), (3, true, true));
}

#[test]
fn modes_replicas_and_update_orders_are_read() {
    let (a, world) = service(
        "hostname: \"{{.Service.Name}}-{{.Task.Slot}}\"\nstop_grace_period: 1m30s\ndeploy:\n  replicas: 3\n  placement: { max_replicas_per_node: 1 }\n  update_config: { order: start-first }",
        "",
    );
    silent(&world);
    let names: Vec<&str> = a.members.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["a.1", "a.2", "a.3"]);
    let hosts: Vec<&str> = a.members.iter().map(|m| m.hostname.as_ref().unwrap().0.as_str()).collect();
    assert_eq!(hosts, ["STACK_a-1", "STACK_a-2", "STACK_a-3"]);
    assert_eq!((a.grace, a.max_per_node.as_ref().unwrap().0), (90, 1));
    assert_eq!((a.update.order, a.rollback.order), (Order::StartFirst, Order::StopFirst));
    let (a, _) = service("deploy: { mode: global }", "");
    assert_eq!((a.kind, a.members.len(), a.members[0].ordinal), (Kind::Global, 1, None));
    let (a, world) = service("deploy: { replicas: 0 }", "");
    assert_eq!((a.members.len(), world.unread.len()), (1, 1), "it will be scaled up");
    let count = |text: &str| {
        let (a, world) = service(&format!("deploy: {{ replicas: {text} }}"), "");
        (a.members.len(), world.unread.len(), world.findings.len())
    };
    // The results of `docker stack config` 28.2.2.
    for (text, number) in [
        ("2.0", 2),
        ("2e0", 2),
        ("0x2", 2),
        ("0b10", 2),
        ("0o2", 2),
        ("010", 8),
        ("1_0", 10),
        ("+2", 2),
        ("2.", 2),
    ] {
        assert_eq!(count(text), (number, 0, 0), "{text}");
    }
    assert_eq!(count("\"${N:-3}\""), (3, 0, 0));
    assert_eq!(count("\"3\""), (3, 0, 1), "docker refuses it");
    for unknown in ["\"${N}\"", "two", "2.5", "-1"] {
        assert_eq!(count(unknown), (2, 1, 0), "{unknown}");
    }
    let world = read("services: { a: { image: b, deploy: { mode: replicated-job } } }");
    assert_eq!((world.workloads.len(), world.unread.len()), (0, 1));
    let (a, world) = service("deploy: { replicas: 100000 }", "");
    assert_eq!((a.members.len(), world.unread.len()), (64, 1));
}

#[test]
fn constraints_become_wants() {
    let (a, world) = service(
        "deploy:\n  placement:\n    constraints:\n      - node.labels.DB==One\n      - Node.Role != manager\n      - node.hostname == h1\n      - \"node.ip == 10.0.0.0/8\"\n      - engine.labels.os == ubuntu 14.04\n      - node.id != ${ID:-x}",
        "",
    );
    silent(&world);
    let got: Vec<_> =
        a.wants.iter().map(|w| (w.key.as_str(), w.values[0].as_str(), w.not, w.one_node)).collect();
    assert_eq!(
        got,
        [
            ("node.labels.DB", "one", false, false),
            ("node.role", "manager", true, false),
            ("node.hostname", "h1", false, true),
            ("node.ip", "10.0.0.0/8", false, false),
            ("engine.labels.os", "ubuntu 14.04", false, false),
            ("node.id", "x", true, false),
        ]
    );
    assert_eq!(a.wants[0].at.field, "services.a.deploy.placement.constraints[0]");
}

#[test]
fn mounts_of_both_forms_are_read() {
    let (a, world) = service(
        "volumes:\n  - data:/1\n  - /srv/a:/2\n  - ./rel:/3\n  - data:/4:ro\n  - /5\n  - { type: bind, source: /srv/b, target: /6 }\n  - { type: volume, source: data, target: /7, read_only: true }\n  - { type: tmpfs, target: /8 }\n  - { type: volume, source: named, target: /9, volume: { subpath: x } }\n  - /var/run/docker.sock:/var/run/docker.sock\n  - ./my.cnf:/etc/my.cnf",
        "volumes: { data: , named: { name: shared } }\n",
    );
    assert_eq!(only(&world, "rule-ignored").message.split('`').nth(1), Some("subpath: x"));
    assert_eq!((world.findings.len(), world.unread.len()), (1, 0));
    let expected = [
        ("/1", host("volume STACK_data", Missing::Created)),
        ("/2", host("/srv/a", Missing::Refused)),
        ("/3", host("./rel", Missing::Refused)),
        ("/5", Source::Ephemeral),
        ("/6", host("/srv/b", Missing::Refused)),
        ("/8", Source::Ephemeral),
        ("/9", host("volume shared/x", Missing::Created)),
    ];
    assert_eq!(sources(&a.members[0]), expected.iter().map(|(t, s)| (*t, s)).collect());
}

#[test]
fn volumes_are_read_with_their_drivers() {
    let (a, world) = service(
        "volumes: [\"nfs:/1\", \"bound:/2\", \"memory:/3\", \"ebs:/4\", \"rbd:/5\", \"each:/6\", \"lost:/7\"]\ndeploy: { mode: global }",
        "volumes:\n  nfs: { driver_opts: { type: nfs4, o: \"addr=10.0.0.9,rw\", device: \":/export//a/\" } }\n  bound: { driver: local, driver_opts: { type: none, o: bind, device: /srv/x/../c/ } }\n  memory: { driver_opts: { type: tmpfs, device: tmpfs } }\n  ebs: { driver: \"rexray/ebs:latest\", name: a-ebs }\n  rbd: { driver: rexray/rbd }\n  each: { driver: rexray/ebs, name: \"a-{{.Node.Hostname}}\" }\n  lost: { name: \"a-{{.Task.ID}}\" }\n",
    );
    silent(&world);
    let expected = [
        ("/1", share("nfs 10.0.0.9:/export/a", Fences::Never, Missing::Refused)),
        ("/2", host("/srv/c", Missing::Refused)),
        ("/3", Source::Ephemeral),
        ("/4", share("rexray/ebs a-ebs", Fences::Always, Missing::Created)),
        ("/5", share("rexray/rbd STACK_rbd", Fences::Never, Missing::Created)),
        ("/6", host("rexray/ebs a-{{.Node.Hostname}}", Missing::Created)),
        ("/7", Source::Ephemeral),
    ];
    assert_eq!(sources(&a.members[0]), expected.iter().map(|(t, s)| (*t, s)).collect());
    for (path, shared) in [
        ("/mnt/nfs/db", true),
        ("/mnt/glusterfs/pg", true),
        ("/srv/seaweedfs-db", true),
        ("/mnt/shared/db", true),
        ("/srv/shared/db", false),
        ("/srv/confs/db", false),
        ("/mnt/d1/nfsd", false),
    ] {
        let (a, _) = service(&format!("volumes: [\"{path}:/1\"]"), "");
        assert_eq!(matches!(sources(&a.members[0])["/1"], Source::Volume { .. }), shared, "{path}");
    }
    let (_, world) = service(
        "volumes: [\"v1:/1\", \"v2:/2\"]",
        "volumes: { v1: { driver: acme }, v2: { external: true } }",
    );
    assert_eq!(world.unread.len(), 2, "{:?}", world.unread);
}

#[test]
fn cluster_volumes_are_exclusive_except_in_global_services() {
    let beside = "volumes: { v1: { external: true, name: one }, v2: { external: true } }\n";
    let one = "volumes: [{ type: cluster, source: v1, target: /1 }]";
    let two =
        "volumes: [{ type: cluster, source: v1, target: /1 }, { type: cluster, source: v2, target: /2 }]";
    let reserved = |body: &str, beside: &str| {
        let (a, world) = service(body, beside);
        let global = body.contains("global");
        assert_eq!(told(&world).len(), usize::from(global), "{:?}", world.findings);
        assert!(!global || only(&world, "rule-ignored").level == Level::Violation);
        let held =
            |s: &Source| matches!(s, Source::Volume { reserved: Some(_), missing: Missing::Crashed, .. });
        a.members[0].mounts.iter().filter(|m| held(&m.source)).count()
    };
    assert_eq!(reserved(one, beside), 1);
    assert_eq!(reserved(two, beside), 0);
    assert_eq!(reserved(&format!("{one}\ndeploy: {{ mode: global }}"), beside), 0);
    let many = "volumes: { v1: { x-cluster-spec: { access_mode: { scope: multi, sharing: none } } } }";
    // The scheduler gives the volume to no second task on any node, whatever its sharing mode.
    assert_eq!(reserved(one, many), 1);
    assert_eq!(reserved(one, &many.replace("none", "onewriter")), 1);
    assert_eq!(reserved(one, &many.replace("none", "all")), 0);
    let readers = many.replace("none", "readonly");
    assert_eq!(told(&service(one, &readers).1), [("update-stuck".to_owned(), Level::Violation, 6)]);
}

#[test]
fn templates_are_expanded_for_each_slot() {
    let (a, world) = service(
        "environment: [\"NUMBER={{.Task.Slot}}\"]\nvolumes: [\"data:/1\", \"/srv/{{.Service.Name}}/{{.Task.Slot}}:/2\", \"/srv/{{.Node.Hostname}}:/3\"]\ndeploy: { replicas: 2 }",
        "volumes: { data: { name: \"data-{{.Task.Slot}}{{\\\"!\\\"}}\" } }\n",
    );
    silent(&world);
    for (i, member) in a.members.iter().enumerate() {
        let n = i + 1;
        let expected = [
            ("/1", host(&format!("volume data-{n}!"), Missing::Created)),
            ("/2", host(&format!("/srv/STACK_a/{n}"), Missing::Refused)),
            ("/3", host("/srv/{{.Node.Hostname}}", Missing::Refused)),
        ];
        assert_eq!(sources(member), expected.iter().map(|(t, s)| (*t, s)).collect());
    }
    let (a, world) = service("volumes: [\"/srv/{{.Task.Slot}}:/1\"]\ndeploy: { mode: global }", "");
    silent(&world);
    assert_eq!(sources(&a.members[0])["/1"], &host("/srv/{{.Node.ID}}", Missing::Refused));
}

#[test]
fn only_ports_in_host_mode_belong_to_the_node() {
    let (a, world) = service(
        "ports:\n  - \"80:80\"\n  - 81\n  - \"8000-8010:8000-8010/udp\"\n  - { target: 90, published: 90, mode: host, protocol: UDP }\n  - { target: 91, mode: host }\n  - { target: 92, published: 92 }",
        "",
    );
    silent(&world);
    let ports: Vec<_> =
        a.ports.iter().map(|p| (p.number, p.protocol.as_str(), p.scheduled, p.bound)).collect();
    assert_eq!(ports, [(90, "udp", true, true)]);
    let (a, world) = service(
        "networks: [n]\nports: [{ target: 90, published: 90, mode: host }]",
        "networks: { n: { external: true, name: host } }\n",
    );
    silent(&world);
    assert_eq!(a.node_network.unwrap().field, "services.a.networks[0]");
    assert_eq!((a.ports[0].scheduled, a.ports[0].bound), (true, false));
    let (a, world) = service("networks: [n]", "networks: { n: { external: { name: host } } }\n");
    silent(&world);
    assert!(a.node_network.is_some());
}

#[test]
fn the_guard_is_a_lock_and_other_locks_are_listed() {
    let guard = berthc::plan::docker::GUARD.replace('$', "$$");
    let read = |body: &str| {
        let (a, world) = service(body, "");
        (a.lock.map(|l| l.0), world.unread.len())
    };
    let entrypoint = |script: &str| {
        let script = serde_json::to_string(script).unwrap();
        read(&format!("entrypoint: [/bin/sh, -c, {script}]\ncommand: [/data, run]"))
    };
    let held = |path: &str| (Some(path.to_owned()), 0);
    assert_eq!(entrypoint(&guard), held("/data"));
    assert_eq!(entrypoint(&guard.replace("&& exec", "; exec")), (None, 1));
    assert_eq!(entrypoint(&guard.replace("&& exec", "|| exec")), (None, 1));
    assert_eq!(read("command: flock -n /data/lock run"), held("/data/lock"));
    assert_eq!(read("command: flock -ns /data/lock run"), (None, 1));
    assert_eq!(read("command: run"), (None, 0));
}

#[test]
fn directories_that_may_be_data_are_listed() {
    let unread = |mount: &str| service(&format!("volumes: [{mount}]"), "").1.unread.len();
    assert_eq!(unread("\"/srv/pihole:/etc/pihole\""), 1);
    assert_eq!(unread("{ type: bind, source: /usr/local/ledger, target: /data }"), 1);
    assert_eq!(unread("\"/srv/pihole:/etc/pihole:ro\""), 0);
    assert_eq!(unread("\"/srv/a:/data\""), 0);
}

/// The results of docker 28.2.2 with no variable set.
#[test]
fn variables_are_filled_in_as_docker_does() {
    let image = |text: &str| {
        let text = serde_json::to_string(text).unwrap();
        let world = read(&format!("services: {{ a: {{ image: b, hostname: {text} }} }}"));
        (world.workloads[0].members[0].hostname.clone().unwrap().0, world.unread.len(), told(&world).len())
    };
    for (text, filled, unset, refused) in [
        ("${A:-b}", "b", 0, 0),
        ("${A-b}", "b", 0, 0),
        ("x${A:-}y", "xy", 0, 0),
        ("$$A $${A}", "$A ${A}", 0, 0),
        ("$A_1-x", "x", 0, 0),
        ("$A-b ${B:-c:-d} e", "c:-d} e", 0, 0),
        ("${B-x:-y}", "y", 0, 0),
        ("${B:-a?b}", "a?b", 0, 0),
        ("${B:-${C:-d}}", "${C:-d}", 0, 0),
        ("$A.$B", "${A}.${B}", 2, 0),
        ("${A:?said}", "${A}", 1, 0),
        ("${A?said}", "${A}", 1, 0),
        ("${A:+x}", "${A:+x}", 0, 1),
        ("${A", "${A", 0, 1),
        ("a$", "a$", 0, 1),
        ("$1", "$1", 0, 1),
    ] {
        assert_eq!(image(text), (filled.to_owned(), unset, refused), "{text}");
    }
}

/// The results of docker 28.2.2.
#[test]
fn short_mounts_are_read_as_docker_does() {
    let one = |spec: &str| {
        let (a, world) = service(&format!("volumes: [{spec:?}]"), "volumes: { ab: }\n");
        (a.members[0].mounts.first().map(|m| (m.target.clone(), m.source.clone())), told(&world).len())
    };
    let some = |target: &str, source| Some((target.to_owned(), source));
    let ab = || host("volume STACK_ab", Missing::Created);
    assert_eq!(one("ab:/x"), (some("/x", ab()), 0));
    assert_eq!(one("ab:/x:rw,nocopy"), (some("/x", ab()), 0));
    assert_eq!(one("ab:/x:z,ro"), (None, 0));
    assert_eq!(one("~/x:/x"), (some("/x", host("~/x", Missing::Refused)), 0));
    // A single letter is a Windows drive.
    assert_eq!(one("v:/y"), (some("v:/y", Source::Ephemeral), 1));
    assert_eq!(one("v:/y:/z"), (some("/z", host("v:/y", Missing::Refused)), 0));
    assert_eq!(one("ab:/b:"), (None, 1));
    assert_eq!(one(":/b"), (None, 1));
    assert_eq!(one("ab:/b:ro:z"), (None, 1));
}

#[test]
fn extensions_are_ignored_and_files_are_separate_stacks() {
    let (_, world) = service("x-note: hello", "x-any: { thing: [1, 2] }\n");
    silent(&world);
    let text = "services: { db: { image: b, volumes: [\"data:/d\"] } }\nvolumes: { data: }\n";
    let world = swarm::read(
        &[File { path: "a.yml", text }, File { path: "b/a.yml", text }],
        Images::builtin(),
        berthc::world::Runner::Swarm,
    );
    silent(&world);
    let path = |i: usize| world.workloads[i].members[0].mounts[0].source.clone();
    assert_ne!(path(0), path(1), "each file may be of a stack of its own");
    let text = "services: { db: { image: b, volumes: [\"../c/./d:/d\"] } }\n";
    let world =
        swarm::read(&[File { path: "x/y/a.yml", text }], Images::builtin(), berthc::world::Runner::Swarm);
    assert_eq!(world.workloads[0].members[0].mounts[0].source, host("x/c/d", Missing::Refused));
}

#[test]
fn anchors_and_merge_keys_are_expanded() {
    let world = read(
        "x-db: &db\n  image: example/db\n  deploy: &one { replicas: 1, update_config: { order: start-first } }\nservices:\n  db1:\n    <<: *db\n    volumes: [\"/srv/1:/d\"]\n  db2:\n    <<: *db\n    deploy: { <<: *one, replicas: 2 }\n",
    );
    silent(&world);
    let got: Vec<_> =
        world.workloads.iter().map(|w| (w.image.as_str(), w.members.len(), w.update.order)).collect();
    assert_eq!(got, [("example/db", 1, Order::StartFirst), ("example/db", 2, Order::StartFirst)]);
    assert_eq!(world.workloads[0].update.at.as_ref().unwrap().line, 3, "where it is written");
}

#[test]
fn documents_after_the_first_are_reported() {
    let world = read("services: { a: { image: b } }\n---\nservices: { c: { image: d } }\n");
    assert_eq!((world.workloads.len(), told(&world)), (1, vec![("rule-ignored".to_owned(), Level::Note, 3)]));
    let world = read("a: 1\n");
    assert_eq!((world.workloads.len(), world.unread.len()), (0, 1));
    let world = read("services: [\n");
    assert_eq!((world.workloads.len(), world.unread.len()), (0, 1));
}

#[test]
fn short_ports_are_never_exclusive() {
    for (spec, refused) in [
        ("80", 0),
        ("80/", 0),
        ("80-82:90", 0),
        ("80:90-91", 1),
        ("5-4:1", 1),
        ("a:1", 1),
        ("80:90/foo", 1),
        ("[::1]::80", 1),
    ] {
        let (a, world) = service(&format!("ports: [{spec:?}]"), "");
        assert_eq!((a.ports.len(), told(&world).len()), (0, refused), "{spec}");
    }
}
