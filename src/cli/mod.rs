//! Commands and their exit codes.

mod check;
mod depfile;
mod drift;
mod explain;
mod finding;
mod github;
mod init;
mod job;
mod known;
mod output;
mod progress;
mod read;
mod report;
mod sarif;
mod shell;
mod spool;
mod verify;
mod write;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use berthc::code::Code;
use berthc::diag::{Place, failed};
use berthc::model::Model;
use berthc::{Batch, Diagnostic, Input, Options, Output, Sink, Specs as _, Target, route, threads};
use clap::{Args, ColorChoice, CommandFactory as _, Parser, Subcommand, ValueEnum};
use serde_json::{Map, json};

use drift::{Change, Changes, Drift, Item};
use known::{Known, Print};
use progress::Line;
use spool::Spool;

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
not be read or written. Those of check: 0 in step; 1 drift; 2 any error. Those of verify: see its help.")]
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

Of a hundred specs or more, compile and check keep fingerprints: of all that a service is made from,
this program included, together with all that comes of it. A check that reads both again and finds
them the same need not compile the service, unless it has raw additions. They stand in the folder
BERTHC_CACHE, else in berthc/ below XDG_CACHE_HOME or ~/.cache; an empty BERTHC_CACHE keeps none,
and --verify asks for none.

Exit codes: 0 in step; 1 drift; 2 the specs have errors, wrong usage, or a file could not be read.")]
    Check(check::Check),
    /// Say what keeps two containers apart, or what a diagnostic means
    #[command(after_help = "\
Given specs, prints for every resource and hazard what holds it, with file, field and line. Given
a code or a gap, a hazard, a resource or a layer, prints what it means, what goes wrong step by
step, and how to fix it.

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

Exit codes: 0 all that could hold data was read and searched, and nothing breaks; 1 a violation;
2 wrong usage, or an input could not be read; 3 something that may hold data was not searched, or
the search came to its bound: a line for each thing says what, where and why, and what to do.

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

/// What went wrong outside the specs; exit code 2.
type Outside = String;

/// Runs the command line.
pub fn run() -> ExitCode {
    let Cli { command, color } = Cli::parse();
    color_as(color);
    let done = match command {
        Command::Compile(c) => compile(&c),
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
    written(std::io::stdout().write_all(text.as_bytes()))
}

/// What became of data that was printed.
fn written(done: std::io::Result<()>) -> Result<(), Outside> {
    match done {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("cannot write: {e}")),
        _ => Ok(()),
    }
}

/// A compile that has read all it needs and written nothing yet.
struct Done {
    sources: Vec<Input>,
    diagnostics: Vec<Diagnostic>,
    out: PathBuf,
    /// How what stands below `out` differs; `None` when the specs have errors.
    changes: Option<Changes>,
    /// The texts of these.
    spool: Spool,
    /// Paths of everything that was read.
    read: BTreeSet<String>,
}

/// What is compared of each batch.
struct Compare<'a> {
    out: &'a Path,
    options: &'a Options,
    /// What stands in OUT byte for byte is not searched, as it was when it was written; and not
    /// compiled either when an earlier run has.
    look: bool,
    known: Option<Known>,
    /// The text of an item that is asked for.
    text: fn(&mut Item) -> String,
    spool: Spool,
    line: Mutex<Line>,
}

/// How one batch differs.
#[derive(Default)]
struct Compared {
    changes: Vec<Change>,
    unchanged: usize,
    /// How many services were known.
    known: usize,
    diagnostics: Vec<Diagnostic>,
    print: Option<Print>,
}

impl Sink for Compare<'_> {
    type T = Result<Compared, Outside>;

    fn cached(&self, batch: &Batch<'_>) -> Option<Self::T> {
        let known = self.known.as_ref().filter(|_| self.look)?;
        let mut found = known.start(batch);
        // What cannot be read is said by who compiles it.
        drift::made(self.out, &folders(batch, self.options), |name, bytes| found.add(name, bytes)).ok()?;
        let print = found.print();
        let (unchanged, services) = (found.files, batch.services.len());
        let compared = Compared { unchanged, known: services, print: Some(print), ..Compared::default() };
        known.has(&print).then_some(Ok(compared))
    }

    fn inspect_first(&self) -> bool {
        self.look
    }

    fn accept(&self, batch: &Batch<'_>, part: Output) -> Option<Self::T> {
        let drift = match drift::drift(self.out, &part.tree, &folders(batch, self.options)) {
            Ok(drift) if !part.searched && !drift.items.is_empty() => return None,
            Ok(drift) => drift,
            Err(e) => return Some(Err(e)),
        };
        let mut diagnostics = berthc::change::judge(&part.model, &drift.old(), &part.tree);
        diagnostics.extend(left_out(&drift, &part.model));
        let print = self.known.as_ref().map(|known| {
            let mut made = known.start(batch);
            part.tree.iter().for_each(|(name, text)| made.add(name, text.as_bytes()));
            made.print()
        });
        let Drift { items, unchanged } = drift;
        let wait = |mut item: Item| {
            let text = self.spool.keep((self.text)(&mut item))?;
            Ok(Change { name: item.name, state: item.state, text })
        };
        let changes: Result<Vec<Change>, Outside> = items.into_iter().map(wait).collect();
        Some(changes.map(|changes| Compared { changes, unchanged, known: 0, diagnostics, print }))
    }

    fn progress(&self, done: usize, of: usize) {
        if let Ok(mut line) = self.line.lock() {
            line.tell(|| format!("compiling {done} of {of}"));
        }
    }
}

