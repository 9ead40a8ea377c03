//! The software of one container: the facts of its image, with what the file says of it.

use std::sync::Arc;

use super::container::Container;
use super::schema::{Image, Key, Place, Setting, Traits};
use super::version::Version;
use crate::text::path::{shortest, within};

/// How a software was recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The table has the image itself.
    Image,
    /// The image has the name of the software, and is another's.
    Name,
    /// Ports, variables, mounts or names speak for it.
    Hints,
}

/// The software that serves in a container.
#[derive(Debug, Clone)]
pub struct Software {
    /// Its own name.
    pub name: String,
    /// How that is known.
    pub by: By,
    /// Its members vote or hold each other's copies, so that losing several at once hurts.
    pub quorum: bool,
    /// Often run on purpose without data that lasts.
    pub cache: bool,
    /// Seconds that a clean stop may well take.
    pub grace: u32,
    /// What holds for each version that the tag leaves open.
    variants: Vec<Variant>,
    /// Where images of this software keep data.
    usual: Vec<String>,
    /// A file of settings is named, which may put the data elsewhere.
    settings: bool,
}

/// The facts of one version.
#[derive(Debug, Clone)]
struct Variant {
    versions: Option<String>,
    sample: Option<String>,
    spots: Vec<Spot>,
    volumes: Vec<String>,
    by_hostname: bool,
}

/// A directory with data.
#[derive(Debug, Clone)]
struct Spot {
    /// As far as it is known; `None`: anywhere.
    path: Option<String>,
    links: Vec<String>,
    moved: bool,
}

/// Something that is mounted.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'m> {
    /// Where in the container.
    pub target: &'m str,
    /// What is written there outlives the container.
    pub stays: bool,
}

/// Data that goes with its container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Where something that stays must be mounted; empty where that is not what lacks.
    pub targets: Vec<String>,
    /// Why it is lost.
    pub why: Why,
    /// The versions of which it is true, where the tag leaves others open.
    pub versions: Option<String>,
    /// A tag with which it is not lost.
    pub pin: Option<String>,
    /// Something that stays is mounted elsewhere, and a file of settings may put the data there.
    pub unsure: bool,
}

/// Why data is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Nothing that stays is mounted there.
    Nothing,
    /// The image declares a volume of its own below the mount.
    Over {
        /// The declared volume.
        volume: String,
        /// The mount.
        mount: String,
    },
    /// Its directory is named by the hostname, which is another for each container.
    Hostname,
}

impl Traits {
    /// What is taken for true of a software that is not in the table.
    pub(super) fn unknown(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            words: Vec::new(),
            programs: Vec::new(),
            verbs: Vec::new(),
            grace: 30,
            quorum: true,
            cache: false,
            ports: Vec::new(),
            env: Vec::new(),
            shared_env: Vec::new(),
        }
    }
}

impl Software {
    /// `rows` are the images that it may be of.
    pub(super) fn new(
        traits: &Traits,
        by: By,
        rows: &[(Arc<Image>, Option<Version>)],
        usual: Vec<String>,
        container: &Container<'_>,
    ) -> Self {
        let first = rows.first().map(|(image, _)| image);
        let stop = rows.iter().filter_map(|(image, _)| image.stop_seconds).max();
        Self {
            name: traits.name.clone(),
            by,
            quorum: first.and_then(|i| i.quorum).unwrap_or(traits.quorum),
            cache: first.and_then(|i| i.cache).unwrap_or(traits.cache),
            grace: stop.unwrap_or(traits.grace),
            variants: rows
                .iter()
                .map(|(image, version)| variant(image, version.as_ref(), container))
                .collect(),
            usual,
            settings: settings(container),
        }
    }

    /// Where its data is: a mount there keeps it.
    pub fn place(&self) -> String {
        let variant = self.variants.last();
        let spot = variant.and_then(|v| v.spots.first().and_then(|spot| v.mount(spot)));
        spot.or_else(|| self.usual.first().cloned()).unwrap_or_default()
    }

    /// Whether a mount at `target` may have its data, or a part of it.
    pub fn keeps(&self, target: &str) -> bool {
        let target = target.trim_end_matches('/');
        if target.is_empty() {
            return false;
        }
        let spots = self.variants.iter().flat_map(|v| &v.spots);
        let own = spots.flat_map(|spot| spot.path.iter().chain(&spot.links));
        own.chain(&self.usual).any(|data| within(data, target) || within(target, data))
    }

