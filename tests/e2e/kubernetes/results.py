"""What was seen, held against what was claimed; as faults and as a page."""

import re

from bench import KINDS

HAZARDS = ["colocate", "update", "revisions", "relabel", "partition", "reboot", "move", "neighbour", "force"]


FORCED = "measured only: a certificate calls it a duty at most"


def known_differences(path):
    """{key: why} of a file with `KEY | WHY` on each line."""
    with open(path, encoding="utf-8") as f:
        lines = [line.strip() for line in f if line.strip() and not line.startswith("#")]
    return dict(re.split(r"\s+\|\s+", line, maxsplit=1) for line in lines)


def line(record, number, of):
    """One line for a terminal."""
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
    """What the certificate says of a cell; None where the service does not claim the resource."""
    own = next((c for name, c in claims.items() if name == service or name == f"{service}-v1"), {})
    kind, words = own.get((resource, hazard), (None, []))
    if kind == "as-data":
        first = "data" if ("data", hazard) in own else "writer"
        kind, words = own.get((first, hazard), (None, []))
    return kind, words


def judge(records, claims, known, whole=True):
    """(differences, faults): where claim and measurement differ, as {key: text}, and what went wrong:
    scenarios that failed, differences that are not known, and known ones that are no more."""
    faults, found = [], {}
    cells = {}
    for r in records:
        if r["error"]:
            faults.append(f"{r['service']} {r['hazard']}, {r['title']}: {r['error'].strip()}")
        elif r["hazard"] == "variant":
            found.update(judge_variant(r, claims))
        elif r["hazard"] in HAZARDS and not r["skipped"]:
            cells.setdefault((r["service"], r["hazard"]), []).append(r)
    for (service, hazard), all in sorted(cells.items()):
        for resource in KINDS:
            kind, words = claim(claims, service, resource, hazard)
            if kind is None:
                continue
            cell = f"{service} {resource}/{hazard}"
            bad = [f"{r['title']}: {strange(r, resource)}" for r in all if strange(r, resource)]
            if kind in ("held", "never") and bad:
                found[cell] = f"claimed {kind} by {', '.join(words)}; {'; '.join(sorted(bad))}"
            elif kind in ("duty", "gap") and not bad and whole:
                found[cell] = f"claimed {kind}, and nothing overlapped"
    faults += [f"DIFFERS {key}: {text}" for key, text in found.items() if key not in known]
    faults += [f"no difference any more, take it off the list: {key}" for key in known
               if whole and key not in found]
    return found, faults


def strange(record, resource):
    """What was seen that a held cell excludes."""
    parts = [f"overlap {about(record['overlaps'][resource])}"] if record["overlaps"].get(resource) else []
    return ", ".join(parts + (sorted(set(record["wrong"])) if resource == "data" else []))


def judge_variant(record, claims):
    """Whether an overlap was seen where a gap is named, and none where none is: {key: text}."""
    if record["of"] == "force":
        return {}
    resources = mine(claims, record["service"], record["of"])
    texts = list(filter(None, (strange(record, r) for r in resources)))
    named = [g for g in record["gaps"] if g.endswith("/" + record["of"])]
    if texts and not named:
        return {record["title"]: f"{texts[0]}, and no gap of {record['of']} is named"}
    if named and record["sure"] and not texts:
        return {record["title"]: f"{', '.join(named)} named, and nothing overlapped"}
    return {}


def about(ms):
    """Rounded as a page that is read has it."""
    return f"{ms / 1000:.1f} s"


