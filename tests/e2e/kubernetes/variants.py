"""The emitted text with a rule taken away, by templates of the user's own, as berthc lets them.

berthc reads such text back: where it then names a gap, the overlap is to be seen; where it names none,
the rules that are left must hold. The gaps are waived in copies of the specs, or nothing is written.
"""

import os
import re
import shutil
import time
from dataclasses import dataclass

import scenarios as s

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
TEMPLATES = os.path.join(ROOT, "templates", "kubernetes")


@dataclass
class Variant:
    """`hazard`: under which the scenario falls. `sure`: an overlap comes each time, if it can."""

    title: str
    service: str
    edits: dict
    hazard: str
    function: object
    sure: bool = True
    own: bool = False


def cut(start, end, instead=""):
    """Removes the text from `start` up to `end`."""
    def edit(text):
        a = text.index(start)
        return text[:a] + instead + text[text.index(end, a):]
    return edit


def swap(old, new):
    def edit(text):
        if old not in text:
            raise ValueError(f"the template has no {old!r}")
        return text.replace(old, new)
    return edit


def both(*edits):
    def edit(text):
        for one in edits:
            text = one(text)
        return text
    return edit


def only(service, edit):
    """Edits what `service` alone becomes: in another workload the API would refuse the line."""
    def edited(text):
        return f'{{% if "{service}" in one.meta.name %}}\n{edit(text)}{{% else %}}\n{text}{{% endif %}}\n'
    return edited


NO_AFFINITY = {"pod": cut("        podAntiAffinity:", "{% if pod.more.affinity %}", "        podAntiAffinity: {}\n")}
NO_PORTS = {"container": lambda t: re.sub(r"\{% if port.host %\}.*?\{% endif %\}\n", "", t, flags=re.S)}
# On the network of the node, the API server makes every port a host port: remove both.
NO_HOST_PORTS = {**NO_PORTS, "pod": cut("{% if pod.host_network %}", "      enableServiceLinks")}
SPREAD = {"pod": only("store", both(
    NO_AFFINITY["pod"],
    cut("{% if pod.spread or", "{% if pod.host_network %}",
        "      topologySpreadConstraints:\n"
        "        - { maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule,"
        " labelSelector: { matchLabels: { app.kubernetes.io/name: store } } }\n")))}
SURGE = {"update": only("store", lambda t: re.sub(
    r"\{% if one.update.rolling %\}.*?\{% endif %\}\n",
    "    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }\n", t, count=1, flags=re.S))}
MAKES = {"volume": swap("type: {{ volume.host.kind }}", "type: DirectoryOrCreate")}
DEPLOYMENT = {"statefulset": only("writer", both(
    swap("kind: StatefulSet", "kind: Deployment"),
    cut("  serviceName:", '{% include "kubernetes/pod.yaml.j2" %}',
        "  replicas: {{ one.replicas }}\n"
        "  strategy: { type: Recreate }\n"
        "  selector: { matchLabels: { app.kubernetes.io/name: {{ one.meta.name }} } }\n"),
    # A Deployment has no claim templates.
    lambda t: t[:t.index("{% if one.claims %}")]))}
RWO = {"statefulset": swap("- {{ claim.access }}", "- ReadWriteOnce")}
RWOP = {"statefulset": swap("- {{ claim.access }}", "- ReadWriteOncePod"),
        "persistentvolumes": swap("- {{ volume.access }}", "- ReadWriteOncePod")}
NOT_KEPT = {"statefulset": swap("whenDeleted: {{ one.retention }}", "whenDeleted: Delete")}


def rolled(r):
    """A rollout that the controllers do without an operator."""
    box = r.one()
    s.changed(r)
    r.turned(box)
    r.settled()


def two_claims(r):
    """Two pods of one claim on one node."""
    box = r.one()
    claim = next(v["persistentVolumeClaim"]["claimName"] for v in box.pod["spec"]["volumes"]
                 if "persistentVolumeClaim" in v)
    s.stranger(r, {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}],
                   "nodeSelector": {"kubernetes.io/hostname": r.where(box)}})


s.BREAKS[two_claims] = s.OTHERS_POD


def deleted(r):
    box = r.one()
    r.delete(box)
    r.turned(box)
    r.settled()


def reapplied_empty(r):
    """Deletes the workload and its claims, and applies it again."""
    boxes = [c for _, c in r.running()]
    s.remove(r, ["--cascade=foreground"])
    r.b.wait("its claims have gone", lambda: not r.b.api.items(
        f"/api/v1/namespaces/{r.s.namespace}/persistentvolumeclaims"))
    r.apply()
    r.settled()
    return boxes


def no_disk(r):
    """Creates a new pod on a node without the disk."""
    node = r.home[0]
    box = r.one(node)
    r.b.nodes.power_off(node)
    r.b.nodes.unmount(node, "/mnt/")
    r.delete(box)
    r.b.nodes.boot(node)
    r.b.wait("another pod has a node", lambda: [
        p for p in r.pods() if p["spec"].get("nodeName") == node and p["metadata"]["uid"] != box.uid])
    time.sleep(3)


def many_flips(r):
    """Runs two sets of controllers, and deletes pods repeatedly."""
    r.b.own.controllers("second")
    time.sleep(3)
    r.b.nodes.stop_after = 1.0
    for _ in range(8):
        boxes = [c for _, c in r.running()]
        for box in boxes:
            r.delete(box)
        for box in boxes:
            r.turned(box)
        r.settled()


s.BREAKS[many_flips] = {"daemonset": "one controller is active"}


