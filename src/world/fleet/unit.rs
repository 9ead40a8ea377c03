//! Units as files: what fleet and what systemd read of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::grammar::{self, Parsed};
use super::keys::Newest;
use super::names::{self, Name};
use super::quadlet;
use super::rules::{Rules, SECTION};
use crate::finding::{At, codes};
use crate::text::unit::{self, Setting};
use crate::world::File;
use crate::world::found::Found;

/// An option and its file, because a drop-in adds options to a unit.
#[derive(Debug, Clone)]
pub struct Line {
    /// The path, as the caller gave it.
    pub file: Arc<str>,
    /// The option.
    pub setting: Setting,
}

/// A unit that fleet accepts.
#[derive(Debug)]
pub struct Unit {
    /// The name in fleet.
    pub name: String,
    /// The file.
    pub file: Arc<str>,
    /// The unit as fleet reads it.
    pub parsed: Parsed,
    /// The rules in `[X-Fleet]`.
    pub rules: Rules,
    /// The lines of the unit and its drop-ins, as systemd reads them.
    pub lines: Vec<Line>,
    /// Whether systemd runs it without fleet, on one machine; see [`is_local`].
    pub local: bool,
}

impl Unit {
    /// Returns the parts of its name.
    pub fn name(&self) -> Name<'_> {
        Name::of(&self.name)
    }

    /// Returns its name, or that of its template's first instance.
    pub fn sample(&self) -> String {
        let name = self.name();
        if name.is_template() { name.instantiated("1") } else { self.name.clone() }
    }

    /// Returns the place of the unit: its rules for fleet, otherwise its container, otherwise its
    /// first line.
    pub fn begin(&self) -> At {
        let sections = &self.parsed.sections;
        let section = sections.iter().find(|(name, _)| name.eq_ignore_ascii_case(SECTION));
        let start = || self.last(&["ExecStart"]).filter(|l| l.file == self.file).map(|l| l.setting.line);
        let first = || sections.first().map(|(_, line)| *line);
        let line = section.map(|(_, line)| *line).or_else(start).or_else(first).unwrap_or(1);
        At { file: self.file.clone(), line, field: self.name.clone() }
    }

    /// Returns whether podman's generator makes it of a file of Quadlet.
    pub fn is_made(&self) -> bool {
        self.file.ends_with(quadlet::CONTAINER)
    }

    /// Returns the place of an option.
    pub fn at(&self, line: &Line) -> At {
        let field = format!("{} {}", line.setting.section, line.setting.key);
        At { file: line.file.clone(), line: line.setting.line, field }
    }

    /// Returns the options of a section, in order, each with its place.
    pub fn of<'u>(&'u self, section: &'u str) -> impl Iterator<Item = (&'u Setting, At)> {
        let own = self.lines.iter().filter(move |line| line.setting.section == section);
        own.map(|line| (&line.setting, self.at(line)))
    }

    /// Returns the options of `[Service]`, in order.
    pub fn service(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.setting.section == "Service")
    }

    /// Returns the paths of `RequiresMountsFor`. An empty line clears the earlier ones.
    pub fn mounted(&self) -> Vec<(String, At)> {
        let mut paths = Vec::new();
        let of = |l: &&Line| l.setting.section == "Unit" && l.setting.key == "RequiresMountsFor";
        for line in self.lines.iter().filter(of) {
            if line.setting.value.is_empty() {
                paths.clear();
            }
            let words = line.setting.value.split_whitespace();
            paths.extend(words.map(|path| (path.to_owned(), self.at(line))));
        }
        paths
    }

    /// Returns the words of keys of `[Unit]`. An empty line clears the earlier ones.
    pub fn wants(&self, keys: &[&str]) -> Vec<(String, At)> {
        let mut all: Vec<(String, At)> = Vec::new();
        let of = |l: &&Line| l.setting.section == "Unit" && keys.contains(&l.setting.key.as_str());
        for line in self.lines.iter().filter(of) {
            let at = self.at(line);
            if line.setting.value.is_empty() {
                all.retain(|(_, other)| other.field != at.field);
            }
            let words = line.setting.value.split_whitespace();
            let name = |word: &str| {
                let service = quadlet::any_service(word).filter(|_| self.is_made());
                service.unwrap_or_else(|| word.to_owned())
            };
            all.extend(words.map(|word| (name(word), at.clone())));
        }
        all
    }

    /// Returns the line of a container of Quadlet that names its pod.
    pub fn pod(&self) -> Option<&Line> {
        let of = |l: &&Line| l.setting.section == "Container" && l.setting.key == "Pod";
        self.lines.iter().rfind(of)
    }

    /// Returns the last line of an option, which wins.
    pub fn last(&self, keys: &[&str]) -> Option<&Line> {
        self.service().filter(|line| keys.contains(&line.setting.key.as_str())).last()
    }
}

