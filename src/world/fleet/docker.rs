//! Reads docker's command line (`docker/cli`, pflag): which options take a value, and which words
//! belong to what.

use super::word::{Command, Word};

/// The long options of `run` and `create` that take no value, of docker and podman.
const SWITCHES: [&str; 25] = [
    "detach",
    "rm",
    "interactive",
    "tty",
    "privileged",
    "publish-all",
    "read-only",
    "init",
    "no-healthcheck",
    "oom-kill-disable",
    "sig-proxy",
    "disable-content-trust",
    "quiet",
    "help",
    "env-host",
    "http-proxy",
    "no-hostname",
    "no-hosts",
    "passwd",
    "read-only-tmpfs",
    "replace",
    "rmi",
    "rootfs",
    "tls-verify",
    "unsetenv-all",
];
/// The short options and their long names.
const SHORT: [(char, &str); 15] = [
    ('d', "detach"),
    ('i', "interactive"),
    ('t', "tty"),
    ('P', "publish-all"),
    ('q', "quiet"),
    ('v', "volume"),
    ('p', "publish"),
    ('e', "env"),
    ('h', "hostname"),
    ('l', "label"),
    ('u', "user"),
    ('w', "workdir"),
    ('m', "memory"),
    ('c', "cpu-shares"),
    ('a', "attach"),
];

/// Long options that docker took with one dash before 1.10. Docker and podman of today read such a word as short
/// options (tried with docker 28.2 and podman 4.3).
#[rustfmt::skip]
const OLD: [&str; 12] = [
    "-cidfile", "-dns", "-entrypoint", "-expose", "-hostname", "-link", "-name", "-net", "-privileged",
    "-publish-all", "-rm", "-volumes-from",
];

/// Programs that do not change the data of a container.
const IDLE: [&str; 18] = [
    ":", "[", "cat", "chgrp", "chmod", "chown", "echo", "exit", "false", "id", "ls", "mkdir", "printf",
    "sleep", "stat", "tail", "test", "true",
];

/// A docker command.
#[derive(Debug, Clone)]
pub enum Docker {
    /// `docker run`.
    Run(Box<Run>),
    /// `docker create`.
    Create(Box<Run>),
    /// `docker start`.
    Start {
        /// Whether it stays attached.
        attach: bool,
        /// The containers.
        names: Vec<Word>,
    },
    /// `docker stop` or `docker restart`.
    Stop {
        /// The seconds until the kill; `None` for those of the container, or 10.
        time: Option<Word>,
        /// The containers.
        names: Vec<Word>,
    },
    /// `docker kill`.
    Kill {
        /// The signal; `None` for SIGKILL.
        signal: Option<Word>,
        /// The containers.
        names: Vec<Word>,
    },
    /// `docker rm`.
    Remove {
        /// Whether it also removes a running container.
        force: bool,
        /// The containers.
        names: Vec<Word>,
    },
    /// `docker volume create`.
    MakeVolume {
        /// The driver; `None` for docker's own.
        driver: Option<Word>,
        /// The options of the driver.
        options: Vec<String>,
        /// The name.
        name: Word,
    },
    /// `docker volume inspect`.
    InspectVolume,
    /// Any other command, which changes nothing here.
    Other,
}

/// A `docker run` or `docker create`.
#[derive(Debug, Clone)]
pub struct Run {
    /// The options in order, by long name; a switch has the value `true`.
    pub options: Vec<(String, Word)>,
    /// The image.
    pub image: Word,
    /// The arguments of the container.
    pub args: Vec<Word>,
    /// The variables among the options whose value is unknown.
    pub unknown: Vec<Word>,
    /// The long options with one dash, which docker takes for short ones.
    pub old: Vec<Word>,
}

impl Run {
    /// Returns the values of an option.
    pub fn all(&self, option: &str) -> impl Iterator<Item = &Word> {
        self.options.iter().filter(move |(name, _)| name == option).map(|(_, value)| value)
    }

    /// Returns the last value of an option, which wins.
    pub fn last(&self, option: &str) -> Option<&Word> {
        self.all(option).last()
    }

    /// Returns whether a switch is on.
    pub fn is(&self, switch: &str) -> bool {
        self.last(switch).is_some_and(|value| !["false", "0", "f"].contains(&value.text.as_str()))
    }

