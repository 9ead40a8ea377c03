//! What a code, a gap, a finding, a hazard, a resource or a layer means, one page each.
//!
//! The pages are sections `## NAME` of `codes.md`, `gaps.md` and `findings.md`. In them `write:`
//! and `right:` stand before lines of a spec that are good, `wrong:` before such that have the
//! page's code; in `findings.md` before lines of a manifest, a unit or a stack file.

use crate::certificate::Resource;

const CODES: &str = include_str!("codes.md");
const GAPS: &str = include_str!("gaps.md");
const FINDINGS: &str = include_str!("findings.md");

/// Name and text of every page, in order.
pub fn pages() -> impl Iterator<Item = (&'static str, &'static str)> {
    let sections = [CODES, GAPS, FINDINGS].into_iter().flat_map(|text| text.split("\n## ").skip(1));
    sections.filter_map(|section| section.split_once('\n')).map(|(name, text)| (name, text.trim_end()))
}

/// The names that have a page of their own.
pub fn names() -> impl Iterator<Item = &'static str> {
    pages().map(|(name, _)| name)
}

/// The page of `name`. A gap without a page of its own has that of its target and hazard
/// (`swarm/id/partition` that of `swarm/*/partition`) or of its field (`swarm/secrets.password`
/// that of `swarm/secrets.NAME`).
pub fn page(name: &str) -> Option<&'static str> {
    let own = |name: &str| pages().find(|(n, _)| *n == name).map(|(_, text)| text);
    own(name).or_else(|| own(general(name)?))
}

/// The name of the page that serves `name` and its like.
fn general(name: &str) -> Option<&'static str> {
    let (target, rest) = name.split_once('/')?;
    if let Some((resource, hazard)) = rest.split_once('/') {
        let known = Resource::ALL.iter().any(|r| r.name() == resource);
        return names().filter(|_| known).find(|n| parts(n) == Some((target, "*", hazard)));
    }
    let field = rest.split_once('.').filter(|(_, name)| !name.is_empty())?.0;
    let like =
        |page: &str| page.strip_suffix(".NAME").and_then(|p| p.split_once('/')) == Some((target, field));
    names().find(|n| like(n))
}

/// `TARGET/RESOURCE/HAZARD`.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (target, rest) = name.split_once('/')?;
    let (resource, hazard) = rest.split_once('/')?;
    Some((target, resource, hazard))
}

/// The name that was most likely meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    let wanted: String = name.chars().take(64).collect::<String>().to_ascii_lowercase();
    names()
        .map(|known| (strsim::damerau_levenshtein(&wanted, known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min()
        .map(|(_, known)| known)
}
