//! A lock that the process of a container holds as long as it lives.
//!
//! Only a few forms of command are known to hold one: a command that opens a file, locks it, stops
//! if another process has the lock, and then becomes the program. Any other use of `flock` does not
//! count.

/// The lock in a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// The command line does not contain `flock`.
    None,
    /// The process locks this file or directory of the container.
    Held(String),
    /// The command line contains `flock` in a form that is not known.
    Unknown,
}

/// The message for [`Lock::Unknown`].
pub const UNKNOWN: &str = "a `flock` in an unknown form: treated as no lock";

/// Reads the words of a container: its entrypoint and its arguments.
pub fn read(words: &[&str]) -> Lock {
    match words.iter().map(|w| w.matches("flock").count()).sum() {
        0 => Lock::None,
        // A second `flock` may release the lock.
        1 => locked_path(words).map_or(Lock::Unknown, Lock::Held),
        _ => Lock::Unknown,
    }
}

fn locked_path(words: &[&str]) -> Option<String> {
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

/// Reads `exec N<FILE`, `flock N`, `exec COMMAND`, in an order in which nothing continues without
/// the lock.
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
    // With `"$@"`, the command is in the words after `$0`.
    let program = if command == r#""$@""# { *args.get(1)? } else { command };
    (same && becomes(program)).then_some(file)
}

/// Returns the descriptor that `exec N<FILE` opens, and the file.
fn open<'s>(step: &'s str, args: &[&str]) -> Option<(&'s str, String)> {
    let opened = step.strip_prefix("exec ")?.trim();
    let (descriptor, file) = opened.split_at(opened.find(['<', '>'])?);
    // The descriptors 0, 1 and 2 are always open, also without a lock file.
    descriptor.parse::<u8>().ok().filter(|d| *d > 2)?;
    let file = ["<>", ">>", "<", ">"].iter().find_map(|way| file.strip_prefix(way))?.trim();
    let file = file.strip_prefix('"').map_or(Some(file), |f| f.strip_suffix('"'))?;
    Some((descriptor, path(if file == "$0" { args.first()? } else { file })?))
}

/// Returns the words after the options of an exclusive lock. `None` for `-E`, which can turn a
/// failure into success, and for `-o` and `-u`, which release the lock.
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

/// Returns the commands of a script, each with the separator after it.
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

/// Returns whether `exec` of the command keeps the descriptor open. sudo closes every descriptor
/// that it does not know.
fn becomes(command: &str) -> bool {
    let program = command.split_whitespace().next().unwrap_or_default();
    program.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && base(program) != "sudo"
        && !command.contains(['<', '>', '&', '|', '(', ')', '`', '#', '\\'])
}

/// Returns a path that means the same file for every reader.
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

/// Returns whether a word of a command is a POSIX shell.
pub fn is_shell(word: &str) -> bool {
    ["sh", "bash", "dash", "ash"].contains(&base(word))
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}
