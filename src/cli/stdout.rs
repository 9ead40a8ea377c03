//! Data on stdout, and what went wrong outside the specs.

use std::io::Write as _;

/// An error outside the specs; exit code 2.
pub type Outside = String;

/// Prints data to stdout. A closed pipe is not an error.
pub fn print(text: &str) -> Result<(), Outside> {
    written(std::io::stdout().write_all(text.as_bytes()))
}

/// Returns the error of a write to stdout, unless the pipe is closed.
pub fn written(done: std::io::Result<()>) -> Result<(), Outside> {
    match done {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("cannot write: {e}")),
        _ => Ok(()),
    }
}
