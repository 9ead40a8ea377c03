//! The command line of berthc: the only part that reads, writes and prints.
#![expect(clippy::disallowed_methods, reason = "input and output happen here and nowhere else")]

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
