//! The clients of a service on Kubernetes, as written.

use std::borrow::Cow;
use std::fmt;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::allowed::{LABEL, LABEL_KEY, LABEL_VALUE, NAMESPACE, map};
use super::de::rest_of_map;

/// A client: the name of a service, or `{ namespace, pods }`, or `{ cidr }`.
#[derive(Debug, Clone)]
pub enum ClientSpec {
    /// The name of a service of berthc.
    Service(String),
    /// Pods or addresses.
    Others(ClientTable),
}

/// Pods that are no service of berthc, or addresses.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientTable {
    /// The namespace of the pods; without it, that of the service.
    ///
    /// - Kubernetes: `namespaceSelector` of the label `kubernetes.io/metadata.name`.
    #[schemars(pattern(NAMESPACE), length(max = 63), extend("examples" = ["monitoring"]))]
    pub namespace: Option<String>,
    /// The labels of the pods; without them, all pods of the namespace.
    ///
    /// - Kubernetes: `podSelector`.
    #[schemars(transform = map(LABEL_KEY, LABEL_VALUE), extend("examples" = [{ "app": "shop" }]))]
    pub pods: Option<IndexMap<String, String>>,
    /// Addresses outside the network of the pods: those of nodes, for pods on the network of their node,
    /// or of other machines.
    ///
    /// - Kubernetes: `ipBlock`.
    #[schemars(extend("examples" = ["10.0.0.0/24"]))]
    pub cidr: Option<String>,
}

impl<'de> Deserialize<'de> for ClientSpec {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = ClientSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a service, { namespace, pods } or { cidr }")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<ClientSpec, E> {
                Ok(ClientSpec::Service(name.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ClientSpec, A::Error> {
                rest_of_map(map).map(ClientSpec::Others)
            }
        }
        d.deserialize_any(V)
    }
}

impl JsonSchema for ClientSpec {
    fn schema_name() -> Cow<'static, str> {
        "Client".into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let table = g.subschema_for::<ClientTable>();
        json_schema!({
            "description": "The name of a service, `{ namespace, pods }` or `{ cidr }`.",
            "anyOf": [{ "type": "string", "pattern": LABEL }, table],
        })
    }
}
