//! Mechanisms: what keeps two containers from holding one thing, and where files carry it.
//!
//! A *mechanism* is one rule, or one property of an orchestrator, that alone keeps a second container
//! away under some hazards: a label that one node carries, a port that a node gives out once, a lock
//! that a process holds. Each is declared once, in the file of its orchestrator, with the function
//! that finds it in a [`World`].
//!
//! Two judges stand on these declarations. [`crate::certificate`] has a table of the mechanisms that
//! ought to hold a resource under a hazard. [`crate::explore`] searches what containers may do, and
//! takes single mechanisms away to see which of them stand alone.

pub mod fleet;
pub mod kubernetes;
pub mod swarm;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

use crate::finding::At;
use crate::target::Target;
use crate::world::{self, Missing, Mount, PersistentVolume, Source, Workload, World};

/// How strong a mechanism is. The stronger come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Two containers cannot even name the same resource.
    Construction = 1,
    /// The resource itself refuses a second container.
    Fence,
    /// The orchestrator does not place a second container.
    Scheduler,
    /// The orchestrator waits for the first container to end.
    Order,
    /// A person must prevent it.
    Duty,
}

/// The name of a mechanism, short and unique within its orchestrator: `pod-name`.
pub type Id = &'static str;

/// The mechanisms that files carry, each with the fields that carry it.
pub type Carried = BTreeMap<Id, Vec<At>>;

/// One way of keeping two containers apart.
#[derive(Debug, Serialize)]
pub struct Mechanism {
    /// Its name.
    #[serde(rename = "word")]
    pub id: Id,
    /// How strong it is.
    #[serde(rename = "layer")]
    pub strength: Strength,
    /// What it does, in one line.
    pub what: &'static str,
    /// What it takes for granted; empty for nothing.
    pub assumes: &'static str,
    /// Where that is documented or was measured: a file of the orchestrator, or the experiment.
    pub source: &'static str,
    /// Returns the fields that carry it for one member; none where the files lack it.
    #[serde(skip)]
    pub found: fn(&Own<'_>) -> Vec<At>,
}

impl PartialEq for Mechanism {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Mechanism {}

/// A mechanism that the search can take away from files of anyone, with the words for it.
#[derive(Debug)]
pub struct Layer {
    /// The mechanism.
    pub mechanism: &'static Mechanism,
    /// What a workload that has it keeps apart by: `its host ports`.
    pub own: &'static str,
    /// What a workload that lacks it could have: `required anti-affinity`; empty for what not every
    /// workload can have.
    pub other: &'static str,
    /// Finds its field in a workload, of which the search looks at one member and these mounts.
    pub place: for<'w> fn(&'w Workload, &'w world::Member, &[&'w Mount]) -> Option<&'w At>,
}

/// Returns the mechanisms of an orchestrator.
pub fn all(target: Target) -> &'static [&'static Mechanism] {
    match target {
        Target::Kubernetes => &kubernetes::ALL,
        Target::Fleet => &fleet::ALL,
        Target::Swarm => &swarm::ALL,
    }
}

/// Returns the mechanisms of an orchestrator that a search can take away.
pub fn layers(target: Target) -> &'static [Layer] {
    match target {
        Target::Kubernetes => &kubernetes::LAYERS,
        Target::Fleet => &fleet::LAYERS,
        Target::Swarm => &swarm::LAYERS,
    }
}

/// What a spec expects of its own files on one orchestrator: all that tells its own rule from that of
/// anyone.
#[derive(Debug)]
pub struct Expected {
    /// The orchestrator.
    pub target: Target,
    /// The name of the service, and of the folder of its files.
    pub service: String,
    /// The members; one that stands for each node's, where the node is the identity.
    pub members: Vec<Member>,
    /// The numbers of the members.
    pub ids: Range<u32>,
    /// The data directories and volumes.
    pub data: Vec<Data>,
    /// The label whose value on a node is the number of its member.
    pub pin: Option<String>,
    /// The label whose value on a node is the revision of its member, and that value.
    pub revision: Option<(String, String)>,
    /// The label that pods of two revisions differ in (Kubernetes).
    pub revision_label: &'static str,
    /// The ports.
    pub ports: Vec<u16>,
    /// The port by which a member holds its node (Swarm).
    pub lock_port: Option<u16>,
    /// The members use the network of their node.
    pub node_network: bool,
    /// The namespace (Kubernetes).
    pub namespace: String,
    /// The glob of the units of all members (fleet).
    pub siblings: String,
}

