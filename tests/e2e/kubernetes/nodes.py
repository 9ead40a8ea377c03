"""Simulated nodes: a kubelet, a kernel and disks for each, without a process or a file.

What the controllers, the scheduler and the API server do around them is the real thing. What a
node does is a model; each rule says which code it follows (kubernetes 1.37.2, pkg/kubelet unless
said otherwise). A `Trace` keeps when each container ran and what it held.

The model of one pod:
- it is admitted by the node's labels and by the host ports of the pods that the kubelet knows;
- its volumes have to be there: hostPath type Directory and local paths on the node's disk, CSI
  volumes attached to the node, ReadWriteOncePod ones mounted by no other pod of the node;
- it starts after START seconds; a locked directory ends it before it touches anything, a bound port
  only after it has opened its data; either is tried again;
- on TERM it runs for `stop` seconds more, at most its grace period, then is unmounted, and only
  then is its object deleted;
- where its object vanishes (force, pod GC) it has 2 s, or what is left of a grace that began before, while
  the kubelet forgets it.
"""

import concurrent.futures
import datetime
import sys
import threading
import time

from api import MERGE, STRATEGIC, ApiError

START = 0.3         # seconds from mounted to running
UNMOUNT = 0.1       # seconds from stopped to the object's deletion
CRASH = 0.1         # seconds that a program runs which cannot bind its port
RETRY = 0.25        # seconds between two tries of what failed; a kubelet backs off further
LEAST_GRACE = 2.0   # seconds; kuberuntime_manager.go, minimumGracePeriodInSeconds
VANISHED = 2.0      # seconds that a pod has whose object is gone, whatever its own grace (seen: kubelet 1.37.2)
HOUSEKEEPING = 2.0  # seconds; kubelet.go, housekeepingPeriod
# The wrapped entrypoint that takes a lock on the data directory (`guard: lock`).
GUARD = ["/bin/sh", "-c", 'exec 9<"$0" && flock -n 9 && exec "$@"']


def timestamp(micro=False):
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


class Trace:
    """Events in order, each with its time in seconds."""

    def __init__(self):
        self.events, self.lock = [], threading.Lock()

    def write(self, event, **fields):
        with self.lock:
            self.events.append({"time": time.time(), "event": event, **fields})


class Container:
    """The containers of one pod on one node, treated as one container."""

    def __init__(self, pod):
        meta, spec = pod["metadata"], pod["spec"]
        self.pod, self.uid = pod, meta["uid"]
        self.namespace, self.name = meta["namespace"], meta["name"]
        self.labels = meta.get("labels", {})
        self.path = f"/api/v1/namespaces/{self.namespace}/pods/{self.name}"
        self.grace = spec.get("terminationGracePeriodSeconds", 30)
        self.host_ports = {(p["hostPort"], p.get("protocol", "TCP"))
                           for c in spec["containers"] for p in c.get("ports", []) if p.get("hostPort")}
        self.host_network = spec.get("hostNetwork", False)
        self.state = "new"      # new mounting starting running stopping stopped rejected
        self.known = True       # the kubelet knows its object
        self.mounts = {}        # volume name in the pod -> (resource, access modes)
        self.held = []          # resources, from the moment it runs

    def alive(self):
        return self.state in ("running", "stopping")

    def active(self):
        """Returns whether the pod is admitted and has not ended (kubelet_pods.go, filterOutInactivePods)."""
        return self.state in ("mounting", "starting", "running", "stopping")

    def mounted(self):
        return self.state in ("starting", "running", "stopping", "unmounting")

    def main(self):
        """The member's own container: the one that is named as the service."""
        own = self.labels.get("app.kubernetes.io/name")
        all = self.pod["spec"]["containers"]
        return next((c for c in all if c["name"] == own), all[0])

    def locks(self):
        """The resource that its own process locks, if it does."""
        main = self.main()
        command = main.get("command", [])
        if command[:3] != GUARD:
            return None
        volume = next((m["name"] for m in main.get("volumeMounts", []) if m["mountPath"] == command[3]), None)
        return self.mounts.get(volume, (None,))[0]


