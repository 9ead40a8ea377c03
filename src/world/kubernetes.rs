//! Stands in until its reader is merged.
use super::{File, World};
/// Reads.
pub fn read(_: &[File<'_>]) -> World {
    World::default()
}
