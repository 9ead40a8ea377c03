//! Plans Docker Swarm stack files: one per member, or one per revision of a `per: node` service.
//!
//! `docker stack deploy` updates the services of one file together, and `update_config` orders only
//! the tasks of one service. So members that must not stop together have separate files.

mod carried;
mod constraint;
mod dns_cycles;
mod faults;
mod gaps;
mod member;
mod names;
pub(super) mod naming;
mod raw;
mod service;
mod stack;
mod storage;

use std::collections::{BTreeMap, BTreeSet};

use super::scope;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::emit::Page;
use crate::model::{File, Service};
use crate::plan::context::{Accepted, Context};
use crate::route;
use crate::target::Target;
pub use dns_cycles::{AwaitsNames, DnsCycles};
use member::Maker;
pub use names::{clashes, names};
/// Whether raw constraints decide where members run.
pub use raw::constrains;
use service::SwarmService;
use stack::Stack;
pub use storage::Volume;

/// Returns the volumes of member `id`, as in its stack file.
pub fn volumes(service: &Service, id: Option<u32>) -> Vec<Volume> {
    SwarmService::of(service).map_or_else(Vec::new, |subject| storage::volumes(subject, id))
}

/// Plans the group of `context` and returns the files to render.
pub fn pages(context: &mut Context<'_>, hidden: &DnsCycles) -> Vec<Page> {
    let subjects = context.group.iter().filter_map(|s| SwarmService::of(s));
    let subjects: Vec<SwarmService<'_>> =
        subjects.map(|s| SwarmService { cycle: hidden.cycle(&s.service.name), ..s }).collect();
    one_lock(context, &subjects);
    let mut pages = Vec::new();
    for subject in subjects {
        let plan = plan(context, subject);
        gaps::judge(context, subject);
        scope::people(context, &naming::Names, subject.service, subject.workload);
        let folder = format!("{}/swarm", subject.service.name);
        for stack in &plan.stacks {
            pages.push(Page::new(format!("{folder}/{}", stack.file), "swarm/stack.yml.j2", stack));
        }
        for (path, text) in plan.files {
            pages.push(Page::verbatim(format!("{folder}/{path}"), text));
        }
    }
    pages
}

/// The plan of one spec.
struct Plan {
    /// The stack files.
    stacks: Vec<Stack>,
    /// The texts of the files that the stack files name, by path.
    files: BTreeMap<String, String>,
}

/// Plans the stack files of one spec.
fn plan(context: &mut Context<'_>, subject: SwarmService<'_>) -> Plan {
    faults::report(context, subject);
    storage::check(context, subject);
    let added = raw::read(context, subject);
    let shared = subject.ids().len() > 1 || context.group.len() > 1;
    let differ = subject.workload.files.iter().any(File::names_member);
    let (mut stacks, mut files, mut configs) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (index, id) in subject.ids().into_iter().enumerate() {
        let maker = Maker::new(subject, id, index == 0);
        // Files that name no member are the same for all.
        if differ || index == 0 {
            configs = carried::configs(context, subject, id);
            let on_disk = configs.iter().map(|config| &config.on_disk);
            files.extend(on_disk.map(|file| (file.path.clone(), file.text.clone())));
        }
        let mut member = maker.member(context, &configs);
        raw::apply(&added, &mut member);
        let mut services = vec![member];
        services.extend(subject.workload.helpers.iter().map(|h| maker.helper(context, h)));
        let networks: BTreeSet<String> = services.iter().flat_map(|s| s.networks.clone()).collect();
        stacks.push(Stack {
            origin: subject.service.file.clone(),
            accepted: Accepted::of(subject.service, Target::Swarm),
            file: format!("{}.yml", subject.name(id)),
            name: subject.service.name.clone(),
            shared,
            version: Stack::format(&services),
            networks: networks.into_iter().collect(),
            volumes: storage::volumes(subject, id),
            configs: configs.iter().map(|c| c.carried.clone()).collect(),
            secrets: carried::secrets(subject),
            services,
        });
    }
    faults::too_long(context, subject, &stacks);
    carried::check_secrets(context, subject);
    Plan { stacks, files }
}

/// Reports revisions without a common lock. When the label of a node changes from one revision to
/// the other, Swarm starts the new task at once, and only a common port makes it wait for the old
/// one.
fn one_lock(context: &mut Context<'_>, subjects: &[SwarmService<'_>]) {
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
                .why("when the label of a node changes, both run until the old one has stopped"),
            );
        }
    }
}
