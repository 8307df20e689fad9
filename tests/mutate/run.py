#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py PROGRAM... - mutation testing: changes src/ in small ways and counts what the unit tests catch.

`make mutate` calls it with the names of the test programs. Variables:

    MUTATE="src/ws/*.c ..."  these files only
    MUTATE_SAMPLE=n or n%    so many mutants, chosen by MUTATE_SEED (else by the commit)
    MUTATE_AGAIN=file        only the survivors that an earlier run printed to this file
    MUTATE_FLOOR=percent     fails below this score (95)

Survivors are printed at the end; as they are found they go to mutate/survivors.txt in the folder BUILD. What
survives with the processor's widest vectors is tried with fewer: MUTATE_CHOICES, of the tests MUTATE_CHOICE_TESTS.

Mutants whose object code at -O2 is that of the source, as gcc or clang makes it, are left out as equal. Those
that change nothing that can be observed are listed with the reason in equivalent.txt. operators.py says what is
changed, engine.py how.
"""
import fnmatch
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict

import engine
import operators

HERE = os.path.dirname(os.path.abspath(__file__))
CHUNK = 60


def equivalents():
    """{(file, function, before, after): reason} of equivalent.txt."""
    found, keys, path = {}, [], os.path.join(HERE, "equivalent.txt")
    reason = []
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n") + ["end:"]
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        if line[0] in " \t":
            if not keys:
                raise engine.Failure("equivalent.txt:%d: a reason without a mutant" % number)
            reason.append(line.strip())
            continue
        if reason:
            for key in keys:
                found[key] = " ".join(reason)
            keys, reason = [], []
        if line == "end:":
            break
        match = re.match(r"(\S+): (\S+): (.*?) -> (.*)$", line)
        if not match:
            raise engine.Failure("equivalent.txt:%d: not `file: function: before -> after`" % number)
        keys.append(match.groups())
    if keys:
        raise engine.Failure("equivalent.txt: no reason for %s" % (keys[-1],))
    return found


def key_of(mutant):
    return mutant.file, mutant.function or "-", mutant.before, mutant.after


def near(path, tests):
    """Of slow tests those of the file's own floor are worth their time, and the attacks; all if there are none."""
    floor = {"backends": "zlib"}.get(path.split("/")[1], path.split("/")[1])
    if not any(t.program.startswith("test_" + floor) for t in tests):
        return tests
    return [t for t in tests if t.program.startswith(("test_" + floor, "attacks_"))]


def line_of(mutant):
    return "%s:%d: %s: %s -> %s" % (mutant.file, mutant.line, mutant.function or "-", mutant.before, mutant.after)


