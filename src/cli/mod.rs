//! Commands and their exit codes.

mod check;
mod depfile;
mod drift;
mod explain;
mod init;
mod job;
mod read;
mod report;
mod verify;
mod write;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use berthc::{Compiled, Options, Severity, Target};
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::json;

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
not be read or written. Those of check: 0 in step; 1 drift; 2 any error.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
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

A berthc.toml in this folder, or above it in the same repository, says what is not said here:
  specs = [\"specs/*.yaml\"]
  out = \"deploy\"
  templates = \"templates\"
  [targets]
  kubernetes = { version = \"1.34\", namespace = \"db\" }
  [env.prod]
  out = \"deploy/prod\"
  set.orders-db = { image = \"postgres:16.5\", members.count = 3 }
Its paths are relative to it. `targets` are those of a spec that names none; of the targets that a
spec names, fields that it leaves out. `env.NAME.set` holds for `--env NAME`, by service. A spec
lies over its `base`, an environment over both, `--set` over all: maps merge, all else is replaced,
`null` takes away.

Examples:
  berthc compile specs -o deploy
  berthc compile specs/etcd.toml -o deploy --target fleet --bootstrap etcd
  berthc compile --env prod --set orders-db:image=postgres:$TAG --format json")]
    Compile(Compile),
    /// Compare OUT with what a compile would write, and write nothing
    #[command(after_help = "\
Prints a unified diff from what stands in OUT to what a compile would write, for `patch -p1`. Files
that no spec makes any more are extra; files without berthc's header are nobody's business.

Exit codes: 0 in step; 1 drift; 2 the specs have errors, wrong usage, or a file could not be read.")]
    Check(job::Job),
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
    /// Search any manifests, units and stack files for two holders of one thing
    #[command(after_help = "\
Reads Kubernetes manifests, Docker Swarm stack files and fleet units, whoever wrote them, and
searches all that a small cluster may do with them: updates, rollbacks, a second revision, labels
that change, nodes that are cut off, reboot or drain, missing disks. Each violation is told as the
shortest sequence of events, with file and line and the line to change. What is not understood is
listed. A comment accepts a finding in its file:
  # berthc: accept swarm/data/move because \"the plugin's volumes are made by hand\"

Exit codes: 0 holds; 1 violated; 2 could not read.

Examples:
  berthc verify deploy
  berthc verify stack.yml --force-actions --nodes 3
  berthc explain swarm/data/update")]
    Verify(verify::Verify),
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
}

#[derive(Debug, Args)]
struct Compile {
    #[command(flatten)]
    job: job::Job,
    /// Write what was read as a rule of make, for the target TARGET: specs, bases, the files they
    /// name, templates, folders and berthc.toml
    #[arg(long, value_name = "TARGET.d")]
    depfile: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TargetName {
    Kubernetes,
    Fleet,
    Swarm,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, on stderr
    #[default]
    Text,
    /// One JSON object on stdout
    Json,
}

/// What went wrong outside the specs; exit code 2.
type Outside = String;

/// Runs the command line.
pub fn run() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Compile(c) => compile(&c),
        Command::Check(job) => match check::check(&job) {
            Ok(code) => return code,
            Err(message) => Err(message),
        },
        Command::Explain(e) => explain::explain(&e),
        Command::Verify(v) => verify::run(&v),
        Command::Init(i) => init::init(&i).map(|()| true),
        Command::Schema => {
            let text = serde_json::to_string_pretty(&berthc::spec::schema()).unwrap_or_default();
            print(&format!("{text}\n")).map(|()| true)
        }
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

/// Prints data to stdout; a reader that went away is no error.
fn print(text: &str) -> Result<(), Outside> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("cannot write: {e}")),
        _ => Ok(()),
    }
}

/// A compile that has read all it needs and written nothing yet.
struct Done {
    compiled: Compiled,
    out: PathBuf,
    /// Folders that it owns below `out`.
    folders: Vec<String>,
    /// Paths of everything that was read.
    read: BTreeSet<String>,
}

fn done(job: &job::Job) -> Result<Done, Outside> {
    let (job::Ready { inputs, options, mut read, .. }, out) = job.ready()?;
    let compiled = berthc::compile(&inputs, &read::Disk, &options);
    let model = &compiled.model;
    let known = |name: &String| model.find(name).is_some() || model.is_broken(name) || inputs.is_empty();
    if let Some(name) = options.bootstrap.iter().find(|name| !known(name)) {
        return Err(format!("--bootstrap {name}: no spec of this compile is the service `{name}`"));
    }
    read.extend(compiled.read.iter().cloned());
    let folders = folders(model, &options);
    Ok(Done { compiled, out, folders, read })
}

/// Whether it went well.
fn compile(args: &Compile) -> Result<bool, Outside> {
    let Done { compiled, out, folders, read } = done(&args.job)?;
    let mut diagnostics = compiled.diagnostics;
    let drift = match &compiled.tree {
        Some(tree) => {
            let drift = drift::drift(&out, tree, &folders)?;
            diagnostics.extend(berthc::change::judge(&compiled.model, &drift.old(), tree));
            Some(drift)
        }
        None => None,
    };
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let written = drift.filter(|_| !failed);
    if let Some(drift) = &written {
        let rule = match &args.depfile {
            Some(file) => Some((file, depfile::rule(file, &read)?)),
            None => None,
        };
        write::write(&out, drift)?;
        if let Some((file, rule)) = rule {
            write::replace(file, &rule)?;
        }
    }
    match args.job.format {
        Format::Text => {
            let mut err = anstream::stderr();
            let _ = err.write_all(report::text(&compiled.sources, &diagnostics).as_bytes());
            if let Some(drift) = &written {
                let _ = writeln!(err, "{}", write::summary(drift, &out));
            }
        }
        Format::Json => {
            let found: Vec<_> = diagnostics.iter().map(|d| report::json(&compiled.sources, d)).collect();
            let (mut changed, mut removed, mut unchanged) = (Vec::new(), Vec::new(), 0);
            if let Some(drift) = &written {
                let made = drift.items.iter().filter(|i| i.state != drift::State::Extra);
                changed.extend(made.map(|i| i.name.as_str()));
                removed.extend(drift.names(drift::State::Extra));
                unchanged = drift.unchanged;
            }
            print(&format!(
                "{:#}\n",
                json!({ "diagnostics": found, "written": changed, "removed": removed, "unchanged": unchanged })
            ))?;
        }
    }
    Ok(!failed)
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
