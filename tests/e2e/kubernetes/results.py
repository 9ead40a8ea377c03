"""Compares the measurements with the claims, and writes the faults and the page."""

from bench import KINDS

HAZARDS = ["colocate", "update", "revisions", "relabel", "partition", "reboot", "move", "neighbour", "force"]


FORCED = "measured only: a certificate calls it a duty at most"


def line(record, number, of):
    """Returns one line for a terminal."""
    if record["skipped"]:
        word = f"skipped: {record['skipped']}"
    elif record["error"]:
        word = f"ERROR {record['error'].strip().splitlines()[-1][:300]}"
    else:
        word = record.get("measured") or seen(record)
    return (f"[{number}/{of}] {record['service']} {record['hazard']}: {record['title']}: {word}"
            f" ({record['seconds']} s)")


def seen(record):
    parts = [f"{name} overlap {ms} ms" for name, ms in sorted(record["overlaps"].items())
             if name not in ("writer",) or record["cell"] == "N"]
    parts += sorted(set(record["wrong"]))
    if not parts:
        parts = ["no overlap" + (f", gap {record['gap']} ms" if record["gap"] is not None else "")]
    return ", ".join(parts)


def claim(claims, service, resource, hazard):
    """Returns the claim of the certificate for a cell; None if the service does not have the resource."""
    own = next((c for name, c in claims.items() if name == service or name == f"{service}-v1"), {})
    kind, words = own.get((resource, hazard), (None, []))
    if kind == "as-data":
        first = "data" if ("data", hazard) in own else "writer"
        kind, words = own.get((first, hazard), (None, []))
    return kind, words


def judge(records, claims, whole=True):
    """(broken, quiet, failed): what overlapped that is claimed to be held; what is to overlap and did not;
    what did not come to its end. Each as [(text, the records that say so)]."""
    broken, quiet, failed = [], [], []
    cells = {}
    for r in records:
        if r["error"]:
            failed.append((f"{r['service']} {r['hazard']}, {r['title']}: {r['error'].strip()}", [r]))
        if r["hazard"] == "variant":
            text, met = judge_variant(r, claims)
            if text and (met or not r["error"]):
                (broken if met else quiet).append((f"{r['title']}: {text}", [r]))
        elif r["hazard"] in HAZARDS and not r["skipped"]:
            cells.setdefault((r["service"], r["hazard"]), []).append(r)
    for (service, hazard), all in sorted(cells.items()):
        for resource in KINDS:
            kind, words = claim(claims, service, resource, hazard)
            bad = [r for r in all if strange(r, resource) and not (kind == "held" and assumed(r, words))]
            if kind in ("held", "never") and bad:
                told = "; ".join(sorted(f"{r['title']}: {strange(r, resource)}" for r in bad))
                broken.append((f"{service} {resource}/{hazard}: claimed {kind} by {', '.join(words)}; {told}", bad))
            elif kind in ("duty", "gap") and not bad and whole and not any(r["error"] for r in all):
                if waits(claims, service, resource, hazard):
                    continue
                quiet.append((f"{service} {resource}/{hazard}: claimed {kind}, and nothing overlapped", all))
    for title in sorted({r["title"] for r in records if r.get("breaks") and r.get("sure", True) and whole}):
        all = [r for r in records if r["title"] == title]
        if not any(r["overlaps"] or r["wrong"] or r["error"] for r in all):
            quiet.append((f"{title}: goes round {', '.join(all[0]['breaks'])}, and nothing overlapped", all))
    return broken, quiet, failed


def waits(claims, service, resource, hazard):
    """Whether the second pod never starts because it waits for the volume, whatever else it would hold."""
    return resource != "data" and "one-pod" in claim(claims, service, "data", hazard)[1]


def shaky(records, claims, whole):
    """Returns the records that a second run may correct: unfinished ones, and those without an overlap."""
    broken, quiet, failed = judge(records, claims, whole)
    lost = [id(r) for _, all in broken for r in all]
    some = [id(r) for _, all in quiet + failed for r in all]
    return [r for r in records if id(r) in some and id(r) not in lost]


def strange(record, resource):
    """Returns the measurements that contradict the claim held."""
    parts = [f"overlap {about(record['overlaps'][resource])}"] if record["overlaps"].get(resource) else []
    return ", ".join(parts + (sorted(set(record["wrong"])) if resource == "data" else []))


def assumed(record, words):
    """Whether what was done goes round all that holds the cell, and the certificate says of each
    mechanism that it assumes the contrary."""
    breaks = record.get("breaks", {})
    return bool(words) and all(word in breaks and breaks[word] in assumes for word, assumes in words.items())


