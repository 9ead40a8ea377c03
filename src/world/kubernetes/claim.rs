//! A claim that a pod names.

use super::object::Object;
use crate::finding::At;
use crate::text::yaml::Value;

/// The annotation that named a class before 1.6.
pub(super) const CLASS: [&str; 3] = ["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"];

/// A claim, from an object or a claim template.
#[derive(Clone)]
pub(super) struct Claim<'d> {
    pub namespace: String,
    pub name: String,
    /// Its `spec`, and the object with it; `None` if the files do not contain the claim.
    pub spec: Option<(&'d Object<'d>, Value<'d>)>,
    /// Its labels and annotations, as far as the files contain them.
    pub metadata: Option<Value<'d>>,
    /// The place where a pod names it.
    pub at: At,
    /// Whether a StatefulSet creates it with the pod.
    pub template: bool,
    /// Whether a lost claim is created again, empty.
    pub made: bool,
}

impl<'d> Claim<'d> {
    /// Returns the place of its access modes, if `mode` is one of them.
    pub(super) fn mode(&self, mode: &str) -> Option<At> {
        let (object, spec) = self.spec?;
        let modes = spec.given("accessModes")?;
        modes.texts().iter().any(|m| m == mode).then(|| object.at(modes))
    }

    /// Returns the name of its StorageClass.
    pub(super) fn class(&self) -> Option<&'d str> {
        let named = self.spec.and_then(|(_, s)| s.get("storageClassName")).and_then(Value::as_str);
        named.or_else(|| self.metadata.and_then(|m| m.at(&CLASS[1..])).and_then(Value::as_str))
    }
}
