//! Blocks of the spec with a short and a long form.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::allowed::{ID, LABEL, LABEL_KEY, addresses, partial, text};
use super::de::rest_of_map;

/// A text that may hold expressions: `{{ member.id }}`, `{{ ports.client }}`, `{{ peers('other') |
/// join(',') }}`, `{{ secret('x').path }}`.
pub type Value = String;

/// The id of a member as a key: `1` in YAML, `"1"` or `1` in TOML, never `01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        match text.parse::<u32>() {
            Ok(id) if id.to_string() == text => Ok(Self(id)),
            _ => Err(D::Error::custom(format!(
                "`{text}` is not an id: write a whole number without leading zeros"
            ))),
        }
    }
}

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": ID, "description": "The id of a member." })
    }
}

/// A pin: `pin: LABEL`, or `pin: { label: LABEL, at: { id: address } }`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The node label (on fleet: metadata). Its value is the id of the member.
    pub label: Option<String>,
    /// The addresses of the nodes, by member id.
    pub at: Option<IndexMap<Id, String>>,
}

/// The long form of a pin.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PinTable {
    /// The node label (on fleet: metadata). Its value is the id of the member.
    ///
    /// - Every target: the same as `pin: LABEL`.
    #[schemars(pattern(LABEL_KEY), extend("examples" = ["orders-db"]))]
    pub label: Option<String>,
    /// The addresses of the nodes, by member id.
    ///
    /// - Every target: the addresses of the members in values, if their nodes are what others connect to.
    #[schemars(transform = addresses, extend("examples" = [{ "0": "10.0.0.31" }]))]
    pub at: Option<IndexMap<Id, String>>,
}

impl<'de> Deserialize<'de> for Pin {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Pin;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a label or { label, at }")
            }
            fn visit_str<E: Error>(self, label: &str) -> Result<Pin, E> {
                Ok(Pin { label: Some(label.to_owned()), at: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Pin, A::Error> {
                let PinTable { label, at } = rest_of_map(map)?;
                Ok(Pin { label, at })
            }
        }
        d.deserialize_any(V)
    }
}

impl JsonSchema for Pin {
    fn schema_name() -> Cow<'static, str> {
        "Pin".into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let table = g.subschema_for::<PinTable>();
        json_schema!({
            "description": "`LABEL`, or `{ label: LABEL, at: { ID: ADDRESS } }`.",
            "anyOf": [text(LABEL_KEY), table],
        })
    }
}

/// An id space: `id: true`, or a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdSpace {
    /// Ids are unique in the service. `false` means that `id` is not set.
    Own(bool),
    /// Ids are unique across all services with this name.
    Shared(String),
}

impl<'de> Deserialize<'de> for IdSpace {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = IdSpace;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true or the name of an id space")
            }
            fn visit_bool<E: Error>(self, own: bool) -> Result<IdSpace, E> {
                Ok(IdSpace::Own(own))
            }
            fn visit_str<E: Error>(self, space: &str) -> Result<IdSpace, E> {
                Ok(IdSpace::Shared(space.to_owned()))
            }
        }
        d.deserialize_any(V)
    }
}

impl JsonSchema for IdSpace {
    fn schema_name() -> Cow<'static, str> {
        "IdSpace".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "`true`, or the name of an id space that several services share.",
            "anyOf": [{ "type": "boolean" }, { "type": "string", "pattern": LABEL, "maxLength": 63 }],
        })
    }
}

/// A ulimit: `nofile: 65536`, or `nofile: { soft: 1024, hard: 65536 }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The limit at the start of the process.
    pub soft: u64,
    /// The highest limit that the process can set itself.
    pub hard: u64,
}

/// The long form of a limit.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = partial)]
struct LimitTable {
    /// The limit at the start of the process.
    ///
    /// - Kubernetes: nothing.
    /// - fleet: the first number of `--ulimit`.
    /// - Swarm: `soft`.
    #[schemars(extend("examples" = [1024]))]
    soft: u64,
    /// The highest limit that the process can set itself.
    ///
    /// - Kubernetes: nothing.
    /// - fleet: the second number of `--ulimit`.
    /// - Swarm: `hard`.
    #[schemars(extend("examples" = [65536]))]
    hard: u64,
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Limit;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or { soft, hard }")
            }
            fn visit_i64<E: Error>(self, both: i64) -> Result<Limit, E> {
                let both = u64::try_from(both)
                    .map_err(|_| E::custom(format!("`{both}` is not a limit: it is below 0")))?;
                Ok(Limit { soft: both, hard: both })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Limit, A::Error> {
                let LimitTable { soft, hard } = rest_of_map(map)?;
                Ok(Limit { soft, hard })
            }
        }
        d.deserialize_any(V)
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let table = g.subschema_for::<LimitTable>();
        json_schema!({
            "description": "One number for both limits, or `{ soft: N, hard: N }`.",
            "anyOf": [{ "type": "integer", "minimum": 0, "maximum": i64::MAX }, table],
        })
    }
}

/// The value of a unit option, or a list of values if the option appears several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitOption(pub Vec<String>);

impl<'de> Deserialize<'de> for UnitOption {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = UnitOption;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a list of texts")
            }
            fn visit_str<E: Error>(self, one: &str) -> Result<UnitOption, E> {
                Ok(UnitOption(vec![one.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<UnitOption, A::Error> {
                let mut all = Vec::new();
                while let Some(one) = seq.next_element()? {
                    all.push(one);
                }
                Ok(UnitOption(all))
            }
        }
        d.deserialize_any(V)
    }
}

impl JsonSchema for UnitOption {
    fn schema_name() -> Cow<'static, str> {
        "UnitOption".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One value, or a list if the option appears several times.",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        })
    }
}
