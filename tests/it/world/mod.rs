//! The readers of files of any origin.

mod claims;
mod ephemeral;
mod fleet;
mod kubernetes;
pub mod swarm;
