//! Shell completions and manual pages.

use clap::{Args, Command};
use clap_complete::Shell;

use super::stdout::{Outside, print};

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// The command whose page to print [default: berthc itself]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// Prints the completions for a shell.
pub fn completions(args: &Completions, mut command: Command) -> Result<(), Outside> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "berthc", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Prints a manual page.
pub fn man(args: &Man, mut command: Command) -> Result<(), Outside> {
    command.build();
    let page = match &args.command {
        None => command,
        Some(name) => {
            let found = command.get_subcommands().find(|c| c.get_name() == name).cloned();
            found.ok_or_else(|| format!("there is no command `{name}`"))?
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text).map_err(|e| format!("cannot print the page: {e}"))?;
    print(&String::from_utf8_lossy(&text))
}
