//! The `{{…}}` that Swarm expands for each task: in the hostname, in values of the environment, in
//! the sources and targets of mounts, in options of volumes (swarmkit `template/`).

use std::collections::BTreeMap;

/// What stands for a value that each node has its own of.
const NODE: [&str; 2] = [".Node.ID", ".Node.Hostname"];
/// What stands for a value that each task has its own of.
const TASK: [&str; 2] = [".Task.ID", ".Task.Name"];

/// Whether an expanded text differs from node to node.
pub fn per_node(text: &str) -> bool {
    NODE.iter().any(|field| text.contains(&format!("{{{{{field}}}}}")))
}

/// One place of a service, where its tasks come one after another.
pub struct Slot<'s> {
    /// The service's name with the stack's before it.
    pub service: &'s str,
    /// Labels of the service (`deploy.labels`).
    pub labels: &'s BTreeMap<String, String>,
    /// From 1; `None` for a global service, whose slot is its node's id.
    pub number: Option<u32>,
}

/// A text as one task gets it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expanded {
    /// What only the node or the task knows stays, written `{{.Node.ID}}`.
    pub text: String,
    /// It differs from task to task, also in one slot.
    pub task: bool,
    /// Fields that Swarm does not know: it refuses the service.
    pub refused: Vec<String>,
    /// Expressions that are not read here; they stay as they are.
    pub unread: Vec<String>,
}

impl Slot<'_> {
    /// `text` with its templates expanded.
    pub fn expand(&self, text: &str) -> Expanded {
        let mut out = Expanded::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            out.text.push_str(before);
            // The literal of two braces holds the mark of its own beginning.
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

    /// A literal, or a label of the service.
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

/// A text in quotes without escapes.
fn literal(text: &str) -> Option<String> {
    let inner = text
        .strip_prefix('"')
        .and_then(|t| t.strip_suffix('"'))
        .filter(|t| !t.contains('\\'))
        .or_else(|| text.strip_prefix('`').and_then(|t| t.strip_suffix('`')))?;
    Some(inner.to_owned())
}

/// Whether it is a field alone, without a function or a pipe.
fn field(inner: &str) -> bool {
    inner.starts_with('.')
        && !inner.starts_with(".Service.Labels.")
        && inner.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_')
}
