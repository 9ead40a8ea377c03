//! The types of the table: for the files next to this one, and for `[[image]]` in `berthc.toml`.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::version::Versions;
use crate::text::path::shortest;

/// An image, or several images with the same facts. An absent field is unknown; an empty list means
/// none.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The name of this entry.
    pub id: String,
    /// The names of the image without a tag, such as `postgres` or `bitnami/postgresql`. A registry
    /// before the name makes no difference.
    pub names: Vec<Name>,
    /// The versions, by the number in the tag: `<18`, `>=1.7, <1.12`, `9.x - 17`, `2`. Absent: all.
    #[serde(default, deserialize_with = "parsed")]
    #[schemars(with = "Option<String>")]
    pub versions: Option<Versions>,
    /// The text in the tag that the version follows: `pg` for `2.14-pg16`.
    pub version_after: Option<String>,
    /// The tags, with `*` at an end for any text. Absent: all tags that no other entry has.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The software that serves in the image, such as `postgresql`.
    pub software: String,
    /// Whether it keeps no data at all.
    #[serde(default)]
    pub stateless: bool,
    /// Whether its members vote or hold copies of each other's data, so that several of them must
    /// not be lost at once.
    pub quorum: Option<bool>,
    /// Whether people often run it on purpose without durable data.
    pub cache: Option<bool>,
    /// The directories with its data.
    #[serde(default)]
    pub data: Vec<Place>,
    /// The `VOLUME`s of the image. Each container gets a new volume, which hides a mount above its
    /// path.
    pub volumes: Option<Vec<Path>>,
    /// Present: the hostname is part of the path of the data, unless one of these settings is given.
    pub by_hostname: Option<Vec<Setting>>,
    /// What gives a member its identity.
    pub identity: Option<String>,
    /// The ports that the image declares.
    pub ports: Option<Vec<u16>>,
    /// The user and group of the process.
    pub uid: Option<String>,
    /// Whether the user of the image is root, so that its entrypoint can change the owner of a volume.
    pub root: Option<bool>,
    /// The signal that stops it.
    pub stop_signal: Option<String>,
    /// The seconds that a clean stop can take.
    pub stop_seconds: Option<u32>,
    /// The settings without which its entrypoint ends.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// The options that its program no longer has: it ends where it meets one.
    #[serde(default)]
    pub dropped: Vec<Dropped>,
    /// The variables with which its entrypoint ends.
    #[serde(default)]
    pub forbids: Vec<String>,
    /// Whether the first start wants its data directory to be empty.
    #[serde(default)]
    pub wants_empty: bool,
    /// The tools in the image.
    pub tools: Option<Vec<Tool>>,
    /// The tools that are not in the image.
    pub lacks: Option<Vec<Tool>>,
    /// Other facts for a reader.
    pub note: Option<String>,
    /// The versions whose files were read.
    pub seen: Option<String>,
    /// The files that were read.
    #[serde(default)]
    pub source: Vec<Source>,
}

/// Settings of which an entrypoint wants one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// The settings. One is enough.
    pub any: Vec<Setting>,
    /// The versions that want it. Absent: all.
    #[serde(default, deserialize_with = "parsed")]
    #[schemars(with = "Option<String>")]
    pub versions: Option<Versions>,
    /// Whether each start wants it, and not only the first one.
    #[serde(default)]
    pub always: bool,
    /// The directory whose files can have the setting too: a mount there may bring it.
    pub or_below: Option<Path>,
}

/// Options that a version dropped.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dropped {
    /// The options.
    pub options: Vec<String>,
    /// The first version without them.
    pub since: String,
}

/// A directory with data.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The default path. `$MAJOR` stands for the major version, `$HOSTNAME` for the hostname.
    /// Absent: a setting must name the path.
    pub path: Option<Path>,
    /// The kind of content.
    pub holds: String,
    /// Whether data is lost without it. Logs, for example, are no data.
    #[serde(default = "yes")]
    pub needed: bool,
    /// The settings that move the directory. If a container has several of them, the last one in
    /// this list counts.
    #[serde(default)]
    pub moved_by: Vec<Setting>,
    /// The links in the image that lead to it.
    #[serde(default)]
    pub links: Vec<Path>,
    /// The directories below it that the rest of the data needs, such as `pg_wal`.
    #[serde(default)]
    pub parts: Vec<String>,
    /// The settings that turn the directory on: it is used only with one of them.
    #[serde(default)]
    pub when: Vec<Setting>,
    /// The settings that turn the directory off: it is not used with one of them.
    #[serde(default)]
    pub unless: Vec<Setting>,
    /// The variable to set, `NAME=PATH`, where no mount can be at the default path.
    pub instead: Option<String>,
}

fn yes() -> bool {
    true
}

/// A file that was read.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The owner and the name of the repository on GitHub.
    pub repo: String,
    /// The path of the file.
    pub path: String,
    /// The commit or the tag.
    pub commit: String,
}

/// A tool that checks and start scripts use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Tool {
    Sh,
    Bash,
    Flock,
    Curl,
    Wget,
    Nc,
}

