//! Swarm: tries every hazard on every cell of the design.
//!
//! All services are deployed at once, and each experiment affects all of them, so a run takes the
//! time of the hazards and not that time for each service.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, Node};
use crate::image;
use crate::judge::{self, Open, Row, SwarmService, Told};
use crate::sh::{self, Delay, eventually};
use crate::trace::{self, ELSEWHERE, EMPTY, HERE, Life, Lives};
use crate::variant::{self, Cell, Compiled, PLAIN, Strip, Variant};

/// The seconds until every service must run again after a hazard.
const HEALS: u64 = 200;
/// The seconds after the others have healed within which a service heals whose volume Swarm has not taken.
const TAKEN: u64 = 60;
/// The time until Swarm starts to act on a node that is back.
const HEAL: Duration = Duration::from_secs(8);
/// The nodes of the first and the second member of each pinned service.
const HOME: [Node; 2] = [2, 3];
/// A running node without members and directories.
const SPARE: Node = 4;

/// The services of the short run.
const CORE: [&str; 14] = [
    "a", "a-host", "a-guard", "a-noport", "b", "b-host", "b-guard", "b-noport", "b-bare", "c-free", "c-conn",
    "c-always", "d", "e-pin",
];
const START: &str = "start";
/// The number of separate repetitions for a stuck service or a missing overlap.
const TRIES: u32 = 2;
/// `start-first` waits forever for a port that the old task holds: no overlap, and the update never
/// ends.
const STUCK: (&str, &str) = ("b-noorder", "slow stop");

/// Returns all services. The first one of each cell is deployed as emitted; the others lack a rule.
fn variants() -> Vec<Vec<Variant>> {
    use Cell::{Bare, Cluster, Pinned, PinnedBare, PinnedCluster, PinnedVolume, Volume};
    let one = |name, what, variant: Variant| vec![Variant { name, what, ..variant }];
    let pinned = Variant { cell: Pinned, ..PLAIN };
    let host = Variant { host: true, ..PLAIN };
    let pinned_host = Variant { host: true, ..pinned.clone() };
    let volume = |backend| Variant { cell: Volume(backend), count: 1, ..PLAIN };
    vec![
        one("a", "A: per node, overlay", PLAIN),
        one("a-host", "A: per node, node's network", host.clone()),
        one("a-guard", "A: per node, node's network, lock", Variant { guard: true, ..host.clone() }),
        one("a-noport", "A without the port", Variant { strips: &[Strip::Port], ..PLAIN }),
        one("b", "B: pinned, overlay", pinned.clone()),
        one("b-host", "B: pinned, node's network", pinned_host.clone()),
        one("b-guard", "B: pinned, node's network, lock", Variant { guard: true, ..pinned_host.clone() }),
        one("b-noport", "B without the port", Variant { strips: &[Strip::Port], ..pinned.clone() }),
        one(
            "b-bare",
            "B without the port and without stop-first",
            Variant { strips: &[Strip::Port, Strip::StopFirst], ..pinned.clone() },
        ),
        one(
            "b-noorder",
            "B with start-first",
            Variant { strips: &[Strip::StopFirstByHand], ..pinned.clone() },
        ),
        one("b-nopin", "B without the pin", Variant { strips: &[Strip::Place], ..pinned.clone() }),
        one(
            "b-noguard",
            "B with a lock that the template lost",
            Variant { guard: true, strips: &[Strip::Guard], ..pinned_host.clone() },
        ),
        one(
            "b-onlyguard",
            "B with nothing but the lock and the order",
            Variant { guard: true, strips: &[Strip::Port], ..pinned_host.clone() },
        ),
        one("c-free", "C: a volume that excludes nobody", Variant { count: 2, ..volume("ceph-rbd") }),
        one("c-conn", "C: a volume that fences while connected", volume("flocker")),
        one("c-always", "C: a volume that always fences", volume("scaleio")),
        one(
            "d",
            "D: a volume that excludes nobody, pinned",
            Variant { cell: PinnedVolume("ceph-rbd"), ..PLAIN },
        ),
        one(
            "d-noport",
            "D without the port",
            Variant { cell: PinnedVolume("ceph-rbd"), strips: &[Strip::Port], ..PLAIN },
        ),
        one("k", "a cluster volume", Variant { cell: Cluster, count: 1, ..PLAIN }),
        one("k-pin", "a cluster volume, pinned", Variant { cell: PinnedCluster, ..PLAIN }),
        one(
            "k-noport",
            "a cluster volume without the port",
            Variant { cell: Cluster, count: 1, strips: &[Strip::Port], ..PLAIN },
        ),
        one("e", "an id, floating", Variant { cell: Bare, count: 1, ..PLAIN }),
        one("e-pin", "an id, pinned", Variant { cell: PinnedBare, ..PLAIN }),
        vec![
            Variant { name: "x", what: "apart from y", apart: "y", ..volume("ceph-rbd") },
            Variant { name: "y", what: "apart from x", apart: "x", ..volume("ceph-rbd") },
        ],
    ]
}

/// Returns the cell of a service that is deployed as emitted, and its first resource.
fn cell(name: &str) -> Option<(&'static str, &'static str)> {
    let all = variants();
    let v = all.iter().flatten().find(|v| v.name == name && v.strips.is_empty())?;
    Some(v.cell.told())
}

/// Returns the program of the CSI driver, or why there are no cluster volumes.
fn csi_driver() -> Result<PathBuf, &'static str> {
    let version = sh::output("dockerd --version");
    let major = version.split(' ').nth(2).and_then(|v| v.split(['.', '-']).next()?.parse::<u32>().ok());
    if major.is_some_and(|m| m < 23) {
        return Err("they are new in engine 23");
    }
    let program = csi_program();
    if program.exists() { Ok(program) } else { Err("there is no driver") }
}

/// The program of the CSI driver.
pub fn csi_program() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("csi")
}

