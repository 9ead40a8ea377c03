//! The software of one container, and the data that does not outlive the container.

use super::container::Container;
use super::name;
use super::resolve::{self, Spot, Variant};
use super::schema::{Image, OwnLock, Traits};
use super::version::Version;
use crate::text::path::{shortest, within};

/// The evidence for a software.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The table has the image.
    Image,
    /// The name of the image contains the name of the software, but the table does not have the
    /// image.
    Name,
    /// Ports, mounts or names, and variables.
    Hints,
    /// Only variables.
    Variables,
}

/// The software that serves in a container.
#[derive(Debug, Clone)]
pub struct Software {
    /// The name of the software.
    pub name: String,
    /// The evidence for it.
    pub by: By,
    /// Whether its members vote or hold copies of each other's data.
    pub quorum: bool,
    /// Whether people often run it on purpose without durable data, and its settings do not ask for
    /// such data.
    pub cache: bool,
    /// Whether it ends with 143 after SIGTERM, as a Java virtual machine does, and not with 0.
    pub jvm: bool,
    /// The file in its directory that its process locks.
    pub own_lock: Option<String>,
    /// Whether two of its processes may meet on one node while one of them ends.
    pub meets: bool,
    /// Whether its process runs long before it has joined the others.
    pub joins_late: bool,
    /// Whether several containers of it use one directory on purpose.
    pub shared: bool,
    /// Whether it is a copy of another server, and copies all data again when it starts empty.
    pub copy: bool,
    /// The seconds that a clean stop can take.
    pub grace: u32,
    /// The port of its server.
    pub port: Option<u16>,
    /// The facts for each version that the tag leaves open.
    variants: Vec<Variant>,
    /// The data directories of all images of this software.
    usual: Vec<String>,
    /// The first name of the image that the facts are about.
    like: Option<String>,
    /// Whether the container reads a settings file, which can move the data.
    settings: bool,
    /// Whether its tag means the newest version: `latest`, or none.
    newest: bool,
    /// Whether the image has the name of a public image, in a registry of its own.
    private: bool,
}

/// A mount as [`Software::lost`] needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<'m> {
    /// The path in the container.
    pub target: &'m str,
    /// How long its content lives.
    pub life: Life,
    /// Whether the mount can be meant for data, unlike a settings file.
    pub data: bool,
}

/// How long the content of a mount lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Longer than the container and than a boot of the node.
    Durable,
    /// Until the node boots or cleans its temporary directories.
    Boot,
    /// As long as the container.
    Container,
}

/// Data that does not outlive its container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The directories of the data.
    pub paths: Vec<String>,
    /// The directories where something durable must be mounted.
    pub targets: Vec<String>,
    /// The variables that must also be set: `NAME=VALUE`.
    pub variables: Vec<String>,
    /// The cause.
    pub why: Why,
    /// The versions that lose data, if the tag also allows versions that do not.
    pub versions: Option<String>,
    /// A version that loses nothing with these mounts.
    pub pin: Option<String>,
    /// What must be true for the loss, if the files do not show it.
    pub premise: Option<Premise>,
    /// Whether no mount of the node or the cluster can be meant for data.
    pub bare: bool,
}

/// What must be true for a loss, although the files do not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Premise {
    /// The image is unknown, and derives from this image.
    Derived(String),
    /// The settings file does not move the data into a mount.
    Settings,
    /// An image of a private registry is built like the public image of the same name.
    Public,
    /// A node has kept an old image under a tag that means the newest.
    Kept,
    /// The variables of the container are those of a server, not of its client.
    Variables,
}

/// Why data does not outlive its container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Nothing durable is mounted there.
    Nothing,
    /// The mount there is not durable.
    Fades {
        /// The mount.
        mount: String,
        /// How long it lives.
        life: Life,
    },
    /// The image declares a volume below the mount.
    Over {
        /// The declared volume.
        volume: String,
        /// The mount.
        mount: String,
    },
    /// The hostname, which differs from container to container, is part of the path.
    Hostname,
}

