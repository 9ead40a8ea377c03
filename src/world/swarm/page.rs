//! A stack file that is being read: its texts, its places, and the findings.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::free::Taken;
use super::interpolate::interpolate;
use super::template::Expanded;
use crate::finding::{At, Level, codes};
use crate::images::Images;
use crate::text::yaml::Value;
use crate::world::File;
use crate::world::found::Found;

/// The sections with the definitions that services name.
const SECTIONS: [&str; 4] = ["volumes", "networks", "configs", "secrets"];

/// A stack file.
pub struct Page<'d, 'w> {
    /// The path.
    pub file: Arc<str>,
    /// The text that replaces the name of the stack.
    pub stack: String,
    /// The root value.
    pub root: Value<'d>,
    /// The definitions below `volumes`, `networks`, `configs` and `secrets`.
    pub definitions: BTreeMap<(&'static str, &'d str), Value<'d>>,
    /// The known images.
    pub images: &'w Images,
    /// The ports that services of all files publish, or that fixes offer.
    pub taken: Taken,
    /// Whether docker compose runs the file, on one machine.
    pub machine: bool,
    /// The number of addresses that were sought in the texts of the file.
    pub sought: usize,
    /// The findings of all files.
    found: &'w mut Found,
}

impl<'d, 'w> Page<'d, 'w> {
    /// Makes a page of one document.
    pub fn new(
        file: &File<'_>,
        several: bool,
        root: Value<'d>,
        images: &'w Images,
        found: &'w mut Found,
    ) -> Self {
        let mut definitions = BTreeMap::new();
        for section in SECTIONS {
            for (key, value) in root.get(section).map(|s| s.entries()).unwrap_or_default() {
                definitions.insert((section, key), value);
            }
        }
        // Only the command line names the stack, and each of several files may belong to another
        // stack.
        let stack = if several { format!("STACK({})", file.path) } else { "STACK".to_owned() };
        let (file, taken) = (file.path.into(), Taken::default());
        Self { file, stack, root, definitions, images, taken, machine: false, sought: 0, found }
    }

    /// Returns a number for a port of a node that no service publishes: `port`, or the next free one.
    pub fn free_port(&mut self, port: u16) -> u16 {
        self.taken.next(port)
    }

    /// Returns the place of a value.
    pub fn at(&self, value: &Value<'_>) -> At {
        At { file: self.file.clone(), line: value.line(), field: value.field() }
    }

    /// Lists a part that is not understood.
    pub fn unread(&mut self, value: &Value<'_>, what: impl Into<String>) {
        self.found.unread(self.at(value), what);
    }

    /// Lists a part that may hold data and is not searched. `fix` says how to search it.
    pub fn not_searched(&mut self, value: &Value<'_>, what: impl Into<String>, fix: impl Into<String>) {
        self.found.not_searched(self.at(value), what, fix);
    }

