//! Commands and their exit codes.

mod explain;
mod finding;
mod github;
mod init;
mod read;
mod report;
mod sarif;
mod shell;
mod talk;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use berthc::{Options, Severity, Target};
use clap::{Args, ColorChoice, CommandFactory as _, Parser, Subcommand, ValueEnum};
use serde_json::{Map, json};

/// Compiles one spec of a stateful service to Kubernetes, fleet and Docker Swarm files in which
/// at any instant at most one running container holds a member's data, its right to write, its
/// hostname, its address, its id and its ports.
#[derive(Debug, Parser)]
#[command(name = "berthc", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "\
Start here:
  berthc init volume --service orders-db > specs/orders-db.yaml
  berthc compile specs -o deploy

Exit codes: 0 done; 1 the specs have errors, nothing was written; 2 wrong usage, or a file could
not be read or written.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Colours of messages; auto heeds NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile specs to OUT/SERVICE/{kubernetes,fleet,swarm}/
    #[command(after_help = "\
Specs that name each other (`peers('x')`, `apart_from`, two revisions of one service) must be
compiled together. All faults of all specs are reported in one run; while there is an error,
nothing is written. Only files that changed are written, each of them whole. In the folders of its
services a run also takes away what it made before and no spec makes any more; files without
berthc's header are never touched.

Examples:
  berthc compile specs -o deploy
  berthc compile specs/etcd.toml -o deploy --target fleet --bootstrap etcd
  berthc compile specs -o deploy --format json")]
    Compile(Compile),
    /// Say what keeps two containers apart, or what a diagnostic means
    #[command(after_help = "\
Given specs, prints for every resource and hazard what holds it, with file, field and line. Given
a code or a gap, a hazard, a resource or a layer, prints what it means, what goes wrong step by
step, and how to mend it.

Examples:
  berthc explain specs/kafka.yaml specs/elasticsearch-data.v1.yaml --target swarm
  berthc explain swarm/data/partition
  berthc explain member-moves")]
    Explain(explain::Explain),
    /// Print a commented starter spec
    #[command(after_help = "\
Kinds, by where the data lives:
  node     one member on each labelled node, data on its disk (Elasticsearch, Cassandra, CockroachDB)
  pinned   numbered members, each held to one node (ZooKeeper, etcd)
  volume   numbered members that move with their network volumes (PostgreSQL, Kafka, Redis)
  writer   one member without data of its own
  external a service that runs elsewhere, for the values of others")]
    Init(init::Init),
    /// Print the JSON Schema of a spec, for editors
    #[command(after_help = "\
Example:
  berthc schema > spec.schema.json
and in the first line of a spec:
  # yaml-language-server: $schema=../spec.schema.json")]
    Schema,
    /// Print the completions for a shell
    #[command(after_help = "\
Examples:
  berthc completions bash > /etc/bash_completion.d/berthc
  berthc completions zsh > ~/.zfunc/_berthc        # a folder of fpath, before compinit
  berthc completions fish > ~/.config/fish/completions/berthc.fish")]
    Completions(shell::Completions),
    /// Print a page of the manual
    #[command(after_help = "\
Examples:
  berthc man > berthc.1
  berthc man compile > berthc-compile.1")]
    Man(shell::Man),
}

#[derive(Debug, Args)]
struct Compile {
    /// Spec files (.toml is TOML, all else YAML), or folders whose specs are all read
    #[arg(required = true, value_name = "SPEC")]
    specs: Vec<PathBuf>,
    /// Folder to write below; each service owns one folder in it
    #[arg(short, long, value_name = "OUT")]
    out: PathBuf,
    /// Emit for this target only (may be repeated); every target of a spec is still checked
    #[arg(long, value_enum, value_name = "TARGET")]
    target: Vec<TargetName>,
    /// Folder with templates that stand in for berthc's own, one by one and by name, such as
    /// kubernetes/statefulset.yaml.j2
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Emit the `bootstrap.env` of this service: its very first start (may be repeated)
    #[arg(long, value_name = "SERVICE")]
    bootstrap: Vec<String>,
    #[command(flatten)]
    talk: talk::Talk,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TargetName {
    Kubernetes,
    Fleet,
    Swarm,
}

/// What went wrong outside the specs; exit code 2.
type Outside = String;

/// Runs the command line.
pub fn run() -> ExitCode {
    let Cli { command, color } = Cli::parse();
    color_as(color);
    let done = match command {
        Command::Compile(c) => compile(&c),
        Command::Explain(e) => explain::explain(&e),
        Command::Init(i) => init::init(&i).map(|()| true),
        Command::Schema => {
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
            let _ = writeln!(anstream::stderr(), "berthc: {message}");
            ExitCode::from(2)
        }
    }
}

/// Colours from here on.
fn color_as(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// Prints data to stdout; a reader that went away is no error.
fn print(text: &str) -> Result<(), Outside> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("cannot write: {e}")),
        _ => Ok(()),
    }
}

/// Whether it went well.
fn compile(args: &Compile) -> Result<bool, Outside> {
    let inputs = read::specs(&args.specs)?;
    let templates = match &args.templates {
        Some(dir) => read::templates(dir)?,
        None => BTreeMap::new(),
    };
    let options = Options {
        targets: args.target.iter().map(|t| target(*t)).collect::<BTreeSet<_>>(),
        bootstrap: args.bootstrap.iter().cloned().collect(),
        templates,
    };
    let berthc::Compiled { tree, diagnostics, model, .. } = berthc::compile(&inputs, &read::Disk, &options);
    if let Some(name) = options.bootstrap.iter().find(|n| model.find(n).is_none() && !model.is_broken(n)) {
        return Err(format!("--bootstrap {name}: no spec of this compile is the service `{name}`"));
    }
    let written = match &tree {
        Some(tree) => Some(write::write(&args.out, tree, &folders(&model, &options))?),
        None => None,
    };
    let mut told = talk::Told::default();
    let (mut changed, mut removed, mut unchanged) = (Vec::new(), Vec::new(), 0);
    if let Some(w) = written {
        told.summary = w.summary(&args.out);
        (changed, removed, unchanged) = (w.changed, w.removed, w.unchanged);
    }
    told.json = Map::from_iter([
        ("written".into(), json!(changed)),
        ("removed".into(), json!(removed)),
        ("unchanged".into(), json!(unchanged)),
    ]);
    args.talk.tell(&inputs, &diagnostics, told)?;
    Ok(!diagnostics.iter().any(|d| d.severity == Severity::Error))
}

/// The folders that a run owns: those of its services, for the targets that it emits.
fn folders(model: &berthc::model::Model, options: &Options) -> Vec<String> {
    let wanted = |t: &Target| options.targets.is_empty() || options.targets.contains(t);
    let mut all = BTreeSet::new();
    for service in model.services() {
        all.insert(service.name.clone());
        all.extend(
            Target::ALL.iter().filter(|t| wanted(t)).map(|t| format!("{}/{}", service.name, t.name())),
        );
    }
    all.into_iter().collect()
}

fn target(name: TargetName) -> Target {
    match name {
        TargetName::Kubernetes => Target::Kubernetes,
        TargetName::Fleet => Target::Fleet,
        TargetName::Swarm => Target::Swarm,
    }
}
