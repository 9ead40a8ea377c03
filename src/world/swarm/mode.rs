//! Reads how many tasks a service has, and how they are created.

use super::page::Page;
use crate::finding::{Level, codes};
use crate::text::yaml::Value;

/// The number of tasks if the number is unknown. Two are enough to show a conflict.
const UNKNOWN: u64 = 2;

/// The number of tasks, and how they are created.
pub struct Mode {
    /// Whether there is one task on each node.
    pub global: bool,
    /// The number of tasks otherwise.
    pub replicas: u64,
}

/// Returns how the tasks of the service `name` are created; `None` if it is not a workload.
pub fn mode(
    page: &mut Page<'_, '_>,
    name: &str,
    service: &Value<'_>,
    deploy: Option<&Value<'_>>,
) -> Option<Mode> {
    let value = deploy.and_then(|d| d.get("mode"));
    let text = value.as_ref().and_then(|m| page.text(m)).unwrap_or_default();
    let replicas = deploy.and_then(|d| d.get("replicas"));
    let replicas = replicas.or_else(|| service.get("scale").filter(|_| page.machine));
    match (text.as_str(), &value) {
        ("" | "replicated", _) => {
            let replicas = replicas.map_or(1, |value| {
                let what = format!("treated as {UNKNOWN}, of which two can run on one node");
                let number = page.number(&value, &what).unwrap_or(UNKNOWN);
                if number == 0 {
                    page.unread(&value, format!("{name} has no task yet: searched as if it had one"));
                }
                number.max(1)
            });
            Some(Mode { global: false, replicas })
        }
        ("global", value) => {
            if let (Some(replicas), Some(mode)) = (&replicas, value) {
                page.found(
                    (codes::REFUSED, Level::Violation),
                    &[replicas, mode],
                    "a global service has one task on each node and no replicas: docker refuses both together",
                    "leave `replicas` out, or write `mode: replicated`",
                );
            }
            Some(Mode { global: true, replicas: 1 })
        }
        ("replicated-job" | "global-job", Some(value)) => {
            let what = format!("{name} is a job, which ends by itself: what it writes is left out");
            page.not_searched(value, what, "mode: replicated, to search it as a service");
            None
        }
        (other, Some(value)) => {
            page.found(
                (codes::REFUSED, Level::Violation),
                &[value],
                format!("docker knows no mode `{other}`"),
                "mode: replicated",
            );
            Some(Mode { global: false, replicas: 1 })
        }
        (_, None) => None,
    }
}
