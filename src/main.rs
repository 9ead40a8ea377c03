//! The command line of berthc: the only part that reads, writes and prints.
#![expect(clippy::disallowed_methods, reason = "input and output happen here and nowhere else")]

mod cli;

/// A quarter of a compile is allocation; this one takes half of that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::run()
}
