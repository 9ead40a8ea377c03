//! Docker Swarm: one stack file per member, one per revision of a `per: node` service.
//!
//! `docker stack deploy` updates the services of one file together and `update_config` orders
//! only the tasks of one service, so members that must not stop together stand in files of
//! their own.

mod carried;
mod gaps;
mod hatch;
mod hidden;
mod member;
mod names;
pub(super) mod naming;
mod plan;
mod storage;
mod subject;

use super::{Context, scope};
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::emit::Page;
use crate::model::Service;
use crate::route;
/// Whether raw constraints decide where members run.
pub use hatch::constrains;
pub use hidden::{Hidden, Waits};
pub use names::{clashes, names};
pub use storage::Volume;
use subject::Subject;

/// The templates of this target: name and text.
pub const TEMPLATES: &[(&str, &str)] =
    &[("swarm/stack.yml.j2", include_str!("../../../templates/swarm/stack.yml.j2"))];

/// The volumes of member `id`, as its stack file has them.
pub fn volumes(service: &Service, id: Option<u32>) -> Vec<Volume> {
    Subject::of(service).map_or_else(Vec::new, |subject| storage::volumes(subject, id))
}

/// Plans the group of `context` and says what to print where.
pub fn pages(context: &mut Context<'_>, hidden: &Hidden) -> Vec<Page> {
    let subjects = context.group.iter().filter_map(|s| Subject::of(s));
    let subjects: Vec<Subject<'_>> =
        subjects.map(|s| Subject { circle: hidden.circle(&s.service.name), ..s }).collect();
    one_lock(context, &subjects);
    let mut pages = Vec::new();
    for subject in subjects {
        let plan = plan::plan(context, subject);
        gaps::judge(context, subject);
        scope::people(context, &naming::Names, subject.service, subject.workload);
        let folder = format!("{}/swarm", subject.service.name);
        for stack in &plan.stacks {
            pages.push(Page::new(format!("{folder}/{}", stack.file), "swarm/stack.yml.j2", stack));
        }
        for file in plan.files {
            pages.push(Page::verbatim(format!("{folder}/{}", file.path), file.text));
        }
    }
    pages
}

/// Two revisions meet on a node when its label changes from one to the other: Swarm starts the
/// new task at once, and only a common port keeps it out until the old one has gone.
fn one_lock(context: &mut Context<'_>, subjects: &[Subject<'_>]) {
    let Some((first, rest)) = subjects.split_first() else { return };
    for other in rest {
        let (mine, theirs) = (first.published(), other.published());
        if mine != theirs && !mine.iter().any(|port| theirs.contains(port)) {
            let lock = route!["targets", "swarm", "lock"];
            context.fault(
                Diagnostic::error(
                    Code::RevisionsDiffer,
                    other.service.place(&lock),
                    format!("the revisions of `{}` differ in their lock on Swarm", other.service.name),
                )
                .related(first.service.place(&lock), "the other revision")
                .why("a node whose label changes runs both until the old one has stopped"),
            );
        }
    }
}
