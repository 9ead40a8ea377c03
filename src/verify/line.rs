//! Writes the fix of a finding into a text, where it is a line.

use crate::finding::At;
use crate::input::STDIN;
use crate::text::yaml::edit::{Place, Text};
use crate::text::yaml::{self, Value};

/// Where a key of a manifest stands in an object that has a template of pods; `T` is that template.
const KEYS: [(&str, &[&str]); 14] = [
    ("apiVersion", &[]),
    ("concurrencyPolicy", &["spec"]),
    ("hostname", &["T", "spec"]),
    ("podAntiAffinity", &["T", "spec", "affinity"]),
    ("podManagementPolicy", &["spec"]),
    ("publishNotReadyAddresses", &["spec"]),
    ("clusterIP", &["spec"]),
    ("rollingUpdate", &["spec", "updateStrategy"]),
    ("selector", &["spec"]),
    ("serviceName", &["spec"]),
    ("strategy", &["spec"]),
    ("terminationGracePeriodSeconds", &["T", "spec"]),
    ("updateStrategy", &["spec"]),
    ("whenScaled", &["spec", "persistentVolumeClaimRetentionPolicy"]),
];

/// The same for a service of a stack file.
const SERVICE: [(&str, &[&str]); 5] = [
    ("hostname", &[]),
    ("order", &["deploy", "update_config"]),
    ("restart_policy", &["deploy"]),
    ("start_period", &["healthcheck"]),
    ("stop_grace_period", &[]),
];

/// The keys of a unit outside of `[Service]`.
const SECTIONS: [(&str, &str); 9] = [
    ("MachineMetadata", "X-Fleet"),
    ("MachineID", "X-Fleet"),
    ("MachineOf", "X-Fleet"),
    ("Conflicts", "X-Fleet"),
    ("After", "Unit"),
    ("Requires", "Unit"),
    ("BindsTo", "Unit"),
    ("Mount", "Container"),
    ("StopTimeout", "Container"),
];

/// Returns whether a file is YAML or JSON.
pub(super) fn is_yaml(file: &str) -> bool {
    file == STDIN || [".yaml", ".yml", ".json"].iter().any(|end| file.ends_with(end))
}

/// Returns `text` with a fix at `at`; `None` if the fix is no plain line, or the text is not what it needs.
pub(super) fn fixed(text: &str, at: &At, fix: &str) -> Option<String> {
    let parts = ["services.", "configs.", "volumes.", "networks.", "secrets."];
    if !is_yaml(&at.file) {
        unit(text, at, fix)
    } else if parts.iter().any(|start| at.field.starts_with(start)) {
        stack(text, at, fix)
    } else {
        manifest(text, at, fix)
    }
}

/// Splits `key: value, and key: value` into its entries. The rest of a line after `#` is for the reader.
fn entries(fix: &str) -> Option<Vec<(String, String)>> {
    let (plain, more) = fix.split_once(" # ").unwrap_or((fix, ""));
    // More lines are needed than this one.
    if more.starts_with("and ") {
        return None;
    }
    let source = format!("{{{plain}}}");
    let (documents, faults) = yaml::documents(&source);
    let [document] = documents.as_slice() else { return None };
    if !faults.is_empty() {
        return None;
    }
    let all = document.root().entries().into_iter().map(|(key, value)| {
        let key = key.strip_prefix("and in spec  ").or_else(|| key.strip_prefix("and ")).unwrap_or(key);
        let plain = !value.is_null() && !key.contains(' ') && !prose(value);
        plain.then(|| (key.to_owned(), flow(value)))
    });
    let all: Option<Vec<_>> = all.collect();
    all.filter(|all| !all.is_empty())
}

/// Returns whether a value is words for a reader.
fn prose(value: Value<'_>) -> bool {
    value
        .scalars()
        .chain([value])
        .any(|v| !v.is_quoted() && v.as_str().is_some_and(|t| t.trim().contains(' ')))
}

/// Writes a value on one line.
fn flow(value: Value<'_>) -> String {
    if value.is_map() {
        let all: Vec<String> =
            value.entries().into_iter().map(|(k, v)| format!("{k}: {}", flow(v))).collect();
        return format!("{{{}}}", all.join(", "));
    }
    if value.is_list() {
        return format!("[{}]", value.items().into_iter().map(flow).collect::<Vec<_>>().join(", "));
    }
    match value.as_str() {
        None => "null".to_owned(),
        Some(text) if value.is_quoted() => format!("{text:?}"),
        Some(text) => text.to_owned(),
    }
}

