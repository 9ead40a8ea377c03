//! The names of units, containers and volumes, and the check that all names are different.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::model::{Data, Model, Service, Workload};
use crate::plan::context::{Origin, key};
use crate::route;
use crate::target::Target;

/// Returns the name of a member: `service-id` if counted. A `per: node` member has the name of its
/// service here, and its node tells it apart.
pub fn member(service: &Service, id: Option<u32>) -> String {
    match id {
        Some(id) => format!("{}-{id}", service.name),
        None => service.name.clone(),
    }
}

/// Returns the name of a unit without its suffix. A dot separates the revision, because no service
/// name contains one, so a glob over revisions never matches a helper.
pub fn stem(service: &Service, helper: Option<&str>, id: Option<u32>) -> String {
    let base = match helper {
        Some(helper) => format!("{}-{helper}", service.name),
        None => service.name.clone(),
    };
    match (id, &service.revision) {
        (Some(id), _) => format!("{base}@{id}"),
        (None, Some(revision)) => format!("{base}.{revision}"),
        (None, None) => base,
    }
}

/// Returns the name of a unit.
pub fn unit(service: &Service, helper: Option<&str>, id: Option<u32>) -> String {
    format!("{}.service", stem(service, helper, id))
}

/// Returns globs that match every unit of the service's members and no helper. fleet matches them
/// with Go's `path.Match` against whole names (`agent/state.go`).
pub fn globs(service: &Service, w: &Workload) -> Vec<String> {
    if w.per_node() {
        vec![format!("{}.*.service", service.name), format!("{}.service", service.name)]
    } else {
        vec![format!("{}@*.service", service.name)]
    }
}

/// Returns the name of the docker volume of `data`.
pub fn volume(data: &Data, member: &str) -> String {
    format!("{}-{member}", data.name)
}

/// Encodes a host path as a container name (`[a-zA-Z0-9][a-zA-Z0-9_.-]*`, docker
/// `daemon/names/names.go`): `/mnt/d1/zookeeper-1` becomes `mnt.d1.zookeeper-1`. Different paths
/// get different names: a character that has no plain form becomes `_` and its hexadecimal code.
pub fn of_path(path: &str) -> String {
    const CODES: [&str; 5] = ["2B", "2E", "2F", "40", "5F"];
    let path = path.strip_prefix('/').unwrap_or(path);
    let mut out = String::new();
    if !path.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        // A name must start with a letter or digit, so the slash before another character is
        // encoded.
        out.push_str("0_2F");
    }
    for (at, c) in path.char_indices() {
        let rest = &path[at + c.len_utf8()..];
        match c {
            '/' => out.push('.'),
            '_' if CODES.iter().any(|code| rest.starts_with(code)) => out.push_str("_5F"),
            c if c.is_ascii_alphanumeric() || c == '-' || c == '_' => out.push(c),
            c => out.push_str(&format!("_{:02X}", c as u32)),
        }
    }
    out
}

/// Returns the name of a helper's container.
pub fn helper_container(service: &Service, helper: &str, id: Option<u32>) -> String {
    format!("{}-{helper}", member(service, id))
}

/// The kinds of names that must be unique on a machine or in a storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Container,
    Volume,
    /// All units of one service or helper.
    Unit,
}

/// Returns the names that `service` uses, except those made from host paths. The check of
/// directories covers these.
fn taken<'m>(service: &Service, w: &'m Workload) -> Vec<(Kind, String, Origin<'m>)> {
    let ids: Vec<Option<u32>> = if w.per_node() { vec![None] } else { w.ids().map(Some).collect() };
    let mut all = Vec::new();
    for id in ids {
        let member = member(service, id);
        for (data, _) in w.volumes() {
            all.push((Kind::Volume, volume(data, &member), Origin::Data(&data.route)));
        }
        match w.data.first() {
            None => all.push((Kind::Container, member.clone(), Origin::Service)),
            Some(data) if data.host().is_none() => {
                all.push((Kind::Container, volume(data, &member), Origin::Data(&data.route)));
            }
            Some(_) => {}
        }
        for helper in &w.helpers {
            all.push((
                Kind::Container,
                helper_container(service, &helper.name, id),
                Origin::Helper(&helper.name),
            ));
        }
    }
    // The units of a helper must not have the name of a service or of another helper.
    all.push((Kind::Unit, service.name.clone(), Origin::Service));
    for helper in &w.helpers {
        all.push((Kind::Unit, format!("{}-{}", service.name, helper.name), Origin::Helper(&helper.name)));
    }
    all
}

