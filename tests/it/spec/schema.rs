//! The schema for editors against the compiler: whatever the schema rejects, a compile rejects too.
//! What only a compile rejects is listed here, by its code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use berthc::code::Code;
use berthc::diag::Diagnostic;
use berthc::model::check::alone;
use berthc::schema::schema;
use berthc::spec::layers::Layers;
use berthc::spec::load;
use berthc::spec::node::{Kind, Node};
use berthc::{Input, Options, Severity, Target};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::harness::{self, Memory, root, walk};

/// Codes of errors that a schema of one document cannot express, or not in reasonable size: two
/// fields or blocks contradict each other, a name is looked up, an expression is read.
const BEYOND: &[Code] = &[
    // Another kind of document, and words that stand for a value.
    Code::NotASpec,
    Code::Placeholder,
    // What `live` needs depends on another block: whether the member has data.
    Code::LiveWithoutStart,
    // Expressions and the names in them.
    Code::ValueSyntax,
    Code::ValueForbidden,
    Code::ValueName,
    Code::ValueTooLong,
    Code::MemberField,
    Code::RuntimeArithmetic,
    Code::SecretUnknown,
    Code::PortUnknown,
    Code::PeerUnknown,
    Code::ApartUnknown,
    Code::ApartOneSided,
    // The image and the mounts.
    Code::DataElsewhere,
    // Two blocks, or two entries of one.
    Code::RevisionCounted,
    Code::RevisionMissing,
    Code::MemberMoves,
    Code::NodeVolume,
    Code::IdPerNode,
    Code::HostWithoutId,
    Code::PinTable,
    Code::MountTwice,
    Code::HostTwice,
    Code::PortTwice,
    Code::HostnameOnNodeNetwork,
    Code::GuardShape,
    Code::BootstrapShape,
    Code::ClientShape,
    Code::BeforeExceedsGrace,
    Code::HealthNeedsCommand,
    Code::VersionTooOld,
    // Other files.
    Code::FileMissing,
    Code::BaseMissing,
    Code::BaseCycle,
    // `berthc.toml` may set them.
    Code::NoTargets,
    // A check may be directly under `health` or under `ready`.
    Code::HealthShape,
];

/// Single errors whose codes the schema otherwise covers, by a part of the message.
const BEYOND_CASES: &[(Code, &str)] = &[
    // Pinned data needs a size if the spec is for Kubernetes: two blocks.
    (Code::Missing, "has no `size`"),
    // `berthc.toml` may set them.
    (Code::Missing, "has no `version`"),
    (Code::Missing, "has no `namespace`"),
    (Code::Missing, "has no `engine`"),
    (Code::BadValue, "the soft limit must not exceed the hard limit"),
    // Whether the user can read a file depends on `user` and `mode`.
    (Code::BadMode, "cannot read"),
    (Code::MembersShape, "`hostname`"),
    (Code::MembersShape, "has no name of its own"),
    (Code::MembersShape, "`writer` needs exactly one member"),
    (Code::MembersShape, "is already bound to its node"),
    (Code::DataShape, "`writer` is for services without data"),
    (Code::DataShape, "of a volume belongs inside `volume`"),
    (Code::DataShape, "a directory has the size of its disk"),
    (Code::AcceptShape, "is accepted twice"),
    // Host paths may contain expressions.
    (Code::BadPath, "the path `"),
    (Code::BadPath, "is directly below `/`"),
    (Code::BadPath, "a host path may use"),
    // Numbers in text, and reserved names: the patterns check only the form.
    (Code::BadQuantity, "is not a number of cores"),
    (Code::BadQuantity, "is not a size"),
    (Code::BadQuantity, "at least 6Mi"),
    (Code::BadDuration, "is not a duration"),
    (Code::BadUser, "is not `uid` or `uid:gid` in numbers"),
    (Code::BadLabel, "is reserved for berthc"),
    (Code::BadLabel, "names a place, which has many nodes"),
    (Code::BadLabel, "has a prefix that is not a DNS name"),
    (Code::BadLabel, "characters, but at most 63 are allowed"),
    (Code::BadName, "names that start with BERTH_"),
    (Code::BadName, "must not be `.` or start with `..`"),
    (Code::BadName, "needs a letter"),
    (Code::BadName, "the secret name"),
    (Code::BadName, "the version `"),
    (Code::SecretRef, "is not NAME/KEY"),
    (Code::BadName, "is not a valid name of a StorageClass"),
    (Code::BadName, "is not a valid node name"),
    (Code::BadAddress, ""),
    (Code::BadImage, "has an invalid registry"),
    (Code::VolumeUnknown, "there is no backend `csi:"),
    (Code::BadValue, "is not an id: write a whole number"),
];

