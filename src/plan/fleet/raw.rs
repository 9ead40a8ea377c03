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
                let message = format!("`{key}` cannot be added to [{}]", section.name);
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
        _ => return Some("a unit of fleet has only the sections Unit, Service and X-Fleet".into()),
    };
    if listed(list, key) {
        return None;
    }
    let why = match (section, key) {
        ("Unit", k) if k.starts_with("Assert") || k.starts_with("Condition") => {
            "if it fails, systemd never tries again, even with `Restart=always`"
        }
        ("Unit", "Requires" | "Requisite" | "BindsTo" | "Upholds") => {
            "if the other unit fails, systemd never tries again; use `Wants` and `After` instead"
        }
        ("X-Fleet", _) => "these options keep members apart",
        ("Service", k) if k.starts_with("Exec") || k.starts_with("Restart") || k.starts_with("Kill") => {
            "berthc needs it to protect, stop and restart the member"
        }
        _ => "berthc sets it, or does not know whether it would change berthc's rules",
    };
    Some(format!("{why}; the options for [{section}] are: {}", list.join(", ")))
}

/// Returns why `value` is not exactly one value, or would weaken a rule.
fn wrong_value(section: &str, key: &str, value: &str, taken: &[String]) -> Option<String> {
    if quote::setting(value).is_none() || key.len() + value.len() > 2000 {
        return Some("a value must be one line of 1 to 2000 bytes, without spaces around it and without a backslash at its end".into());
    }
    if section != "X-Fleet" {
        return None;
    }
    let Some((label, text)) = value.split_once('=') else {
        return Some("metadata must be key=value".into());
    };
    if names::label_key(label).is_some() || names::label_value(text).is_some() {
        return Some(format!("fleet would drop the metadata `{value}` silently"));
    }
    let same = taken.iter().any(|t| t.split('=').next() == Some(label));
    same.then(|| format!("`{label}` is already set, and with two values of one key fleet accepts either"))
}
