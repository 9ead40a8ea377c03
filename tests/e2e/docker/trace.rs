//! What the containers left behind: who held what, from when to when.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::cluster::Node;

/// Milliseconds by which a start may be told too early: a tick of the kernel's clock and a beat.
const BLUR: u64 = 20;
/// Milliseconds without a sign of life after which a container is taken for dead. A container that
/// runs gives one every ten, and a machine under load is slow.
const SILENCE: u64 = 1500;

/// One container's life. Times are milliseconds since the machine started.
#[derive(Debug, Clone)]
pub struct Life {
    pub service: String,
    pub member: String,
    pub revision: String,
    pub generation: String,
    pub hostname: String,
    pub id: Option<String>,
    /// Device and inode of its directory, wherever it is mounted.
    pub data: Option<String>,
    /// What it found there: `own`, `empty` or `foreign`.
    pub met: Option<String>,
    pub node: Node,
    pub start: u64,
    pub last: u64,
    /// Since when it has bound its port.
    pub port: Option<u64>,
}

/// Milliseconds since the machine started.
pub fn now() -> u64 {
    let text = fs::read_to_string("/proc/uptime").unwrap();
    let seconds: f64 = text.split(' ').next().unwrap().parse().unwrap();
    (seconds * 1000.0) as u64
}

impl Life {
    fn read(path: &Path, node: Node) -> Option<Self> {
        let text = fs::read_to_string(path).ok()?;
        let mut words: BTreeMap<&str, &str> =
            text.lines().map(|l| l.split_once(' ').unwrap_or((l, ""))).collect();
        let mut take = |key: &str| words.remove(key).map(str::to_owned);
        let number = |text: Option<String>| text.and_then(|t| t.parse::<u64>().ok());
        Some(Self {
            service: take("service")?,
            member: take("member")?,
            revision: take("revision").unwrap_or_default(),
            generation: take("generation").unwrap_or_default(),
            hostname: take("hostname").unwrap_or_default(),
            id: take("id"),
            data: take("data"),
            met: take("met"),
            node,
            start: number(take("start"))?,
            last: number(take("last"))?,
            port: number(take("port")).filter(|p| *p > 0),
        })
    }

    /// Whether it ran a moment ago.
    pub fn lives(&self, now: u64) -> bool {
        self.last + SILENCE > now
    }

    fn meets(&self, other: &Self) -> Option<u64> {
        overlap((self.start, self.last), (other.start, other.last))
    }
}

fn overlap(a: (u64, u64), b: (u64, u64)) -> Option<u64> {
    let (from, to) = (a.0.max(b.0), a.1.min(b.1));
    to.checked_sub(from).filter(|both| *both > BLUR)
}

/// All lives so far: those that are over are kept, the traces of the others read again.
#[derive(Default)]
pub struct Lives {
    over: Vec<Life>,
    pub all: Vec<Life>,
}

impl Lives {
    /// Reads what is new below `folder` of each node.
    pub fn read<'p>(&mut self, folders: impl Iterator<Item = (Node, &'p Path)>) {
        let now = now();
        let mut open = Vec::new();
        for (node, folder) in folders {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                let Some(life) = Life::read(&path, node) else { continue };
                // Far longer than anything can be silent and live.
                if life.last + 20 * SILENCE < now {
                    fs::remove_file(path).unwrap();
                    self.over.push(life);
                } else {
                    open.push(life);
                }
            }
        }
        self.all = self.over.iter().cloned().chain(open).collect();
    }
}

/// How two containers meet, in the words of the certificate.
pub const HERE: &str = "two on one node";
pub const ELSEWHERE: &str = "two on two nodes";
pub const EMPTY: &str = "a start without its data";
pub const OTHER: &str = "a start on another's data";

/// What was seen of one service in one stretch of time: by resource and way, the longest overlap
/// in milliseconds.
pub type Seen = BTreeMap<(&'static str, &'static str), u64>;

/// Looks at the lives of `service` in which something began between `from` and `to`.
pub fn seen(lives: &[Life], service: &str, from: u64, to: u64) -> Seen {
    let own: Vec<&Life> =
        lives.iter().filter(|l| l.service == service && l.last >= from && l.start < to).collect();
    let mut seen = Seen::new();
    let mut note = |resource, way, long: u64| {
        let longest = seen.entry((resource, way)).or_insert(0);
        *longest = long.max(*longest);
    };
    for (i, a) in own.iter().enumerate() {
        match a.met.as_deref().filter(|_| a.start >= from) {
            Some("empty") => note("data", EMPTY, 0),
            Some("foreign") => note("data", OTHER, 0),
            _ => {}
        }
        for b in &own[i + 1..] {
            let way = if a.node == b.node { HERE } else { ELSEWHERE };
            // An overlap belongs to the time in which the second one came.
            if a.start.max(b.start) < from {
                continue;
            }
            if let (Some(pa), Some(pb)) = (a.port, b.port)
                && a.node == b.node
                && let Some(long) = overlap((pa, a.last), (pb, b.last))
            {
                note("port", way, long);
            }
            let Some(long) = a.meets(b) else { continue };
            let same = |x: &Option<String>, y: &Option<String>| x.is_some() && x == y;
            if same(&a.data, &b.data) {
                note("data", way, long);
            }
            if same(&a.id, &b.id) {
                note("id", way, long);
            }
            // On the node's network the hostname is the node's.
            if a.id.is_some() && a.hostname == b.hostname && a.port.is_none() && b.port.is_none() {
                note("hostname", way, long);
            }
        }
    }
    seen
}
