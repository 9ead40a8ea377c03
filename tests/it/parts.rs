//! A compile is made in parts: what may meet is in one part, and parts change nothing else.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use berthc::source::beside;
use berthc::{Each, Files, Input, Lot, Options, Part, Tree, compile_each};

use crate::harness::{self, Memory, root, walk};

struct Disk;

impl Files for Disk {
    fn read(&self, spec: &str, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(root().join(beside(spec, path))).map_err(|e| e.to_string())
    }
}

fn specs(folder: &str) -> Vec<Input> {
    let all = walk(&root().join(folder)).into_iter();
    let own = all.filter(|p| p.parent() == Some(&root().join(folder)));
    own.filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "toml"))
        .map(|p| Input {
            path: p.strip_prefix(root()).unwrap().to_string_lossy().into_owned(),
            text: std::fs::read_to_string(p).unwrap(),
        })
        .collect()
}

#[test]
fn threads_change_nothing() {
    for folder in ["specs", "tests/specs"] {
        let inputs = specs(folder);
        let one = berthc::compile(&inputs, &Disk, &Options::default());
        let four = berthc::compile(&inputs, &Disk, &Options { threads: 4, ..Options::default() });
        assert!(one.tree.is_some(), "{:#?}", one.diagnostics);
        assert_eq!((one.tree, one.diagnostics), (four.tree, four.diagnostics));
    }
}

/// Wants a search of every second part.
#[derive(Default)]
struct Half {
    told: AtomicUsize,
}

impl Each for Half {
    type Kept = (bool, Tree);

    fn looks(&self) -> bool {
        true
    }

    fn keep(&self, lot: &Lot<'_>, part: Part) -> Option<(bool, Tree)> {
        let kept = part.searched || lot.services[0].is_multiple_of(2);
        kept.then_some((part.searched, part.tree))
    }

