//! Changes that leave data behind: in the new files, the member with the same name does not use the
//! place of the old data, or the member is gone.

use std::collections::{BTreeMap, BTreeSet};

use super::home::{Home, Storage, homes};
use super::kind::{Kind, Pair};
use super::steps::steps;
use crate::code::Code;
use crate::diag::{Diagnostic, Place, Severity};
use crate::emit::Tree;
use crate::model::{Model, Service};
use crate::route;
use crate::spec::source::Route;
use crate::target::Target;

/// One change of a service: its kind and what it changes from.
pub(super) type Key = (Kind, String);

/// Compares the members of the older files `old` with those of `new`. Changes in `accepted`
/// (`SERVICE/NAME`) and under `moved` of the spec are warnings. Returns the targets of each service
/// on which data moves.
pub(super) fn judge(
    model: &Model,
    (old, new): (&Tree, &Tree),
    accepted: &BTreeSet<String>,
    out: &mut Vec<Diagnostic>,
) -> BTreeSet<(String, Target)> {
    let before = homes(old);
    if before.is_empty() {
        return BTreeSet::new();
    }
    let after = homes(new);
    let mut moves: BTreeMap<&str, BTreeMap<Key, Vec<Pair<'_>>>> = BTreeMap::new();
    let mut touched = BTreeSet::new();
    for ((folder, target), olds) in &before {
        let Some(service) = model.find(folder) else { continue };
        let news = after.get(&(folder.clone(), *target)).map_or(&[][..], Vec::as_slice);
        let named = model.named(folder).any(|s| s.has(*target));
        // A run for some targets emits nothing for the others.
        if news.is_empty() && named {
            continue;
        }
        for old in olds {
            let Some((kind, from, new)) = compare(old, news) else { continue };
            // Kubernetes itself ends the pods that a set no longer has.
            if old.storage.is_none() && (*target == Target::Kubernetes && !news.is_empty()) {
                continue;
            }
            touched.insert((folder.clone(), *target));
            moves.entry(&service.name).or_default().entry((kind, from)).or_default().push(Pair { old, new });
        }
    }
    for (service, found) in moves {
        let Some(service) = model.find(service) else { continue };
        for (kind, from, pairs) in merge_changes(found) {
            out.extend(diagnostic(service, kind, &from, &pairs, accepted));
        }
    }
    touched
}

/// Reports that the service of the older files `old` has the name `service` now.
pub(super) fn renamed(service: &Renamed<'_>, old: &Tree, accepted: &BTreeSet<String>) -> Option<Diagnostic> {
    let before = homes(old);
    let pairs: Vec<Pair<'_>> = before.values().flatten().map(|old| Pair { old, new: None }).collect();
    let name = format!("service/{}", service.from);
    let about = About { name: service.name, moved: service.moved, place: service.place };
    let message = format!(
        "{} had the name {} before: both would run, and the data stays in {}",
        service.name,
        service.from,
        places(&pairs)?
    );
    Some(about.diagnostic(&name, message, (Kind::Service, &pairs), accepted))
}

/// A service whose spec had another name when OUT was written.
pub struct Renamed<'a> {
    /// The name before.
    pub from: &'a str,
    /// The name now.
    pub name: &'a str,
    /// The names under its `moved`.
    pub moved: &'a BTreeSet<String>,
    /// The place of its name.
    pub place: Place,
}

