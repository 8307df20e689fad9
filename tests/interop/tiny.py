# SPDX-License-Identifier: MIT
"""The programs that README.md's functions come from: tiny_ws and tiny_sse, one connection at a time."""

import os
import resource
import signal
import socket
import struct
import subprocess
import time

from harness import BUILD, Suite, equal, expect, wait_until
from wire import BINARY, PING, Peer, Stream, close, frame, text


class Tiny:
    """One of the programs, on a free port: it is the only argument."""

    def __init__(self, program, files=None):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = free.getsockname()
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "examples", program), str(self.address[1])],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            preexec_fn=files and (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))))
        wait_until(self._answers, 5, "listening")

    def _answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(self.address) == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def stream(self):
        return Stream(socket.create_connection(self.address, 5))

    def alive(self):
        equal(self.process.poll(), None, "exit status")


def echoes(server):
    """Messages longer than any buffer, alone and packed into few writes, come back whole."""
    with Peer(server.address) as peer:
        for size in (0, 1, 125, 65535, 65536, 200000, 5 << 20):
            data = os.urandom(size)
            peer.send(frame(BINARY, data))
            peer.wants(BINARY, data, f"{size} bytes")
        many = [os.urandom(size % 300) for size in range(2000)]
        peer.send(b"".join(frame(BINARY, data) for data in many))
        for data in many:
            peer.wants(BINARY, data, "one of many")
        peer.send(b"".join(frame(PING, b"p" * 125) for _ in range(300)))
        for _ in range(300):
            peer.wants(PING + 1, b"p" * 125, "a pong")
        peer.send(close(1000))
        peer.closed(1000)


def refusals_arrive(server, request, status):
    """The reply is read whole, and TCP ends in order, though more was sent than the server ever read."""
    with server.stream() as link:
        link.send(request + b"x" * 200000)
        time.sleep(0.2)
        equal(link.response().status, status, "status")
        link.rest()


def close_arrives(server, bad, code):
    """So does a Close."""
    with Peer(server.address) as peer:
        peer.send(bad + text("y" * 60000))
        time.sleep(0.2)
        peer.closed(code)


def event_stream(server):
    with server.stream() as link:
        link.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        equal(link.response().one("Content-Type"), "text/event-stream", "media type")
        body = link.rest().decode()
        expect("data: \"你\"\n\n" in body and "data: [DONE]\n\n" in body, body)
        expect(body.endswith("0\r\n\r\n"), "the body has no end")


def stays(server):
    """Clients that leave at once, with a reset, or say nothing at the end do not hold or end the server."""
    for _ in range(20):
        link = socket.create_connection(server.address, 5)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.close()
    with server.stream() as link:
        link.send(b"x\r\n\r\n")
        link.response()
        start = time.monotonic()
        with server.stream() as other:
            other.send(b"x\r\n\r\n")
            other.response()
        expect(time.monotonic() - start < 5, "it waited for a client that stays")
    server.alive()


def no_descriptors(program):
    """accept fails for a while: that is said, and is not the end."""
    with Tiny(program, files=5) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (4, 5))
        server.stream().sock.close()  # Linux had the descriptor for the first one ready before
        line = server.process.stderr.readline().decode()
        expect(line.startswith(f"{program}: cannot accept"), line)
        with server.stream() as link:
            server.alive()
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (5, 5))
            link.send(b"x\r\n\r\n")
            equal(link.response().status, 400, "status")


def port_taken(program):
    with Tiny(program) as server:
        second = subprocess.run([os.path.join(BUILD, "examples", program), str(server.address[1])],
                                stderr=subprocess.PIPE, timeout=5, check=False)
        equal(second.returncode, 1, "exit status")
        expect(second.stderr.startswith(f"{program}: cannot listen: ".encode()), second.stderr)


def starts_again(program):
    """A connection that the server ended does not keep its port from the next start."""
    with Tiny(program) as server, server.stream() as link:
        link.send(b"x\r\n\r\n")
        link.rest()
        server.process.send_signal(signal.SIGTERM)
        server.process.wait()
        again = subprocess.Popen([server.process.args[0], server.process.args[1]], stderr=subprocess.PIPE)
        try:
            wait_until(server._answers, 3, "listening again")  # pylint: disable=protected-access
        finally:
            again.kill()
            again.wait()
            again.stderr.close()


def main():
    suite = Suite("tiny")
    get = b"GET / HTTP/1.1\r\nHost: a\r\n"
    with Tiny("tiny_ws") as server:
        suite.check("tiny_ws echoes all sizes", echoes, server, limit=30)
        for name, request, status in (("no WebSocket", get + b"\r\n", 426), ("no HTTP", b"x\r\n\r\n", 400),
                                      ("a head of 100 KB", get + b"a: " + b"b" * 100000 + b"\r\n\r\n", 431)):
            suite.check(f"tiny_ws refuses: {name}", refusals_arrive, server, request, status)
        for name, bad, code in (("unmasked", frame(1, b"hi", key=None), 1002), ("Close", close(1001), 1001)):
            suite.check(f"tiny_ws closes: {name}", close_arrives, server, bad, code)
        suite.check("tiny_ws outlives rude clients", stays, server)
    with Tiny("tiny_sse") as server:
        suite.check("tiny_sse sends its stream", event_stream, server)
        for name, request, status in (("POST", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", 405),
                                      ("no HTTP", b"x\r\n\r\n", 400),
                                      ("another type", get + b"Accept: text/html\r\n\r\n", 406)):
            suite.check(f"tiny_sse refuses: {name}", refusals_arrive, server, request, status)
        suite.check("tiny_sse outlives rude clients", stays, server)
    for program in ("tiny_ws", "tiny_sse"):
        suite.check(f"{program} without descriptors", no_descriptors, program)
        suite.check(f"{program}: the port is taken", port_taken, program)
        suite.check(f"{program} starts again", starts_again, program)
    suite.finish()


if __name__ == "__main__":
    main()
