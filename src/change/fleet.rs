//! Changes that fleet does not apply. `fleetctl` keeps a submitted unit whose content changed and
//! exits with 0; with `--replace` a global unit restarts on all machines at once (fleet
//! `fleetctl/fleetctl.go`, `agent/reconcile.go`).

use super::file::Change;
use crate::model::Service;
use crate::route;
use crate::text::unit::{Setting, read};

pub(super) fn judge(change: &mut Change<'_>, file: &str, before: &str, after: &str) {
    let (before, after) = (read(before).0, read(after).0);
    let global = |unit: &[Setting]| unit.iter().any(|s| s.key == "Global" && s.value == "true");
    let content = |unit: &[Setting]| -> Vec<(String, String, String)> {
        unit.iter().map(|s| (s.section.clone(), s.key.clone(), s.value.clone())).collect()
    };
    if !global(&before) || !global(&after) || content(&before) == content(&after) {
        return;
    }
    let marked = |s: &Service| s.revision.as_ref().is_some_and(|r| file.contains(&format!(".{r}.")));
    change.refused(
        change.revision(marked).key(&route!["revision"]),
        format!("fleetctl start will keep the old {file}; with --replace every machine restarts it at once"),
        "it is a global unit",
        "leave this revision as it was, write the change into a copy of the spec with another `revision`, compile both, and move the machines one by one".into(),
    );
}
