//! Applies the facts of one image to the facts that a file gives about one container.

use super::container::Container;
use super::schema::{Image, Key, Place, Setting};
use super::version::Version;
use crate::text::path::{shortest, within};

/// The facts of one version in one container.
#[derive(Debug, Clone)]
pub struct Variant {
    pub versions: Option<String>,
    pub sample: Option<String>,
    pub spots: Vec<Spot>,
    pub volumes: Vec<String>,
    /// Whether the hostname is part of the path of the data.
    pub by_hostname: bool,
}

/// A directory with data.
#[derive(Debug, Clone)]
pub struct Spot {
    /// The known part of its path; `None` if it can be anywhere.
    pub path: Option<String>,
    /// The links in the image that lead to it.
    pub links: Vec<String>,
    /// The directories below it that the rest of the data needs.
    pub parts: Vec<String>,
    /// The path at which a durable mount keeps the data.
    pub put: Option<String>,
    /// The variable that such a mount also needs.
    pub with: Option<String>,
}

/// Applies the facts of `image` to `container`.
pub fn variant(image: &Image, version: Option<&Version>, container: &Container<'_>) -> Variant {
    let sample = image.versions.as_ref().and_then(|v| v.sample());
    let major = version.map(ToString::to_string).or_else(|| sample.clone()).unwrap_or_default();
    let major = major.split('.').next().unwrap_or_default();
    let volumes: Vec<String> = image.volumes.iter().flatten().map(|p| p.0.clone()).collect();
    let needed = image.data.iter().filter(|place| place.needed);
    Variant {
        versions: image.versions.as_ref().map(ToString::to_string),
        sample,
        spots: needed.flat_map(|place| spots(place, major, &volumes, container)).collect(),
        by_hostname: image
            .by_hostname
            .as_ref()
            .is_some_and(|unless| !unless.iter().any(|s| is_given(s, container))),
        volumes,
    }
}

/// Returns whether the settings of `container` turn storage on.
pub fn asks(image: &Image, container: &Container<'_>) -> bool {
    let any = |settings: &[Setting]| settings.iter().any(|s| is_given(s, container));
    let own = |place: &&Place| place.needed && place.path.is_some();
    image.data.iter().filter(own).any(|place| any(&place.when) && !any(&place.unless))
}

/// Returns the directories that `place` of the table means in this container.
fn spots(place: &Place, major: &str, volumes: &[String], container: &Container<'_>) -> Vec<Spot> {
    let any = |settings: &[Setting]| settings.iter().any(|s| is_given(s, container));
    if !place.when.is_empty() && !any(&place.when) || any(&place.unless) {
        return Vec::new();
    }
    let parts = &place.parts;
    if let Some(values) = place.moved_by.iter().rev().find_map(|s| given(s, container)) {
        let spot = |path: Option<String>| Spot {
            put: path.clone(),
            path,
            links: Vec::new(),
            parts: parts.clone(),
            with: None,
        };
        return values.into_iter().map(spot).collect();
    }
    let path = place.path.as_ref().map(|p| p.0.replace("$MAJOR", major));
    let path = path.and_then(|p| known(&p).map(ToOwned::to_owned));
    let declared = volumes.iter().filter(|v| path.as_ref().is_some_and(|p| within(p, v)));
    let own = || declared.max_by_key(|v| v.len()).or(path.as_ref()).cloned();
    let (put, with) = match &place.instead {
        Some(assigned) => (assigned.split_once('=').map(|(_, path)| path.to_owned()), Some(assigned.clone())),
        None => (own(), None),
    };
    let links = place.links.iter().map(|p| p.0.clone()).collect();
    vec![Spot { path, links, parts: parts.clone(), put, with }]
}

/// Returns the start of `path`, up to the first part that only the machine knows; `None` if only
/// the root is left.
pub fn known(path: &str) -> Option<&str> {
    let end = path.find(['$', '{', '%', '*']).map_or(path.len(), |at| path[..at].rfind('/').unwrap_or(0));
    let path = path[..end].trim_end_matches('/');
    path.starts_with('/').then_some(path)
}

