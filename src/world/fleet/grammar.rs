//! Reads unit files as fleet itself does: go-systemd `unit/deserialize.go`, which differs from
//! systemd in continuation lines and in what it refuses.

use crate::text::unit::Setting;

/// The length in bytes from which a physical line is too long.
const LONGEST: usize = 2048;

/// A unit file.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The options in order. A continued value keeps its backslashes.
    pub options: Vec<Setting>,
    /// Every section, with its line.
    pub sections: Vec<(String, usize)>,
    /// The first line of text before any section, which fleet ignores.
    pub early: Option<usize>,
}

/// Reads a unit.
///
/// # Errors
/// The message of fleet, and the line.
pub fn parse(text: &str) -> Result<Parsed, (String, usize)> {
    if let Some(line) = text.lines().position(|line| line.len() >= LONGEST) {
        return Err((format!("line too long (max {LONGEST} bytes)"), line + 1));
    }
    let mut reader = Reader { rest: text, line: 1 };
    let mut parsed = Parsed::default();
    while let Some(c) = reader.rest.chars().next() {
        let line = reader.line;
        match (c, parsed.sections.last()) {
            ('[', _) => {
                let name = reader.section().map_err(|error| (error, line))?;
                parsed.sections.push((name, line));
            }
            ('#' | ';', _) => reader.comment(),
            (c, Some((section, _))) if !c.is_whitespace() => {
                let section = section.clone();
                let (key, value) = reader.option().map_err(|error| (error, line))?;
                parsed.options.push(Setting { section, key, value, line, lines: Vec::new() });
            }
            (c, _) => {
                if !c.is_whitespace() {
                    parsed.early.get_or_insert(line);
                }
                reader.skip(c.len_utf8());
            }
        }
    }
    if parsed.options.is_empty() {
        return Err(("unit does not exist and options field empty".into(), 1));
    }
    Ok(parsed)
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Reader<'t> {
    fn skip(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.bytes().filter(|b| *b == b'\n').count();
        self.rest = rest;
        taken
    }

    /// Reads a line without its newline, and returns whether the file ends with it.
    fn rest_of_line(&mut self) -> (&'t str, bool) {
        match self.rest.find('\n') {
            Some(end) => (self.skip(end + 1).strip_suffix('\n').unwrap_or_default(), false),
            None => {
                let line = self.skip(self.rest.len());
                (line.strip_suffix('\r').unwrap_or(line), true)
            }
        }
    }

    fn section(&mut self) -> Result<String, String> {
        let end = self.rest.find(']').ok_or("unable to find end of section")?;
        let name = self.skip(end + 1)[1..end].to_owned();
        // The message of fleet does not contain the name.
        let garbage: Vec<String> =
            self.rest_of_line().0.trim().bytes().map(|byte| byte.to_string()).collect();
        if garbage.is_empty() {
            return Ok(name);
        }
        Err(format!("found garbage after section name : [{}]", garbage.join(" ")))
    }

    fn comment(&mut self) {
        loop {
            let (line, _) = self.rest_of_line();
            if !line.strip_suffix(' ').unwrap_or(line).ends_with('\\') {
                return;
            }
        }
    }

    fn option(&mut self) -> Result<(String, String), String> {
        let end = self.rest.find(['=', '\n', '\r']).ok_or("EOF")?;
        let key = self.skip(end).trim().to_owned();
        if !self.rest.starts_with('=') {
            return Err("unexpected newline encountered while parsing option name".into());
        }
        self.skip(1);
        Ok((key, self.value()))
    }

    /// Reads a value. A line that ends in `\` continues on the next; the backslash and the newline
    /// stay.
    fn value(&mut self) -> String {
        let mut value = String::new();
        loop {
            let (line, last) = self.rest_of_line();
            if line.trim().is_empty() {
                break;
            }
            value.push_str(line);
            if !line.ends_with('\\') {
                break;
            }
            if !last {
                value.push('\n');
            }
        }
        let end = if value.ends_with('\n') { "\n" } else { "" };
        value.trim().to_owned() + end
    }
}

/// Splits a line into values. A line has several values only if it starts and ends with `"`
/// (`unit/unit.go`).
pub fn values(line: &str) -> Vec<String> {
    if !line.starts_with('"') || !line.ends_with('"') {
        return vec![line.to_owned()];
    }
    let (mut values, mut value, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => values.push(std::mem::take(&mut value)),
            c => value.push(c),
        }
    }
    values.push(value);
    values
}
