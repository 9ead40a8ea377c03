//! Finds checks that can never pass, and ports on which nobody listens.

use super::lock::is_shell;
use crate::images::{Images, Tool};

/// The ports of servers that have no others, in any setting of their images that leaves the port alone
/// (PostgreSQL `src/include/pg_config_manual.h`, `DEF_PGPORT`; MySQL `include/mysql_com.h` and the X plugin,
/// MariaDB with Galera; Redis with a cluster or as a sentinel; `mongod` and its cluster roles; etcd).
const PORTS: [(&str, &[u16]); 6] = [
    ("postgresql", &[5432]),
    ("mysql", &[3306, 4444, 4567, 4568, 33060, 33061, 33062]),
    ("mariadb", &[3306, 4444, 4567, 4568]),
    ("redis", &[6379, 16379, 26379]),
    ("mongodb", &[27017, 27018, 27019]),
    ("etcd", &[2379, 2380, 4001, 7001]),
];

/// Returns whether `software` does not listen on `port`. `said` is all that its container is told.
pub fn deaf(software: &str, port: u16, said: &str) -> bool {
    let own = PORTS.iter().find(|(name, _)| *name == software);
    own.is_some_and(|(_, ports)| !ports.contains(&port)) && !said.contains(&port.to_string())
}

/// Returns the tool that a check runs and `image` lacks.
pub fn lacking(images: &Images, image: &str, words: &[&str]) -> Option<&'static str> {
    let script = script(words);
    let mut steps = script.split("||").map(str::trim);
    let first = steps.next().unwrap_or_default();
    // Another command may pass instead.
    if !steps.all(|step| ["exit 1", "false", "exit 2", "exit 3"].contains(&step.trim_end_matches(';'))) {
        return None;
    }
    let program = first.split_whitespace().next().and_then(|word| word.rsplit('/').next())?;
    let (name, tool) = match program {
        "curl" => ("curl", Tool::Curl),
        "wget" => ("wget", Tool::Wget),
        "nc" | "netcat" => ("nc", Tool::Nc),
        _ => return None,
    };
    images.lacks(image, tool).then_some(name)
}

/// Returns the port of its own container that a check asks for.
pub fn asked(words: &[&str]) -> Option<u16> {
    let script = script(words);
    let own = ["localhost:", "127.0.0.1:"].iter().find_map(|host| script.split_once(host));
    if let Some((_, rest)) = own {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        return digits.parse().ok();
    }
    let parts: Vec<&str> = script.split_whitespace().collect();
    // `-p` is a password elsewhere.
    let option = parts.iter().position(|w| *w == "-p").filter(|_| parts.first() == Some(&"pg_isready"));
    parts.get(option? + 1)?.parse().ok()
}

/// Returns the words of a check as one text, without the shell.
fn script(words: &[&str]) -> String {
    match words {
        [shell, "-c" | "-ec" | "-lc", script, ..] if is_shell(shell) => (*script).to_owned(),
        _ => words.join(" "),
    }
}
