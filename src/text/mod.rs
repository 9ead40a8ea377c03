//! Formats, before any meaning: YAML, units, paths, globs, and how each is quoted.

pub mod glob;
pub mod path;
pub mod quote;
pub mod unit;
pub mod yaml;
