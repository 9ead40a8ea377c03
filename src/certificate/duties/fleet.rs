//! Duties on fleet.

use std::collections::BTreeSet;

use super::docker::{docker_volumes, zones};
use super::section::{FirstStart, Section, Words, chain, labels, members, owner, revision, then};
use crate::model::{Fleet, Members, Model, Service, Volume, Workload};
use crate::plan::docker::volume_options;
use crate::plan::fleet;
use crate::spec::Founders;
use crate::target::Target;

/// A service and its revisions.
#[derive(Clone, Copy)]
struct Subject<'a> {
    group: &'a [&'a Service],
    service: &'a Service,
    w: &'a Workload,
    words: Words<'a>,
}

/// Returns the duties of the services of one name.
pub fn duties(model: &Model, group: &[&Service], service: &Service, w: &Workload) -> Section {
    let mut section = Section::new("fleet");
    let Some(f) = &service.targets.fleet else { return section };
    let words = Words { model, service, target: Target::Fleet };
    let subject = Subject { group, service, w, words };
    secret_files(w, &mut section);
    subject.machines(f, &mut section);
    if w.per_node() {
        subject.by_machine(&mut section);
    } else {
        subject.by_member(&mut section);
    }
    // Source: systemd.unit(5), RequiresMountsFor; seen on 252 and 257: a unit whose mount failed stays
    // inactive, in spite of Restart=always.
    if w.data.iter().any(|d| d.host().is_some()) {
        section.add(
            "If the disk of a member could not be mounted, its unit stays inactive, and nothing starts it when the disk is mounted later. Start it by hand on that machine.",
            vec![format!("systemctl start {}", fleet::unit_name(service, None, w.ids().next()))],
        );
    }
    // Seen on 20.10.24: dockerd starts a plugin that has outlived it again, and at the same time unmounts the
    // folder through which its mounts reach the machine (moby `plugin/manager.go`, HandleExitEvent).
    if w.volumes().any(|(_, v)| v.by_plugin()) {
        section.add(
            "After a crash of dockerd (not after a stop), restart the machine: systemd starts the units again, and what a plugin mounts may not reach the containers, which then write to an empty folder of the machine.",
            vec![],
        );
    }
    section.add(
        "Never do this, because the old and the new container would run together.",
        vec!["# never: docker rm -f; docker run --restart; a destroy with a start elsewhere before the container is gone".into()],
    );
    section
}

/// The files of the secrets, each with all containers that read it. Only docker, as root, enters
/// their directory.
fn secret_files(w: &Workload, section: &mut Section) {
    let mut seen = BTreeSet::new();
    for secret in &w.secrets {
        if !seen.insert((&secret.object, &secret.key)) {
            continue;
        }
        let reads = |s: &&crate::model::Secret| (&s.object, &s.key) == (&secret.object, &secret.key);
        let helpers =
            w.helpers.iter().filter(|h| fleet::secrets_of(h, w).iter().any(reads)).map(|h| &h.program);
        let uids: BTreeSet<Option<u32>> =
            std::iter::once(&w.program).chain(helpers).map(|p| p.user.map(|u| u.uid)).collect();
        let folder = format!("/etc/berth/secrets/{}", secret.object);
        let copied = w.secrets.iter().filter(reads).all(crate::model::Secret::exact);
        let (how, why) = match w.program.user {
            _ if copied => {
                ("-m 0400".to_owned(), " The unit copies it with the owner and the mode of the spec.")
            }
            Some(_) if uids.len() == 1 => (format!("{}-m 0400", owner(w)), ""),
            Some(_) => (
                "-m 0444".to_owned(),
                " Member and helper read it as different users, so the file is readable for all, and only root can enter its directory.",
            ),
            None => (
                "-m 0444".to_owned(),
                " Its user is unknown, so the file is readable for all, and only root can enter its directory.",
            ),
        };
        section.add(
            format!("The secret {}, on each machine that may run a member.{why}", secret.name),
            vec![format!("install -d -m 0700 {folder} && install {how} FILE {folder}/{}", secret.key)],
        );
    }
}

/// A member's unit, then its helpers'.
fn units(service: &Service, id: Option<u32>) -> Vec<String> {
    let helpers = service.workload().into_iter().flat_map(|w| &w.helpers);
    let helpers = helpers.map(|h| fleet::unit_name(service, Some(&h.name), id));
    std::iter::once(fleet::unit_name(service, None, id)).chain(helpers).collect()
}

fn files(units: &[String]) -> String {
    units.iter().map(|u| format!(" fleet/{u}")).collect()
}

fn exec(unit: &str) -> String {
    format!("docker exec \"$(docker ps -q --filter label=berth.unit={unit})\"")
}

