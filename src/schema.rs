//! The JSON Schema of a spec, for editors. It consists of the types of [`crate::spec`] with their
//! comments, and of the rules of `check` that concern one field or one block. Only `check` knows
//! the rules that need two blocks.
//!
//! A spec may take fields from its `base`, so only a spec without `base` must be complete.
//!
//! Patterns have no look-around, because some editors do not support it. Each pattern accepts
//! everything that `check` accepts; a few accept more.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::backend::BACKENDS;
use crate::model::check::{KUBERNETES, MAX_FIRST, MAX_MEMBERS, SIGNALS, ULIMITS};
use crate::spec::Spec;
use crate::text::names::MAX_SERVICE;

const DURATION: &str = "^([0-9]+h([0-9]+m)?([0-9]+s)?|[0-9]+m([0-9]+s)?|[0-9]+s)$";
/// A duration that contains no digit other than 0.
const NO_TIME: &str = "^[0hms]*$";
const BYTES: &str = "^[0-9]+(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$";
const CPU: &str = r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)$";
const USER: &str = "^(0|[1-9][0-9]{0,9})(:(0|[1-9][0-9]{0,9}))?$";
const LABEL: &str = "^[a-z]([-a-z0-9]*[a-z0-9])?$";
const LABEL_KEY: &str = "^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$";
const LABEL_VALUE: &str = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$";
const ENV: &str = "^[A-Za-z._-][A-Za-z0-9._-]*$";
const KEY: &str = "^[A-Za-z0-9._-]+$";
/// Path segments that are neither empty nor `.` nor `..`.
const PATH: &str = r"^(/(\.{0,2}[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*|\.{3}[A-Za-z0-9._@+-]*))+$";
const IMAGE: &str = "^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]([a-z0-9._-]*[a-z0-9])?\
                     (/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*(:[A-Za-z0-9_][A-Za-z0-9._-]*)?\
                     (@[A-Za-z0-9+._-]+:[0-9A-Fa-f]{32,})?$";
const ADDRESS: &str = "^[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9:])?$";
const NUMBER: &str = "(0|[1-9][0-9]*)";

/// Returns the JSON Schema (draft 7) of a spec. Whatever it rejects, a compile rejects too.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Spec>().to_value();
    plain(&mut schema);
    merge(&mut schema, root());
    for (block, more) in blocks() {
        if let Some(block) = schema.get_mut("definitions").and_then(|d| d.get_mut(block)) {
            merge(block, more);
        }
    }
    schema
}

/// Simplifies what schemars derives. An `Option` is a field that may be missing but never null, the
/// range of a Rust integer becomes a number, and required fields come from [`alone`].
fn plain(schema: &mut Value) {
    let null = |v: &Value| v == "null" || v.get("type").is_some_and(|t| t == "null");
    match schema {
        Value::Object(object) => {
            object.retain(|key, value| !(key == "default" && value.is_null() || key == "required"));
            object.values_mut().for_each(plain);
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|t| !null(t));
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    object.insert("type".into(), one);
                }
            }
            if let Some(Value::Array(any)) = object.get_mut("anyOf") {
                any.retain(|s| !null(s));
                if let [Value::Object(one)] = any.as_slice() {
                    let one = one.clone();
                    object.remove("anyOf");
                    object.extend(one);
                }
            }
            let most = match object.get("format").and_then(Value::as_str) {
                Some("uint16") => u64::from(u16::MAX),
                Some("uint32") => u64::from(u32::MAX),
                // The reader parses whole numbers as `i64`.
                Some("uint64") => i64::MAX as u64,
                _ => return,
            };
            object.remove("format");
            object.entry("maximum").or_insert(most.into());
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

/// Merges `more` into `schema`, key by key.
fn merge(schema: &mut Value, more: Value) {
    match (schema, more) {
        (Value::Object(schema), Value::Object(more)) => {
            for (key, value) in more {
                match schema.get_mut(&key) {
                    Some(there) => merge(there, value),
                    None => {
                        schema.insert(key, value);
                    }
                }
            }
        }
        (schema, more) => *schema = more,
    }
}

fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// Makes the schema of a map with these keys and values.
fn map(keys: &str, values: Value) -> Value {
    json!({ "propertyNames": { "pattern": keys }, "additionalProperties": values })
}

fn time() -> Value {
    json!({ "pattern": DURATION, "not": { "pattern": NO_TIME } })
}

