//! Tests `berthc explain NAME`: everything that a compile can name has a page, and the marked lines
//! of a page are correct.

mod reference;

use std::collections::BTreeSet;

use berthc::code::Code;
use berthc::explain::{names, nearest, page, pages};
use berthc::finding::{FindingId, codes};
use berthc::gap::GapId;
use berthc::hazard::{CellId, Hazard, Resource};
use berthc::mechanism::Strength;
use berthc::{Severity, Target};

use crate::harness::{berthc, compile, root, walk};

const LAYERS: [Strength; 5] =
    [Strength::Construction, Strength::Fence, Strength::Scheduler, Strength::Order, Strength::Duty];

fn lower(layer: Strength) -> String {
    format!("{layer:?}").to_lowercase()
}

fn code(name: &str) -> Option<Code> {
    Code::ALL.iter().copied().find(|c| c.as_str() == name)
}

/// Returns whether a page is about the gap of a field: `TARGET/FIELD.PATH`.
fn of_field(name: &str) -> bool {
    let target = Target::ALL.into_iter().find(|t| name.starts_with(&format!("{}/", t.name())));
    target.is_some() && name.matches('/').count() == 1
}

#[test]
fn every_code_gap_hazard_resource_and_layer_has_a_page() {
    let mut wanted: Vec<String> = Vec::new();
    wanted.extend(Code::ALL.iter().map(|c| c.as_str().to_owned()));
    wanted.extend(Hazard::ALL.iter().map(|h| h.name().to_owned()));
    wanted.extend(Resource::ALL.iter().map(|r| r.name().to_owned()));
    wanted.extend(LAYERS.map(lower));
    for target in Target::ALL {
        for hazard in Hazard::ALL {
            wanted.push(format!("{}/*/{}", target.name(), hazard.name()));
            for resource in Resource::ALL {
                wanted.push(format!("{}/{}/{}", target.name(), resource.name(), hazard.name()));
            }
        }
    }
    let missing: Vec<&String> = wanted.iter().filter(|name| page(name).is_none()).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

/// Finds the fields that the code of the targets reports as gaps, even if no spec here has them.
#[test]
fn every_field_that_a_target_names_has_a_page() {
    let mut found = BTreeSet::new();
    let quoted = |text: &str| Some(text.split_once('"')?.1.split_once('"')?.0.to_owned());
    for path in walk(&root().join("src/plan")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for name in text.split("GapId::field(Target::").skip(1) {
            let (target, field) = name.split_once(", ").unwrap();
            let target = target.to_lowercase();
            // Swarm names its fields by their route.
            if !field.starts_with("route.") {
                let field = quoted(field).unwrap().replace("{secret}", "password");
                assert!(!field.contains('{'), "{}: {field}", path.display());
                found.insert(format!("{target}/{field}"));
                continue;
            }
            for route in text.split("field(\n").skip(1).filter_map(|f| f.trim().strip_prefix("route![")) {
                let steps: Vec<_> = route.split(']').next().unwrap().split('"').skip(1).step_by(2).collect();
                found.insert(format!("{target}/{}", steps.join(".")));
            }
        }
    }
    let missing: Vec<&String> = found.iter().filter(|name| page(name).is_none()).collect();
    assert_eq!(missing, Vec::<&String>::new());
    let told: Vec<&str> = names().filter(|n| of_field(n)).filter(|n| !n.ends_with(".NAME")).collect();
    let stale: Vec<&&str> = told.iter().filter(|n| !found.contains(**n)).collect();
    assert_eq!(stale, Vec::<&&str>::new(), "pages of gaps that no target has; there are {found:?}");
}

/// Returns whether a page is about a finding of `verify`. Its lines belong to a manifest, a unit or
/// a stack file; `tests/found` has the complete files.
fn finding(name: &str) -> bool {
    codes::ALL.contains(&name)
}

#[test]
fn every_page_has_a_subject_and_is_unique() {
    let mut seen = BTreeSet::new();
    for (name, text) in pages() {
        assert!(seen.insert(name), "{name} stands twice");
        let hazard = |h: &str| Hazard::ALL.iter().any(|k| k.name() == h);
        let resource = |r: &str| Resource::ALL.iter().any(|k| k.name() == r);
        let target = |t: &str| Target::ALL.iter().any(|k| k.name() == t);
        let belongs = match name.split('/').collect::<Vec<_>>()[..] {
            [word] => {
                code(word).is_some()
                    || finding(word)
                    || word == codes::NOT_SEARCHED
                    || hazard(word)
                    || resource(word)
                    || LAYERS.map(lower).contains(&word.to_owned())
            }
            [_, _] => of_field(name),
            [t, r, h] => target(t) && (r == "*" || resource(r)) && hazard(h),
            _ => false,
        };
        assert!(belongs, "{name} belongs to nothing");
        assert!(text.len() > 80 && !text.contains("\n#") && !text.starts_with('\n'), "{name}: {text}");
        if name.contains('/') {
            assert!(text.contains("Source: "), "{name} has no source");
        }
        for line in text.lines().filter(|l| !l.starts_with("    ")) {
            assert!(line.chars().count() <= 100, "{name} has a long line: {line}");
            for word in ["/work", "semantics", "session"] {
                assert!(!line.contains(word), "{name} names {word}");
            }
        }
    }
}

#[test]
fn gaps_without_a_page_have_the_page_of_their_kind() {
    assert_eq!(page("swarm/id/partition"), page("swarm/*/partition"));
    assert_ne!(page("swarm/data/relabel"), page("swarm/*/relabel"));
    assert_eq!(page("swarm/secrets.password"), page("swarm/secrets.NAME"));
    for none in ["", "/", "swarm", "swarm/", "swarm/secrets.", "swarm/food/partition", "nomad/data/partition"]
    {
        assert_eq!(page(none), None, "{none}");
    }
    assert_eq!(nearest("partion").as_deref(), Some("partition"));
    assert_eq!(nearest("Member-Movs").as_deref(), Some("member-moves"));
    assert_eq!(nearest("swarm/stop.befor").as_deref(), Some("swarm/stop.before"));
    assert_eq!(nearest("something else"), None);
}

#[test]
fn the_command_prints_a_page() {
    let run = berthc(&["explain", "swarm/hostname/partition"]);
    assert_eq!(String::from_utf8(run.stdout).unwrap().trim_end(), page("swarm/*/partition").unwrap());
    assert_eq!(run.status.code(), Some(0));
}

/// Returns the lines of specs in a page, each group with the word in front of it.
fn lines(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        let word = ["wrong", "right", "write"].into_iter().find_map(|word| {
            let rest = line.strip_prefix("    ")?.strip_prefix(word)?.strip_prefix(":  ")?;
            Some((word, rest))
        });
        match (word, line.strip_prefix("            "), found.last_mut()) {
            (Some((word, rest)), _, _) => found.push((word, vec![rest])),
            (None, Some(rest), Some((_, lines))) => lines.push(rest),
            _ => {}
        }
    }
    found
}

