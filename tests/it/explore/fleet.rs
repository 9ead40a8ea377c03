//! Tests the search on fleet: each rule is removed alone, and with the other rules of its cell.

use berthc::world::{Apart, Whom};

use super::*;

fn pinned() -> Workload {
    let mut w = workload(Kind::Unit, vec![host("/mnt/d1/db-1", Missing::Refused)]);
    w.members[0].container = Some(("mnt.d1.db-1".into(), at("--name")));
    w.wants = vec![want("db", "1")];
    w.stops_leftovers = Some(at("ExecStartPre"));
    w
}

fn fleet(workloads: Vec<Workload>) -> Vec<String> {
    codes(Target::Fleet, workloads)
}

#[test]
fn emitted_units_of_a_pinned_member_have_no_breach() {
    assert_eq!(fleet(vec![pinned()]), Vec::<String>::new());
}

#[test]
fn without_the_container_name_a_killed_client_allows_a_second_container() {
    let mut w = Workload { stops_leftovers: None, ..pinned() };
    w.members[0].container = None;
    assert_eq!(fleet(vec![w]), ["fleet/data/reboot", "fleet/data/relabel", "fleet/data/update"]);
}

#[test]
fn without_its_pin_a_member_leaves_its_data() {
    let w = Workload { wants: Vec::new(), ..pinned() };
    let all = fleet(vec![w]);
    assert!(all.contains(&"fleet/data/partition".to_owned()), "{all:?}");
}

#[test]
fn a_revision_starts_while_the_first_still_stops() {
    let units = |name: bool| {
        ["v1", "v2"]
            .map(|v| {
                let mut w = workload(Kind::GlobalUnit, vec![host("/mnt/d1/db", Missing::Refused)]);
                w.name = format!("db.{v}.service");
                w.members[0].name = w.name.clone();
                w.members[0].container = name.then(|| ("mnt.d1.db".to_owned(), at("--name")));
                w.wants = vec![want("db-revision", v)];
                w.stops_leftovers = Some(at("ExecStartPre"));
                w.apart = vec![Apart { whom: Whom::Units("db.*.service".into()), at: at("Conflicts") }];
                w
            })
            .to_vec()
    };
    assert_eq!(fleet(units(true)), Vec::<String>::new());
    for f in findings(Target::Fleet, units(false)) {
        println!("{}: {}", f.code, f.message);
        for (i, e) in f.story.iter().enumerate() {
            println!("  {}. {}", i + 1, e.words);
        }
        println!("  -> {}", f.fix);
    }
    assert!(fleet(units(false)).contains(&"fleet/data/relabel".to_owned()));
}
