//! Podman's Quadlet: the `podman run` that its generator makes of a `.container` file
//! (podman-systemd.unit(5); tried with podman 5.4 and 5.8).

use super::docker::{self, Docker};
use super::exec::Environment;
use super::keys;
use super::names::Name;
use super::quadlet::{self, section, volumes};
use super::service::Step;
use super::unit::{Line, Unit};
use super::word::{Command, Word};
use crate::finding::codes;
use crate::world::found::Found;

/// The keys of `[Container]`, the options that they become, and whether a line has several values.
const OPTIONS: [(&str, &str, bool); 13] = [
    ("ContainerName", "name", false),
    ("HostName", "hostname", false),
    ("Entrypoint", "entrypoint", false),
    ("StopTimeout", "stop-timeout", false),
    ("Network", "network", false),
    ("PublishPort", "publish", false),
    ("Volume", "volume", false),
    ("Mount", "mount", false),
    ("Tmpfs", "tmpfs", false),
    ("Label", "label", true),
    ("Environment", "env", true),
    ("EnvironmentFile", "env-file", false),
    ("Secret", "secret", false),
];

/// Returns what the generator adds to the lines of a unit: its volumes, its container, and its stop.
pub fn steps(unit: &Unit, name: Name<'_>, found: &mut Found) -> Vec<Step> {
    keys::service(quadlet::base(&unit.file), unit.of("Service"), found);
    keys::escapes(unit.of("Container"), found);
    let mut steps = Vec::new();
    let environment = Environment::read(name, unit.service().map(|line| &line.setting));
    let all = || unit.lines.iter().filter(|line| line.setting.section == "Container");
    let of = |key: &str| -> Vec<&Line> {
        let lines: Vec<&Line> = all().filter(|line| line.setting.key == key).collect();
        // An empty line clears the earlier ones.
        let from = lines.iter().rposition(|line| line.setting.value.is_empty()).map_or(0, |at| at + 1);
        lines[from..].to_vec()
    };
    let word = |line: &Line, text: &str| {
        let (text, known) = environment.specifiers(text);
        Word { known, ..Word::new(text, line.setting.line) }
    };
    let rootfs = of("Rootfs").last().copied();
    let Some(image) = of("Image").last().copied().or(rootfs) else {
        let message = format!("podman makes no unit of it: {} has no Image=", unit.name);
        found.violation(codes::REFUSED, message, vec![unit.begin()], "Image=REGISTRY/NAME:TAG");
        return steps;
    };
    let at = |text: &str| Word::new(text, image.setting.line);
    let mut words = vec![at("podman"), at("run"), at("--rm"), at("--replace"), at("--name")];
    words.push(at(&format!("systemd-{}", name.stem.replace('@', "_"))));
    for (key, option, several) in OPTIONS {
        for line in of(key) {
            let value = &line.setting.value;
            let texts = match several {
                true => line.setting.words().unwrap_or_default().into_iter().map(|w| w.text).collect(),
                false => vec![value.clone()],
            };
            for text in texts {
                words.push(word(line, &format!("--{option}")));
                words.push(word(line, &volume_name(unit, &text)));
            }
            for stem in volumes(value).filter(|_| option == "volume" || option == "mount") {
                steps.extend(volume(unit, line, stem, found));
            }
        }
    }
    let own = |line: &Line| -> Vec<Word> {
        let all = line.setting.words().unwrap_or_default();
        all.iter().map(|w| Word { line: w.line, ..word(line, &w.text) }).collect()
    };
    words.extend(of("PodmanArgs").into_iter().flat_map(own));
    words.extend(rootfs.map(|_| at("--rootfs")));
    words.push(word(image, &image.setting.value));
    words.extend(of("Exec").last().into_iter().flat_map(|line| own(line)));
    let command = Command { words, ..Command::default() };
    let docker = match docker::read(&command) {
        Ok(docker) => Some(docker),
        Err(what) => {
            found.not_searched(unit.begin(), what, "the options of podman run that podman-run(1) has");
            None
        }
    };
    let named = match &docker {
        Some(Docker::Run(run)) => run.last("name").cloned(),
        _ => None,
    };
    steps.push(step(image, "ExecStart", command, docker));
    // `podman rm -f`, which waits for StopTimeout.
    let stop = Command { words: vec![at("podman"), at("stop")], ..Command::default() };
    let docker = Docker::Stop { time: None, names: named.into_iter().collect() };
    steps.push(step(image, "ExecStop", stop, Some(docker)));
    steps
}

fn step(line: &Line, key: &str, command: Command, docker: Option<Docker>) -> Step {
    let (key, file, raw) = (key.to_owned(), line.file.clone(), "".into());
    Step { key, file, raw, ignored: false, command, docker }
}

/// Returns `text` with the names of podman's volumes in place of their files.
fn volume_name(unit: &Unit, text: &str) -> String {
    let mut text = text.to_owned();
    for stem in volumes(&text.clone()) {
        text = text.replace(&format!("{stem}.volume"), &podman_name(unit, stem));
    }
    text
}

fn podman_name(unit: &Unit, stem: &str) -> String {
    setting(unit, stem, "VolumeName").map_or_else(|| format!("systemd-{stem}"), ToOwned::to_owned)
}

/// Returns the last value of a key of a volume's own file.
fn setting<'u>(unit: &'u Unit, stem: &str, key: &str) -> Option<&'u str> {
    let section = section(stem);
    let of = |line: &&Line| line.setting.section == section && line.setting.key == key;
    unit.lines.iter().rfind(of).map(|line| line.setting.value.as_str())
}

/// Returns the command that creates a volume, from the file of the volume.
fn volume(unit: &Unit, line: &Line, stem: &str, found: &mut Found) -> Option<Step> {
    let section = section(stem);
    if !unit.lines.iter().any(|line| line.setting.section == section) {
        let what = format!("{stem}.volume is not among the files: it may be a share");
        found.not_searched(unit.at(line), what, format!("berthc verify with {stem}.volume"));
        return None;
    }
    let option = |(key, name)| Some(format!("{name}={}", setting(unit, stem, key)?));
    let options = [("Type", "type"), ("Device", "device"), ("Options", "o")];
    let options = options.into_iter().filter_map(option).collect();
    let driver = setting(unit, stem, "Driver").map(|driver| Word::new(driver, line.setting.line));
    let name = Word::new(podman_name(unit, stem), line.setting.line);
    let docker = Docker::MakeVolume { driver, options, name };
    Some(step(line, "ExecStartPre", Command::default(), Some(docker)))
}
