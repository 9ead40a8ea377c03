"""A CSI driver's two controllers, as one loop: volumes for claims, and attachments.

Kubernetes decides where and when (the attach/detach controller makes the VolumeAttachment); the
storage only obeys. Storage that fences gives a volume to one node at a time and takes it away from
the old one; other storage lets a node that is cut off write on.
"""

import sys
import threading
import time

from api import MERGE

# The drivers whose storage fences, as berthc's table of backends has them.
FENCING = {"ebs.csi.aws.com", "pd.csi.storage.gke.io", "disk.csi.azure.com"}
PROVISIONER = "volume.kubernetes.io/storage-provisioner"
NODE = "volume.kubernetes.io/selected-node"


class Storage:
    def __init__(self, api):
        self.api = api
        self.contents = {}      # volume handle -> whose data, None while empty
        self.attached = {}      # (handle, node) -> driver
        self.nodes = None
        self.closed = False

    def start(self, nodes):
        self.nodes = nodes
        threading.Thread(target=self.loop, daemon=True).start()

    def close(self):
        self.closed = True

    def loop(self):
        while not self.closed:
            try:
                self.provision()
                self.attach()
            except Exception as e:    # it only tries again
                if not self.closed:
                    print("storage:", type(e).__name__, e, file=sys.stderr)
            time.sleep(0.2)

    def provision(self):
        for claim in self.api.items("/api/v1/persistentvolumeclaims"):
            notes = claim["metadata"].get("annotations", {})
            if claim["spec"].get("volumeName") or PROVISIONER not in notes:
                continue
            storage = self.api.get(f"/apis/storage.k8s.io/v1/storageclasses/{claim['spec']['storageClassName']}")
            if storage is None or (storage.get("volumeBindingMode") == "WaitForFirstConsumer" and NODE not in notes):
                continue
            meta = claim["metadata"]
            name = "pvc-" + meta["uid"]
            if self.api.get(f"/api/v1/persistentvolumes/{name}"):
                continue
            self.contents[name] = None
            spec = {
                "accessModes": claim["spec"]["accessModes"],
                "capacity": claim["spec"]["resources"]["requests"],
                "storageClassName": storage["metadata"]["name"],
                "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
                "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "uid": meta["uid"],
                             "namespace": meta["namespace"], "name": meta["name"]},
                "csi": {"driver": storage["provisioner"], "volumeHandle": name}}
            zone = self.zone(storage, notes.get(NODE))
            if zone:
                spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [zone]}]}}
            self.api.call("POST", "/api/v1/persistentvolumes", {
                "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {
                    "name": name, "annotations": {"pv.kubernetes.io/provisioned-by": storage["provisioner"]}},
                "spec": spec})

    def zone(self, storage, node):
        """The zone of the node that the scheduler chose."""
        for topology in storage.get("allowedTopologies", [])[:1]:
            key = topology["matchLabelExpressions"][0]["key"]
            labels = self.api.call("GET", f"/api/v1/nodes/{node}")["metadata"]["labels"]
            return {"key": key, "operator": "In", "values": [labels[key]]}
        return None

    def attach(self):
        wanted = {}
        for one in self.api.items("/apis/storage.k8s.io/v1/volumeattachments"):
            volume = self.api.get(f"/api/v1/persistentvolumes/{one['spec']['source']['persistentVolumeName']}")
            if volume:
                csi = volume["spec"]["csi"]
                wanted[csi["volumeHandle"], one["spec"]["nodeName"]] = (csi["driver"], one)
        for key in [k for k in self.attached if k not in wanted]:
            if self.attached.pop(key) in FENCING:
                self.nodes.fenced(*key)
        for (handle, node), (driver, one) in wanted.items():
            elsewhere = any(h == handle and n != node for h, n in self.attached)
            if one.get("status", {}).get("attached") or (driver in FENCING and elsewhere):
                continue
            self.attached[handle, node] = driver
            self.api.call("PATCH", f"/apis/storage.k8s.io/v1/volumeattachments/{one['metadata']['name']}/status",
                          {"status": {"attached": True}}, MERGE)
