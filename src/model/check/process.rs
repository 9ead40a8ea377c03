//! Checks what runs, its files and secrets, and how it is updated.

use indexmap::IndexMap;

use super::{Checker, fix};
use crate::code::Code;
use crate::input::{beside, feed};
use crate::model::{
    Bootstrap, Data, DataAt, File, Helper, Probe, Program, Resources, Secret, Template, Update, User,
    Workload, names, units,
};
use crate::route;
use crate::spec::source::Route;
use crate::spec::{BootstrapSpec, FileSpec, HelperSpec, Limit, ResourcesSpec, SecretSpec, UpdateSpec};
use crate::value::SECRETS;
use crate::value::is_forbidden;

/// The largest text of one file: a Swarm config holds 500 KiB, a ConfigMap 1 MiB in total.
const MAX_FILE: usize = 500 << 10;
/// The names that `ulimit` of docker knows.
pub const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

impl Checker<'_> {
    #[expect(clippy::too_many_arguments, reason = "the fields of two blocks of the spec")]
    pub(super) fn program(
        &mut self,
        root: &Route,
        image: Option<String>,
        command: Option<Vec<String>>,
        args: Option<Vec<String>>,
        env: Option<IndexMap<String, String>>,
        user: Option<String>,
        resources: Option<ResourcesSpec>,
    ) -> Program {
        match &image {
            Some(image) => self.named(
                Code::BadImage,
                &root.at("image"),
                &format!("the image `{image}`"),
                image,
                names::image,
            ),
            None => self.missing(root, "image", "image: docker.io/library/postgres:16.4"),
        }
        Program {
            image: image.unwrap_or_default(),
            command: self.templates(&root.at("command"), command),
            args: self.templates(&root.at("args"), args),
            env: self.env(&root.at("env"), env),
            user: user.and_then(|u| self.user(&root.at("user"), &u)),
            resources: self.resources(&root.at("resources"), resources.unwrap_or_default()),
        }
    }

    fn user(&mut self, route: &Route, user: &str) -> Option<User> {
        let number = |s: &str| {
            let n: u32 = s.parse().ok()?;
            (n.to_string() == s && i32::try_from(n).is_ok()).then_some(n)
        };
        let (uid, gid) = user.split_once(':').map_or((user, None), |(u, g)| (u, Some(g)));
        match (number(uid), gid.map(number)) {
            (Some(uid), None) => Some(User { uid, gid: None }),
            (Some(uid), Some(Some(gid))) => Some(User { uid, gid: Some(gid) }),
            _ => {
                self.fault(Code::BadUser, route, format!("`{user}` is not `uid` or `uid:gid` in numbers"))
                    .fixes
                    .push(fix("write numbers", "user: \"1000:1000\""));
                None
            }
        }
    }

    fn resources(&mut self, route: &Route, spec: ResourcesSpec) -> Resources {
        let ResourcesSpec { cpu, memory } = spec;
        let cpu = cpu.and_then(|text| {
            let milli = units::cpu(&text);
            if milli.is_none() {
                self.fault(Code::BadQuantity, &route.at("cpu"), format!("`{text}` is no number of cores"))
                    .fixes
                    .push(fix("cores, or thousandths of one", "cpu: \"2\"   cpu: 500m"));
            }
            milli
        });
        let memory = memory.and_then(|text| self.bytes(&route.at("memory"), &text));
        if memory.is_some_and(|m| m < 6 << 20) {
            // Docker refuses less than 6 MiB, and Kubernetes cannot start a pod sandbox with less.
            self.fault(Code::BadQuantity, &route.at("memory"), "a container needs at least 6Mi");
        }
        Resources { cpu, memory }
    }

    pub(super) fn secrets(&mut self, secrets: Option<IndexMap<String, SecretSpec>>) -> Vec<Secret> {
        let root = route!["secrets"];
        let mut all = Vec::new();
        for (name, SecretSpec { r#ref, version }) in secrets.unwrap_or_default() {
            let at = root.at(&name);
            self.named_key(Code::BadName, &at, &format!("the secret's name `{name}`"), &name, names::key);
            let Some(reference) = r#ref else {
                self.missing(&at, "ref", "ref: my-database/password");
                continue;
            };
            let parts = reference.split_once('/').filter(|(object, key)| {
                !object.contains('/') && dns_lower(object) && names::key(key).is_none()
            });
            let Some((object, key)) = parts else {
                self.fault(Code::SecretRef, &at.at("ref"), format!("`{reference}` is not NAME/KEY"))
                    .fixes
                    .push(fix("the key of a Kubernetes Secret", "ref: my-database/password"));
                continue;
            };
            if let Some(version) = &version {
                self.named(
                    Code::BadName,
                    &at.at("version"),
                    &format!("the version `{version}`"),
                    version,
                    names::key,
                );
            }
            all.push(Secret { name, object: object.into(), key: key.into(), version });
        }
        all
    }

    pub(super) fn files_of(&mut self, files: Option<IndexMap<String, FileSpec>>) -> Vec<File> {
        let root = route!["files"];
        let mut all = Vec::new();
        let mut bytes = 0;
        for (path, FileSpec { content, from, mode }) in files.unwrap_or_default() {
            let at = root.at(&path);
            self.named_key(Code::BadPath, &at, &format!("the path `{path}`"), &path, names::path);
            let content = match (content, from) {
                (Some(content), None) => content,
                (None, Some(from)) => match self.read(&at.at("from"), &from) {
                    Some(content) => content,
                    None => continue,
                },
                _ => {
                    self.fault_key(Code::FileShape, &at, "a file has either `content` or `from`")
                        .fixes
                        .push(fix("its text, or where to read it", "{ from: files/my.cnf }"));
                    continue;
                }
            };
            bytes += content.len();
            if content.len() > MAX_FILE || bytes > 900 << 10 {
                self.fault_key(
                    Code::FileTooLarge,
                    &at,
                    "a file has at most 500 KiB, all files together 900 KiB",
                )
                .why
                .push("a Swarm config and a ConfigMap take no more".into());
            }
            let mode = mode.map_or(Some(0o444), |m| self.mode(&at.at("mode"), &m));
            all.push(File { path, content, mode: mode.unwrap_or(0o444), route: at });
        }
        all
    }

    fn read(&mut self, route: &Route, from: &str) -> Option<String> {
        if from.is_empty() || from.starts_with('/') {
            self.fault(Code::BadPath, route, "`from` is a path relative to the file that names it");
            return None;
        }
        let file = self.texts.get(self.source.place(route).source).map_or("", |s| &s.path);
        let path = beside(file, from);
        let text = match self.files.read(&path) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned()),
            Err(e) => Err(e),
        };
        let text = text.and_then(|t| match t.chars().find(|c| is_forbidden(*c)) {
            Some(c) => Err(format!("it holds the character U+{:04X}", c as u32)),
            None => Ok(t),
        });
        self.read.insert(path);
        feed(&mut self.digest, &[from, text.as_deref().unwrap_or_default()]);
        text.map_err(|e| {
            self.fault(Code::FileMissing, route, format!("cannot read `{from}`: {e}"));
        })
        .ok()
    }

    fn mode(&mut self, route: &Route, mode: &str) -> Option<u32> {
        let octal = mode.bytes().all(|c| (b'0'..=b'7').contains(&c));
        let good = octal && (mode.len() == 3 || mode.len() == 4 && mode.starts_with('0'));
        let parsed = good.then(|| u32::from_str_radix(mode, 8).ok()).flatten();
        if parsed.is_none() {
            self.fault(Code::BadMode, route, format!("`{mode}` is no file mode"))
                .fixes
                .push(fix("octal, in quotes", "mode: \"0755\""));
        }
        parsed
    }

    pub(super) fn tmpfs(&mut self, tmpfs: Option<IndexMap<String, String>>) -> Vec<(String, u64)> {
        let root = route!["tmpfs"];
        let mut all = Vec::new();
        for (path, size) in tmpfs.unwrap_or_default() {
            let at = root.at(&path);
            self.named_key(Code::BadPath, &at, &format!("the path `{path}`"), &path, names::path);
            all.extend(self.bytes(&at, &size).map(|bytes| (path, bytes)));
        }
        all
    }

    pub(super) fn ulimits(&mut self, limits: Option<IndexMap<String, Limit>>) -> Vec<(String, u64, u64)> {
        let root = route!["ulimits"];
        let mut all = Vec::new();
        for (name, Limit { soft, hard }) in limits.unwrap_or_default() {
            let at = root.at(&name);
            if !ULIMITS.contains(&name.as_str()) {
                self.fault_key(Code::BadName, &at, format!("there is no limit `{name}`"))
                    .fixes
                    .push(fix("one of", &ULIMITS.join(", ")));
            }
            if soft > hard || i64::try_from(hard).is_err() {
                self.fault_key(Code::BadValue, &at, "the soft limit is at most the hard one");
            }
            all.push((name, soft, hard));
        }
        all
    }

    pub(super) fn update(&mut self, spec: UpdateSpec) -> Update {
        let root = route!["update"];
        Update {
            pause: spec.pause.and_then(|p| self.duration(&root.at("pause"), &p)).unwrap_or_default(),
            healthy: spec.healthy.map(|h| self.template(root.at("healthy"), h)),
        }
    }

    pub(super) fn bootstrap(&mut self, spec: BootstrapSpec) -> Bootstrap {
        let root = route!["bootstrap"];
        Bootstrap {
            env: self.env(&root.at("env"), spec.env),
            once: spec.once.map(|o| self.template(root.at("once"), o)),
        }
    }

    pub(super) fn helpers(&mut self, helpers: IndexMap<String, HelperSpec>) -> Vec<Helper> {
        let root = route!["helpers"];
        helpers
            .into_iter()
            .map(|(name, h)| {
                let at = root.at(&name);
                self.named_key(Code::BadName, &at, &format!("the helper's name `{name}`"), &name, |n| {
                    names::label(n, 30)
                });
                let HelperSpec { image, command, args, env, ports, resources, user } = h;
                let program = self.program(&at, image, command, args, env, user, resources);
                Helper { name, program, ports: self.ports(&at.at("ports"), ports) }
            })
            .collect()
    }

    pub(super) fn apart_from(&mut self, service: &str, apart: Vec<String>) -> Vec<String> {
        let root = route!["apart_from"];
        let mut all: Vec<String> = Vec::new();
        for (i, other) in apart.into_iter().enumerate() {
            if other == service {
                self.fault(Code::ApartUnknown, &root.at(i), "a service is apart from itself already")
                    .why
                    .push("its own members never share a node".into());
            } else if all.contains(&other) {
                self.fault(Code::ApartUnknown, &root.at(i), format!("`{other}` placements twice"));
            } else {
                all.push(other);
            }
        }
        all
    }

    /// Checks what needs the whole workload: names that must exist and paths that must not overlap.
    pub(super) fn whole(&mut self, service: &str, w: &Workload) {
        self.ports_named(w);
        self.mounts(w);
        self.readable(w);
        if w.writer && w.data.is_empty() && w.per_node() {
            self.fault_key(
                Code::MembersShape,
                &route!["exclusive", "writer"],
                "one writer is one member: `per: node` makes many",
            )
            .fixes
            .push(fix("write", "members: { count: 1 }"));
        }
        if w.writer && w.count() > 1 {
            self.fault_key(
                Code::MembersShape,
                &route!["exclusive", "writer"],
                "one writer is one member, and there are several",
            )
            .fixes
            .push(fix("write", "members: { count: 1 }"));
        }
        let mut seen: std::collections::BTreeMap<u16, Route> = std::collections::BTreeMap::new();
        for (name, port) in &w.ports {
            seen.insert(*port, route!["exclusive", "ports", name]);
        }
        for helper in &w.helpers {
            for (name, port) in &helper.ports {
                let at = route!["helpers", helper.name, "ports", name];
                if let Some(first) = seen.insert(*port, at.clone()) {
                    let first = self.source.place(&first);
                    self.fault(
                        Code::PortTwice,
                        &at,
                        format!("port {port} is claimed twice beside one member of {service}"),
                    )
                    .related
                    .push((first, "first here".into()));
                }
                if w.ports.iter().any(|(n, _)| n == name) {
                    self.fault_key(
                        Code::PortTwice,
                        &at,
                        format!("the name `{name}` is that of a port of the member"),
                    );
                }
            }
        }
    }

    /// Checks that the user can read the files. The files of a ConfigMap and those that fleet
    /// writes belong to user and group root, so any other user needs read permission for others.
    fn readable(&mut self, w: &Workload) {
        let Some(user) = w.program.user.filter(|u| u.uid > 0) else { return };
        let read = if user.gid == Some(0) { 0o044 } else { 0o004 };
        for file in w.files.iter().filter(|f| f.mode & read == 0) {
            let run = if file.mode & 0o111 == 0 { 0 } else { 0o111 };
            let wider = file.mode | 0o444 | run;
            let place = self.source.place(&route!["user"]);
            let d = self.fault(
                Code::BadMode,
                &file.route.at("mode"),
                format!("with the mode {:04o} the user {} cannot read `{}`", file.mode, user.uid, file.path),
            );
            d.related.push((place, "who runs here".into()));
            d.why.push("Kubernetes and fleet give the file to root: others read it, or nobody".into());
            d.fixes.push(fix("let others read it", &format!("mode: \"{wider:04o}\"")));
            d.fixes.push(fix(
                "or carry what is not for all as a secret",
                "secrets: { my-key: { ref: my-database/my-key } }",
            ));
        }
    }

    fn ports_named(&mut self, w: &Workload) {
        for check in [&w.health.ready, &w.health.live].into_iter().flatten() {
            let (field, port) = match &check.probe {
                Some(Probe::Http { port, .. }) => ("port", port),
                Some(Probe::Tcp { port }) => ("tcp", port),
                None => continue,
            };
            if !w.ports.iter().any(|(name, _)| name == port) {
                let known: Vec<&str> = w.ports.iter().map(|(n, _)| n.as_str()).collect();
                let list = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
                self.fault(
                    Code::PortUnknown,
                    &check.route.at(field),
                    format!("no port `{port}` in `exclusive.ports`"),
                )
                .fixes
                .push(fix("the ports are", &list));
            }
        }
    }

    /// Checks that no two mounts have the same path, and that no mount lies inside data, a file or
    /// the secrets.
    fn mounts(&mut self, w: &Workload) {
        let data = w.data.iter().map(|d| (d.mount.clone(), d.route.at("mount")));
        let tmpfs = w.tmpfs.iter().map(|(path, _)| (path.clone(), route!["tmpfs", path]));
        let files = w.files.iter().map(|f| (f.path.clone(), f.route.clone()));
        let secrets = (!w.secrets.is_empty()).then(|| (SECRETS.to_owned(), route!["secrets"]));
        let all: Vec<(String, Route)> = data.chain(tmpfs).chain(files).chain(secrets).collect();
        let by_path: std::collections::BTreeMap<&str, &Route> =
            all.iter().rev().map(|(path, route)| (path.as_str(), route)).collect();
        for (path, route) in &all {
            if let Some(first) = by_path.get(path.as_str())
                && *first != route
            {
                let first = self.source.key(first);
                self.fault_key(Code::MountTwice, route, format!("`{path}` is mounted twice"))
                    .related
                    .push((first, "first here".into()));
            }
            for outer in w.data.iter().filter(|d| below(path, &d.mount)) {
                let place = self.source.place(&outer.route.at("mount"));
                let d = self.fault(
                    Code::MountTwice,
                    route,
                    format!("`{path}` lies in the data directory `{}`", outer.mount),
                );
                d.related.push((place, "the data".into()));
                d.why.push("its mount point would be made in the data, on the data's disk".into());
            }
            // A file cannot contain a mount, and the directory of the secrets contains only
            // secrets.
            let files = w.files.iter().map(|f| (f.path.as_str(), &f.route));
            let secrets = all.iter().filter(|(p, _)| p == SECRETS).map(|(p, r)| (p.as_str(), r));
            let outer = files.chain(secrets).find(|(outer, _)| below(path, outer));
            if let Some((outer, at)) = outer {
                let place = self.source.key(at);
                self.fault_key(Code::MountTwice, route, format!("`{path}` lies in `{outer}`"))
                    .related
                    .push((place, "this one".into()));
            }
        }
    }
}

fn below(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

fn dns_lower(name: &str) -> bool {
    names::dns(name) && !name.bytes().any(|b| b.is_ascii_uppercase())
}

impl Data {
    /// Returns the host path as written, if the data is on the node.
    pub fn host(&self) -> Option<&Template> {
        match &self.at {
            DataAt::Host { path, .. } => Some(path),
            DataAt::Volume(_) => None,
        }
    }
}