/// Returns the way from the document to the object of a field: the items of lists.
fn object(field: &str) -> &str {
    let mut end = 0;
    while let Some(rest) = field[end..].strip_prefix(if end == 0 { "items[" } else { ".items[" }) {
        let Some(close) = rest.find(']') else { break };
        end = field.len() - rest.len() + close + 1;
    }
    &field[..end]
}

fn parent(field: &str) -> &str {
    let end = field.rfind(['.', '[']).unwrap_or(0);
    &field[..end]
}

/// Whether a text is JSON, in which a plain key would be wrong.
fn json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

fn manifest(text: &str, at: &At, fix: &str) -> Option<String> {
    if json(text) {
        return None;
    }
    let mut edited = Text::new(text);
    let root = Place { line: at.line, field: object(&at.field) };
    if fix.starts_with("{apiVersion: ") {
        if !root.field.is_empty() {
            return None;
        }
        return Some(edited.document(&lines(fix)?).into_string());
    }
    let here = Place { line: at.line, field: &at.field };
    let own = at.field.rsplit('.').next().unwrap_or_default();
    for (key, value) in entries(fix)? {
        let above = Place { field: parent(&at.field), ..here };
        edited = if key == own {
            edited.set(here, &[], &value)?
        } else if edited.has(here, &[&key]) {
            edited.set(here, &[&key], &value)?
        } else if let Some((_, way)) = KEYS.iter().find(|(name, _)| *name == key) {
            let template: &[&str] = if edited.has(root, &["spec", "jobTemplate"]) {
                &["spec", "jobTemplate", "spec", "template"]
            } else if edited.has(root, &["spec", "template"]) {
                &["spec", "template"]
            } else {
                &[]
            };
            let rolls = edited.scalar(root, &["kind"]) == Some("Deployment");
            let mut full: Vec<&str> = Vec::new();
            for step in *way {
                match *step {
                    "T" => full.extend(template),
                    "updateStrategy" if rolls => full.push("strategy"),
                    step => full.push(step),
                }
            }
            full.push(&key);
            edited.set(root, &full, &value)?
        } else if edited.has(above, &[&key]) || key == "maxUnavailable" && own == "minAvailable" {
            edited.set(above, &[&key], &value)?
        } else {
            return None;
        };
        // A budget has one of both.
        if key == "maxUnavailable" && edited.has(root, &["spec", "minAvailable"]) {
            edited = edited.without(Place { field: parent(&at.field), ..here }, "minAvailable")?;
        }
    }
    Some(edited.into_string())
}

/// Writes an object with a line for each of its keys.
fn lines(fix: &str) -> Option<String> {
    let (documents, _) = yaml::documents(fix);
    let all = documents.first()?.root().entries();
    let all: Vec<String> = all.into_iter().map(|(key, value)| format!("{key}: {}", flow(value))).collect();
    Some(all.join("\n"))
}

fn stack(text: &str, at: &At, fix: &str) -> Option<String> {
    if json(text) {
        return None;
    }
    let mut edited = Text::new(text);
    let name = at.field.strip_prefix("services.").map(|rest| rest.split('.').next().unwrap_or(rest))?;
    let field = format!("services.{name}");
    let service = Place { line: at.line, field: &field };
    let here = Place { line: at.line, field: &at.field };
    let own = at.field.rsplit('.').next().unwrap_or_default();
    for (key, value) in entries(fix)? {
        let way: Vec<&str> = key.split('.').collect();
        if way.len() > 1 || key == "volumes" || key == "ports" {
            // The reader chooses the port.
            if value.contains("PORT") {
                return None;
            }
            let (documents, _) = yaml::documents(&value);
            for item in documents.first()?.root().items() {
                edited = edited.add(service, &way, &flow(item))?;
                let volume = item.as_str().and_then(|t| t.split_once(":/")).map(|(name, _)| name);
                if let Some(volume) =
                    volume.filter(|v| key == "volumes" && !v.is_empty() && !v.starts_with('/'))
                {
                    let top = Place { line: at.line, field: "" };
                    if !edited.has(top, &["volumes", volume]) {
                        edited = edited.set(top, &["volumes", volume], "{}")?;
                    }
                }
            }
        } else if key == own {
            edited = edited.set(here, &[], &value)?;
        } else if edited.has(here, &[&key]) {
            edited = edited.set(here, &[&key], &value)?;
        } else {
            let (_, way) = SERVICE.iter().find(|(name, _)| *name == key)?;
            let full: Vec<&str> = way.iter().copied().chain([key.as_str()]).collect();
            edited = edited.set(service, &full, &value)?;
        }
    }
    Some(edited.into_string())
}

