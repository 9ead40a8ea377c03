//! Finds containers whose own settings keep their program from starting.

use super::quadlet;
use super::service::Main;
use super::word::Word;
use crate::finding::codes;
use crate::images::NoStart;
use crate::world::Workload;
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
