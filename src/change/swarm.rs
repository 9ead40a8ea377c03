//! Changes that the Swarm managers refuse (moby `api/server/…`, `swarmkit/manager/controlapi`), and
//! changes that docker ignores without a message.

use std::collections::{BTreeMap, BTreeSet};

use super::file::Change;
use crate::diag::Diagnostic;
use crate::emit::Tree;
use crate::input::beside;
use crate::model::Model;
use crate::route;
use crate::text::yaml::{Document, Value, documents};

/// What `docker stack deploy` does not apply.
pub(super) struct Refusal<'d> {
    /// The name of the volume or service.
    pub(super) name: String,
    pub(super) what: What,
    /// What changes, in the new file.
    pub(super) at: Value<'d>,
    pub(super) message: String,
    pub(super) why: &'static str,
    /// What to do; `STACK` is the name of the stack.
    pub(super) steps: String,
}

/// What a refusal is about.
pub(super) enum What {
    Mode,
    /// The options of a volume: size before and after, if they name sizes.
    Options(Option<(String, String)>),
}

/// Returns what `docker stack deploy` does not apply of a changed stack file.
pub(super) fn refusals<'d>(before: &Document, after: &'d Document) -> Vec<Refusal<'d>> {
    let mut all = Vec::new();
    let old: BTreeMap<&str, Value<'_>> = entries(before, "services").into_iter().collect();
    for (name, new) in entries(after, "services") {
        let Some(old) = old.get(name) else { continue };
        let mode =
            |v: Value<'_>| v.at(&["deploy", "mode"]).and_then(Value::text).unwrap_or("replicated".into());
        if mode(*old) != mode(new) {
            all.push(Refusal {
                name: name.to_owned(),
                what: What::Mode,
                at: new.at(&["deploy", "mode"]).unwrap_or(new),
                message: format!("docker stack deploy will refuse the new mode of the service {name}"),
                why: "Swarm never makes a replicated service global, nor a global one replicated",
                steps: format!("docker service rm STACK_{name}; wait until docker ps shows none of its containers on any node; deploy"),
            });
        }
    }
    let old: BTreeMap<String, Value<'_>> = named(before, "volumes").collect();
    for (name, new) in named(after, "volumes") {
        let Some(old) = old.get(&name) else { continue };
        let (Some(before), Some(after)) = (old.get("driver_opts"), new.get("driver_opts")) else { continue };
        if before.same(after) {
            continue;
        }
        let size = |v: Value<'_>| v.get("size").and_then(Value::text);
        all.push(Refusal {
            what: What::Options(size(before).zip(size(after))),
            at: after,
            message: format!("docker will keep the old options of the volume {name}"),
            why: "docker reads the options of a volume only when it creates the volume",
            steps: format!("change the volume in its storage, or move its data to another volume; docker volume inspect {name} shows the old options"),
            name,
        });
    }
    all
}

/// Checks one stack file.
pub(super) fn judge(change: &mut Change<'_>, before: &str, after: &str) {
    let (before, after) = (documents(before).0, documents(after).0);
    let (Some(before), Some(after)) = (before.first(), after.first()) else { return };
    for Refusal { name, what, message, why, steps, .. } in refusals(before, after) {
        let steps = steps.replace("STACK", &change.service.name);
        match what {
            What::Mode => change.refused(change.service.key(&route!["members"]), message, why, steps),
            What::Options(sizes) => {
                let data = data_of(change, &name);
                // Volume plugins count in GiB; the plain number is enough to compare.
                let shrinks = match (sizes, &data) {
                    (Some((before, after)), Some(data)) => change.shrinks(data, &before, &after),
                    _ => false,
                };
                if !shrinks {
                    let route = data.map_or(route!["exclusive", "data"], |d| route!["exclusive", "data", d]);
                    change.refused(change.service.key(&route), message, why, steps);
                }
            }
        }
    }
}

/// Returns the entries of one top-level map of a stack.
fn entries<'d>(document: &'d Document, map: &str) -> Vec<(&'d str, Value<'d>)> {
    document.at(&[map]).map(|v| v.entries()).unwrap_or_default()
}

/// Returns the entries that the stack creates, by their names in the cluster, as far as the file has them.
fn named<'d>(document: &'d Document, map: &str) -> impl Iterator<Item = (String, Value<'d>)> {
    let own = entries(document, map).into_iter().filter(|(_, v)| v.get("external").is_none());
    own.map(|(key, v)| (v.get("name").and_then(Value::text).unwrap_or_else(|| key.to_owned()), v))
}

/// Returns the data directory in the volume `name`: the name of the volume starts with it.
fn data_of(change: &Change<'_>, name: &str) -> Option<String> {
    let workload = change.service.workload()?;
    let own = |d: &&crate::model::Data| name.starts_with(&format!("{}-{}", d.name, change.service.name));
    workload.data.iter().find(own).map(|d| d.name.clone())
}

/// Reports configs and secrets whose content changes under one name.
pub(super) fn contents(model: &Model, old: &Tree, new: &Tree, out: &mut Vec<Diagnostic>) {
    let carried = |path: &&String| path.split('/').nth(1) == Some("swarm") && path.matches('/').count() > 2;
    let changed: BTreeSet<&str> =
        old.keys().filter(carried).filter(|p| new.get(*p) != old.get(*p)).map(String::as_str).collect();
    let services: BTreeSet<&str> = changed.iter().filter_map(|p| p.split('/').next()).collect();
    for name in services {
        let Some(service) = model.find(name) else { continue };
        let folder = format!("{name}/swarm/");
        let stacks = new.range(folder.clone()..).take_while(|(path, _)| path.starts_with(&folder));
        for (path, after) in stacks.filter(|(path, _)| path.ends_with(".yml")) {
            let before = old.get(path).unwrap_or(after);
            let (before, after) = (documents(before).0, documents(after).0);
            let (Some(before), Some(after)) = (before.first(), after.first()) else { continue };
            for map in ["configs", "secrets"] {
                let file = |v: &Value<'_>| v.get("file").and_then(|f| f.text()).map(|f| beside(path, &f));
                let old: BTreeMap<String, Option<String>> =
                    named(before, map).map(|(name, v)| (name, file(&v))).collect();
                for (name, value) in named(after, map) {
                    let Some(file) = file(&value).filter(|f| changed.contains(f.as_str())) else { continue };
                    if old.get(&name) != Some(&Some(file.clone())) {
                        continue;
                    }
                    Change { model, service, path: &file, moves: false, out: &mut *out }.refused(
                        service.key(&route!["files"]),
                        format!("docker stack deploy will refuse the new content of {name}"),
                        "Swarm changes only the labels of a config or secret",
                        "give it another name in the stack file".into(),
                    );
                }
            }
        }
    }
}