/// One hazard, as it is done to the cluster.
struct Experiment {
    subject: SwarmService,
    /// The description in the table.
    what: &'static str,
    /// Whether it belongs to the short run.
    core: bool,
    /// The services that it affects.
    who: fn(&Variant) -> bool,
    /// The services of which it brings two containers together if nothing protects them.
    tries: fn(&Variant) -> bool,
    /// The affected node. Members without a pin are moved there first.
    struck: Option<Node>,
    run: fn(&mut Lab, &[usize]),
}

fn anyone(_: &Variant) -> bool {
    true
}

fn experiments() -> Vec<Experiment> {
    let subject = |name, hazard, breaks, provokes| SwarmService { name, hazard, breaks, provokes };
    let host = |v: &Variant| v.cell == Cell::Pinned || v.cell == Cell::PerNode;
    vec![
        Experiment {
            subject: subject(START, "colocate", &[], &[]),
            what: "the first start",
            core: true,
            who: anyone,
            tries: anyone,
            struck: None,
            run: |lab, who| lab.deploy(who, "1"),
        },
        Experiment {
            subject: subject("slow stop", "update", &[], &[HERE, ELSEWHERE]),
            what: "a new image setting is deployed; every stop takes its whole grace",
            core: true,
            who: anyone,
            tries: anyone,
            struck: None,
            run: |lab, who| lab.update(who),
        },
        Experiment {
            subject: subject("relabel", "relabel", &[], &[HERE]),
            what: "the label is taken off the node and set again at once",
            core: true,
            who: Variant::labelled,
            tries: anyone,
            struck: None,
            run: |lab, who| lab.relabel(who),
        },
        Experiment {
            subject: subject("scale", "reboot", &[], &[HERE, ELSEWHERE]),
            what: "scaled to 0 and at once back to 1",
            core: true,
            who: Variant::counted,
            // The node stays connected to the storage.
            tries: |v| v.cell != Cell::Volume("flocker"),
            struck: None,
            run: |lab, who| lab.scale(who),
        },
        Experiment {
            subject: subject("cut off", "partition", &[], &[HERE, ELSEWHERE]),
            what: "a node is cut off for 45 s, and heals",
            core: true,
            who: anyone,
            tries: anyone,
            struck: Some(3),
            run: |lab, _| {
                lab.cluster.cut(3, true);
                sleep(Duration::from_secs(45));
                lab.cluster.cut(3, false);
                sleep(HEAL);
            },
        },
        Experiment {
            subject: subject("bad update", "update", &[], &[]),
            what: "a member that ends at once is deployed, then rolled back",
            core: false,
            who: anyone,
            tries: anyone,
            struck: None,
            run: |lab, who| lab.bad_update(who),
        },
        Experiment {
            subject: subject("manager restart", "update", &["stop-first"], &[]),
            what: "the manager is killed and started 4 s into an update",
            core: false,
            who: anyone,
            tries: anyone,
            struck: None,
            run: |lab, who| {
                lab.deploy_other(who);
                sleep(Duration::from_secs(4));
                lab.cluster.signal_docker(1, "KILL");
                lab.cluster.start_docker(1);
                lab.cluster.wait(1);
            },
        },
        Experiment {
            subject: subject("pin moved", "relabel", &[], &[HERE, ELSEWHERE]),
            what: "the label of member 1 is moved to another live node, and back",
            core: false,
            who: |v| v.labelled() && v.counted(),
            tries: anyone,
            struck: None,
            run: |lab, who| lab.move_pin(who),
        },
        Experiment {
            subject: subject("pins swapped", "move", &[], &[]),
            what: "the labels of two members are exchanged, and back",
            core: false,
            who: |v| v.labelled() && v.cell == Cell::Pinned,
            tries: anyone,
            struck: None,
            run: |lab, who| lab.swap_pins(who),
        },
        Experiment {
            subject: subject("dockerd killed", "reboot", &[], &[ELSEWHERE]),
            what: "dockerd is killed with -9 and started 45 s later; for the storage the node is gone meanwhile",
            core: false,
            who: anyone,
            tries: anyone,
            struck: Some(3),
            run: |lab, _| {
                lab.cluster.signal_docker(3, "KILL");
                // A plugin may end with its dockerd.
                lab.cluster.storage_loses(3, true);
                sleep(Duration::from_secs(45));
                lab.cluster.storage_loses(3, false);
                lab.cluster.start_docker(3);
                lab.cluster.wait(3);
                sleep(HEAL);
            },
        },
        Experiment {
            subject: subject("dockerd restarted", "reboot", &[], &[]),
            what: "dockerd is stopped and started",
            core: false,
            who: anyone,
            tries: anyone,
            struck: None,
            run: |lab, _| {
                lab.cluster.signal_docker(3, "TERM");
                lab.cluster.start_docker(3);
                lab.cluster.wait(3);
                sleep(HEAL);
            },
        },
        Experiment {
            subject: subject("power loss", "reboot", &[], &[]),
            what: "a node loses its power for 30 s",
            core: false,
            who: anyone,
            tries: anyone,
            struck: None,
            run: |lab, _| {
                lab.cluster.power_off(3);
                sleep(Duration::from_secs(30));
                lab.cluster.power_on(3);
                lab.cluster.wait(3);
                sleep(HEAL);
            },
        },
        Experiment {
            subject: subject("drain", "reboot", &[], &[]),
            what: "a node is drained, and active again 30 s later",
            core: false,
            who: anyone,
            tries: anyone,
            struck: None,
            run: |lab, _| lab.drain(&[3], 35),
        },
        Experiment {
            subject: subject("drain taken back", "reboot", &[], &[HERE]),
            what: "a node is drained, and active again at once",
            core: false,
            who: anyone,
            // A slot waits for its old task; a global service does not.
            tries: |v| v.cell == Cell::PerNode,
            struck: None,
            run: |lab, _| {
                lab.drain(&[3], 0);
                sleep(HEAL);
            },
        },
        Experiment {
            subject: subject("crowd", "colocate", &[], &[HERE]),
            what: "all nodes but one are drained",
            core: false,
            who: |v| !v.labelled(),
            tries: anyone,
            struck: None,
            run: |lab, _| lab.drain(&[3, 4], 35),
        },
        Experiment {
            subject: subject("two revisions", "revisions", &[], &[HERE]),
            what: "the second revision is deployed beside the first",
            core: true,
            who: |v| v.cell == Cell::PerNode,
            tries: anyone,
            struck: None,
            run: |lab, who| {
                lab.second_revision(who);
                sleep(Duration::from_secs(15));
            },
        },
        Experiment {
            subject: subject("revision flipped", "relabel", &[], &[HERE]),
            what: "the label goes from v1 to v2 at once, without waiting",
            core: false,
            who: |v| v.cell == Cell::PerNode,
            tries: anyone,
            struck: None,
            run: |lab, who| lab.flip_revision(who),
        },
        Experiment {
            subject: subject("disk gone", "move", &[], &[]),
            what: "the directory is not there when the member starts, and comes later",
            core: false,
            who: host,
            tries: anyone,
            struck: None,
            run: |lab, who| lab.disk_gone(who),
        },
        Experiment {
            subject: subject("volume gone", "move", &[], &[EMPTY]),
            what: "the volume is not there when the member starts",
            core: false,
            who: |v| matches!(v.cell, Cell::Volume(_) | Cell::PinnedVolume(_)),
            tries: anyone,
            struck: None,
            run: |lab, who| lab.volume_gone(who),
        },
        Experiment {
            subject: subject("manager lost", "update", &["stop-first"], &[]),
            what: "of three managers the leader loses its power 4 s into an update, for 40 s",
            core: false,
            who: anyone,
            tries: anyone,
            struck: None,
            run: |lab, who| lab.manager_lost(who),
        },
        Experiment {
            subject: subject("managers demoted", "partition", &[], &[]),
            what: "two of three managers, on nodes with members, become workers again",
            core: false,
            who: anyone,
            tries: anyone,
            struck: None,
            run: |lab, _| lab.managers_demoted(),
        },
        Experiment {
            subject: subject("deployed twice", "revisions", &[], &[HERE, ELSEWHERE]),
            what: "another generation is deployed, and 3 s later the first one again",
            core: true,
            who: anyone,
            tries: anyone,
            struck: None,
            run: |lab, who| {
                lab.deploy_other(who);
                sleep(Duration::from_secs(3));
                lab.deploy_other(who);
                sleep(Duration::from_secs(25));
            },
        },
        Experiment {
            subject: subject("rival", "neighbour", &[], &[]),
            what: "a second spec names the same data, and another service wants the port",
            core: false,
            who: |v| v.strips.is_empty() && v.apart.is_empty(),
            tries: anyone,
            struck: None,
            run: |lab, who| lab.rival(who),
        },
        Experiment {
            subject: subject("stranger", "neighbour", &["unique", "volume-name"], &[]),
            what: "a service of no spec mounts the directory of member 1 on its node, or its volume on another",
            core: false,
            who: |v| {
                v.strips.is_empty() && v.apart.is_empty() && !matches!(v.cell, Cell::Bare | Cell::PinnedBare)
            },
            tries: anyone,
            struck: None,
            run: |lab, who| lab.stranger(who),
        },
        Experiment {
            subject: subject("removed", "force", &[], &[HERE, ELSEWHERE]),
            what: "the service is removed and deployed again at once",
            core: false,
            who: anyone,
            tries: anyone,
            struck: None,
            run: |lab, who| {
                let from = trace::now();
                lab.remove(who);
                lab.deploy_again(who);
                lab.renewed(who, from);
            },
        },
    ]
}

