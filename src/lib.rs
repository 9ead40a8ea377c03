//! berthc compiles one spec of a stateful service to Kubernetes, fleet and Docker Swarm files.
//!
//! A *berth* is everything that only one running container may hold for one member of the service:
//! its data, its right to write, its hostname, its address, its id and its ports
//! ([`hazard::Resource`]). A *mechanism* is one rule of a file, or one property of an orchestrator,
//! that alone keeps a second container away from a berth ([`mechanism`]). A *hazard* is an event that
//! can bring a second container, such as an update or a lost node ([`hazard::Hazard`]). If nothing
//! protects a resource under a hazard, this is a *gap* ([`gap`]).
//!
//! # Steps
//!
//! ```text
//!                                                    certify
//! spec text -> Spec -> Model -> Plan -> Tree -> World -----> Certificate
//!           parse    check    plan    emit    read   -----> Findings
//!                                                    explore
//! ```
//!
//! 1. [`spec`] reads YAML or TOML into one tree and one [`spec::Spec`], each field with its place.
//! 2. [`model`] checks that the spec describes a valid service. It reports every error at once,
//!    with the line to write.
//! 3. [`plan`] makes every decision, one plan for each orchestrator: names, labels, order, waits.
//! 4. [`emit`] renders plans through `templates/`; it makes no decisions.
//! 5. [`world`] reads the emitted text back, without access to any plan. [`mechanism`] declares each
//!    mechanism once and finds it in a World. Steps 6 and 7 use both.
//! 6. [`certificate`] has a table of the mechanisms that a resource needs under each hazard, and
//!    looks for them among those that the World carries. Where there is none, this is a gap, which
//!    the spec must waive with a reason.
//! 7. [`explore`] searches every state that a small cluster can reach with that World. A breach
//!    that no gap names is one more gap (`compile/cross_check.rs`). [`verify`] does the same for
//!    files that berthc did not emit.
//!
//! Besides these steps, [`change`] reports which changes to an older tree, or to older files from any
//! source, cannot be applied directly.
//!
//! [`compile()`] reads the specs one by one and keeps a summary of each (`compile/summary.rs`). From
//! the summaries it learns which specs can affect one another (`compile/index.rs`). Such specs form a
//! batch (`compile/batch.rs`): they are read again and go through steps 2 to 7 together
//! (`compile/pipeline.rs`). Several batches run in parallel.
//!
//! The library reads no file, no clock and no environment variable. Files that a spec names come
//! through [`Files`], and the result is a [`Tree`] of paths and texts. [`Compiled::read`] lists
//! every file that was read, for `cargo::rerun-if-changed` and similar tools.
//!
//! CONTRIBUTING.md lists the files to edit for a new field, mechanism or orchestrator.

pub mod backend;
pub mod certificate;
pub mod change;
pub mod code;
pub mod compile;
pub mod diag;
pub mod emit;
pub mod explain;
pub mod explore;
pub mod finding;
pub mod gap;
pub mod hazard;
pub mod images;
pub mod input;
pub mod kubernetes_api;
pub mod mechanism;
pub mod model;
pub mod options;
pub mod plan;
pub mod schema;
pub mod spec;
pub mod target;
pub mod text;
pub mod threads;
pub mod value;
pub mod verify;
pub mod world;

pub use compile::{Batch, Compiled, Output, Report, Sink, compile, compile_each};
pub use diag::{Diagnostic, Severity};
pub use emit::Tree;
pub use input::{Files, Input, Specs};
pub use options::Options;
pub use spec::project::Project;
pub use target::Target;
