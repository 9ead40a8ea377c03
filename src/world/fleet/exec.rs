//! Reads the words of Exec lines as systemd does (`config_parse_exec`, `replace_env_argv`):
//! prefixes, specifiers and variables.

use std::collections::BTreeMap;

use super::names::Name;
use super::word::{Ran, Word, is_name};
use crate::text::unit::{self, Setting};

/// The values of the variables in a unit.
#[derive(Debug)]
pub struct Environment<'n> {
    name: Name<'n>,
    /// The values of `Environment=`.
    values: BTreeMap<String, String>,
}

impl<'n> Environment<'n> {
    /// Reads the settings of `[Service]`. An empty `Environment=` clears the earlier ones.
    pub fn read<'s>(name: Name<'n>, service: impl Iterator<Item = &'s Setting>) -> Self {
        let mut read = Self { name, values: BTreeMap::new() };
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
                _ => {}
            }
        }
        read
    }

    /// Returns the value of `$key`, if the unit sets it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Returns the words of one command; `None` if they become too long.
    pub fn command(&self, words: &[unit::Word], ran: &mut Ran) -> Option<Vec<Word>> {
        let mut all = Vec::with_capacity(words.len());
        let (mut literal, mut named) = (false, false);
        for (i, word) in words.iter().enumerate() {
            let mut text = word.text.as_str();
            if i == 0 {
                let program = text.trim_start_matches(['-', '@', ':', '+', '!', '|']);
                let prefix = &text[..text.len() - program.len()];
                (literal, named) = (prefix.contains(':'), prefix.contains('@'));
                text = program;
            }
            // After `@`, the second word is the name of the program in `argv[0]`.
            if i == 1 && named {
                continue;
            }
            let (text, known) = self.specifiers(text);
            if literal || i == 0 {
                all.push(Word { known, ..Word::new(text, word.line) });
            } else {
                self.variables(Word { known, ..Word::new(text, word.line) }, ran, &mut all)?;
            }
        }
        Some(all)
    }

    /// Expands `%%` and the specifiers that the name of the unit determines. Specifiers that only
    /// the machine knows stay.
    pub fn specifiers(&self, text: &str) -> (String, bool) {
        if !text.contains('%') {
            return (text.to_owned(), true);
        }
        let (mut out, mut known) = (String::with_capacity(text.len()), true);
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
                Some('C') => out.push_str("/var/cache"),
                Some('L') => out.push_str("/var/log"),
                Some('E') => out.push_str("/etc"),
                Some('T') => out.push_str("/tmp"),
                Some('V') => out.push_str("/var/tmp"),
                // The value for the system manager, which runs as root.
                Some('h') => out.push_str("/root"),
                Some('u') => out.push_str("root"),
                Some(c) => {
                    known = false;
                    out.extend(['%', c]);
                }
            }
        }
        (out, known)
    }

    /// Expands `$$`, `${X}`, and `$X` as a separate word, which may become several words.
    fn variables(&self, word: Word, ran: &mut Ran, all: &mut Vec<Word>) -> Option<()> {
        let Word { text, mut known, line, .. } = word;
        if let Some(name) = text.strip_prefix('$').filter(|name| is_name(name)) {
            match self.get(name) {
                Some(value) => {
                    ran.spend(value.len())?;
                    all.extend(value.split_whitespace().map(|word| Word::new(word, line)));
                }
                None => {
                    let unknown = Word::unknown(format!("${{{name}}}"), line);
                    all.push(Word { several: true, ..unknown });
                }
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
                && is_name(name)
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
        all.push(Word { known, ..Word::new(out, line) });
        Some(())
    }
}

/// Reverses systemd's escaping: `-` is a slash, `\x2d` a dash.
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
