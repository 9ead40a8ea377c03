//! systemd units, as systemd itself reads them (`src/shared/conf-parser.c`, `config_parse_exec`):
//! continuation lines, comments inside them, quotes, C escapes, `%%` and `$$`.

/// One option with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Without brackets.
    pub section: String,
    /// Before the first `=`.
    pub key: String,
    /// After it, continuation lines joined by a space.
    pub value: String,
    /// Of the key, from 1.
    pub line: usize,
}

/// Reads a unit; lines that are neither sections, options nor comments are returned apart.
pub fn read(text: &str) -> (Vec<Setting>, Vec<String>) {
    let (mut settings, mut unread): (Vec<Setting>, Vec<String>) = (Vec::new(), Vec::new());
    let mut section = String::new();
    let mut open: Option<(usize, String)> = None;
    for (i, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        // A comment is skipped, also in the middle of a continued line.
        if trimmed.starts_with(['#', ';']) || open.is_none() && trimmed.is_empty() {
            continue;
        }
        let (number, mut logical) = match open.take() {
            Some((number, mut before)) => {
                before.push(' ');
                before.push_str(trimmed);
                (number, before)
            }
            None => (i + 1, trimmed.to_owned()),
        };
        if line.ends_with('\\') {
            logical.truncate(logical.trim_end_matches('\\').len());
            open = Some((number, logical.trim_end().to_owned()));
            continue;
        }
        if let Some(name) = logical.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, value)) = logical.split_once('=') {
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            settings.push(Setting { section: section.clone(), key, value, line: number });
        } else {
            unread.push(logical);
        }
    }
    (settings, unread)
}

/// The words of an Exec line: quotes and escapes undone, `%%` and `$$` as they come out. Other
/// specifiers and variables stay as they are written. `None` when a quote is left open.
pub fn words(value: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => {
                let text = escape(&mut chars)?;
                word.get_or_insert_default().push(text);
            }
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_ascii_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return None;
    }
    words.extend(word);
    Some(words.into_iter().map(|w: String| w.replace("%%", "%").replace("$$", "$")).collect())
}

/// The character of a C escape, the backslash being read already.
fn escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    Some(match chars.next()? {
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
        c => c,
    })
}

fn code(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, digits: usize) -> Option<char> {
    let text: String = chars.by_ref().take(digits).collect();
    u32::from_str_radix(&text, 16).ok().and_then(char::from_u32)
}
