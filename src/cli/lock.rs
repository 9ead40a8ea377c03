//! The lock of an output folder: only one run at a time compares and writes it.

use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use berthc::text::quote::shown;

/// The lock, held until it is dropped. It is a lock of the folder itself (flock(2)): it leaves no
/// file behind, and it ends with the process, however that ends. A file system without such locks
/// has no lock.
pub struct Lock {
    _folder: Option<File>,
    /// The folders that this run made, the innermost first.
    made: Vec<PathBuf>,
}

impl Lock {
    /// Waits until no other run reads or writes `out`. Creates the folder if it does not exist, and
    /// removes it again if the run writes nothing into it.
    pub fn to_write(out: &Path) -> Self {
        let missing = out.ancestors().take_while(|f| !f.as_os_str().is_empty() && !f.exists());
        let missing: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
        // If the folder cannot be made, the write reports it, after the errors of the specs.
        let made = if fs::create_dir_all(out).is_ok() { missing } else { Vec::new() };
        Self { _folder: acquire(out, File::try_lock, File::lock), made }
    }

    /// Waits until no other run writes `out`.
    pub fn to_read(out: &Path) -> Self {
        Self { _folder: acquire(out, File::try_lock_shared, File::lock_shared), made: Vec::new() }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        for folder in &self.made {
            // This fails on purpose if the folder is not empty.
            let _ = fs::remove_dir(folder);
        }
    }
}

fn acquire(
    out: &Path,
    attempt: fn(&File) -> Result<(), TryLockError>,
    wait: fn(&File) -> std::io::Result<()>,
) -> Option<File> {
    let folder = File::open(out).ok().filter(|f| f.metadata().is_ok_and(|m| m.is_dir()))?;
    match attempt(&folder) {
        Ok(()) => Some(folder),
        Err(TryLockError::WouldBlock) => {
            let out = out.to_string_lossy();
            let of = holder(&folder).map_or_else(String::new, |pid| format!(" (process {pid})"));
            let _ = writeln!(
                anstream::stderr(),
                "berthc: waits for another berthc{of} that uses {}",
                shown(&out)
            );
            wait(&folder).ok().map(|()| folder)
        }
        Err(TryLockError::Error(_)) => None,
    }
}

/// Returns the process that holds a lock of `folder`, from Linux's list of locks (proc_locks(5)).
fn holder(folder: &File) -> Option<String> {
    let inode = format!(":{}", folder.metadata().ok()?.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let mut lines = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let line = lines
        .find(|line| line.get(1) == Some(&"FLOCK") && line.get(5).is_some_and(|f| f.ends_with(&inode)))?;
    line.get(4).map(|pid| (*pid).to_owned())
}