    /// Returns whether the container does not change its data, because it only provides its
    /// volumes.
    pub fn is_idle(&self) -> bool {
        let words: Vec<&Word> = self.last("entrypoint").into_iter().chain(&self.args).collect();
        let base = |word: &&Word| word.base().to_owned();
        match words.first().map(base).as_deref() {
            Some("sh" | "bash" | "ash") => {
                let script = words.iter().skip_while(|w| !w.text.starts_with('-')).nth(1);
                let commands = script.map(|s| s.text.split([';', '&', '|', '\n']).collect::<Vec<_>>());
                let first = |c: &&str| c.split_whitespace().next().map(str::to_owned);
                commands.is_some_and(|all| all.iter().filter_map(first).all(|c| IDLE.contains(&c.as_str())))
            }
            Some(first) => IDLE.contains(&first),
            None => false,
        }
    }
}

/// The options by long name, and the words after them.
struct Line {
    options: Vec<(String, Word)>,
    rest: Vec<Word>,
    unknown: Vec<Word>,
    old: Vec<Word>,
}

/// Reads options until the first word that is not an option. `switches` take no value.
fn options(words: &[Word], switches: &[&str], short: &[(char, &str)], mixed: bool) -> Option<Line> {
    let (mut found, mut rest, mut unknown, mut old) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let value = |text: &str| Word { text: text.to_owned(), ..word.clone() };
        if word.text == "--" {
            rest.extend(words.cloned());
            break;
        }
        let name = word.text.split('=').next().unwrap_or_default();
        let single = word.text.strip_prefix('-').filter(|_| OLD.contains(&name));
        old.extend(single.map(|_| word.clone()));
        if let Some(long) = word.text.strip_prefix("--").or(single) {
            match long.split_once('=') {
                Some((name, text)) => found.push((name.to_owned(), value(text))),
                None if switches.contains(&long) => found.push((long.to_owned(), value("true"))),
                None => found.push((long.to_owned(), words.next()?.clone())),
            }
        } else if let Some(flags) = word.text.strip_prefix('-').filter(|flags| !flags.is_empty()) {
            for (at, c) in flags.char_indices() {
                let (_, name) = short.iter().find(|(short, _)| *short == c)?;
                if switches.contains(name) {
                    found.push(((*name).to_owned(), value("true")));
                    continue;
                }
                let text = &flags[at + c.len_utf8()..];
                let text = text.strip_prefix('=').unwrap_or(text);
                let value = if text.is_empty() { words.next()?.clone() } else { value(text) };
                found.push(((*name).to_owned(), value));
                break;
            }
        } else if !mixed && is_options(word) && !words.as_slice().is_empty() {
            unknown.push(word.clone());
        } else {
            rest.push(word.clone());
            // The words after the image are options of the container, not of `run`.
            if !mixed {
                rest.extend(words.cloned());
                break;
            }
        }
    }
    found.shrink_to_fit();
    Some(Line { options: found, rest, unknown, old })
}

/// Returns whether a word before the image is a variable, or the output of a command, that can hold
/// options, and not the image. In quotes a variable is one word, so its name must say so.
fn is_options(word: &Word) -> bool {
    let upper = word.text.to_ascii_uppercase();
    let named = ["OPT", "ARG", "FLAG", "PARAM", "VOLUME", "MOUNT"].iter().any(|part| upper.contains(part));
    let whole = upper.starts_with("${") && upper.find('}') == Some(upper.len() - 1);
    let image = ["IMAGE", "IMG", "REPO", "TAG"].iter().any(|part| upper.contains(part));
    !word.known && (whole && (named || word.several) || upper.starts_with("$(")) && !image
}

/// Returns whether the command is docker's client, or a program with the same command line.
pub fn is_docker(command: &Command) -> bool {
    command.words.first().is_some_and(|w| ["docker", "systemd-docker", "podman"].contains(&w.base()))
}

