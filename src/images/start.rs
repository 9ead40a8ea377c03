//! What keeps the program of an image from starting, by the settings of one container.

use super::container::Container;
use super::name;
use super::resolve;
use super::schema::{Image, Key, Path, Setting};
use super::version::{Version, Versions};
use crate::text::path::{shortest, within};

/// What keeps a program from starting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoStart {
    /// The entrypoint ends, because none of these settings is given.
    Needs {
        /// The settings, the usual one first.
        any: Vec<String>,
        /// Whether it ends at each start, and not only at the first one with its data.
        always: bool,
    },
    /// The program does not know this option any more.
    Dropped {
        /// The option.
        option: String,
        /// The software.
        software: String,
        /// The first version without it.
        since: String,
    },
    /// The first start wants an empty data directory, and a mount lies in it.
    NotEmpty {
        /// The path of the mount.
        mount: String,
        /// The data directory.
        data: String,
    },
}

/// Returns what keeps the program of a container from starting. An unknown tag can be any of `rows`: each of
/// them must refuse the settings.
pub fn no_start(rows: &[(&Image, Option<Version>)], container: &Container<'_>) -> Vec<NoStart> {
    let mut all = rows.iter().map(|(image, version)| faults(image, version.as_ref(), container));
    let Some(first) = all.next() else { return Vec::new() };
    all.fold(first, |common, own| common.into_iter().filter(|fault| own.contains(fault)).collect())
}

fn faults(image: &Image, version: Option<&Version>, container: &Container<'_>) -> Vec<NoStart> {
    let newest = newest(container.image);
    // A variable of unknown value may be the one that is asked for.
    let hidden = |setting: &Setting| {
        let Key::Env(name) = &setting.key else { return false };
        container.env.iter().any(|(own, value)| value.is_none() && name.is(own))
    };
    let given = |s: &Setting| resolve::is_given(s, container) || hidden(s);
    let mut all = Vec::new();
    for need in image.needs.iter().filter(|_| container.whole) {
        let applies = need.versions.as_ref().is_none_or(|range| takes(range, version, newest));
        let below = |path: &Path| container.targets.iter().any(|target| within(target, &path.0));
        let mounted = need.or_below.as_ref().is_some_and(below);
        if applies && !mounted && !need.any.iter().any(given) {
            let any = need.any.iter().map(ToString::to_string).collect();
            all.push(NoStart::Needs { any, always: need.always });
        }
    }
    for dropped in &image.dropped {
        let range: Result<Versions, _> = format!(">={}", dropped.since).parse();
        let gone = range.is_ok_and(|range| takes(&range, version, newest));
        for option in dropped.options.iter().filter(|_| gone) {
            if resolve::names(option, container) {
                let (software, since) = (image.software.clone(), dropped.since.clone());
                all.push(NoStart::Dropped { option: option.clone(), software, since });
            }
        }
    }
    if image.wants_empty && container.whole {
        let data = resolve::variant(image, version, container).spots.into_iter().find_map(|spot| spot.path);
        let inside = |target: &&&str| {
            data.as_ref().is_some_and(|data| within(target, data) && shortest(target) != *data)
        };
        if let Some((mount, data)) = container.targets.iter().find(inside).zip(data.clone()) {
            all.push(NoStart::NotEmpty { mount: (*mount).to_owned(), data });
        }
    }
    all
}

/// Returns whether the version of an image is in `range`: the newest one is.
fn takes(range: &Versions, version: Option<&Version>, newest: bool) -> bool {
    version.map_or(newest, |version| range.take(version))
}

/// Returns whether an image has no tag, or `latest`.
fn newest(image: &str) -> bool {
    name::tag(image).is_none() && !image.contains(['@', '$', '{'])
}