/// The cluster and the services on it.
struct Lab {
    cluster: Cluster,
    compiled: Vec<Compiled>,
    /// The deployed generation of each service.
    generation: Vec<&'static str>,
    revision: Vec<&'static str>,
    lives: Lives,
    begin: Instant,
    loud: bool,
    delay: Delay,
}

/// Runs the suite below `dir`. `core` is the short run. `save` gets the results after each experiment.
pub fn run(dir: &Path, core: bool, loud: bool, only: &[String], save: &dyn Fn(&Told)) -> Told {
    let begin = Instant::now();
    let mut port = 7100;
    let mut compiled = Vec::new();
    let csi = csi_driver();
    if let Err(why) = &csi {
        println!("        NOT TRIED: cluster volumes: {why}");
    }
    for group in variants() {
        if core && !CORE.contains(&group[0].name) || csi.is_err() && group[0].cell.on_cluster_volume() {
            continue;
        }
        compiled.extend(variant::compile(&dir.join("compiled"), &group, port));
        port += 10;
    }
    let cluster = Cluster::start(dir, 4, csi.as_deref().ok());
    let count = compiled.len();
    let mut lab = Lab {
        cluster,
        compiled,
        generation: vec!["1"; count],
        revision: vec!["v1"; count],
        lives: Lives::default(),
        begin,
        loud,
        delay: Delay::start(),
    };
    let engine = lab.cluster.version();
    lab.say(&format!("the cluster is up, engine {engine}; {count} services are compiled"));
    lab.prepare();
    let all: Vec<usize> = (0..count).collect();
    let wanted = |e: &Experiment| {
        (!core || e.core)
            && (only.is_empty() || e.subject.name == START || only.iter().any(|o| o == e.subject.name))
    };
    let list: Vec<Experiment> = experiments().into_iter().filter(wanted).collect();
    let mut rows: Vec<Row> = Vec::new();
    let mut open = Open::new();
    let mut stuck: Vec<String> = Vec::new();
    for (e, cluster_volumes) in list.iter().flat_map(|e| [(e, false), (e, true)]) {
        // While other services are deployed, Swarm may take a cluster volume from under the new task, which
        // then waits forever (seen on 28.5.2). So these services have their own turn.
        let own = |v: &Variant| match e.subject.name {
            START => !cluster_volumes,
            _ => v.cell.on_cluster_volume() == cluster_volumes,
        };
        let chosen = |v: &Variant| (e.who)(v) && own(v);
        let mut who: Vec<usize> = all.iter().copied().filter(|i| chosen(&lab.compiled[*i].variant)).collect();
        for turn in 0..=TRIES {
            if who.is_empty() {
                break;
            }
            let (own, late) = lab.experiment(e, &who, &mut open);
            rows.extend(own);
            if late.is_empty() {
                break;
            }
            let names = lab.names(&late);
            if turn == TRIES || late.len() > all.len() / 2 {
                stuck.push(format!("{} after {}", names.join(", "), e.subject.name));
                break;
            }
            lab.say(&format!("again, alone: {}", names.join(", ")));
            // A service that the experiment does not strike may be late, too.
            who = late.into_iter().filter(|i| chosen(&lab.compiled[*i].variant)).collect();
        }
        save(&seen_so_far(&engine, &rows));
    }
    for turn in 1..=TRIES {
        let quiet: Vec<_> = open.iter().filter(|(_, met)| !met.happened).map(|(k, _)| *k).collect();
        let of = |e: &Experiment, i: usize| {
            let name = lab.compiled[i].variant.name;
            quiet.iter().any(|(s, _, h, way)| {
                *s == name && *h == e.subject.hazard && e.subject.provokes.contains(way)
            })
        };
        let some: Vec<(&Experiment, Vec<usize>)> = list
            .iter()
            .map(|e| {
                (e, all.iter().copied().filter(|i| (e.who)(&lab.compiled[*i].variant) && of(e, *i)).collect())
            })
            .filter(|(_, who): &(_, Vec<usize>)| !who.is_empty())
            .collect();
        for (e, who) in some {
            lab.say(&format!("nothing overlapped, time {turn} of {TRIES}: {}", lab.names(&who).join(", ")));
            rows.extend(lab.experiment(e, &who, &mut open).0);
        }
    }
    let Told { mut good, skipped, .. } = judge::sum(&open);
    for what in &stuck {
        println!("        STUCK {what}, each time");
        good = false;
    }
    good &= rows.iter().all(|r| r.wrong.is_none());
    Told { good, skipped, ..seen_so_far(&engine, &rows) }
}

