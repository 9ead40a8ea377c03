//! Finds names that nothing has: containers that a unit stops, and things that a file of Quadlet makes under
//! another name.

use std::collections::{BTreeMap, BTreeSet};

use super::docker::Docker;
use super::quadlet;
use super::service::{Main, Step};
use super::together::Set;
use super::unit::{Line, Unit};
use crate::finding::codes;
use crate::world::File;
use crate::world::found::Found;

/// Reports a stop of a container by its name, in a unit whose container has none: docker gives it another one
/// each time.
pub fn stops(steps: &[Step], main: &Main<'_>, found: &mut Found) {
    if main.run.last("name").is_some() || main.step.key != "ExecStart" {
        return;
    }
    for step in steps.iter().filter(|step| step.key == "ExecStop") {
        let Some(Docker::Stop { names, .. } | Docker::Kill { names, .. }) = &step.docker else { continue };
        if let [name] = names.as_slice()
            && name.known
        {
            let message = format!(
                "no container is called `{}`: its own has no --name, and ExecStop does nothing",
                name.text
            );
            let fix = format!("--name {} in `docker run`", name.text);
            found.note(codes::MATCHES_NOTHING, message, vec![step.at(name, "docker stop")], fix);
        }
    }
}

/// Reports containers that name the volume or network of a file of Quadlet, or nearly so, and not the file: podman
/// orders a unit after the file that it names, and mounts what that makes (podman-systemd.unit(5), `Volume=`,
/// `Network=`).
pub fn files(files: &[File<'_>], set: &Set<'_>, found: &mut Found) {
    let mut named: BTreeMap<(&str, String), Vec<(&Unit, &Line)>> = BTreeMap::new();
    for unit in set.instances.iter().map(|own| own.unit).filter(|unit| unit.is_made()) {
        for line in unit.lines.iter().filter(|l| l.setting.section == "Container") {
            let name = line.setting.value.split(':').next().unwrap_or_default().to_owned();
            if ["Volume", "Network"].contains(&line.setting.key.as_str()) {
                named.entry((&line.setting.key, name)).or_default().push((unit, line));
            }
        }
    }
    for file in files.iter().filter(|_| !named.is_empty()) {
        let base = quadlet::base(file.path);
        let Some((stem, kind)) = base.rsplit_once('.') else { continue };
        let Some((key, made)) = quadlet::made(file) else { continue };
        let near: BTreeSet<String> = [made.clone(), stem.to_owned(), format!("{stem}-{kind}")].into();
        let service = quadlet::any_service(base).unwrap_or_default();
        for name in near {
            for (unit, line) in named.get(&(key, name.clone())).into_iter().flatten() {
                if unit.wants(&["After", "Requires"]).iter().any(|(other, _)| *other == service) {
                    continue;
                }
                let who = &unit.name;
                let new = format!("{key}={base}{}", &line.setting.value[name.len()..]);
                let (message, fix) = match name == made {
                    true => (
                        format!("{who} does not wait for {base}: it names the {kind} {name}, not the file"),
                        new,
                    ),
                    // Another volume has other data.
                    false => (
                        format!("{who} does not use {base}, which makes {made}: {name} is another {kind}"),
                        format!("{new}, or no {base}"),
                    ),
                };
                found.note(codes::MATCHES_NOTHING, message, vec![unit.at(line)], fix);
            }
        }
    }
}
