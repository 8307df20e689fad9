# SPDX-License-Identifier: MIT
"""Floods, stalled peers, crowds and the end: what one peer costs the server and the others."""

import os
import subprocess
import threading
import time

from harness import BUILD, Server, equal, expect, wait_until
from wire import (BINARY, CLOSE, CONT, PING, PONG, TEXT, Ended, Peer, Reading, Reset, close, frame,
                  header, request, text)

MIB = 1 << 20
ECHO = "ws_echo_server"


class Latency:
    """Echo round trips of a bystander, in a thread, while others misbehave."""

    def __init__(self, server):
        self.peer = Peer(server.address)
        self.worst = 0
        self.count = 0
        self.error = None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            while not self.stop.is_set():
                start = time.monotonic()
                self.peer.send(text("still there?"))
                self.peer.wants(TEXT, b"still there?")
                self.worst = max(self.worst, time.monotonic() - start)
                self.count += 1
                time.sleep(0.01)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def result(self, limit):
        self.stop.set()
        self.thread.join(6)
        self.peer.sock.close()
        if self.error:
            raise self.error
        expect(self.count >= 5, f"only {self.count} round trips of the bystander")
        expect(self.worst <= limit, f"a bystander waited {self.worst * 1000:.0f} ms")
        return f"bystander at most {self.worst * 1000:.0f} ms"


def ping_flood(server):
    """100,000 pings from a peer that reads: every one is answered, in order."""
    count = 100000
    before = server.rss()
    with Peer(server.address, timeout=30) as peer:
        reader = Reading(read_pongs, peer, count - 1)
        for at in range(0, count, 1000):
            peer.send(b"".join(frame(PING, b"%d" % number) for number in range(at, at + 1000)))
        pongs = reader.result(30)
        equal(pongs, list(range(count)), "pongs")
    grown = server.rss() - before
    expect(grown < 16 * MIB, f"memory grew by {grown >> 20} MiB")
    return f"{len(pongs)} pongs, +{grown >> 10} KiB"


def read_pongs(peer, last):
    """The numbers in the pongs up to the last; they must rise."""
    numbers = [-1]
    while numbers[-1] != last:
        opcode, payload = peer.message()
        equal(opcode, PONG, "opcode")
        expect(int(payload) > numbers[-1], f"pong {payload} behind {numbers[-1]}")
        numbers.append(int(payload))
    return numbers[1:]


def deaf_ping_flood(server):
    """100,000 pings from a peer that does not read meanwhile: bounded, the newest is answered."""
    count, size = 100000, 100
    before = server.rss()
    with Peer(server.address, timeout=10, receive_buffer=4096) as peer:
        def flood():
            for number in range(count):
                peer.send(frame(PING, b"%d" % number + b" " * size))
        sender = Reading(flood)
        sender.thread.join(1.5)
        grown = server.rss() - before
        expect(grown < 16 * MIB, f"memory grew by {grown >> 20} MiB")
        peer.reads_on()
        pongs = read_pongs(peer, count - 1)
        sender.result()
    return f"{len(pongs)} pongs, +{grown >> 10} KiB"


def stalled(server, data, total):
    """A peer that sends but never reads: bounded memory, and the others do not notice."""
    before = server.rss()
    latency = Latency(server)
    with Peer(server.address, timeout=0.5, receive_buffer=4096) as peer:
        sent, top, calm = 0, before, 0
        while sent < total and calm < 3:
            try:
                sent += peer.sock.send(data[:MIB])
                calm = 0
            except TimeoutError:
                calm += 1
            top = max(top, server.rss())
        grown = top - before
        expect(grown < 64 * MIB, f"memory grew by {grown >> 20} MiB ({sent >> 20} MiB sent)")
    note = latency.result(0.5)
    return f"{sent >> 20} MiB sent, +{grown >> 10} KiB, {note}"


def stalled_reads_again(server):
    """A peer that stalls and then reads gets everything it is owed, in order."""
    count, size = 400, 65536
    with Peer(server.address, timeout=10, receive_buffer=4096) as peer:
        def flood():
            for number in range(count):
                peer.send(frame(BINARY, number.to_bytes(4, "big") + b"\0" * (size - 4), key=b"\0" * 4))
        sender = Reading(flood)
        sender.thread.join(1)
        peer.reads_on()
        for number in range(count):
            opcode, payload = peer.message()
            equal((opcode, len(payload), int.from_bytes(payload[:4], "big")), (BINARY, size, number), "message")
        sender.result()
        peer.alive()


