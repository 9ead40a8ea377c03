//! The duties of the operator, each with its commands.

mod docker;
mod fleet;
mod kubernetes;
mod lost;
mod section;
mod swarm;

use crate::model::{DataAt, Model, Service, Targets, Workload};
use crate::target::Target;
use crate::value;
use crate::world::pod_security::Security;
use section::owner;
pub use section::{Item, Section};

/// Returns the duties of the services of one name. `security` is the Pod Security level of their pods.
pub fn sections(model: &Model, group: &[&Service], security: Option<&Security>) -> Vec<Section> {
    let Some(service) = group.first() else { return Vec::new() };
    let Some(w) = service.workload() else { return Vec::new() };
    let mut all = vec![everywhere(service, w)];
    for target in Target::ALL.into_iter().filter(|target| service.has(*target)) {
        all.push(match target {
            Target::Kubernetes => kubernetes::duties(model, group, service, w, security),
            Target::Fleet => fleet::duties(model, group, service, w),
            Target::Swarm => swarm::duties(model, group, service, w),
        });
        let Targets { kubernetes, fleet, swarm } = &service.targets;
        all.extend(match target {
            Target::Kubernetes => kubernetes.as_ref().map(|k| lost::kubernetes(service, w, k)),
            Target::Fleet => fleet.as_ref().map(|f| lost::fleet(service, w, f)),
            Target::Swarm => swarm.as_ref().map(|s| lost::swarm(service, w, s)),
        });
    }
    all.retain(|s| !s.items.is_empty());
    all
}

fn everywhere(service: &Service, w: &Workload) -> Section {
    let mut section = Section::new("On the machines");
    for data in &w.data {
        let DataAt::Host { path, .. } = &data.at else { continue };
        let owner = owner(w);
        // Without a separate mount point, the path would be created on the root disk.
        let make = |path: &str| {
            let mount = path.rsplit_once('/').map_or("", |(mount, _)| mount);
            let mount = if mount.is_empty() { "MOUNTPOINT" } else { mount };
            format!("findmnt --mountpoint {mount} && install -d {owner}-m 0700 {path}")
        };
        let ways = "The first command fails unless a disk is mounted there; if your mount point is another one, write that. The directory permits a member to start there, and nothing else creates it.";
        if w.per_node() {
            section.add(format!("On each node, once. {ways}"), vec![make(&path.text)]);
        } else {
            let paths: Vec<(u32, String)> = w
                .ids()
                .filter_map(|id| Some((id, value::host_path(&path.text, &service.name, id)?)))
                .collect();
            let label = w.pin().map_or("", |p| p.label.as_str());
            let commands = paths
                .iter()
                .map(|(id, path)| format!("{}   # on the node with {label}={id}", make(path)))
                .collect();
            section.add(format!("Once, on each member's node only. {ways}"), commands);
        }
        section.add(
            "Below the unmounted mount point there must be no directory with that name. While the disk is not mounted, make the mount point immutable.",
            vec!["chattr +i MOUNTPOINT".into()],
        );
    }
    section
}
