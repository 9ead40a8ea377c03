"""A cluster for experiments, and one service of berthc deployed to it."""

import glob
import json
import os
import subprocess
import time

import yaml

import overlap
from api import STRATEGIC, Api
from controlplane import TOLERATION, ControlPlane
from nodes import Nodes
from storage import Storage

NAME = "app.kubernetes.io/name"
# What a resource of the certificate is called in the trace.
KINDS = {"data": {"path", "volume"}, "writer": {"writer"}, "hostname": {"name"}, "id": {"id"},
         "address": {"port"}, "port": {"port"}}
SETTLE = 60     # seconds that a cluster may take for what takes one or two


class Failed(Exception):
    """The cluster did not reach the state that the scenario needs."""


class Berthc:
    """The compiler, as its command line shows it."""

    def __init__(self, program):
        self.program = program

    def run(self, *args):
        done = subprocess.run([self.program, *args], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def compile(self, specs, out, *more):
        """Compiles for Kubernetes. Returns the diagnostics, and whether files were written."""
        code, text, error = self.run("compile", specs, "-o", out, "--target", "kubernetes", "--format", "json", *more)
        if not text:
            raise RuntimeError(error)
        return json.loads(text)["diagnostics"], code == 0

    def claims(self, specs, *more):
        """{service or service-revision: {(resource, hazard): (verdict, mechanisms)}}, from `explain`."""
        _, text, error = self.run("explain", specs, "--target", "kubernetes", "--format", "json", *more)
        if not text:
            raise RuntimeError(error)
        found = {}
        for one in json.loads(text)["certificates"]:
            name = "-".join(filter(None, (one["service"], one["revision"])))
            found[name] = {(c["resource"], c["hazard"]): verdict(c["verdict"]) for c in one["cells"]}
        return found


def verdict(value):
    """(`held`, `as-data`, `never`, `duty` or `gap`, what each mechanism that holds it assumes, by its word)."""
    if isinstance(value, str):
        return value, {}
    (kind, body), = value.items()
    return kind, {m["word"]: m["assumes"] for m in body.get("by", [])} if isinstance(body, dict) else {}


class Service:
    """The emitted files of one service, and the labels and directories that the nodes need."""

    def __init__(self, specs, out, name, more=()):
        self.more = more    # what else berthc was told: templates
        self.specs, self.name, self.folder = specs, name, os.path.join(out, name, "kubernetes")
        self.documents = []
        for path in sorted(glob.glob(os.path.join(self.folder, "*.yaml"))):
            with open(path) as f:
                self.documents += [d for d in yaml.safe_load_all(f) if d and d["kind"] != "Kustomization"]
        self.workloads = self.of("DaemonSet") or self.of("StatefulSet") or self.of("Deployment")
        if not self.workloads:    # it runs outside: names only
            self.cell, self.spec, self.namespace = "", {}, self.documents[0]["metadata"]["namespace"]
            return
        first = self.workloads[0]
        self.namespace, self.spec = first["metadata"]["namespace"], first["spec"]["template"]["spec"]
        if first["kind"] == "DaemonSet":
            self.cell = "A"
        elif self.of("PersistentVolume"):
            self.cell = "B"
        else:
            self.cell = "C" if first["spec"].get("volumeClaimTemplates") else "N"
        self.ref = f"{first['kind'].lower()}/{first['metadata']['name']}"

    def of(self, kind):
        return [d for d in self.documents if d["kind"] == kind]

    def selector(self, index=0):
        return self.workloads[index]["spec"]["template"]["spec"].get("nodeSelector", {})

    def paths(self):
        return [v["hostPath"]["path"] for v in self.spec.get("volumes", []) if "hostPath" in v]

    def pins(self):
        """{label value: (label, paths)} of local volumes."""
        found = {}
        for volume in self.of("PersistentVolume"):
            rule = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]
            found.setdefault(rule["values"][0], (rule["key"], []))[1].append(volume["spec"]["local"]["path"])
        return found

    def zones(self):
        """{label: values} of where members may run and volumes may be made."""
        found = {t["matchLabelExpressions"][0]["key"]: t["matchLabelExpressions"][0]["values"]
                 for storage in self.of("StorageClass") for t in storage.get("allowedTopologies", [])}
        required = self.spec.get("affinity", {}).get("nodeAffinity", {}).get(
            "requiredDuringSchedulingIgnoredDuringExecution", {})
        for term in required.get("nodeSelectorTerms", []):
            found.update({e["key"]: e["values"] for e in term["matchExpressions"]})
        return found

    def count(self, nodes):
        if not self.workloads:
            return 0
        return nodes if self.cell == "A" else self.workloads[0]["spec"].get("replicas", 1)


