//! Reports what Kubernetes cannot express of a spec.
//!
//! There is no gap `kubernetes/RESOURCE/HAZARD`. A StatefulSet waits until the pod object of a
//! member is gone, also in a partition, and anti-affinity makes the pods of a DaemonSet wait for
//! one another. Only a forced deletion breaks this, and that is a duty of the operator, never a
//! gap.

use crate::gap::{Gap, GapId};
use crate::model::{Service, Workload};
use crate::plan::context::Context;
use crate::route;
use crate::target::Target;

/// Reports the gaps of the workload `w` of `service`.
pub fn report(context: &mut Context<'_>, service: &Service, w: &Workload) {
    if !w.ulimits.is_empty() {
        context.gap(service, ulimits(service));
    }
    if w.stop.signal.is_some() {
        context.gap(service, signal(service));
    }
}

fn ulimits(service: &Service) -> Gap {
    Gap::new(
        GapId::field(Target::Kubernetes, "ulimits"),
        service.key(&route!["ulimits"]),
        "Kubernetes cannot set ulimits",
        "the container gets the ulimits of the container runtime on its node",
    )
}

/// `lifecycle.stopSignal` (KEP-4960, feature gate `ContainerStopSignals`) is off by default in
/// every version up to 1.37. The API server would drop it silently.
fn signal(service: &Service) -> Gap {
    Gap::new(
        GapId::field(Target::Kubernetes, "stop.signal"),
        service.place(&route!["stop", "signal"]),
        "Kubernetes cannot change the stop signal: it sends the one of the image, or SIGTERM",
        "`lifecycle.stopSignal` is off by default in every version up to 1.37",
    )
    .fix("remove it if it is the STOPSIGNAL of the image, which every target sends anyway", "")
}