def judge_variant(record, claims):
    """Returns what differs from the claims, and whether it is an overlap rather than a missing one."""
    title, hazard, named, met = record["title"], record["of"], [], False
    if hazard == "force":
        return None, False
    for resource in sorted(mine(claims, title, hazard)):
        kind, words = claim(claims, title, resource, hazard)
        text = strange(record, resource)
        if kind in ("gap", "duty"):
            named.append(resource)
            met = met or bool(text)
        elif text and not assumed(record, words):
            return f"{text}, and {resource}/{hazard} is claimed {kind} by {', '.join(words)}", True
    if named and record["sure"] and not met:
        return f"a gap of {', '.join(named)}/{hazard} is named, and nothing overlapped", False
    return None, False


def about(ms):
    """Returns the time, rounded for the page."""
    return f"{ms / 1000:.1f} s"


def page(records, claims, broken, order):
    """Returns RESULTS.md; `order` is the order of the facts."""
    version = next((r["version"] for r in records if r.get("version")), "?")
    ran = [r for r in records if not r["skipped"]]
    out = [
        "# Measured on Kubernetes " + version, "",
        "Written by the suite; do not edit. API server, controllers and scheduler are the real programs, nodes and",
        "storage are simulated ([README](README.md)): an overlap that rests on a kubelet, a kernel or a disk",
        "says that the model's rules allow it. A pod stops 2 s after TERM unless said otherwise.",
        "", f"{len(ran)} scenarios. Where claim and measurement differ, the cell is **bold**.", ""]
    out += differences(broken)
    services = []
    for r in records:
        if r["hazard"] in HAZARDS and r["service"] not in services:
            services.append(r["service"])
    services.sort(key=lambda s: (next(r["cell"] for r in records if r["service"] == s), s))
    cell = {s: next(r["cell"] for r in records if r["service"] == s) for s in services}
    first = {s: "writer" if cell[s] == "N" else "data" for s in services}
    out += ["## Hazards", "",
            "The first resource of each service: data, or the right to write. *held 6*: the certificate says held, no overlap in",
            "six scenarios; *duty 3.7 s*: the certificate says duty, and two containers held it for 3.7 s.", "",
            "| hazard | " + " | ".join(f"{s} ({cell[s]})" for s in services) + " |",
            "|---|" + "---|" * len(services)]
    for hazard in HAZARDS:
        row = [verdict_cell(records, claims, s, first[s], hazard) for s in services]
        out.append(f"| {hazard} | " + " | ".join(row) + " |")
    out += ["", "## Other resources", "", "Only results that differ from those of the first resource.", "",
            "| service | resource | hazard | claimed and measured |", "|---|---|---|---|"]
    for s in services:
        for resource in KINDS:
            for hazard in HAZARDS:
                text = verdict_cell(records, claims, s, resource, hazard)
                if resource != first[s] and not (text.startswith("held") or text in ("", "never")):
                    out.append(f"| {s} | {resource} | {hazard} | {text} |")
    out += ["", "## Scenarios", "",
            "The shortest gap between two holders, or the longest overlap of any resource that the service claims. –: does not",
            "apply; stays: no other container replaced it, which is correct; *italic*: the experiment avoids every mechanism of",
            "the cell; the certificate assumes that this does not happen.", "",
            "| hazard | what is done | " + " | ".join(services) + " |", "|---|---|" + "---|" * len(services)]
    titles = []
    for r in records:
        if r["hazard"] in HAZARDS and (r["hazard"], r["title"]) not in titles:
            titles.append((r["hazard"], r["title"]))
    titles.sort(key=lambda t: (HAZARDS.index(t[0]), t[1]))
    for hazard, title in titles:
        row = [scenario_cell(records, claims, s, hazard, title) for s in services]
        out.append(f"| {hazard} | {title} | " + " | ".join(row) + " |")
    out += ["", "## A rule removed", "",
            "A custom template emits the files without one rule; the gap is what berthc names when it reads these files.", "",
            "| what is tried | gap named | seen |", "|---|---|---|"]
    for r in sorted((r for r in records if r["hazard"] == "variant"), key=lambda r: r["title"]):
        named = [g for g in r["gaps"] if g.endswith("/" + r["of"])]
        text = rounded(r, claims)
        if not r["error"] and judge_variant(r, claims)[0]:
            text = f"**{text}**"
        away = "none; assumed: " + "; ".join(sorted(set(r["breaks"].values()))) if r.get("breaks") and text.startswith("overlap") else "none"
        gaps = ", ".join(f"`{g}`" for g in named) or (FORCED if r["of"] == "force" else away)
        out.append(f"| {r['title']} | {gaps} | {text} |")
    out += ["", "## Kubernetes itself", "", "| fact | measured |", "|---|---|"]
    for r in sorted((r for r in records if r["hazard"] == "fact"), key=lambda r: order.index(r["title"])):
        out.append(f"| {r['title']} | {r['measured'] or '**' + (r['error'] or '').splitlines()[-1] + '**'} |")
    deployed = [r for r in records if r["hazard"] == "deploy"]
    out += ["", "## Applied as they are", "",
            "Every other service of `specs` and `tests/specs`: applied by the server with strict validation, all members",
            "placed, one pod replaced: " + ", ".join(
                f"{r['service']}{' **failed**' if r['error'] else ''}" for r in sorted(deployed, key=lambda r: r["service"])) + ".", ""]
    return "\n".join(out)


