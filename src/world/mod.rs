//! The World: what files tell an orchestrator to do, whoever wrote them.
//!
//! One reader per orchestrator makes it from text alone, without access to any plan. A reader lists
//! what it does not understand. The explorer searches the behaviour of a World.

pub mod claims;
pub mod fleet;
mod found;
pub mod kubernetes;
pub mod lock;
pub mod path;
mod relate;
pub mod swarm;
mod unread;
mod workload;
mod worlds;

pub use crate::finding::At;
use crate::images::Images;
use crate::target::Target;
pub use unread::{Unread, UnreadKind};
pub use workload::{
    Apart, File, Forgets, Inspect, Kind, Member, Missing, Mount, Order, PersistentVolume, Port, Rolling,
    Selector, Source, Term, Toleration, Update, Volume, Want, Whom, Workload, World,
};
pub use worlds::{Read, Worlds};

/// Reads the files of one orchestrator. All of them may run in one cluster.
pub fn read(target: Target, files: &[File<'_>], images: &Images) -> World {
    let mut world = match target {
        Target::Kubernetes => kubernetes::read(files, images),
        Target::Fleet => fleet::read(files, images),
        Target::Swarm => swarm::read(files, images),
    };
    relate::settle(&mut world);
    world
}
