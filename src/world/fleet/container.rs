//! Reads `docker run`: what a container holds.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::containers::{Given, Named, What};
use super::disk::Disk;
use super::docker::{Docker, Run};
use super::ephemeral;
use super::look::{looked_up, words_of};
use super::never;
use super::service::{Main, Step, is_read_only};
use super::word::Word;
use super::written::{Written, long, short, unexpanded};
use crate::backend::{BACKENDS, Fences};
use crate::finding::{At, codes};
use crate::images::{self, Images, Looked, Software};
use crate::text::path::shortest;
use crate::text::unit;
use crate::world::found::Found;
use crate::world::lock::{self, Lock};
use crate::world::path;
use crate::world::{Inspect, Member, Missing, Mount, Port, Source, Volume, Workload, data_mounts};

/// The highest number of ports of one container: a range counts as that many.
const PORTS: usize = 1 << 16;

/// Fills in what the container of `workload` holds. The workload already has its only member.
/// Records the software in the container, if it is known and keeps data.
pub fn fill(
    workload: &mut Workload,
    (steps, disk, named): (&[Step], &Disk, &Named<'_>),
    main: &Main<'_>,
    images: &Images,
    found: &mut Found,
) {
    let Main { step, run, detached: _ } = *main;
    workload.image = images::name(&run.image.text).to_owned();
    workload.floats = images::floats(&run.image.text).map(|floats| (floats, step.at(&run.image, "image")));
    let Looked { software, resembles, no_start } = looked_up(workload, run, images);
    workload.resembles = resembles.map(|software| (software, step.at(&run.image, "image")));
    workload.software.clone_from(&software);
    for label in run.all("label") {
        let (key, value) = label.text.split_once('=').unwrap_or((&label.text, ""));
        workload.labels.insert(key.to_owned(), value.to_owned());
    }
    network(workload, step, run, found);
    workload.lock = lock(step, run, found);
    workload.inspects = steps.iter().filter(|step| asks(step)).filter_map(inspect).collect();
    for word in &run.unknown {
        let what = format!("the options in `{}` are in another place: they may mount data", word.text);
        found.not_searched(step.at(word, ""), what, "write the options into the line, or Environment=");
    }
    let given = named.mounts(run, &step.file);
    let strange = given.iter().filter(|given| matches!(given.kind, What::Unknown) && !given.read_only);
    for Given { word, at, .. } in strange {
        let what = format!("no file makes the container `{}`: its volumes may hold data", word.text);
        found.not_searched(step.at(at, "--volumes-from"), what, "the unit that makes it, or the mounts here");
    }
    let partial = !run.unknown.is_empty() || given.iter().any(|given| matches!(given.kind, What::Unknown));
    let mut reader = Reader {
        disk,
        step,
        run,
        programs: data_mounts::of_programs(words_of(run)),
        given,
        images,
        volumes: volumes(steps),
        inspected: inspected(steps),
        software: software.clone(),
        found,
    };
    let Mounts { data: mut mounts, others: rest, looked_at: looked } = reader.mounts();
    // The unknown options may mount the data.
    if let Some(software) = software.as_ref().filter(|_| !partial) {
        let image = step.at(&run.image, "image");
        let lost = ephemeral::judge(workload, software, run, (&mounts, &rest), image, reader.found);
        mounts.extend(lost);
    }
    let text = |option: &str| {
        let word = run.last(option)?;
        Some((word.text.clone(), step.at(word, &format!("--{option}"))))
    };
    if let [Member { mounts: all, others, looked_at, container, hostname, .. }] =
        workload.members.as_mut_slice()
    {
        *all = mounts;
        *others = rest;
        *looked_at = looked;
        *container = text("name");
        *hostname = text("hostname");
    }
    ephemeral::hangs(workload, found);
    never::judge(workload, main, &no_start, found);
    for option in ["name", "hostname"] {
        if let Some(word) = run.last(option).filter(|word| !word.known) {
            unknown(found, step.at(word, &format!("--{option}")), word);
        }
    }
    if let Some(file) = &step.command.flock {
        let message = format!(
            "the docker client holds the lock on {}: if the client is killed, the lock is free and the container keeps running",
            file.text
        );
        let fix =
            "--entrypoint /bin/sh IMAGE -c 'exec 9<\"$$0\" && flock -n 9 && exec \"$$@\"' DIRECTORY COMMAND";
        found.violation(codes::IGNORED, message, vec![step.at(file, "flock")], fix);
    }
}

fn unknown(found: &mut Found, at: At, word: &Word) {
    found.unread(at, format!("`{}` is known only on the machine: taken as it is written", word.text));
}

/// Reads the ports and the network.
fn network(workload: &mut Workload, step: &Step, run: &Run, found: &mut Found) {
    for option in ["net", "network"] {
        for word in run.all(option) {
            let at = step.at(word, &format!("--{option}"));
            if word.text == "host" {
                workload.node_network = Some(at);
            } else if word.text.starts_with("container:") {
                found.unread(at, "the network of another container: its ports are left out");
            }
        }
    }
    // A container on the machine's network publishes nothing.
    if workload.node_network.is_some() {
        return;
    }
    for word in run.all("publish") {
        let at = step.at(word, "--publish");
        match ports(&word.text) {
            Some((None, _)) => {}
            Some((Some(_), _)) if one_address(&word.text) => {
                found.unread(
                    at,
                    format!("the address in `{}`: treated as if no container had the port", word.text),
                );
            }
            Some((Some(numbers), protocol)) if workload.ports.len() + numbers.len() <= PORTS => {
                workload.ports.extend(numbers.map(|number| Port {
                    number,
                    protocol: protocol.clone(),
                    scheduled: false,
                    bound: true,
                    declared: true,
                    at: at.clone(),
                }));
            }
            _ => found.unread(at, format!("the port `{}` is not known: it is left out", word.text)),
        }
    }
}

/// Reads `[[address:]host:]container[/protocol]`. Returns the ports of the machine and their
/// protocol; `None` if they are not numbers.
fn ports(text: &str) -> Option<(Option<RangeInclusive<u16>>, String)> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let range = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (first.parse::<u16>().ok()?, last.parse::<u16>().ok()?);
        (first > 0 && first <= last).then_some(first..=last)
    };
    let host = match ports.rsplit_once(':') {
        Some((before, _)) => before.rsplit_once(':').map_or(before, |(_, host)| host),
        // Docker picks a free port of the machine.
        None => return range(ports).map(|_| (None, String::new())),
    };
    let numbers = if host.is_empty() { None } else { Some(range(host)?) };
    Some((numbers, protocol.to_lowercase()))
}

