# SPDX-License-Identifier: MIT
"""engine.py - builds weir so that mutants of it can be tried fast, and tries them.

The library is built once as a shared one, and every test program is linked with it. A batch of mutants of one
source file is compiled together: of each function there is one copy a mutant, and the function itself goes to
the copy that a variable names. The shared object made of it is loaded in front of the library (LD_PRELOAD).
runner.c sets the variable in a forked process for each mutant, so that trying one costs about a millisecond.
"""
import hashlib
import os
import pickle
import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict, namedtuple
from concurrent.futures import ThreadPoolExecutor

import csource

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
Test = namedtuple("Test", "program index name us reach")
CONFIGS = {"": [], "scalar": ["-DWEIR_SIMD=0"]}
QUICK_US = 150000


class Failure(Exception):
    """What keeps the whole run from going on."""


def command(args, **more):
    return subprocess.run(args, cwd=ROOT, stdin=subprocess.DEVNULL, text=True, errors="replace",
                          capture_output=True, check=False, **more)


def must(args):
    done = command(args)
    if done.returncode != 0:
        raise Failure("%s\n%s" % (" ".join(args), done.stderr.strip()))
    return done.stdout


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Tree:
    """The sources: who includes whom, and which lines are compiled."""

    def __init__(self):
        self.paths = sorted(os.path.relpath(os.path.join(folder, name), ROOT)
                            for folder, _, names in os.walk(os.path.join(ROOT, "src")) for name in names
                            if name.endswith((".c", ".h")))
        self.text = {path: read(path) for path in self.paths}
        self.includes = {path: self.included(path, text) for path, text in self.text.items()}

    def included(self, path, text):
        found = set()
        for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.M):
            for folder in (os.path.dirname(path), "src"):
                other = os.path.normpath(os.path.join(folder, name))
                if other in self.text:
                    found.add(other)
                    break
        return found

    def closure(self, path, text=None):
        """All internal headers that a file includes, directly or not."""
        found, new = set(), self.included(path, text) if text is not None else self.includes[path]
        while new:
            found |= new
            new = set().union(*(self.includes[p] for p in new)) - found
        return found

    def units(self, path):
        """The C files that a change of this file changes."""
        if path.endswith(".c"):
            return [path]
        return [p for p in self.paths if p.endswith(".c") and path in self.closure(p) and "/backends/mbed" not in p]


