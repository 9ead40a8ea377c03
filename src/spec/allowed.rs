//! What a field of a spec may hold: the patterns, ranges and lists that the attributes of the
//! fields give to [`crate::schema`]. `check` in [`crate::model`] uses the same ranges and lists.
//!
//! Patterns have no look-around, because some editors do not support it. Each pattern accepts
//! everything that `check` accepts; a few accept more.

use std::ops::RangeInclusive;

use schemars::Schema;
use serde_json::{Value, json};

use crate::backend::BACKENDS;

/// The minor versions of Kubernetes 1 that berthc knows.
pub const KUBERNETES: RangeInclusive<u32> = 25..=37;
/// The major versions of the docker engine that berthc knows, besides 20.10.
pub const ENGINES: RangeInclusive<u32> = 23..=29;
/// The highest number of members. With more, ids no longer fit into the names made from them.
pub const MAX_MEMBERS: u32 = 1000;
/// The highest id of a first member.
pub const MAX_FIRST: u32 = 1_000_000;
/// The longest name of a data directory or a helper.
const MAX_SHORT: u32 = 30;
/// The networks of Docker that are not overlays.
pub const NO_OVERLAY: [&str; 3] = ["host", "bridge", "none"];
/// The signals that both docker and Kubernetes know.
pub const SIGNALS: [&str; 12] = [
    "SIGABRT", "SIGALRM", "SIGCONT", "SIGHUP", "SIGINT", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGTERM",
    "SIGUSR1", "SIGUSR2", "SIGWINCH",
];
/// The names that `ulimit` of docker knows.
pub const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

pub(super) const ADDRESS: &str = "^[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9:])?$";
pub(super) const BYTES: &str = "^[0-9]+(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$";
pub(super) const CPU: &str = r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)$";
pub(super) const DOCKER: &str = r"^[0-9]+\.[0-9]+(\.[0-9]+)?$";
pub(super) const DURATION: &str = "^([0-9]+h([0-9]+m)?([0-9]+s)?|[0-9]+m([0-9]+s)?|[0-9]+s)$";
/// A duration that contains no digit other than 0.
const ZERO: &str = "^[0hms]*$";
/// The list of `each`.
pub(super) const EACH: &str = r"^(members|peers|peers\('[a-z]([-a-z0-9]*[a-z0-9])?'\))$";
pub(super) const ENGINE: &str = r"^(20\.10|2[3-9](\.(0|[1-9][0-9]*))?)(\.(0|[1-9][0-9]*))?$";
pub(super) const ENV: &str = "^[A-Za-z._-][A-Za-z0-9._-]*$";
pub(super) const FLEET: &str = r"^(0\.13|1\.0)(\.(0|[1-9][0-9]*))?$";
pub(super) const GAP: &str = "^(kubernetes|fleet|swarm)/";
pub(super) const ID: &str = "^(0|[1-9][0-9]*)$";
pub(super) const IMAGE: &str = "^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9]([a-z0-9._-]*[a-z0-9])?\
                     (/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*(:[A-Za-z0-9_][A-Za-z0-9._-]*)?\
                     (@[A-Za-z0-9+._-]+:[0-9A-Fa-f]{32,})?$";
/// The name of a key of a Secret, or of a part of the name of a Swarm secret.
pub(super) const KEY: &str = "^[A-Za-z0-9._-]+$";
pub(super) const LABEL: &str = "^[a-z]([-a-z0-9]*[a-z0-9])?$";
pub(super) const LABEL_KEY: &str = "^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$";
pub(super) const MOVE: &str = "^(access|backend|class|data|host|members|namespace|pin|service|target)/.";
pub(super) const LABEL_VALUE: &str = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$";
/// A reason: at least one character is a letter or digit, or lies outside ASCII and is no
/// punctuation.
pub(super) const REASON: &str =
    r"[^\u0000-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00A9\u2000-\u206F\u3000-\u3003]";
/// An octal mode.
pub(super) const MODE: &str = "^0?[0-7]{3}$";
/// The name of a node, a domain or a class.
pub(super) const NAME: &str = "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$";
pub(super) const NAMESPACE: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
/// Path segments that are neither empty nor `.` nor `..`.
pub(super) const PATH: &str = r"^(/(\.{0,2}[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*|\.{3}[A-Za-z0-9._@+-]*))+$";
/// The path of an HTTP probe.
pub(super) const REQUEST: &str = "^/[!-~]*$";
pub(super) const REVISION: &str = "^[-a-z0-9]*[a-z0-9]$";
/// A secret, as `NAME/KEY`.
pub(super) const SECRET: &str = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[A-Za-z0-9._-]+$";
pub(super) const USER: &str = "^(0|[1-9][0-9]{0,9})(:(0|[1-9][0-9]{0,9}))?$";

/// Returns the pattern of a Kubernetes version.
pub(super) fn kubernetes() -> String {
    let minors: Vec<String> = KUBERNETES.map(|minor| minor.to_string()).collect();
    format!(r"^1\.({})(\.(0|[1-9][0-9]*))?$", minors.join("|"))
}

/// Returns the names of the storage backends, without `csi:`, which has a name after it.
pub(super) fn backends() -> Vec<&'static str> {
    BACKENDS.iter().map(|b| b.name).filter(|name| !name.ends_with(':')).collect()
}

/// Returns a change to the schema of a map: its keys must match `pattern`.
pub(super) fn keys(pattern: &'static str) -> impl FnMut(&mut Schema) {
    move |map| {
        map.insert("propertyNames".into(), json!({ "pattern": pattern }));
    }
}

/// Returns a change to the schema of a map of texts: its keys and its values must match patterns.
pub(super) fn map(key: &'static str, value: &'static str) -> impl FnMut(&mut Schema) {
    move |map| {
        keys(key)(map);
        map.insert("additionalProperties".into(), json!({ "type": "string", "pattern": value }));
    }
}

/// Limits the keys of a map to short DNS labels, because names are made from them.
pub(super) fn short_keys(map: &mut Schema) {
    map.insert("propertyNames".into(), json!({ "pattern": LABEL, "maxLength": MAX_SHORT }));
}

/// Describes a map from the name of a port to the port.
pub(super) fn ports(map: &mut Schema) {
    map.insert("propertyNames".into(), json!({ "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 15 }));
}

/// Describes a map from the id of a member to an address.
pub(super) fn addresses(map: &mut Schema) {
    map.insert("patternProperties".into(), json!({ ID: { "type": "string", "pattern": ADDRESS } }));
}

/// Requires no field of a block, because a `base` may have the others.
pub(super) fn partial(block: &mut Schema) {
    block.remove("required");
}

/// Rejects durations of zero.
pub(super) fn above_zero(duration: &mut Schema) {
    duration.insert("not".into(), json!({ "pattern": ZERO }));
}

/// Returns the schema of a text that matches `pattern`.
pub(super) fn text(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// The kinds of change that leave data behind. A name under `moved` is `KIND/OLD`.
pub const MOVES: [&str; 10] =
    ["access", "backend", "class", "data", "host", "members", "namespace", "pin", "service", "target"];
