//! Reports unknown images whose names contain the name of a store, where nothing durable is mounted.

use super::mount::Source;
use super::workload::{Kind, Member, World};
use crate::finding::{Finding, Level, codes};
use crate::images::Resembles;

/// Adds a note for each workload of `world` that may be such a store.
pub fn judge(world: &mut World) {
    let durable = |m: &Member| {
        let own = m.mounts.iter().any(|mount| mount.source != Source::Ephemeral);
        own || !m.looked_at.is_empty()
    };
    for workload in world.workloads.iter().filter(|w| w.kind != Kind::Job && w.software.is_none()) {
        let Some((Resembles { software, path }, at)) = &workload.resembles else { continue };
        if workload.members.is_empty() || workload.members.iter().any(durable) {
            continue;
        }
        let (name, image) = (&workload.name, &workload.image);
        let message = format!(
            "if {image} is {software}, the data of {name} is lost with its container: nothing durable is mounted at {path}"
        );
        let fix = format!(
            "a durable mount at {path}; if the image keeps nothing, in berthc.toml: image = [{{ id = \"{image}\", names = [\"{image}\"], software = \"{software}\", stateless = true }}]"
        );
        world.findings.push(Finding::new(codes::EPHEMERAL, Level::Note, message, vec![at.clone()], fix));
    }
}
