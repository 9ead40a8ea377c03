//! The ports of a container, as written.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::de::rest_of_map;

/// A port: `client: 5432`, or `client: { port: 5432, protocol: tcp, for: clients }`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PortSpec {
    /// The number.
    pub port: Option<u16>,
    /// The protocol.
    pub protocol: Protocol,
    /// Who connects to it.
    pub users: Users,
}

/// The long form of a port.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct PortTable {
    /// The number.
    ///
    /// - Kubernetes: `containerPort`, and `port` of the Services; with `address: node` also `hostPort`.
    /// - fleet: `-p`, so that docker gives the port of the machine to one container.
    /// - Swarm: `published`, if it is the lock of the node or with `address: node`.
    #[schemars(range(min = 1), extend("examples" = [8600]))]
    port: Option<u16>,
    /// The protocol. A port of TCP and a port of UDP with one number are two ports.
    ///
    /// - Kubernetes: `protocol`. If two ports of one Service have one number, apply changes of them with
    ///   `kubectl apply --server-side`: without it, kubectl keeps only one of the two.
    /// - fleet: the end of `-p`.
    /// - Swarm: `protocol`.
    #[schemars(extend("default" = "tcp", "examples" = ["udp"]))]
    protocol: Option<Protocol>,
    /// Who connects to the port. It is exclusive in any case. Only a port under `exclusive` has it.
    ///
    /// - Kubernetes: the Service `SERVICE-client` has the ports for `clients`. The Service with the names
    ///   of the members also has those for `peers`. No Service has those for `node`.
    /// - fleet: a port for `node` is published on 127.0.0.1 only, the others on all addresses.
    /// - Swarm: the first TCP port for `clients` locks the node, before those for others.
    #[schemars(extend("default" = "clients", "examples" = ["peers"]))]
    r#for: Option<Users>,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

impl Protocol {
    /// Returns the name in a spec, on fleet and on Swarm.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Who connects to a port.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Users {
    /// Everyone.
    #[default]
    Clients,
    /// Other members, and services that name this one.
    Peers,
    /// Programs on the node of the member.
    Node,
}

impl<'de> Deserialize<'de> for PortSpec {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = PortSpec;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or { port, protocol, for }")
            }
            fn visit_i64<E: Error>(self, port: i64) -> Result<PortSpec, E> {
                let port = u16::try_from(port)
                    .map_err(|_| E::custom(format!("`{port}` is not between 0 and 65535")))?;
                Ok(PortSpec { port: Some(port), ..PortSpec::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PortSpec, A::Error> {
                let PortTable { port, protocol, r#for } = rest_of_map(map)?;
                let (protocol, users) = (protocol.unwrap_or_default(), r#for.unwrap_or_default());
                Ok(PortSpec { port, protocol, users })
            }
        }
        d.deserialize_any(V)
    }
}

impl JsonSchema for PortSpec {
    fn schema_name() -> Cow<'static, str> {
        "Port".into()
    }
    fn json_schema(g: &mut SchemaGenerator) -> Schema {
        let table = g.subschema_for::<PortTable>();
        json_schema!({
            "description": "A number, or `{ port: N, protocol: udp, for: peers }`.",
            "anyOf": [{ "type": "integer", "minimum": 1, "maximum": u16::MAX }, table],
        })
    }
}
