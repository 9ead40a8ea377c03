//! Plans the files, secrets and tmpfs mounts of containers.

use std::collections::BTreeSet;

use super::labels;
use super::objects::{ConfigMap, ConfigVolume, Meta, Mount, SecretSource, Secrets, Volume};
use super::values::{self, Words};
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::emit::run_variable;
use crate::model::{File, Kubernetes, Secret, Service, User, Workload};
use crate::plan::context::Context;
use crate::plan::scope::For;
use crate::route;
use crate::text::units;
use crate::value::{Part, Run, SECRETS};

/// The size limit of a ConfigMap in bytes, keys and values together (kubernetes
/// `pkg/apis/core/validation`, `MaxSecretSize`).
const MAX_CONFIG: usize = 1 << 20;

/// The volumes and mounts for files, secrets and tmpfs.
#[derive(Default)]
pub struct Carried {
    /// The volumes of the pod.
    pub volumes: Vec<Volume>,
    /// The mounts of the member.
    pub mounts: Vec<Mount>,
    /// For each helper, the mount of the secrets that it reads from files.
    pub helpers: Vec<Option<Mount>>,
    /// The ConfigMap with the files.
    pub config: Option<ConfigMap>,
    /// Whether a mount needs the name of the member as a variable.
    pub named: bool,
}

/// A file with its text for each member.
pub struct Rendered<'w> {
    file: &'w File,
    /// The texts: one for all members, or one for each, with its name.
    texts: Vec<(Option<String>, String)>,
}

impl Rendered<'_> {
    /// Returns the texts.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|(_, text)| text.as_str())
    }

    /// Returns the keys in the ConfigMap for the file name `name`.
    fn keys(&self, name: &str) -> Vec<String> {
        let key = |member: &Option<String>| match member {
            Some(member) => format!("{member}.{name}"),
            None => name.to_owned(),
        };
        self.texts.iter().map(|(member, _)| key(member)).collect()
    }

    /// Returns whether each member has a text of its own.
    fn differs(&self) -> bool {
        self.texts.iter().any(|(member, _)| member.is_some())
    }
}

/// Renders the files of `w`. A file with an error is left out. A ConfigMap is the same on every node,
/// so a file cannot have a part that only the node knows.
pub fn render<'w>(
    context: &mut Context<'_>,
    words: &Words<'_>,
    service: &Service,
    w: &'w Workload,
) -> Vec<Rendered<'w>> {
    let mut all = Vec::new();
    for file in &w.files {
        let texts = match w.per_node() {
            true => words.file(context, file, For::Any).map(|text| vec![(None, text)]),
            false => of_members(context, words, service, w, file),
        };
        all.extend(texts.map(|texts| Rendered { file, texts }));
    }
    all
}

/// Returns the text of `file` for each counted member, or one text if they are equal.
fn of_members(
    context: &mut Context<'_>,
    words: &Words<'_>,
    service: &Service,
    w: &Workload,
    file: &File,
) -> Option<Vec<(Option<String>, String)>> {
    let mut texts = Vec::new();
    for id in w.ids().take(if file.names_member() { usize::MAX } else { 1 }) {
        let text = words.file(context, file, For::Member(id))?;
        texts.push((Some(format!("{}-{id}", service.name)), text));
    }
    if texts.windows(2).all(|pair| pair[0].1 == pair[1].1) {
        texts.truncate(1);
        texts.iter_mut().for_each(|(member, _)| *member = None);
    }
    Some(texts)
}

/// The names of volumes. Data volumes keep the names of the spec; other volumes get free names.
struct Names(BTreeSet<String>);

impl Names {
    fn take(&mut self, name: &str) -> String {
        let mut name = name.to_owned();
        while !self.0.insert(name.clone()) {
            name.insert_str(0, "berth-");
        }
        name
    }
}

