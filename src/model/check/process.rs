//! Checks what runs, its files and secrets, and how it is updated.

use indexmap::IndexMap;

use super::checker::{Checker, fix};
use super::{notes, words};
use crate::code::Code;
use crate::input::{beside, feed};
use crate::model::{Bootstrap, File, Helper, Program, Resources, Secret, Template, Update, User};
use crate::route;
use crate::spec::allowed::ULIMITS;
use crate::spec::source::Route;
use crate::spec::{BootstrapSpec, FileSpec, HelperSpec, Limit, ResourcesSpec, SecretSpec, UpdateSpec, Word};
use crate::text::{names, units};
use crate::value::{MAX_FILE, SECRETS, Uses, is_forbidden};

#[expect(clippy::too_many_arguments, reason = "the fields of two blocks of the spec")]
pub(super) fn program(
    checker: &mut Checker<'_>,
    root: &Route,
    image: Option<String>,
    command: Option<Vec<Word>>,
    args: Option<Vec<Word>>,
    env: Option<IndexMap<String, String>>,
    user: Option<String>,
    resources: Option<ResourcesSpec>,
) -> Program {
    match &image {
        Some(image) => checker.named(
            Code::BadImage,
            &root.at("image"),
            &format!("the image `{image}`"),
            image,
            names::image,
        ),
        None => checker.missing(root, "image", "image: docker.io/library/postgres:16.4"),
    }
    if let Some(image) = &image {
        notes::container(checker, root, image, resources.is_some(), user.is_some());
    }
    Program {
        image: image.unwrap_or_default(),
        command: words::words(checker, &root.at("command"), command, true),
        args: words::words(checker, &root.at("args"), args, false),
        env: checker.env(&root.at("env"), env),
        user: user.and_then(|u| ids_of(checker, &root.at("user"), &u, "user: \"1000:1000\"")),
        resources: amounts(checker, &root.at("resources"), resources.unwrap_or_default()),
    }
}

fn ids_of(checker: &mut Checker<'_>, route: &Route, user: &str, line: &str) -> Option<User> {
    let number = |s: &str| {
        let n: u32 = s.parse().ok()?;
        (n.to_string() == s && i32::try_from(n).is_ok()).then_some(n)
    };
    let (uid, gid) = user.split_once(':').map_or((user, None), |(u, g)| (u, Some(g)));
    match (number(uid), gid.map(number)) {
        (Some(uid), None) => Some(User { uid, gid: None }),
        (Some(uid), Some(Some(gid))) => Some(User { uid, gid: Some(gid) }),
        _ => {
            checker
                .fault(Code::BadUser, route, format!("`{user}` is not `uid` or `uid:gid` in numbers"))
                .fixes
                .push(fix("write numbers", line));
            None
        }
    }
}

fn amounts(checker: &mut Checker<'_>, route: &Route, spec: ResourcesSpec) -> Resources {
    let ResourcesSpec { cpu, memory } = spec;
    let cpu = cpu.and_then(|text| {
        let milli = units::cpu(&text);
        if milli.is_none() {
            checker
                .fault(Code::BadQuantity, &route.at("cpu"), format!("`{text}` is not a number of cores"))
                .fixes
                .push(fix("write cores or millicores", "cpu: \"2\"   cpu: 500m"));
        }
        milli
    });
    let memory = memory.and_then(|text| checker.bytes(&route.at("memory"), &text));
    if memory.is_some_and(|m| m < 6 << 20) {
        // Docker refuses less than 6 MiB, and Kubernetes cannot start a pod sandbox with less.
        checker.fault(Code::BadQuantity, &route.at("memory"), "a container needs at least 6Mi");
    }
    Resources { cpu, memory }
}