class Batch:
    """Mutants of one file that are compiled together, numbered from 1."""

    def __init__(self, source, config, mutants):
        self.source, self.config, self.mutants = source, config, mutants

    def text(self, left):
        """The file with a copy of a function for each mutant in `left`, and where each stands: [(first line,
        last line, number)]."""
        text, made, places, last = self.source.text, [], [], 0
        line = 1

        def put(piece, number=None):
            nonlocal line
            made.append(piece)
            begin, line = line, line + piece.count("\n")
            if number is not None:
                places.append((begin, line, number))
        groups = defaultdict(list)
        for number in left:
            mutant = self.mutants[number - 1]
            groups[self.place(mutant)].append(number)
        for (start, end), numbers in sorted(groups.items()):
            put(text[last:start])
            function = next((f for f in self.source.functions if f.start == start), None)
            if function is not None:
                self.function(function, numbers, put)
            else:
                self.macro(start, end, numbers, put)
            last = end
        put(text[last:])
        return "".join(made), places

    def place(self, mutant):
        for function in self.source.functions:
            if function.start <= mutant.start < function.end:
                return function.start, function.end
        for token in self.source.tokens:
            if token.kind == "pre" and token.start <= mutant.start < token.end:
                return token.start, token.end
        return mutant.start, mutant.end

    def changed(self, mutant, start, end):
        text = self.source.text
        return text[start:mutant.start] + mutant.text + text[mutant.end:end]

    def function(self, f, numbers, put):
        text, name_end = self.source.text, f.start + len(f.prefix) + len(f.name)
        put("%s%s__0%s\n" % (f.prefix, f.name, text[name_end:f.end]))
        for number in numbers:
            put("%s%s__%d%s\n" % (f.prefix, f.name, number, self.changed(self.mutants[number - 1], name_end, f.end)),
                number)
        void = f.prefix.split()[-1:] == ["void"]
        call = "%s%%s__%%d(%s);%s" % ("" if void else "return ", ", ".join(f.params), " return;" if void else "")
        put("%s%s%s{ switch (weiri_mutant) {" % (f.prefix, f.name, text[name_end:f.body]))
        for number in numbers:
            put(" case %d: %s" % (number, call % (f.name, number)))
        put(" default: %s } }" % (call % (f.name, 0)))

    def macro(self, start, end, numbers, put):
        """#define NAME value: the value is chosen while weir runs, where a constant need not stand."""
        text = self.source.text[start:end]
        match = re.match(r"\s*#\s*define\s+\w+(?:\([^)]*\))?\s+", text)
        flat = lambda piece: re.sub(r"/\*.*?\*/", " ", piece.replace("\\\n", " "))
        value = flat(text[match.end():])
        for number in numbers:
            mutant = self.mutants[number - 1]
            value = "(weiri_mutant == %d ? (%s) : (%s))" % (
                number, flat(self.changed(mutant, start + match.end(), end)), value)
        put(text[:match.end()] + value, numbers[0])

    def alone(self, number):
        """The file with this mutant only."""
        return self.changed(self.mutants[number - 1], 0, len(self.source.text))


