//! Compares the claims of berthc with the observations, in both directions: a protected resource
//! must never overlap, and for every gap the suite must have provoked an overlap.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::trace::{ELSEWHERE, EMPTY, HERE, OTHER, Seen};
use crate::variant::{Claim, Compiled};

/// The mechanisms that exclude a second container on the same node, but not on another node.
const ON_ONE_NODE: [&str; 5] = ["port", "token", "lock", "bind", "global"];

/// The facts about an experiment that the judgement needs.
#[derive(Clone, Copy)]
pub struct SwarmService {
    /// The name in the table.
    pub name: &'static str,
    pub hazard: &'static str,
    /// The ids of the mechanisms whose assumption it breaks.
    pub breaks: &'static [&'static str],
    /// The ways in which it brings two unprotected containers together.
    pub provokes: &'static [&'static str],
}

/// One resource of one service in one experiment.
pub struct Row {
    pub service: &'static str,
    pub experiment: &'static str,
    pub resource: &'static str,
    pub hazard: &'static str,
    pub claim: Claim,
    pub seen: String,
    /// The longest overlap in milliseconds; 0 for a start without data.
    pub long: Option<u64>,
    /// Whether the experiment breaks the assumptions of all mechanisms of the claim.
    pub assumed: bool,
    /// Whether the experiment is meant to provoke an overlap.
    pub provokes: bool,
    /// The contradiction between claim and observation.
    pub wrong: Option<String>,
}

/// A way that berthc calls open and that an experiment tried.
pub struct Tried {
    /// Whether it happened at least once.
    pub happened: bool,
    /// The smallest delay of the machine in all tries, in milliseconds.
    late: u64,
}

/// The results of all experiments for the ways that berthc calls open: service, resource, hazard,
/// way.
pub type Open = BTreeMap<(&'static str, &'static str, &'static str, &'static str), Tried>;

/// The delay in milliseconds from which a machine is too slow to start one container while another
/// one stops. A missing overlap then proves nothing.
const SLOW: u64 = 1000;

/// The result of a run.
#[derive(Default)]
pub struct Told {
    pub good: bool,
    /// Whether an expected overlap did not happen because the machine was too slow.
    pub skipped: bool,
    /// The versions of the engine and of its client.
    pub engine: String,
    /// The text of the page.
    pub table: String,
    /// The names of the sections of the page, in order.
    pub order: Vec<&'static str>,
    /// The same results, for the table of all targets.
    pub measured: Value,
}

/// Checks that every way that berthc calls open was observed.
pub fn sum(open: &Open) -> Told {
    let mut told = Told { good: true, ..Told::default() };
    for ((service, resource, hazard, way), tried) in open.iter().filter(|(_, t)| !t.happened) {
        let what = format!("{service} {resource}/{hazard}: `{way}` is said to be open, and was not seen");
        if tried.late < SLOW {
            println!("        NOT PROVOKED {what}");
            told.good = false;
        } else {
            println!("        NOT ASSERTED, the machine was late by {} ms: {what}", tried.late);
            told.skipped = true;
        }
    }
    told
}

/// Judges one service after one experiment.
pub fn judge(of: &Compiled, subject: SwarmService, seen: &Seen, late: u64, open: &mut Open) -> Vec<Row> {
    let mut rows = Vec::new();
    for resource in ["data", "id", "hostname", "port"] {
        // A start on missing or foreign data is the hazard `move`, whatever its cause.
        let (at_move, meeting): (Vec<_>, Vec<_>) = seen
            .iter()
            .filter(|((r, _), _)| *r == resource)
            .map(|((_, way), long)| (*way, *long))
            .partition(|(way, _)| [EMPTY, OTHER].contains(way));
        for (hazard, ways) in [(subject.hazard, meeting), ("move", at_move)] {
            if hazard == "move" && ways.is_empty() && subject.hazard != "move" {
                continue;
            }
            // Two containers that meet during a label change do not concern the hazard `move`.
            let Some(claim) = of.claim(resource, hazard) else { continue };
            rows.push(row(of, subject, (resource, hazard), claim, &ways, late, open));
        }
    }
    rows.dedup_by(|b, a| (a.resource, a.hazard, &a.seen) == (b.resource, b.hazard, &b.seen));
    rows
}

