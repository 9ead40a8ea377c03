//! All labels that berthc sets, and all selectors for them. A selector written elsewhere could one
//! day match nothing, or the pods of another service.

use super::objects::{Labels, Meta};
use crate::model::Service;

const NAME: &str = "app.kubernetes.io/name";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The label of a pod with its revision.
pub const REVISION: &str = "berth.dev/revision";

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

/// Returns the labels of a service, or of one revision, for its objects and pods.
pub fn of(service: &Service) -> Labels {
    let mut labels = base(&service.name);
    labels.extend(service.revision.iter().map(|r| pair(REVISION, r)));
    labels.extend(service.labels.iter().cloned());
    labels
}

/// Returns the labels of the objects that all revisions in `group` share: the labels that are equal
/// in all of them.
pub fn shared(group: &[&Service]) -> Labels {
    let Some((first, rest)) = group.split_first() else { return Labels::new() };
    let mut labels = base(&first.name);
    let agreed = first.labels.iter().filter(|label| rest.iter().all(|s| s.labels.contains(label)));
    labels.extend(agreed.cloned());
    labels
}

fn base(name: &str) -> Labels {
    vec![pair(NAME, name), pair(MANAGED_BY, "berthc")]
}

/// Returns the selector for every member of the service `name`, in all revisions. It has more than
/// the name, because other charts set the name label too, and their pods would then match our
/// Service and budget.
pub fn members(name: &str) -> Labels {
    base(name)
}

/// Returns the same selector in the notation of `kubectl -l`.
pub fn query(name: &str) -> String {
    let all: Vec<String> = members(name).iter().map(|(key, value)| format!("{key}={value}")).collect();
    all.join(",")
}

/// Returns the selector for the pods of one workload, which is one revision if there are several.
pub fn workload(service: &Service) -> Labels {
    let mut selector = members(&service.name);
    selector.extend(service.revision.iter().map(|r| pair(REVISION, r)));
    selector
}

/// Returns the node label that tells which revision a node runs.
pub fn node_revision(service: &Service) -> Option<(String, String)> {
    service.revision.as_ref().map(|r| (service.revision_label(), r.clone()))
}

/// Returns the labels of the EndpointSlice of the Service `meta`.
pub fn of_slice(meta: &Meta) -> Labels {
    let mut labels = meta.labels.clone();
    labels.push(pair("kubernetes.io/service-name", &meta.name));
    labels.push(pair("endpointslice.kubernetes.io/managed-by", "berthc"));
    labels
}
