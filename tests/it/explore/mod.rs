//! Tests the search on hand-written worlds: which hazard breaks what, after a rule is removed.

mod fleet;
mod kubernetes;
mod oracle;
mod swarm;

use std::collections::{BTreeMap, BTreeSet};

use berthc::explore::{Bounds, explore};
use berthc::finding::{At, Finding};
use berthc::target::Target;
use berthc::world::{Kind, Member, Missing, Mount, Order, Port, Source, Update, Want, Workload, World};

pub fn at(field: &str) -> At {
    At { file: "x.yml".into(), line: 1, field: field.to_owned() }
}

pub fn want(key: &str, value: &str) -> Want {
    Want {
        key: key.into(),
        values: vec![value.into()],
        not: false,
        one_node: false,
        shared: false,
        at: at("constraints"),
    }
}

pub fn host(path: &str, missing: Missing) -> Mount {
    Mount {
        target: "/data".into(),
        source: Source::host(path.into(), missing),
        volume: None,
        at: at("volumes[0]"),
    }
}

pub fn port(number: u16, bound: bool) -> Port {
    Port { number, protocol: "tcp".into(), scheduled: true, bound, declared: true, at: at("ports[0]") }
}

/// Returns a workload with one member, `db-1`.
pub fn workload(kind: Kind, mounts: Vec<Mount>) -> Workload {
    let first = Update { order: Order::StopFirst, at: Some(at("update")) };
    Workload {
        family: "db".into(),
        image: "db".into(),
        members: vec![Member { name: "db-1".into(), mounts, ..Member::default() }],
        update: first.clone(),
        rollback: first,
        restarts: true,
        grace: 30,
        ..Workload::new("db-1".into(), kind, at("db-1"))
    }
}

pub fn findings(target: Target, workloads: Vec<Workload>) -> Vec<Finding> {
    let world = World { workloads, ..World::default() };
    let explored = explore(target, &world, Bounds::default());
    assert!(explored.complete);
    let wide = explore(target, &world, Bounds { nodes: 3, force: false });
    assert!(wide.complete, "{}", wide.states);
    let codes = |all: &[Finding]| all.iter().map(|f| f.code).collect::<BTreeSet<_>>();
    assert_eq!(codes(&explored.findings), codes(&wide.findings), "a third node tells more");
    explored.findings
}

/// Returns the codes of all findings, sorted.
pub fn codes(target: Target, workloads: Vec<Workload>) -> Vec<String> {
    let all: BTreeSet<String> = findings(target, workloads).into_iter().map(|f| f.code.to_string()).collect();
    all.into_iter().collect()
}

/// Each node runs one container of each workload; only a lock on the same file keeps them apart.
#[test]
fn locks_exclude_each_other_only_on_the_same_file() {
    let broken = |ours: &str, theirs: &str| {
        let of = |name: &str, lock: &str| {
            let mut all = workload(Kind::Global, vec![host("/srv/db", Missing::Refused)]);
            (all.name, all.members[0].name) = (name.into(), name.into());
            all.lock = Some((lock.into(), at("entrypoint")));
            all
        };
        let reported = codes(Target::Swarm, vec![of("a", ours), of("b", theirs)]);
        reported.iter().any(|code| code == "swarm/data/revisions")
    };
    for path in ["/data", "/data/lock"] {
        assert!(!broken(path, path), "{path}");
    }
    for (ours, theirs) in [("/data/1.lock", "/data/2.lock"), ("/data", "/data/lock"), ("/a/lock", "/a/lock")]
    {
        assert!(broken(ours, theirs), "{ours} {theirs}");
    }
    // Another mount may be at that path.
    assert!(broken("/data/a/lock", "/data/a/lock"));
}
