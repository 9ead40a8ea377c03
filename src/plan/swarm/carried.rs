//! Plans configs and secrets. Swarm changes neither in place, so the name of a config contains a
//! hash of its text, and a secret has the version from the spec.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::naming::Names;
use super::service::SwarmService;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::emit::{go_template, run_variable};
use crate::model::{File, Secret, User};
use crate::plan::context::Context;
use crate::plan::scope::{For, Values};
use crate::route;
use crate::text::quote;
use crate::value::{Run, Text};

/// The longest name of a config or a secret (swarmkit `manager/controlapi/common.go`).
const MAX_NAME: usize = 64;
/// The folder of the texts, next to the stack files.
const FOLDER: &str = "files";

/// A file next to the stack files.
pub struct OnDisk {
    /// The path, below the folder of the stack files.
    pub path: String,
    /// The text, unchanged.
    pub text: String,
}

/// A config or secret at the top level of a stack file.
#[derive(Debug, Clone, Serialize)]
pub struct Carried {
    /// The key that the services of the file use.
    pub key: String,
    /// The name in Swarm.
    pub name: String,
    /// The path of the text; `None` for a secret, which already exists.
    pub file: Option<String>,
    /// The template driver that fills in what only the node knows.
    pub driver: Option<&'static str>,
}

/// A config or secret in a container.
#[derive(Debug, Clone, Serialize)]
pub struct Grant {
    /// The key at the top level.
    pub source: String,
    /// The absolute path in the container.
    pub target: String,
    /// The owner.
    pub uid: Option<String>,
    /// The group.
    pub gid: Option<String>,
    /// The permissions. They are printed as a decimal number, which every YAML reader reads the
    /// same way.
    pub mode: u32,
}

/// A file of the spec as a Swarm config.
pub struct Config {
    /// The entry at the top level of the stack file.
    pub carried: Carried,
    /// The entry of the member.
    pub grant: Grant,
    /// The text.
    pub on_disk: OnDisk,
}

/// The template driver of swarmkit for configs (`template/expand.go`, `ExpandConfigSpec`).
const DRIVER: &str = "golang";

/// Plans the files of member `id` of a spec.
pub fn configs(context: &mut Context<'_>, subject: SwarmService<'_>, id: Option<u32>) -> Vec<Config> {
    let values = Values::new(&Names, subject.service);
    let mut keys = BTreeSet::new();
    let mut all = Vec::new();
    for file in &subject.workload.files {
        let Some(text) = values.file(context, file, id.map_or(For::Any, For::Member)) else { continue };
        if text.as_literal() == Some("") {
            let place = subject.service.key(&file.route);
            context.fault(
                Diagnostic::error(Code::FileEmpty, place, format!("`{}` is empty", file.path))
                    .why("Swarm does not accept an empty config"),
            );
        }
        subject.no_address(context, &text, &file.content.route);
        let mut key: String = file.path.trim_start_matches('/').chars().map(plain).collect();
        if key.len() > 100 || !keys.insert(key.clone()) {
            key = format!("{}-{}", &key[..key.len().min(100)], quote::digest(&[&file.path]));
        }
        all.push(config(subject, id, file, key, &text));
    }
    all
}

/// Replaces a character that is not allowed in keys, names or file names.
fn plain(c: char) -> char {
    if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' }
}

