# SPDX-License-Identifier: MIT
"""Frames, messages, UTF-8 and closing through the real server: RFC 6455 5 to 8."""

import itertools
import time

from harness import Failure, equal, expect
from wire import (BINARY, CLOSE, CONT, MASK, PING, PONG, TEXT, Ended, Peer, Reading, close, frame,
                  header, mask, text)

MIB = 1 << 20
OPCODES = {CONT: "continuation", TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping",
           PONG: "pong"}

# Each row: name, what is sent behind a good message, the close code on the wire.
FAULTS = [(f"RSV{4 - bit} on a {name} frame", frame(opcode, b"", rsv=1 << (bit - 1)), 1002)
          for bit in (1, 2, 3) for opcode, name in OPCODES.items() if opcode != CONT]
FAULTS += [(f"RSV1 on a continuation of {name}", text("a", fin=False) + frame(CONT, b"b", fin=fin, rsv=4),
            1002) for name, fin in (("its end", True), ("its middle", False))]
FAULTS += [(f"opcode {opcode}", frame(opcode, b"x"), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)]
FAULTS += [(f"{OPCODES[opcode]} without FIN", frame(opcode, b"", fin=False), 1002)
           for opcode in (CLOSE, PING, PONG)]
FAULTS += [(f"{OPCODES[opcode]} of {size} bytes", frame(opcode, b"\x03\xe8" + b"a" * (size - 2)), 1002)
           for opcode in (CLOSE, PING, PONG) for size in (126, 65536)]
FAULTS += [(f"{name} frame unmasked", frame(opcode, b"\x03\xe8" if opcode == CLOSE else b"", key=None), 1002)
           for opcode, name in OPCODES.items() if opcode != CONT]
FAULTS += [
    ("continuation unmasked", text("a", fin=False) + frame(CONT, b"b", key=None), 1002),
    ("16 bit length of 0", frame(TEXT, b"", form=16), 1002),
    ("16 bit length of 125", frame(BINARY, b"a" * 125, form=16), 1002),
    ("64 bit length of 0", frame(TEXT, b"", form=64), 1002),
    ("64 bit length of 125", frame(BINARY, b"a" * 125, form=64), 1002),
    ("64 bit length of 126", frame(BINARY, b"a" * 126, form=64), 1002),
    ("64 bit length of 65,535", frame(BINARY, b"a" * 65535, form=64), 1002),
    ("16 bit length on a ping", frame(PING, b"a", form=16), 1002),
    ("length 2^63", header(0x82, 1 << 63), 1002),
    ("length 2^64 - 1", header(0x82, (1 << 64) - 1), 1002),
    ("length 2^63 - 1", header(0x82, (1 << 63) - 1), 1009),
    ("length 2^62 of text", header(0x81, 1 << 62), 1009),
    ("length 2^32 + 5", header(0x82, (1 << 32) + 5) + b"hello", 1009),
    ("length 2^32 - 1", header(0x82, (1 << 32) - 1), 1009),
    ("length 2^31", header(0x82, 1 << 31), 1009),
    ("length 64 MiB", header(0x82, 64 * MIB), 1009),
    ("length 32 MiB + 1", header(0x82, 32 * MIB + 1), 1009),
    ("length 2^63 - 1 of a continuation", text("a", fin=False) + header(0x80, (1 << 63) - 1), 1009),
    ("length 2^63 - 1 in the first of two fragments", header(0x02, (1 << 63) - 1), 1009),
    ("continuation of nothing", frame(CONT, b"a"), 1002),
    ("continuation of nothing, not the last", frame(CONT, b"a", fin=False), 1002),
    ("Close of one byte", frame(CLOSE, b"\x03"), 1002),
    ("Close reason of invalid UTF-8", close(1000, b"\xc0\xaf"), 1007),
    ("Close reason cut inside a character", close(1000, b"\xe4\xbd"), 1007),
    ("Close reason with a surrogate", close(1000, b"\xed\xa0\x80"), 1007),
    ("Close reason cut at its 123rd byte", close(1000, b"a" * 122 + b"\xc3"), 1007),
    ("fault in the middle of a text's character", text(b"\xe4", fin=False) + text("b"), 1002),
    ("text cut inside a character", text(b"abc\xe4\xbd"), 1007),
    ("fragmented text cut inside a character", text(b"\xe4", fin=False) + frame(CONT, b"\xbd"), 1007),
]

