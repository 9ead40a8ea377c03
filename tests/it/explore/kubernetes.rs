//! Tests the search on Kubernetes: each rule is removed alone, and with the other rules of its cell.

use berthc::backend::Fences;
use berthc::world::{Apart, Rolling, Selector, Term, Whom};

use super::*;

fn labels() -> BTreeMap<String, String> {
    BTreeMap::from([("app".to_owned(), "db".to_owned())])
}

fn affinity() -> Apart {
    let selector = Selector { terms: vec![Term::In("app".into(), vec!["db".into()])] };
    Apart {
        whom: Whom::Pods { selector, namespaces: None, topology: "kubernetes.io/hostname" },
        at: at("affinity"),
    }
}

fn set() -> Workload {
    let mut w = workload(Kind::DaemonSet, vec![host("/mnt/d1/db", Missing::Refused)]);
    w.labels = labels();
    w.wants = vec![want("db", "true")];
    w.apart = vec![affinity()];
    w
}

fn claim(one_pod: bool, fences: Fences) -> Mount {
    let source = Source::Volume {
        name: "claim ns/data-db-1".into(),
        fences,
        one_pod: one_pod.then(|| at("accessModes")),
        reserved: None,
        missing: Missing::Refused,
    };
    Mount { target: "/data".into(), source, volume: None, at: at("volumeClaimTemplates[0]") }
}

fn stateful(mounts: Vec<Mount>) -> Workload {
    Workload { labels: labels(), ..workload(Kind::StatefulSet, mounts) }
}

fn kubernetes(workloads: Vec<Workload>) -> Vec<String> {
    codes(Target::Kubernetes, workloads)
}

#[test]
fn a_daemon_set_with_anti_affinity_has_no_breach() {
    assert_eq!(kubernetes(vec![set()]), Vec::<String>::new());
}

#[test]
fn a_daemon_set_without_anti_affinity_breaks_when_it_is_recreated() {
    assert_eq!(kubernetes(vec![Workload { apart: Vec::new(), ..set() }]), ["kubernetes/data/revisions"]);
}

#[test]
fn a_surge_gives_two_writers_or_never_ends() {
    let update = Update { order: Order::StartFirst, at: Some(at("maxSurge")) };
    let bare = Workload { apart: Vec::new(), update: update.clone(), ..set() };
    assert!(kubernetes(vec![bare]).contains(&"kubernetes/data/update".to_owned()));
    assert!(kubernetes(vec![Workload { update, ..set() }]).contains(&"update-stuck".to_owned()));
}

#[test]
fn a_directory_that_the_kubelet_creates_hides_an_unmounted_disk() {
    let w = Workload {
        members: workload(Kind::DaemonSet, vec![host("/mnt/d1/db", Missing::Created)]).members,
        ..set()
    };
    assert_eq!(kubernetes(vec![w]), ["kubernetes/data/move", "kubernetes/data/reboot"]);
}

fn revisions(apart: Vec<Apart>) -> Vec<Workload> {
    ["v1", "v2"]
        .map(|v| {
            let mut w = Workload { name: format!("daemonset/db-{v}"), apart: apart.clone(), ..set() };
            w.members[0].name = format!("db-{v}");
            w.wants.push(want("db-revision", v));
            w
        })
        .to_vec()
}

#[test]
fn only_anti_affinity_keeps_revisions_apart() {
    assert_eq!(kubernetes(revisions(vec![affinity()])), Vec::<String>::new());
    assert_eq!(kubernetes(revisions(Vec::new())), ["kubernetes/data/relabel", "kubernetes/data/revisions"]);
}

#[test]
fn a_stateful_set_breaks_only_by_force() {
    let w = stateful(vec![claim(false, Fences::Never)]);
    assert_eq!(kubernetes(vec![w.clone()]), Vec::<String>::new());
    let world = World { workloads: vec![w], ..World::default() };
    let forced = explore(Target::Kubernetes, &world, Bounds { nodes: 2, force: true });
    assert_eq!(
        forced.findings.iter().map(|f| f.code.to_string()).collect::<Vec<_>>(),
        ["kubernetes/data/force"]
    );
}

