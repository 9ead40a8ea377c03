//! Everything that is tested from outside, in one crate.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests read, write and fail loudly"
)]

mod bad;
mod certificate;
mod change;
mod check;
mod cli;
mod duties;
mod explain;
mod explore;
mod fleet;
mod fleet_target;
mod found;
mod golden;
mod harness;
mod hostile;
mod known;
mod kubernetes;
mod layering;
mod layers;
mod output;
mod pipeline;
mod readme;
mod schema;
mod split;
mod swarm;
mod values;
mod verify;
mod world;
mod world_claims;
mod world_fleet;
mod world_kubernetes;
mod world_scale;
mod world_swarm;
mod world_yaml;
