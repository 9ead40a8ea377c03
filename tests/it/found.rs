//! Files of others with one fault each: `tests/found/CODE.*`, or `TARGET.NAME.*` for what only a
//! search finds. Each has its finding, told whole, and each finding has a page.

use std::collections::BTreeSet;

use berthc::explain;
use berthc::explore::Bounds;
use berthc::finding::codes;
use berthc::verify::verify;
use berthc::world::File;

use crate::harness::{golden, root, walk};

#[test]
fn every_finding_has_an_example_and_a_page() {
    let mut shown = BTreeSet::new();
    for path in walk(&root().join("tests/found")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let found = verify(&[File { path: &name, text: &text }], Bounds::default());
        let code = name.split(['.', '@']).next().unwrap();
        let searched = ["kubernetes", "fleet", "swarm"].contains(&code);
        let all: BTreeSet<&str> = found.findings.iter().map(|f| f.code.as_str()).collect();
        let wanted = |c: &&str| if searched { c.starts_with(&format!("{code}/")) } else { *c == code };
        assert!(all.iter().any(wanted), "{name}: {all:?}");
        let mut told = String::new();
        for finding in &found.findings {
            assert!(explain::page(&finding.code).is_some(), "{} has no page", finding.code);
            assert!(!finding.mend.is_empty() && !finding.at.is_empty(), "{name}: {finding:?}");
            for at in finding.at.iter().chain(finding.story.iter().filter_map(|e| e.at.as_ref())) {
                assert!(at.line >= 1 && at.line <= text.lines().count(), "{name}: {at:?}");
            }
            let line = |at: &berthc::finding::At| format!("{}:{} {}", at.file, at.line, at.field);
            told.push_str(&format!(
                "{:?} {}: {}\n  at {}\n",
                finding.level,
                finding.code,
                finding.message,
                line(&finding.at[0])
            ));
            for (i, event) in finding.story.iter().enumerate() {
                let at = event.at.as_ref().map(|at| format!(" ({})", line(at))).unwrap_or_default();
                told.push_str(&format!("  {}. {}{at}\n", i + 1, event.words));
            }
            told.push_str(&format!("  change: {}\n", finding.mend));
            shown.insert(finding.code.clone());
        }
        golden("found", &name, &told);
    }
    let missing: Vec<&&str> = codes::ALL.iter().filter(|c| !shown.contains(**c)).collect();
    assert_eq!(missing, Vec::<&&str>::new(), "codes without an example");
}
