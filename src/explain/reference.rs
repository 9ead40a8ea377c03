//! The fields of a spec as data, read from its [`crate::schema`]: the comment of each field, its type,
//! its default, an example, and what it becomes on each target.
//!
//! A comment ends with a list: `- Kubernetes: …`, `- fleet: …`, `- Swarm: …`, or `- Every target: …`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::schema::schema;

/// A field of a spec.
#[derive(Debug, Clone)]
pub struct Field {
    /// The path, with a capital word in the place of a name that the user gives: `files.PATH.mode`.
    pub path: String,
    /// What it is.
    pub text: String,
    /// The type, in words.
    pub kind: String,
    /// The default, as it is written.
    pub default: Option<String>,
    /// The first example, as it is written.
    pub example: Option<String>,
    /// What it becomes: the targets, and the text.
    pub becomes: Vec<(String, String)>,
    /// The path of the block that the field holds, if it holds one.
    pub block: Option<String>,
}

/// A block of fields.
#[derive(Debug, Clone)]
pub struct Block {
    /// The path; empty for the spec itself.
    pub path: String,
    /// Other paths with the same fields.
    pub also: Vec<String>,
    /// What it is.
    pub text: String,
    /// The fields, by name.
    pub fields: Vec<Field>,
}

/// A block that is not read yet: its definition, the name of that, and its path.
type Open<'s> = (&'s Value, &'s str, String);

static BLOCKS: LazyLock<Vec<Block>> = LazyLock::new(read);

/// Returns all blocks of a spec, by path.
pub fn blocks() -> &'static [Block] {
    &BLOCKS
}

fn read() -> Vec<Block> {
    let root = schema();
    let mut reader = Reader { root: &root, blocks: Vec::new(), known: BTreeMap::new() };
    let mut open = VecDeque::from([(&root, "", String::new())]);
    // Breadth first: a block that stands at several paths has the shortest.
    while let Some((definition, name, path)) = open.pop_front() {
        open.extend(reader.block(definition, name, path));
    }
    let mut blocks = reader.blocks;
    blocks.sort_by(|a, b| a.path.cmp(&b.path));
    blocks
}

/// Reads the blocks of a schema.
struct Reader<'s> {
    root: &'s Value,
    blocks: Vec<Block>,
    /// The place of the block of each definition.
    known: BTreeMap<&'s str, usize>,
}

impl<'s> Reader<'s> {
    /// Returns the definition that `value` refers to, with its name.
    fn definition(&self, value: &'s Value) -> Option<(&'s str, &'s Value)> {
        let name = value.get("$ref")?.as_str()?.strip_prefix("#/definitions/")?;
        Some((name, self.root.get("definitions")?.get(name)?))
    }

    /// Returns the block that `value` holds: what its path ends with, its name, and its definition.
    fn held(&self, value: &'s Value) -> Option<(&'static str, &'s str, &'s Value)> {
        if let Some((name, definition)) = self.definition(value) {
            return match definition.get("properties") {
                Some(_) => Some(("", name, definition)),
                None => self.held(definition),
            };
        }
        if let Some(any) = value.get("anyOf").and_then(Value::as_array) {
            return any.iter().find_map(|one| self.held(one));
        }
        if let Some(items) = value.get("items") {
            return self.held(items).map(|(_, name, definition)| (".ITEM", name, definition));
        }
        let (_, name, definition) = self.held(value.get("additionalProperties")?)?;
        let keys = value.pointer("/propertyNames/pattern").and_then(Value::as_str).unwrap_or_default();
        Some((if keys.starts_with("^(/") { ".PATH" } else { ".NAME" }, name, definition))
    }

