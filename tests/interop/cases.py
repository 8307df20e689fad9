# SPDX-License-Identifier: MIT
"""The groups of the public Autobahn testsuite, made anew from what is known of them: 517 cases as data.

A case says what one side sends and what an echoing peer of either role has to do about it; there is no
second best. The numbers of groups are the suite's, the inside of 12 and 13 is only like it."""

import itertools
import random
from collections import namedtuple

from wire import BINARY, CONT, PING, PONG, TEXT

KIB, MIB = 1 << 10, 1 << 20

# `frames` are what is sent, made by `say`; `cut` how many bytes of them go at once (None: all), or "frames".
# `wanted`: the messages and pongs in their order. `code`: of the Close that ends it: the peer's refusal, or
# with `ours` its answer to the one in `frames`; None: all is well, we close with 1000.
Case = namedtuple("Case", "name frames wanted code cut ours", defaults=(None, None, False))

KOSME = "κ\u1f79σμε".encode()  # its second letter takes three bytes
HELLO = "Hello-µ@ßöäüàá-UTF-8!!".encode()


def message(say, kind, *pieces, between=b""):
    """A message of several frames, other bytes between them."""
    frames = []
    for at, piece in enumerate(pieces):
        frames.append(say.frame(CONT if at else kind, piece, fin=at == len(pieces) - 1))
        if between and at < len(pieces) - 1:
            frames.append(between)
    return frames


def chopped(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)] or [b""]


def framing():
    for group, kind, byte in ((1, TEXT, b"*"), (2, BINARY, b"\xfe")):
        for at, size in enumerate((0, 125, 126, 127, 128, 65535, 65536, 65536), 1):
            data = byte * size
            yield Case(f"1.{group}.{at}", lambda say, k=kind, d=data: [say.frame(k, d)], [(kind, data)],
                       cut=997 if at == 8 else None)


def pings():
    full = b"\xfe" * 125
    for at, (payload, cut) in enumerate(((b"", None), (b"Hello, world!", None), (b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff",
                                          None), (full, None)), 1):
        yield Case(f"2.{at}", lambda say, p=payload: [say.frame(PING, p)], [(PONG, payload)], cut=cut)
    yield Case("2.5", lambda say: [say.frame(PING, b"\xfe" * 126)], [], 1002)
    yield Case("2.6", lambda say: [say.frame(PING, full)], [(PONG, full)], cut=1)
    yield Case("2.7", lambda say: [say.frame(PONG)], [])
    yield Case("2.8", lambda say: [say.frame(PONG, b"unsolicited pong payload")], [])
    yield Case("2.9", lambda say: [say.frame(PONG, b"unsolicited"), say.frame(PING, b"ping")], [(PONG, b"ping")])
    for name, cut in (("2.10", None), ("2.11", 1)):
        yield Case(name, lambda say: [say.frame(PING, b"payload-%d" % at) for at in range(10)],
                   [(PONG, b"payload-%d" % at) for at in range(10)], cut=cut)


def reserved_bits():
    small, echoed = b"Hello, world!", [(TEXT, b"Hello, world!")]
    yield Case("3.1", lambda say: [say.text(small, rsv=1)], [], 1002)
    for name, rsv, cut in (("3.2", 2, None), ("3.3", 3, "frames"), ("3.4", 4, 1)):
        yield Case(name, lambda say, r=rsv: [say.text(small), say.text(small, rsv=r), say.frame(PING)], echoed,
                   1002, cut)
    yield Case("3.5", lambda say: [say.frame(BINARY, b"\0\xff" * 4, rsv=5)], [], 1002)
    yield Case("3.6", lambda say: [say.frame(PING, small, rsv=6)], [], 1002)
    yield Case("3.7", lambda say: [say.frame(8, b"\x03\xe8", rsv=7)], [], 1002)


def opcodes():
    small, echoed = b"Hello, world!", [(TEXT, b"Hello, world!")]
    for group, codes in ((1, range(3, 8)), (2, range(11, 16))):
        for at, opcode in enumerate(codes, 1):
            payload = b"" if at in (1, 3) else small
            if at <= 2:
                yield Case(f"4.{group}.{at}", lambda say, o=opcode, p=payload: [say.frame(o, p)], [], 1002)
            else:
                yield Case(f"4.{group}.{at}", lambda say, o=opcode, p=payload: [
                    say.text(small), say.frame(o, p), say.frame(PING)], echoed, 1002, {4: "frames", 5: 1}.get(at))


