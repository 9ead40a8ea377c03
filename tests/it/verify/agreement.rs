//! Tests that certificate and search agree: the search breaks no cell that the certificate calls
//! protected, and finds every gap that a spec must waive.

use berthc::certificate::{Part, Verdict};
use berthc::hazard::{Hazard, Resource};

use super::*;

/// The gaps that the search cannot find, each with the reason.
const UNSEEN: &[(&str, &str)] = &[
    ("volume-class swarm/data/relabel", "no label places it, so that none can change under it"),
    ("volume-class swarm/data/move", CRASH),
    ("redis swarm/data/move", CRASH),
    ("cockroachdb-cloud fleet/data/move", CRASH),
    ("kafka fleet/data/move", CRASH),
    ("mysql-primary fleet/data/move", CRASH),
    ("mysql-replica fleet/data/move", CRASH),
    ("postgresql-replica fleet/data/move", CRASH),
    ("postgresql fleet/data/move", CRASH),
    ("redis fleet/data/move", CRASH),
    ("pinned-volume fleet/data/move", CRASH),
    ("volume-gce fleet/data/move", CRASH),
    ("volume-gce-peer fleet/data/move", CRASH),
    ("volume-gce-reader fleet/data/move", CRASH),
    ("queue fleet/data/move", CRASH),
    ("ledger fleet/writer/relabel", WITHOUT),
    ("ledger swarm/writer/relabel", WITHOUT),
    ("writer fleet/writer/relabel", WITHOUT),
    ("writer swarm/writer/relabel", WITHOUT),
];

/// verify tells it as the note `engine-crash`.
const CRASH: &str = "only a crash of dockerd leads to it";

/// A compile knows this from the spec and searches it.
const WITHOUT: &str = "files of a member without data do not say that at most one may be it";

/// Returns a code with one name for hostname, id and right to write, which together are the
/// identity of a member.
fn who(code: &str) -> bool {
    code.contains("/id/") || code.contains("/hostname/") || code.contains("/writer/")
}

/// Returns whether the code of a finding is about this cell.
pub fn speaks_of(code: &str, target: &str, resource: Resource, hazard: Hazard) -> bool {
    let own = format!("{target}/{}/{}", resource.name(), hazard.name());
    let identity = who(&own) && who(code) && code.ends_with(&format!("/{}", hazard.name()));
    code == own || identity && code.starts_with(target)
}

/// Returns the cells of `part` that are protected, although a finding in `codes` breaks them.
pub fn contradicted(part: &Part, codes: &BTreeSet<String>) -> Vec<String> {
    let held = part.cells.iter().filter(|c| matches!(c.verdict, Verdict::Held { .. } | Verdict::Never(_)));
    let broken = held.flat_map(|cell| {
        codes.iter().filter(|code| speaks_of(code, part.target.name(), cell.resource, cell.hazard))
    });
    broken.cloned().collect()
}

/// Returns the codes in `codes` that `part` calls a gap.
pub fn gaps(part: &Part, codes: &BTreeSet<String>) -> Vec<String> {
    let open = part.cells.iter().filter(|c| matches!(c.verdict, Verdict::Gap { .. }));
    let said = open.flat_map(|cell| {
        codes.iter().filter(|code| speaks_of(code, part.target.name(), cell.resource, cell.hazard))
    });
    said.cloned().collect()
}

#[test]
fn certificate_and_search_agree() {
    let (mut held, mut gaps, mut wrong) = (0, 0, Vec::new());
    for folder in FOLDERS {
        let compiled = compiled(folder);
        let tree = compiled.tree.unwrap();
        for (index, service) in compiled.model.services().enumerate() {
            for part in compiled.certificates.parts(index) {
                let own = format!("{}/{}/", service.name, part.target.name());
                for nodes in [2, 3] {
                    let found = verified(&tree, &own, nodes, false);
                    whole(&found);
                    let accepted: Vec<Finding> = found.accepted.into_iter().map(|a| a.finding).collect();
                    let mut all = codes(&accepted, Level::Violation);
                    all.append(&mut codes(&found.findings, Level::Violation));
                    for code in contradicted(part, &all) {
                        wrong.push(format!(
                            "{own} {nodes} nodes: {code} breaks, and the certificate holds it"
                        ));
                    }
                    for cell in &part.cells {
                        held += usize::from(matches!(cell.verdict, Verdict::Held { .. }));
                        let Verdict::Gap { .. } = cell.verdict else { continue };
                        gaps += 1;
                        let code =
                            format!("{}/{}/{}", part.target.name(), cell.resource.name(), cell.hazard.name());
                        let seen =
                            all.iter().any(|c| speaks_of(c, part.target.name(), cell.resource, cell.hazard));
                        let name = format!("{} {code}", service.name);
                        let listed = UNSEEN.iter().any(|u| u.0 == name);
                        if seen == listed {
                            wrong.push(format!("{name}: {nodes} nodes: seen: {seen}, listed: {listed}"));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(held > 500 && gaps > 20, "{held} held, {gaps} gaps");
}
