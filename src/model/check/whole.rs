//! Checks that need the whole workload: names must exist, and paths must not overlap.

use std::collections::BTreeMap;

use super::checker::{Checker, fix};
use crate::code::Code;
use crate::model::{Port, Probe, Protocol, Secret, Socket, Workload};
use crate::route;
use crate::spec::source::Route;
use crate::value::SECRETS;

/// Checks a workload of which every block is valid.
pub(super) fn whole(checker: &mut Checker<'_>, service: &str, w: &Workload) {
    ports_named(checker, w);
    mounts(checker, w);
    readable(checker, w);
    peers_by_id(checker, w);
    if w.writer && w.data.is_empty() && w.per_node() {
        checker
            .fault_key(
                Code::MembersShape,
                &route!["exclusive", "writer"],
                "`writer` needs exactly one member, but `per: node` makes many",
            )
            .fixes
            .push(fix("write", "members: { count: 1 }"));
    }
    if w.writer && w.count() > 1 {
        checker
            .fault_key(
                Code::MembersShape,
                &route!["exclusive", "writer"],
                "`writer` needs exactly one member, but there are several",
            )
            .fixes
            .push(fix("write", "members: { count: 1 }"));
    }
    let mut seen: BTreeMap<Socket, Route> = BTreeMap::new();
    for port in &w.ports {
        seen.insert(port.socket, route!["exclusive", "ports", port.name]);
    }
    for helper in &w.helpers {
        for Port { name, socket, users: _ } in &helper.ports {
            let at = route!["helpers", helper.name, "ports", name];
            if let Some(first) = seen.insert(*socket, at.clone()) {
                let first = checker.source.place(&first);
                checker
                    .fault(
                        Code::PortTwice,
                        &at,
                        format!("two containers of one {service} member use port {socket}"),
                    )
                    .related
                    .push((first, "first here".into()));
            }
            if w.ports.iter().any(|port| port.name == *name) {
                checker.fault_key(
                    Code::PortTwice,
                    &at,
                    format!("a port of the member already has the name `{name}`"),
                );
            }
        }
    }
}

/// Checks that the user can read the files. The files of a ConfigMap and those that fleet
/// writes belong to user and group root, so any other user needs read permission for others.
fn readable(checker: &mut Checker<'_>, w: &Workload) {
    let Some(user) = w.program.user.filter(|u| u.uid > 0) else { return };
    let read = if user.gid == Some(0) { 0o044 } else { 0o004 };
    for file in w.files.iter().filter(|f| f.mode & read == 0) {
        let run = if file.mode & 0o111 == 0 { 0 } else { 0o111 };
        let wider = file.mode | 0o444 | run;
        let place = checker.source.place(&route!["user"]);
        let d = checker.fault(
            Code::BadMode,
            &file.route.at("mode"),
            format!("with mode {:04o}, the user {} cannot read `{}`", file.mode, user.uid, file.path),
        );
        d.related.push((place, "the user of the process".into()));
        d.why.push(
            "on Kubernetes and fleet the file belongs to root, so the user needs read permission for others"
                .into(),
        );
        d.fixes.push(fix("allow others to read it", &format!("mode: \"{wider:04o}\"")));
        d.fixes.push(fix("or move the parts that others must not read to `secrets`", ""));
    }
    for secret in w.secrets.iter().filter(|s| s.exact()) {
        let (owner, mode) = secret.permissions(Some(user));
        let read = match (owner.uid == user.uid, owner.gid.is_some() && owner.gid == user.gid) {
            (true, _) => 0o400,
            (false, true) => 0o040,
            (false, false) => 0o004,
        };
        if mode & read == 0 {
            let place = checker.source.place(&route!["user"]);
            let what = format!(
                "with mode {mode:04o} and owner {}, the user {} cannot read the secret `{}`",
                owner.uid, user.uid, secret.name
            );
            let d = checker.fault_key(Code::BadMode, &route!["secrets", secret.name], what);
            d.related.push((place, "the user of the process".into()));
            d.fixes
                .push(fix("give it to the user, who then may read it", "{ ref: NAME/KEY, mode: \"0400\" }"));
        }
    }
}

