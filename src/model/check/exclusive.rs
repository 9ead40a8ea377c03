//! Checks `exclusive`: the resources that only one running container may hold, and whether they fit
//! the members.

use super::checker::{Checker, fix};
use crate::backend;
use crate::code::Code;
use crate::model::{Data, DataAt, Members, Port, Program, Template, Volume};
use crate::route;
use crate::spec::source::Route;
use crate::spec::{DataSpec, ExclusiveSpec, IdSpace, VolumeSpec};
use crate::text::names;
use crate::value::{self, Uses};

/// The valid block.
pub(super) struct Exclusive {
    pub data: Vec<Data>,
    pub ports: Vec<Port>,
    pub id: Option<String>,
    pub hostname: bool,
    pub node_network: bool,
    pub writer: bool,
    pub guard: bool,
}

/// Checks the block. `None` if a data directory cannot be understood.
pub(super) fn exclusive(
    checker: &mut Checker<'_>,
    service: &str,
    spec: ExclusiveSpec,
    members: Option<&Members>,
    program: &Program,
) -> Option<Exclusive> {
    let root = route!["exclusive"];
    let ExclusiveSpec { data, ports, id, hostname, address, writer, guard } = spec;
    let mut whole = true;
    let mut all = Vec::new();
    for (name, spec) in data.unwrap_or_default() {
        match directory(checker, service, &root.at("data").at(&name), &name, spec, members) {
            Some(data) => all.push(data),
            None => whole = false,
        }
    }
    let ports = checker.ports(&root.at("ports"), ports);
    let per_node = matches!(members, Some(Members::PerNode { .. }));
    let id = id_space(checker, service, &root.at("id"), id, per_node);
    let hostname = hostname.unwrap_or_default();
    let node_network = address.is_some();
    if hostname {
        own_hostname(checker, &root, node_network, per_node);
    }
    if node_network && ports.is_empty() && !checker.taken_out("ports") {
        let d = checker.fault_key(
            Code::Missing,
            &root.at("address"),
            "`address: node` needs `ports`: only declared ports are exclusive",
        );
        d.fixes.push(fix("declare the ports on which the program listens", "ports: { client: 5000 }"));
    }
    let writer = writer.unwrap_or_default();
    if writer && !all.is_empty() {
        checker.fault_key(
            Code::DataShape,
            &root.at("writer"),
            "`writer` is for services without data: here, the member with the data is the writer",
        );
    }
    if guard.is_some() && whole {
        lock(checker, &root.at("guard"), &all, program);
    }
    host_twice(checker, service, &all);
    whole.then(|| Exclusive { data: all, ports, id, hostname, node_network, writer, guard: guard.is_some() })
}

/// Checks `id`, and returns the name of the space in which the ids of the members are unique.
fn id_space(
    checker: &mut Checker<'_>,
    service: &str,
    at: &Route,
    id: Option<IdSpace>,
    per_node: bool,
) -> Option<String> {
    let space = match id {
        None | Some(IdSpace::Own(false)) => return None,
        Some(IdSpace::Own(true)) => service.to_owned(),
        Some(IdSpace::Shared(space)) => {
            checker.named(Code::BadName, at, &format!("the id space `{space}`"), &space, |n| {
                names::label(n, 63)
            });
            space
        }
    };
    if per_node {
        checker
            .fault_key(
                Code::IdPerNode,
                at,
                "a `per: node` member cannot have an id, because no target can supply one",
            )
            .fixes
            .push(fix(
                "use a count in place of `per`, and pin each member to its node; each `host` then needs the id and a size",
                &format!("members: {{ count: 3, first: 1, pin: {service} }}"),
            ));
    }
    Some(space)
}

/// Checks that a member can have a hostname of its own.
fn own_hostname(checker: &mut Checker<'_>, root: &Route, node_network: bool, per_node: bool) {
    let at = root.at("hostname");
    if node_network {
        let other = checker.source.key(&root.at("address"));
        checker
            .fault_key(
                Code::HostnameOnNodeNetwork,
                &at,
                "a member on the node's network has the hostname of the node",
            )
            .related
            .push((other, "the node's network".into()));
    }
    if per_node {
        checker.fault_key(
            Code::MembersShape,
            &at,
            "a `per: node` member has no name of its own: its node is its identity",
        );
    }
}

/// Checks that `guard: lock` has a directory to lock, and a command to run under the lock.
fn lock(checker: &mut Checker<'_>, at: &Route, data: &[Data], program: &Program) {
    if data.is_empty() {
        checker.fault_key(Code::GuardShape, at, "`guard: lock` needs a data directory to lock");
    }
    if program.command.is_empty() {
        checker
            .fault_key(
                Code::GuardShape,
                at,
                "`guard: lock` needs `command`, because berthc takes the lock before it runs the command",
            )
            .fixes
            .push(fix(
                "write under `command` what the image starts: docker image inspect shows its Entrypoint and Cmd",
                "",
            ));
    }
}

