//! Formats without meaning: YAML, systemd units, durations, paths, globs, and quoting.

pub mod duration;
pub mod glob;
pub mod names;
pub mod nearest;
pub mod path;
pub mod quote;
pub mod unit;
pub mod units;
pub mod yaml;