/// Returns what changes for the member of `old`, with its home among `news`. `None` if its data
/// stays in use.
pub(super) fn compare<'h>(old: &Home, news: &'h [Home]) -> Option<(Kind, String, Option<&'h Home>)> {
    if news.is_empty() {
        return Some((Kind::Target, old.target.name().into(), None));
    }
    let same = |n: &&Home| n.workload == old.workload && n.member == old.member;
    let here = || news.iter().filter(same).filter(|n| n.scope == old.scope);
    let place = |n: &&Home| match (&n.storage, &old.storage) {
        (Some(new), Some(old)) => new.same_place(old),
        _ => false,
    };
    if here().next().is_none() {
        // Another revision now uses the directory of each node.
        if old.per_node && news.iter().any(|n| n.per_node && place(&n)) {
            return None;
        }
        let there = news.iter().filter(same).find(|n| n.mount == old.mount);
        return match there.or_else(|| news.iter().find(same)) {
            Some(there) => Some((Kind::Namespace, old.scope.clone(), Some(there))),
            None => Some((Kind::Members, old.member.clone(), None)),
        };
    }
    let storage = old.storage.as_ref()?;
    let data = || old.data().unwrap_or(&old.mount).to_owned();
    let Some(new) = here().find(|n| n.mount == old.mount).or_else(|| here().find(place)) else {
        return Some((Kind::Data, data(), None));
    };
    let other = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) if a != b => Some(a.clone()),
        _ => None,
    };
    let (kind, from) = match (storage, new.storage.as_ref()?) {
        (
            Storage::Host { path, labels, access, .. },
            Storage::Host { path: now, labels: others, access: access_now, .. },
        ) => {
            if path != now {
                (Kind::Host, path.clone())
            } else if let Some((label, _)) = labels.iter().find(|label| !others.contains(label)) {
                (Kind::Pin, label.clone())
            } else if access != access_now {
                (Kind::Access, (*access).to_owned())
            } else {
                return None;
            }
        }
        (Storage::Host { path, .. }, Storage::Volume { .. }) => (Kind::Host, path.clone()),
        (Storage::Volume { .. }, Storage::Host { .. }) => (Kind::Data, data()),
        (
            Storage::Volume { name, place, class, driver, backend },
            Storage::Volume {
                name: now,
                place: place_now,
                class: class_now,
                driver: driver_now,
                backend: backend_now,
            },
        ) => {
            if name != now {
                (Kind::Data, data())
            } else if let Some(driver) = other(driver, driver_now).or_else(|| other(backend, backend_now)) {
                (Kind::Backend, driver)
            } else if place != place_now {
                (Kind::Backend, place.clone())
            } else {
                (Kind::Class, other(class, class_now)?)
            }
        }
    };
    Some((kind, from, Some(new)))
}

/// Joins all removed members into one change, and the changed directories of each kind into one
/// change.
pub(super) fn merge_changes(found: BTreeMap<Key, Vec<Pair<'_>>>) -> Vec<(Kind, String, Vec<Pair<'_>>)> {
    let mut all: Vec<(Kind, String, Vec<Pair<'_>>)> = Vec::new();
    for ((kind, from), pairs) in found {
        let joined = matches!(kind, Kind::Members | Kind::Host);
        // Two directories of one member are two changes.
        let apart = |rest: &[Pair<'_>]| {
            kind == Kind::Host && rest.iter().any(|r| pairs.iter().any(|p| same_member(p.old, r.old)))
        };
        match all.iter_mut().find(|(k, _, rest)| joined && *k == kind && !apart(rest)) {
            Some((_, _, rest)) => rest.extend(pairs),
            None => all.push((kind, from, pairs)),
        }
    }
    for (kind, from, pairs) in &mut all {
        match kind {
            Kind::Members => *from = ids(pairs),
            Kind::Host => *from = pattern(pairs),
            _ => {}
        }
    }
    all
}

fn same_member(a: &Home, b: &Home) -> bool {
    a.target == b.target && a.workload == b.workload && a.member == b.member && a.mount != b.mount
}

/// Returns the numbers of the members: `3`, `2-4`, `0+7`; or their names, if they have no numbers.
fn ids(pairs: &[Pair<'_>]) -> String {
    let data: Vec<&Pair<'_>> = pairs.iter().filter(|p| p.old.storage.is_some()).collect();
    let of = if data.is_empty() { pairs.iter().collect() } else { data };
    let numbers: Option<BTreeSet<u32>> = of.iter().map(|p| p.old.id()).collect();
    let Some(numbers) = numbers else {
        let names: BTreeSet<&str> = of.iter().map(|p| p.old.member.as_str()).collect();
        return names.into_iter().collect::<Vec<_>>().join("+");
    };
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for id in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(id) => *last = id,
            _ => runs.push((id, id)),
        }
    }
    let run = |(a, b): (u32, u32)| if a == b { a.to_string() } else { format!("{a}-{b}") };
    runs.into_iter().map(run).collect::<Vec<_>>().join("+")
}

