"""Runs every scenario on every service of the bench, and compares the results with the claims of berthc.

    suite.py --berthc PROGRAM --programs DIR [--core] [--jobs N] [--only REGEX] [--results FILE]
    suite.py --berthc PROGRAM --kubeconfig FILE …      an empty cluster that runs already

A cell of the certificate that is held must show no overlap in any scenario of its hazard. One that is
a duty or a gap must show one in at least one scenario: a promise that nobody tests is worth little, and
so is a warning of what cannot happen.
"""

import argparse
import json
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import traceback

import facts
import overlap
import results
import scenarios
import variants
from bench import Bench, Berthc, Failed, Run, Service

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
# The services that go through every scenario; all others are deployed, and one pod is replaced.
OWN = ["store", "keeper", "holder", "mover", "drifter", "writer"]
# Services that differ from another by one rule: only the hazards that the rule affects.
ONLY = {"holder": {"force", "neighbour"}}
SHIPPED = ["elasticsearch-data", "cockroachdb", "cassandra"]
FOLDERS = {"own": os.path.join(HERE, "specs"), "specs": os.path.join(ROOT, "specs"),
           "tests": os.path.join(ROOT, "tests", "specs")}


# The short run: these scenarios on the services of the suite, every variant that is cheap, all deploys.
CORE = {
    "workload deleted in the background, applied again at once",
    "every other node cordoned, a member deleted",
    "new template, pod by pod, slow stop",
    "scaled to 0 and back at once",
    "second revision's label set in one step, and back",
    "pin taken away and set again, pod deleted",
    "cut off until its pods are to go, healed",
    "kubelet started again, pod deleted while it stops",
    "up again without the disk, which comes later",
    "node cordoned, pod deleted: it moves with its volume",
    "another pod with the same claim",
    "pod deleted by force, slow stop",
    "cut off, taint out-of-service although it runs, healed",
    "deployed, one pod replaced",
    "store without anti-affinity: revision's label moved",
    "store with maxSurge 1, without anti-affinity: new template",
    "store, DirectoryOrCreate: up again without the disk",
    "mover, ReadWriteOnce: another pod with the same claim",
    "writer as a Deployment, Recreate: pod deleted",
    "ReadWriteOncePod: a second pod stays unplaced, on any node, until the first is gone",
    "Deployment, Recreate: a deleted pod is replaced at once, and both run",
    "two DaemonSets, a label moved from one to the other: both run",
    "the same with anti-affinity in one of them, 18 times each: in turn",
}
# The number of times that a failed item is run again, alone. A real fault appears again.
TRIES = 2
# The delay of a thread, in ms, from which a machine is too slow to start a pod while another stops.
SLOW = 1000


class Delay(threading.Thread):
    """Measures how late this machine is: the longest time in ms that a thread oversleeps."""

    def __init__(self):
        super().__init__(daemon=True)
        self.worst = 0
        self.start()

    def run(self):
        while True:
            begun = time.monotonic()
            time.sleep(0.02)
            self.worst = max(self.worst, round((time.monotonic() - begun - 0.02) * 1000))

    def take(self):
        """Returns the longest delay since the last call."""
        worst, self.worst = self.worst, 0
        return worst


def replaced(r):
    """Runs the smoke test of a service: deploys it, and replaces one pod."""
    if not r.s.workloads:
        return
    box = r.one()
    r.delete(box)
    r.turned(box)
    r.settled()


def attempt(bench, service, kinds, function):
    """One scenario on one service, as a record of what was seen."""
    run, begun = Run(bench, service), time.monotonic()
    seen = {"error": None, "skipped": None}
    try:
        run.deploy()
        function(run)
    except Failed as e:
        seen["error"] = str(e)
    except Exception:    # a fault of the suite is told as one, and the others go on
        seen["error"] = traceback.format_exc()
    events = list(bench.nodes.trace.events)
    seen["skipped"] = run.skipped
    seen["overlaps"] = {} if run.skipped else run.overlaps()
    seen["gap"] = None if run.skipped else overlap.gap(events, kinds)
    seen["wrong"] = run.wrong_data()
    if seen["error"] or os.environ.get("E2E_TRACE"):
        seen["trace"] = [e for e in events if e["event"] != "waits"][-60:]
    try:
        run.clean()
    except Exception as e:    # the next one would start in what this one left
        seen["error"] = (seen["error"] or "") + f" [not cleaned: {e}]"
        seen["broken"] = True
    seen["seconds"] = round(time.monotonic() - begun, 1)
    return seen


