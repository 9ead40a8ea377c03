//! The output for a terminal, a shell, a pipe and a machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::harness::{berthc, golden, root, stderr};

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Returns every command with arguments that make it print something, and its exit code.
fn commands() -> BTreeMap<&'static str, (Vec<&'static str>, i32)> {
    let bad = "tests/bad/wrong-type.both.yaml";
    BTreeMap::from([
        ("compile", (vec![bad, "-o", "/nonexistent"], 1)),
        ("check", (vec!["specs", "-o", "/nonexistent"], 1)),
        ("explain", (vec!["specs"], 0)),
        ("verify", (vec!["specs"], 2)),
        ("init", (vec!["pinned"], 0)),
        ("schema", (vec![], 0)),
        ("completions", (vec!["bash"], 0)),
        ("man", (vec![], 0)),
        ("help", (vec!["compile"], 0)),
    ])
}

/// Returns the names below `Commands:` in the help.
fn names() -> Vec<String> {
    let help = stdout(&berthc(&["--help"]));
    let list = help.split_once("Commands:\n").unwrap().1.split("\n\n").next().unwrap();
    list.lines().map(|l| l.split_whitespace().next().unwrap().to_owned()).collect()
}

fn piped(args: &[&str], stdout: Stdio, stderr: Stdio) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berthc"));
    command.args(args).current_dir(root()).stdout(stdout).stderr(stderr);
    command.status().unwrap().code()
}

#[test]
fn a_closed_pipe_is_no_error() {
    let known = commands();
    let mut lines: Vec<(Vec<&str>, i32)> = vec![(vec!["--help"], 0), (vec!["--version"], 0), (vec![], 2)];
    let names = names();
    for name in &names {
        let (args, code) =
            known.get(name.as_str()).unwrap_or_else(|| panic!("`{name}` is not tried with a closed pipe"));
        lines.push(([&[name.as_str()], &args[..]].concat(), *code));
        if name != "help" {
            lines.push((vec![name, "--help"], 0));
        }
    }
    for format in ["text", "json", "sarif", "github"] {
        lines.push((vec!["compile", "tests/bad/missing.yaml", "-o", "/nonexistent", "--format", format], 1));
    }
    for (args, code) in lines {
        let closed = || Stdio::from(std::io::pipe().unwrap().1);
        assert_eq!(piped(&args, closed(), closed()), Some(code), "{args:?}");
        // stderr stays open: the closed pipe is not reported, and nothing panics.
        let (mut reader, writer) = std::io::pipe().unwrap();
        assert_eq!(piped(&args, closed(), Stdio::from(writer)), Some(code), "{args:?}");
        let said = std::io::read_to_string(&mut reader).unwrap();
        assert!(!said.contains("panicked") && !said.contains("pipe"), "{args:?}: {said}");
    }
}

#[test]
fn data_that_cannot_be_written_is_an_error() {
    for args in [&["schema"][..], &["man"], &["completions", "fish"], &["init", "node"], &["explain", "data"]]
    {
        let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
        assert_eq!(piped(args, full(), Stdio::null()), Some(2), "{args:?}");
    }
}

#[test]
fn color_switches_colours_on_and_off() {
    let run = |args: &[&str], no_color: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_berthc"));
        command
            .args(["compile", "tests/bad/missing.yaml", "-o", "/nonexistent"])
            .args(args)
            .current_dir(root());
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        if no_color {
            command.env("NO_COLOR", "1");
        }
        stderr(&command.output().unwrap()).contains('\u{1b}')
    };
    assert!(!run(&[], false), "stderr is no terminal here");
    assert!(run(&["--color", "always"], false));
    assert!(run(&["--color", "always"], true), "what is asked for counts more than the environment");
    assert!(!run(&["--color", "never"], false));
    // The same with a terminal, which `script` provides.
    let terminal = |args: &str, no_color: &str| {
        let line =
            format!("{} compile tests/bad/missing.yaml -o /nonexistent {args}", env!("CARGO_BIN_EXE_berthc"));
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).current_dir(root());
        command.env("NO_COLOR", no_color).env("TERM", "xterm").env_remove("CLICOLOR_FORCE");
        stdout(&command.output().unwrap())
    };
    assert!(terminal("", "").contains("\u{1b}["));
    assert!(!terminal("", "1").contains("\u{1b}["));
    assert!(!terminal("--color never", "").contains("\u{1b}["));
}

