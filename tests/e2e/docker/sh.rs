//! Small help with the shell and with time.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Runs a line of shell; what fails is the end of the suite.
pub fn run(line: &str) {
    let done = Command::new("sh").args(["-c", line]).output().unwrap();
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Whether a line of shell succeeds.
pub fn ok(line: &str) -> bool {
    Command::new("sh").args(["-c", line]).output().is_ok_and(|o| o.status.success())
}

/// What a line of shell says, whether it succeeds or not.
pub fn output(line: &str) -> String {
    let done = Command::new("sh").args(["-c", line]).output().unwrap();
    String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
}

/// Asks five times a second until it is true or `seconds` are over.
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