/// One member as a spec expects it.
#[derive(Debug)]
pub struct Member {
    /// Its number.
    pub id: Option<u32>,
    /// The name of its workload in a [`World`].
    pub workload: String,
    /// The name of its container (fleet).
    pub container: String,
    /// The directories of `data` on the node, in that order; `None` for volumes.
    pub paths: Vec<Option<String>>,
}

/// A data directory or volume as a spec expects it.
#[derive(Debug)]
pub struct Data {
    /// Its name.
    pub name: String,
    /// Where the container sees it.
    pub mount: String,
    /// What it is if it lies on the network; `None` for a directory of the node.
    pub network: Option<Network>,
}

/// A volume on the network as a spec expects it.
#[derive(Debug)]
pub struct Network {
    /// The storage class, if the spec names one.
    pub class: Option<String>,
    /// What makes it: the CSI driver on Kubernetes, else docker's volume driver.
    pub driver: Option<String>,
    /// It is a cluster volume (Swarm).
    pub cluster: bool,
}

/// The workloads and volumes of a [`World`] by the folder of their files. Each service has a folder.
#[derive(Debug, Default)]
pub struct Folders<'w>(BTreeMap<&'w str, Folder<'w>>);

#[derive(Debug, Default)]
struct Folder<'w> {
    workloads: Vec<&'w Workload>,
    /// By the claim that they are kept for.
    kept: BTreeMap<&'w str, &'w PersistentVolume>,
    /// By their directory of the node.
    local: BTreeMap<&'w str, &'w PersistentVolume>,
}

impl<'w> Folders<'w> {
    /// Sorts what `world` holds into folders. Of two volumes of one claim or path the first counts.
    pub fn of(world: &'w World) -> Self {
        let mut folders: BTreeMap<&str, Folder<'w>> = BTreeMap::new();
        let folder = |at: &'w At| at.file.split('/').next().unwrap_or_default();
        for workload in &world.workloads {
            folders.entry(folder(&workload.at)).or_default().workloads.push(workload);
        }
        for volume in &world.volumes {
            let own = folders.entry(folder(&volume.at)).or_default();
            if let Some((claim, _)) = &volume.claim {
                own.kept.entry(claim).or_insert(volume);
            }
            if let Source::Host { path, .. } = &volume.source {
                own.local.entry(path).or_insert(volume);
            }
        }
        Self(folders)
    }

    /// Finds the mechanisms that the files of one service carry: only those that every member has.
    pub fn carried(&self, expected: &Expected) -> Carried {
        let Some(folder) = self.0.get(expected.service.as_str()) else { return Carried::new() };
        let named: BTreeMap<&str, &Workload> =
            folder.workloads.iter().map(|w| (w.name.as_str(), *w)).collect();
        // The members of a StatefulSet have one workload.
        let mut members: Vec<&Member> = expected.members.iter().collect();
        members.dedup_by_key(|member| &member.workload);
        let own: Option<Vec<Own<'_>>> = members
            .into_iter()
            .map(|member| {
                let workload = *named.get(member.workload.as_str())?;
                let read = workload.members.first()?;
                Some(Own { expected, folder, member, workload, read })
            })
            .collect();
        let own = own.unwrap_or_default();
        let mut carried = Carried::new();
        for mechanism in all(expected.target) {
            let found = own.iter().map(|own| Some((mechanism.found)(own)).filter(|found| !found.is_empty()));
            let found: Option<Vec<Vec<At>>> = found.collect();
            let mut fields: Vec<At> = found.into_iter().flatten().flatten().collect();
            let mut seen = std::collections::BTreeSet::new();
            fields.retain(|at| seen.insert(at.clone()));
            if !fields.is_empty() {
                carried.insert(mechanism.id, fields);
            }
        }
        carried
    }
}