class Node:
    def __init__(self, name):
        self.name = name
        self.up = self.linked = True
        self.dirs = {}          # path -> whose data it holds, None while empty
        self.hidden = {}        # what lies on a disk that is not mounted
        self.containers = {}    # by pod uid
        self.in_use = set()     # attachable volumes
        self.labels = {}        # as last seen

    def hears(self):
        return self.up and self.linked


class Waits(Exception):
    """Something that the pod needs is not there yet."""


class Nodes:
    """All simulated nodes, their kubelets, and the trace of what ran."""

    def __init__(self, api, names, version, storage):
        self.api, self.trace, self.version, self.storage = api, Trace(), version, storage
        self.all = {name: Node(name) for name in names}
        self.lock = threading.RLock()
        self.pool = concurrent.futures.ThreadPoolExecutor(24)
        self.stop_after = 2.0   # seconds from TERM to the end; None ignores TERM
        self.closed = False

    def start(self):
        for node in self.all.values():
            self.register(node)
        threading.Thread(target=self.beat, daemon=True).start()
        threading.Thread(target=self.follow, daemon=True).start()

    def close(self):
        self.closed = True
        self.pool.shutdown(wait=False, cancel_futures=True)

    # Node objects

    def register(self, node):
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {
            "name": node.name,
            # Without it the attach/detach controller leaves the node to its kubelet.
            "annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
            "labels": {"kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux",
                       "kubernetes.io/arch": "amd64"}}}
        try:
            self.api.call("POST", "/api/v1/nodes", body)
        except ApiError as e:
            if e.status != 409:
                raise
        self.status(node)
        self.lease(node)

    def status(self, node):
        room = {"cpu": "64", "memory": "512Gi", "pods": "110", "ephemeral-storage": "1000Gi"}
        conditions = [
            {"type": kind, "status": flag, "reason": "Simulated", "message": "simulated",
             "lastHeartbeatTime": timestamp(), "lastTransitionTime": timestamp()}
            for kind, flag in (("Ready", "True"), ("MemoryPressure", "False"),
                               ("DiskPressure", "False"), ("PIDPressure", "False"))]
        answer = self.api.call("PATCH", f"/api/v1/nodes/{node.name}/status", {"status": {
            "capacity": room, "allocatable": room, "conditions": conditions,
            "volumesInUse": sorted(node.in_use),
            "addresses": [{"type": "Hostname", "address": node.name},
                          {"type": "InternalIP", "address": "127.0.0.1"}],
            "nodeInfo": {"kubeletVersion": self.version, "osImage": "simulated", "operatingSystem": "linux",
                         "architecture": "amd64", "containerRuntimeVersion": "simulated://0",
                         "kernelVersion": "0", "kubeProxyVersion": "", "machineID": node.name,
                         "bootID": node.name, "systemUUID": node.name}}}, MERGE)
        node.labels = answer["metadata"].get("labels", {})
        return answer

    def lease(self, node):
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        spec = {"holderIdentity": node.name, "renewTime": timestamp(micro=True), "leaseDurationSeconds": 5}
        try:
            self.api.call("PATCH", f"{leases}/{node.name}", {"spec": spec}, MERGE)
        except ApiError as e:
            if e.status != 404:
                raise
            self.api.call("POST", leases, {
                "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                "metadata": {"name": node.name}, "spec": spec})

    def beat(self):
        count = 0
        while not self.closed:
            for node in self.all.values():
                if node.hears():
                    self.attempt(self.lease, node)
                    # A lease keeps a node alive; the status only has to repair what was marked.
                    if count % 3 == 0:
                        self.attempt(self.status, node)
            count += 1
            time.sleep(1)

    # Pods

    def follow(self):
        """Watches all pods; a node that is cut off hears nothing and catches up when it heals."""
        while not self.closed:
            try:
                version = self.resync()
                for event in self.api.watch("/api/v1/pods", version):
                    self.observe(event["object"], event["type"] == "DELETED")
            except Exception as e:    # a kubelet only tries again
                if not self.closed:
                    print("watch:", e, file=sys.stderr)
                time.sleep(0.2)

    def resync(self):
        with self.lock:
            answer = self.api.call("GET", "/api/v1/pods")
            seen = {p["metadata"]["uid"] for p in answer["items"]}
            for pod in answer["items"]:
                self.observe(pod)
            for node in self.all.values():
                for box in list(node.containers.values()):
                    if node.hears() and box.uid not in seen:
                        self.vanished(node, box)
        return answer["metadata"]["resourceVersion"]

    def observe(self, pod, gone=False):
        node = self.all.get(pod["spec"].get("nodeName"))
        if node is None or not node.hears():
            return
        with self.lock:
            meta, phase = pod["metadata"], pod.get("status", {}).get("phase")
            box = node.containers.get(meta["uid"])
            if box is None:
                if gone:
                    return
                box = Container(pod)
                if phase in ("Succeeded", "Failed"):
                    if meta.get("deletionTimestamp"):
                        self.pool.submit(self.attempt, self.remove, node, box)
                    return
                node.containers[box.uid] = box
                self.pool.submit(self.attempt, self.admit, node, box)
            elif gone:
                self.vanished(node, box)
            elif meta.get("deletionTimestamp"):
                box.pod = pod
                self.terminate(node, box, meta.get("deletionGracePeriodSeconds", box.grace))
            else:
                box.pod = pod

    def admit(self, node, box):
        """lifecycle/predicate.go: labels and host ports. A pod that already runs is asked again
        when the kubelet starts (HandlePodAdditions); the kubelet knows only pods of the API."""
        labels = self.api.call("GET", f"/api/v1/nodes/{node.name}")["metadata"].get("labels", {})
        with self.lock:
            if box.state != "new":
                return
            node.labels = labels
            others = [b for b in node.containers.values() if b is not box and b.known and b.active()]
            taken = set().union(*(b.host_ports for b in others), set())
            reason = None
            if not fits(box.pod, node.name, labels):
                reason = "NodeAffinity"
            elif box.host_ports & taken:
                reason = "NodePorts"
            if reason is None and box.pod["metadata"].get("deletionTimestamp"):
                box.state = "stopped"
                self.pool.submit(self.attempt, self.remove, node, box)
                return
            box.state = "rejected" if reason else "mounting"
        if reason:
            self.note(node, box, "rejected", reason=reason)
            self.report(box, {"phase": "Failed", "reason": reason, "message": f"Pod was rejected: {reason}"})
            if box.pod["metadata"].get("deletionTimestamp"):
                self.remove(node, box)
        else:
            self.mount(node, box)

    def mount(self, node, box):
        """Retries, as a kubelet does, until every volume is present."""
        with self.lock:
            if box.state != "mounting" or not node.up:
                return
        try:
            self.volumes(node, box)
        except (Waits, ApiError, OSError) as e:
            self.told(node, box, "waits", str(e))
            self.after(RETRY, self.mount, node, box)
            return
        with self.lock:
            if box.state != "mounting":
                return
            for resource, modes in box.mounts.values():
                # volume/util/operationexecutor: IsVolumeMountedElsewhere; mounts outlive objects.
                if modes == ["ReadWriteOncePod"] and any(
                        resource == r for b in node.containers.values() if b is not box and b.mounted()
                        for r, _ in b.mounts.values()):
                    self.told(node, box, "waits", "volume uses ReadWriteOncePod and is in use by another pod")
                    self.after(RETRY, self.mount, node, box)
                    return
            box.state = "starting"
        self.after(START, self.run, node, box)

    def volumes(self, node, box):
        """Finds every volume, or raises what is missing."""
        spec = box.pod["spec"]
        containers = spec["containers"] + spec.get("initContainers", [])
        mounted = {m["name"] for c in containers for m in c.get("volumeMounts", [])}
        for volume in spec.get("volumes", []):
            if volume["name"] not in mounted:    # volumemanager/populator: nothing mounts it
                continue
            if "hostPath" in volume:
                box.mounts[volume["name"]] = self.host_path(node, volume["hostPath"])
            elif "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                found = self.claim(node, box, claim)
                box.mounts[volume["name"]] = found

    def host_path(self, node, source):
        """volume/hostpath/host_path.go."""
        path, kind = source["path"], source.get("type", "")
        with self.lock:
            if path not in node.dirs:
                if kind == "Directory":
                    raise Waits(f"hostPath type check failed: {path} is not a directory")
                node.dirs[path] = None    # DirectoryOrCreate makes it, and so does a runtime for ""
        return f"path {node.name} {path}", []

    def claim(self, node, box, name):
        claim = self.api.call("GET", f"/api/v1/namespaces/{box.namespace}/persistentvolumeclaims/{name}")
        if claim.get("status", {}).get("phase") != "Bound":
            raise Waits(f"claim {name} is not bound")
        spec = self.api.call("GET", f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")["spec"]
        if not matches_terms(spec.get("nodeAffinity", {}).get("required"), node.name, node.labels):
            raise Waits("MountVolume.NodeAffinity check failed")    # operation_generator.go
        if "local" in spec:
            path = spec["local"]["path"]
            if path not in node.dirs:
                raise Waits(f"MountVolume: {path} does not exist")    # volume/local/local.go
            return f"path {node.name} {path}", spec["accessModes"]
        driver, handle = spec["csi"]["driver"], spec["csi"]["volumeHandle"]
        unique = f"kubernetes.io/csi/{driver}^{handle}"
        # volumemanager: say that it is in use before asking whether it is attached.
        with self.lock:
            new = unique not in node.in_use
            node.in_use.add(unique)
        status = self.status(node) if new else self.api.call("GET", f"/api/v1/nodes/{node.name}")
        attached = {v["name"] for v in status["status"].get("volumesAttached", [])}
        if unique not in attached:
            raise Waits(f"volume {handle} is not attached")
        return f"volume {handle}", spec["accessModes"]

    def run(self, node, box):
        with self.lock:
            if box.state != "starting" or not node.up:
                return
            others = [b for b in node.containers.values() if b is not box and b.alive()]
            lock = box.locks()
            if lock and any(b.locks() == lock for b in others):
                self.told(node, box, "crashes", f"flock: {lock}")
                self.after(RETRY, self.run, node, box)
                return
            box.state = "running"
            box.held = self.resources(node, box)
            bound = any(box.host_network and b.host_network and box.host_ports & b.host_ports for b in others)
            if bound:
                box.held = [resource for resource, _ in box.mounts.values()]
                self.note(node, box, "running", until="bind(2) fails")
                self.after(CRASH, self.crashed, node, box)
                return
            self.note(node, box, "running")
            self.data(node, box)
        if node.linked:
            now = timestamp()
            self.attempt(self.report, box, {
                "phase": "Running", "hostIP": "127.0.0.1", "startTime": now,
                "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now}
                               for kind in ("Initialized", "Ready", "ContainersReady", "PodScheduled")],
                "containerStatuses": [{
                    "name": c["name"], "ready": True, "started": True, "restartCount": 0,
                    "image": "simulated", "imageID": "simulated", "containerID": "simulated://" + box.uid,
                    "state": {"running": {"startedAt": now}}} for c in box.pod["spec"]["containers"]]})

    def crashed(self, node, box):
        with self.lock:
            if box.alive():
                self.note(node, box, "stopped")
            if box.state == "running":
                box.state, box.held = "starting", []
                self.after(RETRY, self.run, node, box)

    def resources(self, node, box):
        """Returns the resources that no second running container may hold."""
        service = box.labels.get("app.kubernetes.io/name", box.name)
        found = [resource for resource, _ in box.mounts.values()]
        found += [f"port {node.name} {number}/{kind}" for number, kind in sorted(box.host_ports)]
        owners = box.pod["metadata"].get("ownerReferences", [{}])
        if owners[0].get("kind") == "StatefulSet":
            found.append(f"name {box.namespace}/{box.name}")
            found.append(f"id {service}/{box.name.rpartition('-')[2]}")
        found.append(f"writer {service}")
        return found

    def data(self, node, box):
        """Returns whose data the member finds. The first member that uses an empty directory fills it."""
        service = box.labels.get("app.kubernetes.io/name", box.name)
        for name, (resource, _) in box.mounts.items():
            kind, _, rest = resource.partition(" ")
            if kind == "path":
                where, path = node.dirs, rest.partition(" ")[2]
            else:
                where, path = self.storage.contents, rest
            owner = service if "apps.kubernetes.io/pod-index" not in box.labels else box.name
            if where.get(path) is None:
                self.note(node, box, "empty", resource=resource, volume=name)
                where[path] = owner
            elif where[path] != owner:
                self.note(node, box, "foreign", resource=resource, of=where[path])

    def terminate(self, node, box, grace):
        """Stops the containers once: a second delete does not shorten the grace period (issue 113717)."""
        if box.state in ("new", "mounting", "starting"):
            box.state = "stopped"
            self.pool.submit(self.attempt, self.remove, node, box)
        elif box.state == "running":
            box.state = "stopping"
            self.note(node, box, "stopping", grace=grace)
            grace = max(grace, LEAST_GRACE)
            after = grace if self.stop_after is None else min(self.stop_after, grace)
            self.after(after, self.stopped, node, box)
        elif box.state == "rejected":
            self.pool.submit(self.attempt, self.remove, node, box)

    def stopped(self, node, box):
        with self.lock:
            if not box.alive():
                return
            self.note(node, box, "stopped")
            box.state = "unmounting"
        # status_manager: the phase is final before the volumes are unmounted.
        if node.hears() and box.known:
            self.attempt(self.report, box, {"phase": "Succeeded"})
        self.after(UNMOUNT, self.unmounted, node, box)

    def unmounted(self, node, box):
        with self.lock:
            box.state = "stopped"
            self.forget_volumes(node)
            if not box.known:
                node.containers.pop(box.uid, None)
        if node.hears():
            self.attempt(self.status, node)
        self.remove(node, box)

    def forget_volumes(self, node):
        mounted = {r for b in node.containers.values() if b.mounted() or b.state == "mounting" for r, _ in b.mounts.values()}
        node.in_use = {u for u in node.in_use if "volume " + u.partition("^")[2] in mounted}

    def remove(self, node, box):
        """Deletes the object of a stopped pod that has a deletion timestamp."""
        if not node.hears() or not box.known:
            return
        pod = self.api.get(box.path)
        if pod and pod["metadata"]["uid"] == box.uid and pod["metadata"].get("deletionTimestamp"):
            self.attempt(self.api.call, "DELETE", box.path, {
                "kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0,
                "preconditions": {"uid": box.uid}})

    def vanished(self, node, box):
        if box.known:
            self.note(node, box, "object-gone", state=box.state)
        box.known = False
        if box.state == "running":
            self.terminate(node, box, VANISHED)
        elif box.state in ("new", "mounting", "starting", "rejected"):
            box.state = "stopped"
        if box.state == "stopped":
            node.containers.pop(box.uid, None)
            self.forget_volumes(node)

    def fenced(self, handle, name):
        """The storage has fenced a node: its containers can no longer write to the volume."""
        with self.lock:
            for box in self.all[name].containers.values():
                if box.alive() and f"volume {handle}" in box.held:
                    self.note(self.all[name], box, "fenced", resource=f"volume {handle}")

    # What happens to nodes

    def cut(self, name):
        self.trace.write("cut", node=name)
        self.all[name].linked = False

    def heal(self, name):
        node = self.all[name]
        if node.linked:
            return
        self.trace.write("heal", node=name)
        with self.lock:
            node.linked = True
            stopped = [b for b in node.containers.values() if b.state == "stopped"]
        self.attempt(self.status, node)
        self.resync()
        for box in stopped:
            self.pool.submit(self.attempt, self.remove, node, box)

    def power_off(self, name):
        node = self.all[name]
        self.trace.write("power-off", node=name)
        with self.lock:
            node.up = False
            for box in node.containers.values():
                if box.alive():
                    self.note(node, box, "stopped")
            node.containers.clear()
            node.in_use.clear()

    def boot(self, name):
        node = self.all[name]
        if node.up:
            return
        self.trace.write("boot", node=name)
        with self.lock:
            node.up = node.linked = True
        self.register(node)
        self.resync()

    def restart_kubelet(self, name):
        """The agent alone: containers run on, and every pod is admitted again. A running pod that
        is refused keeps its phase until its containers have ended (status_manager.go,
        mergePodStatus); the next housekeeping ends them, with the least grace there is
        (kubelet_pods.go, HandlePodCleanups)."""
        node = self.all[name]
        self.trace.write("kubelet-restart", node=name)
        self.register(node)
        with self.lock:
            boxes = [b for b in node.containers.values() if b.alive() and not fits(b.pod, node.name, node.labels)]
        for box in boxes:
            self.note(node, box, "rejected", reason="NodeAffinity")
            self.after(HOUSEKEEPING, self.orphaned, node, box)

    def orphaned(self, node, box):
        if self.stop_after is None or self.stop_after > LEAST_GRACE:
            self.after(LEAST_GRACE, self.refused, node, box)
        else:
            self.after(self.stop_after, self.refused, node, box)

    def refused(self, node, box):
        with self.lock:
            if not box.alive():
                return
            self.note(node, box, "stopped")
            box.state = "rejected"
            self.forget_volumes(node)
        if node.hears():
            self.attempt(self.report, box, {"phase": "Failed", "reason": "NodeAffinity",
                                            "message": "Pod was rejected: NodeAffinity"})
            self.remove(node, box)

    def unmount(self, name, under):
        """Unmounts a disk: its directories are not visible."""
        node = self.all[name]
        self.trace.write("disk-gone", node=name)
        with self.lock:
            for path in [p for p in node.dirs if p.startswith(under)]:
                node.hidden[path] = node.dirs.pop(path)

    def remount(self, name):
        node = self.all[name]
        self.trace.write("disk-back", node=name)
        with self.lock:
            node.dirs.update(node.hidden)
            node.hidden.clear()

    # Helpers

    def report(self, box, status):
        self.api.call("PATCH", box.path + "/status", {"metadata": {"uid": box.uid}, "status": status}, STRATEGIC)

    def told(self, node, box, event, why):
        """Records a message once for each cause."""
        if getattr(box, "last", None) != (event, why):
            box.last = (event, why)
            self.note(node, box, event, why=why)

    def note(self, node, box, event, **more):
        self.trace.write(event, node=node.name, pod=f"{box.namespace}/{box.name}", uid=box.uid,
                         held=box.held, **more)

    def after(self, seconds, action, *args):
        def go():
            if not self.closed:
                self.pool.submit(self.attempt, action, *args)
        timer = threading.Timer(seconds, go)
        timer.daemon = True
        timer.start()

    def attempt(self, action, *args):
        """Ignores an API that is down or an object that has changed: a kubelet tries again."""
        try:
            return action(*args)
        except ApiError as e:
            if e.status not in (404, 409) and not self.closed:
                print(f"{action.__name__}: {e}", file=sys.stderr)
        except Exception as e:    # a thread must not end in silence
            if not self.closed:
                print(f"{action.__name__}: {type(e).__name__}: {e}", file=sys.stderr)
        return None


def fits(pod, name, labels):
    """component-helpers GetRequiredNodeAffinity: selector and required affinity."""
    spec = pod["spec"]
    if any(labels.get(k) != v for k, v in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    return matches_terms(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"), name, labels)


def matches_terms(required, name, labels):
    def one(e, value):
        given = e.get("values", [])
        return {"In": value in given, "NotIn": value not in given, "Exists": value is not None,
                "DoesNotExist": value is None}[e["operator"]]
    if not required:
        return True
    return any(
        all(one(e, labels.get(e["key"])) for e in term.get("matchExpressions", []))
        and all(one(e, name) for e in term.get("matchFields", []))
        for term in required["nodeSelectorTerms"])
