//! Prints the certificate as a page for a reviewer.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Cell, Hazard, Part, Resource, Verdict, duties};
use crate::emit::Page;
use crate::gap::Gap;
use crate::mechanism::{Id, Mechanism, Strength, numbered};
use crate::model::{Members, Model, Service};
use crate::world::pod_security::Security;

/// The values for `templates/certificate.md.j2`.
#[derive(Debug, Serialize)]
struct Plan {
    origin: String,
    service: String,
    members: String,
    hazards: Vec<(&'static str, &'static str)>,
    columns: Vec<String>,
    rows: Vec<Row>,
    words: Vec<Words>,
    notes: Vec<String>,
    waived: Vec<Waived>,
    duties: Vec<duties::Section>,
}

/// One row: the hazards that the same mechanisms prevent on every target.
#[derive(Debug, Serialize)]
struct Row {
    resource: String,
    hazards: String,
    cells: Vec<String>,
}

/// The mechanisms of one target.
#[derive(Debug, Serialize)]
struct Words {
    title: String,
    words: Vec<Word>,
}

#[derive(Debug, Serialize)]
struct Word {
    word: &'static str,
    layer: u8,
    what: &'static str,
    assumes: &'static str,
    carriers: Vec<Place>,
}

/// File and field. There is no line, so that the page has few differences after a change.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    file: String,
    field: String,
}

#[derive(Debug, Serialize)]
struct Waived {
    gap: String,
    message: String,
    because: String,
}

/// Makes the page of one service, from its `parts` by target and revision and its waived `gaps`.
pub fn page(
    model: &Model,
    group: &[&Service],
    parts: &[(&Service, &Part)],
    gaps: &[(&Service, &Gap)],
    security: Option<&Security>,
) -> Option<Page> {
    let first = *group.first()?;
    first.workload()?;
    let columns = columns(parts);
    let plan = Plan {
        origin: group.iter().map(|s| s.file.as_str()).collect::<Vec<_>>().join(", "),
        service: first.name.clone(),
        members: members(group),
        hazards: Hazard::ALL.into_iter().map(|h| (h.name(), h.what())).collect(),
        columns: columns.iter().map(|c| c.0.clone()).collect(),
        rows: rows(&columns),
        words: columns.iter().map(|(title, part)| words(title, part)).collect(),
        notes: notes(&columns),
        waived: waived(gaps),
        duties: duties::sections(model, group, security),
    };
    Some(Page::new(format!("{}/certificate.md", first.name), "certificate.md.j2", &plan))
}

/// Makes one column for each target, or one for each revision if they differ.
fn columns(parts: &[(&Service, &Part)]) -> Vec<(String, Part)> {
    let mut columns: Vec<(String, Part)> = Vec::new();
    for target in crate::target::Target::ALL {
        let own: Vec<_> = parts.iter().filter(|(_, p)| p.target == target).collect();
        let Some((_, first)) = own.first() else { continue };
        let same = own.len() == 1 || {
            let table_of_first = table(first);
            own.iter().all(|(_, part)| table(part) == table_of_first)
        };
        for (service, part) in own.iter().take(if same { 1 } else { own.len() }) {
            let mut whole: Part = (*part).clone();
            for (_, other) in own.iter().filter(|_| same) {
                for (word, carriers) in &other.carriers {
                    whole.carriers.entry(word).or_default().extend(carriers.iter().cloned());
                }
            }
            let title = match &service.revision {
                Some(revision) if !same => format!("{} ({revision})", part.title),
                _ => part.title.clone(),
            };
            columns.push((title, whole));
        }
    }
    columns
}

fn table(part: &Part) -> Vec<String> {
    part.cells.iter().map(cell).collect()
}

/// Returns a cell: `1 path, 3 affinity`. The notes have the mechanisms that are missing.
fn cell(cell: &Cell) -> String {
    match &cell.verdict {
        Verdict::Held { by, .. } => numbered(by),
        Verdict::AsData => "as the first row".into(),
        Verdict::Never(why) => format!("n/a: {why}"),
        Verdict::Duty => "5 duty".into(),
        Verdict::Gap { by, .. } if by.is_empty() => "**waived**".into(),
        Verdict::Gap { open, by, .. } => {
            format!("{}; {}: **waived**", numbered(by), open.join(", "))
        }
    }
}

