//! Facts about container images: where their software keeps its data, what they declare, how long a
//! stop takes, and whether members form a quorum.
//!
//! The facts are data: one file next to this one for each kind of software, and `[[image]]` in a
//! project's `berthc.toml`. [`Images::find`] applies them to one container.

mod container;
mod hints;
pub mod name;
mod resolve;
mod row;
mod schema;
mod software;
mod start;
mod version;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use hints::Hints;
use row::Row;
use rustc_hash::FxHashMap;

pub use container::Container;
pub use name::{Floats, floats, path as name};
pub use schema::{Image, Key, Name, OwnLock, Path, Pattern, Place, Setting, Source, Tool, Traits};
pub use software::{By, Life, Loss, Premise, Seen, Software, Why};
pub use start::NoStart;
pub use version::{Version, Versions};

/// The files of the table.
const FILES: [&str; 16] = [
    include_str!("applications.toml"),
    include_str!("columns.toml"),
    include_str!("coordination.toml"),
    include_str!("development.toml"),
    include_str!("documents.toml"),
    include_str!("home.toml"),
    include_str!("keyvalue.toml"),
    include_str!("mysql.toml"),
    include_str!("object-stores.toml"),
    include_str!("postgresql.toml"),
    include_str!("proxies.toml"),
    include_str!("queues.toml"),
    include_str!("search.toml"),
    include_str!("sql.toml"),
    include_str!("timeseries.toml"),
    include_str!("websites.toml"),
];

static BUILTIN: LazyLock<Images> = LazyLock::new(|| {
    let mut images = Images::default();
    for row in FILES.iter().flat_map(|text| text.split("\n[[")) {
        if let Some(text) = row.strip_prefix("image]]\n") {
            images.add(Row::new(text, "software", "names"));
        } else if let Some(text) = row.strip_prefix("software]]\n") {
            images.traits.push(Arc::new(Row::new(text, "name", "words")));
        }
    }
    images
});

static HINTS: LazyLock<Hints> = LazyLock::new(|| Hints::new(&BUILTIN.traits));

/// The table of images.
#[derive(Debug, Default, Clone)]
pub struct Images {
    /// The images in the order of the files; the images of the project come last.
    images: Vec<Arc<Row<Image>>>,
    traits: Vec<Arc<Row<Traits>>>,
    by_name: FxHashMap<Cow<'static, str>, Vec<usize>>,
    /// The index of the first image of the project.
    own: usize,
}

/// The software that an image may be by its name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resembles {
    /// The name of the software.
    pub software: String,
    /// The directory where this software keeps its data by default.
    pub path: String,
}

/// What the table says about one container.
#[derive(Debug, Default)]
pub struct Looked {
    /// The software that serves.
    pub software: Option<Arc<Software>>,
    /// The software that an unknown image may be.
    pub resembles: Option<Resembles>,
    /// What keeps the program from starting.
    pub no_start: Vec<NoStart>,
}

/// The programs in these images that keep no data.
const OTHERS: [&str; 12] = [
    "mongos",
    "mongosh",
    "mongo",
    "mongodump",
    "redis-sentinel",
    "redis-cli",
    "psql",
    "pg_dump",
    "mysql",
    "mysqldump",
    "mariadb",
    "mariadb-dump",
];

/// The starts of images, by parts of a command: confluentinc/kafka-images, apache/kafka and bitnami/containers.
const STARTS: [[&str; 2]; 3] =
    [["/etc/confluent/docker/", "run"], ["/etc/kafka/docker/", "run"], ["/opt/bitnami/scripts/", "/run.sh"]];

