//! Makes the members of a workload: one for each pod, or one that represents the pod of each node.

use super::ephemeral::Lost;
use super::mounts::{Modes, Mounts};
use super::object::Object;
use super::pod::Pod;
use super::storage::Storage;
use crate::text::yaml::Value;
use crate::world::found::Found;
use crate::world::{Kind, Member};

/// The maximum number of members of a workload that are read. A search needs few.
const MOST: u32 = 64;
/// The maximum number of members of all workloads.
pub(super) const ALL: usize = 20_000;

/// The parts of members.
pub(super) struct Template<'t, 'd> {
    pub object: &'d Object<'d>,
    pub kind: Kind,
    pub replicas: u32,
    pub pod: &'t Pod<'d>,
    pub mounts: &'t Mounts<'d>,
}

/// Returns the members, and the facts of their claims.
pub(super) fn members<'d>(
    template: &Template<'_, 'd>,
    lost: Option<&Lost>,
    (storage, left): (&mut Storage<'d>, &mut usize),
    found: &mut Found,
) -> (Vec<Member>, Modes) {
    let Template { object, kind, replicas, pod, .. } = *template;
    let count = replicas.min(MOST).min(u32::try_from(*left).unwrap_or(MOST));
    if count < replicas {
        let what = format!("{replicas} pods: only the first {count} are read");
        found.unread(object.near(&["spec", "replicas"]), what);
    }
    *left -= count as usize;
    let start = object.root.at(&["spec", "ordinals", "start"]).and_then(Value::number);
    let start = start.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let hostname = pod.spec.given("hostname").filter(|_| kind != Kind::StatefulSet);
    let hostname = hostname.and_then(|h| Some((h.text()?, object.at(h))));
    let (mut members, mut modes) = (Vec::new(), Modes::default());
    // kubernetes.io, "Jobs", completion mode: an Indexed job has one pod of each index.
    let indexed = ["spec", "completionMode"];
    let of_cron = ["spec", "jobTemplate", "spec", "completionMode"];
    let mode = object.root.at(&indexed).or_else(|| object.root.at(&of_cron));
    let numbered = kind == Kind::StatefulSet || kind == Kind::Job && mode.is_some_and(|m| m.is("Indexed"));
    for i in 0..count {
        let ordinal = numbered.then(|| start.saturating_add(i));
        let name = match (ordinal, kind) {
            (Some(ordinal), _) => format!("{}-{ordinal}", object.name),
            (None, Kind::Replicas | Kind::Pod | Kind::Job) if replicas > 1 => {
                format!("{}#{}", object.name, i + 1)
            }
            (None, Kind::DaemonSet) => object.title(),
            (None, _) => object.name.clone(),
        };
        let mut member = Member { name, ordinal, hostname: hostname.clone(), ..Member::default() };
        template.mounts.mount(&mut member, storage, &mut modes, found);
        // A job that runs the tools of a database has no data of its own.
        if let Some(lost) = lost.filter(|_| kind != Kind::Job) {
            lost.mount(&mut member);
        }
        members.push(member);
    }
    (members, modes)
}
