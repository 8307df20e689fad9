#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Peers that die without a word: how long the programs take to notice.

    BUILD=build tests/soak/deaths.py

    kill -9    a peer's process is killed: the system ends its connections, which is noticed at once
    half-open  a peer in a network namespace of its own answers Pings until its link goes down: nothing ends the
               connections, only silence tells (root and iproute2 needed, else skipped)
    clock      the server's clock runs a hundred years ahead, then jumps an hour: who does not answer is dropped,
               but is asked first, and who answers stays

ws_echo_server runs with --ping-interval 1000 --idle-timeout 3000, demo_server's room asks after 5 s and waits 4 s.
What was noticed is seen from outside: in the server's descriptors, and by another member of the room. A line for
each check with the time it took; the cases run side by side, in 15 s or so. The last line is `N passed, N failed`.
"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ.get("BUILD", "build")
PING, IDLE = 1000, 3000
ROOM_BEAT, ROOM_GRACE = 5000, 4000
SLACK = 1000  # ms that a busy machine may add
YEARS, HOUR = 100 * 365 * 86400 * 1000, 3600 * 1000
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="

results = []
lock = threading.Lock()


def check(good, text):
    with lock:
        results.append(good)
        print("%-4s %s" % ("ok" if good else "FAIL", text), flush=True)


class Peer:
    """A WebSocket client with nothing but what is needed here."""

    def __init__(self, address, path):
        self.socket = socket.create_connection(address, 10)
        self.socket.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n" % (path.encode(), KEY))
        self.bytes = b""
        while b"\r\n\r\n" not in self.bytes:
            self.more()
        head, self.bytes = self.bytes.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 101"):
            raise OSError("not a 101: %r" % head[:40])

    def more(self):
        got = self.socket.recv(65536)
        if not got:
            raise EOFError("the server ended the connection")
        self.bytes += got

    def send(self, opcode, payload):
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + struct.pack(">H", size)
        self.socket.sendall(bytes([0x80 | opcode]) + length + bytes(4) + payload)

    def frame(self):
        """The next frame's opcode and payload."""
        while True:
            if len(self.bytes) >= 2:
                size, head = self.bytes[1], 2
                if size == 126 and len(self.bytes) >= 4:
                    size, head = struct.unpack(">H", self.bytes[2:4])[0], 4
                if size < 126 or head == 4:
                    if len(self.bytes) >= head + size:
                        opcode, payload = self.bytes[0] & 15, self.bytes[head:head + size]
                        self.bytes = self.bytes[head + size:]
                        return opcode, payload
            self.more()

    def message(self, seconds=20):
        """The next message; Pings before it are answered."""
        self.socket.settimeout(seconds)
        while True:
            opcode, payload = self.frame()
            if opcode == 9:
                self.send(10, payload)
            elif opcode in (1, 2):
                return payload

    def stay(self):
        """Answers Pings until the connection ends."""
        try:
            while True:
                self.message(None)
        except (OSError, EOFError):
            pass


