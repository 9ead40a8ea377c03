//! The place of each member's data, read from the files of a service.

use std::collections::BTreeMap;

use crate::emit::Tree;
use crate::images::Images;
use crate::target::Target;
use crate::world::{File, Known, Member, Mount, Source, Volume, Workload, Worlds};

/// A member, and the place of one of its data directories.
#[derive(Debug, Clone)]
pub(super) struct Home {
    pub(super) target: Target,
    /// The file that defines the place.
    pub(super) file: String,
    /// The name of its stack on Swarm.
    pub(super) stack: String,
    /// The namespace on Kubernetes; empty on other targets.
    pub(super) scope: String,
    /// The workload, as its tools name it: `statefulset/kv`, `kv@0.service`, `kv-0`.
    pub(super) workload: String,
    /// Whether each node has one member.
    pub(super) per_node: bool,
    /// The name of the member: `kv-0`.
    pub(super) member: String,
    /// The path in the container; empty for a member without data.
    pub(super) mount: String,
    /// The storage; `None` for a member without data.
    pub(super) storage: Option<Storage>,
}

/// The place of data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Storage {
    /// A directory of the nodes with these labels.
    Host {
        path: String,
        labels: Vec<(String, Vec<String>)>,
        /// The claim of the directory, on Kubernetes.
        claim: Option<String>,
        /// The access mode of that claim.
        access: &'static str,
    },
    /// A volume of the network.
    Volume {
        name: String,
        /// The name, and the directory inside the volume.
        place: String,
        class: Option<String>,
        driver: Option<String>,
        /// The backend, from the comment next to the class.
        backend: Option<String>,
    },
}

impl Storage {
    /// Returns the place in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Host { path, .. } => path.clone(),
            Self::Volume { name, .. } => format!("the volume {name}"),
        }
    }

    /// Returns whether the data is in the same directory or volume.
    pub(super) fn same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Host { path: a, .. }, Self::Host { path: b, .. }) => a == b,
            (Self::Volume { name: a, .. }, Self::Volume { name: b, .. }) => a == b,
            _ => false,
        }
    }

    /// Returns the claim or the named volume.
    pub(super) fn volume(&self) -> Option<&str> {
        match self {
            Self::Host { claim, .. } => claim.as_deref(),
            Self::Volume { name, .. } => Some(name),
        }
    }
}

impl Home {
    /// Returns the name of the data directory: the name of its volume without that of the member.
    pub(super) fn data(&self) -> Option<&str> {
        let volume = self.storage.as_ref()?.volume()?;
        volume.strip_suffix(&self.member)?.strip_suffix('-')
    }

    /// Returns the number of the member in its name.
    pub(super) fn id(&self) -> Option<u32> {
        self.member.rsplit_once('-').and_then(|(_, id)| id.parse().ok())
    }
}

/// Reads the members and their data in `tree`, by the folder of the service and the target.
pub(super) fn homes(tree: &Tree) -> BTreeMap<(String, Target), Vec<Home>> {
    let own = |path: &str| {
        let mut steps = path.splitn(3, '/');
        let known = steps.nth(1).is_some_and(|t| Target::ALL.iter().any(|k| k.name() == t));
        known && steps.next().is_some_and(|file| !file.contains('/'))
    };
    let files: Vec<File<'_>> =
        tree.iter().filter(|(path, _)| own(path)).map(|(path, text)| File { path, text }).collect();
    let mut all: BTreeMap<(String, Target), Vec<Home>> = BTreeMap::new();
    for read in Worlds::read(&files, Known::from(Images::builtin()), &mut |_| {}).read {
        for workload in &read.world.workloads {
            let folder = workload.at.file.split('/').next().unwrap_or_default().to_owned();
            let text = tree.get(&*workload.at.file).map_or("", String::as_str);
            let found = all.entry((folder, read.target)).or_default();
            let stack = workload.at.file.split('/').next().unwrap_or_default();
            workload.members.iter().for_each(|m| found.extend(of((read.target, stack), text, workload, m)));
        }
    }
    all
}

/// Returns the places of the data of one member, or one entry without storage if it has no data.
/// `text` is the file, for the backends in its comments.
pub(super) fn of(
    (target, stack): (Target, &str),
    text: &str,
    workload: &Workload,
    member: &Member,
) -> Vec<Home> {
    let name = match target {
        Target::Fleet => workload.name.trim_end_matches(".service").replace('@', "-"),
        Target::Swarm => workload.name.clone(),
        Target::Kubernetes => member.name.clone(),
    };
    let home = |mount: String, storage| Home {
        target,
        file: workload.at.file.to_string(),
        stack: stack.to_owned(),
        scope: workload.scope.clone(),
        workload: workload.name.clone(),
        per_node: workload.kind.per_node(),
        member: name.clone(),
        mount,
        storage,
    };
    let named = member.others.iter().filter(|m| m.volume.is_some());
    let all: Vec<Home> = member
        .mounts
        .iter()
        .chain(named)
        .filter_map(|m| Some(home(m.target.clone(), Some(storage(text, workload, member, m)?))))
        .collect();
    if all.is_empty() { vec![home(String::new(), None)] } else { all }
}

/// Returns the backend of a class that berthc does not emit, from the comment next to its name.
fn backend(text: &str, volume: &Volume) -> Option<String> {
    let (class, _) = volume.class.as_ref()?;
    let mut lines =
        text.lines().filter_map(|line| line.trim().strip_prefix("storageClassName: ")?.split_once(" # of "));
    let (_, backend) = lines.find(|(name, _)| name.trim().trim_matches('"') == class)?;
    Some(backend.trim().to_owned())
}

fn storage(text: &str, workload: &Workload, member: &Member, mount: &Mount) -> Option<Storage> {
    let volume = mount.volume.as_ref();
    match &mount.source {
        Source::Ephemeral => None,
        Source::Host { path, one_pod, .. } => {
            let access = if one_pod.is_some() { "ReadWriteOncePod" } else { "ReadWriteOnce" };
            let wants = workload.wants.iter().chain(&member.wants).filter(|w| !w.not);
            let labels = wants
                .map(|w| (w.key.trim_start_matches("node.labels.").to_owned(), w.values.clone()))
                .collect();
            Some(Storage::Host { path: path.clone(), labels, claim: volume.map(|v| v.name.clone()), access })
        }
        Source::Volume { name, .. } => Some(Storage::Volume {
            name: volume.map_or_else(|| name.clone(), |v| v.name.clone()),
            place: name.clone(),
            class: volume.and_then(|v| Some(v.class.as_ref()?.0.clone())),
            driver: volume.and_then(|v| Some(v.driver.as_ref()?.0.clone())),
            backend: volume.and_then(|v| backend(text, v)),
        }),
    }
}
