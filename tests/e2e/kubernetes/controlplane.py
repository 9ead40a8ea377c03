"""A control plane of real programs on this machine: etcd, API server, controllers, scheduler."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
import ssl

TOKEN = "e2e"
# A pod leaves a lost node after this many seconds; the default of Kubernetes is 300.
TOLERATION = 5

SCHEDULER = """apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {{ kubeconfig: {kubeconfig}, qps: 200, burst: 400 }}
leaderElection: {{ leaderElect: false }}
podInitialBackoffSeconds: 1
podMaxBackoffSeconds: 1
"""


def free_ports(count):
    """Ports of this machine that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class ControlPlane:
    """`start` and `stop` run it; `kubeconfig` is the file for clients."""

    def __init__(self, programs, folder, gates=()):
        self.programs, self.folder, self.gates = programs, folder, gates
        self.kubeconfig = os.path.join(folder, "kubeconfig")
        self.running = {}

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        client, peer, self.port = free_ports(3)
        key = os.path.join(self.folder, "sa.key")
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        with open(os.path.join(self.folder, "tokens.csv"), "w") as f:
            f.write(f'{TOKEN},e2e,e2e,"system:masters"\n')
        with open(self.kubeconfig, "w") as f:
            json.dump({
                "apiVersion": "v1", "kind": "Config", "current-context": "e2e",
                "clusters": [{"name": "e2e", "cluster": {
                    "server": f"https://127.0.0.1:{self.port}", "insecure-skip-tls-verify": True}}],
                "users": [{"name": "e2e", "user": {"token": TOKEN}}],
                "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "e2e"}}]}, f)
        with open(os.path.join(self.folder, "scheduler.yaml"), "w") as f:
            f.write(SCHEDULER.format(kubeconfig=self.kubeconfig))
        urls = [f"http://127.0.0.1:{p}" for p in (client, peer)]
        self.run("etcd", "etcd", "--data-dir", os.path.join(self.folder, "etcd"), "--unsafe-no-fsync",
                 "--listen-client-urls", urls[0], "--advertise-client-urls", urls[0],
                 "--listen-peer-urls", urls[1], "--initial-advertise-peer-urls", urls[1],
                 "--initial-cluster", f"default={urls[1]}")
        self.run("kube-apiserver", "kube-apiserver", *self.gates, "--etcd-servers", urls[0], "--bind-address=127.0.0.1",
                 f"--secure-port={self.port}", "--cert-dir", os.path.join(self.folder, "certs"),
                 "--token-auth-file", os.path.join(self.folder, "tokens.csv"),
                 "--authorization-mode=AlwaysAllow", "--service-cluster-ip-range=10.96.0.0/16",
                 "--service-account-issuer=https://kubernetes.default.svc",
                 f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
                 "--endpoint-reconciler-type=none", "--allow-privileged",
                 f"--default-not-ready-toleration-seconds={TOLERATION}",
                 f"--default-unreachable-toleration-seconds={TOLERATION}")
        self.wait("/readyz")
        self.controllers()
        self.scheduler()

    def controllers(self, name="kube-controller-manager"):
        """Starts a second set of controllers; the first has the name of the program."""
        self.run(name, "kube-controller-manager", *self.gates, "--kubeconfig", self.kubeconfig, "--leader-elect=false",
                 "--secure-port=0", "--kube-api-qps=200", "--kube-api-burst=400",
                 "--service-account-private-key-file", os.path.join(self.folder, "sa.key"),
                 "--node-monitor-period=1s", "--node-monitor-grace-period=5s", "--node-eviction-rate=5")

    def scheduler(self, name="kube-scheduler"):
        self.run(name, "kube-scheduler", "--config", os.path.join(self.folder, "scheduler.yaml"),
                 "--secure-port=0")

    def restart(self):
        """Kills the controllers and the scheduler, and starts them again."""
        for name, start in ("kube-controller-manager", self.controllers), ("kube-scheduler", self.scheduler):
            self.end(name, signal.SIGKILL)
            start()

    def run(self, name, program, *args):
        log = open(os.path.join(self.folder, f"{name}.log"), "ab")
        self.running[name] = subprocess.Popen(
            [os.path.join(self.programs, program), *args], stdout=log, stderr=log, cwd=self.folder)

    def end(self, name, how=signal.SIGTERM):
        process = self.running.pop(name)
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait(self, path, seconds=120):
        context = ssl._create_unverified_context()
        until = time.monotonic() + seconds
        while True:
            for name, process in self.running.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended: see {self.folder}/{name}.log")
            try:
                request = urllib.request.Request(
                    f"https://127.0.0.1:{self.port}{path}", headers={"Authorization": "Bearer " + TOKEN})
                urllib.request.urlopen(request, context=context, timeout=5).read()
                return
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.3)

    def stop(self):
        for name in reversed(list(self.running)):
            self.end(name, signal.SIGKILL)