CELLS = {"drifter": "C, never fenced", "mover": "C, always fenced", "N": "no data"}


def measured(records, claims):
    """By cell and hazard what was claimed, how often it was tried and the longest overlap in ms: this
    target's part of the table of all."""
    rows = {}
    for r in records:
        if r["hazard"] not in HAZARDS or r["skipped"] or r["error"]:
            continue
        cell = CELLS.get(r["service"]) or CELLS.get(r["cell"], r["cell"])
        resource = "writer" if r["cell"] == "N" else "data"
        kind, words = claim(claims, r["service"], resource, r["hazard"])
        row = rows.setdefault((cell, r["hazard"], kind, kind == "held" and assumed(r, words)), [set(), 0, None])
        ms = [r["overlaps"][resource]] if r["overlaps"].get(resource) else [0] if strange(r, resource) else []
        row[0].update(words)
        row[1] += 1
        row[2] = max(ms + ([row[2]] if row[2] is not None else []), default=None)
    return [{"cell": cell, "hazard": hazard, "claim": kind, "assumed": broken, "by": sorted(by), "tries": tries, "overlap": ms}
            for (cell, hazard, kind, broken), (by, tries, ms) in sorted(rows.items())]


def differences(broken):
    if not broken:
        return []
    return ["## Where claim and measurement differ", "", *[f"- **{text}**" for text, _ in broken], ""]


def mine(claims, service, hazard):
    return {r for r in KINDS if claim(claims, service, r, hazard)[0]}


def rounded(record, claims):
    """Returns the overlap or the gap of the resources that the service claims."""
    if record["error"]:
        return "**error**"
    own = mine(claims, record["title"] if "of" in record else record["service"], record.get("of", record["hazard"]))
    ms = [v for r, v in record["overlaps"].items() if r in own]
    if ms:
        return f"overlap {about(max(ms))}"
    if record["wrong"]:
        return record["wrong"][0]
    return f"gap {about(record['gap'])}" if record["gap"] is not None else "stays"


def scenario_cell(records, claims, service, hazard, title):
    found = [r for r in records if (r["service"], r["hazard"], r["title"]) == (service, hazard, title)]
    if not found or found[0]["skipped"]:
        return "–"
    text = rounded(found[0], claims)
    held = [words for kind, words in (claim(claims, service, r, hazard) for r in found[0]["overlaps"]) if kind == "held"]
    if not all(assumed(found[0], words) for words in held):
        return f"**{text}**"
    return f"*{text}*" if held else text


def verdict_cell(records, claims, service, resource, hazard):
    kind, words = claim(claims, service, resource, hazard)
    if kind is None:
        return ""
    all = [r for r in records if (r["service"], r["hazard"]) == (service, hazard) and not r["skipped"] and not r["error"]]
    if not all:
        return f"{kind}, not run"
    all = [r for r in all if kind != "held" or not assumed(r, words)]
    ms = max((r["overlaps"].get(resource, 0) for r in all), default=0)
    wrong = [w for r in all for w in r["wrong"]] if resource == "data" else []
    if kind == "never" and not ms:
        return "never"
    if kind in ("held", "never"):
        return f"{kind} {len(all)}" if not ms and not wrong else f"**{kind}, but {about(ms) if ms else wrong[0]}**"
    if waits(claims, service, resource, hazard) and not ms:
        return f"{kind}, waits for the volume"
    return f"{kind} {about(ms)}" if ms else f"**{kind}, but nothing in {len(all)}**"
