//! `berthc compile`.

use std::path::PathBuf;

use berthc::diag::failed;
use clap::Args;
use serde_json::{Map, json};

use super::compare::{Done, Use, done, unjudged_line};
use super::stdout::Outside;
use super::{depfile, drift, job, output, write};

#[derive(Debug, Args)]
pub struct Compile {
    #[command(flatten)]
    job: job::Job,
    /// Write a make rule for the target TARGET with every file that was read: specs, bases, the
    /// files that they name, templates, folders and berthc.toml
    #[arg(long, value_name = "TARGET.d")]
    depfile: Option<PathBuf>,
}

/// Compiles the specs and writes the files. Returns false if a spec has errors.
pub fn compile(args: &Compile) -> Result<bool, Outside> {
    let job = &args.job;
    let Done { sources, diagnostics, out, changes, spool, read, unjudged, lock } = done(job, Use::Write)?;
    let failed = failed(&diagnostics);
    let written = changes.filter(|_| !failed);
    let mut report = output::Report { verbose: job.verbose, ..output::Report::default() };
    let (mut changed, mut removed, mut unchanged) = (Vec::new(), Vec::new(), 0);
    if let Some(changes) = &written {
        let rule = match &args.depfile {
            Some(file) => Some((file, depfile::rule(file, &read)?)),
            None => None,
        };
        write::write(&out, changes, &spool)?;
        if let Some((file, rule)) = rule {
            write::replace(file, rule.as_bytes())?;
        }
        report.summary = write::summary(changes, &out);
        report.summary.push_str(&unjudged_line(unjudged, &out));
        let made = changes.all.iter().filter(|c| c.state != drift::State::Extra);
        changed.extend(made.map(|c| c.name.as_str()));
        removed.extend(changes.names(drift::State::Extra));
        unchanged = changes.unchanged;
    }
    drop(lock);
    report.json = Map::from_iter([
        ("written".into(), json!(changed)),
        ("removed".into(), json!(removed)),
        ("unchanged".into(), json!(unchanged)),
        ("unjudged".into(), json!(unjudged)),
    ]);
    job.output.report(&sources, &diagnostics, report)?;
    Ok(!failed)
}