def fragments():
    cuts = (None, "frames", 1)
    yield Case("5.1", lambda say: message(say, PING, b"frag1", b"frag2"), [], 1002)
    yield Case("5.2", lambda say: message(say, PONG, b"frag1", b"frag2"), [], 1002)
    for at, cut in enumerate(cuts):
        yield Case(f"5.{3 + at}", lambda say: message(say, TEXT, b"fragment1", b"fragment2"),
                   [(TEXT, b"fragment1fragment2")], cut=cut)
        yield Case(f"5.{6 + at}", lambda say: message(say, TEXT, b"fragment1", b"fragment2",
                                                      between=say.frame(PING, b"ping")),
                   [(PONG, b"ping"), (TEXT, b"fragment1fragment2")], cut=cut)
        for first, fin in ((9, True), (12, False)):
            yield Case(f"5.{first + at}", lambda say, f=fin: [say.frame(CONT, b"no", fin=f), say.text(b"Hello")],
                       [], 1002, cut)
    for name, fin in (("5.15", False), ("5.16", False), ("5.17", True)):
        head = [TEXT] if name == "5.15" else []
        yield Case(name, lambda say, h=head, f=fin: sum((message(say, k, b"a", b"b") for k in h), [])
                   + [say.frame(CONT, b"c", fin=f), say.text(b"Hello"), say.frame(CONT, b"d", fin=f)],
                   [(TEXT, b"ab")] * len(head), 1002)
    yield Case("5.18", lambda say: [say.text(b"fragment1", fin=False), say.text(b"fragment2")], [], 1002)
    five = [b"fragment%d" % at for at in range(1, 6)]
    for name, cut in (("5.19", None), ("5.20", "frames")):
        yield Case(name, lambda say: message(say, TEXT, *five, between=say.frame(PING, b"ping")),
                   [(PONG, b"ping")] * 4 + [(TEXT, b"".join(five))], cut=cut)


# Group 6, each as bytes in hexadecimal: good ones and bad ones.
UTF8 = {
    "6.7": "00 c280 e0a080 f0908080", "6.8": "-f888808080 -fc8480808080", "6.9": "7f dfbf efbfbf f48fbfbf",
    "6.10": "-f7bfbfbf -fbbfbfbfbf -fdbfbfbfbfbf", "6.11": "ed9fbf ee8080 efbfbd f48fbfbf -f4908080",
    "6.12": "-80 -bf -80bf -80bf80 -80bf80bf -80bf80bf80 -80bf80bf80bf -" + bytes(range(0x80, 0xC0)).hex(),
    "6.13": " ".join("-" + "".join(f"{byte:02x}20" for byte in codes) for codes in (
        range(0xC0, 0xE0), range(0xE0, 0xF0), range(0xF0, 0xF8), range(0xF8, 0xFC), range(0xFC, 0xFE))),
    "6.14": "-c0 -e080 -f08080 -f8808080 -fc80808080 -df -efbf -f7bfbf -fbbfbfbf -fdbfbfbfbf",
    "6.15": "-c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf", "6.16": "-fe -ff -fefeffff",
    "6.17": "-c0af -e080af -f08080af -f8808080af -fc80808080af",
    "6.18": "-c1bf -e09fbf -f08fbfbf -f887bfbfbf -fc83bfbfbfbf",
    "6.19": "-c080 -e08080 -f0808080 -f880808080 -fc8080808080",
    "6.20": "-eda080 -edadbf -edae80 -edafbf -edb080 -edbe80 -edbfbf",
    "6.21": " ".join("-" + high + low for high in ("eda080", "edadbf", "edae80", "edafbf")
                     for low in ("edb080", "edbfbf")),
    "6.22": " ".join(chr(plane << 16 | 0xFFFE | low).encode().hex() for plane in range(17) for low in (0, 1)),
    "6.23": " ".join(chr(code).encode().hex() for code in range(0xFFF9, 0x10000)),
}


