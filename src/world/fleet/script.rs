//! The grammar of a POSIX shell, as far as commands and their words go.

use super::word::{Ran, Word, is_name};

/// A shell, as a script needs it.
pub trait Interpreter {
    /// Returns what `$name` is.
    fn variable(&self, name: &str, line: usize) -> Word;

    /// Returns the arguments after `$0`.
    fn arguments(&self) -> &[Word];

    /// Runs a whole command: assignments are kept, the rest goes on.
    fn command(&mut self, words: Vec<Word>, piped: Option<String>, depth: usize, ran: &mut Ran);

    /// Runs a script whose assignments do not last.
    fn subshell(&self, script: &str, line: usize, depth: usize, ran: &mut Ran);
}

/// Reads `script`, which begins on `line`, and passes every command to `shell`. Returns `None` when
/// the script does not close what it opens.
pub fn read(
    shell: &mut dyn Interpreter,
    script: &str,
    line: usize,
    depth: usize,
    ran: &mut Ran,
) -> Option<()> {
    let (words, word, skip, piped) = (Vec::new(), None, false, None);
    Reader { shell, rest: script, line, depth, ran, words, word, skip, piped }.read()
}

/// A script that is being read.
struct Reader<'r, 't> {
    shell: &'r mut dyn Interpreter,
    rest: &'t str,
    line: usize,
    depth: usize,
    ran: &'r mut Ran,
    words: Vec<Word>,
    word: Option<Word>,
    /// Whether the next word is the file of a redirection.
    skip: bool,
    /// The command before a `|`.
    piped: Option<String>,
}