# What must be refused before more arrives: name, the beginning of a frame, the close code.
FAIL_FAST = [
    ("reserved bit, one byte sent", b"\xf1", 1002),
    ("reserved opcode, one byte sent", b"\x83", 1002),
    ("continuation of nothing, one byte sent", b"\x80", 1002),
    ("ping without FIN, one byte sent", b"\x09", 1002),
    ("no mask, two bytes sent", b"\x81\x05", 1002),
    ("ping of 126 bytes, two bytes sent", b"\x89\xfe", 1002),
    ("length over the limit, no payload sent", header(0x82, 1 << 40), 1009),
    ("bad byte in a long text, rest not sent", header(0x81, 1000) + mask(b"ab\xff", MASK), 1007),
]

CLOSE_VALID = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001,
               3999, 4000, 4500, 4999]
CLOSE_INVALID = [0, 1, 125, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999,
                 32768, 65535]

UTF8_VALID = [
    ("empty", b""), ("NUL", b"\0"), ("ASCII", bytes(range(128))), ("U+0080", b"\xc2\x80"),
    ("U+07FF", b"\xdf\xbf"), ("U+0800", b"\xe0\xa0\x80"), ("U+D7FF", b"\xed\x9f\xbf"),
    ("U+E000", b"\xee\x80\x80"), ("U+FEFF first", b"\xef\xbb\xbfabc"), ("U+FFFD", b"\xef\xbf\xbd"),
    ("U+FFFE", b"\xef\xbf\xbe"), ("U+FFFF", b"\xef\xbf\xbf"), ("U+10000", b"\xf0\x90\x80\x80"),
    ("U+10FFFF", b"\xf4\x8f\xbf\xbf"), ("Greek", "κόσμε".encode()), ("Chinese", "你好,世界".encode()),
    ("joined emoji", "👩‍👩‍👧‍👦🏳️‍🌈".encode()), ("all lengths", "aä你🎉".encode() * 20),
]

UTF8_INVALID = [
    ("80", b"\x80"), ("BF", b"\xbf"), ("C0 80", b"\xc0\x80"), ("C0 AF", b"\xc0\xaf"),
    ("C1 BF", b"\xc1\xbf"), ("E0 80 80", b"\xe0\x80\x80"), ("E0 9F BF", b"\xe0\x9f\xbf"),
    ("ED A0 80", b"\xed\xa0\x80"), ("ED BF BF", b"\xed\xbf\xbf"), ("F0 80 80 80", b"\xf0\x80\x80\x80"),
    ("F0 8F BF BF", b"\xf0\x8f\xbf\xbf"), ("F4 90 80 80", b"\xf4\x90\x80\x80"),
    ("F5 80 80 80", b"\xf5\x80\x80\x80"), ("F8 88 80 80 80", b"\xf8\x88\x80\x80\x80"),
    ("FC 84 80 80 80 80", b"\xfc\x84\x80\x80\x80\x80"), ("FE", b"\xfe"), ("FF", b"\xff"),
    ("C2 41", b"\xc2A"), ("E4 BD 41", b"\xe4\xbdA"), ("F0 9F 8E 41", b"\xf0\x9f\x8eA"),
    ("C2 C2", b"\xc2\xc2"), ("E4 E4", b"\xe4\xe4"), ("a surrogate pair", b"\xed\xa0\xbd\xed\xb8\x80"),
    ("behind good text", "κόσμε".encode() + b"\xed\xa0\x80edited"),
    ("behind 1,000 ASCII bytes", b"a" * 1000 + b"\xff"),
]

# The shortest impossible beginnings: nothing that follows could make them valid.
UTF8_IMPOSSIBLE = [b"\x80", b"\xc0", b"\xc1", b"\xe0\x80", b"\xe0\x9f", b"\xed\xa0", b"\xf0\x80",
                   b"\xf0\x8f", b"\xf4\x90", b"\xf5", b"\xff", b"\xc2A", b"\xe4\xbdA", b"\xf0\x9f\x8eA",
                   b"\xf4\x8f\xbf\xc0"]


