//! A claim as a pod names it.

use super::object::Object;
use crate::finding::At;
use crate::text::yaml::Value;

/// The annotation that named a class before 1.6.
pub(super) const CLASS: [&str; 3] = ["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"];

/// A claim, of an object or of a template.
#[derive(Clone)]
pub(super) struct Claim<'d> {
    pub namespace: String,
    pub name: String,
    /// Its `spec`, and the object that this stands in; `None` when the files have no such claim.
    pub spec: Option<(&'d Object<'d>, Value<'d>)>,
    /// Its labels and annotations, as far as the files have them.
    pub metadata: Option<Value<'d>>,
    /// Where it is named.
    pub at: At,
    /// It is a StatefulSet's own, made with its pod.
    pub template: bool,
    /// A lost one is made again, empty.
    pub made: bool,
}

impl<'d> Claim<'d> {
    /// Returns the name of its StorageClass.
    pub(super) fn class(&self) -> Option<&'d str> {
        let named = self.spec.and_then(|(_, s)| s.get("storageClassName")).and_then(Value::as_str);
        named.or_else(|| self.metadata.and_then(|m| m.at(&CLASS[1..])).and_then(Value::as_str))
    }
}