def page(records, claims, found, known, order):
    """RESULTS.md; `order` is that of the facts."""
    version = next((r["version"] for r in records if r.get("version")), "?")
    ran = [r for r in records if not r["skipped"]]
    out = [
        "# Measured on Kubernetes " + version, "",
        "Written by the suite; do not edit. API server, controllers and scheduler are the real programs, nodes and",
        "storage are simulated ([README](README.md)): an overlap that rests on a kubelet, a kernel or a disk",
        "says that the model's rules allow it. A pod stops 2 s after TERM unless said otherwise.",
        "", f"{len(ran)} scenarios. Where claim and measurement differ, the cell is **bold**.", ""]
    out += differences(found, known)
    services = []
    for r in records:
        if r["hazard"] in HAZARDS and r["service"] not in services:
            services.append(r["service"])
    services.sort(key=lambda s: (next(r["cell"] for r in records if r["service"] == s), s))
    cell = {s: next(r["cell"] for r in records if r["service"] == s) for s in services}
    first = {s: "writer" if cell[s] == "N" else "data" for s in services}
    out += ["## Hazards", "",
            "The first resource of each service: data, or the right to write. *held 6*: claimed as held, no overlap in",
            "six scenarios; *duty 3.7 s*: claimed as the operator's duty, and that long two held it at once.", "",
            "| hazard | " + " | ".join(f"{s} ({cell[s]})" for s in services) + " |",
            "|---|" + "---|" * len(services)]
    for hazard in HAZARDS:
        row = [verdict_cell(records, claims, s, first[s], hazard) for s in services]
        out.append(f"| {hazard} | " + " | ".join(row) + " |")
    out += ["", "## Other resources", "", "Only what is not as the first resource of the service.", "",
            "| service | resource | hazard | claimed and measured |", "|---|---|---|---|"]
    for s in services:
        for resource in KINDS:
            for hazard in HAZARDS:
                text = verdict_cell(records, claims, s, resource, hazard)
                if resource != first[s] and not (text.startswith("held") or text in ("", "never")):
                    out.append(f"| {s} | {resource} | {hazard} | {text} |")
    out += ["", "## Scenarios", "",
            "The shortest gap between two holders, or the longest overlap of any resource that the service claims. –: does not",
            "apply; *stays*: no other took its place, as it must be.", "",
            "| hazard | what is done | " + " | ".join(services) + " |", "|---|---|" + "---|" * len(services)]
    titles = []
    for r in records:
        if r["hazard"] in HAZARDS and (r["hazard"], r["title"]) not in titles:
            titles.append((r["hazard"], r["title"]))
    titles.sort(key=lambda t: (HAZARDS.index(t[0]), t[1]))
    for hazard, title in titles:
        row = [scenario_cell(records, claims, s, hazard, title) for s in services]
        out.append(f"| {hazard} | {title} | " + " | ".join(row) + " |")
    out += ["", "## A rule taken away", "",
            "The emitted text with a rule less, through templates; the gap is what berthc names when it reads that text.", "",
            "| what is tried | gap named | seen |", "|---|---|---|"]
    for r in sorted((r for r in records if r["hazard"] == "variant"), key=lambda r: r["title"]):
        named = [g for g in r["gaps"] if g.endswith("/" + r["of"])]
        text = rounded(r, claims)
        if not r["error"] and judge_variant(r, claims):
            text = f"**{text}**"
        gaps = ", ".join(f"`{g}`" for g in named) or (FORCED if r["of"] == "force" else "none")
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


def differences(found, known):
    if not found:
        return []
    rows = [f"- **{key}**: {text}. {known.get(key, '')}".rstrip() for key, text in found.items()]
    return ["## Where claim and measurement differ", "", *rows, ""]


def mine(claims, service, hazard):
    return {r for r in KINDS if claim(claims, service, r, hazard)[0]}


def rounded(record, claims):
    """Overlap or gap, of what the service claims."""
    if record["error"]:
        return "**error**"
    own = mine(claims, record["service"], record.get("of", record["hazard"]))
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
    kinds = [claim(claims, service, r, hazard)[0] for r in found[0]["overlaps"]]
    return f"**{text}**" if "held" in kinds else text


def verdict_cell(records, claims, service, resource, hazard):
    kind, _ = claim(claims, service, resource, hazard)
    if kind is None:
        return ""
    all = [r for r in records if (r["service"], r["hazard"]) == (service, hazard) and not r["skipped"] and not r["error"]]
    if not all:
        return f"{kind}, not run"
    ms = max((r["overlaps"].get(resource, 0) for r in all), default=0)
    wrong = [w for r in all for w in r["wrong"]] if resource == "data" else []
    if kind == "never" and not ms:
        return "never"
    if kind in ("held", "never"):
        return f"{kind} {len(all)}" if not ms and not wrong else f"**{kind}, but {about(ms) if ms else wrong[0]}**"
    return f"{kind} {about(ms)}" if ms else f"**{kind}, but nothing in {len(all)}**"