#[test]
fn a_local_volume_of_one_pod_holds_under_force_for_its_own_claim() {
    let local = |one_pod: bool| {
        let source = Source::Host {
            path: "/mnt/d1/db-1".into(),
            missing: Missing::Refused,
            one_pod: one_pod.then(|| at("accessModes")),
        };
        let mut w = stateful(vec![Mount { source, ..host("", Missing::Refused) }]);
        w.wants = vec![want("db", "1")];
        w
    };
    let forced = |workloads: Vec<Workload>| {
        let world = World { workloads, ..World::default() };
        let found = explore(Target::Kubernetes, &world, Bounds { nodes: 2, force: true }).findings;
        found.iter().map(|f| f.code.to_string()).collect::<Vec<_>>()
    };
    assert!(forced(vec![local(false)]).contains(&"kubernetes/data/force".to_owned()));
    assert_eq!(forced(vec![local(true)]), Vec::<String>::new());
    // Two claims can lead to one directory, and the kubelet compares claims.
    let mut other = local(true);
    other.family = "cache".into();
    assert!(forced(vec![local(true), other]).contains(&"kubernetes/data/neighbour".to_owned()));
}

#[test]
fn a_deployment_with_one_replica_may_run_two_pods() {
    let update = Update { order: Order::StopFirst, at: None };
    let w = Workload { kind: Kind::Replicas, update, ..stateful(vec![claim(false, Fences::WhileConnected)]) };
    let all = findings(Target::Kubernetes, vec![w.clone()]);
    assert!(all.iter().any(|f| f.code == "kubernetes/data/reboot"), "{all:?}");
    // Recreate waits during an upgrade, but a rollback does not wait for pods of the older
    // template.
    let update = all.iter().find(|f| f.code == "kubernetes/data/update").unwrap();
    assert!(update.story.iter().any(|e| e.words.contains("old template is applied again")), "{update:?}");
    let rolling = Update { order: Order::StartFirst, at: None };
    assert!(
        kubernetes(vec![Workload { update: rolling, ..w }]).contains(&"kubernetes/data/update".to_owned())
    );
}

#[test]
fn two_workloads_on_one_directory_break() {
    let mut other = set();
    other.family = "cache".into();
    other.labels = BTreeMap::new();
    other.apart = Vec::new();
    assert_eq!(kubernetes(vec![set(), other]), ["kubernetes/data/neighbour", "kubernetes/data/revisions"]);
}

/// Returns members of a quorum, each with its own volume, that a controller updates.
pub fn rolled(members: u32, most: u32, parallel: bool) -> Workload {
    let mut w = stateful(Vec::new());
    w.members = (1..=members)
        .map(|id| {
            let mut mount = claim(true, Fences::WhileConnected);
            if let Source::Volume { name, .. } = &mut mount.source {
                *name = format!("claim ns/data-db-{id}");
            }
            Member { name: format!("db-{id}"), ordinal: Some(id), mounts: vec![mount], ..Member::default() }
        })
        .collect();
    w.rolling = Some(Rolling {
        members,
        most: (most, at("updateStrategy")),
        parallel: parallel.then(|| at("podManagementPolicy")),
        pause: Some((30, at("minReadySeconds"))),
    });
    w
}

#[test]
fn a_rollout_that_stops_a_majority_is_reported() {
    let together = vec!["update-together".to_owned()];
    for (members, most, parallel, told) in [
        (3, 1, false, false),
        (3, 1, true, true),
        (3, 2, false, true),
        // A quorum of five members may lose two.
        (5, 2, false, false),
        (5, 3, false, true),
        (5, 2, true, true),
    ] {
        let found = kubernetes(vec![rolled(members, most, parallel)]);
        assert_eq!(found == together, told, "{members} {most} {parallel}: {found:?}");
        assert!(told || found.is_empty(), "{found:?}");
    }
    let by_hand = Workload { rolling: None, ..rolled(3, 1, true) };
    assert_eq!(kubernetes(vec![by_hand]), Vec::<String>::new());
}
