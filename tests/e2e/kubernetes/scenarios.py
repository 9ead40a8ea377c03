"""What can happen to a service, by hazard: each function makes it happen, and fails where it did not.

Whether two held something at once is not asked here: the suite reads it from the trace.
"""

import json
import pathlib
import re
import shutil
import tempfile
import time

from bench import Failed

# (hazard, what is done, cells, function)
ALL = []
# For each function: the mechanisms that it avoids, and the assumption that the certificate must name.
BREAKS = {}


def scenario(hazard, title, cells="ABCN", own=False, breaks=None):
    """`own`: it needs the controllers of the suite's own control plane. `breaks`: see BREAKS."""
    def add(function):
        ALL.append((hazard, title, cells, own, function))
        BREAKS[function] = breaks or {}
        return function
    return add


def changed(r, times=1):
    """Gives every workload a new template, as an edit of the spec does."""
    for workload in r.s.workloads:
        ref = f"{workload['kind'].lower()}/{workload['metadata']['name']}"
        patch = {"spec": {"template": {"metadata": {"annotations": {"e2e": str(times)}}}}}
        r.b.kubectl("patch", "-n", r.s.namespace, ref, "-p", json.dumps(patch))


def remove(r, how):
    r.b.kubectl("delete", "-n", r.s.namespace, *[
        f"{w['kind'].lower()}/{w['metadata']['name']}" for w in r.s.workloads], *how)


def on_delete(r):
    return r.s.workloads[0]["spec"]["updateStrategy"]["type"] == "OnDelete"


def compiled(r, edit, use=None):
    """Edits the specs of the service and compiles them again; `use` gets the files."""
    with tempfile.TemporaryDirectory() as folder:
        specs, out = pathlib.Path(folder, "specs"), pathlib.Path(folder, "out")
        shutil.copytree(r.s.specs, specs)
        edit(specs)
        found, written = r.b.berthc.compile(specs, out, *r.s.more)
        if written and use:
            use(out)
        return found, written


# Two members on one node


@scenario("colocate", "two sets of controllers active, pods deleted", own=True)
def two_controllers(r):
    r.b.own.controllers("second")
    time.sleep(3)
    r.b.nodes.stop_after = 0.8
    for _ in range(4):
        boxes = [c for _, c in r.running()]
        for box in boxes:
            r.delete(box)
        for box in boxes:
            r.turned(box)
        r.settled()


@scenario("colocate", "every other node cordoned, a member deleted", "BC")
def crowded(r):
    if r.expected() < 2:
        r.skipped = "it has one member"
        return
    box = r.one()
    keep = r.where(next(c for _, c in r.running() if c is not box))
    for name in r.b.names:
        if name != keep:
            r.b.kubectl("cordon", name)
    r.delete(box)
    r.stays(box, 5)
    for name in r.b.names:
        r.b.kubectl("uncordon", name)
    r.turned(box)
    r.settled()


# A new container before the old one has stopped


@scenario("update", "new template, pod by pod, slow stop")
def update(r):
    boxes = [c for _, c in r.running()]
    changed(r)
    for box in boxes:
        if on_delete(r):
            r.delete(box)
        r.turned(box)
    r.settled()


@scenario("update", "new template, TERM ignored")
def deaf(r):
    if r.one().grace > 10:
        r.skipped = f"its grace is {r.one().grace} s"
        return
    r.b.nodes.stop_after = None
    update(r)


@scenario("update", "workload deleted with --cascade=foreground, applied again")
def foreground(r):
    box = r.one()
    remove(r, ["--cascade=foreground"])
    r.apply()
    r.turned(box)
    r.settled()


@scenario("update", "scaled to 0 and back at once", "BCN")
def scale(r):
    box, count = r.one(), r.expected()
    for n in 0, count:
        r.b.kubectl("scale", "-n", r.s.namespace, r.s.ref, f"--replicas={n}")
    r.turned(box)
    r.settled()


@scenario("update", "node drained under the budget, then uncordoned")
def drain(r):
    box = r.one()
    node = r.where(box)
    # `kubectl drain` waits for the disruption budget; half a minute is enough here.
    r.b.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=30s")
    if r.s.cell == "A":
        r.stays(box, 2)    # a drain leaves them, as it says
    if r.s.cell == "B":
        r.stays(box, 2)
    r.b.kubectl("uncordon", node)
    if r.s.cell != "A":
        r.turned(box)
    r.settled()


@scenario("update", "controllers and scheduler killed and started again while pods stop", own=True)
def controllers_killed(r):
    r.b.nodes.stop_after = 5.0
    boxes = [c for _, c in r.running()]
    for box in boxes:
        r.delete(box)
    r.b.own.restart()
    for box in boxes:
        r.turned(box)
    r.settled()


