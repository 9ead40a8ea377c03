//! Compiles the specs of this crate when it is built.

use std::path::{Path, PathBuf};
use std::{env, fs};

use berthc::spec::source::line_column;
use berthc::{Files, Input, Options};

/// Reads the files that specs name from the disk.
struct Disk;

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        fs::read(path).map_err(|e| e.to_string())
    }
}

fn main() -> std::io::Result<()> {
    // The folder itself, for specs that are added or deleted.
    println!("cargo::rerun-if-changed=specs");
    let mut paths: Vec<PathBuf> =
        fs::read_dir("specs")?.map(|e| Ok(e?.path())).collect::<std::io::Result<_>>()?;
    paths.retain(|p| p.extension().is_some_and(|e| e == "yaml" || e == "toml"));
    paths.sort();
    let read =
        |p: &PathBuf| Ok(Input { path: p.to_string_lossy().into_owned(), text: fs::read_to_string(p)? });
    let inputs = paths.iter().map(read).collect::<std::io::Result<Vec<_>>>()?;

    let compiled = berthc::compile(&inputs, &Disk, &Options::default());

    for file in &compiled.read {
        println!("cargo::rerun-if-changed={file}");
    }
    // `cargo::error` and `cargo::warning`; the first fails the build.
    for d in &compiled.diagnostics {
        let at = compiled.sources.get(d.place.source).map_or_else(String::new, |source| {
            let (line, column) = line_column(&source.text, d.place.start);
            format!("{}:{line}:{column}: ", source.path)
        });
        println!("cargo::{}={at}[{}] {}", d.severity, d.code, d.message);
    }
    let tree = compiled.tree.unwrap_or_default();
    // Paths and texts as a Rust literal.
    let files = format!("&{:?}", tree.iter().collect::<Vec<_>>());
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&out).join("files.rs"), files)
}
