//! The end-to-end suite for Swarm and fleet: real dockerds and a real systemd run the output of
//! berthc. A probe in place of the database records what it held and when. See `README.md` in this
//! folder.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests read, write and fail loudly"
)]

mod cluster;
mod fleet;
mod image;
mod judge;
mod moves;
mod record;
mod sh;
mod swarm;
mod trace;
mod variant;

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use judge::Told;

/// Marks the suite in its own namespaces.
const INNER: &str = "BERTHC_E2E_INNER";
/// The path where the suite mounts its disk, only in its own namespace.
const DIR: &str = "/tmp/berthc-e2e";
/// The exit code of automake for a skipped test.
const SKIPPED: u8 = 77;

const USAGE: &str = "\
The end-to-end suite. Which part?

  cargo test --test e2e -- swarm     every hazard against every service, 25 minutes
  cargo test --test e2e -- fleet     the units under systemd, 20 minutes

  --core         the short run, as in CI
  --only=NAME    only this experiment (may be repeated)
  --loud         tell every overlap
  --record       write what was seen into tests/e2e/docker and tests/e2e/measured; with --only, these
                 experiments alone

The engine is the first dockerd in PATH: tests/e2e/docker/engine VERSION DIR; PATH=DIR/bin:$PATH
fleet with another systemd: tests/e2e/docker/engine systemd-257 DIR; --systemd=DIR";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|a| a == flag);
    let fleet = has("fleet");
    if !(fleet || has("swarm")) {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    if std::env::var_os(INNER).is_none() {
        if let Err(why) = able(fleet) {
            eprintln!("SKIPPED, nothing was tried: {why}");
            return ExitCode::from(SKIPPED);
        }
        fs::create_dir_all(DIR).unwrap();
        // Two runs at once would share control groups, and a systemd ends all processes in its
        // groups.
        let alone = fs::File::create(Path::new(DIR).join("lock")).unwrap();
        alone.lock().unwrap();
        if !fleet {
            build_csi();
        }
        return outside(&args);
    }
    std::thread::spawn(ends_with_the_outside);
    sh::run(&format!("mount -t tmpfs -o size=4g e2e {DIR}"));
    let dir = Path::new(DIR);
    let only: Vec<String> =
        args.iter().filter_map(|a| a.strip_prefix("--only=")).map(str::to_owned).collect();
    image::build(dir);
    let told = match fleet {
        true => {
            let usr = args.iter().find_map(|a| a.strip_prefix("--systemd="));
            fleet::run(dir, has("--core"), has("--loud"), &only, usr)
        }
        false => swarm::run(dir, has("--core"), has("--loud"), &only, &|told| {
            // A run that is cut off keeps what it has seen.
            if has("--record") {
                record::write(told, fleet);
            }
        }),
    };
    if has("--record") {
        record::write(&told, fleet);
    } else if !told.good {
        println!("{}", told.table);
    }
    match told {
        Told { good: false, .. } => ExitCode::FAILURE,
        Told { skipped: true, .. } => ExitCode::from(SKIPPED),
        _ => ExitCode::SUCCESS,
    }
}

/// Builds the CSI driver, if Go and its modules are there. Without it there are no cluster volumes.
fn build_csi() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/docker/csi");
    let program = swarm::csi_program();
    let _ = fs::remove_file(&program);
    let build = "CGO_ENABLED=0 GOFLAGS='-trimpath -mod=readonly' go build -ldflags '-s -w' -o";
    let said = sh::output(&format!("cd {source} && {build} {} .", program.display()));
    if !program.exists() {
        println!("        the CSI driver cannot be built: {}", said.trim());
    }
}

/// Runs the suite in namespaces of its own. The first process in them is a shell, which reaps
/// orphaned processes. An unreaped process would prevent a node from shutting down.
fn outside(args: &[String]) -> ExitCode {
    let mut inside = own_namespaces()
        // A background process of a shell has no standard input, so the input has another
        // descriptor.
        .args(["sh", "-c", "exec 3<&0; \"$@\" <&3 3<&- & wait $!", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(args)
        .env(INNER, "1")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let line = inside.stdin.take();
    let ended = inside.wait().unwrap();
    drop(line);
    ended.code().and_then(|c| u8::try_from(c).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Ends the suite when the outer process ends: the pipe from it then closes, whatever the signal
/// was.
fn ends_with_the_outside() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(1);
}

/// Returns a command in new namespaces. All processes in them end with the suite, however it ends.
fn own_namespaces() -> Command {
    let mut unshare = Command::new("unshare");
    unshare
        .args(["--mount", "--net", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"])
        .args(["--propagation", "private"]);
    unshare
}

/// Checks whether this machine can run the suite.
fn able(fleet: bool) -> Result<(), String> {
    const PROGRAMS: [&str; 12] = [
        "dockerd",
        "docker",
        "containerd",
        "runc",
        "ip",
        "iptables",
        "unshare",
        "nsenter",
        "busybox",
        "flock",
        "ldd",
        "rustc",
    ];
    let missing: Vec<&str> = PROGRAMS.into_iter().filter(|p| !sh::ok(&format!("command -v {p}"))).collect();
    if !missing.is_empty() {
        return Err(format!(
            "no {} here (Debian: docker.io, iproute2, iptables, busybox-static)",
            missing.join(", ")
        ));
    }
    if fleet && !Path::new("/lib/systemd/systemd").exists() {
        return Err("no systemd here (Debian: systemd)".to_owned());
    }
    if !sh::ok("test $(id -u) = 0") {
        return Err("it needs root: nodes are namespaces".to_owned());
    }
    if sh::ok("ldd $(command -v busybox)") {
        return Err("busybox is not static (Debian: busybox-static)".to_owned());
    }
    // Tries in a separate namespace what dockerd needs from the kernel.
    let script = "ip link add name e2e0 type veth peer name e2e1 && ip link add name e2e2 type bridge && \
                  ip link add name e2e3 type vxlan id 9 dstport 4789 && mount -t tmpfs t /mnt && iptables -L -n";
    let tried = own_namespaces().args(["sh", "-c", script]).output().map_err(|e| e.to_string())?;
    if !tried.status.success() {
        let why = String::from_utf8_lossy(&tried.stderr);
        return Err(format!("no namespaces with networks of their own here: {}", why.trim()));
    }
    if !sh::ok("find /sys/fs/cgroup -maxdepth 2 -name cgroup.procs -writable | grep -q .") {
        return Err("the control groups cannot be written".to_owned());
    }
    Ok(())
}
