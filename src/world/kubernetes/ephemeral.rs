//! Finds data that is deleted with its pod.

use super::mounts::Mounts;
use super::object::Object;
use super::pod::Pod;
use crate::finding::At;
use crate::images::{Loss, Seen, Why};
use crate::text::yaml::Value;
use crate::world::{Kind, Member, Mount, Source};

/// The data that is deleted with its pod, and the line to change.
pub(super) struct Lost {
    pub loss: Loss,
    pub at: At,
}

/// Returns the data of the pods of `object` that is deleted with them.
pub(super) fn lost(object: &Object<'_>, kind: Kind, pod: &Pod<'_>, mounts: &Mounts<'_>) -> Option<Lost> {
    let (software, main) = (pod.software.as_ref()?, pod.main?);
    let mounted = mounts.lives(main);
    let seen = mounted.iter().map(|m| Seen { target: &m.target, life: m.life, data: m.data });
    let seen: Vec<Seen<'_>> = seen.collect();
    // The hostname of a pod is its name.
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
    /// Gives `member` its data, which no other container can reach.
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
