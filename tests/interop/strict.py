# SPDX-License-Identifier: MIT
"""How strict is a peer? 38 vectors of RFC 6455, some more of RFC 7692; verdict and code on the wire."""

import random
from collections import namedtuple

from deflate import TAIL, Bits
from harness import Failure
from wire import BINARY, CLOSE, CONT, MASK, PING, PONG, TEXT, Ended, SERVER

HELLO = b"\xf2\x48\xcd\xc9\xc9\x07\x00"

# `build` makes the frames of the side that speaks; `code` is what has to be on the wire; good: as an
# answer to a Close, else as a refusal.
Vector = namedtuple("Vector", "name build code good", defaults=(False,))


def other_mask(say):
    """A key for who must not have one, none for who must."""
    return MASK if say is SERVER else None


def noise(size):
    """Bytes that only repeat when they are sent again."""
    return random.Random(size).randbytes(size)


VECTORS = [
    Vector("RSV1 on a text", lambda say: say.text("a", rsv=4), 1002),
    Vector("RSV2 on a binary", lambda say: say.frame(BINARY, b"a", rsv=2), 1002),
    Vector("RSV3 on a continuation", lambda say: say.text("a", fin=False) + say.frame(CONT, b"b", rsv=1), 1002),
    Vector("RSV1 on a ping", lambda say: say.frame(PING, b"a", rsv=4), 1002),
    Vector("opcode 3", lambda say: say.frame(3), 1002),
    Vector("opcode 7", lambda say: say.frame(7, b"a"), 1002),
    Vector("opcode 11", lambda say: say.frame(11), 1002),
    Vector("opcode 15", lambda say: say.frame(15, b"a"), 1002),
    Vector("mask of the wrong direction", lambda say: say.text("a", key=other_mask(say)), 1002),
    Vector("16 bit length of 125", lambda say: say.frame(BINARY, b"a" * 125, form=16), 1002),
    Vector("64 bit length of 65,535", lambda say: say.frame(BINARY, b"a" * 65535, form=64), 1002),
    Vector("top bit of the length", lambda say: say.header(0x82, 1 << 63), 1002),
    Vector("2^62 bytes announced", lambda say: say.header(0x82, 1 << 62), 1009),
    Vector("ping of 126 bytes", lambda say: say.frame(PING, b"a" * 126), 1002),
    Vector("ping without FIN", lambda say: say.frame(PING, b"a", fin=False), 1002),
    Vector("Close without FIN", lambda say: say.frame(CLOSE, b"\x03\xe8", fin=False), 1002),
    Vector("Close of one byte", lambda say: say.frame(CLOSE, b"\x03"), 1002),
    *[Vector(f"Close {code}", lambda say, code=code: say.close(code), 1002)
      for code in (999, 1004, 1005, 1006, 1015, 2999, 5000)],
    *[Vector(f"Close {code}", lambda say, code=code: say.close(code), code, True)
      for code in (1012, 1013, 1014, 3000)],
    Vector("Close with a bad reason", lambda say: say.close(1000, b"\xc0\xaf"), 1007),
    Vector("Close with a reason cut inside a character", lambda say: say.close(1000, b"ab\xe4\xbd"), 1007),
    Vector("continuation of nothing", lambda say: say.frame(CONT, b"a"), 1002),
    Vector("text inside a message", lambda say: say.text("a", fin=False) + say.text("b"), 1002),
    Vector("binary inside a text", lambda say: say.text("a", fin=False) + say.frame(BINARY, b"b"), 1002),
    Vector("bad UTF-8", lambda say: say.text(b"abc\xff"), 1007),
    Vector("a surrogate", lambda say: say.text(b"\xed\xa0\x80"), 1007),
    Vector("text cut inside a character", lambda say: say.text(b"abc\xe4\xbd"), 1007),
    Vector("bad UTF-8, rest of the frame not sent",
           lambda say: say.header(0x81, 1000) + say.payload(b"abc\xff"), 1007),
    Vector("bad UTF-8, rest of the message not sent", lambda say: say.text(b"abc\xf4\x90", fin=False), 1007),
]

