//! `berthc verify --fix`: writes plain mends into the files, or shows them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use berthc::input::STDIN;
use berthc::text::quote::shown;
use berthc::verify::mend::Mended;

use super::drift::{Item, State};
use super::stdout::Outside;
use super::write::{files, stage};

/// Returns the differences of the texts as one diff.
pub fn diff(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> String {
    changed(before, after)
        .map(|(path, old, new)| {
            let (name, state) = (path.to_owned(), State::Differs);
            Item { name, state, old: old.as_bytes().to_vec(), new: new.to_owned() }.diff()
        })
        .collect()
}

/// Writes the files that differ, with the permissions that they have. Returns a summary in one line.
///
/// # Errors
/// Standard input was mended, or a file could not be written. No file is replaced then, unless the last
/// step, the renaming, failed.
pub fn write(before: &BTreeMap<String, String>, mended: &Mended) -> Result<String, Outside> {
    let mut staged = Vec::new();
    for (path, _, new) in changed(before, &mended.texts) {
        if path == STDIN {
            return Err("standard input cannot be mended: use --diff".to_owned());
        }
        let fault = |e: std::io::Error| format!("cannot write {}: {e}", shown(path));
        // A link stays a link.
        let path = fs::canonicalize(path).map_err(fault)?;
        let file = stage(&path, new.as_bytes())?;
        let own = fs::metadata(&path).map_err(fault)?.permissions();
        fs::set_permissions::<&Path>(file.as_ref(), own).map_err(fault)?;
        staged.push((file, path));
    }
    let count = staged.len();
    for (file, path) in staged {
        file.persist(&path).map_err(|e| format!("cannot replace {}: {}", path.display(), e.error))?;
    }
    let fixed = mended.applied.len();
    Ok(format!("fixed {fixed} finding{} in {}", if fixed == 1 { "" } else { "s" }, files(count)))
}

/// Returns the texts that differ, with both versions.
fn changed<'t>(
    before: &'t BTreeMap<String, String>,
    after: &'t BTreeMap<String, String>,
) -> impl Iterator<Item = (&'t str, &'t str, &'t str)> {
    after.iter().filter_map(|(path, new)| {
        let old = before.get(path)?;
        (old != new).then_some((path.as_str(), old.as_str(), new.as_str()))
    })
}
