//! What berthc claims against what was seen, in both directions: nothing may overlap where it says
//! held, and where it says that nothing holds, the suite must have provoked it.

use std::collections::BTreeMap;

use crate::trace::{ELSEWHERE, EMPTY, HERE, OTHER, Seen};
use crate::variant::{Claim, Compiled};

/// Mechanisms that keep a second container off the same node, and off no other.
const ON_ONE_NODE: [&str; 5] = ["port", "token", "lock", "bind", "global"];

/// What an experiment is, as far as it is judged.
#[derive(Clone, Copy)]
pub struct Subject {
    /// Its name in the table.
    pub name: &'static str,
    pub hazard: &'static str,
    /// Mechanisms whose assumption it breaks, by their words.
    pub breaks: &'static [&'static str],
    /// Ways in which it brings two containers together where nothing holds them apart.
    pub provokes: &'static [&'static str],
}

/// Where certificate and cluster are known to differ: service, resource, hazard, way. Another
/// difference is a fault of the one or the other.
pub const DIFFERENCES: [(&str, &str, &str, &str); 2] =
    [("e", "id", "relabel", ELSEWHERE), ("e", "hostname", "relabel", ELSEWHERE)];

/// One resource of one service in one experiment.
pub struct Row {
    pub service: &'static str,
    pub experiment: &'static str,
    pub resource: &'static str,
    pub hazard: &'static str,
    pub claim: String,
    pub seen: String,
    /// Why claim and observation do not go together.
    pub wrong: Option<String>,
    /// Whether that is known.
    pub known: bool,
}

/// What all experiments together showed of ways that are said to be open: whether it was tried,
/// and whether it happened.
pub type Open = BTreeMap<(&'static str, &'static str, &'static str, &'static str), bool>;

/// Judges one service after one experiment.
pub fn judge(of: &Compiled, subject: Subject, seen: &Seen, open: &mut Open) -> Vec<Row> {
    let mut rows = Vec::new();
    for resource in ["data", "id", "hostname", "port"] {
        // A start on missing or foreign data is the hazard `move`, whatever brought it about.
        let (at_move, meeting): (Vec<_>, Vec<_>) = seen
            .iter()
            .filter(|((r, _), _)| *r == resource)
            .map(|((_, way), long)| (*way, *long))
            .partition(|(way, _)| [EMPTY, OTHER].contains(way));
        for (hazard, ways) in [(subject.hazard, meeting), ("move", at_move)] {
            if hazard == "move" && ways.is_empty() && subject.hazard != "move" {
                continue;
            }
            // What brings two together while a label changes is no matter of the hazard `move`.
            let Some(claim) = of.claim(resource, hazard) else { continue };
            rows.push(row(of, subject, resource, hazard, claim, &ways, open));
        }
    }
    rows.dedup_by(|b, a| (a.resource, a.hazard, &a.seen) == (b.resource, b.hazard, &b.seen));
    rows
}

fn row(
    of: &Compiled,
    subject: Subject,
    resource: &'static str,
    hazard: &'static str,
    claim: &Claim,
    ways: &[(&'static str, u64)],
    open: &mut Open,
) -> Row {
    let mut wrong = None;
    let name = of.variant.name;
    for (way, long) in ways {
        let told = format!("{way}, {} s", seconds(*long));
        match claim {
            Claim::Held(by) => {
                let holds = |m: &&String| {
                    !subject.breaks.contains(&m.as_str())
                        && !(*way == ELSEWHERE && ON_ONE_NODE.contains(&m.as_str()))
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
            if said.iter().any(|s| s == way) && subject.provokes.contains(&way) {
                let met = ways.iter().any(|(seen, _)| *seen == way);
                *open.entry((name, resource, hazard, way)).or_default() |= met;
            }
        }
    }
    let seen = match ways {
        [] => "held".to_owned(),
        ways => ways.iter().map(|(way, long)| tell(way, *long)).collect::<Vec<_>>().join("; "),
    };
    let claim = match claim {
        Claim::Held(by) => by.join(", "),
        Claim::Gap(ways) => format!("**gap**: {}", ways.join(", ")),
        Claim::Never(_) => "never".to_owned(),
        Claim::Duty => "duty".to_owned(),
        Claim::AsData => "as data".to_owned(),
    };
    let known = ways.iter().all(|(way, _)| DIFFERENCES.contains(&(name, resource, hazard, *way)));
    Row { service: name, experiment: subject.name, resource, hazard, claim, seen, wrong, known }
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

/// The rows of one experiment as lines of a table; `what` says what a service is.
pub fn lines<'r>(rows: impl IntoIterator<Item = &'r Row>, what: impl Fn(&str) -> &str) -> String {
    let mut lines: Vec<(&str, Vec<&str>, String)> = Vec::new();
    // What cannot happen and did not is not worth a line.
    for r in rows.into_iter().filter(|r| r.claim != "never" || r.seen != "held") {
        let wrong = if r.wrong.is_some() { " **differs**" } else { "" };
        let rest = format!("{} | {}{wrong}", r.claim, r.seen);
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
