//! What Kubernetes cannot express of a spec.
//!
//! There is no `kubernetes/RESOURCE/HAZARD`: a StatefulSet waits until a member's pod object is
//! gone, in a partition too, and a DaemonSet's pods wait for one another by anti-affinity; only
//! force breaks either, and force is a duty of the operator, never a gap.

use crate::gap::Gap;
use crate::model::{Service, Workload};
use crate::plan::context::Context;
use crate::route;

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
        "kubernetes/ulimits",
        service.key(&route!["ulimits"]),
        "Kubernetes sets no ulimits",
        "the container gets those of the container runtime on its node",
    )
}

/// `lifecycle.stopSignal` (KEP-4960, gate `ContainerStopSignals`) is off by default in every
/// version up to 1.37: the API server would drop it in silence.
fn signal(service: &Service) -> Gap {
    Gap::new(
        "kubernetes/stop.signal",
        service.place(&route!["stop", "signal"]),
        "Kubernetes sends the image's own stop signal, else SIGTERM",
        "`lifecycle.stopSignal` is off by default in every version up to 1.37",
    )
    .fix("leave it out if it is the image's own STOPSIGNAL: every target sends that one", "")
}
