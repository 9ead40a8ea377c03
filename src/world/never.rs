//! The words for what keeps the program of an image from starting.

use crate::finding::Level;
use crate::images::NoStart;
use crate::world::{Source, Workload};

/// The part of a container that keeps its program from starting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The image, which asks for a setting.
    Image,
    /// The word of the command with this option.
    Option(String),
    /// The mount at this path.
    Mount(String),
}

/// A finding about the start of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Never {
    /// The severity.
    pub level: Level,
    /// What is wrong.
    pub message: String,
    /// The line to write.
    pub fix: String,
    /// The place.
    pub part: Part,
}

/// Returns whether the directory or volume with the data of `workload` may hold data of an earlier start. A
/// claim of Kubernetes counts as new: it is made with its pods.
pub fn may_be_old(workload: &Workload) -> bool {
    let keeps = |target: &str| workload.software.as_ref().is_some_and(|s| s.keeps(target));
    workload.members.iter().flat_map(|m| m.mounts.iter().chain(&m.others)).any(|m| {
        let claim = !workload.scope.is_empty() && m.volume.is_some();
        m.source != Source::Ephemeral && !claim && keeps(&m.target)
    })
}

/// Returns the finding for `fault` of the workload `name`. `old` says that its directory may hold data of an
/// earlier start, `set` writes a variable in the notation of the file.
pub fn tell(name: &str, fault: &NoStart, old: bool, set: impl Fn(&str) -> String) -> Never {
    match fault {
        NoStart::Needs { any, always } => {
            let when = if *always { "" } else { " on an empty directory" };
            let (one, more) = any.split_first().map_or((String::new(), &[][..]), |(a, b)| (a.clone(), b));
            let or = if more.is_empty() { String::new() } else { format!(", or one of {}", more.join(", ")) };
            Never {
                // The directory may hold data that the files do not show.
                level: if *always || !old { Level::Violation } else { Level::Note },
                message: format!("{name} never starts{when}: its image ends without {one}{or}"),
                fix: set(&one),
                part: Part::Image,
            }
        }
        NoStart::Dropped { option, software, since } => Never {
            level: Level::Violation,
            message: format!(
                "{name} never starts: {software} {since} and later do not know the option {option}"
            ),
            fix: format!("the command without {option}, or a tag before {since}"),
            part: Part::Option(option.clone()),
        },
        NoStart::NotEmpty { mount, data } => Never {
            level: if old { Level::Note } else { Level::Violation },
            message: format!(
                "{name} never starts on an empty directory: {mount} is mounted in {data}, and the first start wants {data} to be empty"
            ),
            fix: format!("mount it outside {data}, and name the new path in an option: -c config_file=PATH"),
            part: Part::Mount(mount.clone()),
        },
    }
}