fn beyond(d: &Diagnostic) -> bool {
    BEYOND.iter().any(|c| c.as_str() == d.code)
        || BEYOND_CASES.iter().any(|(c, words)| c.as_str() == d.code && d.message.contains(words))
}

/// Returns the document as an editor sees it; `None` if it is not one.
fn document(path: &str, text: &str) -> Option<Value> {
    fn value(node: &Node) -> Value {
        match &node.kind {
            Kind::Null => Value::Null,
            Kind::Bool(b) => json!(b),
            Kind::Int(i) => json!(i),
            Kind::Float(f) => json!(f),
            Kind::Str(s) => json!(s),
            Kind::Seq(items) => items.iter().map(value).collect(),
            Kind::Map(entries) => {
                entries.iter().map(|(k, v)| (k.name.clone(), value(v))).collect::<Map<_, _>>().into()
            }
        }
    }
    load::load(0, path, text).ok().map(|root| value(&root))
}

/// Returns the compiler's errors for one spec, without those of files that it names.
fn errors(path: &str, text: &str) -> Vec<Diagnostic> {
    let inputs = [Input { path: path.into(), text: text.into() }];
    let (files, options, mut found) = (Memory::default(), Options::default(), Vec::new());
    let layers = Layers::new(&inputs, &files, &options, &mut found);
    found.extend(alone(0, &layers).faults);
    found.into_iter().filter(|d| d.severity == Severity::Error).collect()
}

/// Returns where the schema and the compiler disagree on the document, except for what they said
/// `before`.
fn disagree(
    validator: &Validator,
    document: &Value,
    errors: &[Diagnostic],
    before: &BTreeSet<String>,
) -> Option<String> {
    match validator.validate(document) {
        Err(e) if !errors.iter().any(|d| !before.contains(&d.message)) => {
            Some(format!("the schema alone refuses {}: {e}", e.instance_path()))
        }
        Ok(()) => {
            let d = errors.iter().find(|d| !beyond(d))?;
            Some(format!("the schema lets pass [{}] {}", d.code, d.message))
        }
        Err(_) => None,
    }
}

fn specs(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let all = folders.iter().flat_map(|dir| walk(&root().join(dir)));
    all.filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "toml"))
        .map(|p| (p.clone(), std::fs::read_to_string(&p).unwrap()))
        .collect()
}