/// What becomes of what differs.
#[derive(Clone, Copy)]
enum Use {
    /// It is written.
    Write,
    /// It is shown; for `look`, see [`Compare`].
    Show { look: bool },
}

/// Compiles, and compares with what stands in OUT.
fn done(job: &job::Job, to: Use) -> Result<Done, Outside> {
    let (job::Ready { specs, mut options, mut read, .. }, out) = job.ready()?;
    options.threads = threads::cores();
    let known = Known::open(specs.count(), &options);
    let (look, text, spool): (_, fn(&mut Item) -> String, _) = match to {
        Use::Write => (false, |item| std::mem::take(&mut item.new), Spool::new(Some(&out))),
        Use::Show { look } => (look, |item| item.diff(), Spool::new(None)),
    };
    let line = Mutex::default();
    let compare = Compare { out: &out, options: &options, look, known, text, spool, line };
    let (mut rest, parts) = berthc::compile_each(&specs, &read::Disk, &options, &compare);
    let Compare { known, spool, line, .. } = compare;
    line.into_inner().unwrap_or_default().clear();
    // It says nothing of a spec, but of the disk.
    if let Some(unread) = rest.diagnostics.iter().find(|d| d.code == Code::SpecUnread.as_str()) {
        return Err(unread.message.clone());
    }
    let is_service = |name: &String| rest.services.contains(name) || specs.count() == 0;
    if let Some(name) = options.bootstrap.iter().find(|name| !is_service(name)) {
        return Err(format!("--bootstrap {name}: no spec of this compile is the service `{name}`"));
    }
    let mut diagnostics = std::mem::take(&mut rest.diagnostics);
    let mut whole = None;
    if !failed(&diagnostics) {
        let mut changes = Changes::default();
        let mut prints = Vec::new();
        for part in parts {
            let Compared { changes: own, unchanged, known, diagnostics: also, print } = part?;
            changes.all.extend(own);
            changes.unchanged += unchanged;
            changes.known += known;
            diagnostics.extend(also);
            prints.extend(print);
        }
        if let Some(known) = known {
            known.keep(prints);
        }
        changes.all.sort_by(|a, b| a.name.cmp(&b.name));
        // Only the specs of a project are all that OUT is made from.
        if !options.partial {
            let gone = drift::left_behind(&out, |name| rest.services.contains(name));
            diagnostics.extend(gone.into_iter().map(|name| left_behind(&out.join(name))));
        }
        whole = Some(changes);
    }
    let sources = rest.sources(&diagnostics);
    read.extend(rest.read);
    Ok(Done { sources, diagnostics, out, changes: whole, spool, read })
}

/// Revisions behind files that would change, whose specs stand there and were not given.
fn left_out(drift: &Drift, model: &Model) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, spec) in drift.origins() {
        let Some(given) = model.find(name).filter(|s| s.revision.is_some()) else { continue };
        let path = Path::new(&given.source.path).with_file_name(spec);
        if spec.contains('/') || model.named(name).any(|s| s.file == spec) || !path.is_file() {
            continue;
        }
        let path = path.to_string_lossy();
        let message = format!("{path} is not given, and OUT holds what was made from it");
        found.push(
            Diagnostic::error(Code::RevisionLeftOut, given.place(&route!["revision"]), message)
                .why("its files would be taken away, and whoever deploys OUT would stop its members")
                .fix("compile them together", format!("berthc compile {} {path}", given.source.path))
                .advice("or take its spec away, if the revision is gone"),
        );
    }
    found
}

/// A folder of a service that is gone.
fn left_behind(folder: &Path) -> Diagnostic {
    let folder = folder.display();
    let message = format!("{folder} was made by berthc, and no spec of berthc.toml makes it any more");
    Diagnostic::warning(Code::LeftBehind, Place::NOWHERE, message)
        .why("whoever deploys all of OUT starts it, too; after a rename on the data of the new name")
        .fix("stop what runs of it, and take it away", format!("git rm -r {folder}"))
}

/// Whether it went well.
fn compile(args: &Compile) -> Result<bool, Outside> {
    let job = &args.job;
    let Done { sources, diagnostics, out, changes, spool, read } = done(job, Use::Write)?;
    let failed = failed(&diagnostics);
    let written = changes.filter(|_| !failed);
    let mut report = output::Report::default();
    let (mut changed, mut removed, mut unchanged) = (Vec::new(), Vec::new(), 0);
    if let Some(changes) = &written {
        let rule = match &args.depfile {
            Some(file) => Some((file, depfile::rule(file, &read)?)),
            None => None,
        };
        write::write(&out, changes, &spool)?;
        if let Some((file, rule)) = rule {
            write::replace(file, rule.as_bytes())?;
        }
        report.summary = write::summary(changes, &out);
        let made = changes.all.iter().filter(|c| c.state != drift::State::Extra);
        changed.extend(made.map(|c| c.name.as_str()));
        removed.extend(changes.names(drift::State::Extra));
        unchanged = changes.unchanged;
    }
    report.json = Map::from_iter([
        ("written".into(), json!(changed)),
        ("removed".into(), json!(removed)),
        ("unchanged".into(), json!(unchanged)),
    ]);
    job.output.report(&sources, &diagnostics, report)?;
    Ok(!failed)
}

/// The folders of a batch that a run owns: those of its services, for the targets that it emits.
fn folders(batch: &Batch<'_>, options: &Options) -> Vec<String> {
    let wanted = |t: &Target| options.targets.is_empty() || options.targets.contains(t);
    let mut all = BTreeSet::new();
    for name in batch.names() {
        all.insert(name.to_owned());
        all.extend(Target::ALL.iter().filter(|t| wanted(t)).map(|t| format!("{name}/{}", t.name())));
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
