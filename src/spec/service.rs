//! The blocks `external` and `accept`, as written.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::allowed::{ADDRESS, GAP, REASON, addresses, ports};
use super::parts::Id;
use super::ports::PortSpec;

/// A service that already runs elsewhere.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExternalSpec {
    /// A DNS name or an IP address.
    ///
    /// - Kubernetes: a Service without selector, with an EndpointSlice for an IP address and `ExternalName`
    ///   for a DNS name.
    /// - fleet and Swarm: the address in values of other specs.
    #[schemars(pattern(ADDRESS), extend("examples" = ["db.example.com", "10.0.0.7"]))]
    pub address: Option<String>,
    /// The addresses of its members by id, if it has several.
    ///
    /// - Every target: the addresses that `peers(…)` of other specs lists.
    #[schemars(transform = addresses, extend("examples" = [{ "1": "10.0.0.7" }]))]
    pub at: Option<IndexMap<Id, String>>,
    /// The ports, by name.
    #[schemars(transform = ports, extend("examples" = [{ "client": 5432 }]))]
    pub ports: Option<IndexMap<String, PortSpec>>,
}

/// A gap that you accept.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["gap", "because"]))]
pub struct AcceptSpec {
    /// The name of the gap: TARGET/RESOURCE/HAZARD or TARGET/FIELD.PATH.
    ///
    /// - Every target: a comment at the top of the file, and a line in certificate.md.
    #[schemars(pattern(GAP), extend("examples" = ["swarm/data/partition", "swarm/health.live"]))]
    pub gap: Option<String>,
    /// The reason. A waiver without a reason is an error.
    ///
    /// - Every target: the reason in that comment and in certificate.md.
    #[schemars(pattern(REASON), extend("examples" = ["an alert on unhealthy containers calls a person"]))]
    pub because: Option<String>,
}
