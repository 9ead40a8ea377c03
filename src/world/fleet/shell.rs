//! Reads plain shell scripts in Exec lines: their commands, with variables that the script or the
//! unit sets. Unknown parts stay as they are written.

use std::collections::BTreeMap;

use super::exec::Environment;
use super::script::{self, Interpreter};
use super::word::{Command, DEEPEST, Ran, Word, is_name};
use crate::text::unit::Setting;

/// The highest number of commands of one Exec line.
const COMMANDS: usize = 1000;

/// Reserved words, which may stand before a command.
const RESERVED: [&str; 14] =
    ["if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "{", "}", "time", "esac"];

/// Returns what an Exec line runs.
pub fn run(environment: &Environment<'_>, setting: &Setting) -> Ran {
    let mut ran = Ran::default();
    let Some(words) = setting.words() else {
        ran.unread = Some("its quotes do not close: systemd ignores the line".into());
        return ran;
    };
    for words in words.split(|word| word.bare && word.text == ";") {
        match environment.command(words, &mut ran) {
            Some(words) => unwrap(words, &Shell::new(environment), 0, &mut ran),
            None => ran.unread = Some("its variables become too long".into()),
        }
    }
    ran
}

/// A shell: its variables and its arguments, `$0` first.
#[derive(Debug, Clone)]
struct Shell<'e> {
    environment: &'e Environment<'e>,
    variables: BTreeMap<String, Word>,
    args: Vec<Word>,
}

impl<'e> Shell<'e> {
    /// Makes a shell with the variables of the unit.
    fn new(environment: &'e Environment<'e>) -> Self {
        Self { environment, variables: BTreeMap::new(), args: Vec::new() }
    }

    /// Runs the script in the first of `words`; the others are its arguments.
    fn script(&self, mut words: Vec<Word>, flock: Option<Word>, depth: usize, ran: &mut Ran) {
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

    /// Runs a script with the variables of this shell.
    fn run(&mut self, script: &str, line: usize, depth: usize, ran: &mut Ran) {
        let size: usize = self.args.len() + self.variables.len();
        if depth > DEEPEST || ran.spend(size * size_of::<Word>()).is_none() {
            ran.unread = Some("shells within shells".into());
            return;
        }
        if script::read(self, script, line, depth, ran).is_none() {
            ran.unread = Some("a shell script that is not plain".into());
        }
    }
}

impl Interpreter for Shell<'_> {
    fn variable(&self, name: &str, line: usize) -> Word {
        let unknown = || Word::unknown(format!("${{{name}}}"), line);
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

    fn arguments(&self) -> &[Word] {
        self.args.get(1..).unwrap_or_default()
    }

    fn command(&mut self, mut words: Vec<Word>, piped: Option<String>, depth: usize, ran: &mut Ran) {
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
                    words.push(Word::unknown(text, line));
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

    fn subshell(&self, script: &str, line: usize, depth: usize, ran: &mut Ran) {
        self.clone().run(script, line, depth, ran);
    }
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// Returns the program behind wrappers that only run another program: shells, `env`, `timeout`,
/// `flock`…
fn unwrap(words: Vec<Word>, shell: &Shell<'_>, depth: usize, ran: &mut Ran) {
    let mut command = Command { words, ..Command::default() };
    for _ in 0..DEEPEST {
        let Some(first) = command.words.first() else { return };
        let takes: &[&str] = match first.base() {
            "sh" | "bash" | "dash" | "ash" => {
                if let Some(script) = command.words.iter().skip(1).position(is_c) {
                    let mut args = command.words.split_off(script + 2);
                    // `-c` says that the first argument that is no option is the script.
                    let options =
                        args.iter().take_while(|w| w.text.len() > 1 && w.text.starts_with('-')).count();
                    args.drain(..options);
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

/// Returns whether the word is `-c`, also among other flags: `-ec`.
fn is_c(word: &Word) -> bool {
    let flags = word.text.strip_prefix('-');
    flags.is_some_and(|f| f.ends_with('c') && f.bytes().all(|b| b.is_ascii_lowercase()) && f.len() < 5)
}
