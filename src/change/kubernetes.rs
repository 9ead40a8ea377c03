//! Changes of berthc's own objects that the API server refuses.

use std::collections::BTreeMap;

use super::file::Change;
use super::objects::{CLAIMS, Key, Object, key};
use crate::route;
use crate::text::yaml::{Document, Value, documents};

pub(super) fn judge(change: &mut Change<'_>, before: &str, after: &str) {
    let folder = change.path.rsplit_once('/').map_or_else(String::new, |(folder, _)| folder.to_owned());
    let (before, after) = (documents(before).0, documents(after).0);
    let old: BTreeMap<Key, Value<'_>> =
        before.iter().map(Document::root).filter_map(|object| Some((key(object)?, object))).collect();
    for new in after.iter().map(Document::root) {
        let Some((old, key)) = key(new).and_then(|key| Some((*old.get(&key)?, key))) else { continue };
        let object = Object { old, new, key, apply: format!("kubectl apply -k {folder}") };
        for field in object.refused() {
            let claims = field == CLAIMS;
            if change.moves && (claims || object.key.0 == "PersistentVolume") {
                continue;
            }
            let mut shrunk = Vec::new();
            if claims && !object.renames() {
                shrunk = object.shrunk();
                shrunk.retain(|(name, before, after)| change.shrinks(name, before, after));
            }
            if shrunk.is_empty() {
                refused(change, &object, field);
            }
        }
    }
}

fn refused(change: &mut Change<'_>, object: &Object<'_>, field: &[&str]) {
    let place = match field {
        [.., "volumeClaimTemplates"] => route!["exclusive", "data"],
        _ => route!["targets", "kubernetes"],
    };
    let place = change.revision(|s| s.full_name() == object.key.2).key(&place);
    let message = format!("kubectl apply will refuse the new {} of {}", field.join("."), object.reference());
    change.refused(place, message, "the API server never changes this field", object.steps(field));
}
