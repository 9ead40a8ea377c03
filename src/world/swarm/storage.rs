//! Reads what the containers of a service can write to.

use std::sync::Arc;

use super::identity;
use super::mode::Mode;
use super::page::{Page, external};
use super::short;
use super::template::{Slot, per_node};
use crate::backend::{BACKENDS, Fences};
use crate::finding::{Level, codes};
use crate::images::Software;
use crate::text::path::shortest;
use crate::text::yaml::Value;
use crate::world::path;
use crate::world::{Missing, Mount, Source, Volume, data_mounts};

/// A mount as the file writes it, in either form.
struct Written<'d> {
    kind: String,
    source: String,
    target: String,
    subpath: Option<String>,
    value: Value<'d>,
}

/// How a container uses a mount.
#[derive(Clone, Copy)]
enum Use {
    Data,
    Other,
    LookedAt,
}

/// The kind of a volume, by its driver and options.
enum Made {
    /// A directory that docker creates on each node.
    Directory,
    /// A directory or disk of the node, which must exist.
    Device(String),
    /// A storage that is the same from every node.
    Share(String, Fences, Missing),
    /// Memory, which is no data.
    Nothing,
}

/// The mounts of a service that it can write to.
pub struct Mounts<'d> {
    written: Vec<Written<'d>>,
    /// Whether it has exactly one cluster volume and is not a global service.
    reserves: bool,
    /// Whether several tasks may share a node.
    several: bool,
    software: Option<Arc<Software>>,
    /// Whether it is an agent that reads what other containers have.
    agent: bool,
    /// The directory of its program, see [`data_mounts::of_programs`].
    programs: Option<String>,
}

impl<'d> Mounts<'d> {
    /// Reads `volumes` of a service. `global` and the number of replicas decide how tasks share
    /// them.
    pub fn read(
        page: &mut Page<'d, '_>,
        service: &Value<'d>,
        software: Option<Arc<Software>>,
        mode: &Mode,
    ) -> Self {
        let (global, replicas) = (mode.global, mode.replicas);
        let items = service.get("volumes").map(|v| v.items()).unwrap_or_default();
        let written: Vec<_> = items.iter().filter_map(|item| written(page, item)).collect();
        // With two cluster volumes, Swarm starts a task that has neither, and a global service
        // reserves none.
        let clusters = written.iter().filter(|w| w.kind == "cluster").count();
        let image = service.get("image").and_then(|i| Page::quiet(&i)).unwrap_or_default();
        let agent = data_mounts::only_reads(&image, page.images);
        let command = identity::command(service);
        let programs = data_mounts::of_programs(command.iter().map(String::as_str)).map(str::to_owned);
        for w in written.iter().filter(|w| w.kind == "bind" && !agent) {
            let path = absolute(&page.file, &w.source);
            let doubt = path::doubt(&path, &w.target)
                .filter(|_| !data_mounts::is_data(&path, &w.target, software.as_deref()));
            let program = data_mounts::holds_program(&w.target, programs.as_deref(), software.as_deref());
            let doubt = doubt.or_else(|| program.then(|| data_mounts::of_program(&path, &w.target)));
            if let Some(what) = doubt {
                page.unread(&w.value, what);
            }
        }
        // Swarm detaches it 0.4 s after the start, and gives it to the next service: measured on 29.
        for w in written.iter().filter(|w| w.kind == "cluster" && global) {
            page.found(
                (codes::IGNORED, Level::Violation),
                &[&w.value],
                "Swarm takes a cluster volume away from a running task of a global service",
                "deploy: { mode: replicated, replicas: 1 }, a service for each member",
            );
        }
        Self { written, reserves: clusters == 1 && !global, several: replicas > 1, software, agent, programs }
    }

    /// Returns the number of mounts.
    pub fn len(&self) -> usize {
        self.written.len()
    }

    /// Returns the mounts of the tasks in one slot: what can be data, what else it can write to,
    /// and what it reads, in the order of [`Use`].
    pub fn of(&self, page: &mut Page<'d, '_>, slot: &Slot<'_>) -> [Vec<Mount>; 3] {
        let mut all: [Vec<Mount>; 3] = Default::default();
        for (to, mount) in self.written.iter().filter_map(|w| self.mount(page, w, slot)) {
            all[to as usize].push(mount);
        }
        all
    }