impl Images {
    /// Returns the built-in table.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// Returns the first error in the built-in table, if it has one. It is an error too if a list of hints
    /// stands on several lines.
    pub fn fault() -> Option<&'static str> {
        let images = BUILTIN.images.iter().find_map(|row| row.read().err());
        let fault = |row: &'static Arc<Row<Traits>>| match row.read() {
            Ok(traits) => (!hints::agree(row, traits)).then_some(row.software.as_ref()),
            Err(fault) => Some(fault),
        };
        images.or_else(|| BUILTIN.traits.iter().find_map(fault))
    }

    /// Returns the built-in table with the images of a project, which have precedence.
    pub fn with(own: &[Image]) -> Cow<'static, Self> {
        let builtin = Self::builtin();
        if own.is_empty() {
            return Cow::Borrowed(builtin);
        }
        let mut images = Self { own: builtin.images.len(), ..builtin.clone() };
        own.iter().for_each(|image| images.add(image.clone().into()));
        Cow::Owned(images)
    }

    /// Returns all images of the table.
    pub fn all(&self) -> impl Iterator<Item = &Image> {
        self.images.iter().filter_map(|row| row.get())
    }

    /// Returns all software of the table.
    pub fn software(&self) -> impl Iterator<Item = &Traits> {
        self.traits.iter().filter_map(|row| row.get())
    }

    fn add(&mut self, image: Row<Image>) {
        for name in &image.names {
            let of = self.by_name.entry(name.clone()).or_default();
            // An image with names in two registries counts once.
            if of.last() != Some(&self.images.len()) {
                of.push(self.images.len());
            }
        }
        self.images.push(Arc::new(image));
    }

    /// Returns all that the table says about a container.
    pub fn look(&self, container: &Container<'_>) -> Looked {
        let Some((rows, traits, by)) = self.recognize(container) else {
            return Looked { resembles: self.resembling(container), ..Looked::default() };
        };
        let software = self.serving(&rows, &traits, by, container);
        let certain = by == By::Image && software.is_some();
        let no_start = if certain { start::no_start(&rows, container) } else { Vec::new() };
        Looked { software, resembles: None, no_start }
    }

    /// Returns the software that serves in a container. `None` if nothing indicates software with
    /// data, or if the container runs another program of its image.
    pub fn find(&self, container: &Container<'_>) -> Option<Arc<Software>> {
        let (rows, traits, by) = self.recognize(container)?;
        self.serving(&rows, &traits, by, container)
    }

    /// Returns the software that serves in a container of `rows`.
    fn serving(
        &self,
        rows: &Rows<'_>,
        traits: &Traits,
        by: By,
        container: &Container<'_>,
    ) -> Option<Arc<Software>> {
        if rows.iter().any(|(image, _)| image.stateless) {
            return None;
        }
        let Container { command, .. } = container;
        // The option `--sentinel` makes Redis a sentinel.
        let sentinel =
            traits.name == "redis" && command.iter().any(|t| t.split_whitespace().any(|w| w == "--sentinel"));
        if !sentinel && runs(traits, command) {
            let usual = self.usual(&traits.name);
            let software = Software::new(traits, by, rows, usual, container);
            // Software keeps no data if its settings turn storage off, or do not turn it on.
            let by_settings = rows.iter().all(|(image, _)| image.data.iter().any(|place| place.needed));
            let none = by_settings && software.keeps_nothing();
            return Some(Arc::new(software)).filter(|_| !none);
        }
        // Kafka's images also contain ZooKeeper.
        let other = self.known("zookeeper").filter(|_| traits.name == "kafka")?;
        let found = || Arc::new(Software::new(other, By::Name, &[], self.usual(&other.name), container));
        serves(other, command).then(found)
    }

    /// Returns the software that an image without other hints may be by a word of its name. `None` if the
    /// container runs another program.
    fn resembling(&self, container: &Container<'_>) -> Option<Resembles> {
        let traits = hints::resembles(&self.traits, container.image)?;
        let path = self.usual(&traits.name).into_iter().next()?;
        runs(traits, &container.command).then(|| Resembles { software: traits.name.clone(), path })
    }

    /// Returns whether the entrypoint of `image` ends where `variable` is set.
    pub fn forbids(&self, image: &str, variable: &str) -> bool {
        let rows = self.certain(image).unwrap_or_default();
        !rows.is_empty() && rows.iter().all(|(image, _)| image.forbids.iter().any(|own| own == variable))
    }

    /// Returns the user and group that the process of `image` steps down to, if it starts as root in every
    /// version that its tag allows. The name is empty where the table does not have it.
    pub fn root_until(&self, image: &str) -> Option<String> {
        let rows =
            self.certain(image).filter(|rows| rows.iter().all(|(image, _)| image.root == Some(true)))?;
        Some(rows.first()?.0.uid.clone().unwrap_or_default())
    }

    /// Returns the user that the process of `image` has from its start, if it is not root in any version that
    /// the tag allows.
    pub fn runs_as(&self, image: &str) -> Option<String> {
        let rows =
            self.certain(image).filter(|rows| rows.iter().all(|(image, _)| image.root == Some(false)))?;
        let user = rows.first()?.0.uid.as_deref()?;
        Some(user.split_once(':').map_or(user, |(user, _)| user).to_owned())
    }

    /// Returns whether the table has an entry for the image.
    pub fn has(&self, image: &str) -> bool {
        self.certain(image).is_some()
    }

    /// Returns whether `image` keeps no data at all.
    pub fn stateless(&self, image: &str) -> bool {
        self.certain(image).is_some_and(|rows| rows.iter().any(|(image, _)| image.stateless))
    }

    /// Returns whether `tool` is missing in every version of `image` that its tag allows. Returns
    /// false for a tag of another base, such as `alpine`, that has no entry of its own: its tools
    /// are unknown.
    pub fn lacks(&self, image: &str, tool: Tool) -> bool {
        const BASES: [&str; 4] = ["alpine", "busybox", "ubi", "windowsservercore"];
        let tag = name::tag(image).unwrap_or_default();
        let based = BASES.iter().any(|base| tag.contains(base));
        let lacks = |image: &Image| {
            !(based && image.tags.is_empty()) && image.lacks.as_ref().is_some_and(|l| l.contains(&tool))
        };
        self.certain(image).is_some_and(|rows| rows.iter().all(|(image, _)| lacks(image)))
    }

    /// Returns the `VOLUME`s that an image declares; empty if the table does not have the image.
    pub fn volumes(&self, image: &str) -> Vec<&str> {
        let image = self.certain(image).and_then(|rows| Some(rows.last()?.0));
        image.iter().flat_map(|image| image.volumes.iter().flatten()).map(|path| path.0.as_str()).collect()
    }

    /// Returns the images and the software of a container, and the evidence for them.
    fn recognize(&self, container: &Container<'_>) -> Option<(Rows<'_>, Cow<'_, Traits>, By)> {
        if let Some(rows) = self.certain(container.image) {
            let traits = self.traits(&rows.first()?.0.software);
            return Some((rows, traits, By::Image));
        }
        let path = name::path(container.image);
        let words = name::likely(path);
        let named = words.iter().find_map(|w| self.traits.iter().find(|t| t.names.iter().any(|n| n == w)));
        let (traits, by) = match named {
            Some(traits) => (traits.get()?, By::Name),
            None => HINTS.find(&self.traits, container, &|name| self.usual(name))?,
        };
        // An unknown image resembles the other images of its vendor, otherwise the official image.
        let vendor = name::vendor(path);
        let like = self.of(&traits.name).min_by_key(|image| {
            let of = |image: &Image| image.names.iter().map(|n| name::vendor(&n.0)).any(|v| v == vendor);
            let named = |n: &Name| traits.words.iter().any(|w| n.0.rsplit('/').next() == Some(w));
            let official = image.names.iter().any(|n| !n.0.contains('/'));
            let kin = vendor.is_some() && of(image);
            (!kin, !official, !image.names.iter().any(named), !image.tags.is_empty())
        });
        let name = like.and_then(|image| image.names.first());
        let rows = name.map(|n| self.rows(&n.0, container.image)).unwrap_or_default();
        Some((rows, Cow::Borrowed(traits), by))
    }

    /// Returns the images of the table that match `image`, if its name is unambiguous.
    fn certain(&self, image: &str) -> Option<Rows<'_>> {
        let names = name::certain(name::path(image));
        names.iter().find(|name| self.by_name.contains_key(name.as_str())).map(|name| self.rows(name, image))
    }

    /// Returns the images with this name that the tag can mean, each with its version.
    fn rows(&self, name: &str, image: &str) -> Rows<'_> {
        let all = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        let own: Vec<usize> = all.iter().copied().filter(|i| self.own > 0 && *i >= self.own).collect();
        let all = if own.is_empty() { all } else { &own };
        let all: Vec<&Image> = all.iter().filter_map(|i| self.images[*i].get()).collect();
        let tag = name::tag(image);
        let version = |i: &Image| tag.and_then(|t| Version::of_tag(t, i.version_after.as_deref()));
        let takes = |i: &Image| {
            let range = i.versions.as_ref();
            range.is_none_or(|range| version(i).is_none_or(|version| range.take(&version)))
        };
        let tagged = |i: &Image| i.tags.iter().any(|t| tag.is_some_and(|tag| like(t, tag)));
        let plain = |i: &Image| i.tags.is_empty();
        let some = |filter: &dyn Fn(&Image) -> bool| -> Option<Vec<&Image>> {
            let rows: Vec<_> = all.iter().copied().filter(|i| filter(i)).collect();
            (!rows.is_empty()).then_some(rows)
        };
        let rows = some(&|i| tagged(i) && takes(i))
            .or_else(|| some(&|i| plain(i) && takes(i)))
            .or_else(|| some(&plain))
            .unwrap_or_else(|| all.clone());
        rows.into_iter().map(|i| (i, version(i))).collect()
    }

    /// Returns the traits of a software. Software that only the project has gets default traits.
    fn traits(&self, name: &str) -> Cow<'_, Traits> {
        self.known(name).map_or_else(|| Cow::Owned(Traits::unknown(name)), Cow::Borrowed)
    }

    fn known(&self, software: &str) -> Option<&Traits> {
        self.traits.iter().find(|row| row.software == software)?.get()
    }

    /// Returns the images of a software.
    fn of(&self, software: &str) -> impl Iterator<Item = &Image> {
        self.images.iter().filter(move |row| row.software == software).filter_map(|row| row.get())
    }

    /// Returns the directories where the images of a software keep data by default.
    fn usual(&self, software: &str) -> Vec<String> {
        let paths = self.of(software).flat_map(|image| &image.data).filter(|place| place.needed);
        paths.filter_map(|place| Some(resolve::known(&place.path.as_ref()?.0)?.to_owned())).collect()
    }
}

