//! What a change of anyone's files does when it is applied: data that a member no longer uses, fields that
//! the orchestrator refuses, and workloads that nobody stops.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::home::{self, Home};
use super::kind::{Kind, Pair};
use super::left::{self, Key};
use super::objects::{self, Object};
use super::steps::{removed, steps};
use super::swarm;
use crate::finding::{At, Finding, Level, Way, codes};
use crate::input::{RENDERED, STDIN};
use crate::target::Target;
use crate::text::quote::shell_word;
use crate::text::yaml::{Document, Value, documents};
use crate::world::{File, Read, Workload, Worlds};

/// Compares the `old` files with the `new` ones, and tells what the change does.
pub fn files(old: &Worlds<'_>, new: &Worlds<'_>) -> Vec<Finding> {
    let mut all = Vec::new();
    for before in &old.read {
        let nothing = Vec::new();
        let after = new.read.iter().find(|read| read.target == before.target);
        let after = after.map_or(&nothing, |read| &read.world.workloads);
        let (mut refused, stopped) = refused(before.target, old, new);
        let mut found = workloads(before, after, &stopped);
        for finding in found.iter_mut().filter(|f| f.code == codes::CHANGE_DATA) {
            // A claim template with another name is refused, and its claims are empty.
            let Some(i) = refused.iter().position(|(set, _)| *set == finding.subject) else { continue };
            let (_, one) = refused.remove(i);
            finding.also_by.push(Way { code: one.code, message: one.message });
        }
        all.extend(found);
        all.extend(refused.into_iter().map(|(_, finding)| finding));
    }
    all
}

/// The workloads of one side by name.
type Names<'w> = BTreeMap<&'w str, Vec<&'w Workload>>;

fn by_name(workloads: &[Workload]) -> Names<'_> {
    let mut all = Names::new();
    workloads.iter().for_each(|w| all.entry(w.name.as_str()).or_default().push(w));
    all
}

fn homes(target: Target, workload: &Workload) -> Vec<Home> {
    workload.members.iter().flat_map(|m| home::of((target, "STACK"), "", workload, m)).collect()
}

fn workloads(before: &Read, after: &[Workload], stopped: &BTreeSet<String>) -> Vec<Finding> {
    let target = before.target;
    let (olds, news) = (by_name(&before.world.workloads), by_name(after));
    // New workloads, by what they run: each takes over one old workload at most.
    let mut added: BTreeMap<&str, Vec<&Workload>> = BTreeMap::new();
    for w in after.iter().rev().filter(|w| !olds.contains_key(w.name.as_str()) && !w.image.is_empty()) {
        added.entry(&w.image).or_default().push(w);
    }
    let mut found = Vec::new();
    for (name, all) in &olds {
        for old in all {
            let same = news.get(name).map_or(&[][..], Vec::as_slice);
            match same.iter().find(|n| n.scope == old.scope).or(same.first()) {
                // The reader takes a number of 0 for the worst.
                Some(_) if stopped.contains(*name) => {}
                Some(new) => changed(target, old, new, &mut found),
                None => {
                    let next = added.get_mut(old.image.as_str()).and_then(|all| {
                        let last = all.len().checked_sub(1)?;
                        Some(all.remove(all.iter().rposition(|n| n.kind == old.kind).unwrap_or(last)))
                    });
                    gone(target, old, next, &mut found);
                }
            }
        }
    }
    found
}

/// Tells what changes for the members of one workload.
fn changed(target: Target, old: &Workload, new: &Workload, found: &mut Vec<Finding>) {
    let (mut olds, news) = (homes(target, old), homes(target, new));
    // The steps apply the new file.
    olds.iter_mut().for_each(|home| home.file = new.at.file.to_string());
    // With `replicas: 0`, nothing starts without its data.
    if news.is_empty() {
        return;
    }
    let mut changes: BTreeMap<Key, Vec<Pair<'_>>> = BTreeMap::new();
    for old in olds.iter().filter(|home| home.storage.is_some()) {
        let Some((kind, from, home)) = left::compare(old, &news) else { continue };
        let used = || {
            news.iter()
                .filter_map(|n| n.storage.as_ref())
                .any(|n| old.storage.as_ref().is_some_and(|o| o.same_place(n)))
        };
        let told = match kind {
            // The API server refuses both.
            Kind::Class | Kind::Access => false,
            // Nodes of every kind have these labels.
            Kind::Pin => !["/os", "/arch"].iter().any(|end| from.ends_with(end)),
            Kind::Members => !used(),
            _ => true,
        };
        if told {
            changes.entry((kind, from)).or_default().push(Pair { old, new: home });
        }
    }
    for (kind, from, pairs) in left::merge_changes(changes) {
        let Some(at) = left::places(&pairs) else { continue };
        let apply = apply(&new.at.file);
        let fix = steps((named(new), apply), kind, &pairs.iter().collect::<Vec<_>>());
        let message = left::message(&new.name, (kind, &from), at, &pairs);
        let place = place(kind, &pairs, old, new);
        found.push(finding(codes::CHANGE_DATA, Level::Violation, (message, new), place, fix));
    }
    let names = old.members.iter().zip(&new.members).find_map(|(old, new)| {
        let (old, new) = (old.container.as_ref()?, new.container.as_ref()?);
        (old.0 != new.0).then_some((&old.0, new))
    });
    if let Some((before, (after, at))) = names {
        let message = format!(
            "{} names its container {after}: its start no longer ends a container {before} that was left",
            new.name
        );
        let fix = format!(
            "stop the unit, and wait until docker ps shows no {before}, before the new file is there"
        );
        found.push(finding(codes::CHANGE_RUNNING, Level::Note, (message, new), at.clone(), fix));
    }
}

