//! Tests the reader of fleet's units.

mod cases;
mod commands;
mod hostile;
mod starts;

use berthc::finding::Level;
use berthc::images::Images;
use berthc::world::{File, Workload, World, fleet};

use crate::harness::{root, walk};

/// Reads units, by name.
pub fn read<N: AsRef<str>, T: AsRef<str>>(units: &[(N, T)]) -> World {
    let files: Vec<File> =
        units.iter().map(|(path, text)| File { path: path.as_ref(), text: text.as_ref() }).collect();
    fleet::read(&files, Images::builtin())
}

/// Returns a unit that runs `command`, with the options `x_fleet`.
pub fn unit(command: &str, x_fleet: &str) -> String {
    format!("[Service]\nExecStart={command}\n[X-Fleet]\n{x_fleet}\n")
}

/// Returns `LEVEL CODE FILE:LINE` of every finding.
pub fn codes(world: &World) -> Vec<String> {
    let level = |level| if level == Level::Violation { "!" } else { "" };
    world
        .findings
        .iter()
        .map(|f| format!("{}{} {}:{}", level(f.level), f.code, f.at[0].file, f.at[0].line))
        .collect()
}

/// Returns the parts that are not understood, without places.
pub fn unread(world: &World) -> Vec<&str> {
    world.unread.iter().map(|u| u.what.as_str()).collect()
}

pub fn find<'w>(world: &'w World, name: &str) -> &'w Workload {
    world.workloads.iter().find(|w| w.name == name).unwrap_or_else(|| panic!("{world:#?}"))
}

/// Returns all units that berthc emits for the specs of a folder.
pub fn emitted(folder: &str) -> Vec<(String, String)> {
    let specs: Vec<(String, String)> = walk(&root().join(folder))
        .into_iter()
        .filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "toml"))
        .map(|p| (p.to_string_lossy().into_owned(), std::fs::read_to_string(&p).unwrap()))
        .collect();
    let inputs: Vec<berthc::Input> =
        specs.iter().map(|(path, text)| berthc::Input { path: path.clone(), text: text.clone() }).collect();
    let files = Beside(root().join(folder));
    let compiled = berthc::compile(&inputs, &files, &berthc::Options::default());
    let tree = compiled.tree.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics));
    tree.into_iter().filter(|(path, _)| path.contains("/fleet/")).collect()
}

/// The files next to the specs.
struct Beside(std::path::PathBuf);

impl berthc::Files for Beside {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(path)).map_err(|e| e.to_string())
    }
}

#[test]
fn every_emitted_unit_is_read_completely() {
    for (folder, count) in [("specs", 30), ("tests/specs", 10)] {
        let units = emitted(folder);
        assert!(units.len() >= count, "{}", units.len());
        let world = read(&units);
        assert_eq!(world.unread, [], "{folder}");
        assert_eq!(world.findings, [], "{folder}");
        assert_eq!(world.workloads.len(), units.len());
        for w in &world.workloads {
            assert!(!w.image.is_empty() && w.grace > 0 && w.grace_at.is_some(), "{w:#?}");
            assert!(w.kills.is_none() && w.outlives.is_none(), "{w:#?}");
            assert!(w.members[0].container.is_some(), "{w:#?}");
        }
    }
}
