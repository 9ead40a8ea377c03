//! The names and addresses of members.

use crate::model::{Service, Workload};
use crate::plan::scope::{Naming, no_address};
use crate::target::Target;
use crate::value::{Fault, Part, Run};

/// The names on Kubernetes.
pub struct Names;

/// Returns the addresses of the pin, which are those of the members if these use the node's
/// network.
fn table(w: &Workload) -> Option<&std::collections::BTreeMap<u32, String>> {
    w.pin().filter(|pin| w.node_network && !pin.at.is_empty()).map(|pin| &pin.at)
}

/// Returns the part of a member's address after its name: its headless Service and its namespace.
/// The cluster domain is unknown and not needed, because the search list of the pod resolves `svc`.
fn suffix(service: &str, namespace: &str) -> String {
    format!(".{service}.{namespace}.svc")
}

/// Returns the name of the client Service of the service `name`.
pub fn client(name: &str) -> String {
    format!("{name}-client")
}

/// Returns the name of the claim that a StatefulSet makes from the template `data` for member `id`
/// (kubernetes `pkg/controller/statefulset/stateful_set_utils.go`, `getPersistentVolumeClaimName`).
pub fn claim(data: &str, service: &str, id: u32) -> String {
    format!("{data}-{service}-{id}")
}

/// Returns the address of the member itself, which only the running pod knows: built from its name,
/// or from a field of the pod (`Run::Address`, see [`address_field`]).
pub fn own_address(service: &str, namespace: &str, w: &Workload) -> Vec<Part> {
    if w.per_node() || table(w).is_some() {
        return vec![Part::Run(Run::Address)];
    }
    vec![Part::Run(Run::Name), Part::Literal(suffix(service, namespace))]
}

/// Returns the field of the pod that holds its address.
pub fn address_field(w: &Workload) -> &'static str {
    if w.node_network { "status.hostIP" } else { "status.podIP" }
}

impl Naming for Names {
    fn target(&self) -> Target {
        Target::Kubernetes
    }

    fn address(&self, _from: &Service, of: &Service, id: u32) -> Result<String, Fault> {
        let line = "targets: { kubernetes: { version: \"1.34\", namespace: db } }";
        let unknown = || no_address(of, id, Target::Kubernetes, line);
        let settings = of.targets.kubernetes.as_ref().ok_or_else(unknown)?;
        if let Some(at) = of.workload().and_then(table) {
            return at.get(&id).cloned().ok_or_else(unknown);
        }
        Ok(format!("{}-{id}{}", of.name, suffix(&of.name, &settings.namespace)))
    }
}
