//! What a compile read, as Make and Ninja want to know it.

use std::collections::BTreeSet;
use std::path::Path;

use super::Outside;

/// The text of `file`, which says that its name without `.d` depends on everything in `read`. Each
/// of these is also a target without a rule, so that one that is gone later stops no build.
///
/// # Errors
/// A name that does not end in `.d`, or a path that Make cannot say.
pub fn rule(file: &Path, read: &BTreeSet<String>) -> Result<String, Outside> {
    let name = file.to_string_lossy();
    let Some(target) = name.strip_suffix(".d").filter(|t| !t.is_empty() && !t.ends_with('/')) else {
        return Err(format!("--depfile {name}: write TARGET.d, the target of the rule and .d"));
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

/// A path as both Make and Ninja read it. They agree on blanks, `#` and `$`; what is refused, one
/// of them cannot say, or takes for a pattern, a variable or the end of the rule.
fn escaped(path: &str) -> Result<String, Outside> {
    if path.starts_with('~') || path.contains(|c: char| c.is_control() || "\\:;=&|%*?[]".contains(c)) {
        return Err(format!("--depfile: make cannot name the file {path:?}"));
    }
    Ok(path.replace('$', "$$").replace(' ', "\\ ").replace('#', "\\#"))
}