/// Returns whether the port is bound on only one address, so that another container may use it on
/// another address. Every machine has 127.0.0.1, and a port on it also keeps away who wants all addresses
/// (tried on docker 20.10.24 and 28.5.2).
fn one_address(text: &str) -> bool {
    let ports = text.split('/').next().unwrap_or_default();
    let address = ports.rsplitn(3, ':').nth(2).map(|a| a.trim_matches(['[', ']']));
    address.is_some_and(|a| !["", "0.0.0.0", "::", "127.0.0.1"].contains(&a))
}

/// Returns what the process locks before it serves, and holds as long as it lives.
fn lock(step: &Step, run: &Run, found: &mut Found) -> Option<(String, At)> {
    let all = || run.last("entrypoint").into_iter().chain(&run.args);
    let words: Vec<&str> = all().map(|word| word.text.as_str()).collect();
    let at = step.at(all().find(|word| word.text.contains("flock"))?, "flock");
    match lock::read(&words) {
        Lock::None => None,
        Lock::Held(file) => Some((file, at)),
        Lock::Unknown => {
            found.unread(at, lock::UNKNOWN);
            None
        }
    }
}

/// How a volume was created before the start.
struct Made<'s> {
    driver: Option<&'s str>,
    options: &'s [String],
}

fn volumes(steps: &[Step]) -> BTreeMap<&str, Made<'_>> {
    let made = steps.iter().filter_map(|step| match &step.docker {
        Some(Docker::MakeVolume { driver, options, name }) => {
            let driver = driver.as_ref().map(|word| word.text.as_str());
            Some((name.text.as_str(), Made { driver, options }))
        }
        _ => None,
    });
    made.collect()
}