    fn mount(&self, page: &mut Page<'d, '_>, w: &Written<'d>, slot: &Slot<'_>) -> Option<(Use, Mount)> {
        let (mut to, mut named) = (Use::Data, None);
        let holds = |data: bool| if data { Use::Data } else { Use::Other };
        let target = page.expanded(&w.value, slot.expand(&w.target)).text;
        let source = match w.kind.as_str() {
            "bind" => {
                let expanded = slot.expand(&w.source);
                let path = page.expanded(&w.value, expanded).text;
                let path = absolute(&page.file, &path);
                let software = self.software.as_deref();
                let program = data_mounts::holds_program(&target, self.programs.as_deref(), software);
                to = holds(data_mounts::is_data(&path, &target, software) && !program);
                if self.agent {
                    to = Use::LookedAt;
                }
                let missing = missing(page, w);
                match path::shared(&path) {
                    true => share(path, missing),
                    false => Source::host(path, missing),
                }
            }
            "tmpfs" => Source::Ephemeral,
            "volume" if w.source.is_empty() => Source::Ephemeral,
            "volume" => {
                to = holds(data_mounts::is_data("", &target, self.software.as_deref()));
                named = self.named(page, w, slot);
                self.volume(page, w, slot)
            }
            "cluster" => {
                named = self.named(page, w, slot);
                self.cluster(page, w, slot)
            }
            "npipe" => return None,
            "image" if page.machine => return None,
            kind => {
                page.found(
                    (codes::REFUSED, Level::Violation),
                    &[&w.value],
                    format!("docker mounts no `{kind}`"),
                    "type: volume",
                );
                return None;
            }
        };
        Some((to, Mount { target, source, volume: named, at: page.at(&w.value) }))
    }

    /// Returns the volume that is mounted by its name, as the file defines it.
    fn named(&self, page: &Page<'d, '_>, w: &Written<'d>, slot: &Slot<'_>) -> Option<Volume> {
        let definition = page.defined("volumes", &w.source)?;
        let exists = external(&definition, &w.source);
        let name = exists.clone().or_else(|| definition.get("name").and_then(|n| Page::quiet(&n)));
        let name = slot.expand(&name.unwrap_or_else(|| format!("{}_{}", page.stack, w.source))).text;
        let driver = definition.get("driver").and_then(|d| Some((plain(&Page::quiet(&d)?), page.at(&d))));
        Some(Volume { name, class: None, driver, shared: false, exists: exists.is_some() })
    }

    fn volume(&self, page: &mut Page<'d, '_>, w: &Written<'d>, slot: &Slot<'_>) -> Source {
        let Some(definition) = page.defined("volumes", &w.source) else {
            undefined(page, w);
            let path = format!("volume {}_{}", page.stack, w.source);
            return Source::host(path, Missing::Created);
        };
        let exists = external(&definition, &w.source);
        let name = definition.get("name").and_then(|n| page.text(&n));
        let raw = exists.clone().or(name).unwrap_or_else(|| format!("{}_{}", page.stack, w.source));
        let expanded = slot.expand(&raw);
        let named = page.expanded(&w.value, expanded);
        if exists.is_some() {
            page.unread(
                &definition,
                "an existing volume: treated as a volume of docker's own driver, a directory of the node",
            );
        }
        // If every task has a different name, each one gets a new, empty volume.
        if named.task {
            return Source::Ephemeral;
        }
        let name = named.text;
        let driver = page.text_of(&definition, "driver").unwrap_or_default();
        let plain = plain(&driver);
        let made = match plain.rsplit('/').next().unwrap_or_default() {
            "" | "local" => self.local(page, &definition, &raw, slot),
            _ => Made::Share(format!("{plain} {name}"), plugin(page, &definition, &plain), Missing::Created),
        };
        let below = |place: String| {
            w.subpath.as_ref().map_or(place.clone(), |s| format!("{place}{}", shortest(&format!("/{s}"))))
        };
        match made {
            Made::Nothing => Source::Ephemeral,
            Made::Directory => Source::host(below(format!("volume {name}")), Missing::Created),
            Made::Device(path) => Source::host(below(path), Missing::Refused),
            // Every node has its own share.
            Made::Share(place, _, missing) if per_node(&place) => Source::host(below(place), missing),
            Made::Share(place, fences, missing) => {
                Source::Volume { name: below(place), fences, one_pod: None, reserved: None, missing }
            }
        }
    }

