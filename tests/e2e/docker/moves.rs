//! fleet on two machines: fleet moves a unit to another machine without waiting.
//!
//! This file replaces fleet's engine. It decides by metadata where a unit may run, and moves a unit
//! as soon as its machine is lost, its agent ends, its metadata changes, or it is destroyed and
//! submitted again, while its container still stops. The units run under two real systemds.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::cluster;
use crate::fleet::{Machine, Unit};
use crate::image;
use crate::judge::{self, Open, Row, SwarmService};
use crate::sh::{Delay, eventually};
use crate::trace::{self, ELSEWHERE};
use crate::variant::{self, Cell, Compiled, PLAIN, Target, Variant};

/// The seconds until a unit must run or be gone.
const HEALS: u64 = 120;
/// The number of repetitions after a failure or a missing overlap.
const TRIES: u32 = 2;

#[derive(Clone, Copy, PartialEq)]
enum Move {
    CutOff,
    Stopped,
    Replaced,
    Metadata,
    Beside,
    Stranger,
    Crashed,
}

pub const NAMES: [&str; 7] = [
    "cut off",
    "machine stopped",
    "submitted again",
    "metadata moved",
    "second member",
    "stranger on a volume",
    "plugin's dockerd killed",
];
const MOVES: [(Move, &str, &str, &str); 7] = [
    (Move::CutOff, NAMES[0], "partition", "the first machine is lost and runs on, and heals 25 s later"),
    (Move::Stopped, NAMES[1], "reboot", "fleetd ends: it asks for the stop and gives the unit away"),
    (Move::Replaced, NAMES[2], "update", "destroyed and submitted again, and placed on the other machine"),
    (Move::Metadata, NAMES[3], "relabel", "the first machine's metadata is given to the second"),
    (
        Move::Beside,
        NAMES[4],
        "colocate",
        "the second member is started beside the first, against `Conflicts`",
    ),
    (Move::Stranger, NAMES[5], "neighbour", "a container of no spec mounts the volume on the second machine"),
    (
        Move::Crashed,
        NAMES[6],
        "move",
        "four times the first machine's dockerd is killed with -9, while the plugins run on, and systemd starts it again",
    ),
];
/// The number of times that dockerd is killed: what follows does not happen each time.
const CRASHES: u32 = 4;

fn variants() -> Vec<Variant> {
    let base = Variant { target: Target::Fleet, host: true, count: 2, ..PLAIN };
    let one = |name, what, cell| Variant { name, what, cell, ..base.clone() };
    vec![
        one("b", "B: pinned", Cell::Pinned),
        one("c-free", "C: a volume that excludes nobody", Cell::Volume("ceph-rbd")),
        one("c-conn", "C: a volume that fences while connected", Cell::Volume("flocker")),
        one("c-always", "C: a volume that always fences", Cell::Volume("scaleio")),
        one("d", "D: a volume that excludes nobody, pinned", Cell::PinnedVolume("ceph-rbd")),
        one("e", "an id, floating", Cell::Bare),
        one("e-pin", "an id, pinned", Cell::PinnedBare),
    ]
}

/// Returns the cell of a service, and its first resource.
pub fn cell(name: &str) -> Option<(&'static str, &'static str)> {
    variants().iter().find(|v| v.name == name).map(|v| v.cell.told())
}

/// Returns whether fleet may place the unit on a machine with `metadata`, which must have one of
/// the values of each key (fleet job/job.go, RequiredTargetMetadata; machine/machine.go,
/// HasMetadata).
fn placed(text: &str, metadata: &[(&str, &str)]) -> bool {
    let wanted: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|l| l.strip_prefix("MachineMetadata="))
        .filter_map(|l| l.trim_matches('"').split_once('='))
        .collect();
    wanted.iter().all(|(key, _)| wanted.iter().any(|(k, value)| k == key && metadata.contains(&(k, value))))
}

/// One service on the first machine.
struct Member {
    of: Compiled,
    unit: Unit,
    text: String,
}

impl Member {
    /// Returns whether a rule limits where it runs.
    fn pinned(&self) -> bool {
        !placed(&self.text, &[])
    }

    /// Returns whether it moves to the second machine, which has its metadata only if they are
    /// moved.
    fn goes(&self, how: Move) -> bool {
        !matches!(how, Move::Beside | Move::Stranger | Move::Crashed)
            && (how == Move::Metadata) == self.pinned()
    }

    /// The plugin of its volume.
    fn driver(&self) -> Option<&str> {
        self.text.split("volume-driver=").nth(1)?.split(',').next()
    }

    /// The unit of the second member.
    fn second(&self) -> String {
        format!("{}@2.service", self.unit.service)
    }
}

struct Lab<'m> {
    m1: &'m mut Machine,
    m2: &'m Machine,
    /// The file that tells the storage that the first machine is lost.
    cut: std::path::PathBuf,
}