def fault(server, data, code):
    """The message before the fault is echoed, then comes a Close with the code, then the end."""
    with Peer(server.address) as peer:
        peer.send(text("before") + data)
        peer.wants(TEXT, b"before", "the message before the fault")
        peer.fails(code)


def fault_byte_by_byte(server):
    for name, data, code in FAULTS:
        if len(data) > 1000:
            continue
        with Peer(server.address) as peer:
            try:
                peer.send_cut(text("before") + data)
            except Ended:
                pass
            try:
                peer.wants(TEXT, b"before", "the message before the fault")
                peer.fails(code)
            except Failure as error:
                raise Failure(f"{name}: {error}") from None


def fail_fast(server, data, code):
    with Peer(server.address, timeout=2) as peer:
        peer.send(data)
        peer.fails(code)


def nothing_echoed_after_fault(server):
    """Messages behind the fault are dropped; only the Close comes."""
    with Peer(server.address) as peer:
        peer.send(frame(3) + text("after") + frame(PING, b"after"))
        peer.fails(1002)


def first_byte(server, opcode):
    """A frame without payload for each of the 16 upper halves of the first byte."""
    for upper in range(16):
        fin, rsv = upper >> 3, upper & 7
        with Peer(server.address) as peer:
            peer.send(frame(opcode, b"", fin=bool(fin), rsv=rsv))
            try:
                verdict(peer, opcode, fin, rsv)
            except Failure as error:
                raise Failure(f"first byte {upper << 4 | opcode:#04x}: {error}") from None
    return "16 bytes"


def verdict(peer, opcode, fin, rsv):
    if rsv or opcode not in OPCODES or opcode == CONT or (opcode >= 8 and not fin):
        peer.fails(1002)
    elif opcode == CLOSE:
        peer.closed(None)
    elif opcode == PING:
        peer.wants(PONG, b"")
    elif opcode == PONG:
        peer.alive()
    else:
        if not fin:
            peer.send(frame(CONT, b"end"))
        peer.wants(opcode, b"" if fin else b"end")
        peer.alive()


def orders(server, length):
    """All orders of {text, binary, continuation} x {FIN, not}: a model gives the verdict."""
    kinds = list(itertools.product((TEXT, BINARY, CONT), (True, False)))
    count = 0
    for order in itertools.product(kinds, repeat=length):
        with Peer(server.address) as peer:
            peer.send(b"".join(frame(opcode, b"ab", fin=fin) for opcode, fin in order))
            try:
                order_verdict(peer, order)
            except Failure as error:
                raise Failure(f"{order}: {error}") from None
        count += 1
    return f"{count} orders"


def order_verdict(peer, order):
    kind, pieces = None, b""
    for opcode, fin in order:
        if (opcode == CONT) != (kind is not None):
            peer.fails(1002)
            return
        kind, pieces = kind or opcode, pieces + b"ab"
        if fin:
            peer.wants(kind, pieces)
            kind, pieces = None, b""
    if kind:
        peer.send(frame(CONT))
        peer.wants(kind, pieces)
    peer.alive()


def echo(server, opcode, payload, cut=None):
    """One message, whole or in frames of `cut` bytes."""
    size = cut or len(payload) or 1
    parts = [payload[at:at + size] for at in range(0, len(payload), size)] or [b""]
    with Peer(server.address, timeout=20) as peer:
        reader = Reading(peer.message)
        peer.send(b"".join(frame(CONT if at else opcode, part, fin=at == len(parts) - 1)
                           for at, part in enumerate(parts)))
        equal(reader.result(), (opcode, payload), "the echo")
        peer.alive()


def utf8_bad(server, data):
    """Whole, and with a frame and a packet for each byte."""
    with Peer(server.address) as peer:
        peer.send(text("before") + text(data))
        peer.wants(TEXT, b"before")
        peer.fails(1007)
    with Peer(server.address) as peer:
        try:
            peer.send(text("", fin=False))
            for byte in data[-8:]:
                peer.send(frame(CONT, bytes([byte]), fin=False))
            peer.send(frame(CONT, b""))
        except Ended:
            pass
        peer.fails(1007)


