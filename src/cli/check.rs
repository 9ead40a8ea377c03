//! `check`: what a compile would change.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use berthc::Severity;
use serde_json::{Value, json};

use super::drift::{Drift, State, drift};
use super::job::Job;
use super::{Done, Format, Outside, done, print, report, write};

/// 0 in step, 1 drift, 2 specs with errors.
pub fn check(job: &Job) -> Result<ExitCode, Outside> {
    let Done { compiled, out, folders, .. } = done(job)?;
    let found = match &compiled.tree {
        Some(tree) => Some(drift(&out, tree, &folders)?),
        None => None,
    };
    let mut diagnostics = compiled.diagnostics;
    if let (Some(found), Some(tree)) = (&found, &compiled.tree) {
        diagnostics.extend(berthc::change::judge(&compiled.model, &found.old(), tree));
    }
    let sources = &compiled.sources;
    match job.format {
        Format::Text => {
            let _ = anstream::stderr().write_all(report::text(sources, &diagnostics).as_bytes());
            if let Some(found) = &found {
                let text: String = found.items.iter().map(super::drift::Item::diff).collect();
                print(&text)?;
                let _ = writeln!(anstream::stderr(), "{}", summary(found, &out));
            }
        }
        Format::Json => {
            let faults: Vec<_> = diagnostics.iter().map(|d| report::json(sources, d)).collect();
            let items = found.iter().flat_map(|f| &f.items);
            let items: Vec<Value> =
                items.map(|i| json!({ "file": i.name, "state": i.state, "diff": i.diff() })).collect();
            let unchanged = found.as_ref().map_or(0, |f| f.unchanged);
            print(&format!(
                "{:#}\n",
                json!({ "diagnostics": faults, "drift": items, "unchanged": unchanged })
            ))?;
        }
    }
    let failed = diagnostics.iter().any(|d| d.severity == Severity::Error);
    let drifted = found.is_some_and(|f| !f.items.is_empty());
    Ok(ExitCode::from(if failed { 2 } else { u8::from(drifted) }))
}

/// One line for people.
fn summary(found: &Drift<'_>, out: &Path) -> String {
    let words = [(State::Differs, "differ"), (State::Missing, "missing"), (State::Extra, "extra")];
    let counts: Vec<String> = words
        .into_iter()
        .map(|(state, word)| (found.names(state).count(), word))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    match counts.as_slice() {
        [] => format!("{} below {} in step", write::files(found.unchanged), out.display()),
        counts => format!("{} below {}, {} in step", counts.join(", "), out.display(), found.unchanged),
    }
}
