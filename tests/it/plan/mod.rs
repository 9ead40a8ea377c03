//! Tests the plan of each orchestrator, read back from the emitted text.

mod fleet;
mod kubernetes;
mod swarm;
