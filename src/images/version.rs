//! Versions at the start of tags, and ranges of versions.

use std::fmt;
use std::str::FromStr;

/// A version as far as a tag names it: `16`, `3.5.7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u32>);

/// Numbers above this are dates or builds.
const MOST: u32 = 9999;

impl Version {
    /// Returns the version at the start of `tag`, or the version after the text `after` in the tag.
    pub fn of_tag(tag: &str, after: Option<&str>) -> Option<Self> {
        let start = match after {
            Some(after) => tag.split_once(after)?.1,
            None => tag.strip_prefix(['v', 'V']).unwrap_or(tag),
        };
        let end = start.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(start.len());
        let version: Self = start[..end].trim_end_matches('.').parse().ok()?;
        version.0.iter().all(|n| *n <= MOST).then_some(version)
    }

    /// Returns the first number.
    pub fn major(&self) -> Option<u32> {
        self.0.first().copied()
    }

    /// Returns as many numbers as `other` has: 3.5.7 becomes 3.5 for a comparison with 3.4.
    fn beside<'v>(&'v self, other: &Self) -> &'v [u32] {
        &self.0[..self.0.len().min(other.0.len())]
    }
}

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let part = |p: &str| p.parse().map_err(|_| format!("`{text}` is not a version: write 16 or 3.5.7"));
        text.split('.').map(part).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

/// One end of a range, or a version that includes its sub-versions.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Bound {
    Below(Version),
    Through(Version),
    From(Version),
    Is(Version),
}

impl Bound {
    /// Returns whether a version that `tag` allows may be within the bound: the tag 1 allows 1.8
    /// and 1.12.
    fn takes(&self, tag: &Version) -> bool {
        match self {
            Self::Below(end) => tag < end,
            Self::Through(end) => tag.beside(end) <= end.beside(tag),
            Self::From(start) => tag.beside(start) >= start.beside(tag),
            Self::Is(version) => tag.beside(version) == version.beside(tag),
        }
    }
}

/// A range of versions: `<18`, `>=3.4.24, <3.5 || >=3.5.7`, `9.x - 17`, `2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    text: String,
    /// The alternatives: a version is in the range if it satisfies all bounds of one of them.
    any: Vec<Vec<Bound>>,
}

impl Versions {
    /// Returns whether a version that `tag` allows may be in the range.
    pub fn take(&self, tag: &Version) -> bool {
        self.any.iter().any(|all| all.iter().all(|bound| bound.takes(tag)))
    }

    /// Returns a tag that is certainly in the range: `17` for `<18`.
    pub fn sample(&self) -> Option<String> {
        let all = self.any.last()?;
        let from = all.iter().find_map(|b| match b {
            Bound::From(version) | Bound::Is(version) | Bound::Through(version) => Some(version.to_string()),
            Bound::Below(_) => None,
        });
        let below = |b: &Bound| match b {
            Bound::Below(Version(parts)) => {
                matches!(parts[..], [major] if major > 0).then(|| (parts[0] - 1).to_string())
            }
            _ => None,
        };
        from.or_else(|| all.iter().find_map(below))
    }
}

impl FromStr for Versions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let version = |text: &str| {
            let text = text.trim();
            text.strip_suffix(".x").unwrap_or(text).parse::<Version>()
        };
        let bound = |text: &str| {
            let text = text.trim();
            let rest = |sign: &str| text.strip_prefix(sign).map(version);
            let signed = rest(">=")
                .map(|v| v.map(Bound::From))
                .or_else(|| rest("<=").map(|v| v.map(Bound::Through)))
                .or_else(|| rest("<").map(|v| v.map(Bound::Below)));
            signed.unwrap_or_else(|| version(text).map(Bound::Is))
        };
        let all = |text: &str| match text.split_once(" - ") {
            Some((from, to)) => Ok(vec![Bound::From(version(from)?), Bound::Through(version(to)?)]),
            None => text.split(',').map(bound).collect(),
        };
        let any = text.split("||").map(all).collect::<Result<_, String>>()?;
        Ok(Self { text: text.to_owned(), any })
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