MORE = [
    Vector("RSV2 on a pong", lambda say: say.frame(PONG, rsv=2), 1002),
    Vector("RSV3 on a Close", lambda say: say.frame(CLOSE, b"\x03\xe8", rsv=1), 1002),
    *[Vector(f"opcode {opcode}", lambda say, opcode=opcode: say.frame(opcode, b"a"), 1002)
      for opcode in (4, 5, 6, 12, 13, 14)],
    Vector("a ping's mask of the wrong direction", lambda say: say.frame(PING, key=other_mask(say)), 1002),
    Vector("a Close's mask of the wrong direction", lambda say: say.frame(CLOSE, key=other_mask(say)), 1002),
    Vector("16 bit length of 0", lambda say: say.text("", form=16), 1002),
    Vector("64 bit length of 125", lambda say: say.text("a" * 125, form=64), 1002),
    Vector("64 bit length of a ping", lambda say: say.frame(PING, b"a", form=64), 1002),
    Vector("2^64 - 1 bytes announced", lambda say: say.header(0x81, (1 << 64) - 1), 1002),
    Vector("2^63 - 1 bytes announced", lambda say: say.header(0x82, (1 << 63) - 1), 1009),
    Vector("2^32 + 5 bytes announced", lambda say: say.header(0x82, (1 << 32) + 5), 1009),
    Vector("pong of 65,536 bytes", lambda say: say.header(0x8A, 65536), 1002),
    Vector("Close of 126 bytes", lambda say: say.close(1000, b"a" * 124), 1002),
    Vector("pong without FIN", lambda say: say.frame(PONG, fin=False), 1002),
    *[Vector(f"Close {code}", lambda say, code=code: say.close(code), 1002)
      for code in (0, 1, 1016, 1100, 2000, 32768, 65535)],
    *[Vector(f"Close {code}", lambda say, code=code: say.close(code, "früh".encode()), code, True)
      for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3999, 4000, 4999)],
    Vector("Close without a code", lambda say: say.close(), None, True),
    Vector("continuation of nothing, not the last", lambda say: say.frame(CONT, b"a", fin=False), 1002),
    Vector("an overlong form", lambda say: say.text(b"\xc0\xaf"), 1007),
    Vector("beyond U+10FFFF", lambda say: say.text(b"\xf4\x90\x80\x80"), 1007),
    Vector("a character cut over frames and never ended",
           lambda say: say.text(b"\xe4", fin=False) + say.frame(CONT, b"\xbd"), 1007),
    *[Vector(f"first byte {first:#x}, no more", lambda say, first=first: bytes([first]), 1002)
      for first in (0x83, 0x8B, 0xA1, 0x91, 0x80, 0x09, 0x08)],
]

# On a connection that agreed to permessage-deflate with takeover.
PACKED = [
    Vector("compressed: RSV1 on a continuation",
           lambda say: say.text(HELLO, fin=False, rsv=4) + say.frame(CONT, b"", rsv=4), 1002),
    Vector("compressed: RSV1 on a ping", lambda say: say.frame(PING, rsv=4), 1002),
    Vector("compressed: RSV2", lambda say: say.text(HELLO, rsv=6), 1002),
    Vector("compressed: cut inside a block", lambda say: say.text(HELLO[:4], rsv=4), 1007),
    Vector("compressed: tail on the wire", lambda say: say.text(HELLO + TAIL, rsv=4), 1007),
    Vector("compressed: no payload", lambda say: say.text(b"", rsv=4), 1007),
    Vector("compressed: not deflate", lambda say: say.text(b"Hello, world!", rsv=4), 1007),
    Vector("compressed: a distance too far", lambda say: say.text(Bits().fixed(b"a", (3, 9)).sync(), rsv=4), 1007),
    Vector("compressed: bad UTF-8", lambda say: say.text(Bits().fixed(b"abc\xff").sync(), rsv=4), 1007),
    Vector("compressed: bad UTF-8, rest of the frame not sent",
           lambda say: say.header(0xC1, 1000) + say.payload(Bits().stored(b"abc\xff").raw() + b"\0"), 1007),
    Vector("compressed: bad UTF-8, rest of the message not sent",
           lambda say: say.text(Bits().stored(b"abc\xf4\x90").raw(), rsv=4, fin=False), 1007),
    Vector("compressed: Close 1012", lambda say: say.close(1012), 1012, True),
]

assert len(VECTORS) == 38


def judge(stream, vector, cut, echoes=True):
    """The message before comes back, then the verdict with its code, then the end."""
    data = stream.say.text("before") + vector.build(stream.say)
    try:
        stream.send_cut(data, cut or len(data))
    except Ended:
        pass
    try:
        if echoes:
            stream.wants(TEXT, b"before", "the message before")
        if vector.good:
            stream.closed(vector.code, ended=stream.say is not SERVER)
        else:
            stream.fails(vector.code, ended=stream.say is not SERVER)
    except Failure as error:
        raise Failure(f"{'cut at each byte: ' if cut else ''}{error}") from None