class Server:
    def __init__(self, program, *options, **more):
        self.process = subprocess.Popen([os.path.join(BUILD, "examples", program), "--port", "0", *options],
                                        stdout=subprocess.PIPE, text=True, **more)
        host, port = self.process.stdout.readline().split()[-1].rsplit(":", 1)
        self.address = (host, int(port))

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def until_fewer(self, count, seconds):
        """Waits until the server has at most so many descriptors; returns when, or None."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.descriptors() <= count:
                return time.monotonic()
            time.sleep(0.005)
        return None

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(5)


class Pair:
    """Both servers, somebody in the room who tells who has left, and a peer in a process of its own."""

    def __init__(self, host, before):
        self.echo = Server("ws_echo_server", "--host", host, "--ping-interval", str(PING), "--idle-timeout",
                           str(IDLE))
        self.demo = Server("demo_server", "--host", host)
        self.watcher = Peer(self.demo.address, "/room")
        self.watcher.send(1, b'{"join":"watcher"}')
        self.left = None
        threading.Thread(target=self.watch, daemon=True).start()
        self.idle = self.echo.descriptors()
        self.child = subprocess.Popen(
            before + [sys.executable, __file__, "--peer", host, str(self.echo.address[1]),
                      str(self.demo.address[1])], stdout=subprocess.PIPE, text=True)
        if self.child.stdout.readline() != "ready\n":
            raise OSError("the peer does not come up")

    def watch(self):
        try:
            while True:
                news = json.loads(self.watcher.message(None))
                if news["type"] == "leave" and news["name"] == "doomed":
                    self.left = time.monotonic()
        except (OSError, EOFError):
            pass

    def measure(self, name, since, echo_ms, room_ms):
        seen = self.echo.until_fewer(self.idle, (echo_ms + SLACK) / 1000)
        took = (seen - since) * 1000 if seen else -1
        check(seen is not None and took <= echo_ms + SLACK,
              "%s: ws_echo_server noticed after %.0f ms [deadline %d ms]" % (name, took, echo_ms))
        while self.left is None and time.monotonic() < since + (room_ms + SLACK) / 1000:
            time.sleep(0.005)
        took = (self.left - since) * 1000 if self.left else -1
        check(0 <= took <= room_ms + SLACK,
              "%s: the room noticed after %.0f ms [deadline %d ms]" % (name, took, room_ms))

    def stop(self):
        self.child.kill()
        self.child.wait()
        self.watcher.socket.close()
        check(self.echo.stop() == 0 and self.demo.stop() == 0, "the servers end well")


def peer_process(host, echo, demo):
    a, b = Peer((host, int(echo)), "/"), Peer((host, int(demo)), "/room")
    a.send(1, b"hello")
    b.send(1, b'{"join":"doomed"}')
    if a.message() == b"hello" and b"welcome" in b.message():
        print("ready", flush=True)
    threading.Thread(target=a.stay, daemon=True).start()
    b.stay()


def kill_9():
    pair = Pair("127.0.0.1", [])
    pair.child.kill()
    pair.measure("kill -9", time.monotonic(), 0, 0)
    pair.stop()


def ip(*words):
    subprocess.run(["ip", *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def half_open():
    space, ours, theirs = "weir-soak-%d" % os.getpid(), "wsa%d" % os.getpid(), "wsb%d" % os.getpid()
    if shutil.which("ip") is None or subprocess.run(["ip", "netns", "add", space], stderr=subprocess.PIPE).returncode:
        if os.environ.get("CI") == "true":
            check(False, "half-open: no network namespaces here")
        else:
            print("skipped: half-open: no network namespaces here", flush=True)
        return
    try:
        # 198.18.0.0/15 is for tests of networks (RFC 2544): nobody has such an address.
        ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", space)
        ip("addr", "add", "198.18.77.1/30", "dev", ours)
        ip("link", "set", ours, "up")
        ip("-n", space, "addr", "add", "198.18.77.2/30", "dev", theirs)
        ip("-n", space, "link", "set", theirs, "up")
        pair = Pair("198.18.77.1", ["ip", "netns", "exec", space])
        time.sleep((IDLE + 500) / 1000)  # longer than silence is borne: its answers keep it
        check(pair.echo.descriptors() > pair.idle and pair.left is None, "half-open: stays while it answers Pings")
        ip("-n", space, "link", "set", theirs, "down")
        pair.measure("half-open", time.monotonic(), IDLE, ROOM_BEAT + ROOM_GRACE)
        pair.stop()
    finally:
        subprocess.run(["ip", "netns", "del", space], stderr=subprocess.PIPE)
        subprocess.run(["ip", "link", "del", ours], stderr=subprocess.PIPE)


def clock():
    with tempfile.NamedTemporaryFile() as file:
        def ahead(ms):
            file.seek(0)
            file.write(struct.pack("=q", ms))
            file.flush()
        ahead(YEARS)
        environment = dict(os.environ, LD_PRELOAD=os.path.abspath(os.path.join(BUILD, "soak", "clock.so")),
                           WEIR_CLOCK=file.name)
        server = Server("ws_echo_server", "--ping-interval", str(PING), "--idle-timeout", str(IDLE),
                        env=environment)
        idle = server.descriptors()
        live = Peer(server.address, "/")
        threading.Thread(target=live.stay, daemon=True).start()
        time.sleep((IDLE + 500) / 1000)
        check(server.descriptors() == idle + 1, "clock: a hundred years ahead, who answers stays")
        dead = Peer(server.address, "/")
        since = time.monotonic()
        ahead(YEARS + HOUR)
        seen = server.until_fewer(idle + 1, (IDLE + SLACK) / 1000)
        took = (seen - since) * 1000 if seen else -1
        check(seen is not None, "clock: jumped an hour, the silent one noticed after %.0f ms [deadline %d ms]"
              % (took, IDLE))
        asked = False
        try:
            dead.socket.settimeout(1)
            asked = dead.frame()[0] == 9
        except (OSError, EOFError):
            pass
        check(asked, "clock: the silent one was asked first")
        time.sleep(IDLE / 1000)
        check(server.descriptors() == idle + 1, "clock: who answers is still there")
        check(server.stop() == 0, "clock: the server ends well")


def guarded(case):
    try:
        case()
    except (OSError, EOFError, subprocess.SubprocessError, ValueError) as error:
        check(False, "%s: %s %s" % (case.__name__, type(error).__name__, error))


def main():
    if sys.argv[1:2] == ["--peer"]:
        peer_process(*sys.argv[2:])
        return 0
    if len(sys.argv) > 1:
        print(__doc__)
        return 0 if sys.argv[1] in ("-h", "--help") else 2
    cases = [threading.Thread(target=guarded, args=(case,)) for case in (kill_9, half_open, clock)]
    for case in cases:
        case.start()
    for case in cases:
        case.join()
    print("%d passed, %d failed" % (results.count(True), results.count(False)))
    return 0 if all(results) and results else 1


if __name__ == "__main__":
    sys.exit(main())
