//! Checks a whole spec: a workload, or names for what runs outside.

use std::path::Path;

use indexmap::IndexMap;

use super::checker::Checker;
use super::exclusive::{self, Exclusive};
use super::{annotations, bootstrap, health, image, members, notes, process, targets, whole};
use crate::code::Code;
use crate::model::{Body, External, Service, Workload};
use crate::route;
use crate::spec::source::Route;
use crate::spec::{ExternalSpec, Spec};
use crate::text::names;

/// Checks the whole spec. `None` if too little of it can be understood.
pub(super) fn service(checker: &mut Checker<'_>, mut spec: Spec) -> Option<Service> {
    let Some(name) = spec.service.take() else {
        checker.missing(&Route::default(), "service", "service: orders-db");
        return None;
    };
    checker.named(Code::BadName, &route!["service"], &format!("the name `{name}`"), &name, names::service);
    let revision = spec.revision.clone();
    if let Some(revision) = &revision {
        let what = format!("the revision `{revision}`");
        checker.named(Code::BadName, &route!["revision"], &what, revision, names::revision);
    }
    let targets = targets::targets(checker, spec.targets.take());
    let accept = targets::accept(checker, spec.accept.take().unwrap_or_default());
    let moved = targets::moved(checker, spec.moved.take().unwrap_or_default());
    let labels = checker.labels(&route!["labels"], spec.labels.take());
    let body = match spec.external.take() {
        Some(block) => {
            nothing_runs(checker, &spec);
            Body::External(external(checker, block))
        }
        None => Body::Workload(Box::new(workload(checker, &name, spec)?)),
    };
    let file = Path::new(&checker.source.path)
        .file_name()
        .map_or_else(|| checker.source.path.clone(), |f| f.to_string_lossy().into_owned());
    Some(Service {
        index: 0,
        source: checker.source.clone(),
        digest: checker.digest.finalize().into(),
        file,
        name,
        revision,
        body,
        targets: targets?,
        accept,
        moved,
        labels,
    })
}

/// Checks the blocks of a service whose members run here.
fn workload(checker: &mut Checker<'_>, name: &str, spec: Spec) -> Option<Workload> {
    let Spec {
        base: _,
        service: _,
        revision,
        image,
        command,
        args,
        env,
        files,
        secrets,
        user,
        resources,
        ulimits,
        tmpfs,
        labels: _,
        annotations,
        members,
        exclusive,
        stop,
        health,
        update,
        bootstrap,
        helpers,
        apart_from,
        external: _,
        accept: _,
        moved: _,
        targets: _,
    } = spec;
    let root = Route::default();
    let program = process::program(checker, &root, image, command, args, env, user, resources);
    let members = members::members(checker, members, revision.is_some());
    let exclusive = exclusive.unwrap_or_default();
    let exclusive = exclusive::exclusive(checker, name, exclusive, members.as_ref(), &program);
    let secrets = process::secrets(checker, secrets);
    let files = process::files(checker, files);
    notes::files(checker, &files);
    notes::arguments(checker, &program);
    let tmpfs = process::tmpfs(checker, tmpfs);
    let annotations = annotations::of_members(checker, annotations);
    let has_data = exclusive.as_ref().is_some_and(|e| !e.data.is_empty());
    let health = health::health(checker, health.unwrap_or_default(), has_data);
    let stop = health::stop(checker, stop.unwrap_or_default());
    let update = process::update(checker, update.unwrap_or_default());
    let bootstrap = process::bootstrap(checker, bootstrap.unwrap_or_default());
    let helpers = process::helpers(checker, helpers.unwrap_or_default());
    let ulimits = process::ulimits(checker, ulimits);
    let apart_from = process::apart_from(checker, name, apart_from.unwrap_or_default());
    let Exclusive { data, ports, id, hostname, node_network, writer, guard } = exclusive?;
    let w = Workload {
        program,
        files,
        secrets,
        ulimits,
        tmpfs,
        annotations,
        members: members?,
        data,
        ports,
        id,
        hostname,
        node_network,
        writer,
        guard,
        stop,
        health,
        update,
        bootstrap,
        helpers,
        apart_from,
        lists_members: false,
        peers: Vec::new(),
    };
    whole::whole(checker, name, &w);
    bootstrap::founders(checker, &w);
    image::data(checker, name, &w);
    image::tools(checker, &w);
    Some(w)
}

/// Reports every block of an external service that only a workload has.
fn nothing_runs(checker: &mut Checker<'_>, spec: &Spec) {
    let Spec {
        base: _,
        service: _,
        revision,
        image,
        command,
        args,
        env,
        files,
        secrets,
        user,
        resources,
        ulimits,
        tmpfs,
        labels: _,
        annotations,
        members,
        exclusive,
        stop,
        health,
        update,
        bootstrap,
        helpers,
        apart_from,
        external: _,
        accept: _,
        moved: _,
        targets: _,
    } = spec;
    let written = [
        ("image", image.is_some()),
        ("members", members.is_some()),
        ("exclusive", exclusive.is_some()),
        ("command", command.is_some()),
        ("args", args.is_some()),
        ("env", env.is_some()),
        ("files", files.is_some()),
        ("secrets", secrets.is_some()),
        ("user", user.is_some()),
        ("resources", resources.is_some()),
        ("ulimits", ulimits.is_some()),
        ("tmpfs", tmpfs.is_some()),
        ("annotations", annotations.is_some()),
        ("stop", stop.is_some()),
        ("health", health.is_some()),
        ("update", update.is_some()),
        ("bootstrap", bootstrap.is_some()),
        ("helpers", helpers.is_some()),
        ("apart_from", apart_from.is_some()),
        ("revision", revision.is_some()),
    ];
    for (field, _) in written.iter().filter(|w| w.1) {
        let external = checker.source.key(&route!["external"]);
        let message = format!("an external service must not have `{field}`, because berthc does not run it");
        checker
            .fault_key(Code::ExternalShape, &route![field], message)
            .related
            .push((external, "external because of this".into()));
    }
}

fn external(checker: &mut Checker<'_>, spec: ExternalSpec) -> External {
    let root = route!["external"];
    let ExternalSpec { address, at, ports } = spec;
    if address.is_none() && at.as_ref().is_none_or(IndexMap::is_empty) {
        checker.missing(&root, "address", "address: db.example.com");
    }
    if let Some(address) = &address {
        checker.address(&root.at("address"), address);
    }
    let ports = checker.ports(&root.at("ports"), ports);
    if ports.is_empty() {
        checker.missing(&root, "ports", "ports: { postgresql: 5432 }");
    }
    let at = at.unwrap_or_default();
    for (id, address) in &at {
        checker.address(&root.at("at").at(id.0), address);
    }
    External { address, at: at.into_iter().map(|(id, a)| (id.0, a)).collect(), ports }
}