class Session:
    def __init__(self, build, listed):
        self.build, self.listed = build, listed
        self.lock = threading.Lock()
        self.kills = defaultdict(Counter)
        self.state = {}     # mutant: caught, equal, listed, invalid, survived
        self.done = 0
        self.total = 0
        self.begin = time.monotonic()
        self.survivors = open(os.path.join(build.out, "survivors.txt"), "w", encoding="utf-8")

    def progress(self):
        if sys.stderr.isatty():
            sys.stderr.write("\r%d of %d mutants, %.0f s " % (self.done, self.total, time.monotonic() - self.begin))
            sys.stderr.flush()

    def wanted(self, batch, numbers):
        found = {}
        for number in numbers:
            mutant = batch.mutants[number - 1]
            tests = self.build.reaching(mutant.file, mutant.function)
            found[number] = ((mutant.file, mutant.function), tests)
        return found

    def try_batch(self, worker, batch):
        left = list(range(1, len(batch.mutants) + 1))
        single = [n for n in left if batch.place(batch.mutants[n - 1]) == (batch.mutants[n - 1].start,
                                                                          batch.mutants[n - 1].end)]
        for number in single:
            self.try_single(worker, batch, number)
        left = [n for n in left if n not in single]
        for _ in range(8):
            if not left:
                return
            text, places = batch.text(left)
            made, own, messages = worker.compile({batch.source.path: text}, batch.config)
            if made is not None:
                self.judge(worker, batch, left, made, own)
                return
            bad = set()
            path = os.path.join(worker.folder, batch.source.path)
            for line in re.findall(re.escape(path) + r":(\d+):\d+: (?:fatal )?error", messages):
                bad |= set(n for first, last, n in places if first <= int(line) <= last)
            if not bad:
                break
            for number in bad:
                self.try_single(worker, batch, number)
            left = [n for n in left if n not in bad]
        for number in left:
            self.try_single(worker, batch, number)

    def try_single(self, worker, batch, number):
        made, own, _ = worker.compile({batch.source.path: batch.alone(number)}, batch.config)
        if made is None:
            self.set(batch.mutants[number - 1], "invalid")
            return
        self.judge(worker, batch, [number], made, own)

    def judge(self, worker, batch, numbers, made, own):
        """Quick tests first, then whether there is a difference at all, then slow tests."""
        kills, left = self.kills[batch.source.path], set(numbers)
        for slow in (False, True):
            wanted = self.wanted(batch, left)
            if slow:
                wanted = {n: (key, near(batch.source.path, tests)) for n, (key, tests) in wanted.items()}
            caught = worker.attempt(wanted, slow, made, own, kills)
            for number in caught:
                self.set(batch.mutants[number - 1], "caught")
            left -= set(caught)
            for number in sorted(left):
                if key_of(batch.mutants[number - 1]) in self.listed:
                    self.set(batch.mutants[number - 1], "listed")
                    left.remove(number)
                elif not slow and self.same_code(worker, batch, number):
                    self.set(batch.mutants[number - 1], "equal")
                    left.remove(number)
        for number in left:
            self.set(batch.mutants[number - 1], "survived")
        os.unlink(made)

    def set(self, mutant, state):
        with self.lock:
            self.state[mutant] = state
            self.done += 1
            self.progress()
            if state == "survived":
                print(line_of(mutant), file=self.survivors, flush=True)

    def same_code(self, worker, batch, number):
        """Does a compiler at -O2 make the same object code with and without the mutant?"""
        return any(self.same_code_by(cc, worker, batch, number) for cc in self.build.judges)

    def same_code_by(self, cc, worker, batch, number):
        path, text = batch.source.path, batch.alone(number)
        for unit in self.build.tree.units(path):
            if unit not in self.build.left_out:
                code = worker.code(cc, path, text, unit, batch.config)
                if code is None or code != worker.code(cc, path, batch.source.text, unit, batch.config, True):
                    return False
        return True

    def run(self, batches):
        self.total, self.done = sum(len(b.mutants) for b in batches), 0
        queue, failures = list(reversed(batches)), []

        def work(number):
            worker = engine.Worker(self.build, number)
            while not failures:
                with self.lock:
                    if not queue:
                        return
                    batch = queue.pop()
                try:
                    self.try_batch(worker, batch)
                except Exception as problem:  # whatever it is, main reports it
                    failures.append(problem)
            worker.close()
        threads = [threading.Thread(target=work, args=(n,)) for n in range(self.build.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
        if failures:
            raise failures[0]


def collect(build, patterns):
    """[(source, config, mutant)] of all that is compiled in a configuration, and how many are not."""
    found, elsewhere = [], 0
    for path in build.tree.paths:
        if patterns and not any(fnmatch.fnmatch(path, p) for p in patterns):
            continue
        if path in build.left_out:
            continue
        source = operators.Source(path, build.tree.text[path])
        active = {config: build.active_lines(path, config) for config in engine.CONFIGS}
        for mutant in source.mutants():
            config = next((c for c in engine.CONFIGS if mutant.line in active[c]), None)
            if config is None:
                elsewhere += 1
            else:
                found.append((source, config, mutant))
    return found, elsewhere


def again(found, path):
    """Of `found`, the survivors that an earlier run printed."""
    with open(path, encoding="utf-8") as file:
        printed = set(re.sub(r"^(\S+?):\d+: ", r"\1: ", line.rstrip("\n")) for line in file)
    return [f for f in found if "%s: %s: %s -> %s" % key_of(f[2]) in printed]


def once_more(found, state):
    """Survivors in files that choose between vectors and portable C. The processor has chosen the widest: they are
    tried with each other choice, as `make test` does."""
    return [(source, "", mutant) for source, config, mutant in found if state[mutant] == "survived" and
            re.search(r"_mm|\bsimd\.h|\bvec\.h|weiri_vec_|weiri_has_", source.text)]


def seed_of():
    seed = os.environ.get("MUTATE_SEED")
    if seed:
        return seed
    done = engine.command(["git", "rev-parse", "--short", "HEAD"])
    return done.stdout.strip() or str(int(time.time()))


def batches_of(found):
    groups = defaultdict(list)
    for source, config, mutant in found:
        groups[source.path, config].append((source, mutant))
    for (_, config), pairs in sorted(groups.items()):
        for at in range(0, len(pairs), CHUNK):
            yield Batch(pairs[0][0], config, [m for _, m in pairs[at:at + CHUNK]])


def report(session, listed, whole):
    """Prints survivors and totals; returns (caught, survived)."""
    files, totals = defaultdict(Counter), Counter()
    used = set()
    for mutant, state in session.state.items():
        key = key_of(mutant)
        if key in listed:
            used.add(key)
            if state == "caught":
                print("note: listed as equivalent but caught: %s: %s: %s -> %s" % key)
        files[mutant.file][state] += 1
        totals[state] += 1
    for mutant in sorted((m for m, s in session.state.items() if s == "survived"), key=lambda m: (m.file, m.start)):
        print(line_of(mutant))
    print("%-24s %7s %7s %9s %6s %6s %7s" % ("", "mutants", "caught", "survived", "listed", "equal", "score"))

    def row(name, count):
        tried = count["caught"] + count["survived"]
        print("%-24s %7d %7d %9d %6d %6d %6.1f%%" % (name, sum(count.values()) - count["invalid"], count["caught"],
              count["survived"], count["listed"], count["equal"], 100.0 * count["caught"] / tried if tried else 100))
    for path in sorted(files):
        row(path, files[path])
    row("all", totals)
    if whole:
        stale = [k for k in listed if k not in used and k[0] in files]
        for key in stale:
            print("note: equivalent.txt names what is no mutant any longer: %s: %s: %s -> %s" % key)
    return totals["caught"], totals["survived"]


def main():
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__.strip())
        return 2
    if not sys.platform.startswith("linux"):
        print("skipped: mutation testing needs LD_PRELOAD and ELF's symbols, as Linux has them")
        return 0
    begin = time.monotonic()
    listed = equivalents()
    build = engine.Build()
    for path in build.left_out:
        print("skipped: %s, its library is not here" % path)
    found, elsewhere = collect(build, os.environ.get("MUTATE", "").split())
    if not found:
        raise engine.Failure("no mutants of %r" % os.environ.get("MUTATE", ""))
    print("%d mutants, %d more not compiled here" % (len(found), elsewhere))
    if os.environ.get("MUTATE_AGAIN"):
        found = again(found, os.environ["MUTATE_AGAIN"])
    sample = os.environ.get("MUTATE_SAMPLE") or ""
    if sample:
        seed = seed_of()
        print("MUTATE_SAMPLE=%s MUTATE_SEED=%s" % (sample, seed))
        sample = len(found) * int(sample[:-1]) // 100 if sample[-1] == "%" else int(sample)
        found = random.Random(seed).sample(found, min(sample, len(found)))
        found.sort(key=lambda f: (f[2].file, f[2].start))
    build.prepare([os.path.basename(p) for p in sys.argv[1:]])
    print("%d tests run over weir as it is, %.0f s" % (len(build.tests), time.monotonic() - begin), flush=True)
    session = Session(build, listed)
    session.run(list(batches_of(found)))
    for choice in os.environ.get("MUTATE_CHOICES", "").split():
        left = once_more(found, session.state)
        if left:
            other = engine.Build(choice)
            other.prepare(os.environ["MUTATE_CHOICE_TESTS"].split())
            more = Session(other, listed)
            more.run(list(batches_of(left)))
            session.state.update((mutant, state) for mutant, state in more.state.items() if state == "caught")
    caught, survived = report(session, listed, not sample and not os.environ.get("MUTATE_AGAIN"))
    floor = float(os.environ.get("MUTATE_FLOOR") or 95)
    score = 100.0 * caught / (caught + survived) if caught + survived else 100.0
    print("score %.2f%%, at least %g%% wanted; %.0f s" % (score, floor, time.monotonic() - begin))
    print("%d passed, %d failed" % (caught, survived if score < floor else 0))
    return 0 if score >= floor else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (engine.Failure, subprocess.TimeoutExpired) as failure:
        print("mutate: %s" % failure, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