@scenario("update", "all pods deleted at once")
def all_at_once(r):
    boxes = [c for _, c in r.running()]
    for box in boxes:
        r.delete(box)
    for box in boxes:
        r.turned(box)
    r.settled()


# Two generations


@scenario("revisions", "workload deleted in the background, applied again at once")
def again(r):
    box = r.one()
    remove(r, ["--cascade=background", "--wait=false"])
    r.apply()
    r.turned(box)
    r.settled()


@scenario("revisions", "workload deleted with --cascade=orphan, a pod deleted, workload applied again")
def orphan(r):
    box = r.one()
    remove(r, ["--cascade=orphan"])
    r.delete(box)
    r.apply()
    r.turned(box)
    r.settled()


@scenario("relabel", "second revision's label set in one step, and back", "A")
def flip(r):
    if len(r.s.workloads) < 2:
        r.skipped = "it has one revision"
        return
    node = r.home[0]
    box = r.one(node)
    r.label(node, r.s.selector(1))
    r.turned(box)
    second = r.one(node)
    r.label(node, r.s.selector(0))
    r.turned(second)
    r.settled()


@scenario("relabel", "second revision's label on all nodes at once, three times", "A")
def flip_all(r):
    if len(r.s.workloads) < 2:
        r.skipped = "it has one revision"
        return
    r.b.nodes.stop_after = 1.0
    for turn in 1, 0, 1:
        boxes = [c for _, c in r.running()]
        for node in r.home:
            r.label(node, r.s.selector(turn))
        for box in boxes:
            r.turned(box)
        r.settled()


@scenario("revisions", "both revisions deployed, a node to each, both changed at once", "A")
def both_revisions(r):
    if len(r.s.workloads) < 2:
        r.skipped = "it has one revision"
        return
    box = r.one(r.home[0])
    r.label(r.home[0], r.s.selector(1))
    r.turned(box)
    r.settled()
    boxes = [c for _, c in r.running()]
    changed(r)
    for box in boxes:
        if on_delete(r):
            r.delete(box)
        r.turned(box)
    r.settled()


@scenario("revisions", "two templates applied within a second", "BCN")
def twice(r):
    box = r.one()
    changed(r, 1)
    if on_delete(r):
        r.delete(box)
    time.sleep(0.4)
    changed(r, 2)
    r.turned(box)
    r.settled()


@scenario("revisions", "another namespace in the spec, applied beside the old one", "ABN",
          breaks={"pod-name": "the namespace stays the same"})
def moved_namespace(r):
    box, space = r.one(), r.s.namespace + "-new"

    def rename(specs):
        for path in specs.iterdir():
            if path.is_file():
                path.write_text(re.sub(rf'(namespace"? ?[:=] ?"?){r.s.namespace}\b', rf"\g<1>{space}", path.read_text()))

    def apply(out):
        r.spaces.append(space)
        r.b.kubectl("create", "namespace", space, check=False)
        r.b.kubectl("apply", "--server-side", "--validate=strict", "-k", str(out / r.s.name / "kubernetes"))
    found, written = compiled(r, rename, apply)
    if not written:
        raise Failed(f"berthc said {[d['code'] for d in found]}")
    time.sleep(4)    # what comes up beside it is seen in the trace
    remove(r, ["--wait=false"])
    r.turned(box)


# Labels under a running member


@scenario("relabel", "node's label taken away and set again at once", "A")
def blink(r):
    node = r.home[0]
    box = r.one(node)
    r.label(node, {k: None for k in r.s.selector()})
    r.terminating(box)
    r.label(node, r.s.selector())
    r.turned(box)
    r.settled()


@scenario("relabel", "label moved to another revision and back while the pod stops", "A")
def waver(r):
    if len(r.s.workloads) < 2:
        r.skipped = "it has one revision"
        return
    node = r.home[0]
    box = r.one(node)
    for turn in 1, 0, 1:
        r.label(node, r.s.selector(turn))
        time.sleep(0.4)
    r.turned(box)
    r.settled()


@scenario("relabel", "label moved to another revision, the node's kubelet started again", "A")
def flip_restart(r):
    if len(r.s.workloads) < 2:
        r.skipped = "it has one revision"
        return
    r.b.nodes.stop_after = 5.0
    node = r.home[0]
    box = r.one(node)
    r.label(node, r.s.selector(1))
    r.terminating(box)
    r.b.nodes.restart_kubelet(node)
    r.turned(box)
    r.settled()


