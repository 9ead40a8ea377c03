//! The command line of berthc: the only part that reads, writes and prints.
#![expect(clippy::disallowed_methods, reason = "input and output happen here and nowhere else")]

mod cli;

/// Allocation takes a quarter of the time of a compile; mimalloc halves it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::run()
}
