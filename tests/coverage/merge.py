#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""merge.py COUNTS... - adds up what `gcovr --json` wrote of several builds, and prints it in the same form.

gcovr cannot do it: where a preprocessor's condition chose one of two functions of the same name, they stand on
different lines. Functions are left out here.
"""
import json
import sys


def add_line(mine, line):
    """Branches of a line are in the order of the code, which is the same in every build that has the line."""
    mine["count"] += line["count"]
    if line.get("gcovr/noncode"):
        return
    if mine.get("gcovr/noncode") or not mine["branches"]:
        mine["gcovr/noncode"] = False
        mine["branches"] = line["branches"]
    elif line["branches"]:
        if len(mine["branches"]) != len(line["branches"]):
            raise ValueError(f"line {line['line_number']} has other branches in another build")
        for branch, other in zip(mine["branches"], line["branches"]):
            branch["count"] += other["count"]


def main():
    files, head = {}, {}
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            head = json.load(file)
        for entry in head["files"]:
            lines = files.setdefault(entry["file"], {})
            for line in entry["lines"]:
                number = line["line_number"]
                if number in lines:
                    add_line(lines[number], line)
                else:
                    lines[number] = line
    head["files"] = [{"file": name, "functions": [], "lines": [lines[number] for number in sorted(lines)]}
                     for name, lines in sorted(files.items())]
    json.dump(head, sys.stdout)


if __name__ == "__main__":
    main()
