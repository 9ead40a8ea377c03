//! Reads where Swarm may place a task: constraints, which are binding, and preferences, which are
//! not.

use super::page::Page;
use crate::finding::{Level, codes};
use crate::text::yaml::Value;
use crate::world::Want;

/// The keys of a node that are not labels (swarmkit `manager/constraint/constraint.go`), and
/// whether all nodes have different values.
const KEYS: [(&str, bool); 6] = [
    ("node.id", true),
    ("node.hostname", true),
    ("node.ip", true),
    ("node.role", false),
    ("node.platform.os", false),
    ("node.platform.arch", false),
];

/// Returns the conditions in `deploy.placement.constraints`.
pub fn wants(page: &mut Page<'_, '_>, deploy: Option<&Value<'_>>) -> Vec<Want> {
    let constraints = deploy.and_then(|d| d.at(&["placement", "constraints"]));
    let constraints = constraints.map(|c| c.items()).unwrap_or_default();
    constraints.iter().filter_map(|c| want(page, c)).collect()
}

fn want(page: &mut Page<'_, '_>, value: &Value<'_>) -> Option<Want> {
    let text = page.text(value)?;
    let split = |operator| text.split_once(operator);
    let (key, wanted, not) = match (split("=="), split("!=")) {
        (Some((key, value)), _) => (key.trim(), value.trim(), false),
        (None, Some((key, value))) => (key.trim(), value.trim(), true),
        (None, None) => {
            refused(page, value, &text);
            return None;
        }
    };
    if !good_key(key) || !good_value(wanted) {
        refused(page, value, &text);
        return None;
    }
    let lower = key.to_ascii_lowercase();
    let label = ["node.labels.", "engine.labels."].into_iter().find(|p| lower.starts_with(p));
    let known = KEYS.iter().find(|(k, _)| *k == lower);
    let key = match (label, known) {
        // The prefix is not case-sensitive, but the label is.
        (Some(prefix), _) if key.len() > prefix.len() => format!("{prefix}{}", &key[prefix.len()..]),
        (_, Some((key, _))) => (*key).to_owned(),
        _ => {
            page.found(
                (codes::MATCHES_NOTHING, Level::Violation),
                &[value],
                format!("Swarm knows no key `{key}`, so the constraint matches no node and no task starts"),
                format!("node.labels.{} == {wanted}", key.rsplit('.').next().unwrap_or(key)),
            );
            key.to_owned()
        }
    };
    // Swarm compares values without case (strings.EqualFold).
    let wanted = wanted.to_lowercase();
    let role = matches!(wanted.as_str(), "manager" | "worker") || wanted.contains("${");
    if key == "node.role" && !not && !role {
        page.found(
            (codes::MATCHES_NOTHING, Level::Violation),
            &[value],
            format!("no node has the role `{wanted}`, so no task starts"),
            "node.role == worker",
        );
    }
    let alone = known.is_some_and(|(_, alone)| *alone) && !not;
    // The address may also be a network.
    let one_node = alone && !(key == "node.ip" && wanted.contains('/'));
    Some(Want { key, values: vec![wanted], not, one_node, shared: false, at: page.at(value) })
}

fn refused(page: &mut Page<'_, '_>, value: &Value<'_>, text: &str) {
    page.found(
        (codes::REFUSED, Level::Violation),
        &[value],
        format!("Swarm cannot read the constraint `{text}` and refuses the service"),
        "node.labels.zone == b",
    );
}

/// Checks a key with swarmkit's `alphaNumeric`. An unknown variable may be anything.
fn good_key(key: &str) -> bool {
    key.contains("${")
        || key.len() > 1
            && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Checks a value with swarmkit's `valuePattern`.
fn good_value(value: &str) -> bool {
    let good =
        |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || r":-_.*()?+[]\^$|/".contains(c);
    value.contains("${") || !value.is_empty() && value.chars().all(good)
}
