//! Finds starts that do not wait for their disk, and starts that wait for a check that a recovery may outlast.

use super::disk;
use super::unit::Unit;
use crate::finding::codes;
use crate::images::Software;
use crate::text::path::within;
use crate::world::found::Found;
use crate::world::{Source, Workload};

/// Reports a unit that requires the mount of a disk and does not start after it, where no path of its data lies on
/// that disk as far as the files say (systemd.unit(5), `Requires=`: both start at once without `After=`).
pub fn mounts(unit: &Unit, workload: &Workload, found: &mut Found) {
    let after = unit.wants(&["After"]);
    let data = || workload.members.iter().flat_map(|m| &m.mounts);
    for (name, at) in unit.wants(&["Requires", "BindsTo", "Requisite"]) {
        let Some(path) = disk::mounted(&name).filter(|path| !path.is_empty()) else { continue };
        let inside =
            data().any(|m| matches!(&m.source, Source::Host { path: own, .. } if within(own, &path)));
        if inside || after.iter().any(|(other, _)| *other == name) || data().next().is_none() {
            continue;
        }
        let message =
            format!("{} does not wait for {name}: without After= both start at once", workload.name);
        found.note(codes::IGNORED, message, vec![at], format!("After={name}"));
    }
}

/// Reports a store of Quadlet that counts as started only when its check passes, with systemd's 90 s for it
/// (podman-systemd.unit(5), `Notify=healthy`; systemd.service(5), `TimeoutStartSec=`).
pub fn healthy(unit: &Unit, software: Option<&Software>, found: &mut Found) {
    let of = |l: &&super::unit::Line| l.setting.section == "Container" && l.setting.key == "Notify";
    let Some(line) = unit.lines.iter().rfind(of).filter(|l| l.setting.value == "healthy") else { return };
    let timed = unit.last(&["TimeoutStartSec", "TimeoutSec"]).is_some();
    let Some(software) = software.filter(|s| unit.is_made() && !s.cache && !timed) else { return };
    let message = format!(
        "{} has 90 s to become healthy: a recovery of {} that takes longer is ended and begun again",
        unit.name, software.name
    );
    found.note(codes::CHECK_KILLS, message, vec![unit.at(line)], "TimeoutStartSec=0");
}