/// Plans the volumes and mounts of the pods of `w`. `secrets` are the secrets that the member reads
/// from files, with their mode; `helpers` are those of each helper.
pub fn plan(
    context: &mut Context<'_>,
    service: &Service,
    w: &Workload,
    k: &Kubernetes,
    files: &[Rendered<'_>],
    secrets: Option<Secrets>,
    helpers: Vec<Option<Secrets>>,
) -> Carried {
    let mut names = Names(w.data.iter().map(|d| d.name.clone()).collect());
    let mut carried = Carried::default();
    let mut secret_volume = |name: &str, secrets: Secrets| {
        let name = names.take(name);
        carried.volumes.push(Volume { secrets: Some(secrets), ..Volume::named(&name) });
        Mount { read_only: true, ..Mount::at(&name, SECRETS) }
    };
    carried.mounts.extend(secrets.map(|secrets| secret_volume("secrets", secrets)));
    for (helper, secrets) in w.helpers.iter().zip(helpers) {
        let mount = secrets.map(|secrets| secret_volume(&format!("secrets-{}", helper.name), secrets));
        carried.helpers.push(mount);
    }
    if !files.is_empty() {
        let name = names.take("files");
        let keys = keys(files);
        let config = config_map(context, service, k, files, &keys);
        let mut items = Vec::new();
        for (rendered, key) in files.iter().zip(&keys) {
            let File { path, mode, .. } = rendered.file;
            let mount = Mount { read_only: true, ..Mount::at(&name, path) };
            carried.mounts.push(match rendered.differs() {
                true => {
                    let own = format!("$({}).{key}", run_variable(Run::Name));
                    Mount { sub_path_expr: Some(own), ..mount }
                }
                false => Mount { sub_path: Some(key.clone()), ..mount },
            });
            items.extend(rendered.keys(key).into_iter().map(|key| (key, *mode)));
        }
        carried.named = files.iter().any(Rendered::differs);
        let config_volume = ConfigVolume { name: config.meta.name.clone(), files: items };
        carried.volumes.push(Volume { config: Some(config_volume), ..Volume::named(&name) });
        carried.config = Some(config);
    }
    for (i, (path, bytes)) in w.tmpfs.iter().enumerate() {
        let name = names.take(&format!("memory-{i}"));
        carried.mounts.push(Mount::at(&name, path));
        carried
            .volumes
            .push(Volume { memory: Some(units::kubernetes_bytes(*bytes)), ..Volume::named(&name) });
    }
    carried
}

fn config_map(
    context: &mut Context<'_>,
    service: &Service,
    k: &Kubernetes,
    files: &[Rendered<'_>],
    keys: &[String],
) -> ConfigMap {
    let name = format!("{}-files-{}", service.full_name(), digest(files));
    let texts = |(rendered, key): (&Rendered<'_>, &String)| {
        rendered.keys(key).into_iter().zip(rendered.texts().map(ToOwned::to_owned)).collect::<Vec<_>>()
    };
    let files: Vec<(String, String)> = files.iter().zip(keys).flat_map(texts).collect();
    if files.iter().map(|(key, text)| key.len() + text.len()).sum::<usize>() > MAX_CONFIG {
        let place = service.key(&route!["files"]);
        context.fault(
            Diagnostic::error(Code::FileTooLarge, place, "the files do not fit into a ConfigMap of 1 MiB")
                .why("a file with a text for each member counts once for each of them"),
        );
    }
    let meta = Meta::new(name, Some(k.namespace.clone()), labels::of(service));
    ConfigMap { meta, immutable: true, files }
}

/// Returns a key for each file: its file name, with a number if that is taken. A key has at most
/// 253 characters of `[-._a-zA-Z0-9]` and does not start with `..`. The name of a member may come
/// before it.
fn keys(files: &[Rendered<'_>]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut keys = Vec::new();
    for rendered in files {
        let last = rendered.file.path.rsplit('/').next().unwrap_or_default();
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' };
        let mut name: String = last.chars().map(plain).take(180).collect();
        if name.starts_with("..") {
            name.insert(0, '-');
        }
        let mut key = name.clone();
        let mut number = 1;
        while rendered.keys(&key).iter().any(|key| taken.contains(key)) {
            number += 1;
            key = format!("{number}-{name}");
        }
        taken.extend(rendered.keys(&key));
        keys.push(key);
    }
    keys
}

/// Returns ten hexadecimal digits of a hash over paths, modes and texts: 64-bit FNV-1a, folded to
/// 40 bits. Each part is preceded by its length, so that different lists never give the same bytes.
/// The hash distinguishes versions of the files of one service. It does not protect against an
/// attacker.
fn digest(files: &[Rendered<'_>]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for Rendered { file, texts } in files {
        for (member, text) in texts {
            add(file.path.as_bytes());
            add(&file.mode.to_le_bytes());
            member.iter().for_each(|member| add(member.as_bytes()));
            add(text.as_bytes());
        }
    }
    format!("{:010x}", (hash ^ (hash >> 40)) & 0xff_ffff_ffff)
}

/// Returns the secrets of `w` that must be files: all except those that only appear as variables.
/// `spoken` holds every literal text that may contain a path.
pub fn secret_files<'w>(w: &'w Workload, programs: &[&values::Rendered], spoken: &[&str]) -> Vec<&'w Secret> {
    let inserted: BTreeSet<&str> =
        programs.iter().flat_map(|p| p.texts()).flat_map(|text| text.secrets()).collect();
    let all: Vec<&Secret> = w.secrets.iter().collect();
    let named = named(&all, spoken.iter().copied());
    let wanted = |s: &Secret| !inserted.contains(s.name.as_str()) || named.contains(s.name.as_str());
    all.into_iter().filter(|s| wanted(s)).collect()
}

/// Returns the secrets in `files` that the program of a helper names. A helper sees no other
/// secret.
pub fn secrets_of<'w>(files: &[&'w Secret], program: &values::Rendered) -> Vec<&'w Secret> {
    let literals = program.texts().flat_map(|text| &text.0);
    let texts = literals.filter_map(|part| match part {
        Part::Literal(text) => Some(text.as_str()),
        _ => None,
    });
    let named = named(files, texts);
    files.iter().copied().filter(|s| named.contains(s.name.as_str())).collect()
}

