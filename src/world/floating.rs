//! Reports images without a version whose software keeps data: each start may pull another one.

use super::mount::Source;
use super::workload::{Kind, Member, World};
use crate::finding::{Finding, Level, codes};
use crate::images::{By, Floats};

/// Adds a note for each workload of `world` with durable data whose image has no version.
pub fn judge(world: &mut World) {
    let durable = |m: &Member| m.mounts.iter().any(|mount| mount.source != Source::Ephemeral);
    for workload in world.workloads.iter().filter(|w| w.kind != Kind::Job) {
        let known = workload.software.as_ref().is_some_and(|s| matches!(s.by, By::Image | By::Name));
        let Some((floats, at)) = workload.floats.as_ref().filter(|_| known) else { continue };
        if !workload.members.iter().any(durable) {
            continue;
        }
        let (name, image) = (&workload.name, &workload.image);
        let how = match floats {
            Floats::Untagged => format!("the image {image} has no tag"),
            Floats::Tag(tag) => format!("the tag `{tag}` of {image} names no version"),
        };
        let message = format!("{how}: the next pull may bring a version that cannot read the data of {name}");
        let fix = format!("{image}:VERSION, with the version that wrote this data");
        world.findings.push(Finding::new(codes::TAG_FLOATS, Level::Note, message, vec![at.clone()], fix));
    }
}
