//! Finds services whose own settings keep their program from starting.

use std::collections::BTreeMap;

use super::page::Page;
use super::short;
use crate::finding::{Level, codes};
use crate::images::{By, NoStart};
use crate::text::nearest::nearest;
use crate::text::path::within;
use crate::text::yaml::Value;
use crate::world::Workload;
use crate::world::never::{Never, Part, may_be_old, tell};

/// The directory of the secrets of a service (docker, "Manage sensitive data with Docker secrets").
const SECRETS: &str = "/run/secrets";

/// Reports what keeps the program of a service from starting.
pub fn check(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload, faults: &[NoStart]) {
    let image = service.get("image").unwrap_or(*service);
    let old = may_be_old(workload);
    for fault in faults {
        let set = |name: &str| format!("environment: {{ {}: VALUE }}", name.replace('=', ": "));
        let Never { level, message, fix, part } = tell(&workload.name, fault, old, set);
        let items = |key: &str| service.get(key).map(|v| v.items()).unwrap_or_default();
        let place = match part {
            Part::Image => Some(image),
            Part::Option(_) => service.get("command"),
            Part::Mount(target) => {
                ["volumes", "configs", "secrets"].iter().flat_map(|k| items(k)).find(|v| {
                    v.get("target").and_then(|t| Page::quiet(&t)).is_some_and(|t| t == target)
                        || Page::quiet(v).is_some_and(|t| t.split(':').any(|part| part == target))
                })
            }
        };
        page.found((codes::NEVER, level), &[&place.unwrap_or(image)], message, fix);
    }
    secrets(page, service, workload);
    twice(page, service, workload);
}

/// Reports two mounts of one directory of the container: the service is refused (swarmkit
/// `manager/controlapi/service.go`, "duplicate mount point").
fn twice(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload) {
    let mut seen: BTreeMap<String, Value<'_>> = BTreeMap::new();
    for item in service.get("volumes").map(|v| v.items()).unwrap_or_default() {
        let Some(target) = target(&item) else { continue };
        if let Some(first) = seen.get(&target) {
            let message = format!("{} never starts: two volumes are mounted at {target}", workload.name);
            return page.found((codes::NEVER, Level::Violation), &[first, &item], message, "one of them");
        }
        seen.insert(target, item);
    }
}

/// Returns the directory of the container where an item of `volumes` or `configs` is mounted.
fn target(item: &Value<'_>) -> Option<String> {
    item.get("target").and_then(|target| Page::quiet(&target)).or_else(|| {
        let mount = short::mount(&Page::quiet(item)?)?;
        (!mount.source.is_empty()).then_some(mount.target)
    })
}

/// Reports a variable that names the file of a secret, if the service is not given this secret.
fn secrets(page: &mut Page<'_, '_>, service: &Value<'_>, workload: &Workload) {
    let items = |key: &str| service.get(key).map(|v| v.items()).unwrap_or_default();
    let text = |v: &Value<'_>, key: &str| v.get(key).and_then(|t| Page::quiet(&t));
    let own = items("secrets").into_iter().filter_map(|item| {
        let target =
            text(&item, "target").or_else(|| text(&item, "source")).or_else(|| Page::quiet(&item))?;
        Some(if target.starts_with('/') { target } else { format!("{SECRETS}/{target}") })
    });
    let own: Vec<String> = own.collect();
    let mounted: Vec<String> = items("volumes").iter().chain(&items("configs")).filter_map(target).collect();
    for (name, value, item) in service.get("environment").map(|e| Page::pairs(&e)).unwrap_or_default() {
        let Some(value) = value.filter(|v| v.starts_with(&format!("{SECRETS}/"))) else { continue };
        let plain = !value.contains(|c: char| c.is_whitespace() || "$,:{".contains(c));
        if !plain || own.contains(&value) || mounted.iter().any(|target| within(&value, target)) {
            continue;
        }
        let secret = value.rsplit('/').next().unwrap_or_default();
        let certain =
            name.ends_with("_FILE") || workload.software.as_ref().is_some_and(|s| s.by == By::Image);
        let level = if certain { Level::Violation } else { Level::Note };
        let given: Vec<&str> = own.iter().filter_map(|path| path.strip_prefix(SECRETS)?.get(1..)).collect();
        let fix = match nearest(secret, &given).filter(|_| page.defined("secrets", secret).is_none()) {
            Some(near) => format!("{name}: {SECRETS}/{near}"),
            None => {
                let all: Vec<&str> = given.iter().copied().chain([secret]).collect();
                format!("secrets: [{}]", all.join(", "))
            }
        };
        let message = format!(
            "{} never starts: {name} names the secret {secret}, which the service is not given",
            workload.name
        );
        return page.found((codes::NEVER, level), &[&item], message, fix);
    }
}
