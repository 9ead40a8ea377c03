//! `berthc verify`: files of anyone, searched for two holders.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use berthc::explore::Bounds;
use berthc::finding::{At, Finding, Level as Grade};
use berthc::verify::{Verified, verify};
use berthc::world::File;
use clap::Args;

use super::{Format, Outside, print, read};

/// What to verify, and how far.
#[derive(Debug, Args)]
pub struct Verify {
    /// Manifests, units and stack files, or folders that are searched for them; all of them are
    /// taken to run beside each other
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Let someone delete by force, too
    #[arg(long)]
    force_actions: bool,
    /// Nodes of the small cluster that is searched
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=3))]
    nodes: u8,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

/// Whether all holds.
pub fn run(args: &Verify) -> Result<bool, Outside> {
    let texts = read::manifests(&args.paths)?;
    let files: Vec<File<'_>> = texts.iter().map(|(path, text)| File { path, text }).collect();
    let bounds = Bounds { nodes: usize::from(args.nodes), force: args.force_actions };
    let verified = verify(&files, bounds);
    if verified.searched.is_empty() {
        return Err("none of these files is a manifest, a unit or a stack file".to_owned());
    }
    match args.format {
        Format::Text => {
            let mut err = anstream::stderr();
            let _ = err.write_all(text(&texts, &verified).as_bytes());
        }
        Format::Json => print(&format!("{:#}\n", serde_json::to_value(&verified).unwrap_or_default()))?,
    }
    Ok(verified.holds())
}

fn text(texts: &BTreeMap<String, String>, verified: &Verified) -> String {
    let renderer = Renderer::styled();
    let mut out = String::new();
    for finding in &verified.findings {
        out.push_str(&renderer.render(&groups(texts, finding)));
        out.push_str("\n\n");
    }
    for unread in &verified.unread {
        out.push_str(&format!("not understood: {}: {}\n", place(&unread.at), unread.what));
    }
    for accepted in &verified.accepted {
        let at = accepted.finding.at.first().map(place).unwrap_or_default();
        out.push_str(&format!("accepted: {} {at}: {}\n", accepted.finding.code, accepted.because));
    }
    for s in &verified.searched {
        let end = if s.complete { "all" } else { "NOT all; the bound was hit" };
        out.push_str(&format!(
            "{}: {} workloads in {} files; {} scenes of up to 2 members on up to {} nodes, each event at most once, 3 in a row: {} states, {end}\n",
            s.target, s.workloads, s.files, s.scenes, s.nodes, s.states
        ));
    }
    let violations = verified.findings.iter().filter(|f| f.level == Grade::Violation).count();
    let notes = verified.findings.len() - violations;
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    out.push_str(&format!("{violations} violation{}, {notes} note{}\n", plural(violations), plural(notes)));
    out
}

fn place(at: &At) -> String {
    format!("{}:{}", at.file, at.line)
}

fn groups<'f>(texts: &'f BTreeMap<String, String>, finding: &'f Finding) -> Vec<Group<'f>> {
    let level = match finding.level {
        Grade::Violation => Level::ERROR.with_name("violation"),
        Grade::Note => Level::NOTE,
    };
    let mut group =
        Group::with_title(level.primary_title(finding.message.as_str()).id(finding.code.as_str()));
    if let Some(at) = finding.at.first()
        && let Some((path, text)) = texts.get_key_value(&*at.file)
    {
        let line = line(text, at.line);
        let annotation = AnnotationKind::Primary.span(line).label(at.field.as_str());
        group = group.element(Snippet::source(text.as_str()).path(path.as_str()).annotation(annotation));
    }
    for (i, event) in finding.story.iter().enumerate() {
        let at = event.at.as_ref().map(|at| format!("  ({})", place(at))).unwrap_or_default();
        group = group.element(Level::NOTE.no_name().message(format!("{}. {}{at}", i + 1, event.words)));
    }
    let mut groups = vec![group];
    if !finding.mend.is_empty() {
        groups.push(Group::with_title(Level::HELP.secondary_title(finding.mend.as_str())));
    }
    groups
}

/// The span of a line, without its indent.
fn line(text: &str, number: usize) -> std::ops::Range<usize> {
    let mut start = 0;
    for (i, line) in text.split_inclusive('\n').enumerate() {
        if i + 1 == number {
            let indent = line.len() - line.trim_start().len();
            return start + indent.min(line.trim_end().len())..start + line.trim_end().len();
        }
        start += line.len();
    }
    text.len()..text.len()
}
