//! A claim as a pod names it.

use super::object::Object;
use crate::finding::At;
use crate::text::yaml::Value;

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
