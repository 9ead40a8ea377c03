//! Finds sizes in thousandths of a byte, such as `200m`: the API takes them, and warns where a person looks
//! (kubernetes `pkg/api/pod/warnings.go` and `pkg/api/persistentvolumeclaim/util.go`, "fractional byte value").

use super::object::Object;
use super::peers::Peers;
use super::workload::Read;
use crate::finding::{Level, codes};
use crate::text::yaml::Value;
use crate::world::found::Found;

/// Checks each claim, and the memory of each container.
pub(super) fn judge(objects: &[Object<'_>], peers: &Peers<'_, '_>, found: &mut Found) {
    for object in objects.iter().filter(|o| o.kind == "PersistentVolumeClaim") {
        storage(object, object.root, found);
    }
    for read in peers.reads {
        let templates = read.object.root.at(&["spec", "volumeClaimTemplates"]);
        for template in templates.map(Value::items).unwrap_or_default() {
            storage(read.object, template, found);
        }
        for key in ["initContainers", "containers"] {
            for container in read.pod.spec.get(key).map(Value::items).unwrap_or_default() {
                memory(read, container, found);
            }
        }
    }
}

/// Returns the number of thousandths, if they are no whole bytes.
fn thousandths(value: Value<'_>) -> Option<u64> {
    let number = value.text()?.strip_suffix('m')?.parse::<u64>().ok()?;
    (number % 1000 != 0).then_some(number)
}

fn storage(object: &Object<'_>, claim: Value<'_>, found: &mut Found) {
    let Some(value) = claim.at(&["spec", "resources", "requests", "storage"]) else { return };
    let Some(number) = thousandths(value) else { return };
    let message = format!("`{number}m` of storage is {number} thousandths of a byte, not {number} megabytes");
    found.note(codes::IGNORED, message, vec![object.at(value)], format!("storage: {number}Mi"));
}

/// A limit of one byte kills the first process of the container (kubernetes#79950).
fn memory(read: &Read<'_>, container: Value<'_>, found: &mut Found) {
    for (key, level) in [("limits", Level::Violation), ("requests", Level::Note)] {
        let Some(value) = container.at(&["resources", key, "memory"]) else { continue };
        let Some(number) = thousandths(value) else { continue };
        let less = format!("`{number}m` of memory is less than one byte, not {number} megabytes");
        let (code, message) = match level {
            Level::Violation => (codes::NEVER, format!("{} never starts: {less}", read.workload.name)),
            Level::Note => (codes::IGNORED, less),
        };
        found.finding((code, level), message, vec![read.object.at(value)], format!("memory: {number}Mi"));
    }
}