/// Calls `see` with a hash of each name that `service` uses on fleet.
pub fn names(service: &Service, mut see: impl FnMut(u64)) {
    let Some(w) = service.workload().filter(|_| service.has(Target::Fleet)) else { return };
    taken(service, w).iter().for_each(|(kind, name, _)| see(key((Target::Fleet, kind, name))));
}

/// Reports names that two services in `batch` use on fleet, each pair once.
pub fn clashes(model: &Model, batch: &[usize], faults: &mut Vec<Diagnostic>) {
    let own = batch.iter().map(|i| model.service(*i)).filter(|s| s.has(Target::Fleet));
    let own: Vec<(&Service, &Workload)> = own.filter_map(|s| Some((s, s.workload()?))).collect();
    let mut owners: BTreeMap<(Kind, String), (&Service, Origin<'_>)> = BTreeMap::new();
    // The service with a name is reported before the helper with the same name.
    for (service, _) in &own {
        owners.entry((Kind::Unit, service.name.clone())).or_insert((service, Origin::Service));
    }
    let mut told = BTreeSet::new();
    for (service, w) in own {
        for (kind, name, from) in taken(service, w) {
            let (other, theirs) = *owners.entry((kind, name.clone())).or_insert((service, from));
            let unit = kind == Kind::Unit;
            if other.name == service.name || !told.insert((unit, &other.name, &service.name)) {
                continue;
            }
            let place = from.place(service);
            faults.push(match kind {
                Kind::Unit => same_unit(&name, place, other, theirs.place(other)),
                _ => same_name(kind, &name, place, other),
            });
        }
    }
}

fn same_name(kind: Kind, name: &str, place: Place, other: &Service) -> Diagnostic {
    let (what, why) = match kind {
        Kind::Container | Kind::Unit => {
            ("container", "docker allows only one container with a name, so the second one never starts")
        }
        Kind::Volume => ("volume", "the same name is the same volume, so two members would write to it"),
    };
    Diagnostic::error(Code::NameClash, place, format!("{} also has a {what} `{name}` on fleet", other.name))
        .related(other.place(&route!["service"]), "the other service")
        .why(why)
        .advice("rename one of them")
}

fn same_unit(name: &str, place: Place, other: &Service, related: Place) -> Diagnostic {
    Diagnostic::error(Code::NameClash, place, format!("{} also has units `{name}` on fleet", other.name))
        .related(related, "the other")
        .why("one unit would replace the other, and the conflicts of the members would match the helper")
        .advice("rename one of them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Returns whether docker accepts the name (`daemon/names/names.go`).
    fn is_name(name: &str) -> bool {
        let good = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        name.len() > 1 && name.chars().all(good) && name.starts_with(|c: char| c.is_ascii_alphanumeric())
    }

    #[test]
    fn paths_are_encoded_as_container_names() {
        for (path, name) in [
            ("/mnt/d1/zookeeper-1", "mnt.d1.zookeeper-1"),
            ("/srv/my_db", "srv.my_db"),
            ("/srv/pg16.4", "srv.pg16_2E4"),
            ("/srv/a@b+c", "srv.a_40b_2Bc"),
            ("/srv/a_2Eb", "srv.a_5F2Eb"),
            ("/.x/y", "0_2F_2Ex.y"),
            ("/-x/y", "0_2F-x.y"),
        ] {
            assert_eq!(of_path(path), name, "{path}");
        }
    }

    /// Every path over a small alphabet that reaches each rule gets a different name.
    #[test]
    fn different_paths_get_different_names() {
        let pieces = ["/", "0", "_", ".", "@", "+", "-", "2", "E", "F", "5", "B"];
        let mut paths = vec![String::from("/")];
        let mut seen = BTreeSet::new();
        let mut count = 0;
        for _ in 0..5 {
            paths = paths.iter().flat_map(|p| pieces.iter().map(move |c| format!("{p}{c}"))).collect();
            for path in paths.iter().filter(|p| crate::text::names::path(p).is_none()) {
                let name = of_path(path);
                assert!(name.len() == 1 || is_name(&name), "{path} {name}");
                assert!(seen.insert(name), "{path}");
                count += 1;
            }
        }
        assert!(count > 100_000);
    }
}