/// Returns the names of the secrets in `files` whose paths appear in `texts`. If several names
/// match at one place, the longest one counts.
fn named<'w, 't>(files: &[&'w Secret], texts: impl Iterator<Item = &'t str>) -> BTreeSet<&'w str> {
    let mut named = BTreeSet::new();
    for text in texts {
        if names_directory(text) {
            return files.iter().map(|s| s.name.as_str()).collect();
        }
        for rest in text.split(SECRETS).skip(1).filter_map(|rest| rest.strip_prefix('/')) {
            let fitting = files.iter().map(|s| s.name.as_str()).filter(|name| rest.starts_with(name));
            named.extend(fitting.max_by_key(|name| name.len()));
        }
    }
    named
}

/// Returns whether `text` contains the path of the whole directory of secrets.
fn names_directory(text: &str) -> bool {
    text.split(SECRETS).skip(1).any(|rest| {
        let inside = rest.strip_prefix('/').and_then(|r| r.chars().next());
        !inside.is_some_and(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    })
}

/// Returns the projected volume of `files` for a container that runs as `user`. The kubelet writes
/// the files as root. With mode 0400 only root reads them; with 0440 also the group of the volumes.
/// If the spec gives neither root nor a group, the owner is unknown, so the mode is 0444.
pub fn secrets(files: &[&Secret], user: Option<User>, fs_group: bool) -> Option<Secrets> {
    let mut sources: Vec<SecretSource> = Vec::new();
    for secret in files {
        let file = (secret.key.clone(), secret.name.clone());
        match sources.iter_mut().find(|s| s.object == secret.object) {
            Some(source) => source.files.push(file),
            None => sources.push(SecretSource { object: secret.object.clone(), files: vec![file] }),
        }
    }
    let mode = match (user.is_some_and(|u| u.uid == 0), fs_group) {
        (true, _) => 0o400,
        (false, true) => 0o440,
        (false, false) => 0o444,
    };
    (!sources.is_empty()).then_some(Secrets { mode, sources })
}