/// Returns the line that keeps data on the nodes of `members`.
fn host_line(service: &str, members: Option<&Members>) -> String {
    match members {
        Some(Members::Counted { .. }) => format!("host: \"/mnt/d1/{service}-{{{{ member.id }}}}\""),
        _ => format!("host: /mnt/d1/{service}"),
    }
}

fn directory(
    checker: &mut Checker<'_>,
    service: &str,
    route: &Route,
    name: &str,
    spec: DataSpec,
    members: Option<&Members>,
) -> Option<Data> {
    checker
        .named_key(Code::BadName, route, &format!("the data name `{name}`"), name, |n| names::label(n, 30));
    let DataSpec { mount, host, size, volume } = spec;
    if let Some(mount) = &mount {
        checker.named(Code::BadPath, &route.at("mount"), &format!("the path `{mount}`"), mount, names::path);
    } else {
        checker.missing(route, "mount", &format!("mount: /var/lib/{service}"));
    }
    let at = match (host, volume) {
        (Some(host), None) => {
            let path = checker.template(route.at("host"), host);
            let size = size.and_then(|s| checker.bytes(&route.at("size"), &s));
            host_directory(checker, service, route, &path, size, members)?;
            DataAt::Host { path, size }
        }
        (None, Some(volume)) => {
            if size.is_some() {
                checker.fault_key(
                    Code::DataShape,
                    &route.at("size"),
                    "the `size` of a volume belongs inside `volume`",
                );
            }
            if matches!(members, Some(Members::PerNode { .. })) {
                checker
                    .fault_key(
                        Code::NodeVolume,
                        &route.at("volume"),
                        "the member is bound to a node, but its volume can move to another",
                    )
                    .fixes
                    .extend([
                        fix("keep the data on the node", &format!("host: /mnt/d1/{service}")),
                        fix("or count the members, in place of `per`", "members: { count: 3 }"),
                    ]);
                return None;
            }
            DataAt::Volume(Box::new(network_volume(checker, &route.at("volume"), volume)?))
        }
        (Some(_), Some(_)) => {
            let host = checker.source.key(&route.at("host"));
            checker
                .fault_key(
                    Code::DataShape,
                    &route.at("volume"),
                    "data has either `host` or `volume`, not both",
                )
                .related
                .push((host, "`host` is here".into()));
            return None;
        }
        (None, None) => {
            checker
                .fault_key(Code::DataShape, route, format!("`{name}` has neither `host` nor `volume`"))
                .fixes
                .extend([
                    fix("to keep it on the node", &host_line(service, members)),
                    fix(
                        "to keep it on the network",
                        "volume: { backend: aws-ebs, size: 100Gi, zones: [eu-central-1a] }",
                    ),
                ]);
            return None;
        }
    };
    Some(Data { name: name.to_owned(), mount: mount?, at, route: route.clone() })
}

/// Checks a host directory, and that its members stay on its node.
fn host_directory(
    checker: &mut Checker<'_>,
    service: &str,
    route: &Route,
    path: &Template,
    size: Option<u64>,
    members: Option<&Members>,
) -> Option<()> {
    let uses = path.uses.clone().unwrap_or_default();
    host_path(checker, service, &route.at("host"), path, &uses)?;
    stays(checker, service, &route.at("host"), path, &uses, members)?;
    if let (Some(Members::PerNode { .. }), Some(_)) = (members, size) {
        checker.fault_key(
            Code::DataShape,
            &route.at("size"),
            "`size` has no effect here: a directory has the size of its disk",
        );
    }
    let pinned = matches!(members, Some(Members::Counted { .. }));
    if pinned && size.is_none() && checker.source.has(&route!["targets", "kubernetes"]) {
        checker.missing(route, "size", "size: 20Gi");
    }
    Some(())
}

/// Checks the path of a host directory.
fn host_path(
    checker: &mut Checker<'_>,
    service: &str,
    at: &Route,
    path: &Template,
    uses: &Uses,
) -> Option<()> {
    if let Some(other) = uses.member.iter().find(|f| !["id", "name"].contains(&f.as_str())) {
        checker.fault(
            Code::BadPath,
            at,
            format!("a host path may use `member.id` or `member.name`, but not `member.{other}`"),
        );
        return None;
    }
    let trial = value::host_path(&path.text, service, 1);
    if let Some(wrong) = trial.as_deref().and_then(names::path) {
        checker.fault(Code::BadPath, at, format!("the path `{}` {wrong}", path.text));
        return None;
    }
    if trial.as_deref().is_some_and(|p| p.matches('/').count() < 2) {
        checker
            .fault(
                Code::BadPath,
                at,
                format!("`{}` is directly below `/`: use a directory inside a mounted disk", path.text),
            )
            .why
            .push(
                "a mount point exists even when its disk is not mounted, but a directory inside it does not"
                    .into(),
            );
    }
    Some(())
}

