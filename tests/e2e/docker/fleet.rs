//! fleet: runs the units that berthc emits under a real systemd with a real dockerd.
//!
//! There are no packages of fleet any more. fleet writes a unit to a machine, starts it and stops
//! it, and the suite does the same. So this file tests the protection in a single unit: the name of
//! its container, its lock, its stop commands and its checks. `moves.rs` tests moves between two
//! machines.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::cluster::{Node, RUNTIME, child_of, forget_groups};
use crate::image;
use crate::judge::{self, Open, Row, SwarmService, Told};
use crate::moves;
use crate::sh::{self, eventually};
use crate::trace::{self, HERE, Life, Lives};
use crate::variant::{self, Cell, Compiled, PLAIN, Target, Variant};

/// The seconds until a unit must run again after a hazard.
const HEALS: u64 = 120;

/// The number of repetitions of a failed experiment.
const TRIES: u32 = 2;
/// The experiments of the short run.
const CORE: [&str; 3] = ["two revisions", "client killed", "disk gone"];

/// One machine, with systemd as its first process and a dockerd that systemd runs.
pub struct Machine {
    pub dir: PathBuf,
    unshare: Child,
    init: u32,
    /// The folders with the traces of this machine and of the other machines.
    pub traces: Vec<(Node, PathBuf)>,
    pub lives: Lives,
}

const DOCKER_SERVICE: &str = "\
[Unit]
Description=docker
[Service]
Type=notify
ExecStart=/usr/sbin/dockerd --config-file DIR/empty.json --data-root DIR/docker --exec-root /run/docker \\
  --pidfile /run/docker.pid -H unix:///run/docker.sock --cgroup-parent /berthc-e2e \\
  --exec-opt native.cgroupdriver=cgroupfs --bridge none --iptables=false \\
  --add-runtime traced=DIR/runtime --default-runtime traced
TimeoutStartSec=60
Restart=always
RestartSec=2
KillMode=process
Delegate=yes
";