impl<'t> Reader<'_, 't> {
    /// Passes every command to the shell. Returns `None` if the script does not close what it
    /// opens.
    fn read(&mut self) -> Option<()> {
        while let Some(c) = self.next() {
            match c {
                '\\' => match self.next()? {
                    '\n' => {}
                    c => self.push(c),
                },
                '\'' => {
                    let text = self.until('\'')?;
                    self.open().text.push_str(text);
                }
                '"' => self.double()?,
                '$' => self.dollar(false)?,
                '`' => self.backtick()?,
                '#' if self.word.is_none() => {
                    self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]);
                }
                ' ' | '\t' => self.end_word(),
                '<' | '>' => self.redirect(),
                '&' if self.rest.starts_with('>') => {
                    self.end_word();
                    self.next();
                    self.redirect();
                }
                '|' if !self.rest.starts_with('|') => {
                    self.end_word();
                    let said = texts(&self.words);
                    self.end_command();
                    self.piped = Some(said);
                }
                '&' if !self.rest.starts_with('&') => {
                    let before = self.ran.commands.len();
                    self.end_command();
                    self.ran.commands.iter_mut().skip(before).for_each(|command| command.background = true);
                }
                ';' | '\n' | '&' | '|' | '(' | ')' => self.end_command(),
                c => self.push(c),
            }
        }
        self.end_command();
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    /// Returns the text before `end`, and skips both.
    fn until(&mut self, end: char) -> Option<&'t str> {
        let (text, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(text)
    }

    fn open(&mut self) -> &mut Word {
        let line = self.line;
        self.word.get_or_insert_with(|| Word::new("", line))
    }

    fn push(&mut self, c: char) {
        self.open().text.push(c);
    }

    fn add(&mut self, word: &Word) -> Option<()> {
        self.ran.spend(word.text.len())?;
        let open = self.open();
        open.text.push_str(&word.text);
        open.known &= word.known;
        Some(())
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take()
            && !std::mem::take(&mut self.skip)
        {
            self.words.push(word);
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.skip = false;
        let (words, piped) = (std::mem::take(&mut self.words), self.piped.take());
        if !words.is_empty() {
            self.shell.command(words, piped, self.depth, self.ran);
        }
    }

    fn redirect(&mut self) {
        // The number in `2>` is not a word.
        if self.word.as_ref().is_some_and(|w| w.text.bytes().all(|b| b.is_ascii_digit())) {
            self.word = None;
        }
        self.end_word();
        self.rest = self.rest.trim_start_matches(['<', '>', '&', '-', '|']);
        self.skip = true;
    }

    fn double(&mut self) -> Option<()> {
        self.open();
        loop {
            match self.next()? {
                '"' => return Some(()),
                '\\' => match self.next()? {
                    '\n' => {}
                    c @ ('$' | '`' | '"' | '\\') => self.push(c),
                    c => {
                        self.push('\\');
                        self.push(c);
                    }
                },
                '$' => self.dollar(true)?,
                '`' => self.backtick()?,
                c => self.push(c),
            }
        }
    }

    fn dollar(&mut self, quoted: bool) -> Option<()> {
        if let Some(rest) = self.rest.strip_prefix("((") {
            let end = rest.find("))")?;
            self.rest = &rest[end + 2..];
            let word = self.arithmetic(&rest[..end]);
            return self.add(&word);
        }
        if let Some(rest) = self.rest.strip_prefix('(') {
            let end = closing(rest)?;
            self.rest = &rest[end + 1..];
            return self.substitute(&rest[..end]);
        }
        if let Some(rest) = self.rest.strip_prefix('{') {
            let (name, after) = rest.split_once('}')?;
            self.rest = after;
            let number = name.parse::<usize>().is_ok();
            let word = if is_name(name) || number {
                self.shell.variable(name, self.line)
            } else {
                Word::unknown(format!("${{{name}}}"), self.line)
            };
            return self.expand(&word, quoted);
        }
        let digits = self.rest.bytes().take(1).take_while(u8::is_ascii_digit).count();
        let letters = self.rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let (name, rest) = self.rest.split_at(if digits == 1 { 1 } else { letters });
        if !name.is_empty() {
            self.rest = rest;
            let word = self.shell.variable(name, self.line);
            return self.expand(&word, quoted);
        }
        match self.rest.chars().next() {
            Some('@' | '*') => {
                self.next();
                let all = self.shell.arguments().to_vec();
                for (i, arg) in all.iter().enumerate() {
                    if i > 0 {
                        self.end_word();
                    }
                    self.add(arg)?;
                }
            }
            Some(c @ ('?' | '#' | '$' | '!')) => {
                self.next();
                let word = Word::unknown(format!("${c}"), self.line);
                self.add(&word)?;
            }
            _ => self.push('$'),
        }
        Some(())
    }

    /// Expands a word. Without quotes, a value becomes as many words as it has.
    fn expand(&mut self, word: &Word, quoted: bool) -> Option<()> {
        if quoted || !word.known {
            let alone = self.word.is_none();
            self.add(word)?;
            self.open().several = alone && !quoted;
            return Some(());
        }
        if word.text.starts_with(char::is_whitespace) {
            self.end_word();
        }
        for (i, part) in word.text.split_whitespace().enumerate() {
            if i > 0 {
                self.end_word();
            }
            self.add(&Word::new(part, word.line))?;
        }
        Some(())
    }

    fn backtick(&mut self) -> Option<()> {
        let script = self.until('`')?;
        self.substitute(script)
    }

    /// Runs the commands of a substitution. Their output is not known, but the commands are.
    fn substitute(&mut self, script: &str) -> Option<()> {
        let before = self.ran.commands.len();
        self.shell.subshell(script, self.line, self.depth + 1, self.ran);
        let said: Vec<String> = self.ran.commands.iter().skip(before).map(|c| texts(&c.words)).collect();
        let word = Word::unknown(format!("$({})", said.join("; ")), self.line);
        self.add(&word)
    }

    /// Computes sums, differences and products of numbers and variables.
    fn arithmetic(&self, text: &str) -> Word {
        let known = self.sum(text).map(|sum| Word::new(sum.to_string(), self.line));
        known.unwrap_or_else(|| Word::unknown(format!("$(({text}))"), self.line))
    }

    fn sum(&self, text: &str) -> Option<i64> {
        let signed = text.replace('-', "+-");
        signed.split('+').try_fold(0i64, |sum, term| {
            let (sign, term) = term.strip_prefix('-').map_or((1, term), |term| (-1, term));
            let mut factors = term.split('*');
            sum.checked_add(factors.try_fold(sign, |product: i64, f| product.checked_mul(self.number(f)?))?)
        })
    }

    fn number(&self, text: &str) -> Option<i64> {
        let name = text.trim().trim_start_matches(['$', '{']).trim_end_matches('}');
        if let Ok(number) = name.parse() {
            return Some(number);
        }
        let word = self.shell.variable(name, self.line);
        word.text.parse().ok().filter(|_| word.known)
    }
}

fn texts(words: &[Word]) -> String {
    words.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// Returns the place of the parenthesis that closes the one before `text`.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (1, None, false);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            _ if escaped => escaped = false,
            ('\\', Some('"') | None) => escaped = true,
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            ('(', None) => depth += 1,
            (')', None) => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
