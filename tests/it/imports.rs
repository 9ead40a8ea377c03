//! Checks that data flows in one direction: each module imports only modules that come before it.

use crate::harness::{root, walk};

/// In the order of the data; a module may use itself and what stands left of it. `diag` and
/// `code` name each other's types, as `source` and `spec` do.
const ORDER: &[&[&str]] = &[
    &["code", "diag", "text", "threads", "backend"],
    &["target", "hazard", "gap", "finding"],
    &["images"],
    &["input", "options", "value", "spec"],
    &["model"],
    &["schema"],
    &["emit"],
    &["plan"],
    &["world"],
    &["mechanism"],
    &["explore"],
    &["verify"],
    &["certificate", "change"],
    &["compile"],
    &["explain"],
];

fn layer(module: &str) -> usize {
    ORDER.iter().position(|l| l.contains(&module)).unwrap_or_else(|| panic!("no layer has `{module}`"))
}

#[test]
fn imports_run_one_way() {
    for path in walk(&root().join("src")) {
        let relative = path.strip_prefix(root().join("src")).unwrap().to_string_lossy().into_owned();
        if relative.starts_with("cli") || relative == "main.rs" || relative == "lib.rs" {
            continue;
        }
        let own = relative.split(['/', '.']).next().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|l| !l.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                // Macros, names at the root (`crate::options::Options`) and lists of them have no layer.
                if used.is_empty() || used == "route" {
                    continue;
                }
                assert!(layer(&used) <= layer(&own), "{relative} imports {used}: {line}");
            }
        }
    }
}

/// Targets do not import one another.
#[test]
fn targets_stand_alone() {
    for target in ["kubernetes", "fleet", "swarm"] {
        for path in walk(&root().join("src/plan").join(target)) {
            let text = std::fs::read_to_string(&path).unwrap();
            for other in ["kubernetes", "fleet", "swarm"].iter().filter(|o| **o != target) {
                for import in
                    [format!("plan::{other}"), format!("super::super::{other}"), format!("super::{other}")]
                {
                    assert!(!text.contains(&import), "{} imports {import}", path.display());
                }
            }
        }
    }
}
