# SPDX-License-Identifier: MIT
"""Reads the index of a run of the Autobahn testsuite: a line for each agent, a line for each case that is
not as it should be. Exit status 1 if there is one."""

import argparse
import collections
import json
import sys

GOOD = ("OK", "INFORMATIONAL")


def number(case):
    """Cases in their order: 9.2 before 10.1."""
    return [int(part) if part.isdigit() else 0 for part in case.split(".")]


def faults(cases, informational):
    for case in sorted(cases, key=number):
        record = cases[case]
        behavior, closing = record.get("behavior"), record.get("behaviorClose")
        if behavior not in GOOD or closing not in GOOD:
            yield f"case {case}: {behavior}, closing {closing}"
        elif behavior == "INFORMATIONAL" and informational and case not in informational:
            yield f"case {case}: INFORMATIONAL, which it has not been before"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("role")
    parser.add_argument("index")
    parser.add_argument("--count", action="append", default=[], help="agent=cases it has to have")
    parser.add_argument("--informational", default="", help="cases that may be INFORMATIONAL")
    options = parser.parse_args()
    try:
        with open(options.index, encoding="utf-8") as file:
            agents = json.load(file)
    except (OSError, ValueError) as error:
        print(f"FAIL conformance: {options.role}: no report: {error}")
        sys.exit(1)
    informational = set(filter(None, options.informational.split(",")))
    wrong = 0
    for agent, wanted in [pair.split("=") for pair in options.count]:
        if len(agents.get(agent, {})) != int(wanted):
            wrong += 1
            print(f"FAIL conformance: {options.role}: {agent}: {len(agents.get(agent, {}))} cases, not {wanted}")
    if not any(agents.values()):
        wrong += 1
        print(f"FAIL conformance: {options.role}: no case was run")
    for agent, cases in sorted(agents.items()):
        bad = list(faults(cases, informational))
        for fault in bad:
            print(f"FAIL conformance: {options.role}: {agent}: {fault}")
        wrong += len(bad)
        kinds = collections.Counter(record.get("behavior") for record in cases.values())
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items(), key=str))
        if len(cases) > len(bad):
            print(f"ok   conformance: {options.role}: {agent}: {len(cases) - len(bad)} cases ({counts})")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
