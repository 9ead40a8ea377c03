//! What batches of services compile to, as earlier runs found out: fingerprints that a user's runs
//! leave for each other. Each stands for all that a batch is made from and all that comes of it, and
//! holds no time and no place: whoever finds both in step again need not compile.

use std::fs::File;
use std::path::PathBuf;

use berthc::spec::source::{Digest, feed};
use berthc::{Batch, Options};
use blake3::Hasher;

use super::{read, write};

/// Fewer specs compile before anything could be looked up.
const FEW: usize = 100;
/// Bytes beyond which what no run of today found is forgotten.
const MAX_BYTES: usize = 8 << 20;
/// What holds the fingerprints, one after the other and in order.
const FILE: &str = "compiled";
/// The folder of that file; empty for none.
const PLACE: &str = "BERTHC_CACHE";

/// Of a batch and its files, by this very program.
pub type Print = Digest;

/// A fingerprint that is being made.
pub struct Made {
    hasher: Hasher,
    /// How many files were added.
    pub files: usize,
}

impl Made {
    /// Adds the next file, in order of the names.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        feed(&mut self.hasher, &[name.as_bytes(), bytes]);
        self.files += 1;
    }

    /// It.
    pub fn print(&self) -> Print {
        self.hasher.finalize().into()
    }
}

/// Fingerprints of earlier runs.
pub struct Known {
    file: PathBuf,
    old: Vec<u8>,
    /// Has read the program and what was asked of it.
    start: Hasher,
}

impl Known {
    /// What is known for `options`. `None` for few specs, and where nothing can be kept.
    pub fn open(specs: usize, options: &Options) -> Option<Self> {
        if specs < FEW {
            return None;
        }
        let file = folder()?.join(FILE);
        let mut start = Hasher::new();
        // Another build may print something else.
        start.update_reader(File::open(std::env::current_exe().ok()?).ok()?).ok()?;
        options.hash_inputs(&mut |list| feed(&mut start, list));
        // What was never written, or cannot be read, is not known.
        let read = || File::open(&file).and_then(|f| read::most(f, 0, MAX_BYTES as u64));
        let old = if file.is_file() { read().unwrap_or_default() } else { Vec::new() };
        Some(Self { file, old, start })
    }

    /// Begins the fingerprint of `batch`.
    pub fn start(&self, batch: &Batch<'_>) -> Made {
        let mut hasher = self.start.clone();
        batch.hash_inputs(&mut |list| feed(&mut hasher, list));
        Made { hasher, files: 0 }
    }

    /// Whether an earlier run found that.
    pub fn has(&self, print: &Print) -> bool {
        self.old.as_chunks().0.binary_search(print).is_ok()
    }

    /// Keeps `found`, all of this run, for later ones. That fails without a word: it would have
    /// made them faster, no more.
    pub fn keep(self, mut found: Vec<Print>) {
        if found.iter().all(|print| self.has(print)) {
            return;
        }
        if self.old.len() + found.as_flattened().len() <= MAX_BYTES {
            found.extend_from_slice(self.old.as_chunks().0);
        }
        found.sort_unstable();
        found.dedup();
        let _ = write::replace(&self.file, found.as_flattened());
    }
}

/// Where users keep what programs can make again.
fn folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if let Some(place) = set(PLACE) {
        return (!place.as_os_str().is_empty()).then_some(place);
    }
    let cache = set("XDG_CACHE_HOME").filter(|p| p.is_absolute());
    let home = || Some(set("HOME").filter(|p| p.is_absolute())?.join(".cache"));
    Some(cache.or_else(home)?.join("berthc"))
}