fn ports() -> Value {
    json!({
        "propertyNames": { "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 15 },
        "additionalProperties": { "type": "integer", "minimum": 1, "maximum": u16::MAX },
    })
}

fn env() -> Value {
    map(ENV, json!({ "type": "string" }))
}

fn address() -> Value {
    text(ADDRESS)
}

/// The fields that `external` excludes.
const INSIDE: [&str; 19] = [
    "image",
    "members",
    "exclusive",
    "command",
    "args",
    "env",
    "files",
    "secrets",
    "user",
    "resources",
    "ulimits",
    "tmpfs",
    "stop",
    "health",
    "update",
    "bootstrap",
    "helpers",
    "apart_from",
    "revision",
];

fn root() -> Value {
    json!({
        "if": { "not": { "required": ["base"] } },
        "then": alone(),
        "properties": {
            "base": { "minLength": 1, "examples": ["../common/base.yaml"] },
            "service": { "pattern": LABEL, "maxLength": MAX_SERVICE, "examples": ["orders-db"] },
            "revision": { "pattern": "^[-a-z0-9]*[a-z0-9]$", "maxLength": 20, "examples": ["1"] },
            "image": { "pattern": IMAGE, "examples": ["docker.io/library/postgres:16.4"] },
            "command": { "minItems": 1, "examples": [["docker-entrypoint.sh", "postgres"]] },
            "args": { "minItems": 1, "examples": [["--max-connections", "200"]] },
            "env": merged(env(), json!({ "examples": [{ "NODE_NAME": "{{ member.name }}" }] })),
            "files": { "propertyNames": { "pattern": PATH },
                "examples": [{ "/etc/my.cnf": { "from": "files/my.cnf" } }] },
            "secrets": { "propertyNames": { "pattern": KEY },
                "examples": [{ "password": { "ref": "orders-db/password" } }] },
            "user": { "pattern": USER, "examples": ["1000:1000", "999"] },
            "ulimits": { "propertyNames": { "enum": ULIMITS }, "examples": [{ "nofile": 65536 }] },
            "tmpfs": merged(map(PATH, text(BYTES)), json!({ "examples": [{ "/tmp": "64Mi" }] })),
            "labels": map(LABEL_KEY, text(LABEL_VALUE)),
            "helpers": { "propertyNames": { "pattern": LABEL, "maxLength": 30 } },
            "apart_from": { "uniqueItems": true, "examples": [["kafka"]] },
            "accept": { "examples": [[{ "gap": "swarm/data/partition", "because": "the disks are fenced by hand" }]] },
            "targets": { "examples": [{ "kubernetes": { "version": "1.34", "namespace": "databases" } }] },
        },
    })
}

/// Returns the required fields and the fields that exclude one another, for a spec without `base`.
/// Targets and their fields may come from `berthc.toml`.
fn alone() -> Value {
    let nothing: Map<String, Value> = INSIDE.iter().map(|f| ((*f).to_owned(), Value::Bool(false))).collect();
    let check = json!({
        "anyOf": [{ "required": ["http"] }, { "required": ["tcp"] }, { "required": ["run"] }],
        "dependencies": { "http": ["port"], "port": ["http"], "scheme": ["http"] },
    });
    let pin = json!({ "if": { "type": "object" }, "then": { "required": ["label"] } });
    json!({
        "required": ["service"],
        "if": { "required": ["external"] },
        "then": { "properties": nothing },
        "else": { "required": ["image", "members"] },
        "properties": {
            "files": { "additionalProperties": { "oneOf": [{ "required": ["content"] }, { "required": ["from"] }] } },
            "secrets": { "additionalProperties": { "required": ["ref"] } },
            "ulimits": {
                "additionalProperties": { "if": { "type": "object" }, "then": { "required": ["soft", "hard"] } },
            },
            "members": {
                "oneOf": [{ "required": ["per"] }, { "required": ["count"] }],
                "dependencies": {
                    "per": ["on"], "on": ["per"], "known": ["per"], "dedicated": ["per"],
                    "first": ["count"], "pin": ["count"],
                },
                "properties": { "on": { "minProperties": 1 }, "pin": pin },
            },
            "exclusive": {
                "dependencies": {
                    "address": { "required": ["ports"], "properties": { "ports": { "minProperties": 1 } } },
                },
                "properties": { "data": { "additionalProperties": {
                    "required": ["mount"],
                    "oneOf": [{ "required": ["host"] }, { "required": ["volume"] }],
                    "properties": { "volume": { "required": ["backend", "size"] } },
                } } },
            },
            "stop": { "properties": { "before": { "required": ["run", "within"] } } },
            "health": {
                "dependencies": merged(check["dependencies"].clone(), json!({ "start": ["live"] })),
                "properties": { "ready": check, "live": check },
            },
            "helpers": { "additionalProperties": { "required": ["image"] } },
            "external": {
                "required": ["ports"],
                "anyOf": [
                    { "required": ["address"] },
                    { "required": ["at"], "properties": { "at": { "minProperties": 1 } } },
                ],
                "properties": { "ports": { "minProperties": 1 } },
            },
            "targets": { "properties": {
                "fleet": { "properties": { "pin": pin } },
                "swarm": { "properties": { "pin": pin } },
            } },
        },
    })
}

/// Returns the rules for blocks, by the name of their type.
fn blocks() -> Vec<(&'static str, Value)> {
    let kubernetes: Vec<String> = KUBERNETES.map(|minor| minor.to_string()).collect();
    let backends: Vec<&str> = BACKENDS.iter().map(|b| b.name).filter(|n| !n.ends_with(':')).collect();
    let times = json!({
        "http": { "pattern": "^/[!-~]*$", "examples": ["/health"] },
        "run": { "minItems": 1, "examples": [["pg_isready"]] },
        "every": merged(time(), json!({ "default": "10s" })),
        "timeout": merged(time(), json!({ "default": "3s" })),
        "failures": { "minimum": 1, "default": 3 },
        "scheme": { "default": "http" },
    });
    vec![
        (
            "AcceptSpec",
            json!({
                "required": ["gap", "because"],
                "properties": {
                    "gap": { "pattern": "^(kubernetes|fleet|swarm)/",
                        "examples": ["swarm/data/partition", "swarm/health.live"] },
                    "because": { "pattern": r"\S" },
                },
            }),
        ),
        (
            "BeforeSpec",
            json!({
                "properties": {
                    "run": { "minItems": 1, "examples": [["my-server", "--drain"]] },
                    "within": { "pattern": DURATION, "examples": ["20s"] },
                },
            }),
        ),
        ("BootstrapSpec", json!({ "properties": { "env": env() } })),
        (
            "CheckSpec",
            json!({
                "properties": times,
            }),
        ),
        (
            "DataSpec",
            json!({
                "properties": {
                    "mount": { "pattern": PATH, "examples": ["/var/lib/postgresql/data"] },
                    "host": { "examples": ["/mnt/d1/orders-db-{{ member.id }}"] },
                    "size": { "pattern": BYTES, "examples": ["20Gi"] },
                },
            }),
        ),
        (
            "ExclusiveSpec",
            json!({
                "properties": {
                    "data": { "propertyNames": { "pattern": LABEL, "maxLength": 30 } },
                    "ports": merged(ports(), json!({ "examples": [{ "client": 5432 }] })),
                    "id": { "default": false, "examples": [true, "mysql-servers"] },
                    "hostname": { "default": false },
                    "writer": { "default": false },
                },
            }),
        ),
        (
            "ExternalSpec",
            json!({
                "properties": {
                    "address": { "pattern": ADDRESS, "examples": ["db.example.com", "10.0.0.7"] },
                    "at": { "patternProperties": { ID: { "pattern": ADDRESS } } },
                    "ports": ports(),
                },
            }),
        ),
        (
            "FileSpec",
            json!({
                "properties": {
                    "from": { "pattern": "^[^/]", "examples": ["files/my.cnf"] },
                    "mode": { "pattern": "^0?[0-7]{3}$", "default": "0444", "examples": ["0755"] },
                },
            }),
        ),
        (
            "FleetSpec",
            json!({
                "properties": {
                    "version": { "pattern": format!(r"^(0\.13|1\.0)(\.{NUMBER})?$"), "examples": ["1.0.0"] },
                    "domain": { "pattern": "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", "examples": ["fleet.example.com"] },
                    "docker": { "pattern": r"^[0-9]+\.[0-9]+(\.[0-9]+)?$", "default": "17.09" },
                },
            }),
        ),
        (
            "HealthSpec",
            json!({
                "properties": merged(times, json!({ "start": { "pattern": DURATION, "examples": ["120s"] } })),
            }),
        ),
        (
            "HelperSpec",
            json!({
                "properties": {
                    "image": { "pattern": IMAGE },
                    "command": { "minItems": 1 },
                    "args": { "minItems": 1 },
                    "env": env(),
                    "ports": ports(),
                    "user": { "pattern": USER },
                },
            }),
        ),
        (
            "IdSpace",
            json!({
                "description": "`true`, or the name of an id space that several services share.",
                "anyOf": [{ "type": "boolean" }, { "type": "string", "pattern": LABEL, "maxLength": 63 }],
            }),
        ),
        (
            "KubernetesSpec",
            json!({
                "properties": {
                    "version": { "pattern": format!(r"^1\.({})(\.{NUMBER})?$", kubernetes.join("|")), "examples": ["1.34"] },
                    "namespace": { "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63, "examples": ["databases"] },
                },
            }),
        ),
        ("Limit", json!({ "description": "One number for both limits, or `{ soft: N, hard: N }`." })),
        (
            "MembersSpec",
            json!({
                "properties": {
                    "on": merged(map(LABEL_KEY, text(LABEL_VALUE)), json!({ "examples": [{ "orders-db": "true" }] })),
                    "known": merged(map("^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", address()), json!({ "examples": [{ "node-a": "10.0.0.21" }] })),
                    "dedicated": { "default": false },
                    "count": { "minimum": 1, "maximum": MAX_MEMBERS, "examples": [3] },
                    "first": { "maximum": MAX_FIRST, "default": 0 },
                },
            }),
        ),
        (
            "Pin",
            json!({
                "description": "`LABEL`, or `{ label: LABEL, at: { ID: ADDRESS } }`.",
                "anyOf": [text(LABEL_KEY), { "$ref": "#/definitions/PinTable" }],
            }),
        ),
        (
            "PinTable",
            json!({
                "properties": {
                    "label": { "pattern": LABEL_KEY, "examples": ["orders-db"] },
                    "at": { "patternProperties": { ID: { "pattern": ADDRESS } }, "examples": [{ "0": "10.0.0.31" }] },
                },
            }),
        ),
        (
            "ResourcesSpec",
            json!({
                "properties": {
                    "cpu": { "pattern": CPU, "examples": ["2", "500m"] },
                    "memory": { "pattern": BYTES, "examples": ["8Gi"] },
                },
            }),
        ),
        (
            "SecretSpec",
            json!({
                "properties": {
                    "ref": { "pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[A-Za-z0-9._-]+$", "examples": ["orders-db/password"] },
                    "version": { "pattern": KEY, "examples": ["2"] },
                },
            }),
        ),
        (
            "StopSpec",
            json!({
                "properties": {
                    "signal": { "enum": SIGNALS },
                    "grace": merged(time(), json!({ "default": "30s", "examples": ["120s"] })),
                },
            }),
        ),
        (
            "SwarmSpec",
            json!({
                "properties": {
                    "engine": {
                        "pattern": format!(r"^(20\.[1-9][0-9]+|(2[1-9]|[3-9][0-9])\.{NUMBER})(\.{NUMBER})?$"),
                        "examples": ["20.10"],
                    },
                    "network": { "pattern": LABEL_VALUE, "maxLength": 63, "not": { "enum": ["host", "bridge", "none"] } },
                    "lock": { "minimum": 1 },
                },
            }),
        ),
        (
            "UnitOption",
            json!({ "description": "One value, or a list where the option stands several times." }),
        ),
        (
            "UpdateSpec",
            json!({
                "properties": {
                    "pause": { "pattern": DURATION, "default": "0s", "examples": ["30s"] },
                    "healthy": { "examples": ["nodetool status | grep -q UN"] },
                },
            }),
        ),
        (
            "VolumeSpec",
            json!({
                "properties": {
                    "backend": { "anyOf": [{ "enum": backends }, { "pattern": "^csi:." }] },
                    "size": { "pattern": BYTES, "examples": ["100Gi"] },
                    "class": { "pattern": "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$" },
                    "zones": { "items": text(LABEL_VALUE), "examples": [["eu-central-1a", "eu-central-1b"]] },
                },
            }),
        ),
    ]
}

const ID: &str = "^(0|[1-9][0-9]*)$";

fn merged(mut schema: Value, more: Value) -> Value {
    merge(&mut schema, more);
    schema
}
