//! `berthc verify`: searches files from any source for two holders of one resource.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use berthc::code::Code;
use berthc::explore::Bounds;
use berthc::finding::{Alike, At, Event, Finding, Level as Grade, Way, codes};
use berthc::images::Images;
use berthc::input::STDIN;
use berthc::spec::project::FILE;
use berthc::text::quote::shown;
use berthc::verify::mend::{self, Texts};
use berthc::verify::{Accept, Outcome, Progress, Settings, Verified, watched};
use berthc::world::{File, Known, Runner, Unread, UnreadKind};
use berthc::{Diagnostic, Input, Project, Severity};
use clap::{Args, ValueEnum};

use super::finding::{Finding as SarifResult, Spot, Step};
use super::output::{Format, Output, Report};
use super::progress::Line;
use super::report::source_text;
use super::stdout::Outside;
use super::{fix, job, kustomize, older, read, write};

/// The files to verify, and the bounds of the search.
#[derive(Debug, Args)]
pub struct Verify {
    /// Manifests, units and stack files, or folders with them, or - for manifests or a stack file on
    /// standard input; berthc assumes that all of them run in one cluster
    #[arg(required_unless_present = "kustomize", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Also verify what the kustomization in DIR gives: built by the kubectl or kustomize in PATH, never
    /// over the network
    #[arg(long, value_name = "DIR", conflicts_with = "fix")]
    kustomize: Vec<PathBuf>,
    /// Also tell what the change from OLD does: from another file or folder, or from these files at a
    /// revision of git
    #[arg(long, value_name = "OLD")]
    against: Option<String>,
    /// Also search forced deletions
    #[arg(long)]
    force_actions: bool,
    /// Read files with services as stack files of Swarm, or as files of one machine, whatever their keys show
    #[arg(long = "as", value_enum, value_name = "RUNNER")]
    runner: Option<RunnerName>,
    /// The number of nodes of the searched cluster
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=3))]
    nodes: u8,
    /// Write the plain fixes into the files; comments and layout stay, and the findings that are left are
    /// reported
    #[arg(long)]
    fix: bool,
    /// With --fix: print the changes as a diff and write nothing
    #[arg(long, requires = "fix")]
    diff: bool,
    #[command(flatten)]
    output: Output,
}

/// What runs a file with services.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RunnerName {
    /// Docker Swarm, which runs a stack on several nodes
    Swarm,
    /// docker compose, which runs all on one machine
    Compose,
}

impl From<RunnerName> for Runner {
    fn from(name: RunnerName) -> Self {
        match name {
            RunnerName::Swarm => Self::Swarm,
            RunnerName::Compose => Self::Compose,
        }
    }
}