class Bench:
    """The cluster. With a kubeconfig, a running cluster, without a second set of controllers."""

    def __init__(self, berthc, programs, folder, kubeconfig=None, before=False):
        self.berthc = berthc
        # Whether StatefulSets are updated as before 1.37.
        self.before = before
        gates = ["--feature-gates=MaxUnavailableStatefulSet=false"] if before else []
        self.own = None if kubeconfig else ControlPlane(programs, folder, gates)
        self.kubeconfig = kubeconfig
        self.names = [f"n{i}" for i in range(1, 6)]
        self.toleration = TOLERATION if self.own else 300

    def start(self):
        if self.own:
            self.own.start()
            self.kubeconfig = self.own.kubeconfig
        self.api = Api(self.kubeconfig)
        for kind in "/api/v1/nodes", "/api/v1/persistentvolumes", "/apis/storage.k8s.io/v1/storageclasses":
            if self.api.items(kind):    # all of them are deleted between two scenarios
                raise RuntimeError(f"the cluster is in use: {kind}")
        self.version = self.api.call("GET", "/version")["gitVersion"]
        self.storage = Storage(self.api)
        self.nodes = Nodes(self.api, self.names, self.version, self.storage)
        self.nodes.start()
        self.storage.start(self.nodes)
        self.wait("service account", lambda: self.api.get("/api/v1/namespaces/default/serviceaccounts/default"))

    def stop(self):
        if hasattr(self, "nodes"):
            self.nodes.close()
            self.storage.close()
            if not self.own:
                self.kubectl("delete", "node", *self.names, check=False)
        if self.own:
            self.own.stop()

    def alone(self):
        """Ends the second set of controllers. The first set must learn which volumes the second attached."""
        if self.own and "second" in self.own.running:
            self.own.end("second")
            self.own.restart()

    def kubectl(self, *args, check=True, text=None, timeout=120):
        done = subprocess.run(["kubectl", "--kubeconfig", self.kubeconfig, *args], capture_output=True,
                              text=True, input=text, timeout=timeout)
        if check and done.returncode:
            raise Failed(f"kubectl {' '.join(args)}: {done.stderr.strip()[:600]}")
        return done

    def wait(self, what, until, seconds=SETTLE):
        end = time.monotonic() + seconds
        while True:
            found = until()
            if found:
                return found
            if time.monotonic() > end:
                raise Failed(f"waited {seconds} s for: {what}")
            time.sleep(0.1)

    def label(self, node, **labels):
        """Sets labels; None removes a label. Write a key with dashes as `{"a-b": …}`."""
        self.api.call("PATCH", f"/api/v1/nodes/{node}", {"metadata": {"labels": labels}}, STRATEGIC)

    def taint(self, node, *taints):
        # Merged by key and effect; the node lifecycle's own stay.
        self.kubectl("taint", "node", node, "--overwrite", *taints)

    def lost(self, node):
        found = self.api.call("GET", f"/api/v1/nodes/{node}")
        return next(c for c in found["status"]["conditions"] if c["type"] == "Ready")["status"] != "True"