@scenario("relabel", "pin taken away and set again, pod deleted", "B")
def pin_blink(r):
    value, (key, _) = next(iter(r.s.pins().items()))
    box = r.one(r.home[0])
    r.label(r.home[0], {key: None})
    r.delete(box)
    r.stays(box, 4)
    r.label(r.home[0], {key: value})
    r.turned(box)
    r.settled()


@scenario("relabel", "pin moved to another node, pod deleted there and back", "B")
def pin_moved(r):
    value, (key, _) = next(iter(r.s.pins().items()))
    box, spare = r.one(r.home[0]), r.b.names[3]
    r.label(r.home[0], {key: None})
    r.label(spare, {key: value})
    r.delete(box)
    r.stays(box, 5)    # the spare node has no such directory
    r.label(spare, {key: None})
    r.label(r.home[0], {key: value})
    pods = [p for p in r.pods() if p["spec"].get("nodeName") == spare]
    for pod in pods:    # it was placed there and waits for the directory
        r.b.kubectl("delete", "pod", "-n", r.s.namespace, pod["metadata"]["name"])
    r.turned(box)
    r.settled()


@scenario("relabel", "pins of two nodes exchanged, pods deleted", "B")
def pin_exchanged(r):
    pins = list(r.s.pins().items())
    if len(pins) < 2:
        r.skipped = "it has one member"
        return
    (one, (key, _)), (two, _) = pins[:2]
    boxes = [r.one(n) for n in r.home[:2]]
    r.label(r.home[0], {key: two})
    r.label(r.home[1], {key: one})
    for box in boxes:
        r.delete(box)
    r.stays(boxes[0], 5)
    r.label(r.home[0], {key: one})
    r.label(r.home[1], {key: two})
    for pod in r.pods():
        if pod.get("status", {}).get("phase") == "Pending":
            r.b.kubectl("delete", "pod", "-n", r.s.namespace, pod["metadata"]["name"])
    for box in boxes:
        r.turned(box)
    r.settled()


@scenario("relabel", "kubelet started again under a pin that was taken away", "BCN")
def restart_unlabelled(r):
    box = r.one()
    node = r.where(box)
    r.label(node, {k: None for k in r.labels.get(node, ())})
    r.b.nodes.restart_kubelet(node)
    time.sleep(3)
    r.nodes()
    if r.taken(box):
        raise Failed(f"{box.name} was replaced")
    r.delete(box)
    r.turned(box)
    r.settled()


# A node cut off


@scenario("partition", "cut off until its pods are to go, healed")
def partition(r):
    box = r.one()
    node = r.where(box)
    r.b.nodes.cut(node)
    r.terminating_or_lost(box, node)
    r.stays(box, 6)
    r.b.nodes.heal(node)
    if r.s.cell != "A":
        r.turned(box)
    r.settled()


@scenario("partition", "cut off, pod deleted, workload applied anew, healed")
def partition_again(r):
    box = r.one()
    node = r.where(box)
    r.b.nodes.cut(node)
    r.delete(box)
    changed(r)
    r.b.wait("node is lost", lambda: r.b.lost(node))
    r.stays(box, 4)
    r.b.nodes.heal(node)
    r.turned(box)
    r.settled()


@scenario("partition", "cut off, label moved to a spare node, healed", "AB")
def partition_relabel(r):
    node, spare = r.home[0], r.b.names[3]
    box = r.one(node)
    labels = {k: v for k, v in r.s.selector().items()}
    if r.s.cell == "B":
        value, (key, _) = next(iter(r.s.pins().items()))
        labels = {key: value}
    r.b.nodes.cut(node)
    r.label(node, {k: None for k in labels})
    r.label(spare, labels)
    if r.s.cell == "A":
        r.dirs(spare, r.s.paths())
        for taint in r.taints.get(node, ()):
            r.taint(spare, taint)
    else:
        r.terminating(box)
    r.stays(box, 5)
    r.b.nodes.heal(node)
    r.label(spare, {k: None for k in labels})
    r.label(node, labels)
    r.b.wait(f"{box.name} has gone", lambda: not any(c is box for _, c in r.running()))
    for pod in r.pods():
        if pod["spec"].get("nodeName") == spare and r.s.cell == "B":
            r.b.kubectl("delete", "pod", "-n", r.s.namespace, pod["metadata"]["name"])
    r.turned(box)
    r.settled()


def partition_deployment(r):
    """A Deployment's pod is replaced as soon as the old one is marked."""
    box = r.one()
    node = r.where(box)
    r.b.nodes.cut(node)
    r.terminating(box)
    r.turned(box)
    r.b.nodes.heal(node)
    r.settled()