/// Images of the table with the versions that a tag names.
type Rows<'i> = Vec<(&'i Image, Option<Version>)>;

/// Returns whether `text` matches `pattern`, in which `*` at either end stands for any text.
fn like(pattern: &str, text: &str) -> bool {
    let inner = pattern.trim_matches('*');
    match (pattern.starts_with('*'), pattern.ends_with('*')) {
        (true, true) => text.contains(inner),
        (true, false) => text.ends_with(inner),
        (false, true) => text.starts_with(inner),
        (false, false) => text == inner,
    }
}

/// Returns whether `command` starts the program of the image: it is empty, or has only options.
fn runs(traits: &Traits, command: &[&str]) -> bool {
    let own = |first: &&str| first.starts_with('-') || traits.verbs.iter().any(|v| v == first);
    command.first().is_none_or(own) || serves(traits, command)
}

/// Returns whether one of the programs of `traits` is among the words of `command`, and does not
/// start another program.
fn serves(traits: &Traits, command: &[&str]) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let words = command.iter().flat_map(|t| t.split(|c| !part(c))).filter(|w| !w.is_empty());
    let mut words = words.peekable();
    // A script may end in the start of the image itself.
    let starts = |text: &&str| STARTS.iter().any(|parts| parts.iter().all(|part| text.contains(part)));
    if command.iter().any(starts) {
        return true;
    }
    if traits.programs.is_empty() {
        return !words.any(|word| OTHERS.contains(&word));
    }
    while let Some(word) = words.next() {
        let other =
            words.peek().is_some_and(|next| word.starts_with("docker-entrypoint") && OTHERS.contains(next));
        if traits.programs.iter().any(|p| p == word) && !other {
            return true;
        }
    }
    false
}
