//! Reads `targets.fleet.unit`: options in the notation of systemd and fleet. Only options that are
//! known not to change berthc's rules are allowed. `*` matches any ending.

use serde::Serialize;

use crate::code::Code;
use crate::diag::Diagnostic;
use crate::model::Service;
use crate::route;
use crate::text::names;
use crate::text::quote;

/// The options that may be added to `[Unit]` (systemd.unit(5)).
const UNIT: &[&str] =
    &["After", "Before", "Documentation", "OnFailure", "PartOf", "RequiresMountsFor", "Wants"];

/// The options for the process of the docker client (systemd.exec(5), systemd.resource-control(5)).
/// They do not include the environment: `DOCKER_HOST` would start the container on another daemon,
/// where its name excludes no second container.
const SERVICE: &[&str] = &[
    "BlockIO*",
    "CPU*",
    "IO*",
    "Limit*",
    "Log*",
    "Memory*",
    "Nice",
    "OOMScoreAdjust",
    "Slice",
    "StandardError",
    "StandardOutput",
    "SuccessExitStatus",
    "Syslog*",
    "Tasks*",
    "TimerSlackNSec",
];

/// An option.
#[derive(Debug, Serialize)]
pub struct Entry {
    /// The name.
    pub key: String,
    /// The value.
    pub value: String,
}

/// The options to add to the unit of a member.
#[derive(Debug, Default, Serialize)]
pub struct Additions {
    /// The options for `[Unit]`.
    pub unit: Vec<Entry>,
    /// The options for `[Service]`.
    pub service: Vec<Entry>,
    /// The metadata for `[X-Fleet]` that a machine must also have.
    pub metadata: Vec<String>,
}

/// Reads the additions. `taken` holds the metadata keys that berthc has set.
pub fn plan(service: &Service, taken: &[String], faults: &mut Vec<Diagnostic>) -> Additions {
    let mut all = Additions::default();
    let sections = service.targets.fleet.iter().flat_map(|f| &f.unit);
    for section in sections {
        for (key, values) in &section.options {
            let route = route!["targets", "fleet", "unit", section.name, key];
            let wrong = refused(&section.name, key)
                .or_else(|| values.iter().find_map(|v| wrong_value(&section.name, key, v, taken)));
            if let Some(why) = wrong {
                let message = format!("`{key}` of [{}] cannot be added", section.name);
                faults.push(Diagnostic::error(Code::HatchOverwrites, service.key(&route), message).why(why));
                continue;
            }
            for value in values {
                let option = Entry { key: key.clone(), value: value.clone() };
                match section.name.as_str() {
                    "Unit" => all.unit.push(option),
                    "Service" => all.service.push(option),
                    _ => all.metadata.push(value.clone()),
                }
            }
        }
    }
    all
}

fn listed(list: &[&str], key: &str) -> bool {
    let good = key.bytes().all(|c| c.is_ascii_alphanumeric());
    good && list.iter().any(|l| l.strip_suffix('*').map_or(*l == key, |start| key.starts_with(start)))
}

/// Returns why only berthc may set `key` in `section`.
fn refused(section: &str, key: &str) -> Option<String> {
    let list = match section {
        "Unit" => UNIT,
        "Service" => SERVICE,
        "X-Fleet" => &["MachineMetadata"],
        _ => return Some("a unit that fleet runs has the sections Unit, Service and X-Fleet".into()),
    };
    if listed(list, key) {
        return None;
    }
    let why = match (section, key) {
        ("Unit", k) if k.starts_with("Assert") || k.starts_with("Condition") => {
            "systemd never tries again after a failed one, although `Restart=always`"
        }
        ("Unit", "Requires" | "Requisite" | "BindsTo" | "Upholds") => {
            "systemd never tries again after a failed one; `Wants` and `After` wait as well"
        }
        ("X-Fleet", _) => "where the unit may run is what keeps members apart",
        ("Service", k) if k.starts_with("Exec") || k.starts_with("Restart") || k.starts_with("Kill") => {
            "it is part of how the member is fenced, stopped and started again"
        }
        _ => "berthc sets it, or does not know that it leaves its rules alone",
    };
    Some(format!("{why}; what may be added to [{section}]: {}", list.join(", ")))
}

/// Returns why `value` is not exactly one value, or would weaken a rule.
fn wrong_value(section: &str, key: &str, value: &str, taken: &[String]) -> Option<String> {
    if quote::setting(value).is_none() || key.len() + value.len() > 2000 {
        return Some("a value is not empty and stands on one line of at most 2000 bytes, without blanks around it and without a backslash at its end".into());
    }
    if section != "X-Fleet" {
        return None;
    }
    let Some((label, text)) = value.split_once('=') else {
        return Some("metadata is key=value".into());
    };
    if names::label_key(label).is_some() || names::label_value(text).is_some() {
        return Some(format!("`{value}` is no metadata that fleet takes: it drops it without a word"));
    }
    let same = taken.iter().any(|t| t.split('=').next() == Some(label));
    same.then(|| {
        format!("`{label}` is set already, and fleet takes two values of one key for either of them")
    })
}
