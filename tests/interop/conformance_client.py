# SPDX-License-Identifier: MIT
"""ws_echo_client and ws_cat against servers that say anything: the handshake, frames, closing.

    BUILD=build python3 tests/interop/conformance_client.py"""

import subprocess
import time

import strict
from deflate import EXTENSION, terms
from guest import Client, Listener, reply
from harness import Failure, Suite, equal, expect, shorten
from wire import BINARY, CONT, PING, PONG, SERVER, TEXT, Reading

PROGRAMS = ("ws_echo_client", "ws_cat")
DEFLATE = "permessage-deflate"
OK, FAIL = True, False
MIB = 1 << 20


def status(line, **options):
    return lambda key: reply(key, line=f"HTTP/1.1 {line}", **options)


def changed(**options):
    return lambda key: reply(key, **options)


def raw(old, new):
    """The right answer with some bytes replaced."""
    def make(key):
        plain = reply(key)
        expect(plain.count(old) == 1, "the row replaces nothing")
        return plain.replace(old, new)
    return make


def flip_case(key):
    """The right value of Sec-WebSocket-Accept in the wrong case."""
    head, field, rest = reply(key).partition(b"Accept: ")
    return head + field + rest.swapcase()


def extension(*values):
    return changed(add=[f"{EXTENSION}: {value}" for value in values])