/// One member as a spec expects it, beside what its files say.
#[derive(Debug)]
pub struct Own<'a> {
    expected: &'a Expected,
    folder: &'a Folder<'a>,
    member: &'a Member,
    workload: &'a Workload,
    read: &'a world::Member,
}

/// Returns all places, or none if one is missing.
fn every(places: impl Iterator<Item = Option<At>>) -> Vec<At> {
    places.collect::<Option<Vec<At>>>().unwrap_or_default()
}

/// Returns the place, if there is one.
fn one(place: Option<&At>) -> Vec<At> {
    place.into_iter().cloned().collect()
}

/// Returns the directory of the node that is mounted, and what happens when it is missing.
fn directory(source: &Source) -> Option<(&str, Missing)> {
    match source {
        Source::Host { path, missing } if path.starts_with('/') => Some((path, *missing)),
        _ => None,
    }
}

/// Whether a share is the directory `name`. Its volume's name is only the node's handle of it.
fn is_share_of(source: &Source, name: &str) -> bool {
    matches!(source, Source::Volume { name: share, .. } if share.ends_with(&format!("/{name}")))
}

impl Own<'_> {
    /// Returns the mount at the place of `data` in the container.
    fn mount(&self, data: &Data) -> Option<&Mount> {
        let world::Member { mounts, others, looked_at, .. } = self.read;
        mounts.iter().chain(others).chain(looked_at).find(|m| m.target == data.mount)
    }

    /// Returns the name of the member's own volume of `data`.
    fn volume_name(&self, data: &Data) -> Option<String> {
        self.member.id.map(|id| format!("{}-{}-{id}", data.name, self.expected.service))
    }

    /// Returns the data directories on the node with the path of each.
    fn host_data(&self) -> impl Iterator<Item = (&Data, Option<&str>)> {
        let all = self.expected.data.iter().zip(&self.member.paths);
        all.filter(|(data, _)| data.network.is_none()).map(|(data, path)| (data, path.as_deref()))
    }

    /// Returns the place that `holds` finds for every directory on the node, each given with its mount
    /// and path; none if one has no place.
    fn on_host<'o>(&'o self, holds: impl Fn(&'o Mount, &str) -> bool) -> Vec<At> {
        every(self.host_data().map(|(data, path)| {
            let mount = self.mount(data)?;
            holds(mount, path?).then(|| mount.at.clone())
        }))
    }

    /// Returns the place that `holds` finds for every volume on the network, each given with its mount
    /// and the name of the member's own volume; none if one has no place.
    fn on_network<'o>(&'o self, holds: impl Fn(&'o Mount, &Network, &str) -> Option<&'o At>) -> Vec<At> {
        let volumes = self.expected.data.iter().filter_map(|d| Some((d, d.network.as_ref()?)));
        every(
            volumes
                .map(|(data, network)| holds(self.mount(data)?, network, &self.volume_name(data)?).cloned()),
        )
    }

    /// Every directory on the node is mounted from its own path.
    fn directories(&self) -> Vec<At> {
        self.on_host(|mount, own| directory(&mount.source).is_some_and(|(path, _)| path == own))
    }

    /// The same, where the node is the identity.
    fn node_bound(&self) -> Vec<At> {
        if self.member.id.is_none() { self.directories() } else { Vec::new() }
    }

    /// The same, where the path carries the number of its member.
    fn member_path(&self) -> Vec<At> {
        if self.member.id.is_some() { self.directories() } else { Vec::new() }
    }

    /// Every directory on the node, whatever its path, keeps the container from starting when it is
    /// missing.
    fn directories_refused(&self) -> Vec<At> {
        self.on_host(|mount, _| directory(&mount.source).is_some_and(|(_, m)| m == Missing::Refused))
    }

    /// Whether the first data directory or volume is the member's own.
    fn first_is_own(&self) -> bool {
        let Some((data, path)) = self.expected.data.iter().zip(&self.member.paths).next() else {
            return false;
        };
        let Some(mount) = self.mount(data) else { return false };
        let held = path.is_some() && directory(&mount.source).map(|(path, _)| path) == path.as_deref();
        let named = self.volume_name(data).is_some_and(|name| {
            mount.volume.as_ref().is_some_and(|v| v.name == name) || is_share_of(&mount.source, &name)
        });
        held || named
    }

    /// The process locks its first data directory.
    fn locked(&self) -> Vec<At> {
        let first = self.expected.data.first().map(|data| data.mount.trim_end_matches('/'));
        let lock = self.workload.lock.as_ref().filter(|(path, _)| Some(path.as_str()) == first);
        one(lock.filter(|_| self.first_is_own()).map(|(_, at)| at))
    }

    /// The container uses the network of its node.
    fn node_network(&self) -> Vec<At> {
        one(self.workload.node_network.as_ref())
    }

    /// A node must carry the label `key` with this value, and no other value will do.
    fn wants(&self, key: &str, value: &str) -> Option<&At> {
        let mut all = self.workload.wants.iter().chain(&self.read.wants);
        all.find(|w| is_wanted(w, key, value)).map(|w| &w.at)
    }

    /// The node must carry the number of the member.
    fn pinned(&self, prefix: &str) -> Vec<At> {
        let (Some(pin), Some(id)) = (&self.expected.pin, self.member.id) else { return Vec::new() };
        one(self.wants(&format!("{prefix}{pin}"), &id.to_string()))
    }

    /// The node must carry the revision.
    fn revision(&self, prefix: &str) -> Vec<At> {
        let Some((label, value)) = &self.expected.revision else { return Vec::new() };
        one(self.wants(&format!("{prefix}{label}"), value))
    }

    /// Every port of the spec is one of the workload that `holds` accepts. Returns the place of the
    /// first.
    fn ports(&self, holds: impl Fn(&world::Port) -> bool) -> Vec<At> {
        let of = |number: &u16| {
            let mut all = self.workload.ports.iter();
            all.find(|p| p.number == *number && p.protocol == "tcp" && holds(p)).map(|p| p.at.clone())
        };
        let mut found = every(self.expected.ports.iter().map(of));
        found.truncate(1);
        found
    }
}

