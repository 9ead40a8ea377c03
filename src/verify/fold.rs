//! Folds findings: those with one cause become one finding, and so do those that differ only in
//! their subject.

use indexmap::IndexMap;

use crate::finding::{Alike, Finding, FindingId, Level, Way};

/// Folds findings that have one cause, then findings that differ only in their subject. Nothing is
/// dropped: the remaining finding lists the others.
pub(super) fn fold(findings: Vec<Finding>) -> Vec<Finding> {
    let mut causes: IndexMap<(Level, Result<String, usize>, String), Finding> = IndexMap::new();
    for (i, finding) in findings.into_iter().enumerate() {
        // A finding without a known cause has its own.
        let cause = finding.cause.clone().ok_or(i);
        // The same fix also prevents what is only a note.
        let worse = (Level::Violation, cause.clone(), finding.fix.clone());
        if finding.level == Level::Note
            && let Some(first) = causes.get_mut(&worse)
        {
            if !first.codes().any(|code| code == finding.code) {
                first.also_by.push(Way { code: finding.code, message: finding.message });
            }
            continue;
        }
        let key = (finding.level, cause, finding.fix.clone());
        match causes.get_mut(&key) {
            Some(first) => join(first, finding),
            None => drop(causes.insert(key, finding)),
        }
    }
    causes
        .values_mut()
        .for_each(|f| f.also_by.sort_by_cached_key(|way| (way.code.to_string(), way.message.clone())));
    let mut alike: IndexMap<_, Finding> = IndexMap::new();
    for finding in causes.into_values() {
        let plain = |text: &str| plain(text, &finding.subject);
        let key = (
            finding.level,
            finding.code,
            finding.also_by.iter().map(|way| way.code).collect::<Vec<FindingId>>(),
            plain(&finding.message),
            plain(&finding.fix),
        );
        match alike.get_mut(&key) {
            Some(first) => {
                let at = finding.at.into_iter().next();
                first.alike.extend(at.map(|at| Alike { message: finding.message, at, fix: finding.fix }));
                first.alike.extend(finding.alike);
            }
            None => drop(alike.insert(key, finding)),
        }
    }
    alike.into_values().collect()
}

/// Adds `other`, which has the same cause, to `first`. The shorter story of the two stays.
fn join(first: &mut Finding, mut other: Finding) {
    if other.story.len() < first.story.len() {
        std::mem::swap(first, &mut other);
        first.also_by.append(&mut other.also_by);
        first.alike.append(&mut other.alike);
    }
    if other.code != first.code {
        if !first.also_by.iter().any(|way| way.code == other.code) {
            first.also_by.push(Way { code: other.code, message: other.message });
        }
    } else if other.message != first.message
        && let Some(at) = other.at.into_iter().next()
    {
        first.alike.push(Alike { message: other.message, at, fix: other.fix });
    }
    first.also_by.retain(|way| way.code != first.code);
}

/// Returns `text` without numbers and without the name of its subject, so that the texts of two
/// members are equal.
fn plain(text: &str, subject: &str) -> String {
    let letters = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let name = letters(subject);
    let text = letters(text);
    if name.len() < 2 { text } else { text.replace(&name, "*") }
}