/// Reads a docker command.
///
/// # Errors
/// A message about the part that is not understood.
pub fn read(command: &Command) -> Result<Docker, String> {
    let global = ["debug", "tls", "tlsverify", "version", "logs", "env", "notify", "help"];
    let short = [('H', "host"), ('D', "debug"), ('l', "log-level"), ('c', "context"), ('v', "version")];
    let unclear = |what: &str| format!("`docker {what}` with options that are not known");
    let line = options(&command.words[1..], &global, &short, false).ok_or_else(|| unclear(""))?;
    let mut rest = line.rest.as_slice();
    if rest.first().is_some_and(|w| w.text == "container") {
        rest = &rest[1..];
    }
    let Some((verb, rest)) = rest.split_first() else { return Ok(Docker::Other) };
    let short = |short: &[(char, &'static str)]| short.to_vec();
    Ok(match verb.text.as_str() {
        "run" | "create" => {
            let line = options(rest, &SWITCHES, &SHORT, false).ok_or_else(|| unclear(&verb.text))?;
            let (image, args) = line.rest.split_first().ok_or("`docker run` without an image")?;
            let (image, args) = (image.clone(), args.to_vec());
            let Line { options, unknown, old, .. } = line;
            let run = Box::new(Run { options, image, args, unknown, old });
            if verb.text == "run" { Docker::Run(run) } else { Docker::Create(run) }
        }
        "start" => {
            let short = short(&[('a', "attach"), ('i', "interactive")]);
            let line =
                options(rest, &["attach", "interactive"], &short, true).ok_or_else(|| unclear("start"))?;
            let attach = line.options.iter().any(|(name, word)| name == "attach" && word.text != "false");
            Docker::Start { attach, names: line.rest }
        }
        "stop" | "restart" => {
            let short =
                short(&[('t', "time"), ('s', "signal"), ('i', "ignore"), ('a', "all"), ('l', "latest")]);
            let switches = ["ignore", "all", "latest"];
            let line = options(rest, &switches, &short, true).ok_or_else(|| unclear("stop"))?;
            let time = line.options.iter().rfind(|(name, _)| ["time", "timeout"].contains(&name.as_str()));
            Docker::Stop { time: time.map(|(_, word)| word.clone()), names: line.rest }
        }
        "kill" => {
            let line = options(rest, &[], &short(&[('s', "signal")]), true).ok_or_else(|| unclear("kill"))?;
            let signal = line.options.iter().rfind(|(name, _)| name == "signal");
            Docker::Kill { signal: signal.map(|(_, word)| word.clone()), names: line.rest }
        }
        "rm" => {
            let switches = ["force", "volumes", "link", "ignore", "all", "depend"];
            let short = short(&[
                ('f', "force"),
                ('v', "volumes"),
                ('l', "link"),
                ('i', "ignore"),
                ('a', "all"),
                ('t', "time"),
            ]);
            let line = options(rest, &switches, &short, true).ok_or_else(|| unclear("rm"))?;
            let force = line.options.iter().any(|(name, word)| name == "force" && word.text != "false");
            Docker::Remove { force, names: line.rest }
        }
        "volume" => volume(rest)?,
        _ => Docker::Other,
    })
}

fn volume(rest: &[Word]) -> Result<Docker, String> {
    match rest.split_first() {
        Some((verb, _)) if verb.text == "inspect" => Ok(Docker::InspectVolume),
        Some((verb, rest)) if verb.text == "create" => {
            let short = [('d', "driver"), ('o', "opt")];
            let line = options(rest, &[], &short, true)
                .ok_or("`docker volume create` with options that are not known")?;
            let last = |key: &str| line.options.iter().rfind(|(name, _)| name == key).map(|(_, word)| word);
            let Some(name) = line.rest.first().or_else(|| last("name")) else { return Ok(Docker::Other) };
            let options = line.options.iter().filter(|(name, _)| name == "opt");
            let options = options.map(|(_, word)| word.text.clone()).collect();
            Ok(Docker::MakeVolume { driver: last("driver").cloned(), options, name: name.clone() })
        }
        _ => Ok(Docker::Other),
    }
}

/// Returns the fields of a `--mount`. It is a line of CSV, so a field may be in quotes.
pub fn fields(text: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = Some(text);
    while let Some(text) = rest {
        let quoted = text.strip_prefix('"').and_then(|t| t.split_once('"'));
        let (field, after) = match quoted {
            Some((field, "")) => (field, None),
            Some((field, after)) if after.starts_with(',') => (field, Some(&after[1..])),
            _ => text.split_once(',').map_or((text, None), |(field, after)| (field, Some(after))),
        };
        fields.push(field);
        rest = after;
    }
    fields
}
