//! From the model to the texts of each lot, and what they hold: the way from plan to search, walked
//! lot by lot.

use std::collections::BTreeMap;

use super::index::Survey;
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

/// What every lot needs.
pub struct Work<'a> {
    /// All services.
    pub survey: &'a Survey<'a>,
    /// What was asked for.
    pub options: &'a Options,
    /// The templates.
    pub printer: Printer,
    /// What was searched before.
    pub memo: Memo,
    /// What is known to be wrong before anything is planned.
    pub faults: &'a [Diagnostic],
}

/// A lot of services: those that name each other or may meet, and no others.
pub struct Lot<'a> {
    /// Their indices among all services of the compile, which are in order of name and revision.
    pub services: &'a [usize],
    work: &'a Work<'a>,
}

/// What a lot of services compiles to.
#[derive(Debug)]
pub struct Part {
    /// The services of the lot, and those that they name; nobody else.
    pub model: Model,
    /// What to write.
    pub tree: Tree,
    /// What holds what; services with faults have none.
    pub certificates: Certificates,
    /// Whether the texts were searched. What was not may lack gaps.
    pub searched: bool,
}

/// What is made of each lot of a compile, several at a time.
pub trait Each: Sync {
    /// What is kept of it.
    type Kept: Send;

    /// What is kept of a lot that need not be compiled: whoever says so vouches that no error is
    /// in it. Nobody is asked when specs have faults, when templates stand in for berthc's own, or
    /// of services with raw additions.
    fn known(&self, _lot: &Lot<'_>) -> Option<Self::Kept> {
        None
    }

    /// Whether parts are shown before the search: where [`Each::keep`] then returns `None`, or
    /// there is an error, they are searched and shown again. What templates of others or raw
    /// additions may bring together is searched in any case.
    fn looks(&self) -> bool {
        false
    }

    /// What is kept of a part. One with an error may be shown, or not.
    fn keep(&self, lot: &Lot<'_>, part: Part) -> Option<Self::Kept>;

    /// Hears how many lots are done, of how many.
    fn tell(&self, _done: usize, _of: usize) {}
}

/// Keeps every part whole.
pub struct Whole;

impl Each for Whole {
    type Kept = Part;

    fn keep(&self, _: &Lot<'_>, part: Part) -> Option<Part> {
        Some(part)
    }
}

/// What became of a lot.
struct Done<T> {
    lot: Vec<usize>,
    kept: Option<T>,
    diagnostics: Vec<Diagnostic>,
    /// What its texts claim; nothing, where that is only what its specs say.
    claims: Vec<Claim>,
}

impl<'a> Lot<'a> {
    /// The names of its services; revisions of one have one name.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.services.iter().map(|i| self.work.survey.outlines[*i].name.as_str())
    }

    /// Tells all that the part is made from, list by list, but for the program itself and the
    /// [`Options::lists`]. Its model holds no other services, so that two lots which tell the same
    /// compile to the same part, unless there is an error.
    pub fn lists(&self, tell: &mut dyn FnMut(&[&[u8]])) {
        let survey = self.work.survey;
        for index in survey.near(self.services) {
            let outline = &survey.outlines[index];
            let own = self.services.binary_search(&index).is_ok();
            let circle = survey.hidden.circle(&outline.name).filter(|_| own);
            let (own, waits) = (if own { "of the lot" } else { "named" }, circle.map_or("", |_| "waits"));
            tell(&[&outline.digest, own.as_bytes(), waits.as_bytes()]);
            tell(&circle.into_iter().flatten().map(String::as_bytes).collect::<Vec<_>>());
        }
    }
}

