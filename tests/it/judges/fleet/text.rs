//! The text formats of fleet: unit files, names of units, globs. Line numbers are those of the
//! source in the parent module.

// ------------------------------------------------------------------------------------- unit files

/// A unit file, as go-systemd returns it to fleet.
#[derive(Default)]
pub struct UnitFile {
    /// The section, key and value of each option, in the order of the file.
    pub options: Vec<[String; 3]>,
    /// The text before the first section, which is ignored.
    pub skipped: String,
}

/// go-systemd/unit/deserialize.go. Its check of long lines (80-94) only sees the buffered part and
/// misses some lines; here every physical line is checked.
pub fn parse(text: &str) -> Result<UnitFile, String> {
    if text.lines().any(|line| line.len() >= 2048) {
        return Err("line too long (max 2048 bytes)".into());
    }
    let (mut file, mut section, mut rest) = (UnitFile::default(), None::<&str>, text);
    while let Some(c) = rest.chars().next() {
        match (c, section) {
            ('[', _) => section = Some(take_section(&mut rest)?),
            ('#' | ';', _) => take_comment(&mut rest),
            (_, Some(section)) if !c.is_whitespace() => {
                let (key, value) = take_option(&mut rest)?;
                file.options.push([section.to_string(), key, value]);
            }
            _ => {
                file.skipped.extend((!c.is_whitespace()).then_some(c));
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    Ok(file)
}

fn take_section<'a>(rest: &mut &'a str) -> Result<&'a str, String> {
    let open = "unable to find end of section";
    let (section, after) = rest[1..].split_once(']').ok_or(open)?;
    *rest = after;
    let garbage = format!("{:?}", take_line(rest).0.trim().as_bytes()).replace(',', "");
    match garbage.as_str() {
        "[]" => Ok(section),
        _ => Err(format!("found garbage after section name : {garbage}")),
    }
}

fn take_comment(rest: &mut &str) {
    let goes_on = |line: &str| line.strip_suffix(' ').unwrap_or(line).ends_with('\\');
    while goes_on(take_line(rest).0) {}
}

fn take_option(rest: &mut &str) -> Result<(String, String), String> {
    let (key, after) = rest.split_at(rest.find(['=', '\n', '\r']).ok_or("EOF")?);
    let newline = "unexpected newline encountered while parsing option name";
    *rest = after.strip_prefix('=').ok_or(newline)?;
    Ok((key.trim().to_owned(), take_value(rest)))
}

/// Reads a value. A line that ends in `\` continues; the `\` and the newline stay in the value.
fn take_value(rest: &mut &str) -> String {
    let mut value = String::new();
    loop {
        let (line, last) = take_line(rest);
        if !line.trim().is_empty() {
            value.push_str(line);
            if line.ends_with('\\') {
                value.push_str(if last { "" } else { "\n" });
                continue;
            }
        }
        let end = if value.ends_with('\n') { "\n" } else { "" };
        return value.trim().to_owned() + end;
    }
}

/// Returns the line, and whether the file ends with it.
fn take_line<'a>(rest: &mut &'a str) -> (&'a str, bool) {
    let text = std::mem::take(rest);
    let Some((line, after)) = text.split_once('\n') else {
        return (text.strip_suffix('\r').unwrap_or(text), true);
    };
    *rest = after;
    (line, false)
}

/// Splits a line into values. It has several only if it begins and ends with `"` (unit/unit.go:71-99).
pub fn split_quoted(line: &str) -> Vec<String> {
    if !line.starts_with('"') || !line.ends_with('"') {
        return vec![line.to_owned()];
    }
    let (mut values, mut value, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => values.push(std::mem::take(&mut value)),
            _ => value.push(c),
        }
    }
    values.push(value);
    values
}

// ------------------------------------------------------------------------------------------ names

const KINDS: &str = "automount busname device mount path scope service slice snapshot socket swap \
    target timer";

pub fn listed(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

fn name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || ":-_.\\@".contains(c)
}

/// api/units.go:189-220.
pub fn validate_name(name: &str) -> Result<(), String> {
    let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
    Err(match stem.chars().find(|c| !name_char(*c)) {
        _ if name.is_empty() => "unit name cannot be empty".into(),
        _ if name.len() > 256 => "unit name exceeds maximum length (256)".into(),
        _ if !name.contains('.') => "unit name must contain \".\"".into(),
        _ if kind.is_empty() => "unit name cannot end in \".\"".into(),
        _ if !listed(KINDS, kind) => format!("invalid unit type: {kind:?}"),
        _ if name.contains('@') && !listed("path service socket target timer", kind) => {
            format!("invalid unit type for template: {kind:?}")
        }
        Some(c) => format!("invalid character {c:?} in unit name"),
        None if name.starts_with('@') => "unit name cannot start in \"@\"".into(),
        None => return Ok(()),
    })
}

