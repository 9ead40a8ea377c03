//! A real Swarm of several nodes on one machine.
//!
//! A node is a process in its own network, process, mount and host name namespaces, with a dockerd
//! inside. Killing that process is a power failure: everything on the node dies with it. All nodes
//! are inside the namespaces of the suite (`main.rs`), so nothing outlives the suite.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::image;
use crate::sh::{self, eventually};

/// The volume plugins in berthc's table, each with the way in which it fences.
const PLUGINS: [(&str, &str); 3] =
    [("rexray/rbd", "never"), ("flocker", "connected"), ("rexray/scaleio", "always")];

/// The CSI driver of the cluster volumes, as berthc's table names it.
const CSI: &str = "rbd.csi.ceph.com";

/// The number of a node, from 1. The first node is the manager and runs no member.
pub type Node = usize;

/// The cluster.
pub struct Cluster {
    dir: PathBuf,
    /// The manager that is asked.
    pub manager: Node,
    nodes: Vec<Option<Running>>,
}

struct Running {
    unshare: Child,
    init: u32,
    dockerd: Option<Child>,
}

impl Cluster {
    /// Starts `count` nodes below `dir`, all in one swarm, with image, plugins and a network. `csi` is the
    /// program of the CSI driver.
    pub fn start(dir: &Path, count: usize, csi: Option<&Path>) -> Self {
        let mut cluster =
            Self { dir: dir.to_path_buf(), manager: 1, nodes: (0..=count).map(|_| None).collect() };
        storage(dir);
        fs::write(dir.join("empty.json"), "{}").unwrap();
        forget_groups();
        sh::run("ip link add br0 type bridge && ip link set br0 up && ip link set lo up");
        for node in 1..=count {
            cluster.power_on(node);
        }
        for node in 1..=count {
            cluster.wait(node);
        }
        for node in 1..=count {
            let tar = cluster.dir.join("image.tar");
            cluster.docker(node, &["import", tar.to_str().unwrap(), image::NAME]);
            let docker = |args: &[&str]| {
                cluster.docker(node, args);
            };
            let name = format!("n{node}");
            plugins(&cluster.of(node), &name, &docker);
            if let Some(csi) = csi {
                csi_plugin(&cluster.of(node), &name, csi, &docker);
            }
        }
        cluster.docker(
            1,
            &["swarm", "init", "--advertise-addr", "10.77.0.1", "--default-addr-pool", "10.200.0.0/16"],
        );
        let token = cluster.docker(1, &["swarm", "join-token", "-q", "worker"]);
        for node in 2..=count {
            let own = format!("10.77.0.{node}");
            cluster.docker(
                node,
                &["swarm", "join", "--token", token.trim(), "--advertise-addr", &own, "10.77.0.1:2377"],
            );
        }
        cluster.docker(1, &["node", "update", "--availability", "drain", "n1"]);
        cluster.docker(1, &["network", "create", "-d", "overlay", "--attachable", "apps"]);
        cluster
    }

    /// Returns the nodes that may run members.
    pub fn workers(&self) -> std::ops::Range<Node> {
        2..self.nodes.len()
    }

    fn of(&self, node: Node) -> PathBuf {
        self.dir.join(format!("n{node}"))
    }

    /// Returns the folder that the node's containers see as `/mnt`: its own disk.
    pub fn disk(&self, node: Node) -> PathBuf {
        self.of(node).join("mnt")
    }

    /// Returns the folder with the data of the volume plugins.
    pub fn storage(&self) -> PathBuf {
        self.dir.join("storage")
    }

    /// Returns the folder with the traces of the node's containers.
    pub fn traces(&self, node: Node) -> PathBuf {
        self.of(node).join("trace")
    }

