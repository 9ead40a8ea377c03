//! Finds data that is deleted with its container.

use super::docker::Run;
use super::quadlet;
use super::stop::written;
use crate::finding::{At, codes};
use crate::images::{Life, Loss, Seen, Software, Why};
use crate::world::found::Found;
use crate::world::{Kind, Mount, Source, Want, Workload, data_mounts};

/// Reports the data of `software` that is deleted with the container of `run`, and returns it as mounts.
/// `mounts` and `others` are the mounts that it can write to, `image` is the place of the image.
pub fn judge(
    workload: &Workload,
    software: &Software,
    run: &Run,
    (mounts, others): (&[Mount], &[Mount]),
    image: At,
    found: &mut Found,
) -> Vec<Mount> {
    let all = || mounts.iter().chain(others);
    let seen: Vec<Seen<'_>> =
        data_mounts::seen(mounts, true).chain(data_mounts::seen(others, false)).collect();
    let fixed = run.last("hostname").is_some() || workload.node_network.is_some();
    let Some(loss) = software.lost(&seen, fixed) else { return Vec::new() };
    let target = match &loss.why {
        Why::Over { mount, .. } | Why::Fades { mount, .. } => Some(mount),
        Why::Nothing | Why::Hostname => None,
    };
    let line = target.and_then(|target| all().find(|m| m.target.trim_end_matches('/') == target));
    let at = line.map_or_else(|| image.clone(), |mount| mount.at.clone());
    let (message, fix) = (loss.says(&workload.name), loss.fix(|targets| fix(&loss, workload, targets)));
    // Without any mount, this is often intended.
    if loss.premise.is_some() || software.copy || software.cache && loss.bare {
        found.note(codes::EPHEMERAL, message, vec![at], fix);
    } else {
        found.violation(codes::EPHEMERAL, message, vec![at], fix);
    }
    // A directory that a boot empties keeps its data until then.
    let gone = loss.paths.iter().filter(|path| !all().any(|m| m.target == **path));
    let mount = |path: &String| Mount {
        target: path.clone(),
        source: Source::Ephemeral,
        volume: None,
        at: image.clone(),
    };
    let stays = matches!(loss.why, Why::Fades { life: Life::Boot, .. });
    if stays { Vec::new() } else { gone.map(mount).collect() }
}

/// Reports data that is in a volume of a stopped container, which has no other name: docker removes both when a
/// person prunes (docker container prune, docker volume prune). fleet loses it earlier, with its machine.
pub fn hangs(workload: &Workload, found: &mut Found) {
    if workload.kind != Kind::Local {
        return;
    }
    let mounts = workload.members.iter().flat_map(|m| &m.mounts);
    let hanging = mounts.filter_map(|mount| match &mount.source {
        Source::Host { path, .. } => Some((path.strip_prefix(ANONYMOUS)?.split(' ').next()?, mount)),
        _ => None,
    });
    if let Some((container, mount)) = hanging.into_iter().next() {
        let message = format!(
            "the data of {} is lost if a person prunes the stopped container {container}: its volume has no name",
            workload.name
        );
        let fix = format!("-v NAME:{} of its own, with a name", mount.target);
        found.note(codes::EPHEMERAL, message, vec![mount.at.clone()], fix);
    }
}

/// How the path of a volume without a name begins; its container follows.
pub const ANONYMOUS: &str = "volume of ";

/// Returns the options that keep the data, with a separate place for each instance.
fn fix(loss: &Loss, workload: &Workload, targets: &[String]) -> String {
    let instance = if workload.name.contains('@') { "%i" } else { "" };
    let dash = if instance.is_empty() { "" } else { "-" };
    let name = format!("{}{dash}{instance}", workload.family);
    match &loss.why {
        Why::Over { volume, .. } => return format!("target={volume}"),
        Why::Hostname => return format!("--hostname {name}"),
        Why::Nothing | Why::Fades { .. } => {}
    }
    let mount = |target: &String| {
        let last = target.rsplit('/').next().unwrap_or_default();
        let below = if targets.len() > 1 { format!("/{last}") } else { String::new() };
        let key = if workload.at.file.ends_with(quadlet::CONTAINER) { "Mount=" } else { "--mount " };
        format!("{key}type=bind,source=/mnt/d1/{name}{below},target={target}")
    };
    let mounts: Vec<String> = targets.iter().map(mount).collect();
    let wants = || workload.wants.iter().chain(workload.members.iter().flat_map(|m| &m.wants));
    let pinned = wants().any(Want::pins);
    let number = if instance.is_empty() { "1" } else { instance };
    match workload.kind {
        Kind::Unit if !pinned && workload.follows.is_some() => {
            let followed =
                workload.follows.as_deref().map(|unit| written(workload, unit)).unwrap_or_default();
            format!("{}, and in {followed} MachineMetadata={}={number}", mounts.join(" "), workload.family)
        }
        Kind::Unit if !pinned => {
            format!("{}, and in [X-Fleet] MachineMetadata={}={number}", mounts.join(" "), workload.family)
        }
        _ => mounts.join(" "),
    }
}
