//! Writing a tree: what did not change is left alone, what did is replaced whole, and nothing
//! is replaced before everything has been written beside it.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use berthc::Tree;
use tempfile::TempPath;

use super::Outside;

/// What a write did.
pub struct Written {
    /// Paths that were made or changed, below the output folder.
    pub changed: Vec<String>,
    /// How many were as they should be.
    pub unchanged: usize,
}

impl Written {
    /// One line for people.
    pub fn summary(&self, out: &Path) -> String {
        let files = |n: usize| if n == 1 { "1 file".to_owned() } else { format!("{n} files") };
        format!("wrote {} below {}, {} unchanged", files(self.changed.len()), out.display(), self.unchanged)
    }
}

/// Makes the files of `tree` below `out`, mode 0644.
///
/// # Errors
/// The first file or folder that could not be made; no file has been replaced then, unless the
/// last step itself, the renaming, fails half-way.
pub fn write(out: &Path, tree: &Tree) -> Result<Written, Outside> {
    let mut staged: Vec<(TempPath, PathBuf)> = Vec::new();
    let mut written = Written { changed: Vec::new(), unchanged: 0 };
    for (name, text) in tree {
        let path = out.join(name);
        if fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
            written.unchanged += 1;
            continue;
        }
        staged.push((stage(&path, text)?, path));
        written.changed.push(name.clone());
    }
    for (file, path) in staged {
        file.persist(&path).map_err(|e| format!("cannot replace {}: {}", path.display(), e.error))?;
    }
    Ok(written)
}

fn stage(path: &Path, text: &str) -> Result<TempPath, Outside> {
    let fail = |e: std::io::Error| format!("cannot write {}: {e}", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(fail)?;
    if path.is_dir() {
        return Err(format!("cannot write {}: it is a folder", path.display()));
    }
    let mut file = tempfile::Builder::new().prefix(".berthc-").tempfile_in(folder).map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    file.as_file().set_permissions(Permissions::from_mode(0o644)).map_err(fail)?;
    // Closed, so that a large tree does not run out of open files.
    Ok(file.into_temp_path())
}