/// Returns whether the file gives the setting.
pub fn is_given(setting: &Setting, container: &Container<'_>) -> bool {
    given(setting, container).is_some()
}

/// Returns the directories that a setting names, `None` for an unknown one; `None` if the file does
/// not give the setting.
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
    // The last value of a variable or an option counts.
    let from = if matches!(setting.key, Key::After(_)) { 0 } else { values.len().saturating_sub(1) };
    let values = values.get(from..).filter(|all| !all.is_empty())?;
    Some(values.iter().flat_map(|value| directories(placed(*value, container), &setting.into)).collect())
}

/// Returns the mount that a relative path means, below whatever directory the image starts in.
fn placed<'c>(value: Option<&'c str>, container: &Container<'c>) -> Option<&'c str> {
    let Some(own) = value.filter(|v| !v.is_empty() && !v.contains(['/', '=', ':', ','])) else {
        return value;
    };
    let last = |target: &&&str| target.rsplit('/').next() == Some(own);
    container.targets.iter().find(last).copied().or(value)
}

/// Returns the directories of a value: `/a,/b`, `path=/a,size=10`, `http://host/a`.
fn directories(value: Option<&str>, into: &str) -> Vec<Option<String>> {
    let directory = |part: &str| {
        let part = part.rsplit_once('=').map_or(part, |(_, path)| path).trim_matches(['"', '\'']);
        let part = match part.split_once("://") {
            Some((_, rest)) => &rest[rest.find('/')?..],
            None => part,
        };
        let path = into.replace("{}", part);
        path.starts_with('/').then_some(path)
    };
    let paths: Vec<String> =
        value.unwrap_or_default().split(',').filter_map(|part| directory(part.trim())).collect();
    if paths.is_empty() {
        return vec![None];
    }
    paths.iter().map(|path| known(&shortest(path)).map(ToOwned::to_owned)).collect()
}

/// Returns the words of a command and of the scripts in it. An empty argument is a word.
fn words<'c>(container: &'c Container<'_>) -> impl Iterator<Item = &'c str> {
    let quotes = ['"', '\'', ';'];
    let all = container.command.iter().flat_map(|text| {
        let empty = text.trim().is_empty().then_some("");
        empty.into_iter().chain(text.split_whitespace())
    });
    all.map(move |w| w.trim_matches(quotes))
}

/// Returns the values of an option: `--datadir=/a` and `--datadir /a`. One dash is like two, except
/// before a single letter.
fn options<'c>(option: &str, container: &'c Container<'_>) -> Vec<Option<&'c str>> {
    let bare = option.trim_start_matches('-');
    let same = |word: &str| {
        word == option || bare.len() > 1 && word.starts_with('-') && word.trim_start_matches('-') == bare
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

/// Returns whether the command line has `option`, with or without a value. One dash is like two, and `_`
/// like `-`.
pub fn names(option: &str, container: &Container<'_>) -> bool {
    let plain = |word: &str| word.trim_start_matches('-').replace('_', "-");
    words(container).any(|word| {
        let name = word.split('=').next().unwrap_or(word);
        word.starts_with('-') && plain(name) == plain(option)
    })
}

/// Returns whether the command line names a settings file, or one is mounted.
pub fn reads_settings(container: &Container<'_>) -> bool {
    const OPTIONS: [&str; 7] = [
        "--conf",
        "--config",
        "--config-file",
        "--config.file",
        "--configFile",
        "--defaults-file",
        "-config",
    ];
    const ENDINGS: [&str; 10] = ["cfg", "cnf", "conf", "hcl", "ini", "json", "toml", "xml", "yaml", "yml"];
    let file = |word: &str| word.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending));
    let named = words(container).any(|word| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        OPTIONS.contains(&name) || word.starts_with('/') && file(word) || file(value)
    });
    named || container.targets.iter().any(|target| file(target) || target.starts_with("/etc/"))
}