    /// Reads a volume of docker's own driver.
    fn local(&self, page: &mut Page<'d, '_>, definition: &Value<'d>, name: &str, slot: &Slot<'_>) -> Made {
        let Some(options) = definition.get("driver_opts") else { return Made::Directory };
        let mut option = |key: &str| {
            let Some(value) = options.get(key) else { return String::new() };
            let raw = page.text(&value).unwrap_or_default();
            if self.several && raw.contains(".Task.Slot") && !name.contains(".Task.") {
                page.found(
                    (codes::IGNORED, Level::Violation),
                    &[&value, definition],
                    "the first slot on a node makes the volume, and later ones get it with the options of the first",
                    "name: \"data-{{.Task.Slot}}\"",
                );
            }
            page.expanded(&value, slot.expand(&raw)).text
        };
        let (kind, o, device) = (option("type"), option("o"), option("device"));
        let flag = |wanted: &str| o.split(',').any(|o| o.trim() == wanted);
        if flag("bind") || flag("rbind") {
            return Made::Device(shortest(&device));
        }
        if kind == "tmpfs" {
            return Made::Nothing;
        }
        let shares = ["nfs", "cifs", "smb", "gluster", "ceph", "9p"];
        let Some(share) = shares.into_iter().find(|s| kind.starts_with(s)) else {
            return if device.starts_with('/') { Made::Device(shortest(&device)) } else { Made::Directory };
        };
        let server = o.split(',').find_map(|o| o.trim().strip_prefix("addr=")).unwrap_or_default();
        let server = if device.starts_with(':') { server } else { "" };
        let place = format!("{share} {server}{}", path::share(&device));
        Made::Share(place, Fences::Never, Missing::Refused)
    }

    fn cluster(&self, page: &mut Page<'d, '_>, w: &Written<'d>, slot: &Slot<'_>) -> Source {
        let definition = page.defined("volumes", &w.source);
        let group = w.source.starts_with("group:");
        if group {
            page.unread(&w.value, "a group of cluster volumes: treated as one volume that nothing reserves");
        } else if definition.is_none() {
            undefined(page, w);
        }
        let exists = definition.as_ref().and_then(|d| external(d, &w.source));
        let named = definition.as_ref().and_then(|d| page.text_of(d, "name"));
        let scoped = || if group { w.source.clone() } else { format!("{}_{}", page.stack, w.source) };
        let raw = exists.or(named).unwrap_or_else(scoped);
        let expanded = slot.expand(&raw);
        let name = page.expanded(&w.value, expanded).text;
        // The stack command creates no cluster volume, but this definition was meant as one.
        let mode = definition.as_ref().and_then(|d| d.at(&["x-cluster-spec", "access_mode"]));
        let of = |key: &str| mode.as_ref().and_then(|m| m.get(key));
        let is = |key: &str, wanted: &[&str]| {
            let value = of(key).and_then(|v| v.text());
            value.is_none_or(|v| wanted.contains(&v.as_str()))
        };
        // The scheduler refuses a second writer of either sharing (manager/scheduler/volumes.go,
        // checkVolume), and never places a task that writes to a volume for readers.
        let reserves = !group && is("sharing", &["none", "onewriter"]);
        if let Some(sharing) = of("sharing").filter(|s| s.is("readonly") && !group) {
            page.found(
                (codes::STUCK, Level::Violation),
                &[&sharing, &w.value],
                format!("the volume {name} is for readers: Swarm places no task that may write to it"),
                "sharing: onewriter",
            );
        }
        let reserved = (self.reserves && reserves).then(|| page.at(&w.value));
        // A CSI driver refuses to publish a single-node volume to a second node (CSI,
        // ControllerPublishVolume: FAILED_PRECONDITION). What it knows about a lost node is not
        // specified.
        let single = !group && is("scope", &["single"]) && is("sharing", &["none", "onewriter"]);
        let fences = if single { Fences::WhileConnected } else { Fences::Never };
        // It must exist, but after a crash of dockerd the mounts of its driver may not reach the node, and
        // the task starts on an empty folder (moby `daemon/pkg/plugin/manager.go`; measured on 20.10.24 and 29).
        Source::Volume { name, fences, one_pod: None, reserved, missing: Missing::Crashed }
    }
}

/// Makes a directory that is the same on every node.
fn share(path: String, missing: Missing) -> Source {
    Source::Volume { name: path, fences: Fences::Never, one_pod: None, reserved: None, missing }
}

