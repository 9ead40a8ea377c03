//! PersistentVolumes that are reserved for a claim (`claimRef`).

use std::collections::{BTreeMap, BTreeSet};

use super::object::Object;
use crate::finding::codes;
use crate::text::yaml::Value;
use crate::world::found::Found;

/// Reports volumes of which two are reserved for one claim, and volumes that no claim in the files can bind.
///
/// Of two volumes with one `claimRef` the claim binds one. The scheduler may still place the pod at the
/// other, where it never starts; a claim that is made again may bind the other, which is empty (seen on
/// 1.37.2: 9 of 24 pods). kustomize's `namespace`, `namePrefix` and `nameSuffix` leave `claimRef` as it was
/// (kustomize 5.8.1).
///
/// `known` are the claims that pods name, and whether these are all.
pub(super) fn judge(objects: &[Object<'_>], (mut known, whole): (BTreeSet<String>, bool), found: &mut Found) {
    let claims = objects.iter().filter(|o| o.kind == "PersistentVolumeClaim");
    known.extend(claims.map(|o| format!("{}/{}", o.namespace, o.name)));
    let by_name: BTreeMap<&str, &str> =
        known.iter().filter_map(|claim| claim.split_once('/')).map(|(scope, name)| (name, scope)).collect();
    let mut first: BTreeMap<String, &Object<'_>> = BTreeMap::new();
    for object in objects.iter().filter(|o| o.kind == "PersistentVolume") {
        let Some(name) = object.root.at(&["spec", "claimRef", "name"]) else { continue };
        let scope = object.root.at(&["spec", "claimRef", "namespace"]);
        let text = |value: Value<'_>| value.as_str().unwrap_or_default().to_owned();
        let (name_text, scope_text) = (text(name), scope.map_or_else(|| "default".to_owned(), text));
        let claim = format!("{scope_text}/{name_text}");
        let at = object.at(name);
        if let Some(other) = first.get(&claim).filter(|other| other.name != object.name) {
            let message = format!(
                "the volumes {} and {} are both reserved for the claim {claim}: it binds one, and its pod may be placed at the other and never start",
                other.name, object.name
            );
            let fix = "claimRef: {name: CLAIM}, another claim for each volume; or one of the two volumes";
            found.violation(codes::MATCHES_NOTHING, message, vec![at, other.here()], fix);
            continue;
        }
        first.insert(claim.clone(), object);
        if known.contains(&claim) || known.is_empty() {
            continue;
        }
        let message = format!("the volume {} is reserved for the claim {claim}, ", object.name);
        match by_name.get(name_text.as_str()) {
            Some(meant) => {
                let message =
                    format!("{message}which is in the namespace {meant}: no claim binds the volume");
                let at = vec![scope.map_or(at, |s| object.at(s))];
                found.violation(codes::MATCHES_NOTHING, message, at, format!("namespace: {meant}"));
            }
            None if whole => found.note(
                codes::MATCHES_NOTHING,
                format!("{message}which is not in these files: no other claim binds the volume"),
                vec![at],
                "claimRef: the name and the namespace of the claim that is to bind it",
            ),
            None => {}
        }
    }
}