    /// Starts the node with its old disk.
    pub fn power_on(&mut self, node: Node) {
        let dir = self.of(node);
        for folder in ["mnt/d1", "trace", "docker"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        // The storage recognizes a new start of the node by this file.
        let boots = self.storage().join("boot").join(format!("n{node}"));
        let boot = fs::read_to_string(&boots).ok().and_then(|b| b.parse().ok()).unwrap_or(0u32) + 1;
        fs::write(boots, boot.to_string()).unwrap();
        RUNTIME.write(&dir);
        // The host's own /run, /etc/docker and /mnt stay untouched. The shell reaps orphans.
        let script = format!(
            "set -e; d={}; hostname n{node}; mkdir -p /etc/docker; \
             mount -t tmpfs run /run; mount -t tmpfs etc /etc/docker; \
             mount --bind $d/mnt /mnt; \
             ip link set lo up; echo > $d/up; while :; do sleep 600 & wait $!; done",
            dir.display()
        );
        let _ = fs::remove_file(dir.join("up"));
        let unshare = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"])
            .args(["--propagation", "private", "sh", "-c", &script])
            .stdin(Stdio::null())
            // It prints a warning about a signal mask that it cannot restore.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        assert!(eventually(10, || dir.join("up").exists()), "node {node} did not come up");
        let init = child_of(unshare.id()).expect("the first process of the node");
        sh::run(&format!(
            "ip link add v{node} type veth peer name eth0 netns {init} && ip link set v{node} master br0 up && \
             nsenter -t {init} -n sh -c 'ip addr add 10.77.0.{node}/24 dev eth0 && ip link set eth0 up'"
        ));
        self.nodes[node] = Some(Running { unshare, init, dockerd: None });
        self.start_docker(node);
    }

    /// Starts dockerd on a node that is up.
    pub fn start_docker(&mut self, node: Node) {
        let dir = self.of(node);
        let log = fs::OpenOptions::new().create(true).append(true).open(dir.join("log")).unwrap();
        let running = self.nodes[node].as_mut().expect("a node that is up");
        let d = dir.display();
        let dockerd = format!(
            "rm -f /run/docker.pid; exec nice -n 5 dockerd --config-file {}/empty.json --data-root {d}/docker \
             --exec-root /run/docker --pidfile /run/docker.pid -H unix://{d}/sock --cgroup-parent /berthc-e2e \
             --exec-opt native.cgroupdriver=cgroupfs --default-address-pool base=172.20.0.0/16,size=24 \
             --add-runtime traced={d}/runtime --default-runtime traced",
            self.dir.display()
        );
        let child = Command::new("nsenter")
            .args(["-t", &running.init.to_string(), "-m", "-n", "-p", "-u", "sh", "-c", &dockerd])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        running.dockerd = Some(child);
    }

    /// The versions of the engine and of its client.
    pub fn version(&self) -> String {
        let text = self.docker(
            1,
            &[
                "version",
                "--format",
                "{{.Server.Version}} (API {{.Server.APIVersion}}), client {{.Client.Version}}",
            ],
        );
        text.trim().to_owned()
    }

    /// Waits until the node's dockerd answers.
    pub fn wait(&self, node: Node) {
        let up = eventually(60, || self.try_docker(node, &["version"]).is_ok());
        assert!(up, "dockerd of node {node} did not come up:\n{}", self.log(node));
    }

    /// Returns the last lines of dockerd's log.
    pub fn log(&self, node: Node) -> String {
        let text = fs::read_to_string(self.of(node).join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Sends dockerd a signal. After KILL its containers keep running.
    pub fn signal_docker(&mut self, node: Node, signal: &str) {
        let running = self.nodes[node].as_mut().expect("a node that is up");
        sh::run(&format!("nsenter -t {} -m -p sh -c 'kill -{signal} $(cat /run/docker.pid)'", running.init));
        if let Some(mut child) = running.dockerd.take() {
            child.wait().unwrap();
        }
    }

    /// Cuts the power of the node.
    pub fn power_off(&mut self, node: Node) {
        let Some(mut running) = self.nodes[node].take() else { return };
        sh::run(&format!("kill -9 {}", running.init));
        running.unshare.wait().unwrap();
        if let Some(mut child) = running.dockerd.take() {
            child.wait().unwrap();
        }
        let _ = fs::remove_file(self.of(node).join("sock"));
        // The network link disappears with the namespace, after some time.
        eventually(10, || {
            !sh::ok(&format!("ip link show v{node}")) || sh::ok(&format!("ip link del v{node}"))
        });
    }

    /// Disconnects the node from the network, or connects it again. Its containers keep running.
    pub fn cut(&self, node: Node, off: bool) {
        sh::run(&format!("ip link set v{node} {}", if off { "down" } else { "up" }));
        self.storage_loses(node, off);
    }

    /// Disconnects the node from the storage, or connects it again.
    pub fn storage_loses(&self, node: Node, off: bool) {
        let cut = self.storage().join("cut").join(format!("n{node}"));
        if off { fs::write(cut, "").unwrap() } else { fs::remove_file(cut).unwrap() }
    }

    /// Runs a docker client against the node; an error ends the suite. A command that fails because
    /// of a concurrent change or a busy manager runs again.
    pub fn docker(&self, node: Node, args: &[&str]) -> String {
        let busy = |e: &str| {
            ["out of sequence", "DeadlineExceeded", "deadline exceeded"].iter().any(|w| e.contains(w))
        };
        let mut said = self.try_docker(node, args);
        for _ in 0..5 {
            if !said.as_ref().is_err_and(|e| busy(e)) {
                break;
            }
            sleep(Duration::from_secs(1));
            said = self.try_docker(node, args);
        }
        said.unwrap_or_else(|e| panic!("node {node}: docker {}: {e}", args.join(" ")))
    }

    /// Runs a docker client against a manager.
    pub fn ask(&self, args: &[&str]) -> String {
        self.docker(self.manager, args)
    }

    /// Runs a docker client against the node.
    pub fn try_docker(&self, node: Node, args: &[&str]) -> Result<String, String> {
        let host = format!("unix://{}/sock", self.of(node).display());
        let done = Command::new("timeout").args(["180", "docker", "-H", &host]).args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if done.status.success() { Ok(text(done.stdout)) } else { Err(text(done.stderr)) }
    }

    /// Adds (`key=value`) or removes (`key`) labels of a node.
    pub fn label(&self, node: Node, labels: &[String]) {
        let mut args = vec!["node", "update"];
        for label in labels {
            args.extend([if label.contains('=') { "--label-add" } else { "--label-rm" }, label]);
        }
        let name = format!("n{node}");
        args.push(&name);
        self.ask(&args);
    }
}

/// Installs the volume plugins for the dockerd of `node` in its folder `dir`. The folder of the
/// storage is next to `dir`.
pub fn plugins(dir: &Path, node: &str, docker: &dyn Fn(&[&str])) {
    for (name, fence) in PLUGINS {
        let what = serde_json::json!({
            "entrypoint": ["/probe", "plugin"], "propagatedMount": "/mounts",
            "interface": { "types": ["docker.volumedriver/1.0"], "socket": "plugin.sock" },
        });
        plugin(dir, name, what, &[("FENCE", fence), ("NODE", node)], "", docker);
    }
}

/// Installs the CSI driver, for cluster volumes.
fn csi_plugin(dir: &Path, node: &str, program: &Path, docker: &dyn Fn(&[&str])) {
    let what = serde_json::json!({
        "entrypoint": ["/csi"], "propagatedMount": "/data/published",
        "interface": { "types": ["docker.csicontroller/1.0", "docker.csinode/1.0"], "socket": "csi.sock" },
    });
    let add = format!(" && mkdir -p rootfs/data/published && cp {} rootfs/csi", program.display());
    plugin(dir, CSI, what, &[("DRIVER", CSI), ("NODE", node)], &add, docker);
}

/// Installs a plugin that sees the storage of all nodes. `add` is shell that adds to its files.
fn plugin(
    dir: &Path,
    name: &str,
    mut config: serde_json::Value,
    env: &[(&str, &str)],
    add: &str,
    docker: &dyn Fn(&[&str]),
) {
    let all = dir.parent().unwrap();
    let dir = dir.join("plugin");
    let env = env.iter().map(|(name, value)| {
        serde_json::json!({ "name": name, "description": "", "settable": null, "value": value })
    });
    let rest = serde_json::json!({
        "description": "volumes that all nodes share", "documentation": "", "workdir": "/",
        "network": { "type": "none" },
        "linux": { "capabilities": ["CAP_SYS_ADMIN"], "allowAllDevices": false, "devices": null },
        "env": env.collect::<Vec<_>>(),
        "mounts": [{ "name": "storage", "description": "", "settable": null, "source": all.join("storage"),
                     "destination": "/storage", "type": "bind", "options": ["rbind", "rw"] }],
        "args": { "name": "", "description": "", "settable": null, "value": null },
    });
    config.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    fs::create_dir_all(&dir).unwrap();
    sh::run(&format!("cd {} && cp -a {}/image rootfs{add}", dir.display(), all.display()));
    fs::write(dir.join("config.json"), config.to_string()).unwrap();
    // Docker refuses a second plugin with the same content.
    fs::write(dir.join("rootfs/etc/plugin"), name).unwrap();
    docker(&["plugin", "create", name, dir.to_str().unwrap()]);
    docker(&["plugin", "enable", name]);
    fs::remove_dir_all(&dir).unwrap();
}

/// Creates the folders of the storage that all nodes share.
pub fn storage(dir: &Path) {
    for folder in ["volumes", "attached", "boot", "cut"] {
        fs::create_dir_all(dir.join("storage").join(folder)).unwrap();
    }
}

/// A runtime that gives every container a directory for its traces and otherwise is runc. With it,
/// the suite deploys the output of berthc unchanged.
pub struct Runtime(&'static str);

pub const RUNTIME: Runtime = Runtime(
    r#"#!/bin/sh
create= bundle=. next=
for a; do
    [ "$next" ] && bundle=$a next=
    case $a in create) create=1 ;; --bundle) next=1 ;; esac
done
[ "$create" ] && sed -i 's|"mounts":\[|"mounts":[MOUNT,|' "$bundle/config.json"
exec runc "$@"
"#,
);

impl Runtime {
    /// Writes `runtime` into `dir`; containers see `trace` of `dir`.
    pub fn write(&self, dir: &Path) {
        let mount = serde_json::json!({
            "destination": "/trace", "type": "bind", "source": dir.join("trace"), "options": ["rbind", "rw"]
        });
        let path = dir.join("runtime");
        fs::write(&path, self.0.replace("MOUNT", &mount.to_string())).unwrap();
        sh::run(&format!("chmod 755 {}", path.display()));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in 1..self.nodes.len() {
            self.power_off(node);
        }
        sh::ok("ip link del br0");
        forget_groups();
    }
}

/// Removes the control groups, which do not disappear with the namespaces. Groups in use cannot be
/// removed.
pub fn forget_groups() {
    sh::ok("for d in $(find /sys/fs/cgroup -depth -type d -path '*/berthc-e2e*'); do rmdir $d; done");
}

/// Returns the only child of a process.
pub fn child_of(parent: u32) -> Option<u32> {
    let all = fs::read_dir("/proc").ok()?.flatten();
    let pids = all.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let rest = stat.rsplit(')').next().unwrap_or_default();
        rest.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    let found = pids.into_iter().find(is_child);
    sleep(Duration::from_millis(1));
    found
}
