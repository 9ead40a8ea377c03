//! Reads the traces of the containers: what each one held, from when to when.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::cluster::Node;

/// The milliseconds by which a recorded start may be too early: one tick of the kernel's clock and
/// one heartbeat.
const BLUR: u64 = 20;
/// The milliseconds without a heartbeat after which a container counts as dead. A running container
/// writes one every 10 ms, but a machine under load is slow.
const SILENCE: u64 = 1500;

/// The life of one container. Times are milliseconds since the machine started.
#[derive(Debug, Clone)]
pub struct Life {
    pub service: String,
    pub member: String,
    pub revision: String,
    pub generation: String,
    pub hostname: String,
    pub id: Option<String>,
    /// The device and inode of its directory, which do not depend on the mount.
    pub data: Option<String>,
    /// The content that it found there: `own`, `empty` or `foreign`.
    pub met: Option<String>,
    pub node: Node,
    pub start: u64,
    pub last: u64,
    /// The time at which it bound its port.
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

    /// Returns whether it ran a moment before `now`.
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

/// All lives so far. Lives that are over are kept; the traces of the others are read again.
#[derive(Default)]
pub struct Lives {
    over: Vec<Life>,
    pub all: Vec<Life>,
}

impl Lives {
    /// Reads the new traces below `folder` of each node.
    pub fn read<'p>(&mut self, folders: impl Iterator<Item = (Node, &'p Path)>) {
        let now = now();
        let mut open = Vec::new();
        for (node, folder) in folders {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                let Some(life) = Life::read(&path, node) else { continue };
                // A running container writes more often than this, so this one has ended.
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

/// The ways in which two containers meet, as the certificate names them.
pub const HERE: &str = "two on one node";
pub const ELSEWHERE: &str = "two on two nodes";
pub const EMPTY: &str = "a start without its data";
pub const OTHER: &str = "a start on another's data";

/// The observations of one service in one period: for each resource and way the longest overlap in
/// milliseconds.
pub type Seen = BTreeMap<(&'static str, &'static str), u64>;

/// Returns the observations of `service` that began between `from` and `to`.
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
            // An overlap belongs to the period in which the second container started.
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
