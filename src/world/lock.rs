//! A lock that a container's process holds as long as it lives.
//!
//! Only a few shapes are known to hold one: what opens a file, locks it, minds that another has it,
//! and becomes the command. Whatever else names `flock` counts for nothing.

/// What a command line says of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// It names no `flock`.
    None,
    /// This file or directory of the container is locked.
    Held(String),
    /// A `flock` in a form that is not known.
    Unknown,
}

/// Said of [`Lock::Unknown`].
pub const UNKNOWN: &str = "a `flock` in a form that is not known: taken for no lock";

/// Reads the words of a container: its entrypoint and what follows.
pub fn read(words: &[&str]) -> Lock {
    match words.iter().map(|w| w.matches("flock").count()).sum() {
        0 => Lock::None,
        // A second one may let the lock go.
        1 => held(words).map_or(Lock::Unknown, Lock::Held),
        _ => Lock::Unknown,
    }
}

fn held(words: &[&str]) -> Option<String> {
    match words {
        [shell, flags, script, args @ ..] if is_shell(shell) => {
            let flags = flags.strip_prefix('-')?.strip_suffix('c')?;
            let plain = flags.chars().all(|c| "eulx".contains(c));
            if plain { scripted(script, flags.contains('e'), args) } else { None }
        }
        [flock, rest @ ..] if base(flock) == "flock" => {
            let (file, command) = options(rest)?.split_first()?;
            command.first().filter(|c| !c.starts_with('-'))?;
            path(file)
        }
        _ => None,
    }
}

/// `exec N<FILE`, `flock N`, `exec COMMAND`, in such an order that nothing goes on without the lock.
fn scripted(script: &str, errexit: bool, args: &[&str]) -> Option<String> {
    let mut steps = steps(script);
    let set = steps.first().is_some_and(|(s, by)| is_errexit(s) && *by == ";");
    if set {
        steps.remove(0);
    }
    let errexit = errexit || set;
    let (opened, locked, last) = match steps.as_slice() {
        [open, lock, (exec, "")] => {
            let minds = lock.1 == "&&" || lock.1 == ";" && open.1 == ";" && errexit;
            (open, lock, minds.then_some(exec)?)
        }
        [open, lock, (exit, ";"), (exec, "")] if lock.1 == "||" && is_exit(exit) => (open, lock, exec),
        _ => return None,
    };
    if !matches!(opened.1, ";" | "&&") {
        return None;
    }
    let (descriptor, file) = open(opened.0, args)?;
    let words: Vec<&str> = locked.0.split_whitespace().collect();
    let (flock, rest) = words.split_first()?;
    let same = base(flock) == "flock" && options(rest)? == [descriptor];
    let command = last.strip_prefix("exec ")?.trim();
    // With `"$@"` the command is in the words after `$0`.
    let program = if command == r#""$@""# { *args.get(1)? } else { command };
    (same && becomes(program)).then_some(file)
}

/// The descriptor that `exec N<FILE` opens, and the file.
fn open<'s>(step: &'s str, args: &[&str]) -> Option<(&'s str, String)> {
    let opened = step.strip_prefix("exec ")?.trim();
    let (descriptor, file) = opened.split_at(opened.find(['<', '>'])?);
    // 0, 1 and 2 are open without a lock's file.
    descriptor.parse::<u8>().ok().filter(|d| *d > 2)?;
    let file = ["<>", ">>", "<", ">"].iter().find_map(|way| file.strip_prefix(way))?.trim();
    let file = file.strip_prefix('"').map_or(Some(file), |f| f.strip_suffix('"'))?;
    Some((descriptor, path(if file == "$0" { args.first()? } else { file })?))
}

/// What follows the options of an exclusive lock. `-E` may make success of another's lock, and
/// `-o` and `-u` let it go.
fn options<'w, 's>(mut words: &'w [&'s str]) -> Option<&'w [&'s str]> {
    while let Some((option, rest)) = words.split_first().filter(|(w, _)| w.starts_with('-')) {
        words = match *option {
            "--nb" | "--nonblock" | "--exclusive" | "--no-fork" | "--verbose" => rest,
            "-w" | "--wait" | "--timeout" => rest.get(1..)?,
            long if long.starts_with("--wait=") || long.starts_with("--timeout=") => rest,
            short if short.len() > 1 && short[1..].chars().all(|c| "nxe".contains(c)) => rest,
            _ => return None,
        };
    }
    Some(words)
}

/// A script's commands, each with what stands behind it.
fn steps(script: &str) -> Vec<(&str, &'static str)> {
    let mut steps = Vec::new();
    let mut rest = script.trim();
    while !rest.is_empty() {
        let end = ["&&", "||", ";", "\n"].iter().filter_map(|by| Some((rest.find(by)?, *by))).min();
        let (at, by) = end.unwrap_or((rest.len(), ""));
        steps.push((rest[..at].trim(), if by == "\n" { ";" } else { by }));
        rest = rest[at + by.len()..].trim_start();
    }
    steps
}

/// Whether `exec` of it leaves the descriptor open: sudo closes all that it does not know.
fn becomes(command: &str) -> bool {
    let program = command.split_whitespace().next().unwrap_or_default();
    program.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && base(program) != "sudo"
        && !command.contains(['<', '>', '&', '|', '(', ')', '`', '#', '\\'])
}

/// A path that means the same file whoever reads it.
fn path(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-@:+,".contains(c);
    let known = text.starts_with('/') && text.chars().all(plain) && !text.split('/').any(|s| s == "..");
    known.then(|| crate::text::path::shortest(text))
}

fn is_errexit(step: &str) -> bool {
    step.strip_prefix("set -").is_some_and(|flags| flags.starts_with('e') && !flags.contains('+'))
}

fn is_exit(step: &str) -> bool {
    step.strip_prefix("exit").is_some_and(|code| code.trim().bytes().all(|b| b.is_ascii_digit()))
}

fn is_shell(word: &str) -> bool {
    ["sh", "bash", "dash", "ash"].contains(&base(word))
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}
