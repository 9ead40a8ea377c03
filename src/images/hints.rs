//! Recognizes software by ports, variables, mounts and names, where the name of the image does not
//! show it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::container::Container;
use super::name;
use super::row::Row;
use super::schema::{Pattern, Traits};
use super::software::By;
use crate::text::path::within;

/// Words in the names of programs that accompany a software, such as exporters. A container with
/// such a word does not run the software itself.
const AROUND: [&str; 28] = [
    "admin",
    "adminer",
    "agent",
    "backup",
    "bouncer",
    "client",
    "console",
    "controller",
    "dump",
    "express",
    "exporter",
    "haproxy",
    "init",
    "job",
    "lb",
    "manager",
    "maxscale",
    "metrics",
    "migrate",
    "mysqlrouter",
    "operator",
    "pgbouncer",
    "pgpool",
    "proxy",
    "proxysql",
    "router",
    "sentinel",
    "ui",
];
/// Further words in the names of images that use a store and are none: clients, tools, programs on top.
#[rustfmt::skip]
const USERS: [&str; 68] = [
    "adapter", "api", "app", "auth", "autoscaler", "bench", "benchmark", "bootstrap", "box", "bridge", "browser",
    "cli", "commander", "config", "connect", "connector", "consumer", "cron", "curator", "dashboard", "demo",
    "discovery", "django", "example", "flask", "gateway", "go", "gui", "head", "hello", "helper", "java", "loader",
    "migration", "migrations", "migrator", "mirror", "monitor", "node", "nodejs", "php", "plugin", "producer",
    "python", "rails", "relay", "reloader", "replicator", "rest", "restore", "runner", "sample", "schema",
    "seeder", "setup", "sidecar", "slave", "spring", "sync", "template", "test", "tests", "tool", "tools",
    "viewer", "web", "webhook", "worker",
];
/// The words before the program in a command.
#[rustfmt::skip]
const WRAPPERS: [&str; 14] = [
    "sh", "bash", "ash", "exec", "env", "gosu", "su-exec", "tini", "dumb-init", "numactl", "nohup",
    "docker-entrypoint.sh", "entrypoint.sh", "run.sh",
];
/// The weight of a weak hint: a name, a port, a mount, or a variable that clients also have.
const WEAK: u32 = 1;
/// The weight that is enough: two weak hints.
const ENOUGH: u32 = 2;
/// The weight of a variable that only the server has.
const STRONG: u32 = 3;

/// The hints of all software, by what a container has. Each has the index of its software.
#[derive(Debug, Default)]
pub struct Hints {
    /// The words, by their first part: `percona-xtradb` stands under `percona`.
    words: FxHashMap<String, Vec<(usize, String)>>,
    ports: FxHashMap<u16, Vec<usize>>,
    programs: FxHashMap<String, Vec<usize>>,
    /// The variables with their weights.
    variables: FxHashMap<String, Vec<(usize, u32)>>,
    /// The starts of variables with their weights.
    starts: Vec<(String, usize, u32)>,
}

/// A hint that a row has beside its words.
#[derive(Debug, PartialEq, Eq)]
enum Hint {
    Port(u16),
    Program(String),
    /// A variable, or its start, with its weight.
    Variable(Pattern, u32),
}

/// Returns the hints in the lines of a built-in row. Each of these lists stands on one line.
fn written(row: &Row<Traits>) -> Vec<Hint> {
    let mut hints = Vec::new();
    for (key, list) in row.lines() {
        let texts = list.split('"').skip(1).step_by(2);
        let variables = |weight| {
            let patterns = texts.clone().filter_map(|text| text.parse().ok());
            patterns.map(move |pattern| Hint::Variable(pattern, weight))
        };
        match key {
            "ports" => {
                let numbers = list.trim_matches(['[', ']']).split(", ");
                hints.extend(numbers.filter_map(|n| n.parse().ok()).map(Hint::Port));
            }
            "programs" => hints.extend(texts.map(|text| Hint::Program(text.to_owned()))),
            "env" => hints.extend(variables(STRONG)),
            "shared_env" => hints.extend(variables(WEAK)),
            _ => {}
        }
    }
    hints
}

