"""What Kubernetes itself does, without berthc: the facts that its rules and claims rest on.

Each function makes it happen, returns what was measured in a few words, and fails where it is not
what the title says. `probes` of two controllers at once only count.
"""

import json
import time

import overlap
from bench import Failed

NS = "facts"
ALL = []


def fact(title, own=False, slow=False):
    def add(function):
        ALL.append((title, own, slow, function))
        return function
    return add


class Facts:
    """Objects of a namespace that is emptied after each fact."""

    def __init__(self, bench):
        self.b, self.labels, self.spaces = bench, {}, [NS]

    def begin(self):
        self.b.nodes.trace.events = []
        self.b.nodes.stop_after = 4.0    # longer than a busy machine takes to start the next
        self.b.kubectl("create", "namespace", NS, check=False)
        self.b.wait("service account", lambda: self.b.api.get(f"/api/v1/namespaces/{NS}/serviceaccounts/default"))
        for kind, provisioner in ("fencing", "ebs.csi.aws.com"), ("local", "kubernetes.io/no-provisioner"):
            self.apply({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": kind},
                        "provisioner": provisioner, "volumeBindingMode": "WaitForFirstConsumer"})

    def end(self):
        b = self.b
        b.nodes.stop_after = 0.05
        b.alone()
        for name in b.names:
            b.nodes.heal(name)
            b.nodes.boot(name)
            b.kubectl("uncordon", name, check=False)
            for taint in "hold-", "node.kubernetes.io/out-of-service-":    # together they fail together
                b.kubectl("taint", "node", name, taint, check=False)
        for space in self.spaces:
            b.kubectl("delete", "-n", space, "daemonset,statefulset,deployment,poddisruptionbudget,pod",
                      "--all", "--cascade=foreground")
            b.wait("nothing runs", lambda: not b.api.items(f"/api/v1/namespaces/{space}/pods"))
            b.kubectl("delete", "-n", space, "pvc", "--all")
        b.kubectl("delete", "pv,storageclass,priorityclass", "-l", "!system", "--field-selector",
                  "metadata.name!=system-node-critical,metadata.name!=system-cluster-critical")
        b.wait("all volumes are detached", lambda: not b.api.items("/apis/storage.k8s.io/v1/volumeattachments"))
        for node, labels in self.labels.items():
            b.label(node, **{k: None for k in labels})
        for node in b.nodes.all.values():
            node.dirs.clear()

    def label(self, node, **labels):
        self.labels.setdefault(node, set()).update(labels)
        self.b.label(node, **labels)

    def apply(self, *objects, check=True):
        text = "\n---\n".join(json.dumps(o) for o in objects)
        return self.b.kubectl("apply", "--server-side", "--validate=strict", "--force-conflicts", "-f", "-",
                              text=text, check=check)

    def pods(self, space=NS, **labels):
        chosen = "%2C".join(f"{k}%3D{v}" for k, v in labels.items())
        return self.b.api.items(f"/api/v1/namespaces/{space}/pods?labelSelector={chosen}")

    def phase(self, name, space=NS):
        pod = self.b.api.get(f"/api/v1/namespaces/{space}/pods/{name}")
        return pod and pod["status"].get("phase")

    def runs(self, count, **labels):
        def done():
            pods = self.pods(**labels)
            calm = [p for p in pods if p["status"].get("phase") == "Running" and not p["metadata"].get("deletionTimestamp")]
            return len(calm) == count and len(pods) == count
        self.b.wait(f"{count} pods run", done)

    def replaced(self, count, how, **labels):
        """Calls `how`, and waits until other pods replace these."""
        before = {p["metadata"]["uid"] for p in self.pods(**labels)}
        how()
        self.b.wait("others run", lambda: not before & {p["metadata"]["uid"] for p in self.pods(**labels)})
        self.runs(count, **labels)

    def overlap(self, *kinds):
        """Returns the longest overlap in ms on resources of these kinds."""
        found = overlap.overlaps(list(self.b.nodes.trace.events))
        return max((ms for r, ms in found.items() if r.split()[0] in kinds), default=0)

    def gap(self, *kinds):
        return overlap.gap(list(self.b.nodes.trace.events), kinds)


def must(true, what):
    if not true:
        raise Failed(what)


def meta(name, space=NS, **more):
    return {"name": name, "namespace": space, **more}


