//! Exec lines as systemd runs them (`config_parse_exec`, `replace_env_argv`): prefixes,
//! specifiers, variables, and the programs that only run another one.

use std::collections::BTreeMap;

use super::names::Name;
use super::shell::{self, Shell};
use crate::text::unit::{self, Setting};

/// Most commands of one Exec line.
const COMMANDS: usize = 1000;
/// Most bytes that one Exec line's variables may become.
const BYTES: usize = 1 << 20;
/// Most shells within one another, and most programs that only run another.
pub const DEEPEST: usize = 8;

/// A word as the program gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What is not known stands as it is written: equal texts are equal values.
    pub text: String,
    /// All of it is known.
    pub known: bool,
    /// The line of the file where it begins.
    pub line: usize,
}

impl Word {
    /// A word that is known.
    pub fn new(text: impl Into<String>, line: usize) -> Self {
        Self { text: text.into(), known: true, line }
    }

    /// The file's name in a path.
    pub fn base(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }
}

/// A program with its arguments.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The program first.
    pub words: Vec<Word>,
    /// It runs under `flock` on this file.
    pub flock: Option<Word>,
}

/// What an Exec line runs.
#[derive(Debug, Default)]
pub struct Ran {
    /// In order; branches and loops are taken as if each part ran once.
    pub commands: Vec<Command>,
    /// A part that is not understood.
    pub unread: Option<String>,
    spent: usize,
}

impl Ran {
    /// Counts what is expanded; `None` when that is too much.
    pub fn spend(&mut self, bytes: usize) -> Option<()> {
        self.spent = self.spent.saturating_add(bytes);
        (self.spent <= BYTES).then_some(())
    }
}

/// What the words of a unit mean.
#[derive(Debug)]
pub struct Environment<'n> {
    name: Name<'n>,
    /// `Environment=`.
    values: BTreeMap<String, String>,
    /// `EnvironmentFile=` may set any other.
    files: bool,
}

impl<'n> Environment<'n> {
    /// Of `[Service]`'s settings; an empty `Environment=` forgets what was set before.
    pub fn read<'s>(name: Name<'n>, service: impl Iterator<Item = &'s Setting>) -> Self {
        let mut read = Self { name, values: BTreeMap::new(), files: false };
        for setting in service {
            match setting.key.as_str() {
                "Environment" if setting.value.is_empty() => read.values.clear(),
                "Environment" => {
                    for word in setting.words().unwrap_or_default() {
                        let (text, known) = read.specifiers(&word.text);
                        if let Some((key, value)) = text.split_once('=').filter(|_| known) {
                            read.values.insert(key.to_owned(), value.to_owned());
                        }
                    }
                }
                "EnvironmentFile" => read.files = !setting.value.is_empty(),
                _ => {}
            }
        }
        if read.files {
            // A file wins over `Environment=`.
            read.values.clear();
        }
        read
    }

    /// What `$key` is, if the unit says it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// What an Exec line runs.
    pub fn run(&self, setting: &Setting) -> Ran {
        let mut ran = Ran::default();
        let Some(words) = setting.words() else {
            ran.unread = Some("its quotes do not close: systemd ignores the line".into());
            return ran;
        };
        for words in words.split(|word| word.bare && word.text == ";") {
            match self.command(words, &mut ran) {
                Some(words) => unwrap(words, &Shell::new(self), 0, &mut ran),
                None => ran.unread = Some("its variables become too long".into()),
            }
        }
        ran
    }

    fn command(&self, words: &[unit::Word], ran: &mut Ran) -> Option<Vec<Word>> {
        let mut all = Vec::new();
        let (mut literal, mut named) = (false, false);
        for (i, word) in words.iter().enumerate() {
            let mut text = word.text.as_str();
            if i == 0 {
                let program = text.trim_start_matches(['-', '@', ':', '+', '!', '|']);
                let prefix = &text[..text.len() - program.len()];
                (literal, named) = (prefix.contains(':'), prefix.contains('@'));
                text = program;
            }
            // After `@` the second word is what the program is called.
            if i == 1 && named {
                continue;
            }
            let (text, known) = self.specifiers(text);
            if literal || i == 0 {
                all.push(Word { text, known, line: word.line });
            } else {
                self.variables(Word { text, known, line: word.line }, ran, &mut all)?;
            }
        }
        Some(all)
    }

    /// `%%` and what the unit's name tells; what only the machine knows stays.
    pub fn specifiers(&self, text: &str) -> (String, bool) {
        let (mut out, mut known) = (String::new(), true);
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let instance = self.name.instance.unwrap_or_default();
            match chars.next() {
                Some('%') | None => out.push('%'),
                Some('n') => out.push_str(self.name.full),
                Some('N') => out.push_str(self.name.stem),
                Some('p') => out.push_str(self.name.prefix),
                Some('P') => out.push_str(&unescape(self.name.prefix)),
                Some('i') => out.push_str(instance),
                Some('I') => out.push_str(&unescape(instance)),
                Some('j') => out.push_str(self.name.prefix.rsplit('-').next().unwrap_or_default()),
                Some('t') => out.push_str("/run"),
                Some('S') => out.push_str("/var/lib"),
                Some(c) => {
                    known = false;
                    out.extend(['%', c]);
                }
            }
        }
        (out, known)
    }

    /// `$$`, `${X}`, and `$X` as a word of its own, which may become several.
    fn variables(&self, word: Word, ran: &mut Ran, all: &mut Vec<Word>) -> Option<()> {
        let Word { text, mut known, line } = word;
        if let Some(name) = text.strip_prefix('$').filter(|name| shell::is_name(name)) {
            match self.get(name) {
                Some(value) => {
                    ran.spend(value.len())?;
                    all.extend(value.split_whitespace().map(|word| Word::new(word, line)));
                }
                None => all.push(Word { text: format!("${{{name}}}"), known: false, line }),
            }
            return Some(());
        }
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            rest = after;
            if let Some(after) = rest.strip_prefix('$') {
                out.push('$');
                rest = after;
            } else if let Some((name, after)) = rest.strip_prefix('{').and_then(|r| r.split_once('}'))
                && shell::is_name(name)
            {
                rest = after;
                match self.get(name) {
                    Some(value) => {
                        ran.spend(value.len())?;
                        out.push_str(value);
                    }
                    None => {
                        known = false;
                        out.push_str(&format!("${{{name}}}"));
                    }
                }
            } else {
                out.push('$');
            }
        }
        out.push_str(rest);
        all.push(Word { text: out, known, line });
        Some(())
    }
}