/// Returns whether the lines of a built-in row say what the parsed row says.
pub fn agree(row: &Row<Traits>, parsed: &Traits) -> bool {
    let written = written(row);
    let ports = parsed.ports.iter().map(|port| Hint::Port(*port));
    let programs = parsed.programs.iter().map(|program| Hint::Program(program.clone()));
    let of = |list: &[Pattern], weight| -> Vec<Hint> {
        list.iter().map(|pattern| Hint::Variable(pattern.clone(), weight)).collect()
    };
    let variables = of(&parsed.env, STRONG).into_iter().chain(of(&parsed.shared_env, WEAK));
    let all: Vec<Hint> = ports.chain(programs).chain(variables).collect();
    row.names.iter().eq(&parsed.words)
        && all.len() == written.len()
        && all.iter().all(|h| written.contains(h))
}

impl Hints {
    /// Collects the hints of `all`. It reads lines and parses no row: a run needs few of them.
    pub fn new(all: &[Arc<Row<Traits>>]) -> Self {
        let mut hints = Self::default();
        for (at, row) in all.iter().enumerate() {
            for word in &row.names {
                let first = word.split('-').next().unwrap_or_default().to_owned();
                hints.words.entry(first).or_default().push((at, word.clone().into_owned()));
            }
            for hint in written(row) {
                hints.add(at, hint);
            }
        }
        hints
    }

    fn add(&mut self, at: usize, hint: Hint) {
        match hint {
            Hint::Port(port) => self.ports.entry(port).or_default().push(at),
            Hint::Program(program) => self.programs.entry(program).or_default().push(at),
            Hint::Variable(Pattern { text, open: true }, weight) => self.starts.push((text, at, weight)),
            Hint::Variable(Pattern { text, .. }, weight) => {
                self.variables.entry(text).or_default().push((at, weight));
            }
        }
    }

    /// Returns the software, one of `all`, whose hints have the highest weight, and whether these are
    /// more than variables.
    pub fn find<'t>(
        &self,
        all: &'t [Arc<Row<Traits>>],
        container: &Container<'_>,
        usual: &dyn Fn(&str) -> Vec<String>,
    ) -> Option<(&'t Traits, By)> {
        let last = name::path(container.image).rsplit('/').next().unwrap_or_default();
        let tag = name::tag(container.image).unwrap_or_default();
        let names: Vec<String> = [last, tag].iter().chain(&container.names).flat_map(|n| words(n)).collect();
        if names.iter().any(|w| AROUND.contains(&w.as_str())) {
            return None;
        }
        let mut best: Option<(u32, usize, By)> = None;
        let mut all_worth = self.worth(container, &names);
        if let Some((program, next)) = program(&container.command) {
            for at in self.programs.get(&program).into_iter().flatten() {
                if all.get(*at).and_then(|row| row.get()).is_some_and(|traits| serves(traits, next)) {
                    all_worth.entry(*at).or_default().seen += STRONG;
                }
            }
        }
        for (at, Worth { variables, mut seen }) in all_worth {
            let open = variables + seen < ENOUGH || seen == 0;
            if open && all.get(at).is_some_and(|row| mounts(container, &usual(&row.software))) {
                seen += WEAK;
            }
            let (worth, by) = (variables + seen, if seen > 0 { By::Hints } else { By::Variables });
            if worth >= ENOUGH && best.is_none_or(|(most, ..)| worth > most) {
                best = Some((worth, at, by));
            }
        }
        let (_, at, by) = best?;
        Some((all.get(at)?.get()?, by))
    }

    /// Returns the software with a hint, in the order of the table, each with the weight of its hints.
    /// Several hints of one kind count once.
    fn worth(&self, container: &Container<'_>, names: &[String]) -> BTreeMap<usize, Worth> {
        let mut hints: BTreeSet<(usize, Kind, u32)> = BTreeSet::new();
        for (i, name) in names.iter().enumerate() {
            let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
            let of = |part: &str| self.words.get(part).map_or(&[][..], Vec::as_slice);
            let words = of(name).iter().chain(if bare == name { &[] } else { of(bare) });
            let named = words.filter(|(_, word)| starts_with_words(word, &names[i..]));
            hints.extend(named.map(|(at, _)| (*at, Kind::Word, WEAK)));
        }
        let ports = container.ports.iter().filter_map(|port| self.ports.get(port)).flatten();
        hints.extend(ports.map(|at| (*at, Kind::Port, WEAK)));
        for (variable, _) in &container.env {
            let exact = self.variables.get(*variable).into_iter().flatten().copied();
            let open = self.starts.iter().filter(|(start, ..)| variable.starts_with(start.as_str()));
            let all = exact.chain(open.map(|(_, at, weight)| (*at, *weight)));
            hints.extend(all.map(|(at, weight)| (at, Kind::Variable, weight)));
        }
        let mut all: BTreeMap<usize, Worth> = BTreeMap::new();
        for (at, kind, weight) in hints {
            let worth = all.entry(at).or_default();
            *if kind == Kind::Variable { &mut worth.variables } else { &mut worth.seen } += weight;
        }
        all
    }
}

