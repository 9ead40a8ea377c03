//! Emitted text read back: trees of YAML documents and systemd units, each value with its line.
//! The readers know nothing of any plan.

pub mod unit;
pub mod yaml;