def pod_spec(**more):
    mounts = [{"name": v["name"], "mountPath": f"/{v['name']}"} for v in more.get("volumes", [])]
    container = {"name": "c", "image": "c", "volumeMounts": mounts, **more.pop("container", {})}
    return {"terminationGracePeriodSeconds": 6, "containers": [container], **more}


def on_path(kind="Directory", path="/data"):
    return {"volumes": [{"name": "d", "hostPath": {"path": path, "type": kind}}]}


def on_claim(name):
    return {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": name}}]}


# A container that mounts the claim template d. The kubelet mounts no volume that no container mounts.
ON_TEMPLATE = {"volumeMounts": [{"name": "d", "mountPath": "/d"}]}


def pod(name, spec, space=NS, **labels):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta(name, space, labels=labels), "spec": spec}


def claim(name, mode, storage="fencing"):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta(name), "spec": {
        "accessModes": [mode], "storageClassName": storage, "resources": {"requests": {"storage": "1Gi"}}}}


def template(name, spec, **labels):
    return {"selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name, **labels}}, "spec": spec}}


def daemonset(name, spec, strategy=None, **labels):
    body = template(name, spec, **labels)
    if strategy:
        body["updateStrategy"] = strategy
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta(name), "spec": body}


def statefulset(name, spec, replicas=1, **more):
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta(name), "spec": {
        "serviceName": name, "replicas": replicas, "podManagementPolicy": "Parallel", **more,
        **template(name, spec)}}


def deployment(name, spec, strategy):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(name), "spec": {
        "replicas": 1, "strategy": strategy, **template(name, spec)}}


def apart(space=False, **labels):
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": labels}}
    if space:
        term["namespaceSelector"] = {}
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def at(node):
    return {"nodeSelector": {"kubernetes.io/hostname": node}}


RECREATE = {"type": "Recreate"}


# Volumes


@fact("ReadWriteOncePod: a second pod stays unplaced, on any node, until the first is gone")
def rwop(f):
    f.apply(claim("x", "ReadWriteOncePod"), pod("a", pod_spec(**on_claim("x"))))
    f.runs(1)
    f.apply(pod("b", pod_spec(**on_claim("x"))))
    time.sleep(3)
    must(f.phase("b") == "Pending", "b runs")
    must(not f.b.api.get(f"/api/v1/namespaces/{NS}/pods/b")["spec"].get("nodeName"), "b was placed")
    f.b.kubectl("delete", "pod", "-n", NS, "a")
    f.runs(1)
    must(f.overlap("volume") == 0, "overlap")
    return f"no overlap, gap {f.gap('volume')} ms"


@fact("ReadWriteOncePod: a pod of higher priority preempts the holder, and waits for its end")
def rwop_preempts(f):
    f.apply({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000},
            claim("x", "ReadWriteOncePod"), pod("a", pod_spec(**on_claim("x"))))
    f.runs(1)
    f.apply(pod("b", pod_spec(priorityClassName="high", **on_claim("x"))))
    f.b.wait("b runs", lambda: f.phase("b") == "Running")
    must(f.phase("a") is None, "a was not preempted")
    must(f.overlap("volume") == 0, "overlap")
    return f"the first was deleted; no overlap, gap {f.gap('volume')} ms"


