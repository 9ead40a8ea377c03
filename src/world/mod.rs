//! The World: what files tell an orchestrator to do, whoever wrote them.
//!
//! One reader per orchestrator makes it from text alone, without access to any plan. A reader lists
//! what it does not understand. The explorer searches the behaviour of a World.

mod accepts;
mod checks;
pub mod data_mounts;
mod ends;
mod file;
pub mod fleet;
mod floating;
mod forming;
mod found;
mod known;
pub mod kubernetes;
pub mod lock;
mod mount;
mod never;
pub mod path;
mod placement;
pub mod pod_security;
mod relate;
mod resembling;
mod seeds;
pub mod swarm;
mod unread;
mod workload;
mod worlds;

pub use crate::finding::At;
use crate::target::Target;
pub use accepts::{Block, Page};
pub use file::File;
pub use known::{Known, Runner};
pub use mount::{Missing, Mount, Source, Volume};
pub use placement::{Apart, Selector, Term, Want, Whom};
pub use unread::{Unread, UnreadKind};
pub use workload::{
    Forgets, Inspect, Kind, Member, Order, PersistentVolume, Port, Rolling, Toleration, Update, Workload,
    World,
};
pub use worlds::{Read, Worlds};

/// Reads the files of one orchestrator. All of them may run in one cluster.
pub fn read(target: Target, files: &[File<'_>], known: Known<'_>) -> World {
    let images = known.images;
    let mut world = match target {
        Target::Kubernetes => kubernetes::read(files, images, known.quiet),
        Target::Fleet => fleet::read(files, images),
        Target::Swarm => swarm::read(files, images, known.runner),
    };
    relate::relate_all(&mut world);
    resembling::judge(&mut world);
    floating::judge(&mut world);
    world
}
