//! Compiles one batch of services after another: check, plan, emit, certify, search. Batches run
//! in parallel.

use std::collections::BTreeMap;

use super::index::Index;
use super::{batch, cross_check, notes};
use crate::certificate::{self, Certificates};
use crate::diag::{Diagnostic, Place, failed};
use crate::emit::{self, Printer, Tree};
use crate::explore::Memo;
use crate::model::check::together;
use crate::model::{Model, Service};
use crate::options::Options;
use crate::plan::{self, Plans};
use crate::text::yaml;
use crate::threads;
use crate::verify::{self, Claim};
use crate::world::{File, Known, UnreadKind, Worlds};

/// The shared state that every batch needs.
pub struct Pipeline<'a> {
    /// The index of all services.
    pub index: &'a Index<'a>,
    /// The options of this compile.
    pub options: &'a Options,
    /// The printer of the templates.
    pub printer: Printer,
    /// The results of earlier searches.
    pub memo: Memo,
    /// The errors of the specs, known before anything is planned.
    pub faults: &'a [Diagnostic],
}

/// Services that name each other or can compete for one resource. Services of different batches
/// cannot affect each other.
pub struct Batch<'a> {
    /// The indices of the services. All services of a compile are sorted by name and revision.
    pub services: &'a [usize],
    pipeline: &'a Pipeline<'a>,
}

/// The result of compiling one batch.
#[derive(Debug)]
pub struct Output {
    /// The services of the batch and the services that they name.
    pub model: Model,
    /// The files to write.
    pub tree: Tree,
    /// The certificates of the services. A service with errors has none.
    pub certificates: Certificates,
    /// Whether the search ran on the files. Without it, some gaps may be missing.
    pub searched: bool,
    /// Whether there are notes about the files.
    pub noted: bool,
}

/// Receives the output of each batch. Several threads call it at once.
pub trait Sink: Sync {
    /// The value that the sink keeps of one batch.
    type T: Send;

    /// Returns a cached result, so that this batch is not compiled. The implementation guarantees
    /// that the batch has no errors. The pipeline does not call it if any spec has errors, with
    /// custom templates, or for services with raw additions: there the specs alone do not determine
    /// the output.
    fn cached(&self, _batch: &Batch<'_>) -> Option<Self::T> {
        None
    }

    /// Returns whether [`Sink::accept`] sees each output before the search. If it returns `None`,
    /// or if the output has errors, the pipeline searches the output and calls `accept` again.
    fn inspect_first(&self) -> bool {
        false
    }

    /// Takes the output of a batch. Outputs with errors may be left out.
    fn accept(&self, batch: &Batch<'_>, output: Output) -> Option<Self::T>;

    /// Reports how many of `_of` batches are done.
    fn progress(&self, _done: usize, _of: usize) {}
}

/// Keeps every output as it is.
pub struct Whole;

impl Sink for Whole {
    type T = Output;

    fn accept(&self, _: &Batch<'_>, output: Output) -> Option<Output> {
        Some(output)
    }
}

/// The state of a batch after its turn.
struct Done<T> {
    batch: Vec<usize>,
    kept: Option<T>,
    diagnostics: Vec<Diagnostic>,
    /// The directories and volumes that its files claim. Empty when these are only what its specs
    /// claim.
    claims: Vec<Claim>,
}

impl<'a> Batch<'a> {
    /// Returns the names of the services. Revisions of one service have one name.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.services.iter().map(|i| self.pipeline.index.summaries[*i].name.as_str())
    }

    /// Passes everything that determines the output to `add`, except the program itself and
    /// [`Options::hash_inputs`]. Two batches with the same inputs compile to the same output, unless
    /// there are errors: the model of a batch holds no other services.
    pub fn hash_inputs(&self, add: &mut dyn FnMut(&[&[u8]])) {
        let index = self.pipeline.index;
        for service in index.near(self.services) {
            let summary = &index.summaries[service];
            let in_batch = self.services.binary_search(&service).is_ok();
            let cycle = index.dns_cycles.cycle(&summary.name).filter(|_| in_batch);
            let (role, waits) =
                (if in_batch { "of the batch" } else { "named" }, cycle.map_or("", |_| "waits"));
            add(&[&summary.digest, role.as_bytes(), waits.as_bytes()]);
            add(&cycle.into_iter().flatten().map(String::as_bytes).collect::<Vec<_>>());
        }
    }
}