/// Reports a list of all members but the member itself, for members without ids.
fn peers_by_id(checker: &mut Checker<'_>, w: &Workload) {
    let programs = std::iter::once(&w.program).chain(w.helpers.iter().map(|h| &h.program));
    let words = programs.flat_map(|p| p.command.iter().chain(&p.args));
    for word in words.filter(|word| word.each && w.per_node()) {
        let each = word.route.at("each");
        if checker.source.node(&each).and_then(|node| node.text()) == Some("peers") {
            let message = "a `per: node` member has no id, so `peers` cannot leave it out of the list";
            checker
                .fault(Code::MemberField, &each, message)
                .fixes
                .push(fix("list all of them", "each: members"));
        }
    }
}

fn ports_named(checker: &mut Checker<'_>, w: &Workload) {
    for check in [&w.health.ready, &w.health.live].into_iter().flatten() {
        let (field, port) = match &check.probe {
            Some(Probe::Http { port, .. }) => ("port", port),
            Some(Probe::Tcp { port }) => ("tcp", port),
            None => continue,
        };
        let found = w.ports.iter().find(|p| p.name == *port);
        if found.is_some_and(|p| p.socket.protocol != Protocol::Tcp) {
            let message = format!("`{port}` is a UDP port, and a check can ask only TCP ports");
            checker
                .fault(Code::PortUnknown, &check.route.at(field), message)
                .fixes
                .push(fix("or run a command in the container, under `run` of the check", ""));
        }
        if found.is_none() {
            let known: Vec<&str> = w.ports.iter().map(|p| p.name.as_str()).collect();
            let list = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
            checker
                .fault(
                    Code::PortUnknown,
                    &check.route.at(field),
                    format!("`exclusive.ports` has no port `{port}`"),
                )
                .fixes
                .push(fix("its ports are", &list));
        }
    }
}

/// Checks that no two mounts have the same path, and that no mount lies inside data, a file or
/// the secrets.
fn mounts(checker: &mut Checker<'_>, w: &Workload) {
    let data = w.data.iter().map(|d| (d.mount.clone(), d.route.at("mount")));
    let tmpfs = w.tmpfs.iter().map(|(path, _)| (path.clone(), route!["tmpfs", path]));
    let files = w.files.iter().map(|f| (f.path.clone(), f.route.clone()));
    let home = w.secrets.iter().any(Secret::at_home).then(|| (SECRETS.to_owned(), route!["secrets"]));
    let placed = w.secrets.iter().filter(|s| !s.at_home());
    let placed = placed.map(|s| (s.path.clone(), route!["secrets", s.name, "path"]));
    let all: Vec<(String, Route)> = data.chain(tmpfs).chain(files).chain(home).chain(placed).collect();
    let by_path: BTreeMap<&str, &Route> =
        all.iter().rev().map(|(path, route)| (path.as_str(), route)).collect();
    for (path, route) in &all {
        if let Some(first) = by_path.get(path.as_str())
            && *first != route
        {
            let first = checker.source.key(first);
            checker
                .fault_key(Code::MountTwice, route, format!("`{path}` is mounted twice"))
                .related
                .push((first, "first here".into()));
        }
        // A secret whose path the spec gives may lie there: some programs look for it nowhere else.
        let secret = route.steps().len() > 1 && route.steps().first().is_some_and(|step| step == "secrets");
        for outer in w.data.iter().filter(|d| !secret && below(path, &d.mount)) {
            let place = checker.source.place(&outer.route.at("mount"));
            let d = checker.fault(
                Code::MountTwice,
                route,
                format!("`{path}` lies inside the data directory `{}`", outer.mount),
            );
            d.related.push((place, "the data".into()));
            d.why.push("the mount would create a file or directory inside the data".into());
        }
        // A file cannot contain a mount, and the directory of the secrets contains only
        // secrets.
        let files = w.files.iter().map(|f| (f.path.as_str(), &f.route));
        let secrets = all.iter().filter(|(p, _)| p == SECRETS).map(|(p, r)| (p.as_str(), r));
        let outer = files.chain(secrets).find(|(outer, _)| below(path, outer));
        if let Some((outer, at)) = outer {
            let place = checker.source.key(at);
            checker
                .fault_key(Code::MountTwice, route, format!("`{path}` lies inside `{outer}`"))
                .related
                .push((place, "mounted here".into()));
        }
    }
}

fn below(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}
