//! Reads how a StatefulSet rolls an update over members that keep a quorum.

use super::object::Object;
use super::pod::Pod;
use crate::text::yaml::Value;
use crate::world::{Kind, Order, Rolling, Update};

/// The smallest quorum that can lose a member.
const QUORUM: u32 = 3;

/// Returns the roll-out of `object`; `None` if the members keep no quorum, or no controller rolls it.
pub(super) fn rolling(
    object: &Object<'_>,
    kind: Kind,
    pod: &Pod<'_>,
    replicas: u32,
    update: &Update,
) -> Option<Rolling> {
    let votes = pod.software.as_ref().is_some_and(|s| s.quorum && !s.cache) && replicas >= QUORUM;
    if kind != Kind::StatefulSet || !votes || update.order == Order::ByHand {
        return None;
    }
    let at = |way: &[&str]| object.root.at(way).filter(|v| !v.is_null());
    let number = |v: &Value<'_>| v.number().and_then(|n| u32::try_from(n).ok());
    let rolling = |key| at(&["spec", "updateStrategy", "rollingUpdate", key]);
    let start = at(&["spec", "ordinals", "start"]).as_ref().and_then(number).unwrap_or(0);
    // Members below the partition keep the template that they have.
    let partition = rolling("partition").as_ref().and_then(number).unwrap_or(0).saturating_sub(start);
    let most = rolling("maxUnavailable");
    // pkg/controller/statefulset/stateful_set_utils.go, getStatefulSetMaxUnavailable: rounded down,
    // and at least 1.
    let count = most.and_then(|v| part(&v.text()?, replicas, false)).unwrap_or(1).max(1);
    let place =
        |v: Option<Value<'_>>| v.map_or_else(|| object.near(&["spec", "updateStrategy"]), |v| object.at(v));
    (partition < replicas).then(|| Rolling {
        members: replicas,
        most: (count.min(replicas - partition), place(most)),
        parallel: at(&["spec", "podManagementPolicy"]).filter(|p| p.is("Parallel")).map(|p| object.at(p)),
        pause: at(&["spec", "minReadySeconds"])
            .and_then(|v| Some((number(&v)?, object.at(v))))
            .filter(|p| p.0 > 0),
    })
}

/// Returns a number, given as such or as a percentage of `all`.
pub(super) fn part(text: &str, all: u32, up: bool) -> Option<u32> {
    let Some(percent) = text.strip_suffix('%') else { return text.parse().ok() };
    let product = u64::from(percent.parse::<u32>().ok()?) * u64::from(all);
    u32::try_from(if up { product.div_ceil(100) } else { product / 100 }).ok()
}
