//! Tests the readers of files from any source.

mod data_mounts;
mod ephemeral;
mod fleet;
mod kubernetes;
pub mod swarm;