/// Returns the units of these files that fleet accepts, in order.
pub fn all(files: &[File<'_>], found: &mut Found) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut newest = Newest::default();
    let fleet = files.iter().any(|file| heads(file.text, SECTION));
    for file in files.iter().filter(|file| drop_in(file.path).is_none()) {
        let base = file.path.rsplit('/').next().unwrap_or_default();
        let path: Arc<str> = file.path.into();
        let at = |line, field: &str| At { file: path.clone(), line, field: field.to_owned() };
        if quadlet::is_quiet(base) || base.ends_with(".kube") {
            let (settings, _) = unit::read(file.text);
            let places = settings.iter().map(|s| at(s.line, &format!("{} {}", s.section, s.key)));
            newest.check(base, settings.iter().zip(places), found);
        }
        if quadlet::is_quiet(base) {
            continue;
        }
        if base.ends_with(".kube") {
            let what = "podman starts what the file of Yaml= says: what it holds is not searched";
            found.not_searched(at(1, ""), what, "berthc verify FILE, with the file of Yaml=");
            continue;
        }
        let made = quadlet::service(base).map(|made| service_name(file).unwrap_or(made));
        if made.is_none() && !names::is_unit(base) {
            found.unread(at(1, ""), "its name is not the name of a unit: it is ignored");
            continue;
        }
        let container = made.is_some();
        let name = made.unwrap_or_else(|| names::submitted(base));
        if let Some(error) = names::refused(&name) {
            let message = format!("fleet refuses the name `{name}`: {error}");
            found.violation(codes::REFUSED, message, vec![at(1, "")], "rename the file: NAME@1.service");
            continue;
        }
        let local = container || is_local(file.text, fleet);
        let unit = match accepted(file, name, path.clone(), local) {
            Ok(unit) => unit,
            Err((error, at)) => {
                let fix = fix(&error);
                found.violation(codes::REFUSED, format!("fleet refuses {base}: {error}"), vec![at], fix);
                continue;
            }
        };
        if unit.name != base && !unit.local {
            let message = format!("fleetctl submits {base} as {}", unit.name);
            found.violation(codes::IGNORED, message, vec![unit.begin()], "name it NAME.service");
        }
        match known.get(&unit.name) {
            Some(first) => {
                let first = &units[*first];
                if unit.local && !same(first, &unit) {
                    let what = format!("{} appears twice: treated as units of two machines", unit.name);
                    found.not_searched(unit.begin(), what, "berthc verify, for each machine by itself");
                } else if !same(first, &unit) {
                    let message = format!("{} appears twice: fleet keeps the first text", unit.name);
                    let fix = format!("fleetctl submit --replace {}", unit.name);
                    found.note(codes::IGNORED, message, vec![unit.begin(), first.begin()], fix);
                }
            }
            None => {
                known.insert(unit.name.clone(), units.len());
                units.push(unit);
            }
        }
    }
    add_drop_ins(files, &mut units, &known, found);
    for unit in units.iter_mut().filter(|unit| unit.is_made()) {
        let places = unit.lines.iter().map(|line| (&line.setting, unit.at(line)));
        // What a key most likely means is read.
        for (i, key) in newest.check(quadlet::base(&unit.file), places, found) {
            unit.lines[i].setting.key = key;
        }
    }
    newest.report(found);
    add_pods(files, &mut units, found);
    add_volumes(files, &mut units);
    name_images(files, &mut units);
    units
}

/// Returns the name that a container file gives to its service (since podman 5.3).
fn service_name(file: &File<'_>) -> Option<String> {
    let name =
        file.text.contains("ServiceName").then(|| quadlet::value(file, "Container", "ServiceName"))??;
    Some(format!("{name}.service"))
}

/// Puts the images into the containers that name files of Quadlet in their place.
fn name_images(files: &[File<'_>], units: &mut [Unit]) {
    let mut images: BTreeMap<&str, String> = BTreeMap::new();
    for file in files {
        let base = quadlet::base(file.path);
        let (section, key) = match base.rsplit_once('.') {
            Some((_, "image")) => ("Image", "Image"),
            Some((_, "build")) => ("Build", "ImageTag"),
            _ => continue,
        };
        images.extend(quadlet::value(file, section, key).map(|image| (base, image)));
    }
    let lines = units.iter_mut().filter(|unit| unit.is_made()).flat_map(|unit| &mut unit.lines);
    for line in lines.filter(|l| l.setting.section == "Container" && l.setting.key == "Image") {
        if let Some(image) = images.get(line.setting.value.as_str()) {
            image.clone_into(&mut line.setting.value);
        }
    }
}

fn same(a: &Unit, b: &Unit) -> bool {
    let key =
        |line: &Line| (line.setting.section.clone(), line.setting.key.clone(), line.setting.value.clone());
    a.lines.iter().map(key).eq(b.lines.iter().map(key))
}

/// Adds what the pods of Quadlet give to their containers.
fn add_pods(files: &[File<'_>], units: &mut [Unit], found: &mut Found) {
    for unit in units.iter_mut() {
        let Some(line) = unit.pod().cloned() else { continue };
        let name = &line.setting.value;
        let own = |file: &&File<'_>| quadlet::is_pod(file.path) && file.path.rsplit('/').next() == Some(name);
        let Some(file) = files.iter().find(own) else {
            let what = format!("{name} is not among the files: its volumes may hold data");
            found.not_searched(unit.at(&line), what, format!("berthc verify with {name}"));
            continue;
        };
        let (settings, _) = unit::read(file.text);
        let path: Arc<str> = file.path.into();
        let mut lines = Vec::new();
        for setting in settings.into_iter().filter(|s| s.section == "Pod") {
            let at = At { file: path.clone(), line: setting.line, field: format!("Pod {}", setting.key) };
            let mounts = ["-v", "--volume", "--volumes-from"].iter().any(|o| setting.value.contains(o));
            if setting.key == "PodmanArgs" && mounts {
                found.not_searched(at, "volumes in the arguments of a pod", "Volume=SOURCE:TARGET in [Pod]");
            } else if quadlet::OF_POD.contains(&setting.key.as_str()) {
                // The container's own line about it is that which names the pod.
                let section = "Container".to_owned();
                let setting = Setting { section, line: line.setting.line, ..setting };
                lines.push(Line { file: line.file.clone(), setting });
            }
        }
        // What a container says itself comes later and wins.
        unit.lines.splice(..0, lines);
    }
}

/// Adds the settings of the volumes that units of Quadlet name.
fn add_volumes(files: &[File<'_>], units: &mut [Unit]) {
    let stem = |path: &'_ str| path.rsplit('/').next()?.strip_suffix(".volume").map(ToOwned::to_owned);
    let volumes: BTreeMap<String, &File<'_>> =
        files.iter().filter_map(|file| Some((stem(file.path)?, file))).collect();
    for unit in units.iter_mut().filter(|unit| !volumes.is_empty() && unit.local) {
        let of = |line: &&Line| line.setting.section == "Container";
        let values = unit.lines.iter().filter(of).map(|line| line.setting.value.as_str());
        let named: BTreeSet<String> = values.flat_map(quadlet::volumes).map(ToOwned::to_owned).collect();
        for stem in named {
            let Some(file) = volumes.get(&stem) else { continue };
            let (settings, _) = unit::read(file.text);
            let mine = settings.into_iter().filter(|s| s.section == "Volume");
            let section = quadlet::section(&stem);
            // A file without settings also defines its volume.
            let first = Setting { section: section.clone(), ..Setting::default() };
            let all = std::iter::once(first).chain(mine.map(|s| Setting { section: section.clone(), ..s }));
            let path: Arc<str> = file.path.into();
            unit.lines.extend(all.map(|setting| Line { file: path.clone(), setting }));
        }
    }
}

/// Words of the files of a fleet cluster: its tools, its system, and the data containers of its time.
const OF_FLEET: [&str; 4] = ["fleet", "etcdctl", "coreos", "--volumes-from"];

/// Returns whether a text has a line that begins the section `name`.
fn heads(text: &str, name: &str) -> bool {
    let inside = |line: &str| line.trim().strip_prefix('[')?.strip_suffix(']').map(str::to_ascii_lowercase);
    text.lines().filter_map(inside).any(|section| section == name.to_ascii_lowercase())
}

/// Returns whether systemd runs a unit without fleet, on one machine. fleet enables no unit, so `[Install]`
/// without `[X-Fleet]` is meant for `systemctl enable` (fleet `Documentation/unit-files-and-scheduling.md`).
/// Without either section it belongs to fleet if another file does (`fleet`), or if its words are those of
/// a fleet cluster.
fn is_local(text: &str, fleet: bool) -> bool {
    let of_fleet = || {
        let text = text.to_ascii_lowercase();
        fleet || OF_FLEET.iter().any(|word| text.contains(word))
    };
    !heads(text, SECTION) && (heads(text, "Install") || !of_fleet())
}

fn accepted(file: &File<'_>, name: String, path: Arc<str>, local: bool) -> Result<Unit, (String, At)> {
    let place = |line, field: &str| At { file: path.clone(), line, field: field.to_owned() };
    let (settings, _) = unit::read(file.text);
    let parsed = match grammar::parse(file.text) {
        Ok(parsed) => parsed,
        // The rules of fleet do not matter for a unit without fleet.
        Err(_) if local => Parsed::default(),
        Err((error, line)) => return Err((error, place(line, ""))),
    };
    let rules = Rules::read(&parsed, &path);
    if let Some((error, at)) = rules.refused() {
        return Err((error, at.clone()));
    }
    // The lines and rules say it.
    let parsed = Parsed { options: Vec::new(), ..parsed };
    let lines = settings.into_iter().map(|setting| Line { file: path.clone(), setting }).collect();
    Ok(Unit { name, file: path, parsed, rules, lines, local })
}

/// Returns what to write instead of what fleet refuses.
fn fix(error: &str) -> &'static str {
    match error {
        e if e.starts_with("MachineID cannot") => {
            "MachineMetadata=KEY=VALUE, which one machine has, in place of MachineID="
        }
        e if e.starts_with("Global cannot") => {
            "MachineMetadata=KEY=VALUE: only metadata places a global unit"
        }
        e if e.starts_with("Conflicts cannot") => "take out Replaces=",
        e if e.starts_with("unresolvable") => {
            "Conflicts=NAME@*.service, which does not match the units that it follows"
        }
        e if e.starts_with("line too long") => "end the line with a \\ and go on in the next one",
        _ => "fix the line",
    }
}

/// Returns the unit of a drop-in `x.service.d/y.conf`.
fn drop_in(path: &str) -> Option<&str> {
    let (folder, file) = path.rsplit_once('/')?;
    let unit = folder.rsplit('/').next()?.strip_suffix(".d")?;
    let own = names::is_unit(unit) || unit.ends_with(quadlet::CONTAINER);
    (file.ends_with(".conf") && own).then_some(unit)
}

/// Adds the drop-ins, which systemd reads on the machine in the order of their names. fleet never reads
/// them.
fn add_drop_ins(files: &[File<'_>], units: &mut [Unit], known: &BTreeMap<String, usize>, found: &mut Found) {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut drop_ins: Vec<(&File<'_>, &str)> =
        files.iter().filter_map(|file| Some((file, drop_in(file.path)?))).collect();
    drop_ins.sort_by_key(|(file, _)| name(file.path));
    for (file, unit) in drop_ins {
        let made = quadlet::service(unit);
        let unit = made.as_deref().unwrap_or(unit);
        let path: Arc<str> = file.path.into();
        let (settings, _) = unit::read(file.text);
        let lines: Vec<Line> =
            settings.into_iter().map(|setting| Line { file: path.clone(), setting }).collect();
        if let Some(line) = lines.iter().find(|line| line.setting.section.eq_ignore_ascii_case(SECTION)) {
            let at = At { file: path.clone(), line: line.setting.line, field: SECTION.to_owned() };
            let message = format!("fleet never reads the drop-in of {unit}: its [{SECTION}] does nothing");
            found.violation(codes::IGNORED, message, vec![at], format!("write it into {unit}"));
        }
        // The drop-ins of a template also apply to its instances.
        let own = |name: &str| name == unit || Name::of(name).instantiated("") == unit && name.contains('@');
        let mut of = known.iter().filter(|(name, _)| own(name)).peekable();
        if of.peek().is_none() {
            let at = At { file: path.clone(), line: 1, field: String::new() };
            found.unread(at, format!("{unit} is not among the files: its drop-in is left out"));
        }
        for (_, at) in of {
            units[*at].lines.extend(lines.iter().cloned());
        }
    }
}
