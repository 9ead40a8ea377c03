//! Mounts of `docker run` as they are written.

use super::docker;

/// A mount as it is written, in either form.
#[derive(Default)]
pub struct Written<'w> {
    /// The type: `bind`, `volume`, `tmpfs` or another text.
    pub kind: &'w str,
    /// The directory or the volume; empty for an anonymous one.
    pub source: &'w str,
    /// The path in the container.
    pub target: &'w str,
    /// The driver of the volume.
    pub driver: Option<&'w str>,
    /// The options of the driver.
    pub options: Vec<String>,
}

/// Reads `-v [SOURCE:]TARGET[:OPTIONS]`.
pub fn short<'w>(text: &'w str, driver: Option<&'w str>) -> Written<'w> {
    let mut parts = text.split(':');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let Some(target) = second else { return Written { kind: "volume", target: first, ..Written::default() } };
    // An unknown source counts as a path, because volumes are named directly.
    let kind = if first.starts_with(['/', '.', '~', '$', '%']) { "bind" } else { "volume" };
    Written { kind, source: first, target, driver, options: Vec::new() }
}

/// Reads `--mount key=value,…`.
pub fn long(text: &str) -> Written<'_> {
    let mut written = Written { kind: "volume", ..Written::default() };
    for part in docker::fields(text) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        match (key.to_ascii_lowercase().as_str(), value) {
            ("type", kind) => {
                let known = ["bind", "volume", "tmpfs"].into_iter().find(|k| kind.eq_ignore_ascii_case(k));
                written.kind = known.unwrap_or(kind);
            }
            ("source" | "src", source) => written.source = source,
            ("target" | "dst" | "destination", target) => written.target = target,
            ("volume-driver", driver) => written.driver = Some(driver),
            ("volume-opt", option) => written.options.push(option.to_owned()),
            _ => {}
        }
    }
    written
}

/// Returns how to write the variable with which a known value begins: systemd expands `$NAME` only as a
/// word of its own (systemd.service(5), "Command lines").
pub fn unexpanded(source: &str) -> Option<String> {
    let name = source.strip_prefix('$')?;
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    (end > 0).then(|| format!("${{{}}}{}", &name[..end], &name[end..]))
}