impl Lab<'_> {
    fn nodes(&mut self, member: &Member) -> Vec<usize> {
        self.m1.living(&member.unit).iter().map(|l| l.node).collect()
    }

    fn all(&mut self, members: &[&Member], nodes: &[usize]) -> bool {
        eventually(HEALS, || members.iter().all(|m| self.nodes(m) == nodes))
    }

    /// Moves every unit back to the first machine.
    fn home(&mut self, members: &[&Member]) -> bool {
        let _ = fs::remove_file(&self.cut);
        for member in members {
            self.m2.ask("stop", &member.unit.file);
        }
        let left = eventually(HEALS, || members.iter().all(|m| !self.nodes(m).contains(&2)));
        for member in members {
            let _ = self.m2.enter(&["systemctl", "reset-failed", &member.unit.file]);
            self.m1.ask("start", &member.unit.file);
        }
        left && self.all(members, &[1])
    }

    /// Starts the second members on the first machine. Returns those that do not run there.
    fn beside(&mut self, members: &[&Member]) -> Vec<&'static str> {
        members.iter().for_each(|m| self.m1.ask("start", &m.second()));
        sleep(Duration::from_secs(15));
        let alone: Vec<&Member> = members.iter().copied().filter(|m| self.nodes(m) != [1, 1]).collect();
        members.iter().for_each(|m| self.m1.ask("stop", &m.second()));
        alone.iter().map(|m| m.unit.service).collect()
    }

    /// Mounts the volumes on the second machine. Returns the members that do not run alone afterwards.
    fn stranger(&mut self, members: &[&Member]) -> Vec<&'static str> {
        for member in members {
            let name = member.unit.service;
            let Some(driver) = member.driver() else { continue };
            let mount = format!("type=volume,source=data-{name}-1,target=/data,volume-driver={driver}");
            let (service, of) = (format!("SERVICE={name}"), format!("MEMBER={name}-1"));
            let stranger = format!("stranger-{name}");
            let run =
                ["run", "-d", "--rm", "--name", &stranger, "--mount", &mount, "-e", &service, "-e", &of];
            // A plugin that fences refuses it.
            let _ = self.m2.docker(&[&run[..], &["-e", "DATA=/data", image::NAME, "/probe"]].concat());
        }
        sleep(Duration::from_secs(8));
        for member in members {
            let _ = self.m2.docker(&["kill", &format!("stranger-{}", member.unit.service)]);
        }
        self.all(members, &[1]);
        members.iter().filter(|m| self.nodes(m) != [1]).map(|m| m.unit.service).collect()
    }

    /// Kills the dockerd of the first machine. Returns the members that do not run there afterwards.
    fn crash(&mut self, members: &[&Member]) -> Vec<&'static str> {
        for _ in 0..CRASHES {
            self.m1.systemctl(&["kill", "-s", "KILL", "--kill-who=main", "docker.service"]);
            sleep(Duration::from_secs(15));
            let up = eventually(HEALS, || self.m1.docker(&["version"]).is_ok());
            assert!(up, "dockerd does not come back");
            self.all(members, &[1]);
        }
        members.iter().filter(|m| self.nodes(m) != [1]).map(|m| m.unit.service).collect()
    }

    /// Moves the `members` that leave the first machine. Returns those that did not arrive on the
    /// machine that fleet selects.
    fn strike(&mut self, how: Move, members: &[&Member]) -> Vec<&'static str> {
        match how {
            Move::Beside => return self.beside(members),
            Move::Stranger => return self.stranger(members),
            Move::Crashed => return self.crash(members),
            _ => {}
        }
        let (go, stay): (Vec<&Member>, Vec<&Member>) = members.iter().copied().partition(|m| m.goes(how));
        match how {
            Move::CutOff => fs::write(&self.cut, "").unwrap(),
            _ => go.iter().for_each(|m| self.m1.ask("stop", &m.unit.file)),
        }
        go.iter().for_each(|m| self.m2.ask("start", &m.unit.file));
        sleep(Duration::from_secs(25));
        if how == Move::CutOff {
            fs::remove_file(&self.cut).unwrap();
            go.iter().for_each(|m| self.m1.ask("stop", &m.unit.file));
        }
        // Without its directory, a member never starts.
        let (none, some): (Vec<&Member>, Vec<&Member>) =
            go.into_iter().partition(|m| m.of.variant.cell == Cell::Pinned);
        self.all(&some, &[2]);
        let mut bad = Vec::new();
        for (members, nodes) in [(&some, &[2][..]), (&none, &[]), (&stay, &[1])] {
            bad.extend(members.iter().filter(|m| self.nodes(m) != nodes).map(|m| m.of.variant.name));
        }
        bad
    }
}

/// The experiments of the short run.
pub const CORE: [&str; 2] = [NAMES[0], NAMES[3]];

