# SPDX-License-Identifier: MIT
"""sse_cat as a process, servers that follow a script, and a proxy that breaks connections."""

import json
import os
import select
import socket
import struct
import subprocess
import tempfile
import threading
import time

from harness import BUILD, Failure, equal, expect

CAT = os.path.join(BUILD, "examples", "sse_cat")
EVENT_STREAM = "text/event-stream"


def memory(mib):
    """A bound in bytes; sanitizers keep what was freed, and shadow what is there."""
    with open(CAT, "rb") as program:
        return mib * (8 if b"__asan_init" in program.read() else 1) << 20


class Cat:
    """A running sse_cat; `lines` are those read so far, each with its arrival time."""

    def __init__(self, *options, stdin=subprocess.DEVNULL):
        self.errors_file = tempfile.TemporaryFile()
        self.process = subprocess.Popen([CAT, *options], stdin=stdin, stdout=subprocess.PIPE,
                                        stderr=self.errors_file)
        self.start = time.monotonic()
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.errors_file.close()

    def line(self, seconds=5):
        """The next line of stdout; None at its end."""
        end = time.monotonic() + seconds
        out = self.process.stdout.fileno()
        while b"\n" not in self.rest:
            ready, _, _ = select.select([out], [], [], max(0, end - time.monotonic()))
            expect(ready, f"no line within {seconds} s, after {self.rest[-60:]!r}; {self.errors()}")
            data = os.read(out, 65536)
            if not data:
                expect(not self.rest, f"a line without an end: {self.rest[-60:]!r}")
                return None
            self.rest += data
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def event(self, seconds=5):
        """The next event as (type, data, lastEventId)."""
        line = self.line(seconds)
        expect(line is not None, f"stdout ended: {self.errors()}")
        return triple(line)

    def events(self, seconds=5):
        """All to the end."""
        found = []
        while (line := self.line(seconds)) is not None:
            found.append(triple(line))
        return found

    def ended(self, code, seconds=5):
        """The exit status, and what stands on stderr: nothing, or lines that begin as agreed."""
        try:
            equal(self.process.wait(seconds), code, f"exit status ({self.errors()})")
        except subprocess.TimeoutExpired:
            raise Failure(f"still running after {seconds} s: {self.errors()}") from None
        lines = self.errors().splitlines()
        expect(all(line.startswith("sse_cat: ") for line in lines), f"stderr: {lines}")
        return lines

    def errors(self):
        return os.pread(self.errors_file.fileno(), 4096, 0).decode("utf-8", "replace")

    def peak(self):
        """The most resident memory ever, in bytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        raise Failure("no VmHWM")


def triple(line):
    event = json.loads(line.decode("utf-8"))
    equal(list(event), ["type", "data", "lastEventId"], "members")
    return tuple(event.values())


class Request:
    """A request as it came."""

    def __init__(self, sock):
        self.raw = b""
        while b"\r\n\r\n" not in self.raw:
            data = sock.recv(65536)
            if not data:
                raise Failure(f"the client left within its request: {self.raw[-80:]!r}")
            self.raw += data
        self.at = time.monotonic()
        head, _, self.body = self.raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        self.method, self.target, self.version = first.split(" ")
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        while len(self.body) < int(self.field("Content-Length") or 0):
            self.body += sock.recv(65536)

    def field(self, name):
        found = [value for key, value in self.fields if key.lower() == name.lower()]
        expect(len(found) <= 1, f"{name} {len(found)} times")
        return found[0] if found else None


class Link:
    """The server's end of one connection."""

    def __init__(self, sock):
        self.sock = sock

    def send(self, *parts, pause=0.0):
        for at, part in enumerate(parts):
            if at and pause:
                time.sleep(pause)
            self.sock.sendall(part if isinstance(part, bytes) else part.encode())

    def head(self, status="200 OK", media=EVENT_STREAM, *fields):
        lines = [f"HTTP/1.1 {status}", *([f"Content-Type: {media}"] if media else []), *fields, "", ""]
        self.send("\r\n".join(lines))

    def stream(self, text="", *fields):
        """A close-delimited event stream."""
        self.head("200 OK", EVENT_STREAM, "Connection: close", *fields)
        self.send(text)

    def chunk(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def sized(self, status, body, media="application/json", *fields):
        body = body if isinstance(body, bytes) else body.encode()
        self.head(status, media, f"Content-Length: {len(body)}", *fields)
        self.send(body)

    def redirect(self, status, location):
        self.head(f"{status} x", None, f"Location: {location}", "Content-Length: 0")

    def cut(self):
        """A reset instead of an end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def left(self, seconds=5):
        """Waits until the client has closed; returns when that was."""
        self.sock.settimeout(seconds)
        try:
            while self.sock.recv(65536):
                pass
        except socket.timeout:
            raise Failure(f"the client has not left within {seconds} s") from None
        except OSError:
            pass
        return time.monotonic()


class Script:
    """A server on a free port: the n-th connection is answered by the n-th function, later ones by the last.
    A function gets the link and the request, and the connection is closed behind it."""

    def __init__(self, *steps, receive_buffer=None):
        self.steps = steps
        self.requests = []
        self.faults = []
        self.open = 0
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(256)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        # A shutdown wakes accept; a close alone does not.
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        if kind is None and self.faults:
            raise Failure(f"in the server: {self.faults[0]}")

    def _accept(self):
        count = 0
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            step = self.steps[min(count, len(self.steps) - 1)]
            count += 1
            threading.Thread(target=self._serve, args=(sock, step), daemon=True).start()

    def _serve(self, sock, step):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with sock:
            self.open += 1
            try:
                request = Request(sock)
                self.requests.append(request)
                step(Link(sock), request)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client's right
            except Exception as error:  # pylint: disable=broad-except
                self.faults.append(f"{type(error).__name__}: {error}")
            finally:
                self.open -= 1

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"


def no_content(link, _request):
    """204: no more, please."""
    link.head("204 No Content", None)


def streaming(*texts, pause=0.0):
    """A step: a stream of these texts, then its end."""
    def step(link, _request):
        link.stream()
        link.send(*texts, pause=pause)
    return step


class Proxy:
    """TCP from a free port to another, until it is told to break all there is."""

    def __init__(self, port):
        self.target = port
        self.pairs = []
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(64)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.cut()

    def _accept(self):
        while True:
            try:
                near, _ = self.sock.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            self.pairs.append((near, far))
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(a, b), daemon=True).start()

    @staticmethod
    def _copy(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        """Breaks every connection, with a reset on both sides."""
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for sock in pair:
                try:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                sock.close()
        return len(pairs)
