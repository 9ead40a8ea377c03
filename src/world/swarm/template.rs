//! Expands the `{{…}}` that Swarm expands for each task: in the hostname, in values of the
//! environment, in sources and targets of mounts, and in options of volumes (swarmkit `template/`).

use std::collections::BTreeMap;

/// The fields whose value differs from node to node.
const NODE: [&str; 2] = [".Node.ID", ".Node.Hostname"];
/// The fields whose value differs from task to task.
const TASK: [&str; 2] = [".Task.ID", ".Task.Name"];

/// Returns whether an expanded text differs from node to node.
pub fn per_node(text: &str) -> bool {
    NODE.iter().any(|field| text.contains(&format!("{{{{{field}}}}}")))
}

/// A slot of a service, in which tasks run one after another.
pub struct Slot<'s> {
    /// The name of the service, with the name of the stack before it.
    pub service: &'s str,
    /// The labels of the service (`deploy.labels`).
    pub labels: &'s BTreeMap<String, String>,
    /// The number from 1; `None` for a global service, whose slot is the id of its node.
    pub number: Option<u32>,
}

/// A text as one task gets it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expanded {
    /// The text. Fields that only the node or the task knows stay, written `{{.Node.ID}}`.
    pub text: String,
    /// Whether it differs from task to task, also in one slot.
    pub task: bool,
    /// The fields that Swarm does not know, so that it refuses the service.
    pub refused: Vec<String>,
    /// The expressions that berthc does not read, which stay unchanged.
    pub unread: Vec<String>,
}

impl Slot<'_> {
    /// Returns `text` with its templates expanded.
    pub fn expand(&self, text: &str) -> Expanded {
        let mut out = Expanded::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            out.text.push_str(before);
            // A literal of two braces contains the start of a template.
            let Some((inner, after)) = after.split_once("}}") else {
                out.refused.push(rest.to_owned());
                rest = "";
                break;
            };
            self.action(inner, &mut out);
            rest = after;
        }
        out.text.push_str(rest);
        out
    }

    fn action(&self, inner: &str, out: &mut Expanded) {
        let inner = inner.strip_prefix("- ").unwrap_or(inner);
        let inner = inner.strip_suffix(" -").unwrap_or(inner).trim();
        let keep = |out: &mut Expanded| out.text.push_str(&format!("{{{{{inner}}}}}"));
        match (inner, self.number) {
            (".Service.Name", _) => out.text.push_str(self.service),
            (".Task.Slot", Some(number)) => out.text.push_str(&number.to_string()),
            (".Task.Slot", None) => out.text.push_str("{{.Node.ID}}"),
            (".Service.ID", _) => out.text.push_str(&format!("id of {}", self.service)),
            (
                ".Node.Platform" | ".Node.Platform.OS" | ".Node.Platform.Architecture" | ".Service.Labels",
                _,
            ) => {
                keep(out);
            }
            _ if NODE.contains(&inner) => keep(out),
            _ if TASK.contains(&inner) => {
                out.task = true;
                keep(out);
            }
            _ => match self.value(inner) {
                Some(value) => out.text.push_str(&value),
                None if field(inner) => out.refused.push(inner.to_owned()),
                None => {
                    keep(out);
                    out.unread.push(inner.to_owned());
                }
            },
        }
    }

    /// Returns the value of a literal or of a label of the service.
    fn value(&self, inner: &str) -> Option<String> {
        if let Some(key) = inner.strip_prefix("index .Service.Labels ") {
            return self.labels.get(&literal(key.trim())?).cloned();
        }
        if let Some(key) = inner.strip_prefix(".Service.Labels.") {
            return self.labels.get(key).cloned();
        }
        literal(inner)
    }
}

/// Returns a quoted text without escapes.
fn literal(text: &str) -> Option<String> {
    let inner = text
        .strip_prefix('"')
        .and_then(|t| t.strip_suffix('"'))
        .filter(|t| !t.contains('\\'))
        .or_else(|| text.strip_prefix('`').and_then(|t| t.strip_suffix('`')))?;
    Some(inner.to_owned())
}

/// Returns whether it is a single field, without a function or a pipe.
fn field(inner: &str) -> bool {
    inner.starts_with('.')
        && !inner.starts_with(".Service.Labels.")
        && inner.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_')
}
