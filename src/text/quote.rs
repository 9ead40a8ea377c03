//! Quotes text for the place where it is printed.

use std::borrow::Cow;
use std::fmt::Write;

/// A set of bytes: letters, digits and `marks`.
const fn bytes(marks: &[u8]) -> [bool; 256] {
    let mut set = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        set[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut i = 0;
    while i < marks.len() {
        set[marks[i] as usize] = true;
        i += 1;
    }
    set
}

/// The bytes that are safe in a plain YAML scalar.
const PLAIN: [bool; 256] = bytes(b"-_./@+=()$");
/// The bytes that are safe in a word of an Exec line without quotes.
const BARE: [bool; 256] = bytes(b"-_./:@=,+%$");
/// The bytes of an Exec line that stand for themselves, also between quotes.
const ITSELF: [bool; 256] = bytes(b"-_./:@=,+ ;|&<>(){}[]*?!#~^`");

/// Quotes `text` as a YAML scalar that YAML 1.1 and 1.2 readers decode to the same text. Plain if
/// it is unambiguous, double-quoted otherwise.
pub fn yaml(text: &str) -> String {
    if plain(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            ' '..='!' | '#'..='[' | ']'..='~' => out.push(c),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if escaped(c) => {
                let n = c as u32;
                let _ = if n > 0xFFFF { write!(out, "\\U{n:08x}") } else { write!(out, "\\u{n:04x}") };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Returns whether `c` must be escaped: control characters, private characters, characters that
/// some reader treats as a line break, a byte order mark or nothing, and characters that are invisible
/// or change the direction of the text around them (Unicode, `DerivedCoreProperties.txt`,
/// `Default_Ignorable_Code_Point`, without the selectors of variants).
pub fn escaped(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let n = c as u32;
    c.is_control()
        || matches!(n, 0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180e | 0x3164 | 0xffa0)
        || matches!(n, 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff0..=0xfffb)
        || matches!(n, 0xe000..=0xf8ff | 0x1d173..=0x1d17a | 0xe0000..=0xe00ff)
        || n & 0xfffe == 0xfffe
}

/// Writes text of a file on one line of a terminal or a log: each character that must be escaped
/// becomes visible as `\u{1b}`.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(escaped) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if escaped(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Writes text of several lines in the same way, line by line. Tabs stay.
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| escaped(c) && c != '\n' && c != '\t') {
        return Cow::Borrowed(text);
    }
    let cell = |cell: &str| shown(cell).into_owned();
    let line = |line: &str| line.split('\t').map(cell).collect::<Vec<_>>().join("\t");
    Cow::Owned(text.split('\n').map(line).collect::<Vec<_>>().join("\n"))
}

/// Returns whether `text` is safe without quotes: it starts with a letter or `/`, has no special
/// characters, and no reader treats it as a boolean, null or number.
fn plain(text: &str) -> bool {
    let b = text.as_bytes();
    let good = |c: u8| PLAIN[usize::from(c)];
    let colon = |i: usize| b[i] == b':' && i + 1 < b.len() && good(b[i + 1]);
    if b.is_empty() || b.len() > 200 || !(b[0].is_ascii_alphabetic() || b[0] == b'/') {
        return false;
    }
    if !(0..b.len()).all(|i| good(b[i]) || colon(i)) {
        return false;
    }
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"];
    !words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A part of a word on a systemd `Exec` line.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// Literal text.
    Text(&'a str),
    /// A specifier that systemd expands: `%H`.
    Specifier(&'a str),
}

/// Quotes one word of a systemd `Exec` line: doubles `%` and `$`, keeps it on one line.
pub fn exec(text: &str) -> String {
    word(&[Piece::Text(text)], true)
}

/// Quotes one word of a systemd `Exec` line that consists of several pieces.
pub fn exec_pieces(pieces: &[Piece<'_>]) -> String {
    word(pieces, true)
}

/// Writes the value of any other systemd option: `%` doubled; the option decides on quoting.
pub fn option(text: &str) -> String {
    word(&[Piece::Text(text)], false)
}

/// Quotes `text` as one word of a POSIX shell.
pub fn shell_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Quotes `text` only if a shell would not read it as one word.
pub fn shell_word(text: &str) -> String {
    let bare =
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:@=,+".contains(&b));
    if bare { text.to_owned() } else { shell_quote(text) }
}

/// Returns a value in the language of units unchanged; `None` if it would not stay one value
/// on one line (systemd.syntax(7): a line that ends with a backslash goes on).
pub fn setting(text: &str) -> Option<&str> {
    let stays = !text.is_empty() && text.trim() == text && !text.ends_with('\\');
    (stays && !text.chars().any(escaped)).then_some(text)
}

fn word(pieces: &[Piece<'_>], exec: bool) -> String {
    let texts = || pieces.iter().filter_map(|p| if let Piece::Text(t) = p { Some(*t) } else { None });
    // A word that is `;` alone separates commands.
    let empty = pieces.iter().all(|p| matches!(p, Piece::Text("")));
    let bare = !empty && texts().all(|t| t.bytes().all(|c| BARE[usize::from(c)]));
    // systemd reads escapes in both kinds of quotes; the one that is not in the text stays readable.
    let holds = |c: char| texts().any(|t| t.contains(c));
    let quote = if !bare && holds('"') && !holds('\'') { '\'' } else { '"' };
    let mut out = String::with_capacity(texts().map(str::len).sum::<usize>() + 8);
    if !bare {
        out.push(quote);
    }
    for piece in pieces {
        match piece {
            Piece::Text(text) => escaped_text(text, quote, exec, &mut out),
            Piece::Specifier(specifier) => out.push_str(specifier),
        }
    }
    if !bare {
        out.push(quote);
    }
    out
}

fn escaped_text(text: &str, quote: char, exec: bool, out: &mut String) {
    let mut rest = text;
    // Every byte before the first other one is a character.
    while let Some(at) = rest.bytes().position(|c| !ITSELF[usize::from(c)]) {
        let (itself, other) = rest.split_at(at);
        out.push_str(itself);
        let mut chars = other.chars();
        chars.next().into_iter().for_each(|c| escape(c, quote, exec, out));
        rest = chars.as_str();
    }
    out.push_str(rest);
}

fn escape(c: char, quote: char, exec: bool, out: &mut String) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        '%' => out.push_str("%%"),
        '$' if exec => out.push_str("$$"),
        c if c == quote => {
            out.push('\\');
            out.push(c);
        }
        c if (c as u32) < 0x20 || c as u32 == 0x7f => {
            let _ = write!(out, "\\x{:02x}", c as u32);
        }
        c if escaped(c) => {
            let n = c as u32;
            let _ = if n > 0xFFFF { write!(out, "\\U{n:08x}") } else { write!(out, "\\u{n:04x}") };
        }
        c => out.push(c),
    }
}

/// Writes text for a Markdown page or table: one line, with all markup escaped.
pub fn markdown(text: &str) -> String {
    let text = one_line(text);
    let marks = |c: u8| matches!(c, b'\\' | b'`' | b'<' | b'>' | b'|' | b'[' | b']' | b'&' | b'#' | b'~');
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = &*text;
    while let Some(at) = rest.bytes().position(marks) {
        out.push_str(&rest[..at]);
        out.push('\\');
        // Every mark is one byte.
        out.push_str(&rest[at..=at]);
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out
}

/// Writes a Markdown code span, also for a table.
pub fn code(text: &str) -> String {
    let text = one_line(text);
    if !text.is_empty() && !text.bytes().any(|c| matches!(c, b'`' | b'|')) {
        return format!("`{text}`");
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", text.replace('|', "\\|"))
}

/// Writes text on one line, without control characters.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (b' '..0x7f).contains(&b)) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if escaped(c) { ' ' } else { c }).collect()
}

/// Returns eight hexadecimal digits of `parts` (FNV-1a, both halves folded), for names that must change
/// with their content. They are the same on every machine and in every release.
pub fn digest(parts: &[&str]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    // A byte that no UTF-8 text holds ends each part.
    for byte in parts.iter().flat_map(|p| p.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{:08x}", (hash >> 32) ^ (hash & 0xffff_ffff))
}