/// Returns the results as they are recorded.
fn seen_so_far(engine: &str, rows: &[Row]) -> Told {
    Told {
        engine: engine.to_owned(),
        order: experiments().iter().map(|e| e.subject.name).collect(),
        table: table(rows),
        measured: judge::measured(rows.iter(), cell),
        ..Told::default()
    }
}

/// Returns the table of one run.
fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    let names: BTreeMap<&str, &str> = variants().into_iter().flatten().map(|v| (v.name, v.what)).collect();
    for e in experiments() {
        let own: Vec<&Row> = rows.iter().filter(|r| r.experiment == e.subject.name).collect();
        if own.is_empty() {
            continue;
        }
        text += &format!("\n## {}\n\n{}. Hazard `{}`.\n\n", e.subject.name, e.what, e.subject.hazard);
        text += &judge::lines(own, |s| names.get(s).copied().unwrap_or_default());
    }
    text
}

impl Lab {
    fn say(&self, what: &str) {
        println!("{:>4} s  {what}", self.begin.elapsed().as_secs());
    }

    fn names(&self, who: &[usize]) -> Vec<&'static str> {
        who.iter().map(|i| self.compiled[*i].variant.name).collect()
    }

    /// Runs one experiment on `who`. Returns the services that had no healthy container afterwards,
    /// and repairs them.
    fn experiment(&mut self, e: &Experiment, who: &[usize], open: &mut Open) -> (Vec<Row>, Vec<usize>) {
        let tried = self.tried(e, who);
        self.delay.take();
        let from = trace::now();
        (e.run)(self, who);
        let (mut hang, others) = self.hanging(e.subject.name);
        hang.retain(|i| who.contains(i));
        let (clusters, others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|i| self.variant(*i).cell.on_cluster_volume());
        let mut late = self.settle(&others, HEALS);
        // Swarm may take a cluster volume from under the new task, which then waits forever: a duty names it.
        let taken: Vec<usize> = self.settle(&clusters, TAKEN);
        let (taken, more): (Vec<_>, Vec<_>) =
            taken.into_iter().partition(|i| self.living(*i).len() < self.wanted(*i).len());
        late.extend(more);
        late.extend(hang.iter().filter(|i| self.settled(**i)));
        for &i in &taken {
            let name = self.variant(i).name;
            println!(
                "        its volume was taken: {name} after {}; deployed again, as a duty says",
                e.subject.name
            );
            self.story(name, from);
        }
        // What starts because of the duty belongs to the experiment.
        self.fix(&taken);
        let (to, slow) = (trace::now(), self.delay.take());
        let mut rows = Vec::new();
        for &i in who {
            let of = &self.compiled[i];
            let seen = trace::seen(&self.lives.all, of.variant.name, from, to);
            let provokes = if tried.contains(&i) { e.subject.provokes } else { &[] };
            let own = judge::judge(of, SwarmService { provokes, ..e.subject }, &seen, slow, open);
            if self.loud && !seen.is_empty() {
                println!("        {} {seen:?}", of.variant.name);
                self.story(of.variant.name, from);
            }
            for r in own.iter().filter(|r| r.wrong.is_some()) {
                println!(
                    "        WRONG {} {}/{}: {}",
                    r.service,
                    r.resource,
                    r.hazard,
                    r.wrong.as_deref().unwrap()
                );
                self.story(of.variant.name, from);
            }
            rows.extend(own);
        }
        for &i in &late {
            let name = self.compiled[i].variant.name;
            let why = if hang.contains(&i) { "was to wait forever, and does not:" } else { "STUCK" };
            println!("        {why} {name} after {}", e.subject.name);
            self.story(name, from);
        }
        let wrong = rows.iter().filter(|r| r.wrong.is_some()).count();
        self.say(&format!(
            "{}: {} services, {wrong} wrong, {} stuck; late by {slow} ms at most",
            e.subject.name,
            who.len(),
            late.len()
        ));
        self.fix(&late.iter().chain(hang.iter().filter(|i| !late.contains(i))).copied().collect::<Vec<_>>());
        (rows, late)
    }

    fn variant(&self, i: usize) -> &Variant {
        &self.compiled[i].variant
    }

    /// Returns the members of a service, each with its node if that is fixed.
    fn wanted(&self, i: usize) -> Vec<(String, Option<Node>)> {
        let v = self.variant(i);
        match v.cell {
            Cell::PerNode => HOME.iter().map(|n| (format!("n{n}"), Some(*n))).collect(),
            _ => (1..=v.count)
                .map(|n| (format!("{}-{n}", v.name), v.labelled().then(|| HOME[n as usize - 1])))
                .collect(),
        }
    }

    /// Returns the Swarm services of one service of the suite.
    fn services(&self, i: usize) -> Vec<String> {
        let v = self.variant(i);
        match v.cell {
            Cell::PerNode => vec![format!("{}_{}-{}", v.name, v.name, self.revision[i])],
            _ => (1..=v.count).map(|n| format!("{}_{}-{n}", v.name, v.name)).collect(),
        }
    }

    /// Returns the label that pins the service, on each of its nodes.
    fn labels(&self, i: usize) -> Vec<(Node, String)> {
        let v = self.variant(i);
        if !v.labelled() {
            return Vec::new();
        }
        match v.cell {
            Cell::PerNode => HOME.iter().map(|n| (*n, format!("{}=yes", v.name))).collect(),
            _ => (1..=v.count).map(|n| (HOME[n as usize - 1], format!("{}={n}", v.name))).collect(),
        }
    }

    /// Does what the duties of the certificate say: creates directories, volumes and labels.
    fn prepare(&self) {
        let mut labels: BTreeMap<Node, Vec<String>> = BTreeMap::new();
        for i in 0..self.compiled.len() {
            let v = self.variant(i);
            if v.cell.on_cluster_volume() {
                self.cluster_volumes(i);
            }
            for (k, (member, _)) in self.wanted(i).iter().enumerate() {
                let disk = self.cluster.disk(HOME[k]).join("d1");
                let path = match v.cell {
                    Cell::PerNode => disk.join(v.name),
                    Cell::Pinned => disk.join(format!("{}-{}", v.name, k + 1)),
                    Cell::Volume(_) | Cell::PinnedVolume(_) | Cell::Cluster | Cell::PinnedCluster => {
                        self.volume(v, k + 1)
                    }
                    Cell::Bare | Cell::PinnedBare => continue,
                };
                fs::create_dir_all(&path).unwrap();
                fs::write(path.join("identity"), format!("{}-{member}", v.name)).unwrap();
            }
            for (node, label) in self.labels(i) {
                labels.entry(node).or_default().push(label);
                if v.cell == Cell::PerNode {
                    labels.entry(node).or_default().push(format!("{}-revision=v1", v.name));
                }
            }
        }
        for (node, labels) in labels {
            self.cluster.label(node, &labels);
        }
    }

    /// Creates the cluster volumes with the commands of the certificate.
    fn cluster_volumes(&self, i: usize) {
        let page = self.compiled[i].files["1"].with_file_name("certificate.md");
        let text = fs::read_to_string(page).unwrap();
        let commands: Vec<&str> =
            text.lines().filter_map(|l| l.trim().strip_prefix("docker volume create ")).collect();
        assert_eq!(commands.len(), self.wanted(i).len(), "{commands:?}");
        for command in commands {
            self.cluster.ask(&["volume", "create"].into_iter().chain(command.split(' ')).collect::<Vec<_>>());
        }
    }

    fn volume(&self, v: &Variant, member: usize) -> PathBuf {
        self.cluster.storage().join("volumes").join(format!("data-{}-{member}", v.name))
    }

    /// Runs `each` for several services at a time.
    fn each(&self, who: &[usize], each: impl Fn(usize) + Sync) {
        scope(|s| {
            for part in who.chunks(who.len().div_ceil(4).max(1)) {
                let each = &each;
                s.spawn(move || part.iter().for_each(|i| each(*i)));
            }
        });
    }

    fn deploy(&mut self, who: &[usize], generation: &'static str) {
        for i in who {
            self.generation[*i] = generation;
        }
        self.deploy_again(who);
    }

    /// Deploys the files one by one, as berthc's certificate says.
    fn deploy_again(&self, who: &[usize]) {
        self.each(who, |i| {
            let v = self.variant(i);
            let folder = &self.compiled[i].files[self.generation[i]];
            let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
            files.sort();
            for file in files {
                let text = file.to_str().unwrap();
                if v.cell == Cell::PerNode && !text.ends_with(&format!("-{}.yml", self.revision[i])) {
                    continue;
                }
                self.cluster.ask(&["stack", "deploy", "--resolve-image", "never", "-c", text, v.name]);
            }
        });
    }

    fn read(&mut self) {
        let folders: Vec<_> = self.cluster.workers().map(|n| (n, self.cluster.traces(n))).collect();
        self.lives.read(folders.iter().map(|(n, p)| (*n, p.as_path())));
    }

    /// Returns the running containers of service `i`.
    fn living(&self, i: usize) -> Vec<&Life> {
        let (now, name) = (trace::now(), self.variant(i).name);
        self.lives.all.iter().filter(|l| l.service == name && l.lives(now)).collect()
    }

    /// Returns the services that must be stuck after this experiment, and the others.
    fn hanging(&self, experiment: &str) -> (Vec<usize>, Vec<usize>) {
        let (name, when) = STUCK;
        let hangs = |i: &usize| self.variant(*i).name == name && when == experiment;
        (0..self.compiled.len()).partition(hangs)
    }

    /// Returns the services of `who` whose containers `e` certainly brings together if nothing
    /// protects them.
    fn tried(&mut self, e: &Experiment, who: &[usize]) -> Vec<usize> {
        if let Some(node) = e.struck {
            self.gather(node);
        }
        self.read();
        let there = |i: &usize| e.struck.is_none_or(|n| self.living(*i).iter().any(|l| l.node == n));
        // With `apart_from`, one service may block the node of the other. Without its pin a member could go to
        // another node, where the suite makes no directory for it.
        let free =
            |i: &usize| self.variant(*i).apart.is_empty() && !self.variant(*i).strips.contains(&Strip::Place);
        who.iter().copied().filter(|i| (e.tries)(self.variant(*i)) && free(i) && there(i)).collect()
    }

    /// Moves the first member of each service without a pin to `node`.
    fn gather(&mut self, node: Node) {
        // With `apart_from`, one service may keep the other away from the node.
        let floats = |v: &Variant| {
            matches!(v.cell, Cell::Volume(_) | Cell::Cluster | Cell::Bare) && v.apart.is_empty()
        };
        let all: Vec<usize> = (0..self.compiled.len()).filter(|i| floats(self.variant(*i))).collect();
        // The other members stay away, because all members have the same port.
        let constrain = |lab: &Self, how: &str| {
            lab.each(&all, |i| {
                for (k, service) in lab.services(i).iter().enumerate() {
                    let where_to = format!("node.hostname{}=n{node}", if k == 0 { "=" } else { "!" });
                    lab.cluster.ask(&["service", "update", "--detach", how, &where_to, service]);
                }
            });
        };
        constrain(self, "--constraint-add");
        let mut away = Vec::new();
        eventually(HEALS, || {
            self.read();
            let there = |i: usize| {
                let member = format!("{}-1", self.variant(i).name);
                self.living(i).iter().any(|l| l.member == member && l.node == node)
            };
            away = all.iter().copied().filter(|i| !there(*i) || !self.settled(*i)).collect();
            away.is_empty()
        });
        for &i in &away {
            println!(
                "        AWAY {} does not come to n{node}, and is not tried there",
                self.variant(i).name
            );
            self.story(self.variant(i).name, trace::now() - 60_000);
        }
        constrain(self, "--constraint-rm");
    }

    /// Waits until each member of `who` has restarted after `from`.
    fn renewed(&mut self, who: &[usize], from: u64) {
        eventually(HEALS, || {
            self.read();
            let again = |i: usize, member: &str| {
                let name = self.variant(i).name;
                self.lives.all.iter().any(|l| l.service == name && l.member == member && l.start >= from)
            };
            who.iter().all(|i| self.wanted(*i).iter().all(|(member, _)| again(*i, member)))
        });
    }

    /// Returns whether every member of `i` runs exactly once, on its node and with its data.
    fn settled(&self, i: usize) -> bool {
        let living = self.living(i);
        let wanted = self.wanted(i);
        let fits = |l: &Life, (member, node): &(String, Option<Node>)| {
            l.member == *member
                && node.is_none_or(|n| n == l.node)
                && l.generation == self.generation[i]
                && (l.revision.is_empty() || l.revision == self.revision[i])
        };
        let all = wanted.iter().all(|w| living.iter().filter(|l| fits(l, w)).count() == 1);
        // Two services with `apart_from` need two nodes, in any order.
        all && living.len() == wanted.len()
    }

    /// Waits at most `seconds` until all of `who` are settled. Returns the services that are not.
    fn settle(&mut self, who: &[usize], seconds: u64) -> Vec<usize> {
        let mut well = 0;
        let mut late: Vec<usize> = Vec::new();
        eventually(seconds, || {
            self.read();
            late = who.iter().copied().filter(|i| !self.settled(*i)).collect();
            well = if late.is_empty() { well + 1 } else { 0 };
            // The services must stay settled for two seconds.
            well == 10
        });
        late
    }

    /// Prints the containers of a service since `from`.
    fn story(&self, name: &str, from: u64) {
        let mut own: Vec<&Life> =
            self.lives.all.iter().filter(|l| l.service == name && l.last >= from).collect();
        own.sort_by_key(|l| l.start);
        for l in own {
            let at = |t: u64| (t as f64 - from as f64) / 1000.0;
            println!(
                "          {} on n{} generation {}{} from {:.1} s to {:.1} s{}{}",
                l.member,
                l.node,
                l.generation,
                l.revision,
                at(l.start),
                at(l.last),
                l.port.map_or_else(String::new, |p| format!(", port from {:.1} s", at(p))),
                l.met.as_deref().map_or_else(String::new, |m| format!(", met {m} data")),
            );
        }
        let ps = [
            "service",
            "ps",
            "--no-trunc",
            "--format",
            "{{.Name}} {{.Node}} {{.DesiredState}} {{.CurrentState}} {{.Error}}",
        ];
        let i = (0..self.compiled.len()).find(|i| self.variant(*i).name == name).unwrap();
        for service in self.services(i) {
            let text = self
                .cluster
                .try_docker(self.cluster.manager, &[&ps[..], &[&service]].concat())
                .unwrap_or_else(|e| e);
            text.lines().take(6).for_each(|l| println!("          | {l}"));
        }
    }

    /// Removes stuck services and starts them again, so that the next experiment starts in a good
    /// state.
    fn fix(&mut self, who: &[usize]) {
        if who.is_empty() {
            return;
        }
        self.remove(who);
        let gone = eventually(120, || {
            self.read();
            who.iter().all(|i| self.living(*i).is_empty())
        });
        assert!(gone, "containers do not end");
        for i in who {
            let v = self.variant(*i).clone();
            for n in 1..=v.count {
                let _ = fs::remove_file(self.cluster.storage().join(format!("attached/data-{}-{n}", v.name)));
            }
        }
        self.deploy_again(who);
        let late = self.settle(who, HEALS);
        let names: Vec<&str> = late.iter().map(|i| self.variant(*i).name).collect();
        assert!(late.is_empty(), "{names:?} do not start any more");
    }

    fn remove(&self, who: &[usize]) {
        self.each(who, |i| {
            for service in self.services(i) {
                self.cluster.ask(&["service", "rm", &service]);
            }
        });
    }

    /// Deploys the other generation.
    fn deploy_other(&mut self, who: &[usize]) {
        for i in who {
            self.generation[*i] = if self.generation[*i] == "1" { "2" } else { "1" };
        }
        self.deploy_again(who);
    }

    fn update(&mut self, who: &[usize]) {
        self.deploy_other(who);
        let (_, others) = self.hanging("slow stop");
        // The update has ended only when the new containers run.
        self.settle(&others, HEALS);
    }

    fn bad_update(&mut self, who: &[usize]) {
        let before: Vec<&'static str> = self.generation.clone();
        let from = trace::now();
        self.deploy(who, "bad");
        eventually(60, || {
            self.read();
            let began: BTreeSet<&str> = self
                .lives
                .all
                .iter()
                .filter(|l| l.start >= from && l.generation == "bad")
                .map(|l| l.service.as_str())
                .collect();
            who.iter().all(|i| began.contains(self.variant(*i).name))
        });
        self.each(who, |i| {
            for service in self.services(i) {
                self.cluster.ask(&["service", "rollback", "--detach", &service]);
            }
        });
        self.generation = before;
    }

    /// Sets several labels of each node with one command.
    fn set(&self, labels: impl IntoIterator<Item = (Node, String)>) {
        let mut all: BTreeMap<Node, Vec<String>> = BTreeMap::new();
        for (node, label) in labels {
            all.entry(node).or_default().push(label);
        }
        for (node, labels) in all {
            self.cluster.label(node, &labels);
        }
    }

    fn without_value(labels: &[(Node, String)]) -> Vec<(Node, String)> {
        labels.iter().map(|(n, l)| (*n, l.split('=').next().unwrap().to_owned())).collect()
    }

    fn relabel(&mut self, who: &[usize]) {
        let from = trace::now();
        let labels: Vec<_> = who.iter().flat_map(|i| self.labels(*i)).collect();
        self.set(Self::without_value(&labels));
        self.set(labels);
        self.renewed(who, from);
    }

    fn move_pin(&mut self, who: &[usize]) {
        let home: Vec<_> = who.iter().map(|i| self.labels(*i)[0].clone()).collect();
        let away: Vec<_> = home.iter().map(|(_, l)| (SPARE, l.clone())).collect();
        self.set(Self::without_value(&home));
        self.set(away.clone());
        sleep(Duration::from_secs(30));
        self.set(Self::without_value(&away));
        self.set(home);
    }

    fn swap_pins(&mut self, who: &[usize]) {
        let home: Vec<_> = who.iter().flat_map(|i| self.labels(*i)).collect();
        let name = |i: usize| self.variant(i).name;
        let away: Vec<_> = who
            .iter()
            .flat_map(|i| [(HOME[0], format!("{}=2", name(*i))), (HOME[1], format!("{}=1", name(*i)))])
            .collect();
        self.set(away);
        sleep(Duration::from_secs(40));
        self.set(home);
    }

    fn scale_to(&self, who: &[usize], n: &str) {
        let all: Vec<String> =
            who.iter().flat_map(|i| self.services(*i)).map(|s| format!("{s}={n}")).collect();
        let args = ["service", "scale", "--detach"].into_iter().chain(all.iter().map(String::as_str));
        self.cluster.ask(&args.collect::<Vec<_>>());
    }

    fn scale(&mut self, who: &[usize]) {
        let from = trace::now();
        self.scale_to(who, "0");
        self.scale_to(who, "1");
        self.renewed(who, from);
    }

    fn drain(&mut self, nodes: &[Node], seconds: u64) {
        for state in ["drain", "active"] {
            for node in nodes {
                self.cluster.ask(&["node", "update", "--availability", state, &format!("n{node}")]);
            }
            if state == "drain" {
                sleep(Duration::from_secs(seconds));
            }
        }
    }

    fn second_revision(&mut self, who: &[usize]) {
        for i in who {
            self.revision[*i] = "v2";
        }
        self.deploy_again(who);
        for i in who {
            self.revision[*i] = "v1";
        }
    }

    fn flip_revision(&mut self, who: &[usize]) {
        self.second_revision(who);
        sleep(Duration::from_secs(3));
        let from = trace::now();
        let labels: Vec<_> = who
            .iter()
            .flat_map(|i| HOME.map(|n| (n, format!("{}-revision=v2", self.variant(*i).name))))
            .collect();
        self.set(labels);
        self.renewed(who, from);
        for i in who {
            self.revision[*i] = "v2";
        }
    }

    /// Kills the containers of `who` on `node`.
    fn kill(&self, who: &[usize], node: Node) {
        let names: BTreeSet<&str> = who.iter().map(|i| self.variant(*i).name).collect();
        let format = "{{.ID}} {{.Label \"com.docker.stack.namespace\"}}";
        let all = self.cluster.docker(node, &["ps", "--format", format]);
        let own = all.lines().filter_map(|l| l.split_once(' ')).filter(|(_, s)| names.contains(s));
        let ids: Vec<&str> = own.map(|(id, _)| id).collect();
        self.cluster.docker(node, &[&["kill"][..], &ids[..]].concat());
    }

    fn disk_gone(&mut self, who: &[usize]) {
        let node = HOME[0];
        let (there, aside) = (self.cluster.disk(node).join("d1"), self.cluster.disk(node).join("d1-aside"));
        fs::rename(&there, &aside).unwrap();
        self.kill(who, node);
        sleep(Duration::from_secs(30));
        fs::rename(&aside, &there).unwrap();
    }

    fn volume_gone(&mut self, who: &[usize]) {
        let from = trace::now();
        self.scale_to(who, "0");
        let gone = eventually(60, || {
            self.read();
            who.iter().all(|i| self.living(*i).is_empty())
        });
        assert!(gone, "containers do not end");
        // A node that has the volume mounted would give its tasks the removed folder, which engine 29 refuses.
        let attached = |i: usize, n: u32| {
            let name = format!("attached/data-{}-{n}", self.variant(i).name);
            fs::read_to_string(self.cluster.storage().join(name)).is_ok_and(|text| !text.is_empty())
        };
        let used = |i: &usize| (1..=self.variant(*i).count).any(|n| attached(*i, n));
        assert!(eventually(60, || !who.iter().any(used)), "a volume stays attached");
        for i in who {
            let v = self.variant(*i).clone();
            for n in 1..=v.count as usize {
                fs::remove_dir_all(self.volume(&v, n)).unwrap();
            }
        }
        self.scale_to(who, "1");
        self.renewed(who, from);
    }

    /// Three managers: two of the nodes with members become managers, too.
    fn promote(&self) {
        self.cluster.ask(&["node", "promote", "n3", "n4"]);
        let reachable = eventually(60, || {
            let all = self.cluster.ask(&["node", "ls", "--format", "{{.ManagerStatus}}"]);
            all.matches("Leader").count() + all.matches("Reachable").count() == 3
        });
        assert!(reachable, "three managers do not come together");
    }

    /// The leader goes; the clients ask another manager meanwhile.
    fn manager_lost(&mut self, who: &[usize]) {
        self.promote();
        self.deploy_other(who);
        sleep(Duration::from_secs(4));
        self.cluster.power_off(1);
        self.cluster.manager = SPARE;
        sleep(Duration::from_secs(40));
        self.cluster.power_on(1);
        self.cluster.wait(1);
        let back = eventually(120, || {
            let all = self
                .cluster
                .try_docker(SPARE, &["node", "ls", "--format", "{{.Hostname}} {{.ManagerStatus}}"]);
            all.is_ok_and(|text| text.contains("n1 Reachable") || text.contains("n1 Leader"))
        });
        assert!(back, "the manager does not come back");
        self.cluster.manager = 1;
    }

    /// A node that is a manager no more, the leader among them, is lost for the others for a moment.
    fn managers_demoted(&self) {
        self.promote();
        for node in ["n3", "n4"] {
            self.cluster.ask(&["node", "demote", node]);
            sleep(Duration::from_secs(20));
        }
    }

    /// The first member of `i` and the node on which it runs.
    fn first(&self, i: usize) -> Option<(String, Node)> {
        self.living(i).first().map(|l| (l.member.clone(), l.node))
    }

    /// berthc refuses the second spec; Swarm gives the port to nobody else.
    fn rival(&mut self, who: &[usize]) {
        self.read();
        for &i in who {
            let of = &self.compiled[i];
            // A volume is named after its service: no other spec can name it.
            if matches!(of.variant.cell, Cell::PerNode | Cell::Pinned) {
                let told = variant::rival(of);
                let refused = told.iter().any(|code| code == "neighbour" || code == "host-twice");
                assert!(refused, "{}: of a second spec with its data berthc says {told:?}", of.variant.name);
            }
            let Some((_, node)) = self.first(i) else { continue };
            let (name, port) = (format!("rival-{}", of.variant.name), of.port);
            let (publish, at) =
                (format!("mode=host,target={port},published={port}"), format!("node.hostname==n{node}"));
            self.cluster.ask(&[
                "service",
                "create",
                "--detach",
                "--no-resolve-image",
                "--name",
                &name,
                "--constraint",
                &at,
                "--publish",
                &publish,
                "--env",
                &format!("SERVICE={name}"),
                "--env",
                "MEMBER=1",
                image::NAME,
                "/probe",
            ]);
        }
        sleep(Duration::from_secs(15));
        self.read();
        let ran: Vec<&str> = self
            .lives
            .all
            .iter()
            .filter(|l| l.service.starts_with("rival-"))
            .map(|l| l.service.as_str())
            .collect();
        assert!(ran.is_empty(), "beside the port of a member ran {ran:?}");
        self.remove_others("rival-");
    }

    /// Goes round what keeps specs apart: nothing on the cluster knows whose the data is.
    fn stranger(&mut self, who: &[usize]) {
        self.read();
        for &i in who {
            let Some((member, node)) = self.first(i) else { continue };
            let v = self.variant(i);
            let services = self.services(i);
            let of = services.iter().find(|s| s.ends_with(&member)).unwrap_or(&services[0]);
            let format = "{{json .Spec.TaskTemplate.ContainerSpec.Mounts}}";
            let mounts: serde_json::Value =
                serde_json::from_str(&self.cluster.ask(&["service", "inspect", "--format", format, of]))
                    .unwrap();
            let mount = &mounts[0];
            let (kind, source) = (mount["Type"].as_str().unwrap(), mount["Source"].as_str().unwrap());
            let driver = mount["VolumeOptions"]["DriverConfig"]["Name"].as_str();
            let driver = driver.map_or_else(String::new, |d| format!(",volume-driver={d}"));
            let mount = format!("type={kind},source={source},target=/data{driver}");
            // All nodes see the storage of a volume, and a directory belongs to its node.
            let node = match kind {
                "bind" => node,
                _ => self.cluster.workers().find(|n| *n != node).unwrap(),
            };
            self.cluster.ask(&[
                "service",
                "create",
                "--detach",
                "--no-resolve-image",
                "--name",
                &format!("stranger-{}", v.name),
                "--constraint",
                &format!("node.hostname==n{node}"),
                "--mount",
                &mount,
                "--stop-grace-period",
                "1s",
                "--env",
                &format!("SERVICE={}", v.name),
                "--env",
                &format!("MEMBER={member}"),
                "--env",
                "DATA=/data",
                image::NAME,
                "/probe",
            ]);
        }
        sleep(Duration::from_secs(15));
        self.remove_others("stranger-");
        sleep(HEAL);
    }

    fn remove_others(&self, prefix: &str) {
        let all = self.cluster.ask(&["service", "ls", "--format", "{{.Name}}"]);
        let own: Vec<&str> = all.lines().filter(|n| n.starts_with(prefix)).collect();
        if !own.is_empty() {
            self.cluster.ask(&[&["service", "rm"][..], &own].concat());
        }
    }
}
