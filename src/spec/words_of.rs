//! The items of `command` and `args`: a text, or a loop that makes several words.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::allowed::EACH;
use super::de::rest_of_map;
use super::parts::Value;

/// An item of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// One word.
    Text(Value),
    /// One word for each member of a list.
    Each(EachSpec),
}

/// One word for each member of a list.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["each", "arg"]))]
pub struct EachSpec {
    /// The list: `members` for all members of this service, `peers` for all but the member itself,
    /// `peers('NAME')` for the members of the service NAME. On Kubernetes all pods of a StatefulSet
    /// have one list of arguments, so `peers` is an error there: write the list into a file with
    /// `template: true`.
    ///
    /// - Kubernetes: one argument for each member of the list. `peers` is an error for a StatefulSet,
    ///   because all its pods have one list of arguments: use a file with `template: true`.
    /// - fleet and Swarm: one argument for each member of the list.
    #[schemars(pattern(EACH), extend("examples" = ["members", "peers('zookeeper')"]))]
    pub each: Option<String>,
    /// The word, in which `it` is one member of the list: `it.id`, `it.name`, `it.address`, `it.ports`.
    ///
    /// - Every target: the arguments, in the order of the ids.
    #[schemars(extend("examples" = ["--join={{ it.address }}:{{ ports.peer }}"]))]
    pub arg: Option<Value>,
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Word;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or { each, arg }")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Word, E> {
                Ok(Word::Text(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Word, A::Error> {
                rest_of_map(map).map(Word::Each)
            }
        }
        d.deserialize_any(V)
    }
}

impl JsonSchema for Word {
    fn schema_name() -> Cow<'static, str> {
        "Word".into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let each = g.subschema_for::<EachSpec>();
        json_schema!({
            "description": "One word, or `{ each: LIST, arg: WORD }`.",
            "anyOf": [{ "type": "string" }, each],
        })
    }
}
