//! Tests rendered files: one text for all members, or a key of the ConfigMap for each.

use serde_json::json;

use super::{Out, entry, list, node, volume};

/// Returns how the member gets the file at `path`: `subPath` or `subPathExpr`.
fn mount<'o>(out: &'o Out, path: &str) -> &'o serde_json::Value {
    let mounts = list(&out.container()["volumeMounts"]);
    mounts.iter().find(|m| m["mountPath"] == path).unwrap()
}

#[test]
fn a_file_that_names_the_member_has_a_key_for_each() {
    let join = "{% for m in members if m.id != member.id %}\n{{ m.name }}\n{% endfor %}\n";
    let files = format!(
        "{{ /a/f: {{ template: true, content: {} }}, /b/f: {{ template: true, content: \"{{{{ members | length }}}}\" }}, \
         /c/db-1.f: {{ content: \"{{{{ x }}}}\" }}, /d: {{ template: true, content: \"{{{{ member.ports.http }}}}\" }} }}",
        json!(join)
    );
    let out = volume().set("files", files).out();
    let data = &out.one("ConfigMap")["data"];
    let wanted = json!({
        "db-0.f": "db-1\ndb-2\n", "db-1.f": "db-0\ndb-2\n", "db-2.f": "db-0\ndb-1\n",
        "f": "3", "2-db-1.f": "{{ x }}", "d": "80",
    });
    assert_eq!(data, &wanted);
    assert_eq!(mount(&out, "/a/f")["subPathExpr"], "$(BERTH_NAME).f");
    assert!(mount(&out, "/a/f").get("subPath").is_none());
    assert_eq!(mount(&out, "/b/f")["subPath"], "f");
    assert_eq!(mount(&out, "/c/db-1.f")["subPath"], "2-db-1.f");
    let name = &entry(&out.container()["env"], "BERTH_NAME")["valueFrom"]["fieldRef"]["fieldPath"];
    assert_eq!(name, "metadata.name");
}

#[test]
fn another_text_is_another_config_map() {
    let name = |more: &str| {
        let files = format!("{{ /f: {{ template: true, content: \"{{{{ member.id }}}}{more}\" }} }}");
        volume().set("files", files).out().one("ConfigMap")["metadata"]["name"].clone()
    };
    assert_ne!(name("a"), name("b"));
}

#[test]
fn a_secret_that_only_a_rendered_file_names_is_a_file() {
    let spec = volume().set("secrets", "{ a: { ref: x/a }, b: { ref: x/b } }");
    let env = "{ A: \"{{ secret('a') }}\", B: \"{{ secret('b') }}\" }";
    let files = "{ /f: { template: true, content: \"{{ secret('a').path }}\" } }";
    let out = spec.set("env", env).set("files", files).out();
    assert_eq!(out.one("ConfigMap")["data"]["f"], "/run/secrets/a");
    let sources = &entry(&out.pod()["volumes"], "secrets")["projected"]["sources"];
    assert_eq!(sources[0]["secret"]["items"], json!([{ "key": "a", "path": "a" }]));
}

#[test]
fn what_only_the_node_knows_is_no_part_of_a_config_map() {
    for text in ["{{ member.node }}", "{{ member.address }}"] {
        let files = format!("{{ /f: {{ template: true, content: \"{text}\" }} }}");
        let faults = node().set("files", files).faults();
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].0, "runtime-not-here");
    }
    let large =
        format!("{{ /f: {{ template: true, content: \"{{{{ member.id }}}}{}\" }} }}", "x".repeat(60_000));
    let faults = volume().set("members", "{ count: 20 }").set("files", large).faults();
    assert_eq!(faults, [("file-too-large".to_owned(), "files".to_owned())]);
}
