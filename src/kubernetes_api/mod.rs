//! The types of the Kubernetes API, and the fields that its server drops.
//!
//! `types.txt` has the types of Kubernetes 1.37, one per line, from the OpenAPI document of the
//! API server (the strict schemas of kubernetes-validate 1.37.0): `s` is text, `i` a whole number,
//! `b` a boolean, `n` a number, `~` text or a number, `*` anything, `[T]` a list, `{T}` a map.

mod gates;

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

pub use gates::{GATES, Gated, dropped, gate};

/// The fields of a type, each with the name of its own type.
pub type Fields = FxHashMap<&'static str, &'static str>;

/// The types by name.
pub static TYPES: LazyLock<FxHashMap<&str, Fields>> = LazyLock::new(|| {
    let lines = include_str!("types.txt").lines().filter_map(|line| line.split_once(": "));
    lines
        .map(|(name, fields)| (name, fields.split(' ').filter_map(|f| f.split_once('=')).collect()))
        .collect()
});

/// Returns the type of the items of a list.
#[must_use]
pub fn item(of: &str) -> Option<&str> {
    of.strip_prefix('[')?.strip_suffix(']')
}

/// Returns the type of the values of a map with any keys.
#[must_use]
pub fn entry(of: &str) -> Option<&str> {
    of.strip_prefix('{')?.strip_suffix('}')
}
