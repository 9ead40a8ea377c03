//! Fields of feature gates that are off by default.
//!
//! The API server drops such a field even under strict validation, without a warning (tried on 1.37.2;
//! the gates are in kubernetes `pkg/features/kube_features.go`).

use serde_json::Value;

use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::Service;
use crate::plan::context::Context;
use crate::spec::Raw;
use crate::spec::source::Route;

/// A field as a path, where `*` is every item of a list, and the gate that it needs.
type Gated = (&'static [&'static str], &'static str);

/// The gated fields of a pod.
pub const POD: &[Gated] = &[
    (&["evictionResponders"], "EvictionRequestAPI"),
    (&["schedulingGroup"], "GenericWorkload"),
    (&["volumes", "*", "emptyDir", "mode"], "EmptyDirVolumeMode"),
];

/// The gated fields of a container.
pub const CONTAINER: &[Gated] = &[
    (&["lifecycle", "stopSignal"], "ContainerStopSignals"),
    (&["livenessProbe", "grpc", "mode"], "GRPCContainerProbeTLS"),
    (&["livenessProbe", "httpGet", "protocol"], "H2CContainerProbe"),
    (&["readinessProbe", "grpc", "mode"], "GRPCContainerProbeTLS"),
    (&["readinessProbe", "httpGet", "protocol"], "H2CContainerProbe"),
    (&["startupProbe", "grpc", "mode"], "GRPCContainerProbeTLS"),
    (&["startupProbe", "httpGet", "protocol"], "H2CContainerProbe"),
    (&["volumeMounts", "*", "bindMountOptions"], "VolumeBindMountOptions"),
];

/// Reports the fields of `table` that `raw`, at the route `at`, has.
pub fn check(context: &mut Context<'_>, service: &Service, at: &Route, raw: &Raw, table: &[Gated]) {
    for (path, gate) in table {
        let Some((first, rest)) = path.split_first() else { continue };
        let Some(value) = raw.get(*first) else { continue };
        for route in ends(at.at(first), value, rest) {
            let place = service.key(&route);
            let field = route.steps().join(".");
            let message = format!("Kubernetes drops `{field}`: its feature gate {gate} is off by default");
            context.fault(
                Diagnostic::error(Code::UnknownKey, place, message)
                    .why("the API server accepts the object, and leaves the field out without a warning"),
            );
        }
    }
}

/// Returns the routes of the values at `path` below `value`.
fn ends(route: Route, value: &Value, path: &[&str]) -> Vec<Route> {
    let Some((first, rest)) = path.split_first() else { return vec![route] };
    match (value, *first) {
        (Value::Array(items), "*") => {
            items.iter().enumerate().flat_map(|(i, item)| ends(route.at(i), item, rest)).collect()
        }
        (Value::Object(map), key) => {
            map.get(key).into_iter().flat_map(|below| ends(route.at(key), below, rest)).collect()
        }
        _ => Vec::new(),
    }
}