impl Machine {
    /// Starts a machine with the systemd of this machine, or with that of the folder `usr`, whose programs and
    /// libraries then lie over those of this machine.
    pub fn start(dir: &Path, number: Node, usr: Option<&str>) -> Self {
        let dir = dir.join(format!("machine{number}"));
        for folder in ["units", "docker", "trace", "mnt/d1", "etc", "work"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        let d = dir.display().to_string();
        fs::write(dir.join("empty.json"), "{}").unwrap();
        fs::write(dir.join("etc/hostname"), format!("m{number}\n")).unwrap();
        RUNTIME.write(&dir);
        let unit = |name: &str, text: &str| fs::write(dir.join("units").join(name), text).unwrap();
        for target in ["sysinit", "basic", "shutdown", "network-online", "local-fs", "multi-user", "sockets"]
        {
            unit(&format!("{target}.target"), "[Unit]\nDefaultDependencies=no\n");
        }
        unit("e2e.target", "[Unit]\nWants=docker.service\nAfter=docker.service\n");
        unit("docker.service", &DOCKER_SERVICE.replace("DIR", &d));
        let over = usr.map_or_else(String::new, |usr| {
            format!("mount -t overlay usr -o lowerdir={usr}/usr:/usr /usr; ")
        });
        // systemd creates control groups below its own group and writes to /etc, so both must be
        // writable. From 256 on it must be told that control groups of version 1 will do.
        let script = format!(
            "set -e; for g in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do \
             [ -w $g/cgroup.procs ] && mkdir -p $g/berthc-e2e/m{number} && echo 0 > $g/berthc-e2e/m{number}/cgroup.procs; done; \
             hostname m{number}; {over}mount -t tmpfs run /run; \
             mount -t overlay etc -o lowerdir=/etc,upperdir={d}/etc,workdir={d}/work /etc; \
             mount --bind {d}/mnt /mnt; ip link set lo up; \
             exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=docker SYSTEMD_UNIT_PATH={d}/units \
             SYSTEMD_PROC_CMDLINE=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 \
             $(command -v /lib/systemd/systemd /usr/lib/systemd/systemd | head -n 1) --system --unit=e2e.target"
        );
        let unshare = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"])
            .args(["--propagation", "private", "sh", "-c", &script])
            .stdin(Stdio::null())
            .stdout(fs::File::create(dir.join("log")).unwrap())
            .stderr(fs::File::create(dir.join("errors")).unwrap())
            .spawn()
            .unwrap();
        let mut init = None;
        eventually(10, || {
            init = child_of(unshare.id());
            init.is_some()
        });
        let traces = vec![(number, dir.join("trace"))];
        let machine = Self { init: init.expect("systemd"), unshare, dir, traces, lives: Lives::default() };
        let up = eventually(60, || machine.docker(&["version"]).is_ok());
        let log = || {
            sh::output(&format!(
                "cat {d}/log {d}/errors; nsenter -t {} -m -p -n -u systemctl status docker.service",
                machine.init
            ))
        };
        assert!(up, "no dockerd under systemd:\n{}", log());
        let tar = machine.dir.with_file_name("image.tar");
        machine.docker(&["import", tar.to_str().unwrap(), image::NAME]).unwrap();
        machine
    }

    pub fn enter(&self, args: &[&str]) -> Result<String, String> {
        let init = self.init.to_string();
        let done = Command::new("nsenter")
            .args(["-t", &init, "-m", "-p", "-n", "-u", "timeout", "90"])
            .args(args)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
        if done.status.success() { Ok(text(done.stdout)) } else { Err(text(done.stderr)) }
    }

    pub fn docker(&self, args: &[&str]) -> Result<String, String> {
        self.enter(&[&["/usr/bin/docker"][..], args].concat())
    }

    pub fn systemctl(&self, args: &[&str]) {
        let done = self.enter(&[&["systemctl"][..], args].concat());
        done.unwrap_or_else(|e| panic!("systemctl {}: {e}", args.join(" ")));
    }

    /// Runs `start`, `stop` or `restart` without waiting.
    pub fn ask(&self, what: &str, unit: &str) {
        self.systemctl(&[what, "--no-block", unit]);
    }

    fn state(&self, unit: &str) -> String {
        self.enter(&["systemctl", "show", "-p", "ActiveState", "--value", unit]).unwrap_or_default()
    }

    fn container(&self, unit: &Unit) -> Result<String, String> {
        self.docker(&["ps", "-q", "--filter", &format!("label=berth.unit={}", unit.file)])
    }

    pub fn living(&mut self, unit: &Unit) -> Vec<Life> {
        self.lives.read(self.traces.iter().map(|(n, p)| (*n, p.as_path())));
        let now = trace::now();
        let own = |l: &&Life| l.service == unit.service && l.revision == unit.revision && l.lives(now);
        self.lives.all.iter().filter(own).cloned().collect()
    }

    /// Waits until exactly one container of the unit runs, and it started after `from`.
    fn runs(&mut self, unit: &Unit, from: u64) -> bool {
        eventually(HEALS, || {
            let living = self.living(unit);
            living.len() == 1 && living[0].start >= from
        })
    }

    /// Restores the first state: the first unit runs, the other one does not, and the disk is
    /// mounted.
    fn begin_anew(&mut self, v1: &Unit, v2: &Unit) {
        let (there, aside) = (self.dir.join("mnt/d1"), self.dir.join("mnt/d1-aside"));
        if aside.exists() {
            fs::rename(aside, there).unwrap();
        }
        let _ = self.enter(&["systemctl", "reset-failed"]);
        if v2.file != v1.file {
            self.systemctl(&["stop", &v2.file]);
        }
        self.ask("start", &v1.file);
        assert!(self.runs(v1, 0), "{} does not start any more", v1.file);
    }

    fn gone(&mut self, unit: &Unit) -> bool {
        eventually(HEALS, || self.living(unit).is_empty())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        sh::ok(&format!("kill -9 {}", self.init));
        let _ = self.unshare.wait();
        forget_groups();
    }
}

/// A unit as berthc emitted it, or with a rule removed.
pub struct Unit {
    pub service: &'static str,
    pub revision: &'static str,
    pub file: String,
}

impl Unit {
    fn new(of: &Compiled, revision: &'static str) -> Self {
        let name = of.variant.name;
        if of.variant.counted() {
            return Self { service: name, revision: "", file: format!("{name}@1.service") };
        }
        Self { service: name, revision, file: format!("{name}.{revision}.service") }
    }
}

type Run = fn(&mut Machine, &Unit, &Unit) -> Result<(), String>;

fn well(good: bool, what: &str) -> Result<(), String> {
    if good { Ok(()) } else { Err(what.to_owned()) }
}

/// The experiments. Each begins and ends in the first state: the first revision runs, and the
/// second one is written.
const EXPERIMENTS: [(&str, &str, &str, Run); 13] = [
    (
        "two revisions",
        "revisions",
        "the second unit is started beside the first, stopped, and started again",
        two_revisions,
    ),
    ("restart", "update", "the unit is restarted; the stop takes its whole grace", |m, v1, _| {
        let from = trace::now();
        m.ask("restart", &v1.file);
        well(m.runs(v1, from), "it does not run again")
    }),
    ("stop", "update", "the unit is stopped and started at once", |m, v1, _| {
        let from = trace::now();
        m.systemctl(&["stop", &v1.file]);
        // The stop ends after the container has ended.
        let living = m.docker(&["ps", "-q", "--filter", &format!("label=berth.unit={}", v1.file)])?;
        well(living.is_empty(), "the unit was stopped before its container")?;
        m.ask("start", &v1.file);
        well(m.runs(v1, from), "it does not run again")
    }),
    ("client killed", "reboot", "the docker client is killed with -9", |m, v1, _| {
        let from = trace::now();
        let pid = m.enter(&["systemctl", "show", "-p", "MainPID", "--value", &v1.file])?;
        m.enter(&["kill", "-9", &pid])?;
        well(m.runs(v1, from), "it does not run again")
    }),
    ("dockerd restarted", "reboot", "docker.service is restarted", |m, v1, _| {
        let from = trace::now();
        m.ask("restart", "docker.service");
        well(m.runs(v1, from), "it does not run again")
    }),
    ("dockerd killed", "reboot", "dockerd is killed with -9, and systemd starts it again", |m, v1, _| {
        let from = trace::now();
        m.systemctl(&["kill", "-s", "KILL", "--kill-who=main", "docker.service"]);
        well(m.runs(v1, from), "it does not run again")
    }),
    ("container removed", "force", "docker rm -f", |m, v1, _| {
        let from = trace::now();
        let id = m.container(v1)?;
        m.docker(&["rm", "-f", &id])?;
        well(m.runs(v1, from), "it does not run again")
    }),
    ("disk gone", "move", "the directory is not there when the unit starts, and comes later", |m, v1, _| {
        let (there, aside) = (m.dir.join("mnt/d1"), m.dir.join("mnt/d1-aside"));
        m.systemctl(&["stop", &v1.file]);
        fs::rename(&there, &aside).unwrap();
        let from = trace::now();
        m.ask("start", &v1.file);
        sleep(Duration::from_secs(25));
        let none = m.living(v1).is_empty() && !there.exists();
        fs::rename(&aside, &there).unwrap();
        well(none, "it started without its directory, or something made it")?;
        well(m.runs(v1, from), "it does not start by itself when the directory is there")
    }),
    (
        "disk not mounted",
        "reboot",
        "the mount of the disk fails when the unit starts, and works later",
        not_mounted,
    ),
    ("copied", "colocate", "the same unit is started beside it under another name", |m, v1, _| {
        beside(m, v1, "copy.service", |text| text.to_owned())
    }),
    ("revision flipped", "relabel", "the metadata goes from v1 to v2 at once, and back", |m, v1, v2| {
        for (old, new) in [(v1, v2), (v2, v1)] {
            let from = trace::now();
            m.ask("stop", &old.file);
            m.ask("start", &new.file);
            well(m.runs(new, from), "the other revision does not run")?;
            well(m.living(old).is_empty(), "both run")?;
        }
        Ok(())
    }),
    (
        "rival",
        "neighbour",
        "the unit of another service with its directory is started beside it",
        |m, v1, _| {
            beside(m, v1, "rival.service", |text| text.replace("-e SERVICE=", "-e RIVAL=yes -e SERVICE="))
        },
    ),
    (STRANGER, "neighbour", "a container of no spec mounts its directory", |m, v1, _| {
        let data = m.docker(&["inspect", "--format", "{{(index .Mounts 0).Source}}", &m.container(v1)?])?;
        let mount = format!("type=bind,source={data},target=/data");
        let service = format!("SERVICE={}", v1.service);
        // As the one whose data it is: the suite asks who runs, not what an identity says.
        let identity = fs::read_to_string(format!("{}{data}/identity", m.dir.display())).unwrap();
        let member = identity.trim().replacen(&format!("{}-", v1.service), "MEMBER=", 1);
        let run =
            ["run", "-d", "--rm", "--name", "stranger", "--mount", &mount, "-e", &service, "-e", &member];
        m.docker(&[&run[..], &["-e", "DATA=/data", image::NAME, "/probe"]].concat())?;
        sleep(Duration::from_secs(8));
        m.docker(&["kill", "stranger"])?;
        well(eventually(HEALS, || m.living(v1).len() == 1), "it does not run alone again")
    }),
];
/// Goes round the one thing that the certificate names: that all specs are compiled together.
const STRANGER: &str = "stranger";

/// Starts a unit that is `v1`'s but for its name and what `change` does to it. It may not run while `v1`
/// does.
fn beside(m: &mut Machine, v1: &Unit, name: &str, change: fn(&str) -> String) -> Result<(), String> {
    let units = m.dir.join("units");
    let text = fs::read_to_string(units.join(&v1.file)).unwrap().replace(&v1.file, name);
    fs::write(units.join(name), change(&text)).unwrap();
    m.systemctl(&["daemon-reload"]);
    let first = m.living(v1)[0].start;
    m.ask("start", name);
    sleep(Duration::from_secs(25));
    let living = m.living(v1);
    let waits = m.state(name);
    m.systemctl(&["stop", name]);
    fs::remove_file(units.join(name)).unwrap();
    m.systemctl(&["daemon-reload"]);
    well(living.len() == 1 && living[0].start == first, "it runs beside the first, or in its place")?;
    well(["activating", "deactivating"].contains(&waits.as_str()), "it does not wait")
}

fn two_revisions(m: &mut Machine, v1: &Unit, v2: &Unit) -> Result<(), String> {
    let first = m.living(v1)[0].start;
    m.ask("start", &v2.file);
    sleep(Duration::from_secs(25));
    well(m.living(v2).is_empty(), "the second runs beside the first")?;
    well(["activating", "deactivating"].contains(&m.state(&v2.file).as_str()), "the second does not wait")?;
    m.systemctl(&["stop", &v2.file]);
    let living = m.living(v1);
    well(living.len() == 1 && living[0].start == first, "stopping the second touched the first")?;
    let from = trace::now();
    m.ask("start", &v2.file);
    sleep(Duration::from_secs(3));
    m.ask("stop", &v1.file);
    well(m.runs(v2, from), "the second does not start when the first has gone")?;
    well(m.living(v1).is_empty(), "both run")?;
    // Return to the first revision.
    let from = trace::now();
    m.systemctl(&["stop", &v2.file]);
    m.ask("start", &v1.file);
    well(m.runs(v1, from), "it does not run again")
}

fn not_mounted(m: &mut Machine, v1: &Unit, _: &Unit) -> Result<(), String> {
    // The disk is another directory, mounted at the path of the data. The mount point below it
    // stays empty.
    let (mountpoint, disk) = (m.dir.join("mnt/d1"), m.dir.join("disk"));
    m.systemctl(&["stop", &v1.file]);
    fs::rename(&mountpoint, &disk).unwrap();
    fs::create_dir(&mountpoint).unwrap();
    let text = format!(
        "[Unit]\nDefaultDependencies=no\n[Mount]\nWhat={}\nWhere=/mnt/d1\nType=none\nOptions=bind\n",
        disk.display()
    );
    // This is no bind mount, because systemd creates the directories of a bind mount.
    let missing = "[Unit]\nDefaultDependencies=no\n[Mount]\nWhat=disk\nWhere=/mnt/d1\nType=nosuch\n";
    fs::write(m.dir.join("units/mnt-d1.mount"), missing).unwrap();
    m.systemctl(&["daemon-reload"]);
    let from = trace::now();
    m.ask("start", &v1.file);
    sleep(Duration::from_secs(25));
    let none = m.living(v1).is_empty();
    let waits = m.state(&v1.file);
    fs::write(m.dir.join("units/mnt-d1.mount"), text).unwrap();
    m.systemctl(&["daemon-reload"]);
    let _ = m.enter(&["systemctl", "reset-failed"]);
    // systemd does not retry a unit whose mount has failed; an operator must start it.
    m.ask("start", &v1.file);
    let ran = m.runs(v1, from);
    let told = m.enter(&["sh", "-c", &format!("systemctl status mnt-d1.mount {}; true", v1.file)])?;
    m.systemctl(&["stop", &v1.file]);
    let gone = m.gone(v1);
    m.systemctl(&["stop", "mnt-d1.mount"]);
    fs::remove_file(m.dir.join("units/mnt-d1.mount")).unwrap();
    m.systemctl(&["daemon-reload"]);
    fs::remove_dir(&mountpoint).unwrap();
    fs::rename(&disk, &mountpoint).unwrap();
    let from = trace::now();
    m.ask("start", &v1.file);
    let back = m.runs(v1, from);
    well(none, "it started on the bare mountpoint")?;
    // The unit may be `failed` since its last stop, because the client reports that its container
    // was killed.
    well(
        ["inactive", "failed"].contains(&waits.as_str()),
        &format!("a unit whose mount has failed is {waits}"),
    )?;
    well(ran, &format!("it does not run when the disk is there:\n{told}"))?;
    well(gone && back, "it does not run again")
}

/// Runs the suite below `dir`. Returns whether everything succeeded, and the table.
pub fn run(dir: &Path, core: bool, loud: bool, only: &[String], usr: Option<&str>) -> Told {
    let begin = Instant::now();
    let per_node = Variant { target: Target::Fleet, ..PLAIN };
    let variants = [
        Variant {
            name: "g",
            what: "A: per machine, machine's network, lock",
            host: true,
            guard: true,
            ..per_node.clone()
        },
        Variant { name: "h", what: "A: per machine, machine's network", host: true, ..per_node.clone() },
        Variant {
            name: "p",
            what: "B: pinned",
            host: true,
            cell: Cell::Pinned,
            count: 1,
            ..per_node.clone()
        },
    ];
    let compiled: Vec<Compiled> = variants
        .iter()
        .zip([7100, 7110, 7120])
        .filter(|(v, _)| !(core && v.name != "h"))
        .flat_map(|(v, port)| variant::compile(&dir.join("compiled"), std::slice::from_ref(v), port))
        .collect();
    let mut m = Machine::start(dir, 1, usr);
    let docker = m.docker(&["version", "--format", "{{.Server.Version}}"]).unwrap();
    let systemd = m.enter(&["systemctl", "--version"]).unwrap();
    let systemd = systemd.split(' ').nth(1).unwrap_or_default();
    let engine = format!("systemd {systemd}, dockerd {docker}");
    println!("{:>4} s  {engine} are up", begin.elapsed().as_secs());
    for of in &compiled {
        let name = of.variant.name;
        let (folder, member) = if of.variant.counted() {
            (format!("{name}-1"), format!("{name}-1"))
        } else {
            (name.to_owned(), "m1".to_owned())
        };
        let data = m.dir.join("mnt/d1").join(folder);
        fs::create_dir(&data).unwrap();
        fs::write(data.join("identity"), format!("{name}-{member}")).unwrap();
        sh::run(&format!("cp {}/*.service {}/units/", of.files["1"].display(), m.dir.display()));
    }
    m.systemctl(&["daemon-reload"]);
    let mut good = true;
    let mut rows: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    let mut open = Open::new();
    for of in &compiled {
        let (v1, v2) = (Unit::new(of, "v1"), Unit::new(of, "v2"));
        m.ask("start", &v1.file);
        assert!(m.runs(&v1, 0), "{} does not start", v1.file);
        for (name, hazard, _, run) in EXPERIMENTS {
            let left_out = core && !CORE.contains(&name)
                || !only.is_empty() && !only.iter().any(|o| o == name)
                // A counted service has only one revision.
                || of.variant.counted() && ["two revisions", "revision flipped"].contains(&name);
            if left_out {
                continue;
            }
            let from = trace::now();
            for turn in 0..=TRIES {
                let Err(why) = run(&mut m, &v1, &v2) else { break };
                println!("        WRONG {} {name}, time {turn} of {TRIES}: {why}", of.variant.name);
                println!("{}", m.enter(&["systemctl", "status", &v1.file, &v2.file]).unwrap_or_else(|e| e));
                good &= turn < TRIES;
                m.begin_anew(&v1, &v2);
            }
            m.living(&v1);
            let seen = trace::seen(&m.lives.all, of.variant.name, from, trace::now());
            if loud {
                println!("        {} {name}: {seen:?}", of.variant.name);
            }
            let breaks: &[&str] = if name == STRANGER { &["unique"] } else { &[] };
            let subject = SwarmService { name, hazard, breaks, provokes: &[] };
            let own = judge::judge(of, subject, &seen, 0, &mut open);
            for r in own.iter().filter_map(|r| r.wrong.as_ref().map(|w| (r, w))) {
                println!("        WRONG {} {}/{}: {}", r.0.service, r.0.resource, r.0.hazard, r.1);
                good = false;
            }
            rows.entry(name).or_default().extend(own);
            println!("{:>4} s  {} {name}", begin.elapsed().as_secs(), of.variant.name);
        }
        m.systemctl(&["stop", &v1.file]);
        m.gone(&v1);
    }
    let stripped = if only.is_empty() && !core { strips(&mut m, &compiled) } else { Ok(String::new()) };
    let mut text = table(&rows, &compiled);
    match stripped {
        Ok(more) => text += &more,
        Err(why) => {
            println!("        WRONG {why}");
            good = false;
        }
    }
    let mut told = judge::sum(&open);
    let two = |o: &String| o == LOST || moves::NAMES.contains(&o.as_str());
    if only.is_empty() || only.iter().any(two) {
        let second = Machine::start(dir, 2, usr);
        let lost = both_machines(&mut m, &second, &compiled);
        good &= lost.iter().all(|r| r.wrong.is_none());
        text += &format!(
            "\n## {LOST}\n\nA machine with a global unit is lost, runs on, and comes back. Hazard `partition`.\n\n"
        );
        text += &judge::lines(&lost, |_| "A: per machine, machine's network");
        rows.entry(LOST).or_default().extend(lost);
        let wanted = |name: &str| {
            (!core || moves::CORE.contains(&name)) && (only.is_empty() || only.iter().any(|o| o == name))
        };
        let (own, fine) = moves::run(dir, (&mut m, &second), wanted, loud, &mut open);
        good &= fine;
        told = judge::sum(&open);
        text += &moves::table(&own);
        rows.entry("moves").or_default().extend(own);
    }
    println!("{:>4} s  done", begin.elapsed().as_secs());
    let own = |name: &str| compiled.iter().find(|c| c.variant.name == name).map(|c| c.variant.cell.told());
    let cell = |name: &str| moves::cell(name).or_else(|| own(name));
    Told {
        good: good && told.good,
        engine,
        order: EXPERIMENTS
            .iter()
            .map(|e| e.0)
            .chain(["without the container's name", LOST])
            .chain(moves::NAMES)
            .collect(),
        measured: judge::measured(rows.values().flatten(), cell),
        table: text,
        ..told
    }
}

const LOST: &str = "machine lost";

/// fleet runs a global unit on every machine: a machine that is lost has its own, on its own data. When it
/// is back, fleetd stops and starts what it finds.
fn both_machines(m1: &mut Machine, m2: &Machine, compiled: &[Compiled]) -> Vec<Row> {
    let of = compiled.iter().find(|c| c.variant.name == "h").expect("a global unit");
    let unit = Unit::new(of, "v1");
    let data = m2.dir.join("mnt/d1/h");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("identity"), "h-m2").unwrap();
    sh::run(&format!("cp {}/*.service {}/units/", of.files["1"].display(), m2.dir.display()));
    m2.systemctl(&["daemon-reload"]);
    m1.traces.extend(m2.traces.iter().cloned());
    let from = trace::now();
    for machine in [&*m1, m2] {
        machine.ask("start", &unit.file);
    }
    assert!(eventually(HEALS, || m1.living(&unit).len() == 2), "{} does not run on both machines", unit.file);
    sleep(Duration::from_secs(20));
    m1.ask("restart", &unit.file);
    sleep(Duration::from_secs(25));
    m1.living(&unit);
    let seen = trace::seen(&m1.lives.all, "h", from, trace::now());
    for machine in [&*m1, m2] {
        machine.systemctl(&["stop", &unit.file]);
    }
    m1.traces.truncate(1);
    let subject = SwarmService { name: LOST, hazard: "partition", breaks: &[], provokes: &[] };
    judge::judge(of, subject, &seen, 0, &mut Open::new())
}

