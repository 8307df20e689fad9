# SPDX-License-Identifier: MIT
"""The opening handshake through the real server: RFC 6455 4.2, RFC 9110, RFC 9112."""

import base64
import os
import socket
import threading
import time

from harness import Failure, equal, expect
from wire import ACCEPT, BINARY, KEY, TEXT, Peer, Reset, accept_for, frame, request, text

MIB = 1 << 20
HIXIE = (b"GET /demo HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\n"
         b"Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\nUpgrade: WebSocket\r\n"
         b"Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nOrigin: http://example.com\r\n\r\n")


def many_fields(count):
    """A request of `count` fields in all."""
    return request(add=[f"X-{at}: a" for at in range(count - 5)])


def sized(total):
    """A request whose head has `total` bytes."""
    room = total - len(request(add=["X-Pad: "]))
    lines = []
    while room > 1000:
        lines.append("X-Pad: " + "p" * 991)
        room -= 1000
    return request(add=lines + ["X-Pad: " + "p" * room])


def raw(old, new):
    """The plain request with some bytes replaced."""
    plain = request()
    expect(plain.count(old) == 1, "the vector replaces nothing")
    return plain.replace(old, new)


# Each row: name, request, the status or statuses that are right.
CASES = [
    ("H1 the RFC's sample", request(), 101),
    ("H2 POST", request("POST /chat HTTP/1.1"), 405),
    ("H2 POST with Content-Length 0", request("POST / HTTP/1.1", add=["Content-Length: 0"]), 405),
    ("H2 HEAD", request("HEAD /chat HTTP/1.1"), 405),
    ("H2 lower-case get", request("get /chat HTTP/1.1"), 405),
    ("H2 PUT", request("PUT /chat HTTP/1.1"), 405),
    ("H2 unknown method", request("BREW /chat HTTP/1.1"), 405),
    ("H2 method is no token", request("G@T /chat HTTP/1.1"), 400),
    ("H3 HTTP/1.0", request("GET /chat HTTP/1.0"), (400, 505)),
    ("H3 HTTP/2.0", request("GET /chat HTTP/2.0"), 505),
    ("H3 HTTP/1.2", request("GET /chat HTTP/1.2"), 101),
    ("H3 HTTP/0.9", request("GET /chat HTTP/0.9"), (400, 505)),
    ("H3 http/1.1 in lower case", request("GET /chat http/1.1"), 400),
    ("H3 HTTP/1.10", request("GET /chat HTTP/1.10"), 400),
    ("H3 HTTP/11", request("GET /chat HTTP/11"), 400),
    ("H3 HTTP/1.", request("GET /chat HTTP/1."), 400),
    ("H3 no version", request("GET /chat"), 400),
    ("H3 space behind the version", request("GET /chat HTTP/1.1 "), 400),
    ("H4 no Host", request(drop=["host"]), 400),
    ("H4 two Hosts", request(host=["a.example", "b.example"]), 400),
    ("H4 two equal Hosts", request(host=["a.example", "a.example"]), 400),
    ("H4 empty Host", request(host=""), 400),
    ("H4 Host with userinfo", request(host="user@a.example"), 400),
    ("H4 Host with a path", request(host="a.example/x"), 400),
    ("H4 Host with a space", request(host="a b"), 400),
    ("H4 Host of 8-bit bytes", request(host="\xe4.example"), 400),
    ("H4 Host [::", request(host="[::"), 400),
    ("H4 Host with a letter in the port", request(host="a.example:8o"), 400),
    ("H4 Host with a list", request(host="a.example, b.example"), 400),
    ("H4 Host [::1]:8080", request(host="[::1]:8080"), 101),
    ("H4 Host with a port", request(host="127.0.0.1:65535"), 101),
    ("H5 Upgrade: WebSocket", request(upgrade="WebSocket"), 101),
    ("H5 Upgrade: WEBSOCKET", request(upgrade="WEBSOCKET"), 101),
    ("H5 Upgrade: h2c, websocket", request(upgrade="h2c, websocket"), 101),
    ("H5 Upgrade on two lines", request(upgrade=["h2c", "websocket"]), 101),
    ("H5 Upgrade: websocket/13", request(upgrade="websocket/13"), 426),
    ("H6 Upgrade: websockets", request(upgrade="websockets"), 426),
    ("H6 Upgrade: xwebsocket", request(upgrade="xwebsocket"), 426),
    ("H6 Upgrade empty", request(upgrade=""), 426),
    ("H6 no Upgrade", request(drop=["upgrade"]), 426),
    ("H6 Upgrade: web socket", request(upgrade="web socket"), 426),
    ("H6 a plain GET", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 426),
    ("H7 Connection: keep-alive, Upgrade", request(connection="keep-alive, Upgrade"), 101),
    ("H7 Connection: upgrade", request(connection="upgrade"), 101),
    ("H7 Connection on two lines", request(connection=["keep-alive", "Upgrade"]), 101),
    ("H7 Connection: ,Upgrade,", request(connection=",Upgrade,"), 101),
    ("H7 Connection: notupgrade", request(connection="notupgrade"), 400),
    ("H7 Connection: keep-alive", request(connection="keep-alive"), 400),
    ("H7 no Connection", request(drop=["connection"]), 400),
    ("H8 key of 15 bytes", request(key="AAAAAAAAAAAAAAAAAAAA"), 400),
    ("H8 key of 17 bytes", request(key="AAAAAAAAAAAAAAAAAAAAAAA="), 400),
    ("H8 key without padding", request(key=KEY[:-2]), 400),
    ("H8 key with half its padding", request(key=KEY[:-1]), 400),
    ("H8 key with a space inside", request(key=KEY[:10] + " " + KEY[10:]), 400),
    ("H8 key with a space for a letter", request(key=KEY[:10] + " " + KEY[11:]), 400),
    ("H8 key in the URL alphabet", request(key="-_" + KEY[2:]), 400),
    ("H8 key with text behind it", request(key=KEY + "AAAA"), 400),
    ("H8 padding inside the key", request(key="AAAA==" + KEY[6:]), 400),
    ("H8 key empty", request(key=""), 400),
    ("H8 no key", request(drop=["key"]), 400),
    ("H8 two keys", request(key=[KEY, "AAAAAAAAAAAAAAAAAAAAAA=="]), 400),
    ("H8 two equal keys", request(key=[KEY, KEY]), 400),
    ("H9 white space around the key", request(key=f" \t{KEY}\t "), 101),
    ("H9 no white space before values", raw(b"Key: ", b"Key:"), 101),
    ("H10 version 12", request(version="12"), 426),
    ("H10 version 14", request(version="14"), 426),
    ("H10 version 8", request(version="8"), 426),
    ("H10 version 0", request(version="0"), 426),
    ("H10 version 256", request(version="256"), 426),
    ("H10 version 777", request(version="777"), 426),
    ("H10 version of 20 digits", request(version="9" * 20), (400, 426)),
    ("H10 version 013", request(version="013"), 400),
    ("H10 version 13,8", request(version="13,8"), 400),
    ("H10 version 13, 13", request(version="13, 13"), 400),
    ("H10 version 13 8", request(version="13 8"), 400),
    ("H10 version empty", request(version=""), 400),
    ("H10 version -13", request(version="-13"), 400),
    ("H10 version +13", request(version="+13"), 400),
    ("H10 version 13.0", request(version="13.0"), 400),
    ("H10 version 0x0d", request(version="0x0d"), 400),
    ("H10 version thirteen", request(version="thirteen"), 400),
    ("H10 no version", request(drop=["version"]), 426),
    ("H10 two equal versions", request(version=["13", "13"]), 400),
    ("H10 two versions", request(version=["13", "8"]), 400),
    ("H10 white space around the version", request(version="\t13 "), 101),
    ("H11 Content-Length: 0", request(add=["Content-Length: 0"]), 101),
    ("H11 Content-Length: 5", request(add=["Content-Length: 5"]) + b"hello", 400),
    ("H11 Content-Length: 5 without body", request(add=["Content-Length: 5"]), 400),
    ("H11 Content-Length: -1", request(add=["Content-Length: -1"]), 400),
    ("H11 Content-Length: +0", request(add=["Content-Length: +0"]), 400),
    ("H11 Content-Length of 30 digits", request(add=["Content-Length: " + "9" * 30]), 400),
    ("H11 two Content-Lengths", request(add=["Content-Length: 0", "Content-Length: 5"]), 400),
    ("H11 chunked", request(add=["Transfer-Encoding: chunked"]) + b"0\r\n\r\n", 400),
    ("H11 unknown coding", request(add=["Transfer-Encoding: x"]), (400, 501)),
    ("H11 both", request(add=["Content-Length: 5", "Transfer-Encoding: chunked"]), 400),
    ("H12 folded line", request(add=["X-A: b", " c"]), 400),
    ("H12 folded line with a tab", request(add=["X-A: b", "\tc"]), 400),
    ("H12 white space before the first field", raw(b"1.1\r\nHost", b"1.1\r\n Host"), 400),
    ("H12 NUL in a value", request(add=["X-A: b\0c"]), 400),
    ("H12 NUL in a name", request(add=["X\0A: b"]), 400),
    ("H12 control byte in a value", request(add=["X-A: b\x01c"]), 400),
    ("H12 DEL in a value", request(add=["X-A: b\x7fc"]), 400),
    ("H12 CR alone in a value", request(add=["X-A: b\rc"]), 400),
    ("H12 LF alone ends a line", request(add=["X-A: b\nX-B: c"]), 400),
    ("H12 LF alone ends the request line", raw(b"1.1\r\nHost", b"1.1\nHost"), 400),
    ("H12 LF alone ends the head", request()[:-2] + b"\n", 400),
    ("H12 LF LF ends the head", request()[:-4] + b"\n\n", 400),
    ("H12 CR alone ends the head", request()[:-2] + b"\rx", 400),
    ("H12 name with a space", request(add=["X A: b"]), 400),
    ("H12 space before the colon", request(add=["X-A : b"]), 400),
    ("H12 tab before the colon", request(add=["X-A\t: b"]), 400),
    ("H12 8-bit byte in a name", request(add=["X-\xe4: b"]), 400),
    ("H12 empty name", request(add=[": b"]), 400),
    ("H12 no colon", request(add=["X-A"]), 400),
    ("H12 8-bit bytes in a value", request(add=["X-A: \xe4\xb8\xad\xff"]), 101),
    ("H12 tab in a value", request(add=["X-A: b\tc"]), 101),
    ("H12 empty value", request(add=["X-A:"]), 101),
    ("H12 every token character in a name", request(add=["!#$%&'*+-.^_`|~09azAZ: b"]), 101),
    ("H12 two spaces in the request line", request("GET  /chat HTTP/1.1"), 400),
    ("H12 tab in the request line", request("GET\t/chat HTTP/1.1"), 400),
    ("H12 space before the method", request(" GET /chat HTTP/1.1"), 400),
    ("H12 empty line before the request", b"\r\n" + request(), 101),
    ("H12 NUL first", b"\0" + request(), 400),
    ("H12 a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", 400),
    ("H12 an HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
    ("H13 head of 4 KiB", sized(4096), 101),
    ("H13 40 fields", many_fields(40), 101),
    ("H13 head of 65 KiB", sized(65 * 1024), 431),
    ("H13 head of 1 MiB", sized(MIB), 431),
    ("H13 20,000 fields", many_fields(20000), 431),
    ("H13 one field of 1 MiB", request(add=["X-A: " + "a" * MIB]), 431),
    ("H13 a name of 1 MiB", request(add=["a" * MIB + ": b"]), 431),
    ("H13 target of 1 MiB", request("GET /" + "a" * MIB + " HTTP/1.1"), 414),
    ("H13 method of 1 MiB", request("G" * MIB + " / HTTP/1.1"), (400, 405, 414, 431, 501)),
    ("H14 protocols a, b", request(add=["Sec-WebSocket-Protocol: a, b"]), 101),
    ("H14 protocols on two lines",
     request(add=["Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"]), 101),
    ("H14 protocols a,,b", request(add=["Sec-WebSocket-Protocol: a,,b"]), (101, 400)),
    ("H14 protocols a a", request(add=["Sec-WebSocket-Protocol: a a"]), 400),
    ("H14 a quoted protocol", request(add=['Sec-WebSocket-Protocol: "a"']), 400),
    ("H14 the same protocol twice", request(add=["Sec-WebSocket-Protocol: a, a"]), 400),
    ("H14 the same protocol on two lines",
     request(add=["Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: a"]), 400),
    ("H14 no protocol named", request(add=["Sec-WebSocket-Protocol:"]), (101, 400)),
    ("H14 extension offered",
     request(add=["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]), 101),
    ("H14 malformed extension", request(add=['Sec-WebSocket-Extensions: a; b="']), (101, 400)),
    ("H15 refused with frames behind", request(version="7") + text("x") * 1000, 426),
    ("H16 another Origin", request(add=["Origin: http://other.example"]), 101),
    ("H16 Origin null", request(add=["Origin: null"]), 101),
    ("H16 the Origin of a file", request(add=["Origin: file://"]), 101),
    ("H17 absolute target", request("GET http://server.example.com/chat?a=b HTTP/1.1"), 101),
    ("H17 target *", request("GET * HTTP/1.1"), 400),
    ("H17 authority target", request("GET server.example.com:80 HTTP/1.1"), 400),
    ("H17 target without slash", request("GET chat HTTP/1.1"), 400),
    ("H17 empty target", request("GET  HTTP/1.1"), 400),
    ("H17 target with DEL", request("GET /a\x7fb HTTP/1.1"), 400),
    ("H17 target with a control byte", request("GET /a\x01b HTTP/1.1"), 400),
    ("H17 target with a space", request("GET /a b HTTP/1.1"), 400),
    ("H17 target with a fragment", request("GET /a#f HTTP/1.1"), 400),
    ("H17 target with an 8-bit byte", request("GET /\xe4 HTTP/1.1"), 400),
    ("H17 target with query and percent signs", request("GET /a%20b/../c?d=e&f=%00 HTTP/1.1"), 101),
    ("H18 Hixie-76 without its 8 bytes", HIXIE, 426),
    ("H18 Hixie-76 with its 8 bytes", HIXIE + b"^n:ds[4U", 426),
]


def handshake(server, head, wanted):
    """Sends a request, checks the reply with all the fields that its status demands."""
    wanted = (wanted,) if isinstance(wanted, int) else wanted
    with Peer(server.address, opened=False) as peer:
        try:
            peer.send(head)
        except Reset:
            pass  # the reply decides; it must have survived
        reply = peer.response()
        expect(reply.status in wanted, f"status {reply.status}, wanted {wanted}")
        if reply.status == 101:
            accepted(reply)
            peer.send(text("open"))
            peer.wants(TEXT, b"open")
        else:
            refused(peer, reply, head.startswith(b"HEAD"))


def accepted(reply, key=KEY):
    equal(reply.one("Upgrade").lower(), "websocket", "Upgrade")
    equal(reply.tokens("Connection"), ["upgrade"], "Connection")
    equal(reply.one("Sec-WebSocket-Accept"), accept_for(key), "Sec-WebSocket-Accept")
    for name in ("Content-Length", "Transfer-Encoding", "Sec-WebSocket-Extensions",
                 "Sec-WebSocket-Protocol"):
        expect(not reply.all(name), f"{name} in the 101")


def refused(peer, reply, head_only=False):
    expect("close" in reply.tokens("Connection"), f"{reply.status} without Connection: close")
    expect(not reply.all("Sec-WebSocket-Accept"), "a refusal with Sec-WebSocket-Accept")
    if reply.status == 405:
        expect("get" in reply.tokens("Allow"), "405 without Allow: GET")
    if reply.status == 426:
        equal(reply.one("Sec-WebSocket-Version"), "13", "Sec-WebSocket-Version")
        expect("websocket" in reply.tokens("Upgrade"), "426 without Upgrade: websocket")
        expect("upgrade" in reply.tokens("Connection"), "Upgrade is not listed in Connection")
    length = int(reply.one("Content-Length"))
    body = peer.rest()
    equal(len(body), 0 if head_only else length, "bytes of the body")


def accept_of_odd_key(server):
    """Stray low bits in the key's last character: no byte depends on them; the text is hashed."""
    key = KEY[:-3] + "R=="
    with Peer(server.address, opened=False) as peer:
        peer.send(request(key=key))
        accepted(peer.response(), key)


def random_keys(server):
    for _ in range(100):
        key = base64.b64encode(os.urandom(16)).decode()
        with Peer(server.address, opened=False) as peer:
            peer.send(request(key=key))
            accepted(peer.response(), key)


WORDS = "Hällo 你好 🎉"
STREAM = request() + text(WORDS) + frame(BINARY, bytes(range(200)))


def echoed(peer):
    accepted(peer.response())
    peer.wants(TEXT, WORDS.encode())
    peer.wants(BINARY, bytes(range(200)))
    peer.alive()


def byte_by_byte(server):
    with Peer(server.address, opened=False) as peer:
        peer.send_cut(STREAM)
        echoed(peer)


def long_byte_by_byte(server):
    """A head of 4 KiB in 4,096 pieces."""
    with Peer(server.address, opened=False) as peer:
        peer.send_cut(sized(4096))
        accepted(peer.response())
        peer.alive()


def every_cut(server):
    """Handshake and two messages, cut in two at each byte."""
    for cut in range(1, len(STREAM)):
        with Peer(server.address, opened=False) as peer:
            peer.send(STREAM[:cut])
            peer.send(STREAM[cut:])
            try:
                echoed(peer)
            except Failure as error:
                raise Failure(f"cut at {cut}: {error}") from None
    return f"{len(STREAM) - 1} cuts"


def cut_fault(server):
    """A faulty head gives the same status when it arrives byte by byte."""
    for name, head, wanted in CASES:
        if len(head) > 2000:
            continue
        with Peer(server.address, opened=False) as peer:
            try:
                peer.send_cut(head)
            except Reset:
                pass
            status = peer.response().status
            right = (wanted,) if isinstance(wanted, int) else wanted
            expect(status in right, f"{name}: status {status}, wanted {right}")


def early_refusal(server):
    """What can no longer become right is refused before the head is whole."""
    with Peer(server.address, opened=False) as peer:
        peer.send(b"GET /chat HTTP/1.1\r\nHost : a\r\n")
        equal(peer.response().status, 400, "status")


def endless_line(server):
    """A field that never ends is stopped at the limit, not at the end of memory."""
    with Peer(server.address, opened=False) as peer:
        sent = 0
        try:
            peer.send(request()[:-2] + b"X-A: ")
            while sent < 64 * MIB:
                peer.sock.settimeout(0.5)
                peer.send(b"a" * 65536)
                sent += 65536
        except (Reset, socket.timeout):
            pass
        peer.sock.settimeout(5)
        equal(peer.response().status, 431, "status")


def refused_with_unread_input(server, head, status):
    """The reply and an orderly end arrive although 1 MiB of input stood unread behind the fault."""
    with Peer(server.address, opened=False) as peer:
        peer.send(head + b"\0" * MIB)
        time.sleep(0.1)
        reply = peer.response()
        equal(reply.status, status, "status")
        refused(peer, reply)


def eof_at_every_point(server, abrupt):
    """The peer goes away after each byte of a handshake with messages."""
    for cut in range(len(STREAM) + 1):
        peer = Peer(server.address, opened=False)
        peer.send(STREAM[:cut])
        if abrupt:
            peer.reset()
        else:
            peer.sock.close()
    server.all_gone()
    server.idle()
    return f"{len(STREAM) + 1} connections"


def half_close(server):
    """The peer stops writing at some point: what is whole is answered, then the server ends."""
    head_at, text_at = len(request()), len(request() + text(WORDS))
    for cut in range(0, len(STREAM) + 1, 3):
        with Peer(server.address, opened=False) as peer:
            peer.send(STREAM[:cut])
            peer.end_writing()
            peer.rest()
            if cut >= head_at:
                accepted(peer.response())
            if cut >= text_at:
                peer.wants(TEXT, WORDS.encode())
    server.all_gone()


def same_connection_refused_twice(server):
    """After a refusal nothing behind it is interpreted."""
    with Peer(server.address, opened=False) as peer:
        peer.send(request(version="12") + request())
        equal(peer.response().status, 426, "status")
        expect(b"HTTP/1.1" not in peer.rest(), "a second reply")


def pipelined(server):
    with Peer(server.address, opened=False) as peer:
        peer.send(request() + text("one") + text("two") + frame(9, b"ping") + text("three"))
        accepted(peer.response())
        for opcode, payload in ((TEXT, b"one"), (TEXT, b"two"), (10, b"ping"), (TEXT, b"three")):
            peer.wants(opcode, payload)


class Slow:
    """Peers that never finish the opening handshake, watched by a thread while other checks run."""

    def __init__(self, server):
        self.start = time.monotonic()
        self.peers = {name: Peer(server.address, opened=False, timeout=0.01)
                      for name in ("silent", "one byte", "trickling", "half a head")}
        self.peers["one byte"].send(b"G")
        self.peers["half a head"].send(request()[:100])
        self.drip = iter(request()[:-1])
        self.dropped = {}
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while len(self.dropped) < len(self.peers) and time.monotonic() < self.start + 14:
            for name, peer in self.peers.items():
                if name not in self.dropped and self._gone(name, peer):
                    self.dropped[name] = time.monotonic() - self.start
            time.sleep(0.2)

    def _gone(self, name, peer):
        try:
            if name == "trickling":
                peer.send(bytes([next(self.drip)]))
            while peer.sock.recv(4096):
                pass
            return True
        except socket.timeout:
            return False
        except (OSError, Reset):
            return True

    def all_dropped(self):
        self.thread.join(15)
        for name, peer in self.peers.items():
            expect(name in self.dropped, f"{name}: still there after 14 s")
            expect(8 <= self.dropped[name] <= 13, f"{name}: dropped after {self.dropped[name]:.1f} s")
            peer.sock.close()
        return ", ".join(f"{name} {when:.1f} s" for name, when in self.dropped.items())


def run(suite, server):
    for name, head, wanted in CASES:
        suite.check(name, handshake, server, head, wanted)
    equal(accept_for(KEY), ACCEPT, "the suite's own SHA-1")
    suite.check("H9 key with stray low bits", accept_of_odd_key, server)
    suite.check("100 random keys", random_keys, server)
    suite.check("handshake and messages byte by byte", byte_by_byte, server)
    suite.check("head of 4 KiB byte by byte", long_byte_by_byte, server)
    suite.check("handshake and messages cut at every byte", every_cut, server, limit=30)
    suite.check("every short case byte by byte", cut_fault, server, limit=30)
    suite.check("refused before the head is whole", early_refusal, server)
    suite.check("a field that never ends", endless_line, server)
    suite.check("H15 frames in the packet of the request", pipelined, server)
    suite.check("nothing is read behind a refused request", same_connection_refused_twice, server)
    for name, head, status in (
            ("bad version", request(version="12"), 426),
            ("POST", request("POST / HTTP/1.1", add=[f"Content-Length: {MIB}"]), 405),
            ("malformed head", request(add=["X A: b"]), 400),
            ("too large head", sized(MIB), 431)):
        suite.check(f"reply survives 1 MiB of unread input: {name}",
                    refused_with_unread_input, server, head, status)
    suite.check("the peer closes at every point", eof_at_every_point, server, False, limit=30)
    suite.check("the peer resets at every point", eof_at_every_point, server, True, limit=30)
    suite.check("half-close at every third point", half_close, server, limit=30)
