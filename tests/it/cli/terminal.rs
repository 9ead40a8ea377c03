//! Text of files on a terminal and in logs. A pipe is no proof: the program removes its own colours
//! there, and escape sequences of a file with them. So these tests run it on a pseudo-terminal.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use berthc::text::quote::escaped;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::harness::{berthc_in, files, stderr, stdout};

/// Text that sets a title, clears the screen, ends a line, starts a command of GitHub Actions, and
/// turns the direction of writing.
const HOSTILE: &str = r"a\e]0;title\a\e[2J\u009b31m\n::stop-commands::x\r::error::y\u0085\u2028\u202e\u200bz";

/// Runs the program in `dir` on a terminal and returns all that it prints there.
fn on_terminal(dir: &Path, args: &[&str]) -> String {
    let leader = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&leader).unwrap();
    unlockpt(&leader).unwrap();
    let name = ptsname(&leader, Vec::new()).unwrap();
    let follower = rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_berthc"));
    command.args(args).current_dir(dir).env("BERTHC_CACHE", "").env("TERM", "xterm-256color");
    command.env_remove("NO_COLOR").stdout(follower.try_clone().unwrap()).stderr(follower);
    let mut child = command.spawn().unwrap();
    // With this, only the child holds the terminal, and its end is the end of what it prints.
    drop(command);
    let (mut text, mut bytes) = (Vec::new(), [0; 4096]);
    let mut leader = File::from(leader);
    // Linux reports the end as an error (EIO).
    while let Ok(n @ 1..) = leader.read(&mut bytes) {
        text.extend_from_slice(&bytes[..n]);
    }
    child.wait().unwrap();
    String::from_utf8(text).unwrap()
}

/// Returns the text without the colours of the program itself, and the number of these. The start of a
/// progress line, which a slow machine shows, is also the program's own.
fn plain(text: &str) -> (String, usize) {
    let (mut out, mut colours) = (String::new(), 0);
    let text = text.replace("\r\u{1b}[K", "");
    let mut rest = text.as_str();
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let code = &rest[at + 2..];
        let end = code.find(|c: char| !matches!(c, '0'..='9' | ';')).unwrap_or(code.len());
        match code[end..].strip_prefix('m') {
            Some(after) => {
                colours += 1;
                rest = after;
            }
            None => {
                out.push('\u{1b}');
                rest = code;
            }
        }
    }
    out.push_str(rest);
    (out, colours)
}

/// Fails if a character of `text` acts on a terminal, or a line is a command of GitHub Actions.
fn assert_harmless(text: &str, what: &str) {
    let (text, _) = plain(text);
    for (n, line) in text.replace("\r\n", "\n").split('\n').enumerate() {
        let bad = line.chars().find(|c| escaped(*c) && *c != '\t');
        assert!(bad.is_none(), "{what}, line {n}: {bad:?} in {line:?}");
        assert!(!line.trim_start().starts_with("::stop"), "{what}, line {n}: {line:?}");
    }
}