/// Runs `verify`. Returns the exit code that the help describes.
pub fn run(args: &Verify) -> Result<ExitCode, Outside> {
    let mut texts = read::manifests(&args.paths)?;
    for dir in &args.kustomize {
        texts.extend(kustomize::build(dir)?);
    }
    let old = old(args)?;
    let project = match project()? {
        Ok(project) => project,
        Err((project, faults)) => {
            args.output.report(&[project], &faults, Report::default())?;
            return Err(format!("{FILE} has errors: nothing is verified"));
        }
    };
    let (own, accepts, quiet) = project.map(|p| (p.images, p.accepts, p.quiet)).unwrap_or_default();
    let images = Images::with(&own);
    let bounds = Bounds { nodes: usize::from(args.nodes), force: args.force_actions };
    let runner = args.runner.map_or(Runner::Evident, Runner::from);
    let known = Known { images: &images, quiet: &quiet, runner };
    let against: Vec<File<'_>> = of(&old);
    let settings = Settings { known, accepts: &accepts, bounds, against: &against };
    let look = |texts: &Texts| search(texts, settings);
    let (mut verified, mut data, mut fixed) = (look(&texts), String::new(), None);
    if args.fix {
        let mended = mend::all(&texts, &look);
        if args.diff {
            data = fix::diff(&texts, &mended.texts);
        } else {
            fixed = Some(fix::write(&texts, &mended)?);
            (texts, verified) = (mended.texts, mended.verified);
        }
    }
    if verified.searched.is_empty() {
        let only = verified.passed == [STDIN];
        let what = if only {
            "standard input is neither a manifest nor a stack file; a unit must be a file, because berthc needs its file name"
        } else {
            "none of these files is a manifest, a unit or a stack file"
        };
        return Err(what.to_owned());
    }
    let report = match args.output.format {
        Format::Json => {
            let json = serde_json::to_value(&verified).unwrap_or_default();
            Report { json: json.as_object().cloned().unwrap_or_default(), ..Report::default() }
        }
        Format::Text => {
            let told = args.against.as_ref().map(|name| compared(name, old.len()));
            // Findings about what is gone show its lines.
            let shown = old.into_iter().chain(texts).collect();
            let _ = anstream::stderr().write_all(text(&shown, &verified).as_bytes());
            let all = fixed.into_iter().chain(told).chain([summary(&verified)]);
            let summary = all.collect::<Vec<_>>().join("\n");
            Report { data, summary, ..Report::default() }
        }
        Format::Sarif | Format::Github => {
            let left = verified.unread.iter().filter(|u| u.kind == UnreadKind::NotSearched).map(left);
            let all = verified
                .findings
                .iter()
                .map(sarif_result)
                .chain(left)
                .chain(verified.stale.iter().map(unused));
            Report { findings: all.collect(), ..Report::default() }
        }
    };
    args.output.report(&[], &[], report)?;
    match verified.outcome() {
        Outcome::Violated => Ok(ExitCode::from(1)),
        Outcome::Lost => {
            Err(format!("could not read {}, whose content may cause a violation", some(&verified.lost)))
        }
        Outcome::NotSearched => Ok(ExitCode::from(NOT_SEARCHED)),
        Outcome::Holds => Ok(ExitCode::SUCCESS),
    }
}

/// Returns the older texts of `--against`.
fn old(args: &Verify) -> Result<Texts, Outside> {
    let Some(against) = &args.against else { return Ok(Texts::new()) };
    if args.kustomize.is_empty() {
        return older::texts(against, &args.paths);
    }
    if !Path::new(against).exists() {
        return Err(format!(
            "--against {against}: it is no folder, and a revision is not built: git worktree add ../old {against}"
        ));
    }
    match kustomize::file(Path::new(against)) {
        Some(_) => kustomize::build(Path::new(against)),
        None => read::manifests(&[against.into()]),
    }
}

fn of(texts: &Texts) -> Vec<File<'_>> {
    texts.iter().map(|(path, text)| File { path, text }).collect()
}

/// Searches texts and tells the progress.
fn search(texts: &Texts, settings: Settings<'_>) -> Verified {
    let files = of(texts);
    let mut line = Line::default();
    let verified = watched(&files, settings, &mut |progress| {
        line.tell(|| match progress {
            Progress::Reading(files) => format!("reading {files} files"),
            Progress::Searching(done, of) => format!("searching {done} of {of}"),
        });
    });
    line.clear();
    verified
}

/// The highest number of names of workloads without data that the summary lists.
const NAMES: usize = 12;
/// The exit code if something that may hold data was not searched.
const NOT_SEARCHED: u8 = 3;

/// The text of `berthc.toml` and its errors.
type Faults = (Input, Vec<Diagnostic>);

/// Returns the project, if there is one; or the text of `berthc.toml` and its errors.
fn project() -> Result<Result<Option<Project>, Faults>, Outside> {
    let Some((_, input)) = job::find()? else { return Ok(Ok(None)) };
    Ok(Project::read(&input, 0).map(Some).map_err(|faults| (input, faults)))
}

/// Returns the first of several files, and the number of the others.
fn some(files: &[String]) -> String {
    match files {
        [first, more @ ..] if !more.is_empty() => format!("{first} and {} more", more.len()),
        all => all.concat(),
    }
}

