"""Finds in the events of a trace who held each resource, and when two held it together."""

import time


def spans(events):
    """Returns {resource: [(from, to, pod, uid, node)]}. A container that has not stopped holds until now."""
    end = time.time()
    since, found = {}, {}

    def close(uid, resource, until):
        e = since[uid].pop(resource)
        found.setdefault(resource, []).append((e["time"], until, e["pod"], uid, e["node"]))

    for e in events:
        if e["event"] == "running":
            since[e["uid"]] = {r: e for r in e["held"]}
        elif e["event"] == "stopped":
            for resource in list(since.get(e["uid"], {})):
                close(e["uid"], resource, e["time"])
        elif e["event"] == "fenced" and e["resource"] in since.get(e["uid"], {}):
            close(e["uid"], e["resource"], e["time"])
    for uid in list(since):
        for resource in list(since[uid]):
            close(uid, resource, end)
    return {r: sorted(all) for r, all in found.items()}


def overlaps(events):
    """Returns {resource: the longest time in ms that two containers held it together}."""
    result = {}
    for resource, all in spans(events).items():
        for i, a in enumerate(all):
            for b in all[i + 1:]:
                ms = round((min(a[1], b[1]) - max(a[0], b[0])) * 1000)
                if ms > 0 and a[3] != b[3]:
                    result[resource] = max(ms, result.get(resource, 0))
    return result


def gap(events, kinds):
    """Returns the shortest time in ms between two successive holders of a resource, or None."""
    waits = [round((b[0] - a[1]) * 1000) for r, all in spans(events).items() if r.split()[0] in kinds
             for a, b in zip(all, all[1:]) if a[3] != b[3] and b[0] >= a[1]]
    return min(waits, default=None)

