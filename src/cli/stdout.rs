//! Data on stdout, and errors outside the specs.

use std::io::{IsTerminal as _, Write as _};

use berthc::text::quote::shown_lines;

/// An error outside the specs; exit code 2.
pub type Outside = String;

/// Prints data to stdout. On a terminal, characters that must be escaped are made visible. A closed
/// pipe is not an error.
pub fn print(text: &str) -> Result<(), Outside> {
    let mut stdout = std::io::stdout();
    let text = if stdout.is_terminal() { shown_lines(text) } else { text.into() };
    written(stdout.write_all(text.as_bytes()))
}

/// Returns the error of a write to stdout, unless the pipe is closed.
pub fn written(done: std::io::Result<()>) -> Result<(), Outside> {
    match done {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("cannot write: {e}")),
        _ => Ok(()),
    }
}