    /// What of its data goes with the container. `hostname`: each container has the same one.
    pub fn lost(&self, mounts: &[Seen<'_>], hostname: bool) -> Option<Loss> {
        let stays = mounts.iter().any(|m| m.stays);
        // Of an image that is not known, any directory may be the one.
        if self.by != By::Image || self.variants.is_empty() {
            let lost = !stays && self.variants.iter().any(|v| !v.spots.is_empty());
            let targets = || vec![self.place()];
            return lost.then(|| Loss::of(targets(), Why::Nothing));
        }
        let all: Vec<Option<Loss>> = self.variants.iter().map(|v| v.lost(mounts, hostname)).collect();
        let kept = self.variants.iter().zip(&all).find(|(_, loss)| loss.is_none()).map(|(v, _)| v);
        let (variant, loss) =
            self.variants.iter().zip(&all).rev().find_map(|(v, l)| Some((v, l.clone()?)))?;
        Some(Loss {
            versions: kept.and(variant.versions.clone()),
            pin: kept.and_then(|v| v.sample.clone()),
            unsure: self.settings && stays,
            ..loss
        })
    }
}

impl Loss {
    fn of(targets: Vec<String>, why: Why) -> Self {
        Self { targets, why, versions: None, pin: None, unsure: false }
    }

