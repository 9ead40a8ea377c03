//! Writes a tree. Unchanged files stay untouched, changed files are replaced as a whole, and no
//! file is replaced before all new texts are on the disk.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use berthc::text::quote::shown;
use tempfile::TempPath;

use super::drift::{Changes, State, TEMPORARY, is_replaceable};
use super::spool::Spool;
use super::stdout::Outside;

/// Returns a summary of a write in one line.
pub fn summary(changes: &Changes, out: &Path) -> String {
    let removed: Vec<&str> = changes.names(State::Extra).collect();
    let changed = files(changes.all.len() - removed.len());
    let removed = match removed.as_slice() {
        [] => String::new(),
        names => {
            format!(
                ", removed {} that no spec needs any more: {}",
                files(names.len()),
                shown(&names.join(", "))
            )
        }
    };
    format!(
        "wrote {changed} below {}, {} unchanged{removed}",
        shown(&out.to_string_lossy()),
        changes.unchanged
    )
}

/// Returns `1 file`, `2 files`, ….
pub fn files(n: usize) -> String {
    if n == 1 { "1 file".to_owned() } else { format!("{n} files") }
}

/// Writes missing and changed files below `out` with mode 0644, and deletes extra files: the unit
/// of a removed member must not start again.
///
/// # Errors
/// A file that berthc did not write would be replaced, or a file or folder could not be created. No
/// file has been replaced then, unless the last step, the renaming, failed.
pub fn write(out: &Path, changes: &Changes, spool: &Spool) -> Result<(), Outside> {
    let foreign: Vec<&str> =
        changes.names(State::Differs).filter(|name| !is_replaceable(out, name)).collect();
    if let [first, more @ ..] = foreign.as_slice() {
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        return Err(format!(
            "nothing is written: {}{more} lacks berthc's header, so berthc did not write it; move it away, or use another OUT",
            out.join(first).display()
        ));
    }
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

/// Writes `bytes` to a file atomically.
///
/// # Errors
/// The file cannot be created.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Outside> {
    let file = stage(path, bytes)?;
    file.persist(path).map_err(|e| format!("cannot replace {}: {}", path.display(), e.error))
}

pub fn stage(path: &Path, bytes: &[u8]) -> Result<TempPath, Outside> {
    let fail = |e: std::io::Error| format!("cannot write {}: {e}", path.display());
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(fail)?;
    let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.as_file().set_permissions(Permissions::from_mode(0o644)).map_err(fail)?;
    // The file is closed here, so that a large tree does not exhaust file descriptors.
    Ok(file.into_temp_path())
}
