//! Tests the gaps of Swarm, each with a spec that has the gap and a spec that does not.

use super::{PER_NODE, PINNED, VOLUME, codes};

/// Returns the gaps of `specs`, which must have no other errors.
fn gaps(specs: &[&str]) -> Vec<String> {
    codes(specs).into_iter().inspect(|c| assert!(c.starts_with("swarm/"), "{c}")).collect()
}

fn volume(backend: &str) -> String {
    VOLUME.replace("BACKEND", backend)
}

#[test]
fn data_on_pinned_nodes_has_no_gap() {
    assert_eq!(gaps(&[PINNED]), Vec::<String>::new());
    assert_eq!(gaps(&[PER_NODE]), Vec::<String>::new());
    // With a longer grace period than stop-first waits, the order no longer protects, but the lock
    // does.
    assert_eq!(gaps(&[&format!("{PINNED}stop: {{ grace: 10m }}\n")]), Vec::<String>::new());
}

#[test]
fn without_a_lock_a_relabel_on_the_node_network_is_a_gap() {
    let bare = PER_NODE.replace("  guard: lock\n", "");
    assert_eq!(gaps(&[&bare]), ["swarm/data/relabel"]);
    let overlay = bare.replace("  address: node\n", "").replace("\"20.10\"", "\"20.10\", network: n");
    assert_eq!(gaps(&[&overlay]), Vec::<String>::new());
}

#[test]
fn the_gaps_of_a_volume_depend_on_its_backend() {
    let always = ["aws-ebs, zones: [a]", "gce-pd, zones: [a]", "scaleio"];
    for backend in always {
        assert_eq!(gaps(&[&volume(backend)]), ["swarm/data/move"], "{backend}");
    }
    for backend in ["storageos", "flocker"] {
        let lost = ["swarm/data/move", "swarm/data/partition", "swarm/data/reboot"];
        assert_eq!(gaps(&[&volume(backend)]), lost, "{backend}");
    }
    let never = volume("ceph-rbd");
    let all = ["move", "partition", "reboot", "relabel", "revisions", "update"];
    let all = all.map(|h| format!("swarm/data/{h}"));
    assert_eq!(gaps(&[&never]), all[..5]);
    let slow = never.replace("grace: 30s", "grace: 56s");
    assert_eq!(gaps(&[&never.replace("grace: 30s", "grace: 55s")]), all[..5]);
    assert_eq!(gaps(&[&slow]), all);
    // With a pin there is no other node, until its label moves.
    let pinned = slow.replace("network: net", "network: net, pin: db");
    assert_eq!(gaps(&[&pinned]), ["swarm/data/move", "swarm/data/relabel"]);
    let members = slow.replace("count: 1", "count: 1, pin: db");
    assert_eq!(gaps(&[&members]), ["swarm/data/move", "swarm/data/relabel"]);
    let connected = volume("storageos").replace("network: net", "network: net, pin: db");
    assert_eq!(gaps(&[&connected]), ["swarm/data/move"]);
}

#[test]
fn a_cluster_volume_has_the_gaps_of_a_crash_and_of_a_relabel() {
    let csi = |backend: &str| volume(backend).replace("\"20.10\"", "\"23.0\", volume: csi");
    // The label of the zone or of the pin can change under the member.
    assert_eq!(gaps(&[&csi("aws-ebs, zones: [a]")]), ["swarm/data/move", "swarm/data/relabel"]);
    assert_eq!(gaps(&[&csi("ceph-rbd")]), ["swarm/data/move"]);
    let pinned = csi("ceph-rbd").replace("network: net", "network: net, pin: db");
    assert_eq!(gaps(&[&pinned]), ["swarm/data/move", "swarm/data/relabel"]);
    assert_eq!(
        gaps(&[&csi("\"csi:disk.example.com\", class: x")]),
        ["swarm/data/move", "swarm/data/relabel"]
    );
}

#[test]
fn nfs_without_a_pin_has_gaps() {
    let nfs = volume("nfs, options: { server: nas, share: /export }");
    let found = codes(&[&nfs]);
    assert!(found.contains("swarm/data/partition") && found.contains("swarm/data/relabel"));
    let pinned = codes(&[&nfs.replace("network: net", "network: net, pin: db")]);
    assert!(!pinned.contains("swarm/data/partition"));
}

