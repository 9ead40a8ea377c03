//! The types of the Kubernetes API, and the fields that its server drops.
//!
//! `types.txt` has the types of Kubernetes 1.37, one per line, from the OpenAPI document of the
//! API server (the strict schemas of kubernetes-validate 1.37.0): `s` is text, `i` a whole number,
//! `b` a boolean, `n` a number, `~` text or a number, `*` anything, `[T]` a list, `{T}` a map.

mod gates;

use std::sync::{LazyLock, OnceLock};

use rustc_hash::FxHashMap;

pub use gates::{GATES, Gated, dropped, gate};

/// The fields of a type, each with the name of its own type.
pub type Fields = FxHashMap<&'static str, &'static str>;

/// The types by name, each with its line. The fields of a type are read when a file has one: a run needs few
/// types.
static TYPES: LazyLock<FxHashMap<&str, (&str, OnceLock<Fields>)>> = LazyLock::new(|| {
    let lines = include_str!("types.txt").lines().filter_map(|line| line.split_once(": "));
    lines.map(|(name, fields)| (name, (fields, OnceLock::new()))).collect()
});

/// Returns the fields of the type `of`; `None` for a type that `types.txt` does not have.
#[must_use]
pub fn fields(of: &str) -> Option<&'static Fields> {
    let (line, read) = TYPES.get(of)?;
    Some(read.get_or_init(|| line.split(' ').filter_map(|field| field.split_once('=')).collect()))
}

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
