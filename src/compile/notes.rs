//! Notes about the emitted files: those of `verify`, and the mechanisms that a template or a raw
//! addition removed while others still protect the member.

use std::collections::BTreeMap;

use crate::certificate::{Certificates, Verdict};
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::finding::{Finding, Level, codes};
use crate::model::Model;
use crate::route;
use crate::target::Target;
use crate::world::Worlds;

/// Returns the notes about the files of `batch`. A service with errors has none.
pub fn of(
    model: &Model,
    batch: &[usize],
    certificates: &Certificates,
    worlds: &Worlds<'_>,
) -> Vec<Diagnostic> {
    let mut notes = found(model, certificates, worlds);
    for index in batch {
        let service = model.service(*index);
        for ((target, id), (what, cells)) in lost(certificates, *index) {
            let (first, more) = (cells.first().map_or("", String::as_str), cells.len() - 1);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let message = format!(
                "{} on {target} has lost `{id}` ({what}): others alone protect {first}{more}",
                service.full_name()
            );
            let note = Diagnostic::note(Code::LayerLost.as_str(), service.key(&route!["service"]), message);
            notes.push(note.advice("use berthc's own templates, or put the rule back"));
        }
    }
    notes
}

/// A mechanism that a target has lost: what it does, and the cells that it protected.
type Lost = BTreeMap<(Target, &'static str), (&'static str, Vec<String>)>;

fn lost(certificates: &Certificates, index: usize) -> Lost {
    let mut all = Lost::new();
    for part in certificates.parts(index) {
        for cell in &part.cells {
            let Verdict::Held { lost, .. } = &cell.verdict else { continue };
            for m in lost {
                let (_, cells) = all.entry((part.target, m.id)).or_insert((m.what, Vec::new()));
                cells.push(format!("{}/{}", cell.resource.name(), cell.hazard.name()));
            }
        }
    }
    all
}

/// Returns the notes that need no search, one for each kind and place of a spec.
fn found(model: &Model, certificates: &Certificates, worlds: &Worlds<'_>) -> Vec<Diagnostic> {
    let all = worlds.read.iter().flat_map(|read| &read.world.findings).filter(|f| f.level == Level::Note);
    let mut kinds: BTreeMap<(Place, &'static str), Vec<&Finding>> = BTreeMap::new();
    for finding in all {
        let folder = finding.at.first().and_then(|at| at.file.split('/').next()).unwrap_or_default();
        let Some(service) = model.find(folder).filter(|s| certificates.has(s)) else { continue };
        // A service without data directories declares that it keeps no data.
        let keeps = service.workload().is_some_and(|w| !w.data.is_empty());
        let Some(code) = codes::ALL.into_iter().find(|code| finding.code == *code) else { continue };
        // The check of the spec has its own note about the tag.
        if [codes::NEVER, codes::TAG_FLOATS, codes::OUTSIDE].contains(&code)
            || code == codes::EPHEMERAL && !keeps
        {
            continue;
        }
        let place = match code {
            codes::GRACE => service.key(&route!["stop", "grace"]),
            _ => service.key(&route!["service"]),
        };
        kinds.entry((place, code)).or_default().push(finding);
    }
    let note = |((place, code), found): (_, Vec<&Finding>)| {
        let (first, more) = (*found.first()?, found.len() - 1);
        let at = first.at.first()?.place();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        Some(Diagnostic::note(code, place, format!("{} ({at}{more})", first.message)).advice(&first.fix))
    };
    kinds.into_iter().filter_map(note).collect()
}