/// Returns a valid spec in which these lines replace its own.
fn spec(lines: &[&str]) -> String {
    let key = |line: &str| line.split(':').next().unwrap().to_owned();
    let base = [
        "service: db",
        "image: db:1",
        "members: { count: 3, pin: db }",
        "exclusive: { data: { data: { mount: /data, host: \"/mnt/d1/db-{{ member.id }}\", size: 1Gi } }, ports: { client: 5000 } }",
        "targets: { kubernetes: { version: \"1.34\", namespace: db } }",
    ];
    let keys: Vec<String> = lines.iter().map(|l| key(l)).collect();
    let external = keys.iter().any(|k| k == "external");
    let kept = base.into_iter().filter(|l| !keys.contains(&key(l)));
    let kept = kept.filter(|l| !external || !["image", "members", "exclusive"].contains(&key(l).as_str()));
    kept.chain(lines.iter().copied()).map(|l| format!("{l}\n")).collect()
}

/// A wrong line must cause the code of the page, and a right line must not. A line to write must at
/// least be well-formed.
#[test]
fn lines_marked_wrong_fail_and_lines_marked_right_compile() {
    let mut wrong = Vec::new();
    for (name, text) in pages().filter(|(name, _)| !finding(name)) {
        for (word, lines) in lines(text) {
            let spec = spec(&lines);
            let (_, found) = compile(&[("db.yaml", &spec)]);
            let codes: BTreeSet<&str> =
                found.iter().filter(|d| d.severity == Severity::Error).map(|d| d.code.as_ref()).collect();
            let holds = match word {
                "wrong" => codes.contains(name),
                "right" => codes.is_empty(),
                _ => !codes.iter().any(|c| MALFORMED.iter().any(|m| c.contains(m))),
            };
            if !holds {
                wrong.push(format!("{name}, {word}: {codes:?}\n{spec}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The codes that no line of a page may cause.
const MALFORMED: [&str; 8] =
    ["bad-", "value-", "-shape", "syntax", "unknown-key", "wrong-type", "missing", "duplicate-key"];

#[test]
fn ids_are_parsed_as_they_are_printed() {
    for (target, resource) in Target::ALL.into_iter().flat_map(|t| Resource::ALL.map(|r| (t, r))) {
        for hazard in Hazard::ALL {
            let cell = CellId { target, resource, hazard };
            assert_eq!(cell.to_string().parse(), Ok(cell));
            assert_eq!(cell.to_string().parse(), Ok(GapId::Cell(cell)));
            assert_eq!(cell.to_string().parse(), Ok(FindingId::Cell(cell)));
        }
    }
    for code in codes::ALL {
        assert_eq!(code.parse(), Ok(FindingId::Code(code)));
    }
    assert_eq!("swarm/secrets.key".parse(), Ok(GapId::field(Target::Swarm, "secrets.key")));
    for wrong in ["", "swarm", "nomad/data/move", "swarm/data", "swarm/disk/move", "swarm/data/move/"] {
        assert!(wrong.parse::<CellId>().is_err() && wrong.parse::<FindingId>().is_err(), "{wrong}");
    }
    for wrong in ["", "swarm", "nomad/data/move"] {
        assert!(wrong.parse::<GapId>().is_err(), "{wrong}");
    }
    let writer = "swarm/writer/move".parse::<CellId>().unwrap();
    let hostname = "swarm/hostname/move".parse::<CellId>().unwrap();
    assert_eq!(writer.normalized(), hostname.normalized());
}