impl Software {
    /// Creates the software of a container that may run each of `rows`.
    pub(super) fn new(
        traits: &Traits,
        by: By,
        rows: &[(&Image, Option<Version>)],
        usual: Vec<String>,
        container: &Container<'_>,
    ) -> Self {
        let first = rows.first().map(|(image, _)| image);
        let stop = rows.iter().filter_map(|(image, _)| image.stop_seconds).max();
        let locks = |lock: &OwnLock| {
            let takes = |version: &Version| lock.versions.as_ref().is_none_or(|v| v.take(version));
            rows.iter().all(|(_, version)| version.as_ref().is_none_or(takes))
        };
        let variants =
            rows.iter().map(|(image, version)| resolve::variant(image, version.as_ref(), container));
        Self {
            name: traits.name.clone(),
            by,
            quorum: first.and_then(|i| i.quorum).unwrap_or(traits.quorum),
            cache: first.and_then(|i| i.cache).unwrap_or(traits.cache)
                && !rows.iter().any(|(image, _)| resolve::asks(image, container)),
            jvm: traits.jvm,
            own_lock: traits.own_lock.as_ref().filter(|lock| locks(lock)).map(|lock| lock.file.clone()),
            meets: traits.meets,
            joins_late: traits.joins_late,
            shared: traits.shared.is_some(),
            copy: traits.copy.iter().any(|setting| resolve::is_given(setting, container)),
            port: traits.ports.first().copied(),
            grace: stop.unwrap_or(traits.grace),
            variants: variants.collect(),
            usual,
            like: first.and_then(|image| Some(image.names.first()?.0.clone())),
            settings: container.more_env || resolve::reads_settings(container),
            newest: name::floats(container.image).is_some(),
            private: name::private(container.image),
        }
    }

    /// Returns where a durable mount keeps the data.
    pub fn place(&self) -> String {
        let spot = self.variants.last().and_then(|v| v.spots.iter().find_map(|spot| spot.put.clone()));
        spot.or_else(|| self.usual.first().cloned()).unwrap_or_default()
    }

    /// Returns whether its settings turn storage off: Redis with `--save ""`, NATS without
    /// JetStream. A settings file may say otherwise.
    pub(super) fn keeps_nothing(&self) -> bool {
        let none = !self.variants.is_empty() && self.variants.iter().all(|v| v.spots.is_empty());
        none && !self.settings
    }

    /// Returns whether the name of its host is part of the path of its data.
    pub fn by_hostname(&self) -> bool {
        !self.variants.is_empty() && self.variants.iter().all(|v| v.by_hostname)
    }

