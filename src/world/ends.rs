//! Finds commands with which a container ends at once: what prints and ends, a shell without a terminal, a
//! server that refuses to run as root, a file that is not there.

use std::ops::RangeInclusive;

use super::lock::is_shell;
use crate::images::{Images, Tool};
use crate::text::path::within;

/// The programs that refuse to run as root: PostgreSQL (`src/backend/main/main.c`, `check_root`),
/// Elasticsearch and OpenSearch (`Bootstrap`: "can not run elasticsearch as root"), and MySQL without a user
/// (`sql/mysqld.cc`: "Please read \"Security\" section of the manual").
const NOT_ROOT: [&str; 8] =
    ["postgres", "postmaster", "pg_ctl", "initdb", "elasticsearch", "opensearch", "mysqld", "mariadbd"];
/// The programs that take another user.
const STEPS_DOWN: [&str; 7] = ["gosu", "su-exec", "su", "runuser", "setpriv", "sudo", "chroot"];
/// The options with a key or certificate, which no image has: mongod, etcd, consul, mysqld, redis-server.
const FILES: [&str; 17] = [
    "--cert-file",
    "--key-file",
    "--keyFile",
    "--peer-cert-file",
    "--peer-key-file",
    "--peer-trusted-ca-file",
    "--ssl-ca",
    "--ssl-cert",
    "--ssl-key",
    "--sslCAFile",
    "--sslPEMKeyFile",
    "--tls-ca-cert-file",
    "--tls-cert-file",
    "--tls-key-file",
    "--tlsCAFile",
    "--tlsCertificateKeyFile",
    "--trusted-ca-file",
];

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// Returns why a command ends at once. `terminal` says that its input stays open.
pub fn at_once(words: &[&str], terminal: bool) -> Option<String> {
    match words {
        [.., "--version" | "--help"] if words.len() <= 2 => {
            Some(format!("`{}` prints a text and ends", words.join(" ")))
        }
        [shell] | [shell, "-l" | "-i" | "--login"] if is_shell(shell) && !terminal => {
            Some(format!("`{}` has no terminal and no input, so it ends at once", words.join(" ")))
        }
        _ => None,
    }
}

/// Returns the program of a command that refuses to run as root, if the command starts it as it is.
pub fn not_root<'w>(words: &[&'w str]) -> Option<&'w str> {
    let (first, rest) = words.split_first()?;
    let words: Vec<&str> = if is_shell(first) {
        let script = rest.iter().find(|w| !w.starts_with('-'))?;
        let mut steps = script.split([';', '&', '|', '\n']).map(str::trim).filter(|s| !s.is_empty());
        let last = steps.next_back()?;
        let all: Vec<&str> = last.split_whitespace().collect();
        let skip = usize::from(all.first() == Some(&"exec"));
        all[skip..].to_vec()
    } else {
        words.to_vec()
    };
    let program = base(words.first()?);
    let user = |w: &&str| STEPS_DOWN.contains(&base(w)) || w.starts_with("--user") || *w == "-u";
    (NOT_ROOT.contains(&program) && !words.iter().any(user)).then_some(program)
}

/// Returns the option and the path of a file that the command names and nothing mounts.
pub fn absent<'w>(words: &[&'w str], image: &str, targets: &[&str]) -> Option<(&'w str, &'w str)> {
    let (first, rest) = words.split_first()?;
    if is_shell(first) {
        return None;
    }
    // The official images of Redis have no configuration; those of others do.
    let bare = ["redis", "valkey/valkey"].contains(&crate::images::name(image));
    let config = rest.first().filter(|w| bare && base(first) == "redis-server" && w.ends_with(".conf"));
    let mut named = config.map(|path| (*first, *path)).into_iter().chain(super::seeds::options(words));
    named.find(|(option, path)| {
        let file = FILES.contains(option) || base(option) == "redis-server";
        let plain = path.starts_with('/') && !path.contains(['$', '{', ',']);
        // Distributions keep the certificates of authorities here.
        let own = !["/etc/ssl", "/etc/pki", "/usr"].iter().any(|folder| within(path, folder));
        file && plain && own && !targets.iter().any(|target| within(path, target))
    })
}

/// Returns the shell that a command starts and that no version of `image` has, as far as its tag says.
pub fn no_shell<'w>(words: &[&'w str], image: &str, images: &Images) -> Option<&'w str> {
    let first = words.first().filter(|w| is_shell(w))?;
    let tool = match base(first) {
        "bash" => Tool::Bash,
        "sh" | "ash" | "dash" => Tool::Sh,
        _ => return None,
    };
    images.lacks(image, tool).then_some(first)
}

/// Returns a port of `ports` that each node uses itself, and its program. `own` has the ports of a node.
pub fn of_node(
    ports: RangeInclusive<u16>,
    protocol: &str,
    own: &[(u16, &str, &'static str)],
) -> Option<(u16, &'static str)> {
    own.iter().find(|(n, p, _)| ports.contains(n) && *p == protocol).map(|(n, _, who)| (*n, *who))
}
