//! Shell scripts inside Exec lines, as far as they are plain: which commands stand in them, with
//! variables that the script or the unit sets. What is not known stays as it is written.

use std::collections::BTreeMap;

use super::exec::{DEEPEST, Environment, Ran, Word, unwrap};
use super::script::Reader;

/// Words that stand before a command, and none themselves.
const RESERVED: [&str; 14] =
    ["if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "{", "}", "time", "esac"];

/// Whether it is a variable's name.
pub fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A shell: its variables and its arguments, `$0` first.
#[derive(Debug, Clone)]
pub struct Shell<'e> {
    environment: &'e Environment<'e>,
    variables: BTreeMap<String, Word>,
    args: Vec<Word>,
}

impl<'e> Shell<'e> {
    /// With what the unit sets.
    pub fn new(environment: &'e Environment<'e>) -> Self {
        Self { environment, variables: BTreeMap::new(), args: Vec::new() }
    }

    /// Runs the script that is the first of `words`; the others are its arguments.
    pub fn script(&self, mut words: Vec<Word>, flock: Option<Word>, depth: usize, ran: &mut Ran) {
        if words.is_empty() {
            return;
        }
        let script = words.remove(0);
        let mut shell = Self { args: words, ..self.clone() };
        let before = ran.commands.len();
        shell.run(&script.text, script.line, depth + 1, ran);
        for command in ran.commands.iter_mut().skip(before) {
            command.flock = command.flock.take().or_else(|| flock.clone());
        }
    }

    /// Runs a script among this shell's variables.
    pub fn run(&mut self, script: &str, line: usize, depth: usize, ran: &mut Ran) {
        let size: usize = self.args.len() + self.variables.len();
        if depth > DEEPEST || ran.spend(size * size_of::<Word>()).is_none() {
            ran.unread = Some("shells within shells".into());
            return;
        }
        if Reader::new(self, script, line, depth, ran).read().is_none() {
            ran.unread = Some("a shell script that is not plain".into());
        }
    }

    /// What `$name` is.
    pub fn variable(&self, name: &str, line: usize) -> Word {
        let unknown = || Word { text: format!("${{{name}}}"), known: false, line };
        if let Ok(number) = name.parse::<usize>() {
            let arg = self.args.get(number).map(|arg| Word { line, ..arg.clone() });
            return arg.unwrap_or_else(unknown);
        }
        match (self.variables.get(name), self.environment.get(name)) {
            (Some(word), _) => Word { line, ..word.clone() },
            (None, Some(value)) => Word::new(value, line),
            (None, None) => unknown(),
        }
    }

    /// The arguments after `$0`.
    pub fn arguments(&self) -> &[Word] {
        self.args.get(1..).unwrap_or_default()
    }

    /// A whole command: assignments are kept, the rest goes on.
    pub fn command(&mut self, mut words: Vec<Word>, piped: Option<String>, depth: usize, ran: &mut Ran) {
        let reserved = words.iter().take_while(|w| RESERVED.contains(&w.text.as_str())).count();
        words.drain(..reserved);
        let first = words.first().map_or("", |w| w.text.as_str()).to_owned();
        match first.as_str() {
            "for" | "read" => {
                for name in words.iter().skip(1).take(1) {
                    self.variables.remove(&name.text);
                }
                return;
            }
            "case" => return,
            "shift" => {
                if self.args.len() > 1 {
                    self.args.remove(1);
                }
                return;
            }
            "export" | "local" | "readonly" | "declare" => {
                words.remove(0);
                words.retain(|w| is_assignment(&w.text));
            }
            "eval" | "source" | "." => {
                ran.unread = Some(format!("`{first}` in a shell script"));
                return;
            }
            _ => {}
        }
        let command = words.iter().position(|w| !is_assignment(&w.text));
        match command {
            Some(at) => {
                let mut words = words.split_off(at);
                if let Some(text) = piped.filter(|_| words[0].base() == "xargs") {
                    let line = words[0].line;
                    words.push(Word { text, known: false, line });
                }
                unwrap(words, self, depth, ran);
            }
            None => {
                for word in words {
                    if let Some((name, value)) = word.text.split_once('=') {
                        let value = Word { text: value.to_owned(), ..word };
                        self.variables.insert(name.to_owned(), value);
                    }
                }
            }
        }
    }
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| is_name(name))
}