@fact("ReadWriteOncePod on a local volume: the scheduler asks it there too")
def rwop_local(f):
    f.b.nodes.all["n1"].dirs["/local"] = None
    f.apply({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "local-x"}, "spec": {
        "accessModes": ["ReadWriteOncePod"], "capacity": {"storage": "1Gi"}, "storageClassName": "local",
        "local": {"path": "/local"}, "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "kubernetes.io/hostname", "operator": "In", "values": ["n1"]}]}]}}}},
        claim("x", "ReadWriteOncePod", "local"), pod("a", pod_spec(**on_claim("x"))))
    f.runs(1)
    f.apply(pod("b", pod_spec(**on_claim("x"))))
    time.sleep(3)
    must(f.phase("b") == "Pending" and f.overlap("path") == 0, "b runs")
    return "the second stays unplaced"


@fact("ReadWriteOnce: two pods run on one node")
def rwo(f):
    f.apply(claim("x", "ReadWriteOnce"), pod("a", pod_spec(**on_claim("x"), **at("n1"))))
    f.runs(1)
    f.apply(pod("b", pod_spec(**on_claim("x"), **at("n1"))))
    f.runs(2)
    time.sleep(1)
    must(f.overlap("volume") > 0, "no overlap")
    return f"overlap {f.overlap('volume')} ms and on"


@fact("ReadWriteOnce: on a second node the attach controller makes the pod wait")
def rwo_elsewhere(f):
    f.apply(claim("x", "ReadWriteOnce"), pod("a", pod_spec(**on_claim("x"), **at("n1"))))
    f.runs(1)
    f.apply(pod("b", pod_spec(**on_claim("x"), **at("n2"))))
    time.sleep(4)
    must(f.phase("b") == "Pending" and f.overlap("volume") == 0, "b runs")
    f.b.kubectl("delete", "pod", "-n", NS, "a")
    f.runs(1)
    must(f.overlap("volume") == 0, "overlap")
    return f"Multi-Attach error; gap {f.gap('volume')} ms"


@fact("a node lost, its pod deleted by force: the volume is detached after six minutes, and not before", slow=True)
def force_detach(f):
    f.apply(statefulset("s", pod_spec(container=ON_TEMPLATE), volumeClaimTemplates=[
        {"metadata": {"name": "d"}, "spec": claim("d", "ReadWriteOncePod")["spec"]}]))
    f.runs(1)
    node = f.pods()[0]["spec"]["nodeName"]
    # A kubelet says which volumes it uses before it mounts them; the simulated one may say so later.
    f.b.wait("the volume is in use", lambda: f.b.api.get(f"/api/v1/nodes/{node}")["status"].get("volumesInUse"))
    f.b.nodes.cut(node)
    f.b.wait("node is lost", lambda: f.b.lost(node))
    begun = time.monotonic()
    f.b.kubectl("delete", "pod", "-n", NS, "s-0", "--force", "--grace-period=0", "--wait=false")
    f.b.wait("it runs elsewhere", lambda: f.phase("s-0") == "Running", 480)
    took = round(time.monotonic() - begun)
    must(took > 300, f"after {took} s")
    must(f.overlap("volume") == 0, "the storage did not fence")
    return f"after {took} s; the pod's name was in use twice, the volume, fenced by its storage, was not"


@fact("taint out-of-service: pod and attachment go at once, and the pod comes up elsewhere")
def out_of_service(f):
    f.apply(statefulset("s", pod_spec(container=ON_TEMPLATE), volumeClaimTemplates=[
        {"metadata": {"name": "d"}, "spec": claim("d", "ReadWriteOncePod")["spec"]}]))
    f.runs(1)
    node = f.pods()[0]["spec"]["nodeName"]
    f.b.nodes.power_off(node)
    f.b.wait("it is to go", lambda: f.pods()[0]["metadata"].get("deletionTimestamp"), 400)
    begun = time.monotonic()
    f.b.taint(node, "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute")
    f.b.wait("it runs elsewhere", lambda: f.phase("s-0") == "Running", 120)
    must(f.overlap("volume", "name") == 0, "overlap")
    return f"after {round(time.monotonic() - begun)} s"


@fact("claims: whenScaled Delete deletes the claim of a member that goes, Retain keeps it")
def retention(f):
    def set_of(name, policy):
        return statefulset(name, pod_spec(), 2, persistentVolumeClaimRetentionPolicy={
            "whenScaled": policy, "whenDeleted": "Retain"}, volumeClaimTemplates=[
                {"metadata": {"name": "d"}, "spec": claim("d", "ReadWriteOncePod")["spec"]}])
    f.apply(set_of("del", "Delete"), set_of("keep", "Retain"))
    f.runs(4)
    f.b.kubectl("scale", "-n", NS, "sts/del", "sts/keep", "--replicas=1")

    def claims():
        return {c["metadata"]["name"] for c in f.b.api.items(f"/api/v1/namespaces/{NS}/persistentvolumeclaims")}
    f.b.wait("the claim goes", lambda: "d-del-1" not in claims())
    f.runs(2)
    must({"d-del-0", "d-keep-0", "d-keep-1"} == claims(), f"claims {claims()}")
    return "as documented"


# StatefulSets


@fact("ordinals.start: names and the pod-index label count from it")
def ordinals(f):
    f.apply(statefulset("s", pod_spec(), 2, ordinals={"start": 3}))
    f.runs(2)
    found = {p["metadata"]["name"]: p["metadata"]["labels"].get("apps.kubernetes.io/pod-index") for p in f.pods()}
    must(found == {"s-3": "3", "s-4": "4"}, str(found))
    f.b.kubectl("patch", "-n", NS, "sts/s", "-p", '{"spec":{"ordinals":{"start":4}}}')
    f.b.wait("renamed", lambda: {p["metadata"]["name"] for p in f.pods()} == {"s-4", "s-5"})
    return "s-3, s-4; a change of it makes s-4, s-5"


@fact("a StatefulSet name of 60 characters is accepted, and makes no pod")
def long_name(f):
    name = "s" * 60
    f.apply(statefulset(name, pod_spec(), serviceName="s"))
    time.sleep(3)
    must(not f.pods(), "it has a pod")
    return "accepted; no pod"


@fact("StatefulSet: deleted in the background and applied, scaled to 0 and back: in turn")
def statefulset_waits(f):
    f.b.nodes.all["n1"].dirs["/data"] = None
    workload = statefulset("s", pod_spec(**on_path(), **at("n1")))
    f.apply(workload)
    f.runs(1)
    f.b.kubectl("delete", "-n", NS, "sts/s", "--wait=false")
    f.apply(workload)
    f.runs(1)
    for n in 0, 1:
        f.b.kubectl("scale", "-n", NS, "sts/s", f"--replicas={n}")
    f.runs(1)
    must(f.overlap("path", "name") == 0, "overlap")
    return f"no overlap, gap {f.gap('path')} ms"


# Deployments


def replaced_overlap(f, strategy, how):
    f.b.nodes.all["n1"].dirs["/data"] = None
    f.apply(deployment("d", pod_spec(**on_path(), **at("n1")), strategy))
    f.runs(1)
    f.replaced(1, how)
    return f.overlap("path")


@fact("Deployment, Recreate: the replacement starts at once, while the deleted pod still runs")
def recreate_deleted(f):
    ms = replaced_overlap(f, RECREATE, lambda: f.b.kubectl("delete", "pod", "-n", NS, "-l", "app=d", "--wait=false"))
    must(ms > 0, "no overlap")
    return f"overlap {ms} ms"


@fact("Deployment, Recreate: a rollout waits")
def recreate_rollout(f):
    ms = replaced_overlap(f, RECREATE, lambda: f.b.kubectl("rollout", "restart", "-n", NS, "deployment/d"))
    must(ms == 0, f"overlap {ms} ms")
    return f"no overlap, gap {f.gap('path')} ms"


@fact("Deployment, Recreate: scaled to 0 and back, both run")
def recreate_scaled(f):
    ms = replaced_overlap(f, RECREATE, lambda: [
        f.b.kubectl("scale", "-n", NS, "deployment/d", f"--replicas={n}") for n in (0, 1)])
    must(ms > 0, "no overlap")
    return f"overlap {ms} ms"


@fact("Deployment, RollingUpdate with maxSurge 0: both run")
def surge_none(f):
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    ms = replaced_overlap(f, strategy, lambda: f.b.kubectl("rollout", "restart", "-n", NS, "deployment/d"))
    must(ms > 0, "no overlap")
    return f"overlap {ms} ms"


@fact("Deployment with a ReadWriteOncePod claim: the claim makes the successor wait")
def deployment_rwop(f):
    f.apply(claim("x", "ReadWriteOncePod"), deployment("d", pod_spec(**on_claim("x")), RECREATE))
    f.runs(1)
    f.replaced(1, lambda: f.b.kubectl("delete", "pod", "-n", NS, "-l", "app=d", "--wait=false"))
    must(f.overlap("volume") == 0, "overlap")
    return f"no overlap, gap {f.gap('volume')} ms"


@fact("Deployment with a ReadWriteOnce claim: two pods on one node")
def deployment_rwo(f):
    f.apply(claim("x", "ReadWriteOnce"), deployment("d", pod_spec(**on_claim("x"), **at("n1")), RECREATE))
    f.runs(1)
    f.replaced(1, lambda: f.b.kubectl("delete", "pod", "-n", NS, "-l", "app=d", "--wait=false"))
    must(f.overlap("volume") > 0, "no overlap")
    return f"overlap {f.overlap('volume')} ms"


@fact("status.terminatingReplicas counts a Deployment's pods that stop")
def terminating(f):
    f.apply(deployment("d", pod_spec(), RECREATE))
    f.runs(1)
    f.b.kubectl("delete", "pod", "-n", NS, "-l", "app=d", "--wait=false")

    def count():
        status = f.b.api.get(f"/apis/apps/v1/namespaces/{NS}/deployments/d")["status"]
        return status.get("terminatingReplicas")
    f.b.wait("one terminates", lambda: count() == 1, 5)
    f.b.wait("none terminates", lambda: count() == 0)
    return "1, then 0"


@fact("StatefulSet, Parallel, changed within minReadySeconds: since 1.37 all pods go at once, before one")
def not_available(f):
    f.b.nodes.stop_after = 4.0
    f.apply(statefulset("s", pod_spec(), 3, minReadySeconds=30))
    f.runs(3, app="s")
    f.apply(statefulset("s", pod_spec(container={"image": "changed"}), 3, minReadySeconds=30))
    going = lambda: sum("deletionTimestamp" in p["metadata"] for p in f.pods(app="s"))
    f.b.wait("one goes", lambda: going() > 0)
    time.sleep(1)
    count = going()
    must(count == (1 if f.b.before else 3), f"{count} of 3 go")
    return f"{count} of 3"


# DaemonSets


def two_sets(f, first, second, flips=1):
    """Two DaemonSets, and a label that moves from one to the other."""
    for node in "n1", "n2", "n3":
        f.b.nodes.all[node].dirs["/data"] = None
        f.label(node, rev="v1")
    f.apply(daemonset("v1", {**first, "nodeSelector": {"rev": "v1"}}, svc="x"),
            daemonset("v2", {**second, "nodeSelector": {"rev": "v2"}}, svc="x"))
    f.runs(3)
    for i in range(flips):
        for node in "n1", "n2", "n3":
            f.label(node, rev=("v2", "v1")[i % 2])
        f.runs(3, app=("v2", "v1")[i % 2])
    f.runs(3)
    return f.overlap("path")


@fact("two DaemonSets, a label moved from one to the other: both run")
def flip_bare(f):
    ms = two_sets(f, pod_spec(**on_path()), pod_spec(**on_path()))
    must(ms > 0, "no overlap")
    return f"overlap {ms} ms"


@fact("the same with anti-affinity, 36 times: in turn")
def flip_affinity(f):
    f.b.nodes.stop_after = 0.7
    spec = pod_spec(**on_path(), **apart(svc="x"))
    ms = two_sets(f, spec, spec, 12)
    must(ms == 0, f"overlap {ms} ms")
    return f"no overlap, gap {f.gap('path')} ms"


@fact("the same with anti-affinity in one of them, 18 times each: in turn")
def flip_one_sided(f):
    f.b.nodes.stop_after = 0.7
    ms = two_sets(f, pod_spec(**on_path(), **apart(svc="x")), pod_spec(**on_path()), 12)
    must(ms == 0, f"overlap {ms} ms")
    return f"no overlap, gap {f.gap('path')} ms"


@fact("the same with a host port, 36 times: in turn")
def flip_port(f):
    f.b.nodes.stop_after = 0.7
    spec = pod_spec(container={"ports": [{"containerPort": 7000, "hostPort": 7000}]}, **on_path())
    ms = two_sets(f, spec, spec, 12)
    must(ms == 0, f"overlap {ms} ms")
    return f"no overlap, gap {f.gap('path')} ms"


@fact("the same with topology spread constraints: both run")
def flip_spread(f):
    spec = pod_spec(**on_path(), topologySpreadConstraints=[{
        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"svc": "x"}}}])
    ms = two_sets(f, spec, spec)
    must(ms > 0, "no overlap")
    return f"overlap {ms} ms"


