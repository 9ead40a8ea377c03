//! What berthc emits for sound specs is clean.

use berthc::finding::codes::SINGLE;

use super::*;

#[test]
fn every_spec_verifies_clean() {
    for folder in FOLDERS {
        let tree = compiled(folder).tree.unwrap();
        let all = verified(&tree, "", 2, false);
        whole(&all);
        assert_eq!(all.searched.len(), 3, "{folder}");
        let broken: Vec<String> =
            all.findings.iter().filter(|f| f.level == Level::Violation).map(told).collect();
        assert!(all.holds() && broken.is_empty(), "{folder}:\n{}", broken.join("\n"));
        assert_eq!(all.unread, [], "{folder}");
        // Where two layers are to be had, both are there.
        let single: Vec<String> = all.findings.iter().filter(|f| f.code == SINGLE).map(told).collect();
        assert!(single.is_empty(), "{folder}:\n{}", single.join("\n"));
        // What is accepted is accepted for a reason that the spec gives.
        assert!(!all.accepted.is_empty(), "{folder}");
    }
}

#[test]
fn with_force_nothing_but_force_breaks() {
    for folder in FOLDERS {
        let tree = compiled(folder).tree.unwrap();
        let all = verified(&tree, "", 2, true);
        whole(&all);
        let codes = codes(&all.findings, Level::Violation);
        assert!(!codes.is_empty(), "{folder}: force breaks nothing");
        let other: Vec<&String> = codes.iter().filter(|c| !c.ends_with("/force")).collect();
        assert!(other.is_empty(), "{folder}: {other:?}");
    }
}
