//! Plain mends: the changes of a text that a finding asks for, where its fix is a line and not a duty.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Verified;
use super::line::{fixed, is_yaml};
use crate::finding::{Alike, Finding, FindingId, Level, codes};

/// The texts of files, by path.
pub type Texts = BTreeMap<String, String>;

/// The texts after the plain mends.
#[derive(Debug)]
pub struct Mended {
    /// The texts, by path.
    pub texts: Texts,
    /// The findings whose fixes are in the texts, in order.
    pub applied: Vec<Finding>,
    /// What [`Verified`] says of the texts.
    pub verified: Verified,
    /// The findings whose fixes are plain lines and were taken back: they changed nothing, or led to another
    /// violation.
    pub refused: Vec<Finding>,
}

/// Applies the plain mends until none is left. A mend stays only if its finding is gone and no violation is
/// new, if need be together with the mend of the violation that it brings.
///
/// All mends of a round are searched together. Only if that is not good, each half of them is.
pub fn all(texts: &Texts, verify: &dyn Fn(&Texts) -> Verified) -> Mended {
    let verified = verify(texts);
    let mut mended = Mended { texts: texts.clone(), applied: Vec::new(), verified, refused: Vec::new() };
    // Once for each: no mend leads in a circle.
    let mut tried: BTreeSet<(String, String, Arc<str>)> = BTreeSet::new();
    loop {
        let mut units: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut round: Vec<Finding> = Vec::new();
        for finding in mended.verified.findings.iter().flat_map(each) {
            let Some(at) = finding.at.first() else { continue };
            let key = (finding.message.clone(), finding.fix.clone(), at.file.clone());
            // A mend of a unit moves the lines of its others.
            let waits = !is_yaml(&at.file) && units.contains(&at.file);
            if waits || tried.contains(&key) || with_fix(&mended.texts, &finding).is_none() {
                continue;
            }
            units.insert(at.file.clone());
            tried.insert(key);
            round.push(finding);
        }
        if round.is_empty() {
            return mended;
        }
        // From the last line to the first: a line belongs to its document as long as only later lines move.
        round.sort_by_key(|f| std::cmp::Reverse(f.at.first().map(|at| at.line)));
        let mut open = vec![round];
        while let Some(mut fixes) = open.pop() {
            if let [one] = fixes.as_slice() {
                single(&mut mended, one.clone(), verify);
            } else if !together(&mut mended, &fixes, verify) {
                let rest = fixes.split_off(fixes.len() / 2);
                open.extend([rest, fixes]);
            }
        }
    }
}

/// Returns a finding, and the finding of each other place with the same fault.
fn each(finding: &Finding) -> impl Iterator<Item = Finding> {
    let other = |alike: &Alike| {
        let Alike { message, at, fix } = alike.clone();
        Finding::new(finding.code, finding.level, message, vec![at], fix)
    };
    std::iter::once(Finding { alike: Vec::new(), ..finding.clone() }).chain(finding.alike.iter().map(other))
}

/// Applies the mends of all `fixes`, unless one of the findings stays, or a violation is new.
fn together(mended: &mut Mended, fixes: &[Finding], verify: &dyn Fn(&Texts) -> Verified) -> bool {
    let mut texts = mended.texts.clone();
    for finding in fixes {
        // Another mend may have done the same.
        if let Some((file, new)) = with_fix(&texts, finding) {
            texts.insert(file, new);
        }
    }
    let verified = verify(&texts);
    let before = &mended.verified;
    let worse = verified.lost.len() > before.lost.len()
        || fixes.iter().any(|f| stays(before, &verified, f))
        || brought(before, &verified, None).is_some();
    if !worse {
        (mended.texts, mended.verified) = (texts, verified);
        mended.applied.extend_from_slice(fixes);
    }
    !worse
}

/// Applies the mend of `finding`, if need be together with the mend of the violation that it brings.
fn single(mended: &mut Mended, finding: Finding, verify: &dyn Fn(&Texts) -> Verified) {
    let Some((file, new)) = with_fix(&mended.texts, &finding) else { return };
    let mut texts = mended.texts.clone();
    texts.insert(file, new);
    let mut verified = verify(&texts);
    let mut done = vec![finding.clone()];
    if let Some(brought) = brought(&mended.verified, &verified, Some(&finding)).cloned()
        && let Some((file, new)) = with_fix(&texts, &brought)
    {
        texts.insert(file, new);
        verified = verify(&texts);
        done.push(brought);
    }
    let worse = stays(&mended.verified, &verified, &finding)
        || brought(&mended.verified, &verified, Some(&finding)).is_some()
        || verified.lost.len() > mended.verified.lost.len();
    if worse {
        mended.refused.push(finding);
    } else {
        (mended.texts, mended.verified) = (texts, verified);
        mended.applied.append(&mut done);
    }
}

/// Whether both are one finding.
fn same(a: &Finding, b: &Finding) -> bool {
    let file = |f: &Finding| f.at.first().map(|at| at.file.clone());
    a.code == b.code && a.message == b.message && a.fix == b.fix && file(a) == file(b)
}

/// Returns whether `finding` is there as often as before.
fn stays(before: &Verified, after: &Verified, finding: &Finding) -> bool {
    let count =
        |verified: &Verified| verified.findings.iter().flat_map(each).filter(|f| same(f, finding)).count();
    count(after) >= count(before)
}

/// Returns a violation of a member that had none of this kind before the mend of `finding`, or of several
/// findings. A member that is tied to a label can lose the label, which is less than what it had; and data
/// that is kept now can be held twice.
fn brought<'v>(before: &Verified, after: &'v Verified, finding: Option<&Finding>) -> Option<&'v Finding> {
    let cell = |f: &Finding| matches!(f.code, FindingId::Cell(_));
    let old = |f: &Finding| {
        let of_member = |b: &Finding| !f.subject.is_empty() && cell(b) == cell(f) && b.subject == f.subject;
        before.findings.iter().any(|b| same(b, f) || b.level == Level::Violation && of_member(b))
    };
    let kept = finding.is_some_and(|f| f.code == codes::EPHEMERAL);
    after.findings.iter().find(|f| f.level == Level::Violation && !(kept && cell(f)) && !old(f))
}

/// Returns a file and its text with the fix of `finding`; `None` if the fix is no plain line, or the text is
/// not what it needs.
fn with_fix(texts: &Texts, finding: &Finding) -> Option<(String, String)> {
    // A password, a secret or a tag is the reader's choice, and so is the order of a move.
    let choices = [codes::NEVER, codes::CHANGE_DATA, codes::CHANGE_REFUSED, codes::CHANGE_RUNNING];
    if choices.iter().any(|code| finding.code == *code) {
        return None;
    }
    let at = finding.at.first()?;
    let text = texts.get(&*at.file)?;
    let new = fixed(text, at, &finding.fix)?;
    (*text != new).then(|| (at.file.to_string(), new))
}