class Run:
    """One service, deployed on fresh nodes. Ends with `clean`."""

    def __init__(self, bench, service):
        self.b, self.s = bench, service
        self.labels, self.taints = {}, {}
        self.home = bench.names[:3]         # where members belong; the others are spare
        self.skipped = None
        self.spaces = [service.namespace]

    def deploy(self):
        b, s = self.b, self.s
        with b.nodes.trace.lock:
            b.nodes.trace.events = []
        b.nodes.stop_after = 2.0
        self.nodes()
        b.kubectl("create", "namespace", s.namespace, check=False)
        for missing in {t["spec"].get("storageClassName") for w in s.workloads
                        for t in w["spec"].get("volumeClaimTemplates", [])} - {c["metadata"]["name"] for c in s.of("StorageClass")}:
            b.kubectl("apply", "-f", "-", text=json.dumps({
                "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": missing},
                "provisioner": "rbd.csi.ceph.com", "volumeBindingMode": "WaitForFirstConsumer"}))
        self.apply()
        self.settled()

    def nodes(self):
        """Sets what the operator prepares: labels, taints, directories."""
        s = self.s
        if s.cell == "A":
            for node in self.home:
                self.label(node, s.selector())
                self.dirs(node, s.paths())
                own = [t for t in s.spec.get("tolerations", []) if t["key"] == "dedicated"]
                for t in own:
                    self.taint(node, f"{t['key']}={t['value']}:{t['effect']}")
        for node, (value, (key, paths)) in zip(self.home, s.pins().items()):
            self.label(node, {key: value})
            self.dirs(node, paths)
        for i, node in enumerate(self.b.names):
            self.label(node, {key: values[i % len(values)] for key, values in s.zones().items()})
        if s.cell == "N" and s.selector():
            self.label(self.home[0], s.selector())

    def label(self, node, labels):
        self.labels.setdefault(node, set()).update(labels)
        self.b.label(node, **labels)

    def taint(self, node, text):
        self.taints.setdefault(node, set()).add(text)
        self.b.taint(node, text)

    def dirs(self, node, paths):
        for path in paths:
            self.b.nodes.all[node].dirs.setdefault(path, None)

    def apply(self):
        return self.b.kubectl("apply", "--server-side", "--force-conflicts", "--validate=strict", "-k", self.s.folder)

    # Looking

    def pods(self):
        return self.b.api.items(
            f"/api/v1/namespaces/{self.s.namespace}/pods?labelSelector=app.kubernetes.io%2Fname%3D{self.s.name}")

    def running(self):
        """Returns [(node, container)] that run, also those that the API does not know."""
        with self.b.nodes.lock:
            return [(n, c) for n in self.b.nodes.all.values() for c in n.containers.values()
                    if c.alive() and c.namespace == self.s.namespace and c.labels.get(NAME) == self.s.name]

    def one(self, node=None):
        """A member, in its container: the first by name, or that of a node."""
        found = sorted((c for n, c in self.running() if node in (None, n.name)), key=lambda c: c.name)
        if not found:
            raise Failed("no member runs")
        return found[0]

    def where(self, box):
        return next(n.name for n, c in self.running() if c is box)

    def expected(self):
        return self.s.count(len(self.home))

    def settled(self, count=None, seconds=SETTLE):
        count = self.expected() if count is None else count

        def done():
            pods = [p for p in self.pods() if p.get("status", {}).get("phase") == "Running"]
            calm = not any(p["metadata"].get("deletionTimestamp") for p in self.pods())
            return calm and len(pods) == count and len(self.running()) == count
        self.b.wait(f"{count} members run", done, seconds)

    def held(self, box):
        kinds = {"path", "volume"} if self.s.cell != "N" else {"name", "writer"}
        return [r for r in box.held if r.split()[0] in kinds] or box.held

    def taken(self, box):
        """Returns whether another container has since held a resource of this one."""
        events = list(self.b.nodes.trace.events)
        started = next(i for i, e in enumerate(events) if e["event"] == "running" and e["uid"] == box.uid)
        return any(e["event"] == "running" and e["uid"] != box.uid and set(e["held"]) & set(self.held(box))
                   for e in events[started:])

    def turned(self, box, seconds=SETTLE):
        self.b.wait(f"another takes what {box.name} held", lambda: self.taken(box), seconds)

    def stays(self, box, seconds):
        """Checks that no other container takes the resource for this time."""
        time.sleep(seconds)
        if self.taken(box):
            raise Failed(f"what {box.name} held was taken, where it ought to wait")

    def terminating(self, box, seconds=None):
        def marked():
            pod = self.b.api.get(box.path)
            return pod is None or pod["metadata"].get("deletionTimestamp")
        self.b.wait(f"{box.name} is to go", marked, seconds or self.b.toleration + SETTLE)

    def terminating_or_lost(self, box, node):
        """Waits for the effect of a lost node; the pods of a DaemonSet tolerate it."""
        if self.s.cell == "A":
            self.b.wait("node is lost", lambda: self.b.lost(node))
        else:
            self.terminating(box)

    def delete(self, box, *more):
        self.b.kubectl("delete", "pod", "-n", box.namespace, box.name, "--wait=false", *more)

    # Cleaning

    def clean(self):
        b = self.b
        b.nodes.stop_after = 0.05
        b.alone()
        for name in b.names:
            b.nodes.heal(name)
            b.nodes.boot(name)
            b.nodes.remount(name)
            # A node whose object was deleted registers again.
            b.nodes.attempt(b.nodes.register, b.nodes.all[name])
            b.kubectl("uncordon", name, check=False)
        for space in self.spaces:
            b.kubectl("delete", "-n", space, "daemonset,statefulset,deployment,poddisruptionbudget,pod",
                      "--all", "--cascade=foreground", "--ignore-not-found", timeout=180)
            b.kubectl("delete", "-n", space, "pvc", "--all", "--ignore-not-found")
            b.wait("nothing runs", lambda: not b.api.items(f"/api/v1/namespaces/{space}/pods"))
        b.kubectl("delete", "pv", "--all", "--ignore-not-found")
        b.wait("all volumes are detached",
               lambda: not b.api.items("/apis/storage.k8s.io/v1/volumeattachments"))
        b.kubectl("delete", "storageclass", "--all")
        for node, labels in self.labels.items():
            b.label(node, **{k: None for k in labels})
        for node, taints in self.taints.items():
            for taint in taints:
                b.kubectl("taint", "node", node, taint + "-", check=False)
        for node in b.nodes.all.values():
            node.dirs.clear()
            node.containers.clear()
        b.storage.contents.clear()

    def overlaps(self):
        """{resource of the certificate: longest overlap in ms}, of those that did."""
        with self.b.nodes.trace.lock:
            events = list(self.b.nodes.trace.events)
        found = overlap.overlaps(events)
        result = {}
        for name, kinds in KINDS.items():
            ms = [v for r, v in found.items() if r.split()[0] in kinds]
            if ms:
                result[name] = max(ms)
        return result

    def wrong_data(self):
        """Returns the starts on an empty directory or volume, except the first, and on that of another member."""
        with self.b.nodes.trace.lock:
            events = list(self.b.nodes.trace.events)
        filled, wrong = set(), []
        for e in events:
            # A member fills its own directory once; in cell A the node is the member.
            if e["event"] == "empty":
                who = (e["node"] if self.s.cell == "A" else e["pod"], e["volume"])
                if who in filled:
                    wrong.append(f"{e['pod']} started on an empty {e['resource']}")
                filled.add(who)
            elif e["event"] == "foreign":
                wrong.append(f"{e['pod']} started on the data of {e['of']}")
        return wrong
