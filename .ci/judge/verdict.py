"""Shared by the judges: reads the files of an output folder, and prints the verdict."""

import sys
from pathlib import Path

TARGETS = ("kubernetes", "fleet", "swarm")


class Verdict:
    """Collects faults. A judge without any file has failed."""

    def __init__(self, judge):
        self.judge, self.judged, self.faults = judge, 0, 0

    def fault(self, where, what):
        self.faults += 1
        print(f"{where}: {what}")

    def folders(self, out, target):
        """Returns OUT/<service>/<target> of every service that has it."""
        found = sorted(p for p in Path(out).glob("*/*") if p.is_dir())
        for folder in found:
            if folder.name not in TARGETS:
                self.fault(folder, "no judge reads it")
        return [p for p in found if p.name == target]

    def files(self, folder, suffix, beside=()):
        """Returns the files of a folder. Anything else there is a fault, because no judge reads it."""
        found = sorted(p for p in folder.iterdir() if p.name not in beside)
        for path in found:
            if path.suffix != suffix or not path.is_file():
                self.fault(path, "no judge reads it")
        return [p for p in found if p.suffix == suffix]

    def close(self, what):
        if not self.judged:
            self.fault(self.judge, "nothing to judge")
        print(f"{self.judge}: {self.judged} {what}, {self.faults} faults")
        sys.exit(self.faults > 0)