fn config(subject: SwarmService<'_>, id: Option<u32>, file: &File, key: String, text: &Text) -> Config {
    let File { path, content: _, template: _, mode, route: _ } = file;
    let of = match &subject.service.revision {
        Some(revision) => format!("{revision}."),
        None if id.is_some() && file.names_member() => format!("{}.", subject.name(id)),
        None => String::new(),
    };
    let disk = format!("{FOLDER}/{of}{key}");
    // The driver reads every config with it, so the text is escaped only where it has something to fill in.
    let (driver, text) = match text.as_literal() {
        Some(text) => (None, text.to_owned()),
        None => (Some(DRIVER), go_template(text, &format!("{{{{env \"{}\"}}}}", run_variable(Run::Node)))),
    };
    let service = subject.service.full_name();
    let stem: String = path.rsplit('/').next().unwrap_or_default().chars().map(plain).collect();
    let parts: Vec<&str> = [path.as_str(), text.as_str()].into_iter().chain(driver).collect();
    let digest = quote::digest(&parts);
    let room = MAX_NAME.saturating_sub(service.len() + digest.len() + 2);
    let name = format!("{service}-{}-{digest}", &stem[..stem.len().min(room)]);
    Config {
        grant: grant(&key, path.clone(), subject.workload.program.user, *mode),
        carried: Carried { key, name, file: Some(format!("./{disk}")), driver },
        on_disk: OnDisk { path: disk, text },
    }
}

/// Makes an entry of a container. The file belongs to the user of the process if the spec gives
/// one, otherwise to root.
fn grant(source: &str, target: String, user: Option<User>, mode: u32) -> Grant {
    Grant {
        source: source.to_owned(),
        target,
        uid: user.map(|u| u.uid.to_string()),
        gid: user.and_then(|u| u.gid).map(|g| g.to_string()),
        mode,
    }
}

/// Returns the name of `secret` on Swarm.
fn secret_name(secret: &Secret) -> String {
    let Secret { name: _, object, key, version, path: _, mode: _, owner: _ } = secret;
    match version {
        Some(version) => format!("{object}-{key}-{version}"),
        None => format!("{object}-{key}"),
    }
}

/// Returns the secrets of a spec, which must all exist.
pub fn secrets(subject: SwarmService<'_>) -> Vec<Carried> {
    let carried =
        |s: &Secret| Carried { key: s.name.clone(), name: secret_name(s), file: None, driver: None };
    subject.workload.secrets.iter().map(carried).collect()
}

/// Returns the entries of `secrets` for a container. Only the user of the container may read them,
/// or everyone if the user is unknown.
pub fn grants<'s>(secrets: impl Iterator<Item = &'s Secret>, user: Option<User>) -> Vec<Grant> {
    let usual = if user.is_some() { 0o400 } else { 0o444 };
    let grant = |s: &Secret| match s.exact() {
        true => {
            let (owner, mode) = s.permissions(user);
            grant(&s.name, s.path.clone(), Some(owner), mode)
        }
        false => grant(&s.name, s.path.clone(), user, usual),
    };
    secrets.map(grant).collect()
}

/// Reports secret names that Swarm refuses, and two secrets with the same name.
pub fn check_secrets(context: &mut Context<'_>, subject: SwarmService<'_>) {
    let mut seen: BTreeMap<String, &Secret> = BTreeMap::new();
    for secret in &subject.workload.secrets {
        let place = subject.service.place(&route!["secrets", secret.name, "ref"]);
        let name = secret_name(secret);
        let last = name.bytes().last();
        if name.len() > MAX_NAME || !last.is_some_and(|b| b.is_ascii_alphanumeric()) {
            let (code, wrong) = match name.len() > MAX_NAME {
                true => (
                    Code::NameTooLong,
                    format!("has {} characters, but at most {MAX_NAME} are allowed", name.len()),
                ),
                false => (Code::BadName, "must end with a letter or a digit".to_owned()),
            };
            context.fault(Diagnostic::error(code, place, format!("the Swarm secret `{name}` {wrong}")));
        }
        let same = |other: &&Secret| (&other.object, &other.key) == (&secret.object, &secret.key);
        if let Some(first) = seen.insert(name.clone(), secret).filter(|f| !same(f)) {
            let related = subject.service.place(&route!["secrets", first.name, "ref"]);
            context.fault(
                Diagnostic::error(
                    Code::NameClash,
                    place,
                    format!("two secrets have the name `{name}` on Swarm"),
                )
                .related(related, "the other"),
            );
        }
    }
}
