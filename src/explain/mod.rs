//! The pages of `berthc explain`: one for each code, gap, finding, hazard, resource and layer.
//!
//! The pages are the sections `## NAME` of `codes.md`, `gaps.md` and `findings.md`. The lines after
//! `write:` and `right:` are correct, the lines after `wrong:` produce the code of the page. In
//! `codes.md` and `gaps.md` they belong to a spec, in `findings.md` to a manifest, a unit or a
//! stack file.

use crate::gap::GapId;

const CODES: &str = include_str!("codes.md");
const GAPS: &str = include_str!("gaps.md");
const FINDINGS: &str = include_str!("findings.md");

/// Returns name and text of every page, in order.
pub fn pages() -> impl Iterator<Item = (&'static str, &'static str)> {
    let sections = [CODES, GAPS, FINDINGS].into_iter().flat_map(|text| text.split("\n## ").skip(1));
    sections.filter_map(|section| section.split_once('\n')).map(|(name, text)| (name, text.trim_end()))
}

/// Returns the names of all pages.
pub fn names() -> impl Iterator<Item = &'static str> {
    pages().map(|(name, _)| name)
}

/// Returns the page of `name`. A gap without a page of its own has the page of its target and
/// hazard (`swarm/id/partition`: `swarm/*/partition`) or of its field (`swarm/secrets.password`:
/// `swarm/secrets.NAME`).
///
/// ```
/// use berthc::explain;
///
/// assert!(explain::page("bad-duration").is_some());
/// assert_eq!(explain::page("swarm/id/partition"), explain::page("swarm/*/partition"));
/// assert_eq!(explain::nearest("bad-durations"), Some("bad-duration"));
/// ```
pub fn page(name: &str) -> Option<&'static str> {
    let own = |name: &str| pages().find(|(n, _)| *n == name).map(|(_, text)| text);
    own(name).or_else(|| own(&general(name)?))
}

/// Returns the name of the page for all gaps like `name`.
fn general(name: &str) -> Option<String> {
    match name.parse().ok()? {
        GapId::Cell(cell) => Some(format!("{}/*/{}", cell.target.name(), cell.hazard.name())),
        GapId::Field { target, path } => {
            let (field, _) = path.split_once('.').filter(|(_, name)| !name.is_empty())?;
            Some(format!("{}/{field}.NAME", target.name()))
        }
    }
}

/// Returns the known name that is most similar to `name`.
pub fn nearest(name: &str) -> Option<&'static str> {
    let wanted: String = name.chars().take(64).collect::<String>().to_ascii_lowercase();
    names()
        .map(|known| (strsim::damerau_levenshtein(&wanted, known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min()
        .map(|(_, known)| known)
}