/// Runs the experiments that are `wanted`. Returns their rows, and whether every unit arrived on its machine.
pub fn run(
    dir: &Path,
    (m1, m2): (&mut Machine, &Machine),
    wanted: impl Fn(&str) -> bool,
    loud: bool,
    open: &mut Open,
) -> (Vec<Row>, bool) {
    let begin = Instant::now();
    let mut members = Vec::new();
    for (v, port) in variants().iter().zip((7200..).step_by(10)) {
        for of in variant::compile(&dir.join("compiled"), std::slice::from_ref(v), port) {
            let file = format!("{}@1.service", v.name);
            let text = fs::read_to_string(of.files["1"].join(&file)).unwrap();
            members.push(Member { of, unit: Unit { service: v.name, revision: "", file }, text });
        }
    }
    cluster::storage(dir);
    for (machine, node) in [(&*m1, "n1"), (m2, "n2")] {
        cluster::plugins(&machine.dir, node, &|args| {
            machine.docker(args).unwrap_or_else(|e| panic!("docker {}: {e}", args.join(" ")));
        });
        fs::write(dir.join("storage/boot").join(node), "1").unwrap();
        for member in &members {
            fs::write(machine.dir.join("units").join(&member.unit.file), &member.text).unwrap();
            let second = member.second();
            fs::copy(member.of.files["1"].join(&second), machine.dir.join("units").join(second)).unwrap();
            let name = member.unit.service;
            if let Cell::Volume(_) | Cell::PinnedVolume(_) = member.of.variant.cell {
                for i in 1..=2 {
                    let volume = format!("data-{name}-{i}");
                    machine.docker(&["volume", "create", "-d", member.driver().unwrap(), &volume]).unwrap();
                    let identity = dir.join("storage/volumes").join(volume).join("identity");
                    fs::write(identity, format!("{name}-{name}-{i}")).unwrap();
                }
            }
        }
        machine.systemctl(&["daemon-reload"]);
    }
    for member in ["b-1", "b-2"] {
        let pinned = m1.dir.join("mnt/d1").join(member);
        fs::create_dir(&pinned).unwrap();
        fs::write(pinned.join("identity"), format!("b-{member}")).unwrap();
    }
    fs::create_dir_all(m2.dir.join("mnt/d1")).unwrap();
    m1.traces.extend(m2.traces.iter().cloned());
    let mut lab = Lab { m1, m2, cut: dir.join("storage/cut/n1") };
    let delay = Delay::start();
    let mut rows = Vec::new();
    let mut good = lab.home(&members.iter().collect::<Vec<_>>());
    println!(
        "{:>4} s  {} services on two machines: {}",
        begin.elapsed().as_secs(),
        members.len(),
        if good { "up" } else { "WRONG" }
    );
    for (how, name, hazard, _) in MOVES.into_iter().filter(|(_, name, ..)| wanted(name)) {
        let volumes = |m: &&Member| !matches!(how, Move::Stranger | Move::Crashed) || m.driver().is_some();
        let mut who: Vec<&Member> = members.iter().filter(volumes).collect();
        for turn in 0..=TRIES {
            delay.take();
            let from = trace::now();
            let bad = lab.strike(how, &who);
            let (to, late) = (trace::now(), delay.take());
            let mut again = bad.clone();
            for member in &who {
                let seen = trace::seen(&lab.m1.lives.all, member.unit.service, from, to);
                let provokes: &[&str] = if member.goes(how) { &[ELSEWHERE] } else { &[] };
                let breaks: &[&str] = if how == Move::Stranger { &["volume-name"] } else { &[] };
                let own = judge::judge(
                    &member.of,
                    SwarmService { name, hazard, breaks, provokes },
                    &seen,
                    late,
                    open,
                );
                if loud {
                    println!("        {} {name}: {seen:?}", member.unit.service);
                }
                for r in own.iter().filter(|r| r.wrong.is_some()) {
                    println!(
                        "        WRONG {} {}/{}: {}",
                        r.service,
                        r.resource,
                        r.hazard,
                        r.wrong.as_deref().unwrap()
                    );
                    good = false;
                }
                let silent = |(key, tried): (&(&str, &str, &str, &str), &judge::Tried)| {
                    key.0 == member.unit.service && key.2 == hazard && !tried.happened
                };
                if open.iter().any(silent) {
                    again.push(member.unit.service);
                }
                rows.extend(own);
            }
            let home = lab.home(&who);
            println!(
                "{:>4} s  {name}: {} services, away: {bad:?}, late by {late} ms at most",
                begin.elapsed().as_secs(),
                who.len()
            );
            assert!(home, "a unit does not start any more");
            if turn == TRIES {
                good &= bad.is_empty();
            }
            who.retain(|m| again.contains(&m.unit.service));
            if who.is_empty() {
                break;
            }
        }
    }
    (rows, good)
}

/// Returns the rows as the page shows them.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    for (_, name, hazard, what) in MOVES {
        let own: Vec<&Row> = rows.iter().filter(|r| r.experiment == name).collect();
        if own.is_empty() {
            continue;
        }
        text += &format!("\n## {name}\n\n{what}. Hazard `{hazard}`.\n\n");
        text += &judge::lines(own, |s| variants().iter().find(|v| v.name == s).map_or("", |v| v.what));
    }
    text
}
