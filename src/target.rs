//! The orchestrators and two limits of Swarm that several stages need.

use std::fmt;

use serde::Serialize;

/// The time in seconds that Swarm waits for an old task before it starts the new one (swarmkit
/// `manager/orchestrator/restart/restart.go`, `defaultOldTaskTimeout`).
pub const SWARM_OLD_TASK_TIMEOUT: u32 = 60;

/// The longest grace in seconds with which the old task ends before Swarm starts the new one. The
/// node signals the old task 2 s late. Measured on engines 20.10, 28.5 and 29: a grace of 57 s
/// does not overlap, one of 58 s does. The rest is reserve for a busy node.
pub const SWARM_LONGEST_GRACE: u32 = SWARM_OLD_TASK_TIMEOUT - 5;

/// An orchestrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Kubernetes.
    Kubernetes,
    /// CoreOS fleet.
    Fleet,
    /// Docker Swarm.
    Swarm,
}

impl Target {
    /// All targets, in the order of every list.
    pub const ALL: [Self; 3] = {
        // A new variant does not compile here until it has an arm: add it to the list as well.
        match Self::Kubernetes {
            Self::Kubernetes | Self::Fleet | Self::Swarm => {}
        }
        [Self::Kubernetes, Self::Fleet, Self::Swarm]
    };

    /// Returns the target with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.name() == name)
    }

    /// Returns the name in specs, folders and gaps.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Fleet => "fleet",
            Self::Swarm => "swarm",
        }
    }

    /// Returns the name in sentences.
    pub fn title(self) -> &'static str {
        match self {
            Self::Kubernetes => "Kubernetes",
            Self::Fleet => "fleet",
            Self::Swarm => "Swarm",
        }
    }

    /// Returns the word of this orchestrator for a computer of its cluster.
    pub fn host(self) -> &'static str {
        match self {
            Self::Fleet => "machine",
            Self::Kubernetes | Self::Swarm => "node",
        }
    }

    /// Returns the word for its files.
    pub fn texts(self) -> &'static str {
        match self {
            Self::Kubernetes => "manifests",
            Self::Fleet => "units",
            Self::Swarm => "stack files",
        }
    }

    /// Returns the orchestrator that the file is for, or `None` for other files.
    ///
    /// ```
    /// use berthc::Target;
    ///
    /// let stack = "services:\n  db: { image: \"postgres:16\" }\n";
    /// assert_eq!(Target::of_file("stack.yml", stack), Some(Target::Swarm));
    /// assert_eq!(Target::of_file("db@.service", "[Unit]\n"), Some(Target::Fleet));
    /// assert_eq!(Target::of_file("README.md", ""), None);
    /// ```
    pub fn of_file(path: &str, text: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or_default();
        const UNITS: [&str; 14] = [
            ".service",
            ".timer",
            ".socket",
            ".mount",
            ".path",
            ".target",
            ".device",
            // The endings of podman's Quadlet files.
            ".container",
            ".volume",
            ".kube",
            ".pod",
            ".network",
            ".image",
            ".build",
        ];
        let folder = |kind: &str| path.contains(&format!("{kind}.d/"));
        let dropin = name.ends_with(".conf") && (folder(".service") || folder(".container"));
        if dropin || UNITS.iter().any(|u| name.ends_with(u)) {
            return Some(Self::Fleet);
        }
        if ["kustomization.yaml", "kustomization.yml", "Kustomization"].contains(&name) {
            return Some(Self::Kubernetes);
        }
        // Text from a pipe has no file name, so only the text decides.
        let pipe = !name.contains('.');
        if !pipe && ![".yml", ".yaml", ".json"].iter().any(|e| name.ends_with(e)) {
            return None;
        }
        let starts = |keys: &[&str]| {
            text.lines().any(|l| {
                let l = l.trim_start_matches(['{', '-', ' ', '\t', '"', '\'', '\u{feff}']);
                keys.iter().any(|k| {
                    l.strip_prefix(k).is_some_and(|r| r.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
                })
            })
        };
        let top = |key: &str| {
            text.lines()
                .any(|l| l.trim_start_matches(['{', '"', '\u{feff}']).starts_with(key) && !l.starts_with(' '))
        };
        if starts(&["apiVersion"]) && starts(&["kind"]) {
            Some(Self::Kubernetes)
        } else if top("services") || (pipe || name.ends_with(".json")) && starts(&["services"]) {
            // Formatted JSON indents its first keys.
            Some(Self::Swarm)
        } else {
            // JSON, and YAML in one line, may have several keys in a line.
            let key = |key: &str| {
                text.match_indices(key).any(|(at, _)| {
                    let before = text[..at].trim_end_matches(['"', '\'', ' ']);
                    let after = text[at + key.len()..].trim_start_matches(['"', '\'', ' ']);
                    before.ends_with(['{', ',', '\n']) && after.starts_with(':')
                })
            };
            (key("apiVersion") && key("kind")).then_some(Self::Kubernetes)
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
