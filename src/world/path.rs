//! Paths in one spelling, so that one directory has one name.

/// Without slashes at its end or twice, `.` and `..`, as docker's client makes it.
pub fn shortest(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/').filter(|s| !s.is_empty() && *s != ".") {
        match (step, steps.last()) {
            ("..", Some(last)) if *last != ".." => drop(steps.pop()),
            ("..", None) if !root.is_empty() => {}
            _ => steps.push(step),
        }
    }
    format!("{root}{}", steps.join("/"))
}

/// The device of a share, `SERVER:/PATH`, its path in shortest form.
pub fn share(device: &str) -> String {
    match device.split_once(":/") {
        Some((server, path)) => format!("{server}:{}", shortest(&format!("/{path}"))),
        None => device.trim_end_matches('/').to_owned(),
    }
}

/// Parts of `/usr` and `/usr/local` that are the system's.
const INSTALLED: [&str; 9] = ["bin", "games", "include", "lib", "lib64", "libexec", "sbin", "share", "src"];
/// Directories of the node that are mounted to be looked at.
const LOOKED_AT: [&str; 9] =
    ["/dev", "/etc", "/lib", "/proc", "/run", "/sys", "/usr", "/var/log", "/var/run"];
/// In the name of a directory of settings.
const SETTINGS: [&str; 5] = ["cert", "conf", "secret", "ssl", "tls"];

/// What to list of the directory `path` of a node, in shortest form, that is mounted at `target` and
/// taken for no data: it may be some, below `/usr` or for a program that keeps its own in `/etc`.
pub fn doubt(path: &str, target: &str) -> Option<String> {
    let own = path.strip_prefix("/usr/").map(|rest| rest.strip_prefix("local/").unwrap_or(rest));
    let below_usr = own.is_some_and(|own| {
        let first = own.split('/').next().unwrap_or_default();
        first != "local" && !INSTALLED.contains(&first)
    });
    let looked_at =
        LOOKED_AT.iter().any(|l| path.strip_prefix(l).is_some_and(|r| r.is_empty() || r.starts_with('/')));
    let below_etc = shortest(target).starts_with("/etc/") && path.len() > 1 && !looked_at;
    // A file is named as one.
    let names = [path, target].map(|p| p.trim_end_matches('/').rsplit('/').next().unwrap_or_default());
    let settings = names.iter().any(|n| n.contains('.') || SETTINGS.iter().any(|s| n.contains(s)));
    let doubt = path.starts_with('/') && (below_usr || below_etc) && !settings;
    doubt.then(|| format!("the directory {path}, mounted at {target}: taken for no data"))
}
