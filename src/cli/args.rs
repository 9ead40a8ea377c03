//! The arguments of the program and its help.

use clap::{ColorChoice, Parser, Subcommand};

use super::compile::Compile;
use super::{check, explain, init, shell, verify};

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
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Colours of messages; auto heeds NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub enum Command {
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