/// Tells that no new file has a workload, and that `next` takes its place.
fn gone(target: Target, old: &Workload, next: Option<&Workload>, found: &mut Vec<Finding>) {
    let homes = homes(target, old);
    let pairs: Vec<Pair<'_>> = homes.iter().map(|old| Pair { old, new: None }).collect();
    let all: Vec<&Pair<'_>> = pairs.iter().collect();
    let places = left::places(&pairs);
    let Some(next) = next.filter(|_| places.is_some()) else {
        let data = places.map(|at| format!(", with its data in {at}")).unwrap_or_default();
        let message = format!("no file has {} any more: it keeps running{data}", old.name);
        let fix = removed(&all);
        return found.push(finding(codes::CHANGE_RUNNING, Level::Note, (message, old), old.at.clone(), fix));
    };
    let at = places.unwrap_or_default();
    let news = self::homes(target, next);
    let same = |old: &Home| {
        let here =
            |n: &Home| n.storage.as_ref().zip(old.storage.as_ref()).is_some_and(|(n, o)| n.same_place(o));
        news.iter().any(here)
    };
    let (own, name) = (&next.name, &old.name);
    if homes.iter().filter(|h| h.storage.is_some()).all(same) {
        let message = format!("{own} takes the place of {name}, which nothing stops: both would run on {at}");
        let fix = format!("{}; then {}", removed(&all), apply(&next.at.file));
        return found.push(finding(
            codes::CHANGE_RUNNING,
            Level::Violation,
            (message, next),
            next.at.clone(),
            fix,
        ));
    }
    let message = format!("{own} takes the place of {name}: both would run, and the data stays in {at}");
    let fix = steps((named(next), apply(&next.at.file)), Kind::Service, &all);
    found.push(finding(codes::CHANGE_DATA, Level::Violation, (message, next), next.at.clone(), fix));
}

fn finding(
    code: &'static str,
    level: Level,
    (message, of): (String, &Workload),
    at: At,
    fix: String,
) -> Finding {
    Finding { subject: of.name.clone(), ..Finding::new(code, level, message, vec![at], fix) }
}

/// Returns the name of a workload without its kind.
fn named(workload: &Workload) -> &str {
    workload.name.rsplit_once('/').map_or(&workload.name, |(_, name)| name)
}

/// Returns the command that applies a file of Kubernetes or fleet.
fn apply(file: &str) -> String {
    let rendered =
        file.split_once(RENDERED).map(|(file, _)| file.rsplit_once('/').map_or(".", |(dir, _)| dir));
    match rendered {
        Some(dir) => format!("kubectl apply -k {}", shell_word(dir)),
        None if Target::of_file(file, "") == Some(Target::Fleet) => {
            format!("fleetctl start {}", shell_word(file))
        }
        None if file == STDIN => "kubectl apply -f -".to_owned(),
        None => format!("kubectl apply -f {}", shell_word(file)),
    }
}