class Build:
    """Everything that is built, in BUILD/mutate; with a choice of fewer vector instructions (src/base/simd.h), over
    which `make` has built some of the test programs, in BUILD/mutate-simdN."""

    def __init__(self, choice=None, jobs=2):
        self.out = os.path.join(ROOT, os.environ.get("BUILD", "build"), "mutate")
        self.choice, simd = "", []
        if choice is not None:
            self.choice, simd = "simd%s/" % choice, ["-DWEIR_SIMD=%s" % choice]
            self.out += "-simd%s" % choice
        self.cc = shlex.split(os.environ.get("CC", "cc"))
        self.test_flags = shlex.split(os.environ.get("TEST_FLAGS", "")) + simd
        self.test_libs = shlex.split(os.environ.get("TEST_LIBS", "-lcmocka -lz"))
        self.objects = os.path.join(ROOT, os.environ.get("BUILD", "build"), "obj")
        # Random tests take seconds in full; a part of their rounds catches nearly as many mutants.
        self.rounds = os.environ.setdefault("WEIR_TEST_ROUNDS", "20")
        self.jobs = jobs
        self.pool = ThreadPoolExecutor(jobs)
        self.tree = Tree()
        self.flags = ["-std=c99", "-w", "-fPIC", "-Iinclude"] + simd
        # What a mutant leaves unset has a value that no run of luck hides.
        if command(self.cc + ["-ftrivial-auto-var-init=pattern", "-x", "c", "-c", "/dev/null", "-o",
                              "/dev/null"]).returncode == 0:
            self.pattern = ["-ftrivial-auto-var-init=pattern"]
        else:
            self.pattern = []
        # What one compiler sees to be the same, another may not.
        known = {os.path.realpath(shutil.which(name)): [name] for name in ("gcc", "clang") if shutil.which(name)}
        known.pop(os.path.realpath(shutil.which(self.cc[0]) or ""), None)
        self.judges = [self.cc] + list(known.values())
        self.left_out = [p for p in self.tree.paths if "/backends/" in p and not self.has_backend(p)]
        os.makedirs(self.out, exist_ok=True)
        self.seen = {}
        self.tests = []
        self.by_function = defaultdict(set)

    def has_backend(self, path):
        return command(self.cc + ["-Iinclude", "-Isrc", "-fsyntax-only", path]).returncode == 0

    # ---- The library and the programs

    def prepare(self, names):
        """Builds, or takes what an earlier run built from the same sources and test programs."""
        kinds = {"test": "unit", "attacks": "attacks"}
        self.test_source = {n: "tests/%s/%s.c" % (kinds[n.split("_")[0]], n) for n in names}
        self.test_source = {n: p for n, p in self.test_source.items() if "cmocka_run_group_tests" in read(p)}
        self.test_includes = {n: self.tree.closure(p, read(p)) for n, p in self.test_source.items()}
        self.exe = {n: os.path.join(self.out, "tests", n) for n in self.test_source}
        kept, stamp = os.path.join(self.out, "kept.pickle"), self.stamp()
        stamps = {n: self.program_stamp(n) for n in self.test_source}
        known = {}
        if os.path.exists(kept):
            with open(kept, "rb") as file:
                old, self.seen, known = pickle.load(file)
            known = known if old == stamp else {}
        if not known:
            shutil.rmtree(self.out)
            os.makedirs(os.path.join(self.out, "tests"))
            self.seen = {}
            self.library()
        known = {n: (s, tests) for n, (s, tests) in known.items() if stamps.get(n) == s}
        new = sorted(set(stamps) - set(known))
        for name, tests in zip(new, self.pool.map(self.program, new)):
            known[name] = stamps[name], [tuple(t) for t in tests]
        with open(kept, "wb") as file:
            pickle.dump((stamp, self.seen, known), file)
        self.tests = [Test(*t) for _, tests in known.values() for t in tests]
        for test in self.tests:
            for number in test.reach:
                self.by_function[number].add(test)

    def test_object(self, name):
        return os.path.join(self.objects, self.choice + self.test_source[name][:-2] + ".o")

    def stamp(self):
        """What the library is made of."""
        digest = hashlib.sha256(repr((self.cc, self.flags, self.test_libs, self.rounds, sys.version)).encode())
        for name in ("runner.c", "csource.py"):
            digest.update(read("tests/mutate/" + name).encode())
        for path in sorted(self.tree.text):
            digest.update((path + self.tree.text[path]).encode())
        for folder, _, names in sorted(os.walk(os.path.join(ROOT, "tests", "vectors"))):
            for name in sorted(names):
                digest.update(read(os.path.join(folder, name)).encode("utf-8", "replace"))
        return digest.hexdigest()

    def program_stamp(self, name):
        """What else a test program is made of."""
        digest = hashlib.sha256()
        for path in (self.test_object(name), self.objects + "/libharness.a"):
            with open(path, "rb") as file:
                digest.update(file.read())
        return digest.hexdigest()

    def library(self):
        """libweir.so, whose functions note that they ran."""
        base = os.path.join(self.out, "base")
        for path, text in self.tree.text.items():
            made, last = [], 0
            for function in csource.functions_of(text, csource.tokens_of(text)):
                number = self.seen.setdefault((path, function.name), len(self.seen))
                made += [text[last:function.body + 1], " weiri_seen[%d] = 1;" % number]
                last = function.body + 1
            write(os.path.join(base, path), "".join(made) + text[last:])
        write(os.path.join(base, "seen.h"), "extern unsigned char weiri_seen[];\n")
        write(os.path.join(base, "seen.c"), "#include <stddef.h>\nunsigned char weiri_seen[%d];\n"
              "const size_t weiri_seen_len = sizeof weiri_seen;\n" % len(self.seen))
        flags = self.cc + self.flags + ["-O2", "-I" + base + "/src", "-include", base + "/seen.h", "-c"]
        sources = [p for p in self.tree.paths if p.endswith(".c") and "mbedtls" not in p and p not in self.left_out]
        files = [os.path.join(base, p) for p in sources] + [base + "/seen.c"]
        list(self.pool.map(lambda f: must(flags + [f, "-o", f[:-2] + ".o"]), files))
        zlib = ["-lz"] if "src/backends/zlib.c" in sources else []
        must(self.cc + ["-shared", "-o", os.path.join(self.out, "libweir.so")] + [f[:-2] + ".o" for f in files] + zlib)
        must(self.cc + self.test_flags + ["-O2", "-fPIC", "-shared", "-o", os.path.join(self.out, "librunner.so"),
                                          "tests/mutate/runner.c", "-ldl"])

    def link(self, program, test_object, folder):
        path = os.path.join(folder, program)
        must(self.cc + ["-o", path, test_object, self.objects + "/libharness.a", "-L" + self.out, "-Wl,--no-as-needed",
                        "-lrunner", "-lweir", "-Wl,-rpath," + self.out] + self.test_libs)
        return path

    def program(self, name):
        """Links a test program and runs it once over weir as it is."""
        self.link(name, self.test_object(name), os.path.join(self.out, "tests"))
        return self.record(name)

    def record(self, name):
        out = os.path.join(self.out, "tests", name + ".txt")
        write(out, "")
        env = dict(os.environ, MUTATE_OUT=out)
        env.pop("MUTATE_PLAN", None)
        done = command([self.exe[name]], env=env, timeout=300)
        if done.returncode != 0:
            raise Failure("%s fails over weir as it is\n%s" % (name, done.stderr[-2000:]))
        found = []
        with open(out, encoding="utf-8") as file:
            for line in file:
                index, title, passed, us, *reach = line.split()
                if passed != "1":
                    raise Failure("%s: %s fails over weir as it is" % (name, title))
                found.append(Test(name, int(index), title, int(us), frozenset(map(int, reach))))
        return found

    def reaching(self, path, function):
        """The tests that run a function; all that run anything of the file if that is not known. Those that include
        the file have its functions themselves, which note nothing; and those that include a file's header may look
        at its data."""
        numbers = [n for (p, name), n in self.seen.items() if name == function and function is not None]
        found = set().union(*(self.by_function[n] for n in numbers)) if numbers else set()
        if not found:
            units = set(self.tree.units(path)) | {path}
            found = set().union(*(self.by_function[n] for (p, _), n in self.seen.items() if p in units))
        seen = {path} if function is not None else {path, os.path.splitext(path)[0] + ".h"}
        return found | {t for t in self.tests if seen & self.test_includes[t.program]}

    # ---- Which lines are compiled

    def active_lines(self, path, config):
        """The lines of a file that the compiler sees in this configuration."""
        text = self.tree.text[path]
        count = text.count("\n") + 1
        if not re.search(r"^\s*#\s*(if|elif|else)\b(?!ndef WEIRI_\w+_H$)", text, re.M):
            return set(range(1, count + 1))
        found = set()
        for unit in self.tree.units(path):
            if unit in self.left_out:
                continue
            done = command(self.cc + CONFIGS[config] + ["-std=c99", "-Iinclude", "-Isrc", "-E", "-dD", unit])
            file, line = None, 0
            for row in done.stdout.splitlines():
                match = re.match(r'# (\d+) "([^"]*)"', row)
                if match:
                    file, line = os.path.normpath(match.group(2)), int(match.group(1))
                    continue
                if row.strip() and file == path:
                    found.add(line)
                line += 1
        return self.whole_regions(path, found)

    def whole_regions(self, path, lines):
        """A macro's call over several lines counts as its first: what stands between two conditions is compiled
        as a whole or not at all."""
        regions, now = [], []
        for number, text in enumerate(self.tree.text[path].split("\n"), 1):
            if re.match(r"\s*#\s*(if|el|endif)", text):
                regions.append(now)
                now = []
            now.append(number)
        return set(n for region in regions + [now] if any(n in lines for n in region) for n in region)


