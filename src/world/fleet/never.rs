//! Finds containers whose own settings keep their program from starting.

use super::quadlet;
use super::service::Main;
use super::word::Word;
use crate::finding::{Level, codes};
use crate::images::NoStart;
use crate::world::Workload;
use crate::world::ends;
use crate::world::found::Found;
use crate::world::never::{Never, Part, may_be_old, tell};

/// The options whose value docker checks before it makes the container.
const CHECKED: [&str; 5] = ["hostname", "ip", "name", "publish", "volume"];

/// Reports what keeps the program of the container of `main` from starting.
pub fn judge(workload: &Workload, main: &Main<'_>, faults: &[NoStart], found: &mut Found) {
    let Main { step, run, .. } = *main;
    let old = may_be_old(workload);
    let quadlet = step.file.ends_with(quadlet::CONTAINER);
    let image = || step.at(&run.image, "image");
    for fault in faults {
        let set = |name: &str| {
            let text = if name.contains('=') { name.to_owned() } else { format!("{name}=VALUE") };
            if quadlet { format!("Environment={text}") } else { format!("--env {text}") }
        };
        let Never { level, message, fix, part } = tell(&workload.name, fault, old, set);
        let at = match part {
            Part::Image => image(),
            Part::Option(option) => {
                let same = |w: &&Word| w.text.split('=').next() == Some(option.as_str());
                run.args.iter().find(same).map_or_else(image, |word| step.at(word, &option))
            }
            Part::Mount(target) => {
                let own = |w: &&Word| w.text.split([':', ',', '=']).any(|part| part == target);
                let word = run.all("volume").chain(run.all("mount")).find(own);
                word.map_or_else(image, |word| step.at(word, "mount"))
            }
        };
        found.finding((codes::NEVER, level), message, vec![at], fix);
    }
    substituted(workload, main, found);
    refused(workload, main, found);
}

/// Reports what docker refuses, or a command that ends at once: `-it` outside of a terminal (docker/cli
/// `cli/command/streams/in.go`, `CheckTty`), a volume whose path in the container is not absolute (moby
/// `volume/mounts/linux_parser.go`), and the commands of [`ends`].
fn refused(workload: &Workload, main: &Main<'_>, found: &mut Found) {
    let Main { step, run, .. } = *main;
    let name = &workload.name;
    let program = step.words().next().map(Word::base).unwrap_or_default();
    let both = run.last("tty").filter(|_| run.is("tty") && run.is("interactive") && !run.is("detach"));
    if let Some(word) = both.filter(|_| program == "docker") {
        let message =
            format!("{name} never starts: systemd gives it no terminal, and docker refuses -t with -i");
        found.violation(codes::NEVER, message, vec![step.at(word, "-it")], "docker run without -i and -t");
    }
    let bad = |w: &&Word| {
        let parts: Vec<&str> = w.text.split(':').collect();
        let target = parts.get(1).or(parts.first()).copied().unwrap_or_default();
        w.known && !target.starts_with('/') && !target.contains(['$', '%', '\\', '`'])
    };
    if let Some(word) = run.all("volume").find(bad) {
        let message = format!(
            "{name} never starts: `{}` for --volume has no absolute path in the container; an option without its value takes the next word",
            word.text
        );
        let fix = "--volume /srv/NAME:/PATH/IN/THE/CONTAINER";
        found.violation(codes::NEVER, message, vec![step.at(word, "--volume")], fix);
    }
    let entry = run.last("entrypoint");
    let words: Vec<&str> = entry.into_iter().chain(&run.args).map(|w| w.text.as_str()).collect();
    let at = || run.args.first().or(entry).map_or_else(|| step.place(), |w| step.at(w, "command"));
    if let Some(why) = ends::at_once(&words, run.is("interactive") || run.is("tty")) {
        let message = format!("{name} never stays up: {why}");
        let level = if entry.is_some() { Level::Violation } else { Level::Note };
        found.finding((codes::NEVER, level), message, vec![at()], "the server itself, as the command");
    }
}

/// Reports a command in backticks or `$( )` outside a shell. systemd runs no shell, so docker gets the text
/// itself (systemd.service(5), "COMMAND LINES").
fn substituted(workload: &Workload, main: &Main<'_>, found: &mut Found) {
    let Main { step, run, .. } = *main;
    let program = step.raw.trim_start_matches(['-', '@', ':', '+', '!']).split_whitespace().next();
    let base = program.and_then(|p| p.rsplit('/').next()).unwrap_or_default();
    if !["docker", "podman"].contains(&base) {
        return;
    }
    let shell = |text: &str| text.contains('`') || text.contains("$(");
    let mut checked = run.options.iter().filter(|(option, _)| CHECKED.contains(&option.as_str()));
    let Some((option, word)) = checked.find(|(_, word)| shell(&word.text)) else { return };
    let message = format!(
        "{} gets the text `{}` for --{option}: systemd runs no shell that replaces it",
        workload.name, word.text
    );
    let fix = match word.text.contains("hostname") {
        true => format!("--{option} %H  # the name of the machine"),
        false => format!("ExecStart=/bin/sh -c 'exec {base} run …', with $$( ) for a command"),
    };
    found.violation(codes::NEVER, message, vec![step.at(word, &format!("--{option}"))], fix);
}