pub(super) fn secrets(
    checker: &mut Checker<'_>,
    secrets: Option<IndexMap<String, SecretSpec>>,
) -> Vec<Secret> {
    let root = route!["secrets"];
    let mut all = Vec::new();
    for (name, SecretSpec { r#ref, version, path, mode, owner }) in secrets.unwrap_or_default() {
        let at = root.at(&name);
        checker.named_key(Code::BadName, &at, &format!("the secret name `{name}`"), &name, names::key);
        let Some(reference) = r#ref else {
            let line = format!("ref: {}/{name}", checker.service());
            checker.missing(&at, "ref", &line);
            continue;
        };
        let parts = reference
            .split_once('/')
            .filter(|(object, key)| !object.contains('/') && dns_lower(object) && names::key(key).is_none());
        let Some((object, key)) = parts else {
            let line = format!("ref: {}/{name}", checker.service());
            checker
                .fault(Code::SecretRef, &at.at("ref"), format!("`{reference}` is not NAME/KEY"))
                .fixes
                .push(fix("write the name of a Secret and its key", &line));
            continue;
        };
        if let Some(version) = &version {
            checker.named(
                Code::BadName,
                &at.at("version"),
                &format!("the version `{version}`"),
                version,
                names::key,
            );
        }
        let path = path.unwrap_or_else(|| format!("{SECRETS}/{name}"));
        checker.named(Code::BadPath, &at.at("path"), &format!("the path `{path}`"), &path, names::path);
        let mode = mode.and_then(|m| permissions(checker, &at.at("mode"), &m, "0400"));
        let owner = owner.and_then(|o| ids_of(checker, &at.at("owner"), &o, "owner: \"999:999\""));
        all.push(Secret { name, object: object.into(), key: key.into(), version, path, mode, owner });
    }
    all
}

pub(super) fn files(checker: &mut Checker<'_>, files: Option<IndexMap<String, FileSpec>>) -> Vec<File> {
    let root = route!["files"];
    let mut all = Vec::new();
    let mut bytes = 0;
    for (path, FileSpec { content, from, template, mode }) in files.unwrap_or_default() {
        let at = root.at(&path);
        checker.named_key(Code::BadPath, &at, &format!("the path `{path}`"), &path, names::path);
        let (field, content) = match (content, from) {
            (Some(content), None) => ("content", content),
            (None, Some(from)) => match read(checker, &at.at("from"), &from) {
                Some(content) => ("from", content),
                None => continue,
            },
            _ => {
                checker
                    .fault_key(Code::FileShape, &at, "a file needs exactly one of `content` and `from`")
                    .fixes
                    .push(fix("for example", "{ from: files/my.cnf }"));
                continue;
            }
        };
        bytes += content.len();
        if content.len() > MAX_FILE || bytes > 900 << 10 {
            checker
                .fault_key(
                    Code::FileTooLarge,
                    &at,
                    "a file may have at most 500 KiB, and all files together 900 KiB",
                )
                .why
                .push("a Swarm config and a ConfigMap hold no more".into());
        }
        let mode = mode.map_or(Some(0o444), |m| permissions(checker, &at.at("mode"), &m, "0755"));
        let (route, template) = (at.at(field), template.unwrap_or_default());
        let content = match template {
            true => rendered(checker, route, content),
            false => Template { text: content, uses: Ok(Uses::default()), route, each: false },
        };
        all.push(File { path, content, template, mode: mode.unwrap_or(0o444), route: at });
    }
    all
}

/// Checks the expressions of a file.
fn rendered(checker: &mut Checker<'_>, route: Route, text: String) -> Template {
    let before = checker.out.len();
    let template = checker.file(route, text);
    for fault in checker.out.iter_mut().skip(before) {
        let line = "{% raw %}{{ $labels.instance }}{% endraw %}";
        fault.fixes.push(fix("keep what another program renders, as", line));
    }
    template
}

fn read(checker: &mut Checker<'_>, route: &Route, from: &str) -> Option<String> {
    if from.is_empty() || from.starts_with('/') {
        checker.fault(Code::BadPath, route, "`from` must be a path relative to the file that names it");
        return None;
    }
    let file = checker.texts.get(checker.source.place(route).source).map_or("", |s| &s.path);
    let path = beside(file, from);
    let text = match checker.files.read(&path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned()),
        Err(e) => Err(e),
    };
    let text = text.and_then(|t| match t.chars().find(|c| is_forbidden(*c)) {
        Some(c) => Err(format!("it contains the character U+{:04X}", c as u32)),
        None => Ok(t),
    });
    checker.read.insert(path);
    feed(&mut checker.digest, &[from, text.as_deref().unwrap_or_default()]);
    text.map_err(|e| {
        checker.fault(Code::FileMissing, route, format!("cannot read `{from}`: {e}"));
    })
    .ok()
}

