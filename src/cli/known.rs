//! A cache of fingerprints. A fingerprint covers the inputs of a batch and its outputs, and
//! contains neither times nor paths of the machine. If a run finds inputs and outputs unchanged, it
//! need not compile the batch.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use berthc::input::{Digest, feed};
use berthc::text::quote::shown;
use berthc::{Batch, Options};
use blake3::Hasher;

use super::{read, write};

/// Minimum number of specs for the cache; fewer compile faster than a lookup.
const FEW: usize = 100;
/// Maximum size of the cache in bytes. Beyond it, entries that the current run did not use are
/// dropped.
const MAX_BYTES: usize = 8 << 20;
/// The file of the fingerprints, sorted and without separators.
const FILE: &str = "compiled";
/// The environment variable with the folder of that file. An empty value turns the cache off.
const PLACE: &str = "BERTHC_CACHE";

/// The fingerprint of a batch, its files and this program.
pub type Print = Digest;

/// A fingerprint that is being computed.
pub struct Made {
    hasher: Hasher,
    /// The number of files so far.
    pub files: usize,
}

impl Made {
    /// Adds the next file. Files come sorted by name.
    pub fn add(&mut self, name: &str, bytes: &[u8]) {
        feed(&mut self.hasher, &[name.as_bytes(), bytes]);
        self.files += 1;
    }

    /// Returns the fingerprint.
    pub fn print(&self) -> Print {
        self.hasher.finalize().into()
    }
}

/// The fingerprints of earlier runs.
pub struct Known {
    file: PathBuf,
    old: Vec<u8>,
    /// The hash of the program and the options.
    start: Hasher,
}

impl Known {
    /// Opens the cache for `options`. Returns `None` for few specs, or if there is no place for the
    /// cache.
    pub fn open(specs: usize, options: &Options) -> Option<Self> {
        if specs < FEW {
            return None;
        }
        let file = folder()?.join(FILE);
        if let Some(open) = [file.parent()?, &file].into_iter().find(|path| others_write(path)) {
            let open = shown(&open.to_string_lossy()).into_owned();
            let _ = writeln!(
                anstream::stderr(),
                "berthc: does not use the cache {open}: another user can write it, and so make `check` \
                 report what is not true (chmod go-w {open})",
            );
            return None;
        }
        let mut start = Hasher::new();
        // Another build of berthc may emit other files. `build.rs` names each by its sources: to hash the
        // program takes longer than to check a hundred specs.
        start.update(env!("BERTHC_BUILD").as_bytes());
        options.hash_inputs(&mut |list| feed(&mut start, list));
        // A missing or unreadable cache is empty.
        let read = || File::open(&file).and_then(|f| read::most(f, 0, MAX_BYTES as u64));
        let old = if file.is_file() { read().unwrap_or_default() } else { Vec::new() };
        Some(Self { file, old, start })
    }

    /// Starts the fingerprint of `batch`.
    pub fn start(&self, batch: &Batch<'_>) -> Made {
        let mut hasher = self.start.clone();
        batch.hash_inputs(&mut |list| feed(&mut hasher, list));
        Made { hasher, files: 0 }
    }

    /// Returns whether an earlier run stored this fingerprint.
    pub fn has(&self, print: &Print) -> bool {
        self.old.as_chunks().0.binary_search(print).is_ok()
    }

    /// Stores the fingerprints of this run. Errors are ignored: the cache only makes later runs
    /// faster.
    pub fn keep(self, mut found: Vec<Print>) {
        if found.iter().all(|print| self.has(print)) {
            return;
        }
        if self.old.len() + found.as_flattened().len() <= MAX_BYTES {
            found.extend_from_slice(self.old.as_chunks().0);
        }
        found.sort_unstable();
        found.dedup();
        if let Some(folder) = self.file.parent() {
            let _ = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        }
        let _ = write::replace(&self.file, found.as_flattened());
    }
}

/// Returns whether another user can write an existing file or folder. A user who can write
/// fingerprints can make outdated files count as up to date.
fn others_write(path: &Path) -> bool {
    let own = |about: &Metadata| [0, rustix::process::geteuid().as_raw()].contains(&about.uid());
    fs::metadata(path).is_ok_and(|about| !own(&about) || about.mode() & 0o022 != 0)
}

/// Returns the user's cache folder.
fn folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if let Some(place) = set(PLACE) {
        return (!place.as_os_str().is_empty()).then_some(place);
    }
    let cache = set("XDG_CACHE_HOME").filter(|p| p.is_absolute());
    let home = || Some(set("HOME").filter(|p| p.is_absolute())?.join(".cache"));
    Some(cache.or_else(home)?.join("berthc"))
}