#[test]
fn the_schema_accepts_good_specs_and_rejects_bad_ones() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let mut wrong = Vec::new();
    let mut shapes = BTreeSet::new();
    for (path, text) in specs(&["specs", "tests/specs", "tests/bad"]) {
        let path = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let Some(document) = document(&path, &text) else { continue };
        let errors = errors(&path, &text);
        if !path.starts_with("tests/bad") && !validator.is_valid(&document) {
            wrong.push(format!("{path}: a good spec is refused"));
        }
        shapes.extend(errors.iter().filter(|d| !beyond(d)).map(|d| d.code.to_string()));
        wrong.extend(
            disagree(&validator, &document, &errors, &BTreeSet::new()).map(|w| format!("{path}: {w}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Codes that the schema covers completely or nearly so.
    let said = [
        "accept-shape",
        "bad-image",
        "bad-label",
        "bad-mode",
        "bad-name",
        "bad-port",
        "bad-signal",
        "bad-value",
        "data-shape",
        "external-shape",
        "file-shape",
        "members-shape",
        "missing",
        "moved-shape",
        "start-without-live",
        "unknown-key",
        "version-unknown",
        "volume-unknown",
        "wrong-type",
    ];
    assert_eq!(shapes, said.iter().map(|s| (*s).to_owned()).collect());
}

/// Returns the values that replace a value or a key.
fn pool() -> Vec<Value> {
    let texts = [
        "",
        " ",
        "a",
        "A",
        "a b",
        "-x",
        "x-",
        "a.b",
        "a_b",
        "é",
        "0",
        "00",
        "+12",
        "777",
        "0755",
        "9999",
        "1s",
        "0s",
        "1m30s",
        "30s1m",
        "10",
        "1Gi",
        "1.5Gi",
        "500m",
        "x/y",
        "a/b/c",
        "../x",
        "/",
        "/a",
        "/a/",
        "/a/b",
        "/a/../b",
        "/.../x",
        "csi:",
        "csi:x.y",
        "1000:0",
        "1:2:3",
        "1.34",
        "1.24",
        "1.38",
        "1.34.1",
        "20.10",
        "19.03",
        "25",
        "22.0",
        "29.9.3",
        "30.0",
        "SIGTERM",
        "TERM",
        "node",
        "lock",
        "true",
        "swarm/data/move",
        "db:1",
        "Db:1",
        "db@sha256:1",
        "10.0.0.1",
        "fe80::1",
        "bash",
        "https",
        "aws-ebs",
        "host",
        "{{ member.id }}",
        "x\ny",
    ];
    let others = [
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(1001),
        json!(65535),
        json!(65536),
        json!(4294967296_u64),
        json!(1.5),
        json!([]),
        json!({}),
        json!([1]),
        json!(["a"]),
        json!([[]]),
        json!({ "a": "b" }),
        json!({ "a": 1 }),
        json!({ "label": "db", "at": {} }),
        json!({ "soft": 2, "hard": 3 }),
    ];
    texts.iter().map(|t| json!(t)).chain(others).collect()
}

/// Returns the routes to every value of a document.
fn routes(document: &Value) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![(Vec::new(), document)];
    while let Some((route, value)) = open.pop() {
        let below = |step: String| {
            let mut next: Vec<String> = route.clone();
            next.push(step);
            next
        };
        match value {
            Value::Object(map) => open.extend(map.iter().map(|(k, v)| (below(k.clone()), v))),
            Value::Array(items) => {
                open.extend(items.iter().enumerate().map(|(i, v)| (below(i.to_string()), v)))
            }
            _ => {}
        }
        found.push(route);
    }
    found.sort();
    found
}

fn at<'v>(document: &'v mut Value, route: &[String]) -> &'v mut Value {
    route.iter().fold(document, |value, step| match value {
        Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
        value => &mut value[step.as_str()],
    })
}

/// Returns documents that differ from `document` in the value or the key at `route`. A key that is
/// a `free` name is replaced by many texts.
fn bent(document: &Value, route: &[String], pool: &[Value], free: bool) -> Vec<Value> {
    let change = |f: &dyn Fn(&mut Value)| {
        let mut copy = document.clone();
        f(&mut copy);
        copy
    };
    let mut all: Vec<Value> = pool.iter().map(|v| change(&|d| *at(d, route) = v.clone())).collect();
    let mut here = document.clone();
    if at(&mut here, route).is_object() {
        all.push(change(&|d| at(d, route)["frobnicate"] = json!(true)));
        all.push(change(&|d| at(d, route)["frobnicate"] = json!("x")));
    }
    let Some((last, way)) = route.split_last() else { return all };
    match at(&mut here, way) {
        Value::Array(_) => all.push(change(&|d| {
            let Value::Array(items) = at(d, way) else { return };
            items.remove(last.parse::<usize>().unwrap());
        })),
        Value::Object(there) => {
            all.push(change(&|d| {
                at(d, way).as_object_mut().unwrap().remove(last);
            }));
            let names = pool.iter().filter_map(Value::as_str).take(if free { 24 } else { 3 });
            for key in names.filter(|k| !there.contains_key(*k)) {
                all.push(change(&|d| {
                    let map = at(d, way).as_object_mut().unwrap();
                    let value = map.remove(last).unwrap();
                    map.insert(key.to_owned(), value);
                }));
            }
        }
        _ => {}
    }
    all
}

