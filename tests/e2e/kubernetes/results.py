"""What was seen, held against what was claimed; as faults and as a page."""

from bench import KINDS

HAZARDS = ["colocate", "update", "revisions", "relabel", "partition", "reboot", "move", "neighbour", "force"]


def line(record, number, of):
    """One line for a terminal."""
    if record["skipped"]:
        word = f"skipped: {record['skipped']}"
    elif record["error"]:
        word = f"ERROR {record['error'].strip().splitlines()[-1][:300]}"
    else:
        word = seen(record)
    return (f"[{number}/{of}] {record['service']} {record['hazard']}: {record['title']}: {word}"
            f" ({record['seconds']} s)")


def seen(record):
    parts = [f"{name} overlap {ms} ms" for name, ms in sorted(record["overlaps"].items())
             if name not in ("writer",) or record["cell"] == "N"]
    parts += record["wrong"]
    if not parts:
        parts = ["no overlap" + (f", gap {record['gap']} ms" if record["gap"] is not None else "")]
    return ", ".join(parts)


def claim(claims, service, resource, hazard):
    """What the certificate says of a cell; None where the service does not claim the resource."""
    own = next((c for name, c in claims.items() if name == service or name == f"{service}-v1"), {})
    kind, words = own.get((resource, hazard), (None, []))
    if kind == "as-data":
        first = "data" if ("data", hazard) in own else "writer"
        kind, words = own.get((first, hazard), (None, []))
    return kind, words


def judge(records, claims, whole=True):
    """Every disagreement, as a line."""
    faults = []
    for r in records:
        if r["error"]:
            faults.append(f"{r['service']} {r['hazard']}, {r['title']}: {r['error'].strip()}")
    cells = {}
    for r in records:
        if r["hazard"] in HAZARDS and not r["skipped"] and not r["error"]:
            cells.setdefault((r["service"], r["hazard"]), []).append(r)
    for (service, hazard), all in sorted(cells.items()):
        for resource in KINDS:
            kind, words = claim(claims, service, resource, hazard)
            if kind is None:
                continue
            bad = [(r, r["overlaps"].get(resource, 0)) for r in all if r["overlaps"].get(resource)]
            if kind in ("held", "never"):
                for r, ms in bad:
                    faults.append(f"DIFFERS {service} {resource}/{hazard}: claimed {kind} by {', '.join(words)}; "
                                  f"{r['title']}: overlap {ms} ms")
                for r in all:
                    for wrong in r["wrong"] if resource == "data" else []:
                        faults.append(f"DIFFERS {service} {resource}/{hazard}: claimed {kind}; {r['title']}: {wrong}")
            elif not bad and whole:
                faults.append(f"DIFFERS {service} {resource}/{hazard}: claimed {kind}, and nothing overlapped")
    return faults


def page(records, claims, faults):
    return ""
