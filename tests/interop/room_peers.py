# SPDX-License-Identifier: MIT
"""demo_server's room with peers that no page would be: malformed, silent, stalled, loud, many.

The messages are those of docs/examples/demo/room.h."""

import json
import time

from harness import Server, Suite, equal, expect
from wire import (BINARY, CLOSE, PING, PONG, TEXT, Peer, Reading, close, frame, header, request,
                  text)

MIB = 1 << 20


class Member(Peer):
    """A raw peer in the room. Pings are answered while it listens."""

    def __init__(self, server, name=None, **options):
        super().__init__(server.address, opened=False, **options)
        self.send(request("GET /room HTTP/1.1"))
        equal(self.response().status, 101, "status")
        self.name = None
        if name is not None:
            self.say(join=name)
            welcome = self.hears("welcome")
            self.name, self.online = welcome["name"], welcome["online"]
            expect(self.name in self.online, "the list lacks the new member")

    def say(self, **message):
        self.send(text(json.dumps(message, ensure_ascii=False)))

    def next(self):
        """The next message, as what its JSON means."""
        while True:
            opcode, payload = self.message()
            if opcode == TEXT:
                return json.loads(payload.decode("utf-8"))
            expect(opcode == PING, f"opcode {opcode} {payload!r}")
            self.send(frame(PONG, payload))

    def hears(self, kind, **wanted):
        """The next message of this kind and content; others may come before it."""
        while True:
            message = self.next()
            if message["type"] == kind and wanted.items() <= message.items():
                return message

    def expelled(self, *codes):
        """A Close with one of these codes comes, perhaps behind other messages."""
        while True:
            opcode, payload = self.message()
            if opcode == CLOSE:
                code = int.from_bytes(payload[:2], "big")
                expect(code in codes, f"close code {code}")
                return
            expect(opcode in (TEXT, PING), f"opcode {opcode}")


def talk(server):
    with Member(server, "Ann") as ann, Member(server, "Ben 你好 🎈") as ben:
        equal(ben.online, ["Ann", "Ben 你好 🎈"], "who is online")
        equal(ann.hears("join"), {"type": "join", "name": ben.name, "online": 2}, "what Ann hears")
        ann.say(say="hello 你好")
        for member in (ann, ben):
            equal(member.hears("say"), {"type": "say", "name": "Ann", "text": "hello 你好"}, "the message")
        ben.send(close(1000))
        ben.closed(1000)
        equal(ann.hears("leave")["why"], "left", "why")
    server.all_gone()


def malformed(server):
    """What is no message of the room is answered with an error, or with a Close, never with silence."""
    with Member(server, "Ann") as ann, Member(server, "Watcher") as watcher:
        for message in ("", "hello", "{", "[]", "null", '{"say":5}', '{"say":["x"]}', '{"shout":"x"}',
                        '{"say":"x"', '{"say":"x"}}', '{"say":"\\x"}', '{"join":"Again"}', "[" * 8000):
            ann.send(text(message))
            ann.hears("error")
        ann.say(say="still here")
        equal(watcher.hears("say")["text"], "still here", "what the others hear")


def not_joined(server):
    with Member(server, "Ann") as ann, Member(server) as stranger:
        stranger.say(say="hello?")
        stranger.hears("error")
        for name in ("", "   ", "\t\n"):
            stranger.say(join=name)
            stranger.hears("error")
        stranger.say(join="Stan")
        stranger.hears("welcome")
        equal(ann.hears("join")["name"], "Stan", "who came")


def expulsion(server, data, codes):
    with Member(server, "Ann") as ann, Member(server, "Mallory") as mallory:
        ann.hears("join")
        mallory.send(data)
        mallory.expelled(*codes)
        ann.hears("leave", name="Mallory")
        ann.say(say="alone")
        ann.hears("say", text="alone")


def hostile_names(server):
    """Whatever a name contains, all messages about it are JSON and the name is one line."""
    names = ('"},{"type":"say', "\\", "\x00a\x1fb", "a\r\nb", "x" * 5000, "你" * 200, "👩‍👩‍👧‍👦" * 20, "\u2028",
             "<script>", "__proto__")
    with Member(server, "Ann") as ann:
        for name in names:
            with Member(server, name) as guest:
                expect(not any(ord(char) < 32 for char in guest.name), f"control bytes in {guest.name!r}")
                expect(len(guest.name.encode()) <= 200, f"a name of {len(guest.name)}")
                equal(ann.hears("join")["name"], guest.name, "the name that others hear")
            equal(ann.hears("leave")["name"], guest.name, "the name that leaves")


def namesakes(server, count):
    """Everybody has a name of one's own, and everybody is seen to leave."""
    members = [Member(server, "Sam") for _ in range(count)]
    equal(len({member.name for member in members}), count, "names")
    equal(len(members[-1].online), count, "online")
    for member in members[1:]:
        member.reset()
    left = {members[0].hears("leave")["name"] for _ in range(count - 1)}
    equal(left, {member.name for member in members[1:]}, "who left")
    members[0].sock.close()
    server.all_gone()
    server.idle()


