//! Checks a spec and turns it into a valid service. It collects every error. A block that cannot be
//! understood makes the service unusable; the other blocks are still checked.

mod cross;
mod exclusive;
mod health;
mod members;
mod neighbour;
mod process;
mod targets;
mod values;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use blake3::Hasher;
use indexmap::IndexMap;

pub use cross::on_ids;
use exclusive::Exclusive;
pub use health::SIGNALS;
pub use members::{MAX_FIRST, MAX_MEMBERS};
pub use neighbour::{Placement, ancestors, on_nodes};
pub use process::ULIMITS;
pub use targets::KUBERNETES;
pub use values::value_fault;

use super::{Body, External, Model, Service, Targets, Template, Workload, names, units};
use crate::code::Code;
use crate::diag::{Diagnostic, failed};
use crate::input::{Files, Texts};
use crate::route;
use crate::spec::de;
use crate::spec::layers::{Layered, Layers, Loaded};
use crate::spec::node::Kind;
use crate::spec::source::{Route, Source};
use crate::spec::{ExternalSpec, Spec};
use crate::text::nearest::nearest;
use crate::value;

/// The result of checking one spec.
#[derive(Debug)]
pub struct Checked {
    /// The service, as far as the spec could be understood. It may be emitted only if there are no
    /// errors.
    pub service: Option<Service>,
    /// The name of the service if it has errors, as far as it is known.
    pub invalid: Option<String>,
    /// The paths of the other files that were read, or could not be read.
    pub read: BTreeSet<String>,
    /// The errors.
    pub faults: Vec<Diagnostic>,
    /// The total size of its texts in bytes, including the files that it names.
    pub bytes: usize,
}

/// Reads spec number `index` and checks it without the others.
pub fn alone(index: usize, layers: &Layers<'_>) -> Checked {
    let Loaded { spec, read, mut faults } = layers.load(index);
    let Layered { root, layers: from, texts, start, digest } = match spec {
        Ok(layered) => layered,
        Err(invalid) => return Checked { service: None, invalid, read, faults, bytes: 0 },
    };
    let (spec, removed) = de::read::<Spec>("a spec", &texts, &root, &mut faults);
    let path = texts.get(index).map_or_else(String::new, |own| own.path.clone());
    let gone = removed.items;
    let source = Arc::new(Source { index, layers: from, start, path, root: Some(root), gone });
    let (files, removed, uses) = (layers.files(), removed.keys, Vec::new());
    let mut checker = Checker { source, texts, files, read, digest, removed, uses, out: faults };
    let name = spec.as_ref().and_then(|s| s.service.clone());
    let mut service = spec.and_then(|spec| checker.service(spec));
    let invalid = name.filter(|_| service.is_none() || failed(&checker.out));
    // An unresolved name in a value does not make the service invalid for other specs, so this runs
    // after `invalid` is set.
    service.iter_mut().for_each(|s| checker.values(s));
    let files = service.iter().filter_map(Service::workload).flat_map(|w| &w.files);
    let bytes = files.map(|file| file.content.len()).sum::<usize>() + checker.texts.bytes();
    Checked { service, invalid, read: checker.read, faults: checker.out, bytes }
}

/// Checks the services `batch` of `model` against one another and against the services that they
/// name.
pub fn together(model: &Model, batch: &[usize], out: &mut Vec<Diagnostic>) {
    cross::check(model, batch, out);
    neighbour::check(model, batch, out);
}

/// The state of checking one spec.
struct Checker<'a> {
    source: Arc<Source>,
    /// The texts that places refer to.
    texts: Texts,
    files: &'a dyn Files,
    /// The paths of the files that were read.
    read: BTreeSet<String>,
    /// The digest of the text, its bases and the files that were read.
    digest: Hasher,
    /// The keys that were removed from the tree because of an error. Their fields are not reported
    /// as missing.
    removed: Vec<String>,
    /// The names that each value uses.
    uses: Vec<(Route, value::Uses)>,
    out: Vec<Diagnostic>,
}