def empty_fragments(server):
    """1,000,000 empty fragments: a limit or an endless message, but no memory."""
    before = server.rss()
    with Peer(server.address, timeout=20) as peer:
        reader = Reading(until_close_or_pong, peer)
        try:
            peer.send(text("", fin=False))
            for _ in range(100):
                peer.send(frame(CONT, b"", fin=False) * 10000)
            peer.send(frame(PING, b"end"))
        except Ended:
            pass
        outcome = reader.result()
    grown = server.rss() - before
    expect(grown < 16 * MIB, f"memory grew by {grown >> 20} MiB")
    return outcome


def until_close_or_pong(peer):
    while True:
        _, opcode, payload = peer.frame()
        if opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big")
            expect(code in (1008, 1009), f"close code {code}")
            return f"Close {code}"
        if opcode == PONG:
            return "accepted"


def tiny_reads(server):
    """1 MiB in packets of a few bytes stays linear."""
    data = frame(BINARY, bytes(MIB // 4), key=b"\1\2\3\4")
    before = server.cpu()
    with Peer(server.address, timeout=20) as peer:
        reader = Reading(peer.message)
        peer.send_cut(data, 7)
        equal(reader.result(), (BINARY, bytes(MIB // 4)), "the message")
    used = server.cpu() - before
    expect(used < 4, f"{used:.2f} s of CPU")
    return f"{used:.2f} s of CPU"


def announced_only(server):
    """200 peers that announce 16 MiB and send nothing of it cost nothing."""
    before = server.rss()
    peers = [Peer(server.address) for _ in range(200)]
    for peer in peers:
        peer.send(header(0x82, 16 * MIB))
    with Peer(server.address) as peer:
        peer.alive()
    grown = server.rss() - before
    for peer in peers:
        peer.sock.close()
    expect(grown < 32 * MIB, f"memory grew by {grown >> 20} MiB")
    server.all_gone()
    return f"+{grown >> 10} KiB"


def churn(server):
    """3,000 connections one after another leave nothing behind."""
    with Peer(server.address) as peer:
        peer.alive()
    before = server.rss()
    for at in range(3000):
        peer = Peer(server.address, opened=at % 3 != 0)
        if at % 3 == 1:
            peer.send(text("x") + close(1000))
        if at % 2:
            peer.reset()
        else:
            peer.sock.close()
    server.all_gone()
    grown = server.rss() - before
    expect(grown < 8 * MIB, f"memory grew by {grown >> 20} MiB")
    return f"+{grown >> 10} KiB"


def never_leaves(server):
    """A peer that keeps its side open after the Close is dropped in the end."""
    peer = Peer(server.address)
    peer.send(close(1000))
    peer.closed(1000)
    return peer


# ---- Options and signals ---------------------------------------------------------------------------


def refuses_option(*options):
    path = os.path.join(BUILD, "examples", ECHO)
    done = subprocess.run([path, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=5,
                          check=False)
    expect(done.returncode not in (0, None) and done.returncode > 0, f"status {done.returncode}")
    expect(done.stderr, "nothing on stderr")
    word = options[0].split("=")[0]
    expect(word.encode() in done.stderr, f"stderr does not name {word}: {done.stderr!r}")


def max_message_option():
    with Server(ECHO, "--max-message", "1000") as server:
        for size, good in ((1000, True), (1001, False)):
            with Peer(server.address) as peer:
                peer.send(frame(BINARY, bytes(size)))
                if good:
                    peer.wants(BINARY, bytes(size))
                else:
                    peer.closed(1009)
        with Peer(server.address) as peer:
            peer.send(frame(BINARY, bytes(600), fin=False) + frame(CONT, bytes(401)))
            until_close_or_pong(peer)
        server.terminate()


def heartbeat():
    """With --ping-interval a silent peer is asked and then dropped, an answering one stays."""
    with Server(ECHO, "--ping-interval", "200", "--idle-timeout", "800") as server:
        silent, live = Peer(server.address), Peer(server.address)
        start = time.monotonic()
        answering = Reading(answer_pings, live, 2.5)
        asked = 0
        try:
            while True:
                opcode, _ = silent.message()
                asked += opcode == PING
        except Reset:
            pass
        except Ended:
            pass
        gone = time.monotonic() - start
        expect(asked >= 1, "the silent peer was not asked")
        expect(0.6 <= gone <= 2, f"the silent peer was dropped after {gone:.2f} s")
        answered = answering.result(5)
        expect(answered >= 5, f"only {answered} pings in 2.5 s")
        live.alive()
        return f"silent: {asked} pings, dropped after {gone:.2f} s; live: {answered} pings"


def answer_pings(peer, seconds):
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        opcode, payload = peer.message()
        if opcode == PING:
            peer.send(frame(PONG, payload))
            count += 1
    return count


def sigterm_says_going_away():
    """Peers in every state: each open one gets a Close 1001, and the server ends within 2 s."""
    with Server(ECHO) as server:
        open_peers = [Peer(server.address) for _ in range(200)]
        begun = Peer(server.address)
        begun.send(text("half a message", fin=False))
        half_head = Peer(server.address, opened=False)
        half_head.send(request()[:40])
        silent = Peer(server.address, opened=False)
        stalled_peer = Peer(server.address, timeout=0.3, receive_buffer=4096)
        try:
            for _ in range(400):
                stalled_peer.send(frame(BINARY, bytes(65536), key=b"\0" * 4))
        except TimeoutError:
            pass
        ending = Reading(server.terminate)
        for peer in open_peers:
            opcode, payload = peer.message()
            equal((opcode, payload[:2]), (CLOSE, b"\x03\xe9"), "the last frame")
            peer.send(close(1001))
            equal(peer.rest(), b"", "bytes after the Close")
        _, opcode, payload = begun.frame()
        while opcode != CLOSE:
            _, opcode, payload = begun.frame()
        equal(payload[:2], b"\x03\xe9", "the Close inside a message")
        note = ending.result()
        for peer in [*open_peers, begun, half_head, silent, stalled_peer]:
            peer.sock.close()
        return note


def sigterm_loses_nothing():
    """What stood in the server's queue for a peer that reads on still arrives, then the 1001."""
    size = 65536
    with Server(ECHO) as server:
        peer = Peer(server.address, timeout=0.5, receive_buffer=4096)
        number = 0
        try:
            while number < 2000:
                peer.send(frame(BINARY, number.to_bytes(4, "big") + bytes(size - 4), key=b"\0" * 4))
                number += 1
        except TimeoutError:
            pass
        unsent, _ = server.sockets()[peer.port]
        expect(unsent > 0, "the server's queue is empty: the test has not stalled it")
        ending = Reading(server.terminate)
        time.sleep(0.2)
        peer.sock.settimeout(3)
        peer.reads_on()
        got, count = 0, 0
        while True:
            opcode, payload = peer.message_or_close()
            if opcode == CLOSE:
                break
            equal(int.from_bytes(payload[:4], "big"), count, "number of the message")
            got, count = got + len(payload), count + 1
        equal(payload[:2], b"\x03\xe9", "close code")
        expect(got + size >= unsent, f"{got} bytes arrived of {unsent} in the kernel alone")
        peer.sock.close()
        return f"{count} messages of {number}; {ending.result()}"


def sigterm_between_messages():
    """20 messages each of 50 peers, then the signal: all echoes come before the 1001."""
    with Server(ECHO) as server:
        peers = [Peer(server.address) for _ in range(50)]
        for peer in peers:
            peer.send(b"".join(text(f"message {at}") for at in range(20)))
        wait_until(lambda: all(queues[1] == 0 for queues in server.sockets().values()), 3, "all read")
        ending = Reading(server.terminate)
        for peer in peers:
            for at in range(20):
                peer.wants(TEXT, f"message {at}".encode())
            opcode, payload = peer.message()
            equal((opcode, payload[:2]), (CLOSE, b"\x03\xe9"), "the last frame")
            peer.send(close(1001))
        note = ending.result()
        for peer in peers:
            equal(peer.rest(), b"", "bytes after the Close")
            peer.sock.close()
        return note


def out_of_descriptors(program):
    """With its descriptors used up the server serves on, sleeps, and goes on when some are free."""
    with Server(program, files=40) as server:
        first = Peer(server.address, opened=False)
        crowd = [Peer(server.address, opened=False) for _ in range(80)]
        time.sleep(0.2)
        server.idle()
        first.send(b"GET /nothing HTTP/1.1\r\n\r\n")
        equal(first.response().status, 400, "status in the crowd")
        first.sock.close()
        for peer in crowd[:60]:
            peer.sock.close()
        crowd[79].send(b"GET /nothing HTTP/1.1\r\n\r\n")
        equal(crowd[79].response().status, 400, "status for one who had to wait")
        server.terminate()
        for peer in crowd:
            peer.sock.close()


def two_signals():
    """An impatient second SIGTERM changes nothing."""
    with Server(ECHO) as server:
        peer = Peer(server.address)
        server.process.terminate()
        time.sleep(0.05)
        server.process.terminate()
        equal(peer.message()[1][:2], b"\x03\xe9", "close code")
        peer.send(close(1001))
        equal(peer.rest(), b"", "bytes after the Close")
        equal(server.process.wait(3), 0, "exit status")
        peer.sock.close()


def in_turn(server):
    """1,000 small messages one after another: no reply waits for a timer of TCP."""
    with Peer(server.address) as peer:
        start = time.monotonic()
        for number in range(1000):
            peer.send(text(str(number)))
            peer.wants(TEXT, str(number).encode())
        took = time.monotonic() - start
    expect(took < 3, f"{took:.1f} s for 1,000 round trips")
    return f"{took:.3f} ms each"


def second_server_on_port():
    """A port that is taken: an error with a text, not a silent server."""
    with Server(ECHO) as server:
        path = os.path.join(BUILD, "examples", ECHO)
        done = subprocess.run([path, "--host", "127.0.0.1", "--port", str(server.port)], timeout=5,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        expect(done.returncode > 0, f"status {done.returncode}")
        expect(done.stderr, "nothing on stderr")


def run(suite, server):
    suite.check("1,000 round trips", in_turn, server)
    suite.check("100,000 pings", ping_flood, server, limit=40)
    suite.check("100,000 pings, unread", deaf_ping_flood, server, limit=40)
    suite.check("stalled peer: large messages", stalled, server,
                frame(BINARY, bytes(MIB - 14), key=b"\0" * 4), 300 * MIB, limit=60)
    suite.check("stalled peer: small messages", stalled, server,
                text("twelve bytes", key=b"\0" * 4) * (MIB // 18), 300 * MIB, limit=60)
    suite.check("stalled peer: pings", stalled, server, frame(PING, bytes(26)) * (MIB // 32), 300 * MIB,
                limit=60)
    suite.check("a stalled peer reads again", stalled_reads_again, server, limit=30)
    suite.check("1,000,000 empty fragments", empty_fragments, server, limit=40)
    suite.check("256 KiB in packets of 7 bytes", tiny_reads, server, limit=30)
    suite.check("200 announced messages of 16 MiB", announced_only, server, limit=30)
    suite.check("3,000 connections in a row", churn, server, limit=40)


def run_programs(suite):
    suite.check("--max-message 1000", max_message_option)
    suite.check("--ping-interval and --idle-timeout", heartbeat)
    for options in (("--no-such-option",), ("--port", "65536"), ("--port", "x"),
                    ("--port",), ("--max-message", "many"), ("--ping-interval", "-1")):
        suite.check(f"refuses {' '.join(options)}", refuses_option, *options)
    suite.check("a port that is taken", second_server_on_port)
    for program in (ECHO, "demo_server"):
        suite.check(f"{program} with 40 descriptors and 81 peers", out_of_descriptors, program)
    suite.check("SIGTERM twice", two_signals)
    suite.check("SIGTERM: 1001 to everyone", sigterm_says_going_away, limit=20)
    suite.check("SIGTERM: queued messages arrive", sigterm_loses_nothing, limit=30)
    suite.check("SIGTERM: echoes before the Close", sigterm_between_messages, limit=20)