/// Returns whether the unit does not start without the volume that `step` asks for.
fn asks(step: &Step) -> bool {
    step.before()
        && matches!(step.docker, Some(Docker::InspectVolume))
        && !step.ignored
        && !step.raw.contains("|| true")
}

fn inspect(step: &Step) -> Option<Inspect> {
    let at = step.at(step.words().next()?, "docker volume inspect");
    Some(Inspect { words: unit::words(&step.raw).unwrap_or_default(), at })
}

/// Returns the volumes without which the unit does not start.
fn inspected(steps: &[Step]) -> BTreeMap<&str, &Step> {
    let words = |step| Step::words(step).map(move |word| (word.text.as_str(), step));
    steps.iter().filter(|step| asks(step)).flat_map(words).collect()
}

struct Reader<'r> {
    disk: &'r Disk,
    step: &'r Step,
    run: &'r Run,
    programs: Option<&'r str>,
    given: Vec<Given<'r>>,
    images: &'r Images,
    volumes: BTreeMap<&'r str, Made<'r>>,
    inspected: BTreeMap<&'r str, &'r Step>,
    software: Option<Arc<Software>>,
    found: &'r mut Found,
}

/// What a container can write to, as [`Member`] has it.
#[derive(Default)]
struct Mounts {
    data: Vec<Mount>,
    others: Vec<Mount>,
    looked_at: Vec<Mount>,
}

