//! Data that goes with its pod.

use super::members::Template;
use super::workload::Read;
use crate::finding::{At, codes};
use crate::images::{Life, Loss, Seen, Why};
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::{Kind, Member, Mount, Source};

/// A mount of the container with the data.
pub(super) struct Lives {
    pub target: String,
    pub life: Life,
    /// It can be meant for data.
    pub data: bool,
    /// The line of the volume.
    pub at: At,
}

/// Data that goes with its pod, and the line to change.
pub(super) struct Lost {
    loss: Loss,
    at: At,
}

/// Returns what of the data of the pods of `template` goes with them.
pub(super) fn lost(template: &Template<'_, '_>) -> Option<Lost> {
    let Template { object, kind, pod, mounts, .. } = template;
    let (software, main) = (pod.software.as_ref()?, pod.main?);
    let mounted = mounts.lives(main);
    let seen = mounted.iter().map(|m| Seen { target: &m.target, life: m.life, data: m.data });
    let seen: Vec<Seen<'_>> = seen.collect();
    // A pod's hostname is its name.
    let given = |key: &str| pod.spec.given(key);
    let named = matches!(kind, Kind::StatefulSet | Kind::Pod) || given("hostname").is_some();
    let fixed = named || given("hostNetwork").and_then(Value::flag) == Some(true);
    let loss = software.lost(&seen, fixed)?;
    let at = match &loss.why {
        Why::Fades { mount, .. } | Why::Over { mount, .. } => {
            mounted.iter().find(|m| m.target.trim_end_matches('/') == mount).map(|m| m.at.clone())
        }
        Why::Nothing | Why::Hostname => None,
    };
    let image = || object.at(main.get("image").unwrap_or(main));
    Some(Lost { loss, at: at.unwrap_or_else(image) })
}

impl Lost {
    /// Gives `member` its data, of which no other container has anything.
    pub(super) fn mount(&self, member: &mut Member) {
        let mounts = self.loss.paths.iter().map(|path| Mount {
            target: path.clone(),
            source: Source::Ephemeral,
            volume: None,
            at: self.at.clone(),
        });
        member.mounts.extend(mounts);
    }
}

/// Tells of the data of `read` that goes with its pod.
pub(super) fn judge(read: &Read<'_>, found: &mut Found) {
    let Some((Lost { loss, at }, software)) = read.lost.as_ref().zip(read.pod.software.as_ref()) else {
        return;
    };
    let (name, kind) = (&read.workload.name, read.workload.kind);
    // Often on purpose.
    let meant = software.cache && loss.bare;
    if read.replicas == 0 || meant && kind != Kind::StatefulSet {
        return;
    }
    let claim = |targets: &[String]| {
        let what = if kind == Kind::StatefulSet { "a claim template" } else { "a claim" };
        match (&loss.why, kind) {
            (Why::Over { volume, .. }, _) => format!("mountPath: {volume}"),
            (Why::Hostname, Kind::Replicas) if read.replicas == 1 => {
                format!("hostname: {}", read.object.name)
            }
            (Why::Hostname, _) => "kind: StatefulSet, whose pods keep their names".to_owned(),
            _ => format!("{what} that is mounted at {}", targets.join(" and another at ")),
        }
    };
    let (message, fix) = (loss.says(name), loss.fix(claim));
    if meant || loss.unsure {
        found.note(codes::EPHEMERAL, message, vec![at.clone()], fix);
    } else {
        found.violation(codes::EPHEMERAL, message, vec![at.clone()], fix);
    }
}

/// Tells how long a volume of `kind` lives, if it can hold data.
pub(super) fn life(kind: &str) -> Option<Life> {
    match kind {
        "configMap" | "secret" | "projected" | "downwardAPI" | "image" | "gitRepo" => None,
        "emptyDir" | "ephemeral" | "csi" => Some(Life::Container),
        _ => Some(Life::Durable),
    }
}