/// Reads a mount in either form; `None` if it cannot be written to.
fn written<'d>(page: &mut Page<'d, '_>, value: &Value<'d>) -> Option<Written<'d>> {
    if let Some(text) = page.text(value) {
        let Some(mount) = short::mount(&text) else {
            page.found(
                (codes::REFUSED, Level::Violation),
                &[value],
                format!("docker cannot read the mount `{text}`"),
                "data:/var/lib/data",
            );
            return None;
        };
        // docker read the one letter before a colon as a drive.
        if mount.source.is_empty() && !mount.target.starts_with('/') {
            page.found(
                (codes::REFUSED, Level::Violation),
                &[value],
                format!("docker reads `{text}` as a path in the container, not as a volume with a path"),
                "{ type: volume, source: v, target: /data }",
            );
        }
        let kind = if mount.bind { "bind" } else { "volume" }.to_owned();
        let (source, target) = (mount.source, mount.target);
        let written = Written { kind, source, target, subpath: None, value: *value };
        return (!mount.read_only).then_some(written);
    }
    if value.get("read_only").is_some_and(|r| Page::truth(&r)) {
        return None;
    }
    let mut text = |key: &str| page.text_of(value, key);
    let (kind, source, target) = (text("type"), text("source"), text("target"));
    let kind = kind.unwrap_or_else(|| "volume".to_owned());
    let subpath = subpath(page, value, &kind);
    Some(Written {
        kind,
        source: source.unwrap_or_default(),
        target: target.unwrap_or_default(),
        subpath,
        value: *value,
    })
}

/// Returns the directory of the volume that is mounted, and reports it: a client before 28 has no such field
/// (docker/cli `cli/compose/types/types.go`: not in 27.5.1, in 28.0.0).
fn subpath<'d>(page: &mut Page<'d, '_>, value: &Value<'d>, kind: &str) -> Option<String> {
    let subpath = value.at(&["volume", "subpath"])?;
    let text = page.text(&subpath).filter(|s| !s.is_empty())?;
    if kind == "volume" {
        page.found(
            (codes::IGNORED, Level::Note),
            &[&subpath],
            format!("a docker client older than 28 drops `subpath: {text}` and mounts the whole volume"),
            "a volume of its own, or deploy with a client of 28 or newer",
        );
    }
    Some(text)
}

/// Returns what docker does if the source of a bind mount is missing. Swarm rejects the task (moby
/// `daemon/cluster/executor/container/validate.go`); docker compose has docker make it, unless the long form
/// says otherwise (compose-spec `spec.md`, `create_host_path`).
fn missing(page: &Page<'_, '_>, w: &Written<'_>) -> Missing {
    let made = w.value.at(&["bind", "create_host_path"]).is_none_or(|made| Page::truth(&made));
    if page.machine && made { Missing::Created } else { Missing::Refused }
}

fn undefined(page: &mut Page<'_, '_>, w: &Written<'_>) {
    let message = if w.source.contains("{{") {
        format!("Swarm expands no template in the key of a volume, and `{}` is defined nowhere", w.source)
    } else {
        format!("the volume `{}` is defined nowhere, so docker refuses the service", w.source)
    };
    let fix = if w.source.contains("{{") {
        format!("volumes: {{ data: {{ name: \"{}\" }} }}", w.source)
    } else {
        format!("volumes: {{ {}: {{}} }}", w.source)
    };
    page.found((codes::REFUSED, Level::Violation), &[&w.value], message, fix);
}

/// Returns the name of a driver without its version: a volume is the same for every version of a
/// plugin.
fn plain(driver: &str) -> String {
    driver.strip_prefix("docker.io/").unwrap_or(driver).split(':').next().unwrap_or_default().to_owned()
}

/// Drivers of block volumes that one node at a time can attach, and that no backend of a spec has
/// (rexray `docs/user-guide/storage-providers`; the clouds refuse a second attachment).
const BLOCK: [&str; 3] = ["rexray/dobs", "rexray/cinder", "rexray/azureud"];

/// Returns whether attaching through a plugin excludes a second node, by the table of backends.
fn plugin(page: &mut Page<'_, '_>, definition: &Value<'_>, driver: &str) -> Fences {
    if BLOCK.contains(&driver) {
        return Fences::Always;
    }
    let known = BACKENDS.iter().filter_map(|b| b.plugin).find(|p| p.driver == driver);
    if known.is_none() {
        page.unread(
            definition,
            format!("the volume driver `{driver}`: treated as a share that every node can mount"),
        );
    }
    known.map_or(Fences::Never, |p| p.fences)
}

/// Resolves a path relative to the folder of its file.
fn absolute(file: &str, path: &str) -> String {
    if !path.starts_with('.') {
        return shortest(path);
    }
    let folder = file.rsplit_once('/').map_or(".", |(folder, _)| folder);
    let mut way: Vec<&str> = folder.split('/').collect();
    for step in path.split('/').filter(|s| !s.is_empty() && *s != ".") {
        if step == ".." && way.last().is_some_and(|l| *l != "." && *l != "..") {
            way.pop();
        } else {
            way.push(step);
        }
    }
    way.join("/")
}