fn rows(columns: &[(String, Part)]) -> Vec<Row> {
    let mut rows: Vec<(Resource, Vec<Hazard>, Vec<String>)> = Vec::new();
    for resource in Resource::ALL {
        for hazard in Hazard::ALL {
            let cells: Vec<String> = columns
                .iter()
                .map(|(_, part)| {
                    let found = part.cells.iter().find(|c| c.resource == resource && c.hazard == hazard);
                    found.map_or_else(String::new, cell)
                })
                .collect();
            if cells.iter().all(String::is_empty) {
                continue;
            }
            match rows.iter_mut().find(|(r, _, c)| *r == resource && *c == cells) {
                Some((_, hazards, _)) => hazards.push(hazard),
                None => rows.push((resource, vec![hazard], cells)),
            }
        }
    }
    rows.into_iter()
        .map(|(resource, hazards, cells)| {
            let all = hazards.len() == Hazard::ALL.len();
            let names: Vec<&str> = hazards.iter().map(|h| h.name()).collect();
            let hazards = if all { "all".to_owned() } else { names.join(", ") };
            Row { resource: resource.name().to_owned(), hazards, cells }
        })
        .collect()
}

fn words(title: &str, part: &Part) -> Words {
    let mut named: BTreeMap<(Strength, Id), &'static Mechanism> = BTreeMap::new();
    for cell in &part.cells {
        if let Verdict::Held { by, .. } | Verdict::Gap { by, .. } = &cell.verdict {
            named.extend(by.iter().map(|m| ((m.strength, m.id), *m)));
        }
    }
    let words = named
        .into_iter()
        .map(|((strength, _), m)| {
            let carriers: BTreeSet<Place> = part
                .carriers
                .get(m.id)
                .into_iter()
                .flatten()
                .map(|c| Place { file: c.file.to_string(), field: c.field.clone() })
                .collect();
            Word {
                word: m.id,
                layer: strength as u8,
                what: m.what,
                assumes: m.assumes,
                carriers: short(carriers),
            }
        })
        .collect();
    Words { title: title.to_owned(), words }
}

/// Joins the same field of similar files (one unit for each member) into one line.
fn short(carriers: BTreeSet<Place>) -> Vec<Place> {
    let mut by_field: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for carrier in carriers {
        by_field.entry(carrier.field).or_default().push(carrier.file);
    }
    let mut places: Vec<Place> = by_field
        .into_iter()
        .map(|(field, files)| {
            let file = match files.as_slice() {
                [one] => one.clone(),
                [first, second] => format!("{first}, {second}"),
                [first, .., last] => format!("{first} … {last}"),
                [] => String::new(),
            };
            Place { file, field }
        })
        .collect();
    places.sort();
    places
}

/// Returns the mechanisms that the table requires and the files lack.
fn notes(columns: &[(String, Part)]) -> Vec<String> {
    let mut notes = BTreeSet::new();
    for (title, part) in columns {
        for cell in &part.cells {
            if let Verdict::Held { lost, .. } | Verdict::Gap { lost, .. } = &cell.verdict {
                for m in lost {
                    notes.insert(format!(
                        "{title}: {}/{} has lost {} ({})",
                        cell.resource.name(),
                        cell.hazard.name(),
                        m.id,
                        m.what
                    ));
                }
            }
        }
    }
    notes.into_iter().collect()
}

fn waived(gaps: &[(&Service, &Gap)]) -> Vec<Waived> {
    let mut all: BTreeMap<String, Waived> = BTreeMap::new();
    for (service, gap) in gaps {
        let Some(accept) = service.accept.iter().find(|a| a.gap == gap.id) else { continue };
        all.entry(gap.id.to_string()).or_insert_with(|| Waived {
            gap: gap.id.to_string(),
            message: format!("{}: {}", gap.message, gap.why),
            because: accept.because.clone(),
        });
    }
    all.into_values().collect()
}

/// Describes the members in a sentence.
fn members(group: &[&Service]) -> String {
    let Some(w) = group.first().and_then(|s| s.workload()) else { return String::new() };
    let name = &group[0].name;
    match &w.members {
        Members::PerNode { on, .. } => {
            let on: Vec<String> = on.iter().map(|(k, v)| format!("{k}={v}")).collect();
            format!("One member on each node that carries {}.", on.join(" and "))
        }
        Members::Counted { count, first, pin } => {
            let names = match count {
                1 => format!("One member, {name}-{first}"),
                _ => format!("Members {name}-{first} to {name}-{}", first + count - 1),
            };
            match pin {
                Some(pin) => {
                    format!("{names}; each runs on the one node whose label {} is its number.", pin.label)
                }
                None => format!("{names}."),
            }
        }
    }
}