def one_set(f, spec, strategy=None):
    for node in "n1", "n2", "n3":
        f.b.nodes.all[node].dirs["/data"] = None
        f.label(node, own="yes")
    workload = daemonset("d", {**spec, "nodeSelector": {"own": "yes"}}, strategy, svc="x")
    f.apply(workload)
    f.runs(3)
    return workload


@fact("DaemonSet deleted in the background and applied again: both run")
def reapply(f):
    workload = one_set(f, pod_spec(**on_path()))
    f.replaced(3, lambda: [f.b.kubectl("delete", "-n", NS, "ds/d", "--wait=false"), f.apply(workload)])
    must(f.overlap("path") > 0, "no overlap")
    return f"overlap {f.overlap('path')} ms"


@fact("DaemonSet deleted with --cascade=foreground and applied again: in turn")
def reapply_foreground(f):
    workload = one_set(f, pod_spec(**on_path()))
    f.b.kubectl("delete", "-n", NS, "ds/d", "--cascade=foreground")
    f.apply(workload)
    f.runs(3)
    must(f.overlap("path") == 0, "overlap")
    return f"no overlap, gap {f.gap('path')} ms"


@fact("DaemonSet deleted with --cascade=orphan, a pod deleted, applied again: both run")
def orphaned(f):
    workload = one_set(f, pod_spec(**on_path()))
    f.b.kubectl("delete", "-n", NS, "ds/d", "--cascade=orphan")
    f.b.kubectl("delete", "pod", "-n", NS, f.pods()[0]["metadata"]["name"], "--wait=false")
    f.apply(workload)
    f.runs(3)
    must(f.overlap("path") > 0, "no overlap")
    return f"overlap {f.overlap('path')} ms"


