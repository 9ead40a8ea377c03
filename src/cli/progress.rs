//! The progress line of a long run.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// A line on a terminal. It appears after one second and changes at most ten times per second.
pub struct Line {
    terminal: bool,
    next: Instant,
    said: bool,
}

impl Default for Line {
    fn default() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { terminal, next: Instant::now() + Duration::from_secs(1), said: false }
    }
}

impl Line {
    /// Shows `text` if it is time.
    pub fn tell(&mut self, text: impl FnOnce() -> String) {
        if !self.terminal || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + Duration::from_millis(100);
        self.said = true;
        let _ = write!(std::io::stderr(), "\r\x1b[K{}", text());
    }

    /// Removes the line.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.said) {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
