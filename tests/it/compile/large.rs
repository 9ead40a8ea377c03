//! The specs of the benchmarks compile: a large repository without a clash.

use crate::harness::Memory;
use berthc::{Options, compile};

#[path = "../../../benches/monorepo/mod.rs"]
mod monorepo;

#[test]
fn a_repository_of_many_specs_has_no_clash() {
    let compiled = compile(&monorepo::specs(12, 3), &Memory::default(), &Options::default());
    let errors: Vec<_> = compiled.diagnostics.iter().map(|d| &d.message).collect();
    assert!(compiled.tree.is_some(), "{errors:?}");
}
