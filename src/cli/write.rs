//! Writing a tree: what did not change is left alone, what did is replaced whole, and nothing
//! is replaced before everything has been written beside it.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::Outside;
use super::drift::{Changes, State};
use super::spool::Spool;

/// One line for people on what a write did.
pub fn summary(changes: &Changes, out: &Path) -> String {
    let removed: Vec<&str> = changes.names(State::Extra).collect();
    let changed = files(changes.all.len() - removed.len());
    let removed = match removed.as_slice() {
        [] => String::new(),
        names => {
            format!(", removed {} that no spec makes any more: {}", files(names.len()), names.join(", "))
        }
    };
    format!("wrote {changed} below {}, {} unchanged{removed}", out.display(), changes.unchanged)
}

/// `n files`.
pub fn files(n: usize) -> String {
    if n == 1 { "1 file".to_owned() } else { format!("{n} files") }
}

/// Makes what is missing or differs below `out`, mode 0644, of the texts in `spool`, and takes away
/// what is extra: the unit of a member that is gone must not be started again.
///
/// # Errors
/// The first file or folder that could not be made; no file has been replaced then, unless the
/// last step itself, the renaming, fails half-way.
pub fn write(out: &Path, changes: &Changes, spool: &Spool) -> Result<(), Outside> {
    let mut staged: Vec<(TempPath, PathBuf)> = Vec::new();
    for change in changes.all.iter().filter(|c| c.state != State::Extra) {
        let path = out.join(&change.name);
        staged.push((stage(&path, spool.read(&change.text)?.as_bytes())?, path));
    }
    for (file, path) in staged {
        file.persist(&path).map_err(|e| format!("cannot replace {}: {}", path.display(), e.error))?;
    }
    for name in changes.names(State::Extra) {
        let path = out.join(name);
        fs::remove_file(&path).map_err(|e| format!("cannot remove {}: {e}", path.display()))?;
    }
    Ok(())
}

/// Writes `bytes` to one file, whole or not at all.
///
/// # Errors
/// What cannot be made.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Outside> {
    let file = stage(path, bytes)?;
    file.persist(path).map_err(|e| format!("cannot replace {}: {}", path.display(), e.error))
}

fn stage(path: &Path, bytes: &[u8]) -> Result<TempPath, Outside> {
    let fail = |e: std::io::Error| format!("cannot write {}: {e}", path.display());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(fail)?;
    let mut file = tempfile::Builder::new().prefix(".berthc-").tempfile_in(folder).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.as_file().set_permissions(Permissions::from_mode(0o644)).map_err(fail)?;
    // Closed, so that a large tree does not run out of open files.
    Ok(file.into_temp_path())
}