fn manifests() -> Vec<(&'static str, String)> {
    let pod = |name: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{ name: {name}, annotations: {{ \"b{HOSTILE}\": \"{HOSTILE}\" }} }}\n\
             spec:\n  containers:\n  - {{ name: c, image: \"postgres:16{HOSTILE}\", volumeMounts: [{{ name: d, mountPath: /var/lib/postgresql/data }}] }}\n  \
             volumes:\n  - {{ name: d, nfs: {{ server: nas, path: \"/d{HOSTILE}\" }} }}\n---\n"
        )
    };
    let unknown = format!(
        "apiVersion: example.org/v1\nkind: \"Foo{HOSTILE}\"\nmetadata: {{ name: \"n{HOSTILE}\" }}\nspec: {{ template: {{ spec: {{ containers: [] }} }} }}\n"
    );
    let stack = format!(
        "version: \"3.8\"\nservices:\n  \"db{HOSTILE}\":\n    image: \"postgres:16{HOSTILE}\"\n    \
         volumes: [\"v{HOSTILE}:/var/lib/postgresql/data\"]\n    deploy: {{ replicas: 2, \"k{HOSTILE}\": 1 }}\nvolumes: {{ \"v{HOSTILE}\": {{}} }}\n"
    );
    let unit = "[Service]\nExecStart=/usr/bin/docker run --name a\u{9b}31m\u{202e} -v /d\u{85}\u{2028}:/data postgres:16\u{1b}[2J\n\
                [X-Fleet]\nMachineMetadata=a\u{1b}]0;x\u{7}=b\n";
    vec![
        ("in/pods.yaml", pod("a") + &pod("b")),
        ("in/unknown.yaml", unknown),
        ("in/stack.yml", stack),
        ("in/db.service", unit.to_owned()),
        ("in/a\n::stop-commands::t\u{1b}[2J\u{9b}.yaml", "{}\n".to_owned()),
    ]
}

fn project(texts: &[(&str, String)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (*path, text.as_str())).collect();
    files(dir.path(), &texts);
    dir
}

#[test]
fn verify_shows_hostile_text_without_effect() {
    let dir = project(&manifests());
    for format in ["text", "json", "sarif", "github"] {
        let args = ["verify", "in", "--format", format];
        let text = on_terminal(dir.path(), &args);
        assert!(text.contains("postgres"), "{format}: {text}");
        assert_harmless(&text, format);
    }
    assert!(plain(&on_terminal(dir.path(), &["verify", "in"])).1 > 0, "a terminal shows colours");
    for format in ["text", "github"] {
        let run = berthc_in(dir.path(), &["verify", "in", "--format", format]);
        assert_harmless(&stdout(&run), format);
        assert_harmless(&stderr(&run), format);
    }
}

#[test]
fn compile_and_explain_show_hostile_text_without_effect() {
    let spec = |key: &str, value: &str| {
        format!(
            "service: db\nimage: db:1\nmembers: {{ count: 1 }}\n{key}: \"{value}\"\n\
             targets: {{ kubernetes: {{ version: \"1.34\", namespace: db }} }}\n"
        )
    };
    let mut specs = Vec::new();
    for (i, key) in ["user", "timezone", "network"].iter().enumerate() {
        specs.push((format!("s/{i}.yaml"), spec(key, HOSTILE)));
    }
    specs.push(("s/key.yaml".to_owned(), spec(&format!("\"k{HOSTILE}\""), "x")));
    specs.push((
        "s/raw.yaml".to_owned(),
        spec("user", "x") + "# \u{202e}\u{2028}\nnope: \"\u{200b}\u{2066}\"\n",
    ));
    let all: Vec<(&str, String)> = specs.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    let dir = project(&all);
    for (path, _) in &all {
        for format in ["text", "json", "sarif", "github"] {
            for command in ["compile", "check"] {
                let text = on_terminal(dir.path(), &[command, path, "-o", "out", "--format", format]);
                assert!(text.contains("db") || text.contains("error"), "{path}: {text}");
                assert_harmless(&text, &format!("{command} {path} as {format}"));
            }
        }
        assert_harmless(&on_terminal(dir.path(), &["explain", path]), path);
    }
    assert_harmless(
        &on_terminal(dir.path(), &["compile", "no\u{1b}[2J\u{9b}\n::stop-commands::x"]),
        "a path",
    );
}

/// The diff of `check` contains the text of a file that anyone may have edited.
#[test]
fn check_shows_an_edited_file_without_effect() {
    let spec = "service: db\nimage: db:1\nmembers: { count: 1 }\ntargets: { kubernetes: { version: \"1.34\", namespace: db } }\n";
    let dir = project(&[("db.yaml", spec.to_owned())]);
    assert!(berthc_in(dir.path(), &["compile", "db.yaml", "-o", "out"]).status.success());
    let path = dir.path().join("out/db/kubernetes/service.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}# \u{1b}]0;x\u{7}\u{1b}[2J\u{9b}\u{202e}\n")).unwrap();
    let text = on_terminal(dir.path(), &["check", "db.yaml", "-o", "out"]);
    assert!(text.contains("-# \\u{1b}]0;x"), "{text}");
    assert_harmless(&text, "check");
}
