//! The parts that every object and every file has.

use serde::Serialize;

/// Labels or a selector, in the order of the output.
pub type Labels = Vec<(String, String)>;

/// The names of the specs of a file, for its first line.
pub type Origin = Vec<String>;

/// The name and labels of an object.
#[derive(Debug, Clone, Serialize)]
pub struct Meta {
    /// The name.
    pub name: String,
    /// The namespace; `None` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// The labels.
    pub labels: Labels,
    /// The annotations: keys and texts.
    pub annotations: Labels,
}

impl Meta {
    /// Makes the metadata of an object without annotations.
    pub fn new(name: String, namespace: Option<String>, labels: Labels) -> Self {
        Self { name, namespace, labels, annotations: Labels::new() }
    }
}
