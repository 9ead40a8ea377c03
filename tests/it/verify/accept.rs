//! Tests acceptances: each applies to one object, and none is read from the text of a string.

use berthc::explore::Bounds;
use berthc::verify::verify;
use berthc::world::File;

/// Returns a Deployment with two pods on one directory, with `mark` in its spec and with
/// `annotations`.
fn object(name: &str, mark: &str, annotations: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{ name: {name}, annotations: {{ {annotations} }} }}
spec:
{mark}  replicas: 2
  selector: {{ matchLabels: {{ app: {name} }} }}
  template:
    metadata: {{ labels: {{ app: {name} }} }}
    spec:
      containers: [{{ name: a, image: \"postgres:16\", volumeMounts: [{{ name: d, mountPath: /var/lib/postgresql/data }}] }}]
      volumes: [{{ name: d, hostPath: {{ path: /mnt/{name}, type: Directory }} }}]
"
    )
}

/// Returns for each of `names` whether its colocation is accepted in `text`.
fn accepted(path: &str, text: &str, names: &[&str]) -> Vec<bool> {
    let found = verify(&[File { path, text }], Bounds::default());
    let colocate =
        |f: &berthc::finding::Finding| f.codes().any(|c| c.to_string().ends_with("/data/colocate"));
    names
        .iter()
        .map(|name| {
            let of = |f: &berthc::finding::Finding| {
                let all = std::iter::once(&f.message).chain(f.alike.iter().map(|a| &a.message));
                colocate(f) && all.into_iter().any(|m| m.contains(&format!("/mnt/{name}")))
            };
            let (told, taken) =
                (found.findings.iter().any(of), found.accepted.iter().any(|a| of(&a.finding)));
            assert!(told != taken, "{name}: {told} {taken}\n{text}");
            taken
        })
        .collect()
}

const COMMENT: &str = "# berthc: accept kubernetes/data/colocate because \"a cache\"\n";

#[test]
fn a_comment_accepts_findings_of_its_object() {
    let names = ["a", "b"];
    let two = |mark: &str| format!("{}---\n{}", object("a", mark, ""), object("b", "", ""));
    assert_eq!(accepted("a.yaml", &two(""), &names), [false, false]);
    assert_eq!(accepted("a.yaml", &two(&format!("  {COMMENT}")), &names), [true, false]);
    // The comment is before the first key, or at the end.
    let before = format!("{}---\n{COMMENT}{}", object("a", "", ""), object("b", "", ""));
    assert_eq!(accepted("a.yaml", &before, &names), [false, true]);
    let after = format!("{}{COMMENT}---\n{}", object("a", "", ""), object("b", "", ""));
    assert_eq!(accepted("a.yaml", &after, &names), [true, false]);
    // The comment is on the line of a value.
    let inline = two("").replacen("replicas: 2\n", &format!("replicas: 2 {COMMENT}"), 1);
    assert_eq!(accepted("a.yaml", &inline, &names), [true, false]);
}

#[test]
fn a_comment_inside_a_string_accepts_nothing() {
    let line = COMMENT.trim_end().replace('"', "");
    for text in [
        format!("readme: |\n      write\n      {line}\n"),
        format!("readme: >-\n      {line}\n"),
        format!("readme: \"to silence it: {line}\"\n"),
        format!("readme: 'two lines\n      {line}'\n"),
    ] {
        let map = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: a }}\ndata:\n  {text}");
        let own = object("a", &format!("  text:\n    {text}"), "");
        assert_eq!(accepted("a.yaml", &format!("{map}---\n{}", object("a", "", "")), &["a"]), [false]);
        assert_eq!(accepted("a.yaml", &own, &["a"]), [false], "{own}");
    }
    // A comment after a block scalar is a comment.
    let own = object("a", &format!("  text: |\n    a\n    b\n  {COMMENT}"), "");
    assert_eq!(accepted("a.yaml", &own, &["a"]), [true]);
}

#[test]
fn an_annotation_accepts_findings_of_its_object() {
    let mark = "berthc/accept: kubernetes/data/colocate because a cache";
    let two = format!("{}---\n{}", object("a", "", ""), object("b", "", mark));
    assert_eq!(accepted("a.yaml", &two, &["a", "b"]), [false, true]);
    let item = |name: &str, mark: &str| {
        let json =
            |text: &str| serde_json::to_string(&serde_yaml::from_str::<serde_json::Value>(text).unwrap());
        json(&object(name, "", mark)).unwrap()
    };
    let list = format!(
        "{{\"apiVersion\":\"v1\",\n\"kind\":\"List\",\"items\":[{},{}]}}",
        item("a", ""),
        item("b", mark)
    );
    assert_eq!(accepted("a.json", &list, &["a", "b"]), [false, true]);
}

#[test]
fn a_comment_accepts_findings_of_its_service() {
    let text = |first: &str, second: &str, third: &str| {
        format!(
            "{first}services:
  a:
    image: postgres:16
    volumes: [\"/mnt/a:/var/lib/postgresql/data\"]
    deploy: {{ replicas: 2, placement: {{ constraints: [node.hostname == one] }} }}
{second}  b:
    image: postgres:16
    volumes: [\"/mnt/b:/var/lib/postgresql/data\"]
    deploy: {{ replicas: 2, placement: {{ constraints: [node.hostname == one] }} }}
{third}volumes: {{ a: {{}} }}
"
        )
    };
    let mark = "# berthc: accept swarm/data/colocate because \"a cache\"\n";
    let run = |first: &str, second: &str, third: &str| {
        accepted("stack.yml", &text(first, second, third), &["a", "b"])
    };
    assert_eq!(run("", "", ""), [false, false]);
    assert_eq!(run(mark, "", ""), [true, true]);
    assert_eq!(run("", &format!("  {mark}"), ""), [false, true]);
    assert_eq!(run("", &format!("    {mark}"), ""), [true, false]);
    assert_eq!(run("", "", &format!("    {mark}")), [false, true]);
}
