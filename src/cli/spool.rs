//! Stores texts until the run knows that everything is correct. The first texts stay in memory, the
//! others go to an unnamed temporary file, so memory does not grow with their number.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use berthc::threads::locked;

use super::stdout::Outside;

/// Maximum number of bytes in memory.
const MEMORY: u64 = 8 << 20;

/// The stored texts. Several threads may add to it.
pub struct Spool {
    /// The folder of the temporary file, if it is writable; otherwise the system's folder for
    /// temporary files, which may be in memory.
    folder: Option<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The number of bytes in memory.
    here: u64,
    /// The temporary file.
    file: Option<File>,
    /// The number of bytes in the file.
    there: u64,
}

/// A stored text.
pub enum Text {
    Here(String),
    There { at: u64, bytes: usize },
}

impl Spool {
    /// Makes a store for texts that will be written below `out`, or that are only shown.
    pub fn new(out: Option<&Path>) -> Self {
        // If the folder does not exist yet, one of its parents does.
        let here = |f: &Path| if f.as_os_str().is_empty() { PathBuf::from(".") } else { f.to_path_buf() };
        let above = |out: &Path| out.ancestors().map(here).find(|f| f.is_dir());
        Self { folder: out.and_then(above), inner: Mutex::default() }
    }

    fn file(&self) -> std::io::Result<File> {
        let near = self.folder.as_ref().and_then(|folder| tempfile::tempfile_in(folder).ok());
        near.map_or_else(tempfile::tempfile, Ok)
    }

    /// Stores `text`.
    ///
    /// # Errors
    /// The temporary file cannot be created or written.
    pub fn keep(&self, text: String) -> Result<Text, Outside> {
        let (bytes, mut inner) = (text.len(), locked(&self.inner));
        if inner.here + bytes as u64 <= MEMORY {
            inner.here += bytes as u64;
            return Ok(Text::Here(text));
        }
        let fail = |e: std::io::Error| format!("cannot write a temporary file: {e}");
        let file = match inner.file.take() {
            Some(file) => file,
            None => self.file().map_err(fail)?,
        };
        let at = inner.there;
        file.write_all_at(text.as_bytes(), at).map_err(fail)?;
        (inner.file, inner.there) = (Some(file), at + bytes as u64);
        Ok(Text::There { at, bytes })
    }

    /// Returns the stored `text`.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn read(&self, text: &Text) -> Result<String, Outside> {
        match text {
            Text::Here(text) => Ok(text.clone()),
            Text::There { at, bytes } => {
                let mut all = vec![0; *bytes];
                if let Some(file) = &locked(&self.inner).file {
                    let read = file.read_exact_at(&mut all, *at);
                    read.map_err(|e| format!("cannot read a temporary file: {e}"))?;
                }
                String::from_utf8(all).map_err(|e| format!("cannot read a temporary file: {e}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use berthc::threads;

    use super::*;

    #[test]
    fn stored_texts_are_read_back_unchanged() {
        let folder = tempfile::tempdir();
        let out = folder.as_ref().map(|f| f.path().join("not/yet")).ok();
        let (spool, mebibyte) = (Spool::new(out.as_deref()), 1 << 20);
        let text = |n: usize| format!("{n}ä").repeat(mebibyte / (n.to_string().len() + 2));
        let keep = |n| spool.keep(text(n));
        let kept = threads::each(4, (0..24).collect(), keep, &|_| {});
        let mut there = 0;
        for (n, kept) in kept.into_iter().enumerate() {
            let Ok(kept) = kept else { unreachable!("{n} was not kept") };
            there += usize::from(matches!(kept, Text::There { .. }));
            assert_eq!(spool.read(&kept), Ok(text(n)));
        }
        assert!((16..24).contains(&there), "{there}");
        let entries = folder.and_then(|f| std::fs::read_dir(f.path()).map(Iterator::count));
        assert!(matches!(entries, Ok(0)), "it has a name: {entries:?}");
    }
}
