//! Names of units (fleet `unit/unit.go`, `api/units.go`).

use crate::text::glob::Glob;
use crate::text::unit::name_character;

/// What fleet knows as a unit.
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
/// What `fleetctl` leaves as it is; all else gets `.service`.
const KEPT: [&str; 7] = ["service", "socket", "timer", "path", "device", "mount", "automount"];
/// What a template may be.
const TEMPLATES: [&str; 5] = ["path", "service", "socket", "target", "timer"];

/// Whether a file of this name is a unit.
pub fn is_unit(file: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, kind)| KINDS.contains(&kind))
}

/// What `fleetctl` makes of a file's name.
pub fn submitted(file: &str) -> String {
    let kind = file.rsplit_once('.').map_or("", |(_, kind)| kind);
    if KEPT.contains(&kind) { file.to_owned() } else { format!("{file}.service") }
}

/// fleet's error for a name that it refuses.
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

/// A name and its parts: `es@1.service` has prefix `es`, instance `1`, suffix `.service`. All after
/// the first `@` is the instance.
#[derive(Debug, Clone, Copy)]
pub struct Name<'n> {
    /// The whole.
    pub full: &'n str,
    /// Without the suffix.
    pub stem: &'n str,
    /// Before the `@`.
    pub prefix: &'n str,
    /// After it; `None` without an `@`.
    pub instance: Option<&'n str>,
    /// From the last dot.
    pub suffix: &'n str,
}

impl<'n> Name<'n> {
    /// Of any text.
    pub fn of(full: &'n str) -> Self {
        let (stem, suffix) = full.split_at(full.rfind('.').unwrap_or(full.len()));
        let (prefix, instance) = match stem.split_once('@') {
            Some((prefix, instance)) => (prefix, Some(instance)),
            None => (stem, None),
        };
        Self { full, stem, prefix, instance, suffix }
    }

    /// `es@.service`
    pub fn is_template(self) -> bool {
        self.instance == Some("")
    }

    /// The instance of this template.
    pub fn instantiated(self, instance: &str) -> String {
        format!("{}@{instance}{}", self.prefix, self.suffix)
    }

    /// What tells a service from others: before `@` or the first dot.
    pub fn family(self) -> &'n str {
        self.prefix.split('.').next().unwrap_or(self.prefix)
    }

    /// As berthc names members everywhere: `es-1`.
    pub fn member(self) -> String {
        match self.instance {
            Some(instance) => format!("{}-{instance}", self.prefix),
            None => self.stem.to_owned(),
        }
    }

    /// All that fleet expands in `[X-Fleet]` (`job/job.go`).
    pub fn expand(self, text: &str) -> String {
        let text = text.replace("%n", self.full).replace("%N", self.stem);
        text.replace("%p", self.prefix).replace("%i", self.instance.unwrap_or_default())
    }

    /// A glob of its like: other instances, or other revisions (`es.v1.service`, `es.service`).
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

/// Whether there can be a unit that `glob` matches.
pub fn possible(glob: &Glob) -> bool {
    let ends = KINDS.iter().filter_map(|kind| Glob::parse(&format!("?*.{kind}")));
    !glob.foreign() && ends.into_iter().any(|end| glob.meets(&end))
}
