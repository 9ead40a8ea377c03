//! Prints diagnostics as text and as JSON.

use std::borrow::Cow;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Padding, Renderer, Snippet};
use berthc::diag::{Diagnostic, Fix, Place};
use berthc::spec::load;
use berthc::spec::source::line_column;
use berthc::text::quote::{escaped, shown, shown_lines};
use berthc::{Input, Severity};
use serde_json::{Value, json};

/// Renders all `diagnostics` in the style of rustc, with a count at the end. A note is one line, unless
/// `verbose`.
pub fn text(inputs: &[Input], diagnostics: &[Diagnostic], verbose: bool) -> String {
    let renderer = Renderer::styled();
    let mut out = String::new();
    let (notes, others): (Vec<_>, Vec<_>) =
        diagnostics.iter().partition(|d| d.severity == Severity::Note && !verbose);
    for d in others {
        out.push_str(&renderer.render(&groups(inputs, d)));
        out.push_str("\n\n");
    }
    for d in notes {
        let path = inputs.get(d.place.source).map(|input| {
            let (line, _) = line_column(&input.text, d.place.start);
            format!(" {}:{line}", shown(&input.path))
        });
        let more =
            if d.related.is_empty() { String::new() } else { format!(" (and {} more)", d.related.len()) };
        let message = shown(&d.message);
        out.push_str(&format!("note[{}]{}: {message}{more}\n", d.code, path.unwrap_or_default()));
    }
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    if errors > 0 {
        let plural = if errors == 1 { "" } else { "s" };
        out.push_str(&format!("{errors} error{plural}; nothing was written\n"));
    }
    out
}

fn groups<'d>(inputs: &'d [Input], d: &'d Diagnostic) -> Vec<Group<'d>> {
    let level = match d.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = level.primary_title(shown(&d.message)).id(d.code.as_ref()).elements(snippets(inputs, d));
    for why in &d.why {
        group = group.element(Level::NOTE.message(shown(why)));
    }
    let mut groups = vec![group];
    for fix in &d.fixes {
        let (text, line) = written(inputs, d, fix);
        let text = shown(&text);
        let title =
            if line.is_empty() { text.into_owned() } else { format!("{text}:   {}", shown_lines(&line)) };
        groups.push(Group::with_title(Level::HELP.secondary_title(title)));
    }
    groups
}

/// Returns what to do and the line to write, in the format of the spec. A block that the spec has is
/// named, and only what it lacks is written.
pub fn written(inputs: &[Input], d: &Diagnostic, fix: &Fix) -> (String, String) {
    let Some(input) = inputs.get(d.place.source) else { return (fix.text.clone(), fix.line.clone()) };
    // What replaces a block is written whole.
    let text = if fix.text.contains("in place of") { "" } else { &input.text };
    let (block, line) = load::addition(&input.path, text, &fix.line);
    let text = match block.as_slice() {
        [] => fix.text.clone(),
        steps => format!("{}, under `{}`", fix.text, steps.join(".")),
    };
    (text, line)
}

/// Returns one snippet for each source text, the text of the diagnostic first.
fn snippets<'d>(inputs: &'d [Input], d: &'d Diagnostic) -> Vec<Element<'d>> {
    let mut places: Vec<(Place, &str, AnnotationKind)> =
        vec![(d.place, d.label.as_str(), AnnotationKind::Primary)];
    places.extend(d.related.iter().map(|(p, text)| (*p, text.as_str(), AnnotationKind::Context)));
    let mut sources: Vec<usize> = Vec::new();
    for (place, ..) in &places {
        if !sources.contains(&place.source) {
            sources.push(place.source);
        }
    }
    let mut elements: Vec<Element<'d>> = Vec::new();
    for source in sources {
        let Some(input) = inputs.get(source) else { continue };
        let mut snippet = Snippet::source(source_text(&input.text)).path(shown(&input.path));
        for (place, label, kind) in places.iter().filter(|p| p.0.source == source) {
            let annotation = kind.span(span(&input.text, *place));
            snippet = snippet.annotation(if label.is_empty() {
                annotation
            } else {
                annotation.label(shown(label))
            });
        }
        elements.push(snippet.into());
    }
    if !d.why.is_empty() {
        elements.push(Padding.into());
    }
    elements
}

/// Returns the text of a file for a snippet. Characters that must be escaped become question marks of
/// the same length, so that places stay where they are. The renderer itself shows those of ASCII.
pub fn source_text(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| !c.is_ascii() && escaped(c);
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) { out.extend(std::iter::repeat_n('?', c.len_utf8())) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// Returns the place within its text, on character boundaries and on one line.
fn span(text: &str, place: Place) -> std::ops::Range<usize> {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(place.start);
    let end = floor(place.end).max(start);
    let line = text[start..end].find('\n').map_or(end, |i| start + i);
    start..line
}

/// Returns a diagnostic as JSON; lines and columns are from 1.
pub fn json(inputs: &[Input], d: &Diagnostic) -> Value {
    let at = |place: Place, text: &str| {
        let Some(input) = inputs.get(place.source) else { return json!({ "text": text }) };
        let (line, column) = line_column(&input.text, place.start);
        let (end_line, end_column) = line_column(&input.text, place.end);
        json!({
            "file": input.path, "line": line, "column": column,
            "end_line": end_line, "end_column": end_column, "text": text,
        })
    };
    json!({
        "severity": d.severity,
        "code": d.code,
        "also": d.also,
        "message": d.message,
        "at": at(d.place, &d.label),
        "related": d.related.iter().map(|(p, text)| at(*p, text)).collect::<Vec<_>>(),
        "why": d.why,
        "fixes": d.fixes.iter().map(|fix| {
            let (text, line) = written(inputs, d, fix);
            json!({ "text": text, "line": line })
        }).collect::<Vec<_>>(),
    })
}
