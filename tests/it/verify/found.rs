//! Tests files with one fault each that berthc did not write: `tests/found/CODE.*`, or
//! `TARGET.NAME.*` if only a search finds it. Each must give its finding in full, and each finding
//! must have a page.

use std::collections::BTreeSet;

use berthc::explain;
use berthc::explore::Bounds;
use berthc::finding::{FindingId, codes};
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
        let all: BTreeSet<String> = found.findings.iter().map(|f| f.code.to_string()).collect();
        let wanted = |c: &String| if searched { c.starts_with(&format!("{code}/")) } else { c == code };
        assert!(all.iter().any(wanted), "{name}: {all:?}");
        let mut told = String::new();
        for finding in &found.findings {
            assert!(explain::page(&finding.code.to_string()).is_some(), "{} has no page", finding.code);
            assert!(!finding.fix.is_empty() && !finding.at.is_empty(), "{name}: {finding:?}");
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
            for alike in &finding.alike {
                told.push_str(&format!("  also: {} ({})\n", alike.message, line(&alike.at)));
            }
            for way in &finding.also_by {
                told.push_str(&format!("  also by {}: {}\n", way.code, way.message));
            }
            told.push_str(&format!("  change: {}\n", finding.fix));
            shown.extend(finding.codes().map(|code| code.to_string()));
        }
        golden("found", &name, &told);
    }
    let missing: Vec<&&str> =
        codes::ALL.iter().filter(|c| !shown.contains(**c) && !c.starts_with("change-")).collect();
    assert_eq!(missing, Vec::<&&str>::new(), "codes without an example");
}

/// Returns the lines of a page after `    NAME:  `, without their common indentation.
fn block(page: &str, name: &str) -> Option<Vec<String>> {
    let head = format!("    {name}:");
    let mut lines = page.lines().skip_while(|l| !l.starts_with(&head));
    let first = lines.next()?.replacen(&head, &" ".repeat(head.len()), 1);
    let rest = lines.take_while(|l| l.starts_with("        ")).map(ToOwned::to_owned);
    let all: Vec<String> = std::iter::once(first).chain(rest).collect();
    let indent = |l: &String| l.len() - l.trim_start().len();
    let common = all.iter().map(indent).min()?;
    Some(all.iter().map(|l| l[common..].to_owned()).collect())
}

/// Returns `text` with `good` in place of `bad`, at the same indentation.
fn fix(text: &str, bad: &[String], good: &[String]) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let found = lines.windows(bad.len()).enumerate().find_map(|(i, window)| {
        let before = window[0].strip_suffix(&bad[0])?;
        let same = |(l, b): (&&str, &String)| **l == format!("{}{b}", " ".repeat(before.len()));
        window[1..].iter().zip(&bad[1..]).all(same).then_some((i, before))
    });
    let (at, before) = found?;
    let indent = " ".repeat(before.len());
    let put = good.iter().enumerate().map(|(i, g)| format!("{}{g}", if i == 0 { before } else { &indent }));
    let kept = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect::<Vec<String>>();
    let all = [kept(&lines[..at]), put.collect(), kept(&lines[at + bad.len()..])];
    Some(all.concat().join("\n") + "\n")
}

/// The wrong lines of a page are in an example. The right lines, in their place, fix the finding
/// and cause no other.
#[test]
fn the_right_lines_of_a_page_fix_its_example() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for code in codes::ALL {
        let page = explain::page(code).unwrap();
        let Some(bad) = block(page, "wrong") else { continue };
        let own = walk(&root().join("tests/found")).into_iter().filter_map(|path| {
            let name = path.file_name()?.to_string_lossy().into_owned();
            (name.split(['.', '@']).next() == Some(code))
                .then(|| (name, std::fs::read_to_string(path).unwrap()))
        });
        let good = block(page, "right").unwrap_or_else(|| bad.clone());
        let Some((name, text, fixed)) = own.into_iter().find_map(|(name, text)| {
            let fixed = fix(&text, &bad, &good)?;
            Some((name, text, fixed))
        }) else {
            wrong.push(format!("{code}: no example has\n{}", bad.join("\n")));
            continue;
        };
        if bad == good {
            continue;
        }
        tried += 1;
        let run = |text: &str| verify(&[File { path: &name, text }], Bounds::default());
        let (before, after) = (run(&text), run(&fixed));
        let codes: BTreeSet<FindingId> = before.findings.iter().map(|f| f.code).collect();
        let stays = |f: &&berthc::finding::Finding| f.code == code || !codes.contains(&f.code);
        if let Some(stays) = after.findings.iter().find(stays) {
            wrong.push(format!("{code}: {} {}\n{fixed}", stays.code, stays.message));
        }
        if after.unread.len() > before.unread.len() || after.searched.len() != before.searched.len() {
            wrong.push(format!("{code}: {:?}\n{fixed}", after.unread));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(tried >= 12, "{tried}");
}
