//! The other containers of a unit: those that run next to its first container, and those that run
//! before or after it. Also the volumes that one container has from another.

use std::collections::BTreeMap;

use super::docker::{Docker, Run};
use super::service::{Main, Step};
use super::word::Word;
use crate::world::found::Found;

/// The deepest chain of containers that have their volumes from each other.
const DEEPEST: usize = 8;
/// The highest number of mounts that a container has from others.
const MOUNTS: usize = 1000;
/// The highest number of containers of a unit that are read.
const CONTAINERS: usize = 16;
/// Another container of a unit.
pub struct Other<'s> {
    /// The command that makes it.
    pub main: Main<'s>,
    /// Whether it runs before or after the first one, never at the same time.
    pub runs_in_turn: bool,
}

/// Returns the containers of a unit except `main` and those that only provide volumes for others.
pub fn others<'s>(steps: &'s [Step], main: Option<&Main<'s>>, found: &mut Found) -> Vec<Other<'s>> {
    let mut others = Vec::new();
    let mut stopped = false;
    for step in steps {
        // A command after the end of the first container runs after it.
        stopped |= step.key == "ExecStop" && step.ends();
        let Some(Docker::Run(run)) = &step.docker else { continue };
        let run: &Run = run;
        let again = |main: Main<'s>| std::ptr::eq(main.run, run) || alternative(&main, step, run);
        if main.copied().is_some_and(again) || run.is_idle() {
            continue;
        }
        if others.len() == CONTAINERS {
            let what = format!("more than {CONTAINERS} containers of one unit: this one is not searched");
            found.not_searched(step.place(), what, "a unit for each container");
            break;
        }
        let on = run.is("detach") || step.command.background;
        let first = main.filter(|main| main.step.key == "ExecStart");
        let runs_in_turn = match step.key.as_str() {
            "ExecStartPre" | "ExecCondition" => !on,
            "ExecStart" => !on && !first.is_some_and(|m| m.detached.is_some() || m.step.command.background),
            "ExecStop" => stopped,
            "ExecStopPost" => true,
            _ => false,
        };
        let detached = step.is_left(run).then_some(step);
        others.push(Other { main: Main { step, run, detached }, runs_in_turn });
    }
    others
}

/// Returns whether `run` is another branch of the script that runs `main`, on the same mounts: docker gives a
/// name to one container, and a shell takes one of two branches.
fn alternative(main: &Main<'_>, step: &Step, run: &Run) -> bool {
    let mounts = |run: &Run| -> Vec<String> {
        let options = run.options.iter().filter(|(option, _)| ["volume", "mount"].contains(&option.as_str()));
        options.map(|(_, word)| word.text.clone()).collect()
    };
    let name = |run: &Run| run.last("name").map(|word| word.text.clone());
    let one_name = name(run).is_some() && name(run) == name(main.run);
    let branches = step.raw.split_whitespace().any(|word| word == "else");
    let line = step.key == main.step.key && step.raw == main.step.raw && !step.raw.is_empty();
    line && (one_name || branches) && mounts(run) == mounts(main.run)
}

/// The containers of all units by name, with the commands that make them: the first of any unit, and
/// the first of each file.
#[derive(Default)]
pub struct Named<'s> {
    any: BTreeMap<&'s str, &'s Run>,
    own: BTreeMap<(&'s str, &'s str), &'s Run>,
}

impl<'s> Named<'s> {
    /// Collects the containers that have a name.
    pub fn new(units: &'s [Vec<Step>]) -> Self {
        let mut named = Self::default();
        for step in units.iter().flatten() {
            let Some(Docker::Run(run) | Docker::Create(run)) = &step.docker else { continue };
            if let Some(name) = run.last("name") {
                named.any.entry(&name.text).or_insert(run);
                named.own.entry((&name.text, &step.file)).or_insert(run);
            }
        }
        named
    }

    /// Returns the mounts that `run` has, its own first. `file` is the file of its unit.
    pub fn mounts<'r>(&'r self, run: &'r Run, file: &'r str) -> Vec<Given<'r>> {
        let mut given = Vec::new();
        self.collect(run, file, None, &mut given, 0);
        given
    }

    fn collect<'r>(
        &'r self,
        run: &'r Run,
        file: &'r str,
        from: Option<(&'r Word, &'r str, bool)>,
        given: &mut Vec<Given<'r>>,
        depth: usize,
    ) {
        for (option, word) in &run.options {
            let (at, container, read_only) = match from {
                Some((at, container, read_only)) => (at, Some(container), read_only),
                None => (word, None, false),
            };
            let mount = |kind| Given { option, word, at, container, read_only, kind };
            match option.as_str() {
                "volume" | "mount" | "tmpfs" => given.push(mount(What::Mount)),
                "volumes-from" => {
                    let (name, options) = word.text.split_once(':').unwrap_or((&word.text, ""));
                    let read_only = read_only || options.split(',').any(|o| o == "ro");
                    let other = self.own.get(&(name, file)).or_else(|| self.any.get(name)).copied();
                    let few = depth < DEEPEST && given.len() < MOUNTS;
                    match other.filter(|other| few && !std::ptr::eq(*other, run)) {
                        Some(other) => {
                            self.collect(other, file, Some((at, name, read_only)), given, depth + 1);
                            given.push(Given { read_only, ..mount(What::Image(&other.image.text, name)) });
                        }
                        None => given.push(Given { read_only, ..mount(What::Unknown) }),
                    }
                }
                _ => {}
            }
        }
    }
}

/// A mount of a container.
#[derive(Clone, Copy)]
pub struct Given<'r> {
    /// The option, by its long name.
    pub option: &'r str,
    /// Its value.
    pub word: &'r Word,
    /// The value in the command of the container itself.
    pub at: &'r Word,
    /// The container that it comes from; `None` for its own.
    pub container: Option<&'r str>,
    /// Whether the container may only read it.
    pub read_only: bool,
    /// What the option gives.
    pub kind: What<'r>,
}

/// What an option gives.
#[derive(Clone, Copy)]
pub enum What<'r> {
    /// The mount itself.
    Mount,
    /// The volumes that this image of this container declares.
    Image(&'r str, &'r str),
    /// The volumes of a container that no file makes.
    Unknown,
}