def texts():
    yield Case("6.1.1", lambda say: [say.text(b"")], [(TEXT, b"")])
    yield Case("6.1.2", lambda say: message(say, TEXT, b"", b"", b""), [(TEXT, b"")])
    yield Case("6.1.3", lambda say: message(say, TEXT, b"", b"middle", b""), [(TEXT, b"middle")])
    yield Case("6.2.1", lambda say: [say.text(HELLO)], [(TEXT, HELLO)])
    yield Case("6.2.2", lambda say: message(say, TEXT, HELLO[:12], HELLO[12:]), [(TEXT, HELLO)])
    yield Case("6.2.3", lambda say: message(say, TEXT, *chopped(HELLO, 1)), [(TEXT, HELLO)])
    yield Case("6.2.4", lambda say: message(say, TEXT, *chopped(KOSME, 1)), [(TEXT, KOSME)])
    broken = KOSME + b"\xed\xa0\x80edited"
    yield Case("6.3.1", lambda say: [say.text(broken)], [], 1007)
    yield Case("6.3.2", lambda say: message(say, TEXT, *chopped(broken, 1)), [], 1007)
    # Fail-fast: what follows would not make it valid, and is not sent.
    beyond = KOSME + b"\xf4\x90"
    yield Case("6.4.1", lambda say: [say.text(KOSME, fin=False), say.frame(CONT, b"\xf4\x90\x80\x80", fin=False)],
               [], 1007)
    yield Case("6.4.2", lambda say: [say.text(KOSME + b"\xf4", fin=False), say.frame(CONT, b"\x90", fin=False)],
               [], 1007)
    yield Case("6.4.3", lambda say: [say.header(0x81, 22) + say.payload(beyond + b"\x80\x80")], [], 1007)
    yield Case("6.4.4", lambda say: [say.header(0x81, 22) + say.payload(beyond)], [], 1007, 1)
    for at, piece in enumerate(("κόσμε", "κόσμε Καλημέρα", "日本語", "한국어 русский", "🎉👩‍👩‍👧‍👦"), 1):
        yield Case(f"6.5.{at}", lambda say, d=piece.encode(): [say.text(d)], [(TEXT, piece.encode())])
    for size in range(1, len(KOSME) + 1):
        yield one_text(f"6.6.{size}", KOSME[:size], size in (2, 5, 7, 9, 11))
    for group, row in UTF8.items():
        for at, word in enumerate(row.split(), 1):
            yield one_text(f"{group}.{at}", bytes.fromhex(word.strip("-")), word[0] != "-")


def one_text(name, data, valid):
    return Case(name, lambda say: [say.text(data)], [(TEXT, data)] if valid else [], None if valid else 1007)


def closing():
    hello, echoed = b"Hello World!", [(TEXT, b"Hello World!")]
    big = b"BAsd7&jh23" * 26215
    rows = [
        ("7.1.1", lambda say: [say.text(hello), say.close(1000)], echoed, 1000),
        ("7.1.2", lambda say: [say.close(1000), say.close(1000)], [], 1000),
        ("7.1.3", lambda say: [say.close(1000), say.frame(PING, b"late")], [], 1000),
        ("7.1.4", lambda say: [say.close(1000), say.text(hello)], [], 1000),
        ("7.1.5", lambda say: [say.text(b"frag", fin=False), say.close(1000), say.frame(CONT, b"2")], [], 1000),
        ("7.1.6", lambda say: [say.text(big), say.text(hello), say.close(1000), say.frame(PING)],
         [(TEXT, big), *echoed], 1000),
        ("7.3.1", lambda say: [say.close()], [], 0),
        ("7.3.3", lambda say: [say.close(1000)], [], 1000),
        ("7.3.4", lambda say: [say.close(1000, hello)], [], 1000),
        ("7.3.5", lambda say: [say.close(1000, b"*" * 123)], [], 1000),
    ]
    for name, frames, wanted, code in rows:
        yield Case(name, frames, wanted, code, ours=True)
    yield Case("7.3.2", lambda say: [say.frame(8, b"a")], [], 1002)
    yield Case("7.3.6", lambda say: [say.close(1000, b"*" * 124)], [], 1002)
    yield Case("7.5.1", lambda say: [say.close(1000, KOSME + b"\xed\xa0\x80edited")], [], 1007)
    good = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    for at, code in enumerate(good, 1):
        yield Case(f"7.7.{at}", lambda say, c=code: [say.close(c)], [], code, ours=True)
    for at, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
        yield Case(f"7.9.{at}", lambda say, c=code: [say.close(c)], [], 1002)
    for at, code in enumerate((5000, 65535), 1):
        yield Case(f"7.13.{at}", lambda say, c=code: [say.close(c)], [], 1002)


