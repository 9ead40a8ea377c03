//! From the model to the texts of each batch, and what they hold: the way from plan to search, walked
//! batch by batch.

use std::collections::BTreeMap;

use super::index::Index;
use super::{batch, cross_check};
use crate::certificate::{self, Certificates};
use crate::diag::{Diagnostic, failed};
use crate::emit::{self, Printer, Tree};
use crate::explore::Memo;
use crate::model::Model;
use crate::model::check::together;
use crate::options::Options;
use crate::plan::{self, Plans};
use crate::threads;
use crate::verify::{self, Claim};
use crate::world::File;

/// What every batch needs.
pub struct Pipeline<'a> {
    /// All services.
    pub index: &'a Index<'a>,
    /// What was asked for.
    pub options: &'a Options,
    /// The templates.
    pub printer: Printer,
    /// What was searched before.
    pub memo: Memo,
    /// What is known to be wrong before anything is planned.
    pub faults: &'a [Diagnostic],
}

/// A batch of services: those that name each other or may meet, and no others.
pub struct Batch<'a> {
    /// Their indices among all services of the compile, which are in order of name and revision.
    pub services: &'a [usize],
    work: &'a Pipeline<'a>,
}

/// What a batch of services compiles to.
#[derive(Debug)]
pub struct Output {
    /// The services of the batch, and those that they name; nobody else.
    pub model: Model,
    /// What to write.
    pub tree: Tree,
    /// What holds what; services with faults have none.
    pub certificates: Certificates,
    /// Whether the texts were searched. What was not may lack gaps.
    pub searched: bool,
}

/// What is made of each batch of a compile, several at a time.
pub trait Sink: Sync {
    /// What is kept of it.
    type T: Send;

    /// What is kept of a batch that need not be compiled: whoever says so vouches that no error is
    /// in it. Nobody is asked when specs have faults, when templates placement in for berthc's own, or
    /// of services with raw additions.
    fn cached(&self, _batch: &Batch<'_>) -> Option<Self::T> {
        None
    }

    /// Whether parts are shown before the search: where [`Sink::accept`] then returns `None`, or
    /// there is an error, they are searched and shown again. What templates of others or raw
    /// additions may bring together is searched in any case.
    fn inspect_first(&self) -> bool {
        false
    }

    /// What is kept of a part. One with an error may be shown, or not.
    fn accept(&self, batch: &Batch<'_>, part: Output) -> Option<Self::T>;

    /// Hears how many batches are done, of how many.
    fn progress(&self, _done: usize, _of: usize) {}
}

/// Keeps every part whole.
pub struct Whole;

impl Sink for Whole {
    type T = Output;

    fn accept(&self, _: &Batch<'_>, part: Output) -> Option<Output> {
        Some(part)
    }
}

/// What became of a batch.
struct Done<T> {
    batch: Vec<usize>,
    kept: Option<T>,
    diagnostics: Vec<Diagnostic>,
    /// What its texts claim; nothing, where that is only what its specs say.
    claims: Vec<Claim>,
}

impl<'a> Batch<'a> {
    /// The names of its services; revisions of one have one name.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.services.iter().map(|i| self.work.index.summaries[*i].name.as_str())
    }

    /// Tells all that the part is made from, list by list, but for the program itself and the
    /// [`Options::hash_inputs`]. Its model holds no other services, so that two batches which tell the same
    /// compile to the same part, unless there is an error.
    pub fn hash_inputs(&self, tell: &mut dyn FnMut(&[&[u8]])) {
        let index = self.work.index;
        for service in index.near(self.services) {
            let summary = &index.summaries[service];
            let own = self.services.binary_search(&service).is_ok();
            let cycle = index.dns_cycles.cycle(&summary.name).filter(|_| own);
            let (own, waits) = (if own { "of the batch" } else { "named" }, cycle.map_or("", |_| "waits"));
            tell(&[&summary.digest, own.as_bytes(), waits.as_bytes()]);
            tell(&cycle.into_iter().flatten().map(String::as_bytes).collect::<Vec<_>>());
        }
    }
}

