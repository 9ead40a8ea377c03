//! Tests the readers of files from any source.

mod claims;
mod ephemeral;
mod fleet;
mod kubernetes;
pub mod swarm;