impl Pipeline<'_> {
    /// Compiles every batch. Returns what `sink` kept and the diagnostics, both in the order of the
    /// services.
    pub fn all<S: Sink>(&self, sink: &S) -> (Vec<S::T>, Vec<Diagnostic>) {
        let mut open = batch::of(&self.index.summaries);
        let mut done: Vec<Done<S::T>> = Vec::new();
        let (mut count, mut joined) = (open.len(), false);
        while !open.is_empty() {
            let before = done.len();
            let progress = |n| sink.progress(before + n, count);
            let work = |batch| self.compile_batch(batch, joined, sink);
            done.extend(threads::each(self.options.threads, open, work, &progress));
            // Files that claim one directory or volume belong together, whatever their specs say.
            open = take_meeting(&mut done);
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

    /// Compiles one batch. A batch that was `joined` from others is always searched.
    fn compile_batch<S: Sink>(&self, services: Vec<usize>, joined: bool, sink: &S) -> Done<S::T> {
        let batch = Batch { services: &services, pipeline: self };
        let finish = |kept, diagnostics, claims| Done { batch: services.clone(), kept, diagnostics, claims };
        // A cached result is not reused with custom templates or raw additions: the specs alone do
        // not determine what those emit, or which other services they touch.
        let builtin_templates = self.options.templates.is_empty();
        let raw = self.has_raw(&services);
        if builtin_templates
            && !raw
            && !failed(self.faults)
            && let Some(kept) = sink.cached(&batch)
        {
            return finish(Some(kept), Vec::new(), Vec::new());
        }
        let model = match self.index.model(&services) {
            Ok(model) => model,
            Err(changed) => return finish(None, vec![*changed], Vec::new()),
        };
        let may_inspect = builtin_templates && !joined && (!raw || services.len() == 1);
        if may_inspect && sink.inspect_first() {
            let (output, diagnostics, claims) = self.output(model.clone(), &services, false);
            if !failed(&diagnostics)
                && let Some(kept) = sink.accept(&batch, output)
            {
                return finish(Some(kept), diagnostics, claims);
            }
        }
        let (output, diagnostics, claims) = self.output(model, &services, !self.options.skip_search);
        finish(sink.accept(&batch, output), diagnostics, claims)
    }

    /// Returns whether a service of `batch` has raw additions.
    fn has_raw(&self, batch: &[usize]) -> bool {
        batch.iter().any(|i| !self.index.summaries[*i].raw.is_empty())
    }

    /// Checks, plans, prints, reads back and certifies the services of `batch`. Searches them if
    /// `searched`.
    fn output(&self, model: Model, batch: &[usize], searched: bool) -> (Output, Vec<Diagnostic>, Vec<Claim>) {
        let (options, dns_cycles) = (self.options, &self.index.dns_cycles);
        let mut diagnostics = Vec::new();
        together(&model, batch, &mut diagnostics);
        plan::clashes(&model, batch, &mut diagnostics);
        let Plans { pages, mut gaps } = plan::plan(&model, batch, dns_cycles, options, &mut diagnostics);
        let sound = !failed(self.faults) && !failed(&diagnostics);
        let mut printing = Vec::new();
        let mut tree = self.printer.print(&pages, &mut printing);
        // The output of an invalid spec is not reported.
        diagnostics.extend(printing.into_iter().filter(|_| sound));
        let faults = || self.faults.iter().chain(&diagnostics);
        let files: Vec<File<'_>> = tree.iter().map(|(path, text)| File { path, text }).collect();
        let worlds = Worlds::read(&files, Known::of_stacks(self.index.images()), &mut |_| {});
        let certificates = certificate::certify(&model, batch, &worlds, faults());
        gaps.extend(certificates.gaps(&model, &gaps));
        let notes = notes::of(&model, batch, &certificates, &worlds);
        let noted = !notes.is_empty();
        diagnostics.extend(notes);
        diagnostics.extend(unreadable(&worlds, &tree).into_iter().filter(|_| sound));
        let raw = self.has_raw(batch);
        let claimed = searched || raw && !options.skip_search;
        let claims = if claimed { verify::claims(&worlds) } else { Vec::new() };
        if searched {
            let proof =
                cross_check::gaps(&model, batch, &certificates, worlds, &gaps, &self.memo, &mut diagnostics);
            if !options.templates.is_empty() || raw {
                cross_check::nested(&model, &certificates, &proof.unread, &mut diagnostics);
            }
            gaps.extend(proof.gaps);
        }
        let needed = |s: &Service, at: Place| certificates.has(s) && !self.index.is_base(at.source);
        plan::waivers(&model, batch, &gaps, needed, &mut diagnostics);
        let pages = certificates.pages(&model, batch, &gaps);
        tree.extend(self.printer.print(&pages, &mut diagnostics));
        tree.retain(|path, _| options.wants(path));
        (Output { model, tree, certificates, searched, noted }, diagnostics, claims)
    }
}

/// Returns an error for each YAML file that cannot be read back whole, with the first reason. The
/// files that a service mounts into its containers may have any content.
fn unreadable(worlds: &Worlds<'_>, tree: &Tree) -> Vec<Diagnostic> {
    let is_emitted =
        |path: &str| (path.ends_with(".yaml") || path.ends_with(".yml")) && !path.contains("/files/");
    let mut reasons: BTreeMap<&str, String> = BTreeMap::new();
    for unread in worlds.read.iter().flat_map(|read| &read.world.unread) {
        if unread.kind == UnreadKind::Malformed {
            reasons.entry(&unread.at.file).or_insert_with(|| unread.what.clone());
        }
    }
    // A file that is too broken to be recognised as one of an orchestrator.
    for path in &worlds.passed {
        let faults = tree.get(path).filter(|_| is_emitted(path)).map(|text| yaml::read(text).1);
        if let Some(fault) = faults.into_iter().flatten().next() {
            reasons.insert(path, fault.message);
        }
    }
    let emitted = reasons.into_iter().filter(|(path, _)| is_emitted(path));
    emitted.map(|(path, reason)| emit::unreadable(path, &reason)).collect()
}

/// Removes the batches from `done` that claim the directory or volume of another batch, and joins
/// them into larger ones.
fn take_meeting<T>(done: &mut Vec<Done<T>>) -> Vec<Vec<usize>> {
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