impl Pipeline<'_> {
    /// Works on every batch: what `each` kept of them, and what is wrong with them.
    pub fn all<S: Sink>(&self, sink: &S) -> (Vec<S::T>, Vec<Diagnostic>) {
        let mut open = batch::of(&self.index.summaries);
        let mut done: Vec<Done<S::T>> = Vec::new();
        let (mut count, mut joined) = (open.len(), false);
        while !open.is_empty() {
            let before = done.len();
            let tell = |n| sink.progress(before + n, count);
            let work = |batch| self.batch(batch, joined, sink);
            done.extend(threads::each(self.options.threads, open, work, &tell));
            // Texts that name one thing belong together, whatever their specs say.
            open = meeting(&mut done);
            (count, joined) = (done.len() + open.len(), true);
        }
        done.sort_by(|a, b| a.batch.cmp(&b.batch));
        let (mut kept, mut diagnostics) = (Vec::new(), Vec::new());
        for one in done {
            kept.extend(one.kept);
            diagnostics.extend(one.diagnostics);
        }
        (kept, diagnostics)
    }

    /// What is made of one batch; of one that was `joined`, nothing was known.
    fn batch<S: Sink>(&self, services: Vec<usize>, joined: bool, sink: &S) -> Done<S::T> {
        let batch = Batch { services: &services, work: self };
        let done = |kept, diagnostics, claims| Done { batch: services.clone(), kept, diagnostics, claims };
        // What a template of others prints, no spec tells; nor whom raw additions meet, which may
        // have been written when the other was not there.
        let own = self.options.templates.is_empty();
        let raw = self.raw(&services);
        if own
            && !raw
            && !failed(self.faults)
            && let Some(kept) = sink.cached(&batch)
        {
            return done(Some(kept), Vec::new(), Vec::new());
        }
        let model = match self.index.model(&services) {
            Ok(model) => model,
            Err(changed) => return done(None, vec![*changed], Vec::new()),
        };
        let seen = own && !joined && (!raw || services.len() == 1);
        if seen && sink.inspect_first() {
            let (part, diagnostics, mut claims) = self.part(model.clone(), &services, false);
            if raw {
                let files: Vec<File<'_>> = part.tree.iter().map(|(path, text)| File { path, text }).collect();
                claims = verify::claims(&files);
            }
            if !failed(&diagnostics)
                && let Some(kept) = sink.accept(&batch, part)
            {
                return done(Some(kept), diagnostics, claims);
            }
        }
        let (part, diagnostics, claims) = self.part(model, &services, !self.options.skip_search);
        done(sink.accept(&batch, part), diagnostics, claims)
    }

    /// Whether services among `batch` have raw additions.
    fn raw(&self, batch: &[usize]) -> bool {
        batch.iter().any(|i| !self.index.summaries[*i].raw.is_empty())
    }

    /// Checks, plans, prints, reads back, judges and, if `searched`, searches the services `batch`.
    fn part(&self, model: Model, batch: &[usize], searched: bool) -> (Output, Vec<Diagnostic>, Vec<Claim>) {
        let (options, hidden) = (self.options, &self.index.dns_cycles);
        let mut diagnostics = Vec::new();
        together(&model, batch, &mut diagnostics);
        plan::clashes(&model, batch, &mut diagnostics);
        let Plans { pages, mut gaps } = plan::plan(&model, batch, hidden, options, &mut diagnostics);
        let sound = !failed(self.faults) && !failed(&diagnostics);
        let mut printing = Vec::new();
        let mut tree = self.printer.print(&pages, &mut printing);
        // What a faulty spec prints is nobody's business.
        diagnostics.extend(printing.into_iter().filter(|_| sound));
        let faults = || self.faults.iter().chain(&diagnostics);
        let certificates = certificate::certify(&model, batch, &tree, faults());
        gaps.extend(certificates.gaps(&model, &gaps));
        let unread = certificates.unread.iter().map(|(path, why)| emit::unreadable(path, why));
        diagnostics.extend(unread.filter(|_| sound));
        let mut claims = Vec::new();
        if searched {
            let proof =
                cross_check::gaps(&model, batch, &certificates, &tree, &gaps, &self.memo, &mut diagnostics);
            if !options.templates.is_empty() || self.raw(batch) {
                cross_check::nested(&model, &certificates, &proof.unread, &mut diagnostics);
            }
            gaps.extend(proof.gaps);
            claims = proof.claims;
        }
        plan::waivers(&model, batch, &gaps, |s| certificates.has(s), &mut diagnostics);
        tree.extend(self.printer.print(&certificates.pages(&model, batch, &gaps), &mut diagnostics));
        tree.retain(|path, _| options.wants(path));
        (Output { model, tree, certificates, searched }, diagnostics, claims)
    }
}

/// Takes the batches out of `done` that claim what another one does, joined to larger ones.
fn meeting<T>(done: &mut Vec<Done<T>>) -> Vec<Vec<usize>> {
    let mut union = batch::Union::new(done.len());
    let mut owners: BTreeMap<&Claim, usize> = BTreeMap::new();
    for (i, one) in done.iter().enumerate() {
        for claim in &one.claims {
            union.join(*owners.entry(claim).or_insert(i), i);
        }
    }
    let sets = union.sets();
    let mut joined = Vec::new();
    let mut gone = vec![false; done.len()];
    for set in sets.into_iter().filter(|set| set.len() > 1) {
        let mut batch: Vec<usize> = set.iter().flat_map(|i| done[*i].batch.iter().copied()).collect();
        batch.sort_unstable();
        joined.push(batch);
        set.iter().for_each(|i| gone[*i] = true);
    }
    let mut gone = gone.into_iter();
    done.retain(|_| !gone.next().unwrap_or_default());
    joined
}