def listen(member, count):
    """Hears `count` messages of the talker, in order. Who left meanwhile?"""
    left, number = [], 0
    while number < count:
        message = member.next()
        if message["type"] == "leave":
            left.append(message["name"])
        if message["type"] == "say":
            equal(message["text"].split()[0], str(number), f"the message that {member.name} hears")
            number += 1
    return left


def stalled(server):
    """One member stops reading: it is dropped in the end, the others hear everything."""
    count = 10000
    before = server.rss()
    with Member(server, "Deaf", receive_buffer=4096) as deaf, Member(server, "Ben") as ben, \
            Member(server, "Talker") as talker:
        hearing = [Reading(listen, member, count) for member in (ben, talker)]
        top = before
        for start in range(0, count, 20):
            for number in range(start, start + 20):
                talker.say(say=f"{number} " + "x" * 1000)
            time.sleep(0.002)
            top = max(top, server.rss())
        left = hearing[0].result(20)
        hearing[1].result(20)
        expect(top - before < 16 * MIB, f"memory grew by {(top - before) >> 20} MiB")
        equal(left, [deaf.name], "who was dropped")
    return f"+{(top - before) >> 10} KiB"


def flood(server):
    """A burst of small messages under a long name: those who read all hear all of it."""
    count = 40000
    with Member(server, "Ann") as ann, Member(server, "L" * 40) as loud:
        hearing = [Reading(listen, member, count) for member in (ann, loud)]
        burst = b"".join(text('{"say":"%d"}' % number) for number in range(count))
        loud.send(burst)
        for reader in hearing:
            reader.result(20)
        ann.say(say="over")
        ann.hears("say", text="over")


def lost(server):
    with Member(server, "Ann") as ann:
        Member(server, "Rex").reset()
        equal(ann.hears("leave"), {"type": "leave", "name": "Rex", "online": 1, "why": "lost"}, "news")
        half = Member(server, "Hal")
        half.end_writing()
        equal(ann.hears("leave")["name"], "Hal", "who left")
        half.rest()
        half.sock.close()


def silent(server):
    """A member whose TCP lives but who answers no ping is gone within 12 s; one who answers stays."""
    start = time.monotonic()
    with Member(server, "Ann", timeout=13) as ann, Member(server, "Mute") as mute:
        ann.hears("leave", name="Mute")
        took = time.monotonic() - start
        expect(2 <= took <= 12, f"noticed after {took:.1f} s")
        ann.say(say="hello")
        ann.hears("say")
        mute.sock.close()
        return f"noticed after {took:.1f} s"


def mixed(server):
    """Rooms, streams and pages at once on one port do not disturb each other."""
    stream = b"GET /chat/stream?prompt=hello HTTP/1.1\r\nHost: a\r\n\r\n"
    with Member(server, "Ann") as ann:
        streams = [Peer(server.address, opened=False, timeout=10) for _ in range(50)]
        for peer in streams:
            peer.send(stream)
        worst = 0
        for number in range(100):
            start = time.monotonic()
            ann.say(say=str(number))
            ann.hears("say", text=str(number))
            worst = max(worst, time.monotonic() - start)
        for peer in streams:
            while b"[DONE]" not in peer.buffer:
                peer._more()  # pylint: disable=protected-access
            peer.sock.close()
    expect(worst < 0.25, f"a message took {worst * 1000:.0f} ms")
    return f"messages at most {worst * 1000:.0f} ms"


def sigterm(server):
    members = [Member(server, "Sam") for _ in range(50)]
    stream = Peer(server.address, opened=False)
    stream.send(b"GET /chat/stream?prompt=hello HTTP/1.1\r\nHost: a\r\n\r\n")
    stream.response()
    ending = Reading(server.terminate)
    for member in members:
        member.expelled(1001)
        member.send(close(1001))
        equal(member.rest(), b"", "bytes after the Close")
        member.sock.close()
    stream.rest()
    stream.sock.close()
    return ending.result()


def main():
    suite = Suite("room")
    with Server("demo_server") as server:
        for name, call in (("two talk", talk), ("malformed messages", malformed),
                           ("who has not joined", not_joined), ("hostile names", hostile_names),
                           ("lost and half-closed", lost)):
            suite.check(name, call, server)
        for name, data, codes in (
                ("binary", frame(BINARY, b"x"), (1003,)), ("bad UTF-8", text(b"\xff"), (1007,)),
                ("reserved opcode", frame(3), (1002,)), ("1 MiB", text("x" * MIB), (1009,)),
                ("1 MiB announced", header(0x81, MIB), (1009,)),
                ("a Close of its own", close(4000), (4000,))):
            suite.check(f"expelled: {name}", expulsion, server, data, codes)
        suite.check("300 namesakes", namesakes, server, 300, limit=30)
        suite.check("a stalled member", stalled, server, limit=40)
        suite.check("a flood of small messages", flood, server, limit=40)
        suite.check("a silent member", silent, server, limit=20)
        suite.check("room and 50 streams at once", mixed, server, limit=30)
        suite.check("connections released", server.all_gone)
        suite.check("SIGTERM: 1001 to all members", sigterm, server)
    suite.finish()


if __name__ == "__main__":
    main()
