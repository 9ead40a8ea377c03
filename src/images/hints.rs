//! Recognizes software by ports, variables, mounts and names, where the name of the image does not
//! show it.

use std::sync::Arc;

use super::container::Container;
use super::name;
use super::schema::Traits;
use super::software::By;
use crate::text::path::within;

/// Words in the names of programs that accompany a software, such as exporters. A container with
/// such a word does not run the software itself.
const AROUND: [&str; 24] = [
    "admin",
    "adminer",
    "agent",
    "backup",
    "bouncer",
    "client",
    "console",
    "controller",
    "dump",
    "express",
    "exporter",
    "haproxy",
    "init",
    "job",
    "lb",
    "manager",
    "metrics",
    "migrate",
    "operator",
    "pgbouncer",
    "proxy",
    "router",
    "sentinel",
    "ui",
];
/// The weight of a weak hint: a name, a port, a mount, or a variable that clients also have.
const WEAK: u32 = 1;
/// The weight that is enough: two weak hints.
const ENOUGH: u32 = 2;
/// The weight of a variable that only the server has.
const STRONG: u32 = 3;

/// Returns the software whose hints have the highest weight, and whether these are more than variables.
pub fn find<'t>(
    all: &'t [Arc<Traits>],
    container: &Container<'_>,
    usual: &dyn Fn(&str) -> Vec<String>,
) -> Option<(&'t Arc<Traits>, By)> {
    let last = name::path(container.image).rsplit('/').next().unwrap_or_default();
    let tag = name::tag(container.image).unwrap_or_default();
    let names: Vec<String> = [last, tag].iter().chain(&container.names).flat_map(|n| words(n)).collect();
    if names.iter().any(|w| AROUND.contains(&w.as_str())) {
        return None;
    }
    let mut best: Option<(u32, &Arc<Traits>, By)> = None;
    for traits in all {
        let (worth, by) = worth(traits, container, &names, usual);
        if worth >= ENOUGH && best.is_none_or(|(most, ..)| worth > most) {
            best = Some((worth, traits, by));
        }
    }
    best.map(|(_, traits, by)| (traits, by))
}

fn worth(
    traits: &Traits,
    container: &Container<'_>,
    names: &[String],
    usual: &dyn Fn(&str) -> Vec<String>,
) -> (u32, By) {
    let has = |patterns: &[super::schema::Pattern]| {
        container.env.iter().any(|(name, _)| patterns.iter().any(|p| p.is(name)))
    };
    let (mut worth, mut seen) = (0, 0);
    if traits.words.iter().any(|word| contains_words(word, names)) {
        seen += WEAK;
    }
    if container.ports.iter().any(|port| traits.ports.contains(port)) {
        seen += WEAK;
    }
    if has(&traits.shared_env) {
        worth += WEAK;
    }
    if has(&traits.env) {
        worth += STRONG;
    }
    // Several programs keep their data at `/data`.
    let own = |path: &String| path.matches('/').count() > 1;
    let some = worth + seen;
    if some > 0 && (some < ENOUGH || seen == 0) && !container.targets.is_empty() {
        let paths = usual(&traits.name);
        let mounted = |target: &&str| {
            paths.iter().filter(|p| own(p)).any(|path| within(path, target) || within(target, path))
        };
        seen += if container.targets.iter().any(mounted) { WEAK } else { 0 };
    }
    (worth + seen, if seen > 0 { By::Hints } else { By::Variables })
}

/// Returns the words of a name: `percona_xtradb_cluster` has three.
fn words(name: &str) -> Vec<String> {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    parts.map(str::to_lowercase).collect()
}

/// Returns whether `names` contains the words of `word`, one directly after the other.
fn contains_words(word: &str, names: &[String]) -> bool {
    let wanted: Vec<&str> = word.split('-').collect();
    names.windows(wanted.len()).any(|some| {
        some.iter()
            .zip(&wanted)
            .all(|(a, b)| a.trim_end_matches(|c: char| c.is_ascii_digit()) == *b || a == b)
    })
}