#[test]
fn quiet_prints_only_errors() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let good = berthc(&["compile", "specs/ledger.yaml", "specs/orders-db.yaml", "-o", out, "-q"]);
    assert_eq!((good.status.code(), stderr(&good)), (Some(0), String::new()));
    let bad = berthc(&["compile", "tests/bad/missing.yaml", "-o", out, "--quiet"]);
    assert!(stderr(&bad).contains("[missing]"));
}

/// One spec in all four formats: the same findings at the same places.
#[test]
fn every_format_has_the_same_findings() {
    let run = |format: &str| {
        let bad = ["tests/bad/wrong-type.both.yaml", "tests/bad/neighbour.path"];
        let run = berthc(&["compile", bad[0], bad[1], "-o", "/nonexistent", "--format", format]);
        assert_eq!(run.status.code(), Some(1));
        run
    };
    let json: Value = serde_json::from_slice(&run("json").stdout).unwrap();
    let found = json["diagnostics"].as_array().unwrap();
    assert!(found.len() > 8);

    let log: Value = serde_json::from_slice(&run("sarif").stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), found.len());
    for (result, d) in results.iter().zip(found) {
        assert_eq!((&result["ruleId"], &result["level"]), (&d["code"], &d["severity"]));
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], d["code"]);
        let page = berthc::explain::page(d["code"].as_str().unwrap()).unwrap();
        assert_eq!(rule["help"]["text"], page);
        assert!(result["message"]["text"].as_str().unwrap().starts_with(d["message"].as_str().unwrap()));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], d["at"]["file"]);
        let region = &place["region"];
        for (ours, theirs) in [
            ("startLine", "line"),
            ("startColumn", "column"),
            ("endLine", "end_line"),
            ("endColumn", "end_column"),
        ] {
            assert_eq!(region[ours], d["at"][theirs]);
        }
        let related = result["relatedLocations"].as_array().map_or(0, Vec::len);
        assert_eq!(related, d["related"].as_array().unwrap().len());
    }

    let lines = stdout(&run("github"));
    assert_eq!(lines.lines().count(), found.len());
    for (line, d) in lines.lines().zip(found) {
        let wanted = format!("::error file={},line={},", d["at"]["file"].as_str().unwrap(), d["at"]["line"]);
        assert!(line.starts_with(&wanted), "{line}");
    }
    let text = stderr(&run("text"));
    assert!(found.iter().all(|d| text.contains(d["message"].as_str().unwrap())));
    golden("errors", "github", &lines);
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    for name in names().iter().filter(|n| *n != "help") {
        let page = berthc(&["man", name]);
        let text = stdout(&page);
        assert!(text.contains(&format!(".TH berthc-{name} 1")), "{text}");
        let whole = stdout(&berthc(&["man"]));
        assert!(whole.contains(&format!("berthc\\-{name}(1)")), "{whole}");
    }
    assert_eq!(berthc(&["man", "compyle"]).status.code(), Some(2));
}

/// bash loads the completions and offers commands and values. `.ci` tests the other shells.
#[test]
fn bash_completes_commands_and_values() {
    let script = "source <(\"$0\" completions bash)\n\
                  try() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _berthc berthc \"${!#}\" \"${@: -2:1}\"; echo \"${COMPREPLY[@]}\"; }\n\
                  try berthc comp\ntry berthc compile --format s\ntry berthc init vol";
    let mut command = Command::new("bash");
    let run = command.args(["-euc", script, env!("CARGO_BIN_EXE_berthc")]).output().unwrap();
    assert_eq!(stdout(&run), "compile completions\nsarif\nvolume\n", "{}", stderr(&run));
}

/// A file that could not be read must not lead to a success.
#[test]
fn verify_exits_with_2_if_a_file_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in
        [("a.yaml", "apiVersion: v1\nkind: Pod\nspec: [\n"), ("b.yml", "services:\n  db: [\n")]
    {
        std::fs::write(dir.path().join(name), text).unwrap();
        let run = crate::harness::berthc_in(dir.path(), &["verify", name]);
        let said = crate::harness::stderr(&run);
        assert_eq!(run.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("could not read {name}")), "{said}");
    }
    std::fs::write(dir.path().join("a.yaml"), "apiVersion: v1\nkind: Namespace\nmetadata: { name: a }\n")
        .unwrap();
    assert_eq!(crate::harness::berthc_in(dir.path(), &["verify", "a.yaml"]).status.code(), Some(0));
}
