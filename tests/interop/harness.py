# SPDX-License-Identifier: MIT
"""Starts the programs under test, watches them from outside and prints one line for each check."""

import os
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
ESTABLISHED = "01"


class Failure(Exception):
    """What a check says when the program did not do what the standard or its contract asks for."""


def expect(condition, text):
    if not condition:
        raise Failure(text)


def equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: got {shorten(got)}, wanted {shorten(wanted)}")


def shorten(value):
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:60]}… ({len(text)} characters)"


@contextmanager
def time_limit(seconds):
    """Bounds a check even where no socket timeout does. Main thread only."""

    def expire(_signal, _frame):
        raise Failure(f"no result after {seconds} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def wait_until(condition, seconds, what):
    """Asks again and again; a Failure when `condition` does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Suite:
    """A named run of checks. A check is any callable; it fails by raising."""

    def __init__(self, name):
        self.name = name
        self.failed = 0
        sys.stdout.reconfigure(line_buffering=True)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        # Behind a shell's `&` it is ignored, and the programs would go on ignoring it.
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def check(self, name, call, *args, limit=15):
        start = time.monotonic()
        try:
            with time_limit(limit):
                note = call(*args)
        except Exception as error:  # pylint: disable=broad-except
            self.report(name, error)
            return
        took = time.monotonic() - start
        extra = f" [{note}]" if note else ""
        slow = f" ({took:.1f} s)" if took >= 1 else ""
        print(f"ok   {self.name}: {name}{extra}{slow}")

    def report(self, name, error):
        self.failed += 1
        text = " ".join(str(error).split()) or "no text"
        if not isinstance(error, Failure):
            text = f"{type(error).__name__}: {text}"
        print(f"FAIL {self.name}: {name}: {text}")

    def finish(self):
        sys.exit(1 if self.failed else 0)


class Server:
    """One program of build/examples on a free port of 127.0.0.1."""

    def __init__(self, program, *options, files=None):
        """`files` limits the descriptors that the program may have open."""
        path = os.path.join(BUILD, "examples", program)
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [path, "--host", "127.0.0.1", "--port", "0", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log,
            preexec_fn=files and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))))
        self.address = self._listening()
        self.pid = self.process.pid
        self.idle_fds = self.fds()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def _listening(self):
        line = b""
        end = time.monotonic() + 5
        out = self.process.stdout.fileno()
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([out], [], [], max(0, end - time.monotonic()))
            byte = os.read(out, 1) if ready else b""
            if not byte:
                self.kill()
                raise Failure(f"no `listening on` line: {line!r} {self.errors()}")
            line += byte
        found = re.fullmatch(r"listening on (127\.0\.0\.1):(\d+)\n", line.decode())
        if not found:
            self.kill()
            raise Failure(f"the first line is {line!r}")
        return found[1], int(found[2])

    @property
    def port(self):
        return self.address[1]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def errors(self):
        """The last of what the program wrote to stderr."""
        self.log.seek(0)
        return self.log.read()[-2000:].decode("utf-8", "replace")

    def alive(self):
        expect(self.process.poll() is None,
               f"the server ended with {self.process.returncode}: {self.errors()}")

    def terminate(self):
        """SIGTERM; the exit must be 0 and within two seconds."""
        self.alive()
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            raise Failure("still running 5 s after SIGTERM") from None
        took = time.monotonic() - start
        equal(code, 0, f"exit status ({self.errors()})")
        expect(took <= 2.1, f"exit took {took:.2f} s")
        return f"exit 0 after {took * 1000:.0f} ms"

    def rss(self, field="VmRSS"):
        """Resident memory in bytes."""
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as status:
            return int(re.search(rf"{field}:\s+(\d+) kB", status.read())[1]) * 1024

    def peak(self):
        """The most resident memory ever."""
        return self.rss("VmHWM")

    def cpu(self):
        """Seconds of processor time used so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS

    def fds(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def all_gone(self, seconds=3):
        """Every connection has been released."""
        wait_until(lambda: self.fds() <= self.idle_fds, seconds, "connections released")

    def idle(self, seconds=0.5):
        """The server sleeps when nothing happens."""
        before = self.cpu()
        time.sleep(seconds)
        used = self.cpu() - before
        expect(used <= 0.1 * seconds + 0.02, f"{used:.2f} s of CPU in {seconds} s of silence")

    def sockets(self):
        """Established connections of this server's port: peer's port -> (unsent, unread) bytes."""
        mine = {}
        with open("/proc/net/tcp", encoding="ascii") as table:
            for line in table.readlines()[1:]:
                fields = line.split()
                local, remote, state, queues = fields[1], fields[2], fields[3], fields[4]
                if state == ESTABLISHED and int(local.split(":")[1], 16) == self.port:
                    unsent, unread = (int(part, 16) for part in queues.split(":"))
                    mine[int(remote.split(":")[1], 16)] = (unsent, unread)
        return mine
