# SPDX-License-Identifier: MIT
"""The cases of cases.py against ws_echo_server and ws_echo_client, plain and with compression.

    BUILD=build python3 tests/interop/conformance_cases.py [server|client]..."""

import subprocess
import sys

import cases
from deflate import Packed, terms
from guest import Client, Listener
from harness import Failure, Server, Suite, equal, expect
from wire import CONT, PING, Ended, Peer, Reading, SERVER

DEFLATE = "permessage-deflate"
MESSAGES = 200  # of a case of 12 and 13 at most
BYTES = 512 * 1024  # of such a case at most, but one message at least


class AtServer:
    """ws_echo_server under test: each case has a connection."""

    name = "server"

    def __init__(self, *options):
        self.server = Server("ws_echo_server", *options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.kill()

    def run(self, call, *args, parameters=None):
        if parameters is None:
            peer = Peer(self.server.address, timeout=20)
        else:
            peer = Packed(self.server.address, ", ".join(offer(one) for one in parameters), timeout=20)
            asked(peer.answer, parameters)
        with peer:
            call(peer, *args)

    def end(self):
        self.server.all_gone()
        return self.server.terminate()


class AtClient:
    """ws_echo_client under test: each case is a run of the program."""

    name = "client"

    def __init__(self, *options):
        self.options = options
        self.listener = Listener()
        self.runs = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.sock.close()

    def run(self, call, *args, parameters=None):
        self.runs += 1
        with Client("ws_echo_client", *self.options, self.listener.url(f"/runCase?case={self.runs}&agent=weir"),
                    stdin=subprocess.PIPE) as client, self.listener.accept(20) as guest:
            if parameters is None:
                guest.open()
            else:
                guest.open(answer(parameters[0]))
            equal(guest.target, f"/runCase?case={self.runs}&agent=weir", "request target")
            call(guest, *args)
            guest.sock.close()
            expect(client.wait() in (0, 1), f"the client ended with {client.process.returncode}")

    def end(self):
        return f"{self.runs} runs"


# ---- Groups 1 to 10 --------------------------------------------------------------------------------


def chunks(frames, cut):
    """What is sent at once: everything, a frame, or so many bytes."""
    if cut == "frames":
        return frames
    data = b"".join(frames)
    return [data[at:at + cut] for at in range(0, len(data), cut)] if cut else [data]


def play(stream, case):
    pieces = chunks(case.frames(stream.say), case.cut)

    def speak():
        try:
            for piece in pieces:
                stream.send(piece)
        except Ended:
            pass
    total = sum(map(len, pieces))
    speaker = Reading(speak) if total > 60000 else speak()
    for opcode, data in case.wanted:
        got = stream.message()
        expect(got[0] == opcode and data == got[1], f"got {got[0]} of {len(got[1])} bytes, "
               f"wanted {opcode} of {len(data)}")
    if speaker:
        speaker.result()
    finish(stream, case.code, case.ours)


def finish(stream, code, ours):
    """The server ends TCP first, so as a server we do not wait for the client's end."""
    ended = stream.say is not SERVER
    if code is None:
        stream.send(stream.say.close(1000))
        stream.closed(1000, ended)
    elif ours:
        stream.closed(code or None, ended)
    else:
        stream.fails(code, ended)


def group(side, make):
    wrong, count = [], 0
    for case in make():
        count += 1
        try:
            side.run(play, case)
        except Failure as error:
            wrong.append(f"{case.name}: {error}")
    expect(not wrong, f"{len(wrong)} of {count} cases: " + "; ".join(wrong[:4]))
    return f"{count} cases"


# ---- Groups 12 and 13 ------------------------------------------------------------------------------


def offer(parameters):
    """A client's offer that asks the server for these parameters, and would take them itself."""
    takeover, bits = parameters
    return DEFLATE + "; client_max_window_bits" + ("; server_no_context_takeover" if takeover else "") + \
        (f"; server_max_window_bits={bits}" if bits else "")


def answer(parameters):
    """A server's answer that asks the client for them."""
    takeover, bits = parameters
    return DEFLATE + ("; client_no_context_takeover" if takeover else "") + \
        (f"; client_max_window_bits={bits}" if bits else "")


def asked(value, parameters):
    """The answer holds what the first offer asked for: each of them can be met."""
    takeover, bits = parameters[0]
    agreed = terms(value)
    expect(not takeover or "server_no_context_takeover" in agreed, f"answer {value!r}")
    expect(not bits or agreed.get("server_max_window_bits", 15) <= bits, f"answer {value!r}")


def exchange(stream, kind, data, size, frame):
    """Messages one after another; each is sent compressed, in frames if so wanted, and comes back right."""
    count = max(1, min(MESSAGES, BYTES // size))
    for number in range(count):
        part = cases.take(data, number, size)
        packed = stream.packer(part)
        pieces = cases.chopped(packed, frame or len(packed))
        frames = [stream.say.frame(CONT if at else kind, piece, fin=at == len(pieces) - 1, rsv=0 if at else 4)
                  for at, piece in enumerate(pieces)]
        if number % 7 == 3:
            frames.insert(min(1, len(frames) - 1), stream.say.frame(PING, b"between"))
        stream.send(b"".join(frames))
        if number % 7 == 3:
            stream.wants(10, b"between")
        got = stream.message()
        expect(got == (kind, part), f"message {number} of {size} bytes came back as {len(got[1])}")
        expect(stream.packed or size < 1024, "a long echo came uncompressed")
    finish(stream, None, False)


def compression(side, kind, data, parameters):
    wrong = []
    for at, (size, frame) in enumerate(cases.SIZES, 1):
        try:
            side.run(exchange, kind, data, size, frame, parameters=parameters)
        except Failure as error:
            wrong.append(f"{at} ({size} bytes, frames of {frame}): {error}")
    expect(not wrong, f"{len(wrong)} of {len(cases.SIZES)} cases: " + "; ".join(wrong[:4]))
    return f"{len(cases.SIZES)} cases"


def run_plain(suite, side):
    for name, make in cases.GROUPS.items():
        suite.check(f"{side.name}: {name}", group, side, make, limit=60)


def run_packed(suite, side, materials):
    for number, (kind, data) in materials.items():
        suite.check(f"{side.name}: 12.{number}", compression, side, kind, data, [(False, 0)], limit=40)
    for number, parameters in cases.PARAMETERS.items():
        several = [parameters] if parameters else [(True, 9), (True, 0), (False, 0)]
        suite.check(f"{side.name}: 13.{number}", compression, side, *materials[1 + number % 4], several, limit=40)


def complete():
    """As many cases as the suite has, each with a name of its own."""
    names = [case.name for make in cases.GROUPS.values() for case in make()]
    packed = len(cases.SIZES) * (len(cases.materials()) + len(cases.PARAMETERS))
    equal((len(names), len(set(names)), packed), (301, 301, 216), "cases")
    return f"{len(names) + packed} cases"


def main():
    suite = Suite("cases")
    wanted = sys.argv[1:] or ["server", "client"]
    materials = cases.materials()
    suite.check("complete", complete)
    for side in [kind for kind in (AtServer, AtClient) if kind.name in wanted]:
        for options in ((), ("--deflate",)):
            with side(*options) as under_test:
                if options:
                    run_packed(suite, under_test, materials)
                    suite.check(f"{side.name}: 6 UTF-8, with compression agreed on", group_packed, under_test)
                else:
                    run_plain(suite, under_test)
                suite.check(f"{side.name}: the end of {' '.join(options) or 'plain'} runs", under_test.end)
    suite.finish()


class Compressing:
    """Speech whose texts are compressed."""

    def __init__(self, say, packer):
        self.say, self.packer = say, packer

    def __getattr__(self, name):
        return getattr(self.say, name)

    def text(self, data, **_):
        return self.say.text(self.packer(data), rsv=4)


def play_packed(stream, case):
    frames = case.frames(Compressing(stream.say, stream.packer))
    stream.send(b"".join(frames))
    for kind, data in case.wanted:
        equal(stream.message(), (kind, data), "message")
    finish(stream, case.code, case.ours)


def group_packed(side):
    """The texts of 6.5 on that are one frame, compressed: the verdicts are the same."""
    wrong, count = [], 0
    for case in cases.texts():
        if case.name.startswith(("6.1", "6.2.1", "6.3.1", "6.5", "6.6", "6.7", "6.8", "6.9")) and \
                case.name not in ("6.1.2", "6.1.3"):
            count += 1
            try:
                side.run(play_packed, case, parameters=[(False, 0)])
            except Failure as error:
                wrong.append(f"{case.name}: {error}")
    expect(not wrong, f"{len(wrong)} of {count} cases: " + "; ".join(wrong[:4]))
    return f"{count} cases"


if __name__ == "__main__":
    main()