# Each row: name, the answer for a key, whether the connection is open then. Each keeps or breaks one rule of
# RFC 6455 4.1, RFC 9110 or RFC 9112.
ANSWERS = [
    ("as it should be", changed(), OK),
    *[(f"{line}, all else in order", status(line), FAIL) for line in (
        "200 OK", "204 No Content", "301 Moved Permanently", "302 Found", "400 Bad Request", "403 Forbidden",
        "404 Not Found", "426 Upgrade Required", "500 Oops", "503 Service Unavailable")],
    ("200 with a body", status("200 OK", drop=["upgrade", "accept"], add=["Content-Length: 4"]), FAIL),
    ("200 that never ends", status("200 OK", drop=["upgrade", "connection", "accept"]), FAIL),
    ("301 with Location", status("301 Moved", drop=["upgrade", "accept"], add=["Location: /else"]), FAIL),
    ("401", status("401 Unauthorized", drop=["upgrade", "accept"],
                   add=['WWW-Authenticate: Basic realm="a"', "Content-Length: 0"]), FAIL),
    ("404 chunked", lambda key: b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n", FAIL),
    ("426 with versions", status("426 Upgrade Required", add=["Sec-WebSocket-Version: 14"]), FAIL),
    ("503 with Retry-After", status("503 Busy", drop=["upgrade", "accept"], add=["Retry-After: 1"]), FAIL),
    ("100, then 101", lambda key: b"HTTP/1.1 100 Continue\r\n\r\n" + reply(key), OK),
    ("103 with fields, then 101",
     lambda key: b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nUpgrade: no\r\n\r\n" + reply(key), OK),
    ("100, then 404", lambda key: b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n", FAIL),
    ("interim answers without end", lambda key: b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, FAIL),
    ("no reason phrase", changed(line="HTTP/1.1 101 "), OK),
    ("HTTP/1.0", changed(line="HTTP/1.0 101 Switching Protocols"), FAIL),
    ("HTTP/2.0", changed(line="HTTP/2.0 101 Switching Protocols"), FAIL),
    ("status 1O1", changed(line="HTTP/1.1 1O1 Switching Protocols"), FAIL),
    ("status 0101", changed(line="HTTP/1.1 0101 Switching Protocols"), FAIL),
    ("not HTTP", lambda key: b"SSH-2.0-OpenSSH_9\r\n\r\n", FAIL),
    ("a TLS alert", lambda key: b"\x15\x03\x01\x00\x02\x02\x46", FAIL),
    ("frames without a head", lambda key: SERVER.text("hello") * 20, FAIL),
    ("no Upgrade", changed(drop=["upgrade"]), FAIL),
    ("Upgrade: h2c", changed(upgrade="h2c"), FAIL),
    ("Upgrade: websocket, h2c", changed(upgrade="websocket, h2c"), FAIL),
    ("Upgrade: WebSocket", changed(upgrade="WebSocket"), OK),
    ("two Upgrades", changed(upgrade=["websocket", "websocket"]), FAIL),
    ("no Connection", changed(drop=["connection"]), FAIL),
    ("Connection: close", changed(connection="close"), FAIL),
    ("Connection: keep-alive, UPGRADE", changed(connection="keep-alive, UPGRADE"), OK),
    ("Connection: upgraded", changed(connection="upgraded"), FAIL),
    ("no Accept", changed(drop=["accept"]), FAIL),
    ("Accept empty", changed(accept=""), FAIL),
    ("Accept of another key", changed(accept="s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), FAIL),
    ("Accept in the wrong case", flip_case, FAIL),
    ("Accept cut short", raw(b"=\r\n\r\n", b"\r\n\r\n"), FAIL),
    ("Accept twice", changed(accept=["{accept}", "{accept}"]), FAIL),
    ("Accept as a list", changed(accept="{accept}, {accept}"), FAIL),
    ("Accept with white space around", changed(accept=" \t{accept}\t "), OK),
    ("the key for Accept", lambda key: reply(key, accept=key), FAIL),
    ("a subprotocol unasked", changed(add=["Sec-WebSocket-Protocol: chat"]), FAIL),
    ("two subprotocols", changed(add=["Sec-WebSocket-Protocol: a, b"]), FAIL),
    ("an extension unasked", extension("x-webkit-deflate-frame"), FAIL),
    ("a malformed extension", extension("permessage-deflate;"), FAIL),
    ("Content-Length on the 101", changed(add=["Content-Length: 5"]), OK),
    ("Transfer-Encoding on the 101", changed(add=["Transfer-Encoding: chunked"]), OK),
    ("unknown fields", changed(add=["Server: x", "Set-Cookie: a=b", "Date: now", "X-Empty:"]), OK),
    ("names in lower case", lambda key: reply(key).replace(b"Upgrade: w", b"upgrade: w").replace(
        b"Sec-WebSocket-Accept", b"sec-websocket-accept"), OK),
    ("LF alone", lambda key: reply(key).replace(b"\r\n", b"\n"), FAIL),
    ("a folded line", changed(add=["X-A: b", " c"]), FAIL),
    ("a space before the colon", raw(b"Upgrade: w", b"Upgrade : w"), FAIL),
    ("NUL in a value", changed(add=["X-A: b\0c"]), FAIL),
    ("a field without colon", changed(add=["X-A"]), FAIL),
    ("a head of 1 MiB", changed(add=["X-A: " + "a" * MIB]), FAIL),
    ("20,000 fields", changed(add=["X-A: b"] * 20000), FAIL),
]

# Answers to an offer of permessage-deflate; what is accepted has to work.
AGREED = [
    (DEFLATE, OK),
    (DEFLATE.upper(), OK),
    *[(f"{DEFLATE}; {params}", OK) for params in (
        "server_no_context_takeover", "client_no_context_takeover",
        "server_no_context_takeover; client_no_context_takeover", "server_max_window_bits=15",
        "server_max_window_bits=9", "server_max_window_bits=8", 'server_max_window_bits="10"')],
    *[(f"{DEFLATE}; {params}", FAIL) for params in (
        "server_max_window_bits", "server_max_window_bits=7", "server_max_window_bits=16",
        "server_max_window_bits=0", "server_max_window_bits=99999999999", "server_max_window_bits=08",
        "server_max_window_bits=x", "server_max_window_bits=-9", 'server_max_window_bits=""',
        "server_max_window_bits=9; server_max_window_bits=9", "client_max_window_bits",
        "client_max_window_bits=7", "client_max_window_bits=16", "client_max_window_bits=x",
        "server_no_context_takeover=1", "client_no_context_takeover; client_no_context_takeover",
        "foo", "foo=bar")],
    (f"{DEFLATE}, {DEFLATE}", FAIL),
    (f"{DEFLATE}, x-other", FAIL),
    (f"x-other, {DEFLATE}", FAIL),
    ("x-other", FAIL),
    (f"{DEFLATE};", FAIL),
    (f'{DEFLATE}; a="', FAIL),
]


def works(guest, program, client):
    """The connection is open: a message, a Close, and the end with 0."""
    guest.send(SERVER.text("works"))
    if program == "ws_echo_client":
        guest.wants(TEXT, b"works", "echo")
    guest.send(SERVER.close(1000))
    guest.closed(1000, ended=False)
    guest.sock.close()
    client.ends(0)
    if program == "ws_cat":
        equal(client.stdout(), b"works\n", "stdout")


def start(listener, program, *options, path="/"):
    """A client whose stdin stays open."""
    return Client(program, *options, listener.url(path), stdin=subprocess.PIPE)


def answer(listener, program, make, good, cut=None):
    """A wrong answer: one line on stderr and status 1, though the server holds the connection."""
    with start(listener, program) as client, listener.accept() as guest:
        guest.request()
        equal(guest.offers, [], EXTENSION)
        data = make(guest.key)
        refusable_send(guest, data, cut or len(data))
        if good:
            works(guest, program, client)
        else:
            client.ends(1)
            equal(client.stdout(), b"", "stdout")


def refusable_send(guest, data, size):
    """The client may hang up before it has read everything."""
    try:
        guest.send_cut(data, size)
    except Failure:
        pass


def both(listener, call, *args):
    for program in PROGRAMS:
        try:
            call(listener, program, *args)
        except Failure as error:
            raise Failure(f"{program}: {error}") from None


def every_answer_cut(listener, program):
    """Each short answer again, a byte a packet."""
    for name, make, good in ANSWERS:
        if len(make("x")) < 1000:
            try:
                answer(listener, program, make, good, 1)
            except Failure as error:
                raise Failure(f"{name}: {error}") from None


def agreed(listener, program, value, good):
    with start(listener, program, "--deflate") as client, listener.accept() as guest:
        guest.request()
        equal(len(guest.offers), 1, "offers")
        expect(terms(guest.offers[0].split(",")[0]) is not None, "offer")
        guest.send(reply(guest.key, add=[f"{EXTENSION}: {value}"]))
        if good:
            works(guest, program, client)
        else:
            client.ends(1)


def window_of_ours(listener):
    """A client that was limited by client_max_window_bits looks back no farther, at 8 bits too."""
    for bits in range(8, 16):
        with start(listener, "ws_echo_client", "--deflate") as client, listener.accept() as guest:
            guest.open(f"{DEFLATE}; client_max_window_bits={bits}", strict=True)
            for size in (200, 700, 1500, 3000, 6000, 12000, 24000):
                data = strict.noise(size) * 2
                guest.send(SERVER.frame(BINARY, guest.packer(data), rsv=4))
                guest.wants(BINARY, data, f"echo of {size} bytes twice at {bits} bits")
                expect(guest.packed or bits == 8, "a long echo came uncompressed")
            guest.send(SERVER.close(1000))
            guest.closed(1000, ended=False)
            guest.sock.close()
            client.ends(0)


def eof_everywhere(listener, program):
    """The server goes away behind each byte of its answer, and inside frames."""
    for at in range(len(reply("x" * 24))):
        with start(listener, program) as client, listener.accept() as guest:
            guest.request()
            guest.send(reply(guest.key)[:at])
            guest.sock.close()
            client.ends(1)
    for data in (b"", SERVER.text("abc")[:3], SERVER.text("abc", fin=False), SERVER.close(1000)[:3],
                 SERVER.frame(PING, b"a")):
        with start(listener, program) as client, listener.accept() as guest:
            guest.open()
            guest.send(data)
            guest.end_writing()
            client.ends(1)


def reset(listener, program):
    for opened in (False, True):
        with start(listener, program) as client, listener.accept() as guest:
            if opened:
                guest.open()
            else:
                guest.request()
            guest.reset()
            client.ends(1)


def behind_the_head(listener, program):
    """Frames in the packet of the answer, cut at every byte, and a Close there."""
    whole = reply("x" * 24) + SERVER.text("one") + SERVER.frame(PING, b"p") + SERVER.text("two")
    for cut in [None, *range(len(whole) - 25, len(whole), 2)]:
        with start(listener, program) as client, listener.accept() as guest:
            guest.request()
            data = reply(guest.key) + whole[len(reply("x" * 24)):] + SERVER.close(1000)
            guest.send(data[:cut])
            if cut:
                guest.send(data[cut:])
            wanted = [(TEXT, b"one"), (PONG, b"p"), (TEXT, b"two")]
            for frame in wanted if program == "ws_echo_client" else wanted[1:2]:
                guest.wants(*frame)
            guest.closed(1000, ended=False)
            guest.sock.close()
            client.ends(0)


def masks(listener):
    """Every frame has a key of its own, none of them zero, all bits used."""
    count = 2000
    with start(listener, "ws_echo_client") as client, listener.accept() as guest:
        guest.open()
        guest.send((SERVER.text("a") + SERVER.frame(PING, b"b")) * count)
        for _ in range(count):
            guest.wants(TEXT, b"a")
            guest.wants(PONG, b"b")
        guest.send(SERVER.close(1000))
        guest.closed(1000, ended=False)
        guest.sock.close()
        client.ends(0)
    expect(len(guest.keys) == 2 * count + 1, f"{len(guest.keys)} keys")
    same = len(guest.keys) - len(set(guest.keys))
    expect(same <= 1, f"{same} keys came again")
    expect(b"\0\0\0\0" not in guest.keys, "a key of zero")
    for bit in range(32):
        ones = sum(int.from_bytes(key, "big") >> bit & 1 for key in guest.keys)
        expect(0.4 < ones / len(guest.keys) < 0.6, f"bit {bit} is set in {ones} keys")


def vector(listener, program, vectors, answer_value=None):
    """All of a list, whole and cut at each byte."""
    options = ["--deflate"] if answer_value else []
    wrong = []
    for row in vectors:
        for cut in (None, 1):
            with start(listener, program, *options) as client, listener.accept() as guest:
                try:
                    guest.open(answer_value)
                    if cut and len(row.build(SERVER)) > 1000:
                        continue
                    strict.judge(guest, row, cut, echoes=program == "ws_echo_client")
                    guest.sock.close()
                    clean = row.good and row.code in (1000, 1001)
                    if program == "ws_cat" or clean or not row.good:
                        client.ends(0 if clean else 1)
                    client.wait()
                    if program == "ws_cat":
                        equal(client.stdout(), b"before\n", "stdout")
                except Failure as error:
                    wrong.append(f"{row.name}: {error}")
    expect(not wrong, f"{len(wrong)} of {len(vectors)}: " + "; ".join(wrong[:5]))
    return f"{len(vectors)} of {len(vectors)}"


def fragments_and_pings(listener):
    with start(listener, "ws_echo_client") as client, listener.accept() as guest:
        guest.open()
        word = "你好🎉".encode()
        for at, byte in enumerate(word):
            guest.send(SERVER.frame(CONT if at else TEXT, bytes([byte]), fin=at == len(word) - 1))
            if at < len(word) - 1:
                guest.send(SERVER.frame(PING, bytes([at])))
        for at in range(len(word) - 1):
            guest.wants(PONG, bytes([at]))
        guest.wants(TEXT, word)
        guest.send(SERVER.frame(PONG, b"unasked") + SERVER.close(1001))
        guest.closed(1001, ended=False)
        guest.sock.close()
        client.ends(0)


def after_close(listener):
    """Nothing is answered behind the Close."""
    with start(listener, "ws_echo_client") as client, listener.accept() as guest:
        guest.open()
        guest.send(SERVER.close(1000) + SERVER.text("late") + SERVER.frame(PING, b"late") + b"\xff" * 1000)
        guest.closed(1000, ended=False)
        guest.end_writing()
        equal(guest.rest(), b"", "bytes after the Close")
        client.ends(0)


def slow_reader(listener):
    """A server that sends 64 MiB and does not read at first: the echo client holds back, loses nothing."""
    count, size = 1024, 65536
    with start(listener, "ws_echo_client") as client, listener.accept(20) as guest:
        guest.open()
        data = bytes(size)

        def flood():
            for number in range(count):
                guest.send(SERVER.frame(BINARY, number.to_bytes(4, "big") + data[4:]))
        sender = Reading(flood)
        sender.thread.join(1)
        with open(f"/proc/{client.process.pid}/status", encoding="ascii") as file:
            peak = int([line for line in file if line.startswith("VmHWM")][0].split()[1])
        for number in range(count):
            opcode, got = guest.message()
            equal((opcode, len(got), int.from_bytes(got[:4], "big")), (BINARY, size, number), "message")
        sender.result()
        guest.send(SERVER.close(1000))
        guest.closed(1000, ended=False)
        guest.sock.close()
        client.ends(0)
        expect(peak < 48 * 1024, f"{peak} KiB of memory")
        return f"at most {peak >> 10} MiB of memory"


class Stubborn:
    """Servers that keep TCP open when a client should leave. They wait while the other checks run."""

    CASES = {
        "never answers": (lambda guest: guest.request(), None, 1, 15),
        "keeps TCP open after its Close": (lambda guest: guest.send(SERVER.close(1000)), 1000, None, 8),
        "keeps TCP open after its fault": (lambda guest: guest.send(SERVER.frame(3)), 1002, 1, 8),
    }

    def __init__(self, listener):
        self.running = []
        for name, (act, code, status_, seconds) in self.CASES.items():
            for program in PROGRAMS:
                client, guest = start(listener, program), None
                guest = listener.accept()
                if code:
                    guest.open()
                act(guest)
                self.running.append((name, program, client, guest, code, status_, time.monotonic() + seconds))

    def left(self, wanted):
        for name, program, client, guest, code, status_, until in self.running:
            if name != wanted:
                continue
            with client, guest:
                try:
                    if code:
                        guest.fails(code, ended=False)
                    left = max(0.1, until - time.monotonic())
                    if status_ is None:
                        client.wait(left)
                    else:
                        client.ends(status_, left)
                except Failure as error:
                    raise Failure(f"{program}: {error}") from None


def main():
    suite, listener = Suite("client"), Listener()
    stubborn = Stubborn(listener)
    for name, make, good in ANSWERS:
        suite.check(f"answer: {name}", both, listener, answer, make, good)
    suite.check("every answer byte by byte", both, listener, every_answer_cut, limit=30)
    for value, good in AGREED:
        suite.check(f"answer to the offer: {shorten(value)}", both, listener, agreed, value, good)
    suite.check("the window that the client was given", window_of_ours, listener)
    suite.check("end of the stream at every byte", both, listener, eof_everywhere, limit=30)
    suite.check("reset", both, listener, reset)
    suite.check("frames right behind the head", both, listener, behind_the_head)
    suite.check("masking keys", masks, listener)
    for program in PROGRAMS:
        suite.check(f"{program}: the strictness matrix", vector, listener, program, strict.VECTORS, limit=30)
        suite.check(f"{program}: more vectors", vector, listener, program, strict.MORE, limit=30)
        suite.check(f"{program}: vectors with compression", vector, listener, program,
                    strict.PACKED + strict.VECTORS[1:], DEFLATE, limit=30)
    suite.check("pings inside a character", fragments_and_pings, listener)
    suite.check("nothing behind the Close", after_close, listener)
    suite.check("a server that does not read", slow_reader, listener, limit=40)
    for name in stubborn.CASES:
        suite.check(f"a server that {name}", stubborn.left, name, limit=20)
    suite.finish()


if __name__ == "__main__":
    main()