impl Reader<'_> {
    /// Returns the mounts that it can write to: the data, and the others.
    fn mounts(&mut self) -> Mounts {
        let mut mounts = Mounts::default();
        if self.run.is_idle() {
            return mounts;
        }
        let driver = self.run.last("volume-driver").map(|word| word.text.as_str());
        for given in std::mem::take(&mut self.given) {
            match (given.kind, given.container) {
                (What::Unknown, _) => {}
                (What::Image(image, container), _) => {
                    for target in self.images.volumes(image) {
                        if !mounts.data.iter().any(|m| m.target == target) {
                            let written = Written { kind: "volume", target, ..Written::default() };
                            self.add(&mut mounts, &given, &written, Some(container));
                        }
                    }
                }
                (What::Mount, container) => {
                    let text = &given.word.text;
                    let written = match given.option {
                        "volume" => short(text, driver.filter(|_| container.is_none())),
                        "mount" => long(text),
                        _ => Written {
                            kind: "tmpfs",
                            target: text.split(':').next().unwrap_or_default(),
                            ..Written::default()
                        },
                    };
                    if !is_read_only(text) {
                        self.add(&mut mounts, &given, &written, container);
                    }
                }
            }
        }
        mounts.data.shrink_to_fit();
        mounts
    }

    /// Adds a mount, which may come from the volumes of another container.
    fn add(
        &mut self,
        mounts: &mut Mounts,
        given: &Given<'_>,
        written: &Written<'_>,
        container: Option<&str>,
    ) {
        if given.read_only {
            return;
        }
        let option = if container.is_some() { "volumes-from" } else { given.option };
        let at = self.step.at(given.at, &format!("--{option}"));
        let path = if written.kind == "volume" { String::new() } else { shortest(written.source) };
        let agent = !path.is_empty() && data_mounts::only_reads(&self.run.image.text, self.images);
        let software = self.software.as_deref();
        let program = !path.is_empty() && data_mounts::holds_program(written.target, self.programs, software);
        let data = data_mounts::is_data(&path, written.target, software) && !program;
        if program && !agent {
            self.found.unread(at.clone(), data_mounts::of_program(&path, written.target));
        }
        if let Some(what) = path::doubt(&path, written.target).filter(|_| !data && !agent) {
            self.found.unread(at.clone(), what);
        }
        if let Some(right) = unexpanded(written.source).filter(|_| given.word.known) {
            let message =
                format!("systemd does not expand `{}` inside of a word: docker refuses it", written.source);
            self.found.violation(codes::IGNORED, message, vec![at.clone()], right);
        }
        if data && !agent && !given.word.known {
            unknown(self.found, at.clone(), given.word);
        }
        let source = match container.filter(|_| written.kind == "volume" && written.source.is_empty()) {
            // An anonymous volume of a container lives as long as the container.
            Some(container) => {
                let path = format!("{}{container} at {}", ephemeral::ANONYMOUS, written.target);
                Source::host(path, Missing::Created)
            }
            None => self.source(written, given.option, &at),
        };
        let volume = self.named(written, &at);
        let of = match (agent, data) {
            (true, _) => &mut mounts.looked_at,
            (false, true) => &mut mounts.data,
            (false, false) => &mut mounts.others,
        };
        of.push(Mount { target: written.target.to_owned(), source, volume, at });
    }

    /// Returns the volume that is mounted by its name, and the driver that creates it.
    fn named(&self, written: &Written<'_>, at: &At) -> Option<Volume> {
        let name = Some(written.source).filter(|s| written.kind == "volume" && !s.is_empty())?;
        let driver = written.driver.or_else(|| self.volumes.get(name).and_then(|made| made.driver));
        let driver = driver.map(|driver| (driver.to_owned(), at.clone()));
        Some(Volume { name: name.to_owned(), class: None, driver, shared: false, exists: false })
    }

    fn source(&mut self, written: &Written<'_>, option: &str, at: &At) -> Source {
        let Written { kind, source, driver, options, .. } = written;
        match *kind {
            // Docker's `-v` creates a missing directory; `--mount` and podman refuse it.
            "bind" => {
                let podman = self.step.words().next().is_some_and(|word| word.base() == "podman");
                let engine = if option == "mount" || podman { Missing::Refused } else { Missing::Created };
                let (path, missing) = (shortest(source), self.disk.missing(&shortest(source), engine));
                match path::shared(&path) {
                    true => {
                        let fences = Fences::Never;
                        Source::Volume { name: path, fences, one_pod: None, reserved: None, missing }
                    }
                    false => Source::host(path, missing),
                }
            }
            "volume" if !source.is_empty() => {
                let made = self.volumes.get(source);
                let driver = driver.or_else(|| made.and_then(|m| m.driver)).unwrap_or("local");
                let options = if options.is_empty() { made.map_or(&[][..], |m| m.options) } else { options };
                self.volume(source, driver, options, at)
            }
            "volume" | "tmpfs" => Source::Ephemeral,
            kind => {
                self.found.unread(
                    at.clone(),
                    format!("a mount of type {kind}: treated as a directory of this machine"),
                );
                Source::host(shortest(source), Missing::Refused)
            }
        }
    }

    fn volume(&mut self, name: &str, driver: &str, options: &[String], at: &At) -> Source {
        let inspected = self.inspected.get(name).filter(|_| !self.volumes.contains_key(name));
        let missing = match inspected {
            // A plugin that has outlived its dockerd may no longer reach the machine (moby
            // `plugin/manager.go`, HandleExitEvent; seen on 20.10.24 under systemd 252).
            Some(_) if driver != "local" => Missing::Crashed,
            Some(_) => Missing::Refused,
            None => Missing::Created,
        };
        let volume = |name: &str, fences| Source::Volume {
            name: name.to_owned(),
            fences,
            one_pod: None,
            reserved: None,
            missing,
        };
        let option = |key: &str| {
            options.iter().filter_map(|o| o.split_once('=')).find(|(k, _)| *k == key).map(|(_, value)| value)
        };
        if driver == "local" {
            let shared = option("type").is_some_and(|kind| kind.starts_with("nfs") || kind == "cifs");
            return match option("device") {
                Some(device) if shared => volume(&path::share(device), Fences::Never),
                Some(device) => Source::host(shortest(device), Missing::Refused),
                // A unit that starts only if docker's own volume is NFS has a share.
                None if inspected.is_some_and(|step| step.raw.contains("\"local nfs\"")) => {
                    volume(name, Fences::Never)
                }
                None => Source::host(format!("volume {name}"), missing),
            };
        }
        let plugin = driver.split(':').next().unwrap_or_default();
        let known = BACKENDS.iter().filter_map(|b| b.plugin).find(|p| p.driver == plugin);
        if known.is_none() {
            let what = format!(
                "the volume driver `{driver}` is unknown: treated as a share that every machine can mount"
            );
            self.found.unread(at.clone(), what);
        }
        volume(name, known.map_or(Fences::Never, |p| p.fences))
    }
}