fn gone(unit: &str) -> String {
    format!(
        "docker ps -q --filter label=berth.unit={unit}   # on its machine; prints nothing when it is gone"
    )
}

fn here(all: Vec<String>) -> Option<String> {
    let all = chain(all);
    (!all.is_empty()).then(|| format!("{all}   # on its machine"))
}

impl Subject<'_> {
    fn machines(&self, f: &Fleet, section: &mut Section) {
        let Self { service, w, .. } = self;
        let volumes = |id| {
            let member = fleet::member_name(service, Some(id));
            let own = |(data, volume): (_, &Volume)| {
                let name = fleet::volume_name(data, &member);
                let options = volume_options(&name, volume);
                (name, options)
            };
            w.volumes().map(own).collect::<Vec<_>>()
        };
        docker_volumes(w, section, volumes);
        let pin = w.pin().or(f.pin.as_ref());
        let metadata =
            |pairs: String| format!("metadata={pairs}   # /etc/fleet/fleet.conf, before fleetd starts");
        match &w.members {
            Members::PerNode { on, .. } => {
                let mut on = on.clone();
                on.extend(revision(self.group, service));
                section
                    .add("Each machine that runs a member.", vec![metadata(labels(&on).replace(' ', ","))]);
            }
            Members::Counted { .. } => {
                if let Some(pin) = pin {
                    let commands = w.ids().map(|id| metadata(format!("{}={id}", pin.label))).collect();
                    section.add("One machine for each value, and no value on two machines.", commands);
                }
            }
        }
        zones(w, section, |zone| metadata(format!("zone={zone}")));
        if let Some(domain) = &f.domain {
            section.add(
                format!("DNS: each member's name below {domain} resolves to the machine that runs it."),
                vec![],
            );
        }
    }

    fn by_machine(&self, section: &mut Section) {
        let w = self.w;
        let all: Vec<String> = self.group.iter().flat_map(|s| units(s, None)).collect();
        let start = format!("fleetctl start{}", files(&all));
        let mut again = vec![format!("fleetctl destroy {}", all.join(" "))];
        again.extend(self.group.iter().map(|s| gone(&fleet::unit_name(s, None, None))));
        again.push(start.clone());
        self.first_start(vec![start], again, "restart all members".to_owned()).add(section);
        section.add(
            format!("Update with a new revision, machine by machine: remove the metadata, wait on the machine until the container is gone, set the next value, wait until it runs; {}. A changed unit with the old name restarts every machine at once.", then(w)),
            vec![],
        );
        for own in self.group {
            let unit = fleet::unit_name(own, None, None);
            let gate = own
                .workload()
                .map_or_else(Vec::new, |w| Words { service: own, ..self.words }.gate(w, &exec(&unit), None));
            let all = std::iter::once(gone(&unit)).chain(here(gate)).collect();
            section.add(
                format!("{unit}: when the machine leaves this revision, and when it has moved to it."),
                all,
            );
        }
    }

    fn by_member(&self, section: &mut Section) {
        let Self { service, w, .. } = self;
        let all: Vec<String> = members(w).into_iter().flat_map(|id| units(service, id)).collect();
        let start = vec![format!("fleetctl start{}", files(&all))];
        let (again, restarts) = match w.ids().next().filter(|_| w.bootstrap.founders == Founders::First) {
            Some(id) => {
                (self.restart(Some(id)), format!("restart {}", fleet::member_name(service, Some(id))))
            }
            None => (Vec::new(), "restart all members one after the other, as after an update".to_owned()),
        };
        self.first_start(start, again, restarts).add(section);
        section.add(
            format!("Update, one member after the other: destroy, wait on its machine until its container is gone, start, wait until it runs; {}.", then(w)),
            vec![],
        );
        for id in members(w) {
            section.add(format!("{}.", fleet::member_name(service, id)), self.restart(id));
        }
    }

    fn first_start(&self, deploy: Vec<String>, again: Vec<String>, restarts: String) -> FirstStart<'_> {
        let Self { service, w, words, .. } = *self;
        let exec = exec(&fleet::unit_name(service, None, w.ids().next()));
        FirstStart { words, w, deploy, exec, again, restarts }
    }

    /// Restarts member `id` with its newest unit.
    fn restart(&self, id: Option<u32>) -> Vec<String> {
        let own = units(self.service, id);
        let unit = fleet::unit_name(self.service, None, id);
        let mut all = vec![
            format!("fleetctl destroy {}", own.join(" ")),
            gone(&unit),
            format!("fleetctl start{}", files(&own)),
        ];
        all.extend(here(self.words.gate(self.w, &exec(&unit), id)));
        all
    }
}
