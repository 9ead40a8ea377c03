//! Dependency files for Make and Ninja.

use std::collections::BTreeSet;
use std::path::Path;

use super::stdout::Outside;

/// Returns the text of the depfile `file`: the name without `.d` depends on all paths in `read`.
/// Each path is also a target without a rule, so that a file that is deleted later does not stop
/// the build.
///
/// # Errors
/// `file` does not end in `.d`, or Make cannot express a path.
pub fn rule(file: &Path, read: &BTreeSet<String>) -> Result<String, Outside> {
    let name = file.to_string_lossy();
    let Some(target) = name.strip_suffix(".d").filter(|t| !t.is_empty() && !t.ends_with('/')) else {
        return Err(format!(
            "--depfile {name}: the name must be TARGET.d, where TARGET is the target of the rule"
        ));
    };
    let all: Result<Vec<String>, Outside> = read.iter().map(|path| escaped(path)).collect();
    let all = all?;
    let mut text = format!("{}:", escaped(target)?);
    for path in &all {
        text.push_str(&format!(" \\\n  {path}"));
    }
    text.push('\n');
    for path in &all {
        text.push_str(&format!("\n{path}:\n"));
    }
    Ok(text)
}

/// Escapes a path for both Make and Ninja. They agree on spaces, `#` and `$`. Refuses what one of
/// them cannot express, or reads as a pattern, a variable or the end of the rule.
fn escaped(path: &str) -> Result<String, Outside> {
    if path.starts_with('~') || path.contains(|c: char| c.is_control() || "\\:;=&|%*?[]".contains(c)) {
        return Err(format!("--depfile: make does not support the file name {path:?}"));
    }
    Ok(path.replace('$', "$$").replace(' ', "\\ ").replace('#', "\\#"))
}
