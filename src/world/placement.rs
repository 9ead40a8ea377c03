//! Where workloads may run: conditions on nodes, and the workloads that they keep away.

use std::collections::BTreeMap;

use crate::finding::At;
use crate::text::names;

/// A condition on the labels of a node (Kubernetes, Swarm) or the metadata of a machine (fleet).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// The key: `zookeeper`, `kubernetes.io/hostname`, `node.role`.
    pub key: String,
    /// The allowed values; empty if every value is allowed.
    pub values: Vec<String>,
    /// Whether the values are forbidden instead.
    pub not: bool,
    /// Whether all nodes have different values: a hostname, the id of a node or machine.
    pub one_node: bool,
    /// Whether several members of one family require the same, so that many nodes match.
    pub shared: bool,
    /// The place.
    pub at: At,
}

impl Want {
    /// Returns whether operators set the label by hand, on one node at a time. Other labels describe
    /// a class of nodes: many nodes are managers, or run Linux.
    pub fn is_set_by_hand(&self) -> bool {
        !KINDS.contains(&self.key.as_str()) && !OWNERS.iter().any(|owner| self.key.starts_with(owner))
    }

    /// Returns whether only one node matches, as far as its name says.
    pub fn pins(&self) -> bool {
        let own = self.is_set_by_hand() && !self.selects_class() && !self.shared;
        !self.not && self.values.len() == 1 && (self.one_node || own)
    }

    /// Returns whether many nodes match, judged by the last word of the label: such nodes are in one
    /// zone, or of one class. A class with a number (`role=data1`) belongs to one member.
    pub fn selects_class(&self) -> bool {
        let numbered = |v: &String| v.ends_with(|c: char| c.is_ascii_digit());
        let one = |v: &String| numbered(v) || UNIQUE.contains(&v.as_str());
        names::of_place(&self.key)
            || CLASS_WORDS.contains(&names::last_word(&self.key)) && !self.values.iter().all(one)
    }
}

/// The labels that describe a class of nodes.
const KINDS: [&str; 7] = [
    "node.role",
    "node.platform.os",
    "node.platform.arch",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "kubernetes.io/role",
    "agentpool",
];

/// The prefixes of labels that clouds, installers and the configuration of the daemon set.
const OWNERS: [&str; 14] = [
    "alpha.eksctl.io/",
    "beta.kubernetes.io/",
    "cloud.google.com/",
    "doks.digitalocean.com/",
    "eks.amazonaws.com/",
    "engine.labels.",
    "failure-domain.beta.kubernetes.io/",
    "karpenter.k8s.aws/",
    "karpenter.sh/",
    "kops.k8s.io/",
    "kubernetes.azure.com/",
    "node-role.kubernetes.io/",
    "node.kubernetes.io/",
    "topology.kubernetes.io/",
];

/// Roles that one node has. Of masters a cluster may have several.
const UNIQUE: [&str; 2] = ["leader", "primary"];

/// The last words of labels that describe a class of nodes.
const CLASS_WORDS: [&str; 20] = [
    "arch",
    "class",
    "cluster",
    "disk",
    "disktype",
    "env",
    "environment",
    "group",
    "nodegroup",
    "nodepool",
    "os",
    "pool",
    "provider",
    "role",
    "size",
    "stage",
    "storage",
    "tier",
    "type",
    "ssd",
];

/// A rule that keeps a workload off nodes where certain others are wanted or run.
#[derive(Debug, Clone)]
pub struct Apart {
    /// The others.
    pub whom: Whom,
    /// The place.
    pub at: At,
}

/// The containers that a rule keeps away.
#[derive(Debug, Clone)]
pub enum Whom {
    /// Kubernetes: pods with these labels, in these namespaces.
    Pods {
        /// The selector of their labels.
        selector: Selector,
        /// The namespaces; `None` for all.
        namespaces: Option<Vec<String>>,
        /// The node label that defines a place, such as `kubernetes.io/hostname` or the label of a
        /// zone: nodes with one value are one place.
        topology: &'static str,
    },
    /// fleet: units whose full name matches this `path.Match` glob, with specifiers expanded.
    Units(String),
}

/// A Kubernetes label selector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// The conditions. All must be true; without conditions, it selects everything.
    pub terms: Vec<Term>,
}

/// A condition of a [`Selector`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// The label has one of these values.
    In(String, Vec<String>),
    /// The label is missing or has none of these values.
    NotIn(String, Vec<String>),
    /// The label exists.
    Exists(String),
    /// The label does not exist.
    Missing(String),
}

impl Selector {
    /// Returns whether it selects these labels (apimachinery `labels.Selector`).
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.terms.iter().all(|term| match term {
            Term::In(key, values) => labels.get(key).is_some_and(|v| values.contains(v)),
            Term::NotIn(key, values) => labels.get(key).is_none_or(|v| !values.contains(v)),
            Term::Exists(key) => labels.contains_key(key),
            Term::Missing(key) => !labels.contains_key(key),
        })
    }
}
