//! systemd units, as systemd itself reads them (`src/shared/conf-parser.c`, `config_parse_exec`):
//! continuation lines, comments inside them, quotes, C escapes, `%%` and `$$`.

/// Returns whether the name of a unit may hold `c` (systemd `src/basic/unit-name.c`, `VALID_CHARS`).
pub fn name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || ":-_.\\@".contains(c)
}

/// One option with its line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setting {
    /// The section, without brackets.
    pub section: String,
    /// The text before the first `=`.
    pub key: String,
    /// The text after the first `=`, with continuation lines joined by a space.
    pub value: String,
    /// The line of the key, from 1.
    pub line: usize,
    /// The offset of each continuation line in `value`, and its line in the file.
    pub lines: Vec<(usize, usize)>,
}

/// A word of an Exec line, unquoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The text, with `%` and `$` unchanged.
    pub text: String,
    /// Whether the word is written without quotes and escapes: only such a `;` separates commands.
    pub bare: bool,
    /// The line of the file where the word begins.
    pub line: usize,
}

/// A logical line while its continuation lines are read.
struct Logical {
    line: usize,
    text: String,
    lines: Vec<(usize, usize)>,
}

/// Reads a unit. Returns lines that are no section, option or comment separately.
pub fn read(text: &str) -> (Vec<Setting>, Vec<String>) {
    let (mut settings, mut unread): (Vec<Setting>, Vec<String>) = (Vec::new(), Vec::new());
    let mut section = String::new();
    let mut open: Option<Logical> = None;
    let mut take = |logical: Logical| {
        let Logical { line, text, lines } = logical;
        if let Some(name) = text.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, rest)) = text.split_once('=') {
            let value = rest.trim().to_owned();
            let before = text.len() - rest.trim_start().len();
            let lines = lines.into_iter().map(|(at, line)| (at.saturating_sub(before), line)).collect();
            let key = key.trim().to_owned();
            settings.push(Setting { section: section.clone(), key, value, line, lines });
        } else {
            unread.push(text);
        }
    };
    for (i, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        // A comment inside a continued line is skipped.
        if trimmed.starts_with(['#', ';']) || open.is_none() && trimmed.is_empty() {
            continue;
        }
        let mut logical = match open.take() {
            Some(mut logical) => {
                logical.text.push(' ');
                logical.lines.push((logical.text.len(), i + 1));
                logical.text.push_str(trimmed);
                logical
            }
            None => Logical { line: i + 1, text: trimmed.to_owned(), lines: Vec::new() },
        };
        if line.ends_with('\\') {
            logical.text.truncate(logical.text.trim_end_matches('\\').trim_end().len());
            open = Some(logical);
            continue;
        }
        take(logical);
    }
    // The file ends with a backslash.
    open.into_iter().for_each(take);
    (settings, unread)
}

impl Setting {
    /// Returns the words of an Exec line; `None` if a quote is not closed or an escape is
    /// incomplete.
    pub fn words(&self) -> Option<Vec<Word>> {
        let mut words = split(&self.value)?;
        for (at, word) in &mut words {
            let after = self.lines.partition_point(|(start, _)| start <= at);
            let begun = after.checked_sub(1).and_then(|last| self.lines.get(last));
            word.line = begun.map_or(self.line, |(_, line)| *line);
        }
        Some(words.into_iter().map(|(_, word)| word).collect())
    }
}

/// Splits an Exec line into words: resolves quotes, escapes, `%%` and `$$`. Keeps other specifiers
/// and variables. Returns `None` if a quote is not closed.
pub fn words(value: &str) -> Option<Vec<String>> {
    let words = split(value)?.into_iter();
    Some(words.map(|(_, w)| w.text.replace("%%", "%").replace("$$", "$")).collect())
}

/// Splits `value` into words, each with its offset.
fn split(value: &str) -> Option<Vec<(usize, Word)>> {
    let mut words = Vec::new();
    let mut word: Option<(usize, Word)> = None;
    let mut quote: Option<char> = None;
    let mut chars = value.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if quote.is_none() && c.is_ascii_whitespace() {
            words.extend(word.take());
            continue;
        }
        let (_, open) = word.get_or_insert_with(|| (at, Word { text: String::new(), bare: true, line: 0 }));
        open.bare &= c != '\\' && c != '"' && c != '\'';
        match (c, quote) {
            ('\\', _) => escape(&mut chars, &mut open.text)?,
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, _) => open.text.push(c),
        }
    }
    if quote.is_some() {
        return None;
    }
    words.extend(word);
    Some(words)
}

type Chars<'c> = std::iter::Peekable<std::str::CharIndices<'c>>;

/// Adds the character of a C escape, after the backslash. Keeps the backslash of an unknown escape
/// (`UNESCAPE_RELAX`).
fn escape(chars: &mut Chars<'_>, out: &mut String) -> Option<()> {
    let c = match chars.next()?.1 {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        's' => ' ',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        'x' => code(chars, 2)?,
        'u' => code(chars, 4)?,
        'U' => code(chars, 8)?,
        c => {
            if !matches!(c, '\\' | '"' | '\'' | ';') {
                out.push('\\');
            }
            c
        }
    };
    out.push(c);
    Some(())
}

fn code(chars: &mut Chars<'_>, digits: usize) -> Option<char> {
    let text: String = chars.by_ref().take(digits).map(|(_, c)| c).collect();
    u32::from_str_radix(&text, 16).ok().and_then(char::from_u32)
}
