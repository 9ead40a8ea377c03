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