    /// Adds a finding at `values`, the line to change first.
    pub fn found(
        &mut self,
        code: (&'static str, Level),
        values: &[&Value<'_>],
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let at = values.iter().map(|v| self.at(v)).collect();
        self.found.finding(code, message, at, fix);
    }

    /// Adds a note at a place.
    pub fn note(&mut self, code: &'static str, message: String, at: At, fix: &str) {
        self.found.note(code, message, vec![at], fix);
    }

    /// Adds a note about what `name` refers to and the files do not contain.
    pub fn outside(&mut self, name: &str, things: Vec<(String, At)>, fix: &str) {
        self.found.outside(name, things, fix);
    }

    /// Returns a scalar with its variables filled in.
    pub fn text(&mut self, value: &Value<'_>) -> Option<String> {
        let text = value.text()?;
        let Some(filled) = interpolate(&text) else {
            self.found(
                (codes::REFUSED, Level::Note),
                &[value],
                format!("docker refuses the variables in `{text}`"),
                "write `${A}` or `${A:-default}`, and `$$` for a dollar sign",
            );
            return Some(text);
        };
        for name in filled.unset {
            let what = format!("the value of `${name}`: treated as different from every other text");
            self.unread(value, what);
        }
        Some(filled.text)
    }

    /// Returns the text of one key.
    pub fn text_of(&mut self, map: &Value<'_>, key: &str) -> Option<String> {
        map.get(key).and_then(|v| self.text(&v))
    }

    /// Returns a scalar without reporting its variables. A variable without a value stays as
    /// `${A}`.
    pub fn quiet(value: &Value<'_>) -> Option<String> {
        let text = value.text()?;
        Some(interpolate(&text).map_or(text, |filled| filled.text))
    }

    /// Returns a whole number; `None` if it cannot be read. docker rejects a number in quotes, which is
    /// text, unless it contains a variable (docker/cli `cli/compose/loader/interpolate.go`).
    pub fn number(&mut self, value: &Value<'_>, otherwise: &str) -> Option<u64> {
        let text = Self::quiet(value)?;
        let filled = value.as_str() != Some(text.as_str());
        let plain = || value.number().and_then(|n| u64::try_from(n).ok());
        let number = if filled || value.is_quoted() { text.parse().ok() } else { plain() };
        if !filled && value.is_quoted() && number.is_some() {
            let message = format!("docker stack deploy refuses `{text}` in quotes: it wants a number");
            self.found((codes::REFUSED, Level::Note), &[value], message, "write it without quotes");
        } else if number.is_none() {
            self.unread(value, format!("`{text}` is not a number here: {otherwise}"));
        }
        number
    }

    /// Returns whether docker reads the value as true.
    pub fn truth(value: &Value<'_>) -> bool {
        let text = Self::quiet(value).unwrap_or_default().to_ascii_lowercase();
        matches!(text.as_str(), "true" | "yes" | "y" | "on")
    }

    /// Returns a text that Swarm has expanded, and reports what is wrong with it.
    pub fn expanded(&mut self, value: &Value<'_>, expanded: Expanded) -> Expanded {
        for field in &expanded.refused {
            self.found(
                (codes::REFUSED, Level::Violation),
                &[value],
                format!("Swarm knows no `{field}` and refuses the service"),
                "write one of .Service.Name, .Node.ID, .Node.Hostname, .Task.Slot in {{ }}",
            );
        }
        for expression in &expanded.unread {
            self.unread(
                value,
                format!("`{{{{{expression}}}}}`: treated as a text that is the same everywhere"),
            );
        }
        expanded
    }

    /// Returns the pairs of a map, or of a list of `KEY=VALUE`. The value is `None` if there is
    /// none.
    pub fn pairs(value: &Value<'d>) -> Vec<(String, Option<String>, Value<'d>)> {
        let mut pairs = Vec::new();
        for item in value.items() {
            let Some(text) = Self::quiet(&item) else { continue };
            match text.split_once('=') {
                Some((key, value)) => pairs.push((key.to_owned(), Some(value.to_owned()), item)),
                None => pairs.push((text, None, item)),
            }
        }
        for (key, item) in value.entries() {
            pairs.push((key.to_owned(), Self::quiet(&item), item));
        }
        pairs
    }

    /// Returns a definition below `volumes`, `networks`, `configs` or `secrets`.
    pub fn defined(&self, section: &'static str, key: &str) -> Option<Value<'d>> {
        self.definitions.get(&(section, key)).copied()
    }
}

/// Returns the name of an existing thing, if the definition says that it exists: `external: true`
/// with `name`, or the older `external: { name }`.
pub fn external(definition: &Value<'_>, key: &str) -> Option<String> {
    let external = definition.get("external")?;
    let older = external.get("name");
    if older.is_none() && !Page::truth(&external) {
        return None;
    }
    let name = older.or_else(|| definition.get("name")).and_then(|n| Page::quiet(&n));
    Some(name.unwrap_or_else(|| key.to_owned()))
}
