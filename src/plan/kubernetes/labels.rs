//! Every label that berthc sets, and everything that selects by them. A selector that is written
//! anywhere else would one day select nothing, or a neighbour.

use super::objects::{Labels, Meta};
use crate::model::Service;

const NAME: &str = "app.kubernetes.io/name";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The label of pods that says which revision they are of.
pub const REVISION: &str = "berth.dev/revision";

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

/// The labels of one service, or of one revision of it: on its objects and on its pods.
pub fn of(service: &Service) -> Labels {
    let mut labels = base(&service.name);
    labels.extend(service.revision.iter().map(|r| pair(REVISION, r)));
    labels.extend(service.labels.iter().cloned());
    labels
}

/// The labels of what all revisions of `group` share: theirs as far as they agree.
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

/// Selects every member of the service `name`, whatever its revision. The name alone is a label
/// that charts of others set, too: their pods would be behind our Service and in our budget.
pub fn members(name: &str) -> Labels {
    base(name)
}

/// As `members`, in the words of `kubectl -l`.
pub fn query(name: &str) -> String {
    let all: Vec<String> = members(name).iter().map(|(key, value)| format!("{key}={value}")).collect();
    all.join(",")
}

/// Selects the pods of one workload: of one revision, if there are several.
pub fn workload(service: &Service) -> Labels {
    let mut selector = members(&service.name);
    selector.extend(service.revision.iter().map(|r| pair(REVISION, r)));
    selector
}

/// The node label that says which revision a node runs.
pub fn node_revision(service: &Service) -> Option<(String, String)> {
    service.revision.as_ref().map(|r| (format!("{}-revision", service.name), r.clone()))
}

/// The labels of addresses behind the Service `meta`.
pub fn of_slice(meta: &Meta) -> Labels {
    let mut labels = meta.labels.clone();
    labels.push(pair("kubernetes.io/service-name", &meta.name));
    labels.push(pair("endpointslice.kubernetes.io/managed-by", "berthc"));
    labels
}
