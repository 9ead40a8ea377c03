//! All tests through the public interface, in one crate.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests read, write and fail loudly"
)]

mod cases;
mod certificate;
mod change;
mod cli;
mod compile;
mod emit;
mod explain;
mod explore;
mod harness;
#[path = "../../benches/hostile/mod.rs"]
mod hostile;
mod images;
mod imports;
mod judges;
mod plan;
mod readme;
mod sizes;
mod spec;
mod text;
mod value;
mod verify;
mod walk_through;
mod world;