/// The words of the fix that labels a container, after `docker` or `podman`.
const LABEL: &str = " run --label unit=%n, and before it  ";

fn unit(text: &str, at: &At, fix: &str) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    if let Some((program, before)) = fix.split_once(LABEL).filter(|(program, _)| !program.contains(' ')) {
        let plain = format!("{program} run ");
        let start = lines.iter().position(|l| l.starts_with("ExecStart=") && l.contains(&plain))?;
        let run = lines.get_mut(start)?;
        if !run.contains("--label unit=%n") {
            *run = run.replacen(&plain, &format!("{plain}--label unit=%n "), 1);
        }
        let new = before.split("  ").filter(|new| !lines.iter().any(|l| l == new)).map(ToOwned::to_owned);
        let new: Vec<String> = new.collect();
        lines.splice(start..start, new);
        // A line that ends whoever has the name is what the finding is about.
        let kills = at.field.starts_with("Service ExecStartPre");
        if kills && lines.get(at.line.checked_sub(1)?).is_some_and(|l| l.starts_with("ExecStartPre=")) {
            lines.remove(at.line - 1);
        }
        return Some(lines.join("\n") + "\n");
    }
    if fix == "[X-Fleet]" {
        let head = lines.get_mut(at.line.checked_sub(1)?).filter(|l| l.starts_with('['))?;
        fix.clone_into(head);
        return Some(lines.join("\n") + "\n");
    }
    if let Some(mount) = fix.strip_prefix("--mount type=bind,source=") {
        return bind(text, mount);
    }
    let (key, value) = fix.split_once('=')?;
    if !key.chars().all(|c| c.is_ascii_alphanumeric()) || fix.contains("  ") {
        return None;
    }
    let section = SECTIONS.iter().find(|(name, _)| *name == key).map_or("Service", |(_, section)| *section);
    // What follows tells the reader how many machines there are.
    let value = if section == "X-Fleet" { value.split(", ").next().unwrap_or(value) } else { value };
    if section == "X-Fleet" && value.contains(' ') || value.contains(", ") {
        return None;
    }
    let line = format!("{key}={value}");
    let index = at.line.checked_sub(1)?;
    if lines.get(index).is_some_and(|l| l.starts_with(&format!("{key}=")) && !l.ends_with('\\'))
        && key != "ExecStartPre"
    {
        lines[index] = line;
        return Some(lines.join("\n") + "\n");
    }
    // Only the key is wrong.
    let named = lines.get(index).and_then(|l| l.split_once('='));
    if named
        .is_some_and(|(old, text)| text.trim() == value && at.field.ends_with(&format!(" {}", old.trim())))
    {
        lines[index] = line;
        return Some(lines.join("\n") + "\n");
    }
    let once = ["ExecStop", "TimeoutStopSec", "StopTimeout", "KillMode", "Restart"].contains(&key);
    if let Some(old) = lines.iter().position(|l| l.starts_with(&format!("{key}="))).filter(|_| once) {
        lines[old] = line;
        return Some(lines.join("\n") + "\n");
    }
    let head = format!("[{section}]");
    // fleet reads no section that is misspelt.
    if lines.iter().any(|l| l.trim() != head && l.trim().eq_ignore_ascii_case(&head)) {
        return None;
    }
    match lines.iter().position(|l| l.trim() == head) {
        Some(at) if key == "ExecStartPre" => {
            let start = lines.iter().position(|l| l.starts_with("ExecStart=")).unwrap_or(at + 1);
            lines.insert(start, line);
        }
        Some(at) => lines.insert(at + 1, line),
        None => lines.extend([head, line]),
    }
    Some(lines.join("\n") + "\n")
}

/// Writes a `-v SOURCE:TARGET` as `--mount`.
fn bind(text: &str, mount: &str) -> Option<String> {
    let mount = mount.split([':', ' ']).next()?;
    let (source, target) = mount.split_once(",target=")?;
    let short = ["-v ", "--volume ", "--volume=", "-v="].iter().find_map(|option| {
        let old = format!("{option}{source}:{target}");
        let after = text.split_once(&old)?.1.chars().next();
        after.is_none_or(char::is_whitespace).then_some(old)
    })?;
    Some(text.replacen(&short, &format!("--mount type=bind,source={mount}"), 1))
}
