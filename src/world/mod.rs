//! The World: what files say that an orchestrator is to do, whoever wrote them.
//!
//! A reader for each orchestrator makes it from text alone; it knows nothing of any plan, and
//! what it does not understand it lists. The explorer searches its behaviour.

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
    Apart, File, Inspect, Kind, Member, Missing, Mount, Order, PersistentVolume, Port, Rolling, Selector,
    Source, Term, Toleration, Update, Volume, Want, Whom, Workload, World,
};
pub use worlds::{Read, Worlds};

/// Reads the files of one orchestrator, all of which may run beside each other.
pub fn read(target: Target, files: &[File<'_>], images: &Images) -> World {
    let mut world = match target {
        Target::Kubernetes => kubernetes::read(files, images),
        Target::Fleet => fleet::read(files, images),
        Target::Swarm => swarm::read(files, images),
    };
    relate::settle(&mut world);
    world
}