/// Returns one pattern for the directories: their common start, `*`, and their common end.
fn pattern(pairs: &[Pair<'_>]) -> String {
    let paths: BTreeSet<String> =
        pairs.iter().filter_map(|p| p.old.storage.as_ref()).map(Storage::words).collect();
    let (Some(first), Some(last)) = (paths.first(), paths.last()) else { return String::new() };
    if first == last {
        return first.clone();
    }
    // In sorted order, the first and the last directory have the shortest common start.
    let start: String = first.chars().zip(last.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    let end = |path: &str| -> String { path.chars().skip(start.chars().count()).collect() };
    let ends: Vec<Vec<char>> = paths.iter().map(|p| end(p).chars().rev().collect()).collect();
    let common = ends
        .iter()
        .fold(usize::MAX, |most, e| most.min(e.iter().zip(&ends[0]).take_while(|(a, b)| a == b).count()));
    let tail: String = ends[0].iter().take(common).rev().collect();
    format!("{start}*{tail}")
}

/// Returns the first place of the data, and the number of the other places. `None` without data.
pub(super) fn places(pairs: &[Pair<'_>]) -> Option<String> {
    let all: BTreeSet<String> =
        pairs.iter().filter_map(|p| p.old.storage.as_ref()).map(Storage::words).collect();
    let first = all.first()?;
    Some(match all.len() - 1 {
        0 => first.clone(),
        more => format!("{first} and {more} more"),
    })
}

/// A service, as a diagnostic needs it.
struct About<'a> {
    name: &'a str,
    moved: &'a BTreeSet<String>,
    place: Place,
}

impl About<'_> {
    fn diagnostic(
        &self,
        name: &str,
        message: String,
        (kind, pairs): (Kind, &[Pair<'_>]),
        accepted: &BTreeSet<String>,
    ) -> Diagnostic {
        let full = format!("{}/{name}", self.name);
        let mut d = Diagnostic::error(Code::DataLeft, self.place, message);
        let file = pairs.first().map_or("", |p| p.old.file.as_str());
        d = d.why(format!("{file} is the older state, and berthc does not move data"));
        for target in Target::ALL {
            let own: Vec<&Pair<'_>> = pairs.iter().filter(|p| p.old.target == target).collect();
            if !own.is_empty() {
                let apply = format!("kubectl apply -k {}/kubernetes", self.name);
                d = d.advice(format!("on {target}: {}", steps((self.name, apply), kind, &own)));
            }
        }
        if self.moved.contains(name) || accepted.contains(&full) {
            d.severity = Severity::Warning;
            return d;
        }
        d.advice(format!(
            "to accept this change, use --accept-change {full} for one run, or write the key `{name}` under `moved`, and as its value how the data is moved"
        ))
    }
}

/// Says what a change does to the data in the places `at`. `own` is what changes.
pub(super) fn message(own: &str, (kind, from): (Kind, &str), at: String, pairs: &[Pair<'_>]) -> String {
    let now = pairs.iter().find_map(|p| p.new?.storage.as_ref()).map(Storage::words);
    let now = now.unwrap_or_default();
    match kind {
        Kind::Target => format!(
            "{own} no longer has the target {from}: its members keep running there, with the data in {at}"
        ),
        Kind::Service => format!("{own} has a new name, and its data stays in {at}"),
        Kind::Namespace => format!("{own} leaves the namespace {from}, and its data stays there in {at}"),
        Kind::Members => {
            let word = if from.parse::<u32>().is_ok() { "member" } else { "members" };
            format!("{own} loses {word} {from}, with the data in {at}")
        }
        Kind::Data if now.is_empty() => format!("{own} has no `{from}` any more, and its data stays in {at}"),
        Kind::Data => format!("{own} starts without data in {now}, and its data stays in {at}"),
        Kind::Backend => format!("{own} names another backend than {from}, and its data stays in {at}"),
        Kind::Class => {
            format!("{own} names another class than {from}, but its claims keep the old class: {at}")
        }
        Kind::Host => format!("{own} starts on {now}, and its data stays in {at}"),
        Kind::Access => {
            format!("{own} names another access mode than {from}, but its claims keep the old mode: {at}")
        }
        Kind::Pin => {
            format!("{own} moves to other nodes, and its data stays on the nodes with `{from}`, in {at}")
        }
    }
}

/// Makes the diagnostic of one change.
fn diagnostic(
    service: &Service,
    kind: Kind,
    from: &str,
    pairs: &[Pair<'_>],
    accepted: &BTreeSet<String>,
) -> Option<Diagnostic> {
    let name = match from.strip_prefix('/') {
        Some(path) => format!("{}/{path}", kind.word()),
        None => format!("{}/{from}", kind.word()),
    };
    let place = service.key(&route(service, kind, pairs));
    let Some(at) = places(pairs) else { return Some(runs_on(service, place, pairs)) };
    let own = &service.name;
    let message = message(own, (kind, from), at, pairs);
    let moved: BTreeSet<String> = service.moved.iter().cloned().collect();
    let about = About { name: own, moved: &moved, place };
    let d = about.diagnostic(&name, message, (kind, pairs), accepted);
    if kind != Kind::Access || d.severity == Severity::Warning {
        return Some(d);
    }
    let done = format!("moved: {{ {name}: \"all members were stopped, and their claims made again\" }}");
    Some(
        d.fix("to keep the mode of the claims", format!("targets: {{ kubernetes: {{ access: {from} }} }}"))
            .fix("or, with these steps", done),
    )
}

/// Warns of containers without data that no file names any more.
fn runs_on(service: &Service, place: Place, pairs: &[Pair<'_>]) -> Diagnostic {
    let names: BTreeSet<&str> = pairs.iter().map(|p| p.old.workload.as_str()).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let mut d = Diagnostic::warning(
        Code::ApplyRefused,
        place,
        format!("no file of {} names {names} any more", service.name),
    )
    .why("it keeps running until somebody stops it");
    for target in Target::ALL {
        let own: Vec<&Pair<'_>> = pairs.iter().filter(|p| p.old.target == target).collect();
        if !own.is_empty() {
            d = d.advice(format!("if it is deployed: {}", super::steps::removed(&own)));
        }
    }
    d
}

/// Returns the field that changes.
fn route(service: &Service, kind: Kind, pairs: &[Pair<'_>]) -> Route {
    let data = route!["exclusive", "data"];
    let name = pairs.iter().find_map(|p| p.new?.data()).map(ToOwned::to_owned).or_else(|| {
        let mount = &pairs.first()?.old.mount;
        service.workload()?.data.iter().find(|d| d.mount == *mount).map(|d| d.name.clone())
    });
    let own = name.map(|name| data.at(name)).filter(|own| service.source.has(own));
    let field = |field: Route| if service.source.has(&field) { Some(field) } else { None };
    let found = match kind {
        Kind::Target => field(route!["targets"]),
        Kind::Service => field(route!["service"]),
        Kind::Namespace => field(route!["targets", "kubernetes", "namespace"]),
        Kind::Members => field(route!["members"]),
        Kind::Data => own,
        Kind::Backend => own.and_then(|own| field(own.at("volume").at("backend"))),
        Kind::Class => own.and_then(|own| field(own.at("volume").at("class"))),
        Kind::Host => own.map(|own| field(own.at("host")).unwrap_or(own)),
        Kind::Access => field(route!["targets", "kubernetes", "access"]),
        Kind::Pin => field(route!["members", "pin"]).or_else(|| field(route!["members", "on"])),
    };
    found.or_else(|| field(data)).unwrap_or_else(|| route!["service"])
}
