//! From the model to the texts of each lot, and what they hold: the way from plan to search, walked
//! lot by lot.

use std::collections::BTreeMap;

use crate::certificate;
use crate::diag::{Diagnostic, Severity};
use crate::emit::{self, Printer};
use crate::explore::Memo;
use crate::model::Model;
use crate::target::{self, Plans, Shared};
use crate::verify::Claim;
use crate::{Options, Part, lots, prove};

/// What every lot needs.
pub struct Work<'a> {
    /// All services.
    pub model: &'a Model,
    /// What was asked for.
    pub options: &'a Options,
    /// What only all services together tell.
    pub shared: Shared,
    /// The templates.
    pub printer: Printer,
    /// What was searched before.
    pub memo: Memo,
    /// What is known to be wrong before anything is planned.
    pub faults: &'a [Diagnostic],
}

/// What became of a lot.
struct Done<T> {
    lot: Vec<usize>,
    kept: Option<T>,
    diagnostics: Vec<Diagnostic>,
    /// What its texts claim, as far as they were searched.
    claims: Vec<Claim>,
}

impl Work<'_> {
    /// Works on every lot: what `keep` made of each, and what is wrong with it.
    pub fn all<T: Send>(
        &self,
        look: bool,
        keep: &(impl Fn(&Model, Part) -> Option<T> + Sync),
        tell: &(dyn Fn(usize, usize) + Sync),
    ) -> (Vec<T>, Vec<Diagnostic>) {
        let mut open = lots::of(self.model);
        let mut done: Vec<Done<T>> = Vec::new();
        let mut count = open.len();
        while !open.is_empty() {
            let before = done.len();
            let work = |lot: &Vec<usize>| self.lot(lot, look, keep);
            done.extend(lots::each(self.options.threads, &open, work, &|n| tell(before + n, count)));
            // Texts that name one thing belong together, whatever their specs say.
            open = meeting(&mut done);
            count = done.len() + open.len();
        }
        done.sort_by(|a, b| a.lot.cmp(&b.lot));
        let (mut kept, mut diagnostics) = (Vec::new(), Vec::new());
        for one in done {
            kept.extend(one.kept);
            diagnostics.extend(one.diagnostics);
        }
        (kept, diagnostics)
    }

    fn lot<T>(&self, lot: &[usize], look: bool, keep: &impl Fn(&Model, Part) -> Option<T>) -> Done<T> {
        let failed = |all: &[Diagnostic]| all.iter().any(|d| d.severity == Severity::Error);
        if look {
            let (part, diagnostics, claims) = self.part(lot, false);
            if !failed(&diagnostics)
                && let Some(kept) = keep(self.model, part)
            {
                return Done { lot: lot.to_vec(), kept: Some(kept), diagnostics, claims };
            }
        }
        let (part, diagnostics, claims) = self.part(lot, !self.options.skip_search);
        let kept = keep(self.model, part);
        Done { lot: lot.to_vec(), kept, diagnostics, claims }
    }

    /// Plans, prints, reads back, judges and, if `searched`, searches one lot.
    fn part(&self, lot: &[usize], searched: bool) -> (Part, Vec<Diagnostic>, Vec<Claim>) {
        let (model, options) = (self.model, self.options);
        let mut diagnostics = Vec::new();
        let Plans { pages, mut gaps } = target::plan(model, lot, &self.shared, options, &mut diagnostics);
        let failed = |d: &Diagnostic| d.severity == Severity::Error;
        let sound = !self.faults.iter().any(failed) && !diagnostics.iter().any(failed);
        let mut printing = Vec::new();
        let mut tree = self.printer.print(&pages, &mut printing);
        // What a faulty spec prints is nobody's business.
        diagnostics.extend(printing.into_iter().filter(|_| sound));
        let faults = || self.faults.iter().chain(&diagnostics);
        let certificates = certificate::certify(model, lot, &tree, faults());
        gaps.extend(certificates.gaps(model, &gaps));
        let unread = certificates.unread.iter().map(|(path, why)| emit::unreadable(path, why));
        diagnostics.extend(unread.filter(|_| sound));
        let mut claims = Vec::new();
        if searched {
            let proof = prove::gaps(model, lot, &certificates, &tree, &gaps, &self.memo, &mut diagnostics);
            gaps.extend(proof.gaps);
            claims = proof.claims;
        }
        target::waivers(model, lot, &gaps, |s| certificates.has(s), &mut diagnostics);
        tree.extend(self.printer.print(&certificates.pages(model, lot, &gaps), &mut diagnostics));
        tree.retain(|path, _| options.wants(path));
        (Part { services: lot.to_vec(), tree, certificates, searched }, diagnostics, claims)
    }
}

/// Takes the lots out of `done` that claim what another one does, joined to larger ones.
fn meeting<T>(done: &mut Vec<Done<T>>) -> Vec<Vec<usize>> {
    let mut union = lots::Union::new(done.len());
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
