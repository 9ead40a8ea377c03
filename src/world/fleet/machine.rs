//! Finds units whose members have the names of their machines.

use super::service::Step;
use super::unit::Unit;

/// What names the machine in a command line (systemd.unit(5), "Specifiers"; coreos-metadata and
/// `/etc/environment` of CoreOS).
const MACHINE: [&str; 6] =
    ["%m", "%H", "COREOS_PRIVATE_IPV4", "COREOS_PUBLIC_IPV4", "hostname -i", "hostname -I"];
/// The options whose value names the container for docker only.
const NAMES: [&str; 3] = ["--name", "--label", "-l"];

/// Returns whether `run` gives its container the name of the machine, and the number of the instance to
/// nothing but the container's name.
pub fn is_identity(unit: &Unit, run: &Step) -> bool {
    if !MACHINE.iter().any(|word| run.raw.contains(word)) {
        return false;
    }
    let numbered = |text: &str| ["%i", "%I", "%n", "%N"].iter().any(|s| text.contains(s));
    let words: Vec<&str> = run.raw.split_whitespace().collect();
    let named = |i: usize| {
        let before = i.checked_sub(1).map_or("", |i| words[i]);
        NAMES.contains(&before)
            || NAMES.iter().any(|name| words[i].strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
    };
    let free = words.iter().enumerate().all(|(i, word)| !numbered(word) || named(i));
    let variables = unit.service().filter(|line| line.setting.key.starts_with("Environment"));
    free && !variables.into_iter().any(|line| numbered(&line.setting.value))
}
