//! Measures the library without disk or process: `cargo bench --bench library`.

#![allow(clippy::unwrap_used, reason = "a benchmark fails loudly")]

mod monorepo;

use berthc::explore::{Bounds, explore};
use berthc::images::Images;
use berthc::target::Target;
use berthc::verify::verify;
use berthc::world::{File, World, read};
use berthc::{Files, Options};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

/// The files of specs that name no files.
pub struct Nothing;

impl Files for Nothing {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("{path} does not exist"))
    }
}

fn main() {
    divan::main();
}

/// Compiles specs to the files of three targets and their certificate.
#[divan::bench(args = [(1, 3), (3, 3), (3, 30), (3, 300), (30, 3), (300, 3)])]
fn compile(bencher: Bencher<'_, '_>, (specs, members): (usize, usize)) {
    let inputs = monorepo::specs(specs, members);
    bencher
        .counter(ItemsCount::new(specs))
        .bench(|| berthc::compile(black_box(&inputs), &Nothing, &Options::default()).tree.unwrap());
}

/// Reads and searches the files of the three targets of each service.
#[divan::bench(args = [(1, 3), (3, 3), (3, 30), (3, 300), (30, 3)])]
fn verified(bencher: Bencher<'_, '_>, (specs, members): (usize, usize)) {
    let tree = tree(specs, members);
    let files: Vec<File<'_>> = tree.iter().map(|(path, text)| File { path, text }).collect();
    bencher.counter(ItemsCount::new(specs)).bench(|| verify(black_box(&files), Bounds::default()));
}

/// Searches only; the items are the states.
#[divan::bench(args = [(Target::Kubernetes, 2), (Target::Kubernetes, 3), (Target::Fleet, 2), (Target::Fleet, 3),
    (Target::Swarm, 2), (Target::Swarm, 3)])]
fn explored(bencher: Bencher<'_, '_>, (target, nodes): (Target, usize)) {
    let world = world(target, &tree(3, 3));
    let bounds = Bounds { nodes, force: false };
    let states = explore(target, &world, bounds).states;
    bencher.counter(ItemsCount::new(states)).bench(|| explore(target, black_box(&world), bounds));
}

fn tree(specs: usize, members: usize) -> berthc::Tree {
    let inputs = monorepo::specs(specs, members);
    berthc::compile(&inputs, &Nothing, &Options::default()).tree.unwrap()
}

fn world(target: Target, tree: &berthc::Tree) -> World {
    let files = tree.iter().map(|(path, text)| File { path, text });
    let files: Vec<File<'_>> = files.filter(|f| Target::of_file(f.path, f.text) == Some(target)).collect();
    read(target, &files, Images::builtin().into())
}
