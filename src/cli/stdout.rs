//! Data on stdout, and what went wrong outside the specs.

use std::io::Write as _;

/// What went wrong outside the specs; exit code 2.
pub type Outside = String;

/// Prints data to stdout; a reader that went away is no error.
pub fn print(text: &str) -> Result<(), Outside> {
    written(std::io::stdout().write_all(text.as_bytes()))
}

/// What became of data that was printed.
pub fn written(done: std::io::Result<()>) -> Result<(), Outside> {
    match done {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("cannot write: {e}")),
        _ => Ok(()),
    }
}