def limits():
    sizes = (64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB)
    for group, kind in ((1, TEXT), (2, BINARY)):
        byte = b"*" if kind == TEXT else b"\xfe"
        for at, size in enumerate(sizes, 1):
            yield Case(f"9.{group}.{at}", lambda say, k=kind, b=byte, s=size: [say.frame(k, b * s)],
                       [(kind, Repeat(byte, size))])
        for at in range(9):
            yield Case(f"9.{group + 2}.{at + 1}", lambda say, k=kind, b=byte, s=64 << 2 * at: message(
                say, k, *chopped(b * (4 * MIB), s)), [(kind, Repeat(byte, 4 * MIB))])
        for at in range(6):
            yield Case(f"9.{group + 4}.{at + 1}", lambda say, k=kind, b=byte: [say.frame(k, b * MIB)],
                       [(kind, Repeat(byte, MIB))], cut=64 << at)
        for at, size in enumerate((0, 16, 64, 256, 1024, 4096), 1):
            yield Case(f"9.{group + 6}.{at}", lambda say, k=kind, b=byte, s=size: [say.frame(k, b * s)] * 1000,
                       [(kind, byte * size)] * 1000)
    data = b"*" * 65536
    yield Case("10.1.1", lambda say: message(say, TEXT, *chopped(data, 1300)), [(TEXT, data)])


class Repeat:
    """A large expectation that is only made when it is compared."""

    def __init__(self, byte, size):
        self.byte, self.size = byte, size

    def __eq__(self, other):
        return other == self.byte * self.size

    def __len__(self):
        return self.size


GROUPS = {
    "1 framing": framing, "2 pings and pongs": pings, "3 reserved bits": reserved_bits, "4 opcodes": opcodes,
    "5 fragments": fragments, "6 UTF-8": texts, "7 closing": closing, "9, 10 limits": limits,
}

# ---- Compression -----------------------------------------------------------------------------------

# Sizes of messages, and of the frames they are sent in (0: one).
SIZES = [(size, 0) for size in (16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072)] + \
    [(size, 256) for size in (8192, 16384, 32768, 65536)] + \
    [(131072, frame) for frame in (256, 1024, 4096, 32768)]
WORDS = ("the quick brown fox jumps over lazy dogs while Mädchen größer über Äpfel und Öl sprechen 你好 世界 "
         "数据 压缩 消息 server client message frame window history token stream of bytes").split()


def json_text(noise):
    rows = itertools.count()
    return "".join('{"id":%d,"name":"%s","active":%s,"score":%.3f},\n' % (
        next(rows), noise.choice(WORDS), noise.choice(("true", "false")), noise.random()) for _ in range(4000))


def image(noise):
    """Rows of slowly changing bytes, with some noise in them."""
    pixels, value = bytearray(), 128
    for _ in range(160000):
        value = (value + noise.choice((-2, -1, 0, 0, 0, 1, 2))) & 255
        pixels.append(value)
    return bytes(pixels)


def materials():
    """Group of 12 -> kind and data, of which each message takes a part."""
    noise = random.Random(12)
    prose = " ".join(noise.choice(WORDS) for _ in range(40000))
    ascii_prose = "".join(char for char in prose if char.isascii())
    return {
        1: (TEXT, json_text(noise)), 2: (BINARY, image(noise)), 3: (TEXT, prose), 4: (TEXT, ascii_prose),
        5: (BINARY, noise.randbytes(160000)),
    }


def take(data, start, size):
    """`size` bytes of it, whole characters of text; later messages begin elsewhere."""
    start = start * 977 % (len(data) - size) if len(data) > size else 0
    part = data[start:start + size]
    return part if isinstance(part, bytes) else part.encode()[:size].decode("utf-8", "ignore").encode()


# What is asked of the other side: group of 13 -> no context takeover, window (0: none named).
PARAMETERS = {1: (False, 0), 2: (True, 0), 3: (False, 9), 4: (False, 15), 5: (True, 9), 6: (True, 15), 7: None}