    /// Reads a block, and returns the blocks in it.
    fn block(&mut self, definition: &'s Value, name: &'s str, path: String) -> Vec<Open<'s>> {
        if let Some(known) = self.known.get(name).and_then(|at| self.blocks.get_mut(*at)) {
            known.also.push(path);
            return Vec::new();
        }
        self.known.insert(name, self.blocks.len());
        let (text, _) = parts(definition);
        let (mut all, mut inner) = (Vec::new(), Vec::new());
        for (key, value) in definition.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let block = self.held(value).map(|(end, name, definition)| {
                let path = format!("{path}{end}");
                inner.push((definition, name, path.clone()));
                path
            });
            all.push(self.field(path, key, value, block));
        }
        self.blocks.push(Block { path, also: Vec::new(), text, fields: all });
        inner
    }

    fn field(&self, path: String, key: &str, value: &'s Value, block: Option<String>) -> Field {
        let (text, becomes) = parts(value);
        let example = value.get("examples").and_then(|all| all.get(0));
        Field {
            path,
            text,
            kind: self.kind(value),
            default: value.get("default").map(flow),
            example: example.map(|example| format!("{key}: {}", flow(example))),
            becomes,
            block,
        }
    }

    /// Returns the type of a value, in words.
    fn kind(&self, value: &'s Value) -> String {
        if let Some((_, definition)) = self.definition(value) {
            return self.kind(definition);
        }
        let words = |all: &'s [Value]| all.iter().map(flow).collect::<Vec<_>>().join(", ");
        let one_of = |all: &'s [Value]| all.iter().map(|one| self.kind(one)).collect::<Vec<_>>().join(" or ");
        let list = |key: &str| value.get(key).and_then(Value::as_array).map(Vec::as_slice);
        if let Some(fixed) = value.get("const") {
            return format!("`{}`", flow(fixed));
        }
        if let Some(all) = list("enum") {
            return format!("one of {}", words(all));
        }
        if let Some(any) = list("oneOf").or(list("anyOf")).filter(|_| value.get("properties").is_none()) {
            // A text with two patterns is one kind of text.
            return match value.get("type").and_then(Value::as_str) {
                Some("string") => "text".to_owned(),
                _ => one_of(any),
            };
        }
        match value.get("type").and_then(Value::as_str) {
            Some("string") => "text".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("integer") => number(value),
            Some("array") => {
                let items = value.get("items").map_or_else(|| "value".to_owned(), |items| self.kind(items));
                format!("list; each item: {items}")
            }
            Some("object") if value.get("properties").is_some() => "block".to_owned(),
            Some("object") => match value.get("additionalProperties").filter(|v| v.is_object()) {
                Some(one) => format!("map; each value: {}", self.kind(one)),
                None => "map".to_owned(),
            },
            _ => "any value".to_owned(),
        }
    }
}

fn number(value: &Value) -> String {
    let bound = |key: &str| value.get(key).and_then(Value::as_u64);
    match (bound("minimum").unwrap_or(0), bound("maximum")) {
        (least, Some(most)) if most < 1 << 31 => format!("whole number, {least} to {most}"),
        (least, _) => format!("whole number, at least {least}"),
    }
}

/// Splits a comment into its text and the list at its end.
fn parts(value: &Value) -> (String, Vec<(String, String)>) {
    let comment = value.get("description").and_then(Value::as_str).unwrap_or_default();
    let (text, list) = match comment.split_once("\n\n- ") {
        Some((text, list)) => (text, Some(list)),
        None => (comment, None),
    };
    let items = list.into_iter().flat_map(|list| list.split("\n- "));
    let pair = |item: &str| {
        let (targets, text) = item.split_once(": ")?;
        Some((targets.to_owned(), joined(text)))
    };
    let paragraphs: Vec<String> = text.split("\n\n").map(joined).collect();
    (paragraphs.join("\n\n"), items.filter_map(pair).collect())
}

/// Joins the lines of a paragraph.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a value as YAML on one line.
fn flow(value: &Value) -> String {
    let pair = |(key, value): (&String, &Value)| format!("{}: {}", text(key), flow(value));
    match value {
        Value::String(one) => text(one),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if !Map::is_empty(map) => {
            format!("{{ {} }}", map.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Returns a text as YAML: plain if it cannot be read as anything else.
fn text(one: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let safe = one.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && one.chars().all(plain)
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&one);
    if safe { one.to_owned() } else { Value::from(one).to_string() }
}
