//! A compile can be split by spec: a spec with the specs that it names, directly or not, gives the
//! same files alone as among all others. Builds with one rule per spec depend on this.

use std::collections::{BTreeMap, BTreeSet};

use berthc::spec::load;
use berthc::spec::node::Kind;
use berthc::{Files, Input, Options, Tree};

use crate::harness::{root, walk};

struct Disk;

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(root().join(path)).map_err(|e| e.to_string())
    }
}

fn compile(inputs: &[Input]) -> Tree {
    let compiled = berthc::compile(inputs, &Disk, &Options::default());
    compiled.tree.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

/// Returns `service`, and the names of the services in a text.
fn names(input: &Input) -> (String, BTreeSet<String>) {
    let tree = load::load(0, &input.path, &input.text).unwrap();
    let Kind::Map(fields) = &tree.kind else { panic!("{}", input.path) };
    let field = |name: &str| fields.iter().find(|(key, _)| key.name == name).map(|(_, value)| &value.kind);
    let Some(Kind::Str(service)) = field("service") else { panic!("{}", input.path) };
    let mut named: BTreeSet<String> = BTreeSet::from([service.clone()]);
    if let Some(Kind::Seq(apart)) = field("apart_from") {
        named.extend(apart.iter().filter_map(|n| match &n.kind {
            Kind::Str(name) => Some(name.clone()),
            _ => None,
        }));
    }
    for quote in ['\'', '"'] {
        let call = format!("peers({quote}");
        let calls = input.text.split(&call).skip(1);
        named.extend(calls.map(|rest| rest.split(quote).next().unwrap().to_owned()));
    }
    (service.clone(), named)
}

#[test]
fn a_spec_compiles_to_the_same_files_alone() {
    let (mut alone, mut files) = (0, 0);
    for folder in ["specs", "tests/specs"] {
        let paths = walk(&root().join(folder));
        let inputs: Vec<Input> = paths
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "toml"))
            .filter(|p| p.parent() == Some(&root().join(folder)))
            .map(|p| Input {
                path: p.strip_prefix(root()).unwrap().to_string_lossy().into_owned(),
                text: std::fs::read_to_string(p).unwrap(),
            })
            .collect();
        let whole = compile(&inputs);
        let about: Vec<(String, BTreeSet<String>)> = inputs.iter().map(names).collect();
        let mut by_name: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (service, named) in &about {
            by_name.entry(service).or_default().extend(named.iter().map(String::as_str));
        }
        for start in by_name.keys() {
            let mut wanted = BTreeSet::new();
            let mut open = vec![*start];
            while let Some(name) = open.pop() {
                if wanted.insert(name) {
                    open.extend(&by_name[name]);
                }
            }
            let some: Vec<Input> = inputs
                .iter()
                .zip(&about)
                .filter(|(_, (service, _))| wanted.contains(service.as_str()))
                .map(|(input, _)| input.clone())
                .collect();
            alone += usize::from(some.len() < inputs.len());
            let own = |tree: &Tree| -> Tree {
                let mine = tree.iter().filter(|(path, _)| path.starts_with(&format!("{start}/")));
                mine.map(|(path, text)| (path.clone(), text.clone())).collect()
            };
            let (split, whole) = (own(&compile(&some)), own(&whole));
            files += split.len();
            assert!(split == whole, "{start} differs among others: {:?}", differing(&split, &whole));
        }
    }
    assert!(alone > 25 && files > 150, "{alone} compiles of {files} files");
}

fn differing<'t>(a: &'t Tree, b: &'t Tree) -> Vec<&'t String> {
    a.keys().chain(b.keys()).filter(|path| a.get(*path) != b.get(*path)).collect()
}
