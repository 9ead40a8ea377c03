//! Helpers for the shell and for time.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Runs a line of shell; a failure ends the suite.
pub fn run(line: &str) {
    let done = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Returns whether a line of shell succeeds.
pub fn ok(line: &str) -> bool {
    Command::new("sh").args(["-c", line]).output().is_ok_and(|o| o.status.success())
}

/// Returns the output of a line of shell, whether it succeeds or not.
pub fn output(line: &str) -> String {
    let done = Command::new("sh").args(["-c", line]).output().unwrap();
    String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
}

/// The delay of this machine: the longest time that a thread oversleeps.
pub struct Delay(Arc<AtomicU64>);

impl Delay {
    pub fn start() -> Self {
        let worst = Arc::new(AtomicU64::new(0));
        let told = Arc::clone(&worst);
        std::thread::spawn(move || {
            loop {
                let begin = Instant::now();
                sleep(Duration::from_millis(20));
                let late = begin.elapsed().as_millis().saturating_sub(20);
                told.fetch_max(u64::try_from(late).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        });
        Self(worst)
    }

    /// Returns the longest delay since the last call, in milliseconds.
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// Evaluates `question` five times a second until it is true or `seconds` are over.
pub fn eventually(seconds: u64, mut question: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if question() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        sleep(Duration::from_millis(200));
    }
}
