//! Runs the page `docs/walk-through.md`: its files and commands, in their order, in an empty folder.
//! `INSTA_UPDATE=always` writes the output of this run into the page.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use crate::harness::root;

/// Runs a line of the page in a shell, and returns all that it prints.
fn run(line: &str, dir: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_berthc"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {line}")])
        .current_dir(dir)
        .envs([("PATH", path.as_str()), ("NO_COLOR", "1"), ("BERTHC_CACHE", ""), ("LC_ALL", "C.UTF-8")])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_walk_through_is_what_berthc_prints() {
    let page = root().join("docs/walk-through.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("specs")).unwrap();
    let (mut real, mut commands) = (String::new(), 0);
    // The parts between fences: prose, block, prose, block, …
    for (index, part) in text.split("```").enumerate() {
        if index > 0 {
            real.push_str("```");
        }
        let (kind, block) = part.split_once('\n').unwrap_or((part, ""));
        match kind.split_once(' ') {
            _ if index % 2 == 0 => real.push_str(part),
            Some(("yaml", path)) => {
                std::fs::write(folder.path().join(path), block).unwrap();
                real.push_str(part);
            }
            _ if kind == "console" => {
                real.push_str("console\n");
                for line in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
                    let printed = run(line, folder.path());
                    let end = if printed.is_empty() || printed.ends_with('\n') { "" } else { "\n" };
                    let _ = write!(real, "$ {line}\n{printed}{end}");
                    commands += 1;
                }
            }
            _ => real.push_str(part),
        }
    }
    assert!(commands > 10, "the page runs {commands} commands");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&page, &real).unwrap();
        return;
    }
    let diff = similar::TextDiff::from_lines(&text, &real).unified_diff().to_string();
    assert!(diff.is_empty(), "the page differs from this run:\n{diff}");
}
