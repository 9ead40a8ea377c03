//! `berthc check`: shows what a compile would change.

use std::path::Path;
use std::process::ExitCode;

use berthc::Severity;
use berthc::diag::failed;
use clap::Args;
use serde_json::Map;

use super::compare::{Done, Use, done, unjudged_line};
use super::drift::{Change, Changes, State};
use super::finding::{Finding, Spot};
use super::job::Job;
use super::output::{Format, Report, Row, Rows};
use super::stdout::Outside;
use super::write;

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub job: Job,
    /// Search all emitted files, also those that already match OUT
    #[arg(long)]
    verify: bool,
}

/// Returns exit code 0 (up to date), 1 (differences) or 2 (errors).
pub fn check(args: &Check) -> Result<ExitCode, Outside> {
    let job = &args.job;
    let Done { sources, diagnostics, out, changes, spool, unjudged, .. } =
        done(job, Use::Show { look: !args.verify })?;
    let mut report = Report { verbose: job.verbose, ..Report::default() };
    let all = changes.as_ref().map_or(&[][..], |found| &found.all);
    let row = |at: usize| {
        let Change { name, state, text } = &all[at];
        Ok(Row { file: name, state: *state, diff: spool.read(text)? })
    };
    report.drift = Some(Rows { count: all.len(), row: &row });
    if let Some(found) = &changes {
        report.summary = summary(found, &out);
        report.summary.push_str(&unjudged_line(unjudged, &out));
        let wanted = all.iter().filter(|_| matches!(job.output.format, Format::Sarif | Format::Github));
        report.findings = wanted.map(|change| finding(change, &out)).collect();
    }
    let (unchanged, known) = changes.as_ref().map_or((0, 0), |f| (f.unchanged, f.known));
    let counts = [("unchanged", unchanged), ("known", known), ("unjudged", unjudged)];
    report.json = Map::from_iter(counts.map(|(key, n)| (key.into(), n.into())));
    job.output.report(&sources, &diagnostics, report)?;
    let failed = failed(&diagnostics);
    Ok(ExitCode::from(if failed { 2 } else { u8::from(!all.is_empty()) }))
}

/// Makes a finding of a file that differs, for formats that only have findings.
fn finding(change: &Change, out: &Path) -> Finding {
    let path = out.join(&change.name).to_string_lossy().into_owned();
    let words = match change.state {
        State::Differs => "differs from what the specs compile to",
        State::Missing => "is missing",
        State::Extra => "is not needed by any spec any more",
    };
    let spot = Spot { path: path.clone(), start: (1, 1), end: (1, 1), text: String::new() };
    Finding {
        code: "drift".into(),
        severity: Severity::Error,
        message: format!("{path} {words}"),
        more: vec!["run `berthc compile` and commit the result".into()],
        spots: if change.state == State::Missing { Vec::new() } else { vec![spot] },
        steps: Vec::new(),
    }
}

/// Returns a summary in one line.
fn summary(found: &Changes, out: &Path) -> String {
    let words = [(State::Differs, "differ"), (State::Missing, "missing"), (State::Extra, "extra")];
    let counts: Vec<String> = words
        .into_iter()
        .map(|(state, word)| (found.names(state).count(), word))
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{n} {word}"))
        .collect();
    let known = match found.known {
        0 => String::new(),
        n => format!("; {n} services unchanged since an earlier run"),
    };
    match counts.as_slice() {
        [] => format!("{} in {} up to date{known}", write::files(found.unchanged), out.display()),
        counts => {
            format!("{} in {}, {} up to date{known}", counts.join(", "), out.display(), found.unchanged)
        }
    }
}