impl Checker<'_> {
    /// Reports an error at the value of `route`.
    fn fault(&mut self, code: Code, route: &Route, message: impl Into<String>) -> &mut Diagnostic {
        let place = self.source.place(route);
        self.push(Diagnostic::error(code, place, message))
    }

    /// Reports an error at the last key of `route`.
    fn fault_key(&mut self, code: Code, route: &Route, message: impl Into<String>) -> &mut Diagnostic {
        let place = self.source.key(route);
        self.push(Diagnostic::error(code, place, message))
    }

    fn push(&mut self, diagnostic: Diagnostic) -> &mut Diagnostic {
        self.out.push(diagnostic);
        let last = self.out.len() - 1;
        &mut self.out[last]
    }

    /// Returns whether the spec has `field`, but misspelt or with a value of the wrong type.
    fn taken_out(&self, field: &str) -> bool {
        self.removed.iter().any(|r| r == field || nearest(r, &[field]).is_some())
    }

    /// Reports that `field` is missing or an empty map below `route`, unless the spec misspelt it.
    fn missing(&mut self, route: &Route, field: &str, line: &str) {
        if let Some(there) = self.source.node(&route.at(field)) {
            if matches!(&there.kind, Kind::Map(entries) if entries.is_empty()) {
                self.fault_key(Code::BadValue, &route.at(field), format!("`{field}` is empty"))
                    .fixes
                    .push(fix("write", line));
            }
            return;
        }
        if self.taken_out(field) {
            return;
        }
        let holder = match route.steps() {
            [] => "the spec".to_owned(),
            steps => format!("`{}`", steps.join(".")),
        };
        let place = self.source.key(route);
        self.push(
            Diagnostic::error(Code::Missing, place, format!("{holder} has no `{field}`")).fix("write", line),
        );
    }

    /// Reports an error if `text` does not match `grammar`.
    fn named(
        &mut self,
        code: Code,
        route: &Route,
        what: &str,
        text: &str,
        grammar: impl Fn(&str) -> Option<String>,
    ) {
        if let Some(wrong) = grammar(text) {
            self.fault(code, route, format!("{what} {wrong}"));
        }
    }

    /// Reports an error at the key if `text` does not match `grammar`.
    fn named_key(
        &mut self,
        code: Code,
        route: &Route,
        what: &str,
        text: &str,
        grammar: impl Fn(&str) -> Option<String>,
    ) {
        if let Some(wrong) = grammar(text) {
            self.fault_key(code, route, format!("{what} {wrong}"));
        }
    }

    fn duration(&mut self, route: &Route, text: &str) -> Option<u32> {
        let seconds = units::duration(text);
        if seconds.is_none() {
            self.fault(Code::BadDuration, route, format!("`{text}` is no duration"))
                .fixes
                .push(fix("whole seconds, with a unit", "30s   2m   1m30s"));
        }
        seconds
    }

    fn bytes(&mut self, route: &Route, text: &str) -> Option<u64> {
        let bytes = units::bytes(text);
        if bytes.is_none() {
            self.fault(Code::BadQuantity, route, format!("`{text}` is no size"))
                .fixes
                .push(fix("bytes, with a unit", "20Gi   512Mi"));
        }
        bytes
    }

    fn env(&mut self, route: &Route, env: Option<IndexMap<String, String>>) -> Vec<(String, Template)> {
        env.unwrap_or_default()
            .into_iter()
            .map(|(name, text)| {
                let route = route.at(&name);
                self.named_key(Code::BadName, &route, &format!("the variable `{name}`"), &name, names::env);
                if name.starts_with("BERTH_") {
                    self.fault_key(
                        Code::BadName,
                        &route,
                        format!("`{name}`: names from BERTH_ are berthc's own"),
                    );
                }
                (name, self.template(route, text))
            })
            .collect()
    }

    fn ports(&mut self, route: &Route, ports: Option<IndexMap<String, u16>>) -> Vec<(String, u16)> {
        let mut seen: std::collections::BTreeMap<u16, Route> = std::collections::BTreeMap::new();
        let mut all = Vec::new();
        for (name, port) in ports.unwrap_or_default() {
            let at = route.at(&name);
            self.named_key(Code::BadName, &at, &format!("the port's name `{name}`"), &name, names::port);
            if port == 0 {
                self.fault(Code::BadPort, &at, "port 0 means any port, which is no port to hold");
            }
            if let Some(first) = seen.insert(port, at.clone()) {
                let first = self.source.place(&first);
                self.fault(Code::PortTwice, &at, format!("port {port} is claimed twice by one member"))
                    .related
                    .push((first, "first here".into()));
            }
            all.push((name, port));
        }
        all
    }

    /// Checks the whole spec. `None` if too little of it can be understood.
    fn service(&mut self, spec: Spec) -> Option<Service> {
        let Spec {
            base: _,
            service,
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
            labels,
            members,
            exclusive,
            stop,
            health,
            update,
            bootstrap,
            helpers,
            apart_from,
            external,
            accept,
            targets,
        } = spec;
        let root = Route::default();
        let Some(name) = service else {
            self.missing(&root, "service", "service: my-database");
            return None;
        };
        self.named(Code::BadName, &route!["service"], &format!("the name `{name}`"), &name, |n| {
            names::label(n, names::MAX_SERVICE)
        });
        if let Some(revision) = &revision {
            self.named(
                Code::BadName,
                &route!["revision"],
                &format!("the revision `{revision}`"),
                revision,
                names::revision,
            );
        }
        let targets = self.targets(targets);
        let accept = self.accept(accept.unwrap_or_default());
        let labels = self.labels(&route!["labels"], labels);
        let body = if let Some(external) = external {
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
                ("stop", stop.is_some()),
                ("health", health.is_some()),
                ("update", update.is_some()),
                ("bootstrap", bootstrap.is_some()),
                ("helpers", helpers.is_some()),
                ("apart_from", apart_from.is_some()),
                ("revision", revision.is_some()),
            ];
            for (field, _) in written.iter().filter(|w| w.1) {
                let external = self.source.key(&route!["external"]);
                self.fault_key(
                    Code::ExternalShape,
                    &route![field],
                    format!("an external service has no `{field}`: nothing of it runs here"),
                )
                .related
                .push((external, "external here".into()));
            }
            Body::External(self.external(external))
        } else {
            let program = self.program(&root, image, command, args, env, user, resources);
            let members = self.members(members, revision.is_some());
            let exclusive = self.exclusive(&name, exclusive.unwrap_or_default(), members.as_ref(), &program);
            let secrets = self.secrets(secrets);
            let files = self.files_of(files);
            let tmpfs = self.tmpfs(tmpfs);
            let has_data = exclusive.as_ref().is_some_and(|e| !e.data.is_empty());
            let health = self.health(health.unwrap_or_default(), has_data);
            let stop = self.stop(stop.unwrap_or_default());
            let update = self.update(update.unwrap_or_default());
            let bootstrap = self.bootstrap(bootstrap.unwrap_or_default());
            let helpers = self.helpers(helpers.unwrap_or_default());
            let ulimits = self.ulimits(ulimits);
            let apart_from = self.apart_from(&name, apart_from.unwrap_or_default());
            let Exclusive { data, ports, id, hostname, node_network, writer, guard } = exclusive?;
            let w = Box::new(Workload {
                program,
                files,
                secrets,
                ulimits,
                tmpfs,
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
            });
            self.whole(&name, &w);
            Body::Workload(w)
        };
        let file = Path::new(&self.source.path)
            .file_name()
            .map_or_else(|| self.source.path.clone(), |f| f.to_string_lossy().into_owned());
        Some(Service {
            index: 0,
            source: self.source.clone(),
            digest: self.digest.finalize().into(),
            file,
            name,
            revision,
            body,
            targets: targets?,
            accept,
            labels,
        })
    }

    fn labels(&mut self, route: &Route, labels: Option<IndexMap<String, String>>) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (key, value) in labels.unwrap_or_default() {
            let at = route.at(&key);
            self.named_key(Code::BadLabel, &at, &format!("the label `{key}`"), &key, names::label_key);
            self.named(
                Code::BadLabel,
                &at,
                &format!("the label's value `{value}`"),
                &value,
                names::label_value,
            );
            if key.starts_with("app.kubernetes.io/") || key.starts_with("berth") {
                self.fault_key(Code::BadLabel, &at, format!("the label `{key}` is set by berthc"));
            }
            all.push((key, value));
        }
        all
    }

    fn external(&mut self, spec: ExternalSpec) -> External {
        let root = route!["external"];
        let ExternalSpec { address, at, ports } = spec;
        if address.is_none() && at.as_ref().is_none_or(IndexMap::is_empty) {
            self.missing(&root, "address", "address: db.example.com");
        }
        if let Some(address) = &address {
            self.address(&root.at("address"), address);
        }
        let ports = self.ports(&root.at("ports"), ports);
        if ports.is_empty() {
            self.missing(&root, "ports", "ports: { postgresql: 5432 }");
        }
        let at = at.unwrap_or_default();
        for (id, address) in &at {
            self.address(&root.at("at").at(id.0), address);
        }
        External { address, at: at.into_iter().map(|(id, a)| (id.0, a)).collect(), ports }
    }

    /// Checks that an address is an IP address or a DNS name.
    fn address(&mut self, route: &Route, address: &str) {
        if names::ip(address).is_none() && !names::dns(address) {
            self.fault(
                Code::BadAddress,
                route,
                format!("`{address}` is neither an IP address nor a DNS name"),
            );
        }
    }
}

fn fix(text: &str, line: &str) -> crate::diag::Fix {
    crate::diag::Fix { text: text.into(), line: line.into() }
}

/// The targets of a spec.
impl Targets {
    /// Returns whether there is a target.
    pub fn any(&self) -> bool {
        self.kubernetes.is_some() || self.fleet.is_some() || self.swarm.is_some()
    }
}
