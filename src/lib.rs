//! berthc compiles one spec of a stateful service to Kubernetes, fleet and Docker Swarm files.
//!
//! # Steps
//!
//! ```text
//! spec text -> Spec -> Model -> Plan -> Tree -> World -> Certificate
//!           parse    check    plan    emit    read     certify
//! ```
//!
//! 1. [`spec`] reads YAML or TOML into one tree and one [`spec::Spec`], each field with its place.
//! 2. [`model`] says whether it is a valid service: every fault at once, with the line to write.
//! 3. [`plan`] decides everything, one plan for each orchestrator: names, labels, order, waits.
//! 4. [`emit`] prints plans through `templates/`; it decides nothing.
//! 5. [`world`] reads the emitted text back; it knows nothing of any plan.
//! 6. [`certificate`] says of that text what holds every resource under every hazard; what
//!    nothing holds is a gap, which the spec must waive with a reason.
//! 7. [`explore`] searches what a small cluster may do with that text; what breaks and no gap
//!    names is one more gap ([`prove`]). [`verify`] does the same for files of anyone.
//!
//! Beside that way, [`change`] says which of the changes to an older tree cannot simply be applied.
//!
//! Specs are read one by one, and an summary of each is kept (`index`, `summary`): it says which of
//! them may meet. For each batch of these (`batches`) its specs are read again, and steps 2 to 7 are
//! walked (`parts`), several batches side by side.
//!
//! The library reads no file, no clock and no environment: what a spec reads comes through
//! [`source::Files`], and the result is a [`emit::Tree`] of paths and texts. [`Compiled::read`]
//! names every file behind it, for `cargo::rerun-if-changed` and its like.

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
pub use options::Options;
pub use spec::project::Project;
pub use spec::source::{Files, Input, Specs};
pub use target::Target;
