//! Acceptances: the owner of a file accepts a finding of one object or service, and gives the
//! reason.
//!
//! They are comments (`# berthc: accept CODE because REASON`), values of a key `berthc/accept`, such as
//! an annotation (rendered text and JSON have no comments), or entries of `berthc.toml`.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Accept, At, Finding, FindingId};
use crate::target::Target;
use crate::text::yaml::{self, Document, Value};
use crate::world::File;

/// The start of a comment that accepts a finding.
const COMMENT: &str = "berthc: accept ";
/// The key of an annotation or label that accepts a finding.
const KEY: &str = "berthc/accept";

/// All acceptances of the files.
#[derive(Debug, Default)]
pub(super) struct Accepts<'f> {
    files: BTreeMap<&'f str, Page>,
    /// The entries of `berthc.toml`, each with its normalized code; `None` is a code that does not exist.
    objects: Vec<(Option<FindingId>, &'f Accept)>,
}

/// The acceptances of one file, and its objects.
#[derive(Debug, Default)]
struct Page {
    /// The reason, by the object (`None` for the whole file) and the normalized code.
    marks: BTreeMap<(Option<usize>, FindingId), String>,
    /// The blocks, in the order of their first lines.
    blocks: Vec<Block>,
    /// The index of each object by its path in its document: `items[0]`, `services.db`.
    ways: BTreeMap<String, usize>,
}

/// The lines of one object or service.
#[derive(Debug)]
struct Block {
    first: usize,
    /// The path in the document; empty for a whole document.
    way: String,
    /// The names that an entry of `berthc.toml` can use; empty if the block is no object.
    names: Vec<String>,
}

impl<'f> Accepts<'f> {
    /// Reads the acceptances of `files`, each with the orchestrator that it is for.
    pub(super) fn read(files: &[File<'f>], targets: &[Option<Target>], objects: &'f [Accept]) -> Self {
        let code = |accept: &Accept| accept.code.parse().map(FindingId::normalized).ok();
        let own = objects.iter().map(|accept| (code(accept), accept)).collect();
        let mut all = Self { files: BTreeMap::new(), objects: own };
        for (file, target) in files.iter().zip(targets) {
            let Some(target) = target else { continue };
            // Both contain this word, which few files have.
            let marked =
                file.text.contains("accept") && (file.text.contains(COMMENT) || file.text.contains(KEY));
            if marked || !objects.is_empty() {
                all.files.insert(file.path, page(file, *target));
            }
        }
        all
    }

    /// Returns the reason why `finding` is accepted, and the index of the entry of `berthc.toml`
    /// that accepts it. `None` if nothing accepts it.
    pub(super) fn reason(&self, finding: &Finding) -> Option<(&str, Option<usize>)> {
        let code = finding.code.normalized();
        finding.at.iter().find_map(|at| {
            let page = self.files.get(&*at.file)?;
            let block = page.block(at.line, &at.field);
            let own = block.and_then(|block| page.marks.get(&(Some(block), code)));
            let mark = own.or_else(|| page.marks.get(&(None, code)));
            let mark = mark.map(|because| (because.as_str(), None));
            mark.or_else(|| self.of_object(code, at, &page.blocks[block?]))
        })
    }

    fn of_object(&self, code: FindingId, at: &At, block: &Block) -> Option<(&str, Option<usize>)> {
        let of = |(accepted, a): &(Option<FindingId>, &Accept)| {
            *accepted == Some(code) && is_of(a, &at.file) && block.names.contains(&a.object)
        };
        let index = self.objects.iter().position(of)?;
        Some((&self.objects[index].1.because, Some(index)))
    }

    /// Returns the entries of `berthc.toml` that accept nothing, although their objects are among
    /// the files.
    pub(super) fn stale(&self, used: &BTreeSet<usize>) -> Vec<Accept> {
        let there = |accept: &Accept| {
            let mut pages = self.files.iter().filter(|(file, _)| is_of(accept, file));
            pages.any(|(_, page)| page.blocks.iter().any(|block| block.names.contains(&accept.object)))
        };
        let free = self.objects.iter().enumerate().filter(|(i, _)| !used.contains(i));
        free.map(|(_, (_, accept))| *accept).filter(|accept| there(accept)).cloned().collect()
    }
}

/// Whether an entry of `berthc.toml` may be about an object of this file.
fn is_of(accept: &Accept, file: &str) -> bool {
    accept.file.as_ref().is_none_or(|end| file.ends_with(end))
}

impl Page {
    fn new(mut blocks: Vec<Block>) -> Self {
        // If two blocks begin on one line, the inner one comes last.
        blocks.sort_by_key(|b| (b.first, !b.names.is_empty()));
        let ways = blocks.iter().enumerate().filter(|(_, b)| !b.way.is_empty());
        let ways = ways.map(|(i, b)| (b.way.clone(), i)).collect();
        Self { marks: BTreeMap::new(), blocks, ways }
    }

    /// Returns the index of the block that a line belongs to. If one line has several blocks,
    /// `field` decides.
    fn block(&self, line: usize, field: &str) -> Option<usize> {
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

fn page(file: &File<'_>, target: Target) -> Page {
    if target == Target::Fleet {
        let name = file.path.rsplit('/').next().unwrap_or(file.path).to_owned();
        let mut page = Page::new(vec![Block { first: 1, way: String::new(), names: vec![name] }]);
        let comments = file.text.lines().filter_map(|line| line.trim_start().strip_prefix(['#', ';']));
        comments.filter_map(mark).for_each(|mark| page.add(None, mark));
        return page;
    }
    let lines: Vec<&str> = file.text.lines().collect();
    let (documents, _) = yaml::read(file.text);
    let mut page = Page::new(match target {
        Target::Swarm => services(&documents),
        _ => objects(&documents),
    });
    let owners = Owners::new(&lines);
    for comment in yaml::comments(file.text, COMMENT) {
        if let Some(mark) = mark(comment.text) {
            page.add(page.block(owners.of(comment.line, comment.column), ""), mark);
        }
    }
    for value in documents.iter().flat_map(Document::scalars).filter(|v| v.key() == Some(KEY)) {
        for pair in value.as_str().unwrap_or_default().split(['\n', ';']).filter_map(pair) {
            page.add(page.block(value.line(), &value.field()), pair);
        }
    }
    page
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