/// A software, independent of its image.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traits {
    /// The name of the software.
    pub name: String,
    /// The last parts of image names that are probably this software, without `docker-`, `-server`
    /// and other words around it.
    #[serde(default)]
    pub words: Vec<String>,
    /// The programs that serve. A container with another command is not this software. Empty: any
    /// program.
    #[serde(default)]
    pub programs: Vec<String>,
    /// The first arguments that make the program of the image serve.
    #[serde(default)]
    pub verbs: Vec<String>,
    /// The seconds that a clean stop can take.
    #[serde(default = "usual")]
    pub grace: u32,
    /// As in [`Image`].
    #[serde(default)]
    pub quorum: bool,
    /// As in [`Image`].
    #[serde(default)]
    pub cache: bool,
    /// Whether it runs in a Java virtual machine, which ends with 143 after SIGTERM (128 + 15; OpenJDK
    /// `src/java.base/unix/classes/java/lang/Terminator.java`).
    #[serde(default)]
    pub jvm: bool,
    /// The lock that its process holds on its directory.
    pub own_lock: Option<OwnLock>,
    /// Whether two of its processes may meet on one node while one of them ends: it writes whole files, appends
    /// whole records, or has a database that locks each write.
    #[serde(default)]
    pub meets: bool,
    /// Whether its process runs long before it has joined the others.
    #[serde(default)]
    pub joins_late: bool,
    /// The file that shows several containers with one directory of it: web, workers and timers of an
    /// application.
    pub shared: Option<Source>,
    /// The settings that make a container a copy of another server: it copies all data again when it starts
    /// empty.
    #[serde(default)]
    pub copy: Vec<Setting>,
    /// The ports of the server.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// The variables that only a server has.
    #[serde(default)]
    pub env: Vec<Pattern>,
    /// The variables that clients also have.
    #[serde(default)]
    pub shared_env: Vec<Pattern>,
}

/// A lock on a file in the directory of the data. A second process on the same node waits for it, or fails.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnLock {
    /// The file.
    pub file: String,
    /// The versions that lock it. Absent: all.
    #[serde(default, deserialize_with = "parsed")]
    pub versions: Option<Versions>,
    /// The file of the software that takes the lock.
    pub source: Source,
}

impl Traits {
    /// Creates the traits of a software that the table does not have.
    pub(super) fn unknown(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            words: Vec::new(),
            programs: Vec::new(),
            verbs: Vec::new(),
            grace: usual(),
            quorum: true,
            cache: false,
            jvm: false,
            own_lock: None,
            meets: false,
            joins_late: false,
            shared: None,
            copy: Vec::new(),
            ports: Vec::new(),
            env: Vec::new(),
            shared_env: Vec::new(),
        }
    }
}

fn usual() -> u32 {
    30
}

fn parsed<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Versions>, D::Error> {
    Option::<String>::deserialize(from)?.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

/// Reads a type from a string, and describes it in the JSON Schema.
macro_rules! text {
    ($name:ident, $says:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $says })
            }
        }
    };
}

/// An absolute path in its shortest form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(pub String);

text!(Path, "An absolute path of the container, in its shortest form.");

impl FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() < 2 || !text.starts_with('/') || shortest(text) != text {
            return Err(format!("`{text}` is not an absolute path in its shortest form"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The name of an image without registry, tag and digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(pub String);

text!(Name, "The name of an image without a tag, such as bitnami/postgresql.");

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        let own = super::name::path(text);
        if own.is_empty() || !own.chars().all(plain) || own.split('/').any(str::is_empty) {
            return Err(format!("`{text}` is not the name of an image"));
        }
        if !text.ends_with(own) {
            return Err(format!("`{text}` has a tag: write it as `tags` or `versions`"));
        }
        Ok(Self(own.to_owned()))
    }
}

/// The name of a variable; `*` at its end stands for any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The name, or its start.
    pub(super) text: String,
    /// Whether any text may follow.
    pub(super) open: bool,
}

text!(Pattern, "The name of a variable; `*` at its end stands for any text.");

impl Pattern {
    /// Whether it matches `name`.
    pub fn is(&self, name: &str) -> bool {
        if self.open { name.starts_with(&self.text) } else { name == self.text }
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('*') {
            Some((_, rest)) if !rest.is_empty() => {
                Err(format!("`*` may only be at the end, not in `{text}`"))
            }
            _ if text.is_empty() => Err("the name is empty".to_owned()),
            Some((start, _)) => Ok(Self { text: start.to_owned(), open: true }),
            None => Ok(Self { text: text.to_owned(), open: false }),
        }
    }
}

/// A setting: `PGDATA`, `KAFKA_*`, `--datadir`, `--object-store=file`, or `server ...` for the words
/// after an argument. ` => {}/data` says where the data is below the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub key: Key,
    /// The only value that counts; `None`: any value.
    pub value: Option<String>,
    /// The path of the data, with `{}` for the value.
    pub into: String,
}

/// The name of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A variable.
    Env(Pattern),
    /// An option on the command line.
    Option(String),
    /// All arguments after this word.
    After(String),
}

text!(
    Setting,
    "A variable (PGDATA, KAFKA_*), an option (--datadir, --object-store=file), or `WORD ...` for the \
     arguments after a word; ` => {}/data` says where below its value the data is."
);

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.key {
            Key::Env(Pattern { text: name, .. }) | Key::Option(name) | Key::After(name) => {
                f.write_str(name)?
            }
        }
        self.value.as_ref().map_or(Ok(()), |value| write!(f, "={value}"))
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, into) = text.split_once(" => ").unwrap_or((text, "{}"));
        if !into.contains("{}") {
            return Err(format!("`{into}` has no `{{}}` for the value"));
        }
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let key = if let Some(word) = name.strip_suffix(" ...") {
            Key::After(word.to_owned())
        } else if name.contains(char::is_whitespace) {
            return Err(format!("`{name}` is not a setting"));
        } else if name.starts_with('-') {
            Key::Option(name.to_owned())
        } else {
            Key::Env(name.parse()?)
        };
        Ok(Self { key, value, into: into.to_owned() })
    }
}