fn permissions(checker: &mut Checker<'_>, route: &Route, mode: &str, example: &str) -> Option<u32> {
    let octal = mode.bytes().all(|c| (b'0'..=b'7').contains(&c));
    let good = octal && (mode.len() == 3 || mode.len() == 4 && mode.starts_with('0'));
    let parsed = good.then(|| u32::from_str_radix(mode, 8).ok()).flatten();
    if parsed.is_none() {
        checker
            .fault(Code::BadMode, route, format!("`{mode}` is not a file mode"))
            .fixes
            .push(fix("write it in octal, in quotes", &format!("mode: \"{example}\"")));
    }
    parsed
}

pub(super) fn tmpfs(
    checker: &mut Checker<'_>,
    tmpfs: Option<IndexMap<String, String>>,
) -> Vec<(String, u64)> {
    let root = route!["tmpfs"];
    let mut all = Vec::new();
    for (path, size) in tmpfs.unwrap_or_default() {
        let at = root.at(&path);
        checker.named_key(Code::BadPath, &at, &format!("the path `{path}`"), &path, names::path);
        all.extend(checker.bytes(&at, &size).map(|bytes| (path, bytes)));
    }
    all
}

pub(super) fn ulimits(
    checker: &mut Checker<'_>,
    limits: Option<IndexMap<String, Limit>>,
) -> Vec<(String, u64, u64)> {
    let root = route!["ulimits"];
    let mut all = Vec::new();
    for (name, Limit { soft, hard }) in limits.unwrap_or_default() {
        let at = root.at(&name);
        if !ULIMITS.contains(&name.as_str()) {
            checker
                .fault_key(Code::BadName, &at, format!("there is no ulimit `{name}`"))
                .fixes
                .push(fix("one of", &ULIMITS.join(", ")));
        }
        if soft > hard || i64::try_from(hard).is_err() {
            checker.fault_key(Code::BadValue, &at, "the soft limit must not exceed the hard limit");
        }
        all.push((name, soft, hard));
    }
    all
}

pub(super) fn update(checker: &mut Checker<'_>, spec: UpdateSpec) -> Update {
    let root = route!["update"];
    Update {
        pause: spec.pause.and_then(|p| checker.duration(&root.at("pause"), &p)).unwrap_or_default(),
        healthy: spec.healthy.map(|h| checker.template(root.at("healthy"), h)),
    }
}

pub(super) fn bootstrap(checker: &mut Checker<'_>, spec: BootstrapSpec) -> Bootstrap {
    let root = route!["bootstrap"];
    Bootstrap {
        env: checker.env(&root.at("env"), spec.env),
        founders: spec.r#for.unwrap_or_default(),
        once: spec.once.map(|o| checker.template(root.at("once"), o)),
    }
}

pub(super) fn helpers(checker: &mut Checker<'_>, helpers: IndexMap<String, HelperSpec>) -> Vec<Helper> {
    let root = route!["helpers"];
    helpers
        .into_iter()
        .map(|(name, h)| {
            let at = root.at(&name);
            checker.named_key(Code::BadName, &at, &format!("the helper name `{name}`"), &name, |n| {
                names::label(n, 30)
            });
            let HelperSpec { image, command, args, env, ports, resources, user } = h;
            let program = program(checker, &at, image, command, args, env, user, resources);
            Helper { name, program, ports: checker.ports(&at.at("ports"), ports) }
        })
        .collect()
}

pub(super) fn apart_from(checker: &mut Checker<'_>, service: &str, apart: Vec<String>) -> Vec<String> {
    let root = route!["apart_from"];
    let mut all: Vec<String> = Vec::new();
    for (i, other) in apart.into_iter().enumerate() {
        if other == service {
            checker
                .fault(Code::ApartUnknown, &root.at(i), "a service must not name itself in `apart_from`")
                .why
                .push("its own members never share a node anyway".into());
        } else if all.contains(&other) {
            checker.fault(Code::ApartUnknown, &root.at(i), format!("`{other}` is listed twice"));
        } else {
            all.push(other);
        }
    }
    all
}

fn dns_lower(name: &str) -> bool {
    names::dns(name) && !name.bytes().any(|b| b.is_ascii_uppercase())
}