def measure(bench, title):
    """One fact, as a record."""
    run, begun = facts.Facts(bench), time.monotonic()
    seen = {"error": None, "skipped": None, "overlaps": {}, "gap": None, "wrong": [], "measured": None}
    try:
        run.begin()
        seen["measured"] = next(f for t, _, _, f in facts.ALL if t == title)(run)
    except Failed as e:
        seen["error"] = str(e)
    except Exception:    # as above
        seen["error"] = traceback.format_exc()
    if seen["error"]:
        seen["trace"] = bench.nodes.trace.events[-60:]
    try:
        run.end()
    except Exception as e:    # as above
        seen["error"] = (seen["error"] or "") + f" [not cleaned: {e}]"
        seen["broken"] = True
    seen["seconds"] = round(time.monotonic() - begun, 1)
    return seen


def lane(number, args, folder, items, turn, done):
    """One cluster, and what it takes of `items`: each time that at `turn`, which all lanes share."""
    bench, delay = None, Delay()
    while True:
        with turn.get_lock():
            at, turn.value = turn.value, turn.value + 1
        if at >= len(items):
            break
        item = items[at]
        delay.take()
        try:
            if bench is None:
                bench = Bench(Berthc(args.berthc), args.programs, tempfile.mkdtemp(prefix=f"lane{number}-", dir=folder), args.kubeconfig, args.before)
                bench.start()
            if item["hazard"] == "fact":
                seen = measure(bench, item["title"])
            else:
                service = Service(item["specs"], item["out"], item["service"], item.get("more", []))
                kinds = {"path", "volume"} if service.cell != "N" else {"writer", "name"}
                seen = attempt(bench, service, kinds, find(item))
            if seen.pop("broken", False) and not args.kubeconfig:
                bench.stop()
                bench = None
        except Exception:
            seen = {"error": traceback.format_exc(), "overlaps": {}, "skipped": None, "gap": None,
                    "wrong": [], "seconds": 0}
        done.put({**item, **seen, "late": delay.take(), "version": getattr(bench, "version", None)})
    if bench:
        bench.stop()
    done.put(None)


def find(item):
    if item["hazard"] == "deploy":
        return replaced
    if item["hazard"] == "variant":
        return next(v.function for v in variants.ALL if v.title == item["title"])
    return next(f for hazard, title, _, _, f in scenarios.ALL if (hazard, title) == (item["hazard"], item["title"]))


def plan(args, berthc, folder):
    """Compiles everything; the list of what is to be run, the claims, and the faults."""
    items, claims, faults = [], {}, []
    outs = {}
    for key, specs in FOLDERS.items():
        out = outs[key] = os.path.join(folder, key)
        diagnostics, written = berthc.compile(specs, out)
        if not written:
            faults.append(f"{specs} does not compile: {diagnostics[:1]}")
            continue
        if key != "tests":    # only deployed; a name of theirs may be another's here
            claims = berthc.claims(specs) | claims
    for name, key in [(n, "own") for n in OWN] + [(n, "specs") for n in SHIPPED]:
        service = Service(FOLDERS[key], outs[key], name)
        for hazard, title, cells, own, function in scenarios.ALL:
            if service.cell in cells and not (own and args.kubeconfig) and hazard in ONLY.get(name, {hazard}):
                items.append({"service": name, "specs": FOLDERS[key], "out": outs[key], "cell": service.cell,
                              "hazard": hazard, "title": title, "breaks": scenarios.BREAKS[function]})
    for key in "specs", "tests":
        for name in sorted(os.listdir(outs[key])):
            if os.path.isdir(os.path.join(outs[key], name, "kubernetes")) and name not in SHIPPED:
                service = Service(FOLDERS[key], outs[key], name)
                items.append({"service": name, "specs": FOLDERS[key], "out": outs[key], "cell": service.cell,
                              "hazard": "deploy", "title": "deployed, one pod replaced"})
    for variant in variants.ALL:
        if variant.own and args.kubeconfig or args.core and variant.title not in CORE:
            continue
        base, out, gaps, claims[variant.title], error = variants.compile(variant, berthc, FOLDERS, folder)
        if error:
            faults.append(f"variant {variant.title}: {error}")
            continue
        specs, cell = os.path.join(base, "specs"), next(i["cell"] for i in items if i["service"] == variant.service)
        items.append({"service": variant.service, "specs": specs, "out": out, "cell": cell, "hazard": "variant",
                      "more": ["--templates", os.path.join(base, "templates")],
                      "title": variant.title, "gaps": gaps, "of": variant.hazard, "sure": variant.sure,
                      "breaks": scenarios.BREAKS.get(variant.function, {})})
    for title, own, slow, _ in facts.ALL:
        if not (own and args.kubeconfig) and (args.slow or not slow):
            items.append({"service": "", "out": "", "cell": "", "hazard": "fact", "title": title})
    # Long items first, so that no lane ends with a long item.
    long = "six minutes", "Node object", "out-of-service", "cut off"
    items.sort(key=lambda i: next((n for n, word in enumerate(long) if word in i["title"]), len(long)))
    return items, claims, faults


def key(item):
    return item["service"], item["hazard"], item["title"]


