//! What is planned for each orchestrator, read back from the emitted text.

mod fleet;
mod kubernetes;
mod swarm;
