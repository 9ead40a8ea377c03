//! Searches the emitted files. A breach that neither a gap nor a waiver names is one more gap.

use std::collections::BTreeSet;

use crate::certificate::{Cell, Certificates, Verdict};
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::explore::Memo;
use crate::finding::{Finding, FindingId, Level, codes};
use crate::gap::{Gap, GapId};
use crate::hazard::{CellId, Resource};
use crate::model::{Body, Model, Service};
use crate::route;
use crate::verify::violations;
use crate::world::{Unread, UnreadKind, Workload, Worlds};

/// The result of a search of emitted files.
#[derive(Debug, Default)]
pub struct Proof {
    /// The new gaps, each with the index of its service.
    pub gaps: Vec<(usize, Gap)>,
    /// The parts that no reader understands.
    pub unread: Vec<Unread>,
}

/// Searches what the services of `batch` can do with `tree`, and returns the gaps that `known` does not
/// have. A breach without the name of a gap is an error. `memo` has the results of earlier searches.
pub fn gaps(
    model: &Model,
    batch: &[usize],
    certificates: &Certificates,
    worlds: Worlds<'_>,
    known: &[(usize, Gap)],
    memo: &Memo,
    faults: &mut Vec<Diagnostic>,
) -> Proof {
    // The spec says what may have one holder. The files say what protects it.
    let mut single: BTreeSet<String> = BTreeSet::new();
    for service in batch.iter().map(|i| model.service(*i)) {
        if let Body::Workload(w) = &service.body
            && [Resource::Writer, Resource::Hostname, Resource::Id].iter().any(|r| w.claims(*r))
        {
            single.extend(w.ids().map(|id| format!("{}-{id}", service.name)));
        }
    }
    let claimed = |w: &Workload| w.members.first().is_some_and(|m| single.contains(&m.name));
    let verified = violations(worlds, memo, &claimed);
    let found = verified.findings.into_iter().chain(verified.accepted.into_iter().map(|a| a.finding));
    let mut gaps: Vec<(usize, Gap)> = Vec::new();
    for finding in found.filter(|f| f.level == Level::Violation) {
        let folder = finding.at.first().and_then(|at| at.file.split('/').next()).unwrap_or_default();
        let Some(service) = model.find(folder).filter(|s| certificates.has(s)) else { continue };
        // A service without data directories keeps no data on purpose.
        let keeps = matches!(&service.body, Body::Workload(w) if !w.data.is_empty());
        // The settings of the program are the user's own: they are no breach of what berthc emits.
        let own = finding.code == FindingId::Code(codes::NEVER);
        if own || finding.code == FindingId::Code(codes::EPHEMERAL) && !keeps {
            continue;
        }
        let place = service.key(&route!["service"]);
        let why = reason(&finding);
        let FindingId::Cell(cell) = finding.code else {
            let message = format!(
                "the search found a breach in the emitted files: {} ({})",
                finding.message, finding.code
            );
            let d = Diagnostic::error(Code::OutputBreaks, place, message).why(why);
            faults.push(d.fix("change the raw addition or the template that causes it", finding.fix));
            continue;
        };
        let same = |id: &GapId| matches!(id, GapId::Cell(own) if own.normalized() == cell.normalized());
        let all = || known.iter().chain(&gaps);
        let said = all().any(|(i, g)| model.service(*i).name == service.name && same(&g.id));
        if !said {
            let mut gap = Gap::new(GapId::Cell(cell), place, finding.message.clone(), why);
            if is_held(certificates, service, cell) {
                let more = "the certificate says that a mechanism prevents this: either a raw addition or a template causes it, or it is a bug in berthc; please report it";
                gap.why = format!("{}; {more}", gap.why);
            }
            gaps.push((service.index, gap.fix("change the line that causes it", finding.fix)));
        }
    }
    Proof { gaps, unread: verified.unread }
}

/// Reports directories inside a directory of another workload, among the `unread` parts. This is
/// for files whose mounts do not all come from fields of specs. The check of neighbours covers
/// those fields, and knows their nodes.
pub fn nested(model: &Model, certificates: &Certificates, unread: &[Unread], faults: &mut Vec<Diagnostic>) {
    for unread in unread.iter().filter(|u| u.kind == UnreadKind::Nested) {
        let folder = unread.at.file.split('/').next().unwrap_or_default();
        // Errors of a spec were reported before.
        if model.named(folder).any(|s| !certificates.has(s)) {
            continue;
        }
        let place = model.find(folder).map_or(Place::NOWHERE, |s| s.key(&route!["service"]));
        let message = format!("the emitted files conflict: {}", unread.what);
        let d = Diagnostic::error(Code::OutputBreaks, place, message);
        faults.push(d.advice("give each service its own directory"));
    }
}

/// Returns whether the certificate says that a mechanism holds this cell.
fn is_held(certificates: &Certificates, service: &Service, id: CellId) -> bool {
    certificates.parts(service.index).iter().any(|part| {
        let same =
            |cell: &&Cell| (part.target, cell.resource, cell.hazard) == (id.target, id.resource, id.hazard);
        part.cells.iter().filter(same).any(|cell| matches!(cell.verdict, Verdict::Held { .. }))
    })
}

/// Returns the line that permits the finding and, if it has one, its story, as one line of text.
fn reason(finding: &Finding) -> String {
    let at = finding.at.first().map(|at| format!("{}:{} {}", at.file, at.line, at.field)).unwrap_or_default();
    let story: Vec<&str> = finding.story.iter().map(|e| e.words.as_str()).collect();
    match story.is_empty() {
        true => format!("{} permits it", at.trim_end()),
        false => format!("{at}: {}", story.join("; ")),
    }
}