def utf8_fail_fast(server):
    """Refused at the first impossible byte, though the message goes on; not one byte earlier."""
    for data in UTF8_IMPOSSIBLE:
        with Peer(server.address, timeout=2) as peer:
            try:
                if len(data) > 1:
                    peer.send(text(b"abc" + data[:-1], fin=False) + frame(PING, b"ok"))
                    until_pong(peer, b"ok")
                    peer.send(frame(CONT, data[-1:], fin=False))
                else:
                    peer.send(text(b"abc" + data, fin=False))
                peer.fails(1007)
            except Failure as error:
                raise Failure(f"{data.hex(' ')}: {error}") from None
    return f"{len(UTF8_IMPOSSIBLE)} beginnings"


def until_pong(peer, payload):
    """The pong, which a part of an unfinished message may precede."""
    while True:
        fin, opcode, data = peer.frame()
        if opcode == PONG:
            equal(data, payload, "payload of the pong")
            return
        expect(opcode in (CONT, TEXT, BINARY) and not fin, f"opcode {opcode} before the pong")


def binary_is_not_text(server):
    echo(server, BINARY, b"\xff\xfe\xed\xa0\x80\xc0")


def ping_between_fragments(server):
    """Pings inside a character that is cut over frames with masking keys of their own."""
    word = "你好🎉".encode()
    with Peer(server.address) as peer:
        for at, byte in enumerate(word):
            last = at == len(word) - 1
            key = bytes([at, 255 - at, at * 7 % 256, 1])
            peer.send(frame(CONT if at else TEXT, bytes([byte]), fin=last, key=key))
            if not last:
                peer.send(frame(PING, bytes([at]) * at, key=key[::-1]))
        pings, pieces, done = [], b"", False
        while not done:
            fin, opcode, data = peer.frame()
            if opcode == PONG:
                pings.append(data)
            else:
                pieces, done = pieces + data, fin
        equal(pings, [bytes([at]) * at for at in range(len(word) - 1)], "pongs")
        equal(pieces, word, "the message")


def ping_payload(server, size):
    with Peer(server.address) as peer:
        peer.send(frame(PING, bytes(range(size))))
        peer.wants(PONG, bytes(range(size)))


def ten_pings(server):
    with Peer(server.address) as peer:
        peer.send(b"".join(frame(PING, b"%d" % at) for at in range(10)))
        for at in range(10):
            peer.wants(PONG, b"%d" % at)


def order_of_replies(server):
    """Echoes and pongs leave in the order of what they answer, the Close last."""
    with Peer(server.address) as peer:
        peer.send(text("1") + frame(PING, b"2") + text("3") + frame(PING, b"4") + close(4000, b"5"))
        for opcode, payload in ((TEXT, b"1"), (PONG, b"2"), (TEXT, b"3"), (PONG, b"4")):
            peer.wants(opcode, payload)
        peer.closed(4000)


def unasked_pong(server):
    with Peer(server.address) as peer:
        peer.send(frame(PONG, b"nobody asked") + frame(PONG))
        peer.alive()


def mask_keys(server):
    """Every key is right, zero too; every phase of the key at every cut."""
    with Peer(server.address) as peer:
        for key in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\1", b"\x80\0\0\0"):
            peer.send(frame(BINARY, bytes(range(256)), key=key))
            peer.wants(BINARY, bytes(range(256)))
        data = frame(BINARY, bytes(range(120)), key=b"\1\2\3\4")
        for cut in range(1, len(data)):
            peer.send(data[:cut])
            peer.send(data[cut:])
            peer.wants(BINARY, bytes(range(120)), f"cut at {cut}")


def close_valid(server, code, reason=b""):
    with Peer(server.address) as peer:
        peer.send(text("last") + close(code, reason))
        peer.wants(TEXT, b"last", "the message before the Close")
        peer.closed(code)


def after_close(server):
    """Data and pings behind our Close are not answered; the server ends first."""
    with Peer(server.address) as peer:
        peer.send(close(1000) + text("late") + frame(PING, b"late") + b"\xff" * 100)
        peer.closed(1000)


def much_after_close(server):
    """1 MiB behind a Close, or a fault, does not turn the end into a reset."""
    for first, code in ((close(1000), 1000), (frame(3), 1002), (text(b"\xff"), 1007)):
        with Peer(server.address) as peer:
            peer.send(first + b"\0" * MIB)
            time.sleep(0.1)
            peer.fails(code)


def close_in_message(server):
    """A Close between fragments is answered as any other."""
    with Peer(server.address) as peer:
        peer.send(text("half a", fin=False) + close(1001))
        peer.fails(1001)


