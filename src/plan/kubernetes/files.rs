//! Plans the files, secrets and tmpfs mounts of containers.

use std::collections::BTreeSet;

use super::labels;
use super::objects::{ConfigMap, ConfigVolume, Meta, Mount, SecretSource, Secrets, Volume};
use super::values::Rendered;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::{File, Kubernetes, Secret, Service, User, Workload};
use crate::plan::context::Context;
use crate::route;
use crate::text::units;
use crate::value::{Part, SECRETS};

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
    if !w.files.is_empty() {
        let name = names.take("files");
        let config = config_map(context, service, w, k);
        let keys: Vec<String> = config.files.iter().map(|(key, _)| key.clone()).collect();
        for (file, key) in w.files.iter().zip(&keys) {
            let mount = Mount::at(&name, &file.path);
            carried.mounts.push(Mount { sub_path: Some(key.clone()), read_only: true, ..mount });
        }
        let files = keys.into_iter().zip(w.files.iter().map(|f| f.mode)).collect();
        let config_volume = ConfigVolume { name: config.meta.name.clone(), files };
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

fn config_map(context: &mut Context<'_>, service: &Service, w: &Workload, k: &Kubernetes) -> ConfigMap {
    let keys = keys(&w.files);
    let files: Vec<(String, String)> =
        keys.into_iter().zip(w.files.iter().map(|f| f.content.clone())).collect();
    if files.iter().map(|(key, text)| key.len() + text.len()).sum::<usize>() > MAX_CONFIG {
        let place = service.key(&route!["files"]);
        context.fault(Diagnostic::error(
            Code::FileTooLarge,
            place,
            "the files of one member do not fit into a ConfigMap of 1 MiB",
        ));
    }
    let name = format!("{}-files-{}", service.full_name(), digest(&w.files));
    let meta = Meta::new(name, Some(k.namespace.clone()), labels::of(service));
    ConfigMap { meta, immutable: true, files }
}

/// Returns a key for each file: its file name, with a number if that is taken. A key has at most
/// 253 characters of `[-._a-zA-Z0-9]` and does not start with `..`.
fn keys(files: &[File]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut keys = Vec::new();
    for file in files {
        let last = file.path.rsplit('/').next().unwrap_or_default();
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' };
        let mut name: String = last.chars().map(plain).take(200).collect();
        if name.starts_with("..") {
            name.insert(0, '-');
        }
        let mut key = name.clone();
        let mut number = 1;
        while !taken.insert(key.clone()) {
            number += 1;
            key = format!("{number}-{name}");
        }
        keys.push(key);
    }
    keys
}

/// Returns ten hexadecimal digits of a hash over paths, modes and texts: 64-bit FNV-1a, folded to
/// 40 bits. Each part is preceded by its length, so that different lists never give the same bytes.
/// The hash distinguishes versions of the files of one service. It does not protect against an
/// attacker.
fn digest(files: &[File]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for file in files {
        add(file.path.as_bytes());
        add(&file.mode.to_le_bytes());
        add(file.content.as_bytes());
    }
    format!("{:010x}", (hash ^ (hash >> 40)) & 0xff_ffff_ffff)
}

/// Returns the secrets of `w` that must be files: all except those that only appear as variables.
/// `spoken` holds every literal text that may contain a path.
pub fn secret_files<'w>(w: &'w Workload, programs: &[&Rendered], spoken: &[&str]) -> Vec<&'w Secret> {
    let inserted: BTreeSet<&str> =
        programs.iter().flat_map(|p| p.texts()).flat_map(|text| text.secrets()).collect();
    let all: Vec<&Secret> = w.secrets.iter().collect();
    let named = named(&all, spoken.iter().copied());
    let wanted = |s: &Secret| !inserted.contains(s.name.as_str()) || named.contains(s.name.as_str());
    all.into_iter().filter(|s| wanted(s)).collect()
}

/// Returns the secrets in `files` that the program of a helper names. A helper sees no other
/// secret.
pub fn secrets_of<'w>(files: &[&'w Secret], program: &Rendered) -> Vec<&'w Secret> {
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