    /// Returns the volume of the image that hides a mount at `target`, which is above it, from the data.
    pub fn hides(&self, target: &str) -> Option<&str> {
        let of = |v: &'_ Variant| -> Option<usize> {
            v.volumes.iter().position(|volume| {
                let data = v.spots.iter().filter_map(|spot| spot.path.as_ref());
                volume != target
                    && within(volume, target)
                    && data.into_iter().any(|path| within(path, volume))
            })
        };
        self.variants.iter().rev().find_map(|v| Some(v.volumes[of(v)?].as_str()))
    }

    /// Returns whether a mount at `target` may hold its data or a part of it.
    pub fn keeps(&self, target: &str) -> bool {
        let target = target.trim_end_matches('/');
        if target.is_empty() {
            return false;
        }
        let spots = self.variants.iter().flat_map(|v| &v.spots);
        let own = spots.flat_map(|spot| spot.path.iter().chain(&spot.links));
        own.chain(&self.usual).any(|data| within(data, target) || within(target, data))
    }

    /// Returns the data that does not outlive the container. `fixed` says that all its containers
    /// have one hostname.
    pub fn lost(&self, mounts: &[Seen<'_>], fixed: bool) -> Option<Loss> {
        let durable = mounts.iter().any(|m| m.data && m.life == Life::Durable);
        let bare = mounts.iter().all(|m| !m.data || m.life == Life::Container);
        // If the table does not have the image, the data may be in any directory.
        if self.by != By::Image || self.variants.is_empty() {
            let keeps_data = self.variants.iter().any(|v| !v.spots.is_empty());
            let place = self.place();
            let fades = |m: &&Seen<'_>| m.life != Life::Durable && within(&place, &shortest(m.target));
            let why = mounts.iter().find(fades).map_or(Why::Nothing, Seen::fades);
            let premise = (self.by == By::Variables).then_some(Premise::Variables);
            let loss = Loss { bare, premise, ..Loss::of(vec![place.clone()], vec![place], why) };
            return match durable {
                true => self.hidden(mounts, fixed),
                false => keeps_data.then_some(loss),
            };
        }
        let all: Vec<_> = self.variants.iter().map(|v| (v, lost(v, mounts, fixed))).collect();
        let kept = all.iter().find(|(_, loss)| loss.is_none()).map(|(v, _)| *v);
        let only_old = self.newest && all.last().is_some_and(|(_, loss)| loss.is_none());
        // The newest version comes last.
        let (variant, loss) = all.iter().rev().find_map(|(v, loss)| Some((*v, loss.clone()?)))?;
        Some(Loss {
            versions: kept.and(variant.versions.clone()),
            pin: kept.and_then(|v| v.sample.clone()),
            premise: match durable {
                true if self.settings => Some(Premise::Settings),
                true if self.private => Some(Premise::Public),
                true if only_old => Some(Premise::Kept),
                _ => None,
            },
            bare,
            ..loss
        })
    }

    /// Returns the loss of an unknown image that derives from an image of the table, if a volume of that
    /// image hides each durable mount.
    fn hidden(&self, mounts: &[Seen<'_>], fixed: bool) -> Option<Loss> {
        let mut all = self.variants.iter().map(|v| lost(v, mounts, fixed));
        let first = all.next()?.filter(|loss| matches!(loss.why, Why::Over { .. }))?;
        let premise = self.like.clone().filter(|_| !self.settings).map(Premise::Derived)?;
        all.all(|loss| loss.is_some()).then_some(Loss { premise: Some(premise), ..first })
    }
}

impl Seen<'_> {
    fn fades(&self) -> Why {
        Why::Fades { mount: shortest(self.target), life: self.life }
    }
}

impl Loss {
    fn of(paths: Vec<String>, targets: Vec<String>, why: Why) -> Self {
        let variables = Vec::new();
        Self { paths, targets, variables, why, versions: None, pin: None, premise: None, bare: false }
    }

    /// Returns the loss of the data of `name` in one sentence.
    pub fn says(&self, name: &str) -> String {
        let of = match (&self.premise, &self.versions) {
            (Some(Premise::Derived(image)), _) => format!(" if its image derives from {image}"),
            (_, Some(versions)) => format!(" if the image is {versions}"),
            _ => String::new(),
        };
        let goes = format!("the data of {name} is lost with its container{of}");
        let paths = self.paths.join(" and ");
        let lost = match &self.why {
            Why::Nothing => format!("{goes}: nothing durable is mounted at {paths}"),
            Why::Fades { mount, life: Life::Boot } => {
                format!(
                    "the data of {name} is lost at a boot or a cleanup of its node{of}: the mount at {mount} is a temporary directory"
                )
            }
            Why::Fades { mount, .. } => format!("{goes}: the mount at {mount} is not durable"),
            Why::Over { volume, mount } => {
                format!("{goes}: the image declares a volume at {volume}, which hides the mount at {mount}")
            }
            Why::Hostname => format!(
                "{name} starts without its data in each new container{of}: the hostname is part of the data path, and nothing fixes the hostname"
            ),
        };
        match &self.premise {
            Some(Premise::Settings) => format!("{lost}, unless its settings say otherwise"),
            Some(Premise::Public) => {
                format!("{lost}, if the image is built like the public one of this name")
            }
            Some(Premise::Variables) => format!("{lost}, if its variables are those of a server"),
            Some(Premise::Kept) => format!("{lost}, as a node may have kept it under this tag"),
            Some(Premise::Derived(_)) | None => lost,
        }
    }

