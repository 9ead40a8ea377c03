//! Finds the acceptance of a finding: one in its file, or an entry of `berthc.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::finding::{Accept, At, Finding, FindingId};
use crate::world::{Block, Page, Worlds};

/// All acceptances of the files.
#[derive(Debug, Default)]
pub(super) struct Accepts<'f> {
    /// The pages of the files that can hold an acceptance, by path.
    files: BTreeMap<Arc<str>, Page>,
    /// The entries of `berthc.toml`, each with its normalized code; `None` is a code that does not exist.
    objects: Vec<(Option<FindingId>, &'f Accept)>,
}

impl<'f> Accepts<'f> {
    /// Takes the acceptances out of `worlds`, and adds those of `berthc.toml`.
    pub(super) fn take(worlds: &mut Worlds<'_>, objects: &'f [Accept]) -> Self {
        let code = |accept: &Accept| accept.code.parse().map(FindingId::normalized).ok();
        let own = objects.iter().map(|accept| (code(accept), accept)).collect();
        let mut files = BTreeMap::new();
        worlds.read.iter_mut().for_each(|read| files.append(&mut read.world.pages));
        // A reader makes no page for a file without acceptances.
        for (file, target) in worlds.files.iter().zip(&worlds.targets).filter(|_| !objects.is_empty()) {
            let Some(target) = target else { continue };
            files.entry(file.path.into()).or_insert_with(|| Page::read(file, *target));
        }
        Self { files, objects: own }
    }

    /// Returns the reason why `finding` is accepted, and the index of the entry of `berthc.toml`
    /// that accepts it. `None` if nothing accepts it.
    pub(super) fn reason(&self, finding: &Finding) -> Option<(&str, Option<usize>)> {
        let code = finding.code.normalized();
        finding.at.iter().find_map(|at| {
            let page = self.files.get(&*at.file)?;
            let block = page.block(at.line, &at.field);
            let mark = page.reason(block, code).map(|because| (because, None));
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