# Stops, crashes, disks


@scenario("reboot", "power off, on again before it is missed")
def reboot(r):
    box = r.one()
    node = r.where(box)
    r.b.nodes.power_off(node)
    time.sleep(1)
    r.b.nodes.boot(node)
    # The kubelet restarts the same pod: no other pod replaces it.
    r.settled()
    r.stays(box, 2)


@scenario("reboot", "pod deleted, power off while it stops, on again")
def reboot_stopping(r):
    box = r.one()
    node = r.where(box)
    r.delete(box)
    r.terminating(box)
    r.b.nodes.power_off(node)
    time.sleep(2)
    r.b.nodes.boot(node)
    r.turned(box)
    r.settled()


@scenario("reboot", "kubelet started again, pod deleted while it stops")
def kubelet(r):
    box = r.one()
    node = r.where(box)
    r.delete(box)
    r.terminating(box)
    r.b.nodes.restart_kubelet(node)
    r.turned(box)
    r.settled()


@scenario("reboot", "up again without the disk, which comes later", "AB")
def no_disk(r):
    node = r.home[0]
    box = r.one(node)
    r.b.nodes.power_off(node)
    r.b.nodes.unmount(node, "/mnt/")
    r.delete(box)
    r.b.nodes.boot(node)
    r.stays(box, 4)
    r.b.nodes.remount(node)
    r.turned(box)
    r.settled()


# A member on a node without its data


@scenario("move", "another node labelled, that has no directory", "A")
def wrong_node(r):
    spare = r.b.names[3]
    r.label(spare, r.s.selector())
    for taint in r.taints.get(r.home[0], ()):
        r.taint(spare, taint)
    r.b.wait("a pod for it", lambda: [p for p in r.pods() if p["spec"].get("nodeName") == spare])
    time.sleep(3)
    if any(n.name == spare for n, _ in r.running()):
        raise Failed("it started without its data")
    r.dirs(spare, r.s.paths())    # the permission to start
    r.settled(r.expected() + 1)


@scenario("move", "node cordoned, pod deleted: it moves with its volume", "C")
def moves(r):
    box = r.one()
    r.b.kubectl("cordon", r.where(box))
    r.delete(box)
    r.turned(box)
    r.settled()


@scenario("move", "claim and workload deleted, applied again", "B")
def claim_deleted(r):
    boxes = [c for _, c in r.running()]
    remove(r, ["--cascade=foreground"])
    r.b.kubectl("delete", "-n", r.s.namespace, "pvc", "--all")
    # Retain keeps a released volume from the next claim until a person lets it go.
    r.apply()
    time.sleep(4)
    if any(r.taken(b) for b in boxes):
        raise Failed("a released volume was bound again")
    for volume in r.s.of("PersistentVolume"):
        r.b.kubectl("patch", "pv", volume["metadata"]["name"], "--type=json",
                    "-p", '[{"op":"remove","path":"/spec/claimRef/uid"}]')
    for box in boxes:
        r.turned(box)
    r.settled()


# Another service


def stranger(r, spec, labels=None):
    """Creates a pod that belongs to no spec, and returns whether it runs within four seconds."""
    mounts = [{"name": v["name"], "mountPath": f"/{v['name']}"} for v in spec.get("volumes", [])]
    pod = {"apiVersion": "v1", "kind": "Pod",
           "metadata": {"name": "stranger", "namespace": r.s.namespace, "labels": labels or {}},
           "spec": {"terminationGracePeriodSeconds": 1,
                    "containers": [{"name": "stranger", "image": "stranger", "volumeMounts": mounts}], **spec}}
    r.b.kubectl("apply", "-f", "-", text=json.dumps(pod))
    time.sleep(4)
    found = r.b.api.call("GET", f"/api/v1/namespaces/{r.s.namespace}/pods/stranger")
    return found["status"].get("phase") == "Running"


@scenario("neighbour", "a second spec with the same directory, compiled with the first", "AB")
def rival(r):
    def add(specs):
        for path in specs.glob("*.yaml"):
            text, count = re.subn(rf"^service: {r.s.name}$", "service: rival", path.read_text(), count=1, flags=re.M)
            if count:
                (specs / f"rival-{path.name}").write_text(text)
    found, written = compiled(r, add)
    if written or not any(d["code"] in ("neighbour", "host-twice") for d in found):
        raise Failed(f"berthc said {[d['code'] for d in found]}")


@scenario("neighbour", "a pod that does not tolerate the taint", "A")
def untolerated(r):
    if not r.taints:
        r.skipped = "its nodes are not its own"
        return
    if stranger(r, {"nodeSelector": {"kubernetes.io/hostname": r.home[0]}}):
        raise Failed("it was placed there")