    fn tell(&self, done: usize, of: usize) {
        assert!(done <= of);
        self.told.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_part_that_is_kept_at_first_sight_is_not_searched() {
    let inputs = specs("specs");
    let whole = berthc::compile(&inputs, &Disk, &Options::default()).tree.unwrap();
    let half = Half::default();
    let (rest, parts) = compile_each(inputs, &Disk, &Options::default(), &half);
    assert!(rest.diagnostics.iter().all(|d| d.severity != berthc::Severity::Error));
    assert_eq!(half.told.into_inner(), parts.len());
    let searched = parts.iter().filter(|p| p.0).count();
    assert!(searched > 3 && parts.len() - searched > 3, "{searched} of {}", parts.len());
    let tree: Tree = parts.into_iter().flat_map(|p| p.1).collect();
    assert_eq!(tree, whole);
}

const NODE: &str = "revision: v1\nimage: r.io/db:1\nmembers: { per: node, on: { db: \"true\" } }\n";

fn node(name: &str, more: &str) -> String {
    format!(
        "service: {name}\n{NODE}exclusive: {{ data: {{ data: {{ mount: /data, host: /mnt/d1/{name} }} }}, \
         ports: {{ {name}: {} }} }}\n{more}",
        4000 + name.len()
    )
}

fn codes(specs: &[&str], options: &Options) -> Vec<String> {
    let names: Vec<String> = (0..specs.len()).map(|i| format!("s{i}.yaml")).collect();
    let inputs: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(specs.iter().copied()).collect();
    let (_, said) = harness::compile_with(&inputs, options);
    said.iter().map(|d| d.code.to_string()).collect()
}

/// Neither spec names the other, but the raw additions of one mount the directory of the other.
#[test]
fn what_raw_additions_take_is_searched_with_its_owner() {
    let own =
        |more: &str| format!("targets: {{ kubernetes: {{ version: \"1.34\", namespace: db{more} }} }}\n");
    let one = node("ledger", &own(""));
    let volume = "{ name: theirs, hostPath: { path: /mnt/d1/ledger, type: Directory } }";
    let mount = "{ name: theirs, mountPath: /theirs }";
    let added = format!(", pod: {{ volumes: [{volume}] }}, container: {{ volumeMounts: [{mount}] }}");
    let mounts = node("db", &own(&added));
    assert_eq!(codes(&[&one, &mounts], &Options::default()), ["kubernetes/data/neighbour"]);
    assert!(codes(&[&mounts], &Options::default()).is_empty());
    // Wherever it is mounted; and what lies around it, or in it.
    let settings = mounts.replace("/theirs", "/etc/theirs");
    assert_eq!(codes(&[&one, &settings], &Options::default()), ["kubernetes/data/neighbour"]);
    for (path, target) in [("/mnt/d1/ledger/x", "/theirs"), ("/mnt/d1", "/theirs"), ("/mnt/d1", "/etc/x")] {
        let near =
            mounts.replace("path: /mnt/d1/ledger", &format!("path: {path}")).replace("/theirs", target);
        let codes = codes(&[&one, &near], &Options::default());
        assert!(codes.iter().any(|c| c == "output-breaks"), "{path} {target}: {codes:?}");
    }
}

/// Keeps who is in which lot.
struct Lots;

impl Each for Lots {
    type Kept = Vec<usize>;

    fn keep(&self, lot: &Lot<'_>, _: Part) -> Option<Vec<usize>> {
        Some(lot.services.to_vec())
    }
}

/// What only the texts tell: a template that mounts one directory for all.
#[test]
fn texts_that_claim_one_thing_are_searched_together() {
    let name = "swarm/stack.yml.j2";
    let own: BTreeMap<&str, &str> = berthc::emit::templates().collect();
    let mut options = Options::default();
    let text = own[name].replace("source: {{ m.source }}", "source: /mnt/d1/one");
    assert_ne!(text, own[name]);
    options.templates.insert(name.into(), text);
    let target = "targets: { swarm: { engine: \"20.10\", network: net } }\n";
    let all: Vec<String> = ["db", "ledger", "store-it"].iter().map(|n| node(n, target)).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let codes = codes(&all, &options);
    assert!(codes.iter().any(|c| c == "swarm/data/neighbour"), "{codes:?}");
    let inputs: Vec<Input> = all
        .iter()
        .enumerate()
        .map(|(i, t)| Input { path: format!("s{i}.yaml"), text: (*t).to_owned() })
        .collect();
    let (_, lots) = compile_each(inputs, &Memory::default(), &options, &Lots);
    assert_eq!(lots, [[0, 1, 2]]);
}

/// A name that nothing has is the fault of one value: what others say of its service is judged.
#[test]
fn an_unknown_name_hides_no_other_fault() {
    let a = "service: a\nimage: a:1\nmembers: { count: 1 }\nenv: { P: \"{{ ports.nope }}\" }\n\
             targets: { kubernetes: { version: \"1.34\", namespace: db } }\n";
    let b =
        a.replace("service: a", "service: b").replace("env: { P: \"{{ ports.nope }}\" }", "apart_from: [a]");
    let codes = codes(&[a, &b], &Options::default());
    assert!(codes.contains(&"port-unknown".into()) && codes.contains(&"apart-one-sided".into()), "{codes:?}");
}

/// The nearest name is looked for a hundred times, not as often as there are unknown names.
#[test]
fn hints_end() {
    let peers: Vec<String> =
        (0..150).map(|n| format!("V{n}: \"{{{{ peers('orders-d{n}') | length }}}}\"")).collect();
    let spec = format!(
        "service: orders-db\nimage: b:1\nmembers: {{ count: 1 }}\nenv: {{ {} }}\n\
         targets: {{ kubernetes: {{ version: \"1.34\", namespace: db }} }}\n",
        peers.join(", ")
    );
    let (_, said) = harness::compile(&[("b.yaml", &spec)]);
    let near = said.iter().filter(|d| d.mends.iter().any(|m| m.text == "did you mean")).count();
    assert_eq!((said.len(), near), (150, 100));
}
