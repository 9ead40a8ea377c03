//! Commands and their exit codes.

mod args;
mod check;
mod compare;
mod compile;
mod depfile;
mod drift;
mod explain;
mod finding;
mod fix;
mod github;
mod init;
mod job;
mod known;
mod kustomize;
mod lock;
mod older;
mod output;
mod progress;
mod read;
mod report;
mod sarif;
mod shell;
mod spool;
mod stdout;
mod target;
mod verify;
mod write;

use std::io::Write as _;
use std::process::ExitCode;

use args::{Cli, Command};
use berthc::text::quote::shown;
use clap::{ColorChoice, CommandFactory as _, Parser as _};
use stdout::print;

/// Runs the command line.
pub fn run() -> ExitCode {
    let Cli { command, color } = Cli::parse();
    color_as(color);
    let done = match command {
        Command::Compile(c) => compile::compile(&c),
        Command::Check(args) => match check::check(&args) {
            Ok(code) => return code,
            Err(message) => Err(message),
        },
        Command::Explain(e) => explain::explain(&e),
        Command::Verify(args) => match verify::run(&args) {
            Ok(code) => return code,
            Err(message) => Err(message),
        },
        Command::Init(i) => init::init(&i).map(|()| true),
        Command::Schema { markdown: true } => print(&berthc::explain::spec_page()).map(|()| true),
        Command::Schema { markdown: false } => {
            let text = serde_json::to_string_pretty(&berthc::schema::schema()).unwrap_or_default();
            print(&format!("{text}\n")).map(|()| true)
        }
        Command::Completions(c) => shell::completions(&c, Cli::command()).map(|()| true),
        Command::Man(m) => shell::man(&m, Cli::command()).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            let _ = writeln!(anstream::stderr(), "berthc: {}", shown(&message));
            ExitCode::from(2)
        }
    }
}

/// Sets the colours of all further output.
fn color_as(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}