    /// The finding in one sentence; `name` is whose data it is.
    pub fn says(&self, name: &str) -> String {
        let of = self.versions.as_ref().map(|v| format!(" (image {v})")).unwrap_or_default();
        let goes = format!("the data of {name} goes with its container{of}");
        match &self.why {
            Why::Nothing => {
                format!("{goes}: nothing that stays is mounted at {}", self.targets.join(" and "))
            }
            Why::Over { volume, mount } => {
                format!(
                    "{goes}: the image declares a volume at {volume}, which lies over the mount at {mount}"
                )
            }
            Why::Hostname => format!(
                "{name} leaves its data behind with each container{of}: the directory is named by the hostname, and nothing fixes that"
            ),
        }
    }
}

impl Variant {
    fn lost(&self, mounts: &[Seen<'_>], hostname: bool) -> Option<Loss> {
        let lost: Vec<(&Spot, Why)> =
            self.spots.iter().filter_map(|spot| Some((spot, self.misses(spot, mounts)?))).collect();
        if let Some((_, why)) = lost.first() {
            let targets = lost.iter().filter_map(|(spot, _)| self.mount(spot)).collect();
            return Some(Loss::of(targets, why.clone()));
        }
        (self.by_hostname && !hostname).then(|| Loss::of(Vec::new(), Why::Hostname))
    }

    /// Why what is written at `spot` does not stay; `None` when it does.
    fn misses(&self, spot: &Spot, mounts: &[Seen<'_>]) -> Option<Why> {
        let Some(path) = &spot.path else {
            return (!mounts.iter().any(|m| m.stays)).then_some(Why::Nothing);
        };
        let mounts: Vec<(String, bool)> = mounts.iter().map(|m| (spot.linked(m.target), m.stays)).collect();
        // A part of the data below it.
        if mounts.iter().any(|(target, stays)| *stays && within(target, path)) {
            return None;
        }
        let above = mounts.iter().filter(|(target, _)| within(path, target)).max_by_key(|(t, _)| t.len());
        // A mount takes the place of a declared volume.
        let declared = self.volumes.iter().filter(|v| !mounts.iter().any(|(target, _)| target == *v));
        let declared = declared.filter(|v| within(path, v)).max_by_key(|v| v.len());
        match (above, declared) {
            (Some((mount, true)), Some(volume)) if volume.len() > mount.len() => {
                Some(Why::Over { volume: volume.clone(), mount: mount.clone() })
            }
            (Some((_, true)), _) => None,
            _ => Some(Why::Nothing),
        }
    }

    /// Where to mount something for `spot`.
    fn mount(&self, spot: &Spot) -> Option<String> {
        let path = spot.path.as_ref()?;
        let declared = self.volumes.iter().filter(|v| !spot.moved && within(path, v));
        Some(declared.max_by_key(|v| v.len()).unwrap_or(path).clone())
    }
}

impl Spot {
    /// Where a mount at `target` lands, which may be a link in the image.
    fn linked(&self, target: &str) -> String {
        let target = shortest(target);
        let link = self.links.iter().find(|link| within(&target, link));
        match link.zip(self.path.as_ref()) {
            Some((link, path)) => format!("{path}{}", &target[link.len()..]),
            None => target,
        }
    }
}

fn variant(image: &Image, version: Option<&Version>, container: &Container<'_>) -> Variant {
    let sample = image.versions.as_ref().and_then(|v| v.sample());
    let major = version.map(|v| v.to_string()).or_else(|| sample.clone()).unwrap_or_default();
    let major = major.split('.').next().unwrap_or_default().to_owned();
    let spots =
        image.data.iter().filter(|place| place.needed).flat_map(|place| spots(place, &major, container));
    let unless = image.by_hostname.as_ref();
    Variant {
        versions: image.versions.as_ref().map(ToString::to_string),
        sample,
        spots: spots.collect(),
        volumes: image.volumes.iter().flatten().map(|p| p.0.clone()).collect(),
        by_hostname: unless.is_some_and(|all| !all.iter().any(|s| given(s, container).is_some())),
    }
}

/// The directories that one place of the table is in this container.
fn spots(place: &Place, major: &str, container: &Container<'_>) -> Vec<Spot> {
    let is = |setting: &Option<Setting>| setting.as_ref().map(|s| given(s, container).is_some());
    if is(&place.when) == Some(false) || is(&place.unless) == Some(true) {
        return Vec::new();
    }
    let links = || place.links.iter().map(|p| p.0.clone()).collect();
    if let Some(values) = place.moved_by.iter().rev().find_map(|s| given(s, container)) {
        return values.into_iter().map(|path| Spot { path, links: Vec::new(), moved: true }).collect();
    }
    let path = place.path.as_ref().map(|p| p.0.replace("$MAJOR", major));
    let path = path.and_then(|p| known(&p).map(ToOwned::to_owned));
    vec![Spot { path, links: links(), moved: false }]
}

/// The part of `path` before what only the machine knows; `None` when that is the root.
pub(super) fn known(path: &str) -> Option<&str> {
    let end = path.find(['$', '{', '%', '*']).map_or(path.len(), |at| path[..at].rfind('/').unwrap_or(0));
    let path = path[..end].trim_end_matches('/');
    (path.starts_with('/')).then_some(path)
}

/// The directories that a setting names; `None` for one when it is not known; `None` when the
/// setting is not given.
fn given(setting: &Setting, container: &Container<'_>) -> Option<Vec<Option<String>>> {
    let values: Vec<Option<&str>> = match &setting.key {
        Key::Env(pattern) => {
            container.env.iter().filter(|(name, _)| pattern.is(name)).map(|(_, value)| *value).collect()
        }
        Key::Option(option) => options(option, container),
        Key::After(word) => {
            let words = words(container).skip_while(|w| w != word).skip(1);
            words.filter(|w| !w.starts_with('-')).map(Some).collect()
        }
    };
    let meant = |value: &Option<&str>| setting.value.as_deref().is_none_or(|wanted| *value == Some(wanted));
    let values: Vec<_> = values.into_iter().filter(meant).collect();
    let last = if matches!(setting.key, Key::After(_)) { 0 } else { values.len().saturating_sub(1) };
    let all = values.get(last..).filter(|all| !all.is_empty())?;
    Some(all.iter().flat_map(|value| directories(*value, &setting.into)).collect())
}

/// The directories of a value: `/a,/b`, `path=/a,size=10`, `http://host/a`.
fn directories(value: Option<&str>, into: &str) -> Vec<Option<String>> {
    let part = |part: &str| {
        let part = part.rsplit_once('=').map_or(part, |(_, path)| path).trim_matches(['"', '\'']);
        let path = match part.split_once("://") {
            Some((_, rest)) => &rest[rest.find('/')?..],
            None => part,
        };
        // A part of the template's path may be the value.
        let path = into.replace("{}", path);
        (path.starts_with('/')).then_some(path)
    };
    let paths: Vec<String> = value.unwrap_or_default().split(',').filter_map(|p| part(p.trim())).collect();
    if paths.is_empty() {
        return vec![None];
    }
    paths.iter().map(|path| known(&shortest(path)).map(ToOwned::to_owned)).collect()
}

/// The words of a command, those of its scripts, too.
fn words<'c>(container: &'c Container<'_>) -> impl Iterator<Item = &'c str> {
    let quotes = ['"', '\'', ';'];
    container.command.iter().flat_map(|t| t.split_whitespace()).map(move |w| w.trim_matches(quotes))
}

/// The values of an option: `--datadir=/a`, `--datadir /a`; a second dash does not matter, except
/// before a single letter.
fn options<'c>(option: &str, container: &'c Container<'_>) -> Vec<Option<&'c str>> {
    let same = |word: &str| {
        let bare = |text: &str| text.trim_start_matches('-').to_owned();
        word == option || word.starts_with('-') && bare(option).len() > 1 && bare(word) == bare(option)
    };
    let mut values = Vec::new();
    let mut words = words(container).peekable();
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some((name, value)) if same(name) => values.push(Some(value)),
            None if same(word) => values.push(words.peek().copied().filter(|w| !w.starts_with('-'))),
            _ => {}
        }
    }
    values
}

/// Whether a file of settings is named on the command line, or mounted.
fn settings(container: &Container<'_>) -> bool {
    const OPTIONS: [&str; 9] = [
        "--config",
        "--config-file",
        "--config.file",
        "--configFile",
        "--defaults-file",
        "-f",
        "-c",
        "-config",
        "--conf",
    ];
    const ENDINGS: [&str; 9] = ["cfg", "cnf", "conf", "hcl", "ini", "json", "toml", "xml", "yml"];
    let file = |word: &str| {
        word.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending) || ending == "yaml")
    };
    let named = words(container).any(|w| {
        let (name, value) = w.split_once('=').unwrap_or((w, ""));
        OPTIONS.contains(&name) || w.starts_with('/') && file(w) || file(value)
    });
    named || container.targets.iter().any(|t| file(t) || t.starts_with("/etc/"))
}
