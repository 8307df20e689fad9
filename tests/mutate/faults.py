#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""faults.py PROGRAM... - plants the faults of tests/mutate/faults, each alone, and shows what catches it.

`make faults` calls it with the names of the test programs. FAULTS=words plants those only whose sentence has
them. A fault that no longer applies to the sources counts as failed: mend it or take it out.
"""
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from collections import Counter
from queue import Queue

import engine

HERE = os.path.dirname(os.path.abspath(__file__))


def faults():
    """[(sentence, [(path, old, new)])] of all files."""
    found = []
    for name in sorted(os.listdir(os.path.join(HERE, "faults"))):
        with open(os.path.join(HERE, "faults", name), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                mark, rest = line[:1], line[2:].rstrip("\n")
                if line.startswith("== "):
                    found.append((line[3:].strip(), []))
                elif line.startswith("file "):
                    found[-1][1].append([line[5:].strip(), [], []])
                elif mark in "-+" and found and found[-1][1]:
                    found[-1][1][-1]["-+".index(mark) + 1].append(rest)
                elif line.strip() and mark != "#":
                    raise engine.Failure("faults/%s:%d: what is this?" % (name, number))
    return [(sentence, [(p, " ".join(old), "\n".join(new)) for p, old, new in edits]) for sentence, edits in found]


def planted(tree, edits):
    """{path: text} with the fault, or None if it does not apply at one place each."""
    changed = {}
    for path, old, new in edits:
        text = changed.get(path, tree.text.get(path, ""))
        spots = list(re.finditer(r"\s+".join(map(re.escape, old.split())), text))
        if len(spots) != 1:
            return None
        changed[path] = text[:spots[0].start()] + new + text[spots[0].end():]
    return changed


def caught_by(build, worker, edits):
    """What a fault came to: the test that catches it, or why there is none."""
    changed = planted(build.tree, edits)
    if changed is None:
        return None, "does not apply to the sources as they are"
    made, own, messages = worker.compile(changed)
    if made is None:
        return None, "does not compile: " + messages.strip().split("\n")[0]
    tests = set().union(*(build.reaching(path, None) for path in changed))
    for slow in (False, True):
        found = worker.attempt({1: ("fault", tests)}, slow, made, own, Counter())
        if found:
            return found[1], "%s: %s" % (found[1].program, found[1].name)
    return None, "not caught"


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip())
        return 2
    if not sys.platform.startswith("linux"):
        print("skipped: planting faults needs LD_PRELOAD and ELF's symbols, as Linux has them")
        return 0
    build = engine.Build()
    build.prepare([os.path.basename(p) for p in sys.argv[1:]])
    wanted = [f for f in faults() if os.environ.get("FAULTS", "") in f[0]]
    workers = Queue()
    for number in range(build.jobs):
        workers.put(engine.Worker(build, number))

    def one(fault):
        worker = workers.get()
        try:
            return caught_by(build, worker, fault[1])
        finally:
            workers.put(worker)
    passed = 0
    with ThreadPoolExecutor(build.jobs) as pool:
        for (sentence, _), (test, text) in zip(wanted, pool.map(one, wanted)):
            passed += test is not None
            print("%s  %s\n        %s" % ("ok  " if test else "FAIL", sentence, text), flush=True)
    while not workers.empty():
        workers.get().close()
    print("%d passed, %d failed" % (passed, len(wanted) - passed))
    return 0 if passed == len(wanted) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (engine.Failure, subprocess.TimeoutExpired) as failure:
        print("faults: %s" % failure, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
