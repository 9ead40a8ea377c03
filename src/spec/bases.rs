//! The base files of a compile.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::Node;
use crate::diag::Diagnostic;
use crate::input::{Digest, Input};

/// The size of the cache of bases, in bytes. Bases beyond it are read again.
const KEPT_BASES: usize = 4 << 20;

/// The bases read so far. Their numbers follow those of all other texts.
#[derive(Default)]
pub struct Bases {
    /// The number of each path, and the digest of its text.
    pub met: BTreeMap<String, (usize, Digest)>,
    /// The cached bases by path, or the error of each.
    pub kept: BTreeMap<String, Result<Arc<Base>, Box<Diagnostic>>>,
    /// The total size of the cached bases in bytes.
    pub bytes: usize,
}

/// A base file.
pub struct Base {
    pub source: usize,
    pub text: Arc<Input>,
    /// The digest of the text.
    pub digest: Digest,
    pub root: Node,
}

impl Bases {
    /// Returns the number of the base at `path`. The first base gets the number `first`.
    pub fn number(&mut self, path: &str, digest: Digest, first: usize) -> usize {
        let next = first + self.met.len();
        self.met.entry(path.to_owned()).or_insert((next, digest)).0
    }

    /// Caches `base` for the next spec that names it. Clears the cache if it grows too large.
    pub fn keep(&mut self, path: String, base: Result<Arc<Base>, Box<Diagnostic>>, bytes: usize) {
        if self.bytes + bytes > KEPT_BASES {
            (self.kept, self.bytes) = (BTreeMap::new(), 0);
        }
        if self.kept.insert(path, base).is_none() {
            self.bytes += bytes;
        }
    }
}
