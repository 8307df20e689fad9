# SPDX-License-Identifier: MIT
"""RFC 7692 from outside: what the standard allows, what is broken, what is too much.

    BUILD=build python3 tests/interop/conformance_deflate.py [offers|payloads|bombs]..."""

import random
import sys

import conformance_offers as offers
import strict
from conformance import matrix
from conformance_offers import NAME
from deflate import TAIL, Bits, Packed, Packer, terms
from harness import Failure, Server, Suite, equal, expect
from wire import BINARY, CLOSE, CONT, PING, PONG, TEXT, Ended, Reading, frame, header, mask, MASK

MIB = 1 << 20
HELLO = b"\xf2\x48\xcd\xc9\xc9\x07\x00"
WORDS = "Hällo, 你好,世界 🎉 ".encode()
LONG = WORDS * 400
NOISE = random.Random(7).randbytes(70000)
LETTERS = NOISE.hex().encode()[:65536]

# Each row: name, deflate data, the text that it is. Sent whole, in frames and packets of a byte, with Pings.
GOOD = [
    ("Hello, 7.2.3.1", HELLO, b"Hello"),
    ("a stored block, 7.2.3.3", b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", b"Hello"),
    ("a final block, 7.2.3.4", b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", b"Hello"),
    ("two blocks, 7.2.3.5", b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", b"Hello"),
    ("empty: 00", b"\x00", b""),
    ("empty: 02 00", b"\x02\x00", b""),
    ("empty: 03 00, final", b"\x03\x00", b""),
    ("empty: a stored block first", Bits().stored().sync(), b""),
    ("empty: 20 stored blocks", Bits().stored().stored().raw() * 10 + b"\0", b""),
    ("stored blocks of 0 between others",
     Bits().fixed(b"a").stored().fixed(b"b").stored().stored(b"c").stored().sync(), b"abc"),
    ("a final block first", Bits().fixed(b"ab", final=True).pad().fixed(b"cd").sync(), b"abcd"),
    ("a final block in the middle",
     Bits().fixed(b"ab").stored(b"cd", final=True).fixed(b"ef", (4, 4)).sync(), b"abcdefcdef"),
    ("final blocks twice",
     Bits().fixed(b"ab", final=True).pad().fixed(b"cd", final=True).pad().fixed(b"ef").sync(), b"abcdef"),
    ("nothing but final blocks", Bits().stored(b"ab", final=True).stored(b"cd", final=True).raw(), b"abcd"),
    ("a reference over a final block",
     Bits().fixed(b"Hello ", final=True).pad().fixed((6, 6)).sync(), b"Hello Hello "),
    ("a final block and nothing behind it", Bits().fixed(b"Hello", final=True).raw(), b"Hello"),
    ("the code's longest match", Bits().fixed(b"ab", (258, 2), (258, 258), (3, 516)).sync(),
     b"ab" * 259 + b"aba"),
    ("a dynamic block", Packer(level=9)(WORDS * 5), WORDS * 5),
]

# Each row: name, deflate data that ends in the middle or breaks a rule: 1007, and no message.
BAD = [
    *[(f"Hello cut behind byte {at}", HELLO[:at], 1007) for at in range(len(HELLO))],
    *[(f"a stored block cut behind byte {at}", b"\x00\x05\x00\xfa\xffHello\x00"[:at], 1007)
      for at in range(2, 11)],
    ("the tail left on the wire", HELLO + TAIL, 1007),
    ("half of the tail left on the wire", HELLO + TAIL[:2], 1007),
    ("a byte behind the end", HELLO + b"\0", 1007),
    ("bytes behind a final block", Bits().fixed(b"a", final=True).raw() + b"garbage", 1007),
    ("a reserved kind of block", b"\xff", 1007),
    ("a reserved kind behind a good block", Bits().fixed(b"abc").put(6, 3).raw(), 1007),
    ("a stored block whose lengths disagree", b"\x00\x05\x00\x00\x00Hello\x00", 1007),
    ("a dynamic block of too many lengths", Bits().put(0, 1).put(2, 2).put(31, 5).put(0, 9).sync(), 1007),
    ("a dynamic block with an incomplete code",
     Bits().put(0, 1).put(2, 2).put(0, 5).put(0, 5).put(0, 4).put(0x111, 12).put(0, 40).sync(), 1007),
    ("a dynamic block with an impossible code",
     Bits().put(0, 1).put(2, 2).put(0, 5).put(0, 5).put(15, 4).put((1 << 57) - 1, 57).sync(), 1007),
    ("length symbol 286", Bits().fixed(b"a", end=False).put(0x63, 8).put(0, 5).sync(), 1007),
    ("distance symbol 30", Bits().fixed(b"abc", end=False).put(0x40, 7).put(0x0F, 5).sync(), 1007),
    ("a distance before the first byte", Bits().fixed((3, 1)).sync(), 1007),
    ("a distance of one too many", Bits().fixed(b"abc", (3, 4)).sync(), 1007),
    ("not deflate at all", b"Hello, world!", 1007),
    ("a zlib header", b"\x78\x9c" + HELLO, 1007),
    ("a gzip header", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + HELLO, 1007),
    ("bad UTF-8", Bits().fixed(b"abc\xff").sync(), 1007),
    ("a surrogate over two blocks", Bits().fixed(b"\xed").stored(b"\xa0\x80").sync(), 1007),
    ("text cut inside a character", Bits().fixed(b"abc\xe4\xbd").sync(), 1007),
]


def in_frames(peer, payload, size, ping=False):
    """The frames of a compressed text in pieces; control frames between them are never compressed."""
    frames = [frame(TEXT, payload[:size], fin=len(payload) <= size, rsv=4)]
    for at in range(size, len(payload), size):
        if ping:
            frames.append(frame(PING, b"%d" % at))
        frames.append(frame(CONT, payload[at:at + size], fin=at + size >= len(payload)))
    peer.send(b"".join(frames))


def ways(payload):
    """Whole, byte by byte, in frames of 1 to 3 bytes, with Pings between these."""
    yield lambda peer: peer.send(peer.packed_text(payload))
    yield lambda peer: peer.send_cut(peer.packed_text(payload))
    for size in (1, 2, 3):
        yield lambda peer, size=size: in_frames(peer, payload, size)
    yield lambda peer: in_frames(peer, payload, 1, ping=True)
    yield lambda peer: peer.send(peer.packed_text(b"", fin=False) + frame(CONT, b"", fin=False)
                                 + frame(CONT, payload, fin=False) + frame(CONT))


def good(server, payload, wanted):
    for number, way in enumerate(ways(payload)):
        with Packed(server.address) as peer:
            try:
                way(peer)
                while (got := peer.message())[0] == PONG:
                    pass
                equal(got, (TEXT, wanted), "the message")
                peer.round_trip(b"and the next")
            except Failure as error:
                raise Failure(f"way {number}: {error}") from None


def bad(server, payload, code):
    """In every way of sending; the good message before it arrives, none after it."""
    for number, way in enumerate(ways(payload)):
        with Packed(server.address) as peer:
            peer.send(frame(TEXT, b"before"))
            peer.wants(TEXT, b"before")
            try:
                way(peer)
                peer.send(peer.packed_text(Bits().fixed(b"after").sync()))
            except Ended:
                pass
            try:
                while True:
                    fin, opcode, data = peer.frame()
                    if opcode == CLOSE:
                        break
                    expect(opcode == PONG or not fin, f"a message {data!r} came")
                equal(int.from_bytes(data[:2], "big"), code, "close code")
            except Failure as error:
                raise Failure(f"way {number}: {error}") from None


def window_edge(server, bits):
    """A distance as large as the window is right, over messages too; one larger is not."""
    offer = NAME if bits == 15 else f"{NAME}; client_max_window_bits={bits}"
    for one_more in (False, True):
        with Packed(server.address, offer) as peer:
            agreed = terms(peer.answer).get("client_max_window_bits", 15)
            behind = (1 << agreed) + one_more
            peer.send(peer.packed_text(Bits().stored(LETTERS[:40000]).sync()))
            peer.wants(TEXT, LETTERS[:40000])
            if behind > 32768:
                continue  # the format has no such distance
            peer.send(peer.packed_text(Bits().fixed((3, behind)).sync()))
            if one_more:
                peer.fails(1007)
            else:
                peer.wants(TEXT, LETTERS[:40000][-behind:][:3])
                peer.alive()
    return f"{agreed} bits"


def window_edge_inside(server):
    """Too large a distance within one message: the inflater may still have those bytes, so that they come
    back, or refuse; but it never takes others for them."""
    seen = set()
    for cut in (None, 1, 100):
        with Packed(server.address, f"{NAME}; client_max_window_bits=9") as peer:
            data = peer.packed_text(Bits().stored(LETTERS[:2000]).fixed((3, 513)).sync())
            try:
                peer.send_cut(data, cut or len(data))
                opcode, got = peer.message()
            except Ended:
                continue
            if opcode == CLOSE:
                equal(int.from_bytes(got[:2], "big"), 1007, "close code")
            else:
                equal(got, LETTERS[:2000] + LETTERS[1487:1490], "the message")
            seen.add(opcode)
    return " and ".join({CLOSE: "refused", TEXT: "taken"}[opcode] for opcode in sorted(seen))


def faults_between(server):
    """Reserved bits stay reserved on a compressed connection; RSV1 belongs to a message's first frame."""
    for name, data in (
            ("RSV1 on a continuation", frame(TEXT, HELLO, fin=False, rsv=4) + frame(CONT, b"", rsv=4)),
            ("RSV1 on the continuation of a plain message", frame(TEXT, b"a", fin=False) + frame(CONT, b"", rsv=4)),
            ("RSV1 on a ping", frame(PING, rsv=4)), ("RSV1 on a pong", frame(PONG, rsv=4)),
            ("RSV1 on a Close", frame(CLOSE, b"\x03\xe8", rsv=4)),
            ("RSV1 on a ping inside a message", frame(TEXT, HELLO, fin=False, rsv=4) + frame(PING, rsv=4)),
            ("RSV2", frame(TEXT, HELLO, rsv=2)), ("RSV3", frame(BINARY, HELLO, rsv=1)),
            ("RSV1 and RSV2", frame(TEXT, HELLO, rsv=6)), ("RSV1 on opcode 3", frame(3, HELLO, rsv=4))):
        for cut in (None, 1):
            with Packed(server.address) as peer:
                try:
                    peer.send_cut(data, cut or len(data))
                except Ended:
                    pass
                try:
                    peer.fails(1002)
                except Failure as error:
                    raise Failure(f"{name}: {error}") from None


def plain_between(server):
    """Uncompressed messages may stand between; they neither pass the inflater nor enter its window."""
    with Packed(server.address) as peer:
        peer.send(peer.packed_text(Bits().fixed(b"Hello").sync()) + frame(TEXT, b"plain") + frame(BINARY, b"\xff")
                  + frame(TEXT, b"in ", fin=False) + frame(CONT, b"two")
                  + peer.packed_text(Bits().fixed((5, 5)).sync()))
        for kind, data in ((TEXT, b"Hello"), (TEXT, b"plain"), (BINARY, b"\xff"), (TEXT, b"in two"),
                           (TEXT, b"Hello")):
            peer.wants(kind, data)


def after_final_block(server):
    """A final block, a plain message, an empty one, a reference: the window survives the end of the stream."""
    with Packed(server.address) as peer:
        peer.send(peer.packed_text(b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00") + frame(TEXT, b"plain")
                  + peer.packed_text(b"\x00") + peer.packed_text(Bits().fixed((5, 5)).sync())
                  + peer.packed_text(Bits().fixed(b"B", (6, 11), final=True).pad().fixed((3, 7)).sync()))
        for wanted in (b"Hello", b"plain", b"", b"Hello", b"BHelloHBHe"):
            peer.wants(TEXT, wanted)


def takeover(server):
    """With takeover each direction remembers, without it forgets: seen by the size of what comes again."""
    for ours in (True, False):
        for theirs in (True, False):
            offer = NAME + ("" if ours else "; client_no_context_takeover") + \
                ("" if theirs else "; server_no_context_takeover")
            with Packed(server.address, offer) as peer:
                equal("server_no_context_takeover" not in peer.answer, theirs, peer.answer)
                data = LETTERS[:min(8000, 1 << peer.unpacker.bits - 1)]
                for _ in range(4):
                    peer.round_trip(data)
                first, *more = peer.unpacker.sizes
                expect(all((size < first / 10) == theirs for size in more), f"sizes {peer.unpacker.sizes}")


def forgets(server):
    """Without the client's takeover a reference into an earlier message is an error."""
    for offer, remembered in ((NAME, True), (f"{NAME}; client_no_context_takeover", False)):
        with Packed(server.address, offer) as peer:
            if not remembered and "client_no_context_takeover" not in peer.answer:
                return "the server kept its window"
            peer.send(peer.packed_text(HELLO) + peer.packed_text(Bits().fixed((5, 5)).sync()))
            peer.wants(TEXT, b"Hello")
            if remembered:
                peer.wants(TEXT, b"Hello")
            else:
                peer.fails(1007)
    return None


def utf8_at_once(server):
    """Compressed text fails at its first impossible byte, not a byte earlier, though the rest is not sent."""
    for data in (b"\x80", b"\xc1", b"\xe0\x9f", b"\xed\xa0", b"\xf4\x90", b"\xff", b"\xe4\xbdA"):
        with Packed(server.address, timeout=2) as peer:
            begin = Bits().stored(b"abc" + data[:-1]).raw()
            end = Bits().stored(data[-1:]).raw()
            peer.send(peer.packed_text(begin, fin=False) + frame(PING, b"ok"))
            while (got := peer.frame())[1] != PONG:
                expect(not got[0], "a message before its end")
            peer.send(header(0, 1000) + mask(end, MASK))
            peer.fails(1007)
        with Packed(server.address, timeout=2) as peer:
            payload = Bits().stored(LONG + data).raw()
            peer.send(header(0xC1, 100000) + mask(payload, MASK))
            peer.fails(1007)


def corrupt_at_once(server):
    """So do corrupt data, in a frame whose rest is not sent."""
    with Packed(server.address, timeout=2) as peer:
        peer.send(header(0xC1, 100000) + mask(Bits().fixed(b"abc").put(6, 3).raw() + b"\0" * 10, MASK))
        peer.fails(1007)


def large(server, data, kind=BINARY):
    with Packed(server.address, timeout=30) as peer:
        reader = Reading(peer.message)
        peer.send(frame(kind, peer.packer(data), rsv=4, key=b"\1\2\3\4"))
        expect(reader.result(40) == (kind, data), "another message came back")
        note = f"{peer.unpacker.sizes[0]} bytes came back" if peer.packed else "uncompressed"
        peer.alive()
        return note


def many_frames(server, count, every):
    """One message in `count` frames; `every` byte of it in the last, or spread."""
    packed = Packer()(LETTERS[:count] if every else WORDS)
    pieces = [packed[at:at + 1] for at in range(min(count, len(packed)))] if every else []
    pieces += [b""] * (count - 1 - len(pieces)) + [packed[len(pieces):]]
    with Packed(server.address, timeout=20) as peer:
        reader = Reading(peer.message)
        peer.send(b"".join(frame(CONT if at else TEXT, piece, fin=at == count - 1, rsv=0 if at else 4)
                           for at, piece in enumerate(pieces)))
        equal(reader.result(), (TEXT, LETTERS[:count] if every else WORDS), "the message")


def run(suite, server):
    for name, payload, wanted in GOOD:
        suite.check(name, good, server, payload, wanted)
    for name, payload, code in BAD:
        suite.check(f"{code}: {name}", bad, server, payload, code)
    for bits in (8, 9, 10, 12, 14, 15):
        suite.check(f"a distance of the window's size, {bits} bits", window_edge, server, bits)
    suite.check("too large a distance inside a message", window_edge_inside, server)
    suite.check("1002: reserved bits with compression", faults_between, server)
    suite.check("uncompressed messages between", plain_between, server)
    suite.check("messages behind a final block", after_final_block, server)
    suite.check("context takeover of both sides", takeover, server)
    suite.check("no takeover forgets", forgets, server)
    suite.check("1007 at once: bad UTF-8, rest not sent", utf8_at_once, server)
    suite.check("1007 at once: corrupt data, rest not sent", corrupt_at_once, server)
    suite.check("64 KiB of letters", large, server, LETTERS, TEXT)
    suite.check("16 MiB of text", large, server, LONG * (16 * MIB // len(LONG)), TEXT, limit=40)
    suite.check("16 MiB of zeros", large, server, bytes(16 * MIB), limit=40)
    suite.check("16 MiB of noise", large, server, (NOISE * 250)[:16 * MIB], limit=40)
    suite.check("65,536 empty fragments", many_frames, server, 65536, False, limit=30)
    suite.check("65,537 fragments of a byte", many_frames, server, 65537, True, limit=30)


# ---- Bombs -----------------------------------------------------------------------------------------


def bomb(size, level=9):
    return Packer(level=level)(bytes(size))


def explode(server, limit, make):
    """1009; the server's peak stays near what its limit allows, however large the message would be."""
    before = server.peak()
    with Packed(server.address, timeout=20) as peer:
        frames = make(peer)
        reader = Reading(peer.fails, 1009)
        try:
            for data in frames:
                peer.send(data)
        except Ended:
            pass
        reader.result()
    grown = max(0, server.peak() - before)
    most = 3 * limit + 2 * MIB
    expect(grown < most, f"the peak grew by {grown >> 10} KiB with a limit of {limit >> 10} KiB")
    return f"+{grown >> 10} KiB"


def spread(payload, count):
    """A payload in many frames."""
    size = len(payload) // count + 1
    return [frame(CONT if at else TEXT, payload[at:at + size], fin=at + size >= len(payload),
                  rsv=0 if at else 4) for at in range(0, len(payload), size)]


def second(peer, payload):
    """A bomb behind a good message whose bytes it may refer to."""
    peer.send(peer.packed_text(Bits().stored(LETTERS[:32768]).sync()))
    peer.wants(TEXT, LETTERS[:32768])
    return [payload]


def limit_edge():
    """The limit counts inflated bytes: exactly it passes, also when the payload is larger than it."""
    with Server("ws_echo_server", "--deflate", "--max-message", "1000") as server:
        for data in (bytes(1000), NOISE[:1000], NOISE.hex().encode()[:1000]):
            with Packed(server.address) as peer:
                peer.round_trip(data, BINARY)
                peer.send(frame(BINARY, peer.packer(data + b"x"), rsv=4))
                peer.fails(1009)
        with Packed(server.address) as peer:
            peer.send(frame(TEXT, Bits().stored(LETTERS[:500]).raw(), fin=False, rsv=4)
                      + frame(CONT, Bits().stored(LETTERS[:501]).sync()))
            peer.fails(1009)
        server.terminate()


def bombs(suite):
    suite.check("--max-message counts inflated bytes", limit_edge)
    small, large_limit = 1 * MIB, 16 * MIB
    packed = bomb(256 * MIB)
    reference = Bits().fixed(*[(258, 32768)] * (8 * MIB // 258)).sync()
    with Server("ws_echo_server", "--deflate", "--max-message", str(small)) as server:
        with Packed(server.address) as peer:
            peer.round_trip(LETTERS[:1000])
        for name, make in (
                ("256 MiB in a frame", lambda peer: [peer.packed_text(packed)]),
                ("256 MiB in 1,000 frames", lambda peer: spread(packed, 1000)),
                ("in the second message", lambda peer: second(peer, peer.packed_text(bomb(64 * MIB)))),
                ("made of references into the first", lambda peer: second(peer, peer.packed_text(reference))),
                ("in an unfinished frame",
                 lambda peer: [header(0xC1, len(packed) + 50000), mask(packed, MASK)]),
                ("of a byte more than allowed", lambda peer: [peer.packed_text(bomb(small + 1))])):
            suite.check(f"1009: a bomb {name}", explode, server, small, make, limit=30)
        suite.check("connections released", server.all_gone)
    with Server("ws_echo_server", "--deflate") as server:
        with Packed(server.address) as peer:
            peer.round_trip(LETTERS[:1000])
        suite.check("1009: a bomb of 256 MiB, limit of 16 MiB", explode, server, large_limit,
                    lambda peer: [peer.packed_text(packed)], limit=30)
        suite.check("200 connections that compress", crowd, server, 200, limit=30)
        suite.check("idle", lambda: (server.all_gone(), server.idle())[0])
        suite.check("SIGTERM", server.terminate)


def crowd(server, count):
    before = server.rss()
    peers = [Packed(server.address) for _ in range(count)]
    for turn in range(3):
        for at, peer in enumerate(peers):
            peer.round_trip(WORDS * 50 + b"%d %d" % (turn, at))
    grown = (server.rss() - before) // count
    for peer in peers:
        peer.sock.close()
    expect(grown < 512 * 1024, f"{grown >> 10} KiB for each connection")
    return f"{grown >> 10} KiB for each connection"


def main():
    suite = Suite("deflate")
    wanted = set(sys.argv[1:]) or {"offers", "payloads", "bombs"}
    with Server("ws_echo_server", "--deflate") as server, Server("ws_echo_server") as plain:
        if "offers" in wanted:
            offers.run(suite, server, plain)
        if "payloads" in wanted:
            run(suite, server)
            # RSV1 is no reserved bit there.
            suite.check("the strictness matrix with compression", matrix, server,
                        strict.PACKED + strict.VECTORS[1:] + strict.MORE, Packed, limit=30)
        server.alive()
    if "bombs" in wanted:
        bombs(suite)
    suite.finish()


if __name__ == "__main__":
    main()
