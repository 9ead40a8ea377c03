//! `berthc explain`: prints a certificate, or the page of a code.

use std::collections::BTreeSet;
use std::path::PathBuf;

use berthc::certificate::{Cell, Part, Verdict};
use berthc::diag::failed;
use berthc::mechanism::numbered;
use berthc::model::Service;
use berthc::{Compiled, Target, explain};
use clap::Args;
use serde_json::{Map, Value, json};

use super::job;
use super::output::{Format, Output, Report};
use super::stdout::{Outside, print};
use super::target::{TargetName, target};

/// The longest line of a list of words.
const WIDTH: usize = 100;

#[derive(Debug, Args)]
pub struct Explain {
    /// Spec files or folders, or one field, code, gap, hazard, resource or mechanism; nothing lists all
    #[arg(value_name = "SPEC|WORD")]
    what: Vec<PathBuf>,
    /// Show only this target (may be repeated)
    #[arg(long, value_enum, value_name = "TARGET")]
    target: Vec<TargetName>,
    /// Folder with custom templates, as for `compile`
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    #[command(flatten)]
    overrides: job::Overrides,
    #[command(flatten)]
    output: Output,
}

/// Prints the page or the certificates. Returns whether there was something to explain.
pub fn explain(args: &Explain) -> Result<bool, Outside> {
    if args.what.is_empty() {
        return list(args.output.format).map(|()| true);
    }
    if let [what] = args.what.as_slice()
        && !what.exists()
    {
        let name = what.to_string_lossy();
        let Some(page) = explain::word(&name) else {
            let near = explain::nearest(&name).map_or_else(String::new, |n| format!(": did you mean {n}?"));
            return Err(format!("`{name}` is neither a file nor a word of berthc{near}"));
        };
        return match args.output.format {
            Format::Json => print(&format!("{:#}\n", json!({ "code": name, "text": page }))),
            _ => print(&format!("{page}\n")),
        }
        .map(|()| true);
    }
    let mut ready = job::ready(&args.what, &args.overrides)?;
    ready.take_templates(args.templates.as_deref())?;
    let job::Ready { specs, options, disk, .. } = ready;
    let compiled = berthc::compile(&specs.inputs()?, &disk, &options);
    let sources = &compiled.sources;
    let wanted: BTreeSet<Target> = args.target.iter().map(|t| target(*t)).collect();
    let parts = parts(&compiled, &wanted);
    let failed = failed(&compiled.diagnostics);
    let all: Vec<Value> = parts.iter().map(|(service, part)| object(service, part)).collect();
    let report = Report {
        data: parts.iter().map(|(service, part)| table(service, part)).collect(),
        json: Map::from_iter([("certificates".to_owned(), all.into())]),
        ..Report::default()
    };
    args.output.report(sources, &compiled.diagnostics, report)?;
    Ok(!failed)
}

/// Prints all words that have an explanation.
fn list(format: Format) -> Result<(), Outside> {
    let words = explain::words();
    if matches!(format, Format::Json) {
        let all: Map<String, Value> =
            words.into_iter().map(|(kind, names)| (kind.into(), names.into())).collect();
        return print(&format!("{:#}\n", Value::from(all)));
    }
    let mut out = String::from("berthc explain WORD explains each of these words.\n");
    for (kind, names) in words {
        out.push_str(&format!("\n{kind}:\n"));
        let mut width = 0;
        for name in names {
            if width > 0 && width + name.len() + 2 > WIDTH {
                out.push('\n');
                width = 0;
            }
            width += name.len() + 2;
            out.push_str(&format!("  {name}"));
        }
        out.push('\n');
    }
    print(&out)
}

fn parts<'c>(compiled: &'c Compiled, wanted: &BTreeSet<Target>) -> Vec<(&'c Service, &'c Part)> {
    let services = compiled.model.services();
    let all = services.flat_map(|s| compiled.certificates.parts(s.index).iter().map(move |p| (s, p)));
    all.filter(|(_, p)| wanted.is_empty() || wanted.contains(&p.target)).collect()
}

/// Returns the ids of the mechanisms in a cell.
fn words(cell: &Cell) -> String {
    match &cell.verdict {
        Verdict::Held { by, lost } => {
            let lost: Vec<&str> = lost.iter().map(|m| m.id).collect();
            match lost.as_slice() {
                [] => numbered(by),
                lost => format!("{}   (lost: {})", numbered(by), lost.join(", ")),
            }
        }
        Verdict::AsData => "same as the first resource".into(),
        Verdict::Never(why) => format!("cannot happen: {why}"),
        Verdict::Duty => "5 duty".into(),
        Verdict::Gap { by, .. } if by.is_empty() => "NOTHING".into(),
        Verdict::Gap { open, by, .. } => format!("{}; {}: NOTHING", numbered(by), open.join(", ")),
    }
}

fn table(service: &Service, part: &Part) -> String {
    let mut out = format!("{} on {}\n", service.full_name(), part.title);
    let mut last = None;
    for cell in &part.cells {
        let resource = if last == Some(cell.resource) { "" } else { cell.resource.name() };
        last = Some(cell.resource);
        out.push_str(&format!("  {resource:<9} {:<10} {}\n", cell.hazard.name(), words(cell)));
    }
    let mut seen = BTreeSet::new();
    for cell in &part.cells {
        let (Verdict::Held { by, .. } | Verdict::Gap { by, .. }) = &cell.verdict else { continue };
        for m in by.iter().filter(|m| seen.insert(m.id)) {
            out.push_str(&format!("\n  {} {}: {}\n", m.strength as u8, m.id, m.what));
            if !m.assumes.is_empty() {
                out.push_str(&format!("    assumes: {}\n", m.assumes));
            }
            for c in part.carriers.get(m.id).into_iter().flatten() {
                out.push_str(&format!("    {}/{}:{}  {}\n", service.name, c.file, c.line, c.field));
            }
            out.push_str(&format!("    source: {}\n", m.source));
        }
    }
    out.push('\n');
    out
}

fn object(service: &Service, part: &Part) -> Value {
    let cells: Vec<Value> = part
        .cells
        .iter()
        .map(|c| json!({ "resource": c.resource, "hazard": c.hazard, "verdict": c.verdict }))
        .collect();
    json!({
        "service": service.name,
        "revision": service.revision,
        "target": part.target,
        "title": part.title,
        "cells": cells,
        "carriers": part.carriers,
    })
}