/// Whether `want` accepts one value of the label `key` only.
fn is_wanted(want: &world::Want, key: &str, value: &str) -> bool {
    !want.not && want.key == key && matches!(want.values.as_slice(), [only] if only == value)
}

/// Finds the first label that places a member.
fn first_want<'w>(w: &'w Workload, member: &'w world::Member, _: &[&'w Mount]) -> Option<&'w At> {
    w.wants.iter().chain(&member.wants).next().map(|want| &want.at)
}

/// Finds the first mount.
fn first_mount<'w>(_: &'w Workload, _: &'w world::Member, mounts: &[&'w Mount]) -> Option<&'w At> {
    mounts.first().map(|mount| &mount.at)
}

/// Finds the first port.
fn first_port<'w>(w: &'w Workload, _: &'w world::Member, _: &[&'w Mount]) -> Option<&'w At> {
    w.ports.first().map(|port| &port.at)
}

/// Finds the first rule that keeps it off nodes with others.
fn first_apart<'w>(w: &'w Workload, _: &'w world::Member, _: &[&'w Mount]) -> Option<&'w At> {
    w.apart.first().map(|apart| &apart.at)
}

/// Finds the lock.
fn lock<'w>(w: &'w Workload, _: &'w world::Member, _: &[&'w Mount]) -> Option<&'w At> {
    w.lock.as_ref().map(|(_, at)| at)
}

/// Finds the order of an update.
fn order<'w>(w: &'w Workload, _: &'w world::Member, _: &[&'w Mount]) -> Option<&'w At> {
    w.update.at.as_ref()
}
