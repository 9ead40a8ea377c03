//! Reads names of units (fleet `unit/unit.go`, `api/units.go`).

use crate::text::glob::Glob;
use crate::text::unit::name_character;

/// The suffixes that fleet knows as units.
const KINDS: [&str; 13] = [
    "automount",
    "busname",
    "device",
    "mount",
    "path",
    "scope",
    "service",
    "slice",
    "snapshot",
    "socket",
    "swap",
    "target",
    "timer",
];
/// The suffixes that `fleetctl` does not change; to any other name it adds `.service`.
const KEPT: [&str; 7] = ["service", "socket", "timer", "path", "device", "mount", "automount"];
/// The suffixes that a template may have.
const TEMPLATES: [&str; 5] = ["path", "service", "socket", "target", "timer"];

/// Returns whether a file with this name is a unit.
pub fn is_unit(file: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, kind)| KINDS.contains(&kind))
}

/// Returns the name that `fleetctl` makes of a file name.
pub fn submitted(file: &str) -> String {
    let kind = file.rsplit_once('.').map_or("", |(_, kind)| kind);
    if KEPT.contains(&kind) { file.to_owned() } else { format!("{file}.service") }
}

/// Returns the error of fleet for a name that it refuses.
pub fn refused(name: &str) -> Option<String> {
    let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
    Some(match stem.chars().find(|c| !name_character(*c)) {
        _ if name.is_empty() => "unit name cannot be empty".into(),
        _ if name.len() > 256 => "unit name exceeds maximum length (256)".into(),
        _ if !name.contains('.') => "unit name must contain \".\"".into(),
        _ if kind.is_empty() => "unit name cannot end in \".\"".into(),
        _ if !KINDS.contains(&kind) => format!("invalid unit type: {kind:?}"),
        _ if name.contains('@') && !TEMPLATES.contains(&kind) => {
            format!("invalid unit type for template: {kind:?}")
        }
        Some(c) => format!("invalid character {c:?} in unit name"),
        None if name.starts_with('@') => "unit name cannot start in \"@\"".into(),
        None => return None,
    })
}

/// A name and its parts: `es@1.service` has the prefix `es`, the instance `1` and the suffix
/// `.service`. The instance is everything after the first `@`.
#[derive(Debug, Clone, Copy)]
pub struct Name<'n> {
    /// The whole name.
    pub full: &'n str,
    /// The name without the suffix.
    pub stem: &'n str,
    /// The part before the `@`.
    pub prefix: &'n str,
    /// The part after it; `None` without an `@`.
    pub instance: Option<&'n str>,
    /// The part from the last dot.
    pub suffix: &'n str,
}

impl<'n> Name<'n> {
    /// Splits any text.
    pub fn of(full: &'n str) -> Self {
        let (stem, suffix) = full.split_at(full.rfind('.').unwrap_or(full.len()));
        let (prefix, instance) = match stem.split_once('@') {
            Some((prefix, instance)) => (prefix, Some(instance)),
            None => (stem, None),
        };
        Self { full, stem, prefix, instance, suffix }
    }

    /// Returns whether it is a template, such as `es@.service`.
    pub fn is_template(self) -> bool {
        self.instance == Some("")
    }

    /// Returns the name of the instance of this template.
    pub fn instantiated(self, instance: &str) -> String {
        format!("{}@{instance}{}", self.prefix, self.suffix)
    }

    /// Returns the name of the service: the part before `@` or the first dot.
    pub fn family(self) -> &'n str {
        self.prefix.split('.').next().unwrap_or(self.prefix)
    }

    /// Returns the name of the member as berthc writes it: `es-1`.
    pub fn member(self) -> String {
        match self.instance {
            Some(instance) => format!("{}-{instance}", self.prefix),
            None => self.stem.to_owned(),
        }
    }

    /// Expands everything that fleet expands in `[X-Fleet]` (`job/job.go`).
    pub fn expand(self, text: &str) -> String {
        let text = text.replace("%n", self.full).replace("%N", self.stem);
        text.replace("%p", self.prefix).replace("%i", self.instance.unwrap_or_default())
    }

    /// Returns globs for its siblings: other instances, or other revisions (`es.v1.service`,
    /// `es.service`).
    pub fn siblings(self) -> Vec<String> {
        let escape = |text: &str| text.replace('\\', "\\\\");
        let (prefix, suffix) = (escape(self.prefix), self.suffix);
        match (self.instance, prefix.split_once('.')) {
            (Some(_), _) => vec![format!("{prefix}@?*{suffix}")],
            (None, Some((of, _))) => vec![format!("{of}.?*{suffix}"), format!("{of}{suffix}")],
            (None, None) => Vec::new(),
        }
    }
}

/// Returns whether a unit that `glob` matches can exist.
pub fn possible(glob: &Glob) -> bool {
    let ends = KINDS.iter().filter_map(|kind| Glob::parse(&format!("?*.{kind}")));
    !glob.foreign() && ends.into_iter().any(|end| glob.meets(&end))
}