/// systemd's escaping undone: `-` is a slash, `\x2d` a dash.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let code = rest.strip_prefix("\\x").and_then(|r| r.get(..2));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &rest[4..];
            }
            None => {
                let c = if c == '-' { '/' } else { c };
                bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The program behind those that only run another: shells, `env`, `timeout`, `flock`…
pub fn unwrap(words: Vec<Word>, shell: &Shell<'_>, depth: usize, ran: &mut Ran) {
    let mut command = Command { words, flock: None };
    for _ in 0..DEEPEST {
        let Some(first) = command.words.first() else { return };
        let takes: &[&str] = match first.base() {
            "sh" | "bash" | "dash" | "ash" => {
                if let Some(script) = command.words.iter().skip(1).position(is_c) {
                    let args = command.words.split_off(script + 2);
                    return shell.script(args, command.flock, depth, ran);
                }
                break;
            }
            "env" => &["-u", "--unset", "-C", "--chdir"],
            "sudo" => &["-u", "-g", "-h", "-p"],
            "nice" => &["-n"],
            "ionice" => &["-c", "-n"],
            "timeout" => &["-k", "-s", "--kill-after", "--signal"],
            "flock" => &["-w", "--wait", "--timeout", "-E", "--conflict-exit-code"],
            "nohup" | "setsid" | "exec" | "command" => &[],
            "xargs" => &["-n", "-I", "-P", "-L", "-d"],
            _ => break,
        };
        let program = first.base().to_owned();
        let mut rest = std::mem::take(&mut command.words);
        let mut at = 1;
        while let Some(word) = rest.get(at) {
            let assignment = program == "env" && word.text.contains('=');
            if !word.text.starts_with('-') && !assignment {
                break;
            }
            at += if takes.contains(&word.text.as_str()) { 2 } else { 1 };
        }
        match program.as_str() {
            "timeout" => at += 1,
            "flock" => {
                command.flock = rest.get(at).cloned();
                at += 1;
                if rest.get(at).is_some_and(is_c) {
                    let args = rest.split_off((at + 1).min(rest.len()));
                    return shell.script(args, command.flock, depth, ran);
                }
            }
            _ => {}
        }
        command.words = rest.split_off(at.min(rest.len()));
    }
    if ran.commands.len() < COMMANDS {
        ran.commands.push(command);
    } else {
        ran.unread = Some("more commands than are looked at".into());
    }
}

/// `-c`, also among other flags: `-ec`.
fn is_c(word: &Word) -> bool {
    let flags = word.text.strip_prefix('-');
    flags.is_some_and(|f| f.ends_with('c') && f.bytes().all(|b| b.is_ascii_lowercase()) && f.len() < 5)
}