def execute(items, args, folder, jobs):
    """The record of each item, as they come, from so many clusters at once."""
    turn, done = multiprocessing.Value("i", 0), multiprocessing.Queue()
    count = 1 if args.kubeconfig else min(jobs, len(items))
    lanes = [multiprocessing.Process(target=lane, args=(n, args, folder, items, turn, done)) for n in range(count)]
    for one in lanes:
        one.start()
    try:
        while count:
            record = done.get()
            if record is None:
                count -= 1
            else:
                yield record
    finally:
        for one in lanes:
            one.join(30)
            if one.is_alive():
                one.terminate()


def again(records, claims, items, args, folder):
    """The records, with what failed for reasons of time run again, alone. An overlap where the certificate
    says held is none of that: it stays."""
    for turn in range(TRIES):
        shaky = {key(r) for r in results.shaky(records, claims, not args.only)}
        if not shaky or len(shaky) > max(5, len(records) // 4):    # so many are no accident
            break
        print(f"{len(shaky)} scenarios again, alone, time {turn + 1} of {TRIES}", flush=True)
        some = [i for i in items if key(i) in shaky]
        for n, record in enumerate(execute(some, args, folder, 1)):
            print(results.line(record, n + 1, len(some)), flush=True)
            before = next(r for r in records if key(r) == key(record))
            record["late"] = min(record["late"], before.get("late", 0))
            records = [record if r is before else r for r in records]
    return records


def merged(records, path, all):
    """These records, and those of an earlier run for the rest of the plan."""
    with open(path) as f:
        found = {key(r): r for r in json.load(f)} | {key(r): r for r in records}
    return [found[key(i)] | i for i in all if key(i) in found]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--berthc", required=True, help="the compiler")
    parser.add_argument("--programs", help="folder with etcd, kube-apiserver and the rest")
    parser.add_argument("--kubeconfig", help="a cluster that runs already, without nodes, for this alone")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1),
                        help="clusters at once; they mostly wait")
    parser.add_argument("--slow", action="store_true", help="also what takes more than five minutes")
    parser.add_argument("--only", default="", help="regular expression on SERVICE/HAZARD/TITLE")
    parser.add_argument("--core", action="store_true", help="the short run, as in CI")
    parser.add_argument("--results", help="page to write, and this part of the table of all targets; only when every scenario has been run")
    parser.add_argument("--json", help="file for all records")
    parser.add_argument("--before", action="store_true",
                        help="with MaxUnavailableStatefulSet off, as all versions before 1.37 have it")
    parser.add_argument("--merge", help="such a file: its records stand for what is not run now")
    args = parser.parse_args()
    if bool(args.programs) == bool(args.kubeconfig):
        parser.error("one of --programs and --kubeconfig")
    if args.programs:
        os.environ["PATH"] = args.programs + ":" + os.environ["PATH"]

    args.berthc = os.path.abspath(args.berthc)
    folder = tempfile.mkdtemp(prefix="berthc-e2e-")
    all, claims, faults = plan(args, Berthc(args.berthc), folder)
    if args.core:
        all = [i for i in all if i["title"] in CORE and i["service"] not in SHIPPED]
    items = [i for i in all if re.search(args.only, f"{i['service']}/{i['hazard']}/{i['title']}")]
    records = []
    for record in execute(items, args, folder, args.jobs):
        records.append(record)
        print(results.line(record, len(records), len(items)), flush=True)
    if len(records) != len(items):
        faults.append(f"{len(items) - len(records)} scenarios were not run")
    records = again(records, claims, items, args, folder)
    if args.merge:
        records = merged(records, args.merge, all)
    if args.json:
        with open(args.json, "w") as f:
            json.dump(records, f, indent=1)
    whole = len(records) == len(all)
    broken, quiet, failed = results.judge(records, claims, whole)
    # An expected overlap did not come. On a machine that was slow all the time this proves nothing.
    slow = [min(r.get("late", 0) for r in all) >= SLOW for _, all in quiet]
    skipped = [text for (text, _), late in zip(quiet, slow) if late]
    faults += [text for text, _ in broken + failed]
    faults += [text for (text, _), late in zip(quiet, slow) if not late]
    if args.results and whole and not args.core:
        with open(args.results, "w") as f:
            f.write(results.page(records, claims, broken, [title for title, *_ in facts.ALL]))
        version = next(r["version"] for r in records if r.get("version")).lstrip("v")
        name = "gate-off" if args.before else ".".join(version.split(".")[:2])
        with open(os.path.join(HERE, "..", "measured", f"kubernetes-{name}.json"), "w") as f:
            rows = [json.dumps(row, separators=(",", ":"), sort_keys=True) for row in results.measured(records, claims)]
            f.write("[\n" + ",\n".join(rows) + "\n]\n")
    for text in skipped:
        print("NOT ASSERTED, the machine was too slow:", text)
    for fault in faults:
        print("FAULT:", fault)
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(records)} scenarios, {len(faults)} faults, {len(skipped)} not asserted")
    return 1 if faults else 77 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
