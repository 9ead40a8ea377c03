//! The acceptances in files: the owner accepts a finding of one object or service, and gives the reason.
//!
//! They are comments (`# berthc: accept CODE because REASON`), or values of a key `berthc/accept`, such
//! as an annotation (rendered text and JSON have no comments).

use std::collections::BTreeMap;

use super::file::File;
use crate::finding::FindingId;
use crate::target::Target;
use crate::text::yaml::{self, Document, Parsed, Value};

/// The start of a comment that accepts a finding.
const COMMENT: &str = "berthc: accept ";
/// The key of an annotation or label that accepts a finding.
const KEY: &str = "berthc/accept";

/// The acceptances of one file, and its objects.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The reason, by the object (`None` for the whole file) and the normalized code.
    marks: BTreeMap<(Option<usize>, FindingId), String>,
    /// The blocks, in the order of their first lines.
    pub blocks: Vec<Block>,
    /// The index of each object by its path in its document: `items[0]`, `services.db`.
    ways: BTreeMap<String, usize>,
}

/// The lines of one object or service.
#[derive(Debug, Clone)]
pub struct Block {
    first: usize,
    /// The path in the document; empty for a whole document.
    way: String,
    /// The names that an entry of `berthc.toml` can use; empty if the block is no object.
    pub names: Vec<String>,
}

/// Returns whether a file may have acceptances.
pub(super) fn is_marked(file: &File<'_>) -> bool {
    // Both contain this word, which few files have.
    file.text.contains("accept") && (file.text.contains(COMMENT) || file.text.contains(KEY))
}

/// Reads a YAML file with the comments that may accept a finding.
pub(super) fn parse<'f>(file: &File<'f>) -> Parsed<'f> {
    yaml::parse(file.text, is_marked(file).then_some(COMMENT))
}

impl Page {
    /// Reads a file, whether it has acceptances or not.
    pub fn read(file: &File<'_>, target: Target) -> Self {
        match target {
            Target::Fleet => Self::of_unit(file),
            Target::Swarm => Self::of_stack(file, &parse(file)),
            Target::Kubernetes => Self::of_manifest(file, &parse(file)),
        }
    }

    /// Reads a manifest.
    pub(super) fn of_manifest(file: &File<'_>, parsed: &Parsed<'_>) -> Self {
        Self::new(objects(&parsed.documents)).marked(file, parsed)
    }

    /// Reads a stack file.
    pub(super) fn of_stack(file: &File<'_>, parsed: &Parsed<'_>) -> Self {
        Self::new(services(&parsed.documents)).marked(file, parsed)
    }

    /// Adds the acceptances of a YAML file.
    fn marked(mut self, file: &File<'_>, parsed: &Parsed<'_>) -> Self {
        let lines: Vec<&str> = file.text.lines().collect();
        let owners = Owners::new(&lines);
        for comment in &parsed.comments {
            if let Some(mark) = mark(comment.text) {
                self.add(self.block(owners.of(comment.line, comment.column), ""), mark);
            }
        }
        for value in parsed.documents.iter().flat_map(Document::scalars).filter(|v| v.key() == Some(KEY)) {
            for pair in value.as_str().unwrap_or_default().split(['\n', ';']).filter_map(pair) {
                self.add(self.block(value.line(), &value.field()), pair);
            }
        }
        self
    }

    /// Returns the reason why the finding with this code is accepted at a block, or in the whole file.
    pub fn reason(&self, block: Option<usize>, code: FindingId) -> Option<&str> {
        let own = block.and_then(|block| self.marks.get(&(Some(block), code)));
        own.or_else(|| self.marks.get(&(None, code))).map(String::as_str)
    }

    /// Reads a unit.
    pub(super) fn of_unit(file: &File<'_>) -> Self {
        let name = file.path.rsplit('/').next().unwrap_or(file.path).to_owned();
        let mut page = Self::new(vec![Block { first: 1, way: String::new(), names: vec![name] }]);
        let comments = file.text.lines().filter_map(|line| line.trim_start().strip_prefix(['#', ';']));
        comments.filter_map(mark).for_each(|mark| page.add(None, mark));
        page
    }
    fn new(mut blocks: Vec<Block>) -> Self {
        // If two blocks begin on one line, the inner one comes last.
        blocks.sort_by_key(|b| (b.first, !b.names.is_empty()));
        let ways = blocks.iter().enumerate().filter(|(_, b)| !b.way.is_empty());
        let ways = ways.map(|(i, b)| (b.way.clone(), i)).collect();
        Self { marks: BTreeMap::new(), blocks, ways }
    }

