//! The arguments of the program and its help.

use clap::{ColorChoice, Parser, Subcommand};

use super::compile::Compile;
use super::{check, explain, init, shell, verify};

/// Compiles one spec of a stateful service to Kubernetes, fleet and Docker Swarm files. With these
/// files, at most one running container at any time holds the data, the right to write, the
/// hostname, the address, the id and the ports of a member.
#[derive(Debug, Parser)]
#[command(name = "berthc", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_help = "\
Start here:
  berthc init volume --service orders-db > specs/orders-db.yaml
  berthc compile specs -o deploy

Exit codes: 0 success; 1 the specs have errors, and no file was written; 2 wrong usage, or a file
could not be read or written. `berthc check` and `berthc verify` have their own, see their help.")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// When to colour messages; auto respects NO_COLOR
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compile specs to OUT/SERVICE/{kubernetes,fleet,swarm}/
    #[command(after_help = "\
Compile specs together if they name each other (`peers('x')`, `apart_from`, two revisions of one
service). One run reports all errors of all specs. If there is an error, no file is written.
Otherwise berthc writes only the files that changed, and each file is replaced as a whole. In the
folders of the compiled services it also removes files that it wrote before and that no spec needs
any more. It never changes files without berthc's header: if one stands where a file must be
written, nothing is written. Two runs on one OUT wait for each other.

A berthc.toml in this folder, or in a parent folder of the same repository, sets the defaults:
  specs = [\"specs/*.yaml\"]
  out = \"deploy\"
  templates = \"templates\"
  [targets]
  kubernetes = { version = \"1.34\", namespace = \"db\" }
  [env.prod]
  out = \"deploy/prod\"
  set.orders-db = { image = \"postgres:16.5\", members.count = 3 }
Its paths are relative to its folder. A spec without `targets` gets those of berthc.toml; in a spec
with `targets`, the fields that it leaves out get their value from there. `env.NAME.set` overrides
specs, by service, with `--env NAME`. A spec overrides its `base`, an environment overrides both,
and `--set` overrides everything. Maps are merged, other values are replaced, and `null` removes a
value.

Examples:
  berthc compile specs -o deploy
  berthc compile specs/etcd.toml -o deploy --target fleet --bootstrap etcd
  berthc init volume --service orders-db | berthc compile - -o deploy
  berthc compile --env prod --set orders-db:image=postgres:$TAG --format json")]
    Compile(Compile),
    /// Compare OUT with what compile would write, without writing
    #[command(after_help = "\
Prints a unified diff from the files in OUT to what compile would write, for `patch -p1`. A file
that no spec needs any more is reported as extra. Files without berthc's header are ignored.

With 100 or more specs, compile and check cache a fingerprint of each service's inputs (including
this binary) and outputs. check skips a service whose inputs and outputs have not changed, unless it
has raw additions. The cache is the folder BERTHC_CACHE, otherwise berthc/ in XDG_CACHE_HOME or
~/.cache. An empty BERTHC_CACHE turns the cache off, and --verify ignores it. A cache that another
user can write is not used.

Exit codes: 0 OUT is up to date; 1 OUT differs; 2 the specs have errors, wrong usage, or a file could
not be read.")]
    Check(check::Check),
    /// Show what protects each resource, or what a diagnostic means
    #[command(after_help = "\
For specs, prints the mechanism that protects each resource from each hazard, with file, field and
line. For a code, a gap, a hazard, a resource or a mechanism, prints what it means, what goes wrong
step by step, and how to fix it.

Examples:
  berthc explain specs/kafka.yaml specs/elasticsearch-data.v1.yaml --target swarm
  berthc explain swarm/data/partition
  berthc explain member-moves")]
    Explain(explain::Explain),
    /// Search any manifests, units and stack files for two holders of one resource
    #[command(after_help = "\
Reads Kubernetes manifests, Docker Swarm stack files and fleet units from any source, and searches
everything that a small cluster can do with them: updates, rollbacks, a second revision, changed
labels, network partitions, reboots and drains of nodes, missing disks. Each violation is shown as
the shortest sequence of events, with file and line and the line to change. berthc also lists what
it did not understand. A comment in the file, an annotation `berthc/accept`, or berthc.toml accepts
a finding of one object:
  # berthc: accept swarm/data/move because \"the plugin's volumes are made by hand\"
  [[verify.accept]]
  code = \"swarm/data/move\"
  object = \"db\"                  # or statefulset/db, NAMESPACE/statefulset/db, db.service
  because = \"the plugin's volumes are made by hand\"
`verify.quiet = [\"example.com\", \"example.org/Widget\"]` there names kinds that start no pods with data.

Exit codes: 0 everything that may hold data was read and searched, without a violation;
1 a violation; 2 wrong usage, or a file could not be read; 3 something that may hold data was not
searched, or the search reached its limit. For each such thing a line says what it is, where, why,
and what to do.

Examples:
  berthc verify deploy
  berthc verify deploy --fix --diff
  berthc verify stack.yml --force-actions --nodes 3
  helm template CHART | berthc verify -
  berthc verify --kustomize overlays/prod
  berthc verify deploy --against origin/main
  kubectl get -A sts,deploy,ds,job,cronjob,pod,pvc,pv,pdb,svc,sc -o yaml | berthc verify -
  docker stack config -c stack.yml | berthc verify -
  berthc explain swarm/data/update")]
    Verify(verify::Verify),
    /// Print a commented starter spec
    #[command(after_help = "\
Kinds, by the place of the data:
  node     one member on each labelled node, data on its disk (Elasticsearch, Cassandra, CockroachDB)
  pinned   numbered members, each pinned to one node (ZooKeeper, etcd)
  volume   numbered members that move with their network volumes (PostgreSQL, Kafka, Redis)
  writer   one member without data of its own
  external a service that already runs elsewhere and that other specs refer to")]
    Init(init::Init),
    /// Print the JSON Schema of a spec, for editors, or the reference of its fields
    #[command(after_help = "\
Examples:
  berthc schema > spec.schema.json
  berthc schema --markdown > spec.md
Then write as the first line of a spec:
  # yaml-language-server: $schema=../spec.schema.json")]
    Schema {
        /// Print the reference of all fields in Markdown instead
        #[arg(long)]
        markdown: bool,
    },
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
