//! Compares the output of the services in `specs/` with snapshots, one for each service and target.

use std::collections::BTreeMap;

use crate::harness::{berthc, golden, root, stderr, walk};

#[test]
fn specs_compile_to_the_reviewed_files() {
    let out = tempfile::tempdir().unwrap();
    let run = berthc(&["compile".as_ref(), "specs".as_ref(), "-o".as_ref(), out.path().as_os_str()]);
    assert!(run.status.success(), "{}", stderr(&run));
    let mut pages: BTreeMap<(String, String), String> = BTreeMap::new();
    for path in walk(out.path()) {
        let relative = path.strip_prefix(out.path()).unwrap().to_string_lossy().into_owned();
        let mut steps = relative.splitn(3, '/');
        let (service, target) = (steps.next().unwrap().to_owned(), steps.next().unwrap().to_owned());
        let text = std::fs::read_to_string(&path).unwrap();
        let page = pages.entry((service, target.trim_end_matches(".md").to_owned())).or_default();
        match steps.next() {
            Some(file) => page.push_str(&format!("//// {file}\n{text}")),
            None => page.push_str(&text),
        }
    }
    assert!(pages.len() > 30);
    for ((service, target), page) in &pages {
        golden(service, target, page);
    }
    // Every snapshot must belong to a service.
    for path in walk(&root().join("golden")) {
        let relative = path.strip_prefix(root().join("golden")).unwrap().to_string_lossy().into_owned();
        if relative == "spec.schema.json" {
            continue;
        }
        let (service, target) = relative.trim_end_matches(".snap").split_once('/').unwrap();
        // Other tests compare these snapshots.
        let known =
            ["errors", "found"].contains(&service) || pages.contains_key(&(service.into(), target.into()));
        assert!(known, "golden/{relative} belongs to nothing");
    }
}

#[test]
fn two_runs_give_the_same_bytes() {
    let texts: Vec<(String, String)> = walk(&root().join("specs"))
        .into_iter()
        .filter(|p| {
            p.extension().is_some_and(|e| e == "yaml" || e == "toml")
                && p.parent() == Some(&root().join("specs"))
        })
        .map(|p| (p.to_string_lossy().into_owned(), std::fs::read_to_string(&p).unwrap()))
        .collect();
    let inputs = |order: &mut dyn Iterator<Item = &(String, String)>| -> Vec<berthc::Input> {
        order.map(|(path, text)| berthc::Input { path: path.clone(), text: text.clone() }).collect()
    };
    let files = crate::harness::Memory::default();
    let options = berthc::Options::default();
    let forward = berthc::compile(&inputs(&mut texts.iter()), &files, &options);
    let backward = berthc::compile(&inputs(&mut texts.iter().rev()), &files, &options);
    assert!(forward.tree.is_some(), "{:#?}", forward.diagnostics);
    assert_eq!(forward.tree, backward.tree, "the order of the inputs shows in the output");
}
