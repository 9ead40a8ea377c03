//! Paths in their shortest form, so that one directory has one name.

/// Removes trailing and repeated slashes, `.` and `..`, as the docker client does.
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

/// Returns whether `path` is `root` or lies below it. Both are in their shortest form; the root
/// directory is the empty string.
pub fn within(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
