#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""table.py COUNTS FLOOR PASSED FAILED - the table of run.sh, from gcovr's JSON.

COUNTS  what gcovr --json wrote
FLOOR   lines `GROUP PERCENT`: of all branches below that folder, so many must be taken
PASSED, FAILED  what the tests said, added to the closing line

A file's line names where a branch is never taken as LINE, or LINE(n) if n of them are not.
"""
import json
import re
import sys

MARKER = re.compile(r"GCOVR_EXCL_\w*")
REASONED = re.compile(r"GCOVR_EXCL_BR_LINE: \w.{15,}")


class Tally:
    """Lines and branches of a file or a group."""

    def __init__(self):
        self.lines = self.lines_run = self.branches = self.taken = 0

    def add(self, other):
        self.lines += other.lines
        self.lines_run += other.lines_run
        self.branches += other.branches
        self.taken += other.taken

    def percent(self):
        """In hundredths of a percent, rounded down: 100 means all."""
        return self.taken * 10000 // self.branches if self.branches else 10000

    def row(self, name, missing=""):
        share = f"{self.percent() // 100}.{self.percent() % 100:02d}"
        return (f"{name:<38}{self.lines_run:>6} of {self.lines:<5}{self.taken:>6} of {self.branches:<5}"
                f"{share:>7}%  {missing}").rstrip()


def tally(entry):
    """A file's counts, and where branches or whole lines are missing."""
    counts, missing = Tally(), []
    for line in entry["lines"]:
        if line.get("gcovr/noncode"):
            continue
        never = sum(1 for branch in line["branches"] if branch["count"] == 0)
        counts.lines += 1
        counts.lines_run += line["count"] > 0
        counts.branches += len(line["branches"])
        counts.taken += len(line["branches"]) - never
        if never or line["count"] == 0:
            missing.append(f"{line['line_number']}" + (f"({never})" if never > 1 else ""))
    return counts, missing


def exclusions(names):
    """How many branches are left out, and the places that do not say why."""
    found, bare = 0, []
    for name in names:
        with open(name, encoding="utf-8") as source:
            for number, text in enumerate(source, 1):
                if MARKER.search(text):
                    found += 1
                    if not REASONED.search(text):
                        bare.append(f"{name}:{number}")
    return found, bare


def main():
    counts_file, floor_file, passed, failed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    with open(counts_file, encoding="utf-8") as file:
        files = sorted(json.load(file)["files"], key=lambda entry: entry["file"])
    with open(floor_file, encoding="utf-8") as file:
        floors = [line.split() for line in file if line.strip() and not line.startswith("#")]

    print(f"{'file':<38}{'lines run':>12}  {'branches taken':>16}     never taken at line")
    for group, floor in floors:
        total = Tally()
        for entry in files:
            if not entry["file"].startswith(group + "/"):
                continue
            counts, missing = tally(entry)
            total.add(counts)
            print(counts.row(entry["file"], " ".join(missing)))
        print(total.row(group))
        wanted = round(float(floor) * 100)
        if not total.branches or total.percent() < wanted:
            print(f"FAIL  {group}: below the floor of {floor}%")
            failed += 1
        else:
            passed += 1

    found, bare = exclusions(entry["file"] for entry in files)
    print(f"{found} lines left out with a reason")
    for place in bare:
        print(f"FAIL  {place}: left out without a reason (GCOVR_EXCL_BR_LINE: why it cannot be)")
    failed += len(bare)
    passed += not bare
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
