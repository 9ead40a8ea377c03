//! The commands that a unit runs with the host's `/bin/sh`: constant scripts that get variable
//! parts as arguments, and the few scripts that cannot be constant.

use std::collections::BTreeSet;

use crate::emit::secret_variable;
use crate::model::{Secret, User};
use crate::text::quote;
use crate::text::quote::shell_quote;
use crate::value::{Part, Text};

/// The docker client on a Container Linux machine.
pub const DOCKER: &str = "/usr/bin/docker";

const INSTALL: &str = "/usr/bin/install";

/// Stops the containers of unit $0 within $1 seconds, and no others. It finds them by their label,
/// because another unit may have the name by then.
const STOP: &str = r#"c=$(/usr/bin/docker ps -q --filter label=berth.unit="$0") || exit; test -z "$c" || /usr/bin/docker stop -t "$1" $c"#;

/// Runs a command inside the container of unit $0, for at most $1 seconds.
const BEFORE: &str = r#"c=$(/usr/bin/docker ps -q --filter label=berth.unit="$0") || exit; test -n "$c" || exit 0; t=$1; shift; exec /usr/bin/timeout -k 5 "$t" /usr/bin/docker exec "$c" "$@""#;

/// Fails unless volume $0 exists and belongs to plugin $1, whose name may have a tag. Without this
/// check, docker would create a missing volume, empty.
const VOLUME: &str = r#"d=$(/usr/bin/docker volume inspect -f "{{.Driver}}" "$0") || exit; case $d in "$1"|"$1":*) ;; *) echo "volume $0 is of driver $d, not $1" >&2; exit 1;; esac"#;

/// Fails unless volume $0 exists and is NFS. Docker's own driver also creates directories on the
/// machine.
const NFS: &str = r#"d=$(/usr/bin/docker volume inspect -f "{{.Driver}} {{.Options.type}}" "$0") || exit; case $d in "local nfs"|"local nfs4") ;; *) echo "volume $0 is $d, not local nfs" >&2; exit 1;; esac"#;

/// The limits of one command, in words and in bytes; both are far below the limits of execve(2).
const MAX_WORDS: usize = 400;
const MAX_BYTES: usize = 64 << 10;
/// The longest printed word in bytes: each word must fit on one line.
const MAX_PRINTED: usize = 1800;

/// A command line of a unit: physical lines of words.
pub type Lines = Vec<Vec<Text>>;

fn words<S: AsRef<str>>(all: impl IntoIterator<Item = S>) -> Vec<Text> {
    all.into_iter().map(|word| Text::literal(word.as_ref())).collect()
}

fn script(text: &str, args: &[&str]) -> Vec<Text> {
    words(["/bin/sh", "-c", text].iter().chain(args))
}

/// Stops the container that `unit` has started.
pub fn stop(unit: &str, seconds: u32) -> Lines {
    vec![script(STOP, &[unit, &seconds.to_string()])]
}

/// Runs `command` inside the container that `unit` has started.
pub fn before(unit: &str, seconds: u32, command: Vec<Text>) -> Lines {
    vec![script(BEFORE, &[unit, &seconds.to_string()]), command]
}

/// Removes a container that is not running. Without `-f`, docker refuses to remove a running one.
pub fn remove(container: &str) -> Lines {
    vec![words([DOCKER, "rm", container])]
}

/// Fails unless `file` exists and is not empty.
pub fn exists(file: &str) -> Lines {
    vec![words(["/usr/bin/test", "-s", file])]
}

/// Fails unless `volume` exists and belongs to `driver`.
pub fn volume(volume: &str, driver: &str) -> Lines {
    vec![if driver == "local" { script(NFS, &[volume]) } else { script(VOLUME, &[volume, driver]) }]
}