/// Returns the name that fleetctl makes from a file name (unit/unit.go:151-166).
pub fn submitted_as(name: &str) -> String {
    let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
    let known = listed("service socket timer path device mount automount", kind);
    format!("{name}{}", if known { "" } else { ".service" })
}

/// Returns prefix, instance and suffix. The instance is the text between the first `@` and the last
/// `.` (unit/unit.go:243-267).
pub fn split_name(name: &str) -> Option<(&str, Option<&str>, &str)> {
    let (stem, suffix) = name.split_at(name.rfind('.')?);
    let instance = stem.split_once('@').map(|(_, instance)| instance);
    Some((stem.split('@').next()?, instance, suffix))
}

pub fn template_of(name: &str) -> Option<String> {
    let (prefix, instance, suffix) = split_name(name)?;
    instance.map(|_| format!("{prefix}@{suffix}"))
}

pub fn is_template(name: &str) -> bool {
    template_of(name).is_some_and(|template| template == name)
}

/// Expands the specifiers of `[X-Fleet]` (job/job.go:319-332); none for a job without a name.
pub fn expand(text: &str, name: &str) -> String {
    let Some((prefix, instance, suffix)) = split_name(name) else {
        return text.to_owned();
    };
    let stem = &name[..name.len() - suffix.len()];
    let text = text.replace("%n", name).replace("%N", stem);
    text.replace("%p", prefix).replace("%i", instance.unwrap_or_default())
}

// ------------------------------------------------------------------------------------------ globs

/// A term of a pattern of Go's `path.Match` (agent/state.go:122-128). `path.Match` does not
/// backtrack over a `*`. This matters only for texts with a `/`, and names have none.
#[derive(PartialEq)]
pub enum Term {
    Star,
    Any,
    Char(char),
    Class(bool, Vec<(char, char)>),
}

use Term::{Any, Char, Class, Star};

impl Term {
    fn accepts(&self, c: char) -> bool {
        match self {
            Star | Any => c != '/',
            Char(own) => c == *own,
            Class(wanted, spans) => *wanted == spans.iter().any(|(a, z)| (*a..=*z).contains(&c)),
        }
    }

    fn overlaps(&self, other: &Term) -> bool {
        match (self, other) {
            (Char(c), term) | (term, Char(c)) => term.accepts(*c),
            _ => ('-'..='z').any(|c| name_char(c) && self.accepts(c) && other.accepts(c)),
        }
    }
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Parses a glob. `None` is `path.ErrBadPattern`.
pub fn glob(pattern: &str) -> Option<Vec<Term>> {
    let (mut terms, mut chars) = (Vec::new(), pattern.chars().peekable());
    while let Some(c) = chars.next() {
        terms.push(match c {
            '*' => Star,
            '?' => Any,
            '[' => class(&mut chars)?,
            '\\' => Char(chars.next()?),
            c => Char(c),
        });
    }
    Some(terms)
}

fn class(chars: &mut Chars) -> Option<Term> {
    let (wanted, mut spans) = (chars.next_if_eq(&'^').is_none(), Vec::new());
    while spans.is_empty() || chars.next_if_eq(&']').is_none() {
        let from = class_char(chars)?;
        let ranges = chars.next_if_eq(&'-').is_some();
        spans.push((from, if ranges { class_char(chars)? } else { from }));
    }
    Some(Class(wanted, spans))
}

fn class_char(chars: &mut Chars) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}

/// Returns whether some text matches both patterns.
fn meet(a: &[Term], b: &[Term]) -> bool {
    match (a, b) {
        ([], []) => true,
        ([Star, rest @ ..], _) if meet(rest, b) => true,
        (_, [Star, rest @ ..]) if meet(a, rest) => true,
        ([Star, ..], [Star, ..]) => false,
        ([Star, ..], [y, rest @ ..]) => Star.overlaps(y) && meet(a, rest),
        ([x, rest @ ..], [Star, ..]) => Star.overlaps(x) && meet(rest, b),
        ([x, a @ ..], [y, b @ ..]) => x.overlaps(y) && meet(a, b),
        _ => false,
    }
}

/// Returns whether `pattern` matches `name`. A malformed pattern matches nothing; fleet only writes
/// a debug message.
pub fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<_> = name.chars().map(Char).collect();
    glob(pattern).is_some_and(|terms| meet(&terms, &name))
}

/// Returns whether both globs can match one unit name.
pub fn may_share(a: &str, b: &str) -> bool {
    let name = |term: &Term| !matches!(term, Char(c) if !name_char(*c));
    let both = glob(a).zip(glob(b));
    both.is_some_and(|(a, b)| a.iter().all(name) && meet(&a, &b))
}

/// Returns whether the glob can match a unit name. Names are matched as a whole, with their suffix.
pub fn can_match(pattern: &str) -> bool {
    let mut full = KINDS.split(' ').map(|kind| format!("*.{kind}"));
    full.any(|full| may_share(pattern, &full))
}