#[test]
fn a_host_directory_also_protects_the_volumes_of_its_member() {
    let log = "log: { mount: /log, volume: { backend: ceph-rbd, size: 1Gi } }";
    let both = PINNED.replace(" } }\n  ports", &format!(" }}, {log} }}\n  ports"));
    assert!(both.contains("log"));
    let found = codes(&[&both]);
    for hazard in ["partition", "reboot", "update", "relabel"] {
        assert!(!found.contains(&format!("swarm/data/{hazard}")), "{found:?}");
    }
    assert!(found.contains("swarm/data/move"));
}

const BARE: &str = "service: app
image: a:1
members: { count: 1 }
exclusive: { CLAIMS, ports: { http: 80 } }
stop: { grace: 30s }
targets: { swarm: { engine: \"20.10\", network: net } }
";

#[test]
fn members_without_data_have_gaps_without_a_pin() {
    let with = |claims: &str| BARE.replace("CLAIMS", claims);
    let pin = |spec: &str| spec.replace("network: net", "network: net, pin: app");
    let slow = |spec: &str| spec.replace("grace: 30s", "grace: 2m");
    let both = with("id: true, hostname: true");
    let of = |claim: &str| {
        let hazards = ["partition", "reboot", "revisions", "update"];
        hazards.map(|h| format!("swarm/{claim}/{h}"))
    };
    let [hostname, id] = [of("hostname"), of("id")];
    assert_eq!(gaps(&[&both]), [&hostname[..3], &id[..3]].concat());
    assert_eq!(gaps(&[&with("hostname: true")]), hostname[..3]);
    let slowly = hostname;
    assert_eq!(gaps(&[&slow(&with("hostname: true"))]), slowly);
    assert_eq!(gaps(&[&pin(&both)]), ["swarm/hostname/relabel", "swarm/id/relabel"]);
    let writer = with("writer: true, hostname: true");
    assert!(codes(&[&writer]).contains("writer-floats"));
    assert!(!codes(&[&pin(&writer)]).contains("writer-floats"));
    assert!(codes(&[&pin(&writer)]).contains("swarm/writer/relabel"));
    assert_eq!(gaps(&[&BARE.replace("CLAIMS, ", "")]), Vec::<String>::new());
}

#[test]
fn fields_that_swarm_cannot_express_are_gaps() {
    let before = format!("{PINNED}stop: {{ grace: 30s, before: {{ run: [x], within: 9s }} }}\n");
    assert_eq!(gaps(&[&before]), ["swarm/stop.before"]);
    let dedicated = PER_NODE.replace("\"true\" } }", "\"true\" }, dedicated: true }");
    assert_eq!(gaps(&[&dedicated]), ["swarm/members.dedicated"]);
    let gate = "update: { healthy: x }\n";
    assert_eq!(gaps(&[&format!("{PER_NODE}{gate}")]), ["swarm/update.healthy"]);
    assert_eq!(gaps(&[&format!("{PER_NODE}{gate}revision: v1\n")]), Vec::<String>::new());
    assert_eq!(gaps(&[&format!("{PINNED}{gate}")]), Vec::<String>::new());
}

#[test]
fn secrets_in_variables_are_gaps() {
    let spec = format!(
        "{PINNED}env: {{ A: \"x{{{{ secret('p') }}}}\", B: \"{{{{ secret('p').path }}}}\" }}\nsecrets: {{ p: {{ ref: db/p }} }}\n"
    );
    assert_eq!(gaps(&[&spec]), ["swarm/secrets.p"]);
    let accepted = format!("{spec}accept: [{{ gap: swarm/secrets.p, because: x }}]\n");
    let env = &super::service(&accepted, "db-1")["environment"];
    assert_eq!(env, &serde_json::json!({ "B": "/run/secrets/p" }));
}

#[test]
fn a_check_that_hides_the_names_of_members_is_a_gap() {
    let live = "health: { tool: nc, live: { tcp: client }, start: 60s }\nenv: { A: \"{{ members | join(',') }}\" }\n";
    let spec = format!("{PINNED}{live}");
    assert_eq!(gaps(&[&spec]), ["swarm/health.live"]);
    assert_eq!(gaps(&[&spec.replace("members | join(',')", "member.address")]), Vec::<String>::new());
    let single = spec.replace("count: 2", "count: 1");
    assert_eq!(gaps(&[&single]), Vec::<String>::new());
    let accepted = format!("{spec}accept: [{{ gap: swarm/health.live, because: x }}]\n");
    assert_eq!(super::service(&accepted, "db-1")["healthcheck"]["disable"], true);
    let own = spec.replace("network: net", "network: net, service: { healthcheck: { test: [CMD, x] } }");
    assert_eq!(gaps(&[&own]), Vec::<String>::new());
    assert_eq!(super::service(&own, "db-1")["healthcheck"], serde_json::json!({ "test": ["CMD", "x"] }));
    let host = PER_NODE.replace(
        "per: node, on: { db: \"true\" }",
        "count: 2, first: 1, pin: { label: db, at: { 1: 10.0.0.1, 2: 10.0.0.2 } }",
    );
    let host = host.replace("/mnt/d1/db", "\"/mnt/d1/db-{{ member.id }}\"");
    assert_eq!(gaps(&[&format!("{host}{live}")]), Vec::<String>::new());
}

#[test]
fn checks_of_services_that_wait_for_each_other_are_gaps() {
    let one = |name: &str, value: &str| {
        format!(
            "service: {name}\nimage: a:1\nmembers: {{ count: 1 }}\n\
             health: {{ live: {{ run: [ask] }}, start: 60s }}\nenv: {{ A: \"{value}\" }}\n\
             targets: {{ swarm: {{ engine: \"20.10\", network: net }} }}\n"
        )
    };
    let peers = |of: &str| format!("{{{{ peers('{of}') | join(',') }}}}");
    let two = |spec: &str| spec.replace("count: 1", "count: 2");
    let none = Vec::<String>::new();
    // Its own members are also peers.
    let own = one("a", &peers("a"));
    assert_eq!(gaps(&[&two(&own)]), ["swarm/health.live"]);
    assert_eq!(gaps(&[&own]), none);
    // The two services wait for each other.
    let (a, b, c) = (one("a", &peers("b")), one("b", &peers("a")), one("c", "x"));
    let said = super::said(&[&a, &b]);
    let messages: Vec<&str> = said.iter().map(|d| d.message.as_str()).collect();
    let message = |of| {
        format!(
            "this check would keep the members and those of {of} from finding each other, so berthc does not emit it"
        )
    };
    assert_eq!(messages, [message("b"), message("a")]);
    assert_eq!(gaps(&[&a, &one("b", &peers("c")), &one("c", &peers("a"))]), ["swarm/health.live"]);
    // In each case one service waits for no other: it names no service that waits, has no check, or
    // has a check of its own.
    assert_eq!(gaps(&[&a, &one("b", &peers("c")), &c]), none);
    assert_eq!(gaps(&[&a, &b.replace("health: { live: { run: [ask] }, start: 60s }\n", "")]), none);
    let checked = b.replace("network: net", "network: net, service: { healthcheck: { test: [CMD, x] } }");
    assert_eq!(gaps(&[&a, &checked]), none);
    let both = a.replace("network: net", "network: net, service: { healthcheck: { test: [CMD, x] } }");
    assert_eq!(gaps(&[&both, &checked]), none);
    assert!(codes(&[&one("a", "x"), &checked]).contains("hatch-overwrites"));
    // A service that waits for a cycle is not part of the cycle.
    let said = super::said(&[&a, &b, &one("d", &peers("a"))]);
    assert_eq!(said.len(), 2);
}

#[test]
fn labels_zones_or_ports_keep_services_apart() {
    let one = |name: &str, other: &str, port: u16| {
        format!(
            "service: {name}\nimage: a:1\nmembers: {{ count: 1 }}\nexclusive: {{ ports: {{ http: {port} }} }}\n\
             apart_from: [{other}]\ntargets: {{ swarm: {{ engine: \"20.10\", network: net }} }}\n"
        )
    };
    let (a, b) = (one("a", "b", 80), one("b", "a", 81));
    assert_eq!(gaps(&[&a, &b]), ["swarm/apart_from"]);
    assert_eq!(gaps(&[&a, &one("b", "a", 80)]), Vec::<String>::new());
    let lock = |spec: &str| spec.replace("network: net", "network: net, lock: 99");
    assert_eq!(gaps(&[&lock(&a), &lock(&b)]), Vec::<String>::new());
    let pin =
        |spec: &str, first: u32| spec.replace("count: 1", &format!("count: 1, first: {first}, pin: rack"));
    assert_eq!(gaps(&[&pin(&a, 1), &pin(&b, 2)]), Vec::<String>::new());
    assert_eq!(gaps(&[&pin(&a, 1), &pin(&b, 1)]), ["swarm/apart_from"]);
    let node =
        |spec: &str, value: &str| spec.replace("count: 1", &format!("per: node, on: {{ kind: {value} }}"));
    assert_eq!(gaps(&[&node(&a, "x"), &node(&b, "y")]), Vec::<String>::new());
    // Values of constraints are compared without case.
    assert_eq!(gaps(&[&node(&a, "x"), &node(&b, "X")]), ["swarm/apart_from"]);
}
