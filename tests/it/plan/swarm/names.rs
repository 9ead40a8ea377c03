//! Tests that equal names are refused, in any order of the specs.

use super::{codes, said};

/// Returns counted members without data on the network `net`.
fn one(name: &str, more: &str) -> String {
    format!(
        "service: {name}\nimage: a:1\nmembers: {{ count: 2 }}\n{more}\n\
         targets: {{ swarm: {{ engine: \"23.0\", network: net }} }}\n"
    )
}

fn per_node(name: &str, more: &str) -> String {
    one(name, more).replace("count: 2", &format!("per: node, on: {{ for: {name} }}"))
}

fn helper(name: &str, helper: &str) -> String {
    one(name, &format!("helpers: {{ {helper}: {{ image: e:1 }} }}"))
}

fn volume(name: &str, data: &str, backend: &str) -> String {
    // Each service has its own port, so they share only the name.
    let port = 5000 + name.len();
    one(
        name,
        &format!(
            "exclusive: {{ data: {{ {data}: {{ mount: /d, volume: {{ backend: {backend}, size: 1Gi }} }} }}, \
             ports: {{ x: {port} }} }}"
        ),
    )
}

fn meets(a: &str, b: &str) -> bool {
    let [one, other] = [[a, b], [b, a]].map(|pair| {
        let codes = codes(&pair);
        let others = codes.iter().find(|c| !c.starts_with("swarm/") && *c != "name-clash");
        assert_eq!(others, None, "{pair:?}");
        codes.contains("name-clash")
    });
    assert_eq!(one, other, "{a}\n{b}");
    one
}

#[test]
fn two_services_with_one_volume_are_refused() {
    let ebs = "aws-ebs, zones: [z]";
    let csi = |spec: String| spec.replace("network: net", "network: net, volume: csi");
    let first = |spec: String| spec.replace("count: 2", "count: 2, first: 2");
    let other = |spec: String| spec.replace("network: net", "network: other");
    let pair = |backend: &str| (volume("b-c", "a", backend), volume("c", "a-b", backend));
    let (a, b) = pair(ebs);
    assert!(meets(&a, &b));
    assert!(meets(&a, &other(b.clone())));
    assert!(meets(&csi(a.clone()), &csi(b.clone())));
    assert!(!meets(&a, &first(b.clone())));
    assert!(!meets(&a, &volume("c", "a-x", ebs)));
    // The names do not clash on Kubernetes, where each service has its own namespace.
    let spaced = |spec: &str, space: &str| {
        let kubernetes = format!("targets: {{ kubernetes: {{ version: \"1.34\", namespace: {space} }}, ");
        spec.replace("targets: { ", &kubernetes)
    };
    assert!(codes(&[&spaced(&a, "x"), &spaced(&b, "y")]).contains("name-clash"));
    assert!(!codes(&[&spaced(&a, "x"), &spaced(&first(b.clone()), "y")]).contains("name-clash"));
    // An NFS volume is identified by its directory; its mount options do not matter.
    let nfs = |o: &str, server: &str| format!("nfs, options: {{ server: {server}, share: /x{o} }}");
    let (a, _) = pair(&nfs("", "nas"));
    assert!(meets(&a, &volume("c", "a-b", &nfs("/, o: nfsvers=4.1", "nas"))));
    assert!(!meets(&a, &volume("c", "a-b", &nfs("", "nas2"))));
    assert!(!meets(&a, &volume("c", "a-b", &nfs("/y", "nas"))));
    // Both places are reported, once for all members.
    let (a, b) = pair(ebs);
    let said = said(&[&a, &b]);
    let found: Vec<_> = said.iter().filter(|d| d.code == "name-clash").collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "b-c also has a volume `a-b-c-0` on Swarm");
    assert_eq!(found[0].place.start, b.find("a-b:").unwrap());
    assert_eq!(found[0].related[0].0.start, a.find("a: { mount").unwrap());
}

#[test]
fn two_services_with_one_network_name_are_refused() {
    let revision = |name: &str, revision: &str| per_node(name, &format!("revision: {revision}"));
    let net = |spec: String, net: &str| spec.replace("network: net", &format!("network: {net}"));
    let raw = |spec: String| spec.replace("network: net", "network: own, service: { networks: [net] }");
    let host = |spec: String| {
        format!("{spec}exclusive: {{ address: node, ports: {{ x: 7001 }} }}\n").replace(", network: net", "")
    };
    for (a, b, clash) in [
        (per_node("db-1", ""), one("db", ""), true),
        (per_node("db-2", ""), one("db", ""), false),
        (net(per_node("db-1", ""), "other"), one("db", ""), false),
        (raw(per_node("db-1", "")), one("db", ""), true),
        (raw(per_node("db-1", "")), net(one("db", ""), "other"), false),
        // There are no names on the node's network.
        (host(per_node("db-1", "")), one("db", ""), false),
        (revision("es", "v1"), per_node("es-v1", ""), true),
        (revision("es", "v1"), per_node("es-v2", ""), false),
        (revision("es", "a-b"), revision("es-a", "b"), true),
        (helper("redis", "exporter"), per_node("redis-0-exporter", ""), true),
        (helper("redis", "exporter"), per_node("redis-exporter", ""), false),
        (helper("redis", "x-1"), one("redis-0-x", ""), true),
        (helper("redis", "x-2"), one("redis-0-x", ""), false),
        (helper("a", "b-2-c"), helper("a-0-b", "c"), false),
        (helper("a", "b-1-c"), helper("a-0-b", "c"), true),
        // A network in the raw additions belongs to the member, not to its helpers.
        (raw(helper("redis", "exporter")), per_node("redis-0-exporter", ""), false),
    ] {
        assert_eq!(meets(&a, &b), clash, "{a}\n{b}");
    }
}

/// `es-v1-x` is a helper of one revision and the member of another: one service of one stack.
#[test]
fn equal_names_in_the_stack_of_two_revisions_are_refused() {
    let host = |more: &str| {
        per_node("es", more).replace(", network: net", "")
            + "exclusive: { address: node, ports: { x: 7001 } }\n"
    };
    let v1 = |helper: &str| host(&format!("revision: v1\nhelpers: {{ {helper}: {{ image: e:1 }} }}"));
    assert!(meets(&v1("x"), &host("revision: v1-x")));
    assert!(!meets(&v1("y"), &host("revision: v1-x")));
}