/// Checks that each member stays on the node of its host directory, and has the directory alone.
fn stays(
    checker: &mut Checker<'_>,
    service: &str,
    at: &Route,
    path: &Template,
    uses: &Uses,
    members: Option<&Members>,
) -> Option<()> {
    match members {
        Some(Members::Counted { pin: None, .. }) => {
            let place = checker.source.key(&route!["members"]);
            let line = format!("members: {{ pin: {service} }}");
            let d = checker.fault(
                Code::MemberMoves,
                at,
                "the data stays on a node, but the member may start on another node",
            );
            d.related.push((place, "they have no pin".into()));
            d.why.push("the member would start there with an empty directory".into());
            d.fixes.push(fix("pin each member to its node", &line));
            d.fixes.push(fix(
                "or use a volume that moves with the member",
                "volume: { backend: aws-ebs, size: 100Gi, zones: [eu-central-1a] }",
            ));
            None
        }
        Some(Members::Counted { pin: Some(pin), .. }) if names::of_place(&pin.label) => {
            let pinned = route!["members", "pin"];
            let message = format!("the label `{}` names a place, which has many nodes", pin.label);
            let d = checker.fault(Code::BadLabel, &pinned, message);
            d.why.push("each member needs a node of its own, because its data is on no other node".into());
            d.fixes.push(fix("use a label that only these nodes have", &format!("pin: {service}")));
            Some(())
        }
        Some(Members::Counted { pin: Some(_), .. })
            if !uses.member.contains("id") && !uses.member.contains("name") =>
        {
            let line = format!("host: \"{}-{{{{ member.id }}}}\"", path.text);
            let d = checker.fault(
                Code::HostWithoutId,
                at,
                "all members have the same directory; only the pin separates them",
            );
            d.why.push(
                "with the label on the wrong node, a member would use the data of another member".into(),
            );
            d.fixes.push(fix("put the id into the path", &line));
            Some(())
        }
        Some(Members::PerNode { .. }) if !uses.member.is_empty() => {
            checker.fault(
                Code::MemberField,
                at,
                "a `per: node` member has no id, so its path must not use one",
            );
            None
        }
        _ => Some(()),
    }
}

fn network_volume(checker: &mut Checker<'_>, route: &Route, spec: VolumeSpec) -> Option<Volume> {
    let VolumeSpec { backend, size, class, r#type, zones, options } = spec;
    let Some(backend_name) = backend else {
        checker.missing(route, "backend", "backend: aws-ebs");
        return None;
    };
    let Some(found) = backend::find(&backend_name) else {
        let known: Vec<&str> = backend::BACKENDS.iter().map(|b| b.name).collect();
        let near = crate::text::nearest::nearest(&backend_name, known.iter()).map(ToOwned::to_owned);
        let d = checker.fault(
            Code::VolumeUnknown,
            &route.at("backend"),
            format!("there is no backend `{backend_name}`"),
        );
        match (backend_name.as_str(), near) {
            ("local", _) => d.fixes.push(fix(
                "a disk of the node is not a network volume; write `host` in place of `volume`",
                "",
            )),
            (_, Some(near)) => d.fixes.push(fix("did you mean", &format!("backend: {near}"))),
            _ => d.fixes.push(fix("one of", &format!("{}, csi:NAME", known.join(", ")))),
        }
        return None;
    };
    let Some(size_text) = size else {
        checker.missing(route, "size", "size: 100Gi");
        return None;
    };
    let size = checker.bytes(&route.at("size"), &size_text)?;
    if let Some(class) = &class {
        checker.named(Code::BadName, &route.at("class"), &format!("the class `{class}`"), class, |c| {
            (!names::dns(c)).then(|| "is not a valid name of a StorageClass".into())
        });
    }
    let zones = zones.unwrap_or_default();
    for (i, zone) in zones.iter().enumerate() {
        checker.named(
            Code::BadLabel,
            &route.at("zones").at(i),
            &format!("the zone `{zone}`"),
            zone,
            names::label_value,
        );
    }
    let csi = match backend_name.strip_prefix("csi:") {
        Some(driver) => Some(driver.to_owned()),
        None => found.csi.map(ToOwned::to_owned),
    };
    Some(Volume {
        backend: found,
        csi,
        backend_name,
        size,
        size_text,
        class,
        kind: r#type,
        zones,
        options: options.unwrap_or_default().into_iter().collect(),
    })
}

/// Checks that no directory of a member equals or contains another one.
fn host_twice(checker: &mut Checker<'_>, service: &str, data: &[Data]) {
    let hosts = data.iter().filter_map(|d| d.host());
    let all: Vec<(String, &Template)> =
        hosts.filter_map(|h| Some((value::host_path(&h.text, service, 1)?, h))).collect();
    for (i, (path, host)) in all.iter().enumerate() {
        let meets = |other: &str| {
            let (long, short) =
                if path.len() >= other.len() { (path.as_str(), other) } else { (other, path.as_str()) };
            crate::text::path::within(long, short)
        };
        if let Some((other, first)) = all[..i].iter().find(|(other, _)| meets(other)) {
            let what = if other == path {
                "two data entries use the same directory"
            } else {
                "one data directory lies inside another"
            };
            let first = checker.source.place(&first.route);
            checker.fault(Code::HostTwice, &host.route, what).related.push((first, "the first".into()));
        }
    }
}