/// Collects the names of all fields in the schema. Other steps of a route are free names.
fn fields(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                found.extend(properties.keys().cloned());
            }
            map.values().for_each(|v| fields(v, found));
        }
        Value::Array(items) => items.iter().for_each(|v| fields(v, found)),
        _ => {}
    }
}

/// Each field of the real specs is removed, renamed, and replaced by every other type and many
/// values.
#[test]
fn what_the_schema_rejects_a_compile_rejects() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut known = BTreeSet::new();
    fields(&schema, &mut known);
    let pool = pool();
    let mut seen: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    let (mut tried, mut refused) = (0, 0);
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
    for (path, text) in specs(&["tests/specs", "specs"]) {
        let document = document(&path.to_string_lossy(), &text).unwrap();
        let before: BTreeSet<String> =
            errors("bent.yaml", &document.to_string()).into_iter().map(|d| d.message).collect();
        for route in routes(&document) {
            let general: Vec<String> =
                route.iter().map(|s| if known.contains(s) { s.clone() } else { "*".into() }).collect();
            let times = seen.entry(general.clone()).or_default();
            *times += 1;
            if *times > 1 {
                continue;
            }
            for document in bent(&document, &route, &pool, general.last().is_some_and(|s| s == "*")) {
                let text = document.to_string();
                let errors = errors("bent.yaml", &text);
                tried += 1;
                refused += usize::from(!errors.is_empty());
                if let Some(why) = disagree(&validator, &document, &errors, &before) {
                    wrong.entry(format!("{}: {why}", general.join("."))).or_insert(text);
                }
            }
        }
    }
    let list: Vec<String> = wrong.iter().map(|(why, text)| format!("{why}\n    {text}")).collect();
    assert!(wrong.is_empty(), "{} of {tried} are judged differently:\n{}", wrong.len(), list.join("\n"));
    assert!(
        seen.len() > 120 && refused > 5000 && refused < tried,
        "{} fields, {refused} of {tried}",
        seen.len()
    );
}

/// Every field has a description, and every example is valid where it stands.
#[test]
fn fields_have_descriptions_and_valid_examples() {
    let schema = schema();
    let mut open = vec![(String::new(), &schema)];
    let mut examples = 0;
    while let Some((way, part)) = open.pop() {
        match part {
            Value::Object(map) => {
                if let Some(Value::Object(properties)) = map.get("properties")
                    && map.get("additionalProperties") == Some(&json!(false))
                {
                    for (name, field) in properties {
                        assert!(field["description"].is_string(), "{way}/{name} has no description");
                    }
                }
                let given = map.get("examples").and_then(Value::as_array).into_iter().flatten();
                for example in given.chain(map.get("default")).filter(|_| !way.ends_with("/properties")) {
                    let mut own = part.clone();
                    own["definitions"] = schema["definitions"].clone();
                    let said = jsonschema::validator_for(&own).unwrap();
                    assert!(said.is_valid(example), "{way}: {example} is no good example");
                    examples += 1;
                }
                open.extend(map.iter().map(|(k, v)| (format!("{way}/{k}"), v)));
            }
            Value::Array(items) => {
                open.extend(items.iter().enumerate().map(|(i, v)| (format!("{way}/{i}"), v)))
            }
            _ => {}
        }
    }
    assert!(examples > 40, "{examples}");
}