ALL = [
    Variant("store without anti-affinity: revision's label moved", "store", NO_AFFINITY, "relabel", s.flip),
    Variant("store without anti-affinity: workload deleted in the background, applied again", "store",
            NO_AFFINITY, "revisions", s.again),
    Variant("store without anti-affinity: deleted with --cascade=orphan, a pod deleted, applied again", "store",
            NO_AFFINITY, "revisions", s.orphan),
    Variant("store without anti-affinity: workload deleted with --cascade=foreground, applied again", "store",
            NO_AFFINITY, "update", s.foreground),
    Variant("store without anti-affinity: new template, pod by pod", "store", NO_AFFINITY, "update", s.update),
    Variant("store without anti-affinity: two sets of controllers", "store", NO_AFFINITY, "colocate",
            many_flips, sure=False, own=True),
    Variant("store, topology spread in place of anti-affinity: revision's label moved", "store", SPREAD,
            "relabel", s.flip),
    Variant("store with maxSurge 1, without anti-affinity: new template", "store", {**SURGE, **NO_AFFINITY},
            "update", rolled),
    Variant("store, DirectoryOrCreate: up again without the disk", "store", MAKES, "reboot", no_disk),
    Variant("cockroachdb without anti-affinity: revision's label moved", "cockroachdb", NO_AFFINITY,
            "relabel", s.blink),
    Variant("cockroachdb without anti-affinity: workload deleted in the background, applied again",
            "cockroachdb", NO_AFFINITY, "revisions", s.again),
    Variant("elasticsearch-data without anti-affinity: revision's label moved", "elasticsearch-data",
            NO_AFFINITY, "relabel", s.flip),
    Variant("elasticsearch-data without host network and ports: revision's label moved", "elasticsearch-data",
            NO_HOST_PORTS, "relabel", s.flip),
    Variant("keeper without anti-affinity: another namespace in the spec", "keeper", NO_AFFINITY, "revisions",
            s.moved_namespace),
    Variant("keeper, ReadWriteOncePod on its local volumes: another pod with the same claim", "keeper", RWOP,
            "neighbour", s.same_claim),
    Variant("keeper, ReadWriteOncePod on its local volumes: pod deleted", "keeper", RWOP, "update", deleted),
    Variant("mover, ReadWriteOnce: another pod with the same claim", "mover", RWO, "neighbour", two_claims),
    Variant("mover, ReadWriteOnce: pod deleted", "mover", RWO, "update", deleted),
    Variant("mover, ReadWriteOnce: pod deleted by force", "mover", RWO, "force", s.force),
    Variant("mover, claims deleted with the set: deleted, applied again", "mover", NOT_KEPT, "move",
            reapplied_empty),
    Variant("writer as a Deployment, Recreate: pod deleted", "writer", DEPLOYMENT, "update", deleted),
    Variant("writer as a Deployment, Recreate: cut off, healed", "writer", DEPLOYMENT, "partition", s.partition_deployment),
]


def compile(variant, berthc, folders, work):
    """Compiles with edited templates and every gap waived: (folder, output, gaps and claims of the service, fault)."""
    key = "own" if os.path.exists(os.path.join(folders["own"], f"{variant.service}.yaml")) or os.path.exists(
        os.path.join(folders["own"], f"{variant.service}.v1.yaml")) else "specs"
    base = os.path.join(work, "variant-" + re.sub(r"[^a-z0-9]+", "-", variant.title.lower())[:60])
    templates, specs, out = (os.path.join(base, n) for n in ("templates", "specs", "out"))
    os.makedirs(os.path.join(templates, "kubernetes"))
    shutil.copytree(folders[key], specs)
    for name, edit in variant.edits.items():
        file = f"{name}.yaml.j2"
        with open(os.path.join(TEMPLATES, file)) as f:
            text = edit(f.read())
        with open(os.path.join(templates, "kubernetes", file), "w") as f:
            f.write(text)
    gaps = {}
    for _ in range(3):
        found, written = berthc.compile(specs, out, "--templates", templates)
        if written:
            break
        for d in found:
            if d["severity"] == "error" and d["code"].startswith("kubernetes/"):
                gaps.setdefault(d["at"]["file"], set()).update([d["code"], *d.get("also", [])])
        for file, codes in gaps.items():
            waive(file, folders[key], specs, codes)
    else:
        return None, None, [], {}, f"not written: {[d['code'] + ' ' + d['message'] for d in found][:3]}"
    own = set()
    for file, codes in gaps.items():
        if os.path.basename(file).split(".")[0] == variant.service:
            own |= codes
    claims = berthc.claims(specs, "--templates", templates)
    mine = next(c for name, c in claims.items() if name in (variant.service, f"{variant.service}-v1"))
    return base, out, sorted(own), mine, None


def waive(file, source, specs, codes):
    """Writes the missing waivers into the copy of a spec."""
    name = os.path.basename(file)
    with open(os.path.join(source, name)) as f:
        text = f.read()
    why = "that is what is tried"
    if name.endswith(".toml"):
        lines = "".join(f'  {{ gap = "{c}", because = "{why}" }},\n' for c in sorted(codes))
        text = re.sub(r"^accept = \[\n", "accept = [\n" + lines, text, count=1, flags=re.M)
        with open(os.path.join(specs, name), "w") as f:
            f.write(text)
        return
    lines = "".join(f'  - {{ gap: {c}, because: "{why}" }}\n' for c in sorted(codes))
    if re.search(r"^accept:\n", text, re.M):
        text = re.sub(r"^accept:\n", "accept:\n" + lines, text, count=1, flags=re.M)
    else:
        text = text.rstrip("\n") + "\naccept:\n" + lines
    with open(os.path.join(specs, name), "w") as f:
        f.write(text)