fn row(
    of: &Compiled,
    subject: SwarmService,
    (resource, hazard): (&'static str, &'static str),
    claim: &Claim,
    ways: &[(&'static str, u64)],
    late: u64,
    open: &mut Open,
) -> Row {
    let mut wrong = None;
    let name = of.variant.name;
    for (way, long) in ways {
        let told = format!("{way}, {} s", seconds(*long));
        match claim {
            Claim::Held(by) => {
                let holds = |m: &&String| {
                    let far = *way == ELSEWHERE && ON_ONE_NODE.contains(&m.as_str());
                    let near = *way == HERE && m.as_str() == "pin";
                    !(far || near || subject.breaks.contains(&m.as_str()))
                };
                if by.iter().any(|m| holds(&m)) || !by.iter().any(|m| subject.breaks.contains(&m.as_str())) {
                    wrong = Some(format!("held by {}, and yet {told}", by.join(", ")));
                }
            }
            Claim::Gap(said) if !said.iter().any(|s| s == way) => {
                wrong = Some(format!("only `{}` is said to be open, and yet {told}", said.join("`, `")));
            }
            Claim::Never(why) => wrong = Some(format!("said to be impossible ({why}), and yet {told}")),
            Claim::Gap(_) | Claim::Duty => {}
            Claim::AsData => wrong = Some("as the data, which there is not".to_owned()),
        }
    }
    if let Claim::Gap(said) = claim {
        for way in [HERE, ELSEWHERE, EMPTY, OTHER] {
            // A start without data is reported only for the resource data.
            let of_data = resource == "data" || ![EMPTY, OTHER].contains(&way);
            if of_data && said.iter().any(|s| s == way) && subject.provokes.contains(&way) {
                let met = ways.iter().any(|(seen, _)| *seen == way);
                let key = (name, resource, hazard, way);
                let tried = open.entry(key).or_insert(Tried { happened: false, late });
                tried.happened |= met;
                tried.late = tried.late.min(late);
            }
        }
    }
    let seen = match ways {
        [] => "held".to_owned(),
        ways => ways.iter().map(|(way, long)| tell(way, *long)).collect::<Vec<_>>().join("; "),
    };
    // What is left of the mechanisms does not hold the way that was seen, or nothing is left.
    let broken = |by: &[String]| by.iter().all(|m| subject.breaks.contains(&m.as_str()));
    let assumed = matches!(claim, Claim::Held(by) if broken(by) || !ways.is_empty() && wrong.is_none());
    let long = ways.iter().map(|(_, long)| *long).max();
    Row {
        service: name,
        experiment: subject.name,
        resource,
        hazard,
        claim: claim.clone(),
        seen,
        long,
        assumed,
        provokes: !subject.provokes.is_empty(),
        wrong,
    }
}

/// Returns for each experiment, cell and hazard the claim, the number of tries and the longest overlap.
/// `cell` returns the cell of a service and its first resource, for services that are deployed as
/// emitted.
pub fn measured<'r>(
    rows: impl Iterator<Item = &'r Row>,
    cell: impl Fn(&str) -> Option<(&'static str, &'static str)>,
) -> Value {
    type Key<'k> = (&'k str, &'k str, &'k str, &'k str, bool);
    let mut all: BTreeMap<Key<'_>, (Vec<String>, u64, Option<u64>)> = BTreeMap::new();
    for row in rows {
        let Some((cell, first)) = cell(row.service) else { continue };
        // An experiment that does not try a gap says nothing about it.
        if matches!(row.claim, Claim::Gap(_)) && row.long.is_none() && !row.provokes {
            continue;
        }
        let (kind, by) = match &row.claim {
            Claim::Held(by) => ("held", by.clone()),
            Claim::Gap(ways) => ("gap", ways.clone()),
            Claim::Never(_) => ("never", Vec::new()),
            Claim::Duty => ("duty", Vec::new()),
            Claim::AsData => continue,
        };
        if row.resource != first {
            continue;
        }
        let (words, tries, long) =
            all.entry((row.experiment, cell, row.hazard, kind, row.assumed)).or_default();
        words.extend(by);
        words.sort();
        words.dedup();
        *tries += 1;
        *long = (*long).max(row.long);
    }
    let row = |((experiment, cell, hazard, claim, assumed), (by, tries, long)): (
        _,
        (Vec<String>, u64, Option<u64>),
    )| json!({ "experiment": experiment, "cell": cell, "hazard": hazard, "claim": claim, "assumed": assumed, "by": by, "tries": tries, "overlap": long });
    all.into_iter().map(row).collect()
}

/// Returns a claim as text.
fn told(claim: &Claim) -> String {
    match claim {
        Claim::Held(by) => by.join(", "),
        Claim::Gap(ways) => format!("**gap**: {}", ways.join(", ")),
        Claim::Never(_) => "never".to_owned(),
        Claim::Duty => "duty".to_owned(),
        Claim::AsData => "as data".to_owned(),
    }
}

fn seconds(milliseconds: u64) -> String {
    match (milliseconds + 500) / 1000 {
        0 => "under 1".to_owned(),
        s => s.to_string(),
    }
}

fn tell(way: &str, long: u64) -> String {
    match way {
        EMPTY | OTHER => way.to_owned(),
        _ => format!("**{} s**, {way}", seconds(long)),
    }
}

/// Returns the rows of one experiment as lines of a table. `what` returns the description of a
/// service.
pub fn lines<'r>(rows: impl IntoIterator<Item = &'r Row>, what: impl Fn(&str) -> &str) -> String {
    let mut lines: Vec<(&str, Vec<&str>, String)> = Vec::new();
    // An event that cannot happen and did not happen needs no line.
    for r in rows.into_iter().filter(|r| !matches!(r.claim, Claim::Never(_)) || r.seen != "held") {
        let wrong = if r.wrong.is_some() { " **differs**" } else { "" };
        let rest = format!("{} | {}{wrong}", told(&r.claim), r.seen);
        match lines.iter_mut().find(|(s, _, told)| *s == r.service && *told == rest) {
            Some((_, resources, _)) => resources.push(r.resource),
            None => lines.push((r.service, vec![r.resource], rest)),
        }
    }
    let mut text = "| service | resource | claimed | seen |\n|---|---|---|---|\n".to_owned();
    for (service, resources, rest) in lines {
        text += &format!("| {} | {} | {rest} |\n", what(service), resources.join(", "));
    }
    text
}
