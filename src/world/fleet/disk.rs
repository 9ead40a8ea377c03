//! Finds which directories of a machine exist before a container starts: those that its unit creates,
//! and those that it waits for.

use super::service::Step;
use super::unit::Unit;
use crate::finding::At;
use crate::text::path::{shortest, within};
use crate::world::Missing;
use crate::world::path::on_own_disk;

/// The units that mount disks which other files name (systemd.special(7); OpenZFS `etc/systemd/system`).
const GUARDS: [&str; 4] = ["local-fs.target", "remote-fs.target", "zfs-mount.service", "zfs.target"];

/// Returns the mount point of a unit that mounts a disk; the root for one that mounts those of other files.
pub fn mounted(unit: &str) -> Option<String> {
    if GUARDS.contains(&unit) {
        return Some(String::new());
    }
    Some(format!("/{}", unit.strip_suffix(".mount")?.replace('-', "/")))
}

/// The directories that a unit creates or checks before its container starts.
#[derive(Debug, Default)]
pub struct Disk {
    /// The directories that it creates.
    made: Vec<String>,
    /// The mountpoints without which it does not start.
    mountpoints: Vec<String>,
    /// The directories without which it does not start.
    there: Vec<String>,
    /// The paths whose mounts it waits for, if the machine has such mounts.
    waits: Vec<String>,
    /// The unit that mounts disks without saying which, and the place that waits for it.
    pub guard: Option<(String, At)>,
    /// Whether it belongs to one machine.
    local: bool,
}

impl Disk {
    /// Reads the commands and settings before the start.
    pub fn read(unit: &Unit, steps: &[Step]) -> Self {
        let mut disk = Self { local: unit.local, ..Self::default() };
        for step in steps.iter().filter(|step| step.before() || step.key == "ExecStart") {
            disk.step(step);
        }
        // A failed condition leaves the unit inactive (systemd.unit(5)).
        let of = |key: &str| unit.wants(&[&format!("Condition{key}"), &format!("Assert{key}")]);
        let paths =
            |all: Vec<(String, _)>| all.into_iter().map(|(path, _)| path).filter(|p| p.starts_with('/'));
        disk.mountpoints.extend(paths(of("PathIsMountPoint")));
        for key in ["PathExists", "PathIsDirectory", "DirectoryNotEmpty"] {
            disk.there.extend(paths(of(key)));
        }
        disk.waits.extend(unit.mounted().into_iter().map(|(path, _)| path));
        let after = unit.wants(&["After"]);
        let mounts = unit.wants(&["Requires", "BindsTo", "Requisite"]);
        let both: Vec<(String, At)> =
            mounts.into_iter().filter(|(name, _)| after.iter().any(|(a, _)| a == name)).collect();
        disk.guard = both.iter().find(|(name, _)| GUARDS.contains(&name.as_str())).cloned();
        disk.waits.extend(both.into_iter().filter_map(|(name, _)| mounted(&name).filter(|p| !p.is_empty())));
        disk
    }

    fn step(&mut self, step: &Step) {
        let words: Vec<&str> = step.words().map(|word| word.text.as_str()).collect();
        let Some((first, rest)) = words.split_first() else { return };
        let paths = || rest.iter().filter(|w| w.starts_with('/')).map(|w| shortest(w));
        // A command before `||` does not stop the start, unless the command after it ends the script.
        let minds = !step.ignored && (!step.raw.contains("||") || step.raw.contains("|| exit"));
        match first.rsplit('/').next().unwrap_or_default() {
            "mkdir" => self.made.extend(paths()),
            "install" if rest.iter().any(|w| w.starts_with("-d") || *w == "--directory") => {
                self.made.extend(paths());
            }
            "mountpoint" | "findmnt" if minds => self.mountpoints.extend(paths()),
            "test" | "[" if minds && !rest.contains(&"!") => self.there.extend(paths()),
            _ => {}
        }
    }

    /// Returns what happens if the directory `path` is missing; by default the engine creates it or
    /// refuses.
    pub fn missing(&self, path: &str, engine: Missing) -> Missing {
        let made = engine != Missing::Refused || self.made.iter().any(|made| within(made, path));
        let guarded = self.mountpoints.iter().any(|mount| within(path, mount))
            || self.there.iter().any(|there| within(there, path));
        let waited =
            || self.guard.is_some() || self.waits.iter().any(|wait| within(path, wait) || within(wait, path));
        match made && !guarded {
            false => Missing::Refused,
            // A directory that existed once stays.
            true if self.local && (waited() || !on_own_disk(path)) => Missing::Refused,
            true if waited() => Missing::Elsewhere,
            true => Missing::Created,
        }
    }
}
