//! Names this build by its sources, for the fingerprints of `check`: another build may emit other files.

#![allow(clippy::disallowed_methods, reason = "it reads the sources of this build")]

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// All that decides what berthc emits.
const SOURCES: [&str; 4] = ["Cargo.lock", "Cargo.toml", "src", "templates"];

/// Adds the files below `path`, each folder sorted by name.
fn add(path: &Path, hasher: &mut DefaultHasher) {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| add(entry, hasher));
    } else {
        (path.to_string_lossy(), fs::read(path).ok()).hash(hasher);
    }
}

fn main() {
    let mut hasher = DefaultHasher::new();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
        add(Path::new(source), &mut hasher);
    }
    println!("cargo:rustc-env=BERTHC_BUILD={:016x}", hasher.finish());
}