/// A default in the schema is the value that the compiler uses when the field is missing.
#[test]
fn defaults_of_the_schema_are_those_of_the_compiler() {
    let schema = schema();
    let blocks = [
        ("MembersSpec", "first", "/members"),
        ("MembersSpec", "dedicated", "/members"),
        ("ExclusiveSpec", "id", "/exclusive"),
        ("ExclusiveSpec", "hostname", "/exclusive"),
        ("ExclusiveSpec", "writer", "/exclusive"),
        ("PortTable", "protocol", "/exclusive/ports/client"),
        ("PortTable", "for", "/exclusive/ports/client"),
        ("FileSpec", "mode", "/files/~1etc~1x"),
        ("FileSpec", "template", "/files/~1etc~1x"),
        ("CheckSpec", "every", "/health/live"),
        ("CheckSpec", "timeout", "/health/live"),
        ("CheckSpec", "failures", "/health/live"),
        ("CheckSpec", "scheme", "/health/live"),
        ("HealthSpec", "every", "/health"),
        ("HealthSpec", "timeout", "/health"),
        ("HealthSpec", "failures", "/health"),
        ("HealthSpec", "scheme", "/health"),
        ("StopSpec", "grace", "/stop"),
        ("UpdateSpec", "pause", "/update"),
        ("FleetSpec", "docker", "/targets/fleet"),
        ("KubernetesSpec", "access", "/targets/kubernetes"),
        ("KubernetesSpec", "network_policy", "/targets/kubernetes"),
        ("BootstrapSpec", "for", "/bootstrap"),
    ];
    let said: usize = schema["definitions"]
        .as_object()
        .unwrap()
        .values()
        .map(|block| {
            let fields = block["properties"].as_object().into_iter().flatten();
            fields.filter(|(_, f)| f.get("default").is_some()).count()
        })
        .sum();
    assert_eq!(said, blocks.len(), "a default that is not tried");
    let common = json!({
        "service": "db", "image": "db:1",
        "files": { "/etc/x": { "content": "{{ service }}" } },
        "health": { "http": "/ready", "port": "client", "tool": "curl", "live": { "http": "/live", "port": "client" } },
        "stop": {}, "update": {}, "bootstrap": {},
        "accept": [{ "gap": "fleet/health.live", "because": "an alert calls a person" }],
        "targets": { "kubernetes": { "version": "1.34", "namespace": "db" }, "fleet": { "version": "1.0.0" } },
    });
    let mut counted = common.clone();
    counted["members"] = json!({ "count": 3 });
    counted["exclusive"] = json!({ "ports": { "client": { "port": 5000 } } });
    let mut per_node = common;
    per_node["members"] = json!({ "per": "node", "on": { "db": "true" } });
    per_node["revision"] = json!("1");
    per_node["exclusive"] = json!({ "ports": { "client": 5000 } });
    let pinned = json!({
        "service": "db", "image": "db:1",
        "members": { "count": 3, "pin": { "label": "db" } },
        "exclusive": {
            "data": { "data": { "mount": "/data", "host": "/mnt/d/db-{{ member.id }}", "size": "1Gi" } },
            "ports": { "client": 5000 },
        },
        "targets": { "kubernetes": { "version": "1.34", "namespace": "db" } },
    });
    let compile = |spec: &Value| {
        let (tree, found) = harness::compile(&[("db.yaml", &spec.to_string())]);
        tree.unwrap_or_else(|| panic!("{spec}: {found:?}"))
    };
    for (block, field, pointer) in blocks {
        let spec = match field {
            "dedicated" => &per_node,
            "access" => &pinned,
            _ => &counted,
        };
        let default = &schema["definitions"][block]["properties"][field]["default"];
        let mut written = spec.clone();
        written.pointer_mut(pointer).unwrap()[field] = default.clone();
        assert_eq!(compile(spec), compile(&written), "{pointer}/{field}: {default}");
    }
}

/// The pattern of a gap lists the orchestrators as text.
#[test]
fn the_schema_accepts_a_gap_of_every_orchestrator() {
    let gap = &schema()["definitions"]["AcceptSpec"]["properties"]["gap"];
    let gap = jsonschema::validator_for(gap).unwrap();
    assert!(!gap.is_valid(&json!("nomad/data/move")));
    for target in Target::ALL {
        let id = format!("{}/data/move", target.name());
        assert!(gap.is_valid(&json!(id)), "add {target} to GAP in src/spec/allowed.rs");
    }
}

/// Editors find the schema from every spec.
#[test]
fn every_spec_names_the_schema() {
    for (path, text) in specs(&["specs"]) {
        let first = text.lines().next().unwrap();
        let named = match path.extension().unwrap().to_str() {
            Some("toml") => first.strip_prefix("#:schema "),
            _ => first.strip_prefix("# yaml-language-server: $schema="),
        };
        let schema =
            path.parent().unwrap().join(named.unwrap_or_else(|| panic!("{}: {first}", path.display())));
        assert_eq!(
            schema.canonicalize().unwrap(),
            root().join("golden/spec.schema.json").canonicalize().unwrap()
        );
    }
}