/// Returns the first names, and the number of the others.
fn names(all: &[String]) -> String {
    match all.split_at_checked(NAMES) {
        Some((first, more)) if !more.is_empty() => format!("{} and {} more", first.join(", "), more.len()),
        _ => all.join(", "),
    }
}

fn text(texts: &BTreeMap<String, String>, verified: &Verified) -> String {
    let renderer = Renderer::styled();
    let mut out = String::new();
    let mut lines = BTreeMap::new();
    for finding in &verified.findings {
        out.push_str(&renderer.render(&groups(texts, &mut lines, finding)));
        out.push_str("\n\n");
    }
    for unread in &verified.unread {
        let head = if unread.kind == UnreadKind::NotSearched { "not searched" } else { "not understood" };
        out.push_str(&format!("{}\n", shown(&format!("{head}: {}: {unread}", place(&unread.at)))));
        if !unread.fix.is_empty() {
            out.push_str(&format!("  help: {}\n", shown(&unread.fix)));
        }
    }
    for accepted in &verified.accepted {
        let at = accepted.finding.at.first().map(place).unwrap_or_default();
        let accepted = format!("accepted: {} {at}: {}", accepted.finding.code, accepted.because);
        out.push_str(&format!("{}\n", shown(&accepted)));
    }
    for accept in &verified.stale {
        out.push_str(&format!("stale: {}\n", shown(&stale(accept))));
    }
    out
}

/// Returns the line that says what the files were compared with.
fn compared(against: &str, files: usize) -> String {
    format!("compared with {} of {}", write::files(files), shown(against))
}

/// Returns a summary of the search and its findings.
fn summary(verified: &Verified) -> String {
    let mut out = String::new();
    for s in &verified.searched {
        let end =
            if s.complete { "every state visited" } else { "NOT every state: the search reached its limit" };
        out.push_str(&format!(
            "{}: {} workloads in {} files; {} scenarios of up to 2 members on up to {} nodes, each with up to 3 events, no event twice: {} states, {end}\n",
            s.target, s.workloads, s.files, s.scenarios, s.nodes, s.states
        ));
    }
    if !verified.bare.is_empty() {
        out.push_str(&format!("taken for ones without data: {}\n", shown(&names(&verified.bare))));
    }
    if !verified.passed.is_empty() {
        out.push_str(&format!(
            "ignored, because they are no manifest, stack file or unit: {}\n",
            shown(&some(&verified.passed))
        ));
    }
    let violations = verified.findings.iter().filter(|f| f.level == Grade::Violation).count();
    let notes = verified.findings.len() - violations;
    let left = verified.unread.iter().filter(|u| u.kind == UnreadKind::NotSearched).count();
    let plural = |n: usize| if n == 1 { "" } else { "s" };
    out.push_str(&format!("{violations} violation{}, {notes} note{}", plural(violations), plural(notes)));
    if left > 0 {
        out.push_str(&format!(", {left} not searched"));
    }
    out
}

/// Returns the line for an acceptance that accepts nothing.
fn stale(accept: &Accept) -> String {
    format!(
        "{FILE} accepts {} of {}, but verify does not find it any more: remove the entry",
        accept.code, accept.object
    )
}

/// Converts an acceptance that accepts nothing for SARIF code scanning.
fn unused(accept: &Accept) -> SarifResult {
    SarifResult {
        severity: Severity::Warning,
        code: Code::AcceptUnused.as_str().to_owned(),
        message: stale(accept),
        more: Vec::new(),
        spots: vec![Spot { path: FILE.to_owned(), start: (1, 1), end: (1, 1), text: String::new() }],
        steps: Vec::new(),
    }
}

/// Returns the range of a whole line. A rendered object is in no file: its place is the kustomization.
fn spot(at: &At) -> Spot {
    let (path, line, text) = match kustomize::source(&at.file) {
        Some((path, object)) => (path, 1, format!("{object}:{}: {}", at.line, at.field)),
        None => (&*at.file, at.line, at.field.clone()),
    };
    Spot { path: path.to_owned(), start: (line, 1), end: (line, 1), text }
}

