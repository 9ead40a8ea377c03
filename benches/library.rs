//! Measures the library without disk or process: `cargo bench --bench library`.

#![allow(clippy::unwrap_used, reason = "a benchmark fails loudly")]

mod hostile;
mod monorepo;

use berthc::explore::{Bounds, explore};
use berthc::images::Images;
use berthc::target::Target;
use berthc::text::yaml;
use berthc::verify::verify;
use berthc::world::{File, World, read};
use berthc::{Files, Input, Options};
use divan::counter::{BytesCount, ItemsCount};
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

/// Reads files that are made to cost much. The bytes a second hardly fall as the texts grow, because no
/// reader needs time that grows with the square of a text. The same is true of the next two.
#[divan::bench(args = [(Target::Kubernetes, 1), (Target::Kubernetes, 2), (Target::Kubernetes, 4), (Target::Fleet, 1),
    (Target::Fleet, 2), (Target::Fleet, 4), (Target::Swarm, 1), (Target::Swarm, 2), (Target::Swarm, 4)])]
fn hostile_files(bencher: Bencher<'_, '_>, (target, n): (Target, usize)) {
    let (path, texts) = match target {
        Target::Kubernetes => ("a.yaml", hostile::manifests(n)),
        Target::Fleet => ("a@.service", hostile::units(n)),
        Target::Swarm => ("a.yml", hostile::stacks(n)),
    };
    bencher.counter(bytes(&texts)).bench(|| {
        for text in &texts {
            black_box(read(target, &[File { path, text }], Images::builtin().into()));
        }
    });
}

/// Reads YAML with many aliases, deep lists or many documents, and the place of each value.
#[divan::bench(args = [1, 2, 4])]
fn hostile_yaml(bencher: Bencher<'_, '_>, n: usize) {
    let mut texts = hostile::yaml(n);
    texts.push(hostile::documents(n));
    bencher.counter(bytes(&texts)).bench(|| {
        for text in &texts {
            let (documents, _) = yaml::read(text);
            for value in documents.iter().flat_map(|d| d.scalars()) {
                black_box((value.line(), value.field()));
            }
        }
    });
}

/// Compiles specs with long or nested expressions.
#[divan::bench(args = [1, 2, 4])]
fn hostile_specs(bencher: Bencher<'_, '_>, n: usize) {
    let texts = hostile::specs(n);
    bencher.counter(bytes(&texts)).bench(|| {
        for text in &texts {
            let input = Input { path: "db.yaml".into(), text: text.clone() };
            black_box(berthc::compile(&[input], &Nothing, &Options::default()));
        }
    });
}

fn bytes(texts: &[String]) -> BytesCount {
    BytesCount::new(texts.iter().map(String::len).sum::<usize>())
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
