//! Files that change the services of another file: `-c compose.yml -c compose.override.yml`. Docker merges
//! them before it reads a service (docker/cli `cli/compose/loader/merge.go`).

use std::collections::BTreeMap;

use super::page::Page;
use crate::text::yaml::Value;

/// The file that gives each service its image.
pub type Bases<'d> = BTreeMap<&'d str, &'d str>;

/// Returns the file of each service that has an image: the first one that is no override by its name.
pub fn bases<'d>(roots: impl Iterator<Item = (&'d str, Value<'d>)>) -> Bases<'d> {
    let mut bases = Bases::new();
    for (path, root) in roots.filter(|(path, _)| !overrides(path)) {
        for (name, service) in root.get("services").map(|s| s.entries()).unwrap_or_default() {
            if service.get("image").is_some() {
                bases.entry(name).or_insert(path);
            }
        }
    }
    bases
}

/// Returns whether `docker compose` takes a file as an override because of its name.
fn overrides(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.contains(".override."))
}

/// Lists a service of an override, which is no service of its own, and returns whether it is one.
pub fn is_left_out(page: &mut Page<'_, '_>, name: &str, service: &Value<'_>, bases: &Bases<'_>) -> bool {
    let file = page.file.clone();
    // A service with `build` has an image. Files in another folder belong to another stack.
    let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let of = |base: &&&str| **base != &*file && folder(base) == folder(&file);
    let Some(base) = bases.get(name).filter(of) else { return false };
    let whole = service.get("image").is_some() || service.get("build").is_some();
    if whole && !overrides(&file) {
        return false;
    }
    let what = format!("it changes {name} of {base}, and the two are not merged");
    page.not_searched(service, what, format!("docker stack config -c {base} -c {file} | berthc verify -"));
    true
}
