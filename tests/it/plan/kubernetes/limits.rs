//! Tests names that are too long, or that two objects would share.

use super::{Spec, faults, node, pinned, volume};

fn codes(specs: &[Spec]) -> Vec<String> {
    faults(specs).into_iter().map(|(code, _)| code).collect()
}

#[test]
fn long_names_of_daemon_sets_are_refused() {
    let name = "a".repeat(40);
    let fits = node().set("service", &name).set("revision", "b".repeat(16));
    assert!(fits.faults().is_empty());
    let long = fits.set("revision", "b".repeat(17));
    assert_eq!(long.faults(), [("name-too-long".to_owned(), "b".repeat(17))]);
}

#[test]
fn the_longest_names_fit() {
    let name = "s".repeat(52);
    let data = format!(
        "{{ data: {{ {}: {{ mount: /data, volume: {{ backend: aws-ebs, size: 1Gi }} }} }}, ports: {{ {}: 80 }} }}",
        "d".repeat(30),
        "p".repeat(15)
    );
    let out = volume()
        .set("service", &name)
        .set("exclusive", data)
        .set("members", "{ count: 1000, first: 1000000 }")
        .set("targets", format!("{{ kubernetes: {{ version: \"1.34\", namespace: {} }} }}", "n".repeat(63)))
        .set("files", "{ /x: { content: x } }")
        .out();
    for object in out.objects() {
        let found = object["metadata"]["name"].as_str().unwrap();
        let most = match object["kind"].as_str().unwrap() {
            "Service" => 63,
            "StatefulSet" => 52,
            _ => 253,
        };
        assert!(found.len() <= most, "{found}");
        for (_, value) in super::map(&object["metadata"]["labels"]) {
            assert!(value.len() <= 63);
        }
    }
    // The pod's name is its host name and a label.
    assert!(format!("{name}-1000999").len() <= 63);
}

#[test]
fn equal_names_of_services_are_refused() {
    let clash = [volume(), volume().set("service", "db-client")];
    assert_eq!(faults(&clash), [("name-clash".to_owned(), "service".to_owned())]);
    let elsewhere =
        clash[1].clone().set("targets", "{ kubernetes: { version: \"1.34\", namespace: other } }");
    assert!(codes(&[volume(), elsewhere]).is_empty());
    let silent = volume().set("exclusive", "{ writer: true }").set("members", "{ count: 1 }");
    assert!(codes(&[silent, clash[1].clone()]).is_empty());

    let outside = |at: &str| {
        let external = Spec(Default::default()).set("service", "out").kubernetes("1.34", "");
        external.set("external", format!("{{ at: {{ 1: {at} }}, ports: {{ http: 80 }} }}"))
    };
    let member = volume().set("service", "out-1");
    assert_eq!(codes(&[outside("one.example.com"), member.clone()]), ["name-clash"]);
    assert!(codes(&[outside("192.0.2.1"), member]).is_empty());
}

#[test]
fn equal_names_of_claims_are_refused() {
    let with = |service: &'static str, data: &str| {
        volume().set("service", service).set(
            "exclusive",
            format!(
                "{{ data: {{ {data}: {{ mount: /data, volume: {{ backend: aws-ebs, size: 1Gi }} }} }} }}"
            ),
        )
    };
    assert_eq!(codes(&[with("c", "a-b"), with("b-c", "a")]), ["name-clash"]);
    let later = with("b-c", "a").set("members", "{ count: 2, first: 3 }");
    assert!(codes(&[with("c", "a-b"), later]).is_empty());
}

#[test]
fn equal_names_of_daemon_sets_are_refused() {
    let on = |service: &'static str, port: u16| {
        node()
            .set("service", service)
            .set("members", format!("{{ per: node, on: {{ {service}: \"true\" }} }}"))
            .set("exclusive", format!("{{ ports: {{ http: {port} }} }}"))
    };
    let es = on("es", 80).set("revision", "a-b");
    assert_eq!(faults(&[es.clone(), on("es-a", 81).set("revision", "b")])[0].0, "name-clash");
    assert_eq!(faults(&[es.clone(), on("es-a-b", 82)])[0].0, "name-clash");
    assert!(codes(&[es, on("es-a", 81).set("revision", "c")]).is_empty());
}

#[test]
fn equal_names_in_one_pod_are_refused() {
    let helper = |text: &str| volume().set("helpers", text);
    assert_eq!(helper("{ db: { image: \"e:1\" } }").faults(), [("name-clash".to_owned(), "db".to_owned())]);
    let twice = "{ a: { image: \"e:1\", ports: { m: 1 } }, b: { image: \"e:1\", ports: { m: 2 } } }";
    assert_eq!(helper(twice).faults(), [("name-clash".to_owned(), "m".to_owned())]);
    let label = node().set("revision", "v1").set("members", "{ per: node, on: { db-revision: x } }");
    assert_eq!(label.faults(), [("name-clash".to_owned(), "db-revision".to_owned())]);
}

#[test]
fn volumes_of_data_and_of_berthc_have_different_names() {
    let data =
        |name: &str| format!("{name}: {{ mount: /{name}, volume: {{ backend: aws-ebs, size: 1Gi }} }}");
    let all = ["files", "secrets", "memory-0", "berth-files"].map(data).join(", ");
    let out = pinned()
        .set("members", "{ count: 1 }")
        .set("exclusive", format!("{{ data: {{ {all} }} }}"))
        .set("files", "{ /f: { content: x } }")
        .set("secrets", "{ s: { ref: a/b } }")
        .set("tmpfs", "{ /t: 1Mi }")
        .out();
    let names: Vec<&str> =
        super::list(&out.pod()["volumes"]).iter().map(|v| v["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["berth-secrets", "berth-berth-files", "berth-memory-0"]);
}