/// Converts a part that was not searched for SARIF code scanning.
fn left(unread: &Unread) -> SarifResult {
    SarifResult {
        severity: Severity::Warning,
        code: codes::NOT_SEARCHED.to_owned(),
        message: format!("not searched: {}", unread.what),
        more: Some(format!("change: {}", unread.fix))
            .filter(|_| !unread.fix.is_empty())
            .into_iter()
            .collect(),
        spots: vec![spot(&unread.at)],
        steps: Vec::new(),
    }
}

/// Converts a finding for SARIF code scanning.
fn sarif_result(finding: &Finding) -> SarifResult {
    let step = |event: &Event| Step { spot: event.at.as_ref().map(spot), text: event.words.clone() };
    SarifResult {
        severity: if finding.level == Grade::Violation { Severity::Error } else { Severity::Warning },
        code: finding.code.to_string(),
        message: finding.message.clone(),
        more: [format!("change: {}", finding.fix)]
            .into_iter()
            .chain(finding.alike.iter().map(|a| format!("{} ({})", also(a), place(&a.at))))
            .chain(finding.also_by.iter().map(also_by))
            .collect(),
        spots: finding.at.iter().chain(finding.alike.iter().map(|a| &a.at)).map(spot).collect(),
        steps: finding.story.iter().map(step).collect(),
    }
}

fn place(at: &At) -> String {
    format!("{}:{}", at.file, at.line)
}

/// Returns the line for another place with the same finding.
fn also(alike: &Alike) -> String {
    format!("also: {}", alike.message)
}

/// Returns the line for another violation with the same cause.
fn also_by(way: &Way) -> String {
    format!("also by {}: {}", way.code, way.message)
}

/// The lines of each file, split once, because a file may have many findings.
type Lines<'f> = BTreeMap<&'f str, Vec<&'f str>>;

fn groups<'f>(
    texts: &'f BTreeMap<String, String>,
    lines: &mut Lines<'f>,
    finding: &'f Finding,
) -> Vec<Group<'f>> {
    let level = match finding.level {
        Grade::Violation => Level::ERROR.with_name("violation"),
        Grade::Note => Level::NOTE,
    };
    let mut group =
        Group::with_title(level.primary_title(shown(&finding.message)).id(finding.code.to_string()));
    if let Some(at) = finding.at.first()
        && let Some((path, text)) = texts.get_key_value(&*at.file)
    {
        let lines = lines.entry(path).or_insert_with(|| text.split('\n').collect());
        let line = short(at.line.checked_sub(1).and_then(|i| lines.get(i)).copied().unwrap_or_default());
        let span = line.len() - line.trim_start().len()..line.len();
        let annotation = AnnotationKind::Primary.span(span).label(shown(&at.field));
        let snippet = Snippet::source(source_text(line)).line_start(at.line).path(shown(path));
        group = group.element(snippet.annotation(annotation));
    }
    for (i, event) in finding.story.iter().enumerate() {
        let at = event.at.as_ref().map(|at| format!("  ({})", place(at))).unwrap_or_default();
        group = group.element(
            Level::NOTE.no_name().message(shown(&format!("{}. {}{at}", i + 1, event.words)).into_owned()),
        );
    }
    for alike in &finding.alike {
        let also = format!("{} ({})", also(alike), place(&alike.at));
        group = group.element(Level::NOTE.no_name().message(shown(&also).into_owned()));
    }
    for way in &finding.also_by {
        group = group.element(Level::NOTE.no_name().message(shown(&also_by(way)).into_owned()));
    }
    let mut groups = vec![group];
    if !finding.fix.is_empty() {
        groups.push(Group::with_title(Level::HELP.secondary_title(shown(&finding.fix))));
    }
    groups
}

/// Shortens a line to its first 500 bytes, without trailing spaces.
fn short(line: &str) -> &str {
    let line = line.trim_end();
    let end = (0..=line.len().min(500)).rev().find(|i| line.is_char_boundary(*i));
    &line[..end.unwrap_or_default()]
}
