//! Tests that the reader understands everything that berthc emits.

use super::*;
use berthc::images::Images;
use berthc::{Options, Tree};

/// Returns the trees of every spec of a folder, compiled together or, if that is not possible,
/// alone.
pub fn trees() -> Vec<Tree> {
    let mut trees = Vec::new();
    for folder in ["specs", "tests/specs"] {
        let texts: Vec<(String, String)> = walk(&root().join(folder))
            .into_iter()
            .filter(|p| p.extension().is_some_and(|e| e == "yaml" || e == "toml"))
            .map(|p| {
                (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&p).unwrap())
            })
            .collect();
        let inputs: Vec<berthc::Input> =
            texts.into_iter().map(|(path, text)| berthc::Input { path, text }).collect();
        let compiled = berthc::compile(&inputs, &Disk(folder), &Options::default());
        trees.push(compiled.tree.unwrap_or_else(|| panic!("{folder}: {:?}", compiled.diagnostics)));
    }
    trees
}

struct Disk(&'static str);

impl berthc::Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(root().join(self.0).join(path)).map_err(|e| e.to_string())
    }
}

fn stacks(tree: &Tree) -> Vec<File<'_>> {
    let stack = |path: &str| path.contains("/swarm/") && path.ends_with(".yml");
    tree.iter().filter(|(p, _)| stack(p)).map(|(path, text)| File { path, text }).collect()
}

#[test]
fn every_emitted_stack_is_read_completely_and_has_no_findings() {
    let mut read = 0;
    for tree in trees() {
        let world = swarm::read(&stacks(&tree), Images::builtin(), berthc::world::Runner::Swarm);
        assert_eq!(world.unread, []);
        let wrong: Vec<_> = world.findings.iter().filter(|f| f.level == Level::Violation).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        read += world.workloads.len();
    }
    assert!(read > 30, "{read} services");
}

#[test]
fn every_emitted_stack_has_its_mechanisms() {
    let specs = &trees()[0];
    let world = swarm::read(&stacks(specs), Images::builtin(), berthc::world::Runner::Swarm);
    let find = |name: &str| world.workloads.iter().find(|w| w.name == name).unwrap();
    let zookeeper = find("zookeeper-1");
    assert_eq!((zookeeper.kind, zookeeper.members.len()), (Kind::Replicated, 1));
    assert_eq!((zookeeper.family.as_str(), zookeeper.image.as_str()), ("zookeeper", "zookeeper"));
    assert_eq!(zookeeper.wants[0].values, ["1"]);
    assert_eq!(
        (zookeeper.wants[0].key.as_str(), zookeeper.wants[0].one_node),
        ("node.labels.zookeeper", false)
    );
    assert_eq!(sources(&zookeeper.members[0])["/data"], &host("/mnt/d1/zookeeper-1", Missing::Refused));
    let port = &zookeeper.ports[0];
    assert_eq!((port.number, port.scheduled, port.bound), (2181, true, true));
    assert_eq!((zookeeper.update.order, zookeeper.rollback.order), (Order::StopFirst, Order::StopFirst));
    assert!(zookeeper.update.at.is_some() && zookeeper.rollback.at.is_some());
    assert_eq!((zookeeper.grace, zookeeper.members[0].ordinal), (30, Some(1)));
    let search = world.workloads.iter().find(|w| w.name.starts_with("elasticsearch-data")).unwrap();
    assert_eq!((search.kind, search.lock.is_some()), (Kind::Global, true));
    assert!(search.node_network.is_some() && search.ports.iter().all(|p| p.scheduled && !p.bound));
    let redis = world.workloads.iter().find(|w| w.family == "redis").unwrap();
    let reserved = |s: &&Source| matches!(s, Source::Volume { reserved: Some(_), .. });
    assert_eq!(redis.members[0].mounts.iter().filter(|m| reserved(&&m.source)).count(), 1);
    let fenced = |s: &Source| matches!(s, Source::Volume { fences: Fences::Always, .. });
    assert!(
        world.workloads.iter().flat_map(|w| &w.members).flat_map(|m| &m.mounts).any(|m| fenced(&m.source))
    );
}
