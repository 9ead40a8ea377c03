//! The pages of `berthc explain`: one for each code, gap, finding, hazard, resource and layer. The
//! fields of a spec, the words of a value and the mechanisms are explained from where they are declared.
//!
//! The pages are the sections `## NAME` of `codes.md`, `gaps.md` and `findings.md`. The lines after
//! `write:` and `right:` are correct, the lines after `wrong:` produce the code of the page. In
//! `codes.md` and `gaps.md` they belong to a spec, in `findings.md` to a manifest, a unit or a
//! stack file.

pub mod reference;
mod spec_page;

use crate::gap::GapId;
use crate::mechanism;
use crate::target::Target;
use crate::value::words::{FILTERS, NAMES};

pub use spec_page::page as spec_page;

const CODES: &str = include_str!("codes.md");
const GAPS: &str = include_str!("gaps.md");
const FINDINGS: &str = include_str!("findings.md");

/// Returns name and text of every page, in order.
pub fn pages() -> impl Iterator<Item = (&'static str, &'static str)> {
    [CODES, GAPS, FINDINGS].into_iter().flat_map(pages_of)
}

fn pages_of(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let sections = text.split("\n## ").skip(1);
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
/// assert_eq!(explain::nearest("bad-durations").as_deref(), Some("bad-duration"));
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

/// Returns everything that there is to say about `name`: its page, the fields of a spec with this name,
/// the words of a value, the mechanisms.
///
/// ```
/// use berthc::explain::word;
///
/// assert!(word("stop.grace").is_some_and(|text| text.contains("terminationGracePeriodSeconds")));
/// assert!(word("one-pod").is_some_and(|text| text.contains("Kubernetes")));
/// ```
pub fn word(name: &str) -> Option<String> {
    let mut found: Vec<String> = page(name).map(|text| format!("{text}\n")).into_iter().collect();
    found.extend(spec_page::fields(name));
    found.extend(spec_page::values(name));
    for target in Target::ALL {
        let named = mechanism::all(target).iter().filter(|m| m.id == name);
        found.extend(named.map(|m| {
            let assumes = if m.assumes.is_empty() { "nothing" } else { m.assumes };
            let strength = format!("{:?}", m.strength).to_lowercase();
            format!(
                "`{name}`, a mechanism of {target} ({} {strength}): {}\n\n- Assumes: {assumes}\n- Source: {}\n",
                m.strength as u8, m.what, m.source
            )
        }));
    }
    (!found.is_empty()).then(|| found.join("\n").trim_end().to_owned())
}

/// Returns all words that [`word`] explains, by kind.
pub fn words() -> Vec<(&'static str, Vec<String>)> {
    let owned = |text: &&str| (*text).to_owned();
    let sections = |text: &'static str| pages_of(text).map(|(name, _)| name.to_owned()).collect();
    let mechanisms = Target::ALL.into_iter().flat_map(mechanism::all).map(|m| m.id);
    let mechanisms: std::collections::BTreeSet<&str> = mechanisms.collect();
    vec![
        ("Fields of a spec", spec_page::paths()),
        ("Names and filters of a value", NAMES.iter().chain(&FILTERS).map(|w| w.name.to_owned()).collect()),
        ("Mechanisms", mechanisms.iter().map(owned).collect()),
        ("Hazards, resources, layers and gaps", sections(GAPS)),
        ("Errors and notes", sections(CODES)),
        ("Findings of verify", sections(FINDINGS)),
    ]
}

/// Returns the known name that is most similar to `name`.
pub fn nearest(name: &str) -> Option<String> {
    let wanted: String = name.chars().take(64).collect::<String>().to_ascii_lowercase();
    let known = words().into_iter().flat_map(|(_, names)| names);
    known
        .map(|known| (strsim::damerau_levenshtein(&wanted, &known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min()
        .map(|(_, known)| known)
}
