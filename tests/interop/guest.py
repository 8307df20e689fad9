# SPDX-License-Identifier: MIT
"""Runs client programs against a server that does what the check wants, and watches both ends."""

import base64
import os
import socket
import subprocess
import tempfile

from deflate import EXTENSION, agree, terms
from harness import BUILD, Failure, equal, expect
from wire import SERVER, Head, Stream, accept_for

REPLY = (
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Accept", "{accept}"),
)


def reply(key, line="HTTP/1.1 101 Switching Protocols", drop=(), add=(), **change):
    """The head of a server's answer, with changes as wire.request has them. {accept} stands for what is
    right for the key."""
    names = {"upgrade": "Upgrade", "connection": "Connection", "accept": "Sec-WebSocket-Accept"}
    changed = {names[short]: value for short, value in change.items()}
    lines = [line]
    for name, value in REPLY:
        values = changed.get(name, value)
        for one in [values] if isinstance(values, str) else values:
            if name not in [names[short] for short in drop]:
                lines.append(f"{name}: {one}")
    text = "".join(f"{line}\r\n" for line in [*lines, *add, ""])
    return text.replace("{accept}", accept_for(key)).encode("latin-1")


class Guest(Stream):
    """A client's connection, seen from the server."""

    say = SERVER
    keys_seen = set()

    def request(self):
        """Reads the request, which has to keep to RFC 6455 4.1."""
        head = self.head(Head)
        equal((head.line[0], head.line[2]), ("GET", "HTTP/1.1"), "request line")
        expect(head.line[1].startswith("/"), f"request target {head.line[1]!r}")
        host, port = self.sock.getsockname()[:2]
        equal(head.one("Host"), f"{host}:{port}", "Host")
        equal(head.one("Upgrade").lower(), "websocket", "Upgrade")
        expect("upgrade" in head.tokens("Connection"), "Connection does not list Upgrade")
        equal(head.one("Sec-WebSocket-Version"), "13", "Sec-WebSocket-Version")
        key = head.one("Sec-WebSocket-Key")
        raw = base64.b64decode(key, validate=True)
        expect(len(raw) == 16 and base64.b64encode(raw).decode() == key, f"key {key!r}")
        expect(key not in self.keys_seen, "the key of another connection")
        self.keys_seen.add(key)
        equal(self.buffer, b"", "bytes behind the request, before its answer")
        self.target, self.key, self.offers = head.line[1], key, head.all(EXTENSION)
        return head

    def open(self, answer=None, **options):
        """Accepts, with this answer to its offer of permessage-deflate."""
        self.request()
        add = [f"{EXTENSION}: {answer}"] if answer else []
        if answer:
            expect(any(offer.startswith("permessage-deflate") for offer in self.offers), "no offer")
            agree(self, terms(answer), **options)
        self.send(reply(self.key, add=add))


class Listener:
    """Where the programs connect to: a free port of 127.0.0.1."""

    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.sock.settimeout(5)
        self.port = self.sock.getsockname()[1]

    def url(self, path="/"):
        return f"ws://127.0.0.1:{self.port}{path}"

    def accept(self, timeout=5):
        try:
            sock, _ = self.sock.accept()
        except TimeoutError:
            raise Failure("the program did not connect") from None
        return Guest(sock, timeout)


class Client:
    """A client program under test. Its output goes to files, so that it never waits for us."""

    def __init__(self, program, *arguments, stdin=subprocess.DEVNULL):
        self.program = program
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        self.process = subprocess.Popen([os.path.join(BUILD, "examples", program), *arguments], stdin=stdin,
                                        stdout=self.out, stderr=self.err)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.process.stdin:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        self.out.close()
        self.err.close()

    def stdout(self):
        return read_all(self.out)

    def stderr(self):
        return read_all(self.err).decode("utf-8", "replace")

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait(self, seconds=5):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.program} still runs after {seconds} s: {self.stderr()!r}") from None

    def ends(self, code, seconds=5):
        """With 0 nothing is on stderr; with another status one line, that begins with the program's name."""
        got, said = self.wait(seconds), self.stderr()
        equal(got, code, f"exit status ({said!r})")
        if code == 0:
            equal(said, "", "stderr")
        else:
            expect(said.startswith(f"{self.program}: ") and said.count("\n") == 1 and said.endswith("\n"),
                   f"stderr is {said!r}")
            expect(len(said) > len(self.program) + 5 and said.isprintable() or said[:-1].isprintable(),
                   f"stderr is {said!r}")
        return said


def read_all(file):
    """What was written, without moving the position that the program shares with us."""
    return os.pread(file.fileno(), 1 << 28, 0)