def close_byte_by_byte(server):
    with Peer(server.address) as peer:
        peer.send_cut(close(3000, "früh 你好".encode()))
        peer.closed(3000)


def eof_after_close(server):
    with Peer(server.address) as peer:
        peer.send(close(1000))
        peer.end_writing()
        peer.closed(1000)


def fragments_over_limit(server):
    """33 fragments of 1 MiB: refused at the latest where the sum passes 32 MiB."""
    with Peer(server.address, timeout=20) as peer:
        reader = Reading(peer.fails, 1009)
        piece = b"\0" * MIB
        try:
            for at in range(33):
                peer.send(frame(CONT if at else BINARY, piece, fin=False, key=b"\0\0\0\0"))
        except Ended:
            pass
        reader.result()


def sixty_five_thousand(server):
    """One text of 65,537 frames: as long as public conformance runs have it."""
    count = 65537
    with Peer(server.address, timeout=20) as peer:
        data = (frame(TEXT, b"*", fin=False) + frame(CONT, b"*", fin=False) * (count - 2)
                + frame(CONT, b"*"))
        reader = Reading(peer.message)
        peer.send(data)
        equal(reader.result(), (TEXT, b"*" * count), "the message")


def run(suite, server):
    for name, data, code in FAULTS:
        suite.check(f"{code}: {name}", fault, server, data, code)
    suite.check("every fault byte by byte", fault_byte_by_byte, server, limit=30)
    for name, data, code in FAIL_FAST:
        suite.check(f"{code} at once: {name}", fail_fast, server, data, code)
    suite.check("nothing is echoed behind a fault", nothing_echoed_after_fault, server)
    for opcode in range(16):
        suite.check(f"first bytes with opcode {opcode}", first_byte, server, opcode)
    for length in (1, 2, 3):
        suite.check(f"orders of {length} data frames", orders, server, length, limit=30)
    for size in (0, 1, 125, 126, 127, 128, 65535, 65536, 65537, MIB):
        suite.check(f"echo of {size} bytes", echo, server, BINARY, b"\xa5" * size)
    for cut in (1, 2, 3, 7, 125, 126):
        suite.check(f"echo of 1,000 bytes in frames of {cut}", echo, server, TEXT, b"abcd" * 250, cut)
    suite.check("echo of 16 MiB in frames of 64 KiB", echo, server, BINARY, b"x" * (16 * MIB), 65536,
                limit=30)
    suite.check("65,537 fragments", sixty_five_thousand, server, limit=30)
    suite.check("1009: 33 fragments of 1 MiB", fragments_over_limit, server, limit=30)
    for name, data in UTF8_VALID:
        suite.check(f"UTF-8 {name}", echo, server, TEXT, data)
        suite.check(f"UTF-8 {name}, a frame for each byte", echo, server, TEXT, data, 1)
    for name, data in UTF8_INVALID:
        suite.check(f"1007: UTF-8 {name}", utf8_bad, server, data)
    suite.check("1007 at the first impossible byte", utf8_fail_fast, server, limit=30)
    suite.check("binary is not checked as text", binary_is_not_text, server)
    suite.check("pings between fragments", ping_between_fragments, server)
    for size in (0, 1, 4, 124, 125):
        suite.check(f"ping of {size} bytes", ping_payload, server, size)
    for name, call in (("ten pings in one packet", ten_pings),
                       ("replies in order", order_of_replies),
                       ("a pong nobody asked for", unasked_pong),
                       ("masking keys and phases", mask_keys),
                       ("nothing is answered behind a Close", after_close),
                       ("1 MiB behind a Close or a fault", much_after_close),
                       ("Close between fragments", close_in_message),
                       ("Close byte by byte", close_byte_by_byte),
                       ("Close and half-close", eof_after_close)):
        suite.check(name, call, server)
    suite.check("Close without a code", close_valid, server, None)
    for code in CLOSE_VALID:
        suite.check(f"Close {code}", close_valid, server, code, b"because")
    suite.check("Close with a reason of 123 bytes", close_valid, server, 1000, "你".encode() * 41)
    for code in CLOSE_INVALID:
        suite.check(f"1002: Close {code}", fault, server, close(code), 1002)
