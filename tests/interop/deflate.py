# SPDX-License-Identifier: MIT
"""permessage-deflate for the raw peers: deflate blocks made by hand, and compression with rules checked."""

import zlib

from harness import equal, expect
from wire import CLIENT, Peer, request

EXTENSION = "Sec-WebSocket-Extensions"
TAIL = b"\0\0\xff\xff"
MIB = 1 << 20

# RFC 1951 3.2.5: the first length of each code from 257 on and its extra bits, the same for distances.
LENGTHS = [(3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 1), (13, 1), (15, 1),
           (17, 1), (19, 2), (23, 2), (27, 2), (31, 2), (35, 3), (43, 3), (51, 3), (59, 3), (67, 4), (83, 4),
           (99, 4), (115, 4), (131, 5), (163, 5), (195, 5), (227, 5), (258, 0)]
DISTANCES = [(1, 0), (2, 0), (3, 0), (4, 0), (5, 1), (7, 1), (9, 2), (13, 2), (17, 3), (25, 3), (33, 4),
             (49, 4), (65, 5), (97, 5), (129, 6), (193, 6), (257, 7), (385, 7), (513, 8), (769, 8), (1025, 9),
             (1537, 9), (2049, 10), (3073, 10), (4097, 11), (6145, 11), (8193, 12), (12289, 12),
             (16385, 13), (24577, 13)]


class Bits:
    """A deflate stream, block by block. `sync` ends a message as RFC 7692 7.2.1 wants it on the wire."""

    def __init__(self):
        self.bytes = bytearray()
        self.value = self.count = 0

    def put(self, value, count):
        self.value |= value << self.count
        self.count += count
        while self.count >= 8:
            self.bytes.append(self.value & 255)
            self.value, self.count = self.value >> 8, self.count - 8
        return self

    def _code(self, code, count):
        """A Huffman code: its highest bit comes first."""
        return self.put(int(f"{code:0{count}b}"[::-1], 2), count)

    def _symbol(self, symbol):
        """A literal, length or end symbol in the fixed code."""
        if symbol < 144:
            self._code(0x30 + symbol, 8)
        elif symbol < 256:
            self._code(0x190 + symbol - 144, 9)
        elif symbol < 280:
            self._code(symbol - 256, 7)
        else:
            self._code(0xC0 + symbol - 280, 8)

    def _match(self, length, distance):
        index = max(at for at, (first, _) in enumerate(LENGTHS) if first <= length)
        self._symbol(257 + index)
        self.put(length - LENGTHS[index][0], LENGTHS[index][1])
        index = max(at for at, (first, _) in enumerate(DISTANCES) if first <= distance)
        self._code(index, 5)
        self.put(distance - DISTANCES[index][0], DISTANCES[index][1])

    def fixed(self, *parts, final=False, end=True):
        """A block with the fixed code. Parts are bytes, and (length, distance) pairs."""
        self.put(int(final), 1).put(1, 2)
        for part in parts:
            if isinstance(part, tuple):
                self._match(*part)
            else:
                for byte in part:
                    self._symbol(byte)
        if end:
            self._symbol(256)
        return self

    def pad(self):
        return self.put(0, -self.count % 8)

    def stored(self, data=b"", final=False):
        self.put(int(final), 1).put(0, 2).pad()
        size = len(data)
        self.bytes += size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + data
        return self

    def raw(self):
        """What there is, to the next byte's border."""
        self.pad()
        return bytes(self.bytes)

    def sync(self):
        """The empty stored block that a message ends with, but for its last four bytes."""
        return self.put(0, 3).raw()


class Packer:
    """Compresses messages as one side does."""

    def __init__(self, bits=15, takeover=True, level=6):
        self.options = (level, zlib.DEFLATED, -max(bits, 9))
        self.stored = bits == 8  # zlib cannot compress for such a window
        self.takeover = takeover
        self.state = None

    def __call__(self, data):
        if self.stored:
            bits = Bits()
            for at in range(0, len(data), 65535):
                bits.stored(data[at:at + 65535])
            return bits.sync()
        if self.state is None or not self.takeover:
            self.state = zlib.compressobj(*self.options)
        packed = self.state.compress(data) + self.state.flush(zlib.Z_SYNC_FLUSH)
        return packed[:-4] if packed.endswith(TAIL) and len(packed) > 4 else b"\0"


class Unpacker:
    """Decompresses the messages of the other side. `strict` sees to it that no distance is larger than the
    window: zlib itself looks no further than the output it gives at once."""

    def __init__(self, bits=15, takeover=True, strict=False):
        self.bits, self.takeover, self.strict = bits, takeover, strict
        self.state = None
        self.sizes = []  # payload bytes of each compressed message

    def __call__(self, payload):
        expect(payload, "a compressed message without payload")
        expect(not payload.endswith(TAIL), "a message with the tail of its flush on the wire")
        self.sizes.append(len(payload))
        if self.state is None or not self.takeover:
            self.state = zlib.decompressobj(-self.bits)
        data = self._bytewise(payload + TAIL) if self.strict else self.state.decompress(payload + TAIL)
        expect(not self.state.eof, "a final block in the other side's stream")
        return data

    def _bytewise(self, packed):
        pieces = []
        for at in range(0, len(packed), 64):
            rest = packed[at:at + 64]
            while True:
                pieces.append(self.state.decompress(rest, 1))
                rest = self.state.unconsumed_tail
                if not pieces[-1] and not rest:
                    break
        return b"".join(pieces)


def terms(value):
    """An answer or offer as its parameters: a flag is True, a window its number."""
    name, *params = [part.strip() for part in value.split(";")]
    equal(name, "permessage-deflate", "extension")
    found = {}
    for param in params:
        key, equals, number = param.partition("=")
        expect(key not in found, f"{key} stands twice in {value!r}")
        expect(key.startswith(("server_", "client_")), f"parameter {key!r}")
        if key.endswith("_max_window_bits") and equals:
            expect(number in [str(bits) for bits in range(8, 16)], f"value in {param!r}")
        found[key] = int(number) if equals else True
    return found


def agree(stream, agreed, strict=False):
    """Sets the stream up for the parameters agreed on."""
    ours, theirs = ("client", "server") if stream.say is CLIENT else ("server", "client")
    window = {side: agreed.get(f"{side}_max_window_bits", 15) for side in (ours, theirs)}
    takeover = {side: f"{side}_no_context_takeover" not in agreed for side in (ours, theirs)}
    stream.packer = Packer(window[ours] if window[ours] is not True else 15, takeover[ours])
    stream.unpacker = Unpacker(window[theirs] if window[theirs] is not True else 15, takeover[theirs], strict)


class Packed(Peer):
    """A connection to a server that has to agree on permessage-deflate."""

    def __init__(self, address, offer="permessage-deflate", strict=False, **options):
        super().__init__(address, opened=False, **options)
        self.send(request(add=[f"{EXTENSION}: {offer}"]))
        reply = self.response()
        equal(reply.status, 101, "status")
        self.answer = reply.one(EXTENSION)
        agree(self, terms(self.answer), strict)
