//! The table as data: what stands in the files beside this one, and in `[[image]]` of `berthc.toml`.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::version::Versions;
use crate::text::path::shortest;

/// One image, or several of like facts. What is absent is unknown; an empty list is: none.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Its name in the table.
    pub id: String,
    /// Names without a tag; a registry before them does not matter: `postgres`, `bitnami/postgresql`.
    pub names: Vec<Name>,
    /// Versions by the tag's own number: `<18`, `>=1.7, <1.12`, `9.x - 17`, `2`; absent: all.
    #[serde(default, deserialize_with = "parsed")]
    #[schemars(with = "Option<String>")]
    pub versions: Option<Versions>,
    /// The text in the tag that the version follows: `pg` of `2.14-pg16`.
    pub version_after: Option<String>,
    /// Tags, with `*` for any text; absent: all that no other image of this name has.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The software that serves in it: `postgresql`.
    pub software: String,
    /// It keeps no data at all.
    #[serde(default)]
    pub stateless: bool,
    /// Its members vote or hold each other's copies, so that losing several at once hurts.
    pub quorum: Option<bool>,
    /// It is often run on purpose without data that lasts.
    pub cache: Option<bool>,
    /// Where it keeps data.
    #[serde(default)]
    pub data: Vec<Place>,
    /// What the image declares as `VOLUME`: a new, empty volume for each container, which lies over a
    /// mount above it.
    pub volumes: Option<Vec<Path>>,
    /// The data lies in a directory that is named by the container's hostname, unless one of these
    /// settings is given.
    pub by_hostname: Option<Vec<Setting>>,
    /// What tells a member who it is.
    pub identity: Option<String>,
    /// Ports that it declares.
    pub ports: Option<Vec<u16>>,
    /// User and group of the process.
    pub uid: Option<String>,
    /// The image's user is root, whose entrypoint may change the owner of a volume.
    pub root: Option<bool>,
    /// The signal that stops it.
    pub stop_signal: Option<String>,
    /// Seconds that a clean stop may take.
    pub stop_seconds: Option<u32>,
    /// Tools that are in it.
    pub tools: Option<Vec<Tool>>,
    /// Tools that are not.
    pub lacks: Option<Vec<Tool>>,
    /// What else is to be known.
    pub note: Option<String>,
    /// The versions that were looked at.
    pub seen: Option<String>,
    /// The files that were read.
    #[serde(default)]
    pub source: Vec<Source>,
}

/// A directory with data.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Where it is unless a setting moves it; `$MAJOR`, `$HOSTNAME` and `*` stand for what differs.
    /// Absent: a setting must say it.
    pub path: Option<Path>,
    /// What lies there.
    pub holds: String,
    /// Whether data is lost without it; logs, for one, are no data.
    #[serde(default = "yes")]
    pub needed: bool,
    /// Settings that move it; the last that is given holds.
    #[serde(default)]
    pub moved_by: Vec<Setting>,
    /// Links in the image that lead to it.
    #[serde(default)]
    pub links: Vec<Path>,
    /// It is used only with this setting.
    pub when: Option<Setting>,
    /// It is not used with this setting.
    pub unless: Option<Setting>,
}

fn yes() -> bool {
    true
}

/// A file in which facts were read.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Owner and name on GitHub.
    pub repo: String,
    /// The file.
    pub path: String,
    /// The commit or tag.
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

/// A software, whichever image it is in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traits {
    /// Its own name.
    pub name: String,
    /// Last parts of image names that are likely it, without `docker-`, `-server` and the like.
    #[serde(default)]
    pub words: Vec<String>,
    /// The programs that serve; another command in the image is not the software. None: any.
    #[serde(default)]
    pub programs: Vec<String>,
    /// First arguments with which the image's own program serves.
    #[serde(default)]
    pub verbs: Vec<String>,
    /// Seconds that a clean stop may well take.
    #[serde(default = "usual")]
    pub grace: u32,
    /// As in [`Image`].
    #[serde(default)]
    pub quorum: bool,
    /// As in [`Image`].
    #[serde(default)]
    pub cache: bool,
    /// Ports that it serves at.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Variables that nobody but its server is given; `*` stands for any text.
    #[serde(default)]
    pub env: Vec<Pattern>,
    /// Variables that its clients are given, too.
    #[serde(default)]
    pub shared_env: Vec<Pattern>,
}

fn usual() -> u32 {
    30
}

fn parsed<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Versions>, D::Error> {
    Option::<String>::deserialize(from)?.map(|text| text.parse().map_err(D::Error::custom)).transpose()
}

/// A type that is written as a text.
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
            return Err(format!("`{text}` is no absolute path in its shortest form"));
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
            return Err(format!("`{text}` is no name of an image"));
        }
        if !text.ends_with(own) {
            return Err(format!("`{text}` has a tag: write it as `tags` or `versions`"));
        }
        Ok(Self(own.to_owned()))
    }
}

/// A variable or another text, with `*` for any text at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

text!(Pattern, "The name of a variable; `*` at its end stands for any text.");

impl Pattern {
    /// Whether `name` is meant.
    pub fn is(&self, name: &str) -> bool {
        self.0.strip_suffix('*').map_or(name == self.0, |start| name.starts_with(start))
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('*') {
            Some((_, rest)) if !rest.is_empty() => {
                Err(format!("`*` stands at the end only, not in `{text}`"))
            }
            _ if text.is_empty() => Err("a name of no letters".to_owned()),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

/// What a file may set: `PGDATA`, `KAFKA_*`, `--datadir`, `--object-store=file`, `server ...` for the
/// words after an argument; ` => {}/data` says where below its value the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What it is called.
    pub key: Key,
    /// The value that is meant, if not any.
    pub value: Option<String>,
    /// Where the data is: `{}` stands for the value.
    pub into: String,
}

/// What a setting is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A variable.
    Env(Pattern),
    /// An option on the command line.
    Option(String),
    /// The arguments that follow this word.
    After(String),
}

text!(
    Setting,
    "A variable (PGDATA, KAFKA_*), an option (--datadir, --object-store=file), or `WORD ...` for the \
     arguments after a word; ` => {}/data` says where below its value the data is."
);

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
            return Err(format!("`{name}` is no setting"));
        } else if name.starts_with('-') {
            Key::Option(name.to_owned())
        } else {
            Key::Env(name.parse()?)
        };
        Ok(Self { key, value, into: into.to_owned() })
    }
}