/// Returns the place of the line that changes.
fn place(kind: Kind, pairs: &[Pair<'_>], old: &Workload, new: &Workload) -> At {
    let count = || new.count_at.clone().filter(|_| kind == Kind::Members && new.count < old.count);
    let want =
        || new.wants.iter().chain(new.members.iter().flat_map(|m| &m.wants)).map(|w| w.at.clone()).next();
    let mount = || {
        let target = pairs.iter().map(|p| p.new.unwrap_or(p.old).mount.as_str()).next()?;
        let all = new.members.iter().flat_map(|m| m.mounts.iter().chain(&m.others));
        all.filter(|m| m.target == target).map(|m| m.at.clone()).next()
    };
    let found = match kind {
        Kind::Members => count(),
        Kind::Pin => want().or_else(mount),
        Kind::Namespace | Kind::Target | Kind::Service => None,
        Kind::Data | Kind::Backend | Kind::Class | Kind::Host | Kind::Access => mount(),
    };
    found.unwrap_or_else(|| new.at.clone())
}

/// The changes that an orchestrator refuses, each with the StatefulSet whose claim templates get other names;
/// and the workloads with `replicas: 0`.
type Refused = (Vec<(String, Finding)>, BTreeSet<String>);

fn refused(target: Target, old: &Worlds<'_>, new: &Worlds<'_>) -> Refused {
    match target {
        Target::Kubernetes => kubernetes(old, new),
        Target::Swarm => stacks(old, new),
        Target::Fleet => Refused::default(),
    }
}

fn of<'w, 'f>(worlds: &'w Worlds<'f>, target: Target) -> impl Iterator<Item = &'w File<'f>> {
    worlds.files.iter().zip(&worlds.targets).filter(move |(_, t)| **t == Some(target)).map(|(file, _)| file)
}

/// Returns the objects of documents. The items of a List are objects.
fn roots(documents: &[Document]) -> Vec<Value<'_>> {
    let mut all = Vec::new();
    for root in documents.iter().map(Document::root) {
        let items = root.get("items").map(Value::items).unwrap_or_default();
        if items.is_empty() { all.push(root) } else { all.extend(items) }
    }
    all
}

fn kubernetes(old: &Worlds<'_>, new: &Worlds<'_>) -> Refused {
    let texts: Vec<Vec<Document>> = of(old, Target::Kubernetes).map(|file| documents(file.text).0).collect();
    let mut before = BTreeMap::new();
    for object in texts.iter().flat_map(|documents| roots(documents)) {
        if let Some(key) = objects::key(object) {
            before.insert(key, object);
        }
    }
    let (mut found, mut stopped) = Refused::default();
    for file in of(new, Target::Kubernetes) {
        let documents = documents(file.text).0;
        for new in roots(&documents) {
            let Some(key) = objects::key(new) else { continue };
            let Some(old) = before.get(&key) else { continue };
            let object = Object { old: *old, new, key, apply: apply(file.path) };
            if new.at(&["spec", "replicas"]).is_some_and(|n| n.is("0")) {
                stopped.insert(object.reference());
            }
            for field in object.refused() {
                let reference = object.reference();
                let message = format!("kubectl apply refuses the new {} of {reference}", field.join("."));
                let fix = match object.shrunk().first() {
                    Some((name, old, _)) if field == objects::CLAIMS && !object.renames() => {
                        format!("the old size of {name}, {old}: no storage makes a volume smaller")
                    }
                    _ => object.steps(field),
                };
                let at = place_of(file.path, new.at(field).unwrap_or(new));
                let renames = field == objects::CLAIMS && object.renames();
                let set = if renames { reference } else { String::new() };
                found.push((
                    set,
                    Finding::new(codes::CHANGE_REFUSED, Level::Violation, message, vec![at], fix),
                ));
            }
        }
    }
    (found, stopped)
}

fn stacks(old: &Worlds<'_>, new: &Worlds<'_>) -> Refused {
    let name = |path: &str| path.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
    let before: Vec<&File<'_>> = of(old, Target::Swarm).collect();
    let after: Vec<&File<'_>> = of(new, Target::Swarm).collect();
    let single = before.len() == 1 && after.len() == 1;
    let by_name: BTreeMap<String, &File<'_>> = before.iter().map(|file| (name(file.path), *file)).collect();
    let (mut found, mut stopped) = Refused::default();
    for file in after {
        let old = if single { before.first().copied() } else { by_name.get(&name(file.path)).copied() };
        let Some(old) = old.filter(|old| old.text != file.text) else { continue };
        let (before, after) = (documents(old.text).0, documents(file.text).0);
        let (Some(before), Some(after)) = (before.first(), after.first()) else { continue };
        let services = after.at(&["services"]).map(Value::entries).unwrap_or_default();
        let none = |s: &Value<'_>| s.at(&["deploy", "replicas"]).is_some_and(|n| n.is("0"));
        stopped.extend(services.iter().filter(|(_, s)| none(s)).map(|(name, _)| (*name).to_owned()));
        let mut told = BTreeSet::new();
        for refusal in swarm::refusals(before, after) {
            let at = place_of(file.path, refusal.at);
            let message = format!("{}: {}", refusal.message, refusal.why);
            if told.insert(message.clone()) {
                let finding =
                    Finding::new(codes::CHANGE_REFUSED, Level::Violation, message, vec![at], refusal.steps);
                found.push((String::new(), finding));
            }
        }
    }
    (found, stopped)
}

fn place_of(file: &str, value: Value<'_>) -> At {
    At { file: Arc::from(file), line: value.line(), field: value.field() }
}
