//! Tests the search on Swarm: each rule is removed alone, and with the other rules of its cell.

use super::*;

fn pinned() -> Workload {
    let mut w = workload(Kind::Replicated, vec![host("/mnt/d1/db-1", Missing::Refused)]);
    w.wants = vec![want("node.labels.db", "1")];
    w.ports = vec![port(5432, true)];
    w
}

fn swarm(w: Workload) -> Vec<String> {
    codes(Target::Swarm, vec![w])
}

#[test]
fn the_emitted_stack_of_a_pinned_member_has_no_breach() {
    assert_eq!(swarm(pinned()), Vec::<String>::new());
}

#[test]
fn without_the_port_only_the_update_order_protects_and_only_one_update() {
    let w = Workload { ports: Vec::new(), ..pinned() };
    let other = ["swarm/data/partition", "swarm/data/reboot", "swarm/data/relabel", "swarm/data/revisions"];
    assert_eq!(swarm(w), other);
}

#[test]
fn stop_first_does_not_wait_for_a_grace_above_55_s() {
    let with = |grace| swarm(Workload { ports: Vec::new(), grace, ..pinned() });
    let other = ["swarm/data/partition", "swarm/data/reboot", "swarm/data/relabel", "swarm/data/revisions"];
    assert_eq!(with(55), other);
    for grace in [56, 58, 100] {
        assert_eq!(with(grace), [&other[..], &["swarm/data/update"]].concat(), "{grace}");
    }
}

#[test]
fn start_first_gives_two_writers_or_never_ends() {
    let first = Update { order: Order::StartFirst, at: Some(at("order")) };
    let bare = Workload { ports: Vec::new(), update: first.clone(), ..pinned() };
    assert!(swarm(bare).contains(&"swarm/data/update".to_owned()));
    let held = Workload { update: first, ..pinned() };
    assert_eq!(swarm(held), ["update-stuck"]);
}

#[test]
fn without_the_pin_a_member_leaves_its_data() {
    let w = Workload { wants: Vec::new(), ..pinned() };
    for f in findings(Target::Swarm, vec![w.clone()]) {
        println!("{}: {}", f.code, f.message);
        for (i, e) in f.story.iter().enumerate() {
            println!("  {}. {}", i + 1, e.words);
        }
        println!("  -> {}", f.fix);
    }
    let hazards = ["move", "partition", "reboot", "revisions", "update"];
    assert_eq!(swarm(w), hazards.map(|h| format!("swarm/data/{h}")));
}