class Worker:
    """A place of its own to build batches in."""

    def __init__(self, build, number):
        self.build = build
        self.folder = os.path.join(build.out, "w%d-%d" % (os.getpid(), number))
        self.serial = 0
        self.codes = {}
        for path, text in build.tree.text.items():
            write(os.path.join(self.folder, path), text)
        write(os.path.join(self.folder, "mutant.h"), "extern int weiri_mutant;\n")

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def compile(self, changed, config="", level="-O1"):
        """Changed: {path: text}. Returns (shared object or None, compiler's messages)."""
        build = self.build
        units = sorted(set(unit for path in changed for unit in build.tree.units(path)) - set(build.left_out))
        self.serial += 1
        made = os.path.join(self.folder, "batch%d.so" % self.serial)
        for path, text in changed.items():
            write(os.path.join(self.folder, path), text)
        done = command(build.cc + build.flags + build.pattern + CONFIGS[config] +
                       [level, "-I" + self.folder + "/src", "-include", self.folder + "/mutant.h", "-shared", "-o",
                        made] +
                       [os.path.join(self.folder, unit) for unit in units] +
                       (["-lmbedcrypto"] if any("mbedtls" in unit for unit in units) else []))
        own = {}
        if done.returncode == 0:
            own = self.own_programs(changed)
        for path in changed:
            write(os.path.join(self.folder, path), build.tree.text[path])
        return (made, own, "") if done.returncode == 0 else (None, own, done.stderr)

    def code(self, cc, path, text, unit, config, keep=False):
        """The object file of a unit at -O2, if this file has this text; None if it does not compile."""
        key = cc[0], unit, config
        if keep and key in self.codes:
            return self.codes[key]
        made = os.path.join(self.folder, "code.o")
        write(os.path.join(self.folder, path), text)
        done = command(cc + self.build.flags + CONFIGS[config] + [
            "-O2", "-g0", "-I" + self.folder + "/src", "-c", "-o", made, os.path.join(self.folder, unit)])
        write(os.path.join(self.folder, path), self.build.tree.text[path])
        if done.returncode != 0:
            return None
        with open(made, "rb") as file:
            found = file.read()
        if keep:
            self.codes[key] = found
        return found

    def own_programs(self, changed):
        """Test programs that include a changed header themselves are made anew."""
        build, own = self.build, {}
        for name, includes in build.test_includes.items():
            if includes & set(changed):
                source = build.test_source[name]
                made = os.path.join(self.folder, name + ".o")
                flags = [f if f != "-Isrc" else "-I" + self.folder + "/src" for f in build.test_flags]
                must(build.cc + ["-std=c99", "-w", "-Iinclude", "-include", self.folder + "/mutant.h"] + flags +
                     ["-O1", "-c", "-o", made, source])
                own[name] = build.link(name, made, self.folder)
        return own

    def run(self, program, lines, batch, own):
        """Runs a plan; returns {mutant: index of the test that caught it, or -1}."""
        plan, out = os.path.join(self.folder, "plan"), os.path.join(self.folder, "out")
        write(plan, "\n".join(lines) + "\n")
        write(out, "")
        env = dict(os.environ, MUTATE_PLAN=plan, MUTATE_OUT=out, LD_PRELOAD=batch)
        done = subprocess.run([own.get(program, self.build.exe[program])], cwd=ROOT, env=env, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(out, encoding="utf-8") as file:
            results = dict(map(int, line.split()) for line in file)
        if done.returncode != 0 or len(results) != len(lines):
            # Loading the mutants as such must be harmless.
            raise Failure("%s ended with status %d over a batch of mutants" % (program, done.returncode))
        return results

    def attempt(self, wanted, slow, batch, own, kills):
        """Wanted: {number: (function key, tests)}. Runs the quick or the slow ones; returns {number: Test} for
        those that are caught."""
        caught, plans = {}, defaultdict(dict)
        for number, (_, tests) in wanted.items():
            for test in tests:
                if (test.us > QUICK_US) == slow:
                    plans[test.program].setdefault(number, []).append(test)
        cost = {n: sum(t.us for t in set().union(*map(set, plans[n].values()))) for n in plans}
        for program in sorted(plans, key=lambda n: (-kills[n] / (cost[n] + 5000), cost[n])):
            lines, by_index = [], {}
            for number, tests in sorted(plans[program].items()):
                if number not in caught:
                    key = wanted[number][0]
                    tests.sort(key=lambda t: (-kills[key, t.program, t.index], t.us))
                    by_index.update((t.index, t) for t in tests)
                    lines.append("%d %s" % (number, " ".join("%d %d" % (limit_ms(t), t.index) for t in tests)))
            for number, index in self.run(program, lines, batch, own).items() if lines else ():
                if index >= 0:
                    caught[number] = by_index[index]
                    kills[program] += 1
                    kills[wanted[number][0], program, index] += 1
        return caught


def limit_ms(test):
    """Processor time that a test may take over a mutant: what is much slower does not end."""
    return max(250, 100 + 6 * test.us // 1000)
