//! Plans the files, secrets and tmpfs mounts of containers.

use std::collections::BTreeSet;

use super::labels;
use super::objects::{ConfigMap, ConfigVolume, Container, Meta, Mount, Volume};
use super::secrets::{Names, Wanted};
use super::values::Words;
use crate::code::Code;
use crate::diag::Diagnostic;
use crate::emit::run_variable;
use crate::model::{File, Kubernetes, Service, Workload};
use crate::plan::context::Context;
use crate::plan::scope::For;
use crate::route;
use crate::text::units;
use crate::value::Run;

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
    /// For each helper, the mounts of the secrets that it reads from files.
    pub helpers: Vec<Vec<Mount>>,
    /// The init containers that copy secrets.
    pub copies: Vec<Container>,
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

/// Plans the volumes and mounts of the pods of `w`, also for `secrets`.
pub fn plan(
    context: &mut Context<'_>,
    service: &Service,
    w: &Workload,
    k: &Kubernetes,
    files: &[Rendered<'_>],
    secrets: &Wanted<'_>,
) -> Carried {
    let mut names = Names::new(w.data.iter().map(|d| d.name.clone()));
    let mut carried = Carried::default();
    let mut secrets = secrets.plan(w, &mut names, &mut carried.volumes);
    carried.mounts.append(&mut secrets.mounts);
    carried.helpers = secrets.helpers;
    carried.copies = secrets.copies;
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