impl Work<'_> {
    /// Works on every lot: what `each` kept of them, and what is wrong with them.
    pub fn all<E: Each>(&self, each: &E) -> (Vec<E::Kept>, Vec<Diagnostic>) {
        let mut open = batch::of(&self.survey.outlines);
        let mut done: Vec<Done<E::Kept>> = Vec::new();
        let (mut count, mut joined) = (open.len(), false);
        while !open.is_empty() {
            let before = done.len();
            let tell = |n| each.tell(before + n, count);
            let work = |lot| self.lot(lot, joined, each);
            done.extend(threads::each(self.options.threads, open, work, &tell));
            // Texts that name one thing belong together, whatever their specs say.
            open = meeting(&mut done);
            (count, joined) = (done.len() + open.len(), true);
        }
        done.sort_by(|a, b| a.lot.cmp(&b.lot));
        let (mut kept, mut diagnostics) = (Vec::new(), Vec::new());
        for one in done {
            kept.extend(one.kept);
            diagnostics.extend(one.diagnostics);
        }
        (kept, diagnostics)
    }

    /// What is made of one lot; of one that was `joined`, nothing was known.
    fn lot<E: Each>(&self, services: Vec<usize>, joined: bool, each: &E) -> Done<E::Kept> {
        let lot = Lot { services: &services, work: self };
        let done = |kept, diagnostics, claims| Done { lot: services.clone(), kept, diagnostics, claims };
        // What a template of others prints, no spec tells; nor whom raw additions meet, which may
        // have been written when the other was not there.
        let own = self.options.templates.is_empty();
        let raw = self.raw(&services);
        if own
            && !raw
            && !failed(self.faults)
            && let Some(kept) = each.known(&lot)
        {
            return done(Some(kept), Vec::new(), Vec::new());
        }
        let model = match self.survey.model(&services) {
            Ok(model) => model,
            Err(changed) => return done(None, vec![*changed], Vec::new()),
        };
        let seen = own && !joined && (!raw || services.len() == 1);
        if seen && each.looks() {
            let (part, diagnostics, mut claims) = self.part(model.clone(), &services, false);
            if raw {
                let files: Vec<File<'_>> = part.tree.iter().map(|(path, text)| File { path, text }).collect();
                claims = verify::claims(&files);
            }
            if !failed(&diagnostics)
                && let Some(kept) = each.keep(&lot, part)
            {
                return done(Some(kept), diagnostics, claims);
            }
        }
        let (part, diagnostics, claims) = self.part(model, &services, !self.options.skip_search);
        done(each.keep(&lot, part), diagnostics, claims)
    }

    /// Whether services among `lot` have raw additions.
    fn raw(&self, lot: &[usize]) -> bool {
        lot.iter().any(|i| !self.survey.outlines[*i].raw.is_empty())
    }

    /// Checks, plans, prints, reads back, judges and, if `searched`, searches the services `lot`.
    fn part(&self, model: Model, lot: &[usize], searched: bool) -> (Part, Vec<Diagnostic>, Vec<Claim>) {
        let (options, hidden) = (self.options, &self.survey.hidden);
        let mut diagnostics = Vec::new();
        together(&model, lot, &mut diagnostics);
        plan::clashes(&model, lot, &mut diagnostics);
        let Plans { pages, mut gaps } = plan::plan(&model, lot, hidden, options, &mut diagnostics);
        let sound = !failed(self.faults) && !failed(&diagnostics);
        let mut printing = Vec::new();
        let mut tree = self.printer.print(&pages, &mut printing);
        // What a faulty spec prints is nobody's business.
        diagnostics.extend(printing.into_iter().filter(|_| sound));
        let faults = || self.faults.iter().chain(&diagnostics);
        let certificates = certificate::certify(&model, lot, &tree, faults());
        gaps.extend(certificates.gaps(&model, &gaps));
        let unread = certificates.unread.iter().map(|(path, why)| emit::unreadable(path, why));
        diagnostics.extend(unread.filter(|_| sound));
        let mut claims = Vec::new();
        if searched {
            let proof =
                cross_check::gaps(&model, lot, &certificates, &tree, &gaps, &self.memo, &mut diagnostics);
            if !options.templates.is_empty() || self.raw(lot) {
                cross_check::nested(&model, &certificates, &proof.unread, &mut diagnostics);
            }
            gaps.extend(proof.gaps);
            claims = proof.claims;
        }
        plan::waivers(&model, lot, &gaps, |s| certificates.has(s), &mut diagnostics);
        tree.extend(self.printer.print(&certificates.pages(&model, lot, &gaps), &mut diagnostics));
        tree.retain(|path, _| options.wants(path));
        (Part { model, tree, certificates, searched }, diagnostics, claims)
    }
}

/// Takes the lots out of `done` that claim what another one does, joined to larger ones.
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
        let mut lot: Vec<usize> = set.iter().flat_map(|i| done[*i].lot.iter().copied()).collect();
        lot.sort_unstable();
        joined.push(lot);
        set.iter().for_each(|i| gone[*i] = true);
    }
    let mut gone = gone.into_iter();
    done.retain(|_| !gone.next().unwrap_or_default());
    joined
}
