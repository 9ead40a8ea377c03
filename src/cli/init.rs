//! Starter specs.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use berthc::text::names;
use clap::{Args, ValueEnum};

use super::stdout::{Outside, print};

#[derive(Debug, Args)]
pub struct Init {
    /// The kind of service, by the place of its data
    #[arg(value_enum)]
    kind: Kind,
    /// Name of the service
    #[arg(long, default_value = "my-database")]
    service: String,
    /// New file to write; it must not exist yet [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Node,
    Pinned,
    Volume,
    Writer,
    External,
}

/// The placeholder of the service's name in the starters.
const NAME: &str = "my-database";

/// Prints or writes the starter of a kind.
pub fn init(args: &Init) -> Result<(), Outside> {
    if let Some(wrong) = names::service(&args.service) {
        return Err(format!("the name `{}` {wrong}", args.service));
    }
    let text = match args.kind {
        Kind::Node => include_str!("../../templates/init/node.yaml"),
        Kind::Pinned => include_str!("../../templates/init/pinned.yaml"),
        Kind::Volume => include_str!("../../templates/init/volume.yaml"),
        Kind::Writer => include_str!("../../templates/init/writer.yaml"),
        Kind::External => include_str!("../../templates/init/external.yaml"),
    }
    .replace(NAME, &args.service);
    let Some(path) = &args.out else { return print(&text) };
    let fail = |e: std::io::Error| format!("cannot make {}: {e}", path.display());
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)
}