@fact("DaemonSet, maxSurge 1: both run")
def surge(f):
    one_set(f, pod_spec(**on_path()), {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    f.b.kubectl("rollout", "restart", "-n", NS, "ds/d")
    f.b.kubectl("rollout", "status", "-n", NS, "ds/d", "--timeout=60s")
    must(f.overlap("path") > 0, "no overlap")
    return f"overlap {f.overlap('path')} ms"


@fact("DaemonSet, maxSurge 1 with anti-affinity: the rollout hangs, nothing overlaps")
def surge_hangs(f):
    one_set(f, pod_spec(**on_path(), **apart(svc="x")),
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    f.b.kubectl("rollout", "restart", "-n", NS, "ds/d")
    done = f.b.kubectl("rollout", "status", "-n", NS, "ds/d", "--timeout=10s", check=False)
    must(done.returncode != 0 and f.overlap("path") == 0, "it went on")
    return "as it says"


@fact("DaemonSet, maxSurge 1 with a host port: accepted, the rollout hangs, nothing overlaps")
def surge_port(f):
    one_set(f, pod_spec(container={"ports": [{"containerPort": 7000, "hostPort": 7000}]}, **on_path()),
            {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    f.b.kubectl("rollout", "restart", "-n", NS, "ds/d")
    done = f.b.kubectl("rollout", "status", "-n", NS, "ds/d", "--timeout=10s", check=False)
    must(done.returncode != 0 and f.overlap("path") == 0, "it went on")
    return "as it says"


@fact("DaemonSet, maxSurge 1 without maxUnavailable 0 is refused")
def surge_refused(f):
    both = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
    done = f.apply(daemonset("d", pod_spec(), both), check=False)
    must(done.returncode != 0, "it was accepted")
    return done.stderr.strip().rpartition(": ")[2][:80]


@fact("DaemonSet, nodeSelector that no node has: all pods go at once, also under OnDelete")
def selector_edit(f):
    one_set(f, pod_spec(**on_path()), {"type": "OnDelete"})
    f.b.kubectl("patch", "-n", NS, "ds/d", "-p", '{"spec":{"template":{"spec":{"nodeSelector":{"other":"yes"}}}}}')
    f.b.wait("all are to go", lambda: all(p["metadata"].get("deletionTimestamp") for p in f.pods()), 10)
    f.runs(0)
    return "as it says"


@fact("a NoSchedule taint holds a DaemonSet's next pod; cordon does not")
def holds(f):
    one_set(f, pod_spec(**on_path()))
    def remade(node):
        old = next(p for p in f.pods() if p["spec"]["nodeName"] == node)
        f.b.kubectl("delete", "pod", "-n", NS, old["metadata"]["name"])
        time.sleep(3)
        return any(p["spec"].get("nodeName") == node for p in f.pods())
    f.b.taint("n1", "hold=yes:NoSchedule")
    f.b.kubectl("cordon", "n2")
    must(not remade("n1") and remade("n2"), "otherwise")
    return "as it says"


@fact("two sets of controllers, a bare DaemonSet, 60 pods deleted", own=True)
def two_controllers(f):
    f.b.nodes.stop_after = 0.7
    one_set(f, pod_spec(**on_path()))
    f.b.own.controllers("second")
    time.sleep(3)
    for _ in range(20):
        f.replaced(3, lambda: f.b.kubectl("delete", "pod", "-n", NS, "-l", "app=d", "--wait=false"))
    found = overlap.overlaps(list(f.b.nodes.trace.events))
    many = [ms for r, ms in found.items() if r.startswith("path")]
    return f"overlaps on {len(many)} of 3 nodes, longest {max(many, default=0)} ms"


@fact("two sets of controllers, the same with anti-affinity: in turn", own=True)
def two_controllers_affinity(f):
    f.b.nodes.stop_after = 0.7
    one_set(f, pod_spec(**on_path(), **apart(svc="x")))
    f.b.own.controllers("second")
    time.sleep(3)
    for _ in range(20):
        f.replaced(3, lambda: f.b.kubectl("delete", "pod", "-n", NS, "-l", "app=d", "--wait=false"))
    must(f.overlap("path") == 0, "overlap")
    return f"no overlap, gap {f.gap('path')} ms"


# Anti-affinity


@fact("anti-affinity: two namespaces meet without namespaceSelector {}, and not with it")
def spaces(f):
    f.b.kubectl("create", "namespace", "facts-b", check=False)
    f.b.wait("service account", lambda: f.b.api.get("/api/v1/namespaces/facts-b/serviceaccounts/default"))
    f.spaces.append("facts-b")
    f.apply(pod("a", pod_spec(**at("n1")), svc="x"))
    f.runs(1)
    f.apply(pod("near", pod_spec(**at("n1"), **apart(svc="x")), space="facts-b", svc="x"))
    f.apply(pod("wide", pod_spec(**at("n1"), **apart(True, svc="y")), space="facts-b", svc="y"),
            pod("c", pod_spec(**at("n1")), svc="y"))
    f.b.wait("near runs", lambda: f.phase("near", "facts-b") == "Running")
    time.sleep(3)
    phases = {f.phase("wide", "facts-b"), f.phase("c")}
    must(phases == {"Running", "Pending"}, f"phases {phases}")
    return "as it says, from both sides"


@fact("anti-affinity: a node without the topology label keeps nothing apart")
def no_topology(f):
    near = apart(svc="x")
    near["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]["topologyKey"] = "rack"
    f.apply(pod("a", pod_spec(**at("n1"), **near), svc="x"), pod("b", pod_spec(**at("n1"), **near), svc="x"))
    f.runs(2)
    return "both run"


# Drains


@fact("unhealthyPodEvictionPolicy: a pod that is not ready blocks a drain, and not under AlwaysAllow")
def unhealthy(f):
    for name, policy in ("a", "IfHealthyBudget"), ("b", "AlwaysAllow"):
        f.apply(statefulset(name, pod_spec(**at("n1")), 2),
                {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta(name), "spec": {
                    "maxUnavailable": 1, "unhealthyPodEvictionPolicy": policy,
                    "selector": {"matchLabels": {"app": name}}}})
    f.runs(4)
    for name in "a", "b":
        for i in 0, 1:
            f.b.api.call("PATCH", f"/api/v1/namespaces/{NS}/pods/{name}-{i}/status", {"status": {"conditions": [
                {"type": "Ready", "status": "False"}]}}, "application/strategic-merge-patch+json")
    f.b.wait("budget is spent", lambda: all(
        p["status"].get("disruptionsAllowed") == 0 and p["status"].get("currentHealthy") == 0
        for p in f.b.api.items(f"/apis/policy/v1/namespaces/{NS}/poddisruptionbudgets")))

    def evict(name):
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta(name)}
        try:
            f.b.api.call("POST", f"/api/v1/namespaces/{NS}/pods/{name}/eviction", body)
            return True
        except Exception:    # 429
            return False
    must(not evict("a-0") and evict("b-0"), "otherwise")
    return "as it says"


@fact("a budget of a DaemonSet with maxUnavailable allows nothing")
def budget(f):
    one_set(f, pod_spec(**on_path()))
    f.apply({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta("d"), "spec": {
        "maxUnavailable": 1, "selector": {"matchLabels": {"app": "d"}}}})
    time.sleep(3)
    found = f.b.api.get(f"/apis/policy/v1/namespaces/{NS}/poddisruptionbudgets/d")["status"]
    must(found["disruptionsAllowed"] == 0, str(found))
    return "0 allowed"


@fact("rollout status of a DaemonSet under OnDelete fails")
def status(f):
    one_set(f, pod_spec(**on_path()), {"type": "OnDelete"})
    done = f.b.kubectl("rollout", "status", "-n", NS, "ds/d", "--timeout=5s", check=False)
    must(done.returncode != 0, "it succeeded")
    return done.stderr.strip()[:80]
