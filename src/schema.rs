//! The JSON Schema of a spec, for editors. It consists of the types of [`crate::spec`] with their
//! comments, and of the rules of `check` that concern one field or one block. Only `check` knows
//! the rules that need two blocks.
//!
//! A spec may take fields from its `base`, so only a spec without `base` must be complete.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::spec::Spec;

/// Returns the JSON Schema (draft 7) of a spec. Whatever it rejects, a compile rejects too.
///
/// ```
/// let schema = berthc::schema::schema();
/// assert_eq!(schema["properties"]["service"]["maxLength"], 52);
/// ```
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Spec>().to_value();
    plain(&mut schema);
    if let Some(fields) = schema["properties"].as_object() {
        let alone = alone(fields);
        schema["if"] = json!({ "not": { "required": ["base"] } });
        schema["then"] = alone;
    }
    schema
}

/// Simplifies what schemars derives. An `Option` is a field that may be missing but never null, and
/// the range of a Rust integer becomes a number.
fn plain(schema: &mut Value) {
    let null = |v: &Value| v == "null" || v.get("type").is_some_and(|t| t == "null");
    match schema {
        Value::Object(object) => {
            object.retain(|key, value| !(key == "default" && value.is_null()));
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

/// The fields that a service with `external` may have.
const BESIDE_EXTERNAL: [&str; 7] = ["base", "service", "labels", "external", "accept", "moved", "targets"];

/// Returns the required fields and the fields that exclude one another, for a spec without `base`.
/// Targets and their fields may come from `berthc.toml`. `fields` are all fields of a spec.
fn alone(fields: &Map<String, Value>) -> Value {
    let excluded = fields.keys().filter(|field| !BESIDE_EXTERNAL.contains(&field.as_str()));
    let nothing: Map<String, Value> = excluded.map(|field| (field.clone(), Value::Bool(false))).collect();
    let check = json!({
        "anyOf": [{ "required": ["http"] }, { "required": ["tcp"] }, { "required": ["run"] }],
        "dependencies": { "http": ["port"], "port": ["http"], "scheme": ["http"] },
    });
    // A port needs its number; who connects to it is told of the ports of a member.
    let port = |of: &Value| json!({ "additionalProperties": { "if": { "type": "object" }, "then": of } });
    let ports = port(&json!({ "required": ["port"] }));
    let plain = port(&json!({ "required": ["port"], "properties": { "for": { "const": "clients" } } }));
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
                "properties": { "ports": ports, "data": { "additionalProperties": {
                    "required": ["mount"],
                    "oneOf": [{ "required": ["host"] }, { "required": ["volume"] }],
                    "properties": { "volume": { "required": ["backend", "size"] } },
                } } },
            },
            "stop": { "properties": { "before": { "required": ["run", "within"] } } },
            "health": {
                "dependencies": { "http": ["port"], "port": ["http"], "scheme": ["http"], "start": ["live"] },
                "properties": { "ready": check, "live": check },
            },
            "helpers": { "additionalProperties": { "required": ["image"], "properties": { "ports": plain } } },
            "external": {
                "required": ["ports"],
                "anyOf": [
                    { "required": ["address"] },
                    { "required": ["at"], "properties": { "at": { "minProperties": 1 } } },
                ],
                "properties": { "ports": { "allOf": [{ "minProperties": 1 }, plain] } },
            },
            "targets": { "properties": {
                "fleet": { "properties": { "pin": pin } },
                "swarm": { "properties": { "pin": pin } },
            } },
        },
    })
}