/// The weight of the hints of one software: of variables, and of all others.
#[derive(Debug, Default)]
struct Worth {
    variables: u32,
    seen: u32,
}

/// The kind of a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Word,
    Port,
    Variable,
}

/// Returns whether a mount of the container is at one of `paths`. Several programs keep their data at
/// `/data`, so that a path of one part says nothing.
fn mounts(container: &Container<'_>, paths: &[String]) -> bool {
    let own = paths.iter().filter(|path| path.matches('/').count() > 1);
    own.into_iter()
        .any(|path| container.targets.iter().any(|target| within(path, target) || within(target, path)))
}

/// Returns the software whose name the name of the image contains as a whole word, unless another word says
/// that the image only uses the software.
pub fn resembles<'t>(all: &'t [Arc<Row<Traits>>], image: &str) -> Option<&'t Traits> {
    let names = words(name::path(image).rsplit('/').next().unwrap_or_default());
    let user = |w: &&String| AROUND.contains(&w.as_str()) || USERS.contains(&w.as_str());
    let users: Vec<&String> = names.iter().filter(user).collect();
    let heads: Vec<u8> = names.iter().filter_map(|name| name.bytes().next()).collect();
    all.iter().find_map(|row| {
        // Most rows have no word with the first letter of a name.
        let named = |word: &str| {
            word.bytes().next().is_some_and(|head| heads.contains(&head))
                && (0..names.len()).any(|i| starts_with_words(word, &names[i..]))
        };
        let traits = row.names.iter().any(|word| named(word)).then(|| row.get()).flatten()?;
        users.iter().all(|word| traits.verbs.contains(word)).then_some(traits)
    })
}

/// Returns the first program of `command`, behind a shell or a wrapper, and the word after it.
fn program<'c>(command: &[&'c str]) -> Option<(String, Option<&'c str>)> {
    let mut words =
        command.iter().flat_map(|t| t.split_whitespace()).map(|w| w.trim_matches(['"', '\'', ';']));
    let base = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    let skipped = |w: &str| w.starts_with('-') || w.contains('=') || WRAPPERS.contains(&base(w).as_str());
    let program = words.by_ref().find(|w| !skipped(w)).map(base)?;
    Some((program, words.next()))
}

/// Returns whether a program of `traits` serves with this word after it.
fn serves(traits: &Traits, next: Option<&str>) -> bool {
    match next {
        Some(verb) if !traits.verbs.is_empty() => traits.verbs.iter().any(|v| v == verb),
        Some(word) => {
            word.starts_with(['-', '/', '$']) || ["start", "console", "server", "run"].contains(&word)
        }
        None => traits.verbs.is_empty(),
    }
}

/// Returns the words of a name: `percona_xtradb_cluster` has three.
fn words(name: &str) -> Vec<String> {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    parts.map(str::to_lowercase).collect()
}

/// Returns whether `names` begin with the parts of `word`. Digits at the end of a name do not count.
fn starts_with_words(word: &str, names: &[String]) -> bool {
    let same = |name: &String, part: &str| {
        name == part || name.trim_end_matches(|c: char| c.is_ascii_digit()) == part
    };
    let mut names = names.iter();
    word.split('-').all(|part| names.next().is_some_and(|name| same(name, part)))
}