@scenario("neighbour", "a pod with the same host port", "AB")
def same_port(r):
    box = r.one(r.home[0])
    ports = sorted(n for n, _ in box.host_ports)
    if not ports:
        r.skipped = "it has no host ports"
        return
    if stranger(r, {
            "nodeSelector": {"kubernetes.io/hostname": r.home[0]}, "hostNetwork": True,
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "stranger", "image": "stranger",
                            "ports": [{"containerPort": ports[0], "hostPort": ports[0]}]}]}):
        raise Failed("it was placed there")
    r.delete(box)
    # One of the two starts next, and the other waits.
    port = {h for h in box.held if h.startswith("port")}
    r.b.wait("another has the port", lambda: any(
        e["event"] == "running" and e["uid"] != box.uid and port & set(e["held"]) for e in list(r.b.nodes.trace.events)))
    r.b.kubectl("delete", "pod", "-n", r.s.namespace, "stranger")
    r.turned(box)


@scenario("neighbour", "another claim of the same class", "B")
def same_class(r):
    template = r.s.workloads[0]["spec"]["volumeClaimTemplates"][0]
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
             "metadata": {"name": "stranger", "namespace": r.s.namespace}, "spec": template["spec"]}
    r.b.kubectl("apply", "-f", "-", text=json.dumps(claim))
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "stranger"}}]
    if stranger(r, {"volumes": volumes}):
        raise Failed("it has a member's volume")


# A pod that a person creates: it belongs to no spec, and names a resource of a member.
OTHERS_POD = {"claim": "no other pod names it", "reserved": "no other pod names the claim",
              "unique": "all specs for these nodes are compiled together"}


@scenario("neighbour", "another pod with the same claim", "BC", breaks=OTHERS_POD)
def same_claim(r):
    box = r.one()
    claim = next(v["persistentVolumeClaim"]["claimName"] for v in box.pod["spec"]["volumes"]
                 if "persistentVolumeClaim" in v)
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    stranger(r, {"volumes": volumes})
    r.b.kubectl("delete", "pod", "-n", r.s.namespace, "stranger")
    # Also if `nodeName` bypasses the scheduler.
    stranger(r, {"volumes": volumes, "nodeName": r.where(box)})


# Forced deletion


@scenario("force", "pod deleted by force, slow stop")
def force(r):
    box = r.one()
    r.delete(box, "--force", "--grace-period=0")
    r.turned(box)
    r.settled()


@scenario("force", "pod deleted, then by force while it stops")
def force_stopping(r):
    r.b.nodes.stop_after = 4.0
    box = r.one()
    r.delete(box)
    time.sleep(0.5)
    r.delete(box, "--force", "--grace-period=0")
    r.turned(box)
    r.settled()


@scenario("force", "cut off, pod deleted by force, healed")
def force_cut(r):
    box = r.one()
    node = r.where(box)
    r.b.nodes.stop_after = 4.0
    r.b.nodes.cut(node)
    r.terminating_or_lost(box, node)
    r.delete(box, "--force", "--grace-period=0")
    time.sleep(5)
    r.b.nodes.heal(node)
    r.turned(box)
    r.settled()


@scenario("force", "cut off, taint out-of-service although it runs, healed", "BCN")
def out_of_service(r):
    box = r.one()
    node = r.where(box)
    r.b.nodes.stop_after = 4.0
    r.b.nodes.cut(node)
    r.terminating(box)
    r.taint(node, "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute")
    r.b.wait("pod GC", lambda: gone(r, box), 90)
    time.sleep(6)
    r.b.kubectl("taint", "node", node, "node.kubernetes.io/out-of-service-")
    r.b.nodes.heal(node)
    r.turned(box)
    r.settled()


@scenario("force", "Node object of a node that runs deleted, registered again", "ABCN")
def node_deleted(r):
    box = r.one()
    node = r.where(box)
    r.b.nodes.stop_after = 4.0
    r.b.nodes.cut(node)
    r.b.kubectl("delete", "node", node)
    r.b.wait("pod GC", lambda: gone(r, box), 150)
    time.sleep(5)
    r.b.nodes.heal(node)
    r.b.nodes.register(r.b.nodes.all[node])
    r.nodes()
    for taint in r.taints.get(node, ()):
        r.b.taint(node, taint)
    r.turned(box)
    r.settled()


def gone(r, box):
    pod = r.b.api.get(box.path)
    return pod is None or pod["metadata"]["uid"] != box.uid