/// Runs the same two units next to each other without the container name. With the lock nothing
/// overlaps, without it they overlap. So the name prevented the overlap, and the lock is a second
/// mechanism.
fn strips(m: &mut Machine, compiled: &[Compiled]) -> Result<String, String> {
    let of_two = compiled.iter().filter(|c| !c.variant.counted());
    let mut text = "\n## without the container's name\n\nThe second unit is started beside the first. Hazard `revisions`.\n\n| service | seen |\n|---|---|\n".to_owned();
    for of in of_two {
        let (v1, v2) = (Unit::new(of, "v1"), Unit::new(of, "v2"));
        for unit in [&v1, &v2] {
            let path = m.dir.join("units").join(&unit.file);
            let whole = fs::read_to_string(&path).unwrap();
            let bare = whole.replace(&format!(" --name mnt.d1.{}", unit.service), "");
            assert_ne!(whole, bare, "the unit has no name to take away");
            fs::write(path, bare).unwrap();
        }
        m.systemctl(&["daemon-reload"]);
        let from = trace::now();
        m.ask("start", &v1.file);
        well(m.runs(&v1, from), "it does not start without the name")?;
        m.ask("start", &v2.file);
        sleep(Duration::from_secs(15));
        m.living(&v2);
        let seen = trace::seen(&m.lives.all, of.variant.name, from, trace::now());
        let met = seen.contains_key(&("data", HERE));
        well(met != of.variant.guard, &format!("{} without the name: {seen:?}", of.variant.name))?;
        let told = if met { "**overlap**, two on one node" } else { "held, by the lock" };
        text += &format!("| {} | {told} |\n", of.variant.what);
        m.systemctl(&["stop", &v1.file, &v2.file]);
        well(m.gone(&v1) && m.gone(&v2), "they do not stop")?;
    }
    Ok(text)
}

fn table(rows: &BTreeMap<&str, Vec<Row>>, compiled: &[Compiled]) -> String {
    let mut text = String::new();
    for (name, hazard, what, _) in EXPERIMENTS {
        let Some(own) = rows.get(name) else { continue };
        text += &format!("\n## {name}\n\n{what}. Hazard `{hazard}`.\n\n");
        text += &judge::lines(own, |s| {
            compiled.iter().find(|c| c.variant.name == s).map_or("", |c| c.variant.what)
        });
    }
    text
}