    /// Returns the index of the block that a line belongs to. If one line has several blocks,
    /// `field` decides.
    pub fn block(&self, line: usize, field: &str) -> Option<usize> {
        let last = self.blocks.partition_point(|b| b.first <= line).checked_sub(1)?;
        let way = &self.blocks[last].way;
        if field.is_empty() || way.is_empty() || field.strip_prefix(way).is_some_and(ends) {
            return Some(last);
        }
        let above = field.char_indices().rev().filter(|(i, _)| ends(&field[*i..])).map(|(i, _)| &field[..i]);
        std::iter::once(field).chain(above).find_map(|way| self.ways.get(way).copied()).or(Some(last))
    }

    fn add(&mut self, block: Option<usize>, (code, because): (FindingId, String)) {
        let block = block.filter(|b| !self.blocks[*b].names.is_empty());
        self.marks.entry((block, code)).or_insert(because);
    }
}

/// Returns whether a step of a path ends before `rest`.
fn ends(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '['])
}

/// Reads `berthc: accept CODE because REASON` of a comment.
fn mark(comment: &str) -> Option<(FindingId, String)> {
    pair(comment.trim_start().strip_prefix(COMMENT)?)
}

/// Reads `CODE because REASON`.
fn pair(text: &str) -> Option<(FindingId, String)> {
    let (code, because) = text.split_once(" because ")?;
    let because = because.trim().trim_matches('"');
    let code: FindingId = code.trim().parse().ok()?;
    (!because.is_empty()).then(|| (code.normalized(), because.to_owned()))
}

/// The lines that comments belong to.
struct Owners<'l> {
    lines: &'l [&'l str],
    /// For each line, the number of the next line with content, from 1; 0 if there is none.
    next: Vec<usize>,
}

impl<'l> Owners<'l> {
    fn new(lines: &'l [&'l str]) -> Self {
        let mut next = vec![0; lines.len() + 2];
        for line in (1..=lines.len()).rev() {
            let text = lines[line - 1].trim_start();
            next[line] = if text.is_empty() || text.starts_with('#') { next[line + 1] } else { line };
        }
        Self { lines, next }
    }

    /// Returns the line of the content that the comment at `line` belongs to: its own line, else the next
    /// one, unless that begins further left or in another document.
    fn of(&self, line: usize, column: usize) -> usize {
        let next = self.next.get(line).copied().unwrap_or_default();
        let text = next.checked_sub(1).map_or("---", |i| self.lines[i]);
        let indent = text.len() - text.trim_start().len();
        if next == line || !text.starts_with("---") && indent >= column { next } else { line }
    }
}

/// Returns the objects of manifests. Each item of a List is an object of its own.
fn objects(documents: &[Document]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Vec<Value<'_>> = documents.iter().rev().map(Document::root).collect();
    while let Some(object) = open.pop() {
        let items = object.get("items").map(Value::items).unwrap_or_default();
        let text = |way: &[&str]| object.at(way).and_then(Value::as_str).unwrap_or_default();
        let name = format!("{}/{}", text(&["kind"]).to_lowercase(), text(&["metadata", "name"]));
        let namespace = object.at(&["metadata", "namespace"]).and_then(Value::as_str).unwrap_or("default");
        let names = vec![format!("{namespace}/{name}"), name];
        blocks.push(Block { first: object.line(), way: object.field(), names });
        open.extend(items.into_iter().rev());
    }
    blocks
}

/// Returns the top-level sections of a stack file, and the services and other objects in them.
fn services(documents: &[Document]) -> Vec<Block> {
    let block = |value: Value<'_>, names| Block { first: value.line(), way: value.field(), names };
    let mut blocks = Vec::new();
    for (_, section) in documents.iter().take(1).flat_map(|d| d.root().entries()) {
        blocks.push(block(section, Vec::new()));
        let maps = section.entries().into_iter().filter(|(_, value)| value.is_map());
        blocks.extend(maps.map(|(name, value)| block(value, vec![name.to_owned()])));
    }
    blocks
}
