# SPDX-License-Identifier: MIT
"""A small HTTP and WebSocket peer over a raw socket that can also say what no library would say."""

import base64
import hashlib
import os
import socket
import struct
import threading

from harness import Failure, equal, expect

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
MASK = b"\x37\xfa\x21\x3d"

FIELDS = (
    ("Host", "server.example.com"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
)


def accept_for(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def request(line="GET /chat HTTP/1.1", drop=(), add=(), **change):
    """The head of an opening handshake, with changes: `key="x"` sets Sec-WebSocket-Key, a list of
    values repeats the field, `drop` leaves fields out, `add` appends raw lines."""
    names = {"host": "Host", "upgrade": "Upgrade", "connection": "Connection",
             "key": "Sec-WebSocket-Key", "version": "Sec-WebSocket-Version"}
    changed = {names[short]: value for short, value in change.items()}
    dropped = {names[short] for short in drop}
    lines = [line]
    for name, value in FIELDS:
        values = changed.get(name, value)
        for one in [values] if isinstance(values, str) else values:
            if name not in dropped:
                lines.append(f"{name}: {one}")
    lines.extend(add)
    return "".join(f"{text}\r\n" for text in lines + [""]).encode("latin-1")


def mask(payload, key):
    count = len(payload)
    pad = (key * (count // 4 + 1))[:count]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(count, "big")


def header(first, length, key=MASK, form=None, announced=None):
    """A frame header whose first byte is `first`. `form` forces the 7, 16 or 64 bit length field."""
    length = length if announced is None else announced
    form = form or (7 if length < 126 else 16 if length < 65536 else 64)
    bit = 0x80 if key is not None else 0
    if form == 7:
        size = bytes([bit | length])
    elif form == 16:
        size = bytes([bit | 126]) + struct.pack("!H", length)
    else:
        size = bytes([bit | 127]) + struct.pack("!Q", length)
    return bytes([first]) + size + (key or b"")


def frame(opcode, payload=b"", fin=True, rsv=0, key=MASK, form=None):
    """A client's frame. key=None leaves it unmasked."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    body = mask(payload, key) if key is not None else payload
    return header(first, len(payload), key, form) + body


def text(string, **options):
    data = string.encode() if isinstance(string, str) else string
    return frame(TEXT, data, **options)


def close(code=None, reason=b""):
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


class Speech:
    """The frames of one side: those of a client are masked, those of a server are not."""

    def __init__(self, key):
        self.key = key

    def header(self, first, length):
        return header(first, length, self.key)

    def frame(self, opcode, payload=b"", key=..., **options):
        return frame(opcode, payload, key=self.key if key is ... else key, **options)

    def text(self, string, **options):
        return self.frame(TEXT, string.encode() if isinstance(string, str) else string, **options)

    def close(self, code=None, reason=b""):
        return self.frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)

    def payload(self, data):
        """A part of a payload from its beginning, as it stands on the wire."""
        return mask(data, self.key) if self.key is not None else data


CLIENT = Speech(MASK)
SERVER = Speech(None)


class Ended(Failure):
    """The other side closed the connection where more was expected."""


class Reset(Ended):
    """The connection was reset: what the server had said may be lost on the way."""


class Head:
    """A parsed HTTP head, of a request or a reply."""

    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0].split(" ", 2)
        expect(len(self.line) == 3, f"first line {lines[0]!r}")
        self.fields = [line.split(":", 1) for line in lines[1:] if line]
        for field in self.fields:
            expect(len(field) == 2, f"field line {field!r}")

    def all(self, name):
        return [value.strip() for key, value in self.fields if key.lower() == name.lower()]

    def one(self, name):
        values = self.all(name)
        expect(len(values) == 1, f"{name} stands {len(values)} times in the head")
        return values[0]

    def tokens(self, name):
        return [part.strip().lower() for value in self.all(name) for part in value.split(",")]


class Response(Head):
    def __init__(self, head):
        super().__init__(head)
        expect(self.line[0] == "HTTP/1.1", f"status line {self.line}")
        self.status = int(self.line[1])


class Stream:
    """One end of a TCP connection, and the frames and messages that come over it."""

    say = CLIENT  # what we are
    packer = unpacker = None  # with permessage-deflate: what to compress and decompress messages with

    def __init__(self, sock, timeout=5):
        self.sock = sock
        self.sock.settimeout(timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.in_message = False
        self.packed = False
        self.kind = None
        self.pieces = []
        self.keys = []  # the masking keys seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    @property
    def port(self):
        return self.sock.getsockname()[1]

    def send(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise Reset("reset while sending") from None

    def send_cut(self, data, size=1):
        for at in range(0, len(data), size):
            self.send(data[at:at + size])

    def end_writing(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """Close so that the other side sees a reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _more(self):
        try:
            data = self.sock.recv(1 << 18)
        except ConnectionResetError:
            raise Reset(f"connection reset ({len(self.buffer)} bytes pending)") from None
        except socket.timeout:
            raise Failure(f"nothing arrived ({bytes(self.buffer[:40])!r} pending)") from None
        if not data:
            raise Ended(f"the other side closed ({bytes(self.buffer[:40])!r} pending)")
        self.buffer += data

    def take(self, count):
        while len(self.buffer) < count:
            self._more()
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def head(self, kind):
        """The next head, of a request or a reply."""
        while b"\r\n\r\n" not in self.buffer:
            expect(len(self.buffer) < 65536, "endless head")
            self._more()
        end = self.buffer.index(b"\r\n\r\n") + 4
        return kind(self.take(end)[:-4])

    def response(self):
        return self.head(Response)

    def rest(self):
        """Everything up to the orderly end of the connection; a reset is a failure."""
        try:
            while True:
                self._more()
        except Reset:
            raise
        except Ended:
            return bytes(self.buffer)

    def frame(self):
        """The next frame, checked for what RFC 6455 5.2 asks of the other side."""
        first, second = self.take(2)
        fin, opcode, length = first >> 7, first & 15, second & 127
        self._judge_first(fin, first >> 4 & 7, opcode)
        equal(bool(second & 0x80), self.say is SERVER, "whether the frame is masked")
        if length == 126:
            length = struct.unpack("!H", self.take(2))[0]
            expect(length > 125, "length not in its shortest form")
        elif length == 127:
            length = struct.unpack("!Q", self.take(8))[0]
            expect(65535 < length < 1 << 63, "length not in its shortest form")
        expect(opcode < 8 or length <= 125, f"a control frame of {length} bytes")
        if not second & 0x80:
            return fin, opcode, self.take(length)
        key = self.take(4)
        self.keys.append(key)
        return fin, opcode, mask(self.take(length), key)

    def _judge_first(self, fin, reserved, opcode):
        if opcode >= 8:
            expect(opcode <= PONG and fin and reserved == 0, f"bad control frame {fin} {reserved} {opcode}")
            return
        expect(opcode <= BINARY, f"reserved opcode {opcode}")
        expect((opcode == CONT) == self.in_message, f"opcode {opcode} out of order")
        packable = self.unpacker is not None and opcode != CONT
        expect(reserved == 0 or (reserved == 4 and packable), f"reserved bits {reserved} of opcode {opcode}")
        if opcode != CONT:
            self.packed = reserved == 4
        self.in_message = not fin

    def message(self):
        """The next whole message (its type and bytes), or control frame, also one inside a message."""
        while True:
            fin, opcode, payload = self.frame()
            if opcode >= 8:
                return opcode, payload
            self.kind = opcode or self.kind
            self.pieces.append(payload)
            if fin:
                data, self.pieces = b"".join(self.pieces), []
                return self.kind, self.unpacker(data) if self.packed else data

    def message_or_close(self):
        """The next whole message, or the Close that came before its end."""
        opcode, payload = self.message()
        expect(opcode in (TEXT, BINARY, CLOSE), f"opcode {opcode}")
        return opcode, payload

    def wants(self, opcode, payload, what="reply"):
        equal(self.message(), (opcode, payload), what)

    def packed_text(self, payload, **options):
        """A frame of deflate data, as it is."""
        return self.say.frame(TEXT, payload, **{"rsv": 4, **options})

    def round_trip(self, data, kind=TEXT):
        """A compressed message comes back, compressed if that is worth the while."""
        self.send(self.say.frame(kind, self.packer(data), rsv=4))
        self.wants(kind, data, "echo")
        expect(self.packed or len(data) < 1024, "a long echo came uncompressed")

    def alive(self):
        """Nothing is pending and the other side answers."""
        word = os.urandom(8)
        self.send(self.say.frame(PING, word))
        self.wants(PONG, word, "answer to a ping")

    def closed(self, code, ended=True):
        """The next frame is a Close with this code (None: without one), then the stream ends."""
        opcode, payload = self.message()
        equal(opcode, CLOSE, "opcode")
        got = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else None
        expect(len(payload) != 1, "a Close of one byte")
        payload[2:].decode("utf-8")
        equal(got, code, "close code")
        if ended:
            equal(self.rest(), b"", "bytes after the Close")
        return payload[2:]

    def fails(self, code, ended=True):
        """A Close with this code comes, perhaps behind a part of the message that broke off; then the end."""
        while True:
            fin, opcode, payload = self.frame()
            if opcode == CLOSE:
                break
            expect(opcode in (CONT, TEXT, BINARY) and not fin, f"opcode {opcode} before the Close")
        expect(len(payload) >= 2, "a Close without a code")
        equal(struct.unpack("!H", payload[:2])[0], code, "close code")
        payload[2:].decode("utf-8")
        if ended:
            equal(self.rest(), b"", "bytes after the Close")


class Peer(Stream):
    """A connection to the server. With `opened` it performs the opening handshake first."""

    def __init__(self, address, opened=True, timeout=5, receive_buffer=None):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(timeout)
        sock.connect(address)
        super().__init__(sock, timeout)
        if opened:
            self.send(request())
            equal(self.response().status, 101, "status")

    def reads_on(self):
        """Room in the kernel for a peer that had little. In a window that is smaller than a segment the kernels' timers
        may set the pace from then on: a window's worth in 200 ms."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, 65535)


class Reading:
    """A call in a thread, so that neither side of a busy connection has to wait for the other."""

    def __init__(self, call, *args):
        self.outcome = None
        self.thread = threading.Thread(target=self._run, args=(call, args), daemon=True)
        self.thread.start()

    def _run(self, call, args):
        try:
            self.outcome = call(*args)
        except Exception as error:  # pylint: disable=broad-except
            self.outcome = error

    def result(self, seconds=20):
        self.thread.join(seconds)
        expect(not self.thread.is_alive(), f"nothing complete after {seconds} s")
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome
