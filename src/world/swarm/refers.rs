//! Finds what a service refers to and its stack does not make: `external` networks, volumes, configs and
//! secrets. Docker refuses the deploy if one of them does not exist (docker/cli
//! `cli/command/stack/swarm/deploy_composefile.go`); a volume it makes, empty.

use super::page::{Page, external};
use crate::text::yaml::Value;

/// The networks that every node has.
const ALWAYS: [&str; 5] = ["bridge", "docker_gwbridge", "host", "ingress", "none"];

/// Reports them in one note.
pub fn check<'d>(page: &mut Page<'d, '_>, name: &str, service: &Value<'d>) {
    let mut things = Vec::new();
    for (section, one) in
        [("networks", "network"), ("volumes", "volume"), ("configs", "config"), ("secrets", "secret")]
    {
        let value = service.get(section);
        let items = value.map(|v| v.items()).unwrap_or_default().into_iter().filter_map(|item| {
            let source = item.get("source").unwrap_or(item);
            let text = Page::quiet(&source)?;
            Some((text.split(':').next().unwrap_or_default().to_owned(), source))
        });
        let keys = value.map(|v| v.entries()).unwrap_or_default();
        let keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value));
        let default = Some(("default".to_owned(), *service)).filter(|_| one == "network" && value.is_none());
        for (key, at) in items.chain(keys).chain(default) {
            let Some(definition) = page.defined(section, &key) else { continue };
            let Some(outside) = external(&definition, &key) else { continue };
            if !ALWAYS.contains(&outside.as_str()) {
                things.push((format!("{one} {outside}"), page.at(&at)));
            }
        }
    }
    page.outside(name, things, "create them before the deploy: docker network ls, docker volume ls (on each node), docker config ls and docker secret ls show what exists");
}