/// Writes `text` to `path` on the machine, byte for byte, with as many commands as needed. A part that
/// systemd expands is a word of its own.
pub fn write(text: &Text, mode: u32, path: &str) -> Vec<Lines> {
    let first =
        format!(r#"mkdir -p "$(dirname "$0")" && printf %s "$@" >"$0" && chmod {:04o} "$0""#, mode & 0o7777);
    let mut all = vec![vec![script(&first, &[path])]];
    let (mut count, mut bytes) = (0, 0);
    let pieces = text.0.iter().flat_map(|part| match part {
        Part::Literal(text) => split(text).map(Text::literal).collect(),
        part => vec![Text(vec![part.clone()])],
    });
    for word in pieces {
        let width = word.marked().len();
        if count == MAX_WORDS || bytes + width > MAX_BYTES {
            all.push(vec![script(r#"printf %s "$@" >>"$0""#, &[path])]);
            (count, bytes) = (0, 0);
        }
        (count, bytes) = (count + 1, bytes + width);
        if let Some(last) = all.last_mut() {
            last.push(vec![word]);
        }
    }
    all
}

/// Splits `text` into lines, each with its newline. Splits a line that is too long into pieces.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').flat_map(|line| {
        let mut cuts = vec![0];
        let mut printed = 0;
        for (at, c) in line.char_indices() {
            let width = match c {
                '"' | '\'' | '\\' | '%' | '$' => 2,
                c if quote::escaped(c) => "\\U0010ffff".len(),
                c => c.len_utf8(),
            };
            if printed + width > MAX_PRINTED {
                cuts.push(at);
                printed = 0;
            }
            printed += width;
        }
        cuts.push(line.len());
        cuts.windows(2).map(|w| &line[w[0]..w[1]]).collect::<Vec<_>>()
    })
}

/// Returns the path of a secret on the machine.
pub fn secret_file(secret: &Secret) -> String {
    format!("/etc/berth/secrets/{}/{}", secret.object, secret.key)
}

/// Copies `secret` to `path` with the owner and the permissions of the spec, into a directory that only
/// root enters.
pub fn install(secret: &Secret, user: Option<User>, path: &str) -> [Lines; 2] {
    let (owner, mode) = secret.permissions(user);
    let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
    let (mode, uid) = (format!("{mode:04o}"), owner.uid.to_string());
    let gid = owner.gid.unwrap_or_default().to_string();
    let file = secret_file(secret);
    let copy = [INSTALL, "-m", &mode, "-o", &uid, "-g", &gid, &file, path];
    [vec![words([INSTALL, "-d", "-m", "0700", folder])], vec![words(copy)]]
}

/// Passes `value`, which contains secrets, to the next command as the variable `name`. Shell
/// builtins do this, so that a secret is never an argument of a process, which every user can read.
pub fn export(name: &str, value: &Text, secrets: &[Secret]) -> Vec<Text> {
    let used: BTreeSet<&str> = value.secrets().collect();
    let read = secrets.iter().filter(|s| used.contains(s.name.as_str())).map(|secret| {
        format!("{}=$(cat {}) && ", secret_variable(&secret.name), shell_quote(&secret_file(secret)))
    });
    let mut parts = vec![Part::Literal(format!("{}export {name}=", read.collect::<String>()))];
    parts.extend(shell_word(value).0);
    parts.push(Part::Literal(r#" && exec "$0" "$@""#.into()));
    let mut all = words(["/bin/sh", "-c"]);
    all.push(Text::from_marked(&Text(parts).marked()));
    all
}

/// Writes `value` as one word for a POSIX shell: text in single quotes, secrets as variables in
/// double quotes. Text that systemd expands (a hostname) is in single quotes.
fn shell_word(value: &Text) -> Text {
    let mut parts = Vec::new();
    for part in &value.0 {
        match part {
            Part::Literal(text) => parts.push(Part::Literal(shell_quote(text))),
            Part::Secret(name) => parts.push(Part::Literal(format!("\"${{{}}}\"", secret_variable(name)))),
            Part::Run(run) => {
                parts.extend([Part::Literal("'".into()), Part::Run(*run), Part::Literal("'".into())]);
            }
        }
    }
    Text(parts)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn secret(name: &str) -> Secret {
        Secret {
            name: name.into(),
            object: "db".into(),
            key: "p.w".into(),
            version: None,
            path: String::new(),
            mode: None,
            owner: None,
        }
    }

    /// Runs the result of [`export`] in a real shell, with the files of the secrets in `folder`.
    fn exported(value: &[Part], content: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.w");
        #[expect(clippy::disallowed_methods, reason = "the test makes the secret")]
        std::fs::write(&file, content).unwrap();
        let made = export("A_1", &Text(value.to_vec()), &[secret("x.y"), secret("z")]);
        let script = made[2].as_literal().map(ToOwned::to_owned).unwrap_or_else(|| {
            let host = [Part::Literal("host-1.example".into())];
            let filled = made[2].with(crate::value::Run::Node, &host);
            filled.0.iter().map(|p| if let Part::Literal(t) = p { t.as_str() } else { "" }).collect()
        });
        let script = script.replace("/etc/berth/secrets/db/p.w", file.to_str().unwrap());
        let out = Command::new("/bin/sh")
            .args([
                "-c",
                &script,
                "/bin/sh",
                "-c",
                r#"printf %s "$A_1"; printf "<%s>" "$0" "$@""#,
                "a b",
                "$c",
            ])
            .output()
            .unwrap();
        let out = out.status.success().then(|| String::from_utf8(out.stdout).unwrap());
        out.and_then(|o| o.strip_suffix("<a b><$c>").map(ToOwned::to_owned))
    }

    #[test]
    fn a_secret_is_exported_as_a_variable_only() {
        let hostile = "'\"$HOME `id` \\ $(id) %n\n\ttwo ;&|<>*?~#!é\u{85}";
        let text = |t: &str| Part::Literal(t.to_owned());
        let secret = |s: &str| Part::Secret(s.to_owned());
        assert_eq!(exported(&[secret("z")], hostile).as_deref(), Some(hostile));
        assert_eq!(
            exported(&[text(hostile), secret("x.y"), text(hostile), secret("x.y")], "p$w'd\n"),
            Some(format!("{hostile}p$w'd{hostile}p$w'd"))
        );
        assert_eq!(
            exported(&[text("u@"), Part::Run(crate::value::Run::Node), text("/"), secret("z")], "s"),
            Some("u@host-1.example/s".into())
        );
    }

    #[test]
    fn the_container_does_not_start_without_its_secret() {
        let made = export("A", &Text(vec![Part::Secret("z".into())]), &[secret("z")]);
        let script = made[2].as_literal().unwrap();
        let out = Command::new("/bin/sh").args(["-c", script, "/bin/echo", "started"]).output().unwrap();
        assert!(!out.status.success() && out.stdout.is_empty());
    }

    #[test]
    fn the_pieces_of_a_split_file_join_to_the_file() {
        let long = "a'\"\\%$é\u{1}".repeat(3000);
        for text in ["", "x", "\n", "\n\nx", "a\nb\n", long.as_str()] {
            let pieces: Vec<&str> = split(text).collect();
            assert_eq!(pieces.concat(), text);
            assert!(pieces.iter().all(|p| crate::text::quote::exec(p).len() < 2000 && !p.is_empty()));
        }
    }
}
