//! Constraints of a service on its node.

/// The names of node properties in a constraint. Any other key never matches a node.
const PROPERTIES: [&str; 6] =
    ["node.id", "node.hostname", "node.ip", "node.role", "node.platform.os", "node.platform.arch"];

/// A constraint such as `node.labels.KEY == VALUE` (swarmkit `manager/constraint/constraint.go`).
pub struct Constraint<'t> {
    key: &'t str,
    equal: bool,
    value: &'t str,
}

impl<'t> Constraint<'t> {
    /// Parses a constraint; `None` if no node ever matches it.
    pub fn of(text: &'t str) -> Option<Self> {
        let (equal, (key, value)) = match text.split_once("==") {
            Some(parts) => (true, parts),
            None => (false, text.split_once("!=")?),
        };
        let (key, value) = (key.trim(), value.trim());
        let known = label(key).map_or_else(|| PROPERTIES.contains(&key), is_word);
        let good = |b: u8| b.is_ascii_alphanumeric() || b":-_. /*".contains(&b);
        let all = known && !value.is_empty() && value.bytes().all(good);
        all.then_some(Self { key, equal, value })
    }

    /// Returns whether no node matches both constraints. Values are compared without case.
    pub fn contradicts(&self, other: &Constraint<'_>) -> bool {
        let same = self.value.eq_ignore_ascii_case(other.value);
        self.key == other.key && (self.equal || other.equal) && same != (self.equal && other.equal)
    }
}

/// Returns the label in the key of a constraint or a preference.
pub fn label(key: &str) -> Option<&str> {
    key.strip_prefix("node.labels.").or_else(|| key.strip_prefix("engine.labels."))
}

/// Returns whether a label may have this value.
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
