//! Reads stack files as Docker Swarm runs them: `docker stack deploy -c FILE STACK`.
//!
//! A file with keys of docker compose and none of Swarm is one of a single machine (`machine.rs`). The
//! source for the command is docker/cli (`cli/compose`), the source for the scheduler is swarmkit.

mod among;
mod commands;
mod ephemeral;
mod free;
mod identity;
mod interpolate;
mod machine;
mod mode;
mod network;
mod never;
mod overlay;
mod page;
mod placement;
mod refers;
mod rules;
mod service;
mod short;
mod starts;
mod storage;
mod template;

use self::commands::Names;
use self::overlay::Bases;
use self::page::Page;
use super::found::Found;
use super::known::Runner;
use super::{At, File, World, accepts};
use crate::finding::{Level, codes};
use crate::images::Images;
use crate::text::yaml::{Document, Parsed, Value};

/// Reads the stack files of one swarm. The services of a file belong to one stack.
///
/// Time and memory are bounded by the size of the files.
pub fn read(files: &[File<'_>], images: &Images, runner: Runner) -> World {
    let mut found = Found::default();
    let mut stacks = Vec::new();
    let read: Vec<Parsed<'_>> = files.iter().map(accepts::parse).collect();
    let roots = || read.iter().map(|parsed| parsed.documents.first().map(Document::root));
    let bases = overlay::bases(files.iter().zip(roots()).filter_map(|(file, root)| Some((file.path, root?))));
    let names = Names::new(roots().flatten());
    let mut taken = network::published(roots().flatten());
    for (file, parsed) in files.iter().zip(&read) {
        if accepts::is_marked(file) {
            found.pages.insert(file.path.into(), accepts::Page::of_stack(file, parsed));
        }
        let Parsed { documents, faults, .. } = parsed;
        if faults.iter().any(|f| f.fatal) {
            found.lost.push(file.path.to_owned());
        }
        for fault in faults {
            let at = At { file: file.path.into(), line: fault.line.max(1), field: String::new() };
            found.malformed(at, &fault.message);
        }
        let mut documents = documents.iter();
        let Some(document) = documents.next() else { continue };
        let mut page = Page::new(file, files.len() > 1, document.root(), images, &mut found);
        page.taken = std::mem::take(&mut taken);
        if let Some((value, key)) = machine::sign(file.path, file.text, &page.root, runner) {
            page.machine = true;
            page.unread(&value, machine::told(&key));
        }
        for further in documents {
            page.found(
                (codes::IGNORED, Level::Note),
                &[&further.root()],
                "docker reads the first document of a file and no other",
                "write a file for each",
            );
        }
        stacks.push(stack(&mut page, &bases, &names));
        taken = page.taken;
    }
    among::check(&stacks, &mut found);
    found.world(stacks.into_iter().flatten().map(|service| service.workload).collect())
}

/// Reads the services of one file.
fn stack(page: &mut Page<'_, '_>, bases: &Bases<'_>, names: &Names) -> Vec<service::Service> {
    let root = page.root;
    let Some(services) = root.get("services") else {
        page.unread(&root, "no `services`: treated as a file without services");
        return Vec::new();
    };
    rules::file(page);
    starts::fixed(page);
    commands::seek(page, &services.entries(), names);
    let mut all = Vec::new();
    for (name, value) in services.entries() {
        if overlay::is_left_out(page, name, &value, bases) {
            continue;
        }
        all.extend(if is_service(&value) {
            service::read(page, name, &value)
        } else {
            page.unread(&value, format!("{name} is not a map: ignored"));
            None
        });
    }
    if page.machine {
        machine::order(&services.entries(), &mut all);
    }
    let workloads: Vec<_> = all.iter().map(|service| &service.workload).collect();
    commands::form(page, &services.entries(), &workloads);
    all
}

fn is_service(value: &Value<'_>) -> bool {
    !value.entries().is_empty()
}