    /// Returns the fix: another version, or the text of `mounted` for the targets.
    pub fn fix(&self, mounted: impl FnOnce(&[String]) -> String) -> String {
        if let Some(pin) = &self.pin {
            return format!("image: a tag of version {pin}, which keeps its data in the mount");
        }
        let fix = mounted(&self.targets);
        match self.variables.as_slice() {
            [] => fix,
            variables => format!("{} in the environment, and {fix}", variables.join(" ")),
        }
    }
}

fn lost(variant: &Variant, mounts: &[Seen<'_>], fixed: bool) -> Option<Loss> {
    let mut lost: Vec<(&Spot, Why)> =
        variant.spots.iter().filter_map(|spot| Some((spot, why(variant, spot, mounts)?))).collect();
    // One mount is enough for different data at one path.
    lost.dedup_by(|(a, _), (b, _)| a.path == b.path && a.put == b.put);
    let Some((_, why)) = lost.first() else {
        let hostname = variant.by_hostname && !fixed;
        return hostname.then(|| Loss::of(Vec::new(), Vec::new(), Why::Hostname));
    };
    let paths = lost.iter().filter_map(|(spot, _)| spot.path.clone()).collect();
    let targets = lost.iter().filter_map(|(spot, _)| spot.put.clone()).collect();
    let variables = lost.iter().filter_map(|(spot, _)| spot.with.clone()).collect();
    Some(Loss { variables, ..Loss::of(paths, targets, why.clone()) })
}

/// Returns why the data at `spot` does not outlive the container; `None` if it does.
fn why(variant: &Variant, spot: &Spot, mounts: &[Seen<'_>]) -> Option<Why> {
    let Some(path) = &spot.path else {
        let durable = mounts.iter().any(|m| m.data && m.life == Life::Durable);
        return (!durable).then_some(Why::Nothing);
    };
    let mounts: Vec<(String, Life)> = mounts.iter().map(|m| (resolved(spot, m.target), m.life)).collect();
    let fades = |(mount, life): &(String, Life)| Why::Fades { mount: mount.clone(), life: *life };
    let part = |(target, life): &&(String, Life)| {
        *life != Life::Durable && spot.parts.iter().any(|part| *target == format!("{path}/{part}"))
    };
    if let Some(part) = mounts.iter().find(part) {
        return Some(fades(part));
    }
    // A durable mount below it holds a part of the data.
    if mounts.iter().any(|(target, life)| *life == Life::Durable && within(target, path)) {
        return None;
    }
    let above = mounts.iter().filter(|(target, _)| within(path, target)).max_by_key(|(t, _)| t.len());
    // A mount replaces a volume that the image declares at the same path.
    let declared = variant.volumes.iter().filter(|v| !mounts.iter().any(|(target, _)| target == *v));
    let declared = declared.filter(|v| within(path, v)).max_by_key(|v| v.len());
    match (above, declared) {
        (Some((mount, _)), Some(volume)) if volume.len() > mount.len() => {
            Some(Why::Over { volume: volume.clone(), mount: mount.clone() })
        }
        (Some((_, Life::Durable)), _) => None,
        (Some(mount), _) => Some(fades(mount)),
        (None, _) => Some(Why::Nothing),
    }
}

/// Returns the path of a mount at `target`, which may be a link in the image.
fn resolved(spot: &Spot, target: &str) -> String {
    let target = shortest(target);
    let link = spot.links.iter().find(|link| within(&target, link));
    match link.zip(spot.path.as_ref()) {
        Some((link, path)) => format!("{path}{}", &target[link.len()..]),
        None => target,
    }
}
