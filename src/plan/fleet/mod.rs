//! Plans CoreOS fleet units that run `docker run` in the foreground. A counted service has one unit
//! per member. It does not use a unit template, because a template in the registry takes precedence
//! over an edited one (`fleetctl.go`). A `per: node` service has one global unit per revision.
//!
//! fleet schedules by desired state and does not wait for the old unit. So a second container must
//! be kept out by something that it cannot get: the name of the container, a bound port, or an
//! attached volume.

mod container;
mod gaps;
mod maker;
mod names;
pub(super) mod naming;
mod raw;
mod schedule;
mod shell;
mod storage;
mod units;

use super::scope;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::emit::Page;
use crate::model::{Service, Workload};
use crate::plan::context::Context;
use crate::route;
pub use container::secrets_of;
use maker::Maker;
pub use names::of_path as container_of;
pub use names::{clashes, member as member_name, names, unit as unit_name, volume as volume_name};

/// Plans the group of `context` and returns the files to render.
pub fn pages(context: &mut Context<'_>) -> Vec<Page> {
    let mut pages = Vec::new();
    for service in context.group {
        let Some(w) = service.workload() else { continue };
        faults(context, service, w);
        gaps::judge(context, service, w);
        scope::people(context, &naming::Addresses, service, w);
        let ids: Vec<Option<u32>> = if w.per_node() { vec![None] } else { w.ids().map(Some).collect() };
        for id in ids {
            let mut maker = Maker::new(context, service, id);
            let member = units::member(&mut maker, w);
            let path = |unit: &str| format!("{}/fleet/{unit}", service.name);
            pages.push(Page::new(path(&member.unit.name), "fleet/member.service.j2", &member));
            for helper in &w.helpers {
                let beside = units::helper(&mut maker, w, helper);
                pages.push(Page::new(path(&beside.unit.name), "fleet/helper.service.j2", &beside));
            }
        }
    }
    pages
}

/// Reports what no unit can do.
fn faults(context: &mut Context<'_>, service: &Service, w: &Workload) {
    let mut all = storage::faults(service, w);
    all.extend(schedule::faults(service, w));
    if w.per_node() && service.revision.is_none() {
        all.push(
            Diagnostic::error(
                Code::RevisionMissing,
                service.place(&route!["service"]),
                "on fleet a `per: node` service needs a revision",
            )
            .why("fleet restarts a changed global unit on all machines at once; a new revision moves machine by machine")
            .fix("name the first revision", "revision: v1"),
        );
    }
    if w.per_node() && w.data.is_empty() && service.name.len() < 2 {
        // The container of such a member has the name of the service (docker `daemon/names`).
        let message = "the containers would have this name, but docker refuses names of one character";
        all.push(Diagnostic::error(Code::BadName, service.place(&route!["service"]), message));
    }
    if w.writer && naming::pin(service, w).is_none() {
        all.push(
            Diagnostic::error(
                Code::WriterFloats,
                service.key(&route!["exclusive", "writer"]),
                "the writer has no pin, and nothing on fleet prevents a second one",
            )
            .why("an unreachable machine keeps running its units, and fleet starts them elsewhere after 30 s")
            .fix(
                "pin it to a machine on fleet, and accept fleet/writer/relabel",
                format!("targets: {{ fleet: {{ pin: {} }} }}", service.name),
            ),
        );
    }
    all.into_iter().for_each(|d| context.fault(d));
}
